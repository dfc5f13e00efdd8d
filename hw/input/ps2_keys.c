/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PS/2 keyboard says for a key, in each of its scan code sets (IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboards", scan code tables).
 */
#include <string.h>

#include "hw/input/ps2.h"

/* Set 3 has one byte a key. Where it is set 2's it is not listed. */
static const uint8_t set3_codes[KEY_CODES] = {
    [KEY_CODE_ESC] = 0x08,         [KEY_CODE_F1] = 0x07,        [KEY_CODE_F2] = 0x0f,
    [KEY_CODE_F3] = 0x17,          [KEY_CODE_F4] = 0x1f,        [KEY_CODE_F5] = 0x27,
    [KEY_CODE_F6] = 0x2f,          [KEY_CODE_F7] = 0x37,        [KEY_CODE_F8] = 0x3f,
    [KEY_CODE_F9] = 0x47,          [KEY_CODE_F10] = 0x4f,       [KEY_CODE_F11] = 0x56,
    [KEY_CODE_F12] = 0x5e,         [KEY_CODE_PRINT] = 0x57,     [KEY_CODE_SCROLL_LOCK] = 0x5f,
    [KEY_CODE_PAUSE] = 0x62,       [KEY_CODE_BACKSLASH] = 0x5c, [KEY_CODE_CAPS_LOCK] = 0x14,
    [KEY_CODE_LESS] = 0x13,        [KEY_CODE_CTRL] = 0x11,      [KEY_CODE_ALT] = 0x19,
    [KEY_CODE_ALT_R] = 0x39,       [KEY_CODE_CTRL_R] = 0x58,    [KEY_CODE_INSERT] = 0x67,
    [KEY_CODE_DELETE] = 0x64,      [KEY_CODE_LEFT] = 0x61,      [KEY_CODE_HOME] = 0x6e,
    [KEY_CODE_END] = 0x65,         [KEY_CODE_UP] = 0x63,        [KEY_CODE_DOWN] = 0x60,
    [KEY_CODE_PGUP] = 0x6f,        [KEY_CODE_PGDN] = 0x6d,      [KEY_CODE_RIGHT] = 0x6a,
    [KEY_CODE_NUM_LOCK] = 0x76,    [KEY_CODE_KP_DIVIDE] = 0x77, [KEY_CODE_KP_MULTIPLY] = 0x7e,
    [KEY_CODE_KP_SUBTRACT] = 0x84, [KEY_CODE_KP_ADD] = 0x7c,    [KEY_CODE_KP_ENTER] = 0x79,
    [KEY_CODE_META_L] = 0x8b,      [KEY_CODE_META_R] = 0x8c,    [KEY_CODE_COMPOSE] = 0x8d,
    [KEY_CODE_HIRAGANA] = 0x87,    [KEY_CODE_HENKAN] = 0x86,    [KEY_CODE_MUHENKAN] = 0x85,
    [KEY_CODE_YEN] = 0x5d,
};

static unsigned put_code(uint8_t *to, unsigned code, bool down)
{
    unsigned n = 0;

    if (!down)
        to[n++] = 0xf0;
    to[n++] = (uint8_t)code;
    return n;
}

static unsigned put_extended(uint8_t *to, unsigned code, bool down)
{
    to[0] = 0xe0;
    return 1 + put_code(to + 1, code, down);
}

static bool either(const struct input *input, enum key left, enum key right)
{
    return input->down[left] || input->down[right];
}

/* Keys whose codes say what is held with them: System Request is Print Screen with Alt, Break is
 * Pause with Ctrl, and a plain Print Screen comes in a shift of its own. */
static unsigned set2_bytes(const struct input *input, enum key key, bool down, uint8_t bytes[8])
{
    bool ctrl = either(input, KEY_CODE_CTRL, KEY_CODE_CTRL_R);
    bool shift = either(input, KEY_CODE_SHIFT, KEY_CODE_SHIFT_R);
    unsigned n;

    if (key == KEY_CODE_PRINT && either(input, KEY_CODE_ALT, KEY_CODE_ALT_R))
        return put_code(bytes, 0x84, down);
    if (key == KEY_CODE_PRINT && !ctrl && !shift) {
        n = put_extended(bytes, down ? 0x12 : 0x7c, down);
        return n + put_extended(bytes + n, down ? 0x7c : 0x12, down);
    }
    if (key == KEY_CODE_PAUSE && ctrl) {
        if (!down)
            return 0;
        n = put_extended(bytes, 0x7e, true);
        return n + put_extended(bytes + n, 0x7e, false);
    }
    return key_set2(key, down, bytes);
}

/* Set 1 is set 2 through the controller's table, which keys.def has worked out but for what
 * set2_bytes makes of more than one code. */
static unsigned set1_bytes(const struct input *input, enum key key, bool down, uint8_t bytes[8])
{
    static const uint16_t codes[KEY_CODES] = {
#define KEY(code, id, name, set1, set2) [code] = (set1),
#include "host/keys.def"
#undef KEY
    };
    static const uint8_t pause[6] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
    static const uint8_t ctrl_pause[4] = {0xe0, 0x46, 0xe0, 0xc6};
    static const uint8_t print[2][4] = {{0xe0, 0xb7, 0xe0, 0xaa}, {0xe0, 0x2a, 0xe0, 0x37}};
    bool ctrl = either(input, KEY_CODE_CTRL, KEY_CODE_CTRL_R);
    bool shift = either(input, KEY_CODE_SHIFT, KEY_CODE_SHIFT_R);
    uint8_t released = down ? 0 : 0x80;
    unsigned n = 0;

    if (key == KEY_CODE_PAUSE) {
        unsigned size = ctrl ? sizeof(ctrl_pause) : sizeof(pause);
        memcpy(bytes, ctrl ? ctrl_pause : pause, size);
        return down ? size : 0;
    }
    if (key == KEY_CODE_PRINT && either(input, KEY_CODE_ALT, KEY_CODE_ALT_R)) {
        bytes[0] = 0x54 | released;
        return 1;
    }
    if (key == KEY_CODE_PRINT && !ctrl && !shift) {
        memcpy(bytes, print[down], 4);
        return 4;
    }
    if (!codes[key])
        return 0;
    if (codes[key] > 0xff)
        bytes[n++] = 0xe0;
    bytes[n++] = (uint8_t)codes[key] | released;
    return n;
}

unsigned ps2_key_bytes(const struct input *input, unsigned set, enum key key, bool down,
                       uint8_t bytes[8])
{
    uint8_t set2[8];

    if (set == 1)
        return set1_bytes(input, key, down, bytes);
    if (set != 3)
        return set2_bytes(input, key, down, bytes);
    if (set3_codes[key])
        return put_code(bytes, set3_codes[key], down);
    /* Multimedia keys have no code here. */
    return key_set2(key, true, set2) == 1 ? put_code(bytes, set2[0], down) : 0;
}
