/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PrimeCell General Purpose Input/Output PL061, ARM DDI 0190. Mode control by hardware (GPIOAFSEL)
 * has nothing behind it on our boards. Property: pull-ups (mask of lines that float high). */
#include "hw/misc/pl061.h"

#include "hw/device.h"
#include "hw/primecell.h"

enum pl061_register {
    GPIODATA_END = 0x400, /* GPIODATA repeats below it: address bits 9:2 are the mask */
    GPIODIR = 0x400,
    GPIOIS = 0x404,
    GPIOIBE = 0x408,
    GPIOIEV = 0x40c,
    GPIOIE = 0x410,
    GPIORIS = 0x414,
    GPIOMIS = 0x418,
    GPIOIC = 0x41c,
    GPIOAFSEL = 0x420,
};

enum { PERIPHERAL_ID = 0x00041061, N_LINES = 8 };

struct pl061 {
    uint8_t data;   /* output latch */
    uint8_t inputs; /* what is driven from outside */
    uint8_t pins;   /* the level of every line when last looked at: edges are found against it */
    uint8_t direction, level_sense, both_edges, event, enable, raw, alternate;
};

static uint8_t pin_levels(const struct pl061 *g)
{
    return (uint8_t)((g->data & g->direction) | (g->inputs & ~g->direction));
}

static void pl061_update(struct device *d)
{
    struct pl061 *g = d->state;
    uint8_t pins = pin_levels(g), changed = pins ^ g->pins;
    /* DDI 0190 3.3.4-3.3.6: interrupts come from input lines only. */
    uint8_t wanted_edge = changed & (g->both_edges | (uint8_t) ~(pins ^ g->event));
    uint8_t at_level = (uint8_t) ~(pins ^ g->event);
    uint8_t inputs = (uint8_t)~g->direction;

    g->pins = pins;
    g->raw |= wanted_edge & ~g->level_sense & inputs;
    g->raw = (uint8_t)((g->raw & ~g->level_sense) | (at_level & g->level_sense & inputs));
    device_irq(d, PL061_OUT_IRQ, g->raw & g->enable);
    for (unsigned n = 0; n < N_LINES; n++) {
        if (g->direction >> n & 1)
            device_irq(d, PL061_OUT_GPIO(n), g->data >> n & 1);
    }
}

static uint64_t pl061_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct pl061 *g = d->state;

    if (offset < GPIODATA_END)
        return pin_levels(g) & offset >> 2;
    if (offset >= PRIMECELL_ID)
        return primecell_id(PERIPHERAL_ID, offset);
    switch (offset) {
    case GPIODIR:
        return g->direction;
    case GPIOIS:
        return g->level_sense;
    case GPIOIBE:
        return g->both_edges;
    case GPIOIEV:
        return g->event;
    case GPIOIE:
        return g->enable;
    case GPIORIS:
        return g->raw;
    case GPIOMIS:
        return g->raw & g->enable;
    case GPIOAFSEL:
        return g->alternate;
    default:
        log_printf(LOG_GUEST_ERROR, "pl061: read of register 0x%x\n", (unsigned)offset);
        return 0;
    }
}

static void pl061_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl061 *g = d->state;
    uint8_t byte = (uint8_t)value;

    if (offset < GPIODATA_END) {
        uint8_t mask = (uint8_t)(offset >> 2) & g->direction;
        g->data = (g->data & ~mask) | (byte & mask);
        pl061_update(d);
        return;
    }
    switch (offset) {
    case GPIODIR:
        g->direction = byte;
        break;
    case GPIOIS:
        g->level_sense = byte;
        break;
    case GPIOIBE:
        g->both_edges = byte;
        break;
    case GPIOIEV:
        g->event = byte;
        break;
    case GPIOIE:
        g->enable = byte;
        break;
    case GPIOIC:
        g->raw &= ~byte;
        break;
    case GPIOAFSEL:
        g->alternate = byte;
        if (byte)
            log_unimp_once("pl061: hardware control of lines (GPIOAFSEL = 0x%x)\n", byte);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "pl061: write to register 0x%x\n", (unsigned)offset);
        return;
    }
    pl061_update(d);
}

static void pl061_irq_in(struct device *d, unsigned line, bool level)
{
    struct pl061 *g = d->state;

    g->inputs = (uint8_t)((g->inputs & ~(1u << line)) | (unsigned)level << line);
    pl061_update(d);
}

static void pl061_reset(struct device *d)
{
    struct pl061 *g = d->state;

    g->inputs = (uint8_t)device_prop_u64(d, "pull-ups", 0);
    g->pins = pin_levels(g);
    pl061_update(d);
}

static const struct device_field pl061_fields[] = {
    DEVICE_FIELD(struct pl061, data, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, inputs, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, pins, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, direction, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, level_sense, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, both_edges, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, event, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, enable, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, raw, DEVICE_U8, 0),
    DEVICE_FIELD(struct pl061, alternate, DEVICE_U8, 0),
};

static const struct device_region pl061_regions[] = {
    {"pl061", 0x1000, 4, 4, pl061_read, pl061_write, false, NULL},
};

static const struct device_prop pl061_props[] = {
    {"pull-ups", DEVICE_PROP_NUMBER, 0, 0xff},
    {NULL},
};

static const struct device_class pl061_class = {
    .name = "pl061",
    .props = pl061_props,
    .description = "PrimeCell GPIO",
    .manual = "ARM DDI 0190",
    .state_size = sizeof(struct pl061),
    .regions = pl061_regions,
    .n_regions = ARRAY_SIZE(pl061_regions),
    .fields = pl061_fields,
    .n_fields = ARRAY_SIZE(pl061_fields),
    .n_irq_in = N_LINES,
    .n_irq_out = 1 + N_LINES,
    .reset = pl061_reset,
    .irq_in = pl061_irq_in,
};
REGISTER(device_class, pl061_class);
