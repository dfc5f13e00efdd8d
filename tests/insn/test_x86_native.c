/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the x86 instruction tables that user mode can run, against the host's own processor:
 * random operands; general, vector and x87 registers, all six flags, memory and exceptions are
 * compared. Then straight-line sequences. Differences that were looked into and are right are
 * listed in x86_exceptions.c.
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
#include "tests/insn/x86_native.h"

enum { MAX_ROWS = 4096, SHOWN_FAILURES = 2 };

static struct x86_native *native; /* NULL: this host cannot */
static unsigned excepted;         /* cases that differ as x86_exceptions.c has it */
static struct x86_case cases[NATIVE_BATCH];
static struct x86_result results[NATIVE_BATCH];

static bool runs_here(const struct x86_row *row, bool wide, uint64_t features)
{
    if (!x86_row_is_testable(row) || !x86_row_is_chosen(row))
        return false;
    if (strstr(row->encoding, "I64") && !x86_native_has_code32(native))
        return false;
    /* The L bit of a code segment means nothing to it. */
    if (!wide && (strstr(row->encoding, "N64") || !strcmp(row->name, "JMPF") ||
                  !strcmp(row->name, "CALLF") || !strcmp(row->name, "RETF")))
        return false;
    return row->feature == HAS_NONE || features >> row->feature & 1;
}

/* 32-bit code in a 64-bit guest is compatibility mode's, which the host may not offer. */
static bool host_runs(const struct x86_case *c)
{
    return c->code64 || x86_native_has_code32(native);
}

/* Compares one case; prints it if it differs and is to be shown. */
static bool case_agrees(struct x86_engine *e, const struct x86_case *c, struct x86_result *host,
                        bool show, const char *label)
{
    static struct x86_result ours;
    const char *reason;

    x86_engine_run(e, c, &ours);
    if (!x86_difference(c, &ours, "ours", host, "host"))
        return true;
    reason = x86_known_difference(c, &ours, host) ? NULL
                                                  : x86_difference(c, &ours, "ours", host, "host");
    if (!reason) {
        excepted++;
        return true;
    }
    if (show) {
        printf("%s: %s\n", label, reason);
        x86_case_print(c);
        x86_result_print(c, &ours, "ours");
        x86_result_print(c, host, "host");
        fflush(stdout);
    }
    return false;
}

static unsigned run_batch(struct x86_engine *e, unsigned n, unsigned shown, const char *label)
{
    unsigned failures = 0;

    if (!x86_native_run(native, cases, n, results)) {
        printf("%s: the native process died\n", label);
        return n;
    }
    for (unsigned i = 0; i < n; i++)
        if (!case_agrees(e, &cases[i], &results[i], shown + failures < SHOWN_FAILURES, label))
            failures++;
    return failures;
}

static unsigned run_row(struct x86_engine *e, enum x86_case_modes modes, const struct x86_row *row,
                        unsigned index, uint64_t seed, unsigned wanted)
{
    unsigned failures = 0, n = 0, made = 0;
    char label[96];

    snprintf(label, sizeof(label), "%s \"%s\" (seed %llu)", row->name, row->encoding,
             (unsigned long long)seed);
    for (unsigned attempt = 0; attempt < 4 * wanted && made < wanted; attempt++) {
        struct rng r = {seed ^ (uint64_t)attempt << 40 ^ index * UINT64_C(0x10001)};
        if (!x86_case_random(row, modes, &r, &cases[n]) || !host_runs(&cases[n]))
            continue;
        made++;
        if (++n == NATIVE_BATCH || made == wanted) {
            failures += run_batch(e, n, failures, label);
            n = 0;
        }
    }
    if (n)
        failures += run_batch(e, n, failures, label);
    if (made < wanted && e->wide)
        printf("%s: only %u of %u cases could be made\n", label, made, wanted);
    if (failures)
        printf("%s: %u of %u cases differ\n", label, failures, made);
    return failures;
}

static void engine_like_host(struct x86_engine *e, bool wide)
{
    x86_engine_init(e, wide, &(struct exec_options){.check = true});
    if (!x86_native_has_code32(native))
        x86_engine_drop_code32(e);
    if (!x86_native_has_code16(native))
        x86_engine_drop_code16(e);
}

static void compare_rows(enum x86_case_modes modes)
{
    const bool wide = modes == CASES_WIDE;
    uint64_t seed = x86_chosen_seed(), features;
    unsigned wanted = x86_chosen_cases(100, 1000), n_rows, rows = 0, bad_rows = 0;
    const struct x86_row *table = x86_rows(&n_rows);
    struct x86_engine e;

    if (!native)
        skip();
    excepted = 0;
    engine_like_host(&e, wide);
    features = x86_native_features() & x86_cpu(e.cpu)->features;
    for (unsigned i = 0; i < n_rows; i++) {
        if (!runs_here(&table[i], wide, features))
            continue;
        rows++;
        bad_rows += run_row(&e, modes, &table[i], i, seed, wanted) != 0;
    }
    print_message("%u rows, %u cases each, seed %llu: %u rows differ, %u cases excepted\n", rows,
                  wanted, (unsigned long long)seed, bad_rows, excepted);
    x86_engine_finish(&e);
    assert_int_equal(bad_rows, 0);
}

static void compare_sequences(bool wide)
{
    static const struct x86_row *rows[MAX_ROWS];
    uint64_t seed = x86_chosen_seed(), features;
    unsigned wanted = x86_chosen_cases(2000, 20000), n_table, n_rows = 0, failures = 0;
    const struct x86_row *table = x86_rows(&n_table);
    struct x86_engine e;

    if (!native || getenv("CALQUE_ROW"))
        skip();
    engine_like_host(&e, wide);
    features = x86_native_features() & x86_cpu(e.cpu)->features;
    for (unsigned i = 0; i < n_table && n_rows < MAX_ROWS; i++)
        if (runs_here(&table[i], wide, features) && x86_row_in_sequences(&table[i]) &&
            !x86_row_has_known_difference(&table[i]))
            rows[n_rows++] = &table[i];
    for (unsigned done = 0; done < wanted; done += NATIVE_BATCH) {
        for (unsigned i = 0; i < NATIVE_BATCH; i++) {
            struct rng r = {seed ^ (uint64_t)(done + i) << 20};
            do
                x86_case_sequence(rows, n_rows, wide, &r, &cases[i]);
            while (!host_runs(&cases[i]));
        }
        failures += run_batch(&e, NATIVE_BATCH, failures, "sequence");
    }
    print_message("%u sequences, seed %llu: %u differ\n", wanted, (unsigned long long)seed,
                  failures);
    x86_engine_finish(&e);
    assert_int_equal(failures, 0);
}

static void test_rows_against_host(void **state)
{
    compare_rows(CASES_WIDE);
}

static void test_rows_of_i386_against_host(void **state)
{
    if (!native || !x86_native_has_code32(native))
        skip();
    compare_rows(CASES_32);
}

static void test_rows_of_16_bit_code_against_host(void **state)
{
    if (!native || !x86_native_has_code16(native))
        skip();
    compare_rows(CASES_16);
}

static void test_sequences_against_host(void **state)
{
    compare_sequences(true);
}

static void test_sequences_of_i386_against_host(void **state)
{
    if (!native || !x86_native_has_code32(native))
        skip();
    compare_sequences(false);
}

static int start_native(void **state)
{
    x86_pool_init(x86_chosen_seed());
    native = x86_native_create();
    if (!native)
        return 0;
    if (!x86_native_has_code32(native))
        print_message("this host runs no 32-bit code: rows and cases of it are left out\n");
    return 0;
}

static int stop_native(void **state)
{
    if (native)
        x86_native_destroy(native);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_against_host),
        cmocka_unit_test(test_rows_of_i386_against_host),
        cmocka_unit_test(test_rows_of_16_bit_code_against_host),
        cmocka_unit_test(test_sequences_against_host),
        cmocka_unit_test(test_sequences_of_i386_against_host),
    };

    return cmocka_run_group_tests(tests, start_native, stop_native);
}
