/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic, shifts, bit fields and conversions. */
#include "backend/x86_64/x86_64.h"

/* The operand size of an insn whose upper half comes from its operands' alone. */
static unsigned operation_w(const struct emit *e, const struct ir_insn *insn)
{
    return is_low_half(e, e->here) ? 0 : op_w(insn->type);
}

static void alu_operand(struct emit *e, unsigned w, enum alu op, unsigned dst, struct operand b)
{
    if (b.kind == OPERAND_IMM)
        emit_alu_ri(&e->a, w, op, dst, b.imm);
    else if (b.kind == OPERAND_MEM)
        emit_alu_rm(&e->a, w, op, dst, b.mem);
    else
        emit_alu_rr(&e->a, w, op, dst, b.reg);
}

/* Only the flags are wanted: cmp or test. */
static void emit_compare(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type);
    bool same = insn->arg[0] == insn->arg[1];
    bool sign = e->value[e->here].flag_conds & ~(1u << (IR_Z >> 1));
    struct operand b = {.kind = OPERAND_REG};
    struct operand a = use_operand(e, insn->arg[0]);
    if (a.kind == OPERAND_IMM)
        a = (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)use_gpr(e, insn->arg[0])};
    if (!same)
        b = use_operand(e, insn->arg[1]);
    if (a.kind == OPERAND_MEM && b.kind == OPERAND_IMM && insn->op == IR_SUB) {
        emit_alu_mi(&e->a, w, ALU_CMP, a.mem, b.imm);
    } else {
        if (a.kind == OPERAND_MEM)
            a.reg = (uint8_t)use_gpr(e, insn->arg[0]);
        if (same)
            b.reg = a.reg;
        bool zero = insn->op == IR_SUB && b.kind == OPERAND_IMM && b.imm == 0;
        if (zero)
            emit_test_rr(&e->a, w, a.reg, a.reg);
        else if (insn->op == IR_SUB)
            alu_operand(e, w, ALU_CMP, a.reg, b);
        else if (b.kind == OPERAND_IMM)
            emit_test_ri(&e->a, w, a.reg, b.imm, sign);
        else if (b.kind == OPERAND_MEM)
            emit_rm(&e->a, 0x85 | w, a.reg, b.mem);
        else
            emit_test_rr(&e->a, w, a.reg, b.reg);
    }
    end_uses(e);
    flags_produced(e);
}

/* ADD and SUB of a constant or register whose flags nobody wants. */
static bool emit_lea_sum(struct emit *e, const struct ir_insn *insn, unsigned dst, unsigned left,
                         struct operand b)
{
    unsigned w = operation_w(e, insn);
    if (b.kind == OPERAND_MEM || (insn->op == IR_SUB && b.kind != OPERAND_IMM))
        return false;
    if (b.kind == OPERAND_IMM) {
        int64_t disp = insn->op == IR_SUB ? -(int64_t)b.imm : b.imm;
        if (disp != (int32_t)disp)
            return false;
        emit_lea(&e->a, w, dst, mem_at(left, (int32_t)disp));
        return true;
    }
    unsigned base = left, index = b.reg;
    if ((base & 7) == RBP) { /* such a base costs a displacement byte */
        base = b.reg;
        index = left;
    }
    emit_lea(&e->a, w, dst, mem_index(base, index, 0, 0));
    return true;
}

static void emit_andn(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type);
    unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    /* andn leaves P and A undefined */
    unsigned parity = WANT_ALL | 1u << (IR_P >> 1);
    if ((e->features & HOST_BMI1) && !(e->value[e->here].flag_conds & parity)) {
        end_uses(e);
        unsigned dst = def_reg(e, a, 0);
        emit_vex_rr(&e->a, 0xf2 | OP_0F38 | w, dst, b, a);
    } else {
        unsigned temp = alloc_temp(e);
        end_uses(e);
        emit_mov_rr(&e->a, w, temp, b);
        emit_rr(&e->a, 0xf7 | w, 2, temp);
        emit_alu_rr(&e->a, w, ALU_AND, temp, a);
        def_in(e, temp);
    }
    flags_produced(e);
}

static void emit_multiply(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = operation_w(e, insn);
    unsigned a = use_gpr(e, insn->arg[0]);
    struct operand b = use_operand(e, insn->arg[1]);
    end_uses(e);
    if (b.kind == OPERAND_IMM) {
        unsigned dst = def_reg(e, a, 0);
        bool small = b.imm == (int8_t)b.imm;
        emit_rr(&e->a, (small ? 0x6b : 0x69) | w, dst, a);
        if (small)
            put8(&e->a, (uint8_t)b.imm);
        else
            put32(&e->a, (uint32_t)b.imm);
        return;
    }
    uint32_t avoid = b.kind == OPERAND_REG && b.reg != a ? 1u << b.reg : 0;
    if (b.kind == OPERAND_REG && e->value[e->here].want == b.reg) { /* commutes */
        unsigned swap = a;
        a = b.reg;
        b.reg = (uint8_t)swap;
        avoid = 0;
    }
    unsigned dst = def_reg(e, a, avoid);
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    if (b.kind == OPERAND_MEM)
        emit_rm(&e->a, 0xaf | OP_0F | w, dst, b.mem);
    else
        emit_rr(&e->a, 0xaf | OP_0F | w, dst, b.reg == a ? dst : b.reg);
}

static void emit_unary(struct emit *e, const struct ir_insn *insn, unsigned slash)
{
    unsigned w = operation_w(e, insn);
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_reg(e, a, 0);
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    emit_rr(&e->a, 0xf7 | w, slash, dst);
}

/* base + (index << n) + constant, of which the parts have no code of their own. */
static void emit_sum_of_parts(struct emit *e, const struct ir_insn *insn)
{
    ir_ref sum = e->here;
    int32_t disp = 0;
    if (e->value[insn->arg[0]].folded && e->u->insns[insn->arg[0]].op == IR_ADD) {
        sum = insn->arg[0];
        disp = (int32_t)e->u->insns[insn->arg[1]].imm;
    }
    struct sum_parts parts = parts_of_sum(e, sum);
    unsigned base_reg = use_gpr(e, parts.base), index_reg = use_gpr(e, parts.index);
    end_uses(e);
    emit_lea(&e->a, op_w(insn->type), def_reg(e, base_reg, 0),
             mem_index(base_reg, index_reg, parts.shift, disp));
}

void emit_integer(struct emit *e, const struct ir_insn *insn)
{
    if (insn->op == IR_ADD && (e->value[insn->arg[0]].folded || e->value[insn->arg[1]].folded)) {
        emit_sum_of_parts(e, insn);
        return;
    }
    if (insn->sub && insn->op <= IR_XOR) {
        emit_narrow_integer(e, insn);
        return;
    }
    static const uint8_t alu_of[IR_N_OPS] = {
        [IR_ADD] = ALU_ADD, [IR_SUB] = ALU_SUB, [IR_AND] = ALU_AND,
        [IR_OR] = ALU_OR,   [IR_XOR] = ALU_XOR,
    };
    switch (insn->op) {
    case IR_ANDN:
        emit_andn(e, insn);
        return;
    case IR_MUL:
        emit_multiply(e, insn);
        return;
    case IR_NOT:
        emit_unary(e, insn, 2);
        return;
    case IR_NEG:
        emit_unary(e, insn, 3);
        return;
    default:
        break;
    }
    if (emit_sum_with_carry(e, insn))
        return;
    const struct value *v = &e->value[e->here];
    if (e->u->insns[insn->arg[1]].op == IR_CONST && (insn->op == IR_ADD || insn->op == IR_SUB))
        e->sum[e->n_sums++ % ARRAY_SIZE(e->sum)] = e->here;
    if (!v->last_use && (insn->op == IR_SUB || insn->op == IR_AND)) {
        emit_compare(e, insn);
        return;
    }
    enum alu op = (enum alu)alu_of[insn->op];
    bool commutes = insn->op != IR_SUB;
    unsigned w = operation_w(e, insn);
    unsigned a = use_gpr(e, insn->arg[0]);
    struct operand b = use_operand(e, insn->arg[1]);
    bool keep_flags = e->eflags && !insn_clobbers_flags(e, e->here) && flags_matter(e);
    if (keep_flags && b.kind == OPERAND_MEM)
        b = (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)use_gpr(e, insn->arg[1])};
    end_uses(e);
    unsigned want = v->want;
    if (b.kind == OPERAND_REG && commutes && b.reg != a &&
        (want == b.reg ||
         (want != a && e->reg_value[a] && !e->reg_value[b.reg] && (TEMP_MASK >> b.reg & 1)))) {
        unsigned swap = a;
        a = b.reg;
        b.reg = (uint8_t)swap;
    }
    uint32_t avoid = b.kind == OPERAND_REG && b.reg != a ? 1u << b.reg : 0;
    unsigned dst = def_reg(e, a, avoid);
    if (!v->flag_last && (dst != a || keep_flags) && (insn->op == IR_ADD || insn->op == IR_SUB) &&
        emit_lea_sum(e, insn, dst, a, b))
        return;
    bool same = b.kind == OPERAND_REG && b.reg == a;
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    if (same)
        b.reg = (uint8_t)dst;
    if (keep_flags) /* a displacement lea cannot express */
        flags_clobber(e);
    alu_operand(e, w, op, dst, b);
    flags_produced(e);
}

/* ---- shifts
 * ------------------------------------------------------------------------------------
 */

static void shift_by_constant(struct emit *e, const struct ir_insn *insn, enum shift op,
                              unsigned amount)
{
    unsigned w = op_w(insn->type);
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_reg(e, a, 0);
    if (op == SHIFT_ROR && dst != a && (e->features & HOST_BMI2) && amount) {
        emit_vex_rr(&e->a, 0xf0 | OP_0F3A | OP_F2 | w, dst, 0, a); /* rorx */
        put8(&e->a, amount);
        return;
    }
    if (op == SHIFT_SHL && dst != a && amount == 1) {
        emit_lea(&e->a, w, dst, mem_index(a, a, 0, 0));
        return;
    }
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    if (amount)
        emit_shift_i(&e->a, w, op, dst, amount);
    else if (!w && dst == a) /* its upper half may not be clear */
        emit_mov_rr(&e->a, 0, dst, dst);
}

void emit_shift(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t shift_of[4] = {SHIFT_SHL, SHIFT_SHR, SHIFT_SAR, SHIFT_ROR};
    static const uint16_t prefix_of[3] = {OP_66, OP_F2, OP_F3}; /* shlx, shrx, sarx */
    unsigned index = insn->op - IR_SHL;
    enum shift op = (enum shift)shift_of[index];
    unsigned w = op_w(insn->type);
    uint64_t amount;
    if (is_constant(e, insn->arg[1], &amount)) {
        shift_by_constant(e, insn, op, (unsigned)amount & (w ? 63 : 31));
        return;
    }
    if (insn->op != IR_ROR && (e->features & HOST_BMI2)) {
        unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
        end_uses(e);
        unsigned dst = def_reg(e, a, 0);
        emit_vex_rr(&e->a, 0xf7 | OP_0F38 | prefix_of[index] | w, dst, b, a);
        return;
    }
    alloc_take(e, RCX);
    unsigned a = use_gpr(e, insn->arg[0]);
    use_into(e, insn->arg[1], RCX);
    end_uses(e);
    unsigned dst = def_reg(e, a, 1u << RCX);
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    emit_rr(&e->a, 0xd3 | w, op, dst);
}

void emit_divide(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type);
    alloc_take(e, RAX);
    alloc_take(e, RDX);
    use_into(e, insn->arg[0], RAX);
    unsigned b = use_gpr(e, insn->arg[1]);
    end_uses(e);
    emit_test_rr(&e->a, w, b, b);
    uint8_t *zero = emit_jcc_short(&e->a, CC_E), *negate = NULL, *done2 = NULL;
    if (insn->op == IR_SDIV) {
        emit_alu_ri(&e->a, w, ALU_CMP, b, -1);
        negate = emit_jcc_short(&e->a, CC_E);
        emit_opcode(&e->a, 0x99 | w, w ? 8 : 0); /* cdq, cqo */
    } else {
        emit_alu_rr(&e->a, 0, ALU_XOR, RDX, RDX);
    }
    emit_rr(&e->a, 0xf7 | w, insn->op == IR_SDIV ? 7 : 6, b);
    uint8_t *done = emit_jmp_short(&e->a);
    if (negate) { /* MIN / -1 overflows on the host; its negation is MIN as asked
                     for */
        bind_short(&e->a, negate);
        emit_rr(&e->a, 0xf7 | w, 3, RAX);
        done2 = emit_jmp_short(&e->a);
    }
    bind_short(&e->a, zero);
    emit_alu_rr(&e->a, 0, ALU_XOR, RAX, RAX);
    bind_short(&e->a, done);
    if (done2)
        bind_short(&e->a, done2);
    def_in(e, RAX);
}

/* Is this the upper half of the other, extended by its sign (cdq, cqo)? */
static bool is_sign_of(struct emit *e, ir_ref high, ir_ref low)
{
    const struct ir_insn *insn = &e->u->insns[high];
    uint64_t count;
    return insn->op == IR_SAR && insn->arg[0] == low && is_constant(e, insn->arg[1], &count) &&
           count == (insn->type == IR_I64 ? 63 : 31);
}

/* The host's instruction, where it is sure to have a result that needs no thought: unsigned, the
 * upper half is below the divisor; signed, the number has the type's width. */
void emit_wide_divide(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type);
    uint64_t constant;
    bool zero = !insn->sub && is_constant(e, insn->arg[1], &constant) && !constant;
    bool extended = insn->sub && is_sign_of(e, insn->arg[1], insn->arg[0]);
    alloc_take(e, RAX);
    alloc_take(e, RDX);
    use_into(e, insn->arg[0], RAX);
    use_into(e, insn->arg[1], RDX);
    unsigned b = use_gpr(e, insn->arg[2]), sign = NO_REG;
    if (insn->sub && !extended)
        sign = alloc_temp(e);
    struct cold *cold = add_memory_cold(e, insn, SLOW_DIVIDE);
    cold->desc.sub = insn->sub;
    cold->desc.address = RAX;
    cold->desc.value = RDX;
    cold->desc.extra = (uint8_t)b;
    if (insn->sub || zero) {
        emit_test_rr(&e->a, w, b, b);
        cold_from(cold, emit_jcc(&e->a, CC_E));
    } else {
        emit_alu_rr(&e->a, w, ALU_CMP, RDX, b);
        cold_from(cold, emit_jcc(&e->a, CC_AE));
    }
    if (insn->sub) {
        emit_alu_ri(&e->a, w, ALU_CMP, b, -1);
        cold_from(cold, emit_jcc(&e->a, CC_E));
    }
    if (sign != NO_REG) {
        emit_mov_rr(&e->a, w, sign, RAX);
        emit_shift_i(&e->a, w, SHIFT_SAR, sign, w ? 63 : 31);
        emit_alu_rr(&e->a, w, ALU_CMP, sign, RDX);
        cold_from(cold, emit_jcc(&e->a, CC_NE));
    }
    emit_rr(&e->a, 0xf7 | w, insn->sub ? 7 : 6, b);
    cold->back = e->a.p;
    cold->xmm_live = e->vector_used != 0;
    end_uses(e);
    def_in(e, RAX);
}

/* Nothing has been emitted since the division. */
void emit_remainder(struct emit *e, const struct ir_insn *insn)
{
    end_uses(e);
    def_in(e, RDX);
}

/* ---- counting and reversing bits ------------------------------------------------------------- */

static void count_zeros(struct emit *e, const struct ir_insn *insn, unsigned dst, unsigned a)
{
    bool leading = insn->op == IR_CLZ;
    unsigned w = op_w(insn->type), width = w ? 64 : 32;
    if (e->features & (leading ? HOST_LZCNT : HOST_BMI1)) {
        emit_rr(&e->a, (leading ? 0xbd : 0xbc) | OP_0F | OP_F3 | w, dst, a);
        return;
    }
    /* bsr, bsf leave the destination alone when the source is 0: it is set before
     * (dst != a) */
    emit_mov_imm(&e->a, dst, leading ? 2 * width - 1 : width);
    emit_test_rr(&e->a, w, a, a);
    uint8_t *zero = emit_jcc_short(&e->a, CC_E);
    emit_rr(&e->a, (leading ? 0xbd : 0xbc) | OP_0F | w, dst, a);
    bind_short(&e->a, zero);
    if (leading)
        emit_alu_ri(&e->a, w, ALU_XOR, dst, (int32_t)width - 1);
}

/* x = (x & mask) << n | (x >> n) & mask */
static void swap_groups(struct emit *e, unsigned w, unsigned x, unsigned t, unsigned m,
                        uint64_t mask, unsigned n)
{
    emit_mov_imm(&e->a, m, mask);
    emit_mov_rr(&e->a, w, t, x);
    emit_shift_i(&e->a, w, SHIFT_SHR, t, n);
    emit_alu_rr(&e->a, w, ALU_AND, t, m);
    emit_alu_rr(&e->a, w, ALU_AND, x, m);
    emit_shift_i(&e->a, w, SHIFT_SHL, x, n);
    emit_alu_rr(&e->a, w, ALU_OR, x, t);
}

static void emit_bswap(struct emit *e, unsigned w, unsigned reg)
{
    emit_opcode(&e->a, (0xc8 | (reg & 7)) | OP_0F | w, (w ? 8 : 0) | reg >> 3);
}

static void reverse_bits(struct emit *e, const struct ir_insn *insn, unsigned x, unsigned t,
                         unsigned m)
{
    unsigned w = op_w(insn->type);
    uint64_t keep = w ? UINT64_MAX : UINT32_MAX;
    emit_bswap(e, w, x);
    swap_groups(e, w, x, t, m, UINT64_C(0x0f0f0f0f0f0f0f0f) & keep, 4);
    swap_groups(e, w, x, t, m, UINT64_C(0x3333333333333333) & keep, 2);
    swap_groups(e, w, x, t, m, UINT64_C(0x5555555555555555) & keep, 1);
}

/* SWAR population count (Hacker's Delight 5-1). */
static void count_ones(struct emit *e, const struct ir_insn *insn, unsigned x, unsigned t,
                       unsigned m)
{
    unsigned w = op_w(insn->type);
    uint64_t keep = w ? UINT64_MAX : UINT32_MAX;
    emit_mov_imm(&e->a, m, UINT64_C(0x5555555555555555) & keep);
    emit_mov_rr(&e->a, w, t, x);
    emit_shift_i(&e->a, w, SHIFT_SHR, t, 1);
    emit_alu_rr(&e->a, w, ALU_AND, t, m);
    emit_alu_rr(&e->a, w, ALU_SUB, x, t);
    emit_mov_imm(&e->a, m, UINT64_C(0x3333333333333333) & keep);
    emit_mov_rr(&e->a, w, t, x);
    emit_alu_rr(&e->a, w, ALU_AND, t, m);
    emit_shift_i(&e->a, w, SHIFT_SHR, x, 2);
    emit_alu_rr(&e->a, w, ALU_AND, x, m);
    emit_alu_rr(&e->a, w, ALU_ADD, x, t);
    emit_mov_rr(&e->a, w, t, x);
    emit_shift_i(&e->a, w, SHIFT_SHR, t, 4);
    emit_alu_rr(&e->a, w, ALU_ADD, x, t);
    emit_mov_imm(&e->a, m, UINT64_C(0x0f0f0f0f0f0f0f0f) & keep);
    emit_alu_rr(&e->a, w, ALU_AND, x, m);
    emit_mov_imm(&e->a, m, UINT64_C(0x0101010101010101) & keep);
    emit_rr(&e->a, 0xaf | OP_0F | w, x, m);
    emit_shift_i(&e->a, w, SHIFT_SHR, x, w ? 56 : 24);
}

void emit_bits(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type);
    bool popcnt = insn->op == IR_POPCNT && (e->features & HOST_POPCNT);
    if (insn->op == IR_BITREV || (insn->op == IR_POPCNT && !popcnt)) {
        unsigned x = alloc_temp(e), t = alloc_temp(e), m = alloc_temp(e);
        use_into(e, insn->arg[0], x);
        end_uses(e);
        if (insn->op == IR_BITREV)
            reverse_bits(e, insn, x, t, m);
        else
            count_ones(e, insn, x, t, m);
        def_in(e, x);
        return;
    }
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    bool counts = insn->op == IR_CLZ || insn->op == IR_CTZ;
    unsigned dst = def_reg(e, a, counts ? 1u << a : 0);
    if (popcnt) {
        emit_rr(&e->a, 0xb8 | OP_0F | OP_F3 | w, dst, a);
    } else if (counts) {
        count_zeros(e, insn, dst, a);
    } else { /* BSWAP */
        if (dst != a)
            emit_mov_rr(&e->a, w, dst, a);
        emit_bswap(e, w, dst);
    }
}

/* ---- widths and fields
 * ------------------------------------------------------------------------------
 */

static void sign_extend(struct emit *e, unsigned w, unsigned dst, unsigned a, unsigned bits)
{
    if (bits == 8)
        emit_rr(&e->a, 0xbe | OP_0F | OP_BYTE_RM | w, dst, a);
    else if (bits == 16)
        emit_rr(&e->a, 0xbf | OP_0F | w, dst, a);
    else
        emit_rr(&e->a, 0x63 | OP_W, dst, a); /* movsxd */
}

static void zero_extend(struct emit *e, unsigned dst, unsigned a, unsigned bits)
{
    if (bits == 8)
        emit_movzx8(&e->a, dst, a);
    else if (bits == 16)
        emit_rr(&e->a, 0xb7 | OP_0F, dst, a);
    else
        emit_mov_rr(&e->a, 0, dst, a);
}

static void emit_extract(struct emit *e, const struct ir_insn *insn, unsigned dst, unsigned a)
{
    unsigned w = op_w(insn->type), width = w ? 64 : 32;
    unsigned start = insn->sub, length = insn->aux;
    bool is_signed = insn->op == IR_SEXTRACT;
    bool whole = length == 8 || length == 16 || (length == 32 && w);
    if (start == 0 && whole) {
        if (is_signed)
            sign_extend(e, w, dst, a, length);
        else
            zero_extend(e, dst, a, length);
        return;
    }
    if (!is_signed && start == 8 && length == 8 && a <= RBX && dst < R8) { /* ah, ch, dh, bh */
        put8(&e->a, 0x0f);
        put8(&e->a, 0xb6);
        put8(&e->a, 0xc0 | dst << 3 | (a + 4));
        return;
    }
    if (dst != a || length == width)
        emit_mov_rr(&e->a, w, dst, a);
    if (start + length == width) {
        if (start)
            emit_shift_i(&e->a, w, is_signed ? SHIFT_SAR : SHIFT_SHR, dst, start);
        return;
    }
    if (is_signed || length > 31) {
        emit_shift_i(&e->a, w, SHIFT_SHL, dst, width - length - start);
        emit_shift_i(&e->a, w, is_signed ? SHIFT_SAR : SHIFT_SHR, dst, width - length);
        return;
    }
    if (start)
        emit_shift_i(&e->a, w, SHIFT_SHR, dst, start);
    if (length == 8)
        emit_movzx8(&e->a, dst, dst);
    else if (length == 16)
        emit_rr(&e->a, 0xb7 | OP_0F, dst, dst);
    else
        emit_alu_ri(&e->a, 0, ALU_AND, dst, (int32_t)((UINT32_C(1) << length) - 1));
}

static void emit_deposit(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = op_w(insn->type), start = insn->sub, length = insn->aux;
    uint64_t mask = ~UINT64_C(0) >> (64 - length);
    unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    if (start == 0 && length == (w ? 64u : 32u)) {
        end_uses(e);
        emit_mov_rr(&e->a, w, def_reg(e, b, 0), b);
        return;
    }
    bool high_byte = start == 8 && length == 8;
    if (deposit_is_move(insn) || high_byte) {
        end_uses(e);
        unsigned dst = def_reg(e, a, b == a && !high_byte ? 0 : 1u << b);
        if (dst != a)
            emit_mov_rr(&e->a, w, dst, a);
        if (!high_byte) {
            emit_rr(&e->a, length == 8 ? 0x88 | OP_BYTE | OP_BYTE_RM : 0x89 | OP_16, b, dst);
        } else if (dst <= RBX && b <= RBX) { /* ah, ch, dh, bh are 4 to 7 without a REX prefix */
            put8(&e->a, 0x88);
            put8(&e->a, 0xc0 | b << 3 | (dst + 4));
        } else { /* the low word's bytes change places and back */
            emit_rr(&e->a, 0xc1 | OP_16, SHIFT_ROL, dst);
            put8(&e->a, 8);
            emit_rr(&e->a, 0x88 | OP_BYTE | OP_BYTE_RM, b, dst);
            emit_rr(&e->a, 0xc1 | OP_16, SHIFT_ROL, dst);
            put8(&e->a, 8);
        }
        if (!w && e->value[e->here].seen > 32 && dst == a)
            emit_mov_rr(&e->a, 0, dst, dst);
        return;
    }
    unsigned field = alloc_temp(e);
    emit_mov_rr(&e->a, w, field, b);
    if (length + start < (w ? 64u : 32u)) {
        unsigned up = (w ? 64 : 32) - length;
        if (length <= 31) {
            emit_alu_ri(&e->a, 0, ALU_AND, field, (int32_t)mask);
        } else {
            emit_shift_i(&e->a, w, SHIFT_SHL, field, up);
            emit_shift_i(&e->a, w, SHIFT_SHR, field, up);
        }
    }
    if (start)
        emit_shift_i(&e->a, w, SHIFT_SHL, field, start);
    end_uses(e);
    unsigned dst = def_reg(e, a, 1u << field);
    if (dst != a)
        emit_mov_rr(&e->a, w, dst, a);
    uint64_t keep = ~(mask << start);
    if (!w) {
        emit_alu_ri(&e->a, 0, ALU_AND, dst, (int32_t)keep);
    } else if ((int64_t)keep == (int32_t)keep) {
        emit_alu_ri(&e->a, OP_W, ALU_AND, dst, (int32_t)keep);
    } else { /* clear the field by rotating it to the bottom and shifting it out
              */
        emit_rr(&e->a, 0xc1 | OP_W, SHIFT_ROR, dst);
        put8(&e->a, start);
        if (length < 64) {
            emit_shift_i(&e->a, OP_W, SHIFT_SHR, dst, length);
            emit_shift_i(&e->a, OP_W, SHIFT_SHL, dst, length);
        }
        emit_rr(&e->a, 0xc1 | OP_W, SHIFT_ROL, dst);
        put8(&e->a, start);
    }
    emit_alu_rr(&e->a, w, ALU_OR, dst, field);
}

static void emit_concat(struct emit *e, const struct ir_insn *insn)
{
    unsigned low = use_gpr(e, insn->arg[0]), high = use_gpr(e, insn->arg[1]);
    end_uses(e);
    unsigned dst = def_reg(e, high, low == high ? 0 : 1u << low);
    if (low == high && dst == high) { /* both halves are one register about to change */
        unsigned temp = alloc_temp(e);
        emit_mov_rr(&e->a, 0, temp, low);
        low = temp;
    }
    if (dst != high)
        emit_mov_rr(&e->a, 0, dst, high);
    emit_shift_i(&e->a, OP_W, SHIFT_SHL, dst, 32);
    emit_alu_rr(&e->a, OP_W, ALU_OR, dst, low);
}

/* The low half of what a pinned register holds is that register, if nobody minds the rest; of what
 * is in memory it is loaded by itself. So is an extension of which nobody looks at the rest. */
static bool narrow_in_place(struct emit *e, const struct ir_insn *insn)
{
    const struct value *v = &e->value[e->here], *arg = &e->value[insn->arg[0]];
    if (arg->reg != NO_REG && is_pinned(e, arg->reg) && v->seen <= 32 && v->want == NO_REG) {
        unsigned reg = arg->reg;
        end_uses(e);
        def_alias(e, reg);
        return true;
    }
    if (insn->op == IR_NARROW && arg->reg == NO_REG && arg->slot < 0 &&
        (arg->flags & VALUE_FIELD) && is_dying(e, insn->arg[0])) {
        struct mem m = field_mem(e, e->u->insns[insn->arg[0]].aux);
        end_uses(e);
        emit_load(&e->a, 0, def_reg(e, NO_REG, 0), m);
        return true;
    }
    return false;
}

/* What was computed in a pinned register has its upper half clear. */
static bool widen_in_place(struct emit *e, const struct ir_insn *insn)
{
    unsigned reg = e->value[insn->arg[0]].reg;
    if (reg == NO_REG || !is_pinned(e, reg) || e->u->insns[insn->arg[0]].op == IR_NARROW)
        return false;
    end_uses(e);
    def_alias(e, reg);
    return true;
}

void emit_convert(struct emit *e, const struct ir_insn *insn)
{
    bool widens = insn->op == IR_WIDEN_S || insn->op == IR_WIDEN_U;
    bool low = is_low_half(e, e->here);
    if (((widens ? low : insn->op == IR_NARROW) && narrow_in_place(e, insn)) ||
        (insn->op == IR_WIDEN_U && widen_in_place(e, insn)))
        return;
    if (insn->op == IR_DEPOSIT) {
        emit_deposit(e, insn);
        return;
    }
    if (insn->op == IR_CONCAT) {
        emit_concat(e, insn);
        return;
    }
    unsigned w = op_w(insn->type);
    unsigned a = use_gpr(e, insn->arg[0]);
    bool clear = e->u->insns[insn->arg[0]].op != IR_NARROW;
    end_uses(e);
    unsigned dst = def_reg(e, a, 0);
    switch (insn->op) {
    case IR_SEXT:
        sign_extend(e, w, dst, a, insn->sub);
        break;
    case IR_ZEXT:
        zero_extend(e, dst, a, insn->sub);
        break;
    case IR_WIDEN_S:
        if (!low)
            emit_rr(&e->a, 0x63 | OP_W, dst, a);
        else if (dst != a)
            emit_mov_rr(&e->a, 0, dst, a);
        break;
    case IR_WIDEN_U:
        if (dst != a || (!low && !clear))
            emit_mov_rr(&e->a, 0, dst, a);
        break;
    case IR_NARROW:
        if (dst != a || !low)
            emit_mov_rr(&e->a, 0, dst, a);
        break;
    case IR_HIGH:
        if (dst != a)
            emit_mov_rr(&e->a, OP_W, dst, a);
        emit_shift_i(&e->a, OP_W, SHIFT_SHR, dst, 32);
        break;
    default: /* EXTRACT, SEXTRACT */
        emit_extract(e, insn, dst, a);
        break;
    }
}
