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

enum { UNITS = 3000 };

/* Nothing but the ops that ir_lower builds the others of. */
static bool supports_little(unsigned op, unsigned type, unsigned sub)
{
    switch (op) {
    case IR_NOT:
    case IR_NEG:
    case IR_ANDN:
    case IR_ROR:
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
    case IR_BSWAP:
    case IR_BITREV:
    case IR_SEXT:
    case IR_ZEXT:
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
    case IR_WIDEN_S:
    case IR_CONCAT:
    case IR_HIGH:
    case IR_ADC:
    case IR_SBB:
    case IR_VANDN:
    case IR_VSELECT:
    case IR_VNEG:
    case IR_VABS:
    case IR_VCMPGT_U:
    case IR_VMIN_S:
    case IR_VMIN_U:
    case IR_VMAX_S:
    case IR_VMAX_U:
    case IR_VADDS_U:
    case IR_VSUBS_U:
    case IR_VAVG_U:
    case IR_VSAR_I:
    case IR_VWIDEN_S:
    case IR_VWIDEN_U:
    case IR_VCONCAT:
    case IR_VHIGH:
        return false;
    case IR_SELECT:
        return type != IR_I32 && type != IR_I64;
    case IR_VMUL:
    case IR_VSHL_I:
    case IR_VSHR_I:
        return sub != IR_LANE8;
    default:
        return true;
    }
}

static void lower_everything(struct ir_unit *unit)
{
    char why[256];
    uint8_t sources[IR_MAX_INSNS] = {0};
    ir_lower(unit, supports_little);
    if (!ir_verify(unit, why, sizeof(why)))
        fail_msg("%s", why);
    for (unsigned i = 1; i < unit->n_insns; i++)
        sources[unit->insns[i].op == IR_FLAGOF ? unit->insns[i].arg[0] : 0] = 1;
    for (unsigned i = 1; i < unit->n_insns; i++) {
        const struct ir_insn *insn = &unit->insns[i];
        if (!sources[i] && !supports_little(insn->op, insn->type, insn->sub))
            fail_msg("%s is left", ir_op_info[insn->op].name);
    }
}

static void optimise(struct ir_unit *unit)
{
    ir_optimise(unit, true);
    for (unsigned i = 1; i < unit->n_insns; i++)
        assert_int_not_equal(unit->insns[i].op, IR_MKFLAGS);
}

static void optimise_twice_and_lower(struct ir_unit *unit)
{
    ir_optimise(unit, true);
    ir_optimise(unit, true);
    lower_everything(unit);
}

/* Runs units as they are and after `change`; CALQUE_TEST_SEED=n runs and prints only that one. */
static void compare_units(void (*change)(struct ir_unit *unit))
{
    const char *from = getenv("CALQUE_TEST_SEED"), *count = getenv("CALQUE_TEST_COUNT");
    uint64_t seed = from ? strtoull(from, NULL, 0) : 1;
    uint64_t end = seed + (count ? strtoull(count, NULL, 0) : from ? 1 : UNITS);
    struct random_vcpu *plain = random_vcpu_create("interp"),
                       *changed = random_vcpu_create("interp");
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
        change(unit);
        if (from)
            ir_print(stderr, unit);
        random_vcpu_reset(changed, seed);
        random_vcpu_run(changed, unit, &b);
        if (!random_vcpu_same(plain, &a, changed, &b, text, sizeof(text)))
            fail_msg("CALQUE_TEST_SEED=%llu: %s", (unsigned long long)seed, text);
    }
    arena_finish(&arena);
    random_vcpu_destroy(plain);
    random_vcpu_destroy(changed);
}

static void random_optimised(void **state)
{
    compare_units(optimise);
}

static void random_state_only(void **state)
{
    compare_units(ir_pass_state);
}

static void random_fold_only(void **state)
{
    compare_units(ir_pass_fold);
}

static void random_dce_only(void **state)
{
    compare_units(ir_pass_dce);
}

static void random_lowered(void **state)
{
    compare_units(lower_everything);
}

static void random_everything(void **state)
{
    compare_units(optimise_twice_and_lower);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_optimised), cmocka_unit_test(random_state_only),
        cmocka_unit_test(random_fold_only), cmocka_unit_test(random_dce_only),
        cmocka_unit_test(random_lowered),   cmocka_unit_test(random_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
