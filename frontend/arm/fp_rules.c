/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARM's floating point on integers: one unpack, round and pack core for half, single and double
 * precision. The pseudocode it follows is ARM ARM A2.7.8 (FPUnpack, FPRound, FPProcessNaNs, ...).
 *
 * A finite number is mantissa / 2^63 * 2^exponent with bit 63 of the mantissa set. Sums and
 * products are taken on 128 bits, where bits that fall off the low end are ORed into bit 0, so
 * that rounding sees whether anything was lost.
 */
#include "frontend/arm/fp.h"

#include <stdatomic.h>

typedef unsigned __int128 u128;

struct format {
    uint8_t exponent_bits, fraction_bits;
    int16_t bias;
};

static const struct format formats[] = {
    [FP_HALF] = {5, 10, 15},
    [FP_SINGLE] = {8, 23, 127},
    [FP_DOUBLE] = {11, 52, 1023},
};

enum kind { KIND_ZERO, KIND_FINITE, KIND_INFINITY, KIND_QNAN, KIND_SNAN };

struct unpacked {
    enum kind kind;
    bool sign;
    int exponent;      /* of a zero: so low that it never matters in a sum */
    uint64_t mantissa; /* of a zero: 0 */
};

enum { EXPONENT_OF_ZERO = -100000 };

static bool is_nan(const struct unpacked *u)
{
    return u->kind >= KIND_QNAN;
}

static uint64_t sign_bit(enum fp_format format)
{
    const struct format *f = &formats[format];
    return UINT64_C(1) << (f->exponent_bits + f->fraction_bits);
}

static uint64_t zero(enum fp_format format, bool sign)
{
    return sign ? sign_bit(format) : 0;
}

static uint64_t infinity(enum fp_format format, bool sign)
{
    const struct format *f = &formats[format];
    return zero(format, sign) | ((UINT64_C(1) << f->exponent_bits) - 1) << f->fraction_bits;
}

static uint64_t quiet_bit(enum fp_format format)
{
    return UINT64_C(1) << (formats[format].fraction_bits - 1);
}

static uint64_t default_nan(enum fp_format format)
{
    return infinity(format, false) | quiet_bit(format);
}

static uint64_t invalid(struct fp_env *env, enum fp_format format)
{
    env->flags |= FPSCR_IOC;
    return default_nan(format);
}

static struct unpacked unpack(struct fp_env *env, enum fp_format format, uint64_t bits)
{
    const struct format *f = &formats[format];
    unsigned exponent_max = (1u << f->exponent_bits) - 1;
    uint64_t fraction = extract64(bits, 0, f->fraction_bits);
    unsigned exponent = (unsigned)extract64(bits, f->fraction_bits, f->exponent_bits);
    struct unpacked u = {.sign = (bits & sign_bit(format)) != 0};

    if (exponent == 0) {
        /* Half precision is never flushed (FPUnpack). */
        bool flush = (env->control & FPSCR_FZ) && format != FP_HALF;
        if (fraction && flush)
            env->flags |= FPSCR_IDC;
        if (!fraction || flush) {
            u.kind = KIND_ZERO;
            u.exponent = EXPONENT_OF_ZERO;
            return u;
        }
        int leading = __builtin_clzll(fraction);
        u.kind = KIND_FINITE;
        u.mantissa = fraction << leading;
        u.exponent = 63 - leading - f->fraction_bits + 1 - f->bias;
        return u;
    }
    if (exponent == exponent_max && !(format == FP_HALF && (env->control & FPSCR_AHP))) {
        u.kind = !fraction ? KIND_INFINITY : (fraction & quiet_bit(format)) ? KIND_QNAN : KIND_SNAN;
        return u;
    }
    u.kind = KIND_FINITE;
    u.mantissa = UINT64_C(1) << 63 | fraction << (63 - f->fraction_bits);
    u.exponent = (int)exponent - f->bias;
    return u;
}

static bool rounds_up(enum fp_rounding rounding, bool sign, bool odd, u128 lost)
{
    const u128 half = (u128)1 << 127;
    switch (rounding) {
    case FP_NEAREST:
        return lost > half || (lost == half && odd);
    case FP_PLUS:
        return lost && !sign;
    case FP_MINUS:
        return lost && sign;
    default:
        return false;
    }
}

/* mantissa / 2^shift as an integer; *lost is the fraction in units of 2^-128, sticky. */
static u128 shift_out(u128 mantissa, unsigned shift, u128 *lost)
{
    if (shift > 128)
        *lost = mantissa != 0;
    else if (shift == 128)
        *lost = mantissa;
    else
        *lost = shift ? mantissa << (128 - shift) : 0;
    return shift < 128 ? mantissa >> shift : 0;
}

static uint64_t overflow(struct fp_env *env, enum fp_format format, bool sign)
{
    unsigned rounding = fp_rounding_of(env->control);
    if (format == FP_HALF && (env->control & FPSCR_AHP)) {
        env->flags |= FPSCR_IOC; /* and not Inexact */
        return zero(format, sign) | 0x7fff;
    }
    env->flags |= FPSCR_OFC | FPSCR_IXC;
    bool to_infinity =
        rounding == FP_NEAREST || (rounding == FP_PLUS && !sign) || (rounding == FP_MINUS && sign);
    return infinity(format, sign) - !to_infinity; /* one less: the greatest normal number */
}

/* FPRound: the value is mantissa / 2^127 * 2^exponent, not zero, bit 0 sticky. */
static uint64_t round_pack(struct fp_env *env, enum fp_format format, bool sign, int exponent,
                           u128 mantissa)
{
    const struct format *f = &formats[format];
    int exponent_min = 1 - f->bias;
    int leading = (uint64_t)(mantissa >> 64) ? __builtin_clzll((uint64_t)(mantissa >> 64))
                                             : 64 + __builtin_clzll((uint64_t)mantissa);
    mantissa <<= leading;
    exponent -= leading;

    bool tiny = exponent < exponent_min; /* before rounding */
    if (tiny && (env->control & FPSCR_FZ) && format != FP_HALF) {
        env->flags |= FPSCR_UFC;
        return zero(format, sign);
    }
    unsigned shift = 127 - f->fraction_bits;
    if (tiny)
        shift += (unsigned)(exponent_min - exponent);
    u128 lost;
    uint64_t bits = (uint64_t)shift_out(mantissa, shift, &lost);
    if (tiny && lost)
        env->flags |= FPSCR_UFC;
    bool up = rounds_up(fp_rounding_of(env->control), sign, bits & 1, lost);
    /* The mantissa's leading one adds to the exponent field, and so does a carry. */
    if (!tiny)
        bits += (uint64_t)(exponent - exponent_min) << f->fraction_bits;
    bits += up;

    uint64_t exponent_limit = UINT64_C(1) << f->exponent_bits;
    if (!(format == FP_HALF && (env->control & FPSCR_AHP)))
        exponent_limit--;
    if (bits >> f->fraction_bits >= exponent_limit)
        return overflow(env, format, sign);
    if (lost)
        env->flags |= FPSCR_IXC;
    return zero(format, sign) | bits;
}

/* FPProcessNaN */
static uint64_t process_nan(struct fp_env *env, enum fp_format format, enum kind kind,
                            uint64_t bits)
{
    if (kind == KIND_SNAN)
        env->flags |= FPSCR_IOC;
    return env->control & FPSCR_DN ? default_nan(format) : bits | quiet_bit(format);
}

/* FPProcessNaNs3: the first signalling NaN in operand order, else the first quiet one. */
static bool process_nans(struct fp_env *env, enum fp_format format, unsigned n,
                         const struct unpacked *operands, const uint64_t *bits, uint64_t *result)
{
    for (enum kind kind = KIND_SNAN; kind >= KIND_QNAN; kind--)
        for (unsigned i = 0; i < n; i++)
            if (operands[i].kind == kind) {
                *result = process_nan(env, format, kind, bits[i]);
                return true;
            }
    return false;
}

static u128 shift_right_sticky(u128 value, unsigned amount)
{
    if (amount == 0)
        return value;
    if (amount > 127)
        return value != 0;
    return value >> amount | ((value << (128 - amount)) != 0);
}

/* The sum of two numbers mantissa / 2^125 * 2^exponent, rounded. Zeros have mantissa 0. */
static uint64_t sum_round(struct fp_env *env, enum fp_format format, bool sign_a, int exponent_a,
                          u128 a, bool sign_b, int exponent_b, u128 b)
{
    int exponent = MAX(exponent_a, exponent_b);
    a = shift_right_sticky(a, (unsigned)(exponent - exponent_a));
    b = shift_right_sticky(b, (unsigned)(exponent - exponent_b));
    u128 sum;
    bool sign = sign_a;
    if (sign_a == sign_b) {
        sum = a + b;
    } else if (a > b) {
        sum = a - b;
    } else {
        sum = b - a;
        sign = sum ? sign_b : fp_rounding_of(env->control) == FP_MINUS;
    }
    if (!sum)
        return zero(format, sign);
    return round_pack(env, format, sign, exponent + 2, sum);
}

static uint64_t add_or_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                           bool subtract)
{
    const uint64_t bits[2] = {a, b};
    struct unpacked u[2] = {unpack(env, format, a), unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(process_nans(env, format, 2, u, bits, &result)))
        return result;
    u[1].sign ^= subtract;
    if (u[0].kind == KIND_INFINITY) {
        if (u[1].kind == KIND_INFINITY && u[0].sign != u[1].sign)
            return invalid(env, format);
        return infinity(format, u[0].sign);
    }
    if (u[1].kind == KIND_INFINITY)
        return infinity(format, u[1].sign);
    return sum_round(env, format, u[0].sign, u[0].exponent, (u128)u[0].mantissa << 62, u[1].sign,
                     u[1].exponent, (u128)u[1].mantissa << 62);
}

uint64_t fp_add(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return add_or_sub(env, format, a, b, false);
}

uint64_t fp_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return add_or_sub(env, format, a, b, true);
}

uint64_t fp_mul(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    const uint64_t bits[2] = {a, b};
    const struct unpacked u[2] = {unpack(env, format, a), unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(process_nans(env, format, 2, u, bits, &result)))
        return result;
    bool sign = u[0].sign != u[1].sign;
    bool infinite = u[0].kind == KIND_INFINITY || u[1].kind == KIND_INFINITY;
    bool zeros = u[0].kind == KIND_ZERO || u[1].kind == KIND_ZERO;
    if (infinite)
        return zeros ? invalid(env, format) : infinity(format, sign);
    if (zeros)
        return zero(format, sign);
    return round_pack(env, format, sign, u[0].exponent + u[1].exponent + 1,
                      (u128)u[0].mantissa * u[1].mantissa);
}

uint64_t fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    const uint64_t bits[2] = {a, b};
    const struct unpacked u[2] = {unpack(env, format, a), unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(process_nans(env, format, 2, u, bits, &result)))
        return result;
    bool sign = u[0].sign != u[1].sign;
    if (u[0].kind == u[1].kind && u[0].kind != KIND_FINITE)
        return invalid(env, format); /* 0 / 0, infinity / infinity */
    if (u[0].kind == KIND_INFINITY || u[1].kind == KIND_ZERO) {
        if (u[0].kind != KIND_INFINITY)
            env->flags |= FPSCR_DZC;
        return infinity(format, sign);
    }
    if (u[0].kind == KIND_ZERO || u[1].kind == KIND_INFINITY)
        return zero(format, sign);
    u128 dividend = (u128)u[0].mantissa << 63;
    uint64_t quotient = (uint64_t)(dividend / u[1].mantissa);
    bool inexact = (u128)quotient * u[1].mantissa != dividend;
    return round_pack(env, format, sign, u[0].exponent - u[1].exponent,
                      (u128)quotient << 64 | inexact);
}

/* The integer square root, digit by digit; of a number below 2^64 in half the time. */
static uint64_t square_root(u128 value, bool *inexact)
{
    u128 root = 0, remainder = value;
    for (int bit = 126; bit >= 0; bit -= 2) {
        u128 trial = root | (u128)1 << bit;
        root >>= 1;
        if (remainder >= trial) {
            remainder -= trial;
            root |= (u128)1 << bit;
        }
    }
    *inexact = remainder != 0;
    return (uint64_t)root;
}

static uint64_t square_root_64(uint64_t value, bool *inexact)
{
    uint64_t root = 0, remainder = value;
    for (int bit = 62; bit >= 0; bit -= 2) {
        uint64_t trial = root | UINT64_C(1) << bit;
        root >>= 1;
        if (remainder >= trial) {
            remainder -= trial;
            root |= UINT64_C(1) << bit;
        }
    }
    *inexact = remainder != 0;
    return root;
}

uint64_t fp_sqrt(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct unpacked u = unpack(env, format, a);
    if (is_nan(&u))
        return process_nan(env, format, u.kind, a);
    if (u.kind == KIND_ZERO)
        return zero(format, u.sign);
    if (u.sign)
        return invalid(env, format);
    if (u.kind == KIND_INFINITY)
        return infinity(format, false);
    bool inexact, odd = u.exponent & 1;
    uint64_t root;
    if (format == FP_DOUBLE)
        root = square_root((u128)u.mantissa << (63 + odd), &inexact);
    else /* the mantissa's low bits are zero */
        root = square_root_64(u.mantissa >> !odd, &inexact) << 32;
    return round_pack(env, format, false, (u.exponent - odd) / 2, (u128)root << 64 | inexact);
}

uint64_t fp_mul_add(struct fp_env *env, enum fp_format format, uint64_t addend, uint64_t a,
                    uint64_t b)
{
    const uint64_t bits[3] = {addend, a, b};
    const struct unpacked u[3] = {unpack(env, format, addend), unpack(env, format, a),
                                  unpack(env, format, b)};
    bool infinite = u[1].kind == KIND_INFINITY || u[2].kind == KIND_INFINITY;
    bool zeros = u[1].kind == KIND_ZERO || u[2].kind == KIND_ZERO;
    uint64_t result;
    if (UNLIKELY(process_nans(env, format, 3, u, bits, &result))) {
        /* FPMulAdd: infinity * 0 wins over a quiet NaN as the addend. */
        if (u[0].kind == KIND_QNAN && infinite && zeros)
            return invalid(env, format);
        return result;
    }
    bool sign = u[1].sign != u[2].sign;
    if (infinite && (zeros || (u[0].kind == KIND_INFINITY && u[0].sign != sign)))
        return invalid(env, format);
    if (infinite || u[0].kind == KIND_INFINITY)
        return infinity(format, infinite ? sign : u[0].sign);

    /* A double's product has 106 bits: two of the 22 spare ones make room for the sum's carry. */
    u128 product = (u128)u[1].mantissa * u[2].mantissa >> 1;
    int exponent = zeros ? EXPONENT_OF_ZERO : u[1].exponent + u[2].exponent;
    if (product >> 126) {
        product >>= 1;
        exponent++;
    }
    return sum_round(env, format, u[0].sign, u[0].exponent, (u128)u[0].mantissa << 62, sign,
                     exponent, product);
}

/* <0, 0, >0; neither is a NaN. */
static int order(const struct unpacked *a, const struct unpacked *b)
{
    if (a->kind == KIND_ZERO && b->kind == KIND_ZERO)
        return 0;
    if (a->kind == KIND_ZERO || b->kind == KIND_ZERO || a->sign != b->sign) {
        bool negative = a->kind == KIND_ZERO ? !b->sign : a->sign;
        return negative ? -1 : 1;
    }
    int magnitude;
    if (a->kind != b->kind)
        magnitude = a->kind == KIND_INFINITY ? 1 : -1;
    else if (a->kind == KIND_INFINITY)
        magnitude = 0;
    else if (a->exponent != b->exponent)
        magnitude = a->exponent > b->exponent ? 1 : -1;
    else
        magnitude = (a->mantissa > b->mantissa) - (a->mantissa < b->mantissa);
    return a->sign ? -magnitude : magnitude;
}

/* Neither NaN, infinity nor denormal: such numbers compare as integers do. */
static bool is_ordinary(enum fp_format format, uint64_t bits)
{
    const struct format *f = &formats[format];
    uint64_t exponent = extract64(bits, f->fraction_bits, f->exponent_bits);
    uint64_t exponent_max = (UINT64_C(1) << f->exponent_bits) - 1;
    return exponent != exponent_max && (exponent || !extract64(bits, 0, f->fraction_bits));
}

static int64_t integer_order(enum fp_format format, uint64_t bits)
{
    int64_t magnitude = (int64_t)(bits & ~sign_bit(format));
    return bits & sign_bit(format) ? -magnitude : magnitude;
}

unsigned fp_compare(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                    bool quiet_invalid)
{
    if (LIKELY(is_ordinary(format, a) && is_ordinary(format, b))) {
        int64_t left = integer_order(format, a), right = integer_order(format, b);
        return left < right ? IR_FCMP_LT : left > right ? IR_FCMP_GT : IR_FCMP_EQ;
    }
    struct unpacked ua = unpack(env, format, a), ub = unpack(env, format, b);
    if (is_nan(&ua) || is_nan(&ub)) {
        if (quiet_invalid || ua.kind == KIND_SNAN || ub.kind == KIND_SNAN)
            env->flags |= FPSCR_IOC;
        return IR_FCMP_UN;
    }
    int result = order(&ua, &ub);
    return result < 0 ? IR_FCMP_LT : result > 0 ? IR_FCMP_GT : IR_FCMP_EQ;
}

static uint64_t convert_nan(struct fp_env *env, enum fp_format to, enum fp_format from,
                            enum kind kind, bool sign, uint64_t a)
{
    const struct format *f = &formats[from], *t = &formats[to];
    bool no_nans = to == FP_HALF && (env->control & FPSCR_AHP);
    if (kind == KIND_SNAN || no_nans)
        env->flags |= FPSCR_IOC;
    if (no_nans)
        return zero(to, sign);
    if (env->control & FPSCR_DN)
        return default_nan(to);
    uint64_t fraction = extract64(a, 0, f->fraction_bits);
    if (t->fraction_bits > f->fraction_bits)
        fraction <<= t->fraction_bits - f->fraction_bits;
    else
        fraction >>= f->fraction_bits - t->fraction_bits;
    return infinity(to, sign) | quiet_bit(to) | fraction;
}

uint64_t fp_convert(struct fp_env *env, enum fp_format to, enum fp_format from, uint64_t a)
{
    struct unpacked u = unpack(env, from, a);
    switch (u.kind) {
    case KIND_ZERO:
        return zero(to, u.sign);
    case KIND_FINITE:
        return round_pack(env, to, u.sign, u.exponent, (u128)u.mantissa << 64);
    case KIND_INFINITY:
        if (to == FP_HALF && (env->control & FPSCR_AHP)) {
            env->flags |= FPSCR_IOC;
            return zero(to, u.sign) | 0x7fff;
        }
        return infinity(to, u.sign);
    default:
        return convert_nan(env, to, from, u.kind, u.sign, a);
    }
}

uint64_t fp_to_fixed(struct fp_env *env, enum fp_format format, uint64_t a, unsigned bits,
                     unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding)
{
    struct unpacked u = unpack(env, format, a);
    uint64_t all = ~UINT64_C(0) >> (64 - bits);
    /* The greatest magnitude representable with this sign. */
    uint64_t limit = is_unsigned ? (u.sign ? 0 : all) : (all >> 1) + u.sign;
    if (is_nan(&u)) {
        env->flags |= FPSCR_IOC;
        return 0;
    }
    if (u.kind == KIND_ZERO)
        return 0;
    int exponent = u.exponent + (int)fraction_bits;
    u128 magnitude = (u128)1 << 64, lost = 0;
    if (u.kind == KIND_FINITE && exponent < 63 && rounding == FP_ZERO) {
        uint64_t integer = exponent < 0 ? 0 : u.mantissa >> (63 - exponent);
        magnitude = integer;
        lost = exponent < 0 || integer << (63 - exponent) != u.mantissa;
    } else if (u.kind == KIND_FINITE && exponent < 64) {
        magnitude = shift_out((u128)u.mantissa << 64, (unsigned)(127 - exponent), &lost);
        magnitude += rounds_up(rounding, u.sign, magnitude & 1, lost);
    }
    if (magnitude > limit) {
        env->flags |= FPSCR_IOC;
        magnitude = limit;
    } else if (lost) {
        env->flags |= FPSCR_IXC;
    }
    uint64_t result = (uint64_t)magnitude;
    return (u.sign ? -result : result) & all;
}

uint64_t fp_from_fixed(struct fp_env *env, enum fp_format format, uint64_t value, unsigned bits,
                       unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding)
{
    bool sign = !is_unsigned && extract64(value, bits - 1, 1);
    uint64_t magnitude = extract64(value, 0, bits);
    if (sign)
        magnitude = -(uint64_t)sextract64(value, 0, bits);
    if (!magnitude)
        return zero(format, false);
    /* Neither overflow nor underflow is possible. */
    const struct format *f = &formats[format];
    int leading = __builtin_clzll(magnitude), biased = 63 - leading - (int)fraction_bits + f->bias;
    unsigned shift = 63 - f->fraction_bits;
    magnitude <<= leading;
    uint64_t result = magnitude >> shift, lost = magnitude << (64 - shift);
    bool up = rounds_up(rounding, sign, result & 1, (u128)lost << 64);
    if (lost)
        env->flags |= FPSCR_IXC;
    return zero(format, sign) | (((uint64_t)(biased - 1) << f->fraction_bits) + result + up);
}

/* ---- estimates (ARM ARM A2.7.8, "Reciprocal estimate" and "Reciprocal square root estimate") --
 */

/* 256 <= a < 512 stands for [0.5, 1); the result, 256..511, for [1, 2). The manual states these
 * with doubles; the integer forms are those of the ARMv8 manual and give the same values. */
static unsigned calculate_recip_estimate(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* 128 <= a < 512 stands for [0.25, 1). */
static unsigned calculate_rsqrt_estimate(unsigned a)
{
    a = a < 256 ? a * 2 + 1 : ((a & ~1u) + 1) * 2;
    unsigned b = 512; /* the least such that a * (b + 1)^2 >= 2^28 */
    for (unsigned step = 256; step; step /= 2)
        if (a * (b + step) * (b + step) < 1u << 28)
            b += step;
    return (b + 1) / 2;
}

/* Each of the few estimates is calculated once, by whoever needs it first. */
typedef _Atomic uint16_t estimate_table[512];

static unsigned look_up(estimate_table table, unsigned (*calculate)(unsigned a), unsigned a)
{
    unsigned estimate = atomic_load_explicit(&table[a], memory_order_relaxed);
    if (UNLIKELY(!estimate)) {
        estimate = calculate(a);
        atomic_store_explicit(&table[a], (uint16_t)estimate, memory_order_relaxed);
    }
    return estimate;
}

static unsigned recip_estimate(unsigned a)
{
    static estimate_table table;
    return look_up(table, calculate_recip_estimate, a);
}

static unsigned rsqrt_estimate(unsigned a)
{
    static estimate_table table;
    return look_up(table, calculate_rsqrt_estimate, a);
}

/* Of a normal number whose estimate is one, too. */
static uint32_t normal_recip_estimate(uint32_t a)
{
    unsigned exponent = extract32(a, 23, 8), estimate = recip_estimate(256 | extract32(a, 15, 8));
    return (a & UINT32_C(0x80000000)) | (253 - exponent) << 23 | extract32(estimate, 0, 8) << 15;
}

uint32_t fp_recip_estimate(struct fp_env *env, uint32_t a)
{
    if (LIKELY(extract32(a, 23, 8) - 1 < 252))
        return normal_recip_estimate(a);
    struct unpacked u = unpack(env, FP_SINGLE, a);
    switch (u.kind) {
    case KIND_ZERO:
        env->flags |= FPSCR_DZC;
        return (uint32_t)infinity(FP_SINGLE, u.sign);
    case KIND_INFINITY:
        return (uint32_t)zero(FP_SINGLE, u.sign);
    case KIND_FINITE:
        env->flags |= FPSCR_UFC;
        return (uint32_t)zero(FP_SINGLE, u.sign);
    default:
        return (uint32_t)process_nan(env, FP_SINGLE, u.kind, a);
    }
}

/* Of a positive normal number. An even biased exponent scales to [0.5, 1), an odd one to
 * [0.25, 0.5). */
static uint32_t normal_rsqrt_estimate(uint32_t a)
{
    unsigned exponent = extract32(a, 23, 8);
    unsigned scaled = (256 | extract32(a, 15, 8)) >> (exponent & 1);
    return ((380 - exponent) / 2) << 23 | extract32(rsqrt_estimate(scaled), 0, 8) << 15;
}

uint32_t fp_rsqrt_estimate(struct fp_env *env, uint32_t a)
{
    if (LIKELY((a >> 23) - 1 < 254))
        return normal_rsqrt_estimate(a);
    struct unpacked u = unpack(env, FP_SINGLE, a);
    if (is_nan(&u))
        return (uint32_t)process_nan(env, FP_SINGLE, u.kind, a);
    if (u.kind == KIND_ZERO) {
        env->flags |= FPSCR_DZC;
        return (uint32_t)infinity(FP_SINGLE, u.sign);
    }
    if (u.sign)
        return (uint32_t)invalid(env, FP_SINGLE);
    return 0; /* of infinity */
}

uint32_t fp_unsigned_recip_estimate(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t fp_unsigned_rsqrt_estimate(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

/* The product of a step: infinity times zero counts as zero. False: a NaN is *product, and the
 * result. */
static bool step_product(struct fp_env *env, uint32_t a, uint32_t b, uint64_t *product)
{
    const uint64_t bits[2] = {a, b};
    const struct unpacked u[2] = {unpack(env, FP_SINGLE, a), unpack(env, FP_SINGLE, b)};
    if (process_nans(env, FP_SINGLE, 2, u, bits, product))
        return false;
    bool infinite = u[0].kind == KIND_INFINITY || u[1].kind == KIND_INFINITY;
    bool zeros = u[0].kind == KIND_ZERO || u[1].kind == KIND_ZERO;
    *product = infinite && zeros ? 0 : fp_mul(env, FP_SINGLE, a, b);
    return true;
}

uint32_t fp_recip_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    enum { TWO = 0x40000000 };
    uint64_t product;
    if (step_product(env, a, b, &product))
        product = fp_sub(env, FP_SINGLE, TWO, product);
    return (uint32_t)product;
}

uint32_t fp_rsqrt_step(struct fp_env *env, uint32_t a, uint32_t b)
{
    enum { THREE = 0x40400000, HALF = 0x3f000000 };
    uint64_t product;
    if (step_product(env, a, b, &product)) {
        product = fp_sub(env, FP_SINGLE, THREE, product);
        product = fp_mul(env, FP_SINGLE, product, HALF);
    }
    return (uint32_t)product;
}

/* ---- what generated code calls (struct ir_fp_rules) ------------------------------------------ */

/* IR_FP_FLUSH says when generated code must ask here, the FPSCR whether flushing is on. */
static struct fp_env env_for(const struct arm_cpu *cpu, unsigned flags)
{
    if (flags & IR_FP_STANDARD)
        return fp_env_standard(cpu);
    return fp_env_of(cpu);
}

static bool is_float(unsigned type)
{
    return type == IR_F32 || type == IR_F64;
}

static enum fp_format format_of(unsigned type)
{
    return type == IR_F64 ? FP_DOUBLE : FP_SINGLE;
}

static uint64_t rules_convert(struct fp_env *env, unsigned op, unsigned type, unsigned from,
                              unsigned sub, uint64_t a)
{
    unsigned rounding = fp_rounding_of(env->control);
    switch (op) {
    case IR_FCVT:
        return fp_convert(env, format_of(type), format_of(from), a);
    case IR_F2I:
        if (sub & IR_F2I_TRUNCATE)
            rounding = FP_ZERO;
        return fp_to_fixed(env, format_of(from), a, type == IR_I64 ? 64 : 32, 0,
                           sub & IR_F2I_UNSIGNED, (enum fp_rounding)rounding);
    default: /* IR_I2F */
        return fp_from_fixed(env, format_of(type), a, from == IR_I64 ? 64 : 32, 0, sub & 1,
                             (enum fp_rounding)rounding);
    }
}

static uint64_t rules_scalar(void *state, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                             uint64_t b, uint64_t c)
{
    struct arm_cpu *cpu = arm_cpu(state);
    unsigned type = type_from & 0xff, from = type_from >> 8 & 0xff;
    bool converts = op == IR_FCVT || op == IR_F2I || op == IR_I2F;
    struct fp_env env = env_for(cpu, converts ? 0 : sub);
    enum fp_format format = format_of(is_float(from) ? from : type);
    uint64_t result = 0;
    switch (op) {
    case IR_FADD:
        result = fp_add(&env, format, a, b);
        break;
    case IR_FSUB:
        result = fp_sub(&env, format, a, b);
        break;
    case IR_FMUL:
        result = fp_mul(&env, format, a, b);
        break;
    case IR_FDIV:
        result = fp_div(&env, format, a, b);
        break;
    case IR_FSQRT:
        result = fp_sqrt(&env, format, a);
        break;
    case IR_FMA:
        result = fp_mul_add(&env, format, c, a, b);
        break;
    case IR_FCMP:
        result = fp_compare(&env, format, a, b, sub & IR_FP_SIGNAL_QNAN);
        break;
    default:
        result = rules_convert(&env, op, type, from, sub, a);
        break;
    }
    fp_env_done(cpu, &env);
    return result;
}

/* A denormal as a zero of its sign if the environment flushes. */
static uint64_t flush(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct unpacked u = unpack(env, format, a);
    return u.kind == KIND_ZERO ? zero(format, u.sign) : a;
}

static uint64_t vector_lane(struct fp_env *env, unsigned op, enum fp_format format, uint64_t a,
                            uint64_t b, uint64_t c)
{
    switch (op) {
    case IR_VFADD:
        return fp_add(env, format, a, b);
    case IR_VFSUB:
        return fp_sub(env, format, a, b);
    case IR_VFMUL:
        return fp_mul(env, format, a, b);
    case IR_VFFLUSH:
        return flush(env, format, a);
    default: /* IR_VFMA */
        return fp_mul_add(env, format, c, a, b);
    }
}

static void rules_vector(void *state, unsigned op, unsigned sub, void *d, const void *a,
                         const void *b, const void *c)
{
    struct arm_cpu *cpu = arm_cpu(state);
    struct fp_env env = env_for(cpu, sub >> 4);
    bool wide = (sub & 15) == IR_LANE64;
    unsigned n = wide ? 2 : 4, size = wide ? 8 : 4;
    uint8_t result[16];
    for (unsigned i = 0; i < n; i++) {
        uint64_t lane_a = 0, lane_b = 0, lane_c = 0;
        memcpy(&lane_a, (const uint8_t *)a + i * size, size);
        if (op != IR_VFFLUSH)
            memcpy(&lane_b, (const uint8_t *)b + i * size, size);
        if (op == IR_VFMA)
            memcpy(&lane_c, (const uint8_t *)c + i * size, size);
        uint64_t lane = vector_lane(&env, op, wide ? FP_DOUBLE : FP_SINGLE, lane_a, lane_b, lane_c);
        memcpy(result + i * size, &lane, size);
    }
    memcpy(d, result, 16);
    fp_env_done(cpu, &env);
}

const struct ir_fp_rules arm_fp_rules = {
    .scalar = rules_scalar, .vector = rules_vector, .groups = GROUP_FPSCR};
