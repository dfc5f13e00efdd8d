/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * General-purpose instructions: moves, arithmetic, shifts, bits, the stack, flags. SDM vol. 2.
 * Handlers' comments give the assembly syntax.
 */
#define _GNU_SOURCE
#include <sys/random.h>

#include "frontend/x86/translate.h"

static const unsigned ALL_BUT_V = IR_SET_ALL & ~IR_SET_V;

static void set_flags_of(struct xlat *x, ir_ref arithmetic)
{
    x86_set_flags(x, ir_flagof(&x->b, arithmetic));
}

/* Replaces some flags. */
static void change_flags(struct xlat *x, ir_ref flags, unsigned set)
{
    x86_set_flags(x, ir_merge_flags(&x->b, x86_flags(x), flags, set));
}

static ir_ref carry_in(struct xlat *x)
{
    return ir_setcc(&x->b, IR_C, x86_flags(x));
}

static bool is_memory(const struct x86_insn *insn, unsigned n)
{
    return insn->operand[n].kind == OPND_MEM;
}

/* The second operand of an operation of the first one's size: immediates extend to it. */
static ir_ref read_source(struct xlat *x, const struct x86_insn *insn)
{
    if (insn->operand[1].kind == OPND_IMM)
        return x86_constant(x, insn->operand[0].size, insn->imm);
    return x86_read_low(x, insn, 1);
}

/* ---- arithmetic and logic -------------------------------------------------------------------- */

static ir_ref compute(struct xlat *x, enum ir_op op, unsigned size, ir_ref a, ir_ref c)
{
    if (op == IR_ADC || op == IR_SBB)
        return ir_adc_w(&x->b, op, 8 * size, a, c, carry_in(x));
    return ir_bin_w(&x->b, op, 8 * size, a, c);
}

/* What an atomic addition, or another operation of its own, does the same to memory. */
static ir_ref locked_old(struct xlat *x, enum ir_op op, unsigned size, ir_ref linear, ir_ref c)
{
    struct ir_builder *b = &x->b;
    enum ir_rmw what = op == IR_AND ? IR_RMW_AND : op == IR_OR ? IR_RMW_OR : IR_RMW_XOR;

    if (op == IR_AND || op == IR_OR || op == IR_XOR)
        return x86_rmw(x, what, linear, size, c);
    if (op == IR_ADC || op == IR_SBB)
        c = ir_bin(b, IR_ADD, c, x86_extend(x, carry_in(x), 4, MAX(size, 4u), false));
    if (op == IR_SUB || op == IR_SBB)
        c = ir_un(b, IR_NEG, c);
    return x86_rmw(x, IR_RMW_ADD, linear, size, c);
}

/* ADD, OR, ADC, SBB, AND, SUB, XOR */
bool trans_alu(struct xlat *x, const struct x86_insn *insn)
{
    enum ir_op op = (enum ir_op)insn->row->argument;
    unsigned size = insn->operand[0].size;
    struct x86_place place;
    ir_ref c, result;

    if (insn->lock) {
        ir_ref linear = x86_linear(x, insn, size, true);

        c = read_source(x, insn);
        result = compute(x, op, size, locked_old(x, op, size, linear, c), c);
        set_flags_of(x, result);
        return true;
    }
    place = x86_place(x, insn, 0);
    c = x86_place_read(x, &place);
    result = compute(x, op, size, c, read_source(x, insn));
    x86_place_write(x, &place, result);
    set_flags_of(x, result);
    return true;
}

/* CMP */
bool trans_cmp(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref a = x86_read_low(x, insn, 0), c = read_source(x, insn);

    set_flags_of(x, ir_bin_w(&x->b, IR_SUB, 8 * insn->operand[0].size, a, c));
    return true;
}

/* TEST */
bool trans_test(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref a = x86_read_low(x, insn, 0), c = read_source(x, insn);

    set_flags_of(x, ir_bin_w(&x->b, IR_AND, 8 * insn->operand[0].size, a, c));
    return true;
}

/* The value is a sum like any other; flags, where they matter, are the row's. */
static bool add_one(struct xlat *x, const struct x86_insn *insn, enum ir_op op)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref one = x86_constant(x, size, 1), old;

    if (insn->lock) {
        old = locked_old(x, op, size, x86_linear(x, insn, size, true), one);
    } else {
        struct x86_place place = x86_place(x, insn, 0);

        old = x86_place_read(x, &place);
        x86_place_write(x, &place, compute(x, op, size, old, one));
    }
    set_flags_of(x, ir_alu(b, op == IR_ADD ? IR_ALU_INC : IR_ALU_DEC, 8 * size, old, IR_NONE,
                           IR_NONE, x86_flags(x)));
    return true;
}

/* INC */
bool trans_inc(struct xlat *x, const struct x86_insn *insn)
{
    return add_one(x, insn, IR_ADD);
}

/* DEC */
bool trans_dec(struct xlat *x, const struct x86_insn *insn)
{
    return add_one(x, insn, IR_SUB);
}

static uint64_t mask_of(unsigned size)
{
    return ~UINT64_C(0) >> (64 - 8 * size);
}

/* LOCK NEG has no host instruction that gives what was there. Returns the old value. The first look
 * at it is an exchange too: a fault is that of a write. */
static uint64_t locked_neg(struct x86_cpu *cpu, uint64_t linear, uint32_t memop)
{
    uint64_t mask = mask_of(memop_size(memop)), seen = mmu_cas(cpu->v.mmu, linear, 0, 0, memop);
    uint64_t old;

    do {
        old = seen;
        seen = mmu_cas(cpu->v.mmu, linear, old, -old & mask, memop);
    } while (seen != old);
    return old;
}

static const struct ir_helper helper_locked_neg =
    IR_HELPER(locked_neg, IR_I64, 2, HELPER_MAY_FAULT, 0, 0);

static ir_ref linear64(struct xlat *x, ir_ref linear)
{
    return x86_xlat(x)->wide ? linear : ir_un(&x->b, IR_WIDEN_U, linear);
}

/* NEG */
bool trans_neg(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref zero = x86_constant(x, size, 0), old, result;

    if (insn->lock) {
        ir_ref linear = linear64(x, x86_linear(x, insn, size, true));

        old =
            ir_call(b, &helper_locked_neg, linear, ir_i32(b, x86_memop(x, size)), IR_NONE, IR_NONE);
        result = ir_bin_w(b, IR_SUB, 8 * size, zero, x86_truncate(x, old, 8, size));
    } else {
        struct x86_place place = x86_place(x, insn, 0);

        result = ir_bin_w(b, IR_SUB, 8 * size, zero, x86_place_read(x, &place));
        x86_place_write(x, &place, result);
    }
    set_flags_of(x, result);
    return true;
}

/* NOT */
bool trans_not(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref ones = x86_constant(x, size, ~UINT64_C(0));
    struct x86_place place;

    if (insn->lock) {
        x86_rmw(x, IR_RMW_XOR, x86_linear(x, insn, size, true), size, ones);
        return true;
    }
    place = x86_place(x, insn, 0);
    x86_place_write(x, &place, ir_bin_w(&x->b, IR_XOR, 8 * size, x86_place_read(x, &place), ones));
    return true;
}

/* ADCX, ADOX r, r/m: an addition with C or V as the carry in both ways; the others stay. */
bool trans_adx(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    bool overflow = insn->row->argument == 0xf3;
    ir_ref c = x86_read(x, insn, 1), a = x86_read(x, insn, 0);
    ir_ref carry = ir_setcc(b, overflow ? IR_V : IR_C, x86_flags(x));
    ir_ref sum = ir_adc_w(b, IR_ADC, 8 * insn->operand[0].size, a, c, carry);
    ir_ref flags = ir_flagof(b, sum);

    if (overflow) /* bit 0 of the stored form is V */
        change_flags(x, ir_unpack_flags(b, ir_setcc(b, IR_C, flags)), IR_SET_V);
    else
        change_flags(x, flags, IR_SET_C);
    x86_write(x, insn, 0, sum);
    return true;
}

/* ---- multiplication, division ---------------------------------------------------------------- */

/* The one-operand forms: AX, DX:AX, EDX:EAX, RDX:RAX = rAX * r/m */
static bool multiply(struct xlat *x, const struct x86_insn *insn, bool sign)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size, width = 8 * size;
    ir_ref c = x86_read(x, insn, 0), a = x86_gpr(x, RAX, size), low, high;
    enum ir_alu what = sign ? IR_ALU_IMUL : IR_ALU_MUL;
    ir_ref for_flags = ir_alu(b, what, width, a, c, IR_NONE, IR_NONE);

    if (size == 8) {
        low = for_flags;
        high = ir_alu(b, sign ? IR_ALU_IMULH : IR_ALU_MULH, width, a, c, IR_NONE, IR_NONE);
    } else {
        /* The product fits twice the width; where the flags are dead only this is computed. */
        unsigned twice = MIN(2 * size, 8u), full = MAX(twice, 4u);
        ir_ref product = ir_bin(b, IR_MUL, x86_extend(x, a, size, full, sign),
                                x86_extend(x, c, size, full, sign));

        /* The lower half by itself is ready earlier. */
        low = size < 4 ? product : sign ? for_flags : ir_bin(b, IR_MUL, a, c);
        high = size == 4 ? ir_un(b, IR_HIGH, product) : ir_bin_i(b, IR_SHR, product, width);
    }
    if (size == 1) {
        x86_set_gpr(x, RAX, 2, low);
    } else {
        x86_set_gpr(x, RAX, size, low);
        x86_set_gpr(x, RDX, size, high);
    }
    set_flags_of(x, for_flags);
    return true;
}

/* MUL r/m */
bool trans_mul(struct xlat *x, const struct x86_insn *insn)
{
    return multiply(x, insn, false);
}

/* IMUL r/m */
bool trans_imul1(struct xlat *x, const struct x86_insn *insn)
{
    return multiply(x, insn, true);
}

/* IMUL r, r/m; IMUL r, r/m, imm */
bool trans_imul(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref a = x86_read_low(x, insn, 1);
    ir_ref c = insn->n_operands == 3 ? x86_constant(x, size, insn->imm) : x86_read_low(x, insn, 0);
    ir_ref product = ir_alu(&x->b, IR_ALU_IMUL, 8 * size, a, c, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, product);
    set_flags_of(x, product);
    return true;
}

/* MULX high, low, r/m: rDX is the other factor. */
bool trans_mulx(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref c = x86_read(x, insn, 2), a = x86_gpr(x, RDX, size), low, high;

    if (size == 8) {
        low = ir_bin(b, IR_MUL, a, c);
        high = ir_alu(b, IR_ALU_MULH, 64, a, c, IR_NONE, IR_NONE);
    } else {
        ir_ref product = ir_bin(b, IR_MUL, ir_un(b, IR_WIDEN_U, a), ir_un(b, IR_WIDEN_U, c));

        low = ir_un(b, IR_NARROW, product);
        high = ir_un(b, IR_HIGH, product);
    }
    x86_write(x, insn, 1, low);
    x86_write(x, insn, 0, high); /* one register for both gets the high half */
    return true;
}

NORETURN void x86_divide_error(void *cpu)
{
    x86_raise(cpu, EXC_DE, 0);
}

/* Quotient in bits 31:0, remainder in 63:32. size: of the divisor, 1 or 2. */
static uint64_t divide(struct x86_cpu *cpu, uint64_t dividend, uint32_t divisor, uint32_t size)
{
    uint64_t quotient;

    if (!divisor)
        x86_divide_error(cpu);
    quotient = dividend / divisor;
    if (quotient > mask_of(size))
        x86_divide_error(cpu);
    return quotient | dividend % divisor << 32;
}

static uint64_t divide_signed(struct x86_cpu *cpu, uint64_t dividend, uint32_t divisor,
                              uint32_t size)
{
    int64_t n = (int64_t)dividend, d = (int32_t)divisor, quotient;
    int64_t limit = INT64_C(1) << (8 * size - 1);

    if (!d)
        x86_divide_error(cpu);
    quotient = n / d;
    if (quotient >= limit || quotient < -limit)
        x86_divide_error(cpu);
    return (uint32_t)quotient | (uint64_t)(n % d) << 32;
}

static const struct ir_helper helper_divide = IR_HELPER(divide, IR_I64, 3, HELPER_MAY_FAULT, 0, 0);
static const struct ir_helper helper_divide_signed =
    IR_HELPER(divide_signed, IR_I64, 3, HELPER_MAY_FAULT, 0, 0);

/* 32 and 64 bits. */
static void wide_division(struct xlat *x, const struct x86_insn *insn, unsigned size, bool sign)
{
    ir_ref divisor = x86_read(x, insn, 0), remainder;
    ir_ref quotient =
        ir_divide(&x->b, sign, x86_gpr(x, RAX, size), x86_gpr(x, RDX, size), divisor, &remainder);

    x86_set_gpr(x, RAX, size, quotient);
    x86_set_gpr(x, RDX, size, remainder);
}

static bool division(struct xlat *x, const struct x86_insn *insn, bool sign)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref divisor, dividend, result, quotient, remainder;

    if (size >= 4) {
        wide_division(x, insn, size, sign);
        return true;
    }
    divisor = x86_extend(x, x86_read(x, insn, 0), size, 4, sign);
    if (size == 1)
        dividend = x86_extend(x, x86_gpr(x, RAX, 2), 2, 8, sign);
    else
        dividend = x86_extend(x, ir_deposit(b, x86_gpr(x, RAX, 2), x86_gpr(x, RDX, 2), 16, 16), 4,
                              8, sign);
    result = ir_call(b, sign ? &helper_divide_signed : &helper_divide, dividend, divisor,
                     ir_i32(b, size), IR_NONE);
    quotient = ir_un(b, IR_NARROW, result);
    remainder = ir_un(b, IR_HIGH, result);
    if (size == 1) {
        x86_set_gpr(x, RAX, 2, ir_deposit(b, quotient, remainder, 8, 8));
    } else {
        x86_set_gpr(x, RAX, size, quotient);
        x86_set_gpr(x, RDX, size, remainder);
    }
    return true;
}

/* DIV r/m */
bool trans_div(struct xlat *x, const struct x86_insn *insn)
{
    return division(x, insn, false);
}

/* IDIV r/m */
bool trans_idiv(struct xlat *x, const struct x86_insn *insn)
{
    return division(x, insn, true);
}

/* ---- decimal arithmetic ---------------------------------------------------------------------- */

static uint16_t zsp(uint8_t value)
{
    uint16_t flags = value ? 0 : IR_FLAG_Z;

    return flags | (value & 0x80 ? IR_FLAG_N : 0) |
           (__builtin_parity(value) ? 0 : (uint16_t)IR_FLAG_P);
}

/* DAA, DAS: SDM vol. 2. OF, undefined, becomes 0. */
static uint16_t decimal_adjust(uint8_t *al, uint16_t status, bool subtract)
{
    uint8_t old = *al, value = old;
    uint16_t flags = 0;

    if ((old & 15) > 9 || status & IR_FLAG_A) {
        value = subtract ? value - 6 : value + 6;
        flags |= IR_FLAG_A;
        if (status & IR_FLAG_C || (subtract ? old < 6 : old > 0xf9))
            flags |= IR_FLAG_C;
    }
    if (old > 0x99 || status & IR_FLAG_C) {
        value = subtract ? value - 0x60 : value + 0x60;
        flags |= IR_FLAG_C;
    }
    *al = value;
    return flags | zsp(value);
}

/* AAA, AAS. The other flags are undefined: those of AL. */
static uint16_t ascii_adjust(uint16_t *ax, uint16_t status, bool subtract)
{
    uint16_t flags = 0;

    if ((*ax & 15) > 9 || status & IR_FLAG_A) {
        *ax = subtract ? (uint16_t)(*ax - 6 - 0x100) : (uint16_t)(*ax + 0x106);
        flags = IR_FLAG_A | IR_FLAG_C;
    }
    *ax &= 0xff0f;
    return flags | zsp((uint8_t)*ax);
}

static void bcd(struct x86_cpu *cpu, uint32_t opcode, uint32_t immediate)
{
    uint16_t ax = (uint16_t)cpu->gpr[RAX];
    uint8_t al = (uint8_t)ax, base = (uint8_t)immediate;

    switch (opcode) {
    case 0x27:
    case 0x2f:
        cpu->status = decimal_adjust(&al, cpu->status, opcode == 0x2f);
        ax = (ax & 0xff00) | al;
        break;
    case 0x37:
    case 0x3f:
        cpu->status = ascii_adjust(&ax, cpu->status, opcode == 0x3f);
        break;
    case 0xd4: /* AAM */
        if (!base)
            x86_divide_error(cpu);
        ax = (uint16_t)((al / base) << 8 | al % base);
        cpu->status = zsp((uint8_t)ax);
        break;
    default: /* AAD */
        ax = (uint8_t)(al + (ax >> 8) * base);
        cpu->status = zsp((uint8_t)ax);
        break;
    }
    cpu->gpr[RAX] = (cpu->gpr[RAX] & ~UINT64_C(0xffff)) | ax;
}

static const struct ir_helper helper_bcd = IR_HELPER(
    bcd, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_R(RAX) | GROUP_STATUS, GROUP_R(RAX) | GROUP_STATUS);

/* DAA, DAS, AAA, AAS, AAM imm, AAD imm */
bool trans_bcd(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;

    ir_call(b, &helper_bcd, ir_i32(b, insn->row->argument), ir_i32(b, (uint8_t)insn->imm), IR_NONE,
            IR_NONE);
    return true;
}

/* ---- shifts ---------------------------------------------------------------------------------- */

/*
 * A count that is known not to be zero needs no flags of before where the row changes them all; a
 * count of zero changes none. Known: -1 if it is not.
 */
static int known_count(const struct x86_insn *insn, unsigned n, unsigned size)
{
    if (insn->operand[n].kind != OPND_IMM)
        return -1;
    return (int)(insn->imm & (size == 8 ? 63 : 31));
}

static bool changes_all(enum ir_alu what)
{
    return what != IR_ALU_ROL && what != IR_ALU_ROR && what != IR_ALU_RCL && what != IR_ALU_RCR;
}

static ir_ref shift_flags(struct xlat *x, enum ir_alu what, int count)
{
    return count > 0 && changes_all(what) ? (ir_ref)IR_NONE : x86_flags(x);
}

/* ROL, ROR, RCL, RCR, SHL, SHR, SAR r/m, 1 / CL / imm8 */
bool trans_shift(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    unsigned size = insn->operand[0].size;
    int known = known_count(insn, 1, size);
    struct x86_place place = x86_place(x, insn, 0);
    ir_ref value = x86_place_read(x, &place), result;

    if (known == 0) {
        x86_place_write(x, &place, value);
        return true;
    }
    result = ir_alu(b, what, 8 * size, value,
                    known > 0 ? ir_i32(b, (uint32_t)known) : x86_read_low(x, insn, 1), IR_NONE,
                    shift_flags(x, what, known));
    x86_place_write(x, &place, result);
    set_flags_of(x, result);
    return true;
}

/* SHLD, SHRD r/m, r, imm8 / CL */
bool trans_double_shift(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    unsigned size = insn->operand[0].size;
    int known = known_count(insn, 2, size);
    struct x86_place place = x86_place(x, insn, 0);
    ir_ref value = x86_place_read(x, &place), result;

    if (known == 0) {
        x86_place_write(x, &place, value);
        return true;
    }
    result = ir_alu(b, what, 8 * size, value, x86_read_low(x, insn, 1),
                    known > 0 ? ir_i32(b, (uint32_t)known) : x86_read_low(x, insn, 2),
                    shift_flags(x, what, known));
    x86_place_write(x, &place, result);
    set_flags_of(x, result);
    return true;
}

/* SHLX, SHRX, SARX r, r/m, r */
bool trans_shiftx(struct xlat *x, const struct x86_insn *insn)
{
    enum ir_op op = insn->row->argument == IR_ALU_SHL   ? IR_SHL
                    : insn->row->argument == IR_ALU_SHR ? IR_SHR
                                                        : IR_SAR;
    unsigned size = insn->operand[0].size;
    ir_ref value = x86_read(x, insn, 1);
    ir_ref count = x86_truncate(x, x86_read(x, insn, 2), size, 4);

    x86_write(x, insn, 0, ir_bin(&x->b, op, value, count));
    return true;
}

/* RORX r, r/m, imm8 */
bool trans_rorx(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref value = x86_read(x, insn, 1);

    x86_write(x, insn, 0, ir_bin_i(&x->b, IR_ROR, value, insn->imm & 63));
    return true;
}

/* ---- bits ------------------------------------------------------------------------------------ */

/* The place of a bit string's element: a register gives the bit's offset from memory, signed. */
static ir_ref bit_element(struct xlat *x, const struct x86_insn *insn, ir_ref bit, bool write)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref offset = x86_effective_address(x, insn), element;

    if (insn->operand[1].kind != OPND_IMM) {
        element = x86_extend(x, bit, size, x86_xlat(x)->wide ? 8 : 4, true);
        element = ir_bin_i(b, IR_SAR, element, 3);
        element = ir_bin_i(b, IR_AND, element, ~(uint64_t)(size - 1));
        offset = x86_wrap_address(x, ir_bin(b, IR_ADD, offset, element), insn->address_size);
    }
    return x86_linear_at(x, insn->segment, offset, insn->address_size, size, write);
}

static ir_ref bit_locked(struct xlat *x, const struct x86_insn *insn, ir_ref linear, ir_ref bit)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref mask, count = x86_truncate(x, bit, size, 4);

    count = ir_bin_i(b, IR_AND, count, 8 * size - 1);
    mask = ir_bin(b, IR_SHL, x86_constant(x, size, 1), count);
    switch (insn->row->argument) {
    case IR_ALU_BTS:
        return x86_rmw(x, IR_RMW_OR, linear, size, mask);
    case IR_ALU_BTR:
        return x86_rmw(x, IR_RMW_AND, linear, size, ir_un(b, IR_NOT, mask));
    default:
        return x86_rmw(x, IR_RMW_XOR, linear, size, mask);
    }
}

/* BT, BTS, BTR, BTC r/m, r / imm8: C is the bit, Z stays */
bool trans_bt(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    unsigned size = insn->operand[0].size;
    bool immediate = insn->operand[1].kind == OPND_IMM, memory = is_memory(insn, 0);
    struct x86_place place = {0};
    ir_ref bit, value, result, linear = IR_NONE;

    bit = immediate ? x86_constant(x, size, insn->imm & (8 * size - 1)) : x86_read(x, insn, 1);
    if (memory)
        linear = bit_element(x, insn, bit, what != IR_ALU_BT);
    if (insn->lock) {
        value = bit_locked(x, insn, linear, bit);
    } else if (memory && what == IR_ALU_BT) {
        value = x86_load(x, linear, 0, size);
    } else {
        place = memory ? x86_place_at(x, linear, size) : x86_place(x, insn, 0);
        value = x86_place_read(x, &place);
    }
    result = ir_alu(b, what, 8 * size, value, bit, IR_NONE, x86_flags(x));
    if (place.size && what != IR_ALU_BT)
        x86_place_write(x, &place, result);
    set_flags_of(x, result);
    return true;
}

/* A register becomes `value` if the condition holds; else all of it stays, the upper half of a
 * 32-bit operand too. */
static void set_if(struct xlat *x, const struct x86_operand *o, enum ir_cond cond, ir_ref flags,
                   ir_ref value)
{
    struct ir_builder *b = &x->b;
    ir_ref whole = ir_get(b, F_R0 + o->reg);

    if (x86_xlat(x)->wide && o->size < 8)
        value = ir_un(b, IR_WIDEN_U, value);
    if (o->size < 4)
        value = ir_deposit(b, whole, value, o->high ? 8 : 0, 8 * o->size);
    ir_set(b, F_R0 + o->reg, ir_select(b, cond, flags, value, whole));
}

/* BSF, BSR r, r/m: of 0 the destination stays, all of it */
bool trans_bit_scan(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    unsigned size = insn->operand[0].size;
    ir_ref source = x86_read(x, insn, 1), old = x86_read(x, insn, 0), result;

    result = ir_alu(b, what, 8 * size, source, old, IR_NONE, x86_flags(x));
    if (size == 4)
        set_if(x, &insn->operand[0], IR_NZ, ir_flagof(b, result), result);
    else
        x86_write(x, insn, 0, result);
    set_flags_of(x, result);
    return true;
}

/* TZCNT, LZCNT, POPCNT r, r/m; BLSI, BLSR, BLSMSK r, r/m */
static bool one_source(struct xlat *x, const struct x86_insn *insn)
{
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    ir_ref result = ir_alu(&x->b, what, 8 * insn->operand[0].size, x86_read(x, insn, 1), IR_NONE,
                           IR_NONE, what == IR_ALU_POPCNT ? (ir_ref)IR_NONE : x86_flags(x));

    x86_write(x, insn, 0, result);
    set_flags_of(x, result);
    return true;
}

bool trans_count(struct xlat *x, const struct x86_insn *insn)
{
    return one_source(x, insn);
}

bool trans_bmi1(struct xlat *x, const struct x86_insn *insn)
{
    return one_source(x, insn);
}

/* ANDN, BEXTR, BZHI, PDEP, PEXT r, r / r/m, r/m / r: in the order of the ALU's arguments */
bool trans_bmi2op(struct xlat *x, const struct x86_insn *insn)
{
    enum ir_alu what = (enum ir_alu)insn->row->argument;
    bool flags = what != IR_ALU_PDEP && what != IR_ALU_PEXT;
    ir_ref a = x86_read(x, insn, 1), c = x86_read(x, insn, 2);
    ir_ref result = ir_alu(&x->b, what, 8 * insn->operand[0].size, a, c, IR_NONE,
                           flags ? x86_flags(x) : (ir_ref)IR_NONE);

    x86_write(x, insn, 0, result);
    if (flags)
        set_flags_of(x, result);
    return true;
}

/* CRC32 r, r/m: the accumulator is 32 bits, also in a 64-bit register */
bool trans_crc32(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[1].size;
    ir_ref value = x86_read(x, insn, 1);
    ir_ref sum = x86_gpr(x, insn->operand[0].reg, 4);

    sum = x86_extend(x, sum, 4, MAX(size, 4u), false);
    sum = ir_alu(b, IR_ALU_CRC32, 8 * size, sum, value, IR_NONE, IR_NONE);
    x86_set_gpr(x, insn->operand[0].reg, 4, x86_truncate(x, sum, MAX(size, 4u), 4));
    return true;
}

static ir_ref swap_bytes(struct xlat *x, unsigned size, ir_ref value)
{
    value = ir_un(&x->b, IR_BSWAP, value);
    return size == 2 ? ir_bin_i(&x->b, IR_SHR, value, 16) : value;
}

/* BSWAP r. Of 16 bits, undefined: 0 as processors do. */
bool trans_bswap(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;

    if (size == 2)
        x86_write(x, insn, 0, x86_constant(x, 2, 0));
    else
        x86_write(x, insn, 0, swap_bytes(x, size, x86_read(x, insn, 0)));
    return true;
}

/* MOVBE r, m; MOVBE m, r */
bool trans_movbe(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;

    x86_write(x, insn, 0, swap_bytes(x, size, x86_read(x, insn, 1)));
    return true;
}

/* ---- moves ----------------------------------------------------------------------------------- */

/* MOV */
bool trans_mov(struct xlat *x, const struct x86_insn *insn)
{
    x86_write(x, insn, 0, read_source(x, insn));
    return true;
}

/* MOVNTI m, r */
bool trans_movnti(struct xlat *x, const struct x86_insn *insn)
{
    return trans_mov(x, insn);
}

static bool move_extended(struct xlat *x, const struct x86_insn *insn, bool sign)
{
    ir_ref value = x86_read(x, insn, 1);

    x86_write(x, insn, 0, x86_extend(x, value, insn->operand[1].size, insn->operand[0].size, sign));
    return true;
}

/* MOVZX r, r/m */
bool trans_movzx(struct xlat *x, const struct x86_insn *insn)
{
    return move_extended(x, insn, false);
}

/* MOVSX r, r/m */
bool trans_movsx(struct xlat *x, const struct x86_insn *insn)
{
    return move_extended(x, insn, true);
}

/* MOVSXD r, r/m */
bool trans_movsxd(struct xlat *x, const struct x86_insn *insn)
{
    return move_extended(x, insn, true);
}

/* LEA r, m */
bool trans_lea(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref address = x86_effective_address(x, insn);

    x86_write(x, insn, 0, x86_from_address(x, address, insn->operand[0].size));
    return true;
}

/* CBW, CWDE, CDQE */
bool trans_cbw(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;

    x86_set_gpr(x, RAX, size, x86_extend(x, x86_gpr(x, RAX, size / 2), size / 2, size, true));
    return true;
}

/* CWD, CDQ, CQO */
bool trans_cwd(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref value = x86_gpr(x, RAX, size);

    if (size == 2)
        value = ir_ext(&x->b, IR_SEXT, value, 16);
    x86_set_gpr(x, RDX, size, ir_bin_i(&x->b, IR_SAR, value, size == 8 ? 63 : 31));
    return true;
}

/* XCHG: with memory it locks, LOCK or not */
bool trans_xchg(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size, memory = is_memory(insn, 0) ? 0 : 1, other = !memory;
    ir_ref a, c;

    if (is_memory(insn, memory)) {
        ir_ref linear = x86_linear(x, insn, size, true);

        c = x86_read_low(x, insn, other);
        x86_write(x, insn, other, x86_rmw(x, IR_RMW_XCHG, linear, size, c));
        return true;
    }
    a = x86_read(x, insn, 0);
    c = x86_read(x, insn, 1);
    x86_write(x, insn, 0, c);
    x86_write(x, insn, 1, a);
    return true;
}

/* XADD r/m, r */
bool trans_xadd(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref old, sum, c;

    if (insn->lock) {
        ir_ref linear = x86_linear(x, insn, size, true);

        c = x86_read_low(x, insn, 1);
        old = x86_rmw(x, IR_RMW_ADD, linear, size, c);
        sum = ir_bin_w(b, IR_ADD, 8 * size, old, c);
        x86_write(x, insn, 1, old);
    } else {
        struct x86_place place = x86_place(x, insn, 0);

        old = x86_place_read(x, &place);
        sum = ir_bin_w(b, IR_ADD, 8 * size, old, x86_read_low(x, insn, 1));
        if (is_memory(insn, 0)) {
            x86_place_write(x, &place, sum);
            x86_write(x, insn, 1, old);
        } else { /* one register for both gets the sum */
            x86_write(x, insn, 1, old);
            x86_place_write(x, &place, sum);
        }
    }
    set_flags_of(x, sum);
    return true;
}

/* CMPXCHG r/m, r: in memory always as if locked */
bool trans_cmpxchg(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    const struct x86_operand accumulator = {.kind = OPND_GPR, .reg = RAX, .size = (uint8_t)size};
    ir_ref expected = x86_gpr(x, RAX, size), value, flags, old;

    if (is_memory(insn, 0)) {
        ir_ref linear = x86_linear(x, insn, size, true);

        old = x86_cas(x, linear, size, expected, x86_read(x, insn, 1));
        flags = ir_flagof(b, ir_bin_w(b, IR_SUB, 8 * size, expected, old));
        set_if(x, &accumulator, IR_NZ, flags, old);
    } else {
        value = x86_read(x, insn, 1);
        old = x86_read(x, insn, 0);
        flags = ir_flagof(b, ir_bin_w(b, IR_SUB, 8 * size, expected, old));
        set_if(x, &accumulator, IR_NZ, flags, old);
        set_if(x, &insn->operand[0], IR_Z, flags, value);
    }
    x86_set_flags(x, flags);
    return true;
}

/* CMPXCHG16B: 1 if it was equal; rDX:rAX become what was there. */
static uint32_t cmpxchg16b(struct x86_cpu *cpu, uint64_t linear)
{
    enum { MEMOP = 4 | IR_MEM_ALIGN_OF(4) | IR_MEM_WRITE | IR_MEM_READ | IR_MEM_EXCLUSIVE };
    uint64_t *memory = mmu_probe(cpu->v.mmu, linear, 16, MEMOP);
    uint64_t low = cpu->gpr[RAX], high = cpu->gpr[RDX];
    bool equal;

    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(equal), "+m"(*(unsigned __int128 *)memory), "+a"(low), "+d"(high)
                     : "b"(cpu->gpr[RBX]), "c"(cpu->gpr[RCX])
                     : "memory");
    mmu_commit(cpu->v.mmu, memory, linear, 16, MEMOP);
    cpu->gpr[RAX] = low;
    cpu->gpr[RDX] = high;
    return equal;
}

static const struct ir_helper helper_cmpxchg16b = IR_HELPER(
    cmpxchg16b, IR_I32, 1, HELPER_MAY_FAULT,
    GROUP_R(RAX) | GROUP_R(RDX) | GROUP_R(RBX) | GROUP_R(RCX), GROUP_R(RAX) | GROUP_R(RDX));

static ir_ref pair(struct xlat *x, unsigned low, unsigned high)
{
    return ir_bin(&x->b, IR_CONCAT, x86_gpr(x, low, 4), x86_gpr(x, high, 4));
}

/* CMPXCHG8B m64, CMPXCHG16B m128: only Z changes */
bool trans_cmpxchg8b(struct xlat *x, const struct x86_insn *insn)
{
    static const struct x86_operand eax = {.kind = OPND_GPR, .reg = RAX, .size = 4},
                                    edx = {.kind = OPND_GPR, .reg = RDX, .size = 4};
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand[0].size;
    ir_ref linear = x86_linear(x, insn, size, true), expected, old, flags;

    if (size == 16) {
        ir_ref equal =
            ir_call(b, &helper_cmpxchg16b, linear64(x, linear), IR_NONE, IR_NONE, IR_NONE);

        flags = ir_flagof(b, ir_bin_w(b, IR_SUB, 32, equal, ir_i32(b, 1)));
        change_flags(x, flags, IR_SET_Z);
        return true;
    }
    expected = pair(x, RAX, RDX);
    old = x86_cas(x, linear, 8, expected, pair(x, RBX, RCX));
    flags = ir_flagof(b, ir_bin_w(b, IR_SUB, 64, expected, old));
    set_if(x, &eax, IR_NZ, flags, ir_un(b, IR_NARROW, old));
    set_if(x, &edx, IR_NZ, flags, ir_un(b, IR_HIGH, old));
    change_flags(x, flags, IR_SET_Z);
    return true;
}

/* XLAT: AL = [rBX + AL] */
bool trans_xlat(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->address_size;
    ir_ref index = x86_to_address(x, x86_gpr(x, RAX, 1), 4);
    ir_ref offset = ir_bin(b, IR_ADD, ir_get(b, F_R0 + RBX), index);

    offset = x86_wrap_address(x, offset, size);
    x86_set_gpr(x, RAX, 1,
                x86_load(x, x86_linear_at(x, insn->segment, offset, size, 1, false), 0, 1));
    return true;
}

/* SETcc r/m8 */
bool trans_setcc(struct xlat *x, const struct x86_insn *insn)
{
    x86_write(x, insn, 0, ir_setcc(&x->b, x86_condition(insn->row->argument), x86_flags(x)));
    return true;
}

/* CMOVcc r, r/m: the operand is read whether or not */
bool trans_cmov(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref value = x86_read(x, insn, 1), old = x86_read(x, insn, 0);

    x86_write(x, insn, 0,
              ir_select(&x->b, x86_condition(insn->row->argument), x86_flags(x), value, old));
    return true;
}

/* ---- the stack ------------------------------------------------------------------------------- */

/* PUSH r/m; PUSH imm */
bool trans_push(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;

    if (insn->operand[0].kind == OPND_IMM)
        x86_push(x, size, x86_constant(x, size, insn->imm));
    else
        x86_push(x, size, x86_read_low(x, insn, 0));
    return true;
}

/* POP r/m. An address with rSP in it takes the value after the pop. */
bool trans_pop(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_insn moved = *insn;
    unsigned size = insn->operand_size;
    ir_ref pointer, value;

    if (!is_memory(insn, 0)) {
        value = x86_pop(x, size);
        x86_write(x, insn, 0, value);
        return true;
    }
    pointer = x86_stack_pointer(x);
    value = x86_stack_load(x, pointer, size);
    if (insn->base == RSP)
        moved.displacement += size;
    x86_write(x, &moved, 0, value);
    x86_set_stack_pointer(x, x86_stack_add(x, pointer, size));
    return true;
}

/* PUSHA, PUSHAD */
bool trans_pusha(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_stack_pointer(x);

    for (unsigned reg = RAX; reg <= RDI; reg++) {
        pointer = x86_stack_add(x, pointer, -(int64_t)size);
        x86_stack_store(x, pointer, size, x86_gpr(x, reg, size));
    }
    x86_set_stack_pointer(x, pointer);
    return true;
}

/* POPA, POPAD: the value for rSP is skipped */
bool trans_popa(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_stack_pointer(x), value[8];

    for (unsigned reg = RDI + 1; reg-- > RAX;) {
        value[reg] = x86_stack_load(x, pointer, size);
        pointer = x86_stack_add(x, pointer, size);
    }
    for (unsigned reg = RAX; reg <= RDI; reg++) {
        if (reg != RSP)
            x86_set_gpr(x, reg, size, value[reg]);
    }
    x86_set_stack_pointer(x, pointer);
    return true;
}

/* ENTER imm16, imm8 */
bool trans_enter(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size, level = insn->imm2 & 31, stack = x86_stack_size(x);
    ir_ref pointer = x86_stack_add(x, x86_stack_pointer(x), -(int64_t)size), frame = pointer;
    ir_ref outer = x86_address_register(x, RBP, stack);
    int64_t pushed = (int64_t)size * (level ? level + 1 : 1);
    ir_ref last = x86_stack_add(x, x86_stack_pointer(x), -pushed - (int64_t)(uint16_t)insn->imm);

    x86_stack_store(x, pointer, size, x86_gpr(x, RBP, size));
    for (unsigned i = 1; i < level; i++) {
        outer = x86_stack_add(x, outer, -(int64_t)size);
        pointer = x86_stack_add(x, pointer, -(int64_t)size);
        x86_stack_store(x, pointer, size, x86_stack_load(x, outer, size));
    }
    if (level) {
        pointer = x86_stack_add(x, pointer, -(int64_t)size);
        x86_stack_store(x, pointer, size, x86_from_address(x, frame, size));
    }
    ir_probe(&x->b, x86_linear_at(x, SEG_SS, last, stack, size, true), 0, size,
             x86_memop(x, size) | IR_MEM_WRITE); /* may the stack grow so far? */
    x86_set_gpr(x, RBP, size, x86_from_address(x, frame, size));
    x86_set_stack_pointer(x, last);
    return true;
}

/* LEAVE */
bool trans_leave(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_address_register(x, RBP, x86_stack_size(x));
    ir_ref value = x86_stack_load(x, pointer, size);

    x86_set_stack_pointer(x, x86_stack_add(x, pointer, size));
    x86_set_gpr(x, RBP, size, value);
    return true;
}

/* ---- flags ----------------------------------------------------------------------------------- */

/* CMC, CLC, STC, CLD, STD */
bool trans_flag_op(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    ir_ref bits;

    switch (insn->row->argument) {
    case 0xfc:
    case 0xfd:
        ir_set(b, F_DF, ir_i32(b, insn->row->argument & 1));
        return true;
    case 0xf5:
        bits = ir_setcc(b, IR_NC, x86_flags(x));
        bits = ir_bin_i(b, IR_SHL, bits, (unsigned)__builtin_ctz(IR_FLAG_C));
        break;
    default:
        bits = ir_i32(b, insn->row->argument & 1 ? IR_FLAG_C : 0);
        break;
    }
    change_flags(x, ir_unpack_flags(b, bits), IR_SET_C);
    return true;
}

/* LAHF: the stored form's upper byte is AH, but for bit 1 */
bool trans_lahf(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    ir_ref bits = ir_bin_i(b, IR_SHR, ir_pack_flags(b, x86_flags(x)), 8);
    ir_ref value = ir_bin_i(b, IR_OR, bits, EFLAGS_1);

    if (x86_xlat(x)->wide)
        value = ir_un(b, IR_WIDEN_U, value);
    ir_set(b, F_R0 + RAX, ir_deposit(b, ir_get(b, F_R0 + RAX), value, 8, 8));
    return true;
}

/* SAHF */
bool trans_sahf(struct xlat *x, const struct x86_insn *insn)
{
    change_flags(x, ir_unpack_flags(&x->b, x86_gpr(x, RAX, 4)), ALL_BUT_V);
    return true;
}

/* SALC: AL = CF ? FF : 0; never documented by Intel before the P6 */
bool trans_salc(struct xlat *x, const struct x86_insn *insn)
{
    x86_set_gpr(x, RAX, 1, ir_un(&x->b, IR_NEG, carry_in(x)));
    return true;
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* NOP, PAUSE, PREFETCH, hints */
bool trans_nop(struct xlat *x, const struct x86_insn *insn)
{
    return true;
}

/* UD0, UD1, UD2 */
bool trans_ud(struct xlat *x, const struct x86_insn *insn)
{
    return false;
}

/* LFENCE, MFENCE, SFENCE: the host orders all but a store before a load */
bool trans_fence(struct xlat *x, const struct x86_insn *insn)
{
    if (insn->row->argument == 6)
        ir_emit(&x->b, IR_FENCE, IR_VOID, 0, 0, IR_NONE, IR_NONE, IR_NONE, 0);
    return true;
}

/* CLFLUSH, CLFLUSHOPT m8: faults like a read */
bool trans_clflush(struct xlat *x, const struct x86_insn *insn)
{
    x86_load(x, x86_linear(x, insn, 1, false), 0, 1);
    return true;
}

static uint64_t random_number(struct x86_cpu *cpu)
{
    uint64_t value = 0;

    while (getrandom(&value, sizeof(value), 0) != sizeof(value))
        continue;
    return value;
}

static const struct ir_helper helper_random = IR_HELPER(random_number, IR_I64, 0, 0, 0, 0);

/* RDRAND r, RDSEED r: always ready */
bool trans_rdrand(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    ir_ref value = ir_call(b, &helper_random, IR_NONE, IR_NONE, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, x86_truncate(x, value, 8, insn->operand[0].size));
    x86_set_flags(x, ir_unpack_flags(b, ir_i32(b, IR_FLAG_C)));
    return true;
}

static void bound(struct x86_cpu *cpu, uint32_t index, uint32_t lower, uint32_t upper)
{
    if ((int32_t)index < (int32_t)lower || (int32_t)index > (int32_t)upper)
        x86_raise(cpu, EXC_BR, 0);
}

static const struct ir_helper helper_bound = IR_HELPER(bound, IR_VOID, 3, HELPER_MAY_FAULT, 0, 0);

/* BOUND r, m&m */
bool trans_bound(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref linear = x86_linear(x, insn, 2 * size, false);
    ir_ref lower = x86_extend(x, x86_load(x, linear, 0, size), size, 4, true);
    ir_ref upper = x86_extend(x, x86_load(x, linear, size, size), size, 4, true);
    ir_ref index = x86_extend(x, x86_read(x, insn, 0), size, 4, true);

    ir_call(&x->b, &helper_bound, index, lower, upper, IR_NONE);
    return true;
}
