/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a virtio device is to its transport: a device type with features, a configuration space and
 * split virtqueues (VIRTIO 1.2). The transport (virtio_mmio.c) owns struct virtio_device; a device
 * type owns its `state` and gets its requests through virtqueue_pop / virtqueue_push.
 *
 * Threading: everything with the device lock held. All that comes from the rings is the guest's
 * and is checked here: buffers that are not memory, chains that are too long or loop mark the
 * device broken (status NEEDS_RESET), as the specification allows.
 */
#ifndef CALQUE_HW_VIRTIO_VIRTIO_H
#define CALQUE_HW_VIRTIO_VIRTIO_H

#include "softmmu/memory.h"

struct virtio_device;

enum {
    VIRTIO_MAX_QUEUES = 8,
    VIRTQUEUE_MAX_SIZE = 1024,
    VIRTIO_MAX_SEGMENTS = 256, /* of one request */
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)

/* A kind of device: network card, disk, ... The host side registers none of this; a machine's
 * backend lookup ("virtio0") hands the transport a struct virtio_backend. */
struct virtio_type {
    const char *name;
    uint32_t device_id; /* 1 network, 2 block, ... (VIRTIO 1.2 section 5) */
    uint64_t features;  /* besides those of the transport and rings */
    unsigned n_queues;
    uint16_t queue_size; /* largest, a power of two */
    uint32_t config_size;
    uint8_t (*config_read)(struct virtio_device *v, uint32_t offset); /* offset < config_size */
    void (*config_write)(struct virtio_device *v, uint32_t offset, uint8_t value);
    void (*notify)(struct virtio_device *v, unsigned queue); /* the driver added buffers */
    void (*reset)(struct virtio_device *v);
};

struct virtio_backend {
    const struct virtio_type *type;
    void *state;
};

/* All of one type, so that the transport can list it as state. */
struct virtqueue {
    uint64_t size; /* as the driver chose */
    uint64_t ready;
    uint64_t descriptors, available, used;
    uint64_t last_available; /* next entry of the available ring to look at */
    uint64_t used_index;
};

struct virtio_device {
    const struct virtio_type *type; /* NULL: an empty slot */
    void *state;
    struct memory *memory;
    uint64_t driver_features;
    uint32_t status;
    struct virtqueue queues[VIRTIO_MAX_QUEUES];
    void (*interrupt)(void *transport, bool config); /* false: a used buffer */
    void *transport;
};

struct virtio_segment {
    gpa address;
    uint32_t length;
};

/* One request: first the buffers the device reads, then those it writes. */
struct virtio_request {
    uint16_t head;
    unsigned n_out, n_in;
    struct virtio_segment segments[VIRTIO_MAX_SEGMENTS];
};

void virtio_reset(struct virtio_device *v);
uint64_t virtio_features(const struct virtio_device *v);
static inline bool virtio_has(const struct virtio_device *v, uint64_t feature)
{
    return (v->driver_features & feature) != 0;
}

/* False: nothing waits, or the rings are broken. */
bool virtqueue_pop(struct virtio_device *v, unsigned queue, struct virtio_request *request);
/* Hands the request back with `written` bytes in its writable buffers, and interrupts the driver
 * unless it asked not to be. */
void virtqueue_push(struct virtio_device *v, unsigned queue, const struct virtio_request *request,
                    uint32_t written);
/* Copies between a buffer and the request's readable (out) or writable (in) bytes at `offset`;
 * returns how many bytes there were. */
size_t virtio_request_read(struct virtio_device *v, const struct virtio_request *request,
                           size_t offset, void *buffer, size_t size);
size_t virtio_request_write(struct virtio_device *v, const struct virtio_request *request,
                            size_t offset, const void *buffer, size_t size);

#endif
