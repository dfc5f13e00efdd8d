/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Branches, loops, calls. opaque() keeps the compiler from making anything else of them. */
#include "bench.h"

#define NO_INLINE __attribute__((noinline, noclone))

uint32_t work_branch_random(uint32_t turns) /* 8 that nothing predicts */
{
    uint32_t x = opaque(1), odd = 0, even = 0;

    while (turns--)
        for (int i = 0; i < 8; i++) {
            x = x * 1664525 + 1013904223;
            if (x & 0x10000)
                odd = opaque(odd + x);
            else
                even = opaque(even ^ x);
        }
    return mix(odd, even);
}

uint32_t work_loop_nested(uint32_t turns) /* 64: the body of a loop in a loop */
{
    uint32_t x = 0;

    while (turns--)
        for (uint32_t i = opaque(8); i; i--)
            for (uint32_t j = opaque(8); j; j--)
                x = opaque(x + j);
    return x;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static NO_INLINE uint32_t call_down(uint32_t depth)
{
    return depth ? opaque(call_down(depth - 1)) * 3 + 1 : opaque(1);
}

uint32_t work_call_deep(uint32_t turns) /* 64 within each other */
{
    uint32_t sum = 0;

    while (turns--)
        sum += call_down(63);
    return sum;
}

static NO_INLINE uint32_t fibonacci(uint32_t n)
{
    return n < 2 ? n : opaque(fibonacci(n - 1)) + opaque(fibonacci(n - 2));
}

uint32_t work_call_tree(uint32_t turns) /* 177: a tree of calls, up to ten within each other */
{
    uint32_t sum = 0;

    while (turns--)
        sum += fibonacci(10);
    return sum;
}

static NO_INLINE uint32_t add_six(uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e,
                                  uint32_t f)
{
    return opaque(a + b) ^ opaque(c + d) ^ opaque(e + f);
}

uint32_t work_call_arguments(uint32_t turns) /* 4 with six arguments */
{
    uint32_t x = 1;

    while (turns--)
        for (int i = 0; i < 4; i++)
            x = add_six(x, 2, x + 1, 4, x + 2, 6);
    return x;
}

#define ON_EIGHT_PAGES(what) what(0) what(1) what(2) what(3) what(4) what(5) what(6) what(7)
#define ON_A_PAGE(n)                                                                               \
    static NO_INLINE __attribute__((aligned(4096))) uint32_t on_page_##n(uint32_t x)               \
    {                                                                                              \
        return opaque(x) + n;                                                                      \
    }
ON_EIGHT_PAGES(ON_A_PAGE)

uint32_t work_call_pages(uint32_t turns) /* 8 to functions on as many pages */
{
    uint32_t x = 0;

#define CALL_PAGE(n) x = on_page_##n(x);
    while (turns--) {
        ON_EIGHT_PAGES(CALL_PAGE)
    }
    return x;
}

/* ---- indirect calls and jumps ---------------------------------------------------------------- */

/* One function for each of 64 numbers: templates of C are macros. */
#define TARGET(high, low)                                                                          \
    static uint32_t target_##high##low(uint32_t x)                                                 \
    {                                                                                              \
        return x * 5 + 0x##high##low;                                                              \
    }
#define EACH_LOW(what, high)                                                                       \
    what(high, 0) what(high, 1) what(high, 2) what(high, 3) what(high, 4) what(high, 5)            \
        what(high, 6) what(high, 7) what(high, 8) what(high, 9) what(high, a) what(high, b)        \
            what(high, c) what(high, d) what(high, e) what(high, f)
#define EACH_TARGET(what) EACH_LOW(what, 0) EACH_LOW(what, 1) EACH_LOW(what, 2) EACH_LOW(what, 3)
EACH_TARGET(TARGET)

#define TARGET_NAME(high, low) target_##high##low,
static uint32_t (*const targets[64])(uint32_t) = {EACH_TARGET(TARGET_NAME)};

static uint32_t call_targets(uint32_t turns, uint32_t count)
{
    uint32_t x = 1, mask = opaque(count - 1);

    while (turns--)
        for (uint32_t i = 0; i < 64; i++)
            x = targets[i * 5 & mask](x);
    return x;
}

uint32_t work_indirect_1(uint32_t turns) /* 64 calls from one place to one function */
{
    return call_targets(turns, 1);
}

uint32_t work_indirect_4(uint32_t turns) /* 64 calls from one place to 4 functions in turn */
{
    return call_targets(turns, 4);
}

uint32_t work_indirect_64(uint32_t turns) /* 64 calls from one place to as many functions */
{
    return call_targets(turns, 64);
}

static NO_INLINE uint32_t choose(uint32_t which, uint32_t x)
{
    switch (which) {
#define CASE(high, low)                                                                            \
    case 0x##high##low:                                                                            \
        return opaque(x + 0x##low) ^ 0x##low##5;
        EACH_LOW(CASE, 0)
    default:
        return x;
    }
}

uint32_t work_switch_16(uint32_t turns) /* 16 jumps through a table, a call and return with each */
{
    uint32_t x = 1;

    while (turns--)
        for (uint32_t i = 0; i < 16; i++)
            x = choose(i * 5 & 15, x);
    return x;
}
