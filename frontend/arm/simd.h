/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the VFP and the Advanced SIMD translators share. */
#ifndef CALQUE_FRONTEND_ARM_SIMD_H
#define CALQUE_FRONTEND_ARM_SIMD_H

#include "frontend/arm/translate.h"

/* memop of an access by elements of 1 << size_log2 bytes that must be aligned to 1 << align_log2;
 * 0: as the mode wants it for the element. */
static inline unsigned simd_memop(struct xlat *x, unsigned size_log2, unsigned align_log2)
{
    unsigned memop = arm_memop(x, size_log2, false, false);
    if (align_log2)
        memop = (memop & ~(unsigned)IR_MEM_ALIGN) | IR_MEM_ALIGN_OF(align_log2);
    return memop;
}

static inline unsigned simd_resize(unsigned memop, unsigned size_log2)
{
    return (memop & ~(unsigned)IR_MEM_SIZE) | size_log2;
}

static inline ir_ref simd_get_d(struct xlat *x, unsigned d)
{
    return ir_get(&x->b, F_D0 + d);
}

static inline void simd_set_d(struct xlat *x, unsigned d, ir_ref value)
{
    ir_set(&x->b, F_D0 + d, value);
}

/* A D register (q == 0: the low half of a vector, the rest zero) or a Q register by its D number.
 */
static inline ir_ref simd_get(struct xlat *x, unsigned q, unsigned d)
{
    return ir_get(&x->b, q ? F_Q0 + d / 2 : F_D0 + d);
}

static inline void simd_set(struct xlat *x, unsigned q, unsigned d, ir_ref value)
{
    ir_set(&x->b, q ? F_Q0 + d / 2 : F_D0 + d, value);
}

static inline ir_ref simd_lane(struct xlat *x, ir_ref vector, enum ir_lane lane, unsigned index)
{
    return ir_emit(&x->b, IR_VGETLANE, lane == IR_LANE64 ? IR_I64 : IR_I32, lane, index, vector,
                   IR_NONE, IR_NONE, 0);
}

static inline ir_ref simd_set_lane(struct xlat *x, ir_ref vector, enum ir_lane lane, unsigned index,
                                   ir_ref value)
{
    return ir_emit(&x->b, IR_VSETLANE, IR_V128, lane, index, vector, value, IR_NONE, 0);
}

static inline ir_ref simd_dup(struct xlat *x, enum ir_lane lane, ir_ref value)
{
    return ir_emit(&x->b, IR_VDUP, IR_V128, lane, 0, value, IR_NONE, IR_NONE, 0);
}

static inline ir_ref simd_bitcast(struct xlat *x, enum ir_type to, ir_ref value)
{
    return ir_emit(&x->b, IR_BITCAST, to, 0, 0, value, IR_NONE, IR_NONE, 0);
}

#endif
