/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 82371AB (290562) 7.3, ICH9 (316972) 18.2: every transaction ends without an acknowledge. */
#include "hw/acpi/smbus.h"

enum { HOST_STATUS = 0, HOST_CONTROL = 2, HOST_LAST = 7 };
enum { STATUS_DEVICE_ERROR = 1 << 2, STATUS_CLEARED = 0xde };
enum { CONTROL_INTERRUPT = 1 << 0, CONTROL_START = 1 << 6 };

uint8_t smbus_read(const struct smbus *s, unsigned offset)
{
    return offset <= HOST_LAST ? s->registers[offset] : 0;
}

bool smbus_write(struct smbus *s, unsigned offset, uint8_t value)
{
    if (offset == HOST_STATUS)
        s->registers[offset] &= (uint8_t) ~(value & STATUS_CLEARED);
    else if (offset == HOST_CONTROL)
        s->registers[offset] = value & ~CONTROL_START;
    else if (offset <= HOST_LAST)
        s->registers[offset] = value;
    if (offset == HOST_CONTROL && (value & CONTROL_START))
        s->registers[HOST_STATUS] |= STATUS_DEVICE_ERROR;
    return (s->registers[HOST_CONTROL] & CONTROL_INTERRUPT) && s->registers[HOST_STATUS];
}
