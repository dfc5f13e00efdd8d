/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bit fields of registers and instructions: extract and deposit instead of C bit-fields. Pure. */
#ifndef CALQUE_UTIL_BITS_H
#define CALQUE_UTIL_BITS_H

#include <string.h>

#include "util/compiler.h"

/* Zero, for some hundred bytes: where compilers know the size they use `rep stos`, which takes as
 * long to get going as all of it takes by vector stores. */
static inline void zero_bytes(void *to, size_t bytes)
{
    __asm__("" : "+r"(bytes));
    memset(to, 0, bytes);
}

static inline uint32_t extract32(uint32_t value, unsigned start, unsigned length)
{
    return (value >> start) & (~UINT32_C(0) >> (32 - length));
}

static inline int32_t sextract32(uint32_t value, unsigned start, unsigned length)
{
    return (int32_t)(value << (32 - length - start)) >> (32 - length);
}

static inline uint32_t deposit32(uint32_t value, unsigned start, unsigned length, uint32_t field)
{
    uint32_t mask = (~UINT32_C(0) >> (32 - length)) << start;
    return (value & ~mask) | ((field << start) & mask);
}

static inline uint64_t extract64(uint64_t value, unsigned start, unsigned length)
{
    return (value >> start) & (~UINT64_C(0) >> (64 - length));
}

static inline int64_t sextract64(uint64_t value, unsigned start, unsigned length)
{
    return (int64_t)(value << (64 - length - start)) >> (64 - length);
}

static inline uint64_t deposit64(uint64_t value, unsigned start, unsigned length, uint64_t field)
{
    uint64_t mask = (~UINT64_C(0) >> (64 - length)) << start;
    return (value & ~mask) | ((field << start) & mask);
}

static inline uint32_t ror32(uint32_t value, unsigned amount)
{
    amount &= 31;
    return amount ? (value >> amount) | (value << (32 - amount)) : value;
}

static inline uint64_t ror64(uint64_t value, unsigned amount)
{
    amount &= 63;
    return amount ? (value >> amount) | (value << (64 - amount)) : value;
}

static inline bool is_power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return align_down(value + alignment - 1, alignment);
}

/* Unaligned memory access in the host's (little-endian) order and in a stated order. */
#define DEFINE_UNALIGNED(bits)                                                                     \
    static inline uint##bits##_t load_le##bits(const void *p)                                      \
    {                                                                                              \
        uint##bits##_t v;                                                                          \
        memcpy(&v, p, sizeof(v));                                                                  \
        return v;                                                                                  \
    }                                                                                              \
    static inline void store_le##bits(void *p, uint##bits##_t v)                                   \
    {                                                                                              \
        memcpy(p, &v, sizeof(v));                                                                  \
    }                                                                                              \
    static inline uint##bits##_t load_be##bits(const void *p)                                      \
    {                                                                                              \
        return __builtin_bswap##bits(load_le##bits(p));                                            \
    }                                                                                              \
    static inline void store_be##bits(void *p, uint##bits##_t v)                                   \
    {                                                                                              \
        store_le##bits(p, __builtin_bswap##bits(v));                                               \
    }
DEFINE_UNALIGNED(16)
DEFINE_UNALIGNED(32)
DEFINE_UNALIGNED(64)
#undef DEFINE_UNALIGNED

#endif
