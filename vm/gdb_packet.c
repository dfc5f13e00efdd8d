/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Framing, checksums, escapes and numbers of gdb's remote serial protocol. */
#include "vm/gdb_packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CONTROL_C = 3, ESCAPE_XOR = 0x20 };
static const char digits[] = "0123456789abcdef";

int gdb_digit(int character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* ---- in -------------------------------------------------------------------------------------- */

static void begin(struct gdb_receiver *r)
{
    r->state = GDB_DATA;
    r->length = 0;
    r->sum = 0;
    r->too_long = false;
}

static void keep(struct gdb_receiver *r, uint8_t byte)
{
    if (r->length < GDB_PACKET_MAX)
        r->data[r->length++] = byte;
    else
        r->too_long = true;
}

static enum gdb_input outside(struct gdb_receiver *r, uint8_t byte)
{
    switch (byte) {
    case '$':
        begin(r);
        return GDB_NOTHING;
    case '+':
        return GDB_ACK;
    case '-':
        return GDB_NAK;
    case CONTROL_C:
        return GDB_INTERRUPT;
    default:
        return GDB_NOTHING;
    }
}

static enum gdb_input inside(struct gdb_receiver *r, uint8_t byte)
{
    if (byte == '#') {
        /* An escape that escapes nothing is kept in the sum only. */
        r->state = GDB_SUM_HIGH;
        return GDB_NOTHING;
    }
    r->sum = (uint8_t)(r->sum + byte);
    if (r->state == GDB_ESCAPED) {
        keep(r, byte ^ ESCAPE_XOR);
        r->state = GDB_DATA;
    } else if (byte == '}') {
        r->state = GDB_ESCAPED;
    } else {
        keep(r, byte);
    }
    return GDB_NOTHING;
}

static enum gdb_input in_sum(struct gdb_receiver *r, uint8_t byte)
{
    int digit = gdb_digit(byte);

    if (digit < 0) {
        r->state = GDB_IDLE;
        return GDB_BAD;
    }
    if (r->state == GDB_SUM_HIGH) {
        r->sent_sum = (uint8_t)(digit << 4);
        r->state = GDB_SUM_LOW;
        return GDB_NOTHING;
    }
    r->state = GDB_IDLE;
    r->data[r->length] = 0;
    if ((r->sent_sum | digit) != r->sum)
        return GDB_BAD;
    return r->too_long ? GDB_TOO_LONG : GDB_PACKET;
}

enum gdb_input gdb_receive(struct gdb_receiver *r, uint8_t byte)
{
    bool cut_off = r->state == GDB_SUM_HIGH || r->state == GDB_SUM_LOW;

    if (r->state == GDB_IDLE)
        return outside(r, byte);
    if (byte == '$') {
        begin(r);
        return cut_off ? GDB_BAD : GDB_NOTHING;
    }
    return cut_off ? in_sum(r, byte) : inside(r, byte);
}

/* ---- out ------------------------------------------------------------------------------------- */

void gdb_reply_clear(struct gdb_reply *reply)
{
    reply->length = 0;
    reply->overflow = false;
}

void gdb_reply_text(struct gdb_reply *reply, const char *format, ...)
{
    char text[256];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof(text) ||
        (unsigned)length > GDB_PACKET_MAX - reply->length) {
        reply->overflow = true;
        return;
    }
    memcpy(reply->data + reply->length, text, (size_t)length);
    reply->length += (unsigned)length;
}

void gdb_reply_hex(struct gdb_reply *reply, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        if (reply->length > GDB_PACKET_MAX - 2) {
            reply->overflow = true;
            return;
        }
        reply->data[reply->length++] = digits[byte[i] >> 4];
        reply->data[reply->length++] = digits[byte[i] & 15];
    }
}

size_t gdb_reply_binary(struct gdb_reply *reply, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        if (reply->length > GDB_PACKET_MAX - 2)
            return i;
        if (byte[i] && strchr("#$}*", byte[i])) {
            reply->data[reply->length++] = '}';
            reply->data[reply->length++] = (char)(byte[i] ^ ESCAPE_XOR);
        } else {
            reply->data[reply->length++] = (char)byte[i];
        }
    }
    return size;
}

size_t gdb_frame(const struct gdb_reply *reply, uint8_t frame[GDB_FRAME_MAX])
{
    uint8_t *end = frame, sum = 0;

    *end++ = '$';
    for (unsigned i = 0; i < reply->length; i++) {
        *end++ = (uint8_t)reply->data[i];
        sum = (uint8_t)(sum + (uint8_t)reply->data[i]);
    }
    *end++ = '#';
    *end++ = (uint8_t)digits[sum >> 4];
    *end++ = (uint8_t)digits[sum & 15];
    return (size_t)(end - frame);
}

/* ---- numbers --------------------------------------------------------------------------------- */

bool gdb_parse_bytes(const char *text, void *bytes, size_t size)
{
    uint8_t *byte = bytes;

    for (size_t i = 0; i < size; i++) {
        int high = gdb_digit(text[2 * i]);
        int low = high < 0 ? -1 : gdb_digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        byte[i] = (uint8_t)(high << 4 | low);
    }
    return !text[2 * size];
}

bool gdb_parse_number(const char **text, uint64_t *value)
{
    const char *at = *text;

    *value = 0;
    for (; gdb_digit(*at) >= 0; at++) {
        if (*value >> 60)
            return false;
        *value = *value << 4 | (unsigned)gdb_digit(*at);
    }
    if (at == *text)
        return false;
    *text = at;
    return true;
}
