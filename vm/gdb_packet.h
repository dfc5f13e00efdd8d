/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of gdb's remote serial protocol (its manual, appendix E): $data#checksum, with `}`
 * before bytes that are not to be taken for framing. Bytes in, packets out; texts in, packets out.
 * Nothing here grows with what comes in.
 *
 * Threading: none of its own.
 */
#ifndef CALQUE_VM_GDB_PACKET_H
#define CALQUE_VM_GDB_PACKET_H

#include <stddef.h>

#include "util/compiler.h"

enum { GDB_PACKET_MAX = 16384 }; /* bytes between $ and # */

enum gdb_input {
    GDB_NOTHING,   /* so far, or bytes that are none of the protocol's */
    GDB_PACKET,    /* receiver.data, which is ended by a 0 */
    GDB_BAD,       /* a packet with a wrong checksum */
    GDB_TOO_LONG,  /* a right one, of which only the beginning has been kept */
    GDB_INTERRUPT, /* Ctrl-C */
    GDB_ACK,
    GDB_NAK,
};

struct gdb_receiver {
    enum { GDB_IDLE, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    unsigned length;
    bool too_long;
    uint8_t sum, sent_sum;
    uint8_t data[GDB_PACKET_MAX + 1];
};

/* A zeroed receiver is ready. `$` begins a packet wherever it comes. */
enum gdb_input gdb_receive(struct gdb_receiver *receiver, uint8_t byte);

/* What is going to be a packet's data. What does not fit is left out, and `overflow` set. */
struct gdb_reply {
    unsigned length;
    bool overflow;
    char data[GDB_PACKET_MAX];
};

void gdb_reply_clear(struct gdb_reply *reply);
void gdb_reply_text(struct gdb_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gdb_reply_hex(struct gdb_reply *reply, const void *bytes, size_t size); /* two digits a byte */
/* As it is, with escapes; returns how many of the bytes there was room for. */
size_t gdb_reply_binary(struct gdb_reply *reply, const void *bytes, size_t size);

enum { GDB_FRAME_MAX = GDB_PACKET_MAX + 4 };
/* The packet as it goes over the line; returns its size. */
size_t gdb_frame(const struct gdb_reply *reply, uint8_t frame[GDB_FRAME_MAX]);

/* -1: no hexadecimal digit. */
int gdb_digit(int character);
/* Hexadecimal bytes to memory: exactly `size` of them, else false. */
bool gdb_parse_bytes(const char *text, void *bytes, size_t size);
/* A hexadecimal number of at most 16 digits; moves *text behind it. */
bool gdb_parse_number(const char **text, uint64_t *value);

#endif
