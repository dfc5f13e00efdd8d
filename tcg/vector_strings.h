/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The string comparisons of PCMPISTRx and PCMPESTRx. Pure. immediate: the instruction's byte.
 */
#ifndef CALQUE_TCG_VECTOR_STRINGS_H
#define CALQUE_TCG_VECTOR_STRINGS_H

#include "tcg/vector_ops.h"

/* Elements before the first that is zero. */
unsigned vector_string_length(const union ir_vector *v, unsigned immediate);
/* The bits of the result ("IntRes2") and the flags in their stored form (enum ir_flag_bit). */
unsigned vector_compare_strings(const union ir_vector *a, unsigned length_a,
                                const union ir_vector *b, unsigned length_b, unsigned immediate,
                                uint16_t *flags);
/* What the two kinds of instructions give of those bits. */
unsigned vector_string_index(unsigned bits, unsigned immediate);
union ir_vector vector_string_mask(unsigned bits, unsigned immediate);

#endif
