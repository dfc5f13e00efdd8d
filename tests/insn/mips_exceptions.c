/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reviewed differences from qemu-mips*; see mips_random.h. */
#include <string.h>

#include "tests/insn/mips_random.h"
#include "util/bits.h"

/* Division by 0, and the most negative number by -1: UNPREDICTABLE. */
static bool divides_badly(uint32_t insn, const struct mips_case *c)
{
    uint64_t divisor = c->before.gpr[extract32(insn, 16, 5)];

    return !divisor || !(uint32_t)divisor || divisor == UINT64_MAX ||
           (uint32_t)divisor == UINT32_MAX || !extract32(insn, 16, 5);
}

/* INSV of a field that does not fit: UNPREDICTABLE. */
static bool inserts_too_much(uint32_t insn, const struct mips_case *c)
{
    uint32_t control = (uint32_t)c->before.dspcontrol;

    return !extract32(control, 7, 6) || extract32(control, 0, 6) + extract32(control, 7, 6) > 32;
}

/* An address that is not an aligned one in the data area. */
static bool goes_astray(uint32_t insn, const struct mips_case *c)
{
    bool release6 = insn >> 26 == 31,
         doubleword = insn >> 26 == 60 || (release6 && (insn & 63) == 39);
    int64_t offset = release6 ? sextract32(insn, 7, 9) : sextract32(insn, 0, 16);
    uint64_t address = c->before.gpr[extract32(insn, 21, 5)] + (uint64_t)offset - MIPS_DATA;

    return (uint32_t)address >= MIPS_DATA_BYTES - 8 || address & (doubleword ? 7 : 3);
}

/* RECIP1, RSQRT1 of 0. */
static bool starts_from_zero(uint32_t insn, const struct mips_case *c)
{
    uint64_t value = c->before.w[extract32(insn, 11, 5)][0];
    bool is_double = extract32(insn, 21, 5) == 17, is_pair = extract32(insn, 21, 5) == 22;

    if (is_double)
        return !(value << 1);
    return !(uint32_t)(value << 1) || (is_pair && !(value >> 32 << 33));
}

/* An instance is excepted if it is of the row, (insn & mask) == bits and `when` agrees. */
static const struct known_difference {
    const char *row, *table;
    uint32_t mask, bits;
    const char *reason;
    bool (*when)(uint32_t insn, const struct mips_case *c);
    enum release { ANY_RELEASE, BEFORE_R6, SINCE_R6 } release; /* of the kinds it is about */
} known_differences[] = {
    {"DIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DDIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DDIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DDIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DDIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"MOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"MODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DMOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    {"DMODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, ANY_RELEASE},
    /* Before release 6 these words are MIPS-3D's, which the peer has in models without it. */
    {"MIN_fmt", "fpu", 0, 0, "RECIP2", NULL, BEFORE_R6},
    {"MINA_fmt", "fpu", 0, 0, "RECIP1", NULL, BEFORE_R6},
    {"MAX_fmt", "fpu", 0, 0, "RSQRT1", NULL, BEFORE_R6},
    {"MAXA_fmt", "fpu", 0, 0, "RSQRT2", NULL, BEFORE_R6},
    {"C_cond_PS", "fpu", 1 << 8, 1 << 8, "odd cc: UNPREDICTABLE", NULL, BEFORE_R6},
    {"MOVCF_PS", "fpu", 1 << 18, 1 << 18, "odd cc: UNPREDICTABLE", NULL, BEFORE_R6},
    {"CABS_cond_PS", "fpu", 1 << 8, 1 << 8, "odd cc: UNPREDICTABLE", NULL, BEFORE_R6},
    /* MD00099: the largest finite number; the peer says infinity. */
    {"RECIP1_fmt", "fpu", 0, 0, "of 0", starts_from_zero, BEFORE_R6},
    {"RSQRT1_fmt", "fpu", 0, 0, "of 0", starts_from_zero, BEFORE_R6},
    {"RECIP1_PS", "fpu", 0, 0, "of 0", starts_from_zero, BEFORE_R6},
    {"RSQRT1_PS", "fpu", 0, 0, "of 0", starts_from_zero, BEFORE_R6},
    {"INSV", "dsp", 0, 0, "UNPREDICTABLE", inserts_too_much, ANY_RELEASE},
    {"SC", "mips", 0, 0, "its address is looked at, too, when it does not store", goes_astray,
     ANY_RELEASE},
    {"SC_r6", "mips", 0, 0, "the same", goes_astray, ANY_RELEASE},
    {"SCD", "mips", 0, 0, "the same", goes_astray, ANY_RELEASE},
    {"SCD_r6", "mips", 0, 0, "the same", goes_astray, ANY_RELEASE},
    {"ADDI", "mips", 0x03ff0000, 0, "BOVC $0, $0 there: the peer links", NULL, SINCE_R6},
    {"DADDI", "mips", 0x03ff0000, 0, "BNVC $0, $0 there: the peer links", NULL, SINCE_R6},
    {NULL, NULL, 0, 0, NULL, NULL, ANY_RELEASE},
};

/* Of MSA, what is reserved: qemu has a nop in its place, as for all of MSA where there is none. */
static bool reserved_msa(const struct mips_kind *kind, const char *row, uint32_t insn)
{
    unsigned function = insn & 63, bit = extract32(insn, 16, 7), element = extract32(insn, 16, 6);

    if (!kind->msa)
        return true;
    if (function == 9 || function == 10) /* table "df/m" */
        return bit >= 0x78;
    if (function == 19 ||
        (function == 21 && extract32(insn, 23, 3) >= 4)) /* half as wide elements */
        return !extract32(insn, 21, 2);
    if (function == 25) { /* table "df/n"; doublewords in general registers */
        bool exists = element < 0x10 || (element & 0x38) == 0x20 || (element & 0x3c) == 0x30 ||
                      (element & 0x3e) == 0x38;
        bool general = !strncmp(row, "MSA_COPY", 8) || !strcmp(row, "MSA_INSERT");
        bool unsigned_word = !strcmp(row, "MSA_COPY_U") && element >= 0x30;
        return !exists || (general && (element >= 0x38 || unsigned_word));
    }
    return !strcmp(row, "MSA_FILL") && extract32(insn, 16, 2) == 3;
}

/* qemu drops DSP instructions whose destination is $0, with what they do to DSPControl. */
static bool dropped_dsp(const char *row, uint32_t insn)
{
    unsigned function = insn & 63;
    bool to_rt = function == 49 || function == 53 || function == 56 || function == 60 ||
                 function == 12 || function == 13 || !strncmp(row, "PRECR_SRA", 9);

    return !extract32(insn, to_rt ? 16 : 11, 5);
}

/* ---- MIPS16e: insn has the first halfword above ---------------------------------------------- */

static unsigned mips16_register(uint32_t field)
{
    return field < 2 ? field + 16 : field;
}

static bool divides_badly16(uint32_t insn, const struct mips_case *c)
{
    uint32_t divisor = (uint32_t)c->before.gpr[mips16_register(extract32(insn, 16 + 5, 3))];

    return !divisor || divisor == UINT32_MAX;
}

/* What the peer's runner has behind the case's instructions is something else. */
static bool reads_code_behind(uint32_t insn)
{
    int32_t offset = insn >> 27 == 30
                         ? (int16_t)(extract32(insn, 16, 5) << 11 | extract32(insn, 21, 6) << 5 |
                                     extract32(insn, 0, 5))
                         : (int32_t)extract32(insn, 16, 8) * 4;

    return offset > 4 * MIPS_MAX_INSNS - 4 && offset < 4 * (MIPS_MAX_INSNS + 16);
}

static bool known_mips16_difference(const struct insn_desc *row, uint32_t insn,
                                    const struct mips_case *c)
{
    if (!strncmp(row->name, "DIV", 3))
        return divides_badly16(insn, c);
    /* aregs 15 is reserved (MD00076, RESTORE): the peer loads other registers before it says so. */
    if (!strcmp(row->name, "RESTORE") && row->length == 4)
        return extract32(insn, 16, 4) == 15;
    return !strcmp(row->name, "LW_PC") && reads_code_behind(insn);
}

bool mips_known_difference(const struct mips_kind *kind, const struct insn_desc *row, uint32_t insn,
                           const struct mips_case *c)
{
    if (mips_row_is_mips16(row))
        return known_mips16_difference(row, insn, c);
    /* $27 is where the code is, and the peer's goes on there. */
    if (row->annotations & INSN_MEM &&
        (extract32(insn, insn >> 26 == 30 ? 11 : 21, 5) == K1 ||
         ((insn >> 26 == 19 || (insn & 0xfc00003f) == 0x7c00000a) && extract32(insn, 16, 5) == K1)))
        return true;
    if (!strcmp(row->table, "msa") && reserved_msa(kind, row->name, insn))
        return true;
    if (!strcmp(row->table, "dsp") && dropped_dsp(row->name, insn))
        return true;
    for (const struct known_difference *k = known_differences; k->row; k++)
        if (!strcmp(k->row, row->name) && !strcmp(k->table, row->table) &&
            (insn & k->mask) == k->bits &&
            (k->release == ANY_RELEASE || (k->release == BEFORE_R6) == kind->hilo) &&
            (!k->when || k->when(insn, c)))
            return true;
    return false;
}
