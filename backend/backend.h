/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a code generator is: it turns one optimised, lowered unit into host code and can enter,
 * chain and unwind that code. It names no guest: registers to pin come from the fields' STATE_HOT
 * flags.
 *
 * Registered with REGISTER(backend, ...). Threading: one backend_state serves one code cache; emit
 * and patch are called with the cache's lock held; enter runs on the vCPU's thread.
 */
#ifndef CALQUE_BACKEND_BACKEND_H
#define CALQUE_BACKEND_BACKEND_H

#include "softmmu/tlb.h"
#include "tcg/ir.h"
#include "tcg/run.h"
#include "util/error.h"
#include "util/registry.h"

/* Functions generated code calls; cpu is the state base (struct run_state *). All may raise. */
struct backend_slow_path {
    uint64_t (*load)(void *cpu, uint64_t va, unsigned memop);
    void (*store)(void *cpu, uint64_t va, uint64_t value, unsigned memop);
    void (*load_bytes)(void *cpu, uint64_t va, void *out, unsigned memop);
    void (*store_bytes)(void *cpu, uint64_t va, const void *in, unsigned memop);
    void *(*probe)(void *cpu, uint64_t va, unsigned length, unsigned memop);
    void (*commit)(void *cpu, void *pointer, uint64_t va, unsigned length, unsigned memop);
    uint64_t (*cas)(void *cpu, uint64_t va, uint64_t expected, uint64_t value, unsigned memop);
    uint64_t (*rmw)(void *cpu, uint64_t va, unsigned what, uint64_t operand, unsigned memop);
    /* Finds code for run.pc, run.key that is mapped now; fills the jump cache; NULL: not there.
     * Does not raise. */
    const void *(*lookup)(void *cpu);
};

/* Where code goes: two mappings of the same memory (D11), never both writable and executable. */
struct code_buf {
    uint8_t *write;      /* next byte, writable view */
    const uint8_t *exec; /* the same byte, executable view */
    uint8_t *end;        /* of the writable view */
};

/* A place that leaves the unit to a known pc: chained by patch_jump. */
struct exit_site {
    void *site; /* opaque to exec: what link_site carries and patch_jump takes */
    uint64_t pc;
    uint32_t key;
    bool other_page; /* the jump is guarded by the exec-table tag given to patch_jump */
};

/* What a FAULT op or MAY_FAULT call needs to become precise: found by its return address. */
struct unit_code {
    const void *entry; /* executable view */
    size_t code_bytes;
    /* Arrays of the backend's, until it emits again: exec keeps copies. */
    struct exit_site *exits;
    unsigned n_exits;
    void *tables; /* the backend's side tables: bytes */
    size_t tables_bytes;
};

enum emit_result {
    EMIT_OK,
    EMIT_NO_SPACE /* buffer full: evict, try again */,
    EMIT_TOO_LONG /* split */
};

struct backend_env {
    const struct state_field *fields;
    unsigned n_fields;
    const struct ir_fp_rules *fp;
    struct backend_slow_path slow;
    struct code_buf thunks; /* room for the backend's own code (64 KiB), never evicted */
    bool wide_address;
    bool one_vcpu; /* nobody but devices shares memory: atomics need not be the host's */
    /* write view = exec view + write_offset, for patching */
    ptrdiff_t write_offset;
};

/* A part of the backend's own code. bytes 0: it is not there. */
struct backend_code {
    const char *name;
    const void *start;
    size_t bytes;
};

struct backend_state;

struct backend {
    const char *name;
    const char *description;
    bool generates_code;     /* false: the interpreter */
    bool (*available)(void); /* does this host have what it needs? */
    bool (*supports)(unsigned op, unsigned type, unsigned sub);
    struct backend_state *(*create)(const struct backend_env *env, struct error *err);
    void (*destroy)(struct backend_state *state);

    enum emit_result (*emit_unit)(struct backend_state *state, const struct ir_unit *unit,
                                  struct code_buf *out, struct unit_code *code);
    /* Runs code until something needs the run loop; says why. run.pc/key are then precise. */
    enum exit_reason (*enter)(struct backend_state *state, struct run_state *run, const void *code);
    /* Points a site at code (NULL: back to its unlinked form). tag: TLB_EXEC_TAG the target's page
     * must have, used if exit_site.other_page. */
    void (*patch_jump)(struct backend_state *state, void *site, const void *target, uint32_t tag);
    /* Inside a slow path or MAY_FAULT helper called from generated code: the return address into
     * that code (to find its unit); NULL when not in generated code. */
    const void *(*fault_site)(struct backend_state *state, struct run_state *run);
    /* Writes every guest field whose value is not in the state struct, and says the guest pc and
     * aux of the instruction at that site. */
    void (*restore)(struct backend_state *state, struct run_state *run,
                    const struct unit_code *code, const void *site, uint64_t *pc, uint32_t *aux);
    /* Only where env.wide_address: the host faulted (SIGSEGV) at pc. If that is an inline guest
     * access, where its slow path is entered with the registers as they are; else NULL. May be
     * NULL. Async-signal-safe. */
    const void *(*access_fault)(struct backend_state *state, const struct unit_code *code,
                                const void *pc);
    /* Leaves all C frames above generated code and returns from `enter` with this reason. */
    NORETURN void (*unwind)(struct backend_state *state, struct run_state *run,
                            enum exit_reason reason);
    /* No inline cache leads to this unit any more. gone: nor will it be entered again; what the
     * backend keeps for it is given back. */
    void (*forget)(struct backend_state *state, const void *entry, bool gone);
    unsigned (*disassemble)(const uint8_t *code, size_t size, uint64_t address, char *text,
                            size_t text_size);
    /* For profilers: the parts of its own code (env.thunks), counted from 0; false: no more. May be
     * NULL. */
    bool (*own_code)(const struct backend_state *state, unsigned index, struct backend_code *out);
};

REGISTRY_DECLARE(backend);

#endif
