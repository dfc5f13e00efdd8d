/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list; see arm_exceptions.h. */
#include "tests/insn/arm_exceptions.h"

#include <string.h>

#include "util/bits.h"

/* VTRN, VUZP, VZIP of a register with itself: both results UNKNOWN. */
static bool same_register(uint32_t insn)
{
    return extract32(insn, 12, 4) == extract32(insn, 0, 4) &&
           extract32(insn, 22, 1) == extract32(insn, 5, 1);
}

/* More bits below the point than the integer has. */
static bool negative_fraction(uint32_t insn)
{
    return extract32(insn, 0, 4) * 2 + extract32(insn, 5, 1) > 16;
}

static unsigned vd(uint32_t insn)
{
    return extract32(insn, 12, 4) | extract32(insn, 22, 1) << 4;
}

/* Register lists that go on after d31. */
static bool multi_past_d31(uint32_t insn)
{
    static const uint8_t span[16] = {3, 6, 3, 3, 2, 4, 2, 0, 1, 2, 1};

    return vd(insn) + span[extract32(insn, 8, 4)] > 31;
}

static bool all_past_d31(uint32_t insn)
{
    unsigned n = extract32(insn, 8, 2), t = extract32(insn, 5, 1);

    return vd(insn) + (n ? n * (1 + t) : t) > 31;
}

static bool lane_past_d31(uint32_t insn)
{
    unsigned size = extract32(insn, 10, 2);
    unsigned spacing = size && (insn >> (4 + size) & 1) ? 2 : 1;

    if (size == 3) /* which makes it the form that loads all lanes */
        return all_past_d31(insn);
    return vd(insn) + extract32(insn, 8, 2) * spacing > 31;
}

/* An instance is excepted if it is of the row, (insn & mask) == bits and `when` agrees. */
static const struct known_difference {
    const char *row, *table;
    uint32_t mask, bits;
    const char *reason;
    bool (*when)(uint32_t insn);
} known_differences[] = {
    {"VCVT_fixed", "vfp", 0x80, 0, "UNPREDICTABLE: ours UNDEFINED", negative_fraction},
    {"VTRN", "neon", 0, 0, "UNKNOWN results", same_register},
    {"VUZP", "neon", 0, 0, "UNKNOWN results", same_register},
    {"VZIP", "neon", 0, 0, "UNKNOWN results", same_register},
    {"VLD_multi", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", multi_past_d31},
    {"VLD_lane", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", lane_past_d31},
    {"VLD_all", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", all_past_d31},
    {"VLD_multi", "neon", 0x30, 0x30, "qemu-arm 7.2 checks only 16 of the 32 bytes' alignment",
     NULL},
    {NULL, NULL, 0, 0, NULL, NULL},
};

bool arm_known_difference(const struct insn_desc *row, uint32_t insn)
{
    for (const struct known_difference *k = known_differences; k->row; k++)
        if (!strcmp(k->row, row->name) && !strcmp(k->table, row->table) &&
            (insn & k->mask) == k->bits && (!k->when || k->when(insn)))
            return true;
    return false;
}
