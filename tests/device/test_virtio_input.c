/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio keyboards, mice and tablets: what they say they can do, events, LEDs, floods. */
#include "util/bits.h"
#include "virtio_driver.h"

enum { EVENTS, STATUS, BUFFERS = DRIVER_BUFFERS, N = DRIVER_QUEUE, EVENT = 8 };
enum { EV_SYN, EV_KEY, EV_REL, EV_ABS, EV_LED = 0x11 };

struct kit {
    struct driver *drv;
    struct input *input;
    uint16_t offered, seen;
};

static struct kit create(enum driver_mode mode, const char *kind)
{
    struct kit k = {.drv = driver_create(mode, kind, NULL, NULL)};

    k.input = &k.drv->pc->machine.input;
    return k;
}

static void offer(struct kit *k, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint16_t head = k->offered++ % N;
        driver_descriptor(k->drv, driver_table(k->drv, EVENTS), head, BUFFERS + head * EVENT, EVENT,
                          DESC_WRITE, 0);
        driver_offer(k->drv, EVENTS, head);
    }
}

static void start(struct kit *k)
{
    driver_start(k->drv, 0, 2);
    k->offered = k->seen = 0;
    offer(k, N);
}

static void expect(struct kit *k, unsigned type, unsigned code, int value)
{
    const uint8_t *event;
    uint16_t head;

    assert_true(k->seen < driver_used_index(k->drv, EVENTS));
    assert_int_equal(driver_used_length(k->drv, EVENTS, k->seen), EVENT);
    head = (uint16_t)driver_used_head(k->drv, EVENTS, k->seen++);
    event = k->drv->pc->ram + BUFFERS + head * EVENT;
    assert_int_equal(load_le16(event), type);
    assert_int_equal(load_le16(event + 2), code);
    assert_int_equal((int)load_le32(event + 4), value);
}

static void expect_nothing(struct kit *k)
{
    assert_int_equal(k->seen, driver_used_index(k->drv, EVENTS));
}

static unsigned select_config(struct kit *k, unsigned select, unsigned subselect)
{
    driver_set_config(k->drv, 0, select, 1);
    driver_set_config(k->drv, 1, subselect, 1);
    return driver_config(k->drv, 2, 1);
}

static void test_configuration(void **state)
{
    struct kit k = create(DRIVER_PCI, "tablet");
    char name[32] = "";

    unsigned size = select_config(&k, 1, 0);
    for (unsigned i = 0; i < size; i++)
        name[i] = (char)driver_config(k.drv, 8 + i, 1);
    assert_string_equal(name, "QEMU Virtio Tablet");
    assert_int_equal(select_config(&k, 1, 1), 0);
    assert_int_equal(select_config(&k, 3, 0), 8);
    assert_int_equal(driver_config(k.drv, 8, 2), 6);
    assert_int_equal(driver_config(k.drv, 12, 2), 3);
    assert_int_equal(select_config(&k, 0x11, EV_ABS), 1);
    assert_int_equal(driver_config(k.drv, 8, 1), 3);
    assert_int_equal(select_config(&k, 0x11, EV_REL), 2);
    assert_int_equal(driver_config(k.drv, 8, 2), 1 << 8); /* the wheel */
    assert_int_equal(select_config(&k, 0x11, EV_KEY), 0x114 / 8 + 1);
    assert_int_equal(driver_config(k.drv, 8 + 0x110 / 8, 1), 0x1f);
    assert_int_equal(select_config(&k, 0x12, 0), 20);
    assert_int_equal(driver_config(k.drv, 8, 4), 0);
    assert_int_equal(driver_config(k.drv, 12, 4), INPUT_ABSOLUTE_MAX);
    for (unsigned i = 0; i < 256; i++) { /* what is not there has no size */
        if (i != 1 && i != 3 && i != 0x11 && i != 0x12)
            assert_int_equal(select_config(&k, i, 0), 0);
        assert_true(select_config(&k, 0x11, i) <= 128);
        select_config(&k, 0x12, i);
    }
    driver_destroy(k.drv);
    k = create(DRIVER_MMIO, "keyboard");
    assert_true(select_config(&k, 0x11, EV_KEY) >= 16);
    assert_int_equal(driver_config(k.drv, 8 + KEY_CODE_A / 8, 1) >> KEY_CODE_A % 8 & 1, 1);
    assert_int_equal(select_config(&k, 0x11, EV_LED), 1);
    assert_int_equal(driver_config(k.drv, 8, 1), 7);
    assert_int_equal(select_config(&k, 0x11, 0x14), 1);
    assert_int_equal(select_config(&k, 0x12, 0), 0);
    driver_destroy(k.drv);
}

static void test_keyboard(void **state)
{
    struct kit k = create(DRIVER_MMIO, "keyboard");

    input_key(k.input, KEY_CODE_A, true); /* no driver: nobody gets it */
    assert_int_equal(k.input->n_devices, 0);
    start(&k);
    assert_int_equal(k.input->n_devices, 1);
    input_key(k.input, KEY_CODE_A, true);
    expect(&k, EV_KEY, KEY_CODE_A, 1);
    expect(&k, EV_SYN, 0, 0);
    input_key(k.input, KEY_CODE_A, true); /* the driver repeats by itself */
    expect_nothing(&k);
    input_key(k.input, KEY_CODE_A, false);
    expect(&k, EV_KEY, KEY_CODE_A, 0);
    expect(&k, EV_SYN, 0, 0);
    expect_nothing(&k);
    /* LEDs */
    static const struct {
        uint16_t code;
        uint32_t value;
        unsigned leds;
    } leds[] = {{0, 1, LED_NUM}, {1, 1, LED_NUM | LED_CAPS}, {0, 0, LED_CAPS}, {77, 1, LED_CAPS}};
    for (unsigned i = 0; i < ARRAY_SIZE(leds); i++) {
        uint8_t *event = k.drv->pc->ram + BUFFERS + 0x1000;
        store_le16(event, EV_LED);
        store_le16(event + 2, leds[i].code);
        store_le32(event + 4, leds[i].value);
        driver_descriptor(k.drv, driver_table(k.drv, STATUS), 0, BUFFERS + 0x1000, 8, 0, 0);
        driver_offer(k.drv, STATUS, 0);
        assert_int_equal(driver_used_index(k.drv, STATUS), i + 1);
        assert_int_equal(k.input->leds, leds[i].leds);
    }
    driver_set_status(k.drv, 0);
    assert_int_equal(k.input->n_devices, 0);
    driver_destroy(k.drv);
}

static void test_mouse(void **state)
{
    struct kit k = create(DRIVER_PCI, "mouse");

    start(&k);
    assert_false(input_is_absolute(k.input));
    input_move(k.input, 5, -3, 1, BUTTON_LEFT | BUTTON_EXTRA);
    expect(&k, EV_REL, 0, 5);
    expect(&k, EV_REL, 1, -3);
    expect(&k, EV_REL, 8, -1);
    expect(&k, EV_KEY, 0x110, 1);
    expect(&k, EV_KEY, 0x114, 1);
    expect(&k, EV_SYN, 0, 0);
    input_move(k.input, 0, 0, 0, BUTTON_RIGHT);
    expect(&k, EV_KEY, 0x110, 0);
    expect(&k, EV_KEY, 0x111, 1);
    expect(&k, EV_KEY, 0x114, 0);
    expect(&k, EV_SYN, 0, 0);
    input_move(k.input, 0, 0, 0, BUTTON_RIGHT);
    expect_nothing(&k);
    driver_destroy(k.drv);
}

static void test_tablet(void **state)
{
    struct kit k = create(DRIVER_MMIO, "tablet");

    start(&k);
    assert_true(input_is_absolute(k.input));
    assert_string_equal(input_pointer(k.input)->name, "QEMU Virtio Tablet");
    input_place(k.input, 100, 99999, 0, BUTTON_MIDDLE);
    expect(&k, EV_ABS, 0, 100);
    expect(&k, EV_ABS, 1, INPUT_ABSOLUTE_MAX);
    expect(&k, EV_KEY, 0x112, 1);
    expect(&k, EV_SYN, 0, 0);
    input_buttons(k.input, 0);
    expect(&k, EV_ABS, 0, 100);
    expect(&k, EV_ABS, 1, INPUT_ABSOLUTE_MAX);
    expect(&k, EV_KEY, 0x112, 0);
    expect(&k, EV_SYN, 0, 0);
    driver_destroy(k.drv);
}

/* More than the driver has buffers for waits; more than can wait is lost report by report. */
static void test_flood(void **state)
{
    struct kit k = create(DRIVER_MMIO, "keyboard");
    unsigned n = 0;

    start(&k);
    for (unsigned i = 0; i < 2000; i++)
        input_key(k.input, KEY_CODE_B, !(i & 1));
    while (true) {
        if (k.seen == driver_used_index(k.drv, EVENTS)) {
            offer(&k, N);
            if (k.seen == driver_used_index(k.drv, EVENTS))
                break;
        }
        expect(&k, EV_KEY, KEY_CODE_B, !(n++ & 1));
        if (k.seen == driver_used_index(k.drv, EVENTS))
            offer(&k, N);
        expect(&k, EV_SYN, 0, 0);
    }
    assert_true(n > 100 && n < 2000);
    driver_destroy(k.drv);
}

static void test_bad_buffers(void **state)
{
    struct kit k = create(DRIVER_MMIO, "mouse");

    start(&k);
    /* Too short for an event, or not writable: handed back with what fitted. */
    driver_start(k.drv, 0, 2);
    driver_descriptor(k.drv, driver_table(k.drv, EVENTS), 0, BUFFERS, 3, DESC_WRITE, 0);
    driver_offer(k.drv, EVENTS, 0);
    driver_descriptor(k.drv, driver_table(k.drv, EVENTS), 1, BUFFERS, 8, 0, 0);
    driver_offer(k.drv, EVENTS, 1);
    input_move(k.input, 1, 0, 0, 0);
    assert_int_equal(driver_used_length(k.drv, EVENTS, 0), 3);
    assert_int_equal(driver_used_length(k.drv, EVENTS, 1), 0);
    driver_descriptor(k.drv, driver_table(k.drv, EVENTS), 2, DRIVER_MEMORY, 8, DESC_WRITE, 0);
    driver_offer(k.drv, EVENTS, 2);
    input_move(k.input, 1, 0, 0, 0);
    assert_true(driver_status(k.drv) & 64); /* needs a reset */
    driver_descriptor(k.drv, driver_table(k.drv, STATUS), 0, BUFFERS, 2, 0, 0);
    driver_offer(k.drv, STATUS, 0);
    driver_destroy(k.drv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration), cmocka_unit_test(test_keyboard),
        cmocka_unit_test(test_mouse),         cmocka_unit_test(test_tablet),
        cmocka_unit_test(test_flood),         cmocka_unit_test(test_bad_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
