/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random instances of the ARM instruction tables' rows, and random machine states to run them in.
 * Everything follows from a 64-bit seed, printed with each failure. Pure.
 */
#ifndef CALQUE_TESTS_INSN_ARM_RANDOM_H
#define CALQUE_TESTS_INSN_ARM_RANDOM_H

#include "frontend/guest.h"
#include "tests/insn/arm_page.h"
#include "tests/insn/random.h"

/* An instance of the row: fixed bits as they are, the rest random; in a conditional A32 row mostly
 * "always". tame: no register field is likely to be r15. */
uint32_t random_instance(struct random *r, const struct insn_desc *row, bool tame);
bool row_is_thumb(const struct insn_desc *row);
/* A branch by name: a row that always goes elsewhere, unlike those that may write r15. */
bool arm_is_branch(const struct insn_desc *row);

/* Registers before the instruction. memory: most registers point into the data area. */
void random_registers(struct random *r, struct arm_registers *out, bool memory);

/* The page that runs these instructions (count words; Thumb words as first halfword << 16 | second,
 * or a single halfword if length is 2). */
struct test_insn {
    uint32_t bits;
    uint8_t length;
};
void page_build(uint32_t page[CODE_BYTES / 4], const struct arm_registers *before, bool thumb,
                const struct test_insn *insns, unsigned count);

#endif
