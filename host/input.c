/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device gets a key or a movement, and what keys are called. */
#include "host/input.h"

#include <stdlib.h>
#include <string.h>

bool input_add(struct input *input, struct input_device *device)
{
    if (input->n_devices == INPUT_DEVICES)
        return false;
    memmove(&input->devices[1], &input->devices[0], input->n_devices * sizeof(device));
    input->devices[0] = device;
    input->n_devices++;
    if (!device->number)
        device->number = ++input->n_added;
    return true;
}

void input_remove(struct input *input, struct input_device *device)
{
    for (unsigned i = 0; i < input->n_devices; i++) {
        if (input->devices[i] != device)
            continue;
        input->n_devices--;
        memmove(&input->devices[i], &input->devices[i + 1],
                (input->n_devices - i) * sizeof(device));
        return;
    }
}

void input_activate(struct input *input, struct input_device *device)
{
    unsigned before = input->n_devices;

    input_remove(input, device);
    if (input->n_devices < before)
        input_add(input, device);
}

/* ---- events -----------------------------------------------------------------------------------
 */

void input_key(struct input *input, enum key key, bool down)
{
    if (key <= KEY_NONE || key >= KEY_CODES)
        return;
    input->down[key] = down;
    for (unsigned i = 0; i < input->n_devices; i++) {
        struct input_device *device = input->devices[i];
        if (!device->ops->key)
            continue;
        device->ops->key(device->opaque, key, down);
        return;
    }
}

static struct input_device *absolute_pointer(const struct input *input)
{
    for (unsigned i = 0; i < input->n_devices; i++) {
        if (input->devices[i]->ops->place)
            return input->devices[i];
    }
    return NULL;
}

bool input_is_absolute(const struct input *input)
{
    return absolute_pointer(input) != NULL;
}

void input_move(struct input *input, int dx, int dy, int wheel, unsigned buttons)
{
    input->buttons = buttons;
    for (unsigned i = 0; i < input->n_devices; i++) {
        struct input_device *device = input->devices[i];
        if (!device->ops->move)
            continue;
        device->ops->move(device->opaque, dx, dy, wheel, buttons);
        return;
    }
}

void input_place(struct input *input, unsigned x, unsigned y, int wheel, unsigned buttons)
{
    struct input_device *device = absolute_pointer(input);

    input->buttons = buttons;
    input->x = MIN(x, (unsigned)INPUT_ABSOLUTE_MAX);
    input->y = MIN(y, (unsigned)INPUT_ABSOLUTE_MAX);
    if (device)
        device->ops->place(device->opaque, input->x, input->y, wheel, buttons);
}

void input_buttons(struct input *input, unsigned buttons)
{
    if (input_is_absolute(input))
        input_place(input, input->x, input->y, 0, buttons);
    else
        input_move(input, 0, 0, 0, buttons);
}

void input_release_all(struct input *input)
{
    for (int key = 0; key < KEY_CODES; key++) {
        if (input->down[key])
            input_key(input, (enum key)key, false);
    }
    if (input->buttons)
        input_buttons(input, 0);
}

const struct input_device *input_pointer(const struct input *input)
{
    const struct input_device *device = absolute_pointer(input);

    for (unsigned i = 0; i < input->n_devices && !device; i++) {
        if (input->devices[i]->ops->move)
            device = input->devices[i];
    }
    return device;
}

/* ---- names and codes --------------------------------------------------------------------------
 */

static const struct key_row {
    enum key key;
    const char *name;
    uint16_t set1, set2;
} key_rows[] = {
#define KEY(code, id, name, set1, set2) {KEY_CODE_##id, name, set1, set2},
#include "host/keys.def"
#undef KEY
};

/* Other names that QEMU takes, and those of people's fingers. */
static const struct {
    const char *name, *meaning;
} aliases[] = {
    {"altgr", "alt_r"},
    {"altgr_r", "alt_r"},
    {"menu", "compose"},
    {"asterisk", "kp_multiply"},
    {"enter", "ret"},
    {"return", "ret"},
    {"sysrq", "print"},
    {"escape", "esc"},
    {"page_up", "pgup"},
    {"space", "spc"},
    {"page_down", "pgdn"},
    {"del", "delete"},
    {"kp_plus", "kp_add"},
    {"win", "meta_l"},
    {"kp_minus", "kp_subtract"},
};

enum key key_by_name(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (!strcmp(aliases[i].name, name))
            name = aliases[i].meaning;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(key_rows); i++) {
        if (!strcmp(key_rows[i].name, name))
            return key_rows[i].key;
    }
    if (name[0] == '0' && name[1] == 'x')
        return key_by_set1(strtoul(name, NULL, 16));
    return KEY_NONE;
}

enum key key_by_set1(unsigned long code)
{
    if (code >= 0x80 && code < 0x100)
        code = 0xe000 | (code & 0x7f);
    for (unsigned i = 0; i < ARRAY_SIZE(key_rows); i++) {
        if (code && key_rows[i].set1 == code)
            return key_rows[i].key;
    }
    return KEY_NONE;
}

static const struct key_row *row_of(enum key key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(key_rows); i++) {
        if (key_rows[i].key == key)
            return &key_rows[i];
    }
    return NULL;
}

const char *key_name(enum key key)
{
    const struct key_row *row = row_of(key);

    return row ? row->name : NULL;
}

/* Pause sends both its codes at once and nothing when released. */
static const uint8_t pause_bytes[8] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};

unsigned key_set2(enum key key, bool down, uint8_t bytes[8])
{
    const struct key_row *row = row_of(key);
    unsigned n = 0;

    if (!row)
        return 0;
    if (key == KEY_CODE_PAUSE) {
        if (!down)
            return 0;
        memcpy(bytes, pause_bytes, sizeof(pause_bytes));
        return sizeof(pause_bytes);
    }
    if (row->set2 > 0xff)
        bytes[n++] = 0xe0;
    if (!down)
        bytes[n++] = 0xf0;
    bytes[n++] = (uint8_t)row->set2;
    return n;
}
