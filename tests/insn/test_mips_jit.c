/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the MIPS instruction tables on the interpreter (unoptimised IR: the reference) and
 * on the code generator (optimised), in every kind of MIPS there is; then random sequences.
 *
 * CALQUE_SEED=N repeats a run, CALQUE_CASES=N sets the cases a row, CALQUE_ROW=NAME picks one row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/insn/mips_random.h"

enum { DEFAULT_CASES = 1000, SHOWN_FAILURES = 3, SEQUENCE_LENGTH = 10, SEQUENCES = 4000 };
enum { GIVE_UP = 20 }; /* a row that is reserved so often at first is not in this kind */

static uint64_t seed;
static unsigned cases;

static bool chosen(const struct mips_kind *kind, const struct insn_desc *row)
{
    bool is_there = mips_row_is_mips16(row) ? kind->mips16 : kind->peer != NULL;

    return is_there && !(row->annotations & INSN_NOTEST) && chosen_row(row);
}

static void init_pair(struct mips_engine pair[2], const struct mips_kind *kind)
{
    mips_engine_init(&pair[0], kind,
                     &(struct exec_options){.interpret = true, .check = true, .no_optimise = true});
    mips_engine_init(&pair[1], kind, &(struct exec_options){.check = true});
}

static void finish_pair(struct mips_engine pair[2])
{
    mips_engine_finish(&pair[0]);
    mips_engine_finish(&pair[1]);
}

/* After a trap too, everything must agree. */
static const char *run_both(struct mips_engine pair[2], const struct mips_case *c, bool kernel,
                            enum mips_run how, enum mips_outcome *outcome)
{
    struct mips_result a, b;
    const struct mips_cpu *x = mips_cpu(pair[0].cpu), *y = mips_cpu(pair[1].cpu);

    mips_engine_run(&pair[0], c, kernel, how, &a);
    mips_engine_run(&pair[1], c, kernel, how, &b);
    *outcome = (enum mips_outcome)a.outcome;
    if (a.outcome == b.outcome && a.outcome != MIPS_DONE)
        a.outcome = b.outcome = MIPS_DONE;
    if (x->v.run.pc != y->v.run.pc || x->v.run.key != y->v.run.key)
        return "where it went";
    if (memcmp(&x->cp0, &y->cp0, sizeof(x->cp0)))
        return "CP0";
    if (memcmp(x->tlb, y->tlb, sizeof(x->tlb)))
        return "the TLB";
    return mips_difference(pair[0].kind, &b, &a);
}

/* The number of cases that differ; -1 if the kind does not have the row. */
static int run_row(struct mips_engine pair[2], const struct insn_desc *row)
{
    int failures = 0;
    unsigned reserved = 0;

    for (unsigned n = 0; n < cases; n++) {
        struct random r = {seed ^ (uint64_t)n << 32 ^ row->fixed_bits * UINT64_C(0x10001)};
        bool kernel = row->annotations & INSN_SYSTEM || !random_below(&r, 4);
        /* A branch may lead anywhere, to itself among others. */
        enum mips_run how = row->annotations & (INSN_BRANCH | INSN_SYSTEM) ? MIPS_ONE : MIPS_TO_END;
        enum mips_outcome outcome;
        struct mips_case c;
        const char *what;

        mips_random_case(&r, pair[0].kind, &row, 1, &c);
        what = run_both(pair, &c, kernel, how, &outcome);
        reserved += outcome == MIPS_RESERVED;
        if (what && failures++ < SHOWN_FAILURES)
            print_error("%s %s %s 0x%08llx (seed %llu, case %u%s): %s\n", pair[0].kind->name,
                        row->table, row->name, (unsigned long long)c.insns[0],
                        (unsigned long long)seed, n, kernel ? ", kernel" : "", what);
        if (n + 1 == GIVE_UP && reserved == GIVE_UP && !failures)
            return -1;
    }
    return failures;
}

static void test_each_row(void **state)
{
    unsigned rows = 0, bad_rows = 0;

    for (const struct mips_kind *kind = mips_kinds; kind->name; kind++) {
        struct mips_engine pair[2];

        init_pair(pair, kind);
        for (const struct insn_desc *const *table = pair[0].guest->insn_tables; *table; table++)
            for (const struct insn_desc *row = *table; row->name; row++) {
                int failures = chosen(kind, row) ? run_row(pair, row) : -1;

                rows += failures >= 0;
                bad_rows += failures > 0;
            }
        finish_pair(pair);
    }
    print_message("%u rows, %u cases each, seed %llu: %u rows differ\n", rows, cases,
                  (unsigned long long)seed, bad_rows);
    assert_int_equal(bad_rows, 0);
    assert_true(getenv("CALQUE_ROW") || rows > 1000);
}

/* ---- sequences ------------------------------------------------------------------------------- */

enum { MAX_ROWS = 2048 };

static unsigned collect_rows(const struct mips_kind *kind, const struct guest *guest, bool mips16,
                             const struct insn_desc **rows)
{
    unsigned n = 0;

    for (const struct insn_desc *const *table = guest->insn_tables; *table; table++)
        for (const struct insn_desc *row = *table; row->name; row++)
            if (chosen(kind, row) && mips_row_is_plain(row) && mips_row_is_mips16(row) == mips16 &&
                n < MAX_ROWS)
                rows[n++] = row;
    return n;
}

static unsigned run_sequences(struct mips_engine pair[2], bool mips16)
{
    static const struct insn_desc *rows[MAX_ROWS];
    unsigned n_rows = collect_rows(pair[0].kind, pair[0].guest, mips16, rows), failures = 0;

    for (unsigned n = 0; n < SEQUENCES && n_rows; n++) {
        struct random r = {seed ^ (uint64_t)n << 20};
        const struct insn_desc *chosen_rows[SEQUENCE_LENGTH];
        enum mips_outcome outcome;
        struct mips_case c;
        const char *what;

        for (unsigned i = 0; i < SEQUENCE_LENGTH; i++)
            chosen_rows[i] = rows[random_below(&r, n_rows)];
        mips_random_case(&r, pair[0].kind, chosen_rows, SEQUENCE_LENGTH, &c);
        what = run_both(pair, &c, false, MIPS_TO_END, &outcome);
        if (!what || failures++ >= SHOWN_FAILURES)
            continue;
        print_error("%s: sequence differs (seed %llu, case %u): %s\n", pair[0].kind->name,
                    (unsigned long long)seed, n, what);
        for (unsigned i = 0; i < SEQUENCE_LENGTH; i++)
            print_error("    0x%08llx %s\n", (unsigned long long)c.insns[i], chosen_rows[i]->name);
    }
    return failures;
}

static void test_sequences(void **state)
{
    unsigned failures = 0;

    if (getenv("CALQUE_ROW"))
        skip();
    for (const struct mips_kind *kind = mips_kinds; kind->name; kind++) {
        struct mips_engine pair[2];

        init_pair(pair, kind);
        failures += run_sequences(pair, false) + run_sequences(pair, true);
        finish_pair(pair);
    }
    print_message("%u sequences of each kind, seed %llu: %u differ\n", SEQUENCES,
                  (unsigned long long)seed, failures);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_sequences),
    };

    seed = chosen_seed();
    cases = chosen_cases(DEFAULT_CASES);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
