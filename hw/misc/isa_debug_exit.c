/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's isa-debug-exit: a write of v ends the machine with status (v << 1) | 1. Properties: iobase
 * (0x501), iosize (2).
 */
#include "hw/device.h"
#include "hw/machine.h"
#include "util/bits.h"

static void debug_exit_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    machine_exit(d->machine, (int)(value << 1 | 1) & 0xff);
}

static const struct device_region regions[] = {
    {.name = "isa-debug-exit",
     .size = 2,
     .min_access = 1,
     .max_access = 4,
     .write = debug_exit_write,
     .size_prop = "iosize",
     .port = true},
};

static const struct device_class isa_debug_exit_class = {
    .name = "isa-debug-exit",
    .description = "A write to its port ends calque with a status",
    .manual = "QEMU, hw/misc/debugexit",
    .addable = true,
    .default_base = 0x501,
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
};
REGISTER(device_class, isa_debug_exit_class);
