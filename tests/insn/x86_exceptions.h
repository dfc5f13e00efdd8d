/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reviewed differences between calque and the host's processor: what the manual leaves open and
 * processors differ in, and what user mode cannot set up. Nothing else belongs here.
 */
#ifndef CALQUE_TESTS_INSN_X86_EXCEPTIONS_H
#define CALQUE_TESTS_INSN_X86_EXCEPTIONS_H

#include "tests/insn/x86_case.h"

/* Whether a difference is one of them. May instead level the two results where they may differ. */
bool x86_known_difference(const struct x86_case *c, struct x86_result *ours,
                          struct x86_result *host);
/* The interpreter and the host's instruction: gives b what the manual leaves to the processor and
 * the two may choose differently. True: there is such. */
bool x86_level_choices(const struct x86_case *c, const struct x86_result *a, struct x86_result *b);
/* Is there any for this row? */
bool x86_row_has_known_difference(const struct x86_row *row);

#endif
