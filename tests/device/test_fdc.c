/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floppy disk controller with its DMA channel and an image, against Intel 290475. */
#include <unistd.h>

#include "bus.h"
#include "host/block.h"

enum { DOR = 2, MSR = 4, FIFO = 5, DMA = 0x800, PAGES = 0xa00, LOW_RAM = 0x20000 };

static void out(struct test_bus *bus, unsigned port, uint8_t value)
{
    test_port_write(bus, port, value, 1);
}

static uint8_t in(struct test_bus *bus, unsigned port)
{
    return (uint8_t)test_port_read(bus, port, 1);
}

static void command(struct test_bus *bus, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(in(bus, MSR) & 0xc0, 0x80);
        out(bus, FIFO, bytes[i]);
    }
}

static void expect(struct test_bus *bus, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(in(bus, MSR) & 0xd0, 0xd0);
        assert_int_equal(in(bus, FIFO), bytes[i]);
    }
    assert_int_equal(in(bus, MSR), 0x80);
}
#define COMMAND(bus, ...)                                                                          \
    command(bus, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define EXPECT(bus, ...)                                                                           \
    expect(bus, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void dma_program(struct test_bus *bus, uint8_t mode, unsigned bytes)
{
    out(bus, DMA + 0xa, 6);
    out(bus, DMA + 0xc, 0);
    out(bus, PAGES + 1, LOW_RAM >> 16);
    out(bus, DMA + 4, 0);
    out(bus, DMA + 4, 0);
    out(bus, DMA + 5, (uint8_t)(bytes - 1));
    out(bus, DMA + 5, (uint8_t)((bytes - 1) >> 8));
    out(bus, DMA + 0xb, mode);
    out(bus, DMA + 0xa, 2);
}

static void test_floppy(void **state)
{
    char path[] = "/tmp/calque-floppy-XXXXXX";
    struct error err = {""};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 1474560), 0);
    assert_int_equal(pwrite(fd, "first", 5, 18 * 2 * 512), 5); /* cylinder 1, head 0, sector 1 */
    assert_int_equal(pwrite(fd, "second", 6, 18 * 2 * 512 + 512), 6);
    struct block *block = block_open(path, 0, &err);
    assert_non_null(block);
    struct test_bus *bus = test_bus_create("fdc", NULL, block, false);
    struct device *dma = test_bus_add(bus, "i8237", "dma", NULL);
    uint8_t *low = memory_add_ram(bus->machine.memory, "low", LOW_RAM, 0x10000, &err);
    assert_true(device_map(dma, 0, TEST_PORT + DMA, &err));
    assert_true(device_map(dma, 1, TEST_PORT + DMA + 0x20, &err));
    assert_true(device_map(dma, 2, TEST_PORT + PAGES, &err));
    device_reset(bus->device);
    out(bus, DMA + 0x20 + 0x14, 0); /* the cascade */

    assert_int_equal(in(bus, MSR), 0);
    out(bus, DOR, 0x1c);
    assert_true(bus->line[0]);
    for (unsigned i = 0; i < 4; i++) {
        COMMAND(bus, 8);
        EXPECT(bus, (uint8_t)(0xc0 | i), 0);
    }
    COMMAND(bus, 0x10);
    EXPECT(bus, 0x90);
    assert_int_equal(in(bus, TEST_PORT_STRIDE), 0x80);
    COMMAND(bus, 0x0f, 0, 1); /* seek */
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, TEST_PORT_STRIDE), 0);
    COMMAND(bus, 8);
    EXPECT(bus, 0x20, 1);
    assert_false(bus->line[0]);
    dma_program(bus, 0x46, 1024);
    COMMAND(bus, 0xe6, 0, 1, 0, 1, 2, 18, 27, 255);
    for (unsigned i = 0; i < 100 && !bus->line[0]; i++)
        block_drain(block);
    EXPECT(bus, 0, 0, 0, 1, 0, 3, 2);
    assert_false(bus->line[0]);
    assert_string_equal((char *)low, "first");
    assert_string_equal((char *)low + 512, "second");
    memcpy(low, "third", 6);
    dma_program(bus, 0x4a, 512);
    COMMAND(bus, 0xc5, 4, 1, 1, 18, 2, 18, 27, 255);
    for (unsigned i = 0; i < 100 && !bus->line[0]; i++)
        block_drain(block);
    EXPECT(bus, 4, 0, 0, 2, 0, 1, 2);
    COMMAND(bus, 0xe6, 0, 7, 0, 1, 2, 18, 27, 255); /* not the cylinder under the head */
    EXPECT(bus, 0x40, 4, 0x10, 7, 0, 1, 2);
    test_bus_destroy(bus);
    block_close(block);
    char text[6] = "";
    assert_int_equal(pread(fd, text, 6, (18 * 3 + 17) * 512), 6);
    assert_string_equal(text, "third");
    close(fd);
    unlink(path);
}

static void test_empty(void **state)
{
    struct test_bus *bus = test_bus_create("fdc", NULL, NULL, false);

    out(bus, DOR, 0x1c);
    COMMAND(bus, 0x4a, 0);
    assert_true(bus->line[0]);
    EXPECT(bus, 0x48, 1, 0, 0, 0, 1, 2);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floppy),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
