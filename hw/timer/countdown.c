/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Down counter on virtual time; see countdown.h. */
#include "hw/timer/countdown.h"

/* A guest may ask for an interrupt every tick; the host is spared more than one in this time. The
 * counter itself stays exact. */
enum { SHORTEST_INTERVAL_NS = 20000 };

static uint64_t ticks_at(const struct countdown *c, int64_t now_ns)
{
    int64_t elapsed_ns = now_ns - c->started_ns;

    if (elapsed_ns < 0)
        return 0;
    return (uint64_t)((unsigned __int128)elapsed_ns * c->hz_numerator /
                      (c->hz_denominator * UINT64_C(1000000000)));
}

static int64_t ticks_to_ns(const struct countdown *c, uint64_t ticks)
{
    unsigned __int128 ns = (unsigned __int128)ticks * UINT64_C(1000000000) * c->hz_denominator;

    return (int64_t)((ns + c->hz_numerator - 1) / c->hz_numerator);
}

static uint32_t value_at(const struct countdown *c, int64_t now_ns)
{
    if (!c->running)
        return c->value;
    uint64_t ticks = ticks_at(c, now_ns);
    if (ticks <= c->value)
        return (uint32_t)(c->value - ticks);
    if (c->one_shot)
        return 0;
    return (uint32_t)(c->reload - (ticks - c->value - 1) % ((uint64_t)c->reload + 1));
}

uint32_t countdown_value(const struct countdown *c)
{
    return value_at(c, clock_now_ns(c->timer.clock));
}

static void arm(struct countdown *c)
{
    int64_t now_ns = clock_now_ns(c->timer.clock);
    uint64_t ticks = ticks_at(c, now_ns), zero = c->value;

    if (ticks >= zero && ticks > 0) { /* the first zero is past: the next one of the cycle */
        uint64_t period = (uint64_t)c->reload + 1;
        zero += ((ticks - zero) / period + 1) * period;
    }
    c->zero_ns = c->started_ns + ticks_to_ns(c, zero);
    timer_set(&c->timer, MAX(c->zero_ns, now_ns + SHORTEST_INTERVAL_NS));
}

static void reached_zero(void *opaque)
{
    struct countdown *c = opaque;

    if (c->one_shot) {
        c->running = false;
        c->value = 0;
    } else {
        arm(c);
    }
    c->expired(c->opaque);
}

uint32_t countdown_settle(struct countdown *c)
{
    int64_t now_ns = clock_now_ns(c->timer.clock);

    if (c->running && now_ns >= c->zero_ns) {
        timer_cancel(&c->timer);
        reached_zero(c);
    }
    return value_at(c, now_ns);
}

void countdown_init(struct countdown *c, struct clock *clock, void (*expired)(void *opaque),
                    void *opaque)
{
    *c = (struct countdown){.expired = expired, .opaque = opaque};
    timer_init(&c->timer, clock, reached_zero, c);
}

void countdown_finish(struct countdown *c)
{
    timer_cancel(&c->timer);
}

void countdown_run(struct countdown *c, uint32_t value, uint32_t reload, bool one_shot,
                   uint64_t hz_numerator, uint64_t hz_denominator)
{
    c->started_ns = clock_now_ns(c->timer.clock);
    c->hz_numerator = hz_numerator ? hz_numerator : 1;
    c->hz_denominator = hz_denominator ? hz_denominator : 1;
    c->value = value;
    c->reload = reload;
    c->one_shot = one_shot;
    c->running = true;
    arm(c);
}

void countdown_stop(struct countdown *c)
{
    c->value = countdown_value(c);
    c->running = false;
    timer_cancel(&c->timer);
}

void countdown_stop_at(struct countdown *c, uint32_t value)
{
    countdown_stop(c);
    c->value = value;
}

void countdown_set_reload(struct countdown *c, uint32_t reload)
{
    if (c->running) {
        int64_t now_ns = clock_now_ns(c->timer.clock);
        c->value = value_at(c, now_ns);
        c->started_ns = now_ns;
        c->reload = reload;
        arm(c);
    } else {
        c->reload = reload;
    }
}
