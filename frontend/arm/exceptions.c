/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processor modes, the CPSR, exception entry and interrupts: ARM ARM chapters B1.3 to B1.9.
 */
#include "frontend/arm/fp.h"
#include "frontend/arm/system.h"

#include <inttypes.h>

#include "util/log.h"

/* ---- modes and banks ------------------------------------------------------------------------ */

static const char *const mode_names[16] = {
    [MODE_USR & 15] = "usr", [MODE_FIQ & 15] = "fiq", [MODE_IRQ & 15] = "irq",
    [MODE_SVC & 15] = "svc", [MODE_MON & 15] = "mon", [MODE_ABT & 15] = "abt",
    [MODE_HYP & 15] = "hyp", [MODE_UND & 15] = "und", [MODE_SYS & 15] = "sys",
};

const char *arm_mode_name(unsigned mode)
{
    const char *name = mode & 0x10 ? mode_names[mode & 15] : NULL;
    return name ? name : "???";
}

/* Monitor and Hyp are not there: the models have neither Security nor Virtualization Extensions. */
bool arm_mode_valid(unsigned mode)
{
    switch (mode) {
    case MODE_USR:
    case MODE_FIQ:
    case MODE_IRQ:
    case MODE_SVC:
    case MODE_ABT:
    case MODE_UND:
    case MODE_SYS:
        return true;
    default:
        return false;
    }
}

enum arm_bank_index arm_bank(unsigned mode)
{
    switch (mode) {
    case MODE_FIQ:
        return BANK_FIQ;
    case MODE_IRQ:
        return BANK_IRQ;
    case MODE_SVC:
        return BANK_SVC;
    case MODE_ABT:
        return BANK_ABT;
    case MODE_UND:
        return BANK_UND;
    case MODE_MON:
        return BANK_MON;
    case MODE_HYP:
        return BANK_HYP;
    default:
        return BANK_USR;
    }
}

void arm_switch_mode(struct arm_cpu *cpu, unsigned new_mode)
{
    unsigned old_mode = cpu->cpsr & CPSR_M;
    enum arm_bank_index from = arm_bank(old_mode), to = arm_bank(new_mode);

    cpu->cpsr = (cpu->cpsr & ~(uint32_t)CPSR_M) | new_mode;
    if (from == to)
        return;
    if (from == BANK_FIQ) {
        memcpy(cpu->fiq_r8, &cpu->r[8], sizeof(cpu->fiq_r8));
        memcpy(&cpu->r[8], cpu->usr_r8, sizeof(cpu->usr_r8));
    } else if (to == BANK_FIQ) {
        memcpy(cpu->usr_r8, &cpu->r[8], sizeof(cpu->usr_r8));
        memcpy(&cpu->r[8], cpu->fiq_r8, sizeof(cpu->fiq_r8));
    }
    cpu->bank_r13[from] = cpu->r[13];
    cpu->bank_r14[from] = cpu->r[14];
    cpu->bank_spsr[from] = cpu->spsr;
    cpu->r[13] = cpu->bank_r13[to];
    cpu->r[14] = cpu->bank_r14[to];
    cpu->spsr = cpu->bank_spsr[to];
}

/* ---- the key -----------------------------------------------------------------------------------
 */

/* ARM ARM B1.11.1: which of VFP and Advanced SIMD the mode may use, as key bits. */
static uint32_t fp_key(const struct arm_cpu *cpu, bool privileged)
{
    unsigned access = extract32(cpu->cp15.cpacr, 20, 2);
    uint32_t key = 0;

    if (!(cpu->model->features & ARM_HAS_VFP))
        return 0;
    if (!(access == 3 || (access == 1 && privileged)))
        return 0;
    key = KEY_FP_ACCESS;
    if (!(cpu->fpexc & FPEXC_EN))
        return key;
    key |= KEY_VFP;
    if ((cpu->model->features & ARM_HAS_NEON) && !(cpu->cp15.cpacr & CPACR_ASEDIS))
        key |= KEY_NEON;
    return key;
}

void arm_update_mode(struct arm_cpu *cpu)
{
    bool privileged = (cpu->cpsr & CPSR_M) != MODE_USR;
    uint32_t key = cpu->v.run.key & (KEY_T | KEY_IT_MASK);

    if (privileged)
        key |= KEY_PRIVILEGED;
    if (cpu->cpsr & CPSR_E)
        key |= KEY_E;
    /* With the MMU off all data is Strongly-ordered, and there unaligned accesses fault (B3.2.1):
     * the key says so, which lets the TLB keep its entries for such pages. */
    if ((cpu->cp15.sctlr & SCTLR_A) || !(cpu->cp15.sctlr & SCTLR_M))
        key |= KEY_ALIGN;
    key |= fp_key(cpu, privileged);
    if (cpu->fpscr_control & (FPSCR_FZ | FPSCR_DN))
        key |= KEY_FP_SPECIAL;
    if (cpu->fpscr_control & (FPSCR_LEN | FPSCR_STRIDE))
        key |= KEY_FP_VECTOR;
    if (fp_rounding_of(cpu->fpscr_control) == FP_NEAREST)
        key |= KEY_FP_NEAREST;
    cpu->v.run.key = key;
    if (cpu->v.mmu)
        mmu_select(cpu->v.mmu, arm_mmu_tag(cpu), privileged);
}

/* ---- CPSR ---------------------------------------------------------------------------------------
 */

uint32_t arm_cpsr_read(const struct arm_cpu *cpu)
{
    uint32_t key = cpu->v.run.key;
    uint32_t it = (key & KEY_IT_MASK) >> KEY_IT_SHIFT;

    return cpu->cpsr | (uint32_t)cpu->nf << 31 | (uint32_t)cpu->zf << 30 | (uint32_t)cpu->cf << 29 |
           (uint32_t)cpu->vf << 28 | (uint32_t)cpu->qf << 27 | (uint32_t)(cpu->ge & 15) << 16 |
           (it & 3) << 25 | (it >> 2) << 10 | (key & KEY_T ? CPSR_T : 0);
}

/* An interrupt that was masked and no longer is gets noticed at the next poll. */
static void poll_interrupts(struct arm_cpu *cpu)
{
    uint32_t lines = atomic_load_explicit(&cpu->irq_lines, memory_order_relaxed);

    if (((lines & 1u << ARM_IRQ) && !(cpu->cpsr & CPSR_I)) ||
        ((lines & 1u << ARM_FIQ) && !(cpu->cpsr & CPSR_F)))
        atomic_store(&cpu->v.run.exit_request, 1);
}

void arm_cpsr_write(struct arm_cpu *cpu, uint32_t value, uint32_t mask)
{
    uint32_t cpsr = (arm_cpsr_read(cpu) & ~mask) | (value & mask);
    unsigned mode = cpsr & CPSR_M;
    uint32_t it = extract32(cpsr, 25, 2) | extract32(cpsr, 10, 6) << 2;

    cpu->nf = cpsr >> 31 & 1;
    cpu->zf = cpsr >> 30 & 1;
    cpu->cf = cpsr >> 29 & 1;
    cpu->vf = cpsr >> 28 & 1;
    cpu->qf = cpsr >> 27 & 1;
    cpu->ge = cpsr >> 16 & 15;
    /* J: Jazelle is the trivial implementation and ThumbEE state cannot be entered. */
    cpu->cpsr = (cpsr & (CPSR_A | CPSR_I | CPSR_F | CPSR_E)) | (cpu->cpsr & CPSR_M);
    if (mode != (cpu->cpsr & CPSR_M)) {
        if (arm_mode_valid(mode))
            arm_switch_mode(cpu, mode);
        else
            log_printf(LOG_GUEST_ERROR, "arm: CPSR mode %#x is not one, mode %s stays (pc %08x)\n",
                       mode, arm_mode_name(cpu->cpsr & CPSR_M), (uint32_t)cpu->v.run.pc);
    }
    cpu->v.run.key &= ~(uint32_t)(KEY_T | KEY_IT_MASK);
    if (cpsr & CPSR_T)
        cpu->v.run.key |= KEY_T | it << KEY_IT_SHIFT;
    arm_update_mode(cpu);
    poll_interrupts(cpu);
}

/* ---- exceptions ---------------------------------------------------------------------------------
 */

/* ARM ARM table B1-3 (vectors), B1-6 (masks), B1-7 (return addresses). */
struct exception_entry {
    const char *name;
    uint8_t mode, vector, lr_arm, lr_thumb;
    uint16_t mask;
};
static const struct exception_entry entries[] = {
    [ARM_EXC_RESET] = {"reset", MODE_SVC, 0x00, 0, 0, CPSR_A | CPSR_I | CPSR_F},
    [ARM_EXC_UNDEF] = {"undefined instruction", MODE_UND, 0x04, 4, 2, CPSR_I},
    [ARM_EXC_SVC] = {"supervisor call", MODE_SVC, 0x08, 0, 0, CPSR_I},
    [ARM_EXC_PREFETCH_ABORT] = {"prefetch abort", MODE_ABT, 0x0c, 4, 4, CPSR_A | CPSR_I},
    [ARM_EXC_DATA_ABORT] = {"data abort", MODE_ABT, 0x10, 8, 8, CPSR_A | CPSR_I},
    [ARM_EXC_HVC] = {"hypervisor call", MODE_UND, 0x04, 4, 2, CPSR_I},
    [ARM_EXC_IRQ] = {"irq", MODE_IRQ, 0x18, 4, 4, CPSR_A | CPSR_I},
    [ARM_EXC_FIQ] = {"fiq", MODE_FIQ, 0x1c, 4, 4, CPSR_A | CPSR_I | CPSR_F},
    [ARM_EXC_SMC] = {"secure monitor call", MODE_UND, 0x04, 4, 2, CPSR_I},
    [ARM_EXC_BKPT] = {"breakpoint", MODE_ABT, 0x0c, 4, 4, CPSR_A | CPSR_I},
};

static void record_syndrome(struct arm_cpu *cpu, const struct exception *e)
{
    switch (e->kind) {
    case ARM_EXC_PREFETCH_ABORT:
        cpu->cp15.ifsr = e->syndrome;
        cpu->cp15.ifar = (uint32_t)e->address;
        break;
    case ARM_EXC_BKPT: /* IFAR is UNKNOWN: left alone */
        cpu->cp15.ifsr = arm_fault_status(cpu, FAULT_DEBUG, 0, 0);
        break;
    case ARM_EXC_DATA_ABORT:
        cpu->cp15.dfsr = e->syndrome;
        cpu->cp15.dfar = (uint32_t)e->address;
        break;
    default:
        break;
    }
}

static COLD void log_exception(const struct arm_cpu *cpu, const struct exception *e)
{
    const struct exception_entry *entry = &entries[e->kind];

    log_write("exception: %s at pc %08x mode %s cpsr %08x far %08x fsr %03x\n", entry->name,
              (uint32_t)cpu->v.run.pc, arm_mode_name(cpu->cpsr & CPSR_M), arm_cpsr_read(cpu),
              (uint32_t)e->address, e->syndrome);
}

const char *arm_exception_name(unsigned kind)
{
    return kind < ARRAY_SIZE(entries) ? entries[kind].name : NULL;
}

void arm_raise(struct vcpu *v, const struct exception *e)
{
    struct arm_cpu *cpu = arm_cpu(v);
    unsigned kind = e->kind < ARRAY_SIZE(entries) ? e->kind : ARM_EXC_UNDEF;
    const struct exception_entry *entry = &entries[kind];
    uint32_t sctlr = cpu->cp15.sctlr;
    uint32_t cpsr = arm_cpsr_read(cpu);
    uint32_t base;

    vcpu_count_exception(v, kind);
    if (log_on(LOG_INT))
        log_exception(cpu, e);
    record_syndrome(cpu, e);
    arm_switch_mode(cpu, entry->mode);
    cpu->spsr = cpsr;
    cpu->r[14] = (uint32_t)v->run.pc + (cpsr & CPSR_T ? entry->lr_thumb : entry->lr_arm);
    cpu->cpsr = (cpu->cpsr & ~(uint32_t)(CPSR_E | CPSR_J)) | entry->mask;
    if (sctlr & SCTLR_EE)
        cpu->cpsr |= CPSR_E;
    v->run.key &= ~(uint32_t)(KEY_T | KEY_IT_MASK);
    if (sctlr & SCTLR_TE)
        v->run.key |= KEY_T;
    /* The local monitor's state is UNKNOWN after an exception (A3.4.5): open is the safe choice. */
    cpu->excl_valid = 0;
    base = sctlr & SCTLR_V ? 0xffff0000u : cpu->cp15.vbar;
    v->run.pc = base + entry->vector;
    v->halted = false;
    arm_update_mode(cpu);
}

NORETURN void arm_raise_undefined(struct arm_cpu *cpu)
{
    struct exception e = {.kind = ARM_EXC_UNDEF};

    vcpu_raise(&cpu->v, &e);
}

void arm_restore(struct vcpu *v, uint64_t pc, uint32_t aux)
{
    v->run.pc = pc;
    v->run.key = (v->run.key & ~(uint32_t)(KEY_T | KEY_IT_MASK)) | (aux & (KEY_T | KEY_IT_MASK));
}

/* ---- interrupts ------------------------------------------------------------------------------ */

bool arm_take_interrupt(struct vcpu *v)
{
    struct arm_cpu *cpu = arm_cpu(v);
    uint32_t lines = atomic_load(&cpu->irq_lines);
    struct exception e = {0};

    if (v->single_step)
        return false;
    if ((lines & 1u << ARM_FIQ) && !(cpu->cpsr & CPSR_F))
        e.kind = ARM_EXC_FIQ;
    else if ((lines & 1u << ARM_IRQ) && !(cpu->cpsr & CPSR_I))
        e.kind = ARM_EXC_IRQ;
    else
        return false;
    arm_raise(v, &e);
    return true;
}

/* WFI ends at an interrupt whether masked or not (B1.8.14); WFE also at an event, and it may end
 * for any other reason (B1.8.13). */
bool arm_has_work(struct vcpu *v)
{
    struct arm_cpu *cpu = arm_cpu(v);
    bool event = cpu->sys.waiting_event && atomic_exchange(&cpu->event, 0);

    if (!event && !atomic_load(&cpu->irq_lines))
        return false;
    cpu->sys.waiting_event = false;
    v->halted = false;
    return true;
}

void arm_set_irq(struct vcpu *v, unsigned line, bool level)
{
    struct arm_cpu *cpu = arm_cpu(v);
    uint32_t bit;

    if (line >= ARM_N_IRQ_IN)
        return;
    bit = 1u << line;
    if (level) {
        if (!(atomic_fetch_or(&cpu->irq_lines, bit) & bit))
            vcpu_kick(v);
    } else {
        atomic_fetch_and(&cpu->irq_lines, ~bit);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

bool arm_init(struct vcpu *v, struct error *err)
{
    struct arm_cpu *cpu = arm_cpu(v);

    if (!v->model || !v->model->parameters)
        return error_set(err, "the ARM processor has no model");
    cpu->model = (const struct arm_model *)v->model->parameters;
    arm_timer_init(cpu);
    arm_pmu_init(cpu);
    return true;
}

void arm_finish(struct vcpu *v)
{
    struct arm_cpu *cpu = arm_cpu(v);

    if (cpu->timer_phys.timer.clock) {
        timer_cancel(&cpu->timer_phys.timer);
        timer_cancel(&cpu->timer_virt.timer);
        timer_cancel(&cpu->sys.pm_timer);
    }
}

/* ARM ARM B1.9.1 (TakeReset); general registers are UNKNOWN there and zero here. */
void arm_reset(struct vcpu *v)
{
    struct arm_cpu *cpu = arm_cpu(v);

    memset(cpu->r, 0, sizeof(cpu->r));
    memset(cpu->bank_r13, 0, sizeof(cpu->bank_r13));
    memset(cpu->bank_r14, 0, sizeof(cpu->bank_r14));
    memset(cpu->bank_spsr, 0, sizeof(cpu->bank_spsr));
    memset(cpu->usr_r8, 0, sizeof(cpu->usr_r8));
    memset(cpu->fiq_r8, 0, sizeof(cpu->fiq_r8));
    memset(cpu->d, 0, sizeof(cpu->d));
    cpu->nf = cpu->zf = cpu->cf = cpu->vf = cpu->qf = cpu->ge = 0;
    cpu->spsr = 0;
    cpu->cpsr = MODE_SVC | CPSR_A | CPSR_I | CPSR_F;
    cpu->excl_valid = 0;
    cpu->fpexc = 0;
    cpu->fpsid = cpu->model->fpsid;
    cpu->mvfr0 = cpu->model->mvfr0;
    cpu->mvfr1 = cpu->model->mvfr1;
    atomic_store(&cpu->event, 0);
    cpu->sys.waiting_event = false;
    v->halted = false;
    v->run.key = 0;
    arm_cp15_reset(cpu);
    arm_timer_reset(cpu);
    arm_pmu_reset(cpu);
    if (cpu->cp15.sctlr & SCTLR_TE)
        v->run.key |= KEY_T;
    v->run.pc = cpu->cp15.sctlr & SCTLR_V ? 0xffff0000u : 0;
    arm_fpscr_write(cpu, 0);
    arm_mmu_flush_all(cpu);
    arm_update_mode(cpu);
}

void arm_print_state(struct vcpu *v, FILE *out)
{
    const struct arm_cpu *cpu = arm_cpu(v);
    uint32_t cpsr = arm_cpsr_read(cpu);

    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "R%02u=%08x%c", i, i == 15 ? (uint32_t)v->run.pc : cpu->r[i],
                i % 4 == 3 ? '\n' : ' ');
    fprintf(out, "PSR=%08x %c%c%c%c%c %c %s spsr=%08x%s\n", cpsr, cpu->nf ? 'N' : '-',
            cpu->zf ? 'Z' : '-', cpu->cf ? 'C' : '-', cpu->vf ? 'V' : '-', cpu->qf ? 'Q' : '-',
            cpsr & CPSR_T ? 'T' : 'A', arm_mode_name(cpsr & CPSR_M), cpu->spsr,
            v->halted ? " halted" : "");
    fprintf(out, "SCTLR=%08x TTBCR=%08x TTBR0=%" PRIx64 " TTBR1=%" PRIx64 " DACR=%08x\n",
            cpu->cp15.sctlr, cpu->cp15.ttbcr, cpu->cp15.ttbr0, cpu->cp15.ttbr1, cpu->cp15.dacr);
    fprintf(out, "CONTEXTIDR=%08x DFSR=%03x DFAR=%08x IFSR=%03x IFAR=%08x VBAR=%08x\n",
            cpu->cp15.contextidr, cpu->cp15.dfsr, cpu->cp15.dfar, cpu->cp15.ifsr, cpu->cp15.ifar,
            cpu->cp15.vbar);
    if (cpu->fpexc & FPEXC_EN)
        for (unsigned i = 0; i < 32; i++)
            fprintf(out, "D%02u=%016" PRIx64 "%c", i, cpu->d[i], i % 4 == 3 ? '\n' : ' ');
}
