/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the ARM translator share: the generated decoders call trans_<ROW>(x, args),
 * each in the file that owns the table. All of them emit IR through x->b.
 *
 *   a32.decode, t32.decode, t16.decode   translate.c   integer, branch, load/store, system
 *   vfp.decode, neon.decode              vfp.c, neon.c  (A32 and T32 share them)
 *
 * Pattern of every handler: check what makes it UNDEFINED or UNPREDICTABLE, read operands, do the
 * accesses that may fault, only then set registers. Return true; false means "not this row, it is
 * undefined".
 */
#ifndef CALQUE_FRONTEND_ARM_TRANSLATE_H
#define CALQUE_FRONTEND_ARM_TRANSLATE_H

#include "frontend/arm/cpu.h"

/* xlat.guest_data */
struct arm_xlat {
    uint32_t key;      /* of the instruction being translated: T and IT follow along */
    uint32_t insn;     /* its bits (a T32 word as first halfword << 16 | second) */
    uint64_t insn_pc;  /* its address */
    uint8_t condition; /* 0..14; 14 always */
    uint8_t it;        /* ITSTATE while translating it */
    bool thumb;
    bool conditional;    /* the handler runs inside a block guarded by the condition */
    unsigned skip_block; /* where a false condition goes, if conditional */
    bool select;         /* a failed condition is seen to by arm_set_reg, with SELECT */
    bool started;
    uint8_t length;           /* of the instruction, in bytes */
    uint8_t open_condition;   /* the condition known where the last guarded body ended */
    ir_ref open_end;          /* the BR that ended it, IR_NONE: none just ended */
    unsigned open_at;         /* unit->n_insns when it did: nothing may have followed */
    uint8_t next_it;          /* ITSTATE of the instruction that follows */
    bool unconditional_space; /* A32 with cond == 0b1111 */
    uint32_t features;
};

static inline struct arm_xlat *arm_xlat(struct xlat *x)
{
    return (struct arm_xlat *)x->guest_data;
}

/* Register n as a value; r15 reads as the instruction's address + 8 (A32) or + 4 (Thumb). */
ir_ref arm_get_reg(struct xlat *x, unsigned n);
/* Sets r0..r14. Not for r15: use arm_write_pc. */
void arm_set_reg(struct xlat *x, unsigned n, ir_ref value);
/* Flags of a condition as a FLAGS value plus the ir_cond to use with it. */
ir_ref arm_condition(struct xlat *x, unsigned condition, enum ir_cond *cond);

/* Ends the path. bx: interworking branch (BXWritePC), else BranchWritePC. */
void arm_write_pc(struct xlat *x, ir_ref value, bool bx);
void arm_jump(struct xlat *x, uint32_t target, bool thumb);
/* Ends the path after a helper changed the mode: goes on with the next instruction, looked up anew.
 */
void arm_end_lookup_next(struct xlat *x);
/* The instruction is UNDEFINED: raises at its address. Ends the path. Always returns true. */
bool arm_undefined(struct xlat *x);
bool arm_has(const struct xlat *x, uint32_t feature);
/* memop bits for a data access of the current mode: byte order and alignment.
 * aligned: the instruction itself demands it (LDM, LDRD, LDREX). */
unsigned arm_memop(struct xlat *x, unsigned size_log2, bool sign, bool aligned);

/* Generated decoders (tools/decode): true if a row took the instruction. */
bool decode_a32(struct xlat *x, uint32_t insn);
bool decode_t32(struct xlat *x, uint32_t insn);
bool decode_t16(struct xlat *x, uint32_t insn);
bool decode_vfp(struct xlat *x, uint32_t insn);  /* A32 form; condition already handled */
bool decode_neon(struct xlat *x, uint32_t insn); /* A32 form (0xF2.., 0xF3.., 0xF4..) */
extern const struct insn_desc insns_a32[], insns_t32[], insns_t16[], insns_vfp[], insns_neon[];

enum xlat_next arm_translate(struct xlat *x);

/* system.c: coprocessor 14 and 15 accesses (MCR, MRC, MCRR, MRRC, LDC, STC); false: undefined.
 * Emits everything, including the end of the path where the register changes the mode or map. */
bool arm_translate_coproc_reg(struct xlat *x, bool read, unsigned cp, unsigned opc1, unsigned crn,
                              unsigned crm, unsigned opc2, unsigned rt);
bool arm_translate_coproc_reg64(struct xlat *x, bool read, unsigned cp, unsigned opc1, unsigned crm,
                                unsigned rt, unsigned rt2);

/* Helpers of system.c. Those marked * change mode, key or map: the handler sets F_PC first (to the
 * next instruction, unless said otherwise) and F_KEY (its key: T, and IT advanced; the helper keeps
 * these and recomputes the rest), and ends the path with ir_exit_lookup. They are not MAY_FAULT
 * unless said. helper_cpsr_read needs no F_KEY: T and IT read as zero in MRS. */
extern const struct ir_helper helper_cpsr_read; /* () -> I32 */
extern const struct ir_helper
    helper_cpsr_write;                           /* * (value, mask): MSR CPSR, CPS, SETEND; obeys
                                                      privilege: user mode changes only NZCVQ, GE, E */
extern const struct ir_helper helper_spsr_read;  /* () -> I32 */
extern const struct ir_helper helper_spsr_write; /* (value, mask) */
extern const struct ir_helper
    helper_exception_return;              /* * (new pc): CPSR <- SPSR, sets run.pc itself */
extern const struct ir_helper helper_rfe; /* * (new pc, new cpsr): sets run.pc itself */
extern const struct ir_helper helper_user_reg_read;  /* (n) -> I32: LDM/STM with ^ */
extern const struct ir_helper helper_user_reg_write; /* (n, value) */
extern const struct ir_helper helper_mode_sp_read; /* (mode) -> I32: SRS; MAY_FAULT on a bad mode */
extern const struct ir_helper helper_mode_sp_write; /* (mode, value) */
extern const struct ir_helper helper_banked_read;   /* (R << 5 | SYSm) -> I32: MRS banked */
extern const struct ir_helper helper_banked_write;  /* (R << 5 | SYSm, value) */
extern const struct ir_helper helper_svc;  /* * (immediate): F_PC is the next instruction; takes
                                                the exception, sets run.pc to the vector */
extern const struct ir_helper helper_hvc;  /* * (immediate): likewise */
extern const struct ir_helper helper_smc;  /* * (immediate) */
extern const struct ir_helper helper_bkpt; /* raises at the instruction; MAY_FAULT */
extern const struct ir_helper helper_undefined; /* raises at the instruction; MAY_FAULT */
extern const struct ir_helper helper_wfi;       /* sets v.halted; F_PC is the next instruction; then
                                                     ir_exit_stop(EXIT_HALT) */
extern const struct ir_helper helper_wfe;       /* likewise unless the event register is set */
extern const struct ir_helper helper_sev;
extern const struct ir_helper helper_fpscr_read;  /* () -> I32 */
extern const struct ir_helper helper_fpscr_write; /* * (value) */

#endif
