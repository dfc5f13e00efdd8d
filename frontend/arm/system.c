/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System instructions: translation of coprocessor 14/15 accesses, and the helpers that translated
 * code calls for everything about modes, banked registers and exceptions. ARM ARM chapter B9.
 */
#include "frontend/arm/coproc.h"
#include "frontend/arm/translate.h"
#include "util/log.h"

/* What the helpers look at or change. arm_update_mode reads FPSCR's control bits. */
#define MODE_READS (GROUP_SYSTEM | GROUP_PC | GROUP_FPSCR)
#define MODE_WRITES (GROUP_SYSTEM | GROUP_PC)
#define ALL_GPRS_AND_FLAGS (GROUP_GPRS | GROUP_NZCV | GROUP_Q_GE)

/* ---- coprocessor access at run time ---------------------------------------------------------- */

static void check_allowed(struct arm_cpu *cpu, const struct arm_reg *reg, bool read)
{
    if (reg->allow && (cpu->cpsr & CPSR_M) == MODE_USR && !reg->allow(cpu, reg, read))
        arm_raise_undefined(cpu);
}

static uint64_t coproc_read(void *opaque, uint32_t index)
{
    return arm_reg_read(arm_cpu(opaque), arm_reg_row(index));
}

static uint64_t coproc_read_checked(void *opaque, uint32_t index)
{
    check_allowed(arm_cpu(opaque), arm_reg_row(index), true);
    return coproc_read(opaque, index);
}

static void coproc_write(void *opaque, uint32_t index, uint64_t value)
{
    arm_reg_write(arm_cpu(opaque), arm_reg_row(index), value);
}

static void coproc_write_checked(void *opaque, uint32_t index, uint64_t value)
{
    check_allowed(arm_cpu(opaque), arm_reg_row(index), false);
    coproc_write(opaque, index, value);
}

/* [may fault]; a register that faults does not change the mode. */
static const struct ir_helper helper_coproc_read[2] = {
    IR_HELPER(coproc_read, IR_I64, 1, 0, GROUP_SYSTEM, 0),
    IR_HELPER(coproc_read_checked, IR_I64, 1, HELPER_MAY_FAULT, GROUP_SYSTEM, 0),
};
static const struct ir_helper helper_coproc_write[2] = {
    IR_HELPER(coproc_write, IR_VOID, 2, 0, MODE_READS, MODE_WRITES),
    IR_HELPER(coproc_write_checked, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_SYSTEM, 0),
};

/* ---- coprocessor access: translation --------------------------------------------------------- */

/* The key of the instruction after this one: ITSTATE advanced (ARM ARM A2.5.2). */
static uint32_t next_key(struct xlat *x)
{
    uint32_t key = arm_xlat(x)->key;
    uint32_t it = (key & KEY_IT_MASK) >> KEY_IT_SHIFT;

    it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
    return (key & ~(uint32_t)KEY_IT_MASK) | it << KEY_IT_SHIFT;
}

static bool row_checked(struct xlat *x, const struct arm_reg *reg)
{
    return reg->allow && !(arm_xlat(x)->key & KEY_PRIVILEGED);
}

static ir_ref emit_read(struct xlat *x, int index, const struct arm_reg *reg)
{
    struct ir_builder *b = &x->b;

    return ir_call(b, &helper_coproc_read[row_checked(x, reg)], ir_i32(b, (uint32_t)index), IR_NONE,
                   IR_NONE, IR_NONE);
}

static void emit_write(struct xlat *x, int index, const struct arm_reg *reg, ir_ref value)
{
    struct ir_builder *b = &x->b;
    bool mode = (reg->flags & REG_MODE) != 0;
    bool fault = row_checked(x, reg) || (reg->flags & REG_FAULT);

    if (mode) { /* all of these are privileged without `allow`, so they do not fault */
        ir_set(b, F_PC, ir_i64(b, arm_xlat(x)->insn_pc + 4));
        ir_set(b, F_KEY, ir_i32(b, next_key(x)));
    }
    ir_call(b, &helper_coproc_write[fault && !mode], ir_i32(b, (uint32_t)index), value, IR_NONE,
            IR_NONE);
    if (mode) {
        ir_exit_lookup(b);
    }
}

/* The row an instruction of this privilege may use; -1 after saying why not. */
static int find_row(struct xlat *x, bool read, bool wide, unsigned cp, unsigned opc1, unsigned crn,
                    unsigned crm, unsigned opc2)
{
    bool privileged = (arm_xlat(x)->key & KEY_PRIVILEGED) != 0;
    int index = -1;
    unsigned need;

    if (cp == 14 || cp == 15)
        index = arm_reg_find(arm_cpu(x->cpu)->model, wide, cp, opc1, crn, crm, opc2);
    if (index < 0) {
        if (wide)
            log_printf(LOG_UNIMP, "arm: %s p%u, %u, c%u at %08x is undefined\n",
                       read ? "mrrc" : "mcrr", cp, opc1, crm, (uint32_t)arm_xlat(x)->insn_pc);
        else
            log_printf(LOG_UNIMP, "arm: %s p%u, %u, c%u, c%u, %u at %08x is undefined\n",
                       read ? "mrc" : "mcr", cp, opc1, crn, crm, opc2,
                       (uint32_t)arm_xlat(x)->insn_pc);
        return -1;
    }
    need = privileged ? (read ? R1 : W1) : (read ? R0 : W0);
    if (!(arm_reg_row((unsigned)index)->access & need)) {
        log_printf(LOG_GUEST_ERROR, "arm: %s access to %s at %08x refused\n",
                   read ? "read" : "write", arm_reg_row((unsigned)index)->name,
                   (uint32_t)arm_xlat(x)->insn_pc);
        return -1;
    }
    return index;
}

/* MRC to r15 sets the flags from bits 31:28. */
static void set_flags_from(struct xlat *x, ir_ref value)
{
    struct ir_builder *b = &x->b;

    ir_set(b, F_NF, ir_extract(b, value, 31, 1));
    ir_set(b, F_ZF, ir_extract(b, value, 30, 1));
    ir_set(b, F_CF, ir_extract(b, value, 29, 1));
    ir_set(b, F_VF, ir_extract(b, value, 28, 1));
}

static bool translate_read(struct xlat *x, int index, unsigned rt)
{
    const struct arm_reg *reg = arm_reg_row((unsigned)index);
    struct ir_builder *b = &x->b;
    const struct arm_cpu *cpu = arm_cpu(x->cpu);
    ir_ref value;

    if (reg->kind == REG_FIELD)
        value = ir_get(b, reg->value);
    else if (reg->kind == REG_CONST && !row_checked(x, reg))
        value = ir_i32(b, reg->value);
    else if (reg->kind == REG_MODEL && !row_checked(x, reg))
        value = ir_i32(b, load_le32((const char *)cpu->model + reg->value));
    else
        value = ir_un(b, IR_NARROW, emit_read(x, index, reg));
    if (rt == 15)
        set_flags_from(x, value);
    else
        arm_set_reg(x, rt, value);
    return true;
}

bool arm_translate_coproc_reg(struct xlat *x, bool read, unsigned cp, unsigned opc1, unsigned crn,
                              unsigned crm, unsigned opc2, unsigned rt)
{
    struct ir_builder *b = &x->b;
    int index = find_row(x, read, false, cp, opc1, crn, crm, opc2);
    const struct arm_reg *reg;
    ir_ref value;

    if (index < 0)
        return false;
    if (read)
        return translate_read(x, index, rt);
    if (rt == 15) /* UNPREDICTABLE */
        return false;
    reg = arm_reg_row((unsigned)index);
    if ((reg->kind == REG_CONST || reg->kind == REG_MODEL) && !row_checked(x, reg))
        return true; /* write ignored: maintenance that has nothing to do, barriers */
    value = arm_get_reg(x, rt);
    if (reg->kind == REG_FIELD)
        ir_set(b, reg->value, value);
    else
        emit_write(x, index, reg, ir_un(b, IR_WIDEN_U, value));
    return true;
}

bool arm_translate_coproc_reg64(struct xlat *x, bool read, unsigned cp, unsigned opc1, unsigned crm,
                                unsigned rt, unsigned rt2)
{
    struct ir_builder *b = &x->b;
    int index = find_row(x, read, true, cp, opc1, 0, crm, 0);
    const struct arm_reg *reg;
    ir_ref value;

    if (index < 0)
        return false;
    if (rt == 15 || rt2 == 15 || (read && rt == rt2)) /* UNPREDICTABLE */
        return false;
    reg = arm_reg_row((unsigned)index);
    if (read) {
        value = reg->kind == REG_CONST && !row_checked(x, reg) ? ir_i64(b, reg->value)
                                                               : emit_read(x, index, reg);
        arm_set_reg(x, rt, ir_un(b, IR_NARROW, value));
        arm_set_reg(x, rt2, ir_un(b, IR_HIGH, value));
        return true;
    }
    if (reg->kind == REG_CONST)
        return true;
    value = ir_bin(b, IR_CONCAT, arm_get_reg(x, rt), arm_get_reg(x, rt2));
    emit_write(x, index, reg, value);
    return true;
}

/* ---- CPSR, SPSR ------------------------------------------------------------------------------ */

static bool user_mode(const struct arm_cpu *cpu)
{
    return (cpu->cpsr & CPSR_M) == MODE_USR;
}

static bool has_spsr(const struct arm_cpu *cpu)
{
    return arm_bank(cpu->cpsr & CPSR_M) != BANK_USR;
}

/* MRS: the execution state bits J, IT, T read as zero (B9.3.9). */
static uint32_t cpsr_read(void *opaque)
{
    return arm_cpsr_read(arm_cpu(opaque)) & ~(uint32_t)(CPSR_J | CPSR_IT | CPSR_T);
}
const struct ir_helper helper_cpsr_read =
    IR_HELPER(cpsr_read, IR_I32, 0, 0, GROUP_SYSTEM | GROUP_NZCV | GROUP_Q_GE | GROUP_PC, 0);

/* CPSRWriteByInstr (B1.3.3), not for an exception return. */
static void cpsr_write(void *opaque, uint32_t value, uint32_t mask)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    mask &= CPSR_NZCV | CPSR_Q | CPSR_GE | CPSR_E | CPSR_A | CPSR_I | CPSR_F | CPSR_M;
    if (user_mode(cpu))
        mask &= CPSR_NZCV | CPSR_Q | CPSR_GE | CPSR_E;
    else if ((cpu->cp15.sctlr & SCTLR_NMFI) && (value & CPSR_F))
        mask &= ~(uint32_t)CPSR_F;
    arm_cpsr_write(cpu, value, mask);
}
const struct ir_helper helper_cpsr_write = IR_HELPER(
    cpsr_write, IR_VOID, 2, 0, MODE_READS | ALL_GPRS_AND_FLAGS, MODE_WRITES | ALL_GPRS_AND_FLAGS);

static uint32_t spsr_read(void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    return has_spsr(cpu) ? cpu->spsr : 0; /* UNPREDICTABLE in User and System mode */
}
const struct ir_helper helper_spsr_read = IR_HELPER(spsr_read, IR_I32, 0, 0, GROUP_SYSTEM, 0);

static void spsr_write(void *opaque, uint32_t value, uint32_t mask)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (has_spsr(cpu))
        cpu->spsr = (cpu->spsr & ~mask) | (value & mask);
}
const struct ir_helper helper_spsr_write =
    IR_HELPER(spsr_write, IR_VOID, 2, 0, GROUP_SYSTEM, GROUP_SYSTEM);

/* ---- exception return ------------------------------------------------------------------------ */

static void return_to(struct arm_cpu *cpu, uint32_t pc, uint32_t cpsr)
{
    if ((cpu->cp15.sctlr & SCTLR_NMFI) && !(cpu->cpsr & CPSR_F))
        cpsr &= ~(uint32_t)CPSR_F;
    arm_cpsr_write(cpu, cpsr, ~UINT32_C(0));
    cpu->v.run.pc = cpu->v.run.key & KEY_T ? pc & ~1u : pc & ~3u;
}

static void exception_return(void *opaque, uint32_t pc)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (!has_spsr(cpu)) { /* UNPREDICTABLE: a branch, and no way to gain privilege */
        log_printf(LOG_GUEST_ERROR, "arm: exception return in mode %s\n",
                   arm_mode_name(cpu->cpsr & CPSR_M));
        cpu->v.run.pc = cpu->v.run.key & KEY_T ? pc & ~1u : pc & ~3u;
        return;
    }
    return_to(cpu, pc, cpu->spsr);
}
const struct ir_helper helper_exception_return =
    IR_HELPER(exception_return, IR_VOID, 1, 0, MODE_READS | ALL_GPRS_AND_FLAGS,
              MODE_WRITES | ALL_GPRS_AND_FLAGS);

static void rfe(void *opaque, uint32_t pc, uint32_t cpsr)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (user_mode(cpu)) { /* UNPREDICTABLE; the translator makes it UNDEFINED */
        cpu->v.run.pc = cpu->v.run.key & KEY_T ? pc & ~1u : pc & ~3u;
        return;
    }
    return_to(cpu, pc, cpsr);
}
const struct ir_helper helper_rfe = IR_HELPER(rfe, IR_VOID, 2, 0, MODE_READS | ALL_GPRS_AND_FLAGS,
                                              MODE_WRITES | ALL_GPRS_AND_FLAGS);

/* ---- banked registers ------------------------------------------------------------------------ */

/* Where register n of a mode's view is now. n: 8..14. */
static uint32_t *register_of(struct arm_cpu *cpu, unsigned mode, unsigned n)
{
    enum arm_bank_index bank = arm_bank(mode), live = arm_bank(cpu->cpsr & CPSR_M);

    if (n >= 13) {
        if (bank == live)
            return &cpu->r[n];
        return n == 13 ? &cpu->bank_r13[bank] : &cpu->bank_r14[bank];
    }
    if (n < 8 || (bank == BANK_FIQ) == (live == BANK_FIQ))
        return &cpu->r[n];
    return bank == BANK_FIQ ? &cpu->fiq_r8[n - 8] : &cpu->usr_r8[n - 8];
}

static uint32_t user_reg_read(void *opaque, uint32_t n)
{
    return *register_of(arm_cpu(opaque), MODE_USR, n < 15 ? n : 14);
}
const struct ir_helper helper_user_reg_read =
    IR_HELPER(user_reg_read, IR_I32, 1, 0, GROUP_SYSTEM | GROUP_GPRS, 0);

static void user_reg_write(void *opaque, uint32_t n, uint32_t value)
{
    *register_of(arm_cpu(opaque), MODE_USR, n < 15 ? n : 14) = value;
}
const struct ir_helper helper_user_reg_write =
    IR_HELPER(user_reg_write, IR_VOID, 2, 0, GROUP_SYSTEM | GROUP_GPRS, GROUP_GPRS);

static uint32_t mode_sp_read(void *opaque, uint32_t mode)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (!arm_mode_valid(mode))
        arm_raise_undefined(cpu);
    return *register_of(cpu, mode, 13);
}
const struct ir_helper helper_mode_sp_read =
    IR_HELPER(mode_sp_read, IR_I32, 1, HELPER_MAY_FAULT, GROUP_SYSTEM | GROUP_GPRS, 0);

static void mode_sp_write(void *opaque, uint32_t mode, uint32_t value)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (arm_mode_valid(mode))
        *register_of(cpu, mode, 13) = value;
}
const struct ir_helper helper_mode_sp_write =
    IR_HELPER(mode_sp_write, IR_VOID, 2, 0, GROUP_SYSTEM | GROUP_GPRS, GROUP_GPRS);

/* MRS, MSR (banked register): B9.2.3, table B9-4. NULL: no such register, or UNPREDICTABLE. */
static uint32_t *banked_register(struct arm_cpu *cpu, uint32_t which)
{
    static const uint8_t modes[] = {MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND};
    unsigned sysm = which & 0x1f;
    unsigned mode;

    if (which & 1 << 5) {
        if (sysm == 0xe)
            mode = MODE_FIQ;
        else if ((sysm & 0x19) == 0x10)
            mode = modes[sysm >> 1 & 3];
        else
            return NULL;
        return arm_bank(mode) == arm_bank(cpu->cpsr & CPSR_M) ? &cpu->spsr
                                                              : &cpu->bank_spsr[arm_bank(mode)];
    }
    if (sysm < 0x10) {
        if ((sysm & 7) == 7)
            return NULL;
        return register_of(cpu, sysm & 8 ? MODE_FIQ : MODE_USR, 8 + (sysm & 7));
    }
    if (sysm >= 0x18)
        return NULL; /* Monitor, Hyp */
    return register_of(cpu, modes[sysm >> 1 & 3], sysm & 1 ? 13 : 14);
}

static uint32_t banked_read(void *opaque, uint32_t which)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    const uint32_t *place = user_mode(cpu) ? NULL : banked_register(cpu, which);

    if (!place)
        arm_raise_undefined(cpu);
    return *place;
}
const struct ir_helper helper_banked_read =
    IR_HELPER(banked_read, IR_I32, 1, HELPER_MAY_FAULT, GROUP_SYSTEM | GROUP_GPRS, 0);

static void banked_write(void *opaque, uint32_t which, uint32_t value)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    uint32_t *place = user_mode(cpu) ? NULL : banked_register(cpu, which);

    if (!place)
        arm_raise_undefined(cpu);
    *place = value;
}
const struct ir_helper helper_banked_write =
    IR_HELPER(banked_write, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_SYSTEM | GROUP_GPRS,
              GROUP_SYSTEM | GROUP_GPRS);

/* ---- calls and traps ------------------------------------------------------------------------- */

static void svc(void *opaque, uint32_t immediate)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    struct exception e = {.kind = ARM_EXC_SVC, .syndrome = immediate};

    arm_raise(&cpu->v, &e);
}
const struct ir_helper helper_svc = IR_HELPER(svc, IR_VOID, 1, 0, GROUP_ALL, GROUP_ALL);

/* The board's firmware answers, or the instruction is UNDEFINED: there is neither Hyp nor Monitor
 * mode. pc is that of the next instruction here. */
static void call_firmware(struct arm_cpu *cpu, unsigned kind)
{
    struct exception e = {.kind = ARM_EXC_UNDEF};
    const struct vcpu_board *board = &cpu->v.board;

    if (!user_mode(cpu) && board->firmware_call &&
        board->firmware_call(board->opaque, &cpu->v, kind))
        return;
    cpu->v.run.pc -= 4;
    arm_raise(&cpu->v, &e);
}

static void hvc(void *opaque, uint32_t immediate)
{
    call_firmware(arm_cpu(opaque), ARM_EXC_HVC);
}
const struct ir_helper helper_hvc = IR_HELPER(hvc, IR_VOID, 1, 0, GROUP_ALL, GROUP_ALL);

static void smc(void *opaque, uint32_t immediate)
{
    call_firmware(arm_cpu(opaque), ARM_EXC_SMC);
}
const struct ir_helper helper_smc = IR_HELPER(smc, IR_VOID, 1, 0, GROUP_ALL, GROUP_ALL);

static void bkpt(void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    struct exception e = {.kind = ARM_EXC_BKPT};

    vcpu_raise(&cpu->v, &e);
}
const struct ir_helper helper_bkpt =
    IR_HELPER(bkpt, IR_VOID, 0, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL);

static void undefined(void *opaque)
{
    arm_raise_undefined(arm_cpu(opaque));
}
const struct ir_helper helper_undefined =
    IR_HELPER(undefined, IR_VOID, 0, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL);

/* ---- waiting --------------------------------------------------------------------------------- */

static void wfi(void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    cpu->sys.waiting_event = false;
    cpu->v.halted = atomic_load(&cpu->irq_lines) == 0;
}
const struct ir_helper helper_wfi = IR_HELPER(wfi, IR_VOID, 0, 0, 0, 0);

/* With the timer's event stream on, an event comes soon: that is as good as now. */
static void wfe(void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    if (atomic_exchange(&cpu->event, 0) || (cpu->cp15.cntkctl & 1 << 2))
        return;
    cpu->sys.waiting_event = true;
    cpu->v.halted = true;
}
const struct ir_helper helper_wfe = IR_HELPER(wfe, IR_VOID, 0, 0, 0, 0);

static void sev(void *opaque)
{
    atomic_store(&arm_cpu(opaque)->event, 1);
}
const struct ir_helper helper_sev = IR_HELPER(sev, IR_VOID, 0, 0, 0, 0);
