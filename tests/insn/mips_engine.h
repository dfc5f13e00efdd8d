/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bare MIPS machine for instruction tests, and what kinds of MIPS there are to test: a model in a
 * byte order and width, and the qemu-user that has the same. One thread uses a machine.
 */
#ifndef CALQUE_TESTS_INSN_MIPS_ENGINE_H
#define CALQUE_TESTS_INSN_MIPS_ENGINE_H

#include "exec/vcpu.h"
#include "frontend/mips/cpu.h"
#include "tests/insn/mips_case.h"

struct mips_kind {
    const char *name;        /* of the runner: <build>/tests/mips_runner_<name> */
    const char *guest;       /* calque's */
    const char *model;       /* calque's and the peer's */
    const char *peer;        /* qemu-mips*; NULL: only MIPS16e is tested, which the model gets */
    bool fr, dsp, msa, hilo; /* what of struct mips_registers there is; Status.FR */
    bool mips16;
};
extern const struct mips_kind mips_kinds[]; /* ends with name NULL */

struct mips_engine {
    const struct mips_kind *kind;
    const struct guest *guest;
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    struct clock *clock;
    struct mips_model model; /* of a kind without peer */
    pthread_mutex_t lock;
    uint32_t *code, *data; /* host views, in the guest's byte order */
};

/* Exits the test program with a message if it cannot be made. */
void mips_engine_init(struct mips_engine *e, const struct mips_kind *kind,
                      const struct exec_options *options);
void mips_engine_finish(struct mips_engine *e);
/* Runs the case in user or kernel mode, to its end or to an exception; or its first instruction
 * alone, with its delay slot. */
enum mips_run { MIPS_TO_END, MIPS_ONE };
void mips_engine_run(struct mips_engine *e, const struct mips_case *c, bool kernel,
                     enum mips_run how, struct mips_result *out);

#endif
