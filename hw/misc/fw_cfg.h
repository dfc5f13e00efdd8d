/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: numbered items and named files that the board offers to its
 * firmware. Data is copied; adding an item or file again replaces it.
 */
#ifndef CALQUE_HW_MISC_FW_CFG_H
#define CALQUE_HW_MISC_FW_CFG_H

#include "hw/device.h"

enum fw_cfg_item {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_MAX_FILES = 64,
    FW_CFG_ARCHITECTURE = 0x8000, /* numbers from here on are the architecture's own */
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
    FW_CFG_N_ARCHITECTURE = 8,
    FW_CFG_N_ITEMS = FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES,
};

bool fw_cfg_add_item(struct device *d, unsigned key, const void *data, uint32_t size);
bool fw_cfg_add_u32(struct device *d, unsigned key, uint32_t value); /* little-endian */
bool fw_cfg_add_file(struct device *d, const char *name, const void *data, uint32_t size);
/* A file that the guest may write by DMA. It is zero after a reset; written(opaque) is called after
 * every transfer into it, and must not change the files. */
bool fw_cfg_add_writable_file(struct device *d, const char *name, uint32_t size,
                              void (*written)(void *opaque), void *opaque);
/* Its bytes now; NULL: there is no such file. */
const uint8_t *fw_cfg_file(const struct device *d, const char *name, uint32_t *size);
/* Nobody is called for it any more. */
void fw_cfg_forget_writer(struct device *d, const char *name);

#endif
