/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scaling a screen to an area, the nearest pixel each, with the pointer over it. */
#include "host/picture.h"

#include <stdlib.h>
#include <string.h>

void picture_clear(struct picture *picture)
{
    free(picture->column);
    free(picture->row);
    memset(picture, 0, sizeof(*picture));
}

bool picture_arrange(struct picture *picture, const struct screen *screen, unsigned width,
                     unsigned height)
{
    uint64_t w = screen->width, h = screen->height;
    struct screen_rect *place = &picture->place;

    picture_clear(picture);
    if (!w || !h || !width || !height || width > PICTURE_MAX || height > PICTURE_MAX)
        return false;
    if (width * h <= height * w) {
        place->width = width;
        place->height = (unsigned)MAX(width * h / w, 1u);
    } else {
        place->height = height;
        place->width = (unsigned)MAX(height * w / h, 1u);
    }
    place->x = (width - place->width) / 2;
    place->y = (height - place->height) / 2;
    picture->column = malloc(place->width * sizeof(*picture->column));
    picture->row = malloc(w * sizeof(*picture->row));
    if (!picture->column || !picture->row)
        return false;
    for (unsigned x = 0; x < place->width; x++)
        picture->column[x] = (uint16_t)(x * w / place->width);
    picture->screen_width = screen->width;
    picture->screen_height = screen->height;
    return true;
}

/* The first place whose source is not before `at`. */
static unsigned first_place(unsigned at, unsigned from, unsigned to)
{
    return (unsigned)(((uint64_t)at * to + from - 1) / from);
}

static uint32_t blend(uint32_t under, uint32_t over)
{
    uint32_t alpha = over >> 24, result = 0;

    for (unsigned shift = 0; shift < 24; shift += 8) {
        uint32_t a = over >> shift & 0xff, b = under >> shift & 0xff;
        result |= (a * alpha + b * (255 - alpha) + 127) / 255 << shift;
    }
    return result;
}

/* The screen's row, with the pointer where it crosses it. */
static const uint32_t *compose_row(const struct picture *picture, const struct screen *screen,
                                   unsigned y)
{
    const uint32_t *pixels = &screen->pixels[(size_t)y * screen->width];
    const struct screen_rect *p = &picture->pointer;
    const struct screen_cursor *cursor = screen->cursor;
    const unsigned size = SCREEN_CURSOR_SIZE;
    int left, top;

    if (!p->width || !cursor || y < p->y || y >= p->y + p->height)
        return pixels;
    left = cursor->x - (int)cursor->hot_x;
    top = cursor->y - (int)cursor->hot_y;
    memcpy(picture->row, pixels, screen->width * sizeof(*pixels));
    for (unsigned x = p->x; x < p->x + p->width; x++) {
        unsigned cx = (unsigned)((int)x - left), cy = (unsigned)((int)y - top);
        /* The shape may have become another since the pointer was last moved. */
        if (cx < MIN(cursor->width, size) && cy < MIN(cursor->height, size))
            picture->row[x] = blend(pixels[x], cursor->pixels[cy * cursor->width + cx]);
    }
    return picture->row;
}

static void draw_row(const struct picture *picture, const uint32_t *from, uint32_t *to, unsigned x0,
                     unsigned x1)
{
    const uint16_t *column = picture->column;

    if (picture->place.width == picture->screen_width) {
        memcpy(&to[x0], &from[x0], (x1 - x0) * sizeof(*to));
        return;
    }
    for (unsigned x = x0; x < x1; x++)
        to[x] = from[column[x]];
}

struct screen_rect picture_draw(struct picture *picture, const struct screen *screen,
                                const struct screen_rect *rect, uint32_t *pixels, size_t stride)
{
    const struct screen_rect *place = &picture->place;
    unsigned w = picture->screen_width, h = picture->screen_height;
    unsigned x0, x1, y0, y1, drawn = UINT32_MAX;
    const uint32_t *last = NULL;

    if (!picture->row || w != screen->width || h != screen->height || rect->x + rect->width > w ||
        rect->y + rect->height > h)
        return (struct screen_rect){0};
    x0 = first_place(rect->x, w, place->width);
    x1 = first_place(rect->x + rect->width, w, place->width);
    y0 = first_place(rect->y, h, place->height);
    y1 = first_place(rect->y + rect->height, h, place->height);
    for (unsigned y = y0; y < y1; y++) {
        unsigned source = (unsigned)((uint64_t)y * h / place->height);
        uint32_t *to = pixels + (place->y + y) * stride + place->x;
        if (source == drawn)
            memcpy(&to[x0], &last[x0], (x1 - x0) * sizeof(*to));
        else
            draw_row(picture, compose_row(picture, screen, source), to, x0, x1);
        drawn = source;
        last = to;
    }
    return (struct screen_rect){place->x + x0, place->y + y0, x1 - x0, y1 - y0};
}

/* What of the pointer lies on the screen; nothing if it is not to be seen. */
static struct screen_rect find_pointer(const struct picture *picture, const struct screen *screen)
{
    const struct screen_cursor *cursor = screen->cursor;
    int64_t left, top, right, bottom;

    if (!cursor || !cursor->visible || cursor->width > SCREEN_CURSOR_SIZE ||
        cursor->height > SCREEN_CURSOR_SIZE)
        return (struct screen_rect){0};
    left = (int64_t)cursor->x - cursor->hot_x;
    top = (int64_t)cursor->y - cursor->hot_y;
    right = MIN(left + cursor->width, (int64_t)screen->width);
    bottom = MIN(top + cursor->height, (int64_t)screen->height);
    left = MAX(left, 0);
    top = MAX(top, 0);
    if (left >= right || top >= bottom)
        return (struct screen_rect){0};
    return (struct screen_rect){(unsigned)left, (unsigned)top, (unsigned)(right - left),
                                (unsigned)(bottom - top)};
}

void picture_move_pointer(struct picture *picture, const struct screen *screen,
                          struct screen_rect damaged[2])
{
    damaged[0] = picture->pointer;
    damaged[1] = picture->pointer = find_pointer(picture, screen);
}

void picture_find(const struct picture *picture, int x, int y, unsigned *screen_x,
                  unsigned *screen_y)
{
    const struct screen_rect *place = &picture->place;
    int64_t left = (int64_t)x - place->x, top = (int64_t)y - place->y;

    *screen_x = *screen_y = 0;
    if (!picture->row)
        return;
    left = MIN(MAX(left, 0), (int64_t)place->width - 1);
    top = MIN(MAX(top, 0), (int64_t)place->height - 1);
    *screen_x = picture->column[left];
    *screen_y = (unsigned)((uint64_t)top * picture->screen_height / place->height);
}
