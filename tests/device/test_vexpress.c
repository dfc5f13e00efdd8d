/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Versatile Express motherboard's devices on an in-process bus with a clock driven by hand. */
#include "bus.h"

#include "hw/block/sd_bus.h"

#define MS INT64_C(1000000)

static void advance(struct test_bus *bus, int64_t ns)
{
    clock_advance(bus->machine.clock, ns);
}

static uint32_t primecell_id_of(struct test_bus *bus)
{
    return test_get(bus, 0xfe0) | test_get(bus, 0xfe4) << 8 | test_get(bus, 0xfe8) << 16 |
           test_get(bus, 0xfec) << 24;
}

/* ---- timers ------------------------------------------------------------------------------------
 */

static void test_sp804_periodic(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("sp804", NULL, NULL, false);
    assert_int_equal(primecell_id_of(bus), 0x00141804);
    test_put(bus, 0x00, 1000); /* 1 ms at 1 MHz */
    test_put(bus, 0x08, 0xe2); /* enable, periodic, interrupt, 32 bits */
    advance(bus, MS / 2);
    assert_in_range(test_get(bus, 0x04), 499, 501);
    assert_false(bus->line[0]);
    advance(bus, MS);
    assert_true(bus->line[0] && bus->line[1] && !bus->line[2]);
    assert_int_equal(test_get(bus, 0x10), 1);
    test_put(bus, 0x0c, 1);
    assert_false(bus->line[0]);
    advance(bus, MS);
    assert_true(bus->line[0]);
    test_put(bus, 0x08, 0xc2); /* interrupt off: raw stays */
    assert_false(bus->line[0]);
    assert_int_equal(test_get(bus, 0x10), 1);
    assert_int_equal(test_get(bus, 0x14), 0);
    test_bus_destroy(bus);
}

static void test_sp804_modes(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("sp804", NULL, NULL, false);
    test_put(bus, 0x20, 100);
    test_put(bus, 0x28, 0xa3); /* second timer: one-shot, 32 bits */
    advance(bus, 10 * MS);
    assert_true(bus->line[2]);
    assert_int_equal(test_get(bus, 0x24), 0);
    test_put(bus, 0x2c, 0);
    advance(bus, 10 * MS);
    assert_false(bus->line[2]);
    test_put(bus, 0x08, 0x80); /* free running, 16 bits */
    test_put(bus, 0x00, 10);
    advance(bus, 12 * 1000);
    assert_in_range(test_get(bus, 0x04), 0xfff0, 0xffff);
    test_put(bus, 0x18, 77); /* background load shows in LOAD, not in VALUE */
    assert_int_equal(test_get(bus, 0x00), 77);
    assert_in_range(test_get(bus, 0x04), 0xfff0, 0xffff);
    test_put(bus, 0x08, 0x84); /* divided by 16 */
    test_put(bus, 0x00, 100);
    advance(bus, 160 * 1000);
    assert_in_range(test_get(bus, 0x04), 89, 91);
    test_bus_destroy(bus);
}

static void test_sp805_resets_on_the_second_expiry(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("sp805", "freq=1000000", NULL, false);
    test_put(bus, 0x00, 1000);
    test_put(bus, 0x08, 3);
    test_put(bus, 0xc00, 0); /* lock */
    test_put(bus, 0x08, 0);
    assert_int_equal(test_get(bus, 0x08), 3);
    test_put(bus, 0xc00, 0x1acce551);
    advance(bus, MS + MS / 10);
    assert_true(bus->line[0]);
    test_put(bus, 0x0c, 1);
    assert_false(bus->line[0]);
    advance(bus, MS + MS / 10);
    assert_true(bus->line[0]);
    assert_false(bus->has_event);
    advance(bus, MS + MS / 10);
    assert_true(bus->has_event && bus->event == MACHINE_RESET);
    test_bus_destroy(bus);
}

static void test_a9_private_timer(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("a9mp-timer", "freq=100000000", NULL, false);
    test_put(bus, 0x00, 99999); /* 1 ms */
    test_put(bus, 0x08, 7);
    for (int i = 0; i < 3; i++) {
        advance(bus, MS + 1000);
        assert_true(bus->line[0]);
        assert_int_equal(test_get(bus, 0x0c), 1);
        test_put(bus, 0x0c, 1);
        assert_false(bus->line[0]);
    }
    test_put(bus, 0x08, 5); /* single shot */
    test_put(bus, 0x04, 1000);
    advance(bus, MS);
    assert_int_equal(test_get(bus, 0x04), 0);
    assert_true(bus->line[0]);
    /* watchdog mode can only be left by the sequence */
    test_put(bus, 0x28, 8);
    test_put(bus, 0x28, 0);
    assert_int_equal(test_get(bus, 0x28), 8);
    test_put(bus, 0x34, 0x12345678);
    test_put(bus, 0x34, 0x87654321);
    assert_int_equal(test_get(bus, 0x28), 0);
    test_bus_destroy(bus);
}

/* Between the counter's write and the enable its zero may already have passed: it still counts. */
static void test_a9_timer_keeps_a_short_event(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("a9mp-timer", "freq=100000000", NULL, false);
    test_put(bus, 0x08, 5);
    test_put(bus, 0x04, 15); /* 150 ns */
    advance(bus, 1000);
    test_put(bus, 0x08, 5);
    advance(bus, MS);
    assert_true(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_a9_global_timer(void **state)
{
    struct test_bus *bus;
    const uint64_t global = TEST_STRIDE;

    bus = test_bus_create("a9mp-timer", "freq=100000000", NULL, false);
    test_put(bus, global + 0x10, 100000);
    test_put(bus, global + 0x18, 100000);
    test_put(bus, global + 0x08, 0xf); /* enable, compare, interrupt, auto-increment */
    advance(bus, MS / 2);
    assert_in_range(test_get(bus, global), 49990, 50010);
    assert_false(bus->line[2]);
    advance(bus, MS);
    assert_true(bus->line[2]);
    assert_int_equal(test_get(bus, global + 0x10), 200000);
    test_put(bus, global + 0x0c, 1);
    assert_false(bus->line[2]);
    advance(bus, MS);
    assert_true(bus->line[2]);
    test_put(bus, global + 0x08, 0);
    test_put(bus, global + 0x04, 5);
    assert_int_equal(test_get(bus, global + 0x04), 5);
    test_bus_destroy(bus);
}

/* ---- keyboard, mouse ---------------------------------------------------------------------------
 */

static void expect_bytes(struct test_bus *bus, const uint8_t *bytes, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(test_get(bus, 0x04) & 1 << 4);
        assert_true(bus->line[0]);
        assert_int_equal(test_get(bus, 0x08), bytes[i]);
    }
    assert_false(test_get(bus, 0x04) & 1 << 4);
    assert_false(bus->line[0]);
}

static void test_pl050_keyboard(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("pl050", NULL, NULL, false);
    assert_int_equal(primecell_id_of(bus), 0x00041050);
    test_put(bus, 0x00, 0x14); /* enable, receive interrupt */
    test_put(bus, 0x08, 0xff);
    expect_bytes(bus, (const uint8_t[]){0xfa, 0xaa}, 2);
    test_put(bus, 0x08, 0xf2);
    expect_bytes(bus, (const uint8_t[]){0xfa, 0xab, 0x83}, 3);
    test_put(bus, 0x08, 0xed);
    expect_bytes(bus, (const uint8_t[]){0xfa}, 1);
    test_put(bus, 0x08, 0x02);
    expect_bytes(bus, (const uint8_t[]){0xfa}, 1);
    test_put(bus, 0x08, 0x12);
    expect_bytes(bus, (const uint8_t[]){0xfe}, 1);
    test_bus_destroy(bus);
}

static void test_pl050_mouse(void **state)
{
    static const uint8_t knock[] = {0xf3, 200, 0xf3, 100, 0xf3, 80};
    struct test_bus *bus;

    bus = test_bus_create("pl050", "mouse=on", NULL, false);
    test_put(bus, 0x00, 0x14);
    test_put(bus, 0x08, 0xff);
    expect_bytes(bus, (const uint8_t[]){0xfa, 0xaa, 0x00}, 3);
    for (unsigned i = 0; i < sizeof(knock); i++) {
        test_put(bus, 0x08, knock[i]);
        expect_bytes(bus, (const uint8_t[]){0xfa}, 1);
    }
    test_put(bus, 0x08, 0xf2);
    expect_bytes(bus, (const uint8_t[]){0xfa, 0x03}, 2);
    test_put(bus, 0x08, 0xe9);
    expect_bytes(bus, (const uint8_t[]){0xfa, 0x00, 0x02, 80}, 4);
    test_bus_destroy(bus);
}

/* ---- card ---------------------------------------------------------------------------------------
 */

static int toy_command(struct sd_card *card, unsigned index, uint32_t argument,
                       uint8_t response[16])
{
    if (index == 0)
        return 0;
    memset(response, 0, 16);
    response[3] = (uint8_t)argument;
    return index == 2 ? 16 : 4;
}

static bool toy_read(struct sd_card *card, uint8_t *byte)
{
    uint8_t *next = card->state;

    *byte = (*next)++;
    return true;
}

static bool toy_write(struct sd_card *card, uint8_t byte)
{
    return true;
}

static bool toy_protected(const struct sd_card *card)
{
    return false;
}

static void test_pl181_without_card(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("pl181", NULL, NULL, false);
    test_put(bus, 0x3c, 1 << 2);
    test_put(bus, 0x0c, 0x400 | 0x40 | 8);
    assert_true(test_get(bus, 0x34) & 1 << 2);
    assert_true(bus->line[0]);
    test_put(bus, 0x38, 0x7ff);
    assert_false(bus->line[0]);
    test_put(bus, 0x0c, 0x400); /* no response expected: sent */
    assert_true(test_get(bus, 0x34) & 1 << 7);
    test_put(bus, 0x28, 512);
    test_put(bus, 0x2c, 3);
    assert_true(test_get(bus, 0x34) & 1 << 3);
    test_bus_destroy(bus);
}

static void test_pl181_transfers(void **state)
{
    static const struct sd_card_ops ops = {toy_command, toy_read, toy_write, toy_protected};
    uint8_t next = 0;
    struct sd_card card = {&ops, &next};
    struct test_bus *bus;

    bus = test_bus_create("pl181", NULL, &card, false);
    assert_true(bus->line[2]); /* card detect */
    test_put(bus, 0x08, 0x5a);
    test_put(bus, 0x0c, 0x400 | 0x40 | 7);
    assert_int_equal(test_get(bus, 0x14), 0x5a);
    assert_int_equal(test_get(bus, 0x10), 7);
    assert_true(test_get(bus, 0x34) & 1 << 6);
    test_put(bus, 0x28, 130);
    test_put(bus, 0x2c, 3); /* from card */
    for (unsigned i = 0; i < 33; i++) {
        uint32_t expected = i * 4 | (i * 4 + 1) << 8 | (i * 4 + 2) << 16 | (i * 4 + 3) << 24;
        assert_true(test_get(bus, 0x34) & 1 << 21);
        assert_int_equal(test_get(bus, 0x80), i == 32 ? expected & 0xffff : expected);
    }
    assert_true(test_get(bus, 0x34) & 1 << 8);
    assert_int_equal(test_get(bus, 0x30), 0);
    assert_int_equal(test_get(bus, 0x80), 0); /* empty now */
    test_bus_destroy(bus);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static uint32_t mac_read(struct test_bus *bus, unsigned reg)
{
    test_put(bus, 0xa4, 0xc0000000 | reg);
    return test_get(bus, 0xa8);
}

static void test_lan9118(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("lan9118", NULL, NULL, false);
    assert_int_equal(test_get(bus, 0x64), 0x87654321);
    assert_int_equal(test_get(bus, 0x50) >> 16, 0x0118);
    assert_int_equal(mac_read(bus, 3), 0x12005452);
    assert_int_equal(mac_read(bus, 2), 0x5634);
    test_put(bus, 0xa8, 1 << 11 | 2 << 6 | 1); /* PHY 1, register 2 */
    test_put(bus, 0xa4, 0x80000000 | 6);
    assert_int_equal(mac_read(bus, 7), 0x0007);
    assert_int_equal(mac_read(bus, 200), 0);
    test_put(bus, 0x54, 0x100);
    test_put(bus, 0x5c, 0x80000000); /* software interrupt */
    assert_true(bus->line[0]);
    test_put(bus, 0x58, 0x80000000);
    assert_false(bus->line[0]);
    /* one packet of 5 bytes in one buffer */
    test_put(bus, 0x20, 1 << 13 | 1 << 12 | 5);
    test_put(bus, 0x20, 0x77 << 16 | 5);
    test_put(bus, 0x20, 0x01020304);
    test_put(bus, 0x20, 0x05);
    assert_int_equal(test_get(bus, 0x80) >> 16, 1);
    assert_int_equal(test_get(bus, 0x48) >> 16, 0x77);
    assert_int_equal(test_get(bus, 0x80) >> 16, 0);
    test_bus_destroy(bus);
}

static void config(struct test_bus *bus, uint32_t control)
{
    test_put(bus, 0xa8, 0);
    test_put(bus, 0xa4, control);
}

static void test_vexpress_sysreg(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("arm-sysctl", NULL, NULL, false);
    test_put(bus, 0x30, 0xf0);
    test_put(bus, 0x34, 0x30);
    assert_int_equal(test_get(bus, 0x30), 0xc0);
    advance(bus, 1000 * MS);
    assert_int_equal(test_get(bus, 0x5c), 24000000);
    config(bus, 0x80000000 | 1 << 20 | 1); /* read OSC 1 of the motherboard */
    assert_int_equal(test_get(bus, 0xa8), 1);
    assert_int_equal(test_get(bus, 0xa0), 23750000);
    test_put(bus, 0xa0, 30000000);
    config(bus, 0xc0000000 | 1 << 20 | 1);
    config(bus, 0x80000000 | 1 << 20 | 1);
    assert_int_equal(test_get(bus, 0xa0), 30000000);
    config(bus, 0x80000000 | 1 << 20 | 99); /* no such oscillator */
    assert_int_equal(test_get(bus, 0xa8), 3);
    assert_false(bus->has_event);
    config(bus, 0xc0000000 | 8 << 20);
    assert_true(bus->has_event && bus->event == MACHINE_POWER_OFF);
    test_bus_destroy(bus);
}

static void test_l2c310_and_scu(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("l2x0", NULL, NULL, false);
    assert_int_equal(test_get(bus, 0x000) >> 24, 0x41);
    test_put(bus, 0x77c, 0xffff); /* invalidate by way: done at once */
    assert_int_equal(test_get(bus, 0x77c), 0);
    test_put(bus, 0x100, 0xffffffff);
    assert_int_equal(test_get(bus, 0x100), 1);
    test_bus_destroy(bus);
    bus = test_bus_create("a9-scu", "cpus=1", NULL, false);
    assert_int_equal(test_get(bus, 0x04), 0x10);
    test_put(bus, 0x00, 1);
    assert_int_equal(test_get(bus, 0x00), 1);
    test_bus_destroy(bus);
}

static void test_pl111_frame_interrupt(void **state)
{
    struct test_bus *bus;

    bus = test_bus_create("pl111", NULL, NULL, false);
    assert_int_equal(primecell_id_of(bus), 0x00241111);
    test_put(bus, 0x10, 0x4c000000);
    test_put(bus, 0x1c, 1 << 2); /* next base */
    test_put(bus, 0x18, 1);
    assert_int_equal(test_get(bus, 0x2c), 0);
    advance(bus, 17 * MS);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, 0x2c), 0x4c000000);
    test_put(bus, 0x28, 0xffffffff);
    assert_false(bus->line[0]);
    test_put(bus, 0x200, 0x12345678);
    assert_int_equal(test_get(bus, 0x200), 0x12345678);
    test_bus_destroy(bus);
}

enum { FRAME = TEST_RAM + 0x1000, BGR = 1 << 8, BEBO = 1 << 9, BEPO = 1 << 10, TFT_ON = 0x821 };

static struct screen *show(struct test_bus *bus, unsigned bpp, uint32_t more)
{
    test_put(bus, 0x18, TFT_ON | bpp << 1 | more);
    screen_refresh(bus->machine.screens.first);
    return bus->machine.screens.first;
}

static void put_word(struct test_bus *bus, unsigned offset, uint32_t value)
{
    memcpy(bus->ram + (FRAME - TEST_RAM) + offset, &value, 4);
}

static struct test_bus *lcd_create(void)
{
    struct test_bus *bus = test_bus_create("pl111", NULL, NULL, false);

    test_put(bus, 0x00, 3 << 2); /* 64 x 8 */
    test_put(bus, 0x04, 7);
    test_put(bus, 0x10, FRAME);
    for (unsigned i = 0; i < 128; i++) /* entry n: red n & 31, blue 31 - (n & 31) */
        test_put(bus, 0x200 + i * 4,
                 ((2 * i) & 31) | (31 - ((2 * i) & 31)) << 10 | ((2 * i + 1) & 31) << 16 |
                     (31 - ((2 * i + 1) & 31)) << 26);
    return bus;
}

static void test_lcd_formats(void **state)
{
    struct test_bus *bus = lcd_create();
    struct screen *screen = show(bus, 5, 0);

    assert_int_equal(screen->width, 64);
    assert_int_equal(screen->height, 8);
    put_word(bus, 4, 0x00112233);
    assert_int_equal(show(bus, 5, 0)->pixels[1], 0x332211); /* red is the lowest */
    assert_int_equal(show(bus, 5, BGR)->pixels[1], 0x112233);
    put_word(bus, 0, 0xf81f07e0);
    assert_int_equal(show(bus, 6, BGR)->pixels[0], 0x00ff00);
    assert_int_equal(screen->pixels[1], 0xff00ff);
    assert_int_equal(show(bus, 6, BGR | BEBO)->pixels[0], 0xff00ff);
    put_word(bus, 0, 0x7c00001f);
    assert_int_equal(show(bus, 4, 0)->pixels[0], 0xff0000);
    assert_int_equal(screen->pixels[1], 0x0000ff);
    put_word(bus, 0, 0x0f00000f);
    assert_int_equal(show(bus, 7, 0)->pixels[0], 0xff0000);
    assert_int_equal(screen->pixels[1], 0x0000ff);
    put_word(bus, 0, 0x1f000102); /* eight bits: entries 2, 1, 0, 31 */
    assert_int_equal(show(bus, 3, 0)->pixels[0], 0x1000ef);
    assert_int_equal(screen->pixels[3], 0xff0000);
    assert_int_equal(show(bus, 3, BEBO)->pixels[0], 0xff0000);
    put_word(bus, 0, 0x00000021); /* four bits */
    assert_int_equal(show(bus, 2, 0)->pixels[0], 0x0800f7);
    assert_int_equal(screen->pixels[1], 0x1000ef);
    assert_int_equal(show(bus, 2, BEPO)->pixels[0], 0x1000ef);
    assert_int_equal(show(bus, 2, BEPO | BEBO)->pixels[6], 0x1000ef);
    put_word(bus, 0, 0x00000002); /* one bit */
    assert_int_equal(show(bus, 0, 0)->pixels[0], 0x0000ff);
    assert_int_equal(screen->pixels[1], 0x0800f7);
    assert_int_equal(show(bus, 0, BEPO)->pixels[6], 0x0800f7);
    test_put(bus, 0x18, 0);
    screen_refresh(screen);
    assert_int_equal(screen->pixels[1], 0);
    test_bus_destroy(bus);
}

static void test_lcd_dual_panel(void **state)
{
    struct test_bus *bus = lcd_create();

    test_put(bus, 0x14, FRAME + 0x8000);
    put_word(bus, 0x8000, 0x0000001f);
    test_put(bus, 0x18, 0x801 | 3 << 1 | 1 << 7); /* STN, dual, eight bits */
    screen_refresh(bus->machine.screens.first);
    struct screen *screen = bus->machine.screens.first;
    assert_int_equal(screen->height, 16);
    assert_int_equal(screen->pixels[8 * 64], 0xff0000);
    assert_int_equal(screen->pixels[0], 0x0000ff);
    test_bus_destroy(bus);
}

static void test_lcd_cursor(void **state)
{
    struct test_bus *bus = lcd_create();

    put_word(bus, (64 * 2 + 5) * 4, 0x00ffffff);
    test_put(bus, 0x800 + 64 * 4, 0x1b); /* second image: colour 0, colour 1, nothing, opposite */
    test_put(bus, 0xc08, 0x000000aa);
    test_put(bus, 0xc0c, 0x0000bb00);
    test_put(bus, 0xc10, 3 | 2 << 16);
    test_put(bus, 0xc00, 1 | 1 << 4);
    struct screen *screen = show(bus, 5, 0);
    const uint32_t *row = &screen->pixels[2 * 64];
    assert_int_equal(row[2], 0);
    assert_int_equal(row[3], 0xaa0000);
    assert_int_equal(row[4], 0x00bb00);
    assert_int_equal(row[5], 0xffffff);
    assert_int_equal(row[6], 0xffffff); /* the opposite of black */
    test_put(bus, 0xc14, 1);            /* clipped at its left */
    screen_refresh(screen);
    assert_int_equal(row[3], 0x00bb00);
    test_put(bus, 0xc00, 0);
    screen_refresh(screen);
    assert_int_equal(row[3], 0);
    test_bus_destroy(bus);
}

static void test_lcd_hostile(void **state)
{
    struct test_bus *bus = lcd_create();
    struct screen *screen = bus->machine.screens.first;
    static const uint32_t bases[] = {0,
                                     0xfffffffc,
                                     TEST_BASE,
                                     TEST_RAM - 4,
                                     FRAME + 2,
                                     0xffffff00,
                                     TEST_RAM + TEST_RAM_SIZE - 64};

    test_put(bus, 0x00, 0xffffffff);
    test_put(bus, 0x04, 0xffffffff);
    for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        test_put(bus, 0x10, bases[i]);
        test_put(bus, 0x14, bases[i]);
        for (unsigned bpp = 0; bpp < 8; bpp++) {
            show(bus, bpp, i & 1 ? BEBO : 0);
            test_put(bus, 0x18, 0x801 | bpp << 1 | 0x90);
            screen_refresh(screen);
        }
    }
    assert_int_equal(screen->width, 1024);
    test_bus_destroy(bus);
}

static void test_dvi_connector(void **state)
{
    struct test_bus *bus = test_bus_create("vexpress-dvi", NULL, NULL, false);
    struct device *lcd[2] = {test_bus_add(bus, "pl111", "clcd", "screen=off"),
                             test_bus_add(bus, "pl111", "tile-clcd", "screen=off")};
    struct screen *screen = bus->machine.screens.first;

    assert_null(screen->next);
    for (unsigned i = 0; i < 2; i++) {
        const struct device_region *r = lcd[i]->class->regions;
        r->write(lcd[i], 0x00, i << 2, 4);
        r->write(lcd[i], 0x18, TFT_ON | 5 << 1, 4);
    }
    screen_refresh(screen);
    assert_int_equal(screen->width, 16);
    test_input(bus, 0, true);
    screen_refresh(screen);
    assert_int_equal(screen->width, 32);
    test_bus_destroy(bus);
}

/* No value at any offset of any size may do harm. */
static void test_every_register_survives_anything(void **state)
{
    static const char *const classes[] = {
        "sp804", "sp805", "a9mp-timer", "a9-scu", "l2x0",  "sp810",   "arm-sysctl",
        "pl050", "pl110", "pl111",      "pl181",  "pl041", "lan9118", "versatile-i2c"};
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        struct test_bus *bus;
        bus = test_bus_create(classes[i], NULL, NULL, false);
        for (int n = 0; n < 20000; n++) {
            bool ok;
            unsigned size;
            seed = seed * 1664525 + 1013904223;
            size = 1u << (seed >> 30) % 3;
            uint64_t offset = (seed >> 8 & 0xfff) & ~(uint64_t)(size - 1);
            if (seed & 0x80)
                memory_store(bus->machine.memory, TEST_BASE + offset, seed * 2654435761u, size,
                             &ok);
            else
                memory_load(bus->machine.memory, TEST_BASE + offset, size, &ok);
            if (!(n & 0xff))
                advance(bus, MS);
            if (!(n & 0x3ff) && bus->machine.screens.first)
                screen_refresh(bus->machine.screens.first);
        }
        test_bus_destroy(bus);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sp804_periodic),
        cmocka_unit_test(test_sp804_modes),
        cmocka_unit_test(test_sp805_resets_on_the_second_expiry),
        cmocka_unit_test(test_a9_private_timer),
        cmocka_unit_test(test_a9_timer_keeps_a_short_event),
        cmocka_unit_test(test_a9_global_timer),
        cmocka_unit_test(test_lcd_formats),
        cmocka_unit_test(test_lcd_dual_panel),
        cmocka_unit_test(test_lcd_cursor),
        cmocka_unit_test(test_lcd_hostile),
        cmocka_unit_test(test_dvi_connector),
        cmocka_unit_test(test_pl050_keyboard),
        cmocka_unit_test(test_pl050_mouse),
        cmocka_unit_test(test_pl181_without_card),
        cmocka_unit_test(test_pl181_transfers),
        cmocka_unit_test(test_lan9118),
        cmocka_unit_test(test_vexpress_sysreg),
        cmocka_unit_test(test_l2c310_and_scu),
        cmocka_unit_test(test_pl111_frame_interrupt),
        cmocka_unit_test(test_every_register_survives_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
