/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Advanced SIMD operations that neither the IR nor the host has: estimates, half precision, and
 * what rounds to nearest while the FPSCR, and so the host, does otherwise. Operands are copied
 * first, so that any of them may overlap the result.
 */
#include "frontend/arm/neon_helpers.h"
#include "frontend/arm/fp.h"

union lanes {
    uint16_t u16[8];
    uint32_t u32[4];
};

struct operation {
    union lanes d, n, m; /* d: before and after */
    unsigned bytes;      /* of the result */
    unsigned imm;
    struct fp_env env;
};

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
FLOAT(vrecps_f32, fp_recip_step(env, n, m))
FLOAT(vrsqrts_f32, fp_rsqrt_step(env, n, m))
FLOAT(vrecpe_f32, fp_recip_estimate(env, m))
FLOAT(vrsqrte_f32, fp_rsqrt_estimate(env, m))
FLOAT(vrecpe_u32, fp_unsigned_recip_estimate(m))
FLOAT(vrsqrte_u32, fp_unsigned_rsqrt_estimate(m))

/* A8.8.305, A8.8.307 */
FLOAT(vcvt_f32_s32, fp_from_fixed(env, FP_SINGLE, m, 32, o->imm, false, FP_NEAREST))
FLOAT(vcvt_f32_u32, fp_from_fixed(env, FP_SINGLE, m, 32, o->imm, true, FP_NEAREST))

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

/* Pairs of D registers only: n's pair gives the low lane, m's the high one. */
static void do_vpadd_f32(struct operation *o)
{
    o->d.u32[0] = (uint32_t)fp_add(&o->env, FP_SINGLE, o->n.u32[0], o->n.u32[1]);
    o->d.u32[1] = (uint32_t)fp_add(&o->env, FP_SINGLE, o->m.u32[0], o->m.u32[1]);
}

/* ---- dispatch ---------------------------------------------------------------------------------
 */

static void (*const operations[NEON_N_OPERATIONS])(struct operation *o) = {
#define X(name) [NEON_##name] = do_##name,
    NEON_OPERATIONS(X)
#undef X
};

static void broadcast(struct operation *o, unsigned index)
{
    uint32_t value = o->m.u32[index & 3];
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
        broadcast(&o, scalar - 1);
    operations[operation](&o);
    memcpy(base + d, &o.d, o.bytes);
    fp_env_done(cpu, &o.env);
}

const struct ir_helper helper_neon =
    IR_HELPER(neon, IR_VOID, 4, 0, GROUP_FP | GROUP_FPSCR, GROUP_FP | GROUP_FPSCR);
