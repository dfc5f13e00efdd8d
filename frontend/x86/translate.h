/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the x86 translator share. A handler (decode.h) emits the IR of one instruction;
 * ir_insn has been emitted, what the row's traits say has been checked. Pattern of every handler:
 * read operands, do the accesses that may fault, only then set registers and flags. Return true;
 * false means #UD.
 *
 *   translate.c          the driver: one instruction at a time; ends of paths
 *   operands.c           operands, addresses, segments
 *   integer.c, branch.c, string.c     integer.def
 *   system_insns.c       system.def
 *   x87_insns.c          x87.def, and MMX rows that go through the x87 registers
 *   sse_insns.c, avx_insns.c          mmx_sse.def, avx.def
 *
 * Values of sizes 1, 2, 4 are I32, zero-extended; of size 8 I64. (The i386 guest has no size 8 for
 * general registers; memory operands of 8 bytes are I64 there too.)
 */
#ifndef CALQUE_FRONTEND_X86_TRANSLATE_H
#define CALQUE_FRONTEND_X86_TRANSLATE_H

#include "frontend/x86/decode.h"

/* xlat.guest_data */
struct x86_xlat {
    uint32_t key;
    bool wide; /* the x86_64 guest: addresses and general registers are I64 */
    bool code64;
    uint8_t cpl;
    uint64_t insn_pc, next_pc; /* linear */
    const struct x86_insn *insn;
    bool end_after_next; /* STI, MOV SS: the next instruction is the last of the unit, then poll */
    bool ended;          /* the handler has ended the path */
    bool shadowed;       /* the instruction follows one that set end_after_next */
    bool careful;        /* the unit may reach the end of CS: each instruction checks its limit */
};

static inline struct x86_xlat *x86_xlat(struct xlat *x)
{
    return (struct x86_xlat *)x->guest_data;
}

/* ---- registers ------------------------------------------------------------------------------- */

ir_ref x86_gpr(struct xlat *x, unsigned reg, unsigned size);
void x86_set_gpr(struct xlat *x, unsigned reg, unsigned size,
                 ir_ref value); /* 4: clears bits 63:32 */
/* Operand n for width ops, which ignore what is above its size: those bits may be anything. */
ir_ref x86_read_low(struct xlat *x, const struct x86_insn *insn, unsigned n);
/* Address-sized use of a register (counts, pointers): zero-extended value of address type. */
ir_ref x86_address_register(struct xlat *x, unsigned reg, unsigned address_size);
void x86_set_address_register(struct xlat *x, unsigned reg, unsigned address_size, ir_ref value);
static inline enum ir_type x86_address_type(struct xlat *x)
{
    return x86_xlat(x)->wide ? IR_I64 : IR_I32;
}
static inline enum ir_type x86_value_type(unsigned size)
{
    return size == 8 ? IR_I64 : IR_I32;
}
ir_ref x86_constant(struct xlat *x, unsigned size, uint64_t value); /* of the size's type */
ir_ref x86_address_constant(struct xlat *x, uint64_t value);        /* of the address type */
/* A value of the address type as one of `size` bytes, and back. */
ir_ref x86_from_address(struct xlat *x, ir_ref address, unsigned size);
ir_ref x86_to_address(struct xlat *x, ir_ref value, unsigned size);
/* Value of `from` bytes to `to` bytes. */
ir_ref x86_extend(struct xlat *x, ir_ref value, unsigned from, unsigned to, bool sign);
ir_ref x86_truncate(struct xlat *x, ir_ref value, unsigned from, unsigned to);

/* ---- memory ---------------------------------------------------------------------------------- */

/* Offset of the insn's memory operand within its segment (LEA), modulo the address size. */
ir_ref x86_effective_address(struct xlat *x, const struct x86_insn *insn);
/* Its linear address for an access of `size` bytes at `displacement` from it, with the segment's
 * base, limit and rights checked (#GP, #SS) unless the key says they are flat. A canonical check is
 * the MMU's. */
ir_ref x86_linear(struct xlat *x, const struct x86_insn *insn, unsigned size, bool write);
/* Any segment and offset (of the address type). */
ir_ref x86_linear_at(struct xlat *x, unsigned segment, ir_ref offset, unsigned address_size,
                     unsigned size, bool write);
/* memop of a data access of `size` bytes (1..16) in this mode: alignment checks of KEY_ALIGN. */
unsigned x86_memop(struct xlat *x, unsigned size);
/* Wraps an address-type value at the address size. */
ir_ref x86_wrap_address(struct xlat *x, ir_ref address, unsigned address_size);
/* Data accesses: use these, not ir_load and ir_store (data breakpoints, privilege, bus width). */
ir_ref x86_load(struct xlat *x, ir_ref linear, int64_t displacement, unsigned size);
void x86_store(struct xlat *x, ir_ref linear, int64_t displacement, unsigned size, ir_ref value);
/* LOCK: memory op= operand, gives what was there; and compare-and-swap. */
ir_ref x86_rmw(struct xlat *x, enum ir_rmw what, ir_ref linear, unsigned size, ir_ref operand);
ir_ref x86_cas(struct xlat *x, ir_ref linear, unsigned size, ir_ref expected, ir_ref value);
/* aligned: else #GP(0). Such accesses have IR_MEM_EXCLUSIVE set, which tells the MMU's fault
 * function that a missed alignment is a #GP and no #AC. */
ir_ref x86_load128(struct xlat *x, ir_ref linear, int64_t displacement, bool aligned);
void x86_store128(struct xlat *x, ir_ref linear, int64_t displacement, ir_ref value, bool aligned);
/* A host pointer to an operand of `length` bytes, for X87 and helpers. A writer ends with
 * x86_commit; until then nothing is changed if it is no plain RAM. */
ir_ref x86_probe(struct xlat *x, ir_ref linear, unsigned length, bool write);
void x86_commit(struct xlat *x, ir_ref pointer, ir_ref linear, unsigned length);

/* ---- operands -------------------------------------------------------------------------------- */

/* Value of operand n: register, immediate or memory (loaded once per call). */
ir_ref x86_read(struct xlat *x, const struct x86_insn *insn, unsigned n);
void x86_write(struct xlat *x, const struct x86_insn *insn, unsigned n, ir_ref value);
/* Operand n read now and written later, with one address computation and check:
 *   struct x86_place p = x86_place(x, insn, 0); v = x86_place_read(x, &p); x86_place_write(x, &p,
 * r); */
struct x86_place {
    const struct x86_insn *insn;
    uint8_t operand, size;
    ir_ref linear;  /* memory: the address */
    ir_ref pointer; /* memory: PROBE for writing, so that nothing faults after the read */
};
struct x86_place x86_place(struct xlat *x, const struct x86_insn *insn, unsigned n);
/* The same for a memory operand of `size` bytes at a linear address that is known. */
struct x86_place x86_place_at(struct xlat *x, ir_ref linear, unsigned size);
ir_ref x86_place_read(struct xlat *x, struct x86_place *place);
void x86_place_write(struct xlat *x, struct x86_place *place, ir_ref value);

/* Bytes of the stack pointer that count: 2, 4, 8. */
unsigned x86_stack_size(struct xlat *x);
ir_ref x86_stack_add(struct xlat *x, ir_ref pointer, int64_t bytes); /* wraps */
/* Stack, by SS and the stack's address size. size: 2, 4, 8. Several pushes of one instruction: give
 * the register its new value with x86_set_stack_pointer only after the last access. */
ir_ref x86_stack_pointer(struct xlat *x);
void x86_set_stack_pointer(struct xlat *x, ir_ref value);
void x86_push(struct xlat *x, unsigned size, ir_ref value); /* store, then rSP */
ir_ref x86_pop(struct xlat *x, unsigned size);              /* load, then rSP */
ir_ref x86_stack_load(struct xlat *x, ir_ref offset, unsigned size);
void x86_stack_store(struct xlat *x, ir_ref offset, unsigned size, ir_ref value);

/* ---- flags ----------------------------------------------------------------------------------- */

static inline ir_ref x86_flags(struct xlat *x)
{
    return ir_get(&x->b, F_STATUS);
}
static inline void x86_set_flags(struct xlat *x, ir_ref flags)
{
    ir_set(&x->b, F_STATUS, flags);
}
/* Jcc, SETcc, CMOVcc: tttn of the opcode to the IR's condition. */
enum ir_cond x86_condition(unsigned tttn);

/* ---- ends of paths --------------------------------------------------------------------------- */

/* A helper that raises at this instruction; ends the path. Return true from the handler after it.
 */
bool x86_raise_here(struct xlat *x, enum x86_exception kind, uint32_t error_code);
/* To EIP/RIP values. relative: displacement from the next instruction, wraps at the operand size.
 */
void x86_jump_relative(struct xlat *x, int64_t displacement, unsigned operand_size);
void x86_jump_to(struct xlat *x, ir_ref ip,
                 unsigned operand_size); /* near indirect: limit, canonical */
/* The linear address (of the address type) of an EIP/RIP value of `size` bytes, with CS's limit
 * checked; x86_exit_to goes there. For instructions that change state in between. */
ir_ref x86_code_address(struct xlat *x, ir_ref ip, unsigned size);
void x86_exit_to(struct xlat *x, ir_ref linear);
/* The EIP/RIP `displacement` behind the next instruction, wrapped at `size` bytes. */
ir_ref x86_relative_ip(struct xlat *x, int64_t displacement, unsigned size);
/* The next instruction's EIP/RIP as a value of the given size (what CALL pushes). */
ir_ref x86_next_ip(struct xlat *x, unsigned size);
/* After a helper that changed mode, map or key: goes on behind this instruction, looked up anew.
 * x86_set_next_pc first, if the helper needs F_PC to be the next instruction. */
void x86_set_next_pc(struct xlat *x);
void x86_end_lookup(struct xlat *x); /* run.pc, run.key have been set, by SETs or by a helper */
void x86_end_next(struct xlat *x);   /* both: F_PC = next, lookup */

/* The aux word of INSN is the instruction's length. */
enum xlat_next x86_translate(struct xlat *x);

/* ---- for helpers ----------------------------------------------------------------------------- */

/* The linear address of an access outside 64-bit mode, with base, limit and rights. May raise. */
uint32_t x86_segment_linear(struct x86_cpu *cpu, unsigned segment, uint32_t offset, unsigned size,
                            bool write);
/* Would it raise? */
bool x86_segment_allows(const struct x86_cpu *cpu, unsigned segment, uint32_t offset, unsigned size,
                        bool write);
/* The port space; the permission has been checked. */
uint32_t x86_port_read(struct x86_cpu *cpu, uint16_t port, unsigned size);
void x86_port_write(struct x86_cpu *cpu, uint16_t port, unsigned size, uint32_t value);

#endif
