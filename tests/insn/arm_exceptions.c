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

/* A literal whose bytes overlap the page's exit address, which is not the same here and there. */
static bool reads_exit_address(uint32_t insn)
{
    unsigned end = 0x3fc, at = 0x84 + extract32(insn, 0, 12);

    return (insn & 1 << 23) && at + 4 > end && at < end + 4;
}

static bool index_is_loaded(uint32_t insn)
{
    return extract32(insn, 0, 4) / 2 == extract32(insn, 12, 4) / 2;
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
    /* ... which some words of these rows are, with size 11 */
    {"VADDL", "neon", 0xffb30000, 0xf3b20000, "UNKNOWN results", same_register},
    {"VADDW", "neon", 0xffb30000, 0xf3b20000, "UNKNOWN results", same_register},
    {"VMLA_scalar", "neon", 0xffb30000, 0xf3b20000, "UNKNOWN results", same_register},
    {"VLD_multi", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", multi_past_d31},
    {"VLD_lane", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", lane_past_d31},
    {"VLD_all", "neon", 0, 0, "UNPREDICTABLE: ours UNDEFINED", all_past_d31},
    {"VLD_multi", "neon", 0x30, 0x30, "qemu-arm 7.2 checks only 16 of the 32 bytes' alignment",
     NULL},
    {"LDRD_imm", "a32", 0xf000, 0xe000, "Rt = r14 UNPREDICTABLE: ours UNDEFINED", NULL},
    {"LDRD_reg", "a32", 0xf000, 0xe000, "Rt = r14 UNPREDICTABLE: ours UNDEFINED", NULL},
    {"STRD_imm", "a32", 0xf000, 0xe000, "Rt = r14 UNPREDICTABLE: ours UNDEFINED", NULL},
    {"STRD_reg", "a32", 0xf000, 0xe000, "Rt = r14 UNPREDICTABLE: ours UNDEFINED", NULL},
    {"SSAT", "t32", 0x2070c0, 0x200000, "is SSAT16 with should-be-zero bits set", NULL},
    {"USAT", "t32", 0x2070c0, 0x200000, "is USAT16 with should-be-zero bits set", NULL},
    {"NOP", "a32", 0xfe, 2, "is WFE or WFI, which have rows of their own and wait", NULL},
    {"NOP", "t32", 0xfe, 2, "is WFE or WFI, which have rows of their own and wait", NULL},
    {"NOP", "t16", 0xe0, 0x20, "is WFE or WFI, which have rows of their own and wait", NULL},
    {"IT", "t16", 0xef, 0x20, "is WFE or WFI, which have rows of their own and wait", NULL},
    {"LDR_imm", "t32", 0x7f0000, 0x5f0000, "reads the test's exit address", reads_exit_address},
    {"LDR_imm", "t16", 0xf8ff, 0x48de, "reads the test's exit address", NULL},
    {"LDRD_reg", "a32", 0, 0, "Rm = Rt or Rt2 UNPREDICTABLE: ours takes Rm's old value",
     index_is_loaded},
    {"ADD_shift", "t16", 0xff87, 0x4487, "is a branch, into the page's data perhaps", NULL},
    {"MOV_shift", "t16", 0xff87, 0x4687, "is a branch, into the page's data perhaps", NULL},
    {"LDRH_imm", "t32", 0x7f0000, 0x3f0000, "reads the test's exit address", reads_exit_address},
    {"LDRSH_imm", "t32", 0x7f0000, 0x3f0000, "reads the test's exit address", reads_exit_address},
    {"LDRB_imm", "t32", 0x7f0000, 0x1f0000, "reads the test's exit address", reads_exit_address},
    {"LDRSB_imm", "t32", 0x7f0000, 0x1f0000, "reads the test's exit address", reads_exit_address},
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
