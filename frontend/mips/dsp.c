/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation of frontend/mips/dsp.decode: MD00374 and MD00375, chapter "The MIPS DSP ASE
 * Instruction Set". What instructions compute is in dsp.def and dsp64.def; the rest is here.
 */
#include "frontend/mips/dsp.h"
#include "frontend/mips/translate.h"

#define DECODE_IMPLEMENTATION
#include "build/gen/dsp.inc"

/* ---- rows of dsp.def ------------------------------------------------------------------------- */

/* The operands, and the destination, have the type of the helper's result. */
static ir_ref get(struct xlat *x, const struct ir_helper *helper, int n)
{
    return helper->result == IR_I64 ? mips_get64(x, n) : mips_get32(x, n);
}

static ir_ref constant(struct xlat *x, const struct ir_helper *helper, int value)
{
    return helper->result == IR_I64 ? ir_i64(&x->b, (uint64_t)value)
                                    : ir_i32(&x->b, (uint32_t)value);
}

static void set(struct xlat *x, const struct ir_helper *helper, int n, ir_ref value)
{
    if (helper->result == IR_I64)
        mips_set64(x, n, value);
    else
        mips_set32(x, n, value);
}

static bool shape_RRR(struct xlat *x, const struct arg_rrr *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rd,
            ir_call(&x->b, helper, get(x, helper, a->rs), get(x, helper, a->rt), IR_NONE, IR_NONE));
    return true;
}

static bool shape_RT(struct xlat *x, const struct arg_rt_rd *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rd,
            ir_call(&x->b, helper, constant(x, helper, 0), get(x, helper, a->rt), IR_NONE,
                    IR_NONE));
    return true;
}

static bool shape_RS(struct xlat *x, const struct arg_rs_rd *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rd,
            ir_call(&x->b, helper, get(x, helper, a->rs), constant(x, helper, 0), IR_NONE,
                    IR_NONE));
    return true;
}

static bool shape_SHIFT(struct xlat *x, const struct arg_dsp_shift *a,
                        const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rd,
            ir_call(&x->b, helper, constant(x, helper, a->sa), get(x, helper, a->rt), IR_NONE,
                    IR_NONE));
    return true;
}

static bool shape_CMP(struct xlat *x, const struct arg_rs_rt *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        ir_call(&x->b, helper, get(x, helper, a->rs), get(x, helper, a->rt), IR_NONE, IR_NONE);
    return true;
}

static bool shape_RR(struct xlat *x, const struct arg_rs_rt *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rt,
            ir_call(&x->b, helper, get(x, helper, a->rs), get(x, helper, a->rt), IR_NONE, IR_NONE));
    return true;
}

static bool shape_RRS(struct xlat *x, const struct arg_dsp_rrs *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set(x, helper, a->rt,
            ir_call(&x->b, helper, get(x, helper, a->rs), get(x, helper, a->rt),
                    ir_i32(&x->b, (uint32_t)a->sa), IR_NONE));
    return true;
}

enum { N_RRR = 2, N_RT = 2, N_RS = 2, N_SHIFT = 2, N_CMP = 2, N_RR = 2, N_RRS = 3 };
#define ARGS_RRR arg_rrr
#define ARGS_RT arg_rt_rd
#define ARGS_RS arg_rs_rd
#define ARGS_SHIFT arg_dsp_shift
#define ARGS_CMP arg_rs_rt
#define ARGS_RR arg_rs_rt
#define ARGS_RRS arg_dsp_rrs
#define FLAGS_PURE HELPER_PURE
#define FLAGS_DSP 0
#define GROUP_PURE 0

#define TRANS(name, args, call)                                                                    \
    bool mips_trans_##name(struct xlat *x, const struct args *a)                                   \
    {                                                                                              \
        return call(x, a, &helper_##name);                                                         \
    }
#define ROW(name, shape, type, group, expression)                                                  \
    static const struct ir_helper helper_##name = IR_HELPER(                                       \
        mips_dsp_##name, IR_##type, N_##shape, FLAGS_##group, GROUP_##group, GROUP_##group);       \
    TRANS(name, ARGS_##shape, shape_##shape)

/* ---- accumulators ---------------------------------------------------------------------------- */

static ir_ref accumulator(struct xlat *x, int ac)
{
    struct ir_builder *b = &x->b;
    ir_ref lo = mips_truncate(x, ir_get(b, F_LO0 + (unsigned)ac));

    return ir_bin(b, IR_CONCAT, lo, mips_truncate(x, ir_get(b, F_HI0 + (unsigned)ac)));
}

static void set_accumulator(struct xlat *x, int ac, ir_ref value)
{
    struct ir_builder *b = &x->b;

    ir_set(b, F_LO0 + (unsigned)ac, mips_extend(x, ir_un(b, IR_NARROW, value)));
    ir_set(b, F_HI0 + (unsigned)ac, mips_extend(x, ir_un(b, IR_HIGH, value)));
}

static bool accumulate(struct xlat *x, const struct arg_dsp_acc *a, const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        set_accumulator(x, a->ac,
                        ir_call(&x->b, helper, accumulator(x, a->ac), mips_get32(x, a->rs),
                                mips_get32(x, a->rt), ir_i32(&x->b, (uint32_t)a->ac)));
    return true;
}

/* The amount, or size, is in the field rs, or in that register. */
static ir_ref amount(struct xlat *x, const struct arg_dsp_acc *a, bool variable)
{
    return variable ? mips_get32(x, a->rs) : ir_i32(&x->b, (uint32_t)a->rs);
}

static bool extract(struct xlat *x, const struct arg_dsp_acc *a, const struct ir_helper *helper,
                    bool variable)
{
    if (mips_check_dsp(x))
        mips_set32(x, a->rt,
                   ir_call(&x->b, helper, accumulator(x, a->ac), amount(x, a, variable), IR_NONE,
                           IR_NONE));
    return true;
}

static bool accumulate_wide(struct xlat *x, const struct arg_dsp_acc *a,
                            const struct ir_helper *helper)
{
    if (mips_check_dsp(x))
        ir_call(&x->b, helper, mips_get64(x, a->rs), mips_get64(x, a->rt),
                ir_i32(&x->b, (uint32_t)a->ac), IR_NONE);
    return true;
}

static bool extract_wide(struct xlat *x, const struct arg_dsp_acc *a,
                         const struct ir_helper *helper, bool variable)
{
    if (mips_check_dsp(x))
        mips_set64(x, a->rt,
                   ir_call(&x->b, helper, amount(x, a, variable), ir_i32(&x->b, (uint32_t)a->ac),
                           IR_NONE, IR_NONE));
    return true;
}

#define ACC(name, group, expression)                                                               \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(mips_dsp_##name, IR_I64, 4, FLAGS_##group, GROUP_##group, GROUP_##group);        \
    TRANS(name, arg_dsp_acc, accumulate)
#define EXT(name, variable, expression)                                                            \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(mips_dsp_##name, IR_I32, 2, 0, GROUP_DSP, GROUP_DSP);                            \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_acc *a)                            \
    {                                                                                              \
        return extract(x, a, &helper_##name, variable);                                            \
    }
#define WIDE(name, expression)                                                                     \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(mips_dsp_##name, IR_VOID, 3, 0, GROUP_DSP | GROUP_HILO, GROUP_DSP | GROUP_HILO); \
    TRANS(name, arg_dsp_acc, accumulate_wide)
#define WIDE_EXT(name, variable, expression)                                                       \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(mips_dsp_##name, IR_I64, 2, 0, GROUP_DSP | GROUP_HILO, GROUP_DSP);               \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_acc *a)                            \
    {                                                                                              \
        return extract_wide(x, a, &helper_##name, variable);                                       \
    }

#include "frontend/mips/dsp.def"
#include "frontend/mips/dsp64.def"

/* ---- MFHI and its like ----------------------------------------------------------------------- */

/* The base table has taken ac0. */
#define MOVE_FROM(name, field)                                                                     \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_rd_acc *a)                         \
    {                                                                                              \
        if (mips_check_dsp(x))                                                                     \
            mips_set(x, a->rd, ir_get(&x->b, field + (unsigned)a->ac));                            \
        return true;                                                                               \
    }
#define MOVE_TO(name, field)                                                                       \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_rs_acc *a)                         \
    {                                                                                              \
        if (mips_check_dsp(x))                                                                     \
            ir_set(&x->b, field + (unsigned)a->ac, mips_get(x, a->rs));                            \
        return true;                                                                               \
    }
MOVE_FROM(MFHI_ac, F_HI0)
MOVE_FROM(MFLO_ac, F_LO0)
MOVE_TO(MTHI_ac, F_HI0)
MOVE_TO(MTLO_ac, F_LO0)

/* op: IR_NOP to replace. */
static bool multiply(struct xlat *x, const struct arg_dsp_acc *a, enum ir_op extend, enum ir_op op)
{
    struct ir_builder *b = &x->b;
    ir_ref product;

    if (!mips_check_dsp(x))
        return true;
    product = ir_bin(b, IR_MUL, ir_un(b, extend, mips_get32(x, a->rs)),
                     ir_un(b, extend, mips_get32(x, a->rt)));
    set_accumulator(x, a->ac,
                    op == IR_NOP ? product : ir_bin(b, op, accumulator(x, a->ac), product));
    return true;
}

#define MULTIPLY(name, extend, op)                                                                 \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_acc *a)                            \
    {                                                                                              \
        return multiply(x, a, extend, op);                                                         \
    }
MULTIPLY(MULT_ac, IR_WIDEN_S, IR_NOP)
MULTIPLY(MULTU_ac, IR_WIDEN_U, IR_NOP)
MULTIPLY(MADD_ac, IR_WIDEN_S, IR_ADD)
MULTIPLY(MADDU_ac, IR_WIDEN_U, IR_ADD)
MULTIPLY(MSUB_ac, IR_WIDEN_S, IR_SUB)
MULTIPLY(MSUBU_ac, IR_WIDEN_U, IR_SUB)

/* ---- accumulators as shift registers --------------------------------------------------------- */

static const struct ir_helper helper_SHILO =
    IR_HELPER(mips_dsp_SHILO, IR_I64, 2, HELPER_PURE, 0, 0);
static const struct ir_helper helper_DSHILO =
    IR_HELPER(mips_dsp_DSHILO, IR_VOID, 2, 0, GROUP_HILO, GROUP_HILO);

static bool shift_accumulator(struct xlat *x, int ac, ir_ref by)
{
    set_accumulator(x, ac, ir_call(&x->b, &helper_SHILO, accumulator(x, ac), by, IR_NONE, IR_NONE));
    return true;
}

static bool shift_wide(struct xlat *x, int ac, ir_ref by)
{
    ir_call(&x->b, &helper_DSHILO, by, ir_i32(&x->b, (uint32_t)ac), IR_NONE, IR_NONE);
    return true;
}

/* SHILO ac, shift; SHILOV ac, rs */
bool mips_trans_SHILO(struct xlat *x, const struct arg_dsp_shilo *a)
{
    return !mips_check_dsp(x) || shift_accumulator(x, a->ac, ir_i32(&x->b, (uint32_t)a->sa));
}

bool mips_trans_SHILOV(struct xlat *x, const struct arg_dsp_rs_acc *a)
{
    return !mips_check_dsp(x) || shift_accumulator(x, a->ac, mips_get32(x, a->rs));
}

bool mips_trans_DSHILO(struct xlat *x, const struct arg_dsp_shilo *a)
{
    return !mips_check_dsp(x) || shift_wide(x, a->ac, ir_i32(&x->b, (uint32_t)a->sa));
}

bool mips_trans_DSHILOV(struct xlat *x, const struct arg_dsp_rs_acc *a)
{
    return !mips_check_dsp(x) || shift_wide(x, a->ac, mips_get32(x, a->rs));
}

enum { POS_MASK = 0x3f, POS_MASK_64 = 0x7f };

/* pos grows by as much; if it is greater than that already, that is UNPREDICTABLE: it stays. */
static void advance_pos(struct xlat *x, unsigned by)
{
    struct ir_builder *b = &x->b;
    ir_ref control = ir_get(b, F_DSPCONTROL);
    ir_ref pos = ir_bin_i(b, IR_AND, control, by == 64 ? POS_MASK_64 : POS_MASK);
    ir_ref moved = ir_bin_i(b, IR_ADD, pos, by);
    ir_ref mask = ir_bin_i(b, IR_AND, moved, by == 64 ? POS_MASK_64 : POS_MASK);

    moved = ir_bin(b, IR_OR, ir_bin(b, IR_ANDN, control, pos), mask);
    ir_set(b, F_DSPCONTROL,
           ir_select(b, IR_C_OR_Z, ir_compare(b, pos, ir_i32(b, by)), moved, control));
}

/* MTHLIP rs, ac */
bool mips_trans_MTHLIP(struct xlat *x, const struct arg_dsp_rs_acc *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_dsp(x))
        return true;
    ir_ref lo = ir_get(b, F_LO0 + (unsigned)a->ac);
    ir_set(b, F_HI0 + (unsigned)a->ac, mips_extend(x, mips_truncate(x, lo)));
    ir_set(b, F_LO0 + (unsigned)a->ac, mips_extend(x, mips_get32(x, a->rs)));
    advance_pos(x, 32);
    return true;
}

bool mips_trans_DMTHLIP(struct xlat *x, const struct arg_dsp_rs_acc *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_dsp(x))
        return true;
    ir_set(b, F_HI0 + (unsigned)a->ac, ir_get(b, F_LO0 + (unsigned)a->ac));
    ir_set(b, F_LO0 + (unsigned)a->ac, mips_get(x, a->rs));
    advance_pos(x, 64);
    return true;
}

/* ---- DSPControl ------------------------------------------------------------------------------ */

/* The bits that an instruction's mask names: "DSPControl Register Fields". */
static uint32_t control_mask(struct xlat *x, int mask)
{
    static const uint32_t narrow[] = {POS_MASK, 0x1f80, 0x2000, 0x00ff0000, 0x0f000000, 0x4000};
    static const uint32_t wide[] = {POS_MASK_64, 0x1f80, 0x2000, 0x00ff0000, 0xff000000, 0x4000};
    uint32_t bits = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(narrow); i++)
        if (mask >> i & 1)
            bits |= mips_x_has(x, MIPS_HAS_64) ? wide[i] : narrow[i];
    return bits;
}

/* RDDSP rd, mask */
bool mips_trans_RDDSP(struct xlat *x, const struct arg_dsp_mask_rd *a)
{
    if (mips_check_dsp(x))
        mips_set32(x, a->rd,
                   ir_bin_i(&x->b, IR_AND, ir_get(&x->b, F_DSPCONTROL), control_mask(x, a->mask)));
    return true;
}

/* WRDSP rs, mask */
bool mips_trans_WRDSP(struct xlat *x, const struct arg_dsp_mask_rs *a)
{
    struct ir_builder *b = &x->b;
    uint32_t mask = control_mask(x, a->mask);

    if (!mips_check_dsp(x))
        return true;
    ir_ref kept = ir_bin_i(b, IR_AND, ir_get(b, F_DSPCONTROL), ~mask);
    ir_set(b, F_DSPCONTROL,
           ir_bin(b, IR_OR, kept, ir_bin_i(b, IR_AND, mips_get32(x, a->rs), mask)));
    return true;
}

static bool branch_on_pos(struct xlat *x, const struct arg_offset *a, unsigned least)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_dsp(x))
        return true;
    ir_ref pos = ir_bin_i(b, IR_AND, ir_get(b, F_DSPCONTROL), POS_MASK_64);
    return mips_branch_if(x, IR_NN, ir_bin_i(b, IR_SUB, pos, least), a->imm, false);
}

/* BPOSGE32 offset; BPOSGE64 */
bool mips_trans_BPOSGE32(struct xlat *x, const struct arg_offset *a)
{
    return branch_on_pos(x, a, 32);
}

bool mips_trans_BPOSGE64(struct xlat *x, const struct arg_offset *a)
{
    return branch_on_pos(x, a, 64);
}

/* ---- loads, replication ---------------------------------------------------------------------- */

/* L<size>X rd, index(base) */
static bool load_indexed(struct xlat *x, const struct arg_rrr *a, unsigned size, bool sign)
{
    enum ir_type type = mips_xlat(x)->wide ? IR_I64 : IR_I32;

    if (!mips_check_dsp(x))
        return true;
    struct mips_ea ea = mips_ea_indexed(x, a->rs, a->rt);
    mips_set(x, a->rd,
             ir_load(&x->b, type, ea.base, ea.displacement, mips_memop(x, size, sign, false)));
    return true;
}

#define LOAD_INDEXED(name, size, sign)                                                             \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        return load_indexed(x, a, size, sign);                                                     \
    }
LOAD_INDEXED(LBUX, 0, false)
LOAD_INDEXED(LHX, 1, true)
LOAD_INDEXED(LWX, 2, true)
LOAD_INDEXED(LDX, 3, false)

/* REPL.fmt rd, immediate: of lanes that are `bits` wide */
static bool replicate(struct xlat *x, const struct arg_dsp_repl *a, unsigned bits, bool wide)
{
    uint64_t lane = (uint64_t)a->imm & ((UINT64_C(1) << bits) - 1), value = 0;

    if (!mips_check_dsp(x))
        return true;
    for (unsigned at = 0; at < 64; at += bits)
        value |= lane << at;
    mips_set64(x, a->rd, ir_i64(&x->b, wide ? value : (uint64_t)(int64_t)(int32_t)value));
    return true;
}

#define REPLICATE(name, bits, wide)                                                                \
    bool mips_trans_##name(struct xlat *x, const struct arg_dsp_repl *a)                           \
    {                                                                                              \
        return replicate(x, a, bits, wide);                                                        \
    }
REPLICATE(REPL_QB, 8, false)
REPLICATE(REPL_PH, 16, false)
REPLICATE(REPL_OB, 8, true)
REPLICATE(REPL_QH, 16, true)
REPLICATE(REPL_PW, 32, true)
