/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A window through SDL2. Pictures go to the window's surface, which X servers take from shared
 * memory: of an unchanged screen nothing is copied, of a changed one the rectangles that differ.
 */
#include "host/window_sdl.h"

#ifdef HAVE_SDL2
#include <SDL_syswm.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/sdl_load.h"
#include "host/text_console.h"
#include "util/suggest.h"

enum { ZOOM_WIDTH_MIN = 160 };
/* A window that is being resized has many sizes: the guest hears of the one that stays. */
#define SUGGEST_NS INT64_C(500000000)

/* ---- pictures ----------------------------------------------------------------------------------
 */

static SDL_Surface *drawn_surface(struct sdl_window *w)
{
    return w->shadow ? w->shadow : w->surface;
}

static void show_later(void *opaque, const struct screen_rect *rect)
{
    struct sdl_window *w = opaque;
    SDL_Rect *last = &w->rects[w->n_rects ? w->n_rects - 1 : 0];
    SDL_Rect new = {(int)rect->x, (int)rect->y, (int)rect->width, (int)rect->height};

    if (w->n_rects == SDL_RECTS_MAX)
        SDL_UnionRect(last, &new, last);
    else
        w->rects[w->n_rects++] = new;
}

/* Device lock held. */
static void draw(struct sdl_window *w)
{
    SDL_Surface *surface = drawn_surface(w);

    if (!surface || (SDL_MUSTLOCK(surface) && SDL_LockSurface(surface) != 0))
        return;
    window_view_draw(&w->view, surface->pixels, (size_t)surface->pitch / sizeof(uint32_t),
                     show_later, w);
    if (SDL_MUSTLOCK(surface))
        SDL_UnlockSurface(surface);
}

/* Pixels are 0x00rrggbb in nearly every window; where they are not SDL converts them. */
static bool get_surface(struct sdl_window *w)
{
    Uint32 format;

    SDL_FreeSurface(w->shadow);
    w->shadow = NULL;
    w->n_rects = 0;
    w->surface = SDL_GetWindowSurface(w->sdl);
    if (!w->surface)
        return false;
    w->width = w->surface->w;
    w->height = w->surface->h;
    format = w->surface->format->format;
    if (format == SDL_PIXELFORMAT_RGB888 || format == SDL_PIXELFORMAT_ARGB8888)
        return true;
    w->shadow =
        SDL_CreateRGBSurfaceWithFormat(0, w->surface->w, w->surface->h, 32, SDL_PIXELFORMAT_RGB888);
    return w->shadow != NULL;
}

/* SDL replaces the surface when the window's size changes, before or after it says so. */
static void check_surface(struct sdl_window *w)
{
    SDL_Surface *surface = SDL_GetWindowSurface(w->sdl);

    if (!surface || surface != w->surface || surface->w != w->width || surface->h != w->height)
        w->rearrange = true;
}

/* The window or the screen has another size: everything is placed and drawn anew. */
static void rearrange(struct sdl_window *w)
{
    w->rearrange = false;
    if (!get_surface(w))
        return;
    SDL_FillRect(drawn_surface(w), NULL, 0);
    pthread_mutex_lock(w->machine.lock);
    if (window_view_arrange(&w->view, (unsigned)w->width, (unsigned)w->height))
        draw(w);
    pthread_mutex_unlock(w->machine.lock);
    w->rects[0] = (SDL_Rect){0, 0, w->width, w->height};
    w->n_rects = 1;
}

static void show_drawn(struct sdl_window *w)
{
    check_surface(w);
    if (!w->n_rects || w->rearrange)
        return;
    for (int i = 0; i < w->n_rects && w->shadow; i++)
        SDL_BlitSurface(w->shadow, &w->rects[i], w->surface, &w->rects[i]);
    if (SDL_UpdateWindowSurfaceRects(w->sdl, w->rects, w->n_rects) != 0)
        w->rearrange = true;
    w->n_rects = 0;
}

/* Asks the host for a size: the event that follows has what became of it. */
static void ask_size(struct sdl_window *w)
{
    unsigned width, height;

    w->resize_window = false;
    if (w->is_full_screen)
        return;
    pthread_mutex_lock(w->machine.lock);
    width = w->view.front->width;
    height = w->view.front->height;
    pthread_mutex_unlock(w->machine.lock);
    SDL_SetWindowSize(w->sdl, (int)width, (int)height);
}

/* Tells the guest how large the user made the window; sizes that we set ourselves are none of its
 * business. */
static void suggest_size(struct sdl_window *w)
{
    int width, height;

    w->suggest_ns = 0;
    SDL_GetWindowSize(w->sdl, &width, &height);
    window_view_suggest(&w->view, &w->machine, (unsigned)width, (unsigned)height);
}

static void refresh(struct sdl_window *w)
{
    bool differs;

    check_surface(w);
    pthread_mutex_lock(w->machine.lock);
    differs = window_view_refresh(&w->view);
    if (w->view.resized)
        w->rearrange = w->resize_window = true;
    w->view.resized = false;
    if (!w->rearrange)
        draw(w);
    pthread_mutex_unlock(w->machine.lock);
    w->interval_ns = window_pace(w->interval_ns, differs);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void timer_due(void *opaque)
{
    ((struct sdl_window *)opaque)->refresh_due = true;
}

static void connection_readable(void *opaque)
{
    ((struct sdl_window *)opaque)->connection_ready = true;
}

/* The next refresh at an even distance from the last one, so that lateness does not add up. */
static void set_timer(struct sdl_window *w)
{
    int64_t now = monotonic_ns(), period = w->interval_ns;

    if (!w->is_visible)
        return;
    w->next_ns += period;
    if (w->next_ns < now || w->next_ns > now + period)
        w->next_ns = now + period;
    watch_move_due(w->config.loop, &w->timer, w->next_ns - now);
}

void sdl_hasten(struct sdl_window *w)
{
    int64_t now = monotonic_ns();

    w->interval_ns = WINDOW_FAST_NS;
    if (w->is_visible && w->next_ns > now + WINDOW_FAST_NS) {
        w->next_ns = now + WINDOW_FAST_NS;
        watch_move_due(w->config.loop, &w->timer, WINDOW_FAST_NS);
    }
}

/* ---- the window itself ------------------------------------------------------------------------
 */

void sdl_set_title(struct sdl_window *w)
{
    char name[96] = "", keys[64] = "", title[256];

    if (w->config.name)
        snprintf(name, sizeof(name), " (%.80s)", w->config.name);
    if (w->is_grabbed)
        snprintf(keys, sizeof(keys), " - Press %s to exit grab", sdl_grab_keys(w));
    snprintf(title, sizeof(title), "calque%s%s%s", name, w->is_running ? "" : " [Stopped]", keys);
    SDL_SetWindowTitle(w->sdl, title);
}

void sdl_show_screen(struct sdl_window *w, unsigned number)
{
    if (window_view_show(&w->view, &w->machine, number))
        w->refresh_due = true;
    if (!w->sdl)
        return;
    /* Input methods have their place where text is typed, and none before a guest. */
    if (text_console_of(w->view.front))
        SDL_StartTextInput();
    else
        SDL_StopTextInput();
    sdl_update_pointer(w);
}

void sdl_set_full_screen(struct sdl_window *w, bool on)
{
    if (SDL_SetWindowFullscreen(w->sdl, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0) != 0)
        return;
    w->is_full_screen = on;
    w->rearrange = true;
    /* A guest that follows the window's size does so now. */
    if (!on && !w->view.front->source->suggest_size)
        w->resize_window = true;
    if (on && !text_console_of(w->view.front))
        sdl_set_grab(w, true);
}

void sdl_zoom(struct sdl_window *w, int pixels)
{
    int width, height;

    if (w->is_full_screen)
        return;
    if (!pixels) {
        w->resize_window = true;
        return;
    }
    SDL_GetWindowSize(w->sdl, &width, &height);
    width = MIN(MAX(width + pixels, (int)ZOOM_WIDTH_MIN), (int)PICTURE_MAX);
    pthread_mutex_lock(w->machine.lock);
    height = (int)((int64_t)width * w->view.front->height / w->view.front->width);
    pthread_mutex_unlock(w->machine.lock);
    SDL_SetWindowSize(w->sdl, width, MIN(MAX(height, 1), (int)PICTURE_MAX));
}

static void set_visible(struct sdl_window *w, bool visible)
{
    w->is_visible = visible;
    if (!visible)
        return;
    w->refresh_due = true;
    /* What was drawn may be gone. */
    w->rearrange = true;
}

static void window_event(struct sdl_window *w, const SDL_WindowEvent *event)
{
    switch (event->event) {
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_MAXIMIZED:
        set_visible(w, true);
        break;
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED:
        set_visible(w, false);
        break;
    case SDL_WINDOWEVENT_EXPOSED:
        show_later(w, &(struct screen_rect){0, 0, (unsigned)w->width, (unsigned)w->height});
        break;
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        w->rearrange = true;
        break;
    case SDL_WINDOWEVENT_RESIZED: /* not by SDL_SetWindowSize */
        w->suggest_ns = monotonic_ns() + SUGGEST_NS;
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        sdl_leave(w);
        break;
    case SDL_WINDOWEVENT_CLOSE:
        if (!w->ignore_close)
            w->config.quit(w->config.opaque);
        break;
    default:
        break;
    }
}

static void take_events(struct sdl_window *w)
{
    SDL_Event event;

    w->connection_ready = false;
    while (SDL_PollEvent(&event)) {
        if (event.type == SDL_WINDOWEVENT)
            window_event(w, &event.window);
        else
            sdl_input_event(w, &event);
    }
}

/* Drawing and asking may have read events from the connection that no poll will see any more: they
 * are taken afterwards, too. */
static void sdl_run(struct window *window)
{
    struct sdl_window *w = CONTAINER_OF(window, struct sdl_window, window);

    if (!w->connection_ready && !w->refresh_due)
        return;
    take_events(w);
    if (w->suggest_ns && monotonic_ns() > w->suggest_ns)
        suggest_size(w);
    if (w->refresh_due && w->is_visible)
        refresh(w);
    if (w->resize_window)
        ask_size(w);
    take_events(w);
    if (w->rearrange)
        rearrange(w);
    show_drawn(w);
    take_events(w);
    if (w->refresh_due)
        set_timer(w);
    w->refresh_due = false;
    if (w->rearrange || w->resize_window || w->n_rects)
        sdl_hasten(w);
}

static void sdl_set_running(struct window *window, bool running)
{
    struct sdl_window *w = CONTAINER_OF(window, struct sdl_window, window);

    w->is_running = running;
    w->connection_ready = true;
    if (w->sdl)
        sdl_set_title(w);
}

/* ---- life -------------------------------------------------------------------------------------
 */

/* libwayland is SDL's, loaded only where there is such a display. */
static int wayland_fd(void *display)
{
    void *library = dlopen("libwayland-client.so.0", RTLD_LAZY | RTLD_NOLOAD);
    union {
        void *symbol;
        int (*get_fd)(void *display);
    } function = {library ? dlsym(library, "wl_display_get_fd") : NULL};

    return function.symbol ? function.get_fd(display) : -1;
}

/* What becomes readable when the user does something; -1: events are looked for with each refresh.
 */
static int connection_fd(SDL_Window *window)
{
    SDL_SysWMinfo info;

    SDL_VERSION(&info.version);
    if (!SDL_GetWindowWMInfo(window, &info))
        return -1;
#ifdef SDL_VIDEO_DRIVER_X11
    if (info.subsystem == SDL_SYSWM_X11)
        return ConnectionNumber(info.info.x11.display);
#endif
#ifdef SDL_VIDEO_DRIVER_WAYLAND
    if (info.subsystem == SDL_SYSWM_WAYLAND)
        return wayland_fd(info.info.wl.display);
#endif
    return -1;
}

static bool open_window(struct sdl_window *w, struct error *err)
{
    Uint32 flags = SDL_WINDOW_RESIZABLE;

    if (w->config.options.full_screen)
        flags |= SDL_WINDOW_FULLSCREEN_DESKTOP;
    w->is_full_screen = w->config.options.full_screen;
    w->sdl = SDL_CreateWindow("calque", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                              (int)w->view.front->width, (int)w->view.front->height, flags);
    /* The surface here and now: later nothing that it needs could be opened. */
    if (!w->sdl || !SDL_GetWindowSurface(w->sdl))
        return error_set(err, "cannot open a window: %s (-nographic does without)", SDL_GetError());
    return true;
}

static bool sdl_show(struct window *window, const struct window_machine *machine, struct error *err)
{
    struct sdl_window *w = CONTAINER_OF(window, struct sdl_window, window);

    w->machine = *machine;
    sdl_show_screen(w, 0);
    if (!w->view.front)
        return error_set(err, "there is no screen to show in a window");
    if (!open_window(w, err))
        return false;
    w->is_visible = w->rearrange = w->refresh_due = true;
    w->interval_ns = WINDOW_FAST_NS;
    sdl_set_title(w);
    if (w->is_full_screen)
        sdl_set_grab(w, true);
    sdl_update_pointer(w);
    w->connection = (struct watch){
        .fd = connection_fd(w->sdl), .readable = connection_readable, .opaque = w, .enabled = true};
    w->timer = (struct watch){.fd = -1, .due = timer_due, .opaque = w};
    event_loop_add(w->config.loop, &w->connection);
    event_loop_add(w->config.loop, &w->timer);
    watch_move_due(w->config.loop, &w->timer, WINDOW_FAST_NS);
    return true;
}

static void sdl_destroy(struct window *window)
{
    struct sdl_window *w = CONTAINER_OF(window, struct sdl_window, window);

    if (w->timer.opaque) {
        event_loop_remove(w->config.loop, &w->connection);
        event_loop_remove(w->config.loop, &w->timer);
    }
    window_view_end(&w->view, &w->machine);
    SDL_FreeSurface(w->shadow);
    if (w->sdl)
        SDL_DestroyWindow(w->sdl);
    SDL_VideoQuit();
    SDL_Quit();
    free(w);
}

static const struct window_ops sdl_ops = {sdl_show, sdl_run, sdl_set_running, sdl_destroy};

static bool parse_grab_modifiers(struct sdl_window *w, const char *text, struct error *err)
{
    if (!strcmp(text, "rctrl"))
        w->grab_modifiers = KMOD_RCTRL;
    else if (!strcmp(text, "lshift-lctrl-lalt"))
        w->grab_modifiers = KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT;
    else
        return error_set(err,
                         "-display sdl,grab-mod=%s is not known; it takes: lshift-lctrl-lalt, "
                         "rctrl",
                         text);
    return true;
}

static bool parse_switch(const char *key, const char *value, bool *on, struct error *err)
{
    *on = !strcmp(value, "on");
    if (*on || !strcmp(value, "off"))
        return true;
    return error_set(err, "-display sdl,%s=%s: it is on or off", key, value);
}

static bool parse_arguments(struct sdl_window *w, struct error *err)
{
    static const char *const known[] = {"gl",          "window-close", "grab-mod",
                                        "alt_grab",    "ctrl_grab",    "full-screen",
                                        "show-cursor", "frame",        NULL};
    const char *text = w->config.options.arguments;
    char key[WINDOW_WORD], value[WINDOW_WORD];
    bool on = true;

    while (window_next_argument(&text, key, value)) {
        bool is_switch = strcmp(key, "grab-mod") && strcmp(key, "gl");
        bool is_known = false;
        for (unsigned i = 0; known[i]; i++)
            is_known |= !strcmp(key, known[i]);
        if (!is_known)
            return error_set(err, "-display sdl,%s is not known; did you mean '%s'?", key,
                             suggest_nearest(key, known));
        if (is_switch && !parse_switch(key, value, &on, err))
            return false;
        if (!strcmp(key, "grab-mod") && !parse_grab_modifiers(w, value, err))
            return false;
        if (!strcmp(key, "window-close"))
            w->ignore_close = !on;
        else if (!strcmp(key, "alt_grab") && on)
            w->config.options.alt_grab = true;
        else if (!strcmp(key, "ctrl_grab") && on)
            w->config.options.ctrl_grab = true;
        else if (!strcmp(key, "full-screen"))
            w->config.options.full_screen = on;
    }
    if (w->config.options.no_quit)
        w->ignore_close = true;
    if (w->config.options.alt_grab)
        w->grab_modifiers = KMOD_LCTRL | KMOD_LALT | KMOD_LSHIFT;
    else if (w->config.options.ctrl_grab)
        w->grab_modifiers = KMOD_RCTRL;
    return true;
}

static bool sdl_has_display(void)
{
    static const char *const variables[] = {"DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"};

    for (unsigned i = 0; i < ARRAY_SIZE(variables); i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return true;
    }
    return false;
}

static bool connect_display(struct error *err)
{
    static const char without[] = "-nographic does without one";
    const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

    if (!sdl_has_display())
        return error_set(
            err, "cannot open a window: neither DISPLAY nor WAYLAND_DISPLAY is set; %s", without);
    if (!sdl_load(err))
        return false;
    SDL_SetMainReady();
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    SDL_SetHint(SDL_HINT_QUIT_ON_LAST_WINDOW_CLOSE, "0");
    /* SDL would go on to ones that nobody sees. SDL_VIDEODRIVER may still name them. */
    SDL_SetHintWithPriority(SDL_HINT_VIDEODRIVER, wayland && *wayland ? "x11,wayland" : "x11",
                            SDL_HINT_DEFAULT);
    if (SDL_Init(SDL_INIT_VIDEO) != 0)
        return error_set(err, "cannot open a window on display '%s' (%s); %s",
                         display && *display ? display
                         : wayland           ? wayland
                                             : "",
                         SDL_GetError(), without);
    /* X servers take pictures from shared memory; a detour through OpenGL costs more. */
    if (!strcmp(SDL_GetCurrentVideoDriver(), "x11"))
        SDL_SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    SDL_EnableScreenSaver();
    return true;
}

static struct window *sdl_create(const struct window_config *config, struct error *err)
{
    struct sdl_window *w = calloc(1, sizeof(*w));

    if (!w) {
        error_set(err, "out of memory");
        return NULL;
    }
    w->window.ops = &sdl_ops;
    w->config = *config;
    w->grab_modifiers = KMOD_LCTRL | KMOD_LALT;
    if (!parse_arguments(w, err) || !connect_display(err)) {
        free(w);
        return NULL;
    }
    return &w->window;
}

static const struct window_kind sdl_kind = {
    .name = "sdl",
    .help = "a window: gl=off, window-close=on|off, grab-mod=lshift-lctrl-lalt|rctrl",
    .has_display = sdl_has_display,
    .create = sdl_create,
};
REGISTER(window_kind, sdl_kind);
#endif
