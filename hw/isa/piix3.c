/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI to ISA bridges of PIIX3 (82371SB, 290550) and PIIX4 (82371AB, 290562): PIRQ routing and
 * the reset control register. Output n is ISA interrupt n. Decode enables and timing registers hold
 * what is written: what they switch is always there. Where the host bridge has
 * the reset control register among its configuration ports, the bus asks for it; PIIX4 decodes it
 * itself.
 *
 * Property pirq-shift: which of the four wires the board has led pin A of slot 0 to; each slot
 * shifts by one. 3 without it, so that slot 1 is not shifted.
 */
#include "hw/machine.h"
#include "hw/pci/pci.h"

enum { PIRQ_ROUTE = 0x60, N_PIRQ = 4, ROUTE_DISABLED = 0x80, ISA_LINES = 16 };
enum { SERIRQC = 0x64, TOM = 0x69, MBDMA0 = 0x76, RTCCFG = 0xcb };
enum { RESET_SYSTEM = 1 << 1, RESET_NOW = 1 << 2, RESET_PORT = 0xcf9 };

struct piix3 {
    uint8_t reset_control;
    uint8_t pirq;   /* levels */
    uint8_t shift;  /* of the board's wires */
    uint16_t lines; /* outputs that are high */
};

static unsigned piix3_route(struct device *d, unsigned slot, unsigned pin)
{
    return (slot + pin + ((const struct piix3 *)d->state)->shift) % N_PIRQ;
}

static void lines_update(struct device *d)
{
    struct piix3 *p = d->state;
    uint16_t lines = 0, changed;

    for (unsigned i = 0; i < N_PIRQ; i++) {
        uint8_t route = d->pci->config[PIRQ_ROUTE + i];
        if ((p->pirq >> i & 1) && !(route & ROUTE_DISABLED))
            lines |= (uint16_t)(1u << (route & 0xf));
    }
    changed = lines ^ p->lines;
    p->lines = lines;
    for (unsigned i = 0; i < ISA_LINES; i++) {
        if (changed >> i & 1)
            device_irq(d, i, lines >> i & 1);
    }
}

static void piix3_set_wire(struct device *d, unsigned wire, bool level)
{
    struct piix3 *p = d->state;

    p->pirq = (uint8_t)((p->pirq & ~(1u << wire)) | (unsigned)level << wire);
    lines_update(d);
}

static uint8_t reset_read(struct device *d)
{
    return ((const struct piix3 *)d->state)->reset_control;
}

/* Port 0xcf9: a reset follows when bit 2 rises; bit 1 says whether of everything. */
static void reset_write(struct device *d, uint8_t value)
{
    struct piix3 *p = d->state;

    if ((value & RESET_NOW) && !(p->reset_control & RESET_NOW))
        machine_request(d->machine, MACHINE_RESET);
    p->reset_control = value & RESET_SYSTEM;
}

static uint64_t reset_port_read(struct device *d, uint64_t offset, unsigned size)
{
    return reset_read(d);
}

static void reset_port_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    reset_write(d, (uint8_t)value);
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    if (offset < PIRQ_ROUTE + N_PIRQ && offset + size > PIRQ_ROUTE)
        lines_update(d);
}

static bool piix3_init(struct device *d, struct error *err)
{
    struct piix3 *p = d->state;
    struct pci_bus *bus = pci_bus_of(d);

    p->shift = (uint8_t)(device_prop_u64(d, "pirq-shift", 3) % N_PIRQ);

    pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_writable(d, PCI_COMMAND, 2, 0);
    pci_set(d, PCI_STATUS, 2, 0x0200);
    pci_set(d, 0x4c, 1, 0x4d);
    pci_set(d, 0x4e, 1, 0x03);
    for (unsigned i = 0x4c; i < 0x100; i++)
        pci_set_writable(d, i, 1, 0xff);
    for (unsigned i = 0; i < N_PIRQ; i++) {
        pci_set(d, PIRQ_ROUTE + i, 1, ROUTE_DISABLED);
        pci_set_writable(d, PIRQ_ROUTE + i, 1, 0x8f);
    }
    if (bus) {
        pci_bus_set_router(bus, d, piix3_route, piix3_set_wire);
        bus->reset_read = reset_read;
        bus->reset_write = reset_write;
    }
    return true;
}

/* 290562, 4.1: the defaults of what PIIX3 does not have. */
static bool piix4_init(struct device *d, struct error *err)
{
    if (!piix3_init(d, err))
        return false;
    pci_set(d, SERIRQC, 1, 0x10);
    pci_set(d, TOM, 1, 0x02);
    pci_set(d, MBDMA0, 2, 0x0404);
    pci_set(d, RTCCFG, 1, 0x21);
    return true;
}

static void piix3_reset(struct device *d)
{
    lines_update(d);
}

static void piix4_reset(struct device *d)
{
    device_place(d, 0, RESET_PORT);
    piix3_reset(d);
}

static const struct device_field piix3_fields[] = {
    DEVICE_FIELD(struct piix3, reset_control, DEVICE_U8, 0),
    DEVICE_KEPT(struct piix3, pirq, DEVICE_U8), /* the functions let go of their wires themselves */
    DEVICE_KEPT(struct piix3, lines, DEVICE_U16),
    DEVICE_KEPT(struct piix3, shift, DEVICE_U8),
};

static const struct device_region piix4_regions[] = {
    {"reset-control", 1, 1, 1, reset_port_read, reset_port_write, .port = true, .moves = true},
};

static const struct device_prop piix3_props[] = {
    {"pirq-shift", DEVICE_PROP_NUMBER},
    {NULL},
};

#define PIIX_BRIDGE(piix, class_name, what, document, id, its_regions, count)                      \
    static const struct pci_class piix##_pci = {                                                   \
        .vendor = 0x8086,                                                                          \
        .device = (id),                                                                            \
        .class_code = 0x060100,                                                                    \
        .config_written = config_written,                                                          \
    };                                                                                             \
    static const struct device_class piix##_class = {                                              \
        .name = (class_name),                                                                      \
        .props = piix3_props,                                                                      \
        .description = what " PCI to ISA bridge",                                                  \
        .manual = (document),                                                                      \
        .pci = &piix##_pci,                                                                        \
        .state_size = sizeof(struct piix3),                                                        \
        .regions = (its_regions),                                                                  \
        .n_regions = (count),                                                                      \
        .fields = piix3_fields,                                                                    \
        .n_fields = ARRAY_SIZE(piix3_fields),                                                      \
        .n_irq_out = ISA_LINES,                                                                    \
        .init = piix##_init,                                                                       \
        .reset = piix##_reset,                                                                     \
    };                                                                                             \
    REGISTER(device_class, piix##_class)
PIIX_BRIDGE(piix3, "piix3", "PIIX3", "Intel 82371SB (290550)", 0x7000, NULL, 0);
PIIX_BRIDGE(piix4, "piix4-isa", "PIIX4", "Intel 82371AB (290562)", 0x7110, piix4_regions,
            ARRAY_SIZE(piix4_regions));
