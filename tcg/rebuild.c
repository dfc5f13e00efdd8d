/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The new array of a pass that rewrites a unit, and its table of values already there. */
#include "tcg/rebuild.h"

#include "util/bits.h"

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
    zero_bytes(r->table, sizeof(r->table));
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
    for (unsigned i = 0; i < unit->n_pending; i++) {
        unit->pending[i].value = r->map[unit->pending[i].value];
        unit->pending[i].other = r->map[unit->pending[i].other];
    }
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

ir_ref rebuild_pure_words(struct rebuild *r, uint64_t head, uint64_t args, uint64_t imm)
{
    uint64_t hash =
        (head ^ args * UINT64_C(0x9e3779b97f4a7c15) ^ imm) * UINT64_C(0xd6e8feb86659fd93);
    uint16_t *entry = &r->table[(hash >> 56) % REBUILD_TABLE];
    const struct ir_insn *there = &r->insns[*entry];
    const uint64_t mark = UINT64_C(0xff) << 24;
    if (*entry >= r->block_first && ((rebuild_word(there, 0) ^ head) & ~mark) == 0 &&
        rebuild_word(there, 1) == args && there->imm == imm)
        return *entry;
    *entry = rebuild_append(r, head, args, 0, imm);
    return *entry;
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
