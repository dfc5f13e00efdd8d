/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data processing, multiply, saturating, parallel, bit field and extend instructions of A32 and
 * Thumb. Section numbers are those of ARM DDI 0406C; the pseudocode of each is in A8.8.
 */
#include "frontend/arm/translate_common.h"

/* ---- shifter, A8.4.1 ------------------------------------------------------------------------ */

struct shifted arm_shift_immediate(struct xlat *x, ir_ref value, unsigned type, unsigned amount,
                                   bool want_carry)
{
    struct ir_builder *b = &x->b;
    struct shifted r = {value, IR_NONE};
    unsigned carry_bit;
    switch (type) {
    case 0: /* LSL */
        if (!amount)
            return r;
        r.value = ir_bin_i(b, IR_SHL, value, amount);
        carry_bit = 32 - amount;
        break;
    case 1: /* LSR, 0 is 32 */
        r.value = amount ? ir_bin_i(b, IR_SHR, value, amount) : ir_i32(b, 0);
        carry_bit = (amount - 1) & 31;
        break;
    case 2: /* ASR, 0 is 32 */
        r.value = ir_bin_i(b, IR_SAR, value, amount ? amount : 31);
        carry_bit = (amount - 1) & 31;
        break;
    default:
        if (amount) {
            r.value = ir_bin_i(b, IR_ROR, value, amount);
            carry_bit = amount - 1;
        } else { /* RRX */
            r.value = ir_bin(b, IR_OR, ir_bin_i(b, IR_SHR, value, 1),
                             ir_bin_i(b, IR_SHL, ir_get(b, F_CF), 31));
            carry_bit = 0;
        }
    }
    if (want_carry)
        r.carry = ir_extract(b, value, carry_bit, 1);
    return r;
}

/* The smaller of amount (0..255) and limit. */
static ir_ref clamp_amount(struct ir_builder *b, ir_ref amount, unsigned limit)
{
    ir_ref most = ir_i32(b, limit);
    return ir_select(b, IR_C, ir_compare(b, amount, most), amount, most);
}

/* Rm shifted by the low byte of a register, without the carry. */
static ir_ref shift_register(struct ir_builder *b, ir_ref value, unsigned type, ir_ref amount)
{
    static const uint8_t ops[] = {IR_SHL, IR_SHR, IR_SAR, IR_ROR};
    if (type == 3)
        return ir_bin(b, IR_ROR, value, amount);
    if (type == 2)
        return ir_bin(b, IR_SAR, value, clamp_amount(b, amount, 31));
    ir_ref below_32 = ir_compare(b, amount, ir_i32(b, 32));
    return ir_select(b, IR_C, below_32, ir_bin(b, (enum ir_op)ops[type], value, amount),
                     ir_i32(b, 0));
}

/* The same in 64 bits, so that the last bit shifted out stays in reach as the carry. */
static struct shifted shift_register_carry(struct ir_builder *b, ir_ref value, unsigned type,
                                           ir_ref amount)
{
    struct shifted r;
    ir_ref wide, few = clamp_amount(b, amount, 33);
    switch (type) {
    case 0:
        wide = ir_bin(b, IR_SHL, ir_un(b, IR_WIDEN_U, value), few);
        r.value = ir_un(b, IR_NARROW, wide);
        r.carry = ir_bin_i(b, IR_AND, ir_un(b, IR_HIGH, wide), 1);
        break;
    case 1:
    case 2:
        wide = ir_un(b, type == 1 ? IR_WIDEN_U : IR_WIDEN_S, value);
        wide = ir_bin(b, type == 1 ? IR_SHR : IR_SAR, ir_bin_i(b, IR_SHL, wide, 1), few);
        r.value = ir_un(b, IR_NARROW, ir_bin_i(b, IR_SHR, wide, 1));
        r.carry = ir_bin_i(b, IR_AND, ir_un(b, IR_NARROW, wide), 1);
        break;
    default:
        r.value = ir_bin(b, IR_ROR, value, amount);
        r.carry = ir_bin_i(b, IR_SHR, r.value, 31);
    }
    r.carry = ir_select(b, IR_Z, ir_test(b, amount), ir_get(b, F_CF), r.carry);
    return r;
}

/* ---- data processing, A5.2.1 to A5.2.3 ------------------------------------------------------- */

enum alu_op {
    ALU_AND,
    ALU_EOR,
    ALU_SUB,
    ALU_RSB,
    ALU_ADD,
    ALU_ADC,
    ALU_SBC,
    ALU_RSC,
    ALU_TST,
    ALU_TEQ,
    ALU_CMP,
    ALU_CMN,
    ALU_ORR,
    ALU_MOV,
    ALU_BIC,
    ALU_MVN,
    ALU_ORN,
    N_ALU_OPS
};

enum alu_kind { LOGIC, ADDITION, SUBTRACTION };

static const struct alu_info {
    uint8_t kind;
    bool no_rn, no_rd;
} alu_info[N_ALU_OPS] = {
    [ALU_AND] = {LOGIC, false, false},       [ALU_EOR] = {LOGIC, false, false},
    [ALU_SUB] = {SUBTRACTION, false, false}, [ALU_RSB] = {SUBTRACTION, false, false},
    [ALU_ADD] = {ADDITION, false, false},    [ALU_ADC] = {ADDITION, false, false},
    [ALU_SBC] = {SUBTRACTION, false, false}, [ALU_RSC] = {SUBTRACTION, false, false},
    [ALU_TST] = {LOGIC, false, true},        [ALU_TEQ] = {LOGIC, false, true},
    [ALU_CMP] = {SUBTRACTION, false, true},  [ALU_CMN] = {ADDITION, false, true},
    [ALU_ORR] = {LOGIC, false, false},       [ALU_MOV] = {LOGIC, true, false},
    [ALU_BIC] = {LOGIC, false, false},       [ALU_MVN] = {LOGIC, true, false},
    [ALU_ORN] = {LOGIC, false, false},
};

static ir_ref alu_result(struct ir_builder *b, enum alu_op op, ir_ref n, ir_ref m)
{
    switch (op) {
    case ALU_AND:
    case ALU_TST:
        return ir_bin(b, IR_AND, n, m);
    case ALU_EOR:
    case ALU_TEQ:
        return ir_bin(b, IR_XOR, n, m);
    case ALU_SUB:
    case ALU_CMP:
        return ir_bin(b, IR_SUB, n, m);
    case ALU_RSB:
        return ir_bin(b, IR_SUB, m, n);
    case ALU_ADD:
    case ALU_CMN:
        return ir_bin(b, IR_ADD, n, m);
    case ALU_ADC:
        return ir_adc(b, IR_ADC, n, m, ir_get(b, F_CF));
    case ALU_SBC:
        return ir_adc(b, IR_SBB, n, m, ir_bin_i(b, IR_XOR, ir_get(b, F_CF), 1));
    case ALU_RSC:
        return ir_adc(b, IR_SBB, m, n, ir_bin_i(b, IR_XOR, ir_get(b, F_CF), 1));
    case ALU_ORR:
        return ir_bin(b, IR_OR, n, m);
    case ALU_MOV:
        return m;
    case ALU_BIC:
        return ir_bin(b, IR_ANDN, n, m);
    case ALU_MVN:
        return ir_un(b, IR_NOT, m);
    default:
        return ir_bin(b, IR_OR, n, ir_un(b, IR_NOT, m));
    }
}

static void alu_flags(struct xlat *x, enum alu_op op, ir_ref result, ir_ref carry)
{
    struct ir_builder *b = &x->b;
    bool is_move = op == ALU_MOV || op == ALU_MVN;
    ir_ref flags = is_move ? ir_test(b, result) : ir_flagof(b, result);
    arm_set_nz(x, flags);
    if (alu_info[op].kind == LOGIC) {
        if (carry)
            ir_set(b, F_CF, carry);
        return;
    }
    /* ARM's C is the inverse of a borrow. */
    ir_set(b, F_CF, ir_setcc(b, alu_info[op].kind == ADDITION ? IR_C : IR_NC, flags));
    ir_set(b, F_VF, ir_setcc(b, IR_V, flags));
}

/* Rd <- Rn op m. Rd = r15 branches, with S it returns from an exception (B9.3.20). */
static bool alu(struct xlat *x, enum alu_op op, int s, int rd, int rn, struct shifted m)
{
    struct ir_builder *b = &x->b;
    bool to_pc = rd == 15 && !alu_info[op].no_rd;
    if (to_pc && (is_t32(x) || (s && !is_privileged(x))))
        return false;
    ir_ref n = alu_info[op].no_rn ? IR_NONE : arm_get_reg(x, (unsigned)rn);
    ir_ref result = alu_result(b, op, n, m.value);
    if (to_pc && s) {
        ir_call(b, &helper_exception_return, result, IR_NONE, IR_NONE, IR_NONE);
        ir_exit_lookup(b);
    } else if (to_pc) {
        arm_write_pc(x, result, !arm_xlat(x)->thumb); /* ALUWritePC */
    } else {
        if (s)
            alu_flags(x, op, result, m.carry);
        if (!alu_info[op].no_rd)
            arm_set_reg(x, (unsigned)rd, result);
    }
    return true;
}

static bool alu_shift(struct xlat *x, enum alu_op op, const struct arg_alu_shift *a)
{
    bool want_carry = a->s && alu_info[op].kind == LOGIC;
    struct shifted m = arm_shift_immediate(x, arm_get_reg(x, (unsigned)a->rm), (unsigned)a->type,
                                           (unsigned)a->amount, want_carry);
    return alu(x, op, a->s, a->rd, a->rn, m);
}

static bool alu_rsr(struct xlat *x, enum alu_op op, const struct arg_alu_rsr *a)
{
    struct ir_builder *b = &x->b;
    struct shifted m = {IR_NONE, IR_NONE};
    if (a->rm == 15 || a->rs == 15 || (a->rd == 15 && !alu_info[op].no_rd) ||
        (a->rn == 15 && !alu_info[op].no_rn))
        return false;
    ir_ref value = arm_get_reg(x, (unsigned)a->rm);
    ir_ref amount = ir_ext(b, IR_ZEXT, arm_get_reg(x, (unsigned)a->rs), 8);
    if (a->s && alu_info[op].kind == LOGIC)
        m = shift_register_carry(b, value, (unsigned)a->type, amount);
    else
        m.value = shift_register(b, value, (unsigned)a->type, amount);
    return alu(x, op, a->s, a->rd, a->rn, m);
}

static bool alu_imm(struct xlat *x, enum alu_op op, const struct arg_alu_imm *a)
{
    struct ir_builder *b = &x->b;
    struct shifted m = {ir_i32(b, (uint32_t)a->imm), IR_NONE};
    if (a->s && a->carry >= 0 && alu_info[op].kind == LOGIC)
        m.carry = ir_i32(b, (uint32_t)a->carry);
    return alu(x, op, a->s, a->rd, a->rn, m);
}

/* <op>{S} Rd, Rn, Rm {, shift}; <op>{S} Rd, Rn, #const */
#define ALU(name)                                                                                  \
    bool trans_##name##_shift(struct xlat *x, const struct arg_alu_shift *a)                       \
    {                                                                                              \
        return alu_shift(x, ALU_##name, a);                                                        \
    }                                                                                              \
    bool trans_##name##_imm(struct xlat *x, const struct arg_alu_imm *a)                           \
    {                                                                                              \
        return alu_imm(x, ALU_##name, a);                                                          \
    }
/* ... and <op>{S} Rd, Rn, Rm, <shift> Rs */
#define ALU_ALL(name)                                                                              \
    ALU(name)                                                                                      \
    bool trans_##name##_rsr(struct xlat *x, const struct arg_alu_rsr *a)                           \
    {                                                                                              \
        return alu_rsr(x, ALU_##name, a);                                                          \
    }
ALU_ALL(AND)
ALU_ALL(EOR)
ALU_ALL(SUB)
ALU_ALL(RSB)
ALU_ALL(ADD)
ALU_ALL(ADC)
ALU_ALL(SBC)
ALU_ALL(RSC)
ALU_ALL(TST)
ALU_ALL(TEQ)
ALU_ALL(CMP)
ALU_ALL(CMN)
ALU_ALL(ORR)
ALU_ALL(MOV)
ALU_ALL(BIC)
ALU_ALL(MVN)
ALU(ORN)

/* Rd <- value, which no instruction here allows to be r15. */
static bool set_result(struct xlat *x, int rd, ir_ref value)
{
    arm_set_reg(x, (unsigned)rd, value);
    return true;
}

static ir_ref reg(struct xlat *x, int n)
{
    return arm_get_reg(x, (unsigned)n);
}

/* MOVW Rd, #imm16 */
bool trans_MOVW(struct xlat *x, const struct arg_rd_imm *a)
{
    return a->rd != 15 && set_result(x, a->rd, ir_i32(&x->b, (uint32_t)a->imm));
}

/* MOVT Rd, #imm16 */
bool trans_MOVT(struct xlat *x, const struct arg_rd_imm *a)
{
    if (a->rd == 15)
        return false;
    ir_ref low = ir_bin_i(&x->b, IR_AND, reg(x, a->rd), 0xffff);
    return set_result(x, a->rd, ir_bin_i(&x->b, IR_OR, low, (uint32_t)a->imm << 16));
}

/* ADR Rd, label */
static bool adr(struct xlat *x, const struct arg_rd_imm *a, bool add)
{
    uint32_t base = read_pc(x) & ~3u;
    uint32_t address = add ? base + (uint32_t)a->imm : base - (uint32_t)a->imm;
    return a->rd != 15 && set_result(x, a->rd, ir_i32(&x->b, address));
}

bool trans_ADR_add(struct xlat *x, const struct arg_rd_imm *a)
{
    return adr(x, a, true);
}

bool trans_ADR_sub(struct xlat *x, const struct arg_rd_imm *a)
{
    return adr(x, a, false);
}

/* ADDW Rd, Rn, #imm12 */
bool trans_ADDW(struct xlat *x, const struct arg_rd_rn_imm *a)
{
    return a->rd != 15 &&
           set_result(x, a->rd, ir_bin_i(&x->b, IR_ADD, reg(x, a->rn), (uint32_t)a->imm));
}

/* SUBW Rd, Rn, #imm12 */
bool trans_SUBW(struct xlat *x, const struct arg_rd_rn_imm *a)
{
    return a->rd != 15 &&
           set_result(x, a->rd, ir_bin_i(&x->b, IR_SUB, reg(x, a->rn), (uint32_t)a->imm));
}

/* ---- multiply, A5.2.5, A5.2.7, A5.4.4, A5.4.5 ------------------------------------------------ */

static bool multiply(struct xlat *x, const struct arg_mul *a, enum ir_op accumulate)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref product = ir_bin(b, IR_MUL, reg(x, a->rn), reg(x, a->rm));
    if (accumulate != IR_NOP) {
        if (a->ra == 15)
            return false;
        product = ir_bin(b, accumulate, reg(x, a->ra), product);
    }
    if (a->s)
        arm_set_nz(x, ir_test(b, product));
    return set_result(x, a->rd, product);
}

/* MUL{S} Rd, Rn, Rm */
bool trans_MUL(struct xlat *x, const struct arg_mul *a)
{
    return multiply(x, a, IR_NOP);
}

/* MLA{S} Rd, Rn, Rm, Ra */
bool trans_MLA(struct xlat *x, const struct arg_mul *a)
{
    return multiply(x, a, IR_ADD);
}

/* MLS Rd, Rn, Rm, Ra */
bool trans_MLS(struct xlat *x, const struct arg_mul *a)
{
    return multiply(x, a, IR_SUB);
}

static bool set_long(struct xlat *x, int rdlo, int rdhi, ir_ref value)
{
    ir_ref low = ir_un(&x->b, IR_NARROW, value), high = ir_un(&x->b, IR_HIGH, value);
    arm_set_reg(x, (unsigned)rdlo, low);
    arm_set_reg(x, (unsigned)rdhi, high);
    return true;
}

static ir_ref widen(struct xlat *x, ir_ref value, bool is_signed)
{
    return ir_un(&x->b, is_signed ? IR_WIDEN_S : IR_WIDEN_U, value);
}

static ir_ref long_accumulator(struct xlat *x, int rdlo, int rdhi)
{
    ir_ref low = reg(x, rdlo), high = reg(x, rdhi);
    return ir_emit(&x->b, IR_CONCAT, IR_I64, 0, 0, low, high, IR_NONE, 0);
}

/* RdLo = RdHi is UNPREDICTABLE: the high half stands, as it is written last. */
static bool bad_long(int rdlo, int rdhi, int rn, int rm)
{
    return rdlo == 15 || rdhi == 15 || rn == 15 || rm == 15;
}

static bool multiply_long(struct xlat *x, const struct arg_mull *a, bool is_signed, bool accumulate)
{
    struct ir_builder *b = &x->b;
    if (bad_long(a->rdlo, a->rdhi, a->rn, a->rm))
        return false;
    ir_ref product =
        ir_bin(b, IR_MUL, widen(x, reg(x, a->rn), is_signed), widen(x, reg(x, a->rm), is_signed));
    if (accumulate)
        product = ir_bin(b, IR_ADD, long_accumulator(x, a->rdlo, a->rdhi), product);
    if (a->s)
        arm_set_nz(x, ir_test(b, product));
    return set_long(x, a->rdlo, a->rdhi, product);
}

/* UMULL{S} RdLo, RdHi, Rn, Rm; likewise UMLAL, SMULL, SMLAL */
bool trans_UMULL(struct xlat *x, const struct arg_mull *a)
{
    return multiply_long(x, a, false, false);
}

bool trans_UMLAL(struct xlat *x, const struct arg_mull *a)
{
    return multiply_long(x, a, false, true);
}

bool trans_SMULL(struct xlat *x, const struct arg_mull *a)
{
    return multiply_long(x, a, true, false);
}

bool trans_SMLAL(struct xlat *x, const struct arg_mull *a)
{
    return multiply_long(x, a, true, true);
}

/* UMAAL RdLo, RdHi, Rn, Rm */
bool trans_UMAAL(struct xlat *x, const struct arg_mull *a)
{
    struct ir_builder *b = &x->b;
    if (bad_long(a->rdlo, a->rdhi, a->rn, a->rm))
        return false;
    ir_ref sum = ir_bin(b, IR_MUL, widen(x, reg(x, a->rn), false), widen(x, reg(x, a->rm), false));
    sum = ir_bin(b, IR_ADD, sum, widen(x, reg(x, a->rdlo), false));
    sum = ir_bin(b, IR_ADD, sum, widen(x, reg(x, a->rdhi), false));
    return set_long(x, a->rdlo, a->rdhi, sum);
}

/* Signed halfword of a register. */
static ir_ref half(struct xlat *x, ir_ref value, int high)
{
    return high ? ir_bin_i(&x->b, IR_SAR, value, 16) : ir_ext(&x->b, IR_SEXT, value, 16);
}

/* Rd <- product + Ra (none if 15), Q if that overflows. */
static bool add_and_saturate_q(struct xlat *x, int rd, int ra, ir_ref product)
{
    struct ir_builder *b = &x->b;
    if (ra == 15)
        return set_result(x, rd, product);
    ir_ref sum = ir_bin(b, IR_ADD, product, reg(x, ra));
    arm_set_q(x, ir_setcc(b, IR_V, ir_flagof(b, sum)));
    return set_result(x, rd, sum);
}

static bool multiply_half(struct xlat *x, const struct arg_mulxy *a)
{
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref product =
        ir_bin(&x->b, IR_MUL, half(x, reg(x, a->rn), a->nh), half(x, reg(x, a->rm), a->mh));
    return add_and_saturate_q(x, a->rd, a->ra, product);
}

/* SMLA<x><y> Rd, Rn, Rm, Ra (in T32 Ra = 15 is SMUL<x><y>) */
bool trans_SMLAxy(struct xlat *x, const struct arg_mulxy *a)
{
    return (a->ra != 15 || arm_xlat(x)->thumb) && multiply_half(x, a);
}

/* SMUL<x><y> Rd, Rn, Rm */
bool trans_SMULxy(struct xlat *x, const struct arg_mulxy *a)
{
    return multiply_half(x, a);
}

static bool multiply_word_by_half(struct xlat *x, const struct arg_mulxy *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref n = widen(x, reg(x, a->rn), true);
    ir_ref m = widen(x, half(x, reg(x, a->rm), a->mh), true);
    ir_ref product = ir_un(b, IR_NARROW, ir_bin_i(b, IR_SAR, ir_bin(b, IR_MUL, n, m), 16));
    return add_and_saturate_q(x, a->rd, a->ra, product);
}

/* SMLAW<y> Rd, Rn, Rm, Ra (in T32 Ra = 15 is SMULW<y>) */
bool trans_SMLAWy(struct xlat *x, const struct arg_mulxy *a)
{
    return (a->ra != 15 || arm_xlat(x)->thumb) && multiply_word_by_half(x, a);
}

/* SMULW<y> Rd, Rn, Rm */
bool trans_SMULWy(struct xlat *x, const struct arg_mulxy *a)
{
    return multiply_word_by_half(x, a);
}

/* SMLAL<x><y> RdLo, RdHi, Rn, Rm */
bool trans_SMLALxy(struct xlat *x, const struct arg_mullxy *a)
{
    if (bad_long(a->rdlo, a->rdhi, a->rn, a->rm))
        return false;
    ir_ref product =
        ir_bin(&x->b, IR_MUL, half(x, reg(x, a->rn), a->nh), half(x, reg(x, a->rm), a->mh));
    ir_ref sum =
        ir_bin(&x->b, IR_ADD, long_accumulator(x, a->rdlo, a->rdhi), widen(x, product, true));
    return set_long(x, a->rdlo, a->rdhi, sum);
}

/* Sum or difference of the two halfword products, in 64 bits. */
static ir_ref dual_product(struct xlat *x, int rn, int rm, int swap, bool subtract)
{
    struct ir_builder *b = &x->b;
    ir_ref n = reg(x, rn), m = reg(x, rm);
    if (swap)
        m = ir_bin_i(b, IR_ROR, m, 16);
    ir_ref low = ir_bin(b, IR_MUL, half(x, n, 0), half(x, m, 0));
    ir_ref high = ir_bin(b, IR_MUL, half(x, n, 1), half(x, m, 1));
    return ir_bin(b, subtract ? IR_SUB : IR_ADD, widen(x, low, true), widen(x, high, true));
}

static bool multiply_dual(struct xlat *x, const struct arg_muld *a, bool subtract)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref sum = dual_product(x, a->rn, a->rm, a->swap, subtract);
    if (a->ra != 15)
        sum = ir_bin(b, IR_ADD, sum, widen(x, reg(x, a->ra), true));
    ir_ref result = ir_un(b, IR_NARROW, sum);
    arm_set_q(x, ir_setcc(b, IR_NZ, ir_compare(b, widen(x, result, true), sum)));
    return set_result(x, a->rd, result);
}

/* SMLAD{X} Rd, Rn, Rm, Ra; Ra = 15: SMUAD{X} */
bool trans_SMLAD(struct xlat *x, const struct arg_muld *a)
{
    return multiply_dual(x, a, false);
}

/* SMLSD{X} Rd, Rn, Rm, Ra; Ra = 15: SMUSD{X} */
bool trans_SMLSD(struct xlat *x, const struct arg_muld *a)
{
    return multiply_dual(x, a, true);
}

static bool multiply_dual_long(struct xlat *x, const struct arg_mulld *a, bool subtract)
{
    if (bad_long(a->rdlo, a->rdhi, a->rn, a->rm))
        return false;
    ir_ref sum = ir_bin(&x->b, IR_ADD, long_accumulator(x, a->rdlo, a->rdhi),
                        dual_product(x, a->rn, a->rm, a->swap, subtract));
    return set_long(x, a->rdlo, a->rdhi, sum);
}

/* SMLALD{X} RdLo, RdHi, Rn, Rm */
bool trans_SMLALD(struct xlat *x, const struct arg_mulld *a)
{
    return multiply_dual_long(x, a, false);
}

/* SMLSLD{X} RdLo, RdHi, Rn, Rm */
bool trans_SMLSLD(struct xlat *x, const struct arg_mulld *a)
{
    return multiply_dual_long(x, a, true);
}

static bool multiply_most(struct xlat *x, const struct arg_mmul *a, bool subtract)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15 || (subtract && a->ra == 15))
        return false;
    ir_ref sum = ir_bin(b, IR_MUL, widen(x, reg(x, a->rn), true), widen(x, reg(x, a->rm), true));
    if (a->ra != 15) {
        ir_ref high = ir_bin_i(b, IR_SHL, widen(x, reg(x, a->ra), false), 32);
        sum = ir_bin(b, subtract ? IR_SUB : IR_ADD, high, sum);
    }
    if (a->round)
        sum = ir_bin_i(b, IR_ADD, sum, 0x80000000u);
    return set_result(x, a->rd, ir_un(b, IR_HIGH, sum));
}

/* SMMLA{R} Rd, Rn, Rm, Ra; Ra = 15: SMMUL{R} */
bool trans_SMMLA(struct xlat *x, const struct arg_mmul *a)
{
    return multiply_most(x, a, false);
}

/* SMMLS{R} Rd, Rn, Rm, Ra */
bool trans_SMMLS(struct xlat *x, const struct arg_mmul *a)
{
    return multiply_most(x, a, true);
}

static bool divide(struct xlat *x, const struct arg_rrr *a, enum ir_op op)
{
    /* SCTLR.DZ does not exist in the A profile: division by zero gives zero, as the IR's. */
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    return set_result(x, a->rd, ir_bin(&x->b, op, reg(x, a->rn), reg(x, a->rm)));
}

/* SDIV Rd, Rn, Rm */
bool trans_SDIV(struct xlat *x, const struct arg_rrr *a)
{
    return divide(x, a, IR_SDIV);
}

/* UDIV Rd, Rn, Rm */
bool trans_UDIV(struct xlat *x, const struct arg_rrr *a)
{
    return divide(x, a, IR_UDIV);
}

/* USADA8 Rd, Rn, Rm, Ra; Ra = 15: USAD8 */
bool trans_USADA8(struct xlat *x, const struct arg_mul *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref n = reg(x, a->rn), m = reg(x, a->rm);
    ir_ref sum = a->ra == 15 ? ir_i32(b, 0) : reg(x, a->ra);
    for (unsigned lane = 0; lane < 4; lane++) {
        ir_ref d = ir_bin(b, IR_SUB, ir_extract(b, n, lane * 8, 8), ir_extract(b, m, lane * 8, 8));
        ir_ref sign = ir_bin_i(b, IR_SAR, d, 31);
        sum = ir_bin(b, IR_ADD, sum, ir_bin(b, IR_SUB, ir_bin(b, IR_XOR, d, sign), sign));
    }
    return set_result(x, a->rd, sum);
}

/* ---- saturation, A5.2.6, A8.8.134 (QADD), A8.8.192 (SSAT) ------------------------------------ */

/* Saturated a + c or a - c; *q: did it saturate? */
static ir_ref saturating(struct xlat *x, enum ir_op op, ir_ref a, ir_ref c, ir_ref *q)
{
    struct ir_builder *b = &x->b;
    ir_ref result = ir_bin(b, op, a, c), flags = ir_flagof(b, result);
    ir_ref limit = ir_bin_i(b, IR_XOR, ir_bin_i(b, IR_SAR, a, 31), 0x7fffffff);
    *q = ir_setcc(b, IR_V, flags);
    return ir_select(b, IR_V, flags, limit, result);
}

static bool saturating_add(struct xlat *x, const struct arg_rrr *a, enum ir_op op, bool twice)
{
    struct ir_builder *b = &x->b;
    ir_ref q, q_twice;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref n = reg(x, a->rn), m = reg(x, a->rm);
    if (twice)
        n = saturating(x, IR_ADD, n, n, &q_twice);
    ir_ref result = saturating(x, op, m, n, &q);
    arm_set_q(x, twice ? ir_bin(b, IR_OR, q, q_twice) : q);
    return set_result(x, a->rd, result);
}

/* QADD Rd, Rm, Rn; likewise QSUB, QDADD, QDSUB */
bool trans_QADD(struct xlat *x, const struct arg_rrr *a)
{
    return saturating_add(x, a, IR_ADD, false);
}

bool trans_QSUB(struct xlat *x, const struct arg_rrr *a)
{
    return saturating_add(x, a, IR_SUB, false);
}

bool trans_QDADD(struct xlat *x, const struct arg_rrr *a)
{
    return saturating_add(x, a, IR_ADD, true);
}

bool trans_QDSUB(struct xlat *x, const struct arg_rrr *a)
{
    return saturating_add(x, a, IR_SUB, true);
}

/* A signed value brought into [low, high]. */
static ir_ref clamp(struct xlat *x, ir_ref value, int32_t low, int32_t high)
{
    struct ir_builder *b = &x->b;
    ir_ref least = ir_i32(b, (uint32_t)low), most = ir_i32(b, (uint32_t)high);
    value = ir_select(b, IR_GT, ir_compare(b, value, most), most, value);
    return ir_select(b, IR_LT, ir_compare(b, value, least), least, value);
}

static int32_t signed_max(unsigned bits)
{
    return (int32_t)(0x7fffffffu >> (32 - bits));
}

/* bits: of the result; unsigned results may have 0 to 31, signed ones 1 to 32. */
static ir_ref clamp_to(struct xlat *x, ir_ref value, unsigned bits, bool is_signed)
{
    if (is_signed)
        return bits == 32 ? value : clamp(x, value, -signed_max(bits) - 1, signed_max(bits));
    return clamp(x, value, 0, signed_max(bits + 1));
}

static bool saturate(struct xlat *x, const struct arg_sat *a, unsigned bits, bool is_signed)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15)
        return false;
    ir_ref value =
        arm_shift_immediate(x, reg(x, a->rn), (unsigned)a->type, (unsigned)a->amount, false).value;
    ir_ref result = clamp_to(x, value, bits, is_signed);
    arm_set_q(x, ir_setcc(b, IR_NZ, ir_compare(b, value, result)));
    return set_result(x, a->rd, result);
}

/* SSAT Rd, #imm, Rn {, shift} */
bool trans_SSAT(struct xlat *x, const struct arg_sat *a)
{
    return saturate(x, a, (unsigned)a->imm + 1, true);
}

/* USAT Rd, #imm, Rn {, shift} */
bool trans_USAT(struct xlat *x, const struct arg_sat *a)
{
    return saturate(x, a, (unsigned)a->imm, false);
}

static bool saturate_halves(struct xlat *x, const struct arg_rd_rn_imm *a, unsigned bits,
                            bool is_signed)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15)
        return false;
    ir_ref n = reg(x, a->rn);
    ir_ref low = clamp_to(x, half(x, n, 0), bits, is_signed);
    ir_ref high = clamp_to(x, half(x, n, 1), bits, is_signed);
    ir_ref low_half = ir_ext(b, IR_ZEXT, low, 16);
    ir_ref result = ir_bin(b, IR_OR, low_half, ir_bin_i(b, IR_SHL, high, 16));
    arm_set_q(x, ir_setcc(b, IR_NZ, ir_compare(b, n, result)));
    return set_result(x, a->rd, result);
}

/* SSAT16 Rd, #imm, Rn */
bool trans_SSAT16(struct xlat *x, const struct arg_rd_rn_imm *a)
{
    return saturate_halves(x, a, (unsigned)a->imm + 1, true);
}

/* USAT16 Rd, #imm, Rn */
bool trans_USAT16(struct xlat *x, const struct arg_rd_rn_imm *a)
{
    return saturate_halves(x, a, (unsigned)a->imm, false);
}

/* ---- parallel addition and subtraction, A5.4.1, A5.4.2 ----------------------------------------
 */

enum parallel_kind { PAR_S, PAR_Q, PAR_SH, PAR_U, PAR_UQ, PAR_UH };

static bool parallel_is_signed(enum parallel_kind kind)
{
    return kind <= PAR_SH;
}

/* One lane: exact result of extended lanes, made to fit. *ge (for S and U): does GE become 1? */
static ir_ref parallel_lane(struct xlat *x, enum parallel_kind kind, bool subtract, unsigned bits,
                            ir_ref n, ir_ref m, ir_ref *ge)
{
    struct ir_builder *b = &x->b;
    ir_ref r = ir_bin(b, subtract ? IR_SUB : IR_ADD, n, m);
    switch (kind) {
    case PAR_S:
        *ge = ir_bin_i(b, IR_XOR, ir_bin_i(b, IR_SHR, r, 31), 1);
        break;
    case PAR_U:
        *ge = subtract ? ir_bin_i(b, IR_XOR, ir_bin_i(b, IR_SHR, r, 31), 1)
                       : ir_bin_i(b, IR_SHR, r, bits);
        break;
    case PAR_Q:
        r = clamp_to(x, r, bits, true);
        break;
    case PAR_UQ:
        r = clamp_to(x, r, bits, false);
        break;
    default:
        r = ir_bin_i(b, IR_SAR, r, 1);
        break;
    }
    return ir_ext(b, IR_ZEXT, r, bits);
}

static ir_ref parallel_extend(struct xlat *x, enum parallel_kind kind, ir_ref value, unsigned lane,
                              unsigned bits)
{
    return parallel_is_signed(kind) ? ir_sextract(&x->b, value, lane * bits, bits)
                                    : ir_extract(&x->b, value, lane * bits, bits);
}

/* Bits 7, 15, 23, 31 of a word as GE. The multiplication moves bit 8i to bit 24 + i. */
static ir_ref gather_ge(struct xlat *x, ir_ref bits)
{
    struct ir_builder *b = &x->b;
    bits = ir_bin_i(b, IR_AND, ir_bin_i(b, IR_SHR, bits, 7), 0x01010101);
    return ir_bin_i(b, IR_AND, ir_bin_i(b, IR_SHR, ir_bin_i(b, IR_MUL, bits, 0x01020408), 24), 15);
}

/*
 * The byte forms of S and U, which string functions live on, all lanes at once: add or subtract
 * without letting carries cross lanes, then find each lane's carry, borrow or sign.
 */
static bool parallel_bytes(struct xlat *x, const struct arg_rrr *a, bool is_signed, bool subtract)
{
    struct ir_builder *b = &x->b;
    const uint32_t tops = 0x80808080;
    ir_ref n = reg(x, a->rn), m = reg(x, a->rm), r, ge;
    ir_ref differ = ir_bin(b, IR_XOR, n, m);
    if (subtract) {
        r = ir_bin(b, IR_SUB, ir_bin_i(b, IR_OR, n, tops), ir_bin_i(b, IR_AND, m, ~tops));
        r = ir_bin(b, IR_XOR, r, ir_bin_i(b, IR_AND, ir_un(b, IR_NOT, differ), tops));
    } else {
        r = ir_bin(b, IR_ADD, ir_bin_i(b, IR_AND, n, ~tops), ir_bin_i(b, IR_AND, m, ~tops));
        r = ir_bin(b, IR_XOR, r, ir_bin_i(b, IR_AND, differ, tops));
    }
    /* overflow = (r ^ n) & (r ^ m, or n ^ m); the exact result's sign is r ^ overflow. */
    if (is_signed) {
        ir_ref other = subtract ? differ : ir_bin(b, IR_XOR, r, m);
        ir_ref overflow = ir_bin(b, IR_AND, ir_bin(b, IR_XOR, r, n), other);
        ge = ir_un(b, IR_NOT, ir_bin(b, IR_XOR, r, overflow));
    } else if (subtract) { /* no borrow: (n & ~m) | (~(n ^ m) & ~r) */
        ge = ir_bin(b, IR_OR, ir_bin(b, IR_ANDN, n, m),
                    ir_un(b, IR_NOT, ir_bin(b, IR_OR, differ, r)));
    } else { /* carry: (n & m) | ((n | m) & ~r) */
        ge = ir_bin(b, IR_OR, ir_bin(b, IR_AND, n, m),
                    ir_bin(b, IR_ANDN, ir_bin(b, IR_OR, n, m), r));
    }
    ir_set(b, F_GE, gather_ge(x, ge));
    return set_result(x, a->rd, r);
}

/* sub_low, sub_high: which halves subtract; exchange: Rm's halves are swapped (ASX, SAX). */
static bool parallel_halves(struct xlat *x, const struct arg_rrr *a, enum parallel_kind kind,
                            bool sub_low, bool sub_high, bool exchange)
{
    struct ir_builder *b = &x->b;
    ir_ref ge[2] = {IR_NONE, IR_NONE};
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref n = reg(x, a->rn), m = reg(x, a->rm);
    ir_ref low = parallel_lane(x, kind, sub_low, 16, parallel_extend(x, kind, n, 0, 16),
                               parallel_extend(x, kind, m, exchange, 16), &ge[0]);
    ir_ref high = parallel_lane(x, kind, sub_high, 16, parallel_extend(x, kind, n, 1, 16),
                                parallel_extend(x, kind, m, !exchange, 16), &ge[1]);
    ir_ref result = ir_bin(b, IR_OR, low, ir_bin_i(b, IR_SHL, high, 16));
    if (kind == PAR_S || kind == PAR_U)
        ir_set(b, F_GE,
               ir_bin(b, IR_OR, ir_bin_i(b, IR_MUL, ge[0], 3), ir_bin_i(b, IR_MUL, ge[1], 12)));
    return set_result(x, a->rd, result);
}

static bool parallel_quads(struct xlat *x, const struct arg_rrr *a, enum parallel_kind kind,
                           bool subtract)
{
    struct ir_builder *b = &x->b;
    ir_ref ge, result = IR_NONE;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    if (kind == PAR_S || kind == PAR_U)
        return parallel_bytes(x, a, kind == PAR_S, subtract);
    ir_ref n = reg(x, a->rn), m = reg(x, a->rm);
    for (unsigned lane = 0; lane < 4; lane++) {
        ir_ref r = parallel_lane(x, kind, subtract, 8, parallel_extend(x, kind, n, lane, 8),
                                 parallel_extend(x, kind, m, lane, 8), &ge);
        result = lane ? ir_bin(b, IR_OR, result, ir_bin_i(b, IR_SHL, r, lane * 8)) : r;
    }
    return set_result(x, a->rd, result);
}

/* <prefix>ADD16 Rd, Rn, Rm and the five others of each prefix */
#define PARALLEL_HALVES(prefix, name, sub_low, sub_high, exchange)                                 \
    bool trans_##prefix##name(struct xlat *x, const struct arg_rrr *a)                             \
    {                                                                                              \
        return parallel_halves(x, a, PAR_##prefix, sub_low, sub_high, exchange);                   \
    }
#define PARALLEL_QUADS(prefix, name, subtract)                                                     \
    bool trans_##prefix##name(struct xlat *x, const struct arg_rrr *a)                             \
    {                                                                                              \
        return parallel_quads(x, a, PAR_##prefix, subtract);                                       \
    }
#define PARALLEL(prefix)                                                                           \
    PARALLEL_HALVES(prefix, ADD16, false, false, false)                                            \
    PARALLEL_HALVES(prefix, ASX, true, false, true)                                                \
    PARALLEL_HALVES(prefix, SAX, false, true, true)                                                \
    PARALLEL_HALVES(prefix, SUB16, true, true, false)                                              \
    PARALLEL_QUADS(prefix, ADD8, false)                                                            \
    PARALLEL_QUADS(prefix, SUB8, true)
PARALLEL(S)
PARALLEL(Q)
PARALLEL(SH)
PARALLEL(U)
PARALLEL(UQ)
PARALLEL(UH)

/* SEL Rd, Rn, Rm: bytes by GE. The multiplication moves GE's bit i to bit 8i. */
bool trans_SEL(struct xlat *x, const struct arg_rrr *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref mask = ir_bin_i(b, IR_MUL, ir_get(b, F_GE), 0x00204081);
    mask = ir_bin_i(b, IR_MUL, ir_bin_i(b, IR_AND, mask, 0x01010101), 0xff);
    ir_ref m = reg(x, a->rm);
    ir_ref differ = ir_bin(b, IR_XOR, reg(x, a->rn), m);
    return set_result(x, a->rd, ir_bin(b, IR_XOR, m, ir_bin(b, IR_AND, differ, mask)));
}

/* ---- packing, extending, bit fields, A5.4.3 ---------------------------------------------------
 */

/* PKHBT Rd, Rn, Rm, LSL #n; PKHTB Rd, Rn, Rm, ASR #n */
bool trans_PKH(struct xlat *x, const struct arg_pkh *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rn == 15 || a->rm == 15)
        return false;
    ir_ref n = reg(x, a->rn);
    ir_ref m =
        arm_shift_immediate(x, reg(x, a->rm), a->tb ? 2 : 0, (unsigned)a->amount, false).value;
    return set_result(x, a->rd, a->tb ? ir_deposit(b, n, m, 0, 16) : ir_deposit(b, m, n, 0, 16));
}

static bool extend(struct xlat *x, const struct arg_extend *a, enum ir_op op, unsigned bits)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rm == 15)
        return false;
    ir_ref value = reg(x, a->rm);
    if (a->rotate)
        value = ir_bin_i(b, IR_ROR, value, (unsigned)a->rotate * 8);
    value = ir_ext(b, op, value, bits);
    if (a->rn != 15)
        value = ir_bin(b, IR_ADD, reg(x, a->rn), value);
    return set_result(x, a->rd, value);
}

/* SXTAB Rd, Rn, Rm {, rotation}; Rn = 15: SXTB; likewise the others */
bool trans_SXTAB(struct xlat *x, const struct arg_extend *a)
{
    return extend(x, a, IR_SEXT, 8);
}

bool trans_SXTAH(struct xlat *x, const struct arg_extend *a)
{
    return extend(x, a, IR_SEXT, 16);
}

bool trans_UXTAB(struct xlat *x, const struct arg_extend *a)
{
    return extend(x, a, IR_ZEXT, 8);
}

bool trans_UXTAH(struct xlat *x, const struct arg_extend *a)
{
    return extend(x, a, IR_ZEXT, 16);
}

static bool extend_halves(struct xlat *x, const struct arg_extend *a, enum ir_op op)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rm == 15)
        return false;
    ir_ref value = reg(x, a->rm);
    if (a->rotate)
        value = ir_bin_i(b, IR_ROR, value, (unsigned)a->rotate * 8);
    ir_ref low = ir_ext(b, op, value, 8);
    ir_ref high = ir_ext(b, op, ir_bin_i(b, IR_SHR, value, 16), 8);
    if (a->rn != 15) {
        ir_ref n = reg(x, a->rn);
        low = ir_bin(b, IR_ADD, low, n);
        high = ir_bin(b, IR_ADD, high, ir_bin_i(b, IR_SHR, n, 16));
    }
    high = ir_bin_i(b, IR_SHL, high, 16);
    return set_result(x, a->rd, ir_deposit(b, high, low, 0, 16));
}

bool trans_SXTAB16(struct xlat *x, const struct arg_extend *a)
{
    return extend_halves(x, a, IR_SEXT);
}

bool trans_UXTAB16(struct xlat *x, const struct arg_extend *a)
{
    return extend_halves(x, a, IR_ZEXT);
}

/* BFI Rd, Rn, #lsb, #width; Rn = 15: BFC */
bool trans_BFI(struct xlat *x, const struct arg_bitfield *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->msb < a->lsb)
        return false;
    ir_ref field = a->rn == 15 ? ir_i32(b, 0) : reg(x, a->rn);
    return set_result(
        x, a->rd,
        ir_deposit(b, reg(x, a->rd), field, (unsigned)a->lsb, (unsigned)(a->msb - a->lsb + 1)));
}

static bool bad_extract(const struct arg_extract *a)
{
    return a->rd == 15 || a->rn == 15 || a->lsb + a->widthm1 > 31;
}

/* SBFX Rd, Rn, #lsb, #width */
bool trans_SBFX(struct xlat *x, const struct arg_extract *a)
{
    return !bad_extract(a) && set_result(x, a->rd,
                                         ir_sextract(&x->b, reg(x, a->rn), (unsigned)a->lsb,
                                                     (unsigned)a->widthm1 + 1));
}

/* UBFX Rd, Rn, #lsb, #width */
bool trans_UBFX(struct xlat *x, const struct arg_extract *a)
{
    return !bad_extract(a) &&
           set_result(x, a->rd,
                      ir_extract(&x->b, reg(x, a->rn), (unsigned)a->lsb, (unsigned)a->widthm1 + 1));
}

static bool unary(struct xlat *x, const struct arg_rr *a, enum ir_op op)
{
    return a->rd != 15 && a->rm != 15 && set_result(x, a->rd, ir_un(&x->b, op, reg(x, a->rm)));
}

/* CLZ Rd, Rm; REV; RBIT */
bool trans_CLZ(struct xlat *x, const struct arg_rr *a)
{
    return unary(x, a, IR_CLZ);
}

bool trans_REV(struct xlat *x, const struct arg_rr *a)
{
    return unary(x, a, IR_BSWAP);
}

bool trans_RBIT(struct xlat *x, const struct arg_rr *a)
{
    return unary(x, a, IR_BITREV);
}

/* REV16 Rd, Rm: bytes swapped in each half */
bool trans_REV16(struct xlat *x, const struct arg_rr *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rm == 15)
        return false;
    return set_result(x, a->rd, ir_bin_i(b, IR_ROR, ir_un(b, IR_BSWAP, reg(x, a->rm)), 16));
}

/* REVSH Rd, Rm: the low half's bytes swapped, sign-extended */
bool trans_REVSH(struct xlat *x, const struct arg_rr *a)
{
    struct ir_builder *b = &x->b;
    if (a->rd == 15 || a->rm == 15)
        return false;
    return set_result(x, a->rd, ir_bin_i(b, IR_SAR, ir_un(b, IR_BSWAP, reg(x, a->rm)), 16));
}
