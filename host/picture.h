/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen on an area of another size: as large as fits without changing its shape, in the middle,
 * the adapter's pointer drawn over it. Only what is asked for is drawn, and it comes out the same
 * however it is cut into rectangles.
 *
 * Ownership: the picture owns its tables (picture_clear). Threading: device lock held.
 */
#ifndef CALQUE_HOST_PICTURE_H
#define CALQUE_HOST_PICTURE_H

#include "host/screen.h"

enum { PICTURE_MAX = 16384 }; /* width and height of an area */

struct picture {
    unsigned screen_width, screen_height; /* what the tables are for */
    struct screen_rect place;             /* of the screen on the area */
    uint16_t *column;                     /* the screen's column of each of place's */
    uint32_t *row;                        /* a row of the screen with the pointer */
    struct screen_rect pointer;           /* where it was drawn last; on the screen */
};

/* For another screen, or area, or size of one. False: too large, or no memory. */
bool picture_arrange(struct picture *picture, const struct screen *screen, unsigned width,
                     unsigned height);
void picture_clear(struct picture *picture);
/* Draws what `rect` of the screen covers; returns where that is on the area. stride: of the area,
 * in pixels. Nothing if the screen has changed its size since picture_arrange. */
struct screen_rect picture_draw(struct picture *picture, const struct screen *screen,
                                const struct screen_rect *rect, uint32_t *pixels, size_t stride);
/* The pointer moved or changed: where on the screen it was, and where it is now. */
void picture_move_pointer(struct picture *picture, const struct screen *screen,
                          struct screen_rect damaged[2]);
/* The screen's pixel that is shown there, the nearest for a place beside it. */
void picture_find(const struct picture *picture, int x, int y, unsigned *screen_x,
                  unsigned *screen_y);

#endif
