/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 keyboard or mouse as its controller sees it: bytes go in (commands), bytes come out
 * (answers, scan codes, movement). The controller (PL050, 8042) owns it.
 *
 * Keys come as struct input_device (host/input.h) and go out in the scan code set that the guest
 * chose; ps2_keys.c has the codes.
 *
 * Threading: device lock held. The output queue is bounded; what does not fit is dropped whole, as
 * a real device's 16-byte buffer does.
 */
#ifndef CALQUE_HW_INPUT_PS2_H
#define CALQUE_HW_INPUT_PS2_H

#include "host/input.h"

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
    uint8_t breaks[32]; /* keyboard, set 3: a bit for each code that is also sent on release */
    uint8_t rate, resolution, status; /* mouse; status: scaling and mode bits */
    bool remote, wrap;
    uint8_t id, knock[3]; /* mouse: 0, 3 (wheel), 4 (five buttons), unlocked by sample rates */
    int32_t dx, dy, dz;
    uint8_t buttons, sent_buttons;
    struct input *input; /* NULL: not attached */
    struct input_device device;
};

/* The rows of a controller's state list for its device `which`. */
#define PS2_FIELDS(struct_type, which)                                                             \
    DEVICE_ARRAY(struct_type, which.queue, DEVICE_U8, PS2_QUEUE_BYTES, 0),                         \
        DEVICE_FIELD(struct_type, which.head, DEVICE_U32, 0),                                      \
        DEVICE_FIELD(struct_type, which.count, DEVICE_U32, 0),                                     \
        DEVICE_FIELD(struct_type, which.last, DEVICE_U8, 0),                                       \
        DEVICE_FIELD(struct_type, which.command, DEVICE_U8, 0),                                    \
        DEVICE_FIELD(struct_type, which.enabled, DEVICE_BOOL, 0),                                  \
        DEVICE_FIELD(struct_type, which.leds, DEVICE_U8, 0),                                       \
        DEVICE_FIELD(struct_type, which.scan_set, DEVICE_U8, 0),                                   \
        DEVICE_ARRAY(struct_type, which.breaks, DEVICE_U8, 32, 0),                                 \
        DEVICE_FIELD(struct_type, which.rate, DEVICE_U8, 0),                                       \
        DEVICE_FIELD(struct_type, which.resolution, DEVICE_U8, 0),                                 \
        DEVICE_FIELD(struct_type, which.status, DEVICE_U8, 0),                                     \
        DEVICE_FIELD(struct_type, which.remote, DEVICE_BOOL, 0),                                   \
        DEVICE_FIELD(struct_type, which.wrap, DEVICE_BOOL, 0),                                     \
        DEVICE_FIELD(struct_type, which.id, DEVICE_U8, 0),                                         \
        DEVICE_ARRAY(struct_type, which.knock, DEVICE_U8, 3, 0),                                   \
        DEVICE_FIELD(struct_type, which.dx, DEVICE_U32, 0),                                        \
        DEVICE_FIELD(struct_type, which.dy, DEVICE_U32, 0),                                        \
        DEVICE_FIELD(struct_type, which.dz, DEVICE_U32, 0),                                        \
        DEVICE_FIELD(struct_type, which.buttons, DEVICE_U8, 0),                                    \
        DEVICE_FIELD(struct_type, which.sent_buttons, DEVICE_U8, 0)

void ps2_init(struct ps2 *p, bool is_mouse, void (*changed)(void *opaque), void *opaque);
void ps2_reset(struct ps2 *p);
/* The bytes for a key in scan code set 1, 2 or 3, at most 8; break codes of set 3 are all there. */
unsigned ps2_key_bytes(const struct input *input, unsigned set, enum key key, bool down,
                       uint8_t bytes[8]);
void ps2_write(struct ps2 *p, uint8_t byte); /* from the host controller */
bool ps2_has_data(const struct ps2 *p);
uint8_t ps2_read(struct ps2 *p); /* the next byte; the last one again if there is none */
/* Keys or movements of the machine come from here on; after ps2_init, at the end of a device's
 * init; and no longer. False: there are too many. */
bool ps2_attach(struct ps2 *p, struct input *input);
void ps2_detach(struct ps2 *p);

#endif
