/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The string comparisons of SSE4.2 (vector_strings.h), after SDM vol. 2, 4.1. */
#include "tcg/vector_strings.h"

static int64_t element(const union ir_vector *v, unsigned i, unsigned immediate)
{
    if (immediate & 1)
        return immediate & 2 ? (int16_t)v->h[i] : v->h[i];
    return immediate & 2 ? (int8_t)v->b[i] : v->b[i];
}

unsigned vector_string_length(const union ir_vector *v, unsigned immediate)
{
    unsigned n = immediate & 1 ? 8 : 16, i = 0;
    while (i < n && element(v, i, immediate))
        i++;
    return i;
}

static bool in_ranges(const union ir_vector *a, unsigned length, unsigned immediate, int64_t x)
{
    for (unsigned i = 0; i + 1 < length; i += 2)
        if (element(a, i, immediate) <= x && x <= element(a, i + 1, immediate))
            return true;
    return false;
}

static bool in_set(const union ir_vector *a, unsigned length, unsigned immediate, int64_t x)
{
    for (unsigned i = 0; i < length; i++)
        if (element(a, i, immediate) == x)
            return true;
    return false;
}

/* Does the string a begin at element `at` of b? It may go on behind the end of the register. */
static bool begins_at(const union ir_vector *a, unsigned length_a, const union ir_vector *b,
                      unsigned length_b, unsigned immediate, unsigned at)
{
    unsigned n = immediate & 1 ? 8 : 16;
    for (unsigned i = 0; at + i < n && i < length_a; i++)
        if (at + i >= length_b || element(a, i, immediate) != element(b, at + i, immediate))
            return false;
    return true;
}

unsigned vector_compare_strings(const union ir_vector *a, unsigned length_a,
                                const union ir_vector *b, unsigned length_b, unsigned immediate,
                                uint16_t *flags)
{
    unsigned n = immediate & 1 ? 8 : 16, result = 0;
    for (unsigned i = 0; i < n; i++) {
        bool holds;
        switch (immediate >> 2 & 3) {
        case 0:
            holds = i < length_b && in_set(a, length_a, immediate, element(b, i, immediate));
            break;
        case 1:
            holds = i < length_b && in_ranges(a, length_a, immediate, element(b, i, immediate));
            break;
        case 2:
            holds = i < length_a && i < length_b
                        ? element(a, i, immediate) == element(b, i, immediate)
                        : i >= length_a && i >= length_b;
            break;
        default:
            holds = begins_at(a, length_a, b, length_b, immediate, i);
            break;
        }
        result |= (unsigned)holds << i;
    }
    if ((immediate >> 4 & 3) == 1)
        result ^= (1u << n) - 1;
    else if ((immediate >> 4 & 3) == 3)
        result ^= (1u << MIN(length_b, n)) - 1;
    *flags = (uint16_t)((result ? IR_FLAG_C : 0) | (length_b < n ? IR_FLAG_Z : 0) |
                        (length_a < n ? IR_FLAG_N : 0) | (result & 1 ? IR_FLAG_V : 0));
    return result;
}

unsigned vector_string_index(unsigned bits, unsigned immediate)
{
    if (!bits)
        return immediate & 1 ? 8 : 16;
    return (unsigned)(immediate & 0x40 ? 31 - __builtin_clz(bits) : __builtin_ctz(bits));
}

union ir_vector vector_string_mask(unsigned bits, unsigned immediate)
{
    union ir_vector mask = {.d = {0, 0}};
    if (!(immediate & 0x40))
        mask.d[0] = bits;
    else if (immediate & 1)
        for (unsigned i = 0; i < 8; i++)
            mask.h[i] = bits >> i & 1 ? 0xffff : 0;
    else
        for (unsigned i = 0; i < 16; i++)
            mask.b[i] = bits >> i & 1 ? 0xff : 0;
    return mask;
}
