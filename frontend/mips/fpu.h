/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU's parts: fp_rules.c (arithmetic), fcsr.c (control registers), fpu.c and fpu_moves.c
 * (translation). Private to them. Sections are of "ISA", the instruction set volume, MD00086.
 *
 * FCSR.Cause is that of the last FP instruction. Generated code has the host compute and collect
 * Flags, so Cause is put off: each instruction notes what it was (enum fp_what) and its operands,
 * and whoever reads FCSR has them computed again, in software. Notes that another follows are dead
 * stores. Where an exception is enabled (KEY_FP_TRAPS) every instruction is computed in software.
 */
#ifndef CALQUE_FRONTEND_MIPS_FPU_H
#define CALQUE_FRONTEND_MIPS_FPU_H

#include "frontend/mips/translate.h"
#include "util/softfp.h"

#include "build/gen/fpu.inc"

/* Exceptions as Flags, Enables and Cause order them, MSACSR's too. */
enum fpu_exception {
    FPU_INEXACT = 1,
    FPU_UNDERFLOW = 2,
    FPU_OVERFLOW = 4,
    FPU_DIVIDE_BY_ZERO = 8,
    FPU_INVALID = 16,
    FPU_UNIMPLEMENTED = 32, /* Cause only; always enabled */
};

enum fcsr_bits {
    FCSR_ROUNDING = 3,
    FCSR_FLAGS = 31 << 2,
    FCSR_ENABLES = 31 << 7,
    FCSR_CAUSE = 63 << 12,
    FCSR_NAN2008_BIT = 1 << 18,
    FCSR_ABS2008_BIT = 1 << 19,
    FCSR_FLUSH = 1 << 24,
    FCSR_CONTROL = FCSR_ROUNDING | FCSR_ENABLES | FCSR_ABS2008_BIT | FCSR_NAN2008_BIT | FCSR_FLUSH,
};
/* From a field of exceptions to the next. */
enum { FCSR_FLAGS_SHIFT = 2, FCSR_ENABLES_SHIFT = 7, FCSR_CAUSE_SHIFT = 12 };

/* Formats of operands: their numbers are the fmt field's less 16. */
enum fp_fmt { FMT_S = 0, FMT_D = 1, FMT_W = 4, FMT_L = 5, FMT_PS = 6, FMT_PW /* no fmt */ };

/* What an instruction computes of a, b and c. */
enum fp_operation {
    OPERATION_NONE,
    OPERATION_ADD,
    OPERATION_SUB,
    OPERATION_MUL,
    OPERATION_DIV,
    OPERATION_SQRT,
    OPERATION_RECIP,
    OPERATION_RSQRT,
    OPERATION_MADD, /* a * b + c, rounded twice */
    OPERATION_MSUB,
    OPERATION_NMADD,
    OPERATION_NMSUB,
    OPERATION_MADDF, /* c + a * b, rounded once */
    OPERATION_MSUBF,
    OPERATION_MAX,
    OPERATION_MIN,
    OPERATION_MAXA,
    OPERATION_MINA,
    OPERATION_RINT,
    OPERATION_COMPARE,           /* enum fp_relation; PS: of both halves, the high one << 4 */
    OPERATION_COMPARE_SIGNALING, /* quiet NaNs are invalid, too */
    OPERATION_CONVERT,
    OPERATION_RECIP1, /* MIPS-3D */
    OPERATION_RSQRT1,
    OPERATION_RSQRT2,
};
/* enum fp_operation | format of the operands << 8 | format of a CONVERT's result << 12 | rounding
 * mode of a CONVERT to an integer << 16. */
enum fp_what { WHAT_FROM = 8, WHAT_TO = 12, WHAT_ROUNDING = 16 };
enum fp_what_rounding { ROUND_CURRENT, ROUND_NEAREST, ROUND_ZERO, ROUND_UP, ROUND_DOWN };

static inline uint32_t fp_what(enum fp_operation operation, enum fp_fmt from)
{
    return (uint32_t)operation | (uint32_t)from << WHAT_FROM;
}

/* fp_rules.c: the instruction in software. */
uint64_t mips_fp_compute(struct fp_env *env, uint32_t what, uint64_t a, uint64_t b, uint64_t c);
/* FCSR.RM, and MSACSR's. */
static inline enum fp_rounding mips_fp_rounding(uint32_t fcsr)
{
    static const uint8_t modes[] = {FP_NEAREST, FP_ZERO, FP_PLUS, FP_MINUS};

    return (enum fp_rounding)modes[fcsr & FCSR_ROUNDING];
}
/* The environment that FCSR states. */
struct fp_env mips_fp_env(uint32_t fcsr);
/* softfp's exceptions as a field of FCSR has them, at bit 0. */
uint32_t mips_fp_exceptions(uint32_t softfp_flags);
/* CLASS.fmt: ISA, "Scalar Floating-Point Class Mask" */
uint64_t mips_fp_class(bool is_double, uint64_t a);

/* (what, a, b, c) -> I64: computes, sets Cause and Flags, raises if that is enabled; MAY_FAULT */
extern const struct ir_helper helper_mips_fp_compute;
extern const struct ir_helper helper_mips_fp_class; /* (is double, a) -> I64 */

/* ---- registers (fpu.c) ----------------------------------------------------------------------- */

/* The instruction may use such registers; regs are their numbers ORed. If not, raises and returns
 * false: Coprocessor Unusable, or Reserved Instruction where the register mode has no such
 * operands. */
bool mips_fp_ready(struct xlat *x, enum fp_fmt fmt, int regs);

/* State field of a register as a number of the format: W is in F32, L in F64, PS in V64. */
unsigned mips_fp_field(struct xlat *x, enum fp_fmt fmt, int n);
ir_ref mips_fp_get(struct xlat *x, enum fp_fmt fmt, int n);
void mips_fp_set(struct xlat *x, enum fp_fmt fmt, int n, ir_ref value);
/* Field of the high word of a double, F32. */
unsigned mips_fp_high_field(struct xlat *x, int n);
/* Where an FPR's two halves are known, makes it one piece again. */
void mips_fp_join(struct xlat *x, unsigned n);
ir_ref mips_fp_bitcast(struct xlat *x, enum ir_type type, ir_ref value);

#endif
