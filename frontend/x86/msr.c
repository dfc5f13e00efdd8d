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
    return (uint64_t)(vcpu_now_ns(&cpu->v) + cpu->v.tsc_offset_ns);
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

/* ---- registers that hold a value ------------------------------------------------------------- */

/* What may be written. */
enum check { ANY, CANONICAL, LOW_32, MEMORY_TYPES, NOTHING /* taken, and reads as 0 */ };

struct row {
    uint32_t first, count;
    uint8_t feature; /* without it there is no such register */
    uint8_t check;
    bool of_system; /* the offset is one within struct x86_system, else within struct x86_cpu */
    uint16_t offset;
};

enum { NO_FEATURE = N_FEATURES };

/* CPU(number, feature, check, member); SYSTEM(first, how many, feature, member); EMPTY(first, how
 * many) */
#define ROWS(CPU, SYSTEM, EMPTY)                                                                   \
    EMPTY(IA32_P5_MC_ADDR, 2)                                                                      \
    EMPTY(IA32_PLATFORM_ID, 1)                                                                     \
    EMPTY(EBL_CR_POWERON, 1)                                                                       \
    EMPTY(MSR_SMI_COUNT, 1)                                                                        \
    EMPTY(IA32_BIOS_UPDT_TRIG, 1)                                                                  \
    EMPTY(IA32_DEBUGCTL, 1)                                                                        \
    EMPTY(AMD_SYSCFG, 1)                                                                           \
    EMPTY(AMD_HWCR, 1)                                                                             \
    SYSTEM(IA32_FEATURE_CONTROL, 1, NO_FEATURE, feature_control)                                   \
    SYSTEM(IA32_MCG_STATUS, 1, HAS_MCA, machine_check_status)                                      \
    SYSTEM(IA32_MISC_ENABLE, 1, NO_FEATURE, misc_enable)                                           \
    SYSTEM(IA32_MTRR_PHYSBASE0, 2 * N_MTRR_VARIABLE, HAS_MTRR, mtrr_physical)                      \
    SYSTEM(IA32_MTRR_FIX64K, 1, HAS_MTRR, mtrr_fixed[0])                                           \
    SYSTEM(IA32_MTRR_FIX16K, 2, HAS_MTRR, mtrr_fixed[1])                                           \
    SYSTEM(IA32_MTRR_FIX4K, 8, HAS_MTRR, mtrr_fixed[3])                                            \
    SYSTEM(IA32_MTRR_DEF_TYPE, 1, HAS_MTRR, mtrr_default_type)                                     \
    SYSTEM(IA32_MC0_CTL, 4 * N_MACHINE_CHECK_BANKS, HAS_MCA, machine_check)                        \
    CPU(IA32_SYSENTER_CS, HAS_SEP, ANY, sysenter_cs)                                               \
    CPU(IA32_SYSENTER_ESP, HAS_SEP, CANONICAL, sysenter_esp)                                       \
    CPU(IA32_SYSENTER_EIP, HAS_SEP, CANONICAL, sysenter_eip)                                       \
    CPU(IA32_PAT, HAS_PAT, MEMORY_TYPES, pat)                                                      \
    CPU(IA32_STAR, HAS_SYSCALL, ANY, star)                                                         \
    CPU(IA32_LSTAR, HAS_LM, CANONICAL, lstar)                                                      \
    CPU(IA32_CSTAR, HAS_LM, CANONICAL, cstar)                                                      \
    CPU(IA32_FMASK, HAS_LM, LOW_32, sfmask)                                                        \
    CPU(IA32_FS_BASE, HAS_LM, CANONICAL, segment[SEG_FS].base)                                     \
    CPU(IA32_GS_BASE, HAS_LM, CANONICAL, segment[SEG_GS].base)                                     \
    CPU(IA32_KERNEL_GS_BASE, HAS_LM, CANONICAL, kernel_gs_base)                                    \
    CPU(IA32_TSC_AUX, HAS_RDTSCP, LOW_32, tsc_aux)

#define CPU_ROW(n, needs, check, member)                                                           \
    {n, 1, needs, check, false, offsetof(struct x86_cpu, member)},
#define SYSTEM_ROW(n, many, needs, member)                                                         \
    {n, many, needs, ANY, true, offsetof(struct x86_system, member)},
#define EMPTY_ROW(n, many) {n, many, NO_FEATURE, NOTHING, false, 0},
static const struct row rows[] = {ROWS(CPU_ROW, SYSTEM_ROW, EMPTY_ROW)};

#define CPU_INDEX(n, needs, check, member) ROW_OF_##n,
#define SYSTEM_INDEX(n, many, needs, member) ROW_OF_##n,
#define EMPTY_INDEX(n, many) ROW_OF_##n,
enum { ROWS(CPU_INDEX, SYSTEM_INDEX, EMPTY_INDEX) };

#define CASE(n, many)                                                                              \
    case (n)...(uint32_t)(n) + ((many)-1):                                                         \
        row = &rows[ROW_OF_##n];                                                                   \
        break;
#define CPU_CASE(n, needs, check, member) CASE(n, 1)
#define SYSTEM_CASE(n, many, needs, member) CASE(n, many)
#define EMPTY_CASE(n, many) CASE(n, many)

static const struct row *find_row(const struct x86_cpu *cpu, uint32_t number)
{
    const struct row *row;

    switch (number) {
        ROWS(CPU_CASE, SYSTEM_CASE, EMPTY_CASE)
    default:
        return NULL;
    }
    return row->feature == NO_FEATURE || x86_has(cpu, row->feature) ? row : NULL;
}

static uint64_t *row_value(struct x86_cpu *cpu, const struct row *row, uint32_t number)
{
    uint8_t *base = row->of_system ? (uint8_t *)cpu->sys : (uint8_t *)cpu;

    return (uint64_t *)(base + row->offset) + (number - row->first);
}

/* Memory types 0, 1, 4, 5, 6, 7 (SDM vol. 3, 11.12.2). */
static bool are_memory_types(uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        unsigned type = value >> (8 * i) & 0xff;
        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    return true;
}

static void write_row(struct x86_cpu *cpu, const struct row *row, uint32_t number, uint64_t value)
{
    if ((row->check == CANONICAL && !x86_is_canonical(cpu, value)) ||
        (row->check == LOW_32 && value >> 32) ||
        (row->check == MEMORY_TYPES && !are_memory_types(value)))
        x86_raise_gp(cpu, 0);
    if (row->check != NOTHING)
        *row_value(cpu, row, number) = value;
}

/* ---- the others ------------------------------------------------------------------------------ */

NORETURN static void unknown(struct x86_cpu *cpu, const char *how, uint32_t number)
{
    log_printf(LOG_UNIMP, "x86: %s of model-specific register 0x%x\n", how, number);
    x86_raise_gp(cpu, 0);
}

static bool has_efer(const struct x86_cpu *cpu)
{
    return cpu->features & (FEATURE(LM) | FEATURE(NX) | FEATURE(SYSCALL));
}

uint64_t x86_rdmsr(struct x86_cpu *cpu, uint32_t number)
{
    const struct row *row = find_row(cpu, number);

    if (row)
        return row->check == NOTHING ? 0 : *row_value(cpu, row, number);
    if (number == IA32_TSC)
        return x86_tsc(cpu);
    if (number == IA32_APIC_BASE && x86_has(cpu, HAS_APIC))
        return apic_read(cpu, APIC_BASE_MSR);
    if (number == IA32_TSC_DEADLINE && x86_has(cpu, HAS_TSC_DEADLINE))
        return apic_read(cpu, APIC_TSC_DEADLINE);
    if (number == IA32_EFER && has_efer(cpu))
        return cpu->efer;
    if (number == IA32_BIOS_SIGN_ID)
        return cpu->sys->microcode;
    if (number == MSR_PLATFORM_INFO)
        return (uint64_t)(X86_TSC_HZ / 100000000) << 8;
    if (number == IA32_MTRRCAP && x86_has(cpu, HAS_MTRR))
        return N_MTRR_VARIABLE | 1 << 8 | 1 << 10; /* fixed ones, write combining */
    if (number == IA32_MCG_CAP && x86_has(cpu, HAS_MCA))
        return N_MACHINE_CHECK_BANKS;
    unknown(cpu, "read", number);
}

void x86_wrmsr(struct x86_cpu *cpu, uint32_t number, uint64_t value)
{
    const struct row *row = find_row(cpu, number);

    if (row)
        write_row(cpu, row, number, value);
    else if (number == IA32_TSC)
        cpu->v.tsc_offset_ns = (int64_t)value - clock_now_ns(cpu->v.clock);
    else if (number == IA32_APIC_BASE && x86_has(cpu, HAS_APIC))
        apic_write(cpu, APIC_BASE_MSR, value);
    else if (number == IA32_TSC_DEADLINE && x86_has(cpu, HAS_TSC_DEADLINE))
        apic_write(cpu, APIC_TSC_DEADLINE, value);
    else if (number == IA32_EFER && has_efer(cpu))
        x86_set_efer(cpu, value);
    else if (number != IA32_BIOS_SIGN_ID) /* that: 0 before CPUID puts the revision there */
        unknown(cpu, "write", number);
}

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
