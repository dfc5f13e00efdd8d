/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IR: what the builder makes, what the verifier refuses, how a unit prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_unit.h"
#include "tcg/alu.h"
#include "tcg/eval.h"
#include "tcg/vector_ops.h"

struct test {
    struct arena arena;
    struct ir_unit *unit;
    struct ir_builder b;
};

static void begin(struct test *t)
{
    arena_init(&t->arena);
    t->unit = ir_unit_create(&t->arena, random_fields, RANDOM_N_FIELDS);
    t->unit->fp = &random_fp_rules;
    t->unit->pc = 0x8000;
    ir_builder_begin(&t->b, t->unit);
}

static char *text_of(const struct ir_unit *unit)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ir_print(out, unit);
    fclose(out);
    return text;
}

/* ---- the builder ----------------------------------------------------------------------------- */

static void builder_gives_types(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    ir_insn(b, 0x8000, 3);
    assert_int_equal(ir_type_of(t.unit, ir_get(b, RF_BYTE0)), IR_I32);
    assert_int_equal(ir_type_of(t.unit, ir_get(b, RF_HALF0)), IR_I32);
    assert_int_equal(ir_type_of(t.unit, ir_get(b, RF_D0)), IR_V128);
    assert_int_equal(ir_type_of(t.unit, ir_get(b, RF_DF0)), IR_F64);
    ir_ref wide = ir_get(b, RF_WIDE0);
    assert_int_equal(ir_type_of(t.unit, wide), IR_I64);
    ir_ref shifted = ir_bin_i(b, IR_SHL, wide, 3);
    assert_int_equal(ir_type_of(t.unit, t.unit->insns[shifted].arg[1]), IR_I32);
    ir_ref sum = ir_bin_i(b, IR_ADD, wide, 3);
    assert_int_equal(ir_type_of(t.unit, t.unit->insns[sum].arg[1]), IR_I64);
    assert_int_equal(ir_extract(b, wide, 0, 64), wide);
    assert_int_equal(ir_type_of(t.unit, ir_compare(b, wide, sum)), IR_FLAGS);
    ir_ref f = ir_get(b, RF_S0);
    assert_int_equal(ir_type_of(t.unit, ir_fp(b, IR_FCMP, IR_F32, 0, f, f, 0)), IR_I32);
    ir_exit_stop(b, EXIT_HALT);
    /* After the end of the block nothing is emitted. */
    unsigned n = t.unit->n_insns;
    assert_int_equal(ir_i32(b, 1), IR_NONE);
    assert_int_equal(t.unit->n_insns, n);
    ir_builder_end(b);
    char why[200];
    assert_true(ir_verify(t.unit, why, sizeof(why)));
    arena_finish(&t.arena);
}

/* What was emitted since the mark, with its blocks and vector constants, has never been. */
static void builder_rewinds(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    ir_insn(b, 0x8000, 3);
    ir_ref before = ir_get(b, RF_WIDE0);
    struct ir_mark mark = ir_mark(b);
    ir_insn(b, 0x8004, 4);
    ir_v128(b, 1, 2);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_Z, ir_test(b, before), yes, no);
    ir_block_begin(b, yes);
    ir_rewind(b, &mark);
    assert_int_equal(t.unit->n_insns, before + 1);
    assert_int_equal(t.unit->n_blocks, 1);
    assert_int_equal(t.unit->n_vconst, 0);
    assert_int_equal(b->insn_pc, 0x8000);
    /* The block is open again, and goes on. */
    unsigned next = ir_block_create(b);
    ir_br(b, next);
    ir_block_begin(b, next);
    assert_int_equal(t.unit->insns[t.unit->n_insns - 1].imm, 0x8000);
    ir_exit_stop(b, EXIT_HALT);
    ir_builder_end(b);
    char why[200];
    assert_true(ir_verify(t.unit, why, sizeof(why)));
    arena_finish(&t.arena);
}

static void builder_restates_the_instruction(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    ir_insn(b, 0x8000, 3);
    unsigned late = ir_block_create(b), early = ir_block_create(b);
    ir_block_begin(b, early); /* ends block 0 with a branch */
    const struct ir_insn *first = &t.unit->insns[t.unit->blocks[early].first];
    assert_int_equal(first->op, IR_INSN);
    assert_int_equal(first->imm, 0x8000);
    assert_int_equal(first->aux, 3);
    assert_int_equal(t.unit->insns[t.unit->blocks[0].last].op, IR_BR);
    assert_int_equal(t.unit->insns[t.unit->blocks[0].last].aux, early);
    ir_br(b, late);
    ir_block_begin(b, late);
    ir_exit_jump(b, 0x8004, 0, false);
    ir_builder_end(b);
    char why[200];
    assert_true(ir_verify(t.unit, why, sizeof(why)));
    arena_finish(&t.arena);
}

static void builder_notices_its_limits(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    for (unsigned i = 0; i < 2 * IR_MAX_INSNS; i++)
        ir_set(b, RF_R0, ir_bin_i(b, IR_ADD, ir_get(b, RF_R0), i));
    assert_true(b->overflow);
    assert_true(t.unit->n_insns <= IR_MAX_INSNS);
    ir_exit_stop(b, EXIT_HALT);
    ir_block_begin(b, 0);
    ir_builder_end(b);
    arena_finish(&t.arena);

    begin(&t);
    for (unsigned i = 0; i < IR_MAX_BLOCKS - 1; i++)
        ir_block_create(b);
    assert_false(b->overflow);
    assert_true(ir_block_create(b) < IR_MAX_BLOCKS);
    assert_true(b->overflow);
    arena_finish(&t.arena);

    begin(&t);
    for (unsigned i = 0; i < IR_MAX_VCONSTS; i++)
        ir_v128(b, i, i);
    assert_false(b->overflow);
    ir_v128(b, 0, 0);
    assert_true(b->overflow);
    arena_finish(&t.arena);
}

/* ---- the verifier ---------------------------------------------------------------------------- */

/* A unit with a bit of everything; its refs are stated so that a case can break one. */
struct sample {
    ir_ref insn, r0, r1, sum, flags, bit, load, wide, q, f, get, set, value, store, probe, call,
        end;
    unsigned second;
};

static uint32_t nothing(void *cpu, uint32_t a)
{
    return a;
}
static const struct ir_helper nothing_helper = IR_HELPER(nothing, IR_I32, 1, 0, 0, 0);
static const struct ir_helper fault_helper = IR_HELPER(nothing, IR_I32, 1, HELPER_MAY_FAULT, 0, 0);

static void build_sample(struct test *t, struct sample *s)
{
    begin(t);
    struct ir_builder *b = &t->b;
    ir_insn(b, 0x8000, 0);
    s->insn = (ir_ref)(t->unit->n_insns - 1);
    s->r0 = ir_get(b, RF_R0);
    s->r1 = ir_get(b, RF_R0 + 1);
    s->wide = ir_get(b, RF_WIDE0);
    s->sum = ir_bin(b, IR_ADD, s->r0, s->r1);
    s->flags = ir_flagof(b, s->sum);
    s->bit = ir_setcc(b, IR_C, s->flags);
    s->q = ir_get(b, RF_Q0);
    s->f = ir_get(b, RF_S0);
    s->load = ir_load(b, IR_I32, s->r0, 4, 2);
    ir_store(b, s->r0, 0, s->f, 2);
    s->store = (ir_ref)(t->unit->n_insns - 1);
    s->probe = ir_probe(b, s->r0, 0, 8, 2);
    s->call = ir_call(b, &nothing_helper, s->sum, 0, 0, 0);
    s->value = ir_bin(b, IR_AND, s->load, s->call);
    ir_set(b, RF_R0, s->value);
    s->set = (ir_ref)(t->unit->n_insns - 1);
    s->second = ir_block_create(b);
    ir_brcc(b, IR_Z, s->flags, s->second, 0);
    s->end = (ir_ref)(t->unit->n_insns - 1);
    ir_block_begin(b, s->second);
    s->get = ir_get(b, RF_R0);
    ir_exit_jump(b, 0x8004, 0, false);
    ir_builder_end(b);
}

static struct ir_insn *at(struct test *t, ir_ref ref)
{
    return &t->unit->insns[ref];
}

#define BREAK(name, statement)                                                                     \
    static void break_##name(struct test *t, const struct sample *s)                               \
    {                                                                                              \
        statement;                                                                                 \
    }
BREAK(op, at(t, s->sum)->op = IR_N_OPS)
BREAK(argument_later, at(t, s->sum)->arg[0] = s->load)
BREAK(argument_itself, at(t, s->sum)->arg[0] = s->sum)
BREAK(argument_none, at(t, s->sum)->arg[0] = IR_NONE)
BREAK(argument_other_block, at(t, s->get + 1)->op = IR_EXIT_INDIRECT;
      at(t, s->get + 1)->arg[0] = s->r0; at(t, s->get + 1)->arg[1] = s->r0)
BREAK(argument_void, at(t, s->sum)->arg[0] = s->insn)
BREAK(argument_type, at(t, s->sum)->arg[1] = s->wide)
BREAK(argument_too_many, at(t, s->sum)->arg[2] = s->r0)
BREAK(result_type, at(t, s->sum)->type = IR_F32)
BREAK(result_void, at(t, s->sum)->type = IR_VOID)
BREAK(flags_source, at(t, s->flags)->arg[0] = s->r1)
BREAK(flags_use, at(t, s->sum)->op = IR_NOT; at(t, s->sum)->arg[1] = 0; at(t, s->load)->op = IR_ADD;
      at(t, s->load)->aux = 0; at(t, s->load)->arg[1] = s->flags)
BREAK(condition, at(t, s->bit)->sub = IR_N_CONDS)
BREAK(field, at(t, s->get)->aux = RANDOM_N_FIELDS)
BREAK(field_type, at(t, s->get)->aux = RF_WIDE0)
BREAK(set_type, at(t, s->set)->aux = RF_WIDE0)
BREAK(memop_size, at(t, s->load)->aux = 3)
BREAK(memop_bits, at(t, s->load)->aux |= 1u << 20)
BREAK(store_size, at(t, s->store)->aux = 1)
BREAK(address_width, t->unit->wide_address = true)
BREAK(probe_length, at(t, s->probe)->sub = 0)
BREAK(probe_too_long, at(t, s->probe)->sub = IR_PROBE_MAX + 1)
BREAK(helper, at(t, s->call)->imm = 0)
BREAK(helper_arguments, at(t, s->call)->arg[1] = s->r0)
BREAK(helper_result, at(t, s->call)->type = IR_I64)
BREAK(helper_argument_type, at(t, s->call)->arg[0] = s->f)
BREAK(branch, at(t, s->end)->aux = 2)
BREAK(branch_false, at(t, s->end)->imm = 2)
BREAK(end_early, at(t, s->set)->op = IR_EXIT_LOOKUP; at(t, s->set)->arg[0] = 0;
      at(t, s->set)->aux = 0)
BREAK(end_missing, at(t, s->end)->op = IR_NOP; t->unit->blocks[0].last = s->set)
BREAK(no_insn, at(t, s->insn)->op = IR_NOP)
BREAK(no_insn_before_call, at(t, s->insn)->op = IR_NOP; at(t, s->load)->op = IR_NEG;
      at(t, s->load)->imm = 0; at(t, s->load)->aux = 0; at(t, s->store)->op = IR_NOP;
      at(t, s->probe)->op = IR_NOP; at(t, s->call)->imm = (uintptr_t)&fault_helper)
BREAK(set_before_fault, at(t, s->bit)->op = IR_SET; at(t, s->bit)->type = IR_VOID;
      at(t, s->bit)->aux = RF_R0; at(t, s->bit)->sub = 0; at(t, s->bit)->arg[0] = s->r0)
BREAK(block_empty, t->unit->blocks[1].first = t->unit->blocks[1].last = 0)
BREAK(block_backwards, t->unit->blocks[1].last = (ir_ref)(t->unit->blocks[1].first - 1))
BREAK(block_outside, t->unit->blocks[1].last = (ir_ref)t->unit->n_insns)
BREAK(block_twice, t->unit->blocks[1] = t->unit->blocks[0])
BREAK(no_blocks, t->unit->n_blocks = 0)
BREAK(insn_zero, t->unit->insns[0].op = IR_FENCE)
BREAK(pending_range, at(t, s->load)->pending = 5)
BREAK(pending_on_pure, at(t, s->sum)->pending = 1)

static const struct {
    const char *name;
    void (*damage)(struct test *t, const struct sample *s);
    const char *why;
} breakages[] = {
#define CASE(name, why)                                                                            \
    {                                                                                              \
#name, break_##name, why                                                                   \
    }
    CASE(op, "no such op"),
    CASE(argument_later, "not defined before"),
    CASE(argument_itself, "not defined before"),
    CASE(argument_none, "not defined before"),
    CASE(argument_other_block, "not defined before"),
    CASE(argument_void, "has no value"),
    CASE(argument_type, "has type i64"),
    CASE(argument_too_many, "too many"),
    CASE(result_type, "not what the op yields"),
    CASE(result_void, "not what the op yields"),
    CASE(flags_source, "makes no flags"),
    CASE(flags_use, ""),
    CASE(condition, "no condition"),
    CASE(field, "no field"),
    CASE(field_type, "is i64, not i32"),
    CASE(set_type, "is i64, not i32"),
    CASE(memop_size, "8 bytes with type i32"),
    CASE(memop_bits, "unknown bits"),
    CASE(store_size, "2 bytes with type f32"),
    CASE(address_width, "has type i32"),
    CASE(probe_length, "length"),
    CASE(probe_too_long, "length"),
    CASE(helper, "no helper"),
    CASE(helper_arguments, "takes 1 arguments"),
    CASE(helper_result, "not the helper's result"),
    CASE(helper_argument_type, "no integer"),
    CASE(branch, "no block 2"),
    CASE(branch_false, "no block 2"),
    CASE(end_early, "too early"),
    CASE(end_missing, "does not end"),
    CASE(no_insn, "before any INSN"),
    CASE(no_insn_before_call, "before any INSN"),
    CASE(set_before_fault, "after a SET"),
    CASE(block_empty, "not filled"),
    CASE(block_backwards, "extent"),
    CASE(block_outside, "extent"),
    CASE(block_twice, "two blocks"),
    CASE(no_blocks, "0 blocks"),
    CASE(insn_zero, "insn 0"),
    CASE(pending_range, "pending record"),
    CASE(pending_on_pure, "cannot fault"),
#undef CASE
};

static void verifier_refuses_what_is_broken(void **state)
{
    struct test t;
    struct sample sample;
    char why[256];
    build_sample(&t, &sample);
    assert_true(ir_verify(t.unit, why, sizeof(why)));
    arena_finish(&t.arena);
    for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
        build_sample(&t, &sample);
        breakages[i].damage(&t, &sample);
        why[0] = '\0';
        if (ir_verify(t.unit, why, sizeof(why)))
            fail_msg("%s: accepted", breakages[i].name);
        if (!strstr(why, breakages[i].why))
            fail_msg("%s: %s", breakages[i].name, why);
        assert_false(ir_verify(t.unit, NULL, 0));
        arena_finish(&t.arena);
    }
}

/* One insn of each kind with details out of range; args: types of arguments from fields. */
static const struct detail {
    uint8_t op, type, sub;
    uint32_t aux;
    uint8_t fields[3];
    bool good;
} details[] = {
    {IR_SEXT, IR_I32, 8, 0, {RF_R0}, true},
    {IR_SEXT, IR_I32, 32, 0, {RF_R0}, false},
    {IR_EXTRACT, IR_I32, 31, 1, {RF_R0}, true},
    {IR_EXTRACT, IR_I32, 31, 2, {RF_R0}, false},
    {IR_EXTRACT, IR_I32, 0, 0, {RF_R0}, false},
    {IR_DEPOSIT, IR_I64, 32, 32, {RF_WIDE0, RF_WIDE0}, true},
    {IR_DEPOSIT, IR_I64, 33, 32, {RF_WIDE0, RF_WIDE0}, false},
    {IR_VSHL_I, IR_V128, IR_LANE16, 15, {RF_Q0}, true},
    {IR_VSHL_I, IR_V128, IR_LANE16, 16, {RF_Q0}, false},
    {IR_VMUL, IR_V128, IR_LANE64, 0, {RF_Q0, RF_Q0}, false},
    {IR_VADDS_S, IR_V128, IR_LANE32, 0, {RF_Q0, RF_Q0}, false},
    {IR_VNARROW, IR_V128, IR_LANE8, 0, {RF_Q0}, false},
    {IR_VWIDEN_S, IR_V128, IR_LANE64, 0, {RF_Q0}, false},
    {IR_VADD, IR_V128, 4, 0, {RF_Q0, RF_Q0}, false},
    {IR_VGETLANE, IR_I32, IR_LANE32, 3, {RF_Q0}, true},
    {IR_VGETLANE, IR_I32, IR_LANE32, 4, {RF_Q0}, false},
    {IR_VGETLANE, IR_I32, IR_LANE64, 0, {RF_Q0}, false},
    {IR_VSETLANE, IR_V128, IR_LANE64, 1, {RF_Q0, RF_WIDE0}, true},
    {IR_VSETLANE, IR_V128, IR_LANE64, 1, {RF_Q0, RF_R0}, false},
    {IR_VDUP, IR_V128, IR_LANE8, 0, {RF_WIDE0}, false},
    {IR_VEXT, IR_V128, 0, 16, {RF_Q0, RF_Q0}, false},
    {IR_VFADD, IR_V128, IR_LANE32, 0, {RF_Q0, RF_Q0}, true},
    {IR_VFADD, IR_V128, IR_LANE16, 0, {RF_Q0, RF_Q0}, false},
    {IR_BITCAST, IR_F32, 0, 0, {RF_R0}, true},
    {IR_BITCAST, IR_F64, 0, 0, {RF_R0}, false},
    {IR_BITCAST, IR_V128, 0, 0, {RF_WIDE0}, true},
    {IR_BITCAST, IR_I64, 0, 0, {RF_Q0}, false},
    {IR_FCVT, IR_F64, 0, 0, {RF_S0}, true},
    {IR_FCVT, IR_F32, 0, 0, {RF_S0}, false},
    {IR_FCMP, IR_I32, 0, 0, {RF_S0, RF_DF0}, false},
    {IR_FADD, IR_F32, 0, 0, {RF_S0, RF_DF0}, false},
    {IR_ADC, IR_I64, 0, 0, {RF_WIDE0, RF_WIDE0, RF_R0}, true},
    {IR_ADC, IR_I64, 0, 0, {RF_WIDE0, RF_WIDE0, RF_WIDE0}, false},
    {IR_DIVIDE, IR_I32, 1, 0, {RF_R0, RF_R0, RF_R0}, true},
    {IR_DIVIDE, IR_I32, 2, 0, {RF_R0, RF_R0, RF_R0}, false},
    {IR_DIVIDE, IR_I64, 0, 0, {RF_WIDE0, RF_R0, RF_WIDE0}, false},
    {IR_REMAINDER, IR_I32, 0, 0, {RF_R0}, false},
    {IR_RMW, IR_I32, IR_RMW_XOR + 1, 2, {RF_R0, RF_R0}, false},
    {IR_CAS, IR_I32, 0, 3, {RF_R0, RF_R0, RF_R0}, false},
    {IR_LOAD, IR_V128, 0, 3, {RF_R0}, false},
    {IR_HLOAD, IR_I32, 0, 2, {RF_R0}, false},
    {IR_EXIT_STOP, IR_VOID, 0, EXIT_YIELD, {0}, true},
    {IR_EXIT_STOP, IR_VOID, 0, EXIT_YIELD + 1, {0}, false},
};

static void verifier_knows_each_ops_details(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(details); i++) {
        const struct detail *d = &details[i];
        struct test t;
        char why[256] = "";
        begin(&t);
        ir_insn(&t.b, 0x8000, 0);
        ir_ref arg[3] = {0, 0, 0};
        for (unsigned k = 0; k < ir_op_info[d->op].n_args; k++)
            arg[k] = ir_get(&t.b, d->fields[k]);
        ir_emit(&t.b, d->op, d->type, d->sub, d->aux, arg[0], arg[1], arg[2], 0);
        ir_exit_lookup(&t.b);
        ir_builder_end(&t.b);
        if (ir_verify(t.unit, why, sizeof(why)) != d->good)
            fail_msg("case %zu, %s: %s", i, ir_op_info[d->op].name, why);
        arena_finish(&t.arena);
    }
}

/* ---- printing -------------------------------------------------------------------------------- */

static void unit_prints_like_this(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    t.unit->key = 0x12;
    ir_insn(b, 0x8000, 0x30);
    ir_ref r0 = ir_get(b, RF_R0);
    ir_ref sum = ir_bin_i(b, IR_SUB, r0, 0x10);
    ir_ref flags = ir_flagof(b, sum);
    ir_ref bit = ir_setcc(b, IR_C_AND_NZ, flags);
    ir_ref part = ir_extract(b, sum, 4, 8);
    ir_ref load = ir_load(b, IR_I32, part, -8, 1 | IR_MEM_SIGN | IR_MEM_SWAP | IR_MEM_ALIGN_OF(1));
    ir_store(b, part, 16, load, 2);
    ir_ref pointer = ir_probe(b, r0, 0, 8, 2 | IR_MEM_WRITE);
    ir_hstore(b, pointer, 4, bit, 2);
    ir_commit(b, pointer, r0, 0, 8, 2 | IR_MEM_WRITE);
    ir_rmw(b, IR_I32, IR_RMW_ADD, r0, bit, 2);
    ir_ref q = ir_v128(b, 1, 2);
    q = ir_vec(b, IR_VADD, IR_LANE16, q, q);
    ir_vec_i(b, IR_VGETLANE, IR_LANE32, q, 3);
    ir_ref f = ir_get(b, RF_S0);
    ir_fp(b, IR_FADD, IR_F32, IR_FP_FLUSH, f, f, 0);
    ir_call(b, &nothing_helper, bit, 0, 0, 0);
    ir_set(b, RF_R0 + 1, load);
    unsigned out = ir_block_create(b);
    ir_brcc(b, IR_GE, flags, out, 0);
    ir_block_begin(b, out);
    ir_exit_jump(b, 0x8010, 3, true);
    ir_builder_end(b);
    static const char expected[] = "unit pc 0x8000 key 0x12\n"
                                   "block 0:\n"
                                   "  ---- 0x8000 0x30\n"
                                   "    %2 = get.i32 r[0]\n"
                                   "    %3 = const.i32 0x10\n"
                                   "    %4 = sub.i32 %2, %3\n"
                                   "    %5 = flagof %4\n"
                                   "    %6 = setcc.c&nz %5\n"
                                   "    %7 = extract.i32 %4, 4, 8\n"
                                   "    %8 = load.i32 %7 - 8 [16 signed swap align 2]\n"
                                   "    store %7 + 16, %8 [32]\n"
                                   "    %10 = probe %2, 8 bytes [32 write]\n"
                                   "    hstore %10 + 4, %6 [32]\n"
                                   "    commit %10, %2, 8 bytes [32 write]\n"
                                   "    %13 = rmw.i32.add %2, %6 [32]\n"
                                   "    %14 = vconst 0x00000000000000020000000000000001\n"
                                   "    %15 = vadd.16 %14, %14\n"
                                   "    %16 = vgetlane.i32.32 %15, 3\n"
                                   "    %17 = get.f32 s0\n"
                                   "    %18 = fadd.f32.1 %17, %17\n"
                                   "    %19 = call.i32 nothing, %6\n"
                                   "    set r[1], %8\n"
                                   "    brcc.ge %5, block 1, block 0\n"
                                   "block 1:\n"
                                   "  ---- 0x8000 0x30\n"
                                   "    exit_jump.poll pc 0x8010, key 0x3\n";
    char *text = text_of(t.unit);
    assert_string_equal(text, expected);
    free(text);
    arena_finish(&t.arena);
}

/* ---- meanings -------------------------------------------------------------------------------- */

static void conditions_come_in_pairs(void **state)
{
    enum { N = IR_FLAG_N, Z = IR_FLAG_Z, C = IR_FLAG_C, V = IR_FLAG_V };
    for (unsigned cond = 0; cond < IR_N_CONDS; cond++) {
        for (unsigned flags = 0; flags <= UINT16_MAX; flags++)
            assert_int_not_equal(ir_cond_holds(cond, flags), ir_cond_holds(cond ^ 1, flags));
    }
    assert_true(ir_cond_holds(IR_C_AND_NZ, C) && !ir_cond_holds(IR_C_AND_NZ, C | Z));
    assert_true(ir_cond_holds(IR_NC_AND_NZ, 0) && !ir_cond_holds(IR_NC_AND_NZ, C));
    assert_true(ir_cond_holds(IR_GE, N | V) && ir_cond_holds(IR_LT, N));
    assert_true(ir_cond_holds(IR_GT, 0) && !ir_cond_holds(IR_GT, Z));
    assert_true(ir_cond_holds(IR_P, IR_FLAG_P) && ir_cond_holds(IR_NP, IR_FLAG_ALL ^ IR_FLAG_P));
}

/* SDM vol. 1, 3.4.3.1. */
static void narrow_flags_are_those_of_the_width(void **state)
{
    static const struct {
        uint8_t op, sub;
        uint32_t a, b, result;
        unsigned flags;
    } cases[] = {
        {IR_ADD, 8, 0x1ff, 0x01, 0x00, IR_FLAG_C | IR_FLAG_Z | IR_FLAG_P | IR_FLAG_A},
        {IR_ADD, 8, 0x7f, 0x01, 0x80, IR_FLAG_V | IR_FLAG_N | IR_FLAG_A},
        {IR_SUB, 16, 0x10000, 0x0001, 0xffff, IR_FLAG_C | IR_FLAG_N | IR_FLAG_P | IR_FLAG_A},
        {IR_AND, 16, 0xf0300, 0xff00, 0x0300, IR_FLAG_P},
        {IR_XOR, 8, 0x181, 0x01, 0x80, IR_FLAG_N},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(
            ir_eval_integer(cases[i].op, IR_I32, cases[i].sub, 0, cases[i].a, cases[i].b, 0),
            cases[i].result);
        assert_int_equal(
            ir_eval_flags(cases[i].op, IR_I32, cases[i].sub, cases[i].a, cases[i].b, 0),
            cases[i].flags);
    }
}

/* Against arithmetic that is wide enough not to overflow. */
static void flags_are_those_of_exact_arithmetic(void **state)
{
    static const uint32_t values[] = {0,          1,          2,          0x7ffffffe, 0x7fffffff,
                                      0x80000000, 0x80000001, 0xfffffffe, 0xffffffff, 0x12345678};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
            for (unsigned carry = 0; carry < 2; carry++) {
                uint64_t a = values[i], b = values[j];
                int64_t sa = (int32_t)a, sb = (int32_t)b;
                uint64_t sum = a + b + carry;
                int64_t signed_sum = sa + sb + carry, signed_difference = sa - sb - carry;
                unsigned flags = ir_eval_flags(IR_ADC, IR_I32, 0, a, b, carry);
                assert_int_equal(!!(flags & IR_FLAG_C), sum >> 32);
                assert_int_equal(!!(flags & IR_FLAG_V), signed_sum != (int32_t)signed_sum);
                assert_int_equal(!!(flags & IR_FLAG_Z), (uint32_t)sum == 0);
                assert_int_equal(!!(flags & IR_FLAG_N), (uint32_t)sum >> 31);
                flags = ir_eval_flags(IR_SBB, IR_I32, 0, a, b, carry);
                assert_int_equal(!!(flags & IR_FLAG_C), a < b + carry);
                assert_int_equal(!!(flags & IR_FLAG_V),
                                 signed_difference != (int32_t)signed_difference);
                /* 64 bits: the same numbers in the top half behave alike. */
                const unsigned nzcv = IR_FLAG_N | IR_FLAG_Z | IR_FLAG_C | IR_FLAG_V;
                if (!carry)
                    assert_int_equal(ir_eval_flags(IR_SUB, IR_I64, 0, a << 32, b << 32, 0) & nzcv,
                                     ir_eval_flags(IR_SUB, IR_I32, 0, a, b, 0) & nzcv);
            }
        }
    }
}

/* Flags that the manual defines, SDM vol. 2. */
static void alu_rows_mean_what_they_say(void **state)
{
    enum { N = IR_FLAG_N, Z = IR_FLAG_Z, C = IR_FLAG_C, P = IR_FLAG_P, V = IR_FLAG_V };
    static const struct {
        uint8_t row, width;
        uint64_t a, b, c;
        uint16_t before;
        uint64_t result;
        uint16_t defined, after;
    } cases[] = {
        {IR_ALU_SHL, 8, 0x181, 1, 0, 0, 0x02, N | Z | C | P | V, C | V},
        {IR_ALU_SHL, 32, 5, 32, 0, IR_FLAG_ALL, 5, IR_FLAG_ALL, IR_FLAG_ALL},
        {IR_ALU_RCL, 16, 0x8000, 1, 0, C | Z, 0x0001, C | Z, C | Z},
        {IR_ALU_RCR, 64, 0, 1, 0, C, UINT64_C(1) << 63, C, 0},
        {IR_ALU_ROR, 32, 1, 1, 0, Z | P, 0x80000000, N | Z | C | P, Z | P | C},
        {IR_ALU_SHLD, 32, 0x12345678, 0xabcdef01, 8, 0, 0x345678ab, N | Z | C, 0},
        {IR_ALU_IMUL, 8, 0x80, 2, 0, 0, 0, C | V, C | V},
        {IR_ALU_MUL, 32, 0x10000, 0xffff, 0, 0, 0xffff0000, C | V, 0},
        {IR_ALU_IMULH, 32, 0xffffffff, 2, 0, 0, 0xffffffff, 0, 0},
        {IR_ALU_MULH, 64, UINT64_MAX, 2, 0, 0, 1, 0, 0},
        {IR_ALU_BTS, 32, 0, 33, 0, Z, 2, C | Z, Z},
        {IR_ALU_BSF, 32, 0x100, 7, 0, 0, 8, Z, 0},
        {IR_ALU_BSR, 16, 0, 7, 0, 0, 7, Z, Z},
        {IR_ALU_TZCNT, 16, 0, 0, 0, 0, 16, C | Z, C},
        {IR_ALU_BEXTR, 32, 0xabcd, 0x0804, 0, 0, 0xbc, Z | C | V, 0},
        {IR_ALU_BZHI, 64, UINT64_MAX, 4, 0, 0, 15, Z | C, 0},
        {IR_ALU_BLSI, 32, 0, 0, 0, 0, 0, Z | C, Z},
        {IR_ALU_PDEP, 32, 5, 0xf0, 0, 0, 0x50, 0, 0},
        {IR_ALU_PEXT, 32, 0x50, 0xf0, 0, 0, 5, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint16_t flags = cases[i].before;
        assert_int_equal(
            ir_alu_eval(cases[i].row, cases[i].width, cases[i].a, cases[i].b, cases[i].c, &flags),
            cases[i].result);
        assert_int_equal(flags & cases[i].defined, cases[i].after);
    }
}

static void integer_ops_mean_what_they_say(void **state)
{
    static const struct {
        uint8_t op, type, sub;
        uint32_t aux;
        uint64_t a, b, c, result;
    } cases[] = {
        {IR_UDIV, IR_I32, 0, 0, 7, 0, 0, 0},
        {IR_SDIV, IR_I32, 0, 0, 0x80000000, 0xffffffff, 0, 0x80000000},
        {IR_SDIV, IR_I32, 0, 0, 0xfffffff9, 2, 0, 0xfffffffd},
        {IR_SDIV, IR_I64, 0, 0, UINT64_C(1) << 63, UINT64_MAX, 0, UINT64_C(1) << 63},
        {IR_SHL, IR_I32, 0, 0, 1, 33, 0, 2},
        {IR_SAR, IR_I32, 0, 0, 0x80000000, 31, 0, 0xffffffff},
        {IR_SAR, IR_I64, 0, 0, UINT64_C(1) << 63, 63, 0, UINT64_MAX},
        {IR_ROR, IR_I32, 0, 0, 1, 1, 0, 0x80000000},
        {IR_ROR, IR_I32, 0, 0, 5, 32, 0, 5},
        {IR_CLZ, IR_I32, 0, 0, 0, 0, 0, 32},
        {IR_CLZ, IR_I64, 0, 0, 1, 0, 0, 63},
        {IR_CTZ, IR_I32, 0, 0, 0, 0, 0, 32},
        {IR_CTZ, IR_I64, 0, 0, 8, 0, 0, 3},
        {IR_POPCNT, IR_I32, 0, 0, 0xf0f0, 0, 0, 8},
        {IR_BSWAP, IR_I32, 0, 0, 0x11223344, 0, 0, 0x44332211},
        {IR_BITREV, IR_I32, 0, 0, 0x00000005, 0, 0, 0xa0000000},
        {IR_BITREV, IR_I64, 0, 0, 1, 0, 0, UINT64_C(1) << 63},
        {IR_SEXT, IR_I32, 8, 0, 0x1280, 0, 0, 0xffffff80},
        {IR_ZEXT, IR_I64, 16, 0, 0x12345678, 0, 0, 0x5678},
        {IR_EXTRACT, IR_I32, 4, 8, 0x12345678, 0, 0, 0x67},
        {IR_SEXTRACT, IR_I32, 28, 4, 0x92345678, 0, 0, 0xfffffff9},
        {IR_DEPOSIT, IR_I32, 8, 16, 0xffffffff, 0x12345, 0, 0xff2345ff},
        {IR_DEPOSIT, IR_I32, 0, 32, 1, 2, 0, 2},
        {IR_WIDEN_S, IR_I64, 0, 0, 0x80000000, 0, 0, UINT64_C(0xffffffff80000000)},
        {IR_CONCAT, IR_I64, 0, 0, 2, 1, 0, UINT64_C(0x100000002)},
        {IR_HIGH, IR_I32, 0, 0, UINT64_C(0x1234567800000000), 0, 0, 0x12345678},
        {IR_ADC, IR_I32, 0, 0, 0xffffffff, 0, 1, 0},
        {IR_SBB, IR_I32, 0, 0, 0, 0, 1, 0xffffffff},
        {IR_NEG, IR_I32, 0, 0, 1, 0, 0, 0xffffffff},
        {IR_ANDN, IR_I32, 0, 0, 0xff, 0x0f, 0, 0xf0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t result = ir_eval_integer(cases[i].op, cases[i].type, cases[i].sub, cases[i].aux,
                                          cases[i].a, cases[i].b, cases[i].c);
        if (result != cases[i].result)
            fail_msg("case %zu, %s: 0x%llx", i, ir_op_info[cases[i].op].name,
                     (unsigned long long)result);
    }
}

static void vector_ops_mean_what_they_say(void **state)
{
    static const struct {
        uint8_t op, sub, aux;
        uint64_t a[2], b[2], result[2];
    } cases[] = {
        {IR_VADD, 0, 0, {0x00ff, 1}, {0x0101, 2}, {0x0100, 3}},
        {IR_VADD, 3, 0, {UINT64_MAX, 1}, {1, 1}, {0, 2}},
        {IR_VMUL, 1, 0, {0x00030002, 0}, {0x00050100, 0}, {0x000f0200, 0}},
        {IR_VABS, 0, 0, {0x80ff7f, 0}, {0, 0}, {0x80017f, 0}},
        {IR_VCMPGT_S, 2, 0, {0x1ffffffff, 0}, {0, 0}, {UINT64_C(0xffffffff00000000), 0}},
        {IR_VCMPGT_U, 2, 0, {0x1ffffffff, 0}, {0, 0}, {UINT64_MAX, 0}},
        {IR_VMIN_S, 3, 0, {UINT64_MAX, 3}, {1, 2}, {UINT64_MAX, 2}},
        {IR_VMAX_U, 3, 0, {UINT64_MAX, 3}, {1, 2}, {UINT64_MAX, 3}},
        {IR_VADDS_S, 0, 0, {0x7f80, 0}, {0x01ff, 0}, {0x7f80, 0}},
        {IR_VADDS_U, 1, 0, {0xfffe, 0}, {5, 0}, {0xffff, 0}},
        {IR_VSUBS_U, 0, 0, {0x0500, 0}, {0x0301, 0}, {0x0200, 0}},
        {IR_VSUBS_S, 1, 0, {0x8000, 0}, {1, 0}, {0x8000, 0}},
        {IR_VAVG_U, 0, 0, {0xff01, 0}, {0xff02, 0}, {0xff02, 0}},
        {IR_VSHL_I, 0, 4, {0x12ff, 0}, {0, 0}, {0x20f0, 0}},
        {IR_VSAR_I, 1, 15, {0x80007fff, 0}, {0, 0}, {0xffff0000, 0}},
        {IR_VDUP, 1, 0, {0x11234, 0}, {0, 0}, {0x1234123412341234, 0x1234123412341234}},
        {IR_VGETLANE, 0, 9, {0, 0xab00}, {0, 0}, {0xab, 0}},
        {IR_VSETLANE, 2, 2, {1, 2}, {0xffffffff, 0}, {1, 0xffffffff}},
        {IR_VWIDEN_S, 0, 0, {0x8001, 9}, {0, 0}, {0xff800001, 0}},
        {IR_VWIDEN_U, 2, 0, {0x8000000000000001, 9}, {0, 0}, {1, 0x80000000}},
        {IR_VNARROW, 1, 0, {0x1122334455667788, 0x99aabbccddeeff00}, {0, 0}, {0xaaccee0022446688}},
        {IR_VZIP_LO, 2, 0, {0x200000001, 9}, {0x400000003, 9}, {0x300000001, 0x400000002}},
        {IR_VZIP_HI, 3, 0, {1, 2}, {3, 4}, {2, 4}},
        {IR_VCONCAT, 0, 0, {1, 2}, {3, 4}, {1, 3}},
        {IR_VHIGH, 0, 0, {1, 2}, {3, 4}, {2, 0}},
        {IR_VEXT, 0, 8, {1, 2}, {3, 4}, {2, 3}},
        {IR_VEXT, 0, 1, {0x100, 0}, {0xab, 4}, {1, 0xab00000000000000}},
        {IR_VSHUFFLE, 0, 0, {0x0706050403020100, 0x0f0e0d0c0b0a0908}, {0x80010f, 0}, {0x010f, 0}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        union ir_vector a = {.d = {cases[i].a[0], cases[i].a[1]}};
        union ir_vector b = {.d = {cases[i].b[0], cases[i].b[1]}}, r;
        ir_vector_eval(cases[i].op, cases[i].sub, cases[i].aux, &r, &a, &b, &b);
        if (cases[i].op == IR_VSHUFFLE) /* index 0 everywhere else gives byte 0, which is 0 */
            r.d[1] &= 0;
        if (r.d[0] != cases[i].result[0] || r.d[1] != cases[i].result[1])
            fail_msg("case %zu, %s: 0x%016llx%016llx", i, ir_op_info[cases[i].op].name,
                     (unsigned long long)r.d[1], (unsigned long long)r.d[0]);
        /* In place. */
        ir_vector_eval(cases[i].op, cases[i].sub, cases[i].aux, &a, &a, &b, &b);
        assert_true(a.d[0] == r.d[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_gives_types),
        cmocka_unit_test(builder_rewinds),
        cmocka_unit_test(builder_restates_the_instruction),
        cmocka_unit_test(builder_notices_its_limits),
        cmocka_unit_test(verifier_refuses_what_is_broken),
        cmocka_unit_test(verifier_knows_each_ops_details),
        cmocka_unit_test(unit_prints_like_this),
        cmocka_unit_test(conditions_come_in_pairs),
        cmocka_unit_test(alu_rows_mean_what_they_say),
        cmocka_unit_test(narrow_flags_are_those_of_the_width),
        cmocka_unit_test(flags_are_those_of_exact_arithmetic),
        cmocka_unit_test(integer_ops_mean_what_they_say),
        cmocka_unit_test(vector_ops_mean_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
