/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random instances of the MIPS tables' rows, random registers, and what two results differ in.
 * Everything follows from a 64-bit seed, printed with each failure. Pure.
 */
#ifndef CALQUE_TESTS_INSN_MIPS_RANDOM_H
#define CALQUE_TESTS_INSN_MIPS_RANDOM_H

#include "tests/insn/mips_engine.h"
#include "tests/insn/random.h"

/* A case of `count` instances of rows, the rest NOPs. */
void mips_random_case(struct random *r, const struct mips_kind *kind,
                      const struct insn_desc *const *rows, unsigned count, struct mips_case *out);
/* Is it MIPS16e's? A case is either all MIPS16e or none. */
bool mips_row_is_mips16(const struct insn_desc *row);
/* May tests in user mode run it? */
bool mips_row_is_plain(const struct insn_desc *row);
/* Is it of the kind's release and instruction sets? What is not is reserved, where fields that must
 * be 0 do not make it another instruction for who does not look at them: the peer. */
bool mips_row_is_of(const struct mips_kind *kind, const struct insn_desc *row);
/* Describes the first difference; NULL if there is none. */
const char *mips_difference(const struct mips_kind *kind, const struct mips_result *ours,
                            const struct mips_result *theirs);
/* The reviewed differences between calque and qemu-mips*: what the manual leaves UNPREDICTABLE, and
 * errors of the peer. Nothing else belongs there: mips_exceptions.c. */
bool mips_known_difference(const struct mips_kind *kind, const struct insn_desc *row, uint32_t insn,
                           const struct mips_case *c);

#endif
