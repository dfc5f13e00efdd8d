/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits for file descriptors and calls back: the I/O thread's loop. Uses poll, so that regular
 * files and /dev/null work like anything else.
 *
 * Threading: one thread creates, destroys, adds, removes, waits and dispatches. All the others may
 * be called from any thread: watch_set_enabled, watch_set_writing, watch_set_due, watch_move_due,
 * event_loop_wake, event_loop_end and event_loop_is_ending. A running wait notices the watch_ ones
 * and event_loop_wake at once. Pauses and due times are in the time of monotonic_ns.
 */
#ifndef CALQUE_HOST_EVENT_LOOP_H
#define CALQUE_HOST_EVENT_LOOP_H

#include <stdatomic.h>

#include "util/compiler.h"
#include "util/error.h"
#include "util/monotonic.h"

struct event_loop;

struct watch {
    int fd;                         /* -1: none, only `due` */
    void (*readable)(void *opaque); /* also called at end of file and on errors */
    void (*due)(void *opaque);      /* once, when due_ns has come; may be NULL */
    void (*writable)(void *opaque); /* while `writing`; also called on errors; may be NULL */
    void *opaque;
    bool enabled;            /* through watch_set_enabled: call readable */
    bool writing;            /* through watch_set_writing: call writable */
    int64_t paused_until_ns; /* host monotonic time before which fd is left alone; 0: no pause */
    _Atomic int64_t due_ns;  /* through watch_set_due; 0: never */
    struct watch *next;      /* the loop's */
};

struct event_loop *event_loop_create(struct error *err);
void event_loop_destroy(struct event_loop *loop);

/* The caller owns the watch and keeps it until it is removed. */
void event_loop_add(struct event_loop *loop, struct watch *watch);
void event_loop_remove(struct event_loop *loop, struct watch *watch);
void watch_set_enabled(struct event_loop *loop, struct watch *watch, bool enabled);
void watch_set_writing(struct event_loop *loop, struct watch *watch, bool writing);
/* Calls watch->due in delay_ns from now, or when it was already asked for. */
void watch_set_due(struct event_loop *loop, struct watch *watch, int64_t delay_ns);
/* In delay_ns, whatever was asked for before. */
void watch_move_due(struct event_loop *loop, struct watch *watch, int64_t delay_ns);

/* Somebody wants the process to end: nobody is to wait for ever any more. */
void event_loop_end(struct event_loop *loop);
bool event_loop_is_ending(const struct event_loop *loop);

/* Makes the current or next wait return. */
void event_loop_wake(struct event_loop *loop);
/* Waits until something is readable, a wake, or timeout_ms (-1: for ever). Then event_loop_dispatch
 * runs the callbacks; apart, so that the caller can take a lock between. */
void event_loop_wait(struct event_loop *loop, int timeout_ms);
void event_loop_dispatch(struct event_loop *loop);

#endif
