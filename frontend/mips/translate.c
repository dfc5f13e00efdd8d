/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIPS translator's frame: fetches an instruction, and its delay slot if it is a branch, hands
 * it to the tables, and keeps track of what may follow.
 */
#define DECODE_IMPLEMENTATION
#include "frontend/mips/translate_common.h"

#include "util/log.h"

enum { CONFIG5_EVA = 1 << 28, CONFIG4_IE_SHIFT = 29, FIR_3D = 1 << 19 };

/* ---- features that Config says --------------------------------------------------------------- */

bool mips_has_lsa(struct xlat *x)
{
    return mips_x_has(x, MIPS_HAS_R6) || mips_x_has(x, MIPS_HAS_MSA);
}

bool mips_has_eva(struct xlat *x)
{
    return mips_cpu(x->cpu)->cp0.config5 & CONFIG5_EVA;
}

bool mips_has_tlbinv(struct xlat *x)
{
    return mips_cpu(x->cpu)->cp0.config4 >> CONFIG4_IE_SHIFT & 2;
}

bool mips_has_3d(struct xlat *x)
{
    return mips_cpu(x->cpu)->model->fir & FIR_3D;
}

/* ---- registers ------------------------------------------------------------------------------- */

ir_ref mips_word(struct xlat *x, int64_t value)
{
    return mips_xlat(x)->wide ? ir_i64(&x->b, (uint64_t)value) : ir_i32(&x->b, (uint32_t)value);
}

ir_ref mips_extend(struct xlat *x, ir_ref value32)
{
    return mips_xlat(x)->wide ? ir_un(&x->b, IR_WIDEN_S, value32) : value32;
}

ir_ref mips_truncate(struct xlat *x, ir_ref word)
{
    return mips_xlat(x)->wide ? ir_un(&x->b, IR_NARROW, word) : word;
}

ir_ref mips_get(struct xlat *x, int n)
{
    return n ? ir_get(&x->b, F_R0 + (unsigned)n) : mips_word(x, 0);
}

void mips_set(struct xlat *x, int n, ir_ref value)
{
    if (n)
        ir_set(&x->b, F_R0 + (unsigned)n, value);
}

ir_ref mips_get32(struct xlat *x, int n)
{
    return n ? mips_truncate(x, mips_get(x, n)) : ir_i32(&x->b, 0);
}

void mips_set32(struct xlat *x, int n, ir_ref value)
{
    if (n)
        mips_set(x, n, mips_extend(x, value));
}

ir_ref mips_get64(struct xlat *x, int n)
{
    return mips_xlat(x)->wide ? mips_get(x, n) : ir_un(&x->b, IR_WIDEN_S, mips_get(x, n));
}

void mips_set64(struct xlat *x, int n, ir_ref value)
{
    mips_set(x, n, mips_xlat(x)->wide ? value : ir_un(&x->b, IR_NARROW, value));
}

/* ---- exceptions, coprocessors, what follows -------------------------------------------------- */

bool mips_raise_here(struct xlat *x, enum mips_exception kind, uint32_t syndrome)
{
    struct ir_builder *b = &x->b;

    ir_call(b, &helper_mips_raise, ir_i32(b, kind), ir_i32(b, syndrome), IR_NONE, IR_NONE);
    ir_exit_lookup(b);
    return true;
}

/* The coprocessor is there and enabled, or Coprocessor Unusable is raised. */
static bool check_coprocessor(struct xlat *x, uint32_t key, unsigned number)
{
    if (mips_x_key(x, key))
        return true;
    mips_raise_here(x, MIPS_EXC_CPU, number);
    return false;
}

bool mips_check_cp0(struct xlat *x)
{
    return check_coprocessor(x, KEY_CP0, 0);
}

bool mips_check_fpu(struct xlat *x)
{
    return check_coprocessor(x, KEY_FPU, 1);
}

static bool check_ase(struct xlat *x, uint32_t feature, uint32_t key, enum mips_exception disabled)
{
    if (mips_x_key(x, key))
        return true;
    mips_raise_here(x, mips_x_has(x, feature) ? disabled : MIPS_EXC_RI, 0);
    return false;
}

bool mips_check_dsp(struct xlat *x)
{
    return check_ase(x, MIPS_HAS_DSP, KEY_DSP, MIPS_EXC_DSPDIS);
}

bool mips_check_msa(struct xlat *x)
{
    mips_forget_moved(x); /* FPRs are the low halves of what the instruction may change */
    return check_ase(x, MIPS_HAS_MSA, KEY_MSA, MIPS_EXC_MSADIS);
}

void mips_sync_pc(struct xlat *x)
{
    const struct mips_xlat *mx = mips_xlat(x);

    ir_set(&x->b, F_PC, ir_i64(&x->b, mips_wrap(x, mx->insn_pc + (mx->in_slot ? 0 : mx->length))));
}

void mips_end_lookup_next(struct xlat *x)
{
    mips_xlat(x)->lookup = true;
}

void mips_end_stop_next(struct xlat *x, unsigned reason)
{
    mips_xlat(x)->lookup = mips_xlat(x)->stopped = true;
    mips_xlat(x)->stop_reason = (uint8_t)reason;
}

/* ---- one instruction ------------------------------------------------------------------------- */

enum {
    OPCODE_COP0 = 16,
    OPCODE_COP1 = 17,
    OPCODE_COP1X = 19,
    OPCODE_LWC1 = 49,
    OPCODE_LDC1 = 53,
    OPCODE_SWC1 = 57,
    OPCODE_SDC1 = 61,
};

/* No row takes it. A coprocessor that may not be used says so first. */
static void reserved(struct xlat *x)
{
    unsigned opcode = mips_xlat(x)->insn >> 26;

    switch (mips_x_key(x, KEY_ISA_MODE) ? 0 : opcode) {
    case OPCODE_COP0:
        if (!mips_check_cp0(x))
            return;
        break;
    case OPCODE_COP1:
    case OPCODE_COP1X:
    case OPCODE_LWC1:
    case OPCODE_LDC1:
    case OPCODE_SWC1:
    case OPCODE_SDC1:
        if (!mips_check_fpu(x))
            return;
        break;
    default:
        break;
    }
    log_printf(LOG_GUEST_ERROR, "mips: reserved instruction %08x at %#llx\n", mips_xlat(x)->insn,
               (unsigned long long)mips_xlat(x)->insn_pc);
    mips_raise_here(x, MIPS_EXC_RI, 0);
}

static void decode(struct xlat *x)
{
    uint32_t insn = mips_xlat(x)->insn;

    if (mips_x_key(x, KEY_ISA_MODE)) {
        if (!(mips_xlat(x)->length == 2 ? decode_mips16 : decode_mips16_extended)(x, insn))
            reserved(x);
        return;
    }
    if (!decode_mips(x, insn) && !decode_fpu(x, insn) && !decode_dsp(x, insn) &&
        !decode_msa(x, insn))
        reserved(x);
}

void mips_translate_slot(struct xlat *x)
{
    struct mips_xlat *mx = mips_xlat(x);
    uint32_t branch = mx->insn;
    uint8_t length = mx->length;

    mx->insn = mx->slot_insn;
    mx->length = mx->slot_length;
    mx->insn_pc = mips_wrap(x, mx->insn_pc + length);
    mx->in_slot = true;
    ir_insn(&x->b, mx->insn_pc, length);
    decode(x);
    mx->in_slot = false;
    mx->insn_pc = mips_wrap(x, mx->insn_pc - length);
    mx->length = length;
    mx->insn = branch;
}

static uint32_t fetch16(struct xlat *x, uint64_t pc, bool *ok)
{
    uint16_t insn = xlat_fetch16(x, mips_wrap(x, pc), ok);

    return mips_xlat(x)->big_endian ? __builtin_bswap16(insn) : insn;
}

static uint32_t fetch(struct xlat *x, uint64_t pc, uint8_t *length, bool *ok)
{
    uint32_t insn;

    *length = 4;
    if (!mips_x_key(x, KEY_ISA_MODE)) {
        insn = xlat_fetch32(x, mips_wrap(x, pc), ok);
        return mips_xlat(x)->big_endian ? __builtin_bswap32(insn) : insn;
    }
    insn = fetch16(x, pc, ok);
    if (*ok && mips16_is_long(insn))
        return insn << 16 | fetch16(x, pc + 2, ok);
    *length = 2;
    return insn;
}

/* If that faults, it is the branch that has not been done: EPC, Cause.BD. */
static uint32_t fetch_slot(struct xlat *x, bool *ok)
{
    struct mips_xlat *mx = mips_xlat(x);
    struct mips_cpu *cpu = mips_cpu(x->cpu);
    uint32_t insn;

    cpu->fetched_slot = mx->length;
    insn = fetch(x, x->pc + mx->length, &mx->slot_length, ok);
    cpu->fetched_slot = 0;
    return insn;
}

static void start(struct xlat *x, struct mips_xlat *mx)
{
    const struct mips_cpu *cpu = mips_cpu(x->cpu);

    mx->started = true;
    mx->wide = cpu->wide;
    mx->big_endian = cpu->big_endian;
    mx->swap = cpu->big_endian != !!(x->key & KEY_REVERSE);
    mx->features = cpu->model->features;
}

/* A jump to an address that is no instruction's: Address Error on the fetch. */
static void fetch_address_error(void *opaque, uint64_t address)
{
    struct mips_cpu *cpu = opaque;
    struct exception e = {.kind = MIPS_EXC_ADEL, .address = address};

    vcpu_raise(&cpu->v, &e);
}

static const struct ir_helper helper_fetch_address_error =
    IR_HELPER(fetch_address_error, IR_VOID, 1, HELPER_MAY_FAULT, 0, 0);

static enum xlat_next translate_unaligned(struct xlat *x)
{
    struct ir_builder *b = &x->b;

    ir_insn(b, x->pc, 0);
    ir_call(b, &helper_fetch_address_error, ir_i64(b, x->pc), IR_NONE, IR_NONE, IR_NONE);
    ir_exit_lookup(b);
    x->pc += 4;
    return XLAT_END;
}

/* After a compact branch that was not taken: whether it matters that this is a forbidden slot. */
static bool next_is_forbidden(struct xlat *x)
{
    const uint8_t *bytes;

    if (!mips_xlat(x)->forbidden_next)
        return false;
    bytes = xlat_bytes(x, x->pc, 4);
    if (!bytes)
        return true;
    return mips_is_control_transfer(x,
                                    mips_xlat(x)->big_endian ? load_be32(bytes) : load_le32(bytes));
}

enum xlat_next mips_translate(struct xlat *x)
{
    struct mips_xlat *mx = mips_xlat(x);
    struct ir_builder *b = &x->b;
    bool ok;

    if (!mx->started)
        start(x, mx);
    mx->insn_pc = mx->base_pc = x->pc;
    mx->key = x->key;
    if (UNLIKELY(x->pc & 3) && !mips_x_key(x, KEY_ISA_MODE))
        return translate_unaligned(x);
    mx->insn = fetch(x, x->pc, &mx->length, &ok);
    if (ok && mips_has_delay_slot(x))
        mx->slot_insn = fetch_slot(x, &ok);
    if (!ok)
        return XLAT_TRUNCATE;
    mx->slot_done = mx->lookup = mx->stopped = mx->forbidden_next = false;
    ir_insn(b, x->pc, 0);
    decode(x);
    x->pc = mips_wrap(x, x->pc + mx->length + (mx->slot_done ? mx->slot_length : 0));
    if (mx->lookup)
        mips_go(x, x->pc);
    x->key = (x->key & ~(uint32_t)KEY_FORBIDDEN) | (next_is_forbidden(x) ? KEY_FORBIDDEN : 0);
    return b->block == IR_NO_BLOCK ? XLAT_END : XLAT_CONTINUE;
}
