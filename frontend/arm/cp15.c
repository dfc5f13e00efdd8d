/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coprocessor 14 and 15 registers of Cortex-A7, A9 and A15 as one table. ARM ARM chapters B3.17,
 * B4 and C11, and the three Technical Reference Manuals for what is implementation-defined.
 */
#include "frontend/arm/coproc.h"

#include <inttypes.h>

#include "util/log.h"

/* ---- system control -------------------------------------------------------------------------- */

static bool has(const struct arm_cpu *cpu, uint32_t feature)
{
    return (cpu->model->features & feature) != 0;
}

static bool is_a9(const struct arm_cpu *cpu)
{
    return extract32(cpu->model->midr, 4, 12) == 0xc09;
}

static uint32_t sctlr_writable(const struct arm_cpu *cpu)
{
    uint32_t mask = SCTLR_M | SCTLR_A | SCTLR_C | SCTLR_SW | SCTLR_Z | SCTLR_I | SCTLR_V |
                    SCTLR_EE | SCTLR_TRE | SCTLR_AFE | SCTLR_TE;

    if (is_a9(cpu))
        mask |= SCTLR_RR;
    if (has(cpu, ARM_HAS_LPAE))
        mask |= SCTLR_WXN | SCTLR_UWXN;
    return mask;
}

static void write_sctlr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint32_t mask = sctlr_writable(cpu), old = cpu->cp15.sctlr;

    cpu->cp15.sctlr = (old & ~mask) | ((uint32_t)value & mask);
    /* These may be cached in a TLB, but writing them without invalidating it is rare and
     * invalidating is always right. M needs nothing: off is a space of its own. */
    if ((old ^ cpu->cp15.sctlr) & (SCTLR_AFE | SCTLR_TRE | SCTLR_WXN | SCTLR_UWXN | SCTLR_EE))
        arm_mmu_flush_all(cpu);
    arm_update_mode(cpu);
}

static void write_cpacr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint32_t mask = 0;

    if (has(cpu, ARM_HAS_VFP))
        mask |= 0xfu << 20; /* cp10, cp11 */
    if (has(cpu, ARM_HAS_NEON))
        mask |= CPACR_ASEDIS; /* D32DIS is RAZ/WI, as on A7 and A15 with NEON */
    cpu->cp15.cpacr = (uint32_t)value & mask;
    arm_update_mode(cpu);
}

/* ---- MMU ------------------------------------------------------------------------------------- */

static void write_ttbr32(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint64_t *ttbr = reg->opc2 == 0 ? &cpu->cp15.ttbr0 : &cpu->cp15.ttbr1;

    if (!arm_uses_long_format(cpu)) {
        *ttbr = (uint32_t)value;
        return;
    }
    *ttbr = deposit64(*ttbr, 0, 32, value);
}

static uint64_t read_ttbr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    bool first = reg->flags & REG_WIDE ? reg->opc1 == 0 : reg->opc2 == 0;
    return first ? cpu->cp15.ttbr0 : cpu->cp15.ttbr1;
}

static void write_ttbr64(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    *(reg->opc1 == 0 ? &cpu->cp15.ttbr0 : &cpu->cp15.ttbr1) = value;
    arm_update_mode(cpu);
}

static void write_ttbcr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint32_t old = cpu->cp15.ttbcr, v = (uint32_t)value;

    if (!has(cpu, ARM_HAS_LPAE))
        v &= TTBCR_N | TTBCR_PD0 | TTBCR_PD1;
    else if (v & TTBCR_EAE)
        v &= 0xffc73f87u | TTBCR_EPD0;
    else
        v &= TTBCR_EAE | TTBCR_N | TTBCR_PD0 | TTBCR_PD1;
    cpu->cp15.ttbcr = v;
    if ((old ^ v) & TTBCR_EAE)
        arm_mmu_flush_all(cpu);
    else if ((old ^ v) & ~(uint32_t)TTBCR_A1)
        cpu->sys.tables_reshaped = true;
    arm_update_mode(cpu);
}

static void write_dacr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    arm_mmu_set_dacr(cpu, (uint32_t)value);
    arm_update_mode(cpu);
}

static void write_contextidr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.contextidr = (uint32_t)value;
    arm_update_mode(cpu);
}

/* PRRR, NMRR, MAIR0, MAIR1: what types the TLB's pages are of. */
static void write_remap(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint32_t *state = (uint32_t *)(void *)((char *)cpu + reg->value);

    if (*state != (uint32_t)value)
        arm_mmu_flush_all(cpu);
    *state = (uint32_t)value;
}

static uint64_t read_remap(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return *(uint32_t *)(void *)((char *)cpu + reg->value);
}

static void write_vbar(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.vbar = (uint32_t)value & ~0x1fu;
}

static void write_par32(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.par = deposit64(cpu->cp15.par, 0, 32, value);
}

static uint64_t read_par(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return cpu->cp15.par;
}

/* ATS1CPR, ATS1CPW, ATS1CUR, ATS1CUW */
static void write_ats(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.par = arm_mmu_translate_for_par(
        cpu, (uint32_t)value, reg->opc2 & 1 ? MMU_WRITE : MMU_READ, (reg->opc2 & 2) != 0);
    log_printf(LOG_MMU, "mmu: %s %08x: par %" PRIx64 "\n", reg->name, (uint32_t)value,
               cpu->cp15.par);
}

static void write_cache_mva(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    arm_mmu_cache_operation(cpu, (uint32_t)value);
}

/* opc2: 0 all, 1 by VA and ASID, 2 by ASID, 3 by VA in every ASID */
static void write_tlbi(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    log_printf(LOG_MMU, "mmu: %s %08x\n", reg->name, (uint32_t)value);
    switch (reg->opc2) {
    case 0:
        arm_mmu_invalidate_all(cpu);
        break;
    case 2:
        arm_mmu_invalidate_asid(cpu, (unsigned)value & 0xff);
        break;
    case 1:
        arm_mmu_invalidate_va_asid(cpu, (uint32_t)value);
        break;
    default:
        arm_mmu_invalidate_va(cpu, (uint32_t)value);
        break;
    }
}

/* ---- identification -------------------------------------------------------------------------- */

static uint64_t read_ccsidr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    switch (cpu->cp15.csselr) {
    case 0:
        return cpu->model->ccsidr[0];
    case 1:
        return cpu->model->ccsidr[1];
    case 2:
        return cpu->model->ccsidr[2];
    default:
        return 0;
    }
}

static uint64_t read_csselr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return cpu->cp15.csselr;
}

static void write_csselr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.csselr = (uint32_t)value & 0xf;
}

static uint64_t read_mpidr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return cpu->model->mpidr | cpu->v.index;
}

static uint64_t read_isr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    uint32_t lines = atomic_load(&cpu->irq_lines);

    return (lines & 1u << ARM_IRQ ? CPSR_I : 0) | (lines & 1u << ARM_FIQ ? CPSR_F : 0);
}

/* ---- generic timer (ARM ARM B8) -------------------------------------------------------------- */

static bool allow_cntfrq(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return (cpu->cp15.cntkctl & 3) != 0;
}

static bool allow_cntpct(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return cpu->cp15.cntkctl & 1;
}

static bool allow_cntvct(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return cpu->cp15.cntkctl >> 1 & 1;
}

static bool allow_cntv(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return cpu->cp15.cntkctl >> 8 & 1;
}

static bool allow_cntp(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return cpu->cp15.cntkctl >> 9 & 1;
}

static uint64_t read_counter(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return arm_counter(cpu, reg->opc1 == 0 ? ARM_TIMER_PHYS : ARM_TIMER_VIRT);
}

static enum arm_timer_kind timer_of(const struct arm_reg *reg)
{
    if (reg->flags & REG_WIDE)
        return reg->opc1 == 2 ? ARM_TIMER_PHYS : ARM_TIMER_VIRT;
    return reg->crm == 2 ? ARM_TIMER_PHYS : ARM_TIMER_VIRT;
}

static uint64_t read_ctl(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return arm_timer_read_ctl(cpu, timer_of(reg));
}

static void write_ctl(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    arm_timer_write_ctl(cpu, timer_of(reg), (uint32_t)value);
}

static uint64_t read_tval(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    enum arm_timer_kind kind = timer_of(reg);
    return (uint32_t)(arm_timer_read_cval(cpu, kind) - arm_counter(cpu, kind));
}

static void write_tval(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    enum arm_timer_kind kind = timer_of(reg);
    arm_timer_write_cval(cpu, kind, arm_counter(cpu, kind) + (uint64_t)(int32_t)value);
}

static uint64_t read_cval(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return arm_timer_read_cval(cpu, timer_of(reg));
}

static void write_cval(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    arm_timer_write_cval(cpu, timer_of(reg), value);
}

static void write_cntkctl(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->cp15.cntkctl = (uint32_t)value & 0x3ff;
}

/* ---- performance monitors (ARM ARM C12) ------------------------------------------------------ */

static bool allow_pmu(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return cpu->cp15.pmuserenr & 1;
}

static uint32_t pm_counters(const struct arm_cpu *cpu)
{
    return extract32(cpu->cp15.pmcr, 11, 5);
}

static uint32_t pm_mask(const struct arm_cpu *cpu)
{
    return 1u << 31 | ((1u << pm_counters(cpu)) - 1);
}

static uint64_t read_pmu_locked(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    unsigned select = cpu->cp15.pmselr;

    arm_pmu_sync(cpu);
    switch (reg->crm << 3 | reg->opc2) {
    case 12 << 3 | 0:
        return cpu->cp15.pmcr;
    case 12 << 3 | 1:
    case 12 << 3 | 2:
        return cpu->cp15.pmcnten;
    case 12 << 3 | 3:
    case 14 << 3 | 3:
        return cpu->cp15.pmovsr;
    case 12 << 3 | 5:
        return select;
    case 12 << 3 | 6: /* PMCEID0: software increment, cycles */
        return 1u << 0 | 1u << 0x11;
    case 13 << 3 | 0:
        return arm_pmu_read_cycles(cpu);
    case 13 << 3 | 1:
        return cpu->cp15.pmxevtyper[select];
    case 13 << 3 | 2:
        return cpu->sys.pm_event_count[select];
    case 14 << 3 | 0:
        return cpu->cp15.pmuserenr;
    case 14 << 3 | 1:
    case 14 << 3 | 2:
        return cpu->cp15.pminten;
    default:
        return 0;
    }
}

/* The overflow timer's callback changes the same state. */
static uint64_t read_pmu(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    uint64_t value;

    vcpu_lock_devices(&cpu->v);
    value = read_pmu_locked(cpu, reg);
    vcpu_unlock_devices(&cpu->v);
    return value;
}

static void write_pmcr(struct arm_cpu *cpu, uint32_t v)
{
    if (v & 2)
        memset(cpu->sys.pm_event_count, 0, sizeof(cpu->sys.pm_event_count));
    if (v & 4)
        arm_pmu_write_cycles(cpu, 0);
    cpu->cp15.pmcr = (cpu->cp15.pmcr & ~0x39u) | (v & 0x39u);
}

static void software_increment(struct arm_cpu *cpu, uint32_t v)
{
    v &= cpu->cp15.pmcr & 1 ? cpu->cp15.pmcnten : 0;
    for (unsigned i = 0; i < pm_counters(cpu); i++)
        if ((v >> i & 1) && (cpu->cp15.pmxevtyper[i] & 0xff) == 0 &&
            ++cpu->sys.pm_event_count[i] == 0)
            cpu->cp15.pmovsr |= 1u << i;
}

static void write_pmu_locked(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    uint32_t v = (uint32_t)value, mask = pm_mask(cpu);
    unsigned select = cpu->cp15.pmselr;

    arm_pmu_sync(cpu);
    switch (reg->crm << 3 | reg->opc2) {
    case 12 << 3 | 0:
        write_pmcr(cpu, v);
        break;
    case 12 << 3 | 1:
        cpu->cp15.pmcnten |= v & mask;
        break;
    case 12 << 3 | 2:
        cpu->cp15.pmcnten &= ~v;
        break;
    case 12 << 3 | 3:
        cpu->cp15.pmovsr &= ~v;
        break;
    case 14 << 3 | 3:
        cpu->cp15.pmovsr |= v & mask;
        break;
    case 12 << 3 | 4:
        software_increment(cpu, v);
        break;
    case 12 << 3 | 5:
        cpu->cp15.pmselr = v & 0x1f;
        break;
    case 13 << 3 | 0:
        arm_pmu_write_cycles(cpu, v);
        break;
    case 13 << 3 | 1:
        if (select == 31 || select < pm_counters(cpu))
            cpu->cp15.pmxevtyper[select] = v & 0xff0000ffu;
        break;
    case 13 << 3 | 2:
        if (select < pm_counters(cpu))
            cpu->sys.pm_event_count[select] = v;
        break;
    case 14 << 3 | 0:
        cpu->cp15.pmuserenr = v & 1;
        break;
    case 14 << 3 | 1:
        cpu->cp15.pminten |= v & mask;
        break;
    case 14 << 3 | 2:
        cpu->cp15.pminten &= ~v;
        break;
    default:
        break;
    }
    arm_pmu_update(cpu);
}

static void write_pmu(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    vcpu_lock_devices(&cpu->v);
    write_pmu_locked(cpu, reg, value);
    vcpu_unlock_devices(&cpu->v);
}

/* ---- debug (ARM ARM C11): identification and storage, no events ------------------------------ */

static uint64_t read_debug_pair(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    unsigned watch = reg->opc2 >= 6;

    return reg->opc2 & 1 ? cpu->sys.dbg_control[watch][reg->crm]
                         : cpu->sys.dbg_value[watch][reg->crm];
}

static void write_debug_pair(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    unsigned watch = reg->opc2 >= 6;

    if (!(reg->opc2 & 1)) {
        cpu->sys.dbg_value[watch][reg->crm] = (uint32_t)value;
        return;
    }
    cpu->sys.dbg_control[watch][reg->crm] = (uint32_t)value;
    if (value & 1)
        log_unimp_once("arm: hardware breakpoint or watchpoint enabled (%s%u = %08x)\n", reg->name,
                       reg->crm, (uint32_t)value);
}

/* DBGDSCR: what software may set; MDBGen, UDCCdis, ITRen, and both halting bits. */
static void write_dscr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->sys.dbg_dscr = (uint32_t)value & 0x0000f000u;
}

static bool allow_debug_comms(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return !(cpu->sys.dbg_dscr & 1u << 12);
}

static void write_oslar(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->sys.dbg_oslock = (uint32_t)value == 0xc5acce55u ? 2 : 0;
}

static uint64_t read_oslsr(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    return 8 | cpu->sys.dbg_oslock; /* OSLM = 0b10: lock without save/restore register */
}

/* ---- ThumbEE --------------------------------------------------------------------------------- */

static bool allow_teehbr(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    return !(cpu->sys.teecr & 1);
}

static void write_teecr(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    cpu->sys.teecr = (uint32_t)value & 1;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define STATE(member) .kind = REG_STATE, .value = offsetof(struct arm_cpu, member)
#define MODEL(member) .kind = REG_MODEL, .value = offsetof(struct arm_model, member)
#define CONST(v) .kind = REG_CONST, .value = (v)
#define FIELD(f) .kind = REG_FIELD, .value = (f)
#define CALLS(r, w) .kind = REG_CALL, .read = (r), .write = (w)
#define REMAP(member)                                                                              \
    .kind = REG_CALL, .value = offsetof(struct arm_cpu, member), .read = read_remap,               \
    .write = write_remap, .flags = REG_MODE
#define CP15(n, opc1_, crn_, crm_, opc2_, acc, ...)                                                \
    {                                                                                              \
        .name = (n), .cp = 15, .opc1 = (opc1_), .crn = (crn_), .crm = (crm_), .opc2 = (opc2_),     \
        .access = (acc), __VA_ARGS__                                                               \
    }
#define CP14(n, opc1_, crn_, crm_, opc2_, acc, ...)                                                \
    {                                                                                              \
        .name = (n), .cp = 14, .opc1 = (opc1_), .crn = (crn_), .crm = (crm_), .opc2 = (opc2_),     \
        .access = (acc), __VA_ARGS__                                                               \
    }
#define WIDE(n, cp_, opc1_, crm_, acc, flags_, ...)                                                \
    {                                                                                              \
        .name = (n), .cp = (cp_), .opc1 = (opc1_), .crm = (crm_), .access = (acc),                 \
        .flags = REG_WIDE | (flags_), __VA_ARGS__                                                  \
    }
#define NOP_WRITE .kind = REG_CONST
#define TIMER .features = ARM_HAS_GENERIC_TIMER
#define LPAE .features = ARM_HAS_LPAE
#define MVA CALLS(NULL, write_cache_mva), .flags = REG_FAULT
#define TLBI CALLS(NULL, write_tlbi), .flags = REG_MODE
#define PMU CALLS(read_pmu, write_pmu)

/* The first row that matches is taken. */
static const struct arm_reg registers[] = {
    /* c0: identification */
    CP15("MIDR", 0, 0, 0, 0, R1, MODEL(midr)),
    CP15("CTR", 0, 0, 0, 1, R1, MODEL(ctr)),
    CP15("TCMTR", 0, 0, 0, 2, R1, MODEL(tcmtr)),
    CP15("TLBTR", 0, 0, 0, 3, R1, MODEL(tlbtr)),
    CP15("MPIDR", 0, 0, 0, 5, R1, CALLS(read_mpidr, NULL)),
    CP15("REVIDR", 0, 0, 0, 6, R1, MODEL(revidr)),
    CP15("MIDR", 0, 0, 0, REG_ANY, R1, MODEL(midr)), /* 4 and 7: aliases */
    CP15("ID_PFR0", 0, 0, 1, 0, R1, MODEL(id_pfr0)),
    CP15("ID_PFR1", 0, 0, 1, 1, R1, MODEL(id_pfr1)),
    CP15("ID_DFR0", 0, 0, 1, 2, R1, MODEL(id_dfr0)),
    CP15("ID_AFR0", 0, 0, 1, 3, R1, MODEL(id_afr0)),
    CP15("ID_MMFR0", 0, 0, 1, 4, R1, MODEL(id_mmfr[0])),
    CP15("ID_MMFR1", 0, 0, 1, 5, R1, MODEL(id_mmfr[1])),
    CP15("ID_MMFR2", 0, 0, 1, 6, R1, MODEL(id_mmfr[2])),
    CP15("ID_MMFR3", 0, 0, 1, 7, R1, MODEL(id_mmfr[3])),
    CP15("ID_ISAR0", 0, 0, 2, 0, R1, MODEL(id_isar[0])),
    CP15("ID_ISAR1", 0, 0, 2, 1, R1, MODEL(id_isar[1])),
    CP15("ID_ISAR2", 0, 0, 2, 2, R1, MODEL(id_isar[2])),
    CP15("ID_ISAR3", 0, 0, 2, 3, R1, MODEL(id_isar[3])),
    CP15("ID_ISAR4", 0, 0, 2, 4, R1, MODEL(id_isar[4])),
    CP15("ID_ISAR5", 0, 0, 2, 5, R1, MODEL(id_isar[5])),
    CP15("ID reserved", 0, 0, REG_ANY, REG_ANY, R1, CONST(0)), /* B4.2: RAZ */
    CP15("CCSIDR", 1, 0, 0, 0, R1, CALLS(read_ccsidr, NULL)),
    CP15("CLIDR", 1, 0, 0, 1, R1, MODEL(clidr)),
    CP15("AIDR", 1, 0, 0, 7, R1, MODEL(aidr)),
    CP15("CSSELR", 2, 0, 0, 0, RW1, CALLS(read_csselr, write_csselr)),
    /* c1: system control */
    CP15("SCTLR", 0, 1, 0, 0, RW1, STATE(cp15.sctlr), .write = write_sctlr, .flags = REG_MODE),
    CP15("ACTLR", 0, 1, 0, 1, RW1, STATE(cp15.actlr)),
    CP15("CPACR", 0, 1, 0, 2, RW1, STATE(cp15.cpacr), .write = write_cpacr, .flags = REG_MODE),
    /* c2, c3: translation */
    CP15("TTBR0", 0, 2, 0, 0, RW1, CALLS(read_ttbr, write_ttbr32)),
    CP15("TTBR1", 0, 2, 0, 1, RW1, CALLS(read_ttbr, write_ttbr32)),
    CP15("TTBCR", 0, 2, 0, 2, RW1, STATE(cp15.ttbcr), .write = write_ttbcr, .flags = REG_MODE),
    WIDE("TTBR0", 15, 0, 2, RW1, REG_MODE, CALLS(read_ttbr, write_ttbr64), LPAE),
    WIDE("TTBR1", 15, 1, 2, RW1, REG_MODE, CALLS(read_ttbr, write_ttbr64), LPAE),
    CP15("DACR", 0, 3, 0, 0, RW1, STATE(cp15.dacr), .write = write_dacr, .flags = REG_MODE),
    /* c5, c6: faults */
    CP15("DFSR", 0, 5, 0, 0, RW1, STATE(cp15.dfsr)),
    CP15("IFSR", 0, 5, 0, 1, RW1, STATE(cp15.ifsr)),
    CP15("ADFSR", 0, 5, 1, 0, RW1, STATE(cp15.adfsr)),
    CP15("AIFSR", 0, 5, 1, 1, RW1, STATE(cp15.aifsr)),
    CP15("DFAR", 0, 6, 0, 0, RW1, STATE(cp15.dfar)),
    CP15("IFAR", 0, 6, 0, 2, RW1, STATE(cp15.ifar)),
    /* c7: caches, barriers, address translation. Caches are not modelled and stores to translated
     * code are tracked, so that only operations by address do anything: fault. */
    CP15("NOP (was WFI)", 0, 7, 0, 4, W1, NOP_WRITE),
    CP15("ICIALLUIS", 0, 7, 1, 0, W1, NOP_WRITE),
    CP15("BPIALLIS", 0, 7, 1, 6, W1, NOP_WRITE),
    CP15("PAR", 0, 7, 4, 0, RW1, CALLS(read_par, write_par32)),
    WIDE("PAR", 15, 0, 7, RW1, 0, STATE(cp15.par), LPAE),
    CP15("ICIALLU", 0, 7, 5, 0, W1, NOP_WRITE),
    CP15("ICIMVAU", 0, 7, 5, 1, W1, MVA),
    CP15("CP15ISB", 0, 7, 5, 4, W10, NOP_WRITE),
    CP15("BPIALL", 0, 7, 5, 6, W1, NOP_WRITE),
    CP15("BPIMVA", 0, 7, 5, 7, W1, NOP_WRITE),
    CP15("DCIMVAC", 0, 7, 6, 1, W1, MVA),
    CP15("DCISW", 0, 7, 6, 2, W1, NOP_WRITE),
    CP15("ATS1CPR", 0, 7, 8, 0, W1, CALLS(NULL, write_ats)),
    CP15("ATS1CPW", 0, 7, 8, 1, W1, CALLS(NULL, write_ats)),
    CP15("ATS1CUR", 0, 7, 8, 2, W1, CALLS(NULL, write_ats)),
    CP15("ATS1CUW", 0, 7, 8, 3, W1, CALLS(NULL, write_ats)),
    CP15("DCCMVAC", 0, 7, 10, 1, W1, MVA),
    CP15("DCCSW", 0, 7, 10, 2, W1, NOP_WRITE),
    CP15("CP15DSB", 0, 7, 10, 4, W10, NOP_WRITE),
    CP15("CP15DMB", 0, 7, 10, 5, W10, NOP_WRITE),
    CP15("DCCMVAU", 0, 7, 11, 1, W1, MVA),
    CP15("NOP (was prefetch)", 0, 7, 13, 1, W1, NOP_WRITE),
    CP15("DCCIMVAC", 0, 7, 14, 1, W1, MVA),
    CP15("DCCISW", 0, 7, 14, 2, W1, NOP_WRITE),
    /* c8: TLB maintenance */
    CP15("TLBIALLIS", 0, 8, 3, 0, W1, TLBI),
    CP15("TLBIMVAIS", 0, 8, 3, 1, W1, TLBI),
    CP15("TLBIASIDIS", 0, 8, 3, 2, W1, TLBI),
    CP15("TLBIMVAAIS", 0, 8, 3, 3, W1, TLBI),
    CP15("ITLBIALL", 0, 8, 5, 0, W1, TLBI),
    CP15("ITLBIMVA", 0, 8, 5, 1, W1, TLBI),
    CP15("ITLBIASID", 0, 8, 5, 2, W1, TLBI),
    CP15("DTLBIALL", 0, 8, 6, 0, W1, TLBI),
    CP15("DTLBIMVA", 0, 8, 6, 1, W1, TLBI),
    CP15("DTLBIASID", 0, 8, 6, 2, W1, TLBI),
    CP15("TLBIALL", 0, 8, 7, 0, W1, TLBI),
    CP15("TLBIMVA", 0, 8, 7, 1, W1, TLBI),
    CP15("TLBIASID", 0, 8, 7, 2, W1, TLBI),
    CP15("TLBIMVAA", 0, 8, 7, 3, W1, TLBI),
    /* c9: performance monitors, level 2 cache */
    CP15("PMCR", 0, 9, 12, 0, RW10, PMU, .allow = allow_pmu),
    CP15("PMCNTENSET", 0, 9, 12, 1, RW10, PMU, .allow = allow_pmu),
    CP15("PMCNTENCLR", 0, 9, 12, 2, RW10, PMU, .allow = allow_pmu),
    CP15("PMOVSR", 0, 9, 12, 3, RW10, PMU, .allow = allow_pmu),
    CP15("PMSWINC", 0, 9, 12, 4, W10, PMU, .allow = allow_pmu),
    CP15("PMSELR", 0, 9, 12, 5, RW10, PMU, .allow = allow_pmu),
    CP15("PMCEID0", 0, 9, 12, 6, R10, PMU, .allow = allow_pmu),
    CP15("PMCEID1", 0, 9, 12, 7, R10, PMU, .allow = allow_pmu),
    CP15("PMCCNTR", 0, 9, 13, 0, RW10, PMU, .allow = allow_pmu),
    CP15("PMXEVTYPER", 0, 9, 13, 1, RW10, PMU, .allow = allow_pmu),
    CP15("PMXEVCNTR", 0, 9, 13, 2, RW10, PMU, .allow = allow_pmu),
    CP15("PMUSERENR", 0, 9, 14, 0, RW1 | R0, PMU),
    CP15("PMINTENSET", 0, 9, 14, 1, RW1, PMU),
    CP15("PMINTENCLR", 0, 9, 14, 2, RW1, PMU),
    CP15("PMOVSSET", 0, 9, 14, 3, RW1, PMU, .cores = CORE_A7 | CORE_A15),
    CP15("L2CTLR", 1, 9, 0, 2, RW1, STATE(cp15.l2ctlr), .cores = CORE_A7 | CORE_A15),
    CP15("L2ECTLR", 1, 9, 0, 3, RW1, CONST(0), .cores = CORE_A7 | CORE_A15),
    /* c10: memory types */
    CP15("TLB lockdown", 0, 10, 0, 0, RW1, STATE(cp15.power_diagnostic[2]), .cores = CORE_A9),
    CP15("PRRR", 0, 10, 2, 0, RW1, REMAP(cp15.prrr_mair0)),
    CP15("NMRR", 0, 10, 2, 1, RW1, REMAP(cp15.nmrr_mair1)),
    CP15("AMAIR0", 0, 10, 3, 0, RW1, STATE(cp15.amair0), LPAE),
    CP15("AMAIR1", 0, 10, 3, 1, RW1, STATE(cp15.amair1), LPAE),
    /* c11: the A9's preload engine, absent: PLEIDR and its fellows read as zero */
    CP15("PLE", 0, 11, 0, REG_ANY, R1, CONST(0), .cores = CORE_A9),
    /* c12: vectors */
    CP15("VBAR", 0, 12, 0, 0, RW1, STATE(cp15.vbar), .write = write_vbar),
    CP15("ISR", 0, 12, 1, 0, R1, CALLS(read_isr, NULL)),
    /* c13: context */
    CP15("FCSEIDR", 0, 13, 0, 0, RW1, CONST(0)),
    CP15("CONTEXTIDR", 0, 13, 0, 1, RW1, STATE(cp15.contextidr), .write = write_contextidr,
         .flags = REG_MODE),
    CP15("TPIDRURW", 0, 13, 0, 2, RW10, FIELD(F_TPIDRURW)),
    CP15("TPIDRURO", 0, 13, 0, 3, RW1 | R0, FIELD(F_TPIDRURO)),
    CP15("TPIDRPRW", 0, 13, 0, 4, RW1, FIELD(F_TPIDRPRW)),
    /* c14: generic timer */
    CP15("CNTFRQ", 0, 14, 0, 0, RW1 | R0, STATE(cp15.cntfrq), TIMER, .allow = allow_cntfrq),
    CP15("CNTKCTL", 0, 14, 1, 0, RW1, STATE(cp15.cntkctl), .write = write_cntkctl, TIMER),
    CP15("CNTP_TVAL", 0, 14, 2, 0, RW10, CALLS(read_tval, write_tval), TIMER, .allow = allow_cntp),
    CP15("CNTP_CTL", 0, 14, 2, 1, RW10, CALLS(read_ctl, write_ctl), TIMER, .allow = allow_cntp),
    CP15("CNTV_TVAL", 0, 14, 3, 0, RW10, CALLS(read_tval, write_tval), TIMER, .allow = allow_cntv),
    CP15("CNTV_CTL", 0, 14, 3, 1, RW10, CALLS(read_ctl, write_ctl), TIMER, .allow = allow_cntv),
    WIDE("CNTPCT", 15, 0, 14, R10, 0, CALLS(read_counter, NULL), TIMER, .allow = allow_cntpct),
    WIDE("CNTVCT", 15, 1, 14, R10, 0, CALLS(read_counter, NULL), TIMER, .allow = allow_cntvct),
    WIDE("CNTP_CVAL", 15, 2, 14, RW10, 0, CALLS(read_cval, write_cval), TIMER, .allow = allow_cntp),
    WIDE("CNTV_CVAL", 15, 3, 14, RW10, 0, CALLS(read_cval, write_cval), TIMER, .allow = allow_cntv),
    /* c15: implementation-defined. A9 TRM 4.2 */
    CP15("Power control", 0, 15, 0, 0, RW1, STATE(cp15.power_diagnostic[0]), .cores = CORE_A9),
    CP15("Diagnostic", 0, 15, 0, 1, RW1, STATE(cp15.power_diagnostic[1]), .cores = CORE_A9),
    CP15("Diagnostic 2", 0, 15, 0, 2, RW1, STATE(cp15.power_diagnostic[3]), .cores = CORE_A9),
    CP15("NEON busy", 0, 15, 1, 0, R1, CONST(0), .cores = CORE_A9),
    CP15("CBAR", 4, 15, 0, 0, R1, STATE(cp15.cbar)),
    CP15("TLB entry select", 5, 15, 4, REG_ANY, RW1, CONST(0), .cores = CORE_A9),
    CP15("TLB VA", 5, 15, 5, 2, RW1, CONST(0), .cores = CORE_A9),
    CP15("TLB PA", 5, 15, 6, 2, RW1, CONST(0), .cores = CORE_A9),
    CP15("TLB attributes", 5, 15, 7, 2, RW1, CONST(0), .cores = CORE_A9),
    /* A7, A15 TRM: L2ACTLR, L2PFR, ACTLR2, and RAM data reads as zero */
    CP15("L2ACTLR", 1, 15, 0, 0, RW1, STATE(cp15.power_diagnostic[4]), .cores = CORE_A15),
    CP15("L2PFR", 1, 15, 0, 3, RW1, STATE(cp15.power_diagnostic[5]), .cores = CORE_A15),
    CP15("ACTLR2", 1, 15, 0, 4, RW1, STATE(cp15.power_diagnostic[6]), .cores = CORE_A15),
    CP15("L1 data", 0, 15, REG_ANY, REG_ANY, RW1, CONST(0), .cores = CORE_A15),
    CP15("L1 data", 3, 15, REG_ANY, REG_ANY, RW1, CONST(0), .cores = CORE_A7),
    WIDE("CPUMERRSR", 15, 0, 15, RW1, 0, CONST(0), .cores = CORE_A7 | CORE_A15),
    WIDE("L2MERRSR", 15, 1, 15, RW1, 0, CONST(0), .cores = CORE_A7 | CORE_A15),
    /* coprocessor 14: debug */
    CP14("DBGDIDR", 0, 0, 0, 0, R10, MODEL(dbgdidr), .allow = allow_debug_comms),
    CP14("DBGDSCRint", 0, 0, 1, 0, R10, STATE(sys.dbg_dscr), .allow = allow_debug_comms),
    CP14("DBGDTRint", 0, 0, 5, 0, RW10, CONST(0), .allow = allow_debug_comms),
    CP14("DBGWFAR", 0, 0, 6, 0, RW1, CONST(0)),
    CP14("DBGVCR", 0, 0, 7, 0, RW1, STATE(sys.dbg_vcr)),
    CP14("DBGDTRRXext", 0, 0, 0, 2, RW1, CONST(0)),
    CP14("DBGDSCRext", 0, 0, 2, 2, RW1, STATE(sys.dbg_dscr), .write = write_dscr),
    CP14("DBGDTRTXext", 0, 0, 3, 2, RW1, CONST(0)),
#define DEBUG_PAIR(n, op)                                                                          \
    CP14(n, 0, 0, 0, op, RW1, CALLS(read_debug_pair, write_debug_pair)),                           \
        CP14(n, 0, 0, 1, op, RW1, CALLS(read_debug_pair, write_debug_pair)),                       \
        CP14(n, 0, 0, 2, op, RW1, CALLS(read_debug_pair, write_debug_pair)),                       \
        CP14(n, 0, 0, 3, op, RW1, CALLS(read_debug_pair, write_debug_pair))
    DEBUG_PAIR("DBGBVR", 4),
    DEBUG_PAIR("DBGBCR", 5),
    DEBUG_PAIR("DBGWVR", 6),
    DEBUG_PAIR("DBGWCR", 7),
    CP14("DBGBVR", 0, 0, 4, 4, RW1, CALLS(read_debug_pair, write_debug_pair)),
    CP14("DBGBVR", 0, 0, 5, 4, RW1, CALLS(read_debug_pair, write_debug_pair)),
    CP14("DBGBCR", 0, 0, 4, 5, RW1, CALLS(read_debug_pair, write_debug_pair)),
    CP14("DBGBCR", 0, 0, 5, 5, RW1, CALLS(read_debug_pair, write_debug_pair)),
    CP14("DBGBXVR", 0, 1, REG_ANY, 1, RW1, CONST(0), .cores = CORE_A7 | CORE_A15),
    CP14("DBGDRAR", 0, 1, 0, 0, R10, CONST(0), .allow = allow_debug_comms),
    WIDE("DBGDRAR", 14, 0, 1, R10, 0, CONST(0), LPAE, .allow = allow_debug_comms),
    CP14("DBGOSLAR", 0, 1, 0, 4, W1, CALLS(NULL, write_oslar)),
    CP14("DBGOSLSR", 0, 1, 1, 4, R1, CALLS(read_oslsr, NULL)),
    CP14("DBGOSDLR", 0, 1, 3, 4, RW1, CONST(0), .cores = CORE_A7 | CORE_A15),
    CP14("DBGPRCR", 0, 1, 4, 4, RW1, CONST(0)),
    CP14("DBGPRSR", 0, 1, 5, 4, R1, CONST(1)), /* powered up */
    CP14("DBGDSAR", 0, 2, 0, 0, R10, CONST(0), .allow = allow_debug_comms),
    WIDE("DBGDSAR", 14, 0, 2, R10, 0, CONST(0), LPAE, .allow = allow_debug_comms),
    CP14("DBGDEVID2", 0, 7, 0, 7, R1, CONST(0)),
    CP14("DBGDEVID1", 0, 7, 1, 7, R1, CONST(0)),
    CP14("DBGDEVID", 0, 7, 2, 7, R1, CONST(0)),
    CP14("DBGCLAIMSET", 0, 7, 8, 6, RW1, CONST(0xff)),
    CP14("DBGCLAIMCLR", 0, 7, 9, 6, RW1, CONST(0)),
    CP14("DBGAUTHSTATUS", 0, 7, 14, 6, R1, CONST(0x0f)), /* no Security Extensions: enabled */
    /* ThumbEE configuration; the state itself is never entered. Jazelle: trivial (A2.10) */
    CP14("TEECR", 6, 0, 0, 0, RW1 | R0, STATE(sys.teecr), .write = write_teecr),
    CP14("TEEHBR", 6, 1, 0, 0, RW10, STATE(sys.teehbr), .allow = allow_teehbr),
    CP14("JIDR", 7, 0, 0, 0, RW1 | R0, CONST(0)),
    CP14("JOSCR", 7, 1, 0, 0, RW1, CONST(0)),
    CP14("JMCR", 7, 2, 0, 0, RW1 | W0, CONST(0)),
};

static unsigned core_of(const struct arm_model *model)
{
    switch (extract32(model->midr, 4, 12)) {
    case 0xc07:
        return CORE_A7;
    case 0xc09:
        return CORE_A9;
    default:
        return CORE_A15;
    }
}

int arm_reg_find(const struct arm_model *model, bool wide, unsigned cp, unsigned opc1, unsigned crn,
                 unsigned crm, unsigned opc2)
{
    unsigned core = core_of(model);

    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct arm_reg *r = &registers[i];

        if (r->cp != cp || r->opc1 != opc1 || wide != ((r->flags & REG_WIDE) != 0))
            continue;
        if (r->crm != crm && r->crm != REG_ANY)
            continue;
        if (!wide && (r->crn != crn || (r->opc2 != opc2 && r->opc2 != REG_ANY)))
            continue;
        if ((r->cores && !(r->cores & core)) || (r->features & ~model->features))
            continue;
        return (int)i;
    }
    return -1;
}

const struct arm_reg *arm_reg_row(unsigned index)
{
    return &registers[index];
}

uint64_t arm_reg_read(struct arm_cpu *cpu, const struct arm_reg *reg)
{
    const char *state = (const char *)cpu;
    const char *model = (const char *)cpu->model;

    if (reg->read)
        return reg->read(cpu, reg);
    switch (reg->kind) {
    case REG_STATE:
        return reg->flags & REG_WIDE ? load_le64(state + reg->value)
                                     : load_le32(state + reg->value);
    case REG_FIELD:
        return load_le32(state + arm_fields[reg->value].offset);
    case REG_MODEL:
        return load_le32(model + reg->value);
    case REG_CONST:
        return reg->value;
    default:
        return 0;
    }
}

void arm_reg_write(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value)
{
    char *state = (char *)cpu;

    if (reg->write) {
        reg->write(cpu, reg, value);
    } else if (reg->kind == REG_STATE) {
        if (reg->flags & REG_WIDE)
            store_le64(state + reg->value, value);
        else
            store_le32(state + reg->value, (uint32_t)value);
    } else if (reg->kind == REG_FIELD) {
        store_le32(state + arm_fields[reg->value].offset, (uint32_t)value);
    }
}

bool arm_coproc_access(struct arm_cpu *cpu, bool read, bool wide, unsigned cp, unsigned opc1,
                       unsigned crn, unsigned crm, unsigned opc2, bool privileged, uint64_t *value)
{
    int index = arm_reg_find(cpu->model, wide, cp, opc1, crn, crm, opc2);
    const struct arm_reg *reg;

    if (index < 0)
        return false;
    reg = &registers[index];
    if (!(reg->access & (privileged ? (read ? R1 : W1) : (read ? R0 : W0))))
        return false;
    if (!privileged && reg->allow && !reg->allow(cpu, reg, read))
        return false;
    if (read)
        *value = arm_reg_read(cpu, reg);
    else
        arm_reg_write(cpu, reg, *value);
    return true;
}

void arm_cp15_reset(struct arm_cpu *cpu)
{
    memset(&cpu->cp15, 0, sizeof(cpu->cp15));
    cpu->cp15.sctlr = cpu->model->sctlr_reset;
    cpu->cp15.cbar = cpu->model->cbar_reset;
    cpu->cp15.cntfrq = cpu->model->counter_hz;
    /* TEX remap's reset values (B4.1.127, B4.1.104): A9 and A15 TRMs. */
    cpu->cp15.prrr_mair0 = 0x00098aa4;
    cpu->cp15.nmrr_mair1 = 0x44e048e0;
    cpu->sys.teecr = cpu->sys.teehbr = 0;
    cpu->sys.dbg_dscr = cpu->sys.dbg_vcr = cpu->sys.dbg_oslock = 0;
    memset(cpu->sys.dbg_value, 0, sizeof(cpu->sys.dbg_value));
    memset(cpu->sys.dbg_control, 0, sizeof(cpu->sys.dbg_control));
    cpu->sys.n_dacr = 0;
    arm_mmu_set_dacr(cpu, 0);
}
