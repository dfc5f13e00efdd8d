/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82371SB PCI to ISA bridge, PIIX3 (290550): PIRQ routing and the reset control register. Output n
 * is ISA interrupt n. Decode enables and timing registers hold what is written: what they switch is
 * always there.
 */
#include "hw/machine.h"
#include "hw/pci/pci.h"

enum { PIRQ_ROUTE = 0x60, N_PIRQ = 4, ROUTE_DISABLED = 0x80, ISA_LINES = 16 };
enum { RESET_SYSTEM = 1 << 1, RESET_NOW = 1 << 2 };

struct piix3 {
    uint8_t reset_control;
    uint8_t pirq;   /* levels */
    uint16_t lines; /* outputs that are high */
};

/* The four wires are shifted by one each slot; slot 1 is not shifted. */
static unsigned piix3_route(struct device *d, unsigned slot, unsigned pin)
{
    return (slot + pin + 3) % N_PIRQ;
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

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    if (offset < PIRQ_ROUTE + N_PIRQ && offset + size > PIRQ_ROUTE)
        lines_update(d);
}

static bool piix3_init(struct device *d, struct error *err)
{
    struct pci_bus *bus = pci_bus_of(d);

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

static void piix3_reset(struct device *d)
{
    lines_update(d);
}

static const struct device_field piix3_fields[] = {
    DEVICE_FIELD(struct piix3, reset_control, DEVICE_U8, 0),
    DEVICE_KEPT(struct piix3, pirq, DEVICE_U8), /* the functions let go of their wires themselves */
    DEVICE_KEPT(struct piix3, lines, DEVICE_U16),
};

static const struct pci_class piix3_pci = {
    .vendor = 0x8086,
    .device = 0x7000,
    .class_code = 0x060100,
    .config_written = config_written,
};

static const struct device_class piix3_class = {
    .name = "piix3",
    .description = "PIIX3 PCI to ISA bridge",
    .manual = "Intel 82371SB (290550)",
    .pci = &piix3_pci,
    .state_size = sizeof(struct piix3),
    .fields = piix3_fields,
    .n_fields = ARRAY_SIZE(piix3_fields),
    .n_irq_out = ISA_LINES,
    .init = piix3_init,
    .reset = piix3_reset,
};
REGISTER(device_class, piix3_class);
