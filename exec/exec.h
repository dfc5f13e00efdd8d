/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's inside, shared by the files of exec/.
 *
 * exec.c        creation, the code memory, the functions generated code calls
 * code_cache.c  units: finding, linking, dropping, evicting
 * translate.c   guest code -> IR -> host code
 * record.c      names of generated code, for profilers
 * stats.c       what was counted
 * vcpu.c        the run loop, exceptions, threads
 * host_fault.c  SIGSEGV of generated code
 * debug.c       breakpoints, watchpoints
 *
 * Threading: `lock` protects the cache and everything reached from it. It is taken last: no guest
 * walk and no device is called under it. A unit that is dropped stays in memory, findable by its
 * host addresses, until every vCPU has been out of generated code since. Units are made, chained
 * and dropped by vCPU threads only (or while the vCPUs are stopped); stores by other threads wait
 * for them in `changes`.
 */
#ifndef CALQUE_EXEC_EXEC_H
#define CALQUE_EXEC_EXEC_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

#include "backend/backend.h"
#include "exec/vcpu.h"
#include "util/log.h"

enum {
    THUNK_BYTES = 64 * 1024,
    CODE_ALIGNMENT = 16,
    PREFAULT_BYTES = 64 * 1024,
    GRANULE_BITS = 8, /* of the map from host address to unit */
    MAX_REGIONS = 8,
    RECORD_CHUNK_BYTES = 128 * 1024,
    MAX_BREAKPOINTS = 256,
    UNIT_BUCKET_BITS = 18, /* a full cache has about as many units */
    DROPPED_CODES = 1 << 16,
    PAGE_BUCKETS = 1 << 12,
    KEPT_BUCKETS = 1 << 14,
    MAX_KEPT = 4,  /* in a bucket */
    REWRITTEN = 2, /* so many stores in a row that drop units: the page is being filled anew */
    MAX_UNIT_INSNS = 96,
    MAX_CHANGES = 64,
    SELF_STORES = 64,  /* a power of two */
    MEASURED = 16,     /* of so many translations one is timed, unless statistics are wanted */
    LONGEST_INSN = 16, /* bytes of one guest instruction, at most */
    PAGE_MASK = TLB_PAGE_SIZE - 1,
};
#define DEFAULT_CACHE_BYTES (64 * MIB)
#define MIN_CACHE_BYTES (256 * KIB)
#define NO_SECOND_PAGE (~UINT64_C(0))

struct unit;

/* A chained exit: an element of its target's list of incoming jumps. */
struct link {
    struct unit *from;
    struct unit *target; /* NULL: not chained */
    struct link *next, **previous;
};

/* Membership of a unit in the list of a page it was made from. */
struct page_member {
    struct code_page *page;
    struct page_member *next, **previous;
    struct unit *unit;
};

struct unit {
    struct unit *next; /* in its bucket, of the found or of the kept; among the dropped */
    uint64_t pc;
    gpa physical; /* of its first byte (canonical) */
    gpa second;   /* of the page its only instruction reaches into, or NO_SECOND_PAGE */
    uint32_t key;
    uint16_t guest_bytes, n_insns;
    struct unit_code code;
    struct link *incoming;
    struct unit *doomed;               /* code_cache.c's, while it handles a store */
    struct page_member member;         /* of the first page */
    struct page_member *second_member; /* if there is a second page */
    uint64_t dropped_at;               /* exec.epoch then; 0: alive */
    bool kept;                         /* dropped, but used again if the bytes come back */
    const uint8_t *bytes;              /* what it was made from; NULL: parts of two pages */
    struct link links[]; /* one per code.exits; these, code.tables and bytes lie behind */
};

/* A guest-physical page that units were made from. It exists while the page is flagged. */
struct code_page {
    struct code_page *next;
    gpa page;
    uint64_t generation; /* changes with every store into it */
    uint64_t covered;    /* bit per 64 bytes that some unit was made from */
    unsigned n_drops;    /* stores that dropped units since one was entered */
    struct page_member *members;
};

/* Where a unit's code lies; in the order of addresses. unit NULL: freed. */
struct placement {
    uint32_t start, end; /* from the region's start */
    struct unit *unit;
};

/* Memory for units and what belongs to them. */
struct record_chunk {
    struct record_chunk *next;
    size_t size, used; /* of the whole mapping, this included */
};

/* A generation: filled front to back, emptied as a whole, with its units' records. */
struct region {
    uint32_t offset; /* from the code memory's start */
    uint32_t size, used;
    struct placement *placements;
    uint32_t n_placements, capacity;
    uint32_t n_dropped;                    /* of the first so many all have been dropped for good */
    struct record_chunk *records, *record; /* the first, and the one that is being filled */
    uint32_t *granules; /* 1 + index of the first placement that reaches into it, 0 none */
};

/* A store by another thread into bytes that code was made from, not yet acted upon. */
struct code_change {
    gpa address;
    uint32_t size;
};

struct exec {
    const struct guest *guest;
    struct memory *memory;
    struct exec_options options;
    const struct backend *backend;
    struct backend_state *state;
    pthread_mutex_t lock;
    struct engine *engines; /* of all vCPUs */
    uint64_t epoch;         /* counts drops */

    size_t code_bytes;        /* of the mappings, thunks first */
    uint8_t *write_view;      /* the two mappings of the code memory */
    const uint8_t *exec_view; /* never writable */
    uint32_t prefaulted;      /* how far the write view is known to be allocated */
    uint32_t released;        /* write view pages given back so far */
    struct region region[MAX_REGIONS];
    unsigned n_regions, current;

    struct unit **buckets;
    struct unit **kept; /* buckets of units that nothing leads to until their bytes come back */
    struct code_page **pages;
    struct unit *dropped;
    struct code_change changes[MAX_CHANGES];
    _Atomic unsigned n_changes; /* more than MAX_CHANGES: too many to list */
    uint64_t next_generation;
    struct code_record *record; /* who is told of new code; NULL: nobody */
    const struct symbols *symbols;
    struct counters counters;
    uint32_t *dropped_codes;         /* retranslations: a sign of what was dropped, by its hash */
    unsigned measure_every;          /* one translation of so many is timed, and stands for all */
    struct sigaction previous_fault; /* who had SIGSEGV before */
};

enum vcpu_state { VCPU_STOPPED, VCPU_RUNNING };
enum stopped_at { STOPPED_ELSEWHERE, STOPPED_AT_BREAKPOINT, STOPPED_AT_WATCHPOINT };

/* What the engine keeps of one vCPU; it lies right before its struct vcpu. */
struct engine {
    struct engine *next;
    struct exec *exec;
    struct vcpu *cpu;
    struct jump_cache_entry *jump_cache;
    struct arena arena;
    jmp_buf restart; /* the run loop, for exceptions raised outside generated code */
    bool restart_valid;
    void *pending_link;                /* EXIT_LINK's site while its target is looked for */
    uint64_t limit;                    /* units still to enter, 0: any number */
    bool stepping;                     /* every exit must come back to the loop */
    uint64_t self_stores[SELF_STORES]; /* pcs of instructions that stored into their own unit */
    bool alone;                        /* the next instruction is to be a unit of its own */
    bool raising;                      /* an exception is being entered: the unit has ended */
    _Atomic bool flush_requested;
    _Atomic bool sleeping; /* in a futex wait on run.exit_request */
    _Atomic bool stop_requested, quit_requested;
    _Atomic unsigned holds;      /* of vcpu_hold */
    _Atomic uint64_t seen_epoch; /* exec.epoch when last out of generated code */

    pthread_t thread;
    bool has_thread;
    pthread_mutex_t state_lock;
    pthread_cond_t state_changed;
    enum vcpu_state state;

    struct counters counters;
    uint64_t exceptions[MAX_EXCEPTION_KINDS];

    /* debug.c. Changed while the vCPU stands still, or by its own thread. */
    unsigned n_breakpoints;
    gva breakpoints[MAX_BREAKPOINTS];
    enum stopped_at stopped_at; /* which has been told of: the instruction there is to run now */
    gva stopped_pc;
    bool watch_hit;  /* `stop` is a watchpoint's, not yet told of */
    bool watch_left; /* ... and its instruction has not been done */
    struct vcpu_debug_stop stop;
    _Atomic bool stop_waits; /* to be taken: the vCPU stands until it is */
    bool step_wanted;        /* next resumed, one instruction */
    void (*on_debug)(void *opaque);
    void *on_debug_opaque;
};

enum { ENGINE_SPACE = (sizeof(struct engine) + 63) / 64 * 64 };

static inline struct engine *vcpu_engine(const struct vcpu *cpu)
{
    return (struct engine *)((uintptr_t)cpu - ENGINE_SPACE);
}

static inline struct jump_cache_entry *jump_cache_slot(struct engine *engine, uint64_t pc,
                                                       uint32_t key)
{
    return &engine->jump_cache[(pc >> 1 ^ pc >> 13 ^ key) % JUMP_CACHE_SIZE];
}

/* The exec-table tag of the page of va in the current space; 0: not known yet. */
static inline uint32_t exec_tag(const struct vcpu *cpu, uint64_t va)
{
    return tlb_exec_tag(cpu->run.tlb, cpu->guest->wide_address, va);
}

static inline uint64_t *self_store_slot(struct engine *engine, uint64_t pc)
{
    return &engine->self_stores[(pc ^ pc >> 6) % SELF_STORES];
}

static inline bool engine_has_breakpoint(const struct engine *engine, gva address)
{
    for (unsigned i = 0; i < engine->n_breakpoints; i++) {
        if (engine->breakpoints[i] == address)
            return true;
    }
    return false;
}

/* ---- code_cache.c; with the lock held unless stated ------------------------
 */

bool cache_init(struct exec *exec, struct error *err);
void cache_finish(struct exec *exec);

/* second: physical page behind the next virtual one, or NO_SECOND_PAGE if there is none now. */
struct unit *cache_find(struct exec *exec, uint64_t pc, uint32_t key, gpa physical, gpa second);
/* The unit whose host code holds this address, dropped ones too; NULL: none. No lock needed on a
 * thread that is inside that code. */
struct unit *unit_at(const struct exec *exec, const void *address);

/* Was it made from one of these bytes of its first page? */
bool unit_made_from(const struct unit *unit, gpa address, uint32_t size);

/* Says that code is about to be read from this page: from now on stores into it are seen. Returns
 * its generation. Takes the lock. */
uint64_t cache_page_prepare(struct exec *exec, gpa page);
bool cache_page_unchanged(struct exec *exec, gpa page, uint64_t generation);

/* Room for a unit in the current region. */
struct code_buf cache_room(struct exec *exec);
/* Goes on to the next region and empties it. No vCPU may be in generated code. False: the current
 * one was empty. */
bool cache_next_region(struct exec *exec);
/* Makes a unit of what the backend emitted, not entered anywhere yet except by host address.
 * bytes: what it was made from, or NULL. */
struct unit *unit_create(struct exec *exec, const struct unit_code *code,
                         const struct code_buf *end, const uint8_t *bytes, unsigned n_bytes);
/* Makes it found by pc and by store. */
void unit_enter(struct exec *exec, struct unit *unit);
/* A unit dropped earlier that was made from what is at `bytes` now, entered again, or NULL.
 * generation: of its page when `bytes` was asked for. Takes the lock. */
struct unit *unit_revive(struct exec *exec, const struct run_state *run, gpa physical,
                         const uint8_t *bytes, uint64_t generation);
/* Takes back a unit that was never entered and is the last created. */
void unit_discard(struct exec *exec, struct unit *unit);
void unit_link(struct exec *exec, void *site, struct unit *target);
/* reason: the counter for it */
void unit_drop(struct exec *exec, struct unit *unit, enum counter reason);
/* Leaves a unit that nothing leads to (any more) to cache_reap. */
void unit_retire(struct exec *exec, struct unit *unit);
/* Frees dropped units that no vCPU can be in any more. */
void cache_reap(struct exec *exec);
/* These take the lock. */
void cache_changed(void *exec, gpa address, uint64_t size);
void cache_apply_changes(struct exec *exec);
void cache_drop_all(struct exec *exec);
/* Units that run over the instruction at this virtual address. */
void cache_drop_at(struct exec *exec, gva address);

/* ---- translate.c ------------------------------------------------------------------------------
 */

/* Translates at run.pc, run.key; raises the guest's fetch faults (then does not return).
 * max_insns != 0: a unit of its own that long at most, not entered; the caller discards it. */
struct unit *unit_translate(struct engine *engine, unsigned max_insns);
void unit_log_guest_code(struct engine *engine, uint64_t pc, uint32_t key, unsigned bytes,
                         FILE *out);

/* ---- record.c -----------------------------------------------------------------------------------
 */

void record_unit(struct exec *exec, const struct unit *unit);

/* ---- debug.c ------------------------------------------------------------------------------------
 */

/* Before code for run.pc is entered: is the vCPU to stop here? */
bool debug_stops_here(struct engine *engine);
/* On the vCPU's thread: it has stopped for that reason. Whoever wanted to know is told. */
void debug_stopped(struct engine *engine);
/* On the vCPU's thread, when it is resumed: takes the steps that are to be taken out of the run
 * loop. False: it is not to go on (yet). */
bool debug_go_on(struct engine *engine);

/* ---- exec.c, vcpu.c ---------------------------------------------------------------------------
 */

/* Host code for run.pc, run.key or NULL; fills the jump cache. Takes the lock. */
const void *engine_lookup(void *cpu);
/* Is the caller on the thread of one of its vCPUs, and that running? */
bool engine_is_current(const struct exec *exec);
/* The unit that called what this thread does for that vCPU; NULL: another thread's, or unknown. */
const struct unit *engine_calling_unit(const struct engine *engine);
/* The engine whose vCPU this thread runs, or NULL. Async-signal-safe. */
const struct exec *engine_current(void);
/* host_fault.c: inline accesses of wide guests may fault from now on. */
void host_faults_catch(struct exec *exec);
/* On the vCPU's thread, out of the run loop: one instruction, for a debugger (struct vcpu,
 * single_step). False: it was asked to stop before it could. */
bool engine_single_step(struct engine *engine);
/* Leaves generated code as it stood at the current unit's first instruction. */
NORETURN void engine_restart_unit(struct vcpu *cpu);

#endif
