/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARM's floating point (frontend/arm/fp_rules.c) against the host's: results and flags of SSE in
 * each rounding mode. Where the two architectures differ by rule (which NaN, tininess before or
 * after rounding, flush-to-zero's flags) cases worked out from the ARM ARM stand instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <cpuid.h>
#include <immintrin.h>

#include "frontend/arm/fp.h"

enum { CASES = 60000 };

enum operation { ADD, SUB, MUL, DIV, SQRT, FMA, COMPARE, COMPARE_E, N_OPERATIONS };

static const char *const operation_names[] = {"add",  "sub", "mul",     "div",
                                              "sqrt", "fma", "compare", "compare_e"};

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Random bits, or one of the places where floating point is interesting. */
static uint64_t random_operand(uint64_t *seed, enum fp_format format)
{
    static const unsigned fraction_bits[] = {10, 23, 52}, exponent_bits[] = {5, 8, 11};
    unsigned f = fraction_bits[format], e = exponent_bits[format];
    uint64_t r = next_random(seed), sign = r & 1, fraction = next_random(seed) >> (64 - f);
    uint64_t exponent_max = (UINT64_C(1) << e) - 1, bias = exponent_max >> 1;
    uint64_t exponent = r >> 32 & exponent_max;
    switch (r >> 1 & 15) {
    case 0:
        exponent = 0;
        fraction = r >> 40 & 1;
        break;
    case 1:
        exponent = 0;
        break;
    case 2:
        exponent = exponent_max;
        fraction = r >> 40 & 1 ? fraction : 0;
        break;
    case 3:
        exponent = 1 + (r >> 40 & 3);
        break;
    case 4:
        exponent = exponent_max - 1 - (r >> 40 & 3);
        break;
    case 5:
    case 6:
    case 7:
        exponent = bias + (r >> 40 & 7) - 3;
        break;
    case 8:
        exponent = bias + (r >> 40 & 63) - 31;
        fraction = r >> 50 & 1 ? 0 : (UINT64_C(1) << f) - 1;
        exponent &= exponent_max;
        break;
    case 9: /* half-way into the denormals of a product */
        exponent = bias / 2 + (r >> 40 & 15) - 7;
        break;
    case 10:
        fraction &= ~UINT64_C(0) << (f - 4);
        break;
    default:
        break;
    }
    return (sign << e | exponent) << f | fraction;
}

static bool is_nan(enum fp_format format, uint64_t bits)
{
    static const uint64_t infinities[] = {0x7c00, 0x7f800000, UINT64_C(0x7ff0000000000000)};
    return (bits & (infinities[format] | (infinities[format] - 1))) > infinities[format];
}

static bool is_smallest_normal(enum fp_format format, uint64_t bits)
{
    static const uint64_t smallest[] = {0x400, 0x800000, UINT64_C(0x0010000000000000)};
    static const uint64_t signs[] = {0x8000, 0x80000000, UINT64_C(0x8000000000000000)};
    return (bits & ~signs[format]) == smallest[format];
}

/* ---- the host as oracle ---------------------------------------------------------------------- */

static unsigned host_control(unsigned rounding, bool flush)
{
    static const unsigned modes[] = {0, 2, 1, 3};
    return 0x1f80 | modes[rounding] << 13 | (flush ? 0x8040 : 0);
}

static uint32_t host_flags(void)
{
    unsigned s = _mm_getcsr();
    return (s & 1 ? FPSCR_IOC : 0) | (s & 4 ? FPSCR_DZC : 0) | (s & 8 ? FPSCR_OFC : 0) |
           (s & 16 ? FPSCR_UFC : 0) | (s & 32 ? FPSCR_IXC : 0);
}

static __m128d as_double(uint64_t bits)
{
    return _mm_castsi128_pd(_mm_cvtsi64_si128((long long)bits));
}

static __m128 as_single(uint64_t bits)
{
    return _mm_castsi128_ps(_mm_cvtsi32_si128((int)bits));
}

#define ASM2(insn, x, y) __asm__ volatile(insn " %1, %0" : "+x"(x) : "x"(y))
#define ASM3(insn, x, y, z) __asm__ volatile(insn " %2, %1, %0" : "+x"(x) : "x"(y), "x"(z))

static uint64_t compare_result(uint64_t eflags)
{
    if (eflags & 4)
        return IR_FCMP_UN;
    return eflags & 0x40 ? IR_FCMP_EQ : eflags & 1 ? IR_FCMP_LT : IR_FCMP_GT;
}

#define ASM_COMPARE(insn, x, y, eflags)                                                            \
    __asm__ volatile(insn " %2, %1\n\tpushfq\n\tpopq %0" : "=r"(eflags) : "x"(x), "x"(y) : "cc")

#define DEFINE_HOST(name, vector, as, suffix, result)                                              \
    static uint64_t name(enum operation operation, uint64_t a, uint64_t b, uint64_t c)             \
    {                                                                                              \
        vector x = as(a), y = as(b), z = as(c);                                                    \
        uint64_t eflags = 0;                                                                       \
        switch (operation) {                                                                       \
        case ADD:                                                                                  \
            ASM2("add" suffix, x, y);                                                              \
            break;                                                                                 \
        case SUB:                                                                                  \
            ASM2("sub" suffix, x, y);                                                              \
            break;                                                                                 \
        case MUL:                                                                                  \
            ASM2("mul" suffix, x, y);                                                              \
            break;                                                                                 \
        case DIV:                                                                                  \
            ASM2("div" suffix, x, y);                                                              \
            break;                                                                                 \
        case SQRT:                                                                                 \
            ASM2("sqrt" suffix, x, x);                                                             \
            break;                                                                                 \
        case FMA:                                                                                  \
            ASM3("vfmadd213" suffix, x, y, z);                                                     \
            break;                                                                                 \
        case COMPARE:                                                                              \
            ASM_COMPARE("ucomi" suffix, x, y, eflags);                                             \
            return compare_result(eflags);                                                         \
        default:                                                                                   \
            ASM_COMPARE("comi" suffix, x, y, eflags);                                              \
            return compare_result(eflags);                                                         \
        }                                                                                          \
        return result;                                                                             \
    }
DEFINE_HOST(host_single, __m128, as_single, "ss", (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(x)))
DEFINE_HOST(host_double, __m128d, as_double, "sd", (uint64_t)_mm_cvtsi128_si64(_mm_castpd_si128(x)))

static uint64_t ours(struct fp_env *env, enum operation operation, enum fp_format format,
                     uint64_t a, uint64_t b, uint64_t c)
{
    switch (operation) {
    case ADD:
        return fp_add(env, format, a, b);
    case SUB:
        return fp_sub(env, format, a, b);
    case MUL:
        return fp_mul(env, format, a, b);
    case DIV:
        return fp_div(env, format, a, b);
    case SQRT:
        return fp_sqrt(env, format, a);
    case FMA:
        return fp_mul_add(env, format, c, a, b);
    default:
        return fp_compare(env, format, a, b, operation == COMPARE_E);
    }
}

static void check_operation(enum operation operation, enum fp_format format, unsigned rounding,
                            bool flush)
{
    uint64_t seed = operation * 100 + format * 10 + rounding;
    if (operation == FMA && !__builtin_cpu_supports("fma"))
        return;
    for (unsigned i = 0; i < CASES; i++) {
        uint64_t a = random_operand(&seed, format), b = random_operand(&seed, format),
                 c = random_operand(&seed, format);
        struct fp_env env = {.control = rounding << 22 | (flush ? FPSCR_FZ : 0)};
        uint64_t mine = ours(&env, operation, format, a, b, c);
        unsigned saved = _mm_getcsr();
        _mm_setcsr(host_control(rounding, flush));
        uint64_t host = (format == FP_SINGLE ? host_single : host_double)(operation, a, b, c);
        uint32_t flags = host_flags();
        _mm_setcsr(saved);

        bool compares = operation >= COMPARE;
        bool ok = mine == host || (!compares && is_nan(format, mine) && is_nan(format, host));
        /* Tiny before rounding, but not after it. */
        if (!compares && (is_smallest_normal(format, mine) || is_smallest_normal(format, host))) {
            flags = (flags & ~(uint32_t)FPSCR_UFC) | (env.flags & FPSCR_UFC);
            ok |= flush;
        }
        if (flush)
            flags = env.flags;
        /* infinity * 0 + QNaN is Invalid for ARM and at the host's choice for others. */
        if (operation == FMA && is_nan(format, mine))
            flags = (flags & ~(uint32_t)FPSCR_IOC) | (env.flags & FPSCR_IOC);
        if (!ok || flags != env.flags)
            fail_msg("%s format %d rounding %u flush %d: %#lx %#lx %#lx: result %#lx flags %#x, "
                     "host %#lx flags %#x",
                     operation_names[operation], format, rounding, flush, a, b, c, mine, env.flags,
                     host, flags);
    }
}

static void test_arithmetic(void **state)
{
    for (enum operation operation = ADD; operation < N_OPERATIONS; operation++)
        for (enum fp_format format = FP_SINGLE; format <= FP_DOUBLE; format++)
            for (unsigned rounding = 0; rounding < 4; rounding++) {
                check_operation(operation, format, rounding, false);
                check_operation(operation, format, rounding, true);
            }
}

static uint64_t host_convert(unsigned which, uint64_t a)
{
    __m128 s = as_single(a), result_s = s;
    __m128d d = as_double(a), result_d = d;
    uint64_t integer = 0;
    switch (which) {
    case 0:
        __asm__ volatile("cvtss2sd %1, %0" : "+x"(result_d) : "x"(s));
        return (uint64_t)_mm_cvtsi128_si64(_mm_castpd_si128(result_d));
    case 1:
        __asm__ volatile("cvtsd2ss %1, %0" : "+x"(result_s) : "x"(d));
        return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(result_s));
    case 2:
        __asm__ volatile("cvtss2si %1, %k0" : "=r"(integer) : "x"(s));
        return integer;
    case 3:
        __asm__ volatile("cvttsd2si %1, %k0" : "=r"(integer) : "x"(d));
        return integer;
    case 4:
        __asm__ volatile("cvtsd2si %1, %0" : "=r"(integer) : "x"(d));
        return integer;
    case 5:
        __asm__ volatile("cvtsi2ss %q1, %0" : "+x"(result_s) : "r"(a));
        return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(result_s));
    case 6:
        __asm__ volatile("cvtsi2sd %q1, %0" : "+x"(result_d) : "r"(a));
        return (uint64_t)_mm_cvtsi128_si64(_mm_castpd_si128(result_d));
    default:
        __asm__ volatile("cvtsi2ss %k1, %0" : "+x"(result_s) : "r"(a));
        return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(result_s));
    }
}

static uint64_t our_convert(struct fp_env *env, unsigned which, uint64_t a)
{
    enum fp_rounding mode = (enum fp_rounding)fp_rounding_of(env->control);
    switch (which) {
    case 0:
        return fp_convert(env, FP_DOUBLE, FP_SINGLE, a);
    case 1:
        return fp_convert(env, FP_SINGLE, FP_DOUBLE, a);
    case 2:
        return fp_to_fixed(env, FP_SINGLE, a, 32, 0, false, mode);
    case 3:
        return fp_to_fixed(env, FP_DOUBLE, a, 32, 0, false, FP_ZERO);
    case 4:
        return fp_to_fixed(env, FP_DOUBLE, a, 64, 0, false, mode);
    case 5:
        return fp_from_fixed(env, FP_SINGLE, a, 64, 0, false, mode);
    case 6:
        return fp_from_fixed(env, FP_DOUBLE, a, 64, 0, false, mode);
    default:
        return fp_from_fixed(env, FP_SINGLE, a, 32, 0, false, mode);
    }
}

static void test_conversions(void **state)
{
    for (unsigned which = 0; which < 8; which++) {
        bool to_integer = which >= 2 && which <= 4;
        enum fp_format from = which == 0 || which == 2 ? FP_SINGLE : FP_DOUBLE;
        enum fp_format to = which == 0 || which == 6 ? FP_DOUBLE : FP_SINGLE;
        for (unsigned rounding = 0; rounding < 4; rounding++) {
            uint64_t seed = which * 10 + rounding;
            for (unsigned i = 0; i < CASES; i++) {
                uint64_t a =
                    which < 5
                        ? random_operand(&seed, from)
                        : (uint64_t)((int64_t)next_random(&seed) >> (next_random(&seed) & 63));
                struct fp_env env = {.control = rounding << 22};
                uint64_t mine = our_convert(&env, which, a);
                unsigned saved = _mm_getcsr();
                _mm_setcsr(host_control(rounding, false));
                uint64_t host = host_convert(which, a);
                uint32_t flags = host_flags();
                _mm_setcsr(saved);
                /* The host's "integer indefinite": ours saturates instead. */
                bool ok = to_integer ? mine == host || (flags & FPSCR_IOC)
                                     : mine == host || (is_nan(to, mine) && is_nan(to, host));
                if (!to_integer && is_smallest_normal(to, mine))
                    flags = (flags & ~(uint32_t)FPSCR_UFC) | (env.flags & FPSCR_UFC);
                if (!ok || flags != env.flags)
                    fail_msg("conversion %u rounding %u: %#lx: result %#lx flags %#x, host %#lx "
                             "flags %#x",
                             which, rounding, a, mine, env.flags, host, flags);
            }
        }
    }
}

/* Half precision by way of single, which holds all of it: exact results narrowed once. */
static void test_half(void **state)
{
    unsigned eax, ebx, ecx = 0, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_F16C))
        skip();
    for (uint32_t half = 0; half < 0x10000; half++) {
        struct fp_env env = {.control = 0};
        __m128 host;
        __asm__ volatile("vcvtph2ps %1, %0" : "=x"(host) : "x"(_mm_cvtsi32_si128((int)half)));
        assert_int_equal(fp_convert(&env, FP_SINGLE, FP_HALF, half),
                         (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(host)));
    }
    uint64_t seed = 1;
    for (unsigned i = 0; i < CASES; i++) {
        uint64_t a = random_operand(&seed, FP_SINGLE);
        if (i & 1) /* into half precision's range */
            a = (a & 0x807fffff) | (UINT64_C(127) - 27 + (next_random(&seed) % 48)) << 23;
        struct fp_env env = {.control = 0};
        __m128i host;
        unsigned saved = _mm_getcsr();
        _mm_setcsr(host_control(0, false));
        __asm__ volatile("vcvtps2ph $0, %1, %0" : "=x"(host) : "x"(as_single(a)));
        uint32_t flags = host_flags();
        _mm_setcsr(saved);
        uint64_t mine = fp_convert(&env, FP_HALF, FP_SINGLE, a);
        assert_int_equal(mine, (uint16_t)_mm_cvtsi128_si32(host));
        if (!is_smallest_normal(FP_HALF, mine))
            assert_int_equal(env.flags, flags);
    }
}

/* ---- what is ARM's own ------------------------------------------------------------------------
 */

struct arm_case {
    const char *name;
    uint64_t (*function)(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b);
    uint32_t control;
    enum fp_format format;
    uint64_t a, b, result;
    uint32_t flags;
};

static uint64_t do_mul_add_infinity_zero(struct fp_env *env, enum fp_format format, uint64_t a,
                                         uint64_t b)
{
    return fp_mul_add(env, format, a, 0x7f800000, b);
}

static uint64_t do_recip_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_recip_step(env, (uint32_t)a, (uint32_t)b);
}

static uint64_t do_rsqrt_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_rsqrt_step(env, (uint32_t)a, (uint32_t)b);
}

static uint64_t do_recip(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_recip_estimate(env, (uint32_t)a);
}

static uint64_t do_rsqrt(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_rsqrt_estimate(env, (uint32_t)a);
}

static uint64_t do_to_half(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_convert(env, FP_HALF, FP_SINGLE, a);
}

static uint64_t do_from_half(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_convert(env, FP_SINGLE, FP_HALF, a);
}

static uint64_t do_unsigned(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_to_fixed(env, format, a, 32, (unsigned)b, true, FP_ZERO);
}

static uint64_t do_signed16(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    return fp_to_fixed(env, format, a, 16, (unsigned)b, false, FP_ZERO);
}

enum { STANDARD = FPSCR_DN | FPSCR_FZ };

static const struct arm_case arm_cases[] = {
    {"signalling NaN first", fp_add, 0, FP_SINGLE, 0x7fc00001, 0xff800002, 0xffc00002, FPSCR_IOC},
    {"first quiet NaN", fp_mul, 0, FP_SINGLE, 0xffc00001, 0x7fc00002, 0xffc00001, 0},
    {"default NaN", fp_sub, FPSCR_DN, FP_SINGLE, 0xffc00001, 0x7f800002, 0x7fc00000, FPSCR_IOC},
    {"subtrahend NaN keeps its sign", fp_sub, 0, FP_SINGLE, 0, 0x7fc00005, 0x7fc00005, 0},
    {"infinity - infinity", fp_sub, 0, FP_SINGLE, 0x7f800000, 0x7f800000, 0x7fc00000, FPSCR_IOC},
    {"0 / 0", fp_div, 0, FP_DOUBLE, 0, 0, UINT64_C(0x7ff8000000000000), FPSCR_IOC},
    {"tiny before rounding", fp_mul, 0, FP_SINGLE, 0x3f7fffff, 0x00800000, 0x00800000,
     FPSCR_UFC | FPSCR_IXC},
    {"flushed result", fp_mul, FPSCR_FZ, FP_SINGLE, 0x3f7fffff, 0x00800000, 0, FPSCR_UFC},
    {"flushed negative result", fp_mul, FPSCR_FZ, FP_SINGLE, 0xbf000000, 0x00800000, 0x80000000,
     FPSCR_UFC},
    {"flushed operand", fp_add, FPSCR_FZ, FP_SINGLE, 0x807fffff, 0x80000000, 0x80000000, FPSCR_IDC},
    {"flushed divisor", fp_div, FPSCR_FZ, FP_SINGLE, 0x3f800000, 0x80000001, 0xff800000,
     FPSCR_IDC | FPSCR_DZC},
    {"x - x towards minus", fp_sub, FP_MINUS << 22, FP_SINGLE, 0x3f800000, 0x3f800000, 0x80000000,
     0},
    {"infinity * 0 + QNaN", do_mul_add_infinity_zero, 0, FP_SINGLE, 0x7fc00001, 0x80000000,
     0x7fc00000, FPSCR_IOC},
    {"infinity * 0 + SNaN", do_mul_add_infinity_zero, 0, FP_SINGLE, 0xff800001, 0x80000000,
     0xffc00001, FPSCR_IOC},
    {"2 - infinity * 0", do_recip_step, STANDARD, FP_SINGLE, 0x7f800000, 0x80000000, 0x40000000, 0},
    {"2 - a * b", do_recip_step, STANDARD, FP_SINGLE, 0x3f800000, 0x3f000000, 0x3fc00000, 0},
    {"(3 - infinity * 0) / 2", do_rsqrt_step, STANDARD, FP_SINGLE, 0, 0xff800000, 0x3fc00000, 0},
    {"(3 - a * b) / 2", do_rsqrt_step, STANDARD, FP_SINGLE, 0x3f800000, 0x40000000, 0x3f000000, 0},
    {"1/1", do_recip, STANDARD, FP_SINGLE, 0x3f800000, 0, 0x3f7f8000, 0},
    {"1/3", do_recip, STANDARD, FP_SINGLE, 0x40400000, 0, 0x3eaa8000, 0},
    {"1/0", do_recip, STANDARD, FP_SINGLE, 0x80000001, 0, 0xff800000, FPSCR_IDC | FPSCR_DZC},
    {"1/2^126", do_recip, STANDARD, FP_SINGLE, 0xfe800000, 0, 0x80000000, FPSCR_UFC},
    {"1/infinity", do_recip, STANDARD, FP_SINGLE, 0x7f800000, 0, 0, 0},
    {"1/sqrt(1)", do_rsqrt, STANDARD, FP_SINGLE, 0x3f800000, 0, 0x3f7f8000, 0},
    {"1/sqrt(4)", do_rsqrt, STANDARD, FP_SINGLE, 0x40800000, 0, 0x3eff8000, 0},
    {"1/sqrt(2)", do_rsqrt, STANDARD, FP_SINGLE, 0x40000000, 0, 0x3f348000, 0},
    {"1/sqrt(-1)", do_rsqrt, STANDARD, FP_SINGLE, 0xbf800000, 0, 0x7fc00000, FPSCR_IOC},
    {"1/sqrt(-0)", do_rsqrt, STANDARD, FP_SINGLE, 0x80000000, 0, 0xff800000, FPSCR_DZC},
    {"half overflows", do_to_half, 0, FP_HALF, 0x477ff000, 0, 0x7c00, FPSCR_OFC | FPSCR_IXC},
    {"alternative half holds it", do_to_half, FPSCR_AHP, FP_HALF, 0x477ff000, 0, 0x7c00, FPSCR_IXC},
    {"alternative half saturates", do_to_half, FPSCR_AHP, FP_HALF, 0xc8000000, 0, 0xffff,
     FPSCR_IOC},
    {"alternative half of infinity", do_to_half, FPSCR_AHP, FP_HALF, 0xff800000, 0, 0xffff,
     FPSCR_IOC},
    {"alternative half of a NaN", do_to_half, FPSCR_AHP, FP_HALF, 0xffc00000, 0, 0x8000, FPSCR_IOC},
    {"alternative half's greatest", do_from_half, FPSCR_AHP, FP_HALF, 0x7fff, 0, 0x47ffe000, 0},
    {"half denormal is not flushed", do_from_half, FPSCR_FZ, FP_HALF, 1, 0, 0x33800000, 0},
    {"half result is not flushed", do_to_half, FPSCR_FZ, FP_HALF, 0x33800000, 0, 1, 0},
    {"negative to unsigned", do_unsigned, 0, FP_SINGLE, 0xbf800000, 0, 0, FPSCR_IOC},
    {"-0.5 to unsigned", do_unsigned, 0, FP_SINGLE, 0xbf000000, 0, 0, FPSCR_IXC},
    {"2^32 to unsigned", do_unsigned, 0, FP_SINGLE, 0x4f800000, 0, 0xffffffff, FPSCR_IOC},
    {"fixed point", do_unsigned, 0, FP_SINGLE, 0x3fc00000, 8, 0x180, 0},
    {"NaN to integer", do_unsigned, 0, FP_SINGLE, 0x7fc00000, 0, 0, FPSCR_IOC},
    {"denormal to fixed", do_unsigned, FPSCR_FZ, FP_SINGLE, 1, 32, 0, FPSCR_IDC},
    {"-32769 to 16 bits", do_signed16, 0, FP_SINGLE, 0xc7000100, 0, 0x8000, FPSCR_IOC},
    {"-32768.5 to 16 bits", do_signed16, 0, FP_SINGLE, 0xc7000080, 0, 0x8000, FPSCR_IXC},
};

static void test_arm_cases(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(arm_cases); i++) {
        const struct arm_case *c = &arm_cases[i];
        struct fp_env env = {.control = c->control};
        uint64_t result = c->function(&env, c->format, c->a, c->b);
        if (result != c->result || env.flags != c->flags)
            fail_msg("%s: %#lx flags %#x, not %#lx flags %#x", c->name, result, env.flags,
                     c->result, c->flags);
    }
}

/* The manual's own definition, in doubles. */
static void test_integer_estimates(void **state)
{
    for (unsigned i = 256; i < 512; i++) {
        double r = 1.0 / (((double)i + 0.5) / 512.0);
        assert_int_equal(fp_unsigned_recip_estimate(i << 23), (unsigned)(256.0 * r + 0.5) << 23);
    }
    for (unsigned i = 128; i < 512; i++) {
        double x = i < 256 ? ((double)i + 0.5) / 512.0 : ((double)(i / 2) + 0.5) / 256.0;
        double r = 1.0 / _mm_cvtsd_f64(_mm_sqrt_sd(_mm_setzero_pd(), _mm_set_sd(x)));
        assert_int_equal(fp_unsigned_rsqrt_estimate(i << 23), (unsigned)(256.0 * r + 0.5) << 23);
    }
    assert_int_equal(fp_unsigned_recip_estimate(0x7fffffff), UINT32_MAX);
    assert_int_equal(fp_unsigned_rsqrt_estimate(0x3fffffff), UINT32_MAX);
}

static void test_rules(void **state)
{
    static struct arm_cpu cpu;
    uint64_t r = arm_fp_rules.scalar(&cpu, IR_FMUL, IR_F32, IR_FP_STANDARD | IR_FP_FLUSH,
                                     0x3f000000, 0x00800000, 0);
    assert_int_equal(r, 0);
    assert_int_equal(cpu.fpscr_sticky, FPSCR_UFC);
    r = arm_fp_rules.scalar(&cpu, IR_F2I, IR_I32 | IR_F64 << 8, IR_F2I_TRUNCATE,
                            UINT64_C(0xc1f0000000000000), 0, 0);
    assert_int_equal(r, 0x80000000);
    assert_int_equal(cpu.fpscr_sticky, FPSCR_UFC | FPSCR_IOC);
    uint32_t a[4] __attribute__((aligned(16))) = {0x3f800000, 0x40000000, 0x7f800000, 0};
    const uint32_t b[4] __attribute__((aligned(16))) = {0x3f800000, 0xc0000000, 0, 0x7f800001};
    arm_fp_rules.vector(&cpu, IR_VFMUL, IR_LANE32 | IR_FP_STANDARD << 4, a, a, b, NULL);
    const uint32_t expected[4] = {0x3f800000, 0xc0800000, 0x7fc00000, 0x7fc00000};
    assert_memory_equal(a, expected, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_conversions),
        cmocka_unit_test(test_half),
        cmocka_unit_test(test_arm_cases),
        cmocka_unit_test(test_integer_estimates),
        cmocka_unit_test(test_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
