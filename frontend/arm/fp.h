/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARM's floating point (ARM ARM A2.7): the FPSCR as an environment of util/softfp.h, and the
 * estimates of Advanced SIMD. The FPSCR's control and cumulative bits are where softfp has its own.
 */
#ifndef CALQUE_FRONTEND_ARM_FP_H
#define CALQUE_FRONTEND_ARM_FP_H

#include "frontend/arm/cpu.h"
#include "util/softfp.h"

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

/* Advanced SIMD's estimates and steps (single precision; env is to be the standard one). */
uint32_t fp_recip_estimate(struct fp_env *env, uint32_t a);
uint32_t fp_rsqrt_estimate(struct fp_env *env, uint32_t a);
uint32_t fp_recip_step(struct fp_env *env, uint32_t a, uint32_t b);
uint32_t fp_rsqrt_step(struct fp_env *env, uint32_t a, uint32_t b);
uint32_t fp_unsigned_recip_estimate(uint32_t a);
uint32_t fp_unsigned_rsqrt_estimate(uint32_t a);

#endif
