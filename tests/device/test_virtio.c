/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio-mmio transport and split virtqueues, with a device that echoes. VIRTIO 1.2. */
#include "bus.h"
#include "hw/virtio/virtio_device.h"

enum {
    MAGIC = 0,
    VERSION = 4,
    DEVICE_ID = 8,
    FEATURES = 0x10,
    FEATURES_SEL = 0x14,
    DRIVER_FEATURES = 0x20,
    DRIVER_FEATURES_SEL = 0x24,
    QUEUE_SEL = 0x30,
    QUEUE_NUM_MAX = 0x34,
    QUEUE_NUM = 0x38,
    QUEUE_READY = 0x44,
    NOTIFY = 0x50,
    INTERRUPT = 0x60,
    ACK = 0x64,
    STATUS = 0x70,
    CONFIG = 0x100,
    /* In RAM: */
    DESC = 0x1000,
    AVAIL = 0x2000,
    USED = 0x3000,
    BUFFER = 0x8000,
    QUEUE = 8,
};

struct echo {
    unsigned requests;
    uint8_t config[6];
};

static void echo_get_config(struct virtio_device *v, uint8_t *config)
{
    memcpy(config, ((struct echo *)v->state)->config, 6);
}

static void echo_set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                            unsigned size)
{
    memcpy(((struct echo *)v->state)->config + offset, bytes, size);
}

/* Writes back what it read, in the order it came. */
static void echo_notify(struct virtio_device *v, unsigned queue)
{
    struct virtio_request request;
    uint8_t data[256];

    while (virtqueue_pop(v, queue, &request)) {
        size_t n = virtio_request_read(v, &request, 0, data, sizeof(data));
        n = virtio_request_write(v, &request, 0, data, n);
        virtqueue_push(v, queue, &request, (uint32_t)n);
        ((struct echo *)v->state)->requests++;
    }
}

static const struct virtio_type echo_type = {
    .name = "echo",
    .device_id = 42,
    .features = 1,
    .n_queues = 2,
    .queue_size = 64,
    .config_size = 6,
    .state_size = sizeof(struct echo),
    .get_config = echo_get_config,
    .set_config = echo_set_config,
    .notify = echo_notify,
};
VIRTIO_DEVICE(echo_type, "echo", "Echo");

/* A slot with the device in it. */
static struct test_bus *create(const char *props, struct echo **echo)
{
    struct test_bus *bus = test_bus_create("virtio-mmio", props, NULL, false);
    struct device *d = test_bus_add(bus, "virtio-echo-device", "echo", NULL);

    *echo = d->part.state;
    return bus;
}

static void set_address(struct test_bus *bus, uint64_t offset, uint64_t address)
{
    test_put(bus, offset, (uint32_t)address);
    test_put(bus, offset + 4, (uint32_t)(address >> 32));
}

static void start(struct test_bus *bus, uint64_t features)
{
    memset(bus->ram, 0, 0x10000);
    test_put(bus, STATUS, 0);
    test_put(bus, STATUS, 1);
    test_put(bus, STATUS, 3);
    test_put(bus, DRIVER_FEATURES_SEL, 0);
    test_put(bus, DRIVER_FEATURES, (uint32_t)features);
    test_put(bus, DRIVER_FEATURES_SEL, 1);
    test_put(bus, DRIVER_FEATURES, (uint32_t)(features >> 32));
    test_put(bus, STATUS, 11);
    assert_int_equal(test_get(bus, STATUS), 11);
    test_put(bus, QUEUE_SEL, 0);
    test_put(bus, QUEUE_NUM, QUEUE);
    set_address(bus, 0x80, TEST_RAM + DESC);
    set_address(bus, 0x90, TEST_RAM + AVAIL);
    set_address(bus, 0xa0, TEST_RAM + USED);
    test_put(bus, QUEUE_READY, 1);
    test_put(bus, STATUS, 15);
}

static void descriptor(struct test_bus *bus, uint64_t table, unsigned index, uint64_t address,
                       uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t *at = bus->ram + table + index * 16;

    store_le64(at, address);
    store_le32(at + 8, length);
    store_le16(at + 12, flags);
    store_le16(at + 14, next);
}

static void offer(struct test_bus *bus, uint16_t head)
{
    uint16_t index = load_le16(bus->ram + AVAIL + 2);

    store_le16(bus->ram + AVAIL + 4 + index % QUEUE * 2, head);
    store_le16(bus->ram + AVAIL + 2, index + 1);
    test_put(bus, NOTIFY, 0);
}

static void test_empty(void **state)
{
    struct test_bus *bus = test_bus_create("virtio-mmio", NULL, NULL, false);

    assert_int_equal(test_get(bus, MAGIC), 0x74726976);
    assert_int_equal(test_get(bus, VERSION), 2);
    assert_int_equal(test_get(bus, DEVICE_ID), 0);
    test_hostile(bus, 2000);
    test_bus_destroy(bus);
}

static void test_negotiation(void **state)
{
    struct echo *echo;
    struct test_bus *bus = create(NULL, &echo);

    memcpy(echo->config, "\1\2\3\4\5\6", 6);
    assert_int_equal(test_get(bus, DEVICE_ID), 42);
    assert_int_equal(test_get(bus, FEATURES) & 1, 1);
    test_put(bus, FEATURES_SEL, 1);
    assert_int_equal(test_get(bus, FEATURES), 1); /* VERSION_1 */
    test_put(bus, STATUS, 3);
    test_put(bus, DRIVER_FEATURES_SEL, 0);
    test_put(bus, DRIVER_FEATURES, 2); /* a feature that is not there */
    test_put(bus, STATUS, 11);
    assert_int_equal(test_get(bus, STATUS), 3);
    test_put(bus, QUEUE_SEL, 1);
    assert_int_equal(test_get(bus, QUEUE_NUM_MAX), 64);
    test_put(bus, QUEUE_SEL, 2);
    assert_int_equal(test_get(bus, QUEUE_NUM_MAX), 0);
    assert_int_equal(test_get(bus, CONFIG), 0x04030201);
    assert_int_equal(test_read(bus, CONFIG + 4, 1), 5);
    assert_int_equal(test_get(bus, CONFIG + 4), 0x0605); /* beyond its end: zeros */
    test_write(bus, CONFIG + 1, 0x77, 1);
    assert_int_equal(echo->config[1], 0x77);
    assert_int_equal(test_get(bus, 0xb0), 0xffffffff);
    test_bus_destroy(bus);
}

static void test_requests(void **state)
{
    struct echo *echo;
    struct test_bus *bus = create(NULL, &echo);

    start(bus, VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC);
    memcpy(bus->ram + BUFFER, "hello, world", 12);
    descriptor(bus, DESC, 3, TEST_RAM + BUFFER, 7, 1, 5);
    descriptor(bus, DESC, 5, TEST_RAM + BUFFER + 7, 5, 1, 1);
    descriptor(bus, DESC, 1, TEST_RAM + BUFFER + 0x100, 4, 3, 2);
    descriptor(bus, DESC, 2, TEST_RAM + BUFFER + 0x200, 64, 2, 0);
    offer(bus, 3);
    assert_int_equal(echo->requests, 1);
    assert_memory_equal(bus->ram + BUFFER + 0x100, "hell\0", 5);
    assert_memory_equal(bus->ram + BUFFER + 0x200, "o, world\0", 9);
    assert_int_equal(load_le16(bus->ram + USED + 2), 1);
    assert_int_equal(load_le32(bus->ram + USED + 4), 3);
    assert_int_equal(load_le32(bus->ram + USED + 8), 12);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, INTERRUPT), 1);
    test_put(bus, ACK, 1);
    assert_false(bus->line[0]);
    /* The same through an indirect table, interrupts not wanted; often, so that the ring wraps. */
    store_le16(bus->ram + AVAIL, 1);
    descriptor(bus, DESC, 0, TEST_RAM + 0x4000, 32, 4, 0);
    descriptor(bus, 0x4000, 0, TEST_RAM + BUFFER, 12, 1, 1);
    descriptor(bus, 0x4000, 1, TEST_RAM + BUFFER + 0x300, 12, 2, 0);
    for (unsigned i = 0; i < 20; i++)
        offer(bus, 0);
    assert_int_equal(echo->requests, 21);
    assert_memory_equal(bus->ram + BUFFER + 0x300, "hello, world", 12);
    assert_int_equal(load_le16(bus->ram + USED + 2), 21);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_event_index(void **state)
{
    struct echo *echo;
    struct test_bus *bus = create(NULL, &echo);

    start(bus, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
    descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 0, 0);
    store_le16(bus->ram + AVAIL + 4 + QUEUE * 2, 2); /* interrupt when used passes 2 */
    offer(bus, 0);
    offer(bus, 0);
    assert_false(bus->line[0]);
    offer(bus, 0);
    assert_true(bus->line[0]);
    assert_int_equal(load_le16(bus->ram + USED + 4 + QUEUE * 8), 3); /* avail_event */
    test_bus_destroy(bus);
}

/* Every way to lie in the rings ends in NEEDS_RESET, and a reset heals it. */
static void test_lies(void **state)
{
    struct echo *echo;
    struct test_bus *bus = create(NULL, &echo);

    for (unsigned lie = 0; lie < 9; lie++) {
        start(bus, VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC);
        descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 0, 0);
        switch (lie) {
        case 0: /* a loop */
            descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 1, 0);
            break;
        case 1: /* out of memory */
            descriptor(bus, DESC, 0, 0x30000000, 4, 0, 0);
            break;
        case 2: /* over the end of RAM */
            descriptor(bus, DESC, 0, TEST_RAM + TEST_RAM_SIZE - 2, 4, 0, 0);
            break;
        case 3: /* next beyond the table */
            descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 1, QUEUE);
            break;
        case 4: /* writable before readable */
            descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 3, 1);
            descriptor(bus, DESC, 1, TEST_RAM + BUFFER, 4, 0, 0);
            break;
        case 5: /* indirect within indirect */
            descriptor(bus, DESC, 0, TEST_RAM + 0x4000, 16, 4, 0);
            descriptor(bus, 0x4000, 0, TEST_RAM + 0x4000, 16, 4, 0);
            break;
        case 6: /* a table of odd size */
            descriptor(bus, DESC, 0, TEST_RAM + 0x4000, 17, 4, 0);
            break;
        case 7: /* registers as a buffer */
            descriptor(bus, DESC, 0, TEST_BASE, 4, 2, 0);
            break;
        case 8: /* an index far ahead */
            store_le16(bus->ram + AVAIL + 2, 1000);
            break;
        }
        unsigned before = echo->requests;
        offer(bus, 0);
        assert_int_equal(echo->requests, before);
        assert_int_equal(test_get(bus, STATUS), 15 | 64);
        assert_int_equal(test_get(bus, INTERRUPT), 2);
    }
    start(bus, VIRTIO_F_VERSION_1);
    descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 4, 0, 0);
    offer(bus, 0);
    assert_int_equal(test_get(bus, STATUS), 15);
    assert_int_equal(echo->requests, 1);
    set_address(bus, 0xa0, 0x30000000); /* the used ring elsewhere */
    offer(bus, 0);
    assert_int_equal(test_get(bus, STATUS), 15 | 64);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_legacy(void **state)
{
    struct echo *echo;
    struct test_bus *bus = create("legacy=on", &echo);

    assert_int_equal(test_get(bus, VERSION), 1);
    memset(bus->ram, 0, 0x10000);
    test_put(bus, 0x28, 4096);
    test_put(bus, QUEUE_SEL, 0);
    test_put(bus, QUEUE_NUM, QUEUE);
    test_put(bus, 0x3c, 4096);
    test_put(bus, 0x40, (TEST_RAM + DESC) >> 12);
    assert_int_equal(test_get(bus, 0x40), (TEST_RAM + DESC) >> 12);
    test_put(bus, STATUS, 7);
    memcpy(bus->ram + BUFFER, "legacy", 6);
    descriptor(bus, DESC, 0, TEST_RAM + BUFFER, 6, 1, 1);
    descriptor(bus, DESC, 1, TEST_RAM + BUFFER + 0x100, 6, 2, 0);
    store_le16(bus->ram + DESC + QUEUE * 16 + 2, 1); /* the rings follow: available ... */
    test_put(bus, NOTIFY, 0);
    assert_memory_equal(bus->ram + BUFFER + 0x100, "legacy", 6);
    assert_int_equal(load_le16(bus->ram + 0x2000 + 2), 1); /* ... used, on the next page */
    assert_true(bus->line[0]);
    test_hostile(bus, 10000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),    cmocka_unit_test(test_negotiation),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_event_index),
        cmocka_unit_test(test_lies),     cmocka_unit_test(test_legacy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
