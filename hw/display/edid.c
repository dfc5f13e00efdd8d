/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/display/edid.h"

#include <string.h>

#include "util/bits.h"

/* Sections of the block (E-EDID release A, 3.1). */
enum {
    AT_MANUFACTURER = 8,
    AT_PRODUCT = 10,
    AT_YEAR = 17,
    AT_VERSION = 18,
    AT_INPUT = 20,
    AT_SIZE = 21,
    AT_GAMMA = 23,
    AT_FEATURES = 24,
    AT_COLOUR = 25,
    AT_ESTABLISHED = 35,
    AT_STANDARD = 38,
    AT_DESCRIPTORS = 54,
    DESCRIPTOR_BYTES = 18,
    AT_CHECKSUM = 127,
};
enum { MOST_PIXELS = 4095, MOST_CLOCK = 65535, DOTS_PER_CM = 40 };

static const struct {
    uint16_t width, height;
    uint8_t aspect; /* 0 16:10, 1 4:3, 2 5:4, 3 16:9 */
} standard_sizes[] = {
    {1280, 800, 0},  {1024, 768, 1}, {1280, 1024, 2}, {1280, 720, 3},
    {1920, 1080, 3}, {1440, 900, 0}, {1600, 1200, 1}, {1680, 1050, 0},
};

static uint8_t high(unsigned a, unsigned b)
{
    return (uint8_t)((a >> 8 & 15) << 4 | (b >> 8 & 15));
}

/* 3.10.2, with blanking of a flat panel (VESA CVT's reduced blanking: 160 pixels, 3 %). */
static void detailed_timing(uint8_t *at, unsigned width, unsigned height)
{
    enum { BLANK_X = 160, FRONT_X = 48, SYNC_X = 32, FRONT_Y = 3, SYNC_Y = 6 };
    unsigned blank_y = MAX(height / 32, 12u), hz = 60;
    unsigned width_mm = width * 10 / DOTS_PER_CM, height_mm = height * 10 / DOTS_PER_CM;
    uint64_t pixels = (uint64_t)(width + BLANK_X) * (height + blank_y);

    while (pixels * hz / 10000 > MOST_CLOCK)
        hz--;
    store_le16(at, (uint16_t)(pixels * hz / 10000));
    at[2] = (uint8_t)width;
    at[3] = BLANK_X;
    at[4] = high(width, BLANK_X);
    at[5] = (uint8_t)height;
    at[6] = (uint8_t)blank_y;
    at[7] = high(height, blank_y);
    at[8] = FRONT_X;
    at[9] = SYNC_X;
    at[10] = FRONT_Y << 4 | SYNC_Y;
    at[12] = (uint8_t)width_mm;
    at[13] = (uint8_t)height_mm;
    at[14] = high(width_mm, height_mm);
    at[17] = 0x1e; /* digital separate sync, both positive */
}

/* 3.10.3: a tag and 13 bytes. */
static void text_descriptor(uint8_t *at, uint8_t tag, const char *text)
{
    size_t length = strlen(text);

    at[3] = tag;
    memset(at + 5, ' ', 13);
    memcpy(at + 5, text, length);
    at[5 + length] = '\n';
}

static void range_descriptor(uint8_t *at)
{
    static const uint8_t limits[] = {50, 125, 30, 160, 66, 1}; /* Hz, kHz, 10 MHz; no formula */

    at[3] = 0xfd;
    memcpy(at + 5, limits, sizeof(limits));
    at[11] = '\n';
    memset(at + 12, ' ', 6);
}

void edid_make(uint8_t out[EDID_BYTES], unsigned width, unsigned height)
{
    static const uint8_t header[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    /* The primaries of sRGB (3.7). */
    static const uint8_t srgb[10] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    uint8_t sum = 0;

    width = MIN(MAX(width, 1u), (unsigned)MOST_PIXELS);
    height = MIN(MAX(height, 1u), (unsigned)MOST_PIXELS);
    memset(out, 0, EDID_BYTES);
    memcpy(out, header, sizeof(header));
    store_be16(out + AT_MANUFACTURER, ('C' - '@') << 10 | ('L' - '@') << 5 | ('Q' - '@'));
    store_le16(out + AT_PRODUCT, 1);
    out[AT_YEAR] = 2024 - 1990;
    out[AT_VERSION] = 1;
    out[AT_VERSION + 1] = 4;
    out[AT_INPUT] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    out[AT_SIZE] = (uint8_t)MIN(width / DOTS_PER_CM, 255u);
    out[AT_SIZE + 1] = (uint8_t)MIN(height / DOTS_PER_CM, 255u);
    out[AT_GAMMA] = 220 - 100;
    out[AT_FEATURES] = 0x06; /* sRGB; the first timing is the native one */
    memcpy(out + AT_COLOUR, srgb, sizeof(srgb));
    out[AT_ESTABLISHED] = 0x21;     /* 640 x 480, 800 x 600 at 60 Hz */
    out[AT_ESTABLISHED + 1] = 0x08; /* 1024 x 768 at 60 Hz */
    for (unsigned i = 0; i < ARRAY_SIZE(standard_sizes); i++) {
        out[AT_STANDARD + 2 * i] = (uint8_t)(standard_sizes[i].width / 8 - 31);
        out[AT_STANDARD + 2 * i + 1] = (uint8_t)(standard_sizes[i].aspect << 6);
    }
    detailed_timing(out + AT_DESCRIPTORS, width, height);
    range_descriptor(out + AT_DESCRIPTORS + DESCRIPTOR_BYTES);
    text_descriptor(out + AT_DESCRIPTORS + 2 * DESCRIPTOR_BYTES, 0xfc, "calque");
    out[AT_DESCRIPTORS + 3 * DESCRIPTOR_BYTES + 3] = 0x10; /* unused */
    for (unsigned i = 0; i < AT_CHECKSUM; i++)
        sum += out[i];
    out[AT_CHECKSUM] = (uint8_t)-sum;
}
