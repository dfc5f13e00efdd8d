/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs bare-metal programs, built by a cross-assembler, in every engine mode on a board of RAM and
 * one small device. The programs check themselves: a store of 0 to the device's first word ends
 * them well, of anything else names the line that failed. Without the assembler the test is
 * skipped.
 */
#ifndef CALQUE_TESTS_GUEST_BARE_H
#define CALQUE_TESTS_GUEST_BARE_H

#include "exec/vcpu.h"

struct bare_board {
    const struct bare_kind *kind;
    pthread_mutex_t lock;
    struct clock *clock;
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    uint8_t *ram;
    bool finished;
    uint32_t result;
};

/* What differs from guest to guest. */
struct bare_kind {
    const char *guest;
    const char *directory; /* of the sources: tests/guest/<directory>/<name>.S, and .c if any */
    const char *compiler;  /* the cross-compiler, with -objcopy beside its -gcc */
    const char *flags;
    uint64_t ram, device; /* physical; RAM holds the image */
    uint64_t entry;       /* virtual */
    /* A store to the device, but for the first word. */
    void (*device_write)(struct bare_board *board, uint64_t offset, uint32_t value);
    void (*connect)(struct bare_board *board); /* NULL: nothing to connect */
};

/* On each of the models (ends with NULL); fails the test if the program does on any. */
void bare_run(const struct bare_kind *kind, const char *name, const char *const *models);

#endif
