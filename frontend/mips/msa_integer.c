/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer operations of the MIPS SIMD Architecture on vectors in the state: MD00866, chapter "The
 * MIPS32 SIMD Architecture Instruction Set".
 */
#include <string.h>

#include "frontend/mips/msa.h"

union vector {
    uint8_t byte[16];
    uint64_t half[2];
};

static uint64_t get_lane(const union vector *v, unsigned df, unsigned i)
{
    uint64_t value = 0;

    memcpy(&value, v->byte + (i << df), 1u << df);
    return value;
}

static void set_lane(union vector *v, unsigned df, unsigned i, uint64_t value)
{
    memcpy(v->byte + (i << df), &value, 1u << df);
}

static uint64_t ones(unsigned bits)
{
    return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

static int64_t sign_extend(uint64_t value, unsigned bits)
{
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static uint64_t clamp_signed(__int128 value, unsigned bits)
{
    int64_t most = (int64_t)(ones(bits) >> 1);

    return (uint64_t)(value > most ? most : value < ~most ? ~most : (int64_t)value);
}

static uint64_t clamp_unsigned(__int128 value, unsigned bits)
{
    return value < 0 ? 0 : value > ones(bits) ? ones(bits) : (uint64_t)value;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

/* The lower or upper half of an element, extended. */
static int64_t part(uint64_t value, unsigned bits, bool upper, bool sign)
{
    uint64_t half = (upper ? value >> bits / 2 : value) & ones(bits / 2);

    return sign ? sign_extend(half, bits / 2) : (int64_t)half;
}

static uint64_t dot_product(uint64_t s, uint64_t t, unsigned bits, bool sign)
{
    return (uint64_t)part(s, bits, true, sign) * (uint64_t)part(t, bits, true, sign) +
           (uint64_t)part(s, bits, false, sign) * (uint64_t)part(t, bits, false, sign);
}

/* Q15 or Q31: d plus or minus the product, with one rounding and saturated. */
static uint64_t fraction(int64_t d, int64_t product, unsigned bits, bool rounds)
{
    __int128 sum = (__int128)d * (INT64_C(1) << (bits - 1)) + product;

    return clamp_signed((sum + (rounds ? INT64_C(1) << (bits - 2) : 0)) >> (bits - 1), bits);
}

/* A division by zero is UNPREDICTABLE: what other implementations give. */
static uint64_t divide(enum msa_operation op, uint64_t s, uint64_t t, unsigned bits)
{
    int64_t ss = sign_extend(s, bits), ts = sign_extend(t, bits);

    switch (op) {
    case MSA_OP_DIV_S:
        if (!t)
            return ss >= 0 ? ~UINT64_C(0) : 1;
        return ts == -1 ? -(uint64_t)ss : (uint64_t)(ss / ts);
    case MSA_OP_DIV_U:
        return t ? s / t : ~UINT64_C(0);
    case MSA_OP_MOD_S:
        return !t ? s : ts == -1 ? 0 : (uint64_t)(ss % ts);
    default:
        return t ? s % t : s;
    }
}

static uint64_t insert_bits(uint64_t d, uint64_t s, unsigned bits, unsigned count, bool left)
{
    uint64_t mask = left ? ones(count) << (bits - count) : ones(count);

    return (d & ~mask) | (s & mask);
}

static uint64_t leading_zeros(uint64_t value, unsigned bits)
{
    return value ? (uint64_t)__builtin_clzll(value) - (64 - bits) : bits;
}

/* The table of the operations on one element: one line each. Operands are zero-extended. */
static uint64_t lane_operation(enum msa_operation op, unsigned bits, uint64_t d, uint64_t s,
                               uint64_t t)
{
    int64_t ds = sign_extend(d, bits), ss = sign_extend(s, bits), ts = sign_extend(t, bits);
    unsigned amount = (unsigned)t & (bits - 1);
    uint64_t bit = UINT64_C(1) << amount, last = amount ? s >> (amount - 1) & 1 : 0;

    switch (op) {
    case MSA_OP_SLL:
        return s << amount;
    case MSA_OP_SRA:
        return (uint64_t)(ss >> amount);
    case MSA_OP_SRL:
        return s >> amount;
    case MSA_OP_SRAR:
        return (uint64_t)(ss >> amount) + last;
    case MSA_OP_SRLR:
        return (s >> amount) + last;
    case MSA_OP_BCLR:
        return s & ~bit;
    case MSA_OP_BSET:
        return s | bit;
    case MSA_OP_BNEG:
        return s ^ bit;
    case MSA_OP_BINSL:
        return insert_bits(d, s, bits, amount + 1, true);
    case MSA_OP_BINSR:
        return insert_bits(d, s, bits, amount + 1, false);
    case MSA_OP_ADDV:
        return s + t;
    case MSA_OP_SUBV:
        return s - t;
    case MSA_OP_MAX_S:
        return ss > ts ? s : t;
    case MSA_OP_MAX_U:
        return s > t ? s : t;
    case MSA_OP_MIN_S:
        return ss < ts ? s : t;
    case MSA_OP_MIN_U:
        return s < t ? s : t;
    case MSA_OP_MAX_A:
        return magnitude(ss) > magnitude(ts) ? s : t;
    case MSA_OP_MIN_A:
        return magnitude(ss) < magnitude(ts) ? s : t;
    case MSA_OP_CEQ:
        return s == t ? ~UINT64_C(0) : 0;
    case MSA_OP_CLT_S:
        return ss < ts ? ~UINT64_C(0) : 0;
    case MSA_OP_CLT_U:
        return s < t ? ~UINT64_C(0) : 0;
    case MSA_OP_CLE_S:
        return ss <= ts ? ~UINT64_C(0) : 0;
    case MSA_OP_CLE_U:
        return s <= t ? ~UINT64_C(0) : 0;
    case MSA_OP_ADD_A:
        return magnitude(ss) + magnitude(ts);
    case MSA_OP_ADDS_A:
        return clamp_signed((__int128)magnitude(ss) + magnitude(ts), bits);
    case MSA_OP_ADDS_S:
        return clamp_signed((__int128)ss + ts, bits);
    case MSA_OP_ADDS_U:
        return clamp_unsigned((__int128)s + t, bits);
    case MSA_OP_AVE_S:
        return (uint64_t)(((__int128)ss + ts) >> 1);
    case MSA_OP_AVE_U:
        return (uint64_t)(((__int128)s + t) >> 1);
    case MSA_OP_AVER_S:
        return (uint64_t)(((__int128)ss + ts + 1) >> 1);
    case MSA_OP_AVER_U:
        return (uint64_t)(((__int128)s + t + 1) >> 1);
    case MSA_OP_SUBS_S:
        return clamp_signed((__int128)ss - ts, bits);
    case MSA_OP_SUBS_U:
        return clamp_unsigned((__int128)s - t, bits);
    case MSA_OP_SUBSUS_U:
        return clamp_unsigned((__int128)s - ts, bits);
    case MSA_OP_SUBSUU_S:
        return clamp_signed((__int128)s - t, bits);
    case MSA_OP_ASUB_S:
        return ss < ts ? t - s : s - t;
    case MSA_OP_ASUB_U:
        return s < t ? t - s : s - t;
    case MSA_OP_MULV:
        return s * t;
    case MSA_OP_MADDV:
        return d + s * t;
    case MSA_OP_MSUBV:
        return d - s * t;
    case MSA_OP_DIV_S:
    case MSA_OP_DIV_U:
    case MSA_OP_MOD_S:
    case MSA_OP_MOD_U:
        return divide(op, s, t, bits);
    case MSA_OP_SAT_S:
        return clamp_signed(ss, amount + 1);
    case MSA_OP_SAT_U:
        return clamp_unsigned(s, amount + 1);
    case MSA_OP_PCNT:
        return (uint64_t)__builtin_popcountll(s);
    case MSA_OP_NLOC:
        return leading_zeros(~s & ones(bits), bits);
    case MSA_OP_NLZC:
        return leading_zeros(s, bits);
    case MSA_OP_MUL_Q:
    case MSA_OP_MULR_Q:
        return fraction(0, ss * ts, bits, op == MSA_OP_MULR_Q);
    case MSA_OP_MADD_Q:
    case MSA_OP_MADDR_Q:
        return fraction(ds, ss * ts, bits, op == MSA_OP_MADDR_Q);
    case MSA_OP_MSUB_Q:
    case MSA_OP_MSUBR_Q:
        return fraction(ds, -(ss * ts), bits, op == MSA_OP_MSUBR_Q);
    case MSA_OP_DOTP_S:
    case MSA_OP_DOTP_U:
        return dot_product(s, t, bits, op == MSA_OP_DOTP_S);
    case MSA_OP_DPADD_S:
    case MSA_OP_DPADD_U:
        return d + dot_product(s, t, bits, op == MSA_OP_DPADD_S);
    case MSA_OP_DPSUB_S:
    case MSA_OP_DPSUB_U:
        return d - dot_product(s, t, bits, op == MSA_OP_DPSUB_S);
    case MSA_OP_HADD_S:
    case MSA_OP_HADD_U:
        return (uint64_t)(part(s, bits, true, op == MSA_OP_HADD_S) +
                          part(t, bits, false, op == MSA_OP_HADD_S));
    case MSA_OP_HSUB_S:
    case MSA_OP_HSUB_U:
        return (uint64_t)(part(s, bits, true, op == MSA_OP_HSUB_S) -
                          part(t, bits, false, op == MSA_OP_HSUB_S));
    default:
        return 0;
    }
}

/* VSHF: the control is wd; an element number with bit 6 or 7 set gives zero. */
static uint64_t shuffled(const union vector *d, const union vector *s, const union vector *t,
                         unsigned df, unsigned i)
{
    unsigned n = 16u >> df, control = (unsigned)get_lane(d, df, i);
    unsigned k = (control & 0x3f) & (2 * n - 1);

    if (control & 0xc0)
        return 0;
    return k < n ? get_lane(t, df, k) : get_lane(s, df, k - n);
}

/* SLD: in each column of 16 >> df bytes, bytes from `by` on of wd:ws. */
static uint64_t slid(const union vector *d, const union vector *s, unsigned df, unsigned i,
                     unsigned by)
{
    unsigned column = 16u >> df, at = i % column + by % column, base = i - i % column;

    return at < column ? s->byte[base + at] : d->byte[base + at - column];
}

static uint64_t permuted(enum msa_operation op, const union vector *d, const union vector *s,
                         const union vector *t, unsigned df, unsigned i, unsigned number)
{
    unsigned n = 16u >> df, half = n / 2;

    switch (op) {
    case MSA_OP_SLD:
        return slid(d, s, df, i, number);
    case MSA_OP_SPLAT:
        return get_lane(s, df, number & (n - 1));
    case MSA_OP_PCKEV:
    case MSA_OP_PCKOD:
        return get_lane(i < half ? t : s, df, 2 * (i % half) + (op == MSA_OP_PCKOD));
    case MSA_OP_ILVL:
    case MSA_OP_ILVR:
        return get_lane(i & 1 ? s : t, df, i / 2 + (op == MSA_OP_ILVL ? half : 0));
    case MSA_OP_ILVEV:
    case MSA_OP_ILVOD:
        return get_lane(i & 1 ? s : t, df, (i & ~1u) + (op == MSA_OP_ILVOD));
    case MSA_OP_VSHF:
        return shuffled(d, s, t, df, i);
    default: /* SHF */
        return get_lane(s, df, (i & ~3u) + (number >> 2 * (i & 3) & 3));
    }
}

static void operate(struct mips_cpu *cpu, uint32_t word, const union vector *t, unsigned number)
{
    enum msa_operation op = (enum msa_operation)(word & 0xff);
    unsigned df = word >> 8 & 3, step = op == MSA_OP_SLD ? 0 : df;
    union vector *wd = (union vector *)cpu->fpr[word >> 12 & 31];
    union vector d = *wd, s = *(const union vector *)cpu->fpr[word >> 17 & 31], result;

    for (unsigned i = 0; i < 16u >> step; i++) {
        uint64_t value = op >= MSA_OP_SLD && op <= MSA_OP_SHF
                             ? permuted(op, &d, &s, t, df, i, number)
                             : lane_operation(op, 8u << df, get_lane(&d, df, i),
                                              get_lane(&s, df, i), get_lane(t, df, i));
        set_lane(&result, step, i, value);
    }
    *wd = result;
}

static void msa_vector(void *state, uint32_t word)
{
    struct mips_cpu *cpu = mips_cpu(state);
    union vector t = *(const union vector *)cpu->fpr[word >> 22 & 31];

    operate(cpu, word, &t, 0);
}

static void msa_number(void *state, uint32_t word, uint32_t number)
{
    union vector t;

    for (unsigned i = 0; i < 16u >> (word >> 8 & 3); i++)
        set_lane(&t, word >> 8 & 3, i, (uint64_t)(int64_t)(int32_t)number);
    operate(mips_cpu(state), word, &t, number);
}

const struct ir_helper helper_msa_vector = IR_HELPER(msa_vector, IR_VOID, 1, 0, GROUP_FP, GROUP_FP);
const struct ir_helper helper_msa_number = IR_HELPER(msa_number, IR_VOID, 2, 0, GROUP_FP, GROUP_FP);
