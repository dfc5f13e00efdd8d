/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A screen: pixels that a source (a display adapter, a text console) draws and that viewers (a
 * window, VNC, `screendump`) show. Viewers pull: nothing is drawn while nobody looks.
 *
 * Pixels are 0x00rrggbb, one uint32_t each, row after row without gaps. A new screen is 640 x 480
 * and black. Sizes come from the guest and are checked here.
 *
 * Ownership: the list owns its screens (screen_destroy, screens_destroy); sources and viewers are
 * their owners'. Threading: everything with the device lock held.
 */
#ifndef CALQUE_HOST_SCREEN_H
#define CALQUE_HOST_SCREEN_H

#include <stdio.h>

#include "util/compiler.h"

enum { SCREEN_MAX_WIDTH = 5120, SCREEN_MAX_HEIGHT = 4096, SCREEN_VIEWERS = 8, SCREEN_RECTS = 32 };
enum { SCREEN_CURSOR_SIZE = 64 };

struct screen;
struct screen_rect {
    unsigned x, y, width, height;
};
/* The smallest that has both in it. */
struct screen_rect screen_rect_enclose(const struct screen_rect *a, const struct screen_rect *b);

/* A pointer that the adapter keeps apart from the picture. Pixels are 0xaarrggbb, not
 * premultiplied. */
struct screen_cursor {
    bool visible;
    int x, y; /* of the hot spot on the screen */
    unsigned width, height, hot_x, hot_y;
    uint32_t pixels[SCREEN_CURSOR_SIZE * SCREEN_CURSOR_SIZE];
};

struct screen_source {
    /* Draws what differs from the last call, with the functions for sources below; everything if
     * screen->whole. May change the size. */
    void (*refresh)(void *opaque, struct screen *screen);
    /* The text that is shown, a line each, or one line that says there is none. May be NULL. */
    void (*print_text)(void *opaque, FILE *out);
    /* Somebody would like this size: a window was resized. NULL: it would not matter. */
    void (*suggest_size)(void *opaque, unsigned width, unsigned height);
};

/* Called from the thread of whoever refreshes the screen. */
struct screen_viewer {
    void (*resized)(void *opaque, struct screen *screen); /* `changed` for all of it follows */
    void (*changed)(void *opaque, struct screen *screen, const struct screen_rect *rect);
    void (*cursor)(void *opaque, struct screen *screen); /* screen->cursor differs; may be NULL */
};

struct screen {
    char name[32]; /* the device's id; "monitor", "serial0" of text consoles */
    const struct screen_source *source;
    void *source_opaque;
    unsigned width, height;
    uint32_t *pixels;
    struct screen_cursor *cursor; /* NULL: the adapter has none */
    bool whole;                   /* the next refresh draws everything */
    /* the screen's own */
    bool resized, cursor_changed;
    unsigned n_rects;
    struct screen_rect rects[SCREEN_RECTS];
    struct screen_viewing {
        const struct screen_viewer *viewer; /* NULL: nobody */
        void *opaque;
        bool is_new; /* has not been told of anything yet */
    } viewers[SCREEN_VIEWERS];
    struct screen *next;
};

/* In the order of creation; the first is what a window shows. Zeroed: empty. */
struct screens {
    struct screen *first;
};

/* NULL: out of memory. */
struct screen *screen_create(struct screens *screens, const char *name,
                             const struct screen_source *source, void *opaque);
void screen_destroy(struct screens *screens, struct screen *screen); /* NULL does nothing */
void screens_destroy(struct screens *screens);
struct screen *screen_find(const struct screens *screens, const char *name); /* NULL: none */

/* ---- for sources, within refresh --------------------------------------------------------------
 */

/* False, and the picture stays as it is: 0, more than the largest size, or no memory. The new
 * picture is black, and screen->whole is set. */
bool screen_resize(struct screen *screen, unsigned width, unsigned height);
/* One row as it is now, screen->width pixels: copied and damaged where it differs. */
void screen_put_row(struct screen *screen, unsigned y, const uint32_t *row);
void screen_fill(struct screen *screen, uint32_t colour);
/* The source has written these pixels itself. What lies outside is cut off. */
void screen_damage(struct screen *screen, struct screen_rect rect);
/* Makes screen->cursor exist (NULL: no memory) for a source that has one; after a change of it
 * screen_cursor_changed. */
struct screen_cursor *screen_get_cursor(struct screen *screen);
void screen_cursor_changed(struct screen *screen);

/* ---- for viewers ------------------------------------------------------------------------------
 */

/* False: too many. The viewer is told of everything at the next refresh. */
bool screen_add_viewer(struct screen *screen, const struct screen_viewer *viewer, void *opaque);
void screen_remove_viewer(struct screen *screen, const struct screen_viewer *viewer, void *opaque);
/* Has the source draw, then tells every viewer what differs. True if anything did. */
bool screen_refresh(struct screen *screen);

#endif
