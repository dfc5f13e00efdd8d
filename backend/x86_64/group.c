/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TLB check for several accesses of a block whose addresses differ by constants: members of a
 * structure, a stack frame. The first access checks that all of them are in one page, aligned if
 * they must be, and leaves a host pointer to the lowest byte; the others need only see that it is
 * not 0.
 *
 * The pointer is as good as the TLB entry it was made from. That changes on this thread only, in C:
 * a helper's call ends all groups, and a slow path sets the pointers to 0 (groups_note), or finds
 * that of its own group anew. A group in which something is stored takes the write entry, which is
 * there only where reads are allowed, too (softmmu/tlb.h).
 */
#include "backend/x86_64/x86_64.h"

/* Fewer are not worth the check of the range; further away would cross pages too often. */
enum { FEWEST_MEMBERS = 3, LONGEST = 256, LOOK_AHEAD = 160, DEEPEST_SUM = 16 };

void groups_begin(struct emit *e)
{
    memset(e->groups, 0, sizeof(e->groups));
    e->n_ungrouped = 0;
}

static void end_group(struct emit *e, struct access_group *group)
{
    drop_pointer(e, group->holder);
    group->holder = IR_NONE;
}

void groups_end(struct emit *e)
{
    for (unsigned k = 0; k < MAX_GROUPS; k++)
        if (e->groups[k].holder)
            end_group(e, &e->groups[k]);
}

/* What an address is a constant away from. */
static ir_ref base_of(const struct emit *e, ir_ref address, int64_t *offset)
{
    const unsigned type = e->u->wide_address ? IR_I64 : IR_I32;

    for (unsigned depth = 0; depth < DEEPEST_SUM; depth++) {
        const struct ir_insn *sum = &e->u->insns[address];
        const struct ir_insn *constant = &e->u->insns[sum->arg[1]];
        if ((sum->op != IR_ADD && sum->op != IR_SUB) || sum->type != type ||
            constant->op != IR_CONST)
            break;
        int64_t value = type == IR_I64 ? (int64_t)constant->imm : (int32_t)constant->imm;
        *offset += sum->op == IR_ADD ? value : -value;
        address = sum->arg[0];
    }
    return address;
}

static bool may_join(const struct emit *e, const struct ir_insn *insn)
{
    if (insn->op != IR_LOAD && insn->op != IR_STORE)
        return false;
    if ((insn->aux & IR_MEM_SWAP) && !(e->features & HOST_MOVBE)) /* too few temporaries */
        return false;
    return !(insn->aux & IR_MEM_USER) && !e->value[insn->arg[0]].folded &&
           e->u->insns[insn->arg[0]].op != IR_CONST;
}

static int64_t offset_of(const struct emit *e, const struct ir_insn *insn, ir_ref *base)
{
    int64_t offset = (int32_t)insn->imm;

    *base = base_of(e, insn->arg[0], &offset);
    return e->u->wide_address ? offset : (int32_t)offset;
}

struct extent {
    int64_t low, high, aligned; /* aligned: the offset of a member that asks for most */
    uint8_t align_log2;
};

/* With this member; false: it would be too long, or not aligned as the others are. */
static bool widen(struct extent *extent, const struct ir_insn *insn, int64_t offset)
{
    struct extent wider = *extent;
    unsigned align = memop_align(insn->aux), most;

    wider.low = MIN(wider.low, offset);
    wider.high = MAX(wider.high, offset + memop_size(insn->aux));
    if (align > 1u << wider.align_log2) {
        wider.align_log2 = (uint8_t)__builtin_ctz(align);
        wider.aligned = offset;
    }
    if ((offset - wider.aligned) & (align - 1))
        return false;
    most = 1u << wider.align_log2;
    wider.low -= (wider.low - wider.aligned) & (most - 1);
    if (wider.high - wider.low > LONGEST)
        return false;
    *extent = wider;
    return true;
}

/* Fills in the members behind the access being emitted. */
static void collect(struct emit *e, struct access_group *group, ir_ref base, int64_t own)
{
    const struct ir_insn *insn = &e->u->insns[e->here];
    ir_ref last = MIN(e->u->blocks[e->block].last, e->here + LOOK_AHEAD);
    struct extent extent = {own, own, own, 0};

    group->n = group->at = 0;
    group->write = false;
    for (ir_ref i = e->here; i <= last && group->n < MAX_MEMBERS; i++, insn++) {
        ir_ref other;
        if (insn->op == IR_CALL)
            break;
        if (!may_join(e, insn))
            continue;
        int64_t offset = offset_of(e, insn, &other);
        if (other != base || !widen(&extent, insn, offset))
            continue;
        group->member[group->n].insn = i;
        group->member[group->n++].offset = (uint16_t)offset; /* until the lowest is known */
        group->write |= insn->op == IR_STORE;
    }
    group->length = (uint16_t)(extent.high - extent.low);
    group->align_log2 = extent.align_log2;
    for (unsigned k = 0; k < group->n; k++)
        group->member[k].offset -= (uint16_t)extent.low;
}

static bool is_ungrouped(const struct emit *e, ir_ref base)
{
    for (unsigned k = 0; k < e->n_ungrouped; k++)
        if (e->ungrouped[k] == base)
            return true;
    return false;
}

static struct access_group *free_group(struct emit *e)
{
    for (unsigned k = 0; k < MAX_GROUPS; k++)
        if (!e->groups[k].holder)
            return &e->groups[k];
    return NULL;
}

struct access_group *group_of(struct emit *e, const struct ir_insn *insn, bool *begins)
{
    struct access_group *group;
    ir_ref base;

    *begins = false;
    for (unsigned k = 0; k < MAX_GROUPS; k++) {
        group = &e->groups[k];
        if (group->holder && group->member[group->at].insn == e->here)
            return group;
    }
    group = free_group(e);
    if (!group || !may_join(e, insn) || !can_hold_pointer(e, e->boundary))
        return NULL;
    int64_t offset = offset_of(e, insn, &base);
    if (is_ungrouped(e, base))
        return NULL;
    collect(e, group, base, offset);
    if (group->n < FEWEST_MEMBERS) {
        if (e->n_ungrouped < MAX_UNGROUPED)
            e->ungrouped[e->n_ungrouped++] = base;
        return NULL;
    }
    group->holder = e->boundary;
    *begins = true;
    return group;
}

void group_hold(struct emit *e, struct access_group *group, unsigned reg)
{
    hold_pointer(e, group->holder, reg, group->member[1].insn, group->member[group->n - 1].insn);
}

static struct held_place place_of_pointer(const struct emit *e, ir_ref holder)
{
    const struct value *v = &e->value[holder];

    return (struct held_place){v->reg, v->slot >= 0 ? (uint8_t)v->slot : NO_SLOT};
}

void groups_note(struct emit *e, struct cold *cold, const struct access_group *own)
{
    const struct held_place none = {NO_REG, NO_SLOT};
    struct slow_groups *groups = &cold->groups;

    cold->desc.has_groups = false;
    groups->own = none;
    groups->length = 0;
    for (unsigned k = 0; k < MAX_GROUPS; k++) {
        const struct access_group *group = &e->groups[k];
        groups->other[k] = none;
        if (!group->holder)
            continue;
        cold->desc.has_groups = true;
        if (group != own) {
            groups->other[k] = place_of_pointer(e, group->holder);
            continue;
        }
        groups->own = place_of_pointer(e, group->holder);
        groups->offset = group->member[group->at].offset;
        groups->length = group->length;
        groups->align_mask = (uint8_t)((1u << group->align_log2) - 1);
        groups->write = group->write;
    }
}

void group_advance(struct emit *e, struct access_group *group)
{
    if (++group->at == group->n)
        end_group(e, group);
    else
        e->value[group->holder].next_use = (uint16_t)group->member[group->at].insn;
}
