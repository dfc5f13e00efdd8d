/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SMBus host controller of PIIX4 and ICH9, with nothing on its bus. Device lock held. */
#ifndef CALQUE_HW_ACPI_SMBUS_H
#define CALQUE_HW_ACPI_SMBUS_H

#include "hw/device.h"

enum { SMBUS_REGISTERS = 32 };

struct smbus {
    uint8_t registers[SMBUS_REGISTERS];
};

uint8_t smbus_read(const struct smbus *s, unsigned offset);
/* Returns whether the controller now wants its interrupt. */
bool smbus_write(struct smbus *s, unsigned offset, uint8_t value);

#endif
