/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the system part where that is not linked yet: whatever it defines replaces this. */
#include "frontend/x86/system.h"

#define WEAK __attribute__((weak))

WEAK void x86_fpu_check(struct x86_cpu *cpu)
{
}
