/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference backend: runs the IR itself (D9). Complete, simple, and the oracle of every code
 * generator; also what runs on a host that has none.
 *
 * emit_unit copies a unit into the code buffer in a compact form that needs nothing else: values
 * become slots, fields become offsets, blocks become insn indices, INSN boundaries become a table
 * that only faults look at. The "code" is data: it is read through the executable view.
 *
 * Threading: nothing is written outside the caller's stack, run_state and guest state. While
 * `enter` runs, run->host_sp points to its struct frame, which is how fault_site, restore and
 * unwind find where the vCPU stands.
 */
#include <fenv.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

#include "backend/backend.h"
#include "backend/vector_fn.h"
#include "tcg/alu.h"
#include "tcg/eval.h"
#include "tcg/vector_ops.h"
#include "util/log.h"

struct backend_state {
    struct backend_env env;
};

/* One value: an integer or a float zero-extended in d[0], flags as enum ir_flag_bit in d[0]. */
union value {
    uint64_t i;
    union ir_vector v;
};

/* Interpreter opcodes: the IR's, then the ones of 64-bit integers, then accesses by width. */
enum {
    OP64 = IR_N_OPS, /* + op, for ADD .. HIGH */
    OP_GET8 = OP64 + IR_HIGH + 1,
    OP_GET16,
    OP_GET32,
    OP_GET64,
    OP_GET128,
    OP_SET8,
    OP_SET16,
    OP_SET32,
    OP_SET64,
    OP_SET128,
    OP_ADD32_FLAGS, /* FLAGOF of the common ones */
    OP_SUB32_FLAGS,
    OP_ALU_FLAGS,
    OP_VECTOR_FLAGS, /* of VFN, VFP */
};

struct code_insn {
    uint16_t op;
    uint8_t type, sub;
    uint16_t result; /* slots */
    uint16_t arg[IR_MAX_ARGS];
    uint16_t fault; /* index of the struct code_fault */
    uint32_t aux;   /* also: offset of a field, insn index of a block */
    uint32_t from;  /* type of arg[0]; FLAGOF: op of the arithmetic insn; BRCC: insn index;
                       ALU: there are flags before it */
    uint64_t imm;
};

/* Where an insn that may fault stands in the guest's program, and what its fault leaves to do. */
struct code_fault {
    uint64_t pc;
    uint32_t aux;
    uint32_t first_pending, n_pending;
    uint32_t reserved;
};

struct code_pending {
    uint32_t offset;
    uint16_t slot, other;
    uint8_t bytes;
    struct ir_pending record;
};

/* Begins each unit; insns, faults and pendings follow in this order. */
struct code_unit {
    uint32_t entry; /* insn index of block 0 */
    uint32_t key;
    uint32_t n_insns, n_faults, n_pending;
    bool wide_address;
    struct code_insn insns[];
};

/* One run of `enter`. */
struct frame {
    jmp_buf unwind;
    const struct code_unit *unit;
    const struct code_insn *at; /* in a slow path or helper: the insn; else NULL */
    enum exit_reason reason;
    void *outer;        /* host_sp before */
    uint64_t remainder; /* of the last DIVIDE */
    union value values[2 * IR_MAX_INSNS];
};

static const struct code_fault *unit_faults(const struct code_unit *unit)
{
    return (const struct code_fault *)(unit->insns + unit->n_insns);
}

static const struct code_pending *unit_pending(const struct code_unit *unit)
{
    return (const struct code_pending *)(unit_faults(unit) + unit->n_faults);
}

/* ---- emitting ------------------------------------------------------------------------------ */

struct emitter {
    const struct ir_unit *unit;
    struct code_unit *out;
    struct code_insn *insns;
    struct code_fault *faults;
    struct code_pending *pending;
    unsigned n_insns, n_faults, n_pending;
    uint64_t pc; /* of the INSN last seen */
    uint32_t aux;
    uint16_t slot[IR_MAX_INSNS];         /* of each value */
    uint16_t block_start[IR_MAX_BLOCKS]; /* insn index */
};

static bool may_fault(const struct ir_insn *insn)
{
    if (insn->op == IR_CALL)
        return ((const struct ir_helper *)(uintptr_t)insn->imm)->flags & HELPER_MAY_FAULT;
    return ir_op_info[insn->op].traits & IR_FAULT;
}

static bool leaves_no_code(const struct ir_insn *insn)
{
    return insn->op == IR_NOP || insn->op == IR_INSN;
}

/* How large the copy of a unit is: its insns, faults and pending records. */
static void count(struct emitter *e)
{
    const struct ir_unit *unit = e->unit;
    for (unsigned b = 0; b < unit->n_blocks; b++) {
        e->block_start[b] = (uint16_t)e->n_insns;
        for (unsigned ref = unit->blocks[b].first; ref <= unit->blocks[b].last; ref++) {
            const struct ir_insn *insn = &unit->insns[ref];
            if (leaves_no_code(insn))
                continue;
            e->n_insns++;
            if (!may_fault(insn))
                continue;
            e->n_faults++;
            for (uint32_t i = insn->pending; i; i = unit->pending[i - 1].next)
                e->n_pending++;
        }
    }
}

static void emit_fault(struct emitter *e, const struct ir_insn *insn, struct code_insn *code)
{
    code->fault = (uint16_t)e->n_faults;
    struct code_fault *fault = &e->faults[e->n_faults++];
    *fault = (struct code_fault){.pc = e->pc, .aux = e->aux, .first_pending = e->n_pending};
    for (uint32_t i = insn->pending; i; i = e->unit->pending[i - 1].next) {
        const struct ir_pending *pending = &e->unit->pending[i - 1];
        const struct state_field *field = &e->unit->fields[pending->field];
        e->pending[e->n_pending++] = (struct code_pending){
            .offset = field->offset,
            .slot = e->slot[pending->value],
            .other = pending->other ? e->slot[pending->other] : 0,
            .bytes = (uint8_t)ir_type_bytes(field->type),
            .record = *pending,
        };
        fault->n_pending++;
    }
}

/* GET and SET: the opcode says the width. */
static void emit_field(const struct emitter *e, struct code_insn *code)
{
    static const uint8_t width[] = {[1] = 0, [2] = 1, [4] = 2, [8] = 3, [16] = 4};
    const struct state_field *field = &e->unit->fields[code->aux];
    code->op =
        (uint16_t)((code->op == IR_GET ? OP_GET8 : OP_SET8) + width[ir_type_bytes(field->type)]);
    code->aux = field->offset;
}

static void emit_insn(struct emitter *e, unsigned ref)
{
    const struct ir_insn *insn = &e->unit->insns[ref];
    struct code_insn *code = &e->insns[e->n_insns++];
    *code = (struct code_insn){
        .op = insn->op,
        .type = insn->type,
        .sub = insn->sub,
        .result = e->slot[ref],
        .aux = insn->aux,
        .from = e->unit->insns[insn->arg[0]].type,
        .imm = insn->imm,
    };
    for (unsigned i = 0; i < IR_MAX_ARGS; i++)
        code->arg[i] = insn->arg[i] ? e->slot[insn->arg[i]] : 0;
    switch (insn->op) {
    case IR_GET:
    case IR_SET:
        emit_field(e, code);
        break;
    case IR_X87: /* which arguments there are */
        for (unsigned i = 0; i < 2; i++)
            code->arg[i] += insn->arg[i] != IR_NONE;
        break;
    case IR_ALU: /* the flags after it have a slot of their own, behind the value's */
        code->from = insn->arg[3] != IR_NONE;
        break;
    case IR_FLAGOF: {
        if (e->unit->insns[insn->arg[0]].op == IR_ALU) {
            code->op = OP_ALU_FLAGS;
            code->arg[0]++;
            break;
        }
        if (e->unit->insns[insn->arg[0]].op == IR_X87) { /* they are its value */
            code->op = OP_ALU_FLAGS;
            break;
        }
        /* Flags are computed when asked for, from the operands of what made them. */
        const struct ir_insn *source = &e->unit->insns[insn->arg[0]];
        code->from = source->op;
        code->type = source->type;
        code->sub = source->sub;
        for (unsigned i = 0; i < 3; i++)
            code->arg[i] = source->arg[i] ? e->slot[source->arg[i]] : 0;
        if (source->type == IR_I32 && !source->sub &&
            (source->op == IR_ADD || source->op == IR_SUB))
            code->op = source->op == IR_ADD ? OP_ADD32_FLAGS : OP_SUB32_FLAGS;
        if (source->op == IR_VFN || source->op == IR_VFP) {
            code->op = OP_VECTOR_FLAGS;
            code->aux = source->aux;
        }
        break;
    }
    case IR_VFN:
    case IR_VFP: {
        unsigned n = ir_vfn_info[insn->aux & 0xffff].n_args;
        code->from = e->unit->insns[insn->arg[n - 1]].type;
        break;
    }
    case IR_VCONST:
        code->imm = insn->imm;
        memcpy(code->arg, &e->unit->vconst_high[insn->aux], sizeof(code->arg));
        break;
    case IR_BRCC:
        code->aux = e->block_start[insn->aux];
        code->from = e->block_start[insn->imm];
        break;
    case IR_BR:
        code->aux = e->block_start[insn->aux];
        break;
    default:
        if (insn->op >= IR_ADD && insn->op <= IR_HIGH && insn->type == IR_I64)
            code->op = (uint16_t)(OP64 + insn->op);
        break;
    }
    if (may_fault(insn))
        emit_fault(e, insn, code);
}

static void emit_block(struct emitter *e, const struct ir_block *block)
{
    uint16_t slot = 0;
    for (unsigned ref = block->first; ref <= block->last; ref++) {
        const struct ir_insn *insn = &e->unit->insns[ref];
        if (insn->op == IR_INSN) {
            e->pc = insn->imm;
            e->aux = insn->aux;
        }
        if (leaves_no_code(insn))
            continue;
        e->slot[ref] = insn->type == IR_VOID ? 0 : slot++;
        slot += insn->op == IR_ALU;
        emit_insn(e, ref);
    }
}

static enum emit_result interp_emit_unit(struct backend_state *state, const struct ir_unit *unit,
                                         struct code_buf *out, struct unit_code *code)
{
    struct emitter e;
    e.unit = unit;
    e.pc = unit->pc;
    e.aux = 0;
    e.n_insns = e.n_faults = e.n_pending = 0;
    count(&e);
    size_t skip = -(uintptr_t)out->write & 15;
    size_t size = sizeof(struct code_unit) + e.n_insns * sizeof(struct code_insn) +
                  e.n_faults * sizeof(struct code_fault) +
                  e.n_pending * sizeof(struct code_pending);
    if ((size_t)(out->end - out->write) < skip + size)
        return EMIT_NO_SPACE;
    out->write += skip;
    out->exec += skip;
    e.out = (struct code_unit *)out->write;
    *e.out = (struct code_unit){
        .entry = e.block_start[0],
        .key = unit->key,
        .n_insns = e.n_insns,
        .n_faults = e.n_faults,
        .n_pending = e.n_pending,
        .wide_address = unit->wide_address,
    };
    e.insns = e.out->insns;
    e.faults = (struct code_fault *)(e.insns + e.n_insns);
    e.pending = (struct code_pending *)(e.faults + e.n_faults);
    e.n_insns = e.n_faults = e.n_pending = 0;
    for (unsigned b = 0; b < unit->n_blocks; b++)
        emit_block(&e, &unit->blocks[b]);
    memset(code, 0, sizeof(*code));
    code->entry = out->exec;
    code->code_bytes = size;
    out->write += size;
    out->exec += size;
    return EMIT_OK;
}

/* ---- memory -------------------------------------------------------------------------------- */

static uint64_t address_of(const struct frame *f, const struct code_insn *code, unsigned arg)
{
    uint64_t va = f->values[code->arg[arg]].i + code->imm;
    return f->unit->wide_address ? va : (uint32_t)va;
}

/* The TLB hit of tlb.h: the host address of the access, or NULL for the slow path. */
static void *tlb_hit(const struct run_state *run, bool wide, uint64_t va, unsigned memop,
                     bool write)
{
    uint8_t *tlb = memop & IR_MEM_USER ? run->tlb_user : run->tlb;
    if (UNLIKELY(!tlb) || va & (memop_align(memop) - 1) ||
        (va & (TLB_PAGE_SIZE - 1)) + memop_size(memop) > TLB_PAGE_SIZE)
        return NULL;
    uint64_t entry = write ? *tlb_write_entry(tlb, wide, va) : *tlb_read_entry(tlb, wide, va);
    return (void *)(uintptr_t)tlb_host_address(wide, entry, va);
}

static uint64_t swap_bytes(uint64_t value, unsigned memop)
{
    return __builtin_bswap64(value) >> (64 - 8 * memop_size(memop));
}

/* One host access of at most 8 bytes, in one piece where the host can. */
static uint64_t host_load(const void *host, unsigned memop)
{
    uint64_t value;
    switch (memop & IR_MEM_SIZE) {
    case 0:
        value = *(const uint8_t *)host;
        break;
    case 1:
        value = load_le16(host);
        break;
    case 2:
        value = load_le32(host);
        break;
    default:
        value = load_le64(host);
        break;
    }
    if (memop & IR_MEM_SWAP)
        value = swap_bytes(value, memop);
    if (memop & IR_MEM_SIGN)
        value = (uint64_t)sextract64(value, 0, 8 * memop_size(memop));
    return value;
}

static void host_store(void *host, uint64_t value, unsigned memop)
{
    if (memop & IR_MEM_SWAP)
        value = swap_bytes(value, memop);
    switch (memop & IR_MEM_SIZE) {
    case 0:
        *(uint8_t *)host = (uint8_t)value;
        break;
    case 1:
        store_le16(host, (uint16_t)value);
        break;
    case 2:
        store_le32(host, (uint32_t)value);
        break;
    default:
        store_le64(host, value);
        break;
    }
}

/* 16 bytes; the other byte order reverses all of them. */
static void copy16(void *to, const void *from, unsigned memop)
{
    union ir_vector v;
    memcpy(&v, from, sizeof(v));
    if (memop & IR_MEM_SWAP)
        v = (union ir_vector){
            .d = {__builtin_bswap64(v.d[1]), __builtin_bswap64(v.d[0])},
        };
    memcpy(to, &v, sizeof(v));
}

static void do_load(const struct backend_state *state, struct run_state *run, struct frame *f,
                    const struct code_insn *code)
{
    uint64_t va = address_of(f, code, 0);
    unsigned memop = code->aux;
    union value *result = &f->values[code->result];
    const void *host = tlb_hit(run, f->unit->wide_address, va, memop, false);
    f->at = code;
    if ((memop & IR_MEM_SIZE) == 4) {
        if (host)
            copy16(&result->v, host, memop);
        else
            state->env.slow.load_bytes(run, va, &result->v, memop);
        return;
    }
    uint64_t value = LIKELY(host) ? host_load(host, memop) : state->env.slow.load(run, va, memop);
    result->i = value & ir_type_mask(code->type);
}

static void do_store(const struct backend_state *state, struct run_state *run, struct frame *f,
                     const struct code_insn *code)
{
    uint64_t va = address_of(f, code, 0);
    unsigned memop = code->aux;
    const union value *value = &f->values[code->arg[1]];
    void *host = tlb_hit(run, f->unit->wide_address, va, memop, true);
    f->at = code;
    if ((memop & IR_MEM_SIZE) == 4) {
        if (host)
            copy16(host, &value->v, memop);
        else
            state->env.slow.store_bytes(run, va, &value->v, memop);
    } else if (LIKELY(host)) {
        host_store(host, value->i, memop);
    } else {
        state->env.slow.store(run, va, value->i, memop);
    }
}

static void do_host_access(struct frame *f, const struct code_insn *code)
{
    void *host = (void *)(uintptr_t)(f->values[code->arg[0]].i + code->imm);
    bool wide = (code->aux & IR_MEM_SIZE) == 4;
    if (code->op == IR_HSTORE) {
        const union value *value = &f->values[code->arg[1]];
        if (wide)
            copy16(host, &value->v, code->aux);
        else
            host_store(host, value->i, code->aux);
        return;
    }
    union value *result = &f->values[code->result];
    if (wide)
        copy16(&result->v, host, code->aux);
    else
        result->i = host_load(host, code->aux) & ir_type_mask(code->type);
}

/* PROBE, COMMIT, CAS, RMW. */
static void do_special_access(const struct backend_state *state, struct run_state *run,
                              struct frame *f, const struct code_insn *code)
{
    const struct backend_slow_path *slow = &state->env.slow;
    const union value *values = f->values;
    uint64_t result = 0;
    f->at = code;
    switch (code->op) {
    case IR_PROBE:
        result = (uintptr_t)slow->probe(run, address_of(f, code, 0), code->sub, code->aux);
        break;
    case IR_COMMIT:
        slow->commit(run, (void *)(uintptr_t)values[code->arg[0]].i, address_of(f, code, 1),
                     code->sub, code->aux);
        return;
    case IR_CAS:
        result = slow->cas(run, address_of(f, code, 0), values[code->arg[1]].i,
                           values[code->arg[2]].i, code->aux) &
                 ir_type_mask(code->type);
        break;
    default:
        result =
            slow->rmw(run, address_of(f, code, 0), code->sub, values[code->arg[1]].i, code->aux) &
            ir_type_mask(code->type);
        break;
    }
    f->values[code->result].i = result;
}

static NOINLINE void do_divide(const struct backend_state *state, struct run_state *run,
                               struct frame *f, const struct code_insn *code)
{
    const union value *values = f->values;

    f->at = code;
    if (!ir_eval_wide_divide(code->type, code->sub, values[code->arg[0]].i, values[code->arg[1]].i,
                             values[code->arg[2]].i, &f->values[code->result].i, &f->remainder))
        state->env.fp->divide_error(run);
}

/* ---- calls --------------------------------------------------------------------------------- */

static void do_call(void *cpu, struct frame *f, const struct code_insn *code)
{
    const struct ir_helper *helper = (const struct ir_helper *)(uintptr_t)code->imm;
    const uint64_t a = f->values[code->arg[0]].i, b = f->values[code->arg[1]].i,
                   c = f->values[code->arg[2]].i, d = f->values[code->arg[3]].i;
    uint64_t result;
    f->at = helper->flags & HELPER_MAY_FAULT ? code : NULL;
    /* Arguments in registers: an I32 parameter takes the low half of what is passed. */
    switch (helper->n_args) {
    case 0:
        result = ((uint64_t(*)(void *))helper->fn)(cpu);
        break;
    case 1:
        result = ((uint64_t(*)(void *, uint64_t))helper->fn)(cpu, a);
        break;
    case 2:
        result = ((uint64_t(*)(void *, uint64_t, uint64_t))helper->fn)(cpu, a, b);
        break;
    case 3:
        result = ((uint64_t(*)(void *, uint64_t, uint64_t, uint64_t))helper->fn)(cpu, a, b, c);
        break;
    default:
        result = ((uint64_t(*)(void *, uint64_t, uint64_t, uint64_t, uint64_t))helper->fn)(cpu, a,
                                                                                           b, c, d);
        break;
    }
    if (helper->result != IR_VOID)
        f->values[code->result].i = result & ir_type_mask(helper->result);
}

static void do_float(const struct backend_state *state, void *cpu, struct frame *f,
                     const struct code_insn *code)
{
    uint64_t result = state->env.fp->scalar(cpu, code->op, code->type | code->from << 8, code->sub,
                                            f->values[code->arg[0]].i, f->values[code->arg[1]].i,
                                            f->values[code->arg[2]].i);
    f->values[code->result].i = result & ir_type_mask(code->type);
}

static void do_x87(const struct backend_state *state, void *cpu, struct frame *f,
                   const struct code_insn *code)
{
    unsigned modrm = code->sub | (unsigned)code->imm << 8;
    void *memory = (void *)(uintptr_t)(code->arg[0] ? f->values[code->arg[0] - 1].i : 0);
    uint64_t value = code->arg[1] ? f->values[code->arg[1] - 1].i : 0;
    uint64_t result = state->env.fp->x87(cpu, code->aux, modrm, memory, value);
    if (code->type != IR_VOID)
        f->values[code->result].i = result & ir_type_mask(code->type);
}

static void do_bitcast(struct frame *f, const struct code_insn *code)
{
    uint64_t value = f->values[code->arg[0]].i;
    f->values[code->result].v = (union ir_vector){.d = {value, 0}};
}

/* ---- running ------------------------------------------------------------------------------- */

/* The unit for run->pc and run->key: the jump cache's, else what exec finds. */
static const struct code_unit *find_next(const struct backend_state *state, struct run_state *run)
{
    if (LIKELY(run->jump_cache && run->tlb)) {
        const struct jump_cache_entry *entry =
            &run->jump_cache[(run->pc >> 1 ^ run->pc >> 13 ^ run->key) % JUMP_CACHE_SIZE];
        uint32_t page = tlb_exec_tag(run->tlb, state->env.wide_address, run->pc);
        if (entry->code && entry->pc == run->pc && entry->key == run->key && page &&
            entry->page == page)
            return entry->code;
    }
    return state->env.slow.lookup(run);
}

static bool exit_requested(struct run_state *run)
{
    return UNLIKELY(atomic_load_explicit(&run->exit_request, memory_order_acquire));
}

/* Ends a unit. True: go on with f->unit; false: f->reason says why the run loop is needed. */
static bool leave_unit(const struct backend_state *state, struct run_state *run, struct frame *f,
                       const struct code_insn *code)
{
    bool poll = true;
    f->at = NULL;
    switch (code->op) {
    case IR_EXIT_JUMP:
        run->pc = code->imm;
        run->key = code->aux;
        poll = code->sub & IR_POLL;
        break;
    case IR_EXIT_INDIRECT:
        run->pc = f->values[code->arg[0]].i;
        run->key = (uint32_t)f->values[code->arg[1]].i;
        break;
    case IR_EXIT_STOP:
        f->reason = (enum exit_reason)code->aux;
        return false;
    default: /* EXIT_LOOKUP: pc and key are in run_state */
        break;
    }
    if (poll && exit_requested(run)) {
        f->reason = EXIT_REQUESTED;
        return false;
    }
    f->unit = find_next(state, run);
    f->reason = EXIT_LOOKUP_MISS;
    return f->unit != NULL;
}

static void do_alu(struct frame *f, const struct code_insn *code)
{
    union value *values = f->values;
    uint16_t flags = code->from ? (uint16_t)values[code->arg[3]].i : 0;
    uint64_t result = ir_alu_eval(code->sub, code->aux, values[code->arg[0]].i,
                                  values[code->arg[1]].i, values[code->arg[2]].i, &flags);
    values[code->result].i = result;
    values[code->result + 1].i = flags;
}

static void do_vector_fn(struct frame *f, const struct code_insn *code)
{
    union value *values = f->values;
    struct vector_fn_call call = {
        .a = &values[code->arg[0]].v,
        .b = &values[code->arg[1]].v,
        .c = &values[code->arg[2]].v,
        .immediate = (uint8_t)(code->aux >> 16),
        .wide = code->type == IR_I64 || code->from == IR_I64,
    };
    vector_fn_eval(code->aux & 0xffff, &call);
    if (code->op == OP_VECTOR_FLAGS)
        values[code->result].i = call.flags;
    else
        values[code->result].v = call.result;
}

/* Everything that is neither integer, state nor control. */
static void do_other(const struct backend_state *state, struct run_state *run, struct frame *f,
                     const struct code_insn *code)
{
    union value *values = f->values, *result = &values[code->result];
    const union value *a = &values[code->arg[0]], *b = &values[code->arg[1]],
                      *c = &values[code->arg[2]];
    switch (code->op) {
    case IR_FENCE:
        atomic_thread_fence(memory_order_seq_cst);
        break;
    case IR_MKFLAGS:
        result->i = (a->i & 1 ? IR_FLAG_N : 0) | (b->i & 1 ? IR_FLAG_Z : 0) |
                    (c->i & 1 ? IR_FLAG_C : 0) | (values[code->arg[3]].i & 1 ? IR_FLAG_V : 0);
        break;
    case IR_MERGEFLAGS: {
        unsigned bits = ir_flag_set_bits(code->sub);
        result->i = (a->i & ~(uint64_t)bits) | (b->i & bits);
        break;
    }
    case IR_PACKFLAGS:
    case IR_UNPACKFLAGS:
        result->i = a->i & IR_FLAG_ALL;
        break;
    case IR_ALU:
        do_alu(f, code);
        break;
    case IR_PROBE:
    case IR_COMMIT:
    case IR_CAS:
    case IR_RMW:
        do_special_access(state, run, f, code);
        break;
    case IR_DIVIDE:
        do_divide(state, run, f, code);
        break;
    case IR_REMAINDER: /* which the DIVIDE has put there */
        result->i = f->remainder;
        break;
    case IR_HLOAD:
    case IR_HSTORE:
        do_host_access(f, code);
        break;
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
    case IR_FSQRT:
    case IR_FMA:
    case IR_FCMP:
    case IR_FCVT:
    case IR_F2I:
    case IR_I2F:
        do_float(state, run, f, code);
        break;
    case IR_FNEG:
        result->i = a->i ^ UINT64_C(1) << (ir_type_bits(code->type) - 1);
        break;
    case IR_FABS:
        result->i = a->i & ~(UINT64_C(1) << (ir_type_bits(code->type) - 1));
        break;
    case IR_X87:
        do_x87(state, run, f, code);
        break;
    case IR_BITCAST:
        do_bitcast(f, code);
        break;
    case IR_VFADD:
    case IR_VFSUB:
    case IR_VFMUL:
    case IR_VFMA:
    case IR_VFFLUSH:
        state->env.fp->vector(run, code->op, code->sub, result, a, b, c);
        break;
    case IR_VFN:
    case IR_VFP:
    case OP_VECTOR_FLAGS:
        do_vector_fn(f, code);
        break;
    default:
        ir_vector_eval(code->op, code->sub, code->aux, &result->v, &a->v, &b->v, &c->v);
        break;
    }
}

#define VALUE(n) values[code->arg[n]].i
#define INTEGER(name)                                                                              \
    case IR_##name:                                                                                \
        values[code->result].i = ir_eval_integer(IR_##name, IR_I32, code->sub, code->aux,          \
                                                 VALUE(0), VALUE(1), VALUE(2));                    \
        break;                                                                                     \
    case OP64 + IR_##name:                                                                         \
        values[code->result].i = ir_eval_integer(IR_##name, IR_I64, code->sub, code->aux,          \
                                                 VALUE(0), VALUE(1), VALUE(2));                    \
        break
#define FIELD (cpu + code->aux)

/* The loop. One switch, so longer than functions should be: each case is one op. */
static void run_units(const struct backend_state *state, struct run_state *run, struct frame *f)
{
    uint8_t *cpu = (uint8_t *)run;
    union value *const values = f->values;
    const struct code_insn *code = &f->unit->insns[f->unit->entry];
    for (;; code++) {
        switch (code->op) {
            INTEGER(ADD);
            INTEGER(SUB);
            INTEGER(ADC);
            INTEGER(SBB);
            INTEGER(MUL);
            INTEGER(UDIV);
            INTEGER(SDIV);
            INTEGER(AND);
            INTEGER(OR);
            INTEGER(XOR);
            INTEGER(ANDN);
            INTEGER(NOT);
            INTEGER(NEG);
            INTEGER(SHL);
            INTEGER(SHR);
            INTEGER(SAR);
            INTEGER(ROR);
            INTEGER(CLZ);
            INTEGER(CTZ);
            INTEGER(POPCNT);
            INTEGER(BSWAP);
            INTEGER(BITREV);
            INTEGER(SEXT);
            INTEGER(ZEXT);
            INTEGER(EXTRACT);
            INTEGER(SEXTRACT);
            INTEGER(DEPOSIT);
            INTEGER(WIDEN_S);
            INTEGER(WIDEN_U);
            INTEGER(NARROW);
            INTEGER(CONCAT);
            INTEGER(HIGH);
        case IR_CONST:
            values[code->result].i = code->imm;
            break;
        case IR_VCONST: /* the high half is where other ops have their arguments */
            values[code->result].v.d[0] = code->imm;
            memcpy(&values[code->result].v.d[1], code->arg, sizeof(code->arg));
            break;
        case OP_GET8:
            values[code->result].i = *FIELD;
            break;
        case OP_GET16:
            values[code->result].i = load_le16(FIELD);
            break;
        case OP_GET32:
            values[code->result].i = load_le32(FIELD);
            break;
        case OP_GET64:
            values[code->result].v = (union ir_vector){.d = {load_le64(FIELD), 0}};
            break;
        case OP_GET128:
            memcpy(&values[code->result].v, FIELD, 16);
            break;
        case OP_SET8:
            *FIELD = (uint8_t)VALUE(0);
            break;
        case OP_SET16:
            store_le16(FIELD, (uint16_t)VALUE(0));
            break;
        case OP_SET32:
            store_le32(FIELD, (uint32_t)VALUE(0));
            break;
        case OP_SET64:
            store_le64(FIELD, VALUE(0));
            break;
        case OP_SET128:
            memcpy(FIELD, &values[code->arg[0]].v, 16);
            break;
        case OP_ADD32_FLAGS:
            values[code->result].i = ir_eval_flags(IR_ADD, IR_I32, 0, VALUE(0), VALUE(1), 0);
            break;
        case OP_SUB32_FLAGS:
            values[code->result].i = ir_eval_flags(IR_SUB, IR_I32, 0, VALUE(0), VALUE(1), 0);
            break;
        case IR_FLAGOF:
            values[code->result].i =
                ir_eval_flags(code->from, code->type, code->sub, VALUE(0), VALUE(1), VALUE(2));
            break;
        case OP_ALU_FLAGS:
            values[code->result].i = VALUE(0);
            break;
        case IR_SETCC:
            values[code->result].i = ir_cond_holds(code->sub, (unsigned)VALUE(0));
            break;
        case IR_SELECT:
            values[code->result].v =
                values[code->arg[ir_cond_holds(code->sub, (unsigned)VALUE(0)) ? 1 : 2]].v;
            break;
        case IR_LOAD:
            do_load(state, run, f, code);
            break;
        case IR_STORE:
            do_store(state, run, f, code);
            break;
        case IR_CALL:
            do_call(cpu, f, code);
            break;
        case IR_BR:
            if (code->sub & IR_POLL && exit_requested(run)) {
                run->pc = code->imm;
                run->key = f->unit->key;
                f->reason = EXIT_REQUESTED;
                return;
            }
            code = &f->unit->insns[code->aux] - 1;
            break;
        case IR_BRCC:
            code = &f->unit->insns[ir_cond_holds(code->sub, (unsigned)VALUE(0)) ? code->aux
                                                                                : code->from] -
                   1;
            break;
        case IR_EXIT_JUMP:
        case IR_EXIT_INDIRECT:
        case IR_EXIT_LOOKUP:
        case IR_EXIT_STOP:
            if (!leave_unit(state, run, f, code))
                return;
            code = &f->unit->insns[f->unit->entry] - 1;
            break;
        default:
            do_other(state, run, f, code);
            break;
        }
    }
}

/* The guest's control word is in force as it is in generated code. */
static void set_control(uint32_t mxcsr)
{
#ifdef __x86_64__
    if (mxcsr)
        _mm_setcsr(mxcsr);
#endif
}

static uint32_t get_control(uint32_t mxcsr)
{
#ifdef __x86_64__
    return _mm_getcsr();
#else
    return mxcsr;
#endif
}

static enum exit_reason interp_enter(struct backend_state *state, struct run_state *run,
                                     const void *code)
{
    struct frame frame;
    fenv_t host;
    frame.unit = code;
    frame.at = NULL;
    frame.outer = run->host_sp;
    run->host_sp = &frame;
    /* Helpers take what the host's control word has collected for the guest's flags, which with
     * generated code it is: here it must be nothing. */
    feholdexcept(&host);
    set_control(run->mxcsr);
    if (!_setjmp(frame.unwind))
        run_units(state, run, &frame);
    run->mxcsr = get_control(run->mxcsr);
    frame.at = NULL;
    run->host_sp = frame.outer;
    fesetenv(&host);
    return frame.reason;
}

static const void *interp_fault_site(struct backend_state *state, struct run_state *run)
{
    const struct frame *frame = run->host_sp;
    return frame ? frame->at : NULL;
}

static void interp_restore(struct backend_state *state, struct run_state *run,
                           const struct unit_code *code, const void *site, uint64_t *pc,
                           uint32_t *aux)
{
    const struct frame *frame = run->host_sp;
    const struct code_insn *insn = site;
    const struct code_fault *fault = &unit_faults(frame->unit)[insn->fault];
    const struct code_pending *pending = &unit_pending(frame->unit)[fault->first_pending];
    for (unsigned i = 0; i < fault->n_pending; i++) {
        /* The host is little-endian: the low bytes of the value are its first ones. */
        uint64_t value = ir_eval_pending(&pending[i].record, frame->values[pending[i].slot].i,
                                         frame->values[pending[i].other].i);
        memcpy((uint8_t *)run + pending[i].offset, &value, pending[i].bytes);
    }
    *pc = fault->pc;
    *aux = fault->aux;
}

NORETURN static void interp_unwind(struct backend_state *state, struct run_state *run,
                                   enum exit_reason reason)
{
    struct frame *frame = run->host_sp;
    if (!frame)
        BUG("unwind outside generated code");
    frame->reason = reason;
    _longjmp(frame->unwind, 1);
}

/* ---- the rest of the interface ------------------------------------------------------------- */

static bool interp_available(void)
{
    return true;
}

static bool interp_supports(unsigned op, unsigned type, unsigned sub)
{
    return true;
}

static struct backend_state *interp_create(const struct backend_env *env, struct error *err)
{
    struct backend_state *state = malloc(sizeof(*state));
    if (!state) {
        error_set(err, "no host memory for the interpreter");
        return NULL;
    }
    state->env = *env;
    return state;
}

static void interp_destroy(struct backend_state *state)
{
    free(state);
}

/* Exits are found through lookup each time: there are no sites to patch and nothing is cached. */
static void interp_patch_jump(struct backend_state *state, void *site, const void *target,
                              uint32_t tag)
{
}

static void interp_forget(struct backend_state *state, const void *entry, bool gone)
{
}

static unsigned interp_disassemble(const uint8_t *code, size_t size, uint64_t address, char *text,
                                   size_t text_size)
{
    snprintf(text, text_size, "(interpreted, %zu bytes)", size);
    return (unsigned)size;
}

static const struct backend interp = {
    .name = "interp",
    .description = "interprets the intermediate code: slow, complete, on any host",
    .generates_code = false,
    .available = interp_available,
    .supports = interp_supports,
    .create = interp_create,
    .destroy = interp_destroy,
    .emit_unit = interp_emit_unit,
    .enter = interp_enter,
    .patch_jump = interp_patch_jump,
    .fault_site = interp_fault_site,
    .restore = interp_restore,
    .unwind = interp_unwind,
    .forget = interp_forget,
    .disassemble = interp_disassemble,
};
REGISTER(backend, interp);
