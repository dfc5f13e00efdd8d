/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver of the VGAs: registers, the window, memory, the Bochs extensions, configuration
 * space; four bytes a step. The picture is drawn in between, and no pixel may be more than a
 * colour.
 */
#include <stdio.h>
#include <stdlib.h>

#include "hw/machine.h"
#include "hw/pci/pci.h"

enum { CONFIG = 0xcf8, VGA_AT = 2 << 3, FRAME = 0xe0000000, MMIO = 0xe8000000 };

static void vga_config(struct device *d, unsigned offset, uint32_t value, unsigned size)
{
    pci_config_write(pci_bus_of(d), VGA_AT, offset, value, size);
}

static void place(struct device *d)
{
    vga_config(d, PCI_BAR0, FRAME, 4);
    vga_config(d, PCI_BAR0 + 8, MMIO, 4);
    vga_config(d, PCI_COMMAND, 7, 2);
}

static void look(struct machine *m)
{
    struct screen *screen = m->screens.first;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    screen_refresh(screen);
    for (unsigned x = 0; x < screen->width; x++) {
        if (screen->pixels[x] >> 24)
            abort();
    }
    screen->source->print_text(screen->source_opaque, out);
    fclose(out);
    free(text);
}

static void step(struct machine *m, struct device *d, const uint8_t *op)
{
    uint32_t value = op[2] | op[3] << 8;
    bool ok;

    switch (op[0] & 7) {
    case 0: /* a register behind an index */
        memory_store(m->ports, (const uint16_t[]){0x3c4, 0x3d4, 0x3ce, 0x3b4}[op[1] & 3], value, 2,
                     &ok);
        break;
    case 1:
        memory_store(m->ports, 0x3b0u + op[1] % 0x30, value, op[0] & 8 ? 2 : 1, &ok);
        break;
    case 2:
        memory_load(m->ports, 0x3b0u + op[1] % 0x30, op[0] & 8 ? 2 : 1, &ok);
        break;
    case 3:
        memory_store(m->ports, 0x1ce, op[1] % 12, 2, &ok);
        memory_store(m->ports, 0x1cf, value, 2, &ok);
        break;
    case 4:
        memory_store(m->memory, 0xa0000 + (value << 1 & ~7u), op[1] * 0x01010101u,
                     1u << (op[0] >> 4 & 3), &ok);
        break;
    case 5:
        memory_load(m->memory, 0xa0000 + (value << 1 & ~7u), 1u << (op[0] >> 4 & 3), &ok);
        break;
    case 6:
        if (op[0] & 8)
            memory_store(m->memory, FRAME + value * 64, op[1] * 0x01010101u, 4, &ok);
        else
            memory_store(m->memory, MMIO + (value & 0xffc), op[1] * 0x0101u, op[0] & 16 ? 2 : 4,
                         &ok);
        break;
    default:
        if (op[1] & 0x80)
            clock_advance(m->clock, (int64_t)value << 12);
        else if (op[1] & 0x40)
            place(d);
        else if (op[1] & 0x20)
            vga_config(d, op[2] & 0x3c, op[3], 4);
        else
            look(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const classes[] = {"VGA", "virtio-vga", "cirrus-vga"};
    struct machine m = {0};
    struct error err;

    if (size < 5)
        return 0;
    memory_lock_init(&m.lock);
    m.clock = clock_create_manual();
    m.memory = memory_create(&m.lock, &err);
    m.ports = memory_create(&m.lock, &err);
    struct device *host =
        device_create(device_class_find("i440fx"), "host", &m, NULL, NULL, NULL, &err);
    device_map_all(host, CONFIG, &err);
    const struct device_class *class = device_class_find(classes[data[0] % ARRAY_SIZE(classes)]);
    struct device *d = device_create(class ? class : device_class_find("VGA"), "vga", &m,
                                     "addr=2,romfile=,vgamem=4194304", NULL, NULL, &err);
    device_reset(host);
    device_reset(d);
    place(d);
    for (size_t at = 1; at + 4 <= size; at += 4)
        step(&m, d, data + at);
    look(&m);
    device_destroy(d);
    device_destroy(host);
    screens_destroy(&m.screens);
    memory_destroy(m.ports);
    memory_destroy(m.memory);
    clock_destroy(m.clock);
    pthread_mutex_destroy(&m.lock);
    return 0;
}
