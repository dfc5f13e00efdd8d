/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The smaller devices of the virt board: PL031, PL061, power key, fw_cfg, flash. */
#include "bus.h"
#include "disk.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/pl061.h"
#include "util/bits.h"

#define SECOND INT64_C(1000000000)

/* ---- PL031 ----------------------------------------------------------------------------------- */

static void test_rtc(void **state)
{
    struct test_bus *bus = test_bus_create("pl031", "base=1970-01-01T00:16:40", NULL, false);

    assert_int_equal(test_get(bus, 0xfe0), 0x31);
    assert_int_equal(test_get(bus, 0x0), 1000);
    assert_int_equal(test_get(bus, 0xc), 1);
    clock_advance(bus->machine.clock, SECOND * 5 / 2);
    assert_int_equal(test_get(bus, 0x0), 1002);
    test_put(bus, 0x4, 1005); /* match */
    test_put(bus, 0x10, 1);
    clock_advance(bus->machine.clock, SECOND * 2);
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, SECOND / 2);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, 0x0), 1005);
    assert_int_equal(test_get(bus, 0x18), 1);
    test_put(bus, 0x10, 0);
    assert_false(bus->line[0]);
    assert_int_equal(test_get(bus, 0x14), 1);
    test_put(bus, 0x1c, 1);
    assert_int_equal(test_get(bus, 0x14), 0);
    test_put(bus, 0x8, 0xfffffffe); /* load; then it wraps */
    clock_advance(bus->machine.clock, SECOND * 3);
    assert_int_equal(test_get(bus, 0x0), 1);
    device_reset(bus->device); /* the time stays */
    assert_int_equal(test_get(bus, 0x0), 1);
    assert_int_equal(test_get(bus, 0x4), 0);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

/* ---- PL061 ----------------------------------------------------------------------------------- */

static void test_gpio_data(void **state)
{
    struct test_bus *bus = test_bus_create("pl061", NULL, NULL, false);

    assert_int_equal(test_get(bus, 0xfe0), 0x61);
    test_put(bus, 0x400, 0x0f); /* direction: 3:0 are outputs */
    test_put(bus, 0x3fc, 0xff);
    assert_int_equal(test_get(bus, 0x3fc), 0x0f);
    assert_true(bus->line[PL061_OUT_GPIO(0)] && bus->line[PL061_OUT_GPIO(3)]);
    test_put(bus, 0x001 << 2, 0); /* the address masks: bit 0 only */
    assert_int_equal(test_get(bus, 0x3fc), 0x0e);
    assert_false(bus->line[PL061_OUT_GPIO(0)]);
    test_input(bus, 6, true);
    assert_int_equal(test_get(bus, 0x3fc), 0x4e);
    assert_int_equal(test_get(bus, 0x40 << 2), 0x40);
    assert_int_equal(test_get(bus, 0x20 << 2), 0);
    test_bus_destroy(bus);
}

static void test_gpio_interrupts(void **state)
{
    struct test_bus *bus = test_bus_create("pl061", NULL, NULL, false);

    test_put(bus, 0x410, 1 << 3); /* enable line 3: falling edge by default */
    test_input(bus, 3, true);
    assert_false(bus->line[0]);
    test_input(bus, 3, false);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, 0x418), 1 << 3);
    test_put(bus, 0x41c, 1 << 3);
    assert_false(bus->line[0]);
    test_put(bus, 0x40c, 1 << 3); /* rising */
    test_input(bus, 3, true);
    assert_true(bus->line[0]);
    test_put(bus, 0x41c, 0xff);
    test_put(bus, 0x408, 1 << 3); /* both */
    test_input(bus, 3, false);
    assert_true(bus->line[0]);
    test_put(bus, 0x41c, 0xff);
    test_put(bus, 0x404, 1 << 3); /* level, high */
    assert_false(bus->line[0]);
    test_input(bus, 3, true);
    assert_true(bus->line[0]);
    test_put(bus, 0x41c, 0xff); /* the level is still there */
    assert_true(bus->line[0]);
    test_put(bus, 0x410, 0);
    assert_false(bus->line[0]);
    assert_int_equal(test_get(bus, 0x414), 1 << 3);
    test_input(bus, 3, false);
    assert_int_equal(test_get(bus, 0x414), 0);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

static void test_power_key(void **state)
{
    struct test_bus *bus = test_bus_create("gpio-key", NULL, NULL, false);

    test_input(bus, 0, true);
    test_input(bus, 0, false);
    assert_true(bus->line[0]);
    clock_advance(bus->machine.clock, SECOND / 20);
    assert_true(bus->line[0]);
    clock_advance(bus->machine.clock, SECOND / 10);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

/* ---- fw_cfg ---------------------------------------------------------------------------------- */

enum { DATA = 0, SELECT = 8, DMA = 16 };

static void fw_select(struct test_bus *bus, uint16_t key)
{
    test_write(bus, SELECT, __builtin_bswap16(key), 2);
}

static void test_fw_cfg_items(void **state)
{
    struct test_bus *bus = test_bus_create("fw_cfg", NULL, NULL, false);

    fw_select(bus, FW_CFG_SIGNATURE);
    assert_int_equal(test_read(bus, DATA, 4), 0x554d4551); /* "QEMU" in byte order */
    assert_int_equal(test_read(bus, DATA, 4), 0);          /* beyond its end */
    fw_select(bus, FW_CFG_SIGNATURE);
    assert_int_equal(test_read(bus, DATA, 1), 'Q');
    assert_int_equal(test_read(bus, DATA, 1), 'E');
    fw_select(bus, FW_CFG_ID);
    assert_int_equal(test_read(bus, DATA, 4), 3);
    assert_true(fw_cfg_add_file(bus->device, "etc/one", "first", 5));
    assert_true(fw_cfg_add_file(bus->device, "etc/two", "second file", 11));
    assert_true(fw_cfg_add_file(bus->device, "etc/one", "FIRST", 5));
    fw_select(bus, FW_CFG_FILE_DIR);
    assert_int_equal(__builtin_bswap32((uint32_t)test_read(bus, DATA, 4)), 2);
    assert_int_equal(__builtin_bswap32((uint32_t)test_read(bus, DATA, 4)), 5);
    assert_int_equal(__builtin_bswap16((uint16_t)test_read(bus, DATA, 2)), 0x20);
    fw_select(bus, 0x20);
    assert_int_equal(test_read(bus, DATA, 8), UINT64_C(0x5453524946)); /* FIRST */
    fw_select(bus, 0xffff);
    assert_int_equal(test_read(bus, DATA, 4), 0);
    test_bus_destroy(bus);
}

static uint32_t fw_dma(struct test_bus *bus, uint32_t control, uint32_t length, uint64_t address)
{
    store_be32(bus->ram + 0x100, control);
    store_be32(bus->ram + 0x104, length);
    store_be64(bus->ram + 0x108, address);
    test_write(bus, DMA, 0, 4);
    test_write(bus, DMA + 4, __builtin_bswap32(TEST_RAM + 0x100), 4);
    return load_be32(bus->ram + 0x100);
}

static void test_fw_cfg_dma(void **state)
{
    struct test_bus *bus = test_bus_create("fw_cfg", NULL, NULL, false);

    assert_int_equal(__builtin_bswap64(test_read(bus, DMA, 8)), UINT64_C(0x51454d5520434647));
    assert_int_equal(__builtin_bswap32((uint32_t)test_read(bus, DMA + 4, 4)), 0x20434647);
    assert_true(fw_cfg_add_file(bus->device, "etc/two", "second file", 11));
    memset(bus->ram + 0x200, 0xaa, 32);
    assert_int_equal(fw_dma(bus, 0x20 << 16 | 8 | 2, 16, TEST_RAM + 0x200), 0);
    assert_memory_equal(bus->ram + 0x200, "second file\0\0\0\0\0\xaa", 17);
    assert_int_equal(fw_dma(bus, 0x20 << 16 | 8 | 4, 7, 0), 0); /* select and skip */
    assert_int_equal(fw_dma(bus, 2, 4, TEST_RAM + 0x300), 0);
    assert_memory_equal(bus->ram + 0x300, "file\0", 5);
    /* Outside RAM, over its end, into registers (these even): an error, nothing else. */
    assert_int_equal(fw_dma(bus, 2, 4, 0x30000000), 1);
    assert_int_equal(fw_dma(bus, 2, 0xffffffff, TEST_RAM + 0x300), 1);
    assert_int_equal(fw_dma(bus, 2, 8, TEST_BASE + DMA), 1);
    assert_int_equal(fw_dma(bus, 2, 4, ~UINT64_C(0) - 1), 1);
    assert_int_equal(fw_dma(bus, 0x10, 4, TEST_RAM), 1); /* read-only */
    test_write(bus, DMA, __builtin_bswap64(TEST_BASE + DMA), 8);
    test_write(bus, DMA, __builtin_bswap64(TEST_RAM + TEST_RAM_SIZE - 4), 8);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

/* ---- flash ----------------------------------------------------------------------------------- */

enum { FLASH_SIZE = 0x100000, SECTOR = 0x40000 };

static struct test_bus *flash_create(void)
{
    struct test_bus *bus =
        test_bus_create("cfi.pflash01", "size=0x100000,sector=0x40000", NULL, false);
    uint64_t size;

    memset(device_region_memory(bus->device, 0, &size), 0xff, FLASH_SIZE);
    assert_int_equal(size, FLASH_SIZE);
    return bus;
}

/* Both chips get the command. */
static void command(struct test_bus *bus, uint64_t offset, uint16_t value)
{
    test_put(bus, offset, value * 0x10001u);
}

static void test_flash_query(void **state)
{
    struct test_bus *bus = flash_create();

    command(bus, 0x55 * 4, 0x98);
    assert_int_equal(test_get(bus, 0x10 * 4), 'Q' * 0x10001u);
    assert_int_equal(test_get(bus, 0x11 * 4), 'R' * 0x10001u);
    assert_int_equal(test_get(bus, 0x12 * 4), 'Y' * 0x10001u);
    assert_int_equal(test_get(bus, 0x13 * 4), 0x00010001);
    assert_int_equal(test_get(bus, 0x27 * 4), 19 * 0x10001u); /* a chip has 512 KiB */
    assert_int_equal(test_get(bus, 0x2d * 4), 3 * 0x10001u);  /* four blocks */
    assert_int_equal(test_get(bus, 0x30 * 4), 2 * 0x10001u);  /* of 128 KiB */
    assert_int_equal(test_get(bus, 0x31 * 4), 'P' * 0x10001u);
    assert_int_equal(test_read(bus, 0x10 * 4, 1), 'Q');
    assert_int_equal(test_read(bus, 0x10 * 4 + 1, 1), 0);
    command(bus, 0, 0x90);
    assert_int_equal(test_get(bus, 0), 0x00890089);
    assert_int_equal(test_get(bus, 4), 0x00180018);
    command(bus, 0, 0xff);
    assert_int_equal(test_get(bus, 0), 0xffffffff);
    test_bus_destroy(bus);
}

static void test_flash_program(void **state)
{
    struct test_bus *bus = flash_create();

    command(bus, 0x100, 0x40);
    test_put(bus, 0x100, 0x12345678);
    assert_int_equal(test_get(bus, 0x100), 0x00800080); /* status */
    command(bus, 0, 0xff);
    assert_int_equal(test_get(bus, 0x100), 0x12345678);
    command(bus, 0x100, 0x10);
    test_put(bus, 0x100, 0xf0f0f0f0); /* bits only go to 0 */
    command(bus, 0, 0xff);
    assert_int_equal(test_get(bus, 0x100), 0x10305070);
    /* Write to buffer: three words, of which two are given in other order. */
    command(bus, 0x40000, 0xe8);
    assert_int_equal(test_get(bus, 0), 0x00800080);
    command(bus, 0x40000, 2);
    test_put(bus, 0x40000, 1);
    test_put(bus, 0x40008, 3);
    test_put(bus, 0x40004, 2);
    command(bus, 0x40000, 0xd0);
    command(bus, 0, 0xff);
    assert_int_equal(test_get(bus, 0x40000), 1);
    assert_int_equal(test_get(bus, 0x40004), 2);
    assert_int_equal(test_get(bus, 0x40008), 3);
    assert_int_equal(test_get(bus, 0x4000c), 0xffffffff);
    command(bus, 0x40010, 0x20);
    command(bus, 0x40010, 0xd0); /* erase */
    assert_int_equal(test_get(bus, 0), 0x00800080);
    device_reset(bus->device); /* the array is shown, and lives on */
    assert_int_equal(test_get(bus, 0x40000), 0xffffffff);
    assert_int_equal(test_get(bus, 0x100), 0x10305070);
    test_bus_destroy(bus);
}

/* The image's bytes are there at the start, and what changes is in it in the end. */
static void test_flash_image(void **state)
{
    struct block *block = disk_create(FLASH_SIZE / BLOCK_SECTOR / 2, 0);
    struct error err = {""};

    for (unsigned round = 0; round < 2; round++) {
        struct test_bus *bus =
            test_bus_create("cfi.pflash01", "size=0x100000,sector=0x40000", block, false);
        assert_int_equal(test_get(bus, 0x200), round ? 0xffffffff : 1);
        assert_int_equal(test_get(bus, 0x3fe00), round ? 0xffffffff : 0x1ff);
        assert_int_equal(test_get(bus, 0x40200), round ? 0x00000200 : 0x201);
        command(bus, 0x10, 0x20);
        command(bus, 0x10, 0xd0);
        command(bus, 0x40200, 0x40);
        test_put(bus, 0x40200, 0x200);
        command(bus, 0xc0000, 0x40); /* beyond the image */
        test_put(bus, 0xc0000, 0);
        device_reset(bus->device);
        assert_int_equal(test_get(bus, 0x200), 0xffffffff);
        test_bus_destroy(bus);
    }
    block_close(block);
    block = disk_create(8, BLOCK_READ_ONLY);
    struct test_bus *bus =
        test_bus_create("cfi.pflash01", "size=0x100000,sector=0x40000", block, false);
    command(bus, 0x200, 0x40);
    test_put(bus, 0x200, 0);
    assert_int_equal(test_get(bus, 0), 0x00920092);
    command(bus, 0, 0xff);
    assert_int_equal(test_get(bus, 0x200), 1);
    test_bus_destroy(bus);
    block_close(block);
    block = disk_create(FLASH_SIZE / BLOCK_SECTOR + 1, 0);
    bus = test_bus_create("virtio-mmio", NULL, NULL, false);
    assert_null(device_create(device_class_find("cfi.pflash01"), "f", &bus->machine,
                              "size=0x100000", NULL, block, &err));
    assert_non_null(strstr(err.message, "larger than the flash"));
    test_bus_destroy(bus);
    block_close(block);
}

static void test_flash_errors(void **state)
{
    struct test_bus *bus = flash_create();

    command(bus, 0, 0x20);
    command(bus, 0, 0x33); /* not confirmed */
    assert_int_equal(test_get(bus, 0), 0x00b000b0);
    command(bus, 0, 0x50);
    command(bus, 0, 0x70);
    assert_int_equal(test_get(bus, 0), 0x00800080);
    command(bus, 0, 0xe8);
    command(bus, 0, 0xffff); /* more than the buffer holds */
    assert_int_equal(test_get(bus, 0), 0x00b000b0);
    command(bus, 0, 0x50);
    command(bus, 0, 0xe8);
    command(bus, 0, 1);
    test_put(bus, 0x100, 0);
    test_put(bus, 0x20000, 0); /* outside the buffer's block */
    assert_int_equal(test_get(bus, 0), 0x00b000b0);
    command(bus, 0, 0xff);
    test_hostile(bus, 3000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rtc),
        cmocka_unit_test(test_gpio_data),
        cmocka_unit_test(test_gpio_interrupts),
        cmocka_unit_test(test_power_key),
        cmocka_unit_test(test_fw_cfg_items),
        cmocka_unit_test(test_fw_cfg_dma),
        cmocka_unit_test(test_flash_query),
        cmocka_unit_test(test_flash_program),
        cmocka_unit_test(test_flash_image),
        cmocka_unit_test(test_flash_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
