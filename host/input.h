/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointers on their way from who has them (a window, VNC, `sendkey`) to the devices that
 * hand them to the guest (PS/2, virtio-input).
 *
 * Of several keyboards the one that was added or switched on last gets the keys; of several
 * pointers likewise, but an absolute one (a tablet) goes before relative ones, and a source of
 * positions asks input_is_absolute which the guest has. Keys and buttons that are down are
 * remembered, so that input_release_all leaves nothing hanging when a window loses the focus.
 *
 * Ownership: devices are their owners', who remove them. Threading: device lock held.
 */
#ifndef CALQUE_HOST_INPUT_H
#define CALQUE_HOST_INPUT_H

#include "util/compiler.h"

/* Key codes are Linux's (input-event-codes.h): host/keys.def lists them with QEMU's names and PS/2
 * codes. */
enum key {
    KEY_NONE,
#define KEY(code, id, ...) KEY_CODE_##id = (code),
#include "host/keys.def"
#undef KEY
    KEY_CODES = 256,
};
enum pointer_button {
    BUTTON_LEFT = 1,
    BUTTON_RIGHT = 2,
    BUTTON_MIDDLE = 4,
    BUTTON_SIDE = 8,
    BUTTON_EXTRA = 16
};
enum { INPUT_ABSOLUTE_MAX = 32767, INPUT_DEVICES = 16 };
enum { LED_SCROLL = 1, LED_NUM = 2, LED_CAPS = 4 };

struct input_device_ops {
    /* One of the two groups, or both. */
    void (*key)(void *opaque, enum key key, bool down);
    void (*move)(void *opaque, int dx, int dy, int wheel, unsigned buttons);
    void (*place)(void *opaque, unsigned x, unsigned y, int wheel, unsigned buttons);
};
struct input_device {
    const struct input_device_ops *ops;
    void *opaque;
    const char *name; /* for info mice */
    unsigned number;  /* for info mice and mouse_set, from 1; input_add gives it once */
};

/* Zeroed: nothing attached. */
struct input {
    struct input_device *devices[INPUT_DEVICES]; /* the last one first asked */
    unsigned n_devices;
    unsigned n_added;       /* the highest number given */
    unsigned buttons, x, y; /* as last told; x and y of a position */
    unsigned leds;          /* as the guest's keyboard driver set them */
    bool down[KEY_CODES];
};

/* False: too many. */
bool input_add(struct input *input, struct input_device *device);
void input_remove(struct input *input, struct input_device *device);
void input_activate(struct input *input, struct input_device *device); /* asked first from now on */

void input_key(struct input *input, enum key key, bool down);
/* Relative movement; for a guest with an absolute pointer only buttons and wheel count. wheel:
 * clicks towards the user. */
void input_move(struct input *input, int dx, int dy, int wheel, unsigned buttons);
/* Position, 0 to INPUT_ABSOLUTE_MAX across the screen; ignored if the guest's pointer is not
 * absolute. */
void input_place(struct input *input, unsigned x, unsigned y, int wheel, unsigned buttons);
bool input_is_absolute(const struct input *input);
/* Buttons alone, where the pointer is. */
void input_buttons(struct input *input, unsigned buttons);
void input_release_all(struct input *input); /* keys and buttons */
/* The device that gets movements; NULL: there is none. */
const struct input_device *input_pointer(const struct input *input);

/* "a", "ret", "ctrl_r", "0x1c": QEMU's name, an alias of it, or a set 1 code; KEY_NONE: unknown. */
enum key key_by_name(const char *name);
/* A set 1 code, an extended one as 0xe0NN or, as QEMU and VNC write it, with bit 7. */
enum key key_by_set1(unsigned long code);
const char *key_name(enum key key); /* NULL: none */
/* The bytes of PS/2 set 2 (as on the wire) for it; returns their number, at most 8. */
unsigned key_set2(enum key key, bool down, uint8_t bytes[8]);

#endif
