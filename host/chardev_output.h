/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a stream writes to a descriptor. Guests write a character at a time: a line goes out at its
 * end, or when nothing more has come for a moment, by one system call. And what becomes of it when
 * the other side does not read (host/chardev.h says which streams wait and which drop).
 *
 * Threading: with the device lock held. The watch's `due` calls chardev_output_flush, its
 * `writable` chardev_output_writable.
 */
#ifndef CALQUE_HOST_CHARDEV_OUTPUT_H
#define CALQUE_HOST_CHARDEV_OUTPUT_H

#include "host/event_loop.h"

enum { CHARDEV_LINE_BYTES = 1024, CHARDEV_WAITING_BYTES = 256 * 1024 };

struct chardev_output {
    const char *name; /* of the stream, for the log */
    struct event_loop *loop;
    struct watch *watch;
    int fd;        /* -1: what is written is dropped */
    bool lossless; /* waits for as long as it takes, a second once calque ends; the others'
                      descriptors do not block */
    bool is_pty;   /* may be open on our side only */
    /* Of a lossless one: has the guest stand still while something waits. May be NULL. */
    void (*hold)(void *opaque, bool hold);
    void *hold_opaque;
    bool holds;
    bool failed; /* cannot be written any more */
    bool said;   /* that something is lost */
    uint8_t line[CHARDEV_LINE_BYTES];
    unsigned n_line;
    uint8_t *waiting; /* for the other side to read; allocated when first needed */
    unsigned n_waiting;
    int64_t patience_ns; /* how long the guest may still be held up */
};

void chardev_output_init(struct chardev_output *output, const char *name, struct event_loop *loop,
                         struct watch *watch, int fd);
/* Writes what it can without waiting; lossless ones all. */
void chardev_output_finish(struct chardev_output *output);
/* From now on to this descriptor; nothing of what was for the one before. */
void chardev_output_switch(struct chardev_output *output, int fd);
void chardev_output_write(struct chardev_output *output, const uint8_t *data, unsigned size);
void chardev_output_flush(struct chardev_output *output);
void chardev_output_writable(struct chardev_output *output);
bool chardev_output_is_empty(const struct chardev_output *output);

#endif
