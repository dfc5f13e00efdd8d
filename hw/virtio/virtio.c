/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all virtio devices have in common: features, status, split virtqueues (VIRTIO 1.2 chapter
 * 2).
 */
#include "hw/virtio/virtio.h"

#include <stdlib.h>
#include <string.h>

enum descriptor_flag { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { DESC_SIZE = 16, AVAILABLE_NO_INTERRUPT = 1 };

struct descriptor {
    gpa address;
    uint32_t length;
    uint16_t flags, next;
};

/* ---- life ------------------------------------------------------------------------------------ */

bool virtio_attach(struct virtio_device *v, struct device *d, struct error *err)
{
    const struct virtio_type *type = d->class->virtio;

    v->type = type;
    v->device = d;
    v->features = type->features;
    v->n_queues = type->n_queues;
    v->queue_size = type->queue_size;
    v->state = calloc(1, MAX(type->state_size, 1));
    if (!v->state) {
        v->type = NULL;
        return error_set(err, "out of memory for device '%s'", d->id);
    }
    d->part = (struct device_part){v->state, type->fields, type->n_fields};
    if (type->init && !type->init(v, err)) {
        d->part = (struct device_part){0};
        free(v->state);
        v->type = NULL;
        v->state = NULL;
        return false;
    }
    if (v->n_queues > VIRTIO_MAX_QUEUES || v->queue_size > VIRTQUEUE_MAX_SIZE ||
        type->config_size > VIRTIO_MAX_CONFIG)
        BUG("virtio device '%s' is larger than its transport", type->name);
    return true;
}

void virtio_detach(struct virtio_device *v)
{
    if (!v->type)
        return;
    if (v->type->finish)
        v->type->finish(v);
    v->device->part = (struct device_part){0};
    free(v->state);
    v->type = NULL;
    v->state = NULL;
}

void virtio_reset(struct virtio_device *v)
{
    v->status = 0;
    v->driver_features = 0;
    v->big_endian = false;
    for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
        v->queues[i] = (struct virtqueue){.size = v->type ? v->queue_size : 0};
    if (!v->type)
        return;
    device_reset_part(v->device);
    if (v->type->reset)
        v->type->reset(v);
}

/* ---- features and status --------------------------------------------------------------------- */

uint64_t virtio_features(const struct virtio_device *v, bool legacy)
{
    uint64_t features = v->features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;

    return legacy ? (features | VIRTIO_F_ANY_LAYOUT) & UINT32_MAX : features | VIRTIO_F_VERSION_1;
}

uint32_t virtio_word(uint64_t features, uint32_t word)
{
    return word > 1 ? 0 : (uint32_t)(features >> word * 32);
}

/* After FEATURES_OK they are settled. What is not offered cannot be had by a legacy driver; a
 * modern one is told when it asks whether its features are right. */
void virtio_write_features(struct virtio_device *v, unsigned word, uint32_t value, bool legacy)
{
    if (word > 1 || (v->status & VIRTIO_FEATURES_OK))
        return;
    v->driver_features = deposit64(v->driver_features, word * 32, 32, value);
    if (legacy)
        v->driver_features &= virtio_features(v, true);
}

void virtio_write_status(struct virtio_device *v, uint8_t value, bool legacy)
{
    bool was_ready = v->status & VIRTIO_DRIVER_OK;

    if (value == 0) {
        virtio_reset(v);
        return;
    }
    v->big_endian = legacy && memory_is_big_endian(v->memory);
    /* Features we do not have, or a modern driver without VERSION_1: FEATURES_OK does not stick. */
    if ((value & VIRTIO_FEATURES_OK) && !legacy &&
        ((v->driver_features & ~virtio_features(v, false)) || !virtio_has(v, VIRTIO_F_VERSION_1)))
        value &= (uint8_t)~VIRTIO_FEATURES_OK;
    v->status = value | (v->status & VIRTIO_NEEDS_RESET);
    if (was_ready || !(value & VIRTIO_DRIVER_OK))
        return;
    if (v->type->started)
        v->type->started(v);
    for (unsigned i = 0; i < v->n_queues; i++) { /* what legacy drivers announced too early */
        if (v->queues[i].ready)
            virtio_notify(v, i);
    }
}

void virtio_notify(struct virtio_device *v, uint32_t queue)
{
    if (queue < v->n_queues && v->type->notify && (v->status & VIRTIO_DRIVER_OK))
        v->type->notify(v, queue);
}

bool virtio_broken(struct virtio_device *v, const char *why)
{
    log_printf(LOG_GUEST_ERROR, "virtio %s: %s\n", v->type->name, why);
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        v->interrupt(v->transport, VIRTIO_CONFIG_CHANGE);
    return false;
}

/* ---- configuration space --------------------------------------------------------------------- */

uint32_t virtio_read_config(struct virtio_device *v, uint32_t offset, unsigned size, bool legacy)
{
    uint8_t config[VIRTIO_MAX_CONFIG] = {0};
    uint32_t value = 0;

    v->big_endian = legacy && memory_is_big_endian(v->memory);
    if (v->type->get_config)
        v->type->get_config(v, config);
    for (unsigned i = 0; i < size && offset + i < v->type->config_size; i++)
        value |= (uint32_t)config[offset + i] << (i * 8);
    return value;
}

void virtio_write_config(struct virtio_device *v, uint32_t offset, uint32_t value, unsigned size,
                         bool legacy)
{
    uint8_t bytes[4];

    v->big_endian = legacy && memory_is_big_endian(v->memory);
    store_le32(bytes, value);
    if (v->type->set_config && offset < v->type->config_size &&
        size <= v->type->config_size - offset)
        v->type->set_config(v, offset, bytes, size);
}

void virtio_config_changed(struct virtio_device *v)
{
    if (v->status & VIRTIO_DRIVER_OK)
        v->interrupt(v->transport, VIRTIO_CONFIG_CHANGE);
}

/* ---- queues ---------------------------------------------------------------------------------- */

struct virtqueue *virtio_queue(struct virtio_device *v, uint32_t n)
{
    return n < v->n_queues ? &v->queues[n] : NULL;
}

bool virtqueue_set_size(struct virtio_device *v, struct virtqueue *q, uint32_t size)
{
    if (size > v->queue_size || !is_power_of_two(size)) {
        log_printf(LOG_GUEST_ERROR, "virtio %s: queue size %u\n", v->type->name, size);
        return false;
    }
    q->size = size;
    return true;
}

void virtqueue_set_ready(struct virtqueue *q, bool ready)
{
    q->ready = ready;
    if (!ready)
        q->last_available = q->used_index = 0;
}

uint32_t virtqueue_address(const struct virtqueue *q, unsigned half)
{
    const uint64_t addresses[] = {q->descriptors, q->available, q->used};

    return (uint32_t)(addresses[half / 2] >> half % 2 * 32);
}

void virtqueue_set_address(struct virtqueue *q, unsigned half, uint32_t value)
{
    uint64_t *const addresses[] = {&q->descriptors, &q->available, &q->used};

    *addresses[half / 2] = deposit64(*addresses[half / 2], half % 2 * 32, 32, value);
}

void virtqueue_set_legacy(struct virtqueue *q, uint64_t address, uint64_t align)
{
    q->descriptors = address;
    q->available = address + q->size * 16;
    q->used = align_up(q->available + 6 + q->size * 2, is_power_of_two(align) ? align : 4096);
    virtqueue_set_ready(q, address != 0);
}

static bool read_descriptor(struct virtio_device *v, gpa table, unsigned index,
                            struct descriptor *out)
{
    uint8_t raw[DESC_SIZE];

    if (!memory_ram_pointer(v->memory, table + index * DESC_SIZE, DESC_SIZE) ||
        !memory_read(v->memory, table + index * DESC_SIZE, raw, sizeof(raw)))
        return virtio_broken(v, "descriptor outside memory");
    *out = (struct descriptor){virtio_get64(v, raw), virtio_get32(v, raw + 8),
                               virtio_get16(v, raw + 12), virtio_get16(v, raw + 14)};
    return true;
}

static bool add_segment(struct virtio_device *v, struct virtio_request *r,
                        const struct descriptor *d)
{
    unsigned n = r->n_out + r->n_in;

    if (n == VIRTIO_MAX_SEGMENTS)
        return virtio_broken(v, "too many buffers in one request");
    if (!(d->flags & DESC_WRITE) && r->n_in)
        return virtio_broken(v, "readable buffer after a writable one");
    if (d->length && !memory_ram_pointer(v->memory, d->address, d->length))
        return virtio_broken(v, "buffer outside memory");
    r->segments[n] = (struct virtio_segment){d->address, d->length};
    if (d->flags & DESC_WRITE)
        r->n_in++;
    else
        r->n_out++;
    return true;
}

static bool read_chain(struct virtio_device *v, const struct virtqueue *q, unsigned head,
                       struct virtio_request *r)
{
    gpa table = q->descriptors;
    uint32_t n = (uint32_t)q->size, index = head;
    bool indirect = false;
    struct descriptor d = {0};

    /* No valid chain is longer than its table; that also ends loops. */
    for (uint32_t steps = 0; steps <= n;) {
        if (index >= n)
            return virtio_broken(v, "descriptor number beyond the table");
        if (!read_descriptor(v, table, index, &d))
            return false;
        if (d.flags & DESC_INDIRECT) {
            if (indirect || !virtio_has(v, VIRTIO_F_INDIRECT_DESC) || (d.flags & DESC_NEXT) ||
                !d.length || d.length % DESC_SIZE || d.length / DESC_SIZE > 65536)
                return virtio_broken(v, "bad indirect descriptor");
            indirect = true;
            table = d.address;
            n = d.length / DESC_SIZE;
            index = steps = 0;
            continue;
        }
        if (!add_segment(v, r, &d))
            return false;
        if (!(d.flags & DESC_NEXT))
            return true;
        index = d.next;
        steps++;
    }
    return virtio_broken(v, "descriptors form a loop");
}

static uint16_t ring_load16(struct virtio_device *v, gpa address)
{
    uint8_t raw[2] = {0};

    if (memory_ram_pointer(v->memory, address, 2))
        memory_read(v->memory, address, raw, sizeof(raw));
    return virtio_get16(v, raw);
}

static void ring_store16(struct virtio_device *v, gpa address, uint16_t value)
{
    uint8_t raw[2];

    virtio_put16(v, raw, value);
    if (memory_ram_pointer(v->memory, address, 2))
        memory_write(v->memory, address, raw, sizeof(raw));
}

/* Behind the used ring: which entry is the next to be announced (2.7.10). The index is looked at
 * only after that, or one that comes at the same time would be missed. */
static void set_available_event(struct virtio_device *v, const struct virtqueue *q)
{
    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return;
    ring_store16(v, q->used + 4 + q->size * 8, (uint16_t)q->last_available);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool virtqueue_pop(struct virtio_device *v, unsigned queue, struct virtio_request *r)
{
    struct virtqueue *q = &v->queues[queue];

    if (!q->ready || !q->size || !(v->status & VIRTIO_DRIVER_OK) ||
        (v->status & VIRTIO_NEEDS_RESET) || (v->may_access && !v->may_access(v->transport)))
        return false;
    uint16_t index = ring_load16(v, q->available + 2);
    uint16_t waiting = (uint16_t)(index - q->last_available);
    if (!waiting)
        return false;
    if (waiting > q->size)
        return virtio_broken(v, "available index moved by more than the ring holds");
    /* The entry is read after the index that announced it. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    r->n_out = r->n_in = 0;
    r->head = ring_load16(v, q->available + 4 + q->last_available % q->size * 2);
    if (!read_chain(v, q, r->head, r))
        return false;
    q->last_available = (uint16_t)(q->last_available + 1);
    set_available_event(v, q);
    return true;
}

void virtqueue_unpop(struct virtio_device *v, unsigned queue)
{
    struct virtqueue *q = &v->queues[queue];

    q->last_available = (uint16_t)(q->last_available - 1);
    set_available_event(v, q);
}

/* 2.7.7: has the used index passed the event the driver asked for? */
static bool wants_interrupt(struct virtio_device *v, struct virtqueue *q, uint16_t before)
{
    uint16_t now = (uint16_t)q->used_index;

    if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
        return !(ring_load16(v, q->available) & AVAILABLE_NO_INTERRUPT);
    uint16_t event = ring_load16(v, q->available + 4 + q->size * 2);
    return (uint16_t)(now - event - 1) < (uint16_t)(now - before);
}

void virtqueue_push(struct virtio_device *v, unsigned queue, const struct virtio_request *r,
                    uint32_t written)
{
    struct virtqueue *q = &v->queues[queue];
    uint16_t before = (uint16_t)q->used_index;
    uint8_t entry[8];

    if (!q->ready || !q->size || (v->may_access && !v->may_access(v->transport)))
        return;
    gpa at = q->used + 4 + before % q->size * 8;
    virtio_put32(v, entry, r->head);
    virtio_put32(v, entry + 4, written);
    if (!memory_ram_pointer(v->memory, at, sizeof(entry))) {
        virtio_broken(v, "used ring outside memory");
        return;
    }
    memory_write(v->memory, at, entry, sizeof(entry));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    q->used_index = (uint16_t)(before + 1);
    ring_store16(v, q->used + 2, (uint16_t)q->used_index);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (wants_interrupt(v, q, before))
        v->interrupt(v->transport, (int)queue);
}

static uint64_t total(const struct virtio_segment *segments, unsigned n)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < n; i++)
        size += segments[i].length;
    return size;
}

uint64_t virtio_request_out_size(const struct virtio_request *r)
{
    return total(r->segments, r->n_out);
}

uint64_t virtio_request_in_size(const struct virtio_request *r)
{
    return total(r->segments + r->n_out, r->n_in);
}

static size_t transfer(struct virtio_device *v, const struct virtio_segment *segments, unsigned n,
                       uint64_t offset, uint8_t *buffer, size_t size, bool to_guest)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < size; i++) {
        if (offset >= segments[i].length) {
            offset -= segments[i].length;
            continue;
        }
        gpa address = segments[i].address + offset;
        size_t here = (size_t)MIN(segments[i].length - offset, size - done);
        bool ok = to_guest ? memory_write(v->memory, address, buffer + done, here)
                           : memory_read(v->memory, address, buffer + done, here);
        if (!ok)
            break;
        done += here;
        offset = 0;
    }
    return done;
}

size_t virtio_request_read(struct virtio_device *v, const struct virtio_request *r, uint64_t offset,
                           void *buffer, size_t size)
{
    return transfer(v, r->segments, r->n_out, offset, buffer, size, false);
}

size_t virtio_request_write(struct virtio_device *v, const struct virtio_request *r,
                            uint64_t offset, const void *buffer, size_t size)
{
    return transfer(v, r->segments + r->n_out, r->n_in, offset, (uint8_t *)buffer, size, true);
}
