/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of the ARM instruction tables on the interpreter (unoptimised IR: the reference) and on
 * the code generator (optimised): random instance, random registers, one instruction; then random
 * straight-line sequences, which give the passes and the register allocator something to do.
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

enum { DEFAULT_CASES = 1000, SHOWN_FAILURES = 3, SEQUENCE_LENGTH = 12 };

static void init_pair(struct arm_engine *interpreter, struct arm_engine *jit)
{
    arm_engine_init(interpreter, "cortex-a15",
                    &(struct exec_options){.interpret = true, .check = true, .no_optimise = true});
    arm_engine_init(jit, "cortex-a15", &(struct exec_options){.check = true});
}

/* The first part of the architectural state that differs; NULL if none. */
static const char *state_difference(const struct arm_engine *a, const struct arm_engine *b)
{
    struct arm_cpu *x = arm_cpu(a->cpu), *y = arm_cpu(b->cpu);
    static char text[128];

#define SAME(member)                                                                               \
    if (memcmp(&x->member, &y->member, sizeof(x->member)))                                         \
    return #member
    for (int i = 0; i < 15; i++)
        if (x->r[i] != y->r[i]) {
            snprintf(text, sizeof(text), "r%d: interpreter 0x%08x, host code 0x%08x", i, x->r[i],
                     y->r[i]);
            return text;
        }
    SAME(v.run.pc);
    SAME(v.run.key);
    SAME(nf);
    SAME(zf);
    SAME(cf);
    SAME(vf);
    SAME(qf);
    SAME(ge);
    SAME(cpsr);
    SAME(spsr);
    SAME(bank_r13);
    SAME(bank_r14);
    SAME(bank_spsr);
    SAME(excl_valid);
    for (int i = 0; i < 32; i++)
        if (x->d[i] != y->d[i]) {
            snprintf(text, sizeof(text), "d%d: interpreter %016llx, host code %016llx", i,
                     (unsigned long long)x->d[i], (unsigned long long)y->d[i]);
            return text;
        }
    SAME(fpscr_nzcv);
    SAME(fpscr_control);
    SAME(fpscr_qc);
    SAME(cp15.dfsr);
    SAME(cp15.ifsr);
    SAME(cp15.dfar);
    SAME(cp15.ifar);
#undef SAME
    uint32_t sticky_x = x->fpscr_sticky, sticky_y = y->fpscr_sticky;
    static const struct {
        uint32_t host, guest;
    } flags[] = {{1, 1}, {4, 2}, {8, 4}, {16, 8}, {32, 16}};
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        sticky_x |= x->v.run.mxcsr & flags[i].host ? flags[i].guest : 0;
        sticky_y |= y->v.run.mxcsr & flags[i].host ? flags[i].guest : 0;
    }
    if (sticky_x != sticky_y) {
        snprintf(text, sizeof(text), "fpscr flags: interpreter 0x%08x, host code 0x%08x", sticky_x,
                 sticky_y);
        return text;
    }
    return memcmp(a->data, b->data, DATA_BYTES) ? "the data area" : NULL;
}

static unsigned run_row(struct arm_engine *interpreter, struct arm_engine *jit,
                        const struct insn_desc *row, uint64_t seed, unsigned cases)
{
    static const uint8_t modes[] = {MODE_USR, MODE_USR, MODE_SVC, MODE_SYS, MODE_IRQ, MODE_FIQ};
    unsigned failures = 0;

    for (unsigned n = 0; n < cases; n++) {
        struct random r = {seed ^ (uint64_t)n << 32 ^ row->fixed_bits * UINT64_C(0x10001)};
        struct arm_registers before;
        uint32_t insn = random_instance(&r, row, random_below(&r, 4)), data_seed = random_u32(&r);
        unsigned mode = modes[random_below(&r, ARRAY_SIZE(modes))];

        random_registers(&r, &before, row->annotations & INSN_MEM);
        arm_engine_step(interpreter, &before, mode, row_is_thumb(row), insn, row->length,
                        data_seed);
        arm_engine_step(jit, &before, mode, row_is_thumb(row), insn, row->length, data_seed);
        const char *what = state_difference(interpreter, jit);
        if (what && failures++ < SHOWN_FAILURES)
            print_error("%s %s 0x%08x (seed %llu, case %u, mode 0x%x): %s\n", row->table, row->name,
                        insn, (unsigned long long)seed, n, mode, what);
    }
    return failures;
}

static void test_each_row(void **state)
{
    struct arm_engine interpreter, jit;
    uint64_t seed = chosen_seed();
    unsigned cases = chosen_cases(DEFAULT_CASES), rows = 0, bad_rows = 0;

    init_pair(&interpreter, &jit);
    for (const struct insn_desc *const *table = arm_insn_tables(); *table; table++)
        for (const struct insn_desc *row = *table; row->name; row++) {
            if (!chosen_row(row))
                continue;
            unsigned failures = run_row(&interpreter, &jit, row, seed, cases);
            if (failures)
                print_error("%s %s: %u of %u cases differ\n", row->table, row->name, failures,
                            cases);
            rows++;
            bad_rows += failures != 0;
        }
    print_message("%u rows, %u cases each, seed %llu: %u rows differ\n", rows, cases,
                  (unsigned long long)seed, bad_rows);
    arm_engine_finish(&interpreter);
    arm_engine_finish(&jit);
    assert_int_equal(bad_rows, 0);
}

/* ---- sequences ------------------------------------------------------------------------------- */

static const struct insn_desc *random_row(struct random *r, bool thumb)
{
    const struct insn_desc *const *tables = arm_insn_tables();
    unsigned n_tables = 0;

    while (tables[n_tables])
        n_tables++;
    for (;;) {
        const struct insn_desc *table = tables[random_below(r, n_tables)];
        unsigned count = 0;
        while (table[count].name)
            count++;
        if (!count)
            continue;
        const struct insn_desc *row = &table[random_below(r, count)];
        bool thumb_row = row_is_thumb(row);
        if (thumb_row == thumb && !(row->annotations & (INSN_SYSTEM | INSN_NOTEST)) &&
            !arm_is_branch(row))
            return row;
    }
}

static void test_sequences(void **state)
{
    struct arm_engine interpreter, jit;
    uint64_t seed = chosen_seed();
    unsigned cases = chosen_cases(20000), failures = 0;

    if (getenv("CALQUE_ROW"))
        skip();
    init_pair(&interpreter, &jit);
    for (unsigned n = 0; n < cases; n++) {
        struct random r = {seed ^ (uint64_t)n << 20};
        bool thumb = random_below(&r, 2), memory = random_below(&r, 2);
        struct test_insn insns[SEQUENCE_LENGTH];
        struct arm_registers before;
        struct arm_case c = {.data_seed = random_u32(&r)};
        struct arm_result a, b;
        unsigned bytes = 0, count = 0;

        while (count < SEQUENCE_LENGTH) {
            const struct insn_desc *row = random_row(&r, thumb);
            if (bytes + row->length > 4 * (SLOT_WORDS - 2))
                break;
            uint32_t insn = random_instance(&r, row, true);
            if (arm_known_difference(row, insn)) /* jumps into the page's data among them */
                continue;
            bytes += row->length;
            insns[count++] = (struct test_insn){insn, row->length};
        }
        random_registers(&r, &before, memory);
        page_build(c.page, &before, thumb, insns, count);
        arm_engine_run_page(&interpreter, &c, &a);
        arm_engine_run_page(&jit, &c, &b);
        if (memcmp(&a, &b, sizeof(a)) && failures++ < SHOWN_FAILURES) {
            print_error("sequence differs (seed %llu, case %u, %s): outcomes %u %u, pc 0x%x 0x%x\n",
                        (unsigned long long)seed, n, thumb ? "thumb" : "arm", a.outcome, b.outcome,
                        a.pc, b.pc);
            for (unsigned i = 0; i < count; i++)
                print_error("    0x%0*x\n", insns[i].length * 2, insns[i].bits);
            for (int i = 0; i < 15; i++)
                if (a.out.r[i] != b.out.r[i])
                    print_error("    r%d: 0x%08x 0x%08x\n", i, a.out.r[i], b.out.r[i]);
            for (int i = 0; i < 32; i++)
                if (a.out.d[i] != b.out.d[i])
                    print_error("    d%d: %016llx %016llx\n", i, (unsigned long long)a.out.d[i],
                                (unsigned long long)b.out.d[i]);
            if (a.out.apsr != b.out.apsr || a.out.fpscr != b.out.fpscr)
                print_error("    apsr 0x%08x 0x%08x fpscr 0x%08x 0x%08x\n", a.out.apsr, b.out.apsr,
                            a.out.fpscr, b.out.fpscr);
        }
    }
    print_message("%u sequences, seed %llu: %u differ\n", cases, (unsigned long long)seed,
                  failures);
    arm_engine_finish(&interpreter);
    arm_engine_finish(&jit);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row),
        cmocka_unit_test(test_sequences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
