/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PS/2 keyboard and mouse (IBM PS/2 Hardware Interface Technical Reference, keyboard and auxiliary
 * device chapters; the wheel protocol as Microsoft's IntelliMouse has it). */
#include "hw/input/ps2.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"

enum { ACK = 0xfa, RESEND = 0xfe, TEST_PASSED = 0xaa, MOUSE_FIFO_MARGIN = 16 };
enum {
    DEFAULT_RATE = 100,
    DEFAULT_RESOLUTION = 2,
    STATUS_SCALING = 1 << 4,
    STATUS_ENABLED = 1 << 5,
    STATUS_REMOTE = 1 << 6
};

static void put(struct ps2 *p, uint8_t byte)
{
    if (p->count < PS2_QUEUE_BYTES)
        p->queue[(p->head + p->count++) % PS2_QUEUE_BYTES] = byte;
}

static void put_all(struct ps2 *p, const uint8_t *bytes, unsigned count)
{
    if (p->count + count > PS2_QUEUE_BYTES)
        return;
    for (unsigned i = 0; i < count; i++)
        put(p, bytes[i]);
}

static void set_leds(struct ps2 *p, uint8_t leds)
{
    p->leds = leds & (LED_SCROLL | LED_NUM | LED_CAPS);
    if (p->input && !p->is_mouse)
        p->input->leds = p->leds;
}

/* Codes of set 3 whose keys say, without being told to, that they were released: shift, control,
 * caps lock, alternate ("Scan code set 3", make/break keys). */
static void set_default_breaks(struct ps2 *p)
{
    static const uint8_t codes[] = {0x11, 0x12, 0x14, 0x19, 0x59, 0x39, 0x58};

    memset(p->breaks, 0, sizeof(p->breaks));
    for (unsigned i = 0; i < sizeof(codes); i++)
        p->breaks[codes[i] >> 3] |= (uint8_t)(1u << (codes[i] & 7));
}

static void set_defaults(struct ps2 *p)
{
    set_default_breaks(p);
    p->rate = DEFAULT_RATE;
    p->resolution = DEFAULT_RESOLUTION;
    p->status = 0;
    p->remote = p->wrap = false;
    p->scan_set = 2;
    p->command = 0;
    p->dx = p->dy = p->dz = 0;
    p->sent_buttons = p->buttons;
}

void ps2_reset(struct ps2 *p)
{
    p->head = p->count = 0;
    p->last = 0;
    set_leds(p, 0);
    p->id = 0;
    memset(p->knock, 0, sizeof(p->knock));
    p->enabled = !p->is_mouse;
    p->buttons = 0;
    set_defaults(p);
}

void ps2_init(struct ps2 *p, bool is_mouse, void (*changed)(void *opaque), void *opaque)
{
    memset(p, 0, sizeof(*p));
    p->is_mouse = is_mouse;
    p->changed = changed;
    p->opaque = opaque;
    ps2_reset(p);
}

/* ---- keyboard -------------------------------------------------------------------------------- */

static void keyboard_argument(struct ps2 *p, uint8_t command, uint8_t byte)
{
    put(p, ACK);
    switch (command) {
    case 0xed: /* LEDs */
        set_leds(p, byte);
        break;
    case 0xf0: /* scan code set: 0 asks */
        if (byte == 0)
            put(p, p->scan_set);
        else if (byte <= 3)
            p->scan_set = byte;
        break;
    case 0xf3: /* typematic rate: repetition is the host's */
        break;
    case 0xfb ... 0xfd: /* a key of set 3; more may follow */
        if (command == 0xfc)
            p->breaks[byte >> 3] |= (uint8_t)(1u << (byte & 7));
        else
            p->breaks[byte >> 3] &= (uint8_t) ~(1u << (byte & 7));
        p->command = command;
        break;
    }
}

static void keyboard_command(struct ps2 *p, uint8_t byte)
{
    switch (byte) {
    case 0xed:
    case 0xf0:
    case 0xf3:
    case 0xfb ... 0xfd: /* keys of set 3: typematic, make and break, make only */
        p->command = byte;
        put(p, ACK);
        break;
    case 0xee: /* echo */
        put(p, 0xee);
        break;
    case 0xf2: /* read ID */
        put_all(p, (const uint8_t[]){ACK, 0xab, 0x83}, 3);
        break;
    case 0xf4:
        p->enabled = true;
        put(p, ACK);
        break;
    case 0xf5: /* default and disable */
        set_defaults(p);
        p->enabled = false;
        put(p, ACK);
        break;
    case 0xf6:
        set_defaults(p);
        put(p, ACK);
        break;
    case 0xf7 ... 0xfa: /* all keys of set 3: typematic; make and break; make; all three */
        memset(p->breaks, byte == 0xf8 || byte == 0xfa ? 0xff : 0, sizeof(p->breaks));
        put(p, ACK);
        break;
    case RESEND:
        put(p, p->last);
        break;
    case 0xff:
        ps2_reset(p);
        put_all(p, (const uint8_t[]){ACK, TEST_PASSED}, 2);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "ps2: unknown keyboard command 0x%02x\n", byte);
        put(p, RESEND);
    }
}

static void keyboard_key(void *opaque, enum key key, bool down)
{
    struct ps2 *p = opaque;
    uint8_t bytes[8];
    unsigned n = p->enabled ? ps2_key_bytes(p->input, p->scan_set, key, down, bytes) : 0;

    if (!n)
        return;
    if (p->scan_set == 3 && !down && !(p->breaks[bytes[1] >> 3] >> (bytes[1] & 7) & 1))
        return;
    put_all(p, bytes, n);
    p->changed(p->opaque);
}

/* ---- mouse -------------------------------------------------------------------------------------
 */

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* With scaling 2:1, in stream mode. */
static int scaled(const struct ps2 *p, int count)
{
    static const uint8_t small[] = {0, 1, 1, 3, 6, 9};
    int size = abs(count);

    if (!(p->status & STATUS_SCALING) || p->remote)
        return count;
    size = size < (int)sizeof(small) ? small[size] : 2 * size;
    return clamp(count < 0 ? -size : size, -255, 255);
}

static void send_movement(struct ps2 *p)
{
    int dx = clamp(p->dx, -255, 255), dy = clamp(p->dy, -255, 255), dz = clamp(p->dz, -8, 7);
    int x = scaled(p, dx), y = scaled(p, dy);
    uint8_t packet[4];

    packet[0] = (uint8_t)(8 | (p->buttons & 7) | (x < 0) << 4 | (y < 0) << 5);
    packet[1] = (uint8_t)x;
    packet[2] = (uint8_t)y;
    packet[3] = p->id == 4 ? (uint8_t)((dz & 0xf) | (p->buttons & 0x18) << 1) : (uint8_t)dz;
    put_all(p, packet, p->id ? 4 : 3);
    p->dx -= dx;
    p->dy -= dy;
    p->dz = p->id ? p->dz - dz : 0;
    p->sent_buttons = p->buttons;
}

/* In stream mode: what has happened since the last packet goes out as far as there is room. */
static void send_pending(struct ps2 *p)
{
    if (!p->is_mouse || !p->enabled || p->remote || p->wrap)
        return;
    while ((p->dx || p->dy || p->dz || p->buttons != p->sent_buttons) &&
           p->count < PS2_QUEUE_BYTES - MOUSE_FIFO_MARGIN)
        send_movement(p);
}

static void mouse_argument(struct ps2 *p, uint8_t command, uint8_t byte)
{
    put(p, ACK);
    if (command == 0xe8) {
        p->resolution = byte & 3;
        return;
    }
    p->rate = byte;
    p->knock[0] = p->knock[1];
    p->knock[1] = p->knock[2];
    p->knock[2] = byte;
    if (p->knock[0] == 200 && p->knock[1] == 100 && byte == 80)
        p->id = 3;
    if (p->knock[0] == 200 && p->knock[1] == 200 && byte == 80)
        p->id = 4;
}

static void mouse_status(struct ps2 *p)
{
    uint8_t flags = p->status | (p->enabled ? STATUS_ENABLED : 0) | (p->remote ? STATUS_REMOTE : 0);
    /* here the left button is bit 2 and the right one bit 0 */
    uint8_t buttons =
        (uint8_t)((p->buttons & 1) << 2 | (p->buttons & 2) >> 1 | (p->buttons & 4) >> 1);

    put_all(p, (const uint8_t[]){ACK, flags | buttons, p->resolution, p->rate}, 4);
}

static void mouse_command(struct ps2 *p, uint8_t byte)
{
    switch (byte) {
    case 0xe6: /* scaling 1:1 */
        p->status &= (uint8_t)~STATUS_SCALING;
        put(p, ACK);
        break;
    case 0xe7: /* scaling 2:1 */
        p->status |= STATUS_SCALING;
        put(p, ACK);
        break;
    case 0xe8: /* resolution */
    case 0xf3: /* sample rate */
        p->command = byte;
        put(p, ACK);
        break;
    case 0xe9:
        mouse_status(p);
        break;
    case 0xea: /* stream mode */
        p->remote = false;
        put(p, ACK);
        break;
    case 0xeb: /* read data */
        put(p, ACK);
        send_movement(p);
        break;
    case 0xec: /* leave wrap mode */
        p->wrap = false;
        put(p, ACK);
        break;
    case 0xee: /* wrap mode */
        p->wrap = true;
        put(p, ACK);
        break;
    case 0xf0: /* remote mode */
        p->remote = true;
        put(p, ACK);
        break;
    case 0xf2:
        put_all(p, (const uint8_t[]){ACK, p->id}, 2);
        break;
    case 0xf4:
        p->enabled = true;
        put(p, ACK);
        break;
    case 0xf5:
        p->enabled = false;
        put(p, ACK);
        break;
    case 0xf6:
        set_defaults(p);
        p->enabled = false;
        put(p, ACK);
        break;
    case RESEND:
        put(p, p->last);
        break;
    case 0xff:
        ps2_reset(p);
        put_all(p, (const uint8_t[]){ACK, TEST_PASSED, 0}, 3);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "ps2: unknown mouse command 0x%02x\n", byte);
        put(p, RESEND);
    }
}

/* On a screen y goes down and the wheel's clicks towards the user count up; a mouse's y goes up. */
static void mouse_move(void *opaque, int dx, int dy, int wheel, unsigned buttons)
{
    struct ps2 *p = opaque;

    p->dx = clamp(p->dx + clamp(dx, -32768, 32767), -32768, 32767);
    p->dy = clamp(p->dy - clamp(dy, -32768, 32767), -32768, 32767);
    p->dz = p->id ? clamp(p->dz + clamp(wheel, -128, 127), -128, 127) : 0;
    p->buttons = buttons & (p->id == 4 ? 0x1f : 7);
    if (!p->enabled) { /* what is not reported is forgotten */
        p->dx = p->dy = p->dz = 0;
        p->sent_buttons = p->buttons;
    }
    send_pending(p);
    p->changed(p->opaque);
}

/* ---- both ------------------------------------------------------------------------------------ */

bool ps2_has_data(const struct ps2 *p)
{
    return p->count > 0;
}

uint8_t ps2_read(struct ps2 *p)
{
    if (p->count) {
        p->last = p->queue[p->head];
        p->head = (p->head + 1) % PS2_QUEUE_BYTES;
        p->count--;
        if (!p->count)
            send_pending(p);
    }
    return p->last;
}

void ps2_write(struct ps2 *p, uint8_t byte)
{
    uint8_t command = p->command;

    p->command = 0;
    /* A command ends what was being sent (a reset most of all). */
    if (byte != RESEND)
        p->head = p->count = 0;
    if (command && (byte < 0xe6 || (p->is_mouse && command == 0xf3))) {
        if (p->is_mouse)
            mouse_argument(p, command, byte);
        else
            keyboard_argument(p, command, byte);
    } else if (p->wrap && byte != 0xec && byte != 0xff) {
        put(p, byte);
    } else if (p->is_mouse) {
        mouse_command(p, byte);
    } else {
        keyboard_command(p, byte);
    }
    p->changed(p->opaque);
}

/* ---- the machine's input ----------------------------------------------------------------------
 */

static const struct input_device_ops keyboard_ops = {.key = keyboard_key};
static const struct input_device_ops mouse_ops = {.move = mouse_move};

bool ps2_attach(struct ps2 *p, struct input *input)
{
    p->device = (struct input_device){
        .ops = p->is_mouse ? &mouse_ops : &keyboard_ops,
        .opaque = p,
        .name = p->is_mouse ? "PS/2 mouse" : "PS/2 keyboard",
    };
    if (!input_add(input, &p->device))
        return false;
    p->input = input;
    return true;
}

void ps2_detach(struct ps2 *p)
{
    if (p->input)
        input_remove(p->input, &p->device);
    p->input = NULL;
}
