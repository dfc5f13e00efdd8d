/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own processor as the peer of the x86 instruction tests: a child process in which each
 * case runs between two signals. One thread uses it.
 */
#ifndef CALQUE_TESTS_INSN_X86_NATIVE_H
#define CALQUE_TESTS_INSN_X86_NATIVE_H

#include "tests/insn/x86_case.h"

enum { NATIVE_BATCH = 64 };

struct x86_native;

/* After x86_pool_init, and best before anything else: the child is forked here. NULL with a message
 * on stderr if the host cannot do it. */
struct x86_native *x86_native_create(void);
void x86_native_destroy(struct x86_native *native);
/* Does the host let a program enter 32-bit code, 16-bit code? */
bool x86_native_has_code32(const struct x86_native *native);
bool x86_native_has_code16(const struct x86_native *native);
/* Features of the host's processor, as far as rows ask for them. */
uint64_t x86_native_features(void);
/* Runs up to NATIVE_BATCH cases. False: the child died; a new one is there. */
bool x86_native_run(struct x86_native *native, const struct x86_case *cases, unsigned n,
                    struct x86_result *results);

#endif
