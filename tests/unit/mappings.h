/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What guests say of their mappings (info mem, info tlb): a processor whose tables tests write. */
#ifndef CALQUE_TESTS_UNIT_MAPPINGS_H
#define CALQUE_TESTS_UNIT_MAPPINGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/vcpu.h"

enum { MAX_TOLD = 16, R = 1 << MMU_READ, W = 1 << MMU_WRITE, X = 1 << MMU_EXEC };

struct mappings {
    pthread_mutex_t lock;
    struct clock *clock;
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    uint8_t *ram; /* a MiB at address 0 */
    struct guest_mapping told[MAX_TOLD];
    char text[MAX_TOLD][64];
    unsigned n, limit; /* limit 0: no end */
};

void mappings_create(struct mappings *f, const char *guest, const char *model);
void mappings_destroy(struct mappings *f);
void mappings_ask(struct mappings *f);
/* The i-th that was told is this one. */
void mapping_is(struct mappings *f, unsigned i, gva address, gpa physical, uint64_t size,
                unsigned privileged, unsigned user);
void mappings_put32(struct mappings *f, gpa at, uint32_t value);
void mappings_put64(struct mappings *f, gpa at, uint64_t value);

#endif
