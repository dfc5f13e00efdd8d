/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the MIPS instruction tables that user mode can run, against qemu-mips, qemu-mipsel,
 * qemu-mips64 and qemu-mips64el: random operands, registers and memory compared. Exceptions that
 * were looked into and are right are listed in mips_exceptions.c.
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
#include "tests/insn/peer.h"

enum { DEFAULT_CASES = 200, SHOWN_FAILURES = 3, GIVE_UP = 20 };

static uint64_t seed;
static unsigned cases;

static bool start_peer(struct peer *p, const struct mips_kind *kind)
{
    char runner[64];

    snprintf(runner, sizeof(runner), "mips_runner_%s", kind->name);
    return peer_start(p, kind->peer, kind->model, runner);
}

/* Everything that is exchanged is 64 bits wide. */
static void swap_words(const struct mips_engine *e, void *buffer, size_t size)
{
    uint64_t *words = buffer;

    for (size_t i = 0; e->guest->big_endian && i < size / 8; i++)
        words[i] = __builtin_bswap64(words[i]);
}

static bool peer_run(struct peer *p, const struct mips_engine *e, const struct mips_case *c,
                     struct mips_result *out)
{
    struct mips_case sent = *c;

    swap_words(e, &sent, sizeof(sent));
    if (!peer_exchange(p, &sent, sizeof(sent), out, sizeof(*out)))
        return false;
    swap_words(e, out, sizeof(*out));
    return true;
}

/* The access went astray, and under the peer there is something of its own at that address. */
static bool hit_peer_memory(const struct mips_engine *e, const struct mips_result *ours,
                            const struct mips_result *theirs)
{
    uint64_t address = mips_cpu(e->cpu)->cp0.badvaddr;

    return ours->outcome == MIPS_MEMORY_FAULT && theirs->outcome == MIPS_DONE &&
           address - MIPS_DATA >= MIPS_DATA_BYTES;
}

/* The number of cases that differ; -1 if the kind does not have the row. */
static int run_row(struct mips_engine *e, struct peer *p, const struct insn_desc *row)
{
    int failures = 0;
    unsigned reserved = 0;

    for (unsigned n = 0; n < cases; n++) {
        struct random r = {seed ^ (uint64_t)n << 32 ^ row->fixed_bits * UINT64_C(0x10001)};
        struct mips_case c;
        struct mips_result ours, theirs;
        const char *reason;

        mips_random_case(&r, e->kind, &row, 1, &c);
        if (mips_known_difference(e->kind, row, (uint32_t)c.insns[0], &c))
            continue;
        mips_engine_run(e, &c, false, MIPS_TO_END, &ours);
        if (!peer_run(p, e, &c, &theirs)) {
            print_error("%s died at %s 0x%08llx (seed %llu, case %u)\n", e->kind->peer, row->name,
                        (unsigned long long)c.insns[0], (unsigned long long)seed, n);
            peer_stop(p);
            assert_true(start_peer(p, e->kind));
            failures++;
            continue;
        }
        reserved += ours.outcome == MIPS_RESERVED;
        reason =
            hit_peer_memory(e, &ours, &theirs) ? NULL : mips_difference(e->kind, &ours, &theirs);
        if (reason && failures++ < SHOWN_FAILURES)
            print_error("%s %s %s 0x%08llx (seed %llu, case %u): %s\n", e->kind->name, row->table,
                        row->name, (unsigned long long)c.insns[0], (unsigned long long)seed, n,
                        reason);
        if (n + 1 == GIVE_UP && reserved == GIVE_UP && !failures)
            return -1;
    }
    if (failures)
        print_error("%s %s %s: %d of %u cases differ\n", e->kind->name, row->table, row->name,
                    failures, cases);
    return failures;
}

static void test_rows(void **state)
{
    unsigned rows = 0, bad_rows = 0, kinds = 0;

    for (const struct mips_kind *kind = mips_kinds; kind->name; kind++) {
        struct mips_engine e;
        struct peer p;

        if (!kind->peer)
            continue;
        mips_engine_init(&e, kind, &(struct exec_options){.check = true});
        if (!start_peer(&p, kind)) {
            print_message("left out: the runner of %s is not built (mips-linux-gnu-gcc)\n",
                          kind->name);
            mips_engine_finish(&e);
            continue;
        }
        kinds++;
        for (const struct insn_desc *const *table = e.guest->insn_tables; *table; table++)
            for (const struct insn_desc *row = *table; row->name; row++) {
                int failures;

                if (!mips_row_is_plain(row) || !mips_row_is_of(kind, row) || !chosen_row(row))
                    continue;
                failures = run_row(&e, &p, row);
                rows += failures >= 0;
                bad_rows += failures > 0;
            }
        peer_stop(&p);
        mips_engine_finish(&e);
    }
    if (!kinds)
        skip();
    print_message("%u rows, %u cases each, seed %llu: %u rows differ\n", rows, cases,
                  (unsigned long long)seed, bad_rows);
    assert_int_equal(bad_rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
    };

    seed = chosen_seed();
    cases = chosen_cases(DEFAULT_CASES);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
