/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values nobody uses: one backward walk. */
#include "tcg/ir.h"

static void use(uint8_t *used, ir_ref ref)
{
    used[ref / 8] |= (uint8_t)(1u << ref % 8);
}

static bool is_needed(const struct ir_insn *insn)
{
    if (insn->op == IR_CALL)
        return !(((const struct ir_helper *)(uintptr_t)insn->imm)->flags & HELPER_PURE);
    return ir_op_info[insn->op].traits & IR_SIDE;
}

void ir_pass_dce(struct ir_unit *unit)
{
    uint8_t *used = arena_zalloc(unit->arena, unit->n_insns / 8 + 1);
    for (unsigned b = 0; b < unit->n_blocks; b++) {
        for (unsigned ref = unit->blocks[b].last; ref >= unit->blocks[b].first; ref--) {
            struct ir_insn *insn = &unit->insns[ref];
            if (!(used[ref / 8] & 1u << ref % 8) && !is_needed(insn)) {
                *insn = (struct ir_insn){.op = IR_NOP};
                continue;
            }
            for (unsigned i = 0; i < ir_op_info[insn->op].n_args; i++)
                use(used, insn->arg[i]);
            for (uint32_t i = insn->pending; i; i = unit->pending[i - 1].next)
                use(used, unit->pending[i - 1].value);
        }
    }
}
