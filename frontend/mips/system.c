/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a MIPS processor, and the helpers of instructions that change its mode or wait. */
#include "frontend/mips/system.h"
#include "frontend/mips/translate.h"

#include <inttypes.h>

/* What mips_update_mode reads and writes. */
#define MODE_READS (GROUP_CP0 | GROUP_FCSR | GROUP_PC)
#define MODE_WRITES (GROUP_CP0 | GROUP_PC)

/* ---- helpers --------------------------------------------------------------------------------- */

static void raise_kind(void *opaque, uint32_t kind, uint32_t syndrome)
{
    mips_raise_exception(mips_cpu(opaque), (enum mips_exception)kind, syndrome);
}
const struct ir_helper helper_mips_raise =
    IR_HELPER(raise_kind, IR_VOID, 2, HELPER_MAY_FAULT, 0, 0);

/* ISA, ERET and ERETNC */
static void exception_return(struct mips_cpu *cpu)
{
    if (cpu->cp0.status & STATUS_ERL) {
        mips_set_pc(cpu, cpu->cp0.errorepc);
        cpu->cp0.status &= ~STATUS_ERL;
    } else {
        mips_set_pc(cpu, cpu->cp0.epc);
        cpu->cp0.status &= ~STATUS_EXL;
    }
    mips_update_mode(cpu);
    mips_poll_interrupts(cpu);
}

static void eret(void *opaque)
{
    mips_cpu(opaque)->ll_valid = 0;
    exception_return(mips_cpu(opaque));
}
const struct ir_helper helper_mips_eret =
    IR_HELPER(eret, IR_VOID, 0, 0, MODE_READS, MODE_WRITES | GROUP_LL);

static void eretnc(void *opaque)
{
    exception_return(mips_cpu(opaque));
}
const struct ir_helper helper_mips_eretnc =
    IR_HELPER(eretnc, IR_VOID, 0, 0, MODE_READS, MODE_WRITES);

static void deret(void *opaque)
{
    struct mips_cpu *cpu = mips_cpu(opaque);

    cpu->cp0.debug &= ~DEBUG_DM;
    mips_set_pc(cpu, cpu->cp0.depc);
    mips_update_mode(cpu);
    mips_poll_interrupts(cpu);
}
const struct ir_helper helper_mips_deret = IR_HELPER(deret, IR_VOID, 0, 0, MODE_READS, MODE_WRITES);

/* IE is no part of the key. */
static uint32_t di(void *opaque)
{
    struct mips_cpu *cpu = mips_cpu(opaque);
    uint32_t before = cpu->cp0.status;

    cpu->cp0.status &= ~STATUS_IE;
    return before;
}
const struct ir_helper helper_mips_di = IR_HELPER(di, IR_I32, 0, 0, GROUP_CP0, GROUP_CP0);

static uint32_t ei(void *opaque)
{
    struct mips_cpu *cpu = mips_cpu(opaque);
    uint32_t before = cpu->cp0.status;

    cpu->cp0.status |= STATUS_IE;
    mips_poll_interrupts(cpu);
    return before;
}
const struct ir_helper helper_mips_ei = IR_HELPER(ei, IR_I32, 0, 0, GROUP_CP0, GROUP_CP0);

static void wait(void *opaque)
{
    mips_cpu(opaque)->v.halted = true;
}
const struct ir_helper helper_mips_wait = IR_HELPER(wait, IR_VOID, 0, 0, 0, 0);

/* ---- life ------------------------------------------------------------------------------------ */

bool mips_init(struct vcpu *v, struct error *err)
{
    struct mips_cpu *cpu = mips_cpu(v);

    if (!v->model || !v->model->parameters)
        return error_set(err, "the MIPS processor has no model");
    cpu->model = (const struct mips_model *)v->model->parameters;
    cpu->wide = v->guest->wide_address;
    cpu->big_endian = v->guest->big_endian;
    mips_timer_init(cpu);
    return true;
}

void mips_finish(struct vcpu *v)
{
    struct mips_cpu *cpu = mips_cpu(v);

    if (cpu->timer.clock)
        timer_cancel(&cpu->timer);
}

void mips_reset(struct vcpu *v)
{
    struct mips_cpu *cpu = mips_cpu(v);

    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    memset(cpu->hi, 0, sizeof(cpu->hi));
    memset(cpu->lo, 0, sizeof(cpu->lo));
    memset(cpu->fpr, 0, sizeof(cpu->fpr));
    cpu->dspcontrol = 0;
    cpu->ll_valid = 0;
    cpu->ll_address = cpu->ll_value = 0;
    cpu->msacsr = 0;
    cpu->delay_slot = cpu->fetched_slot = 0;
    v->halted = false;
    v->run.key = 0;
    mips_cp0_reset(cpu);
    mips_fpu_reset(cpu);
    mips_timer_reset(cpu);
    mips_tlb_reset(cpu);
    v->run.pc = mips_address(cpu, UINT32_C(0xbfc00000));
    mips_update_mode(cpu);
}

void mips_restore(struct vcpu *v, uint64_t pc, uint32_t aux)
{
    struct mips_cpu *cpu = mips_cpu(v);

    cpu->delay_slot = aux & AUX_DELAY_SLOT;
    pc -= cpu->delay_slot;
    v->run.pc = cpu->wide ? pc : (uint32_t)pc;
    v->run.key = (v->run.key & ~(uint32_t)KEY_FORBIDDEN) | (aux & KEY_FORBIDDEN);
}

/* ---- info registers -------------------------------------------------------------------------- */

static const char *const register_names[32] = {
    "r0", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7",
    "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1", "gp", "sp", "s8", "ra",
};

static uint64_t shown(const struct mips_cpu *cpu, uint64_t value)
{
    return cpu->wide ? value : (uint32_t)value;
}

static void print_fpu(struct mips_cpu *cpu, FILE *out)
{
    unsigned step = cpu->cp0.status & STATUS_FR ? 1 : 2;

    fprintf(out, "CP1 FCR0 0x%08x  FCR31 0x%08x  Status.FR %u\n", cpu->model->fir,
            mips_fcsr_read(cpu), step == 1);
    for (unsigned i = 0; i < 32; i += step)
        fprintf(out, "F%02u: %016" PRIx64 "%s", i, cpu->fpr[i][0],
                i / step % 3 == 2 || i + step >= 32 ? "\n" : "  ");
}

void mips_print_state(struct vcpu *v, FILE *out)
{
    struct mips_cpu *cpu = mips_cpu(v);
    int width = cpu->wide ? 16 : 8;
    char mode[32];

    v->guest->mode_name(v->run.key, mode, sizeof(mode));
    fprintf(out, "pc=0x%0*" PRIx64 " HI=0x%0*" PRIx64 " LO=0x%0*" PRIx64 " %s key %08x%s\n", width,
            shown(cpu, v->run.pc), width, shown(cpu, cpu->hi[0]), width, shown(cpu, cpu->lo[0]),
            mode, v->run.key, v->halted ? " halted" : "");
    for (unsigned i = 0; i < 32; i++)
        fprintf(out, "%s %s %0*" PRIx64 "%s", i % 4 ? "" : "GPR:", register_names[i], width,
                shown(cpu, cpu->gpr[i]), i % 4 == 3 ? "\n" : "");
    fprintf(out, "CP0 Status  0x%08x Cause   0x%08x EPC    0x%0*" PRIx64 "\n", cpu->cp0.status,
            mips_cause_read(cpu), width, shown(cpu, cpu->cp0.epc));
    fprintf(out, "    Config0 0x%08x Config1 0x%08x LLAddr 0x%016" PRIx64 "\n", cpu->cp0.config0,
            cpu->cp0.config1, cpu->ll_address);
    fprintf(out, "    Config2 0x%08x Config3 0x%08x\n", cpu->cp0.config2, cpu->cp0.config3);
    fprintf(out, "    Config4 0x%08x Config5 0x%08x\n", cpu->cp0.config4, cpu->cp0.config5);
    fprintf(out, "    BadVAddr 0x%0*" PRIx64 " EntryHi 0x%0*" PRIx64 " ErrorEPC 0x%0*" PRIx64 "\n",
            width, shown(cpu, cpu->cp0.badvaddr), width, shown(cpu, cpu->cp0.entryhi), width,
            shown(cpu, cpu->cp0.errorepc));
    if (v->run.key & KEY_FPU)
        print_fpu(cpu, out);
}
