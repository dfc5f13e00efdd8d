/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FPU's control registers: ISA volume I, "Floating Point Control Registers". */
#include "frontend/mips/fpu.h"
#include "util/host_fp.h"

enum control_register { REG_FIR = 0, REG_UFR, REG_UNFR = 4, REG_FRE, REG_NFRE };
enum { REG_FCCR = 25, REG_FEXR, REG_FENR = 28, REG_FCSR = 31 };
enum { FENR_FLUSH = 4, EXCEPTIONS_RESERVED = 0x007c0000 };
enum { FIR_UFRP = 1 << 28, FIR_FREP = 1 << 29, STATUS_FR = 1 << 26 };
enum { CONFIG5_UFR = 1 << 2, CONFIG5_FRE = 1 << 8, CONFIG5_UFE = 1 << 9 };

/* ---- the host's control word ----------------------------------------------------------------- */

/* Generated code has the guest's function decide wherever the host finds an operation invalid, and
 * legacy quiet NaNs are signalling ones to the host: its flag is not looked at. */
static uint32_t flags_of_mxcsr(uint32_t mxcsr)
{
    return mips_fp_exceptions(host_fp_exceptions(mxcsr) & ~(uint32_t)FP_INVALID)
           << FCSR_FLAGS_SHIFT;
}

/* Known to be set already, "inexact" costs generated code less. */
static uint32_t mxcsr_of(uint32_t fcsr, uint32_t flags)
{
    return host_fp_control(mips_fp_rounding(fcsr)) |
           (flags & FPU_INEXACT << FCSR_FLAGS_SHIFT ? HOST_FP_INEXACT : 0);
}

void mips_fp_control_update(struct mips_cpu *cpu)
{
    cpu->v.run.mxcsr = mxcsr_of(cpu->fcsr, cpu->fcsr_flags);
    host_fp_set_live(cpu->v.run.mxcsr);
}

/* ---- FCSR ------------------------------------------------------------------------------------ */

/* Cause, from the notes of the last instruction if there are any. */
static uint32_t cause(struct mips_cpu *cpu)
{
    struct fp_env env = mips_fp_env(cpu->fcsr);

    if (cpu->fp_last_op == OPERATION_NONE)
        return cpu->fcsr_cause;
    mips_fp_compute(&env, cpu->fp_last_op, cpu->fp_last_a, cpu->fp_last_b, cpu->fp_last_c);
    cpu->fcsr_cause = mips_fp_exceptions(env.flags) << FCSR_CAUSE_SHIFT;
    cpu->fp_last_op = OPERATION_NONE;
    return cpu->fcsr_cause;
}

static uint32_t condition_codes(const struct mips_cpu *cpu)
{
    uint32_t codes = 0;

    for (unsigned n = 0; n < 8; n++)
        codes |= (uint32_t)(cpu->fcc[n] & 1) << n;
    return codes;
}

/* Callable from any thread while the vCPU does not run: helpers fold in the live control word. */
uint32_t mips_fcsr_read(struct mips_cpu *cpu)
{
    uint32_t codes = condition_codes(cpu);

    return (cpu->fcsr & FCSR_CONTROL) | cause(cpu) | (cpu->fcsr_flags & FCSR_FLAGS) |
           flags_of_mxcsr(cpu->v.run.mxcsr) | (codes & 1) << 23 | (codes & 0xfe) << 24;
}

void mips_fcsr_write(struct mips_cpu *cpu, uint32_t value)
{
    uint32_t writable = cpu->model->fcsr_writable;

    value = (value & writable) | (cpu->model->fcsr & ~writable);
    cpu->fcsr = value & FCSR_CONTROL;
    cpu->fcsr_flags = value & FCSR_FLAGS;
    cpu->fcsr_cause = value & FCSR_CAUSE;
    cpu->fp_last_op = OPERATION_NONE;
    cpu->fcc[0] = value >> 23 & 1;
    for (unsigned n = 1; n < 8; n++)
        cpu->fcc[n] = value >> (24 + n) & 1;
    cpu->v.run.mxcsr = mxcsr_of(cpu->fcsr, cpu->fcsr_flags);
}

void mips_fpu_reset(struct mips_cpu *cpu)
{
    memset(cpu->fcc, 0, sizeof(cpu->fcc));
    cpu->fcsr = cpu->model->fcsr & FCSR_CONTROL;
    cpu->fcsr_flags = cpu->fcsr_cause = cpu->fp_last_op = 0;
    cpu->v.run.mxcsr = mxcsr_of(cpu->fcsr, 0);
}

/* ---- CFC1, CTC1 ------------------------------------------------------------------------------ */

/* Has the FPU such a register? User mode may use it only where Config5 says so. */
static bool has_mode_access(struct mips_cpu *cpu, uint32_t fir_bit, uint32_t config5_bit)
{
    if (!(cpu->model->fir & fir_bit))
        return false;
    if (!(cpu->cp0.config5 & config5_bit))
        mips_raise_exception(cpu, MIPS_EXC_RI, 0);
    return true;
}

static uint32_t read_control(void *opaque, uint32_t reg)
{
    struct mips_cpu *cpu = opaque;
    uint32_t fcsr;

    cpu->fcsr_flags |= flags_of_mxcsr(host_fp_live());
    fcsr = mips_fcsr_read(cpu);
    switch (reg) {
    case REG_FIR:
        return cpu->model->fir;
    case REG_UFR:
        return has_mode_access(cpu, FIR_UFRP, CONFIG5_UFR) && cpu->cp0.status & STATUS_FR;
    case REG_FRE:
        return has_mode_access(cpu, FIR_FREP, CONFIG5_UFE) && cpu->cp0.config5 & CONFIG5_FRE;
    case REG_FCCR:
        return condition_codes(cpu);
    case REG_FEXR:
        return fcsr & (FCSR_CAUSE | FCSR_FLAGS);
    case REG_FENR:
        return (fcsr & (FCSR_ENABLES | FCSR_ROUNDING)) | (fcsr & FCSR_FLUSH ? FENR_FLUSH : 0);
    default: /* others are UNPREDICTABLE */
        return fcsr;
    }
}

/* FCSR after a write to one of its views. */
static uint32_t fcsr_after(struct mips_cpu *cpu, uint32_t reg, uint32_t value)
{
    uint32_t fcsr = reg == REG_FCSR ? value : mips_fcsr_read(cpu);

    switch (reg) {
    case REG_FCCR:
        if (value & 0xffffff00 || mips_has(cpu, MIPS_HAS_R6))
            return fcsr;
        return (fcsr & 0x017fffff) | (value & 1) << 23 | (value & 0xfe) << 24;
    case REG_FEXR:
        if (value & EXCEPTIONS_RESERVED)
            return fcsr;
        return (fcsr & ~(uint32_t)(FCSR_CAUSE | FCSR_FLAGS)) | (value & (FCSR_CAUSE | FCSR_FLAGS));
    case REG_FENR:
        if (value & EXCEPTIONS_RESERVED)
            return fcsr;
        return (fcsr & ~(uint32_t)(FCSR_ENABLES | FCSR_ROUNDING | FCSR_FLUSH)) |
               (value & (FCSR_ENABLES | FCSR_ROUNDING)) | (value & FENR_FLUSH ? FCSR_FLUSH : 0);
    default:
        return fcsr;
    }
}

/* A Cause bit whose exception is enabled raises it; Unimplemented Operation always does. */
static void write_control(void *opaque, uint32_t reg, uint32_t value)
{
    struct mips_cpu *cpu = opaque;

    if (reg == REG_UFR || reg == REG_UNFR) {
        if (has_mode_access(cpu, FIR_UFRP, CONFIG5_UFR))
            cpu->cp0.status = (cpu->cp0.status & ~(uint32_t)STATUS_FR) |
                              (reg == REG_UNFR ? (uint32_t)STATUS_FR : 0);
    } else if (reg == REG_FRE || reg == REG_NFRE) {
        if (has_mode_access(cpu, FIR_FREP, CONFIG5_UFE))
            cpu->cp0.config5 = (cpu->cp0.config5 & ~(uint32_t)CONFIG5_FRE) |
                               (reg == REG_FRE ? (uint32_t)CONFIG5_FRE : 0);
    } else {
        if (reg != REG_FCSR) /* what has been collected is replaced, and not worth asking for */
            cpu->fcsr_flags |= flags_of_mxcsr(host_fp_live());
        mips_fcsr_write(cpu, fcsr_after(cpu, reg, value));
        host_fp_set_live(cpu->v.run.mxcsr);
    }
    mips_update_coprocessors(cpu);
    if (cpu->fcsr_cause >> FCSR_CAUSE_SHIFT &
        (cpu->fcsr >> FCSR_ENABLES_SHIFT | FPU_UNIMPLEMENTED) & 63)
        mips_raise_exception(cpu, MIPS_EXC_FPE, 0);
}

static const struct ir_helper helper_read_control =
    IR_HELPER(read_control, IR_I32, 1, HELPER_MAY_FAULT, GROUP_FCSR | GROUP_CP0, GROUP_FCSR);
static const struct ir_helper helper_write_control =
    IR_HELPER(write_control, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_FCSR | GROUP_CP0 | GROUP_PC,
              GROUP_FCSR | GROUP_CP0 | GROUP_PC);

/* CFC1 rt, fs */
bool mips_trans_CFC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (!mips_check_fpu(x))
        return true;
    mips_set32(x, a->rt,
               ir_call(&x->b, &helper_read_control, ir_i32(&x->b, (uint32_t)a->fs), IR_NONE,
                       IR_NONE, IR_NONE));
    return true;
}

/* CTC1 rt, fs: the mode registers take $0 only, others are ignored or, since release 6, reserved */
bool mips_trans_CTC1(struct xlat *x, const struct arg_fp_core *a)
{
    bool mode = a->fs == REG_UFR || (a->fs >= REG_UNFR && a->fs <= REG_NFRE);
    bool known =
        mode || (a->fs >= REG_FCCR && a->fs <= REG_FENR && a->fs != 27) || a->fs == REG_FCSR;

    if (!mips_check_fpu(x))
        return true;
    if (!known && mips_x_has(x, MIPS_HAS_R6))
        return mips_raise_here(x, MIPS_EXC_RI, 0);
    if (!known || (mode && a->rt))
        return true;
    ir_call(&x->b, &helper_write_control, ir_i32(&x->b, (uint32_t)a->fs), mips_get32(x, a->rt),
            IR_NONE, IR_NONE);
    mips_end_lookup_next(x);
    return true;
}
