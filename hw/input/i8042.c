/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC/AT keyboard controller with its PS/2 mouse port: Intel 8042 with the firmware that IBM's
 * PS/2 Hardware Interface Technical Reference describes ("Keyboard and Auxiliary Device
 * Controller").
 *
 * Region 0 is port 0x60, region 1 port 0x64. Outputs: 0 keyboard interrupt, 1 mouse interrupt, 2
 * level of A20. Its password is not there.
 */
#include "hw/device.h"
#include "hw/input/ps2.h"
#include "hw/machine.h"
#include "util/bits.h"

enum {
    STATUS_OUTPUT = 1 << 0,
    STATUS_SYSTEM = 1 << 2,
    STATUS_COMMAND = 1 << 3, /* the last write went to port 0x64 */
    STATUS_NOT_LOCKED = 1 << 4,
    STATUS_MOUSE = 1 << 5,

    MODE_KEYBOARD_IRQ = 1 << 0,
    MODE_MOUSE_IRQ = 1 << 1,
    MODE_SYSTEM = 1 << 2,
    MODE_KEYBOARD_OFF = 1 << 4,
    MODE_MOUSE_OFF = 1 << 5,
    MODE_TRANSLATE = 1 << 6,

    OUTPUT_NOT_RESET = 1 << 0,
    OUTPUT_A20 = 1 << 1,
    OUTPUT_KEYBOARD_FULL = 1 << 4,
    OUTPUT_MOUSE_FULL = 1 << 5,
    OUTPUT_DATA_LINES = 0xc0,

    INPUT_PORT = 0xb0, /* not locked, no manufacturing jumper, colour display */
    RAM_BYTES = 32,
};

enum command {
    READ_RAM = 0x20,
    WRITE_RAM = 0x60,
    RAM_MASK = 0x1f,
    MOUSE_DISABLE = 0xa7,
    MOUSE_ENABLE = 0xa8,
    MOUSE_TEST = 0xa9,
    SELF_TEST = 0xaa,
    KEYBOARD_TEST = 0xab,
    KEYBOARD_DISABLE = 0xad,
    KEYBOARD_ENABLE = 0xae,
    READ_INPUT = 0xc0,
    READ_OUTPUT = 0xd0,
    WRITE_OUTPUT = 0xd1,
    WRITE_KEYBOARD_BUFFER = 0xd2,
    WRITE_MOUSE_BUFFER = 0xd3,
    WRITE_MOUSE = 0xd4,
    READ_TEST = 0xe0,
    PULSE = 0xf0,
};

enum source { SOURCE_NONE, SOURCE_KEYBOARD, SOURCE_MOUSE, SOURCE_CONTROLLER };

struct i8042 {
    uint8_t ram[RAM_BYTES]; /* [0]: command byte ("mode") */
    uint8_t data, source;   /* output buffer */
    uint8_t output_port;
    uint8_t command; /* whose data byte is awaited, 0 none */
    bool last_was_command, break_prefix;
    struct ps2 keyboard, mouse;
};

/* Scan code set 2 to set 1, as the controller's ROM has it. From 0x85 on codes are answers. */
static const uint8_t set1_of_set2[0x85] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
    0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
    0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
    0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
    0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
    0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
    0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
    0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
    0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54,
};

/* ---- output buffer --------------------------------------------------------------------------- */

static void update_lines(struct device *d)
{
    const struct i8042 *c = d->state;
    uint8_t mode = c->ram[0];

    device_irq(d, 0,
               (mode & MODE_KEYBOARD_IRQ) &&
                   (c->source == SOURCE_KEYBOARD || c->source == SOURCE_CONTROLLER));
    device_irq(d, 1, (mode & MODE_MOUSE_IRQ) && c->source == SOURCE_MOUSE);
}

static void fill(struct device *d, enum source source, uint8_t data)
{
    struct i8042 *c = d->state;

    c->data = data;
    c->source = source;
    update_lines(d);
}

/* A break code's prefix is swallowed and becomes bit 7 of what follows. False: nothing to show yet.
 */
static bool translate(struct i8042 *c, uint8_t *data)
{
    if (!(c->ram[0] & MODE_TRANSLATE))
        return true;
    if (*data == 0xf0) {
        c->break_prefix = true;
        return false;
    }
    if (*data < sizeof(set1_of_set2))
        *data = set1_of_set2[*data] | (c->break_prefix ? 0x80 : 0);
    c->break_prefix = false;
    return true;
}

/* Takes the next byte of a device whose clock line is not held. */
static void refill(void *opaque)
{
    struct device *d = opaque;
    struct i8042 *c = d->state;

    while (!c->source && !(c->ram[0] & MODE_KEYBOARD_OFF) && ps2_has_data(&c->keyboard)) {
        uint8_t data = ps2_read(&c->keyboard);
        if (translate(c, &data))
            fill(d, SOURCE_KEYBOARD, data);
    }
    if (!c->source && !(c->ram[0] & MODE_MOUSE_OFF) && ps2_has_data(&c->mouse))
        fill(d, SOURCE_MOUSE, ps2_read(&c->mouse));
}

static uint64_t data_read(struct device *d, uint64_t offset, unsigned size)
{
    struct i8042 *c = d->state;
    uint8_t data = c->data;

    if (!c->source)
        return data;
    c->source = SOURCE_NONE;
    update_lines(d);
    refill(d);
    return data;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void output_port_write(struct device *d, uint8_t value)
{
    struct i8042 *c = d->state;

    c->output_port = value & (OUTPUT_NOT_RESET | OUTPUT_A20);
    device_irq(d, 2, value & OUTPUT_A20);
    if (!(value & OUTPUT_NOT_RESET))
        machine_request(d->machine, MACHINE_RESET);
}

static uint8_t output_port_read(const struct i8042 *c)
{
    return c->output_port | OUTPUT_DATA_LINES |
           (c->source == SOURCE_KEYBOARD ? OUTPUT_KEYBOARD_FULL : 0) |
           (c->source == SOURCE_MOUSE ? OUTPUT_MOUSE_FULL : 0);
}

static void mode_change(struct device *d, uint8_t set, uint8_t clear)
{
    struct i8042 *c = d->state;

    c->ram[0] = (uint8_t)((c->ram[0] | set) & ~clear);
    update_lines(d);
    refill(d);
}

static void command_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *c = d->state;
    uint8_t command = (uint8_t)value;

    c->last_was_command = true;
    c->command = 0;
    if (command >= READ_RAM && command <= (READ_RAM | RAM_MASK)) {
        fill(d, SOURCE_CONTROLLER, c->ram[command & RAM_MASK]);
        return;
    }
    if ((command >= WRITE_RAM && command <= (WRITE_RAM | RAM_MASK)) ||
        (command >= WRITE_OUTPUT && command <= WRITE_MOUSE)) {
        c->command = command;
        return;
    }
    if (command >= PULSE) { /* bits 3:0 that are 0 are pulsed; bit 0 is the reset line */
        if (!(command & OUTPUT_NOT_RESET))
            machine_request(d->machine, MACHINE_RESET);
        return;
    }
    switch (command) {
    case MOUSE_DISABLE:
        mode_change(d, MODE_MOUSE_OFF, 0);
        break;
    case MOUSE_ENABLE:
        mode_change(d, 0, MODE_MOUSE_OFF);
        break;
    case KEYBOARD_DISABLE:
        mode_change(d, MODE_KEYBOARD_OFF, 0);
        break;
    case KEYBOARD_ENABLE:
        mode_change(d, 0, MODE_KEYBOARD_OFF);
        break;
    case MOUSE_TEST:
    case KEYBOARD_TEST:
        fill(d, SOURCE_CONTROLLER, 0);
        break;
    case SELF_TEST:
        c->ram[0] |= MODE_SYSTEM;
        fill(d, SOURCE_CONTROLLER, 0x55);
        break;
    case READ_INPUT:
        fill(d, SOURCE_CONTROLLER, INPUT_PORT);
        break;
    case READ_OUTPUT:
        fill(d, SOURCE_CONTROLLER, output_port_read(c));
        break;
    case READ_TEST:
        fill(d, SOURCE_CONTROLLER, 0);
        break;
    default:
        log_printf(LOG_UNIMP, "i8042: command 0x%02x\n", command);
    }
}

static void data_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8042 *c = d->state;
    uint8_t data = (uint8_t)value, command = c->command;

    c->last_was_command = false;
    c->command = 0;
    switch (command) {
    case 0: /* the keyboard is switched on by talking to it */
        mode_change(d, 0, MODE_KEYBOARD_OFF);
        ps2_write(&c->keyboard, data);
        break;
    case WRITE_OUTPUT:
        output_port_write(d, data);
        break;
    case WRITE_KEYBOARD_BUFFER:
        fill(d, SOURCE_KEYBOARD, data);
        break;
    case WRITE_MOUSE_BUFFER:
        fill(d, SOURCE_MOUSE, data);
        break;
    case WRITE_MOUSE:
        mode_change(d, 0, MODE_MOUSE_OFF);
        ps2_write(&c->mouse, data);
        break;
    case WRITE_RAM:
        mode_change(d, data, (uint8_t)~data);
        break;
    default:
        c->ram[command & RAM_MASK] = data;
    }
}

static uint64_t status_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct i8042 *c = d->state;

    return STATUS_NOT_LOCKED | (c->source ? STATUS_OUTPUT : 0) |
           (c->source == SOURCE_MOUSE ? STATUS_MOUSE : 0) |
           (c->ram[0] & MODE_SYSTEM ? STATUS_SYSTEM : 0) |
           (c->last_was_command ? STATUS_COMMAND : 0);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool i8042_init(struct device *d, struct error *err)
{
    struct i8042 *c = d->state;

    ps2_init(&c->keyboard, false, refill, d);
    ps2_init(&c->mouse, true, refill, d);
    if (!ps2_attach(&c->keyboard, &d->machine->input))
        return error_set(err, "%s: there are too many input devices", d->id);
    if (!ps2_attach(&c->mouse, &d->machine->input)) {
        ps2_detach(&c->keyboard);
        return error_set(err, "%s: there are too many input devices", d->id);
    }
    return true;
}

static void i8042_finish(struct device *d)
{
    struct i8042 *c = d->state;

    ps2_detach(&c->keyboard);
    ps2_detach(&c->mouse);
}

static void i8042_reset(struct device *d)
{
    struct i8042 *c = d->state;

    c->ram[0] = MODE_KEYBOARD_IRQ | MODE_MOUSE_IRQ;
    ps2_reset(&c->keyboard);
    ps2_reset(&c->mouse);
    c->source = SOURCE_NONE; /* what the devices say of their reset is not listened to */
    c->keyboard.count = c->mouse.count = 0;
    update_lines(d);
    device_irq(d, 2, true);
}

static const struct device_field fields[] = {
    DEVICE_ARRAY(struct i8042, ram, DEVICE_U8, RAM_BYTES, 0),
    DEVICE_FIELD(struct i8042, data, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8042, source, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8042, output_port, DEVICE_U8, OUTPUT_NOT_RESET | OUTPUT_A20),
    DEVICE_FIELD(struct i8042, command, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8042, last_was_command, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8042, break_prefix, DEVICE_BOOL, 0),
    PS2_FIELDS(struct i8042, keyboard),
    PS2_FIELDS(struct i8042, mouse),
};

static const struct device_region regions[] = {
    {.name = "i8042-data",
     .size = 1,
     .min_access = 1,
     .max_access = 1,
     .read = data_read,
     .write = data_write,
     .port = true},
    {.name = "i8042-command",
     .size = 1,
     .min_access = 1,
     .max_access = 1,
     .read = status_read,
     .write = command_write,
     .port = true},
};

static const struct device_class i8042_class = {
    .name = "i8042",
    .description = "Keyboard and mouse controller of the PC",
    .manual = "IBM PS/2 Hardware Interface Technical Reference, 1990",
    .state_size = sizeof(struct i8042),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .n_irq_out = 3,
    .init = i8042_init,
    .reset = i8042_reset,
    .finish = i8042_finish,
};
REGISTER(device_class, i8042_class);
