/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The I/O thread's loop over poll(2). */
#define _GNU_SOURCE
#include "host/event_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Terminals, ptys, files, clock and signals of one machine: far fewer. More are refused service. */
enum { MAX_WATCHES = 128 };

struct event_loop {
    struct watch *watches;
    int wake_fd;
    _Atomic bool ending;
    struct pollfd polled[MAX_WATCHES + 1];
    struct watch *polled_watch[MAX_WATCHES + 1];
    unsigned n_polled;
};

struct event_loop *event_loop_create(struct error *err)
{
    struct event_loop *loop = calloc(1, sizeof(*loop));

    if (!loop) {
        error_set(err, "out of memory");
        return NULL;
    }
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        error_set_errno(err, errno, "cannot make an event descriptor");
        free(loop);
        return NULL;
    }
    return loop;
}

void event_loop_destroy(struct event_loop *loop)
{
    if (!loop)
        return;
    close(loop->wake_fd);
    free(loop);
}

void event_loop_add(struct event_loop *loop, struct watch *watch)
{
    watch->next = loop->watches;
    loop->watches = watch;
}

void event_loop_remove(struct event_loop *loop, struct watch *watch)
{
    for (struct watch **link = &loop->watches; *link; link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    }
    /* It may be removed by another watch's callback of the same round. */
    for (unsigned i = 0; i < loop->n_polled; i++) {
        if (loop->polled_watch[i] == watch)
            loop->polled_watch[i] = NULL;
    }
}

void watch_set_enabled(struct event_loop *loop, struct watch *watch, bool enabled)
{
    bool before = __atomic_exchange_n(&watch->enabled, enabled, __ATOMIC_SEQ_CST);

    if (enabled && !before)
        event_loop_wake(loop);
}

void watch_set_writing(struct event_loop *loop, struct watch *watch, bool writing)
{
    bool before = __atomic_exchange_n(&watch->writing, writing, __ATOMIC_SEQ_CST);

    if (writing && !before)
        event_loop_wake(loop);
}

void event_loop_end(struct event_loop *loop)
{
    atomic_store(&loop->ending, true);
}

bool event_loop_is_ending(const struct event_loop *loop)
{
    return atomic_load(&loop->ending);
}

void event_loop_wake(struct event_loop *loop)
{
    uint64_t one = 1;
    /* A full counter is a wake that is still to be seen. */
    ssize_t ignored UNUSED = write(loop->wake_fd, &one, sizeof(one));
}

void watch_set_due(struct event_loop *loop, struct watch *watch, int64_t delay_ns)
{
    int64_t never = 0;

    if (atomic_compare_exchange_strong(&watch->due_ns, &never, monotonic_ns() + delay_ns))
        event_loop_wake(loop);
}

void watch_move_due(struct event_loop *loop, struct watch *watch, int64_t delay_ns)
{
    atomic_store(&watch->due_ns, monotonic_ns() + delay_ns);
    event_loop_wake(loop);
}

/* Shortens the wait to the moment; true when it has come. */
static bool has_come(int64_t moment_ns, int64_t now_ns, int *timeout_ms)
{
    int64_t left_ms = (moment_ns - now_ns) / 1000000 + 1;

    if (moment_ns <= now_ns)
        return true;
    if (*timeout_ms < 0 || *timeout_ms > left_ms)
        *timeout_ms = (int)left_ms;
    return false;
}

/* What its descriptor is polled for; 0: nothing. */
static short watch_polls(struct watch *watch, int64_t now_ns, int *timeout_ms)
{
    int64_t due_ns = atomic_load(&watch->due_ns);
    short events = 0;

    if (due_ns && has_come(due_ns, now_ns, timeout_ms))
        *timeout_ms = 0;
    if (watch->fd < 0)
        return 0;
    if (__atomic_load_n(&watch->writing, __ATOMIC_SEQ_CST))
        events |= POLLOUT;
    if (!__atomic_load_n(&watch->enabled, __ATOMIC_SEQ_CST) ||
        (watch->paused_until_ns && !has_come(watch->paused_until_ns, now_ns, timeout_ms)))
        return events;
    watch->paused_until_ns = 0;
    return events | POLLIN;
}

void event_loop_wait(struct event_loop *loop, int timeout_ms)
{
    int64_t now_ns = monotonic_ns();
    unsigned n = 0;
    uint64_t count;

    loop->polled[n] = (struct pollfd){.fd = loop->wake_fd, .events = POLLIN};
    loop->polled_watch[n++] = NULL;
    for (struct watch *watch = loop->watches; watch && n <= MAX_WATCHES; watch = watch->next) {
        short events = watch_polls(watch, now_ns, &timeout_ms);
        if (!events)
            continue;
        loop->polled[n] = (struct pollfd){.fd = watch->fd, .events = events};
        loop->polled_watch[n++] = watch;
    }
    loop->n_polled = n;
    if (poll(loop->polled, n, timeout_ms) <= 0)
        loop->n_polled = 0;
    else if (loop->polled[0].revents)
        while (read(loop->wake_fd, &count, sizeof(count)) > 0)
            ;
}

static void dispatch_due(struct event_loop *loop)
{
    int64_t now_ns = monotonic_ns();

    for (struct watch *watch = loop->watches, *next; watch; watch = next) {
        int64_t due_ns = atomic_load(&watch->due_ns);
        next = watch->next;
        if (due_ns && due_ns <= now_ns) {
            atomic_store(&watch->due_ns, 0);
            watch->due(watch->opaque);
        }
    }
}

void event_loop_dispatch(struct event_loop *loop)
{
    dispatch_due(loop);
    for (unsigned i = 1; i < loop->n_polled; i++) {
        struct watch *watch = loop->polled_watch[i];
        short events = loop->polled[i].revents;
        if (watch && (events & ~POLLIN) && watch->writable &&
            __atomic_load_n(&watch->writing, __ATOMIC_SEQ_CST))
            watch->writable(watch->opaque);
        watch = loop->polled_watch[i]; /* unless that removed it */
        if (watch && (events & ~POLLOUT) && __atomic_load_n(&watch->enabled, __ATOMIC_SEQ_CST))
            watch->readable(watch->opaque);
    }
    loop->n_polled = 0;
}
