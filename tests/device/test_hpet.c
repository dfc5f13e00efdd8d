/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HPET, against the IA-PC HPET specification 1.0a. */
#include "bus.h"

enum { ID = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, T0 = 0x100, T2 = 0x140 };
enum { COMPARATOR = 8, LEVEL = 2, ENABLE = 4, PERIODIC = 8, SET_VALUE = 0x40, TO_LINE_2 = 2 << 9 };

static void test_counter(void **state)
{
    struct test_bus *bus = test_bus_create("hpet", NULL, NULL, false);

    assert_int_equal(test_get(bus, ID), 0x8086a201);
    assert_int_equal(test_get(bus, ID + 4), 10000000);
    assert_int_equal(test_get(bus, T0 + 4), 4);
    clock_advance(bus->machine.clock, 1000);
    assert_int_equal(test_read(bus, COUNTER, 8), 0);
    test_put(bus, CONFIG, 1);
    clock_advance(bus->machine.clock, 1000);
    assert_int_equal(test_read(bus, COUNTER, 8), 100);
    test_put(bus, CONFIG, 0);
    clock_advance(bus->machine.clock, 1000);
    test_write(bus, COUNTER, UINT64_C(0xffffffffffffffff), 8);
    test_put(bus, CONFIG, 1);
    clock_advance(bus->machine.clock, 20);
    assert_int_equal(test_read(bus, COUNTER, 8), 1);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_timers(void **state)
{
    struct test_bus *bus = test_bus_create("hpet", NULL, NULL, false);

    test_put(bus, T2, ENABLE | LEVEL | TO_LINE_2);
    test_write(bus, T2 + COMPARATOR, 5000, 8);
    test_put(bus, CONFIG, 1);
    clock_advance(bus->machine.clock, 49990);
    assert_false(bus->line[2]);
    clock_advance(bus->machine.clock, 10);
    assert_true(bus->line[2]);
    assert_int_equal(test_get(bus, STATUS), 4);
    test_put(bus, STATUS, 4);
    assert_false(bus->line[2]);
    test_input(bus, 0, true); /* the interval timer goes through */
    assert_true(bus->line[0]);
    test_put(bus, CONFIG, 3); /* and now not */
    assert_false(bus->line[0]);
    test_input(bus, 1, true);
    assert_false(bus->line[8]);
    test_put(bus, T0, ENABLE | PERIODIC | SET_VALUE);
    uint32_t now = test_get(bus, COUNTER);
    test_put(bus, T0 + COMPARATOR, now + 10000);
    test_put(bus, T0 + COMPARATOR, 100000);
    bus->rises[0] = 0;
    clock_advance(bus->machine.clock, 100000 + 9 * 1000000);
    assert_int_equal(bus->rises[0], 10);
    assert_int_equal(test_get(bus, T0 + COMPARATOR), now + 10000 + 10 * 100000);
    test_put(bus, CONFIG, 1);
    assert_true(bus->line[8]);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter),
        cmocka_unit_test(test_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
