/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a terminal shows: cells that bytes fill, moving a cursor. The bytes are those of a VT102
 * with xterm's additions, as the Linux console and curses programs write them (ECMA-48 and
 * console_codes(4)): UTF-8, cursor movement, colours (16, 256, and the nearest of 256), erasing,
 * inserting, scroll regions, the line-drawing set, an alternate screen. What is longer than
 * anything known, or not known, is skipped.
 *
 * Ownership: vt_free. Any bytes are harmless; memory does not grow.
 */
#ifndef CALQUE_HOST_VT_H
#define CALQUE_HOST_VT_H

#include "util/compiler.h"

enum { VT_PARAMETERS = 16, VT_NUMBER_MAX = 9999 };
enum { VT_DEFAULT_FG = 7, VT_DEFAULT_BG = 0 };
enum {
    VT_BOLD = 1,
    VT_UNDERLINE = 2,
    VT_REVERSE = 4,
    VT_HIDDEN = 8,
    VT_STRUCK = 16,
    VT_DIM = 32,
    VT_CURSOR = 128, /* set by who draws */
};

struct vt_cell {
    uint16_t code;  /* Unicode's first plane; 0 as a space */
    uint8_t fg, bg; /* of 256 colours */
    uint8_t flags;
};

/* What ESC 7 saves. */
struct vt_place {
    unsigned x, y;
    struct vt_cell pen;
    uint8_t charset[2], shifted;
    bool origin;
};

struct vt {
    unsigned columns, rows;
    unsigned n_lines; /* rows and those kept of what scrolled off */
    struct vt_cell *lines, *alternate;
    unsigned top, kept; /* the first row's line; how many before it hold something */
    bool is_alternate;

    struct vt_place now, saved, saved_alternate;
    bool wrap_pending; /* the cursor is behind the last column */
    bool hides_cursor, no_wrap, inserts, newline_returns, reverse_screen;
    bool application_keys;
    unsigned region_top, region_bottom; /* rows that scroll; the latter is the last one */
    uint8_t tabs[64];                   /* a bit a column, as long as there are bits */
    uint16_t last;                      /* the last character, for its repetition */

    uint8_t state;
    unsigned n_numbers;
    unsigned numbers[VT_PARAMETERS];
    uint8_t private, intermediate;
    uint32_t partial; /* of a UTF-8 sequence */
    uint8_t partial_left, partial_length;

    /* Answers to questions of the program. */
    void (*reply)(void *opaque, const char *text);
    void *opaque;
};

/* history: lines to keep beyond the rows. False: out of memory. */
bool vt_init(struct vt *vt, unsigned columns, unsigned rows, unsigned history);
void vt_free(struct vt *vt);
void vt_write(struct vt *vt, const uint8_t *data, unsigned size);
/* Row y of what is shown when `back` (at most vt_history) lines further up. */
const struct vt_cell *vt_row(const struct vt *vt, unsigned y, unsigned back);
unsigned vt_history(const struct vt *vt);

#endif
