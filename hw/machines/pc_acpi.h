/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the PC boards: RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET, MCFG, DSDT
 * (ACPI 6.4, 5.2). The tables stand in one blob, at a known address (no firmware) or as files for a
 * firmware that places them itself.
 */
#ifndef CALQUE_HW_MACHINES_PC_ACPI_H
#define CALQUE_HW_MACHINES_PC_ACPI_H

#include "hw/machines/aml.h"
#include "softmmu/memory.h"
#include "util/error.h"

struct pc_acpi;

/* A board of the hardware-reduced kind (ACPI 6.4, 4.1): no PCI, no power management block. */
struct pc_acpi_reduced {
    gpa sleep_registers; /* control, status, reset; one byte each */
    uint16_t pm_timer;   /* its port */
    uint8_t sleep_type;  /* of S5 */
    uint8_t reset_value;
    uint16_t boot_flags; /* IAPC_BOOT_ARCH */
    bool has_pic;
    void (*devices)(struct aml *a, void *opaque); /* what stands in \\_SB */
    void *opaque;
};

struct pc_acpi {
    const struct pc_acpi_reduced *reduced; /* NULL: a PC, as the rest says */
    bool q35;
    bool hpet, floppy;
    uint64_t low_bytes, high_bytes; /* RAM below, from 4 GiB */
    uint16_t pm_base, gpe_base;
    uint8_t gpe_bytes;
    uint8_t acpi_enable, acpi_disable; /* what the SMI command port takes */
    uint64_t mcfg_base;                /* 0: no MMCONFIG */
    uint8_t mcfg_buses;                /* minus one */
};

/* All tables for `base`, RSDP first; malloc'd. NULL with err: out of memory. */
uint8_t *pc_acpi_make(const struct pc_acpi *board, gpa base, size_t *size, struct error *err);

struct device;
/* The same as fw_cfg files "etc/acpi/tables", "etc/acpi/rsdp" and "etc/table-loader". */
bool pc_acpi_offer(const struct pc_acpi *board, struct device *fw_cfg, struct error *err);

#endif
