/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SDL2 is looked for when a window is opened, not when calque starts: it brings some forty
 * libraries along, which take most of the time of a start and need not be on a machine without a
 * display.
 *
 * Threading: the main thread, before anything of SDL is called.
 */
#ifndef CALQUE_HOST_SDL_LOAD_H
#define CALQUE_HOST_SDL_LOAD_H

#include "util/compiler.h"
#include "util/error.h"

bool sdl_load(struct error *err);

#endif
