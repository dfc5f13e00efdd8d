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

/* PCMPESTRx, PCMPISTRx: the bits of the result ("IntRes2") and the flags, then what the two kinds
 * give of them. Lengths are those of valid elements. */
unsigned vector_compare_strings(const union ir_vector *a, unsigned length_a,
                                const union ir_vector *b, unsigned length_b, unsigned immediate,
                                uint16_t *flags);
unsigned vector_string_index(unsigned bits, unsigned immediate);
union ir_vector vector_string_mask(unsigned bits, unsigned immediate);

#endif
