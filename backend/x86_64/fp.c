/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalar floating point: the host's operation, then a cheap test of the result. What the contract
 * in ir.h wants from the guest's function (NaN, smallest normal) goes to a cold stub. Where the
 * guest flushes, the test also catches zeros and denormals, which the stub sorts out.
 */
#include "backend/x86_64/x86_64.h"

enum { PS_MOVE = 0x6e | OP_0F | OP_66, PS_GET = 0x7e | OP_0F | OP_66 };

static bool is_double(unsigned type)
{
    return type == IR_F64;
}

static unsigned scalar_prefix(unsigned type)
{
    return is_double(type) ? OP_F2 : OP_F3;
}

/* The functions may change fields: values that only live in those are loaded
 * first. */
static void before_function(struct emit *e)
{
    if (e->u->fp && e->u->fp->groups)
        forget_groups(e, e->u->fp->groups);
    else
        forget_integer_fields(e);
}

static struct slow_desc describe(struct emit *e, const struct ir_insn *insn, const uint8_t *regs,
                                 unsigned dst)
{
    unsigned from = e->u->insns[insn->arg[0]].type;
    return (struct slow_desc){.kind = SLOW_FP,
                              .type = insn->type,
                              .result = (uint8_t)dst,
                              .address = regs[0],
                              .value = regs[1],
                              .extra = regs[2],
                              .memop = (uint16_t)(insn->type | from << 8),
                              .length = insn->op,
                              .sub = insn->sub};
}

static void use_operands(struct emit *e, const struct ir_insn *insn, uint8_t *regs)
{
    for (unsigned k = 0; k < 3; k++)
        regs[k] = NO_REG;
    for (unsigned k = 0; k < ir_op_info[insn->op].n_args; k++) {
        unsigned type = e->u->insns[insn->arg[k]].type;
        regs[k] = (uint8_t)(type == IR_I32 || type == IR_I64 ? use_gpr(e, insn->arg[k])
                                                             : use_xmm(e, insn->arg[k]));
    }
}

static uint32_t mask_of(const uint8_t *regs)
{
    uint32_t mask = 0;
    for (unsigned k = 0; k < 3; k++)
        mask |= regs[k] != NO_REG ? 1u << regs[k] : 0;
    return mask;
}

/* The guest's function does it, always. */
static void call_function(struct emit *e, const struct ir_insn *insn)
{
    uint8_t regs[3];
    bool general = insn->type == IR_I32 || insn->type == IR_I64;
    before_function(e);
    use_operands(e, insn, regs);
    end_uses(e);
    unsigned dst = general ? alloc_temp(e) : alloc_xmm(e);
    emit_call_to(&e->a, e->s->thunk.slow_xmm);
    uint8_t *over = emit_jmp(&e->a);
    struct slow_desc d = describe(e, insn, regs, dst);
    memcpy(e->a.p, &d, sizeof(d));
    e->a.p += sizeof(d);
    bind_here(&e->a, over);
    def_in(e, dst);
}

static struct cold *add_cold(struct emit *e, const struct ir_insn *insn, const uint8_t *regs,
                             unsigned dst)
{
    struct cold *cold = cold_add(e, COLD_FP);
    cold->desc = describe(e, insn, regs, dst);
    return cold;
}

/* Leaves for the function if x is denormal: doubled less one it has no exponent left. */
static void check_denormal(struct emit *e, struct cold *cold, unsigned slot, unsigned type,
                           unsigned x, unsigned temp)
{
    unsigned w = is_double(type) ? OP_W : 0;
    emit_sse_rr(&e->a, PS_GET | w, x, temp);
    emit_lea(&e->a, w, temp, mem_index(temp, temp, 0, -1));
    emit_shift_i(&e->a, w, SHIFT_SHR, temp, w ? 53 : 24);
    cold->from[slot] = emit_jcc(&e->a, CC_E);
}

/* Sums, differences, roots and widened numbers are never rounded in the denormal range (a sum of
 * two numbers that lies there is a multiple of the smallest denormal): only a NaN differs. */
static bool is_never_tiny(const struct ir_insn *insn)
{
    return insn->op == IR_FADD || insn->op == IR_FSUB || insn->op == IR_FSQRT ||
           (insn->op == IR_FCVT && is_double(insn->type));
}

/* Rounding may have raised "inexact" where a guest that flushes would not have. */
static bool may_be_tiny(const struct ir_insn *insn)
{
    return insn->op == IR_FMUL || insn->op == IR_FDIV || insn->op == IR_FMA ||
           (insn->op == IR_FCVT && !is_double(insn->type));
}

/* Not a denormal that was not seen to. */
static bool is_flushed(struct emit *e, ir_ref ref)
{
    const struct ir_insn *insn = &e->u->insns[ref];
    if (insn->op == IR_FNEG || insn->op == IR_FABS)
        insn = &e->u->insns[insn->arg[0]];
    switch (insn->op) {
    case IR_I2F:
        return true;
    case IR_CONST:
        return !(insn->imm << 1) ||
               (is_double(insn->type) ? insn->imm >> 52 & 0x7ff : insn->imm >> 23 & 0xff);
    default:
        return insn->op >= IR_FADD && insn->op <= IR_FMA && (insn->sub & IR_FP_FLUSH);
    }
}

/* What must be known before an operation whose flags cannot be taken back: vector.c has the
 * reasons. */
static void check_before_flushing(struct emit *e, struct cold *cold, const struct ir_insn *insn,
                                  const uint8_t *regs, unsigned temp)
{
    unsigned type = e->u->insns[insn->arg[0]].type;
    if (may_be_tiny(insn)) {
        emit_rm_imm(&e->a, 0xf6, 0, run_mem(e, offsetof(struct run_state, mxcsr)), 1); /* test */
        put8(&e->a, MXCSR_INEXACT);
        cold->inexact_from = emit_jcc(&e->a, CC_E);
        cold->access = e->a.p;
    }
    for (unsigned k = 0; k < ir_op_info[insn->op].n_args; k++)
        if (!is_flushed(e, insn->arg[k]) && !(k && insn->arg[k] == insn->arg[k - 1]))
            check_denormal(e, cold, k + 1, type, regs[k], temp);
}

static void check_nan(struct emit *e, struct cold *cold, unsigned type, unsigned dst)
{
    emit_sse_rr(&e->a, 0x2e | OP_0F | (is_double(type) ? OP_66 : 0), dst, dst); /* ucomis */
    cold->from[0] = emit_jcc(&e->a, CC_P);
    cold->back = e->a.p;
}

/* Leaves for the function if the result is a NaN or the smallest normal number: both compare as
 * equal to that. Zeros are too common for a jump that is taken for them. */
static void check_smallest(struct emit *e, struct cold *cold, unsigned type, unsigned dst,
                           unsigned t)
{
    uint64_t magnitude = is_double(type) ? INT64_MAX : INT32_MAX;
    uint64_t smallest = is_double(type) ? UINT64_C(1) << 52 : UINT64_C(1) << 23;
    pool_operand(e, magnitude, 0, 0x54 | OP_0F, t, dst);                              /* andps */
    pool_operand(e, smallest, 0, 0x2e | OP_0F | (is_double(type) ? OP_66 : 0), t, 0); /* ucomis */
    cold->from[0] = emit_jcc(&e->a, CC_E);
    cold->back = e->a.p;
}

/* Leaves for the cold stub below if the result is zero, denormal or not a number. */
static void check_flushed(struct emit *e, struct cold *cold, unsigned type, unsigned dst,
                          unsigned temp)
{
    cold->entry = (uint8_t)temp;
    if (is_double(type)) {
        emit_sse_rr(&e->a, PS_GET | OP_W, dst, temp);
        emit_shift_i(&e->a, OP_W, SHIFT_SHR, temp, 32);
        emit_lea(&e->a, 0, temp, mem_index(temp, temp, 0, -0x00200001));
        emit_alu_ri(&e->a, 0, ALU_CMP, temp, (int32_t)0xffbfffff);
    } else {
        emit_sse_rr(&e->a, PS_GET, dst, temp);
        emit_lea(&e->a, 0, temp, mem_index(temp, temp, 0, -0x01000001));
        emit_alu_ri(&e->a, 0, ALU_CMP, temp, (int32_t)0xfe000000);
    }
    cold->unaligned_from = emit_jcc(&e->a, CC_AE);
    cold->back = e->a.p;
}

/* t: an XMM register */
static void check_result(struct emit *e, struct cold *cold, const struct ir_insn *insn,
                         unsigned dst, unsigned temp, unsigned t)
{
    bool flush = insn->sub & IR_FP_FLUSH;
    bool widens = insn->op == IR_FCVT && is_double(insn->type);
    if (insn->op == IR_FSQRT || widens || (!flush && is_never_tiny(insn)))
        check_nan(e, cold, insn->type, dst);
    else if (flush)
        check_flushed(e, cold, insn->type, dst, temp);
    else
        check_smallest(e, cold, insn->type, dst, t);
}

/* Of what check_flushed let through here: zeros and infinities go back, denormals and NaNs on to
 * the function. */
void cold_fp_sort(struct emit *e, const struct cold *cold)
{
    unsigned temp = cold->entry, dst = cold->desc.result;
    unsigned w = is_double(cold->desc.type) ? OP_W : 0;
    struct mem mxcsr = run_mem(e, offsetof(struct run_state, mxcsr));
    uint8_t *unknown = NULL;
    if (cold->inexact_from) { /* look again */
        bind_here(&e->a, cold->inexact_from);
        emit_rm(&e->a, 0xae | OP_0F, 3, mxcsr); /* stmxcsr */
        emit_rm_imm(&e->a, 0xf6, 0, mxcsr, 1);
        put8(&e->a, MXCSR_INEXACT);
        bind_to(emit_jcc(&e->a, CC_NE), cold->access);
        unknown = emit_jmp(&e->a);
    }
    bind_here(&e->a, cold->unaligned_from);
    emit_sse_rr(&e->a, PS_GET | w, dst, temp);
    emit_lea(&e->a, w, temp, mem_index(temp, temp, 0, -1));
    emit_shift_i(&e->a, w, SHIFT_SHR, temp, w ? 53 : 24);
    uint8_t *tiny = emit_jcc_short(&e->a, CC_E);
    emit_sse_rr(&e->a, 0x2e | OP_0F | (w ? OP_66 : 0), dst, dst);
    bind_to(emit_jcc(&e->a, CC_NP), cold->back);
    bind_short(&e->a, tiny);
    if (unknown)
        bind_here(&e->a, unknown);
}

static void emit_fma(struct emit *e, const struct ir_insn *insn, unsigned dst, const uint8_t *regs)
{
    emit_movaps(&e->a, dst, regs[2]);
    emit_vex_rr(&e->a, 0xb9 | OP_0F38 | OP_66 | (is_double(insn->type) ? OP_W : 0), dst, regs[0],
                regs[1]); /* vfmadd231 */
}

void emit_fp(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t opcode_of[] = {0x58, 0x5c, 0x59, 0x5e, 0x51};
    uint8_t regs[3];
    if ((insn->sub & IR_FP_STANDARD) || (insn->op == IR_FMA && !(e->features & HOST_FMA))) {
        call_function(e, insn);
        return;
    }
    before_function(e);
    use_operands(e, insn, regs);
    unsigned temp = alloc_temp(e), t = alloc_xmm(e);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, mask_of(regs));
    struct cold *cold = add_cold(e, insn, regs, dst);
    if (insn->sub & IR_FP_FLUSH)
        check_before_flushing(e, cold, insn, regs, temp);
    unsigned opcode =
        opcode_of[insn->op == IR_FMA ? 0 : insn->op - IR_FADD] | OP_0F | scalar_prefix(insn->type);
    if (insn->op == IR_FMA)
        emit_fma(e, insn, dst, regs);
    else if (insn->op == IR_FSQRT)
        emit_sse_rrr(&e->a, opcode, dst, regs[0], regs[0]);
    else
        emit_sse_rrr(&e->a, opcode, dst, regs[0], regs[1]);
    check_result(e, cold, insn, dst, temp, t);
}

void emit_fp_sign(struct emit *e, const struct ir_insn *insn)
{
    uint64_t mask = is_double(insn->type) ? UINT64_C(1) << 63 : UINT64_C(0x80000000);
    unsigned op = 0x57; /* xorps */
    if (insn->op == IR_FABS) {
        mask = is_double(insn->type) ? ~mask : UINT64_C(0x7fffffff);
        op = 0x54; /* andps */
    }
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, a, 0);
    pool_operand(e, mask, 0, op | OP_0F, dst, a);
}

void emit_fcmp(struct emit *e, const struct ir_insn *insn)
{
    uint8_t regs[3];
    unsigned type = e->u->insns[insn->arg[0]].type;
    before_function(e);
    use_operands(e, insn, regs);
    unsigned dst = alloc_temp(e), temp = alloc_temp(e);
    struct cold *cold = add_cold(e, insn, regs, dst);
    if (insn->sub & (IR_FP_FLUSH | IR_FP_STANDARD)) {
        check_denormal(e, cold, 1, type, regs[0], temp);
        check_denormal(e, cold, 2, type, regs[1], temp);
    }
    unsigned opcode = (insn->sub & IR_FP_SIGNAL_QNAN ? 0x2f : 0x2e) | OP_0F;
    emit_sse_rr(&e->a, opcode | (is_double(type) ? OP_66 : 0), regs[0], regs[1]);
    cold->from[0] = emit_jcc(&e->a, CC_P);
    emit_mov_imm(&e->a, dst, IR_FCMP_GT);
    emit_mov_imm(&e->a, temp, IR_FCMP_EQ);
    emit_rr(&e->a, 0x40 | CC_E | OP_0F, dst, temp);
    emit_mov_imm(&e->a, temp, IR_FCMP_LT);
    emit_rr(&e->a, 0x40 | CC_B | OP_0F, dst, temp);
    cold->back = e->a.p;
    end_uses(e);
    def_in(e, dst);
}

void emit_fcvt(struct emit *e, const struct ir_insn *insn)
{
    uint8_t regs[3];
    unsigned from = e->u->insns[insn->arg[0]].type;
    if (insn->sub & IR_FP_STANDARD) {
        call_function(e, insn);
        return;
    }
    before_function(e);
    use_operands(e, insn, regs);
    unsigned temp = alloc_temp(e), t = alloc_xmm(e);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, mask_of(regs));
    struct cold *cold = add_cold(e, insn, regs, dst);
    if (insn->sub & IR_FP_FLUSH)
        check_before_flushing(e, cold, insn, regs, temp);
    /* The upper part of dst does not matter, but a false dependency on it would:
     * break it. */
    emit_sse_rrr(&e->a, 0x5a | OP_0F | scalar_prefix(from), dst, regs[0], regs[0]);
    check_result(e, cold, insn, dst, temp, t);
}

/* Out of the signed range (or negative, or NaN): before the conversion could
 * raise a flag. */
static void check_unsigned_operand(struct emit *e, struct cold *cold, unsigned type, unsigned a,
                                   unsigned temp, bool wide)
{
    bool d = is_double(type);
    uint64_t limit = wide ? (d ? UINT64_C(0x43e0000000000000) : 0x5f000000)
                          : (d ? UINT64_C(0x41e0000000000000) : 0x4f000000);
    unsigned w = d ? OP_W : 0;
    emit_sse_rr(&e->a, PS_GET | w, a, temp);
    if (d) { /* as integers: negative ones are large, NaNs too */
        unsigned shift = 52;
        emit_shift_i(&e->a, OP_W, SHIFT_SHR, temp, shift);
        emit_alu_ri(&e->a, 0, ALU_CMP, temp, (int32_t)(limit >> shift));
    } else {
        emit_alu_ri(&e->a, 0, ALU_CMP, temp, (int32_t)limit);
    }
    cold->from[0] = emit_jcc(&e->a, CC_AE);
}

void emit_f2i(struct emit *e, const struct ir_insn *insn)
{
    uint8_t regs[3];
    unsigned from = e->u->insns[insn->arg[0]].type, w = op_w(insn->type);
    before_function(e);
    use_operands(e, insn, regs);
    unsigned dst = alloc_temp(e);
    struct cold *cold = add_cold(e, insn, regs, dst);
    if (insn->sub & IR_F2I_FLUSH)
        check_denormal(e, cold, 1, from, regs[0], dst);
    if (insn->sub & IR_F2I_UNSIGNED)
        check_unsigned_operand(e, cold, from, regs[0], dst, w);
    unsigned opcode = insn->sub & IR_F2I_TRUNCATE ? 0x2c : 0x2d;
    emit_sse_rr(&e->a, opcode | OP_0F | scalar_prefix(from) | w, dst, regs[0]);
    if (!(insn->sub & IR_F2I_UNSIGNED)) {
        /* "integer indefinite" is the only value from which 1 can be subtracted
         * with overflow */
        emit_alu_ri(&e->a, w, ALU_CMP, dst, 1);
        cold->from[0] = emit_jcc(&e->a, CC_O);
    }
    cold->back = e->a.p;
    end_uses(e);
    def_in(e, dst);
}

void emit_i2f(struct emit *e, const struct ir_insn *insn)
{
    unsigned from = e->u->insns[insn->arg[0]].type;
    bool is_unsigned = insn->sub & 1;
    if (is_unsigned && from == IR_I64) {
        call_function(e, insn);
        return;
    }
    unsigned w = from == IR_I64 || is_unsigned ? OP_W : 0; /* I32 is zero-extended in registers */
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, 0);
    emit_sse_rrr(&e->a, 0x57 | OP_0F, dst, dst, dst);
    emit_sse_rrr(&e->a, 0x2a | OP_0F | scalar_prefix(insn->type) | w, dst, dst, a);
}

void emit_bitcast(struct emit *e, const struct ir_insn *insn)
{
    unsigned from = e->u->insns[insn->arg[0]].type;
    bool wide = from == IR_I64 || from == IR_F64;
    unsigned w = wide ? OP_W : 0;
    bool to_general = insn->type == IR_I32 || insn->type == IR_I64;
    if (from == IR_I32 || from == IR_I64) {
        unsigned a = use_gpr(e, insn->arg[0]);
        end_uses(e);
        emit_sse_rr(&e->a, PS_MOVE | w, def_xmm(e, NO_REG, 0), a);
        return;
    }
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    if (to_general) {
        emit_sse_rr(&e->a, PS_GET | w, a, def_reg(e, NO_REG, 0));
    } else if (wide) { /* F64 -> V128: what is above the scalar must go */
        emit_sse_rr(&e->a, 0x7e | OP_0F | OP_F3, def_xmm(e, a, 0), a);
    } else {
        unsigned dst = def_xmm(e, NO_REG, 1u << a); /* blend with zero: insertps clears the rest */
        if (e->a.avx)
            emit_vex_rr(&e->a, 0x21 | OP_0F3A | OP_66, dst, a, a);
        else
            emit_rr(&e->a, 0x21 | OP_0F3A | OP_66, dst, a);
        put8(&e->a, 0x0e); /* source lane 0 to lane 0, zero 1..3 */
    }
}
