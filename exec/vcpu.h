/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a vCPU as machines and vm/ see it: create, start its thread, stop, reset, destroy.
 *
 * Threading: one host thread per vCPU. vcpu_stop returns when the thread stands between two guest
 * instructions with precise state (never call it from that thread).
 */
#ifndef CALQUE_EXEC_VCPU_H
#define CALQUE_EXEC_VCPU_H

#include "frontend/guest.h"
#include "util/code_record.h"
#include "util/symbols.h"

struct exec_options {
    bool interpret;            /* --interp: the reference backend */
    bool check;                /* verify IR between passes */
    bool no_optimise;          /* run unoptimised IR (tests) */
    uint64_t code_cache_bytes; /* 0: the default, 64 MiB */
};

/* The engine: code cache and backend, shared by the vCPUs of a machine. */
struct exec *exec_create(const struct guest *guest, struct memory *memory,
                         const struct exec_options *options, struct error *err);
void exec_destroy(struct exec *exec);
/* From now on tells of all generated code, with names from `symbols` (may be NULL) where they have
 * one. Before any vCPU runs. The interpreter has no code to tell of. Both stay the caller's. */
void exec_record_code(struct exec *exec, struct code_record *record, const struct symbols *symbols);

/* model: a `-cpu` name, NULL the guest's default; unknown: error with the nearest name. */
struct vcpu *vcpu_create(struct exec *exec, const char *model, struct clock *clock,
                         pthread_mutex_t *device_lock, unsigned index, struct error *err);
void vcpu_destroy(struct vcpu *cpu);

bool vcpu_start(struct vcpu *cpu, struct error *err); /* makes the thread, stopped */
void vcpu_resume(struct vcpu *cpu);
void vcpu_stop(struct vcpu *cpu); /* waits */
/* Apart from that, and until as many let go as hold: it goes on by a few instructions at most. Any
 * thread. */
void vcpu_hold(struct vcpu *cpu, bool hold);
void vcpu_request_exit(struct vcpu *cpu); /* thread ends; joined by vcpu_destroy */
void vcpu_reset(struct vcpu *cpu);        /* while stopped or not yet started */

/* Runs in the calling thread, without vcpu_start: until `max_units` units (0: no limit) have been
 * entered from the loop or the guest stops. For tests and benchmarks. */
enum exit_reason vcpu_run_here(struct vcpu *cpu, uint64_t max_units);
/* Runs exactly n guest instructions in the calling thread, each as a unit of its own unless `units`
 * allows longer ones. For tests. */
enum exit_reason vcpu_step(struct vcpu *cpu, unsigned n);

/* ---- for a debugger (debug.c); all but vcpu_on_debug while the vCPU stands still ---- */

enum vcpu_stop_kind { VCPU_STOP_BREAKPOINT, VCPU_STOP_WATCHPOINT, VCPU_STOP_STEPPED };
struct vcpu_debug_stop {
    enum vcpu_stop_kind kind;
    gva address;       /* of the instruction; of the first watched byte that was accessed */
    unsigned accesses; /* the watchpoint's */
};
/* Calls stopped on the vCPU's thread when it stops by itself. It stands then, whatever it is told,
 * until the reason is taken. */
void vcpu_on_debug(struct vcpu *cpu, void (*stopped)(void *opaque), void *opaque);
/* After vcpu_stop: why it had stopped by itself, if it had. A step that it has not made yet (it
 * waits for an interrupt) is not to be made any more. */
bool vcpu_take_debug_stop(struct vcpu *cpu, struct vcpu_debug_stop *out);
/* Resumes for one instruction (on MIPS a branch is one with its delay slot), then stops by itself.
 * Interrupts wait meanwhile; a processor that waits for one goes on waiting first. */
void vcpu_resume_step(struct vcpu *cpu);

/* Stops before the instruction at this address. A vCPU that has stopped there goes on from it.
 * False: there are too many. */
bool vcpu_add_breakpoint(struct vcpu *cpu, gva address);
bool vcpu_remove_breakpoint(struct vcpu *cpu, gva address);
/* Stops at accesses to these bytes: before the instruction does anything, or once it is done
 * (guest.traps_after_access). accesses: 1 << MMU_READ, 1 << MMU_WRITE. False: there are too many,
 * or it is too long. */
bool vcpu_add_watchpoint(struct vcpu *cpu, gva address, uint64_t length, unsigned accesses);
bool vcpu_remove_watchpoint(struct vcpu *cpu, gva address, uint64_t length, unsigned accesses);
void vcpu_remove_all_points(struct vcpu *cpu);

/* What was counted by the engine and its vCPUs and their MMUs, which stand still or are the
 * caller's. */
void exec_count(struct exec *exec, struct counters *out);
/* Walks of the guest's tables for loads and stores; what of them needed none, in per cent (0: they
 * are not counted). Of what helpers access only the misses are: a little too low where they do
 * much. */
double counters_tlb_misses(const struct counters *c);
double counters_tlb_hits(const struct counters *c);
/* How full the code cache is. */
struct exec_cache {
    uint64_t bytes, bytes_used, units, code_pages;
    unsigned regions;
};
void exec_cache_figures(struct exec *exec, struct exec_cache *out);
/* How often each exception and interrupt was entered: name NULL where the guest has none for this
 * kind. */
void exec_tell_exceptions(struct exec *exec,
                          void (*tell)(void *opaque, unsigned kind, const char *name,
                                       uint64_t times),
                          void *opaque);
/* The counters, what they come to per instruction, and how full the code cache is. */
void exec_print_stats(struct exec *exec, enum stats_form form, FILE *out);

#endif
