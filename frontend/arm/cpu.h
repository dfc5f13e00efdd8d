/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ARMv7-A processor's state. "ARM ARM" is ARM DDI 0406C (ARMv7-A and ARMv7-R edition).
 *
 * What lives where: the condition flags, Q and GE have fields of their own; T and the IT state live
 * in run.key (they are part of what code is looked up by); the rest of the CPSR is in `cpsr`.
 * arm_cpsr_read and arm_cpsr_write are the only places that put them together and take them apart.
 */
#ifndef CALQUE_FRONTEND_ARM_CPU_H
#define CALQUE_FRONTEND_ARM_CPU_H

#include "frontend/guest.h"
#include "util/bits.h"

/* run.key: everything about the mode that changes what an instruction translates to. */
enum arm_key {
    KEY_T = 1 << 0,          /* Thumb */
    KEY_PRIVILEGED = 1 << 1, /* PL1 */
    KEY_E = 1 << 2,          /* CPSR.E: data is big-endian */
    KEY_ALIGN = 1 << 3,      /* SCTLR.A: every access is checked */
    KEY_VFP = 1 << 4,        /* CPACR and FPEXC let this mode use VFP */
    KEY_NEON = 1 << 5,       /* ... and Advanced SIMD */
    KEY_FP_SPECIAL = 1 << 6, /* FPSCR.FZ or DN is set */
    KEY_FP_NEAREST = 1 << 7, /* FPSCR.RMode is round to nearest */
    KEY_IT_SHIFT = 8,        /* bits 15:8: ITSTATE of the first instruction */
    KEY_IT_MASK = 0xff << KEY_IT_SHIFT,
    KEY_FP_ACCESS = 1 << 18, /* CPACR lets this mode at CP10/11, whatever FPEXC.EN says */
    KEY_FP_VECTOR = 1 << 19, /* FPSCR.Len or Stride is set */
};

enum arm_mode {
    MODE_USR = 0x10,
    MODE_FIQ = 0x11,
    MODE_IRQ = 0x12,
    MODE_SVC = 0x13,
    MODE_MON = 0x16,
    MODE_ABT = 0x17,
    MODE_HYP = 0x1a,
    MODE_UND = 0x1b,
    MODE_SYS = 0x1f,
};

enum arm_cpsr_bits {
    CPSR_M = 0x1f,
    CPSR_T = 1 << 5,
    CPSR_F = 1 << 6,
    CPSR_I = 1 << 7,
    CPSR_A = 1 << 8,
    CPSR_E = 1 << 9,
    CPSR_J = 1 << 24,
    CPSR_Q = 1 << 27,
    CPSR_V = 1 << 28,
    CPSR_C = 1 << 29,
    CPSR_Z = 1 << 30,
};
#define CPSR_N 0x80000000u
#define CPSR_GE 0x000f0000u
#define CPSR_IT 0x0600fc00u
#define CPSR_NZCV 0xf0000000u

/* Exception kinds (struct exception.kind), in the order of the vector table. */
enum arm_exception {
    ARM_EXC_RESET,
    ARM_EXC_UNDEF,
    ARM_EXC_SVC,
    ARM_EXC_PREFETCH_ABORT,
    ARM_EXC_DATA_ABORT,
    ARM_EXC_HVC,
    ARM_EXC_IRQ,
    ARM_EXC_FIQ,
    ARM_EXC_SMC,
    ARM_EXC_BKPT /* a prefetch abort */,
};

/* Lines of guest.set_irq, and of irq_out. */
enum arm_irq_in { ARM_IRQ, ARM_FIQ, ARM_N_IRQ_IN };
enum arm_irq_out {
    ARM_OUT_TIMER_PHYS_SECURE,
    ARM_OUT_TIMER_PHYS,
    ARM_OUT_TIMER_VIRT,
    ARM_OUT_TIMER_HYP,
    ARM_OUT_PMU,
    ARM_N_IRQ_OUT
};

/* Banked copies; the live registers are in r[]. Index of a mode's bank: arm_bank(). */
enum arm_bank_index {
    BANK_USR,
    BANK_FIQ,
    BANK_IRQ,
    BANK_SVC,
    BANK_ABT,
    BANK_UND,
    BANK_MON,
    BANK_HYP,
    N_BANKS
};

enum { ARM_DACR_SLOTS = 8 };

struct arm_generic_timer {
    struct timer timer;
    uint64_t cval;
    uint32_t ctl; /* ENABLE, IMASK (ISTATUS is computed) */
};

struct arm_cpu {
    struct vcpu v; /* first */

    uint32_t r[16];         /* live registers; r[15] is unused, the pc is v.run.pc */
    uint8_t nf, zf, cf, vf; /* 0 or 1 */
    uint8_t qf;             /* 0 or 1 */
    uint8_t ge;             /* 4 bits */
    uint32_t cpsr;          /* M, A, I, F, E, J only */
    uint32_t spsr;          /* of the current mode */

    uint32_t bank_r13[N_BANKS], bank_r14[N_BANKS], bank_spsr[N_BANKS];
    uint32_t usr_r8[5], fiq_r8[5]; /* r8-r12 */

    /* Exclusive monitor (ARM ARM A3.4): local, valid while excl_valid. */
    uint32_t excl_valid, excl_address, excl_size;
    uint64_t excl_value;

    /* VFP and Advanced SIMD: s[2n], s[2n+1] overlay d[n]; q[n] overlays d[2n], d[2n+1]. */
    uint64_t d[32] __attribute__((aligned(16)));
    uint64_t vtemp[8] __attribute__((aligned(16)));    /* scratch of vector helpers' operands */
    uint64_t fpscr_qc[2] __attribute__((aligned(16))); /* not zero: QC is set */
    uint32_t fpscr_nzcv;                               /* bits 31:28 */
    uint32_t fpscr_control; /* AHP, DN, FZ, RMode, Stride, Len (traps are RAZ) */
    uint32_t fpscr_sticky;  /* QC and cumulative bits, beside what the host's MXCSR has collected */
    uint32_t fpexc, fpsid, mvfr0, mvfr1;

    /* Coprocessor 15. 64-bit where LPAE makes it so. */
    struct {
        uint32_t sctlr, actlr, cpacr, nsacr, scr;
        uint64_t ttbr0, ttbr1, par;
        uint32_t ttbcr, dacr, dfsr, ifsr, adfsr, aifsr, dfar, ifar;
        uint32_t prrr_mair0, nmrr_mair1, amair0, amair1, vbar, mvbar, fcseidr, contextidr;
        uint32_t tpidrurw, tpidruro, tpidrprw, csselr, l2ctlr, cbar;
        uint32_t pmcr, pmcnten, pmovsr, pmselr, pmuserenr, pminten, pmxevtyper[32];
        uint64_t pmccntr;
        uint32_t cntfrq, cntkctl;
        uint64_t cntvoff;
        uint32_t power_diagnostic[8]; /* implementation-defined registers that just hold a value */
    } cp15;
    struct arm_generic_timer timer_phys, timer_virt;

    _Atomic uint32_t irq_lines; /* bit per enum arm_irq_in */
    _Atomic uint32_t event;     /* WFE's event register */

    const struct arm_model *model;

    /* What only system.c, cp15.c, mmu.c and timer.c look at. */
    struct {
        /* DACR values that have a space of their own, so that a DACR write swaps tables instead of
         * flushing (Linux writes it on every kernel entry). */
        uint32_t dacr_values[ARM_DACR_SLOTS];
        uint8_t n_dacr, dacr_slot;
        bool waiting_event; /* halted by WFE, not WFI */
        /* A bit per MB of the address space: the TLB may hold global pages there, so that
         * invalidating by address and ASID has to look into every space. */
        uint32_t global_pages[4096 / 32];
        bool tables_reshaped; /* TTBCR has changed since all was flushed */
        uint32_t teecr, teehbr, dbg_dscr, dbg_vcr, dbg_oslock;
        uint32_t dbg_value[2][16], dbg_control[2][16]; /* [0] breakpoints, [1] watchpoints */
        uint32_t pm_event_count[32];
        int64_t pm_cycle_base_ns; /* when pmccntr was last brought up to date */
        struct timer pm_timer;
    } sys;
};

static inline struct arm_cpu *arm_cpu(void *cpu)
{
    return (struct arm_cpu *)cpu;
}

/* Features of a processor, for instruction tables and CP15. */
enum arm_feature {
    ARM_HAS_DIVIDE = 1 << 0,
    ARM_HAS_NEON = 1 << 1,
    ARM_HAS_VFP = 1 << 2,
    ARM_HAS_D32 = 1 << 3,
    ARM_HAS_VFPV4 = 1 << 4 /* fused multiply-add, half precision is VFPv3-HP in A9 too */,
    ARM_HAS_LPAE = 1 << 5,
    ARM_HAS_GENERIC_TIMER = 1 << 6,
    ARM_HAS_HALF = 1 << 7,
    ARM_HAS_PL310_STYLE_A9 = 1 << 8,
    ARM_HAS_MP = 1 << 9,
};

/* Identification registers and parameters of one `-cpu`, from its Technical Reference Manual. */
struct arm_model {
    uint32_t features;
    uint32_t midr, ctr, tcmtr, tlbtr, mpidr, revidr;
    uint32_t id_pfr0, id_pfr1, id_dfr0, id_afr0, id_mmfr[4], id_isar[6];
    uint32_t clidr, ccsidr[4] /* L1D, L1I, L2, - */, aidr;
    uint32_t fpsid, mvfr0, mvfr1;
    uint32_t sctlr_reset, cbar_reset, dbgdidr, pmcr_reset;
    uint32_t counter_hz; /* CNTFRQ's reset value as firmware would set it */
};

/* State fields: indices for ir_get / ir_set. */
enum arm_field {
    F_PC,  /* run.pc, I64 */
    F_KEY, /* run.key, I32 */
    F_R0,
    F_R15 = F_R0 + 15, /* never used by translated code */
    F_NF,
    F_ZF,
    F_CF,
    F_VF,
    F_QF,
    F_GE,
    F_CPSR,
    F_SPSR,
    F_EXCL_VALID,
    F_EXCL_ADDRESS,
    F_EXCL_SIZE,
    F_EXCL_VALUE,
    F_FPSCR_NZCV,
    F_FPSCR_CONTROL,
    F_FPSCR_QC,
    F_FPEXC,
    F_TPIDRURW,
    F_TPIDRURO,
    F_TPIDRPRW,
    F_S0,              /* 32, F32 */
    F_D0 = F_S0 + 32,  /* 32, V64 */
    F_DF0 = F_D0 + 32, /* 32, F64 view of the same */
    F_Q0 = F_DF0 + 32, /* 16, V128 */
    F_N = F_Q0 + 16,
};

/* Helper groups (struct state_field.group): r0..r15 have bits 0..15. */
#define GROUP_R(n) (UINT64_C(1) << (n))
#define GROUP_GPRS UINT64_C(0xffff)
#define GROUP_NZCV (UINT64_C(1) << 16)
#define GROUP_Q_GE (UINT64_C(1) << 17)
#define GROUP_FP (UINT64_C(1) << 18) /* s, d, q registers */
#define GROUP_FPSCR (UINT64_C(1) << 19)
#define GROUP_SYSTEM (UINT64_C(1) << 20) /* cpsr, spsr, tpidr, fpexc, monitor */
#define GROUP_PC (UINT64_C(1) << 21)     /* run.pc, run.key */
#define GROUP_QC (UINT64_C(1) << 22)     /* fpscr_qc */
#define GROUP_ALL (~UINT64_C(0))

extern const struct state_field arm_fields[F_N];
extern const struct ir_fp_rules arm_fp_rules;               /* vfp.c */
extern const struct mmu_client arm_mmu_client;              /* mmu.c */
extern const struct cpu_model arm_models[];                 /* models.c */
extern const struct guest_register_set arm_register_sets[]; /* registers.c */

/* CPSR as the architecture shows it, from all the places it lives in. */
uint32_t arm_cpsr_read(const struct arm_cpu *cpu);
/* Writes the bits in mask, switching banks, updating the key and the MMU's space. */
void arm_cpsr_write(struct arm_cpu *cpu, uint32_t value, uint32_t mask);
enum arm_bank_index arm_bank(unsigned mode);
void arm_switch_mode(struct arm_cpu *cpu, unsigned new_mode);
/* Recomputes run.key (keeping T and IT) and selects the MMU space. Call after anything in the key's
 * inputs changed: CPSR, SCTLR, CPACR, FPEXC, FPSCR control, TTBCR, CONTEXTIDR/TTBR ASID. */
void arm_update_mode(struct arm_cpu *cpu);
const char *arm_exception_name(unsigned kind);
void arm_raise(struct vcpu *v, const struct exception *e);
NORETURN void arm_raise_undefined(struct arm_cpu *cpu); /* from MAY_FAULT helpers */

/* FPSCR put together from control, nzcv, sticky and the host's MXCSR; and taken apart. */
uint32_t arm_fpscr_read(struct arm_cpu *cpu);
void arm_fpscr_write(struct arm_cpu *cpu, uint32_t value);

/* system.c: the guest's entry points for struct guest (see guest.h). The aux word of INSN is the
 * key of that instruction; arm_restore takes T and IT from it. */
bool arm_init(struct vcpu *v, struct error *err);
void arm_reset(struct vcpu *v);
void arm_finish(struct vcpu *v);
void arm_restore(struct vcpu *v, uint64_t pc, uint32_t aux);
bool arm_take_interrupt(struct vcpu *v);
bool arm_has_work(struct vcpu *v);
void arm_set_irq(struct vcpu *v, unsigned line, bool level);
void arm_print_state(struct vcpu *v, FILE *out);
void arm_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque);

void arm_timer_init(struct arm_cpu *cpu);
void arm_timer_reset(struct arm_cpu *cpu);
void arm_timer_update(struct arm_cpu *cpu);

#endif
