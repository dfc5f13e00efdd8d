/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modes, exceptions and interrupts: PRA chapters 3 and 6. Debug exceptions: EJTAG Specification,
 * MD00047, chapter 4.
 *
 * No model has shadow register sets (SRSCtl.HSS is 0) or an external interrupt controller mode
 * (Config3.VEIC is 0): CSS, PSS and EICSS stay 0, and the vector's number is that of the line.
 */
#include "frontend/mips/fpu.h"
#include "frontend/mips/system.h"

#include <inttypes.h>

#include "util/log.h"

enum {
    VECTOR_REFILL = 0x000,
    VECTOR_XTLB_REFILL = 0x080,
    VECTOR_GENERAL = 0x180,
    VECTOR_INTERRUPT = 0x200,
};
#define BOOT_VECTORS UINT32_C(0xbfc00200)
#define RESET_VECTOR UINT32_C(0xbfc00000)
#define DEBUG_VECTOR UINT32_C(0xbfc00480) /* ProbTrap is 0: there is no probe */
#define DEFAULT_VECTORS UINT32_C(0x80000000)

/* ---- the key --------------------------------------------------------------------------------- */

/* Which of FPU, DSP and MSA may be used, and how. */
static uint32_t coprocessor_key(const struct mips_cpu *cpu)
{
    uint32_t status = cpu->cp0.status, key = 0;

    if (mips_has(cpu, MIPS_HAS_FPU)) {
        key |= status & STATUS_CU1 ? KEY_FPU : 0;
        key |= status & STATUS_FR ? KEY_FR : 0;
        key |= cpu->fcsr & FCSR_ENABLES ? KEY_FP_TRAPS : 0;
        key |= cpu->fcsr & FCSR_FLUSH ? KEY_FP_FLUSH : 0;
        key |= cpu->fcsr & FCSR_ROUNDING ? 0 : KEY_FP_NEAREST;
        key |= cpu->cp0.config5 & CONFIG5_FRE ? KEY_FRE : 0;
    }
    if (mips_has(cpu, MIPS_HAS_DSP))
        key |= status & STATUS_MX ? KEY_DSP : 0;
    if (mips_has(cpu, MIPS_HAS_MSA)) {
        key |= cpu->cp0.config5 & CONFIG5_MSAEN ? KEY_MSA : 0;
    }
    return key;
}

/* PRA "64-bit Operations Enable", "64-bit Address Enable". Addresses are truncated outside user
 * mode from release 6 on only. */
static uint32_t width_key(const struct mips_cpu *cpu, enum mips_mode mode)
{
    static const uint32_t extended[] = {
        [MODE_KERNEL] = STATUS_KX, [MODE_SUPERVISOR] = STATUS_SX, [MODE_USER] = STATUS_UX};
    uint32_t status = cpu->cp0.status, key = 0;

    if (!cpu->wide)
        return 0;
    if (!mips_has(cpu, MIPS_HAS_64))
        return KEY_ADDRESS32;
    if (mode != MODE_USER || (status & (STATUS_UX | STATUS_PX)))
        key |= KEY_64BIT;
    if (!(status & extended[mode]) && (mode == MODE_USER || mips_has(cpu, MIPS_HAS_R6)))
        key |= KEY_ADDRESS32;
    return key;
}

void mips_update_coprocessors(struct mips_cpu *cpu)
{
    cpu->v.run.key = (cpu->v.run.key & ~(uint32_t)KEY_COPROCESSORS) | coprocessor_key(cpu);
}

void mips_update_mode(struct mips_cpu *cpu)
{
    enum mips_mode mode = mips_mode(cpu);
    uint32_t status = cpu->cp0.status;
    uint32_t key = cpu->v.run.key & KEY_OF_PLACE;

    key |= coprocessor_key(cpu) | width_key(cpu, mode);
    if (mode == MODE_USER)
        key |= KEY_USER | (status & STATUS_RE ? KEY_REVERSE : 0);
    if (mode == MODE_SUPERVISOR)
        key |= KEY_SUPERVISOR;
    if (cpu->cp0.debug & DEBUG_DM)
        key |= KEY_DEBUG;
    if (mode == MODE_KERNEL || (status & STATUS_CU0))
        key |= KEY_CP0;
    if ((cpu->cp0.config3 & CONFIG3_ULRI) && ((key & KEY_CP0) || (cpu->cp0.hwrena & HWRENA_ULR)))
        key |= KEY_USERLOCAL;
    cpu->v.run.key = key;
    if (cpu->v.mmu)
        mmu_select(cpu->v.mmu, mips_mmu_tag(cpu), mode != MODE_USER);
}

/* ---- exceptions: names and kinds ------------------------------------------------------------- */

enum {
    TAKES_ADDRESS = 1, /* BadVAddr */
    TAKES_PAGE = 2,    /* Context, XContext, EntryHi */
    TAKES_INSN = 4,    /* BadInstr, BadInstrP */
    IS_RESET = 8,
    IS_DEBUG = 16,
};

static const struct exception_entry {
    const char *name;
    uint8_t code; /* Cause.ExcCode */
    uint8_t flags;
} entries[MIPS_N_EXCEPTIONS] = {
    [MIPS_EXC_INT] = {"interrupt", 0, 0},
    [MIPS_EXC_MOD] = {"TLB modified", 1, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_TLBL] = {"TLB invalid, load", 2, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_TLBS] = {"TLB invalid, store", 3, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_ADEL] = {"address error, load", 4, TAKES_ADDRESS | TAKES_INSN},
    [MIPS_EXC_ADES] = {"address error, store", 5, TAKES_ADDRESS | TAKES_INSN},
    [MIPS_EXC_IBE] = {"bus error, fetch", 6, 0},
    [MIPS_EXC_DBE] = {"bus error, data", 7, 0},
    [MIPS_EXC_SYS] = {"syscall", 8, TAKES_INSN},
    [MIPS_EXC_BP] = {"breakpoint", 9, TAKES_INSN},
    [MIPS_EXC_RI] = {"reserved instruction", 10, TAKES_INSN},
    [MIPS_EXC_CPU] = {"coprocessor unusable", 11, TAKES_INSN},
    [MIPS_EXC_OV] = {"overflow", 12, TAKES_INSN},
    [MIPS_EXC_TR] = {"trap", 13, TAKES_INSN},
    [MIPS_EXC_MSAFPE] = {"MSA floating-point", 14, TAKES_INSN},
    [MIPS_EXC_FPE] = {"floating-point", 15, TAKES_INSN},
    [MIPS_EXC_TLBRI] = {"TLB read-inhibit", 19, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_TLBXI] = {"TLB execute-inhibit", 20, TAKES_ADDRESS | TAKES_PAGE},
    [MIPS_EXC_MSADIS] = {"MSA disabled", 21, TAKES_INSN},
    [MIPS_EXC_WATCH] = {"watch", 23, 0},
    [MIPS_EXC_MCHECK] = {"machine check", 24, 0},
    [MIPS_EXC_DSPDIS] = {"DSP disabled", 26, TAKES_INSN},
    [MIPS_EXC_TLBL_REFILL] = {"TLB refill, load", 2, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_TLBS_REFILL] = {"TLB refill, store", 3, TAKES_ADDRESS | TAKES_PAGE | TAKES_INSN},
    [MIPS_EXC_RESET] = {"reset", 0, IS_RESET},
    [MIPS_EXC_SOFT_RESET] = {"soft reset", 0, IS_RESET},
    [MIPS_EXC_NMI] = {"NMI", 0, IS_RESET},
    [MIPS_EXC_DEBUG_BREAK] = {"debug breakpoint", 9, IS_DEBUG},
    [MIPS_EXC_DEBUG_STEP] = {"debug single step", 9, IS_DEBUG},
};

const char *mips_exception_name(unsigned kind)
{
    return kind < MIPS_N_EXCEPTIONS ? entries[kind].name : NULL;
}

/* ---- what an exception leaves ---------------------------------------------------------------- */

bool mips_is_xtlb(const struct mips_cpu *cpu, uint64_t address)
{
    static const uint32_t extended[] = {STATUS_UX, STATUS_SX, STATUS_KX, STATUS_KX};

    return mips_is_64(cpu) && (cpu->cp0.status & extended[address >> 62]);
}

static void set_fault_page(struct mips_cpu *cpu, uint64_t va)
{
    unsigned segbits = cpu->model->segbits;
    uint64_t vpn2 = va >> 13;

    cpu->cp0.context = (cpu->cp0.context & ~UINT64_C(0x7fffff)) | (vpn2 & 0x7ffff) << 4;
    cpu->cp0.entryhi =
        (va & mips_vpn_mask(cpu)) | (cpu->cp0.entryhi & (mips_asid_mask(cpu) | ENTRYHI_EHINV));
    if (!mips_is_64(cpu))
        return;
    cpu->cp0.xcontext = deposit64(cpu->cp0.xcontext, 4, segbits - 13, vpn2);
    cpu->cp0.xcontext = deposit64(cpu->cp0.xcontext, segbits - 9, 2, va >> 62);
}

static bool peek_insn(struct mips_cpu *cpu, uint64_t pc, uint32_t *insn)
{
    uint8_t bytes[4];

    if (!mmu_peek(cpu->v.mmu, pc, bytes, sizeof(bytes), mips_mode(cpu) == MODE_USER))
        return false;
    *insn = cpu->big_endian ? load_be32(bytes) : load_le32(bytes);
    return true;
}

/* PRA "BadInstr Register": the instruction that did it, and the branch before it. */
static void set_bad_insn(struct mips_cpu *cpu)
{
    uint64_t pc = cpu->v.run.pc;

    if (!cpu->v.mmu)
        return;
    if ((cpu->cp0.config3 & CONFIG3_BI))
        peek_insn(cpu, pc + cpu->delay_slot, &cpu->cp0.badinstr);
    if ((cpu->cp0.config3 & CONFIG3_BP) && cpu->delay_slot)
        peek_insn(cpu, pc, &cpu->cp0.badinstrp);
}

/* LWL and its like load the aligned word, or doubleword, around the address that they name. */
static uint64_t named_address(struct mips_cpu *cpu, uint64_t aligned)
{
    uint64_t pc = cpu->v.run.pc;
    uint32_t insn;
    int32_t offset;

    if (!peek_insn(cpu, pc + cpu->delay_slot, &insn))
        return aligned;
    offset = insn >> 26 == 31 ? sextract32(insn, 7, 9) : sextract32(insn, 0, 16);
    return aligned | ((cpu->gpr[extract32(insn, 21, 5)] + (uint64_t)offset) & 7);
}

static bool is_refill(unsigned kind)
{
    return kind == MIPS_EXC_TLBL_REFILL || kind == MIPS_EXC_TLBS_REFILL;
}

/* Of an instruction that could not be fetched there are no bits. */
static bool is_fetch(const struct mips_cpu *cpu, const struct exception *e)
{
    uint64_t pc = cpu->v.run.pc + cpu->delay_slot;

    return (entries[e->kind].flags & TAKES_ADDRESS) && e->address == pc;
}

static void set_syndrome(struct mips_cpu *cpu, const struct exception *e)
{
    const struct exception_entry *entry = &entries[e->kind];
    uint64_t va = cpu->wide ? e->address : (uint32_t)e->address;

    if ((entry->flags & TAKES_ADDRESS) && e->syndrome)
        va = named_address(cpu, va);
    if (entry->flags & TAKES_ADDRESS)
        cpu->cp0.badvaddr = va;
    if (entry->flags & TAKES_PAGE)
        set_fault_page(cpu, va);
    if ((entry->flags & TAKES_INSN) && !is_fetch(cpu, e))
        set_bad_insn(cpu);
}

/* ---- vectors --------------------------------------------------------------------------------- */

static uint64_t vector_base(const struct mips_cpu *cpu)
{
    if (cpu->cp0.status & STATUS_BEV)
        return mips_address(cpu, BOOT_VECTORS);
    if (!mips_has(cpu, MIPS_HAS_R2))
        return mips_address(cpu, DEFAULT_VECTORS);
    return cpu->cp0.ebase & ~UINT64_C(0xfff);
}

/* PRA "Vectored Interrupts": lines have vectors of their own, IntCtl.VS apart. */
static uint32_t interrupt_vector(const struct mips_cpu *cpu)
{
    uint32_t pending = (mips_cause_read(cpu) & cpu->cp0.status) >> 8 & 0xff;
    uint32_t spacing = cpu->cp0.intctl & UINT32_C(0x3e0);

    if (!(cpu->cp0.cause & CAUSE_IV))
        return VECTOR_GENERAL;
    if ((cpu->cp0.status & STATUS_BEV) || !(cpu->cp0.config3 & CONFIG3_VINT) || !spacing ||
        !pending)
        return VECTOR_INTERRUPT;
    return VECTOR_INTERRUPT + (31 - (unsigned)__builtin_clz(pending)) * spacing;
}

static uint32_t vector_offset(const struct mips_cpu *cpu, const struct exception *e)
{
    if (e->kind == MIPS_EXC_INT)
        return interrupt_vector(cpu);
    if (!is_refill(e->kind) || (cpu->cp0.status & STATUS_EXL))
        return VECTOR_GENERAL;
    return mips_is_xtlb(cpu, cpu->cp0.badvaddr) ? VECTOR_XTLB_REFILL : VECTOR_REFILL;
}

/* ---- entry ----------------------------------------------------------------------------------- */

static COLD void log_exception(const struct mips_cpu *cpu, const struct exception *e)
{
    log_write("exception: %s at pc %0*" PRIx64 "%s status %08x address %0*" PRIx64 " syndrome %x\n",
              entries[e->kind].name, cpu->wide ? 16 : 8, mips_pc(cpu),
              cpu->delay_slot ? " (slot)" : "", cpu->cp0.status, cpu->wide ? 16 : 8, e->address,
              e->syndrome);
}

/* PRA "Reset Exception", "Soft Reset Exception", "NMI Exception" */
static void enter_reset(struct mips_cpu *cpu, unsigned kind)
{
    uint32_t status = cpu->cp0.status & ~(STATUS_SR | STATUS_NMI | STATUS_TS);

    if (kind == MIPS_EXC_RESET) {
        mips_reset(&cpu->v);
        return;
    }
    status |= kind == MIPS_EXC_NMI ? STATUS_NMI : STATUS_SR;
    cpu->cp0.status = status | STATUS_ERL | STATUS_BEV;
    cpu->cp0.errorepc = mips_pc(cpu);
    mips_set_pc(cpu, mips_address(cpu, RESET_VECTOR));
}

/* EJTAG "Debug Exceptions", and "Exceptions in Debug Mode", which return to no other place. */
static void enter_debug(struct mips_cpu *cpu, unsigned kind)
{
    uint32_t debug = cpu->cp0.debug & ~(DEBUG_CAUSES | DEBUG_DBD | DEBUG_DEXCCODE);

    if (debug & DEBUG_DM)
        debug |= (uint32_t)entries[kind].code << 10;
    else if (kind == MIPS_EXC_DEBUG_STEP)
        debug |= DEBUG_DSS;
    else
        debug |= DEBUG_DBP;
    if (cpu->delay_slot)
        debug |= DEBUG_DBD;
    cpu->cp0.debug = debug | DEBUG_DM;
    cpu->cp0.depc = mips_pc(cpu);
    mips_set_pc(cpu, mips_address(cpu, DEBUG_VECTOR));
}

static void enter(struct mips_cpu *cpu, const struct exception *e)
{
    uint32_t offset, cause = cpu->cp0.cause & ~(CAUSE_EXCCODE | CAUSE_CE);

    offset = vector_offset(cpu, e);
    cause |= (uint32_t)entries[e->kind].code << 2;
    if (e->kind == MIPS_EXC_CPU)
        cause |= (e->syndrome & 3) << 28;
    if (!(cpu->cp0.status & STATUS_EXL)) {
        cpu->cp0.epc = mips_pc(cpu);
        cause = (cause & ~CAUSE_BD) | (cpu->delay_slot ? CAUSE_BD : 0);
    }
    cpu->cp0.cause = cause;
    cpu->cp0.status |= STATUS_EXL;
    mips_set_pc(cpu, vector_base(cpu) + offset);
}

void mips_raise(struct vcpu *v, const struct exception *raised)
{
    struct mips_cpu *cpu = mips_cpu(v);
    struct exception e = *raised;

    if (e.kind >= MIPS_N_EXCEPTIONS || !entries[e.kind].name ||
        ((entries[e.kind].flags & IS_DEBUG) && !(cpu->cp0.config1 & CONFIG1_EP)))
        e.kind = MIPS_EXC_RI;
    vcpu_count_exception(v, e.kind);
    if (log_on(LOG_INT))
        log_exception(cpu, &e);
    v->halted = false;
    if (entries[e.kind].flags & IS_RESET) {
        enter_reset(cpu, e.kind);
    } else if ((entries[e.kind].flags & IS_DEBUG) || (cpu->cp0.debug & DEBUG_DM)) {
        enter_debug(cpu, e.kind);
    } else {
        set_syndrome(cpu, &e);
        enter(cpu, &e);
    }
    cpu->delay_slot = 0;
    mips_update_mode(cpu);
}

NORETURN void mips_raise_exception(struct mips_cpu *cpu, enum mips_exception kind,
                                   uint32_t syndrome)
{
    struct exception e = {.kind = kind, .syndrome = syndrome};

    vcpu_raise(&cpu->v, &e);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static uint32_t pending_lines(const struct mips_cpu *cpu)
{
    uint32_t lines = atomic_load_explicit(&cpu->irq_lines, memory_order_relaxed);
    uint32_t pending = (lines & 0xff) << 8 | (cpu->cp0.cause & CAUSE_IP_SOFTWARE);

    if (lines & LINE_TIMER)
        pending |= UINT32_C(0x100) << (cpu->cp0.intctl >> 29);
    return pending;
}

uint32_t mips_cause_read(const struct mips_cpu *cpu)
{
    uint32_t cause = cpu->cp0.cause | pending_lines(cpu);

    if (mips_has(cpu, MIPS_HAS_R2) &&
        (atomic_load_explicit(&cpu->irq_lines, memory_order_relaxed) & LINE_TIMER))
        cause |= CAUSE_TI;
    return cause;
}

static uint32_t wanted_lines(const struct mips_cpu *cpu)
{
    return pending_lines(cpu) & cpu->cp0.status & UINT32_C(0xff00);
}

bool mips_interrupt_ready(const struct mips_cpu *cpu)
{
    return (cpu->cp0.status & (STATUS_IE | STATUS_EXL | STATUS_ERL)) == STATUS_IE &&
           !(cpu->cp0.debug & DEBUG_DM) && wanted_lines(cpu);
}

void mips_poll_interrupts(struct mips_cpu *cpu)
{
    if (mips_interrupt_ready(cpu))
        atomic_store(&cpu->v.run.exit_request, 1);
}

bool mips_take_interrupt(struct vcpu *v)
{
    static const struct exception interrupt = {.kind = MIPS_EXC_INT};
    struct mips_cpu *cpu = mips_cpu(v);

    if (v->single_step || !mips_interrupt_ready(cpu))
        return false;
    cpu->delay_slot = 0; /* run.pc is the branch, if it was in a slot */
    mips_raise(v, &interrupt);
    return true;
}

/* WAIT ends at an interrupt that is not masked, whether it can be taken or not: ISA, WAIT. */
bool mips_has_work(struct vcpu *v)
{
    if (!wanted_lines(mips_cpu(v)))
        return false;
    v->halted = false;
    return true;
}

void mips_set_irq(struct vcpu *v, unsigned line, bool level)
{
    struct mips_cpu *cpu = mips_cpu(v);
    uint32_t bit;

    if (line >= MIPS_N_IRQ_IN)
        return;
    bit = UINT32_C(1) << line;
    if (!level)
        atomic_fetch_and(&cpu->irq_lines, ~bit);
    else if (!(atomic_fetch_or(&cpu->irq_lines, bit) & bit))
        vcpu_kick(v);
}
