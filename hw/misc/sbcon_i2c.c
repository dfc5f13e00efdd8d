/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versatile two-wire serial bus (DUI 0447, 4.5): software drives SCL and SDA by hand. Nothing
 * answers on the bus yet, so the lines read as they are driven. */
#include "hw/device.h"

enum { SB_CONTROL = 0x0, SB_CONTROLC = 0x4, SB_LINES = 3 };

struct sbcon_i2c {
    uint32_t lines; /* bit 0 SCL, bit 1 SDA; 1: released */
};

static const struct device_field sbcon_i2c_fields[] = {
    DEVICE_FIELD(struct sbcon_i2c, lines, DEVICE_U32, SB_LINES),
};

static uint64_t sbcon_i2c_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct sbcon_i2c *s = d->state;

    if (offset == SB_CONTROL)
        return s->lines;
    log_printf(LOG_GUEST_ERROR, "sbcon-i2c: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void sbcon_i2c_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct sbcon_i2c *s = d->state;

    if (offset == SB_CONTROL)
        s->lines |= value & SB_LINES;
    else if (offset == SB_CONTROLC)
        s->lines &= ~(uint32_t)value;
    else
        log_printf(LOG_GUEST_ERROR, "sbcon-i2c: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
}

static const struct device_region sbcon_i2c_regions[] = {
    {.name = "sbcon-i2c",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = sbcon_i2c_read,
     .write = sbcon_i2c_write},
};

static const struct device_class sbcon_i2c_class = {
    .name = "versatile-i2c",
    .description = "ARM Versatile two-wire serial bus",
    .manual = "ARM DUI 0447",
    .state_size = sizeof(struct sbcon_i2c),
    .regions = sbcon_i2c_regions,
    .n_regions = ARRAY_SIZE(sbcon_i2c_regions),
    .fields = sbcon_i2c_fields,
    .n_fields = ARRAY_SIZE(sbcon_i2c_fields),
};
REGISTER(device_class, sbcon_i2c_class);
