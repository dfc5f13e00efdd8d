/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PL011: FIFOs, interrupts, timeout, loopback, against ARM DDI 0183G. */
#include "bus.h"

enum {
    DR = 0,
    RSR = 4,
    FR = 0x18,
    IBRD = 0x24,
    LCR = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
    ENABLE = 0x301,
    FEN = 0x10,
    INT_RX = 0x10,
    INT_TX = 0x20,
    INT_RT = 0x40,
    INT_BE = 0x200,
    INT_OE = 0x400,
};

static struct test_bus *uart_create(void)
{
    struct test_bus *bus = test_bus_create("pl011", NULL, NULL, true);

    test_put(bus, IBRD, 13); /* 115200 baud */
    test_put(bus, LCR, 0x60 | FEN);
    test_put(bus, CR, ENABLE);
    return bus;
}

static unsigned can_receive(struct test_bus *bus)
{
    return bus->chardev.client->can_receive(bus->chardev.client_opaque);
}

static void type(struct test_bus *bus, const char *text)
{
    bus->chardev.client->receive(bus->chardev.client_opaque, (const uint8_t *)text,
                                 (unsigned)strlen(text));
}

static void test_identity(void **state)
{
    struct test_bus *bus = test_bus_create("pl011", NULL, NULL, false);

    assert_int_equal(test_get(bus, 0xfe0), 0x11);
    assert_int_equal(test_get(bus, 0xfe4), 0x10);
    assert_int_equal(test_get(bus, 0xfe8), 0x34);
    assert_int_equal(test_get(bus, 0xff0), 0x0d);
    assert_int_equal(test_get(bus, 0xffc), 0xb1);
    assert_int_equal(test_get(bus, CR), 0x300);
    assert_int_equal(test_get(bus, IFLS), 0x12);
    assert_int_equal(test_get(bus, FR), 0x90);
    test_put(bus, DR, 'x'); /* nothing attached: it vanishes */
    test_put(bus, DMACR, 7);
    assert_int_equal(test_get(bus, DMACR), 7);
    test_bus_destroy(bus);
}

static void test_send(void **state)
{
    struct test_bus *bus = uart_create();

    assert_int_equal(test_get(bus, RIS) & INT_TX, 0);
    test_put(bus, DR, 'A');
    test_write(bus, DR, 'B', 1);
    assert_int_equal(bus->n_sent, 2);
    assert_memory_equal(bus->sent, "AB", 2);
    assert_int_equal(test_get(bus, FR) & 0xa8, 0x80); /* empty, not full, not busy */
    assert_false(bus->line[0]);
    test_put(bus, IMSC, INT_TX);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, MIS), INT_TX);
    test_put(bus, ICR, INT_TX);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_receive(void **state)
{
    struct test_bus *bus = uart_create();

    test_put(bus, IMSC, INT_RX | INT_RT);
    assert_int_equal(can_receive(bus), 32);
    assert_int_equal(test_get(bus, FR) & 0x50, 0x10);
    type(bus, "0123456789abcde");
    assert_false(bus->line[0]); /* 15 of 32: below half */
    assert_int_equal(test_get(bus, FR) & 0x50, 0);
    type(bus, "f");
    assert_int_equal(test_get(bus, MIS), INT_RX);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, DR), '0');
    assert_int_equal(test_get(bus, MIS), 0); /* below the level again */
    assert_true(bus->accepts > 0);
    type(bus, "0123456789abcdef0");
    assert_int_equal(can_receive(bus), 0);
    assert_int_equal(test_get(bus, FR) & 0x50, 0x40);
    test_put(bus, IFLS, 0x20); /* 7/8 */
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(test_get(bus, DR), "123456789abcdef0123456789abcdef0"[i]);
    assert_int_equal(test_get(bus, FR) & 0x50, 0x10);
    assert_int_equal(test_get(bus, RIS) & (INT_RX | INT_RT), 0);
    test_bus_destroy(bus);
}

static void test_timeout(void **state)
{
    struct test_bus *bus = uart_create();

    test_put(bus, IMSC, INT_RX | INT_RT);
    type(bus, "x");
    clock_advance(bus->machine.clock, 200000);
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 100000); /* 32 bits at 115200 baud are 278 us */
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, MIS), INT_RT);
    assert_int_equal(test_get(bus, DR), 'x');
    assert_false(bus->line[0]);
    type(bus, "yz");
    clock_advance(bus->machine.clock, 400000);
    test_put(bus, ICR, INT_RT); /* cleared with data left: it comes again */
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 400000);
    assert_true(bus->line[0]);
    test_put(bus, LCR, 0x60); /* FIFO off: flushed */
    assert_int_equal(test_get(bus, FR) & 0x10, 0x10);
    assert_int_equal(can_receive(bus), 1);
    type(bus, "1");
    assert_int_equal(test_get(bus, MIS), INT_RX);
    assert_int_equal(test_get(bus, FR) & 0x50, 0x40);
    test_bus_destroy(bus);
}

static void test_errors(void **state)
{
    struct test_bus *bus = uart_create();

    bus->chardev.client->event(bus->chardev.client_opaque, CHARDEV_BREAK);
    type(bus, "a");
    assert_int_equal(test_get(bus, RIS) & INT_BE, INT_BE);
    assert_int_equal(test_get(bus, DR), 0x400);
    assert_int_equal(test_get(bus, RSR), 4);
    test_put(bus, RSR, 0);
    assert_int_equal(test_get(bus, RSR), 0);
    assert_int_equal(test_get(bus, DR), 'a');
    test_bus_destroy(bus);
}

static void test_loopback(void **state)
{
    struct test_bus *bus = uart_create();

    assert_int_equal(test_get(bus, FR) & 0x107, 7); /* the other end is ready */
    test_put(bus, CR, ENABLE | 0x80);
    assert_int_equal(can_receive(bus), 0);
    assert_int_equal(test_get(bus, FR) & 0x107, 0);
    assert_int_equal(test_get(bus, RIS) & 0xf, 0xe); /* CTS, DCD, DSR changed */
    test_put(bus, ICR, 0x7ff);
    test_put(bus, CR, ENABLE | 0x80 | 0x3c00);
    assert_int_equal(test_get(bus, FR) & 0x107, 0x107);
    assert_int_equal(test_get(bus, RIS) & 0xf, 0xf);
    for (unsigned i = 0; i < 33; i++)
        test_put(bus, DR, 'a' + i % 26);
    assert_int_equal(bus->n_sent, 0);
    assert_int_equal(test_get(bus, RIS) & INT_OE, INT_OE);
    assert_int_equal(test_get(bus, RSR), 8);
    assert_int_equal(test_get(bus, DR), 0x800 | 'a');
    assert_int_equal(test_get(bus, DR), 'b');
    test_put(bus, LCR, 0x61 | FEN); /* a break comes round as well */
    assert_int_equal(test_get(bus, RIS) & INT_BE, INT_BE);
    test_bus_destroy(bus);
}

static void test_disabled(void **state)
{
    struct test_bus *bus = test_bus_create("pl011", NULL, NULL, true);

    assert_int_equal(can_receive(bus), 0); /* waits at the host */
    test_put(bus, DR, 'e');                /* early output of a kernel is seen */
    assert_int_equal(bus->n_sent, 1);
    unsigned accepts = bus->accepts;
    test_put(bus, CR, ENABLE);
    assert_true(bus->accepts > accepts);
    assert_int_equal(can_receive(bus), 1);
    device_reset(bus->device);
    assert_int_equal(can_receive(bus), 0);
    test_bus_destroy(bus);
}

static void test_wild(void **state)
{
    struct test_bus *bus = uart_create();

    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity), cmocka_unit_test(test_send),
        cmocka_unit_test(test_receive),  cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_disabled), cmocka_unit_test(test_wild),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
