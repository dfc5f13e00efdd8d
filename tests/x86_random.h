/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random instances of the x86 tables' rows as bytes. Everything follows from a 64-bit seed, printed
 * with each failure. Pure. The encodings are read here once more, independently of the decoder.
 */
#ifndef CALQUE_TESTS_X86_RANDOM_H
#define CALQUE_TESTS_X86_RANDOM_H

#include "frontend/x86/decode.h"

struct rng {
    uint64_t state;
};

/* splitmix64: any seed, also 0, is a good one */
static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)((rng_u64(r) >> 32) * n >> 32);
}

/* mem_base_reg: a register, or one of these. */
enum {
    X86_REGISTERS_ONLY = 0x100, /* no memory operand */
    X86_ANY_OPERANDS,           /* whatever the row allows, any addressing, segment overrides */
};

/*
 * An instance of the row in the key's mode (16-, 32- or 64-bit), decoded with all features as this
 * very row. With a register for mem_base_reg the operand is memory at [register + displacement],
 * -128 <= displacement < 128 and a multiple of 16 if the row wants alignment. Unless operands may
 * be any, rSP is no operand, and neither is a segment override or an address size prefix there.
 * Immediates are random. False: the row has no such instance.
 */
bool x86_random_insn(const struct x86_row *row, uint32_t key, struct rng *rng,
                     unsigned mem_base_reg, uint8_t out[15], unsigned *length);

#endif
