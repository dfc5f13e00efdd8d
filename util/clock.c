/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time and its event queue: a binary heap of timers under one mutex, and a timerfd armed to
 * the earliest deadline. The mutex is never held while a callback runs.
 */
#include "util/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "util/host_time.h"
#include "util/log.h"

enum { LATE_NS = 1000000, NEAR_NS = 30000, SLACK_NS = 1000 };

struct clock {
    struct host_time host;
    pthread_mutex_t lock;
    struct timer **heap; /* heap[0] falls due first */
    size_t n_timers, capacity;
    int fd; /* -1: manual */
    /* In virtual time, or never: the fd fires; the thread that attends has promised to look. */
    _Atomic int64_t fd_ns, attended_ns;
    void (*soon)(void *opaque);
    void *opaque;
    /* While running, now = host time - offset; else now = frozen. */
    _Atomic bool running;
    _Atomic int64_t offset_ns;
    _Atomic int64_t frozen_ns;
};

static struct clock *clock_allocate(void)
{
    struct clock *clock = calloc(1, sizeof(*clock));

    if (!clock)
        BUG("out of memory");
    host_time_init(&clock->host);
    pthread_mutex_init(&clock->lock, NULL);
    clock->fd = -1;
    atomic_init(&clock->fd_ns, TIME_NEVER);
    atomic_init(&clock->attended_ns, TIME_NEVER);
    return clock;
}

static _Thread_local struct clock *attended; /* by this thread */

struct clock *clock_create(void)
{
    struct clock *clock = clock_allocate();

    clock->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (clock->fd < 0) {
        clock_destroy(clock);
        return NULL;
    }
    atomic_store(&clock->offset_ns, host_time_ns(&clock->host));
    atomic_store(&clock->running, true);
    return clock;
}

struct clock *clock_create_manual(void)
{
    return clock_allocate();
}

void clock_destroy(struct clock *clock)
{
    if (!clock)
        return;
    if (clock->fd >= 0)
        close(clock->fd);
    pthread_mutex_destroy(&clock->lock);
    host_time_finish(&clock->host);
    free(clock->heap);
    free(clock);
}

int64_t clock_now_ns(struct clock *clock)
{
    /* The offset is read before the host's time, so that a stop and start in between can only
     * make this thread see a time that has been. */
    int64_t offset = atomic_load_explicit(&clock->offset_ns, memory_order_acquire);

    if (atomic_load_explicit(&clock->running, memory_order_acquire))
        return host_time_ns(&clock->host) - offset;
    return atomic_load_explicit(&clock->frozen_ns, memory_order_acquire);
}

int clock_fd(struct clock *clock)
{
    return clock->fd;
}

/* ---- the heap -------------------------------------------------------------------------------- */

static void heap_put(struct clock *clock, size_t index, struct timer *timer)
{
    clock->heap[index] = timer;
    timer->heap_index = index;
}

static void heap_up(struct clock *clock, size_t index, struct timer *timer)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (clock->heap[parent]->deadline_ns <= timer->deadline_ns)
            break;
        heap_put(clock, index, clock->heap[parent]);
        index = parent;
    }
    heap_put(clock, index, timer);
}

static void heap_down(struct clock *clock, size_t index, struct timer *timer)
{
    for (;;) {
        size_t child = 2 * index + 1;

        if (child >= clock->n_timers)
            break;
        if (child + 1 < clock->n_timers &&
            clock->heap[child + 1]->deadline_ns < clock->heap[child]->deadline_ns)
            child++;
        if (timer->deadline_ns <= clock->heap[child]->deadline_ns)
            break;
        heap_put(clock, index, clock->heap[child]);
        index = child;
    }
    heap_put(clock, index, timer);
}

static void heap_remove(struct clock *clock, struct timer *timer)
{
    size_t index = timer->heap_index;
    struct timer *last = clock->heap[--clock->n_timers];

    timer->deadline_ns = TIME_NEVER;
    if (last == timer)
        return;
    if (index > 0 && clock->heap[(index - 1) / 2]->deadline_ns > last->deadline_ns)
        heap_up(clock, index, last);
    else
        heap_down(clock, index, last);
}

static void heap_insert(struct clock *clock, struct timer *timer, int64_t deadline_ns)
{
    if (clock->n_timers == clock->capacity) {
        size_t capacity = clock->capacity ? 2 * clock->capacity : 16;
        struct timer **heap = realloc(clock->heap, capacity * sizeof(*heap));

        if (!heap)
            BUG("out of memory");
        clock->heap = heap;
        clock->capacity = capacity;
    }
    timer->deadline_ns = deadline_ns;
    heap_up(clock, clock->n_timers++, timer);
}

static int64_t next_deadline(const struct clock *clock)
{
    return clock->n_timers ? clock->heap[0]->deadline_ns : TIME_NEVER;
}

/* ---- the file descriptor --------------------------------------------------------------------- */

static void fd_arm(struct clock *clock, int64_t deadline_ns)
{
    struct itimerspec when = {0};

    clock->fd_ns = deadline_ns;
    if (deadline_ns != TIME_NEVER) {
        int64_t offset = atomic_load(&clock->offset_ns), host;

        /* The two clocks differ a little: what fires too early has to be armed again. A deadline of
         * 0 would disarm, and one in the past fires at once. */
        if (__builtin_add_overflow(deadline_ns, offset + SLACK_NS, &host))
            host = INT64_MAX;
        if (host < 1)
            host = 1;
        when.it_value.tv_sec = host / NS_PER_SECOND;
        when.it_value.tv_nsec = host % NS_PER_SECOND;
    }
    timerfd_settime(clock->fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* After a change of the queue: makes sure of somebody who runs it, this thread if it attends and
 * the time is near. An fd that is armed too early is left alone: a guest that keeps pushing a
 * deadline out costs no system calls, only one idle clock_run when it fires. */
static void see_to_next(struct clock *clock, int64_t now, bool attends)
{
    int64_t next = next_deadline(clock);

    if (clock->fd < 0 || !atomic_load(&clock->running))
        return;
    if (attends && next < clock->attended_ns && next < now + NEAR_NS) {
        clock->attended_ns = next;
        clock->soon(clock->opaque);
    }
    if (clock->attended_ns <= next)
        next = TIME_NEVER;
    if (next < clock->fd_ns || clock->fd_ns <= now)
        fd_arm(clock, next);
}

void clock_stop(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    if (clock->fd >= 0 && atomic_load(&clock->running)) {
        atomic_store(&clock->frozen_ns,
                     host_time_ns(&clock->host) - atomic_load(&clock->offset_ns));
        atomic_store(&clock->running, false);
        fd_arm(clock, TIME_NEVER);
    }
    pthread_mutex_unlock(&clock->lock);
}

void clock_start(struct clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    if (clock->fd >= 0 && !atomic_load(&clock->running)) {
        atomic_store(&clock->offset_ns,
                     host_time_ns(&clock->host) - atomic_load(&clock->frozen_ns));
        atomic_store(&clock->running, true);
        fd_arm(clock, next_deadline(clock));
    }
    pthread_mutex_unlock(&clock->lock);
}

/* Runs one timer due at `now`; the lock is dropped around its callback. */
static bool run_one(struct clock *clock, int64_t now)
{
    struct timer *timer;
    void (*expired)(void *);
    void *opaque;

    if (next_deadline(clock) > now)
        return false;
    timer = clock->heap[0];
    heap_remove(clock, timer);
    expired = timer->expired;
    opaque = timer->opaque;
    pthread_mutex_unlock(&clock->lock);
    expired(opaque);
    pthread_mutex_lock(&clock->lock);
    return true;
}

int64_t clock_run(struct clock *clock)
{
    int64_t now = clock_now_ns(clock), next;
    size_t budget;

    pthread_mutex_lock(&clock->lock);
    /* A guest may program timers that are due again at once: give the caller's loop its turn. */
    budget = clock->n_timers + 64;
    while (budget-- && run_one(clock, now))
        continue;
    if (clock->attended_ns <= now)
        clock->attended_ns = TIME_NEVER;
    see_to_next(clock, now, attended == clock);
    next = next_deadline(clock);
    pthread_mutex_unlock(&clock->lock);
    return next;
}

void clock_attend(struct clock *clock, void (*soon)(void *opaque), void *opaque)
{
    clock->soon = soon;
    clock->opaque = opaque;
    attended = clock;
}

int64_t clock_attended_ns(struct clock *clock)
{
    return atomic_load_explicit(&clock->attended_ns, memory_order_relaxed);
}

void clock_leave(struct clock *clock)
{
    if (clock_attended_ns(clock) == TIME_NEVER)
        return;
    pthread_mutex_lock(&clock->lock);
    clock->attended_ns = TIME_NEVER;
    see_to_next(clock, clock_now_ns(clock), false);
    pthread_mutex_unlock(&clock->lock);
}

bool clock_is_late(struct clock *clock, int64_t now_ns)
{
    return atomic_load_explicit(&clock->fd_ns, memory_order_relaxed) < now_ns - LATE_NS;
}

void clock_advance(struct clock *clock, int64_t ns)
{
    int64_t target;

    pthread_mutex_lock(&clock->lock);
    target = atomic_load(&clock->frozen_ns) + ns;
    while (next_deadline(clock) <= target) {
        if (next_deadline(clock) > atomic_load(&clock->frozen_ns))
            atomic_store(&clock->frozen_ns, next_deadline(clock));
        run_one(clock, target);
    }
    atomic_store(&clock->frozen_ns, target);
    pthread_mutex_unlock(&clock->lock);
}

/* ---- timers ---------------------------------------------------------------------------------- */

void timer_init(struct timer *timer, struct clock *clock, void (*expired)(void *opaque),
                void *opaque)
{
    timer->clock = clock;
    timer->expired = expired;
    timer->opaque = opaque;
    timer->deadline_ns = TIME_NEVER;
    timer->heap_index = 0;
}

void timer_set(struct timer *timer, int64_t deadline_ns)
{
    struct clock *clock = timer->clock;

    pthread_mutex_lock(&clock->lock);
    if (timer->deadline_ns != deadline_ns) {
        if (timer_pending(timer))
            heap_remove(clock, timer);
        if (deadline_ns != TIME_NEVER)
            heap_insert(clock, timer, deadline_ns);
        if (next_deadline(clock) < MIN(clock->fd_ns, clock->attended_ns))
            see_to_next(clock, clock_now_ns(clock), attended == clock);
    }
    pthread_mutex_unlock(&clock->lock);
}

void timer_cancel(struct timer *timer)
{
    timer_set(timer, TIME_NEVER);
}
