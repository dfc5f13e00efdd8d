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

struct candidate {
    uint16_t field;
    bool read, written;
};

struct candidates {
    struct candidate list[MAX_CANDIDATES];
    unsigned n;
    bool impossible;
};

static void note(struct candidates *c, unsigned field, bool write)
{
    unsigned k = 0;
    while (k < c->n && c->list[k].field != field)
        k++;
    if (k == MAX_CANDIDATES) {
        c->impossible = true; /* a SET that is not seen here might overlap one that is */
        return;
    }
    if (k == c->n)
        c->list[c->n++] = (struct candidate){.field = (uint16_t)field};
    c->list[k].written |= write;
    c->list[k].read |= !write;
}

static void collect(struct candidates *c, const struct ir_unit *u)
{
    for (unsigned i = 1; i < u->n_insns && !c->impossible; i++) {
        const struct ir_insn *insn = &u->insns[i];
        switch (insn->op) {
        case IR_GET:
        case IR_SET:
            if (u->fields[insn->aux].type > IR_I64 && u->fields[insn->aux].type != IR_FLAGS)
                note(c, insn->aux, insn->op == IR_SET);
            break;
        case IR_CALL: /* takes every vector register */
            c->impossible = true;
            break;
        default:
            break;
        }
    }
}

/* Does anything in the unit change a part of this field by another name? */
static bool is_torn(const struct candidates *c, const struct ir_unit *u, unsigned field)
{
    for (unsigned k = 0; k < c->n; k++)
        if (c->list[k].written && c->list[k].field != field &&
            fields_overlap(u, c->list[k].field, field))
            return true;
    return u->fp && (u->fp->groups & u->fields[field].group);
}

static void add_mirror(struct emit *e, unsigned field)
{
    unsigned reg = XMM_BASE + 15 - e->n_mirrors++;
    e->mirror_of_field[field] = (uint8_t)reg;
    e->mirror_field[e->n_mirrors - 1] = (uint16_t)field;
    e->mirrors |= 1u << reg;
    load_field(e, field, reg);
}

static bool loops(const struct ir_unit *u)
{
    for (unsigned b = 0; b < u->n_blocks; b++) {
        const struct ir_insn *end = &u->insns[u->blocks[b].last];
        if ((end->op == IR_BR || end->op == IR_BRCC) &&
            (end->aux == 0 || (end->op == IR_BRCC && end->imm == 0)))
            return true;
    }
    return false;
}

void mirrors_begin(struct emit *e)
{
    struct candidates c;
    while (e->n_mirrors) /* of the unit before */
        e->mirror_of_field[e->mirror_field[--e->n_mirrors]] = 0;
    e->mirrors = 0;
    if (!loops(e->u))
        return;
    c.n = 0;
    c.impossible = false;
    collect(&c, e->u);
    if (c.impossible)
        return;
    for (unsigned only_read = 0; only_read < 2; only_read++) {
        unsigned most = only_read ? MAX_MIRRORS / 2 : MAX_MIRRORS;
        for (unsigned k = 0; k < c.n && e->n_mirrors < most; k++)
            if (c.list[k].read && c.list[k].written != only_read &&
                !is_torn(&c, e->u, c.list[k].field))
                add_mirror(e, c.list[k].field);
    }
}

/* The mirror, if there is one, takes what has just been stored to the field. */
void mirror_set(struct emit *e, unsigned field, unsigned source)
{
    unsigned reg = e->mirror_of_field[field];
    if (!reg)
        return;
    if (e->u->fields[field].type == IR_V64) /* a V128 with its high half gone */
        emit_sse_rr(&e->a, 0x7e | OP_0F | OP_F3, reg, source);
    else
        emit_movaps(&e->a, reg, source);
}
