/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver: the first byte chooses a device class, the rest is accesses to its regions,
 * input wires, and time. RAM holds the input too, so that DMA finds structures to follow.
 */
#include <string.h>

#include "hw/machine.h"

enum { BASE = 0x10000000, STRIDE = 0x10000000, RAM = 0x80000000, RAM_SIZE = 0x10000 };

static const struct device_class *choose_class(unsigned number)
{
    unsigned n = 0, i = 0;

    REGISTRY_FOREACH (device_class, struct device_class, class) {
        n++;
    }
    REGISTRY_FOREACH (device_class, struct device_class, class) {
        if (i++ == number % n)
            return class;
    }
    return NULL;
}

/* One step takes eight bytes: what, region, width, offset, value. */
static void step(struct device *d, const uint8_t *op)
{
    const struct device_class *class = d->class;
    unsigned width = 1u << (op[0] >> 2 & 3);
    uint64_t value = op[4] | op[5] << 8 | (uint64_t)op[6] << 16 | (uint64_t)op[7] << 24;
    bool ok;

    if ((op[0] & 3) == 3) {
        clock_advance(d->clock, (int64_t)value);
        return;
    }
    if ((op[0] & 3) == 2 && class->n_irq_in && class->irq_in) {
        class->irq_in(d, (unsigned)value % class->n_irq_in, op[1] & 1);
        return;
    }
    if (!class->n_regions)
        return;
    unsigned region = op[1] % class->n_regions;
    uint64_t size = d->mappings[region].size;
    uint64_t offset = (op[2] | op[3] << 8 | (uint64_t)(op[1] >> 4) << 16) % size;
    if (offset + width > size)
        return;
    gpa address = BASE + (uint64_t)region * STRIDE + offset;
    if (op[0] & 1)
        memory_store(d->memory, address, value * UINT64_C(0x100000001), width, &ok);
    else
        memory_load(d->memory, address, width, &ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m = {0};
    pthread_mutexattr_t attributes;
    struct error err;

    if (size < 9)
        return 0;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m.lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    m.clock = clock_create_manual();
    m.memory = memory_create(&m.lock, &err);
    uint8_t *ram = memory_add_ram(m.memory, "ram", RAM, RAM_SIZE, &err);
    memcpy(ram, data, size < RAM_SIZE ? size : RAM_SIZE);
    struct device *d =
        device_create(choose_class(data[0]), "dut", &m, "size=0x40000", NULL, NULL, &err);
    if (d) {
        for (unsigned i = 0; i < d->class->n_regions; i++)
            device_map(d, i, BASE + (uint64_t)i * STRIDE, &err);
        device_reset(d);
        for (size_t at = 1; at + 8 <= size; at += 8)
            step(d, data + at);
        device_destroy(d);
    }
    memory_destroy(m.memory);
    clock_destroy(m.clock);
    pthread_mutex_destroy(&m.lock);
    return 0;
}
