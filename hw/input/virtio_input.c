/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard, mouse and tablet of VIRTIO 1.2, section 5.8: Linux's input events over a queue, and
 * what the device can do through selectors in the configuration space. It gets keys and movements
 * while a driver is ready. Events for which the driver has no buffers wait, up to a bound; then
 * whole reports are lost.
 */
#include <string.h>

#include "hw/machine.h"
#include "hw/virtio/virtio_device.h"

enum { QUEUE_EVENTS, QUEUE_STATUS, N_QUEUES, QUEUE_SIZE = 64 };
enum { CONFIG_SELECT, CONFIG_SUBSELECT, CONFIG_SIZE, CONFIG_DATA = 8, CONFIG_DATA_BYTES = 128 };
enum {
    SELECT_NAME = 1,
    SELECT_SERIAL = 2,
    SELECT_IDS = 3,
    SELECT_PROPERTIES = 0x10,
    SELECT_EVENTS = 0x11,
    SELECT_AXIS = 0x12,
};
/* Linux, input-event-codes.h. */
enum { EV_SYN = 0, EV_KEY = 1, EV_REL = 2, EV_ABS = 3, EV_LED = 0x11, EV_REP = 0x14 };
enum { BTN_LEFT = 0x110, N_BUTTONS = 5, REL_X = 0, REL_Y = 1, REL_WHEEL = 8, ABS_X = 0, ABS_Y = 1 };
enum { LED_CODE_NUM, LED_CODE_CAPS, LED_CODE_SCROLL, N_LEDS };
enum { BUS_VIRTUAL = 6, VENDOR = 0x0627, EVENT_BYTES = 8, WAITING = 512, REPORT_MAX = 16 };

struct event {
    uint16_t type, code;
    uint32_t value;
};

enum kind { KEYBOARD, MOUSE, TABLET };

struct virtio_input {
    uint8_t select, subselect;
    uint32_t leds, buttons;
    uint8_t down[KEY_CODES / 8];
    /* Reports that wait for buffers, and the one that is being made. */
    struct event waiting[WAITING], report[REPORT_MAX];
    unsigned first, count, in_report;
    bool attached;
    struct input_device device;
};

static const struct device_field fields[] = {
    DEVICE_FIELD(struct virtio_input, select, DEVICE_U8, 0),
    DEVICE_FIELD(struct virtio_input, subselect, DEVICE_U8, 0),
    DEVICE_FIELD(struct virtio_input, leds, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_input, buttons, DEVICE_U32, 0),
    DEVICE_ARRAY(struct virtio_input, down, DEVICE_U8, KEY_CODES / 8, 0),
};

static enum kind kind_of(const struct virtio_device *v);

/* ---- events -----------------------------------------------------------------------------------
 */

/* As many of those that wait as the driver has buffers for. */
static void send_waiting(struct virtio_device *v)
{
    struct virtio_input *s = v->state;
    struct virtio_request request;
    uint8_t raw[EVENT_BYTES];

    while (s->count && virtqueue_pop(v, QUEUE_EVENTS, &request)) {
        const struct event *event = &s->waiting[s->first];
        virtio_put16(v, raw, event->type);
        virtio_put16(v, raw + 2, event->code);
        virtio_put32(v, raw + 4, event->value);
        size_t written = virtio_request_write(v, &request, 0, raw, sizeof(raw));
        virtqueue_push(v, QUEUE_EVENTS, &request, (uint32_t)written);
        s->first = (s->first + 1) % WAITING;
        s->count--;
    }
}

static void add(struct virtio_input *s, uint16_t type, uint16_t code, int value)
{
    if (s->in_report < REPORT_MAX - 1)
        s->report[s->in_report++] = (struct event){type, code, (uint32_t)value};
}

/* Ends the report, if anything is in it. */
static void finish_report(struct virtio_device *v)
{
    struct virtio_input *s = v->state;
    unsigned n = s->in_report;

    s->in_report = 0;
    if (!n)
        return;
    s->report[n++] = (struct event){EV_SYN, 0, 0};
    if (s->count + n > WAITING)
        return;
    for (unsigned i = 0; i < n; i++)
        s->waiting[(s->first + s->count++) % WAITING] = s->report[i];
    send_waiting(v);
}

static void key_event(void *opaque, enum key key, bool down)
{
    struct virtio_device *v = opaque;
    struct virtio_input *s = v->state;
    uint8_t bit = (uint8_t)(1u << (key & 7));

    if (((s->down[key >> 3] & bit) != 0) == down)
        return; /* the driver repeats keys itself */
    s->down[key >> 3] ^= bit;
    add(s, EV_KEY, (uint16_t)key, down);
    finish_report(v);
}

/* Linux counts left, right, middle, side, extra as enum pointer_button does. */
static void add_buttons(struct virtio_input *s, unsigned buttons)
{
    for (unsigned i = 0; i < N_BUTTONS; i++) {
        if ((buttons ^ s->buttons) >> i & 1)
            add(s, EV_KEY, (uint16_t)(BTN_LEFT + i), buttons >> i & 1);
    }
    s->buttons = buttons;
}

/* The wheel's clicks count away from the user here. */
static void move_event(void *opaque, int dx, int dy, int wheel, unsigned buttons)
{
    struct virtio_device *v = opaque;
    struct virtio_input *s = v->state;

    if (dx)
        add(s, EV_REL, REL_X, dx);
    if (dy)
        add(s, EV_REL, REL_Y, dy);
    if (wheel)
        add(s, EV_REL, REL_WHEEL, -wheel);
    add_buttons(s, buttons);
    finish_report(v);
}

static void place_event(void *opaque, unsigned x, unsigned y, int wheel, unsigned buttons)
{
    struct virtio_device *v = opaque;
    struct virtio_input *s = v->state;

    add(s, EV_ABS, ABS_X, (int)x);
    add(s, EV_ABS, ABS_Y, (int)y);
    if (wheel)
        add(s, EV_REL, REL_WHEEL, -wheel);
    add_buttons(s, buttons);
    finish_report(v);
}

static const struct input_device_ops device_ops[] = {
    [KEYBOARD] = {.key = key_event},
    [MOUSE] = {.move = move_event},
    [TABLET] = {.place = place_event},
};

/* What the driver says: LEDs. */
static void take_status(struct virtio_device *v)
{
    static const uint8_t leds[N_LEDS] = {
        [LED_CODE_NUM] = LED_NUM, [LED_CODE_CAPS] = LED_CAPS, [LED_CODE_SCROLL] = LED_SCROLL};
    struct virtio_input *s = v->state;
    struct virtio_request request;
    uint8_t raw[EVENT_BYTES];

    while (virtqueue_pop(v, QUEUE_STATUS, &request)) {
        bool whole = virtio_request_read(v, &request, 0, raw, sizeof(raw)) == sizeof(raw);
        unsigned code = virtio_get16(v, raw + 2);
        if (whole && virtio_get16(v, raw) == EV_LED && code < N_LEDS && kind_of(v) == KEYBOARD) {
            s->leds = virtio_get32(v, raw + 4) ? s->leds | leds[code] : s->leds & ~leds[code];
            v->device->machine->input.leds = s->leds;
        }
        virtqueue_push(v, QUEUE_STATUS, &request, 0);
    }
}

static void notify(struct virtio_device *v, unsigned queue)
{
    if (queue == QUEUE_EVENTS)
        send_waiting(v);
    else
        take_status(v);
}

/* ---- what it can do ---------------------------------------------------------------------------
 */

static const char *const names[] = {
    [KEYBOARD] = "QEMU Virtio Keyboard",
    [MOUSE] = "QEMU Virtio Mouse",
    [TABLET] = "QEMU Virtio Tablet",
};

static void set_bit(uint8_t *bits, unsigned n)
{
    bits[n / 8] |= (uint8_t)(1u << n % 8);
}

/* Codes of a type of event; all zero: it has none of that type. */
static void event_bits(enum kind kind, unsigned type, uint8_t *bits)
{
    if (kind == KEYBOARD && type == EV_KEY) {
        for (unsigned key = 1; key < KEY_CODES; key++) {
            if (key_name((enum key)key))
                set_bit(bits, key);
        }
    } else if (kind == KEYBOARD && type == EV_LED) {
        bits[0] = (1 << N_LEDS) - 1;
    } else if (kind == KEYBOARD && type == EV_REP) {
        bits[0] = 3; /* delay and period */
    } else if (kind != KEYBOARD && type == EV_KEY) {
        for (unsigned i = 0; i < N_BUTTONS; i++)
            set_bit(bits, BTN_LEFT + i);
    } else if (kind != KEYBOARD && type == EV_REL) {
        set_bit(bits, REL_WHEEL);
        if (kind == MOUSE)
            bits[0] |= 1 << REL_X | 1 << REL_Y;
    } else if (kind == TABLET && type == EV_ABS) {
        bits[0] = 1 << ABS_X | 1 << ABS_Y;
    }
}

/* Returns the size of what `data` holds now. */
static unsigned selected(struct virtio_device *v, uint8_t *data)
{
    const struct virtio_input *s = v->state;
    enum kind kind = kind_of(v);
    unsigned size = CONFIG_DATA_BYTES;

    switch (s->select) {
    case SELECT_NAME:
        if (s->subselect)
            return 0;
        memcpy(data, names[kind], strlen(names[kind]));
        return (unsigned)strlen(names[kind]);
    case SELECT_IDS:
        if (s->subselect)
            return 0;
        virtio_put16(v, data, BUS_VIRTUAL);
        virtio_put16(v, data + 2, VENDOR);
        virtio_put16(v, data + 4, (uint16_t)(kind + 1));
        virtio_put16(v, data + 6, 1);
        return 8;
    case SELECT_EVENTS:
        event_bits(kind, s->subselect, data);
        while (size && !data[size - 1])
            size--;
        return size;
    case SELECT_AXIS:
        if (kind != TABLET || s->subselect > ABS_Y)
            return 0;
        virtio_put32(v, data + 4, INPUT_ABSOLUTE_MAX); /* least 0, no noise, no flat middle */
        return 20;
    case SELECT_SERIAL:
    case SELECT_PROPERTIES:
    default:
        return 0;
    }
}

static void get_config(struct virtio_device *v, uint8_t *config)
{
    const struct virtio_input *s = v->state;

    config[CONFIG_SELECT] = s->select;
    config[CONFIG_SUBSELECT] = s->subselect;
    config[CONFIG_SIZE] = (uint8_t)selected(v, config + CONFIG_DATA);
}

static void set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                       unsigned size)
{
    struct virtio_input *s = v->state;

    for (unsigned i = 0; i < size; i++) {
        if (offset + i == CONFIG_SELECT)
            s->select = bytes[i];
        else if (offset + i == CONFIG_SUBSELECT)
            s->subselect = bytes[i];
    }
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void started(struct virtio_device *v)
{
    struct virtio_input *s = v->state;

    if (!s->attached)
        s->attached = input_add(&v->device->machine->input, &s->device);
}

static void detach(struct virtio_device *v)
{
    struct virtio_input *s = v->state;

    if (s->attached)
        input_remove(&v->device->machine->input, &s->device);
    s->attached = false;
}

static void reset(struct virtio_device *v)
{
    struct virtio_input *s = v->state;

    detach(v);
    s->first = s->count = s->in_report = 0;
}

static bool init(struct virtio_device *v, struct error *err)
{
    struct virtio_input *s = v->state;
    enum kind kind = kind_of(v);

    s->device = (struct input_device){.ops = &device_ops[kind], .opaque = v, .name = names[kind]};
    return true;
}

#define INPUT_TYPE(type_name, class_code)                                                          \
    {                                                                                              \
        .name = (type_name), .device_id = 18, .pci_class = (class_code), .n_queues = N_QUEUES,     \
        .queue_size = QUEUE_SIZE, .config_size = CONFIG_DATA + CONFIG_DATA_BYTES,                  \
        .state_size = sizeof(struct virtio_input), .fields = fields,                               \
        .n_fields = ARRAY_SIZE(fields), .init = init, .finish = detach, .reset = reset,            \
        .started = started, .notify = notify, .get_config = get_config, .set_config = set_config,  \
    }
static const struct virtio_type keyboard_type = INPUT_TYPE("keyboard", 0x090000);
static const struct virtio_type mouse_type = INPUT_TYPE("mouse", 0x090200);
static const struct virtio_type tablet_type = INPUT_TYPE("tablet", 0x098000);

static enum kind kind_of(const struct virtio_device *v)
{
    return v->type == &keyboard_type ? KEYBOARD : v->type == &mouse_type ? MOUSE : TABLET;
}

VIRTIO_DEVICE(keyboard_type, "keyboard", "Keyboard");
VIRTIO_DEVICE(mouse_type, "mouse", "Mouse");
VIRTIO_DEVICE(tablet_type, "tablet", "Tablet");
