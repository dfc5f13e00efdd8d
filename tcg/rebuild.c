/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The new array of a pass that rewrites a unit, and its table of values already there. */
#include "tcg/rebuild.h"

#include <string.h>

enum { SHARED_HIGHS = 16 }; /* high halves of vector constants searched for an equal one */

void rebuild_begin(struct rebuild *r, struct ir_unit *unit)
{
    struct arena *arena = unit->arena;
    r->unit = unit;
    r->old = unit->insns;
    r->insns = arena_alloc(arena, sizeof(*r->insns) * IR_MAX_INSNS);
    r->blocks = arena_alloc(arena, sizeof(*r->blocks) * IR_MAX_BLOCKS);
    r->map = arena_alloc(arena, sizeof(*r->map) * unit->n_insns);
    memset(&r->insns[0], 0, sizeof(r->insns[0]));
    memset(r->table, 0, sizeof(r->table));
    r->map[0] = IR_NONE;
    r->n_insns = 1;
    r->overflow = false;
}

bool rebuild_end(struct rebuild *r)
{
    struct ir_unit *unit = r->unit;
    if (r->overflow)
        return false;
    unit->insns = r->insns;
    unit->n_insns = r->n_insns;
    unit->blocks = r->blocks;
    for (unsigned i = 0; i < unit->n_pending; i++)
        unit->pending[i].value = r->map[unit->pending[i].value];
    return true;
}

void rebuild_begin_block(struct rebuild *r, unsigned block)
{
    r->block_first = r->n_insns;
    r->blocks[block].first = (ir_ref)r->n_insns;
}

void rebuild_end_block(struct rebuild *r, unsigned block)
{
    r->blocks[block].last = (ir_ref)(r->n_insns - 1);
}

ir_ref rebuild_add(struct rebuild *r, const struct ir_insn *insn)
{
    if (UNLIKELY(r->n_insns >= IR_MAX_INSNS)) {
        r->overflow = true;
        return (ir_ref)(r->n_insns - 1);
    }
    r->insns[r->n_insns] = *insn;
    return (ir_ref)r->n_insns++;
}

static unsigned hash(const struct ir_insn *insn)
{
    uint64_t what, args;
    memcpy(&what, insn, sizeof(what)); /* op, type, sub, mark, aux */
    memcpy(&args, insn->arg, sizeof(args));
    uint64_t h =
        (what ^ args * UINT64_C(0x9e3779b97f4a7c15) ^ insn->imm) * UINT64_C(0xd6e8feb86659fd93);
    return (unsigned)(h >> 56) % REBUILD_TABLE;
}

static bool equal(const struct ir_insn *a, const struct ir_insn *b)
{
    return !memcmp(a, b, offsetof(struct ir_insn, pending)) && a->imm == b->imm;
}

ir_ref rebuild_pure(struct rebuild *r, const struct ir_insn *insn)
{
    uint16_t *entry = &r->table[hash(insn)];
    if (*entry >= r->block_first && equal(&r->insns[*entry], insn))
        return *entry;
    *entry = rebuild_add(r, insn);
    return *entry;
}

ir_ref rebuild_op(struct rebuild *r, unsigned op, unsigned type, unsigned sub, unsigned aux,
                  ir_ref a, ir_ref b)
{
    struct ir_insn insn = {
        .op = (uint8_t)op, .type = (uint8_t)type, .sub = (uint8_t)sub, .aux = aux, .arg = {a, b}};
    return rebuild_pure(r, &insn);
}

ir_ref rebuild_const(struct rebuild *r, unsigned type, uint64_t value)
{
    struct ir_insn insn = {.op = IR_CONST, .type = (uint8_t)type, .imm = value};
    return rebuild_pure(r, &insn);
}

ir_ref rebuild_vconst(struct rebuild *r, uint64_t low, uint64_t high)
{
    struct ir_unit *unit = r->unit;
    unsigned i, n = MIN(unit->n_vconst, (unsigned)SHARED_HIGHS);
    for (i = 0; i < n && unit->vconst_high[i] != high; i++) {
    }
    if (i == n) {
        if (unit->n_vconst == IR_MAX_VCONSTS)
            return IR_NONE;
        i = unit->n_vconst++;
        unit->vconst_high[i] = high;
    }
    struct ir_insn insn = {.op = IR_VCONST, .type = IR_V128, .aux = i, .imm = low};
    return rebuild_pure(r, &insn);
}
