/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O APIC (Intel 82093AA, 290566) with 24 inputs. Property version: 0x11 (default) or 0x20, which
 * has the EOI register of later chip sets (ICH9, 13.5.4).
 *
 * A wire of ours is true when its device asks, whatever voltage that is on a board: the polarity
 * bits are kept but change nothing.
 */
#include "hw/device.h"
#include "hw/intc/apic.h"
#include "util/bits.h"

enum { IOREGSEL = 0x00, IOWIN = 0x10, IOEOI = 0x40 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_ENTRIES = 0x10 };
enum { N_PINS = 24 };

enum {
    ENTRY_LOGICAL = 1 << 11,
    ENTRY_REMOTE_IRR = 1 << 14,
    ENTRY_LEVEL = 1 << 15,
    ENTRY_MASKED = 1 << 16,
    ENTRY_WRITABLE = 0x1afff,
};

struct ioapic {
    uint8_t select;
    uint32_t id, version;
    uint32_t low[N_PINS], high[N_PINS]; /* redirection table */
    uint32_t lines;
};

static void pin_send(struct device *d, unsigned pin)
{
    const struct ioapic *s = d->state;
    uint32_t low = s->low[pin];
    struct apic_message message = {
        .destination = s->high[pin] >> 24,
        .logical = low & ENTRY_LOGICAL,
        .level = low & ENTRY_LEVEL,
        .delivery = extract32(low, 8, 3),
        .vector = (uint8_t)low,
    };

    apic_deliver(d->machine, &message);
}

/* A level-triggered pin sends once, and again after its EOI if it still asks. */
static void level_service(struct device *d, unsigned pin)
{
    struct ioapic *s = d->state;
    uint32_t low = s->low[pin];

    if (!(low & ENTRY_LEVEL) || (low & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !(s->lines >> pin & 1))
        return;
    s->low[pin] |= ENTRY_REMOTE_IRR;
    pin_send(d, pin);
}

static void ioapic_irq_in(struct device *d, unsigned line, bool level)
{
    struct ioapic *s = d->state;
    bool rises = level && !(s->lines >> line & 1);

    s->lines = deposit32(s->lines, line, 1, level);
    if (s->low[line] & ENTRY_LEVEL)
        level_service(d, line);
    else if (rises && !(s->low[line] & ENTRY_MASKED)) /* an edge at a masked pin is lost */
        pin_send(d, line);
}

static void ioapic_eoi(struct device *d, uint8_t vector)
{
    struct ioapic *s = d->state;

    for (unsigned pin = 0; pin < N_PINS; pin++) {
        if ((s->low[pin] & 0xff) != vector || !(s->low[pin] & ENTRY_REMOTE_IRR))
            continue;
        s->low[pin] &= ~(uint32_t)ENTRY_REMOTE_IRR;
        level_service(d, pin);
    }
}

static void entry_write(struct device *d, unsigned pin, bool high, uint32_t value)
{
    struct ioapic *s = d->state;

    if (high) {
        s->high[pin] = value & 0xff000000;
        return;
    }
    s->low[pin] = (value & ENTRY_WRITABLE) | (s->low[pin] & ENTRY_REMOTE_IRR);
    /* Without level triggering there is nothing to remember: drivers of chips without the EOI
     * register clear a stuck bit that way. */
    if (!(value & ENTRY_LEVEL))
        s->low[pin] &= ~(uint32_t)ENTRY_REMOTE_IRR;
    level_service(d, pin);
}

static uint32_t window_read(const struct ioapic *s)
{
    unsigned entry = s->select - REG_ENTRIES;

    switch (s->select) {
    case REG_ID:
    case REG_ARBITRATION:
        return s->id << 24;
    case REG_VERSION:
        return (N_PINS - 1) << 16 | s->version;
    }
    if (s->select < REG_ENTRIES || entry >= 2 * N_PINS) {
        log_printf(LOG_GUEST_ERROR, "ioapic: read of register 0x%02x\n", s->select);
        return 0;
    }
    return entry & 1 ? s->high[entry / 2] : s->low[entry / 2];
}

static void window_write(struct device *d, uint32_t value)
{
    struct ioapic *s = d->state;
    unsigned entry = s->select - REG_ENTRIES;

    if (s->select == REG_ID)
        s->id = extract32(value, 24, 4);
    else if (s->select >= REG_ENTRIES && entry < 2 * N_PINS)
        entry_write(d, entry / 2, entry & 1, value);
    else
        log_printf(LOG_GUEST_ERROR, "ioapic: write of 0x%x to register 0x%02x\n", value, s->select);
}

static uint64_t ioapic_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct ioapic *s = d->state;

    if (offset == IOREGSEL)
        return s->select;
    if (offset == IOWIN)
        return window_read(s);
    return 0;
}

static void ioapic_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct ioapic *s = d->state;

    if (offset == IOREGSEL)
        s->select = (uint8_t)value;
    else if (offset == IOWIN)
        window_write(d, (uint32_t)value);
    else if (offset == IOEOI && s->version >= 0x20)
        ioapic_eoi(d, (uint8_t)value);
    else
        log_printf(LOG_GUEST_ERROR, "ioapic: write of 0x%x at offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
}

static bool ioapic_init(struct device *d, struct error *err)
{
    struct ioapic *s = d->state;

    s->version = (uint32_t)device_prop_u64(d, "version", 0x11);
    if (s->version != 0x11 && s->version != 0x20)
        return error_set(err, "%s: version must be 0x11 or 0x20", d->id);
    return true;
}

static void ioapic_reset(struct device *d)
{
    apic_on_eoi(d->machine, d, ioapic_eoi);
}

static const struct device_field ioapic_fields[] = {
    DEVICE_FIELD(struct ioapic, select, DEVICE_U8, 0),
    DEVICE_FIELD(struct ioapic, id, DEVICE_U32, 0),
    DEVICE_KEPT(struct ioapic, version, DEVICE_U32),
    DEVICE_ARRAY(struct ioapic, low, DEVICE_U32, N_PINS, ENTRY_MASKED),
    DEVICE_ARRAY(struct ioapic, high, DEVICE_U32, N_PINS, 0),
    DEVICE_FIELD(struct ioapic, lines, DEVICE_U32, 0),
};

static const struct device_region ioapic_regions[] = {
    {.name = "ioapic",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = ioapic_read,
     .write = ioapic_write},
};

static const struct device_prop ioapic_props[] = {
    {"version", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class ioapic_class = {
    .name = "ioapic",
    .props = ioapic_props,
    .interrupts = true,
    .description = "I/O APIC",
    .manual = "Intel 290566 (82093AA)",
    .state_size = sizeof(struct ioapic),
    .regions = ioapic_regions,
    .n_regions = ARRAY_SIZE(ioapic_regions),
    .fields = ioapic_fields,
    .n_fields = ARRAY_SIZE(ioapic_fields),
    .n_irq_in = N_PINS,
    .init = ioapic_init,
    .reset = ioapic_reset,
    .irq_in = ioapic_irq_in,
};
REGISTER(device_class, ioapic_class);
