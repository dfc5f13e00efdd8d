/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bare ARM machine of the instruction tests; see arm_engine.h. */
#include "tests/insn/arm_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/arm/system.h"

/* The vectors have no memory behind them; a breakpoint on each tells that an exception was taken.
 */
enum { VECTOR_UNDEFINED = 0x04, VECTOR_SVC = 0x08, VECTOR_PREFETCH = 0x0c, VECTOR_DATA = 0x10 };
enum { DONE_ADDRESS = CODE_BASE + 0xffc, CODE_KEY_FPEXC_EN = 1 << 30 };

/* The MMU is on with a flat map of Normal memory, as under qemu-arm: with it off, all memory is
 * Strongly-ordered and unaligned accesses fault. */
enum { TABLE_BASE = 0x7f000000, TABLE_BYTES = 4096 * 4, SECTION = 0xc0e | 1 << 12 };

static NORETURN void die(const struct error *err)
{
    fprintf(stderr, "cannot build the test machine: %s\n", err->message);
    exit(1);
}

const struct insn_desc *const *arm_insn_tables(void)
{
    return guest_find("arm")->insn_tables;
}

void arm_engine_init(struct arm_engine *e, const char *model, const struct exec_options *options)
{
    static const uint32_t stops[] = {VECTOR_UNDEFINED, VECTOR_SVC, VECTOR_PREFETCH, VECTOR_DATA,
                                     DONE_ADDRESS};
    struct error err;
    uint32_t *table;

    memset(e, 0, sizeof(*e));
    memory_lock_init(&e->lock);
    e->clock = clock_create_manual();
    e->memory = memory_create(&e->lock, &err);
    if (!e->memory)
        die(&err);
    e->code = (uint32_t *)memory_add_ram(e->memory, "code", CODE_BASE, CODE_BYTES, &err);
    e->data = (uint32_t *)memory_add_ram(e->memory, "data", DATA_BASE, DATA_BYTES, &err);
    table = (uint32_t *)memory_add_ram(e->memory, "table", TABLE_BASE, TABLE_BYTES, &err);
    if (!e->code || !e->data || !table)
        die(&err);
    for (uint32_t i = 0; i < TABLE_BYTES / 4; i++)
        table[i] = i << 20 | SECTION;
    e->exec = exec_create(guest_find("arm"), e->memory, options, &err);
    if (!e->exec)
        die(&err);
    e->cpu = vcpu_create(e->exec, model, e->clock, &e->lock, 0, &err);
    if (!e->cpu)
        die(&err);
    for (size_t i = 0; i < ARRAY_SIZE(stops); i++)
        vcpu_add_breakpoint(e->cpu, stops[i]);
}

void arm_engine_finish(struct arm_engine *e)
{
    vcpu_destroy(e->cpu);
    exec_destroy(e->exec);
    memory_destroy(e->memory);
    clock_destroy(e->clock);
    pthread_mutex_destroy(&e->lock);
}

static void enter_mode(struct arm_engine *e, unsigned mode, bool thumb, uint32_t pc)
{
    struct arm_cpu *cpu = arm_cpu(e->cpu);

    vcpu_reset(e->cpu);
    cpu->cp15.cpacr = 0x00f00000;
    cpu->cp15.ttbr0 = TABLE_BASE;
    arm_mmu_set_dacr(cpu, 1);
    /* low vectors, MMU on, SWP exists */
    cpu->cp15.sctlr = (cpu->cp15.sctlr & ~(uint32_t)SCTLR_V) | SCTLR_M | SCTLR_SW;
    cpu->fpexc = CODE_KEY_FPEXC_EN;
    arm_cpsr_write(cpu, mode | CPSR_I | CPSR_F | (thumb ? CPSR_T : 0),
                   CPSR_M | CPSR_I | CPSR_F | CPSR_A | CPSR_T);
    arm_update_mode(cpu);
    cpu->v.run.pc = pc;
    cpu->v.halted = false;
}

/* r0 to r14 as User mode sees them, whatever mode the exception has led to. */
static void read_user_registers(const struct arm_cpu *cpu, uint32_t r[15])
{
    memcpy(r, cpu->r, 13 * sizeof(uint32_t));
    r[13] = cpu->bank_r13[BANK_USR];
    r[14] = cpu->bank_r14[BANK_USR];
}

void arm_engine_run_page(struct arm_engine *e, const struct arm_case *c, struct arm_result *out)
{
    struct arm_cpu *cpu = arm_cpu(e->cpu);

    memory_write(e->memory, CODE_BASE, c->page, CODE_BYTES);
    e->code[END_OFFSET / 4] = DONE_ADDRESS;
    arm_data_fill(e->data, c->data_seed);
    enter_mode(e, MODE_USR, false, CODE_BASE);
    memset(out, 0, sizeof(*out));
    vcpu_run_here(e->cpu, 200);
    switch (cpu->v.run.pc) {
    case DONE_ADDRESS:
        out->outcome = OUTCOME_DONE;
        memcpy(&out->out, (char *)e->code + OUT_OFFSET, sizeof(out->out));
        break;
    case VECTOR_UNDEFINED:
        out->outcome = OUTCOME_UNDEFINED;
        break;
    case VECTOR_DATA:
        out->outcome = OUTCOME_DATA_FAULT;
        break;
    case VECTOR_PREFETCH:
        out->outcome = OUTCOME_LEFT;
        out->pc = cpu->r[14] - 4;
        break;
    default:
        out->outcome = OUTCOME_OTHER;
        out->pc = (uint32_t)cpu->v.run.pc;
    }
    if (out->outcome != OUTCOME_DONE)
        read_user_registers(cpu, out->out.r);
    out->data_hash = arm_data_hash(e->data);
}

void arm_engine_step(struct arm_engine *e, const struct arm_registers *before, unsigned mode,
                     bool thumb, uint32_t insn, unsigned length, uint32_t data_seed)
{
    /* FPSCR.RMode (nearest, up, down, zero) as MXCSR.RC */
    static const uint32_t rounding_control[] = {0, 2 << 13, 1 << 13, 3 << 13};
    struct arm_cpu *cpu = arm_cpu(e->cpu);
    uint32_t word = thumb && length == 4 ? insn << 16 | insn >> 16 : insn;

    memory_write(e->memory, CODE_BASE, &word, length);
    arm_data_fill(e->data, data_seed);
    enter_mode(e, mode, thumb, CODE_BASE);
    memcpy(cpu->r, before->r, sizeof(before->r));
    memcpy(cpu->d, before->d, sizeof(before->d));
    cpu->fpscr_control = before->fpscr & 0x07c00000;
    cpu->fpscr_nzcv = before->fpscr & 0xf0000000;
    cpu->fpscr_sticky = before->fpscr & 0x0800009f;
    cpu->fpscr_qc[0] = cpu->fpscr_qc[1] = 0;
    cpu->v.run.mxcsr = 0x1f80 | rounding_control[before->fpscr >> 22 & 3] |
                       (before->fpscr & 0x10 ? 0x20 : 0); /* as the VMSR does: inexact */
    arm_cpsr_write(cpu, before->apsr, CPSR_NZCV | CPSR_Q | CPSR_GE);
    arm_update_mode(cpu);
    cpu->v.run.pc = CODE_BASE;
    vcpu_step(e->cpu, 1);
}
