/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks: VIRTIO 1.2, section 5.2. Requests go to the host's disk in pieces through a buffer of
 * their own; so many are there at once, and the others wait in their ring.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/block.h"
#include "hw/machine.h"
#include "hw/virtio/virtio_device.h"

enum { REQUEST_MAX = 16, PIECE = 256 * 1024, QUEUES_MAX = 8, QUEUE_SIZE = 256 };
enum { BLOCK_SIZE_MAX = 32768 };
enum { HEADER_BYTES = 16, RANGE_BYTES = 16, ID_BYTES = 20, CONFIG_BYTES = 60 };
enum { DISCARD_SECTORS = 0x7fffff, ZEROES_SECTORS = 0x10000 };

enum feature {
    F_SEG_MAX = 1 << 2,
    F_GEOMETRY = 1 << 4,
    F_RO = 1 << 5,
    F_BLK_SIZE = 1 << 6,
    F_FLUSH = 1 << 9,
    F_TOPOLOGY = 1 << 10,
    F_CONFIG_WCE = 1 << 11,
    F_MQ = 1 << 12,
    F_DISCARD = 1 << 13,
    F_WRITE_ZEROES = 1 << 14,
};
enum request_type {
    T_IN = 0,
    T_OUT = 1,
    T_FLUSH = 4,
    T_GET_ID = 8,
    T_DISCARD = 11,
    T_WRITE_ZEROES = 13,
};
enum request_status { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };
enum { FLAG_UNMAP = 1 };

/* Where things are in the configuration space (5.2.4). */
enum {
    CONFIG_CAPACITY = 0,
    CONFIG_SEG_MAX = 12,
    CONFIG_CYLINDERS = 16,
    CONFIG_HEADS = 18,
    CONFIG_SECTORS = 19,
    CONFIG_BLK_SIZE = 20,
    CONFIG_PHYSICAL_EXPONENT = 24,
    CONFIG_MIN_IO = 26,
    CONFIG_OPT_IO = 28,
    CONFIG_WRITEBACK = 32,
    CONFIG_NUM_QUEUES = 34,
    CONFIG_DISCARD_SECTORS = 36,
    CONFIG_DISCARD_SEGMENTS = 40,
    CONFIG_DISCARD_ALIGNMENT = 44,
    CONFIG_ZEROES_SECTORS = 48,
    CONFIG_ZEROES_SEGMENTS = 52,
    CONFIG_ZEROES_UNMAP = 56,
};

struct blk_request {
    struct virtio_device *v;
    bool busy;
    unsigned queue;
    uint32_t type;
    uint64_t done, size; /* bytes of its data */
    uint64_t sector;
    struct block_request io;
    uint8_t *buffer; /* PIECE bytes */
    struct virtio_request request;
};

struct blk {
    struct block *block;
    uint32_t logical, physical; /* bytes of a block */
    char serial[ID_BYTES + 1];
    bool writeback;
    uint8_t waiting; /* a bit for each queue that may have requests for which there was no room */
    struct blk_request *requests[REQUEST_MAX];
};

/* ---- ends of requests ------------------------------------------------------------------------ */

static void take_requests(struct virtio_device *v, unsigned queue);

/* The last byte the device may write is the status. `written` counts the data before it. */
static void finish(struct blk_request *r, uint8_t status, uint32_t written)
{
    struct virtio_device *v = r->v;
    uint64_t last = virtio_request_in_size(&r->request) - 1;

    r->busy = false;
    if (virtio_request_write(v, &r->request, last, &status, 1) == 1 && written == last)
        written++;
    virtqueue_push(v, r->queue, &r->request, written);
}

static uint8_t status_of(const struct blk_request *r, int error)
{
    if (error)
        log_printf(LOG_GUEST_ERROR,
                   "virtio blk: request of type %" PRIu32 ", sector %" PRIu64 ": %s\n", r->type,
                   r->sector, strerror(error));
    return error ? S_IOERR : S_OK;
}

static void io_done(struct block_request *io, int error);

/* A driver that cannot flush gets what it writes onto stable storage at once (5.2.5.2). */
static bool writes_back(const struct virtio_device *v)
{
    const struct blk *b = v->state;
    bool settled = v->status & (VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK);

    return b->writeback && (!settled || virtio_has(v, F_FLUSH));
}

static void submit(struct blk_request *r, enum block_operation operation, uint64_t sector,
                   uint32_t n_sectors)
{
    const struct blk *b = r->v->state;

    r->io.operation = operation;
    r->io.sector = sector;
    r->io.n_sectors = n_sectors;
    r->io.buffer = r->buffer;
    r->io.through = !writes_back(r->v);
    r->io.done = io_done;
    r->io.opaque = r;
    block_submit(b->block, &r->io);
}

static void submit_piece(struct blk_request *r)
{
    uint32_t n = (uint32_t)MIN(r->size - r->done, (uint64_t)PIECE);
    bool write = r->type == T_OUT;

    if (write &&
        virtio_request_read(r->v, &r->request, HEADER_BYTES + r->done, r->buffer, n) != n) {
        finish(r, S_IOERR, 0);
        return;
    }
    submit(r, write ? BLOCK_WRITE : BLOCK_READ, r->sector + r->done / BLOCK_SECTOR,
           n / BLOCK_SECTOR);
}

static void piece_done(struct blk_request *r)
{
    uint32_t n = r->io.n_sectors * BLOCK_SECTOR;

    if (r->type == T_IN && virtio_request_write(r->v, &r->request, r->done, r->buffer, n) != n) {
        finish(r, S_IOERR, (uint32_t)r->done);
        return;
    }
    r->done += n;
    if (r->done < r->size)
        submit_piece(r);
    else
        finish(r, S_OK, r->type == T_IN ? (uint32_t)MIN(r->size, (uint64_t)UINT32_MAX - 1) : 0);
}

static void io_done(struct block_request *io, int error)
{
    struct blk_request *r = io->opaque;
    struct virtio_device *v = r->v;
    const struct blk *b = v->state;

    if (error)
        finish(r, status_of(r, error), r->type == T_IN ? (uint32_t)r->done : 0);
    else if (r->type == T_IN || r->type == T_OUT)
        piece_done(r);
    else
        finish(r, S_OK, 0);
    for (unsigned i = 0; !r->busy && i < v->n_queues; i++) {
        if (b->waiting & 1u << i)
            take_requests(v, i);
    }
}

/* ---- starts of requests ---------------------------------------------------------------------- */

/* Whole blocks of the disk. */
static bool is_there(const struct blk *b, uint64_t sector, uint64_t n_sectors)
{
    uint32_t per_block = b->logical / BLOCK_SECTOR;

    return sector % per_block == 0 && n_sectors % per_block == 0 &&
           sector <= block_sectors(b->block) && n_sectors <= block_sectors(b->block) - sector;
}

static void start_transfer(struct blk_request *r)
{
    const struct blk *b = r->v->state;
    uint64_t out = virtio_request_out_size(&r->request) - HEADER_BYTES;
    uint64_t in = virtio_request_in_size(&r->request) - 1;

    r->size = r->type == T_OUT ? out : in;
    if (r->size % BLOCK_SECTOR || !is_there(b, r->sector, r->size / BLOCK_SECTOR))
        finish(r, status_of(r, ERANGE), 0);
    else if (r->type == T_OUT && block_is_read_only(b->block))
        finish(r, status_of(r, EROFS), 0);
    else if (r->size)
        submit_piece(r);
    else
        finish(r, S_OK, 0);
}

/* DISCARD and WRITE_ZEROES of the one range that the configuration allows (5.2.6.2). */
static void start_range(struct blk_request *r)
{
    const struct blk *b = r->v->state;
    uint64_t feature = r->type == T_DISCARD ? F_DISCARD : F_WRITE_ZEROES;
    uint32_t most = r->type == T_DISCARD ? DISCARD_SECTORS : ZEROES_SECTORS;
    uint8_t range[RANGE_BYTES];

    if (!virtio_has(r->v, feature) ||
        virtio_request_out_size(&r->request) != HEADER_BYTES + RANGE_BYTES ||
        virtio_request_read(r->v, &r->request, HEADER_BYTES, range, RANGE_BYTES) != RANGE_BYTES) {
        finish(r, S_UNSUPP, 0);
        return;
    }
    uint32_t n = virtio_get32(r->v, range + 8), flags = virtio_get32(r->v, range + 12);
    r->sector = virtio_get64(r->v, range);
    if (flags & ~(uint32_t)(r->type == T_DISCARD ? 0 : FLAG_UNMAP)) {
        finish(r, S_UNSUPP, 0);
    } else if (n > most || !is_there(b, r->sector, n)) {
        finish(r, status_of(r, ERANGE), 0);
    } else {
        r->io.unmap = flags & FLAG_UNMAP;
        submit(r, r->type == T_DISCARD ? BLOCK_DISCARD : BLOCK_WRITE_ZEROES, r->sector, n);
    }
}

static void start_get_id(struct blk_request *r)
{
    const struct blk *b = r->v->state;
    uint32_t size = (uint32_t)MIN(virtio_request_in_size(&r->request) - 1, (uint64_t)ID_BYTES);

    finish(r, S_OK, (uint32_t)virtio_request_write(r->v, &r->request, 0, b->serial, size));
}

/* False: the request has no place for header or status, which no answer can say. */
static bool start(struct blk_request *r)
{
    uint8_t header[HEADER_BYTES];

    if (virtio_request_read(r->v, &r->request, 0, header, HEADER_BYTES) != HEADER_BYTES ||
        !virtio_request_in_size(&r->request))
        return virtio_broken(r->v, "request without header or status");
    r->type = virtio_get32(r->v, header);
    r->sector = virtio_get64(r->v, header + 8);
    r->done = r->size = 0;
    r->io.unmap = false;
    switch (r->type) {
    case T_IN:
    case T_OUT:
        start_transfer(r);
        break;
    case T_FLUSH:
        submit(r, BLOCK_FLUSH, 0, 0);
        break;
    case T_GET_ID:
        start_get_id(r);
        break;
    case T_DISCARD:
    case T_WRITE_ZEROES:
        start_range(r);
        break;
    default:
        finish(r, S_UNSUPP, 0);
        break;
    }
    return true;
}

static struct blk_request *free_request(struct virtio_device *v)
{
    struct blk *b = v->state;

    for (unsigned i = 0; i < REQUEST_MAX; i++) {
        struct blk_request *r = b->requests[i];
        if (r && r->busy)
            continue;
        if (r)
            return r;
        r = calloc(1, sizeof(*r));
        if (r)
            r->buffer = malloc(PIECE);
        if (!r || !r->buffer) { /* fewer at once, then */
            free(r);
            return NULL;
        }
        r->v = v;
        return b->requests[i] = r;
    }
    return NULL;
}

static void take_requests(struct virtio_device *v, unsigned queue)
{
    struct blk *b = v->state;
    struct blk_request *r;

    b->waiting &= (uint8_t) ~(1u << queue);
    while ((r = free_request(v))) {
        if (!virtqueue_pop(v, queue, &r->request))
            return;
        r->busy = true;
        r->queue = queue;
        if (!start(r)) {
            r->busy = false;
            return;
        }
    }
    b->waiting |= (uint8_t)(1u << queue);
}

/* ---- configuration space --------------------------------------------------------------------- */

static void blk_get_config(struct virtio_device *v, uint8_t *config)
{
    const struct blk *b = v->state;
    uint64_t sectors = block_sectors(b->block), cylinders = sectors / (16 * 63);

    virtio_put64(v, config + CONFIG_CAPACITY, sectors);
    virtio_put32(v, config + CONFIG_SEG_MAX, v->queue_size - 2u);
    virtio_put16(v, config + CONFIG_CYLINDERS, (uint16_t)MIN(cylinders, (uint64_t)16383));
    config[CONFIG_HEADS] = 16;
    config[CONFIG_SECTORS] = 63;
    virtio_put32(v, config + CONFIG_BLK_SIZE, b->logical);
    config[CONFIG_PHYSICAL_EXPONENT] =
        (uint8_t)(__builtin_ctz(b->physical) - __builtin_ctz(b->logical));
    virtio_put16(v, config + CONFIG_MIN_IO, (uint16_t)(b->physical / b->logical));
    virtio_put32(v, config + CONFIG_OPT_IO, 0);
    config[CONFIG_WRITEBACK] = writes_back(v);
    virtio_put16(v, config + CONFIG_NUM_QUEUES, (uint16_t)v->n_queues);
    virtio_put32(v, config + CONFIG_DISCARD_SECTORS, DISCARD_SECTORS);
    virtio_put32(v, config + CONFIG_DISCARD_SEGMENTS, 1);
    virtio_put32(v, config + CONFIG_DISCARD_ALIGNMENT, b->logical / BLOCK_SECTOR);
    virtio_put32(v, config + CONFIG_ZEROES_SECTORS, ZEROES_SECTORS);
    virtio_put32(v, config + CONFIG_ZEROES_SEGMENTS, 1);
    config[CONFIG_ZEROES_UNMAP] = 1;
}

static void blk_set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                           unsigned size)
{
    struct blk *b = v->state;

    if (offset == CONFIG_WRITEBACK && virtio_has(v, F_CONFIG_WCE))
        b->writeback = bytes[0] & 1;
    else
        log_printf(LOG_GUEST_ERROR, "virtio blk: store to configuration byte %" PRIu32 "\n",
                   offset);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool read_props(struct virtio_device *v, struct error *err)
{
    struct blk *b = v->state;
    const struct device *d = v->device;
    char serial[BLOCK_SERIAL_BYTES];

    v->n_queues = (unsigned)device_prop_u64(d, "num-queues", 1);
    v->queue_size = (uint16_t)device_prop_u64(d, "queue-size", QUEUE_SIZE);
    b->logical = (uint32_t)device_prop_u64(d, "logical_block_size", BLOCK_SECTOR);
    b->physical = (uint32_t)device_prop_u64(d, "physical_block_size", b->logical);
    if (!device_prop_string(d, "serial", serial, sizeof(serial)))
        strcpy(serial, block_serial(b->block));
    snprintf(b->serial, sizeof(b->serial), "%.*s", ID_BYTES, serial);
    return b->physical >= b->logical ||
           error_set(err, "-device %s: physical_block_size is less than logical_block_size", d->id);
}

static bool blk_init(struct virtio_device *v, struct error *err)
{
    struct blk *b = v->state;
    struct device *d = v->device;

    b->block = d->backend;
    if (!b->block)
        return error_set(err, "-device %s: which drive? drive=ID names one of -drive if=none,id=ID",
                         d->id);
    if (!read_props(v, err) || !block_attach(b->block, &d->machine->lock, err))
        return false;
    if (block_is_read_only(b->block))
        v->features = (v->features | F_RO) & ~(uint64_t)(F_DISCARD | F_WRITE_ZEROES);
    if (v->n_queues > 1)
        v->features |= F_MQ;
    return true;
}

static void blk_reset(struct virtio_device *v)
{
    struct blk *b = v->state;

    b->waiting = 0;
    b->writeback = !block_is_write_through(b->block);
    for (unsigned i = 0; i < REQUEST_MAX; i++) {
        if (!b->requests[i] || !b->requests[i]->busy)
            continue;
        block_cancel(b->block, &b->requests[i]->io);
        b->requests[i]->busy = false;
    }
}

static void blk_finish(struct virtio_device *v)
{
    struct blk *b = v->state;

    blk_reset(v);
    for (unsigned i = 0; i < REQUEST_MAX; i++) {
        if (b->requests[i])
            free(b->requests[i]->buffer);
        free(b->requests[i]);
    }
    block_detach(b->block);
}

static const struct device_field blk_fields[] = {
    DEVICE_FIELD(struct blk, writeback, DEVICE_BOOL, 1),
};

static const struct device_prop blk_props[] = {
    DEVICE_DRIVE,
    {"serial", DEVICE_PROP_TEXT, .most = ID_BYTES},
    {"num-queues", DEVICE_PROP_NUMBER, 1, QUEUES_MAX},
    {"queue-size", DEVICE_PROP_NUMBER, 4, VIRTQUEUE_MAX_SIZE, .power_of_two = true},
    {"logical_block_size", DEVICE_PROP_NUMBER, BLOCK_SECTOR, BLOCK_SIZE_MAX, .power_of_two = true},
    {"physical_block_size", DEVICE_PROP_NUMBER, BLOCK_SECTOR, BLOCK_SIZE_MAX, .power_of_two = true},
    {NULL},
};

static const struct virtio_type blk_type = {
    .name = "blk",
    .props = blk_props,
    .device_id = 2,
    .pci_class = 0x010000,
    .features = F_SEG_MAX | F_GEOMETRY | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_CONFIG_WCE |
                F_DISCARD | F_WRITE_ZEROES,
    .n_queues = QUEUES_MAX,
    .queue_size = QUEUE_SIZE,
    .config_size = CONFIG_BYTES,
    .state_size = sizeof(struct blk),
    .fields = blk_fields,
    .n_fields = ARRAY_SIZE(blk_fields),
    .init = blk_init,
    .finish = blk_finish,
    .reset = blk_reset,
    .notify = take_requests,
    .get_config = blk_get_config,
    .set_config = blk_set_config,
};
VIRTIO_DEVICE(blk_type, "blk", "Disk");
