/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing and running front ends. */
#define _GNU_SOURCE
#include "vm/display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "host/keymap.h"
#include "host/text_console.h"
#include "host/window.h"
#include "vm/sandbox.h"

enum { WINDOWS = 2 };

struct display {
    struct vm *vm;
    struct window *windows[WINDOWS];
    unsigned n_windows;
    struct screens consoles; /* of -serial vc and the like */
    struct screens absent;   /* what is shown instead of a display adapter's screen */
    struct text_console *notice;
};

static void user_quits(void *opaque)
{
    vm_quit(opaque);
}

static const char *will_remove(void *opaque, const char *path)
{
    return sandbox_removable(vm_sandbox_needs(opaque), path);
}

static bool open_kind(struct display *display, struct event_loop *loop,
                      const struct window_kind *kind, const char *arguments, struct error *err)
{
    const struct options *o = vm_options(display->vm);
    struct window_config config = {
        .loop = loop,
        .program = o->program,
        .name = o->name,
        .options = {.arguments = arguments,
                    .full_screen = o->full_screen,
                    .no_quit = o->no_quit,
                    .alt_grab = o->alt_grab,
                    .ctrl_grab = o->ctrl_grab},
        .quit = user_quits,
        .will_remove = will_remove,
        .opaque = display->vm,
    };
    struct window *window;

    config.options.keymap = keymap_find(o->keymap ? o->keymap : "en-us");
    window = kind->create(&config, err);
    if (!window)
        return false;
    display->windows[display->n_windows++] = window;
    if (kind->needs_accept)
        vm_sandbox_needs(display->vm)->accept = true;
    return true;
}

static bool unknown_kind(const char *what, size_t length, struct error *err)
{
    static const char *const optional[] = {"sdl", "vnc"};
    char names[64] = "none", word[64];

    snprintf(word, sizeof(word), "%.*s", (int)MIN(length, sizeof(word) - 1), what);
    for (unsigned i = 0; i < ARRAY_SIZE(optional); i++) {
        if (!strcmp(word, optional[i]))
            return error_set(err,
                             "-display %s: calque was built without its library; -nographic does "
                             "without a display",
                             word);
    }
    REGISTRY_FOREACH (window_kind, struct window_kind, kind) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof(names) - used, ", %s", kind->name);
    }
    return error_set(err, "-display %s is not known; it takes: %s", word, names);
}

/* "sdl,gl=off", "vnc=127.0.0.1:0,websocket=on", "none". */
static bool open_named(struct display *display, struct event_loop *loop, const char *what,
                       struct error *err)
{
    size_t length = strcspn(what, ",=");
    const struct window_kind *kind = window_kind_find(what, length);

    if (length == 4 && !memcmp(what, "none", 4))
        return true;
    if (!kind)
        return unknown_kind(what, length, err);
    return open_kind(display, loop, kind, what[length] ? what + length + 1 : "", err);
}

/* Nothing was asked for: a window where there is somewhere to open one, else none. */
static void open_usual(struct display *display, struct event_loop *loop)
{
    const struct window_kind *kind = window_kind_find("sdl", 3);
    struct error err;

    if (kind && kind->has_display())
        open_kind(display, loop, kind, "", &err);
}

static bool open_vnc(struct display *display, struct event_loop *loop, struct error *err)
{
    const struct window_kind *kind = window_kind_find("vnc", 3);

    if (!kind)
        return unknown_kind("vnc", 3, err);
    return open_kind(display, loop, kind, vm_options(display->vm)->vnc, err);
}

static bool open_all(struct display *display, struct event_loop *loop, struct error *err)
{
    const struct options *o = vm_options(display->vm);

    if (o->keymap && !keymap_find(o->keymap))
        return error_set(err, "-k %s: there is no such keyboard layout; did you mean '%s'?",
                         o->keymap, keymap_nearest(o->keymap));
    if (o->display && !open_named(display, loop, o->display, err))
        return false;
    if (o->vnc && !open_vnc(display, loop, err))
        return false;
    if (!o->display && !o->vnc && !o->nographic)
        open_usual(display, loop);
    return true;
}

struct display *display_open(struct vm *vm, struct event_loop *loop, struct error *err)
{
    struct display *display = calloc(1, sizeof(*display));

    if (!display) {
        error_set(err, "out of memory");
        return NULL;
    }
    display->vm = vm;
    if (open_all(display, loop, err))
        return display;
    display_hide(display);
    display_close(display);
    return NULL;
}

struct screens *display_consoles(struct display *display)
{
    return display->n_windows ? &display->consoles : NULL;
}

/* A board without a display adapter has a notice in its place, so that the consoles keep theirs. */
static bool add_notice(struct display *display, const char *board)
{
    static const char keys[] = "\r\n\r\n  Ctrl-Alt-2 shows the monitor, Ctrl-Alt-3 the first "
                               "serial console.\r\n\033[?25l";
    struct text_console *notice = text_console_create(&display->absent, "none", 0, 0);
    char text[128];

    if (!notice)
        return false;
    snprintf(text, sizeof(text), "\r\n  The machine '%.40s' has no display adapter.", board);
    chardev_write(text_console_stream(notice), (const uint8_t *)text, (unsigned)strlen(text));
    chardev_write(text_console_stream(notice), (const uint8_t *)keys, sizeof(keys) - 1);
    display->notice = notice;
    return true;
}

bool display_show(struct display *display, struct machine *machine, struct error *err)
{
    struct window_machine shown = {
        .lock = &machine->lock,
        .screens = {&machine->screens, &display->absent, &display->consoles},
        .input = &machine->input,
    };

    if (!display->n_windows)
        return true;
    if (!machine->screens.first && !add_notice(display, machine->class->name))
        return error_set(err, "out of memory");
    for (unsigned i = 0; i < display->n_windows; i++) {
        if (!display->windows[i]->ops->show(display->windows[i], &shown, err))
            return false;
    }
    return true;
}

void display_run(struct display *display)
{
    for (unsigned i = 0; i < display->n_windows; i++)
        display->windows[i]->ops->run(display->windows[i]);
}

void display_set_running(struct display *display, bool running)
{
    for (unsigned i = 0; i < display->n_windows; i++) {
        struct window *window = display->windows[i];
        if (window->ops->set_running)
            window->ops->set_running(window, running);
    }
}

void display_hide(struct display *display)
{
    for (unsigned i = 0; display && i < display->n_windows; i++)
        display->windows[i]->ops->destroy(display->windows[i]);
    if (display)
        display->n_windows = 0;
}

void display_close(struct display *display)
{
    if (display && display->notice)
        chardev_destroy(text_console_stream(display->notice));
    free(display);
}

void list_displays(FILE *out)
{
    fprintf(out, "Displays:\n");
    REGISTRY_FOREACH (window_kind, struct window_kind, kind) {
        fprintf(out, "  %-8s %s\n", kind->name, kind->help);
    }
    fprintf(out, "  %-8s nothing is shown\n", "none");
}
