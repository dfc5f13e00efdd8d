/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen of an ARM board with -device ramfb whose kernel is started without firmware: the frame
 * buffer is set up at the end of RAM, and the device tree says so ("simple-framebuffer").
 */
#ifndef CALQUE_HW_MACHINES_ARM_SCREEN_H
#define CALQUE_HW_MACHINES_ARM_SCREEN_H

#include "hw/machine.h"

/* Nothing happens without a ramfb, or where there is too little RAM. Returns an error of libfdt, or
 * 0. */
int arm_screen_add(struct machine *m, void *fdt);
void arm_screen_start(struct machine *m); /* at every reset */

#endif
