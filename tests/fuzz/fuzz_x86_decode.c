/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arbitrary bytes as x86 code, in every mode. Nothing is read behind the given size, lengths are
 * right, and what is decoded from a prefix of the input is decoded from the whole of it.
 */
#include <stdlib.h>

#include "frontend/x86/decode.h"

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void check_insn(const struct x86_insn *insn, bool code64)
{
    check(insn->row && insn->n_operands <= 4);
    check(insn->base < 16 || insn->base == REG_NONE || insn->base == REG_RIP);
    check(insn->index < 16 || insn->index == REG_NONE);
    check(insn->segment < N_SEGMENTS);
    for (unsigned i = 0; i < insn->n_operands; i++) {
        const struct x86_operand *o = &insn->operand[i];
        check(o->kind != OPND_NONE && o->size <= 32 && o->reg < (code64 ? 16 : 8));
        check(o->kind != OPND_SEGMENT || o->reg < N_SEGMENTS);
        check(!o->high || (o->reg < 4 && o->size == 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t modes[] = {0, KEY_PROTECTED | KEY_CODE32,
                                     KEY_PROTECTED | KEY_LONG | KEY_CODE64};

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        struct x86_insn insn, again;
        enum x86_decode_result result = x86_decode(data, size, modes[i], ~UINT64_C(0), &insn);
        char text[64];
        check(insn.length <= size && insn.length <= 15);
        if (result == DECODE_OK) {
            check_insn(&insn, modes[i] & KEY_CODE64);
            check(x86_decode(data, insn.length, modes[i], ~UINT64_C(0), &again) == DECODE_OK);
            check(again.length == insn.length && again.row == insn.row);
            check(x86_decode(data, insn.length - 1u, modes[i], ~UINT64_C(0), &again) ==
                  DECODE_SHORT);
        }
        x86_disassemble_guest(data, size, 0x1000, modes[i], text, sizeof(text));
    }
    return 0;
}
