/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the translators of Advanced SIMD instructions share. */
#ifndef CALQUE_FRONTEND_ARM_NEON_TRANSLATE_H
#define CALQUE_FRONTEND_ARM_NEON_TRANSLATE_H

#include "frontend/arm/simd.h"

static inline bool neon_enabled(struct xlat *x)
{
    return arm_xlat(x)->key & KEY_NEON;
}

enum { NEON_NO_BYTE = 0xff };

/* A vector of bytes picked from up to four others: byte i is byte map[i] & 15 of
 * sources[map[i] >> 4], or does not matter for NEON_NO_BYTE. */
ir_ref neon_gather(struct xlat *x, const ir_ref *sources, unsigned n_sources,
                   const uint8_t map[16]);

/* ---- vectors of lanes ---- */

static inline uint64_t replicate(enum ir_lane lane, uint64_t value)
{
    switch (lane) {
    case IR_LANE8:
        return (value & 0xff) * UINT64_C(0x0101010101010101);
    case IR_LANE16:
        return (value & 0xffff) * UINT64_C(0x0001000100010001);
    case IR_LANE32:
        return (value & 0xffffffff) * UINT64_C(0x0000000100000001);
    default:
        return value;
    }
}

static inline uint64_t low_bits(unsigned n)
{
    return n >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << n) - 1;
}

static inline ir_ref constant(struct xlat *x, enum ir_lane lane, uint64_t value)
{
    uint64_t half = replicate(lane, value);
    return ir_v128(&x->b, half, half);
}

static inline ir_ref v2(struct xlat *x, enum ir_op op, unsigned lane, ir_ref a, ir_ref b)
{
    return ir_vec(&x->b, op, (enum ir_lane)lane, a, b);
}

static inline ir_ref v1(struct xlat *x, enum ir_op op, unsigned lane, ir_ref a)
{
    return ir_vec(&x->b, op, (enum ir_lane)lane, a, IR_NONE);
}

static inline ir_ref shift(struct xlat *x, enum ir_op op, unsigned lane, ir_ref a, unsigned amount)
{
    return amount ? ir_vec_i(&x->b, op, (enum ir_lane)lane, a, amount) : a;
}

static inline ir_ref invert(struct xlat *x, ir_ref a)
{
    return v2(x, IR_VXOR, 0, a, ir_v128(&x->b, ~UINT64_C(0), ~UINT64_C(0)));
}

static inline ir_ref select_bits(struct xlat *x, ir_ref mask, ir_ref yes, ir_ref no)
{
    return ir_emit(&x->b, IR_VSELECT, IR_V128, 0, 0, mask, yes, no, 0);
}

/* (a & b) | (~a & c) with a constant a. */
static inline ir_ref select_constant(struct xlat *x, unsigned lane, uint64_t mask, ir_ref yes,
                                     ir_ref no)
{
    return select_bits(x, constant(x, (enum ir_lane)lane, mask), yes, no);
}

/* ---- neon_integer.c: lane by lane; what saturates sets FPSCR.QC ---- */

/* FPSCR.QC is set if the two differ. */
void neon_set_saturated(struct xlat *x, ir_ref a, ir_ref b);
ir_ref neon_saturating_add(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m);
ir_ref neon_saturating_sub(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m);
ir_ref neon_saturating_absolute(struct xlat *x, unsigned lane, ir_ref m);
ir_ref neon_saturating_negate(struct xlat *x, unsigned lane, ir_ref m);
/* Left by a constant; of signed lanes to unsigned ones. */
ir_ref neon_saturating_left(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref m,
                            unsigned amount);
ir_ref neon_saturating_left_unsigned(struct xlat *x, unsigned lane, ir_ref m, unsigned amount);
/* m by the signed low bytes of n's lanes. */
enum neon_shift { NEON_SHIFT_UNSIGNED = 1, NEON_SHIFT_SATURATES = 2, NEON_SHIFT_ROUNDS = 4 };
ir_ref neon_shift_by_register(struct xlat *x, unsigned lane, unsigned kind, ir_ref n, ir_ref m);
/* lane is the product's, whose lower halves n and m fill. */
ir_ref neon_long_product(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m);
ir_ref neon_doubled_product(struct xlat *x, unsigned lane, ir_ref n, ir_ref m);
ir_ref neon_doubled_high(struct xlat *x, unsigned lane, bool rounds, ir_ref n, ir_ref m);
/* m stands at the top of its lanes. */
ir_ref neon_polynomial_product(struct xlat *x, unsigned lane, ir_ref n, ir_ref m);
ir_ref neon_leading_zeros(struct xlat *x, unsigned lane, ir_ref m);
ir_ref neon_leading_signs(struct xlat *x, unsigned lane, ir_ref m); /* less the sign itself */

/* ---- neon_float.c: single precision by the "standard FPSCR value" ---- */

ir_ref neon_float_op(struct xlat *x, enum ir_op op, ir_ref a, ir_ref b, ir_ref c);
ir_ref neon_float_negate(struct xlat *x, ir_ref a);
ir_ref neon_float_absolute(struct xlat *x, ir_ref a);
enum neon_comparison {
    NEON_EQ,
    NEON_GE,
    NEON_GT,
    NEON_LE,
    NEON_LT,
    NEON_ABSOLUTE = 8, /* of magnitudes */
};
/* m may be IR_NONE, for zero. */
ir_ref neon_float_compare(struct xlat *x, unsigned comparison, ir_ref n, ir_ref m);
ir_ref neon_float_extreme(struct xlat *x, bool maximum, ir_ref n, ir_ref m);
/* 32-bit integers with `fraction` bits below the point; to them towards zero, from them only where
 * the host rounds to nearest. */
ir_ref neon_float_to_fixed(struct xlat *x, bool is_unsigned, unsigned fraction, ir_ref m);
ir_ref neon_float_from_fixed(struct xlat *x, bool is_unsigned, unsigned fraction, ir_ref m);
/* Where the host rounds to nearest. */
ir_ref neon_reciprocal_step(struct xlat *x, ir_ref n, ir_ref m);
ir_ref neon_root_step(struct xlat *x, ir_ref n, ir_ref m);

#endif
