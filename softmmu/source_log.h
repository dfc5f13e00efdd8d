/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page-table entries the translations of one space were made from. Where a guest says that
 * translations may be out of date, comparing these with what memory holds now keeps the ones that
 * are not.
 */
#ifndef CALQUE_SOFTMMU_SOURCE_LOG_H
#define CALQUE_SOFTMMU_SOURCE_LOG_H

#include "util/compiler.h"

/* One page-table entry that a walk read. */
struct tlb_source {
    uintptr_t entry; /* where it is in the host's memory; root: offset in a top-level table */
    uint64_t value;  /* as the walk left it */
    uint64_t va;     /* any address it translates */
    uint8_t span_bits, bytes; /* 2 to this many addresses it translates; its size, 4 or 8 */
    uint8_t root;             /* 0, or 1 + number of the top-level table it is in */
};

enum { MAX_ROOTS = 2 };

enum { SOURCE_LOG_SIZE = 2048, SOURCE_LOG_BUCKETS = 1024, SOURCE_GROUP = 8 };

/* So many entries, from a multiple on. A guest that goes through its memory has many that lie one
 * after the other in one table, as they do here: these are compared together. */
struct source_group {
    enum { GROUP_UNKNOWN, GROUP_APART, GROUP_IN_LINE } kind;
    uint64_t image[SOURCE_GROUP]; /* GROUP_IN_LINE: what memory holds if none has changed */
};

struct source_log {
    unsigned n;
    bool incomplete; /* something is missing: nothing can be said by comparing */
    uint16_t bucket[SOURCE_LOG_BUCKETS]; /* 1 + index */
    uint16_t next[SOURCE_LOG_SIZE];
    struct tlb_source source[SOURCE_LOG_SIZE];
    struct source_group group[SOURCE_LOG_SIZE / SOURCE_GROUP];
};

void source_log_clear(struct source_log *log);
/* False: the log had it with another value, which is replaced. What was translated by that has to
 * go. */
bool source_log_add(struct source_log *log, const struct tlb_source *source);
/* Takes an entry whose value has changed out of the log, and all below it. False: there is none.
 * roots: where the top-level tables are now, NULL: nowhere. *position: where to begin to look; 0 at
 * first. */
bool source_log_next_changed(struct source_log *log, const uint8_t *const roots[MAX_ROOTS],
                             unsigned *position, struct tlb_source *out);
/* The same for one entry as it is now: true if the log had it with another value. */
bool source_log_take_changed(struct source_log *log, const struct tlb_source *now);

#endif
