/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the x86-64 backend share.
 *
 * Registers while guest code runs: rbp = run_state + bias (so that short
 * displacements reach the fields generated code touches most), r15 =
 * run_state.tlb, rsp constant (the frame below it holds spill slots), nine
 * registers hold the first STATE_HOT fields, rax rcx rdx rsi are temporaries,
 * xmm0-15 are all temporaries. A value of type I32 in a register has its upper
 * half zero, unless no consumer looks at it (value.seen).
 *
 * One backend_state serves one code cache and is used under the cache's lock,
 * except by code that runs (enter, and the C functions the thunks call), which
 * touches only run_state and inline slots.
 */
#ifndef CALQUE_BACKEND_X86_64_X86_64_H
#define CALQUE_BACKEND_X86_64_X86_64_H

#include "backend/backend.h"
#include "backend/x86_64/emit.h"
#include "util/bits.h"

enum host_feature {
    HOST_BMI1 = 1 << 0,
    HOST_BMI2 = 1 << 1,
    HOST_LZCNT = 1 << 2,
    HOST_POPCNT = 1 << 3,
    HOST_MOVBE = 1 << 4,
    HOST_AVX = 1 << 5,
    HOST_FMA = 1 << 6,
    HOST_AVX2 = 1 << 7,
    HOST_F16C = 1 << 8,
    HOST_AES = 1 << 9,
    HOST_PCLMUL = 1 << 10,
    HOST_SHA = 1 << 11,
};

enum { MXCSR_INEXACT = 0x20 };
enum { N_PINNED = 9, N_TEMPS = 4 };
#define TEMP_MASK (1u << RAX | 1u << RCX | 1u << RDX | 1u << RSI)
#define CALLER_SAVED_PINNED (1u << RDI | 1u << R8 | 1u << R9 | 1u << R10 | 1u << R11)
#define XMM_MASK 0xffff0000u

/* The frame below rsp at entry of generated code. */
enum {
    SPILL_SLOTS = 64,  /* 8 bytes each */
    VECTOR_SLOTS = 32, /* 16 bytes each, numbered after the former */
    FRAME_SPILL = 0,
    FRAME_VECTOR = FRAME_SPILL + SPILL_SLOTS * 8,
    FRAME_SCRATCH = FRAME_VECTOR + VECTOR_SLOTS * 16, /* 64 bytes for the sequence of one op */
    FRAME_SCRATCH_BYTES = 64,
    FRAME_HOST_MXCSR = FRAME_SCRATCH + FRAME_SCRATCH_BYTES,
    FRAME_SLOT = FRAME_HOST_MXCSR + 8, /* inline slot being filled */
    FRAME_FLAGS = FRAME_SLOT + 8,      /* rax while flags go through it */
    FRAME_BYTES = FRAME_FLAGS + 8,     /* = 8 mod 16: six registers and the return address above */
};

/* An inline cache of one indirect exit, in data memory near the code. */
struct inline_slot {
    uint64_t pc; /* ~0: empty */
    uint32_t key;
    uint32_t tag; /* exec-table tag of pc's page */
    const void *code;
    int32_t patience; /* misses until it is refilled */
    uint32_t unused;
};
enum { INLINE_SLOTS = 1 << 18, SLOT_BUCKETS = 1 << 14, SLOT_PATIENCE = 7 };
enum { SLOT_NO_TAG = 2 }; /* equals nothing in an exec table */

/* What is kept of a slot outside the generated code's reach: its chains.
 * Indices + 1, 0 ends. */
struct slot_links {
    const void *owner; /* the site that uses it; NULL: free */
    uint32_t next_code, previous_code;
    uint32_t next_owner; /* also the free list */
    bool linked;
};

/* After `call link_thunk` of a chained exit. Offsets count from the start of
 * this struct. */
struct exit_data {
    uint64_t pc;
    uint32_t key;
    int32_t jump;  /* the rel32 field */
    int32_t guard; /* the imm32 of the page guard, 0 none */
} __attribute__((packed));
enum { STUB_CALL_BYTES = 5 };

/* After `call slow_thunk; jmp back`: what the slow path is to do. Registers are
 * 0..15 general, 16..31 vector; NO_REG: imm is the value. */
enum slow_kind {
    SLOW_LOAD,
    SLOW_STORE,
    SLOW_PROBE,
    SLOW_COMMIT,
    SLOW_CAS,
    SLOW_RMW,
    SLOW_FP,
    SLOW_VECTOR_FP,
    SLOW_DIVIDE,    /* address: low, value: high, extra: divisor; results in rax and rdx */
    SLOW_VECTOR_FN, /* imm: row and immediate; length: the general register has 64 bits */
};
struct slow_desc {
    uint8_t kind : 7;
    bool has_groups : 1; /* struct slow_groups follows */
    uint8_t type;
    uint8_t result, address; /* FP: result, a */
    uint8_t value, extra;    /* FP: b, c; CAS: expected (value) and new (extra); RMW:
                                extra what */
    uint16_t memop;          /* FP: type | from << 8 */
    uint8_t length;          /* PROBE, COMMIT; FP: op */
    uint8_t sub;
    uint16_t access_bytes; /* before where the stub goes back to: where a host fault is a miss */
    int32_t imm;           /* value of a STORE when value is NO_REG */
    uint32_t constant;     /* the address when `address` is NO_REG, else added to the register */
};

/* Pointers that one check for several accesses has left (group.c). The slow path may have changed
 * what they rest on: 0 makes the accesses to come slow, too; that of the access's own group is
 * found again. */
enum { MAX_GROUPS = 3, NO_SLOT = 0xff };
struct held_place {
    uint8_t reg, slot; /* both, if it is in both; NO_REG, NO_SLOT */
};
struct slow_groups {
    struct held_place own, other[MAX_GROUPS];
    uint16_t offset; /* of the access in its group */
    uint16_t length; /* of the group; 0: no own one */
    uint8_t align_mask;
    bool write;
};

struct pinned_field {
    uint8_t reg;
    uint16_t field;
    int32_t disp; /* from rbp */
    unsigned w;   /* OP_W for an I64 */
    uint64_t group;
};

struct thunks {
    const uint8_t *enter, *leave, *leave_raised, *lookup, *link, *guard, *poll_exit, *poll_loop,
        *poll_indirect, *indirect, *slow, *slow_xmm, *x87_load, *stop;
};

struct backend_state {
    struct backend_env env;
    unsigned features;
    int32_t bias;
    unsigned n_pinned;
    struct pinned_field pinned[N_PINNED];
    uint8_t pin_of_field[IR_MAX_FIELDS]; /* index in pinned, or NO_REG */
    uint16_t overlap[IR_MAX_FIELDS];     /* pinned fields (not itself) that share
                                            bytes with it */
    uint8_t pin_of_reg[16];              /* index in pinned, or NO_REG */
    struct thunks thunk;
    struct inline_slot *slots; /* near the code */
    struct slot_links *links;
    uint32_t n_slots, free_slot;
    uint32_t *code_bucket, *owner_bucket; /* SLOT_BUCKETS each */
    struct emit *emit;
};

/* ---- the emitter's working state, one unit at a time ----------------------------------------- */

enum value_flags {
    VALUE_LIVE = 1,
    VALUE_FIELD = 2,     /* state memory still holds it: insn->aux is the field */
    VALUE_CONST = 4,     /* insn->imm */
    VALUE_LAZY_CC = 8,   /* a SETCC still in EFLAGS: insn->sub is the condition */
    VALUE_SLOT_BYTE = 16 /* the slot's low byte only */
};

struct value {
    uint8_t reg; /* general 0..15, vector 16..31, NO_REG */
    uint8_t flags;
    uint8_t want;      /* pinned register its SET goes to, NO_REG none */
    uint8_t recreate;  /* how its flags come back: enum recreate */
    int16_t slot;      /* spill slot or -1 */
    uint16_t want_at;  /* the SET that wants it */
    uint16_t last_use; /* insn index; 0: none */
    uint16_t next_use; /* insn index; 0: none but pending ones */
    uint16_t n_uses;
    uint16_t first_use;
    uint16_t next_alias; /* chain of values in the same pinned register */
    uint16_t flag_last;  /* last consumer of its flags */
    uint8_t seen;        /* low bits that consumers look at: 64 the whole register */
    uint16_t flag_conds; /* bit per condition pair, WANT_ALL */
    bool scaled;         /* an ADD that is part of an address takes it */
    bool folded;         /* part of the address of the insn at last_use: has no code of its own */
};

/* PACKED: the FLAGS are a value in the stored form themselves. */
enum recreate { RECREATE_SAVE, RECREATE_OPERANDS, RECREATE_RESULT, RECREATE_PACKED };
/* Among condition pairs: all flags, in the stored form. */
enum { PAIR_ALL = 15, WANT_ALL = 1 << PAIR_ALL };

struct saved_flag {
    ir_ref source;
    uint8_t pair; /* condition >> 1, PAIR_ALL */
    int16_t slot;
};

enum cold_kind {
    COLD_MEMORY,   /* a slow access */
    COLD_FP,       /* call of an FP function */
    COLD_EXIT,     /* chained exit: poll, guard, link stubs */
    COLD_POLL,     /* poll of a loop */
    COLD_INDIRECT, /* inline cache miss */
    COLD_INDIRECT_POLL,
    COLD_X87, /* the x87 registers are in memory */
};

struct cold {
    uint8_t kind;
    bool xmm_live;
    uint8_t vector[2]; /* FP on vectors: temporaries, and its insn */
    ir_ref op;
    uint8_t entry;
    ir_ref insn;                       /* for the site's INSN record */
    uint16_t pending_first, n_pending; /* in emit.pending */
    uint8_t *from[4];                  /* jump fields that lead to the stub */
    uint8_t *unaligned_from;           /* to the unaligned variant */
    uint8_t *inexact_from;             /* FP: "inexact" is not known to be set; goes on at access */
    uint8_t *back;                     /* where the common path goes on */
    uint8_t *access;                   /* where an unaligned access in one page goes on */
    ir_ref x87;                        /* a PROBE's: the instruction that goes with it */
    struct slow_desc desc;
    struct slow_groups groups;
    bool member;  /* of a group: `op` is checked alone where the group's check has failed */
    uint8_t temp; /* ... with this register, which may be in use */
    bool temp_used;
    /* exits */
    uint64_t pc;
    uint32_t key;
    bool fixed_key; /* of an indirect exit: the common path leaves it out of ecx */
    uint8_t *poll_from, *guard_from, *jump, *guard;
    uint64_t slot_address;
};

/* Where a value is at a fault: register, slot, field, or the constant itself. */
enum place_kind { PLACE_REG, PLACE_SLOT, PLACE_SLOT_BYTE, PLACE_CONST, PLACE_FIELD };
struct value_place {
    enum place_kind kind;
    uint64_t what;
};

/* A pending record at one fault. */
struct pending_place {
    const struct ir_pending *record;
    struct value_place value, other;
};

struct hot_site {
    uint32_t offset; /* of the return address from the unit's entry */
    ir_ref insn;
    uint16_t pending_first, n_pending;
};

enum {
    MAX_COLD = 4096,
    MAX_PENDING = 8192,
    MAX_HOT_SITES = 2048,
    MAX_SAVED_FLAGS = 32,
    MAX_LAZY = 16,
    MAX_FIELD_VALUES = 64,
    MAX_POOL = 1024,
    MAX_POOL_USES = 4096,
    INSN_MARGIN = 2048, /* bytes one IR op may take at most */
};

/* Accesses of a block at known distances from each other, checked once: group.c. */
enum { MAX_MEMBERS = 32, MAX_UNGROUPED = 8 };
struct access_group {
    ir_ref
        holder; /* the INSN whose value the pointer to the lowest byte is; 0: the group is over */
    unsigned n, at; /* members, and the one that comes next */
    uint16_t length;
    uint8_t align_log2;
    bool write;
    struct {
        ir_ref insn;
        uint16_t offset;
    } member[MAX_MEMBERS];
};

/* A rip-relative field that reads pool entry `index`; adjust: minus the bytes
 * behind the field. */
struct pool_use {
    uint8_t *field;
    uint16_t index;
    int8_t adjust;
};

struct jump_fixup {
    uint8_t *field;
    uint16_t block;
};

struct emit {
    struct assembler a;
    struct backend_state *s;
    const struct ir_unit *u;
    uint8_t *start, *end;
    bool failed; /* a fixed limit was hit: EMIT_TOO_LONG */
    bool no_space;
    unsigned features;
    unsigned block, next_block;      /* being emitted, to be emitted after it */
    bool reached[IR_MAX_BLOCKS + 1]; /* which blocks anything leads to */
    ir_ref here;                     /* insn being emitted */
    ir_ref boundary;                 /* the last INSN */

    ir_ref reg_value[N_REGS]; /* temporaries: the value, 0 free. Pinned: head of
                                 the alias chain */
    uint32_t locked;          /* registers the current op uses */
    uint32_t vector_used;     /* xmm that hold a live value, or are locked */
    uint32_t mirrors;         /* registers that mirror a field all through the unit: mirror.c */
    unsigned n_mirrors;
    struct mirror {
        uint16_t field, alias; /* the same, or its other name */
        bool is_half;          /* above it the register is zero */
    } mirror[8];
    uint8_t mirror_of_field[IR_MAX_FIELDS]; /* 0: none */

    bool hold_flags;     /* a consumer has its condition but has not used it yet */
    ir_ref stored_ahead; /* a SET whose store is already done */
    unsigned pair_turn;  /* which register gathers the next pair of flag bytes */
    bool x87_ready;      /* the host's x87 registers are known to hold the vCPU's */
    ir_ref x87_done;     /* an X87 that its PROBE has done */
    ir_ref eflags;       /* whose flags EFLAGS holds, 0 none */
    struct access_group groups[MAX_GROUPS];
    ir_ref ungrouped[MAX_UNGROUPED]; /* bases that too few accesses of this block have */
    unsigned n_ungrouped;
    ir_ref sum[4]; /* the last values that are another one plus a constant */
    unsigned n_sums;
    unsigned n_lazy, n_saved, n_field_values;
    ir_ref lazy[MAX_LAZY];
    struct saved_flag saved[MAX_SAVED_FLAGS];
    ir_ref field_values[MAX_FIELD_VALUES];
    uint64_t slots_used, dead_slots;
    uint32_t vector_slots_used, dead_vector_slots;

    struct value *value;     /* per insn */
    uint16_t (*arg_next)[4]; /* per insn: next use of each argument after it */
    uint16_t
        *next_barrier;    /* per insn: the next one, itself included, that sees pinned registers */
    uint16_t *next_event; /* per GET, SET of a pinned field: the next of the same field */
    uint16_t event[N_PINNED]; /* next GET or SET from where emission stands */
    struct cold *cold;
    struct exit_site *exits;
    unsigned n_cold;
    struct pending_place *pending;
    unsigned n_pending;
    struct hot_site *sites;
    unsigned n_sites;
    uint8_t **block_start;
    struct jump_fixup *fixups;
    unsigned n_fixups;
    unsigned n_exits;
    uint8_t *table; /* side table being written */
    size_t table_size, table_capacity;
    uint32_t last_offset, last_aux;
    uint64_t last_pc;
    uint64_t (*pool)[2]; /* 16-byte constants behind the code */
    struct pool_use *pool_use;
    unsigned n_pool, n_pool_uses;
};

/* An operand in the form an instruction can take. */
struct operand {
    enum { OPERAND_REG, OPERAND_IMM, OPERAND_MEM } kind;
    uint8_t reg;
    int32_t imm;
    struct mem mem;
};

/* regalloc.c */
void alloc_analyse(struct emit *e, const struct ir_block *block);
void alloc_begin_block(struct emit *e);
/* base + (index << shift), of which folded parts have no code of their own. base: IR_NONE where ref
 * is the shift alone. */
struct sum_parts {
    ir_ref base, index;
    unsigned shift;
};
struct sum_parts parts_of_sum(const struct emit *e, ir_ref ref);
unsigned alloc_temp(struct emit *e);           /* a free general temporary, locked */
unsigned alloc_xmm(struct emit *e);            /* likewise */
void alloc_take(struct emit *e, unsigned reg); /* frees and locks this very one */
/* Around a C call: temporaries that live on go to memory; then none is in a
 * register. */
void alloc_spill_temps(struct emit *e, uint32_t changed_pinned);
void alloc_drop_temps(struct emit *e, uint32_t changed_pinned);
unsigned use_gpr(struct emit *e, ir_ref ref); /* value in a register, locked */
unsigned use_xmm(struct emit *e, ir_ref ref);
struct operand use_operand(struct emit *e, ir_ref ref);  /* reg, imm32 or memory */
void use_into(struct emit *e, ir_ref ref, unsigned reg); /* copy into this register */
void end_uses(struct emit *e);                           /* values whose last use is `here` die */
/* The register for the result of `here`; prefer: reuse it if it is free now.
 * avoid: bit mask. */
unsigned def_reg(struct emit *e, unsigned prefer, uint32_t avoid);
unsigned def_xmm(struct emit *e, unsigned prefer, uint32_t avoid);
void def_in(struct emit *e, unsigned reg); /* the result is in this (locked, free) register */
void end_insn(struct emit *e);
/* An INSN has no value of its own: a pointer that the backend itself keeps can be one, and is moved
 * and spilled like any other. */
bool can_hold_pointer(const struct emit *e, ir_ref insn);
void hold_pointer(struct emit *e, ir_ref insn, unsigned reg, ir_ref next_use, ir_ref last_use);
void drop_pointer(struct emit *e, ir_ref insn);
void save_aliases(struct emit *e, unsigned reg);   /* pinned register is about to change */
void forget_field(struct emit *e, unsigned field); /* its memory is about to change */
void forget_groups(struct emit *e, uint64_t groups);
void forget_integer_fields(struct emit *e);
struct mem field_mem(struct emit *e, unsigned field);
void load_field(struct emit *e, unsigned field, unsigned reg);
bool fields_overlap(const struct ir_unit *u, unsigned x, unsigned y);
struct mem slot_mem(int16_t slot);
struct mem run_mem(struct emit *e, size_t offset);
int16_t slot_alloc(struct emit *e, bool vector);
void store_field(struct emit *e, ir_ref source, unsigned field);
bool is_pending_value(const struct emit *e, const struct ir_insn *insn, ir_ref ref);
uint16_t snapshot_pending(struct emit *e, ir_ref insn, uint16_t *first);
bool deposit_is_move(const struct ir_insn *insn);
/* Does nobody look at more than the low 32 bits of an integer, nor at its flags? */
bool is_low_half(const struct emit *e, ir_ref ref);
void def_alias(struct emit *e, unsigned reg); /* the result is what a pinned register holds */
bool is_pinned(const struct emit *e, unsigned reg);
bool is_dying(struct emit *e, ir_ref ref); /* last use is here */
bool is_constant(struct emit *e, ir_ref ref, uint64_t *value);
static inline bool is_wide(const struct emit *e, ir_ref ref)
{
    return e->u->insns[ref].type == IR_I64;
}
static inline unsigned op_w(unsigned type)
{
    return type == IR_I64 ? OP_W : 0;
}

/* flags.c */
bool insn_clobbers_flags(const struct emit *e, ir_ref ref); /* regalloc.c */
bool flags_matter(const struct emit *e);                    /* regalloc.c */
void flags_clobber(struct emit *e);                         /* EFLAGS is about to be lost */
unsigned flags_wanted_after(const struct emit *e, ir_ref source, ir_ref from); /* regalloc.c */
void flags_produced(struct emit *e); /* by the op being emitted */
enum cc flags_use(struct emit *e, ir_ref flags, unsigned cond, bool *inverted_carry);
void flags_restore_carry(struct emit *e, bool inverted_carry);
ir_ref flags_source(const struct ir_unit *u, ir_ref flags);
bool flags_are_packed(const struct ir_unit *u, ir_ref source);
void flags_load(struct emit *e, ir_ref flags); /* into EFLAGS; IR_NONE: all clear */
/* In the low 16 bits of a register, locked; others are undefined. */
unsigned flags_pack(struct emit *e, ir_ref flags);
/* Takes what it needs from EFLAGS before it changes them. */
bool takes_eflags(struct emit *e, const struct ir_insn *insn);
/* ADD or SUB of a carry that is still in CF, as adc or sbb; false if it is none. */
bool emit_sum_with_carry(struct emit *e, const struct ir_insn *insn);
void flags_lazy_value(struct emit *e, ir_ref ref); /* SETCC into a register or slot */
void flags_set_carry(struct emit *e, ir_ref carry);
void emit_setcc(struct emit *e, const struct ir_insn *insn);
void emit_select(struct emit *e, const struct ir_insn *insn);

/* the ops, by file */
typedef void emit_fn(struct emit *e, const struct ir_insn *insn);
emit_fn emit_get, emit_set, emit_integer, emit_shift, emit_divide, emit_wide_divide, emit_remainder,
    emit_bits, emit_convert, emit_adc, emit_mkflags;
emit_fn emit_alu_row, emit_narrow_integer, emit_mergeflags, emit_packflags, emit_unpackflags;
void emit_narrow_alu(struct emit *e, unsigned width, enum alu op, unsigned dst, struct operand b);
void emit_zero_extend(struct emit *e, unsigned width, unsigned reg);
emit_fn emit_memory_load, emit_memory_store, emit_probe, emit_commit, emit_hload, emit_hstore,
    emit_cas, emit_rmw, emit_fence;
emit_fn emit_call;
emit_fn emit_branch, emit_branch_cc, emit_exit_jump, emit_exit_indirect, emit_exit_lookup,
    emit_exit_stop;
emit_fn emit_fp, emit_fp_sign, emit_fcmp, emit_fcvt, emit_f2i, emit_i2f, emit_bitcast;
emit_fn emit_vector_fn;
emit_fn emit_vconst, emit_vector, emit_vector_lane, emit_vector_shift, emit_vector_fp,
    emit_vector_flush, emit_vector_misc;

/* Moves values into registers, all at once; a source of IR_NONE is skipped. */
void parallel_move(struct emit *e, const ir_ref *refs, const uint8_t *regs, unsigned n);

struct cold *cold_add(struct emit *e, enum cold_kind kind);
struct cold *add_memory_cold(struct emit *e, const struct ir_insn *insn, enum slow_kind kind);
void cold_from(struct cold *cold, uint8_t *field);
void cold_member(struct emit *e, const struct cold *cold);       /* memory.c */
void cold_fp_sort(struct emit *e, const struct cold *cold);      /* fp.c */
void cold_vector_exact(struct emit *e, const struct cold *cold); /* vector.c */
void cold_emit_all(struct emit *e, struct unit_code *code);

/* group.c */
void groups_begin(struct emit *e); /* a block */
void groups_end(struct emit *e);   /* nothing of them holds behind here */
/* The group of the access being emitted, which may begin with it; NULL: it is checked alone. */
struct access_group *group_of(struct emit *e, const struct ir_insn *insn, bool *begins);
/* Its pointer is in this register from now on. */
void group_hold(struct emit *e, struct access_group *group, unsigned reg);
/* The access is done: where its slow path finds the pointers. own may be NULL. */
void groups_note(struct emit *e, struct cold *cold, const struct access_group *own);
void group_advance(struct emit *e, struct access_group *group);

/* sidetable.c */
void sidetable_put_site(struct emit *e, uint32_t offset, ir_ref insn, bool registers_saved,
                        unsigned pending_first, unsigned n_pending);
void x86_restore(struct backend_state *s, struct run_state *run, const struct unit_code *code,
                 const void *site, uint64_t *pc, uint32_t *aux);
/* The slow path of the inline access that holds this host pc, or NULL. Async-signal-safe. */
const void *x86_access_fault(struct backend_state *s, const struct unit_code *code, const void *pc);
ir_ref boundary_of(struct emit *e, ir_ref insn);

/* thunks.c */
bool thunks_create(struct backend_state *s, struct error *err);
/* dst: the exec table's entry for the pc in `pc`, which is lost. */
void emit_exec_entry(struct assembler *a, const struct backend_state *s, unsigned dst, unsigned pc);
enum exit_reason x86_enter(struct backend_state *s, struct run_state *run, const void *code);
NORETURN void x86_unwind(struct backend_state *s, struct run_state *run, enum exit_reason reason);

/* patch.c */
void x86_patch_jump(struct backend_state *s, void *site, const void *target, uint32_t tag);
void x86_forget(struct backend_state *s, const void *entry, bool gone);
bool slots_create(struct backend_state *s, struct error *err);
void slots_destroy(struct backend_state *s);
struct inline_slot *slot_take(struct backend_state *s, const void *owner); /* NULL: none left */
bool x86_own_code(const struct backend_state *s, unsigned index, struct backend_code *out);
const void *x86_indirect_fill(struct run_state *run, struct inline_slot *slot,
                              struct backend_state *s);

/* slow.c */
void x86_slow_access(struct run_state *run, const uint8_t *back, struct backend_state *s);

/* x87.c */
emit_fn emit_x87;
void cold_x87(struct emit *e, const struct cold *cold);
bool x87_begin_fused(struct emit *e, const struct ir_insn *probe);
void x87_end_fused(struct emit *e, struct cold *cold, unsigned pointer);
void cold_x87_access(struct emit *e, const struct cold *cold);
void emit_x87_thunk(struct assembler *a, struct backend_state *s);

/* vector.c */
void load_vector_constant(struct emit *e, ir_ref ref, unsigned reg);
void pool_operand(struct emit *e, uint64_t low, uint64_t high, unsigned op, unsigned reg,
                  unsigned first);

/* vector_fn.c: does this VFN or VFP change EFLAGS? */
bool vector_fn_clobbers_flags(const struct emit *e, const struct ir_insn *insn);

/* mirror.c */
void mirrors_begin(struct emit *e); /* chooses and loads them: code of the unit's entry */
void mirror_set(struct emit *e, unsigned field, unsigned source);

/* disas.c */
unsigned x86_disassemble(const uint8_t *code, size_t size, uint64_t address, char *text,
                         size_t text_size);

#endif
