/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values a backward walk has seen used. For passes only. */
#ifndef CALQUE_TCG_USES_H
#define CALQUE_TCG_USES_H

#include "tcg/ir.h"

/* Bytes of their own rather than bits: a use is a plain store. Most insns lack arguments, which all
 * count as uses of insn 0; setting bits there would make each wait for the one before. */
struct ir_use {
    bool value, flags;
};

static inline bool ir_is_used(const struct ir_use *use)
{
    return use->value || use->flags;
}

static inline void ir_use_arguments(struct ir_use *used, const struct ir_insn *insn)
{
    used[insn->arg[0]].value = true; /* 0 where there is none */
    used[insn->arg[1]].value = true;
    used[insn->arg[2]].value = true;
    used[insn->arg[3]].value = true;
}

#endif
