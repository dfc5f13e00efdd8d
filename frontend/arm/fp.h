/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact floating-point arithmetic as the ARM architecture defines it (ARM ARM A2.7), on integers
 * only: results, NaNs and flags do not depend on the host's. Values are bit patterns.
 *
 * Each function takes the environment (the FPSCR's control bits) and ORs the exceptions into
 * env->flags. No other state; any thread.
 */
#ifndef CALQUE_FRONTEND_ARM_FP_H
#define CALQUE_FRONTEND_ARM_FP_H

#include "frontend/arm/cpu.h"

enum fpscr_bits {
    FPSCR_IOC = 1 << 0, /* invalid operation */
    FPSCR_DZC = 1 << 1, /* division by zero */
    FPSCR_OFC = 1 << 2, /* overflow */
    FPSCR_UFC = 1 << 3, /* underflow */
    FPSCR_IXC = 1 << 4, /* inexact */
    FPSCR_IDC = 1 << 7, /* input denormal */
    FPSCR_LEN = 7 << 16,
    FPSCR_STRIDE = 3 << 20,
    FPSCR_RMODE = 3 << 22,
    FPSCR_FZ = 1 << 24,
    FPSCR_DN = 1 << 25,
    FPSCR_AHP = 1 << 26,
    FPSCR_QC = 1 << 27,
    FPSCR_CUMULATIVE = 0x9f,
    FPSCR_CONTROL = FPSCR_LEN | FPSCR_STRIDE | FPSCR_RMODE | FPSCR_FZ | FPSCR_DN | FPSCR_AHP,
};

enum fp_rounding { FP_NEAREST, FP_PLUS, FP_MINUS, FP_ZERO }; /* as FPSCR.RMode numbers them */
enum fp_format { FP_HALF, FP_SINGLE, FP_DOUBLE };

struct fp_env {
    uint32_t control; /* AHP, DN, FZ, RMode */
    uint32_t flags;   /* cumulative exception bits raised so far */
};

static inline unsigned fp_rounding_of(uint32_t control)
{
    return extract32(control, 22, 2);
}
/* The environment an instruction runs in that obeys the FPSCR, and the one Advanced SIMD uses
 * ("standard FPSCR value": only AHP is the FPSCR's). */
static inline struct fp_env fp_env_of(const struct arm_cpu *cpu)
{
    return (struct fp_env){.control = cpu->fpscr_control};
}
static inline struct fp_env fp_env_standard(const struct arm_cpu *cpu)
{
    return (struct fp_env){.control = (cpu->fpscr_control & FPSCR_AHP) | FPSCR_DN | FPSCR_FZ};
}
static inline void fp_env_done(struct arm_cpu *cpu, const struct fp_env *env)
{
    cpu->fpscr_sticky |= env->flags;
}

uint64_t fp_add(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_mul(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sqrt(struct fp_env *env, enum fp_format format, uint64_t a);
/* addend + a * b with one rounding (FPMulAdd) */
uint64_t fp_mul_add(struct fp_env *env, enum fp_format format, uint64_t addend, uint64_t a,
                    uint64_t b);
/* enum ir_fcmp; quiet_invalid: quiet NaNs raise Invalid too */
unsigned fp_compare(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                    bool quiet_invalid);
uint64_t fp_convert(struct fp_env *env, enum fp_format to, enum fp_format from, uint64_t a);
/* To and from an integer of `bits` (8..64) with fraction_bits of them below the point. */
uint64_t fp_to_fixed(struct fp_env *env, enum fp_format format, uint64_t a, unsigned bits,
                     unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding);
uint64_t fp_from_fixed(struct fp_env *env, enum fp_format format, uint64_t value, unsigned bits,
                       unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding);
/* Advanced SIMD's estimates and steps (single precision; env is to be the standard one). */
uint32_t fp_recip_estimate(struct fp_env *env, uint32_t a);
uint32_t fp_rsqrt_estimate(struct fp_env *env, uint32_t a);
uint32_t fp_recip_step(struct fp_env *env, uint32_t a, uint32_t b);
uint32_t fp_rsqrt_step(struct fp_env *env, uint32_t a, uint32_t b);
uint32_t fp_unsigned_recip_estimate(uint32_t a);
uint32_t fp_unsigned_rsqrt_estimate(uint32_t a);

#endif
