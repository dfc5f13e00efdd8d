/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/insn/random.h"

#include <stdlib.h>
#include <time.h>

uint64_t random_u64(struct random *r)
{
    /* splitmix64: any seed, also 0, is a good one */
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t random_u32(struct random *r)
{
    return (uint32_t)(random_u64(r) >> 32);
}

uint64_t chosen_seed(void)
{
    const char *text = getenv("CALQUE_SEED");

    return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

unsigned chosen_cases(unsigned by_default)
{
    const char *text = getenv("CALQUE_CASES");

    return text ? (unsigned)atoi(text) : by_default;
}

bool chosen_row(const struct insn_desc *row)
{
    const char *only = getenv("CALQUE_ROW");

    return !only || !strcmp(only, row->name);
}
