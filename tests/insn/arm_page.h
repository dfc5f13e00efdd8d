/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One case of the instruction tests: a page of ARM code that loads every register from a table,
 * runs the instructions under test and stores every register into another table. The same bytes run
 * at the same address here and under qemu-arm, so the tables and the data area are all there is to
 * compare. Shared by the host's tests and the ARM-side runner (arm_runner.c); no library needed.
 */
#ifndef CALQUE_TESTS_INSN_ARM_PAGE_H
#define CALQUE_TESTS_INSN_ARM_PAGE_H

#include <stdint.h>

enum {
    CODE_BASE = 0x30000000,
    CODE_BYTES = 0x1000,
    DATA_BASE = 0x2a000000, /* what load and store rows hit; sums of two such are not mapped */
    DATA_BYTES = 0x4000,
    SLOT_WORDS = 16, /* room for the instructions under test */

    END_OFFSET = 0x3fc, /* literal: where the page jumps when it is done */
    IN_OFFSET = 0x400,  /* struct arm_registers before */
    OUT_OFFSET = 0x600, /* and after */
};

struct arm_registers {
    uint64_t d[32];
    uint32_t r[15];
    uint32_t apsr, fpscr, unused;
};

/* What the runner reads: the page, and the seed of the data area. */
struct arm_case {
    uint32_t page[CODE_BYTES / 4];
    uint32_t data_seed;
};

enum arm_outcome {
    OUTCOME_DONE,
    OUTCOME_UNDEFINED,
    OUTCOME_DATA_FAULT,
    OUTCOME_LEFT,
    OUTCOME_OTHER
};

/* What it writes. out is the page's table if DONE, else the registers at the fault (r only). */
struct arm_result {
    uint32_t outcome; /* enum arm_outcome */
    uint32_t pc;      /* LEFT: where to */
    struct arm_registers out;
    uint64_t data_hash;
};

static inline uint32_t arm_data_next(uint32_t x)
{
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
}

static inline void arm_data_fill(uint32_t *data, uint32_t seed)
{
    uint32_t x = seed | 1;

    for (int i = 0; i < DATA_BYTES / 4; i++)
        data[i] = x = arm_data_next(x);
}

static inline uint64_t arm_data_hash(const uint32_t *data)
{
    uint64_t hash = 1;

    for (int i = 0; i < DATA_BYTES / 4; i++)
        hash = (hash ^ data[i]) * 0x9e3779b97f4a7c15u + (hash >> 32);
    return hash;
}

#endif
