/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a PC: firmware in its ROM, or -kernel without firmware. Called from a board's boot() at
 * every reset; files are read and checked the first time only.
 *
 * Without firmware the ROM holds a few instructions that bring the processor from reset into the
 * mode that the kernel's boot protocol asks for, and the tables that firmware would have left:
 * ACPI, and the memory map in boot_params, hvm_start_info or multiboot_info.
 */
#ifndef CALQUE_HW_MACHINES_X86_BOOT_H
#define CALQUE_HW_MACHINES_X86_BOOT_H

#include "hw/machine.h"

enum { X86_ROM_BYTES = 128 * 1024 }; /* without firmware: 0xe0000, and below 4 GiB */

struct x86_ram {
    uint64_t low_bytes, high_bytes; /* from 0, and from 4 GiB */
};

struct x86_boot_info {
    struct x86_ram ram;
    const char *firmware; /* a file's name in the firmware folder, when neither -bios nor -kernel */
    const char *fw_cfg;   /* id of the fw_cfg device */
    bool shadowed;        /* no chipset: RAM shows below 1 MiB, with a copy of the ROM in it */
    bool started;         /* x86_boot was called before: this is a reset */
    bool linux_params;    /* the kernel is told of the screen in boot_params */
    /* ACPI tables for `base` (the RSDP stands first), malloc'd; NULL function: none. */
    uint8_t *(*make_acpi)(struct machine *m, gpa base, size_t *size, struct error *err);
    /* What this board's firmware reads besides: called once fw_cfg has the common items. */
    bool (*offer)(struct machine *m, struct device *fw_cfg, struct error *err);
};

/* Maps RAM (class->maps_ram) with a hole below 4 GiB; low_max: most that may lie below it. */
bool x86_map_ram(struct machine *m, uint64_t low_max, struct x86_ram *out, struct error *err);
/* Read-only memory that ends at 4 GiB. */
bool x86_map_rom(struct machine *m, const uint8_t *data, size_t size, struct error *err);
/* Reads images, maps the ROM: to be called from init, before a guest sees the map. */
bool x86_boot_init(struct machine *m, struct x86_boot_info *info, struct error *err);
/* At every reset. */
bool x86_boot(struct machine *m, struct x86_boot_info *info, struct error *err);

#endif
