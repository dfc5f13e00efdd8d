/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PrimeCell Advanced Audio CODEC interface PL041 (DDI 0173) with an LM4549 AC'97 codec's register
 * file behind slots 1 and 2. Samples are consumed at the codec's rate and go nowhere: there is no
 * host sound yet. Output 0: the combined interrupt.
 */
#include <string.h>

#include "hw/device.h"
#include "hw/primecell.h"
#include "util/bits.h"

enum {
    CHANNEL_STRIDE = 0x14,
    CHANNELS_END = 4 * CHANNEL_STRIDE,
    RXCR = 0x00, /* in each channel */
    TXCR = 0x04,
    SR = 0x08,
    ISR = 0x0c,
    IE = 0x10,
    SL1RX = 0x50,
    SL1TX = 0x54,
    SL2RX = 0x58,
    SL2TX = 0x5c,
    SL12RX = 0x60,
    SL12TX = 0x64,
    SLFR = 0x68,
    SLISTAT = 0x6c,
    SLIEN = 0x70,
    INTCLR = 0x74,
    MAINCR = 0x78,
    RESET = 0x7c,
    SYNC = 0x80,
    ALLINTS = 0x84,
    MAINFR = 0x88,
    FIFO_FIRST = 0x90,
    FIFO_LAST = 0x18c,
    N_CHANNELS = 4,
};
enum {

    SLFR_1RX_VALID = 1 << 6,
    SLFR_1TX_EMPTY = 1 << 7,
    SLFR_2RX_VALID = 1 << 8,
    SLFR_2TX_EMPTY = 1 << 9,
    SLFR_12TX_EMPTY = 1 << 11,
};
enum { SR_RX_EMPTY = 1 << 0, SR_TX_EMPTY = 1 << 1, SR_TX_HALF_EMPTY = 1 << 3 };
enum { CODEC_READ = 1 << 19, CODEC_REGISTERS = 64 };

struct pl041 {
    uint32_t rx_control[N_CHANNELS], tx_control[N_CHANNELS], interrupt_enable[N_CHANNELS];
    uint32_t slot1_rx, slot1_tx, slot2_rx, slot2_tx, slot12_tx;
    uint32_t slot_flags, slot_interrupt_enable, main_control, reset_line, sync;
    uint16_t codec[CODEC_REGISTERS];
};

static const struct device_field pl041_fields[] = {
    DEVICE_ARRAY(struct pl041, rx_control, DEVICE_U32, N_CHANNELS, 0),
    DEVICE_ARRAY(struct pl041, tx_control, DEVICE_U32, N_CHANNELS, 0),
    DEVICE_ARRAY(struct pl041, interrupt_enable, DEVICE_U32, N_CHANNELS, 0),
    DEVICE_FIELD(struct pl041, slot1_rx, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, slot1_tx, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, slot2_rx, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, slot2_tx, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, slot12_tx, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, slot_flags, DEVICE_U32,
                 SLFR_1TX_EMPTY | SLFR_2TX_EMPTY | SLFR_12TX_EMPTY),
    DEVICE_FIELD(struct pl041, slot_interrupt_enable, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, main_control, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, reset_line, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl041, sync, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl041, codec, DEVICE_U16, CODEC_REGISTERS, 0),
};

/* LM4549 data sheet, register map: power-on values. */
static void codec_reset(struct pl041 *s)
{
    static const struct {
        uint8_t reg;
        uint16_t value;
    } defaults[] = {
        {0x00, 0x0d50}, {0x02, 0x8008}, {0x04, 0x8000}, {0x06, 0x8000}, {0x0a, 0x0000},
        {0x0c, 0x8008}, {0x0e, 0x8008}, {0x10, 0x8808}, {0x12, 0x8808}, {0x14, 0x8808},
        {0x16, 0x8808}, {0x18, 0x8808}, {0x1a, 0x0000}, {0x1c, 0x8000}, {0x20, 0x0000},
        {0x22, 0x0101}, {0x26, 0x000f}, {0x28, 0x0001}, {0x2a, 0x0000}, {0x2c, 0xbb80},
        {0x32, 0xbb80}, {0x7c, 0x4e53}, {0x7e, 0x4331},
    };

    memset(s->codec, 0, sizeof(s->codec));
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        s->codec[defaults[i].reg / 2] = defaults[i].value;
}

static void codec_write(struct pl041 *s, unsigned reg, uint16_t value)
{
    if (reg == 0)
        codec_reset(s);
    else if (reg == 0x26) /* the ready bits are read-only */
        s->codec[reg / 2] = (uint16_t)((value & 0xff00) | 0xf);
    else if (reg == 0x2a) { /* variable rate off: back to 48 kHz */
        s->codec[0x2a / 2] = value & 1;
        if (!(value & 1))
            s->codec[0x2c / 2] = 0xbb80;
    } else if (reg != 0x28 && reg < 0x7c)
        s->codec[reg / 2] = value;
}

/* A frame with slot 1 (command address) and, for a write, slot 2 (data) has gone out. */
static void codec_command(struct pl041 *s)
{
    unsigned reg = extract32(s->slot1_tx, 12, 7) & 0x7e;

    if (s->slot1_tx & CODEC_READ) {
        s->slot1_rx = reg << 12;
        s->slot2_rx = (uint32_t)s->codec[reg / 2] << 4;
        s->slot_flags |= SLFR_1RX_VALID | SLFR_2RX_VALID;
    } else {
        codec_write(s, reg, (uint16_t)(s->slot2_tx >> 4));
    }
}

static void update_line(struct device *d)
{
    const struct pl041 *s = d->state;
    /* SLIEN: 1TX complete, 1RX valid, 2TX, 2RX, ...; transmission is immediate. */
    uint32_t slots =
        (s->slot_flags & SLFR_1TX_EMPTY ? 1 : 0) | (s->slot_flags & SLFR_1RX_VALID ? 2 : 0) |
        (s->slot_flags & SLFR_2TX_EMPTY ? 4 : 0) | (s->slot_flags & SLFR_2RX_VALID ? 8 : 0);

    device_irq(d, 0, (s->main_control & 1) && (slots & s->slot_interrupt_enable));
}

static uint64_t channel_read(const struct pl041 *s, unsigned channel, unsigned reg)
{
    switch (reg) {
    case RXCR:
        return s->rx_control[channel];
    case TXCR:
        return s->tx_control[channel];
    case SR:
        return SR_RX_EMPTY | SR_TX_EMPTY | SR_TX_HALF_EMPTY;
    case IE:
        return s->interrupt_enable[channel];
    default:
        return 0;
    }
}

static uint64_t pl041_read(struct device *d, uint64_t offset, unsigned size)
{
    struct pl041 *s = d->state;
    uint64_t value = 0;

    if (offset >= PRIMECELL_ID) /* PeriphID3: FIFO depth of 8 */
        return primecell_id(0x00041041, offset);
    if (offset < CHANNELS_END)
        return channel_read(s, (unsigned)offset / CHANNEL_STRIDE,
                            (unsigned)offset % CHANNEL_STRIDE);
    if (offset >= FIFO_FIRST && offset <= FIFO_LAST)
        return 0;
    switch (offset) {
    case SL1RX:
        value = s->slot1_rx;
        s->slot_flags &= ~(uint32_t)SLFR_1RX_VALID;
        break;
    case SL1TX:
        return s->slot1_tx;
    case SL2RX:
        value = s->slot2_rx;
        s->slot_flags &= ~(uint32_t)SLFR_2RX_VALID;
        break;
    case SL2TX:
        return s->slot2_tx;
    case SL12TX:
        return s->slot12_tx;
    case SLFR:
        return s->slot_flags;
    case SLIEN:
        return s->slot_interrupt_enable;
    case MAINCR:
        return s->main_control;
    case RESET:
        return s->reset_line;
    case SYNC:
        return s->sync;
    case SL12RX:
    case SLISTAT:
    case ALLINTS:
    case MAINFR:
        return 0;
    default:
        log_printf(LOG_GUEST_ERROR, "pl041: read of offset 0x%x\n", (unsigned)offset);
    }
    update_line(d);
    return value;
}

static void pl041_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl041 *s = d->state;

    if (offset < CHANNELS_END) {
        unsigned channel = (unsigned)offset / CHANNEL_STRIDE;
        switch (offset % CHANNEL_STRIDE) {
        case RXCR:
            s->rx_control[channel] = value & 0x1fffffff;
            break;
        case TXCR:
            s->tx_control[channel] = value & 0x1ffff;
            break;
        case IE:
            s->interrupt_enable[channel] = value & 0x7f;
            break;
        }
    } else if (offset >= FIFO_FIRST && offset <= FIFO_LAST) {
        log_unimp_once("pl041: samples are discarded\n");
    } else {
        switch (offset) {
        case SL1TX:
            s->slot1_tx = value & 0xfffff;
            codec_command(s);
            break;
        case SL2TX:
            s->slot2_tx = value & 0xfffff;
            break;
        case SL12TX:
            s->slot12_tx = value & 0xfffff;
            break;
        case SLIEN:
            s->slot_interrupt_enable = value & 0x1ff;
            break;
        case MAINCR:
            s->main_control = value & 0x7ff;
            break;
        case RESET:
            s->reset_line = value & 1;
            break;
        case SYNC:
            s->sync = value & 1;
            break;
        case INTCLR:
            break;
        default:
            log_printf(LOG_GUEST_ERROR, "pl041: write of 0x%x to offset 0x%x\n", (unsigned)value,
                       (unsigned)offset);
        }
    }
    update_line(d);
}

static void pl041_reset(struct device *d)
{
    codec_reset(d->state);
    update_line(d);
}

static const struct device_region pl041_regions[] = {
    {.name = "pl041",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = pl041_read,
     .write = pl041_write},
};

static const struct device_class pl041_class = {
    .name = "pl041",
    .description = "ARM AC'97 audio interface",
    .manual = "ARM DDI 0173",
    .state_size = sizeof(struct pl041),
    .regions = pl041_regions,
    .n_regions = ARRAY_SIZE(pl041_regions),
    .fields = pl041_fields,
    .n_fields = ARRAY_SIZE(pl041_fields),
    .n_irq_out = 1,
    .reset = pl041_reset,
};
REGISTER(device_class, pl041_class);
