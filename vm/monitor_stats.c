/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * info jit, info tlb-stats, info traps: what calque counted (util/counters.def), in all and in the
 * seconds that the guest has run since it was last asked here, and what follows from it.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "util/log.h"
#include "vm/monitor_commands.h"

struct report {
    FILE *out;
    struct counters now, then; /* then: when it was last asked; zeros the first time */
    double seconds, since;     /* that the guest has run; since then */
};

static double per_second(uint64_t n, double seconds)
{
    return seconds > 0 ? (double)n / seconds : 0;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void report_begin(struct report *report, struct vm *vm, struct monitor_call *call,
                         enum monitor_mark_kind kind)
{
    struct monitor_mark *mark = monitor_mark(call->monitor, kind);
    int64_t now_ns = clock_now_ns(vm_machine(vm)->clock), then_ns = 0;

    *report = (struct report){.out = call->out};
    exec_count(vm_machine(vm)->exec, &report->now);
    if (mark) {
        report->then = mark->counters;
        then_ns = mark->time_ns;
        mark->counters = report->now;
        mark->time_ns = now_ns;
    }
    report->seconds = (double)now_ns / 1e9;
    report->since = (double)(now_ns - then_ns) / 1e9;
    fprintf(report->out, "the guest has run %.3f s, %.3f s of them since this was last shown\n",
            report->seconds, report->since);
}

static void title(const struct report *report, const char *text)
{
    fprintf(report->out, "%-22s %16s %12s %12s\n", text, "total", "/s", "/s since");
}

static void rows(const struct report *report, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++) {
        uint64_t now = report->now.n[i];
        fprintf(report->out, "  %-20s %16" PRIu64 " %12.1f %12.1f  %s\n", counter_name(i), now,
                per_second(now, report->seconds),
                per_second(now - report->then.n[i], report->since), counter_description(i));
    }
}

/* A figure that follows from others. */
static void figure(const struct report *report, const char *name, double value, const char *unit,
                   const char *description)
{
    char text[40];

    snprintf(text, sizeof(text), "%.2f%s", value, unit);
    fprintf(report->out, "  %-20s %16s %25s  %s\n", name, text, "", description);
}

static void amount(const struct report *report, const char *name, uint64_t value,
                   const char *description)
{
    fprintf(report->out, "  %-20s %16" PRIu64 " %25s  %s\n", name, value, "", description);
}

/* ---- info jit ----------------------------------------------------------------------------------
 */

static void print_translation(const struct report *report)
{
    const uint64_t *n = report->now.n;
    uint64_t ns = n[COUNT_DECODE_NS] + n[COUNT_PASSES_NS] + n[COUNT_EMIT_NS];

    title(report, "translation");
    rows(report, COUNT_UNITS, COUNT_EMIT_NS);
    figure(report, "insns_per_unit", ratio(n[COUNT_GUEST_INSNS], n[COUNT_UNITS]), "",
           "guest instructions per unit");
    figure(report, "translate_ns_per_insn", ratio(ns, n[COUNT_GUEST_INSNS]), "",
           "time in translation per guest instruction translated");
    figure(report, "translate_share", report->seconds > 0 ? (double)ns / 1e7 / report->seconds : 0,
           " %", "of the guest's time went into translation");
    figure(report, "host_bytes_per_insn", ratio(n[COUNT_HOST_BYTES], n[COUNT_GUEST_INSNS]), "",
           "bytes of host code per guest instruction translated");
    figure(report, "expansion", ratio(n[COUNT_HOST_BYTES], n[COUNT_GUEST_BYTES]), "",
           "bytes of host code per byte of guest code");
}

static void print_code_cache(const struct report *report, struct exec *exec)
{
    struct exec_cache cache;

    exec_cache_figures(exec, &cache);
    title(report, "code cache");
    rows(report, COUNT_EVICTIONS, COUNT_CODE_RESTARTS);
    amount(report, "cache_bytes", cache.bytes, "size of the code cache");
    amount(report, "cache_bytes_used", cache.bytes_used, "of these in use now");
    figure(report, "cache_full", percent(cache.bytes_used, cache.bytes), " %",
           "of the code cache is in use");
    amount(report, "units_now", cache.units, "units in the code cache now");
    amount(report, "code_pages_now", cache.code_pages, "guest pages that they were made from");
    figure(report, "units_per_page", ratio(cache.units, cache.code_pages), "",
           "units of a page of code");
}

static void print_chaining(const struct report *report)
{
    const uint64_t *n = report->now.n;
    uint64_t lookups = n[COUNT_LOOKUP_REMEMBERED] + n[COUNT_LOOKUP_FOUND] + n[COUNT_LOOKUP_MISSED];
    uint64_t loops = n[COUNT_LOOP_REMEMBERED] + n[COUNT_LOOP_FOUND] + n[COUNT_LOOP_MISSED];

    title(report, "chaining and lookups");
    rows(report, COUNT_LINKS, COUNT_LOOP_MISSED);
    amount(report, "links_now", n[COUNT_LINKS] - n[COUNT_LINKS_CUT], "exits chained now");
    figure(report, "lookup_hits", percent(lookups - n[COUNT_LOOKUP_MISSED], lookups), " %",
           "of the lookups by generated code found code");
    figure(report, "loop_hits", percent(loops - n[COUNT_LOOP_MISSED], loops), " %",
           "of the lookups by the run loop found code");
    title(report, "back to the run loop");
    rows(report, COUNT_EXIT_LOOKUP_MISS, COUNT_SLEEPS);
}

static void print_jit(struct vm *vm, void *opaque)
{
    struct report report;

    report_begin(&report, vm, opaque, MARK_JIT);
    print_translation(&report);
    print_code_cache(&report, vm_machine(vm)->exec);
    print_chaining(&report);
}

static void info_jit(struct monitor_call *call)
{
    vm_look(call->vm, print_jit, call);
}

/* ---- info tlb-stats ----------------------------------------------------------------------------
 */

/* Since they were last shown: before, nobody may have counted. */
static void print_hits(const struct report *report)
{
    struct counters since = report->now;

    for (unsigned i = 0; i < N_COUNTERS; i++)
        since.n[i] -= report->then.n[i];
    figure(report, "tlb_hits", counters_tlb_hits(&since), " %",
           "of the accesses since this was last shown needed no walk");
    figure(report, "accesses_per_miss",
           (double)since.n[COUNT_ACCESSES] / MAX(counters_tlb_misses(&since), 1), "",
           "accesses since for each walk by a load or store");
}

static void print_misses(const struct report *report)
{
    const uint64_t *n = report->now.n;
    uint64_t misses = n[COUNT_TLB_MISS_READ] + n[COUNT_TLB_MISS_WRITE] + n[COUNT_TLB_MISS_FETCH];
    uint64_t before = report->then.n[COUNT_TLB_MISS_READ] + report->then.n[COUNT_TLB_MISS_WRITE] +
                      report->then.n[COUNT_TLB_MISS_FETCH];

    title(report, "accesses and misses");
    rows(report, COUNT_ACCESSES, COUNT_TLB_ENTER_WRITE);
    fprintf(report->out, "  %-20s %16" PRIu64 " %12.1f %12.1f  %s\n", "tlb_misses", misses,
            per_second(misses, report->seconds), per_second(misses - before, report->since),
            "all walks of the guest's page tables");
    if (log_on(LOG_ACCESSES))
        print_hits(report);
    else
        fprintf(report->out,
                "  (hits cost nothing and are not counted; `log accesses` does that)\n");
    title(report, "slow path");
    rows(report, COUNT_MMIO_READ, COUNT_SLOW_CROSSING);
}

static void print_flushes(const struct report *report)
{
    const uint64_t *n = report->now.n;
    uint64_t misses = n[COUNT_TLB_MISS_READ] + n[COUNT_TLB_MISS_WRITE] + n[COUNT_TLB_MISS_FETCH];
    uint64_t flushes = n[COUNT_FLUSH_ALL] + n[COUNT_FLUSH_SPACE] + n[COUNT_FLUSH_PAGE] +
                       n[COUNT_REVALIDATE] + n[COUNT_REVALIDATE_PAGE];

    title(report, "flushes and spaces");
    rows(report, COUNT_FLUSH_ALL, COUNT_SPACES_EMPTIED);
    figure(report, "misses_per_flush", ratio(misses, flushes), "",
           "walks for each flush of any kind");
    figure(report, "flushes_compared",
           percent(n[COUNT_REVALIDATE] + n[COUNT_REVALIDATE_PAGE], flushes), " %",
           "of the flushes kept what the page tables still say");
    figure(report, "spaces_kept",
           percent(n[COUNT_SPACE_SWITCHES] - n[COUNT_SPACES_EMPTIED], n[COUNT_SPACE_SWITCHES]),
           " %", "of the switches found the space as it was left");
}

static void print_tlb_stats(struct vm *vm, void *opaque)
{
    struct report report;
    struct mmu_usage usage;

    report_begin(&report, vm, opaque, MARK_TLB);
    print_misses(&report);
    print_flushes(&report);
    mmu_usage(vm_machine(vm)->cpu->mmu, &usage);
    title(&report, "in the tables now");
    amount(&report, "entries_read", usage.read, "pages that loads hit");
    amount(&report, "entries_write", usage.write, "pages that stores hit");
    amount(&report, "entries_exec", usage.exec, "pages that jumps hit");
    amount(&report, "spaces_used", usage.spaces_used, "address spaces with entries");
    amount(&report, "spaces", usage.spaces, "address spaces that can be kept");
    amount(&report, "tlb_bytes", usage.bytes, "of the host's memory for the tables");
}

static void info_tlb_stats(struct monitor_call *call)
{
    vm_look(call->vm, print_tlb_stats, call);
}

/* ---- info traps --------------------------------------------------------------------------------
 */

struct traps {
    struct report report;
    uint64_t *then; /* as they were when last shown; NULL: nobody asked before */
    uint64_t all, since;
    bool counting;
};

static void trap_row(const struct traps *traps, const char *name, uint64_t times, uint64_t since)
{
    fprintf(traps->report.out, "  %-20s %16" PRIu64 " %12.1f %12.1f %9.2f %%\n", name, times,
            per_second(times, traps->report.seconds), per_second(since, traps->report.since),
            percent(times, traps->all));
}

static void tell_trap(void *opaque, unsigned kind, const char *name, uint64_t times)
{
    struct traps *traps = opaque;
    uint64_t since = times - (traps->then ? traps->then[kind] : 0);
    char number[16];

    if (traps->counting) {
        traps->all += times;
        traps->since += since;
        return;
    }
    snprintf(number, sizeof(number), "0x%02x", kind);
    trap_row(traps, name ? name : number, times, since);
    if (traps->then)
        traps->then[kind] = times;
}

static void print_traps(struct vm *vm, void *opaque)
{
    struct monitor_call *call = opaque;
    struct monitor_mark *mark = monitor_mark(call->monitor, MARK_TRAPS);
    struct traps traps = {.then = mark ? mark->traps : NULL, .counting = true};
    struct exec *exec = vm_machine(vm)->exec;

    report_begin(&traps.report, vm, call, MARK_TRAPS);
    exec_tell_exceptions(exec, tell_trap, &traps);
    fprintf(traps.report.out, "%-22s %16s %12s %12s %11s\n", "entered", "total", "/s", "/s since",
            "share");
    traps.counting = false;
    exec_tell_exceptions(exec, tell_trap, &traps);
    trap_row(&traps, "all", traps.all, traps.since);
}

static void info_traps(struct monitor_call *call)
{
    vm_look(call->vm, print_traps, call);
}

static const struct monitor_command commands[] = {
    {"jit", NULL, "", "what the translator did: units, code cache, chaining", info_jit, 0, 0, NULL},
    {"tlb-stats", NULL, "", "TLB misses, flushes and what the tables hold", info_tlb_stats, 0, 0,
     NULL},
    {"traps", NULL, "", "exceptions and interrupts that the guest entered", info_traps, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table table = {"info", commands};
REGISTER(monitor_table, table);
