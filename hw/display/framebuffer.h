/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A picture that a display controller fetches from the guest's RAM. Rows are drawn when their bytes
 * are others than the last time; what does not lie in RAM is black.
 *
 * Ownership: embedded in its device, zeroed; framebuffer_finish frees what it keeps. Device lock.
 */
#ifndef CALQUE_HW_DISPLAY_FRAMEBUFFER_H
#define CALQUE_HW_DISPLAY_FRAMEBUFFER_H

#include "host/screen.h"
#include "softmmu/memory.h"

struct framebuffer {
    uint8_t *rows; /* the bytes that each row was drawn from */
    uint32_t *pixels;
    unsigned row_bytes, height, width;
};

struct framebuffer_row {
    unsigned y;
    const uint8_t *bytes; /* row_bytes of them; all zero where there is no RAM */
    uint32_t *pixels;     /* to be filled in, as many as the screen is wide */
};

struct framebuffer_layout {
    unsigned row_bytes;
    gpa (*address)(void *opaque, unsigned y); /* of row y */
    void (*draw)(void *opaque, const struct framebuffer_row *row);
    void *opaque;
};

void framebuffer_draw(struct framebuffer *f, struct memory *memory, struct screen *screen,
                      const struct framebuffer_layout *layout);
void framebuffer_finish(struct framebuffer *f);

#endif
