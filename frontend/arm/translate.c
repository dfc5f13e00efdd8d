/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ARM translator's frame: fetches an instruction, sees to its condition, hands it to the table
 * of its instruction set, and keeps track of the IT state. "ARM ARM" is ARM DDI 0406C.
 */
#define DECODE_IMPLEMENTATION
#include "frontend/arm/translate_common.h"

#include "util/log.h"

/* ---- field functions of the tables ---------------------------------------------------------- */

static int times_2(struct xlat *x, int value)
{
    return (int)((unsigned)value << 1);
}

static int times_4(struct xlat *x, int value)
{
    return (int)((unsigned)value << 2);
}

/* The second register of a pair. */
static int register_after(struct xlat *x, int value)
{
    return (value + 1) & 15;
}

/* ARMExpandImm, ARM ARM A5.2.4. */
static int a32_expand_immediate(struct xlat *x, int value)
{
    return (int)ror32((uint32_t)value & 0xff, (unsigned)value >> 8 << 1);
}

static int a32_immediate_carry(struct xlat *x, int value)
{
    return value >> 8 ? (int)((uint32_t)a32_expand_immediate(x, value) >> 31) : -1;
}

/* ThumbExpandImm, ARM ARM A6.3.2. */
static int t32_expand_immediate(struct xlat *x, int value)
{
    uint32_t byte = (uint32_t)value & 0xff;
    switch (value >> 8 & 15) {
    case 0:
        return (int)byte;
    case 1:
        return (int)(byte << 16 | byte);
    case 2:
        return (int)(byte << 24 | byte << 8);
    case 3:
        return (int)(byte << 24 | byte << 16 | byte << 8 | byte);
    default:
        return (int)ror32((byte & 0x7f) | 0x80, (unsigned)value >> 7);
    }
}

static int t32_immediate_carry(struct xlat *x, int value)
{
    return value >> 10 ? (int)((uint32_t)t32_expand_immediate(x, value) >> 31) : -1;
}

/* Bits S:J1:J2:imm, with I1 = NOT(J1 EOR S) and I2 likewise: ARM ARM A8.8.18. */
static int t32_swap_j(int value, unsigned j1)
{
    unsigned bits = (unsigned)value;
    if (value >= 0)
        bits ^= 3u << (j1 - 1);
    return (int)bits;
}

static int t32_branch_offset(struct xlat *x, int value)
{
    return times_2(x, t32_swap_j(value, 22));
}

static int t32_blx_offset(struct xlat *x, int value)
{
    return times_4(x, t32_swap_j(value, 21));
}

/* Inside an IT block the 16-bit instructions leave the flags alone. */
static int t16_setflags(struct xlat *x, int value)
{
    return !(arm_xlat(x)->it & 15);
}

static int t16_push_list(struct xlat *x, int value)
{
    return (value & 0xff) | (value >> 8) << 14;
}

static int t16_pop_list(struct xlat *x, int value)
{
    return (value & 0xff) | (value >> 8) << 15;
}

static int t16_cps_imod(struct xlat *x, int value)
{
    return 2 | value;
}

/* ---- registers, flags, leaving a unit ------------------------------------------------------- */

bool arm_has(const struct xlat *x, uint32_t feature)
{
    return (((const struct arm_xlat *)x->guest_data)->features & feature) == feature;
}

ir_ref arm_get_reg(struct xlat *x, unsigned n)
{
    if (n == 15)
        return ir_i32(&x->b, read_pc(x));
    return ir_get(&x->b, F_R0 + n);
}

void arm_set_reg(struct xlat *x, unsigned n, ir_ref value)
{
    if (n == 15)
        BUG("r15 set as a general register at %#llx", (unsigned long long)arm_xlat(x)->insn_pc);
    if (arm_xlat(x)->select) {
        enum ir_cond cond;
        ir_ref flags = arm_condition(x, arm_xlat(x)->condition, &cond);
        value = ir_select(&x->b, cond, flags, value, ir_get(&x->b, F_R0 + n));
    }
    ir_set(&x->b, F_R0 + n, value);
}

ir_ref arm_condition(struct xlat *x, unsigned condition, enum ir_cond *cond)
{
    static const uint8_t conds[14] = {IR_Z,  IR_NZ,       IR_C,       IR_NC, IR_N,  IR_NN, IR_V,
                                      IR_NV, IR_C_AND_NZ, IR_NC_OR_Z, IR_GE, IR_LT, IR_GT, IR_LE};
    struct ir_builder *b = &x->b;
    *cond = (enum ir_cond)conds[condition];
    ir_ref n = ir_get(b, F_NF), z = ir_get(b, F_ZF), c = ir_get(b, F_CF), v = ir_get(b, F_VF);
    return ir_mkflags(b, n, z, c, v);
}

void arm_set_nz(struct xlat *x, ir_ref flags)
{
    ir_set(&x->b, F_NF, ir_setcc(&x->b, IR_N, flags));
    ir_set(&x->b, F_ZF, ir_setcc(&x->b, IR_Z, flags));
}

void arm_set_q(struct xlat *x, ir_ref bit)
{
    ir_set(&x->b, F_QF, ir_bin(&x->b, IR_OR, ir_get(&x->b, F_QF), bit));
}

uint32_t arm_next_key(struct xlat *x)
{
    struct arm_xlat *ax = arm_xlat(x);
    return base_key(x) | (ax->thumb ? KEY_T : 0) | (uint32_t)ax->next_it << KEY_IT_SHIFT;
}

void arm_sync_next(struct xlat *x)
{
    ir_set(&x->b, F_PC, ir_i64(&x->b, next_pc(x)));
    ir_set(&x->b, F_KEY, ir_i32(&x->b, arm_next_key(x)));
}

void arm_end_lookup_next(struct xlat *x)
{
    struct ir_builder *b = &x->b;
    /* The helper recomputed the key, perhaps from T and IT of some earlier instruction. */
    uint32_t follows = arm_next_key(x) & (KEY_T | KEY_IT_MASK);
    ir_ref key = ir_bin_i(b, IR_AND, ir_get(b, F_KEY), ~(uint32_t)(KEY_T | KEY_IT_MASK));
    ir_set(b, F_PC, ir_i64(b, next_pc(x)));
    ir_set(b, F_KEY, ir_bin_i(b, IR_OR, key, follows));
    ir_exit_lookup(b);
}

void arm_write_pc(struct xlat *x, ir_ref value, bool bx)
{
    struct ir_builder *b = &x->b;
    uint32_t key = base_key(x);
    if (bx) {
        /* An A32 target with bit 1 set is UNPREDICTABLE: arm_translate drops the bit. */
        ir_ref thumb = ir_bin_i(b, IR_AND, value, KEY_T);
        ir_exit_indirect(b, ir_bin_i(b, IR_AND, value, ~1u), ir_bin_i(b, IR_OR, thumb, key));
    } else if (arm_xlat(x)->thumb) {
        ir_exit_indirect(b, ir_bin_i(b, IR_AND, value, ~1u), ir_i32(b, key | KEY_T));
    } else {
        ir_exit_indirect(b, ir_bin_i(b, IR_AND, value, ~3u), ir_i32(b, key));
    }
}

void arm_jump(struct xlat *x, uint32_t target, bool thumb)
{
    target &= thumb ? ~1u : ~3u;
    ir_exit_jump(&x->b, target, base_key(x) | (thumb ? KEY_T : 0), target <= arm_xlat(x)->insn_pc);
}

bool arm_undefined(struct xlat *x)
{
    ir_call(&x->b, &helper_undefined, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_lookup(&x->b);
    return true;
}

unsigned arm_memop(struct xlat *x, unsigned size_log2, bool sign, bool aligned)
{
    uint32_t key = arm_xlat(x)->key;
    return size_log2 | (sign ? IR_MEM_SIGN : 0) | (key & KEY_E && size_log2 ? IR_MEM_SWAP : 0) |
           (aligned || key & KEY_ALIGN ? IR_MEM_ALIGN_OF(size_log2) : 0);
}

/* ---- conditions ----------------------------------------------------------------------------- */

/* Did a body with this condition, which left the flags alone, just end in the block before? */
static bool can_share(struct xlat *x, unsigned condition)
{
    const struct arm_xlat *ax = arm_xlat(x);
    return ax->open_end && ax->open_condition == condition && !x->b.overflow;
}

/*
 * Consecutive instructions with one condition test it once: the body before goes on into this one,
 * and where it was skipped this one is, too.
 */
void arm_guard(struct xlat *x, unsigned condition)
{
    struct arm_xlat *ax = arm_xlat(x);
    enum ir_cond cond;
    unsigned body = ir_block_create(&x->b), skip = ir_block_create(&x->b);
    if (can_share(x, condition)) {
        x->b.unit->insns[ax->open_end].aux = body;
        ir_br(&x->b, skip);
    } else {
        ir_ref flags = arm_condition(x, condition, &cond);
        ir_brcc(&x->b, cond, flags, body, skip);
    }
    ax->skip_block = skip;
    ax->open_condition = (uint8_t)condition;
    ax->conditional = true;
    ir_block_begin(&x->b, body);
}

/* Ends a guarded body that started at insn `first`, and notes whether the next may share its test:
 * not after flags were set, after a helper, or where the body has blocks of its own. */
static void end_guard(struct xlat *x, unsigned first)
{
    struct arm_xlat *ax = arm_xlat(x);
    const struct ir_unit *unit = x->b.unit;
    bool open = x->b.block != IR_NO_BLOCK && x->b.block == unit->n_blocks - 2;
    for (unsigned i = first; i < unit->n_insns && open; i++) {
        const struct ir_insn *insn = &unit->insns[i];
        open =
            insn->op != IR_CALL && !(insn->op == IR_SET && insn->aux >= F_NF && insn->aux <= F_VF);
    }
    ax->open_end = open ? (ir_ref)unit->n_insns : IR_NONE;
    if (x->b.block != IR_NO_BLOCK)
        ir_br(&x->b, ax->skip_block);
    ir_block_begin(&x->b, ax->skip_block);
    ax->open_at = unit->n_insns;
}

/* Does the A32 instruction only compute a register (not r15) and touch nothing else? */
static bool a32_is_simple(uint32_t insn)
{
    unsigned op = extract32(insn, 21, 4), rd = extract32(insn, 12, 4);
    if (rd == 15)
        return false;
    if ((insn & 0x0f8003f0) == 0x06800070 || /* SXTB and its like */
        (insn & 0x0fb00070) == 0x06b00030 || /* REV and its like */
        (insn & 0x0fa00070) == 0x07a00050 || /* SBFX, UBFX */
        (insn & 0x0fe00070) == 0x07c00010 || /* BFI */
        (insn & 0x0ff000f0) == 0x01600010)   /* CLZ */
        return true;
    if ((insn & 0x0c100000) != 0)
        return false;
    if ((insn & 0x02000090) == 0x00000090)
        return false;
    if (op >= 8 && op <= 11)
        return (insn & 0x0fb00000) == 0x03000000; /* MOVW, MOVT */
    return true;
}

static bool t16_is_simple(uint32_t insn)
{
    if (insn < 0x4000)
        return insn >> 11 != 5; /* CMP */
    if (insn < 0x4400)
        return (insn & 0xff00) != 0x4200 || (insn & 0xc0) == 0x40; /* TST, CMP, CMN; not RSB */
    if ((insn & 0xfd00) == 0x4400)
        return (insn & 0x87) != 0x87; /* ADD, MOV of high registers but r15 */
    return (insn & 0xf000) == 0xa000 || (insn & 0xff00) == 0xb200 || (insn & 0xff00) == 0xba00;
}

static bool t32_is_simple(uint32_t insn)
{
    if (extract32(insn, 8, 4) == 15)
        return false;
    if ((insn & 0xfa108000) == 0xf0000000)
        return true;
    if ((insn & 0xfa008000) == 0xf2000000) {
        unsigned op = extract32(insn, 20, 5);
        return op < 16 || op == 0x14 || op == 0x16 || op == 0x1c; /* SSAT and USAT set Q */
    }
    if ((insn & 0xff90f0f0) == 0xfa00f000 || /* LSL and its like by register */
        (insn & 0xff80f080) == 0xfa00f080 || /* SXTB and its like */
        (insn & 0xffd0f0c0) == 0xfa90f080 || /* REV and its like, CLZ */
        (insn & 0xfff000e0) == 0xfb000000 || /* MUL, MLA, MLS */
        (insn & 0xffd000f0) == 0xfb9000f0)   /* SDIV, UDIV */
        return true;
    return (insn & 0xfe100000) == 0xea000000;
}

static bool is_simple(const struct arm_xlat *ax)
{
    if (!ax->thumb)
        return a32_is_simple(ax->insn);
    return ax->length == 2 ? t16_is_simple(ax->insn) : t32_is_simple(ax->insn);
}

/* ---- one instruction ------------------------------------------------------------------------ */

/* Coprocessors 10 and 11 in an instruction of the coprocessor space. */
static bool is_vfp(uint32_t insn)
{
    return (insn & 0x0c000e00) == 0x0c000a00 && (insn & 0x0f000000) != 0x0f000000;
}

static bool decode_arm(struct xlat *x, uint32_t insn)
{
    if (insn >> 28 == 15) {
        if ((insn & 0xfe000000) == 0xf2000000 || (insn & 0xff100000) == 0xf4000000)
            return decode_neon(x, insn);
        return decode_a32u(x, insn);
    }
    return is_vfp(insn) ? decode_vfp(x, insn) : decode_a32(x, insn);
}

/* VFP and Advanced SIMD differ from A32 in the top byte only: ARM ARM A7.4, A7.7, A6.3.18. */
static bool decode_thumb(struct xlat *x, uint32_t insn)
{
    if (arm_xlat(x)->length == 2)
        return decode_t16(x, insn);
    if ((insn & 0xef000000) == 0xef000000)
        return decode_neon(x, 0xf2000000 | (insn >> 28 & 1) << 24 | (insn & 0x00ffffff));
    if ((insn & 0xff100000) == 0xf9000000)
        return decode_neon(x, 0xf4000000 | (insn & 0x00ffffff));
    if (insn >> 28 == 14 && is_vfp(insn))
        return decode_vfp(x, insn);
    return decode_t32(x, insn);
}

static bool fetch(struct xlat *x, struct arm_xlat *ax)
{
    bool ok = true;
    if (!ax->thumb) {
        ax->length = 4;
        ax->insn = xlat_fetch32(x, x->pc, &ok);
        return ok;
    }
    ax->length = 2;
    ax->insn = xlat_fetch16(x, x->pc, &ok);
    if (ok && ax->insn >= 0xe800) {
        ax->length = 4;
        ax->insn = ax->insn << 16 | xlat_fetch16(x, (uint32_t)(x->pc + 2), &ok);
    }
    return ok;
}

/* ARM ARM A8.3.1 (the condition) and A2.5.2 (ITAdvance). */
static void find_condition(struct arm_xlat *ax)
{
    ax->unconditional_space = !ax->thumb && ax->insn >> 28 == 15;
    if (ax->thumb)
        ax->condition = ax->it & 15 ? ax->it >> 4 : 14;
    else
        ax->condition = (uint8_t)(ax->insn >> 28);
    if (ax->condition == 15)
        ax->condition = 14;
    ax->next_it = ax->it & 7 ? (uint8_t)((ax->it & 0xe0) | (ax->it << 1 & 0x1f)) : 0;
    ax->conditional = false;
    ax->select = false;
}

/* A false condition: guard everything the instruction does, or only its result. */
static void apply_condition(struct xlat *x)
{
    struct arm_xlat *ax = arm_xlat(x);
    if (ax->condition == 14)
        return;
    if (is_simple(ax) && !can_share(x, ax->condition))
        ax->select = true;
    else
        arm_guard(x, ax->condition);
}

static void start(struct xlat *x, struct arm_xlat *ax)
{
    ax->started = true;
    ax->key = x->key;
    ax->thumb = x->key & KEY_T;
    ax->it = (uint8_t)(x->key >> KEY_IT_SHIFT);
    ax->features = arm_cpu(x->cpu)->model->features;
}

enum xlat_next arm_translate(struct xlat *x)
{
    struct arm_xlat *ax = arm_xlat(x);
    struct ir_builder *b = &x->b;
    if (!ax->started)
        start(x, ax);
    ax->insn_pc = x->pc;
    if (UNLIKELY(!ax->thumb && x->pc & 2)) {
        /* Branched here with bits 1:0 = 0b10, UNPREDICTABLE: the bit is dropped. */
        ir_insn(b, x->pc, ax->key);
        ir_exit_jump(b, x->pc & ~UINT64_C(3), ax->key, false);
        x->pc += 4;
        return XLAT_END;
    }
    if (!fetch(x, ax))
        return XLAT_TRUNCATE;
    find_condition(ax);
    unsigned first = b->unit->n_insns;
    if (ax->open_at != first)
        ax->open_end = IR_NONE;
    ir_insn(b, x->pc, ax->key);
    apply_condition(x);
    if (!(ax->thumb ? decode_thumb(x, ax->insn) : decode_arm(x, ax->insn))) {
        if (ax->select)
            arm_guard(x, ax->condition);
        arm_undefined(x);
    }
    if (ax->conditional)
        end_guard(x, first);
    else
        ax->open_end = IR_NONE;
    x->pc = next_pc(x);
    x->key = ax->key = arm_next_key(x);
    ax->it = ax->next_it;
    return b->block == IR_NO_BLOCK ? XLAT_END : XLAT_CONTINUE;
}
