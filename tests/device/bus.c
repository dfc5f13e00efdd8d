/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-process bus of the device tests. */
#include "bus.h"

static void line_set(void *receiver, unsigned line, bool level)
{
    struct test_bus *bus = receiver;

    bus->rises[line] += level && !bus->line[line];
    bus->line[line] = level;
}

static void stream_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct test_bus *bus = c->state;

    for (unsigned i = 0; i < size; i++) {
        if (bus->n_sent < sizeof(bus->sent))
            bus->sent[bus->n_sent++] = data[i];
    }
}

static void stream_accept(struct chardev *c)
{
    ((struct test_bus *)c->state)->accepts++;
}

static void stream_destroy(struct chardev *c)
{
}

static const struct chardev_ops stream_ops = {
    .name = "test",
    .write = stream_write,
    .accept_input = stream_accept,
    .destroy = stream_destroy,
};

static void record_event(void *opaque, enum machine_event what)
{
    struct test_bus *bus = opaque;

    bus->event = what;
    bus->has_event = true;
}

static gpa region_base(struct device *d, unsigned i)
{
    return d->class->regions[i].port ? TEST_PORT + i * TEST_PORT_STRIDE
                                     : TEST_BASE + i * TEST_STRIDE;
}

struct test_bus *test_bus_create(const char *class, const char *props, void *backend,
                                 bool with_chardev)
{
    struct test_bus *bus = calloc(1, sizeof(*bus));
    struct error err = {""};

    assert_non_null(bus);
    memory_lock_init(&bus->machine.lock);
    bus->chardev = (struct chardev){.ops = &stream_ops, .state = bus};
    bus->machine.clock = clock_create_manual();
    bus->machine.memory = memory_create(&bus->machine.lock, &err);
    bus->machine.ports = memory_create(&bus->machine.lock, &err);
    bus->machine.devices = bus->devices;
    bus->machine.event = record_event;
    bus->machine.event_opaque = bus;
    bus->ram = memory_add_ram(bus->machine.memory, "ram", TEST_RAM, TEST_RAM_SIZE, &err);
    assert_non_null(bus->ram);
    assert_non_null(device_class_find(class));
    bus->device = device_create(device_class_find(class), "dut", &bus->machine, props,
                                with_chardev ? &bus->chardev : NULL, backend, &err);
    if (!bus->device)
        fail_msg("%s", err.message);
    for (unsigned i = 0; i < bus->device->class->n_irq_out && i < TEST_MAX_LINES; i++)
        bus->device->irq_out[i] = (struct irq){line_set, bus, i};
    for (unsigned i = 0; i < bus->device->class->n_regions; i++)
        assert_true(device_map(bus->device, i, region_base(bus->device, i), &err));
    bus->devices[bus->machine.n_devices++] = bus->device;
    device_reset(bus->device);
    return bus;
}

void test_bus_destroy(struct test_bus *bus)
{
    for (unsigned i = bus->machine.n_devices; i-- > 0;)
        device_destroy(bus->devices[i]);
    screens_destroy(&bus->machine.screens);
    memory_destroy(bus->machine.ports);
    memory_destroy(bus->machine.memory);
    clock_destroy(bus->machine.clock);
    pthread_mutex_destroy(&bus->machine.lock);
    free(bus);
}

uint64_t test_read(struct test_bus *bus, uint64_t offset, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(bus->machine.memory, TEST_BASE + offset, size, &ok);

    assert_true(ok);
    return value;
}

void test_write(struct test_bus *bus, uint64_t offset, uint64_t value, unsigned size)
{
    bool ok;

    memory_store(bus->machine.memory, TEST_BASE + offset, value, size, &ok);
    assert_true(ok);
}

uint64_t test_port_read(struct test_bus *bus, uint64_t offset, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(bus->machine.ports, TEST_PORT + offset, size, &ok);

    assert_true(ok);
    return value;
}

void test_port_write(struct test_bus *bus, uint64_t offset, uint64_t value, unsigned size)
{
    bool ok;

    memory_store(bus->machine.ports, TEST_PORT + offset, value, size, &ok);
    assert_true(ok);
}

struct device *test_bus_add(struct test_bus *bus, const char *class, const char *id,
                            const char *props)
{
    struct error err = {""};
    struct device *d;

    assert_non_null(device_class_find(class));
    assert_true(bus->machine.n_devices < ARRAY_SIZE(bus->devices));
    d = device_create(device_class_find(class), id, &bus->machine, props, NULL, NULL, &err);
    if (!d)
        fail_msg("%s", err.message);
    bus->devices[bus->machine.n_devices++] = d;
    device_reset(d);
    return d;
}

uint32_t test_get(struct test_bus *bus, uint64_t offset)
{
    return (uint32_t)test_read(bus, offset, 4);
}

void test_put(struct test_bus *bus, uint64_t offset, uint32_t value)
{
    test_write(bus, offset, value, 4);
}

void test_input(struct test_bus *bus, unsigned line, bool level)
{
    struct irq wire = device_irq_in(bus->device, line);

    assert_non_null(wire.set);
    irq_set(&wire, level);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void test_hostile(struct test_bus *bus, unsigned n)
{
    const struct device_class *class = bus->device->class;
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < n; i++) {
        unsigned region = (unsigned)(next_random(&random) % class->n_regions);
        uint64_t size = bus->device->mappings[region].size;
        unsigned width = 1u << next_random(&random) % 4;
        uint64_t offset = next_random(&random) % size & ~(uint64_t)(width - 1);
        uint64_t value = next_random(&random);
        if (value & 1) /* mostly small numbers, as registers take them */
            value = value >> 8 & 0xff;
        if (offset + width > size)
            continue;
        struct memory *space =
            class->regions[region].port ? bus->machine.ports : bus->machine.memory;
        if (next_random(&random) & 1)
            memory_store(space, region_base(bus->device, region) + offset, value, width, NULL);
        else
            memory_load(space, region_base(bus->device, region) + offset, width, NULL);
        if (class->irq_in)
            test_input(bus, (unsigned)(value % class->n_irq_in), value >> 4 & 1);
        if (i % 16 == 0)
            clock_advance(bus->machine.clock, 100000);
    }
    device_reset(bus->device);
}
