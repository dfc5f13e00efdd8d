/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU's arithmetic: translation of frontend/mips/fpu.decode's comparisons, sums, conversions.
 * Arithmetic is the IR's, which leaves to the rules (fp_rules.c) what the host does otherwise.
 */
#define DECODE_IMPLEMENTATION
#include "frontend/mips/fpu.h"

/* ---- registers ------------------------------------------------------------------------------- */

bool mips_fp_ready(struct xlat *x, enum fp_fmt fmt, int regs)
{
    bool fr = mips_x_key(x, KEY_FR), reserved;

    if (!mips_check_fpu(x))
        return false;
    switch (fmt) {
    case FMT_D:
        reserved = !fr && (regs & 1);
        break;
    case FMT_L:
    case FMT_PS:
        reserved = !fr;
        break;
    default: /* ISA, "FRE": software emulates a register file where singles overlap doubles */
        reserved = mips_x_key(x, KEY_FRE);
        break;
    }
    if (reserved)
        mips_raise_here(x, MIPS_EXC_RI, 0);
    return !reserved;
}

unsigned mips_fp_field(struct xlat *x, enum fp_fmt fmt, int n)
{
    unsigned number = (unsigned)n, even = mips_x_key(x, KEY_FR) ? number : number & ~1u;

    if (fmt == FMT_PS)
        return F_P0 + number;
    if (fmt == FMT_D || fmt == FMT_L)
        return F_D0 + even;
    return (even == number ? F_S0 : F_ODD0) + even;
}

/* Of the FPR that has the register in it, or in a half of it. */
static unsigned whole(struct xlat *x, int n)
{
    return (unsigned)n & (mips_x_key(x, KEY_FR) ? ~0u : ~1u);
}

unsigned mips_fp_high_field(struct xlat *x, int n)
{
    return F_ODD0 + whole(x, n);
}

ir_ref mips_fp_get(struct xlat *x, enum fp_fmt fmt, int n)
{
    unsigned field = mips_fp_field(x, fmt, n);

    if (field >= F_D0)
        mips_fp_join(x, whole(x, n));
    return ir_get(&x->b, field);
}

void mips_fp_set(struct xlat *x, enum fp_fmt fmt, int n, ir_ref value)
{
    mips_xlat(x)->moved[whole(x, n)].block = 0;
    ir_set(&x->b, mips_fp_field(x, fmt, n), value);
}

ir_ref mips_fp_bitcast(struct xlat *x, enum ir_type type, ir_ref value)
{
    return ir_emit(&x->b, IR_BITCAST, type, 0, 0, value, IR_NONE, IR_NONE, 0);
}

/* ---- computing ------------------------------------------------------------------------------- */

static bool traps(struct xlat *x)
{
    return mips_x_key(x, KEY_FP_TRAPS);
}

static unsigned flush_flag(struct xlat *x)
{
    return mips_x_key(x, KEY_FP_FLUSH) ? IR_FP_FLUSH : 0;
}

static bool is_wide(enum fp_fmt fmt)
{
    return fmt == FMT_D || fmt == FMT_L || fmt == FMT_PS;
}

static enum ir_type float_type(enum fp_fmt fmt)
{
    return is_wide(fmt) ? IR_F64 : IR_F32;
}

static enum ir_type integer_type(enum fp_fmt fmt)
{
    return is_wide(fmt) ? IR_I64 : IR_I32;
}

/* A register as a whole: of a pair of singles, too, an F64. */
static ir_ref get(struct xlat *x, enum fp_fmt fmt, int n)
{
    return mips_fp_get(x, fmt == FMT_PS ? FMT_D : fmt, n);
}

static void set(struct xlat *x, enum fp_fmt fmt, int n, ir_ref value)
{
    mips_fp_set(x, fmt == FMT_PS ? FMT_D : fmt, n, value);
}

/* F32 or F64 as I64, and back. */
static ir_ref to_bits(struct xlat *x, ir_ref value)
{
    if (value == IR_NONE)
        return ir_i64(&x->b, 0);
    if (ir_type_of(x->b.unit, value) == IR_F64)
        return mips_fp_bitcast(x, IR_I64, value);
    return ir_un(&x->b, IR_WIDEN_U, mips_fp_bitcast(x, IR_I32, value));
}

static ir_ref from_bits(struct xlat *x, enum fp_fmt fmt, ir_ref bits)
{
    if (!is_wide(fmt))
        bits = ir_un(&x->b, IR_NARROW, bits);
    return mips_fp_bitcast(x, float_type(fmt), bits);
}

/* For whoever will want Cause. Of operands that the operation has less of, old ones stay. */
static void note(struct xlat *x, uint32_t what, ir_ref a, ir_ref b, ir_ref c)
{
    const ir_ref operands[3] = {a, b, c};

    ir_set(&x->b, F_FP_LAST_OP, ir_i32(&x->b, what));
    for (unsigned k = 0; k < 3; k++)
        if (operands[k] != IR_NONE) {
            bool wide = ir_type_of(x->b.unit, operands[k]) == IR_F64;

            ir_set(&x->b, (wide ? F_FP_LAST_DA : F_FP_LAST_SA) + k, operands[k]);
        }
}

/* An instruction that raises nothing, and says so in Cause. */
static void note_nothing(struct xlat *x)
{
    ir_set(&x->b, F_FP_LAST_OP, ir_i32(&x->b, OPERATION_NONE));
    ir_set(&x->b, F_FCSR_CAUSE, ir_i32(&x->b, 0));
}

/* In software: what traps; and what the host has no instruction for. */
static ir_ref compute_bits(struct xlat *x, uint32_t what, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_call(&x->b, &helper_mips_fp_compute, ir_i32(&x->b, what), to_bits(x, a),
                   to_bits(x, b), to_bits(x, c));
}

static ir_ref compute(struct xlat *x, uint32_t what, enum fp_fmt to, ir_ref a, ir_ref b, ir_ref c)
{
    return from_bits(x, to, compute_bits(x, what, a, b, c));
}

static ir_ref operate(struct xlat *x, enum ir_op op, enum fp_fmt fmt, ir_ref a, ir_ref b)
{
    return ir_fp(&x->b, op, float_type(fmt), flush_flag(x), a, b, IR_NONE);
}

static ir_ref one(struct xlat *x, enum fp_fmt fmt)
{
    uint64_t bits = fmt == FMT_D ? UINT64_C(0x3ff0000000000000) : UINT64_C(0x3f800000);

    return ir_emit(&x->b, IR_CONST, float_type(fmt), 0, 0, 0, 0, 0, bits);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* <op>.fmt fd, fs, ft */
static bool binary(struct xlat *x, const struct arg_fp_three *a, enum fp_operation operation,
                   enum ir_op op)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    uint32_t what = fp_what(operation, fmt);
    ir_ref left, right, result;

    if (!mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        return true;
    left = get(x, fmt, a->fs);
    right = get(x, fmt, a->ft);
    if (traps(x)) {
        result = compute(x, what, fmt, left, right, IR_NONE);
    } else {
        result = operate(x, op, fmt, left, right);
        note(x, what, left, right, IR_NONE);
    }
    set(x, fmt, a->fd, result);
    return true;
}

#define BINARY(name, operation, op)                                                                \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp_three *a)                           \
    {                                                                                              \
        return binary(x, a, operation, op);                                                        \
    }
BINARY(ADD_fmt, OPERATION_ADD, IR_FADD)
BINARY(SUB_fmt, OPERATION_SUB, IR_FSUB)
BINARY(MUL_fmt, OPERATION_MUL, IR_FMUL)
BINARY(DIV_fmt, OPERATION_DIV, IR_FDIV)

/* SQRT.fmt, RECIP.fmt, RSQRT.fmt fd, fs */
static bool root_or_reciprocal(struct xlat *x, const struct arg_fp_two *a,
                               enum fp_operation operation)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    uint32_t what = fp_what(operation, fmt);
    ir_ref value, result;

    if (!mips_fp_ready(x, fmt, a->fs | a->fd))
        return true;
    value = get(x, fmt, a->fs);
    if (traps(x)) {
        result = compute(x, what, fmt, value, IR_NONE, IR_NONE);
    } else {
        result = value;
        if (operation != OPERATION_RECIP)
            result = operate(x, IR_FSQRT, fmt, result, IR_NONE);
        if (operation != OPERATION_SQRT)
            result = operate(x, IR_FDIV, fmt, one(x, fmt), result);
        note(x, what, value, IR_NONE, IR_NONE);
    }
    set(x, fmt, a->fd, result);
    return true;
}

#define ROOT(name)                                                                                 \
    bool mips_trans_##name##_fmt(struct xlat *x, const struct arg_fp_two *a)                       \
    {                                                                                              \
        return root_or_reciprocal(x, a, OPERATION_##name);                                         \
    }
ROOT(SQRT)
ROOT(RECIP)
ROOT(RSQRT)

/* MADD.fmt, MSUB.fmt, NMADD.fmt, NMSUB.fmt fd, fr, fs, ft: two roundings */
static bool multiply_add(struct xlat *x, const struct arg_fp_four *a, enum fp_operation operation)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    uint32_t what = fp_what(operation, fmt);
    bool subtracts = operation == OPERATION_MSUB || operation == OPERATION_NMSUB;
    ir_ref left, right, addend, result;

    if (!mips_fp_ready(x, fmt, a->fr | a->fs | a->ft | a->fd))
        return true;
    left = get(x, fmt, a->fs);
    right = get(x, fmt, a->ft);
    addend = get(x, fmt, a->fr);
    if (traps(x)) {
        result = compute(x, what, fmt, left, right, addend);
    } else {
        result = operate(x, IR_FMUL, fmt, left, right);
        result = operate(x, subtracts ? IR_FSUB : IR_FADD, fmt, result, addend);
        if (operation == OPERATION_NMADD || operation == OPERATION_NMSUB)
            result = ir_un(&x->b, IR_FNEG, result);
        note(x, what, left, right, addend);
    }
    set(x, fmt, a->fd, result);
    return true;
}

#define MULTIPLY_ADD(name)                                                                         \
    bool mips_trans_##name##_fmt(struct xlat *x, const struct arg_fp_four *a)                      \
    {                                                                                              \
        return multiply_add(x, a, OPERATION_##name);                                               \
    }
MULTIPLY_ADD(MADD)
MULTIPLY_ADD(MSUB)
MULTIPLY_ADD(NMADD)
MULTIPLY_ADD(NMSUB)

/* MADDF.fmt, MSUBF.fmt fd, fs, ft: one rounding */
static bool fused(struct xlat *x, const struct arg_fp_three *a, bool subtract)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    uint32_t what = fp_what(subtract ? OPERATION_MSUBF : OPERATION_MADDF, fmt);
    ir_ref left, right, addend, result;

    if (!mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        return true;
    left = get(x, fmt, a->fs);
    right = get(x, fmt, a->ft);
    addend = get(x, fmt, a->fd);
    if (traps(x)) {
        result = compute(x, what, fmt, left, right, addend);
    } else {
        result =
            ir_fp(&x->b, IR_FMA, float_type(fmt), flush_flag(x) | (subtract ? IR_FP_NEGATED : 0),
                  subtract ? ir_un(&x->b, IR_FNEG, left) : left, right, addend);
        note(x, what, left, right, addend);
    }
    set(x, fmt, a->fd, result);
    return true;
}

bool mips_trans_MADDF_fmt(struct xlat *x, const struct arg_fp_three *a)
{
    return fused(x, a, false);
}

bool mips_trans_MSUBF_fmt(struct xlat *x, const struct arg_fp_three *a)
{
    return fused(x, a, true);
}

/* MAX.fmt and its like, fd, fs, ft: the host's treat NaNs and zeros otherwise. */
static bool extreme(struct xlat *x, const struct arg_fp_three *a, enum fp_operation operation)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;

    if (mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        set(x, fmt, a->fd,
            compute(x, fp_what(operation, fmt), fmt, get(x, fmt, a->fs), get(x, fmt, a->ft),
                    IR_NONE));
    return true;
}

#define EXTREME(name)                                                                              \
    bool mips_trans_##name##_fmt(struct xlat *x, const struct arg_fp_three *a)                     \
    {                                                                                              \
        return extreme(x, a, OPERATION_##name);                                                    \
    }
EXTREME(MAX)
EXTREME(MIN)
EXTREME(MAXA)
EXTREME(MINA)

/* RINT.fmt fd, fs: the host's flags for NaNs that come before could not be told apart */
bool mips_trans_RINT_fmt(struct xlat *x, const struct arg_fp_two *a)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;

    if (mips_fp_ready(x, fmt, a->fs | a->fd))
        set(x, fmt, a->fd,
            compute(x, fp_what(OPERATION_RINT, fmt), fmt, get(x, fmt, a->fs), IR_NONE, IR_NONE));
    return true;
}

/* CLASS.fmt fd, fs; no exceptions, and Cause stays */
bool mips_trans_CLASS_fmt(struct xlat *x, const struct arg_fp_two *a)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;

    if (mips_fp_ready(x, fmt, a->fs | a->fd))
        set(x, fmt, a->fd,
            from_bits(x, fmt,
                      ir_call(&x->b, &helper_mips_fp_class, ir_i32(&x->b, (uint32_t)a->f),
                              to_bits(x, get(x, fmt, a->fs)), IR_NONE, IR_NONE)));
    return true;
}

/* ABS.fmt, NEG.fmt, MOV.fmt fd, fs: of NaNs, too, only the sign changes, and Cause stays, whatever
 * FCSR.ABS2008 says. (Without it the manual has signalling NaNs raise Invalid Operation.) */
static bool sign_operation(struct xlat *x, const struct arg_fp_two *a, enum ir_op op)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    ir_ref value;

    if (!mips_fp_ready(x, fmt, a->fs | a->fd))
        return true;
    value = get(x, fmt, a->fs);
    set(x, fmt, a->fd, op == IR_NOP ? value : ir_un(&x->b, op, value));
    return true;
}

bool mips_trans_ABS_fmt(struct xlat *x, const struct arg_fp_two *a)
{
    return sign_operation(x, a, IR_FABS);
}

bool mips_trans_NEG_fmt(struct xlat *x, const struct arg_fp_two *a)
{
    return sign_operation(x, a, IR_FNEG);
}

bool mips_trans_MOV_fmt(struct xlat *x, const struct arg_fp_two *a)
{
    return sign_operation(x, a, IR_NOP);
}

/* ---- comparisons ----------------------------------------------------------------------------- */

/* Which of enum fp_relation make a condition true: its bits are unordered, equal, less. */
static unsigned relations(unsigned cond)
{
    return (cond & 1 ? FP_UNORDERED : 0) | (cond & 2 ? FP_EQUAL : 0) | (cond & 4 ? FP_LESS : 0);
}

/* enum fp_relation as I32; bit 3 of a condition: quiet NaNs are invalid */
static ir_ref compare(struct xlat *x, enum fp_fmt fmt, unsigned cond, int fs, int ft)
{
    bool signaling = cond & 8;
    uint32_t what = fp_what(signaling ? OPERATION_COMPARE_SIGNALING : OPERATION_COMPARE, fmt);
    ir_ref left = get(x, fmt, fs), right = get(x, fmt, ft), result;

    if (traps(x))
        return ir_un(&x->b, IR_NARROW, compute_bits(x, what, left, right, IR_NONE));
    result = ir_fp(&x->b, IR_FCMP, IR_I32, signaling ? IR_FP_SIGNAL_QNAN : 0, left, right, IR_NONE);
    note(x, what, left, right, IR_NONE);
    return result;
}

static ir_ref any_of(struct xlat *x, ir_ref relation, unsigned wanted)
{
    return ir_setcc(&x->b, IR_NZ, ir_test(&x->b, ir_bin_i(&x->b, IR_AND, relation, wanted)));
}

/* C.cond.fmt cc, fs, ft */
bool mips_trans_C_cond_fmt(struct xlat *x, const struct arg_fp_cond *a)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    unsigned cond = (unsigned)a->cond;

    if (a->cc && !mips_x_has(x, MIPS_HAS_4))
        return false;
    if (!mips_fp_ready(x, fmt, a->fs | a->ft))
        return true;
    ir_set(&x->b, F_FCC0 + (unsigned)a->cc,
           any_of(x, compare(x, fmt, cond, a->fs, a->ft), relations(cond)));
    return true;
}

/* CMP.cond.fmt fd, fs, ft: bit 4 negates OR (not unordered), UNE and NE (neither equal) */
bool mips_trans_CMP_cond(struct xlat *x, const struct arg_fp_cmp *a)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;
    unsigned cond = (unsigned)a->cond, wanted = relations(cond);
    ir_ref mask;

    if (cond & 16 && (!(cond & 3) || cond & 4))
        return false;
    if (!mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        return true;
    if (cond & 16)
        wanted ^= FP_LESS | FP_EQUAL | FP_GREATER | FP_UNORDERED;
    mask = ir_un(&x->b, IR_NEG, any_of(x, compare(x, fmt, cond, a->fs, a->ft), wanted));
    if (is_wide(fmt))
        mask = ir_un(&x->b, IR_WIDEN_S, mask);
    set(x, fmt, a->fd, mips_fp_bitcast(x, float_type(fmt), mask));
    return true;
}

/* ---- conversions ----------------------------------------------------------------------------- */

/* CVT.S.D, CVT.D.S fd, fs */
static bool convert_float(struct xlat *x, const struct arg_ps_two *a, enum fp_fmt from,
                          enum fp_fmt to)
{
    uint32_t what = fp_what(OPERATION_CONVERT, from) | (uint32_t)to << WHAT_TO;
    ir_ref value, result;

    if (!mips_fp_ready(x, FMT_D, from == FMT_D ? a->fs : a->fd) || !mips_fp_ready(x, FMT_S, 0))
        return true;
    value = get(x, from, a->fs);
    if (traps(x)) {
        result = compute(x, what, to, value, IR_NONE, IR_NONE);
    } else {
        result = operate(x, IR_FCVT, to, value, IR_NONE);
        note(x, what, value, IR_NONE, IR_NONE);
    }
    set(x, to, a->fd, result);
    return true;
}

bool mips_trans_CVT_S_D(struct xlat *x, const struct arg_ps_two *a)
{
    return convert_float(x, a, FMT_D, FMT_S);
}

bool mips_trans_CVT_D_S(struct xlat *x, const struct arg_ps_two *a)
{
    return convert_float(x, a, FMT_S, FMT_D);
}

/* CVT.S.W, CVT.S.L, CVT.D.W, CVT.D.L fd, fs */
static bool from_integer(struct xlat *x, const struct arg_fp_two *a, enum fp_fmt to)
{
    enum fp_fmt from = a->f ? FMT_L : FMT_W;
    uint32_t what = fp_what(OPERATION_CONVERT, from) | (uint32_t)to << WHAT_TO;
    ir_ref value, result;

    if (!mips_fp_ready(x, to, a->fd) || !mips_fp_ready(x, from, a->fs))
        return true;
    value = get(x, from, a->fs);
    if (traps(x)) {
        result = compute(x, what, to, value, IR_NONE, IR_NONE);
    } else {
        result = ir_fp(&x->b, IR_I2F, float_type(to), 0,
                       mips_fp_bitcast(x, integer_type(from), value), IR_NONE, IR_NONE);
        note(x, what, value, IR_NONE, IR_NONE);
    }
    set(x, to, a->fd, result);
    return true;
}

bool mips_trans_CVT_S_int(struct xlat *x, const struct arg_fp_two *a)
{
    return from_integer(x, a, FMT_S);
}

bool mips_trans_CVT_D_int(struct xlat *x, const struct arg_fp_two *a)
{
    return from_integer(x, a, FMT_D);
}

/* CVT, ROUND, TRUNC, CEIL and FLOOR.W or .L fd, fs. The host converts in the current mode or
 * truncates; rounding first would raise Inexact where the integer is then out of range. */
static bool to_integer(struct xlat *x, const struct arg_fp_two *a, enum fp_fmt to,
                       enum fp_what_rounding rounding)
{
    enum fp_fmt from = (enum fp_fmt)a->f;
    uint32_t what = fp_what(OPERATION_CONVERT, from) | (uint32_t)to << WHAT_TO |
                    (uint32_t)rounding << WHAT_ROUNDING;
    bool current =
        rounding == ROUND_CURRENT || (rounding == ROUND_NEAREST && mips_x_key(x, KEY_FP_NEAREST));
    ir_ref value, result;

    if (!mips_fp_ready(x, to, a->fd) || !mips_fp_ready(x, from, a->fs))
        return true;
    value = get(x, from, a->fs);
    if (traps(x) || (!current && rounding != ROUND_ZERO)) {
        result = compute(x, what, to, value, IR_NONE, IR_NONE);
    } else {
        result = ir_fp(&x->b, IR_F2I, integer_type(to), current ? 0 : IR_F2I_TRUNCATE, value,
                       IR_NONE, IR_NONE);
        result = mips_fp_bitcast(x, float_type(to), result);
        note(x, what, value, IR_NONE, IR_NONE);
    }
    set(x, to, a->fd, result);
    return true;
}

#define TO_INTEGER(name, rounding)                                                                 \
    bool mips_trans_##name##_W(struct xlat *x, const struct arg_fp_two *a)                         \
    {                                                                                              \
        return to_integer(x, a, FMT_W, rounding);                                                  \
    }                                                                                              \
    bool mips_trans_##name##_L(struct xlat *x, const struct arg_fp_two *a)                         \
    {                                                                                              \
        return to_integer(x, a, FMT_L, rounding);                                                  \
    }
TO_INTEGER(CVT, ROUND_CURRENT)
TO_INTEGER(ROUND, ROUND_NEAREST)
TO_INTEGER(TRUNC, ROUND_ZERO)
TO_INTEGER(CEIL, ROUND_UP)
TO_INTEGER(FLOOR, ROUND_DOWN)

/* ---- paired single --------------------------------------------------------------------------- */

static ir_ref vector_operate(struct xlat *x, enum ir_op op, ir_ref a, ir_ref b)
{
    return ir_emit(&x->b, op, IR_V128, IR_LANE32 | flush_flag(x) << 4, 0, a, b, IR_NONE, 0);
}

/* <op>.PS fd, fs, ft */
static bool pair_binary(struct xlat *x, const struct arg_ps_three *a, enum fp_operation operation,
                        enum ir_op op)
{
    uint32_t what = fp_what(operation, FMT_PS);
    ir_ref left, right;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    left = get(x, FMT_PS, a->fs);
    right = get(x, FMT_PS, a->ft);
    if (traps(x)) {
        set(x, FMT_PS, a->fd, compute(x, what, FMT_PS, left, right, IR_NONE));
    } else {
        ir_ref result =
            vector_operate(x, op, mips_fp_get(x, FMT_PS, a->fs), mips_fp_get(x, FMT_PS, a->ft));

        note(x, what, left, right, IR_NONE);
        mips_fp_set(x, FMT_PS, a->fd, result);
    }
    return true;
}

#define PAIR_BINARY(name, operation, op)                                                           \
    bool mips_trans_##name(struct xlat *x, const struct arg_ps_three *a)                           \
    {                                                                                              \
        return pair_binary(x, a, operation, op);                                                   \
    }
PAIR_BINARY(ADD_PS, OPERATION_ADD, IR_VFADD)
PAIR_BINARY(SUB_PS, OPERATION_SUB, IR_VFSUB)
PAIR_BINARY(MUL_PS, OPERATION_MUL, IR_VFMUL)

static ir_ref pair_of_signs(struct xlat *x)
{
    return ir_v128(&x->b, UINT64_C(0x8000000080000000), 0);
}

/* MADD.PS and its like, fd, fr, fs, ft */
static bool pair_multiply_add(struct xlat *x, const struct arg_ps_four *a,
                              enum fp_operation operation)
{
    uint32_t what = fp_what(operation, FMT_PS);
    bool subtracts = operation == OPERATION_MSUB || operation == OPERATION_NMSUB;
    ir_ref left, right, addend, result;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    left = get(x, FMT_PS, a->fs);
    right = get(x, FMT_PS, a->ft);
    addend = get(x, FMT_PS, a->fr);
    if (traps(x)) {
        set(x, FMT_PS, a->fd, compute(x, what, FMT_PS, left, right, addend));
        return true;
    }
    result =
        vector_operate(x, IR_VFMUL, mips_fp_get(x, FMT_PS, a->fs), mips_fp_get(x, FMT_PS, a->ft));
    result =
        vector_operate(x, subtracts ? IR_VFSUB : IR_VFADD, result, mips_fp_get(x, FMT_PS, a->fr));
    if (operation == OPERATION_NMADD || operation == OPERATION_NMSUB)
        result = ir_vec(&x->b, IR_VXOR, IR_LANE32, result, pair_of_signs(x));
    note(x, what, left, right, addend);
    mips_fp_set(x, FMT_PS, a->fd, result);
    return true;
}

#define PAIR_MULTIPLY_ADD(name)                                                                    \
    bool mips_trans_##name##_PS(struct xlat *x, const struct arg_ps_four *a)                       \
    {                                                                                              \
        return pair_multiply_add(x, a, OPERATION_##name);                                          \
    }
PAIR_MULTIPLY_ADD(MADD)
PAIR_MULTIPLY_ADD(MSUB)
PAIR_MULTIPLY_ADD(NMADD)
PAIR_MULTIPLY_ADD(NMSUB)

/* ABS.PS, NEG.PS, MOV.PS fd, fs */
static bool pair_sign(struct xlat *x, const struct arg_ps_two *a, enum ir_op op)
{
    ir_ref value;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    value = mips_fp_get(x, FMT_PS, a->fs);
    if (op != IR_NOP)
        value = ir_vec(&x->b, op, IR_LANE32, value, pair_of_signs(x));
    mips_fp_set(x, FMT_PS, a->fd, value);
    return true;
}

bool mips_trans_ABS_PS(struct xlat *x, const struct arg_ps_two *a)
{
    return pair_sign(x, a, IR_VANDN);
}

bool mips_trans_NEG_PS(struct xlat *x, const struct arg_ps_two *a)
{
    return pair_sign(x, a, IR_VXOR);
}

bool mips_trans_MOV_PS(struct xlat *x, const struct arg_ps_two *a)
{
    return pair_sign(x, a, IR_NOP);
}

/* C.cond.PS cc, fs, ft: the high halves give the condition code after cc */
bool mips_trans_C_cond_PS(struct xlat *x, const struct arg_ps_cond *a)
{
    struct ir_builder *b = &x->b;
    unsigned cond = (unsigned)a->cond, cc = (unsigned)a->cc, sub = cond & 8 ? IR_FP_SIGNAL_QNAN : 0;
    uint32_t what = fp_what(cond & 8 ? OPERATION_COMPARE_SIGNALING : OPERATION_COMPARE, FMT_PS);
    ir_ref left, right, low, high;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    left = get(x, FMT_PS, a->fs);
    right = get(x, FMT_PS, a->ft);
    if (traps(x)) {
        low = ir_un(b, IR_NARROW, compute_bits(x, what, left, right, IR_NONE));
        high = ir_bin_i(b, IR_SHR, low, 4);
    } else {
        low = ir_fp(b, IR_FCMP, IR_I32, sub, ir_get(b, F_S0 + (unsigned)a->fs),
                    ir_get(b, F_S0 + (unsigned)a->ft), IR_NONE);
        high = ir_fp(b, IR_FCMP, IR_I32, sub, ir_get(b, F_ODD0 + (unsigned)a->fs),
                     ir_get(b, F_ODD0 + (unsigned)a->ft), IR_NONE);
        note(x, what, left, right, IR_NONE);
    }
    low = any_of(x, low, relations(cond));
    high = any_of(x, high, relations(cond));
    ir_set(b, F_FCC0 + cc, low);
    ir_set(b, F_FCC0 + ((cc + 1) & 7), high);
    return true;
}

/* CVT.S.PU, CVT.S.PL fd, fs */
static bool take_half(struct xlat *x, const struct arg_ps_two *a, unsigned first)
{
    ir_ref value;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    value = ir_get(&x->b, first + (unsigned)a->fs);
    note_nothing(x);
    set(x, FMT_S, a->fd, value);
    return true;
}

bool mips_trans_CVT_S_PL(struct xlat *x, const struct arg_ps_two *a)
{
    return take_half(x, a, F_S0);
}

bool mips_trans_CVT_S_PU(struct xlat *x, const struct arg_ps_two *a)
{
    return take_half(x, a, F_ODD0);
}

/* CVT.PS.S, PLL.PS, PLU.PS, PUL.PS, PUU.PS fd, fs, ft: a half of fs above one of ft */
static bool put_together(struct xlat *x, const struct arg_ps_three *a, unsigned high, unsigned low)
{
    ir_ref upper, lower;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    upper = ir_get(&x->b, high + (unsigned)a->fs);
    lower = ir_get(&x->b, low + (unsigned)a->ft);
    mips_fp_set(x, FMT_S, a->fd, lower);
    ir_set(&x->b, F_ODD0 + (unsigned)a->fd, upper);
    return true;
}

#define PUT_TOGETHER(name, high, low)                                                              \
    bool mips_trans_##name(struct xlat *x, const struct arg_ps_three *a)                           \
    {                                                                                              \
        return put_together(x, a, high, low);                                                      \
    }
PUT_TOGETHER(CVT_PS_S, F_S0, F_S0)
PUT_TOGETHER(PLL_PS, F_S0, F_S0)
PUT_TOGETHER(PLU_PS, F_S0, F_ODD0)
PUT_TOGETHER(PUL_PS, F_ODD0, F_S0)
PUT_TOGETHER(PUU_PS, F_ODD0, F_ODD0)
