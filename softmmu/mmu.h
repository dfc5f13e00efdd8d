/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU of one vCPU: TLB tables tagged by address space, filled through the guest's
 * table walk, and the slow path of every access that the TLB does not answer.
 *
 * A space is (tag, privileged): the tag is the guest's word for an address space (ASID, PCID, with
 * a bit for "translation off"). Selecting one swaps run_state.tlb and run_state.tlb_user and
 * flushes nothing. A bounded number of spaces is kept, the least recently used is emptied and
 * reused.
 *
 * Threading: the owning vCPU's thread only, except mmu_forget_writes (called through memory.h by
 * whoever holds the vCPU stopped or is the vCPU).
 */
#ifndef CALQUE_SOFTMMU_MMU_H
#define CALQUE_SOFTMMU_MMU_H

#include "softmmu/memory.h"
#include "softmmu/source_log.h"
#include "softmmu/tlb.h"
#include "tcg/run.h"
#include "util/counters.h"

enum mmu_access { MMU_READ, MMU_WRITE, MMU_EXEC };

enum { MAX_TLB_SOURCES = 4 };

/* What a walk found. */
struct tlb_fill {
    gpa physical;                        /* of the byte asked for */
    uint64_t block_size;                 /* of the mapping: 4 KiB .. ; only that page is entered */
    bool readable, writable, executable; /* for the privilege asked for */
    bool device; /* memory attributes say Device or Strongly-ordered: alignment matters */
    /* For guests that call mmu_revalidate: the page-table entries that the walk read, the topmost
     * first. untracked: there are others, which cannot be compared. */
    bool untracked;
    unsigned n_sources;
    struct tlb_source source[MAX_TLB_SOURCES];
};

/* Why an access failed; filled by the guest's walk, handed back to its fault function. */
struct mmu_fault {
    gva address;
    enum mmu_access access;
    bool user;
    bool external;  /* the physical address has nothing behind it */
    bool unaligned; /* the memop's alignment was not met */
    bool exclusive;
    uint32_t syndrome; /* guest-defined */
    uint32_t level;    /* guest-defined */
    uint64_t extra;    /* guest-defined */
};

struct mmu_client {
    /* Translates for the given privilege. Does not raise: false fills *fault's syndrome. */
    bool (*walk)(void *cpu, gva va, enum mmu_access access, bool user, struct tlb_fill *out,
                 struct mmu_fault *fault);
    /* Raises the guest's exception for it; leaves through vcpu_raise. */
    NORETURN void (*fault)(void *cpu, const struct mmu_fault *fault);
    /* Where a physical address has nothing behind it, reads give all ones and stores are lost
     * instead of an external fault. (Fetches of code always fault.) */
    bool open_bus;
    /* Host addresses of the top-level tables that sources may lie in; NULL: it is nowhere. */
    void (*roots)(void *cpu, const uint8_t *roots[MAX_ROOTS]);
    /* Where va leads, whoever may access it and without a trace. NULL: walk leaves none. */
    bool (*look)(void *cpu, gva va, gpa *physical);
    /* The entries on the way to va, as they are now, down to the first that leads nowhere; fills in
     * what tlb_fill has for them. With roots. */
    void (*sources)(void *cpu, gva va, struct tlb_fill *out);
};

struct mmu;

/* wide: 64-bit guest-virtual addresses; else they are taken modulo 2^32. */
struct mmu *mmu_create(struct memory *memory, struct run_state *run,
                       const struct mmu_client *client, bool wide, struct error *err);
void mmu_destroy(struct mmu *mmu);
const struct counters *mmu_counters(const struct mmu *mmu);
/* What the tables hold now. The vCPU stands still. */
struct mmu_usage {
    unsigned spaces, spaces_used; /* address spaces that can be kept, and that are */
    uint64_t read, write, exec;   /* pages entered */
    uint64_t bytes;               /* of the host's memory */
};
void mmu_usage(const struct mmu *mmu, struct mmu_usage *out);
/* From now on code_store is called before a guest store into a page that holds code, with the
 * canonical physical address; nothing has been stored then, and it need not return. */
void mmu_on_code_store(struct mmu *mmu, void (*code_store)(void *cpu, gpa address, unsigned size));

/* Makes (tag, privileged) the current space. */
void mmu_select(struct mmu *mmu, uint32_t tag, bool privileged);
void mmu_flush_all(struct mmu *mmu);
void mmu_flush_tag(struct mmu *mmu, uint32_t tag);
/* What was translated in this space, or in all, may be out of date: keeps only what the page-table
 * entries in memory still say. For the current space at once, for others when they are selected. */
void mmu_revalidate(struct mmu *mmu, uint32_t tag);
void mmu_revalidate_all(struct mmu *mmu);
/* The same for one page of the spaces that use the current page tables, which are those that have
 * this tag but for the bits in `ignore`. elsewhere: all other spaces lose the page. At once. */
void mmu_revalidate_page(struct mmu *mmu, uint32_t tag, uint32_t ignore, gva va, bool elsewhere);
void mmu_flush_page(struct mmu *mmu, gva va);                   /* in every space */
void mmu_flush_page_tag(struct mmu *mmu, uint32_t tag, gva va); /* in one, both privileges */
/* In all spaces that have this tag but for the bits in `ignore`. */
void mmu_flush_page_tags(struct mmu *mmu, uint32_t tag, uint32_t ignore, gva va);

/* The slow path. Any alignment, any crossing; raises through client->fault. The value is in host
 * order after memop's swap and sign rules; 16-byte accesses go through the _bytes forms. */
uint64_t mmu_load(struct mmu *mmu, gva va, unsigned memop);
void mmu_store(struct mmu *mmu, gva va, uint64_t value, unsigned memop);
void mmu_load_bytes(struct mmu *mmu, gva va, void *out, unsigned memop);
void mmu_store_bytes(struct mmu *mmu, gva va, const void *in, unsigned memop);
/* PROBE and COMMIT of ir.h, and the atomics. */
void *mmu_probe(struct mmu *mmu, gva va, unsigned length, unsigned memop);
void mmu_commit(struct mmu *mmu, void *pointer, gva va, unsigned length, unsigned memop);
uint64_t mmu_cas(struct mmu *mmu, gva va, uint64_t expected, uint64_t value, unsigned memop);
uint64_t mmu_rmw(struct mmu *mmu, gva va, enum ir_rmw what, uint64_t operand, unsigned memop);

/* For helpers. mmu_load and mmu_store with a privilege of their own, whatever the space's. */
uint64_t mmu_load_as(struct mmu *mmu, gva va, unsigned memop, bool user);
void mmu_store_as(struct mmu *mmu, gva va, uint64_t value, unsigned memop, bool user);
/* Where an access would go; raises its fault. False: nothing lies there. */
bool mmu_physical(struct mmu *mmu, gva va, enum mmu_access access, bool user, gpa *out);
/* A host pointer good for `length` bytes until the next call of anything here, if they are plain
 * RAM (or ROM to read) within one page; else NULL: go through mmu_load and mmu_store. Raises the
 * page's fault. Never a page to write that holds code. */
uint8_t *mmu_host_range(struct mmu *mmu, gva va, size_t length, enum mmu_access access, bool user);

/* For the translator: host pointer to the code byte at va, its physical address and how many bytes
 * follow in the page; enters the page in the exec table. Raises the fetch fault, or with `quiet`
 * returns NULL. Code outside RAM/ROM: NULL with *physical set (caller raises an external abort). */
const uint8_t *mmu_fetch(struct mmu *mmu, gva va, gpa *physical, bool quiet);

/* For the debugger and the monitor: no side effects, no faults; false if unmapped. Poke writes ROM
 * too. */
bool mmu_look(struct mmu *mmu, gva va, bool user, gpa *physical); /* where it is */
bool mmu_peek(struct mmu *mmu, gva va, void *buffer, size_t size, bool user);
bool mmu_poke(struct mmu *mmu, gva va, const void *buffer, size_t size, bool user);

/* ---- watchpoints, set while the vCPU stands still ---- */

enum { MAX_WATCHES = 32, MAX_WATCH_BYTES = 65536 };
/* Of a guest access that touches a watched byte, known not to fault; nothing has been done of it
 * yet. `accesses`: as the watchpoint was added. It need not return, unless it is one that the
 * processor makes for itself (mmu_load_as): it may be in the middle of something. */
typedef void mmu_watch_hit(void *cpu, gva address, unsigned accesses, bool must_return);
void mmu_on_watch(struct mmu *mmu, mmu_watch_hit *hit);
/* accesses: 1 << MMU_READ, 1 << MMU_WRITE. An address is watched in all spaces. False: there are
 * too many, or it is too long. The same may be added several times. */
bool mmu_add_watch(struct mmu *mmu, gva address, uint64_t length, unsigned accesses);
bool mmu_remove_watch(struct mmu *mmu, gva address, uint64_t length, unsigned accesses);
void mmu_remove_all_watches(struct mmu *mmu);
/* While paused nothing is told of. */
void mmu_pause_watches(struct mmu *mmu, bool paused);

#endif
