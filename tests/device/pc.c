/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC without processor, for tests of PCI devices. */
#include "pc.h"

static void line_set(void *receiver, unsigned line, bool level)
{
    struct test_pc *pc = receiver;

    pc->rises[line] += level && !pc->line[line];
    pc->line[line] = level;
}

static void record_event(void *opaque, enum machine_event what)
{
    struct test_pc *pc = opaque;

    pc->event = what;
    pc->n_events++;
}

struct test_pc *pc_create(void)
{
    struct test_pc *pc = calloc(1, sizeof(*pc));
    struct error err = {""};

    assert_non_null(pc);
    memory_lock_init(&pc->machine.lock);
    pc->machine.clock = clock_create_manual();
    pc->machine.memory = memory_create(&pc->machine.lock, &err);
    pc->machine.ports = memory_create(&pc->machine.lock, &err);
    pc->machine.devices = pc->devices;
    pc->machine.event = record_event;
    pc->machine.event_opaque = pc;
    pc->machine.ram_bytes = PC_RAM_SIZE;
    assert_true(machine_show_ram(&pc->machine, 0xc0000000, &err));
    pc->ram = pc->machine.ram;
    return pc;
}

void pc_destroy(struct test_pc *pc)
{
    for (unsigned i = pc->machine.n_devices; i-- > 0;)
        device_destroy(pc->devices[i]);
    screens_destroy(&pc->machine.screens);
    memory_destroy(pc->machine.ports);
    memory_destroy(pc->machine.memory);
    clock_destroy(pc->machine.clock);
    pthread_mutex_destroy(&pc->machine.lock);
    free(pc);
}

struct device *pc_add(struct test_pc *pc, const char *class, const char *id, gpa base,
                      const char *props, void *backend)
{
    struct error err = {""};
    struct device *d;

    assert_non_null(device_class_find(class));
    assert_true(pc->machine.n_devices < PC_MAX_DEVICES);
    d = device_create(device_class_find(class), id, &pc->machine, props, pc->chardev, backend,
                      &err);
    pc->chardev = NULL;
    if (!d)
        fail_msg("%s", err.message);
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        if (d->class->regions[i].moves || d->class->regions[i].bar)
            continue;
        assert_true(device_map(d, i, base, &err));
        base += d->mappings[i].size;
    }
    pc->devices[pc->machine.n_devices++] = d;
    return d;
}

void pc_watch(struct test_pc *pc, struct device *d)
{
    for (unsigned i = 0; i < d->class->n_irq_out && i < TEST_MAX_LINES; i++)
        d->irq_out[i] = (struct irq){line_set, pc, i};
}

void pc_reset(struct test_pc *pc)
{
    pthread_mutex_lock(&pc->machine.lock);
    for (unsigned i = 0; i < pc->machine.n_devices; i++)
        device_reset(pc->devices[i]);
    pthread_mutex_unlock(&pc->machine.lock);
}

static uint32_t load(struct memory *memory, gpa address, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(memory, address, size, &ok);

    return (uint32_t)(ok ? value : (UINT64_C(1) << size * 8) - 1);
}

uint32_t pc_in(struct test_pc *pc, unsigned port, unsigned size)
{
    return load(pc->machine.ports, port, size);
}

void pc_out(struct test_pc *pc, unsigned port, uint32_t value, unsigned size)
{
    memory_store(pc->machine.ports, port, value, size, NULL);
}

uint32_t pc_load(struct test_pc *pc, gpa address, unsigned size)
{
    return load(pc->machine.memory, address, size);
}

void pc_store(struct test_pc *pc, gpa address, uint32_t value, unsigned size)
{
    memory_store(pc->machine.memory, address, value, size, NULL);
}

uint32_t pc_config_get(struct test_pc *pc, unsigned where, unsigned offset, unsigned size)
{
    pc_out(pc, 0xcf8, 0x80000000u | where << 8 | (offset & 0xfc), 4);
    return pc_in(pc, 0xcfc + (offset & 3), size);
}

void pc_config_set(struct test_pc *pc, unsigned where, unsigned offset, uint32_t value,
                   unsigned size)
{
    pc_out(pc, 0xcf8, 0x80000000u | where << 8 | (offset & 0xfc), 4);
    pc_out(pc, 0xcfc + (offset & 3), value, size);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void pc_hostile(struct test_pc *pc, unsigned first_port, unsigned last_port, gpa base,
                uint64_t size, unsigned where, unsigned n)
{
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < n; i++) {
        unsigned width = 1u << next_random(&random) % 3, what = next_random(&random) % 16;
        uint32_t value = (uint32_t)next_random(&random) >> (next_random(&random) % 32);
        if (what == 0) {
            unsigned offset = (unsigned)next_random(&random) % 256 & ~(width - 1);
            if (offset != 4)
                pc_config_set(pc, where, offset, value, width);
        } else if (what < 8 && size) {
            gpa address = base + next_random(&random) % size;
            if (what & 1)
                pc_store(pc, address, value, width);
            else
                pc_load(pc, address, width);
        } else if (last_port) {
            unsigned port = first_port + (unsigned)next_random(&random) % (last_port - first_port);
            if (what & 1)
                pc_out(pc, port, value, width);
            else
                pc_in(pc, port, width);
        }
        if (i % 16 == 0)
            clock_advance(pc->machine.clock, 100000);
    }
    pc_reset(pc);
}
