/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs for MIPS boards find of YAMON, the boards' monitor (MIPS MD00008): the start code
 * in the boot ROM, its service vector, arguments and environment in memory.
 */
#ifndef CALQUE_HW_MACHINES_YAMON_H
#define CALQUE_HW_MACHINES_YAMON_H

#include "softmmu/memory.h"

enum { YAMON_ROM_BYTES = 0x1000, YAMON_DATA_BYTES = 0x2000 };

/* A store that the start code does, in the CPU's words. */
struct yamon_store {
    uint32_t address; /* in KSEG1 */
    uint32_t value;
    bool byte;
};

struct yamon_start {
    bool big_endian;
    const struct yamon_store *stores;  /* ends with address 0 */
    uint32_t argc, argv, envp, memory; /* $a0 to $a3 */
    uint32_t stack;
    uint64_t entry;
};

/* Fills YAMON_ROM_BYTES at 0xbfc00000; false: the stores do not fit. */
bool yamon_make_rom(uint8_t *rom, const struct yamon_start *start);

/* Arguments, then names and values, as they are to be at physical `address` (below 512 MiB). */
struct yamon_data {
    uint8_t bytes[YAMON_DATA_BYTES];
    uint32_t address;
    uint32_t strings; /* where the next one goes */
    unsigned argc, n_environment;
    bool big_endian, full;
};
void yamon_data_init(struct yamon_data *data, uint32_t address, bool big_endian);
void yamon_add_argument(struct yamon_data *data, const char *text);
void yamon_set(struct yamon_data *data, const char *name, const char *value);
uint32_t yamon_argv(const struct yamon_data *data);
uint32_t yamon_envp(const struct yamon_data *data);

#endif
