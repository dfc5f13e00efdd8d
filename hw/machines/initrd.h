/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is an initial RAM disk whole? And is it for ARM, where that shows? */
#ifndef CALQUE_HW_MACHINES_INITRD_H
#define CALQUE_HW_MACHINES_INITRD_H

#include "hw/machines/loader.h"

/* Checks gzip, zstd, xz, cpio and ext2 for truncation; takes a uImage header off. Formats it does
 * not know are left to the kernel. elf_machine: what the programs in it must be for. */
bool initrd_check(struct loader_file *file, unsigned elf_machine, struct error *err);

#endif
