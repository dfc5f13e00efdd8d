/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's standard parallel port (IBM PC technical reference; IEEE 1284 compatibility mode) with a
 * printer that is always ready. What is strobed goes to a stream.
 */
#include "host/chardev.h"
#include "hw/device.h"
#include "util/bits.h"

enum { DATA, STATUS, CONTROL };
enum {
    STATUS_NOT_ERROR = 1 << 3,
    STATUS_SELECTED = 1 << 4,
    STATUS_NOT_ACK = 1 << 6,
    STATUS_NOT_BUSY = 1 << 7,
    STATUS_UNUSED = 0x07,
    CONTROL_STROBE = 1 << 0,
    CONTROL_NOT_INIT = 1 << 2,
    CONTROL_SELECT = 1 << 3,
    CONTROL_IRQ = 1 << 4,
    CONTROL_INPUT = 1 << 5,
    CONTROL_UNUSED = 0xc0,
};

struct parallel {
    uint8_t data, control;
    bool acknowledged;
};

static uint8_t status_read(struct device *d)
{
    struct parallel *p = d->state;
    uint8_t status = STATUS_UNUSED | STATUS_NOT_ERROR | STATUS_NOT_ACK;

    if (p->control & CONTROL_SELECT)
        status |= STATUS_SELECTED;
    if (!(p->control & CONTROL_STROBE) && (p->control & CONTROL_NOT_INIT))
        status |= STATUS_NOT_BUSY;
    if (p->acknowledged)
        status &= (uint8_t)~STATUS_NOT_ACK;
    p->acknowledged = false;
    device_irq(d, 0, false);
    return status;
}

static uint64_t parallel_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct parallel *p = d->state;

    switch (offset) {
    case DATA: /* nothing drives the lines from outside */
        return p->control & CONTROL_INPUT ? 0xff : p->data;
    case STATUS:
        return status_read(d);
    case CONTROL:
        return p->control | CONTROL_UNUSED;
    default:
        return 0xff;
    }
}

/* The byte is taken when the strobe ends, and acknowledged. Each acknowledgement is an edge of its
 * own, whether the status was read since the last one or not. */
static void control_write(struct device *d, uint8_t value)
{
    struct parallel *p = d->state;
    bool taken = (p->control & ~value & CONTROL_STROBE) && (value & CONTROL_NOT_INIT);

    p->control = value & (uint8_t)~CONTROL_UNUSED;
    if (taken || !(value & CONTROL_IRQ))
        device_irq(d, 0, false);
    if (!taken)
        return;
    chardev_write(d->chardev, &p->data, 1);
    p->acknowledged = true;
    if (value & CONTROL_IRQ)
        device_irq(d, 0, true);
}

static void parallel_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct parallel *p = d->state;

    if (offset == DATA)
        p->data = (uint8_t)value;
    else if (offset == CONTROL)
        control_write(d, (uint8_t)value);
}

static void parallel_reset(struct device *d)
{
    device_irq(d, 0, false);
}

static const struct device_field fields[] = {
    DEVICE_FIELD(struct parallel, data, DEVICE_U8, 0),
    DEVICE_FIELD(struct parallel, control, DEVICE_U8, CONTROL_NOT_INIT | CONTROL_SELECT),
    DEVICE_FIELD(struct parallel, acknowledged, DEVICE_BOOL, 0),
};

static const struct device_region regions[] = {
    {.name = "parallel",
     .size = 8,
     .min_access = 1,
     .max_access = 1,
     .read = parallel_read,
     .write = parallel_write,
     .port = true},
};

static const struct device_class parallel_class = {
    .name = "parallel",
    .description = "Parallel port of the PC",
    .manual = "IEEE 1284, compatibility mode",
    .state_size = sizeof(struct parallel),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .n_irq_out = 1,
    .reset = parallel_reset,
};
REGISTER(device_class, parallel_class);
