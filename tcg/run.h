/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a vCPU that generated code touches whatever the guest: first member of struct vcpu,
 * and so the base every state_field offset counts from. Written by the vCPU's own thread, except
 * exit_request, which any thread may set.
 */
#ifndef CALQUE_TCG_RUN_H
#define CALQUE_TCG_RUN_H

#include <stdatomic.h>

#include "tcg/ir.h"

/* Why generated code came back to the run loop. */
enum exit_reason {
    EXIT_LOOKUP_MISS, /* no unit for run.pc, run.key: translate it */
    EXIT_LINK,        /* a direct jump not yet chained: run.link_site says which */
    EXIT_REQUESTED,   /* exit_request was seen at a poll; pc and key are precise */
    EXIT_HALT,        /* WFI, WFE: wait for an interrupt */
    EXIT_STALE,       /* the unit's guard failed: drop it and look again */
    EXIT_DEBUG,       /* a breakpoint */
    EXIT_YIELD,       /* guest state changed under the loop (reset, power-off) */
    EXIT_RAISED,      /* an instruction raised an exception; pc and key are the handler's */
    EXIT_RESTARTED,   /* an instruction is to be done again from its start */
    N_EXIT_REASONS
};

enum { JUMP_CACHE_SIZE = 32768 };

/* Direct-mapped, index (pc >> 1 ^ pc >> 13 ^ key) % JUMP_CACHE_SIZE. Valid if pc and key agree and
 * the page of pc is still mapped to the physical page `page` (tlb exec table). Holds no stale code:
 * the code cache clears entries of what it drops. */
struct jump_cache_entry {
    uint64_t pc;
    uint32_t key;
    uint32_t page; /* as in the TLB's exec table */
    const void *code;
    uint64_t unused; /* 32 bytes each */
};

struct run_state {
    _Atomic uint32_t exit_request; /* nonzero: leave at the next poll */
    uint32_t key;                  /* mode bits of the code to run next, maintained by the guest */
    uint64_t pc;       /* of the code to run next; precise outside generated code only */
    uint8_t *tlb;      /* tables of the current address space and privilege, tlb.h */
    uint8_t *tlb_user; /* the same address space with user privilege */
    struct jump_cache_entry *jump_cache; /* JUMP_CACHE_SIZE */
    uint32_t mxcsr;                      /* host FP control word with the guest's rounding mode */
    uint32_t exit_reason;
    void *link_site;                 /* EXIT_LINK: what to patch, for backend->patch_jump */
    void *host_sp;                   /* stack pointer inside generated code: for unwinding */
    uint64_t fault_scratch[16 + 32]; /* host registers at a slow path: GPRs, then backend's own */
    uint8_t bounce[IR_PROBE_MAX] __attribute__((aligned(16)));
    uint64_t bounce_address;
    /*
     * The x87 registers (ir.h, X87) as an XSAVE area with component 0 only. x87_live: the host's
     * own registers hold them and this is out of date; generated code loads them before its first
     * X87. C code may run while they are live, as long as it uses no x87 itself.
     */
    uint32_t x87_live;
    uint8_t x87[576] __attribute__((aligned(64)));
};

/* Brings run->x87 up to date; `for_write`: and lets it be changed (the host's registers are empty
 * afterwards, and loaded again when needed). */
void run_x87_sync(struct run_state *run, bool for_write);

#endif
