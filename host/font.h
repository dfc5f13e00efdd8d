/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A font for text consoles: Latin letters, punctuation, line drawing; 8 by 16. Pure. */
#ifndef CALQUE_HOST_FONT_H
#define CALQUE_HOST_FONT_H

#include "util/compiler.h"

enum { FONT_WIDTH = 8, FONT_HEIGHT = 16 };

/* The rows of a character, the leftmost pixel in bit 7; a box for one that is not there. */
void font_glyph(uint32_t code, uint8_t rows[FONT_HEIGHT]);

#endif
