/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debug port of Bochs and QEMU: bytes written go to a stream; reading gives 0xe9, by which
 * firmware knows that somebody listens. Properties: iobase (0xe9), readback (0xe9).
 */
#include "host/chardev.h"
#include "hw/device.h"
#include "util/bits.h"

static uint64_t debugcon_read(struct device *d, uint64_t offset, unsigned size)
{
    return device_prop_u64(d, "readback", 0xe9) & 0xff;
}

static void debugcon_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    uint8_t byte = (uint8_t)value;

    chardev_write(d->chardev, &byte, 1);
}

static const struct device_region regions[] = {
    {.name = "debugcon",
     .size = 1,
     .min_access = 1,
     .max_access = 1,
     .read = debugcon_read,
     .write = debugcon_write,
     .port = true},
};

static const struct device_prop debugcon_props[] = {
    DEVICE_CHARDEV,
    {"readback", DEVICE_PROP_NUMBER, 0, 0xff},
    {NULL},
};

static const struct device_class debugcon_class = {
    .name = "isa-debugcon",
    .props = debugcon_props,
    .description = "Debug port: what the guest writes goes to -debugcon",
    .manual = "Bochs, port 0xe9",
    .addable = true,
    .default_base = 0xe9,
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
};
REGISTER(device_class, debugcon_class);
