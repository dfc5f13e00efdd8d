/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A character stream to the host (`-serial`): terminal, file, pty, nothing. The device writes; what
 * arrives is handed to the device's client callbacks.
 *
 * Threading: chardev_write may be called from any thread holding the device lock. Client callbacks
 * run on the I/O thread with the device lock held. Output is never lost: a full pipe blocks or is
 * buffered by the chardev.
 */
#ifndef CALQUE_HOST_CHARDEV_H
#define CALQUE_HOST_CHARDEV_H

#include "util/compiler.h"
#include "util/error.h"

enum chardev_event { CHARDEV_BREAK, CHARDEV_OPENED, CHARDEV_CLOSED };

struct chardev_client {
    unsigned (*can_receive)(void *opaque); /* bytes it will take now */
    void (*receive)(void *opaque, const uint8_t *data, unsigned size);
    void (*event)(void *opaque, enum chardev_event event); /* may be NULL */
};

struct chardev {
    const struct chardev_ops *ops;
    const struct chardev_client *client;
    void *client_opaque;
    void *state;
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
};

void chardev_connect(struct chardev *c, const struct chardev_client *client, void *opaque);
/* c may be NULL: nothing attached, output vanishes. */
void chardev_write(struct chardev *c, const uint8_t *data, unsigned size);
void chardev_accept_input(struct chardev *c);
void chardev_start(struct chardev *c);

#endif
