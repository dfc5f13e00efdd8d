/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of what calque did: one list (counters.def) and one way to print them.
 *
 * Whoever counts has a struct counters of its own (each vCPU, each MMU, the code cache), so that
 * counting is one addition without a lock; they are summed when they are printed. Count in slow
 * paths only.
 */
#ifndef CALQUE_UTIL_COUNTERS_H
#define CALQUE_UTIL_COUNTERS_H

#include <stdio.h>

#include "util/compiler.h"

enum counter {
#define COUNTER(name, text, description) COUNT_##name,
#include "util/counters.def"
#undef COUNTER
    N_COUNTERS
};

struct counters {
    uint64_t n[N_COUNTERS];
};

static inline void count(struct counters *counters, unsigned which)
{
    counters->n[which]++;
}

const char *counter_name(unsigned which);
const char *counter_description(unsigned which);
void counters_add(struct counters *sum, const struct counters *more);

/* ---- printing -------------------------------------------------------------------------------- */

enum stats_form {
    STATS_LOG,   /* "stats: NAME VALUE  description" */
    STATS_TABLE, /* the same in columns, for people */
    STATS_JSON,  /* one object in one line: {"NAME": VALUE, ...} */
};

struct stats_writer {
    FILE *out;
    enum stats_form form;
    unsigned n; /* figures written */
};

void stats_begin(struct stats_writer *w, FILE *out, enum stats_form form);
void stats_number(struct stats_writer *w, const char *name, uint64_t value,
                  const char *description);
/* value / per, or 0 where there was nothing. */
void stats_ratio(struct stats_writer *w, const char *name, double value, double per,
                 const char *description);
void stats_counters(struct stats_writer *w, const struct counters *counters);
void stats_end(struct stats_writer *w);

#endif
