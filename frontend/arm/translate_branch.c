/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Branches of A32 and Thumb. Section numbers are those of ARM DDI 0406C. */
#include "frontend/arm/translate_common.h"

static ir_ref reg(struct xlat *x, int n)
{
    return arm_get_reg(x, (unsigned)n);
}

static void set_link(struct xlat *x)
{
    uint32_t thumb = arm_xlat(x)->thumb ? 1 : 0;
    arm_set_reg(x, 14, ir_i32(&x->b, next_pc(x) | thumb));
}

/* B label */
bool trans_B(struct xlat *x, const struct arg_branch *a)
{
    arm_jump(x, read_pc(x) + (uint32_t)a->imm, arm_xlat(x)->thumb);
    return true;
}

/* B<c> label (Thumb's own conditional forms, A8.8.18 T1 and T3) */
bool trans_B_cond(struct xlat *x, const struct arg_bcond *a)
{
    if (!arm_xlat(x)->conditional) /* inside an IT block, UNPREDICTABLE: its condition decides */
        arm_guard(x, (unsigned)a->cond);
    arm_jump(x, read_pc(x) + (uint32_t)a->imm, true);
    return true;
}

/* BL label */
bool trans_BL(struct xlat *x, const struct arg_branch *a)
{
    set_link(x);
    arm_jump(x, read_pc(x) + (uint32_t)a->imm, arm_xlat(x)->thumb);
    return true;
}

/* BLX label: to the other instruction set */
bool trans_BLX_imm(struct xlat *x, const struct arg_branch *a)
{
    bool thumb = arm_xlat(x)->thumb;
    set_link(x);
    arm_jump(x, (thumb ? read_pc(x) & ~3u : read_pc(x)) + (uint32_t)a->imm, !thumb);
    return true;
}

/* BX Rm */
bool trans_BX(struct xlat *x, const struct arg_rm *a)
{
    arm_write_pc(x, reg(x, a->rm), true);
    return true;
}

/* BXJ Rm: with the trivial Jazelle implementation the same as BX, A2.10 */
bool trans_BXJ(struct xlat *x, const struct arg_rm *a)
{
    if (a->rm == 15)
        return false;
    arm_write_pc(x, reg(x, a->rm), true);
    return true;
}

/* BLX Rm */
bool trans_BLX_reg(struct xlat *x, const struct arg_rm *a)
{
    if (a->rm == 15)
        return false;
    ir_ref target = reg(x, a->rm);
    set_link(x);
    arm_write_pc(x, target, true);
    return true;
}

/* CBZ Rn, label; CBNZ Rn, label */
bool trans_CBZ(struct xlat *x, const struct arg_cbz *a)
{
    struct ir_builder *b = &x->b;
    unsigned taken = ir_block_create(b), next = ir_block_create(b);
    ir_brcc(b, a->nz ? IR_NZ : IR_Z, ir_test(b, reg(x, a->rn)), taken, next);
    ir_block_begin(b, taken);
    arm_jump(x, read_pc(x) + (uint32_t)a->imm, true);
    ir_block_begin(b, next);
    return true;
}

static bool table_branch(struct xlat *x, const struct arg_tb *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    if (a->rm == 15)
        return false;
    ir_ref index = reg(x, a->rm);
    if (size_log2)
        index = ir_bin_i(b, IR_SHL, index, size_log2);
    ir_ref address = ir_bin(b, IR_ADD, reg(x, a->rn), index);
    ir_ref entry = ir_load(b, IR_I32, address, 0, arm_memop(x, size_log2, false, false));
    arm_write_pc(x, ir_bin_i(b, IR_ADD, ir_bin_i(b, IR_SHL, entry, 1), read_pc(x)), false);
    return true;
}

/* TBB [Rn, Rm] */
bool trans_TBB(struct xlat *x, const struct arg_tb *a)
{
    return table_branch(x, a, 0);
}

/* TBH [Rn, Rm, LSL #1] */
bool trans_TBH(struct xlat *x, const struct arg_tb *a)
{
    return table_branch(x, a, 1);
}

/* IT{x{y{z}}} <firstcond> */
bool trans_IT(struct xlat *x, const struct arg_it *a)
{
    /* A condition of 0b1111 is UNPREDICTABLE: always, as 0b1110. */
    if (!a->mask || arm_xlat(x)->it & 15)
        return false;
    arm_xlat(x)->next_it = (uint8_t)(a->cond << 4 | a->mask);
    return true;
}
