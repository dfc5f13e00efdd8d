/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard controller and what hangs on it (IBM PS/2 Hardware Interface Technical Reference).
 */
#include "bus.h"
#include "hw/input/ps2.h"

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

/* ---- keys and movements
 * --------------------------------------------------------------------------
 */

static void press(struct test_bus *bus, enum key key)
{
    input_key(&bus->machine.input, key, true);
}

static void release(struct test_bus *bus, enum key key)
{
    input_key(&bus->machine.input, key, false);
}

static void choose_set(struct test_bus *bus, uint8_t set)
{
    put(bus, 0xf0);
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, set);
    EXPECT_KEYBOARD(bus, ACK);
}

static void test_keys(void **state)
{
    struct test_bus *bus = create();

    set_mode(bus, 1);
    press(bus, KEY_CODE_A);
    release(bus, KEY_CODE_A);
    EXPECT_KEYBOARD(bus, 0x1c, 0xf0, 0x1c);
    press(bus, KEY_CODE_UP);
    release(bus, KEY_CODE_UP);
    EXPECT_KEYBOARD(bus, 0xe0, 0x75, 0xe0, 0xf0, 0x75);
    set_mode(bus, 1 | TRANSLATE);
    press(bus, KEY_CODE_UP);
    release(bus, KEY_CODE_UP);
    EXPECT_KEYBOARD(bus, 0xe0, 0x48, 0xe0, 0xc8);
    press(bus, KEY_CODE_PAUSE);
    release(bus, KEY_CODE_PAUSE);
    EXPECT_KEYBOARD(bus, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5);
    press(bus, KEY_CODE_PRINT);
    release(bus, KEY_CODE_PRINT);
    EXPECT_KEYBOARD(bus, 0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa);
    press(bus, KEY_CODE_ALT);
    press(bus, KEY_CODE_PRINT); /* System Request */
    release(bus, KEY_CODE_PRINT);
    release(bus, KEY_CODE_ALT);
    EXPECT_KEYBOARD(bus, 0x38, 0x54, 0xd4, 0xb8);
    press(bus, KEY_CODE_CTRL);
    press(bus, KEY_CODE_PAUSE); /* Break */
    release(bus, KEY_CODE_PAUSE);
    release(bus, KEY_CODE_CTRL);
    EXPECT_KEYBOARD(bus, 0x1d, 0xe0, 0x46, 0xe0, 0xc6, 0x9d);
    put(bus, 0xf5); /* off: what is typed is lost */
    EXPECT_KEYBOARD(bus, ACK);
    press(bus, KEY_CODE_A);
    put(bus, 0xf4);
    EXPECT_KEYBOARD(bus, ACK);
    release(bus, KEY_CODE_A);
    EXPECT_KEYBOARD(bus, 0x9e);
    test_bus_destroy(bus);
}

/* Each key's codes of set 1 are what the controller makes of set 2. */
static void test_scan_code_sets(void **state)
{
    struct test_bus *bus = create();
    uint8_t bytes[8];

    for (unsigned key = 1; key < KEY_CODES; key++) {
        for (unsigned down = 2; down-- > 0;) {
            set_mode(bus, 1 | TRANSLATE);
            input_key(&bus->machine.input, (enum key)key, down);
            unsigned n = ps2_key_bytes(&bus->machine.input, 1, (enum key)key, down, bytes);
            if (key == KEY_CODE_HIRAGANA || key == KEY_CODE_RO) /* as they are where they are */
                while (status(bus) & OUTPUT_FULL)
                    get(bus);
            else
                expect_answer(bus, bytes, n, false);
        }
    }
    set_mode(bus, 1);
    choose_set(bus, 1);
    press(bus, KEY_CODE_ESC);
    release(bus, KEY_CODE_ESC);
    EXPECT_KEYBOARD(bus, 0x01, 0x81);
    choose_set(bus, 3);
    press(bus, KEY_CODE_ESC);
    release(bus, KEY_CODE_ESC); /* not said unless asked for */
    press(bus, KEY_CODE_SHIFT);
    release(bus, KEY_CODE_SHIFT);
    EXPECT_KEYBOARD(bus, 0x08, 0x12, 0xf0, 0x12);
    put(bus, 0xfc); /* make and break for Escape */
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 0x08);
    EXPECT_KEYBOARD(bus, ACK);
    press(bus, KEY_CODE_ESC);
    release(bus, KEY_CODE_ESC);
    EXPECT_KEYBOARD(bus, 0x08, 0xf0, 0x08);
    put(bus, 0xf8); /* for all */
    EXPECT_KEYBOARD(bus, ACK);
    press(bus, KEY_CODE_KP_ENTER);
    release(bus, KEY_CODE_KP_ENTER);
    EXPECT_KEYBOARD(bus, 0x79, 0xf0, 0x79);
    test_bus_destroy(bus);
}

static void test_leds(void **state)
{
    struct test_bus *bus = create();

    set_mode(bus, 1);
    put(bus, 0xed);
    EXPECT_KEYBOARD(bus, ACK);
    put(bus, 0xfd & 6);
    EXPECT_KEYBOARD(bus, ACK);
    assert_int_equal(bus->machine.input.leds, LED_CAPS);
    device_reset(bus->device);
    assert_int_equal(bus->machine.input.leds, 0);
    test_bus_destroy(bus);
}

static void mouse_kind(struct test_bus *bus, uint8_t rate, uint8_t id)
{
    const uint8_t bytes[] = {0xf3, 200, 0xf3, rate, 0xf3, 80};

    for (unsigned i = 0; i < sizeof(bytes); i++) {
        to_mouse(bus, bytes[i]);
        EXPECT_MOUSE(bus, ACK);
    }
    to_mouse(bus, 0xf2);
    EXPECT_MOUSE(bus, ACK, id);
    to_mouse(bus, 0xf4);
    EXPECT_MOUSE(bus, ACK);
}

static void test_movement(void **state)
{
    struct test_bus *bus = create();
    struct input *input = &bus->machine.input;

    input_move(input, 50, 50, 0, 0); /* before it is on: forgotten */
    to_mouse(bus, 0xf4);
    EXPECT_MOUSE(bus, ACK);
    input_move(input, 3, 2, 1, BUTTON_LEFT); /* down is negative; there is no wheel */
    EXPECT_MOUSE(bus, 0x29, 3, 0xfe);
    input_move(input, -600, 0, 0, BUTTON_LEFT); /* what is too far for a packet is some */
    EXPECT_MOUSE(bus, 0x19, 1, 0, 0x19, 1, 0, 0x19, 0xa6, 0);
    input_move(input, 0, 0, 0, 0);
    EXPECT_MOUSE(bus, 8, 0, 0);
    mouse_kind(bus, 100, 3);
    input_move(input, 0, 0, -1, BUTTON_MIDDLE | BUTTON_SIDE);
    EXPECT_MOUSE(bus, 0x0c, 0, 0, 0xff);
    mouse_kind(bus, 200, 4);
    input_move(input, 0, 0, 1, BUTTON_SIDE | BUTTON_EXTRA);
    EXPECT_MOUSE(bus, 0x08, 0, 0, 0x31);
    to_mouse(bus, 0xf0); /* remote: only when asked */
    EXPECT_MOUSE(bus, ACK);
    input_move(input, 5, 0, 0, 0);
    assert_int_equal(status(bus) & OUTPUT_FULL, 0);
    to_mouse(bus, 0xeb);
    EXPECT_MOUSE(bus, ACK, 8, 5, 0, 0);
    to_mouse(bus, 0xea);
    EXPECT_MOUSE(bus, ACK);
    to_mouse(bus, 0xe7); /* scaling 2:1 */
    EXPECT_MOUSE(bus, ACK);
    input_move(input, 5, -10, 0, 0);
    EXPECT_MOUSE(bus, 8, 9, 20, 0);
    test_bus_destroy(bus);
}

/* Nobody reads: the queue stays bounded, and whole packets come out in the end. */
static void test_flood(void **state)
{
    struct test_bus *bus = create();

    to_mouse(bus, 0xf4);
    EXPECT_MOUSE(bus, ACK);
    for (unsigned i = 0; i < 10000; i++) {
        input_move(&bus->machine.input, 1, -1, 1, i & 0x1f);
        input_key(&bus->machine.input, (enum key)(i % 300), i & 1);
    }
    command(bus, 0xad);
    while (!(status(bus) & FROM_MOUSE))
        get(bus);
    unsigned n = 0;
    for (; status(bus) & OUTPUT_FULL; n++) {
        uint8_t byte = get(bus);
        if (n % 3 == 0)
            assert_int_equal(byte & 0xc8, 8);
    }
    assert_int_equal(n % 3, 0);
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
        cmocka_unit_test(test_controller),  cmocka_unit_test(test_keyboard),
        cmocka_unit_test(test_mouse),       cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_keys),        cmocka_unit_test(test_scan_code_sets),
        cmocka_unit_test(test_leds),        cmocka_unit_test(test_movement),
        cmocka_unit_test(test_flood),       cmocka_unit_test(test_disabled),
        cmocka_unit_test(test_output_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
