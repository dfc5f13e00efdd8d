/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wires of the Generic Interrupt Controller, for machine tables: input n is shared peripheral
 * interrupt n (interrupt ID 32 + n), private peripheral interrupts follow as GIC_PPI_LINE. Output
 * GIC_OUT(cpu) is nIRQ of that CPU interface, the next one its nFIQ.
 */
#ifndef CALQUE_HW_INTC_GICV2_H
#define CALQUE_HW_INTC_GICV2_H

enum {
    GIC_MAX_CPUS = 8,
    GIC_MAX_IRQS = 1020,
    GIC_PPI_BASE = 1024,
    GIC_N_IRQ_IN = GIC_PPI_BASE + GIC_MAX_CPUS * 32,
    GIC_N_IRQ_OUT = GIC_MAX_CPUS * 2,
};

/* id: 16..31 */
#define GIC_PPI_LINE(cpu, id) (GIC_PPI_BASE + (cpu)*32 + (id))
#define GIC_OUT(cpu) ((cpu)*2)

#endif
