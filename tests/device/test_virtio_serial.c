/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console device over every transport: ports, control messages, hostile drivers. */
#include "host/chardev.h"
#include "util/bits.h"
#include "virtio_driver.h"

enum {
    MULTIPORT = 2,
    CONTROL_IN = 2,
    CONTROL_OUT = 3,
    READY = 0,
    ADD = 1,
    PORT_READY = 3,
    CONSOLE = 4,
    OPEN = 6,
    NAME = 7,
    TEXT = DRIVER_BUFFERS, /* for what the driver sends */
    ROOM = DRIVER_BUFFERS + 0x10000
};

/* A stream that notes what is written. */
struct line {
    struct chardev chardev;
    char out[256];
    unsigned n_out;
};

static void line_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct line *line = c->state;

    for (unsigned i = 0; i < size && line->n_out < sizeof(line->out) - 1; i++)
        line->out[line->n_out++] = (char)data[i];
    line->out[line->n_out] = 0;
}

static const struct chardev_ops line_ops = {.name = "line", .write = line_write};

static struct line console, port;

static struct driver *create(enum driver_mode mode)
{
    struct driver *drv = driver_create(mode, "serial", NULL, NULL);

    console = (struct line){.chardev = {.ops = &line_ops, .state = &console}};
    port = (struct line){.chardev = {.ops = &line_ops, .state = &port}};
    drv->pc->chardev = &console.chardev;
    pc_add(drv->pc, "virtconsole", "con", 0, "bus=dut.0", NULL);
    drv->pc->chardev = &port.chardev;
    pc_add(drv->pc, "virtserialport", "port", 0, "name=org.calque.test", NULL);
    return drv;
}

static void send(struct driver *drv, unsigned queue, const void *data, uint32_t size)
{
    memcpy(drv->pc->ram + TEXT, data, size);
    driver_descriptor(drv, driver_table(drv, queue), 0, TEXT, size, 0, 0);
    driver_offer(drv, queue, 0);
}

static void control(struct driver *drv, uint32_t id, uint16_t event, uint16_t value)
{
    uint8_t message[8];

    store_le32(message, id);
    store_le16(message + 4, event);
    store_le16(message + 6, value);
    send(drv, CONTROL_OUT, message, sizeof(message));
}

/* Room for n answers of 64 bytes each. */
static void offer_room(struct driver *drv, unsigned queue, unsigned n, uint32_t size)
{
    for (unsigned i = 0; i < n; i++) {
        driver_descriptor(drv, driver_table(drv, queue), i, ROOM + queue * 0x1000 + i * 64, size,
                          DESC_WRITE, 0);
        driver_offer(drv, queue, (uint16_t)i);
    }
}

static const uint8_t *answer(struct driver *drv, unsigned queue, unsigned i)
{
    return drv->pc->ram + ROOM + queue * 0x1000 + i * 64;
}

static void is_message(struct driver *drv, unsigned i, uint32_t id, uint16_t event, uint16_t value)
{
    const uint8_t *bytes = answer(drv, CONTROL_IN, i);

    assert_int_equal(load_le32(bytes), id);
    assert_int_equal(load_le16(bytes + 4), event);
    assert_int_equal(load_le16(bytes + 6), value);
}

static unsigned room(struct line *line)
{
    return line->chardev.client->can_receive(line->chardev.client_opaque);
}

static void type(struct line *line, const char *text)
{
    line->chardev.client->receive(line->chardev.client_opaque, (const uint8_t *)text,
                                  (unsigned)strlen(text));
}

/* A driver that knows of no ports. */
static void test_plain_console(void **state)
{
    for (enum driver_mode mode = 0; mode < DRIVER_MODES; mode++) {
        struct driver *drv = create(mode);

        assert_true(driver_offered(drv) & MULTIPORT);
        assert_int_equal(driver_config(drv, 4, 4), 7);
        assert_int_equal(room(&console), 0);
        driver_start(drv, 0, 2);
        send(drv, 1, "hello", 5);
        assert_string_equal(console.out, "hello");
        assert_int_equal(driver_used_index(drv, 1), 1);
        assert_int_equal(room(&console), 0);
        offer_room(drv, 0, 2, 4);
        assert_int_equal(room(&console), 4);
        type(&console, "abcdef");
        assert_int_equal(driver_used_index(drv, 0), 2);
        assert_int_equal(driver_used_length(drv, 0, 0), 4);
        assert_int_equal(driver_used_length(drv, 0, 1), 2);
        assert_memory_equal(answer(drv, 0, 0), "abcd", 4);
        assert_memory_equal(answer(drv, 0, 1), "ef", 2);
        assert_int_equal(room(&port), 0);
        driver_set_config(drv, 8, '!', 4);
        assert_string_equal(console.out, "hello!");
        driver_destroy(drv);
    }
}

static void test_ports(void **state)
{
    for (enum driver_mode mode = 0; mode < DRIVER_MODES; mode++) {
        struct driver *drv = create(mode);

        driver_start(drv, MULTIPORT, 6);
        offer_room(drv, CONTROL_IN, 12, 64);
        control(drv, 0, READY, 1);
        is_message(drv, 0, 0, ADD, 1);
        is_message(drv, 1, 1, ADD, 1);
        control(drv, 0, PORT_READY, 1);
        is_message(drv, 2, 0, CONSOLE, 1);
        is_message(drv, 3, 0, OPEN, 1);
        control(drv, 1, PORT_READY, 1);
        is_message(drv, 4, 1, NAME, 1);
        assert_int_equal(driver_used_length(drv, CONTROL_IN, 4), 8 + 15);
        assert_memory_equal(answer(drv, CONTROL_IN, 4) + 8, "org.calque.test", 15);
        is_message(drv, 5, 1, OPEN, 1);
        /* A port takes something once a program of the guest has it open. */
        offer_room(drv, 4, 1, 64);
        assert_int_equal(room(&port), 0);
        control(drv, 1, OPEN, 1);
        assert_int_equal(room(&port), 64);
        type(&port, "xyz");
        assert_memory_equal(answer(drv, 4, 0), "xyz", 3);
        send(drv, 5, "from the port", 13);
        assert_string_equal(port.out, "from the port");
        port.chardev.client->event(port.chardev.client_opaque, CHARDEV_CLOSED);
        is_message(drv, 6, 1, OPEN, 0);
        port.chardev.client->event(port.chardev.client_opaque, CHARDEV_OPENED);
        is_message(drv, 7, 1, OPEN, 1);
        control(drv, 1, OPEN, 0);
        offer_room(drv, 4, 1, 64);
        assert_int_equal(room(&port), 0);
        driver_destroy(drv);
    }
}

/* Messages for ports that are not there, of no kind, half ones, and answers that nobody takes. */
static void test_bad_driver(void **state)
{
    struct driver *drv = create(DRIVER_PCI);

    driver_start(drv, MULTIPORT, 6);
    for (unsigned i = 0; i < 1000; i++)
        control(drv, i % 3 ? 0xffffffff - i : i, (uint16_t)i, (uint16_t)(i * 7));
    for (unsigned i = 0; i < 100; i++) {
        control(drv, 0, READY, 1);
        control(drv, 1, PORT_READY, 1);
        send(drv, CONTROL_OUT, "half", 4);
    }
    /* What has room is kept; the rest is dropped. */
    offer_room(drv, CONTROL_IN, DRIVER_QUEUE, 3);
    assert_int_equal(driver_used_index(drv, CONTROL_IN), DRIVER_QUEUE);
    /* Buffers the wrong way round. */
    driver_descriptor(drv, driver_table(drv, 0), 0, TEXT, 16, 0, 0);
    driver_offer(drv, 0, 0);
    assert_int_equal(room(&console), 0);
    driver_descriptor(drv, driver_table(drv, 1), 0, TEXT, 16, DESC_WRITE, 0);
    driver_offer(drv, 1, 0);
    assert_string_equal(console.out, "");
    assert_int_equal(driver_used_index(drv, 1), 1);
    /* A reset forgets them. */
    driver_start(drv, MULTIPORT, 6);
    offer_room(drv, CONTROL_IN, 1, 64);
    assert_int_equal(driver_used_index(drv, CONTROL_IN), 0);
    driver_destroy(drv);
}

/* A chain of n times the same MiB. */
static void send_mebibytes(struct driver *drv, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        driver_descriptor(drv, driver_table(drv, 1), i, TEXT, MIB, i + 1 < n ? DESC_NEXT : 0,
                          (uint16_t)(i + 1));
    driver_offer(drv, 1, 0);
}

static void test_too_much_output(void **state)
{
    enum { NEEDS_RESET = 64 };

    for (enum driver_mode mode = 0; mode < DRIVER_MODES; mode++) {
        struct driver *drv = create(mode);

        driver_start(drv, 0, 2);
        memset(drv->pc->ram + TEXT, 'x', MIB);
        send_mebibytes(drv, 4);
        assert_int_equal(driver_used_index(drv, 1), 1);
        assert_int_equal(console.n_out, sizeof(console.out) - 1);
        console.n_out = 0;
        send_mebibytes(drv, 5);
        assert_int_equal(driver_used_index(drv, 1), 1);
        assert_int_equal(console.n_out, 0);
        assert_int_equal(driver_status(drv) & NEEDS_RESET, NEEDS_RESET);
        driver_start(drv, 0, 2);
        send(drv, 1, "again", 5);
        assert_string_equal(console.out, "again");
        driver_destroy(drv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_console), cmocka_unit_test(test_ports),
        cmocka_unit_test(test_too_much_output), cmocka_unit_test(test_bad_driver)};

    return cmocka_run_group_tests_name("virtio serial", tests, NULL, NULL);
}
