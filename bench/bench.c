/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The benchmark's main loop: answers the runner's commands on the console, one line each.
 *
 *   bench 1                          said once, when it listens
 *   list                             "row NAME CLASS OPERATIONS" for each row this machine has,
 * "end" run NAME [MILLISECONDS [SAMPLES]] "turns N"; for each sample "go", N turns of the row,
 * "done"; "sum GOT WANTED" of CHECK_TURNS turns, "end" quit                             ends the
 * machine
 *
 * The runner takes the time between "go" and "done". The machine's own clock only finds how many
 * turns make a sample long enough. What cannot be done is answered with "error TEXT".
 */
#include "machine.h"

enum { CHECK_TURNS = 3, LONGEST_LINE = 128, MOST_WORDS = 4 };
enum { DEFAULT_MILLISECONDS = 20, DEFAULT_SAMPLES = 3, MOST_TURNS = 0x40000000 };

#define WORK(name, class, operations, wanted, needs) uint32_t work_##name(uint32_t turns);
#define PROBE(name, class, operations, wanted, needs) uint32_t probe_##name(uint32_t turns);
#include "rows.def"

struct row {
    const char *name, *class;
    uint32_t (*work)(uint32_t turns);  /* compiled, or */
    uint32_t (*probe)(uint32_t turns); /* assembly, called as the machine's probes want it */
    uint32_t operations;               /* a turn */
    uint32_t wanted;                   /* the checksum of CHECK_TURNS turns */
    uint32_t needs;                    /* features, as in the machine's rows.def */
};

static const struct row rows[] = {
#define WORK(name, class, operations, wanted, needs)                                               \
    {#name, class, work_##name, NULL, operations, wanted, needs},
#define PROBE(name, class, operations, wanted, needs)                                              \
    {#name, class, NULL, probe_##name, operations, wanted, needs},
#include "rows.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ---- lines ----------------------------------------------------------------------------------- */

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

void bench_put_hex(uint64_t n)
{
    int shift = 60;

    while (shift && !(n >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        machine_put_char("0123456789abcdef"[n >> shift & 15]);
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

static int is_same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Cuts a line into words; returns how many there are. What does not fit is dropped. */
static int read_words(char line[LONGEST_LINE], char *words[MOST_WORDS])
{
    int used = 0, count = 0;
    char c;

    while ((c = machine_get_char()) != '\n')
        if (c != '\r' && used < LONGEST_LINE - 1)
            line[used++] = c;
    line[used] = '\0';
    for (char *s = line; *s && count < MOST_WORDS;) {
        while (*s == ' ')
            s++;
        if (*s)
            words[count++] = s;
        while (*s && *s != ' ')
            s++;
        if (*s)
            *s++ = '\0';
    }
    return count;
}

/* A decimal number from 1 to 99999; 0 if it is not one. */
static uint32_t read_number(const char *s)
{
    uint32_t n = 0;

    for (; *s >= '0' && *s <= '9' && n < 10000; s++)
        n = n * 10 + (uint32_t)(*s - '0');
    return *s ? 0 : n;
}

static void put_error(const char *text, const char *word)
{
    bench_put_string("error ");
    bench_put_string(text);
    bench_put_string(word);
    bench_put_string("\n");
}

/* ---- commands -------------------------------------------------------------------------------- */

static int can_run(const struct row *row)
{
    return !(row->needs & ~machine_features());
}

static void list_rows(void)
{
    for (int i = 0; i < ROWS; i++) {
        if (!can_run(&rows[i]))
            continue;
        bench_put_string("row ");
        bench_put_string(rows[i].name);
        bench_put_string(" ");
        bench_put_string(rows[i].class);
        bench_put_string(" ");
        bench_put_number(rows[i].operations);
        bench_put_string("\n");
    }
    bench_put_string("end\n");
}

static uint32_t do_turns(const struct row *row, uint32_t turns)
{
    return row->work ? row->work(turns) : machine_probe(row->probe, turns);
}

/* As many turns as take at least so long. */
static uint32_t find_turns(const struct row *row, uint32_t milliseconds)
{
    uint64_t enough = bench_divide(machine_ticks_second() * milliseconds, 1000);

    for (uint32_t turns = 1;; turns *= 2) {
        uint64_t start = machine_ticks();
        do_turns(row, turns);
        if (machine_ticks() - start >= enough || turns >= MOST_TURNS)
            return turns;
    }
}

static void run_row(const struct row *row, uint32_t milliseconds, uint32_t samples)
{
    uint32_t sum = do_turns(row, CHECK_TURNS);
    uint32_t turns = find_turns(row, milliseconds);

    bench_put_string("turns ");
    bench_put_number(turns);
    bench_put_string("\n");
    for (uint32_t i = 0; i < samples; i++) {
        bench_put_string("go\n");
        do_turns(row, turns);
        bench_put_string("done\n");
    }
    bench_put_string("sum ");
    bench_put_hex(sum);
    bench_put_string(" ");
    bench_put_hex(row->wanted);
    bench_put_string("\nend\n");
}

static void run_command(char *words[], int count)
{
    uint32_t milliseconds = count > 2 ? read_number(words[2]) : DEFAULT_MILLISECONDS;
    uint32_t samples = count > 3 ? read_number(words[3]) : DEFAULT_SAMPLES;

    if (count < 2 || !milliseconds || !samples) {
        put_error("usage: run NAME [MILLISECONDS [SAMPLES]]", "");
        return;
    }
    for (int i = 0; i < ROWS; i++)
        if (is_same(rows[i].name, words[1]) && can_run(&rows[i])) {
            run_row(&rows[i], milliseconds, samples);
            return;
        }
    put_error("no row ", words[1]);
}

void bench_serve(void)
{
    char line[LONGEST_LINE], *words[MOST_WORDS];

    for (;;) {
        int count = read_words(line, words);
        if (!count)
            continue;
        if (is_same(words[0], "quit"))
            return;
        if (is_same(words[0], "list"))
            list_rows();
        else if (is_same(words[0], "run"))
            run_command(words, count);
        else
            put_error("no command ", words[0]);
    }
}

void bench_main(void)
{
    machine_init();
    bench_put_string("\nbench 1\n"); /* firmware may have left a line unfinished */
    bench_serve();
}

void bench_unexpected(uintptr_t first, uintptr_t second)
{
    bench_put_string("error unexpected exception ");
    bench_put_hex(first);
    bench_put_string(" ");
    bench_put_hex(second);
    bench_put_string("\n");
    bench_serve();
}
