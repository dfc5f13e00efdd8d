/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio transports of test_virtio.c's kind over PCI: VIRTIO 1.2, section 4.1. */
#include "hw/virtio/virtio_device.h"
#include "virtio_driver.h"

enum { PIRQ_LINE = 11, BAR_LEGACY = 0x10, BAR_MODERN = 0x20 };

/* Answers with the bytes it was sent; its configuration space counts what was stored there. */
struct mirror {
    uint32_t stores;
};

static void mirror_notify(struct virtio_device *v, unsigned queue)
{
    struct virtio_request request;
    uint8_t data[64];

    while (virtqueue_pop(v, queue, &request)) {
        size_t n = virtio_request_read(v, &request, 0, data, sizeof(data));
        n = virtio_request_write(v, &request, 0, data, n);
        virtqueue_push(v, queue, &request, (uint32_t)n);
    }
}

static void mirror_get_config(struct virtio_device *v, uint8_t *config)
{
    virtio_put32(v, config, 0x11223344);
    virtio_put32(v, config + 4, ((struct mirror *)v->state)->stores);
}

static void mirror_set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                              unsigned size)
{
    ((struct mirror *)v->state)->stores++;
    virtio_config_changed(v);
}

static const struct device_field mirror_fields[] = {
    DEVICE_FIELD(struct mirror, stores, DEVICE_U32, 0),
};

#define MIRROR(object, text, id)                                                                   \
    static const struct virtio_type object = {                                                     \
        .name = text,                                                                              \
        .device_id = (id),                                                                         \
        .pci_class = 0x010203,                                                                     \
        .features = 1,                                                                             \
        .n_queues = 2,                                                                             \
        .queue_size = 64,                                                                          \
        .config_size = 8,                                                                          \
        .state_size = sizeof(struct mirror),                                                       \
        .fields = mirror_fields,                                                                   \
        .n_fields = ARRAY_SIZE(mirror_fields),                                                     \
        .notify = mirror_notify,                                                                   \
        .get_config = mirror_get_config,                                                           \
        .set_config = mirror_set_config,                                                           \
    };                                                                                             \
    VIRTIO_DEVICE(object, text, "Mirror")
MIRROR(mirror_type, "mirror", 2);
MIRROR(late_type, "late", 30); /* of a kind that is younger than VIRTIO 1.0 */

static struct {
    uint64_t address;
    uint32_t data;
    unsigned n;
} message;

static void record_message(struct machine *m, uint64_t address, uint32_t data)
{
    message.address = address;
    message.data = data;
    message.n++;
}

static void send(struct driver *drv, const char *text)
{
    uint8_t *ram = drv->pc->ram;
    uint32_t size = (uint32_t)strlen(text);

    memcpy(ram + DRIVER_BUFFERS, text, size);
    memset(ram + DRIVER_BUFFERS + 0x100, 0, size);
    driver_descriptor(drv, driver_table(drv, 1), 0, DRIVER_BUFFERS, size, DESC_NEXT, 1);
    driver_descriptor(drv, driver_table(drv, 1), 1, DRIVER_BUFFERS + 0x100, size, DESC_WRITE, 0);
    driver_offer(drv, 1, 0);
    assert_memory_equal(ram + DRIVER_BUFFERS + 0x100, text, size);
}

static uint32_t config(struct driver *drv, unsigned offset, unsigned size)
{
    return pc_config_get(drv->pc, DRIVER_SLOT, offset, size);
}

static void test_requests(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct driver *drv = driver_create(mode, "mirror", NULL, NULL);
        unsigned line = mode < DRIVER_PCI ? 0 : PIRQ_LINE;
        uint64_t offered = driver_offered(drv);
        assert_int_equal(offered & 1, 1);
        assert_int_equal(offered >> 32, driver_is_legacy(drv) ? 0 : 1);
        assert_int_equal(offered >> 27 & 1, driver_is_legacy(drv));
        driver_start(drv, 1, 2);
        assert_false(drv->pc->line[line]);
        send(drv, "hello");
        assert_true(drv->pc->line[line]);
        assert_int_equal(driver_used_length(drv, 1, 0), 5);
        assert_int_equal(driver_interrupts(drv), 1);
        assert_false(drv->pc->line[line]);
        assert_int_equal(driver_config(drv, 0, 4), 0x11223344);
        assert_int_equal(driver_config(drv, 2, 2), 0x1122);
        driver_set_config(drv, 4, 0, 1);
        assert_int_equal(driver_config(drv, 4, 4), 1);
        assert_true(drv->pc->line[line]);
        assert_int_equal(driver_interrupts(drv), 2);
        driver_set_config(drv, 4, 0, 1);
        driver_set_status(drv, 0);
        assert_false(drv->pc->line[line]);
        assert_int_equal(driver_config(drv, 4, 4), 0);
        driver_start(drv, 0, 2);
        send(drv, "again");
        assert_int_equal(driver_used_index(drv, 1), 1);
        driver_destroy(drv);
    }
}

static void test_identity(void **state)
{
    struct driver *drv = driver_create(DRIVER_PCI, "mirror", NULL, NULL);

    assert_int_equal(config(drv, 0, 4), 0x10011af4);
    assert_int_equal(config(drv, 8, 4), 0x01020300);
    assert_int_equal(config(drv, PCI_SUBSYSTEM_VENDOR, 4), 0x00021af4);
    assert_int_equal(config(drv, BAR_LEGACY, 4) & 1, 1);
    driver_destroy(drv);
    drv = driver_create(DRIVER_PCI, "mirror", "disable-legacy=on", NULL);
    assert_int_equal(config(drv, 0, 4), 0x10421af4);
    assert_int_equal(config(drv, 8, 4), 0x01020301);
    assert_int_equal(config(drv, BAR_LEGACY, 4), 0);
    driver_destroy(drv);
    drv = driver_create(DRIVER_PCI_LEGACY, "mirror", "disable-modern=on", NULL);
    assert_int_equal(config(drv, BAR_MODERN, 4), 0);
    assert_int_equal(config(drv, PCI_CAPABILITIES, 1), 0); /* nor messages on this bus */
    driver_start(drv, 1, 2);
    send(drv, "old");
    driver_destroy(drv);
    drv = driver_create(DRIVER_PCI, "late", NULL, NULL);
    assert_int_equal(config(drv, 0, 4), 0x105e1af4);
    assert_int_equal(config(drv, BAR_LEGACY, 4), 0);
    driver_start(drv, 1, 2);
    send(drv, "new");
    driver_destroy(drv);
}

/* Each structure is found by its capability, and the window reaches them too. */
static void test_capabilities(void **state)
{
    static const uint32_t places[] = {[1] = 0, [2] = 0x3000, [3] = 0x1000, [4] = 0x2000};
    struct driver *drv = driver_create(DRIVER_PCI, "mirror", NULL, NULL);
    unsigned found = 0, window = 0;

    for (unsigned at = config(drv, PCI_CAPABILITIES, 1); at; at = config(drv, at + 1, 1)) {
        unsigned type = config(drv, at + 3, 1);
        assert_int_equal(config(drv, at, 1), 9);
        found |= 1u << type;
        if (type == 5) {
            window = at;
            continue;
        }
        assert_int_equal(config(drv, at + 4, 1), 4);
        assert_int_equal(config(drv, at + 8, 4), places[type]);
    }
    assert_int_equal(found, 0x3e);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 4, 4, 1);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 8, 0x2000, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 12, 4, 4);
    assert_int_equal(config(drv, window + 16, 4), 0x11223344);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 8, 0x14, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 12, 1, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 16, 3, 1);
    assert_int_equal(driver_status(drv), 3);
    pc_config_set(drv->pc, DRIVER_SLOT, window + 12, 3, 4); /* no size */
    pc_config_set(drv->pc, DRIVER_SLOT, window + 16, 7, 1);
    assert_int_equal(driver_status(drv), 3);
    driver_destroy(drv);
}

static void test_negotiation(void **state)
{
    struct driver *drv = driver_create(DRIVER_PCI, "mirror", NULL, NULL);

    driver_set_status(drv, 3);
    driver_set_status(drv, 11); /* without VERSION_1 */
    assert_int_equal(driver_status(drv), 3);
    assert_int_equal(pc_load(drv->pc, DRIVER_MEMORY + 0x12, 2), 2);
    assert_int_equal(pc_load(drv->pc, DRIVER_MEMORY + 0x18, 2), 64);
    pc_store(drv->pc, DRIVER_MEMORY + 0x18, 24, 2);
    assert_int_equal(pc_load(drv->pc, DRIVER_MEMORY + 0x18, 2), 64);
    pc_store(drv->pc, DRIVER_MEMORY + 0x16, 2, 2); /* a queue that is not there */
    assert_int_equal(pc_load(drv->pc, DRIVER_MEMORY + 0x18, 2), 0);
    driver_start(drv, 1, 2);
    pc_config_set(drv->pc, DRIVER_SLOT, PCI_COMMAND, 3, 2); /* no bus master */
    driver_descriptor(drv, driver_table(drv, 1), 0, DRIVER_BUFFERS, 1, 0, 0);
    driver_offer(drv, 1, 0);
    assert_int_equal(driver_used_index(drv, 1), 0);
    driver_destroy(drv);
}

static void store_message(struct driver *drv, unsigned vector, uint32_t data, uint32_t masked)
{
    gpa entry = DRIVER_MESSAGES + vector * 16;

    pc_store(drv->pc, entry, 0xfee00000, 4);
    pc_store(drv->pc, entry + 4, 1, 4);
    pc_store(drv->pc, entry + 8, data, 4);
    pc_store(drv->pc, entry + 12, masked, 4);
}

static void test_messages(void **state)
{
    for (unsigned mode = DRIVER_PCI; mode <= DRIVER_PCI_LEGACY; mode++) {
        struct driver *drv = driver_create(mode, "mirror", NULL, NULL);
        unsigned cap = 0x98, vector_at = mode == DRIVER_PCI ? 0x1a : 0x16;
        gpa base = mode == DRIVER_PCI ? DRIVER_MEMORY : DRIVER_PORTS;
        pci_bus_of(drv->device)->msi = record_message;
        pthread_mutex_lock(&drv->pc->machine.lock);
        device_reset(drv->device); /* the capability appears */
        pthread_mutex_unlock(&drv->pc->machine.lock);
        pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0, DRIVER_PORTS, 4);
        pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0 + 4, DRIVER_MESSAGES, 4);
        pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0 + 16, DRIVER_MEMORY, 4);
        pc_config_set(drv->pc, DRIVER_SLOT, PCI_COMMAND, 7, 2);
        assert_int_equal(config(drv, cap, 1), 0x11);
        assert_int_equal(config(drv, cap + 2, 2), 2);
        pc_config_set(drv->pc, DRIVER_SLOT, cap + 2, 0x8000, 2);
        store_message(drv, 1, 0x41, 0);
        store_message(drv, 2, 0x42, 1);
        driver_start(drv, 1, 2);
        memset(&message, 0, sizeof(message));
        send(drv, "none");
        assert_int_equal(message.n, 0);
        assert_false(drv->pc->line[PIRQ_LINE]);
        for (unsigned vector = 1; vector <= 3; vector++) { /* there is no third */
            if (mode == DRIVER_PCI)
                pc_store(drv->pc, base + vector_at, vector, 2);
            else
                pc_out(drv->pc, (unsigned)base + vector_at, vector, 2);
            uint32_t back = mode == DRIVER_PCI ? pc_load(drv->pc, base + vector_at, 2)
                                               : pc_in(drv->pc, (unsigned)base + vector_at, 2);
            assert_int_equal(back, vector < 3 ? vector : 0xffff);
            send(drv, "some");
            assert_int_equal(message.n, 1);
        }
        assert_int_equal(message.address, UINT64_C(0x1fee00000));
        assert_int_equal(message.data, 0x41);
        assert_int_equal(pc_load(drv->pc, DRIVER_MESSAGES + 0x800, 4), 4);
        store_message(drv, 2, 0x42, 0); /* what waited goes out */
        assert_int_equal(message.n, 2);
        assert_int_equal(message.data, 0x42);
        assert_int_equal(pc_load(drv->pc, DRIVER_MESSAGES + 0x800, 4), 0);
        driver_destroy(drv);
    }
}

/* A legacy driver of a big-endian guest has all its fields in that order; a modern one never. */
static void test_big_endian(void **state)
{
    struct driver *drv = driver_create(DRIVER_PCI_LEGACY, "mirror", NULL, NULL);
    uint8_t *ram = drv->pc->ram, *at = ram + DRIVER_RINGS;

    memory_set_big_endian(drv->pc->machine.memory, true);
    assert_int_equal(driver_config(drv, 0, 4), 0x44332211);
    assert_int_equal(driver_config(drv, 0, 1), 0x11);
    driver_start(drv, 1, 1);
    memcpy(ram + DRIVER_BUFFERS, "big", 3);
    store_be64(at, DRIVER_BUFFERS);
    store_be32(at + 8, 3);
    store_be16(at + 12, DESC_NEXT);
    store_be16(at + 14, 1);
    store_be64(at + 16, DRIVER_BUFFERS + 0x100);
    store_be32(at + 24, 3);
    store_be16(at + 28, DESC_WRITE);
    store_be16(ram + driver_available(drv, 0) + 2, 1);
    driver_notify(drv, 0);
    assert_memory_equal(ram + DRIVER_BUFFERS + 0x100, "big", 3);
    assert_int_equal(load_be16(ram + driver_used(drv, 0) + 2), 1);
    assert_int_equal(load_be32(ram + driver_used(drv, 0) + 8), 3);
    driver_destroy(drv);
    drv = driver_create(DRIVER_PCI, "mirror", NULL, NULL);
    memory_set_big_endian(drv->pc->machine.memory, true);
    assert_int_equal(driver_config(drv, 0, 4), 0x11223344);
    driver_start(drv, 1, 2);
    send(drv, "little");
    driver_destroy(drv);
}

static void test_hostile_accesses(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct driver *drv = driver_create(mode, "mirror", NULL, NULL);
        pc_hostile(drv->pc, DRIVER_PORTS, DRIVER_PORTS + 0x7f, DRIVER_MEMORY, 0x11000, DRIVER_SLOT,
                   20000);
        driver_destroy(drv);
    }
}

static void expect_error(struct test_pc *pc, const char *class, const char *props, const char *text)
{
    struct error err = {""};

    assert_null(
        device_create(device_class_find(class), "x", &pc->machine, props, NULL, NULL, &err));
    assert_non_null(strstr(err.message, text));
}

static void test_slots(void **state)
{
    struct test_pc *pc = pc_create();

    expect_error(pc, "virtio-mirror-device", NULL, "has no slot");
    for (unsigned i = 0; i < 3; i++)
        pc_add(pc, "virtio-mmio", "slot", 0xd0000000 + i * 0x1000, NULL, NULL);
    pc_add(pc, "virtio-mirror-device", "a", 0, NULL, NULL);
    pc_add(pc, "virtio-late-device", "b", 0, "bus=virtio-mmio-bus.0", NULL);
    pc_reset(pc);
    assert_int_equal(pc_load(pc, 0xd0002008, 4), 2);
    assert_int_equal(pc_load(pc, 0xd0001008, 4), 0);
    assert_int_equal(pc_load(pc, 0xd0000008, 4), 30);
    expect_error(pc, "virtio-mirror-device", "bus=virtio-mmio-bus.2", "taken");
    expect_error(pc, "virtio-mirror-device", "bus=nowhere", "no virtio-mmio slot");
    pc_add(pc, "virtio-late-device", "c", 0, NULL, NULL);
    expect_error(pc, "virtio-mirror-device", NULL, "no free slot");
    expect_error(pc, "virtio-mirror-pci", "disable-legacy=on,disable-modern=on", "nothing is left");
    expect_error(pc, "virtio-late-pci", "disable-modern=on", "nothing is left");
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),     cmocka_unit_test(test_identity),
        cmocka_unit_test(test_capabilities), cmocka_unit_test(test_negotiation),
        cmocka_unit_test(test_messages),     cmocka_unit_test(test_hostile_accesses),
        cmocka_unit_test(test_slots),        cmocka_unit_test(test_big_endian),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
