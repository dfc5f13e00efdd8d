/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was counted, summed up, and the figures that follow from it. */
#include "exec/exec.h"

#include <ctype.h>

void exec_count(struct exec *exec, struct counters *out)
{
    pthread_mutex_lock(&exec->lock);
    *out = exec->counters;
    for (const struct engine *engine = exec->engines; engine; engine = engine->next) {
        counters_add(out, &engine->counters);
        counters_add(out, mmu_counters(engine->cpu->mmu));
    }
    pthread_mutex_unlock(&exec->lock);
}

void exec_tell_exceptions(struct exec *exec,
                          void (*tell)(void *opaque, unsigned kind, const char *name,
                                       uint64_t times),
                          void *opaque)
{
    const struct guest *guest = exec->guest;

    for (unsigned kind = 0; kind < MAX_EXCEPTION_KINDS; kind++) {
        uint64_t times = 0;

        for (const struct engine *engine = exec->engines; engine; engine = engine->next)
            times += engine->exceptions[kind];
        if (times)
            tell(opaque, kind, guest->exception_name ? guest->exception_name(kind) : NULL, times);
    }
}

/* "exception_data_abort"; kinds without a name by their number. */
static void print_exception(void *opaque, unsigned kind, const char *name, uint64_t times)
{
    struct stats_writer *w = opaque;
    char label[64];

    if (name)
        snprintf(label, sizeof(label), "exception_%s", name);
    else
        snprintf(label, sizeof(label), "exception_0x%02x", kind);
    for (char *at = label; *at; at++)
        *at = isalnum((unsigned char)*at) ? *at : '_';
    stats_number(w, label, times, "times the guest entered this exception or interrupt");
}

static void count_cache(struct exec *exec, struct exec_cache *out)
{
    *out = (struct exec_cache){.regions = exec->n_regions};
    for (unsigned i = 0; i < exec->n_regions; i++) {
        const struct region *region = &exec->region[i];

        out->bytes_used += region->used;
        out->bytes += region->size;
        for (uint32_t k = 0; k < region->n_placements; k++)
            out->units += region->placements[k].unit && !region->placements[k].unit->dropped_at;
    }
    for (unsigned i = 0; i < PAGE_BUCKETS; i++) {
        for (const struct code_page *page = exec->pages[i]; page; page = page->next)
            out->code_pages++;
    }
}

void exec_cache_figures(struct exec *exec, struct exec_cache *out)
{
    pthread_mutex_lock(&exec->lock);
    count_cache(exec, out);
    pthread_mutex_unlock(&exec->lock);
}

static void print_cache(struct exec *exec, struct stats_writer *w)
{
    struct exec_cache cache;

    count_cache(exec, &cache);
    stats_number(w, "cache_bytes", cache.bytes, "size of the code cache");
    stats_number(w, "cache_bytes_used", cache.bytes_used, "of these in use now");
    stats_number(w, "units_now", cache.units, "units in the code cache now");
    stats_number(w, "code_pages_now", cache.code_pages, "guest pages that they were made from");
}

double counters_tlb_misses(const struct counters *c)
{
    return (double)(c->n[COUNT_TLB_MISS_READ] + c->n[COUNT_TLB_MISS_WRITE]);
}

double counters_tlb_hits(const struct counters *c)
{
    double misses = counters_tlb_misses(c), accesses = (double)c->n[COUNT_ACCESSES];

    return accesses > misses ? 100 * (accesses - misses) / accesses : 0;
}

static void print_derived(const struct counters *c, struct stats_writer *w)
{
    double insns = (double)c->n[COUNT_GUEST_INSNS], units = (double)c->n[COUNT_UNITS];
    double host = (double)c->n[COUNT_HOST_BYTES], records = (double)c->n[COUNT_RECORD_BYTES];
    uint64_t ns = c->n[COUNT_DECODE_NS] + c->n[COUNT_PASSES_NS] + c->n[COUNT_EMIT_NS];

    stats_number(w, "translate_ns", ns, "time in translation, all three parts");
    stats_ratio(w, "translate_ns_per_insn", (double)ns, insns,
                "time in translation per guest instruction translated");
    stats_ratio(w, "host_bytes_per_insn", host, insns,
                "bytes of host code per guest instruction translated");
    stats_ratio(w, "insns_per_unit", insns, units, "guest instructions per unit");
    stats_ratio(w, "memory_per_guest_kib", (host + records) * (double)KIB,
                (double)c->n[COUNT_GUEST_BYTES],
                "bytes of host code and records per KiB of guest code translated");
    if (!c->n[COUNT_ACCESSES])
        return;
    stats_ratio(w, "tlb_hits", counters_tlb_hits(c), 1, "% of the accesses needed no walk");
    stats_ratio(w, "accesses_per_miss", (double)c->n[COUNT_ACCESSES], counters_tlb_misses(c),
                "accesses for each walk by a load or store");
}

void exec_print_stats(struct exec *exec, enum stats_form form, FILE *out)
{
    struct stats_writer w;
    struct counters sum;

    exec_count(exec, &sum);
    stats_begin(&w, out, form);
    stats_counters(&w, &sum);
    print_derived(&sum, &w);
    pthread_mutex_lock(&exec->lock);
    print_cache(exec, &w);
    exec_tell_exceptions(exec, print_exception, &w);
    pthread_mutex_unlock(&exec->lock);
    stats_end(&w);
}
