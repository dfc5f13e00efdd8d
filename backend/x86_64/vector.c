/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 128-bit vectors on SSE4.2, in VEX form when the host has AVX. */
#include "backend/x86_64/x86_64.h"

#define P(byte) ((byte) | OP_0F | OP_66)
#define Q(byte) ((byte) | OP_0F38 | OP_66)
#define R(byte) ((byte) | OP_0F3A | OP_66)
enum {
    PAND = P(0xdb),
    POR = P(0xeb),
    PXOR = P(0xef),
    PANDN = P(0xdf),
    PSHUFB = Q(0x00),
    PCMPGTQ = Q(0x37),
    PCMPEQD = P(0x76),
    PADDD = P(0xfe),
    PMINUD = Q(0x3b),
    PMULLW = P(0xd5),
    PUNPCKLQDQ = P(0x6c),
};

/* ---- constants
 * ---------------------------------------------------------------------------------------
 */

static unsigned pool_index(struct emit *e, uint64_t low, uint64_t high)
{
    for (unsigned k = 0; k < e->n_pool; k++)
        if (e->pool[k][0] == low && e->pool[k][1] == high)
            return k;
    if (e->n_pool == MAX_POOL) {
        e->failed = true;
        return 0;
    }
    e->pool[e->n_pool][0] = low;
    e->pool[e->n_pool][1] = high;
    return e->n_pool++;
}

/* reg = first op [constant], `trailing` immediate bytes to follow. */
static void pool_operand_imm(struct emit *e, uint64_t low, uint64_t high, unsigned op, unsigned reg,
                             unsigned first, unsigned trailing)
{
    unsigned index = pool_index(e, low, high);
    struct mem m = {NO_REG, NO_REG, 0, 0};
    if (e->a.avx) {
        emit_vex_rm(&e->a, op, reg, first, m, trailing);
    } else {
        if (first)
            emit_movaps(&e->a, reg, first);
        emit_rm_imm(&e->a, op, reg, m, trailing);
    }
    if (e->n_pool_uses == MAX_POOL_USES) {
        e->failed = true;
        return;
    }
    e->pool_use[e->n_pool_uses++] =
        (struct pool_use){e->a.p - 4, (uint16_t)index, (int8_t) - (int)trailing};
}

void pool_operand(struct emit *e, uint64_t low, uint64_t high, unsigned op, unsigned reg,
                  unsigned first)
{
    pool_operand_imm(e, low, high, op, reg, first, 0);
}

void load_vector_constant(struct emit *e, ir_ref ref, unsigned reg)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    uint64_t low = insn->imm, high = e->u->vconst_high[insn->aux];
    if (!low && !high)
        emit_sse_rrr(&e->a, 0x57 | OP_0F, reg, reg, reg);
    else if (low == UINT64_MAX && high == UINT64_MAX)
        emit_sse_rrr(&e->a, PCMPEQD, reg, reg, reg);
    else
        pool_operand(e, low, high, 0x28 | OP_0F, reg, 0);
}

/* ---- operations of two vectors --------------------------------------------------------------- */

struct operands {
    unsigned a, b, dst;
};

/* Operands and a destination that is neither unless AVX makes that harmless. */
static struct operands two_operands(struct emit *e, const struct ir_insn *insn, bool distinct)
{
    struct operands o;
    o.a = use_xmm(e, insn->arg[0]);
    o.b = use_xmm(e, insn->arg[1]);
    end_uses(e);
    uint32_t avoid = distinct ? 1u << o.a | 1u << o.b : e->a.avx ? 0 : 1u << o.b;
    if (!distinct && o.a == o.b)
        avoid = 0;
    o.dst = def_xmm(e, o.a, avoid);
    return o;
}

static const uint32_t direct_opcode[IR_N_OPS][4] = {
    [IR_VAND] = {PAND, PAND, PAND, PAND},
    [IR_VOR] = {POR, POR, POR, POR},
    [IR_VXOR] = {PXOR, PXOR, PXOR, PXOR},
    [IR_VADD] = {P(0xfc), P(0xfd), P(0xfe), P(0xd4)},
    [IR_VSUB] = {P(0xf8), P(0xf9), P(0xfa), P(0xfb)},
    [IR_VMUL] = {0, PMULLW, Q(0x40), 0},
    [IR_VCMPEQ] = {P(0x74), P(0x75), P(0x76), Q(0x29)},
    [IR_VCMPGT_S] = {P(0x64), P(0x65), P(0x66), PCMPGTQ},
    [IR_VMIN_S] = {Q(0x38), P(0xea), Q(0x39), 0},
    [IR_VMAX_S] = {Q(0x3c), P(0xee), Q(0x3d), 0},
    [IR_VMIN_U] = {P(0xda), Q(0x3a), PMINUD, 0},
    [IR_VMAX_U] = {P(0xde), Q(0x3e), Q(0x3f), 0},
    [IR_VADDS_S] = {P(0xec), P(0xed), 0, 0},
    [IR_VADDS_U] = {P(0xdc), P(0xdd), 0, 0},
    [IR_VSUBS_S] = {P(0xe8), P(0xe9), 0, 0},
    [IR_VSUBS_U] = {P(0xd8), P(0xd9), 0, 0},
    [IR_VAVG_U] = {P(0xe0), P(0xe3), 0, 0},
    [IR_VZIP_LO] = {P(0x60), P(0x61), P(0x62), P(0x6c)},
    [IR_VZIP_HI] = {P(0x68), P(0x69), P(0x6a), P(0x6d)},
};

static void shift_imm(struct emit *e, unsigned lane, unsigned slash, unsigned dst, unsigned src,
                      unsigned amount)
{
    unsigned op = (0x70 + lane) | OP_0F | OP_66;
    if (e->a.avx) {
        emit_vex_rr(&e->a, op, slash, dst, src);
    } else {
        emit_movaps(&e->a, dst, src);
        emit_rr(&e->a, op, slash, dst);
    }
    put8(&e->a, amount);
}

static uint64_t repeat(unsigned lane, uint64_t value)
{
    static const uint64_t ones[4] = {UINT64_C(0x0101010101010101), UINT64_C(0x0001000100010001),
                                     UINT64_C(0x0000000100000001), 1};
    return value * ones[lane];
}

/* Bytes: even and odd ones as 16-bit products. */
static void multiply_bytes(struct emit *e, const struct ir_insn *insn)
{
    struct operands o = two_operands(e, insn, true);
    unsigned t = alloc_xmm(e);
    shift_imm(e, 1, 2, t, o.a, 8);
    shift_imm(e, 1, 2, o.dst, o.b, 8);
    emit_sse_rrr(&e->a, PMULLW, t, t, o.dst);
    shift_imm(e, 1, 6, t, t, 8);
    emit_sse_rrr(&e->a, PMULLW, o.dst, o.a, o.b);
    uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    pool_operand(e, even, even, PAND, o.dst, o.dst);
    emit_sse_rrr(&e->a, POR, o.dst, o.dst, t);
}

/* dst = mask of a > b, unsigned. */
static void compare_unsigned(struct emit *e, unsigned lane, struct operands o, unsigned t)
{
    if (lane == IR_LANE64) {
        uint64_t sign = UINT64_C(1) << 63;
        pool_operand(e, sign, sign, PXOR, t, o.b);
        pool_operand(e, sign, sign, PXOR, o.dst, o.a);
        emit_sse_rrr(&e->a, PCMPGTQ, o.dst, o.dst, t);
        return;
    }
    emit_sse_rrr(&e->a, direct_opcode[IR_VMIN_U][lane], o.dst, o.a, o.b);
    emit_sse_rrr(&e->a, direct_opcode[IR_VCMPEQ][lane], o.dst, o.dst, o.a);
    pool_operand(e, UINT64_MAX, UINT64_MAX, PXOR, o.dst, o.dst);
}

/* Minimum and maximum of 64-bit lanes: compare and choose. */
static void choose_wide(struct emit *e, const struct ir_insn *insn)
{
    bool is_unsigned = insn->op == IR_VMIN_U || insn->op == IR_VMAX_U;
    bool maximum = insn->op == IR_VMAX_S || insn->op == IR_VMAX_U;
    struct operands o = two_operands(e, insn, true);
    unsigned t = alloc_xmm(e);
    if (is_unsigned)
        compare_unsigned(e, IR_LANE64, o, t);
    else
        emit_sse_rrr(&e->a, PCMPGTQ, o.dst, o.a, o.b);
    unsigned greater = maximum ? o.a : o.b, other = maximum ? o.b : o.a;
    emit_sse_rrr(&e->a, PAND, t, o.dst, greater);
    emit_sse_rrr(&e->a, PANDN, o.dst, o.dst, other);
    emit_sse_rrr(&e->a, POR, o.dst, o.dst, t);
}

static void emit_negate(struct emit *e, const struct ir_insn *insn)
{
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, 1u << a);
    emit_sse_rrr(&e->a, 0x57 | OP_0F, dst, dst, dst);
    emit_sse_rrr(&e->a, direct_opcode[IR_VSUB][insn->sub], dst, dst, a);
}

static void emit_absolute(struct emit *e, const struct ir_insn *insn)
{
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    if (insn->sub == IR_LANE64) { /* (x ^ s) - s, s = 0 > x */
        unsigned dst = def_xmm(e, NO_REG, 1u << a), t = alloc_xmm(e);
        emit_sse_rrr(&e->a, 0x57 | OP_0F, t, t, t);
        emit_sse_rrr(&e->a, PCMPGTQ, t, t, a);
        emit_sse_rrr(&e->a, PXOR, dst, a, t);
        emit_sse_rrr(&e->a, P(0xfb), dst, dst, t);
        return;
    }
    emit_sse_rr(&e->a, Q(0x1c + insn->sub), def_xmm(e, a, 0), a);
}

void emit_vector(struct emit *e, const struct ir_insn *insn)
{
    struct operands o;
    unsigned lane = insn->sub & 3;
    uint32_t opcode = direct_opcode[insn->op][lane];
    if (opcode) {
        o = two_operands(e, insn, false);
        emit_sse_rrr(&e->a, opcode, o.dst, o.a, o.b);
        return;
    }
    switch (insn->op) {
    case IR_VANDN: { /* pandn complements its first operand */
        unsigned a = use_xmm(e, insn->arg[0]), b = use_xmm(e, insn->arg[1]);
        end_uses(e);
        unsigned dst = def_xmm(e, b, e->a.avx || a == b ? 0 : 1u << a);
        emit_sse_rrr(&e->a, PANDN, dst, b, a);
        break;
    }
    case IR_VNEG:
        emit_negate(e, insn);
        break;
    case IR_VABS:
        emit_absolute(e, insn);
        break;
    case IR_VCMPGT_U:
        o = two_operands(e, insn, true);
        compare_unsigned(e, lane, o, lane == IR_LANE64 ? alloc_xmm(e) : 0);
        break;
    case IR_VMUL:
        if (lane == IR_LANE8)
            multiply_bytes(e, insn);
        else
            e->failed = true; /* 64-bit lanes: not in the IR */
        break;
    case IR_VMIN_S:
    case IR_VMIN_U:
    case IR_VMAX_S:
    case IR_VMAX_U:
        choose_wide(e, insn);
        break;
    default:
        e->failed = true; /* saturating 32 and 64: not in the IR */
        break;
    }
}

void emit_vector_shift(struct emit *e, const struct ir_insn *insn)
{
    unsigned lane = insn->sub & 3, amount = insn->aux;
    static const uint8_t slash_of[3] = {6, 2, 4};
    unsigned slash = slash_of[insn->op - IR_VSHL_I];
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, a, 0);
    bool sar = insn->op == IR_VSAR_I;
    if (lane != IR_LANE8 && !(sar && lane == IR_LANE64)) {
        shift_imm(e, lane, slash, dst, a, amount);
        return;
    }
    if (lane == IR_LANE8) { /* in 16-bit lanes, what came from the neighbour masked off */
        uint64_t mask = insn->op == IR_VSHL_I ? 0xff & 0xffu << amount : 0xffu >> amount;
        shift_imm(e, 1, sar ? 2 : slash, dst, a, amount);
        pool_operand(e, repeat(0, mask), repeat(0, mask), PAND, dst, dst);
    } else {
        shift_imm(e, 3, 2, dst, a, amount);
    }
    if (sar) { /* the sign bit is now at m: (x ^ m) - m copies it upwards */
        uint64_t m = lane == IR_LANE8 ? repeat(0, 0x80u >> amount) : UINT64_C(1) << (63 - amount);
        pool_operand(e, m, m, PXOR, dst, dst);
        pool_operand(e, m, m, lane == IR_LANE8 ? P(0xf8) : P(0xfb), dst, dst);
    }
}

/* ---- lanes
 * ------------------------------------------------------------------------------------------------
 */

static void shuffle_imm(struct emit *e, unsigned op, unsigned dst, unsigned src, unsigned imm)
{
    emit_sse_rr(&e->a, op, dst, src);
    put8(&e->a, imm);
}

static void emit_duplicate(struct emit *e, const struct ir_insn *insn)
{
    unsigned lane = insn->sub & 3;
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, 0);
    emit_sse_rr(&e->a, P(0x6e) | (lane == IR_LANE64 ? OP_W : 0), dst, a);
    if (lane == IR_LANE64) {
        emit_sse_rrr(&e->a, PUNPCKLQDQ, dst, dst, dst);
        return;
    }
    if (lane == IR_LANE8)
        emit_sse_rrr(&e->a, P(0x60), dst, dst, dst);
    if (lane <= IR_LANE16)
        shuffle_imm(e, 0x70 | OP_0F | OP_F2, dst, dst, 0); /* pshuflw */
    shuffle_imm(e, P(0x70), dst, dst, 0);                  /* pshufd */
}

void emit_vector_lane(struct emit *e, const struct ir_insn *insn)
{
    unsigned lane = insn->sub & 3, index = insn->aux;
    if (insn->op == IR_VDUP) {
        emit_duplicate(e, insn);
        return;
    }
    unsigned a = use_xmm(e, insn->arg[0]);
    if (insn->op == IR_VGETLANE) {
        static const uint32_t extract[4] = {R(0x14), R(0x15), R(0x16), R(0x16) | OP_W};
        end_uses(e);
        unsigned dst = def_reg(e, NO_REG, 0);
        if (index == 0 && lane >= IR_LANE32) {
            emit_sse_rr(&e->a, P(0x7e) | (lane == IR_LANE64 ? OP_W : 0), a, dst);
            return;
        }
        shuffle_imm(e, extract[lane], a, dst, index);
        return;
    }
    static const uint32_t insert[4] = {R(0x20), P(0xc4), R(0x22), R(0x22) | OP_W};
    unsigned b = use_gpr(e, insn->arg[1]);
    end_uses(e);
    unsigned dst = def_xmm(e, a, 0);
    emit_sse_rrr(&e->a, insert[lane], dst, a, b);
    put8(&e->a, index);
}

static void emit_narrow(struct emit *e, const struct ir_insn *insn)
{
    uint8_t bytes[16];
    unsigned half = 1u << ((insn->sub & 3) - 1);
    memset(bytes, 0x80, sizeof(bytes));
    for (unsigned k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(k / half * half * 2 + k % half);
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, a, 0);
    pool_operand(e, load_le64(bytes), load_le64(bytes + 8), PSHUFB, dst, a);
}

static void emit_choose(struct emit *e, const struct ir_insn *insn)
{
    unsigned mask = use_xmm(e, insn->arg[0]), b = use_xmm(e, insn->arg[1]),
             c = use_xmm(e, insn->arg[2]), t = alloc_xmm(e);
    emit_sse_rrr(&e->a, PAND, t, mask, b);
    end_uses(e);
    unsigned dst = def_xmm(e, mask, (1u << t) | (e->a.avx || c == mask ? 0 : 1u << c));
    emit_sse_rrr(&e->a, PANDN, dst, mask, c);
    emit_sse_rrr(&e->a, POR, dst, dst, t);
}

static void emit_extract_bytes(struct emit *e, const struct ir_insn *insn)
{
    unsigned low = use_xmm(e, insn->arg[0]), high = use_xmm(e, insn->arg[1]);
    end_uses(e);
    unsigned dst = def_xmm(e, high, e->a.avx || low == high ? 0 : 1u << low);
    emit_sse_rrr(&e->a, R(0x0f), dst, high, low); /* palignr */
    put8(&e->a, insn->aux);
}

void emit_vector_misc(struct emit *e, const struct ir_insn *insn)
{
    struct operands o;
    unsigned a, lane = insn->sub & 3;
    static const uint8_t widen_signed[3] = {0x20, 0x23, 0x25};
    switch (insn->op) {
    case IR_VSELECT:
        emit_choose(e, insn);
        break;
    case IR_VCONCAT:
    case IR_VSHUFFLE:
        o = two_operands(e, insn, false);
        emit_sse_rrr(&e->a, insn->op == IR_VCONCAT ? (unsigned)PUNPCKLQDQ : (unsigned)PSHUFB, o.dst,
                     o.a, o.b);
        break;
    case IR_VEXT:
        emit_extract_bytes(e, insn);
        break;
    case IR_VNARROW:
        emit_narrow(e, insn);
        break;
    case IR_VHIGH:
        a = use_xmm(e, insn->arg[0]);
        end_uses(e);
        shift_imm(e, 3, 3, def_xmm(e, a, 0), a, 8); /* psrldq */
        break;
    default: /* VWIDEN_S, VWIDEN_U */
        a = use_xmm(e, insn->arg[0]);
        end_uses(e);
        emit_sse_rr(&e->a, Q(widen_signed[lane % 3]) + (insn->op == IR_VWIDEN_U ? 0x10u : 0),
                    def_xmm(e, a, 0), a);
        break;
    }
}

/* ---- floating point ----------------------------------------------------------------------------
 *
 * Lanes where host and guest may differ (ir.h) go to the guest's function. Its flags must then be
 * exact, so the host's operation must not have raised any that the guest's would not. Operands are
 * checked before the operation; what remains is the host's "inexact" for a result that the guest
 * flushes. That does no harm once "inexact" is set anyway, which run_state.mxcsr remembers: its
 * flags are a subset of the live ones. Until then the cold stub does everything, exactly. Sums and
 * differences of normal numbers are exact where they are denormal: no need to know for them.
 */

enum { CMP_UNORDERED = 3 };
#define DENORMAL_LIMIT UINT64_C(0x00ffffff00ffffff)
#define ZERO_LIMIT UINT64_C(0x0100000001000000)

static bool is_ordinary(uint32_t bits)
{
    uint32_t exponent = bits & 0x7f800000;
    return !(bits & 0x7fffffff) || (exponent != 0 && exponent != 0x7f800000);
}

/* Never a denormal or NaN that was not seen to: another flushing op's result, or such constant. */
static bool is_flushed(struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    if (insn->op >= IR_VFADD && insn->op <= IR_VFFLUSH)
        return (insn->sub >> 4 & IR_FP_FLUSH) && (insn->sub & 3) == IR_LANE32;
    if (insn->op != IR_VCONST)
        return false;
    uint64_t high = e->u->vconst_high[insn->aux];
    return is_ordinary((uint32_t)insn->imm) && is_ordinary((uint32_t)(insn->imm >> 32)) &&
           is_ordinary((uint32_t)high) && is_ordinary((uint32_t)(high >> 32));
}

static void before_function(struct emit *e)
{
    if (e->u->fp && e->u->fp->groups)
        forget_groups(e, e->u->fp->groups);
    else
        forget_integer_fields(e);
}

/* t = doubled bits of x less one: denormals become the smallest unsigned numbers, zero the
 * largest. */
static void rank_lanes(struct emit *e, unsigned t, unsigned x)
{
    emit_sse_rrr(&e->a, PADDD, t, x, x);
    pool_operand(e, UINT64_MAX, UINT64_MAX, PADDD, t, t);
}

/* u = lanes of t up to limit; t is kept. */
static void select_low(struct emit *e, unsigned u, unsigned t, uint64_t limit)
{
    pool_operand(e, limit, limit, PMINUD, u, t);
    emit_sse_rrr(&e->a, PCMPEQD, u, u, t);
}

static uint8_t *jump_if_any(struct emit *e, unsigned mask, unsigned temp)
{
    emit_sse_rr(&e->a, 0x50 | OP_0F, temp, mask); /* movmskps */
    emit_test_rr(&e->a, 0, temp, temp);
    return emit_jcc(&e->a, CC_NE);
}

static bool needs_check(struct emit *e, const struct ir_insn *insn, unsigned k)
{
    for (unsigned j = 0; j < k; j++)
        if (insn->arg[j] == insn->arg[k])
            return false;
    return !is_flushed(e, insn->arg[k]);
}

/* u = lanes where an operand is denormal; false: none can be. */
static bool select_operands(struct emit *e, const struct ir_insn *insn, const uint8_t *regs,
                            unsigned t, unsigned u)
{
    bool any = false;
    for (unsigned k = 0; k < ir_op_info[insn->op].n_args; k++) {
        if (!needs_check(e, insn, k))
            continue;
        rank_lanes(e, any ? u : t, regs[k]);
        if (any)
            emit_sse_rrr(&e->a, PMINUD, t, t, u);
        any = true;
    }
    if (any)
        select_low(e, u, t, DENORMAL_LIMIT);
    return any;
}

static bool is_product(unsigned op)
{
    return op == IR_VFMUL || op == IR_VFMA;
}

static void operate(struct emit *e, unsigned op, unsigned dst, const uint8_t *regs)
{
    static const uint8_t opcode_of[3] = {0x58, 0x5c, 0x59};
    if (op == IR_VFMA) {
        emit_movaps(&e->a, dst, regs[2]);
        emit_vex_rr(&e->a, Q(0xb8), dst, regs[0], regs[1]);
    } else {
        emit_sse_rrr(&e->a, opcode_of[op - IR_VFADD] | OP_0F, dst, regs[0], regs[1]);
    }
}

/* t = lanes that compare unordered with themselves, or-ed into u. */
static void add_unordered(struct emit *e, unsigned u, unsigned t, unsigned x)
{
    emit_sse_rrr(&e->a, 0xc2 | OP_0F, t, x, x); /* cmpps */
    put8(&e->a, CMP_UNORDERED);
    emit_sse_rrr(&e->a, POR, u, u, t);
}

/* "Inexact" was not known to be set: look again; if it is not, do the whole op with the control
 * word of before at hand. A zero product may have been an underflow, too. */
void cold_vector_exact(struct emit *e, const struct cold *cold)
{
    const struct ir_insn *insn = &e->u->insns[cold->op];
    const uint8_t regs[3] = {cold->desc.address, cold->desc.value, cold->desc.extra};
    unsigned dst = cold->desc.result, t = cold->vector[0], u = cold->vector[1];
    struct mem mxcsr = run_mem(e, offsetof(struct run_state, mxcsr));
    bind_here(&e->a, cold->unaligned_from);
    emit_rm(&e->a, 0xae | OP_0F, 3, mxcsr); /* stmxcsr */
    emit_rm_imm(&e->a, 0xf6, 0, mxcsr, 1);
    put8(&e->a, MXCSR_INEXACT);
    bind_to(emit_jcc(&e->a, CC_NE), cold->access);
    uint8_t *abnormal[2] = {NULL, NULL};
    if (select_operands(e, insn, regs, t, u))
        abnormal[0] = jump_if_any(e, u, cold->entry);
    operate(e, insn->op, dst, regs);
    emit_sse_rrr(&e->a, PADDD, t, dst, dst);
    select_low(e, u, t, ZERO_LIMIT);
    add_unordered(e, u, t, dst);
    abnormal[1] = jump_if_any(e, u, cold->entry);
    emit_rm(&e->a, 0xae | OP_0F, 3, mxcsr);
    bind_to(emit_jmp(&e->a), cold->back);
    bind_here(&e->a, abnormal[1]);
    emit_rm(&e->a, 0xae | OP_0F, 2, mxcsr); /* ldmxcsr: takes the flags back */
    if (abnormal[0])
        bind_here(&e->a, abnormal[0]);
}

static void vector_fp_inline(struct emit *e, const struct slow_desc *d)
{
    emit_call_to(&e->a, e->s->thunk.slow_xmm);
    uint8_t *over = emit_jmp(&e->a);
    memcpy(e->a.p, d, sizeof(*d));
    e->a.p += sizeof(*d);
    bind_here(&e->a, over);
}

void emit_vector_fp(struct emit *e, const struct ir_insn *insn)
{
    unsigned n = ir_op_info[insn->op].n_args;
    uint8_t regs[3] = {NO_REG, NO_REG, NO_REG};
    uint32_t avoid = 0;
    before_function(e);
    for (unsigned k = 0; k < n; k++) {
        regs[k] = (uint8_t)use_xmm(e, insn->arg[k]);
        avoid |= 1u << regs[k];
    }
    unsigned t = alloc_xmm(e), u = alloc_xmm(e), temp = alloc_temp(e);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, avoid);
    struct slow_desc d = {.kind = SLOW_VECTOR_FP,
                          .type = IR_V128,
                          .result = (uint8_t)dst,
                          .address = regs[0],
                          .value = regs[1],
                          .extra = regs[2],
                          .length = insn->op,
                          .sub = insn->sub};
    if ((insn->sub & 3) != IR_LANE32 || (insn->op == IR_VFMA && !(e->features & HOST_FMA))) {
        vector_fp_inline(e, &d);
        return;
    }
    struct cold *cold = cold_add(e, COLD_FP);
    cold->desc = d;
    cold->op = e->here;
    cold->entry = (uint8_t)temp;
    cold->vector[0] = (uint8_t)t;
    cold->vector[1] = (uint8_t)u;
    if (is_product(insn->op)) {
        emit_rm_imm(&e->a, 0xf6, 0, run_mem(e, offsetof(struct run_state, mxcsr)), 1); /* test */
        put8(&e->a, MXCSR_INEXACT);
        cold->unaligned_from = emit_jcc(&e->a, CC_E);
        cold->access = e->a.p;
    }
    if (select_operands(e, insn, regs, t, u))
        cold->from[0] = jump_if_any(e, u, temp);
    operate(e, insn->op, dst, regs);
    rank_lanes(e, t, dst);
    select_low(e, u, t, DENORMAL_LIMIT);
    add_unordered(e, u, t, dst);
    cold->from[1] = jump_if_any(e, u, temp);
    cold->back = e->a.p;
}

void emit_vector_flush(struct emit *e, const struct ir_insn *insn)
{
    before_function(e);
    unsigned a = use_xmm(e, insn->arg[0]), t = alloc_xmm(e), u = alloc_xmm(e), temp = alloc_temp(e);
    const uint8_t regs[3] = {(uint8_t)a, NO_REG, NO_REG};
    end_uses(e);
    unsigned dst = def_xmm(e, a, 1u << t | 1u << u);
    struct slow_desc d = {.kind = SLOW_VECTOR_FP,
                          .type = IR_V128,
                          .result = (uint8_t)dst,
                          .address = (uint8_t)a,
                          .value = NO_REG,
                          .extra = NO_REG,
                          .length = insn->op,
                          .sub = insn->sub};
    if ((insn->sub & 3) != IR_LANE32) {
        vector_fp_inline(e, &d);
        return;
    }
    if (select_operands(e, insn, regs, t, u)) {
        struct cold *cold = cold_add(e, COLD_FP);
        cold->desc = d;
        cold->from[0] = jump_if_any(e, u, temp);
        emit_movaps(&e->a, dst, a);
        cold->back = e->a.p;
    } else {
        emit_movaps(&e->a, dst, a);
    }
}
