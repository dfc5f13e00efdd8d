/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PrimeCell PS/2 keyboard/mouse interface PL050 (DDI 0143). Properties: mouse=on for the mouse
 * port.
 */
#include "hw/input/ps2.h"
#include "hw/machine.h"
#include "hw/primecell.h"

enum { KMI_CR = 0x00, KMI_STAT = 0x04, KMI_DATA = 0x08, KMI_CLKDIV = 0x0c, KMI_IR = 0x10 };
enum { CR_ENABLE = 1 << 2, CR_TX_INT = 1 << 3, CR_RX_INT = 1 << 4, CR_MASK = 0x3f };
enum {
    STAT_DATA_IN = 1 << 0,
    STAT_CLOCK_IN = 1 << 1,
    STAT_PARITY = 1 << 2,
    STAT_RX_FULL = 1 << 4,
    STAT_TX_EMPTY = 1 << 6,
};
enum { IR_RX = 1, IR_TX = 2 };

struct pl050 {
    uint32_t control, divisor;
    uint8_t data;
    struct ps2 ps2;
};

static const struct device_field pl050_fields[] = {
    DEVICE_FIELD(struct pl050, control, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl050, divisor, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl050, data, DEVICE_U8, 0),
    PS2_FIELDS(struct pl050, ps2),
};

static uint32_t interrupts(const struct pl050 *s)
{
    return (ps2_has_data(&s->ps2) ? IR_RX : 0) | IR_TX; /* a byte is sent in no time */
}

static void update_line(void *opaque)
{
    struct device *d = opaque;
    const struct pl050 *s = d->state;
    uint32_t raw = interrupts(s);

    device_irq(d, 0,
               (s->control & CR_ENABLE) && (((raw & IR_RX) && (s->control & CR_RX_INT)) ||
                                            ((raw & IR_TX) && (s->control & CR_TX_INT))));
}

static uint64_t pl050_read(struct device *d, uint64_t offset, unsigned size)
{
    struct pl050 *s = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(0x00041050, offset);
    switch (offset) {
    case KMI_CR:
        return s->control;
    case KMI_STAT: {
        uint32_t parity = __builtin_parity(s->data) ? 0 : STAT_PARITY; /* odd over all nine bits */
        return STAT_DATA_IN | STAT_CLOCK_IN | STAT_TX_EMPTY | parity |
               (ps2_has_data(&s->ps2) ? STAT_RX_FULL : 0);
    }
    case KMI_DATA:
        if (ps2_has_data(&s->ps2))
            s->data = ps2_read(&s->ps2);
        update_line(d);
        return s->data;
    case KMI_CLKDIV:
        return s->divisor;
    case KMI_IR:
        return interrupts(s);
    }
    log_printf(LOG_GUEST_ERROR, "pl050: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void pl050_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl050 *s = d->state;

    switch (offset) {
    case KMI_CR:
        s->control = value & CR_MASK;
        break;
    case KMI_DATA:
        if (s->control & CR_ENABLE)
            ps2_write(&s->ps2, (uint8_t)value);
        break;
    case KMI_CLKDIV:
        s->divisor = value & 0xf;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "pl050: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    update_line(d);
}

static bool pl050_init(struct device *d, struct error *err)
{
    struct pl050 *s = d->state;

    ps2_init(&s->ps2, device_prop_on(d, "mouse", false), update_line, d);
    if (!ps2_attach(&s->ps2, &d->machine->input))
        return error_set(err, "%s: there are too many input devices", d->id);
    return true;
}

static void pl050_finish(struct device *d)
{
    struct pl050 *s = d->state;

    ps2_detach(&s->ps2);
}

static void pl050_reset(struct device *d)
{
    struct pl050 *s = d->state;

    ps2_reset(&s->ps2);
    update_line(d);
}

static const struct device_region pl050_regions[] = {
    {.name = "pl050",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = pl050_read,
     .write = pl050_write},
};

static const struct device_prop pl050_props[] = {
    {"mouse", DEVICE_PROP_SWITCH},
    {NULL},
};

static const struct device_class pl050_class = {
    .name = "pl050",
    .props = pl050_props,
    .description = "ARM PS/2 keyboard and mouse interface",
    .manual = "ARM DDI 0143",
    .state_size = sizeof(struct pl050),
    .regions = pl050_regions,
    .n_regions = ARRAY_SIZE(pl050_regions),
    .fields = pl050_fields,
    .n_fields = ARRAY_SIZE(pl050_fields),
    .n_irq_out = 1,
    .init = pl050_init,
    .reset = pl050_reset,
    .finish = pl050_finish,
};
REGISTER(device_class, pl050_class);
