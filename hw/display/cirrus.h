/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a CL-GD5446: cirrus.c has its registers, cirrus_blt.c the BitBLT engine. */
#ifndef CALQUE_HW_DISPLAY_CIRRUS_H
#define CALQUE_HW_DISPLAY_CIRRUS_H

#include "hw/display/vga_registers.h"

enum { CIRRUS_SR = 0x20, CIRRUS_GR = 0x40, CIRRUS_CR = 0x40, CIRRUS_ROW_BYTES = 0x2000 + 8 };
/* Graphics controller registers of the engine. */
enum {
    GR_BACK_0 = 0x00,
    GR_FORE_0 = 0x01,
    GR_BANK_0 = 0x09,
    GR_BANK_1 = 0x0a,
    GR_EXTENSIONS = 0x0b,
    GR_BACK_1 = 0x10,
    GR_FORE_1 = 0x11,
    GR_BACK_2 = 0x12,
    GR_FORE_2 = 0x13,
    GR_BACK_3 = 0x14,
    GR_FORE_3 = 0x15,
    GR_BLT_WIDTH = 0x20,
    GR_BLT_HEIGHT = 0x22,
    GR_BLT_DEST_PITCH = 0x24,
    GR_BLT_SOURCE_PITCH = 0x26,
    GR_BLT_DEST = 0x28,
    GR_BLT_SOURCE = 0x2c,
    GR_BLT_SKIP = 0x2f,
    GR_BLT_MODE = 0x30,
    GR_BLT_STATUS = 0x31,
    GR_BLT_ROP = 0x32,
    GR_BLT_EXTENSIONS = 0x33,
    GR_BLT_KEY = 0x34,
    GR_BLT_KEY_MASK = 0x38,
};
enum {
    BLT_BACKWARDS = 1 << 0,
    BLT_TO_SYSTEM = 1 << 1,
    BLT_FROM_SYSTEM = 1 << 2,
    BLT_TRANSPARENT = 1 << 3,
    BLT_PIXEL = 4, /* bits 5:4: bytes a pixel, less one */
    BLT_PATTERN = 1 << 6,
    BLT_EXPAND = 1 << 7,
    STATUS_BUSY = 1 << 0,
    STATUS_START = 1 << 1,
    STATUS_RESET = 1 << 2,
    STATUS_PROGRESS = 1 << 3,
    STATUS_AUTOSTART = 1 << 7,
    EXT_DWORDS = 1 << 0,
    EXT_INVERT = 1 << 1,
    EXT_SOLID = 1 << 2,
};

/* A transfer, with its registers as they were at the start. */
struct cirrus_blt {
    uint32_t width, height; /* bytes, rows */
    uint32_t dest_pitch, source_pitch, dest, source;
    uint32_t fore, back, key;
    uint8_t mode, rop, extensions, skip;
    uint32_t row;       /* the next one to be drawn */
    uint32_t row_bytes; /* of the source, where the processor sends it */
    uint32_t received;  /* of that row */
};

struct cirrus {
    struct vga vga; /* first: vga_of */
    uint8_t sr_index, sr[CIRRUS_SR], gr_index, gr[CIRRUS_GR], cr_index, cr[CIRRUS_CR];
    uint8_t hidden_dac, hidden_reads;
    uint8_t hidden_palette[48];
    uint32_t cursor_x, cursor_y;
    bool receiving; /* the processor sends the source */
    struct cirrus_blt blt;
    uint8_t incoming[CIRRUS_ROW_BYTES];
};

/* Addresses go round in video memory. */
static inline uint8_t *cirrus_byte(struct cirrus *c, uint32_t address)
{
    return &c->vga.memory[address & (c->vga.memory_size - 1)];
}
/* GR31 was written. */
void cirrus_blt_control(struct device *d, uint8_t value);
void cirrus_blt_receive(struct device *d, uint8_t byte);
/* cirrus.c: shows video memory to the processor directly as far as nothing has to look at it. */
void cirrus_update_aperture(struct device *d);

#endif
