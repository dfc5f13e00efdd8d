/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware of a PC: the ROM, and what firmware is told through fw_cfg and the CMOS memory. A kernel
 * that is given beside it is handed over by an option ROM of ours.
 */
#ifndef CALQUE_HW_MACHINES_X86_FIRMWARE_H
#define CALQUE_HW_MACHINES_X86_FIRMWARE_H

#include "hw/machines/x86_boot.h"

bool x86_firmware_init(struct machine *m, const struct x86_boot_info *info, struct error *err);
/* At every reset. */
void x86_firmware_boot(struct machine *m, const struct x86_boot_info *info);
/* x86_option_rom.c: -kernel, -initrd and -append as items and "genroms/linuxboot.bin". */
bool x86_option_rom_offer(struct machine *m, const struct x86_boot_info *info,
                          struct device *fw_cfg, struct error *err);

#endif
