/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard controller and what hangs on it (IBM PS/2 Hardware Interface Technical Reference).
 */
#include "bus.h"

enum { DATA = 0, COMMAND = TEST_PORT_STRIDE, STATUS = COMMAND };
enum { KEYBOARD, MOUSE, A20 };
enum { OUTPUT_FULL = 1, SYSTEM = 4, WAS_COMMAND = 8, NOT_LOCKED = 0x10, FROM_MOUSE = 0x20 };
enum { ACK = 0xfa, TRANSLATE = 0x40 };

static uint8_t status(struct test_bus *bus)
{
    return (uint8_t)test_port_read(bus, STATUS, 1);
}

static uint8_t get(struct test_bus *bus)
{
    return (uint8_t)test_port_read(bus, DATA, 1);
}

static void command(struct test_bus *bus, uint8_t value)
{
    test_port_write(bus, COMMAND, value, 1);
}

static void put(struct test_bus *bus, uint8_t value)
{
    test_port_write(bus, DATA, value, 1);
}

static void expect_answer(struct test_bus *bus, const uint8_t *bytes, unsigned n, bool mouse)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(status(bus) & (OUTPUT_FULL | FROM_MOUSE),
                         OUTPUT_FULL | (mouse ? FROM_MOUSE : 0));
        assert_int_equal(get(bus), bytes[i]);
    }
    assert_int_equal(status(bus) & OUTPUT_FULL, 0);
}
#define EXPECT_KEYBOARD(bus, ...)                                                                  \
    expect_answer(bus, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}),     \
                  false)
#define EXPECT_MOUSE(bus, ...)                                                                     \
    expect_answer(bus, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), true)

static struct test_bus *create(void)
{
    return test_bus_create("i8042", NULL, NULL, false);
}

static void set_mode(struct test_bus *bus, uint8_t mode)
{
    command(bus, 0x60);
    put(bus, mode);
}

static void test_controller(void **state)
{
    struct test_bus *bus = create();

    assert_int_equal(status(bus) & (OUTPUT_FULL | SYSTEM | NOT_LOCKED), NOT_LOCKED);
    command(bus, 0xaa);
    assert_int_equal(status(bus) & WAS_COMMAND, WAS_COMMAND);
    EXPECT_KEYBOARD(bus, 0x55);
    assert_int_equal(status(bus) & SYSTEM, SYSTEM);
    command(bus, 0xab);
    EXPECT_KEYBOARD(bus, 0);
    command(bus, 0xa9);
    EXPECT_KEYBOARD(bus, 0);
    set_mode(bus, 0x45);
    assert_int_equal(status(bus) & WAS_COMMAND, 0);
    command(bus, 0x20);
    EXPECT_KEYBOARD(bus, 0x45);
    command(bus, 0xad); /* bits 4 and 5 of the command byte: who is off */
    command(bus, 0xa7);
    command(bus, 0x20);
    EXPECT_KEYBOARD(bus, 0x75);
    command(bus, 0xae);
    command(bus, 0xa8);
    command(bus, 0x20);
    EXPECT_KEYBOARD(bus, 0x45);
    command(bus, 0x7f); /* its RAM */
    put(bus, 0x99);
    command(bus, 0x3f);
    EXPECT_KEYBOARD(bus, 0x99);
    test_bus_destroy(bus);
}

static void test_keyboard(void **state)
{
    struct test_bus *bus = create();

    set_mode(bus, 0x01);
    put(bus, 0xff);
    EXPECT_KEYBOARD(bus, ACK, 0xaa);
    put(bus, 0xee);
    EXPECT_KEYBOARD(bus, 0xee);
    put(bus, 0xf2);
    EXPECT_KEYBOARD(bus, ACK, 0xab, 0x83);
    set_mode(bus, 0x01 | TRANSLATE);
    put(bus, 0xf2);
    EXPECT_KEYBOARD(bus, ACK, 0xab, 0x41); /* the second byte is a code of set 2 to it */
    set_mode(bus, 0x01);
    put(bus, 0xf0); /* which scan codes? */
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 0);
    EXPECT_KEYBOARD(bus, ACK, 2);
    put(bus, 0xed);
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 7);
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 0xfe); /* again, please */
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 0x12); /* no command */
    EXPECT_KEYBOARD(bus, 0xfe);
    command(bus, 0xad);
    command(bus, 0xd2); /* as if the keyboard had sent it */
    put(bus, 0x1c);
    EXPECT_KEYBOARD(bus, 0x1c);
    test_bus_destroy(bus);
}

static void to_mouse(struct test_bus *bus, uint8_t byte)
{
    command(bus, 0xd4);
    put(bus, byte);
}

static void test_mouse(void **state)
{
    struct test_bus *bus = create();
    static const uint8_t rates[] = {200, 100, 80};

    to_mouse(bus, 0xff);
    EXPECT_MOUSE(bus, ACK, 0xaa, 0);
    to_mouse(bus, 0xf2);
    EXPECT_MOUSE(bus, ACK, 0);
    for (unsigned i = 0; i < 3; i++) { /* the knock of the wheel */
        to_mouse(bus, 0xf3);
        EXPECT_MOUSE(bus, ACK);
        to_mouse(bus, rates[i]);
        EXPECT_MOUSE(bus, ACK);
    }
    to_mouse(bus, 0xf2);
    EXPECT_MOUSE(bus, ACK, 3);
    to_mouse(bus, 0xe9);
    EXPECT_MOUSE(bus, ACK, 0, 2, 80);
    to_mouse(bus, 0xf4);
    EXPECT_MOUSE(bus, ACK);
    to_mouse(bus, 0xe9);
    EXPECT_MOUSE(bus, ACK, 0x20, 2, 80);
    command(bus, 0xd3);
    put(bus, 0x42);
    EXPECT_MOUSE(bus, 0x42);
    test_bus_destroy(bus);
}

/* An edge for every byte: the line falls when the byte is read, and rises for the next. */
static void test_interrupts(void **state)
{
    struct test_bus *bus = create();

    set_mode(bus, 0);
    put(bus, 0xee);
    assert_false(bus->line[KEYBOARD]);
    set_mode(bus, 0x03);
    assert_true(bus->line[KEYBOARD]); /* the byte is still there */
    get(bus);
    assert_false(bus->line[KEYBOARD]);
    bus->rises[KEYBOARD] = bus->rises[MOUSE] = 0;
    put(bus, 0xf2);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(bus->line[KEYBOARD]);
        status(bus);
        assert_true(bus->line[KEYBOARD]); /* held until the data is read */
        assert_int_equal(bus->rises[KEYBOARD], i);
        get(bus);
    }
    assert_false(bus->line[KEYBOARD]);
    assert_int_equal(bus->rises[MOUSE], 0);
    to_mouse(bus, 0xf2);
    assert_true(bus->line[MOUSE]);
    assert_false(bus->line[KEYBOARD]);
    get(bus);
    get(bus);
    assert_int_equal(bus->rises[MOUSE], 2);
    assert_false(bus->line[MOUSE]);
    put(bus, 0xee);
    device_reset(bus->device);
    assert_false(bus->line[KEYBOARD]);
    test_bus_destroy(bus);
}

/* While a device's clock line is held it waits with what it has to say. */
static void test_disabled(void **state)
{
    struct test_bus *bus = create();

    to_mouse(bus, 0xf2);
    command(bus, 0xa7);
    get(bus);
    assert_int_equal(status(bus) & OUTPUT_FULL, 0);
    command(bus, 0xa8);
    EXPECT_MOUSE(bus, 0);
    test_bus_destroy(bus);
}

static void test_output_port(void **state)
{
    struct test_bus *bus = create();

    assert_true(bus->line[A20]);
    command(bus, 0xd0);
    assert_int_equal(get(bus) & 3, 3);
    command(bus, 0xd1);
    put(bus, 0xdd);
    assert_false(bus->line[A20]);
    command(bus, 0xd1);
    put(bus, 0xdf);
    assert_true(bus->line[A20]);
    assert_false(bus->has_event);
    command(bus, 0xff); /* pulses nothing */
    assert_false(bus->has_event);
    command(bus, 0xfe);
    assert_true(bus->has_event);
    assert_int_equal(bus->event, MACHINE_RESET);
    bus->has_event = false;
    command(bus, 0xd1);
    put(bus, 0xde);
    assert_true(bus->has_event);
    assert_int_equal(bus->event, MACHINE_RESET);
    test_hostile(bus, 50000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_controller), cmocka_unit_test(test_keyboard),
        cmocka_unit_test(test_mouse),      cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_disabled),   cmocka_unit_test(test_output_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
