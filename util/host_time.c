/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line through the counter and the clock, drawn anew every 2^30 ticks or sooner, under a sequence
 * lock. */
#include "util/host_time.h"

#include <stdio.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "util/monotonic.h"

enum { CALIBRATION_NS = 10000000, READ_TRIES = 4, JUMP_NS = 1000000 };
enum { LINE_BITS = 30, MAX_SLEW = 20 /* one in so many */ };

#ifdef __x86_64__
/* The counter runs at one rate (APM vol. 3, CPUID 8000_0007) and the host's kernel uses it. */
static bool counter_is_trusted(void)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char name[32] = "";
    unsigned a, b, c, d;
    FILE *file;

    if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1 << 8))
        return false;
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(name, sizeof(name), file))
        name[0] = 0;
    fclose(file);
    return !strcmp(name, "tsc\n") || !strcmp(name, "kvm-clock\n");
}
#else
static bool counter_is_trusted(void)
{
    return false;
}
#endif

/* Both at one moment: of some tries the quickest. */
static void read_both(uint64_t *ticks, int64_t *ns)
{
    uint64_t best = 0;

    for (unsigned i = 0; i < READ_TRIES; i++) {
        uint64_t before = host_time_counter(), after;
        int64_t now = monotonic_ns();

        after = host_time_counter();
        if (!i || after - before < best) {
            best = after - before;
            *ticks = before + best / 2;
            *ns = now;
        }
    }
}

void host_time_init(struct host_time *t)
{
    memset(t, 0, sizeof(*t));
    pthread_mutex_init(&t->lock, NULL);
    t->has_counter = counter_is_trusted();
    if (t->has_counter)
        read_both(&t->first_ticks, &t->first_ns);
}

void host_time_finish(struct host_time *t)
{
    pthread_mutex_destroy(&t->lock);
}

static int64_t scaled(uint64_t ticks, uint64_t scale)
{
    return (int64_t)((unsigned __int128)ticks * scale >> HOST_TIME_SCALE_BITS);
}

/* What the present line says, beyond its end too: there the correction in its slope is over. */
static int64_t line_ns(const struct host_time *t, uint64_t ticks)
{
    const struct host_time_line *line = &t->line;
    uint64_t delta = ticks - line->ticks;

    if ((int64_t)delta < 0)
        return line->ns;
    if (delta <= line->limit)
        return line->ns + scaled(delta, line->scale);
    return line->ns + scaled(line->limit, line->scale) + scaled(delta - line->limit, t->true_scale);
}

static void publish(struct host_time *t, const struct host_time_line *line)
{
    uint32_t sequence = t->sequence;

    __atomic_store_n(&t->sequence, sequence + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&t->line.ticks, line->ticks, __ATOMIC_RELAXED);
    __atomic_store_n(&t->line.limit, line->limit, __ATOMIC_RELAXED);
    __atomic_store_n(&t->line.scale, line->scale, __ATOMIC_RELAXED);
    __atomic_store_n(&t->line.ns, line->ns, __ATOMIC_RELAXED);
    __atomic_store_n(&t->sequence, sequence + 2, __ATOMIC_RELEASE);
}

/* A line that begins where the last one is, and meets the clock at its end. */
static int64_t draw_line(struct host_time *t)
{
    struct host_time_line line;
    int64_t now, error, span;

    read_both(&line.ticks, &now);
    if (now - t->first_ns < CALIBRATION_NS)
        return now;
    line.ns = t->line.limit ? line_ns(t, line.ticks) : now;
    /* As far ahead as the rate is known: a reading's error does not grow. */
    line.limit = MIN(UINT64_C(1) << LINE_BITS, (line.ticks - t->first_ticks) / 2);
    error = now - line.ns;
    if (error > JUMP_NS) { /* the host slept */
        line.ns = now;
        error = 0;
    }
    t->true_scale = (uint64_t)(((unsigned __int128)(now - t->first_ns) << HOST_TIME_SCALE_BITS) /
                               (line.ticks - t->first_ticks));
    span = scaled(line.limit, t->true_scale);
    error = MAX(-span / MAX_SLEW, MIN(error, span / MAX_SLEW));
    line.scale =
        t->true_scale + (uint64_t)((__int128)t->true_scale * error / span); /* error has a sign */
    publish(t, &line);
    return line.ns;
}

int64_t host_time_ns_slowly(struct host_time *t)
{
    int64_t ns;

    if (!t->has_counter)
        return monotonic_ns();
    pthread_mutex_lock(&t->lock);
    ns = draw_line(t);
    pthread_mutex_unlock(&t->lock);
    return ns;
}
