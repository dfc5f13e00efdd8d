/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine with one virtio-mmio device whose driver has got as far as DRIVER_OK, for harnesses
 * that look for what comes after.
 */
#ifndef CALQUE_TESTS_FUZZ_VIRTIO_H
#define CALQUE_TESTS_FUZZ_VIRTIO_H

#include <stdlib.h>
#include <string.h>

#include "hw/machine.h"

enum { FUZZ_RAM = 0x10000000, FUZZ_RAM_SIZE = 0x100000, FUZZ_SLOT = 0x20000000 };
enum { FUZZ_RINGS = FUZZ_RAM, FUZZ_RINGS_STRIDE = 0x4000, FUZZ_DATA = FUZZ_RAM + 0x10000 };
enum { FUZZ_QUEUE_SIZE = 16 };

struct fuzz_virtio {
    struct machine m;
    struct device *devices[2];
    uint8_t *ram;
    uint16_t offered[2];
};

static inline void fuzz_register(struct fuzz_virtio *f, unsigned offset, uint32_t value)
{
    bool ok;

    memory_store(f->m.memory, FUZZ_SLOT + offset, value, 4, &ok);
}

static inline void fuzz_start(struct fuzz_virtio *f, uint32_t features)
{
    fuzz_register(f, 0x70, 0);
    fuzz_register(f, 0x70, 3);
    fuzz_register(f, 0x24, 0);
    fuzz_register(f, 0x20, features);
    fuzz_register(f, 0x24, 1);
    fuzz_register(f, 0x20, 1); /* VERSION_1 */
    fuzz_register(f, 0x70, 11);
    for (unsigned queue = 0; queue < 2; queue++) {
        uint32_t at = FUZZ_RINGS + queue * FUZZ_RINGS_STRIDE;
        memset(f->ram + (at - FUZZ_RAM), 0, FUZZ_RINGS_STRIDE);
        fuzz_register(f, 0x30, queue);
        fuzz_register(f, 0x38, FUZZ_QUEUE_SIZE);
        fuzz_register(f, 0x80, at);
        fuzz_register(f, 0x84, 0);
        fuzz_register(f, 0x90, at + 0x1000);
        fuzz_register(f, 0x94, 0);
        fuzz_register(f, 0xa0, at + 0x2000);
        fuzz_register(f, 0xa4, 0);
        fuzz_register(f, 0x44, 1);
        f->offered[queue] = 0;
    }
    fuzz_register(f, 0x70, 15);
}

static inline struct fuzz_virtio *fuzz_create(const char *class)
{
    struct fuzz_virtio *f = calloc(1, sizeof(*f));
    struct error err;

    memory_lock_init(&f->m.lock);
    f->m.clock = clock_create_manual();
    f->m.memory = memory_create(&f->m.lock, &err);
    f->m.devices = f->devices;
    f->ram = memory_add_ram(f->m.memory, "ram", FUZZ_RAM, FUZZ_RAM_SIZE, &err);
    f->devices[0] =
        device_create(device_class_find("virtio-mmio"), "slot", &f->m, NULL, NULL, NULL, &err);
    device_map_all(f->devices[0], FUZZ_SLOT, &err);
    f->devices[1] = device_create(device_class_find(class), "dut", &f->m, NULL, NULL, NULL, &err);
    f->m.n_devices = 2;
    device_reset(f->devices[0]);
    device_reset(f->devices[1]);
    return f;
}

static inline void fuzz_destroy(struct fuzz_virtio *f)
{
    device_destroy(f->devices[1]);
    device_destroy(f->devices[0]);
    screens_destroy(&f->m.screens);
    memory_destroy(f->m.memory);
    clock_destroy(f->m.clock);
    pthread_mutex_destroy(&f->m.lock);
    free(f);
}

/* One request: `out` bytes at FUZZ_DATA that the device reads, `in` bytes behind that it writes. */
static inline void fuzz_request(struct fuzz_virtio *f, unsigned queue, uint32_t out, uint32_t in)
{
    uint8_t *rings = f->ram + (queue & 1) * FUZZ_RINGS_STRIDE;
    uint16_t n = f->offered[queue & 1]++, first = (uint16_t)(n % (FUZZ_QUEUE_SIZE / 2) * 2);
    struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, next;
    } table[2] = {{FUZZ_DATA, out, in ? 1 : 0, (uint16_t)(first + 1)},
                  {FUZZ_DATA + 0x8000, in, 2, 0}};

    if (!out)
        first++;
    memcpy(rings + (first & ~1u) * 16, table, sizeof(table));
    memcpy(rings + 0x1000 + 4 + n % FUZZ_QUEUE_SIZE * 2, &first, 2);
    n++;
    memcpy(rings + 0x1000 + 2, &n, 2);
    fuzz_register(f, 0x50, queue);
}

#endif
