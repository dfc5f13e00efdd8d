/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the DSP ASE's instructions compute: MD00374 and MD00375, chapter "The MIPS DSP ASE
 * Instruction Set". One function for each row of dsp.def, and those on 128-bit accumulators.
 */
#include "frontend/mips/dsp.h"

/* ---- DSPControl ------------------------------------------------------------------------------ */

static void overflow(struct mips_cpu *cpu, unsigned bit)
{
    cpu->dspcontrol |= UINT32_C(1) << bit;
}

static uint64_t ones(unsigned bits)
{
    return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

static int64_t sign_extend(uint64_t value, unsigned bits)
{
    return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

static int64_t greatest(unsigned bits)
{
    return (int64_t)(ones(bits) >> 1);
}

static bool fits(int64_t value, unsigned bits)
{
    return value == sign_extend((uint64_t)value, bits);
}

/* ---- lane by lane ---------------------------------------------------------------------------- */

/* Operands are zero-extended; of the result the low `bits` count. */
typedef uint64_t lane_function(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits);

static inline uint64_t lanes(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width,
                             unsigned bits, lane_function *function)
{
    uint64_t result = 0, mask = ones(bits);

    for (unsigned at = 0; at < width; at += bits)
        result |= (function(cpu, a >> at & mask, b >> at & mask, bits) & mask) << at;
    return result;
}

static uint64_t unsigned_add(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    if (a + b > ones(bits))
        overflow(cpu, DSP_OVERFLOW_ADD);
    return a + b;
}

static uint64_t unsigned_add_s(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    uint64_t sum = unsigned_add(cpu, a, b, bits);

    return sum > ones(bits) ? ones(bits) : sum;
}

static uint64_t unsigned_sub(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    if (a < b)
        overflow(cpu, DSP_OVERFLOW_ADD);
    return a - b;
}

static uint64_t unsigned_sub_s(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    uint64_t difference = unsigned_sub(cpu, a, b, bits);

    return a < b ? 0 : difference;
}

static uint64_t unsigned_add_half(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (a + b) >> 1;
}

static uint64_t unsigned_add_half_r(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (a + b + 1) >> 1;
}

static uint64_t unsigned_sub_half(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (a - b) >> 1;
}

static uint64_t unsigned_sub_half_r(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (a - b + 1) >> 1;
}

/* A sum or difference that needs one bit more than a lane has. */
static uint64_t signed_result(struct mips_cpu *cpu, int64_t value, unsigned bits, unsigned flag,
                              bool saturates)
{
    if (fits(value, bits))
        return (uint64_t)value;
    overflow(cpu, flag);
    if (saturates)
        return (uint64_t)(value < 0 ? ~greatest(bits) : greatest(bits));
    return (uint64_t)value;
}

static uint64_t signed_add(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) + sign_extend(b, bits), bits, DSP_OVERFLOW_ADD,
                         false);
}

static uint64_t signed_add_s(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) + sign_extend(b, bits), bits, DSP_OVERFLOW_ADD,
                         true);
}

static uint64_t signed_sub(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) - sign_extend(b, bits), bits, DSP_OVERFLOW_ADD,
                         false);
}

static uint64_t signed_sub_s(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) - sign_extend(b, bits), bits, DSP_OVERFLOW_ADD,
                         true);
}

static uint64_t signed_add_half(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (uint64_t)((sign_extend(a, bits) + sign_extend(b, bits)) >> 1);
}

static uint64_t signed_add_half_r(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (uint64_t)((sign_extend(a, bits) + sign_extend(b, bits) + 1) >> 1);
}

static uint64_t signed_sub_half(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (uint64_t)((sign_extend(a, bits) - sign_extend(b, bits)) >> 1);
}

static uint64_t signed_sub_half_r(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return (uint64_t)((sign_extend(a, bits) - sign_extend(b, bits) + 1) >> 1);
}

static uint64_t absolute(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    int64_t value = sign_extend(b, bits);

    return signed_result(cpu, value < 0 ? -value : value, bits, DSP_OVERFLOW_ADD, true);
}

/* Fractions Q15 and Q31: -1 times -1 is the only product that has none. */
static uint64_t fraction(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits,
                         int64_t rounding)
{
    int64_t left = sign_extend(a, bits), right = sign_extend(b, bits);

    if (left == ~greatest(bits) && right == left) {
        overflow(cpu, DSP_OVERFLOW_MULTIPLY);
        return (uint64_t)greatest(bits);
    }
    return (uint64_t)((left * right * 2 + rounding) >> bits);
}

static uint64_t fraction_product(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return fraction(cpu, a, b, bits, 0);
}

/* To round can not overflow: the greatest other product is below 1 by more than that. */
static uint64_t fraction_product_r(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return fraction(cpu, a, b, bits, INT64_C(1) << (bits - 1));
}

static uint64_t product(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) * sign_extend(b, bits), bits,
                         DSP_OVERFLOW_MULTIPLY, false);
}

static uint64_t product_s(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned bits)
{
    return signed_result(cpu, sign_extend(a, bits) * sign_extend(b, bits), bits,
                         DSP_OVERFLOW_MULTIPLY, true);
}

/* ---- lanes of one width by lanes of another -------------------------------------------------- */

static uint64_t sum_of_bytes(uint64_t a)
{
    uint64_t sum = 0;

    for (; a; a >>= 8)
        sum += a & 0xff;
    return sum;
}

/* The bytes of a from bit `from` on, times b's halfwords, saturated to halfwords. */
static uint64_t multiply_bytes(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width,
                               unsigned from)
{
    uint64_t result = 0;

    for (unsigned at = 0; at < width; at += 16) {
        uint64_t value = (a >> (from + at / 2) & 0xff) * (b >> at & 0xffff);
        if (value > 0xffff) {
            overflow(cpu, DSP_OVERFLOW_MULTIPLY);
            value = 0xffff;
        }
        result |= value << at;
    }
    return result;
}

/* Q15 by Q15 to Q31: from bit `from` on of both. */
static uint64_t multiply_halves(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width,
                                unsigned from)
{
    uint64_t result = 0;

    for (unsigned at = 0; at < width; at += 32) {
        int64_t value = (int64_t)(int16_t)(a >> (from + at / 2)) * (int16_t)(b >> (from + at / 2));
        result |= (signed_result(cpu, value * 2, 32, DSP_OVERFLOW_MULTIPLY, true) & ones(32)) << at;
    }
    return result;
}

/* Each lane of `bits` of a and b becomes one of half that width; a's are the upper ones. */
static inline uint64_t narrow(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width,
                              unsigned bits,
                              uint64_t (*function)(struct mips_cpu *, uint64_t, unsigned))
{
    uint64_t result = 0, mask = ones(bits / 2);

    for (unsigned at = 0; at < width; at += bits) {
        result |= (function(cpu, b >> at & ones(bits), bits) & mask) << at / 2;
        result |= (function(cpu, a >> at & ones(bits), bits) & mask) << (at / 2 + width / 2);
    }
    return result;
}

static uint64_t upper_half(struct mips_cpu *cpu, uint64_t value, unsigned bits)
{
    return value >> bits / 2;
}

static uint64_t lower_half(struct mips_cpu *cpu, uint64_t value, unsigned bits)
{
    return value;
}

static uint64_t upper_half_r(struct mips_cpu *cpu, uint64_t value, unsigned bits)
{
    int64_t rounded = sign_extend(value, bits) + (INT64_C(1) << (bits / 2 - 1));

    return signed_result(cpu, rounded, bits, DSP_OVERFLOW_SHIFT, true) >> bits / 2;
}

/* Q15 to an unsigned byte. */
static uint64_t fraction_to_byte(struct mips_cpu *cpu, uint64_t value, unsigned bits)
{
    if (value <= 0x7f80)
        return value >> 7;
    overflow(cpu, DSP_OVERFLOW_SHIFT);
    return value & 0x8000 ? 0 : 0xff;
}

/* Every `step`th lane of `bits`, the lowest first, `n` of them, to twice the width. */
static uint64_t widen(uint64_t value, unsigned bits, unsigned n, unsigned step)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < n; i++)
        result |= (value >> i * step * bits & ones(bits)) << i * 2 * bits;
    return result;
}

static uint64_t reverse_bits16(uint64_t value)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < 16; i++)
        result |= (value >> i & 1) << (15 - i);
    return result;
}

/* ---- shifts ---------------------------------------------------------------------------------- */

/* Of lanes by the low bits of `amount`. */
static inline uint64_t shifted(struct mips_cpu *cpu, uint64_t amount, uint64_t value,
                               unsigned width, unsigned bits, lane_function *function)
{
    uint64_t result = 0;

    for (unsigned at = 0; at < width; at += bits) {
        uint64_t lane = function(cpu, amount & (bits - 1), value >> at & ones(bits), bits);
        result |= (lane & ones(bits)) << at;
    }
    return result;
}

static uint64_t shift_left_unsigned(struct mips_cpu *cpu, uint64_t amount, uint64_t value,
                                    unsigned bits)
{
    if (value << amount > ones(bits))
        overflow(cpu, DSP_OVERFLOW_SHIFT);
    return value << amount;
}

static uint64_t shift_left(struct mips_cpu *cpu, uint64_t amount, uint64_t value, unsigned bits)
{
    int64_t wide = (int64_t)((uint64_t)sign_extend(value, bits) << amount);

    return signed_result(cpu, wide, bits, DSP_OVERFLOW_SHIFT, false);
}

static uint64_t shift_left_s(struct mips_cpu *cpu, uint64_t amount, uint64_t value, unsigned bits)
{
    int64_t wide = (int64_t)((uint64_t)sign_extend(value, bits) << amount);

    return signed_result(cpu, wide, bits, DSP_OVERFLOW_SHIFT, true);
}

static uint64_t shift_right_logical(struct mips_cpu *cpu, uint64_t amount, uint64_t value,
                                    unsigned bits)
{
    return value >> amount;
}

static uint64_t shift_right(struct mips_cpu *cpu, uint64_t amount, uint64_t value, unsigned bits)
{
    return (uint64_t)(sign_extend(value, bits) >> amount);
}

static uint64_t shift_right_r(struct mips_cpu *cpu, uint64_t amount, uint64_t value, unsigned bits)
{
    int64_t half = amount ? INT64_C(1) << (amount - 1) : 0;

    return (uint64_t)((sign_extend(value, bits) + half) >> amount);
}

/* PRECR_SRA: here rt's lanes are the upper ones. */
static inline uint64_t narrow_shifted(struct mips_cpu *cpu, uint64_t a, uint64_t b, uint64_t c,
                                      unsigned width, lane_function *function)
{
    return narrow(cpu, shifted(cpu, c, b, width, 32, function),
                  shifted(cpu, c, a, width, 32, function), width, 32, lower_half);
}

/* ---- comparisons ----------------------------------------------------------------------------- */

typedef bool relation(uint64_t a, uint64_t b, unsigned bits);

static bool eq_unsigned(uint64_t a, uint64_t b, unsigned bits)
{
    return a == b;
}

static bool lt_unsigned(uint64_t a, uint64_t b, unsigned bits)
{
    return a < b;
}

static bool le_unsigned(uint64_t a, uint64_t b, unsigned bits)
{
    return a <= b;
}

static bool eq_signed(uint64_t a, uint64_t b, unsigned bits)
{
    return a == b;
}

static bool lt_signed(uint64_t a, uint64_t b, unsigned bits)
{
    return sign_extend(a, bits) < sign_extend(b, bits);
}

static bool le_signed(uint64_t a, uint64_t b, unsigned bits)
{
    return sign_extend(a, bits) <= sign_extend(b, bits);
}

/* A bit for each lane. */
static inline uint64_t compare(uint64_t a, uint64_t b, unsigned width, unsigned bits,
                               relation *holds)
{
    uint64_t result = 0;

    for (unsigned i = 0; i * bits < width; i++)
        result |= (uint64_t)holds(a >> i * bits & ones(bits), b >> i * bits & ones(bits), bits)
                  << i;
    return result;
}

/* The same, and into DSPControl's condition codes; those of other lanes stay. */
static inline uint64_t compare_conditions(struct mips_cpu *cpu, uint64_t a, uint64_t b,
                                          unsigned width, unsigned bits, relation *holds)
{
    uint64_t result = compare(a, b, width, bits, holds);

    cpu->dspcontrol = deposit32(cpu->dspcontrol, DSP_CCOND, width / bits, (uint32_t)result);
    return result;
}

static uint64_t pick(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width, unsigned bits)
{
    uint64_t result = 0;

    for (unsigned i = 0; i * bits < width; i++)
        result |= (cpu->dspcontrol >> (DSP_CCOND + i) & 1 ? a : b) & ones(bits) << i * bits;
    return result;
}

/* ---- carries, bit fields --------------------------------------------------------------------- */

static uint32_t add_set_carry(struct mips_cpu *cpu, uint32_t a, uint32_t b)
{
    uint32_t sum = a + b;

    cpu->dspcontrol = deposit32(cpu->dspcontrol, DSP_CARRY, 1, sum < a);
    return sum;
}

static uint32_t add_with_carry(struct mips_cpu *cpu, uint32_t a, uint32_t b)
{
    int64_t carry = cpu->dspcontrol >> DSP_CARRY & 1;

    return (uint32_t)signed_result(cpu, (int64_t)(int32_t)a + (int32_t)b + carry, 32,
                                   DSP_OVERFLOW_ADD, false);
}

/* The low scount bits of a into b at pos; fields that do not fit are UNPREDICTABLE: b as it is. */
static uint64_t insert(struct mips_cpu *cpu, uint64_t a, uint64_t b, unsigned width)
{
    unsigned pos = cpu->dspcontrol & (width == 64 ? 0x7f : 0x3f);
    unsigned size = cpu->dspcontrol >> DSP_SCOUNT & 0x3f;

    if (!size || pos + size > width)
        return b;
    return (b & ~(ones(size) << pos)) | (a & ones(size)) << pos;
}

/* ---- accumulators of 64 bits ----------------------------------------------------------------- */

static int64_t hi(uint32_t value)
{
    return (int16_t)(value >> 16);
}

static int64_t lo(uint32_t value)
{
    return (int16_t)value;
}

static uint64_t byte_products(uint32_t a, uint32_t b)
{
    return (uint64_t)(a >> 8 & 0xff) * (b >> 8 & 0xff) + (uint64_t)(a & 0xff) * (b & 0xff);
}

static uint64_t fraction16(struct mips_cpu *cpu, unsigned n, int64_t a, int64_t b)
{
    return signed_result(cpu, a * b * 2, 32, DSP_OVERFLOW_ACCUMULATOR + n, true);
}

static uint64_t fraction32(struct mips_cpu *cpu, unsigned n, uint32_t a, uint32_t b)
{
    if (a == UINT32_C(1) << 31 && b == a) {
        overflow(cpu, DSP_OVERFLOW_ACCUMULATOR + n);
        return INT64_MAX;
    }
    return (uint64_t)((int64_t)(int32_t)a * (int32_t)b * 2);
}

static uint64_t add_saturated(struct mips_cpu *cpu, unsigned n, uint64_t a, uint64_t b)
{
    int64_t sum;

    if (!__builtin_add_overflow((int64_t)a, (int64_t)b, &sum))
        return (uint64_t)sum;
    overflow(cpu, DSP_OVERFLOW_ACCUMULATOR + n);
    return (uint64_t)(sum < 0 ? INT64_MAX : INT64_MIN);
}

static uint64_t sub_saturated(struct mips_cpu *cpu, unsigned n, uint64_t a, uint64_t b)
{
    int64_t difference;

    if (!__builtin_sub_overflow((int64_t)a, (int64_t)b, &difference))
        return (uint64_t)difference;
    overflow(cpu, DSP_OVERFLOW_ACCUMULATOR + n);
    return (uint64_t)(difference < 0 ? INT64_MAX : INT64_MIN);
}

static uint64_t saturate_word(struct mips_cpu *cpu, unsigned n, uint64_t value)
{
    return signed_result(cpu, (int64_t)value, 32, DSP_OVERFLOW_ACCUMULATOR + n, true);
}

/* MAQ_SA looks at bits 32 and 31 only. */
static uint64_t clamp_word(struct mips_cpu *cpu, unsigned n, uint64_t value)
{
    return (uint64_t)signed_result(cpu, sign_extend(value, 33), 32, DSP_OVERFLOW_ACCUMULATOR + n,
                                   true);
}

/* ---- out of accumulators --------------------------------------------------------------------- */

/* The manual shifts with one bit of fraction, adds 1 to that and looks for overflow before and
 * after, whatever the result is. */
static uint64_t extract_wide(struct mips_cpu *cpu, __int128 accumulator, unsigned amount,
                             unsigned bits, bool rounds, bool saturates)
{
    __int128 plain = accumulator >> amount;
    __int128 rounded = plain + (amount ? accumulator >> (amount - 1) & 1 : 0);
    __int128 least = -((__int128)1 << (bits - 1)), most = ((__int128)1 << (bits - 1)) - 1;
    __int128 result = rounds ? rounded : plain;

    if (plain < least || plain > most || rounded < least || rounded > most)
        overflow(cpu, DSP_OVERFLOW_EXTRACT);
    if (saturates)
        result = result < least ? least : result > most ? most : result;
    return (uint64_t)result;
}

static uint32_t extract_word(struct mips_cpu *cpu, uint64_t accumulator, uint32_t amount,
                             bool rounds, bool saturates)
{
    return (uint32_t)extract_wide(cpu, (int64_t)accumulator, amount & 31, 32, rounds, saturates);
}

static uint32_t extract_half(struct mips_cpu *cpu, uint64_t accumulator, uint32_t amount)
{
    return (uint32_t)signed_result(cpu, (int64_t)accumulator >> (amount & 31), 16,
                                   DSP_OVERFLOW_EXTRACT, true);
}

/* EXTP: size + 1 bits from pos down. Where there are not as many EFI is set, and the result is
 * UNPREDICTABLE: zero. */
static uint64_t extract_field(struct mips_cpu *cpu, unsigned __int128 accumulator, unsigned size,
                              unsigned pos_mask, bool moves)
{
    unsigned pos = cpu->dspcontrol & pos_mask;

    if (pos < size) {
        cpu->dspcontrol |= UINT32_C(1) << DSP_EFI;
        return 0;
    }
    cpu->dspcontrol &= ~(UINT32_C(1) << DSP_EFI);
    if (moves)
        cpu->dspcontrol = (cpu->dspcontrol & ~pos_mask) | ((pos - size - 1) & pos_mask);
    return (uint64_t)(accumulator >> (pos - size)) & ones(size + 1);
}

static uint32_t extract_bits(struct mips_cpu *cpu, uint64_t accumulator, uint32_t size, bool moves)
{
    return (uint32_t)extract_field(cpu, accumulator, size & 31, 0x3f, moves);
}

/* ---- the rows -------------------------------------------------------------------------------- */

#define ROW(name, shape, type, group, expression)                                                  \
    FUNCTION_##shape(name, DSP_TYPE_##type, expression)

#define FUNCTION2(name, type, expression)                                                          \
    type mips_dsp_##name(struct mips_cpu *cpu, type a, type b)                                     \
    {                                                                                              \
        return (type)(expression);                                                                 \
    }
#define FUNCTION_RRR(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_RR(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_CMP(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_SHIFT(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_RT(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_RS(name, type, expression) FUNCTION2(name, type, expression)
#define FUNCTION_RRS(name, type, expression)                                                       \
    type mips_dsp_##name(struct mips_cpu *cpu, type a, type b, uint32_t c)                         \
    {                                                                                              \
        return (type)(expression);                                                                 \
    }
#define ACC(name, group, expression)                                                               \
    uint64_t mips_dsp_##name(struct mips_cpu *cpu, uint64_t c, uint32_t a, uint32_t b, uint32_t n) \
    {                                                                                              \
        return expression;                                                                         \
    }
#define EXT(name, variable, expression)                                                            \
    uint32_t mips_dsp_##name(struct mips_cpu *cpu, uint64_t c, uint32_t a)                         \
    {                                                                                              \
        return expression;                                                                         \
    }
#include "frontend/mips/dsp.def"

/* SHILO: positive amounts shift right. */
uint64_t mips_dsp_SHILO(struct mips_cpu *cpu, uint64_t accumulator, uint32_t amount)
{
    int shift = (int)sign_extend(amount, 6);

    return shift >= 0 ? accumulator >> shift : accumulator << -shift;
}

/* ---- accumulators of 128 bits: MIPS64 -------------------------------------------------------- */

static unsigned __int128 wide_accumulator(const struct mips_cpu *cpu, unsigned n)
{
    return (unsigned __int128)cpu->hi[n] << 64 | cpu->lo[n];
}

static void set_wide_accumulator(struct mips_cpu *cpu, unsigned n, unsigned __int128 value)
{
    cpu->hi[n] = (uint64_t)(value >> 64);
    cpu->lo[n] = (uint64_t)value;
}

static int64_t half_of(uint64_t value, unsigned i)
{
    return (int16_t)(value >> 16 * i);
}

static uint64_t byte_products4(uint64_t a, uint64_t b)
{
    return byte_products((uint32_t)a, (uint32_t)b) +
           byte_products((uint32_t)(a >> 16), (uint32_t)(b >> 16));
}

static int64_t half_products(uint64_t a, uint64_t b)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < 4; i++)
        sum += half_of(a, i) * half_of(b, i);
    return sum;
}

static int64_t half_fractions(struct mips_cpu *cpu, unsigned n, uint64_t a, uint64_t b, bool minus)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < 4; i++) {
        int64_t part = (int64_t)fraction16(cpu, n, half_of(a, i), half_of(b, i));
        sum += minus && !(i & 1) ? -part : part;
    }
    return sum;
}

static __int128 word_fraction(struct mips_cpu *cpu, unsigned n, uint64_t a, uint64_t b)
{
    return (int64_t)fraction32(cpu, n, (uint32_t)a, (uint32_t)b);
}

static __int128 word_products(uint64_t a, uint64_t b)
{
    return (__int128)((int64_t)(int32_t)a * (int32_t)b) +
           (int64_t)(int32_t)(a >> 32) * (int32_t)(b >> 32);
}

static unsigned __int128 word_products_unsigned(uint64_t a, uint64_t b)
{
    return (unsigned __int128)((a & ones(32)) * (b & ones(32))) + (a >> 32) * (b >> 32);
}

static __int128 saturate_long(struct mips_cpu *cpu, unsigned n, __int128 value)
{
    if (value == (int64_t)value)
        return value;
    overflow(cpu, DSP_OVERFLOW_ACCUMULATOR + n);
    return value < 0 ? INT64_MIN : INT64_MAX;
}

static __int128 maq(struct mips_cpu *cpu, unsigned n, __int128 c, int64_t a, int64_t b, bool clamp)
{
    __int128 sum = c + (int64_t)fraction16(cpu, n, a, b);

    return clamp ? (__int128)(int64_t)clamp_word(cpu, n, (uint64_t)sum) : sum;
}

static uint64_t saturate_half(struct mips_cpu *cpu, __int128 value)
{
    if (value == (int16_t)value)
        return (uint64_t)value;
    overflow(cpu, DSP_OVERFLOW_EXTRACT);
    return (uint64_t)(int64_t)(value < 0 ? INT16_MIN : INT16_MAX);
}

#define WIDE(name, expression)                                                                     \
    void mips_dsp_##name(struct mips_cpu *cpu, uint64_t a, uint64_t b, uint32_t n)                 \
    {                                                                                              \
        __int128 c = (__int128)wide_accumulator(cpu, n);                                           \
        set_wide_accumulator(cpu, n, (unsigned __int128)(expression));                             \
    }
#define WIDE_EXT(name, variable, expression)                                                       \
    uint64_t mips_dsp_##name(struct mips_cpu *cpu, uint32_t a, uint32_t n)                         \
    {                                                                                              \
        __int128 c = (__int128)wide_accumulator(cpu, n);                                           \
        return (uint64_t)(expression);                                                             \
    }
#include "frontend/mips/dsp64.def"

void mips_dsp_DSHILO(struct mips_cpu *cpu, uint32_t amount, uint32_t n)
{
    unsigned __int128 c = wide_accumulator(cpu, n);
    int shift = (int)sign_extend(amount, 7);

    set_wide_accumulator(cpu, n, shift >= 0 ? c >> shift : c << (-shift & 63) << (-shift & 64));
}
