/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MIPS16e: what it has that MIPS32 and MIPS64 have not. MD00076, chapter 4. The tables name the
 * handlers of the 32-bit instruction set for all the rest.
 */
#include "frontend/mips/translate_common.h"

#define DECODE_IMPLEMENTATION
#include "build/gen/mips16.inc"
#include "build/gen/mips16_extended.inc"
#include "frontend/mips/mips16_fields.h"

enum { OPCODE_JAL = 3, OPCODE_EXTEND = 30 };

bool mips16_is_long(uint32_t insn)
{
    return insn >> 11 == OPCODE_EXTEND || insn >> 11 == OPCODE_JAL;
}

/* JAL and JALX; of RR's J(AL)R(C) those without nd. */
bool mips16_has_delay_slot(uint32_t insn, unsigned length)
{
    return length == 4 ? insn >> 27 == OPCODE_JAL : (insn & 0xf89f) == 0xe800;
}

/* ---- moves ----------------------------------------------------------------------------------- */

/* LI rx, immediate: zero-extended */
bool mips_trans_LI(struct xlat *x, const struct arg_rt_imm *a)
{
    mips_set(x, a->rt, mips_word(x, a->imm));
    return true;
}

/* MOVE r32, rz; MOVE ry, r32 */
bool mips_trans_MOVE(struct xlat *x, const struct arg_rs_rd *a)
{
    mips_set(x, a->rd, mips_get(x, a->rs));
    return true;
}

/* ---- relative to the PC: MD00076, "PC-Relative Instructions" --------------------------------- */

/* The instruction's own address, the EXTEND's in front of it, or in a delay slot the jump's. */
static int64_t relative(struct xlat *x, int imm, uint64_t align)
{
    return (int64_t)((mips_xlat(x)->base_pc & ~(align - 1)) + (uint64_t)(int64_t)imm);
}

/* ADDIU rx, pc, immediate */
bool mips_trans_ADDIU_PC(struct xlat *x, const struct arg_rt_imm *a)
{
    mips_set(x, a->rt, mips_word(x, (int32_t)relative(x, a->imm, 4)));
    return true;
}

/* DADDIU ry, pc, immediate */
bool mips_trans_DADDIU_PC(struct xlat *x, const struct arg_rt_imm *a)
{
    mips_set(x, a->rt, mips_word(x, relative(x, a->imm, 4)));
    return true;
}

static bool load_relative(struct xlat *x, const struct arg_rt_imm *a, unsigned size_log2)
{
    enum ir_type type = mips_xlat(x)->wide ? IR_I64 : IR_I32;
    ir_ref address = mips_word(x, relative(x, a->imm, UINT64_C(1) << size_log2));

    mips_set(x, a->rt, ir_load(&x->b, type, address, 0, mips_memop(x, size_log2, true, false)));
    return true;
}

/* LW rx, offset(pc) */
bool mips_trans_LW_PC(struct xlat *x, const struct arg_rt_imm *a)
{
    return load_relative(x, a, 2);
}

/* LD ry, offset(pc) */
bool mips_trans_LD_PC(struct xlat *x, const struct arg_rt_imm *a)
{
    return load_relative(x, a, 3);
}

/* ---- SAVE, RESTORE --------------------------------------------------------------------------- */

enum { NO_AREGS = 15, MAX_SAVED = 14 };

/* What aregs says of $4 to $7: how many of the first are arguments, which the caller's frame has
 * room for, and how many of the last are static. */
static const struct {
    uint8_t arguments, statics;
} aregs[NO_AREGS] = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 0}, {1, 1}, {1, 2}, {1, 3},
                     {2, 0}, {2, 1}, {2, 2}, {0, 4}, {3, 0}, {3, 1}, {4, 0}};

/* The registers saved, from the frame's top down. */
static unsigned saved_registers(const struct arg_mips16_frame *a, uint8_t out[MAX_SAVED])
{
    unsigned n = 0;

    if (a->ra)
        out[n++] = RA;
    for (int i = a->xsregs; i > 0; i--) /* $18 to $23, and then $30 */
        out[n++] = i == 7 ? FP : (uint8_t)(S0 + 1 + i);
    if (a->s1)
        out[n++] = S0 + 1;
    if (a->s0)
        out[n++] = S0;
    for (unsigned i = 0; i < aregs[a->aregs].statics; i++)
        out[n++] = (uint8_t)(A3 - i);
    return n;
}

/* A word at an offset from the stack pointer, as it is before. */
static void store_word(struct xlat *x, unsigned reg, int64_t offset)
{
    struct mips_ea ea = mips_ea(x, SP, offset);

    ir_store(&x->b, ea.base, ea.displacement, mips_get32(x, (int)reg),
             mips_memop(x, 2, false, false));
}

static ir_ref load_word(struct xlat *x, int64_t offset)
{
    struct mips_ea ea = mips_ea(x, SP, offset);

    return ir_load(&x->b, mips_xlat(x)->wide ? IR_I64 : IR_I32, ea.base, ea.displacement,
                   mips_memop(x, 2, true, false));
}

static void move_sp(struct xlat *x, int bytes)
{
    mips_set32(x, SP, ir_bin_i(&x->b, IR_ADD, mips_get32(x, SP), (uint32_t)bytes));
}

/* SAVE {arguments,} framesize {, registers}. A fault among its stores starts it again. */
bool mips_trans_SAVE(struct xlat *x, const struct arg_mips16_frame *a)
{
    uint8_t saved[MAX_SAVED];
    unsigned n;

    if (a->aregs == NO_AREGS)
        return false;
    for (unsigned i = 0; i < aregs[a->aregs].arguments; i++)
        store_word(x, A0 + i, 4 * (int64_t)i);
    n = saved_registers(a, saved);
    for (unsigned i = 0; i < n; i++)
        store_word(x, saved[i], -4 * (int64_t)(i + 1));
    move_sp(x, -a->frame);
    return true;
}

/* RESTORE framesize {, registers} */
bool mips_trans_RESTORE(struct xlat *x, const struct arg_mips16_frame *a)
{
    uint8_t saved[MAX_SAVED];
    ir_ref value[MAX_SAVED];
    unsigned n;

    if (a->aregs == NO_AREGS)
        return false;
    n = saved_registers(a, saved);
    for (unsigned i = 0; i < n; i++)
        value[i] = load_word(x, a->frame - 4 * (int64_t)(i + 1));
    for (unsigned i = 0; i < n; i++)
        mips_set(x, saved[i], value[i]);
    move_sp(x, a->frame);
    return true;
}
