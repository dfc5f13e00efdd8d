/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the IR's integer vector ops mean, lane by lane in plain C: for the interpreter, for constant
 * folding, for tests, and for a backend that lacks an instruction. Pure. Little-endian hosts.
 */
#ifndef CALQUE_TCG_VECTOR_OPS_H
#define CALQUE_TCG_VECTOR_OPS_H

#include "tcg/ir.h"

union ir_vector {
    uint8_t b[16];
    uint16_t h[8];
    uint32_t w[4];
    uint64_t d[2];
} __attribute__((aligned(16)));

/* result = op(a, b, c) for VAND .. VSHUFFLE. Integer operands and results (VDUP, VGETLANE,
 * VSETLANE) are in d[0], zero-extended. result may be any of the operands; unused ones are not
 * looked at. */
void ir_vector_eval(unsigned op, unsigned sub, unsigned aux, union ir_vector *result,
                    const union ir_vector *a, const union ir_vector *b, const union ir_vector *c);

#endif
