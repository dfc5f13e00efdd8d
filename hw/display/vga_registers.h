/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a VGA, shared by vga.c (registers, memory) and vga_draw.c (the picture). */
#ifndef CALQUE_HW_DISPLAY_VGA_REGISTERS_H
#define CALQUE_HW_DISPLAY_VGA_REGISTERS_H

#include "hw/device.h"

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
};

#endif
