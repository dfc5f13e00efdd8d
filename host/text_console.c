/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's screen, its keys, and its stream. */
#include "host/text_console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "host/font.h"
#include "host/vt.h"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24, WAITING = 4096 };

struct text_console {
    struct chardev chardev;
    struct screens *screens;
    struct screen *screen;
    struct vt vt;
    struct vt_cell *drawn;    /* what the screen shows */
    bool stale;               /* something may differ from it */
    unsigned back;            /* lines that the view is above the newest */
    uint8_t waiting[WAITING]; /* typed, for whom the client has had no room */
    unsigned n_waiting;
};

/* ---- drawing -----------------------------------------------------------------------------------
 */

/* The VGA's sixteen, then a cube of 6x6x6, then greys: xterm's 256. */
static uint32_t colour_of(uint8_t index)
{
    static const uint32_t vga[16] = {0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa,
                                     0x00aaaa, 0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55,
                                     0x5555ff, 0xff55ff, 0x55ffff, 0xffffff};
    uint32_t rgb = 0;

    if (index < 16)
        return vga[index];
    if (index >= 232)
        return (uint32_t)(8 + 10 * (index - 232)) * 0x010101;
    index -= 16;
    for (unsigned i = 0, divisor = 36; i < 3; i++, divisor /= 6) {
        unsigned level = index / divisor % 6;
        rgb = rgb << 8 | (level ? 55 + 40 * level : 0);
    }
    return rgb;
}

static void colours_of(const struct vt_cell *cell, uint32_t *fg, uint32_t *bg)
{
    bool bright = cell->flags & VT_BOLD && cell->fg < 8;

    *fg = colour_of(bright ? cell->fg + 8 : cell->fg);
    *bg = colour_of(cell->bg);
    if (cell->flags & VT_DIM)
        *fg = *fg >> 1 & 0x7f7f7f;
    if (!(cell->flags & VT_REVERSE) != !(cell->flags & VT_CURSOR)) {
        uint32_t swap = *fg;
        *fg = *bg;
        *bg = swap;
    }
    if (cell->flags & VT_HIDDEN)
        *fg = *bg;
}

static void draw_cell(struct screen *screen, const struct vt_cell *cell, unsigned x, unsigned y)
{
    uint32_t *to = &screen->pixels[(size_t)y * FONT_HEIGHT * screen->width + x * FONT_WIDTH];
    uint8_t rows[FONT_HEIGHT];
    uint32_t fg, bg;

    font_glyph(cell->code, rows);
    if (cell->flags & VT_UNDERLINE)
        rows[FONT_HEIGHT - 2] = 0xff;
    if (cell->flags & VT_STRUCK)
        rows[FONT_HEIGHT / 2] = 0xff;
    colours_of(cell, &fg, &bg);
    for (unsigned row = 0; row < FONT_HEIGHT; row++) {
        for (unsigned column = 0; column < FONT_WIDTH; column++)
            to[column] = rows[row] >> (7 - column) & 1 ? fg : bg;
        to += screen->width;
    }
}

/* A cell as it is to be seen: with the cursor, and all of them reversed if the program says so. */
static struct vt_cell shown_cell(const struct text_console *console, const struct vt_cell *row,
                                 unsigned x, unsigned y)
{
    const struct vt *vt = &console->vt;
    struct vt_cell cell = row[x];

    if (vt->reverse_screen)
        cell.flags ^= VT_REVERSE;
    if (!console->back && !vt->hides_cursor && x == vt->now.x && y == vt->now.y)
        cell.flags |= VT_CURSOR;
    return cell;
}

static void draw_row(struct text_console *console, struct screen *screen, unsigned y)
{
    const struct vt_cell *row = vt_row(&console->vt, y, console->back);
    struct vt_cell *drawn = &console->drawn[(size_t)y * console->vt.columns];
    unsigned first = UINT32_MAX, last = 0;

    for (unsigned x = 0; x < console->vt.columns; x++) {
        struct vt_cell cell = shown_cell(console, row, x, y);
        if (!screen->whole && cell.code == drawn[x].code && cell.fg == drawn[x].fg &&
            cell.bg == drawn[x].bg && cell.flags == drawn[x].flags)
            continue;
        drawn[x] = cell;
        draw_cell(screen, &cell, x, y);
        first = MIN(first, x);
        last = x;
    }
    if (first <= last)
        screen_damage(screen, (struct screen_rect){first * FONT_WIDTH, y * FONT_HEIGHT,
                                                   (last - first + 1) * FONT_WIDTH, FONT_HEIGHT});
}

static void console_refresh(void *opaque, struct screen *screen)
{
    struct text_console *console = opaque;

    if (!console->stale && !screen->whole)
        return;
    console->stale = false;
    if (!screen_resize(screen, console->vt.columns * FONT_WIDTH, console->vt.rows * FONT_HEIGHT))
        return;
    for (unsigned y = 0; y < console->vt.rows; y++)
        draw_row(console, screen, y);
}

static void print_code(uint32_t code, FILE *out)
{
    if (code < 0x20)
        code = ' ';
    if (code < 0x80)
        fputc((int)code, out);
    else if (code < 0x800)
        fprintf(out, "%c%c", 0xc0 | code >> 6, 0x80 | (code & 0x3f));
    else
        fprintf(out, "%c%c%c", 0xe0 | code >> 12, 0x80 | (code >> 6 & 0x3f), 0x80 | (code & 0x3f));
}

static void console_print(void *opaque, FILE *out)
{
    const struct text_console *console = opaque;

    for (unsigned y = 0; y < console->vt.rows; y++) {
        const struct vt_cell *row = vt_row(&console->vt, y, console->back);
        unsigned length = console->vt.columns;
        while (length && row[length - 1].code <= ' ')
            length--;
        for (unsigned x = 0; x < length; x++)
            print_code(row[x].code, out);
        fputc('\n', out);
    }
}

static const struct screen_source console_source = {.refresh = console_refresh,
                                                    .print_text = console_print};

struct text_console *text_console_of(const struct screen *screen)
{
    return screen && screen->source == &console_source ? screen->source_opaque : NULL;
}

void text_console_scroll(struct text_console *console, int rows)
{
    int64_t back = (int64_t)console->back + rows;

    console->back = (unsigned)MIN(MAX(back, 0), (int64_t)vt_history(&console->vt));
    console->stale = true;
}

/* ---- keys -------------------------------------------------------------------------------------
 */

static void deliver(struct text_console *console)
{
    chardev_client_deliver(&console->chardev, console->waiting, &console->n_waiting);
}

/* All of it or nothing, so that no sequence arrives in part. */
static void queue(void *opaque, const char *text)
{
    struct text_console *console = opaque;
    size_t size = strlen(text);

    if (size > WAITING - console->n_waiting)
        return;
    memcpy(console->waiting + console->n_waiting, text, size);
    console->n_waiting += (unsigned)size;
}

static void type(struct text_console *console, const char *text)
{
    queue(console, text);
    deliver(console);
}

void text_console_type(struct text_console *console, const char *text)
{
    if (console->back)
        text_console_scroll(console, -(int)console->back);
    type(console, text);
}

/* What a Linux console sends for them (terminfo: linux). */
static const struct {
    enum key key;
    const char *text;
} key_texts[] = {
    {KEY_CODE_RET, "\r"},         {KEY_CODE_KP_ENTER, "\r"},    {KEY_CODE_BACKSPACE, "\177"},
    {KEY_CODE_TAB, "\t"},         {KEY_CODE_ESC, "\033"},       {KEY_CODE_HOME, "\033[1~"},
    {KEY_CODE_INSERT, "\033[2~"}, {KEY_CODE_DELETE, "\033[3~"}, {KEY_CODE_END, "\033[4~"},
    {KEY_CODE_PGUP, "\033[5~"},   {KEY_CODE_PGDN, "\033[6~"},   {KEY_CODE_F1, "\033[[A"},
    {KEY_CODE_F2, "\033[[B"},     {KEY_CODE_F3, "\033[[C"},     {KEY_CODE_F4, "\033[[D"},
    {KEY_CODE_F5, "\033[[E"},     {KEY_CODE_F6, "\033[17~"},    {KEY_CODE_F7, "\033[18~"},
    {KEY_CODE_F8, "\033[19~"},    {KEY_CODE_F9, "\033[20~"},    {KEY_CODE_F10, "\033[21~"},
    {KEY_CODE_F11, "\033[23~"},   {KEY_CODE_F12, "\033[24~"},
};

/* 0: it is none of them. */
static char arrow_of(enum key key)
{
    switch (key) {
    case KEY_CODE_UP:
        return 'A';
    case KEY_CODE_DOWN:
        return 'B';
    case KEY_CODE_RIGHT:
        return 'C';
    case KEY_CODE_LEFT:
        return 'D';
    default:
        return 0;
    }
}

/* Ctrl with a letter and the like: characters 0 to 31. 0: none; Ctrl-space is not sent. */
static char control_of(enum key key)
{
    const char *name = key_name(key);

    if (!name)
        return 0;
    if (name[0] >= 'a' && name[0] <= 'z' && !name[1])
        return (char)(name[0] & 0x1f);
    switch (key) {
    case KEY_CODE_BRACKET_LEFT:
        return 0x1b;
    case KEY_CODE_BACKSLASH:
        return 0x1c;
    case KEY_CODE_BRACKET_RIGHT:
        return 0x1d;
    default:
        return 0;
    }
}

/* How many rows Ctrl with it goes back; 0: none. */
static int rows_back(const struct text_console *console, enum key key)
{
    int page = (int)console->vt.rows / 2;

    switch (key) {
    case KEY_CODE_UP:
        return 1;
    case KEY_CODE_DOWN:
        return -1;
    case KEY_CODE_PGUP:
        return page;
    case KEY_CODE_PGDN:
        return -page;
    default:
        return 0;
    }
}

bool text_console_key(struct text_console *console, enum key key, bool ctrl)
{
    char text[4] = {0}, arrow = arrow_of(key);
    int back = ctrl ? rows_back(console, key) : 0;

    if (back) {
        text_console_scroll(console, back);
        return true;
    }
    if (arrow) {
        text[0] = '\033';
        text[1] = console->vt.application_keys ? 'O' : '[';
        text[2] = arrow;
        text_console_type(console, text);
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(key_texts); i++) {
        if (key_texts[i].key != key)
            continue;
        text_console_type(console, key_texts[i].text);
        return true;
    }
    text[0] = ctrl ? control_of(key) : 0;
    if (text[0])
        text_console_type(console, text);
    return text[0] != 0;
}

/* ---- the stream --------------------------------------------------------------------------------
 */

static void console_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct text_console *console = c->state;
    unsigned top = console->vt.top;

    vt_write(&console->vt, data, size);
    /* Who looks at older rows goes on seeing them while newer ones come. */
    if (console->back)
        text_console_scroll(
            console, (int)((console->vt.top + console->vt.n_lines - top) % console->vt.n_lines));
    console->stale = true;
    deliver(console); /* answers */
}

static void console_accept_input(struct chardev *c)
{
    deliver(c->state);
}

static void console_destroy(struct chardev *c)
{
    struct text_console *console = c->state;

    screen_destroy(console->screens, console->screen);
    vt_free(&console->vt);
    free(console->drawn);
    free(console);
}

static const struct chardev_ops console_ops = {
    .name = "vc",
    .write = console_write,
    .accept_input = console_accept_input,
    .destroy = console_destroy,
};

struct chardev *text_console_stream(struct text_console *console)
{
    return &console->chardev;
}

struct text_console *text_console_create(struct screens *screens, const char *name,
                                         unsigned columns, unsigned rows)
{
    struct text_console *console = calloc(1, sizeof(*console));

    if (!console)
        return NULL;
    columns = MAX(MIN(columns ? columns : DEFAULT_COLUMNS, (unsigned)TEXT_COLUMNS_MAX), 2);
    rows = MAX(MIN(rows ? rows : DEFAULT_ROWS, (unsigned)TEXT_ROWS_MAX), 2);
    console->chardev = (struct chardev){.ops = &console_ops, .state = console};
    console->screens = screens;
    console->screen = screen_create(screens, name, &console_source, console);
    console->drawn = calloc((size_t)columns * rows, sizeof(*console->drawn));
    if (!console->screen || !console->drawn ||
        !vt_init(&console->vt, columns, rows, TEXT_HISTORY) ||
        !screen_resize(console->screen, columns * FONT_WIDTH, rows * FONT_HEIGHT)) {
        console_destroy(&console->chardev);
        return NULL;
    }
    console->vt.reply = queue;
    console->vt.opaque = console;
    return console;
}

static unsigned size_of(const struct chardev_spec *spec, const char *characters, const char *pixels,
                        unsigned pixels_each)
{
    uint64_t most = TEXT_COLUMNS_MAX;
    uint64_t n = chardev_spec_number(spec, characters, 0);

    if (!n)
        n = chardev_spec_number(spec, pixels, 0) / pixels_each;
    return (unsigned)MIN(n, most);
}

struct chardev *text_console_open(struct screens *screens, const char *label,
                                  const struct chardev_spec *spec, struct error *err)
{
    struct text_console *console = text_console_create(
        screens, label ? label : "console", size_of(spec, "cols", "width", FONT_WIDTH),
        size_of(spec, "rows", "height", FONT_HEIGHT));

    if (!console) {
        error_set(err, "out of memory");
        return NULL;
    }
    return text_console_stream(console);
}
