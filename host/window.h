/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shows a machine's screens to people and brings their keys and movements back: a window, a
 * VNC server. Each is one .c file that registers its kind.
 *
 * A front end connects to what it needs of the host in `create`, before the machine is built, and
 * shows itself in `show`, when screens and devices are there and before the process gives up what
 * it no longer needs. Afterwards it opens nothing.
 *
 * Threading: the I/O thread. Watches of the loop only note what happened; `run` acts on it without
 * the device lock, so that a host that is slow to draw does not hold up the guest, and takes the
 * lock for screens and input. A front end may have a thread of its own that does the same; each
 * draws from its own thread only, which struct window_view is for.
 */
#ifndef CALQUE_HOST_WINDOW_H
#define CALQUE_HOST_WINDOW_H

#include <pthread.h>

#include "host/event_loop.h"
#include "host/input.h"
#include "host/picture.h"
#include "util/registry.h"

struct keymap;
struct window_options {
    const char *arguments; /* behind the kind's name: "gl=off,window-close=on" or "127.0.0.1:1" */
    const struct keymap *keymap; /* of -k */
    bool full_screen, no_quit, alt_grab, ctrl_grab;
};

struct window_config {
    struct event_loop *loop;
    const char *program;
    const char *name; /* the guest's; NULL: none was given */
    struct window_options options;
    void (*quit)(void *opaque); /* the user closed the window */
    /* A file will be removed in the end: the name to do it by. */
    const char *(*will_remove)(void *opaque, const char *path);
    void *opaque;
};

/* What exists once the machine does. screens: the machine's, or what stands for it, then text
 * consoles; one after the other they are numbered from 1. */
enum { WINDOW_SCREEN_LISTS = 3 };
struct window_machine {
    pthread_mutex_t *lock;
    struct screens *screens[WINDOW_SCREEN_LISTS];
    struct input *input;
};

struct window {
    const struct window_ops *ops;
};
struct window_ops {
    bool (*show)(struct window *window, const struct window_machine *machine, struct error *err);
    void (*run)(struct window *window);
    /* The guest runs or stands still; may be NULL. */
    void (*set_running)(struct window *window, bool running);
    void (*destroy)(struct window *window); /* before the machine goes */
};

struct window_kind {
    const char *name; /* as -display has it: "sdl" */
    const char *help;
    bool needs_accept; /* serves connections that come later */
    /* Could it show something here? False is no mistake unless it was asked for. May be NULL. */
    bool (*has_display)(void);
    struct window *(*create)(const struct window_config *config, struct error *err);
};
REGISTRY_DECLARE(window_kind);

/* name: of `length` characters. NULL: there is none. */
const struct window_kind *window_kind_find(const char *name, size_t length);

/*
 * One of the machine's screens as a front end shows it. Whoever refreshes a screen tells all of its
 * viewers, from whichever thread that is: here it is only noted, until the front end draws. Zeroed:
 * nothing is shown. Device lock held, except where it is said to be taken.
 */
struct window_view {
    struct screen *front; /* changed by window_view_show alone: its thread needs no lock to look */
    struct picture picture;
    /* The screen has another size or is another one: for the front end to clear and to arrange. */
    bool resized;
    bool pointer_moved;
    unsigned n_rects;
    struct screen_rect rects[SCREEN_RECTS]; /* that differ from what was drawn */
};
/* Shows the n-th screen, from 0. False: there are fewer, or it is shown already. Takes the lock. */
bool window_view_show(struct window_view *view, const struct window_machine *machine, unsigned n);
/* True: there is something to draw, or the size to take. */
bool window_view_refresh(struct window_view *view);
/* Places the screen on an area of this size, all of which is to be drawn; false as with
 * picture_arrange. */
bool window_view_arrange(struct window_view *view, unsigned width, unsigned height);
/* Draws what was noted and says which rectangles of the area that were. */
void window_view_draw(struct window_view *view, uint32_t *pixels, size_t stride,
                      void (*drawn)(void *opaque, const struct screen_rect *rect), void *opaque);
/* The user would like the screen to be this large. False: its source cannot be told. Takes the
 * lock. */
bool window_view_suggest(struct window_view *view, const struct window_machine *machine,
                         unsigned width, unsigned height);
/* Shows nothing any more. Takes the lock. */
void window_view_end(struct window_view *view, const struct window_machine *machine);

/* How long to the next refresh after one that found a change, or none: 60 a second of a picture
 * that moves, some 20 where a cursor blinks, 10 where nothing happens. */
#define WINDOW_FAST_NS INT64_C(16666667)
#define WINDOW_SLOW_NS INT64_C(100000000)
int64_t window_pace(int64_t interval_ns, bool changed);
/* One of "key=value,..." into value; false: it is not there. *text moves behind it. For going over
 * all of them: key has the size of a word. */
enum { WINDOW_WORD = 128 };
bool window_next_argument(const char **text, char key[WINDOW_WORD], char value[WINDOW_WORD]);

#endif
