/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIPS32 and MIPS64 processor's state. "PRA" is the MIPS Privileged Resource Architecture
 * (MD00090, MD00091), "ISA" the instruction set volume (MD00086, MD00087), both of the release that
 * the model implements.
 *
 * Two guests share this: 32-bit ones (mips, mipsel), whose general registers are the low halves of
 * gpr[] and whose addresses are zero-extended 32-bit numbers everywhere (run.pc, CP0), and 64-bit
 * ones (mips64, mips64el), where every 32-bit result and address is sign-extended. cpu->wide says
 * which. A 32-bit model may run in a 64-bit guest.
 *
 * A branch and its delay slot are translated together. The slot's INSN carries AUX_DELAY_SLOT;
 * mips_restore then makes run.pc the branch and sets delay_slot, so that an exception there
 * reports EPC and Cause.BD as PRA section "Exception Program Counter" says, and starting again
 * starts at the branch.
 *
 * run.pc is always an address. The manual's ISA Mode, which is bit 0 wherever software sees a PC
 * (MD00076, "The ISA Mode Bit"), is a bit of run.key.
 */
#ifndef CALQUE_FRONTEND_MIPS_CPU_H
#define CALQUE_FRONTEND_MIPS_CPU_H

#include "frontend/guest.h"
#include "util/bits.h"

/* run.key: everything about the mode that changes what an instruction translates to. */
enum mips_key {
    KEY_ISA_MODE = 1 << 0,    /* the code is MIPS16e; this bit of EPC, of a jump's target, of $31 */
    KEY_SUPERVISOR = 1 << 1,  /* supervisor mode (KEY_USER is clear) */
    KEY_CP0 = 1 << 2,         /* CP0 may be used: kernel or debug mode, or Status.CU0 */
    KEY_FPU = 1 << 3,         /* Status.CU1, and there is one */
    KEY_FR = 1 << 4,          /* Status.FR: 32 64-bit FPU registers */
    KEY_DSP = 1 << 5,         /* Status.MX, and there is a DSP ASE */
    KEY_MSA = 1 << 6,         /* Config5.MSAEn, and there is MSA */
    KEY_64BIT = 1 << 7,       /* 64-bit operations are enabled */
    KEY_ADDRESS32 = 1 << 8,   /* in a 64-bit guest: effective addresses are sign-extended 32 bits */
    KEY_REVERSE = 1 << 9,     /* user mode with Status.RE: data in the other byte order */
    KEY_FP_TRAPS = 1 << 10,   /* some FCSR.Enables bit is set: every FP instruction may trap */
    KEY_FP_FLUSH = 1 << 11,   /* FCSR.FS */
    KEY_USER = 1 << 12,       /* neither kernel nor debug mode; with KEY_SUPERVISOR supervisor */
    KEY_FP_NEAREST = 1 << 14, /* FCSR.RM is round to nearest */
    KEY_USERLOCAL = 1 << 15,  /* RDHWR $29 needs no check */
    KEY_FORBIDDEN = 1 << 16,  /* release 6: the instruction is in a forbidden slot */
    KEY_FRE = 1 << 19,        /* Config5.FRE: odd singles trap */
    KEY_DEBUG = 1 << 20,      /* debug mode */
    KEY_COPROCESSORS = KEY_FPU | KEY_FR | KEY_DSP | KEY_MSA | KEY_FP_TRAPS | KEY_FP_FLUSH |
                       KEY_FP_NEAREST | KEY_FRE,
    /* These belong to a place, not to the mode: no control register says them. */
    KEY_OF_PLACE = KEY_ISA_MODE | KEY_FORBIDDEN,
};

/* The aux word of INSN: how many bytes after its branch a delay slot is, 0 if it is none; and
 * KEY_FORBIDDEN. */
enum { AUX_DELAY_SLOT = 6 };

/* What a model implements. */
#define MIPS_HAS_R2 (UINT32_C(1) << 0) /* release 2 and above */
#define MIPS_HAS_R5 (UINT32_C(1) << 1)
#define MIPS_HAS_R6 (UINT32_C(1) << 2) /* and what it removed is gone */
#define MIPS_HAS_64 (UINT32_C(1) << 3) /* MIPS64 */
#define MIPS_HAS_FPU (UINT32_C(1) << 4)
#define MIPS_HAS_PS (UINT32_C(1) << 6) /* paired single */
#define MIPS_HAS_DSP (UINT32_C(1) << 7)
#define MIPS_HAS_DSPR2 (UINT32_C(1) << 8)
#define MIPS_HAS_MSA (UINT32_C(1) << 9)
#define MIPS_HAS_FIXED_MAP (UINT32_C(1) << 11) /* no TLB: PRA appendix A, fixed mapping */
#define MIPS_HAS_MIPS16 (UINT32_C(1) << 12)    /* MIPS16e: Config1.CA */
#define MIPS_HAS_4                                                                                 \
    (UINT32_C(1) << 14) /* MIPS IV's FPU: madd, indexed loads, 8 conditions, MOVCI:                \
                           any FPU but one of MIPS32 release 1 or release 6 */

/* One `-cpu`. Values at reset; *_writable are the bits that software changes. */
struct mips_model {
    uint32_t features;
    uint32_t prid;
    uint32_t config[8]; /* Config..Config7; BE is set by the guest's byte order */
    uint32_t config_writable[8];
    uint32_t status_writable;
    uint32_t fir;
    uint32_t fcsr, fcsr_writable;
    uint32_t msair;
    uint32_t status_reset; /* beside ERL and BEV: FR where it cannot be 0 */
    uint32_t pagegrain_reset, pagegrain_writable;
    uint32_t srsctl; /* HSS: shadow register sets are not implemented where 0 */
    uint8_t tlb_entries;
    uint8_t segbits, pabits; /* 64-bit: SEGBITS; PABITS */
    uint8_t count_divider;   /* cycles of the clock a Count step takes: CCRes */
    uint32_t cpu_hz;
    uint32_t vector_base_fixed; /* not zero: EBase's bits 31:30 are this and no others change */
};

/* One entry of the JTLB: PRA chapter 4. A pair of pages. */
struct mips_tlb_entry {
    uint64_t vpn;     /* first virtual address of the pair, R in bits 63:62 */
    uint64_t mask;    /* address bits inside the pair: 0x1fff for 4 KiB pages */
    uint64_t page[2]; /* physical address of each */
    uint32_t mmid;    /* ASID, or MemoryMapID */
    uint8_t cca[2];
    bool global, hidden /* EHINV */;
    bool valid[2], dirty[2], no_read[2], no_execute[2];
};
/* Whom an entry is for: no bit of keep is in (page | ASID) ^ key where it matches. */
struct mips_tlb_tag {
    uint64_t key, keep;
};
enum { MIPS_MAX_TLB = 128, MIPS_MAX_VICTIMS = 512, MIPS_VICTIM_BUCKETS = 256 };

/* Exception kinds: Cause.ExcCode, and from 32 on those with an entry of their own. PRA table
 * "Cause Register ExcCode Field". With an address, a syndrome that is not 0 says that the address
 * is of the aligned word, and that the one the instruction names lies in it. */
enum mips_exception {
    MIPS_EXC_INT = 0,
    MIPS_EXC_MOD = 1,
    MIPS_EXC_TLBL = 2,
    MIPS_EXC_TLBS = 3,
    MIPS_EXC_ADEL = 4,
    MIPS_EXC_ADES = 5,
    MIPS_EXC_IBE = 6,
    MIPS_EXC_DBE = 7,
    MIPS_EXC_SYS = 8,
    MIPS_EXC_BP = 9,
    MIPS_EXC_RI = 10,
    MIPS_EXC_CPU = 11, /* syndrome: the coprocessor's number */
    MIPS_EXC_OV = 12,
    MIPS_EXC_TR = 13,
    MIPS_EXC_MSAFPE = 14,
    MIPS_EXC_FPE = 15,
    MIPS_EXC_TLBRI = 19,
    MIPS_EXC_TLBXI = 20,
    MIPS_EXC_MSADIS = 21,
    MIPS_EXC_WATCH = 23,
    MIPS_EXC_MCHECK = 24,
    MIPS_EXC_DSPDIS = 26,
    MIPS_EXC_TLBL_REFILL = 32, /* the same codes, through the refill vector */
    MIPS_EXC_TLBS_REFILL,
    MIPS_EXC_RESET,
    MIPS_EXC_SOFT_RESET,
    MIPS_EXC_NMI,
    MIPS_EXC_DEBUG_BREAK, /* SDBBP */
    MIPS_EXC_DEBUG_STEP,
    MIPS_N_EXCEPTIONS,
};

/* Lines of guest.set_irq are Cause.IP0..IP7; the timer drives its own. */
enum { MIPS_N_IRQ_IN = 8, MIPS_N_IRQ_OUT = 1 /* the timer, Cause.TI */ };

enum { ZERO, AT, V0, V1, A0, A1, A2, A3, T0 = 8, S0 = 16, T8 = 24, T9, K0, K1, GP, SP, FP, RA };

struct mips_cpu {
    struct vcpu v; /* first */

    uint64_t gpr[32];      /* gpr[0] is 0 */
    uint64_t hi[4], lo[4]; /* of accumulators ac0..ac3; without DSP only the first */
    uint32_t dspcontrol;   /* as RDDSP has it */

    /* FPU and MSA registers: an FPR is the low 64 bits of the vector register. With Status.FR = 0
     * an odd single is the high half of the even FPR before it, so that a double is one piece. */
    uint64_t fpr[32][2] __attribute__((aligned(16)));
    uint8_t fcc[8];      /* FPU condition codes, 0 or 1 */
    uint32_t fcsr;       /* FS, NAN2008, ABS2008, Enables, RM; the rest is elsewhere or lazy */
    uint32_t fcsr_flags; /* Flags (bits 6:2), beside what the host's MXCSR has collected */
    uint32_t fcsr_cause; /* Cause (bits 17:12), unless fp_last_op says what gave it */
    /* The last FP instruction, for who reads FCSR.Cause: it is computed then. 0: fcsr_cause is it.
     */
    uint32_t fp_last_op;
    uint64_t fp_last_a, fp_last_b, fp_last_c;
    uint32_t msacsr; /* as CFCMSA has it, but for what MXCSR has collected */

    uint32_t ll_valid; /* LLbit */
    uint64_t ll_address, ll_value;

    /* A branch whose delay slot needs blocks of its own keeps these here meanwhile. */
    uint32_t branch_taken;
    uint64_t branch_target;

    bool wide, big_endian;
    /* The instruction at which an exception is being raised is so many bytes after run.pc, in the
     * delay slot of the branch there; 0: run.pc is its address. */
    uint8_t delay_slot;
    uint8_t fetched_slot; /* likewise, while a delay slot is fetched with its branch */

    struct {
#define CP0(name, member, type) type member;
#include "frontend/mips/cp0_state.def"
#undef CP0
        uint64_t watchlo[8];
        uint32_t watchhi[8];
        uint64_t maar[8];
        uint32_t perfctl[4];
        uint64_t perfcnt[4];
    } cp0;

    struct mips_tlb_entry tlb[MIPS_MAX_TLB]; /* by mips_tlb_place alone */
    struct mips_tlb_tag tlb_tag[MIPS_MAX_TLB];
    /* Entries that TLBWR has replaced go on translating until software can tell: until it looks for
     * one by TLBP, looks at any by TLBR, writes another for the same page, or writes one of its
     * choice where the victim was. */
    struct mips_tlb_entry victim[MIPS_MAX_VICTIMS];
    struct {
        struct mips_tlb_tag tag;
        uint16_t next; /* 1 + index, in its bucket or among the free */
        uint8_t from;  /* index in tlb[] */
    } victim_link[MIPS_MAX_VICTIMS];
    uint16_t victim_bucket[MIPS_VICTIM_BUCKETS + 1]; /* the last: of pages larger than 4 KiB */
    uint16_t victim_count_from[MIPS_MAX_TLB];
    uint16_t free_victim;
    unsigned n_victims; /* used so far, free ones among them */

    struct timer timer;
    _Atomic int64_t timer_due_ns; /* what the timer is set to */
    int64_t count_base_ns;        /* clock when Count was count_base */
    uint32_t count_base;

    _Atomic uint32_t irq_lines; /* bit n: IP n, from the board */

    const struct mips_model *model;
};

/* Flushes nothing. */
void mips_tlb_place(struct mips_cpu *cpu, unsigned index, const struct mips_tlb_entry *entry);

static inline struct mips_cpu *mips_cpu(void *v)
{
    return (struct mips_cpu *)v;
}

/* State fields: indices for ir_get / ir_set. General registers, HI and LO are I32 in 32-bit guests,
 * I64 in 64-bit ones. */
enum mips_field {
    F_PC,              /* run.pc, I64 */
    F_KEY,             /* run.key, I32 */
    F_R0,              /* never used by translated code */
    F_HI0 = F_R0 + 32, /* 4 */
    F_LO0 = F_HI0 + 4, /* 4 */
    F_DSPCONTROL = F_LO0 + 4,
    F_FCC0, /* 8, I8 */
    F_FCSR = F_FCC0 + 8,
    F_FCSR_CAUSE,
    F_FP_LAST_OP,
    F_FP_LAST_A, /* I64 */
    F_FP_LAST_B,
    F_FP_LAST_C,
    F_FP_LAST_DA,                    /* 3, F64: the same three */
    F_FP_LAST_SA = F_FP_LAST_DA + 3, /* 3, F32: their low words */
    F_FP_LAST_SC = F_FP_LAST_SA + 2,
    F_MSACSR,
    F_LL_VALID,
    F_LL_ADDRESS, /* I64 */
    F_LL_VALUE,   /* I64 */
    F_BRANCH_TAKEN,
    F_BRANCH_TARGET,    /* I64 */
    F_S0,               /* 32, F32: low word of each FPR */
    F_ODD0 = F_S0 + 32, /* 32, F32: high word of each FPR */
    F_D0 = F_ODD0 + 32, /* 32, F64 */
    F_P0 = F_D0 + 32,   /* 32, V64: the same bytes */
    F_W0 = F_P0 + 32,   /* 32, V128 */
    F_CP0 = F_W0 + 32,  /* those of cp0_state.def: F_CP0_<name> */
    F_CP0_BEFORE_FIRST = F_CP0 - 1,
#define CP0(name, member, type) F_CP0_##name,
#include "frontend/mips/cp0_state.def"
#undef CP0
    F_N,
};

/* Helper groups (struct state_field.group): the general registers have bits 0..31. */
#define GROUP_R(n) (UINT64_C(1) << (n))
#define GROUP_GPRS UINT64_C(0xffffffff)
#define GROUP_HILO (UINT64_C(1) << 32)
#define GROUP_DSP (UINT64_C(1) << 33)  /* dspcontrol */
#define GROUP_FP (UINT64_C(1) << 34)   /* FPRs, vector registers */
#define GROUP_FCSR (UINT64_C(1) << 35) /* fcc, fcsr, flags, cause, last, msacsr */
#define GROUP_CP0 (UINT64_C(1) << 36)
#define GROUP_PC (UINT64_C(1) << 37) /* run.pc, run.key */
#define GROUP_LL (UINT64_C(1) << 38)
#define GROUP_BRANCH (UINT64_C(1) << 39)
#define GROUP_ALL (~UINT64_C(0))

extern const struct state_field mips_fields32[F_N], mips_fields64[F_N]; /* mips.c */
extern const struct ir_fp_rules mips_fp_rules;                          /* fp_rules.c */
extern const struct mmu_client mips_mmu_client;                         /* mmu.c */
extern const struct cpu_model mips_models32[], mips_models64[];         /* models.c */
extern const struct guest_register_set mips_register_sets32[], mips_register_sets64[];

static inline bool mips_has(const struct mips_cpu *cpu, uint32_t features)
{
    return (cpu->model->features & features) == features;
}

/* An address of this guest: what 32-bit arithmetic gives, extended as the guest has it. */
static inline uint64_t mips_address(const struct mips_cpu *cpu, uint32_t address)
{
    return cpu->wide ? (uint64_t)(int64_t)(int32_t)address : address;
}

/* A PC as software sees it: bit 0 is the ISA mode. */
static inline uint64_t mips_pc(const struct mips_cpu *cpu)
{
    return cpu->v.run.pc | (cpu->v.run.key & KEY_ISA_MODE);
}

/* Goes on there. Without MIPS16e an odd address stays one, and fails to be fetched from. */
static inline void mips_set_pc(struct mips_cpu *cpu, uint64_t pc)
{
    uint32_t mode = mips_has(cpu, MIPS_HAS_MIPS16) ? (uint32_t)pc & KEY_ISA_MODE : 0;

    cpu->v.run.pc = pc - mode;
    cpu->v.run.key = (cpu->v.run.key & ~(uint32_t)KEY_OF_PLACE) | mode;
}

/* exceptions.c. Recomputes run.key (but for KEY_OF_PLACE) and selects the MMU space. Call after
 * anything in the key's inputs changed: Status, Config5, Debug, HWREna, FCSR control, MSACSR,
 * EntryHi.ASID, PageGrain. */
void mips_update_mode(struct mips_cpu *cpu);
void mips_update_coprocessors(struct mips_cpu *cpu); /* only KEY_COPROCESSORS may differ */
void mips_raise(struct vcpu *v, const struct exception *e);
/* From helpers declared MAY_FAULT. */
NORETURN void mips_raise_exception(struct mips_cpu *cpu, enum mips_exception kind,
                                   uint32_t syndrome);
const char *mips_exception_name(unsigned kind);
/* Interrupts that are pending, enabled and not masked; and a look at the next poll if there are. */
bool mips_interrupt_ready(const struct mips_cpu *cpu);
void mips_poll_interrupts(struct mips_cpu *cpu);

/* mmu.c */
void mips_tlb_reset(struct mips_cpu *cpu);
uint32_t mips_mmu_tag(const struct mips_cpu *cpu);

/* timer.c: Count and Compare. */
void mips_timer_init(struct mips_cpu *cpu);
void mips_timer_reset(struct mips_cpu *cpu);
uint32_t mips_count_read(struct mips_cpu *cpu);
void mips_count_write(struct mips_cpu *cpu, uint32_t value);
void mips_compare_write(struct mips_cpu *cpu, uint32_t value);
void mips_timer_update(struct mips_cpu *cpu); /* Cause.DC changed */
void mips_timer_poll(struct mips_cpu *cpu);   /* Cause is about to be read */

/* fpu.c: FCSR put together, and taken apart (what is writable; the caller checks for traps). */
uint32_t mips_fcsr_read(struct mips_cpu *cpu);
void mips_fcsr_write(struct mips_cpu *cpu, uint32_t value);
void mips_fpu_reset(struct mips_cpu *cpu);
/* Loads the host's control word for the FPU's rounding mode: after anything else used it. */
void mips_fp_control_update(struct mips_cpu *cpu);

/* system.c: the entry points of struct guest (see guest.h). */
bool mips_init(struct vcpu *v, struct error *err);
void mips_reset(struct vcpu *v);
void mips_finish(struct vcpu *v);
void mips_restore(struct vcpu *v, uint64_t pc, uint32_t aux);
bool mips_take_interrupt(struct vcpu *v);
bool mips_has_work(struct vcpu *v);
void mips_set_irq(struct vcpu *v, unsigned line, bool level);
void mips_print_state(struct vcpu *v, FILE *out);
void mips_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque);

#endif
