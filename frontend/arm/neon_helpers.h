/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD operations that generated code calls: one helper, which dispatches on the operation
 * in its first argument. The list below makes the enumeration, the table and (in neon_helpers.c)
 * checks that each has its function. Signed and unsigned variants are consecutive.
 */
#ifndef CALQUE_FRONTEND_ARM_NEON_HELPERS_H
#define CALQUE_FRONTEND_ARM_NEON_HELPERS_H

#include "tcg/ir.h"

/* The formatter does not come to rest on such lists. */
/* clang-format off */
#define NEON_OPERATIONS(X)                                                                         \
    X(vadd_f32) X(vsub_f32) X(vmul_f32) X(vmla_f32) X(vmls_f32) X(vfma_f32) X(vfms_f32)            \
    X(vabd_f32) X(vpadd_f32) X(vrecps_f32) X(vrsqrts_f32)                                          \
    X(vcvt_f32_s32) X(vcvt_f32_u32) /* imm: fraction bits */                                       \
    X(vrecpe_u32) X(vrecpe_f32) X(vrsqrte_u32) X(vrsqrte_f32)                                      \
    X(vcvt_f16_f32) X(vcvt_f32_f16)
/* clang-format on */

enum neon_operation {
#define X(name) NEON_##name,
    NEON_OPERATIONS(X)
#undef X
        NEON_N_OPERATIONS
};

/* The helper's first argument. imm: shift amount or fraction bits. bytes: of the result, 8 or 16.
 * scalar: 0, or 1 + index of the lane of the third operand that stands for all. */
static inline uint32_t neon_what(unsigned operation, unsigned imm, unsigned bytes, unsigned scalar)
{
    return operation | imm << 8 | bytes << 16 | scalar << 24;
}

/* (what, d, n, m): d, n, m are byte offsets of registers in the CPU struct. */
extern const struct ir_helper helper_neon;

#endif
