/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One case of the x86 instruction tests: one or several instructions, the registers before, and
 * which part of a pool of random bytes lies in the data area. The guest and the host's processor
 * see the same bytes at the same addresses. Pure, except for the printing.
 */
#ifndef CALQUE_TESTS_INSN_X86_CASE_H
#define CALQUE_TESTS_INSN_X86_CASE_H

#include "tests/x86_random.h"

enum {
    CODE_BASE = 0x30000000, /* readable and executable; all of it INT3 but for the instructions */
    CODE_BYTES = 0x2000,
    DATA_BASE = 0x2a000000, /* readable and writable; nothing before it, nothing behind it */
    DATA_BYTES = 0x2000,
    POOL_BYTES = 0x10000,
    GS_BASE = 0x40, /* in 64-bit mode */
    MAX_SEQUENCE = 20,
    MAX_CODE = MAX_SEQUENCE * 15,
    FILLER = 0xcc,
    SELECTOR_CODE32 = 0x23, /* Linux's */
    SELECTOR_DATA = 0x2b,
    SELECTOR_CODE64 = 0x33,
    SELECTOR_CODE16 = 0x07, /* LDT: the code area, as offsets from 0 to its size */
    SELECTOR_DATA16 = 0x0f, /* LDT: the data area */
    LEGACY_MXCSR = 24,      /* offsets in x86_registers.legacy */
    LEGACY_ST = 32,
    LEGACY_XMM = 160,
    LEGACY_USED = 416,
};

struct x86_registers {
    uint64_t gpr[16];
    uint64_t rip;
    uint16_t selector[5]; /* ES, CS, SS, DS, GS afterwards */
    uint32_t eflags;
    uint8_t legacy[512] __attribute__((aligned(16))); /* as FXSAVE64 writes it */
    uint8_t ymm_high[16][16];
};

struct x86_case {
    const struct x86_row *row; /* NULL: a sequence */
    bool code64;               /* 64-bit mode; else compatibility mode, 32-bit */
    bool code16;               /* 16-bit code, in segments with a base and a limit */
    bool stack16;              /* the same with a 16-bit stack pointer: no case for the host */
    bool supervisor;           /* CPL 0: no case for the host */
    uint8_t n_insns;
    uint8_t insn_length[MAX_SEQUENCE];
    uint8_t code[MAX_CODE];
    unsigned length;
    uint32_t pool_offset;
    uint32_t patch_offset; /* 40 bytes of the data area that are not the pool's; 0: none */
    uint64_t patch[5];
    struct x86_registers before; /* before.rip: the code's linear address */
};

enum { OUTCOME_DONE = -1, OUTCOME_HANGS = 0x100 };
struct x86_result {
    int outcome; /* DONE: after.rip is where it goes on; HANGS; or the exception's vector */
    uint32_t error_code;
    uint64_t address; /* of a page fault */
    struct x86_registers after;
    uint8_t data[DATA_BYTES];
};

/* What the data area is filled from. */
void x86_pool_init(uint64_t seed);
void x86_case_fill(const struct x86_case *c, uint8_t data[DATA_BYTES]);

/* The only or first instruction. */
/* Where ours has its descriptors outside 64-bit mode, and the host perhaps nothing. */
#define GDT_BASE32 UINT64_C(0xfffe0000)

bool x86_case_decode(const struct x86_case *c, struct x86_insn *out);

enum x86_case_modes { CASES_WIDE /* 64-bit and compatibility mode */, CASES_32, CASES_16 };

/* A random case of the row; false: it has none that makes sense in user mode. */
bool x86_case_random(const struct x86_row *row, enum x86_case_modes modes, struct rng *r,
                     struct x86_case *out);
/* A straight line of 2 to 20 instructions out of these rows. */
void x86_case_sequence(const struct x86_row *const *rows, unsigned n_rows, bool wide, struct rng *r,
                       struct x86_case *out);
/* Is the row one whose instances user mode can run, alone, without leaving the test's control? */
bool x86_row_is_testable(const struct x86_row *row);
/* And in between others? */
bool x86_row_in_sequences(const struct x86_row *row);

/* The first difference, as text; NULL if there is none. a and b are called so. */
const char *x86_difference(const struct x86_case *c, const struct x86_result *a, const char *a_name,
                           const struct x86_result *b, const char *b_name);
void x86_case_print(const struct x86_case *c);
void x86_result_print(const struct x86_case *c, const struct x86_result *result, const char *name);

/* What the environment asks for: CALQUE_SEED, CALQUE_CASES and CALQUE_TEST_LEVEL, CALQUE_ROW. */
uint64_t x86_chosen_seed(void);
unsigned x86_chosen_cases(unsigned normal, unsigned all);
bool x86_row_is_chosen(const struct x86_row *row);

#endif
