/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest code as text, for the log and the monitor. */
#include <stdio.h>

#include "frontend/x86/decode.h"

#ifdef HAVE_CAPSTONE
/* Its enum has the tag of our struct. */
#define x86_insn capstone_x86_insn
#include <capstone/capstone.h>
#undef x86_insn
#endif

static void show_bytes(const uint8_t *code, unsigned length, char *text, size_t text_size)
{
    int used = snprintf(text, text_size, ".byte  ");

    for (unsigned i = 0; i < length && used >= 0 && (size_t)used < text_size; i++)
        used +=
            snprintf(text + used, text_size - (size_t)used, "%s0x%02x", i ? ", " : " ", code[i]);
}

unsigned x86_disassemble_guest(const uint8_t *code, size_t size, uint64_t pc, uint32_t key,
                               char *text, size_t text_size)
{
    struct x86_insn insn;
    enum x86_decode_result result = x86_decode(code, size, key, ~UINT64_C(0), &insn);
    unsigned length = result == DECODE_OK ? insn.length : 1;

    if (!size || result == DECODE_SHORT)
        return 0;
    show_bytes(code, length, text, text_size);
#ifdef HAVE_CAPSTONE
    cs_mode mode = key & KEY_CODE64 ? CS_MODE_64 : key & KEY_CODE32 ? CS_MODE_32 : CS_MODE_16;
    csh handle;
    cs_insn *shown;
    if (result != DECODE_OK || cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
        return length;
    if (cs_disasm(handle, code, length, pc, 1, &shown) == 1) {
        if (shown->size == length)
            snprintf(text, text_size, "%-7s %s", shown->mnemonic, shown->op_str);
        cs_free(shown, 1);
    }
    cs_close(&handle);
#endif
    return length;
}

/* SDM vol. 3, table 6-1. The others are the program's and the devices' interrupts. */
const char *x86_exception_name(unsigned kind)
{
    static const char *const names[] = {
        [EXC_DE] = "de", [EXC_DB] = "db", [EXC_NMI] = "nmi", [EXC_BP] = "bp", [EXC_OF] = "of",
        [EXC_BR] = "br", [EXC_UD] = "ud", [EXC_NM] = "nm",   [EXC_DF] = "df", [EXC_TS] = "ts",
        [EXC_NP] = "np", [EXC_SS] = "ss", [EXC_GP] = "gp",   [EXC_PF] = "pf", [EXC_MF] = "mf",
        [EXC_AC] = "ac", [EXC_MC] = "mc", [EXC_XM] = "xm",
    };

    return kind < ARRAY_SIZE(names) ? names[kind] : NULL;
}

void x86_mode_name(uint32_t key, char *text, size_t text_size)
{
    snprintf(text, text_size, "%s cpl%u",
             key & KEY_CODE64   ? "64-bit"
             : key & KEY_CODE32 ? "32-bit"
                                : "16-bit",
             (unsigned)(key & KEY_CPL) >> KEY_CPL_SHIFT);
}
