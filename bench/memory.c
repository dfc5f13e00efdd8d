/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads, stores, copies, pages, atomic operations, pointer chases. Compiled without vectors. */
#include "bench.h"

#define NO_INLINE __attribute__((noinline, noclone))
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* A buffer of the arena's last pages, which nothing prepared in advance uses. */
enum { BUFFER_BYTES = 64 << 10 };
#define BUFFER (bench_arena + ARENA_BYTES - BUFFER_BYTES)

/* ---- by size --------------------------------------------------------------------------------- */

#define LOAD(i) sum += p[(i)*8];
#define STORE(i) p[(i)*8] = (__typeof__(p[0]))turns;
#define BY_SIZE(bits)                                                                              \
    uint32_t work_load_##bits(uint32_t turns) /* 16 */                                             \
    {                                                                                              \
        volatile uint##bits##_t *p = (void *)BUFFER;                                               \
        uint##bits##_t sum = 0;                                                                    \
        for (uint32_t i = 0; i < 16; i++)                                                          \
            p[i * 8] = (uint##bits##_t)(i * 0x01234567);                                           \
        while (turns--) {                                                                          \
            FOR_16(LOAD)                                                                           \
        }                                                                                          \
        return (uint32_t)sum;                                                                      \
    }                                                                                              \
    uint32_t work_store_##bits(uint32_t turns) /* 16 */                                            \
    {                                                                                              \
        volatile uint##bits##_t *p = (void *)BUFFER;                                               \
        uint32_t sum = 0;                                                                          \
        while (turns--) {                                                                          \
            FOR_16(STORE)                                                                          \
            p[0] = 0x5a;                                                                           \
        }                                                                                          \
        for (int i = 0; i < 16; i++)                                                               \
            sum = mix(sum, (uint32_t)p[i * 8]);                                                    \
        return sum;                                                                                \
    }
BY_SIZE(8)
BY_SIZE(16)
BY_SIZE(32)
BY_SIZE(64)

/* ---- off alignment: the bytes are the same forwards and backwards ---------------------------- */

struct __attribute__((packed)) unaligned {
    uint32_t value;
};

static void fill_palindromes(uint8_t *p, uint32_t stride)
{
    for (uint32_t i = 0; i < 8; i++, p += stride) {
        p[0] = p[3] = (uint8_t)(i * 5 + 1);
        p[1] = p[2] = (uint8_t)(i * 77);
    }
}

#define AT(i) (((volatile struct unaligned *)(p + (i)*stride))->value)
#define LOAD_UNALIGNED(i) sum += AT(i);
#define STORE_UNALIGNED(i) AT(i) = (turns & 0xff) * 0x01000001u;

static ALWAYS_INLINE uint32_t load_off_alignment(uint32_t turns, uint8_t *p, uint32_t stride)
{
    uint32_t sum = 0;

    fill_palindromes(p, stride);
    while (turns--) {
        FOR_8(LOAD_UNALIGNED)
    }
    return sum;
}

static ALWAYS_INLINE uint32_t store_off_alignment(uint32_t turns, uint8_t *p, uint32_t stride)
{
    uint32_t sum = 0;

    while (turns--) {
        FOR_8(STORE_UNALIGNED)
    }
    for (uint32_t i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++)
            sum = mix(sum, p[i * stride + (uint32_t)j] + (uint32_t)j);
    return sum;
}

uint32_t work_load_unaligned(uint32_t turns) /* 8 within lines */
{
    return load_off_alignment(turns, BUFFER + 1, 8);
}

uint32_t work_store_unaligned(uint32_t turns) /* 8 within lines */
{
    return store_off_alignment(turns, BUFFER + 1, 8);
}

uint32_t work_load_page_cross(uint32_t turns) /* 8, each across another end of a page */
{
    return load_off_alignment(turns, BUFFER + PAGE - 2, PAGE);
}

uint32_t work_store_page_cross(uint32_t turns) /* 8, each across another end of a page */
{
    return store_off_alignment(turns, BUFFER + PAGE - 2, PAGE);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static NO_INLINE void copy_words(uint32_t *to, const uint32_t *from, uint32_t count)
{
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
}

static NO_INLINE void copy_bytes(uint8_t *to, const uint8_t *from, uint32_t count)
{
    while (count--)
        *to++ = *from++;
}

static NO_INLINE void set_words(uint32_t *to, uint32_t value, uint32_t count)
{
    for (; count >= 4; count -= 4, to += 4)
        to[0] = to[1] = to[2] = to[3] = value;
}

static uint32_t sum_words(const uint32_t *p, uint32_t count)
{
    uint32_t sum = 0;

    while (count--)
        sum = mix(sum, *p++);
    return sum;
}

uint32_t work_copy_4k(uint32_t turns) /* 1024 words from one page to another */
{
    uint32_t *from = (void *)BUFFER, *to = from + 4096;

    for (uint32_t i = 0; i < 1024; i++)
        from[i] = i * 0x9e3779b9;
    while (turns--) {
        from[turns & 1023] = 7;
        copy_words(to, from, 1024);
    }
    return sum_words(to, 1024);
}

uint32_t work_copy_bytes(uint32_t turns) /* 64, one by one */
{
    uint8_t *from = BUFFER, *to = from + 4096 + 1;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < 64; i++)
        from[i] = (uint8_t)(i * 5);
    while (turns--) {
        from[turns & 63] = 7;
        copy_bytes(to, from, 64);
    }
    for (uint32_t i = 0; i < 64; i++)
        sum = mix(sum, to[i]);
    return sum;
}

uint32_t work_set_4k(uint32_t turns) /* 1024 words */
{
    uint32_t *to = (void *)BUFFER;

    while (turns--)
        set_words(to, turns + 77, 1024);
    return sum_words(to, 1024);
}

/* ---- many pages ------------------------------------------------------------------------------ */

static uint32_t touch_pages(uint32_t turns, uint32_t pages)
{
    uint32_t at = 0, sum = 0;

    if (bench_claim(touch_pages))
        for (uint32_t i = 0; i < 4096; i++)
            *(volatile uint32_t *)(bench_arena + i * PAGE + (i * 64 & (PAGE - 1))) = i;
    while (turns--)
        for (int i = 0; i < 64; i++) {
            sum += *(volatile uint32_t *)(bench_arena + at * PAGE + (at * 64 & (PAGE - 1)));
            at = (at + 37) & (pages - 1);
        }
    return sum;
}

uint32_t work_pages_256(uint32_t turns) /* 64 loads from as many pages */
{
    return touch_pages(turns, 256);
}

uint32_t work_pages_2048(uint32_t turns) /* 64 loads from as many pages */
{
    return touch_pages(turns, 2048);
}

uint32_t work_pages_4096(uint32_t turns) /* 64 loads from as many pages */
{
    return touch_pages(turns, 4096);
}

/* ---- atomic operations ----------------------------------------------------------------------- */

#define ATOMIC_ADD(i) sum += __atomic_fetch_add(p, i, __ATOMIC_RELAXED);
#define ATOMIC_EXCHANGE(i) value = __atomic_exchange_n(p, value + (i), __ATOMIC_RELAXED);
#define ATOMIC_COMPARE(i)                                                                          \
    if (__atomic_compare_exchange_n(p, &value, value + (i), 0, __ATOMIC_RELAXED,                   \
                                    __ATOMIC_RELAXED))                                             \
        value += i;
#define TAKE_LOCK(i)                                                                               \
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE))                                         \
        continue;                                                                                  \
    *guarded += i;                                                                                 \
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
#define STORE_AND_FENCE(i)                                                                         \
    p[i] = turns + (i);                                                                            \
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

uint32_t work_atomic_add(uint32_t turns) /* 8 */
{
    uint32_t *p = (void *)BUFFER, sum = 0;

    *p = 3;
    while (turns--) {
        FOR_8(ATOMIC_ADD)
    }
    return sum;
}

uint32_t work_atomic_exchange(uint32_t turns) /* 8 */
{
    uint32_t *p = (void *)BUFFER, value = 5;

    *p = 3;
    while (turns--) {
        FOR_8(ATOMIC_EXCHANGE)
    }
    return value + *p;
}

uint32_t work_atomic_compare(uint32_t turns) /* 8 that succeed */
{
    uint32_t *p = (void *)BUFFER, value = 5;

    *p = 5;
    while (turns--) {
        FOR_8(ATOMIC_COMPARE)
    }
    return value + *p;
}

uint32_t work_lock(uint32_t turns) /* 4: a spin lock taken and given back, with its barriers */
{
    uint32_t *lock = (void *)BUFFER, *guarded = lock + 64;

    *lock = *guarded = 0;
    while (turns--) {
        FOR_4(TAKE_LOCK)
    }
    return *guarded + *lock;
}

uint32_t work_fence(uint32_t turns) /* 4 barriers, each after a store */
{
    volatile uint32_t *p = (void *)BUFFER;

    while (turns--) {
        FOR_4(STORE_AND_FENCE)
    }
    return p[0] + p[3];
}

/* ---- pointer chases: one cycle through all lines, in random order (Sattolo's algorithm) ------ */

enum { LINE = 64 };

static void make_cycle(uint32_t lines)
{
    uint32_t seed = 0x2545f491, *order = (void *)(bench_arena + (16 << 20));

    for (uint32_t i = 0; i < lines; i++)
        order[i] = i;
    for (uint32_t i = lines - 1; i; i--) {
        seed = next_random(seed);
        uint32_t j = (uint32_t)((uint64_t)seed * i >> 32), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < lines; i++)
        *(void **)(bench_arena + order[i] * LINE) =
            bench_arena + order[i + 1 < lines ? i + 1 : 0] * LINE;
}

#define FOLLOW(i) p = *(void *volatile *)p;

static uint32_t chase(uint32_t turns, uint32_t bytes)
{
    static uint32_t made;
    void *p = bench_arena;

    if (bench_claim(chase) || made != bytes) {
        made = bytes;
        make_cycle(bytes / LINE);
    }
    while (turns--) {
        FOR_16(FOLLOW)
    }
    return (uint32_t)((uint8_t *)p - bench_arena) / LINE;
}

uint32_t work_chase_4k(uint32_t turns) /* 16 */
{
    return chase(turns, 4 << 10);
}

uint32_t work_chase_256k(uint32_t turns) /* 16 */
{
    return chase(turns, 256 << 10);
}

uint32_t work_chase_16m(uint32_t turns) /* 16 */
{
    return chase(turns, 16 << 20);
}
