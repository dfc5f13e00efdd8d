/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Split virtqueues: VIRTIO 1.2 section 2.7. */
#include "hw/virtio/virtio.h"

#include "util/bits.h"
#include "util/log.h"

enum descriptor_flag { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { DESC_SIZE = 16, AVAILABLE_NO_INTERRUPT = 1 };

struct descriptor {
    gpa address;
    uint32_t length;
    uint16_t flags, next;
};

uint64_t virtio_features(const struct virtio_device *v)
{
    return v->type->features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1;
}

void virtio_reset(struct virtio_device *v)
{
    v->status = 0;
    v->driver_features = 0;
    for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
        v->queues[i] = (struct virtqueue){0};
    if (v->type && v->type->reset)
        v->type->reset(v);
}

static bool broken(struct virtio_device *v, const char *why)
{
    log_printf(LOG_GUEST_ERROR, "virtio %s: %s\n", v->type->name, why);
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK)
        v->interrupt(v->transport, true);
    return false;
}

static bool read_descriptor(struct virtio_device *v, gpa table, unsigned index,
                            struct descriptor *out)
{
    uint8_t raw[DESC_SIZE];

    if (!memory_ram_pointer(v->memory, table + index * DESC_SIZE, DESC_SIZE) ||
        !memory_read(v->memory, table + index * DESC_SIZE, raw, sizeof(raw)))
        return broken(v, "descriptor outside memory");
    *out = (struct descriptor){load_le64(raw), load_le32(raw + 8), load_le16(raw + 12),
                               load_le16(raw + 14)};
    return true;
}

static bool add_segment(struct virtio_device *v, struct virtio_request *r,
                        const struct descriptor *d)
{
    unsigned n = r->n_out + r->n_in;

    if (n == VIRTIO_MAX_SEGMENTS)
        return broken(v, "too many buffers in one request");
    if (!(d->flags & DESC_WRITE) && r->n_in)
        return broken(v, "readable buffer after a writable one");
    if (d->length && !memory_ram_pointer(v->memory, d->address, d->length))
        return broken(v, "buffer outside memory");
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
            return broken(v, "descriptor number beyond the table");
        if (!read_descriptor(v, table, index, &d))
            return false;
        if (d.flags & DESC_INDIRECT) {
            if (indirect || !virtio_has(v, VIRTIO_F_INDIRECT_DESC) || (d.flags & DESC_NEXT) ||
                !d.length || d.length % DESC_SIZE || d.length / DESC_SIZE > 65536)
                return broken(v, "bad indirect descriptor");
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
    return broken(v, "descriptors form a loop");
}

static uint16_t ring_load16(struct virtio_device *v, gpa address)
{
    uint8_t raw[2] = {0};

    if (memory_ram_pointer(v->memory, address, 2))
        memory_read(v->memory, address, raw, sizeof(raw));
    return load_le16(raw);
}

static void ring_store16(struct virtio_device *v, gpa address, uint16_t value)
{
    uint8_t raw[2];

    store_le16(raw, value);
    if (memory_ram_pointer(v->memory, address, 2))
        memory_write(v->memory, address, raw, sizeof(raw));
}

bool virtqueue_pop(struct virtio_device *v, unsigned queue, struct virtio_request *r)
{
    struct virtqueue *q = &v->queues[queue];

    if (!q->ready || !q->size || !(v->status & VIRTIO_DRIVER_OK) ||
        (v->status & VIRTIO_NEEDS_RESET))
        return false;
    uint16_t index = ring_load16(v, q->available + 2);
    uint16_t waiting = (uint16_t)(index - q->last_available);
    if (!waiting)
        return false;
    if (waiting > q->size)
        return broken(v, "available index moved by more than the ring holds");
    /* The entry is read after the index that announced it. */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    r->n_out = r->n_in = 0;
    r->head = ring_load16(v, q->available + 4 + q->last_available % q->size * 2);
    if (!read_chain(v, q, r->head, r))
        return false;
    q->last_available = (uint16_t)(q->last_available + 1);
    if (virtio_has(v, VIRTIO_F_EVENT_IDX)) /* avail_event, behind the used ring */
        ring_store16(v, q->used + 4 + q->size * 8, (uint16_t)q->last_available);
    return true;
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

    if (!q->ready || !q->size)
        return;
    gpa at = q->used + 4 + before % q->size * 8;
    store_le32(entry, r->head);
    store_le32(entry + 4, written);
    if (!memory_ram_pointer(v->memory, at, sizeof(entry))) {
        broken(v, "used ring outside memory");
        return;
    }
    memory_write(v->memory, at, entry, sizeof(entry));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    q->used_index = (uint16_t)(before + 1);
    ring_store16(v, q->used + 2, (uint16_t)q->used_index);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (wants_interrupt(v, q, before))
        v->interrupt(v->transport, false);
}

static size_t transfer(struct virtio_device *v, const struct virtio_segment *segments, unsigned n,
                       size_t offset, uint8_t *buffer, size_t size, bool to_guest)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < size; i++) {
        if (offset >= segments[i].length) {
            offset -= segments[i].length;
            continue;
        }
        gpa address = segments[i].address + offset;
        size_t here = MIN(segments[i].length - offset, size - done);
        bool ok = to_guest ? memory_write(v->memory, address, buffer + done, here)
                           : memory_read(v->memory, address, buffer + done, here);
        if (!ok)
            break;
        done += here;
        offset = 0;
    }
    return done;
}

size_t virtio_request_read(struct virtio_device *v, const struct virtio_request *r, size_t offset,
                           void *buffer, size_t size)
{
    return transfer(v, r->segments, r->n_out, offset, buffer, size, false);
}

size_t virtio_request_write(struct virtio_device *v, const struct virtio_request *r, size_t offset,
                            const void *buffer, size_t size)
{
    return transfer(v, r->segments + r->n_out, r->n_in, offset, (uint8_t *)buffer, size, true);
}
