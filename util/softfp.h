/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact IEEE 754 arithmetic on integers only: results, NaNs and flags do not depend on the host's.
 * What architectures leave to choice, the environment says. Values are bit patterns.
 *
 * Each function takes the environment and ORs the exceptions into env->flags. No other state; any
 * thread.
 */
#ifndef CALQUE_UTIL_SOFTFP_H
#define CALQUE_UTIL_SOFTFP_H

#include "util/bits.h"
#include "util/compiler.h"

/* Bits of fp_env.control; bits 22 and up are where ARM's FPSCR has them. */
enum fp_control {
    FP_LEGACY_NAN = 1 << 0,      /* a set quiet bit says "signalling": MIPS before 2008 NaNs; and
                                    conversions to integers give the greatest one for what has none */
    FP_TINY_AFTER = 1 << 1,      /* tininess is detected after rounding */
    FP_KEEP_ADDEND_NAN = 1 << 2, /* infinity * 0 + quiet NaN: that NaN */
    FP_FLUSH_RESULTS_ONLY = 1 << 3,
    FP_ROUNDING = 3 << 22, /* enum fp_rounding */
    FP_FLUSH = 1 << 24,    /* denormals are zeros */
    FP_DEFAULT_NAN = 1 << 25,
    FP_ALTERNATIVE_HALF = 1 << 26,
};

enum fp_exception {
    FP_INVALID = 1 << 0,
    FP_DIVIDE_BY_ZERO = 1 << 1,
    FP_OVERFLOW = 1 << 2,
    FP_UNDERFLOW = 1 << 3,
    FP_INEXACT = 1 << 4,
    FP_INPUT_DENORMAL = 1 << 7, /* one was flushed */
};

enum fp_rounding { FP_NEAREST, FP_PLUS, FP_MINUS, FP_ZERO };
enum fp_format { FP_HALF, FP_SINGLE, FP_DOUBLE };
/* Results of comparing: exactly one; the values of the IR's enum ir_fcmp. */
enum fp_relation { FP_LESS = 1, FP_EQUAL = 2, FP_GREATER = 4, FP_UNORDERED = 8 };

struct fp_env {
    uint32_t control; /* enum fp_control */
    uint32_t flags;   /* enum fp_exception raised so far */
};

static inline unsigned fp_rounding_of(uint32_t control)
{
    return extract32(control, 22, 2);
}

uint64_t fp_add(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_mul(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
uint64_t fp_sqrt(struct fp_env *env, enum fp_format format, uint64_t a);
/* addend + a * b with one rounding (FPMulAdd) */
uint64_t fp_mul_add(struct fp_env *env, enum fp_format format, uint64_t addend, uint64_t a,
                    uint64_t b);
/* enum fp_relation; quiet_invalid: quiet NaNs raise Invalid too */
unsigned fp_compare(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                    bool quiet_invalid);
uint64_t fp_convert(struct fp_env *env, enum fp_format to, enum fp_format from, uint64_t a);
/* To and from an integer of `bits` (8..64) with fraction_bits of them below the point. */
uint64_t fp_to_fixed(struct fp_env *env, enum fp_format format, uint64_t a, unsigned bits,
                     unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding);
uint64_t fp_from_fixed(struct fp_env *env, enum fp_format format, uint64_t value, unsigned bits,
                       unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding);

/* The parts, for operations that are one guest's only. */
enum fp_kind { FP_KIND_ZERO, FP_KIND_FINITE, FP_KIND_INFINITY, FP_KIND_QNAN, FP_KIND_SNAN };

struct fp_unpacked {
    enum fp_kind kind;
    bool sign;
    int exponent;      /* of a zero: so low that it never matters in a sum */
    uint64_t mantissa; /* of a zero: 0 */
};

struct fp_unpacked fp_unpack(struct fp_env *env, enum fp_format format, uint64_t bits);
bool fp_is_nan(const struct fp_unpacked *u);
uint64_t fp_zero(enum fp_format format, bool sign);
uint64_t fp_infinity(enum fp_format format, bool sign);
uint64_t fp_default_nan(const struct fp_env *env, enum fp_format format);
/* The default NaN, and Invalid Operation. */
uint64_t fp_invalid(struct fp_env *env, enum fp_format format);
/* What an operation gives for a NaN operand. */
uint64_t fp_process_nan(struct fp_env *env, enum fp_format format, enum fp_kind kind,
                        uint64_t bits);
/* The first signalling NaN in operand order, else the first quiet one; false: there is none. */
bool fp_process_nans(struct fp_env *env, enum fp_format format, unsigned n,
                     const struct fp_unpacked *operands, const uint64_t *bits, uint64_t *result);

#endif
