/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark guest's main loop: sets up the MMU, runs every row long enough to be timed by the
 * generic timer, prints "row NAME PICOSECONDS CHECKSUM" for each on the serial line.
 */
#include "bench.h"

#define UART ((volatile uint32_t *)0x09000000)

extern uint32_t page_table[4096], page_table_b[4096], probe_ring[4096];
void bench_main(void);
void bench_unexpected(uint32_t lr);

#define PROBE(name) void probe_##name(uint32_t turns);
#include "probes.def"
#undef PROBE

struct row {
    const char *name;
    void (*probe)(uint32_t turns);
    uint32_t (*work)(uint32_t turns);
    uint32_t operations; /* a turn */
};

static const struct row rows[] = {
    {"core", NULL, work_core, 1},
    {"core_thumb", NULL, work_core_thumb, 1},
    {"sha256", NULL, work_sha256, 1},
    {"sort", NULL, work_sort, 1},
    {"interpreter", NULL, work_interpreter, 1},
    {"float64", NULL, work_float, 1},
    {"vector32", NULL, work_vector, 1},
#define PROBE_ROW(name, count) {#name, probe_##name, NULL, count},
#include "probes.def"
};

static void put_char(char c)
{
    while (UART[0x18 / 4] & 0x20)
        continue;
    UART[0] = (uint8_t)c;
}

static void put_string(const char *s)
{
    while (*s)
        put_char(*s++);
}

static void put_number(uint64_t n)
{
    char digits[24];
    int i = 0;

    /* n / 10 by repeated 32-bit long division: no 64-bit division routine here */
    do {
        uint64_t quotient = 0, remainder = 0;
        for (int bit = 63; bit >= 0; bit--) {
            remainder = remainder << 1 | (n >> bit & 1);
            quotient <<= 1;
            if (remainder >= 10) {
                remainder -= 10;
                quotient |= 1;
            }
        }
        digits[i++] = (char)('0' + remainder);
        n = quotient;
    } while (n);
    while (i)
        put_char(digits[--i]);
}

static uint64_t counter(void)
{
    uint32_t low, high;

    __asm__ volatile("isb\n\tmrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
    return (uint64_t)high << 32 | low;
}

static uint32_t counter_hz(void)
{
    uint32_t hz;

    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz));
    return hz ? hz : 62500000;
}

static uint64_t divide(uint64_t n, uint64_t d)
{
    uint64_t quotient = 0, remainder = 0;

    for (int bit = 63; bit >= 0; bit--) {
        remainder = remainder << 1 | (n >> bit & 1);
        quotient <<= 1;
        if (remainder >= d) {
            remainder -= d;
            quotient |= 1;
        }
    }
    return quotient;
}

static void mmu_on(void)
{
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t entry = 0;
        if (i < 0x200) /* devices: shareable device, no execute, read and write for all */
            entry = i << 20 | 0xc16;
        else if (i >= 0x400 && i < 0x480) /* RAM: write-back, not global, read and write for all */
            entry = i << 20 | 0x21c0e;
        page_table[i] = page_table_b[i] = entry;
    }
    __asm__ volatile("dsb\n\t"
                     "mcr p15, 0, %0, c2, c0, 0\n\t" /* TTBR0 */
                     "mcr p15, 0, %1, c2, c0, 2\n\t" /* TTBCR */
                     "mcr p15, 0, %2, c3, c0, 0\n\t" /* DACR */
                     "mcr p15, 0, %1, c8, c7, 0\n\t" /* TLBIALL */
                     "dsb\n\tisb\n\t"
                     :
                     : "r"((uint32_t)page_table | 0x4a), "r"(0), "r"(1)
                     : "memory");
    uint32_t control;
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    control |= 1 << 0 | 1 << 2 | 1 << 11 | 1 << 12;
    control &= ~(1u << 1 | 1u << 28 | 1u << 29);
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" : : "r"(control) : "memory");
}

static uint64_t time_turns(const struct row *row, uint32_t turns, uint32_t *checksum)
{
    uint64_t start = counter();

    if (row->work)
        *checksum = row->work(turns);
    else
        row->probe(turns);
    return counter() - start;
}

void bench_unexpected(uint32_t lr)
{
    put_string("unexpected exception at ");
    put_number(lr);
    put_string("\n");
    for (;;)
        continue;
}

static void run_row(const struct row *row, uint32_t hz)
{
    uint32_t turns = 1, checksum = 0;
    uint64_t ticks, best;

    /* the checksum is of a fixed amount of work, so that machines can be compared */
    time_turns(row, 2, &checksum);
    uint32_t first = checksum;
    while ((ticks = time_turns(row, turns, &checksum)) < hz / 40 && turns < 0x40000000)
        turns *= 2;
    best = ticks;
    for (int i = 0; i < 3; i++) {
        ticks = time_turns(row, turns, &checksum);
        if (ticks < best)
            best = ticks;
    }
    /* picoseconds an operation */
    uint64_t ns = divide(best * 1000, hz / 1000000);
    put_string("row ");
    put_string(row->name);
    put_string(" ");
    put_number(divide(divide(ns * 1000, turns), row->operations));
    put_string(" ");
    put_number(first);
    put_string("\n");
}

void bench_main(void)
{
    uint32_t hz = counter_hz();

    UART[0x30 / 4] = 0x301;
    for (uint32_t i = 0; i < 4096; i++)
        probe_ring[i] = (uint32_t)&probe_ring[(i + 1021) % 4096];
    mmu_on();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        run_row(&rows[i], hz);
    put_string("end\n");
}
