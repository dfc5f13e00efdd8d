/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VGA shows: text, planar and linear graphics, and the modes of the Bochs extensions. */
#include <string.h>

#include "hw/display/vga.h"
#include "hw/display/vga_registers.h"
#include "util/bits.h"

enum { FONT_PLANE = 2, GLYPH_BYTES = 32, MODE_GRAPHICS = 1, MODE_LINE_GRAPHICS = 4 };
enum { MODE_BLINK = 8, MODE_8BIT = 0x40, GR_MODE_256 = 0x40, GR_MODE_CGA = 0x20 };

/* ---- colours ----------------------------------------------------------------------------------
 */

static uint32_t dac_colour(const struct vga *v, uint8_t index)
{
    const uint8_t *rgb = &v->palette[(index & v->pel_mask) * 3];

    if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
        return (uint32_t)rgb[0] << 16 | rgb[1] << 8 | rgb[2];
    return (uint32_t)(rgb[0] << 2 | rgb[0] >> 4) << 16 | (rgb[1] << 2 | rgb[1] >> 4) << 8 |
           (rgb[2] << 2 | rgb[2] >> 4);
}

/* A 4-bit value through the attribute controller's palette. */
static uint32_t attribute_colour(const struct vga *v, unsigned value)
{
    uint8_t index = v->ar[value & v->ar[AR_PLANES] & 0xf] & 0x3f;

    if (v->ar[AR_MODE] & 0x80)
        index = (uint8_t)((index & 0xf) | (v->ar[AR_COLOUR] & 3) << 4);
    return dac_colour(v, (uint8_t)(index | (v->ar[AR_COLOUR] & 0xc) << 4));
}

/* ---- the frame --------------------------------------------------------------------------------
 */

static bool vbe_on(const struct vga *v)
{
    return v->vbe[VBE_ENABLE] & VBE_ENABLED;
}

static bool is_text(const struct vga *v)
{
    return !vbe_on(v) && !(v->gr[GR_MISC] & MODE_GRAPHICS);
}

static unsigned character_height(const struct vga *v)
{
    return (v->cr[CR_MAX_SCAN] & 0x1fu) + 1;
}

static unsigned character_width(const struct vga *v)
{
    return v->sr[1] & 1 ? 8 : 9;
}

static unsigned start_address(const struct vga *v)
{
    return v->cr[CR_START_HIGH] << 8 | v->cr[CR_START_LOW];
}

static unsigned lines_shown(const struct vga *v)
{
    return (v->cr[CR_V_END] | (v->cr[CR_OVERFLOW] & 2u) << 7 | (v->cr[CR_OVERFLOW] & 0x40u) << 3) +
           1;
}

static unsigned line_compare(const struct vga *v)
{
    return v->cr[CR_LINE_COMPARE] | (v->cr[CR_OVERFLOW] & 0x10u) << 4 |
           (v->cr[CR_MAX_SCAN] & 0x40u) << 3;
}

/* Scan lines that show the same row of pixels. */
static unsigned repeats(const struct vga *v)
{
    unsigned height = v->cr[CR_MODE] & 1 ? character_height(v) : MAX(character_height(v) / 2, 1);

    return height * (v->cr[CR_MAX_SCAN] & 0x80 ? 2 : 1);
}

struct vga_size vga_size(struct device *d)
{
    const struct vga *v = d->state;
    struct vga_size s = {.text = is_text(v)};
    unsigned columns = v->cr[CR_END_DISPLAY] + 1u;

    if (vbe_on(v)) {
        s.width = v->vbe[VBE_XRES];
        s.height = v->vbe[VBE_YRES];
    } else if (s.text) {
        s.columns = columns;
        s.rows = MAX(lines_shown(v) / character_height(v), 1);
        s.width = columns * character_width(v);
        s.height = s.rows * character_height(v);
    } else {
        s.width = columns * (v->gr[GR_MODE] & GR_MODE_256 ? 4 : 8);
        s.height = MAX(lines_shown(v) / repeats(v), 1);
    }
    s.width = MIN(s.width, (unsigned)VGA_MAX_WIDTH);
    s.height = MIN(s.height, (unsigned)VGA_MAX_HEIGHT);
    return s;
}

static uint8_t memory_byte(const struct vga *v, uint64_t at)
{
    return v->memory[at & (v->memory_size - 1)];
}

static uint8_t plane_byte(const struct vga *v, uint32_t at, unsigned plane)
{
    return memory_byte(v, (uint64_t)at * 4 + plane);
}

/* ---- text -------------------------------------------------------------------------------------
 */

/* Odd/even addressing: character n's code is at 2n of plane 0, its attribute there in plane 1. */
static uint8_t text_byte(const struct vga *v, unsigned column, unsigned row, unsigned plane)
{
    uint32_t cell = start_address(v) + row * v->cr[CR_OFFSET] * 2u + column;

    return plane_byte(v, (cell * 2) & 0xffff, plane);
}

static bool cursor_at(const struct vga *v, unsigned column, unsigned row)
{
    uint32_t cursor = (uint32_t)(v->cr[CR_CURSOR_HIGH] << 8 | v->cr[CR_CURSOR_LOW]);

    return !(v->cr[CR_CURSOR_START] & 0x20) &&
           cursor == ((start_address(v) + row * v->cr[CR_OFFSET] * 2u + column) & 0xffff);
}

/* SR3 chooses one of eight fonts for each value of attribute bit 3. */
static uint32_t font_address(const struct vga *v, uint8_t attribute)
{
    uint8_t s = v->sr[SR_FONT];
    unsigned a = (s >> 2 & 3) | (s >> 3 & 4), b = (s & 3) | (s >> 2 & 4);
    unsigned which = attribute & 8 ? a : b;

    return (which & 3) * 0x4000 + (which >> 2) * 0x2000;
}

static uint16_t glyph_line(const struct vga *v, uint8_t code, uint8_t attribute, unsigned line)
{
    uint8_t bits =
        plane_byte(v, font_address(v, attribute) + code * GLYPH_BYTES + line, FONT_PLANE);
    bool ninth = (v->ar[AR_MODE] & MODE_LINE_GRAPHICS) && (code & 0xe0) == 0xc0;

    return (uint16_t)(bits << 1 | (ninth ? bits & 1 : 0));
}

static void draw_character(const struct vga *v, uint32_t *pixels, unsigned stride, unsigned column,
                           unsigned row, bool blink)
{
    uint8_t code = text_byte(v, column, row, 0), attribute = text_byte(v, column, row, 1);
    bool blinks = (v->ar[AR_MODE] & MODE_BLINK) && (attribute & 0x80);
    unsigned back = attribute >> 4 & (v->ar[AR_MODE] & MODE_BLINK ? 7 : 15);
    uint32_t background = attribute_colour(v, back);
    uint32_t foreground = attribute_colour(v, attribute & 0xf);
    bool cursor = blink && cursor_at(v, column, row);

    for (unsigned y = 0; y < character_height(v); y++) {
        uint16_t bits = blinks && !blink ? 0 : glyph_line(v, code, attribute, y);
        if (cursor && y >= (v->cr[CR_CURSOR_START] & 0x1f) && y <= (v->cr[CR_CURSOR_END] & 0x1f))
            bits = 0x1ff;
        for (unsigned x = 0; x < character_width(v); x++)
            pixels[y * stride + x] = bits >> (8 - x) & 1 ? foreground : background;
    }
}

static void draw_text(const struct vga *v, const struct vga_size *size, uint32_t *pixels,
                      unsigned stride, unsigned width, unsigned height, bool blink)
{
    unsigned w = character_width(v), h = character_height(v);

    for (unsigned row = 0; row < size->rows && (row + 1) * h <= height; row++) {
        for (unsigned column = 0; column < size->columns && (column + 1) * w <= width; column++)
            draw_character(v, pixels + row * h * stride + column * w, stride, column, row, blink);
    }
}

void vga_text(struct device *d, FILE *out)
{
    const struct vga *v = d->state;
    struct vga_size size = vga_size(d);

    if (!size.text) {
        fprintf(out, "graphics, %u x %u\n", size.width, size.height);
        return;
    }
    for (unsigned row = 0; row < size.rows; row++) {
        unsigned end = size.columns;
        while (end && (text_byte(v, end - 1, row, 0) & 0xdf) == 0)
            end--;
        for (unsigned column = 0; column < end; column++) {
            uint8_t code = text_byte(v, column, row, 0);
            fputc(code >= 0x20 && code < 0x7f ? code : code ? '?' : ' ', out);
        }
        fputc('\n', out);
    }
}

/* ---- graphics ---------------------------------------------------------------------------------
 */

static uint32_t vbe_pixel(const struct vga *v, uint64_t base, unsigned x)
{
    uint64_t at;
    uint16_t word;

    switch (v->vbe[VBE_BPP]) {
    case 8:
        return dac_colour(v, memory_byte(v, base + x));
    case 15:
    case 16:
        at = base + (uint64_t)x * 2;
        word = (uint16_t)(memory_byte(v, at + v->big_endian) | memory_byte(v, at + !v->big_endian)
                                                                   << 8);
        if (v->vbe[VBE_BPP] == 15)
            return (uint32_t)(word >> 10 & 31) << 19 | (word >> 5 & 31) << 11 | (word & 31) << 3;
        return (uint32_t)(word >> 11) << 19 | (word >> 5 & 63) << 10 | (word & 31) << 3;
    case 24:
        at = base + (uint64_t)x * 3;
        return memory_byte(v, at) | memory_byte(v, at + 1) << 8 |
               (uint32_t)memory_byte(v, at + 2) << 16;
    case 32:
        at = base + (uint64_t)x * 4;
        if (v->big_endian)
            return (uint32_t)memory_byte(v, at + 1) << 16 | memory_byte(v, at + 2) << 8 |
                   memory_byte(v, at + 3);
        return memory_byte(v, at) | memory_byte(v, at + 1) << 8 |
               (uint32_t)memory_byte(v, at + 2) << 16;
    default: { /* 4: planes */
        unsigned value = 0;
        for (unsigned i = 0; i < 4; i++)
            value |= (plane_byte(v, (uint32_t)(base + x / 8), i) >> (7 - x % 8) & 1u) << i;
        return attribute_colour(v, value);
    }
    }
}

static uint32_t vbe_line(const struct vga *v, unsigned y)
{
    uint64_t bits = v->vbe[VBE_BPP] == 15 ? 16 : v->vbe[VBE_BPP] == 4 ? 1 : v->vbe[VBE_BPP];

    return (uint32_t)(((uint64_t)(y + v->vbe[VBE_Y_OFFSET]) * v->vbe[VBE_VIRT_WIDTH] +
                       v->vbe[VBE_X_OFFSET]) *
                      bits / 8);
}

/* CR17 bit 6 clear: the CRTC counts words, which lie two apart in a plane. (Where it counts double
 * words, memory is chained and lies as plane_byte has it.) */
static unsigned step(const struct vga *v)
{
    return (v->cr[CR_MODE] & 0x40) || (v->cr[CR_UNDERLINE] & 0x40) ? 1 : 2;
}

/* Where row y starts in each plane. CR17 bit 0 clear: rows alternate between two banks as on a
 * CGA. */
static uint32_t planar_line(const struct vga *v, unsigned y)
{
    unsigned compare = line_compare(v) / repeats(v), bank = 0;
    uint32_t start = start_address(v);

    if (y > compare) {
        y -= compare + 1;
        start = 0;
    }
    if (!(v->cr[CR_MODE] & 1)) {
        bank = y & 1;
        y /= 2;
    }
    return (start + y * v->cr[CR_OFFSET] * 2u) * step(v) + bank * 0x2000;
}

static uint32_t planar_pixel(const struct vga *v, uint32_t base, unsigned x)
{
    unsigned value = 0;
    uint32_t at = (base + x / 8 * step(v)) & 0xffff;

    if (v->gr[GR_MODE] & GR_MODE_256) /* four pixels at an address, one a plane */
        return dac_colour(v, plane_byte(v, base + x / 4, x & 3));
    if (v->gr[GR_MODE] & GR_MODE_CGA) { /* two bits a pixel, from planes 0 and 1 by turns */
        uint8_t byte = plane_byte(v, at, x >> 2 & 1);
        return attribute_colour(v, byte >> (6 - 2 * (x & 3)) & 3u);
    }
    for (unsigned i = 0; i < 4; i++)
        value |= (plane_byte(v, at, i) >> (7 - x % 8) & 1u) << i;
    return attribute_colour(v, value);
}

void vga_render(struct device *d, uint32_t *pixels, unsigned stride, unsigned width,
                unsigned height, bool blink)
{
    const struct vga *v = d->state;
    struct vga_size size = vga_size(d);

    width = MIN(width, size.width);
    height = MIN(height, size.height);
    /* SR1 bit 5 blanks the screen, and so does a palette that the processor holds. */
    if (!vbe_on(v) && ((v->sr[1] & 0x20) || !(v->ar_index & 0x20))) {
        for (unsigned y = 0; y < height; y++)
            memset(pixels + (size_t)y * stride, 0, width * sizeof(*pixels));
        return;
    }
    if (size.text) {
        draw_text(v, &size, pixels, stride, width, height, blink);
        return;
    }
    for (unsigned y = 0; y < height; y++) {
        uint32_t base = vbe_on(v) ? vbe_line(v, y) : planar_line(v, y);
        for (unsigned x = 0; x < width; x++)
            pixels[(size_t)y * stride + x] =
                vbe_on(v) ? vbe_pixel(v, base, x) : planar_pixel(v, base, x);
    }
}
