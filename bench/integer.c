/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic as compilers write it; a turn's operations are those of the source. */
#include "bench.h"

#define REPEAT_4(x) x x x x

static uint32_t fold(uint64_t x)
{
    return mix((uint32_t)x, (uint32_t)(x >> 32));
}

uint32_t work_int64_chain(uint32_t turns) /* 16: each needs the one before */
{
    uint64_t x = opaque(7), y = opaque(0x9e3779b9);

    y = y << 32 | 0x7f4a7c15;
    while (turns--) {
        REPEAT_4(x += y; x ^= x >> 9; x -= 77; x |= 1;)
    }
    return fold(x);
}

uint32_t work_int64_multiply(uint32_t turns) /* 8: multiply, add */
{
    uint64_t x = opaque(7), y = opaque(0x9e3779b9);

    y = y << 32 | 0x7f4a7c15;
    while (turns--) {
        REPEAT_4(x = x * y + 0x3039;)
    }
    return fold(x);
}

uint32_t work_int64_independent(uint32_t turns) /* 16 in four chains */
{
    uint64_t a = opaque(1), b = opaque(2), c = opaque(3), d = opaque(4);
    uint64_t step = (uint64_t)opaque(0x1234) << 32 | 0x56789abc;

    while (turns--) {
        REPEAT_4(a = (a << 1) + step; b ^= a; c -= b; d = d << 1 ^ c;)
    }
    return fold(a) ^ fold(b + 1) ^ fold(c + 2) ^ fold(d + 3);
}

uint32_t work_int64_compare(uint32_t turns) /* 8 comparisons */
{
    uint64_t x = opaque(1), limit = (uint64_t)opaque(5) << 31;
    uint32_t below = 0, above = 0;

    while (turns--) {
        REPEAT_4(x = x * 5 + 1; below += x<limit; above += (int64_t)x> - (int64_t)limit;)
    }
    return mix(below, above);
}

uint32_t work_multiply_chain(uint32_t turns) /* 8: multiply, add */
{
    uint32_t x = opaque(7), y = opaque(0x12345677);

    while (turns--) {
        REPEAT_4(x = x * y + 0x3039;)
    }
    return x;
}

uint32_t work_multiply_independent(uint32_t turns) /* 8 in four chains: multiply, add */
{
    uint32_t a = opaque(1), b = opaque(3), c = opaque(5), d = opaque(7), y = opaque(0x12345677);

    while (turns--) {
        a = a * y + 1;
        b = b * y + 3;
        c = c * y + 5;
        d = d * y + 7;
        a = a * y + 9;
        b = b * y + 11;
        c = c * y + 13;
        d = d * y + 15;
    }
    return a ^ b ^ c ^ d;
}

uint32_t work_multiply_wide(uint32_t turns) /* 4 with a double-width product */
{
    uint32_t x = opaque(0x87654321), y = opaque(0xfedcba97);

    while (turns--) {
        REPEAT_4({
            uint64_t product = (uint64_t)x * y;
            x = (uint32_t)(product >> 32) ^ (uint32_t)product;
        })
    }
    return x;
}

uint32_t work_divide_chain(uint32_t turns) /* 4 */
{
    uint32_t x = opaque(77), y = opaque(0xfffffff1);

    while (turns--) {
        REPEAT_4(x = y / (x | 3);)
        y -= 5;
    }
    return x + y;
}

uint32_t work_divide_signed(uint32_t turns) /* 8: quotients and remainders that need no other */
{
    int32_t x = (int32_t)opaque(0x7fffff31), y = (int32_t)opaque((uint32_t)-13);
    uint32_t sum = 0;

    while (turns--) {
        REPEAT_4(sum += (uint32_t)(x / y) ^ (uint32_t)(x % y); x -= 12345;)
    }
    return sum;
}

uint32_t work_bit_fields(uint32_t turns) /* 16: insert, extract */
{
    uint32_t x = opaque(0x12345678), y = opaque(0x9abcdef0);

    while (turns--) {
        REPEAT_4(x = (x & ~(0x3ffu << 7)) | (y & 0x3ff) << 7; y += x >> 13 & 0x7f;
                 x = (x & ~(0xffu << 20)) | (y & 0xff) << 20;
                 y ^= (uint32_t)((int32_t)(x << 4) >> 24);)
    }
    return x ^ y;
}

uint32_t work_bit_scan(uint32_t turns) /* 12: leading zeros, trailing zeros, bytes reversed */
{
    uint32_t x = opaque(0x00345600), sum = 0;

    while (turns--) {
        REPEAT_4(sum += (uint32_t)__builtin_clz(x | 1);
                 sum ^= (uint32_t)__builtin_ctz(x | 0x80000000); x = __builtin_bswap32(x) + 0x1001;)
    }
    return sum;
}
