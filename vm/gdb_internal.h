/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stub's inside: gdb.c has the connection, gdb_commands.c what packets do. */
#ifndef CALQUE_VM_GDB_INTERNAL_H
#define CALQUE_VM_GDB_INTERNAL_H

#include "vm/gdb.h"
#include "vm/gdb_packet.h"
#include "vm/gdb_target.h"

enum { GDB_POINTS = 256 + MAX_WATCHES, GDB_INPUT_BYTES = 4096 };

/* As in the packets Z and z. */
enum gdb_point_type {
    POINT_SOFTWARE,
    POINT_HARDWARE,
    POINT_WRITE,
    POINT_READ,
    POINT_ACCESS,
    N_POINT_TYPES
};
struct gdb_point {
    enum gdb_point_type type;
    uint64_t address, length;
};

struct gdb {
    struct vm *vm;
    struct vcpu *cpu;
    struct event_loop *loop;
    struct gdb_target *target;
    int listen_fd, fd; /* fd -1: nobody is connected */
    struct watch listen_watch, watch;
    char path[GDB_PATH_BYTES];
    const char *removed; /* the socket's name in the file system; NULL: none */
    bool opened;         /* since gdb_run last looked */
    bool closed;

    uint8_t input[GDB_INPUT_BYTES]; /* not yet looked at */
    unsigned n_input;
    struct gdb_receiver receiver;
    struct gdb_reply reply;
    uint8_t frame[GDB_FRAME_MAX]; /* the last one sent, for when it did not arrive */
    size_t frame_size;
    uint8_t *output; /* not yet sent */
    size_t n_output, output_size;

    bool no_ack;
    bool awaiting;          /* gdb waits for the guest to stop */
    bool tells_breakpoints; /* gdb understands swbreak and hwbreak */
    bool physical;          /* addresses are physical ones */
    unsigned n_points;
    struct gdb_point points[GDB_POINTS];
};

/* gdb.c. Sends gdb->reply and clears it. */
void gdb_send(struct gdb *gdb);

/* gdb_commands.c. Acts on receiver.data, and answers. */
void gdb_command(struct gdb *gdb);
void gdb_remove_points(struct gdb *gdb);
/* The guest, which gdb waits for, has stopped. */
void gdb_tell_stop(struct gdb *gdb);

#endif
