/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of VFN and VFP in C (tcg/vector_fn.def), after the SDM's volume 2. Integer rows are
 * plain C. Floating-point rows execute the host's own instruction, in its SSE form: rounding, DAZ,
 * FTZ, NaNs and flags are then the processor's.
 */
#include "backend/vector_fn.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tcg/vector_strings.h"
#include "util/bits.h"

typedef void eval_fn(struct vector_fn_call *k);

/* ---- the host's instructions ------------------------------------------------------------------*/

static __m128 load(const union ir_vector *v)
{
    return _mm_load_ps((const float *)(const void *)v);
}

static void store(struct vector_fn_call *k, __m128 value)
{
    _mm_store_ps((float *)(void *)&k->result, value);
}

/* One source. The compiler must neither drop nor commute what changes the control word. */
#define HOST1(name, text)                                                                          \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        __m128 a = load(k->a);                                                                     \
        __asm__ volatile(text " %0, %0" : "+x"(a));                                                \
        store(k, a);                                                                               \
    }
#define HOST2(name, text)                                                                          \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        __m128 a = load(k->a), b = load(k->b);                                                     \
        __asm__ volatile(text " %1, %0" : "+x"(a) : "x"(b));                                       \
        store(k, a);                                                                               \
    }
#define HOST_PACKED_AND_SCALAR(NAME, text)                                                         \
    HOST2(NAME##PS, text "ps")                                                                     \
    HOST2(NAME##PD, text "pd")                                                                     \
    HOST2(NAME##SS, text "ss")                                                                     \
    HOST2(NAME##SD, text "sd")

HOST_PACKED_AND_SCALAR(ADD, "add")
HOST_PACKED_AND_SCALAR(SUB, "sub")
HOST_PACKED_AND_SCALAR(MUL, "mul")
HOST_PACKED_AND_SCALAR(DIV, "div")
HOST_PACKED_AND_SCALAR(MIN, "min")
HOST_PACKED_AND_SCALAR(MAX, "max")
HOST1(SQRTPS, "sqrtps")
HOST1(SQRTPD, "sqrtpd")
HOST2(SQRTSS, "sqrtss")
HOST2(SQRTSD, "sqrtsd")
HOST1(RCPPS, "rcpps")
HOST2(RCPSS, "rcpss")
HOST1(RSQRTPS, "rsqrtps")
HOST2(RSQRTSS, "rsqrtss")
HOST2(HADDPS, "haddps")
HOST2(HADDPD, "haddpd")
HOST2(HSUBPS, "hsubps")
HOST2(HSUBPD, "hsubpd")
HOST2(ADDSUBPS, "addsubps")
HOST2(ADDSUBPD, "addsubpd")
HOST1(CVTDQ2PS, "cvtdq2ps")
HOST1(CVTPS2DQ, "cvtps2dq")
HOST1(CVTTPS2DQ, "cvttps2dq")
HOST1(CVTPD2DQ, "cvtpd2dq")
HOST1(CVTTPD2DQ, "cvttpd2dq")
HOST1(CVTPS2PD, "cvtps2pd")
HOST1(CVTPD2PS, "cvtpd2ps")
HOST1(CVTDQ2PD, "cvtdq2pd")
HOST2(CVTSS2SD, "cvtss2sd")
HOST2(CVTSD2SS, "cvtsd2ss")

#define HOST_FROM_GENERAL(name, text)                                                              \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        __m128 a = load(k->a);                                                                     \
        if (k->wide)                                                                               \
            __asm__ volatile(text "q %1, %0" : "+x"(a) : "r"(k->b->d[0]));                         \
        else                                                                                       \
            __asm__ volatile(text "l %1, %0" : "+x"(a) : "r"(k->b->w[0]));                         \
        store(k, a);                                                                               \
    }
HOST_FROM_GENERAL(CVTSI2SS, "cvtsi2ss")
HOST_FROM_GENERAL(CVTSI2SD, "cvtsi2sd")

#define HOST_TO_GENERAL(name, text)                                                                \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        uint64_t wide;                                                                             \
        uint32_t narrow;                                                                           \
        if (k->wide) {                                                                             \
            __asm__ volatile(text " %1, %0" : "=r"(wide) : "x"(load(k->a)));                       \
            k->result.d[0] = wide;                                                                 \
        } else {                                                                                   \
            __asm__ volatile(text " %1, %0" : "=r"(narrow) : "x"(load(k->a)));                     \
            k->result.d[0] = narrow;                                                               \
        }                                                                                          \
    }
HOST_TO_GENERAL(CVTSS2SI, "cvtss2si")
HOST_TO_GENERAL(CVTSD2SI, "cvtsd2si")
HOST_TO_GENERAL(CVTTSS2SI, "cvttss2si")
HOST_TO_GENERAL(CVTTSD2SI, "cvttsd2si")

static uint16_t compare_flags(bool zero, bool parity, bool carry)
{
    return (uint16_t)((zero ? IR_FLAG_Z : 0) | (parity ? IR_FLAG_P : 0) | (carry ? IR_FLAG_C : 0));
}

#define HOST_COMPARE(name, text)                                                                   \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        bool zero, parity, carry;                                                                  \
        __asm__ volatile(text " %4, %3"                                                            \
                         : "=@ccz"(zero), "=@ccp"(parity), "=@ccc"(carry)                          \
                         : "x"(load(k->a)), "x"(load(k->b)));                                      \
        k->flags = compare_flags(zero, parity, carry);                                             \
    }
HOST_COMPARE(UCOMISS, "ucomiss")
HOST_COMPARE(UCOMISD, "ucomisd")
HOST_COMPARE(COMISS, "comiss")
HOST_COMPARE(COMISD, "comisd")

/* With an immediate: the instruction for each value that means something. */
#define CASE2(text, n)                                                                             \
    case n:                                                                                        \
        __asm__ volatile(text " $" #n ", %1, %0" : "+x"(a) : "x"(b));                              \
        break;
#define CASES16(text)                                                                              \
    CASE2(text, 0)                                                                                 \
    CASE2(text, 1)                                                                                 \
    CASE2(text, 2)                                                                                 \
    CASE2(text, 3)                                                                                 \
    CASE2(text, 4)                                                                                 \
    CASE2(text, 5)                                                                                 \
    CASE2(text, 6)                                                                                 \
    CASE2(text, 7)                                                                                 \
    CASE2(text, 8)                                                                                 \
    CASE2(text, 9)                                                                                 \
    CASE2(text, 10)                                                                                \
    CASE2(text, 11)                                                                                \
    CASE2(text, 12)                                                                                \
    CASE2(text, 13)                                                                                \
    CASE2(text, 14)                                                                                \
    CASE2(text, 15)
#define HOST_ROUND(name, text, second)                                                             \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        __m128 a = load(k->a), b = load(k->second);                                                \
        switch (k->immediate & 15) {                                                               \
            CASES16(text)                                                                          \
        }                                                                                          \
        store(k, a);                                                                               \
    }
HOST_ROUND(ROUNDPS, "roundps", a)
HOST_ROUND(ROUNDPD, "roundpd", a)
HOST_ROUND(ROUNDSS, "roundss", b)
HOST_ROUND(ROUNDSD, "roundsd", b)

/* The dot products are the sums of SDM vol. 2, DPPS: operand lanes that the mask leaves out count
 * as zero products, the additions are pairwise. */
static __m128 add_ps(__m128 a, __m128 b)
{
    __asm__ volatile("addps %1, %0" : "+x"(a) : "x"(b));
    return a;
}

static void eval_DPPS(struct vector_fn_call *k)
{
    union ir_vector mask = {.d = {0, 0}}, keep = mask, products, sums[2];
    for (unsigned i = 0; i < 4; i++) {
        mask.w[i] = k->immediate >> (4 + i) & 1 ? UINT32_MAX : 0;
        keep.w[i] = k->immediate >> i & 1 ? UINT32_MAX : 0;
    }
    __m128 a = _mm_and_ps(load(k->a), load(&mask)), b = _mm_and_ps(load(k->b), load(&mask));
    __asm__ volatile("mulps %1, %0" : "+x"(a) : "x"(b));
    _mm_store_ps((float *)(void *)&products, a);
    for (unsigned i = 0; i < 2; i++) {
        union ir_vector x = {.d = {0, 0}}, y = {.d = {0, 0}};
        x.w[0] = products.w[2 * i];
        y.w[0] = products.w[2 * i + 1];
        _mm_store_ps((float *)(void *)&sums[i], add_ps(load(&x), load(&y)));
    }
    union ir_vector sum;
    _mm_store_ps((float *)(void *)&sum, add_ps(load(&sums[0]), load(&sums[1])));
    for (unsigned i = 0; i < 4; i++)
        k->result.w[i] = sum.w[0] & keep.w[i];
}

static void eval_DPPD(struct vector_fn_call *k)
{
    union ir_vector mask, keep, products;
    for (unsigned i = 0; i < 2; i++) {
        mask.d[i] = k->immediate >> (4 + i) & 1 ? UINT64_MAX : 0;
        keep.d[i] = k->immediate >> i & 1 ? UINT64_MAX : 0;
    }
    __m128 a = _mm_and_ps(load(k->a), load(&mask)), b = _mm_and_ps(load(k->b), load(&mask));
    __asm__ volatile("mulpd %1, %0" : "+x"(a) : "x"(b));
    _mm_store_ps((float *)(void *)&products, a);
    union ir_vector low = {.d = {products.d[0], 0}}, high = {.d = {products.d[1], 0}}, sum;
    a = load(&low);
    b = load(&high);
    __asm__ volatile("addpd %1, %0" : "+x"(a) : "x"(b));
    _mm_store_ps((float *)(void *)&sum, a);
    for (unsigned i = 0; i < 2; i++)
        k->result.d[i] = sum.d[0] & keep.d[i];
}

/* ---- comparisons ----------------------------------------------------------------------------- */

/* The predicates of VCMPPS (SDM vol. 2, CMPPD, table 3-1): which of less, equal, greater, unordered
 * hold; bit 4 of the immediate swaps quiet and signalling. */
enum { IS_LT = 1, IS_EQ = 2, IS_GT = 4, IS_UN = 8 };
static const struct {
    uint8_t holds;
    bool signals;
} predicates[16] = {
    {IS_EQ, false},
    {IS_LT, true},
    {IS_LT | IS_EQ, true},
    {IS_UN, false},
    {IS_LT | IS_GT | IS_UN, false},
    {IS_EQ | IS_GT | IS_UN, true},
    {IS_GT | IS_UN, true},
    {IS_LT | IS_EQ | IS_GT, false},
    {IS_EQ | IS_UN, false},
    {IS_LT | IS_UN, true},
    {IS_LT | IS_EQ | IS_UN, true},
    {0, false},
    {IS_LT | IS_GT, false},
    {IS_EQ | IS_GT, true},
    {IS_GT, true},
    {IS_LT | IS_EQ | IS_GT | IS_UN, false},
};

static bool predicate_holds(struct vector_fn_call *k, eval_fn *quiet, eval_fn *signalling,
                            uint64_t a, uint64_t b)
{
    union ir_vector x = {.d = {a, 0}}, y = {.d = {b, 0}};
    struct vector_fn_call compare = {.a = &x, .b = &y};
    unsigned row = k->immediate & 15;
    (predicates[row].signals != (k->immediate >> 4 & 1) ? signalling : quiet)(&compare);
    unsigned relation = compare.flags & IR_FLAG_P   ? IS_UN
                        : compare.flags & IR_FLAG_Z ? IS_EQ
                        : compare.flags & IR_FLAG_C ? IS_LT
                                                    : IS_GT;
    return predicates[row].holds & relation;
}

static void compare_lanes(struct vector_fn_call *k, bool wide, unsigned n)
{
    k->result = *k->a;
    for (unsigned i = 0; i < n; i++) {
        if (wide)
            k->result.d[i] = predicate_holds(k, eval_UCOMISD, eval_COMISD, k->a->d[i], k->b->d[i])
                                 ? UINT64_MAX
                                 : 0;
        else
            k->result.w[i] = predicate_holds(k, eval_UCOMISS, eval_COMISS, k->a->w[i], k->b->w[i])
                                 ? UINT32_MAX
                                 : 0;
    }
}

static void eval_CMPPS(struct vector_fn_call *k)
{
    compare_lanes(k, false, 4);
}
static void eval_CMPPD(struct vector_fn_call *k)
{
    compare_lanes(k, true, 2);
}
static void eval_CMPSS(struct vector_fn_call *k)
{
    compare_lanes(k, false, 1);
}
static void eval_CMPSD(struct vector_fn_call *k)
{
    compare_lanes(k, true, 1);
}

/* ---- integers, lane by lane ------------------------------------------------------------------ */

#define LANES(name, member, n, expression)                                                         \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        for (unsigned i = 0; i < (n); i++)                                                         \
            k->result.member[i] = (__typeof__(k->result.member[0]))(expression);                   \
    }

static int64_t sign8(unsigned v)
{
    return (int8_t)v;
}
static int64_t sign16(unsigned v)
{
    return (int16_t)v;
}
static int64_t sign32(uint32_t v)
{
    return (int32_t)v;
}
static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* Lane i of the pair: the lower half of the lanes from a, the others from b. */
#define PAIR(member, half, index)                                                                  \
    (i < (half) ? k->a->member[(index)] : k->b->member[(index)-2 * (half)])
#define EITHER(member, n) (i < (n) ? k->a->member[i] : k->b->member[i - (n)])

LANES(PACKSSWB, b, 16, clamp(sign16(EITHER(h, 8)), -128, 127))
LANES(PACKUSWB, b, 16, clamp(sign16(EITHER(h, 8)), 0, 255))
LANES(PACKSSDW, h, 8, clamp(sign32(EITHER(w, 4)), -32768, 32767))
LANES(PACKUSDW, h, 8, clamp(sign32(EITHER(w, 4)), 0, 65535))

#define COUNT(limit) (k->b->d[0] < (limit) ? (unsigned)k->b->d[0] : (limit))
LANES(PSRLW, h, 8, COUNT(16u) < 16 ? k->a->h[i] >> COUNT(16u) : 0)
LANES(PSRLD, w, 4, COUNT(32u) < 32 ? k->a->w[i] >> COUNT(32u) : 0)
LANES(PSRLQ, d, 2, COUNT(64u) < 64 ? k->a->d[i] >> COUNT(64u) : 0)
LANES(PSLLW, h, 8, COUNT(16u) < 16 ? k->a->h[i] << COUNT(16u) : 0)
LANES(PSLLD, w, 4, COUNT(32u) < 32 ? k->a->w[i] << COUNT(32u) : 0)
LANES(PSLLQ, d, 2, COUNT(64u) < 64 ? k->a->d[i] << COUNT(64u) : 0)
LANES(PSRAW, h, 8, sign16(k->a->h[i]) >> COUNT(15u))
LANES(PSRAD, w, 4, sign32(k->a->w[i]) >> COUNT(31u))
LANES(VPSRLVD, w, 4, k->b->w[i] < 32 ? k->a->w[i] >> k->b->w[i] : 0)
LANES(VPSRLVQ, d, 2, k->b->d[i] < 64 ? k->a->d[i] >> k->b->d[i] : 0)
LANES(VPSLLVD, w, 4, k->b->w[i] < 32 ? k->a->w[i] << k->b->w[i] : 0)
LANES(VPSLLVQ, d, 2, k->b->d[i] < 64 ? k->a->d[i] << k->b->d[i] : 0)
LANES(VPSRAVD, w, 4, sign32(k->a->w[i]) >> MIN(k->b->w[i], 31u))

LANES(PMULHUW, h, 8, (uint32_t)k->a->h[i] * k->b->h[i] >> 16)
LANES(PMULHW, h, 8, sign16(k->a->h[i]) * sign16(k->b->h[i]) >> 16)
LANES(PMULUDQ, d, 2, (uint64_t)k->a->w[2 * i] * k->b->w[2 * i])
LANES(PMULDQ, d, 2, sign32(k->a->w[2 * i]) * sign32(k->b->w[2 * i]))
LANES(PMADDWD, w, 4,
      sign16(k->a->h[2 * i]) * sign16(k->b->h[2 * i]) +
          sign16(k->a->h[2 * i + 1]) * sign16(k->b->h[2 * i + 1]))
LANES(PMADDUBSW, h, 8,
      clamp(k->a->b[2 * i] * sign8(k->b->b[2 * i]) + k->a->b[2 * i + 1] * sign8(k->b->b[2 * i + 1]),
            -32768, 32767))
LANES(PMULHRSW, h, 8, ((sign16(k->a->h[i]) * sign16(k->b->h[i]) >> 14) + 1) >> 1)

LANES(PHADDW, h, 8, PAIR(h, 4, 2 * i) + PAIR(h, 4, 2 * i + 1))
LANES(PHADDD, w, 4, PAIR(w, 2, 2 * i) + PAIR(w, 2, 2 * i + 1))
LANES(PHADDSW, h, 8,
      clamp(sign16(PAIR(h, 4, 2 * i)) + sign16(PAIR(h, 4, 2 * i + 1)), -32768, 32767))
LANES(PHSUBW, h, 8, PAIR(h, 4, 2 * i) - PAIR(h, 4, 2 * i + 1))
LANES(PHSUBD, w, 4, PAIR(w, 2, 2 * i) - PAIR(w, 2, 2 * i + 1))
LANES(PHSUBSW, h, 8,
      clamp(sign16(PAIR(h, 4, 2 * i)) - sign16(PAIR(h, 4, 2 * i + 1)), -32768, 32767))

static int64_t apply_sign(int64_t v, int64_t sign)
{
    return sign < 0 ? -v : sign ? v : 0;
}
LANES(PSIGNB, b, 16, apply_sign(sign8(k->a->b[i]), sign8(k->b->b[i])))
LANES(PSIGNW, h, 8, apply_sign(sign16(k->a->h[i]), sign16(k->b->h[i])))
LANES(PSIGND, w, 4, apply_sign(sign32(k->a->w[i]), sign32(k->b->w[i])))

LANES(PMOVSXBD, w, 4, sign8(k->a->b[i]))
LANES(PMOVSXBQ, d, 2, sign8(k->a->b[i]))
LANES(PMOVSXWQ, d, 2, sign16(k->a->h[i]))
LANES(PMOVZXBD, w, 4, k->a->b[i])
LANES(PMOVZXBQ, d, 2, k->a->b[i])
LANES(PMOVZXWQ, d, 2, k->a->h[i])

static unsigned difference(unsigned a, unsigned b)
{
    return a < b ? b - a : a - b;
}

static void eval_PSADBW(struct vector_fn_call *k)
{
    k->result = (union ir_vector){.d = {0, 0}};
    for (unsigned i = 0; i < 16; i++)
        k->result.d[i / 8] += difference(k->a->b[i], k->b->b[i]);
}

/* Sums of the differences between four bytes of b and eight places of a. */
static void eval_MPSADBW(struct vector_fn_call *k)
{
    unsigned first = (k->immediate & 3) * 4, at = (k->immediate >> 2 & 1) * 4;
    for (unsigned i = 0; i < 8; i++) {
        unsigned sum = 0;
        for (unsigned j = 0; j < 4; j++)
            sum += difference(k->a->b[at + i + j], k->b->b[first + j]);
        k->result.h[i] = (uint16_t)sum;
    }
}

static void eval_PHMINPOSUW(struct vector_fn_call *k)
{
    unsigned at = 0;
    for (unsigned i = 1; i < 8; i++)
        if (k->a->h[i] < k->a->h[at])
            at = i;
    k->result = (union ir_vector){.d = {k->a->h[at] | at << 16, 0}};
}

/* ---- masks ----------------------------------------------------------------------------------- */

static void eval_PMOVMSKB(struct vector_fn_call *k)
{
    k->result.d[0] = 0;
    for (unsigned i = 0; i < 16; i++)
        k->result.d[0] |= (uint64_t)(k->a->b[i] >> 7) << i;
}

static void eval_MOVMSKPS(struct vector_fn_call *k)
{
    k->result.d[0] = 0;
    for (unsigned i = 0; i < 4; i++)
        k->result.d[0] |= (uint64_t)(k->a->w[i] >> 31) << i;
}

static void eval_MOVMSKPD(struct vector_fn_call *k)
{
    k->result.d[0] = k->a->d[0] >> 63 | k->a->d[1] >> 63 << 1;
}

/* Z: a & b is zero, C: ~a & b is, within the bits of the mask. */
static void test_bits(struct vector_fn_call *k, uint64_t mask)
{
    uint64_t both = 0, other = 0;
    for (unsigned i = 0; i < 2; i++) {
        both |= k->a->d[i] & k->b->d[i] & mask;
        other |= ~k->a->d[i] & k->b->d[i] & mask;
    }
    k->flags = compare_flags(!both, false, !other);
}

static void eval_PTEST(struct vector_fn_call *k)
{
    test_bits(k, UINT64_MAX);
}
static void eval_VTESTPS(struct vector_fn_call *k)
{
    test_bits(k, UINT64_C(0x8000000080000000));
}
static void eval_VTESTPD(struct vector_fn_call *k)
{
    test_bits(k, UINT64_C(1) << 63);
}

/* ---- shuffles -------------------------------------------------------------------------------- */

LANES(PSHUFD, w, 4, k->a->w[k->immediate >> 2 * i & 3])
LANES(PSHUFLW, h, 8, k->a->h[i < 4 ? k->immediate >> 2 * i & 3u : i])
LANES(PSHUFHW, h, 8, k->a->h[i < 4 ? i : 4 + (k->immediate >> 2 * (i - 4) & 3u)])
LANES(SHUFPS, w, 4, (i < 2 ? k->a : k->b)->w[k->immediate >> 2 * i & 3])
LANES(SHUFPD, d, 2, (i < 1 ? k->a : k->b)->d[k->immediate >> i & 1])
LANES(BLENDPS, w, 4, (k->immediate >> i & 1 ? k->b : k->a)->w[i])
LANES(BLENDPD, d, 2, (k->immediate >> i & 1 ? k->b : k->a)->d[i])
LANES(PBLENDW, h, 8, (k->immediate >> i & 1 ? k->b : k->a)->h[i])
LANES(PBLENDVB, b, 16, (k->c->b[i] >> 7 ? k->b : k->a)->b[i])
LANES(BLENDVPS, w, 4, (k->c->w[i] >> 31 ? k->b : k->a)->w[i])
LANES(BLENDVPD, d, 2, (k->c->d[i] >> 63 ? k->b : k->a)->d[i])
LANES(VPERMILPS, w, 4, k->a->w[k->b->w[i] & 3])
LANES(VPERMILPD, d, 2, k->a->d[k->b->d[i] >> 1 & 1])

static void eval_INSERTPS(struct vector_fn_call *k)
{
    k->result = *k->a;
    k->result.w[k->immediate >> 4 & 3] = k->b->w[k->immediate >> 6];
    for (unsigned i = 0; i < 4; i++)
        if (k->immediate >> i & 1)
            k->result.w[i] = 0;
}

/* ---- fused multiply-add ---------------------------------------------------------------------- */

enum fma_form { FORM_132, FORM_213, FORM_231 };
enum fma_kind { FMADD, FMSUB, FNMADD, FNMSUB };

static bool is_nan32(uint32_t v)
{
    return (v & 0x7fffffff) > 0x7f800000;
}
static bool is_nan64(uint64_t v)
{
    return v << 1 > UINT64_C(0xffe0000000000000);
}

/* Which operand is which factor: x[0] * x[1] + x[2] in the instruction's order. */
static const uint8_t fma_order[3][3] = {
    [FORM_132] = {0, 2, 1}, [FORM_213] = {1, 0, 2}, [FORM_231] = {1, 2, 0}};

/* The library's fma is the host's instruction where there is one. The NaN of a result is that of
 * the first factor, the second, the addend, in this order; its sign is left alone. */
static uint32_t fma32(enum fma_form form, enum fma_kind kind, const uint32_t *x)
{
    float f[3];
    for (unsigned i = 0; i < 3; i++) {
        uint32_t bits = x[fma_order[form][i]];
        if ((i == 0 && kind >= FNMADD) || (i == 2 && (kind & 1)))
            bits ^= 0x80000000;
        memcpy(&f[i], &bits, 4);
    }
    volatile float r = fmaf(f[0], f[1], f[2]);
    uint32_t result;
    float value = r;
    memcpy(&result, &value, 4);
    for (unsigned i = 0; i < 3; i++)
        if (is_nan32(x[fma_order[form][i]]))
            return x[fma_order[form][i]] | 0x00400000;
    return is_nan32(result) ? 0xffc00000 : result;
}

static uint64_t fma64(enum fma_form form, enum fma_kind kind, const uint64_t *x)
{
    double f[3];
    for (unsigned i = 0; i < 3; i++) {
        uint64_t bits = x[fma_order[form][i]];
        if ((i == 0 && kind >= FNMADD) || (i == 2 && (kind & 1)))
            bits ^= UINT64_C(1) << 63;
        memcpy(&f[i], &bits, 8);
    }
    volatile double r = fma(f[0], f[1], f[2]);
    uint64_t result;
    double value = r;
    memcpy(&result, &value, 8);
    for (unsigned i = 0; i < 3; i++)
        if (is_nan64(x[fma_order[form][i]]))
            return x[fma_order[form][i]] | UINT64_C(0x0008000000000000);
    return is_nan64(result) ? UINT64_C(0xfff8000000000000) : result;
}

/* even, odd: what lanes of even and odd number do. */
static void fma_lanes(struct vector_fn_call *k, enum fma_form form, enum fma_kind even,
                      enum fma_kind odd, bool wide, unsigned n)
{
    k->result = *k->a;
    for (unsigned i = 0; i < n; i++) {
        enum fma_kind kind = i & 1 ? odd : even;
        if (wide)
            k->result.d[i] = fma64(form, kind, (uint64_t[3]){k->a->d[i], k->b->d[i], k->c->d[i]});
        else
            k->result.w[i] = fma32(form, kind, (uint32_t[3]){k->a->w[i], k->b->w[i], k->c->w[i]});
    }
}

#define FMA_ROW(name, form, even, odd, wide, n)                                                    \
    static void eval_##name(struct vector_fn_call *k)                                              \
    {                                                                                              \
        fma_lanes(k, FORM_##form, even, odd, wide, n);                                             \
    }
#define FMA_PACKED(name, form, even, odd)                                                          \
    FMA_ROW(V##name##form##PS, form, even, odd, false, 4)                                          \
    FMA_ROW(V##name##form##PD, form, even, odd, true, 2)
#define FMA_ALL(name, form)                                                                        \
    FMA_PACKED(name, form, name, name)                                                             \
    FMA_ROW(V##name##form##SS, form, name, name, false, 1)                                         \
    FMA_ROW(V##name##form##SD, form, name, name, true, 1)
#define FMA_FORM(form)                                                                             \
    FMA_ALL(FMADD, form)                                                                           \
    FMA_ALL(FMSUB, form)                                                                           \
    FMA_ALL(FNMADD, form)                                                                          \
    FMA_ALL(FNMSUB, form)                                                                          \
    FMA_PACKED(FMADDSUB, form, FMSUB, FMADD)                                                       \
    FMA_PACKED(FMSUBADD, form, FMADD, FMSUB)
FMA_FORM(132)
FMA_FORM(213)
FMA_FORM(231)

/* ---- half precision (SDM vol. 1, 14.4.1): neither DAZ nor FTZ, no denormal flag ----------------
 */

static uint32_t half_to_single(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31;
    uint32_t fraction = half & 0x3ff;
    if (exponent == 31) {
        if (fraction && !(fraction & 0x200)) {
            _mm_setcsr(_mm_getcsr() | 1);
            fraction |= 0x200;
        }
        return sign | 0x7f800000 | fraction << 13;
    }
    if (!exponent) {
        if (!fraction)
            return sign;
        unsigned shift = (unsigned)__builtin_clz(fraction) - 21;
        return sign | (113 - shift) << 23 | (fraction << shift & 0x3ff) << 13;
    }
    return sign | (exponent + 112) << 23 | fraction << 13;
}

LANES(VCVTPH2PS, w, 4, half_to_single(k->a->h[i]))

enum { MXCSR_DAZ = 0x40 };
enum {
    FLAG_INVALID = 1,
    FLAG_DENORMAL = 2,
    FLAG_OVERFLOW = 8,
    FLAG_UNDERFLOW = 16,
    FLAG_INEXACT = 32
};

static uint16_t single_to_half(uint32_t single, unsigned rounding)
{
    uint32_t sign = single >> 16 & 0x8000, exponent = single >> 23 & 255;
    uint32_t fraction = single & 0x7fffff;
    if (exponent == 255) {
        if (fraction && !(fraction & 0x400000))
            _mm_setcsr(_mm_getcsr() | FLAG_INVALID);
        return (uint16_t)(sign | 0x7c00 | (fraction ? 0x200 | fraction >> 13 : 0));
    }
    if (!exponent && (!fraction || (_mm_getcsr() & MXCSR_DAZ)))
        return (uint16_t)sign;
    if (!exponent)
        _mm_setcsr(_mm_getcsr() | FLAG_DENORMAL);
    uint32_t mantissa = exponent ? fraction | 0x800000 : fraction;
    int scale = (exponent ? (int)exponent : 1) - 112; /* the half's exponent field */
    unsigned shift = 13 + (scale < 1 ? MIN((unsigned)(1 - scale), 17u) : 0);
    uint32_t kept = mantissa >> shift, lost = mantissa & ((1u << shift) - 1);
    uint32_t middle = 1u << (shift - 1);
    bool up = rounding == 0   ? lost > middle || (lost == middle && (kept & 1))
              : rounding == 1 ? lost && sign
              : rounding == 2 ? lost && !sign
                              : false;
    uint32_t bits = kept + up;
    /* Tiny after rounding: would it be below the smallest normal with an unbounded exponent? */
    bool tiny = scale < 1 && bits < 0x400;
    if (scale == 0 && bits == 0x400) {
        uint32_t near_kept = mantissa >> 13, near_lost = mantissa & 0x1fff;
        bool near_up = rounding == 0 ? near_lost > 0x1000 || (near_lost == 0x1000 && near_kept & 1)
                       : rounding == 1 ? near_lost && sign
                       : rounding == 2 ? near_lost && !sign
                                       : false;
        tiny = near_kept + near_up < 0x800;
    }
    if (scale > 1 || (scale == 1 && kept >= 0x400))
        bits += (uint32_t)(scale - 1) << 10;
    if (bits >= 0x7c00) {
        _mm_setcsr(_mm_getcsr() | FLAG_OVERFLOW | FLAG_INEXACT);
        bool infinite = rounding == 0 || (rounding == 1 && sign) || (rounding == 2 && !sign);
        return (uint16_t)(sign | (infinite ? 0x7c00 : 0x7bff));
    }
    if (lost)
        _mm_setcsr(_mm_getcsr() | FLAG_INEXACT | (tiny ? FLAG_UNDERFLOW : 0));
    return (uint16_t)(sign | bits);
}

static void eval_VCVTPS2PH(struct vector_fn_call *k)
{
    unsigned rounding = k->immediate & 4 ? _mm_getcsr() >> 13 & 3 : k->immediate & 3u;
    k->result = (union ir_vector){.d = {0, 0}};
    for (unsigned i = 0; i < 4; i++)
        k->result.h[i] = single_to_half(k->a->w[i], rounding);
}

/* ---- strings -------------------------------------------------------------------------------- */

static unsigned implicit_lengths(struct vector_fn_call *k)
{
    return vector_compare_strings(k->a, vector_string_length(k->a, k->immediate), k->b,
                                  vector_string_length(k->b, k->immediate), k->immediate,
                                  &k->flags);
}

static void eval_PCMPISTRI(struct vector_fn_call *k)
{
    unsigned bits = implicit_lengths(k);
    k->result.d[0] = vector_string_index(bits, k->immediate);
}

static void eval_PCMPISTRM(struct vector_fn_call *k)
{
    unsigned bits = implicit_lengths(k);
    k->result = vector_string_mask(bits, k->immediate);
}

/* ---- AES (FIPS 197; SDM vol. 1, 12.13) ---------------------------------------------------------
 */

static uint8_t aes_double(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t aes_multiply(uint8_t x, unsigned by)
{
    uint8_t product = 0;
    for (; by; by >>= 1, x = aes_double(x))
        product ^= by & 1 ? x : 0;
    return product;
}

/* The inverse in GF(2^8) is the 254th power; then the affine map. */
static uint8_t aes_sub(uint8_t x)
{
    uint8_t power = 1;
    for (unsigned i = 0; i < 254; i++)
        power = aes_multiply(power, x);
    unsigned twice = power | (unsigned)power << 8;
    return (uint8_t)(power ^ twice >> 7 ^ twice >> 6 ^ twice >> 5 ^ twice >> 4 ^ 0x63);
}

static uint8_t aes_unsub(uint8_t x)
{
    unsigned twice = x | (unsigned)x << 8;
    uint8_t power = (uint8_t)(twice >> 7 ^ twice >> 5 ^ twice >> 2 ^ 0x05), result = 1;
    for (unsigned i = 0; i < 254; i++)
        result = aes_multiply(result, power);
    return result;
}

static union ir_vector aes_mix(const union ir_vector *v, const uint8_t *factors)
{
    union ir_vector out = {.d = {0, 0}};
    for (unsigned i = 0; i < 16; i++)
        for (unsigned j = 0; j < 4; j++)
            out.b[i] ^= aes_multiply(v->b[(i & 12) + j], factors[(j - i) & 3]);
    return out;
}

static const uint8_t mix_factors[4] = {2, 3, 1, 1}, unmix_factors[4] = {14, 11, 13, 9};

static void aes_round(struct vector_fn_call *k, bool decrypt, bool last)
{
    union ir_vector state;
    for (unsigned i = 0; i < 16; i++) {
        unsigned column = i / 4, row = i % 4;
        unsigned from = ((decrypt ? column - row : column + row) & 3) * 4 + row;
        state.b[i] = decrypt ? aes_unsub(k->a->b[from]) : aes_sub(k->a->b[from]);
    }
    if (!last)
        state = aes_mix(&state, decrypt ? unmix_factors : mix_factors);
    for (unsigned i = 0; i < 2; i++)
        k->result.d[i] = state.d[i] ^ k->b->d[i];
}

static void eval_AESENC(struct vector_fn_call *k)
{
    aes_round(k, false, false);
}
static void eval_AESENCLAST(struct vector_fn_call *k)
{
    aes_round(k, false, true);
}
static void eval_AESDEC(struct vector_fn_call *k)
{
    aes_round(k, true, false);
}
static void eval_AESDECLAST(struct vector_fn_call *k)
{
    aes_round(k, true, true);
}
static void eval_AESIMC(struct vector_fn_call *k)
{
    k->result = aes_mix(k->a, unmix_factors);
}

static uint32_t aes_sub_word(uint32_t x)
{
    uint32_t result = 0;
    for (unsigned i = 0; i < 32; i += 8)
        result |= (uint32_t)aes_sub((uint8_t)(x >> i)) << i;
    return result;
}

static uint32_t rotate_right(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void eval_AESKEYGENASSIST(struct vector_fn_call *k)
{
    for (unsigned i = 0; i < 4; i += 2) {
        uint32_t x = aes_sub_word(k->a->w[i + 1]);
        k->result.w[i] = x;
        k->result.w[i + 1] = rotate_right(x, 8) ^ k->immediate;
    }
}

static void eval_PCLMULQDQ(struct vector_fn_call *k)
{
    uint64_t a = k->a->d[k->immediate & 1], b = k->b->d[k->immediate >> 4 & 1];
    unsigned __int128 product = 0;
    for (unsigned i = 0; i < 64; i++)
        if (b >> i & 1)
            product ^= (unsigned __int128)a << i;
    k->result.d[0] = (uint64_t)product;
    k->result.d[1] = (uint64_t)(product >> 64);
}

/* ---- SHA (FIPS 180-4; SDM vol. 2, SHA1RNDS4 and following): lane 3 is the oldest word ---------
 */

static uint32_t rotate_left(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static void eval_SHA1RNDS4(struct vector_fn_call *k)
{
    static const uint32_t constants[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
    uint32_t a = k->a->w[3], b = k->a->w[2], c = k->a->w[1], d = k->a->w[0], e = 0;
    unsigned which = k->immediate & 3;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t f = which == 0   ? (b & c) ^ (~b & d)
                     : which == 2 ? (b & c) ^ (b & d) ^ (c & d)
                                  : b ^ c ^ d;
        uint32_t next = f + rotate_left(a, 5) + k->b->w[3 - i] + e + constants[which];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    k->result = (union ir_vector){.w = {d, c, b, a}};
}

static void eval_SHA1NEXTE(struct vector_fn_call *k)
{
    k->result = *k->b;
    k->result.w[3] += rotate_left(k->a->w[3], 30);
}

static void eval_SHA1MSG1(struct vector_fn_call *k)
{
    k->result.w[3] = k->a->w[1] ^ k->a->w[3];
    k->result.w[2] = k->a->w[0] ^ k->a->w[2];
    k->result.w[1] = k->b->w[3] ^ k->a->w[1];
    k->result.w[0] = k->b->w[2] ^ k->a->w[0];
}

static void eval_SHA1MSG2(struct vector_fn_call *k)
{
    k->result.w[3] = rotate_left(k->a->w[3] ^ k->b->w[2], 1);
    k->result.w[2] = rotate_left(k->a->w[2] ^ k->b->w[1], 1);
    k->result.w[1] = rotate_left(k->a->w[1] ^ k->b->w[0], 1);
    k->result.w[0] = rotate_left(k->a->w[0] ^ k->result.w[3], 1);
}

static uint32_t sha256_sigma0(uint32_t x)
{
    return rotate_right(x, 7) ^ rotate_right(x, 18) ^ x >> 3;
}
static uint32_t sha256_sigma1(uint32_t x)
{
    return rotate_right(x, 17) ^ rotate_right(x, 19) ^ x >> 10;
}

/* a holds C D G H, b holds A B E F (from the highest lane down), c the words with their constants.
 */
static void eval_SHA256RNDS2(struct vector_fn_call *k)
{
    uint32_t a = k->b->w[3], b = k->b->w[2], c = k->a->w[3], d = k->a->w[2];
    uint32_t e = k->b->w[1], f = k->b->w[0], g = k->a->w[1], h = k->a->w[0];
    for (unsigned i = 0; i < 2; i++) {
        uint32_t t = ((e & f) ^ (~e & g)) +
                     (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25)) + k->c->w[i] +
                     h;
        uint32_t next = t + ((a & b) ^ (a & c) ^ (b & c)) +
                        (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22));
        h = g;
        g = f;
        f = e;
        e = t + d;
        d = c;
        c = b;
        b = a;
        a = next;
    }
    k->result = (union ir_vector){.w = {f, e, b, a}};
}

LANES(SHA256MSG1, w, 4, k->a->w[i] + sha256_sigma0(i < 3 ? k->a->w[i + 1] : k->b->w[0]))

static void eval_SHA256MSG2(struct vector_fn_call *k)
{
    k->result.w[0] = k->a->w[0] + sha256_sigma1(k->b->w[2]);
    k->result.w[1] = k->a->w[1] + sha256_sigma1(k->b->w[3]);
    k->result.w[2] = k->a->w[2] + sha256_sigma1(k->result.w[0]);
    k->result.w[3] = k->a->w[3] + sha256_sigma1(k->result.w[1]);
}

/* ---- the table ------------------------------------------------------------------------------- */

static eval_fn *const functions[IR_N_VFN] = {
#define VFN(name, n_args, traits, prefix, map, opcode, w) [IR_VFN_##name] = eval_##name,
#include "tcg/vector_fn.def"
#undef VFN
};

void vector_fn_eval(unsigned row, struct vector_fn_call *call)
{
    call->flags = 0;
    call->result = (union ir_vector){.d = {0, 0}};
    functions[row](call);
}
