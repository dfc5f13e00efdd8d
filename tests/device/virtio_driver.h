/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio driver for tests, over each transport and interface, on a PC without processor. */
#ifndef CALQUE_TESTS_DEVICE_VIRTIO_DRIVER_H
#define CALQUE_TESTS_DEVICE_VIRTIO_DRIVER_H

#include "pc.h"

enum driver_mode { DRIVER_MMIO, DRIVER_MMIO_LEGACY, DRIVER_PCI, DRIVER_PCI_LEGACY, DRIVER_MODES };

enum {
    DRIVER_QUEUE = 16, /* entries, as far as the driver may choose */
    DRIVER_RINGS = 0x10000,
    DRIVER_RINGS_STRIDE = 0x8000, /* from one queue's rings to the next one's */
    DRIVER_BUFFERS = 0x100000,    /* the test's own from here on */
    DRIVER_SLOT = 5 << 3,
    DRIVER_MEMORY = 0xe0000000, /* the BARs or the slot */
    DRIVER_MESSAGES = 0xe0010000,
    DRIVER_PORTS = 0xc000,
};
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };

struct driver {
    struct test_pc *pc;
    struct device *device; /* what -device would make */
    enum driver_mode mode;
    unsigned queue_size[8];
};

/* kind: "blk". Not started. */
struct driver *driver_create(enum driver_mode mode, const char *kind, const char *props,
                             void *backend);
void driver_destroy(struct driver *drv);
bool driver_is_legacy(const struct driver *drv);
uint64_t driver_offered(struct driver *drv);
uint8_t driver_status(struct driver *drv);
void driver_set_status(struct driver *drv, uint8_t status);
uint32_t driver_config(struct driver *drv, uint32_t offset, unsigned size);
void driver_set_config(struct driver *drv, uint32_t offset, uint32_t value, unsigned size);
/* From reset to DRIVER_OK with queues 0 to n_queues - 1; the rings are cleared. Modern ones take
 * VERSION_1 too. */
void driver_start(struct driver *drv, uint64_t features, unsigned n_queues);
/* Where in RAM the rings of a queue are. */
gpa driver_table(const struct driver *drv, unsigned queue);
gpa driver_available(const struct driver *drv, unsigned queue);
gpa driver_used(const struct driver *drv, unsigned queue);
void driver_descriptor(struct driver *drv, gpa table, unsigned index, uint64_t address,
                       uint32_t length, uint16_t flags, uint16_t next);
void driver_offer(struct driver *drv, unsigned queue, uint16_t head); /* and notifies */
void driver_notify(struct driver *drv, unsigned queue);
uint16_t driver_used_index(struct driver *drv, unsigned queue);
uint32_t driver_used_length(struct driver *drv, unsigned queue, uint16_t index);
uint32_t driver_used_head(struct driver *drv, unsigned queue, uint16_t index);
/* What the interrupt status says; acknowledges it. */
uint32_t driver_interrupts(struct driver *drv);

#endif
