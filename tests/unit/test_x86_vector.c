/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of tcg/vector_fn.def: the interpreter's C function against the host's instruction, as
 * generated code executes it. Results, EFLAGS and the control word's sticky flags, in every
 * rounding mode, with and without DAZ and FTZ, on special values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/nan_lanes.h"
#include "tests/unit/random_unit.h"

enum { CASES = 400, MXCSR_MASKS = 0x1f80 };

static uint64_t special(struct random *random)
{
    static const uint32_t singles[] = {
        0,          0x80000000, 1,          0x80000001, 0x007fffff, 0x00800000, 0x00800001,
        0x80800000, 0x3f800000, 0xbf800000, 0x3f000000, 0x3fc00000, 0x40490fdb, 0x4b000001,
        0x4effffff, 0x4f000000, 0xcf000000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
        0x7fc00000, 0xffc00001, 0x7f800001, 0xffa00000, 0x33800000, 0x387fe000, 0x477ff000,
        0x38800000, 0x33000000, 0x477fe000,
    };
    static const uint64_t doubles[] = {
        UINT64_C(0),
        UINT64_C(0x8000000000000000),
        UINT64_C(1),
        UINT64_C(0x800fffffffffffff),
        UINT64_C(0x0010000000000000),
        UINT64_C(0x3ff0000000000000),
        UINT64_C(0xbfe0000000000000),
        UINT64_C(0x3ff8000000000000),
        UINT64_C(0x41dfffffffc00000),
        UINT64_C(0x41e0000000000000),
        UINT64_C(0xc1e0000000200000),
        UINT64_C(0x43e0000000000000),
        UINT64_C(0x36a0000000000000),
        UINT64_C(0x47efffffe0000000),
        UINT64_C(0x380fffffffffffff),
        UINT64_C(0x7fefffffffffffff),
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        UINT64_C(0x7ff8000000000000),
        UINT64_C(0xfff8000000000123),
        UINT64_C(0x7ff0000000000001),
    };
    switch (random_below(random, 6)) {
    case 0:
        return doubles[random_below(random, ARRAY_SIZE(doubles))];
    case 1:
    case 2:
        return singles[random_below(random, ARRAY_SIZE(singles))] |
               (uint64_t)singles[random_below(random, ARRAY_SIZE(singles))] << 32;
    case 3: /* numbers of moderate size */
        return (random_next(random) & UINT64_C(0x83ffffff83ffffff)) | UINT64_C(0x3c0000003c000000);
    case 4: /* bytes that repeat, some zero */
        return random_next(random) & random_next(random) & UINT64_C(0x0300030003030003);
    default:
        return random_next(random);
    }
}

static struct ir_unit *unit_of(struct arena *arena, unsigned row, struct random *random)
{
    const struct ir_vfn_info *info = &ir_vfn_info[row];
    struct ir_unit *unit = ir_unit_create(arena, random_fields, RANDOM_N_FIELDS);
    struct ir_builder b;
    ir_ref args[3] = {IR_NONE, IR_NONE, IR_NONE};
    bool wide = random_below(random, 2),
         vector = !(info->traits & (VFN_GPR_OUT | VFN_FLAGS)) || row == IR_VFN_PCMPISTRM;
    unsigned immediate = info->traits & VFN_IMM ? random_below(random, 256) : 0;

    if (row >= IR_VFN_CMPPS && row <= IR_VFN_CMPSD)
        immediate &= 31;
    if (row == IR_VFN_VCVTPS2PH)
        immediate &= 7;
    ir_builder_begin(&b, unit);
    ir_insn(&b, 0x1000, 0);
    for (unsigned i = 0; i < info->n_args; i++) {
        if (info->traits & VFN_GPR_IN && i == info->n_args - 1u)
            args[i] = ir_get(&b, wide ? RF_WIDE0 : RF_R0 + 7);
        else
            args[i] = ir_get(&b, RF_Q0 + (random_below(random, 8) ? i : 0));
    }
    ir_ref result = ir_vfn(&b, (enum ir_vfn)row,
                           vector                               ? IR_V128
                           : wide && info->traits & VFN_GPR_OUT ? IR_I64
                                                                : IR_I32,
                           immediate, args[0], args[1], args[2]);
    ir_ref flags = info->traits & VFN_FLAGS ? ir_flagof(&b, result) : IR_NONE;
    if (random_below(random, 8)) /* else only its flags and effects are wanted */
        ir_set(&b,
               vector                               ? RF_Q0 + 3
               : ir_type_of(unit, result) == IR_I64 ? RF_WIDE0 + 1
                                                    : RF_R0 + 1,
               result);
    if (random_below(random, 2)) /* operands that live on */
        ir_set(&b, RF_Q0, args[0]);
    if (flags)
        ir_set(&b, RF_STATUS0, flags);
    ir_exit_lookup(&b);
    ir_builder_end(&b);
    return unit;
}

static void set_state(struct random_vcpu *cpu, uint64_t seed)
{
    struct random_state *state = random_vcpu_state(cpu);
    struct random random;

    random_seed(&random, seed);
    for (unsigned i = 0; i < 8; i++)
        state->d[i] = special(&random);
    if (random_below(&random, 3) == 0)
        memcpy(&state->d[2], &state->d[0], 16);
    if (random_below(&random, 3) == 0) /* counts of shifts */
        state->d[2] = random_below(&random, 70);
    state->run.mxcsr = MXCSR_MASKS | random_below(&random, 4) << 13;
    state->run.mxcsr |= random_below(&random, 4) ? 0 : 1u << 6;
    state->run.mxcsr |= random_below(&random, 4) ? 0 : 1u << 15;
}

static void compare_row(struct random_vcpu *cpu[2], unsigned row)
{
    unsigned different = 0;
    for (unsigned i = 0; i < CASES; i++) {
        uint64_t seed = (uint64_t)row << 32 | i;
        struct random_outcome outcome[2];
        struct arena arena;
        struct random random;
        char text[160];

        random_seed(&random, seed);
        arena_init(&arena);
        struct ir_unit *unit = unit_of(&arena, row, &random);
        if (!ir_verify(unit, text, sizeof(text)))
            fail_msg("%s", text);
        for (unsigned k = 0; k < 2; k++) {
            random_vcpu_reset(cpu[k], seed);
            set_state(cpu[k], seed);
            random_vcpu_run(cpu[k], unit, &outcome[k]);
        }
        if (strstr(ir_vfn_info[row].name, "DPP"))
            level_nan_lanes(&random_vcpu_state(cpu[0])->d[6], &random_vcpu_state(cpu[1])->d[6],
                            strstr(ir_vfn_info[row].name, "PS") ? 4 : 8);
        bool same = random_vcpu_same(cpu[0], &outcome[0], cpu[1], &outcome[1], text, sizeof(text));
        uint32_t flags[2];
        for (unsigned k = 0; k < 2; k++)
            flags[k] = random_vcpu_state(cpu[k])->run.mxcsr;
        if (same && flags[0] != flags[1])
            snprintf(text, sizeof(text), "MXCSR %x, other %x", flags[0], flags[1]);
        if ((!same || flags[0] != flags[1]) && different++ < 3) {
            set_state(cpu[0], seed);
            const uint64_t *d = random_vcpu_state(cpu[0])->d;
            fprintf(stderr, "%s: %s (mxcsr %x)\n", ir_vfn_info[row].name, text,
                    random_vcpu_state(cpu[0])->run.mxcsr);
            for (unsigned k = 0; k < 6; k += 2)
                fprintf(stderr, "    %016llx%016llx\n", (unsigned long long)d[k + 1],
                        (unsigned long long)d[k]);
            ir_print(stderr, unit);
        }
        arena_finish(&arena);
    }
    if (different)
        fail_msg("%s: %u of %u cases", ir_vfn_info[row].name, different, CASES);
}

/* With all the host has, and with SSE4.2 only: two-operand forms, C functions for the rest. */
static void test_row(void **state)
{
    for (unsigned plain = 0; plain < 2; plain++) {
        if (plain)
            setenv("CALQUE_HOST_FEATURES", "0", 1);
        struct random_vcpu *cpu[2] = {random_vcpu_create("interp"), random_vcpu_create("x86_64")};
        unsetenv("CALQUE_HOST_FEATURES");
        if (cpu[1])
            compare_row(cpu, (unsigned)(uintptr_t)*state);
        random_vcpu_destroy(cpu[0]);
        random_vcpu_destroy(cpu[1]);
    }
}

int main(void)
{
    static struct CMUnitTest tests[IR_N_VFN];
    for (unsigned i = 0; i < IR_N_VFN; i++)
        tests[i] = (struct CMUnitTest){.name = ir_vfn_info[i].name,
                                       .test_func = test_row,
                                       .initial_state = (void *)(uintptr_t)i};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
