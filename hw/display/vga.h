/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a "VGA" device and its kin: a screen with the device's id. Their state starts with
 * struct vga (vga_registers.h). Device lock held.
 */
#ifndef CALQUE_HW_DISPLAY_VGA_H
#define CALQUE_HW_DISPLAY_VGA_H

#include <stdio.h>

#include "hw/device.h"

/* What is on the screen now. Text modes count in pixels of their font, too. */
struct vga_size {
    unsigned width, height;
    bool text;
    unsigned columns, rows; /* text */
};

/* In init, at its end, and in finish. */
bool vga_screen_create(struct device *d, struct error *err);
void vga_screen_destroy(struct device *d);

/* What firmware would have done, for kernels that are started without: mode 3 (80 x 25) with the
 * BIOS's font and palette; or a mode of the Bochs extensions (bits: 8, 15, 16, 24, 32), false if it
 * cannot be. */
void vga_start_text(struct device *d);
bool vga_start_linear(struct device *d, unsigned width, unsigned height, unsigned bits);

struct vga_size vga_size(struct device *d);
/* A screen_source's print_text, of a device: without trailing blanks. */
void vga_text(void *opaque, FILE *out);

#endif
