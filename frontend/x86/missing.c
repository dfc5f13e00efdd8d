/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the system part where that is not linked yet: whatever it defines replaces this. */
#include "frontend/x86/system.h"

#define WEAK __attribute__((weak))

WEAK void x86_fpu_check(struct x86_cpu *cpu)
{
}

WEAK void x86_fpu_reset(struct x86_cpu *cpu)
{
    cpu->mxcsr = cpu->v.run.mxcsr = 0x1f80;
    cpu->fpu_control = 0x37f;
}

WEAK const struct ir_fp_rules x86_fp_rules = {.same_as_host = true};
