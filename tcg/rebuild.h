/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a unit anew, insn by insn: how a pass that needs room for more insns than it takes away
 * works. The new array is dense; equal pure insns of a block become one (local value numbering).
 * For passes only. If the new unit would exceed the limits, the old one stays as it was.
 */
#ifndef CALQUE_TCG_REBUILD_H
#define CALQUE_TCG_REBUILD_H

#include <string.h>

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

/*
 * An insn as words, so that its way through a pass stays in registers: building it field by field
 * and copying it whole makes the processor wait for its store buffer at every insn.
 */
static inline uint64_t rebuild_head(unsigned op, unsigned type, unsigned sub, uint32_t aux)
{
    return op | type << 8 | sub << 16 | (uint64_t)aux << 32;
}

static inline uint64_t rebuild_args(ir_ref a, ir_ref b, ir_ref c, ir_ref d)
{
    return a | (uint64_t)b << 16 | (uint64_t)c << 32 | (uint64_t)d << 48;
}

static inline uint64_t rebuild_word(const struct ir_insn *insn, unsigned n)
{
    uint64_t word;
    memcpy(&word, (const char *)insn + n * sizeof(word), sizeof(word));
    return word;
}

/* The arguments of an old insn as new values. */
static inline uint64_t rebuild_mapped_args(const ir_ref *map, const struct ir_insn *insn)
{
    return rebuild_args(map[insn->arg[0]], map[insn->arg[1]], map[insn->arg[2]], map[insn->arg[3]]);
}

static inline void rebuild_set_args(struct ir_insn *insn, uint64_t args)
{
    memcpy(insn->arg, &args, sizeof(args));
}

/* Compilers join neighbouring stores into a vector store by way of the stack: the same wait. */
#define KEEP_STORES_APART __asm__ volatile("" ::: "memory")

/* Appends an insn; its arguments are new values. */
static inline ir_ref rebuild_append(struct rebuild *r, uint64_t head, uint64_t args,
                                    uint64_t pending, uint64_t imm)
{
    if (UNLIKELY(r->n_insns >= IR_MAX_INSNS)) {
        r->overflow = true;
        return (ir_ref)(r->n_insns - 1);
    }
    char *to = (char *)&r->insns[r->n_insns];
    memcpy(to, &head, 8);
    KEEP_STORES_APART;
    memcpy(to + 8, &args, 8);
    KEEP_STORES_APART;
    memcpy(to + 16, &pending, 8);
    KEEP_STORES_APART;
    memcpy(to + 24, &imm, 8);
    return (ir_ref)r->n_insns++;
}

static inline ir_ref rebuild_add(struct rebuild *r, const struct ir_insn *insn)
{
    return rebuild_append(r, rebuild_word(insn, 0), rebuild_word(insn, 1), rebuild_word(insn, 2),
                          rebuild_word(insn, 3));
}

/* The same for PURE ops: an equal one of this block if there is one. */
ir_ref rebuild_pure_words(struct rebuild *r, uint64_t head, uint64_t args, uint64_t imm);
static inline ir_ref rebuild_pure(struct rebuild *r, const struct ir_insn *insn)
{
    return rebuild_pure_words(r, rebuild_word(insn, 0), rebuild_word(insn, 1),
                              rebuild_word(insn, 3));
}

static inline ir_ref rebuild_op(struct rebuild *r, unsigned op, unsigned type, unsigned sub,
                                unsigned aux, ir_ref a, ir_ref b)
{
    return rebuild_pure_words(r, rebuild_head(op, type, sub, aux), rebuild_args(a, b, 0, 0), 0);
}

static inline ir_ref rebuild_const(struct rebuild *r, unsigned type, uint64_t value)
{
    return rebuild_pure_words(r, rebuild_head(IR_CONST, type, 0, 0), 0, value);
}

/* IR_NONE if there is no room for one more constant. */
ir_ref rebuild_vconst(struct rebuild *r, uint64_t low, uint64_t high);

static inline bool rebuild_is_const(const struct rebuild *r, ir_ref ref, uint64_t *value)
{
    *value = r->insns[ref].imm;
    return r->insns[ref].op == IR_CONST;
}

_Static_assert(sizeof(struct ir_insn) == 32, "the words are the insn");

#endif
