/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 8259A programmable interrupt controller (Intel 231468), one chip, with the edge/level control
 * register of the PIIX3 (Intel 290550, 2.5.6): region 0 is its two ports, region 1 the ELCR. Inputs
 * are IR0-IR7, output 0 is INT. The ELCR takes the place of ICW1's LTIM, as in the PIIX3.
 *
 * Not there: the three-byte CALL of the 8080 mode (a processor with its own vectors is assumed) and
 * buffered mode, which only changes a pin.
 */
#include "hw/intc/i8259.h"

#include "hw/device.h"

enum {
    ICW1_IC4 = 1 << 0,
    ICW1_SNGL = 1 << 1,
    ICW1_INIT = 1 << 4,
    ICW4_UPM = 1 << 0,
    ICW4_AEOI = 1 << 1,
    ICW4_SFNM = 1 << 4,
    OCW3 = 1 << 3,
    OCW3_RIS = 1 << 0,
    OCW3_RR = 1 << 1,
    OCW3_POLL = 1 << 2,
    OCW3_SMM = 1 << 5,
    OCW3_ESMM = 1 << 6,
    POLL_REQUEST = 1 << 7,
    /* What may be level-triggered: not the timer, the keyboard, the cascade, the clock and the
     * coprocessor (290550, 2.5.6). */
    ELCR_MASTER = 0xf8,
    ELCR_SLAVE = 0xde,
    SPURIOUS = 7,
};

/* OCW2, bits 7:5. */
enum {
    OCW2_ROTATE_AEOI_OFF = 0,
    OCW2_EOI = 1,
    OCW2_NOTHING = 2,
    OCW2_EOI_SPECIFIC = 3,
    OCW2_ROTATE_AEOI_ON = 4,
    OCW2_EOI_ROTATE = 5,
    OCW2_SET_PRIORITY = 6,
    OCW2_EOI_SPECIFIC_ROTATE = 7,
};

struct i8259 {
    uint8_t lines, edges; /* inputs; those whose rising edge waits to be served */
    uint8_t isr, imr;
    uint8_t elcr, elcr_mask;
    uint8_t lowest; /* input of lowest priority */
    uint8_t vector_base, icw3, icw4;
    uint8_t next_icw; /* 2, 3, 4: what a write to port 1 is; 0: OCW1 */
    bool single, wants_icw4;
    bool rotate_on_aeoi, special_mask, read_isr, poll;
    struct device *slave;
    uint8_t slave_line;
};

static uint8_t requests(const struct i8259 *p)
{
    return (uint8_t)((p->edges & ~p->elcr) | (p->lines & p->elcr));
}

/* 0 is the highest priority. */
static unsigned priority_of(const struct i8259 *p, unsigned input)
{
    return (input - p->lowest - 1) & 7;
}

/* The input of highest priority among `bits`; 8: none. */
static unsigned highest(const struct i8259 *p, uint8_t bits)
{
    for (unsigned i = 1; i <= 8 && bits; i++) {
        unsigned input = (p->lowest + i) & 7;
        if (bits >> input & 1)
            return input;
    }
    return 8;
}

/* The input that INT stands for; 8: none. */
static unsigned wanted(const struct i8259 *p)
{
    uint8_t served = p->special_mask ? p->isr & ~p->imr : p->isr;
    unsigned input = highest(p, requests(p) & ~p->imr), in_service = highest(p, served);

    if (input == 8 || in_service == 8)
        return input;
    if (priority_of(p, input) < priority_of(p, in_service))
        return input;
    /* Special fully nested: a slave's further requests pass while one of it is served. */
    if (input == in_service && (p->icw4 & ICW4_SFNM) && (p->icw3 >> input & 1) && !p->single)
        return input;
    return 8;
}

static void i8259_update(struct device *d)
{
    const struct i8259 *p = d->state;

    device_irq(d, 0, wanted(p) != 8);
}

static void i8259_irq_in(struct device *d, unsigned line, bool level)
{
    struct i8259 *p = d->state;
    uint8_t bit = (uint8_t)(1u << line);

    if (((p->lines & bit) != 0) == level)
        return;
    /* An input must stay high until it is acknowledged, or the request is gone. */
    if (level) {
        p->lines |= bit;
        p->edges |= bit;
    } else {
        p->lines &= (uint8_t)~bit;
        p->edges &= (uint8_t)~bit;
    }
    i8259_update(d);
}

/* ---- acknowledging --------------------------------------------------------------------------- */

static void serve(struct i8259 *p, unsigned input)
{
    uint8_t bit = (uint8_t)(1u << input);

    p->edges &= (uint8_t)~bit;
    if (!(p->icw4 & ICW4_AEOI))
        p->isr |= bit;
    else if (p->rotate_on_aeoi)
        p->lowest = (uint8_t)input;
}

int i8259_acknowledge(struct device *master)
{
    struct i8259 *p = master->state;
    unsigned input = wanted(p);
    int vector = p->vector_base | SPURIOUS;

    /* INT falls with the first INTA, so that what still waits makes an edge. */
    device_irq(master, 0, false);
    if (input < 8) {
        serve(p, input);
        vector = p->slave && input == p->slave_line ? i8259_acknowledge(p->slave)
                                                    : p->vector_base | (int)input;
    }
    i8259_update(master);
    return vector;
}

void i8259_set_slave(struct device *master, struct device *slave, unsigned line)
{
    struct i8259 *p = master->state, *s = slave->state;

    p->slave = slave;
    p->slave_line = line & 7;
    s->elcr_mask = ELCR_SLAVE;
}

/* ---- registers ------------------------------------------------------------------------------- */

static void initialise(struct i8259 *p, uint8_t icw1)
{
    p->edges = p->isr = p->imr = 0;
    p->lowest = 7;
    p->special_mask = p->read_isr = p->poll = p->rotate_on_aeoi = false;
    p->single = icw1 & ICW1_SNGL;
    p->wants_icw4 = icw1 & ICW1_IC4;
    p->icw4 = 0;
    p->next_icw = 2;
}

static void ocw2_write(struct i8259 *p, uint8_t value)
{
    unsigned input = value & 7;
    /* An unspecific EOI leaves alone what special mask mode hides. */
    unsigned top = highest(p, p->special_mask ? p->isr & ~p->imr : p->isr);

    switch (value >> 5) {
    case OCW2_ROTATE_AEOI_OFF:
    case OCW2_ROTATE_AEOI_ON:
        p->rotate_on_aeoi = value >> 7;
        break;
    case OCW2_EOI:
    case OCW2_EOI_ROTATE:
        if (top == 8)
            break;
        p->isr &= (uint8_t) ~(1u << top);
        if (value >> 5 == OCW2_EOI_ROTATE)
            p->lowest = (uint8_t)top;
        break;
    case OCW2_EOI_SPECIFIC:
    case OCW2_EOI_SPECIFIC_ROTATE:
        p->isr &= (uint8_t) ~(1u << input);
        if (value >> 5 == OCW2_EOI_SPECIFIC_ROTATE)
            p->lowest = (uint8_t)input;
        break;
    case OCW2_SET_PRIORITY:
        p->lowest = (uint8_t)input;
        break;
    case OCW2_NOTHING:
        break;
    }
}

static void ocw3_write(struct i8259 *p, uint8_t value)
{
    if (value & OCW3_ESMM)
        p->special_mask = value & OCW3_SMM;
    if (value & OCW3_POLL)
        p->poll = true;
    else if (value & OCW3_RR)
        p->read_isr = value & OCW3_RIS;
}

static void icw_write(struct i8259 *p, uint8_t value)
{
    switch (p->next_icw) {
    case 2:
        p->vector_base = value & 0xf8;
        p->next_icw = !p->single ? 3 : p->wants_icw4 ? 4 : 0;
        break;
    case 3:
        p->icw3 = value;
        p->next_icw = p->wants_icw4 ? 4 : 0;
        break;
    default:
        p->icw4 = value;
        p->next_icw = 0;
        if (!(value & ICW4_UPM))
            log_unimp_once("i8259: 8080 mode (ICW4 = 0x%02x)\n", value);
    }
}

static void i8259_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct i8259 *p = d->state;
    uint8_t value = (uint8_t)value64;

    if (offset == 0 && (value & ICW1_INIT))
        initialise(p, value);
    else if (offset == 0 && (value & OCW3))
        ocw3_write(p, value);
    else if (offset == 0)
        ocw2_write(p, value);
    else if (p->next_icw)
        icw_write(p, value);
    else
        p->imr = value;
    i8259_update(d);
}

/* The poll command makes the next read an acknowledge of this chip alone. */
static uint8_t poll_read(struct device *d)
{
    struct i8259 *p = d->state;
    unsigned input = wanted(p);

    p->poll = false;
    if (input == 8)
        return 0;
    device_irq(d, 0, false);
    serve(p, input);
    i8259_update(d);
    return (uint8_t)(POLL_REQUEST | input);
}

static uint64_t i8259_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct i8259 *p = d->state;

    if (p->poll)
        return poll_read(d);
    if (offset == 1)
        return p->imr;
    return p->read_isr ? p->isr : requests(p);
}

static uint64_t elcr_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct i8259 *p = d->state;

    return p->elcr;
}

static void elcr_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8259 *p = d->state;

    p->elcr = (uint8_t)value & p->elcr_mask;
    i8259_update(d);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool i8259_init(struct device *d, struct error *err)
{
    struct i8259 *p = d->state;

    p->elcr_mask = ELCR_MASTER;
    return true;
}

static const struct device_field i8259_fields[] = {
    DEVICE_FIELD(struct i8259, lines, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, edges, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, isr, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, imr, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, elcr, DEVICE_U8, 0),
    DEVICE_KEPT(struct i8259, elcr_mask, DEVICE_U8),
    DEVICE_FIELD(struct i8259, lowest, DEVICE_U8, 7),
    DEVICE_FIELD(struct i8259, vector_base, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, icw3, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, icw4, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, next_icw, DEVICE_U8, 0),
    DEVICE_FIELD(struct i8259, single, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8259, wants_icw4, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8259, rotate_on_aeoi, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8259, special_mask, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8259, read_isr, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct i8259, poll, DEVICE_BOOL, 0),
};

static const struct device_region i8259_regions[] = {
    {.name = "i8259",
     .size = 2,
     .max_access = 1,
     .read = i8259_read,
     .write = i8259_write,
     .port = true},
    {.name = "i8259-elcr",
     .size = 1,
     .max_access = 1,
     .read = elcr_read,
     .write = elcr_write,
     .port = true},
};

static const struct device_class i8259_class = {
    .name = "i8259",
    .interrupts = true,
    .description = "Programmable interrupt controller",
    .manual = "Intel 231468 (8259A), 290550 (PIIX3)",
    .state_size = sizeof(struct i8259),
    .regions = i8259_regions,
    .n_regions = ARRAY_SIZE(i8259_regions),
    .fields = i8259_fields,
    .n_fields = ARRAY_SIZE(i8259_fields),
    .n_irq_in = 8,
    .n_irq_out = 1,
    .init = i8259_init,
    .reset = i8259_update,
    .irq_in = i8259_irq_in,
};
REGISTER(device_class, i8259_class);
