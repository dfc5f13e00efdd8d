/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the system part where that is not linked yet: whatever it defines replaces this. */
#include "frontend/x86/system.h"
#include "util/log.h"

#define WEAK __attribute__((weak))

WEAK void x86_raise(struct x86_cpu *cpu, enum x86_exception kind, uint32_t error_code)
{
    vcpu_raise(&cpu->v, &(struct exception){.kind = kind, .syndrome = error_code});
}

WEAK void x86_load_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector)
{
    x86_raise(cpu, EXC_UD, 0);
}

WEAK void x86_fpu_check(struct x86_cpu *cpu)
{
}

WEAK void x86_check_data_break(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
}

WEAK void x86_check_code_break(struct x86_cpu *cpu, uint64_t linear)
{
}

WEAK void x86_check_io(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
}

static void missing(struct x86_cpu *cpu)
{
    x86_raise(cpu, EXC_UD, 0);
}

#define MISSING(helper, args)                                                                      \
    WEAK const struct ir_helper helper =                                                           \
        IR_HELPER(missing, IR_VOID, args, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL)
MISSING(helper_far_jump, 3);
MISSING(helper_far_call, 3);
MISSING(helper_far_return, 2);
