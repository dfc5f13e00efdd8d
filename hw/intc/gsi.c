/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's system interrupt lines: what a device asserts reaches both interrupt controllers, and
 * software decides which of them listens. Inputs 0-23; outputs 0-15 go to the 8259 pair (2 is its
 * cascade and drives nothing), 16-39 to the I/O APIC, where ISA interrupt 0 is on pin 2 (ACPI 6.5,
 * 5.2.12.5: the override that every PC's tables declare).
 */
#include "hw/device.h"

enum { GSI_LINES = 24, PIC_LINES = 16, TIMER = 0, CASCADE = 2, IOAPIC_OUT = PIC_LINES };

struct gsi {
    uint32_t lines;
};

static void gsi_irq_in(struct device *d, unsigned line, bool level)
{
    struct gsi *g = d->state;

    g->lines = level ? g->lines | 1u << line : g->lines & ~(1u << line);
    if (line < PIC_LINES && line != CASCADE)
        device_irq(d, line, level);
    if (line == TIMER || line == CASCADE)
        device_irq(d, IOAPIC_OUT + CASCADE, (g->lines & (1u << TIMER | 1u << CASCADE)) != 0);
    else
        device_irq(d, IOAPIC_OUT + line, level);
}

static const struct device_field gsi_fields[] = {
    DEVICE_FIELD(struct gsi, lines, DEVICE_U32, 0),
};

static const struct device_class gsi_class = {
    .name = "gsi",
    .interrupts = true,
    .description = "System interrupt lines of a PC",
    .manual = "ACPI 6.5, 5.2.12.5",
    .state_size = sizeof(struct gsi),
    .fields = gsi_fields,
    .n_fields = ARRAY_SIZE(gsi_fields),
    .n_irq_in = GSI_LINES,
    .n_irq_out = PIC_LINES + GSI_LINES,
    .irq_in = gsi_irq_in,
};
REGISTER(device_class, gsi_class);
