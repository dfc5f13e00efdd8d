/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's monotonic clock (CLOCK_MONOTONIC, nanoseconds), read by the processor's time-stamp
 * counter where the host itself trusts that: the C library orders its read of the counter, which
 * costs as much again as the read.
 *
 * The counter is calibrated while time goes by, and held to the clock: what it says never runs
 * backwards on one thread and differs from the clock by microseconds.
 *
 * Threading: host_time_ns from any thread.
 */
#ifndef CALQUE_UTIL_HOST_TIME_H
#define CALQUE_UTIL_HOST_TIME_H

#include <pthread.h>

#include "util/compiler.h"

#ifdef __x86_64__
#include <x86intrin.h>
#endif

enum { HOST_TIME_SCALE_BITS = 32 };

/* ns = ns + (counter - ticks) * scale / 2^32, for `limit` ticks. */
struct host_time_line {
    uint64_t ticks, limit, scale;
    int64_t ns;
};

struct host_time {
    bool has_counter;
    uint32_t sequence; /* odd while the line is being changed; limit 0: there is none yet */
    struct host_time_line line;
    pthread_mutex_t lock;
    /* Under the lock. */
    uint64_t first_ticks, true_scale;
    int64_t first_ns;
};

void host_time_init(struct host_time *t);
void host_time_finish(struct host_time *t);
int64_t host_time_ns_slowly(struct host_time *t);

static inline uint64_t host_time_counter(void)
{
#ifdef __x86_64__
    return __rdtsc();
#else
    return 0;
#endif
}

static inline int64_t host_time_ns(struct host_time *t)
{
    struct host_time_line line;
    uint64_t delta;
    uint32_t sequence;

    do {
        sequence = __atomic_load_n(&t->sequence, __ATOMIC_ACQUIRE);
        line.ticks = __atomic_load_n(&t->line.ticks, __ATOMIC_RELAXED);
        line.limit = __atomic_load_n(&t->line.limit, __ATOMIC_RELAXED);
        line.scale = __atomic_load_n(&t->line.scale, __ATOMIC_RELAXED);
        line.ns = __atomic_load_n(&t->line.ns, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (UNLIKELY(sequence & 1 || sequence != __atomic_load_n(&t->sequence, __ATOMIC_RELAXED)));
    delta = host_time_counter() - line.ticks;
    if (UNLIKELY(delta >= line.limit))
        return host_time_ns_slowly(t);
    return line.ns + (int64_t)(delta * line.scale >> HOST_TIME_SCALE_BITS);
}

#endif
