/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8254 programmable interval timer (Intel 231164). Output 0 is OUT of channel 0; the gate of
 * channel 2 and all OUTs are reached through i8254.h. The clock is the PC's 1.193182 MHz.
 *
 * A counter is the time it was loaded, the value it was loaded with, and a mode: everything else
 * follows from the time. Only channel 0's edges need the event queue.
 */
#include "hw/timer/i8254.h"

#include "hw/device.h"
#include "util/bits.h"

enum { PIT_HZ = 1193182, N_CHANNELS = 3, CONTROL = 3 };
enum { RW_LATCH, RW_LOW, RW_HIGH, RW_WORD };
enum { READ_BACK = 3, BACK_NO_STATUS = 1 << 4, BACK_NO_COUNT = 1 << 5 };
enum { STATUS_NULL = 1 << 6, STATUS_OUT = 1 << 7 };
/* The host is spared faster edges than this; counts stay exact. Edges that are late for longer than
 * the second are given up. */
enum { SHORTEST_EDGE_NS = 20000, LATEST_EDGE_NS = 100000000 };
#define NO_EDGE UINT64_MAX

struct channel {
    int64_t start_ns;  /* when `count` was loaded */
    uint64_t held;     /* clocks counted before the gate stopped it */
    uint32_t count;    /* loaded: 1..0x10000 or 10000 */
    uint32_t reload;   /* what was written last */
    uint16_t latched;  /* by the latch command */
    uint8_t control;   /* rw, mode and BCD bits as written */
    uint8_t status;    /* latched by read-back */
    uint8_t low;       /* first byte of a word being written */
    bool gate, loaded; /* loaded: a count is there and (modes 1, 5) has been triggered */
    bool pending;      /* `reload` waits for the end of the cycle or a trigger */
    bool start_low;    /* mode 3: the cycle began with the low half */
    bool has_latch, has_status, write_high, read_high;
};

struct i8254 {
    struct channel c[N_CHANNELS];
    struct timer timer;
    uint64_t edge; /* clock of channel 0's next edge */
};

static unsigned mode_of(const struct channel *c)
{
    unsigned mode = extract32(c->control, 1, 3);

    return mode >= 6 ? mode - 4 : mode;
}

static bool stopped_by_gate(const struct channel *c)
{
    unsigned mode = mode_of(c);

    return !c->gate && mode != 1 && mode != 5;
}

static uint32_t modulus(const struct channel *c)
{
    return c->control & 1 ? 10000 : 0x10000;
}

static uint64_t clocks(struct device *d, const struct channel *c)
{
    if (stopped_by_gate(c))
        return c->held;
    int64_t ns = clock_now_ns(d->clock) - c->start_ns;
    return ns < 0 ? 0 : muldiv64((uint64_t)ns, PIT_HZ, NS_PER_SECOND);
}

/* The first moment at which that many clocks have passed. */
static int64_t clocks_to_ns(uint64_t n)
{
    unsigned __int128 ns = (unsigned __int128)n * NS_PER_SECOND + PIT_HZ - 1;

    return (int64_t)(ns / PIT_HZ);
}

/* ---- the counter as a function of time ------------------------------------------------------- */

/* Mode 3: the high half is the longer one of an odd count. */
static uint32_t half_length(const struct channel *c, bool low)
{
    return low ? c->count / 2 : (c->count + 1) / 2;
}

static bool out_at(const struct channel *c, uint64_t t)
{
    switch (mode_of(c)) {
    case 0:
        return c->loaded && t > c->count;
    case 1:
        return !c->loaded || t >= c->count;
    case 2:
        return !c->loaded || !c->gate || t % c->count != c->count - 1;
    case 3:
        if (!c->loaded || !c->gate)
            return true;
        return (t % c->count < half_length(c, c->start_low)) != c->start_low;
    default: /* a strobe of one clock */
        return !c->loaded || t != c->count;
    }
}

static uint64_t next_edge(const struct channel *c, uint64_t t)
{
    uint64_t in_cycle, cycle;

    if (!c->loaded || stopped_by_gate(c))
        return NO_EDGE;
    in_cycle = t % c->count;
    cycle = t - in_cycle;
    switch (mode_of(c)) {
    case 0:
        return t <= c->count ? c->count + 1 : NO_EDGE;
    case 1:
        return t < c->count ? c->count : NO_EDGE;
    case 2:
        return in_cycle < c->count - 1 ? cycle + c->count - 1 : cycle + c->count;
    case 3: {
        uint32_t half = half_length(c, c->start_low);
        return in_cycle < half ? cycle + half : cycle + c->count;
    }
    default:
        return t < c->count ? c->count : t == c->count ? t + 1 : NO_EDGE;
    }
}

static uint32_t value_at(const struct channel *c, uint64_t t)
{
    uint64_t in_cycle = t % c->count;

    switch (mode_of(c)) {
    case 0: /* one clock loads */
        t = t ? t - 1 : 0;
        break;
    case 2:
        return c->count - (uint32_t)in_cycle;
    case 3: {
        uint32_t half = half_length(c, c->start_low);
        if (in_cycle >= half)
            in_cycle -= half;
        return (c->count & ~1u) - 2 * (uint32_t)in_cycle;
    }
    }
    return (uint32_t)((c->count + modulus(c) - t % modulus(c)) % modulus(c));
}

/* Modes 2 and 3 take a new count at the end of a cycle, mode 3 of half a cycle. */
static void settle(struct device *d, struct channel *c)
{
    uint64_t t = clocks(d, c), end = c->count;
    bool low = false;

    if (!c->pending || !c->loaded || (mode_of(c) != 2 && mode_of(c) != 3))
        return;
    if (mode_of(c) == 3) {
        uint32_t half = half_length(c, c->start_low);
        if (t < end && t >= half)
            low = !c->start_low, end = half;
        else
            low = c->start_low;
    }
    if (t < end)
        return;
    end = end == c->count ? t - t % c->count : end;
    c->start_ns += clocks_to_ns(end);
    c->count = c->reload;
    c->start_low = low;
    c->pending = false;
}

/* ---- channel 0's edges ----------------------------------------------------------------------- */

static void schedule(struct device *d, uint64_t after)
{
    struct i8254 *s = d->state;
    struct channel *c = &s->c[0];
    int64_t now_ns = clock_now_ns(d->clock);

    s->edge = next_edge(c, after);
    if (s->edge == NO_EDGE)
        timer_cancel(&s->timer);
    else
        timer_set(&s->timer, MAX(c->start_ns + clocks_to_ns(s->edge), now_ns + 1));
}

static void refresh(struct device *d)
{
    struct i8254 *s = d->state;
    struct channel *c = &s->c[0];
    uint64_t now = clocks(d, c);

    device_irq(d, 0, out_at(c, now));
    schedule(d, now);
}

/* One edge at a time, so that a late host loses no interrupt unless it is very late. */
static void edge_reached(void *opaque)
{
    struct device *d = opaque;
    struct i8254 *s = d->state;
    struct channel *c = &s->c[0];
    int64_t start_ns = c->start_ns, now_ns = clock_now_ns(d->clock);
    uint64_t at = s->edge;

    settle(d, c);
    if (c->start_ns != start_ns || now_ns - c->start_ns - clocks_to_ns(at) > LATEST_EDGE_NS) {
        refresh(d);
        return;
    }
    device_irq(d, 0, out_at(c, at));
    schedule(d, at);
    /* The low clock of modes 2, 4 and 5 is too short to be seen; only its end comes at once. */
    if (s->edge != NO_EDGE && out_at(c, at) && s->timer.deadline_ns < now_ns + SHORTEST_EDGE_NS)
        timer_set(&s->timer, now_ns + SHORTEST_EDGE_NS);
}

/* ---- loading --------------------------------------------------------------------------------- */

static void load(struct device *d, struct channel *c)
{
    c->count = c->reload;
    c->start_ns = clock_now_ns(d->clock);
    c->held = 0;
    c->loaded = true;
    c->pending = c->start_low = false;
}

static void count_write(struct device *d, struct channel *c, uint16_t value)
{
    unsigned mode = mode_of(c);
    uint32_t count = value;

    if (c->control & 1)
        count =
            (value >> 12) * 1000 + (value >> 8 & 15) * 100 + (value >> 4 & 15) * 10 + (value & 15);
    settle(d, c);
    c->reload = count ? MIN(count, modulus(c)) : modulus(c);
    if ((mode == 2 || mode == 3) && c->reload < 2) {
        log_printf(LOG_GUEST_ERROR, "i8254: count 1 in mode %u\n", mode);
        c->reload = 2;
    }
    if (mode == 0 || mode == 4 || ((mode == 2 || mode == 3) && !c->loaded))
        load(d, c);
    else
        c->pending = true;
}

static void counter_write(struct device *d, struct channel *c, uint8_t value)
{
    switch (extract32(c->control, 4, 2)) {
    case RW_LOW:
        count_write(d, c, value);
        return;
    case RW_HIGH:
        count_write(d, c, (uint16_t)(value << 8));
        return;
    }
    if (c->write_high) {
        count_write(d, c, (uint16_t)(c->low | value << 8));
    } else {
        c->low = value;
        if (mode_of(c) == 0) /* the first byte stops the count, OUT falls */
            c->loaded = false;
    }
    c->write_high = !c->write_high;
}

static void latch_count(struct device *d, struct channel *c)
{
    uint32_t value;

    if (c->has_latch)
        return;
    settle(d, c);
    value = c->count ? value_at(c, clocks(d, c)) % modulus(c) : 0;
    if (c->control & 1)
        value = value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
    c->latched = (uint16_t)value;
    c->has_latch = true;
}

static void latch_status(struct device *d, struct channel *c)
{
    if (c->has_status)
        return;
    settle(d, c);
    c->status = (uint8_t)(c->control | (out_at(c, clocks(d, c)) ? STATUS_OUT : 0) |
                          (c->pending || !c->loaded ? STATUS_NULL : 0));
    c->has_status = true;
}

static void control_write(struct device *d, uint8_t value)
{
    struct i8254 *s = d->state;
    unsigned channel = value >> 6;

    if (channel == READ_BACK) {
        for (unsigned i = 0; i < N_CHANNELS; i++) {
            if (!(value >> (i + 1) & 1))
                continue;
            if (!(value & BACK_NO_COUNT))
                latch_count(d, &s->c[i]);
            if (!(value & BACK_NO_STATUS))
                latch_status(d, &s->c[i]);
        }
    } else if (extract32(value, 4, 2) == RW_LATCH) {
        latch_count(d, &s->c[channel]);
    } else {
        struct channel *c = &s->c[channel];
        c->control = value & 0x3f;
        c->loaded = c->pending = c->has_latch = c->has_status = false;
        c->write_high = c->read_high = false;
        c->held = 0;
    }
}

static void i8254_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8254 *s = d->state;

    if (offset == CONTROL)
        control_write(d, (uint8_t)value);
    else
        counter_write(d, &s->c[offset], (uint8_t)value);
    if (offset == 0 || (offset == CONTROL && !(value >> 6) && (value & 0x30)))
        refresh(d);
}

static uint64_t i8254_read(struct device *d, uint64_t offset, unsigned size)
{
    struct i8254 *s = d->state;
    bool high;

    if (offset == CONTROL)
        return 0xff;
    struct channel *c = &s->c[offset];
    if (c->has_status) {
        c->has_status = false;
        return c->status;
    }
    bool was_latched = c->has_latch, word = extract32(c->control, 4, 2) == RW_WORD;
    latch_count(d, c);
    high = word ? c->read_high : extract32(c->control, 4, 2) == RW_HIGH;
    if (word)
        c->read_high = !c->read_high;
    c->has_latch = was_latched && word && !high;
    return high ? c->latched >> 8 : c->latched & 0xff;
}

/* ---- gates ----------------------------------------------------------------------------------- */

void i8254_set_gate(struct device *d, unsigned channel, bool level)
{
    struct i8254 *s = d->state;
    struct channel *c = &s->c[channel];
    unsigned mode = mode_of(c);

    if (c->gate == level)
        return;
    settle(d, c);
    uint64_t done = clocks(d, c);
    c->gate = level;
    if (!level) {
        c->held = done;
    } else if (mode == 0 || mode == 4) { /* goes on */
        c->start_ns = clock_now_ns(d->clock) - clocks_to_ns(c->held);
    } else if (c->reload && (c->loaded || c->pending)) { /* begins anew */
        load(d, c);
    }
    if (channel == 0)
        refresh(d);
}

bool i8254_gate(const struct device *d, unsigned channel)
{
    const struct i8254 *s = d->state;

    return s->c[channel].gate;
}

bool i8254_out(struct device *d, unsigned channel)
{
    struct i8254 *s = d->state;

    settle(d, &s->c[channel]);
    return out_at(&s->c[channel], clocks(d, &s->c[channel]));
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool i8254_init(struct device *d, struct error *err)
{
    struct i8254 *s = d->state;

    timer_init(&s->timer, d->clock, edge_reached, d);
    return true;
}

static void i8254_reset(struct device *d)
{
    struct i8254 *s = d->state;

    s->c[0].gate = s->c[1].gate = true;
    refresh(d);
}

#define CHANNEL_FIELDS(n)                                                                          \
    DEVICE_FIELD(struct i8254, c[n].start_ns, DEVICE_U64, 0),                                      \
        DEVICE_FIELD(struct i8254, c[n].held, DEVICE_U64, 0),                                      \
        DEVICE_FIELD(struct i8254, c[n].count, DEVICE_U32, 0),                                     \
        DEVICE_FIELD(struct i8254, c[n].reload, DEVICE_U32, 0),                                    \
        DEVICE_FIELD(struct i8254, c[n].latched, DEVICE_U16, 0),                                   \
        DEVICE_FIELD(struct i8254, c[n].control, DEVICE_U8, RW_WORD << 4),                         \
        DEVICE_FIELD(struct i8254, c[n].status, DEVICE_U8, 0),                                     \
        DEVICE_FIELD(struct i8254, c[n].low, DEVICE_U8, 0),                                        \
        DEVICE_FIELD(struct i8254, c[n].gate, DEVICE_BOOL, 0),                                     \
        DEVICE_FIELD(struct i8254, c[n].loaded, DEVICE_BOOL, 0),                                   \
        DEVICE_FIELD(struct i8254, c[n].pending, DEVICE_BOOL, 0),                                  \
        DEVICE_FIELD(struct i8254, c[n].start_low, DEVICE_BOOL, 0),                                \
        DEVICE_FIELD(struct i8254, c[n].has_latch, DEVICE_BOOL, 0),                                \
        DEVICE_FIELD(struct i8254, c[n].has_status, DEVICE_BOOL, 0),                               \
        DEVICE_FIELD(struct i8254, c[n].write_high, DEVICE_BOOL, 0),                               \
        DEVICE_FIELD(struct i8254, c[n].read_high, DEVICE_BOOL, 0)

static const struct device_field i8254_fields[] = {
    CHANNEL_FIELDS(0),
    CHANNEL_FIELDS(1),
    CHANNEL_FIELDS(2),
    DEVICE_FIELD(struct i8254, timer, DEVICE_TIMER, 0),
    DEVICE_FIELD(struct i8254, edge, DEVICE_U64, NO_EDGE),
};

static const struct device_region i8254_regions[] = {
    {.name = "i8254",
     .size = 4,
     .max_access = 1,
     .read = i8254_read,
     .write = i8254_write,
     .port = true},
};

static const struct device_class i8254_class = {
    .name = "i8254",
    .description = "Programmable interval timer",
    .manual = "Intel 231164",
    .state_size = sizeof(struct i8254),
    .regions = i8254_regions,
    .n_regions = ARRAY_SIZE(i8254_regions),
    .fields = i8254_fields,
    .n_fields = ARRAY_SIZE(i8254_fields),
    .n_irq_out = 1,
    .init = i8254_init,
    .reset = i8254_reset,
};
REGISTER(device_class, i8254_class);
