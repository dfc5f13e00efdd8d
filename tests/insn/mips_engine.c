/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bare MIPS machine of the instruction tests; see mips_engine.h. */
#include "tests/insn/mips_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct mips_kind mips_kinds[] = {
    {"mipsel_74Kf", "mipsel", "74Kf", "qemu-mipsel", .dsp = true, .hilo = true, .mips16 = true},
    {"mips_74Kf", "mips", "74Kf", "qemu-mips", .dsp = true, .hilo = true, .mips16 = true},
    {"mipsel_P5600", "mipsel", "P5600", "qemu-mipsel", .fr = true, .msa = true, .hilo = true},
    {"mips_P5600", "mips", "P5600", "qemu-mips", .fr = true, .msa = true, .hilo = true},
    {"mips64el_R2", "mips64el", "MIPS64R2-generic", "qemu-mips64el", .fr = true, .hilo = true},
    {"mips64_R2", "mips64", "MIPS64R2-generic", "qemu-mips64", .fr = true, .hilo = true},
    {"mips64el_R6", "mips64el", "I6400", "qemu-mips64el", .fr = true, .msa = true},
    /* Its 64-bit instructions, which no model has. */
    {"mips64el_16", "mips64el", "MIPS64R2-generic", NULL, .fr = true, .hilo = true, .mips16 = true},
    {NULL, NULL, NULL, NULL, false, false, false, false, false},
};

enum {
    CODE_PHYSICAL = 0x00100000,
    DATA_PHYSICAL = 0x00200000,
    CODE_END = MIPS_CODE + 4 * MIPS_MAX_INSNS,
    VECTOR_REFILL = 0x000,
    VECTOR_XTLB = 0x080,
    VECTOR_GENERAL = 0x180,
    RUN_LIMIT = 200,
};

enum {
    STATUS_UX = 1 << 5,
    STATUS_KX = 1 << 7,
    STATUS_USER = 2 << 3,
    STATUS_PX = 1 << 23,
    STATUS_MX = 1 << 24,
    STATUS_FR = 1 << 26,
    STATUS_CU1 = 1 << 29,
    STATUS_CU0 = 1 << 28,
    CONFIG5_MSAEN = 1 << 27,
};

static NORETURN void die(const struct error *err)
{
    fprintf(stderr, "cannot build the test machine: %s\n", err->message);
    exit(1);
}

static uint64_t vector(const struct mips_engine *e, uint32_t offset)
{
    return mips_address(mips_cpu(e->cpu), 0x80000000 + offset);
}

void mips_engine_init(struct mips_engine *e, const struct mips_kind *kind,
                      const struct exec_options *options)
{
    struct error err;

    memset(e, 0, sizeof(*e));
    e->kind = kind;
    e->guest = guest_find(kind->guest);
    memory_lock_init(&e->lock);
    e->clock = clock_create_manual();
    e->memory = memory_create(&e->lock, &err);
    if (!e->memory)
        die(&err);
    memory_set_big_endian(e->memory, e->guest->big_endian);
    e->code = (uint32_t *)memory_add_ram(e->memory, "code", CODE_PHYSICAL, MIPS_CODE_BYTES, &err);
    e->data = (uint32_t *)memory_add_ram(e->memory, "data", DATA_PHYSICAL, MIPS_DATA_BYTES, &err);
    if (!e->code || !e->data)
        die(&err);
    e->exec = exec_create(e->guest, e->memory, options, &err);
    if (!e->exec)
        die(&err);
    e->cpu = vcpu_create(e->exec, kind->model, e->clock, &e->lock, 0, &err);
    if (!e->cpu)
        die(&err);
    if (!kind->peer) {
        e->model = *mips_cpu(e->cpu)->model;
        e->model.features |= MIPS_HAS_MIPS16;
        mips_cpu(e->cpu)->model = &e->model;
    }
    vcpu_reset(e->cpu);
    vcpu_add_breakpoint(e->cpu, CODE_END);
    vcpu_add_breakpoint(e->cpu, vector(e, VECTOR_REFILL));
    vcpu_add_breakpoint(e->cpu, vector(e, VECTOR_XTLB));
    vcpu_add_breakpoint(e->cpu, vector(e, VECTOR_GENERAL));
}

void mips_engine_finish(struct mips_engine *e)
{
    vcpu_destroy(e->cpu);
    exec_destroy(e->exec);
    memory_destroy(e->memory);
    clock_destroy(e->clock);
    pthread_mutex_destroy(&e->lock);
}

/* ---- one case -------------------------------------------------------------------------------- */

static void map_pair(struct mips_cpu *cpu, unsigned index, uint64_t address, uint64_t physical,
                     bool both)
{
    const struct mips_tlb_entry entry = {
        .vpn = address,
        .mask = 0x1fff,
        .page = {physical, physical + 0x1000},
        .cca = {3, 3},
        .global = true,
        .valid = {true, both},
        .dirty = {true, both},
    };

    mips_tlb_place(cpu, index, &entry);
}

/* What code and data are stored as. */
static uint32_t in_guest_order(const struct mips_engine *e, uint32_t word)
{
    return e->guest->big_endian ? __builtin_bswap32(word) : word;
}

static void enter(struct mips_engine *e, bool kernel)
{
    struct mips_cpu *cpu = mips_cpu(e->cpu);

    vcpu_reset(e->cpu);
    cpu->cp0.status = STATUS_CU1 | (e->kind->fr ? STATUS_FR : 0) | (e->kind->dsp ? STATUS_MX : 0) |
                      (cpu->wide ? STATUS_UX | STATUS_KX | STATUS_PX : 0) |
                      (kernel ? STATUS_CU0 : STATUS_USER);
    if (e->kind->msa)
        cpu->cp0.config5 |= CONFIG5_MSAEN;
    map_pair(cpu, 0, MIPS_CODE, CODE_PHYSICAL, false);
    map_pair(cpu, 1, MIPS_DATA, DATA_PHYSICAL, true);
    map_pair(cpu, 2, MIPS_DATA + 0x2000, DATA_PHYSICAL + 0x2000, true);
    cpu->v.halted = false;
    mips_update_mode(cpu);
}

static void load_registers(struct mips_engine *e, const struct mips_registers *before)
{
    struct mips_cpu *cpu = mips_cpu(e->cpu);

    memcpy(cpu->gpr, before->gpr, sizeof(cpu->gpr));
    cpu->gpr[0] = cpu->gpr[K0] = 0;
    mips_set_pc(cpu, cpu->gpr[K1]); /* as the runner jumps there */
    memcpy(cpu->hi, before->hi, sizeof(cpu->hi));
    memcpy(cpu->lo, before->lo, sizeof(cpu->lo));
    memcpy(cpu->fpr, before->w, sizeof(cpu->fpr));
    cpu->dspcontrol = (uint32_t)before->dspcontrol;
    cpu->msacsr = (uint32_t)before->msacsr;
    mips_fcsr_write(cpu, (uint32_t)before->fcsr);
    mips_update_mode(cpu);
}

static void save_registers(const struct mips_engine *e, struct mips_registers *after)
{
    struct mips_cpu *cpu = mips_cpu(e->cpu);
    uint64_t bits = cpu->wide ? UINT64_MAX : UINT32_MAX;

    for (unsigned n = 0; n < 32; n++)
        after->gpr[n] = n == K0 || n == K1 ? 0 : cpu->gpr[n] & bits;
    for (unsigned n = 0; n < 4 && e->kind->hilo && (!n || e->kind->dsp); n++) {
        after->hi[n] = cpu->hi[n] & bits;
        after->lo[n] = cpu->lo[n] & bits;
    }
    for (unsigned n = 0; n < 32; n += e->kind->fr ? 1 : 2)
        memcpy(after->w[n], cpu->fpr[n], e->kind->msa ? 16 : 8);
    after->dspcontrol = e->kind->dsp ? cpu->dspcontrol : 0;
    after->fcsr = mips_fcsr_read(cpu);
    after->msacsr = e->kind->msa ? cpu->msacsr : 0;
}

static enum mips_outcome outcome(const struct mips_engine *e)
{
    const struct mips_cpu *cpu = mips_cpu(e->cpu);
    uint64_t pc = cpu->v.run.pc;

    if (pc == CODE_END)
        return MIPS_DONE;
    if (pc == vector(e, VECTOR_REFILL) || pc == vector(e, VECTOR_XTLB))
        return MIPS_MEMORY_FAULT;
    if (pc != vector(e, VECTOR_GENERAL))
        return MIPS_OTHER;
    switch (cpu->cp0.cause >> 2 & 31) {
    case MIPS_EXC_RI:
    case MIPS_EXC_CPU:
    case MIPS_EXC_MSADIS:
    case MIPS_EXC_DSPDIS:
        return MIPS_RESERVED;
    case MIPS_EXC_MOD:
    case MIPS_EXC_TLBL:
    case MIPS_EXC_TLBS:
    case MIPS_EXC_ADEL:
    case MIPS_EXC_ADES:
        return MIPS_MEMORY_FAULT;
    case MIPS_EXC_OV:
    case MIPS_EXC_TR:
    case MIPS_EXC_BP:
    case MIPS_EXC_FPE:
    case MIPS_EXC_MSAFPE:
        return MIPS_TRAPPED;
    default:
        return MIPS_OTHER;
    }
}

void mips_engine_run(struct mips_engine *e, const struct mips_case *c, bool kernel,
                     enum mips_run how, struct mips_result *out)
{
    uint32_t code[MIPS_MAX_INSNS], word = (uint32_t)c->data_seed | 1;

    for (unsigned i = 0; i < MIPS_MAX_INSNS; i++)
        code[i] = in_guest_order(
            e, mips_code_word((uint32_t)c->insns[i], c->before.gpr[K1] & 1, e->guest->big_endian));
    memory_write(e->memory, CODE_PHYSICAL, code, sizeof(code));
    for (unsigned i = 0; i < MIPS_DATA_BYTES / 4; i++) {
        word = mips_data_next(word);
        e->data[i] = in_guest_order(e, word);
    }
    enter(e, kernel);
    load_registers(e, &c->before);
    if (how == MIPS_ONE)
        vcpu_step(e->cpu, 1);
    else
        vcpu_run_here(e->cpu, RUN_LIMIT);
    memset(out, 0, sizeof(*out));
    out->outcome = outcome(e);
    out->data_hash = 1;
    for (unsigned i = 0; i < MIPS_DATA_BYTES / 4; i++)
        out->data_hash = mips_hash_next(out->data_hash, in_guest_order(e, e->data[i]));
    save_registers(e, &out->after);
}
