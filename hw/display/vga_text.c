/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's text modes: characters that are not what they were are drawn. A screen is made of
 * strips, one for each row of characters or what of it is seen: the first may begin within a row
 * (CR8), and where the line compare register says memory starts over from 0.
 */
#include <string.h>

#include "hw/display/vga.h"
#include "hw/display/vga_registers.h"
#include "util/bits.h"

enum { MODE_MONO = 2, MODE_LINE_GRAPHICS = 4, MODE_BLINK = 8, MODE_PAN_TOP = 0x20 };
enum { CELL_CURSOR = 1 << 16, CELL_HIDDEN = 1 << 17, CELL_DRAWN = 1 << 18 };
/* The cursor shows for 8 frames of 16, blinking characters for 16 of 32. */
enum { FRAME_NS = 31778 * 449, CURSOR_FRAMES = 8, BLINK_FRAMES = 16 };

struct strip {
    unsigned y;    /* on the screen */
    unsigned line; /* of the characters, the first that shows */
    unsigned lines;
    unsigned pan;   /* pixels left of the screen */
    uint32_t start; /* address of the first character */
};

unsigned vga_character_height(const struct vga *v)
{
    return (v->cr[CR_MAX_SCAN] & 0x1fu) + 1;
}

unsigned vga_character_width(const struct vga *v)
{
    return v->sr[1] & 1 ? 8 : 9;
}

/* Odd/even addressing: character n's code is at 2n of plane 0, its attribute there in plane 1. */
static uint8_t text_byte(const struct vga *v, uint32_t cell, unsigned plane)
{
    return vga_plane_byte(v, (cell * 2) & 0xffff, plane);
}

/* SR3 chooses one of eight fonts for each value of attribute bit 3. */
static uint32_t font_address(const struct vga *v, unsigned which)
{
    uint8_t s = v->sr[SR_FONT];
    unsigned a = (s >> 2 & 3) | (s >> 3 & 4), b = (s & 3) | (s >> 2 & 4);
    unsigned font = which ? a : b;

    return (font & 3) * 0x4000 + (font >> 2) * 0x2000;
}

/* Fetches both fonts; true if they are other ones than before. */
static bool load_fonts(struct vga *v)
{
    bool differs = false;

    for (unsigned which = 0; which < 2; which++) {
        uint32_t base = font_address(v, which);
        uint8_t *font = v->shown.fonts[which];
        for (unsigned i = 0; i < VGA_GLYPHS * VGA_GLYPH_BYTES; i++) {
            uint8_t bits = vga_plane_byte(v, base + i, VGA_FONT_PLANE);
            differs |= bits != font[i];
            font[i] = bits;
        }
    }
    return differs;
}

/* The nine pixels of a character's line, the leftmost in bit 8. */
static unsigned glyph_bits(const struct vga *v, uint32_t cell, unsigned line)
{
    unsigned code = cell & 0xff, attribute = cell >> 8 & 0xff;
    unsigned bits = v->shown.fonts[attribute >> 3 & 1][code * VGA_GLYPH_BYTES + line];
    bool ninth = (v->ar[AR_MODE] & MODE_LINE_GRAPHICS) && (code & 0xe0) == 0xc0;

    bits = bits << 1 | (ninth ? bits & 1 : 0);
    if ((v->ar[AR_MODE] & MODE_MONO) && (attribute & 7) == 1 &&
        line == (v->cr[CR_UNDERLINE] & 0x1fu))
        bits = 0x1ff;
    if (cell & CELL_HIDDEN)
        bits = 0;
    if ((cell & CELL_CURSOR) && line >= (v->cr[CR_CURSOR_START] & 0x1fu) &&
        line <= (v->cr[CR_CURSOR_END] & 0x1fu))
        bits = 0x1ff;
    return bits;
}

static void draw_cell(const struct vga *v, struct screen *screen, const struct strip *strip,
                      unsigned column, uint32_t cell)
{
    unsigned width = vga_character_width(v), left = column * width;
    unsigned from = left < strip->pan ? strip->pan - left : 0; /* of the character's pixels */
    unsigned x = left + from - strip->pan, shown, attribute = cell >> 8 & 0xff;
    unsigned back = attribute >> 4 & (v->ar[AR_MODE] & MODE_BLINK ? 7 : 15);
    uint32_t background = v->shown.attributes[back];
    uint32_t foreground = v->shown.attributes[attribute & 0xf];

    if (from >= width || x >= screen->width)
        return;
    shown = MIN(width - from, screen->width - x);
    for (unsigned i = 0; i < strip->lines; i++) {
        unsigned bits = glyph_bits(v, cell, strip->line + i);
        uint32_t *to = &screen->pixels[(size_t)(strip->y + i) * screen->width + x];
        for (unsigned n = 0; n < shown; n++)
            to[n] = bits >> (8 - from - n) & 1 ? foreground : background;
    }
    screen_damage(screen, (struct screen_rect){x, strip->y, shown, strip->lines});
}

/* One more column than fits, for the one that panning brings in. */
static void draw_strip(struct device *d, struct screen *screen, const struct strip *strip,
                       unsigned columns, uint32_t *cells)
{
    const struct vga *v = vga_of(d);
    uint64_t frame = (uint64_t)clock_now_ns(d->clock) / FRAME_NS;
    bool cursor_on = !(v->cr[CR_CURSOR_START] & 0x20) && !(frame / CURSOR_FRAMES & 1);
    bool blink_on = !(frame / BLINK_FRAMES & 1);
    uint32_t cursor = (uint32_t)(v->cr[CR_CURSOR_HIGH] << 8 | v->cr[CR_CURSOR_LOW]);

    for (unsigned column = 0; column <= columns; column++) {
        uint32_t at = strip->start + column;
        uint32_t cell = CELL_DRAWN | text_byte(v, at, 0) | (uint32_t)text_byte(v, at, 1) << 8;
        if (cursor_on && (at & 0xffff) == cursor)
            cell |= CELL_CURSOR;
        if ((v->ar[AR_MODE] & MODE_BLINK) && (cell & 0x8000) && !blink_on)
            cell |= CELL_HIDDEN;
        if (cell == cells[column] && !screen->whole)
            continue;
        cells[column] = cell;
        draw_cell(v, screen, strip, column, cell);
    }
}

/* AR13 in text modes: with nine pixels a character 8 is none and 0 is one. */
static unsigned pan_of(const struct vga *v)
{
    unsigned pan = v->ar[AR_PAN] & 0xf;

    if (vga_character_width(v) == 9)
        return pan >= 8 ? 0 : pan + 1;
    return pan & 7;
}

/* The strip that begins at screen line y, after `last`, which is the one above it. */
static void next_strip(const struct vga *v, const struct vga_size *size, unsigned y,
                       struct strip *strip)
{
    unsigned height = vga_character_height(v), split = vga_line_compare(v) + 1;

    if (y == 0) {
        strip->start = vga_start_address(v);
        strip->line = MIN(v->cr[CR_PRESET_ROW] & 0x1fu, height - 1);
        strip->pan = pan_of(v);
    } else if (y == split) {
        strip->start = 0;
        strip->line = 0;
        if (v->ar[AR_MODE] & MODE_PAN_TOP)
            strip->pan = 0;
    } else {
        strip->start += v->cr[CR_OFFSET] * 2u;
        strip->line = 0;
    }
    strip->y = y;
    strip->lines = MIN(height - strip->line, size->height - y);
    if (y < split)
        strip->lines = MIN(strip->lines, split - y);
}

void vga_text_draw(struct device *d, const struct vga_size *size, struct screen *screen)
{
    struct vga *v = vga_of(d);
    struct strip strip = {0};
    uint32_t *cells = v->shown.cells, *end = cells + VGA_MAX_CELLS;
    unsigned columns = size->width / vga_character_width(v);

    if (load_fonts(v))
        screen->whole = true;
    for (unsigned y = 0; y < size->height && columns < (size_t)(end - cells); y += strip.lines) {
        next_strip(v, size, y, &strip);
        draw_strip(d, screen, &strip, columns, cells);
        cells += columns + 1;
    }
}

void vga_text_print(const struct vga *v, const struct vga_size *size, FILE *out)
{
    struct strip strip = {0};

    for (unsigned y = 0; y < size->height; y += strip.lines) {
        unsigned end = size->columns;
        next_strip(v, size, y, &strip);
        while (end && (text_byte(v, strip.start + end - 1, 0) & 0xdf) == 0)
            end--;
        for (unsigned column = 0; column < end; column++) {
            uint8_t code = text_byte(v, strip.start + column, 0);
            fputc(code >= 0x20 && code < 0x7f ? code : code ? '?' : ' ', out);
        }
        fputc('\n', out);
    }
}
