/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the integer translator share: the tables' argument structs and handlers, and
 * small pieces of IR. Private to translate*.c.
 */
#ifndef CALQUE_FRONTEND_ARM_TRANSLATE_COMMON_H
#define CALQUE_FRONTEND_ARM_TRANSLATE_COMMON_H

#include "frontend/arm/translate.h"

#include "build/gen/a32.inc"
#include "build/gen/a32u.inc"
#include "build/gen/t16.inc"
#include "build/gen/t32.inc"

bool decode_a32u(struct xlat *x, uint32_t insn);
extern const struct insn_desc insns_a32u[];

static inline bool is_privileged(struct xlat *x)
{
    return arm_xlat(x)->key & KEY_PRIVILEGED;
}

static inline bool is_t32(struct xlat *x)
{
    return arm_xlat(x)->thumb && arm_xlat(x)->length == 4;
}

static inline uint32_t next_pc(struct xlat *x)
{
    return (uint32_t)arm_xlat(x)->insn_pc + arm_xlat(x)->length;
}

/* r15 as the instruction reads it. */
static inline uint32_t read_pc(struct xlat *x)
{
    return (uint32_t)arm_xlat(x)->insn_pc + (arm_xlat(x)->thumb ? 4 : 8);
}

/* The key without what follows the instruction stream: T and IT. */
static inline uint32_t base_key(struct xlat *x)
{
    return arm_xlat(x)->key & ~(uint32_t)(KEY_T | KEY_IT_MASK);
}

/* Opens a block that only runs if the condition holds; the driver closes it. */
void arm_guard(struct xlat *x, unsigned condition);
/* The key of the instruction that follows. */
uint32_t arm_next_key(struct xlat *x);
/* run.pc and run.key are those of the next instruction: for helpers that look at them. */
void arm_sync_next(struct xlat *x);

void arm_set_nz(struct xlat *x, ir_ref flags);
/* Q |= bit */
void arm_set_q(struct xlat *x, ir_ref bit);

struct shifted {
    ir_ref value;
    ir_ref carry; /* IR_NONE: C stays */
};
/* Rm shifted by a constant, ARM ARM A8.4.1; carry is only made if asked for. */
struct shifted arm_shift_immediate(struct xlat *x, ir_ref value, unsigned type, unsigned amount,
                                   bool want_carry);

#endif
