/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of C helpers, branches between blocks, and the ways out of a unit. */
#include "backend/x86_64/x86_64.h"

/* ---- calls
 * ------------------------------------------------------------------------------------------
 */

static void call_address(struct emit *e, uint64_t target)
{
    int64_t distance = (int64_t)(target - asm_here(&e->a) - 5);
    if (distance == (int32_t)distance) {
        emit_call_to(&e->a, (const void *)(uintptr_t)target);
    } else {
        emit_mov_imm(&e->a, RAX, target);
        emit_rr(&e->a, 0xff, 2, RAX);
    }
}

static uint32_t pinned_in_groups(const struct backend_state *s, uint64_t groups)
{
    uint32_t mask = 0;
    for (unsigned p = 0; p < s->n_pinned; p++)
        if (s->pinned[p].group & groups || groups == ~UINT64_C(0))
            mask |= 1u << s->pinned[p].reg;
    return mask;
}

static void move_pinned(struct emit *e, uint32_t mask, bool store)
{
    for (unsigned p = 0; p < e->s->n_pinned; p++) {
        const struct pinned_field *pin = &e->s->pinned[p];
        if (!(mask >> pin->reg & 1))
            continue;
        if (store)
            emit_store(&e->a, pin->w, mem_at(RBP, pin->disp), pin->reg);
        else
            emit_load(&e->a, pin->w, pin->reg, mem_at(RBP, pin->disp));
    }
}

static void record_hot_site(struct emit *e)
{
    if (e->n_sites == MAX_HOT_SITES) {
        e->failed = true;
        return;
    }
    struct hot_site *site = &e->sites[e->n_sites++];
    site->offset = (uint32_t)(e->a.p - e->start);
    site->insn = e->boundary;
}

void emit_call(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t registers[4] = {RSI, RDX, RCX, R8};
    const struct ir_helper *helper = (const struct ir_helper *)(uintptr_t)insn->imm;
    bool may_fault = helper->flags & HELPER_MAY_FAULT;
    groups_end(e);
    uint32_t changed = pinned_in_groups(e->s, helper->writes);
    uint32_t stored = may_fault ? ~0u : CALLER_SAVED_PINNED | pinned_in_groups(e->s, helper->reads);
    forget_groups(e, helper->writes);
    move_pinned(e, stored | changed, true);
    alloc_spill_temps(e, changed);
    parallel_move(e, insn->arg, registers, helper->n_args);
    emit_lea(&e->a, OP_W, RDI, mem_at(RBP, -e->s->bias));
    call_address(e, (uint64_t)helper->fn);
    e->x87_ready = false;
    if (may_fault)
        record_hot_site(e);
    alloc_drop_temps(e, changed);
    end_uses(e);
    move_pinned(e, CALLER_SAVED_PINNED | changed, false);
    if (helper->result != IR_VOID && e->value[e->here].last_use) {
        if (insn->type == IR_I32) /* C leaves the upper half undefined */
            emit_mov_rr(&e->a, 0, RAX, RAX);
        def_in(e, RAX);
    }
}

/* ---- between blocks
 * ----------------------------------------------------------------------------------
 */

struct cold *cold_add(struct emit *e, enum cold_kind kind)
{
    if (e->n_cold == MAX_COLD) {
        e->failed = true;
        e->n_cold--;
    }
    struct cold *cold = &e->cold[e->n_cold++];
    zero_bytes(cold, sizeof(*cold));
    cold->kind = (uint8_t)kind;
    cold->insn = e->boundary;
    return cold;
}

static void jump_to_block(struct emit *e, uint8_t *field, unsigned block)
{
    if (e->block_start[block])
        bind_to(field, e->block_start[block]);
    else
        e->fixups[e->n_fixups++] = (struct jump_fixup){field, (uint16_t)block};
}

static uint8_t *poll(struct emit *e)
{
    emit_alu_mi(&e->a, 0, ALU_CMP, run_mem(e, offsetof(struct run_state, exit_request)), 0);
    return emit_jcc(&e->a, CC_NE);
}

void emit_branch(struct emit *e, const struct ir_insn *insn)
{
    bool next = insn->aux == e->next_block;
    if (insn->sub & IR_POLL) {
        struct cold *cold = cold_add(e, COLD_POLL);
        cold->pc = insn->imm;
        cold->key = e->u->key;
        emit_alu_mi(&e->a, 0, ALU_CMP, run_mem(e, offsetof(struct run_state, exit_request)), 0);
        if (!next)
            jump_to_block(e, emit_jcc(&e->a, CC_E), insn->aux);
        cold->poll_from = next ? emit_jcc(&e->a, CC_NE) : emit_jmp(&e->a);
        return;
    }
    if (!next)
        jump_to_block(e, emit_jmp(&e->a), insn->aux);
}

void emit_branch_cc(struct emit *e, const struct ir_insn *insn)
{
    bool inverted;
    enum cc cc = flags_use(e, insn->arg[0], insn->sub, &inverted);
    unsigned yes = insn->aux, no = (unsigned)insn->imm;
    if (yes == e->next_block) {
        jump_to_block(e, emit_jcc(&e->a, (enum cc)(cc ^ 1)), no);
        return;
    }
    jump_to_block(e, emit_jcc(&e->a, cc), yes);
    if (no != e->next_block)
        jump_to_block(e, emit_jmp(&e->a), no);
}

/* ---- out of the unit
 * ----------------------------------------------------------------------------------
 */

void emit_exit_jump(struct emit *e, const struct ir_insn *insn)
{
    struct cold *cold = cold_add(e, COLD_EXIT);
    cold->pc = insn->imm;
    cold->key = insn->aux;
    if (insn->sub & IR_POLL)
        cold->poll_from = poll(e);
    uint64_t page = insn->imm >> TLB_PAGE_BITS;
    if (page != e->u->pc >> TLB_PAGE_BITS) {
        if (e->u->wide_address) { /* no value is live here: any temporary will do */
            emit_mov_imm(&e->a, RAX, TLB_WIDE_EXEC + tlb_index(true, insn->imm) * 4);
            emit_rm_imm(&e->a, 0x81, ALU_CMP, mem_index(R15, RAX, 0, 0), 4);
        } else {
            emit_rm_imm(&e->a, 0x81, ALU_CMP,
                        mem_at(R15, TLB_EXEC + (int32_t)(page & (TLB_PAGES - 1)) * 4), 4);
        }
        cold->guard = e->a.p;
        put32(&e->a, 0);
        cold->guard_from = emit_jcc(&e->a, CC_NE);
    }
    /* The displacement is patched while other threads may run it: aligned, so one
     * store. */
    emit_nops(&e->a, (unsigned)-((uintptr_t)e->a.p + 1) & 3);
    cold->jump = emit_jmp(&e->a);
    e->n_exits++;
}

void emit_exit_indirect(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t registers[2] = {RAX, RCX};
    uint64_t key = 0;
    bool fixed_key = is_constant(e, insn->arg[1], &key);
    struct inline_slot *slot = slot_take(e->s, e->start + e->a.exec_offset);
    if (!slot) {
        e->no_space = true;
        return;
    }
    parallel_move(e, insn->arg, registers, fixed_key ? 1 : 2);
    struct cold *cold_poll = cold_add(e, COLD_INDIRECT_POLL);
    cold_poll->poll_from = poll(e);
    struct cold *cold = cold_add(e, COLD_INDIRECT);
    cold->fixed_key = cold_poll->fixed_key = fixed_key;
    cold->key = cold_poll->key = (uint32_t)key;
    uint64_t at = (uint64_t)slot;
    cold->slot_address = at;
    emit_rip(&e->a, 0x3b | OP_W, RAX, at + offsetof(struct inline_slot, pc), 0);
    cold->from[0] = emit_jcc(&e->a, CC_NE);
    if (!fixed_key) {
        emit_rip(&e->a, 0x3b, RCX, at + offsetof(struct inline_slot, key), 0);
        cold->from[1] = emit_jcc(&e->a, CC_NE);
    }
    emit_exec_entry(&e->a, e->s, RDX, RAX);
    emit_rip(&e->a, 0x3b, RDX, at + offsetof(struct inline_slot, tag), 0);
    cold->from[2] = emit_jcc(&e->a, CC_NE);
    emit_rip(&e->a, 0xff, 4, at + offsetof(struct inline_slot, code), 0);
}

void emit_exit_lookup(struct emit *e, const struct ir_insn *insn)
{
    emit_jmp_to(&e->a, e->s->thunk.lookup);
}

void emit_exit_stop(struct emit *e, const struct ir_insn *insn)
{
    emit_rm_imm(&e->a, 0xc7, 0, run_mem(e, offsetof(struct run_state, exit_reason)), 4);
    put32(&e->a, insn->aux);
    emit_jmp_to(&e->a, e->s->thunk.leave);
}

/* ---- cold stubs
 * ----------------------------------------------------------------------------------------
 */

static void bind_list(struct emit *e, uint8_t *const *fields, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        if (fields[k])
            bind_here(&e->a, fields[k]);
}

/* Unaligned, but perhaps within one page: then back to the common path's check of the entry. All
 * address bits from the access's size up to the page's are one exactly if it crosses. */
static void cold_unaligned(struct emit *e, const struct cold *cold)
{
    unsigned size = memop_size(cold->desc.memop), align = memop_align(cold->desc.memop);
    unsigned address = cold->desc.address, w = e->u->wide_address ? OP_W : 0;
    uint8_t *slow = NULL;
    bind_here(&e->a, cold->unaligned_from);
    if (align > 1) {
        emit_test_ri(&e->a, 0, address, (int32_t)align - 1, false);
        slow = emit_jcc_short(&e->a, CC_NE);
    }
    emit_rr(&e->a, 0xf7 | w, 2, address); /* not: leaves flags alone */
    emit_test_ri(&e->a, 0, address, (int32_t)(TLB_PAGE_SIZE - size), true);
    emit_rr(&e->a, 0xf7 | w, 2, address);
    bind_to(emit_jcc(&e->a, CC_NE), cold->access);
    if (slow)
        bind_short(&e->a, slow);
}

static void cold_memory(struct emit *e, const struct cold *cold)
{
    if (cold->unaligned_from && cold->kind == COLD_FP && cold->op)
        cold_vector_exact(e, cold);
    else if (cold->unaligned_from && cold->kind == COLD_FP)
        cold_fp_sort(e, cold);
    else if (cold->unaligned_from)
        cold_unaligned(e, cold);
    bind_list(e, cold->from, ARRAY_SIZE(cold->from));
    if (cold->member)
        cold_member(e, cold);
    const struct slow_desc *d = &cold->desc;
    bool xmm = cold->xmm_live || (d->result != NO_REG && d->result >= XMM_BASE) ||
               (d->value != NO_REG && d->value >= XMM_BASE) || d->kind >= SLOW_FP;
    emit_call_to(&e->a, xmm ? e->s->thunk.slow_xmm : e->s->thunk.slow);
    if (cold->kind == COLD_MEMORY) /* the others raise nothing */
        sidetable_put_site(e, (uint32_t)(e->a.p - e->start), cold->insn, true, cold->pending_first,
                           cold->n_pending);
    uint8_t *back = emit_jmp(&e->a);
    memcpy(e->a.p, d, sizeof(*d));
    e->a.p += sizeof(*d);
    if (d->has_groups) {
        memcpy(e->a.p, &cold->groups, sizeof(cold->groups));
        e->a.p += sizeof(cold->groups);
    }
    if (!cold->x87) {
        bind_to(back, cold->back);
        return;
    }
    bind_here(&e->a, back);
    cold_x87_access(e, cold);
}

static void cold_exit(struct emit *e, const struct cold *cold, struct exit_site *exit)
{
    if (cold->poll_from)
        bind_here(&e->a, cold->poll_from);
    if (cold->poll_from)
        emit_call_to(&e->a, e->s->thunk.poll_exit);
    if (cold->guard_from || cold->poll_from) {
        if (cold->guard_from)
            bind_here(&e->a, cold->guard_from);
        emit_call_to(&e->a, e->s->thunk.guard);
    }
    bind_here(&e->a, cold->jump);
    *exit = (struct exit_site){.site = (void *)asm_here(&e->a),
                               .pc = cold->pc,
                               .key = cold->key,
                               .other_page = cold->guard != NULL};
    emit_call_to(&e->a, e->s->thunk.link);
    struct exit_data data = {.pc = cold->pc,
                             .key = cold->key,
                             .jump = (int32_t)(cold->jump - e->a.p),
                             .guard = cold->guard ? (int32_t)(cold->guard - e->a.p) : 0};
    memcpy(e->a.p, &data, sizeof(data));
    e->a.p += sizeof(data);
}

static void cold_poll_loop(struct emit *e, const struct cold *cold)
{
    struct exit_data data = {.pc = cold->pc, .key = cold->key};
    bind_here(&e->a, cold->poll_from);
    emit_call_to(&e->a, e->s->thunk.poll_loop);
    memcpy(e->a.p, &data, sizeof(data));
    e->a.p += sizeof(data);
}

static void cold_indirect(struct emit *e, const struct cold *cold)
{
    /* The tag comparison leaves the page number in rax: rebuild the pc from the
     * slot, which agrees. */
    bind_here(&e->a, cold->from[2]);
    emit_rip(&e->a, 0x8b | OP_W, RAX, cold->slot_address + offsetof(struct inline_slot, pc), 0);
    bind_list(e, cold->from, 2);
    if (cold->fixed_key)
        emit_mov_imm(&e->a, RCX, cold->key);
    emit_rip(&e->a, 0x8d | OP_W, RDX, cold->slot_address, 0);
    emit_jmp_to(&e->a, e->s->thunk.indirect);
}

void cold_emit_all(struct emit *e, struct unit_code *code)
{
    struct exit_site *exit = code->exits;
    for (unsigned k = 0; k < e->n_cold; k++) {
        const struct cold *cold = &e->cold[k];
        if (e->a.p + INSN_MARGIN / 4 > e->end) {
            e->no_space = true;
            return;
        }
        switch (cold->kind) {
        case COLD_EXIT:
            cold_exit(e, cold, exit++);
            break;
        case COLD_POLL:
            cold_poll_loop(e, cold);
            break;
        case COLD_INDIRECT:
            cold_indirect(e, cold);
            break;
        case COLD_INDIRECT_POLL:
            bind_here(&e->a, cold->poll_from);
            if (cold->fixed_key)
                emit_mov_imm(&e->a, RCX, cold->key);
            emit_jmp_to(&e->a, e->s->thunk.poll_indirect);
            break;
        case COLD_X87:
            cold_x87(e, cold);
            break;
        default:
            cold_memory(e, cold);
            break;
        }
    }
}
