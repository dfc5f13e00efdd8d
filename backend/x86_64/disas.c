/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host code as text, for -d out_asm and the golden tests. */
#include "backend/x86_64/x86_64.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

unsigned x86_disassemble(const uint8_t *code, size_t size, uint64_t address, char *text,
                         size_t text_size)
{
    csh handle;
    cs_insn *insn;
    unsigned length = 0;
    if (!size || cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
        return 0;
    if (cs_disasm(handle, code, size, address, 1, &insn) == 1) {
        length = insn->size;
        snprintf(text, text_size, "%s %s", insn->mnemonic, insn->op_str);
        cs_free(insn, 1);
    } else { /* data between stubs */
        length = 1;
        snprintf(text, text_size, ".byte 0x%02x", code[0]);
    }
    cs_close(&handle);
    return length;
}
#else
unsigned x86_disassemble(const uint8_t *code, size_t size, uint64_t address, char *text,
                         size_t text_size)
{
    if (!size)
        return 0;
    snprintf(text, text_size, ".byte 0x%02x", code[0]);
    return 1;
}
#endif
