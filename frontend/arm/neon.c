/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD: translation of the data-processing part of frontend/arm/neon.decode. Saturating
 * and floating-point operations are built in neon_integer.c and neon_float.c; loads and stores are
 * in neon_memory.c.
 *
 * The few operations that helper_neon has are called with the byte offsets of the registers. A
 * 64-bit operand is the low half of a vector whose high half is zero; of the result only the low
 * half is kept.
 */
#include "frontend/arm/fp.h"
#include "frontend/arm/neon_helpers.h"
#include "frontend/arm/neon_translate.h"

#define DECODE_IMPLEMENTATION
#include "build/gen/neon.inc"

/* ---- common pieces ------------------------------------------------------------------------------
 */

static bool odd(unsigned q, int registers)
{
    return q && (registers & 1);
}

/* registers: numbers ORed; q: they are Q registers. */
static bool ready(struct xlat *x, int q, int registers)
{
    return neon_enabled(x) && !odd((unsigned)q, registers) &&
           (registers < 16 || arm_has(x, ARM_HAS_D32));
}

static uint32_t offset_of(int d)
{
    return (uint32_t)(offsetof(struct arm_cpu, d) + (unsigned)d * 8);
}

static void call(struct xlat *x, unsigned operation, unsigned imm, unsigned q, unsigned scalar,
                 int d, int n, int m)
{
    struct ir_builder *b = &x->b;
    ir_call(b, &helper_neon, ir_i32(b, neon_what(operation, imm, q ? 16 : 8, scalar)),
            ir_i32(b, offset_of(d)), ir_i32(b, offset_of(n)), ir_i32(b, offset_of(m)));
}

static bool call3(struct xlat *x, const struct arg_neon_3 *a, unsigned operation)
{
    if (!ready(x, a->q, a->d | a->n | a->m))
        return arm_undefined(x);
    call(x, operation, 0, (unsigned)a->q, 0, a->d, a->n, a->m);
    return true;
}

/* ---- three registers of the same length ------------------------------------------------------ */

typedef ir_ref (*emit3)(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref d, ir_ref n,
                        ir_ref m);

/* sizes: a bit per size that is defined. */
static bool same3(struct xlat *x, const struct arg_neon_3 *a, unsigned sizes, emit3 emit)
{
    unsigned q = (unsigned)a->q;
    if (!ready(x, a->q, a->d | a->n | a->m) || !(sizes >> a->size & 1))
        return arm_undefined(x);
    ir_ref n = simd_get(x, q, (unsigned)a->n);
    ir_ref m = a->n == a->m ? n : simd_get(x, q, (unsigned)a->m);
    ir_ref d = simd_get(x, q, (unsigned)a->d);
    simd_set(x, q, (unsigned)a->d, emit(x, (unsigned)a->size, a->u, d, n, m));
    return true;
}

enum { SIZES_8_16 = 3, SIZES_8_32 = 7, SIZES_ALL = 15, SIZES_16_32 = 6 };

#define SAME3(NAME, sizes, expression)                                                             \
    static ir_ref emit_##NAME(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref d, ir_ref n, \
                              ir_ref m)                                                            \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_3 *a)                                  \
    {                                                                                              \
        return same3(x, a, sizes, emit_##NAME);                                                    \
    }

/* Sums and differences halved without the carry: A8.8.319, A8.8.379 */
static ir_ref halve(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref a)
{
    return shift(x, is_unsigned ? IR_VSHR_I : IR_VSAR_I, lane, a, 1);
}

SAME3(VHADD, SIZES_8_32,
      v2(x, IR_VADD, lane, v2(x, IR_VAND, 0, n, m),
         halve(x, lane, is_unsigned, v2(x, IR_VXOR, 0, n, m))))
SAME3(VHSUB, SIZES_8_32,
      v2(x, IR_VSUB, lane, halve(x, lane, is_unsigned, v2(x, IR_VXOR, 0, n, m)),
         v2(x, IR_VANDN, 0, m, n)))

static ir_ref rounded_half(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m)
{
    if (is_unsigned && lane <= IR_LANE16)
        return v2(x, IR_VAVG_U, lane, n, m);
    return v2(x, IR_VSUB, lane, v2(x, IR_VOR, 0, n, m),
              halve(x, lane, is_unsigned, v2(x, IR_VXOR, 0, n, m)));
}

SAME3(VRHADD, SIZES_8_32, rounded_half(x, lane, is_unsigned, n, m))

SAME3(VAND, SIZES_ALL, v2(x, IR_VAND, 0, n, m))
SAME3(VBIC, SIZES_ALL, v2(x, IR_VANDN, 0, n, m))
SAME3(VORR, SIZES_ALL, n == m ? n : v2(x, IR_VOR, 0, n, m))
SAME3(VORN, SIZES_ALL, v2(x, IR_VOR, 0, n, invert(x, m)))
SAME3(VEOR, SIZES_ALL, v2(x, IR_VXOR, 0, n, m))
SAME3(VBSL, SIZES_ALL, select_bits(x, d, n, m))
SAME3(VBIT, SIZES_ALL, select_bits(x, m, n, d))
SAME3(VBIF, SIZES_ALL, select_bits(x, m, d, n))

SAME3(VCGT, SIZES_8_32, v2(x, is_unsigned ? IR_VCMPGT_U : IR_VCMPGT_S, lane, n, m))
SAME3(VCGE, SIZES_8_32, invert(x, v2(x, is_unsigned ? IR_VCMPGT_U : IR_VCMPGT_S, lane, m, n)))
SAME3(VCEQ, SIZES_8_32, v2(x, IR_VCMPEQ, lane, n, m))
SAME3(VTST, SIZES_8_32,
      invert(x, v2(x, IR_VCMPEQ, lane, v2(x, IR_VAND, 0, n, m), ir_v128(&x->b, 0, 0))))

SAME3(VMAX, SIZES_8_32, v2(x, is_unsigned ? IR_VMAX_U : IR_VMAX_S, lane, n, m))
SAME3(VMIN, SIZES_8_32, v2(x, is_unsigned ? IR_VMIN_U : IR_VMIN_S, lane, n, m))

static ir_ref difference(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref n, ir_ref m)
{
    return v2(x, IR_VSUB, lane, v2(x, is_unsigned ? IR_VMAX_U : IR_VMAX_S, lane, n, m),
              v2(x, is_unsigned ? IR_VMIN_U : IR_VMIN_S, lane, n, m));
}

SAME3(VABD, SIZES_8_32, difference(x, lane, is_unsigned, n, m))
SAME3(VABA, SIZES_8_32, v2(x, IR_VADD, lane, d, difference(x, lane, is_unsigned, n, m)))
SAME3(VADD_int, SIZES_ALL, v2(x, IR_VADD, lane, n, m))
SAME3(VSUB_int, SIZES_ALL, v2(x, IR_VSUB, lane, n, m))
SAME3(VMUL_int, SIZES_8_32, v2(x, IR_VMUL, lane, n, m))
SAME3(VMLA_int, SIZES_8_32, v2(x, IR_VADD, lane, d, v2(x, IR_VMUL, lane, n, m)))
SAME3(VMLS_int, SIZES_8_32, v2(x, IR_VSUB, lane, d, v2(x, IR_VMUL, lane, n, m)))

/* Even lanes of m:n in the low half, odd ones in the high half; of D registers. */
static ir_ref split_pairs(struct xlat *x, unsigned lane, ir_ref n, ir_ref m)
{
    uint8_t map[16];
    unsigned size = 1u << lane;
    for (unsigned i = 0; i < 16; i++) {
        unsigned element = (i & 7) / size * 2 + (i >> 3);
        map[i] = (uint8_t)(element * size + i % size);
    }
    ir_ref both = v2(x, IR_VCONCAT, 0, n, m);
    return neon_gather(x, &both, 1, map);
}

static ir_ref fold_pairs(struct xlat *x, enum ir_op op, unsigned lane, ir_ref n, ir_ref m)
{
    ir_ref split = split_pairs(x, lane, n, m);
    return v2(x, op, lane, split, v1(x, IR_VHIGH, 0, split));
}

SAME3(VPADD, SIZES_8_32, fold_pairs(x, IR_VADD, lane, n, m))
SAME3(VPMAX, SIZES_8_32, fold_pairs(x, is_unsigned ? IR_VMAX_U : IR_VMAX_S, lane, n, m))
SAME3(VPMIN, SIZES_8_32, fold_pairs(x, is_unsigned ? IR_VMIN_U : IR_VMIN_S, lane, n, m))

/* VQADD, VQSUB: A8.8.369, A8.8.382 */
SAME3(VQADD, SIZES_ALL, neon_saturating_add(x, lane, is_unsigned, n, m))
SAME3(VQSUB, SIZES_ALL, neon_saturating_sub(x, lane, is_unsigned, n, m))

/* V{Q}{R}SHL Vd, Vm, Vn: A8.8.383, A8.8.377, A8.8.380, A8.8.396 */
static ir_ref by_register(struct xlat *x, unsigned lane, bool is_unsigned, unsigned kind, ir_ref n,
                          ir_ref m)
{
    return neon_shift_by_register(x, lane, kind | (is_unsigned ? NEON_SHIFT_UNSIGNED : 0), n, m);
}

SAME3(VSHL_reg, SIZES_ALL, by_register(x, lane, is_unsigned, 0, n, m))
SAME3(VQSHL_reg, SIZES_ALL, by_register(x, lane, is_unsigned, NEON_SHIFT_SATURATES, n, m))
SAME3(VRSHL, SIZES_ALL, by_register(x, lane, is_unsigned, NEON_SHIFT_ROUNDS, n, m))
SAME3(VQRSHL, SIZES_ALL,
      by_register(x, lane, is_unsigned, NEON_SHIFT_SATURATES | NEON_SHIFT_ROUNDS, n, m))

SAME3(VMUL_poly, SIZES_ALL, neon_polynomial_product(x, IR_LANE8, n, m))

/* A8.8.372, A8.8.376 */
SAME3(VQDMULH, SIZES_16_32, neon_doubled_high(x, lane, false, n, m))
SAME3(VQRDMULH, SIZES_16_32, neon_doubled_high(x, lane, true, n, m))

/* ---- floating point -------------------------------------------------------------------------- */

/* Advanced SIMD always rounds to nearest. The host does so, too, only in the FPSCR's default mode;
 * in the others the helper calculates. */
static bool nearest(struct xlat *x)
{
    return arm_xlat(x)->key & KEY_FP_NEAREST;
}

static ir_ref float_fold(struct xlat *x, enum ir_op op, ir_ref n, ir_ref m)
{
    ir_ref split = split_pairs(x, IR_LANE32, n, m), odds = v1(x, IR_VHIGH, 0, split);
    ir_ref evens = v2(x, IR_VCONCAT, 0, split, ir_v128(&x->b, 0, 0));
    return neon_float_op(x, op, evens, odds, IR_NONE);
}

#define FLOAT3(NAME, operation, expression)                                                        \
    static ir_ref emit_##NAME(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref d, ir_ref n, \
                              ir_ref m)                                                            \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_3 *a)                                  \
    {                                                                                              \
        if (!nearest(x))                                                                           \
            return call3(x, a, operation);                                                         \
        return same3(x, a, SIZES_ALL, emit_##NAME);                                                \
    }

FLOAT3(VADD_f, NEON_vadd_f32, neon_float_op(x, IR_VFADD, n, m, IR_NONE))
FLOAT3(VSUB_f, NEON_vsub_f32, neon_float_op(x, IR_VFSUB, n, m, IR_NONE))
FLOAT3(VMUL_f, NEON_vmul_f32, neon_float_op(x, IR_VFMUL, n, m, IR_NONE))
FLOAT3(VABD_f, NEON_vabd_f32, neon_float_absolute(x, neon_float_op(x, IR_VFSUB, n, m, IR_NONE)))
FLOAT3(VMLA_f, NEON_vmla_f32,
       neon_float_op(x, IR_VFADD, d, neon_float_op(x, IR_VFMUL, n, m, IR_NONE), IR_NONE))
FLOAT3(VMLS_f, NEON_vmls_f32,
       neon_float_op(x, IR_VFSUB, d, neon_float_op(x, IR_VFMUL, n, m, IR_NONE), IR_NONE))
FLOAT3(VFMA, NEON_vfma_f32, neon_float_op(x, IR_VFMA, n, m, d))
FLOAT3(VFMS, NEON_vfms_f32, neon_float_op(x, IR_VFMA, neon_float_negate(x, n), m, d))
FLOAT3(VPADD_f, NEON_vpadd_f32, float_fold(x, IR_VFADD, n, m))

FLOAT3(VRECPS, NEON_vrecps_f32, neon_reciprocal_step(x, n, m))
FLOAT3(VRSQRTS, NEON_vrsqrts_f32, neon_root_step(x, n, m))

/* Nothing of these is rounded: the mode does not matter. */
SAME3(VCEQ_f, SIZES_ALL, neon_float_compare(x, NEON_EQ, n, m))
SAME3(VCGE_f, SIZES_ALL, neon_float_compare(x, NEON_GE, n, m))
SAME3(VCGT_f, SIZES_ALL, neon_float_compare(x, NEON_GT, n, m))
SAME3(VACGE, SIZES_ALL, neon_float_compare(x, NEON_GE | NEON_ABSOLUTE, n, m))
SAME3(VACGT, SIZES_ALL, neon_float_compare(x, NEON_GT | NEON_ABSOLUTE, n, m))
SAME3(VMAX_f, SIZES_ALL, neon_float_extreme(x, true, n, m))
SAME3(VMIN_f, SIZES_ALL, neon_float_extreme(x, false, n, m))

/* Pairs of n's in the low lane, m's in the high one. */
static ir_ref extreme_fold(struct xlat *x, bool maximum, ir_ref n, ir_ref m)
{
    ir_ref split = split_pairs(x, IR_LANE32, n, m), zero = ir_v128(&x->b, 0, 0);
    return neon_float_extreme(x, maximum, v2(x, IR_VCONCAT, 0, split, zero),
                              v1(x, IR_VHIGH, 0, split));
}

SAME3(VPMAX_f, SIZES_ALL, extreme_fold(x, true, n, m))
SAME3(VPMIN_f, SIZES_ALL, extreme_fold(x, false, n, m))

/* ---- three registers of different lengths ---------------------------------------------------- */

static ir_ref widen(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref a)
{
    return v1(x, is_unsigned ? IR_VWIDEN_U : IR_VWIDEN_S, lane, a);
}

/* Q from D and D. Size 11 is other instructions' (false: not this row). lane is the operands'. */
static bool lengthen(struct xlat *x, const struct arg_neon_3 *a, emit3 emit)
{
    if (a->size == 3)
        return false;
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n | a->m))
        return arm_undefined(x);
    ir_ref n = simd_get_d(x, (unsigned)a->n), m = simd_get_d(x, (unsigned)a->m);
    ir_ref d = simd_get(x, 1, (unsigned)a->d);
    simd_set(x, 1, (unsigned)a->d, emit(x, (unsigned)a->size, a->u, d, n, m));
    return true;
}

#define LENGTHEN(NAME, expression)                                                                 \
    static ir_ref emit_##NAME(struct xlat *x, unsigned lane, bool is_unsigned, ir_ref d, ir_ref n, \
                              ir_ref m)                                                            \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_3 *a)                                  \
    {                                                                                              \
        return lengthen(x, a, emit_##NAME);                                                        \
    }

LENGTHEN(VADDL,
         v2(x, IR_VADD, lane + 1, widen(x, lane, is_unsigned, n), widen(x, lane, is_unsigned, m)))
LENGTHEN(VSUBL,
         v2(x, IR_VSUB, lane + 1, widen(x, lane, is_unsigned, n), widen(x, lane, is_unsigned, m)))
LENGTHEN(VABDL, widen(x, lane, true, difference(x, lane, is_unsigned, n, m)))
LENGTHEN(VABAL,
         v2(x, IR_VADD, lane + 1, d, widen(x, lane, true, difference(x, lane, is_unsigned, n, m))))

/* Q from Q and D. */
static bool add_wide(struct xlat *x, const struct arg_neon_3 *a, enum ir_op op)
{
    unsigned size = (unsigned)a->size;
    if (size == 3)
        return false;
    if (!ready(x, 1, a->d | a->n) || !ready(x, 0, a->m))
        return arm_undefined(x);
    ir_ref m = widen(x, size, a->u, simd_get_d(x, (unsigned)a->m));
    simd_set(x, 1, (unsigned)a->d, v2(x, op, size + 1, simd_get(x, 1, (unsigned)a->n), m));
    return true;
}

bool trans_VADDW(struct xlat *x, const struct arg_neon_3 *a)
{
    return add_wide(x, a, IR_VADD);
}

bool trans_VSUBW(struct xlat *x, const struct arg_neon_3 *a)
{
    return add_wide(x, a, IR_VSUB);
}

/* D from Q and Q: the high halves of the lanes' sums. */
static bool high_half(struct xlat *x, const struct arg_neon_3 *a, enum ir_op op, bool round)
{
    unsigned lane = (unsigned)a->size + 1, half = 8u << a->size;
    if (a->size == 3)
        return false;
    if (!ready(x, 0, a->d) || !ready(x, 1, a->n | a->m))
        return arm_undefined(x);
    ir_ref value = v2(x, op, lane, simd_get(x, 1, (unsigned)a->n), simd_get(x, 1, (unsigned)a->m));
    if (round)
        value =
            v2(x, IR_VADD, lane, value, constant(x, (enum ir_lane)lane, UINT64_C(1) << (half - 1)));
    value = v1(x, IR_VNARROW, lane, shift(x, IR_VSHR_I, lane, value, half));
    simd_set_d(x, (unsigned)a->d, value);
    return true;
}

bool trans_VADDHN(struct xlat *x, const struct arg_neon_3 *a)
{
    return high_half(x, a, IR_VADD, false);
}

bool trans_VRADDHN(struct xlat *x, const struct arg_neon_3 *a)
{
    return high_half(x, a, IR_VADD, true);
}

bool trans_VSUBHN(struct xlat *x, const struct arg_neon_3 *a)
{
    return high_half(x, a, IR_VSUB, false);
}

bool trans_VRSUBHN(struct xlat *x, const struct arg_neon_3 *a)
{
    return high_half(x, a, IR_VSUB, true);
}

/* What becomes of a product: op IR_NOP (it is the result), IR_VADD or IR_VSUB (to d). */
static ir_ref accumulate(struct xlat *x, enum ir_op op, unsigned lane, ir_ref d, ir_ref product)
{
    return op == IR_NOP ? product : v2(x, op, lane, d, product);
}

/* VMULL, VMLAL, VMLSL: A8.8.350, A8.8.336 */
static bool multiply_long(struct xlat *x, const struct arg_neon_3 *a, enum ir_op op)
{
    unsigned size = (unsigned)a->size;
    if (size == 3)
        return false;
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n | a->m))
        return arm_undefined(x);
    ir_ref n = widen(x, size, a->u, simd_get_d(x, (unsigned)a->n));
    ir_ref m = widen(x, size, a->u, simd_get_d(x, (unsigned)a->m));
    ir_ref product = neon_long_product(x, size + 1, a->u, n, m);
    ir_ref d = op == IR_NOP ? IR_NONE : simd_get(x, 1, (unsigned)a->d);
    simd_set(x, 1, (unsigned)a->d, accumulate(x, op, size + 1, d, product));
    return true;
}

bool trans_VMULL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_long(x, a, IR_NOP);
}

bool trans_VMLAL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_long(x, a, IR_VADD);
}

bool trans_VMLSL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_long(x, a, IR_VSUB);
}

/* The doubled product is saturated by itself, then so is the sum (A8.8.371). */
static ir_ref accumulate_doubled(struct xlat *x, enum ir_op op, unsigned lane, ir_ref n, ir_ref m,
                                 ir_ref d)
{
    ir_ref product = neon_doubled_product(x, lane, n, m);
    if (op == IR_NOP)
        return product;
    return op == IR_VADD ? neon_saturating_add(x, lane, false, d, product)
                         : neon_saturating_sub(x, lane, false, d, product);
}

/* VQDMULL, VQDMLAL, VQDMLSL: A8.8.373, A8.8.371 */
static bool multiply_doubling(struct xlat *x, const struct arg_neon_3 *a, enum ir_op op)
{
    unsigned size = (unsigned)a->size;
    if (size == 3)
        return false;
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n | a->m) || size == 0)
        return arm_undefined(x);
    ir_ref n = widen(x, size, false, simd_get_d(x, (unsigned)a->n));
    ir_ref m = widen(x, size, false, simd_get_d(x, (unsigned)a->m));
    ir_ref d = simd_get(x, 1, (unsigned)a->d);
    simd_set(x, 1, (unsigned)a->d, accumulate_doubled(x, op, size + 1, n, m, d));
    return true;
}

bool trans_VQDMULL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_doubling(x, a, IR_NOP);
}

bool trans_VQDMLAL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_doubling(x, a, IR_VADD);
}

bool trans_VQDMLSL(struct xlat *x, const struct arg_neon_3 *a)
{
    return multiply_doubling(x, a, IR_VSUB);
}

bool trans_VMULL_poly(struct xlat *x, const struct arg_neon_3 *a)
{
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n | a->m))
        return arm_undefined(x);
    ir_ref n = widen(x, IR_LANE8, true, simd_get_d(x, (unsigned)a->n));
    ir_ref m = widen(x, IR_LANE8, true, simd_get_d(x, (unsigned)a->m));
    m = shift(x, IR_VSHL_I, IR_LANE16, m, 8);
    simd_set(x, 1, (unsigned)a->d, neon_polynomial_product(x, IR_LANE16, n, m));
    return true;
}

/* ---- two registers and a scalar -------------------------------------------------------------- */

/* The scalar's register and lane: A7.3, "Advanced SIMD scalars". Size 00 is UNDEFINED, 11 other
 * instructions'. */
struct scalar {
    unsigned lane, d, index;
};

static struct scalar scalar_of(const struct arg_neon_scalar *a)
{
    unsigned m = (unsigned)a->m; /* M:Vm */
    if (a->size == 1)
        return (struct scalar){.lane = IR_LANE16, .d = m & 7, .index = m >> 3};
    return (struct scalar){.lane = IR_LANE32, .d = m & 15, .index = m >> 4};
}

/* Of a D register only the low half: what stands above must not raise floating-point flags. */
static ir_ref scalar_vector(struct xlat *x, struct scalar s, int q)
{
    uint8_t map[16];
    for (unsigned i = 0; i < 16; i++)
        map[i] = i < 8 || q ? (uint8_t)((s.index << s.lane) + i % (1u << s.lane)) : NEON_NO_BYTE;
    ir_ref d = simd_get_d(x, s.d);
    return neon_gather(x, &d, 1, map);
}

/* Result of the operands' length; u is Q. */
static bool by_scalar(struct xlat *x, const struct arg_neon_scalar *a, emit3 emit)
{
    unsigned q = (unsigned)a->u;
    if (a->size == 3)
        return false;
    if (!ready(x, a->u, a->d | a->n) || a->size == 0)
        return arm_undefined(x);
    ir_ref n = simd_get(x, q, (unsigned)a->n), d = simd_get(x, q, (unsigned)a->d);
    ir_ref m = scalar_vector(x, scalar_of(a), a->u);
    simd_set(x, q, (unsigned)a->d, emit(x, (unsigned)a->size, false, d, n, m));
    return true;
}

static bool call_scalar(struct xlat *x, const struct arg_neon_scalar *a, unsigned operation)
{
    struct scalar s = scalar_of(a);
    if (a->size == 3)
        return false;
    if (!ready(x, a->u, a->d | a->n) || a->size == 0)
        return arm_undefined(x);
    call(x, operation, 0, (unsigned)a->u, 1 + s.index, a->d, a->n, (int)s.d);
    return true;
}

#define BY_SCALAR(NAME, emit)                                                                      \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_scalar *a)                             \
    {                                                                                              \
        return by_scalar(x, a, emit);                                                              \
    }

BY_SCALAR(VMUL_scalar, emit_VMUL_int)
BY_SCALAR(VMLA_scalar, emit_VMLA_int)
BY_SCALAR(VMLS_scalar, emit_VMLS_int)

static bool by_scalar_float(struct xlat *x, const struct arg_neon_scalar *a, emit3 emit,
                            unsigned operation)
{
    return nearest(x) ? by_scalar(x, a, emit) : call_scalar(x, a, operation);
}

bool trans_VMUL_scalar_f(struct xlat *x, const struct arg_neon_scalar *a)
{
    return by_scalar_float(x, a, emit_VMUL_f, NEON_vmul_f32);
}

bool trans_VMLA_scalar_f(struct xlat *x, const struct arg_neon_scalar *a)
{
    return by_scalar_float(x, a, emit_VMLA_f, NEON_vmla_f32);
}

bool trans_VMLS_scalar_f(struct xlat *x, const struct arg_neon_scalar *a)
{
    return by_scalar_float(x, a, emit_VMLS_f, NEON_vmls_f32);
}

BY_SCALAR(VQDMULH_scalar, emit_VQDMULH)
BY_SCALAR(VQRDMULH_scalar, emit_VQRDMULH)

static bool multiply_long_scalar(struct xlat *x, const struct arg_neon_scalar *a, enum ir_op op)
{
    struct scalar s = scalar_of(a);
    if (a->size == 3)
        return false;
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n) || a->size == 0)
        return arm_undefined(x);
    ir_ref n = widen(x, s.lane, a->u, simd_get_d(x, (unsigned)a->n));
    ir_ref m = widen(x, s.lane, a->u, scalar_vector(x, s, 0));
    ir_ref product = neon_long_product(x, s.lane + 1, a->u, n, m);
    ir_ref d = op == IR_NOP ? IR_NONE : simd_get(x, 1, (unsigned)a->d);
    simd_set(x, 1, (unsigned)a->d, accumulate(x, op, s.lane + 1, d, product));
    return true;
}

bool trans_VMULL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_long_scalar(x, a, IR_NOP);
}

bool trans_VMLAL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_long_scalar(x, a, IR_VADD);
}

bool trans_VMLSL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_long_scalar(x, a, IR_VSUB);
}

static bool multiply_doubling_scalar(struct xlat *x, const struct arg_neon_scalar *a, enum ir_op op)
{
    struct scalar s = scalar_of(a);
    if (a->size == 3)
        return false;
    if (!ready(x, 1, a->d) || !ready(x, 0, a->n) || a->size == 0)
        return arm_undefined(x);
    ir_ref n = widen(x, s.lane, false, simd_get_d(x, (unsigned)a->n));
    ir_ref m = widen(x, s.lane, false, scalar_vector(x, s, 0));
    ir_ref d = simd_get(x, 1, (unsigned)a->d);
    simd_set(x, 1, (unsigned)a->d, accumulate_doubled(x, op, s.lane + 1, n, m, d));
    return true;
}

bool trans_VQDMULL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_doubling_scalar(x, a, IR_NOP);
}

bool trans_VQDMLAL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_doubling_scalar(x, a, IR_VADD);
}

bool trans_VQDMLSL_scalar(struct xlat *x, const struct arg_neon_scalar *a)
{
    return multiply_doubling_scalar(x, a, IR_VSUB);
}

/* ---- modified immediates --------------------------------------------------------------------- */

/* AdvSIMDExpandImm, A7.4.6 */
static uint64_t expand_immediate(unsigned op, unsigned cmode, uint64_t imm)
{
    uint64_t bits = 0;
    switch (cmode >> 1) {
    case 0:
    case 1:
    case 2:
    case 3:
        return replicate(IR_LANE32, imm << (cmode >> 1) * 8);
    case 4:
    case 5:
        return replicate(IR_LANE16, imm << (cmode >> 1 & 1) * 8);
    case 6:
        return replicate(IR_LANE32, cmode & 1 ? imm << 16 | 0xffff : imm << 8 | 0xff);
    default:
        if (cmode & 1)
            return replicate(IR_LANE32, (imm >> 7) << 31 | (imm & 0x40 ? 0x1fu : 0x20u) << 25 |
                                            (imm & 0x3f) << 19);
        if (!op)
            return replicate(IR_LANE8, imm);
        for (unsigned i = 0; i < 8; i++)
            bits |= imm >> i & 1 ? UINT64_C(0xff) << i * 8 : 0;
        return bits;
    }
}

/* VMOV, VMVN, VORR, VBIC Vd, #imm */
bool trans_VMOV_imm(struct xlat *x, const struct arg_neon_imm *a)
{
    unsigned cmode = (unsigned)a->cmode, op = (unsigned)a->op, q = (unsigned)a->q;
    unsigned d = (unsigned)a->d;
    if (!ready(x, a->q, a->d) || (op && cmode == 15))
        return arm_undefined(x);
    uint64_t imm = expand_immediate(op, cmode, (uint64_t)a->imm);
    bool combines = (cmode & 1) && cmode < 12;
    if (!combines) {
        if (op && cmode != 14)
            imm = ~imm;
        simd_set(x, q, d, ir_v128(&x->b, imm, imm));
        return true;
    }
    simd_set(x, q, d,
             v2(x, op ? IR_VANDN : IR_VOR, 0, simd_get(x, q, d), ir_v128(&x->b, imm, imm)));
    return true;
}

/* ---- shifts by immediates -------------------------------------------------------------------- */

/* Size of the lanes and the 6-bit immediate's part below it (A7.4.4): L:imm6 = 0001xxx 8 bits,
 * 001xxxx 16, 01xxxxx 32, 1xxxxxx 64. */
struct amounts {
    unsigned lane, bits, left, right;
};

static struct amounts amounts_of(const struct arg_neon_shift *a)
{
    unsigned code = (unsigned)(a->l << 6 | a->imm);
    unsigned lane = code & 0x40 ? 3 : code & 0x20 ? 2 : code & 0x10 ? 1 : 0;
    unsigned bits = 8u << lane;
    return (struct amounts){
        .lane = lane, .bits = bits, .left = code - bits, .right = 2 * bits - code};
}

/* To the right by 1 to the lanes' width. */
static ir_ref shift_right(struct xlat *x, unsigned lane, bool is_unsigned, bool round, ir_ref value,
                          unsigned amount)
{
    unsigned bits = 8u << lane;
    ir_ref result;
    if (amount < bits)
        result = shift(x, is_unsigned ? IR_VSHR_I : IR_VSAR_I, lane, value, amount);
    else if (is_unsigned)
        result = ir_v128(&x->b, 0, 0);
    else
        result = shift(x, IR_VSAR_I, lane, value, bits - 1);
    if (!round)
        return result;
    ir_ref last = shift(x, IR_VSHR_I, lane, value, amount - 1);
    last = v2(x, IR_VAND, 0, last, constant(x, (enum ir_lane)lane, 1));
    return v2(x, IR_VADD, lane, result, last);
}

/* VSHR, VRSHR, VSRA, VRSRA: A8.8.386, A8.8.397, A8.8.402, A8.8.400 */
static bool shift_right_immediate(struct xlat *x, const struct arg_neon_shift *a, bool round,
                                  bool accumulates)
{
    struct amounts s = amounts_of(a);
    unsigned q = (unsigned)a->q, d = (unsigned)a->d;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    ir_ref value = shift_right(x, s.lane, a->u, round, simd_get(x, q, (unsigned)a->m), s.right);
    if (accumulates)
        value = v2(x, IR_VADD, s.lane, simd_get(x, q, d), value);
    simd_set(x, q, d, value);
    return true;
}

bool trans_VSHR(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_right_immediate(x, a, false, false);
}

bool trans_VRSHR(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_right_immediate(x, a, true, false);
}

bool trans_VSRA(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_right_immediate(x, a, false, true);
}

bool trans_VRSRA(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_right_immediate(x, a, true, true);
}

/* VSRI: A8.8.403 */
bool trans_VSRI(struct xlat *x, const struct arg_neon_shift *a)
{
    struct amounts s = amounts_of(a);
    unsigned q = (unsigned)a->q, d = (unsigned)a->d;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    if (s.right == s.bits)
        return true; /* nothing of the source is left */
    ir_ref shifted = shift(x, IR_VSHR_I, s.lane, simd_get(x, q, (unsigned)a->m), s.right);
    simd_set(x, q, d,
             select_constant(x, s.lane, low_bits(s.bits - s.right), shifted, simd_get(x, q, d)));
    return true;
}

/* VSLI: A8.8.398 */
bool trans_VSLI(struct xlat *x, const struct arg_neon_shift *a)
{
    struct amounts s = amounts_of(a);
    unsigned q = (unsigned)a->q, d = (unsigned)a->d;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    ir_ref shifted = shift(x, IR_VSHL_I, s.lane, simd_get(x, q, (unsigned)a->m), s.left);
    simd_set(x, q, d, select_constant(x, s.lane, low_bits(s.left), simd_get(x, q, d), shifted));
    return true;
}

/* VSHL: A8.8.395 */
bool trans_VSHL_imm(struct xlat *x, const struct arg_neon_shift *a)
{
    struct amounts s = amounts_of(a);
    unsigned q = (unsigned)a->q;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    simd_set(x, q, (unsigned)a->d,
             shift(x, IR_VSHL_I, s.lane, simd_get(x, q, (unsigned)a->m), s.left));
    return true;
}

/* VQSHL, VQSHLU: A8.8.381 */
static bool saturating_left(struct xlat *x, const struct arg_neon_shift *a, bool to_unsigned)
{
    struct amounts s = amounts_of(a);
    unsigned q = (unsigned)a->q;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    ir_ref m = simd_get(x, q, (unsigned)a->m);
    simd_set(x, q, (unsigned)a->d,
             to_unsigned ? neon_saturating_left_unsigned(x, s.lane, m, s.left)
                         : neon_saturating_left(x, s.lane, a->u, m, s.left));
    return true;
}

bool trans_VQSHL_imm(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_left(x, a, false);
}

bool trans_VQSHLU(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_left(x, a, true);
}

/* VSHRN, VRSHRN: A8.8.387, A8.8.398; imm6 states the result's lanes. */
static bool shift_narrow(struct xlat *x, const struct arg_neon_shift *a, bool round)
{
    struct amounts s = amounts_of(a);
    if (!ready(x, 0, a->d) || !ready(x, 1, a->m))
        return arm_undefined(x);
    ir_ref value = shift_right(x, s.lane + 1, true, round, simd_get(x, 1, (unsigned)a->m), s.right);
    simd_set_d(x, (unsigned)a->d, v1(x, IR_VNARROW, s.lane + 1, value));
    return true;
}

bool trans_VSHRN(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_narrow(x, a, false);
}

bool trans_VRSHRN(struct xlat *x, const struct arg_neon_shift *a)
{
    return shift_narrow(x, a, true);
}

/* What a saturating narrowing does to lanes: to signed or unsigned results, from either. */
enum narrowing { NARROW_SIGNED, NARROW_UNSIGNED, NARROW_SIGNED_TO_UNSIGNED };

/* lane is the result's; value's lanes, twice as wide, are made to fit and halved. FPSCR.QC tells
 * whether that changed any. */
static ir_ref saturate_narrow(struct xlat *x, unsigned lane, enum narrowing kind, ir_ref value)
{
    unsigned wide = lane + 1, bits = 8u << lane;
    uint64_t most = low_bits(kind == NARROW_SIGNED ? bits - 1 : bits);
    ir_ref limit = constant(x, (enum ir_lane)wide, most), fit;
    if (kind == NARROW_UNSIGNED) {
        fit = v2(x, IR_VMIN_U, wide, value, limit);
    } else {
        uint64_t least = kind == NARROW_SIGNED ? ~most : 0;
        fit = v2(x, IR_VMIN_S, wide, value, limit);
        fit = v2(x, IR_VMAX_S, wide, fit, constant(x, (enum ir_lane)wide, least));
    }
    neon_set_saturated(x, fit, value);
    return v1(x, IR_VNARROW, wide, fit);
}

/* VQ{R}SHR{U}N: A8.8.378, A8.8.382 */
static bool saturating_narrow(struct xlat *x, const struct arg_neon_shift *a, bool round,
                              enum narrowing kind)
{
    struct amounts s = amounts_of(a);
    if (!ready(x, 0, a->d) || !ready(x, 1, a->m))
        return arm_undefined(x);
    ir_ref value = shift_right(x, s.lane + 1, kind == NARROW_UNSIGNED, round,
                               simd_get(x, 1, (unsigned)a->m), s.right);
    simd_set_d(x, (unsigned)a->d, saturate_narrow(x, s.lane, kind, value));
    return true;
}

bool trans_VQSHRN(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_narrow(x, a, false, a->u ? NARROW_UNSIGNED : NARROW_SIGNED);
}

bool trans_VQRSHRN(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_narrow(x, a, true, a->u ? NARROW_UNSIGNED : NARROW_SIGNED);
}

bool trans_VQSHRUN(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_narrow(x, a, false, NARROW_SIGNED_TO_UNSIGNED);
}

bool trans_VQRSHRUN(struct xlat *x, const struct arg_neon_shift *a)
{
    return saturating_narrow(x, a, true, NARROW_SIGNED_TO_UNSIGNED);
}

/* VSHLL, VMOVL: A8.8.384, A8.8.346 */
bool trans_VSHLL(struct xlat *x, const struct arg_neon_shift *a)
{
    struct amounts s = amounts_of(a);
    if (!ready(x, 1, a->d) || !ready(x, 0, a->m))
        return arm_undefined(x);
    ir_ref value = widen(x, s.lane, a->u, simd_get_d(x, (unsigned)a->m));
    simd_set(x, 1, (unsigned)a->d, shift(x, IR_VSHL_I, s.lane + 1, value, s.left));
    return true;
}

/* VCVT between floating and fixed point: A8.8.307 */
static bool from_fixed(struct xlat *x, unsigned q, bool is_unsigned, unsigned fraction, int d,
                       int m)
{
    if (!ready(x, (int)q, d | m))
        return arm_undefined(x);
    if (!nearest(x)) {
        call(x, NEON_vcvt_f32_s32 + is_unsigned, fraction, q, 0, d, m, m);
        return true;
    }
    simd_set(x, q, (unsigned)d,
             neon_float_from_fixed(x, is_unsigned, fraction, simd_get(x, q, (unsigned)m)));
    return true;
}

static bool to_fixed(struct xlat *x, unsigned q, bool is_unsigned, unsigned fraction, int d, int m)
{
    if (!ready(x, (int)q, d | m))
        return arm_undefined(x);
    simd_set(x, q, (unsigned)d,
             neon_float_to_fixed(x, is_unsigned, fraction, simd_get(x, q, (unsigned)m)));
    return true;
}

bool trans_VCVT_from_fixed(struct xlat *x, const struct arg_neon_shift *a)
{
    return from_fixed(x, (unsigned)a->q, a->u, 64 - (unsigned)a->imm, a->d, a->m);
}

bool trans_VCVT_to_fixed(struct xlat *x, const struct arg_neon_shift *a)
{
    return to_fixed(x, (unsigned)a->q, a->u, 64 - (unsigned)a->imm, a->d, a->m);
}

/* ---- two registers --------------------------------------------------------------------------- */

typedef ir_ref (*emit2)(struct xlat *x, unsigned lane, ir_ref d, ir_ref m);

static bool misc2(struct xlat *x, const struct arg_neon_2 *a, unsigned sizes, emit2 emit)
{
    unsigned q = (unsigned)a->q;
    if (!ready(x, a->q, a->d | a->m) || !(sizes >> a->size & 1))
        return arm_undefined(x);
    ir_ref m = simd_get(x, q, (unsigned)a->m), d = simd_get(x, q, (unsigned)a->d);
    simd_set(x, q, (unsigned)a->d, emit(x, (unsigned)a->size, d, m));
    return true;
}

static bool call2(struct xlat *x, const struct arg_neon_2 *a, unsigned sizes, unsigned operation)
{
    if (!ready(x, a->q, a->d | a->m) || !(sizes >> a->size & 1))
        return arm_undefined(x);
    call(x, operation, 0, (unsigned)a->q, 0, a->d, a->m, a->m);
    return true;
}

/* VREV<region>.<size>: A8.8.388 */
static bool reverse(struct xlat *x, const struct arg_neon_2 *a, unsigned region)
{
    unsigned size = (unsigned)a->size, q = (unsigned)a->q;
    uint8_t map[16];
    if (!ready(x, a->q, a->d | a->m) || size >= region)
        return arm_undefined(x);
    unsigned flip = (1u << region) - (1u << size); /* of the element's number within the region */
    for (unsigned i = 0; i < 16; i++)
        map[i] = (uint8_t)(i ^ flip);
    ir_ref m = simd_get(x, q, (unsigned)a->m);
    simd_set(x, q, (unsigned)a->d, neon_gather(x, &m, 1, map));
    return true;
}

bool trans_VREV64(struct xlat *x, const struct arg_neon_2 *a)
{
    return reverse(x, a, 3);
}

bool trans_VREV32(struct xlat *x, const struct arg_neon_2 *a)
{
    return reverse(x, a, 2);
}

bool trans_VREV16(struct xlat *x, const struct arg_neon_2 *a)
{
    return reverse(x, a, 1);
}

/* Sums of neighbouring lanes in lanes of twice the width: VPADDL, VPADAL. f: unsigned */
static bool add_pairs_long(struct xlat *x, const struct arg_neon_2 *a, bool accumulates)
{
    unsigned q = (unsigned)a->q, lane = (unsigned)a->size + 1, half = 8u << a->size;
    if (a->size == 3 || !ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    enum ir_op right = a->f ? IR_VSHR_I : IR_VSAR_I;
    ir_ref m = simd_get(x, q, (unsigned)a->m);
    ir_ref even = shift(x, right, lane, shift(x, IR_VSHL_I, lane, m, half), half);
    ir_ref sum = v2(x, IR_VADD, lane, even, shift(x, right, lane, m, half));
    if (accumulates)
        sum = v2(x, IR_VADD, lane, simd_get(x, q, (unsigned)a->d), sum);
    simd_set(x, q, (unsigned)a->d, sum);
    return true;
}

bool trans_VPADDL(struct xlat *x, const struct arg_neon_2 *a)
{
    return add_pairs_long(x, a, false);
}

bool trans_VPADAL(struct xlat *x, const struct arg_neon_2 *a)
{
    return add_pairs_long(x, a, true);
}

#define MISC2(NAME, sizes, expression)                                                             \
    static ir_ref emit_##NAME(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)                   \
    {                                                                                              \
        return expression;                                                                         \
    }                                                                                              \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_2 *a)                                  \
    {                                                                                              \
        return misc2(x, a, sizes, emit_##NAME);                                                    \
    }

/* Bits of each byte, by a table of the bits of its two halves. */
static ir_ref count_bits(struct xlat *x, ir_ref m)
{
    ir_ref table = ir_v128(&x->b, UINT64_C(0x0302020102010100), UINT64_C(0x0403030203020201));
    ir_ref mask = constant(x, IR_LANE8, 15);
    ir_ref low = v2(x, IR_VAND, 0, m, mask);
    ir_ref high = v2(x, IR_VAND, 0, shift(x, IR_VSHR_I, IR_LANE16, m, 4), mask);
    return v2(x, IR_VADD, IR_LANE8, v2(x, IR_VSHUFFLE, 0, table, low),
              v2(x, IR_VSHUFFLE, 0, table, high));
}

MISC2(VCNT, 1, count_bits(x, m))
MISC2(VCLS, SIZES_8_32, neon_leading_signs(x, lane, m))
MISC2(VCLZ, SIZES_8_32, neon_leading_zeros(x, lane, m))
MISC2(VQABS, SIZES_8_32, neon_saturating_absolute(x, lane, m))
MISC2(VQNEG, SIZES_8_32, neon_saturating_negate(x, lane, m))
MISC2(VMVN, 1, invert(x, m))

/* Comparisons with zero: integers of any size, floats of 32 bits. */
#define COMPARE_0(NAME, comparison, expression)                                                    \
    static ir_ref emit_##NAME(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)                   \
    {                                                                                              \
        ir_ref zero = ir_v128(&x->b, 0, 0);                                                        \
        return expression;                                                                         \
    }                                                                                              \
    static ir_ref emit_##NAME##_f(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)               \
    {                                                                                              \
        return neon_float_compare(x, comparison, m, IR_NONE);                                      \
    }                                                                                              \
    bool trans_##NAME(struct xlat *x, const struct arg_neon_2 *a)                                  \
    {                                                                                              \
        if (a->f)                                                                                  \
            return misc2(x, a, 1u << IR_LANE32, emit_##NAME##_f);                                  \
        return misc2(x, a, SIZES_8_32, emit_##NAME);                                               \
    }

COMPARE_0(VCGT_0, NEON_GT, v2(x, IR_VCMPGT_S, lane, m, zero))
COMPARE_0(VCGE_0, NEON_GE, invert(x, v2(x, IR_VCMPGT_S, lane, zero, m)))
COMPARE_0(VCEQ_0, NEON_EQ, v2(x, IR_VCMPEQ, lane, m, zero))
COMPARE_0(VCLE_0, NEON_LE, invert(x, v2(x, IR_VCMPGT_S, lane, m, zero)))
COMPARE_0(VCLT_0, NEON_LT, v2(x, IR_VCMPGT_S, lane, zero, m))

static ir_ref emit_VABS(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)
{
    return v1(x, IR_VABS, lane, m);
}

static ir_ref emit_VABS_f(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)
{
    return neon_float_absolute(x, m);
}

bool trans_VABS(struct xlat *x, const struct arg_neon_2 *a)
{
    if (a->f)
        return misc2(x, a, 1u << IR_LANE32, emit_VABS_f);
    return misc2(x, a, SIZES_8_32, emit_VABS);
}

static ir_ref emit_VNEG(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)
{
    return v1(x, IR_VNEG, lane, m);
}

static ir_ref emit_VNEG_f(struct xlat *x, unsigned lane, ir_ref d, ir_ref m)
{
    return neon_float_negate(x, m);
}

bool trans_VNEG(struct xlat *x, const struct arg_neon_2 *a)
{
    if (a->f)
        return misc2(x, a, 1u << IR_LANE32, emit_VNEG_f);
    return misc2(x, a, SIZES_8_32, emit_VNEG);
}

/* Both registers change: VSWP, VTRN, VUZP, VZIP. Bytes 0.. of the pair are d's, then m's. */
static bool permute_both(struct xlat *x, const struct arg_neon_2 *a, const uint8_t *map_d,
                         const uint8_t *map_m)
{
    unsigned q = (unsigned)a->q;
    ir_ref sources[2] = {simd_get(x, q, (unsigned)a->d), simd_get(x, q, (unsigned)a->m)};
    ir_ref d = neon_gather(x, sources, 2, map_d), m = neon_gather(x, sources, 2, map_m);
    simd_set(x, q, (unsigned)a->d, d);
    simd_set(x, q, (unsigned)a->m, m);
    return true;
}

bool trans_VSWP(struct xlat *x, const struct arg_neon_2 *a)
{
    unsigned q = (unsigned)a->q;
    if (!ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    ir_ref d = simd_get(x, q, (unsigned)a->d), m = simd_get(x, q, (unsigned)a->m);
    simd_set(x, q, (unsigned)a->d, m);
    simd_set(x, q, (unsigned)a->m, d);
    return true;
}

/* Where byte `at` of a register comes from: source 0 (d) or 1 (m), and which byte of it. */
static uint8_t from(unsigned source, unsigned element, unsigned size, unsigned at)
{
    return (uint8_t)(source * 16 + element * size + at % size);
}

/* VTRN: A8.8.420 */
bool trans_VTRN(struct xlat *x, const struct arg_neon_2 *a)
{
    unsigned size = 1u << a->size;
    uint8_t map_d[16], map_m[16];
    if (a->size == 3 || !ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    for (unsigned i = 0; i < 16; i++) {
        unsigned element = i / size;
        map_d[i] = from(element & 1, element & ~1u, size, i);
        map_m[i] = from(element & 1, element | 1, size, i);
    }
    return permute_both(x, a, map_d, map_m);
}

/* VUZP, VZIP: A8.8.422, A8.8.423; pairs of 32 bits in a D register would be VTRN. */
static bool zip_or_unzip(struct xlat *x, const struct arg_neon_2 *a, bool unzip)
{
    unsigned size = 1u << a->size, n = (a->q ? 16u : 8u) / size;
    uint8_t map_d[16], map_m[16];
    if (a->size == 3 || (!a->q && a->size == 2) || !ready(x, a->q, a->d | a->m))
        return arm_undefined(x);
    for (unsigned i = 0; i < 16; i++) {
        unsigned element = i / size % n;
        if (unzip) {
            unsigned pair = 2 * element;
            map_d[i] = from(pair / n, pair % n, size, i);
            map_m[i] = from(pair / n, pair % n + 1, size, i);
        } else {
            map_d[i] = from(element & 1, element / 2, size, i);
            map_m[i] = from(element & 1, (element + n) / 2, size, i);
        }
    }
    return permute_both(x, a, map_d, map_m);
}

bool trans_VUZP(struct xlat *x, const struct arg_neon_2 *a)
{
    return zip_or_unzip(x, a, true);
}

bool trans_VZIP(struct xlat *x, const struct arg_neon_2 *a)
{
    return zip_or_unzip(x, a, false);
}

/* VMOVN: A8.8.347; size is the result's. */
bool trans_VMOVN(struct xlat *x, const struct arg_neon_2 *a)
{
    if (a->size == 3 || !ready(x, 0, a->d) || !ready(x, 1, a->m))
        return arm_undefined(x);
    simd_set_d(x, (unsigned)a->d,
               v1(x, IR_VNARROW, (unsigned)a->size + 1, simd_get(x, 1, (unsigned)a->m)));
    return true;
}

/* VQMOVN, VQMOVUN: A8.8.374 */
static bool saturating_move(struct xlat *x, const struct arg_neon_2 *a, enum narrowing kind)
{
    unsigned size = (unsigned)a->size;
    if (size == 3 || !ready(x, 0, a->d) || !ready(x, 1, a->m))
        return arm_undefined(x);
    ir_ref value = simd_get(x, 1, (unsigned)a->m);
    simd_set_d(x, (unsigned)a->d, saturate_narrow(x, size, kind, value));
    return true;
}

bool trans_VQMOVN(struct xlat *x, const struct arg_neon_2 *a)
{
    return saturating_move(x, a, a->f ? NARROW_UNSIGNED : NARROW_SIGNED);
}

bool trans_VQMOVUN(struct xlat *x, const struct arg_neon_2 *a)
{
    return saturating_move(x, a, NARROW_SIGNED_TO_UNSIGNED);
}

/* VSHLL by the lanes' own width: A8.8.384 */
bool trans_VSHLL_max(struct xlat *x, const struct arg_neon_2 *a)
{
    unsigned size = (unsigned)a->size;
    if (size == 3 || !ready(x, 1, a->d) || !ready(x, 0, a->m))
        return arm_undefined(x);
    ir_ref value = widen(x, size, true, simd_get_d(x, (unsigned)a->m));
    simd_set(x, 1, (unsigned)a->d, shift(x, IR_VSHL_I, size + 1, value, 8u << size));
    return true;
}

bool trans_VCVT_to_half(struct xlat *x, const struct arg_neon_2 *a)
{
    if (!ready(x, 0, a->d) || !ready(x, 1, a->m))
        return arm_undefined(x);
    call(x, NEON_vcvt_f16_f32, 0, 0, 0, a->d, a->m, a->m);
    return true;
}

bool trans_VCVT_from_half(struct xlat *x, const struct arg_neon_2 *a)
{
    if (!ready(x, 1, a->d) || !ready(x, 0, a->m))
        return arm_undefined(x);
    call(x, NEON_vcvt_f32_f16, 0, 1, 0, a->d, a->m, a->m);
    return true;
}

bool trans_VRECPE(struct xlat *x, const struct arg_neon_2 *a)
{
    return call2(x, a, SIZES_ALL, a->f ? NEON_vrecpe_f32 : NEON_vrecpe_u32);
}

bool trans_VRSQRTE(struct xlat *x, const struct arg_neon_2 *a)
{
    return call2(x, a, SIZES_ALL, a->f ? NEON_vrsqrte_f32 : NEON_vrsqrte_u32);
}

/* VCVT to and from integers: A8.8.305 */
bool trans_VCVT_from_int(struct xlat *x, const struct arg_neon_2 *a)
{
    return from_fixed(x, (unsigned)a->q, a->f, 0, a->d, a->m);
}

bool trans_VCVT_to_int(struct xlat *x, const struct arg_neon_2 *a)
{
    return to_fixed(x, (unsigned)a->q, a->f, 0, a->d, a->m);
}

/* ---- moves of bytes -------------------------------------------------------------------------- */

/* VEXT: A8.8.316 */
bool trans_VEXT(struct xlat *x, const struct arg_neon_ext *a)
{
    unsigned q = (unsigned)a->q, imm = (unsigned)a->imm;
    if (!ready(x, a->q, a->d | a->n | a->m) || (!q && imm > 7))
        return arm_undefined(x);
    ir_ref n = simd_get(x, q, (unsigned)a->n), m = simd_get(x, q, (unsigned)a->m);
    if (!q)
        n = v2(x, IR_VCONCAT, 0, n, m); /* all eight bytes asked for are in it */
    ir_ref value = imm ? ir_emit(&x->b, IR_VEXT, IR_V128, 0, imm, n, q ? m : n, IR_NONE, 0) : n;
    simd_set(x, q, (unsigned)a->d, value);
    return true;
}

/* One or two registers from n on, as a vector. */
static ir_ref table_part(struct xlat *x, unsigned n, unsigned registers)
{
    if (registers == 1)
        return simd_get_d(x, n);
    if (!(n & 1))
        return simd_get(x, 1, n);
    return v2(x, IR_VCONCAT, 0, simd_get_d(x, n), simd_get_d(x, n + 1));
}

/* VSHUFFLE gives 0 for indices with bit 7 set; adding 112 with saturation sets it from 16 on. */
static ir_ref look_up(struct xlat *x, ir_ref table, ir_ref index)
{
    index = v2(x, IR_VADDS_U, IR_LANE8, index, constant(x, IR_LANE8, 112));
    return v2(x, IR_VSHUFFLE, 0, table, index);
}

/* VTBL, VTBX: A8.8.419 */
bool trans_VTBL(struct xlat *x, const struct arg_neon_tbl *a)
{
    unsigned n = (unsigned)a->n, length = (unsigned)a->len + 1;
    if (!ready(x, 0, a->d | a->n | a->m) || n + length > 32)
        return arm_undefined(x);
    ir_ref index = simd_get_d(x, (unsigned)a->m);
    ir_ref value = look_up(x, table_part(x, n, MIN(length, 2)), index);
    if (length > 2) {
        ir_ref above = v2(x, IR_VSUB, IR_LANE8, index, constant(x, IR_LANE8, 16));
        value = v2(x, IR_VOR, 0, value, look_up(x, table_part(x, n + 2, length - 2), above));
    }
    if (a->op) {
        ir_ref inside = v2(x, IR_VCMPGT_U, IR_LANE8, constant(x, IR_LANE8, length * 8), index);
        value = select_bits(x, inside, value, simd_get_d(x, (unsigned)a->d));
    }
    simd_set_d(x, (unsigned)a->d, value);
    return true;
}

/* VDUP Vd, Dm[x]: A8.8.312 */
bool trans_VDUP(struct xlat *x, const struct arg_neon_dup *a)
{
    unsigned imm = (unsigned)a->imm;
    if (!ready(x, a->q, a->d) || !ready(x, 0, a->m) || !(imm & 7))
        return arm_undefined(x);
    unsigned lane = (unsigned)__builtin_ctz(imm);
    struct scalar s = {.lane = lane, .d = (unsigned)a->m, .index = imm >> (lane + 1)};
    simd_set(x, (unsigned)a->q, (unsigned)a->d, scalar_vector(x, s, a->q));
    return true;
}
