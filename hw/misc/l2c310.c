/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CoreLink Level 2 Cache Controller L2C-310 (DDI 0246). Memory is coherent without it: maintenance
 * completes at once, the registers behave as the manual says. Properties: cache-type. */
#include "hw/device.h"

enum {
    CACHE_ID = 0x000,
    CACHE_TYPE = 0x004,
    CONTROL = 0x100,
    AUX_CONTROL = 0x104,
    TAG_RAM_CONTROL = 0x108,
    DATA_RAM_CONTROL = 0x10c,
    EVENT_CONTROL = 0x200,
    EVENT_CONFIGURATION = 0x204, /* counter 1, then 0 */
    EVENT_COUNTER = 0x20c,       /* counter 1, then 0 */
    INT_MASK = 0x214,
    INT_MASK_STATUS = 0x218,
    INT_RAW_STATUS = 0x21c,
    INT_CLEAR = 0x220,
    MAINTENANCE_FIRST = 0x730,
    MAINTENANCE_LAST = 0x7fc,
    LOCKDOWN_FIRST = 0x900,
    LOCKDOWN_LAST = 0x93c,
    LOCKDOWN_BY_LINE = 0x950,
    UNLOCK_BY_WAY = 0x954,
    ADDRESS_FILTER_START = 0xc00,
    ADDRESS_FILTER_END = 0xc04,
    DEBUG_CONTROL = 0xf40,
    PREFETCH_CONTROL = 0xf60,
    POWER_CONTROL = 0xf80,
};
enum { CACHE_ID_R3P3 = 0x410000c9 };

struct l2c310 {
    uint32_t cache_type;
    uint32_t control, aux_control, tag_ram_control, data_ram_control;
    uint32_t event_control, event_configuration[2], event_counter[2];
    uint32_t int_mask, lockdown[16], lockdown_by_line;
    uint32_t filter_start, filter_end, debug_control, prefetch_control, power_control;
};

static const struct device_field l2c310_fields[] = {
    DEVICE_FIELD(struct l2c310, control, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, aux_control, DEVICE_U32, 0x02020000),
    DEVICE_FIELD(struct l2c310, tag_ram_control, DEVICE_U32, 0x777),
    DEVICE_FIELD(struct l2c310, data_ram_control, DEVICE_U32, 0x777),
    DEVICE_FIELD(struct l2c310, event_control, DEVICE_U32, 0),
    DEVICE_ARRAY(struct l2c310, event_configuration, DEVICE_U32, 2, 0),
    DEVICE_ARRAY(struct l2c310, event_counter, DEVICE_U32, 2, 0),
    DEVICE_FIELD(struct l2c310, int_mask, DEVICE_U32, 0),
    DEVICE_ARRAY(struct l2c310, lockdown, DEVICE_U32, 16, 0),
    DEVICE_FIELD(struct l2c310, lockdown_by_line, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, filter_start, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, filter_end, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, debug_control, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, prefetch_control, DEVICE_U32, 0),
    DEVICE_FIELD(struct l2c310, power_control, DEVICE_U32, 0),
};

/* The plain registers: what is written is read back under a mask. While the cache is enabled the
 * ones marked need it off (DDI 0246 3.2); software that ignores that is told so. */
static const struct plain_register {
    uint16_t offset;
    bool needs_disabled;
    uint32_t member, mask;
} plain_registers[] = {
    {CONTROL, false, offsetof(struct l2c310, control), 0x1},
    {AUX_CONTROL, true, offsetof(struct l2c310, aux_control), 0x7fffffff},
    {TAG_RAM_CONTROL, true, offsetof(struct l2c310, tag_ram_control), 0x777},
    {DATA_RAM_CONTROL, true, offsetof(struct l2c310, data_ram_control), 0x777},
    {EVENT_CONFIGURATION, false, offsetof(struct l2c310, event_configuration[0]), 0x3f},
    {EVENT_CONFIGURATION + 4, false, offsetof(struct l2c310, event_configuration[1]), 0x3f},
    {EVENT_COUNTER, false, offsetof(struct l2c310, event_counter[0]), 0xffffffff},
    {EVENT_COUNTER + 4, false, offsetof(struct l2c310, event_counter[1]), 0xffffffff},
    {INT_MASK, false, offsetof(struct l2c310, int_mask), 0x1ff},
    {LOCKDOWN_BY_LINE, false, offsetof(struct l2c310, lockdown_by_line), 0x1},
    {ADDRESS_FILTER_START, false, offsetof(struct l2c310, filter_start), 0xfff00001},
    {ADDRESS_FILTER_END, false, offsetof(struct l2c310, filter_end), 0xfff00000},
    {DEBUG_CONTROL, false, offsetof(struct l2c310, debug_control), 0x7},
    {PREFETCH_CONTROL, false, offsetof(struct l2c310, prefetch_control), 0x7da0001f},
    {POWER_CONTROL, false, offsetof(struct l2c310, power_control), 0x3},
};

static const struct plain_register *find_plain(uint64_t offset)
{
    for (size_t i = 0; i < ARRAY_SIZE(plain_registers); i++)
        if (plain_registers[i].offset == offset)
            return &plain_registers[i];
    return NULL;
}

static uint64_t l2c310_read(struct device *d, uint64_t offset, unsigned size)
{
    struct l2c310 *s = d->state;
    const struct plain_register *plain = find_plain(offset);

    if (plain)
        return *(uint32_t *)((char *)s + plain->member);
    if (offset >= MAINTENANCE_FIRST && offset <= MAINTENANCE_LAST)
        return 0; /* always complete */
    if (offset >= LOCKDOWN_FIRST && offset <= LOCKDOWN_LAST)
        return s->lockdown[(offset - LOCKDOWN_FIRST) / 4];
    switch (offset) {
    case CACHE_ID:
        return CACHE_ID_R3P3;
    case CACHE_TYPE:
        return s->cache_type;
    case EVENT_CONTROL:
        return s->event_control;
    case INT_MASK_STATUS:
    case INT_RAW_STATUS:
    case UNLOCK_BY_WAY:
        return 0;
    }
    log_printf(LOG_GUEST_ERROR, "l2c310: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void l2c310_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct l2c310 *s = d->state;
    const struct plain_register *plain = find_plain(offset);

    if (plain) {
        if (plain->needs_disabled && (s->control & 1))
            log_printf(LOG_GUEST_ERROR, "l2c310: offset 0x%x written while the cache is on\n",
                       (unsigned)offset);
        *(uint32_t *)((char *)s + plain->member) = (uint32_t)value & plain->mask;
        return;
    }
    if (offset >= MAINTENANCE_FIRST && offset <= MAINTENANCE_LAST)
        return;
    if (offset >= LOCKDOWN_FIRST && offset <= LOCKDOWN_LAST) {
        s->lockdown[(offset - LOCKDOWN_FIRST) / 4] = value & 0xffff;
        return;
    }
    switch (offset) {
    case EVENT_CONTROL: /* bits 2:1 reset the counters and read as zero */
        s->event_control = value & 1;
        if (value & 2)
            s->event_counter[1] = 0;
        if (value & 4)
            s->event_counter[0] = 0;
        break;
    case INT_CLEAR:
    case UNLOCK_BY_WAY:
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "l2c310: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
}

static bool l2c310_init(struct device *d, struct error *err)
{
    struct l2c310 *s = d->state;

    s->cache_type = (uint32_t)device_prop_u64(d, "cache-type", 0x1c100100);
    return true;
}

static const struct device_region l2c310_regions[] = {
    {.name = "l2c310",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = l2c310_read,
     .write = l2c310_write},
};

static const struct device_prop l2c310_props[] = {
    {"cache-type", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class l2c310_class = {
    .name = "l2x0",
    .props = l2c310_props,
    .description = "ARM level 2 cache controller L2C-310",
    .manual = "ARM DDI 0246",
    .state_size = sizeof(struct l2c310),
    .regions = l2c310_regions,
    .n_regions = ARRAY_SIZE(l2c310_regions),
    .fields = l2c310_fields,
    .n_fields = ARRAY_SIZE(l2c310_fields),
    .init = l2c310_init,
};
REGISTER(device_class, l2c310_class);
