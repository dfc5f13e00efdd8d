/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VGA shows: planar, packed and linear graphics. Rows whose bytes are those that they were
 * drawn from the last time are not drawn again.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/display/vga.h"
#include "hw/display/vga_registers.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { MODE_GRAPHICS = 1, GR_MODE_256 = 0x40, GR_MODE_CGA = 0x20 };
enum { PLANE_ADDRESSES = 0x10000, ROW_MAX_BYTES = 4 * (VGA_MAX_WIDTH + 16), PAN_MAX = 8 };

/* ---- colours ----------------------------------------------------------------------------------
 */

static uint32_t dac_colour(const struct vga *v, uint8_t index)
{
    const uint8_t *rgb = &v->palette[(index & v->pel_mask) * 3];

    if (v->vbe[VBE_ENABLE] & VBE_8BIT_DAC)
        return (uint32_t)rgb[0] << 16 | rgb[1] << 8 | rgb[2];
    return vga_dac_pixel(rgb);
}

/* A 4-bit value through the attribute controller's palette. */
uint32_t vga_attribute(const struct vga *v, unsigned value)
{
    uint8_t index = v->ar[value & v->ar[AR_PLANES] & 0xf] & 0x3f;

    if (v->ar[AR_MODE] & 0x80)
        index = (uint8_t)((index & 0xf) | (v->ar[AR_COLOUR] & 3) << 4);
    return dac_colour(v, (uint8_t)(index | (v->ar[AR_COLOUR] & 0xc) << 4));
}

/* ---- the frame --------------------------------------------------------------------------------
 */

static bool linear_mode(const struct vga *v, struct vga_linear *mode)
{
    if (!v->linear || !v->linear(v, mode))
        return false;
    mode->width = MIN(mode->width, (unsigned)VGA_MAX_WIDTH);
    mode->height = MIN(mode->height, (unsigned)VGA_MAX_HEIGHT);
    return true;
}

unsigned vga_start_address(const struct vga *v)
{
    return v->cr[CR_START_HIGH] << 8 | v->cr[CR_START_LOW];
}

unsigned vga_lines_shown(const struct vga *v)
{
    return (v->cr[CR_V_END] | (v->cr[CR_OVERFLOW] & 2u) << 7 | (v->cr[CR_OVERFLOW] & 0x40u) << 3) +
           1;
}

unsigned vga_line_compare(const struct vga *v)
{
    return v->cr[CR_LINE_COMPARE] | (v->cr[CR_OVERFLOW] & 0x10u) << 4 |
           (v->cr[CR_MAX_SCAN] & 0x40u) << 3;
}

/* Scan lines that show the same row of pixels. */
static unsigned repeats(const struct vga *v)
{
    unsigned height = vga_character_height(v);

    height = v->cr[CR_MODE] & 1 ? height : MAX(height / 2, 1);
    return height * (v->cr[CR_MAX_SCAN] & 0x80 ? 2 : 1);
}

static struct vga_size size_of(const struct vga *v, const struct vga_linear *linear)
{
    struct vga_size s = {.text = !linear && !(v->gr[GR_MISC] & MODE_GRAPHICS)};
    unsigned columns = v->cr[CR_END_DISPLAY] + 1u;

    if (linear) {
        s.width = linear->width;
        s.height = linear->height;
    } else if (s.text) {
        s.columns = columns;
        s.rows = MAX(vga_lines_shown(v) / vga_character_height(v), 1);
        s.width = columns * vga_character_width(v);
        s.height = s.rows * vga_character_height(v);
    } else {
        s.width = columns * (v->gr[GR_MODE] & GR_MODE_256 ? 4 : 8);
        s.height = MAX(vga_lines_shown(v) / repeats(v), 1);
    }
    s.width = MIN(s.width, (unsigned)VGA_MAX_WIDTH);
    s.height = MIN(s.height, (unsigned)VGA_MAX_HEIGHT);
    return s;
}

struct vga_size vga_size(struct device *d)
{
    const struct vga *v = vga_of(d);
    struct vga_linear mode;

    return size_of(v, linear_mode(v, &mode) ? &mode : NULL);
}

void vga_text(void *opaque, FILE *out)
{
    struct vga_size size = vga_size(opaque);

    if (size.text)
        vga_text_print(vga_of(opaque), &size, out);
    else
        fprintf(out, "graphics, %u x %u\n", size.width, size.height);
}

/* ---- rows of graphics -------------------------------------------------------------------------
 */

/* Where a row's bytes lie: they go round within `mask` + 1. */
struct row_span {
    uint64_t at, mask;
    unsigned bytes;
};

/* CR17 bit 6 clear: the CRTC counts words, which lie two apart in a plane. (Where it counts double
 * words, memory is chained and lies as vga_plane_byte has it.) */
static unsigned step(const struct vga *v)
{
    return (v->cr[CR_MODE] & 0x40) || (v->cr[CR_UNDERLINE] & 0x40) ? 1 : 2;
}

/* Where row y starts in each plane. CR17 bit 0 clear: rows alternate between two banks as on a
 * CGA. */
static uint32_t planar_line(const struct vga *v, unsigned y)
{
    unsigned compare = vga_line_compare(v) / repeats(v), bank = 0;
    uint32_t start = vga_start_address(v);

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

static struct row_span planar_span(const struct vga *v, unsigned width, unsigned y)
{
    struct row_span span = {.at = (uint64_t)planar_line(v, y) * 4};

    if (v->gr[GR_MODE] & GR_MODE_256) { /* four pixels at an address, one a plane */
        span.bytes = width + PAN_MAX;
        span.mask = v->memory_size - 1;
    } else {
        span.bytes = (width / 8 + 1) * step(v) * 4;
        span.mask = PLANE_ADDRESSES * 4 - 1;
    }
    return span;
}

static struct row_span linear_span(const struct vga *v, const struct vga_linear *mode, unsigned y)
{
    struct row_span span = {.at = mode->start + y * mode->stride, .mask = v->memory_size - 1};
    unsigned bits = mode->bits == 15 ? 16 : mode->bits;

    if (mode->bits == 4) {
        span.at *= 4;
        span.bytes = (mode->width + 7) / 8 * 4;
    } else {
        span.bytes = mode->width * bits / 8;
    }
    return span;
}

static const uint8_t *span_bytes(const struct vga *v, const struct row_span *span, uint8_t *room)
{
    uint64_t at = span->at & span->mask;
    unsigned before = (unsigned)MIN(span->mask + 1 - at, span->bytes);

    if (before == span->bytes)
        return v->memory + at;
    memcpy(room, v->memory + at, before);
    for (unsigned i = before; i < span->bytes; i++)
        room[i] = v->memory[(at + i) & span->mask];
    return room;
}

static void draw_linear(const struct vga *v, const struct vga_linear *mode, const uint8_t *from,
                        uint32_t *to)
{
    unsigned big = v->big_endian;

    switch (mode->bits) {
    case 4:
        for (unsigned x = 0; x < mode->width; x++) {
            unsigned value = 0;
            for (unsigned i = 0; i < 4; i++)
                value |= (from[x / 8 * 4 + i] >> (7 - x % 8) & 1u) << i;
            to[x] = v->shown.attributes[value];
        }
        break;
    case 8:
        for (unsigned x = 0; x < mode->width; x++)
            to[x] = v->shown.colours[from[x]];
        break;
    case 15:
        for (unsigned x = 0; x < mode->width; x++) {
            uint32_t w = from[2 * x + big] | (uint32_t)from[2 * x + !big] << 8;
            to[x] = (w >> 10 & 31) << 19 | (w >> 5 & 31) << 11 | (w & 31) << 3;
        }
        break;
    case 16:
        for (unsigned x = 0; x < mode->width; x++) {
            uint32_t w = from[2 * x + big] | (uint32_t)from[2 * x + !big] << 8;
            to[x] = (w >> 11) << 19 | (w >> 5 & 63) << 10 | (w & 31) << 3;
        }
        break;
    case 24:
        for (unsigned x = 0; x < mode->width; x++)
            to[x] = from[3 * x] | (uint32_t)from[3 * x + 1] << 8 | (uint32_t)from[3 * x + 2] << 16;
        break;
    default:
        memcpy(to, from, mode->width * sizeof(*to));
        for (unsigned x = 0; x < mode->width; x++)
            to[x] = (big ? __builtin_bswap32(to[x]) : to[x]) & 0xffffff;
        break;
    }
}

/* AR13: that many pixels of the row are left of the screen. */
static unsigned pan_of(const struct vga *v)
{
    unsigned pan = v->ar[AR_PAN] & 7;

    return v->gr[GR_MODE] & GR_MODE_256 ? pan / 2 : pan;
}

static void draw_planar(const struct vga *v, unsigned width, unsigned pan, const uint8_t *from,
                        uint32_t *to)
{
    unsigned apart = 4 * step(v);

    if (v->gr[GR_MODE] & GR_MODE_256) {
        for (unsigned x = 0; x < width; x++)
            to[x] = v->shown.colours[from[x + pan]];
        return;
    }
    for (unsigned x = 0; x < width; x++) {
        unsigned p = x + pan, value = 0;
        const uint8_t *planes = from + p / 8 * apart;
        if (v->gr[GR_MODE] & GR_MODE_CGA) { /* two bits a pixel, from planes 0 and 1 by turns */
            value = planes[p >> 2 & 1] >> (6 - 2 * (p & 3)) & 3u;
        } else {
            for (unsigned i = 0; i < 4; i++)
                value |= (planes[i] >> (7 - p % 8) & 1u) << i;
        }
        to[x] = v->shown.attributes[value];
    }
}

/* Makes room for the bytes of every row; false: there is no memory, all rows are drawn. */
static bool keep_rows(struct vga_shown *shown, unsigned height, unsigned bytes)
{
    size_t all = (size_t)height * bytes;

    if (all > shown->rows_bytes) {
        free(shown->rows);
        shown->rows = malloc(all);
        shown->rows_bytes = shown->rows ? all : 0;
        shown->screen->whole = true;
    }
    if (bytes != shown->row_bytes)
        shown->screen->whole = true;
    shown->row_bytes = bytes;
    return shown->rows != NULL;
}

/* Pixels of 32 bits, of which the guest may use the upper 8 as it likes. */
static bool same_colours(const uint8_t *from, const uint32_t *shown, unsigned width)
{
    uint64_t differs = 0, a, b;
    unsigned x = 0;

    if (!memcmp(from, shown, width * sizeof(*shown)))
        return true;
    for (; x + 2 <= width; x += 2) {
        memcpy(&a, from + 4 * x, sizeof(a));
        memcpy(&b, shown + x, sizeof(b));
        differs |= (a ^ b) & UINT64_C(0x00ffffff00ffffff);
    }
    if (x < width)
        differs |= (load_le32(from + 4 * x) ^ shown[x]) & 0xffffff;
    return !differs;
}

static void draw_rows(struct vga *v, const struct vga_linear *mode, const struct vga_size *size)
{
    struct vga_shown *shown = &v->shown;
    struct screen *screen = shown->screen;
    uint8_t room[ROW_MAX_BYTES];
    uint32_t pixels[VGA_MAX_WIDTH];
    struct row_span span = mode ? linear_span(v, mode, 0) : planar_span(v, size->width, 0);
    /* Rows as the screen has them need no copy. */
    bool same = mode && mode->bits == 32 && !v->big_endian;
    bool kept = !same && keep_rows(shown, size->height, span.bytes);
    unsigned pan = mode ? 0 : pan_of(v);

    for (unsigned y = 0; y < size->height; y++) {
        span = mode ? linear_span(v, mode, y) : planar_span(v, size->width, y);
        const uint8_t *from = span_bytes(v, &span, room);
        uint8_t *before = kept ? shown->rows + (size_t)y * span.bytes : NULL;
        if (same ? same_colours(from, &screen->pixels[(size_t)y * screen->width], size->width)
                 : kept && !screen->whole && !memcmp(from, before, span.bytes))
            continue;
        /* The guest may be writing: what is drawn is what is remembered. */
        if (kept)
            from = memcpy(before, from, span.bytes);
        if (mode)
            draw_linear(v, mode, from, pixels);
        else
            draw_planar(v, size->width, pan, from, pixels);
        screen_put_row(screen, y, pixels);
    }
}

/* ---- the screen -------------------------------------------------------------------------------
 */

/* The cursor and where memory starts are compared as they are drawn. */
static void take_look(const struct vga *v, const struct vga_linear *mode,
                      const struct vga_size *size, struct vga_look *look)
{
    memset(look, 0, sizeof(*look)); /* padding, too */
    memcpy(look->sr, v->sr, sizeof(look->sr));
    memcpy(look->cr, v->cr, sizeof(look->cr));
    memset(&look->cr[CR_START_HIGH], 0, 4);
    memcpy(look->gr, v->gr, sizeof(look->gr));
    memcpy(look->ar, v->ar, sizeof(look->ar));
    memcpy(look->palette, v->palette, sizeof(look->palette));
    look->pel_mask = v->pel_mask;
    look->screen_on = v->ar_index & 0x20;
    look->big_endian = v->big_endian;
    look->wide_dac = v->vbe[VBE_ENABLE] & VBE_8BIT_DAC;
    look->is_linear = mode != NULL;
    look->bits = mode ? mode->bits : 0;
    look->width = size->width;
    look->height = size->height;
}

static void update_colours(struct vga *v)
{
    for (unsigned i = 0; i < 256; i++)
        v->shown.colours[i] = dac_colour(v, (uint8_t)i);
    for (unsigned i = 0; i < 16; i++)
        v->shown.attributes[i] = vga_attribute(v, i);
}

void vga_refresh(void *opaque, struct screen *screen)
{
    struct device *d = opaque;
    struct vga *v = vga_of(d);
    struct vga_linear linear, *mode = linear_mode(v, &linear) ? &linear : NULL;
    struct vga_size size = size_of(v, mode);
    struct vga_look look;

    take_look(v, mode, &size, &look);
    if (memcmp(&look, &v->shown.look, sizeof(look)) != 0) {
        v->shown.look = look;
        update_colours(v);
        screen->whole = true;
    }
    if (!screen_resize(screen, size.width, size.height))
        return;
    /* SR1 bit 5 blanks the screen, and so does a palette that the processor holds. */
    if (!mode && ((v->sr[1] & 0x20) || !(v->ar_index & 0x20))) {
        if (screen->whole)
            screen_fill(screen, 0);
    } else if (size.text) {
        vga_text_draw(d, &size, screen);
    } else {
        draw_rows(v, mode, &size);
    }
}

static const struct screen_source source = {.refresh = vga_refresh, .print_text = vga_text};

bool vga_screen_create(struct device *d, struct error *err)
{
    struct vga *v = vga_of(d);

    v->shown.cells = calloc(VGA_MAX_CELLS, sizeof(*v->shown.cells));
    if (v->shown.cells)
        v->shown.screen = screen_create(&d->machine->screens, d->id, &source, d);
    if (v->shown.screen)
        return true;
    free(v->shown.cells);
    return error_set(err, "%s: out of memory", d->id);
}

void vga_screen_destroy(struct device *d)
{
    struct vga *v = vga_of(d);

    screen_destroy(&d->machine->screens, v->shown.screen);
    free(v->shown.cells);
    free(v->shown.rows);
}
