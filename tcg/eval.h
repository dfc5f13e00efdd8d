/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the IR's integer ops and conditions mean: the one definition that constant folding and the
 * interpreter share. Inline, so that a caller with a constant op gets just that op. Pure.
 *
 * I32 values are held zero-extended in 64 bits, here and everywhere values meet memory.
 */
#ifndef CALQUE_TCG_EVAL_H
#define CALQUE_TCG_EVAL_H

#include "tcg/ir.h"
#include "util/bits.h"

/* The four flags that most conditions are about, as the index of a truth table. */
enum ir_flag_bits { FLAG_V = 1, FLAG_C = 2, FLAG_Z = 4, FLAG_N = 8 };

/* For each condition but P and NP the set of flag words (bit n: flags == n) under which it holds.
 */
static inline uint16_t ir_cond_set(unsigned cond)
{
    enum { V = 0xaaaa, C = 0xcccc, Z = 0xf0f0, N = 0xff00 };
    switch (cond & ~1u) {
    case IR_Z:
        return (uint16_t)(cond & 1 ? ~Z : Z);
    case IR_C:
        return (uint16_t)(cond & 1 ? ~C : C);
    case IR_N:
        return (uint16_t)(cond & 1 ? ~N : N);
    case IR_V:
        return (uint16_t)(cond & 1 ? ~V : V);
    case IR_C_AND_NZ:
        return (uint16_t)(cond & 1 ? ~(C & ~Z) : C & ~Z);
    case IR_NC_AND_NZ:
        return (uint16_t)(cond & 1 ? C | Z : ~(C | Z));
    case IR_GE:
        return (uint16_t)(cond & 1 ? N ^ V : ~(N ^ V));
    default:
        return (uint16_t)(cond & 1 ? Z | (N ^ V) : ~(Z | (N ^ V)));
    }
}

/* flags: in the stored form, enum ir_flag_bit. */
static inline bool ir_cond_holds(unsigned cond, unsigned flags)
{
    if (cond >= IR_P)
        return (flags & IR_FLAG_P ? 1 : 0) != (cond & 1);
    unsigned index =
        (flags & IR_FLAG_V) | (flags & IR_FLAG_C) >> 7 | (flags & (IR_FLAG_Z | IR_FLAG_N)) >> 12;
    return ir_cond_set(cond) >> index & 1;
}

/* Which flags a condition looks at: enum ir_flag_bit. */
static inline unsigned ir_cond_flags(unsigned cond)
{
    switch (cond & ~1u) {
    case IR_Z:
        return IR_FLAG_Z;
    case IR_C:
        return IR_FLAG_C;
    case IR_N:
        return IR_FLAG_N;
    case IR_V:
        return IR_FLAG_V;
    case IR_P:
        return IR_FLAG_P;
    case IR_C_AND_NZ:
    case IR_NC_AND_NZ:
        return IR_FLAG_C | IR_FLAG_Z;
    case IR_GE:
        return IR_FLAG_N | IR_FLAG_V;
    default:
        return IR_FLAG_N | IR_FLAG_V | IR_FLAG_Z;
    }
}

/* The bits of a MERGEFLAGS' set. */
static inline unsigned ir_flag_set_bits(unsigned set)
{
    return (set & IR_SET_V ? IR_FLAG_V : 0) | (set & IR_SET_C ? IR_FLAG_C : 0) |
           (set & IR_SET_P ? IR_FLAG_P : 0) | (set & IR_SET_A ? IR_FLAG_A : 0) |
           (set & IR_SET_Z ? IR_FLAG_Z : 0) | (set & IR_SET_N ? IR_FLAG_N : 0);
}

static inline unsigned ir_type_bits(unsigned type)
{
    return type == IR_I64 || type == IR_F64 ? 64 : 32;
}

static inline uint64_t ir_type_mask(unsigned type)
{
    return ir_type_bits(type) == 64 ? ~UINT64_C(0) : UINT32_MAX;
}

static inline int64_t ir_as_signed(unsigned type, uint64_t value)
{
    return ir_type_bits(type) == 64 ? (int64_t)value : (int32_t)value;
}

static inline uint64_t ir_eval_divide(unsigned op, unsigned type, uint64_t a, uint64_t b)
{
    if (!b)
        return 0;
    if (op == IR_UDIV)
        return a / b;
    int64_t x = ir_as_signed(type, a), y = ir_as_signed(type, b);
    return y == -1 ? 0 - (uint64_t)x : (uint64_t)(x / y);
}

/* DIVIDE. False: there is no result. */
static inline bool ir_eval_wide_divide(unsigned type, bool sign, uint64_t low, uint64_t high,
                                       uint64_t divisor, uint64_t *quotient, uint64_t *remainder)
{
    unsigned bits = ir_type_bits(type);
    unsigned __int128 n = (unsigned __int128)high << bits | low, q, r;

    if (!divisor)
        return false;
    if (sign) {
        __int128 a = (__int128)(n << (128 - 2 * bits)) >> (128 - 2 * bits);
        __int128 d = ir_as_signed(type, divisor), least = -((__int128)1 << (bits - 1));

        /* The one quotient that the host cannot make either. */
        if (d == -1 && bits == 64 && n == (unsigned __int128)1 << 127)
            return false;
        if (a / d < least || a / d > -(least + 1))
            return false;
        q = (unsigned __int128)(a / d);
        r = (unsigned __int128)(a % d);
    } else {
        q = n / divisor;
        r = n % divisor;
        if (q >> bits)
            return false;
    }
    *quotient = (uint64_t)q & ir_type_mask(type);
    *remainder = (uint64_t)r & ir_type_mask(type);
    return true;
}

static inline uint64_t ir_eval_bitrev(unsigned type, uint64_t a)
{
    a = __builtin_bswap64(a);
    a = (a & UINT64_C(0x0f0f0f0f0f0f0f0f)) << 4 | (a >> 4 & UINT64_C(0x0f0f0f0f0f0f0f0f));
    a = (a & UINT64_C(0x3333333333333333)) << 2 | (a >> 2 & UINT64_C(0x3333333333333333));
    a = (a & UINT64_C(0x5555555555555555)) << 1 | (a >> 1 & UINT64_C(0x5555555555555555));
    return a >> (64 - ir_type_bits(type));
}

/* Shifts and bit counts. */
static inline uint64_t ir_eval_bits(unsigned op, unsigned type, uint64_t a, uint64_t b)
{
    unsigned bits = ir_type_bits(type), amount = b & (bits - 1);
    switch (op) {
    case IR_SHL:
        return a << amount;
    case IR_SHR:
        return a >> amount;
    case IR_SAR:
        return (uint64_t)(ir_as_signed(type, a) >> amount);
    case IR_ROR:
        return bits == 64 ? ror64(a, amount) : ror32((uint32_t)a, amount);
    case IR_CLZ:
        return a ? (unsigned)__builtin_clzll(a) - (64 - bits) : bits;
    case IR_CTZ:
        return a ? (unsigned)__builtin_ctzll(a) : bits;
    case IR_POPCNT:
        return (unsigned)__builtin_popcountll(a);
    case IR_BSWAP:
        return __builtin_bswap64(a) >> (64 - bits);
    default:
        return ir_eval_bitrev(type, a);
    }
}

/* ADD SUB ADC SBB AND OR XOR: the op's width in bits. */
static inline unsigned ir_op_width(unsigned type, unsigned sub)
{
    return sub ? sub : ir_type_bits(type);
}

/* The value of ADD .. HIGH; type is the result's. Operands must be zero-extended. */
static inline uint64_t ir_eval_integer(unsigned op, unsigned type, unsigned sub, unsigned aux,
                                       uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t mask = ir_type_mask(type);
    if (op <= IR_XOR && sub)
        mask = UINT64_MAX >> (64 - sub);
    switch (op) {
    case IR_ADD:
        return (a + b) & mask;
    case IR_SUB:
        return (a - b) & mask;
    case IR_ADC:
        return (a + b + c) & mask;
    case IR_SBB:
        return (a - b - c) & mask;
    case IR_MUL:
        return (a * b) & mask;
    case IR_UDIV:
    case IR_SDIV:
        return ir_eval_divide(op, type, a, b) & mask;
    case IR_AND:
        return (a & b) & mask;
    case IR_OR:
        return (a | b) & mask;
    case IR_XOR:
        return (a ^ b) & mask;
    case IR_ANDN:
        return a & ~b;
    case IR_NOT:
        return ~a & mask;
    case IR_NEG:
        return (0 - a) & mask;
    case IR_SEXT:
        return (uint64_t)((int64_t)(a << (64 - sub)) >> (64 - sub)) & mask;
    case IR_ZEXT:
        return extract64(a, 0, sub);
    case IR_EXTRACT:
        return extract64(a, sub, aux);
    case IR_SEXTRACT:
        return (uint64_t)sextract64(a, sub, aux) & mask;
    case IR_DEPOSIT:
        return deposit64(a, sub, aux, b);
    case IR_WIDEN_S:
        return (uint64_t)(int64_t)(int32_t)a;
    case IR_WIDEN_U:
        return a;
    case IR_NARROW:
        return a & UINT32_MAX;
    case IR_CONCAT:
        return a | b << 32;
    case IR_HIGH:
        return a >> 32;
    default:
        return ir_eval_bits(op, type, a, b) & mask;
    }
}

/* The flags of ADD .. ANDN in the stored form, enum ir_flag_bit. */
static inline unsigned ir_eval_flags(unsigned op, unsigned type, unsigned sub, uint64_t a,
                                     uint64_t b, uint64_t c)
{
    unsigned top = ir_op_width(type, sub) - 1, flags = 0;
    uint64_t mask = UINT64_MAX >> (63 - top);
    a &= mask;
    b &= mask;
    uint64_t result = ir_eval_integer(op, type, sub, 0, a, b, c);
    bool carry = false, overflow = false, logic = false;
    switch (op) {
    case IR_ADD:
        c = 0;
        /* fall through */
    case IR_ADC:
        carry = c ? result <= a : result < a;
        overflow = ((a ^ result) & (b ^ result)) >> top & 1;
        break;
    case IR_SUB:
        c = 0;
        /* fall through */
    case IR_SBB:
        carry = c ? a <= b : a < b;
        overflow = ((a ^ b) & (a ^ result)) >> top & 1;
        break;
    default:
        logic = true;
        break;
    }
    flags |= overflow ? IR_FLAG_V : 0;
    flags |= carry ? IR_FLAG_C : 0;
    flags |= result ? 0 : IR_FLAG_Z;
    flags |= result >> top & 1 ? IR_FLAG_N : 0;
    flags |= __builtin_parityll(result & 0xff) ? 0 : IR_FLAG_P;
    flags |= !logic && (a ^ b ^ result) & 16 ? IR_FLAG_A : 0;
    return flags;
}

/* What a pending record's field gets. value, other: what these are worth at the fault. */
static inline uint64_t ir_eval_pending(const struct ir_pending *p, uint64_t value, uint64_t other)
{
    if (p->how == PENDING_VALUE)
        return value;
    if (p->how == PENDING_RESULT) {
        uint64_t result = value;
        value = p->op == IR_ADD ? result - other : p->op == IR_SUB ? result + other : result;
        if (p->op == IR_AND)
            other = result;
    }
    if (p->type == IR_I32) {
        value = (uint32_t)value;
        other = (uint32_t)other;
    }
    return ir_eval_flags(p->op, p->type, p->sub, value, other, 0);
}

#endif
