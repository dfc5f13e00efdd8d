/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's pair of 8237A DMA controllers (Intel 231466) and their page registers (Intel 290550,
 * 2.5.1). Region 0: channels 0-3 (port 0x00), region 1: channels 4-7, whose ports are two apart
 * (0xc0), region 2: the page registers (0x80). Devices move data by i8237.h.
 *
 * Not there: memory-to-memory transfers, requests by software, which no PC could use for much.
 */
#include "hw/dma/i8237.h"

#include "hw/device.h"
#include "util/bits.h"

enum { N_CHANNELS = 8, CASCADE = 4, N_PAGES = 16 };
enum {
    REG_COMMAND = 8,
    REG_REQUEST,
    REG_MASK,
    REG_MODE,
    REG_CLEAR_FLIP,
    REG_MASTER_CLEAR,
    REG_CLEAR_MASK,
    REG_ALL_MASK,
};
enum { COMMAND_MEMORY = 1, COMMAND_DISABLE = 4 };
enum { MODE_AUTO = 1 << 4, MODE_DOWN = 1 << 5 };
enum { TRANSFER_VERIFY, TRANSFER_TO_MEMORY, TRANSFER_FROM_MEMORY };

struct i8237 {
    uint16_t base_address[N_CHANNELS], base_count[N_CHANNELS];
    uint16_t address[N_CHANNELS], count[N_CHANNELS];
    uint8_t mode[N_CHANNELS];
    uint8_t command[2], status[2], mask[2];
    bool flip[2]; /* the next byte is the high one */
    uint8_t page[N_PAGES];
    struct {
        void (*ready)(void *opaque);
        void *opaque;
    } clients[N_CHANNELS];
};

void i8237_connect(struct device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque)
{
    struct i8237 *s = dma->state;

    s->clients[channel % N_CHANNELS].ready = ready;
    s->clients[channel % N_CHANNELS].opaque = opaque;
}

static bool is_open(const struct i8237 *s, unsigned channel)
{
    unsigned chip = channel / 4;

    return !(s->mask[chip] >> channel % 4 & 1) && !(s->command[chip] & COMMAND_DISABLE) &&
           !(s->command[1] & COMMAND_DISABLE) && (chip || !(s->mask[1] & 1));
}

static void tell_clients(struct i8237 *s)
{
    for (unsigned i = 0; i < N_CHANNELS; i++) {
        if (s->clients[i].ready && is_open(s, i))
            s->clients[i].ready(s->clients[i].opaque);
    }
}

/* ---- transfers ------------------------------------------------------------------------------- */

static gpa physical_address(const struct i8237 *s, unsigned channel)
{
    /* Which of ports 0x80-0x8f is the channel's page. */
    static const uint8_t page_of[N_CHANNELS] = {7, 3, 1, 2, 15, 11, 9, 10};
    uint8_t page = s->page[page_of[channel]];

    if (channel >= CASCADE)
        return (gpa)(page & 0xfe) << 16 | (gpa)s->address[channel] << 1;
    return (gpa)page << 16 | s->address[channel];
}

static void move(struct device *d, gpa address, uint8_t *buffer, unsigned size, unsigned how)
{
    if (!memory_ram_pointer(d->memory, address, size)) {
        log_printf(LOG_GUEST_ERROR, "i8237: transfer outside memory\n");
        return;
    }
    if (how == TRANSFER_TO_MEMORY)
        memory_write(d->memory, address, buffer, size);
    else if (how == TRANSFER_FROM_MEMORY)
        memory_read(d->memory, address, buffer, size);
}

/* TC: autoinitialise or mask the channel. */
static void terminal_count(struct i8237 *s, unsigned channel)
{
    s->status[channel / 4] |= (uint8_t)(1u << channel % 4);
    if (s->mode[channel] & MODE_AUTO) {
        s->address[channel] = s->base_address[channel];
        s->count[channel] = s->base_count[channel];
    } else {
        s->mask[channel / 4] |= (uint8_t)(1u << channel % 4);
    }
}

unsigned i8237_transfer(struct device *dma, unsigned channel, uint8_t *buffer, unsigned size,
                        bool to_memory, bool *end)
{
    struct i8237 *s = dma->state;
    unsigned how = extract32(s->mode[channel], 2, 2), shift = channel >= CASCADE, done = 0;
    bool down = s->mode[channel] & MODE_DOWN;

    *end = false;
    if (!is_open(s, channel) || channel == CASCADE || how > TRANSFER_FROM_MEMORY)
        return 0;
    if (how != TRANSFER_VERIFY && to_memory != (how == TRANSFER_TO_MEMORY))
        return 0;
    while (!*end && (size - done) >> shift) {
        unsigned units = MIN((size - done) >> shift, (unsigned)s->count[channel] + 1);
        /* The address wraps within its page. */
        units = down ? 1 : MIN(units, 0x10000u - s->address[channel]);
        move(dma, physical_address(s, channel), buffer + done, units << shift, how);
        s->address[channel] = (uint16_t)(s->address[channel] + (down ? -1 : (int)units));
        *end = units == (unsigned)s->count[channel] + 1;
        s->count[channel] = (uint16_t)(s->count[channel] - units);
        done += units << shift;
    }
    if (*end)
        terminal_count(s, channel);
    return done;
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint64_t chip_read(struct i8237 *s, unsigned chip, unsigned offset)
{
    unsigned channel = chip * 4 + offset / 2;
    uint8_t status;

    switch (offset) {
    case 0 ... 7: {
        uint16_t value = offset & 1 ? s->count[channel] : s->address[channel];
        bool high = s->flip[chip];
        s->flip[chip] = !high;
        return high ? value >> 8 : value & 0xff;
    }
    case REG_COMMAND:
        status = s->status[chip];
        s->status[chip] = 0;
        return status;
    case REG_ALL_MASK:
        return s->mask[chip] | 0xf0;
    case REG_MASTER_CLEAR: /* the temporary register of memory-to-memory transfers */
        return 0;
    }
    return 0xff;
}

static void channel_write(struct i8237 *s, unsigned chip, unsigned offset, uint8_t value)
{
    unsigned channel = chip * 4 + offset / 2;
    uint16_t *base = offset & 1 ? &s->base_count[channel] : &s->base_address[channel];
    uint16_t *current = offset & 1 ? &s->count[channel] : &s->address[channel];
    bool high = s->flip[chip];

    *base = (uint16_t)(high ? (*base & 0xff) | value << 8 : (*base & 0xff00) | value);
    *current = *base;
    s->flip[chip] = !high;
}

static void chip_write(struct i8237 *s, unsigned chip, unsigned offset, uint8_t value)
{
    uint8_t bit = (uint8_t)(1u << (value & 3));

    switch (offset) {
    case 0 ... 7:
        channel_write(s, chip, offset, value);
        return;
    case REG_COMMAND:
        s->command[chip] = value;
        if (value & COMMAND_MEMORY)
            log_unimp_once("i8237: memory-to-memory transfers (command 0x%02x)\n", value);
        break;
    case REG_REQUEST:
        if (value & 4)
            log_unimp_once("i8237: request by software (0x%02x)\n", value);
        break;
    case REG_MASK:
        s->mask[chip] = (uint8_t)(value & 4 ? s->mask[chip] | bit : s->mask[chip] & ~bit);
        break;
    case REG_MODE:
        s->mode[chip * 4 + (value & 3)] = value;
        break;
    case REG_CLEAR_FLIP:
        s->flip[chip] = false;
        return;
    case REG_MASTER_CLEAR:
        s->command[chip] = s->status[chip] = 0;
        s->mask[chip] = 15;
        s->flip[chip] = false;
        return;
    case REG_CLEAR_MASK:
        s->mask[chip] = 0;
        break;
    case REG_ALL_MASK:
        s->mask[chip] = value & 15;
        break;
    }
    tell_clients(s);
}

static uint64_t first_read(struct device *d, uint64_t offset, unsigned size)
{
    return chip_read(d->state, 0, (unsigned)offset);
}

static void first_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    chip_write(d->state, 0, (unsigned)offset, (uint8_t)value);
}

static uint64_t second_read(struct device *d, uint64_t offset, unsigned size)
{
    return chip_read(d->state, 1, (unsigned)offset / 2);
}

static void second_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    chip_write(d->state, 1, (unsigned)offset / 2, (uint8_t)value);
}

static uint64_t page_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct i8237 *s = d->state;

    return s->page[offset];
}

static void page_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8237 *s = d->state;

    s->page[offset] = (uint8_t)value;
}

/* ---- device ---------------------------------------------------------------------------------- */

static const struct device_field i8237_fields[] = {
    DEVICE_ARRAY(struct i8237, base_address, DEVICE_U16, N_CHANNELS, 0),
    DEVICE_ARRAY(struct i8237, base_count, DEVICE_U16, N_CHANNELS, 0),
    DEVICE_ARRAY(struct i8237, address, DEVICE_U16, N_CHANNELS, 0),
    DEVICE_ARRAY(struct i8237, count, DEVICE_U16, N_CHANNELS, 0),
    DEVICE_ARRAY(struct i8237, mode, DEVICE_U8, N_CHANNELS, 0),
    DEVICE_ARRAY(struct i8237, command, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct i8237, status, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct i8237, mask, DEVICE_U8, 2, 15),
    DEVICE_ARRAY(struct i8237, flip, DEVICE_BOOL, 2, 0),
    DEVICE_ARRAY(struct i8237, page, DEVICE_U8, N_PAGES, 0),
};

static const struct device_region i8237_regions[] = {
    {.name = "i8237-0",
     .size = 16,
     .max_access = 1,
     .read = first_read,
     .write = first_write,
     .port = true},
    {.name = "i8237-1",
     .size = 32,
     .max_access = 1,
     .read = second_read,
     .write = second_write,
     .port = true},
    {.name = "i8237-pages",
     .size = N_PAGES,
     .max_access = 1,
     .read = page_read,
     .write = page_write,
     .port = true},
};

static const struct device_class i8237_class = {
    .name = "i8237",
    .description = "DMA controllers of a PC",
    .manual = "Intel 231466 (8237A), 290550 (PIIX3)",
    .state_size = sizeof(struct i8237),
    .regions = i8237_regions,
    .n_regions = ARRAY_SIZE(i8237_regions),
    .fields = i8237_fields,
    .n_fields = ARRAY_SIZE(i8237_fields),
};
REGISTER(device_class, i8237_class);
