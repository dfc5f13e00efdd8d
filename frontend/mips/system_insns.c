/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traps, system calls and the instructions of CP0: MD00086 and MD00087, chapter 3. */
#include "frontend/mips/translate_common.h"

/* ---- traps ----------------------------------------------------------------------------------- */

static bool trap_if(struct xlat *x, enum ir_cond cond, ir_ref left, ir_ref right)
{
    struct ir_builder *b = &x->b;
    unsigned trap = ir_block_create(b), fine = ir_block_create(b);

    ir_brcc(b, cond, ir_compare(b, left, right), trap, fine);
    ir_block_begin(b, trap);
    mips_raise_here(x, MIPS_EXC_TR, 0);
    ir_block_begin(b, fine);
    return true;
}

/* T<cond> rs, rt */
#define TRAP(name, cond)                                                                           \
    bool mips_trans_##name(struct xlat *x, const struct arg_rs_rt *a)                              \
    {                                                                                              \
        return trap_if(x, cond, mips_get(x, a->rs), mips_get(x, a->rt));                           \
    }
/* T<cond>I rs, immediate */
#define TRAP_IMMEDIATE(name, cond)                                                                 \
    bool mips_trans_##name(struct xlat *x, const struct arg_rs_imm *a)                             \
    {                                                                                              \
        return trap_if(x, cond, mips_get(x, a->rs), mips_word(x, a->imm));                         \
    }
TRAP(TEQ, IR_Z)
TRAP(TNE, IR_NZ)
TRAP(TGE, IR_GE)
TRAP(TGEU, IR_NC)
TRAP(TLT, IR_LT)
TRAP(TLTU, IR_C)
TRAP_IMMEDIATE(TEQI, IR_Z)
TRAP_IMMEDIATE(TNEI, IR_NZ)
TRAP_IMMEDIATE(TGEI, IR_GE)
TRAP_IMMEDIATE(TGEIU, IR_NC)
TRAP_IMMEDIATE(TLTI, IR_LT)
TRAP_IMMEDIATE(TLTIU, IR_C)

/* SYSCALL */
bool mips_trans_SYSCALL(struct xlat *x, const struct arg_empty *a)
{
    return mips_raise_here(x, MIPS_EXC_SYS, 0);
}

/* BREAK code */
bool mips_trans_BREAK(struct xlat *x, const struct arg_code *a)
{
    return mips_raise_here(x, MIPS_EXC_BP, 0);
}

/* SDBBP code; in debug mode a breakpoint there: EJTAG, MD00047, "Debug Breakpoint Exception" */
bool mips_trans_SDBBP(struct xlat *x, const struct arg_code *a)
{
    return mips_raise_here(x, MIPS_EXC_DEBUG_BREAK, 0);
}

bool mips_trans_SDBBP_r6(struct xlat *x, const struct arg_code *a)
{
    return mips_raise_here(x, MIPS_EXC_DEBUG_BREAK, 0);
}

/* SIGRIE code */
bool mips_trans_SIGRIE(struct xlat *x, const struct arg_empty *a)
{
    return mips_raise_here(x, MIPS_EXC_RI, 0);
}

/* Coprocessor 2 is no model's. */
#define NO_COP2(name)                                                                              \
    bool mips_trans_##name(struct xlat *x, const struct arg_empty *a)                              \
    {                                                                                              \
        return mips_raise_here(x, MIPS_EXC_CPU, 2);                                                \
    }
NO_COP2(COP2)
NO_COP2(LWC2)
NO_COP2(SWC2)
NO_COP2(LDC2)
NO_COP2(SDC2)

/* ---- CP0 registers --------------------------------------------------------------------------- */

/* MFC0 rt, rd, sel; MTC0; DMFC0; DMTC0; MFHC0; MTHC0 */
#define CP0_MOVE(name, direction, width)                                                           \
    bool mips_trans_##name(struct xlat *x, const struct arg_cp0 *a)                                \
    {                                                                                              \
        return !mips_check_cp0(x) ||                                                               \
               mips_translate_##direction##c0(x, a->rt, a->rd, a->sel, width);                     \
    }
CP0_MOVE(MFC0, mf, MIPS_CP0_WORD)
CP0_MOVE(MTC0, mt, MIPS_CP0_WORD)
CP0_MOVE(DMFC0, mf, MIPS_CP0_DOUBLEWORD)
CP0_MOVE(DMTC0, mt, MIPS_CP0_DOUBLEWORD)
CP0_MOVE(MFHC0, mf, MIPS_CP0_HIGH)
CP0_MOVE(MTHC0, mt, MIPS_CP0_HIGH)

/* RDHWR rt, rd, sel */
bool mips_trans_RDHWR(struct xlat *x, const struct arg_cp0 *a)
{
    return mips_translate_rdhwr(x, a->rt, a->rd, a->sel);
}

/* RDPGPR rd, rt: there is one register set */
bool mips_trans_RDPGPR(struct xlat *x, const struct arg_rt_rd *a)
{
    if (mips_check_cp0(x))
        mips_set(x, a->rd, mips_get(x, a->rt));
    return true;
}

/* WRPGPR rd, rt */
bool mips_trans_WRPGPR(struct xlat *x, const struct arg_rt_rd *a)
{
    return mips_trans_RDPGPR(x, a);
}

/* ---- interrupts, waiting, returning ---------------------------------------------------------- */

static bool change_interrupts(struct xlat *x, int rt, const struct ir_helper *helper)
{
    if (!mips_check_cp0(x))
        return true;
    mips_sync_pc(x);
    mips_set32(x, rt, ir_call(&x->b, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    mips_end_lookup_next(x);
    return true;
}

/* DI rt */
bool mips_trans_DI(struct xlat *x, const struct arg_rt *a)
{
    return change_interrupts(x, a->rt, &helper_mips_di);
}

/* EI rt */
bool mips_trans_EI(struct xlat *x, const struct arg_rt *a)
{
    return change_interrupts(x, a->rt, &helper_mips_ei);
}

/* EVP rt, DVP rt: without multithreading no operation, rt is VPControl, 0 */
bool mips_trans_EVP(struct xlat *x, const struct arg_rt *a)
{
    if (mips_check_cp0(x))
        mips_set32(x, a->rt, ir_i32(&x->b, 0));
    return true;
}

bool mips_trans_DVP(struct xlat *x, const struct arg_rt *a)
{
    return mips_trans_EVP(x, a);
}

/* A return from an exception has no delay slot and is UNPREDICTABLE in one. */
static bool exception_return(struct xlat *x, const struct ir_helper *helper)
{
    if (mips_xlat(x)->in_slot || mips_x_key(x, KEY_FORBIDDEN))
        return false;
    if (!mips_check_cp0(x))
        return true;
    mips_sync_pc(x);
    ir_call(&x->b, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_lookup(&x->b);
    return true;
}

/* ERET */
bool mips_trans_ERET(struct xlat *x, const struct arg_empty *a)
{
    return exception_return(x, &helper_mips_eret);
}

/* ERETNC */
bool mips_trans_ERETNC(struct xlat *x, const struct arg_empty *a)
{
    return exception_return(x, &helper_mips_eretnc);
}

/* DERET: reserved outside debug mode */
bool mips_trans_DERET(struct xlat *x, const struct arg_empty *a)
{
    return mips_x_key(x, KEY_DEBUG) && exception_return(x, &helper_mips_deret);
}

/* WAIT */
bool mips_trans_WAIT(struct xlat *x, const struct arg_empty *a)
{
    if (!mips_check_cp0(x))
        return true;
    mips_sync_pc(x);
    ir_call(&x->b, &helper_mips_wait, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    mips_end_stop_next(x, EXIT_HALT);
    return true;
}

/* ---- the TLB --------------------------------------------------------------------------------- */

static bool tlb_op(struct xlat *x, const struct ir_helper *helper, ir_ref argument, bool changes)
{
    if (mips_x_has(x, MIPS_HAS_FIXED_MAP))
        return false;
    if (!mips_check_cp0(x))
        return true;
    if (changes)
        mips_sync_pc(x);
    ir_call(&x->b, helper, argument, IR_NONE, IR_NONE, IR_NONE);
    if (changes)
        mips_end_lookup_next(x);
    return true;
}

/* TLBP; TLBR */
bool mips_trans_TLBP(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbp, IR_NONE, false);
}

bool mips_trans_TLBR(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbr, IR_NONE, true);
}

/* TLBWI; TLBWR */
bool mips_trans_TLBWI(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbwi, IR_NONE, true);
}

bool mips_trans_TLBWR(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbwr, IR_NONE, true);
}

/* TLBINV; TLBINVF */
bool mips_trans_TLBINV(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbinv, ir_i32(&x->b, 0), true);
}

bool mips_trans_TLBINVF(struct xlat *x, const struct arg_empty *a)
{
    return tlb_op(x, &helper_mips_tlbinv, ir_i32(&x->b, 1), true);
}
