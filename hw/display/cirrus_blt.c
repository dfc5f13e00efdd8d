/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BitBLT engine of the CL-GD5446 (Technical Reference Manual, chapter 9 "BitBLT engine" and the
 * registers GR20 to GR3F). A transfer is done at once, except that one whose source comes from the
 * processor goes on as the bytes come.
 */
#include <string.h>

#include "hw/display/cirrus.h"
#include "util/bits.h"

static unsigned pixel_bytes(const struct cirrus_blt *b)
{
    return (b->mode >> BLT_PIXEL & 3u) + 1;
}

/* GR32: the sixteen functions of source and destination. */
static uint8_t combine(uint8_t rop, uint8_t s, uint8_t d)
{
    switch (rop) {
    case 0x00:
        return 0;
    case 0x05:
        return s & d;
    case 0x06:
        return d;
    case 0x09:
        return s & (uint8_t)~d;
    case 0x0b:
        return (uint8_t)~d;
    case 0x0d:
        return s;
    case 0x0e:
        return 0xff;
    case 0x50:
        return (uint8_t)~s & d;
    case 0x59:
        return s ^ d;
    case 0x6d:
        return s | d;
    case 0x90:
        return (uint8_t) ~(s | d);
    case 0x95:
        return (uint8_t) ~(s ^ d);
    case 0xad:
        return s | (uint8_t)~d;
    case 0xd0:
        return (uint8_t)~s;
    case 0xd6:
        return (uint8_t)~s | d;
    case 0xda:
        return (uint8_t) ~(s & d);
    default:
        return d;
    }
}

/* One pixel of up to four bytes, lowest first. */
static void put_pixel(struct cirrus *c, uint32_t at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        uint8_t *to = cirrus_byte(c, at + i);
        *to = combine(c->blt.rop, (uint8_t)(value >> 8 * i), *to);
    }
}

/* ---- colour expansion -------------------------------------------------------------------------
 */

static void expand_pixel(struct cirrus *c, uint32_t at, bool bit, unsigned bytes)
{
    const struct cirrus_blt *b = &c->blt;

    if ((b->mode & BLT_TRANSPARENT) && (b->extensions & EXT_INVERT)) {
        if (!bit)
            put_pixel(c, at, b->back, bytes);
        return;
    }
    if (bit)
        put_pixel(c, at, b->fore, bytes);
    else if (!(b->mode & BLT_TRANSPARENT))
        put_pixel(c, at, b->back, bytes);
}

/* Pixels left of the first that is drawn; with 24 bits a pixel GR2F counts bytes. */
static unsigned skipped_pixels(const struct cirrus_blt *b)
{
    return pixel_bytes(b) == 3 ? (b->skip & 0x1fu) / 3 : b->skip & 7u;
}

/* bits: the row's, the first pixel in bit 7; a pattern's byte goes round. */
static void expand_row(struct cirrus *c, uint32_t dest, const uint8_t *bits, bool pattern)
{
    const struct cirrus_blt *b = &c->blt;
    unsigned bytes = pixel_bytes(b), skip = skipped_pixels(b);

    for (unsigned x = skip; x * bytes < b->width; x++) {
        uint8_t byte = pattern ? bits[0] : bits[x / 8];
        expand_pixel(c, dest + x * bytes, byte >> (7 - x % 8) & 1, bytes);
    }
}

/* ---- pixels -----------------------------------------------------------------------------------
 */

/* With transparency a result that is the key's colour is not written (GR34, GR35; 8 and 16 bits).
 */
static bool is_key(const struct cirrus_blt *b, uint32_t value, unsigned bytes)
{
    uint32_t mask = bytes == 1 ? 0xff : 0xffff;

    return (b->mode & BLT_TRANSPARENT) && bytes <= 2 && (value & mask) == (b->key & mask);
}

static void copy_pixel(struct cirrus *c, uint32_t at, const uint8_t source[4], unsigned bytes)
{
    uint8_t result[4] = {0};

    for (unsigned i = 0; i < bytes; i++)
        result[i] = combine(c->blt.rop, source[i], *cirrus_byte(c, at + i));
    if (is_key(&c->blt, load_le32(result), bytes))
        return;
    for (unsigned i = 0; i < bytes; i++)
        *cirrus_byte(c, at + i) = result[i];
}

/* Whole pixels where the key is looked for, else bytes. */
static unsigned unit_of(const struct cirrus_blt *b)
{
    return (b->mode & BLT_TRANSPARENT) && pixel_bytes(b) == 2 ? 2 : 1;
}

static void copy_row(struct cirrus *c, uint32_t dest, const uint8_t *source, unsigned first,
                     unsigned round)
{
    unsigned unit = unit_of(&c->blt);

    for (unsigned x = first; x + unit <= c->blt.width; x += unit) {
        uint8_t pixel[4] = {0};
        for (unsigned i = 0; i < unit; i++)
            pixel[i] = source[(x + i) % round];
        copy_pixel(c, dest + x, pixel, unit);
    }
}

/* ---- whole transfers --------------------------------------------------------------------------
 */

/* Eight rows of eight pixels; the address's low bits say which row is the first. */
static void pattern_row(struct cirrus *c, uint32_t row)
{
    const struct cirrus_blt *b = &c->blt;
    unsigned bytes = pixel_bytes(b), stride = bytes == 3 ? 32 : 8 * bytes;
    unsigned line = (b->source + row) & 7;
    uint32_t dest = b->dest + row * b->dest_pitch;
    uint8_t source[32];

    if ((b->mode & BLT_EXPAND) && (b->extensions & EXT_SOLID)) {
        for (unsigned x = 0; x + bytes <= b->width; x += bytes)
            put_pixel(c, dest + x, b->fore, bytes);
    } else if (b->mode & BLT_EXPAND) {
        expand_row(c, dest, cirrus_byte(c, (b->source & ~7u) + line), true);
    } else {
        for (unsigned i = 0; i < 8 * bytes; i++)
            source[i] = *cirrus_byte(c, (b->source & ~7u) + line * stride + i);
        copy_row(c, dest, source, skipped_pixels(b) * bytes, 8 * bytes);
    }
}

/* Byte by byte in the direction given, so that rectangles that overlap come out as they would. */
static void screen_row(struct cirrus *c, uint32_t row)
{
    const struct cirrus_blt *b = &c->blt;
    unsigned unit = unit_of(b);
    bool back = b->mode & BLT_BACKWARDS;
    uint32_t dest = back ? b->dest - row * b->dest_pitch : b->dest + row * b->dest_pitch;
    uint32_t source = back ? b->source - row * b->source_pitch : b->source + row * b->source_pitch;

    for (unsigned x = 0; x + unit <= b->width; x += unit) {
        uint32_t at = back ? 0u - x - (unit - 1) : x;
        uint8_t pixel[4] = {0};
        for (unsigned i = 0; i < unit; i++)
            pixel[i] = *cirrus_byte(c, source + at + i);
        copy_pixel(c, dest + at, pixel, unit);
    }
}

/* Bits follow each other through all rows of the source, each row from a whole byte on. */
static void expanded_row(struct cirrus *c, uint32_t row)
{
    const struct cirrus_blt *b = &c->blt;
    uint32_t from = b->source + row * b->row_bytes;

    for (uint32_t i = 0; i < b->row_bytes; i++)
        c->incoming[i] = *cirrus_byte(c, from + i);
    expand_row(c, b->dest + row * b->dest_pitch, c->incoming, false);
}

static void received_row(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;
    uint32_t dest = b->dest + b->row * b->dest_pitch;

    if (b->mode & BLT_EXPAND)
        expand_row(c, dest, c->incoming, false);
    else
        copy_row(c, dest, c->incoming, 0, sizeof(c->incoming));
}

static uint32_t gr_bytes(const struct cirrus *c, unsigned first, uint32_t mask)
{
    return (c->gr[first] | c->gr[first + 1] << 8 | (uint32_t)c->gr[first + 2] << 16) & mask;
}

/* Bytes of a row of the source where it is a stream: pixels to a double word, bits to a byte. */
static uint32_t stream_row_bytes(const struct cirrus_blt *b)
{
    uint32_t pixels = b->width / pixel_bytes(b);

    if (!(b->mode & BLT_EXPAND))
        return (b->width + 3) & ~3u;
    return b->extensions & EXT_DWORDS ? (pixels + 31) / 32 * 4 : (pixels + 7) / 8;
}

static void load_registers(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;
    const uint8_t *gr = c->gr;

    *b = (struct cirrus_blt){
        .width = gr_bytes(c, GR_BLT_WIDTH, 0x1fff) + 1,
        .height = gr_bytes(c, GR_BLT_HEIGHT, 0x7ff) + 1,
        .dest_pitch = gr_bytes(c, GR_BLT_DEST_PITCH, 0x1fff),
        .source_pitch = gr_bytes(c, GR_BLT_SOURCE_PITCH, 0x1fff),
        .dest = gr_bytes(c, GR_BLT_DEST, 0x3fffff),
        .source = gr_bytes(c, GR_BLT_SOURCE, 0x3fffff),
        .fore = gr[GR_FORE_0] | gr[GR_FORE_1] << 8 | gr[GR_FORE_2] << 16 |
                (uint32_t)gr[GR_FORE_3] << 24,
        .back = gr[GR_BACK_0] | gr[GR_BACK_1] << 8 | gr[GR_BACK_2] << 16 |
                (uint32_t)gr[GR_BACK_3] << 24,
        .key = gr[GR_BLT_KEY] | gr[GR_BLT_KEY + 1] << 8,
        .mode = gr[GR_BLT_MODE],
        .rop = gr[GR_BLT_ROP],
        .extensions = gr[GR_BLT_EXTENSIONS],
        .skip = gr[GR_BLT_SKIP],
    };
    if ((b->extensions & EXT_INVERT) && !(b->mode & BLT_TRANSPARENT)) {
        uint32_t fore = b->fore;
        b->fore = b->back;
        b->back = fore;
    }
    b->row_bytes = MAX(stream_row_bytes(b), 1u);
}

static void finish(struct cirrus *c)
{
    c->receiving = false;
    c->gr[GR_BLT_STATUS] &= (uint8_t) ~(STATUS_START | STATUS_BUSY | STATUS_PROGRESS);
}

static void start(struct cirrus *c)
{
    struct cirrus_blt *b = &c->blt;

    load_registers(c);
    c->gr[GR_BLT_STATUS] |= STATUS_BUSY | STATUS_PROGRESS;
    if (b->mode & BLT_TO_SYSTEM) {
        log_printf(LOG_UNIMP, "cirrus-vga: BitBLT to system memory\n");
        finish(c);
        return;
    }
    if (b->mode & BLT_FROM_SYSTEM) {
        c->receiving = true;
        return;
    }
    for (uint32_t row = 0; row < b->height; row++) {
        if (b->mode & BLT_PATTERN)
            pattern_row(c, row);
        else if (b->mode & BLT_EXPAND)
            expanded_row(c, row);
        else
            screen_row(c, row);
    }
    finish(c);
}

void cirrus_blt_control(struct device *d, uint8_t value)
{
    struct cirrus *c = d->state;
    uint8_t before = c->gr[GR_BLT_STATUS];

    c->gr[GR_BLT_STATUS] = (uint8_t)((value & ~(STATUS_BUSY | STATUS_PROGRESS)) |
                                     (before & (STATUS_BUSY | STATUS_PROGRESS)));
    if ((before & STATUS_RESET) && !(value & STATUS_RESET))
        finish(c);
    else if (!(before & STATUS_START) && (value & STATUS_START))
        start(c);
    cirrus_update_aperture(d);
}

/* A pattern from the processor is one row of bytes, drawn as if it were in video memory: its 8 x 8
 * pixels are put where nothing shows, at the very end. */
static void received_pattern(struct device *d)
{
    struct cirrus *c = d->state;
    uint8_t saved[256];
    uint32_t at = (uint32_t)c->vga.memory_size - sizeof(saved);

    memcpy(saved, cirrus_byte(c, at), sizeof(saved));
    memcpy(cirrus_byte(c, at), c->incoming, c->blt.row_bytes);
    c->blt.source = at;
    for (uint32_t row = 0; row < c->blt.height; row++)
        pattern_row(c, row);
    memcpy(cirrus_byte(c, at), saved, sizeof(saved));
}

void cirrus_blt_receive(struct device *d, uint8_t byte)
{
    struct cirrus *c = d->state;
    struct cirrus_blt *b = &c->blt;
    bool pattern = b->mode & BLT_PATTERN;

    if (pattern)
        b->row_bytes = b->mode & BLT_EXPAND ? 8 : pixel_bytes(b) == 3 ? 256 : 64 * pixel_bytes(b);
    c->incoming[b->received++] = byte;
    if (b->received < b->row_bytes)
        return;
    b->received = 0;
    if (pattern)
        received_pattern(d);
    else
        received_row(c);
    if (!pattern && ++b->row < b->height)
        return;
    finish(c);
    cirrus_update_aperture(d);
}
