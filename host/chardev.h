/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A character stream to the host (`-serial`): terminal, file, pty, socket, nothing. The device
 * writes; what arrives is handed to the device's client callbacks.
 *
 * What is written, and a peer that does not read:
 * - stdio and file lose nothing. When the other side of a pipe does not read, the guest stands
 *   still until it does. The monitor goes on; only its own output waits there, too, once it is more
 *   than 256 KiB.
 * - pty, pipe, sockets and host devices drop what is written while nobody is there to read. To a
 *   peer that is slow, up to 256 KiB wait; when that is full the guest waits for the peer, but no
 *   longer than a second, all in all, until half of it has been read. Then what does not fit is
 *   dropped. So a slow reader gets everything, and one that has stopped holds the guest up once.
 *
 * Threading: chardev_write may be called from any thread holding the device lock. Client callbacks
 * run on the I/O thread with the device lock held.
 */
#ifndef CALQUE_HOST_CHARDEV_H
#define CALQUE_HOST_CHARDEV_H

#include "util/compiler.h"
#include "util/error.h"

enum chardev_event {
    CHARDEV_BREAK,
    CHARDEV_OPENED, /* somebody has connected */
    CHARDEV_CLOSED, /* nobody is there any more; what was typed before has been delivered */
    CHARDEV_FRONT,  /* keys come to this user of a shared stream from now on */
    CHARDEV_BACK,   /* they go to another one */
};

struct chardev_client {
    unsigned (*can_receive)(void *opaque); /* bytes it will take now */
    void (*receive)(void *opaque, const uint8_t *data, unsigned size);
    void (*event)(void *opaque, enum chardev_event event); /* may be NULL */
};

struct chardev_spec;

struct chardev {
    const struct chardev_ops *ops;
    const struct chardev_client *client;
    void *client_opaque;
    void *state;
    struct chardev_spec *spec; /* what it was made from, owned; NULL: part of something */
    struct chardev *log;       /* gets a copy of what is written; NULL: none */
};

struct chardev_ops {
    const char *name;
    void (*write)(struct chardev *c, const uint8_t *data, unsigned size);
    /* The client can take more now: try to deliver what waits. */
    void (*accept_input)(struct chardev *c);
    void (*destroy)(struct chardev *c);
    /* The machine stands and is about to run: only now is anything changed on the host (a terminal
     * made raw, a file emptied). May be NULL. */
    void (*start)(struct chardev *c);
    /* Where it leads, in QEMU's words: "tcp:127.0.0.1:4444,server=on". NULL: the name. */
    void (*describe)(const struct chardev *c, char *text, size_t size);
    /* Is the guest not to start before somebody has connected? NULL: no. */
    bool (*awaits_peer)(const struct chardev *c);
    /* Do keys come to this user of a shared stream? NULL: nobody shares it. */
    bool (*in_front)(const struct chardev *c);
};

void chardev_connect(struct chardev *c, const struct chardev_client *client, void *opaque);
/* c may be NULL: nothing attached, output vanishes. */
void chardev_write(struct chardev *c, const uint8_t *data, unsigned size);
void chardev_accept_input(struct chardev *c);
void chardev_start(struct chardev *c);
void chardev_describe(const struct chardev *c, char *text, size_t size);
bool chardev_awaits_peer(const struct chardev *c);
bool chardev_in_front(const struct chardev *c);

/* For the streams themselves: how much the client takes, and telling it. */
unsigned chardev_client_room(const struct chardev *c);
void chardev_client_receive(const struct chardev *c, const uint8_t *data, unsigned size);
/* Hands over what waits, as far as there is room, and closes the gap. */
void chardev_client_deliver(const struct chardev *c, uint8_t *waiting, unsigned *n_waiting);
void chardev_client_event(const struct chardev *c, enum chardev_event event);

#endif
