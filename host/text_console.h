/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal inside a window or on VNC: a character stream (`-serial vc`, `-monitor vc`) whose
 * output is drawn on a screen of its own, and which takes what the user types there. It
 * understands what Linux consoles and programs send to an xterm: UTF-8, cursor movement, colours,
 * erasing, scroll regions, line drawing. Rows that scroll off the top are kept.
 *
 * What is written comes from the guest: any bytes are harmless.
 *
 * Ownership: the stream owns the console and its screen. Threading: device lock held.
 */
#ifndef CALQUE_HOST_TEXT_CONSOLE_H
#define CALQUE_HOST_TEXT_CONSOLE_H

#include "host/chardev.h"
#include "host/input.h"
#include "host/screen.h"

enum { TEXT_COLUMNS_MAX = 320, TEXT_ROWS_MAX = 160, TEXT_HISTORY = 2000 };

struct text_console;

/* Its screen joins the list. Sizes out of range are brought into it; 0: 80 columns, 24 rows. NULL:
 * out of memory. */
struct text_console *text_console_create(struct screens *screens, const char *name,
                                         unsigned columns, unsigned rows);
struct chardev *text_console_stream(struct text_console *console);
/* As `vc` asks for it. */
struct chardev_spec;
struct chardev *text_console_open(struct screens *screens, const char *label,
                                  const struct chardev_spec *spec, struct error *err);
/* The console that draws this screen; NULL: it shows something else. */
struct text_console *text_console_of(const struct screen *screen);

/* ---- what the user does ---------------------------------------------------------------------- */

/* Text that was typed, UTF-8. */
void text_console_type(struct text_console *console, const char *text);
/* A key that is no text: return, arrows, Ctrl with a letter; Ctrl with up, down or a page key
 * scrolls. False: it is none of those, and what it stands for comes, if at all, as text. */
bool text_console_key(struct text_console *console, enum key key, bool ctrl);
/* Shows older rows (positive) or newer ones. */
void text_console_scroll(struct text_console *console, int rows);

#endif
