/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One device on an in-process bus with RAM, a clock driven by hand and wires that are watched. */
#ifndef CALQUE_TESTS_DEVICE_BUS_H
#define CALQUE_TESTS_DEVICE_BUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/chardev.h"
#include "hw/machine.h"

enum {
    TEST_BASE = 0x10000000, /* region 0; further ones 16 MiB apart */
    TEST_STRIDE = 0x01000000,
    TEST_RAM = 0x40000000,
    TEST_RAM_SIZE = 0x100000,
    TEST_MAX_LINES = 64,
    TEST_PORT = 0x1000, /* port region 0; further ones 256 ports apart */
    TEST_PORT_STRIDE = 0x100,
};

struct test_bus {
    struct machine machine;
    struct device *device;
    struct device *devices[8]; /* machine.devices */
    uint8_t *ram;
    bool line[TEST_MAX_LINES];
    unsigned rises[TEST_MAX_LINES];
    enum machine_event event; /* the last one asked for */
    bool has_event;
    struct chardev chardev;
    uint8_t sent[256]; /* through the chardev */
    unsigned n_sent, accepts;
};

/* with_chardev: something is attached. */
struct test_bus *test_bus_create(const char *class, const char *props, void *backend,
                                 bool with_chardev);
void test_bus_destroy(struct test_bus *bus);
uint64_t test_read(struct test_bus *bus, uint64_t offset, unsigned size);
void test_write(struct test_bus *bus, uint64_t offset, uint64_t value, unsigned size);
/* The same in the port space; offset counts from TEST_PORT. */
uint64_t test_port_read(struct test_bus *bus, uint64_t offset, unsigned size);
void test_port_write(struct test_bus *bus, uint64_t offset, uint64_t value, unsigned size);
/* One more device, which machine_find_device knows too. Not mapped, wires open, reset. */
struct device *test_bus_add(struct test_bus *bus, const char *class, const char *id,
                            const char *props);
uint32_t test_get(struct test_bus *bus, uint64_t offset); /* 32 bits, region 0 */
void test_put(struct test_bus *bus, uint64_t offset, uint32_t value);
void test_input(struct test_bus *bus, unsigned line, bool level);
/* Pseudo-random accesses to every region: nothing but a sanitizer or a crash fails it. */
void test_hostile(struct test_bus *bus, unsigned n);

#endif
