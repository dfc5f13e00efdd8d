/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD's floating point beyond sums and products: comparisons, minimum and maximum,
 * conversions and the steps of Newton's method. Operands are flushed (VFFLUSH), then the host's
 * instructions do the rest. They raise what the manual wants: Invalid and Inexact are theirs, and
 * nothing here is tiny.
 */
#include "frontend/arm/neon_translate.h"

/* The immediates of CMPPS. */
enum { EQUAL = 0, LESS = 1, LESS_OR_EQUAL = 2, UNORDERED = 3, NOT_LESS = 5, ORDERED = 7 };
enum {
    FLOAT_HALF = 0x3f000000,
    FLOAT_2 = 0x40000000,
    FLOAT_3 = 0x40400000,
    FLOAT_65536 = 0x47800000,
    FLOAT_MINUS_1 = (int)0xbf800000,
    FLOAT_INFINITY = 0x7f800000,
    FLOAT_DEFAULT_NAN = 0x7fc00000,
    FLOAT_SMALLEST = 0x00800000, /* normal number */
};

static ir_ref row1(struct xlat *x, enum ir_vfn what, ir_ref a)
{
    return ir_vfn(&x->b, what, IR_V128, 0, a, IR_NONE, IR_NONE);
}

static ir_ref row2(struct xlat *x, enum ir_vfn what, ir_ref a, ir_ref b)
{
    return ir_vfn(&x->b, what, IR_V128, 0, a, b, IR_NONE);
}

static ir_ref compare(struct xlat *x, unsigned predicate, ir_ref a, ir_ref b)
{
    return ir_vfn(&x->b, IR_VFN_CMPPS, IR_V128, predicate, a, b, IR_NONE);
}

static ir_ref words(struct xlat *x, uint32_t value)
{
    return constant(x, IR_LANE32, value);
}

static ir_ref masked(struct xlat *x, ir_ref a, ir_ref b)
{
    return v2(x, IR_VAND, 0, a, b);
}

/* a & ~b */
static ir_ref without(struct xlat *x, ir_ref a, ir_ref b)
{
    return v2(x, IR_VANDN, 0, a, b);
}

static ir_ref power_of_2(struct xlat *x, int exponent)
{
    return words(x, (uint32_t)(exponent + 127) << 23);
}

ir_ref neon_float_op(struct xlat *x, enum ir_op op, ir_ref a, ir_ref b, ir_ref c)
{
    unsigned sub = IR_LANE32 | (IR_FP_STANDARD | IR_FP_FLUSH) << 4;
    return ir_emit(&x->b, op, IR_V128, sub, 0, a, b, c, 0);
}

static ir_ref flush(struct xlat *x, ir_ref a)
{
    return neon_float_op(x, IR_VFFLUSH, a, IR_NONE, IR_NONE);
}

ir_ref neon_float_negate(struct xlat *x, ir_ref a)
{
    return v2(x, IR_VXOR, 0, a, words(x, 0x80000000));
}

ir_ref neon_float_absolute(struct xlat *x, ir_ref a)
{
    return masked(x, a, words(x, 0x7fffffff));
}

/* As in FPCompareEQ, FPCompareGE and FPCompareGT, only equality leaves quiet NaNs alone. */
ir_ref neon_float_compare(struct xlat *x, unsigned comparison, ir_ref n, ir_ref m)
{
    ir_ref left = flush(x, n), right = m == IR_NONE ? ir_v128(&x->b, 0, 0) : flush(x, m);
    if (comparison & NEON_ABSOLUTE) {
        left = neon_float_absolute(x, left);
        right = neon_float_absolute(x, right);
    }
    switch (comparison & ~(unsigned)NEON_ABSOLUTE) {
    case NEON_EQ:
        return compare(x, EQUAL, left, right);
    case NEON_GE:
        return compare(x, LESS_OR_EQUAL, right, left);
    case NEON_GT:
        return compare(x, LESS, right, left);
    case NEON_LE:
        return compare(x, LESS_OR_EQUAL, left, right);
    default:
        return compare(x, LESS, left, right);
    }
}

/* The host's gives the second operand where both are zeros: with both orders the signs combine. Its
 * NaNs raise Invalid even if they are quiet, so they are taken out before. */
ir_ref neon_float_extreme(struct xlat *x, bool maximum, ir_ref n, ir_ref m)
{
    enum ir_vfn row = maximum ? IR_VFN_MAXPS : IR_VFN_MINPS;
    ir_ref left = flush(x, n), right = flush(x, m);
    ir_ref nans = compare(x, UNORDERED, left, right);
    left = without(x, left, nans);
    right = without(x, right, nans);
    ir_ref result =
        v2(x, maximum ? IR_VAND : IR_VOR, 0, row2(x, row, left, right), row2(x, row, right, left));
    return v2(x, IR_VOR, 0, result, masked(x, nans, words(x, FLOAT_DEFAULT_NAN)));
}

/* ---- conversions ----------------------------------------------------------------------------- */

/* Scaling is exact: what is too large for any result becomes just that before. NaNs become numbers
 * so, too, but not without raising Invalid. */
static ir_ref scale_up(struct xlat *x, ir_ref a, unsigned fraction)
{
    if (!fraction)
        return a;
    ir_ref limit = power_of_2(x, 33 - (int)fraction);
    a = row2(x, IR_VFN_MINPS, a, limit);
    a = row2(x, IR_VFN_MAXPS, a, neon_float_negate(x, limit));
    return row2(x, IR_VFN_MULPS, a, power_of_2(x, (int)fraction));
}

/* "Integer indefinite" is the right answer for large negative numbers, and inverted for others. */
static ir_ref to_signed(struct xlat *x, ir_ref a)
{
    ir_ref large = compare(x, NOT_LESS, a, power_of_2(x, 31));
    return v2(x, IR_VXOR, 0, row1(x, IR_VFN_CVTTPS2DQ, a), large);
}

/* Of numbers from 2^31 on that is taken away before and comes back after. Those out of range, on
 * either side, are left to raise Invalid; negative ones are made NaNs so that they do. */
static ir_ref to_unsigned(struct xlat *x, ir_ref a)
{
    ir_ref negative = compare(x, LESS_OR_EQUAL, a, words(x, (uint32_t)FLOAT_MINUS_1));
    ir_ref large = compare(x, NOT_LESS, a, power_of_2(x, 32));
    ir_ref upper = without(x, compare(x, NOT_LESS, a, power_of_2(x, 31)), large);
    a = row2(x, IR_VFN_SUBPS, a, masked(x, upper, power_of_2(x, 31)));
    ir_ref result = row1(x, IR_VFN_CVTTPS2DQ, v2(x, IR_VOR, 0, a, negative));
    result = v2(x, IR_VXOR, 0, result, masked(x, upper, words(x, 0x80000000)));
    return without(x, v2(x, IR_VOR, 0, result, large), negative);
}

ir_ref neon_float_to_fixed(struct xlat *x, bool is_unsigned, unsigned fraction, ir_ref m)
{
    ir_ref value = flush(x, m), numbers = compare(x, ORDERED, value, value);
    value = scale_up(x, value, fraction);
    return masked(x, is_unsigned ? to_unsigned(x, value) : to_signed(x, value), numbers);
}

/* Unsigned: both halves are exact, their sum is rounded once. */
ir_ref neon_float_from_fixed(struct xlat *x, bool is_unsigned, unsigned fraction, ir_ref m)
{
    ir_ref value;
    if (is_unsigned) {
        ir_ref high = row1(x, IR_VFN_CVTDQ2PS, shift(x, IR_VSHR_I, IR_LANE32, m, 16));
        ir_ref low = row1(x, IR_VFN_CVTDQ2PS, masked(x, m, words(x, 0xffff)));
        value = row2(x, IR_VFN_ADDPS, row2(x, IR_VFN_MULPS, high, words(x, FLOAT_65536)), low);
    } else {
        value = row1(x, IR_VFN_CVTDQ2PS, m);
    }
    return fraction ? row2(x, IR_VFN_MULPS, value, power_of_2(x, -(int)fraction)) : value;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The product, where infinity times zero counts as zero: the infinity is made one. */
static ir_ref step_product(struct xlat *x, ir_ref n, ir_ref m)
{
    ir_ref left = neon_float_absolute(x, n), right = neon_float_absolute(x, m);
    ir_ref least = v2(x, IR_VMIN_U, IR_LANE32, left, right);
    ir_ref zero = v2(x, IR_VCMPGT_S, IR_LANE32, words(x, FLOAT_SMALLEST), least);
    ir_ref infinity = words(x, FLOAT_INFINITY);
    left = masked(x, v2(x, IR_VCMPEQ, IR_LANE32, left, infinity), zero);
    right = masked(x, v2(x, IR_VCMPEQ, IR_LANE32, right, infinity), zero);
    return neon_float_op(x, IR_VFMUL, without(x, n, left), without(x, m, right), IR_NONE);
}

/* VRECPS: 2 - n * m, A8.8.370; never tiny */
ir_ref neon_reciprocal_step(struct xlat *x, ir_ref n, ir_ref m)
{
    return row2(x, IR_VFN_SUBPS, words(x, FLOAT_2), step_product(x, n, m));
}

/* VRSQRTS: (3 - n * m) / 2, A8.8.405 */
ir_ref neon_root_step(struct xlat *x, ir_ref n, ir_ref m)
{
    ir_ref difference = row2(x, IR_VFN_SUBPS, words(x, FLOAT_3), step_product(x, n, m));
    return row2(x, IR_VFN_MULPS, difference, words(x, FLOAT_HALF));
}
