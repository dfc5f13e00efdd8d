/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 processor's state, for both guests: "i386" (32-bit guest-virtual addresses, general
 * registers are I32 fields) and "x86_64" (wide addresses, I64 fields; it runs all modes). "SDM" is
 * the Intel 64 and IA-32 Architectures Software Developer's Manual, "APM" AMD's.
 *
 * What lives where: the six status flags are one IR_FLAGS field; DF has a field of its own; TF, IF,
 * IOPL, NT, RF, VM, AC, VIF, VIP and ID are in `eflags`. x86_eflags_read and x86_eflags_write are
 * the only places that put them together and take them apart. run.pc is the *linear* address of the
 * next instruction: CS.base + EIP, which is RIP in 64-bit mode.
 */
#ifndef CALQUE_FRONTEND_X86_CPU_H
#define CALQUE_FRONTEND_X86_CPU_H

#include "frontend/guest.h"
#include "util/bits.h"

/* run.key: everything about the mode that changes what an instruction translates to. */
enum x86_key {
    KEY_CODE32 = 1 << 0,    /* CS.D: operands and addresses are 32-bit by default */
    KEY_CODE64 = 1 << 1,    /* 64-bit mode (EFER.LMA and CS.L) */
    KEY_STACK32 = 1 << 2,   /* SS.B (64-bit mode does not look at it) */
    KEY_PROTECTED = 1 << 3, /* CR0.PE and not EFLAGS.VM */
    KEY_VM86 = 1 << 4,      /* CR0.PE and EFLAGS.VM */
    KEY_LONG = 1 << 5,      /* EFER.LMA: 64-bit or compatibility mode */
    KEY_CPL_SHIFT = 6,      /* bits 7:6 */
    KEY_CPL = 3 << 6,
    KEY_CS_FLAT = 1 << 8,        /* CS: base 0, limit 4 GiB - 1 (always in 64-bit mode) */
    KEY_DATA_FLAT = 1 << 9,      /* DS, ES, SS: base 0, limit 4 GiB - 1, readable and writable */
    KEY_FS_OPEN = 1 << 10,       /* FS: readable and writable, limit 4 GiB - 1: add the base only */
    KEY_TRACE = 1 << 11,         /* EFLAGS.TF: #DB after every instruction */
    KEY_FPU_TRAP = 1 << 12,      /* CR0.EM or TS: x87 gives #NM (MMX: EM #UD, TS #NM) */
    KEY_WAIT_TRAP = 1 << 13,     /* CR0.MP and TS: WAIT gives #NM */
    KEY_EMULATE = 1 << 14,       /* CR0.EM: MMX and SSE give #UD */
    KEY_TASK_SWITCHED = 1 << 15, /* CR0.TS: SSE gives #NM */
    KEY_SSE = 1 << 16,           /* CR4.OSFXSR */
    KEY_AVX = 1 << 17,           /* CR4.OSXSAVE and XCR0.AVX */
    KEY_X87_UNMASKED = 1 << 18,  /* an x87 exception is unmasked or one is pending */
    KEY_SSE_UNMASKED = 1 << 19,  /* an SSE exception is unmasked */
    KEY_ALIGN = 1 << 20,         /* CR0.AM, EFLAGS.AC, CPL 3: data accesses are checked (#AC) */
    KEY_DATA_BREAK = 1 << 21,    /* DR7 enables a data or I/O breakpoint */
    KEY_CODE_BREAK = 1 << 22,    /* DR7 enables an instruction breakpoint */
    KEY_GS_OPEN = 1 << 23,       /* GS likewise */
    KEY_FPU = 0xff << 12,        /* KEY_FPU_TRAP to KEY_SSE_UNMASKED */
};

enum x86_register { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R15 = 15 };
enum x86_segment_register { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, N_SEGMENTS };

/* SDM vol. 3, 6.3.1. kind of struct exception; syndrome is the error code. */
enum x86_exception {
    EXC_DE,
    EXC_DB,
    EXC_NMI,
    EXC_BP,
    EXC_OF,
    EXC_BR,
    EXC_UD,
    EXC_NM,
    EXC_DF,
    EXC_09,
    EXC_TS,
    EXC_NP,
    EXC_SS,
    EXC_GP,
    EXC_PF,
    EXC_15,
    EXC_MF,
    EXC_AC,
    EXC_MC,
    EXC_XM,
    EXC_KIND = 0xff,
    EXC_NON_CANONICAL = 1 << 9, /* an EXC_GP that is a #SS if the access went through SS */
    EXC_SOFTWARE = 1 << 8,      /* INT n, INT3, INTO: the gate's DPL counts; returns behind it */
};

/* EFLAGS, SDM vol. 1, 3.4.3. */
enum x86_eflags {
    EFLAGS_CF = 1 << 0,
    EFLAGS_1 = 1 << 1,
    EFLAGS_PF = 1 << 2,
    EFLAGS_AF = 1 << 4,
    EFLAGS_ZF = 1 << 6,
    EFLAGS_SF = 1 << 7,
    EFLAGS_TF = 1 << 8,
    EFLAGS_IF = 1 << 9,
    EFLAGS_DF = 1 << 10,
    EFLAGS_OF = 1 << 11,
    EFLAGS_IOPL = 3 << 12,
    EFLAGS_NT = 1 << 14,
    EFLAGS_RF = 1 << 16,
    EFLAGS_VM = 1 << 17,
    EFLAGS_AC = 1 << 18,
    EFLAGS_VIF = 1 << 19,
    EFLAGS_VIP = 1 << 20,
    EFLAGS_ID = 1 << 21,
    EFLAGS_STATUS = EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | EFLAGS_SF | EFLAGS_OF,
};

enum x86_cr0 {
    CR0_PE = 1 << 0,
    CR0_MP = 1 << 1,
    CR0_EM = 1 << 2,
    CR0_TS = 1 << 3,
    CR0_ET = 1 << 4,
    CR0_NE = 1 << 5,
    CR0_WP = 1 << 16,
    CR0_AM = 1 << 18,
    CR0_NW = 1 << 29,
    CR0_CD = 1 << 30,
};
#define CR0_PG 0x80000000u
enum x86_cr4 {
    CR4_VME = 1 << 0,
    CR4_PVI = 1 << 1,
    CR4_TSD = 1 << 2,
    CR4_DE = 1 << 3,
    CR4_PSE = 1 << 4,
    CR4_PAE = 1 << 5,
    CR4_MCE = 1 << 6,
    CR4_PGE = 1 << 7,
    CR4_PCE = 1 << 8,
    CR4_OSFXSR = 1 << 9,
    CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11,
    CR4_FSGSBASE = 1 << 16,
    CR4_PCIDE = 1 << 17,
    CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
};
enum x86_efer { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };

/* A segment register with its hidden part. attributes: bits 23:8 of the descriptor's high word,
 * shifted right by 8 (type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15). limit is in bytes.
 */
struct x86_segment {
    uint16_t selector;
    uint16_t attributes;
    uint32_t limit;
    uint64_t base;
};
enum x86_attributes {
    ATTR_TYPE = 15,
    ATTR_ACCESSED = 1,
    ATTR_WRITABLE = 2,
    ATTR_READABLE = 2 /* code */,
    ATTR_EXPAND_DOWN = 4,
    ATTR_CONFORMING = 4,
    ATTR_CODE = 8,
    ATTR_S = 1 << 4,
    ATTR_DPL_SHIFT = 5,
    ATTR_P = 1 << 7,
    ATTR_L = 1 << 13,
    ATTR_DB = 1 << 14,
    ATTR_G = 1 << 15,
    ATTR_UNUSABLE = 1 << 8, /* ours: a null selector was loaded */
};

struct x86_table {
    uint64_t base;
    uint32_t limit;
};

/* Lines of guest.set_irq. */
enum x86_irq_in { X86_INTR, X86_NMI, X86_INIT, X86_SMI, X86_A20, X86_N_IRQ_IN };

enum x86_feature {
    /* CPUID.1 EDX, ECX; 7.0 EBX, ECX; 80000001 EDX, ECX; D.1 EAX. Names as in the SDM. */
    HAS_FPU,
    HAS_VME,
    HAS_DE,
    HAS_PSE,
    HAS_TSC,
    HAS_MSR,
    HAS_PAE,
    HAS_MCE,
    HAS_CX8,
    HAS_APIC,
    HAS_SEP,
    HAS_MTRR,
    HAS_PGE,
    HAS_MCA,
    HAS_CMOV,
    HAS_PAT,
    HAS_PSE36,
    HAS_CLFSH,
    HAS_MMX,
    HAS_FXSR,
    HAS_SSE,
    HAS_SSE2,
    HAS_SSE3,
    HAS_PCLMUL,
    HAS_MONITOR,
    HAS_SSSE3,
    HAS_FMA,
    HAS_CX16,
    HAS_PCID,
    HAS_SSE41,
    HAS_SSE42,
    HAS_X2APIC,
    HAS_MOVBE,
    HAS_POPCNT,
    HAS_TSC_DEADLINE,
    HAS_AES,
    HAS_XSAVE,
    HAS_AVX,
    HAS_F16C,
    HAS_RDRAND,
    HAS_FSGSBASE,
    HAS_BMI1,
    HAS_AVX2,
    HAS_SMEP,
    HAS_BMI2,
    HAS_ERMS,
    HAS_INVPCID,
    HAS_RDSEED,
    HAS_ADX,
    HAS_SMAP,
    HAS_CLFLUSHOPT,
    HAS_SHA,
    HAS_UMIP,
    HAS_RDPID,
    HAS_SYSCALL,
    HAS_NX,
    HAS_PDPE1GB,
    HAS_RDTSCP,
    HAS_LM,
    HAS_LAHF64,
    HAS_ABM,
    HAS_SSE4A,
    HAS_3DNOWPREFETCH,
    HAS_XSAVEOPT,
    N_FEATURES, /* at most 64: a set is a uint64_t */
};
#define FEATURE(name) (UINT64_C(1) << HAS_##name)

/* One `-cpu`. */
struct x86_model {
    char vendor[13];
    uint8_t family, model, stepping;
    uint64_t features; /* FEATURE bits; what calque does not implement is never set */
    const char *brand;
    uint32_t max_basic, max_extended;
    uint8_t physical_bits;
};

struct x86_cpu {
    struct vcpu v; /* first */

    uint64_t gpr[16];
    uint16_t status; /* the six flags in the stored form of IR_FLAGS */
    uint32_t df;     /* EFLAGS.DF: 0 or 1 */
    uint32_t eflags; /* the others */
    /* Interrupts wait until the instruction at this address (its low half) is done; 0: none does
     * (STI, MOV SS, POP SS). */
    uint32_t inhibit;
    uint32_t pending_debug; /* DR6 bits of a #DB that take_interrupt raises before anything else */
    struct x86_segment segment[N_SEGMENTS], ldt, tr;
    struct x86_table gdt, idt;
    uint32_t cpl;
    uint64_t cr0, cr2, cr3, cr4, efer, xcr0;
    uint64_t dr[8];
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux, pat;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;

    /* YMM: the low 16 bytes of each are XMM. */
    uint64_t ymm[16][4] __attribute__((aligned(32)));
    uint32_t
        mxcsr; /* control bits as written; the sticky ones are in the host's MXCSR while running */
    uint64_t vtemp[16] __attribute__((aligned(32))); /* operands of vector helpers */

    /* x87: registers, status, tags and the control word's rounding and precision are in run.x87;
     * the exception masks as the guest wrote them are here. The last instruction's pointers too. */
    uint32_t fpu_control;
    uint32_t fpu_opcode, fpu_cs, fpu_ds;
    uint64_t fpu_ip, fpu_dp;

    uint64_t features;
    const struct x86_model *model;
    _Atomic uint32_t irq_lines; /* bit per enum x86_irq_in */
    bool nmi_blocked, shutdown;
    struct x86_system *sys; /* what only the system part looks at */
};

static inline struct x86_cpu *x86_cpu(void *cpu)
{
    return (struct x86_cpu *)cpu;
}
static inline bool x86_has(const struct x86_cpu *cpu, enum x86_feature feature)
{
    return cpu->features >> feature & 1;
}

/* State fields: indices for ir_get / ir_set. */
enum x86_field {
    F_PC,                 /* run.pc, I64 */
    F_KEY,                /* run.key, I32 */
    F_R0,                 /* 16; I32 in the i386 guest (only 8 used), I64 in x86_64 */
    F_STATUS = F_R0 + 16, /* IR_FLAGS */
    F_DF,
    F_EFLAGS,
    F_INHIBIT,
    F_CR0,
    F_CR2,
    F_CR3,
    F_CR4,
    F_BASE0,                         /* 6 segment bases: I32 in the i386 guest, I64 in x86_64 */
    F_LIMIT0 = F_BASE0 + 6,          /* 6, I32 */
    F_SELECTOR0 = F_LIMIT0 + 6,      /* 6, I16 */
    F_ATTRIBUTES0 = F_SELECTOR0 + 6, /* 6, I16 */
    F_XMM0 = F_ATTRIBUTES0 + 6,      /* 16, V128 */
    F_YMM_HIGH0 = F_XMM0 + 16,       /* 16, V128: bits 255:128 */
    F_XMM_S0 = F_YMM_HIGH0 + 16,     /* 16, I32 view of the low lane */
    F_XMM_D0 = F_XMM_S0 + 16,        /* 16, I64 view of the low lane */
    F_MXCSR = F_XMM_D0 + 16,
    F_FPU_CONTROL,
    F_FPU_OPCODE,
    F_FPU_CS,
    F_FPU_IP, /* I64 */
    F_FPU_DS,
    F_FPU_DP, /* I64 */
    F_VTEMP0, /* 8, V128 */
    F_N = F_VTEMP0 + 8,
};

/* Helper groups (struct state_field.group): general registers have bits 0..15. */
#define GROUP_R(n) (UINT64_C(1) << (n))
#define GROUP_GPRS UINT64_C(0xffff)
#define GROUP_STATUS (UINT64_C(1) << 16)
#define GROUP_EFLAGS (UINT64_C(1) << 17) /* df, eflags, inhibit */
#define GROUP_SEGMENTS (UINT64_C(1) << 18)
#define GROUP_VECTOR (UINT64_C(1) << 19) /* xmm, ymm */
#define GROUP_FPU (UINT64_C(1) << 20)    /* mxcsr, fpu_* */
#define GROUP_PC (UINT64_C(1) << 21)
#define GROUP_CONTROL (UINT64_C(1) << 22) /* control registers */
#define GROUP_ALL (~UINT64_C(0))

extern const struct state_field x86_fields32[F_N], x86_fields64[F_N];
extern const struct ir_fp_rules x86_fp_rules;                 /* fpu.c */
NORETURN void x86_divide_error(void *cpu);                    /* integer.c */
extern const struct mmu_client x86_mmu_client;                /* mmu.c */
extern const struct cpu_model x86_models32[], x86_models64[]; /* models.c; parameters: x86_model */
extern const struct guest_register_set x86_register_sets32[],
    x86_register_sets64[]; /* registers.c */

/* ---- state as the architecture shows it (state.c) -------------------------------------------- */

uint32_t x86_eflags_read(const struct x86_cpu *cpu);
/* Writes the bits in mask and updates the mode. */
void x86_eflags_write(struct x86_cpu *cpu, uint32_t value, uint32_t mask);
/* Status flags between EFLAGS's layout and that of IR_FLAGS. */
uint32_t x86_status_to_eflags(uint16_t status);
uint16_t x86_eflags_to_status(uint32_t eflags);
/* Recomputes run.key and selects the MMU's space. Call after anything in the key's inputs changed.
 */
void x86_update_mode(struct x86_cpu *cpu);
void x86_update_level(struct x86_cpu *cpu); /* after changes of CS, SS, EFLAGS or data segments */
static inline uint64_t x86_ip(const struct x86_cpu *cpu) /* EIP or RIP, from run.pc */
{
    return cpu->v.run.key & KEY_CODE64 ? cpu->v.run.pc
                                       : (uint32_t)(cpu->v.run.pc - cpu->segment[SEG_CS].base);
}
void x86_set_ip(struct x86_cpu *cpu, uint64_t ip); /* run.pc from EIP or RIP */

/* ---- exceptions, callable from MAY_FAULT helpers --------------------------------------------- */

NORETURN void x86_raise(struct x86_cpu *cpu, enum x86_exception kind, uint32_t error_code);
#define x86_raise_gp(cpu, error_code) x86_raise(cpu, EXC_GP, error_code)

/* Loads a segment register with all checks (SDM vol. 3, 5); raises. Updates the mode. */
void x86_load_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector);

/* Debug registers. A data access hit DR7's wishes: notes it in pending_debug and kicks. */
void x86_check_data_break(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write);
/* Raises #DB if an instruction breakpoint is at this address and RF is clear. */
void x86_check_code_break(struct x86_cpu *cpu, uint64_t linear);
/* May the program use these ports (IOPL, the TSS's bitmap)? Raises #GP(0) if not. */
void x86_check_io(struct x86_cpu *cpu, uint16_t port, unsigned size);

/* ---- FPU and SSE state (fpu.c) ----------------------------------------------------------------*/

/* MXCSR as the guest sees it; writing updates the host's control word and the key. */
uint32_t x86_mxcsr_read(struct x86_cpu *cpu);
void x86_mxcsr_write(struct x86_cpu *cpu, uint32_t value);
void x86_fpu_reset(struct x86_cpu *cpu); /* power-on: x87 as after FNINIT, MXCSR 1f80 */
/* FXSAVE, FXRSTOR, XSAVE... are in fpu.c and need nothing from the system part but these. */
/* Raises #MF if an unmasked x87 exception is pending (at a waiting instruction). */
void x86_fpu_check(struct x86_cpu *cpu);

/* ---- the guest's entry points for struct guest (system.c) -------------------------------------*/

bool x86_init(struct vcpu *v, struct error *err);
bool x86_features(struct vcpu *v, const char *list, struct error *err); /* features.c */
void x86_reset(struct vcpu *v);
void x86_finish(struct vcpu *v);
const char *x86_exception_name(unsigned kind);
void x86_mode_name(uint32_t key, char *text, size_t text_size);
void x86_raise_exception(struct vcpu *v, const struct exception *e);
void x86_restore_state(struct vcpu *v, uint64_t pc, uint32_t aux);
bool x86_take_interrupt(struct vcpu *v);
bool x86_has_work(struct vcpu *v);
void x86_set_irq(struct vcpu *v, unsigned line, bool level);
void x86_print_state(struct vcpu *v, FILE *out);
void x86_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque);

#endif
