/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values nobody uses, and flags an ALU takes for results nobody uses: one backward walk. */
#include "tcg/alu.h"
#include "tcg/uses.h"

static bool is_needed(const struct ir_insn *insn)
{
    if (insn->op == IR_CALL)
        return !(((const struct ir_helper *)(uintptr_t)insn->imm)->flags & HELPER_PURE);
    return ir_op_info[insn->op].traits & IR_SIDE;
}

void ir_pass_dce(struct ir_unit *unit)
{
    struct ir_use *used = arena_zalloc(unit->arena, unit->n_insns * sizeof(*used));
    for (unsigned b = 0; b < unit->n_blocks; b++) {
        for (unsigned ref = unit->blocks[b].last; ref >= unit->blocks[b].first; ref--) {
            struct ir_insn *insn = &unit->insns[ref];
            if (!ir_is_used(&used[ref]) && !is_needed(insn)) {
                *insn = (struct ir_insn){.op = IR_NOP};
                continue;
            }
            if (insn->op == IR_FLAGOF) {
                used[insn->arg[0]].flags = true;
                continue;
            }
            if (insn->op == IR_ALU && !used[ref].flags && !ir_alu_value_needs_flags(insn->sub))
                insn->arg[3] = IR_NONE;
            ir_use_arguments(used, insn);
            for (uint32_t i = insn->pending; i; i = unit->pending[i - 1].next) {
                used[unit->pending[i - 1].value].value = true;
                used[unit->pending[i - 1].other].value = true;
            }
        }
    }
}
