/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF executables of either width and byte order as kernels: what they are for, whether all of them
 * is there, where they go.
 */
#ifndef CALQUE_HW_MACHINES_ELF_IMAGE_H
#define CALQUE_HW_MACHINES_ELF_IMAGE_H

#include "hw/machines/loader.h"

struct elf_image_target {
    const struct memory *memory;
    unsigned machine;         /* e_machine */
    const char *architecture; /* as messages say it */
    /* Where what the file calls a physical address is. */
    gpa (*physical)(const void *opaque, uint64_t address);
    const void *opaque;
};

struct elf_image {
    bool wide, big_endian;
    uint64_t entry; /* as the file has it */
    gpa end;        /* of what it occupies */
};

bool elf_image_is(const struct loader_file *file);
/* The header: an executable for this machine? Fills in width and order. */
bool elf_image_check(const struct loader_file *file, const struct elf_image_target *target,
                     struct elf_image *out, struct error *err);
/* After elf_image_check: adds its segments to l. */
bool elf_image_load(const struct loader_file *file, const struct elf_image_target *target,
                    struct loader *l, struct elf_image *out, struct error *err);

#endif
