/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host bridges of PCs do below 1 MiB: the programmable attribute map (PAM), which lets
 * parts of 0xc0000 to 0xfffff show RAM for loads, stores or both, and compatible SMRAM at 0xa0000.
 * The RAM is machine.ram_block; without it nothing happens.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_PCI_SHADOW_H
#define CALQUE_HW_PCI_SHADOW_H

#include "hw/device.h"

enum { SHADOW_SEGMENTS = 13, SHADOW_REGISTERS = 7 };

struct shadow {
    struct memory_window segments[SHADOW_SEGMENTS];
    struct memory_window smram;
};

/* pam: the seven registers as the guest has written them; smram: show RAM at 0xa0000. */
void shadow_update(struct device *d, struct shadow *shadow, const uint8_t *pam, bool smram);

#endif
