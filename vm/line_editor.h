/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line being typed into a monitor: cursor, history, completion. Bytes go in one by one, what
 * the terminal is to show comes out.
 *
 * One editor of our own for all streams: libedit and readline read a file descriptor themselves and
 * wait on it, but a monitor may be on a stream that it shares with a console, on a socket or in a
 * window, and several at once; the I/O thread waits for all. It needs of a terminal no more than
 * backspace and ESC [ K, and says nothing but the characters while somebody types at the end of a
 * line, so that scripts can talk to it over a pipe.
 *
 * Pure: knows neither streams nor commands. Any bytes are harmless.
 */
#ifndef CALQUE_VM_LINE_EDITOR_H
#define CALQUE_VM_LINE_EDITOR_H

#include "util/compiler.h"

enum { LINE_EDITOR_BYTES = 1024, LINE_EDITOR_HISTORY = 64, LINE_CHOICES = 256 };

/* What the word at the cursor may become. The names stay the giver's. */
struct line_choices {
    const char *name[LINE_CHOICES];
    unsigned n;
};
/* Adds the name if it starts with the prefix, once. */
void line_choices_add(struct line_choices *choices, const char *prefix, const char *name);

struct line_editor_client {
    void (*show)(void *opaque, const char *text, size_t size); /* "\n" is a new line */
    /* line: up to the cursor; the word to complete is what follows its last blank. */
    void (*complete)(void *opaque, const char *line, struct line_choices *out);
    void *opaque;
};

enum line_editor_result {
    LINE_GOES_ON,
    LINE_DONE,     /* line_editor_line has it */
    LINE_TOO_LONG, /* a line was ended that did not fit */
};

struct line_editor;

/* The prompt stays the caller's. */
struct line_editor *line_editor_create(const char *prompt, const struct line_editor_client *client);
void line_editor_destroy(struct line_editor *editor);
/* Shows the prompt, and what is typed already. */
void line_editor_prompt(struct line_editor *editor);
enum line_editor_result line_editor_key(struct line_editor *editor, uint8_t key);
/* Good until the next key. */
char *line_editor_line(struct line_editor *editor);
/* Forgets what is typed, and a key begun; the history stays. */
void line_editor_reset(struct line_editor *editor);
/* The n-th line of the history, the oldest being 0; NULL: no more. */
const char *line_editor_history(const struct line_editor *editor, unsigned n);

#endif
