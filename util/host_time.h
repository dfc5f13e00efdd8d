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
int64_t host_time_ns(struct host_time *t);

#endif
