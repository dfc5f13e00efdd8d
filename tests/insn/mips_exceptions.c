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

/* An instance is excepted if it is of the row, (insn & mask) == bits and `when` agrees. */
static const struct known_difference {
    const char *row, *table;
    uint32_t mask, bits;
    const char *reason;
    bool (*when)(uint32_t insn, const struct mips_case *c);
    bool before_r6; /* in those kinds only */
} known_differences[] = {
    {"DIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DDIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DDIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DDIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DDIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"MOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"MODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DMOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    {"DMODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly, false},
    /* Before release 6 these words are MIPS-3D's, which the peer has in models without it. */
    {"MIN_fmt", "fpu", 0, 0, "RECIP2", NULL, true},
    {"MINA_fmt", "fpu", 0, 0, "RECIP1", NULL, true},
    {"MAX_fmt", "fpu", 0, 0, "RSQRT1", NULL, true},
    {"MAXA_fmt", "fpu", 0, 0, "RSQRT2", NULL, true},
    {"C_cond_PS", "fpu", 1 << 8, 1 << 8, "odd cc: UNPREDICTABLE", NULL, true},
    {"MOVCF_PS", "fpu", 1 << 18, 1 << 18, "odd cc: UNPREDICTABLE", NULL, true},
    {NULL, NULL, 0, 0, NULL, NULL, false},
};

bool mips_known_difference(const struct mips_kind *kind, const struct insn_desc *row, uint32_t insn,
                           const struct mips_case *c)
{
    /* $27 is where the code is, and the peer's goes on there. */
    if (row->annotations & INSN_MEM &&
        (extract32(insn, 21, 5) == K1 || (insn >> 26 == 19 && extract32(insn, 16, 5) == K1)))
        return true;
    for (const struct known_difference *k = known_differences; k->row; k++)
        if (!strcmp(k->row, row->name) && !strcmp(k->table, row->table) &&
            (insn & k->mask) == k->bits && (!k->before_r6 || kind->hilo) &&
            (!k->when || k->when(insn, c)))
            return true;
    return false;
}
