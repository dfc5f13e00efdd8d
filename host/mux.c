/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The multiplexer: console and monitor on one stream, and the Ctrl-a keys. Keys typed for a user
 * who has no room wait here, so that the Ctrl-a keys work while the guest listens to nothing.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev.h"
#include "host/chardev_kinds.h"
#include "util/monotonic.h"

enum { MUX_USERS = 4, MUX_WAITING = 4096, CTRL_A = 0x01 };

struct mux_user {
    struct chardev chardev;
    struct mux *mux;
    uint8_t waiting[MUX_WAITING];
    unsigned n_waiting;
};

struct mux {
    struct chardev *under;
    struct mux_actions actions;
    struct mux_user users[MUX_USERS];
    unsigned n_users, front;
    uint8_t escape_key;
    bool escaped; /* it was the last key */
    bool timestamps, at_line_start;
    int64_t started_ns;
};

static void say(struct mux *mux, const char *text)
{
    chardev_write(mux->under, (const uint8_t *)text, (unsigned)strlen(text));
}

/* ---- output ------------------------------------------------------------------------------------
 */

static void write_timestamp(struct mux *mux)
{
    int64_t ms = (monotonic_ns() - mux->started_ns) / 1000000;
    char text[32];

    snprintf(text, sizeof(text), "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000 % 100),
             (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    say(mux, text);
}

static void user_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct mux *mux = ((struct mux_user *)c->state)->mux;

    if (!mux->timestamps) {
        chardev_write(mux->under, data, size);
        return;
    }
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        unsigned line = end ? (unsigned)(end - data) + 1 : size;
        if (mux->at_line_start)
            write_timestamp(mux);
        chardev_write(mux->under, data, line);
        mux->at_line_start = end != NULL;
        data += line;
        size -= line;
    }
}

/* ---- input -------------------------------------------------------------------------------------
 */

static void user_deliver(struct mux_user *user)
{
    chardev_client_deliver(&user->chardev, user->waiting, &user->n_waiting);
}

/* Called on whatever thread made room, with the device lock held, like all delivery here. */
static void user_accept_input(struct chardev *c)
{
    struct mux_user *user = c->state;

    user_deliver(user);
    chardev_accept_input(user->mux->under);
}

static void user_key(struct mux_user *user, uint8_t key)
{
    if (user->n_waiting < MUX_WAITING)
        user->waiting[user->n_waiting++] = key;
}

/* "Ctrl-a" */
static void key_name(uint8_t key, char *name, size_t size)
{
    if (key < ' ')
        snprintf(name, size, "Ctrl-%c", key + (key <= 26 ? 'a' - 1 : '@'));
    else
        snprintf(name, size, "%c", key);
}

static void print_keys(struct mux *mux)
{
    static const struct {
        const char *keys, *meaning;
    } list[] = {{"h, ?", "this list"},
                {"x", "end the emulator"},
                {"c", "switch between console and monitor"},
                {"s", "save changed disk data (with -snapshot)"},
                {"t", "time stamps on output lines, on or off"},
                {"b", "send a break (magic SysRq)"}};
    char name[16], text[96], left[32];

    key_name(mux->escape_key, name, sizeof(name));
    say(mux, "\r\n");
    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        snprintf(left, sizeof(left), "%s %s", name, list[i].keys);
        snprintf(text, sizeof(text), "%-14s %s\r\n", left, list[i].meaning);
        say(mux, text);
    }
    snprintf(left, sizeof(left), "%s %s", name, name);
    snprintf(text, sizeof(text), "%-14s send a %s\r\n", left, name);
    say(mux, text);
}

static void switch_front(struct mux *mux)
{
    if (mux->n_users < 2) {
        say(mux, "\r\nthere is nothing to switch to\r\n");
        return;
    }
    chardev_client_event(&mux->users[mux->front].chardev, CHARDEV_BACK);
    mux->front = (mux->front + 1) % mux->n_users;
    chardev_client_event(&mux->users[mux->front].chardev, CHARDEV_FRONT);
}

static void escape_key(struct mux *mux, uint8_t key)
{
    if (key == mux->escape_key) {
        user_key(&mux->users[mux->front], key);
        return;
    }
    switch (key) {
    case 'h':
    case '?':
        print_keys(mux);
        break;
    case 'x':
        mux->actions.quit(mux->actions.opaque);
        break;
    case 's':
        mux->actions.save(mux->actions.opaque);
        break;
    case 't':
        mux->timestamps = !mux->timestamps;
        mux->at_line_start = false;
        break;
    case 'b':
        chardev_client_event(&mux->users[mux->front].chardev, CHARDEV_BREAK);
        break;
    case 'c':
        switch_front(mux);
        break;
    default:
        break;
    }
}

/* Room for the keys themselves; what the user cannot take yet waits here. */
static unsigned mux_can_receive(void *opaque)
{
    struct mux *mux = opaque;

    return mux->n_users ? MUX_WAITING - mux->users[mux->front].n_waiting : 0;
}

static void mux_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct mux *mux = opaque;

    for (unsigned i = 0; i < size; i++) {
        if (mux->escaped) {
            mux->escaped = false;
            escape_key(mux, data[i]);
        } else if (data[i] == mux->escape_key) {
            mux->escaped = true;
        } else {
            user_key(&mux->users[mux->front], data[i]);
            /* At once: the key may switch what the next one means. */
            if (mux->users[mux->front].n_waiting == 1 || i + 1 == size)
                user_deliver(&mux->users[mux->front]);
        }
    }
    if (mux->n_users)
        user_deliver(&mux->users[mux->front]);
}

/* Of the stream itself: who comes and goes concerns all, a break the one in front. */
static void mux_event(void *opaque, enum chardev_event event)
{
    struct mux *mux = opaque;

    mux->escaped = false;
    for (unsigned i = 0; i < mux->n_users; i++) {
        if (event != CHARDEV_BREAK || i == mux->front)
            chardev_client_event(&mux->users[i].chardev, event);
    }
}

static const struct chardev_client mux_client = {mux_can_receive, mux_receive, mux_event};

/* ---- life --------------------------------------------------------------------------------------
 */

static bool user_in_front(const struct chardev *c)
{
    const struct mux_user *user = c->state;

    return user == &user->mux->users[user->mux->front];
}

static void user_destroy(struct chardev *c)
{
    /* Part of the mux. */
}

static const struct chardev_ops user_ops = {.name = "mux",
                                            .write = user_write,
                                            .accept_input = user_accept_input,
                                            .destroy = user_destroy,
                                            .in_front = user_in_front};

struct mux *mux_create(struct chardev *under, const struct mux_actions *actions)
{
    struct mux *mux = calloc(1, sizeof(*mux));

    if (!mux)
        return NULL;
    mux->under = under;
    mux->actions = *actions;
    mux->escape_key = actions->escape_key ? actions->escape_key : CTRL_A;
    mux->started_ns = monotonic_ns();
    return mux;
}

struct chardev *mux_add(struct mux *mux)
{
    struct mux_user *user;

    if (mux->n_users == MUX_USERS)
        return NULL;
    user = &mux->users[mux->n_users];
    *user = (struct mux_user){.chardev = {.ops = &user_ops, .state = user}, .mux = mux};
    if (mux->n_users++ == 0)
        chardev_connect(mux->under, &mux_client, mux);
    return &user->chardev;
}

void mux_destroy(struct mux *mux)
{
    if (!mux)
        return;
    chardev_destroy(mux->under);
    free(mux);
}
