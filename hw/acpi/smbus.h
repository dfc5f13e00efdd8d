/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBus host controller of PIIX4 and ICH9, with what memories the board puts on its bus. Device
 * lock held.
 */
#ifndef CALQUE_HW_ACPI_SMBUS_H
#define CALQUE_HW_ACPI_SMBUS_H

#include "hw/device.h"

enum { SMBUS_REGISTERS = 32, SMBUS_BLOCK = 32, SMBUS_EEPROMS = 8, SMBUS_EEPROM_SIZE = 256 };

/* 24C02 memories at addresses 0x50 to 0x57. */
struct smbus_eeproms {
    uint8_t present; /* one bit each */
    uint8_t at[SMBUS_EEPROMS];
    uint8_t contents[SMBUS_EEPROMS * SMBUS_EEPROM_SIZE];
};

struct smbus {
    uint8_t registers[SMBUS_REGISTERS];
    uint8_t block[SMBUS_BLOCK];
    uint8_t block_index;
    struct smbus_eeproms *eeproms; /* NULL: nothing is on the bus */
};

uint8_t smbus_read(struct smbus *s, unsigned offset);
/* Returns whether the controller now wants its interrupt. */
bool smbus_write(struct smbus *s, unsigned offset, uint8_t value);

#define SMBUS_FIELDS(state, member)                                                                \
    DEVICE_ARRAY(state, member.registers, DEVICE_U8, SMBUS_REGISTERS, 0),                          \
        DEVICE_ARRAY(state, member.block, DEVICE_U8, SMBUS_BLOCK, 0),                              \
        DEVICE_FIELD(state, member.block_index, DEVICE_U8, 0)

#endif
