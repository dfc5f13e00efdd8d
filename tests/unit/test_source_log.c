/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of page-table entries finds what has changed, whether entries lie in line or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "softmmu/source_log.h"

enum { ENTRIES = 64 };

static struct source_log source_log; /* large */
static uint64_t table[ENTRIES];

static uint8_t *place_of(unsigned bytes, unsigned i)
{
    return (uint8_t *)table + (size_t)i * bytes;
}

static struct tlb_source source_of(unsigned bytes, bool rooted, unsigned i)
{
    struct tlb_source source = {.va = (uint64_t)i << 12, .span_bits = 12, .bytes = (uint8_t)bytes};

    source.entry = rooted ? (uintptr_t)i * bytes : (uintptr_t)place_of(bytes, i);
    source.root = rooted;
    memcpy(&source.value, place_of(bytes, i), bytes);
    return source;
}

static void fill(unsigned bytes, bool rooted, unsigned step)
{
    memset(&source_log, 0, sizeof(source_log));
    for (unsigned i = 0; i < ENTRIES; i++)
        table[i] = (i + 1) * UINT64_C(0x0001000300070001);
    for (unsigned k = 0; k < ENTRIES; k++) {
        struct tlb_source source = source_of(bytes, rooted, k * step % ENTRIES);

        assert_true(source_log_add(&source_log, &source));
    }
}

/* Nothing but what is listed here, in any order. */
static void expect_changed(bool rooted, uint64_t expected)
{
    const uint8_t *roots[MAX_ROOTS] = {rooted ? (const uint8_t *)table : NULL};
    struct tlb_source out;
    unsigned position = 0;

    while (source_log_next_changed(&source_log, roots, &position, &out)) {
        uint64_t bit = UINT64_C(1) << (out.va >> 12);

        assert_true(expected & bit);
        expected &= ~bit;
    }
    assert_int_equal(expected, 0);
}

static void change(unsigned bytes, unsigned i)
{
    place_of(bytes, i)[bytes - 1] ^= 0x80;
}

static void changes_are_found(void **state)
{
    for (unsigned way = 0; way < 12; way++) {
        unsigned bytes = way & 1 ? 8 : 4, step = way / 4 == 0 ? 1 : way / 4 == 1 ? 5 : ENTRIES - 1;
        bool rooted = way & 2;

        for (unsigned i = 0; i < ENTRIES; i++) {
            struct tlb_source again;

            fill(bytes, rooted, step);
            expect_changed(rooted, 0);
            change(bytes, i);
            expect_changed(rooted, UINT64_C(1) << i);
            expect_changed(rooted, 0);
            /* It is looked up again, and changes back; another takes its place in the log. */
            again = source_of(bytes, rooted, i);
            assert_true(source_log_add(&source_log, &again));
            expect_changed(rooted, 0);
            change(bytes, i);
            change(bytes, ENTRIES - 1 - i);
            expect_changed(rooted, UINT64_C(1) << i | UINT64_C(1) << (ENTRIES - 1 - i));
            expect_changed(rooted, 0);
        }
    }
}

/* An entry that is looked up with another value, which then is what it is compared with. */
static void values_are_replaced(void **state)
{
    for (unsigned bytes = 4; bytes <= 8; bytes += 4) {
        struct tlb_source again;

        fill(bytes, false, 1);
        expect_changed(false, 0);
        change(bytes, 11);
        again = source_of(bytes, false, 11);
        assert_false(source_log_add(&source_log, &again));
        expect_changed(false, 0);
        change(bytes, 11);
        expect_changed(false, UINT64_C(1) << 11);
    }
}

/* A table that is nowhere any more says nothing. */
static void a_lost_root_loses_all(void **state)
{
    fill(8, true, 1);
    expect_changed(true, 0);
    expect_changed(false, ~UINT64_C(0));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_found),
        cmocka_unit_test(values_are_replaced),
        cmocka_unit_test(a_lost_root_loses_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
