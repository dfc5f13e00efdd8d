/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the x86 instruction tables on the interpreter (unoptimised IR: the reference) and on
 * the code generator (optimised): random instance, random registers, one instruction, in guest
 * x86_64 (64-bit and compatibility mode) and in guest i386 (protected mode, and 16-bit code in
 * segments with limits); then random
 * straight-line sequences, which give the passes and the register allocator something to do.
 *
 * CALQUE_SEED=N repeats a run, CALQUE_CASES=N sets the cases a row, CALQUE_ROW=NAME picks the rows
 * of that name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/insn/x86_engine.h"
#include "tests/insn/x86_exceptions.h"

enum { MAX_ROWS = 4096, SHOWN_FAILURES = 2 };

static void init_pair(bool wide, struct x86_engine *interpreter, struct x86_engine *jit)
{
    x86_engine_init(interpreter, wide,
                    &(struct exec_options){.interpret = true, .check = true, .no_optimise = true});
    x86_engine_init(jit, wide, &(struct exec_options){.check = true});
}

/* Runs one case on both; prints it if it differs and is to be shown. */
static bool case_agrees(struct x86_engine *interpreter, struct x86_engine *jit,
                        const struct x86_case *c, bool show, const char *label)
{
    static struct x86_result a, b;
    const char *reason;
    bool chosen;

    x86_engine_run(interpreter, c, &a);
    x86_engine_run(jit, c, &b);
    chosen = x86_level_choices(c, &a, &b);
    reason = x86_difference(c, &a, "interpreter", &b, "host code");
    if (!reason && !chosen)
        reason = x86_engine_difference(interpreter, jit);
    if (!reason)
        return true;
    if (show) {
        printf("%s: %s\n", label, reason);
        x86_case_print(c);
        x86_result_print(c, &a, "interpreter");
        x86_result_print(c, &b, "host code");
        fflush(stdout);
    }
    return false;
}

static unsigned run_row(struct x86_engine *interpreter, struct x86_engine *jit,
                        enum x86_case_modes modes, const struct x86_row *row, unsigned index,
                        uint64_t seed, unsigned wanted)
{
    static struct x86_case c;
    unsigned failures = 0;
    char label[96];

    snprintf(label, sizeof(label), "%s \"%s\" (seed %llu)", row->name, row->encoding,
             (unsigned long long)seed);
    for (unsigned n = 0; n < wanted; n++) {
        struct rng r = {seed ^ (uint64_t)n << 40 ^ index * UINT64_C(0x10001)};
        if (!x86_case_random(row, modes, &r, &c))
            continue;
        c.supervisor = (row->traits & ROW_SYSTEM) && rng_below(&r, 2);
        c.stack16 = rng_below(&r, 2);
        if (!case_agrees(interpreter, jit, &c, failures < SHOWN_FAILURES, label))
            failures++;
    }
    if (failures)
        printf("%s: %u of %u cases differ\n", label, failures, wanted);
    return failures;
}

/* Random numbers differ each time. */
static bool is_repeatable(const struct x86_row *row)
{
    return strcmp(row->name, "RDRAND") != 0 && strcmp(row->name, "RDSEED") != 0;
}

static void compare_rows(enum x86_case_modes modes)
{
    const bool wide = modes == CASES_WIDE;
    struct x86_engine interpreter, jit;
    uint64_t seed = x86_chosen_seed();
    unsigned wanted = x86_chosen_cases(100, 1000), n_rows, rows = 0, bad_rows = 0;
    const struct x86_row *table = x86_rows(&n_rows);

    x86_pool_init(seed);
    init_pair(wide, &interpreter, &jit);
    for (unsigned i = 0; i < n_rows; i++) {
        if (!x86_row_is_chosen(&table[i]) || !is_repeatable(&table[i]) ||
            (!wide && strstr(table[i].encoding, "N64")))
            continue;
        rows++;
        bad_rows += run_row(&interpreter, &jit, modes, &table[i], i, seed, wanted) != 0;
    }
    print_message("%u rows, %u cases each, seed %llu: %u rows differ\n", rows, wanted,
                  (unsigned long long)seed, bad_rows);
    x86_engine_finish(&interpreter);
    x86_engine_finish(&jit);
    assert_int_equal(bad_rows, 0);
}

static void compare_sequences(bool wide)
{
    static const struct x86_row *rows[MAX_ROWS];
    static struct x86_case c;
    struct x86_engine interpreter, jit;
    uint64_t seed = x86_chosen_seed();
    unsigned wanted = x86_chosen_cases(5000, 50000), n_table, n_rows = 0, failures = 0;
    const struct x86_row *table = x86_rows(&n_table);

    if (getenv("CALQUE_ROW"))
        skip();
    x86_pool_init(seed);
    init_pair(wide, &interpreter, &jit);
    for (unsigned i = 0; i < n_table && n_rows < MAX_ROWS; i++)
        if (x86_row_in_sequences(&table[i]) && (wide || !strstr(table[i].encoding, "N64")))
            rows[n_rows++] = &table[i];
    for (unsigned n = 0; n < wanted; n++) {
        struct rng r = {seed ^ (uint64_t)n << 20};
        x86_case_sequence(rows, n_rows, wide, &r, &c);
        if (!case_agrees(&interpreter, &jit, &c, failures < SHOWN_FAILURES, "sequence"))
            failures++;
    }
    print_message("%u sequences, seed %llu: %u differ\n", wanted, (unsigned long long)seed,
                  failures);
    x86_engine_finish(&interpreter);
    x86_engine_finish(&jit);
    assert_int_equal(failures, 0);
}

static void test_each_row(void **state)
{
    compare_rows(CASES_WIDE);
}

static void test_each_row_of_i386(void **state)
{
    compare_rows(CASES_32);
}

static void test_each_row_of_16_bit_code(void **state)
{
    compare_rows(CASES_16);
}

static void test_sequences(void **state)
{
    compare_sequences(true);
}

static void test_sequences_of_i386(void **state)
{
    compare_sequences(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_each_row_of_i386),
        cmocka_unit_test(test_each_row_of_16_bit_code),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_sequences_of_i386),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
