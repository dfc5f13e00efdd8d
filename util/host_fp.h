/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's floating-point control word, which generated code runs with and which collects
 * exceptions there: its rounding mode and flags in terms of util/softfp.h. Live functions are about
 * the calling thread; on hosts whose code has no such word they do nothing.
 */
#ifndef CALQUE_UTIL_HOST_FP_H
#define CALQUE_UTIL_HOST_FP_H

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "util/softfp.h"

enum host_fp_bits { HOST_FP_INEXACT = 0x20, HOST_FP_MASKS = 0x1f80, HOST_FP_ROUNDING_SHIFT = 13 };

/* All exceptions masked, none collected. */
static inline uint32_t host_fp_control(enum fp_rounding rounding)
{
    static const uint8_t modes[] = {[FP_NEAREST] = 0, [FP_PLUS] = 2, [FP_MINUS] = 1, [FP_ZERO] = 3};

    return HOST_FP_MASKS | (uint32_t)modes[rounding] << HOST_FP_ROUNDING_SHIFT;
}

/* enum fp_exception. The host's denormal-operand flag is no guest's. */
static inline uint32_t host_fp_exceptions(uint32_t control)
{
    return (control & 0x01 ? FP_INVALID : 0) | (control & 0x04 ? FP_DIVIDE_BY_ZERO : 0) |
           (control & 0x08 ? FP_OVERFLOW : 0) | (control & 0x10 ? FP_UNDERFLOW : 0) |
           (control & HOST_FP_INEXACT ? FP_INEXACT : 0);
}

static inline uint32_t host_fp_live(void)
{
#ifdef __x86_64__
    return _mm_getcsr();
#else
    return 0;
#endif
}

static inline void host_fp_set_live(uint32_t control)
{
#ifdef __x86_64__
    _mm_setcsr(control);
#endif
}

#endif
