/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One case of the MIPS instruction tests: every register before, some instructions, every register
 * after. The same instructions run at the same address here and under qemu-mips*. Everything is 64
 * bits wide, so that the two byte orders differ in one way only. Shared by the host's tests and the
 * MIPS-side runner (mips/mips_runner.c); no library needed.
 */
#ifndef CALQUE_TESTS_INSN_MIPS_CASE_H
#define CALQUE_TESTS_INSN_MIPS_CASE_H

#include <stdint.h>

enum {
    MIPS_CODE = 0x30000000,
    MIPS_CODE_BYTES = 0x1000,
    MIPS_DATA = 0x2a000000, /* what load and store rows hit; sums of two such are not mapped */
    MIPS_DATA_BYTES = 0x4000,
    MIPS_MAX_INSNS = 16,
};

/* In a 32-bit guest the upper halves of general registers are 0. */
struct mips_registers {
    uint64_t w[32][2]; /* FPRs are the low halves; without MSA the high ones are not looked at */
    uint64_t gpr[32];  /* not 0 and 26; 27 is MIPS_CODE, with bit 0 set if that is MIPS16e */
    uint64_t hi[4], lo[4];
    uint64_t dspcontrol, fcsr, msacsr;
};

struct mips_case {
    struct mips_registers before;
    /* Filled up with NOPs. MIPS16e's first halfword is the upper one, whatever the byte order; one
     * of 16 bits has a NOP behind it. */
    uint64_t insns[MIPS_MAX_INSNS];
    uint64_t data_seed;
};

enum mips_outcome { MIPS_DONE, MIPS_RESERVED, MIPS_MEMORY_FAULT, MIPS_TRAPPED, MIPS_OTHER };

/* after is looked at if DONE. */
struct mips_result {
    uint64_t outcome;
    uint64_t data_hash;
    struct mips_registers after;
};

/* An instruction as the 32-bit number that stands in memory. */
static inline uint32_t mips_code_word(uint32_t insn, int is_mips16, int big_endian)
{
    return is_mips16 && !big_endian ? insn >> 16 | insn << 16 : insn;
}

static inline uint32_t mips_data_next(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

static inline uint64_t mips_hash_next(uint64_t hash, uint32_t word)
{
    return (hash ^ word) * 0x9e3779b97f4a7c15u + (hash >> 32);
}

#endif
