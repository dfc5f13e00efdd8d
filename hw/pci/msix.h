/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X (PCI Local Bus Specification 3.0, 6.8.2): several message-signalled interrupts for a
 * function. Table and pending bits are a page of a BAR, PCI_MSIX_BYTES; the function gives its
 * callbacks to pci_msix_read and pci_msix_write. On a bus without messages the capability is not
 * there.
 */
#ifndef CALQUE_HW_PCI_MSIX_H
#define CALQUE_HW_PCI_MSIX_H

#include "hw/pci/pci.h"

enum { PCI_MSIX_MAX = 32, PCI_MSIX_BYTES = 0x1000 };

struct pci_msix {
    uint8_t offset; /* of the capability */
    uint8_t n_vectors;
    uint32_t pending;
    uint32_t table[PCI_MSIX_MAX * 4];
};
#define PCI_MSIX_FIELDS(struct_type, member)                                                       \
    DEVICE_FIELD(struct_type, member.pending, DEVICE_U32, 0),                                      \
        DEVICE_ARRAY(struct_type, member.table, DEVICE_U32, PCI_MSIX_MAX * 4, 0)

/* In `init`: a capability of 12 bytes at `offset`, the last in its list. */
void pci_msix_init(struct device *d, struct pci_msix *x, unsigned offset, unsigned bar,
                   unsigned n_vectors);
void pci_msix_reset(struct device *d, struct pci_msix *x); /* after its fields were */
bool pci_msix_enabled(const struct device *d, const struct pci_msix *x);
void pci_msix_send(struct device *d, struct pci_msix *x, unsigned vector);
/* Configuration space was written: what was masked goes out. */
void pci_msix_update(struct device *d, struct pci_msix *x);
uint32_t pci_msix_read(const struct pci_msix *x, uint64_t offset);
void pci_msix_write(struct device *d, struct pci_msix *x, uint64_t offset, uint32_t value);

#endif
