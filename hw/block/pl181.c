/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PrimeCell multimedia card interfaces PL180 and PL181 (DDI 0172, DDI 0205). The card in the slot,
 * if any, is the device's backend (struct sd_card). Outputs: 0 MCIINTR0, 1 MCIINTR1, 2 card detect,
 * 3 write protect.
 */
#include "hw/block/sd_bus.h"
#include "hw/device.h"
#include "hw/primecell.h"
#include "util/bits.h"

enum {
    MCI_POWER = 0x00,
    MCI_CLOCK = 0x04,
    MCI_ARGUMENT = 0x08,
    MCI_COMMAND = 0x0c,
    MCI_RESP_CMD = 0x10,
    MCI_RESPONSE0 = 0x14, /* to 3 at 0x20 */
    MCI_DATA_TIMER = 0x24,
    MCI_DATA_LENGTH = 0x28,
    MCI_DATA_CTRL = 0x2c,
    MCI_DATA_CNT = 0x30,
    MCI_STATUS = 0x34,
    MCI_CLEAR = 0x38,
    MCI_MASK0 = 0x3c,
    MCI_MASK1 = 0x40,
    MCI_SELECT = 0x44,
    MCI_FIFO_CNT = 0x48,
    MCI_FIFO = 0x80, /* to 0xbc */
};
enum {
    COMMAND_RESPONSE = 1 << 6,
    COMMAND_LONG_RESPONSE = 1 << 7,
    COMMAND_INTERRUPT = 1 << 8,
    COMMAND_PENDING = 1 << 9,
    COMMAND_ENABLE = 1 << 10,
};
enum { DATA_ENABLE = 1, DATA_FROM_CARD = 2, DATA_STREAM = 4 };
enum {
    STATUS_CMD_CRC_FAIL = 1 << 0,
    STATUS_CMD_TIMEOUT = 1 << 2,
    STATUS_DATA_TIMEOUT = 1 << 3,
    STATUS_TX_UNDERRUN = 1 << 4,
    STATUS_RX_OVERRUN = 1 << 5,
    STATUS_CMD_RESPONSE_END = 1 << 6,
    STATUS_CMD_SENT = 1 << 7,
    STATUS_DATA_END = 1 << 8,
    STATUS_DATA_BLOCK_END = 1 << 10,
    STATUS_TX_ACTIVE = 1 << 12,
    STATUS_RX_ACTIVE = 1 << 13,
    STATUS_TX_HALF_EMPTY = 1 << 14,
    STATUS_RX_HALF_FULL = 1 << 15,
    STATUS_TX_FULL = 1 << 16,
    STATUS_RX_FULL = 1 << 17,
    STATUS_TX_EMPTY = 1 << 18,
    STATUS_RX_EMPTY = 1 << 19,
    STATUS_TX_AVAILABLE = 1 << 20,
    STATUS_RX_AVAILABLE = 1 << 21,
    STATUS_STICKY = 0x7ff, /* cleared through MCI_CLEAR */
    FIFO_WORDS = 16,
};

struct pl181 {
    uint32_t power, clock, argument, command, resp_cmd, response[4];
    uint32_t data_timer, data_length, data_ctrl, data_count, status, mask[2], select;
    uint32_t fifo[FIFO_WORDS], fifo_head, fifo_count;
    bool active; /* a data transfer runs */
};

static const struct device_field pl181_fields[] = {
    DEVICE_FIELD(struct pl181, power, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, clock, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, argument, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, command, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, resp_cmd, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl181, response, DEVICE_U32, 4, 0),
    DEVICE_FIELD(struct pl181, data_timer, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, data_length, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, data_ctrl, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, data_count, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, status, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl181, mask, DEVICE_U32, 2, 0),
    DEVICE_FIELD(struct pl181, select, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl181, fifo, DEVICE_U32, FIFO_WORDS, 0),
    DEVICE_FIELD(struct pl181, fifo_head, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, fifo_count, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl181, active, DEVICE_BOOL, 0),
};

/* The FIFO's flags, seen from the direction the transfer has; idle flags hold for transmit. */
static uint32_t status_word(const struct pl181 *s)
{
    uint32_t status = s->status & STATUS_STICKY;

    if (!s->active && !s->fifo_count)
        return status;
    if (s->data_ctrl & DATA_FROM_CARD) {
        status |= s->active ? STATUS_RX_ACTIVE : 0;
        status |= s->fifo_count ? STATUS_RX_AVAILABLE : STATUS_RX_EMPTY;
        status |= s->fifo_count >= FIFO_WORDS / 2 ? STATUS_RX_HALF_FULL : 0;
        status |= s->fifo_count == FIFO_WORDS ? STATUS_RX_FULL : 0;
    } else {
        status |= s->active ? STATUS_TX_ACTIVE : 0;
        status |= s->fifo_count ? STATUS_TX_AVAILABLE : STATUS_TX_EMPTY;
        status |= s->fifo_count <= FIFO_WORDS / 2 ? STATUS_TX_HALF_EMPTY : 0;
        status |= s->fifo_count == FIFO_WORDS ? STATUS_TX_FULL : 0;
    }
    return status;
}

static void update_lines(struct device *d)
{
    const struct pl181 *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        device_irq(d, n, status_word(s) & s->mask[n]);
}

static void send_command(struct device *d)
{
    struct pl181 *s = d->state;
    struct sd_card *card = d->backend;
    uint8_t response[16] = {0};
    int length = card ? card->ops->command(card, s->command & 0x3f, s->argument, response) : -1;

    if (!(s->command & COMMAND_RESPONSE)) {
        s->status |= STATUS_CMD_SENT;
        return;
    }
    if (length < (s->command & COMMAND_LONG_RESPONSE ? 16 : 4)) {
        s->status |= STATUS_CMD_TIMEOUT;
        return;
    }
    s->resp_cmd = s->command & 0x3f;
    for (int i = 0; i < length / 4; i++)
        s->response[i] = load_be32(response + i * 4);
    if (length == 16) /* the last bit is the CRC's end bit, read as zero */
        s->response[3] &= ~UINT32_C(1);
    s->status |= STATUS_CMD_RESPONSE_END;
}

static void finish_transfer(struct pl181 *s)
{
    s->active = false;
    s->status |= STATUS_DATA_END | STATUS_DATA_BLOCK_END;
}

/* Moves what can be moved between the FIFO and the card. */
static void pump(struct device *d)
{
    struct pl181 *s = d->state;
    struct sd_card *card = d->backend;

    if (!s->active)
        return;
    if (!card) {
        s->active = false;
        s->status |= STATUS_DATA_TIMEOUT;
        return;
    }
    bool reading = s->data_ctrl & DATA_FROM_CARD;
    while (s->data_count && (reading ? s->fifo_count < FIFO_WORDS : s->fifo_count > 0)) {
        unsigned bytes = MIN(s->data_count, 4u);
        uint8_t word[4] = {0};
        bool ok = true;
        if (!reading)
            store_le32(word, s->fifo[s->fifo_head]);
        for (unsigned i = 0; i < bytes && ok; i++)
            ok = reading ? card->ops->read(card, &word[i]) : card->ops->write(card, word[i]);
        if (!ok) {
            s->active = false;
            s->status |= STATUS_DATA_TIMEOUT;
            return;
        }
        if (reading) {
            s->fifo[(s->fifo_head + s->fifo_count++) % FIFO_WORDS] = load_le32(word);
        } else {
            s->fifo_head = (s->fifo_head + 1) % FIFO_WORDS;
            s->fifo_count--;
        }
        s->data_count -= bytes;
    }
    if (!s->data_count)
        finish_transfer(s);
}

static uint64_t pl181_read(struct device *d, uint64_t offset, unsigned size)
{
    struct pl181 *s = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(0x00041181, offset);
    if (offset >= MCI_FIFO && offset < MCI_FIFO + 4 * FIFO_WORDS) {
        uint32_t word = s->fifo[s->fifo_head];
        if (!s->fifo_count || !(s->data_ctrl & DATA_FROM_CARD)) {
            log_printf(LOG_GUEST_ERROR, "pl181: read of an empty FIFO\n");
            return 0;
        }
        s->fifo_head = (s->fifo_head + 1) % FIFO_WORDS;
        s->fifo_count--;
        pump(d);
        update_lines(d);
        return word;
    }
    switch (offset) {
    case MCI_POWER:
        return s->power;
    case MCI_CLOCK:
        return s->clock;
    case MCI_ARGUMENT:
        return s->argument;
    case MCI_COMMAND:
        return s->command;
    case MCI_RESP_CMD:
        return s->resp_cmd;
    case MCI_RESPONSE0 ... MCI_RESPONSE0 + 12:
        return s->response[(offset - MCI_RESPONSE0) / 4];
    case MCI_DATA_TIMER:
        return s->data_timer;
    case MCI_DATA_LENGTH:
        return s->data_length;
    case MCI_DATA_CTRL:
        return s->data_ctrl;
    case MCI_DATA_CNT:
        return s->data_count;
    case MCI_STATUS:
        return status_word(s);
    case MCI_MASK0:
    case MCI_MASK1:
        return s->mask[(offset - MCI_MASK0) / 4];
    case MCI_SELECT:
        return s->select;
    case MCI_FIFO_CNT: /* words still to be moved through the FIFO */
        return (s->data_count + 3) / 4 + (s->data_ctrl & DATA_FROM_CARD ? s->fifo_count : 0);
    }
    log_printf(LOG_GUEST_ERROR, "pl181: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void start_transfer(struct pl181 *s, uint32_t control)
{
    s->data_ctrl = control & 0xff;
    if (!(control & DATA_ENABLE))
        return;
    if (control & DATA_STREAM)
        log_unimp_once("pl181: stream data transfer\n");
    s->data_count = s->data_length;
    s->fifo_head = s->fifo_count = 0;
    s->active = true;
}

static void pl181_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl181 *s = d->state;

    switch (offset) {
    case MCI_POWER:
        s->power = value & 0xff;
        break;
    case MCI_CLOCK:
        s->clock = value & 0xfff;
        break;
    case MCI_ARGUMENT:
        s->argument = (uint32_t)value;
        break;
    case MCI_COMMAND:
        s->command = value & 0x7ff;
        if (value & COMMAND_ENABLE) {
            if (value & (COMMAND_INTERRUPT | COMMAND_PENDING))
                log_unimp_once("pl181: command mode 0x%x\n", (unsigned)value);
            send_command(d);
            s->command &= ~(uint32_t)COMMAND_ENABLE; /* the path state machine is idle again */
        }
        break;
    case MCI_DATA_TIMER:
        s->data_timer = (uint32_t)value;
        break;
    case MCI_DATA_LENGTH:
        s->data_length = value & 0xffff;
        break;
    case MCI_DATA_CTRL:
        start_transfer(s, (uint32_t)value);
        break;
    case MCI_CLEAR:
        s->status &= ~((uint32_t)value & STATUS_STICKY);
        break;
    case MCI_MASK0:
    case MCI_MASK1:
        s->mask[(offset - MCI_MASK0) / 4] = value & 0x3fffff;
        break;
    case MCI_SELECT:
        s->select = value & 0xf;
        break;
    case MCI_FIFO ... MCI_FIFO + 4 * FIFO_WORDS - 4:
        if (s->fifo_count < FIFO_WORDS && !(s->data_ctrl & DATA_FROM_CARD))
            s->fifo[(s->fifo_head + s->fifo_count++) % FIFO_WORDS] = (uint32_t)value;
        else
            log_printf(LOG_GUEST_ERROR, "pl181: write to a full FIFO\n");
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "pl181: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    pump(d);
    update_lines(d);
}

static void pl181_reset(struct device *d)
{
    const struct sd_card *card = d->backend;

    update_lines(d);
    device_irq(d, 2, card != NULL);
    device_irq(d, 3, card && card->ops->write_protected(card));
}

static const struct device_region pl181_regions[] = {
    {.name = "pl181",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = pl181_read,
     .write = pl181_write},
};

static const struct device_class pl181_class = {
    .name = "pl181",
    .description = "ARM multimedia card interface",
    .manual = "ARM DDI 0205",
    .state_size = sizeof(struct pl181),
    .regions = pl181_regions,
    .n_regions = ARRAY_SIZE(pl181_regions),
    .fields = pl181_fields,
    .n_fields = ARRAY_SIZE(pl181_fields),
    .n_irq_out = 4,
    .reset = pl181_reset,
};
REGISTER(device_class, pl181_class);
