/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Advanced SIMD operations that no short sequence of vector IR does: saturating ones (they set
 * FPSCR.QC), shifts by registers, polynomial products, comparisons, conversions and estimates of
 * floating-point lanes. Operands are copied first, so that any of them may overlap the result.
 */
#include "frontend/arm/neon_helpers.h"
#include "frontend/arm/fp.h"

typedef __int128 i128;

union lanes {
    int8_t s8[16];
    int16_t s16[8];
    int32_t s32[4];
    int64_t s64[2];
    uint8_t u8[16];
    uint16_t u16[8];
    uint32_t u32[4];
    uint64_t u64[2];
};

struct operation {
    union lanes d, n, m; /* d: before and after */
    unsigned bytes;      /* of the result */
    unsigned imm;
    bool saturated;
    struct fp_env env;
};

/* X(suffix, type, wide, bits, least, most): wide holds every intermediate of one lane. */
#define SIGNED_3(X)                                                                                \
    X(s8, int8_t, int64_t, 8, INT8_MIN, INT8_MAX)                                                  \
    X(s16, int16_t, int64_t, 16, INT16_MIN, INT16_MAX)                                             \
    X(s32, int32_t, int64_t, 32, INT32_MIN, INT32_MAX)
#define SIGNED_4(X) SIGNED_3(X) X(s64, int64_t, i128, 64, INT64_MIN, INT64_MAX)
#define UNSIGNED_3(X)                                                                              \
    X(u8, uint8_t, int64_t, 8, 0, UINT8_MAX)                                                       \
    X(u16, uint16_t, int64_t, 16, 0, UINT16_MAX)                                                   \
    X(u32, uint32_t, int64_t, 32, 0, UINT32_MAX)
#define UNSIGNED_4(X) UNSIGNED_3(X) X(u64, uint64_t, i128, 64, 0, UINT64_MAX)

/* ---- saturation and shifts, per lane type ---------------------------------------------------- */

#define DEFINE_SATURATE(suffix, type, wide, bits, least, most)                                     \
    static inline type saturate_##suffix(struct operation *o, wide value)                          \
    {                                                                                              \
        if (value < (wide)(least) || value > (wide)(most)) {                                       \
            o->saturated = true;                                                                   \
            return value < (wide)(least) ? (type)(least) : (type)(most);                           \
        }                                                                                          \
        return (type)value;                                                                        \
    }                                                                                              \
    /* By a negative amount to the right. What no wide value holds is still out of range. */       \
    static inline wide shift_##suffix(wide value, int amount, bool round, bool *overflow)          \
    {                                                                                              \
        *overflow = false;                                                                         \
        if (amount >= bits) {                                                                      \
            *overflow = value != 0;                                                                \
            return 0;                                                                              \
        }                                                                                          \
        if (amount >= 0)                                                                           \
            return (wide)((unsigned __int128)value << amount);                                     \
        if (amount < -bits)                                                                        \
            return round || value >= 0 ? 0 : -1;                                                   \
        if (round)                                                                                 \
            value += (wide)1 << (-amount - 1);                                                     \
        return value >> -amount;                                                                   \
    }                                                                                              \
    static inline type shift_saturate_##suffix(struct operation *o, wide value, int amount,        \
                                               bool round)                                         \
    {                                                                                              \
        bool overflow;                                                                             \
        wide result = shift_##suffix(value, amount, round, &overflow);                             \
        if (overflow) {                                                                            \
            o->saturated = true;                                                                   \
            return value < 0 ? (type)(least) : (type)(most);                                       \
        }                                                                                          \
        return saturate_##suffix(o, result);                                                       \
    }
SIGNED_4(DEFINE_SATURATE)
UNSIGNED_4(DEFINE_SATURATE)

/* ---- operations lane by lane ------------------------------------------------------------------
 */

#define LANEWISE(name, suffix, type, wide, expression)                                             \
    static void do_##name##_##suffix(struct operation *o)                                          \
    {                                                                                              \
        for (unsigned i = 0; i < o->bytes / sizeof(type); i++) {                                   \
            wide n = o->n.suffix[i], m = o->m.suffix[i];                                           \
            (void)n;                                                                               \
            o->d.suffix[i] = (type)(expression);                                                   \
        }                                                                                          \
    }

#define DEFINE_SATURATING(suffix, type, wide, bits, least, most)                                   \
    LANEWISE(vqadd, suffix, type, wide, saturate_##suffix(o, n + m))                               \
    LANEWISE(vqsub, suffix, type, wide, saturate_##suffix(o, n - m))
SIGNED_4(DEFINE_SATURATING)
UNSIGNED_4(DEFINE_SATURATING)

/* V{Q}{R}SHL Vd, Vm, Vn (A8.8.383): the amount is the lane's low byte, signed; here m is shifted by
 * n, as the instruction's fields are. */
#define DEFINE_SHIFTS(suffix, type, wide, bits, least, most)                                       \
    static inline wide plain_shift_##suffix(wide value, int amount, bool round)                    \
    {                                                                                              \
        bool overflow;                                                                             \
        return shift_##suffix(value, amount, round, &overflow);                                    \
    }                                                                                              \
    LANEWISE(vshl, suffix, type, wide, plain_shift_##suffix(m, (int8_t)n, false))                  \
    LANEWISE(vrshl, suffix, type, wide, plain_shift_##suffix(m, (int8_t)n, true))                  \
    LANEWISE(vqshl, suffix, type, wide, shift_saturate_##suffix(o, m, (int8_t)n, false))           \
    LANEWISE(vqrshl, suffix, type, wide, shift_saturate_##suffix(o, m, (int8_t)n, true))           \
    LANEWISE(vqshl_imm, suffix, type, wide, shift_saturate_##suffix(o, m, (int)o->imm, false))
SIGNED_4(DEFINE_SHIFTS)
UNSIGNED_4(DEFINE_SHIFTS)

/* Signed lanes saturated to unsigned ones. */
#define DEFINE_VQSHLU(suffix, to, type, wide)                                                      \
    LANEWISE(vqshlu_imm, suffix, type, wide, shift_saturate_##to(o, m, (int)o->imm, false))
DEFINE_VQSHLU(s8, u8, uint8_t, int64_t)
DEFINE_VQSHLU(s16, u16, uint16_t, int64_t)
DEFINE_VQSHLU(s32, u32, uint32_t, int64_t)
DEFINE_VQSHLU(s64, u64, uint64_t, i128)

#define DEFINE_UNARY(suffix, type, wide, bits, least, most)                                        \
    LANEWISE(vqabs, suffix, type, wide, saturate_##suffix(o, m < 0 ? -m : m))                      \
    LANEWISE(vqneg, suffix, type, wide, saturate_##suffix(o, -m))                                  \
    LANEWISE(vclz, suffix, type, wide,                                                             \
             ((uint64_t)m & (~UINT64_C(0) >> (64 - bits)))                                         \
                 ? __builtin_clzll((uint64_t)m << (64 - bits))                                     \
                 : bits)                                                                           \
    LANEWISE(vcls, suffix, type, wide, __builtin_clrsbll(m) - (64 - bits))
SIGNED_3(DEFINE_UNARY)

/* Narrowing: lanes of `from` in m, shifted right by imm, into half the size. The sum with the
 * rounding constant may need one bit more than the lane has. */
#define NARROW(name, suffix, to, from, saturation, round)                                          \
    static void do_##name##_##suffix(struct operation *o)                                          \
    {                                                                                              \
        for (unsigned i = 0; i < 8 / sizeof(o->d.to[0]); i++) {                                    \
            i128 value = o->m.from[i];                                                             \
            if ((round) && o->imm)                                                                 \
                value += (i128)1 << (o->imm - 1);                                                  \
            o->d.to[i] = saturation(o, value >> o->imm);                                           \
        }                                                                                          \
    }

#define DEFINE_NARROW_SATURATE(suffix, type, least, most)                                          \
    static inline type narrow_##suffix(struct operation *o, i128 value)                            \
    {                                                                                              \
        if (value < (i128)(least) || value > (i128)(most)) {                                       \
            o->saturated = true;                                                                   \
            return value < (i128)(least) ? (type)(least) : (type)(most);                           \
        }                                                                                          \
        return (type)value;                                                                        \
    }
DEFINE_NARROW_SATURATE(s8, int8_t, INT8_MIN, INT8_MAX)
DEFINE_NARROW_SATURATE(s16, int16_t, INT16_MIN, INT16_MAX)
DEFINE_NARROW_SATURATE(s32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_NARROW_SATURATE(u8, uint8_t, 0, UINT8_MAX)
DEFINE_NARROW_SATURATE(u16, uint16_t, 0, UINT16_MAX)
DEFINE_NARROW_SATURATE(u32, uint32_t, 0, UINT32_MAX)

#define DEFINE_NARROW(suffix, from)                                                                \
    NARROW(vqshrn, suffix, suffix, from, narrow_##suffix, false)                                   \
    NARROW(vqrshrn, suffix, suffix, from, narrow_##suffix, true)
DEFINE_NARROW(s8, s16)
DEFINE_NARROW(s16, s32)
DEFINE_NARROW(s32, s64)
DEFINE_NARROW(u8, u16)
DEFINE_NARROW(u16, u32)
DEFINE_NARROW(u32, u64)

#define DEFINE_NARROW_UNSIGNED(suffix, to, from)                                                   \
    NARROW(vqshrun, suffix, to, from, narrow_##to, false)                                          \
    NARROW(vqrshrun, suffix, to, from, narrow_##to, true)
DEFINE_NARROW_UNSIGNED(s8, u8, s16)
DEFINE_NARROW_UNSIGNED(s16, u16, s32)
DEFINE_NARROW_UNSIGNED(s32, u32, s64)

/* ---- products ---------------------------------------------------------------------------------
 */

/* VQDMULH, VQRDMULH: A8.8.372, A8.8.376 */
#define DEFINE_MULH(suffix, type, bits)                                                            \
    LANEWISE(vqdmulh, suffix, type, int64_t, saturate_##suffix(o, n *m >> (bits - 1)))             \
    LANEWISE(vqrdmulh, suffix, type, int64_t,                                                      \
             saturate_##suffix(o, (n * m + (INT64_C(1) << (bits - 2))) >> (bits - 1)))
DEFINE_MULH(s16, int16_t, 16)
DEFINE_MULH(s32, int32_t, 32)

#define LONG(name, from, to, expression)                                                           \
    static void do_##name##_##from(struct operation *o)                                            \
    {                                                                                              \
        for (unsigned i = 0; i < 16 / sizeof(o->d.to[0]); i++) {                                   \
            i128 n = o->n.from[i], m = o->m.from[i], d = o->d.to[i];                               \
            (void)d;                                                                               \
            o->d.to[i] = (expression);                                                             \
        }                                                                                          \
    }

/* The doubled product is saturated by itself, then so is the sum (A8.8.371). */
#define SATURATE_32(value) narrow_s32(o, value)
#define SATURATE_64(value) saturate_s64(o, value)
LONG(vqdmull, s16, s32, SATURATE_32(2 * n * m))
LONG(vqdmull, s32, s64, SATURATE_64(2 * n * m))
LONG(vqdmlal, s16, s32, SATURATE_32(d + SATURATE_32(2 * n * m)))
LONG(vqdmlal, s32, s64, SATURATE_64(d + SATURATE_64(2 * n * m)))
LONG(vqdmlsl, s16, s32, SATURATE_32(d - SATURATE_32(2 * n * m)))
LONG(vqdmlsl, s32, s64, SATURATE_64(d - SATURATE_64(2 * n * m)))
LONG(vmull, s32, u64, (uint64_t)(n *m))
LONG(vmull, u32, u64, (uint64_t)(n *m))
LONG(vmlal, s32, u64, (uint64_t)(d + n * m))
LONG(vmlal, u32, u64, (uint64_t)(d + n * m))
LONG(vmlsl, s32, u64, (uint64_t)(d - n * m))
LONG(vmlsl, u32, u64, (uint64_t)(d - n * m))

static uint16_t polynomial_product(uint8_t a, uint8_t b)
{
    unsigned product = 0;
    for (unsigned i = 0; i < 8; i++)
        product ^= b & 1u << i ? (unsigned)a << i : 0;
    return (uint16_t)product;
}

static void do_vmul_p8(struct operation *o)
{
    for (unsigned i = 0; i < o->bytes; i++)
        o->d.u8[i] = (uint8_t)polynomial_product(o->n.u8[i], o->m.u8[i]);
}

static void do_vmull_p8(struct operation *o)
{
    for (unsigned i = 0; i < 8; i++)
        o->d.u16[i] = polynomial_product(o->n.u8[i], o->m.u8[i]);
}

/* ---- floating point ---------------------------------------------------------------------------
 */

#define FLOAT(name, expression)                                                                    \
    static void do_##name(struct operation *o)                                                     \
    {                                                                                              \
        struct fp_env *env = &o->env;                                                              \
        for (unsigned i = 0; i < o->bytes / 4; i++) {                                              \
            uint32_t n = o->n.u32[i], m = o->m.u32[i], d = o->d.u32[i];                            \
            (void)env, (void)n, (void)d;                                                           \
            o->d.u32[i] = (uint32_t)(expression);                                                  \
        }                                                                                          \
    }

enum { FLOAT_SIGN = INT32_MIN };

FLOAT(vadd_f32, fp_add(env, FP_SINGLE, n, m))
FLOAT(vsub_f32, fp_sub(env, FP_SINGLE, n, m))
FLOAT(vmul_f32, fp_mul(env, FP_SINGLE, n, m))
FLOAT(vmla_f32, fp_add(env, FP_SINGLE, d, fp_mul(env, FP_SINGLE, n, m)))
FLOAT(vmls_f32, fp_sub(env, FP_SINGLE, d, fp_mul(env, FP_SINGLE, n, m)))
FLOAT(vfma_f32, fp_mul_add(env, FP_SINGLE, d, n, m))
FLOAT(vfms_f32, fp_mul_add(env, FP_SINGLE, d, n ^ (uint32_t)FLOAT_SIGN, m))
FLOAT(vabd_f32, fp_sub(env, FP_SINGLE, n, m) & 0x7fffffff)
FLOAT(vmax_f32, fp_max(env, FP_SINGLE, n, m))
FLOAT(vmin_f32, fp_min(env, FP_SINGLE, n, m))
FLOAT(vrecps_f32, fp_recip_step(env, n, m))
FLOAT(vrsqrts_f32, fp_rsqrt_step(env, n, m))
FLOAT(vrecpe_f32, fp_recip_estimate(env, m))
FLOAT(vrsqrte_f32, fp_rsqrt_estimate(env, m))
FLOAT(vrecpe_u32, fp_unsigned_recip_estimate(m))
FLOAT(vrsqrte_u32, fp_unsigned_rsqrt_estimate(m))

/* Only equality leaves quiet NaNs alone (FPCompareEQ, FPCompareGE, FPCompareGT). */
static uint32_t compare(struct fp_env *env, uint32_t a, uint32_t b, unsigned wanted)
{
    bool quiet_invalid = wanted != IR_FCMP_EQ;
    return fp_compare(env, FP_SINGLE, a, b, quiet_invalid) & wanted ? UINT32_MAX : 0;
}

enum { GE = IR_FCMP_GT | IR_FCMP_EQ, LE = IR_FCMP_LT | IR_FCMP_EQ };

FLOAT(vceq_f32, compare(env, n, m, IR_FCMP_EQ))
FLOAT(vcge_f32, compare(env, n, m, GE))
FLOAT(vcgt_f32, compare(env, n, m, IR_FCMP_GT))
FLOAT(vacge_f32, compare(env, n & 0x7fffffff, m & 0x7fffffff, GE))
FLOAT(vacgt_f32, compare(env, n & 0x7fffffff, m & 0x7fffffff, IR_FCMP_GT))
FLOAT(vceq0_f32, compare(env, m, 0, IR_FCMP_EQ))
FLOAT(vcge0_f32, compare(env, m, 0, GE))
FLOAT(vcgt0_f32, compare(env, m, 0, IR_FCMP_GT))
FLOAT(vcle0_f32, compare(env, m, 0, LE))
FLOAT(vclt0_f32, compare(env, m, 0, IR_FCMP_LT))

/* Conversions round to nearest on the way to float and towards zero back (A8.8.305, A8.8.307). */
FLOAT(vcvt_f32_s32, fp_from_fixed(env, FP_SINGLE, m, 32, o->imm, false, FP_NEAREST))
FLOAT(vcvt_f32_u32, fp_from_fixed(env, FP_SINGLE, m, 32, o->imm, true, FP_NEAREST))
FLOAT(vcvt_s32_f32, fp_to_fixed(env, FP_SINGLE, m, 32, o->imm, false, FP_ZERO))
FLOAT(vcvt_u32_f32, fp_to_fixed(env, FP_SINGLE, m, 32, o->imm, true, FP_ZERO))

static void do_vcvt_f16_f32(struct operation *o)
{
    for (unsigned i = 0; i < 4; i++)
        o->d.u16[i] = (uint16_t)fp_convert(&o->env, FP_HALF, FP_SINGLE, o->m.u32[i]);
}

static void do_vcvt_f32_f16(struct operation *o)
{
    for (unsigned i = 0; i < 4; i++)
        o->d.u32[i] = (uint32_t)fp_convert(&o->env, FP_SINGLE, FP_HALF, o->m.u16[i]);
}

typedef uint64_t (*float_function)(struct fp_env *env, enum fp_format format, uint64_t a,
                                   uint64_t b);

/* Pairs of D registers only: n's pair gives the low lane, m's the high one. */
static void pairwise(struct operation *o, float_function function)
{
    o->d.u32[0] = (uint32_t)function(&o->env, FP_SINGLE, o->n.u32[0], o->n.u32[1]);
    o->d.u32[1] = (uint32_t)function(&o->env, FP_SINGLE, o->m.u32[0], o->m.u32[1]);
}

static void do_vpadd_f32(struct operation *o)
{
    pairwise(o, fp_add);
}

static void do_vpmax_f32(struct operation *o)
{
    pairwise(o, fp_max);
}

static void do_vpmin_f32(struct operation *o)
{
    pairwise(o, fp_min);
}

/* ---- dispatch ---------------------------------------------------------------------------------
 */

static void (*const operations[NEON_N_OPERATIONS])(struct operation *o) = {
#define X(name) [NEON_##name] = do_##name,
    NEON_OPERATIONS(X)
#undef X
};

/* Which lane size a scalar operand has: the products of 16-bit lanes, else 32 bits. */
static void broadcast(struct operation *o, unsigned operation, unsigned index)
{
    bool halves = operation == NEON_vqdmulh_s16 || operation == NEON_vqrdmulh_s16 ||
                  operation == NEON_vqdmull_s16 || operation == NEON_vqdmlal_s16 ||
                  operation == NEON_vqdmlsl_s16;
    uint32_t value = halves ? o->m.u16[index & 7] * UINT32_C(0x10001) : o->m.u32[index & 3];
    for (unsigned i = 0; i < 4; i++)
        o->m.u32[i] = value;
}

static void neon(void *state, uint32_t what, uint32_t d, uint32_t n, uint32_t m)
{
    struct arm_cpu *cpu = arm_cpu(state);
    uint8_t *base = state;
    unsigned operation = what & 0xff, scalar = what >> 24;
    struct operation o = {
        .imm = what >> 8 & 0xff, .bytes = what >> 16 & 0xff, .env = fp_env_standard(cpu)};
    /* 16 bytes after d31 are vtemp: reading them is harmless. */
    memcpy(&o.d, base + d, 16);
    memcpy(&o.n, base + n, 16);
    memcpy(&o.m, base + m, 16);
    if (scalar)
        broadcast(&o, operation, scalar - 1);
    operations[operation](&o);
    memcpy(base + d, &o.d, o.bytes);
    if (o.saturated)
        cpu->fpscr_sticky |= FPSCR_QC;
    fp_env_done(cpu, &o.env);
}

const struct ir_helper helper_neon =
    IR_HELPER(neon, IR_VOID, 4, 0, GROUP_FP | GROUP_FPSCR, GROUP_FP | GROUP_FPSCR);
