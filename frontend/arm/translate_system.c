/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Status registers, exception generation and return, hints, barriers and coprocessor 14 and 15
 * instructions of A32 and Thumb. Section numbers are those of ARM DDI 0406C.
 */
#include "frontend/arm/translate_common.h"

static ir_ref reg(struct xlat *x, int n)
{
    return arm_get_reg(x, (unsigned)n);
}

/* Calls a helper that looks at or sets run.pc and run.key, then goes where they say. */
static bool call_and_lookup(struct xlat *x, const struct ir_helper *helper, ir_ref a0, ir_ref a1)
{
    ir_call(&x->b, helper, a0, a1, IR_NONE, IR_NONE);
    ir_exit_lookup(&x->b);
    return true;
}

/* ---- status registers, B9.3.8 to B9.3.12 ----------------------------------------------------- */

/* MRS Rd, CPSR; MRS Rd, SPSR */
bool trans_MRS(struct xlat *x, const struct arg_mrs *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || (a->r && !is_privileged(x)))
        return false;
    if (a->r) {
        arm_set_reg(x, (unsigned)a->rd,
                    ir_call(b, &helper_spsr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
        return true;
    }
    /* IT, J and T read as zero. */
    ir_ref value = ir_call(b, &helper_cpsr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    arm_set_reg(x, (unsigned)a->rd, ir_bin_i(b, IR_AND, value, 0xf8ff03df));
    return true;
}

/* The bits of the CPSR that MSR with this mask may write at this privilege, B1.3.3. */
static uint32_t cpsr_write_mask(struct xlat *x, int mask)
{
    uint32_t bits =
        (mask & 8 ? CPSR_NZCV | CPSR_Q : 0) | (mask & 4 ? CPSR_GE : 0) | (mask & 2 ? CPSR_E : 0);
    if (is_privileged(x))
        bits |= (mask & 2 ? CPSR_A : 0) | (mask & 1 ? CPSR_I | CPSR_F | CPSR_M : 0);
    return bits;
}

static uint32_t byte_mask(int mask)
{
    return (mask & 8 ? 0xff000000u : 0) | (mask & 4 ? 0xff0000u : 0) | (mask & 2 ? 0xff00u : 0) |
           (mask & 1 ? 0xffu : 0);
}

/* Only flags change: no helper, and the unit goes on. */
static void write_flags(struct xlat *x, ir_ref value, uint32_t bits)
{
    struct ir_builder *b = &x->b;
    if (bits & CPSR_NZCV) {
        ir_set(b, F_NF, ir_extract(b, value, 31, 1));
        ir_set(b, F_ZF, ir_extract(b, value, 30, 1));
        ir_set(b, F_CF, ir_extract(b, value, 29, 1));
        ir_set(b, F_VF, ir_extract(b, value, 28, 1));
        ir_set(b, F_QF, ir_extract(b, value, 27, 1));
    }
    if (bits & CPSR_GE)
        ir_set(b, F_GE, ir_extract(b, value, 16, 4));
}

static bool write_cpsr(struct xlat *x, ir_ref value, uint32_t bits)
{
    struct ir_builder *b = &x->b;
    if (!(bits & ~(CPSR_NZCV | CPSR_Q | CPSR_GE))) {
        write_flags(x, value, bits);
        return true;
    }
    arm_sync_next(x);
    return call_and_lookup(x, &helper_cpsr_write, value, ir_i32(b, bits));
}

static bool write_status(struct xlat *x, int spsr, int mask, ir_ref value)
{
    struct ir_builder *b = &x->b;
    if (!mask || (spsr && !is_privileged(x)))
        return false;
    if (!spsr)
        return write_cpsr(x, value, cpsr_write_mask(x, mask));
    ir_call(b, &helper_spsr_write, value, ir_i32(b, byte_mask(mask)), IR_NONE, IR_NONE);
    return true;
}

/* MSR CPSR_<fields>, Rn; MSR SPSR_<fields>, Rn */
bool trans_MSR_reg(struct xlat *x, const struct arg_msr_reg *a)
{
    return a->rn != 15 && write_status(x, a->r, a->mask, reg(x, a->rn));
}

/* MSR CPSR_<fields>, #const */
bool trans_MSR_imm(struct xlat *x, const struct arg_msr_imm *a)
{
    return write_status(x, a->r, a->mask, ir_i32(&x->b, (uint32_t)a->imm));
}

/* MRS Rd, <banked register>, B9.3.9 */
bool trans_MRS_bank(struct xlat *x, const struct arg_mrs_bank *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || !is_privileged(x))
        return false;
    ir_ref which = ir_i32(b, (uint32_t)(a->r << 5 | a->sysm));
    ir_ref value = ir_call(b, &helper_banked_read, which, IR_NONE, IR_NONE, IR_NONE);
    arm_set_reg(x, (unsigned)a->rd, value);
    return true;
}

/* MSR <banked register>, Rn, B9.3.10 */
bool trans_MSR_bank(struct xlat *x, const struct arg_msr_bank *a)
{
    struct ir_builder *b = &x->b;
    if (a->rn == 15 || !is_privileged(x))
        return false;
    ir_ref which = ir_i32(b, (uint32_t)(a->r << 5 | a->sysm));
    ir_call(b, &helper_banked_write, which, reg(x, a->rn), IR_NONE, IR_NONE);
    return true;
}

/* CPS{IE|ID} <iflags> {, #mode}, B9.3.2: a NOP in user mode */
bool trans_CPS(struct xlat *x, const struct arg_cps *a)
{
    uint32_t value = 0, bits = 0;
    if (!is_privileged(x))
        return true;
    if (a->imod == 1)
        return false;
    if (a->imod & 2) {
        bits = (a->aif & 4 ? CPSR_A : 0) | (a->aif & 2 ? CPSR_I : 0) | (a->aif & 1 ? CPSR_F : 0);
        value = a->imod == 3 ? bits : 0;
    }
    if (a->m) {
        bits |= CPSR_M;
        value |= (uint32_t)a->mode;
    }
    return !bits || write_cpsr(x, ir_i32(&x->b, value), bits);
}

/* SETEND LE; SETEND BE */
bool trans_SETEND(struct xlat *x, const struct arg_setend *a)
{
    if (!!(arm_xlat(x)->key & KEY_E) == a->e)
        return true;
    return write_cpsr(x, ir_i32(&x->b, a->e ? CPSR_E : 0), CPSR_E);
}

/* ---- exceptions, A8.8.229 (SVC), B9.3.3 (ERET), B9.3.13 (RFE), B9.3.16 (SRS), B9.3.19 -------- */

static bool call_exception(struct xlat *x, const struct ir_helper *helper, int imm)
{
    arm_sync_next(x);
    return call_and_lookup(x, helper, ir_i32(&x->b, (uint32_t)imm), IR_NONE);
}

/* SVC #imm */
bool trans_SVC(struct xlat *x, const struct arg_imm *a)
{
    return call_exception(x, &helper_svc, a->imm);
}

/* HVC #imm */
bool trans_HVC(struct xlat *x, const struct arg_imm *a)
{
    return is_privileged(x) && call_exception(x, &helper_hvc, a->imm);
}

/* SMC #imm */
bool trans_SMC(struct xlat *x, const struct arg_imm *a)
{
    return is_privileged(x) && call_exception(x, &helper_smc, a->imm);
}

/* BKPT #imm */
bool trans_BKPT(struct xlat *x, const struct arg_imm *a)
{
    return call_and_lookup(x, &helper_bkpt, IR_NONE, IR_NONE);
}

/* UDF #imm */
bool trans_UDF(struct xlat *x, const struct arg_empty *a)
{
    return false;
}

/* ERET: outside Hyp mode a return to LR */
bool trans_ERET(struct xlat *x, const struct arg_empty *a)
{
    return is_privileged(x) && call_and_lookup(x, &helper_exception_return, reg(x, 14), IR_NONE);
}

/* SUBS PC, LR, #imm */
bool trans_SUBS_PC_LR(struct xlat *x, const struct arg_imm *a)
{
    struct ir_builder *b = &x->b;
    if (!is_privileged(x))
        return false;
    return call_and_lookup(x, &helper_exception_return,
                           ir_bin_i(b, IR_SUB, reg(x, 14), (uint32_t)a->imm), IR_NONE);
}

/* From the base: increment or decrement, before or after. */
static int32_t pair_offset(int p, int u)
{
    return u ? (p ? 4 : 0) : (p ? -8 : -4);
}

/* SRS{IA,IB,DA,DB} SP{!}, #mode */
bool trans_SRS(struct xlat *x, const struct arg_srs *a)
{
    struct ir_builder *b = &x->b;
    if (!is_privileged(x))
        return false;
    unsigned memop = arm_memop(x, 2, false, true) | IR_MEM_WRITE;
    int32_t offset = pair_offset(a->p, a->u);
    ir_ref mode = ir_i32(b, (uint32_t)a->mode);
    ir_ref sp = ir_call(b, &helper_mode_sp_read, mode, IR_NONE, IR_NONE, IR_NONE);
    ir_ref spsr = ir_call(b, &helper_spsr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_ref lr = reg(x, 14);
    ir_ref pointer = ir_probe(b, sp, offset, 8, memop);
    ir_hstore(b, pointer, 0, lr, memop);
    ir_hstore(b, pointer, 4, spsr, memop);
    ir_commit(b, pointer, sp, offset, 8, memop);
    if (a->w)
        ir_call(b, &helper_mode_sp_write, mode, ir_bin_i(b, IR_ADD, sp, a->u ? 8 : 0u - 8), IR_NONE,
                IR_NONE);
    return true;
}

/* RFE{IA,IB,DA,DB} Rn{!} */
bool trans_RFE(struct xlat *x, const struct arg_rfe *a)
{
    struct ir_builder *b = &x->b;
    if (!is_privileged(x) || a->rn == 15)
        return false;
    unsigned memop = arm_memop(x, 2, false, true);
    ir_ref base = reg(x, a->rn);
    ir_ref pointer = ir_probe(b, base, pair_offset(a->p, a->u), 8, memop);
    ir_ref pc = ir_hload(b, IR_I32, pointer, 0, memop);
    ir_ref cpsr = ir_hload(b, IR_I32, pointer, 4, memop);
    if (a->w)
        arm_set_reg(x, (unsigned)a->rn, ir_bin_i(b, IR_ADD, base, a->u ? 8 : 0u - 8));
    return call_and_lookup(x, &helper_rfe, pc, cpsr);
}

/* ---- hints and barriers, A8.8.119, A8.8.43, A8.8.53 ------------------------------------------ */

/* NOP; hints nobody has given a meaning */
bool trans_NOP(struct xlat *x, const struct arg_empty *a)
{
    return true;
}

/* YIELD: there is nobody to yield to on this host thread */
bool trans_YIELD(struct xlat *x, const struct arg_empty *a)
{
    return true;
}

static bool wait_for(struct xlat *x, const struct ir_helper *helper)
{
    arm_sync_next(x);
    ir_call(&x->b, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_stop(&x->b, EXIT_HALT);
    return true;
}

bool trans_WFE(struct xlat *x, const struct arg_empty *a)
{
    return wait_for(x, &helper_wfe);
}

bool trans_WFI(struct xlat *x, const struct arg_empty *a)
{
    return wait_for(x, &helper_wfi);
}

bool trans_SEV(struct xlat *x, const struct arg_empty *a)
{
    ir_call(&x->b, &helper_sev, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* DMB, DSB */
bool trans_DMB(struct xlat *x, const struct arg_empty *a)
{
    ir_emit(&x->b, IR_FENCE, IR_VOID, 0, 0, IR_NONE, IR_NONE, IR_NONE, 0);
    return true;
}

bool trans_DSB(struct xlat *x, const struct arg_empty *a)
{
    return trans_DMB(x, a);
}

/* ISB: what follows is fetched anew, so that code stored before it is seen (A3.8.3) */
bool trans_ISB(struct xlat *x, const struct arg_empty *a)
{
    ir_exit_jump(&x->b, next_pc(x), arm_next_key(x), false);
    return true;
}

/* ---- coprocessors 14 and 15, A8.8.98, A8.8.107 ----------------------------------------------- */

static bool has_coprocessor(int cp)
{
    return cp == 14 || cp == 15;
}

static bool coprocessor_register(struct xlat *x, const struct arg_mcr *a, bool read)
{
    if (!has_coprocessor(a->cp) || (!read && a->rt == 15))
        return false;
    return arm_translate_coproc_reg(x, read, (unsigned)a->cp, (unsigned)a->opc1, (unsigned)a->crn,
                                    (unsigned)a->crm, (unsigned)a->opc2, (unsigned)a->rt);
}

/* MCR coproc, opc1, Rt, CRn, CRm, opc2 */
bool trans_MCR(struct xlat *x, const struct arg_mcr *a)
{
    return coprocessor_register(x, a, false);
}

/* MRC coproc, opc1, Rt, CRn, CRm, opc2; Rt = 15 loads the flags */
bool trans_MRC(struct xlat *x, const struct arg_mcr *a)
{
    return coprocessor_register(x, a, true);
}

static bool coprocessor_pair(struct xlat *x, const struct arg_mcrr *a, bool read)
{
    if (!has_coprocessor(a->cp) || a->rt == 15 || a->rt2 == 15 || (read && a->rt == a->rt2))
        return false;
    return arm_translate_coproc_reg64(x, read, (unsigned)a->cp, (unsigned)a->opc1, (unsigned)a->crm,
                                      (unsigned)a->rt, (unsigned)a->rt2);
}

/* MCRR coproc, opc1, Rt, Rt2, CRm */
bool trans_MCRR(struct xlat *x, const struct arg_mcrr *a)
{
    return coprocessor_pair(x, a, false);
}

/* MRRC coproc, opc1, Rt, Rt2, CRm */
bool trans_MRRC(struct xlat *x, const struct arg_mcrr *a)
{
    return coprocessor_pair(x, a, true);
}
