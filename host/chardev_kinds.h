/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of character stream that `-serial` and `-monitor` can name: each is one .c file that
 * registers itself. And the multiplexer that lets the console and the monitor share one stream.
 *
 * Threading: created and destroyed on the I/O thread.
 */
#ifndef CALQUE_HOST_CHARDEV_KINDS_H
#define CALQUE_HOST_CHARDEV_KINDS_H

#include "host/chardev.h"
#include "host/event_loop.h"
#include "util/registry.h"

struct chardev_context {
    struct event_loop *loop;
    const char *program; /* for what is said to the user */
    bool keys_signal;    /* stdio: Ctrl-C is calque's, not the guest's */
};

struct chardev_kind {
    const char *name;     /* stdio, file, pty, null */
    const char *argument; /* "FILE": needs name:FILE; NULL: takes none */
    const char *help;
    struct chardev *(*create)(const struct chardev_context *context, const char *argument,
                              struct error *err);
};
REGISTRY_DECLARE(chardev_kind);

/* "stdio", "file:PATH"...; an unknown kind fails, naming the nearest. option: "-serial". Nothing is
 * read, and nothing that was there before is changed, until chardev_start. */
struct chardev *chardev_create(const struct chardev_context *context, const char *option,
                               const char *what, struct error *err);
void chardev_destroy(struct chardev *c);

/* One stream for several users: keys go to the one in front, output of all is shown. */
struct mux;
struct mux_actions {
    void (*quit)(void *opaque); /* Ctrl-a x */
    void (*save)(void *opaque); /* Ctrl-a s; says itself what it did */
    void *opaque;
    const char *program;
};
/* Takes over `under`, destroys it in the end. */
struct mux *mux_create(struct chardev *under, const struct mux_actions *actions);
void mux_start(struct mux *mux);
void mux_destroy(struct mux *mux);
/* A new user's end; the first is in front. The mux owns it. NULL when there are too many. */
struct chardev *mux_add(struct mux *mux, const char *name);

#endif
