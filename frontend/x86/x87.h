/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 state as the guest sees it, in C (x87.c). Registers, tags, status, rounding and precision
 * are in run.x87, or in the host's own registers while run.x87_live; the control word as the guest
 * wrote it is cpu->fpu_control. Whatever reads or changes run.x87 asks run_x87_sync first: these
 * do.
 */
#ifndef CALQUE_FRONTEND_X86_X87_H
#define CALQUE_FRONTEND_X86_X87_H

#include "frontend/x86/cpu.h"

enum {
    X87_MASKS = 0x3f,     /* of the control word: all six exceptions */
    X87_CONTROL = 0x1f3f, /* its bits that exist; bit 6 is always one */
    X87_CONTROL_ONE = 0x40,
    X87_INITIAL_CONTROL = 0x37f,
    X87_ERROR = 0x8080, /* of the status word: ES and B */
};

/* Where things are in run.x87: FXSAVE's layout, SDM vol. 1, 10.5.1. */
enum { X87_AT_CONTROL = 0, X87_AT_STATUS = 2, X87_AT_TAGS = 4, X87_AT_REGISTERS = 32 };

/* The status word, ES and B as the guest's masks have them. */
uint16_t x87_status(struct x86_cpu *cpu);
/* Unmasked exceptions that are pending: bits of the status word. */
unsigned x87_pending(struct x86_cpu *cpu);
/* FLDCW's effect on everything but the mode (x86_update_mode). */
void x87_set_control(struct x86_cpu *cpu, uint16_t value);
/* FNINIT. */
void x87_init(struct x86_cpu *cpu);

/* The instruction on the host's processor, with the guest's own exception masks: opcode and modrm
 * as in ir.h, X87. */
uint64_t x87_execute(struct x86_cpu *cpu, unsigned opcode, unsigned modrm, void *memory,
                     uint64_t value);
/* The same with all exceptions masked: ir_fp_rules.x87. */
uint64_t x87_execute_masked(void *cpu, unsigned opcode, unsigned modrm, void *memory,
                            uint64_t value);

/* FNSTENV, FNSAVE; FLDENV, FRSTOR: 14, 28, 94 or 108 bytes. real: real-mode or virtual-8086 format.
 */
void x87_store_environment(struct x86_cpu *cpu, uint8_t *out, unsigned size, bool real);
void x87_load_environment(struct x86_cpu *cpu, const uint8_t *in, unsigned size, bool real);

#endif
