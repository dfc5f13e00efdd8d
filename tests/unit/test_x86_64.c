/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 backend: random units against the interpreter, with and without host features; what
 * random units do not reach by hand (chaining, inline caches, polls); code of key idioms as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_unit.h"

enum { UNITS = 3000 };

static void plain(struct ir_unit *unit)
{
}

static void optimised(struct ir_unit *unit)
{
    ir_optimise(unit, true);
}

/* CALQUE_TEST_SEED=n runs and prints only that one, CALQUE_TEST_COUNT=m this many. */
static void compare(const char *features, uint64_t first, void (*change)(struct ir_unit *unit))
{
    const char *from = getenv("CALQUE_TEST_SEED"), *count = getenv("CALQUE_TEST_COUNT");
    uint64_t seed = from ? strtoull(from, NULL, 0) : first;
    uint64_t end = seed + (count ? strtoull(count, NULL, 0) : from ? 1 : UNITS);
    if (features)
        setenv("CALQUE_HOST_FEATURES", features, 1);
    struct random_vcpu *oracle = random_vcpu_create("interp"),
                       *tested = random_vcpu_create("x86_64");
    unsetenv("CALQUE_HOST_FEATURES");
    if (!tested) {
        random_vcpu_destroy(oracle);
        skip();
    }
    struct arena arena;
    arena_init(&arena);
    for (; seed < end; seed++) {
        struct random_outcome a, b;
        char text[256];
        arena_reset(&arena);
        struct ir_unit *unit = random_unit(&arena, seed, NULL);
        change(unit);
        if (from && !count)
            ir_print(stderr, unit);
        random_vcpu_reset(oracle, seed);
        random_vcpu_run(oracle, unit, &a);
        random_vcpu_reset(tested, seed);
        random_vcpu_run(tested, unit, &b);
        if (b.emitted == EMIT_TOO_LONG) /* more live values than spill slots: split by exec */
            continue;
        if (!random_vcpu_same(oracle, &a, tested, &b, text, sizeof(text)))
            fail_msg("CALQUE_TEST_SEED=%llu: %s", (unsigned long long)seed, text);
    }
    arena_finish(&arena);
    random_vcpu_destroy(oracle);
    random_vcpu_destroy(tested);
}

static void random_plain(void **state)
{
    compare(NULL, 1, plain);
}

static void random_optimised(void **state)
{
    compare(NULL, 10000, optimised);
}

static void random_base_host(void **state)
{
    compare("0", 20000, plain);
}

static void random_without_avx(void **state)
{
    compare("0x1f", 30000, optimised);
}

static void random_without_bmi(void **state)
{
    compare("0x70", 40000, optimised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plain),       cmocka_unit_test(random_optimised),
        cmocka_unit_test(random_base_host),   cmocka_unit_test(random_without_avx),
        cmocka_unit_test(random_without_bmi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
