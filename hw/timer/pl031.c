/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PrimeCell Real Time Clock PL031, ARM DDI 0224. Counts seconds since 1970 from the host's time of
 * day at start, as a battery-backed clock that firmware has set: a reset does not touch the count.
 * Property: base, as rtc_base.h says.
 */
#include "hw/primecell.h"
#include "hw/timer/rtc_base.h"

enum pl031_register {
    RTCDR = 0x00,
    RTCMR = 0x04,
    RTCLR = 0x08,
    RTCCR = 0x0c,
    RTCIMSC = 0x10,
    RTCRIS = 0x14,
    RTCMIS = 0x18,
    RTCICR = 0x1c,
};

enum { PERIPHERAL_ID = 0x00041031 };

struct pl031 {
    int64_t offset_ns; /* clock time at which the counter was 0; kept over reset */
    uint32_t match, load, mask, raw;
    struct timer alarm;
};

static uint32_t pl031_count(struct device *d)
{
    const struct pl031 *r = d->state;

    return (uint32_t)((clock_now_ns(d->clock) - r->offset_ns) / NS_PER_SECOND);
}

static void pl031_update(struct device *d)
{
    const struct pl031 *r = d->state;

    device_irq(d, 0, r->raw & r->mask & 1);
}

/* The interrupt comes when the counter reaches the match value; it wraps after 2^32 seconds. */
static void alarm_set(struct device *d)
{
    struct pl031 *r = d->state;
    int64_t now_ns = clock_now_ns(d->clock);
    int64_t elapsed_ns = now_ns - r->offset_ns;
    uint32_t seconds = r->match - pl031_count(d);

    if (seconds == 0) {
        timer_cancel(&r->alarm);
        r->raw = 1;
        pl031_update(d);
        return;
    }
    timer_set(&r->alarm, now_ns - elapsed_ns % NS_PER_SECOND + (int64_t)seconds * NS_PER_SECOND);
}

static void alarm_expired(void *opaque)
{
    struct device *d = opaque;
    struct pl031 *r = d->state;

    r->raw = 1;
    pl031_update(d);
}

static uint64_t pl031_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct pl031 *r = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(PERIPHERAL_ID, offset);
    switch (offset) {
    case RTCDR:
        return pl031_count(d);
    case RTCMR:
        return r->match;
    case RTCLR:
        return r->load;
    case RTCCR:
        return 1; /* running, and nothing but a reset of the clock itself stops it */
    case RTCIMSC:
        return r->mask;
    case RTCRIS:
        return r->raw;
    case RTCMIS:
        return r->raw & r->mask;
    default:
        log_printf(LOG_GUEST_ERROR, "pl031: read of register 0x%x\n", (unsigned)offset);
        return 0;
    }
}

static void pl031_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl031 *r = d->state;

    switch (offset) {
    case RTCMR:
        r->match = (uint32_t)value;
        alarm_set(d);
        break;
    case RTCLR:
        r->load = (uint32_t)value;
        r->offset_ns = clock_now_ns(d->clock) - (int64_t)r->load * NS_PER_SECOND;
        alarm_set(d);
        break;
    case RTCCR:
        break;
    case RTCIMSC:
        r->mask = value & 1;
        pl031_update(d);
        break;
    case RTCICR:
        if (value & 1)
            r->raw = 0;
        pl031_update(d);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "pl031: write to register 0x%x\n", (unsigned)offset);
        break;
    }
}

static bool pl031_init(struct device *d, struct error *err)
{
    struct pl031 *r = d->state;
    int64_t now_ns;

    if (!rtc_base_time(d, &now_ns, err))
        return false;
    r->offset_ns = clock_now_ns(d->clock) - now_ns;
    timer_init(&r->alarm, d->clock, alarm_expired, d);
    return true;
}

static const struct device_field pl031_fields[] = {
    DEVICE_KEPT(struct pl031, offset_ns, DEVICE_U64),
    DEVICE_FIELD(struct pl031, match, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl031, load, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl031, mask, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl031, raw, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl031, alarm, DEVICE_TIMER, 0),
};

static const struct device_region pl031_regions[] = {
    {"pl031", 0x1000, 4, 4, pl031_read, pl031_write, false, NULL},
};

static const struct device_prop pl031_props[] = {
    {"base", DEVICE_PROP_TEXT},
    {NULL},
};

static const struct device_class pl031_class = {
    .name = "pl031",
    .props = pl031_props,
    .description = "PrimeCell real time clock",
    .manual = "ARM DDI 0224",
    .state_size = sizeof(struct pl031),
    .regions = pl031_regions,
    .n_regions = ARRAY_SIZE(pl031_regions),
    .fields = pl031_fields,
    .n_fields = ARRAY_SIZE(pl031_fields),
    .n_irq_out = 1,
    .init = pl031_init,
    .reset = pl031_update,
};
REGISTER(device_class, pl031_class);
