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

static void group_changed(struct source_log *log, unsigned index)
{
    log->group[index / SOURCE_GROUP].kind = GROUP_UNKNOWN;
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
        if (!same)
            group_changed(log, (unsigned)(known - log->source));
        return same;
    }
    if (UNLIKELY(log->n == SOURCE_LOG_SIZE)) {
        log->incomplete = true;
        return true;
    }
    bucket = bucket_of(log, &source);
    group_changed(log, log->n);
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
    group_changed(log, index);
    if (index != last) {
        *link_to(log, last) = (uint16_t)(index + 1);
        log->source[index] = log->source[last];
        log->next[index] = log->next[last];
    }
    log->n--;
}

/* Where it is now; 0: nowhere. */
static uintptr_t place_of(const struct tlb_source *source, const uint8_t *const roots[MAX_ROOTS])
{
    const uint8_t *root = source->root ? roots[source->root - 1] : NULL;

    if (UNLIKELY(source->root && !root))
        return 0;
    return source->entry + (uintptr_t)root;
}

static bool is_current(const struct tlb_source *source, const uint8_t *const roots[MAX_ROOTS])
{
    uintptr_t entry = place_of(source, roots);

    if (UNLIKELY(!entry))
        return false;
    if (LIKELY(source->bytes == 8))
        return __atomic_load_n((const uint64_t *)entry, __ATOMIC_RELAXED) == source->value;
    return __atomic_load_n((const uint32_t *)entry, __ATOMIC_RELAXED) == source->value;
}

static void group_classify(struct source_group *group, const struct tlb_source *source)
{
    uint8_t *image = (uint8_t *)group->image;

    group->kind = GROUP_APART;
    for (unsigned k = 0; k < SOURCE_GROUP; k++) {
        uint32_t low = (uint32_t)source[k].value;

        if (source[k].entry != source->entry + k * source->bytes ||
            source[k].bytes != source->bytes || source[k].root != source->root ||
            (source->bytes == 4 && source[k].value != low))
            return;
        if (source->bytes == 4)
            memcpy(image + k * 4, &low, 4);
        else
            memcpy(image + k * 8, &source[k].value, 8);
    }
    group->kind = GROUP_IN_LINE;
}

/* Known to hold what the group's entries say. False: who knows. */
static bool group_is_current(struct source_log *log, unsigned first,
                             const uint8_t *const roots[MAX_ROOTS])
{
    struct source_group *group = &log->group[first / SOURCE_GROUP];
    const struct tlb_source *source = &log->source[first];
    uint64_t now[SOURCE_GROUP], differ = 0;
    uintptr_t place;

    if (UNLIKELY(group->kind == GROUP_UNKNOWN))
        group_classify(group, source);
    place = group->kind == GROUP_IN_LINE ? place_of(source, roots) : 0;
    if (!place)
        return false;
    if (source->bytes == 8) {
        memcpy(now, (const void *)place, sizeof(now));
        for (unsigned k = 0; k < SOURCE_GROUP; k++)
            differ |= now[k] ^ group->image[k];
    } else {
        memcpy(now, (const void *)place, sizeof(now) / 2);
        for (unsigned k = 0; k < SOURCE_GROUP / 2; k++)
            differ |= now[k] ^ group->image[k];
    }
    return !differ;
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

    while (i < log->n) {
        if (i % SOURCE_GROUP == 0 && i + SOURCE_GROUP <= log->n && group_is_current(log, i, roots))
            i += SOURCE_GROUP;
        else if (LIKELY(is_current(&log->source[i], roots)))
            i++;
        else
            break;
    }
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
