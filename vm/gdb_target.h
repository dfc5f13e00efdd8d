/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's registers in gdb's terms: numbers, bytes in the guest's order, and the description that
 * tells gdb of both ("target.xml"; gdb's manual, appendix G).
 *
 * Threading: while the vCPU stands still.
 */
#ifndef CALQUE_VM_GDB_TARGET_H
#define CALQUE_VM_GDB_TARGET_H

#include "frontend/guest.h"

struct gdb_target;
enum { GDB_REGISTER_BYTES = GUEST_REGISTER_WORDS * 8 };

/* NULL: out of memory. The guest has a gdb_architecture. */
struct gdb_target *gdb_target_create(struct vcpu *cpu);
void gdb_target_destroy(struct gdb_target *target);

const char *gdb_target_xml(const struct gdb_target *target);
/* Registers in the order of gdb's numbers, which need not be without gaps: the next number from
 * `number` on that is one, or -1. */
int gdb_target_next(const struct gdb_target *target, unsigned number);
/* Returns its size; 0: there is no such register. */
unsigned gdb_target_size(const struct gdb_target *target, uint64_t number);
unsigned gdb_target_read(const struct gdb_target *target, uint64_t number,
                         uint8_t out[GDB_REGISTER_BYTES]);
bool gdb_target_write(const struct gdb_target *target, uint64_t number, const uint8_t *in);
bool gdb_target_set_pc(const struct gdb_target *target, uint64_t pc);

#endif
