/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random IR units and a small machine to run them on, for tests that compare engines: optimised
 * against not, a code generator against the interpreter. Everything follows from a seed.
 *
 * The units cover every op, type and block end over a synthetic table of state fields; memory is a
 * few pages behind the TLB (some of them), the slow path (the others) and a hole that faults.
 *
 *   struct random_vcpu *cpu = random_vcpu_create("interp");
 *   struct ir_unit *unit = random_unit(&arena, seed, &options);
 *   random_vcpu_reset(cpu, seed);
 *   random_vcpu_run(cpu, unit, &outcome);
 *   random_vcpu_same(a, &outcome_a, b, &outcome_b, text, sizeof(text))
 */
#ifndef CALQUE_TESTS_UNIT_RANDOM_UNIT_H
#define CALQUE_TESTS_UNIT_RANDOM_UNIT_H

#include "backend/backend.h"
#include "tcg/ir.h"

enum {
    RANDOM_MEMORY_BASE = 0x10000,
    RANDOM_PAGES = 16, /* the last one is not mapped */
    RANDOM_MEMORY_BYTES = RANDOM_PAGES * TLB_PAGE_SIZE,
};

/* Where the memory of wide units begins. */
#define RANDOM_WIDE_BASE (UINT64_C(0xffff800000000000) + RANDOM_MEMORY_BASE)

/* What the fields describe; run must be first. */
struct random_state {
    struct run_state run;
    uint32_t r[16];
    uint8_t n, z, c, v; /* 0 or 1 */
    uint8_t byte[2];
    uint16_t half[2];
    uint32_t sticky, counter;
    uint64_t wide[4];
    uint64_t d[8] __attribute__((aligned(16)));
    uint16_t status[2];
};

enum random_field {
    RF_PC,
    RF_KEY,
    RF_R0,
    RF_N = RF_R0 + 16,
    RF_Z,
    RF_C,
    RF_V,
    RF_BYTE0,
    RF_BYTE1,
    RF_HALF0,
    RF_HALF1,
    RF_STICKY,
    RF_COUNTER, /* bounds the loops: units change it nowhere else */
    RF_WIDE0,
    RF_S0 = RF_WIDE0 + 4,   /* 8, F32, over d[0..3] */
    RF_D0 = RF_S0 + 8,      /* 8, V64 */
    RF_DF0 = RF_D0 + 8,     /* 8, F64 */
    RF_Q0 = RF_DF0 + 8,     /* 4, V128 */
    RF_STATUS0 = RF_Q0 + 4, /* 2, FLAGS */
    RANDOM_N_FIELDS = RF_STATUS0 + 2,
};
extern const struct state_field random_fields[RANDOM_N_FIELDS];
extern const struct ir_fp_rules random_fp_rules; /* the host's results, NaNs made the default one */

struct random {
    uint64_t state;
};
void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
unsigned random_below(struct random *random, unsigned n);

struct random_options {
    unsigned blocks;      /* at most; 0: 4 */
    unsigned guest_insns; /* per block at most; 0: 6 */
    bool no_memory, no_float, no_vector, no_calls, no_faults;
    bool wide; /* 64-bit addresses */
    /* NULL: every op; else only ops it says true to (CONST, GET, SET and ends always). */
    bool (*allow)(unsigned op, unsigned type, unsigned sub);
};
/* A verified unit; options may be NULL. */
struct ir_unit *random_unit(struct arena *arena, uint64_t seed,
                            const struct random_options *options);

/* What units call. */
uint64_t random_helper_mix(void *opaque, uint64_t a, uint32_t b); /* pure */
uint32_t random_helper_registers(void *opaque, uint32_t a);       /* r0 r10 wide -> r1 r11 */
void random_helper_may_fault(void *opaque, uint32_t a);           /* anything */
uint64_t random_helper_four(void *opaque, uint32_t a, uint64_t b, uint32_t c, uint64_t d);
uint32_t random_helper_none(void *opaque); /* sticky */

struct random_outcome {
    enum exit_reason reason; /* EXIT_LINK is given as EXIT_LOOKUP_MISS */
    enum emit_result emitted;
    bool faulted;
    uint64_t fault_pc;
    uint32_t fault_aux;
};

struct random_vcpu;
struct random_vcpu *random_vcpu_create(const char *backend_name); /* NULL: no such backend here */
struct random_vcpu *random_vcpu_create_wide(const char *backend_name);
void random_vcpu_destroy(struct random_vcpu *cpu);
const struct backend *random_vcpu_backend(const struct random_vcpu *cpu);
struct random_state *random_vcpu_state(struct random_vcpu *cpu);
uint8_t *random_vcpu_memory(struct random_vcpu *cpu);
/* State and memory as the seed says; the same for every backend. */
void random_vcpu_reset(struct random_vcpu *cpu, uint64_t seed);
void random_vcpu_run(struct random_vcpu *cpu, const struct ir_unit *unit,
                     struct random_outcome *outcome);
/* False: text says what differs first. */
bool random_vcpu_same(struct random_vcpu *a, const struct random_outcome *outcome_a,
                      struct random_vcpu *b, const struct random_outcome *outcome_b, char *text,
                      size_t text_size);

/* For hand-made units over the same fields: the flags as ARM's CMP leaves them (C is not borrow),
 * and all four of them as a condition's operand. */
void random_set_flags(struct ir_builder *b, ir_ref arithmetic);
ir_ref random_get_flags(struct ir_builder *b);

#endif
