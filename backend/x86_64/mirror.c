/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mirrors: in a unit that loops to its own start, vector registers that always equal a guest
 * vector or FP field. Loaded before the loop and written by every SET, which also still stores:
 * state memory is never behind, so that faults, exits and the guest's FP functions need to know
 * nothing. What a mirror saves is the load, and with it store forwarding in the loop's dependency
 * chain, which takes several times as long as the arithmetic.
 */
#include "backend/x86_64/x86_64.h"

enum { MAX_MIRRORS = 8, MAX_CANDIDATES = 32 };

enum { NO_FIELD = 0xffff };

/* A field and, if the unit uses it, its other name: the same bytes as a vector or as a number. */
struct candidate {
    uint16_t field, alias;
    bool read, written;
};

struct candidates {
    struct candidate list[MAX_CANDIDATES];
    unsigned n;
};

static bool is_same_place(const struct ir_unit *u, unsigned x, unsigned y)
{
    const struct state_field *f = &u->fields[x], *g = &u->fields[y];
    return f->offset == g->offset && ir_type_bytes(f->type) == ir_type_bytes(g->type);
}

static void note(struct candidates *c, const struct ir_unit *u, unsigned field, bool write)
{
    unsigned k = 0;
    while (k < c->n && !is_same_place(u, c->list[k].field, field))
        k++;
    if (k == MAX_CANDIDATES)
        return;
    if (k == c->n)
        c->list[c->n++] = (struct candidate){.field = (uint16_t)field, .alias = NO_FIELD};
    struct candidate *candidate = &c->list[k];
    if (candidate->field != field)
        candidate->alias = (uint16_t)field;
    candidate->written |= write;
    candidate->read |= !write;
}

static bool is_loop_end(const struct ir_insn *insn)
{
    return (insn->op == IR_BR && insn->aux == 0) ||
           (insn->op == IR_BRCC && (insn->aux == 0 || insn->imm == 0));
}

/* The loop: from the unit's start to the last jump back there; 0: there is none. */
static unsigned loop_end(const struct ir_unit *u)
{
    unsigned end = 0;
    for (unsigned b = 0; b < u->n_blocks; b++)
        if (is_loop_end(&u->insns[u->blocks[b].last]))
            end = MAX(end, u->blocks[b].last);
    for (unsigned i = 1; i < u->n_insns && end; i++)
        if (u->insns[i].op == IR_CALL) /* takes every vector register */
            end = 0;
    return end;
}

static void collect(struct candidates *c, const struct ir_unit *u, unsigned end)
{
    for (unsigned i = 1; i < end; i++) {
        const struct ir_insn *insn = &u->insns[i];
        if ((insn->op == IR_GET || insn->op == IR_SET) && u->fields[insn->aux].type > IR_I64 &&
            u->fields[insn->aux].type != IR_FLAGS)
            note(c, u, insn->aux, insn->op == IR_SET);
    }
}

/* Does anything in the loop change a part of this field, or what it is a part of? Each time it
 * would have to be loaded again, before the store is done. */
static bool is_torn(const struct candidates *c, const struct ir_unit *u, unsigned field)
{
    for (unsigned k = 0; k < c->n; k++)
        if (c->list[k].written && c->list[k].field != field &&
            fields_overlap(u, c->list[k].field, field))
            return true;
    return false;
}

/* Do the guest's FP functions change it? */
static bool is_shared(const struct ir_unit *u, unsigned field)
{
    return u->fp && (u->fp->groups & u->fields[field].group);
}

static void add_mirror(struct emit *e, const struct candidate *c)
{
    unsigned reg = XMM_BASE + 15 - e->n_mirrors;
    struct mirror *mirror = &e->mirror[e->n_mirrors++];
    *mirror = (struct mirror){.field = c->field, .alias = c->field};
    if (c->alias != NO_FIELD)
        mirror->alias = c->alias;
    mirror->is_half =
        e->u->fields[mirror->field].type == IR_V64 || e->u->fields[mirror->alias].type == IR_V64;
    e->mirrors |= 1u << reg;
    load_field(e, c->field, reg);
    e->mirror_of_field[mirror->field] = e->mirror_of_field[mirror->alias] = (uint8_t)reg;
}

static void forget_mirrors(struct emit *e)
{
    for (unsigned k = 0; k < e->n_mirrors; k++)
        e->mirror_of_field[e->mirror[k].field] = e->mirror_of_field[e->mirror[k].alias] = 0;
    e->n_mirrors = 0;
    e->mirrors = 0;
}

void mirrors_begin(struct emit *e)
{
    struct candidates c;
    unsigned end = loop_end(e->u);
    forget_mirrors(e); /* of the unit before */
    if (!end)
        return;
    c.n = 0;
    collect(&c, e->u, end);
    for (unsigned only_read = 0; only_read < 2; only_read++) {
        unsigned most = only_read ? MAX_MIRRORS / 2 : MAX_MIRRORS;
        for (unsigned k = 0; k < c.n && e->n_mirrors < most; k++)
            if (c.list[k].read && c.list[k].written != only_read &&
                !is_torn(&c, e->u, c.list[k].field) && !is_shared(e->u, c.list[k].field))
                add_mirror(e, &c.list[k]);
    }
}

/* The mirrors of what has just been stored: of the field, or of others that it is a part of, or
 * that are parts of it. Those, which stand outside the loop, are loaded again. */
void mirror_set(struct emit *e, unsigned field, unsigned source)
{
    for (unsigned k = 0; k < e->n_mirrors; k++) {
        const struct mirror *mirror = &e->mirror[k];
        unsigned reg = XMM_BASE + 15 - k;
        if (mirror->field != field && mirror->alias != field) {
            if (fields_overlap(e->u, mirror->field, field))
                load_field(e, mirror->field, reg);
        } else if (mirror->is_half) { /* a V128 with its high half gone */
            emit_sse_rr(&e->a, 0x7e | OP_0F | OP_F3, reg, source);
        } else {
            emit_movaps(&e->a, reg, source);
        }
    }
}
