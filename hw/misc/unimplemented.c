/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device the board has and calque lacks: reads as zero, takes writes, says so under -d unimp.
 * Properties: size; id, the PeriphID word of a PrimeCell, so that a bus scan finds what it expects.
 */
#include "hw/device.h"
#include "hw/primecell.h"

struct unimplemented {
    uint32_t id;
};

static uint64_t unimplemented_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct unimplemented *s = d->state;

    if (s->id && offset >= PRIMECELL_ID && offset < 0x1000)
        return primecell_id(s->id, offset);
    log_printf(LOG_UNIMP, "%s: read of offset 0x%llx\n", d->id, (unsigned long long)offset);
    return 0;
}

static void unimplemented_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    log_printf(LOG_UNIMP, "%s: write of 0x%llx to offset 0x%llx\n", d->id,
               (unsigned long long)value, (unsigned long long)offset);
}

static bool unimplemented_init(struct device *d, struct error *err)
{
    struct unimplemented *s = d->state;

    s->id = (uint32_t)device_prop_u64(d, "id", 0);
    return true;
}

static const struct device_region unimplemented_regions[] = {
    {.name = "unimplemented",
     .size = 0x1000,
     .size_prop = "size",
     .min_access = 1,
     .max_access = 8,
     .read = unimplemented_read,
     .write = unimplemented_write},
};

static const struct device_prop unimplemented_props[] = {
    {"id", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class unimplemented_class = {
    .name = "unimplemented-device",
    .props = unimplemented_props,
    .description = "a device that is only logged",
    .state_size = sizeof(struct unimplemented),
    .regions = unimplemented_regions,
    .n_regions = ARRAY_SIZE(unimplemented_regions),
    .init = unimplemented_init,
};
REGISTER(device_class, unimplemented_class);
