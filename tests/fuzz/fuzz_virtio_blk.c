/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver of virtio-blk: the first bytes choose transport, interface and features, the
 * input is laid into RAM as descriptors, rings and requests, and the rest are steps: notifications,
 * stores into RAM, registers, resets, with the disk's thread running beside them.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/block.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum {
    RAM_SIZE = 0x10000,
    SLOT = 0xd0000000,
    BAR = 0xe0000000,
    PORTS = 0xc000,
    DEVFN = 5 << 3,
    SECTORS = 64,
    QUEUE = 16,
    TABLE = 0x1000,
    AVAILABLE = TABLE + QUEUE * 16,
    USED = 0x2000,
    REQUESTS = 0x3000,
};
enum mode { MMIO, MMIO_LEGACY, PCI, PCI_LEGACY };

struct target {
    struct machine m;
    struct device *host, *transport, *disk;
    struct block *block;
    uint8_t *ram;
    enum mode mode;
};

/* Of a file without a name, so that nothing is left when the process goes. */
static struct block *open_disk(unsigned flags)
{
    static char path[32];
    struct error err;

    if (!*path) {
        int fd = memfd_create("disk", 0);
        if (fd < 0 || ftruncate(fd, SECTORS * BLOCK_SECTOR) < 0)
            abort();
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    struct block *block = block_open(path, flags | BLOCK_NO_FLUSH, &err);
    if (!block)
        abort();
    return block;
}

static void put(struct target *t, unsigned offset, uint32_t value, unsigned size)
{
    bool ok;

    if (t->mode == PCI_LEGACY)
        memory_store(t->m.ports, PORTS + offset, value, size, &ok);
    else
        memory_store(t->m.memory, (t->mode == PCI ? BAR : SLOT) + offset, value, size, &ok);
}

static void get(struct target *t, unsigned offset, unsigned size)
{
    bool ok;

    if (t->mode == PCI_LEGACY)
        memory_load(t->m.ports, PORTS + offset, size, &ok);
    else
        memory_load(t->m.memory, (t->mode == PCI ? BAR : SLOT) + offset, size, &ok);
}

static void create(struct target *t, unsigned flags)
{
    struct error err;

    memory_lock_init(&t->m.lock);
    t->m.clock = clock_create_manual();
    t->m.memory = memory_create(&t->m.lock, &err);
    t->m.ports = memory_create(&t->m.lock, &err);
    t->ram = memory_add_ram(t->m.memory, "ram", 0, RAM_SIZE, &err);
    t->block = open_disk(flags);
    if (t->mode <= MMIO_LEGACY) {
        t->transport = device_create(device_class_find("virtio-mmio"), "slot", &t->m,
                                     t->mode == MMIO_LEGACY ? "legacy=on" : NULL, NULL, NULL, &err);
        device_map(t->transport, 0, SLOT, &err);
        t->disk = device_create(device_class_find("virtio-blk-device"), "disk", &t->m, NULL, NULL,
                                t->block, &err);
        device_reset(t->transport);
    } else {
        t->host = device_create(device_class_find("i440fx"), "host", &t->m, NULL, NULL, NULL, &err);
        t->disk = device_create(device_class_find("virtio-blk-pci"), "disk", &t->m, "addr=5", NULL,
                                t->block, &err);
        device_reset(t->host);
    }
    if (!t->disk)
        abort();
    device_reset(t->disk);
    if (!t->host)
        return;
    struct pci_bus *bus = pci_bus_of(t->host);
    pci_config_write(bus, DEVFN, PCI_BAR0, PORTS, 4);
    pci_config_write(bus, DEVFN, PCI_BAR0 + 16, BAR, 4);
    pci_config_write(bus, DEVFN, PCI_COMMAND, 7, 2);
}

static void destroy(struct target *t)
{
    block_stop(t->block);
    device_destroy(t->disk);
    device_destroy(t->transport);
    device_destroy(t->host);
    block_close(t->block);
    memory_destroy(t->m.ports);
    memory_destroy(t->m.memory);
    clock_destroy(t->m.clock);
    pthread_mutex_destroy(&t->m.lock);
}

static void start_mmio(struct target *t, uint32_t features)
{
    put(t, 0x70, 3, 4);
    put(t, 0x24, 0, 4);
    put(t, 0x20, features, 4);
    put(t, 0x24, 1, 4);
    put(t, 0x20, 1, 4);
    put(t, 0x70, 11, 4);
    put(t, 0x30, 0, 4);
    put(t, 0x38, QUEUE, 4);
    put(t, 0x28, 4096, 4);
    put(t, 0x40, TABLE >> 12, 4);
    put(t, 0x80, TABLE, 4);
    put(t, 0x90, AVAILABLE, 4);
    put(t, 0xa0, USED, 4);
    put(t, 0x44, 1, 4);
    put(t, 0x70, 15, 4);
}

static void start_pci(struct target *t, uint32_t features)
{
    put(t, 0x14, 3, 1);
    put(t, 8, 0, 4);
    put(t, 0xc, features, 4);
    put(t, 8, 1, 4);
    put(t, 0xc, 1, 4);
    put(t, 0x14, 11, 1);
    put(t, 0x18, QUEUE, 2);
    put(t, 0x20, TABLE, 4);
    put(t, 0x28, AVAILABLE, 4);
    put(t, 0x30, USED, 4);
    put(t, 0x1c, 1, 2);
    put(t, 0x14, 15, 1);
}

static void start(struct target *t, uint32_t features)
{
    if (t->mode <= MMIO_LEGACY) {
        start_mmio(t, features);
    } else if (t->mode == PCI) {
        start_pci(t, features);
    } else {
        put(t, 4, features, 4);
        put(t, 8, TABLE >> 12, 4);
        put(t, 0x12, 7, 1);
    }
}

static void notify(struct target *t, unsigned queue)
{
    if (t->mode <= MMIO_LEGACY)
        put(t, 0x50, queue, 4);
    else if (t->mode == PCI)
        put(t, 0x3000 + queue * 4, queue, 2);
    else
        put(t, 0x10, queue, 2);
}

/* Four bytes: what, and what it needs. */
static void step(struct target *t, const uint8_t *op, uint32_t features)
{
    uint16_t *index = (uint16_t *)(t->ram + AVAILABLE + 2);
    unsigned at = (op[1] | op[2] << 8) % RAM_SIZE;

    switch (op[0] % 8) {
    case 0:
    case 1: /* one more request, mostly in the ring's order */
        t->ram[AVAILABLE + 4 + *index % QUEUE * 2] = op[1];
        *index = (uint16_t)(*index + 1 + (op[2] == 255 ? op[3] : 0));
        notify(t, 0);
        break;
    case 2:
        t->ram[at] = op[3];
        break;
    case 3:
        put(t, at % 0x140, op[3], 1u << op[0] / 64);
        break;
    case 4:
        get(t, at % 0x140, 1u << op[0] / 64);
        break;
    case 5:
        block_drain(t->block);
        break;
    case 6:
        put(t, t->mode <= MMIO_LEGACY ? 0x70 : t->mode == PCI ? 0x14 : 0x12, 0, 1);
        start(t, features ^ op[1]);
        break;
    case 7:
        notify(t, op[1] % 3);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned flags[] = {0, BLOCK_READ_ONLY, BLOCK_SNAPSHOT, BLOCK_WRITE_THROUGH};
    struct target t = {0};

    if (size < 8)
        return 0;
    t.mode = data[0] % 4;
    uint32_t features = load_le32(data + 4);
    create(&t, flags[data[1] % 4]);
    size_t laid = MIN((size_t)load_le16(data + 2) % 0x800, size - 8);
    memcpy(t.ram + TABLE, data + 8, MIN(laid, (size_t)QUEUE * 16));
    if (laid > QUEUE * 16)
        memcpy(t.ram + REQUESTS, data + 8 + QUEUE * 16, laid - QUEUE * 16);
    start(&t, features);
    for (size_t i = 8 + laid; i + 4 <= size; i += 4)
        step(&t, data + i, features);
    destroy(&t);
    return 0;
}
