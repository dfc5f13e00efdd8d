/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's estimates, and its arithmetic as generated code calls it. */
#include "frontend/arm/fp.h"

#include <stdatomic.h>

/* ---- estimates (ARM ARM A2.7.8, "Reciprocal estimate" and "Reciprocal square root estimate") --
 */

/* 256 <= a < 512 stands for [0.5, 1); the result, 256..511, for [1, 2). The manual states these
 * with doubles; the integer forms are those of the ARMv8 manual and give the same values. */
static unsigned calculate_recip_estimate(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* 128 <= a < 512 stands for [0.25, 1). */
static unsigned calculate_rsqrt_estimate(unsigned a)
{
    a = a < 256 ? a * 2 + 1 : ((a & ~1u) + 1) * 2;
    unsigned b = 512; /* the least such that a * (b + 1)^2 >= 2^28 */
    for (unsigned step = 256; step; step /= 2)
        if (a * (b + step) * (b + step) < 1u << 28)
            b += step;
    return (b + 1) / 2;
}

/* Each of the few estimates is calculated once, by whoever needs it first. */
typedef _Atomic uint16_t estimate_table[512];

static unsigned look_up(estimate_table table, unsigned (*calculate)(unsigned a), unsigned a)
{
    unsigned estimate = atomic_load_explicit(&table[a], memory_order_relaxed);
    if (UNLIKELY(!estimate)) {
        estimate = calculate(a);
        atomic_store_explicit(&table[a], (uint16_t)estimate, memory_order_relaxed);
    }
    return estimate;
}

static unsigned recip_estimate(unsigned a)
{
    static estimate_table table;
    return look_up(table, calculate_recip_estimate, a);
}

static unsigned rsqrt_estimate(unsigned a)
{
    static estimate_table table;
    return look_up(table, calculate_rsqrt_estimate, a);
}

/* Of a normal number whose estimate is one, too. */
static uint32_t normal_recip_estimate(uint32_t a)
{
    unsigned exponent = extract32(a, 23, 8), estimate = recip_estimate(256 | extract32(a, 15, 8));
    return (a & UINT32_C(0x80000000)) | (253 - exponent) << 23 | extract32(estimate, 0, 8) << 15;
}

uint32_t fp_recip_estimate(struct fp_env *env, uint32_t a)
{
    if (LIKELY(extract32(a, 23, 8) - 1 < 252))
        return normal_recip_estimate(a);
    struct fp_unpacked u = fp_unpack(env, FP_SINGLE, a);
    switch (u.kind) {
    case FP_KIND_ZERO:
        env->flags |= FPSCR_DZC;
        return (uint32_t)fp_infinity(FP_SINGLE, u.sign);
    case FP_KIND_INFINITY:
        return (uint32_t)fp_zero(FP_SINGLE, u.sign);
    case FP_KIND_FINITE:
        env->flags |= FPSCR_UFC;
        return (uint32_t)fp_zero(FP_SINGLE, u.sign);
    default:
        return (uint32_t)fp_process_nan(env, FP_SINGLE, u.kind, a);
    }
}

/* Of a positive normal number. An even biased exponent scales to [0.5, 1), an odd one to
 * [0.25, 0.5). */
static uint32_t normal_rsqrt_estimate(uint32_t a)
{
    unsigned exponent = extract32(a, 23, 8);
    unsigned scaled = (256 | extract32(a, 15, 8)) >> (exponent & 1);
    return ((380 - exponent) / 2) << 23 | extract32(rsqrt_estimate(scaled), 0, 8) << 15;
}

uint32_t fp_rsqrt_estimate(struct fp_env *env, uint32_t a)
{
    if (LIKELY((a >> 23) - 1 < 254))
        return normal_rsqrt_estimate(a);
    struct fp_unpacked u = fp_unpack(env, FP_SINGLE, a);
    if (fp_is_nan(&u))
        return (uint32_t)fp_process_nan(env, FP_SINGLE, u.kind, a);
    if (u.kind == FP_KIND_ZERO) {
        env->flags |= FPSCR_DZC;
        return (uint32_t)fp_infinity(FP_SINGLE, u.sign);
    }
    if (u.sign)
        return (uint32_t)fp_invalid(env, FP_SINGLE);
    return 0; /* of infinity */
}

uint32_t fp_unsigned_recip_estimate(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t fp_unsigned_rsqrt_estimate(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

/* The product of a step: infinity times zero counts as zero. False: a NaN is *product, and the
 * result. */
static bool step_product(struct fp_env *env, uint32_t a, uint32_t b, uint64_t *product)
{
    const uint64_t bits[2] = {a, b};
    const struct fp_unpacked u[2] = {fp_unpack(env, FP_SINGLE, a), fp_unpack(env, FP_SINGLE, b)};
    if (fp_process_nans(env, FP_SINGLE, 2, u, bits, product))
        return false;
    bool infinite = u[0].kind == FP_KIND_INFINITY || u[1].kind == FP_KIND_INFINITY;
    bool zeros = u[0].kind == FP_KIND_ZERO || u[1].kind == FP_KIND_ZERO;
    *product = infinite && zeros ? 0 : fp_mul(env, FP_SINGLE, a, b);
    return true;
}

uint32_t fp_recip_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    enum { TWO = 0x40000000 };
    uint64_t product;
    if (step_product(env, a, b, &product))
        product = fp_sub(env, FP_SINGLE, TWO, product);
    return (uint32_t)product;
}

uint32_t fp_rsqrt_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    enum { THREE = 0x40400000, HALF = 0x3f000000 };
    uint64_t product;
    if (step_product(env, a, b, &product)) {
        product = fp_sub(env, FP_SINGLE, THREE, product);
        product = fp_mul(env, FP_SINGLE, product, HALF);
    }
    return (uint32_t)product;
}

/* ---- what generated code calls (struct ir_fp_rules) ------------------------------------------ */

/* IR_FP_FLUSH says when generated code must ask here, the FPSCR whether flushing is on. */
static struct fp_env env_for(const struct arm_cpu *cpu, unsigned flags)
{
    if (flags & IR_FP_STANDARD)
        return fp_env_standard(cpu);
    return fp_env_of(cpu);
}

static bool is_float(unsigned type)
{
    return type == IR_F32 || type == IR_F64;
}

static enum fp_format format_of(unsigned type)
{
    return type == IR_F64 ? FP_DOUBLE : FP_SINGLE;
}

static uint64_t rules_convert(struct fp_env *env, unsigned op, unsigned type, unsigned from,
                              unsigned sub, uint64_t a)
{
    unsigned rounding = fp_rounding_of(env->control);
    switch (op) {
    case IR_FCVT:
        return fp_convert(env, format_of(type), format_of(from), a);
    case IR_F2I:
        if (sub & IR_F2I_TRUNCATE)
            rounding = FP_ZERO;
        return fp_to_fixed(env, format_of(from), a, type == IR_I64 ? 64 : 32, 0,
                           sub & IR_F2I_UNSIGNED, (enum fp_rounding)rounding);
    default: /* IR_I2F */
        return fp_from_fixed(env, format_of(type), a, from == IR_I64 ? 64 : 32, 0, sub & 1,
                             (enum fp_rounding)rounding);
    }
}

static uint64_t rules_scalar(void *state, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                             uint64_t b, uint64_t c)
{
    struct arm_cpu *cpu = arm_cpu(state);
    unsigned type = type_from & 0xff, from = type_from >> 8 & 0xff;
    bool converts = op == IR_FCVT || op == IR_F2I || op == IR_I2F;
    struct fp_env env = env_for(cpu, converts ? 0 : sub);
    enum fp_format format = format_of(is_float(from) ? from : type);
    uint64_t result = 0;
    switch (op) {
    case IR_FADD:
        result = fp_add(&env, format, a, b);
        break;
    case IR_FSUB:
        result = fp_sub(&env, format, a, b);
        break;
    case IR_FMUL:
        result = fp_mul(&env, format, a, b);
        break;
    case IR_FDIV:
        result = fp_div(&env, format, a, b);
        break;
    case IR_FSQRT:
        result = fp_sqrt(&env, format, a);
        break;
    case IR_FMA:
        result = fp_mul_add(&env, format, c, a, b);
        break;
    case IR_FCMP:
        result = fp_compare(&env, format, a, b, sub & IR_FP_SIGNAL_QNAN);
        break;
    default:
        result = rules_convert(&env, op, type, from, sub, a);
        break;
    }
    fp_env_done(cpu, &env);
    return result;
}

/* A denormal as a zero of its sign if the environment flushes. */
static uint64_t flush(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct fp_unpacked u = fp_unpack(env, format, a);
    return u.kind == FP_KIND_ZERO ? fp_zero(format, u.sign) : a;
}

static uint64_t vector_lane(struct fp_env *env, unsigned op, enum fp_format format, uint64_t a,
                            uint64_t b, uint64_t c)
{
    switch (op) {
    case IR_VFADD:
        return fp_add(env, format, a, b);
    case IR_VFSUB:
        return fp_sub(env, format, a, b);
    case IR_VFMUL:
        return fp_mul(env, format, a, b);
    case IR_VFFLUSH:
        return flush(env, format, a);
    default: /* IR_VFMA */
        return fp_mul_add(env, format, c, a, b);
    }
}

static void rules_vector(void *state, unsigned op, unsigned sub, void *d, const void *a,
                         const void *b, const void *c)
{
    struct arm_cpu *cpu = arm_cpu(state);
    struct fp_env env = env_for(cpu, sub >> 4);
    bool wide = (sub & 15) == IR_LANE64;
    unsigned n = wide ? 2 : 4, size = wide ? 8 : 4;
    uint8_t result[16];
    for (unsigned i = 0; i < n; i++) {
        uint64_t lane_a = 0, lane_b = 0, lane_c = 0;
        memcpy(&lane_a, (const uint8_t *)a + i * size, size);
        if (op != IR_VFFLUSH)
            memcpy(&lane_b, (const uint8_t *)b + i * size, size);
        if (op == IR_VFMA)
            memcpy(&lane_c, (const uint8_t *)c + i * size, size);
        uint64_t lane = vector_lane(&env, op, wide ? FP_DOUBLE : FP_SINGLE, lane_a, lane_b, lane_c);
        memcpy(result + i * size, &lane, size);
    }
    memcpy(d, result, 16);
    fp_env_done(cpu, &env);
}

const struct ir_fp_rules arm_fp_rules = {
    .scalar = rules_scalar, .vector = rules_vector, .groups = GROUP_FPSCR};
