/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82371AB (290562) 7.3, ICH9 (316972) 18.2; System Management Bus Specification 1.1. A transaction
 * is over when it has started; where nobody answers it ends without an acknowledge.
 */
#include "hw/acpi/smbus.h"

enum smbus_register {
    HOST_STATUS,
    HOST_CONTROL = 2,
    HOST_COMMAND,
    HOST_ADDRESS,
    HOST_DATA0,
    HOST_DATA1,
    HOST_BLOCK,
    HOST_LAST = HOST_BLOCK,
};
enum { STATUS_DONE = 1 << 1, STATUS_DEVICE_ERROR = 1 << 2, STATUS_CLEARED = 0xde };
enum { CONTROL_INTERRUPT = 1 << 0, CONTROL_START = 1 << 6 };
enum smbus_protocol { QUICK, BYTE, BYTE_DATA, WORD_DATA, PROCESS_CALL, BLOCK };
enum { FIRST_EEPROM = 0x50 };

/* One byte between the host and a memory, whose address counter moves on. */
static void move_byte(struct smbus_eeproms *e, unsigned n, bool read, uint8_t *byte)
{
    uint8_t *cell = &e->contents[n * SMBUS_EEPROM_SIZE + e->at[n]++];

    if (read)
        *byte = *cell;
    else
        *cell = *byte;
}

/* The count goes over the bus first. */
static bool move_block(struct smbus *s, unsigned n, bool read)
{
    uint8_t *count = &s->registers[HOST_DATA0];

    move_byte(s->eeproms, n, read, count);
    s->block_index = 0;
    if (!*count || *count > SMBUS_BLOCK)
        return false;
    for (unsigned i = 0; i < *count; i++)
        move_byte(s->eeproms, n, read, &s->block[i]);
    return true;
}

static bool transact(struct smbus *s)
{
    unsigned address = s->registers[HOST_ADDRESS] >> 1, n = address - FIRST_EEPROM;
    enum smbus_protocol protocol = s->registers[HOST_CONTROL] >> 2 & 7;
    bool read = s->registers[HOST_ADDRESS] & 1;

    if (!s->eeproms || address < FIRST_EEPROM || n >= SMBUS_EEPROMS ||
        !(s->eeproms->present >> n & 1))
        return false;
    if (protocol != QUICK && !(protocol == BYTE && read))
        s->eeproms->at[n] = s->registers[HOST_COMMAND];
    switch (protocol) {
    case QUICK:
        return true;
    case BYTE:
        if (read)
            move_byte(s->eeproms, n, true, &s->registers[HOST_DATA0]);
        return true;
    case BYTE_DATA:
    case WORD_DATA:
        move_byte(s->eeproms, n, read, &s->registers[HOST_DATA0]);
        if (protocol == WORD_DATA)
            move_byte(s->eeproms, n, read, &s->registers[HOST_DATA1]);
        return true;
    case BLOCK:
        return move_block(s, n, read);
    default: /* a memory knows no process calls */
        return false;
    }
}

/* Reading the control register goes to the beginning of the block (290562, 7.3.3). */
uint8_t smbus_read(struct smbus *s, unsigned offset)
{
    if (offset == HOST_CONTROL)
        s->block_index = 0;
    if (offset == HOST_BLOCK)
        return s->block[s->block_index++ % SMBUS_BLOCK];
    return offset <= HOST_LAST ? s->registers[offset] : 0;
}

bool smbus_write(struct smbus *s, unsigned offset, uint8_t value)
{
    if (offset == HOST_STATUS)
        s->registers[offset] &= (uint8_t) ~(value & STATUS_CLEARED);
    else if (offset == HOST_CONTROL)
        s->registers[offset] = value & ~CONTROL_START;
    else if (offset == HOST_BLOCK)
        s->block[s->block_index++ % SMBUS_BLOCK] = value;
    else if (offset < HOST_LAST)
        s->registers[offset] = value;
    if (offset == HOST_CONTROL && (value & CONTROL_START))
        s->registers[HOST_STATUS] |= transact(s) ? STATUS_DONE : STATUS_DEVICE_ERROR;
    return (s->registers[HOST_CONTROL] & CONTROL_INTERRUPT) && s->registers[HOST_STATUS];
}
