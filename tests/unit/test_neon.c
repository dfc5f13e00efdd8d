/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD's helper (frontend/arm/neon_helpers.c) against definitions written down one lane at
 * a time, in arithmetic wide enough for anything. What the translator emits in line is compared
 * with qemu-arm by tests/insn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/arm/fp.h"
#include "frontend/arm/neon_helpers.h"

typedef __int128 i128;
typedef void (*neon_function)(void *cpu, uint32_t what, uint32_t d, uint32_t n, uint32_t m);

enum { ROUNDS = 3000 };

static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ z >> 31;
}

/* Lanes are often at one of the ends of their range. */
static uint64_t random_lanes(uint64_t *seed)
{
    static const uint8_t bytes[] = {0x00, 0xff, 0x7f, 0x80, 0x01, 0xfe};
    uint64_t value = next_random(seed), choice = next_random(seed);
    for (unsigned i = 0; i < 8; i++)
        if (choice >> i & 1)
            value = deposit64(value, i * 8, 8, bytes[(choice >> (8 + i * 3)) % 6]);
    return choice >> 62 ? value : value & UINT64_C(0x000f000f000f000f);
}

static i128 lane(const uint64_t *v, unsigned bits, unsigned i, bool is_signed)
{
    unsigned at = i * bits;
    uint64_t raw = v[at / 64] >> (at % 64);
    return is_signed ? (i128)sextract64(raw, 0, bits) : (i128)extract64(raw, 0, bits);
}

static void put_lane(uint64_t *v, unsigned bits, unsigned i, uint64_t value)
{
    unsigned at = i * bits;
    v[at / 64] = deposit64(v[at / 64], at % 64, bits, value);
}

static i128 power(unsigned n)
{
    return (i128)1 << n;
}

static uint64_t saturated(i128 value, unsigned bits, bool is_signed, bool *q)
{
    i128 most = power(is_signed ? bits - 1 : bits) - 1, least = is_signed ? -power(bits - 1) : 0;
    *q |= value < least || value > most;
    return (uint64_t)(value < least ? least : value > most ? most : value);
}

/* value * 2^amount; rounding: half a unit more before what is below the point goes. */
static i128 shifted(i128 value, int amount, bool round)
{
    if (amount >= 0) /* callers see to what is beyond the lane */
        return value * power((unsigned)MIN(amount, 63));
    if (amount < -100)
        amount = -100;
    if (round)
        value += power((unsigned)(-amount - 1));
    return value >> -amount;
}

struct machine {
    struct arm_cpu cpu;
    uint64_t d[2], n[2], m[2]; /* operands before */
};

static uint32_t offset(unsigned d)
{
    return (uint32_t)offsetof(struct arm_cpu, d) + d * 8;
}

static void run(struct machine *t, unsigned operation, unsigned imm, unsigned bytes)
{
    memcpy(&t->cpu.d[4], t->d, 16);
    memcpy(&t->cpu.d[8], t->n, 16);
    memcpy(&t->cpu.d[12], t->m, 16);
    t->cpu.fpscr_sticky = 0;
    ((neon_function)helper_neon.fn)(&t->cpu, neon_what(operation, imm, bytes, 0), offset(4),
                                    offset(8), offset(12));
}

static void check(struct machine *t, const char *name, unsigned bits, const uint64_t *expected,
                  bool q)
{
    bool got = t->cpu.fpscr_sticky & FPSCR_QC;
    if (memcmp(&t->cpu.d[4], expected, 16) || got != q)
        fail_msg("%s, %u bits: %016lx%016lx, %016lx%016lx -> %016lx%016lx %d, not %016lx%016lx %d",
                 name, bits, t->n[1], t->n[0], t->m[1], t->m[0], t->cpu.d[5], t->cpu.d[4], got,
                 expected[1], expected[0], q);
}

static void randomise(struct machine *t, uint64_t *seed)
{
    for (unsigned i = 0; i < 2; i++) {
        t->d[i] = random_lanes(seed);
        t->n[i] = random_lanes(seed);
        t->m[i] = random_lanes(seed);
    }
}

static uint64_t add_or_shift(unsigned operation, i128 n, i128 m, unsigned imm, unsigned bits,
                             bool is_signed, bool *q)
{
    bool to_signed = is_signed && operation != NEON_vqshlu_imm_s8;
    int amount = (int8_t)n;
    switch (operation) {
    case NEON_vqadd_s8:
        return saturated(n + m, bits, is_signed, q);
    case NEON_vqsub_s8:
        return saturated(n - m, bits, is_signed, q);
    case NEON_vshl_s8:
    case NEON_vrshl_s8:
        return amount >= (int)bits ? 0 : (uint64_t)shifted(m, amount, operation == NEON_vrshl_s8);
    case NEON_vqshl_s8:
    case NEON_vqrshl_s8:
        if (amount >= (int)bits && m)
            return saturated(m < 0 ? -power(100) : power(100), bits, is_signed, q);
        return saturated(shifted(m, amount, operation == NEON_vqrshl_s8), bits, is_signed, q);
    default: /* vqshl_imm, vqshlu_imm */
        return saturated(shifted(m, (int)imm, false), bits, to_signed, q);
    }
}

static void test_same_length(void **state)
{
    static const struct {
        const char *name;
        unsigned operation;
        bool unsigned_too;
    } rows[] = {
        {"vqadd", NEON_vqadd_s8, true},         {"vqsub", NEON_vqsub_s8, true},
        {"vshl", NEON_vshl_s8, true},           {"vrshl", NEON_vrshl_s8, true},
        {"vqshl", NEON_vqshl_s8, true},         {"vqrshl", NEON_vqrshl_s8, true},
        {"vqshl_imm", NEON_vqshl_imm_s8, true}, {"vqshlu_imm", NEON_vqshlu_imm_s8, false},
    };
    static struct machine t;
    uint64_t seed = 1;
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
        for (unsigned variant = 0; variant < (rows[row].unsigned_too ? 8 : 4); variant++)
            for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned bits = 8u << (variant & 3), bytes = round & 1 ? 8 : 16;
                unsigned imm = (unsigned)next_random(&seed) % bits;
                bool is_signed = variant < 4, q = false;
                randomise(&t, &seed);
                uint64_t expected[2] = {t.d[0], t.d[1]};
                for (unsigned i = 0; i < bytes * 8 / bits; i++)
                    put_lane(expected, bits, i,
                             add_or_shift(rows[row].operation, lane(t.n, bits, i, is_signed),
                                          lane(t.m, bits, i, is_signed), imm, bits, is_signed, &q));
                run(&t, rows[row].operation + variant, imm, bytes);
                check(&t, rows[row].name, bits, expected, q);
            }
}

static void test_narrow(void **state)
{
    static const struct {
        const char *name;
        unsigned operation;
        bool from_signed, to_signed, round;
    } rows[] = {
        {"vqshrn.s", NEON_vqshrn_s8, true, true, false},
        {"vqshrn.u", NEON_vqshrn_u8, false, false, false},
        {"vqrshrn.s", NEON_vqrshrn_s8, true, true, true},
        {"vqrshrn.u", NEON_vqrshrn_u8, false, false, true},
        {"vqshrun", NEON_vqshrun_s8, true, false, false},
        {"vqrshrun", NEON_vqrshrun_s8, true, false, true},
    };
    static struct machine t;
    uint64_t seed = 2;
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
        for (unsigned size = 0; size < 3; size++)
            for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned bits = 8u << size, imm = (unsigned)next_random(&seed) % (bits + 1);
                bool q = false;
                randomise(&t, &seed);
                uint64_t expected[2] = {0, t.d[1]};
                for (unsigned i = 0; i < 64 / bits; i++) {
                    i128 value = lane(t.m, 2 * bits, i, rows[row].from_signed);
                    value = shifted(value, -(int)imm, rows[row].round && imm);
                    put_lane(expected, bits, i, saturated(value, bits, rows[row].to_signed, &q));
                }
                run(&t, rows[row].operation + size, imm, 8);
                check(&t, rows[row].name, bits, expected, q);
            }
}

static uint64_t product(unsigned operation, i128 d, i128 n, i128 m, unsigned bits, bool *q)
{
    i128 doubled = (i128)(int64_t)saturated(2 * n * m, 2 * bits, true, q);
    switch (operation) {
    case NEON_vqdmull_s16:
        return (uint64_t)doubled;
    case NEON_vqdmlal_s16:
        return saturated(d + doubled, 2 * bits, true, q);
    default:
        return saturated(d - doubled, 2 * bits, true, q);
    }
}

static void test_products(void **state)
{
    static const unsigned longs[] = {NEON_vqdmull_s16, NEON_vqdmlal_s16, NEON_vqdmlsl_s16};
    static const unsigned highs[] = {NEON_vqdmulh_s16, NEON_vqrdmulh_s16};
    static struct machine t;
    uint64_t seed = 3;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned size = 0; size < 2; size++) {
            unsigned bits = 16u << size;
            randomise(&t, &seed);
            for (size_t row = 0; row < ARRAY_SIZE(longs); row++) {
                uint64_t expected[2] = {0, 0};
                bool q = false;
                for (unsigned i = 0; i < 64 / bits; i++)
                    put_lane(expected, 2 * bits, i,
                             product(longs[row], lane(t.d, 2 * bits, i, true),
                                     lane(t.n, bits, i, true), lane(t.m, bits, i, true), bits, &q));
                run(&t, longs[row] + size, 0, 16);
                check(&t, "long product", bits, expected, q);
            }
            for (size_t row = 0; row < ARRAY_SIZE(highs); row++) {
                uint64_t expected[2] = {0, 0};
                bool q = false;
                for (unsigned i = 0; i < 128 / bits; i++) {
                    i128 value = 2 * lane(t.n, bits, i, true) * lane(t.m, bits, i, true);
                    value += row ? power(bits - 1) : 0;
                    put_lane(expected, bits, i, saturated(value >> bits, bits, true, &q));
                }
                run(&t, highs[row] + size, 0, 16);
                check(&t, "high half of a product", bits, expected, q);
            }
        }
}

/* Results may lie over either operand. */
static void test_overlap(void **state)
{
    static struct machine t;
    t.cpu.d[8] = UINT64_C(0x0000000200000003);
    t.cpu.d[9] = UINT64_C(0x0000000400000005);
    ((neon_function)helper_neon.fn)(&t.cpu, neon_what(NEON_vmull_u32, 0, 16, 0), offset(8),
                                    offset(8), offset(9));
    assert_int_equal(t.cpu.d[8], 15);
    assert_int_equal(t.cpu.d[9], 8);
    t.cpu.d[8] = UINT64_C(0x0000000200000003);
    t.cpu.d[9] = UINT64_C(0x0000000400000005);
    /* by a scalar: lane 1 of d9 */
    ((neon_function)helper_neon.fn)(&t.cpu, neon_what(NEON_vmull_u32, 0, 16, 2), offset(8),
                                    offset(8), offset(9));
    assert_int_equal(t.cpu.d[8], 12);
    assert_int_equal(t.cpu.d[9], 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_length),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
