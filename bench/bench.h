/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the benchmark share. Bare metal: no library.
 *
 * A row is a function that does so many turns and returns a checksum, which depends on the number
 * of turns alone: not on the machine, on its word size or byte order, nor on what ran before.
 * Compiled rows are called work_NAME and shared by all guests (shared.def); those in assembly are
 * called probe_NAME.
 */
#ifndef CALQUE_BENCH_BENCH_H
#define CALQUE_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

void bench_main(void);
void bench_serve(void);                                   /* answers commands until told to quit */
void bench_unexpected(uintptr_t first, uintptr_t second); /* says so and serves on */
void bench_put_string(const char *s);
void bench_put_number(uint64_t n);
void bench_put_hex(uint64_t n);
uint64_t bench_divide(uint64_t n, uint64_t d); /* no division routine is linked */

/* Memory that rows share, in pages of 4 KiB where there is an MMU. What is prepared in it stays
 * until another row claims it: the first call of a row may be slow, those that are timed are not.
 */
enum { PAGE = 4096, ARENA_BYTES = 24 << 20 };
/* Aligned at least so: else MIPS would get LWL and LWR, SWL and SWR for each access of a word. */
extern uint8_t bench_arena[ARENA_BYTES] __attribute__((aligned(PAGE)));
int bench_claim(const void *owner); /* whether it has to be prepared */

/* What each machine, and the native program, provides. */
void machine_init(void);
void machine_put_char(char c);
char machine_get_char(void); /* waits */
uint64_t machine_ticks(void);
uint64_t machine_ticks_second(void);
uint32_t machine_features(void); /* bits as in the machine's rows.def */
uint32_t machine_probe(uint32_t (*probe)(uint32_t turns), uint32_t turns);

/* Adds a value to a checksum. */
static inline uint32_t mix(uint32_t sum, uint32_t value)
{
    return sum * 0x01000193 + value;
}

/* The compiler may assume nothing about the value. */
static inline uint32_t opaque(uint32_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* xorshift32; never 0 */
static inline uint32_t next_random(uint32_t seed)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    return seed ^ seed << 5;
}

/* The statement of a macro for each number from 0 on: straight code, whatever a compiler prefers.
 */
#define FOR_4(statement) statement(0) statement(1) statement(2) statement(3)
#define FOR_8(statement) FOR_4(statement) statement(4) statement(5) statement(6) statement(7)
#define FOR_16(statement)                                                                          \
    FOR_8(statement)                                                                               \
    statement(8) statement(9) statement(10) statement(11) statement(12) statement(13)              \
        statement(14) statement(15)

#endif
