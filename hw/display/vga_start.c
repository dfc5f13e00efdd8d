/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VGA as its BIOS leaves it, for machines that start a kernel without running one. */
#include <string.h>

#include "hw/display/vga.h"
#include "hw/display/vga_registers.h"

enum { FONT_HEIGHT = 16, BLANK = ' ', LIGHT_GREY = 7 };

/* IBM VGA technical reference, "Video modes": the registers of mode 3 with 400 lines. */
static const uint8_t sequencer[] = {3, 0, 3, 0, 2};
static const uint8_t crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
                               0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
                               0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const uint8_t graphics[] = {0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff};
static const uint8_t attributes[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                     0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                     0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};

static void put(struct device *d, unsigned port, unsigned index, uint8_t value)
{
    vga_write_port(d, port, (uint8_t)index);
    vga_write_port(d, port + 1, value);
}

static void set_registers(struct device *d)
{
    struct vga *v = vga_of(d);

    vga_write_port(d, 0x3c2, 0x67);
    for (unsigned i = 0; i < sizeof(sequencer); i++)
        put(d, 0x3c4, i, sequencer[i]);
    put(d, 0x3d4, CR_V_SYNC_END, 0); /* CR0 to CR7 are open now */
    for (unsigned i = 0; i < sizeof(crtc); i++)
        put(d, 0x3d4, i, crtc[i]);
    for (unsigned i = 0; i < sizeof(graphics); i++)
        put(d, 0x3ce, i, graphics[i]);
    v->ar_data = false;
    for (unsigned i = 0; i < sizeof(attributes); i++) {
        vga_write_port(d, 0x3c0, (uint8_t)i);
        vga_write_port(d, 0x3c0, attributes[i]);
    }
    vga_write_port(d, 0x3c0, 0x20);
    vga_write_port(d, 0x3c6, 0xff);
}

/* The 64 colours of an EGA: two bits for each of red, green and blue, the brighter one below. */
static void set_palette(struct device *d)
{
    vga_write_port(d, 0x3c8, 0);
    for (unsigned i = 0; i < 64; i++) {
        for (unsigned part = 3; part-- > 0;)
            vga_write_port(d, 0x3c9,
                           (uint8_t)((i >> part & 1) * 0x2a + (i >> (part + 3) & 1) * 0x15));
    }
}

/* The BIOS has the 8 x 16 font that it loads; the first two characters tell where. */
static const uint8_t *find_font(const struct vga *v)
{
    static const uint8_t start[2 * FONT_HEIGHT] = {[16] = 0, 0,    0x7e, 0x81, 0xa5, 0x81,
                                                   0x81,     0xbd, 0x99, 0x81, 0x81, 0x7e};

    for (size_t at = 0; at + FONT_HEIGHT * VGA_GLYPHS <= v->rom_size; at++) {
        if (!memcmp(v->rom + at, start, sizeof(start)))
            return v->rom + at;
    }
    return NULL;
}

void vga_start_text(struct device *d)
{
    struct vga *v = vga_of(d);
    const uint8_t *font = find_font(v);

    vga_write_vbe(v, VBE_ENABLE, 0);
    set_registers(d);
    set_palette(d);
    for (size_t cell = 0; cell < 0x8000 / 2; cell++) {
        v->memory[cell * 8] = BLANK;
        v->memory[cell * 8 + 1] = LIGHT_GREY;
    }
    for (unsigned i = 0; font && i < VGA_GLYPHS * FONT_HEIGHT; i++) {
        size_t at = i / FONT_HEIGHT * VGA_GLYPH_BYTES + i % FONT_HEIGHT;
        v->memory[at * 4 + VGA_FONT_PLANE] = font[i];
    }
}

bool vga_start_linear(struct device *d, unsigned width, unsigned height, unsigned bits)
{
    struct vga *v = vga_of(d);

    if (!vga_has_vbe(v) || (uint64_t)width * height * ((bits + 7) / 8) > v->memory_size)
        return false;
    vga_start_text(d);
    vga_write_vbe(v, VBE_XRES, (uint16_t)width);
    vga_write_vbe(v, VBE_YRES, (uint16_t)height);
    vga_write_vbe(v, VBE_BPP, (uint16_t)bits);
    vga_write_vbe(v, VBE_ENABLE, VBE_ENABLED | VBE_LFB);
    return v->vbe[VBE_XRES] == width && v->vbe[VBE_YRES] == height;
}
