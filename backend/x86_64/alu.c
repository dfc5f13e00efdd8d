/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations of 8 and 16 bits, and the ALU op: each row is the host's instruction of that name. */
#include "backend/x86_64/x86_64.h"

#include "tcg/alu.h"
#include "tcg/eval.h"

enum { CARRY_AND_OVERFLOW = 1u << (IR_C >> 1) | 1u << (IR_V >> 1) };

static unsigned width_prefix(unsigned width)
{
    return width == 64 ? OP_W : width == 16 ? OP_16 : 0;
}

static void put_immediate(struct emit *e, unsigned width, int32_t value)
{
    if (width == 32) {
        put32(&e->a, (uint32_t)value);
        return;
    }
    put8(&e->a, (uint8_t)value);
    if (width == 16)
        put8(&e->a, (uint8_t)(value >> 8));
}

void emit_narrow_alu(struct emit *e, unsigned width, enum alu op, unsigned dst, struct operand b)
{
    unsigned byte = width == 8;
    unsigned attributes = byte ? OP_BYTE : OP_16;
    unsigned opcode = (op * 8 + (byte ? 2 : 3)) | attributes;
    if (b.kind == OPERAND_MEM) {
        emit_rm(&e->a, opcode, dst, b.mem);
    } else if (b.kind == OPERAND_REG) {
        emit_rr(&e->a, opcode | (byte ? OP_BYTE_RM : 0), dst, b.reg);
    } else if (byte) {
        emit_rr(&e->a, 0x80 | OP_BYTE_RM, op, dst);
        put8(&e->a, (uint8_t)b.imm);
    } else if ((int16_t)b.imm == (int8_t)b.imm) {
        emit_rr(&e->a, 0x83 | OP_16, op, dst);
        put8(&e->a, (uint8_t)b.imm);
    } else {
        emit_rr(&e->a, 0x81 | OP_16, op, dst);
        put_immediate(e, 16, b.imm);
    }
}

static void emit_narrow_test(struct emit *e, unsigned width, unsigned a, struct operand b)
{
    unsigned byte = width == 8;
    if (b.kind == OPERAND_MEM) {
        emit_rm(&e->a, byte ? 0x84 | OP_BYTE : 0x85 | OP_16, a, b.mem);
    } else if (b.kind == OPERAND_REG) {
        emit_rr(&e->a, byte ? 0x84 | OP_BYTE | OP_BYTE_RM : 0x85 | OP_16, a, b.reg);
    } else {
        emit_rr(&e->a, byte ? 0xf6 | OP_BYTE_RM : 0xf7 | OP_16, 0, a);
        put_immediate(e, width, b.imm);
    }
}

void emit_zero_extend(struct emit *e, unsigned width, unsigned reg)
{
    if (width == 8)
        emit_movzx8(&e->a, reg, reg);
    else if (width == 16)
        emit_rr(&e->a, 0xb7 | OP_0F, reg, reg);
}

/* ADD SUB AND OR XOR of 8 or 16 bits. */
void emit_narrow_integer(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t alu_of[IR_N_OPS] = {
        [IR_ADD] = ALU_ADD, [IR_SUB] = ALU_SUB, [IR_AND] = ALU_AND,
        [IR_OR] = ALU_OR,   [IR_XOR] = ALU_XOR,
    };
    unsigned width = insn->sub;
    const struct value *v = &e->value[e->here];
    unsigned a = use_gpr(e, insn->arg[0]);
    struct operand b = use_operand(e, insn->arg[1]);
    end_uses(e);
    if (!v->last_use && (insn->op == IR_SUB || insn->op == IR_AND)) {
        if (insn->op == IR_SUB)
            emit_narrow_alu(e, width, ALU_CMP, a, b);
        else
            emit_narrow_test(e, width, a, b);
        flags_produced(e);
        return;
    }
    uint32_t avoid = b.kind == OPERAND_REG && b.reg != a ? 1u << b.reg : 0;
    unsigned dst = def_reg(e, a, avoid);
    if (b.kind == OPERAND_REG && b.reg == a)
        b.reg = (uint8_t)dst;
    if (dst != a)
        emit_mov_rr(&e->a, 0, dst, a);
    emit_narrow_alu(e, width, (enum alu)alu_of[insn->op], dst, b);
    if (v->last_use && v->seen > width)
        emit_zero_extend(e, width, dst);
    flags_produced(e);
}

/* ---- the ALU op ---------------------------------------------------------------------------- */

static unsigned masked_count(unsigned width, uint64_t count)
{
    return (unsigned)count & (width == 64 ? 63 : 31);
}

/* Does anybody look at this flag of the op being emitted? */
static bool wants_flag(const struct emit *e, unsigned flag)
{
    const struct value *v = &e->value[e->here];
    if (!v->flag_last)
        return false;
    for (unsigned pair = 0; pair < IR_N_CONDS / 2; pair++)
        if ((v->flag_conds >> pair & 1) && ir_cond_flags(2 * pair) & flag)
            return true;
    return v->flag_conds & WANT_ALL;
}

/* Must EFLAGS hold the flags before it? */
static bool needs_flags(struct emit *e, const struct ir_insn *insn)
{
    unsigned row = insn->sub, wanted = e->value[e->here].flag_conds;
    uint64_t count;
    if (ir_alu_value_needs_flags(row))
        return true;
    if (!e->value[e->here].flag_last)
        return false;
    bool only_carry = !(wanted & ~(unsigned)CARRY_AND_OVERFLOW);
    switch (row) {
    case IR_ALU_SHL:
    case IR_ALU_SHR:
    case IR_ALU_SAR:
    case IR_ALU_SHLD:
    case IR_ALU_SHRD: /* if it shifts at all, it changes them all */
        return !is_constant(e, insn->arg[row >= IR_ALU_SHLD ? 2 : 1], &count) ||
               !masked_count(insn->aux, count);
    case IR_ALU_ROL:
    case IR_ALU_ROR:
        return !only_carry || !is_constant(e, insn->arg[1], &count) ||
               !masked_count(insn->aux, count);
    case IR_ALU_IMUL:
    case IR_ALU_MUL:
        return !only_carry;
    case IR_ALU_BT:
    case IR_ALU_BTS:
    case IR_ALU_BTR:
    case IR_ALU_BTC:
        return wanted & ~(1u << (IR_C >> 1));
    case IR_ALU_INC:
    case IR_ALU_DEC: /* the carry is what stays */
        return wants_flag(e, IR_FLAG_C);
    default:
        return true;
    }
}

static void finish(struct emit *e, unsigned width, unsigned reg)
{
    const struct value *v = &e->value[e->here];
    if (v->last_use && v->seen > width)
        emit_zero_extend(e, width, reg);
}

/* dst = a, for an instruction that works in place. */
static unsigned in_place(struct emit *e, unsigned width, unsigned a, uint32_t avoid)
{
    end_uses(e);
    unsigned dst = def_reg(e, a, avoid & ~(1u << a));
    if (dst != a)
        emit_mov_rr(&e->a, width == 64 ? OP_W : 0, dst, a);
    return dst;
}

static void emit_row_shift(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t slash_of[] = {SHIFT_SHL, SHIFT_SHR, SHIFT_SAR, SHIFT_ROL,
                                       SHIFT_ROR, SHIFT_RCL, SHIFT_RCR};
    static const uint16_t vex_prefix[] = {OP_66, OP_F2, OP_F3}; /* shlx, shrx, sarx */
    unsigned width = insn->aux, row = insn->sub, slash = slash_of[row];
    unsigned attributes = width == 8 ? OP_BYTE_RM : width_prefix(width);
    uint64_t count;
    bool constant = is_constant(e, insn->arg[1], &count);
    if (constant)
        count = masked_count(width, count);
    /* OF after a rotation by more than 1 is undefined. With the count in CL all processors leave
     * the same, with a constant Intel's differ. */
    if (constant &&
        (count <= 1 || (row != IR_ALU_ROL && row != IR_ALU_ROR) || !wants_flag(e, IR_FLAG_V))) {
        unsigned dst = in_place(e, width, use_gpr(e, insn->arg[0]), 0);
        if (count == 1) {
            emit_rr(&e->a, (width == 8 ? 0xd0 : 0xd1) | attributes, slash, dst);
        } else if (count) {
            emit_rr(&e->a, (width == 8 ? 0xc0 : 0xc1) | attributes, slash, dst);
            put8(&e->a, (unsigned)count);
        } else if (width == 32) { /* its upper half may not be clear */
            emit_mov_rr(&e->a, 0, dst, dst);
        }
        finish(e, width, dst);
        return;
    }
    if (row <= IR_ALU_SAR && width >= 32 && !e->value[e->here].flag_last &&
        (e->features & HOST_BMI2)) {
        unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
        end_uses(e);
        unsigned dst = def_reg(e, a, 0);
        emit_vex_rr(&e->a, 0xf7 | OP_0F38 | vex_prefix[row] | width_prefix(width), dst, b, a);
        return;
    }
    alloc_take(e, RCX);
    unsigned a = use_gpr(e, insn->arg[0]);
    use_into(e, insn->arg[1], RCX);
    unsigned dst = in_place(e, width, a, 1u << RCX);
    emit_rr(&e->a, (width == 8 ? 0xd2 : 0xd3) | attributes, slash, dst);
    finish(e, width, dst);
}

static void emit_row_double_shift(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux, opcode = insn->sub == IR_ALU_SHLD ? 0xa4 : 0xac;
    uint64_t count;
    bool constant = is_constant(e, insn->arg[2], &count);
    if (!constant)
        alloc_take(e, RCX);
    unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    if (!constant)
        use_into(e, insn->arg[2], RCX);
    unsigned dst = in_place(e, width, a, 1u << b | (constant ? 0 : 1u << RCX));
    emit_rr(&e->a, (opcode + !constant) | OP_0F | width_prefix(width), b == a ? dst : b, dst);
    if (constant)
        put8(&e->a, masked_count(width, count));
    finish(e, width, dst);
}

/* One operand in rax, the product in rdx:rax (8 bits: ax). */
static void emit_row_product(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux, row = insn->sub;
    bool high = row == IR_ALU_IMULH || row == IR_ALU_MULH;
    unsigned slash = row == IR_ALU_MUL || row == IR_ALU_MULH ? 4 : 5;
    alloc_take(e, RAX);
    if (width > 8)
        alloc_take(e, RDX);
    unsigned b = use_gpr(e, insn->arg[1]);
    use_into(e, insn->arg[0], RAX);
    end_uses(e);
    if (width == 8) {
        emit_rr(&e->a, 0xf6 | OP_BYTE_RM, slash, b);
        if (high) {
            emit_shift_i(&e->a, 0, SHIFT_SHR, RAX, 8);
            e->eflags = 0;
        }
    } else {
        emit_rr(&e->a, 0xf7 | width_prefix(width), slash, b);
    }
    unsigned result = high && width > 8 ? RDX : RAX;
    def_in(e, result);
    finish(e, width, result);
}

static void emit_row_imul(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux;
    unsigned a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    unsigned dst = in_place(e, width, a, 1u << b);
    emit_rr(&e->a, 0xaf | OP_0F | width_prefix(width), dst, b == a ? dst : b);
    finish(e, width, dst);
}

static void emit_row_bit_test(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux, which = insn->sub - IR_ALU_BT;
    unsigned prefix = width_prefix(width) | OP_0F, dst, b = NO_REG;
    uint64_t bit = 0;
    bool constant = is_constant(e, insn->arg[1], &bit);
    unsigned a = use_gpr(e, insn->arg[0]);
    if (!constant)
        b = use_gpr(e, insn->arg[1]);
    if (insn->sub == IR_ALU_BT && !e->value[e->here].last_use) {
        end_uses(e);
        dst = a;
    } else {
        dst = in_place(e, width, a, constant ? 0 : 1u << b);
    }
    if (constant) {
        emit_rr(&e->a, 0xba | prefix, 4 + which, dst);
        put8(&e->a, (unsigned)bit & (width - 1));
    } else {
        emit_rr(&e->a, (0xa3 + 8 * which) | prefix, b == a ? dst : b, dst);
    }
    if (dst != a || e->value[e->here].last_use)
        finish(e, width, dst);
}

static void emit_row_scan(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux;
    unsigned a = use_gpr(e, insn->arg[0]), old = use_gpr(e, insn->arg[1]);
    unsigned dst = in_place(e, width, old, 1u << a);
    emit_rr(&e->a, (insn->sub == IR_ALU_BSF ? 0xbc : 0xbd) | OP_0F | width_prefix(width), dst,
            a == old ? dst : a);
    finish(e, width, dst);
}

static void emit_row_count(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux;
    unsigned opcode = insn->sub == IR_ALU_TZCNT ? 0xbc : insn->sub == IR_ALU_LZCNT ? 0xbd : 0xb8;
    unsigned a = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_reg(e, a, 0);
    emit_rr(&e->a, opcode | OP_0F | OP_F3 | width_prefix(width), dst, a);
    finish(e, width, dst);
}

static void emit_row_vex(struct emit *e, const struct ir_insn *insn)
{
    unsigned w = width_prefix(insn->aux), a = use_gpr(e, insn->arg[0]), b = a;
    if (ir_alu_info[insn->sub].n_args > 1)
        b = use_gpr(e, insn->arg[1]);
    end_uses(e);
    unsigned dst = def_reg(e, a, 0);
    switch (insn->sub) {
    case IR_ALU_ANDN:
        emit_vex_rr(&e->a, 0xf2 | OP_0F38 | w, dst, a, b);
        break;
    case IR_ALU_BEXTR:
        emit_vex_rr(&e->a, 0xf7 | OP_0F38 | w, dst, b, a);
        break;
    case IR_ALU_BZHI:
        emit_vex_rr(&e->a, 0xf5 | OP_0F38 | w, dst, b, a);
        break;
    case IR_ALU_BLSI:
        emit_vex_rr(&e->a, 0xf3 | OP_0F38 | w, 3, dst, a);
        break;
    case IR_ALU_BLSR:
        emit_vex_rr(&e->a, 0xf3 | OP_0F38 | w, 1, dst, a);
        break;
    case IR_ALU_BLSMSK:
        emit_vex_rr(&e->a, 0xf3 | OP_0F38 | w, 2, dst, a);
        break;
    case IR_ALU_PDEP:
        emit_vex_rr(&e->a, 0xf5 | OP_0F38 | OP_F2 | w, dst, a, b);
        break;
    default: /* PEXT */
        emit_vex_rr(&e->a, 0xf5 | OP_0F38 | OP_F3 | w, dst, a, b);
        break;
    }
}

static void emit_row_crc32(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux, a = use_gpr(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    unsigned dst = in_place(e, width, a, 1u << b);
    unsigned opcode = width == 8 ? 0xf0 | OP_BYTE_RM : 0xf1 | width_prefix(width);
    emit_rr(&e->a, opcode | OP_0F38 | OP_F2, dst, b == a ? dst : b);
}

static void emit_row_one(struct emit *e, const struct ir_insn *insn)
{
    unsigned width = insn->aux, slash = insn->sub == IR_ALU_INC ? 0 : 1;
    unsigned dst = in_place(e, width, use_gpr(e, insn->arg[0]), 0);
    emit_rr(&e->a, width == 8 ? 0xfe | OP_BYTE_RM : 0xff | width_prefix(width), slash, dst);
    finish(e, width, dst);
}

static emit_fn *emitter_of(unsigned row, unsigned width)
{
    switch (row) {
    case IR_ALU_SHLD:
    case IR_ALU_SHRD:
        return emit_row_double_shift;
    case IR_ALU_IMUL:
        return width > 8 ? emit_row_imul : emit_row_product;
    case IR_ALU_MUL:
    case IR_ALU_IMULH:
    case IR_ALU_MULH:
        return emit_row_product;
    case IR_ALU_BT:
    case IR_ALU_BTS:
    case IR_ALU_BTR:
    case IR_ALU_BTC:
        return emit_row_bit_test;
    case IR_ALU_BSF:
    case IR_ALU_BSR:
        return emit_row_scan;
    case IR_ALU_TZCNT:
    case IR_ALU_LZCNT:
    case IR_ALU_POPCNT:
        return emit_row_count;
    case IR_ALU_CRC32:
        return emit_row_crc32;
    case IR_ALU_INC:
    case IR_ALU_DEC:
        return emit_row_one;
    default:
        return row <= IR_ALU_RCR ? emit_row_shift : emit_row_vex;
    }
}

/* INC and DEC need the carry alone; where the flags before are in the field, a bit test gets it. */
static bool load_carry(struct emit *e, const struct ir_insn *insn)
{
    ir_ref source = insn->arg[3] ? flags_source(e->u, insn->arg[3]) : 0;
    const struct value *v = &e->value[source];
    if (emitter_of(insn->sub, insn->aux) != emit_row_one || !source || e->eflags == source ||
        v->reg != NO_REG || v->slot >= 0 || !(v->flags & VALUE_FIELD))
        return false;
    flags_clobber(e);
    emit_rm_imm(&e->a, 0xba | OP_0F | OP_16, 4, field_mem(e, e->u->insns[source].aux), 1);
    put8(&e->a, 8); /* IR_FLAG_C */
    return true;
}

void emit_alu_row(struct emit *e, const struct ir_insn *insn)
{
    if (needs_flags(e, insn) && !load_carry(e, insn))
        flags_load(e, insn->arg[3]);
    flags_clobber(e); /* keeps what is wanted later; EFLAGS itself stays for the instruction */
    e->hold_flags = true;
    e->locked = e->mirrors;
    emitter_of(insn->sub, insn->aux)(e, insn);
    e->hold_flags = false;
    flags_produced(e);
}
