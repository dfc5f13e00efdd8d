/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Register allocation, local to a block: one backward pass finds last and next
 * uses, then values get registers while code is emitted. A value lives in a
 * temporary, as an alias of the pinned register its field is kept in, in a
 * spill slot, still in its state field, or is a constant; the latter three can
 * be dropped from a register for nothing.
 */
#include "backend/x86_64/x86_64.h"

#include "tcg/eval.h"

struct mem run_mem(struct emit *e, size_t offset)
{
    return mem_at(RBP, (int32_t)offset - e->s->bias);
}

struct mem field_mem(struct emit *e, unsigned field)
{
    return mem_at(RBP, (int32_t)e->u->fields[field].offset - e->s->bias);
}

struct mem slot_mem(int16_t slot)
{
    if (slot < SPILL_SLOTS)
        return mem_at(RSP, FRAME_SPILL + slot * 8);
    return mem_at(RSP, FRAME_VECTOR + (slot - SPILL_SLOTS) * 16);
}

int16_t slot_alloc(struct emit *e, bool vector)
{
    if (vector) {
        if (e->vector_slots_used == UINT32_MAX) {
            e->failed = true;
            return SPILL_SLOTS;
        }
        int slot = __builtin_ctz(~e->vector_slots_used);
        e->vector_slots_used |= 1u << slot;
        return (int16_t)(SPILL_SLOTS + slot);
    }
    if (e->slots_used == UINT64_MAX) {
        e->failed = true;
        return 0;
    }
    int slot = __builtin_ctzll(~e->slots_used);
    e->slots_used |= UINT64_C(1) << slot;
    return (int16_t)slot;
}

/* ---- the backward pass ----------------------------------------------------------------------- */

static bool is_general(unsigned type)
{
    return type == IR_I32 || type == IR_I64 || type == IR_FLAGS;
}

/* The low byte or word of a register. */
bool deposit_is_move(const struct ir_insn *insn)
{
    return !insn->sub && (insn->aux == 8 || insn->aux == 16);
}

/* Does an insn change EFLAGS (or may it)? Sums nobody wants the flags of can be done by lea. */
bool insn_clobbers_flags(const struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    switch (insn->op) {
    case IR_DEPOSIT:
        return !deposit_is_move(insn);
    case IR_ADD:
        return e->value[ref].flag_last || insn->sub || e->u->insns[insn->arg[0]].op == IR_SETCC ||
               e->u->insns[insn->arg[1]].op == IR_SETCC;
    case IR_SUB:
        return e->value[ref].flag_last || insn->sub || e->u->insns[insn->arg[1]].op != IR_CONST ||
               insn->type != IR_I32;
    case IR_UNPACKFLAGS:
        return e->u->insns[insn->arg[0]].op != IR_CONST;
    case IR_VFN:
    case IR_VFP:
        return vector_fn_clobbers_flags(e, insn);
    case IR_X87: /* make_live looks after the rest */
        return insn->type != IR_VOID || insn->arg[0] != IR_NONE || insn->arg[1] != IR_NONE;
    case IR_NOP:
    case IR_CONST:
    case IR_VCONST:
    case IR_INSN:
    case IR_GET:
    case IR_SET:
    case IR_FLAGOF:
    case IR_SETCC:
    case IR_SELECT:
    case IR_HLOAD:
    case IR_HSTORE:
    case IR_WIDEN_S:
    case IR_WIDEN_U:
    case IR_NARROW:
    case IR_NOT:
    case IR_BSWAP:
    case IR_SEXT:
    case IR_ZEXT:
    case IR_BITCAST:
    case IR_REMAINDER:
        return false;
    default:
        return true;
    }
}

ir_ref flags_source(const struct ir_unit *u, ir_ref flags)
{
    const struct ir_insn *insn = &u->insns[flags];
    return insn->op == IR_FLAGOF ? insn->arg[0] : flags;
}

static void add_use(struct emit *e, ir_ref ref, ir_ref at)
{
    struct value *v = &e->value[ref];
    if (!v->last_use)
        v->last_use = at;
    v->n_uses++;
    v->first_use = at;
}

static void add_pending_use(struct emit *e, const struct ir_pending *pending, ir_ref ref, ir_ref at)
{
    struct value *v = &e->value[ref];
    unsigned seen = pending->how == PENDING_VALUE ? 64 : ir_op_width(pending->type, pending->sub);
    add_use(e, ref, at);
    v->seen = (uint8_t)MAX(v->seen, seen);
}

/* Does a pending record of this insn take the value? */
bool is_pending_value(const struct emit *e, const struct ir_insn *insn, ir_ref ref)
{
    for (unsigned p = insn->pending; p; p = e->u->pending[p - 1].next)
        if (e->u->pending[p - 1].value == ref || e->u->pending[p - 1].other == ref)
            return true;
    return false;
}

static bool is_conditional(unsigned op)
{
    return op == IR_SETCC || op == IR_SELECT || op == IR_BRCC;
}

bool is_low_half(const struct emit *e, ir_ref ref)
{
    const struct value *v = &e->value[ref];
    return v->last_use && v->seen <= 32 && !v->flag_last;
}

/* How many low bits of argument k, an integer, insn i looks at; 64: at the whole register. */
static unsigned bits_seen(const struct emit *e, ir_ref i, const struct ir_insn *insn, unsigned k)
{
    const struct ir_unit *u = e->u;
    unsigned all = insn->type == IR_I32 ? 32 : 64;
    switch (insn->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        return insn->sub ? insn->sub : is_low_half(e, i) ? 32 : all;
    case IR_ADC:
    case IR_SBB:
        return k == 2 ? 32 : insn->sub ? insn->sub : all;
    case IR_MUL:
    case IR_NOT:
    case IR_NEG:
        return is_low_half(e, i) ? 32 : all;
    case IR_UDIV:
    case IR_SDIV:
    case IR_ANDN:
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROR:
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT:
    case IR_BSWAP:
    case IR_BITREV:
        return all;
    case IR_SEXT:
    case IR_ZEXT:
        return insn->sub;
    case IR_EXTRACT:
    case IR_SEXTRACT:
        return insn->sub + insn->aux;
    case IR_DEPOSIT:
        return k ? insn->aux : all;
    case IR_WIDEN_S:
    case IR_WIDEN_U:
    case IR_NARROW:
        return 32;
    case IR_SELECT:
        return all;
    case IR_ALU:
        if (insn->sub <= IR_ALU_MULH)
            return insn->aux;
        return 64;
    case IR_SET:
        return u->fields[insn->aux].type == IR_I8    ? 8
               : u->fields[insn->aux].type == IR_I16 ? 16
                                                     : 64;
    default:
        return 64;
    }
}

/* Condition pairs an insn takes from these flags. */
static unsigned pairs_taken(const struct ir_unit *u, const struct ir_insn *insn, ir_ref source)
{
    if (is_conditional(insn->op))
        return flags_source(u, insn->arg[0]) == source ? 1u << (insn->sub >> 1) : 0;
    if (insn->op != IR_SET && insn->op != IR_MERGEFLAGS && insn->op != IR_PACKFLAGS &&
        insn->op != IR_ALU)
        return 0;
    for (unsigned k = 0; k < IR_MAX_ARGS; k++)
        if (insn->arg[k] && u->insns[insn->arg[k]].type == IR_FLAGS &&
            flags_source(u, insn->arg[k]) == source)
            return WANT_ALL;
    return 0;
}

static void analyse_flags(struct emit *e, ir_ref i, const struct ir_insn *insn, ir_ref flags)
{
    ir_ref source = flags_source(e->u, flags);
    struct value *v = &e->value[source];
    if (!v->flag_last)
        v->flag_last = i;
    v->flag_conds |= (uint16_t)pairs_taken(e->u, insn, source);
}

/* Condition pairs that consumers behind `from` take from this source's flags. */
unsigned flags_wanted_after(const struct emit *e, ir_ref source, ir_ref from)
{
    unsigned pairs = 0;
    for (ir_ref i = from + 1; i <= e->value[source].flag_last; i++) {
        const struct ir_insn *insn = &e->u->insns[i];
        bool dead = (ir_op_info[insn->op].traits & IR_PURE) && !e->value[i].last_use &&
                    !e->value[i].flag_last;
        if (!dead)
            pairs |= pairs_taken(e->u, insn, source);
    }
    return pairs;
}

/* May this operand of a comparison be kept to do it again? Constants, what stays in a pinned
 * register and what lives on anyway cost nothing; others are worth it over a short distance. */
static bool is_keepable(struct emit *e, ir_ref ref, ir_ref at, ir_ref until)
{
    enum { SHORT_DISTANCE = 32 };
    const struct ir_insn *insn = &e->u->insns[ref];
    return insn->op == IR_CONST ||
           (insn->op == IR_GET && e->s->pin_of_field[insn->aux] != NO_REG) ||
           e->value[ref].last_use >= until || until - at < SHORT_DISTANCE;
}

static bool consumes_other_flags(const struct emit *e, ir_ref i, ir_ref source)
{
    const struct ir_insn *insn = &e->u->insns[i];
    if (insn->op == IR_SET)
        return e->u->insns[insn->arg[0]].type == IR_FLAGS && !pairs_taken(e->u, insn, source);
    return (insn->op == IR_SETCC || insn->op == IR_SELECT) &&
           flags_source(e->u, insn->arg[0]) != source;
}

/* Values whose flags are read after something has changed EFLAGS: decide how to get them back. */
static void choose_recreate(struct emit *e, ir_ref i, const struct ir_insn *insn,
                            ir_ref next_clobber)
{
    struct value *v = &e->value[i];
    v->recreate = flags_are_packed(e->u, i) ? RECREATE_PACKED : RECREATE_SAVE;
    if (insn->op == IR_ALU || insn->sub || v->recreate == RECREATE_PACKED)
        return;
    if (!next_clobber || next_clobber >= v->flag_last)
        return;
    unsigned zero_or_negative = 1u << (IR_Z >> 1) | 1u << (IR_N >> 1);
    ir_ref lost = i; /* a consumer of other flags may change EFLAGS too */
    while (lost + 1u < next_clobber && !consumes_other_flags(e, (ir_ref)(lost + 1), i))
        lost++;
    if (insn->op != IR_MKFLAGS && insn->op != IR_VFN && insn->op != IR_VFP && v->n_uses &&
        !(flags_wanted_after(e, i, lost) & ~zero_or_negative)) {
        v->recreate = RECREATE_RESULT;
        v->last_use = MAX(v->last_use, v->flag_last);
        return;
    }
    if ((insn->op != IR_SUB && insn->op != IR_AND) ||
        !is_keepable(e, insn->arg[0], i, v->flag_last) ||
        !is_keepable(e, insn->arg[1], i, v->flag_last))
        return;
    v->recreate = RECREATE_OPERANDS;
    for (unsigned k = 0; k < 2; k++) {
        struct value *arg = &e->value[insn->arg[k]];
        arg->last_use = MAX(arg->last_use, v->flag_last);
    }
}

/* A sum that a lea makes, of what takes it as well. */
static bool is_lea_sum(const struct emit *e, ir_ref sum, unsigned type)
{
    const struct ir_insn *insn = &e->u->insns[sum];
    return insn->op == IR_ADD && insn->type == type && !insn->sub && !e->value[sum].flag_last &&
           !e->value[sum].folded;
}

static bool is_scaled(const struct emit *e, ir_ref i)
{
    const struct ir_insn *insn = &e->u->insns[i];
    const struct ir_insn *count = &e->u->insns[insn->arg[1]];
    return insn->op == IR_SHL && !insn->sub && count->op == IR_CONST && count->imm <= 3 &&
           e->value[i].n_uses == 1 && !e->value[i].flag_last;
}

/* index << n of base + (index << n), and that of base + (index << n) + constant. */
static bool is_sum_part(const struct emit *e, ir_ref i)
{
    const struct ir_insn *insn = &e->u->insns[i], *user = &e->u->insns[e->value[i].last_use];
    const struct ir_insn *second = &e->u->insns[user->arg[1]];
    if (!is_lea_sum(e, e->value[i].last_use, insn->type) || user->arg[0] == user->arg[1])
        return false;
    if (insn->op == IR_ADD)
        return user->arg[0] == i && second->op == IR_CONST &&
               (insn->type == IR_I32 || (int32_t)second->imm == (int64_t)second->imm);
    return second->op != IR_CONST && (user->arg[0] == i || !is_scaled(e, user->arg[0]));
}

/* base + (index << n) and index << n can be had by the lea that makes the address of the only
 * access, or the only sum, that takes them. */
static bool is_address_part(const struct emit *e, ir_ref i)
{
    const struct ir_insn *insn = &e->u->insns[i];
    const struct value *v = &e->value[i];
    if ((insn->op != IR_ADD && insn->op != IR_SHL) || insn->sub || v->n_uses != 1 || v->flag_last)
        return false;
    const struct ir_insn *count = &e->u->insns[insn->arg[1]];
    const struct ir_insn *user = &e->u->insns[v->last_use];
    if (insn->op == IR_SHL && !is_scaled(e, i))
        return false;
    if (insn->op == IR_SHL && v->scaled)
        return true;
    if (insn->op == IR_ADD && (count->op == IR_CONST || insn->arg[0] == insn->arg[1]))
        return false;
    if (is_sum_part(e, i))
        return true;
    return (user->op == IR_LOAD || user->op == IR_STORE) && user->arg[0] == i &&
           !(user->aux & (IR_MEM_SWAP | IR_MEM_USER)) && (int32_t)user->imm == (int64_t)user->imm;
}

static void fold_address_part(struct emit *e, ir_ref i)
{
    const struct ir_insn *insn = &e->u->insns[i];
    struct value *v = &e->value[i];
    bool sum = insn->op == IR_ADD;
    v->folded = true;
    if (sum) /* one of them may be scaled */
        e->value[insn->arg[e->u->insns[insn->arg[1]].op == IR_SHL]].scaled = true;
    for (unsigned k = 0; k < (sum ? 2 : 1); k++) {
        struct value *arg = &e->value[insn->arg[k]];
        add_use(e, insn->arg[k], v->last_use);
        arg->last_use = MAX(arg->last_use, v->last_use);
        if (!arg->next_use || arg->next_use > v->last_use)
            arg->next_use = v->last_use;
        arg->seen = (uint8_t)MAX(arg->seen, insn->type == IR_I32 ? 32 : 64);
    }
}

struct sum_parts parts_of_sum(const struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    struct sum_parts parts = {.index = ref};
    if (insn->op == IR_ADD) {
        bool swap = e->value[insn->arg[0]].folded;
        parts.base = insn->arg[swap];
        parts.index = insn->arg[!swap];
    }
    if (e->value[parts.index].folded) {
        insn = &e->u->insns[parts.index];
        parts.shift = (unsigned)e->u->insns[insn->arg[1]].imm;
        parts.index = insn->arg[0];
    }
    return parts;
}

static void reset_value(struct value *v)
{
    *v = (struct value){.reg = NO_REG, .want = NO_REG, .slot = -1};
}

/* What the backward walk has seen so far of what comes after the insn it is at. */
struct later {
    uint16_t barrier[N_PINNED]; /* next GET or SET that looks at the pinned register */
    ir_ref fault;               /* next op that looks at all of them */
    ir_ref clobber, observer;
};

/* May the value be made in the register that a SET after it wants it in? Only if nothing looks at
 * the register in between. */
static void check_want(struct emit *e, const struct ir_insn *insn, struct value *v,
                       const struct later *later)
{
    if (later->barrier[e->s->pin_of_reg[v->want]] != v->want_at ||
        (later->fault && later->fault < v->want_at)) {
        v->want = NO_REG;
    } else if (insn->op == IR_WIDEN_U) {
        e->value[insn->arg[0]].want = v->want;
        e->value[insn->arg[0]].want_at = v->want_at;
    }
}

static void analyse_field(struct emit *e, ir_ref i, const struct ir_insn *insn, struct later *later)
{
    unsigned pin = e->s->pin_of_field[insn->aux];
    for (unsigned mask = e->s->overlap[insn->aux]; mask; mask &= mask - 1)
        later->barrier[__builtin_ctz(mask)] = i;
    if (pin == NO_REG) {
        if (e->s->overlap[insn->aux])
            e->next_barrier[i] = later->observer = i;
        return;
    }
    later->barrier[pin] = i;
    e->next_event[i] = e->event[pin];
    e->event[pin] = i;
    if (insn->op == IR_SET) {
        e->value[insn->arg[0]].want = e->s->pinned[pin].reg;
        e->value[insn->arg[0]].want_at = i;
    }
}

static void analyse_arguments(struct emit *e, ir_ref i, const struct ir_insn *insn, unsigned n_args)
{
    const struct ir_unit *u = e->u;
    for (unsigned p = insn->pending; p; p = u->pending[p - 1].next) {
        add_pending_use(e, &u->pending[p - 1], u->pending[p - 1].value, i);
        if (u->pending[p - 1].other)
            add_pending_use(e, &u->pending[p - 1], u->pending[p - 1].other, i);
    }
    for (unsigned k = 0; k < n_args; k++)
        e->arg_next[i][k] = e->value[insn->arg[k]].next_use;
    for (unsigned k = 0; k < n_args; k++) {
        ir_ref arg = insn->arg[k];
        struct value *v = &e->value[arg];
        if (arg == IR_NONE)
            continue;
        if (u->insns[arg].type == IR_FLAGS) {
            analyse_flags(e, i, insn, arg);
            if (!flags_are_packed(u, arg))
                continue;
        }
        add_use(e, arg, i);
        v->next_use = i;
        if (v->seen < 64)
            v->seen = (uint8_t)MAX(v->seen, bits_seen(e, i, insn, k));
    }
}

void alloc_analyse(struct emit *e, const struct ir_block *block)
{
    const struct ir_unit *u = e->u;
    struct later later = {.observer = block->last};
    memset(e->event, 0, sizeof(e->event));
    for (ir_ref i = block->first; i <= block->last; i++)
        reset_value(&e->value[i]);
    for (ir_ref i = block->last; i >= block->first; i--) {
        const struct ir_insn *insn = &u->insns[i];
        unsigned traits = ir_op_info[insn->op].traits;
        struct value *v = &e->value[i];
        e->next_barrier[i] = later.observer;
        if (insn->op == IR_NOP || insn->op == IR_INSN)
            continue;
        if (v->want != NO_REG)
            check_want(e, insn, v, &later);
        if (v->flag_last)
            choose_recreate(e, i, insn, later.clobber);
        if (insn_clobbers_flags(e, i))
            later.clobber = i;
        if (((traits & IR_PURE) || insn->op == IR_GET) && !v->n_uses && !v->flag_last)
            continue; /* not emitted */
        if (insn->op == IR_CONST || insn->op == IR_FLAGOF)
            continue;
        if (is_address_part(e, i)) {
            fold_address_part(e, i);
            continue;
        }
        if ((traits & (IR_FAULT | IR_END)) || insn->op == IR_CALL)
            e->next_barrier[i] = later.observer = later.fault = i;
        else if (insn->op == IR_GET || insn->op == IR_SET)
            analyse_field(e, i, insn, &later);
        analyse_arguments(e, i, insn, ir_op_info[insn->op].n_args);
    }
}

/* ---- places
 * ------------------------------------------------------------------------------------
 */

/* The value of an INSN is a pointer that hold_pointer put there. */
static unsigned type_of(const struct emit *e, ir_ref ref)
{
    return e->u->insns[ref].op == IR_INSN ? IR_I64 : e->u->insns[ref].type;
}

bool is_pinned(const struct emit *e, unsigned reg)
{
    return reg < 16 && e->s->pin_of_reg[reg] != NO_REG;
}

static void set_vector_used(struct emit *e, unsigned reg, bool used)
{
    if (reg >= XMM_BASE)
        e->vector_used = used ? e->vector_used | 1u << (reg - XMM_BASE)
                              : e->vector_used & ~(1u << (reg - XMM_BASE));
}

/* The value is now in this register (a free temporary, or an alias of a pinned
 * one). */
static void place(struct emit *e, ir_ref ref, unsigned reg)
{
    struct value *v = &e->value[ref];
    v->reg = (uint8_t)reg;
    v->flags = (uint8_t)((v->flags | VALUE_LIVE) & ~VALUE_LAZY_CC);
    if (is_pinned(e, reg)) {
        v->next_alias = e->reg_value[reg];
        e->reg_value[reg] = ref;
    } else {
        e->reg_value[reg] = ref;
        set_vector_used(e, reg, true);
    }
}

static void unplace(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    if (v->reg == NO_REG)
        return;
    if (is_pinned(e, v->reg)) {
        ir_ref *link = &e->reg_value[v->reg];
        while (*link && *link != ref)
            link = &e->value[*link].next_alias;
        if (*link)
            *link = v->next_alias;
    } else {
        e->reg_value[v->reg] = 0;
        set_vector_used(e, v->reg, false);
    }
    v->reg = NO_REG;
}

static bool is_recoverable(const struct value *v)
{
    return (v->flags & (VALUE_FIELD | VALUE_CONST)) || v->slot >= 0;
}

static void move_reg(struct emit *e, unsigned type, unsigned dst, unsigned src)
{
    if (dst == src)
        return;
    if (dst >= XMM_BASE)
        emit_movaps(&e->a, dst, src);
    else
        emit_mov_rr(&e->a, op_w(type), dst, src);
}

static void store_slot(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    unsigned type = type_of(e, ref);
    v->slot = slot_alloc(e, type == IR_V128);
    struct mem m = slot_mem(v->slot);
    switch (type) {
    case IR_I32:
    case IR_FLAGS:
        emit_store(&e->a, 0, m, v->reg);
        break;
    case IR_I64:
        emit_store(&e->a, OP_W, m, v->reg);
        break;
    case IR_F32:
        emit_sse_rm(&e->a, 0x11 | OP_0F | OP_F3, v->reg, m);
        break;
    case IR_F64:
        emit_sse_rm(&e->a, 0x11 | OP_0F | OP_F2, v->reg, m);
        break;
    default:
        emit_sse_rm(&e->a, 0x29 | OP_0F, v->reg, m);
        break;
    }
}

/* Frees the register of a live value: moved to a free temporary or kept in
 * memory. */
static void evict(struct emit *e, ir_ref ref, bool may_move)
{
    struct value *v = &e->value[ref];
    unsigned reg = v->reg;
    if (!is_recoverable(v) && may_move) {
        uint32_t pool = reg >= XMM_BASE ? XMM_MASK : TEMP_MASK;
        for (unsigned r = 0; r < N_REGS; r++) {
            if ((pool & ~e->locked) >> r & 1 && !e->reg_value[r] && r != reg) {
                move_reg(e, type_of(e, ref), r, reg);
                unplace(e, ref);
                place(e, ref, r);
                return;
            }
        }
    }
    if (!is_recoverable(v))
        store_slot(e, ref);
    unplace(e, ref);
}

static unsigned pick(struct emit *e, uint32_t pool)
{
    unsigned best = NO_REG, best_next = 0;
    uint32_t candidates = pool & ~e->locked;
    while (candidates) {
        unsigned r = (unsigned)__builtin_ctz(candidates);
        candidates &= candidates - 1;
        ir_ref held = e->reg_value[r];
        if (!held)
            return r;
        const struct value *v = &e->value[held];
        unsigned next = v->next_use ? v->next_use : IR_MAX_INSNS + 1u;
        next = next * 2 + is_recoverable(v); /* a free drop wins a tie */
        if (best == NO_REG || next > best_next) {
            best = r;
            best_next = next;
        }
    }
    return best;
}

/* A pinned register whose field is set again before anybody looks at it is as good as a temporary:
 * whoever is in it then is moved out by the SET. Only for I32 and I64 values. */
static unsigned pick_idle_pinned(struct emit *e)
{
    unsigned best = NO_REG, best_set = 0;
    for (unsigned p = 0; p < e->s->n_pinned; p++) {
        unsigned reg = e->s->pinned[p].reg, set = e->event[p];
        if (!set || set < best_set || e->u->insns[set].op != IR_SET ||
            e->next_barrier[e->here] < set || (e->locked >> reg & 1))
            continue;
        ir_ref ref = e->reg_value[reg];
        while (ref && e->value[ref].last_use < e->here)
            ref = e->value[ref].next_alias;
        if (ref)
            continue;
        best = reg;
        best_set = set;
    }
    return best;
}

static unsigned alloc_from(struct emit *e, uint32_t pool)
{
    unsigned reg = pick(e, pool);
    if (pool == TEMP_MASK && (reg == NO_REG || e->reg_value[reg])) {
        unsigned idle = pick_idle_pinned(e);
        if (idle != NO_REG) {
            while (e->reg_value[idle])
                unplace(e, e->reg_value[idle]);
            e->locked |= 1u << idle;
            return idle;
        }
    }
    if (reg == NO_REG) { /* more operands than temporaries: cannot happen with the
                            ops we have */
        e->failed = true;
        return (unsigned)__builtin_ctz(pool);
    }
    if (e->reg_value[reg])
        evict(e, e->reg_value[reg], false);
    e->locked |= 1u << reg;
    return reg;
}

unsigned alloc_temp(struct emit *e)
{
    return alloc_from(e, TEMP_MASK);
}

unsigned alloc_xmm(struct emit *e)
{
    return alloc_from(e, XMM_MASK);
}

void alloc_take(struct emit *e, unsigned reg)
{
    e->locked |= 1u << reg;
    if (e->reg_value[reg])
        evict(e, e->reg_value[reg], true);
}

bool is_dying(struct emit *e, ir_ref ref)
{
    return e->value[ref].last_use <= e->here;
}

bool is_constant(struct emit *e, ir_ref ref, uint64_t *value)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    if (insn->op != IR_CONST)
        return false;
    *value = insn->type == IR_I32 || insn->type == IR_F32 ? (uint32_t)insn->imm : insn->imm;
    return true;
}

/* ---- loading values
 * ----------------------------------------------------------------------------
 */

void load_field(struct emit *e, unsigned field, unsigned reg)
{
    struct mem m = field_mem(e, field);
    unsigned mirror = e->mirror_of_field[field];
    if (mirror && mirror != reg) {
        emit_movaps(&e->a, reg, mirror);
        return;
    }
    switch (e->u->fields[field].type) {
    case IR_I8:
        emit_rm(&e->a, 0xb6 | OP_0F, reg, m);
        break;
    case IR_I16:
    case IR_FLAGS:
        emit_rm(&e->a, 0xb7 | OP_0F, reg, m);
        break;
    case IR_I32:
        emit_load(&e->a, 0, reg, m);
        break;
    case IR_I64:
        emit_load(&e->a, OP_W, reg, m);
        break;
    case IR_F32:
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F3, reg, m); /* movss */
        break;
    case IR_F64:
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F2, reg, m); /* movsd */
        break;
    case IR_V64:
        emit_sse_rm(&e->a, 0x7e | OP_0F | OP_F3, reg, m); /* movq */
        break;
    default:
        emit_sse_rm(&e->a, 0x10 | OP_0F, reg, m); /* movups */
        break;
    }
}

static void load_slot(struct emit *e, ir_ref ref, unsigned reg)
{
    const struct value *v = &e->value[ref];
    struct mem m = slot_mem(v->slot);
    switch (type_of(e, ref)) {
    case IR_I32:
    case IR_FLAGS:
        if (v->flags & VALUE_SLOT_BYTE)
            emit_rm(&e->a, 0xb6 | OP_0F, reg, m);
        else
            emit_load(&e->a, 0, reg, m);
        break;
    case IR_I64:
        emit_load(&e->a, OP_W, reg, m);
        break;
    case IR_F32:
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F3, reg, m);
        break;
    case IR_F64:
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F2, reg, m);
        break;
    default:
        emit_sse_rm(&e->a, 0x28 | OP_0F, reg, m);
        break;
    }
}

bool flags_matter(const struct emit *e)
{
    if (e->hold_flags)
        return true;
    return e->eflags && (e->n_lazy || e->value[e->eflags].flag_last >= e->here);
}

static void load_constant(struct emit *e, ir_ref ref, unsigned reg)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    if (reg < XMM_BASE) {
        uint64_t value = insn->type == IR_I32 ? (uint32_t)insn->imm : insn->imm;
        if (!value && !flags_matter(e)) {
            emit_alu_rr(&e->a, 0, ALU_XOR, reg, reg);
            e->eflags = 0;
        } else {
            emit_mov_imm(&e->a, reg, value);
        }
        return;
    }
    uint64_t value = insn->type == IR_F32 ? (uint32_t)insn->imm : insn->imm;
    if (!value) {
        emit_sse_rrr(&e->a, 0x57 | OP_0F, reg, reg, reg);
        return;
    }
    /* Through the frame: no general register is needed. */
    struct mem m = mem_at(RSP, FRAME_SCRATCH);
    emit_rm_imm(&e->a, 0xc7, 0, m, 4);
    put32(&e->a, (uint32_t)value);
    if (insn->type == IR_F32) {
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F3, reg, m);
        return;
    }
    /* Two 4-byte stores do not forward to an 8-byte load: combine in the register
     * instead. */
    emit_rm_imm(&e->a, 0xc7, 0, mem_at(RSP, FRAME_SCRATCH + 4), 4);
    put32(&e->a, (uint32_t)(value >> 32));
    emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F3, reg, m);
    if (e->a.avx)
        emit_vex_rm(&e->a, 0x22 | OP_0F3A | OP_66, reg, reg, mem_at(RSP, FRAME_SCRATCH + 4), 1);
    else
        emit_rm_imm(&e->a, 0x22 | OP_0F3A | OP_66, reg, mem_at(RSP, FRAME_SCRATCH + 4), 1);
    put8(&e->a, 1); /* pinsrd reg, [..], 1 */
}

/* Puts the value into `reg` by loading it from wherever it is but a register.
 */
static void load_value(struct emit *e, ir_ref ref, unsigned reg)
{
    const struct value *v = &e->value[ref];
    const struct ir_insn *insn = &e->u->insns[ref];
    if (insn->op == IR_CONST)
        load_constant(e, ref, reg);
    else if (insn->op == IR_VCONST)
        load_vector_constant(e, ref, reg);
    else if (insn->op == IR_UNPACKFLAGS && (v->flags & VALUE_CONST))
        emit_mov_imm(&e->a, reg, e->u->insns[insn->arg[0]].imm & IR_FLAG_ALL);
    else if (v->slot >= 0)
        load_slot(e, ref, reg);
    else
        load_field(e, insn->aux, reg);
}

static unsigned use_in(struct emit *e, ir_ref ref, uint32_t pool)
{
    struct value *v = &e->value[ref];
    if (v->flags & VALUE_LAZY_CC)
        flags_lazy_value(e, ref);
    if (v->reg == NO_REG) {
        unsigned reg = alloc_from(e, pool);
        load_value(e, ref, reg);
        place(e, ref, reg);
    }
    e->locked |= 1u << v->reg;
    return v->reg;
}

unsigned use_gpr(struct emit *e, ir_ref ref)
{
    return use_in(e, ref, TEMP_MASK);
}

unsigned use_xmm(struct emit *e, ir_ref ref)
{
    return use_in(e, ref, XMM_MASK);
}

void use_into(struct emit *e, ir_ref ref, unsigned reg)
{
    struct value *v = &e->value[ref];
    if (v->flags & VALUE_LAZY_CC)
        flags_lazy_value(e, ref);
    if (v->reg != NO_REG)
        move_reg(e, e->u->insns[ref].type, reg, v->reg);
    else
        load_value(e, ref, reg);
}

struct operand use_operand(struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    struct value *v = &e->value[ref];
    if (insn->op == IR_CONST) {
        int64_t value = insn->type == IR_I32 ? (int32_t)insn->imm : (int64_t)insn->imm;
        if (value == (int32_t)value && v->reg == NO_REG)
            return (struct operand){.kind = OPERAND_IMM, .imm = (int32_t)value};
    }
    if (v->reg == NO_REG && !(v->flags & VALUE_LAZY_CC) && is_dying(e, ref)) {
        if (v->slot >= 0 && !(v->flags & VALUE_SLOT_BYTE))
            return (struct operand){.kind = OPERAND_MEM, .mem = slot_mem(v->slot)};
        if (v->flags & VALUE_FIELD) {
            unsigned field_type = e->u->fields[insn->aux].type;
            if (field_type == insn->type)
                return (struct operand){.kind = OPERAND_MEM, .mem = field_mem(e, insn->aux)};
        }
    }
    unsigned reg = is_general(insn->type) ? use_gpr(e, ref) : use_xmm(e, ref);
    return (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)reg};
}

/* ---- dying and being born -------------------------------------------------------------------- */

static void kill(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    unplace(e, ref);
    if (v->slot >= SPILL_SLOTS) /* the op being emitted may still read it: free at its end */
        e->dead_vector_slots |= 1u << (v->slot - SPILL_SLOTS);
    else if (v->slot >= 0)
        e->dead_slots |= UINT64_C(1) << v->slot;
    v->slot = -1;
    v->flags = 0;
}

/* The parts of an address die with it. */
static void end_address(struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    for (unsigned k = 0; k < (insn->op == IR_ADD ? 2 : 1); k++) {
        struct value *v = &e->value[insn->arg[k]];
        if (v->folded)
            end_address(e, insn->arg[k]);
        else if ((v->flags & VALUE_LIVE) && v->last_use <= e->here &&
                 !is_pending_value(e, &e->u->insns[e->here], insn->arg[k]))
            kill(e, insn->arg[k]);
    }
}

/* What only a fault wants stays where its record says until the whole op is emitted: moves for the
 * result come before the access that may fault. */
static void end_pending_uses(struct emit *e)
{
    const struct ir_insn *insn = &e->u->insns[e->here];
    for (unsigned p = insn->pending; p; p = e->u->pending[p - 1].next) {
        ir_ref values[] = {e->u->pending[p - 1].value, e->u->pending[p - 1].other};
        for (unsigned k = 0; k < ARRAY_SIZE(values); k++)
            if ((e->value[values[k]].flags & VALUE_LIVE) && e->value[values[k]].last_use <= e->here)
                kill(e, values[k]);
    }
}

void end_uses(struct emit *e)
{
    const struct ir_insn *insn = &e->u->insns[e->here];
    unsigned n_args = ir_op_info[insn->op].n_args;
    for (unsigned k = 0; k < n_args; k++) {
        ir_ref arg = insn->arg[k];
        struct value *v = &e->value[arg];
        if (v->folded)
            end_address(e, arg);
        if (arg == IR_NONE || !(v->flags & VALUE_LIVE))
            continue;
        v->next_use = e->arg_next[e->here][k];
        if (v->last_use <= e->here && !is_pending_value(e, insn, arg))
            kill(e, arg);
    }
}

void save_aliases(struct emit *e, unsigned reg)
{
    ir_ref ref = e->reg_value[reg];
    while (ref) {
        struct value *v = &e->value[ref];
        ir_ref next = v->next_alias;
        if (v->last_use < e->here || (v->last_use == e->here && !(e->locked >> reg & 1))) {
            unplace(e, ref);
        } else {
            unsigned temp = pick(e, TEMP_MASK);
            if (temp != NO_REG && !e->reg_value[temp]) {
                move_reg(e, type_of(e, ref), temp, reg);
                unplace(e, ref);
                place(e, ref, temp);
            } else {
                if (v->slot < 0)
                    store_slot(e, ref);
                unplace(e, ref);
            }
        }
        ref = next;
    }
}

static unsigned define(struct emit *e, unsigned prefer, uint32_t avoid, uint32_t pool)
{
    struct value *v = &e->value[e->here];
    unsigned reg;
    v->flags = VALUE_LIVE;
    if (v->want != NO_REG && !(avoid >> v->want & 1)) {
        reg = v->want;
        save_aliases(e, reg);
    } else if (prefer != NO_REG && (pool >> prefer & 1) && !e->reg_value[prefer] &&
               !(avoid >> prefer & 1)) {
        reg = prefer;
    } else {
        uint32_t locked = e->locked;
        e->locked |= avoid;
        reg = alloc_from(e, pool);
        e->locked |= locked;
    }
    e->locked |= 1u << reg;
    place(e, e->here, reg);
    return reg;
}

unsigned def_reg(struct emit *e, unsigned prefer, uint32_t avoid)
{
    return define(e, prefer, avoid, TEMP_MASK);
}

unsigned def_xmm(struct emit *e, unsigned prefer, uint32_t avoid)
{
    return define(e, prefer, avoid, XMM_MASK);
}

void def_in(struct emit *e, unsigned reg)
{
    e->value[e->here].flags = VALUE_LIVE;
    place(e, e->here, reg);
}

void def_alias(struct emit *e, unsigned reg)
{
    e->value[e->here].flags = VALUE_LIVE;
    place(e, e->here, reg);
}

bool can_hold_pointer(const struct emit *e, ir_ref insn)
{
    return insn != IR_NONE && !(e->value[insn].flags & VALUE_LIVE);
}

void hold_pointer(struct emit *e, ir_ref insn, unsigned reg, ir_ref next_use, ir_ref last_use)
{
    reset_value(&e->value[insn]);
    place(e, insn, reg);
    e->value[insn].last_use = (uint16_t)last_use;
    e->value[insn].next_use = (uint16_t)next_use;
}

void drop_pointer(struct emit *e, ir_ref insn)
{
    kill(e, insn);
}

void end_insn(struct emit *e)
{
    struct value *v = &e->value[e->here];
    end_pending_uses(e);
    /* A result nobody reads (kept for its flags or effect) frees its register at
     * once. */
    if ((v->flags & VALUE_LIVE) && v->last_use <= e->here)
        kill(e, e->here);
    e->locked = e->mirrors;
    e->slots_used &= ~e->dead_slots;
    e->vector_slots_used &= ~e->dead_vector_slots;
    e->dead_slots = 0;
    e->dead_vector_slots = 0;
}

void alloc_begin_block(struct emit *e)
{
    memset(e->reg_value, 0, sizeof(e->reg_value));
    e->locked = e->mirrors;
    e->vector_used = e->mirrors >> XMM_BASE;
    e->eflags = 0;
    e->stored_ahead = 0;
    e->pair_turn = 0;
    e->n_sums = 0;
    memset(e->sum, 0, sizeof(e->sum));
    groups_begin(e);
    e->n_lazy = e->n_saved = e->n_field_values = 0;
    e->slots_used = e->dead_slots = 0;
    e->vector_slots_used = e->dead_vector_slots = 0;
}

/* ---- state fields
 * ----------------------------------------------------------------------------
 */

bool fields_overlap(const struct ir_unit *u, unsigned x, unsigned y)
{
    const struct state_field *f = &u->fields[x], *g = &u->fields[y];
    return f->offset < g->offset + ir_type_bytes(g->type) &&
           g->offset < f->offset + ir_type_bytes(f->type);
}

/* A value that was only in state memory gets a place of its own. */
static void detach(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    if (v->reg == NO_REG && v->slot < 0 && v->last_use >= e->here) {
        bool general = is_general(e->u->insns[ref].type);
        unsigned reg = pick(e, general ? TEMP_MASK : XMM_MASK);
        if (reg == NO_REG) {
            e->failed = true;
            return;
        }
        if (e->reg_value[reg])
            evict(e, e->reg_value[reg], false);
        load_field(e, e->u->insns[ref].aux, reg);
        place(e, ref, reg);
    }
    v->flags &= (uint8_t)~VALUE_FIELD;
}

static void forget_if(struct emit *e, bool (*affected)(struct emit *, unsigned, uint64_t),
                      uint64_t what)
{
    unsigned kept = 0;
    for (unsigned k = 0; k < e->n_field_values; k++) {
        ir_ref ref = e->field_values[k];
        if (!(e->value[ref].flags & VALUE_FIELD))
            continue;
        if (affected(e, e->u->insns[ref].aux, what))
            detach(e, ref);
        else
            e->field_values[kept++] = ref;
    }
    e->n_field_values = kept;
}

static bool overlaps(struct emit *e, unsigned field, uint64_t what)
{
    return fields_overlap(e->u, field, (unsigned)what);
}

static bool in_groups(struct emit *e, unsigned field, uint64_t what)
{
    return e->u->fields[field].group & what;
}

static bool is_integer(struct emit *e, unsigned field, uint64_t what)
{
    return e->u->fields[field].type <= IR_I64;
}

void forget_field(struct emit *e, unsigned field)
{
    forget_if(e, overlaps, field);
}

void forget_groups(struct emit *e, uint64_t groups)
{
    forget_if(e, in_groups, groups);
}

void forget_integer_fields(struct emit *e)
{
    forget_if(e, is_integer, 0);
}

static void sync_overlap(struct emit *e, unsigned field, bool store)
{
    for (unsigned p = 0; p < e->s->n_pinned; p++) {
        if (!(e->s->overlap[field] >> p & 1))
            continue;
        const struct pinned_field *pin = &e->s->pinned[p];
        struct mem m = mem_at(RBP, pin->disp);
        if (store)
            emit_store(&e->a, pin->w, m, pin->reg);
        else
            emit_load(&e->a, pin->w, pin->reg, m);
    }
}

void emit_get(struct emit *e, const struct ir_insn *insn)
{
    struct value *v = &e->value[e->here];
    unsigned pin = e->s->pin_of_field[insn->aux];
    if (!v->last_use)
        return;
    if (pin != NO_REG) {
        e->event[pin] = e->next_event[e->here];
        v->flags = VALUE_LIVE;
        place(e, e->here, e->s->pinned[pin].reg);
        return;
    }
    if (e->s->overlap[insn->aux])
        sync_overlap(e, insn->aux, true);
    v->flags = VALUE_LIVE;
    if (e->n_field_values == MAX_FIELD_VALUES || e->s->overlap[insn->aux]) {
        unsigned reg = is_general(insn->type) ? alloc_temp(e) : alloc_xmm(e);
        load_field(e, insn->aux, reg);
        place(e, e->here, reg);
        return;
    }
    v->flags |= VALUE_FIELD;
    e->field_values[e->n_field_values++] = e->here;
}

static void set_pinned(struct emit *e, ir_ref source, unsigned reg)
{
    struct value *v = &e->value[source];
    if (v->reg == reg)
        return;
    save_aliases(e, reg);
    use_into(e, source, reg);
    /* From now on the pinned register is the value's home, and its temporary is
     * free. */
    if (v->reg != NO_REG && !is_pinned(e, v->reg) && v->last_use > e->here) {
        unplace(e, source);
        place(e, source, reg);
    }
}

/* The SET after this one, if it stores another condition of the same flags into the byte above. */
static ir_ref next_condition(const struct emit *e, const struct ir_insn *setcc, unsigned field)
{
    const struct ir_unit *u = e->u;
    ir_ref next = e->here + 1;

    if (next + 1u >= u->n_insns || u->insns[next].op != IR_SETCC ||
        u->insns[next].arg[0] != setcc->arg[0] || u->insns[next].sub > IR_NV ||
        setcc->sub > IR_NV) /* one host condition each */
        return IR_NONE;
    const struct ir_insn *set = &u->insns[next + 1];
    if (set->op != IR_SET || set->arg[0] != next || u->fields[set->aux].type != IR_I8 ||
        u->fields[set->aux].offset != u->fields[field].offset + 1 ||
        e->s->pin_of_field[set->aux] != NO_REG || e->s->overlap[set->aux])
        return IR_NONE;
    return next + 1;
}

/* Two adjacent flag bytes in one store: stores are what bounds a loop that sets flags. */
static bool store_two_conditions(struct emit *e, const struct ir_insn *setcc, unsigned field)
{
    static const uint8_t with_high_byte[] = {RAX, RCX, RDX};
    ir_ref next = next_condition(e, setcc, field);

    if (!next || e->eflags != flags_source(e->u, setcc->arg[0]))
        return false;
    const struct ir_insn *set = &e->u->insns[next];
    forget_field(e, set->aux);
    for (unsigned k = 0; k < ARRAY_SIZE(with_high_byte); k++) {
        /* Taking turns: a byte of a register depends on the register's last writer. */
        unsigned reg = with_high_byte[(k + e->pair_turn) % ARRAY_SIZE(with_high_byte)];
        bool inverted;
        if (e->reg_value[reg] || (e->locked >> reg & 1))
            continue;
        enum cc low = flags_use(e, setcc->arg[0], setcc->sub, &inverted);
        enum cc high = flags_use(e, setcc->arg[0], e->u->insns[set->arg[0]].sub, &inverted);
        emit_setcc_r(&e->a, low, reg);
        emit_setcc_high(&e->a, high, reg);
        emit_rm(&e->a, 0x89 | OP_16, reg, field_mem(e, field));
        e->stored_ahead = next;
        e->pair_turn++;
        return true;
    }
    return false;
}

void store_field(struct emit *e, ir_ref source, unsigned field)
{
    if (e->stored_ahead == e->here)
        return;
    const struct ir_insn *insn = &e->u->insns[source];
    struct value *v = &e->value[source];
    unsigned type = e->u->fields[field].type;
    struct mem m = field_mem(e, field);
    if (type == IR_FLAGS && insn->op == IR_UNPACKFLAGS && (v->flags & VALUE_CONST) &&
        v->reg == NO_REG) {
        uint64_t bits = e->u->insns[insn->arg[0]].imm & IR_FLAG_ALL;
        emit_rm_imm(&e->a, 0xc7 | OP_16, 0, m, 2);
        put8(&e->a, (uint8_t)bits);
        put8(&e->a, (uint8_t)(bits >> 8));
        return;
    }
    if (type == IR_FLAGS) {
        emit_rm(&e->a, 0x89 | OP_16, flags_pack(e, source), m);
        return;
    }
    if (insn->op == IR_CONST && type <= IR_I64 && v->reg == NO_REG &&
        (int64_t)insn->imm == (type == IR_I64 ? (int32_t)insn->imm : (int64_t)insn->imm)) {
        if (type == IR_I8) {
            emit_rm_imm(&e->a, 0xc6, 0, m, 1);
            put8(&e->a, (uint8_t)insn->imm);
        } else if (type == IR_I16) {
            emit_rm_imm(&e->a, 0xc7 | OP_16, 0, m, 2);
            put8(&e->a, (uint8_t)insn->imm);
            put8(&e->a, (uint8_t)(insn->imm >> 8));
        } else {
            emit_rm_imm(&e->a, 0xc7 | op_w(type), 0, m, 4);
            put32(&e->a, (uint32_t)insn->imm);
        }
        return;
    }
    if (type == IR_I8 && (v->flags & VALUE_LAZY_CC)) {
        bool inverted;
        if (store_two_conditions(e, insn, field))
            return;
        enum cc cc = flags_use(e, insn->arg[0], insn->sub, &inverted);
        emit_setcc_m(&e->a, cc, m);
        return;
    }
    static const uint32_t opcode[IR_N_TYPES] = {
        [IR_I8] = 0x88 | OP_BYTE,
        [IR_I16] = 0x89 | OP_16,
        [IR_I32] = 0x89,
        [IR_I64] = 0x89 | OP_W,
        [IR_F32] = 0x11 | OP_0F | OP_F3,
        [IR_F64] = 0x11 | OP_0F | OP_F2,
        [IR_V64] = 0xd6 | OP_0F | OP_66,
        [IR_V128] = 0x11 | OP_0F,
    };
    if (type <= IR_I64) {
        emit_rm(&e->a, opcode[type], use_gpr(e, source), m);
    } else {
        unsigned reg = use_xmm(e, source);
        emit_sse_rm(&e->a, opcode[type], reg, m);
        mirror_set(e, field, reg);
    }
}

void emit_set(struct emit *e, const struct ir_insn *insn)
{
    ir_ref source = insn->arg[0];
    unsigned pin = e->s->pin_of_field[insn->aux];
    forget_field(e, insn->aux);
    if (pin != NO_REG) {
        e->event[pin] = e->next_event[e->here];
        set_pinned(e, source, e->s->pinned[pin].reg);
    } else {
        for (unsigned p = 0; e->s->overlap[insn->aux] && p < e->s->n_pinned; p++)
            if (e->s->overlap[insn->aux] >> p & 1)
                save_aliases(e, e->s->pinned[p].reg);
        if (e->s->overlap[insn->aux])
            sync_overlap(e, insn->aux, true);
        store_field(e, source, insn->aux);
        if (e->s->overlap[insn->aux])
            sync_overlap(e, insn->aux, false);
    }
    end_uses(e);
}

/* ---- precise state
 * -------------------------------------------------------------------------------
 */

static struct value_place place_of(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    uint64_t constant;
    if (v->flags & VALUE_LAZY_CC)
        flags_lazy_value(e, ref);
    if (is_constant(e, ref, &constant))
        return (struct value_place){PLACE_CONST, constant};
    if (v->reg != NO_REG)
        return (struct value_place){PLACE_REG, v->reg};
    if (v->slot >= 0)
        return (struct value_place){v->flags & VALUE_SLOT_BYTE ? PLACE_SLOT_BYTE : PLACE_SLOT,
                                    (uint64_t)v->slot};
    return (struct value_place){PLACE_FIELD, e->u->insns[ref].aux};
}

uint16_t snapshot_pending(struct emit *e, ir_ref insn, uint16_t *first)
{
    *first = (uint16_t)e->n_pending;
    for (unsigned p = e->u->insns[insn].pending; p; p = e->u->pending[p - 1].next) {
        const struct ir_pending *record = &e->u->pending[p - 1];
        if (e->n_pending == MAX_PENDING) {
            e->failed = true;
            break;
        }
        struct pending_place place = {.record = record, .value = place_of(e, record->value)};
        if (record->other)
            place.other = place_of(e, record->other);
        e->pending[e->n_pending++] = place;
    }
    return (uint16_t)(e->n_pending - *first);
}

/* Values that die here are read by the argument moves first and need not
 * survive. */
void alloc_spill_temps(struct emit *e, uint32_t changed_pinned)
{
    for (unsigned r = 0; r < N_REGS; r++) {
        ir_ref ref = e->reg_value[r];
        if (is_pinned(e, r) && !(changed_pinned >> r & 1))
            continue;
        for (; ref; ref = is_pinned(e, r) ? e->value[ref].next_alias : 0)
            if (e->value[ref].last_use > e->here && !is_recoverable(&e->value[ref]))
                store_slot(e, ref);
    }
}

void alloc_drop_temps(struct emit *e, uint32_t changed_pinned)
{
    for (unsigned r = 0; r < N_REGS; r++) {
        if (is_pinned(e, r) && !(changed_pinned >> r & 1))
            continue;
        while (e->reg_value[r])
            unplace(e, e->reg_value[r]);
    }
}

static void append_move(unsigned *n, uint8_t *dst, ir_ref *src, unsigned reg, ir_ref ref)
{
    dst[*n] = (uint8_t)reg;
    src[*n] = ref;
    ++*n;
}

void parallel_move(struct emit *e, const ir_ref *refs, const uint8_t *regs, unsigned n)
{
    uint8_t dst[8], from[8];
    ir_ref src[8];
    unsigned left = 0;
    for (unsigned k = 0; k < n; k++) {
        if (refs[k] == IR_NONE)
            continue;
        if (e->value[refs[k]].flags & VALUE_LAZY_CC)
            flags_lazy_value(e, refs[k]);
        append_move(&left, dst, src, regs[k], refs[k]);
    }
    for (unsigned k = 0; k < left; k++)
        from[k] = e->value[src[k]].reg;
    while (left) {
        unsigned k, j = 0;
        for (k = 0; k < left; k++) {
            for (j = 0; j < left; j++)
                if (j != k && from[j] == dst[k])
                    break;
            if (j == left)
                break;
        }
        if (k == left) { /* a cycle: exchange, and its other half is done or renamed */
            emit_rr(&e->a, 0x87 | OP_W, dst[0], from[0]);
            unsigned x = dst[0], y = from[0];
            for (j = 0; j < left; j++)
                from[j] = from[j] == x ? (uint8_t)y : from[j] == y ? (uint8_t)x : from[j];
            continue;
        }
        if (from[k] == NO_REG)
            load_value(e, src[k], dst[k]);
        else
            move_reg(e, e->u->insns[src[k]].type, dst[k], from[k]);
        left--;
        dst[k] = dst[left];
        src[k] = src[left];
        from[k] = from[left];
    }
}
