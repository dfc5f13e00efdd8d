/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of character stream that `-serial`, `-monitor` and `-chardev` can name: each is one .c
 * file that registers itself. And the multiplexer that lets several users share one stream.
 *
 * `-serial KIND:ARGUMENT,KEY=VALUE...` and `-chardev KIND,KEY=VALUE,...` come to the same, a list
 * of keys and values; a comma within a value is written twice.
 *
 * Threading: created and destroyed on the I/O thread.
 */
#ifndef CALQUE_HOST_CHARDEV_KINDS_H
#define CALQUE_HOST_CHARDEV_KINDS_H

#include "host/chardev.h"
#include "host/event_loop.h"
#include "util/registry.h"

enum { CHARDEV_PROPS = 24 };

struct chardev_prop {
    const char *key, *value;
};

/* What a stream is asked to be. */
struct chardev_spec {
    const struct chardev_kind *kind;
    char *what; /* "-serial tcp:localhost:4444": how messages start */
    char *text; /* where the values lie */
    struct chardev_prop prop[CHARDEV_PROPS];
    unsigned n_props;
};

/* How `-serial` and its like say it. */
struct chardev_spec *chardev_spec_parse(const char *option, const char *text, struct error *err);
/* The argument of `-chardev`; id= must be there. */
struct chardev_spec *chardev_spec_parse_long(const char *text, struct error *err);
void chardev_spec_destroy(struct chardev_spec *spec);
/* NULL: not given. */
const char *chardev_spec_string(const struct chardev_spec *spec, const char *key);
bool chardev_spec_switch(const struct chardev_spec *spec, const char *key, bool otherwise);
uint64_t chardev_spec_number(const struct chardev_spec *spec, const char *key, uint64_t otherwise);
/* For short forms: false when there are too many. Key and value must stay. */
bool chardev_spec_add(struct chardev_spec *spec, const char *key, const char *value);

struct screens;
struct chardev_context {
    struct event_loop *loop;
    const char *program; /* for what is said to the user */
    bool keys_signal;    /* stdio: Ctrl-C is calque's, not the guest's */
    /* All of these may be NULL. What a stream will do when the guest runs and the sandbox would
     * refuse: take connections, make connections, remove a file (as sandbox_removable). */
    void (*will_accept)(void *opaque);
    void (*will_connect)(void *opaque);
    const char *(*will_remove)(void *opaque, const char *path);
    /* Has the guest stand still, or go on, for a reader's sake. Device lock held. */
    void (*hold)(void *opaque, bool hold);
    void *opaque;
    struct screens *consoles; /* where the screens of text consoles go; NULL: nothing shows them */
    const char *label;        /* what such a screen is called */
};

enum chardev_key_type { CHARDEV_TEXT, CHARDEV_SWITCH, CHARDEV_NUMBER };
struct chardev_key {
    const char *name;
    enum chardev_key_type type;
};

struct chardev_kind {
    const char *name;     /* stdio, file, pty, null */
    const char *argument; /* "FILE": needs name:FILE; "[FILE]": may have it; NULL: takes none */
    const char *help;
    bool only_short, only_long; /* not for -chardev; only for -chardev */
    const struct chardev_key *keys;
    /* Splits what follows the colon, up to the first comma, which may be changed; the rest are keys
     * and values. NULL: it is the path, commas included. */
    bool (*short_form)(struct chardev_spec *spec, char *argument, struct error *err);
    struct chardev *(*create)(const struct chardev_context *context,
                              const struct chardev_spec *spec, struct error *err);
};
REGISTRY_DECLARE(chardev_kind);

/* Takes the spec over, also when it fails. Nothing is read, and nothing that was there before is
 * changed, until chardev_start. */
struct chardev *chardev_open(const struct chardev_context *context, struct chardev_spec *spec,
                             struct error *err);
/* "stdio", "file:PATH"...; an unknown kind fails, naming the nearest. option: "-serial". */
struct chardev *chardev_create(const struct chardev_context *context, const char *option,
                               const char *what, struct error *err);
void chardev_destroy(struct chardev *c);

/* One stream for several users: keys go to the one in front, output of all is shown. */
struct mux;
struct mux_actions {
    void (*quit)(void *opaque); /* Ctrl-a x */
    void (*save)(void *opaque); /* Ctrl-a s; says itself what it did */
    void *opaque;
    uint8_t escape_key; /* 0: Ctrl-a */
};
/* Takes over `under`, destroys it in the end. */
struct mux *mux_create(struct chardev *under, const struct mux_actions *actions);
void mux_destroy(struct mux *mux);
/* A new user's end; the first is in front. The mux owns it. NULL when there are too many. */
struct chardev *mux_add(struct mux *mux);

#endif
