/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the translators of SSE and AVX share. A 256-bit operand is two halves: the XMM field and
 * the field of bits 255:128; instructions whose halves are apart do one after the other.
 *
 * The argument of a row of trans_vector and its relatives is an enum ir_vfn, or VOP(op, lane) for
 * a vector op of the IR, perhaps with VOP_SWAP: the operands change places (PANDN).
 */
#ifndef CALQUE_FRONTEND_X86_VECTOR_H
#define CALQUE_FRONTEND_X86_VECTOR_H

#include "frontend/x86/translate.h"

/* An instruction whose operands are being read. */
struct x86_vector {
    struct xlat *x;
    const struct x86_insn *insn;
    ir_ref linear; /* of the memory operand, once computed */
};

static inline struct x86_vector x86_vector(struct xlat *x, const struct x86_insn *insn)
{
    return (struct x86_vector){x, insn, IR_NONE};
}
ir_ref x86_vector_address(struct x86_vector *v, unsigned size, bool write);
/* Half 0 or 1 of operand n; memory of less than 16 bytes is loaded as it is, the rest is zero. */
ir_ref x86_vector_get(struct x86_vector *v, unsigned n, unsigned half);
/* The result in the register that operand n is: VEX forms clear what is above. high: IR_NONE for
 * zero. */
void x86_vector_set(struct x86_vector *v, unsigned n, ir_ref low, ir_ref high);
bool x86_vector_is_256(const struct x86_insn *insn);
ir_ref x86_vector_zero(struct xlat *x);
/* A row's function of up to three vectors. */
ir_ref x86_vector_apply(struct xlat *x, unsigned argument, unsigned immediate, const ir_ref *args);
/* Around what may raise SSE exceptions; the second before anything is set. */
void x86_vector_fp_begin(struct xlat *x, unsigned argument);
void x86_vector_fp_end(struct xlat *x, unsigned argument);
ir_ref x86_vector_lane64(struct xlat *x, ir_ref value, unsigned lane);
ir_ref x86_vector_from64(struct xlat *x, ir_ref value); /* I32 or I64 into lane 0 */

#endif
