/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550A UART (National Semiconductor TL/C/8652). */
#include "bus.h"

enum { MS = 1000000 };
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR };
enum {
    RDA = 1,
    THRE = 2,
    RLS = 4,
    MS_CHANGE = 8,
    OUT2 = 8,
    LOOP = 0x10,
    DLAB = 0x80,
};

static void out(struct test_bus *bus, unsigned offset, uint8_t value)
{
    test_port_write(bus, offset, value, 1);
}

static uint8_t in(struct test_bus *bus, unsigned offset)
{
    return (uint8_t)test_port_read(bus, offset, 1);
}

static struct test_bus *create(void)
{
    return test_bus_create("ns16550", NULL, NULL, true);
}

static void type(struct test_bus *bus, const char *text)
{
    bus->chardev.client->receive(bus->chardev.client_opaque, (const uint8_t *)text,
                                 (unsigned)strlen(text));
}

/* Table I: reset. */
static void test_reset(void **state)
{
    struct test_bus *bus = create();

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(in(bus, IER), 0);
        assert_int_equal(in(bus, IIR), 1);
        assert_int_equal(in(bus, LCR), 0);
        assert_int_equal(in(bus, LSR), 0x60);
        assert_int_equal(in(bus, MSR) & 0x0f, 0);
        assert_false(bus->line[0]);
        out(bus, IER, 0x0f);
        out(bus, FCR, 0xc1);
        out(bus, LCR, 0x1b);
        out(bus, MCR, 0x0f);
        type(bus, "left over");
        device_reset(bus->device);
    }
    out(bus, SCR, 0x5a);
    assert_int_equal(in(bus, SCR), 0x5a);
    test_bus_destroy(bus);
}

static void test_divisor(void **state)
{
    struct test_bus *bus = create();

    out(bus, LCR, DLAB | 3);
    out(bus, 0, 0x34);
    out(bus, 1, 0x12);
    assert_int_equal(in(bus, 0), 0x34);
    assert_int_equal(in(bus, 1), 0x12);
    out(bus, LCR, 3);
    assert_int_equal(in(bus, IER), 0); /* the latch lay over it */
    assert_int_equal(bus->n_sent, 0);
    test_bus_destroy(bus);
}

static void test_transmit(void **state)
{
    struct test_bus *bus = create();

    out(bus, DATA, 'A');
    assert_int_equal(bus->n_sent, 1);
    assert_int_equal(bus->sent[0], 'A');
    assert_int_equal(in(bus, LSR), 0x60);
    out(bus, MCR, OUT2);
    assert_false(bus->line[0]);
    out(bus, IER, THRE); /* empty, and enabled */
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, IIR), 2);
    assert_false(bus->line[0]); /* reading its cause ends it */
    assert_int_equal(in(bus, IIR), 1);
    out(bus, DATA, 'B');
    assert_true(bus->line[0]);
    out(bus, MCR, 0); /* OUT2 gates the line on the PC */
    assert_false(bus->line[0]);
    out(bus, MCR, OUT2);
    assert_true(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_receive_without_fifo(void **state)
{
    struct test_bus *bus = create();
    const struct chardev_client *client = bus->chardev.client;

    out(bus, MCR, OUT2);
    out(bus, IER, RDA);
    assert_int_equal(client->can_receive(bus->chardev.client_opaque), 1);
    type(bus, "x");
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, IIR), 4);
    assert_int_equal(in(bus, LSR), 0x61);
    assert_int_equal(client->can_receive(bus->chardev.client_opaque), 0);
    type(bus, "y"); /* overruns, and replaces */
    assert_int_equal(in(bus, LSR), 0x63);
    unsigned accepts = bus->accepts;
    assert_int_equal(in(bus, DATA), 'y');
    assert_true(bus->accepts > accepts); /* there is room again: tells the stream */
    assert_false(bus->line[0]);
    assert_int_equal(in(bus, LSR), 0x60);
    test_bus_destroy(bus);
}

static void test_fifo_triggers(void **state)
{
    static const unsigned levels[4] = {1, 4, 8, 14};
    struct test_bus *bus = create();

    out(bus, MCR, OUT2);
    out(bus, IER, RDA);
    for (unsigned i = 0; i < 4; i++) {
        out(bus, FCR, (uint8_t)(i << 6 | 3));
        for (unsigned n = 1; n < levels[i]; n++) {
            type(bus, "a");
            assert_false(bus->line[0]);
        }
        type(bus, "a");
        assert_true(bus->line[0]);
        assert_int_equal(in(bus, IIR), 0xc4);
        in(bus, DATA); /* below the level: over */
        assert_false(bus->line[0]);
    }
    test_bus_destroy(bus);
}

/* Four characters' time without one read or received. */
static void test_fifo_timeout(void **state)
{
    struct test_bus *bus = create();

    out(bus, MCR, OUT2);
    out(bus, IER, RDA);
    out(bus, FCR, 0x81); /* 8 */
    type(bus, "hello");
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, MS); /* 9600 baud: a bit takes 104 us */
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 10 * MS);
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, IIR), 0xcc);
    assert_int_equal(in(bus, DATA), 'h');
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 10 * MS); /* and again for the rest */
    assert_true(bus->line[0]);
    for (const char *rest = "ello"; *rest; rest++)
        assert_int_equal(in(bus, DATA), *rest);
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 10 * MS);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_fifo_full(void **state)
{
    struct test_bus *bus = create();

    out(bus, MCR, OUT2);
    out(bus, FCR, 0xc1);
    out(bus, IER, RDA | RLS);
    type(bus, "0123456789abcdef");
    assert_int_equal(in(bus, IIR), 0xc4);
    type(bus, "g");
    assert_int_equal(in(bus, IIR), 0xc6); /* overrun goes first */
    assert_int_equal(in(bus, LSR), 0x63);
    assert_int_equal(in(bus, IIR), 0xc4);
    for (const char *text = "0123456789abcdef"; *text; text++)
        assert_int_equal(in(bus, DATA), *text); /* what came too late is lost */
    assert_int_equal(in(bus, LSR), 0x60);
    type(bus, "old");
    out(bus, FCR, 0xc3); /* emptied */
    assert_int_equal(in(bus, LSR), 0x60);
    type(bus, "old");
    out(bus, FCR, 0); /* switching the FIFO empties it too */
    assert_int_equal(in(bus, LSR), 0x60);
    assert_int_equal(in(bus, IIR) & 0xc0, 0);
    test_bus_destroy(bus);
}

static void test_break(void **state)
{
    struct test_bus *bus = create();

    out(bus, MCR, OUT2);
    out(bus, FCR, 1);
    out(bus, IER, RLS);
    bus->chardev.client->event(bus->chardev.client_opaque, CHARDEV_BREAK);
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, IIR), 0xc6);
    assert_int_equal(in(bus, LSR), 0xf1); /* with the FIFO's error bit */
    assert_false(bus->line[0]);
    assert_int_equal(in(bus, DATA), 0);
    assert_int_equal(in(bus, LSR), 0x60);
    test_bus_destroy(bus);
}

static void test_loop(void **state)
{
    /* MCR: DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD. */
    static const uint8_t lines[4][2] = {{1, 0x20}, {2, 0x10}, {4, 0x40}, {8, 0x80}};
    struct test_bus *bus = create();

    out(bus, MCR, LOOP);
    in(bus, MSR);
    for (unsigned i = 0; i < 4; i++) {
        out(bus, MCR, LOOP | lines[i][0]);
        assert_int_equal(in(bus, MSR) & 0xf0, lines[i][1]);
    }
    in(bus, MSR);
    assert_int_equal(in(bus, MSR), 0x80);
    out(bus, MCR, LOOP);
    assert_int_equal(in(bus, MSR), 0x08); /* DCD changed */
    out(bus, DATA, 'x');
    assert_int_equal(bus->n_sent, 0);
    assert_int_equal(in(bus, DATA), 'x');
    assert_int_equal(bus->chardev.client->can_receive(bus->chardev.client_opaque), 0);
    unsigned accepts = bus->accepts;
    out(bus, MCR, 0);
    assert_true(bus->accepts > accepts);
    test_bus_destroy(bus);
}

static void test_modem_interrupt(void **state)
{
    struct test_bus *bus = create();

    assert_int_equal(in(bus, MSR), 0xb0); /* the other end is ready */
    out(bus, IER, MS_CHANGE);
    out(bus, MCR, OUT2 | LOOP);
    out(bus, MCR, OUT2);
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, IIR), 0);
    in(bus, MSR);
    assert_false(bus->line[0]);
    assert_int_equal(in(bus, IIR), 1);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset),         cmocka_unit_test(test_divisor),
        cmocka_unit_test(test_transmit),      cmocka_unit_test(test_receive_without_fifo),
        cmocka_unit_test(test_fifo_triggers), cmocka_unit_test(test_fifo_timeout),
        cmocka_unit_test(test_fifo_full),     cmocka_unit_test(test_break),
        cmocka_unit_test(test_loop),          cmocka_unit_test(test_modem_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
