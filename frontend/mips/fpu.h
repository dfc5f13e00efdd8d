/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU's arithmetic in software: what generated code leaves to functions, because the host has
 * no such instruction, a NaN or a denormal is involved, or an exception may trap. MD00083,
 * chapter 5.
 */
#ifndef CALQUE_FRONTEND_MIPS_FPU_H
#define CALQUE_FRONTEND_MIPS_FPU_H

#include "frontend/mips/translate.h"
#include "util/softfp.h"

/* Exceptions as Flags, Enables and Cause order them. */
enum fpu_exception {
    FPU_INEXACT = 1,
    FPU_UNDERFLOW = 2,
    FPU_OVERFLOW = 4,
    FPU_DIVIDE_BY_ZERO = 8,
    FPU_INVALID = 16,
    FPU_UNIMPLEMENTED = 32, /* Cause only; always enabled */
};

enum {
    FCSR_RM = 3,
    FCSR_FLAGS_SHIFT = 2,
    FCSR_ENABLES_SHIFT = 7,
    FCSR_CAUSE_SHIFT = 12,
    FCSR_NAN2008 = 1 << 18,
    FCSR_ABS2008 = 1 << 19,
    FCSR_FCC0 = 1 << 23,
    FCSR_FS = 1 << 24,
    FCSR_FCC1_SHIFT = 25,
};

enum fpu_operation {
    FPU_ADD,
    FPU_SUB,
    FPU_MUL,
    FPU_DIV,
    FPU_SQRT,
    FPU_RECIP,
    FPU_RSQRT,
    FPU_MADD, /* a * b + c, two roundings */
    FPU_MSUB,
    FPU_NMADD,
    FPU_NMSUB,
    FPU_MADDF, /* c + a * b, one rounding */
    FPU_MSUBF,
    FPU_MIN,
    FPU_MAX,
    FPU_MINA,
    FPU_MAXA,
    FPU_RINT,
    FPU_TO_SINGLE,
    FPU_TO_DOUBLE,
    FPU_TO_WORD,
    FPU_TO_LONG,
    FPU_FROM_WORD, /* to the format */
    FPU_FROM_LONG,
    FPU_COMPARE, /* enum fp_relation */
    FPU_COMPARE_SIGNALLING,
};

enum fpu_format { FMT_SINGLE, FMT_DOUBLE, FMT_PAIRED };

/* An operation in one word: with the format of the operands (FROM_: of the result), and for TO_WORD
 * and TO_LONG how to round: 0 as FCSR says, else 1 + enum fp_rounding. */
#define FPU_WORD(operation, format, rounding)                                                      \
    ((uint32_t)(operation) | (uint32_t)(format) << 8 | (uint32_t)(rounding) << 12)

/* (word, a, b, c) -> result: values as I64, singles zero-extended. Raises Floating Point if an
 * exception is enabled; the second only where none is. */
extern const struct ir_helper helper_fpu_trapping, helper_fpu_operate;
/* CLASS.fmt: (format, value) -> mask. */
extern const struct ir_helper helper_fpu_class;
extern const struct ir_helper helper_fcsr_read;   /* () -> I32 */
extern const struct ir_helper helper_fcsr_write;  /* (value); MAY_FAULT: Cause and Enables */
extern const struct ir_helper helper_fcsr_update; /* * after that: the mode */

#endif
