/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers (SDM vol. 4) and the time-stamp counter. */
#include "frontend/x86/system.h"
#include "util/log.h"

enum msr {
    IA32_P5_MC_ADDR = 0x0,
    IA32_P5_MC_TYPE = 0x1,
    IA32_TSC = 0x10,
    IA32_PLATFORM_ID = 0x17,
    IA32_APIC_BASE = 0x1b,
    EBL_CR_POWERON = 0x2a,
    MSR_SMI_COUNT = 0x34,
    IA32_FEATURE_CONTROL = 0x3a,
    IA32_BIOS_UPDT_TRIG = 0x79,
    IA32_BIOS_SIGN_ID = 0x8b,
    MSR_PLATFORM_INFO = 0xce,
    IA32_MTRRCAP = 0xfe,
    IA32_SYSENTER_CS = 0x174,
    IA32_SYSENTER_ESP = 0x175,
    IA32_SYSENTER_EIP = 0x176,
    IA32_MCG_CAP = 0x179,
    IA32_MCG_STATUS = 0x17a,
    IA32_MISC_ENABLE = 0x1a0,
    IA32_DEBUGCTL = 0x1d9,
    IA32_MTRR_PHYSBASE0 = 0x200,
    IA32_MTRR_FIX64K = 0x250,
    IA32_MTRR_FIX16K = 0x258,
    IA32_MTRR_FIX4K = 0x268,
    IA32_PAT = 0x277,
    IA32_MTRR_DEF_TYPE = 0x2ff,
    IA32_MC0_CTL = 0x400,
    IA32_TSC_DEADLINE = 0x6e0,
    IA32_EFER = 0xc0000080,
    IA32_STAR = 0xc0000081,
    IA32_LSTAR = 0xc0000082,
    IA32_CSTAR = 0xc0000083,
    IA32_FMASK = 0xc0000084,
    IA32_FS_BASE = 0xc0000100,
    IA32_GS_BASE = 0xc0000101,
    IA32_KERNEL_GS_BASE = 0xc0000102,
    IA32_TSC_AUX = 0xc0000103,
    AMD_HWCR = 0xc0010015,
    AMD_SYSCFG = 0xc0010010,
    AMD_PATCH_LEVEL = 0x8b,
};

uint64_t x86_tsc(struct x86_cpu *cpu)
{
    return (uint64_t)(clock_now_ns(cpu->v.clock) + cpu->v.tsc_offset_ns);
}

static uint64_t apic_read(struct x86_cpu *cpu, enum apic_register which)
{
    struct vcpu *v = &cpu->v;
    uint64_t value;

    if (!v->board.apic_read)
        x86_raise_gp(cpu, 0);
    vcpu_lock_devices(v);
    value = v->board.apic_read(v->board.opaque, v, which);
    vcpu_unlock_devices(v);
    return value;
}

static void apic_write(struct x86_cpu *cpu, enum apic_register which, uint64_t value)
{
    struct vcpu *v = &cpu->v;

    if (!v->board.apic_write)
        x86_raise_gp(cpu, 0);
    vcpu_lock_devices(v);
    v->board.apic_write(v->board.opaque, v, which, value);
    vcpu_unlock_devices(v);
}

/* ---- registers that only hold a value -------------------------------------------------------- */

/* Where such a register is kept; NULL: it is none. */
static uint64_t *storage(struct x86_cpu *cpu, uint32_t number)
{
    struct x86_system *sys = cpu->sys;

    if (number >= IA32_MTRR_PHYSBASE0 && number < IA32_MTRR_PHYSBASE0 + 2 * N_MTRR_VARIABLE &&
        x86_has(cpu, HAS_MTRR))
        return &sys->mtrr_physical[number - IA32_MTRR_PHYSBASE0];
    if (number >= IA32_MC0_CTL && number < IA32_MC0_CTL + 4 * N_MACHINE_CHECK_BANKS &&
        x86_has(cpu, HAS_MCA))
        return &sys->machine_check[number - IA32_MC0_CTL];
    switch (number) {
    case IA32_MTRR_FIX64K:
        return &sys->mtrr_fixed[0];
    case IA32_MTRR_FIX16K:
    case IA32_MTRR_FIX16K + 1:
        return &sys->mtrr_fixed[1 + number - IA32_MTRR_FIX16K];
    case IA32_MTRR_FIX4K ... IA32_MTRR_FIX4K + 7:
        return &sys->mtrr_fixed[3 + number - IA32_MTRR_FIX4K];
    case IA32_MTRR_DEF_TYPE:
        return &sys->mtrr_default_type;
    case IA32_SYSENTER_CS:
        return &cpu->sysenter_cs;
    case IA32_MCG_STATUS:
        return &sys->machine_check_status;
    case IA32_MISC_ENABLE:
        return &sys->misc_enable;
    case IA32_FEATURE_CONTROL:
        return &sys->feature_control;
    default:
        return NULL;
    }
}

static bool long_mode_msr(const struct x86_cpu *cpu, uint32_t number)
{
    return number == IA32_LSTAR || number == IA32_CSTAR || number == IA32_FMASK ||
           (number >= IA32_FS_BASE && number <= IA32_KERNEL_GS_BASE);
}

NORETURN static void unknown(struct x86_cpu *cpu, const char *how, uint32_t number)
{
    log_printf(LOG_UNIMP, "x86: %s of model-specific register 0x%x\n", how, number);
    x86_raise_gp(cpu, 0);
}

/* ---- reading --------------------------------------------------------------------------------- */

uint64_t x86_rdmsr(struct x86_cpu *cpu, uint32_t number)
{
    uint64_t *stored = storage(cpu, number);

    if (stored)
        return *stored;
    if (long_mode_msr(cpu, number) && !x86_has(cpu, HAS_LM))
        unknown(cpu, "read", number);
    switch (number) {
    case IA32_P5_MC_ADDR:
    case IA32_P5_MC_TYPE:
    case IA32_PLATFORM_ID:
    case EBL_CR_POWERON:
    case MSR_SMI_COUNT:
    case IA32_DEBUGCTL:
    case AMD_HWCR:
    case AMD_SYSCFG:
        return 0;
    case IA32_TSC:
        return x86_tsc(cpu);
    case IA32_APIC_BASE:
        return apic_read(cpu, APIC_BASE_MSR);
    case IA32_BIOS_SIGN_ID:
        return cpu->sys->microcode;
    case MSR_PLATFORM_INFO:
        return (uint64_t)(X86_TSC_HZ / 100000000) << 8;
    case IA32_MTRRCAP:
        return N_MTRR_VARIABLE | 1 << 8 | 1 << 10;
    case IA32_SYSENTER_ESP:
        return cpu->sysenter_esp;
    case IA32_SYSENTER_EIP:
        return cpu->sysenter_eip;
    case IA32_MCG_CAP:
        return N_MACHINE_CHECK_BANKS;
    case IA32_PAT:
        return cpu->pat;
    case IA32_TSC_DEADLINE:
        if (!x86_has(cpu, HAS_TSC_DEADLINE))
            break;
        return apic_read(cpu, APIC_TSC_DEADLINE);
    case IA32_EFER:
        if (!x86_has(cpu, HAS_LM) && !x86_has(cpu, HAS_NX) && !x86_has(cpu, HAS_SYSCALL))
            break;
        return cpu->efer;
    case IA32_STAR:
        return cpu->star;
    case IA32_LSTAR:
        return cpu->lstar;
    case IA32_CSTAR:
        return cpu->cstar;
    case IA32_FMASK:
        return cpu->sfmask;
    case IA32_FS_BASE:
        return cpu->segment[SEG_FS].base;
    case IA32_GS_BASE:
        return cpu->segment[SEG_GS].base;
    case IA32_KERNEL_GS_BASE:
        return cpu->kernel_gs_base;
    case IA32_TSC_AUX:
        if (!x86_has(cpu, HAS_RDTSCP) && !x86_has(cpu, HAS_RDPID))
            break;
        return cpu->tsc_aux;
    default:
        break;
    }
    unknown(cpu, "read", number);
}

/* ---- writing --------------------------------------------------------------------------------- */

void x86_set_efer(struct x86_cpu *cpu, uint64_t value)
{
    uint64_t allowed = (x86_has(cpu, HAS_SYSCALL) ? EFER_SCE : 0) |
                       (x86_has(cpu, HAS_LM) ? EFER_LME | EFER_LMA : 0) |
                       (x86_has(cpu, HAS_NX) ? EFER_NXE : 0);
    uint64_t changed = value ^ cpu->efer;

    if (value & ~allowed || ((changed & EFER_LME) && (cpu->cr0 & CR0_PG)))
        x86_raise_gp(cpu, 0);
    cpu->efer = (value & ~(uint64_t)EFER_LMA) | (cpu->efer & EFER_LMA);
    if (changed & EFER_NXE)
        mmu_flush_all(cpu->v.mmu);
    x86_update_mode(cpu);
}

static uint64_t canonical(struct x86_cpu *cpu, uint64_t value)
{
    if (!x86_is_canonical(cpu, value))
        x86_raise_gp(cpu, 0);
    return value;
}

/* Memory types 0, 1, 4, 5, 6, 7 (SDM vol. 3, 11.12.2). */
static void set_pat(struct x86_cpu *cpu, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = value >> (8 * i) & 0xff;
        if (type > 7 || type == 2 || type == 3)
            x86_raise_gp(cpu, 0);
    }
    cpu->pat = value;
}

void x86_wrmsr(struct x86_cpu *cpu, uint32_t number, uint64_t value)
{
    uint64_t *stored = storage(cpu, number);

    if (stored) {
        *stored = value;
        return;
    }
    if (long_mode_msr(cpu, number) && !x86_has(cpu, HAS_LM))
        unknown(cpu, "write", number);
    switch (number) {
    case IA32_P5_MC_ADDR:
    case IA32_P5_MC_TYPE:
    case EBL_CR_POWERON:
    case IA32_DEBUGCTL:
    case IA32_BIOS_UPDT_TRIG:
    case AMD_HWCR:
    case AMD_SYSCFG:
        return;
    case IA32_BIOS_SIGN_ID: /* written with 0 before CPUID puts the revision there */
        return;
    case IA32_TSC:
        cpu->v.tsc_offset_ns = (int64_t)value - clock_now_ns(cpu->v.clock);
        return;
    case IA32_APIC_BASE:
        apic_write(cpu, APIC_BASE_MSR, value);
        return;
    case IA32_SYSENTER_ESP:
        cpu->sysenter_esp = canonical(cpu, value);
        return;
    case IA32_SYSENTER_EIP:
        cpu->sysenter_eip = canonical(cpu, value);
        return;
    case IA32_PAT:
        set_pat(cpu, value);
        return;
    case IA32_TSC_DEADLINE:
        if (!x86_has(cpu, HAS_TSC_DEADLINE))
            break;
        apic_write(cpu, APIC_TSC_DEADLINE, value);
        return;
    case IA32_EFER:
        x86_set_efer(cpu, value);
        return;
    case IA32_STAR:
        cpu->star = value;
        return;
    case IA32_LSTAR:
        cpu->lstar = canonical(cpu, value);
        return;
    case IA32_CSTAR:
        cpu->cstar = canonical(cpu, value);
        return;
    case IA32_FMASK:
        cpu->sfmask = (uint32_t)value;
        return;
    case IA32_FS_BASE:
        cpu->segment[SEG_FS].base = canonical(cpu, value);
        return;
    case IA32_GS_BASE:
        cpu->segment[SEG_GS].base = canonical(cpu, value);
        return;
    case IA32_KERNEL_GS_BASE:
        cpu->kernel_gs_base = canonical(cpu, value);
        return;
    case IA32_TSC_AUX:
        if (!x86_has(cpu, HAS_RDTSCP) && !x86_has(cpu, HAS_RDPID))
            break;
        if (value >> 32)
            x86_raise_gp(cpu, 0);
        cpu->tsc_aux = value;
        return;
    default:
        break;
    }
    unknown(cpu, "write", number);
}
