/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the SDL window: window_sdl.c its life and pictures, window_sdl_input.c what the user
 * does. Threading: as host/window.h says. */
#ifndef CALQUE_HOST_WINDOW_SDL_H
#define CALQUE_HOST_WINDOW_SDL_H

#ifdef HAVE_SDL2
#define SDL_MAIN_HANDLED
#include <SDL.h>

#include "host/window.h"

enum { SDL_RECTS_MAX = SCREEN_RECTS + 2 };

struct sdl_window {
    struct window window;
    struct window_config config;
    struct window_machine machine;
    bool ignore_close;  /* window-close=off, -no-quit */
    int grab_modifiers; /* KMOD_*: all of them begin our own keys */
    struct watch connection, timer;
    bool connection_ready, refresh_due;

    SDL_Window *sdl;
    SDL_Surface *surface; /* the window's own */
    int width, height;    /* of the surface */
    SDL_Surface *shadow;  /* drawn to first, where the window's has other pixels than ours */
    struct window_view view;
    bool rearrange;     /* the surface or the screen has another size */
    bool resize_window; /* to the screen's size */
    bool is_visible, is_running, is_full_screen;
    SDL_Rect rects[SDL_RECTS_MAX]; /* drawn, not yet shown */
    int n_rects;
    int64_t interval_ns, next_ns; /* between refreshes; when the next is due */
    int64_t suggest_ns;           /* when the guest is told of the window's size; 0: it was */

    bool is_grabbed;
    bool chord;      /* the grab keys are down, and nothing else was pressed since */
    int wheel_mx;    /* thousandths of a wheel's click */
    uint8_t buttons; /* enum pointer_button */
};

/* ---- window_sdl.c ---- */
void sdl_show_screen(struct sdl_window *w, unsigned number); /* from 0; nothing if there is none */
void sdl_set_full_screen(struct sdl_window *w, bool on);
/* The window's width becomes so many pixels wider; 0: as large as the screen. */
void sdl_zoom(struct sdl_window *w, int pixels);
void sdl_set_title(struct sdl_window *w);
/* Something happened that may well change the picture. */
void sdl_hasten(struct sdl_window *w);

/* ---- window_sdl_input.c ---- */
void sdl_input_event(struct sdl_window *w, const SDL_Event *event);
void sdl_set_grab(struct sdl_window *w, bool on);
void sdl_update_pointer(struct sdl_window *w); /* the host's shows where the guest has none */
void sdl_leave(struct sdl_window *w);          /* the keyboard is somebody else's */
/* "Ctrl-Alt-G" */
const char *sdl_grab_keys(const struct sdl_window *w);
#endif

#endif
