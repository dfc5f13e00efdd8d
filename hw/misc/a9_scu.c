/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cortex-A9 MPCore Snoop Control Unit (DDI 0407, chapter 2). One coherent core: what it would snoop
 * is coherent anyway, so the registers hold what software writes. Properties: cpus (1). */
#include "hw/device.h"

enum {
    SCU_CONTROL = 0x00,
    SCU_CONFIGURATION = 0x04,
    SCU_CPU_POWER = 0x08,
    SCU_INVALIDATE_ALL = 0x0c,
    SCU_FILTER_START = 0x40,
    SCU_FILTER_END = 0x44,
    SCU_ACCESS = 0x50,
    SCU_NONSECURE_ACCESS = 0x54,
};

struct a9_scu {
    uint32_t control, power, filter_start, filter_end, access, nonsecure_access;
    uint32_t cpus;
};

static const struct device_field a9_scu_fields[] = {
    DEVICE_FIELD(struct a9_scu, control, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9_scu, power, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9_scu, filter_start, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9_scu, filter_end, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9_scu, access, DEVICE_U32, 0xf),
    DEVICE_FIELD(struct a9_scu, nonsecure_access, DEVICE_U32, 0),
};

static uint64_t a9_scu_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct a9_scu *s = d->state;

    switch (offset) {
    case SCU_CONTROL:
        return s->control;
    case SCU_CONFIGURATION: /* 16 KB tag RAMs, every core in SMP mode */
        return (s->cpus - 1) | ((1u << s->cpus) - 1) << 4;
    case SCU_CPU_POWER:
        return s->power;
    case SCU_INVALIDATE_ALL:
        return 0;
    case SCU_FILTER_START:
        return s->filter_start;
    case SCU_FILTER_END:
        return s->filter_end;
    case SCU_ACCESS:
        return s->access;
    case SCU_NONSECURE_ACCESS:
        return s->nonsecure_access;
    }
    log_printf(LOG_GUEST_ERROR, "a9-scu: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void a9_scu_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct a9_scu *s = d->state;

    switch (offset) {
    case SCU_CONTROL:
        s->control = value & 0x7f;
        break;
    case SCU_CPU_POWER:
        s->power = value & 0x03030303;
        break;
    case SCU_INVALIDATE_ALL:
        break;
    case SCU_FILTER_START:
        s->filter_start = value & 0xfff00000;
        break;
    case SCU_FILTER_END:
        s->filter_end = value & 0xfff00000;
        break;
    case SCU_ACCESS:
        s->access = value & 0xf;
        break;
    case SCU_NONSECURE_ACCESS:
        s->nonsecure_access = value & 0xfff;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "a9-scu: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
}

static bool a9_scu_init(struct device *d, struct error *err)
{
    struct a9_scu *s = d->state;

    s->cpus = (uint32_t)device_prop_u64(d, "cpus", 1);
    if (s->cpus < 1 || s->cpus > 4)
        return error_set(err, "%s: the SCU has 1 to 4 CPUs, not %u", d->id, s->cpus);
    return true;
}

static const struct device_region a9_scu_regions[] = {
    {.name = "a9-scu",
     .size = 0x100,
     .min_access = 4,
     .max_access = 4,
     .read = a9_scu_read,
     .write = a9_scu_write},
};

static const struct device_prop a9_scu_props[] = {
    {"cpus", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class a9_scu_class = {
    .name = "a9-scu",
    .props = a9_scu_props,
    .description = "Cortex-A9 MPCore snoop control unit",
    .manual = "ARM DDI 0407",
    .state_size = sizeof(struct a9_scu),
    .regions = a9_scu_regions,
    .n_regions = ARRAY_SIZE(a9_scu_regions),
    .fields = a9_scu_fields,
    .n_fields = ARRAY_SIZE(a9_scu_fields),
    .init = a9_scu_init,
};
REGISTER(device_class, a9_scu_class);
