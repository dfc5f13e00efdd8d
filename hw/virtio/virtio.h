/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio (VIRTIO 1.2): what a kind of device is to its transport, and split virtqueues.
 *
 * A kind is one file with a struct virtio_type and VIRTIO_DEVICE (virtio_device.h), which makes the
 * classes that -device takes. Its state is zeroed memory of `state_size` bytes, v->state; its
 * requests come through virtqueue_pop and go back through virtqueue_push, at once or later.
 * Properties, host side, clock and machine are those of v->device.
 *
 * Threading: everything with the device lock held. All that comes from the rings is the guest's
 * and is checked here: buffers that are not memory, chains that are too long or loop mark the
 * device broken (status NEEDS_RESET), as the specification allows.
 */
#ifndef CALQUE_HW_VIRTIO_VIRTIO_H
#define CALQUE_HW_VIRTIO_VIRTIO_H

#include "hw/device.h"
#include "util/bits.h"

struct virtio_device;

enum {
    VIRTIO_MAX_QUEUES = 16,
    VIRTQUEUE_MAX_SIZE = 1024,
    VIRTIO_MAX_SEGMENTS = VIRTQUEUE_MAX_SIZE, /* no chain is longer than its queue (2.7.5.3.1) */
    VIRTIO_MAX_CONFIG = 256,
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

#define VIRTIO_F_ANY_LAYOUT (UINT64_C(1) << 27) /* legacy drivers only */
#define VIRTIO_F_INDIRECT_DESC (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_IDX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1 (UINT64_C(1) << 32)

/* A kind of device. Functions may be NULL. */
struct virtio_type {
    const char *name;
    uint32_t device_id;  /* 1 network, 2 block, ... (VIRTIO 1.2 section 5) */
    uint32_t pci_class;  /* base class, subclass, interface: 0x010000 */
    uint64_t features;   /* besides those of the transport and rings; init may change v->features */
    unsigned n_queues;   /* init may lower v->n_queues */
    uint16_t queue_size; /* a power of two; init may change v->queue_size */
    uint32_t config_size;
    size_t state_size;
    const struct device_prop *props;   /* besides those of the transport; NULL: none */
    const struct device_field *fields; /* of the state: reset with the device, shown by info */
    unsigned n_fields;
    bool (*init)(struct virtio_device *v, struct error *err);
    void (*finish)(struct virtio_device *v);
    /* By the driver or with the machine, after the fields' reset values are in. No request of
     * before may be pushed any more. */
    void (*reset)(struct virtio_device *v);
    /* The driver is ready: v->driver_features are final. */
    void (*started)(struct virtio_device *v);
    void (*notify)(struct virtio_device *v, unsigned queue); /* the driver added buffers */
    /* Fills in the configuration space, config_size zeroed bytes (virtio_put16 and so on). */
    void (*get_config)(struct virtio_device *v, uint8_t *config);
    /* The driver stored 1, 2 or 4 bytes, all within config_size. */
    void (*set_config)(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                       unsigned size);
};

/* All of one type, so that the transport can list it as state. */
struct virtqueue {
    uint64_t size; /* as the driver chose */
    uint64_t ready;
    uint64_t descriptors, available, used;
    uint64_t last_available; /* next entry of the available ring to look at */
    uint64_t used_index;
};

enum { VIRTIO_CONFIG_CHANGE = -1 }; /* instead of a queue's number */

/* Part of the transport's state. */
struct virtio_device {
    const struct virtio_type *type; /* NULL: an empty slot */
    void *state;
    struct device *device; /* the one that -device made */
    struct memory *memory;
    uint64_t features; /* what is offered, besides those of the rings */
    unsigned n_queues;
    uint16_t queue_size;
    uint64_t driver_features;
    uint32_t status;
    bool big_endian; /* a legacy driver of a big-endian guest: so are all fields (2.7.3) */
    struct virtqueue queues[VIRTIO_MAX_QUEUES];
    void (*interrupt)(void *transport, int queue); /* used buffers there, or CONFIG_CHANGE */
    bool (*may_access)(void *transport);           /* memory; NULL: always */
    void *transport;
};

/* For the field lists of transports. */
#define VIRTIO_FIELDS(struct_type, member)                                                         \
    DEVICE_FIELD(struct_type, member.status, DEVICE_U32, 0),                                       \
        DEVICE_FIELD(struct_type, member.driver_features, DEVICE_U64, 0),                          \
        DEVICE_FIELD(struct_type, member.big_endian, DEVICE_BOOL, 0),                              \
        DEVICE_ARRAY(struct_type, member.queues, DEVICE_U64,                                       \
                     VIRTIO_MAX_QUEUES * sizeof(struct virtqueue) / sizeof(uint64_t), 0)

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

/* ---- for kinds of devices ---- */

static inline bool virtio_has(const struct virtio_device *v, uint64_t feature)
{
    return (v->driver_features & feature) != 0;
}

/* Fields of requests and of the configuration space in the driver's byte order. */
#define VIRTIO_ORDER(bits)                                                                         \
    static inline uint##bits##_t virtio_get##bits(const struct virtio_device *v, const void *at)   \
    {                                                                                              \
        return v->big_endian ? load_be##bits(at) : load_le##bits(at);                              \
    }                                                                                              \
    static inline void virtio_put##bits(const struct virtio_device *v, void *at,                   \
                                        uint##bits##_t value)                                      \
    {                                                                                              \
        if (v->big_endian)                                                                         \
            store_be##bits(at, value);                                                             \
        else                                                                                       \
            store_le##bits(at, value);                                                             \
    }
VIRTIO_ORDER(16)
VIRTIO_ORDER(32)
VIRTIO_ORDER(64)
#undef VIRTIO_ORDER

/* False: nothing waits, the driver is not ready, or the rings are broken. */
bool virtqueue_pop(struct virtio_device *v, unsigned queue, struct virtio_request *request);
/* Puts the request that was popped last back: the next pop gives it again. */
void virtqueue_unpop(struct virtio_device *v, unsigned queue);
/* Hands the request back with `written` bytes in its writable buffers, and interrupts the driver
 * unless it asked not to be. */
void virtqueue_push(struct virtio_device *v, unsigned queue, const struct virtio_request *request,
                    uint32_t written);
/* Bytes of the readable (out) and writable (in) buffers. */
uint64_t virtio_request_out_size(const struct virtio_request *request);
uint64_t virtio_request_in_size(const struct virtio_request *request);
/* Copies between a buffer and the request's readable (out) or writable (in) bytes at `offset`;
 * returns how many bytes there were. */
size_t virtio_request_read(struct virtio_device *v, const struct virtio_request *request,
                           uint64_t offset, void *buffer, size_t size);
size_t virtio_request_write(struct virtio_device *v, const struct virtio_request *request,
                            uint64_t offset, const void *buffer, size_t size);
/* The configuration space has changed: interrupts the driver. */
void virtio_config_changed(struct virtio_device *v);
/* The driver did what it must not: NEEDS_RESET. Returns false. */
bool virtio_broken(struct virtio_device *v, const char *why);

/* ---- for transports; `legacy` says which interface the access came by ---- */

/* v->memory, interrupt, transport are set; d is what -device made. */
bool virtio_attach(struct virtio_device *v, struct device *d, struct error *err);
void virtio_detach(struct virtio_device *v); /* harmless if nothing is there */
void virtio_reset(struct virtio_device *v);
uint64_t virtio_features(const struct virtio_device *v, bool legacy);
/* 32 bits of features; 0 beyond the second word. */
uint32_t virtio_word(uint64_t features, uint32_t word);
void virtio_write_features(struct virtio_device *v, unsigned word, uint32_t value, bool legacy);
/* A value of 0 resets; the transport forgets its interrupts then. */
void virtio_write_status(struct virtio_device *v, uint8_t value, bool legacy);
void virtio_notify(struct virtio_device *v, uint32_t queue);
uint32_t virtio_read_config(struct virtio_device *v, uint32_t offset, unsigned size, bool legacy);
void virtio_write_config(struct virtio_device *v, uint32_t offset, uint32_t value, unsigned size,
                         bool legacy);
struct virtqueue *virtio_queue(struct virtio_device *v, uint32_t n); /* NULL: there is none */
bool virtqueue_set_size(struct virtio_device *v, struct virtqueue *q, uint32_t size);
void virtqueue_set_ready(struct virtqueue *q, bool ready);
/* Halves of its addresses, the low one first: of the descriptors, the driver's area (available),
 * the device's (used). */
enum { VIRTQUEUE_HALVES = 6 };
uint32_t virtqueue_address(const struct virtqueue *q, unsigned half);
void virtqueue_set_address(struct virtqueue *q, unsigned half, uint32_t value);
/* The legacy layout (2.7.2), all of it behind `address`; 0: none. */
void virtqueue_set_legacy(struct virtqueue *q, uint64_t address, uint64_t align);

#endif
