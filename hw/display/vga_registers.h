/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a VGA, shared by vga.c (registers, memory), vga_draw.c and vga_text.c (the picture).
 */
#ifndef CALQUE_HW_DISPLAY_VGA_REGISTERS_H
#define CALQUE_HW_DISPLAY_VGA_REGISTERS_H

#include "host/screen.h"
#include "hw/display/vga.h"
#include "hw/virtio/virtio_pci.h"

enum {
    VGA_SEQUENCER = 8,
    VGA_CRTC = 0x20,
    VGA_GRAPHICS = 16,
    VGA_ATTRIBUTE = 0x15,
    VBE_REGISTERS = 11,
};
enum { SR_PLANE_MASK = 2, SR_FONT = 3, SR_MEMORY_MODE = 4 };
enum {
    GR_SET_RESET,
    GR_ENABLE_SET_RESET,
    GR_COMPARE,
    GR_ROTATE,
    GR_READ_MAP,
    GR_MODE,
    GR_MISC,
    GR_DONT_CARE,
    GR_BIT_MASK,
};
enum {
    CR_TOTAL = 0x00,
    CR_END_DISPLAY = 0x01,
    CR_V_TOTAL = 0x06,
    CR_OVERFLOW = 0x07,
    CR_PRESET_ROW = 0x08,
    CR_MAX_SCAN = 0x09,
    CR_CURSOR_START = 0x0a,
    CR_CURSOR_END = 0x0b,
    CR_START_HIGH = 0x0c,
    CR_START_LOW = 0x0d,
    CR_CURSOR_HIGH = 0x0e,
    CR_CURSOR_LOW = 0x0f,
    CR_V_SYNC_END = 0x11,
    CR_V_END = 0x12,
    CR_OFFSET = 0x13,
    CR_UNDERLINE = 0x14,
    CR_MODE = 0x17,
    CR_LINE_COMPARE = 0x18,
};
enum { AR_MODE = 0x10, AR_PLANES = 0x12, AR_PAN = 0x13, AR_COLOUR = 0x14 };
enum vbe_register {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_MEMORY, /* in 64 KiB */
};
enum { VBE_ENABLED = 1, VBE_GETCAPS = 2, VBE_8BIT_DAC = 0x20, VBE_LFB = 0x40, VBE_NOCLEAR = 0x80 };

/* A mode whose pixels lie one behind the other: the Bochs extensions', other adapters' own. */
struct vga_linear {
    unsigned width, height;
    unsigned bits;   /* 4 (planes), 8, 15, 16, 24, 32 */
    uint64_t start;  /* in bytes; of a plane for 4 bits */
    uint64_t stride; /* likewise */
};

/* All that the picture depends on besides memory and what moves over it: when this differs,
 * everything is drawn. */
struct vga_look {
    uint8_t sr[VGA_SEQUENCER], cr[VGA_CRTC], gr[VGA_GRAPHICS], ar[VGA_ATTRIBUTE];
    uint8_t palette[768];
    uint8_t pel_mask;
    bool screen_on, big_endian, wide_dac;
    bool is_linear;
    unsigned width, height, bits;
};

/* Fonts lie in plane 2, 32 bytes for each character, of which a row of pixels is one. */
enum { VGA_FONT_PLANE = 2, VGA_GLYPH_BYTES = 32, VGA_GLYPHS = 256 };

/* What the screen shows now. */
struct vga_shown {
    struct screen *screen;
    struct vga_look look;
    uint32_t colours[256];   /* of the DAC */
    uint32_t attributes[16]; /* through the attribute controller */
    /* The bytes of memory that each row of a graphics mode was drawn from. */
    uint8_t *rows;
    size_t row_bytes, rows_bytes;
    uint32_t *cells; /* of text: code, attribute, cursor; VGA_MAX_CELLS */
    uint8_t fonts[2][VGA_GLYPHS * VGA_GLYPH_BYTES];
};
enum { VGA_MAX_WIDTH = 2560, VGA_MAX_HEIGHT = 1600, VGA_MAX_CELLS = 2560 / 8 * 1600 };

struct vga {
    uint8_t sr_index, sr[VGA_SEQUENCER];
    uint8_t cr_index, cr[VGA_CRTC];
    uint8_t gr_index, gr[VGA_GRAPHICS];
    uint8_t ar_index, ar[VGA_ATTRIBUTE]; /* index bit 5: the screen is on */
    bool ar_data;                        /* the next write to 0x3c0 is data */
    uint8_t misc, feature, pel_mask;
    uint8_t dac_read, dac_write, dac_part, dac_state;
    uint8_t palette[768];
    uint8_t latch[4];
    uint16_t vbe_index, vbe[VBE_REGISTERS];
    bool big_endian;
    uint8_t *memory;
    uint64_t memory_size; /* a power of two */
    const uint8_t *rom;   /* its BIOS; NULL: there is none */
    size_t rom_size;
    /* The linear mode that is on, if one is. */
    bool (*linear)(const struct vga *v, struct vga_linear *mode);
    struct vga_shown shown;
};

/* A VGA that is also a virtio-gpu: virtio_vga.c. */
struct virtio_vga {
    struct virtio_pci pci;
    struct vga vga;
    bool driven; /* the virtio-gpu's picture shows */
};

static inline struct vga *vga_of(const struct device *d)
{
    return d->class->virtio ? &((struct virtio_vga *)d->state)->vga : (struct vga *)d->state;
}

/* Regions and fields that every kind begins its lists with. */
enum { VGA_REGION_MEMORY, VGA_REGION_ROM, VGA_REGION_WINDOW, VGA_REGION_PORTS, VGA_REGION_VBE };
enum {
    VGA_MEMORY_SIZE = 16 << 20,
    VGA_ROM_SIZE = 0x10000,
    VGA_WINDOW_SIZE = 0x20000,
    VGA_PORTS = 0x3b0,
    VGA_N_PORTS = 0x30
};

uint64_t vga_window_read(struct device *d, uint64_t offset, unsigned size);
void vga_window_write(struct device *d, uint64_t offset, uint64_t value, unsigned size);
uint64_t vga_ports_read(struct device *d, uint64_t offset, unsigned size);
void vga_ports_write(struct device *d, uint64_t offset, uint64_t value, unsigned size);
uint64_t vga_vbe_port_read(struct device *d, uint64_t offset, unsigned size);
void vga_vbe_port_write(struct device *d, uint64_t offset, uint64_t value, unsigned size);

#define VGA_REGIONS                                                                                \
    {"vga.vram",           VGA_MEMORY_SIZE,      .ram = true,                                      \
     .bar = DEVICE_BAR(0), .bar_prefetch = true, .size_prop = "vgamem"},                           \
        {"vga.rom", VGA_ROM_SIZE, .rom = true, .bar = DEVICE_BAR_ROM},                             \
        {"vga-lowmem", VGA_WINDOW_SIZE, 1, 8, vga_window_read, vga_window_write, .moves = true},   \
        {"vga", VGA_N_PORTS, 1, 4, vga_ports_read, vga_ports_write, .port = true, .moves = true},  \
    {                                                                                              \
        "vbe", 4, 1, 2, vga_vbe_port_read, vga_vbe_port_write, .port = true, .moves = true,        \
                                                               .unaligned = true                   \
    }

#define VGA_FIELDS(struct_type, prefix)                                                            \
    DEVICE_FIELD(struct_type, prefix sr_index, DEVICE_U8, 0),                                      \
        DEVICE_ARRAY(struct_type, prefix sr, DEVICE_U8, VGA_SEQUENCER, 0),                         \
        DEVICE_FIELD(struct_type, prefix cr_index, DEVICE_U8, 0),                                  \
        DEVICE_ARRAY(struct_type, prefix cr, DEVICE_U8, VGA_CRTC, 0),                              \
        DEVICE_FIELD(struct_type, prefix gr_index, DEVICE_U8, 0),                                  \
        DEVICE_ARRAY(struct_type, prefix gr, DEVICE_U8, VGA_GRAPHICS, 0),                          \
        DEVICE_FIELD(struct_type, prefix ar_index, DEVICE_U8, 0),                                  \
        DEVICE_ARRAY(struct_type, prefix ar, DEVICE_U8, VGA_ATTRIBUTE, 0),                         \
        DEVICE_FIELD(struct_type, prefix ar_data, DEVICE_BOOL, 0),                                 \
        DEVICE_FIELD(struct_type, prefix misc, DEVICE_U8, 0),                                      \
        DEVICE_FIELD(struct_type, prefix feature, DEVICE_U8, 0),                                   \
        DEVICE_FIELD(struct_type, prefix pel_mask, DEVICE_U8, 0xff),                               \
        DEVICE_FIELD(struct_type, prefix dac_read, DEVICE_U8, 0),                                  \
        DEVICE_FIELD(struct_type, prefix dac_write, DEVICE_U8, 0),                                 \
        DEVICE_FIELD(struct_type, prefix dac_part, DEVICE_U8, 0),                                  \
        DEVICE_FIELD(struct_type, prefix dac_state, DEVICE_U8, 0),                                 \
        DEVICE_ARRAY(struct_type, prefix palette, DEVICE_U8, 768, 0),                              \
        DEVICE_ARRAY(struct_type, prefix latch, DEVICE_U8, 4, 0),                                  \
        DEVICE_FIELD(struct_type, prefix vbe_index, DEVICE_U16, 0),                                \
        DEVICE_FIELD(struct_type, prefix vbe[VBE_ID], DEVICE_U16, 0xb0c5),                         \
        DEVICE_FIELD(struct_type, prefix vbe[VBE_XRES], DEVICE_U16, 0),                            \
        DEVICE_FIELD(struct_type, prefix vbe[VBE_YRES], DEVICE_U16, 0),                            \
        DEVICE_FIELD(struct_type, prefix vbe[VBE_BPP], DEVICE_U16, 8),                             \
        DEVICE_ARRAY(struct_type, prefix vbe[VBE_ENABLE], DEVICE_U16, VBE_REGISTERS - VBE_ENABLE,  \
                     0),                                                                           \
        DEVICE_FIELD(struct_type, prefix big_endian, DEVICE_BOOL, 0)

/* What vga_init_with reads. */
#define VGA_ROM_PROP                                                                               \
    {                                                                                              \
        "romfile", DEVICE_PROP_TEXT, .most = 255                                                   \
    }

/* vga.c */
/* The rest of init: `rom` is its BIOS's usual file. Creates the screen, last. */
bool vga_init_with(struct device *d, const char *rom, struct error *err);
bool vga_has_vbe(const struct vga *v); /* the Bochs extensions */
/* After the command register changed: shows or hides the legacy addresses. */
void vga_decode_update(struct device *d);
void vga_write_port(struct device *d, unsigned port, uint8_t value);
void vga_write_vbe(struct vga *v, enum vbe_register index, uint16_t value);
/* vga_draw.c */
void vga_refresh(void *opaque, struct screen *screen); /* a screen_source's, of a device */
uint32_t vga_attribute(const struct vga *v, unsigned value);
unsigned vga_start_address(const struct vga *v);
unsigned vga_line_compare(const struct vga *v);
unsigned vga_lines_shown(const struct vga *v); /* scan lines */
/* Six bits each of red, green and blue. */
static inline uint32_t vga_dac_pixel(const uint8_t rgb[3])
{
    return (uint32_t)(rgb[0] << 2 | rgb[0] >> 4) << 16 |
           (uint32_t)(rgb[1] << 2 | rgb[1] >> 4) << 8 | (uint32_t)(rgb[2] << 2 | rgb[2] >> 4);
}
static inline uint8_t vga_plane_byte(const struct vga *v, uint32_t at, unsigned plane)
{
    return v->memory[((uint64_t)at * 4 + plane) & (v->memory_size - 1)];
}
/* vga_text.c */
unsigned vga_character_width(const struct vga *v);
unsigned vga_character_height(const struct vga *v);
void vga_text_draw(struct device *d, const struct vga_size *size, struct screen *screen);
void vga_text_print(const struct vga *v, const struct vga_size *size, FILE *out);

#endif
