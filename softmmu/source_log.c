/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of page-table entries: an array, and a hash over it to find an entry again. */
#include "softmmu/source_log.h"

#include <string.h>

static uint16_t *bucket_of(struct source_log *log, const struct tlb_source *source)
{
    /* An entry's place in its table is part of both: a sum of the two would lose it. */
    uint64_t hash = source->entry * UINT64_C(0x9e3779b97f4a7c15) +
                    (source->va >> source->span_bits) * UINT64_C(0xc2b2ae3d27d4eb4f);

    return &log->bucket[hash >> 54];
}

/* A page of tables may be reached from several places. */
static bool is_same_place(const struct tlb_source *a, const struct tlb_source *b)
{
    return a->entry == b->entry && a->span_bits == b->span_bits && a->root == b->root &&
           !((a->va ^ b->va) >> a->span_bits);
}

void source_log_clear(struct source_log *log)
{
    log->incomplete = false;
    if (!log->n)
        return;
    log->n = 0;
    memset(log->bucket, 0, sizeof(log->bucket));
}

static uint64_t first_address(const struct tlb_source *source)
{
    return source->va & ~((UINT64_C(1) << source->span_bits) - 1);
}

static struct tlb_source *source_log_find(struct source_log *log, const struct tlb_source *source)
{
    for (unsigned k = *bucket_of(log, source); k; k = log->next[k - 1]) {
        if (is_same_place(&log->source[k - 1], source))
            return &log->source[k - 1];
    }
    return NULL;
}

bool source_log_add(struct source_log *log, const struct tlb_source *given)
{
    struct tlb_source source = *given, *known;
    uint16_t *bucket;

    source.va = first_address(&source);
    known = source_log_find(log, &source);
    if (known) {
        bool same = known->value == source.value;

        known->value = source.value;
        return same;
    }
    if (UNLIKELY(log->n == SOURCE_LOG_SIZE)) {
        log->incomplete = true;
        return true;
    }
    bucket = bucket_of(log, &source);
    log->source[log->n] = source;
    log->next[log->n] = *bucket;
    *bucket = (uint16_t)++log->n;
    return true;
}

static uint16_t *link_to(struct source_log *log, unsigned index)
{
    uint16_t *at = bucket_of(log, &log->source[index]);

    while (*at != index + 1)
        at = &log->next[*at - 1];
    return at;
}

/* The last one takes its place. */
static void source_log_remove(struct source_log *log, unsigned index)
{
    unsigned last = log->n - 1;

    *link_to(log, index) = log->next[index];
    if (index != last) {
        *link_to(log, last) = (uint16_t)(index + 1);
        log->source[index] = log->source[last];
        log->next[index] = log->next[last];
    }
    log->n--;
}

static bool is_current(const struct tlb_source *source, const uint8_t *const roots[MAX_ROOTS])
{
    uintptr_t entry = source->entry;

    if (source->root) {
        if (UNLIKELY(!roots[source->root - 1]))
            return false;
        entry += (uintptr_t)roots[source->root - 1];
    }

    if (LIKELY(source->bytes == 8))
        return __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED) == source->value;
    return __atomic_load_n((const uint32_t *)entry, __ATOMIC_RELAXED) == source->value;
}

/* An entry, and all that was found by way of it. */
static void source_log_remove_tree(struct source_log *log, unsigned index)
{
    struct tlb_source top = log->source[index];

    source_log_remove(log, index);
    if (top.span_bits <= 12)
        return;
    for (unsigned k = 0; k < log->n;) {
        const struct tlb_source *below = &log->source[k];

        if (below->span_bits <= top.span_bits && !((below->va ^ top.va) >> top.span_bits))
            source_log_remove(log, k);
        else
            k++;
    }
}

bool source_log_next_changed(struct source_log *log, const uint8_t *const roots[MAX_ROOTS],
                             unsigned *position, struct tlb_source *out)
{
    unsigned i = *position;

    while (i < log->n && LIKELY(is_current(&log->source[i], roots)))
        i++;
    *position = i;
    if (i >= log->n)
        return false;
    *out = log->source[i];
    source_log_remove_tree(log, i);
    if (out->span_bits > 12)
        *position = 0; /* they are in another order now */
    return true;
}

bool source_log_take_changed(struct source_log *log, const struct tlb_source *now)
{
    struct tlb_source source = *now;
    const struct tlb_source *known;

    source.va = first_address(&source);
    known = source_log_find(log, &source);
    if (!known || known->value == source.value)
        return false;
    source_log_remove_tree(log, (unsigned)(known - log->source));
    return true;
}
