/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CL-GD5446: extended registers, packed modes, banks, the BitBLT engine, the cursor. */
#include "hw/display/cirrus.h"
#include "pc.h"

enum { SLOT = 2 << 3, FRAME = 0xe0000000, MMIO = 0xe8000000, PITCH = 640 };
enum { COPY = 0x0d, XOR = 0x59, INVERT = 0x0b };

static struct test_pc *create(void)
{
    struct test_pc *pc = pc_create();

    pc_add(pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_add(pc, "cirrus-vga", "vga", 0, "addr=2,romfile=", NULL);
    pc_reset(pc);
    pc_config_set(pc, SLOT, 0x10, FRAME, 4);
    pc_config_set(pc, SLOT, 0x14, MMIO, 4);
    pc_config_set(pc, SLOT, 4, 3, 2);
    pc_out(pc, 0x3c2, 0x67, 1);
    return pc;
}

static void sr(struct test_pc *pc, unsigned index, unsigned value)
{
    pc_out(pc, 0x3c4, index | value << 8, 2);
}

static void cr(struct test_pc *pc, unsigned index, unsigned value)
{
    pc_out(pc, 0x3d4, index | value << 8, 2);
}

static void gr(struct test_pc *pc, unsigned index, unsigned value)
{
    pc_out(pc, 0x3ce, index | value << 8, 2);
}

/* 64 x 16, packed. sr7: the depth; pitch in bytes. */
static struct screen *show(struct test_pc *pc, unsigned sr7, unsigned hidden, unsigned pitch)
{
    cr(pc, 0x11, 0);
    cr(pc, 0x01, 7);
    cr(pc, 0x07, 0);
    cr(pc, 0x09, 0x40);
    cr(pc, 0x12, 15);
    cr(pc, 0x13, pitch / 8);
    cr(pc, 0x0c, 0);
    cr(pc, 0x0d, 0);
    sr(pc, 7, sr7);
    pc_in(pc, 0x3c8, 1);
    for (unsigned i = 0; i < 4; i++)
        pc_in(pc, 0x3c6, 1);
    pc_out(pc, 0x3c6, hidden, 1);
    screen_refresh(pc->machine.screens.first);
    return pc->machine.screens.first;
}

static void test_registers(void **state)
{
    struct test_pc *pc = create();

    assert_int_equal(pc_config_get(pc, SLOT, 0, 4), 0x00b81013);
    pc_out(pc, 0x3c4, 6, 1);
    assert_int_equal(pc_in(pc, 0x3c5, 1), 0x0f);
    sr(pc, 6, 0x12);
    assert_int_equal(pc_in(pc, 0x3c5, 1), 0x12);
    sr(pc, 6, 0x11);
    assert_int_equal(pc_in(pc, 0x3c5, 1), 0x0f);
    pc_out(pc, 0x3c4, 0x0f, 1);
    assert_int_equal(pc_in(pc, 0x3c5, 1) & 0x98, 0x98);
    pc_out(pc, 0x3d4, 0x27, 1);
    assert_int_equal(pc_in(pc, 0x3d5, 1), 0xb8);
    cr(pc, 0x1b, 0x22);
    assert_int_equal(pc_in(pc, 0x3d5, 1), 0x22);
    gr(pc, 0x31, 0x80);
    assert_int_equal(pc_in(pc, 0x3cf, 1), 0x80);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pc_in(pc, 0x3c6, 1), 0xff); /* the pixel mask */
    pc_out(pc, 0x3c6, 0xc5, 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pc_in(pc, 0x3c6, 1), 0xff);
    assert_int_equal(pc_in(pc, 0x3c6, 1), 0xc5);
    assert_int_equal(pc_in(pc, 0x3c6, 1), 0xff);
    pc_store(pc, MMIO + 0x0e, 0x0bff,
             2); /* the same registers in memory: GRB, a reserved bit too */
    pc_store(pc, MMIO + 0x100, 0x44332211, 4);
    pc_out(pc, 0x3ce, 0x12, 1);
    assert_int_equal(pc_in(pc, 0x3cf, 1), 0x33);
    pc_destroy(pc);
}

static void test_packed_modes(void **state)
{
    struct test_pc *pc = create();
    struct screen *screen = show(pc, 0x11, 0, PITCH);

    assert_int_equal(screen->width, 64);
    assert_int_equal(screen->height, 16);
    pc_out(pc, 0x3c8, 7, 1);
    for (unsigned i = 1; i <= 3; i++)
        pc_out(pc, 0x3c9, 16 * i - 1, 1);
    pc_store(pc, FRAME + 3 * PITCH + 9, 7, 1);
    assert_int_equal(show(pc, 0x11, 0, PITCH)->pixels[3 * 64 + 9], 0x3c7dbe);
    pc_store(pc, FRAME + 18, 0xf81f, 2);
    assert_int_equal(show(pc, 0x17, 0xc1, PITCH)->pixels[9], 0xf800f8);
    pc_store(pc, FRAME + 18, 0x7c1f, 2);
    assert_int_equal(show(pc, 0x17, 0xf0, PITCH)->pixels[9], 0xf800f8);
    pc_store(pc, FRAME + 27, 0x123456, 4);
    assert_int_equal(show(pc, 0x15, 0xc5, PITCH)->pixels[9], 0x123456);
    pc_store(pc, FRAME + 36, 0xff654321, 4);
    assert_int_equal(show(pc, 0x19, 0xc5, PITCH)->pixels[9], 0x654321);
    /* From a start address of 20 bits on. */
    cr(pc, 0x1d, 0x80);
    cr(pc, 0x1b, 0x0d);
    cr(pc, 0x0c, 0x10);
    pc_store(pc, FRAME + ((0xf1000u * 4) & 0x3fffff), 0xabcdef, 4);
    screen_refresh(screen);
    assert_int_equal(screen->pixels[0], 0xabcdef);
    pc_destroy(pc);
}

static void test_banks_and_write_modes(void **state)
{
    struct test_pc *pc = create();

    show(pc, 0x11, 0, PITCH);
    gr(pc, 6, 5);
    gr(pc, 9, 3); /* 4 KiB units */
    pc_store(pc, 0xa0010, 0x77, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x3010, 1), 0x77);
    gr(pc, 0x0b, 0x21); /* two banks, 16 KiB units */
    gr(pc, 0x0a, 2);
    pc_store(pc, 0xa8010, 0x78, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x8010, 1), 0x78);
    assert_int_equal(pc_load(pc, 0xa8010, 1), 0x78);
    gr(pc, 0x0b, 6); /* BY8 and extended write modes */
    gr(pc, 5, 4);
    gr(pc, 9, 0);
    gr(pc, 0, 0x11);
    gr(pc, 1, 0x22);
    pc_store(pc, 0xa0002, 0xc1, 1);
    gr(pc, 5, 5);
    pc_store(pc, FRAME + 3, 0x80, 1);
    gr(pc, 0x0b, 0);
    assert_int_equal(pc_load(pc, FRAME + 16, 4), 0x2222);
    assert_int_equal(pc_load(pc, FRAME + 20, 4), 0x22000000);
    assert_int_equal(pc_load(pc, FRAME + 24, 4), 0x11111122);
    pc_destroy(pc);
}

struct blt {
    unsigned width, height, dest_pitch, source_pitch, dest, source, mode, rop, extensions;
};

static void set_word(struct test_pc *pc, unsigned first, unsigned value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        gr(pc, first + i, value >> 8 * i & 0xff);
}

static void blt(struct test_pc *pc, const struct blt *b)
{
    set_word(pc, 0x20, b->width - 1, 2);
    set_word(pc, 0x22, b->height - 1, 2);
    set_word(pc, 0x24, b->dest_pitch, 2);
    set_word(pc, 0x26, b->source_pitch, 2);
    set_word(pc, 0x28, b->dest, 3);
    set_word(pc, 0x2c, b->source, 3);
    gr(pc, 0x2f, 0);
    gr(pc, 0x30, b->mode);
    gr(pc, 0x32, b->rop);
    gr(pc, 0x33, b->extensions);
    gr(pc, 0x31, 2);
}

static bool is_busy(struct test_pc *pc)
{
    pc_out(pc, 0x3ce, 0x31, 1);
    return pc_in(pc, 0x3cf, 1) & 0x09;
}

static void test_blits(void **state)
{
    struct test_pc *pc = create();

    for (unsigned i = 0; i < 64; i++)
        pc_store(pc, FRAME + i, i, 1);
    blt(pc, &(struct blt){8, 2, 100, 16, 1000, 4, 0, COPY, 0});
    assert_false(is_busy(pc));
    assert_int_equal(pc_load(pc, FRAME + 1000, 4), 0x07060504);
    assert_int_equal(pc_load(pc, FRAME + 1104, 4), 0x1b1a1918);
    blt(pc, &(struct blt){4, 1, 0, 0, 1000, 4, 0, XOR, 0});
    assert_int_equal(pc_load(pc, FRAME + 1000, 4), 0);
    blt(pc, &(struct blt){4, 1, 0, 0, 1000, 4, 0, INVERT, 0});
    assert_int_equal(pc_load(pc, FRAME + 1000, 4), 0xffffffff);
    /* Backwards over itself: from 0-31 to 4-35. */
    blt(pc, &(struct blt){32, 1, 0, 0, 35, 31, 1, COPY, 0});
    assert_int_equal(pc_load(pc, FRAME, 4), 0x03020100);
    assert_int_equal(pc_load(pc, FRAME + 4, 4), 0x03020100);
    assert_int_equal(pc_load(pc, FRAME + 32, 4), 0x1f1e1d1c);
    /* Solid, 24 bits. */
    gr(pc, 1, 0x33);
    gr(pc, 0x11, 0x22);
    gr(pc, 0x13, 0x11);
    blt(pc, &(struct blt){6, 2, 6, 0, 2000, 0, 0xe0, COPY, 4});
    assert_int_equal(pc_load(pc, FRAME + 2000, 4), 0x33112233);
    assert_int_equal(pc_load(pc, FRAME + 2008, 4), 0x11223311);
    /* A pattern of 8 x 8 bytes, from its second row on. */
    for (unsigned i = 0; i < 64; i++)
        pc_store(pc, FRAME + 4096 + i, 0x40 + i, 1);
    blt(pc, &(struct blt){12, 2, 16, 0, 3000, 4097, 0x40, COPY, 0});
    assert_int_equal(pc_load(pc, FRAME + 3000, 4), 0x4b4a4948);
    assert_int_equal(pc_load(pc, FRAME + 3008, 4), 0x4b4a4948);
    assert_int_equal(pc_load(pc, FRAME + 3016, 1), 0x50);
    /* The key's colour is left alone. */
    gr(pc, 0x34, 0x49);
    gr(pc, 0x35, 0x49);
    pc_store(pc, FRAME + 3000, 0xeeeeeeee, 4);
    blt(pc, &(struct blt){4, 1, 0, 0, 3000, 4104, 8, COPY, 0});
    assert_int_equal(pc_load(pc, FRAME + 3000, 4), 0x4b4aee48);
    pc_destroy(pc);
}

static void test_from_processor(void **state)
{
    struct test_pc *pc = create();

    gr(pc, 0, 0xb0);
    gr(pc, 1, 0xf0);
    /* Bits, in double words: 10 pixels, two rows. */
    blt(pc, &(struct blt){10, 2, 16, 0, 5000, 0, 0x84, COPY, 1});
    assert_true(is_busy(pc));
    pc_store(pc, FRAME + 0x123000, 0x000040a0, 4);
    assert_true(is_busy(pc));
    pc_store(pc, FRAME + 0x1000000, 0x00000080, 4);
    assert_false(is_busy(pc));
    assert_int_equal(pc_load(pc, FRAME + 5000, 4), 0xb0f0b0f0);
    assert_int_equal(pc_load(pc, FRAME + 5008, 2), 0xf0b0);
    assert_int_equal(pc_load(pc, FRAME + 5016, 4), 0xb0b0b0f0);
    /* Pixels, rows padded to double words, through the window. */
    show(pc, 0x11, 0, PITCH);
    gr(pc, 6, 5);
    blt(pc, &(struct blt){3, 2, 16, 0, 6000, 0, 0x04, COPY, 0});
    for (unsigned i = 0; i < 8; i++)
        pc_store(pc, 0xa0000, i + 1, 1);
    assert_false(is_busy(pc));
    assert_int_equal(pc_load(pc, FRAME + 6000, 4), 0x00030201);
    assert_int_equal(pc_load(pc, FRAME + 6016, 4), 0x00070605);
    /* Given up half-way. */
    blt(pc, &(struct blt){64, 64, 64, 0, 6000, 0, 0x04, COPY, 0});
    pc_store(pc, 0xa0000, 1, 1);
    gr(pc, 0x31, 4);
    gr(pc, 0x31, 0);
    assert_false(is_busy(pc));
    pc_store(pc, FRAME + 7000, 0x99, 1);
    assert_int_equal(pc_load(pc, FRAME + 7000, 1), 0x99);
    pc_destroy(pc);
}

static void test_cursor(void **state)
{
    struct test_pc *pc = create();
    struct screen *screen = show(pc, 0x11, 0, PITCH);
    uint32_t image = FRAME + 0x400000 - 0x4000 + 3 * 256;

    sr(pc, 0x12, 2); /* its colours */
    pc_out(pc, 0x3c8, 0, 1);
    for (unsigned i = 0; i < 3; i++)
        pc_out(pc, 0x3c9, 0x3f * (i == 0), 1);
    pc_out(pc, 0x3c8, 15, 1);
    for (unsigned i = 0; i < 3; i++)
        pc_out(pc, 0x3c9, 0x3f * (i == 1), 1);
    pc_store(pc, image, 0x50, 1);       /* first plane:  0101 */
    pc_store(pc, image + 128, 0x30, 1); /* second plane: 0011 */
    sr(pc, 0x13, 3);
    sr(pc, 0x12, 1);
    pc_out(pc, 0x3c4, 0x10 | 5 << 5 | 10 << 8, 2); /* x: 85 */
    pc_out(pc, 0x3c4, 0x11 | 1 << 5 | 2 << 8, 2);  /* y: 17 */
    screen_refresh(screen);
    assert_non_null(screen->cursor);
    assert_true(screen->cursor->visible);
    assert_int_equal(screen->cursor->x, 85);
    assert_int_equal(screen->cursor->y, 17);
    assert_int_equal(screen->cursor->width, 32);
    assert_int_equal(screen->cursor->pixels[0], 0);
    assert_int_equal(screen->cursor->pixels[1], 0x80ffffff);
    assert_int_equal(screen->cursor->pixels[2], 0xffff0000);
    assert_int_equal(screen->cursor->pixels[3], 0xff00ff00);
    assert_false(screen_refresh(screen));
    sr(pc, 0x12, 0);
    assert_true(screen_refresh(screen));
    assert_false(screen->cursor->visible);
    pc_destroy(pc);
}

static void test_hostile_guest(void **state)
{
    struct test_pc *pc = create();
    uint32_t seed = 1;

    for (unsigned i = 0; i < 400; i++) {
        struct blt b;
        unsigned *all = &b.width;
        for (unsigned n = 0; n < sizeof(b) / sizeof(unsigned); n++) {
            seed = seed * 1664525 + 1013904223;
            all[n] = seed >> 8;
        }
        b.height %= 64;
        blt(pc, &b);
        for (unsigned n = 0; n < 50; n++)
            pc_store(pc, FRAME + (seed >> 4 & 0x1fffffc), seed, 4);
        gr(pc, 0x31, 4);
        gr(pc, 0x31, 0);
        sr(pc, seed >> 3 & 0xff, seed >> 16 & 0xff);
        cr(pc, seed >> 5 & 0x3f, seed >> 14 & 0xff);
        if (i % 8 == 0)
            screen_refresh(pc->machine.screens.first);
    }
    pc_hostile(pc, 0x3b0, 0x3e0, 0xa0000, 0x20000, SLOT, 20000);
    screen_refresh(pc->machine.screens.first);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_packed_modes),
        cmocka_unit_test(test_banks_and_write_modes),
        cmocka_unit_test(test_blits),
        cmocka_unit_test(test_from_processor),
        cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_hostile_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
