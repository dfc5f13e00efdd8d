/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver: the first byte chooses a device class, the rest is accesses to its regions,
 * input wires, configuration space and time. RAM holds the input too, so that DMA finds structures
 * to follow.
 */
#include <string.h>

#include "hw/machine.h"
#include "hw/pci/pci.h"

enum { BASE = 0x10000000, STRIDE = 0x10000000, RAM = 0x80000000, RAM_SIZE = 0x10000 };
enum { PORTS = 0x1000, PORT_STRIDE = 0x1000, COMMAND = 4 };

static gpa region_base(const struct device *d, unsigned region)
{
    return d->class->regions[region].port ? PORTS + (gpa)region * PORT_STRIDE
                                          : BASE + (gpa)region * STRIDE;
}

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
    struct memory *space = class->regions[region].port ? d->machine->ports : d->memory;
    gpa address = region_base(d, region) + offset;
    if (op[0] & 1)
        memory_store(space, address, value * UINT64_C(0x100000001), width, &ok);
    else
        memory_load(space, address, width, &ok);
}

/* The registers of a PCI function; the regions come back to where they are poked. */
static void step_config(struct device *d, const uint8_t *op)
{
    struct pci_bus *bus = pci_bus_of(d);
    unsigned width = 1u << op[1] % 3, offset = op[2] & ~(width - 1);

    if (!bus)
        return;
    pci_config_write(bus, d->pci->devfn, offset, op[4] | op[5] << 8 | (uint32_t)op[6] << 16, width);
    pci_config_write(bus, d->pci->devfn, COMMAND, 7, 2);
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        if (d->class->regions[i].bar || d->class->regions[i].moves)
            device_place(d, i, region_base(d, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine m = {0};
    struct error err;

    if (size < 9)
        return 0;
    memory_lock_init(&m.lock);
    m.clock = clock_create_manual();
    m.memory = memory_create(&m.lock, &err);
    m.ports = memory_create(&m.lock, &err);
    uint8_t *ram = memory_add_ram(m.memory, "ram", RAM, RAM_SIZE, &err);
    memcpy(ram, data, size < RAM_SIZE ? size : RAM_SIZE);
    /* A host bridge makes the bus that a function needs, unless it is one itself. */
    const struct device_class *class = choose_class(data[0]);
    struct device *host = NULL;
    if (class->pci && !class->pci->makes_bus)
        host = device_create(device_class_find("i440fx"), "host", &m, NULL, NULL, NULL, &err);
    struct device *d = device_create(class, "dut", &m, "size=0x40000", NULL, NULL, &err);
    if (d) {
        for (unsigned i = 0; i < d->class->n_regions; i++)
            device_map(d, i, region_base(d, i), &err);
        device_reset(d);
        for (size_t at = 1; at + 8 <= size; at += 8) {
            if (d->pci && (data[at] & 0xf0) == 0xf0)
                step_config(d, data + at);
            else
                step(d, data + at);
        }
        device_destroy(d);
    }
    device_destroy(host);
    memory_destroy(m.ports);
    memory_destroy(m.memory);
    clock_destroy(m.clock);
    pthread_mutex_destroy(&m.lock);
    return 0;
}
