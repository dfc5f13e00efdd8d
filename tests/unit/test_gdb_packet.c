/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets of gdb's remote protocol: framing, checksums, escapes, cut-off ones, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/gdb_packet.h"

static struct gdb_receiver receiver;
static struct gdb_reply reply;
static uint8_t frame[GDB_FRAME_MAX];

/* A letter for each thing that comes out: Packet, Bad, Long, Interrupt, +, -. */
static const char *feed(const char *bytes, size_t size)
{
    static const char letters[] = {
        [GDB_PACKET] = 'P',    [GDB_BAD] = 'B', [GDB_TOO_LONG] = 'L',
        [GDB_INTERRUPT] = 'I', [GDB_ACK] = '+', [GDB_NAK] = '-',
    };
    static char seen[64];
    unsigned n = 0;

    for (size_t i = 0; i < size; i++) {
        enum gdb_input input = gdb_receive(&receiver, (uint8_t)bytes[i]);

        if (input != GDB_NOTHING)
            seen[n++] = letters[input];
        assert_true(n < sizeof(seen));
    }
    seen[n] = 0;
    return seen;
}

static void expect(const char *bytes, const char *wanted, const char *data)
{
    memset(&receiver, 0, sizeof(receiver));
    assert_string_equal(feed(bytes, strlen(bytes)), wanted);
    if (data)
        assert_string_equal(receiver.data, data);
}

static void test_framing(void **state)
{
    expect("$?#3f", "P", "?");
    expect("$#00", "P", "");
    expect("$g#67$?#3F", "PP", "?");
    expect("+$g#67-", "+P-", "g");
    expect("\x03", "I", NULL);
    expect("noise\n\xff$?#3f", "P", "?");
    expect("$?#3e$?#3f", "BP", "?");
    expect("$?#", "", NULL);
}

/* What is cut off, by whatever, is forgotten at the next `$`. */
static void test_resynchronisation(void **state)
{
    expect("$m0,$?#3f", "P", "?");
    expect("$?#$?#3f", "BP", "?");
    expect("$?#3$?#3f", "BP", "?");
    expect("$?#xx$?#3f", "BP", "?");
    expect("$}$?#3f", "P", "?");
    expect("$a\x03z#de", "P", "a\x03z"); /* data, not Ctrl-C */
}

static void test_escapes(void **state)
{
    expect("$X}\x03}\x04}]}\x0a#4b", "B", NULL);
    expect("$X}\x03#d8", "P", "X#");
    expect("$}#7d", "P", "");
}

static void test_bounds(void **state)
{
    static char flood[GDB_PACKET_MAX + 100];
    unsigned sum = 0;
    char end[8];

    memset(&receiver, 0, sizeof(receiver));
    for (unsigned size = GDB_PACKET_MAX; size <= GDB_PACKET_MAX + 1; size++) {
        memset(flood, 'a', size);
        sum = 'a' * size & 0xff;
        assert_string_equal(feed("$", 1), "");
        assert_string_equal(feed(flood, size), "");
        snprintf(end, sizeof(end), "#%02x", sum);
        assert_string_equal(feed(end, 3), size > GDB_PACKET_MAX ? "L" : "P");
        assert_int_equal(receiver.length, GDB_PACKET_MAX);
    }
    /* Without an end, for long. */
    assert_string_equal(feed("$", 1), "");
    for (unsigned i = 0; i < 1000; i++)
        assert_string_equal(feed(flood, sizeof(flood)), "");
    assert_string_equal(feed("$?#3f", 5), "P");
}

static void test_replies(void **state)
{
    const uint8_t bytes[] = {0x00, 0x7f, 0xa5, '#', '$', '}', '*', 'x'};

    gdb_reply_clear(&reply);
    gdb_reply_text(&reply, "T%02x", 5);
    gdb_reply_hex(&reply, bytes, 3);
    assert_int_equal(gdb_frame(&reply, frame), 13);
    assert_memory_equal(frame, "$T05007fa5#4c", 13);
    gdb_reply_clear(&reply);
    assert_int_equal(gdb_reply_binary(&reply, bytes, sizeof(bytes)), sizeof(bytes));
    assert_int_equal(reply.length, 12);
    assert_memory_equal(reply.data, "\0\x7f\xa5}\x03}\x04}]}\nx", 12);
    gdb_reply_clear(&reply);
    assert_int_equal(gdb_frame(&reply, frame), 4);
    assert_memory_equal(frame, "$#00", 4);
}

/* What goes out comes in again. */
static void test_round_trip(void **state)
{
    uint8_t bytes[256];
    size_t size;

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    gdb_reply_clear(&reply);
    gdb_reply_binary(&reply, bytes, sizeof(bytes));
    size = gdb_frame(&reply, frame);
    memset(&receiver, 0, sizeof(receiver));
    assert_string_equal(feed((const char *)frame, size), "P");
    assert_int_equal(receiver.length, sizeof(bytes));
    assert_memory_equal(receiver.data, bytes, sizeof(bytes));
}

static void test_full_reply(void **state)
{
    static uint8_t much[2 * GDB_PACKET_MAX];

    memset(much, '#', sizeof(much));
    gdb_reply_clear(&reply);
    assert_int_equal(gdb_reply_binary(&reply, much, sizeof(much)), GDB_PACKET_MAX / 2);
    assert_false(reply.overflow);
    gdb_reply_text(&reply, "x");
    gdb_reply_hex(&reply, much, 1);
    assert_true(reply.overflow);
    assert_int_equal(reply.length, GDB_PACKET_MAX);
    assert_int_equal(gdb_frame(&reply, frame), GDB_FRAME_MAX);
    gdb_reply_clear(&reply);
    gdb_reply_hex(&reply, much, sizeof(much));
    assert_true(reply.overflow);
    assert_int_equal(reply.length, GDB_PACKET_MAX);
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool valid;
        uint64_t value;
        char behind;
    } cases[] = {
        {"0", true, 0, 0},
        {"fF,", true, 0xff, ','},
        {"0000000000000000000000012:", true, 0x12, ':'},
        {"ffffffffffffffff", true, UINT64_MAX, 0},
        {"10000000000000000", false, 0, 0},
        {"", false, 0, 0},
        {",1", false, 0, 0},
        {"-1", false, 0, 0},
    };
    uint8_t bytes[4];

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        uint64_t value;

        assert_int_equal(gdb_parse_number(&text, &value), cases[i].valid);
        if (cases[i].valid) {
            assert_int_equal(value, cases[i].value);
            assert_int_equal(*text, cases[i].behind);
        }
    }
    assert_true(gdb_parse_bytes("00fFa5", bytes, 3));
    assert_memory_equal(bytes, "\0\xff\xa5", 3);
    assert_true(gdb_parse_bytes("", bytes, 0));
    assert_false(gdb_parse_bytes("00", bytes, 2));
    assert_false(gdb_parse_bytes("000", bytes, 1));
    assert_false(gdb_parse_bytes("0", bytes, 1));
    assert_false(gdb_parse_bytes("0g", bytes, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),    cmocka_unit_test(test_resynchronisation),
        cmocka_unit_test(test_escapes),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_replies),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_full_reply), cmocka_unit_test(test_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
