/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 keyboard or mouse as its controller sees it: bytes go in (commands), bytes come out
 * (answers, scan codes, movement). The controller (PL050, 8042) owns it.
 *
 * Threading: device lock held. The output queue is bounded; what does not fit is dropped whole, as
 * a real device's 16-byte buffer does.
 */
#ifndef CALQUE_HW_INPUT_PS2_H
#define CALQUE_HW_INPUT_PS2_H

#include "util/compiler.h"

enum { PS2_QUEUE_BYTES = 256 };

struct ps2 {
    bool is_mouse;
    void (*changed)(void *opaque); /* there may be a byte to read now */
    void *opaque;
    uint8_t queue[PS2_QUEUE_BYTES];
    uint32_t head, count;
    uint8_t last;    /* for RESEND */
    uint8_t command; /* whose argument byte is awaited, 0 none */
    bool enabled;    /* scanning or data reporting */
    uint8_t leds, scan_set;
    uint8_t rate, resolution, status; /* mouse; status: scaling and mode bits */
    bool remote, wrap;
    uint8_t id, knock[3]; /* mouse: 0, 3 (wheel), 4 (five buttons), unlocked by sample rates */
    int32_t dx, dy, dz;
    uint8_t buttons;
};

void ps2_init(struct ps2 *p, bool is_mouse, void (*changed)(void *opaque), void *opaque);
void ps2_reset(struct ps2 *p);
void ps2_write(struct ps2 *p, uint8_t byte); /* from the host controller */
bool ps2_has_data(const struct ps2 *p);
uint8_t ps2_read(struct ps2 *p); /* the next byte; the last one again if there is none */
/* From the host's input: one scan code (set 2 bytes as they go over the wire), or movement. */
void ps2_keyboard_bytes(struct ps2 *p, const uint8_t *bytes, unsigned count);
void ps2_mouse_event(struct ps2 *p, int dx, int dy, int dz, unsigned buttons);

#endif
