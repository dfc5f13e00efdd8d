/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting an ARM board: -kernel after Linux's boot protocol, or -bios in the flash. Called from a
 * board's boot() at every reset; files are read and checked the first time only.
 */
#ifndef CALQUE_HW_MACHINES_ARM_BOOT_H
#define CALQUE_HW_MACHINES_ARM_BOOT_H

#include "hw/machine.h"

struct vcpu;

struct arm_boot_info {
    uint32_t machine_type; /* r1 for kernels without a device tree */
    /* The board's own device tree, used without -dtb: malloc'd, NULL with err on failure. NULL
     * function: the board has none, and kernels get ATAGs. */
    void *(*make_dtb)(struct machine *m, struct error *err);
    /* Additions to a tree, the board's or the user's; it has room to grow. May be NULL. */
    bool (*modify_dtb)(struct machine *m, void *fdt, struct error *err);
    const char *flash;  /* id of the device that takes -bios; NULL: the board cannot */
    const char *fw_cfg; /* id of the fw_cfg device, NULL: none */
    gpa firmware_entry; /* where the processor starts with -bios */
    gpa firmware_dtb;   /* where firmware finds the tree; 0: nowhere */
};

bool arm_boot(struct machine *m, const struct arm_boot_info *info, struct error *err);

/* A 32-bit register of the guest's state by name ("r0"); NULL if there is none. */
uint32_t *arm_boot_register(struct vcpu *cpu, const char *name);

#endif
