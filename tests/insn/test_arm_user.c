/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the ARM instruction tables that User mode can run, against qemu-arm: random
 * operands, the same page of code on both, registers and memory compared. Exceptions that were
 * looked into and are right are listed in arm_exceptions.h.
 *
 * CALQUE_SEED=N repeats a run, CALQUE_CASES=N sets the cases a row, CALQUE_ROW=NAME picks one row.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/insn/arm_engine.h"
#include "tests/insn/arm_exceptions.h"
#include "tests/insn/arm_random.h"
#include "tests/insn/peer.h"

enum { DEFAULT_CASES = 200, SHOWN_FAILURES = 3 };

static bool start_peer(struct peer *p)
{
    return peer_start(p, "qemu-arm", "cortex-a15", "arm_runner");
}

static bool peer_run(struct peer *p, const struct arm_case *c, struct arm_result *out)
{
    return peer_exchange(p, c, sizeof(*c), out, sizeof(*out));
}

static const char *const outcome_name[] = {"done", "undefined", "data fault", "left the page",
                                           "other"};

/* Describes the first difference; NULL if there is none. */
static const char *difference(const struct arm_result *ours, const struct arm_result *theirs)
{
    static char text[256];

    if (ours->outcome != theirs->outcome) {
        snprintf(text, sizeof(text), "ours: %s (0x%x), peer: %s (0x%x)",
                 outcome_name[ours->outcome], ours->pc, outcome_name[theirs->outcome], theirs->pc);
        return text;
    }
    for (int i = 0; i < (ours->outcome == OUTCOME_DONE ? 15 : 13); i++)
        if (ours->out.r[i] != theirs->out.r[i]) {
            snprintf(text, sizeof(text), "r%d: ours 0x%08x, peer 0x%08x", i, ours->out.r[i],
                     theirs->out.r[i]);
            return text;
        }
    if (ours->data_hash != theirs->data_hash)
        return "the data area differs";
    if (ours->outcome != OUTCOME_DONE)
        return ours->outcome == OUTCOME_LEFT && ours->pc != theirs->pc ? "it went elsewhere" : NULL;
    if ((ours->out.apsr ^ theirs->out.apsr) & 0xf80f0000)
        snprintf(text, sizeof(text), "apsr: ours 0x%08x, peer 0x%08x", ours->out.apsr,
                 theirs->out.apsr);
    else if (ours->out.fpscr != theirs->out.fpscr)
        snprintf(text, sizeof(text), "fpscr: ours 0x%08x, peer 0x%08x", ours->out.fpscr,
                 theirs->out.fpscr);
    else {
        for (int i = 0; i < 32; i++)
            if (ours->out.d[i] != theirs->out.d[i]) {
                snprintf(text, sizeof(text), "d%d: ours %016llx, peer %016llx", i,
                         (unsigned long long)ours->out.d[i], (unsigned long long)theirs->out.d[i]);
                return text;
            }
        return NULL;
    }
    return text;
}

/* The access went astray, and under qemu-arm there is something of its own at that address. */
static bool hit_peer_memory(const struct arm_engine *e, const struct arm_result *ours,
                            const struct arm_result *theirs)
{
    uint32_t address = arm_cpu(e->cpu)->cp15.dfar;

    return ours->outcome == OUTCOME_DATA_FAULT && theirs->outcome == OUTCOME_DONE &&
           address - DATA_BASE >= DATA_BYTES && address - CODE_BASE >= CODE_BYTES;
}

static bool runs_in_user_mode(const struct insn_desc *row)
{
    return !(row->annotations & (INSN_SYSTEM | INSN_NOTEST)) && !arm_is_branch(row);
}

static unsigned run_row(struct arm_engine *e, struct peer *p, const struct insn_desc *row,
                        uint64_t seed, unsigned cases)
{
    unsigned failures = 0;

    for (unsigned n = 0; n < cases; n++) {
        struct random r = {seed ^ (uint64_t)n << 32 ^ row->fixed_bits * UINT64_C(0x10001)};
        struct arm_registers before;
        struct arm_case c = {.data_seed = random_u32(&r)};
        struct arm_result ours, theirs;
        struct test_insn insn = {random_instance(&r, row, true), row->length};
        const char *reason;

        if (arm_known_difference(row, insn.bits))
            continue;
        random_registers(&r, &before, row->annotations & INSN_MEM);
        page_build(c.page, &before, row_is_thumb(row), &insn, 1);
        arm_engine_run_page(e, &c, &ours);
        if (!peer_run(p, &c, &theirs)) {
            print_error("qemu-arm died at %s 0x%08x (seed %llu, case %u)\n", row->name, insn.bits,
                        (unsigned long long)seed, n);
            peer_stop(p);
            assert_true(start_peer(p));
            failures++;
            continue;
        }
        reason = hit_peer_memory(e, &ours, &theirs) ? NULL : difference(&ours, &theirs);
        if (reason && failures++ < SHOWN_FAILURES)
            print_error("%s %s 0x%08x (seed %llu, case %u): %s\n", row->table, row->name, insn.bits,
                        (unsigned long long)seed, n, reason);
    }
    return failures;
}

static void test_rows_against_qemu_arm(void **state)
{
    uint64_t seed = chosen_seed();
    unsigned cases = chosen_cases(DEFAULT_CASES);
    struct arm_engine e;
    struct peer p;
    unsigned rows = 0, bad_rows = 0;

    if (!start_peer(&p)) {
        print_message("skipped: the ARM runner is not built (arm-linux-gnueabihf-gcc)\n");
        skip();
    }
    arm_engine_init(&e, "cortex-a15", &(struct exec_options){.check = true});
    for (const struct insn_desc *const *table = arm_insn_tables(); *table; table++)
        for (const struct insn_desc *row = *table; row->name; row++) {
            if (!runs_in_user_mode(row) || !chosen_row(row))
                continue;
            unsigned failures = run_row(&e, &p, row, seed, cases);
            rows++;
            if (failures)
                print_error("%s %s: %u of %u cases differ\n", row->table, row->name, failures,
                            cases);
            bad_rows += failures != 0;
        }
    print_message("%u rows, %u cases each, seed %llu: %u rows differ\n", rows, cases,
                  (unsigned long long)seed, bad_rows);
    arm_engine_finish(&e);
    peer_stop(&p);
    assert_int_equal(bad_rows, 0);
}

/* ---- sequences ----------------------------------------------------------------------------------
 */

enum { SEQUENCE_CASES = 4000, MAX_ROWS = 1024 };

/* Rows for sequences: none that leaves registers an access would go astray by. */
static unsigned collect_rows(const struct insn_desc **rows, bool thumb)
{
    unsigned n = 0;

    for (const struct insn_desc *const *table = arm_insn_tables(); *table; table++)
        for (const struct insn_desc *row = *table; row->name; row++)
            if (runs_in_user_mode(row) && row_is_thumb(row) == thumb &&
                !(row->annotations & INSN_MEM) && strcmp(row->name, "IT") && n < MAX_ROWS)
                rows[n++] = row;
    return n;
}

/* Thumb: one to four instructions under an IT; A32: some, many of them with one condition. */
static unsigned random_sequence(struct random *r, const struct insn_desc *const *rows,
                                unsigned n_rows, bool thumb, struct test_insn *out)
{
    unsigned count = 1 + random_below(r, 4), n = 0;
    uint32_t condition = random_below(r, 14);

    if (thumb) {
        uint32_t bits = random_below(r, 8) << 1 | 1; /* then or else, and the end */
        out[n++] = (struct test_insn){0xbf00 | condition << 4 | ((bits << (4 - count)) & 15), 2};
    }
    for (unsigned i = 0; i < count;) {
        const struct insn_desc *row = rows[random_below(r, n_rows)];
        struct test_insn insn = {random_instance(r, row, true), row->length};
        if (arm_known_difference(row, insn.bits) || (thumb && (insn.bits & 0xff78) == 0x4478))
            continue; /* or a branch, ADD or MOV to r15 */
        if (!thumb && insn.bits >> 28 < 15 && random_below(r, 2))
            insn.bits = (insn.bits & 0x0fffffff) | condition << 28;
        out[n++] = insn;
        i++;
    }
    return n;
}

static unsigned run_sequence(struct arm_engine *e, struct peer *p, struct random *r,
                             const struct insn_desc *const *rows, unsigned n_rows, bool thumb)
{
    struct arm_registers before;
    struct arm_case c = {.data_seed = random_u32(r)};
    struct arm_result ours, theirs;
    struct test_insn insns[8];
    unsigned n = random_sequence(r, rows, n_rows, thumb, insns);
    const char *reason;

    random_registers(r, &before, false);
    page_build(c.page, &before, thumb, insns, n);
    arm_engine_run_page(e, &c, &ours);
    assert_true(peer_run(p, &c, &theirs));
    reason = difference(&ours, &theirs);
    if (!reason)
        return 0;
    for (unsigned i = 0; i < n; i++)
        print_error("%0*x ", insns[i].length * 2, insns[i].bits);
    print_error("(%s): %s\n", thumb ? "Thumb" : "A32", reason);
    return 1;
}

static void test_sequences_against_qemu_arm(void **state)
{
    static const struct insn_desc *rows[2][MAX_ROWS];
    struct random r = {chosen_seed()};
    uint64_t seed = r.state;
    unsigned n_rows[2], failures = 0;
    struct arm_engine e;
    struct peer p;

    if (!start_peer(&p))
        skip();
    arm_engine_init(&e, "cortex-a15", &(struct exec_options){.check = true});
    for (int thumb = 0; thumb < 2; thumb++)
        n_rows[thumb] = collect_rows(rows[thumb], thumb);
    for (unsigned n = 0; n < SEQUENCE_CASES && failures < 10; n++)
        failures += run_sequence(&e, &p, &r, rows[n & 1], n_rows[n & 1], n & 1);
    print_message("%u sequences, seed %llu: %u differ\n", SEQUENCE_CASES, (unsigned long long)seed,
                  failures);
    arm_engine_finish(&e);
    peer_stop(&p);
    assert_int_equal(failures, 0);
}

/* ---- branches -----------------------------------------------------------------------------------
 */

enum { RUNNER_BASE = 0x70000000, RUNNER_BYTES = 16 << 20 }; /* as the Makefile links arm_runner */
enum { BRANCH_CASES = 200, MARKERS = 11, WILD = 0x50000000, WILD_MASK = 0x0ffffffe };

/* Small forward branches stay in the slot; the others leave the page to where nothing is mapped. */
static const struct branch {
    const char *name;
    uint32_t fixed, varied; /* varied: bits of the offset, condition and registers */
    uint8_t length;
    bool thumb;
} branches[] = {
    {"B (A32)", 0xea000000, 0x00000007, 4, false},
    {"B<c> (A32)", 0x0a000000, 0x70000007, 4, false},
    {"BL (A32)", 0xeb000000, 0x00000007, 4, false},
    {"BLX (A32)", 0xfa7ffff0, 0x01000007, 4, false},
    {"BX (A32)", 0xe12fff10, 0x0000000f, 4, false},
    {"BX<c> (A32)", 0x012fff10, 0x70000007, 4, false},
    {"BXJ (A32)", 0xe12fff20, 0x00000007, 4, false},
    {"BLX Rm (A32)", 0xe12fff30, 0x00000007, 4, false},
    {"MOV pc (A32)", 0xe1a0f000, 0x00000007, 4, false},
    {"SUB pc, pc (A32)", 0xe04ff000, 0x00000007, 4, false},
    {"LDR pc (A32)", 0xe490f000, 0x00070001, 4, false},
    {"LDM with pc (A32)", 0xe8108000, 0x01a70008, 4, false},
    {"B (T16)", 0xe000, 0x0007, 2, true},
    {"B<c> (T16)", 0xd000, 0x0707, 2, true},
    {"B<c> (T16)", 0xd800, 0x0507, 2, true},
    {"CBZ (T16)", 0xb100, 0x083f, 2, true},
    {"BX (T16)", 0x4700, 0x0038, 2, true},
    {"BLX (T16)", 0x4780, 0x0038, 2, true},
    {"MOV pc (T16)", 0x4687, 0x0038, 2, true},
    {"ADD pc (T16)", 0x4487, 0x0038, 2, true},
    {"POP with pc (T16)", 0xbd00, 0x0007, 2, true},
    {"B (T32)", 0xf000b800, 0x00000007, 4, true},
    {"B<c> (T32)", 0xf0008000, 0x01c00007, 4, true},
    {"B<c> (T32)", 0xf2008000, 0x01400007, 4, true},
    {"BL (T32)", 0xf000f800, 0x00000007, 4, true},
    {"BLX (T32)", 0xf3ffc000, 0x00000006, 4, true},
    {"LDR pc (T32)", 0xf8d0f000, 0x00070004, 4, true},
    {"LDM with pc (T32)", 0xe8908000, 0x00070008, 4, true},
    {"TBB (T32)", 0xe8dff000, 0x00000007, 4, true},
    {"TBH (T32)", 0xe8dff010, 0x00000007, 4, true},
};

/* Says in r12 (A32) or r7 (Thumb) which words of the slot were passed. */
static struct test_insn marker(unsigned n, bool thumb)
{
    if (thumb)
        return (struct test_insn){0x3701 + n, 2}; /* adds r7, #n + 1 */
    return (struct test_insn){0xe28cc000 | (16 - n % 16) % 16 << 8 | 1, 4};
}

static unsigned run_branch(struct arm_engine *e, struct peer *p, struct random *r,
                           const struct branch *branch)
{
    struct test_insn insns[1 + MARKERS] = {
        {branch->fixed | (random_u32(r) & branch->varied), branch->length}};
    bool memory =
        strstr(branch->name, "LDR") || strstr(branch->name, "LDM") || strstr(branch->name, "POP");
    bool bytes = strstr(branch->name, "TBB"), halves = strstr(branch->name, "TBH");
    struct arm_registers before;
    struct arm_case c = {.data_seed = random_u32(r)};
    struct arm_result ours, theirs;
    const char *reason;

    for (unsigned n = 0; n < MARKERS; n++)
        insns[1 + n] = marker(n, branch->thumb);
    if (bytes || halves) { /* the table, in units of halfwords from itself */
        insns[1].bits = bytes ? 0x0403 : 3;
        insns[2].bits = bytes ? 0x0605 : 5;
    }
    random_registers(r, &before, memory);
    for (unsigned i = 0; i < 15 && !memory; i++)
        before.r[i] = random_below(r, 4) ? WILD | (random_u32(r) & (WILD_MASK | 1)) : 0;
    for (unsigned i = 0; i < 15 && !branch->thumb; i++)
        before.r[i] &= before.r[i] & 1 ? ~0u : ~2u; /* 0b10 is UNPREDICTABLE */
    for (unsigned i = 0; i < 15 && (bytes || halves); i++)
        before.r[i] = random_below(r, bytes ? 4 : 2);
    page_build(c.page, &before, branch->thumb, insns, 1 + MARKERS);
    arm_engine_run_page(e, &c, &ours);
    assert_true(peer_run(p, &c, &theirs));
    reason = difference(&ours, &theirs);
    if (!reason || theirs.pc - DATA_BASE < DATA_BYTES) /* ours could execute the data */
        return 0;
    if (ours.outcome == OUTCOME_LEFT && ours.pc - RUNNER_BASE < RUNNER_BYTES)
        return 0; /* and theirs the program that runs the cases */
    print_error("%s %0*x: %s\n", branch->name, branch->length * 2, insns[0].bits, reason);
    return 1;
}

static void test_branches_against_qemu_arm(void **state)
{
    struct random r = {chosen_seed()};
    uint64_t seed = r.state;
    unsigned failures = 0;
    struct arm_engine e;
    struct peer p;

    if (!start_peer(&p))
        skip();
    arm_engine_init(&e, "cortex-a15", &(struct exec_options){.check = true});
    for (size_t i = 0; i < ARRAY_SIZE(branches); i++)
        for (unsigned n = 0; n < BRANCH_CASES; n++)
            failures += run_branch(&e, &p, &r, &branches[i]);
    print_message("%zu branches, %u cases each, seed %llu: %u differ\n", ARRAY_SIZE(branches),
                  BRANCH_CASES, (unsigned long long)seed, failures);
    arm_engine_finish(&e);
    peer_stop(&p);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_against_qemu_arm),
                                       cmocka_unit_test(test_sequences_against_qemu_arm),
                                       cmocka_unit_test(test_branches_against_qemu_arm)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
