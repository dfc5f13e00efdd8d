/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops a backend lacks, written with others. An expansion may use ops that are themselves expanded
 * in turn; it ends because each uses only ops lower in the order NEG, NOT, ANDN, fields < shifts,
 * logic, ADD, SUB, MUL. What nothing here can express stays as it is, and the backend refuses the
 * unit. Costs nothing but one look at each insn where the backend has them all.
 */
#include "tcg/alu.h"
#include "tcg/eval.h"
#include "tcg/rebuild.h"
#include "tcg/vector_ops.h"

enum { MAX_DEPTH = 6 };

struct lowering {
    struct rebuild r;
    bool (*supports)(unsigned op, unsigned type, unsigned sub);
    unsigned depth;
};

static ir_ref lower_insn(struct lowering *l, const struct ir_insn *insn);

static ir_ref make3(struct lowering *l, unsigned op, unsigned type, unsigned sub, unsigned aux,
                    ir_ref a, ir_ref b, ir_ref c)
{
    struct ir_insn insn = {.op = (uint8_t)op,
                           .type = (uint8_t)type,
                           .sub = (uint8_t)sub,
                           .aux = aux,
                           .arg = {a, b, c}};
    return lower_insn(l, &insn);
}

static ir_ref make(struct lowering *l, unsigned op, unsigned type, ir_ref a, ir_ref b)
{
    return make3(l, op, type, 0, 0, a, b, IR_NONE);
}

static ir_ref constant(struct lowering *l, unsigned type, uint64_t value)
{
    return rebuild_const(&l->r, type, value & ir_type_mask(type));
}

static ir_ref with_const(struct lowering *l, unsigned op, unsigned type, ir_ref a, uint64_t value)
{
    return make(l, op, type, a, constant(l, type, value));
}

static ir_ref shift(struct lowering *l, unsigned op, unsigned type, ir_ref a, unsigned amount)
{
    return amount ? make(l, op, type, a, constant(l, IR_I32, amount)) : a;
}

/* ---- integers ------------------------------------------------------------------------------ */

/* The bits of mask, and those `amount` above them, change places. */
static ir_ref swap_groups(struct lowering *l, unsigned type, ir_ref a, uint64_t mask,
                          unsigned amount)
{
    ir_ref low = shift(l, IR_SHL, type, with_const(l, IR_AND, type, a, mask), amount);
    ir_ref high = with_const(l, IR_AND, type, shift(l, IR_SHR, type, a, amount), mask);
    return make(l, IR_OR, type, low, high);
}

static ir_ref byte_swap(struct lowering *l, unsigned type, ir_ref a)
{
    a = swap_groups(l, type, a, UINT64_C(0x00ff00ff00ff00ff), 8);
    a = swap_groups(l, type, a, UINT64_C(0x0000ffff0000ffff), 16);
    return type == IR_I64 ? swap_groups(l, type, a, UINT32_MAX, 32) : a;
}

static ir_ref bit_reverse(struct lowering *l, unsigned type, ir_ref a)
{
    a = swap_groups(l, type, a, UINT64_C(0x5555555555555555), 1);
    a = swap_groups(l, type, a, UINT64_C(0x3333333333333333), 2);
    a = swap_groups(l, type, a, UINT64_C(0x0f0f0f0f0f0f0f0f), 4);
    return make(l, IR_BSWAP, type, a, IR_NONE);
}

/* Sums of pairs, of nibbles, of bytes, then all bytes by a multiplication. */
static ir_ref population(struct lowering *l, unsigned type, ir_ref a)
{
    const uint64_t m1 = UINT64_C(0x5555555555555555), m2 = UINT64_C(0x3333333333333333),
                   m4 = UINT64_C(0x0f0f0f0f0f0f0f0f);
    ir_ref half = with_const(l, IR_AND, type, shift(l, IR_SHR, type, a, 1), m1);
    a = make(l, IR_SUB, type, a, half);
    ir_ref high = with_const(l, IR_AND, type, shift(l, IR_SHR, type, a, 2), m2);
    a = make(l, IR_ADD, type, with_const(l, IR_AND, type, a, m2), high);
    a = make(l, IR_ADD, type, a, shift(l, IR_SHR, type, a, 4));
    a = with_const(l, IR_AND, type, a, m4);
    a = with_const(l, IR_MUL, type, a, UINT64_C(0x0101010101010101));
    return shift(l, IR_SHR, type, a, ir_type_bits(type) - 8);
}

/* The zeros above the highest one are what smearing it down does not reach. */
static ir_ref leading_zeros(struct lowering *l, unsigned type, ir_ref a)
{
    for (unsigned i = 1; i < ir_type_bits(type); i *= 2)
        a = make(l, IR_OR, type, a, shift(l, IR_SHR, type, a, i));
    return make(l, IR_POPCNT, type, make(l, IR_NOT, type, a, IR_NONE), IR_NONE);
}

static ir_ref rotate_right(struct lowering *l, const struct ir_insn *insn)
{
    ir_ref back = make(l, IR_NEG, IR_I32, insn->arg[1], IR_NONE);
    return make(l, IR_OR, insn->type, make(l, IR_SHR, insn->type, insn->arg[0], insn->arg[1]),
                make(l, IR_SHL, insn->type, insn->arg[0], back));
}

/* Bits start .. start + length - 1 by shifting up, then down. */
static ir_ref field(struct lowering *l, unsigned type, ir_ref a, unsigned start, unsigned length,
                    bool is_signed)
{
    unsigned bits = ir_type_bits(type), up = bits - start - length;
    if (!is_signed && !start && length < 32)
        return with_const(l, IR_AND, type, a, (UINT64_C(1) << length) - 1);
    return shift(l, is_signed ? IR_SAR : IR_SHR, type, shift(l, IR_SHL, type, a, up),
                 bits - length);
}

static ir_ref deposit(struct lowering *l, const struct ir_insn *insn)
{
    unsigned type = insn->type;
    uint64_t mask = insn->aux == 64 ? UINT64_MAX : (UINT64_C(1) << insn->aux) - 1;
    ir_ref kept = with_const(l, IR_AND, type, insn->arg[0], ~(mask << insn->sub));
    ir_ref part = with_const(l, IR_AND, type, insn->arg[1], mask);
    return make(l, IR_OR, type, kept, shift(l, IR_SHL, type, part, insn->sub));
}

/* An integer select by mask; others are left to the backend. */
static ir_ref select_value(struct lowering *l, const struct ir_insn *insn)
{
    if (insn->type != IR_I32 && insn->type != IR_I64)
        return IR_NONE;
    ir_ref one = rebuild_op(&l->r, IR_SETCC, IR_I32, insn->sub, 0, insn->arg[0], IR_NONE);
    if (insn->type == IR_I64)
        one = make(l, IR_WIDEN_U, IR_I64, one, IR_NONE);
    ir_ref mask = make(l, IR_NEG, insn->type, one, IR_NONE);
    return make(l, IR_OR, insn->type, make(l, IR_AND, insn->type, insn->arg[1], mask),
                make(l, IR_ANDN, insn->type, insn->arg[2], mask));
}

static ir_ref expand_integer(struct lowering *l, const struct ir_insn *insn)
{
    unsigned type = insn->type, bits = ir_type_bits(type);
    ir_ref a = insn->arg[0], b = insn->arg[1];
    if (insn->op <= IR_XOR && insn->sub) {
        ir_ref whole = make3(l, insn->op, type, 0, 0, a, b, insn->arg[2]);
        return with_const(l, IR_AND, type, whole, (UINT32_C(1) << insn->sub) - 1);
    }
    switch (insn->op) {
    case IR_ANDN:
        return make(l, IR_AND, type, a, make(l, IR_NOT, type, b, IR_NONE));
    case IR_NOT:
        return with_const(l, IR_XOR, type, a, UINT64_MAX);
    case IR_NEG:
        return make(l, IR_SUB, type, constant(l, type, 0), a);
    case IR_ROR:
        return rotate_right(l, insn);
    case IR_CLZ:
        return leading_zeros(l, type, a);
    case IR_CTZ: /* the ones of ~a & (a - 1) are the zeros below the lowest one */
        return make(l, IR_POPCNT, type,
                    make(l, IR_ANDN, type, with_const(l, IR_SUB, type, a, 1), a), IR_NONE);
    case IR_POPCNT:
        return population(l, type, a);
    case IR_BSWAP:
        return byte_swap(l, type, a);
    case IR_BITREV:
        return bit_reverse(l, type, a);
    case IR_SEXT:
    case IR_ZEXT:
        return field(l, type, a, 0, insn->sub, insn->op == IR_SEXT);
    case IR_EXTRACT:
    case IR_SEXTRACT:
        return field(l, type, a, insn->sub, insn->aux, insn->op == IR_SEXTRACT);
    case IR_DEPOSIT:
        return deposit(l, insn);
    case IR_WIDEN_S:
        return field(l, IR_I64, make(l, IR_WIDEN_U, IR_I64, a, IR_NONE), 0, 32, true);
    case IR_CONCAT:
        return make(l, IR_OR, IR_I64, make(l, IR_WIDEN_U, IR_I64, a, IR_NONE),
                    shift(l, IR_SHL, IR_I64, make(l, IR_WIDEN_U, IR_I64, b, IR_NONE), 32));
    case IR_HIGH:
        return make(l, IR_NARROW, IR_I32, shift(l, IR_SHR, IR_I64, a, 32), IR_NONE);
    case IR_SELECT:
        return select_value(l, insn);
    case IR_ADC:
        a = make(l, IR_ADD, type, a, b);
        b = insn->arg[2];
        return make(l, IR_ADD, type, a, bits == 64 ? make(l, IR_WIDEN_U, type, b, IR_NONE) : b);
    case IR_SBB:
        a = make(l, IR_SUB, type, a, b);
        b = insn->arg[2];
        return make(l, IR_SUB, type, a, bits == 64 ? make(l, IR_WIDEN_U, type, b, IR_NONE) : b);
    default:
        return IR_NONE;
    }
}

/* ---- the ALU op: calls of its definition ---------------------------------------------------- */

static uint64_t alu_value(void *cpu, uint32_t row_width, uint64_t a, uint64_t b, uint32_t flags)
{
    uint16_t status = (uint16_t)flags;
    return ir_alu_eval(row_width & 0xff, row_width >> 8, a, b, 0, &status);
}

static uint32_t alu_flags(void *cpu, uint32_t row_width, uint64_t a, uint64_t b, uint32_t flags)
{
    uint16_t status = (uint16_t)flags;
    ir_alu_eval(row_width & 0xff, row_width >> 8, a, b, 0, &status);
    return status;
}

static ir_ref call_alu(struct lowering *l, const struct ir_insn *insn, bool for_flags)
{
    static const struct ir_helper value = IR_HELPER(alu_value, IR_I64, 4, HELPER_PURE, 0, 0);
    static const struct ir_helper flags = IR_HELPER(alu_flags, IR_I32, 4, HELPER_PURE, 0, 0);
    const struct ir_helper *helper = for_flags ? &flags : &value;
    ir_ref row_width = constant(l, IR_I32, insn->sub | insn->aux << 8);
    ir_ref a = insn->arg[0], b = insn->arg[1], before;
    if (!b)
        b = constant(l, insn->type, 0);
    if (insn->arg[3])
        before = rebuild_op(&l->r, IR_PACKFLAGS, IR_I32, 0, 0, insn->arg[3], IR_NONE);
    else
        before = constant(l, IR_I32, 0);
    struct ir_insn call = {.op = IR_CALL,
                           .type = helper->result,
                           .arg = {row_width, a, b, before},
                           .imm = (uint64_t)(uintptr_t)helper};
    ir_ref result = rebuild_add(&l->r, &call);
    if (for_flags)
        return rebuild_op(&l->r, IR_UNPACKFLAGS, IR_FLAGS, 0, 0, result, IR_NONE);
    return insn->type == IR_I64 ? result : make(l, IR_NARROW, IR_I32, result, IR_NONE);
}

/* An ALU row of two arguments at most that the backend lacks. */
static bool is_called(const struct lowering *l, const struct ir_insn *insn)
{
    return insn->op == IR_ALU && ir_alu_info[insn->sub].n_args <= 2 &&
           !l->supports(IR_ALU, insn->type, insn->sub);
}

/* ---- vectors ------------------------------------------------------------------------------- */

static ir_ref vector(struct lowering *l, unsigned op, unsigned lane, ir_ref a, ir_ref b)
{
    return make3(l, op, IR_V128, lane, 0, a, b, IR_NONE);
}

static ir_ref vector_shift(struct lowering *l, unsigned op, unsigned lane, ir_ref a,
                           unsigned amount)
{
    return amount ? make3(l, op, IR_V128, lane, amount, a, IR_NONE, IR_NONE) : a;
}

/* The same value in every lane. */
static ir_ref splat(struct lowering *l, unsigned lane, uint64_t value)
{
    union ir_vector v = {.d = {value, 0}};
    ir_vector_eval(IR_VDUP, lane, 0, &v, &v, &v, &v);
    ir_ref ref = rebuild_vconst(&l->r, v.d[0], v.d[1]);
    l->r.overflow |= !ref; /* no room: the unit stays as it was */
    return ref;
}

static ir_ref choose(struct lowering *l, ir_ref mask, ir_ref yes, ir_ref no)
{
    return make3(l, IR_VSELECT, IR_V128, 0, 0, mask, yes, no);
}

/* Shifts of bytes: of 16-bit lanes, then without what came from the neighbour. */
static ir_ref byte_shift(struct lowering *l, const struct ir_insn *insn)
{
    unsigned n = insn->aux;
    ir_ref a = insn->arg[0];
    if (insn->op == IR_VSAR_I) {
        ir_ref sign = splat(l, IR_LANE8, 0x80u >> n);
        a = vector(l, IR_VXOR, 0, vector_shift(l, IR_VSHR_I, IR_LANE8, a, n), sign);
        return vector(l, IR_VSUB, IR_LANE8, a, sign);
    }
    uint8_t mask = (uint8_t)(insn->op == IR_VSHL_I ? 0xff << n : 0xff >> n);
    return vector(l, IR_VAND, 0, vector_shift(l, insn->op, IR_LANE16, a, n),
                  splat(l, IR_LANE8, mask));
}

static ir_ref vector_sar(struct lowering *l, const struct ir_insn *insn)
{
    unsigned lane = insn->sub, bits = 8u << lane;
    if (lane == IR_LANE8)
        return byte_shift(l, insn);
    ir_ref a = insn->arg[0];
    ir_ref negative = vector(l, IR_VCMPGT_S, lane, splat(l, lane, 0), a);
    return vector(l, IR_VOR, 0, vector_shift(l, IR_VSHR_I, lane, a, insn->aux),
                  insn->aux ? vector_shift(l, IR_VSHL_I, lane, negative, bits - insn->aux)
                            : splat(l, lane, 0));
}

/* Products of bytes: those of the even ones and of the odd ones, as 16-bit lanes. */
static ir_ref byte_multiply(struct lowering *l, ir_ref a, ir_ref b)
{
    ir_ref even = vector(l, IR_VMUL, IR_LANE16, a, b);
    ir_ref odd = vector(l, IR_VMUL, IR_LANE16, vector_shift(l, IR_VSHR_I, IR_LANE16, a, 8),
                        vector_shift(l, IR_VSHR_I, IR_LANE16, b, 8));
    return vector(l, IR_VOR, 0, vector(l, IR_VAND, 0, even, splat(l, IR_LANE16, 0x00ff)),
                  vector_shift(l, IR_VSHL_I, IR_LANE16, odd, 8));
}

static ir_ref expand_vector(struct lowering *l, const struct ir_insn *insn)
{
    unsigned lane = insn->sub;
    ir_ref a = insn->arg[0], b = insn->arg[1];
    uint64_t top = UINT64_C(1) << ((8u << (lane & 3)) - 1);
    switch (insn->op) {
    case IR_VANDN:
        return vector(l, IR_VAND, 0, a, vector(l, IR_VXOR, 0, b, splat(l, IR_LANE64, UINT64_MAX)));
    case IR_VSELECT:
        return vector(l, IR_VOR, 0, vector(l, IR_VAND, 0, a, b),
                      vector(l, IR_VANDN, 0, insn->arg[2], a));
    case IR_VMUL:
        return lane == IR_LANE8 ? byte_multiply(l, a, b) : IR_NONE;
    case IR_VNEG:
        return vector(l, IR_VSUB, lane, splat(l, lane, 0), a);
    case IR_VABS: {
        ir_ref negative = vector(l, IR_VCMPGT_S, lane, splat(l, lane, 0), a);
        return vector(l, IR_VSUB, lane, vector(l, IR_VXOR, 0, a, negative), negative);
    }
    case IR_VCMPGT_U:
        return vector(l, IR_VCMPGT_S, lane, vector(l, IR_VXOR, 0, a, splat(l, lane, top)),
                      vector(l, IR_VXOR, 0, b, splat(l, lane, top)));
    case IR_VMIN_S:
        return choose(l, vector(l, IR_VCMPGT_S, lane, b, a), a, b);
    case IR_VMIN_U:
        return choose(l, vector(l, IR_VCMPGT_U, lane, b, a), a, b);
    case IR_VMAX_S:
        return choose(l, vector(l, IR_VCMPGT_S, lane, a, b), a, b);
    case IR_VMAX_U:
        return choose(l, vector(l, IR_VCMPGT_U, lane, a, b), a, b);
    case IR_VADDS_U: /* what there is room for above a */
        return vector(l, IR_VADD, lane, a,
                      vector(l, IR_VMIN_U, lane, b,
                             vector(l, IR_VXOR, 0, a, splat(l, IR_LANE64, UINT64_MAX))));
    case IR_VSUBS_U:
        return vector(l, IR_VSUB, lane, a, vector(l, IR_VMIN_U, lane, a, b));
    case IR_VAVG_U: /* (a | b) - ((a ^ b) >> 1) rounds up and needs no wider lanes */
        return vector(l, IR_VSUB, lane, vector(l, IR_VOR, 0, a, b),
                      vector_shift(l, IR_VSHR_I, lane, vector(l, IR_VXOR, 0, a, b), 1));
    case IR_VSHL_I:
    case IR_VSHR_I:
        return lane == IR_LANE8 ? byte_shift(l, insn) : IR_NONE;
    case IR_VSAR_I:
        return vector_sar(l, insn);
    case IR_VWIDEN_U:
        return vector(l, IR_VZIP_LO, lane, a, splat(l, lane, 0));
    case IR_VWIDEN_S:
        return vector(l, IR_VZIP_LO, lane, a, vector(l, IR_VCMPGT_S, lane, splat(l, lane, 0), a));
    case IR_VCONCAT:
        return vector(l, IR_VZIP_LO, IR_LANE64, a, b);
    case IR_VHIGH:
        return vector(l, IR_VZIP_HI, IR_LANE64, a, splat(l, IR_LANE64, 0));
    default:
        return IR_NONE;
    }
}

/* ---- the walk ------------------------------------------------------------------------------ */

/* An insn with new arguments: itself if the backend has it, else what it can be made of. */
static ir_ref lower_insn(struct lowering *l, const struct ir_insn *insn)
{
    bool pure = ir_op_info[insn->op].traits & IR_PURE;
    if (!pure || l->depth == MAX_DEPTH || l->supports(insn->op, insn->type, insn->sub))
        return pure ? rebuild_pure(&l->r, insn) : rebuild_add(&l->r, insn);
    l->depth++;
    ir_ref result = insn->op >= IR_VAND && insn->op <= IR_VSHUFFLE ? expand_vector(l, insn)
                                                                   : expand_integer(l, insn);
    l->depth--;
    return result ? result : rebuild_pure(&l->r, insn);
}

/* The first insn the backend lacks from `ref` on, 0 if there is none. */
static unsigned first_lacking(const struct ir_unit *unit, unsigned ref,
                              bool (*supports)(unsigned op, unsigned type, unsigned sub))
{
    for (; ref < unit->n_insns; ref++) {
        const struct ir_insn *insn = &unit->insns[ref];
        if (insn->op != IR_CONST && ir_op_info[insn->op].traits & IR_PURE &&
            !supports(insn->op, insn->type, insn->sub))
            return ref;
    }
    return 0;
}

/* Insns whose flags are asked for: only an op with the same flags may stand for them. */
static void find_flag_sources(const struct ir_unit *unit, uint8_t *is_source)
{
    for (unsigned i = 1; i < unit->n_insns; i++) {
        if (unit->insns[i].op == IR_FLAGOF)
            is_source[unit->insns[i].arg[0]] = 1;
    }
}

void ir_lower(struct ir_unit *unit, bool (*supports)(unsigned op, unsigned type, unsigned sub))
{
    struct lowering l; /* not cleared: most units need nothing */
    unsigned lacking = first_lacking(unit, 1, supports);
    bool has_mkflags = false;
    for (unsigned i = lacking; i && !has_mkflags; i = first_lacking(unit, i + 1, supports))
        has_mkflags = unit->insns[i].op == IR_MKFLAGS;
    if (has_mkflags) {
        /* Only in units that were not optimised: resolving flags is that pass's work. */
        ir_pass_fold(unit);
        lacking = first_lacking(unit, 1, supports);
    }
    if (!lacking)
        return;
    l.supports = supports;
    l.depth = 0;
    uint8_t *is_source = arena_zalloc(unit->arena, unit->n_insns);
    find_flag_sources(unit, is_source);
    rebuild_begin(&l.r, unit);
    for (unsigned b = 0; b < unit->n_blocks && !l.r.overflow; b++) {
        rebuild_begin_block(&l.r, b);
        for (unsigned ref = unit->blocks[b].first; ref <= unit->blocks[b].last; ref++) {
            struct ir_insn insn = l.r.old[ref];
            if (insn.op == IR_NOP)
                continue;
            rebuild_set_args(&insn, rebuild_mapped_args(l.r.map, &l.r.old[ref]));
            if (is_called(&l, &insn)) {
                l.r.map[ref] = call_alu(&l, &insn, false);
                continue;
            }
            const struct ir_insn *source = &l.r.old[l.r.old[ref].arg[0]];
            if (insn.op == IR_FLAGOF && is_called(&l, source)) {
                insn = *source;
                rebuild_set_args(&insn, rebuild_mapped_args(l.r.map, source));
                l.r.map[ref] = call_alu(&l, &insn, true);
                continue;
            }
            /* ANDN's flags are those of the AND it becomes; no other source has an equal. */
            bool fixed = is_source[ref] && insn.op != IR_ANDN;
            l.r.map[ref] = fixed ? rebuild_pure(&l.r, &insn) : lower_insn(&l, &insn);
        }
        rebuild_end_block(&l.r, b);
    }
    rebuild_end(&l.r);
}
