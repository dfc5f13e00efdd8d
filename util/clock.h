/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time and the one event queue (D13). Time is in nanoseconds since the machine started; it
 * stands still while the machine is stopped. A test drives it by hand with clock_create_manual.
 *
 * Threading: all functions may be called from any thread. Callbacks run on the thread that calls
 * clock_run, which holds the device lock while it does: the machine's I/O thread, or a vCPU that
 * attends to the clock or, where that thread is late, reads the time. A callback may set its own or
 * other timers again.
 */
#ifndef CALQUE_UTIL_CLOCK_H
#define CALQUE_UTIL_CLOCK_H

#include "util/monotonic.h"

struct clock;

struct timer {
    struct clock *clock;
    void (*expired)(void *opaque);
    void *opaque;
    int64_t deadline_ns; /* INT64_MAX: not set */
    size_t heap_index;   /* the queue's */
};

#define TIME_NEVER INT64_MAX

struct clock *clock_create(void);        /* follows the host's monotonic clock */
struct clock *clock_create_manual(void); /* moves by clock_advance only */
void clock_destroy(struct clock *clock);

int64_t clock_now_ns(struct clock *clock);
void clock_advance(struct clock *clock, int64_t ns); /* manual clocks; runs what falls due */
void clock_stop(struct clock *clock);
void clock_start(struct clock *clock);

/* Runs what is due; returns the next deadline or TIME_NEVER. */
int64_t clock_run(struct clock *clock);
/* Has clock_run not been called for what fell due long before now? */
bool clock_is_late(struct clock *clock, int64_t now_ns);
/* A file descriptor that polls readable when clock_run has something to do (a timerfd, armed as
 * timers change, so that setting a timer wakes nobody early). -1 for manual clocks. */
int clock_fd(struct clock *clock);
/* The calling thread attends to the clock: timers that it sets, or that are next when it calls
 * clock_run, and fall due within microseconds are left to it. Arming the fd and waking its reader
 * would take longer. `soon`, called under the clock's lock, tells it so: it then keeps looking at
 * the time and calls clock_run at clock_attended_ns, or gives the timers back with clock_leave. */
void clock_attend(struct clock *clock, void (*soon)(void *opaque), void *opaque);
int64_t clock_attended_ns(struct clock *clock); /* TIME_NEVER: nothing is left to it */
void clock_leave(struct clock *clock);

void timer_init(struct timer *timer, struct clock *clock, void (*expired)(void *opaque),
                void *opaque);
void timer_set(struct timer *timer, int64_t deadline_ns); /* absolute; replaces any earlier one */
void timer_cancel(struct timer *timer);
static inline bool timer_pending(const struct timer *timer)
{
    return timer->deadline_ns != TIME_NEVER;
}

/* value * numerator / denominator without overflow: ticks to ns and back. */
static inline uint64_t muldiv64(uint64_t value, uint32_t numerator, uint32_t denominator)
{
    return (uint64_t)((unsigned __int128)value * numerator / denominator);
}

#endif
