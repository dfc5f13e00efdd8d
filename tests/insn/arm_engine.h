/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bare ARM machine for instruction tests: a processor, the code page and the data area of
 * arm_page.h, nothing else. One thread uses it.
 */
#ifndef CALQUE_TESTS_INSN_ARM_ENGINE_H
#define CALQUE_TESTS_INSN_ARM_ENGINE_H

#include "exec/vcpu.h"
#include "frontend/arm/cpu.h"
#include "tests/insn/arm_page.h"

struct arm_engine {
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    struct clock *clock;
    pthread_mutex_t lock;
    uint32_t *code, *data; /* host views */
};

/* The guest's instruction tables: ends with NULL, each table with a row whose name is NULL. */
const struct insn_desc *const *arm_insn_tables(void);

/* Exits the test program with a message if it cannot be made. */
void arm_engine_init(struct arm_engine *e, const char *model, const struct exec_options *options);
void arm_engine_finish(struct arm_engine *e);
/* Runs the case's page in User mode with VFP and NEON on, to its end or to an exception. */
void arm_engine_run_page(struct arm_engine *e, const struct arm_case *c, struct arm_result *out);
/* Executes exactly one instruction, placed at CODE_BASE, from the given registers in the given
 * mode; what follows is in the CPU struct. */
void arm_engine_step(struct arm_engine *e, const struct arm_registers *before, unsigned mode,
                     bool thumb, uint32_t insn, unsigned length, uint32_t data_seed);

#endif
