/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lane-wise vector semantics. One macro writes the loop over lanes for each width; the compiler
 * turns most of them into vector instructions of its own.
 */
#include "tcg/vector_ops.h"

#include <string.h>

/* x, y: the lanes of a and b, unsigned, of type `u`; sx, sy: the same, signed, of type `s`. */
#define LANES(member, u, s, expression)                                                            \
    for (unsigned i = 0; i < ARRAY_SIZE(r.member); i++) {                                          \
        u x = a->member[i], y = b->member[i];                                                      \
        s sx UNUSED = (s)x, sy UNUSED = (s)y;                                                      \
        (void)y;                                                                                   \
        r.member[i] = (u)(expression);                                                             \
    }                                                                                              \
    break

#define EACH_LANE(expression)                                                                      \
    switch (lane) {                                                                                \
    case IR_LANE8:                                                                                 \
        LANES(b, uint8_t, int8_t, expression);                                                     \
    case IR_LANE16:                                                                                \
        LANES(h, uint16_t, int16_t, expression);                                                   \
    case IR_LANE32:                                                                                \
        LANES(w, uint32_t, int32_t, expression);                                                   \
    default:                                                                                       \
        LANES(d, uint64_t, int64_t, expression);                                                   \
    }                                                                                              \
    break

static uint64_t lane_get(const union ir_vector *v, unsigned lane, unsigned index)
{
    switch (lane) {
    case IR_LANE8:
        return v->b[index & 15];
    case IR_LANE16:
        return v->h[index & 7];
    case IR_LANE32:
        return v->w[index & 3];
    default:
        return v->d[index & 1];
    }
}

static void lane_set(union ir_vector *v, unsigned lane, unsigned index, uint64_t value)
{
    switch (lane) {
    case IR_LANE8:
        v->b[index & 15] = (uint8_t)value;
        break;
    case IR_LANE16:
        v->h[index & 7] = (uint16_t)value;
        break;
    case IR_LANE32:
        v->w[index & 3] = (uint32_t)value;
        break;
    default:
        v->d[index & 1] = value;
        break;
    }
}

static int64_t lane_get_signed(const union ir_vector *v, unsigned lane, unsigned index)
{
    unsigned unused = 64 - (8u << lane);
    return (int64_t)(lane_get(v, lane, index) << unused) >> unused;
}

static void widen(union ir_vector *r, const union ir_vector *a, unsigned lane, bool is_signed)
{
    for (unsigned i = 0; i < 8u >> lane; i++) {
        lane_set(r, lane + 1, i,
                 is_signed ? (uint64_t)lane_get_signed(a, lane, i) : lane_get(a, lane, i));
    }
}

static void zip(union ir_vector *r, const union ir_vector *a, const union ir_vector *b,
                unsigned lane, bool high)
{
    unsigned half = 8u >> lane, from = high ? half : 0;
    for (unsigned i = 0; i < half; i++) {
        lane_set(r, lane, 2 * i, lane_get(a, lane, from + i));
        lane_set(r, lane, 2 * i + 1, lane_get(b, lane, from + i));
    }
}

/* sum or difference of lanes of 8 or 16 bits, clamped. */
static void saturate(union ir_vector *r, const union ir_vector *a, const union ir_vector *b,
                     unsigned lane, bool subtract, bool is_signed)
{
    int64_t bits = 8 << lane;
    int64_t least = is_signed ? -(INT64_C(1) << (bits - 1)) : 0;
    int64_t most = is_signed ? (INT64_C(1) << (bits - 1)) - 1 : (INT64_C(1) << bits) - 1;
    for (unsigned i = 0; i < 16u >> lane; i++) {
        int64_t x = is_signed ? lane_get_signed(a, lane, i) : (int64_t)lane_get(a, lane, i);
        int64_t y = is_signed ? lane_get_signed(b, lane, i) : (int64_t)lane_get(b, lane, i);
        int64_t z = subtract ? x - y : x + y;
        lane_set(r, lane, i, (uint64_t)(z < least ? least : z > most ? most : z));
    }
}

/* The ops that do the same to every lane. */
static void eval_lanes(unsigned op, unsigned lane, unsigned amount, union ir_vector *result,
                       const union ir_vector *a, const union ir_vector *b)
{
    union ir_vector r = *a;
    switch (op) {
    case IR_VADD:
        EACH_LANE(x + y);
    case IR_VSUB:
        EACH_LANE(x - y);
    case IR_VMUL:
        EACH_LANE((uint64_t)x * y);
    case IR_VNEG:
        EACH_LANE(0 - x);
    case IR_VABS:
        EACH_LANE(sx < 0 ? 0 - x : x);
    case IR_VCMPEQ:
        EACH_LANE(x == y ? ~UINT64_C(0) : 0);
    case IR_VCMPGT_S:
        EACH_LANE(sx > sy ? ~UINT64_C(0) : 0);
    case IR_VCMPGT_U:
        EACH_LANE(x > y ? ~UINT64_C(0) : 0);
    case IR_VMIN_S:
        EACH_LANE(sx < sy ? x : y);
    case IR_VMIN_U:
        EACH_LANE(x < y ? x : y);
    case IR_VMAX_S:
        EACH_LANE(sx > sy ? x : y);
    case IR_VMAX_U:
        EACH_LANE(x > y ? x : y);
    case IR_VAVG_U:
        EACH_LANE(((uint64_t)x + y + 1) >> 1);
    case IR_VSHL_I:
        EACH_LANE((uint64_t)x << amount);
    case IR_VSHR_I:
        EACH_LANE(x >> amount);
    case IR_VSAR_I:
        EACH_LANE(sx >> amount);
    default:
        break;
    }
    *result = r;
}

/* The ops that move whole parts around or saturate. */
static void eval_moves(unsigned op, unsigned lane, unsigned aux, union ir_vector *result,
                       const union ir_vector *a, const union ir_vector *b)
{
    union ir_vector r = {.d = {0, 0}};
    switch (op) {
    case IR_VADDS_S:
    case IR_VADDS_U:
        saturate(&r, a, b, lane, false, op == IR_VADDS_S);
        break;
    case IR_VSUBS_S:
    case IR_VSUBS_U:
        saturate(&r, a, b, lane, true, op == IR_VSUBS_S);
        break;
    case IR_VDUP:
        for (unsigned i = 0; i < 16u >> lane; i++)
            lane_set(&r, lane, i, a->d[0]);
        break;
    case IR_VGETLANE:
        r.d[0] = lane_get(a, lane, aux);
        break;
    case IR_VSETLANE:
        r = *a;
        lane_set(&r, lane, aux, b->d[0]);
        break;
    case IR_VWIDEN_S:
    case IR_VWIDEN_U:
        widen(&r, a, lane, op == IR_VWIDEN_S);
        break;
    case IR_VNARROW:
        for (unsigned i = 0; i < 16u >> lane; i++)
            lane_set(&r, lane - 1, i, lane_get(a, lane, i));
        break;
    case IR_VZIP_LO:
    case IR_VZIP_HI:
        zip(&r, a, b, lane, op == IR_VZIP_HI);
        break;
    case IR_VCONCAT:
        r.d[0] = a->d[0];
        r.d[1] = b->d[0];
        break;
    case IR_VHIGH:
        r.d[0] = a->d[1];
        break;
    case IR_VEXT:
        for (unsigned i = 0; i < 16; i++)
            r.b[i] = i + aux < 16 ? a->b[i + aux] : b->b[(i + aux) & 15];
        break;
    case IR_VSHUFFLE:
        for (unsigned i = 0; i < 16; i++)
            r.b[i] = b->b[i] & 0x80 ? 0 : a->b[b->b[i] & 15];
        break;
    default:
        break;
    }
    *result = r;
}

void ir_vector_eval(unsigned op, unsigned sub, unsigned aux, union ir_vector *result,
                    const union ir_vector *a, const union ir_vector *b, const union ir_vector *c)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t x = a->d[i];
        switch (op) {
        case IR_VAND:
            result->d[i] = x & b->d[i];
            break;
        case IR_VOR:
            result->d[i] = x | b->d[i];
            break;
        case IR_VXOR:
            result->d[i] = x ^ b->d[i];
            break;
        case IR_VANDN:
            result->d[i] = x & ~b->d[i];
            break;
        case IR_VSELECT:
            result->d[i] = (x & b->d[i]) | (~x & c->d[i]);
            break;
        default:
            break;
        }
    }
    if (op <= IR_VSELECT)
        return;
    bool unary = ir_op_info[op].n_args < 2; /* b may be anything then */
    bool same_in_every_lane =
        (op >= IR_VADD && op <= IR_VMAX_U) || (op >= IR_VAVG_U && op <= IR_VSAR_I);
    (same_in_every_lane ? eval_lanes : eval_moves)(op, sub, aux, result, a, unary ? a : b);
}
