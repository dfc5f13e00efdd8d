/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the base instruction set share. Private to them. */
#ifndef CALQUE_FRONTEND_MIPS_TRANSLATE_COMMON_H
#define CALQUE_FRONTEND_MIPS_TRANSLATE_COMMON_H

#include "frontend/mips/translate.h"

#include "build/gen/mips.inc"

/* Has the instruction a delay slot? */
bool mips_has_delay_slot(struct xlat *x);
/* MIPS16e: does more of an instruction follow its first 16 bits; has it a delay slot? */
bool mips16_is_long(uint32_t insn);
bool mips16_has_delay_slot(uint32_t insn, unsigned length);
/* Would it be refused in a forbidden slot: MD00087, "Forbidden Slots"? */
bool mips_is_control_transfer(struct xlat *x, uint32_t insn);

/* The instruction's delay slot, translated on the spot: SETs before it are not undone. */
void mips_translate_slot(struct xlat *x);
/* Goes on at target once the path's instruction, and its slot, are done. Ends the path. */
void mips_go(struct xlat *x, uint64_t target);
void mips_go_indirect(struct xlat *x, ir_ref target);

static inline uint64_t mips_wrap(struct xlat *x, uint64_t pc)
{
    return mips_xlat(x)->wide ? pc : (uint32_t)pc;
}

#endif
