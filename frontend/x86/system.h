/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the x86 system part offers to the translator: helpers for far transfers. */
#ifndef CALQUE_FRONTEND_X86_SYSTEM_H
#define CALQUE_FRONTEND_X86_SYSTEM_H

#include "frontend/x86/cpu.h"

/* Each sets run.pc and run.key; run.pc is the next instruction when it is called. */
extern const struct ir_helper helper_far_jump;   /* selector, offset (I64), operand size */
extern const struct ir_helper helper_far_call;   /* the same */
extern const struct ir_helper helper_far_return; /* operand size, bytes to release */

#endif
