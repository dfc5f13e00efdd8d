/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixed ACPI hardware of PIIX4 and ICH9 (ACPI 6.4, 4.8): PM1 events and control, the power
 * management timer, one block of general purpose events, the SMI command port's switch, the power
 * button. The system control interrupt goes out where `sci` says.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_ACPI_PM_H
#define CALQUE_HW_ACPI_PM_H

#include "hw/device.h"

enum { ACPI_GPE_MAX = 8, ACPI_PM_TIMER_HZ = 3579545 };

struct acpi_pm {
    uint16_t status, enable, control;
    uint8_t gpe_status[ACPI_GPE_MAX], gpe_enable[ACPI_GPE_MAX];
    uint8_t smi_command, smi_status; /* ports 0xb2, 0xb3 */
    struct timer overflow;           /* the timer's next change of bit 23 */
    unsigned sci;                    /* the device's output for the interrupt */
};

void acpi_pm_init(struct device *d, struct acpi_pm *pm, void (*overflow)(void *device));
void acpi_pm_overflow(struct device *d, struct acpi_pm *pm);
void acpi_pm_reset(struct device *d, struct acpi_pm *pm);
void acpi_pm_button(struct device *d, struct acpi_pm *pm);
/* Offsets 0 to 11 of the PM block. */
uint32_t acpi_pm_read(struct device *d, struct acpi_pm *pm, unsigned offset, unsigned size);
void acpi_pm_write(struct device *d, struct acpi_pm *pm, unsigned offset, uint32_t value,
                   unsigned size);
/* n bytes of status followed by n of enables. */
uint32_t acpi_gpe_read(struct acpi_pm *pm, unsigned n, unsigned offset, unsigned size);
void acpi_gpe_write(struct device *d, struct acpi_pm *pm, unsigned n, unsigned offset,
                    uint32_t value, unsigned size);
/* Ports 0xb2 and 0xb3. */
uint32_t acpi_smi_read(struct acpi_pm *pm, unsigned offset, unsigned size);
void acpi_smi_write(struct device *d, struct acpi_pm *pm, unsigned offset, uint32_t value,
                    unsigned size);

#define ACPI_PM_FIELDS(state, member)                                                              \
    DEVICE_FIELD(state, member.status, DEVICE_U16, 0),                                             \
        DEVICE_FIELD(state, member.enable, DEVICE_U16, 0),                                         \
        DEVICE_FIELD(state, member.control, DEVICE_U16, 0),                                        \
        DEVICE_ARRAY(state, member.gpe_status, DEVICE_U8, ACPI_GPE_MAX, 0),                        \
        DEVICE_ARRAY(state, member.gpe_enable, DEVICE_U8, ACPI_GPE_MAX, 0),                        \
        DEVICE_FIELD(state, member.smi_command, DEVICE_U8, 0),                                     \
        DEVICE_FIELD(state, member.smi_status, DEVICE_U8, 0),                                      \
        DEVICE_FIELD(state, member.overflow, DEVICE_TIMER, 0)

#endif
