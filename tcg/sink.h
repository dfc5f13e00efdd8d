/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flags that only a way out of the unit wants: instead of storing them before a branch, the exit
 * makes them again, from what the guest's registers hold there. Part of the state pass.
 */
#ifndef CALQUE_TCG_SINK_H
#define CALQUE_TCG_SINK_H

#include "tcg/ir.h"

enum { SINK_MAX = 8, SINK_INSNS = 128 /* what all of one exit may take */ };

/* What a block's fields hold at its end. */
struct block_end {
    unsigned n;
    uint16_t field[64];
    ir_ref value[64];
};

/* The exit that is written anew behind the unit's insns, of which there must be room for
 * SINK_INSNS; nobody else may append meanwhile. */
struct sink {
    struct ir_unit *unit;
    const struct block_end *end;
    unsigned block;
    unsigned n;
    ir_ref first;
};

/* Is this a block of its own that does nothing but leave? Not backwards: loops are taken often, and
 * making something again costs more than storing it. */
bool sink_is_exit(const struct ir_unit *unit, unsigned block);
/* Has the exit SET the field to the value, which it makes from fields of integers as they are at
 * the other block's end. False: it cannot. */
bool sink_add(struct sink *sink, unsigned field, ir_ref value);
void sink_end(struct sink *sink);

#endif
