/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screens: the pixels, what of them has changed, and who is told. */
#include "host/screen.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_WIDTH = 640, FIRST_HEIGHT = 480, NEAR = 64 };

struct screen *screen_create(struct screens *screens, const char *name,
                             const struct screen_source *source, void *opaque)
{
    struct screen *screen = calloc(1, sizeof(*screen)), **last = &screens->first;

    if (!screen)
        return NULL;
    if (!screen_resize(screen, FIRST_WIDTH, FIRST_HEIGHT)) {
        free(screen);
        return NULL;
    }
    snprintf(screen->name, sizeof(screen->name), "%s", name);
    screen->source = source;
    screen->source_opaque = opaque;
    while (*last)
        last = &(*last)->next;
    *last = screen;
    return screen;
}

void screen_destroy(struct screens *screens, struct screen *screen)
{
    struct screen **link = &screens->first;

    if (!screen)
        return;
    while (*link && *link != screen)
        link = &(*link)->next;
    if (*link)
        *link = screen->next;
    free(screen->cursor);
    free(screen->pixels);
    free(screen);
}

void screens_destroy(struct screens *screens)
{
    while (screens->first)
        screen_destroy(screens, screens->first);
}

struct screen *screen_find(const struct screens *screens, const char *name)
{
    struct screen *screen = screens->first;

    while (screen && strcmp(screen->name, name))
        screen = screen->next;
    return screen;
}

/* ---- for sources ------------------------------------------------------------------------------
 */

bool screen_resize(struct screen *screen, unsigned width, unsigned height)
{
    uint32_t *pixels;

    if (!width || !height || width > SCREEN_MAX_WIDTH || height > SCREEN_MAX_HEIGHT)
        return false;
    if (screen->pixels && width == screen->width && height == screen->height)
        return true;
    pixels = calloc((size_t)width * height, sizeof(*pixels));
    if (!pixels)
        return false;
    free(screen->pixels);
    screen->pixels = pixels;
    screen->width = width;
    screen->height = height;
    screen->resized = screen->whole = true;
    screen->n_rects = 0;
    return true;
}

struct screen_rect screen_rect_enclose(const struct screen_rect *a, const struct screen_rect *b)
{
    unsigned right = MAX(a->x + a->width, b->x + b->width);
    unsigned bottom = MAX(a->y + a->height, b->y + b->height);
    struct screen_rect both = {MIN(a->x, b->x), MIN(a->y, b->y), 0, 0};

    both.width = right - both.x;
    both.height = bottom - both.y;
    return both;
}

/* Rows come from top to bottom, so that what follows the last rectangle closely grows it: pixels
 * that are shown for nothing cost less than one more rectangle. */
static bool grows_last(const struct screen *screen, const struct screen_rect *rect)
{
    const struct screen_rect *last = &screen->rects[screen->n_rects - 1];

    return rect->y <= last->y + last->height && last->y <= rect->y + rect->height &&
           rect->x <= last->x + last->width + NEAR && last->x <= rect->x + rect->width + NEAR;
}

void screen_damage(struct screen *screen, struct screen_rect rect)
{
    struct screen_rect *last = &screen->rects[MAX(screen->n_rects, 1u) - 1];

    if (rect.x >= screen->width || rect.y >= screen->height || !rect.width || !rect.height)
        return;
    rect.width = MIN(rect.width, screen->width - rect.x);
    rect.height = MIN(rect.height, screen->height - rect.y);
    if (screen->n_rects && (grows_last(screen, &rect) || screen->n_rects == SCREEN_RECTS))
        *last = screen_rect_enclose(last, &rect);
    else
        screen->rects[screen->n_rects++] = rect;
}

void screen_put_row(struct screen *screen, unsigned y, const uint32_t *row)
{
    uint32_t *shown = &screen->pixels[(size_t)y * screen->width];
    unsigned from = 0, to = screen->width;

    if (y >= screen->height || !memcmp(shown, row, to * sizeof(*row)))
        return;
    while (shown[from] == row[from])
        from++;
    while (shown[to - 1] == row[to - 1])
        to--;
    memcpy(&shown[from], &row[from], (to - from) * sizeof(*row));
    screen_damage(screen, (struct screen_rect){from, y, to - from, 1});
}

void screen_fill(struct screen *screen, uint32_t colour)
{
    uint32_t row[SCREEN_MAX_WIDTH];

    for (unsigned x = 0; x < screen->width; x++)
        row[x] = colour;
    for (unsigned y = 0; y < screen->height; y++)
        screen_put_row(screen, y, row);
}

struct screen_cursor *screen_get_cursor(struct screen *screen)
{
    if (!screen->cursor)
        screen->cursor = calloc(1, sizeof(*screen->cursor));
    return screen->cursor;
}

void screen_cursor_changed(struct screen *screen)
{
    screen->cursor_changed = true;
}

/* ---- for viewers ------------------------------------------------------------------------------
 */

bool screen_add_viewer(struct screen *screen, const struct screen_viewer *viewer, void *opaque)
{
    for (unsigned i = 0; i < SCREEN_VIEWERS; i++) {
        if (screen->viewers[i].viewer)
            continue;
        screen->viewers[i] = (struct screen_viewing){viewer, opaque, .is_new = true};
        return true;
    }
    return false;
}

void screen_remove_viewer(struct screen *screen, const struct screen_viewer *viewer, void *opaque)
{
    for (unsigned i = 0; i < SCREEN_VIEWERS; i++) {
        if (screen->viewers[i].viewer == viewer && screen->viewers[i].opaque == opaque)
            screen->viewers[i].viewer = NULL;
    }
}

/* True: there was something to tell. */
static bool tell(struct screen *screen, struct screen_viewing *viewing)
{
    const struct screen_viewer *viewer = viewing->viewer;
    struct screen_rect all = {0, 0, screen->width, screen->height};
    bool whole = screen->resized || viewing->is_new;
    bool cursor = (screen->cursor_changed || viewing->is_new) && screen->cursor;

    if (whole) {
        viewer->resized(viewing->opaque, screen);
        viewer->changed(viewing->opaque, screen, &all);
    }
    for (unsigned i = 0; i < screen->n_rects && !whole; i++)
        viewer->changed(viewing->opaque, screen, &screen->rects[i]);
    if (cursor && viewer->cursor)
        viewer->cursor(viewing->opaque, screen);
    viewing->is_new = false;
    return whole || screen->n_rects || cursor;
}

bool screen_refresh(struct screen *screen)
{
    bool differs;

    screen->source->refresh(screen->source_opaque, screen);
    differs = screen->resized || screen->n_rects || screen->cursor_changed;
    for (unsigned i = 0; i < SCREEN_VIEWERS; i++) {
        if (screen->viewers[i].viewer)
            differs |= tell(screen, &screen->viewers[i]);
    }
    screen->resized = screen->cursor_changed = screen->whole = false;
    screen->n_rects = 0;
    return differs;
}
