/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * High precision event timers (IA-PC HPET specification 1.0a): one block of three, 100 MHz.
 *
 * Outputs are the system interrupt lines 0-23. Inputs 0 and 1 are the interrupts of the interval
 * timer and the clock: they go through to lines 0 and 8 unless legacy replacement puts timers 0
 * and 1 there. Properties: intcap, the lines timers may be routed to (line 2); msi=on: they can
 * send messages.
 */
#include <string.h>

#include "hw/device.h"
#include "hw/intc/apic.h"
#include "util/bits.h"

enum { N_TIMERS = 3, TICK_NS = 10, PERIOD_FS = 10000000, SHORTEST_PERIOD_NS = 20000 };
enum { PIT_LINE = 0, RTC_LINE = 8, N_LINES = 24 };
enum {
    HPET_ID = 0x00,
    HPET_CONFIG = 0x10,
    HPET_STATUS = 0x20,
    HPET_COUNTER = 0xf0,
    HPET_TIMERS = 0x100,
    TIMER_SIZE = 0x20,
};
enum { TIMER_CONFIG = 0x00, TIMER_COMPARATOR = 0x08, TIMER_MESSAGE = 0x10 };
enum { CONFIG_ENABLE = 1, CONFIG_LEGACY = 2 };
/* Revision 1, three timers, 64 bits, legacy replacement, Intel. */
enum { ID_LOW = 0x8086a201 };
enum {
    T_LEVEL = 1 << 1,
    T_ENABLE = 1 << 2,
    T_PERIODIC = 1 << 3,
    T_PERIODIC_CAPABLE = 1 << 4,
    T_64_CAPABLE = 1 << 5,
    T_SET_VALUE = 1 << 6,
    T_32BIT = 1 << 8,
    T_MESSAGE = 1 << 14,
    T_MESSAGE_CAPABLE = 1 << 15,
    T_WRITABLE = 0x7f4e,
};

struct hpet {
    uint64_t config, status;
    uint64_t counter; /* at started_ns, or now while stopped */
    int64_t started_ns;
    uint64_t t_config[N_TIMERS], comparator[N_TIMERS], period[N_TIMERS], message[N_TIMERS];
    struct timer timer[N_TIMERS];
    bool inputs[2];
    uint32_t intcap;
    bool msi;
    struct hpet_timer {
        struct device *device;
        unsigned n;
    } of[N_TIMERS]; /* what the callbacks get */
};

static bool is_legacy(const struct hpet *h)
{
    return (h->config & (CONFIG_ENABLE | CONFIG_LEGACY)) == (CONFIG_ENABLE | CONFIG_LEGACY);
}

static uint64_t counter_now(struct device *d)
{
    const struct hpet *h = d->state;

    if (!(h->config & CONFIG_ENABLE))
        return h->counter;
    return h->counter + (uint64_t)(clock_now_ns(d->clock) - h->started_ns) / TICK_NS;
}

static uint64_t value_mask(const struct hpet *h, unsigned n)
{
    return h->t_config[n] & T_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static unsigned timer_line(const struct hpet *h, unsigned n)
{
    if (is_legacy(h) && n < 2)
        return n == 0 ? PIT_LINE : RTC_LINE;
    return extract32((uint32_t)h->t_config[n], 9, 5);
}

static bool line_allowed(const struct hpet *h, unsigned n, unsigned line)
{
    return (is_legacy(h) && n < 2) || (line < N_LINES && (h->intcap >> line & 1));
}

static void line_drive(struct device *d, unsigned n, bool level)
{
    const struct hpet *h = d->state;
    unsigned line = timer_line(h, n);

    if (line_allowed(h, n, line))
        device_irq(d, line, level);
}

static void timer_interrupt(struct device *d, unsigned n)
{
    struct hpet *h = d->state;
    uint64_t config = h->t_config[n];

    if (config & T_LEVEL)
        h->status |= 1u << n;
    if (!(config & T_ENABLE))
        return;
    if (config & T_MESSAGE) {
        apic_msi(d->machine, h->message[n] >> 32, (uint32_t)h->message[n]);
        return;
    }
    /* An edge is the rise after a short low, so that who looks later still finds the line high. */
    if (!(config & T_LEVEL))
        line_drive(d, n, false);
    line_drive(d, n, true);
}

static void status_clear(struct device *d, uint64_t bits)
{
    struct hpet *h = d->state;

    for (unsigned n = 0; n < N_TIMERS; n++) {
        if (bits & h->status & 1u << n)
            line_drive(d, n, false);
    }
    h->status &= ~bits;
}

/* The two inputs, where they are not replaced. */
static void inputs_drive(struct device *d)
{
    const struct hpet *h = d->state;

    if (is_legacy(h))
        return;
    device_irq(d, PIT_LINE, h->inputs[0]);
    device_irq(d, RTC_LINE, h->inputs[1]);
}

static void hpet_irq_in(struct device *d, unsigned line, bool level)
{
    struct hpet *h = d->state;

    h->inputs[line] = level;
    inputs_drive(d);
}

/* ---- comparators ----------------------------------------------------------------------------- */

static void timer_arm(struct device *d, unsigned n)
{
    struct hpet *h = d->state;
    uint64_t left = (h->comparator[n] - counter_now(d)) & value_mask(h, n);
    int64_t now_ns = clock_now_ns(d->clock);

    if (!(h->config & CONFIG_ENABLE) || !(h->t_config[n] & (T_ENABLE | T_LEVEL)))
        timer_cancel(&h->timer[n]);
    else if (left >= (uint64_t)(INT64_MAX - now_ns) / TICK_NS)
        timer_cancel(&h->timer[n]); /* not in this machine's life */
    else if (h->t_config[n] & T_PERIODIC)
        timer_set(&h->timer[n], now_ns + MAX((int64_t)left * TICK_NS, SHORTEST_PERIOD_NS));
    else
        timer_set(&h->timer[n], now_ns + MAX((int64_t)left * TICK_NS, TICK_NS));
}

/* A periodic comparator moves on by whole periods until it is ahead of the counter. */
static void comparator_advance(struct device *d, unsigned n)
{
    struct hpet *h = d->state;
    uint64_t mask = value_mask(h, n), behind = (counter_now(d) - h->comparator[n]) & mask;
    uint64_t period = h->period[n] & mask;

    if (period && behind <= mask / 2)
        h->comparator[n] = (h->comparator[n] + (behind / period + 1) * period) & mask;
}

static void timer_expired(void *opaque)
{
    const struct hpet_timer *t = opaque;
    struct hpet *h = t->device->state;

    if (h->t_config[t->n] & T_PERIODIC)
        comparator_advance(t->device, t->n);
    /* A one-shot timer matches again when the counter has gone round. */
    if (h->t_config[t->n] & (T_PERIODIC | T_32BIT)) {
        timer_arm(t->device, t->n);
        if (!(h->t_config[t->n] & T_PERIODIC))
            timer_set(&h->timer[t->n],
                      clock_now_ns(t->device->clock) + (INT64_C(1) << 32) * TICK_NS);
    }
    timer_interrupt(t->device, t->n);
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint64_t timer_capabilities(const struct hpet *h)
{
    return (uint64_t)h->intcap << 32 | T_PERIODIC_CAPABLE | T_64_CAPABLE |
           (h->msi ? T_MESSAGE_CAPABLE : 0);
}

static uint64_t register_read(struct device *d, unsigned offset)
{
    const struct hpet *h = d->state;
    unsigned n = (offset - HPET_TIMERS) / TIMER_SIZE;

    switch (offset) {
    case HPET_ID:
        return (uint64_t)PERIOD_FS << 32 | (uint32_t)ID_LOW;
    case HPET_CONFIG:
        return h->config;
    case HPET_STATUS:
        return h->status;
    case HPET_COUNTER:
        return counter_now(d);
    }
    if (offset < HPET_TIMERS || n >= N_TIMERS)
        return 0;
    switch ((offset - HPET_TIMERS) % TIMER_SIZE) {
    case TIMER_CONFIG:
        return h->t_config[n] | timer_capabilities(h);
    case TIMER_COMPARATOR:
        return h->comparator[n] & value_mask(h, n);
    case TIMER_MESSAGE:
        return h->message[n];
    }
    return 0;
}

static uint64_t hpet_read(struct device *d, uint64_t offset, unsigned size)
{
    return register_read(d, (unsigned)offset & ~7u) >> (offset & 4) * 8;
}

static void config_write(struct device *d, uint64_t value)
{
    struct hpet *h = d->state;
    bool was_legacy = is_legacy(h);

    h->counter = counter_now(d);
    h->started_ns = clock_now_ns(d->clock);
    h->config = value & (CONFIG_ENABLE | CONFIG_LEGACY);
    if (was_legacy != is_legacy(h)) {
        device_irq(d, PIT_LINE, false);
        device_irq(d, RTC_LINE, false);
        inputs_drive(d);
    }
    for (unsigned n = 0; n < N_TIMERS; n++)
        timer_arm(d, n);
}

static void timer_config_write(struct device *d, unsigned n, uint64_t value)
{
    struct hpet *h = d->state;
    uint64_t writable = T_WRITABLE & ~(uint64_t)(h->msi ? 0 : T_MESSAGE);

    if (h->t_config[n] & T_ENABLE)
        line_drive(d, n, false);
    h->t_config[n] = value & writable;
    if (value & T_32BIT) {
        h->comparator[n] = (uint32_t)h->comparator[n];
        h->period[n] = (uint32_t)h->period[n];
    }
    if ((value & T_LEVEL) && (value & T_ENABLE) && (h->status >> n & 1))
        line_drive(d, n, true);
    timer_arm(d, n);
}

/* 2.3.9.2.2: a periodic timer's write sets the period, and the comparator too after VAL_SET. */
static void comparator_write(struct device *d, unsigned n, uint64_t value, bool low)
{
    struct hpet *h = d->state;
    bool periodic = h->t_config[n] & T_PERIODIC;
    bool sets = !periodic || (h->t_config[n] & T_SET_VALUE);

    value &= value_mask(h, n);
    if (sets)
        h->comparator[n] = value;
    if (periodic)
        h->period[n] = value;
    if (low)
        h->t_config[n] &= ~(uint64_t)T_SET_VALUE;
    timer_arm(d, n);
}

static void hpet_write(struct device *d, uint64_t offset64, uint64_t value, unsigned size)
{
    struct hpet *h = d->state;
    unsigned offset = (unsigned)offset64 & ~7u, n = (offset - HPET_TIMERS) / TIMER_SIZE;
    unsigned field = (offset - HPET_TIMERS) % TIMER_SIZE, shift = (offset64 & 4) * 8;
    bool is_timer = offset >= HPET_TIMERS && n < N_TIMERS, half = size == 4;

    if (offset == HPET_STATUS) {
        status_clear(d, value << shift);
        return;
    }
    if (half) {
        uint64_t old = register_read(d, offset);
        if (is_timer && field == TIMER_COMPARATOR && (h->t_config[n] & T_PERIODIC))
            old = h->period[n];
        value = deposit64(old, shift, 32, value);
    }
    if (offset == HPET_CONFIG) {
        config_write(d, value);
    } else if (offset == HPET_COUNTER) {
        if (h->config & CONFIG_ENABLE)
            log_printf(LOG_GUEST_ERROR, "hpet: the counter is written while it runs\n");
        h->counter = value;
        h->started_ns = clock_now_ns(d->clock);
        for (n = 0; n < N_TIMERS; n++)
            timer_arm(d, n);
    } else if (is_timer && field == TIMER_CONFIG) {
        timer_config_write(d, n, value);
    } else if (is_timer && field == TIMER_COMPARATOR) {
        comparator_write(d, n, value, !shift);
    } else if (is_timer && field == TIMER_MESSAGE) {
        h->message[n] = value;
    } else {
        log_printf(LOG_GUEST_ERROR, "hpet: write at offset 0x%x\n", (unsigned)offset64);
    }
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool hpet_init(struct device *d, struct error *err)
{
    struct hpet *h = d->state;

    h->intcap = (uint32_t)device_prop_u64(d, "intcap", 1 << 2);
    h->msi = device_prop_on(d, "msi", false);
    for (unsigned n = 0; n < N_TIMERS; n++) {
        h->of[n] = (struct hpet_timer){d, n};
        timer_init(&h->timer[n], d->clock, timer_expired, &h->of[n]);
    }
    return true;
}

static const struct device_field hpet_fields[] = {
    DEVICE_FIELD(struct hpet, config, DEVICE_U64, 0),
    DEVICE_FIELD(struct hpet, status, DEVICE_U64, 0),
    DEVICE_FIELD(struct hpet, counter, DEVICE_U64, 0),
    DEVICE_FIELD(struct hpet, started_ns, DEVICE_U64, 0),
    DEVICE_ARRAY(struct hpet, t_config, DEVICE_U64, N_TIMERS, 0),
    DEVICE_ARRAY(struct hpet, comparator, DEVICE_U64, N_TIMERS, UINT64_MAX),
    DEVICE_ARRAY(struct hpet, period, DEVICE_U64, N_TIMERS, 0),
    DEVICE_ARRAY(struct hpet, message, DEVICE_U64, N_TIMERS, 0),
    DEVICE_ARRAY(struct hpet, timer, DEVICE_TIMER, N_TIMERS, 0),
    DEVICE_ARRAY(struct hpet, inputs, DEVICE_BOOL, 2, 0),
};

static const struct device_region hpet_regions[] = {
    {.name = "hpet",
     .size = 0x400,
     .min_access = 4,
     .max_access = 8,
     .read = hpet_read,
     .write = hpet_write},
};

static const struct device_prop hpet_props[] = {
    {"intcap", DEVICE_PROP_NUMBER},
    {"msi", DEVICE_PROP_SWITCH},
    {NULL},
};

static const struct device_class hpet_class = {
    .name = "hpet",
    .props = hpet_props,
    .description = "High precision event timers",
    .manual = "IA-PC HPET specification 1.0a",
    .state_size = sizeof(struct hpet),
    .regions = hpet_regions,
    .n_regions = ARRAY_SIZE(hpet_regions),
    .fields = hpet_fields,
    .n_fields = ARRAY_SIZE(hpet_fields),
    .n_irq_in = 2,
    .n_irq_out = N_LINES,
    .init = hpet_init,
    .irq_in = hpet_irq_in,
};
REGISTER(device_class, hpet_class);
