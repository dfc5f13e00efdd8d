/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A counter that runs down at a fixed rate on virtual time and calls back at zero: the heart of
 * SP804, the Cortex-A9 private timers and their like. It costs nothing between expiries.
 *
 * Threading: device lock held. The owner lists `value`, `reload`, `hz` and its control bits as
 * device fields; after they are restored it calls countdown_run again.
 */
#ifndef CALQUE_HW_TIMER_COUNTDOWN_H
#define CALQUE_HW_TIMER_COUNTDOWN_H

#include "util/clock.h"

struct countdown {
    struct timer timer;
    void (*expired)(void *opaque);
    void *opaque;
    int64_t started_ns;                    /* when the counter had `value` */
    uint64_t hz_numerator, hz_denominator; /* ticks a second: clock and prescaler */
    uint32_t value;                        /* at started_ns, or now if not running */
    uint32_t reload;                       /* what follows zero */
    int64_t zero_ns; /* when it next reaches zero; the callback may come later */
    bool running;
    bool one_shot; /* stops at zero */
};

void countdown_init(struct countdown *c, struct clock *clock, void (*expired)(void *opaque),
                    void *opaque);
void countdown_finish(struct countdown *c);
/* Starts (or goes on) from `value`; the first zero is `value` ticks away. */
void countdown_run(struct countdown *c, uint32_t value, uint32_t reload, bool one_shot,
                   uint64_t hz_numerator, uint64_t hz_denominator);
void countdown_stop(struct countdown *c); /* keeps the value */
void countdown_stop_at(struct countdown *c, uint32_t value);
uint32_t countdown_value(const struct countdown *c);
/* Calls back now if zero is already past: before software changes a running counter, or that zero
 * would be lost. Returns the value at the very moment that was looked at: read later, it may be
 * past a zero that nobody has been told of. */
uint32_t countdown_settle(struct countdown *c);
/* The value after the current one has run out; the count goes on undisturbed. */
void countdown_set_reload(struct countdown *c, uint32_t reload);

#endif
