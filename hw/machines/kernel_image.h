/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels for ARM: what format a file has, whether all of it is there, and where it goes. zImage,
 * Image and gzip of either after Linux's Documentation/arch/arm/booting.rst; ELF executables; the
 * uImage wrapper; anything else is a raw program.
 */
#ifndef CALQUE_HW_MACHINES_KERNEL_IMAGE_H
#define CALQUE_HW_MACHINES_KERNEL_IMAGE_H

#include "hw/machines/loader.h"

struct kernel_target {
    const struct memory *memory;
    gpa ram_base;
    uint64_t ram_bytes;
};

struct kernel_image {
    const char *format; /* "zImage", ... */
    gpa entry;          /* bit 0: Thumb */
    gpa end;            /* above all that it needs at start (unpacked kernel and bss), if known */
};

/* Checks `file` and adds its segments to l; the file's contents are taken over or freed. */
bool kernel_image_load(struct loader_file *file, const struct kernel_target *target,
                       struct loader *l, struct kernel_image *out, struct error *err);

#endif
