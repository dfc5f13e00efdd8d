/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ramfb: its file in fw_cfg, formats, and what it must refuse. */
#include "bus.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

enum { REQUEST = 0x100, CONFIG = 0x200, FRAME = 0x10000, DMA = TEST_PORT_STRIDE };
enum { DMA_ERROR = 1, DMA_SELECT = 8, DMA_WRITE = 16, CONFIG_BYTES = 28 };
#define XR24 0x34325258u
#define XB24 0x34324258u
#define RG16 0x36314752u
#define RG24 0x34324752u

static uint32_t dma(struct test_bus *bus, uint32_t control, uint32_t length, uint64_t address)
{
    store_be32(bus->ram + REQUEST, control);
    store_be32(bus->ram + REQUEST + 4, length);
    store_be64(bus->ram + REQUEST + 8, address);
    test_port_write(bus, DMA, 0, 4);
    test_port_write(bus, DMA + 4, __builtin_bswap32(TEST_RAM + REQUEST), 4);
    return load_be32(bus->ram + REQUEST);
}

/* The file's number, as the directory has it. */
static unsigned find_file(struct test_bus *bus, const char *name)
{
    test_port_write(bus, 0, FW_CFG_FILE_DIR, 2);
    for (unsigned i = 0; i < 4; i++)
        test_port_read(bus, 1, 1);
    for (;;) {
        uint8_t entry[64];
        for (unsigned i = 0; i < sizeof(entry); i++)
            entry[i] = (uint8_t)test_port_read(bus, 1, 1);
        if (!strcmp((char *)entry + 8, name)) {
            assert_int_equal(load_be32(entry), CONFIG_BYTES);
            return load_be16(entry + 4);
        }
        assert_true(entry[8]);
    }
}

struct config {
    uint64_t base;
    uint32_t code, width, height, stride;
};

static struct screen *set_up(struct test_bus *bus, const struct config *c)
{
    uint8_t *to = bus->ram + CONFIG;
    unsigned file = find_file(bus, "etc/ramfb");

    store_be64(to, c->base);
    store_be32(to + 8, c->code);
    store_be32(to + 12, 0);
    store_be32(to + 16, c->width);
    store_be32(to + 20, c->height);
    store_be32(to + 24, c->stride);
    assert_int_equal(dma(bus, file << 16 | DMA_SELECT | DMA_WRITE, CONFIG_BYTES, TEST_RAM + CONFIG),
                     0);
    screen_refresh(bus->machine.screens.first);
    return bus->machine.screens.first;
}

static struct test_bus *create(void)
{
    struct test_bus *bus = test_bus_create("fw_cfg-port", NULL, NULL, false);

    free((char *)bus->device->id);
    bus->device->id = strdup("fw_cfg");
    test_bus_add(bus, "ramfb", "ramfb", NULL);
    return bus;
}

static void test_formats(void **state)
{
    struct test_bus *bus = create();
    struct screen *screen = bus->machine.screens.first;

    assert_string_equal(screen->name, "ramfb");
    screen_refresh(screen);
    assert_int_equal(screen->width, 640); /* not set up: black */
    store_le32(bus->ram + FRAME + 64 * 2 + 4, 0xff123456);
    set_up(bus, &(struct config){TEST_RAM + FRAME, XR24, 16, 8, 0});
    assert_int_equal(screen->width, 16);
    assert_int_equal(screen->height, 8);
    assert_int_equal(screen->pixels[16 * 2 + 1], 0x123456);
    assert_false(screen_refresh(screen));
    store_le32(bus->ram + FRAME, 0xabcdef);
    assert_true(screen_refresh(screen));
    assert_int_equal(screen->pixels[0], 0xabcdef);
    set_up(bus, &(struct config){TEST_RAM + FRAME, XB24, 16, 8, 128});
    assert_int_equal(screen->pixels[16 * 1 + 1], 0x563412);
    set_up(bus, &(struct config){TEST_RAM + FRAME, RG16, 16, 8, 0});
    assert_int_equal(screen->pixels[0], 0xcebe7b); /* 0xcdef */
    set_up(bus, &(struct config){TEST_RAM + FRAME, RG24, 16, 8, 0});
    assert_int_equal(screen->pixels[0], 0xabcdef);
    device_reset(bus->devices[0]);
    device_reset(bus->devices[1]);
    screen_refresh(screen);
    assert_int_equal(screen->pixels[0], 0);
    test_bus_destroy(bus);
}

static void test_refused(void **state)
{
    struct test_bus *bus = create();
    const uint64_t end = (uint64_t)TEST_RAM + TEST_RAM_SIZE;
    const struct config bad[] = {
        {TEST_RAM, XR24, 0, 8, 0},
        {TEST_RAM, XR24, 16, 0, 0},
        {TEST_RAM, XR24, 0xffffffff, 0xffffffff, 0},
        {TEST_RAM, XR24, 5121, 16, 0},
        {TEST_RAM, XR24, 16, 8, 63},
        {TEST_RAM, XR24, 16, 8, 0xffffffff},
        {TEST_RAM, 0x12345678, 16, 8, 0},
    };
    /* These show what there is of them in RAM. */
    const struct config outside[] = {
        {0, XR24, 16, 8, 0},           {end - 64, XR24, 16, 8, 0}, {TEST_RAM - 32, XR24, 16, 8, 0},
        {UINT64_MAX, XR24, 16, 8, 64}, {end, XR24, 5120, 4096, 0}, {TEST_BASE, XR24, 16, 8, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(set_up(bus, &bad[i])->width, 640);
    memset(bus->ram + TEST_RAM_SIZE - 64, 0x55, 64);
    for (unsigned i = 0; i < ARRAY_SIZE(outside); i++) {
        struct screen *screen = set_up(bus, &outside[i]);
        assert_int_equal(screen->width, outside[i].width);
        assert_int_equal(screen->pixels[0], i == 1 ? 0x555555 : 0);
        assert_int_equal(screen->pixels[screen->width], 0);
    }
    unsigned file = find_file(bus, "etc/ramfb");
    assert_int_equal(dma(bus, file << 16 | DMA_SELECT | DMA_WRITE, 29, TEST_RAM + CONFIG),
                     DMA_ERROR);
    assert_int_equal(dma(bus, file << 16 | DMA_SELECT | DMA_WRITE, 28, 0), DMA_ERROR);
    assert_int_equal(dma(bus, file << 16 | DMA_SELECT | DMA_WRITE, 28, end - 1), DMA_ERROR);
    assert_int_equal(dma(bus, file << 16 | DMA_SELECT | DMA_WRITE, 8, TEST_RAM + CONFIG), 0);
    assert_int_equal(dma(bus, DMA_WRITE, 20, TEST_RAM + CONFIG), 0); /* in two parts */
    assert_int_equal(dma(bus, DMA_WRITE, 1, TEST_RAM + CONFIG), DMA_ERROR);
    test_hostile(bus, 20000);
    screen_refresh(bus->machine.screens.first);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
