/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PL110 or PL111 shows (DDI 0293: 2.4 pixel serialiser, 2.5 palette, 2.7 hardware cursor,
 * 3.3.7 LCDControl). Sizes are those of the timing registers, for TFT and STN panels alike.
 */
#include <string.h>

#include "hw/display/pl11x.h"
#include "hw/display/pl11x_registers.h"
#include "util/bits.h"

static const uint8_t format_bits[8] = {1, 2, 4, 8, 16, 32, 16, 16};

static unsigned panel_height(const struct pl11x *s)
{
    return extract32(s->look.timing[1], 0, 10) + 1;
}

static bool is_dual(const struct pl11x *s)
{
    return (s->look.control & CONTROL_DUAL) && !(s->look.control & CONTROL_TFT);
}

static enum pl11x_format format_of(const struct pl11x *s)
{
    return (enum pl11x_format)extract32(s->look.control, CONTROL_BPP, 3);
}

/* ---- colours ----------------------------------------------------------------------------------
 */

/* Red is in the lowest bits unless BGR says otherwise. */
static uint32_t colour(const struct pl11x *s, unsigned low, unsigned green, unsigned high)
{
    if (s->look.control & CONTROL_BGR)
        return high << 16 | green << 8 | low;
    return low << 16 | green << 8 | high;
}

static unsigned widen5(unsigned value)
{
    return value << 3 | value >> 2;
}

/* A palette entry has 5 bits each and an intensity bit, the lowest of all three. */
static uint32_t palette_colour(const struct pl11x *s, unsigned index)
{
    uint32_t entry = s->look.palette[index / 2] >> (index & 1 ? 16 : 0);
    unsigned intensity = entry >> 15 & 1;

    if (!(s->look.control & CONTROL_TFT) && (s->look.control & CONTROL_MONO)) {
        unsigned grey = extract32(entry, 1, 4) * 17;
        return colour(s, grey, grey, grey);
    }
    return colour(s, widen5(extract32(entry, 0, 5)) | (intensity << 2),
                  widen5(extract32(entry, 5, 5)) | (intensity << 2),
                  widen5(extract32(entry, 10, 5)) | (intensity << 2));
}

static uint32_t direct_colour(const struct pl11x *s, enum pl11x_format format, uint32_t value)
{
    unsigned green = extract32(value, 5, 6);

    switch (format) {
    case BPP_5551:
        return colour(s, widen5(extract32(value, 0, 5)), widen5(extract32(value, 5, 5)),
                      widen5(extract32(value, 10, 5)));
    case BPP_565:
        return colour(s, widen5(extract32(value, 0, 5)), green << 2 | green >> 4,
                      widen5(extract32(value, 11, 5)));
    case BPP_444:
        return colour(s, extract32(value, 0, 4) * 17, extract32(value, 4, 4) * 17,
                      extract32(value, 8, 4) * 17);
    default:
        return colour(s, value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff);
    }
}

/* ---- rows -------------------------------------------------------------------------------------
 */

/* Pixel `index` of a word: from its low end, or with BEBO from its high end byte by byte (of 16-bit
 * pixels, half by half); within a byte from its low end, with BEPO from its high end. */
static unsigned pixel_shift(uint32_t control, unsigned bits, unsigned index)
{
    unsigned at = index * bits, byte = at & ~7u, within = at & 7;

    if (control & CONTROL_BIG_BYTES)
        byte = bits == 16 ? 16 - at : 24 - byte;
    if (bits < 8 && (control & CONTROL_BIG_PIXELS))
        within = 8 - bits - within;
    return byte + within;
}

static void draw_pixels(const struct pl11x *s, unsigned width, const uint8_t *bytes,
                        uint32_t *pixels)
{
    enum pl11x_format format = format_of(s);
    unsigned bits = format_bits[format], in_word = 32 / bits;
    uint8_t shifts[32] = {0};

    for (unsigned i = 0; i < in_word; i++)
        shifts[i] = bits == 32 ? 0 : (uint8_t)pixel_shift(s->look.control, bits, i);
    for (unsigned x = 0; x < width; x++) {
        uint32_t value = load_le32(bytes + x / in_word * 4) >> shifts[x % in_word];
        if (bits <= 8)
            pixels[x] = s->colours[value & ((1u << bits) - 1)];
        else
            pixels[x] = direct_colour(s, format, value);
    }
}

/* 2.7: two bits a pixel, the first of each byte on top: two colours, nothing, the opposite. */
static void draw_cursor_row(const struct pl11x *s, unsigned y, unsigned width, uint32_t *pixels)
{
    bool large = s->look.cursor[1] & CURSOR_LARGE;
    unsigned size = large ? 64 : 32, number = extract32(s->look.cursor[0], CURSOR_NUMBER, 2);
    unsigned left = extract32(s->look.cursor[4], 0, 10), top = extract32(s->look.cursor[4], 16, 10);
    unsigned clip_x = extract32(s->look.cursor[5], 0, 6),
             clip_y = extract32(s->look.cursor[5], 8, 6);
    const uint32_t *image = s->look.cursor_image + (large ? 0 : number * 64);

    if (!s->is_pl111 || !(s->look.cursor[0] & CURSOR_ON) || y < top || y - top + clip_y >= size)
        return;
    unsigned row = y - top + clip_y;
    for (unsigned i = clip_x; i < size && left + i - clip_x < width; i++) {
        unsigned at = row * size + i;
        unsigned value = image[at / 16] >> ((at % 16 & ~3u) * 2 + 6 - 2 * (at & 3)) & 3;
        uint32_t *pixel = &pixels[left + i - clip_x], entry = s->look.cursor[2 + (value & 1)];
        if (value < 2)
            *pixel = (entry & 0xff) << 16 | (entry & 0xff00) | (entry >> 16 & 0xff);
        else if (value == 3)
            *pixel ^= 0xffffff;
    }
}

struct frame {
    const struct pl11x *s;
    unsigned width, row_bytes;
};

static gpa row_address(void *opaque, unsigned y)
{
    const struct frame *f = opaque;
    unsigned half = panel_height(f->s);

    if (is_dual(f->s) && y >= half)
        return (gpa)f->s->lower_base + (gpa)(y - half) * f->row_bytes;
    return (gpa)f->s->upper_base + (gpa)y * f->row_bytes;
}

static void draw_row(void *opaque, const struct framebuffer_row *row)
{
    const struct frame *f = opaque;

    draw_pixels(f->s, f->width, row->bytes, row->pixels);
    draw_cursor_row(f->s, row->y, f->width, row->pixels);
}

bool pl11x_is_on(const struct device *d)
{
    const struct pl11x *s = d->state;
    unsigned on = CONTROL_ENABLE | CONTROL_POWER;

    return (s->look.control & on) == on;
}

void pl11x_draw(struct device *d, struct screen *screen)
{
    struct pl11x *s = d->state;
    struct frame frame = {.s = s, .width = 16 * (extract32(s->look.timing[0], 2, 6) + 1)};
    struct framebuffer_layout layout = {.address = row_address, .draw = draw_row, .opaque = &frame};

    if (!pl11x_is_on(d)) {
        if (screen->whole || s->shown.control)
            screen_fill(screen, 0);
        s->shown.control = 0;
        return;
    }
    if (memcmp(&s->shown, &s->look, sizeof(s->shown)) != 0) {
        s->shown = s->look;
        for (unsigned i = 0; i < 256; i++)
            s->colours[i] = palette_colour(s, i);
        screen->whole = true;
    }
    frame.row_bytes = frame.width * format_bits[format_of(s)] / 8;
    layout.row_bytes = frame.row_bytes;
    if (screen_resize(screen, frame.width, panel_height(s) * (is_dual(s) ? 2 : 1)))
        framebuffer_draw(&s->framebuffer, d->memory, screen, &layout);
}

static void refresh(void *opaque, struct screen *screen)
{
    pl11x_draw(opaque, screen);
}

const struct screen_source pl11x_source = {.refresh = refresh};
