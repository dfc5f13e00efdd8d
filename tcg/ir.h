/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intermediate representation: what a frontend writes, the passes improve and a backend turns
 * into host code. It names no guest and no host.
 *
 * A unit holds blocks, a block holds insns, the last insn of a block is its only END op. Values are
 * in single assignment form and live in one block only; what crosses blocks goes through guest
 * state (SET, then GET), which the backend keeps in host registers for hot fields. Block 0 is the
 * entry and may be branched to.
 *
 * Invariants (checked by ir_verify between passes in test builds):
 *   - an argument is defined earlier in the same block and has the type ops.def asks for;
 *   - FLAGOF's argument is one of ADD SUB ADC SBB AND OR XOR ANDN, an ALU, VFN or VFP row that
 * gives flags; FLAGS values are used only by SETCC, SELECT, BRCC, MERGEFLAGS, PACKFLAGS, SET and as
 *     an ALU's flags;
 *   - in each block an INSN comes before the first FAULT op, so that its pc is known;
 *   - within one guest instruction no SET comes before a FAULT op (state is precise by order);
 *   - every exit's pc and key are stated.
 *
 * Guest state is a C struct described by an array of state_field. Fields may overlap (vector
 * registers and their halves); aliasing is decided by byte ranges. Narrow fields (I8, I16) are read
 * zero-extended as I32 and written from an I32's low bits; a V64 field is read into the low half of
 * a V128, the rest zero, and written from the low half.
 *
 * Ownership: everything in a unit is in its arena. One unit is used by one thread.
 */
#ifndef CALQUE_TCG_IR_H
#define CALQUE_TCG_IR_H

#include <stdio.h>

#include "util/arena.h"
#include "util/compiler.h"

enum ir_type {
    IR_VOID,
    IR_I8,  /* fields only */
    IR_I16, /* fields only */
    IR_I32,
    IR_I64,
    IR_F32,
    IR_F64,
    IR_V64, /* fields only */
    IR_V128,
    IR_FLAGS,
    IR_N_TYPES,
};

enum ir_op {
#define OP(name, args, result, traits) IR_##name,
#include "tcg/ops.def"
#undef OP
    IR_N_OPS,
};

enum ir_trait { IR_PURE = 1, IR_FAULT = 2, IR_END = 4, IR_SIDE = 8 };

struct ir_op_info {
    const char *name;
    uint8_t n_args;
    uint8_t result; /* enum ir_type; IR_N_TYPES stands for "the insn's type" */
    uint8_t traits;
};
extern const struct ir_op_info ir_op_info[IR_N_OPS];
extern const char *const ir_type_name[IR_N_TYPES];

/*
 * Conditions on FLAGS. N, Z, V as everybody has them; C is the carry out of an addition and the
 * borrow of a subtraction (SUB sets C when a < b unsigned); logic ops give C = V = 0. A guest whose
 * C is the inverse of a borrow (ARM) inverts it when it takes it out (SETCC NC) and the fold pass
 * maps HI/LS back.
 * cond ^ 1 is the inverse condition.
 */
enum ir_cond {
    IR_Z,
    IR_NZ,
    IR_C,
    IR_NC,
    IR_N,
    IR_NN,
    IR_V,
    IR_NV,
    IR_C_AND_NZ,
    IR_NC_OR_Z, /* ARM's HI, LS */
    IR_NC_AND_NZ,
    IR_C_OR_Z, /* x86's A, BE */
    IR_GE,
    IR_LT, /* N == V, N != V */
    IR_GT,
    IR_LE, /* !Z && N == V, Z || N != V */
    IR_P,
    IR_NP, /* even parity of the result's low byte */
    IR_N_CONDS,
};

/*
 * FLAGS as a field of guest state (type IR_FLAGS, 16 bits) and as PACKFLAGS gives them: where the
 * host's LAHF and SETO put them, so that storing takes three host instructions. P is set for an
 * even number of ones in the result's low byte, A is the carry out of bit 3 (borrow into it). Logic
 * ops leave A as the host does.
 */
enum ir_flag_bit {
    IR_FLAG_V = 1 << 0,
    IR_FLAG_C = 1 << 8,
    IR_FLAG_P = 1 << 10,
    IR_FLAG_A = 1 << 12,
    IR_FLAG_Z = 1 << 14,
    IR_FLAG_N = 1 << 15,
    IR_FLAG_ALL = IR_FLAG_V | IR_FLAG_C | IR_FLAG_P | IR_FLAG_A | IR_FLAG_Z | IR_FLAG_N,
};
/* The sub of MERGEFLAGS. */
enum ir_flag_set {
    IR_SET_V = 1,
    IR_SET_C = 2,
    IR_SET_P = 4,
    IR_SET_A = 8,
    IR_SET_Z = 16,
    IR_SET_N = 32,
    IR_SET_ALL = 63,
};

/*
 * ALU: operations that x86 has as one instruction and whose flags no other op describes. Rows are
 * in alu.def: name, number of value arguments, the flags it changes, and what it computes. arg[3]
 * is the FLAGS before it, or IR_NONE if the row and the use of the result need none: those the row
 * does not change come from there, RCL and RCR take C from it, and a shift whose masked count is
 * zero gives all of them back. Flags that the x86 manual leaves undefined are what the host leaves.
 */
enum ir_alu {
#define ALU(name, n_args, gives, needs) IR_ALU_##name,
#include "tcg/alu.def"
#undef ALU
    IR_N_ALU,
};

enum ir_lane { IR_LANE8, IR_LANE16, IR_LANE32, IR_LANE64 }; /* log2 of bytes */

enum ir_rmw { IR_RMW_XCHG, IR_RMW_ADD, IR_RMW_AND, IR_RMW_OR, IR_RMW_XOR };

enum ir_poll { IR_POLL = 1 }; /* sub of BR and EXIT_JUMP: look at run_state.exit_request first */

/* Result of FCMP: exactly one bit. */
enum ir_fcmp { IR_FCMP_LT = 1, IR_FCMP_EQ = 2, IR_FCMP_GT = 4, IR_FCMP_UN = 8 };

/*
 * Floating point. Generated code runs with the guest's rounding mode in the host's control word and
 * lets the host collect the sticky flags there. The host's result stands, except where host and
 * guest may differ; there the guest's own function (struct ir_fp_rules) gives the result and ORs
 * the flags into guest state. It differs, and the function must be called, when
 *   - the result is a NaN (FCMP: when an operand is one), or
 *   - the result's magnitude is the smallest normal (tininess before or after rounding), or
 *   - F2I: the host gives its "integer indefinite" or the target is unsigned and the operand out
 *     of the signed range, or
 *   - IR_FP_FLUSH is given and an operand or the result is denormal or a NaN. Then sticky flags
 *     must be exactly those of the function: the backend restores the control word of before.
 * VFFLUSH calls it for denormals only and changes nothing else: what stands in other lanes, NaNs
 * too, is for the VFP rows that follow.
 * A backend may call the function always (the interpreter does).
 * IR_FP_SIGNAL_QNAN: FCMP also raises Invalid for quiet NaNs.
 * IR_FP_STANDARD: round to nearest whatever the guest's control word says, flush, default NaN
 * (ARM's "standard FPSCR value"); the fast path needs the current mode to be nearest: the frontend
 * only emits it in units whose key says so, and the flag is passed on to the function.
 * IR_FP_NEGATED: FMA's first operand is the negation of the guest's; it is for the function only,
 * where NaNs keep their sign.
 */
enum ir_fp_flags { IR_FP_FLUSH = 1, IR_FP_SIGNAL_QNAN = 2, IR_FP_STANDARD = 4, IR_FP_NEGATED = 8 };
enum ir_f2i {
    IR_F2I_UNSIGNED = 1,
    IR_F2I_TRUNCATE = 2, /* without it: the guest's mode */
    IR_F2I_FLUSH = 4,    /* as IR_FP_FLUSH, of the operand */
};

/*
 * VFN and VFP: vector functions that have an x86 instruction of their own. vector_fn.def lists
 * them: name (the instruction's), value arguments, traits, and the encoding for the x86-64 backend;
 * the interpreter has a C function for each. The result replaces the whole register: a row whose
 * instruction leaves part of its destination takes the old value as its first argument. VFP rows
 * use rounding mode, DAZ and FTZ of the host's control word and collect flags there. Rows whose
 * result are flags (COMISD, PTEST) have type I32, value 0, and are read through FLAGOF.
 */
enum ir_vfn {
#define VFN(name, n_args, traits, prefix, map, opcode, w) IR_VFN_##name,
#include "tcg/vector_fn.def"
#undef VFN
    IR_N_VFN,
};
enum ir_vfn_trait {
    VFN_FP = 1,    /* a VFP */
    VFN_IMM = 2,   /* takes an immediate */
    VFN_FLAGS = 4, /* gives flags */
    VFN_GPR_IN = 8 /* the last argument is an I32 or I64 */,
    VFN_GPR_OUT = 16,
    VFN_DEST = 32, /* the first argument is the destination's old value */
};
struct ir_vfn_info {
    const char *name;
    uint8_t n_args, traits;
};
extern const struct ir_vfn_info ir_vfn_info[IR_N_VFN];

/* What arithmetic does in the guest's own way. */
struct ir_fp_rules {
    /* op: enum ir_op (FADD .. I2F); type, from: result and operand type; sub: the insn's sub.
     * Values are bit patterns, zero-extended. cpu: the state base. */
    uint64_t (*scalar)(void *cpu, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                       uint64_t b, uint64_t c); /* type_from: type | from << 8 */
    /* op: VFADD .. VFFLUSH. d, a, b, c: 16 bytes each, 16-byte aligned; d may equal any of them. */
    void (*vector)(void *cpu, unsigned op, unsigned sub, void *d, const void *a, const void *b,
                   const void *c);
    /* Groups of the state fields the functions read or change; 0: any integer field. */
    uint64_t groups;
    /* The guest's floating point is the host's own: NaNs, denormals and tininess alike, and the
     * guest's DAZ and FTZ are in run_state.mxcsr: no result needs the function above. */
    bool same_as_host;
    /* X87 on a backend that has no such registers: the same operation on run_state.x87. modrm: bits
     * 15:8 are the immediate. memory: NULL if there is none. */
    uint64_t (*x87)(void *cpu, unsigned opcode, unsigned modrm, void *memory, uint64_t value);
    /* What a DIVIDE without a result raises: leaves through vcpu_raise. */
    NORETURN void (*divide_error)(void *cpu);
};

/*
 * X87: one x87 or MMX instruction, opcode and ModRM as the x86 manual has them, on the vCPU's x87
 * registers. While generated code runs these may live in the host's own (run_state.x87_live);
 * run.h says how they get there and back. aux: the opcode: 0xd8..0xdf, or for MMX 0x0fXX, 0x0f38XX,
 * 0x0f3aXX; imm: the immediate byte. sub: ModRM; for memory forms mod and rm are 0 and arg[0] is a
 * host pointer to the operand (from PROBE), or arg[1] is the operand itself. For register forms
 * arg[1] is the general register's value, or the result is what it gets. FCOMI and its like have
 * type I32 and are read through FLAGOF; FCMOVNE is the only FCMOV, and moves if arg[1] is not zero.
 * No x87 exception is ever unmasked in the host's control word: a guest that unmasks one runs other
 * code.
 */

/* How a guest access is done: the aux word of LOAD, STORE, PROBE, COMMIT, CAS, RMW. */
enum ir_memop {
    IR_MEM_SIZE = 7,            /* log2 of bytes, 0..4 */
    IR_MEM_SIGN = 1 << 3,       /* LOAD: sign-extend to the type */
    IR_MEM_SWAP = 1 << 4,       /* the other byte order than the host's */
    IR_MEM_USER = 1 << 5,       /* with user privilege, whatever the mode (LDRT, STRT) */
    IR_MEM_ALIGN = 7 << 6,      /* log2 of the required alignment << 6; less: alignment fault */
    IR_MEM_WRITE = 1 << 9,      /* PROBE: for writing */
    IR_MEM_EXCLUSIVE = 1 << 10, /* for the fault's syndrome only */
    IR_MEM_READ = 1 << 11,      /* writing PROBE: what is there will be read too */
};
#define IR_MEM_ALIGN_OF(log2) ((log2) << 6)
static inline unsigned memop_size(unsigned memop)
{
    return 1u << (memop & IR_MEM_SIZE);
}
static inline unsigned memop_align(unsigned memop)
{
    return 1u << ((memop & IR_MEM_ALIGN) >> 6);
}

/*
 * PROBE: one check for an access to several elements (LDM, LDRD, push). sub is the length in bytes
 * (at most IR_PROBE_MAX), the memop's size the element's. The result is a host pointer through
 * which HLOAD and HSTORE go. Where the range is not plain RAM in one page, a reading PROBE does the
 * accesses through the slow path into run_state.bounce and returns that; a writing one checks both
 * pages, raises the fault if there is one, returns the bounce buffer (with IR_MEM_READ: filled with
 * what is there), and COMMIT stores it element by element. HLOAD/HSTORE honour memop size, sign and
 * swap.
 */
enum { IR_PROBE_MAX = 128 };

typedef uint16_t ir_ref;
enum { IR_NONE = 0 }; /* insn 0 is a NOP, so that 0 means "no value" */
enum {
    IR_MAX_INSNS = 8192,
    IR_MAX_BLOCKS = 512,
    IR_MAX_FIELDS = 512,
    IR_MAX_ARGS = 4,
    IR_MAX_VCONSTS = 1024
};

struct ir_insn {
    uint8_t op, type, sub, mark; /* mark: scratch of the pass that runs */
    uint32_t aux;
    ir_ref arg[IR_MAX_ARGS];
    uint32_t pending; /* FAULT ops: 1 + index of the first record in unit->pending, 0 none */
    uint32_t reserved;
    uint64_t imm;
};

/* A SET that a pass has moved off the common path: done only if the FAULT op that lists it
 * faults. Chained by next (1 + index, 0 ends). Integer fields, and fields of FLAGS. */
enum ir_pending_how {
    PENDING_VALUE,    /* value is what the field gets (FLAGS: a CONST in the stored form) */
    PENDING_OPERANDS, /* FLAGS of `value op other` */
    PENDING_RESULT, /* FLAGS of an op that gave `value`; ADD, SUB: from its second operand, other */
};
struct ir_pending {
    uint16_t field;
    ir_ref value;
    uint32_t next;
    ir_ref other; /* or IR_NONE */
    uint8_t how;
    uint8_t op, type, sub; /* of the arithmetic: ADD, SUB, AND (for every logic op) */
};

struct ir_block {
    ir_ref first, last; /* inclusive; last is the END op */
};

enum state_flags {
    STATE_HOT = 1, /* keep in a host register if there is one: the first such fields win */
};

struct state_field {
    const char *name;
    uint32_t offset;
    uint8_t type; /* enum ir_type */
    uint8_t flags;
    uint64_t group; /* one bit: which helpers' reads and writes touch it */
};

/* A C function called from generated code: result fn(cpu, args...). cpu is the state base.
 * Integer and pointer-sized arguments only (I32, I64); result I32, I64 or none. */
enum ir_helper_flags {
    HELPER_MAY_FAULT = 1, /* may leave through vcpu_raise: state is made precise before the call */
    HELPER_PURE = 2,      /* no side effect, result depends on the arguments only */
};
struct ir_helper {
    const char *name;
    void (*fn)(void); /* cast from the real prototype */
    uint8_t result;   /* enum ir_type */
    uint8_t n_args;   /* beside cpu */
    uint8_t flags;
    uint64_t reads, writes; /* groups of state fields it may look at or change; ~0: any */
};
#define IR_HELPER(fname, res, nargs, hflags, rd, wr)                                               \
    {                                                                                              \
        .name = #fname, .fn = (void (*)(void))(fname), .result = (res), .n_args = (nargs),         \
        .flags = (hflags), .reads = (rd), .writes = (wr)                                           \
    }

struct ir_unit {
    struct arena *arena;
    const struct state_field *fields;
    unsigned n_fields;
    const struct ir_fp_rules *fp;
    struct ir_insn *insns; /* [0] is a NOP */
    unsigned n_insns;
    struct ir_block *blocks;
    unsigned n_blocks;
    struct ir_pending *pending;
    unsigned n_pending;
    uint64_t *vconst_high;
    unsigned n_vconst;
    uint64_t pc;  /* of the first guest instruction */
    uint32_t key; /* mode bits the unit was translated for */
    uint32_t guest_bytes, n_guest_insns;
    bool wide_address; /* guest-virtual addresses are I64 instead of I32 */
};

/* ---- building ---------------------------------------------------------------------------- */

struct ir_builder {
    struct ir_unit *unit;
    unsigned block;   /* being filled, or IR_NO_BLOCK after an END op */
    uint64_t insn_pc; /* last INSN, restated at the head of each new block */
    uint32_t insn_aux;
    bool overflow; /* a limit was hit: the translator must end and retry shorter */
};
enum { IR_NO_BLOCK = 0xffff };

struct ir_unit *ir_unit_create(struct arena *arena, const struct state_field *fields,
                               unsigned n_fields);
void ir_builder_begin(struct ir_builder *b, struct ir_unit *unit); /* opens block 0 */
void ir_builder_end(struct ir_builder *b); /* every block created must be filled and ended */

/* Blocks: create first (for forward branches), begin later, each once, in any order. Beginning one
 * while another is open ends that with a BR. What is emitted while none is open is dropped. */
unsigned ir_block_create(struct ir_builder *b);
void ir_block_begin(struct ir_builder *b, unsigned block);

ir_ref ir_emit(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned sub, uint32_t aux,
               ir_ref a0, ir_ref a1, ir_ref a2, uint64_t imm);

/* A place in an open block to go back to: what was emitted and created since is dropped. */
struct ir_mark {
    unsigned block, n_insns, n_blocks, n_vconst;
    uint64_t insn_pc;
    uint32_t insn_aux;
};
struct ir_mark ir_mark(const struct ir_builder *b);
void ir_rewind(struct ir_builder *b, const struct ir_mark *mark);

void ir_insn(struct ir_builder *b, uint64_t pc, uint32_t aux);
ir_ref ir_i32(struct ir_builder *b, uint32_t value);
ir_ref ir_i64(struct ir_builder *b, uint64_t value);
ir_ref ir_v128(struct ir_builder *b, uint64_t low, uint64_t high);
ir_ref ir_get(struct ir_builder *b, unsigned field);
void ir_set(struct ir_builder *b, unsigned field, ir_ref value);

/* One- and two-operand ops whose type is that of the first argument (or fixed by ops.def). */
ir_ref ir_un(struct ir_builder *b, enum ir_op op, ir_ref a);
ir_ref ir_bin(struct ir_builder *b, enum ir_op op, ir_ref a, ir_ref c);
ir_ref ir_bin_i(struct ir_builder *b, enum ir_op op, ir_ref a, uint64_t constant);
ir_ref ir_adc(struct ir_builder *b, enum ir_op op, ir_ref a, ir_ref c, ir_ref carry);
ir_ref ir_ext(struct ir_builder *b, enum ir_op op, ir_ref a, unsigned source_bits);
ir_ref ir_extract(struct ir_builder *b, ir_ref a, unsigned start, unsigned length);
ir_ref ir_sextract(struct ir_builder *b, ir_ref a, unsigned start, unsigned length);
ir_ref ir_deposit(struct ir_builder *b, ir_ref a, ir_ref field, unsigned start, unsigned length);
ir_ref ir_vec(struct ir_builder *b, enum ir_op op, enum ir_lane lane, ir_ref a, ir_ref c);
ir_ref ir_vec_i(struct ir_builder *b, enum ir_op op, enum ir_lane lane, ir_ref a, unsigned imm);

/* width: 8, 16 (I32), 32, 64. Two- and three-operand rows leave the rest IR_NONE. */
ir_ref ir_alu(struct ir_builder *b, enum ir_alu what, unsigned width, ir_ref a0, ir_ref a1,
              ir_ref a2, ir_ref flags);
/* ADD SUB AND OR XOR of a width: 8, 16, 32, 64; ADC and SBB take a carry. */
ir_ref ir_bin_w(struct ir_builder *b, enum ir_op op, unsigned width, ir_ref a, ir_ref c);
ir_ref ir_adc_w(struct ir_builder *b, enum ir_op op, unsigned width, ir_ref a, ir_ref c,
                ir_ref carry);
ir_ref ir_merge_flags(struct ir_builder *b, ir_ref before, ir_ref after, unsigned set);
ir_ref ir_pack_flags(struct ir_builder *b, ir_ref flags);
ir_ref ir_unpack_flags(struct ir_builder *b, ir_ref bits);
ir_ref ir_flagof(struct ir_builder *b, ir_ref arithmetic);
ir_ref ir_mkflags(struct ir_builder *b, ir_ref n, ir_ref z, ir_ref c, ir_ref v);
ir_ref ir_setcc(struct ir_builder *b, enum ir_cond cond, ir_ref flags);
ir_ref ir_select(struct ir_builder *b, enum ir_cond cond, ir_ref flags, ir_ref yes, ir_ref no);
/* x86's: the quotient of a number of twice the type's width by one of its width, truncated; also
 * the remainder. Where the divisor is 0 or the quotient too large the guest's exception is raised
 * (ir_fp_rules.divide_error). */
ir_ref ir_divide(struct ir_builder *b, bool sign, ir_ref low, ir_ref high, ir_ref divisor,
                 ir_ref *remainder);
/* Flags of `a & a`: use with IR_Z, IR_NZ, IR_N, IR_NN. */
ir_ref ir_test(struct ir_builder *b, ir_ref a);
/* Flags of `a - c`. */
ir_ref ir_compare(struct ir_builder *b, ir_ref a, ir_ref c);

ir_ref ir_load(struct ir_builder *b, enum ir_type type, ir_ref address, int64_t displacement,
               unsigned memop);
void ir_store(struct ir_builder *b, ir_ref address, int64_t displacement, ir_ref value,
              unsigned memop);
ir_ref ir_probe(struct ir_builder *b, ir_ref address, int64_t displacement, unsigned length,
                unsigned memop);
void ir_commit(struct ir_builder *b, ir_ref pointer, ir_ref address, int64_t displacement,
               unsigned length, unsigned memop);
ir_ref ir_hload(struct ir_builder *b, enum ir_type type, ir_ref pointer, int64_t offset,
                unsigned memop);
void ir_hstore(struct ir_builder *b, ir_ref pointer, int64_t offset, ir_ref value, unsigned memop);
ir_ref ir_cas(struct ir_builder *b, enum ir_type type, ir_ref address, ir_ref expected,
              ir_ref value, unsigned memop);
ir_ref ir_rmw(struct ir_builder *b, enum ir_type type, enum ir_rmw what, ir_ref address,
              ir_ref operand, unsigned memop);
ir_ref ir_call(struct ir_builder *b, const struct ir_helper *helper, ir_ref a0, ir_ref a1,
               ir_ref a2, ir_ref a3);
/* VFN or VFP as the row says. type: IR_V128, or IR_I32 or IR_I64 for rows that give a number. */
ir_ref ir_vfn(struct ir_builder *b, enum ir_vfn what, enum ir_type type, unsigned immediate,
              ir_ref a0, ir_ref a1, ir_ref a2);
/* type IR_VOID unless the instruction writes a general or XMM register. */
ir_ref ir_x87(struct ir_builder *b, enum ir_type type, unsigned opcode, unsigned modrm,
              unsigned immediate, ir_ref memory, ir_ref value);
ir_ref ir_fp(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned sub, ir_ref a,
             ir_ref c, ir_ref d);

void ir_br(struct ir_builder *b, unsigned block);
void ir_brcc(struct ir_builder *b, enum ir_cond cond, ir_ref flags, unsigned yes, unsigned no);
void ir_exit_jump(struct ir_builder *b, uint64_t pc, uint32_t key, bool poll);
void ir_exit_indirect(struct ir_builder *b, ir_ref pc, ir_ref key);
void ir_exit_lookup(struct ir_builder *b);
void ir_exit_stop(struct ir_builder *b, unsigned reason);

static inline enum ir_type ir_type_of(const struct ir_unit *unit, ir_ref ref)
{
    return (enum ir_type)unit->insns[ref].type;
}

/* Bytes a field or value of this type takes. */
unsigned ir_type_bytes(unsigned type);
/* The type a GET of this field yields and a SET takes. */
enum ir_type ir_field_value_type(enum ir_type field_type);

/* ---- looking, checking, improving ----------------------------------------------------------- */

void ir_print(FILE *out, const struct ir_unit *unit);

/* True if the unit keeps every invariant; otherwise says which is broken where. */
bool ir_verify(const struct ir_unit *unit, char *why, size_t why_size);

/* The passes, linear in the unit's size, each idempotent. */
void ir_pass_state(struct ir_unit *unit); /* GET after SET, dead SETs, SETs moved to pending */
void ir_pass_fold(struct ir_unit *unit);  /* constants, identities, conditions, MKFLAGS, CSE */
void ir_pass_dce(struct ir_unit *unit);   /* values nobody uses */
/* Expands what the backend lacks; supports(op, type, sub) as in backend.h. */
void ir_lower(struct ir_unit *unit, bool (*supports)(unsigned op, unsigned type, unsigned sub));
/* All of them in the right order, verified in between when `check`. */
void ir_optimise(struct ir_unit *unit, bool check);

#endif
