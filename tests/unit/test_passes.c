/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The passes: random units optimised and not must leave the same machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_unit.h"

static void random_units(void **state)
{
    const char *from = getenv("CALQUE_TEST_SEED");
    uint64_t seed = from ? strtoull(from, NULL, 0) : 1, end = seed + (from ? 1 : 3000);
    struct random_vcpu *plain = random_vcpu_create("interp"),
                       *optimised = random_vcpu_create("interp");
    struct arena arena;
    arena_init(&arena);
    for (; seed < end; seed++) {
        struct random_outcome a, b;
        char text[256];
        arena_reset(&arena);
        struct ir_unit *unit = random_unit(&arena, seed, NULL);
        if (from)
            ir_print(stderr, unit);
        random_vcpu_reset(plain, seed);
        random_vcpu_run(plain, unit, &a);
        ir_optimise(unit, true);
        if (from)
            ir_print(stderr, unit);
        random_vcpu_reset(optimised, seed);
        random_vcpu_run(optimised, unit, &b);
        if (!random_vcpu_same(plain, &a, optimised, &b, text, sizeof(text)))
            fail_msg("CALQUE_TEST_SEED=%llu: %s", (unsigned long long)seed, text);
    }
    arena_finish(&arena);
    random_vcpu_destroy(plain);
    random_vcpu_destroy(optimised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
