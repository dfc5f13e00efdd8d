/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of a PL110 or PL111: pl11x.c has its registers, pl11x_draw.c the picture. */
#ifndef CALQUE_HW_DISPLAY_PL11X_REGISTERS_H
#define CALQUE_HW_DISPLAY_PL11X_REGISTERS_H

#include "hw/device.h"
#include "hw/display/framebuffer.h"

enum { PL11X_TIMINGS = 4, PL11X_PALETTE = 128, PL11X_CURSOR_IMAGE = 256 };
enum {
    CONTROL_ENABLE = 1 << 0,
    CONTROL_BPP = 1, /* bits 3:1, see enum pl11x_format */
    CONTROL_MONO = 1 << 4,
    CONTROL_TFT = 1 << 5,
    CONTROL_DUAL = 1 << 7,
    CONTROL_BGR = 1 << 8,
    CONTROL_BIG_BYTES = 1 << 9,
    CONTROL_BIG_PIXELS = 1 << 10,
    CONTROL_POWER = 1 << 11,
};
enum pl11x_format { BPP_1, BPP_2, BPP_4, BPP_8, BPP_5551, BPP_24, BPP_565, BPP_444 };
enum { CURSOR_ON = 1, CURSOR_NUMBER = 4, CURSOR_LARGE = 1 };

/* What the picture depends on, besides the frame. */
struct pl11x_look {
    uint32_t control, timing[PL11X_TIMINGS], palette[PL11X_PALETTE];
    /* ClcdCrsrCtrl, Config, Palette0, Palette1, XY, Clip */
    uint32_t cursor[6], cursor_image[PL11X_CURSOR_IMAGE];
};

struct pl11x {
    bool is_pl111;
    struct timer frame;
    struct pl11x_look look;
    uint32_t upper_base, lower_base, upper_current, lower_current;
    uint32_t mask, raw, cursor_mask, cursor_raw;
    struct screen *screen; /* NULL: the board shows it elsewhere */
    struct framebuffer framebuffer;
    struct pl11x_look shown;
    uint32_t colours[256];
};

extern const struct screen_source pl11x_source;

#endif
