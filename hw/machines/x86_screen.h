/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display of a PC whose kernel is started without firmware: text, or the VESA mode that vga= of
 * the command line asks for, as Linux's boot code in real mode would have set it.
 */
#ifndef CALQUE_HW_MACHINES_X86_SCREEN_H
#define CALQUE_HW_MACHINES_X86_SCREEN_H

#include "hw/machine.h"

enum { X86_SCREEN_INFO_BYTES = 64 };

/* Sets the mode of the VGA, whose BARs have their addresses. Returns what goes to the start of
 * boot_params in `info`, without ext_mem_k; false: there is no VGA. */
bool x86_screen_start(struct machine *m, uint8_t info[X86_SCREEN_INFO_BYTES]);

#endif
