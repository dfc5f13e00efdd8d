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
} known_differences[] = {
    {"DIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DDIV", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DDIVU", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DDIV_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DDIVU_r6", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"MOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"MODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DMOD", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {"DMODU", "mips", 0, 0, "UNPREDICTABLE", divides_badly},
    {NULL, NULL, 0, 0, NULL, NULL},
};

bool mips_known_difference(const struct mips_kind *kind, const struct insn_desc *row, uint32_t insn,
                           const struct mips_case *c)
{
    for (const struct known_difference *k = known_differences; k->row; k++)
        if (!strcmp(k->row, row->name) && !strcmp(k->table, row->table) &&
            (insn & k->mask) == k->bits && (!k->when || k->when(insn, c)))
            return true;
    return false;
}
