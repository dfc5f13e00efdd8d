/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PC boards share: the processor's interrupt side, and what firmware leaves behind. */
#ifndef CALQUE_HW_MACHINES_PC_H
#define CALQUE_HW_MACHINES_PC_H

#include "hw/machine.h"

/* The wires of the PC/AT's interrupt system: gsi to the 8259 pair and the I/O APIC. */
#define PC_GSI_TO_PIC(n)                                                                           \
    {                                                                                              \
        "gsi", n, (n) < 8 ? "pic0" : "pic1", (n) % 8                                               \
    }
#define PC_GSI_TO_IOAPIC(n)                                                                        \
    {                                                                                              \
        "gsi", 16 + (n), "ioapic", n                                                               \
    }
#define PC_INTERRUPT_WIRES                                                                         \
    PC_GSI_TO_PIC(0), PC_GSI_TO_PIC(1), PC_GSI_TO_PIC(3), PC_GSI_TO_PIC(4), PC_GSI_TO_PIC(5),      \
        PC_GSI_TO_PIC(6), PC_GSI_TO_PIC(7), PC_GSI_TO_PIC(8), PC_GSI_TO_PIC(9), PC_GSI_TO_PIC(10), \
        PC_GSI_TO_PIC(11), PC_GSI_TO_PIC(12), PC_GSI_TO_PIC(13), PC_GSI_TO_PIC(14),                \
        PC_GSI_TO_PIC(15), PC_GSI_TO_IOAPIC(0), PC_GSI_TO_IOAPIC(1), PC_GSI_TO_IOAPIC(2),          \
        PC_GSI_TO_IOAPIC(3), PC_GSI_TO_IOAPIC(4), PC_GSI_TO_IOAPIC(5), PC_GSI_TO_IOAPIC(6),        \
        PC_GSI_TO_IOAPIC(7), PC_GSI_TO_IOAPIC(8), PC_GSI_TO_IOAPIC(9), PC_GSI_TO_IOAPIC(10),       \
        PC_GSI_TO_IOAPIC(11), PC_GSI_TO_IOAPIC(12), PC_GSI_TO_IOAPIC(13), PC_GSI_TO_IOAPIC(14),    \
        PC_GSI_TO_IOAPIC(15), PC_GSI_TO_IOAPIC(16), PC_GSI_TO_IOAPIC(17), PC_GSI_TO_IOAPIC(18),    \
        PC_GSI_TO_IOAPIC(19), PC_GSI_TO_IOAPIC(20), PC_GSI_TO_IOAPIC(21), PC_GSI_TO_IOAPIC(22),    \
        PC_GSI_TO_IOAPIC(23)

/* Joins the vCPU with its local APIC and the 8259 pair. From init. */
void pc_connect_cpu(struct machine *m);

struct pci_bus;
/* Gives every BAR of the bus an address and switches decoding and mastering on, as firmware would.
 * line: the interrupt that a slot's pin reaches. */
void pc_assign_pci(struct pci_bus *bus, uint32_t memory_base,
                   unsigned (*line)(unsigned slot, unsigned pin));

#endif
