/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device as QEMU's docs/specs/fw_cfg describes it, memory-mapped: data
 * register at 0, selector (big-endian) at 8, DMA address (big-endian) at 16. DMA may
 * write some files; writes to all other items fail with the error bit.
 */
#include "hw/misc/fw_cfg.h"

#include <stdlib.h>
#include <string.h>

#include "util/bits.h"

enum { FWC_DATA = 0, FWC_SELECTOR = 8, FWC_DMA = 16, FWC_SIZE = 24, FILE_NAME_SIZE = 56 };

enum fw_cfg_dma_control {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
};

#define DMA_SIGNATURE UINT64_C(0x51454d5520434647) /* "QEMU CFG" */

struct fw_cfg_data {
    uint8_t *data;
    uint32_t size;
    bool writable;
    void (*written)(void *opaque); /* may be NULL */
    void *opaque;
};

struct fw_cfg {
    struct fw_cfg_data items[FW_CFG_N_ITEMS + FW_CFG_N_ARCHITECTURE];
    char names[FW_CFG_MAX_FILES][FILE_NAME_SIZE];
    uint32_t n_files;
    uint16_t selector;
    uint32_t position;
    uint64_t dma_address;
};

/* Where an item stands; NULL: there is none of that number. */
static struct fw_cfg_data *item_of(struct fw_cfg *f, unsigned key)
{
    if (key < FW_CFG_N_ITEMS)
        return &f->items[key];
    key -= FW_CFG_ARCHITECTURE;
    return key < FW_CFG_N_ARCHITECTURE ? &f->items[FW_CFG_N_ITEMS + key] : NULL;
}

/* ---- filling it ------------------------------------------------------------------------------ */

bool fw_cfg_add_item(struct device *d, unsigned key, const void *data, uint32_t size)
{
    struct fw_cfg *f = d->state;
    uint8_t *copy = malloc(MAX(size, 1u));
    struct fw_cfg_data *item = item_of(f, key);

    if (!copy || !item) {
        free(copy);
        return false;
    }
    if (size)
        memcpy(copy, data, size);
    free(item->data);
    *item = (struct fw_cfg_data){.data = copy, .size = size};
    return true;
}

bool fw_cfg_add_u32(struct device *d, unsigned key, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    return fw_cfg_add_item(d, key, bytes, sizeof(bytes));
}

/* The directory: a count, then size, key, reserved and name of each file, big-endian. */
static bool directory_update(struct device *d)
{
    struct fw_cfg *f = d->state;
    uint8_t directory[4 + FW_CFG_MAX_FILES * (8 + FILE_NAME_SIZE)] = {0};

    store_be32(directory, f->n_files);
    for (unsigned i = 0; i < f->n_files; i++) {
        uint8_t *entry = directory + 4 + i * (8 + FILE_NAME_SIZE);
        store_be32(entry, f->items[FW_CFG_FILE_FIRST + i].size);
        store_be16(entry + 4, (uint16_t)(FW_CFG_FILE_FIRST + i));
        memcpy(entry + 8, f->names[i], FILE_NAME_SIZE);
    }
    return fw_cfg_add_item(d, FW_CFG_FILE_DIR, directory, 4 + f->n_files * (8 + FILE_NAME_SIZE));
}

static unsigned find_file(const struct fw_cfg *f, const char *name)
{
    unsigned i = 0;

    while (i < f->n_files && strcmp(f->names[i], name))
        i++;
    return i;
}

bool fw_cfg_add_file(struct device *d, const char *name, const void *data, uint32_t size)
{
    struct fw_cfg *f = d->state;
    unsigned i = find_file(f, name);

    if (i == FW_CFG_MAX_FILES || strlen(name) >= FILE_NAME_SIZE ||
        !fw_cfg_add_item(d, FW_CFG_FILE_FIRST + i, data, size))
        return false;
    strcpy(f->names[i], name);
    f->n_files = MAX(f->n_files, i + 1);
    return directory_update(d);
}

bool fw_cfg_add_writable_file(struct device *d, const char *name, uint32_t size,
                              void (*written)(void *opaque), void *opaque)
{
    struct fw_cfg *f = d->state;
    uint8_t *zeros = calloc(1, MAX(size, 1u));
    bool ok = zeros && fw_cfg_add_file(d, name, zeros, size);

    free(zeros);
    if (!ok)
        return false;
    struct fw_cfg_data *item = &f->items[FW_CFG_FILE_FIRST + find_file(f, name)];
    item->writable = true;
    item->written = written;
    item->opaque = opaque;
    return true;
}

const uint8_t *fw_cfg_file(const struct device *d, const char *name, uint32_t *size)
{
    const struct fw_cfg *f = d->state;
    unsigned i = find_file(f, name);

    if (i == f->n_files)
        return NULL;
    *size = f->items[FW_CFG_FILE_FIRST + i].size;
    return f->items[FW_CFG_FILE_FIRST + i].data;
}

void fw_cfg_forget_writer(struct device *d, const char *name)
{
    struct fw_cfg *f = d->state;
    unsigned i = find_file(f, name);

    if (i < f->n_files)
        f->items[FW_CFG_FILE_FIRST + i].written = NULL;
}

/* ---- the guest's side ------------------------------------------------------------------------ */

static const struct fw_cfg_data *selected(struct fw_cfg *f)
{
    static const struct fw_cfg_data nothing;
    const struct fw_cfg_data *item = item_of(f, f->selector & 0xbfffu); /* bit 14: write channel */

    return item ? item : &nothing;
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
    f->selector = key;
    f->position = 0;
}

/* What the data register yields: bytes of the item in order, zeros behind its end. */
static uint64_t data_read(struct fw_cfg *f, unsigned size)
{
    const struct fw_cfg_data *item = selected(f);
    uint64_t value = 0;

    for (unsigned i = 0; i < size && f->position < item->size; i++)
        value |= (uint64_t)item->data[f->position++] << (i * 8);
    return value;
}

/* RAM only: a transfer to device registers could reach this device again. It may lie in pieces, as
 * the PC's does below 1 MiB. */
static bool is_ram(struct device *d, gpa address, uint64_t length)
{
    while (length) {
        const struct memory_section *section = memory_find(d->memory, address);
        if (!section || section->kind != MEMORY_RAM)
            return false;
        uint64_t here = section->base + section->size - address;
        if (here >= length)
            return true;
        address += here;
        length -= here;
    }
    return true;
}

static void dma_copy_out(struct device *d, gpa address, uint32_t length)
{
    static const uint8_t zeros[4096];
    struct fw_cfg *f = d->state;
    const struct fw_cfg_data *item = selected(f);
    uint32_t here = MIN(length, item->size - f->position);

    if (here)
        memory_write(d->memory, address, item->data + f->position, here);
    f->position += here;
    address += here;
    length -= here;
    while (length) {
        here = MIN(length, (uint32_t)sizeof(zeros));
        memory_write(d->memory, address, zeros, here);
        address += here;
        length -= here;
    }
}

/* False: the item cannot be written, or not so much of it. */
static bool dma_copy_in(struct device *d, gpa address, uint32_t length)
{
    struct fw_cfg *f = d->state;
    const struct fw_cfg_data *item = selected(f);

    if (!item->writable || length > item->size - f->position || !is_ram(d, address, length)) {
        log_printf(LOG_GUEST_ERROR, "fw_cfg: write of %u bytes to item 0x%x, which takes none\n",
                   length, f->selector);
        return false;
    }
    memory_read(d->memory, address, item->data + f->position, length);
    f->position += length;
    if (item->written)
        item->written(item->opaque);
    return true;
}

/* One request: control, length, address, all big-endian; control is cleared when it is done. */
static void dma_run(struct device *d, gpa request)
{
    struct fw_cfg *f = d->state;
    uint8_t raw[16], done[4];
    uint32_t result = 0;

    f->dma_address = 0;
    if (!is_ram(d, request, sizeof(raw)) || !memory_read(d->memory, request, raw, sizeof(raw))) {
        log_printf(LOG_GUEST_ERROR, "fw_cfg: DMA request outside memory\n");
        return;
    }
    uint32_t control = load_be32(raw), length = load_be32(raw + 4);
    gpa address = load_be64(raw + 8);
    if (control & DMA_SELECT)
        select_item(f, (uint16_t)(control >> 16));
    if (control & DMA_READ) {
        if (is_ram(d, address, length))
            dma_copy_out(d, address, length);
        else
            result = DMA_ERROR;
    } else if (control & DMA_WRITE) {
        result = dma_copy_in(d, address, length) ? 0 : DMA_ERROR;
    } else if (control & DMA_SKIP) {
        f->position += MIN(length, selected(f)->size - f->position);
    }
    store_be32(done, result);
    memory_write(d->memory, request, done, sizeof(done));
}

/* Reverses the bytes of a `size`-byte access: the registers are big-endian, the bus is not. */
static uint64_t swap_bytes(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - size * 8);
}

static uint64_t fw_cfg_read(struct device *d, uint64_t offset, unsigned size)
{
    struct fw_cfg *f = d->state;

    if (offset < FWC_SELECTOR)
        return data_read(f, size);
    if (offset >= FWC_DMA) {
        unsigned shift = (unsigned)(8 - (offset - FWC_DMA) - size) * 8;
        return swap_bytes(DMA_SIGNATURE >> shift, size);
    }
    log_printf(LOG_GUEST_ERROR, "fw_cfg: read at offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void fw_cfg_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct fw_cfg *f = d->state;
    uint64_t swapped = swap_bytes(value, size);

    if (offset == FWC_SELECTOR && size == 2) {
        select_item(f, (uint16_t)swapped);
    } else if (offset == FWC_DMA && size == 8) {
        dma_run(d, swapped);
    } else if (offset == FWC_DMA && size == 4) {
        f->dma_address = swapped << 32;
    } else if (offset == FWC_DMA + 4 && size == 4) {
        dma_run(d, f->dma_address | swapped);
    } else {
        log_printf(LOG_GUEST_ERROR, "fw_cfg: %u-byte write at offset 0x%x\n", size,
                   (unsigned)offset);
    }
}

/* The PC's form: a little-endian selector and a byte of data in the port space, and the DMA
 * register in a region of its own. */
enum { PORT_SELECTOR = 0, PORT_DATA = 1 };

static uint64_t port_read(struct device *d, uint64_t offset, unsigned size)
{
    return offset == PORT_DATA ? data_read(d->state, 1) : 0;
}

static void port_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset == PORT_SELECTOR && size == 2)
        select_item(d->state, (uint16_t)value);
    else
        log_printf(LOG_GUEST_ERROR, "fw_cfg: %u-byte write at port offset %u\n", size,
                   (unsigned)offset);
}

static uint64_t dma_read(struct device *d, uint64_t offset, unsigned size)
{
    return fw_cfg_read(d, FWC_DMA + offset, size);
}

static void dma_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    fw_cfg_write(d, FWC_DMA + offset, value, size);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool fw_cfg_init(struct device *d, struct error *err)
{
    static const uint8_t uuid[16];

    if (!fw_cfg_add_item(d, FW_CFG_SIGNATURE, "QEMU", 4) ||
        !fw_cfg_add_u32(d, FW_CFG_ID, 3) /* traditional and DMA interface */ ||
        !fw_cfg_add_item(d, FW_CFG_UUID, uuid, sizeof(uuid)) || !directory_update(d))
        return error_set(err, "out of memory for %s", d->id);
    return true;
}

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *f = d->state;

    for (unsigned i = 0; i < ARRAY_SIZE(f->items); i++) {
        if (f->items[i].writable)
            memset(f->items[i].data, 0, f->items[i].size);
    }
}

static void fw_cfg_finish(struct device *d)
{
    struct fw_cfg *f = d->state;

    for (unsigned i = 0; i < ARRAY_SIZE(f->items); i++)
        free(f->items[i].data);
}

static const struct device_field fw_cfg_fields[] = {
    DEVICE_FIELD(struct fw_cfg, selector, DEVICE_U16, 0),
    DEVICE_FIELD(struct fw_cfg, position, DEVICE_U32, 0),
    DEVICE_FIELD(struct fw_cfg, dma_address, DEVICE_U64, 0),
};

static const struct device_region fw_cfg_regions[] = {
    {"fw_cfg", FWC_SIZE, 1, 8, fw_cfg_read, fw_cfg_write, false, NULL},
};

static const struct device_class fw_cfg_class = {
    .name = "fw_cfg",
    .description = "Firmware configuration device",
    .manual = "QEMU docs/specs/fw_cfg",
    .state_size = sizeof(struct fw_cfg),
    .regions = fw_cfg_regions,
    .n_regions = ARRAY_SIZE(fw_cfg_regions),
    .fields = fw_cfg_fields,
    .n_fields = ARRAY_SIZE(fw_cfg_fields),
    .init = fw_cfg_init,
    .reset = fw_cfg_reset,
    .finish = fw_cfg_finish,
};
REGISTER(device_class, fw_cfg_class);

static const struct device_region fw_cfg_port_regions[] = {
    {.name = "fw_cfg",
     .size = 2,
     .min_access = 1,
     .max_access = 2,
     .read = port_read,
     .write = port_write,
     .port = true},
    {.name = "fw_cfg-dma",
     .size = 8,
     .min_access = 1,
     .max_access = 8,
     .read = dma_read,
     .write = dma_write,
     .port = true},
};

static const struct device_class fw_cfg_port_class = {
    .name = "fw_cfg-port",
    .description = "Firmware configuration device of the PC",
    .manual = "QEMU docs/specs/fw_cfg",
    .state_size = sizeof(struct fw_cfg),
    .regions = fw_cfg_port_regions,
    .n_regions = ARRAY_SIZE(fw_cfg_port_regions),
    .fields = fw_cfg_fields,
    .n_fields = ARRAY_SIZE(fw_cfg_fields),
    .init = fw_cfg_init,
    .reset = fw_cfg_reset,
    .finish = fw_cfg_finish,
};
REGISTER(device_class, fw_cfg_port_class);
