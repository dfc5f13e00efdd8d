/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA: registers, memory modes, text, pictures, the Bochs extensions, its BARs. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "hw/display/vga.h"
#include "hw/display/vga_registers.h"
#include "pc.h"

enum { VGA = 2 << 3, FRAME = 0xfd000000, MMIO = 0xfeb00000, ROM = 0xfeb10000 };

static struct test_pc *create(struct device **d)
{
    struct test_pc *pc = pc_create();
    char path[] = "/tmp/calque-rom-XXXXXX", props[64];
    int fd = mkstemp(path);

    assert_int_equal(write(fd, "\x55\xaa\x01", 3), 3);
    close(fd);
    snprintf(props, sizeof(props), "addr=2,romfile=%s", path);
    pc_add(pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    *d = pc_add(pc, "VGA", "vga", 0, props, NULL);
    unlink(path);
    pc_reset(pc);
    pc_config_set(pc, VGA, 0x10, FRAME, 4);
    pc_config_set(pc, VGA, 0x18, MMIO, 4);
    pc_config_set(pc, VGA, 0x30, ROM | 1, 4);
    pc_config_set(pc, VGA, 4, 3, 2);
    return pc;
}

static struct screen *refresh(struct test_pc *pc)
{
    screen_refresh(pc->machine.screens.first);
    return pc->machine.screens.first;
}

static void put(struct test_pc *pc, unsigned port, unsigned index, unsigned value)
{
    pc_out(pc, port, index | value << 8, 2);
}

/* Modes 3 (80 x 25) and 13h (320 x 200) as the IBM BIOS sets them. */
struct mode {
    uint8_t misc, sr[5], cr[25], gr[9], ar_mode, pan;
};
static const struct mode mode_3 = {
    0x67,
    {3, 0, 3, 0, 2},
    {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0,    0x4f, 0x0d, 0x0e, 0,
     0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff},
    0x0c,
    8,
};
static const struct mode mode_13 = {
    0x63,
    {3, 1, 0xf, 0, 0xe},
    {0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0,    0x41, 0,    0,   0,
     0,    0,    0,    0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff},
    {0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff},
    0x41,
    0,
};

static void set_mode(struct test_pc *pc, const struct mode *mode)
{
    pc_out(pc, 0x3c2, mode->misc, 1);
    put(pc, 0x3d4, 0x11, 0); /* unprotect */
    for (unsigned i = 0; i < 5; i++)
        put(pc, 0x3c4, i, mode->sr[i]);
    for (unsigned i = 0; i < 25; i++)
        put(pc, 0x3d4, i, mode->cr[i]);
    for (unsigned i = 0; i < 9; i++)
        put(pc, 0x3ce, i, mode->gr[i]);
    pc_in(pc, 0x3da, 1);
    for (unsigned i = 0; i < 0x15; i++) {
        pc_out(pc, 0x3c0, i, 1);
        pc_out(pc, 0x3c0,
               i < 16      ? i
               : i == 0x10 ? mode->ar_mode
               : i == 0x12 ? 15
               : i == 0x13 ? mode->pan
                           : 0,
               1);
    }
    pc_out(pc, 0x3c0, 0x20, 1);
    pc_out(pc, 0x3c8, 0, 1);
    for (unsigned i = 0; i < 768; i++) /* colour n: red 2n, green n, blue 0 */
        pc_out(pc, 0x3c9, i % 3 == 0 ? i / 3 * 2 : i % 3 == 1 ? i / 3 : 0, 1);
}

static void test_registers(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);

    set_mode(pc, &mode_3);
    pc_out(pc, 0x3d4, 0x13, 1);
    assert_int_equal(pc_in(pc, 0x3d5, 1), 0x28);
    put(pc, 0x3d4, 0x00, 0x11); /* protected by CR11 */
    assert_int_equal(pc_in(pc, 0x3d4, 2), 0x5f00);
    pc_out(pc, 0x3b4, 0x13, 1); /* the monochrome address is not there */
    assert_int_equal(pc_in(pc, 0x3b5, 1), 0xff);
    pc_out(pc, 0x3c7, 5, 1);
    assert_int_equal(pc_in(pc, 0x3c9, 1), 10);
    assert_int_equal(pc_in(pc, 0x3c9, 1), 5);
    assert_int_equal(pc_in(pc, 0x3c7, 1), 3);
    assert_int_equal(pc_in(pc, 0x3cc, 1), 0x67);
    unsigned seen = 0;
    for (unsigned i = 0; i < 2000; i++) {
        clock_advance(pc->machine.clock, 16000);
        seen |= 1u << (pc_in(pc, 0x3da, 1) & 9);
    }
    assert_int_equal(seen, 1 << 0 | 1 << 1 | 1 << 9); /* showing, blank, vertical retrace */
    assert_int_equal(pc_load(pc, ROM, 2), 0xaa55);
    pc_destroy(pc);
}

static void test_text_screen(void **state)
{
    static const char text[] = "Hello, screen";
    struct device *d;
    struct test_pc *pc = create(&d);
    char *output = NULL;
    size_t size;

    set_mode(pc, &mode_3);
    for (unsigned i = 0; i < sizeof(text) - 1; i++)
        pc_store(pc, 0xb8000 + 160 + 2 * i, 0x1e00u | (uint8_t)text[i], 2);
    FILE *stream = open_memstream(&output, &size);
    vga_text(d, stream);
    fclose(stream);
    assert_memory_equal(output, "\nHello, screen\n\n", 16);
    free(output);
    assert_int_equal(pc_load(pc, 0xb8000 + 160, 2), 0x1e48);
    assert_int_equal(pc_load(pc, 0xa0000, 1), 0xff); /* outside GR6's window */
    struct vga_size s = vga_size(d);
    assert_true(s.text && s.columns == 80 && s.rows == 25 && s.width == 720 && s.height == 400);
    /* A font line for 'H': plane 2, through the other memory mode. */
    put(pc, 0x3c4, 2, 4);
    put(pc, 0x3c4, 4, 6);
    put(pc, 0x3ce, 5, 0);
    put(pc, 0x3ce, 6, 4);
    pc_store(pc, 0xa0000 + 'H' * 32, 0x81, 1);
    put(pc, 0x3c4, 2, 3);
    put(pc, 0x3c4, 4, 2);
    clock_advance(pc->machine.clock, 9 * INT64_C(14268322)); /* the cursor's dark half */
    const uint32_t *pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[16 * 720], 0x710000 | 0x3800); /* 14: red 28, green 14 */
    assert_int_equal(pixels[16 * 720 + 1], 0x080000 | 0x400);
    assert_int_equal(pixels[16 * 720 + 7], 0x713800);
    pc_destroy(pc);
}

static void test_chained_pixels(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);

    set_mode(pc, &mode_13);
    struct vga_size s = vga_size(d);
    assert_true(!s.text && s.width == 320 && s.height == 200);
    pc_store(pc, 0xa0000 + 320 * 3 + 5, 0x1f, 1);
    const uint32_t *pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[320 * 3 + 5], 0xfb0000 | 0x7d00);
    assert_int_equal(pixels[320 * 3 + 4], 0);
    assert_int_equal(pc_load(pc, FRAME + 320 * 3 + 5, 1), 0x1f);
    pc_destroy(pc);
}

static void test_planes(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);

    put(pc, 0x3c4, 4, 6);
    put(pc, 0x3c4, 2, 0xf);
    put(pc, 0x3ce, 6, 5);
    put(pc, 0x3ce, 8, 0xff);
    put(pc, 0x3ce, 1, 0xf); /* set/reset: colour 5 everywhere */
    put(pc, 0x3ce, 0, 5);
    pc_store(pc, 0xa0010, 0x00, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x40, 4), 0x00ff00ff);
    put(pc, 0x3ce, 1, 0);
    put(pc, 0x3ce, 8, 0x0f); /* the upper half stays as latched */
    pc_load(pc, 0xa0010, 1);
    pc_store(pc, 0xa0010, 0x33, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x40, 4), 0x03f303f3);
    put(pc, 0x3ce, 5, 1); /* mode 1: latches are copied */
    pc_store(pc, 0xa0011, 0, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x44, 4), 0x00ff00ff);
    put(pc, 0x3ce, 5, 2); /* mode 2: the byte is a colour */
    put(pc, 0x3ce, 8, 0xff);
    pc_store(pc, 0xa0012, 9, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x48, 4), 0xff0000ff);
    put(pc, 0x3ce, 5, 3); /* mode 3: the byte is a mask, set/reset the colour */
    pc_load(pc, 0xa0012, 1);
    pc_store(pc, 0xa0012, 0xf0, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x48, 4), 0x0ff000ff);
    put(pc, 0x3ce, 5, 8); /* read mode 1: where is colour 9? */
    put(pc, 0x3ce, 2, 9);
    put(pc, 0x3ce, 7, 0xf);
    assert_int_equal(pc_load(pc, 0xa0012, 1), 0x0f);
    put(pc, 0x3ce, 5, 0); /* rotate by 4 and exclusive or */
    put(pc, 0x3ce, 3, 0x1c);
    pc_store(pc, 0xa0012, 0xf0, 1);
    assert_int_equal(pc_load(pc, FRAME + 0x48, 4), 0x00ff0ff0);
    pc_destroy(pc);
}

static void vbe(struct test_pc *pc, unsigned index, unsigned value)
{
    pc_out(pc, 0x1ce, index, 2);
    pc_out(pc, 0x1cf, value, 2);
}

static void test_vbe(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);

    pc_out(pc, 0x1ce, 0, 2);
    assert_int_equal(pc_in(pc, 0x1cf, 2), 0xb0c5);
    pc_out(pc, 0x1ce, 10, 2);
    assert_int_equal(pc_in(pc, 0x1cf, 2), 256);
    vbe(pc, 1, 640);
    vbe(pc, 2, 480);
    vbe(pc, 3, 32);
    vbe(pc, 4, 0x41);
    struct vga_size s = vga_size(d);
    assert_true(!s.text && s.width == 640 && s.height == 480);
    pc_store(pc, FRAME + (640 * 7 + 3) * 4, 0x00123456, 4);
    const uint32_t *pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[640 * 7 + 3], 0x123456);
    vbe(pc, 9, 7); /* scrolled */
    refresh(pc);
    assert_int_equal(pixels[3], 0x123456);
    vbe(pc, 6, 60000);
    vbe(pc, 8, 60000);
    vbe(pc, 9, 60000);
    refresh(pc);
    /* the same registers through BAR 2, and the VGA's */
    assert_int_equal(pc_load(pc, MMIO + 0x502, 2), 640);
    pc_store(pc, MMIO + 0x404, 0x0f02, 2);
    assert_int_equal(pc_in(pc, 0x3c5, 1), 0xf);
    assert_int_equal(pc_load(pc, MMIO + 0x604, 4), 0x1e1e1e1e);
    vbe(pc, 4, 0);
    pc_destroy(pc);
}

/* ---- what is told of a change -------------------------------------------------------------------
 */

struct watcher {
    unsigned n_resized, n_rects;
    struct screen_rect last;
};

static void watch_resized(void *opaque, struct screen *screen)
{
    struct watcher *w = opaque;

    w->n_resized++;
}

static void watch_changed(void *opaque, struct screen *screen, const struct screen_rect *rect)
{
    struct watcher *w = opaque;

    w->n_rects++;
    w->last = *rect;
}

static const struct screen_viewer watching = {.resized = watch_resized, .changed = watch_changed};

static void assert_rect(const struct watcher *w, unsigned x, unsigned y, unsigned width,
                        unsigned height)
{
    assert_int_equal(w->n_rects, 1);
    assert_int_equal(w->last.x, x);
    assert_int_equal(w->last.y, y);
    assert_int_equal(w->last.width, width);
    assert_int_equal(w->last.height, height);
}

static void test_text_changes(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);
    struct watcher w = {0};
    struct screen *screen = pc->machine.screens.first;

    set_mode(pc, &mode_3);
    assert_string_equal(screen->name, "vga");
    screen_add_viewer(screen, &watching, &w);
    refresh(pc);
    assert_int_equal(w.n_resized, 1);
    assert_rect(&w, 0, 0, 720, 400);
    w.n_rects = 0;
    assert_false(screen_refresh(screen)); /* nothing is drawn twice */
    assert_int_equal(w.n_rects, 0);
    pc_store(pc, 0xb8000 + 160 * 3 + 2 * 7, 0x4020, 2); /* row 3, column 7 */
    assert_true(screen_refresh(screen));
    assert_rect(&w, 7 * 9, 3 * 16, 9, 16);
    put(pc, 0x3d4, 0x0f, 81); /* the cursor goes to row 1, column 1; at 0 it was */
    put(pc, 0x3d4, 0x0a, 0x0e);
    put(pc, 0x3d4, 0x0b, 0x0f);
    refresh(pc);
    w.n_rects = 0;
    put(pc, 0x3d4, 0x0f, 82);
    refresh(pc);
    assert_rect(&w, 9, 16, 18, 16);
    clock_advance(pc->machine.clock, 8 * INT64_C(14268322)); /* and blinks */
    w.n_rects = 0;
    refresh(pc);
    assert_rect(&w, 18, 16, 9, 16);
    /* Memory begins a row later: row 3 comes to row 2. */
    put(pc, 0x3d4, 0x0d, 80);
    refresh(pc);
    assert_int_equal(screen->pixels[(2 * 16 + 3) * 720 + 7 * 9],
                     screen->pixels[(2 * 16) * 720 + 64]);
    assert_int_not_equal(screen->pixels[(2 * 16 + 3) * 720 + 7 * 9], screen->pixels[0]);
    pc_destroy(pc);
}

/* Smooth scrolling and the split screen, by scan lines and pixels. */
static void test_panning(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);

    set_mode(pc, &mode_3);
    for (unsigned i = 0; i < 80 * 25; i++)
        pc_store(pc, 0xb8000 + 2 * i, 0x0720, 2);
    pc_store(pc, 0xb8000, 0x1020, 2);           /* row 0, column 0: another background */
    pc_store(pc, 0xb8000 + 160 + 2, 0x2020, 2); /* row 1, column 1 */
    const uint32_t *pixels = refresh(pc)->pixels;
    uint32_t first = pixels[0], second = pixels[16 * 720 + 9], other = pixels[9];
    assert_int_not_equal(first, other);
    put(pc, 0x3d4, 8, 5); /* five lines of the first row are above the screen */
    pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[10 * 720], first);
    assert_int_equal(pixels[11 * 720], other);
    assert_int_equal(pixels[11 * 720 + 9], second);
    put(pc, 0x3d4, 8, 0);
    pc_in(pc, 0x3da, 1);
    pc_out(pc, 0x3c0, 0x33, 1);
    pc_out(pc, 0x3c0, 2, 1); /* three pixels left of it */
    pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[5], first);
    assert_int_equal(pixels[6], other);
    assert_int_equal(pixels[16 * 720 + 6], second);
    assert_int_equal(pixels[16 * 720 + 14], second);
    assert_int_equal(pixels[16 * 720 + 15], other);
    put(pc, 0x3d4, 0x18, 99); /* line 100 shows address 0 again */
    put(pc, 0x3d4, 0x07, 0x0f);
    put(pc, 0x3d4, 0x09, 0x0f);
    pixels = refresh(pc)->pixels;
    assert_int_equal(pixels[99 * 720], other);
    assert_int_equal(pixels[100 * 720], first);
    assert_int_equal(pixels[116 * 720 + 6], second);
    pc_destroy(pc);
}

static void test_graphics_changes(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);
    struct watcher w = {0};
    struct screen *screen = pc->machine.screens.first;

    set_mode(pc, &mode_13);
    screen_add_viewer(screen, &watching, &w);
    refresh(pc);
    w.n_rects = 0;
    pc_store(pc, 0xa0000 + 320 * 9 + 30, 0x1f1f, 2);
    refresh(pc);
    assert_rect(&w, 30, 9, 2, 1);
    pc_out(pc, 0x3c8, 0x1f, 1); /* its colour changes, and nothing else */
    for (unsigned i = 0; i < 3; i++)
        pc_out(pc, 0x3c9, 1, 1);
    w.n_rects = 0;
    refresh(pc);
    assert_rect(&w, 30, 9, 2, 1);
    for (unsigned bits = 8; bits <= 32; bits += 8) {
        vbe(pc, 4, 0);
        vbe(pc, 1, 800);
        vbe(pc, 2, 600);
        vbe(pc, 3, bits);
        vbe(pc, 4, 0x41);
        refresh(pc);
        w.n_rects = 0;
        pc_store(pc, FRAME + (800 * 500 + 16) * bits / 8, 0x22222222, 4);
        refresh(pc);
        assert_rect(&w, 16, 500, bits == 24 ? 2 : 32 / bits, 1);
        assert_false(screen_refresh(screen));
    }
    pc_destroy(pc);
}

/* ---- writes while a picture is drawn ----------------------------------------------------------
 */

struct writer {
    uint8_t *at;
    _Atomic bool pauses, paused, ends;
};

static void *write_pixels(void *opaque)
{
    struct writer *w = opaque;

    for (uint8_t value = 0; !atomic_load(&w->ends); value ^= 1) {
        atomic_store(&w->paused, atomic_load(&w->pauses));
        if (atomic_load(&w->paused))
            sched_yield();
        else
            __atomic_store_n(w->at, value, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* What the guest writes while its row is drawn shows with the next refresh, if not now. */
static void test_writes_while_drawing(void **state)
{
    enum { WIDTH = 2560, HEIGHT = 4, LAST = WIDTH * HEIGHT - 1 };
    struct device *d;
    struct test_pc *pc = create(&d);
    struct vga *v = vga_of(d);
    struct writer w = {.at = &v->memory[LAST]};
    pthread_t thread;
    clock_t end = clock() + CLOCKS_PER_SEC / 4;

    vbe(pc, 1, WIDTH);
    vbe(pc, 2, HEIGHT);
    vbe(pc, 3, 8);
    vbe(pc, 4, 0x41);
    pc_out(pc, 0x3c8, 0, 1);
    for (unsigned i = 0; i < 6; i++)
        pc_out(pc, 0x3c9, i / 3 * 63, 1);
    assert_int_equal(pthread_create(&thread, NULL, write_pixels, &w), 0);
    while (clock() < end) {
        atomic_store(&w.pauses, false);
        while (atomic_load(&w.paused))
            sched_yield();
        for (unsigned i = 0; i < 4; i++)
            refresh(pc);
        atomic_store(&w.pauses, true);
        while (!atomic_load(&w.paused))
            sched_yield();
        assert_int_equal(refresh(pc)->pixels[LAST], v->memory[LAST] ? 0xffffff : 0);
    }
    atomic_store(&w.ends, true);
    pthread_join(thread, NULL);
    pc_destroy(pc);
}

static void test_hostile_guest(void **state)
{
    struct device *d;
    struct test_pc *pc = create(&d);
    FILE *nowhere = fopen("/dev/null", "w");

    for (unsigned i = 0; i < 4; i++) {
        struct vga_size s;
        pc_config_set(pc, VGA, 4, 3, 2);
        set_mode(pc, i & 1 ? &mode_3 : &mode_13);
        for (unsigned n = 0; n < 300; n++) {
            put(pc, n & 1 ? 0x3d4 : 0x3ce, n * 7 % 0x20, n * n * 31 % 251);
            if (n % 8 == 0)
                vbe(pc, n / 8 % 12, n * 7919);
            if (n % 60 == 0) {
                s = vga_size(d);
                assert_true(s.width <= VGA_MAX_WIDTH && s.height <= VGA_MAX_HEIGHT);
                refresh(pc);
                vga_text(d, nowhere);
            }
        }
        pc_hostile(pc, 0x3b0, 0x3e0, 0xa0000, 0x20000, VGA, 3000);
        pc_hostile(pc, 0x1ce, 0x1d2, MMIO, 0x1000, VGA, 1000);
    }
    fclose(nowhere);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers),
        cmocka_unit_test(test_text_screen),
        cmocka_unit_test(test_chained_pixels),
        cmocka_unit_test(test_planes),
        cmocka_unit_test(test_vbe),
        cmocka_unit_test(test_text_changes),
        cmocka_unit_test(test_panning),
        cmocka_unit_test(test_graphics_changes),
        cmocka_unit_test(test_writes_while_drawing),
        cmocka_unit_test(test_hostile_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
