/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding counters up, and printing figures in three forms. */
#include "util/counters.h"

#include <inttypes.h>

static const struct {
    const char *name, *description;
} rows[N_COUNTERS] = {
#define COUNTER(name, text, description) {text, description},
#include "util/counters.def"
#undef COUNTER
};

const char *counter_name(unsigned which)
{
    return rows[which].name;
}

const char *counter_description(unsigned which)
{
    return rows[which].description;
}

void counters_add(struct counters *sum, const struct counters *more)
{
    for (unsigned i = 0; i < N_COUNTERS; i++)
        sum->n[i] += more->n[i];
}

static void put(struct stats_writer *w, const char *name, const char *value,
                const char *description)
{
    switch (w->form) {
    case STATS_LOG:
        fprintf(w->out, "stats: %s %s  %s\n", name, value, description);
        break;
    case STATS_TABLE:
        fprintf(w->out, "%-28s %16s  %s\n", name, value, description);
        break;
    case STATS_JSON:
        fprintf(w->out, "%s\"%s\": %s", w->n ? ", " : "", name, value);
        break;
    }
    w->n++;
}

void stats_begin(struct stats_writer *w, FILE *out, enum stats_form form)
{
    *w = (struct stats_writer){.out = out, .form = form};
    if (form == STATS_JSON)
        fputs("{", out);
}

void stats_number(struct stats_writer *w, const char *name, uint64_t value, const char *description)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    put(w, name, text, description);
}

void stats_ratio(struct stats_writer *w, const char *name, double value, double per,
                 const char *description)
{
    char text[64];

    snprintf(text, sizeof(text), "%.2f", per > 0 ? value / per : 0.0);
    put(w, name, text, description);
}

void stats_counters(struct stats_writer *w, const struct counters *counters)
{
    for (unsigned i = 0; i < N_COUNTERS; i++)
        stats_number(w, rows[i].name, counters->n[i], rows[i].description);
}

void stats_end(struct stats_writer *w)
{
    if (w->form == STATS_JSON)
        fputs("}\n", w->out);
}
