/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DSP ASE's functions: what each row of dsp.def and dsp64.def computes. No state but the
 * processor's DSPControl, and accumulators where a function takes only their number. */
#ifndef CALQUE_FRONTEND_MIPS_DSP_H
#define CALQUE_FRONTEND_MIPS_DSP_H

#include "frontend/mips/cpu.h"

/* Bits of DSPControl: MD00374, "The DSPControl Register". */
enum {
    DSP_SCOUNT = 7,
    DSP_CARRY = 13,
    DSP_EFI = 14,
    DSP_OVERFLOW_ACCUMULATOR = 16, /* 4 */
    DSP_OVERFLOW_ADD = 20,
    DSP_OVERFLOW_MULTIPLY = 21,
    DSP_OVERFLOW_SHIFT = 22,
    DSP_OVERFLOW_EXTRACT = 23,
    DSP_CCOND = 24,
};

#define DSP_TYPE_I32 uint32_t
#define DSP_TYPE_I64 uint64_t
#define DSP_MORE_RRR(type)
#define DSP_MORE_RR(type)
#define DSP_MORE_CMP(type)
#define DSP_MORE_SHIFT(type)
#define DSP_MORE_RT(type)
#define DSP_MORE_RS(type)
#define DSP_MORE_RRS(type) , uint32_t c
#define ROW(name, shape, type, group, expression)                                                  \
    DSP_TYPE_##type mips_dsp_##name(struct mips_cpu *cpu, DSP_TYPE_##type a,                       \
                                    DSP_TYPE_##type b DSP_MORE_##shape(type));
#define ACC(name, group, expression)                                                               \
    uint64_t mips_dsp_##name(struct mips_cpu *cpu, uint64_t c, uint32_t a, uint32_t b, uint32_t n);
#define EXT(name, variable, expression)                                                            \
    uint32_t mips_dsp_##name(struct mips_cpu *cpu, uint64_t c, uint32_t a);
#define WIDE(name, expression)                                                                     \
    void mips_dsp_##name(struct mips_cpu *cpu, uint64_t a, uint64_t b, uint32_t n);
#define WIDE_EXT(name, variable, expression)                                                       \
    uint64_t mips_dsp_##name(struct mips_cpu *cpu, uint32_t a, uint32_t n);
#include "frontend/mips/dsp.def"
#include "frontend/mips/dsp64.def"
#undef ROW
#undef ACC
#undef EXT
#undef WIDE
#undef WIDE_EXT

uint64_t mips_dsp_SHILO(struct mips_cpu *cpu, uint64_t accumulator, uint32_t amount);
void mips_dsp_DSHILO(struct mips_cpu *cpu, uint32_t amount, uint32_t n);

#endif
