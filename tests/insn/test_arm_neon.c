/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD's saturating operations, shifts by registers and doubled products against
 * definitions written down one lane at a time, in arithmetic wide enough for anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frontend/arm/fp.h"
#include "tests/insn/arm_engine.h"

typedef __int128 i128;

enum { ROUNDS = 300 };

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
    struct arm_engine engine;
    uint64_t d[2], n[2], m[2]; /* operands before: q2, q4, q6 */
};

enum { Q2 = 4 << 12, Q4 = 8 << 16, Q6 = 12, U = 1 << 24 };

/* base: with neither registers nor sizes */
static void run(struct machine *t, uint32_t base)
{
    struct arm_registers before = {.d = {0}};
    memcpy(&before.d[4], t->d, 16);
    memcpy(&before.d[8], t->n, 16);
    memcpy(&before.d[12], t->m, 16);
    arm_engine_step(&t->engine, &before, MODE_USR, false, base | Q2 | Q6, 4, 0);
}

static void check(struct machine *t, const char *name, unsigned bits, const uint64_t *expected,
                  bool q)
{
    struct arm_cpu *cpu = arm_cpu(t->engine.cpu);
    bool got = arm_fpscr_read(cpu) & FPSCR_QC;
    if (memcmp(&cpu->d[4], expected, 16) || got != q)
        fail_msg("%s, %u bits: %016lx%016lx, %016lx%016lx -> %016lx%016lx %d, not %016lx%016lx %d",
                 name, bits, t->n[1], t->n[0], t->m[1], t->m[0], cpu->d[5], cpu->d[4], got,
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

enum {
    VQADD = 0x010,
    VQSUB = 0x210,
    VSHL = 0x400,
    VQSHL = 0x410,
    VRSHL = 0x500,
    VQRSHL = 0x510,
    VQSHL_IMM = 0x800710,
    VQSHLU_IMM = 0x800610 | U,
};

static uint64_t add_or_shift(unsigned operation, i128 n, i128 m, unsigned imm, unsigned bits,
                             bool is_signed, bool *q)
{
    int amount = (int8_t)n;
    bool rounds = operation == VRSHL || operation == VQRSHL;
    switch (operation) {
    case VQADD:
        return saturated(n + m, bits, is_signed, q);
    case VQSUB:
        return saturated(n - m, bits, is_signed, q);
    case VSHL:
    case VRSHL:
        return amount >= (int)bits ? 0 : (uint64_t)shifted(m, amount, rounds);
    case VQSHL:
    case VQRSHL:
        if (amount >= (int)bits && m)
            return saturated(m < 0 ? -power(100) : power(100), bits, is_signed, q);
        return saturated(shifted(m, amount, rounds), bits, is_signed, q);
    default: /* VQSHL_IMM, VQSHLU_IMM */
        return saturated(shifted(m, (int)imm, false), bits, is_signed && operation != VQSHLU_IMM,
                         q);
    }
}

/* imm6 and L of an instruction that shifts by an immediate. */
static uint32_t immediate(unsigned code)
{
    return (code & 0x3f) << 16 | code >> 6 << 7;
}

static void test_same_length(void **state)
{
    static const struct {
        const char *name;
        unsigned operation;
        bool unsigned_too;
    } rows[] = {
        {"vqadd", VQADD, true},         {"vqsub", VQSUB, true},
        {"vshl", VSHL, true},           {"vrshl", VRSHL, true},
        {"vqshl", VQSHL, true},         {"vqrshl", VQRSHL, true},
        {"vqshl_imm", VQSHL_IMM, true}, {"vqshlu_imm", VQSHLU_IMM, false},
    };
    struct machine *t = *state;
    uint64_t seed = 1;
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
        for (unsigned variant = 0; variant < (rows[row].unsigned_too ? 8 : 4); variant++)
            for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned bits = 8u << (variant & 3), bytes = round & 1 ? 8 : 16;
                unsigned imm = (unsigned)next_random(&seed) % bits, op = rows[row].operation;
                bool is_signed = variant < 4, q = false;
                randomise(t, &seed);
                uint64_t expected[2] = {t->d[0], t->d[1]};
                for (unsigned i = 0; i < bytes * 8 / bits; i++)
                    put_lane(expected, bits, i,
                             add_or_shift(op, lane(t->n, bits, i, is_signed),
                                          lane(t->m, bits, i, is_signed), imm, bits, is_signed,
                                          &q));
                uint32_t insn = 0xf2000000 | op | (is_signed ? 0 : U) | (bytes == 16 ? 1 << 6 : 0);
                insn |= op & 0x800000 ? immediate(bits + imm) : (variant & 3) << 20 | Q4;
                run(t, insn);
                check(t, rows[row].name, bits, expected, q);
            }
}

static void test_narrow(void **state)
{
    static const struct {
        const char *name;
        uint32_t operation, move; /* the same by 0 */
        bool from_signed, to_signed, round;
    } rows[] = {
        {"vqshrn.s", 0xf2800910, 0xf3b20280, true, true, false},
        {"vqshrn.u", 0xf3800910, 0xf3b202c0, false, false, false},
        {"vqrshrn.s", 0xf2800950, 0xf3b20280, true, true, true},
        {"vqrshrn.u", 0xf3800950, 0xf3b202c0, false, false, true},
        {"vqshrun", 0xf3800810, 0xf3b20240, true, false, false},
        {"vqrshrun", 0xf3800850, 0xf3b20240, true, false, true},
    };
    struct machine *t = *state;
    uint64_t seed = 2;
    for (size_t row = 0; row < ARRAY_SIZE(rows); row++)
        for (unsigned size = 0; size < 3; size++)
            for (unsigned round = 0; round < ROUNDS; round++) {
                unsigned bits = 8u << size, imm = (unsigned)next_random(&seed) % (bits + 1);
                bool q = false;
                randomise(t, &seed);
                uint64_t expected[2] = {0, t->d[1]};
                for (unsigned i = 0; i < 64 / bits; i++) {
                    i128 value = lane(t->m, 2 * bits, i, rows[row].from_signed);
                    value = shifted(value, -(int)imm, rows[row].round && imm);
                    put_lane(expected, bits, i, saturated(value, bits, rows[row].to_signed, &q));
                }
                run(t, imm ? rows[row].operation | immediate(2 * bits - imm)
                           : rows[row].move | size << 18);
                check(t, rows[row].name, bits, expected, q);
            }
}

enum { VQDMULL = 0xf2800d00, VQDMLAL = 0xf2800900, VQDMLSL = 0xf2800b00 };

static uint64_t product(uint32_t operation, i128 d, i128 n, i128 m, unsigned bits, bool *q)
{
    i128 doubled = (i128)(int64_t)saturated(2 * n * m, 2 * bits, true, q);
    switch (operation) {
    case VQDMULL:
        return (uint64_t)doubled;
    case VQDMLAL:
        return saturated(d + doubled, 2 * bits, true, q);
    default:
        return saturated(d - doubled, 2 * bits, true, q);
    }
}

static void test_products(void **state)
{
    static const uint32_t longs[] = {VQDMULL, VQDMLAL, VQDMLSL};
    static const uint32_t highs[] = {0xf2000b40, 0xf3000b40}; /* VQDMULH, VQRDMULH */
    struct machine *t = *state;
    uint64_t seed = 3;
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned size = 0; size < 2; size++) {
            unsigned bits = 16u << size;
            randomise(t, &seed);
            for (size_t row = 0; row < ARRAY_SIZE(longs); row++) {
                uint64_t expected[2] = {0, 0};
                bool q = false;
                for (unsigned i = 0; i < 64 / bits; i++)
                    put_lane(expected, 2 * bits, i,
                             product(longs[row], lane(t->d, 2 * bits, i, true),
                                     lane(t->n, bits, i, true), lane(t->m, bits, i, true), bits,
                                     &q));
                run(t, longs[row] | (size + 1) << 20 | Q4);
                check(t, "long product", bits, expected, q);
            }
            for (size_t row = 0; row < ARRAY_SIZE(highs); row++) {
                uint64_t expected[2] = {0, 0};
                bool q = false;
                for (unsigned i = 0; i < 128 / bits; i++) {
                    i128 value = 2 * lane(t->n, bits, i, true) * lane(t->m, bits, i, true);
                    value += row ? power(bits - 1) : 0;
                    put_lane(expected, bits, i, saturated(value >> bits, bits, true, &q));
                }
                run(t, highs[row] | (size + 1) << 20 | Q4);
                check(t, "high half of a product", bits, expected, q);
            }
        }
}

static int set_up(void **state)
{
    static struct machine machine;
    arm_engine_init(&machine.engine, "cortex-a15", &(struct exec_options){.check = true});
    *state = &machine;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *t = *state;
    arm_engine_finish(&t->engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_length),
        cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_products),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
