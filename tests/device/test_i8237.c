/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's DMA controllers, against Intel 231466. */
#include "bus.h"
#include "hw/dma/i8237.h"

enum { SECOND = TEST_PORT_STRIDE, PAGES = 2 * TEST_PORT_STRIDE, LOW_RAM = 0x20000 };

static void out(struct test_bus *bus, unsigned port, uint8_t value)
{
    test_port_write(bus, port, value, 1);
}

static uint8_t in(struct test_bus *bus, unsigned port)
{
    return (uint8_t)test_port_read(bus, port, 1);
}

static struct test_bus *dma_create(uint8_t **low)
{
    struct test_bus *bus = test_bus_create("i8237", NULL, NULL, false);
    struct error err = {""};

    *low = memory_add_ram(bus->machine.memory, "low", LOW_RAM, 0x20000, &err);
    assert_non_null(*low);
    out(bus, 0xd, 0);
    out(bus, SECOND + 0x1a, 0);
    out(bus, SECOND + 0x14, 0); /* the cascade is open */
    return bus;
}

static void count_ready(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void test_bytes(void **state)
{
    uint8_t *low, data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct test_bus *bus = dma_create(&low);
    unsigned ready = 0;
    bool end;

    out(bus, PAGES + 1, 2); /* channel 2: 0x2fffe, four bytes: wraps in its page */
    out(bus, 4, 0xfe);
    out(bus, 4, 0xff);
    out(bus, 5, 3);
    out(bus, 5, 0);
    out(bus, 0xb, 0x46);
    assert_int_equal(i8237_transfer(bus->device, 2, data, 8, true, &end), 0); /* masked */
    i8237_connect(bus->device, 2, count_ready, &ready);
    out(bus, 0xa, 2);
    assert_int_equal(ready, 1);
    assert_int_equal(i8237_transfer(bus->device, 2, data, 8, false, &end), 0); /* wrong way */
    assert_int_equal(i8237_transfer(bus->device, 2, data, 8, true, &end), 4);
    assert_true(end);
    assert_memory_equal(low + 0xfffe, data, 2);
    assert_memory_equal(low, data + 2, 2);
    assert_int_equal(in(bus, 8), 4);
    assert_int_equal(in(bus, 8), 0);
    assert_int_equal(in(bus, 5), 0xff);
    assert_int_equal(in(bus, 5), 0xff);
    assert_int_equal(in(bus, 0xf) & 15, 15); /* masked by its end */
    test_bus_destroy(bus);
}

static void test_words(void **state)
{
    uint8_t *low, data[8] = {0};
    struct test_bus *bus = dma_create(&low);
    bool end;

    memcpy(low + 0x1000, "abcdefgh", 8);
    out(bus, PAGES + 0xb, 3); /* channel 5: bit 0 of the page does not count */
    out(bus, SECOND + 4, 0x00);
    out(bus, SECOND + 4, 0x08);
    out(bus, SECOND + 6, 1);
    out(bus, SECOND + 6, 0);
    out(bus, SECOND + 0x16, 0x59); /* from memory, autoinitialise */
    out(bus, SECOND + 0x14, 1);
    assert_int_equal(i8237_transfer(bus->device, 5, data, 8, false, &end), 4);
    assert_true(end);
    assert_memory_equal(data, "abcd", 4);
    assert_int_equal(i8237_transfer(bus->device, 5, data + 4, 2, false, &end), 2);
    assert_false(end);
    assert_memory_equal(data, "abcdab", 6);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
