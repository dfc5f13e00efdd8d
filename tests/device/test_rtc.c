/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's real-time clock: Motorola MC146818A, its time, alarm, flags and memory. */
#include "bus.h"
#include "hw/timer/mc146818.h"

enum { MS = 1000000, SECOND = 1000 * MS };
enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    A = 10,
    B = 11,
    C = 12,
    D = 13,
    CENTURY = 0x32,
    ANY = 0xff,
    SET = 0x80,
    PIE = 0x40,
    AIE = 0x20,
    UIE = 0x10,
    BINARY = 4,
    HOURS_24 = 2,
    IRQF = 0x80,
    PF = 0x40,
    AF = 0x20,
    UF = 0x10,
};

static uint8_t get(struct test_bus *bus, uint8_t index)
{
    test_port_write(bus, 0, index, 1);
    return (uint8_t)test_port_read(bus, 1, 1);
}

static void put(struct test_bus *bus, uint8_t index, uint8_t value)
{
    test_port_write(bus, 0, index, 1);
    test_port_write(bus, 1, value, 1);
}

static struct test_bus *create(const char *base)
{
    return test_bus_create("mc146818", base, NULL, false);
}

static void advance(struct test_bus *bus, int64_t ns)
{
    clock_advance(bus->machine.clock, ns);
}

static void expect_date(struct test_bus *bus, uint32_t date, uint32_t time)
{
    uint32_t shown_date = (uint32_t)get(bus, CENTURY) << 24 | (uint32_t)get(bus, YEAR) << 16 |
                          (uint32_t)get(bus, MONTH) << 8 | get(bus, DAY);
    uint32_t shown_time =
        (uint32_t)get(bus, HOURS) << 16 | (uint32_t)get(bus, MINUTES) << 8 | get(bus, SECONDS);

    assert_int_equal(shown_date, date);
    assert_int_equal(shown_time, time);
}

static void test_calendar(void **state)
{
    struct test_bus *bus = create("base=2024-02-28T23:59:58");

    expect_date(bus, 0x20240228, 0x235958);
    assert_int_equal(get(bus, WEEKDAY), 4); /* a Wednesday */
    assert_int_equal(get(bus, D), 0x80);    /* memory and time are valid */
    advance(bus, 2 * (int64_t)SECOND);
    expect_date(bus, 0x20240229, 0x000000);
    advance(bus, 24 * 3600 * (int64_t)SECOND);
    expect_date(bus, 0x20240301, 0x000000);
    assert_int_equal(test_port_read(bus, 0, 1), 0xff); /* the index cannot be read */
    test_bus_destroy(bus);
    bus = create("base=1999-12-31T23:59:59");
    advance(bus, SECOND);
    expect_date(bus, 0x20000101, 0x000000);
    test_bus_destroy(bus);
}

/* Page 12: twelve o'clock, bit 7 for the afternoon, BCD or binary. */
static void test_formats(void **state)
{
    static const struct {
        const char *base;
        uint8_t bcd, binary;
    } cases[] = {
        {"base=2024-01-01T00:30:00", 0x12, 12},
        {"base=2024-01-01T11:30:00", 0x11, 11},
        {"base=2024-01-01T12:30:00", 0x92, 0x8c},
        {"base=2024-01-01T22:30:00", 0x90, 0x8a},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct test_bus *bus = create(cases[i].base);
        put(bus, B, 0);
        assert_int_equal(get(bus, HOURS), cases[i].bcd);
        put(bus, B, BINARY);
        assert_int_equal(get(bus, HOURS), cases[i].binary);
        assert_int_equal(get(bus, MINUTES), 30);
        put(bus, HOURS, cases[i].binary); /* what is written is read in the same way */
        put(bus, B, HOURS_24);
        assert_int_equal(get(bus, HOURS), i == 0 ? 0x00 : i == 1 ? 0x11 : i == 2 ? 0x12 : 0x22);
        test_bus_destroy(bus);
    }
}

static void test_set(void **state)
{
    struct test_bus *bus = create("base=2024-02-28T23:59:58");
    static const uint8_t time[][2] = {{HOURS, 13}, {MINUTES, 30}, {SECONDS, 58},  {DAY, 5},
                                      {MONTH, 6},  {YEAR, 30},    {CENTURY, 0x20}};

    put(bus, B, UIE | HOURS_24);
    put(bus, B, SET | UIE | BINARY | HOURS_24);
    assert_int_equal(get(bus, B), SET | BINARY | HOURS_24); /* SET clears UIE */
    for (unsigned i = 0; i < ARRAY_SIZE(time); i++)
        put(bus, time[i][0], time[i][1]);
    get(bus, C);
    advance(bus, 5 * (int64_t)SECOND);
    assert_int_equal(get(bus, SECONDS), 58); /* time stands */
    assert_int_equal(get(bus, C) & (UF | AF), 0);
    assert_int_equal(get(bus, A) & 0x80, 0);
    put(bus, B, HOURS_24 | BINARY);
    advance(bus, 2 * (int64_t)SECOND);
    put(bus, B, HOURS_24);
    expect_date(bus, 0x20300605, 0x133100);
    put(bus, SECONDS, 0x30); /* written as it runs */
    assert_int_equal(get(bus, SECONDS), 0x30);
    put(bus, A, 0x76); /* divider held in reset */
    advance(bus, 5 * (int64_t)SECOND);
    assert_int_equal(get(bus, SECONDS), 0x30);
    test_bus_destroy(bus);
}

/* Register C, page 14: its flags are set whatever B enables, and reading clears them. */
static void test_flags_without_interrupts(void **state)
{
    struct test_bus *bus = create("base=2024-02-28T23:59:57");

    put(bus, A, 0x26); /* 1024 Hz */
    get(bus, C);
    assert_int_equal(get(bus, C), 0);
    advance(bus, MS / 2);
    assert_int_equal(get(bus, C), 0);
    advance(bus, MS);
    assert_int_equal(get(bus, C), PF);
    advance(bus, SECOND);
    assert_int_equal(get(bus, C), PF | UF);
    put(bus, A, 0x20); /* no periodic rate */
    get(bus, C);
    advance(bus, SECOND);
    assert_int_equal(get(bus, C), UF);
    advance(bus, SECOND);
    assert_int_equal(get(bus, C), UF | AF); /* midnight: the alarm's registers are 0:00:00 */
    assert_int_equal(get(bus, C), 0);
    put(bus, HOURS_ALARM, 0x03);
    advance(bus, 2 * 3600 * (int64_t)SECOND);
    assert_int_equal(get(bus, C), UF);
    advance(bus, 3 * 24 * 3600 * (int64_t)SECOND); /* seen days later */
    assert_int_equal(get(bus, C), UF | AF);
    assert_false(bus->line[0]);
    assert_int_equal(bus->rises[0], 0);
    advance(bus, SECOND);
    put(bus, B, HOURS_24 | UIE); /* a flag that is set interrupts once it is enabled */
    assert_true(bus->line[0]);
    assert_int_equal(get(bus, C), IRQF | UF);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

/* Table 5: 32.768 kHz / 2^(rate - 1); rates 1 and 2 are those of 8 and 9. */
static void test_periodic(void **state)
{
    static const struct {
        uint8_t rate;
        unsigned hertz;
    } rates[] = {{1, 256}, {2, 128}, {3, 8192}, {6, 1024}, {10, 64}, {15, 2}};
    struct test_bus *bus = create("base=2024-01-01");

    for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
        unsigned seen = 0;
        put(bus, A, 0x20 | rates[i].rate);
        put(bus, B, PIE | HOURS_24);
        get(bus, C);
        for (unsigned step = 0; step < 20000; step++) {
            advance(bus, SECOND / 20000);
            if (bus->line[0]) {
                seen++;
                assert_int_equal(get(bus, C) & (IRQF | PF), IRQF | PF);
                assert_false(bus->line[0]);
            }
        }
        assert_in_range(seen, rates[i].hertz - 1, rates[i].hertz + 1);
        put(bus, B, HOURS_24);
    }
    bus->rises[0] = 0; /* the line stays until C is read */
    put(bus, B, PIE | HOURS_24);
    advance(bus, 3 * (int64_t)SECOND);
    assert_true(bus->line[0]);
    assert_int_equal(bus->rises[0], 1);
    device_reset(bus->device);
    assert_false(bus->line[0]);
    assert_int_equal(get(bus, B), HOURS_24);
    test_bus_destroy(bus);
}

static void test_alarm(void **state)
{
    struct test_bus *bus = create("base=2024-01-01T10:20:30");

    put(bus, SECONDS_ALARM, 0x32);
    put(bus, MINUTES_ALARM, ANY);
    put(bus, HOURS_ALARM, 0xc0); /* any too: bits 7 and 6 */
    put(bus, B, AIE | HOURS_24);
    get(bus, C);
    advance(bus, SECOND + SECOND / 2);
    assert_false(bus->line[0]);
    advance(bus, SECOND);
    assert_true(bus->line[0]);
    assert_int_equal(get(bus, C) & (IRQF | AF | UF), IRQF | AF | UF);
    bus->rises[0] = 0;
    for (unsigned i = 0; i < 120; i++) {
        advance(bus, SECOND);
        get(bus, C);
    }
    assert_int_equal(bus->rises[0], 2); /* every minute */
    put(bus, MINUTES_ALARM, 0x19);
    put(bus, HOURS_ALARM, 0x11);
    bus->rises[0] = 0;
    for (unsigned i = 0; i < 3600; i++) {
        advance(bus, SECOND);
        get(bus, C);
    }
    assert_int_equal(bus->rises[0], 1);
    test_bus_destroy(bus);
}

/* UIP is seen at least 244 us before the time changes. */
static void test_update_in_progress(void **state)
{
    struct test_bus *bus = create("base=2024-01-01T10:20:30");

    assert_int_equal(get(bus, A) & 0x80, 0);
    advance(bus, SECOND - 200000);
    assert_int_equal(get(bus, A) & 0x80, 0x80);
    assert_int_equal(get(bus, SECONDS), 0x30);
    put(bus, A, 0xa6); /* UIP cannot be written */
    advance(bus, 200000);
    assert_int_equal(get(bus, A), 0x26);
    assert_int_equal(get(bus, SECONDS), 0x31);
    test_bus_destroy(bus);
}

static void test_memory(void **state)
{
    struct test_bus *bus = create("base=2024-01-01");

    for (unsigned i = 14; i < 128; i++) {
        if (i != CENTURY)
            put(bus, (uint8_t)i, (uint8_t)(i * 7));
    }
    mc146818_set(bus->device, 0x5f, 0x77);
    device_reset(bus->device);
    for (unsigned i = 14; i < 128; i++) {
        if (i != CENTURY)
            assert_int_equal(get(bus, (uint8_t)i), i == 0x5f ? 0x77 : (uint8_t)(i * 7));
    }
    assert_int_equal(get(bus, 0x5f | 0x80), 0x77); /* bit 7 masks NMI */
    test_bus_destroy(bus);
}

/* Dates no calendar has, and those before and after what is kept. */
static void test_nonsense(void **state)
{
    struct test_bus *bus = create("base=2024-01-01");
    static const uint8_t values[] = {0x00, 0x99, 0xff, 0x7f, 0x80};

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        for (unsigned index = SECONDS; index <= YEAR; index++)
            put(bus, (uint8_t)index, values[i]);
        put(bus, CENTURY, values[i]);
        advance(bus, 2 * (int64_t)SECOND);
        for (unsigned index = SECONDS; index <= D; index++)
            get(bus, (uint8_t)index);
    }
    test_hostile(bus, 50000);
    test_bus_destroy(bus);
}

static void test_bad_base(void **state)
{
    static const char *const bases[] = {"base=yesterday", "base=2024-13-01", "base=1600-01-01",
                                        "base=9999-01-01", "base=2024-01-01T1"};
    struct test_bus *bus = create("base=2024-01-01");

    for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
        struct error err = {""};
        assert_null(device_create(device_class_find("mc146818"), "rtc", &bus->machine, bases[i],
                                  NULL, NULL, &err));
        assert_non_null(strstr(err.message, "-rtc base="));
    }
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_flags_without_interrupts),
        cmocka_unit_test(test_periodic),
        cmocka_unit_test(test_alarm),
        cmocka_unit_test(test_update_in_progress),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_bad_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
