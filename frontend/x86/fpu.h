/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of floating-point and vector instructions: fpu.c, and vector_helpers.c. */
#ifndef CALQUE_FRONTEND_X86_FPU_H
#define CALQUE_FRONTEND_X86_FPU_H

#include "frontend/x86/cpu.h"

enum x86_save {
    SAVE_FXSAVE,
    SAVE_FXRSTOR,
    SAVE_XSAVE,
    SAVE_XRSTOR,
    SAVE_XSAVEOPT,
    SAVE_KIND = 15,
    SAVE_64 = 16, /* REX.W: 64-bit pointers in the x87 part */
};

/* helper_mxcsr_write writes what the other was given last; #GP for reserved bits. */
extern const struct ir_helper helper_mxcsr_read, helper_mxcsr_write_masked, helper_mxcsr_write;
/* Before and after an SSE instruction while an exception is unmasked: raises it. */
extern const struct ir_helper helper_sse_begin, helper_sse_check;
extern const struct ir_helper helper_fpu_save; /* linear address, what */
/* Operands in F_VTEMP0 and the next; the mask replaces the first. Lengths, imm | mask << 8; gives
 * the flags in the stored form, the index in bits 23:16. */
extern const struct ir_helper helper_pcmpestr;
/* Values in F_VTEMP0 and the next, masks (the top bit of each element) in the two behind. Offset;
 * segment | address bytes << 4 | lane << 8 | bytes << 12. */
extern const struct ir_helper helper_masked_load, helper_masked_store;
/* Base and displacement; segment | address bytes << 4 | lane << 8 | index lane << 10 | elements
 * << 12 | log2(scale) << 16; destination | mask << 8 | index register << 16. */
extern const struct ir_helper helper_gather;

#endif
