/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What random instruction tests draw from, and what their environment asks for: CALQUE_SEED,
 * CALQUE_CASES, CALQUE_ROW. Everything follows from a 64-bit seed. Pure.
 */
#ifndef CALQUE_TESTS_INSN_RANDOM_H
#define CALQUE_TESTS_INSN_RANDOM_H

#include "frontend/guest.h"

struct random {
    uint64_t state;
};

uint32_t random_u32(struct random *r);
uint64_t random_u64(struct random *r);
static inline uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)(((uint64_t)random_u32(r) * n) >> 32);
}

/* The seed asked for, or a new one. */
uint64_t chosen_seed(void);
unsigned chosen_cases(unsigned by_default);
/* Is it the row asked for, or any? */
bool chosen_row(const struct insn_desc *row);

#endif
