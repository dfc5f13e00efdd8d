/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point on integers: one unpack, round and pack core for half, single and double
 * precision. Its parts are named after the ARM manual's pseudocode, which states this arithmetic
 * best (ARM ARM A2.7.8: FPUnpack, FPRound, FPProcessNaNs, ...); fp_env says where another guest
 * differs.
 *
 * A finite number is mantissa / 2^63 * 2^exponent with bit 63 of the mantissa set. Sums and
 * products are taken on 128 bits, where bits that fall off the low end are ORed into bit 0, so
 * that rounding sees whether anything was lost.
 */
#include "util/softfp.h"

#include "util/bits.h"

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

enum { EXPONENT_OF_ZERO = -100000 };

bool fp_is_nan(const struct fp_unpacked *u)
{
    return u->kind >= FP_KIND_QNAN;
}

static uint64_t sign_bit(enum fp_format format)
{
    const struct format *f = &formats[format];
    return UINT64_C(1) << (f->exponent_bits + f->fraction_bits);
}

uint64_t fp_zero(enum fp_format format, bool sign)
{
    return sign ? sign_bit(format) : 0;
}

uint64_t fp_infinity(enum fp_format format, bool sign)
{
    const struct format *f = &formats[format];
    return fp_zero(format, sign) | ((UINT64_C(1) << f->exponent_bits) - 1) << f->fraction_bits;
}

static uint64_t quiet_bit(enum fp_format format)
{
    return UINT64_C(1) << (formats[format].fraction_bits - 1);
}

uint64_t fp_default_nan(const struct fp_env *env, enum fp_format format)
{
    if (env->control & FP_LEGACY_NAN)
        return fp_infinity(format, false) | (quiet_bit(format) - 1);
    return fp_infinity(format, false) | quiet_bit(format);
}

uint64_t fp_invalid(struct fp_env *env, enum fp_format format)
{
    env->flags |= FP_INVALID;
    return fp_default_nan(env, format);
}

struct fp_unpacked fp_unpack(struct fp_env *env, enum fp_format format, uint64_t bits)
{
    const struct format *f = &formats[format];
    unsigned exponent_max = (1u << f->exponent_bits) - 1;
    uint64_t fraction = extract64(bits, 0, f->fraction_bits);
    unsigned exponent = (unsigned)extract64(bits, f->fraction_bits, f->exponent_bits);
    struct fp_unpacked u = {.sign = (bits & sign_bit(format)) != 0};

    if (exponent == 0) {
        /* Half precision is never flushed (FPUnpack). */
        bool flush = (env->control & FP_FLUSH) && format != FP_HALF &&
                     !(env->control & FP_FLUSH_RESULTS_ONLY);
        if (fraction && flush)
            env->flags |= FP_INPUT_DENORMAL;
        if (!fraction || flush) {
            u.kind = FP_KIND_ZERO;
            u.exponent = EXPONENT_OF_ZERO;
            return u;
        }
        int leading = __builtin_clzll(fraction);
        u.kind = FP_KIND_FINITE;
        u.mantissa = fraction << leading;
        u.exponent = 63 - leading - f->fraction_bits + 1 - f->bias;
        return u;
    }
    if (exponent == exponent_max && !(format == FP_HALF && (env->control & FP_ALTERNATIVE_HALF))) {
        bool quiet = !(fraction & quiet_bit(format)) == !!(env->control & FP_LEGACY_NAN);
        u.kind = !fraction ? FP_KIND_INFINITY : quiet ? FP_KIND_QNAN : FP_KIND_SNAN;
        return u;
    }
    u.kind = FP_KIND_FINITE;
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
    if (format == FP_HALF && (env->control & FP_ALTERNATIVE_HALF)) {
        env->flags |= FP_INVALID; /* and not Inexact */
        return fp_zero(format, sign) | 0x7fff;
    }
    env->flags |= FP_OVERFLOW | FP_INEXACT;
    bool to_infinity =
        rounding == FP_NEAREST || (rounding == FP_PLUS && !sign) || (rounding == FP_MINUS && sign);
    return fp_infinity(format, sign) - !to_infinity; /* one less: the greatest normal number */
}

/* A guest that flushes results only says that they are inexact, too. */
static uint64_t flush_result(struct fp_env *env, enum fp_format format, bool sign)
{
    env->flags |= FP_UNDERFLOW | (env->control & FP_FLUSH_RESULTS_ONLY ? FP_INEXACT : 0);
    return fp_zero(format, sign);
}

/* Tininess after rounding: with the exponent's range unbounded, would it round up to the smallest
 * normal number? Then it is not tiny. */
static bool rounds_to_normal(const struct fp_env *env, const struct format *f, bool sign,
                             int exponent, u128 mantissa)
{
    u128 lost;
    uint64_t bits = (uint64_t)shift_out(mantissa, 127 - f->fraction_bits, &lost);

    if (!(env->control & FP_TINY_AFTER) || exponent != -f->bias)
        return false;
    bits += rounds_up(fp_rounding_of(env->control), sign, bits & 1, lost);
    return bits >> (f->fraction_bits + 1);
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
    if (tiny && (env->control & FP_FLUSH) && format != FP_HALF)
        return flush_result(env, format, sign);
    unsigned shift = 127 - f->fraction_bits;
    if (tiny)
        shift += (unsigned)(exponent_min - exponent);
    u128 lost;
    uint64_t bits = (uint64_t)shift_out(mantissa, shift, &lost);
    if (tiny && lost && !rounds_to_normal(env, f, sign, exponent, mantissa))
        env->flags |= FP_UNDERFLOW;
    bool up = rounds_up(fp_rounding_of(env->control), sign, bits & 1, lost);
    /* The mantissa's leading one adds to the exponent field, and so does a carry. */
    if (!tiny)
        bits += (uint64_t)(exponent - exponent_min) << f->fraction_bits;
    bits += up;

    uint64_t exponent_limit = UINT64_C(1) << f->exponent_bits;
    if (!(format == FP_HALF && (env->control & FP_ALTERNATIVE_HALF)))
        exponent_limit--;
    if (bits >> f->fraction_bits >= exponent_limit)
        return overflow(env, format, sign);
    if (lost)
        env->flags |= FP_INEXACT;
    return fp_zero(format, sign) | bits;
}

/* FPProcessNaN */
uint64_t fp_process_nan(struct fp_env *env, enum fp_format format, enum fp_kind kind, uint64_t bits)
{
    if (kind == FP_KIND_SNAN)
        env->flags |= FP_INVALID;
    /* A legacy signalling NaN cannot be made quiet by setting a bit. */
    if (env->control & FP_DEFAULT_NAN || (env->control & FP_LEGACY_NAN && kind == FP_KIND_SNAN))
        return fp_default_nan(env, format);
    return env->control & FP_LEGACY_NAN ? bits : bits | quiet_bit(format);
}

/* FPProcessNaNs3: the first signalling NaN in operand order, else the first quiet one. */
bool fp_process_nans(struct fp_env *env, enum fp_format format, unsigned n,
                     const struct fp_unpacked *operands, const uint64_t *bits, uint64_t *result)
{
    for (enum fp_kind kind = FP_KIND_SNAN; kind >= FP_KIND_QNAN; kind--)
        for (unsigned i = 0; i < n; i++)
            if (operands[i].kind == kind) {
                *result = fp_process_nan(env, format, kind, bits[i]);
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
        return fp_zero(format, sign);
    return round_pack(env, format, sign, exponent + 2, sum);
}

static uint64_t add_or_sub(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                           bool subtract)
{
    const uint64_t bits[2] = {a, b};
    struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(fp_process_nans(env, format, 2, u, bits, &result)))
        return result;
    u[1].sign ^= subtract;
    if (u[0].kind == FP_KIND_INFINITY) {
        if (u[1].kind == FP_KIND_INFINITY && u[0].sign != u[1].sign)
            return fp_invalid(env, format);
        return fp_infinity(format, u[0].sign);
    }
    if (u[1].kind == FP_KIND_INFINITY)
        return fp_infinity(format, u[1].sign);
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
    const struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(fp_process_nans(env, format, 2, u, bits, &result)))
        return result;
    bool sign = u[0].sign != u[1].sign;
    bool infinite = u[0].kind == FP_KIND_INFINITY || u[1].kind == FP_KIND_INFINITY;
    bool zeros = u[0].kind == FP_KIND_ZERO || u[1].kind == FP_KIND_ZERO;
    if (infinite)
        return zeros ? fp_invalid(env, format) : fp_infinity(format, sign);
    if (zeros)
        return fp_zero(format, sign);
    return round_pack(env, format, sign, u[0].exponent + u[1].exponent + 1,
                      (u128)u[0].mantissa * u[1].mantissa);
}

uint64_t fp_div(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    const uint64_t bits[2] = {a, b};
    const struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
    uint64_t result;
    if (UNLIKELY(fp_process_nans(env, format, 2, u, bits, &result)))
        return result;
    bool sign = u[0].sign != u[1].sign;
    if (u[0].kind == u[1].kind && u[0].kind != FP_KIND_FINITE)
        return fp_invalid(env, format); /* 0 / 0, infinity / infinity */
    if (u[0].kind == FP_KIND_INFINITY || u[1].kind == FP_KIND_ZERO) {
        if (u[0].kind != FP_KIND_INFINITY)
            env->flags |= FP_DIVIDE_BY_ZERO;
        return fp_infinity(format, sign);
    }
    if (u[0].kind == FP_KIND_ZERO || u[1].kind == FP_KIND_INFINITY)
        return fp_zero(format, sign);
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
    struct fp_unpacked u = fp_unpack(env, format, a);
    if (fp_is_nan(&u))
        return fp_process_nan(env, format, u.kind, a);
    if (u.kind == FP_KIND_ZERO)
        return fp_zero(format, u.sign);
    if (u.sign)
        return fp_invalid(env, format);
    if (u.kind == FP_KIND_INFINITY)
        return fp_infinity(format, false);
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
    const struct fp_unpacked u[3] = {fp_unpack(env, format, addend), fp_unpack(env, format, a),
                                     fp_unpack(env, format, b)};
    bool infinite = u[1].kind == FP_KIND_INFINITY || u[2].kind == FP_KIND_INFINITY;
    bool zeros = u[1].kind == FP_KIND_ZERO || u[2].kind == FP_KIND_ZERO;
    uint64_t result;
    if (UNLIKELY(fp_process_nans(env, format, 3, u, bits, &result))) {
        /* FPMulAdd: infinity * 0 wins over a quiet NaN as the addend; MIPS only flags it. */
        if (u[0].kind == FP_KIND_QNAN && infinite && zeros) {
            uint64_t other = fp_invalid(env, format);
            return env->control & FP_KEEP_ADDEND_NAN ? result : other;
        }
        return result;
    }
    bool sign = u[1].sign != u[2].sign;
    if (infinite && (zeros || (u[0].kind == FP_KIND_INFINITY && u[0].sign != sign)))
        return fp_invalid(env, format);
    if (infinite || u[0].kind == FP_KIND_INFINITY)
        return fp_infinity(format, infinite ? sign : u[0].sign);

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
static int order(const struct fp_unpacked *a, const struct fp_unpacked *b)
{
    if (a->kind == FP_KIND_ZERO && b->kind == FP_KIND_ZERO)
        return 0;
    if (a->kind == FP_KIND_ZERO || b->kind == FP_KIND_ZERO || a->sign != b->sign) {
        bool negative = a->kind == FP_KIND_ZERO ? !b->sign : a->sign;
        return negative ? -1 : 1;
    }
    int magnitude;
    if (a->kind != b->kind)
        magnitude = a->kind == FP_KIND_INFINITY ? 1 : -1;
    else if (a->kind == FP_KIND_INFINITY)
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
        return left < right ? FP_LESS : left > right ? FP_GREATER : FP_EQUAL;
    }
    struct fp_unpacked ua = fp_unpack(env, format, a), ub = fp_unpack(env, format, b);
    if (fp_is_nan(&ua) || fp_is_nan(&ub)) {
        if (quiet_invalid || ua.kind == FP_KIND_SNAN || ub.kind == FP_KIND_SNAN)
            env->flags |= FP_INVALID;
        return FP_UNORDERED;
    }
    int result = order(&ua, &ub);
    return result < 0 ? FP_LESS : result > 0 ? FP_GREATER : FP_EQUAL;
}

static uint64_t convert_nan(struct fp_env *env, enum fp_format to, enum fp_format from,
                            enum fp_kind kind, bool sign, uint64_t a)
{
    const struct format *f = &formats[from], *t = &formats[to];
    bool no_nans = to == FP_HALF && (env->control & FP_ALTERNATIVE_HALF);
    if (kind == FP_KIND_SNAN || no_nans)
        env->flags |= FP_INVALID;
    if (no_nans)
        return fp_zero(to, sign);
    if (env->control & FP_DEFAULT_NAN || (env->control & FP_LEGACY_NAN && kind == FP_KIND_SNAN))
        return fp_default_nan(env, to);
    uint64_t fraction = extract64(a, 0, f->fraction_bits);
    if (t->fraction_bits > f->fraction_bits)
        fraction <<= t->fraction_bits - f->fraction_bits;
    else
        fraction >>= f->fraction_bits - t->fraction_bits;
    if (env->control & FP_LEGACY_NAN) /* where what is left is no NaN, the default is one */
        return fraction ? fp_infinity(to, sign) | fraction : fp_default_nan(env, to);
    return fp_infinity(to, sign) | quiet_bit(to) | fraction;
}

uint64_t fp_convert(struct fp_env *env, enum fp_format to, enum fp_format from, uint64_t a)
{
    struct fp_unpacked u = fp_unpack(env, from, a);
    switch (u.kind) {
    case FP_KIND_ZERO:
        return fp_zero(to, u.sign);
    case FP_KIND_FINITE:
        return round_pack(env, to, u.sign, u.exponent, (u128)u.mantissa << 64);
    case FP_KIND_INFINITY:
        if (to == FP_HALF && (env->control & FP_ALTERNATIVE_HALF)) {
            env->flags |= FP_INVALID;
            return fp_zero(to, u.sign) | 0x7fff;
        }
        return fp_infinity(to, u.sign);
    default:
        return convert_nan(env, to, from, u.kind, u.sign, a);
    }
}

uint64_t fp_to_fixed(struct fp_env *env, enum fp_format format, uint64_t a, unsigned bits,
                     unsigned fraction_bits, bool is_unsigned, enum fp_rounding rounding)
{
    struct fp_unpacked u = fp_unpack(env, format, a);
    uint64_t all = ~UINT64_C(0) >> (64 - bits);
    /* The greatest magnitude representable with this sign. */
    uint64_t limit = is_unsigned ? (u.sign ? 0 : all) : (all >> 1) + u.sign;
    if (fp_is_nan(&u)) {
        env->flags |= FP_INVALID;
        return env->control & FP_LEGACY_NAN ? all >> 1 : 0;
    }
    if (u.kind == FP_KIND_ZERO)
        return 0;
    int exponent = u.exponent + (int)fraction_bits;
    u128 magnitude = (u128)1 << 64, lost = 0;
    if (u.kind == FP_KIND_FINITE && exponent < 63 && rounding == FP_ZERO) {
        uint64_t integer = exponent < 0 ? 0 : u.mantissa >> (63 - exponent);
        magnitude = integer;
        lost = exponent < 0 || integer << (63 - exponent) != u.mantissa;
    } else if (u.kind == FP_KIND_FINITE && exponent < 64) {
        magnitude = shift_out((u128)u.mantissa << 64, (unsigned)(127 - exponent), &lost);
        magnitude += rounds_up(rounding, u.sign, magnitude & 1, lost);
    }
    if (magnitude > limit) {
        env->flags |= FP_INVALID;
        if (env->control & FP_LEGACY_NAN)
            return all >> 1;
        magnitude = limit;
    } else if (lost) {
        env->flags |= FP_INEXACT;
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
        return fp_zero(format, false);
    /* Neither overflow nor underflow is possible. */
    const struct format *f = &formats[format];
    int leading = __builtin_clzll(magnitude), biased = 63 - leading - (int)fraction_bits + f->bias;
    unsigned shift = 63 - f->fraction_bits;
    magnitude <<= leading;
    uint64_t result = magnitude >> shift, lost = magnitude << (64 - shift);
    bool up = rounds_up(rounding, sign, result & 1, (u128)lost << 64);
    if (lost)
        env->flags |= FP_INEXACT;
    return fp_zero(format, sign) | (((uint64_t)(biased - 1) << f->fraction_bits) + result + up);
}
