/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a unit anew, insn by insn: how a pass that needs room for more insns than it takes away
 * works. The new array is dense; equal pure insns of a block become one (local value numbering).
 * For passes only. If the new unit would exceed the limits, the old one stays as it was.
 */
#ifndef CALQUE_TCG_REBUILD_H
#define CALQUE_TCG_REBUILD_H

#include "tcg/ir.h"

enum { REBUILD_TABLE = 256 };

struct rebuild {
    struct ir_unit *unit;
    const struct ir_insn *old;
    struct ir_insn *insns;
    struct ir_block *blocks;
    unsigned n_insns;
    unsigned block_first; /* new index of the first insn of the block being written */
    ir_ref *map;          /* old value -> new value */
    bool overflow;
    uint16_t table[REBUILD_TABLE]; /* hash -> new index; older than block_first: empty */
};

void rebuild_begin(struct rebuild *r, struct ir_unit *unit);
/* Swaps the new insns in; false and no change if they did not fit. */
bool rebuild_end(struct rebuild *r);
void rebuild_begin_block(struct rebuild *r, unsigned block);
void rebuild_end_block(struct rebuild *r, unsigned block);

/* Appends a copy of *insn whose arguments are new values. */
ir_ref rebuild_add(struct rebuild *r, const struct ir_insn *insn);
/* The same for PURE ops: an equal one of this block if there is one. */
ir_ref rebuild_pure(struct rebuild *r, const struct ir_insn *insn);
ir_ref rebuild_op(struct rebuild *r, unsigned op, unsigned type, unsigned sub, unsigned aux,
                  ir_ref a, ir_ref b);
ir_ref rebuild_const(struct rebuild *r, unsigned type, uint64_t value);
/* IR_NONE if there is no room for one more constant. */
ir_ref rebuild_vconst(struct rebuild *r, uint64_t low, uint64_t high);

static inline bool rebuild_is_const(const struct rebuild *r, ir_ref ref, uint64_t *value)
{
    *value = r->insns[ref].imm;
    return r->insns[ref].op == IR_CONST;
}

#endif
