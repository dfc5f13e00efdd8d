/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A processor's life: power-on state (SDM vol. 3, table 9-1). */
#include "frontend/x86/system.h"

#include <stdlib.h>
#include <string.h>

bool x86_init(struct vcpu *v, struct error *err)
{
    struct x86_cpu *cpu = x86_cpu(v);

    cpu->sys = calloc(1, sizeof(*cpu->sys));
    if (!cpu->sys)
        return error_set(err, "out of memory");
    cpu->model = v->model->parameters;
    cpu->features = cpu->model->features;
    cpu->sys->physical_mask = (UINT64_C(1) << cpu->model->physical_bits) - 1;
    cpu->irq_lines = 1u << X86_A20; /* open, on boards without a gate */
    return true;
}

void x86_finish(struct vcpu *v)
{
    free(x86_cpu(v)->sys);
}

static void reset_segments(struct x86_cpu *cpu)
{
    enum { DATA = ATTR_P | ATTR_S | ATTR_WRITABLE | ATTR_ACCESSED };

    for (unsigned i = 0; i < N_SEGMENTS; i++)
        cpu->segment[i] = (struct x86_segment){.attributes = DATA, .limit = 0xffff};
    cpu->segment[SEG_CS].selector = 0xf000;
    cpu->segment[SEG_CS].base = 0xffff0000;
    cpu->segment[SEG_CS].attributes = DATA | ATTR_CODE;
    cpu->ldt = (struct x86_segment){.attributes = ATTR_P | TYPE_LDT, .limit = 0xffff};
    cpu->tr = (struct x86_segment){.attributes = ATTR_P | TYPE_TSS32_BUSY, .limit = 0xffff};
    cpu->gdt = cpu->idt = (struct x86_table){.limit = 0xffff};
}

static void reset_system(struct x86_cpu *cpu)
{
    struct x86_system *sys = cpu->sys;
    uint64_t physical_mask = sys->physical_mask;

    memset(sys, 0, sizeof(*sys));
    sys->physical_mask = physical_mask;
    sys->a20_mask = UINT64_MAX;
    sys->misc_enable = 1; /* fast strings */
    sys->microcode = UINT64_C(1) << 32;
}

void x86_reset(struct vcpu *v)
{
    struct x86_cpu *cpu = x86_cpu(v);

    reset_system(cpu);
    reset_segments(cpu);
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    cpu->gpr[RDX] = x86_signature(cpu->model);
    cpu->status = 0;
    cpu->df = cpu->eflags = cpu->inhibit = cpu->pending_debug = 0;
    cpu->cr0 = CR0_ET | CR0_NW | CR0_CD;
    cpu->cr2 = cpu->cr3 = cpu->cr4 = cpu->efer = 0;
    cpu->xcr0 = 1;
    memset(cpu->dr, 0, sizeof(cpu->dr));
    cpu->dr[6] = 0xffff0ff0;
    cpu->dr[7] = 0x400;
    cpu->star = cpu->lstar = cpu->cstar = cpu->sfmask = cpu->kernel_gs_base = cpu->tsc_aux = 0;
    cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
    cpu->pat = UINT64_C(0x0007040600070406);
    cpu->v.tsc_offset_ns = 0;
    cpu->nmi_blocked = cpu->shutdown = false;
    atomic_fetch_and(&cpu->irq_lines, 1u << X86_A20 | 1u << X86_INTR);
    v->halted = false;
    memset(cpu->ymm, 0, sizeof(cpu->ymm));
    x86_fpu_reset(cpu);
    mmu_flush_all(v->mmu);
    x86_update_mode(cpu);
    x86_set_ip(cpu, 0xfff0);
}

/* The state is precise but for what the translator put off: nothing. */
void x86_restore_state(struct vcpu *v, uint64_t pc, uint32_t aux)
{
}
