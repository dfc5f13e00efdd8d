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
    case IR_MKFLAGS:
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
    case IR_ALU: /* three arguments and the flags are more than a call takes */
        return sub == IR_ALU_SHLD || sub == IR_ALU_SHRD;
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

/* Runs units as they are and after `change`; CALQUE_TEST_SEED=n runs and prints only that one,
 * CALQUE_TEST_COUNT=m this many, from n or 1. */
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
        if (from && !count)
            ir_print(stderr, unit);
        random_vcpu_reset(plain, seed);
        random_vcpu_run(plain, unit, &a);
        change(unit);
        if (from && !count)
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

/* ---- rules ----------------------------------------------------------------------------------- */

static ir_ref reg(struct ir_builder *b, unsigned n)
{
    return ir_get(b, RF_R0 + n);
}

/* Arguments of a call are evaluated in any order; the text must not depend on it. */
static ir_ref two_regs(struct ir_builder *b, enum ir_op op, unsigned n, unsigned m)
{
    ir_ref a = reg(b, n);
    return ir_bin(b, op, a, reg(b, m));
}

static void set_reg(struct ir_builder *b, unsigned n, ir_ref value)
{
    ir_set(b, RF_R0 + n, value);
}

/* cmp r0, r1; bhi: C & !Z of ARM is "not borrow and not zero". */
static void build_cmp_bhi(struct ir_builder *b)
{
    random_set_flags(b, two_regs(b, IR_SUB, 0, 1));
    ir_insn(b, 0x8004, 0);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_C_AND_NZ, random_get_flags(b), yes, no);
    ir_block_begin(b, yes);
    ir_exit_jump(b, 0x9000, 0, false);
    ir_block_begin(b, no);
    ir_exit_jump(b, 0x8008, 0, false);
}

/* movhi r2, r3, the flags set anew after: the first four SETs vanish. */
static void build_select_then_flags(struct ir_builder *b)
{
    random_set_flags(b, two_regs(b, IR_SUB, 0, 1));
    ir_insn(b, 0x8004, 0);
    ir_ref flags = random_get_flags(b), yes = reg(b, 3), no = reg(b, 2);
    set_reg(b, 2, ir_select(b, IR_GT, flags, yes, no));
    ir_insn(b, 0x8008, 0);
    random_set_flags(b, ir_bin_i(b, IR_AND, reg(b, 2), 0xff));
    ir_exit_jump(b, 0x800c, 0, false);
}

/* Flags of a logic op, with C of older days: LS needs boolean arithmetic. */
static void build_mixed_flags(struct ir_builder *b)
{
    ir_ref flags = ir_test(b, reg(b, 0));
    ir_ref z = ir_setcc(b, IR_Z, flags), n = ir_setcc(b, IR_N, flags);
    ir_ref c = ir_get(b, RF_C), v = ir_get(b, RF_V);
    ir_ref all = ir_mkflags(b, n, z, c, v);
    set_reg(b, 1, ir_setcc(b, IR_NC_OR_Z, all));
    set_reg(b, 2, ir_setcc(b, IR_LT, all));
    set_reg(b, 3, ir_setcc(b, IR_C, all));
    set_reg(b, 4, ir_setcc(b, IR_LE, all));
    ir_exit_jump(b, 0x8004, 0, false);
}

static void build_boolean_chain(struct ir_builder *b)
{
    ir_ref below = ir_setcc(b, IR_C, ir_flagof(b, two_regs(b, IR_SUB, 0, 1)));
    ir_ref not_below = ir_bin_i(b, IR_XOR, below, 1);
    set_reg(b, 2, ir_setcc(b, IR_NZ, ir_test(b, not_below)));
    set_reg(b, 3, ir_setcc(b, IR_Z, ir_test(b, not_below)));
    ir_ref one = ir_i32(b, 1), zero = ir_i32(b, 0);
    set_reg(b, 4, ir_select(b, IR_Z, ir_test(b, below), one, zero));
    set_reg(b, 5, ir_bin_i(b, IR_XOR, not_below, 1));
    ir_exit_jump(b, 0x8004, 0, false);
}

static void build_constants(struct ir_builder *b)
{
    ir_ref two = ir_i32(b, 2), three = ir_i32(b, 3);
    ir_ref sum = ir_bin(b, IR_ADD, two, three);
    set_reg(b, 0, sum);
    ir_ref flags = ir_flagof(b, ir_bin(b, IR_SUB, sum, ir_i32(b, 5)));
    set_reg(b, 1, ir_setcc(b, IR_Z, flags));
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_C, flags, yes, no);
    ir_block_begin(b, yes);
    ir_ref pc = ir_i32(b, 0x1234);
    ir_exit_indirect(b, pc, ir_i32(b, 7));
    ir_block_begin(b, no);
    pc = reg(b, 0);
    ir_exit_indirect(b, pc, ir_i32(b, 7));
}

static void build_identities(struct ir_builder *b)
{
    ir_ref x = reg(b, 0);
    ir_ref y = ir_bin_i(b, IR_ADD, x, 0);
    y = ir_bin_i(b, IR_OR, ir_bin_i(b, IR_AND, y, 0xffffffff), 0);
    y = ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_MUL, y, 1), 32);
    set_reg(b, 1, y);
    set_reg(b, 2, ir_bin(b, IR_XOR, x, y));
    set_reg(b, 3, ir_bin_i(b, IR_MUL, x, 8));
    set_reg(b, 4, ir_bin_i(b, IR_UDIV, x, 16));
    ir_ref low = ir_extract(b, x, 0, 8);
    set_reg(b, 5, ir_bin_i(b, IR_AND, ir_ext(b, IR_ZEXT, low, 16), 0xff));
    set_reg(b, 6, ir_un(b, IR_NOT, ir_bin_i(b, IR_XOR, x, 0xffffffff)));
    ir_exit_jump(b, 0x8004, 0, false);
}

static void build_halves(struct ir_builder *b)
{
    ir_ref x = reg(b, 0), y = reg(b, 1);
    ir_ref both = ir_emit(b, IR_CONCAT, IR_I64, 0, 0, x, y, IR_NONE, 0);
    set_reg(b, 2, ir_emit(b, IR_HIGH, IR_I32, 0, 0, both, 0, 0, 0));
    set_reg(b, 3, ir_emit(b, IR_NARROW, IR_I32, 0, 0, both, 0, 0, 0));
    ir_ref wide = ir_emit(b, IR_WIDEN_U, IR_I64, 0, 0, x, 0, 0, 0);
    set_reg(b, 4, ir_emit(b, IR_HIGH, IR_I32, 0, 0, wide, 0, 0, 0));
    ir_set(b, RF_WIDE0, ir_emit(b, IR_CONCAT, IR_I64, 0, 0, x, ir_i32(b, 0), 0, 0));
    ir_exit_jump(b, 0x8004, 0, false);
}

static void build_addresses(struct ir_builder *b)
{
    ir_ref base = reg(b, 0);
    set_reg(b, 1, ir_load(b, IR_I32, ir_bin_i(b, IR_ADD, base, 0xfffffffc), 0, 2));
    ir_insn(b, 0x8004, 0);
    ir_ref address = ir_bin_i(b, IR_ADD, base, 8);
    ir_store(b, address, 4, reg(b, 1), 2);
    set_reg(b, 0, address);
    ir_insn(b, 0x8008, 0);
    set_reg(b, 2, ir_load(b, IR_I32, reg(b, 0), 0, 2)); /* r0 holds the sum now */
    ir_exit_jump(b, 0x800c, 0, false);
}

static void build_state(struct ir_builder *b)
{
    set_reg(b, 0, ir_i32(b, 1));
    set_reg(b, 0, ir_bin_i(b, IR_ADD, reg(b, 0), 1)); /* GET after SET; the first SET is dead */
    set_reg(b, 1, reg(b, 1));                         /* does nothing */
    ir_set(b, RF_BYTE0, reg(b, 2));
    set_reg(b, 3, ir_get(b, RF_BYTE0)); /* the low byte of r2 */
    ir_set(b, RF_D0, ir_get(b, RF_D0 + 1));
    ir_set(b, RF_S0, ir_get(b, RF_S0 + 4)); /* overlaps the last */
    ir_set(b, RF_Q0, ir_get(b, RF_Q0 + 1)); /* covers both */
    ir_exit_jump(b, 0x8004, 0, false);
}

/* A constant that only a fault can see goes to the fault; a computed value stays. */
static void build_pending(struct ir_builder *b)
{
    set_reg(b, 10, ir_i32(b, 5));
    set_reg(b, 11, ir_bin_i(b, IR_ADD, reg(b, 0), 1));
    ir_insn(b, 0x8004, 0);
    set_reg(b, 1, ir_load(b, IR_I32, reg(b, 1), 0, 2));
    ir_insn(b, 0x8008, 0);
    set_reg(b, 10, reg(b, 2));
    set_reg(b, 11, reg(b, 2));
    ir_exit_jump(b, 0x800c, 0, false);
}

static uint32_t helper_reads_r0_writes_r1(void *cpu)
{
    return 0;
}

/* A helper sees and changes its groups only. */
static void build_helper(struct ir_builder *b)
{
    static const struct ir_helper helper =
        IR_HELPER(helper_reads_r0_writes_r1, IR_I32, 0, 0, UINT64_C(1) << 0, UINT64_C(1) << 1);
    set_reg(b, 0, reg(b, 5));
    set_reg(b, 1, reg(b, 5));
    set_reg(b, 2, reg(b, 5));
    ir_call(b, &helper, 0, 0, 0, 0);
    set_reg(b, 6, two_regs(b, IR_ADD, 0, 1));
    set_reg(b, 0, ir_i32(b, 0));
    set_reg(b, 1, ir_i32(b, 0));
    set_reg(b, 2, ir_i32(b, 0));
    ir_exit_jump(b, 0x8004, 0, false);
}

/* Both ways out of block 0 overwrite r0 unseen; only one overwrites r1; the loop reads r2. */
static void build_blocks(struct ir_builder *b)
{
    ir_ref x = reg(b, 3);
    set_reg(b, 0, x);
    set_reg(b, 1, x);
    set_reg(b, 2, x);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_Z, ir_test(b, x), yes, no);
    ir_block_begin(b, yes);
    set_reg(b, 0, ir_i32(b, 1));
    set_reg(b, 1, ir_i32(b, 1));
    set_reg(b, 2, ir_i32(b, 1));
    ir_exit_jump(b, 0x8004, 0, false);
    ir_block_begin(b, no);
    set_reg(b, 0, ir_i32(b, 2));
    set_reg(b, 4, reg(b, 2));
    ir_brcc(b, IR_N, ir_test(b, reg(b, 5)), no, yes);
}

static void build_vectors(struct ir_builder *b)
{
    ir_ref q = ir_get(b, RF_Q0);
    ir_set(b, RF_Q0 + 1, ir_vec(b, IR_VOR, 0, q, q));
    ir_set(b, RF_Q0 + 2, ir_vec(b, IR_VXOR, 0, q, q));
    ir_ref one = ir_vec_i(b, IR_VDUP, IR_LANE16, ir_i32(b, 1), 0);
    ir_set(b, RF_Q0 + 3, ir_vec(b, IR_VADD, IR_LANE16, one, one));
    ir_ref x = ir_emit(b, IR_BITCAST, IR_V128, 0, 0, reg(b, 1), 0, 0, 0);
    set_reg(b, 0, ir_vec_i(b, IR_VGETLANE, IR_LANE32, x, 0));
    ir_exit_jump(b, 0x8004, 0, false);
}

static const struct rule {
    const char *name;
    void (*build)(struct ir_builder *b);
    const char *expected;
} rules[] = {
    {"cmp_bhi", build_cmp_bhi,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = get.i32 r[1]\n"
     "    %4 = sub.i32 %2, %3\n"
     "    %5 = flagof %4\n"
     "    %6 = setcc.n %5\n"
     "    set n, %6\n"
     "    %8 = setcc.z %5\n"
     "    set z, %8\n"
     "    %10 = setcc.nc %5\n"
     "    set c, %10\n"
     "    %12 = setcc.v %5\n"
     "    set v, %12\n"
     "  ---- 0x8004 0x0\n"
     "    brcc.nc&nz %5, block 1, block 2\n"
     "block 1:\n"
     "  ---- 0x8004 0x0\n"
     "    exit_jump pc 0x9000, key 0x0\n"
     "block 2:\n"
     "  ---- 0x8004 0x0\n"
     "    exit_jump pc 0x8008, key 0x0\n"},
    {"select_then_flags", build_select_then_flags,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = get.i32 r[1]\n"
     "    %4 = sub.i32 %2, %3\n"
     "    %5 = flagof %4\n"
     "  ---- 0x8004 0x0\n"
     "    %11 = get.i32 r[3]\n"
     "    %12 = get.i32 r[2]\n"
     "    %13 = select.i32.gt %5, %11, %12\n"
     "    set r[2], %13\n"
     "  ---- 0x8008 0x0\n"
     "    %16 = const.i32 0xff\n"
     "    %17 = and.i32 %13, %16\n"
     "    %18 = flagof %17\n"
     "    %19 = setcc.n %18\n"
     "    set n, %19\n"
     "    %21 = setcc.z %18\n"
     "    set z, %21\n"
     "    %23 = const.i32 0x1\n"
     "    set c, %23\n"
     "    %25 = const.i32 0x0\n"
     "    set v, %25\n"
     "    exit_jump pc 0x800c, key 0x0\n"},
    {"mixed_flags", build_mixed_flags,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = and.i32 %2, %2\n"
     "    %4 = flagof %3\n"
     "    %5 = setcc.z %4\n"
     "    %6 = setcc.n %4\n"
     "    %7 = get.i32 c\n"
     "    %8 = get.i32 v\n"
     "    %9 = andn.i32 %7, %5\n"
     "    %11 = const.i32 0x1\n"
     "    %12 = xor.i32 %9, %11\n"
     "    set r[1], %12\n"
     "    %14 = xor.i32 %6, %8\n"
     "    set r[2], %14\n"
     "    set r[3], %7\n"
     "    %20 = or.i32 %5, %14\n"
     "    set r[4], %20\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"boolean_chain", build_boolean_chain,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = get.i32 r[1]\n"
     "    %4 = sub.i32 %2, %3\n"
     "    %5 = flagof %4\n"
     "    %6 = setcc.c %5\n"
     "    %8 = setcc.nc %5\n"
     "    set r[2], %8\n"
     "    set r[3], %6\n"
     "    set r[4], %8\n"
     "    set r[5], %6\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"constants", build_constants,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %4 = const.i32 0x5\n"
     "    set r[0], %4\n"
     "    %9 = const.i32 0x1\n"
     "    set r[1], %9\n"
     "    br block 2\n"
     "block 1:\n"
     "  ---- 0x8000 0x0\n"
     "    exit_jump.poll pc 0x1234, key 0x7\n"
     "block 2:\n"
     "  ---- 0x8000 0x0\n"
     "    %17 = get.i32 r[0]\n"
     "    %18 = const.i32 0x7\n"
     "    exit_indirect %17, %18\n"},
    {"identities", build_identities,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = const.i32 0x0\n"
     "    set r[1], %2\n"
     "    set r[2], %3\n"
     "    %10 = const.i32 0x3\n"
     "    %11 = shl.i32 %2, %10\n"
     "    set r[3], %11\n"
     "    %14 = const.i32 0x4\n"
     "    %15 = shr.i32 %2, %14\n"
     "    set r[4], %15\n"
     "    %17 = zext.i32.8 %2\n"
     "    set r[5], %17\n"
     "    set r[6], %2\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"halves", build_halves,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %3 = get.i32 r[1]\n"
     "    set r[2], %3\n"
     "    set r[3], %2\n"
     "    %7 = widen_u %2\n"
     "    %8 = const.i32 0x0\n"
     "    set r[4], %8\n"
     "    set wide[0], %7\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"addresses", build_addresses,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[0]\n"
     "    %5 = load.i32 %2 - 4 [32]\n"
     "    set r[1], %5\n"
     "  ---- 0x8004 0x0\n"
     "    %8 = const.i32 0x8\n"
     "    %9 = add.i32 %2, %8\n"
     "    store %2 + 12, %5 [32]\n"
     "    set r[0], %9\n"
     "  ---- 0x8008 0x0\n"
     "    %13 = load.i32 %9 [32]\n"
     "    set r[2], %13\n"
     "    exit_jump pc 0x800c, key 0x0\n"},
    {"state", build_state,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %3 = const.i32 0x2\n"
     "    set r[0], %3\n"
     "    %5 = get.i32 r[2]\n"
     "    set byte[0], %5\n"
     "    %7 = zext.i32.8 %5\n"
     "    set r[3], %7\n"
     "    %9 = get.v128 q1\n"
     "    set q0, %9\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"pending", build_pending,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = const.i32 0x5\n"
     "    %3 = get.i32 r[0]\n"
     "    %4 = const.i32 0x1\n"
     "    %5 = add.i32 %3, %4\n"
     "    set r[11], %5\n"
     "  ---- 0x8004 0x0\n"
     "    %8 = get.i32 r[1]\n"
     "    %9 = load.i32 %8 [32] pending r[10]=%2\n"
     "    set r[1], %9\n"
     "  ---- 0x8008 0x0\n"
     "    %12 = get.i32 r[2]\n"
     "    set r[10], %12\n"
     "    set r[11], %12\n"
     "    exit_jump pc 0x800c, key 0x0\n"},
    {"helper", build_helper,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[5]\n"
     "    set r[0], %2\n"
     "    set r[1], %2\n"
     "    %5 = call.i32 helper_reads_r0_writes_r1\n"
     "    %6 = get.i32 r[1]\n"
     "    %7 = add.i32 %2, %6\n"
     "    set r[6], %7\n"
     "    %9 = const.i32 0x0\n"
     "    set r[0], %9\n"
     "    set r[1], %9\n"
     "    set r[2], %9\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
    {"blocks", build_blocks,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.i32 r[3]\n"
     "    set r[2], %2\n"
     "    %4 = and.i32 %2, %2\n"
     "    %5 = flagof %4\n"
     "    brcc.z %5, block 1, block 2\n"
     "block 1:\n"
     "  ---- 0x8000 0x0\n"
     "    %8 = const.i32 0x1\n"
     "    set r[0], %8\n"
     "    set r[1], %8\n"
     "    set r[2], %8\n"
     "    exit_jump pc 0x8004, key 0x0\n"
     "block 2:\n"
     "  ---- 0x8000 0x0\n"
     "    %14 = get.i32 r[2]\n"
     "    set r[4], %14\n"
     "    %16 = get.i32 r[5]\n"
     "    %17 = and.i32 %16, %16\n"
     "    %18 = flagof %17\n"
     "    brcc.n %18, block 2, block 1\n"},
    {"vectors", build_vectors,
     "unit pc 0x8000 key 0x0\n"
     "block 0:\n"
     "  ---- 0x8000 0x0\n"
     "    %2 = get.v128 q0\n"
     "    set q1, %2\n"
     "    %4 = vconst 0x00000000000000000000000000000000\n"
     "    set q2, %4\n"
     "    %8 = vconst 0x00020002000200020002000200020002\n"
     "    set q3, %8\n"
     "    %10 = get.i32 r[1]\n"
     "    set r[0], %10\n"
     "    exit_jump pc 0x8004, key 0x0\n"},
};

static char *optimised_text(void (*build)(struct ir_builder *b))
{
    struct arena arena;
    struct ir_builder b;
    char *text = NULL;
    size_t size;
    arena_init(&arena);
    struct ir_unit *unit = ir_unit_create(&arena, random_fields, RANDOM_N_FIELDS);
    unit->fp = &random_fp_rules;
    unit->pc = 0x8000;
    ir_builder_begin(&b, unit);
    ir_insn(&b, 0x8000, 0);
    build(&b);
    ir_builder_end(&b);
    ir_optimise(unit, true);
    FILE *out = open_memstream(&text, &size);
    ir_print(out, unit);
    fclose(out);
    arena_finish(&arena);
    return text;
}

/* CALQUE_TEST_PRINT=1 prints what to paste where a rule's text has changed on purpose. */
static void rules_give_this_text(void **state)
{
    bool print = getenv("CALQUE_TEST_PRINT");
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        char *text = optimised_text(rules[i].build);
        if (strcmp(text, rules[i].expected)) {
            wrong++;
            print_error("%s gives\n%s", rules[i].name, text);
        }
        for (char *line = text; print && *line; line = strchr(line, '\n') + 1)
            printf("%s\"%.*s\\n\"\n", line == text ? "---\n" : "", (int)strcspn(line, "\n"), line);
        free(text);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_give_this_text), cmocka_unit_test(random_optimised),
        cmocka_unit_test(random_state_only),    cmocka_unit_test(random_fold_only),
        cmocka_unit_test(random_dce_only),      cmocka_unit_test(random_lowered),
        cmocka_unit_test(random_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
