/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the rows of VFN and VFP compute, in C: the interpreter's implementation, and what a code
 * generator calls for a row its host has no instruction for. Floating-point rows work under the
 * calling thread's control word and leave their flags there.
 */
#ifndef CALQUE_BACKEND_VECTOR_FN_H
#define CALQUE_BACKEND_VECTOR_FN_H

#include "tcg/ir.h"
#include "tcg/vector_ops.h"

struct vector_fn_call {
    union ir_vector result; /* a general register: d[0], zero-extended */
    const union ir_vector *a, *b, *c;
    uint8_t immediate;
    bool wide;      /* the general register that is read or written has 64 bits */
    uint16_t flags; /* enum ir_flag_bit, for rows that give flags */
};

void vector_fn_eval(unsigned row, struct vector_fn_call *call);

#endif
