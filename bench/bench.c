/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark's main loop: runs every row of the machine's rows.def long enough to be timed and
 * prints "row NAME PICOSECONDS CHECKSUM CLASS" for each.
 */
#include "bench.h"

#define WORK(name, class, needs)
#define PROBE(name, class, count, needs) void probe_##name(uint32_t turns);
#include "rows.def"

struct row {
    const char *name, *class;
    void (*probe)(uint32_t turns);
    uint32_t (*work)(uint32_t turns);
    uint32_t operations; /* a turn */
    uint32_t needs;
};

static const struct row rows[] = {
#define WORK(name, class, needs) {#name, #class, NULL, work_##name, 1, needs},
#define PROBE(name, class, count, needs) {#name, #class, probe_##name, NULL, count, needs},
#include "rows.def"
};

void bench_put_string(const char *s)
{
    while (*s)
        machine_put_char(*s++);
}

void bench_put_number(uint64_t n)
{
    char digits[24];
    int i = 0;

    do {
        uint64_t tenth = bench_divide(n, 10);
        digits[i++] = (char)('0' + (n - tenth * 10));
        n = tenth;
    } while (n);
    while (i)
        machine_put_char(digits[--i]);
}

uint64_t bench_divide(uint64_t n, uint64_t d)
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

static int is_wanted(const char *name, const char *filter)
{
    if (!filter)
        return 1;
    for (; *name; name++) {
        int i = 0;
        while (filter[i] && name[i] == filter[i])
            i++;
        if (!filter[i])
            return 1;
    }
    return 0;
}

static uint64_t time_turns(const struct row *row, uint32_t turns, uint32_t *checksum)
{
    uint64_t start = machine_ticks();

    if (row->work)
        *checksum = row->work(turns);
    else
        machine_probe(row->probe, turns);
    return machine_ticks() - start;
}

static void run_row(const struct row *row, uint64_t hz)
{
    uint32_t turns = 1, checksum = 0;
    uint64_t ticks, best, enough = bench_divide(hz, 60);

    /* the checksum is of a fixed amount of work, so that machines can be compared */
    time_turns(row, 2, &checksum);
    uint32_t first = checksum;
    while ((ticks = time_turns(row, turns, &checksum)) < enough && turns < 0x40000000)
        turns *= 2;
    best = ticks;
    for (int i = 0; i < 3; i++) {
        ticks = time_turns(row, turns, &checksum);
        if (ticks < best)
            best = ticks;
    }
    uint64_t ns = bench_divide(best * 1000000, bench_divide(hz, 1000));
    bench_put_string("row ");
    bench_put_string(row->name);
    bench_put_string(" ");
    bench_put_number(bench_divide(bench_divide(ns * 1000, turns), row->operations));
    bench_put_string(" ");
    bench_put_number(first);
    bench_put_string(" ");
    bench_put_string(row->class);
    bench_put_string("\n");
}

void bench_main(void)
{
    machine_init();
    uint64_t hz = machine_ticks_second();
    uint32_t features = machine_features();
    const char *filter = machine_filter();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!(rows[i].needs & ~features) && is_wanted(rows[i].name, filter))
            run_row(&rows[i], hz);
    bench_put_string("end\n");
}
