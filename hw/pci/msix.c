/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X; PCI Local Bus Specification 3.0, section 6.8.2. */
#include "hw/pci/msix.h"

enum {
    CAPABILITY_MSIX = 0x11,
    CONTROL = 2,
    CONTROL_ENABLE = 0x8000,
    CONTROL_MASK = 0x4000,
    TABLE = 4,
    PENDING = 8,
    PENDING_AT = PCI_MSIX_BYTES / 2, /* of the BAR */
    ENTRY_ADDRESS = 0,
    ENTRY_ADDRESS_HIGH = 1,
    ENTRY_DATA = 2,
    ENTRY_CONTROL = 3,
    ENTRY_MASKED = 1,
};

void pci_msix_init(struct device *d, struct pci_msix *x, unsigned offset, unsigned bar,
                   unsigned n_vectors)
{
    x->offset = (uint8_t)offset;
    x->n_vectors = (uint8_t)MIN(n_vectors, (unsigned)PCI_MSIX_MAX);
    pci_add_capability(d, CAPABILITY_MSIX, offset);
    pci_set(d, offset + CONTROL, 2, x->n_vectors - 1u);
    pci_set_writable(d, offset + CONTROL, 2, CONTROL_ENABLE | CONTROL_MASK);
    pci_set(d, offset + TABLE, 4, bar);
    pci_set(d, offset + PENDING, 4, PENDING_AT | bar);
    d->pci->msix = (uint8_t)offset;
}

/* Takes the capability out of the list: a driver that switched to messages would wait for ever. */
static void hide(struct device *d, const struct pci_msix *x)
{
    unsigned link = PCI_CAPABILITIES;

    for (unsigned at = pci_get(d, link, 1); at; at = pci_get(d, link, 1)) {
        if (at == x->offset) {
            pci_set(d, link, 1, pci_get(d, at + 1, 1));
            return;
        }
        link = at + 1;
    }
}

void pci_msix_reset(struct device *d, struct pci_msix *x)
{
    for (unsigned i = 0; i < x->n_vectors; i++)
        x->table[i * 4 + ENTRY_CONTROL] = ENTRY_MASKED;
    if (x->n_vectors && (!d->pci->bus || !d->pci->bus->msi))
        hide(d, x);
}

static unsigned control(const struct device *d, const struct pci_msix *x)
{
    return x->n_vectors ? pci_get(d, x->offset + CONTROL, 2) : 0;
}

bool pci_msix_enabled(const struct device *d, const struct pci_msix *x)
{
    return (control(d, x) & CONTROL_ENABLE) != 0;
}

void pci_msix_send(struct device *d, struct pci_msix *x, unsigned vector)
{
    const uint32_t *entry = &x->table[vector % PCI_MSIX_MAX * 4];

    if (vector >= x->n_vectors || !pci_msix_enabled(d, x))
        return;
    if ((control(d, x) & CONTROL_MASK) || (entry[ENTRY_CONTROL] & ENTRY_MASKED)) {
        x->pending |= 1u << vector;
        return;
    }
    x->pending &= ~(1u << vector);
    if (d->pci->bus && d->pci->bus->msi)
        d->pci->bus->msi(d->machine,
                         entry[ENTRY_ADDRESS] | (uint64_t)entry[ENTRY_ADDRESS_HIGH] << 32,
                         entry[ENTRY_DATA]);
}

void pci_msix_update(struct device *d, struct pci_msix *x)
{
    for (unsigned i = 0; i < x->n_vectors; i++) {
        if (x->pending & 1u << i)
            pci_msix_send(d, x, i);
    }
}

uint32_t pci_msix_read(const struct pci_msix *x, uint64_t offset)
{
    if (offset / 16 < x->n_vectors)
        return x->table[offset / 4];
    return offset == PENDING_AT ? x->pending : 0;
}

void pci_msix_write(struct device *d, struct pci_msix *x, uint64_t offset, uint32_t value)
{
    static const uint32_t writable[4] = {0xfffffffc, 0xffffffff, 0xffffffff, ENTRY_MASKED};

    if (offset / 16 >= x->n_vectors)
        return;
    x->table[offset / 4] = value & writable[offset / 4 % 4];
    pci_msix_update(d, x);
}
