/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parallel NOR flash with the Intel/Sharp extended command set: JEDEC JEP137 (command set 0001) and
 * JESD68.01 (Common Flash Interface). A bank is `width` bytes wide and made of 16-bit chips side by
 * side; all chips of a bank get the same command at once, as drivers do it.
 *
 * The guest reads the array directly until it writes a command. Programming clears bits; only an
 * erase sets them. Contents survive the machine's reset, and its end in the image that is attached,
 * if one is. A flash whose image is read-only fails to program and erase.
 *
 * The bank's data lines go straight to the CPU's: commands, status and data are the CPU's words.
 * How the array, which the guest sees as bytes, holds words of data follows from the CPU's order.
 *
 * Properties: size, sector (of the bank), width (2 or 4 bytes), chip (bytes of one chip's data bus:
 * 2, or 4 for a single 32-bit one), big-endian (on: the CPU is).
 */
#include <string.h>

#include "hw/block/flash_image.h"
#include "hw/device.h"
#include "util/bits.h"

enum flash_command {
    CMD_READ_ARRAY = 0xff,
    CMD_READ_ID = 0x90,
    CMD_READ_CFI = 0x98,
    CMD_READ_STATUS = 0x70,
    CMD_CLEAR_STATUS = 0x50,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_PROGRAM_ALTERNATE = 0x10,
    CMD_BUFFER = 0xe8,
    CMD_LOCK = 0x60,
    CMD_CONFIRM = 0xd0,
    CMD_LOCK_CONFIRM = 0x01,
};

enum flash_status {
    STATUS_READY = 0x80,
    STATUS_ERASE_ERROR = 0x20,
    STATUS_PROGRAM_ERROR = 0x10,
    STATUS_PROTECTED = 0x02,
};

/* What the next write of the guest means. */
enum flash_state {
    FLASH_COMMAND,
    FLASH_PROGRAM_DATA,
    FLASH_ERASE_CONFIRM,
    FLASH_LOCK_CONFIRM,
    FLASH_BUFFER_COUNT,
    FLASH_BUFFER_DATA,
    FLASH_BUFFER_CONFIRM,
};

enum {
    MANUFACTURER = 0x89,
    DEVICE_CODE = 0x18,
    BUFFER_CHIP_BITS = 11, /* log2 of a chip's write buffer in bytes */
    BUFFER_MAX = 2 << BUFFER_CHIP_BITS,
    CFI_SIZE = 0x40,
};

struct pflash {
    uint8_t mode; /* what reads answer: CMD_READ_ARRAY, _ID, _CFI or _STATUS */
    uint8_t state, status;
    uint32_t buffer_left; /* words still to come */
    uint64_t buffer_base; /* offset of the buffered block */
    uint8_t buffer[BUFFER_MAX];
    uint8_t cfi[CFI_SIZE];
    uint64_t size, sector;
    uint32_t width, chip;
    bool big_endian;
    struct flash_image *image; /* NULL: none */
};

/* The bytes of the array that a word of data is. */
static uint64_t array_order(const struct pflash *f, uint64_t value, unsigned size)
{
    return f->big_endian ? __builtin_bswap64(value) >> (64 - size * 8) : value;
}

/* Host memory of the array; the region is mapped before the guest runs. */
static uint8_t *array_at(struct device *d, uint64_t offset)
{
    return device_region_memory(d, 0, NULL) + offset;
}

static void array_changed(struct device *d, uint64_t offset, uint64_t size)
{
    const struct pflash *f = d->state;

    memory_changed(d->memory, d->mappings[0].base + offset, size);
    if (f->image)
        flash_image_changed(f->image, offset, size);
}

static bool is_protected(struct pflash *f, enum flash_status error)
{
    bool yes = f->image && flash_image_is_read_only(f->image);

    if (yes)
        f->status |= (uint8_t)(error | STATUS_PROTECTED);
    return yes;
}

static void set_mode(struct device *d, uint8_t mode)
{
    struct pflash *f = d->state;

    f->mode = mode;
    device_region_set_readable(d, 0, mode == CMD_READ_ARRAY);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Every chip of the bank answers the same. */
static uint32_t replicate(const struct pflash *f, uint64_t offset, uint16_t answer)
{
    if (f->chip == 4)
        return (uint32_t)answer >> offset % 4 * 8;
    return (answer * 0x00010001u) >> offset % 2 * 8;
}

static uint16_t id_word(uint64_t index)
{
    switch (index & 0xff) {
    case 0:
        return MANUFACTURER;
    case 1:
        return DEVICE_CODE;
    default:
        return 0; /* 2: the block is not locked */
    }
}

static uint64_t pflash_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct pflash *f = d->state;
    uint64_t index = offset / f->width;

    switch (f->mode) {
    case CMD_READ_ID:
        return replicate(f, offset, id_word(index));
    case CMD_READ_CFI:
        return replicate(f, offset, index < CFI_SIZE ? f->cfi[index] : 0);
    case CMD_READ_STATUS:
        return replicate(f, offset, f->status);
    default: {
        uint64_t value = 0;
        memcpy(&value, array_at(d, offset), size);
        return array_order(f, value, size);
    }
    }
}

/* ---- commands -------------------------------------------------------------------------------- */

static void program(struct device *d, uint64_t offset, const uint8_t *data, unsigned size)
{
    uint8_t *array = array_at(d, offset);

    if (is_protected(d->state, STATUS_PROGRAM_ERROR))
        return;
    for (unsigned i = 0; i < size; i++)
        array[i] &= data[i];
    array_changed(d, offset, size);
}

static void erase(struct device *d, uint64_t offset)
{
    struct pflash *f = d->state;
    uint64_t start = align_down(offset, f->sector);

    if (is_protected(f, STATUS_ERASE_ERROR))
        return;
    memset(array_at(d, start), 0xff, f->sector);
    array_changed(d, start, f->sector);
}

static void unknown_command(struct device *d, uint64_t offset, uint8_t command)
{
    log_printf(LOG_GUEST_ERROR, "pflash: unknown command 0x%02x at offset 0x%x\n", command,
               (unsigned)offset);
}

static void command_write(struct device *d, uint64_t offset, uint8_t command)
{
    struct pflash *f = d->state;

    switch (command) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALTERNATE:
        f->state = FLASH_PROGRAM_DATA;
        break;
    case CMD_ERASE:
        f->state = FLASH_ERASE_CONFIRM;
        break;
    case CMD_LOCK:
        f->state = FLASH_LOCK_CONFIRM;
        break;
    case CMD_BUFFER:
        f->state = FLASH_BUFFER_COUNT;
        break;
    case CMD_CLEAR_STATUS:
        f->status = STATUS_READY;
        return;
    case CMD_READ_ID:
    case CMD_READ_CFI:
    case CMD_READ_STATUS:
    case CMD_READ_ARRAY:
        set_mode(d, command);
        return;
    default: /* 0x00, 0xf0 and others: probes for other command sets; the array is shown */
        unknown_command(d, offset, command);
        set_mode(d, CMD_READ_ARRAY);
        return;
    }
    f->status |= STATUS_READY;
    set_mode(d, CMD_READ_STATUS);
}

/* Both error bits: a wrong command sequence. */
static void sequence_error(struct pflash *f)
{
    f->status |= STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR;
    f->state = FLASH_COMMAND;
}

static void buffer_count(struct device *d, uint64_t offset, uint32_t count)
{
    struct pflash *f = d->state;
    uint64_t bytes = ((uint64_t)count + 1) * f->width;

    if (bytes > (uint64_t)f->width << (BUFFER_CHIP_BITS - 1)) {
        sequence_error(f);
        return;
    }
    memset(f->buffer, 0xff, sizeof(f->buffer));
    f->buffer_left = count + 1;
    f->buffer_base = UINT64_MAX;
    f->state = FLASH_BUFFER_DATA;
}

/* Data goes to its place in the buffer-sized block around the first word's address. */
static void buffer_data(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pflash *f = d->state;
    uint64_t block = (uint64_t)f->width << (BUFFER_CHIP_BITS - 1);

    if (f->buffer_base == UINT64_MAX)
        f->buffer_base = align_down(offset, block);
    if (offset < f->buffer_base || offset + size > f->buffer_base + block) {
        sequence_error(f);
        return;
    }
    value = array_order(f, value, size);
    memcpy(f->buffer + (offset - f->buffer_base), &value, size);
    f->buffer_left -= MIN(f->buffer_left, MAX(size / f->width, 1u));
    if (!f->buffer_left)
        f->state = FLASH_BUFFER_CONFIRM;
}

static void pflash_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pflash *f = d->state;
    uint8_t command = (uint8_t)value;
    enum flash_state state = f->state;

    /* A byte written to the upper half of a chip is not a command. */
    if (state != FLASH_PROGRAM_DATA && state != FLASH_BUFFER_DATA && offset % f->chip)
        return;
    f->state = FLASH_COMMAND;
    switch (state) {
    case FLASH_COMMAND:
        command_write(d, offset, command);
        break;
    case FLASH_PROGRAM_DATA:
        value = array_order(f, value, size);
        program(d, offset, (const uint8_t *)&value, size);
        break;
    case FLASH_ERASE_CONFIRM:
        if (command == CMD_CONFIRM)
            erase(d, offset);
        else if (command == CMD_READ_ARRAY)
            set_mode(d, CMD_READ_ARRAY);
        else
            sequence_error(f);
        break;
    case FLASH_LOCK_CONFIRM: /* blocks are never locked; the command just completes */
        if (command == CMD_READ_ARRAY)
            set_mode(d, CMD_READ_ARRAY);
        else if (command != CMD_CONFIRM && command != CMD_LOCK_CONFIRM)
            sequence_error(f);
        break;
    case FLASH_BUFFER_COUNT:
        buffer_count(d, offset, (uint32_t)value & 0xffff);
        break;
    case FLASH_BUFFER_DATA:
        f->state = FLASH_BUFFER_DATA;
        buffer_data(d, offset, value, size);
        break;
    case FLASH_BUFFER_CONFIRM:
        if (command == CMD_CONFIRM && f->buffer_base < f->size)
            program(d, f->buffer_base, f->buffer, f->width << (BUFFER_CHIP_BITS - 1));
        else
            sequence_error(f);
        break;
    }
}

/* ---- device ---------------------------------------------------------------------------------- */

static unsigned log2_of(uint64_t value)
{
    return 63 - (unsigned)__builtin_clzll(value);
}

/* JESD68.01; sizes are those of one chip. */
static void fill_cfi(struct pflash *f)
{
    unsigned chips = f->width / f->chip;
    uint32_t blocks = (uint32_t)(f->size / f->sector), block = (uint32_t)(f->sector / chips / 256);
    static const uint8_t fixed[CFI_SIZE] = {
        [0x10] = 'Q',
        [0x11] = 'R',
        [0x12] = 'Y',
        [0x13] = 0x01, /* Intel/Sharp extended command set */
        [0x15] = 0x31, /* its table */
        [0x1b] = 0x45,
        [0x1c] = 0x55, /* Vcc 4.5 V to 5.5 V */
        [0x1f] = 0x07,
        [0x20] = 0x07,
        [0x21] = 0x0a, /* typical times, 2^n us, us, ms */
        [0x23] = 0x04,
        [0x24] = 0x04,
        [0x25] = 0x04, /* maximum, 2^n times typical */
        [0x28] = 0x02, /* x8/x16 */
        [0x2a] = BUFFER_CHIP_BITS,
        [0x2c] = 0x01, /* erase block regions */
        [0x31] = 'P',
        [0x32] = 'R',
        [0x33] = 'I',
        [0x34] = '1',
        [0x35] = '0',
    };

    memcpy(f->cfi, fixed, sizeof(fixed));
    if (f->chip == 4) {
        f->cfi[0x28] = 0x03; /* x32 */
        f->cfi[0x2a]++;      /* the buffer is the bank's, whatever it is made of */
    }
    f->cfi[0x27] = (uint8_t)log2_of(f->size / chips);
    store_le16(f->cfi + 0x2d, (uint16_t)(blocks - 1));
    store_le16(f->cfi + 0x2f, (uint16_t)block);
}

static bool pflash_init(struct device *d, struct error *err)
{
    struct pflash *f = d->state;

    f->size = d->mappings[0].size;
    f->sector = device_prop_u64(d, "sector", 256 * KIB);
    f->width = (uint32_t)device_prop_u64(d, "width", 4);
    f->chip = (uint32_t)device_prop_u64(d, "chip", 2);
    f->big_endian = device_prop_on(d, "big-endian", false);
    if ((f->width != 2 && f->width != 4) || (f->chip != 2 && f->chip != 4) || f->chip > f->width ||
        !is_power_of_two(f->size) || !is_power_of_two(f->sector) || f->sector < 64 * KIB ||
        f->sector > f->size)
        return error_set(err, "%s: bad geometry of a flash", d->id);
    fill_cfi(f);
    if (d->backend)
        f->image = flash_image_create(d, d->backend, f->size, err);
    return !d->backend || f->image;
}

static void pflash_reset(struct device *d)
{
    struct pflash *f = d->state;

    set_mode(d, CMD_READ_ARRAY);
    if (f->image)
        flash_image_show(f->image, array_at(d, 0));
}

static void pflash_finish(struct device *d)
{
    struct pflash *f = d->state;

    flash_image_destroy(f->image);
}

static const struct device_field pflash_fields[] = {
    DEVICE_FIELD(struct pflash, mode, DEVICE_U8, CMD_READ_ARRAY),
    DEVICE_FIELD(struct pflash, state, DEVICE_U8, FLASH_COMMAND),
    DEVICE_FIELD(struct pflash, status, DEVICE_U8, STATUS_READY),
    DEVICE_FIELD(struct pflash, buffer_left, DEVICE_U32, 0),
    DEVICE_FIELD(struct pflash, buffer_base, DEVICE_U64, 0),
    DEVICE_ARRAY(struct pflash, buffer, DEVICE_U8, BUFFER_MAX, 0),
};

static const struct device_region pflash_regions[] = {
    {"flash", 64 * MIB, 1, 4, pflash_read, pflash_write, true, "size", .cpu_order = true},
};

static const struct device_prop pflash_props[] = {
    {"sector", DEVICE_PROP_NUMBER},
    {"width", DEVICE_PROP_NUMBER},
    {"chip", DEVICE_PROP_NUMBER},
    {"big-endian", DEVICE_PROP_SWITCH},
    {NULL},
};

static const struct device_class pflash_class = {
    .name = "cfi.pflash01",
    .props = pflash_props,
    .description = "Parallel NOR flash, Intel command set",
    .manual = "JEDEC JESD68.01, JEP137",
    .state_size = sizeof(struct pflash),
    .regions = pflash_regions,
    .n_regions = ARRAY_SIZE(pflash_regions),
    .fields = pflash_fields,
    .n_fields = ARRAY_SIZE(pflash_fields),
    .init = pflash_init,
    .reset = pflash_reset,
    .finish = pflash_finish,
};
REGISTER(device_class, pflash_class);
