/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that rows share; and what compilers call though nothing is linked. */
#include "machine.h"

#ifndef ARENA_ELSEWHERE
uint8_t bench_arena[ARENA_BYTES] __attribute__((aligned(ARENA_ALIGNMENT)));
#endif

void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);

int bench_claim(const void *owner)
{
    static const void *last;
    int is_new = owner != last;

    last = owner;
    return is_new;
}

void *memcpy(void *to, const void *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((uint8_t *)to)[i] = (uint8_t)value;
    return to;
}
