/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels for MIPS: ELF executables of either width and order (vmlinux, and vmlinuz, which unpacks
 * itself), gzip of one, the uImage wrapper; anything else is a raw program.
 */
#ifndef CALQUE_HW_MACHINES_MIPS_KERNEL_H
#define CALQUE_HW_MACHINES_MIPS_KERNEL_H

#include "hw/machines/loader.h"

enum { ELF_MACHINE_MIPS = 8 };

struct mips_kernel_target {
    const struct memory *memory;
    uint64_t ram_bytes;
    bool big_endian;
    bool wide; /* a 64-bit processor, which runs programs for 32 bits too */
};

struct mips_kernel {
    const char *format; /* "ELF", ... */
    uint64_t entry;     /* virtual, its sign extended */
    gpa end;            /* of what it occupies */
};

/* Where an unmapped virtual address is: KSEG0, KSEG1, XKPHYS; others are taken as physical. */
gpa mips_physical(uint64_t address);

/* Checks `file` and adds its segments to l; the file's contents are taken over or freed. */
bool mips_kernel_load(struct loader_file *file, const struct mips_kernel_target *target,
                      struct loader *l, struct mips_kernel *out, struct error *err);

#endif
