/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels for x86: what format a file has, whether all of it is there, where it goes and how it is
 * entered. bzImage after Linux's Documentation/arch/x86/boot.rst; ELF with a PVH note (Xen's
 * docs/misc/pvh.pandoc), with a Multiboot header (Multiboot Specification 0.6.96) or plain.
 */
#ifndef CALQUE_HW_MACHINES_X86_KERNEL_H
#define CALQUE_HW_MACHINES_X86_KERNEL_H

#include "hw/machines/loader.h"

enum x86_entry {
    X86_ENTRY_LINUX32,   /* protected mode, paging off, esi = boot_params */
    X86_ENTRY_LINUX64,   /* long mode, first gigabytes mapped, rsi = boot_params */
    X86_ENTRY_PVH,       /* protected mode, ebx = hvm_start_info */
    X86_ENTRY_MULTIBOOT, /* protected mode, eax = magic, ebx = multiboot_info */
};

struct x86_kernel {
    const char *format; /* "bzImage", ... */
    enum x86_entry entry_kind;
    uint32_t entry;
    gpa end;              /* above all that it needs at start, if known */
    uint8_t *setup;       /* bzImage: the first 4 KiB with its header, malloc'd; else NULL */
    uint64_t initrd_max;  /* highest address an initrd may occupy */
    uint32_t cmdline_max; /* bytes without the terminating 0 */
};

/* Checks `file` and adds its segments to l; the file's contents are taken over or freed. ram_end:
 * of the RAM below 4 GiB. allow64: the processor has long mode. */
bool x86_kernel_load(struct loader_file *file, const struct memory *memory, uint64_t ram_end,
                     bool allow64, struct loader *l, struct x86_kernel *out, struct error *err);

#endif
