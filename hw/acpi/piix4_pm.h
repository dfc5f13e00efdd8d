/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The power management function of PIIX4 as boards see it. */
#ifndef CALQUE_HW_ACPI_PIIX4_PM_H
#define CALQUE_HW_ACPI_PIIX4_PM_H

#include "hw/acpi/smbus.h"

/* Puts a memory with these SMBUS_EEPROM_SIZE bytes at address 0x50 + n; kept over resets. */
void piix4_pm_set_eeprom(struct device *d, unsigned n, const uint8_t *contents);

#endif
