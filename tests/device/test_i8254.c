/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's interval timer (Intel 231164) and what port 0x61 shows of it. */
#include "bus.h"
#include "hw/timer/i8254.h"

enum { MS = 1000000, SECOND = 1000 * MS };

static void out(struct test_bus *bus, unsigned port, uint8_t value)
{
    test_port_write(bus, port, value, 1);
}

static uint8_t in(struct test_bus *bus, unsigned port)
{
    return (uint8_t)test_port_read(bus, port, 1);
}

static unsigned pit_count(struct test_bus *bus, unsigned channel)
{
    out(bus, 3, (uint8_t)(channel << 6));
    unsigned low = in(bus, channel);
    return low | (unsigned)in(bus, channel) << 8;
}

static void test_pit_rate(void **state)
{
    struct test_bus *bus = test_bus_create("i8254", NULL, NULL, false);

    for (unsigned mode = 2; mode <= 3; mode++) {
        out(bus, 3, (uint8_t)(0x30 | mode << 1));
        out(bus, 0, 0x9c); /* 11932: 100 Hz */
        out(bus, 0, 0x2e);
        assert_true(bus->line[0]);
        bus->rises[0] = 0;
        clock_advance(bus->machine.clock, SECOND + MS);
        assert_int_equal(bus->rises[0], 100);
    }
    out(bus, 3, 0xe2); /* read-back of channel 0's status */
    assert_int_equal(in(bus, 0) & 0x7f, 0x36);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_pit_one_shot(void **state)
{
    struct test_bus *bus = test_bus_create("i8254", NULL, NULL, false);

    out(bus, 3, 0x30); /* mode 0 */
    assert_false(bus->line[0]);
    out(bus, 0, 0xa9); /* 1193: 1 ms */
    out(bus, 0, 0x04);
    clock_advance(bus->machine.clock, MS / 2);
    assert_in_range(pit_count(bus, 0), 590, 600);
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, MS / 2 + 2000);
    assert_true(bus->line[0]);
    out(bus, 3, 0xb0); /* channel 2, its gate low: does not count */
    out(bus, 2, 0xff);
    out(bus, 2, 0xff);
    clock_advance(bus->machine.clock, 10 * MS);
    assert_int_equal(pit_count(bus, 2), 0xffff);
    i8254_set_gate(bus->device, 2, true);
    clock_advance(bus->machine.clock, 50 * MS);
    assert_in_range(pit_count(bus, 2), 5870, 5880);
    assert_false(i8254_out(bus->device, 2));
    clock_advance(bus->machine.clock, 6 * MS);
    assert_true(i8254_out(bus->device, 2));
    out(bus, 3, 0x31); /* BCD */
    out(bus, 0, 0x99);
    out(bus, 0, 0x00);
    assert_int_equal(pit_count(bus, 0), 0x99);
    test_bus_destroy(bus);
}

static void test_speaker(void **state)
{
    struct test_bus *bus = test_bus_create("pc-speaker", NULL, NULL, false);
    struct device *pit = test_bus_add(bus, "i8254", "pit", NULL);
    uint8_t first;

    assert_false(i8254_gate(pit, 2));
    out(bus, 0, 1);
    assert_true(i8254_gate(pit, 2));
    assert_int_equal(in(bus, 0) & 0x2f, 0x01); /* mode 0 not counted down: OUT2 is low */
    first = in(bus, 0) & 0x10;
    clock_advance(bus->machine.clock, 15085); /* the refresh toggle moves on */
    assert_int_not_equal(in(bus, 0) & 0x10, first);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pit_rate),
        cmocka_unit_test(test_pit_one_shot),
        cmocka_unit_test(test_speaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
