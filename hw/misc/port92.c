/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System control port A of the PS/2 (port 0x92): fast A20 gate and fast reset (Intel 290562, "Reset
 * control and port 92"). Output 0 is the level of A20.
 */
#include "hw/device.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { FAST_RESET = 1, FAST_A20 = 2 };

struct port92 {
    uint8_t value;
};

static uint64_t port92_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct port92 *p = d->state;

    return p->value;
}

static void port92_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct port92 *p = d->state;
    bool resets = value & ~p->value & FAST_RESET;

    p->value = (uint8_t)value;
    device_irq(d, 0, p->value & FAST_A20);
    if (resets)
        machine_request(d->machine, MACHINE_RESET);
}

/* Firmware finds the gate open, as behind a chipset that starts with it so. */
static void port92_reset(struct device *d)
{
    device_irq(d, 0, true);
}

static const struct device_field fields[] = {
    DEVICE_FIELD(struct port92, value, DEVICE_U8, FAST_A20),
};

static const struct device_region regions[] = {
    {.name = "port92",
     .size = 1,
     .min_access = 1,
     .max_access = 1,
     .read = port92_read,
     .write = port92_write,
     .port = true},
};

static const struct device_class port92_class = {
    .name = "port92",
    .description = "Fast A20 gate and reset of the PC",
    .manual = "Intel 290562",
    .state_size = sizeof(struct port92),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .n_irq_out = 1,
    .reset = port92_reset,
};
REGISTER(device_class, port92_class);
