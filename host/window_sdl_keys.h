/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of SDL's scancodes, which name places on a keyboard, is which of our keys. */
#ifndef CALQUE_HOST_WINDOW_SDL_KEYS_H
#define CALQUE_HOST_WINDOW_SDL_KEYS_H

#include "host/input.h"

/* KEY_NONE: a key that guests have none for. scancode: an SDL_Scancode. */
enum key sdl_key(int scancode);

#endif
