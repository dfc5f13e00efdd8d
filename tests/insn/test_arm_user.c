/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the ARM instruction tables that User mode can run, against qemu-arm: random
 * operands, the same page of code on both, registers and memory compared. Exceptions that were
 * looked into and are right are listed in arm_exceptions.h.
 *
 * CALQUE_SEED=N repeats a run, CALQUE_CASES=N sets the cases a row, CALQUE_ROW=NAME picks one row.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/insn/arm_engine.h"
#include "tests/insn/arm_exceptions.h"
#include "tests/insn/arm_random.h"

enum { DEFAULT_CASES = 200, SHOWN_FAILURES = 3 };

struct peer {
    pid_t pid;
    int to, from;
};

static bool peer_start(struct peer *p)
{
    const char *build = getenv("CALQUE_BUILD");
    char runner[512];
    int to[2], from[2];

    snprintf(runner, sizeof(runner), "%s/tests/arm_runner", build ? build : "build");
    if (access(runner, X_OK) || pipe(to) || pipe(from))
        return false;
    p->pid = fork();
    if (p->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("qemu-arm", "qemu-arm", "-cpu", "cortex-a15", runner, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->to = to[1];
    p->from = from[0];
    signal(SIGPIPE, SIG_IGN);
    return p->pid > 0;
}

static void peer_stop(struct peer *p)
{
    close(p->to);
    close(p->from);
    waitpid(p->pid, NULL, 0);
}

static bool peer_run(struct peer *p, const struct arm_case *c, struct arm_result *out)
{
    if (write(p->to, c, sizeof(*c)) != sizeof(*c))
        return false;
    for (size_t done = 0; done < sizeof(*out);) {
        ssize_t n = read(p->from, (char *)out + done, sizeof(*out) - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
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
            assert_true(peer_start(p));
            failures++;
            continue;
        }
        reason = difference(&ours, &theirs);
        if (reason && failures++ < SHOWN_FAILURES)
            print_error("%s %s 0x%08x (seed %llu, case %u): %s\n", row->table, row->name, insn.bits,
                        (unsigned long long)seed, n, reason);
    }
    return failures;
}

static void test_rows_against_qemu_arm(void **state)
{
    const char *only = getenv("CALQUE_ROW"), *seed_text = getenv("CALQUE_SEED");
    const char *cases_text = getenv("CALQUE_CASES");
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : (uint64_t)time(NULL);
    unsigned cases = cases_text ? (unsigned)atoi(cases_text) : DEFAULT_CASES;
    struct arm_engine e;
    struct peer p;
    unsigned rows = 0, bad_rows = 0;

    if (!peer_start(&p)) {
        print_message("skipped: the ARM runner is not built (arm-linux-gnueabihf-gcc)\n");
        skip();
    }
    arm_engine_init(&e, "cortex-a15", &(struct exec_options){.check = true});
    for (const struct insn_desc *const *table = arm_insn_tables(); *table; table++)
        for (const struct insn_desc *row = *table; row->name; row++) {
            if (!runs_in_user_mode(row) || (only && strcmp(only, row->name)))
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows_against_qemu_arm)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
