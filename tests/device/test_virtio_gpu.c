/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-gpu over both transports, virtio-vga, and what hostile drivers ask for. */
#include "hw/display/edid.h"
#include "hw/display/virtio_gpu_resource.h"
#include "util/bits.h"
#include "virtio_driver.h"

enum { COMMAND = DRIVER_BUFFERS, ANSWER = COMMAND + 0x8000, PIXELS = DRIVER_BUFFERS + 0x20000 };
enum { CONTROL, CURSOR, HEADER = 24 };
enum { OK = 0x1100, BAD_SCANOUT = 0x1202, BAD_RESOURCE = 0x1203, BAD_PARAMETER = 0x1205 };
enum { UNSPECIFIED = 0x1200, NO_MEMORY = 0x1201 };
#define F_EDID (UINT64_C(1) << 1)

struct gpu {
    struct driver *drv;
    uint16_t n[2]; /* requests made, by queue */
    struct screen *screen;
};

static struct gpu create(enum driver_mode mode)
{
    struct gpu g = {.drv = driver_create(mode, "gpu", NULL, NULL)};

    driver_start(g.drv, F_EDID, 2);
    g.screen = g.drv->pc->machine.screens.first;
    return g;
}

static uint8_t *ram(struct gpu *g, gpa at)
{
    return g->drv->pc->ram + at;
}

/* Sends `size` bytes at COMMAND; returns the answer's type. */
static uint32_t send(struct gpu *g, unsigned queue, uint32_t size)
{
    gpa table = driver_table(g->drv, queue);

    store_le32(ram(g, ANSWER), 0);
    driver_descriptor(g->drv, table, 0, COMMAND, size, DESC_NEXT, 1);
    driver_descriptor(g->drv, table, 1, ANSWER, 2048, DESC_WRITE, 0);
    driver_offer(g->drv, queue, 0);
    g->n[queue]++;
    assert_int_equal(driver_used_index(g->drv, queue), g->n[queue]);
    driver_interrupts(g->drv);
    return load_le32(ram(g, ANSWER));
}

/* Words behind the header. */
static uint32_t words(struct gpu *g, unsigned queue, uint32_t command, const uint32_t *list,
                      unsigned n)
{
    memset(ram(g, COMMAND), 0, HEADER);
    store_le32(ram(g, COMMAND), command);
    for (unsigned i = 0; i < n; i++)
        store_le32(ram(g, COMMAND + HEADER + 4 * i), list[i]);
    return send(g, queue, HEADER + 4 * n);
}
#define WORDS(g, command, ...)                                                                     \
    words(g, CONTROL, command, (const uint32_t[]){__VA_ARGS__},                                    \
          sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static uint32_t create_2d(struct gpu *g, uint32_t id, uint32_t format, uint32_t w, uint32_t h)
{
    return WORDS(g, 0x101, id, format, w, h);
}

static uint32_t attach(struct gpu *g, uint32_t id, uint64_t address, uint32_t length)
{
    return WORDS(g, 0x106, id, 1, (uint32_t)address, (uint32_t)(address >> 32), length, 0);
}

static uint32_t transfer(struct gpu *g, uint32_t id, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                         uint64_t offset)
{
    return WORDS(g, 0x105, x, y, w, h, (uint32_t)offset, (uint32_t)(offset >> 32), id, 0);
}

static uint32_t set_scanout(struct gpu *g, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                            uint32_t scanout, uint32_t id)
{
    return WORDS(g, 0x103, x, y, w, h, scanout, id);
}

static uint32_t flush(struct gpu *g, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t id)
{
    return WORDS(g, 0x104, x, y, w, h, id, 0);
}

static void test_shows_a_picture(void **state)
{
    static const enum driver_mode modes[] = {DRIVER_MMIO, DRIVER_PCI};

    for (unsigned i = 0; i < 2; i++) {
        struct gpu g = create(modes[i]);
        struct screen *s = g.screen;
        assert_string_equal(s->name, g.drv->device->id);
        assert_int_equal(create_2d(&g, 7, 2, 64, 32), OK);
        assert_int_equal(attach(&g, 7, PIXELS, 64 * 32 * 4), OK);
        for (unsigned n = 0; n < 64 * 32; n++)
            store_le32(ram(&g, PIXELS + 4 * n), 0xff000000 | n);
        assert_int_equal(set_scanout(&g, 8, 4, 32, 16, 0, 7), OK);
        assert_int_equal(transfer(&g, 7, 0, 0, 64, 32, 0), OK);
        assert_int_equal(flush(&g, 0, 0, 64, 32, 7), OK);
        screen_refresh(s);
        assert_int_equal(s->width, 32);
        assert_int_equal(s->height, 16);
        assert_int_equal(s->pixels[0], 4 * 64 + 8);
        assert_int_equal(s->pixels[32 * 15 + 31], 19 * 64 + 39);
        assert_false(screen_refresh(s));
        /* A part: row 5, columns 10 and 11 of the resource. */
        store_le32(ram(&g, PIXELS + 4 * (5 * 64 + 10)), 0xabcdef);
        assert_int_equal(transfer(&g, 7, 10, 5, 2, 1, 4 * (5 * 64 + 10)), OK);
        assert_int_equal(flush(&g, 10, 5, 2, 1, 7), OK);
        assert_true(screen_refresh(s));
        assert_int_equal(s->pixels[32 + 2], 0xabcdef);
        assert_int_equal(s->pixels[32 + 3], 5 * 64 + 11);
        assert_int_equal(WORDS(&g, 0x102, 7, 0), OK); /* gone: black */
        screen_refresh(s);
        assert_int_equal(s->pixels[0], 0);
        driver_destroy(g.drv);
    }
}

static void test_formats(void **state)
{
    static const uint32_t formats[] = {1, 2, 3, 4, 67, 68, 121, 134};
    static const uint32_t colours[] = {0x030201, 0x030201, 0x020304, 0x020304,
                                       0x010203, 0x040302, 0x040302, 0x010203};
    struct gpu g = create(DRIVER_MMIO);

    store_le32(ram(&g, PIXELS), 0x04030201);
    for (uint32_t i = 0; i < ARRAY_SIZE(formats); i++) {
        assert_int_equal(create_2d(&g, i + 1, formats[i], 1, 1), OK);
        assert_int_equal(attach(&g, i + 1, PIXELS, 4), OK);
        assert_int_equal(transfer(&g, i + 1, 0, 0, 1, 1, 0), OK);
        assert_int_equal(set_scanout(&g, 0, 0, 1, 1, 0, i + 1), OK);
        screen_refresh(g.screen);
        assert_int_equal(g.screen->pixels[0], colours[i]);
    }
    driver_destroy(g.drv);
}

static void test_backing_in_pieces(void **state)
{
    struct gpu g = create(DRIVER_PCI);
    uint32_t list[2 + 4 * 4] = {1, 4};
    static const uint32_t lengths[] = {3, 6, 1, 22}; /* 4 x 2 pixels, across the pieces */
    uint8_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        list[2 + 4 * i] = PIXELS + 0x100 * i;
        list[2 + 4 * i + 2] = lengths[i];
        for (unsigned n = 0; n < lengths[i]; n++)
            *ram(&g, PIXELS + 0x100 * i + n) = value++;
    }
    assert_int_equal(create_2d(&g, 1, 1, 4, 2), OK);
    assert_int_equal(words(&g, CONTROL, 0x106, list, ARRAY_SIZE(list)), OK);
    assert_int_equal(transfer(&g, 1, 0, 0, 4, 2, 0), OK);
    assert_int_equal(set_scanout(&g, 0, 0, 4, 2, 0, 1), OK);
    screen_refresh(g.screen);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(g.screen->pixels[i], (4 * i + 2) << 16 | (4 * i + 1) << 8 | (4 * i));
    assert_int_equal(transfer(&g, 1, 0, 0, 4, 2, 1), BAD_PARAMETER); /* one byte too far */
    assert_int_equal(WORDS(&g, 0x107, 1, 0), OK);
    assert_int_equal(WORDS(&g, 0x107, 1, 0), UNSPECIFIED);
    assert_int_equal(transfer(&g, 1, 0, 0, 1, 1, 0), UNSPECIFIED);
    driver_destroy(g.drv);
}

static void test_display_info(void **state)
{
    struct gpu g = create(DRIVER_MMIO);
    uint8_t sum = 0;

    assert_int_equal(driver_config(g.drv, 8, 4), 1);
    assert_int_equal(words(&g, CONTROL, 0x100, NULL, 0), 0x1101);
    assert_int_equal(driver_used_length(g.drv, CONTROL, 0), 408);
    assert_int_equal(load_le32(ram(&g, ANSWER + HEADER + 8)), 1280);
    assert_int_equal(load_le32(ram(&g, ANSWER + HEADER + 12)), 800);
    assert_int_equal(load_le32(ram(&g, ANSWER + HEADER + 16)), 1);
    assert_int_equal(load_le32(ram(&g, ANSWER + 2 * HEADER + 16)), 0);
    assert_int_equal(WORDS(&g, 0x10a, 0, 0), 0x1104);
    assert_int_equal(load_le32(ram(&g, ANSWER + HEADER)), EDID_BYTES);
    for (unsigned i = 0; i < EDID_BYTES; i++)
        sum += *ram(&g, ANSWER + 32 + i);
    assert_int_equal(sum, 0);
    assert_memory_equal(ram(&g, ANSWER + 32), "\0\xff\xff\xff\xff\xff\xff\0", 8);
    assert_int_equal(WORDS(&g, 0x10a, 1, 0), BAD_SCANOUT);
    /* The window becomes larger. */
    g.screen->source->suggest_size(g.screen->source_opaque, 1600, 1000);
    assert_int_equal(driver_interrupts(g.drv) & 2, 2);
    assert_int_equal(driver_config(g.drv, 0, 4), 1);
    driver_set_config(g.drv, 4, 1, 4);
    assert_int_equal(driver_config(g.drv, 0, 4), 0);
    assert_int_equal(words(&g, CONTROL, 0x100, NULL, 0), 0x1101);
    assert_int_equal(load_le32(ram(&g, ANSWER + HEADER + 8)), 1600);
    g.screen->source->suggest_size(g.screen->source_opaque, 0, 100000);
    assert_int_equal(driver_interrupts(g.drv), 0);
    driver_destroy(g.drv);
}

static void test_fence(void **state)
{
    struct gpu g = create(DRIVER_PCI);

    memset(ram(&g, COMMAND), 0, HEADER);
    store_le32(ram(&g, COMMAND), 0x100);
    store_le32(ram(&g, COMMAND + 4), 1);
    store_le64(ram(&g, COMMAND + 8), 0x123456789abcdef);
    store_le32(ram(&g, COMMAND + 16), 77);
    send(&g, CONTROL, HEADER);
    assert_int_equal(load_le32(ram(&g, ANSWER + 4)), 1);
    assert_int_equal(load_le64(ram(&g, ANSWER + 8)), 0x123456789abcdef);
    assert_int_equal(load_le32(ram(&g, ANSWER + 16)), 77);
    driver_destroy(g.drv);
}

static void test_cursor(void **state)
{
    struct gpu g = create(DRIVER_MMIO);
    struct screen_cursor *cursor;

    create_2d(&g, 3, 1, 64, 64);
    attach(&g, 3, PIXELS, 64 * 64 * 4);
    store_le32(ram(&g, PIXELS + 4), 0x80123456);
    transfer(&g, 3, 0, 0, 64, 64, 0);
    words(&g, CURSOR, 0x300, (const uint32_t[]){0, 100, 50, 0, 3, 5, 6, 0}, 8);
    screen_refresh(g.screen);
    cursor = g.screen->cursor;
    assert_non_null(cursor);
    assert_true(cursor->visible);
    assert_int_equal(cursor->x, 100);
    assert_int_equal(cursor->hot_y, 6);
    assert_int_equal(cursor->pixels[1], 0x80123456);
    words(&g, CURSOR, 0x301, (const uint32_t[]){0, 10, 20, 0, 3, 5, 6, 0}, 8);
    assert_true(screen_refresh(g.screen));
    assert_int_equal(cursor->y, 20);
    words(&g, CURSOR, 0x300, (const uint32_t[]){0, 1, 1, 0, 0, 0, 0, 0}, 8);
    screen_refresh(g.screen);
    assert_false(cursor->visible);
    create_2d(&g, 4, 1, 32, 64); /* not a cursor's size */
    words(&g, CURSOR, 0x300, (const uint32_t[]){0, 1, 1, 0, 4, 99, 99, 0}, 8);
    screen_refresh(g.screen);
    assert_false(cursor->visible);
    words(&g, CURSOR, 0x300, (const uint32_t[]){9, 1, 1, 0, 3, 0, 0, 0}, 8);
    words(&g, CURSOR, 0x999, NULL, 0);
    driver_destroy(g.drv);
}

static void test_refusals(void **state)
{
    struct gpu g = create(DRIVER_MMIO);
    const uint32_t most = UINT32_MAX;

    assert_int_equal(create_2d(&g, 0, 1, 4, 4), BAD_RESOURCE);
    assert_int_equal(create_2d(&g, 1, 1, 4, 4), OK);
    assert_int_equal(create_2d(&g, 1, 1, 4, 4), BAD_RESOURCE);
    assert_int_equal(create_2d(&g, 2, 5, 4, 4), BAD_PARAMETER);
    assert_int_equal(create_2d(&g, 2, 1, 0, 4), BAD_PARAMETER);
    assert_int_equal(create_2d(&g, 2, 1, most, most), BAD_PARAMETER);
    assert_int_equal(create_2d(&g, 2, 1, 16384, 16384), NO_MEMORY);
    assert_int_equal(attach(&g, 9, PIXELS, 64), BAD_RESOURCE);
    assert_int_equal(attach(&g, 1, PIXELS, 0), UNSPECIFIED);
    assert_int_equal(attach(&g, 1, DRIVER_MEMORY, 64), UNSPECIFIED);
    assert_int_equal(attach(&g, 1, PC_RAM_SIZE - 4, 64), UNSPECIFIED);
    assert_int_equal(attach(&g, 1, UINT64_MAX, 64), UNSPECIFIED);
    assert_int_equal(attach(&g, 1, PIXELS, most), UNSPECIFIED);
    assert_int_equal(WORDS(&g, 0x106, 1, most, 0), UNSPECIFIED);
    assert_int_equal(WORDS(&g, 0x106, 1, 5, PIXELS, 0, 4, 0), UNSPECIFIED); /* the list is short */
    assert_int_equal(attach(&g, 1, PIXELS, 64), OK);
    assert_int_equal(attach(&g, 1, PIXELS, 64), UNSPECIFIED);
    assert_int_equal(transfer(&g, 1, 0, 0, 5, 1, 0), BAD_PARAMETER);
    assert_int_equal(transfer(&g, 1, most, 0, 2, 1, 0), BAD_PARAMETER);
    assert_int_equal(transfer(&g, 1, 3, 3, most, most, 0), BAD_PARAMETER);
    assert_int_equal(transfer(&g, 1, 0, 0, 4, 4, UINT64_MAX), BAD_PARAMETER);
    assert_int_equal(transfer(&g, 1, 0, 0, 4, 4, 4), BAD_PARAMETER);
    assert_int_equal(flush(&g, 0, 0, 5, 5, 1), BAD_PARAMETER);
    assert_int_equal(set_scanout(&g, 0, 0, 4, 4, 1, 1), BAD_SCANOUT);
    assert_int_equal(set_scanout(&g, 0, 0, 4, 4, 0, 8), BAD_RESOURCE);
    assert_int_equal(set_scanout(&g, 0, 0, 0, 4, 0, 1), BAD_PARAMETER);
    assert_int_equal(set_scanout(&g, 1, 1, 4, 4, 0, 1), BAD_PARAMETER);
    assert_int_equal(set_scanout(&g, 0, 0, 0, 0, 0, 0), OK);
    assert_int_equal(WORDS(&g, 0x109, 0, 0), UNSPECIFIED);
    for (uint32_t size = 0; size < HEADER + 8; size++) {
        store_le32(ram(&g, COMMAND), 0x104);
        assert_int_equal(send(&g, CONTROL, size), UNSPECIFIED);
    }
    driver_destroy(g.drv);
}

/* As many as it lets: bounded in number and bytes, and all is free after a reset. */
static void test_exhaustion(void **state)
{
    struct gpu g = create(DRIVER_MMIO);
    uint32_t n = 0;

    while (n < 100000 && create_2d(&g, n + 1, 1, 1, 1) == OK)
        n++;
    assert_int_equal(n, GPU_RESOURCES_MAX);
    driver_start(g.drv, F_EDID, 2);
    g.n[0] = 0;
    for (n = 0; n < 1000 && create_2d(&g, n + 1, 1, 1024, 1024) == OK; n++)
        ;
    assert_int_equal(n, 63);
    assert_int_equal(WORDS(&g, 0x102, 5, 0), OK);
    assert_int_equal(create_2d(&g, 5, 1, 1024, 1024), OK);
    driver_destroy(g.drv);
}

static void test_virtio_vga(void **state)
{
    struct test_pc *pc = pc_create();

    pc_add(pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_add(pc, "virtio-vga", "vga", 0, "addr=2,romfile=", NULL);
    pc_reset(pc);
    assert_int_equal(pc_config_get(pc, 2 << 3, 0, 4), 0x10501af4);
    assert_int_equal(pc_config_get(pc, 2 << 3, 8, 4) >> 8, 0x030000);
    pc_config_set(pc, 2 << 3, 0x10, 0xe0000000, 4);
    pc_config_set(pc, 2 << 3, 0x18, 0xe8000000, 4);
    pc_config_set(pc, 2 << 3, 4, 7, 2);
    /* It is a VGA with the Bochs extensions. */
    pc_out(pc, 0x1ce, 1, 2);
    pc_out(pc, 0x1cf, 640, 2);
    pc_out(pc, 0x1ce, 2, 2);
    pc_out(pc, 0x1cf, 480, 2);
    pc_out(pc, 0x1ce, 3, 2);
    pc_out(pc, 0x1cf, 32, 2);
    pc_out(pc, 0x1ce, 4, 2);
    pc_out(pc, 0x1cf, 0x41, 2);
    pc_store(pc, 0xe0000004, 0x123456, 4);
    struct screen *screen = pc->machine.screens.first;
    screen_refresh(screen);
    assert_int_equal(screen->width, 640);
    assert_int_equal(screen->pixels[1], 0x123456);
    assert_null(screen->next);
    assert_non_null(screen->source->suggest_size);
    pc_hostile(pc, 0x3b0, 0x3e0, 0xe8000000, 0x4000, 2 << 3, 20000);
    screen_refresh(screen);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shows_a_picture),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_backing_in_pieces),
        cmocka_unit_test(test_display_info),
        cmocka_unit_test(test_fence),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_virtio_vga),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
