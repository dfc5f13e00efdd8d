/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer arithmetic of the base instruction set: MD00086 and MD00087, chapter 3. Each handler's
 * comment is its assembly syntax.
 */
#include "frontend/mips/translate_common.h"

/* ---- shapes ---------------------------------------------------------------------------------- */

/* rd = rs op rt, on words as wide as the guest's registers. */
static bool word_op(struct xlat *x, const struct arg_rrr *a, enum ir_op op)
{
    mips_set(x, a->rd, ir_bin(&x->b, op, mips_get(x, a->rs), mips_get(x, a->rt)));
    return true;
}

/* rd = rs op rt on the low 32 bits, sign-extended. */
static bool op32(struct xlat *x, const struct arg_rrr *a, enum ir_op op)
{
    mips_set32(x, a->rd, ir_bin(&x->b, op, mips_get32(x, a->rs), mips_get32(x, a->rt)));
    return true;
}

/* ADD, SUB and their like: Integer Overflow leaves the destination alone. Values do not cross
 * blocks, so the sum is made again where there was none. */
static bool trapping(struct xlat *x, int rd, enum ir_op op, int rs, int rt, int64_t imm, bool wide)
{
    struct ir_builder *b = &x->b;
    ir_ref result;

    for (unsigned pass = 0; pass < 2; pass++) {
        ir_ref left = wide ? mips_get(x, rs) : mips_get32(x, rs), right;

        if (rt >= 0)
            right = wide ? mips_get(x, rt) : mips_get32(x, rt);
        else
            right = wide ? mips_word(x, imm) : ir_i32(b, (uint32_t)imm);
        result = ir_bin(b, op, left, right);
        if (!pass) {
            unsigned overflow = ir_block_create(b), fine = ir_block_create(b);

            ir_brcc(b, IR_V, ir_flagof(b, result), overflow, fine);
            ir_block_begin(b, overflow);
            mips_raise_here(x, MIPS_EXC_OV, 0);
            ir_block_begin(b, fine);
        }
    }
    if (wide)
        mips_set(x, rd, result);
    else
        mips_set32(x, rd, result);
    return true;
}

/* rd = (left < right) */
static bool set_less(struct xlat *x, int rd, enum ir_cond cond, ir_ref left, ir_ref right)
{
    struct ir_builder *b = &x->b;
    ir_ref bit = ir_setcc(b, cond, ir_compare(b, left, right));

    mips_set(x, rd, mips_xlat(x)->wide ? ir_un(b, IR_WIDEN_U, bit) : bit);
    return true;
}

/* ---- addition, subtraction, logic ------------------------------------------------------------ */

/* ADD rd, rs, rt */
bool mips_trans_ADD(struct xlat *x, const struct arg_rrr *a)
{
    return trapping(x, a->rd, IR_ADD, a->rs, a->rt, 0, false);
}

/* SUB rd, rs, rt */
bool mips_trans_SUB(struct xlat *x, const struct arg_rrr *a)
{
    return trapping(x, a->rd, IR_SUB, a->rs, a->rt, 0, false);
}

/* DADD rd, rs, rt */
bool mips_trans_DADD(struct xlat *x, const struct arg_rrr *a)
{
    return trapping(x, a->rd, IR_ADD, a->rs, a->rt, 0, true);
}

/* DSUB rd, rs, rt */
bool mips_trans_DSUB(struct xlat *x, const struct arg_rrr *a)
{
    return trapping(x, a->rd, IR_SUB, a->rs, a->rt, 0, true);
}

/* ADDI rt, rs, immediate */
bool mips_trans_ADDI(struct xlat *x, const struct arg_rri *a)
{
    return trapping(x, a->rt, IR_ADD, a->rs, -1, a->imm, false);
}

/* DADDI rt, rs, immediate */
bool mips_trans_DADDI(struct xlat *x, const struct arg_rri *a)
{
    return trapping(x, a->rt, IR_ADD, a->rs, -1, a->imm, true);
}

/* ADDIU rt, rs, immediate */
bool mips_trans_ADDIU(struct xlat *x, const struct arg_rri *a)
{
    mips_set32(x, a->rt, ir_bin_i(&x->b, IR_ADD, mips_get32(x, a->rs), (uint32_t)a->imm));
    return true;
}

/* DADDIU rt, rs, immediate */
bool mips_trans_DADDIU(struct xlat *x, const struct arg_rri *a)
{
    mips_set(x, a->rt, ir_bin_i(&x->b, IR_ADD, mips_get(x, a->rs), (uint64_t)(int64_t)a->imm));
    return true;
}

/* <op> rd, rs, rt */
#define OP32(name, op)                                                                             \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        return op32(x, a, op);                                                                     \
    }
#define WORD_OP(name, op)                                                                          \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        return word_op(x, a, op);                                                                  \
    }
OP32(ADDU, IR_ADD)
OP32(SUBU, IR_SUB)
WORD_OP(DADDU, IR_ADD)
WORD_OP(DSUBU, IR_SUB)
WORD_OP(AND, IR_AND)
WORD_OP(OR, IR_OR)
WORD_OP(XOR, IR_XOR)

/* NOR rd, rs, rt */
bool mips_trans_NOR(struct xlat *x, const struct arg_rrr *a)
{
    struct ir_builder *b = &x->b;
    ir_ref either = ir_bin(b, IR_OR, mips_get(x, a->rs), mips_get(x, a->rt));

    mips_set(x, a->rd, ir_un(b, IR_NOT, either));
    return true;
}

/* <op>I rt, rs, immediate: zero-extended */
#define IMMEDIATE(name, op)                                                                        \
    bool mips_trans_##name(struct xlat *x, const struct arg_rri *a)                                \
    {                                                                                              \
        mips_set(x, a->rt, ir_bin_i(&x->b, op, mips_get(x, a->rs), (uint64_t)a->imm));             \
        return true;                                                                               \
    }
IMMEDIATE(ANDI, IR_AND)
IMMEDIATE(ORI, IR_OR)
IMMEDIATE(XORI, IR_XOR)

/* LUI rt, immediate */
bool mips_trans_LUI(struct xlat *x, const struct arg_rt_imm *a)
{
    mips_set32(x, a->rt, ir_i32(&x->b, (uint32_t)a->imm << 16));
    return true;
}

/* AUI rt, rs, immediate */
bool mips_trans_AUI(struct xlat *x, const struct arg_rri *a)
{
    mips_set32(x, a->rt, ir_bin_i(&x->b, IR_ADD, mips_get32(x, a->rs), (uint32_t)a->imm << 16));
    return true;
}

static bool add_shifted(struct xlat *x, int to, int from, int imm, unsigned shift)
{
    uint64_t shifted = (uint64_t)(int64_t)imm << shift;

    mips_set(x, to, ir_bin_i(&x->b, IR_ADD, mips_get(x, from), shifted));
    return true;
}

/* DAUI rt, rs, immediate */
bool mips_trans_DAUI(struct xlat *x, const struct arg_rri *a)
{
    return a->rs && add_shifted(x, a->rt, a->rs, a->imm, 16);
}

/* DAHI rs, immediate */
bool mips_trans_DAHI(struct xlat *x, const struct arg_rs_imm *a)
{
    return add_shifted(x, a->rs, a->rs, a->imm, 32);
}

/* DATI rs, immediate */
bool mips_trans_DATI(struct xlat *x, const struct arg_rs_imm *a)
{
    return add_shifted(x, a->rs, a->rs, a->imm, 48);
}

/* LSA rd, rs, rt, sa + 1 */
bool mips_trans_LSA(struct xlat *x, const struct arg_rrrs *a)
{
    struct ir_builder *b = &x->b;
    ir_ref shifted = ir_bin_i(b, IR_SHL, mips_get32(x, a->rs), (unsigned)a->sa + 1);

    mips_set32(x, a->rd, ir_bin(b, IR_ADD, shifted, mips_get32(x, a->rt)));
    return true;
}

/* DLSA rd, rs, rt, sa + 1 */
bool mips_trans_DLSA(struct xlat *x, const struct arg_rrrs *a)
{
    struct ir_builder *b = &x->b;
    ir_ref shifted = ir_bin(b, IR_SHL, mips_get(x, a->rs), ir_i32(b, (unsigned)a->sa + 1));

    mips_set(x, a->rd, ir_bin(b, IR_ADD, shifted, mips_get(x, a->rt)));
    return true;
}

/* SLT rd, rs, rt */
bool mips_trans_SLT(struct xlat *x, const struct arg_rrr *a)
{
    return set_less(x, a->rd, IR_LT, mips_get(x, a->rs), mips_get(x, a->rt));
}

/* SLTU rd, rs, rt */
bool mips_trans_SLTU(struct xlat *x, const struct arg_rrr *a)
{
    return set_less(x, a->rd, IR_C, mips_get(x, a->rs), mips_get(x, a->rt));
}

/* SLTI rt, rs, immediate */
bool mips_trans_SLTI(struct xlat *x, const struct arg_rri *a)
{
    return set_less(x, a->rt, IR_LT, mips_get(x, a->rs), mips_word(x, a->imm));
}

/* SLTIU rt, rs, immediate: sign-extended, then compared unsigned */
bool mips_trans_SLTIU(struct xlat *x, const struct arg_rri *a)
{
    return set_less(x, a->rt, IR_C, mips_get(x, a->rs), mips_word(x, a->imm));
}

/* ---- conditional moves ----------------------------------------------------------------------- */

static bool move_if(struct xlat *x, const struct arg_rrr *a, enum ir_cond cond, ir_ref otherwise)
{
    struct ir_builder *b = &x->b;
    ir_ref flags = ir_test(b, mips_get(x, a->rt));

    mips_set(x, a->rd, ir_select(b, cond, flags, mips_get(x, a->rs), otherwise));
    return true;
}

/* MOVZ rd, rs, rt */
bool mips_trans_MOVZ(struct xlat *x, const struct arg_rrr *a)
{
    return move_if(x, a, IR_Z, mips_get(x, a->rd));
}

/* MOVN rd, rs, rt */
bool mips_trans_MOVN(struct xlat *x, const struct arg_rrr *a)
{
    return move_if(x, a, IR_NZ, mips_get(x, a->rd));
}

/* SELEQZ rd, rs, rt */
bool mips_trans_SELEQZ(struct xlat *x, const struct arg_rrr *a)
{
    return move_if(x, a, IR_Z, mips_word(x, 0));
}

/* SELNEZ rd, rs, rt */
bool mips_trans_SELNEZ(struct xlat *x, const struct arg_rrr *a)
{
    return move_if(x, a, IR_NZ, mips_word(x, 0));
}

/* ---- shifts ---------------------------------------------------------------------------------- */

/* <shift> rd, rt, sa */
#define SHIFT(name, op)                                                                            \
    bool mips_trans_##name(struct xlat *x, const struct arg_shift *a)                              \
    {                                                                                              \
        mips_set32(x, a->rd, ir_bin_i(&x->b, op, mips_get32(x, a->rt), (unsigned)a->sa));          \
        return true;                                                                               \
    }                                                                                              \
    bool mips_trans_D##name(struct xlat *x, const struct arg_shift *a)                             \
    {                                                                                              \
        ir_ref amount = ir_i32(&x->b, (unsigned)a->sa);                                            \
        mips_set(x, a->rd, ir_bin(&x->b, op, mips_get(x, a->rt), amount));                         \
        return true;                                                                               \
    }                                                                                              \
    bool mips_trans_D##name##32(struct xlat * x, const struct arg_shift *a)                        \
    {                                                                                              \
        ir_ref amount = ir_i32(&x->b, (unsigned)a->sa + 32);                                       \
        mips_set(x, a->rd, ir_bin(&x->b, op, mips_get(x, a->rt), amount));                         \
        return true;                                                                               \
    }                                                                                              \
    /* <shift>V rd, rt, rs */                                                                      \
    bool mips_trans_##name##V(struct xlat *x, const struct arg_rrr *a)                             \
    {                                                                                              \
        mips_set32(x, a->rd, ir_bin(&x->b, op, mips_get32(x, a->rt), mips_get32(x, a->rs)));       \
        return true;                                                                               \
    }                                                                                              \
    bool mips_trans_D##name##V(struct xlat *x, const struct arg_rrr *a)                            \
    {                                                                                              \
        mips_set(x, a->rd, ir_bin(&x->b, op, mips_get(x, a->rt), mips_get32(x, a->rs)));           \
        return true;                                                                               \
    }
SHIFT(SLL, IR_SHL)
SHIFT(SRL, IR_SHR)
SHIFT(SRA, IR_SAR)
SHIFT(ROTR, IR_ROR)

/* ---- multiplication and division ------------------------------------------------------------- */

static ir_ref product64(struct xlat *x, int rs, int rt, bool sign)
{
    struct ir_builder *b = &x->b;
    enum ir_op widen = sign ? IR_WIDEN_S : IR_WIDEN_U;

    return ir_bin(b, IR_MUL, ir_un(b, widen, mips_get32(x, rs)),
                  ir_un(b, widen, mips_get32(x, rt)));
}

static void set_hilo(struct xlat *x, ir_ref hi, ir_ref lo)
{
    ir_set(&x->b, F_HI0, hi);
    ir_set(&x->b, F_LO0, lo);
}

static void set_hilo32(struct xlat *x, ir_ref hi, ir_ref lo)
{
    set_hilo(x, mips_extend(x, hi), mips_extend(x, lo));
}

static void set_hilo_split(struct xlat *x, ir_ref value64)
{
    set_hilo32(x, ir_un(&x->b, IR_HIGH, value64), ir_un(&x->b, IR_NARROW, value64));
}

static bool multiply(struct xlat *x, const struct arg_rs_rt *a, bool sign)
{
    set_hilo_split(x, product64(x, a->rs, a->rt, sign));
    return true;
}

/* MULT rs, rt */
bool mips_trans_MULT(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply(x, a, true);
}

/* MULTU rs, rt */
bool mips_trans_MULTU(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply(x, a, false);
}

static bool multiply_add(struct xlat *x, const struct arg_rs_rt *a, bool sign, enum ir_op op)
{
    struct ir_builder *b = &x->b;
    ir_ref lo = mips_truncate(x, ir_get(b, F_LO0)), hi = mips_truncate(x, ir_get(b, F_HI0));
    ir_ref sum = ir_bin(b, IR_CONCAT, lo, hi);

    set_hilo_split(x, ir_bin(b, op, sum, product64(x, a->rs, a->rt, sign)));
    return true;
}

/* MADD rs, rt */
bool mips_trans_MADD(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_add(x, a, true, IR_ADD);
}

/* MADDU rs, rt */
bool mips_trans_MADDU(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_add(x, a, false, IR_ADD);
}

/* MSUB rs, rt */
bool mips_trans_MSUB(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_add(x, a, true, IR_SUB);
}

/* MSUBU rs, rt */
bool mips_trans_MSUBU(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_add(x, a, false, IR_SUB);
}

static ir_ref high_product(struct xlat *x, ir_ref left, ir_ref right, bool sign)
{
    return ir_alu(&x->b, sign ? IR_ALU_IMULH : IR_ALU_MULH, 64, left, right, IR_NONE, IR_NONE);
}

static bool multiply_wide(struct xlat *x, const struct arg_rs_rt *a, bool sign)
{
    ir_ref left = mips_get(x, a->rs), right = mips_get(x, a->rt);

    set_hilo(x, high_product(x, left, right, sign), ir_bin(&x->b, IR_MUL, left, right));
    return true;
}

/* DMULT rs, rt */
bool mips_trans_DMULT(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_wide(x, a, true);
}

/* DMULTU rs, rt */
bool mips_trans_DMULTU(struct xlat *x, const struct arg_rs_rt *a)
{
    return multiply_wide(x, a, false);
}

/* What a division by 0 gives is UNPREDICTABLE: here what the IR's ops give, quotient 0. */
static ir_ref remainder_of(struct xlat *x, ir_ref left, ir_ref right, ir_ref quotient)
{
    struct ir_builder *b = &x->b;

    return ir_bin(b, IR_SUB, left, ir_bin(b, IR_MUL, quotient, right));
}

static bool divide32(struct xlat *x, const struct arg_rs_rt *a, enum ir_op op)
{
    ir_ref left = mips_get32(x, a->rs), right = mips_get32(x, a->rt);
    ir_ref quotient = ir_bin(&x->b, op, left, right);

    set_hilo32(x, remainder_of(x, left, right, quotient), quotient);
    return true;
}

static bool divide64(struct xlat *x, const struct arg_rs_rt *a, enum ir_op op)
{
    ir_ref left = mips_get(x, a->rs), right = mips_get(x, a->rt);
    ir_ref quotient = ir_bin(&x->b, op, left, right);

    set_hilo(x, remainder_of(x, left, right, quotient), quotient);
    return true;
}

/* DIV rs, rt; DIVU; DDIV; DDIVU */
bool mips_trans_DIV(struct xlat *x, const struct arg_rs_rt *a)
{
    return divide32(x, a, IR_SDIV);
}

bool mips_trans_DIVU(struct xlat *x, const struct arg_rs_rt *a)
{
    return divide32(x, a, IR_UDIV);
}

bool mips_trans_DDIV(struct xlat *x, const struct arg_rs_rt *a)
{
    return divide64(x, a, IR_SDIV);
}

bool mips_trans_DDIVU(struct xlat *x, const struct arg_rs_rt *a)
{
    return divide64(x, a, IR_UDIV);
}

/* MFHI rd; MTHI rs; MFLO rd; MTLO rs */
bool mips_trans_MFHI(struct xlat *x, const struct arg_rd *a)
{
    mips_set(x, a->rd, ir_get(&x->b, F_HI0));
    return true;
}

bool mips_trans_MFLO(struct xlat *x, const struct arg_rd *a)
{
    mips_set(x, a->rd, ir_get(&x->b, F_LO0));
    return true;
}

bool mips_trans_MTHI(struct xlat *x, const struct arg_rs *a)
{
    ir_set(&x->b, F_HI0, mips_get(x, a->rs));
    return true;
}

bool mips_trans_MTLO(struct xlat *x, const struct arg_rs *a)
{
    ir_set(&x->b, F_LO0, mips_get(x, a->rs));
    return true;
}

/* MUL rd, rs, rt: HI and LO are UNPREDICTABLE afterwards, here they stay */
OP32(MUL, IR_MUL)

/* ---- release 6: three operands --------------------------------------------------------------- */

OP32(MUL_r6, IR_MUL)
OP32(MULU_r6, IR_MUL)
OP32(DIV_r6, IR_SDIV)
OP32(DIVU_r6, IR_UDIV)
WORD_OP(DMUL_r6, IR_MUL)
WORD_OP(DMULU_r6, IR_MUL)
WORD_OP(DDIV_r6, IR_SDIV)
WORD_OP(DDIVU_r6, IR_UDIV)

/* MUH rd, rs, rt; MUHU */
#define HIGH32(name, sign)                                                                         \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        mips_set32(x, a->rd, ir_un(&x->b, IR_HIGH, product64(x, a->rs, a->rt, sign)));             \
        return true;                                                                               \
    }
HIGH32(MUH, true)
HIGH32(MUHU, false)

/* DMUH rd, rs, rt; DMUHU */
#define HIGH64(name, sign)                                                                         \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        mips_set(x, a->rd, high_product(x, mips_get(x, a->rs), mips_get(x, a->rt), sign));         \
        return true;                                                                               \
    }
HIGH64(DMUH, true)
HIGH64(DMUHU, false)

/* MOD rd, rs, rt; MODU */
#define MODULO32(name, op)                                                                         \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        ir_ref left = mips_get32(x, a->rs), right = mips_get32(x, a->rt);                          \
        mips_set32(x, a->rd, remainder_of(x, left, right, ir_bin(&x->b, op, left, right)));        \
        return true;                                                                               \
    }
MODULO32(MOD, IR_SDIV)
MODULO32(MODU, IR_UDIV)

/* DMOD rd, rs, rt; DMODU */
#define MODULO64(name, op)                                                                         \
    bool mips_trans_##name(struct xlat *x, const struct arg_rrr *a)                                \
    {                                                                                              \
        ir_ref left = mips_get(x, a->rs), right = mips_get(x, a->rt);                              \
        mips_set(x, a->rd, remainder_of(x, left, right, ir_bin(&x->b, op, left, right)));          \
        return true;                                                                               \
    }
MODULO64(DMOD, IR_SDIV)
MODULO64(DMODU, IR_UDIV)

/* ---- bits ------------------------------------------------------------------------------------ */

static bool count_bits(struct xlat *x, const struct arg_rs_rd *a, bool wide, bool ones)
{
    struct ir_builder *b = &x->b;
    ir_ref value = wide ? mips_get(x, a->rs) : mips_get32(x, a->rs);

    if (ones)
        value = ir_un(b, IR_NOT, value);
    value = ir_un(b, IR_CLZ, value);
    if (wide)
        mips_set(x, a->rd, value);
    else
        mips_set32(x, a->rd, value);
    return true;
}

/* CLZ rd, rs; CLO; DCLZ; DCLO */
#define COUNT(name, wide, ones)                                                                    \
    bool mips_trans_##name(struct xlat *x, const struct arg_rs_rd *a)                              \
    {                                                                                              \
        return count_bits(x, a, wide, ones);                                                       \
    }                                                                                              \
    bool mips_trans_##name##_r6(struct xlat *x, const struct arg_rs_rd *a)                         \
    {                                                                                              \
        return count_bits(x, a, wide, ones);                                                       \
    }
COUNT(CLZ, false, false)
COUNT(CLO, false, true)
COUNT(DCLZ, true, false)
COUNT(DCLO, true, true)

/* Where size is 0 or the field ends outside the register the result is UNPREDICTABLE: refused. */
static bool extract_bits(struct xlat *x, const struct arg_bits *a, unsigned start, unsigned size,
                         bool wide)
{
    if (start + size > (wide ? 64u : 32u))
        return false;
    if (wide)
        mips_set(x, a->rt, ir_extract(&x->b, mips_get(x, a->rs), start, size));
    else
        mips_set32(x, a->rt, ir_extract(&x->b, mips_get32(x, a->rs), start, size));
    return true;
}

/* EXT rt, rs, pos, size; DEXTM; DEXTU; DEXT: rd holds size - 1 */
bool mips_trans_EXT(struct xlat *x, const struct arg_bits *a)
{
    return extract_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb + 1, false);
}

bool mips_trans_DEXT(struct xlat *x, const struct arg_bits *a)
{
    return extract_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb + 1, true);
}

bool mips_trans_DEXTM(struct xlat *x, const struct arg_bits *a)
{
    return extract_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb + 33, true);
}

bool mips_trans_DEXTU(struct xlat *x, const struct arg_bits *a)
{
    return extract_bits(x, a, (unsigned)a->lsb + 32, (unsigned)a->msb + 1, true);
}

static bool insert_bits(struct xlat *x, const struct arg_bits *a, unsigned start, unsigned end,
                        bool wide)
{
    struct ir_builder *b = &x->b;

    if (end < start)
        return false;
    if (wide)
        mips_set(x, a->rt,
                 ir_deposit(b, mips_get(x, a->rt), mips_get(x, a->rs), start, end - start + 1));
    else
        mips_set32(
            x, a->rt,
            ir_deposit(b, mips_get32(x, a->rt), mips_get32(x, a->rs), start, end - start + 1));
    return true;
}

/* INS rt, rs, pos, size; DINSM; DINSU; DINS: rd holds pos + size - 1 */
bool mips_trans_INS(struct xlat *x, const struct arg_bits *a)
{
    return insert_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb, false);
}

bool mips_trans_DINS(struct xlat *x, const struct arg_bits *a)
{
    return insert_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb, true);
}

bool mips_trans_DINSM(struct xlat *x, const struct arg_bits *a)
{
    return insert_bits(x, a, (unsigned)a->lsb, (unsigned)a->msb + 32, true);
}

bool mips_trans_DINSU(struct xlat *x, const struct arg_bits *a)
{
    return insert_bits(x, a, (unsigned)a->lsb + 32, (unsigned)a->msb + 32, true);
}

/* SEB rd, rt; SEH rd, rt */
bool mips_trans_SEB(struct xlat *x, const struct arg_rt_rd *a)
{
    mips_set32(x, a->rd, ir_ext(&x->b, IR_SEXT, mips_get32(x, a->rt), 8));
    return true;
}

bool mips_trans_SEH(struct xlat *x, const struct arg_rt_rd *a)
{
    mips_set32(x, a->rd, ir_ext(&x->b, IR_SEXT, mips_get32(x, a->rt), 16));
    return true;
}

/* WSBH rd, rt: bytes swapped within halfwords */
bool mips_trans_WSBH(struct xlat *x, const struct arg_rt_rd *a)
{
    struct ir_builder *b = &x->b;

    mips_set32(x, a->rd, ir_bin_i(b, IR_ROR, ir_un(b, IR_BSWAP, mips_get32(x, a->rt)), 16));
    return true;
}

static ir_ref swap_bytes_of_halfwords(struct xlat *x, ir_ref value)
{
    struct ir_builder *b = &x->b;
    const uint64_t low_bytes = UINT64_C(0x00ff00ff00ff00ff);
    ir_ref eight = ir_i32(b, 8);
    ir_ref up = ir_bin(b, IR_SHL, ir_bin_i(b, IR_AND, value, low_bytes), eight);
    ir_ref down = ir_bin_i(b, IR_AND, ir_bin(b, IR_SHR, value, eight), low_bytes);

    return ir_bin(b, IR_OR, up, down);
}

/* DSBH rd, rt */
bool mips_trans_DSBH(struct xlat *x, const struct arg_rt_rd *a)
{
    mips_set(x, a->rd, swap_bytes_of_halfwords(x, mips_get(x, a->rt)));
    return true;
}

/* DSHD rd, rt: halfwords in reverse order */
bool mips_trans_DSHD(struct xlat *x, const struct arg_rt_rd *a)
{
    mips_set(x, a->rd, swap_bytes_of_halfwords(x, ir_un(&x->b, IR_BSWAP, mips_get(x, a->rt))));
    return true;
}

/* BITSWAP rd, rt; DBITSWAP: the bits of each byte in reverse order */
bool mips_trans_BITSWAP(struct xlat *x, const struct arg_rt_rd *a)
{
    struct ir_builder *b = &x->b;

    mips_set32(x, a->rd, ir_un(b, IR_BSWAP, ir_un(b, IR_BITREV, mips_get32(x, a->rt))));
    return true;
}

bool mips_trans_DBITSWAP(struct xlat *x, const struct arg_rt_rd *a)
{
    struct ir_builder *b = &x->b;

    mips_set(x, a->rd, ir_un(b, IR_BSWAP, ir_un(b, IR_BITREV, mips_get(x, a->rt))));
    return true;
}

/* The bytes of rt:rs from `from` bytes below rt's top on. */
static ir_ref align(struct xlat *x, ir_ref high, ir_ref low, unsigned bytes, unsigned width)
{
    struct ir_builder *b = &x->b;

    if (!bytes)
        return high;
    return ir_bin(b, IR_OR, ir_bin(b, IR_SHL, high, ir_i32(b, 8 * bytes)),
                  ir_bin(b, IR_SHR, low, ir_i32(b, width - 8 * bytes)));
}

/* ALIGN rd, rs, rt, bp */
bool mips_trans_ALIGN(struct xlat *x, const struct arg_rrrs *a)
{
    mips_set32(x, a->rd, align(x, mips_get32(x, a->rt), mips_get32(x, a->rs), (unsigned)a->sa, 32));
    return true;
}

/* DALIGN rd, rs, rt, bp */
bool mips_trans_DALIGN(struct xlat *x, const struct arg_rrrs *a)
{
    mips_set(x, a->rd, align(x, mips_get(x, a->rt), mips_get(x, a->rs), (unsigned)a->sa, 64));
    return true;
}

/* ---- relative to the program counter: release 6 ---------------------------------------------- */

static bool set_address(struct xlat *x, int rt, uint64_t address)
{
    mips_set(x, rt, mips_word(x, (int64_t)address));
    return true;
}

/* ADDIUPC rs, immediate */
bool mips_trans_ADDIUPC(struct xlat *x, const struct arg_rt_imm *a)
{
    return set_address(x, a->rt, mips_xlat(x)->insn_pc + (uint64_t)((int64_t)a->imm * 4));
}

/* AUIPC rs, immediate */
bool mips_trans_AUIPC(struct xlat *x, const struct arg_rt_imm *a)
{
    return set_address(x, a->rt, mips_xlat(x)->insn_pc + (uint64_t)((int64_t)a->imm * 65536));
}

/* ALUIPC rs, immediate */
bool mips_trans_ALUIPC(struct xlat *x, const struct arg_rt_imm *a)
{
    uint64_t address = mips_xlat(x)->insn_pc + (uint64_t)((int64_t)a->imm * 65536);

    return set_address(x, a->rt, address & ~UINT64_C(0xffff));
}
