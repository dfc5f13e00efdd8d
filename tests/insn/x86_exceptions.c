/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list; see x86_exceptions.h. "SDM" and "APM" as in frontend/x86/cpu.h. */
#include "tests/insn/x86_exceptions.h"

#include "tests/nan_lanes.h"

enum {
    CF = EFLAGS_CF,
    PF = EFLAGS_PF,
    AF = EFLAGS_AF,
    ZF = EFLAGS_ZF,
    SF = EFLAGS_SF,
    OF = EFLAGS_OF,
};

/*
 * Flags that SDM and APM leave undefined and that processors leave differently: these keep what an
 * instruction before gave, show something of the way the result was found, or are cleared. calque
 * does what costs least. All other undefined flags are compared.
 */
static const struct undefined_flags {
    const char *name;
    uint32_t flags;
} undefined_flags[] = {
    {"MUL", SF | ZF | AF | PF},
    {"IMUL", SF | ZF | AF | PF},
    {"DIV", CF | OF | SF | ZF | AF | PF},
    {"IDIV", CF | OF | SF | ZF | AF | PF},
    {"DAA", OF},
    {"DAS", OF},
    {"AAA", OF | SF | ZF | PF},
    {"AAS", OF | SF | ZF | PF},
    {"AAD", OF | AF | CF},
    {"AAM", OF | AF | CF},
};

static uint32_t undefined_flags_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(undefined_flags); i++)
        if (!strcmp(name, undefined_flags[i].name))
            return undefined_flags[i].flags;
    return 0;
}

/* A rule about a case and its results; `when` may level what may differ, and says whether all may.
 * ours, host: exceptions it is about, ANY_EXCEPTION for all. */
enum { ANY_EXCEPTION = -2 };
struct context {
    const struct x86_case *c;
    const struct x86_insn *insn;
    struct x86_result *ours, *host;
};

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static bool is_memory_exception(int outcome)
{
    return outcome == EXC_PF || outcome == EXC_GP || outcome == EXC_SS || outcome == EXC_AC;
}

static bool narrow_branch(const struct context *x)
{
    return x->c->code64 && x->insn->operand_prefix && (x->insn->row->traits & ROW_FORCE64) &&
           (x->insn->row->traits & ROW_BRANCH);
}

static bool narrow_stack_base(const struct context *x)
{
    int64_t rsp = (int64_t)x->c->before.gpr[RSP];

    return x->c->code64 && x->insn->address_size == 4 && x->insn->base == RSP &&
           x->insn->index != REG_NONE && rsp >> 47 != 0 && rsp >> 47 != -1;
}

static bool register_prefetch(const struct context *x)
{
    return !strcmp(x->insn->row->encoding, "0F 0D /r") && x->insn->modrm >= 0xc0;
}

static bool wide_operand(const struct context *x)
{
    for (unsigned i = 0; i < x->insn->n_operands; i++)
        if (x->insn->operand[i].kind == OPND_MEM && x->insn->operand[i].size >= 16)
            return true;
    return false;
}

static bool ignored_w(const struct context *x)
{
    return !x->c->code64 && x->insn->rex_w;
}

static bool narrow_memory(const struct context *x)
{
    return x->insn->operand_size == 2 && x->insn->modrm < 0xc0 && x->host->outcome != OUTCOME_DONE;
}

static bool wide_far_pointer(const struct context *x)
{
    return x->c->code64 && x->insn->rex_w;
}

/* The upper part of what PUSH of a segment register writes. */
static bool pushed_selector(const struct context *x)
{
    uint64_t at = x->ours->after.gpr[RSP] - (x->c->code16 ? 0 : DATA_BASE) + 2;
    unsigned size = x->insn->operand_size - 2u;

    if (!(x->insn->row->traits & ROW_SYSTEM))
        return false;
    if (x->host->outcome != OUTCOME_DONE)
        return true;
    if (x->host->outcome == OUTCOME_DONE && at <= DATA_BYTES - size)
        memcpy(x->ours->data + at, x->host->data + at, size);
    return false;
}

static bool popped_selector(const struct context *x)
{
    return (x->insn->row->traits & ROW_SYSTEM) &&
           (x->host->outcome == EXC_PF || x->host->outcome == EXC_AC || x->host->outcome == EXC_SS);
}

static bool non_canonical_target(const struct context *x)
{
    return x->ours->after.rip >> 47 && x->ours->after.rip >> 47 != 0x1ffff;
}

static void level_mxcsr(const struct context *x, uint32_t bits)
{
    uint8_t *ours = x->ours->after.legacy + LEGACY_MXCSR;
    uint32_t a, b;

    memcpy(&a, ours, sizeof(a));
    memcpy(&b, x->host->after.legacy + LEGACY_MXCSR, sizeof(b));
    a = (a & ~bits) | (b & bits);
    memcpy(ours, &a, sizeof(a));
}

static bool inexact_flag(const struct context *x)
{
    level_mxcsr(x, 0x20);
    return false;
}

static bool all_vector_flags(const struct context *x)
{
    level_mxcsr(x, 0x3f);
    return false;
}

static bool invalid_unmasked(const struct context *x)
{
    if (x->c->before.legacy[0] & 1)
        return false;
    x->ours->after.eflags = x->host->after.eflags;
    return false;
}

static bool other_byte(const struct context *x)
{
    if (x->ours->address >> 12 == x->host->address >> 12)
        x->ours->address = x->host->address;
    return false;
}

static bool mmx_state(const struct context *x)
{
    if (x->insn->row->traits & ROW_MMX)
        memcpy(x->ours->after.legacy, x->host->after.legacy, LEGACY_MXCSR);
    if (x->insn->row->traits & ROW_MMX)
        memcpy(x->ours->after.legacy + LEGACY_ST, x->host->after.legacy + LEGACY_ST,
               LEGACY_XMM - LEGACY_ST);
    return false;
}

static void level_vector(const struct context *x, unsigned reg)
{
    unsigned at = LEGACY_XMM + 16 * reg;

    memcpy(x->ours->after.legacy + at, x->host->after.legacy + at, 16);
    memcpy(x->ours->after.ymm_high[reg], x->host->after.ymm_high[reg], 16);
}

/* The mask: what is left of it counts, not what the done elements' signs were spread to. And the
 * destination: which elements were there already. */
static bool gather_registers(const struct context *x)
{
    if (is_memory_exception(x->host->outcome)) {
        level_vector(x, x->insn->vex_v);
        level_vector(x, x->insn->operand[0].reg);
    }
    return false;
}

/* By a constant: 0 and 1 are said what OF is after them, others are not. */
static bool rotated_further(const struct context *x)
{
    unsigned count = (unsigned)x->insn->imm & (x->insn->operand_size == 8 ? 63 : 31);

    if (count > 1)
        x->ours->after.eflags =
            (x->ours->after.eflags & ~(uint32_t)OF) | (x->host->after.eflags & OF);
    return false;
}

static bool repeated_flags(const struct context *x)
{
    if (x->insn->rep && is_memory_exception(x->host->outcome))
        x->ours->after.eflags = x->host->after.eflags;
    return false;
}

/* The store of an x87 instruction that raised does not take place. */
static bool unmasked_store(const struct context *x)
{
    return is_memory_exception(x->ours->outcome) && (x->host->after.legacy[2] & 0x80);
}

static bool jumps_to_itself(const struct context *x)
{
    return x->ours->after.rip == x->host->after.rip;
}

static bool operand_faults(const struct context *x)
{
    return is_memory_exception(x->ours->outcome);
}

static bool eight_bytes(const struct context *x)
{
    for (unsigned i = 0; i < x->insn->n_operands; i++)
        if (x->insn->operand[i].kind == OPND_MEM && x->insn->operand[i].size == 8)
            return true;
    return false;
}

static bool end_of_segment(const struct context *x)
{
    return !x->c->code64 && (uint32_t)x->ours->address > UINT32_MAX - 32;
}

static bool pushed_before(const struct context *x)
{
    memcpy(x->ours->data, x->host->data, DATA_BYTES);
    return false;
}

/* What Intel has done by the time that a store faults. */
static bool mmx_before_fault(const struct context *x)
{
    return is_memory_exception(x->host->outcome) && mmx_state(x);
}

static bool flags_before_fault(const struct context *x)
{
    return x->ours->outcome == x->host->outcome && is_memory_exception(x->host->outcome) &&
           all_vector_flags(x);
}

static bool bytes_before_fault(const struct context *x)
{
    return x->ours->outcome == x->host->outcome && x->host->outcome != EXC_AC &&
           is_memory_exception(x->host->outcome) && pushed_before(x);
}

static bool aligned_operand(const struct context *x)
{
    return x->insn->row->traits & ROW_MEM_ALIGNED;
}

static bool segment_limit(const struct context *x)
{
    return x->c->code16;
}

static bool other_error_code(const struct context *x)
{
    x->ours->error_code = x->host->error_code;
    return false;
}

/* Both operands of a CMPS fault: ours tells of the first, the host perhaps of the other. */
static bool either_operand(const struct context *x)
{
    uint64_t mask = x->insn->address_size == 8   ? ~UINT64_C(0)
                    : x->insn->address_size == 4 ? UINT32_MAX
                                                 : UINT16_MAX;
    uint64_t second = x->c->before.gpr[RDI] & mask;

    if (!is_memory_exception(x->ours->outcome) || !is_memory_exception(x->host->outcome))
        return false;
    return x->host->outcome != x->ours->outcome ||
           x->host->address - second < x->insn->operand_size;
}

/* The only limit in the way of 32-bit code's data is that of the address space. */
static bool flat_memory(const struct context *x)
{
    return !x->c->code64 && !x->c->code16 && x->insn->modrm < 0xc0;
}

static bool no_repeats(const struct context *x)
{
    uint64_t mask = x->insn->address_size == 8 ? ~UINT64_C(0) : UINT32_MAX;

    return x->insn->rep && !(x->c->before.gpr[RCX] & mask);
}

static const struct known_difference {
    const char *name; /* a prefix of the row's */
    int ours, host;
    bool (*when)(const struct context *x);
    const char *reason;
} known_differences[] = {
    {"", ANY_EXCEPTION, ANY_EXCEPTION, narrow_branch,
     "near branch with 66 in 64-bit mode: Intel ignores it (SDM vol. 2, 2.2.1.7), AMD cuts RIP"},
    {"", ANY_EXCEPTION, EXC_GP, narrow_stack_base,
     "67h [esp + index] with a high part of RSP that is not canonical: AMD family 26 refuses some"},
    {"NOP", OUTCOME_DONE, EXC_UD, register_prefetch,
     "0F 0D with a register: a NOP on Intel, undefined on AMD"},
    {"", ANY_EXCEPTION, EXC_AC, wide_operand,
     "unaligned 16 and 32 bytes: #AC depends on the processor (SDM vol. 3, 6.15)"},
    {"", EXC_AC, ANY_EXCEPTION, wide_operand, "the same"},
    {"VPINSRD", ANY_EXCEPTION, EXC_UD, ignored_w,
     "VEX.W1 outside 64-bit mode: ignored on Intel (SDM's footnote), undefined on AMD"},
    {"VPEXTRD", ANY_EXCEPTION, EXC_UD, ignored_w, "the same"},
    {"SHA", EXC_GP, ANY_EXCEPTION, wide_operand,
     "unaligned: #GP in SDM vol. 2 (type 4), AMD's processors take it"},
    {"POPA", EXC_PF, EXC_PF, NULL,
     "some registers are loaded before the fault; doing it again gives the same"},
    {"POPA", EXC_SS, EXC_SS, NULL, "the same"},
    {"CALL", EXC_GP, EXC_SS, NULL,
     "target and stack beyond their limits: SDM's CALL looks at the target first, AMD at the "
     "stack"},
    {"CALL", EXC_GP, EXC_GP, pushed_before, "the same the other way round: Intel has written"},
    {"CALL", EXC_GP, EXC_PF, NULL, "the same: the write faults first"},
    {"CALL", EXC_GP, EXC_AC, NULL, "the same"},
    {"CALLF", EXC_GP, EXC_GP, pushed_before,
     "target beyond the limit: AMD has written the return address, below the stack pointer"},
    {"CALLF", EXC_GP, EXC_PF, NULL, "the same: its write faults first"},
    {"CALLF", EXC_GP, EXC_AC, NULL, "the same"},
    {"CALLF", EXC_GP, EXC_SS, NULL, "the same"},
    {"", EXC_GP, EXC_AC, segment_limit,
     "misaligned and beyond a limit, or one operand each: the order is open"},
    {"", EXC_SS, EXC_AC, segment_limit, "the same"},
    {"", EXC_SS, EXC_GP, aligned_operand, "misaligned and beyond SS's limit: the order is open"},
    {"VMASKMOV", OUTCOME_DONE, EXC_GP, segment_limit,
     "bytes beyond the limit that the mask leaves out: open"},
    {"VPMASKMOV", OUTCOME_DONE, EXC_GP, segment_limit, "the same"},
    {"VMASKMOV", OUTCOME_DONE, EXC_SS, segment_limit, "the same"},
    {"VPMASKMOV", OUTCOME_DONE, EXC_SS, segment_limit, "the same"},
    {"VMASKMOV", EXC_GP, OUTCOME_DONE, segment_limit,
     "elements beyond the limit of an operand that begins below it: some AMDs do not look"},
    {"VPMASKMOV", EXC_GP, OUTCOME_DONE, segment_limit, "the same"},
    {"VMASKMOV", EXC_SS, OUTCOME_DONE, segment_limit, "the same"},
    {"VPMASKMOV", EXC_SS, OUTCOME_DONE, segment_limit, "the same"},
    {"CMPS", ANY_EXCEPTION, ANY_EXCEPTION, either_operand,
     "which of two operands faults first is open: some AMDs read ES:DI first"},
    {"", EXC_AC, EXC_GP, flat_memory, "misaligned and over 4 GiB: the order is open"},
    {"", EXC_AC, EXC_SS, flat_memory, "the same"},
    {"MASKMOV", ANY_EXCEPTION, EXC_PF, NULL,
     "whether bytes that the mask leaves out fault, and which address is told, is open"},
    {"VMASKMOVDQU", ANY_EXCEPTION, EXC_PF, NULL, "the same"},
    {"MASKMOV", ANY_EXCEPTION, EXC_AC, NULL, "the same"},
    {"MASKMOV", ANY_EXCEPTION, EXC_GP, NULL, "the same; AMD has made the change to MMX by then"},
    {"VMASKMOVDQU", ANY_EXCEPTION, EXC_AC, NULL, "the same"},
    {"VMASKMOVDQU", ANY_EXCEPTION, EXC_GP, NULL, "the same"},
    {"MASKMOV", ANY_EXCEPTION, EXC_SS, NULL, "the same, through SS"},
    {"VMASKMOVDQU", ANY_EXCEPTION, EXC_SS, NULL, "the same, through SS"},
    {"CVT", EXC_XM, EXC_XM, mmx_state,
     "when a conversion to MMX raises, AMD has made the change to MMX by then"},
    {"", EXC_PF, EXC_GP, end_of_segment,
     "accesses over 4 GiB with that limit: open (SDM vol. 3, 5.3)"},
    {"", EXC_PF, EXC_SS, end_of_segment, "the same"},
    {"", EXC_XM, EXC_XM, inexact_flag,
     "with overflow or underflow raised, ours tells inexact as if it were masked"},
    {"DPP", EXC_XM, EXC_XM, all_vector_flags,
     "which of the steps still flag something when one raises is open"},
    {"VDPP", EXC_XM, EXC_XM, all_vector_flags, "the same"},
    {"FCOMI", OUTCOME_DONE, OUTCOME_DONE, invalid_unmasked,
     "unmasked invalid operation: SDM vol. 2 leaves EFLAGS alone, AMD sets it"},
    {"FUCOMI", OUTCOME_DONE, OUTCOME_DONE, invalid_unmasked, "the same"},
    {"FLDENV", EXC_PF, EXC_PF, other_byte, "which of several bytes is told is open"},
    {"FRSTOR", EXC_PF, EXC_PF, other_byte, "the same"},
    {"FNSTENV", EXC_PF, EXC_PF, other_byte, "the same"},
    {"FNSAVE", EXC_PF, EXC_PF, other_byte, "the same"},
    {"INS", OUTCOME_DONE, EXC_GP, no_repeats,
     "repeated no times: the permission is checked first on AMD, in SDM vol. 2 not at all"},
    {"OUTS", OUTCOME_DONE, EXC_GP, no_repeats, "the same"},
    {"VPGATHER", ANY_EXCEPTION, ANY_EXCEPTION, gather_registers,
     "SDM spreads the mask's signs first, AMD does not; what is loaded by then is open"},
    {"VGATHER", ANY_EXCEPTION, ANY_EXCEPTION, gather_registers, "the same"},
    {"VPMASKMOV", EXC_PF, EXC_PF, other_byte, "which of several elements is told is open"},
    {"VMASKMOV", EXC_PF, EXC_PF, other_byte, "the same"},
    {"VCVTPS2PH", ANY_EXCEPTION, ANY_EXCEPTION, flags_before_fault,
     "the store faults: Intel has set the flags of the conversion by then"},
    {"VCVTP", EXC_AC, OUTCOME_DONE, eight_bytes,
     "unaligned halves of vectors: #AC depends on the processor"},
    {"ROL", OUTCOME_DONE, OUTCOME_DONE, rotated_further,
     "OF after a rotation by more than 1: undefined, of Intel's the constant ones differ"},
    {"ROR", OUTCOME_DONE, OUTCOME_DONE, rotated_further, "the same"},
    {"CMPS", ANY_EXCEPTION, ANY_EXCEPTION, repeated_flags,
     "a fault of a later turn: SDM vol. 2 (REP) restores the flags from before the first, AMD "
     "leaves the last turn's"},
    {"SCAS", ANY_EXCEPTION, ANY_EXCEPTION, repeated_flags, "the same"},
    {"MOVD", ANY_EXCEPTION, ANY_EXCEPTION, mmx_before_fault,
     "when the store faults, Intel has made the change to MMX by then"},
    {"MOVQ", ANY_EXCEPTION, ANY_EXCEPTION, mmx_before_fault, "the same"},
    {"MOVNTQ", ANY_EXCEPTION, ANY_EXCEPTION, mmx_before_fault, "the same"},
    {"FSTP", ANY_EXCEPTION, ANY_EXCEPTION, bytes_before_fault,
     "of ten bytes on two pages Intel has written those before the fault"},
    {"FBSTP", ANY_EXCEPTION, ANY_EXCEPTION, bytes_before_fault, "the same"},
    {"FIST", ANY_EXCEPTION, OUTCOME_DONE, unmasked_store,
     "an unmasked exception and a store that faults: the order is open"},
    {"FST", ANY_EXCEPTION, OUTCOME_DONE, unmasked_store, "the same"},
    {"FBSTP", ANY_EXCEPTION, OUTCOME_DONE, unmasked_store, "the same"},
    {"VCVTPS2PH", ANY_EXCEPTION, EXC_XM, operand_faults,
     "an unmasked exception and a store that faults: the order is open"},
    {"VCVTP", EXC_AC, EXC_PF, NULL, "misaligned and unmapped: the order is open"},
    {"JMP", OUTCOME_DONE, OUTCOME_HANGS, jumps_to_itself, "the host goes on with it"},
    {"RETF", EXC_PF, EXC_GP, NULL, "Intel looks at what it has read before it reads on"},
    {"RETF", EXC_AC, EXC_PF, NULL, "misaligned and unmapped: the order is open"},
    {"IRET", EXC_PF, EXC_GP, NULL, "Intel looks at what it has read before it reads on"},
    {"IRET", EXC_GP, EXC_GP, other_error_code,
     "which of CS, SS and RIP is found bad first is open"},
    {"BOUND", ANY_EXCEPTION, EXC_BR, operand_faults,
     "the lower bound is compared before the "
     "upper one is read"},
    {"CMPS", EXC_PF, EXC_PF, other_byte, "which of several bytes is told is open"},
    {"SYSRET", EXC_GP, EXC_UD, NULL, "outside 64-bit mode: undefined on Intel (SDM vol. 2)"},
    {"SYSEXIT", EXC_GP, EXC_UD, NULL, "in long mode: undefined on AMD (APM vol. 3)"},
    {"SYSENTER", EXC_GP, EXC_UD, NULL, "the same"},
    {"MOVSXD", ANY_EXCEPTION, ANY_EXCEPTION, narrow_memory,
     "to 16 bits: reads 16 in SDM vol. 2, AMD 32"},
    {"PUSH", ANY_EXCEPTION, ANY_EXCEPTION, pushed_selector,
     "16 bits are written (SDM vol. 2, PUSH), AMD writes zeros above"},
    {"POP", ANY_EXCEPTION, ANY_EXCEPTION, popped_selector, "the same for what POP reads"},
    {"LSS", ANY_EXCEPTION, ANY_EXCEPTION, wide_far_pointer,
     "far pointers with REX.W: 16:64 in SDM vol. 2, AMD ignores REX.W"},
    {"LGS", ANY_EXCEPTION, ANY_EXCEPTION, wide_far_pointer, "the same"},
    {"JMPF", ANY_EXCEPTION, ANY_EXCEPTION, wide_far_pointer, "the same"},
    {"CALLF", ANY_EXCEPTION, ANY_EXCEPTION, wide_far_pointer, "the same"},
    {"RETF", EXC_GP, EXC_PF, NULL,
     "AMD reads where an outer stack's pointer would be before it looks at the selector"},
    {"RETF", EXC_GP, EXC_AC, NULL, "the same"},
    {"IRET", EXC_GP, EXC_PF, NULL, "AMD reads the whole frame before it looks at any of it"},
    {"IRET", EXC_GP, EXC_SS, NULL, "the same"},
    {"IRET", EXC_GP, EXC_AC, NULL, "the same"},
    {"IRET", EXC_PF, EXC_PF, other_byte, "the same"},
    {"IRET", EXC_AC, EXC_SS, segment_limit, "the same"},
    {"IRET", ANY_EXCEPTION, OUTCOME_HANGS, NULL,
     "#AC with EFLAGS.AC clear: Linux on Intel takes it for a split lock and tries again for ever"},
    {"ARPL", EXC_PF, EXC_PF, other_error_code, "AMD reads first: ours faults as a write"},
    {"ARPL", EXC_GP, EXC_AC, NULL, "the same"},
    {"ARPL", EXC_GP, EXC_PF, NULL, "the same"},
    {"RETF", EXC_PF, EXC_PF, other_byte, "the same"},
    {"JMP", OUTCOME_DONE, EXC_GP, non_canonical_target,
     "the #GP of a target that is not canonical comes at the target"},
    {"CALL", OUTCOME_DONE, EXC_GP, non_canonical_target, "the same"},
    {"RET", OUTCOME_DONE, EXC_GP, non_canonical_target, "the same"},
};

static bool is_known(const struct context *x)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_differences); i++) {
        const struct known_difference *k = &known_differences[i];
        if (has_prefix(x->insn->row->name, k->name) &&
            (k->ours == ANY_EXCEPTION || k->ours == x->ours->outcome) &&
            (k->host == ANY_EXCEPTION || k->host == x->host->outcome) && (!k->when || k->when(x)))
            return true;
    }
    return false;
}

/* The host's kernel may have something there, which a program cannot know; and ours its own. */
static void level_kernel_page(const struct x86_result *ours, struct x86_result *host)
{
    if (host->outcome == EXC_PF && (host->address >> 47 || host->address >> 12 == GDT_BASE32 >> 12))
        host->error_code = (host->error_code & ~1u) | (ours->error_code & 1);
}

/* Where a program built with AddressSanitizer, as this one may be, can read its shadow memory. */
static bool faults_in_shadow(const struct x86_result *ours)
{
#ifdef CALQUE_SANITIZE
    return ours->outcome == EXC_PF && ours->address >= UINT64_C(0x7fff7000) &&
           ours->address < UINT64_C(0x10007fff8000);
#else
    return false;
#endif
}

bool x86_known_difference(const struct x86_case *c, struct x86_result *ours,
                          struct x86_result *host)
{
    struct x86_insn insn;
    uint32_t flags;

    if (faults_in_shadow(ours))
        return true;
    level_kernel_page(ours, host);
    if (!x86_case_decode(c, &insn))
        return false;
    if (!c->row)
        return ours->outcome == EXC_PF && (host->outcome == EXC_GP || host->outcome == EXC_SS) &&
               end_of_segment(&(struct context){c, &insn, ours, host});
    flags = undefined_flags_of(c->row->name);
    host->after.eflags = (host->after.eflags & ~flags) | (ours->after.eflags & flags);
    return is_known(&(struct context){c, &insn, ours, host});
}

bool x86_level_choices(const struct x86_case *c, const struct x86_result *a, struct x86_result *b)
{
    struct x86_insn insn;

    if (!c->row || !strstr(c->row->name, "DPP") || !x86_case_decode(c, &insn))
        return false;
    unsigned to = insn.operand[0].reg, bytes = strchr(c->row->name, 'S') ? 4 : 8;
    level_nan_lanes(a->after.legacy + LEGACY_XMM + 16 * to, b->after.legacy + LEGACY_XMM + 16 * to,
                    bytes);
    level_nan_lanes(a->after.ymm_high[to], b->after.ymm_high[to], bytes);
    return true;
}

bool x86_row_has_known_difference(const struct x86_row *row)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_differences); i++)
        if (known_differences[i].name[0] && has_prefix(row->name, known_differences[i].name))
            return true;
    return undefined_flags_of(row->name) != 0;
}
