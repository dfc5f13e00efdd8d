/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MIPS16e as text, from the tables that the translator has: each instruction as the one of MIPS32
 * or MIPS64 that it stands for, with all operands. (Capstone does not know it.)
 */
#include "frontend/mips/translate_common.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "build/gen/mips16.inc"
#include "build/gen/mips16_extended.inc"
#include "frontend/mips/mips16_fields.h"
#include "util/bits.h"

struct shower {
    struct xlat x; /* what the decoders ask for features */
    struct mips_xlat mx;
    char *text;
    size_t size;
};

static const char *const names[32] = {
    "$zero", "$at", "$v0", "$v1", "$a0", "$a1", "$a2", "$a3", "$t0", "$t1", "$t2",
    "$t3",   "$t4", "$t5", "$t6", "$t7", "$s0", "$s1", "$s2", "$s3", "$s4", "$s5",
    "$s6",   "$s7", "$t8", "$t9", "$k0", "$k1", "$gp", "$sp", "$fp", "$ra",
};

__attribute__((format(printf, 3, 4))) static bool show(struct xlat *x, const char *row,
                                                       const char *format, ...)
{
    struct shower *s = CONTAINER_OF(x, struct shower, x);
    int length = snprintf(s->text, s->size, "%-8s ", row);
    va_list args;

    for (char *c = s->text; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    va_start(args, format);
    if (length > 0 && (size_t)length < s->size)
        vsnprintf(s->text + length, s->size - (size_t)length, format, args);
    va_end(args);
    return true;
}

static uint64_t next(struct xlat *x)
{
    return mips_xlat(x)->insn_pc + mips_xlat(x)->length;
}

/* ---- argument sets --------------------------------------------------------------------------- */

#define SHOW(set, ...)                                                                             \
    static bool show_##set(struct xlat *x, const char *row, const struct arg_##set *a)             \
    {                                                                                              \
        return show(x, row, __VA_ARGS__);                                                          \
    }
SHOW(rri, "%s, %s, %d", names[a->rt], names[a->rs], a->imm)
SHOW(shift, "%s, %s, %d", names[a->rd], names[a->rt], a->sa)
SHOW(rs, "%s", names[a->rs])
SHOW(rd, "%s", names[a->rd])
SHOW(rs_rd, "%s, %s", names[a->rd], names[a->rs])
SHOW(rs_rt, "%s, %s", names[a->rs], names[a->rt])
SHOW(rt_rd, "%s, %s", names[a->rd], names[a->rt])
SHOW(code, "%d", a->code)
SHOW(rt_imm, "%s, %d", names[a->rt], a->imm)
SHOW(bits, "%s, %s, %d, %d", names[a->rt], names[a->rs], a->lsb, a->msb + 1)
SHOW(access, "%s, %d(%s)", names[a->rt], a->offset, names[a->base])
SHOW(rs_branch, "%s, 0x%" PRIx64, names[a->rs], next(x) + 2 * (uint64_t)(int64_t)a->imm)
SHOW(mips16_frame, "%d, xsregs %d, aregs %d%s%s%s", a->frame, a->xsregs, a->aregs,
     a->ra ? ", $ra" : "", a->s1 ? ", $s1" : "", a->s0 ? ", $s0" : "")

/* Shifts by a register name what is shifted first. */
static bool show_rrr(struct xlat *x, const char *row, const struct arg_rrr *a)
{
    bool shifts = row[strlen(row) - 1] == 'V';

    return show(x, row, "%s, %s, %s", names[a->rd], names[shifts ? a->rt : a->rs],
                names[shifts ? a->rs : a->rt]);
}

/* BC is relative; JAL and JALX stay in the region of 256 MiB. */
static bool show_offset(struct xlat *x, const char *row, const struct arg_offset *a)
{
    bool jumps = row[0] == 'J';
    uint64_t region = next(x) & ~UINT64_C(0x0fffffff);

    return show(x, row, "0x%" PRIx64,
                jumps ? region | (uint64_t)(uint32_t)a->imm << 2
                      : next(x) + 2 * (uint64_t)(int64_t)a->imm);
}

/* ---- the decoders, once more ----------------------------------------------------------------- */

#define HANDLER(name, set)                                                                         \
    static bool DECODE_TRANS(name)(struct xlat * x, const struct arg_##set *a)                     \
    {                                                                                              \
        return show_##set(x, #name, a);                                                            \
    }
#define DECODE_IMPLEMENTATION

#undef DECODE_TRANS
#define DECODE_TRANS(name) show16_##name
#define decode_mips16 show_mips16
#define insns_mips16 shown_mips16
DECODE_ROWS_mips16(HANDLER)
#include "build/gen/mips16.inc"

#undef DECODE_TRANS
#define DECODE_TRANS(name) show32_##name
#define decode_mips16_extended show_mips16_extended
#define insns_mips16_extended shown_mips16_extended
    DECODE_ROWS_mips16_extended(HANDLER)
#include "build/gen/mips16_extended.inc"

        unsigned mips16_disassemble(const uint8_t *code, size_t size, uint64_t pc, uint32_t key,
                                    bool big_endian, char *text, size_t text_size)
{
    struct shower s = {.text = text, .size = text_size};
    uint32_t insn;

    if (size < 2)
        return 0;
    insn = big_endian ? load_be16(code) : load_le16(code);
    s.mx.length = 2;
    if (mips16_is_long(insn) && size >= 4) {
        insn = insn << 16 | (big_endian ? load_be16(code + 2) : load_le16(code + 2));
        s.mx.length = 4;
    }
    s.mx.key = key;
    s.mx.insn_pc = pc;
    s.x.guest_data = &s.mx;
    if (!(s.mx.length == 2 ? show_mips16 : show_mips16_extended)(&s.x, insn))
        snprintf(text, text_size, s.mx.length == 2 ? ".short 0x%04x" : ".word 0x%08x", insn);
    return s.mx.length;
}
