/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic event device of boards with hardware-reduced ACPI (ACPI 6.4, 5.6.9), with the sleep and
 * reset registers (4.8.3.7). Region 0: a word that tells what happened and is empty once read;
 * region 1: sleep control, sleep status, reset; region 2: a power management timer (4.8.3.3), 24
 * bits in the port space, by which a guest without other timers finds how fast its processor is.
 * Input 0: the power button. Output 0: the event.
 */
#include "hw/acpi/ged.h"

#include "hw/acpi/pm.h"
#include "hw/device.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { SLEEP_CONTROL, SLEEP_STATUS, RESET };
enum { SLEEP_ENABLE = 1 << 5, SLEEP_TYPE_SHIFT = 2, SLEEP_TYPE_MASK = 7 };

struct ged {
    uint32_t events;
};

static uint64_t events_read(struct device *d, uint64_t offset, unsigned size)
{
    struct ged *g = d->state;
    uint32_t events = g->events;

    g->events = 0;
    device_irq(d, 0, false);
    return events;
}

static void events_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    log_printf(LOG_GUEST_ERROR, "acpi-ged: the event word is read only\n");
}

static uint64_t sleep_read(struct device *d, uint64_t offset, unsigned size)
{
    return 0; /* no wake status: nothing sleeps here but for good */
}

static void sleep_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    unsigned type = value >> SLEEP_TYPE_SHIFT & SLEEP_TYPE_MASK;

    if (offset == RESET && value == GED_RESET_VALUE)
        machine_request(d->machine, MACHINE_RESET);
    else if (offset == SLEEP_CONTROL && value & SLEEP_ENABLE && type == GED_SLEEP_S5)
        machine_request(d->machine, MACHINE_POWER_OFF);
    else if (offset != SLEEP_STATUS)
        log_printf(LOG_GUEST_ERROR, "acpi-ged: 0x%x at offset %u does nothing\n", (unsigned)value,
                   (unsigned)offset);
}

static uint64_t timer_read(struct device *d, uint64_t offset, unsigned size)
{
    uint64_t now = (uint64_t)clock_now_ns(d->clock);

    return muldiv64(now, ACPI_PM_TIMER_HZ, 1000000000) & 0xffffff;
}

static void timer_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    log_printf(LOG_GUEST_ERROR, "acpi-ged: the timer is read only\n");
}

static void ged_irq_in(struct device *d, unsigned line, bool level)
{
    struct ged *g = d->state;

    if (!level)
        return;
    g->events |= GED_POWER_BUTTON;
    device_irq(d, 0, true);
}

static const struct device_field ged_fields[] = {
    DEVICE_FIELD(struct ged, events, DEVICE_U32, 0),
};

static const struct device_region ged_regions[] = {
    {"acpi-ged", 4, 4, 4, events_read, events_write},
    {"acpi-ged-regs", 3, 1, 1, sleep_read, sleep_write},
    {"acpi-pm-timer", 4, 4, 4, timer_read, timer_write, .port = true},
};

static const struct device_class ged_class = {
    .name = "acpi-ged",
    .description = "ACPI generic event device",
    .manual = "ACPI 6.4, 5.6.9 and 4.8.3.7",
    .state_size = sizeof(struct ged),
    .regions = ged_regions,
    .n_regions = ARRAY_SIZE(ged_regions),
    .fields = ged_fields,
    .n_fields = ARRAY_SIZE(ged_fields),
    .n_irq_in = 1,
    .n_irq_out = 1,
    .irq_in = ged_irq_in,
};
REGISTER(device_class, ged_class);
