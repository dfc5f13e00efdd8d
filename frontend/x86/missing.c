/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the system part where that is not linked yet: whatever it defines replaces this. */
#include "frontend/x86/system.h"
#include "util/log.h"

#define WEAK __attribute__((weak))

WEAK void x86_fpu_check(struct x86_cpu *cpu)
{
}

WEAK void x86_check_data_break(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
}

WEAK void x86_check_code_break(struct x86_cpu *cpu, uint64_t linear)
{
}

WEAK void x86_fpu_reset(struct x86_cpu *cpu)
{
    cpu->mxcsr = cpu->v.run.mxcsr = 0x1f80;
    cpu->fpu_control = 0x37f;
}

WEAK const struct ir_fp_rules x86_fp_rules = {.same_as_host = true};

WEAK void x86_task_switch(struct x86_cpu *cpu, uint16_t selector, enum x86_task_source source,
                          uint64_t next_ip, bool has_error_code, uint32_t error_code)
{
    log_printf(LOG_UNIMP, "x86: task switch to selector 0x%04x\n", selector);
    x86_raise_gp(cpu, selector_error(selector));
}
