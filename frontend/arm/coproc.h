/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coprocessor 14 and 15 register table: one row per encoding. cp15.c has the rows and their
 * functions, system.c translates accesses to them.
 */
#ifndef CALQUE_FRONTEND_ARM_COPROC_H
#define CALQUE_FRONTEND_ARM_COPROC_H

#include "frontend/arm/system.h"

enum arm_reg_access {
    R1 = 1, /* PL1 reads */
    W1 = 2,
    R0 = 4, /* PL0 reads (subject to `allow`, if there is one) */
    W0 = 8,
    RW1 = R1 | W1,
    R10 = R1 | R0,
    W10 = W1 | W0,
    RW10 = R10 | W10,
};

enum arm_reg_kind {
    REG_STATE, /* value: offset in struct arm_cpu of a uint32_t (wide: uint64_t) */
    REG_FIELD, /* value: enum arm_field, translated inline */
    REG_MODEL, /* value: offset in struct arm_model; constant, writes ignored */
    REG_CONST, /* value itself; writes ignored */
    REG_CALL,  /* read and write functions */
};

enum arm_reg_flags {
    REG_WIDE = 1,  /* MRRC, MCRR: crn and opc2 do not matter */
    REG_MODE = 2,  /* a write changes key, space or map: ends the unit */
    REG_FAULT = 4, /* a write may raise an exception */
};

enum { REG_ANY = 0xff }; /* crm, opc2: every value */

enum arm_core { CORE_A7 = 1, CORE_A9 = 2, CORE_A15 = 4, CORE_ALL = 7 };

struct arm_reg {
    const char *name;
    uint8_t cp, opc1, crn, crm, opc2;
    uint8_t access, kind, flags;
    uint8_t cores;     /* 0: all */
    uint32_t features; /* all of them are needed */
    uint32_t value;
    uint64_t (*read)(struct arm_cpu *cpu, const struct arm_reg *reg);
    void (*write)(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value);
    bool (*allow)(struct arm_cpu *cpu, const struct arm_reg *reg, bool read); /* PL0 */
};

/* The row of an encoding in this model, by index into the table; -1: there is none. */
int arm_reg_find(const struct arm_model *model, bool wide, unsigned cp, unsigned opc1, unsigned crn,
                 unsigned crm, unsigned opc2);
const struct arm_reg *arm_reg_row(unsigned index);
uint64_t arm_reg_read(struct arm_cpu *cpu, const struct arm_reg *reg);
void arm_reg_write(struct arm_cpu *cpu, const struct arm_reg *reg, uint64_t value);

#endif
