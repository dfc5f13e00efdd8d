/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a "VGA" device, for who shows it: the monitor, tests, a window. Device lock held.
 */
#ifndef CALQUE_HW_DISPLAY_VGA_H
#define CALQUE_HW_DISPLAY_VGA_H

#include <stdio.h>

#include "hw/device.h"

enum { VGA_MAX_WIDTH = 2560, VGA_MAX_HEIGHT = 1600 };

/* What is on the screen now. Text modes count in pixels of their font, too. */
struct vga_size {
    unsigned width, height;
    bool text;
    unsigned columns, rows; /* text */
};

struct vga_size vga_size(struct device *d);
/* Draws the whole picture as 0x00rrggbb; `stride` is in pixels. No more than width by height pixels
 * (of vga_size, which the caller asks just before) are written. blink: the phase in which blinking
 * characters and the cursor show. */
void vga_render(struct device *d, uint32_t *pixels, unsigned stride, unsigned width,
                unsigned height, bool blink);
/* The text screen, a line each, without trailing blanks; in graphics modes one line that says so.
 */
void vga_text(struct device *d, FILE *out);

#endif
