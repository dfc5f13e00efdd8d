/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIPS-3D ASE: MD00099, chapter 3. Its arithmetic is done in software (fp_rules.c), which
 * raises what FCSR enables and notes Cause.
 */
#include "frontend/mips/fpu.h"

/* ---- registers as bits ----------------------------------------------------------------------- */

/* A number of the format, I64; a pair is as a double is. */
static ir_ref get_bits(struct xlat *x, enum fp_fmt fmt, int n)
{
    if (fmt == FMT_S)
        return ir_un(&x->b, IR_WIDEN_U, mips_fp_bitcast(x, IR_I32, mips_fp_get(x, FMT_S, n)));
    return mips_fp_bitcast(x, IR_I64, mips_fp_get(x, FMT_D, n));
}

static void set_bits(struct xlat *x, enum fp_fmt fmt, int n, ir_ref bits)
{
    if (fmt == FMT_S)
        mips_fp_set(x, FMT_S, n, mips_fp_bitcast(x, IR_F32, ir_un(&x->b, IR_NARROW, bits)));
    else
        mips_fp_set(x, FMT_D, n, mips_fp_bitcast(x, IR_F64, bits));
}

static ir_ref compute(struct xlat *x, uint32_t what, ir_ref a, ir_ref b, ir_ref c)
{
    return ir_call(&x->b, &helper_mips_fp_compute, ir_i32(&x->b, what), a, b, c);
}

static ir_ref nothing(struct xlat *x)
{
    return ir_i64(&x->b, 0);
}

/* ---- reductions ------------------------------------------------------------------------------ */

/* fd = the sums, or products, of the halves of fs, above those of ft */
static bool reduce(struct xlat *x, const struct arg_ps_three *a, enum fp_operation operation)
{
    struct ir_builder *b = &x->b;
    ir_ref s, t, lower, upper;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    s = get_bits(x, FMT_PS, a->fs);
    t = get_bits(x, FMT_PS, a->ft);
    lower = ir_bin(b, IR_CONCAT, ir_un(b, IR_NARROW, t), ir_un(b, IR_NARROW, s));
    upper = ir_bin(b, IR_CONCAT, ir_un(b, IR_HIGH, t), ir_un(b, IR_HIGH, s));
    set_bits(x, FMT_PS, a->fd, compute(x, fp_what(operation, FMT_PS), upper, lower, nothing(x)));
    return true;
}

/* ADDR.PS fd, fs, ft */
bool mips_trans_ADDR_PS(struct xlat *x, const struct arg_ps_three *a)
{
    return reduce(x, a, OPERATION_ADD);
}

/* MULR.PS fd, fs, ft */
bool mips_trans_MULR_PS(struct xlat *x, const struct arg_ps_three *a)
{
    return reduce(x, a, OPERATION_MUL);
}

/* ---- reciprocals in steps -------------------------------------------------------------------- */

static bool first_step(struct xlat *x, enum fp_fmt fmt, int fs, int fd, enum fp_operation operation)
{
    if (mips_fp_ready(x, fmt, fs | fd))
        set_bits(x, fmt, fd,
                 compute(x, fp_what(operation, fmt), get_bits(x, fmt, fs), nothing(x), nothing(x)));
    return true;
}

/* RECIP2 is -(fs * ft - 1), RSQRT2 half of that. */
static bool second_step(struct xlat *x, enum fp_fmt fmt, const struct arg_ps_three *a,
                        enum fp_operation operation)
{
    static const uint64_t ones[] = {[FMT_S] = UINT64_C(0x3f800000),
                                    [FMT_D] = UINT64_C(0x3ff0000000000000),
                                    [FMT_PS] = UINT64_C(0x3f8000003f800000)};

    if (mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        set_bits(x, fmt, a->fd,
                 compute(x, fp_what(operation, fmt), get_bits(x, fmt, a->fs),
                         get_bits(x, fmt, a->ft), ir_i64(&x->b, ones[fmt])));
    return true;
}

/* RECIP1.fmt, RSQRT1.fmt fd, fs */
#define FIRST_STEP(name)                                                                           \
    bool mips_trans_##name##_fmt(struct xlat *x, const struct arg_fp_two *a)                       \
    {                                                                                              \
        return first_step(x, (enum fp_fmt)a->f, a->fs, a->fd, OPERATION_##name);                   \
    }                                                                                              \
    bool mips_trans_##name##_PS(struct xlat *x, const struct arg_ps_two *a)                        \
    {                                                                                              \
        return first_step(x, FMT_PS, a->fs, a->fd, OPERATION_##name);                              \
    }
FIRST_STEP(RECIP1)
FIRST_STEP(RSQRT1)

/* RECIP2.fmt, RSQRT2.fmt fd, fs, ft */
#define SECOND_STEP(name, operation)                                                               \
    bool mips_trans_##name##_fmt(struct xlat *x, const struct arg_fp_three *a)                     \
    {                                                                                              \
        const struct arg_ps_three registers = {.ft = a->ft, .fs = a->fs, .fd = a->fd};             \
                                                                                                   \
        return second_step(x, (enum fp_fmt)a->f, &registers, operation);                           \
    }                                                                                              \
    bool mips_trans_##name##_PS(struct xlat *x, const struct arg_ps_three *a)                      \
    {                                                                                              \
        return second_step(x, FMT_PS, a, operation);                                               \
    }
SECOND_STEP(RECIP2, OPERATION_NMSUB)
SECOND_STEP(RSQRT2, OPERATION_RSQRT2)

/* ---- conversions between pairs --------------------------------------------------------------- */

static bool convert(struct xlat *x, const struct arg_ps_two *a, enum fp_fmt from, enum fp_fmt to)
{
    uint32_t what = fp_what(OPERATION_CONVERT, from) | (uint32_t)to << WHAT_TO;

    if (mips_fp_ready(x, FMT_PS, 0))
        set_bits(x, FMT_PS, a->fd,
                 compute(x, what, get_bits(x, FMT_PS, a->fs), nothing(x), nothing(x)));
    return true;
}

/* CVT.PS.PW fd, fs */
bool mips_trans_CVT_PS_PW(struct xlat *x, const struct arg_ps_two *a)
{
    return convert(x, a, FMT_PW, FMT_S);
}

/* CVT.PW.PS fd, fs */
bool mips_trans_CVT_PW_PS(struct xlat *x, const struct arg_ps_two *a)
{
    return convert(x, a, FMT_PS, FMT_W);
}

/* ---- comparisons of absolute values ---------------------------------------------------------- */

/* The condition of a relation as `compute` gives it; its bits: see C.cond.fmt. */
static ir_ref holds(struct xlat *x, ir_ref relation, unsigned cond)
{
    uint32_t wanted =
        (cond & 1 ? FP_UNORDERED : 0) | (cond & 2 ? FP_EQUAL : 0) | (cond & 4 ? FP_LESS : 0);

    return ir_setcc(&x->b, IR_NZ, ir_test(&x->b, ir_bin_i(&x->b, IR_AND, relation, wanted)));
}

static bool compare_absolute(struct xlat *x, enum fp_fmt fmt, const struct arg_ps_cond *a)
{
    static const uint64_t signs[] = {[FMT_S] = UINT64_C(0x80000000),
                                     [FMT_D] = UINT64_C(0x8000000000000000),
                                     [FMT_PS] = UINT64_C(0x8000000080000000)};
    struct ir_builder *b = &x->b;
    unsigned cond = (unsigned)a->cond, cc = (unsigned)a->cc;
    enum fp_operation operation = cond & 8 ? OPERATION_COMPARE_SIGNALING : OPERATION_COMPARE;
    ir_ref left, right, relation;

    if (!mips_fp_ready(x, fmt, a->fs | a->ft))
        return true;
    left = ir_bin_i(b, IR_AND, get_bits(x, fmt, a->fs), ~signs[fmt]);
    right = ir_bin_i(b, IR_AND, get_bits(x, fmt, a->ft), ~signs[fmt]);
    relation = ir_un(b, IR_NARROW, compute(x, fp_what(operation, fmt), left, right, nothing(x)));
    ir_set(b, F_FCC0 + cc, holds(x, relation, cond));
    if (fmt == FMT_PS)
        ir_set(b, F_FCC0 + ((cc + 1) & 7), holds(x, ir_bin_i(b, IR_SHR, relation, 4), cond));
    return true;
}

/* CABS.cond.fmt cc, fs, ft */
bool mips_trans_CABS_cond_fmt(struct xlat *x, const struct arg_fp_cond *a)
{
    const struct arg_ps_cond operands = {.ft = a->ft, .fs = a->fs, .cc = a->cc, .cond = a->cond};

    return compare_absolute(x, (enum fp_fmt)a->f, &operands);
}

/* CABS.cond.PS cc, fs, ft */
bool mips_trans_CABS_cond_PS(struct xlat *x, const struct arg_ps_cond *a)
{
    return compare_absolute(x, FMT_PS, a);
}

/* ---- branches on any of several condition codes ---------------------------------------------- */

/* Any is true if their OR is, any is false unless their AND is true. */
static bool branch_any(struct xlat *x, const struct arg_fp_any *a, unsigned codes)
{
    struct ir_builder *b = &x->b;
    ir_ref all;

    if (!mips_check_fpu(x))
        return true;
    all = ir_get(b, F_FCC0 + (unsigned)a->cc);
    for (unsigned i = 1; i < codes; i++)
        all =
            ir_bin(b, a->tf ? IR_OR : IR_AND, all, ir_get(b, F_FCC0 + (((unsigned)a->cc + i) & 7)));
    return mips_branch_if(x, a->tf ? IR_NZ : IR_Z, all, a->imm, false);
}

/* BC1ANY2F, BC1ANY2T cc, offset */
bool mips_trans_BC1ANY2(struct xlat *x, const struct arg_fp_any *a)
{
    return branch_any(x, a, 2);
}

/* BC1ANY4F, BC1ANY4T cc, offset */
bool mips_trans_BC1ANY4(struct xlat *x, const struct arg_fp_any *a)
{
    return branch_any(x, a, 4);
}
