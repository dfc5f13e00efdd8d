/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver and a wild user of PS/2 keyboards and mice, behind the 8042 or a PL050: four
 * bytes a step. What comes out is bounded by what goes in.
 */
#include <stdlib.h>

#include "hw/input/ps2.h"
#include "hw/machine.h"

enum { BASE = 0x10000000, PORTS = 0x60 };

static void step(struct machine *m, struct device *d, const uint8_t *op)
{
    struct memory *space = d->class->regions[0].port ? m->ports : m->memory;
    gpa base = d->class->regions[0].port ? PORTS : BASE;
    unsigned width = space == m->ports ? 1 : 4;
    bool ok;

    switch (op[0] & 3) {
    case 0:
        memory_store(space, base + (op[1] & 7u) * width, op[2], width, &ok);
        break;
    case 1:
        memory_load(space, base + (op[1] & 7u) * width, width, &ok);
        break;
    case 2:
        input_key(&m->input, (enum key)(op[1] | (op[2] & 1) << 8), op[3] & 1);
        break;
    default:
        input_move(&m->input, (int8_t)op[1] * 1000, (int8_t)op[2] * 100, (int8_t)op[3], op[0] >> 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const classes[] = {"i8042", "pl050", "pl050"};
    struct machine m = {0};
    struct error err;

    if (size < 5)
        return 0;
    memory_lock_init(&m.lock);
    m.clock = clock_create_manual();
    m.memory = memory_create(&m.lock, &err);
    m.ports = memory_create(&m.lock, &err);
    unsigned which = data[0] % ARRAY_SIZE(classes);
    struct device *d = device_create(device_class_find(classes[which]), "dut", &m,
                                     which == 2 ? "mouse=on" : NULL, NULL, NULL, &err);
    device_map_all(d, d->class->regions[0].port ? PORTS : BASE, &err);
    device_reset(d);
    for (size_t at = 1; at + 4 <= size; at += 4)
        step(&m, d, data + at);
    device_destroy(d);
    if (m.input.n_devices)
        abort();
    memory_destroy(m.ports);
    memory_destroy(m.memory);
    clock_destroy(m.clock);
    pthread_mutex_destroy(&m.lock);
    return 0;
}
