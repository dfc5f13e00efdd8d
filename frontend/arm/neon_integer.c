/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD's integer operations that take more than a few vector ops: saturating ones, shifts
 * by registers, counts of leading bits, polynomial products. Lanes that saturate leave a difference
 * in the state's fpscr_qc; FPSCR.QC is set if any bit of that is. Of a D register the high half is
 * zero, which never saturates.
 */
#include "frontend/arm/neon_translate.h"

static ir_ref fn2(struct xlat *x, enum ir_vfn what, ir_ref a, ir_ref b)
{
    return ir_vfn(&x->b, what, IR_V128, 0, a, b, IR_NONE);
}

static ir_ref zero(struct xlat *x)
{
    return ir_v128(&x->b, 0, 0);
}

static uint64_t most_negative(unsigned lane)
{
    return UINT64_C(1) << ((8u << lane) - 1);
}

/* A mask of the lanes that are negative. */
static ir_ref signs(struct xlat *x, unsigned lane, ir_ref a)
{
    if (lane == IR_LANE16 || lane == IR_LANE32)
        return shift(x, IR_VSAR_I, lane, a, (8u << lane) - 1);
    return v2(x, IR_VCMPGT_S, lane, zero(x), a);
}

/* Lanes of yes where those of `sign` are negative, else of no. */
static ir_ref select_negative(struct xlat *x, unsigned lane, ir_ref sign, ir_ref yes, ir_ref no)
{
    static const enum ir_vfn blend[] = {
        [IR_LANE8] = IR_VFN_PBLENDVB, [IR_LANE32] = IR_VFN_BLENDVPS, [IR_LANE64] = IR_VFN_BLENDVPD};
    if (lane == IR_LANE16)
        return select_bits(x, signs(x, lane, sign), yes, no);
    return ir_vfn(&x->b, blend[lane], IR_V128, 0, no, yes, sign);
}

/* What a lane saturates to whose exact result has the sign of a. */
static ir_ref limit_like(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref a)
{
    if (is_unsigned)
        return ir_v128(&x->b, UINT64_MAX, UINT64_MAX);
    return v2(x, IR_VXOR, 0, signs(x, lane, a),
              constant(x, (enum ir_lane)lane, most_negative(lane) - 1));
}

/* ---- saturation ------------------------------------------------------------------------------ */

static void add_saturated(struct xlat *x, ir_ref bits)
{
    ir_set(&x->b, F_FPSCR_QC, v2(x, IR_VOR, 0, ir_get(&x->b, F_FPSCR_QC), bits));
}

void neon_set_saturated(struct xlat *x, ir_ref a, ir_ref b)
{
    add_saturated(x, v2(x, IR_VXOR, 0, a, b));
}

/* Of 32 and 64 bits, signed: the sum overflows if its sign differs from both operands', the
 * difference if the operands' signs differ and its sign is not the first one's. */
static ir_ref saturate_signed(struct xlat *x, unsigned lane, enum ir_op op, ir_ref n, ir_ref m)
{
    ir_ref plain = v2(x, op, lane, n, m), signs_differ = v2(x, IR_VXOR, 0, n, m);
    ir_ref changed = v2(x, IR_VXOR, 0, n, plain);
    ir_ref overflows = op == IR_VADD ? v2(x, IR_VANDN, 0, changed, signs_differ)
                                     : v2(x, IR_VAND, 0, changed, signs_differ);
    ir_ref result = select_negative(x, lane, overflows, limit_like(x, lane, false, n), plain);
    neon_set_saturated(x, result, plain);
    return result;
}

static ir_ref saturate_unsigned(struct xlat *x, unsigned lane, enum ir_op op, ir_ref n, ir_ref m)
{
    ir_ref result;
    if (op == IR_VADD) /* m, but no more than fits above n */
        result = v2(x, IR_VADD, lane, n, v2(x, IR_VMIN_U, lane, m, invert(x, n)));
    else
        result = v2(x, IR_VSUB, lane, v2(x, IR_VMAX_U, lane, n, m), m);
    neon_set_saturated(x, result, v2(x, op, lane, n, m));
    return result;
}

static ir_ref saturating(struct xlat *x, unsigned lane, bool is_unsigned, enum ir_op op, ir_ref n,
                         ir_ref m)
{
    static const enum ir_op direct[2][2] = {{IR_VADDS_S, IR_VADDS_U}, {IR_VSUBS_S, IR_VSUBS_U}};
    if (lane > IR_LANE16)
        return is_unsigned ? saturate_unsigned(x, lane, op, n, m)
                           : saturate_signed(x, lane, op, n, m);
    ir_ref result = v2(x, direct[op == IR_VSUB][is_unsigned], lane, n, m);
    neon_set_saturated(x, result, v2(x, op, lane, n, m));
    return result;
}

ir_ref neon_saturating_add(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m)
{
    return saturating(x, lane, is_unsigned, IR_VADD, n, m);
}

ir_ref neon_saturating_sub(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m)
{
    return saturating(x, lane, is_unsigned, IR_VSUB, n, m);
}

/* Lanes that hold the most negative number, by overflow, become the most positive one. */
static ir_ref fix_most_negative(struct xlat *x, unsigned lane, ir_ref a)
{
    ir_ref overflow =
        v2(x, IR_VCMPEQ, lane, a, constant(x, (enum ir_lane)lane, most_negative(lane)));
    add_saturated(x, overflow);
    return v2(x, IR_VXOR, 0, a, overflow);
}

ir_ref neon_saturating_absolute(struct xlat *x, unsigned lane, ir_ref m)
{
    return fix_most_negative(x, lane, v1(x, IR_VABS, lane, m));
}

ir_ref neon_saturating_negate(struct xlat *x, unsigned lane, ir_ref m)
{
    return fix_most_negative(x, lane, v1(x, IR_VNEG, lane, m));
}

/* ---- products -------------------------------------------------------------------------------- */

/* Of the low halves of 64-bit lanes; of 32-bit lanes that hold them. */
ir_ref neon_long_product(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m)
{
    if (lane != IR_LANE64)
        return v2(x, IR_VMUL, lane, n, m);
    return fn2(x, is_unsigned ? IR_VFN_PMULUDQ : IR_VFN_PMULDQ, n, m);
}

ir_ref neon_doubled_product(struct xlat *x, unsigned lane, ir_ref n, ir_ref m)
{
    ir_ref product = neon_long_product(x, lane, false, n, m);
    if (lane == IR_LANE64) {
        ir_ref doubled = v2(x, IR_VADD, lane, product, product);
        return fix_most_negative(x, lane, doubled);
    }
    return fix_most_negative(x, lane, shift(x, IR_VSHL_I, lane, product, 1));
}

/* The doubled products' high halves overflow only where both operands are the most negative. */
ir_ref neon_doubled_high(struct xlat *x, unsigned lane, bool rounds, ir_ref n, ir_ref m)
{
    if (lane == IR_LANE16 && rounds)
        return fix_most_negative(x, lane, fn2(x, IR_VFN_PMULHRSW, n, m));
    if (lane == IR_LANE16) {
        ir_ref high = shift(x, IR_VSHL_I, lane, fn2(x, IR_VFN_PMULHW, n, m), 1);
        ir_ref low = shift(x, IR_VSHR_I, lane, v2(x, IR_VMUL, lane, n, m), 15);
        return fix_most_negative(x, lane, v2(x, IR_VOR, 0, high, low));
    }
    ir_ref even = fn2(x, IR_VFN_PMULDQ, n, m);
    ir_ref odd_n = shift(x, IR_VSHR_I, IR_LANE64, n, 32);
    ir_ref odd_m = n == m ? odd_n : shift(x, IR_VSHR_I, IR_LANE64, m, 32);
    ir_ref odd = fn2(x, IR_VFN_PMULDQ, odd_n, odd_m);
    if (rounds) {
        ir_ref half = constant(x, IR_LANE64, UINT64_C(1) << 30);
        even = v2(x, IR_VADD, IR_LANE64, even, half);
        odd = v2(x, IR_VADD, IR_LANE64, odd, half);
    }
    even = shift(x, IR_VSHR_I, IR_LANE64, even, 31);
    odd = shift(x, IR_VSHL_I, IR_LANE64, odd, 1);
    ir_ref both = ir_vfn(&x->b, IR_VFN_PBLENDW, IR_V128, 0xcc, even, odd, IR_NONE);
    return fix_most_negative(x, lane, both);
}

/* Polynomials over {0, 1}, bit by bit from m's highest. lane: the product's; m stands at the top
 * of its lanes. */
ir_ref neon_polynomial_product(struct xlat *x, unsigned lane, ir_ref n, ir_ref m)
{
    ir_ref product = IR_NONE;
    for (unsigned bit = 0; bit < 8; bit++) {
        ir_ref part = v2(x, IR_VAND, 0, n, signs(x, lane, m));
        if (product != IR_NONE)
            part = v2(x, IR_VXOR, 0, part, v2(x, IR_VADD, lane, product, product));
        product = part;
        m = v2(x, IR_VADD, lane, m, m);
    }
    return product;
}

/* ---- shifts ---------------------------------------------------------------------------------- */

/* Q: saturating; by a constant. */
ir_ref neon_saturating_left(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref m,
                            unsigned amount)
{
    ir_ref left = shift(x, IR_VSHL_I, lane, m, amount);
    if (!amount)
        return left;
    ir_ref back = shift(x, is_unsigned ? IR_VSHR_I : IR_VSAR_I, lane, left, amount);
    ir_ref fits = v2(x, IR_VCMPEQ, lane, back, m);
    neon_set_saturated(x, back, m);
    return select_bits(x, fits, left, limit_like(x, lane, is_unsigned, m));
}

ir_ref neon_saturating_left_unsigned(struct xlat *x, unsigned lane, ir_ref m, unsigned amount)
{
    ir_ref positive = v2(x, IR_VANDN, 0, m, signs(x, lane, m));
    neon_set_saturated(x, positive, m);
    return neon_saturating_left(x, lane, true, positive, amount);
}

/* Shifts of 32-bit or 64-bit containers by amounts from 0 to 255 each: what is shifted out is zero,
 * or copies of the sign. */
static ir_ref left_by(struct xlat *x, unsigned lane, ir_ref a, ir_ref amount)
{
    return fn2(x, lane == IR_LANE64 ? IR_VFN_VPSLLVQ : IR_VFN_VPSLLVD, a, amount);
}

static ir_ref right_by(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref a, ir_ref amount)
{
    if (lane == IR_LANE32)
        return fn2(x, is_unsigned ? IR_VFN_VPSRLVD : IR_VFN_VPSRAVD, a, amount);
    if (is_unsigned)
        return fn2(x, IR_VFN_VPSRLVQ, a, amount);
    ir_ref sign = signs(x, lane, a);
    ir_ref shifted = fn2(x, IR_VFN_VPSRLVQ, v2(x, IR_VXOR, 0, a, sign), amount);
    return v2(x, IR_VXOR, 0, shifted, sign);
}

/* A shift of the lanes at one place of the containers. */
struct part {
    unsigned lane;        /* the container's */
    unsigned bits, above; /* of the lane, and of the container above it */
    bool is_unsigned, saturates, rounds;
};

/* high: the lanes at the containers' top, zeros below; the result stands there, too. */
static ir_ref part_left(struct xlat *x, const struct part *p, ir_ref high, ir_ref amount,
                        ir_ref negative)
{
    ir_ref left = left_by(x, p->lane, high, amount);
    if (!p->saturates)
        return left;
    ir_ref back = right_by(x, p->lane, p->is_unsigned, left, amount);
    ir_ref fits = v2(x, IR_VCMPEQ, p->lane, back, high);
    ir_ref lost = v2(x, IR_VANDN, 0, v2(x, IR_VXOR, 0, back, high), signs(x, p->lane, negative));
    add_saturated(x, lost);
    return select_bits(x, fits, left, limit_like(x, p->lane, p->is_unsigned, high));
}

/* low: the lanes extended to containers. To round is to add the last bit shifted out. */
static ir_ref part_right(struct xlat *x, const struct part *p, ir_ref low, ir_ref amount)
{
    ir_ref right = right_by(x, p->lane, p->is_unsigned, low, amount);
    if (!p->rounds)
        return right;
    ir_ref one = constant(x, (enum ir_lane)p->lane, 1);
    ir_ref last = right_by(x, p->lane, p->is_unsigned, low, v2(x, IR_VSUB, p->lane, amount, one));
    return v2(x, IR_VADD, p->lane, right, v2(x, IR_VAND, 0, last, one));
}

/* The result at the containers' top; what stands below is to be ignored. */
static ir_ref shift_part(struct xlat *x, const struct part *p, ir_ref n, ir_ref m)
{
    unsigned container = 8u << p->lane, narrower = container - p->bits;
    unsigned below = narrower - p->above;
    enum ir_op right = p->is_unsigned ? IR_VSHR_I : IR_VSAR_I;
    ir_ref byte = constant(x, (enum ir_lane)p->lane, 0xff);
    ir_ref negative = shift(x, IR_VSHL_I, p->lane, n, container - 8 - below);
    ir_ref left_amount = v2(x, IR_VAND, 0, shift(x, IR_VSHR_I, p->lane, n, below), byte);
    ir_ref right_amount = v2(x, IR_VAND, 0, v1(x, IR_VNEG, p->lane, left_amount), byte);
    ir_ref high = shift(x, IR_VSHL_I, p->lane, m, p->above);
    if (below)
        high =
            v2(x, IR_VAND, 0, high, constant(x, (enum ir_lane)p->lane, ~(uint64_t)0 << narrower));
    ir_ref left = part_left(x, p, high, left_amount, negative);
    ir_ref low = shift(x, right, p->lane, high, narrower);
    ir_ref shifted = part_right(x, p, low, right_amount);
    shifted = shift(x, IR_VSHL_I, p->lane, shifted, narrower);
    return select_negative(x, p->lane, negative, shifted, left);
}

ir_ref neon_shift_by_register(struct xlat *x, unsigned lane, unsigned kind, ir_ref n, ir_ref m)
{
    unsigned container = lane == IR_LANE64 ? IR_LANE64 : IR_LANE32, bits = 8u << lane;
    struct part p = {.lane = container,
                     .bits = bits,
                     .is_unsigned = kind & NEON_SHIFT_UNSIGNED,
                     .saturates = kind & NEON_SHIFT_SATURATES,
                     .rounds = kind & NEON_SHIFT_ROUNDS};
    ir_ref result = IR_NONE;
    for (p.above = 0; p.above < 8u << container; p.above += bits) {
        ir_ref part = shift_part(x, &p, n, m);
        if (result == IR_NONE) { /* the top lane: what stands below is replaced by the others */
            result = part;
            continue;
        }
        uint64_t from_above = ~UINT64_C(0) << ((8u << container) - p.above) & 0xffffffff;
        part = shift(x, IR_VSHR_I, container, part, p.above);
        result = select_constant(x, container, from_above, result, part);
    }
    return result;
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* Of bytes by a table of the halves' zeros: the lower half counts where the upper one is zero. */
static ir_ref leading_zeros_8(struct xlat *x, ir_ref m)
{
    ir_ref upper = ir_v128(&x->b, UINT64_C(0x0101010102020308), 0);
    ir_ref lower = ir_v128(&x->b, UINT64_C(0x0505050506060708), UINT64_C(0x0404040404040404));
    ir_ref mask = constant(x, IR_LANE8, 15);
    ir_ref low = v2(x, IR_VAND, 0, m, mask);
    ir_ref high = v2(x, IR_VAND, 0, shift(x, IR_VSHR_I, IR_LANE16, m, 4), mask);
    return v2(x, IR_VMIN_U, IR_LANE8, v2(x, IR_VSHUFFLE, 0, upper, high),
              v2(x, IR_VSHUFFLE, 0, lower, low));
}

ir_ref neon_leading_zeros(struct xlat *x, unsigned lane, ir_ref m)
{
    if (lane == IR_LANE8)
        return leading_zeros_8(x, m);
    unsigned half = 4u << lane;
    ir_ref count = neon_leading_zeros(x, lane - 1, m);
    ir_ref high = shift(x, IR_VSHR_I, lane, count, half);
    ir_ref is_zero = v2(x, IR_VCMPEQ, lane, high, constant(x, (enum ir_lane)lane, half));
    ir_ref low =
        v2(x, IR_VAND, 0, count, constant(x, (enum ir_lane)lane, (UINT64_C(1) << half) - 1));
    return v2(x, IR_VADD, lane, high, v2(x, IR_VAND, 0, low, is_zero));
}

ir_ref neon_leading_signs(struct xlat *x, unsigned lane, ir_ref m)
{
    ir_ref zeros = neon_leading_zeros(x, lane, v2(x, IR_VXOR, 0, m, signs(x, lane, m)));
    return v2(x, IR_VSUB, lane, zeros, constant(x, (enum ir_lane)lane, 1));
}
