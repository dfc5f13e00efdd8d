/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bare x86 guest for instruction tests: a processor in user mode, the code and data areas of
 * x86_case.h, nothing else. Exceptions are noted, not delivered. Guest "i386" runs 32-bit cases in
 * protected mode, "x86_64" those in compatibility mode. One thread uses it.
 */
#ifndef CALQUE_TESTS_INSN_X86_ENGINE_H
#define CALQUE_TESTS_INSN_X86_ENGINE_H

#include "exec/vcpu.h"
#include "tests/insn/x86_case.h"

struct x86_engine {
    struct memory *memory, *ports;
    struct exec *exec;
    struct vcpu *cpu;
    struct clock *clock;
    pthread_mutex_t lock;
    uint8_t *data; /* host view */
    bool wide;     /* guest "x86_64" */
};

/* Exits the test program with a message if it cannot be made. */
void x86_engine_init(struct x86_engine *e, bool wide, const struct exec_options *options);
void x86_engine_finish(struct x86_engine *e);
/* Like a host that runs no 32-bit, or no 16-bit code: the descriptors for it are not there. */
void x86_engine_drop_code32(struct x86_engine *e);
void x86_engine_drop_code16(struct x86_engine *e);
/* Single instructions are stepped, sequences run as a whole. */
void x86_engine_run(struct x86_engine *e, const struct x86_case *c, struct x86_result *out);
/* The first part of the processors' whole state that differs after the same case; NULL: none. */
const char *x86_engine_difference(const struct x86_engine *a, const struct x86_engine *b);

#endif
