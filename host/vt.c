/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal's state and its control sequences. */
#include "host/vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { GROUND, ESCAPE, ESCAPE_INTERMEDIATE, CSI, CSI_IGNORED, STRING, STRING_ESCAPE };
enum { CHARSET_ASCII, CHARSET_LINES };
enum { TAB_COLUMNS = 512, REPLACEMENT = 0xfffd };

/* ---- lines ------------------------------------------------------------------------------------
 */

static struct vt_cell *row_at(const struct vt *vt, unsigned y)
{
    if (vt->is_alternate)
        return &vt->alternate[(size_t)y * vt->columns];
    return &vt->lines[(size_t)((vt->top + y) % vt->n_lines) * vt->columns];
}

const struct vt_cell *vt_row(const struct vt *vt, unsigned y, unsigned back)
{
    back = MIN(back, vt_history(vt));
    if (vt->is_alternate)
        return row_at(vt, y);
    return &vt->lines[(size_t)((vt->top + vt->n_lines - back + y) % vt->n_lines) * vt->columns];
}

unsigned vt_history(const struct vt *vt)
{
    return vt->is_alternate ? 0 : vt->kept;
}

/* What is erased takes the background of the pen. */
static void blank(struct vt *vt, struct vt_cell *cells, unsigned count)
{
    struct vt_cell cell = {.fg = vt->now.pen.fg, .bg = vt->now.pen.bg};

    for (unsigned i = 0; i < count; i++)
        cells[i] = cell;
}

static void blank_rows(struct vt *vt, unsigned from, unsigned to)
{
    for (unsigned y = from; y < to; y++)
        blank(vt, row_at(vt, y), vt->columns);
}

static void copy_row(struct vt *vt, unsigned to, unsigned from)
{
    memcpy(row_at(vt, to), row_at(vt, from), vt->columns * sizeof(struct vt_cell));
}

/* Rows top to bottom, both included, move up; those that all rows lose are kept. */
static void scroll_up(struct vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    count = MIN(count, bottom - top + 1);
    if (!top && bottom == vt->rows - 1 && !vt->is_alternate) {
        vt->top = (vt->top + count) % vt->n_lines;
        vt->kept = MIN(vt->kept + count, vt->n_lines - vt->rows);
    } else {
        for (unsigned y = top; y + count <= bottom; y++)
            copy_row(vt, y, y + count);
    }
    blank_rows(vt, bottom + 1 - count, bottom + 1);
}

static void scroll_down(struct vt *vt, unsigned top, unsigned bottom, unsigned count)
{
    count = MIN(count, bottom - top + 1);
    for (unsigned y = bottom; y >= top + count; y--)
        copy_row(vt, y, y - count);
    blank_rows(vt, top, top + count);
}

/* ---- the cursor -------------------------------------------------------------------------------
 */

static void go(struct vt *vt, unsigned x, unsigned y)
{
    vt->now.x = MIN(x, vt->columns - 1);
    vt->now.y = MIN(y, vt->rows - 1);
    vt->wrap_pending = false;
}

/* Rows count from the scroll region where the program wants it so. */
static void go_origin(struct vt *vt, unsigned x, unsigned y)
{
    if (vt->now.origin)
        y = MIN(y + vt->region_top, vt->region_bottom);
    go(vt, x, y);
}

static void go_up(struct vt *vt, unsigned count)
{
    unsigned limit = vt->now.y >= vt->region_top ? vt->region_top : 0;

    go(vt, vt->now.x, vt->now.y - MIN(count, vt->now.y - limit));
}

static void go_down(struct vt *vt, unsigned count)
{
    unsigned limit = vt->now.y <= vt->region_bottom ? vt->region_bottom : vt->rows - 1;

    go(vt, vt->now.x, vt->now.y + MIN(count, limit - vt->now.y));
}

static void line_feed(struct vt *vt)
{
    vt->wrap_pending = false;
    if (vt->now.y == vt->region_bottom)
        scroll_up(vt, vt->region_top, vt->region_bottom, 1);
    else if (vt->now.y < vt->rows - 1)
        vt->now.y++;
}

static void reverse_line_feed(struct vt *vt)
{
    vt->wrap_pending = false;
    if (vt->now.y == vt->region_top)
        scroll_down(vt, vt->region_top, vt->region_bottom, 1);
    else if (vt->now.y)
        vt->now.y--;
}

static bool is_tab(const struct vt *vt, unsigned x)
{
    return x < TAB_COLUMNS && vt->tabs[x / 8] >> x % 8 & 1;
}

static void tab(struct vt *vt, unsigned count)
{
    unsigned x = vt->now.x;

    for (count = MIN(count, vt->columns); count && x < vt->columns - 1; count--)
        do
            x++;
        while (x < vt->columns - 1 && !is_tab(vt, x));
    go(vt, x, vt->now.y);
}

static void back_tab(struct vt *vt, unsigned count)
{
    unsigned x = vt->now.x;

    for (count = MIN(count, vt->columns); count && x; count--)
        do
            x--;
        while (x && !is_tab(vt, x));
    go(vt, x, vt->now.y);
}

static struct vt_place *saved_place(struct vt *vt)
{
    return vt->is_alternate ? &vt->saved_alternate : &vt->saved;
}

static void restore_place(struct vt *vt)
{
    vt->now = *saved_place(vt);
    go(vt, vt->now.x, vt->now.y);
}

static void default_place(struct vt_place *place)
{
    memset(place, 0, sizeof(*place));
    place->pen.fg = VT_DEFAULT_FG;
    place->pen.bg = VT_DEFAULT_BG;
}

/* ---- characters -------------------------------------------------------------------------------
 */

/* What '`' to '~' are in the VT100's special graphics set. */
static const uint16_t line_drawing[] = {
    0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0xb0,   0xb1,   0x2424, 0x240b, 0x2518,
    0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524,
    0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0xa3,   0xb7};

/* 0: combines with the last one; 2: East Asian wide. As far as it matters for columns to line up.
 */
static unsigned width_of(uint32_t code)
{
    if ((code >= 0x300 && code < 0x370) || (code >= 0x200b && code <= 0x200f) ||
        (code >= 0xfe00 && code <= 0xfe0f) || code == 0xfeff)
        return 0;
    if ((code >= 0x1100 && code < 0x1160) || (code >= 0x2e80 && code < 0xa4d0) ||
        (code >= 0xac00 && code < 0xd7a4) || (code >= 0xf900 && code < 0xfb00) ||
        (code >= 0xfe30 && code < 0xfe70) || (code >= 0xff01 && code < 0xff61) ||
        (code >= 0x1f300 && code < 0x1fb00) || (code >= 0x20000 && code < 0x40000))
        return 2;
    return 1;
}

static void put_cell(struct vt *vt, uint16_t code)
{
    struct vt_cell *row;

    if (vt->wrap_pending) {
        vt->now.x = 0;
        line_feed(vt);
    }
    row = row_at(vt, vt->now.y);
    if (vt->inserts)
        memmove(&row[vt->now.x + 1], &row[vt->now.x], (vt->columns - vt->now.x - 1) * sizeof(*row));
    row[vt->now.x] = vt->now.pen;
    row[vt->now.x].code = code;
    if (vt->now.x < vt->columns - 1)
        vt->now.x++;
    else
        vt->wrap_pending = !vt->no_wrap;
}

static void put(struct vt *vt, uint32_t code)
{
    unsigned width = width_of(code);

    if (!width)
        return;
    if (vt->now.charset[vt->now.shifted] == CHARSET_LINES && code >= '`' && code <= '~')
        code = line_drawing[code - '`'];
    if (code > 0xffff)
        code = REPLACEMENT;
    vt->last = (uint16_t)code;
    put_cell(vt, (uint16_t)code);
    if (width == 2)
        put_cell(vt, 0);
}

/* One byte of UTF-8 text. What is malformed is shown as such, never longer than it was. */
static void put_byte(struct vt *vt, uint8_t byte)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};

    if (vt->partial_left && (byte & 0xc0) == 0x80) {
        vt->partial = vt->partial << 6 | (byte & 0x3f);
        if (--vt->partial_left)
            return;
        if (vt->partial < smallest[vt->partial_length] || vt->partial > 0x10ffff ||
            (vt->partial >= 0xd800 && vt->partial < 0xe000))
            vt->partial = REPLACEMENT;
        if (vt->partial >= 0xa0) /* C1 controls are not taken in this form */
            put(vt, vt->partial);
        return;
    }
    if (vt->partial_left)
        put(vt, REPLACEMENT);
    vt->partial_left = 0;
    if (byte < 0x80) {
        put(vt, byte);
        return;
    }
    vt->partial_length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (byte < 0xc2 || byte > 0xf4) {
        put(vt, REPLACEMENT);
        return;
    }
    vt->partial_left = vt->partial_length - 1;
    vt->partial = byte & (0x7f >> vt->partial_length);
}

/* ---- erasing and editing ----------------------------------------------------------------------
 */

static void erase_line(struct vt *vt, unsigned how)
{
    struct vt_cell *row = row_at(vt, vt->now.y);

    vt->wrap_pending = false;
    if (how == 0)
        blank(vt, &row[vt->now.x], vt->columns - vt->now.x);
    else if (how == 1)
        blank(vt, row, vt->now.x + 1);
    else if (how == 2)
        blank(vt, row, vt->columns);
}

static void erase_screen(struct vt *vt, unsigned how)
{
    switch (how) {
    case 0:
        erase_line(vt, 0);
        blank_rows(vt, vt->now.y + 1, vt->rows);
        break;
    case 1:
        erase_line(vt, 1);
        blank_rows(vt, 0, vt->now.y);
        break;
    case 2:
        blank_rows(vt, 0, vt->rows);
        break;
    case 3: /* xterm: what has scrolled off */
        vt->kept = 0;
        break;
    default:
        break;
    }
}

static void insert_characters(struct vt *vt, unsigned count)
{
    struct vt_cell *at = &row_at(vt, vt->now.y)[vt->now.x];
    unsigned left = vt->columns - vt->now.x;

    count = MIN(count, left);
    memmove(at + count, at, (left - count) * sizeof(*at));
    blank(vt, at, count);
}

static void delete_characters(struct vt *vt, unsigned count)
{
    struct vt_cell *at = &row_at(vt, vt->now.y)[vt->now.x];
    unsigned left = vt->columns - vt->now.x;

    count = MIN(count, left);
    memmove(at, at + count, (left - count) * sizeof(*at));
    blank(vt, at + left - count, count);
}

static void insert_lines(struct vt *vt, unsigned count, bool delete)
{
    if (vt->now.y < vt->region_top || vt->now.y > vt->region_bottom)
        return;
    vt->wrap_pending = false;
    if (!delete) {
        scroll_down(vt, vt->now.y, vt->region_bottom, count);
        return;
    }
    count = MIN(count, vt->region_bottom - vt->now.y + 1);
    /* Lines that are deleted are not kept, even if all are. */
    for (unsigned y = vt->now.y; y + count <= vt->region_bottom; y++)
        copy_row(vt, y, y + count);
    blank_rows(vt, vt->region_bottom + 1 - count, vt->region_bottom + 1);
}

static void switch_alternate(struct vt *vt, bool on)
{
    if (on == vt->is_alternate)
        return;
    vt->is_alternate = on;
    if (on)
        blank_rows(vt, 0, vt->rows);
    go(vt, vt->now.x, vt->now.y);
}

static void reset(struct vt *vt)
{
    switch_alternate(vt, false);
    default_place(&vt->now);
    vt->saved = vt->saved_alternate = vt->now;
    vt->wrap_pending = vt->hides_cursor = vt->no_wrap = vt->inserts = false;
    vt->newline_returns = vt->reverse_screen = vt->application_keys = false;
    vt->region_top = 0;
    vt->region_bottom = vt->rows - 1;
    vt->partial_left = 0;
    for (unsigned i = 0; i < sizeof(vt->tabs); i++)
        vt->tabs[i] = 1;
    blank_rows(vt, 0, vt->rows);
}

/* ---- colours ----------------------------------------------------------------------------------
 */

/* The nearest of the 6x6x6 cube. */
static uint8_t nearest_colour(unsigned r, unsigned g, unsigned b)
{
    unsigned level[3] = {MIN(r, 255u), MIN(g, 255u), MIN(b, 255u)};

    for (unsigned i = 0; i < 3; i++)
        level[i] = level[i] < 48 ? 0 : level[i] < 115 ? 1 : (level[i] - 35) / 40;
    return (uint8_t)(16 + 36 * level[0] + 6 * level[1] + level[2]);
}

/* 38;5;N or 38;2;R;G;B at number i; returns how many numbers more it takes. */
static unsigned set_extended_colour(struct vt *vt, unsigned i, uint8_t *colour)
{
    unsigned left = vt->n_numbers - i - 1;
    const unsigned *n = &vt->numbers[i];

    if (left >= 2 && n[1] == 5) {
        *colour = (uint8_t)MIN(n[2], 255u);
        return 2;
    }
    if (left >= 4 && n[1] == 2) {
        *colour = nearest_colour(n[2], n[3], n[4]);
        return 4;
    }
    return left;
}

static void set_flag(struct vt_cell *pen, unsigned n)
{
    static const uint8_t on[] = {0, VT_BOLD, VT_DIM,     0,         VT_UNDERLINE,
                                 0, 0,       VT_REVERSE, VT_HIDDEN, VT_STRUCK};

    if (n < ARRAY_SIZE(on))
        pen->flags |= on[n];
    else if (n == 22)
        pen->flags &= (uint8_t) ~(VT_BOLD | VT_DIM);
    else if (n > 22 && n < 30)
        pen->flags &= (uint8_t)~on[n - 20];
}

static void set_attributes(struct vt *vt)
{
    struct vt_cell *pen = &vt->now.pen;

    for (unsigned i = 0; i < vt->n_numbers; i++) {
        unsigned n = vt->numbers[i];
        if (n == 0)
            *pen = (struct vt_cell){.fg = VT_DEFAULT_FG, .bg = VT_DEFAULT_BG};
        else if (n < 30)
            set_flag(pen, n);
        else if (n < 38)
            pen->fg = (uint8_t)(n - 30);
        else if (n == 38)
            i += set_extended_colour(vt, i, &pen->fg);
        else if (n == 39)
            pen->fg = VT_DEFAULT_FG;
        else if (n < 48)
            pen->bg = (uint8_t)(n - 40);
        else if (n == 48)
            i += set_extended_colour(vt, i, &pen->bg);
        else if (n == 49)
            pen->bg = VT_DEFAULT_BG;
        else if (n >= 90 && n < 98)
            pen->fg = (uint8_t)(n - 90 + 8);
        else if (n >= 100 && n < 108)
            pen->bg = (uint8_t)(n - 100 + 8);
    }
}

/* ---- control sequences ------------------------------------------------------------------------
 */

static void answer(struct vt *vt, const char *text)
{
    if (vt->reply)
        vt->reply(vt->opaque, text);
}

static void report(struct vt *vt, unsigned what)
{
    char text[32];
    unsigned y = vt->now.y - (vt->now.origin ? MIN(vt->region_top, vt->now.y) : 0);

    if (what == 5) {
        answer(vt, "\033[0n");
    } else if (what == 6) {
        snprintf(text, sizeof(text), "\033[%u;%uR", y + 1, vt->now.x + 1);
        answer(vt, text);
    }
}

static void set_private_mode(struct vt *vt, unsigned mode, bool on)
{
    switch (mode) {
    case 1:
        vt->application_keys = on;
        break;
    case 5:
        vt->reverse_screen = on;
        break;
    case 6:
        vt->now.origin = on;
        go_origin(vt, 0, 0);
        break;
    case 7:
        vt->no_wrap = !on;
        break;
    case 25:
        vt->hides_cursor = !on;
        break;
    case 47:
    case 1047:
        switch_alternate(vt, on);
        break;
    case 1048:
        if (on)
            *saved_place(vt) = vt->now;
        else
            restore_place(vt);
        break;
    case 1049:
        if (on)
            vt->saved = vt->now;
        switch_alternate(vt, on);
        if (!on)
            restore_place(vt);
        break;
    default:
        break;
    }
}

static void set_modes(struct vt *vt, bool on)
{
    for (unsigned i = 0; i < vt->n_numbers; i++) {
        if (vt->private == '?')
            set_private_mode(vt, vt->numbers[i], on);
        else if (!vt->private && vt->numbers[i] == 4)
            vt->inserts = on;
        else if (!vt->private && vt->numbers[i] == 20)
            vt->newline_returns = on;
    }
}

static void set_region(struct vt *vt)
{
    unsigned top = MAX(vt->numbers[0], 1u) - 1;
    unsigned bottom = vt->n_numbers > 1 && vt->numbers[1] ? vt->numbers[1] : vt->rows;

    bottom = MIN(bottom, vt->rows) - 1;
    if (top >= bottom)
        return;
    vt->region_top = top;
    vt->region_bottom = bottom;
    go_origin(vt, 0, 0);
}

static void clear_tabs(struct vt *vt)
{
    if (vt->numbers[0] == 3)
        memset(vt->tabs, 0, sizeof(vt->tabs));
    else if (!vt->numbers[0] && vt->now.x < TAB_COLUMNS)
        vt->tabs[vt->now.x / 8] &= (uint8_t) ~(1 << vt->now.x % 8);
}

/* Sequences that move the cursor; n: the first number, 1 if it is absent. False: none of them. */
static bool csi_move(struct vt *vt, uint8_t final, unsigned n)
{
    unsigned second = vt->n_numbers > 1 ? MAX(vt->numbers[1], 1u) : 1;

    switch (final) {
    case 'A':
        go_up(vt, n);
        return true;
    case 'B':
    case 'e':
        go_down(vt, n);
        return true;
    case 'C':
    case 'a':
        go(vt, vt->now.x + n, vt->now.y);
        return true;
    case 'D':
        go(vt, vt->now.x - MIN(n, vt->now.x), vt->now.y);
        return true;
    case 'E':
        go_down(vt, n);
        vt->now.x = 0;
        return true;
    case 'F':
        go_up(vt, n);
        vt->now.x = 0;
        return true;
    case 'G':
    case '`':
        go(vt, n - 1, vt->now.y);
        return true;
    case 'H':
    case 'f':
        go_origin(vt, second - 1, n - 1);
        return true;
    case 'I':
        tab(vt, n);
        return true;
    case 'Z':
        back_tab(vt, n);
        return true;
    case 'd':
        go_origin(vt, vt->now.x, n - 1);
        return true;
    default:
        return false;
    }
}

/* Sequences that change what is shown. */
static bool csi_edit(struct vt *vt, uint8_t final, unsigned n)
{
    switch (final) {
    case '@':
        insert_characters(vt, n);
        return true;
    case 'P':
        delete_characters(vt, n);
        return true;
    case 'X':
        blank(vt, &row_at(vt, vt->now.y)[vt->now.x], MIN(n, vt->columns - vt->now.x));
        return true;
    case 'J':
        erase_screen(vt, vt->numbers[0]);
        return true;
    case 'K':
        erase_line(vt, vt->numbers[0]);
        return true;
    case 'L':
    case 'M':
        insert_lines(vt, n, final == 'M');
        return true;
    case 'S':
        scroll_up(vt, vt->region_top, vt->region_bottom, n);
        return true;
    case 'T':
        scroll_down(vt, vt->region_top, vt->region_bottom, n);
        return true;
    case 'b':
        for (n = MIN(n, vt->columns * vt->rows); n && vt->last; n--)
            put_cell(vt, vt->last);
        return true;
    default:
        return false;
    }
}

static void csi_other(struct vt *vt, uint8_t final)
{
    switch (final) {
    case 'c':
        answer(vt, "\033[?6c"); /* a VT102 */
        break;
    case 'g':
        clear_tabs(vt);
        break;
    case 'm':
        set_attributes(vt);
        break;
    case 'n':
        report(vt, vt->numbers[0]);
        break;
    case 'r':
        set_region(vt);
        break;
    case 's':
        *saved_place(vt) = vt->now;
        break;
    case 'u':
        restore_place(vt);
        break;
    default:
        break;
    }
}

static void csi_final(struct vt *vt, uint8_t final)
{
    unsigned n = MAX(vt->numbers[0], 1u);

    vt->state = GROUND;
    if (vt->intermediate)
        return;
    if (final == 'h' || final == 'l')
        set_modes(vt, final == 'h');
    else if (vt->private)
        return;
    else if (!csi_move(vt, final, n) && !csi_edit(vt, final, n))
        csi_other(vt, final);
}

static void csi_begin(struct vt *vt)
{
    vt->state = CSI;
    vt->n_numbers = 1;
    memset(vt->numbers, 0, sizeof(vt->numbers));
    vt->private = vt->intermediate = 0;
}

static void csi_byte(struct vt *vt, uint8_t byte)
{
    unsigned *number = &vt->numbers[vt->n_numbers - 1];

    if (byte >= 0x40 && byte < 0x7f) {
        csi_final(vt, byte);
    } else if (byte >= '0' && byte <= '9') {
        *number = MIN(*number * 10 + byte - '0', (unsigned)VT_NUMBER_MAX);
    } else if (byte == ';' || byte == ':') {
        if (vt->n_numbers < VT_PARAMETERS)
            vt->n_numbers++;
        else
            vt->state = CSI_IGNORED;
    } else if (byte >= '<' && byte <= '?') {
        vt->private = byte;
    } else if (byte >= 0x20 && byte < 0x30) {
        vt->intermediate = byte;
    } else if (byte >= 0x80) {
        vt->state = CSI_IGNORED;
    }
}

/* ---- escape sequences and control characters --------------------------------------------------
 */

static void escape_final(struct vt *vt, uint8_t byte)
{
    switch (byte) {
    case '7':
        *saved_place(vt) = vt->now;
        break;
    case '8':
        restore_place(vt);
        break;
    case 'D':
        line_feed(vt);
        break;
    case 'E':
        vt->now.x = 0;
        line_feed(vt);
        break;
    case 'H':
        if (vt->now.x < TAB_COLUMNS)
            vt->tabs[vt->now.x / 8] |= (uint8_t)(1 << vt->now.x % 8);
        break;
    case 'M':
        reverse_line_feed(vt);
        break;
    case 'Z':
        answer(vt, "\033[?6c");
        break;
    case 'c':
        reset(vt);
        break;
    default:
        break;
    }
}

static void escape_byte(struct vt *vt, uint8_t byte)
{
    vt->state = GROUND;
    if (byte == '[') {
        csi_begin(vt);
    } else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
        vt->state = STRING;
    } else if (byte >= 0x20 && byte < 0x30) {
        vt->state = ESCAPE_INTERMEDIATE;
        vt->intermediate = byte;
    } else {
        escape_final(vt, byte);
    }
}

/* ESC ( 0: line drawing as G0; ESC # 8: a screen full of E to adjust it by. */
static void intermediate_byte(struct vt *vt, uint8_t byte)
{
    if (byte >= 0x20 && byte < 0x30) {
        vt->intermediate = 0;
        return;
    }
    vt->state = GROUND;
    if (vt->intermediate == '(' || vt->intermediate == ')')
        vt->now.charset[vt->intermediate == ')'] = byte == '0' ? CHARSET_LINES : CHARSET_ASCII;
    else if (vt->intermediate == '#' && byte == '8') {
        for (unsigned y = 0; y < vt->rows; y++) {
            struct vt_cell *row = row_at(vt, y);
            for (unsigned x = 0; x < vt->columns; x++)
                row[x] = (struct vt_cell){'E', VT_DEFAULT_FG, VT_DEFAULT_BG, 0};
        }
    }
}

/* Acts in the middle of sequences, too. */
static void control(struct vt *vt, uint8_t byte)
{
    switch (byte) {
    case '\b':
        go(vt, vt->now.x - (vt->now.x && !vt->wrap_pending), vt->now.y);
        break;
    case '\t':
        tab(vt, 1);
        break;
    case '\n':
    case '\v':
    case '\f':
        line_feed(vt);
        if (vt->newline_returns)
            vt->now.x = 0;
        break;
    case '\r':
        go(vt, 0, vt->now.y);
        break;
    case 0x0e:
    case 0x0f:
        vt->now.shifted = byte == 0x0e;
        break;
    case 0x18: /* CAN, SUB */
    case 0x1a:
        vt->state = GROUND;
        break;
    case 0x1b:
        vt->state = ESCAPE;
        break;
    default:
        break;
    }
}

/* Within a string only its end counts: BEL, or ESC \. */
static void string_byte(struct vt *vt, uint8_t byte)
{
    if (vt->state == STRING_ESCAPE) {
        vt->state = GROUND;
        if (byte != '\\')
            escape_byte(vt, byte);
    } else if (byte == 0x1b) {
        vt->state = STRING_ESCAPE;
    } else if (byte == 0x07 || byte == 0x18 || byte == 0x1a) {
        vt->state = GROUND;
    }
}

static void write_byte(struct vt *vt, uint8_t byte)
{
    if (vt->state == STRING || vt->state == STRING_ESCAPE) {
        string_byte(vt, byte);
        return;
    }
    if (byte < 0x20) {
        vt->partial_left = 0;
        control(vt, byte);
        return;
    }
    switch (vt->state) {
    case ESCAPE:
        escape_byte(vt, byte);
        break;
    case ESCAPE_INTERMEDIATE:
        intermediate_byte(vt, byte);
        break;
    case CSI:
        csi_byte(vt, byte);
        break;
    case CSI_IGNORED:
        if (byte >= 0x40 && byte < 0x7f)
            vt->state = GROUND;
        break;
    default:
        if (byte != 0x7f)
            put_byte(vt, byte);
    }
}

void vt_write(struct vt *vt, const uint8_t *data, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        write_byte(vt, data[i]);
}

bool vt_init(struct vt *vt, unsigned columns, unsigned rows, unsigned history)
{
    memset(vt, 0, sizeof(*vt));
    vt->columns = columns;
    vt->rows = rows;
    vt->n_lines = rows + history;
    vt->lines = calloc((size_t)vt->n_lines * columns, sizeof(*vt->lines));
    vt->alternate = calloc((size_t)rows * columns, sizeof(*vt->alternate));
    if (!vt->lines || !vt->alternate) {
        vt_free(vt);
        return false;
    }
    reset(vt);
    return true;
}

void vt_free(struct vt *vt)
{
    free(vt->lines);
    free(vt->alternate);
    vt->lines = vt->alternate = NULL;
}
