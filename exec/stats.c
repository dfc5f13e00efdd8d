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

/* "exception_data_abort"; kinds without a name by their number. */
static void exception_label(const struct guest *guest, unsigned kind, char *label, size_t size)
{
    const char *name = guest->exception_name ? guest->exception_name(kind) : NULL;

    if (name)
        snprintf(label, size, "exception_%s", name);
    else
        snprintf(label, size, "exception_0x%02x", kind);
    for (; *label; label++)
        *label = isalnum((unsigned char)*label) ? *label : '_';
}

static void print_exceptions(struct exec *exec, struct stats_writer *w)
{
    for (unsigned kind = 0; kind < MAX_EXCEPTION_KINDS; kind++) {
        uint64_t times = 0;
        char label[64];

        for (const struct engine *engine = exec->engines; engine; engine = engine->next)
            times += engine->exceptions[kind];
        if (!times)
            continue;
        exception_label(exec->guest, kind, label, sizeof(label));
        stats_number(w, label, times, "times the guest entered this exception or interrupt");
    }
}

static void print_cache(struct exec *exec, struct stats_writer *w)
{
    uint64_t used = 0, size = 0, units = 0, pages = 0;

    for (unsigned i = 0; i < exec->n_regions; i++) {
        const struct region *region = &exec->region[i];

        used += region->used;
        size += region->size;
        for (uint32_t k = 0; k < region->n_placements; k++)
            units += region->placements[k].unit && !region->placements[k].unit->dropped_at;
    }
    for (unsigned i = 0; i < PAGE_BUCKETS; i++) {
        for (const struct code_page *page = exec->pages[i]; page; page = page->next)
            pages++;
    }
    stats_number(w, "cache_bytes", size, "size of the code cache");
    stats_number(w, "cache_bytes_used", used, "of these in use now");
    stats_number(w, "units_now", units, "units in the code cache now");
    stats_number(w, "code_pages_now", pages, "guest pages that they were made from");
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
    print_exceptions(exec, &w);
    pthread_mutex_unlock(&exec->lock);
    stats_end(&w);
}
