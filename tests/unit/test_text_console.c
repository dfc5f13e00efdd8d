/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text consoles: control sequences, scrolling back, keys, and bytes that mean nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/chardev_kinds.h"
#include "host/font.h"
#include "host/keymap.h"
#include "host/picture.h"
#include "host/text_console.h"
#include "host/vt.h"

static char typed[8192];
static unsigned n_typed, room = sizeof(typed);

static unsigned can_receive(void *opaque)
{
    return MIN(room, (unsigned)sizeof(typed) - 1 - n_typed);
}

static void receive(void *opaque, const uint8_t *data, unsigned size)
{
    memcpy(typed + n_typed, data, size);
    n_typed += size;
    typed[n_typed] = 0;
}

static const struct chardev_client client = {can_receive, receive, NULL};

struct fixture {
    struct screens screens;
    struct text_console *console;
    struct screen *screen;
};

static struct fixture *open_console(unsigned columns, unsigned rows)
{
    static struct fixture f;

    memset(&f, 0, sizeof(f));
    n_typed = 0;
    room = sizeof(typed);
    f.console = text_console_create(&f.screens, "serial0", columns, rows);
    assert_non_null(f.console);
    f.screen = f.screens.first;
    assert_ptr_equal(text_console_of(f.screen), f.console);
    chardev_connect(text_console_stream(f.console), &client, NULL);
    return &f;
}

static void close_console(struct fixture *f)
{
    struct chardev *c = text_console_stream(f->console);

    c->ops->destroy(c);
    assert_null(f->screens.first);
}

static void say(struct fixture *f, const char *text)
{
    chardev_write(text_console_stream(f->console), (const uint8_t *)text, (unsigned)strlen(text));
}

static void shows(struct fixture *f, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    f->screen->source->print_text(f->screen->source_opaque, out);
    fclose(out);
    while (size && text[size - 1] == '\n')
        text[--size] = 0;
    assert_string_equal(text, wanted);
    free(text);
}

/* What follows a reset shows just that. */
static void check(struct fixture *f, const char *text, const char *wanted)
{
    say(f, "\033c\033[3J");
    say(f, text);
    shows(f, wanted);
}

static void test_text_and_cursor(void **state)
{
    struct fixture *f = open_console(10, 4);

    check(f, "one\r\ntwo", "one\ntwo");
    check(f, "abc\b\bX\tY", "aXc     Y");
    check(f, "\033[2;3Hx\033[Ay\033[5Dz\033[2Bw", "z  y\n  x\n w");
    check(f, "0123456789ab", "0123456789\nab");
    check(f, "0123456789\r\nab", "0123456789\nab");
    check(f, "\033[?7l0123456789ab", "012345678b");
    check(f, "a\033[4Gb\033[3dc\033[1Ed", "a  b\n\n    c\nd");
    check(f, "\0337abc\0338X", "Xbc");
    check(f, "ab\033[3b", "abbbb");
    close_console(f);
}

static void test_erasing_and_inserting(void **state)
{
    struct fixture *f = open_console(10, 4);

    check(f, "abcdef\033[3D\033[K", "abc");
    check(f, "abcdef\033[3D\033[1K", "    ef");
    check(f, "a\r\nb\r\nc\033[2;1H\033[J", "a");
    check(f, "a\r\nb\r\nc\033[2;1H\033[1J", "\n\nc");
    check(f, "abcdef\033[3G\033[2P", "abef");
    check(f, "abcdef\033[3G\033[2@", "ab  cdef");
    check(f, "abcdef\033[3G\033[4hXY\033[4l", "abXYcdef");
    check(f, "abcdef\033[3G\033[2X", "ab  ef");
    check(f, "a\r\nb\r\nc\033[1;1H\033[L", "\na\nb\nc");
    check(f, "a\r\nb\r\nc\033[1;1H\033[M", "b\nc");
    close_console(f);
}

static void test_scroll_region_and_alternate_screen(void **state)
{
    struct fixture *f = open_console(10, 4);

    check(f, "a\r\nb\r\nc\r\nd\033[2;3r\033[3;1H\nX", "a\nc\nX\nd");
    check(f, "a\r\nb\r\nc\r\nd\033[2;3r\033[2;1H\033MX", "a\nX\nb\nd");
    check(f, "a\r\nb\r\nc\r\nd\033[2;3r\033[?6h\033[9;1HX", "a\nb\nX\nd");
    check(f, "a\033[?1049h\033[Hb\033[?1049l", "a");
    check(f, "a\033[?1049h\033[Hb", "b");
    check(f, "\033[3;2r\033[2;2Hx", "\n x");
    close_console(f);
}

static void test_characters(void **state)
{
    struct fixture *f = open_console(10, 4);

    check(f, "\033(0lqk\033(B-", "\xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90-");
    check(f, "\033)0\016x\017x", "\xe2\x94\x82x");
    check(f, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    check(f, "a\xffz\xc3z", "a\xef\xbf\xbdz\xef\xbf\xbdz");
    check(f, "\xc0\xaf\xf4\x90\x80\x80\xed\xa0\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    check(f, "a\033]0;title\007b\033]2;x\033\\c\033Pdata\033\\d", "abcd");
    check(f, "a\033[>c\033[=5h\033[ q\033[1$tb", "ab");
    close_console(f);
}

static void test_answers(void **state)
{
    struct fixture *f = open_console(10, 4);

    say(f, "\033[2;3H\033[6n\033[5n\033[c");
    assert_string_equal(typed, "\033[2;3R\033[0n\033[?6c");
    close_console(f);
}

static void test_colours(void **state)
{
    struct fixture *f = open_console(10, 4);

    say(f, "\033[?25l\033[44m \033[1;32;7m \033[0;38;5;196;48;2;0;255;0m \033[m");
    screen_refresh(f->screen);
    assert_int_equal(f->screen->pixels[0], 0x0000aa);
    assert_int_equal(f->screen->pixels[8], 0x55ff55);
    assert_int_equal(f->screen->pixels[16], 0x00ff00);
    assert_int_equal(f->screen->pixels[24], 0);
    close_console(f);
}

static unsigned damaged;

static void changed(void *opaque, struct screen *screen, const struct screen_rect *rect)
{
    damaged += rect->width * rect->height;
}

static void resized(void *opaque, struct screen *screen)
{
}

static void test_only_changed_cells_are_drawn(void **state)
{
    static const struct screen_viewer viewer = {.resized = resized, .changed = changed};
    struct fixture *f = open_console(80, 24);

    screen_add_viewer(f->screen, &viewer, NULL);
    assert_true(screen_refresh(f->screen));
    assert_false(screen_refresh(f->screen));
    damaged = 0;
    say(f, "x");
    assert_true(screen_refresh(f->screen));
    assert_int_equal(damaged, 2 * FONT_WIDTH * FONT_HEIGHT); /* and the cursor */
    say(f, "\b \b");
    say(f, "x");
    assert_false(screen_refresh(f->screen));
    close_console(f);
}

static void test_scrolling_back(void **state)
{
    struct fixture *f = open_console(10, 2);

    say(f, "1\r\n2\r\n3\r\n4");
    shows(f, "3\n4");
    text_console_scroll(f->console, 1);
    shows(f, "2\n3");
    say(f, "\r\n5"); /* the view stays */
    shows(f, "2\n3");
    text_console_scroll(f->console, 1000000);
    shows(f, "1\n2");
    text_console_scroll(f->console, -1000000);
    shows(f, "4\n5");
    text_console_scroll(f->console, 2);
    text_console_type(f->console, "x");
    shows(f, "4\n5");
    static const struct {
        enum key key;
        const char *shown;
    } keys[] = {{KEY_CODE_UP, "3\n4"},
                {KEY_CODE_PGUP, "2\n3"}, /* half a page */
                {KEY_CODE_DOWN, "3\n4"},
                {KEY_CODE_PGDN, "4\n5"}};
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        assert_true(text_console_key(f->console, keys[i].key, true));
        shows(f, keys[i].shown);
    }
    for (unsigned i = 0; i < 3 * TEXT_HISTORY; i++)
        say(f, "\r\nline");
    text_console_scroll(f->console, TEXT_HISTORY + 10);
    shows(f, "line\nline");
    close_console(f);
}

static void test_keys(void **state)
{
    struct fixture *f = open_console(10, 2);

    text_console_type(f->console, "a\xc3\xa4");
    assert_true(text_console_key(f->console, KEY_CODE_RET, false));
    assert_true(text_console_key(f->console, KEY_CODE_UP, false));
    say(f, "\033[?1h");
    assert_true(text_console_key(f->console, KEY_CODE_UP, false));
    assert_true(text_console_key(f->console, KEY_CODE_C, true));
    assert_false(text_console_key(f->console, KEY_CODE_C, false));
    assert_false(text_console_key(f->console, KEY_CODE_SHIFT, true));
    assert_string_equal(typed, "a\xc3\xa4\r\033[A\033OA\003");

    /* What nobody takes waits, and more than that is lost whole. */
    n_typed = room = 0;
    for (unsigned i = 0; i < 10000; i++)
        text_console_type(f->console, "12345678");
    room = sizeof(typed);
    chardev_accept_input(text_console_stream(f->console));
    assert_int_equal(n_typed, 4096);
    close_console(f);
}

static unsigned random_below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 8) % limit;
}

/* Sequences that are nearly right, with numbers far out of range. */
static unsigned make_garbage(unsigned *seed, char *text, unsigned size)
{
    static const char *const starts[] = {"\033[", "\033[?", "\033]", "\033", "\033P", "\033(", ""};
    static const char finals[] = "@ABCDEFGHIJKLMPSTXZ`abcdefghlmnrsu";
    unsigned n = (unsigned)snprintf(text, size, "%s", starts[random_below(seed, 7)]);

    for (unsigned i = random_below(seed, 20); i; i--)
        n += (unsigned)snprintf(text + n, size - n, "%u;",
                                random_below(seed, 3) ? random_below(seed, 200) : 4294967295u);
    text[n++] = finals[random_below(seed, sizeof(finals) - 1)];
    for (unsigned i = random_below(seed, 6); i; i--)
        text[n++] = (char)random_below(seed, 256);
    return n;
}

static void test_garbage(void **state)
{
    static const unsigned sizes[][2] = {{2, 2}, {80, 24}, {320, 160}, {13, 3}};
    unsigned seed = 1;
    char text[1024];

    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        struct fixture *f = open_console(sizes[s][0], sizes[s][1]);
        for (unsigned i = 0; i < 3000; i++) {
            unsigned n = make_garbage(&seed, text, sizeof(text) - 16);
            chardev_write(text_console_stream(f->console), (const uint8_t *)text, n);
            n_typed = 0;
            text_console_scroll(f->console, (int)random_below(&seed, 100) - 50);
            if (i % 16 == 0)
                screen_refresh(f->screen);
        }
        close_console(f);
    }
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        unsigned width, height;
    } sizes[] = {{"vc", 640, 384},           {"vc:100Cx30C", 800, 480},
                 {"vc:800x600", 800, 592},   {"vc:99999999999Cx99999Cx", 0, 0},
                 {"vc:0x0", 640, 384},       {"vc:1000000Cx1000000C", 2560, 2560},
                 {"vc:80Cx24", 640, 16 * 2}, {"vc:x", 0, 0}};
    struct screens screens = {0};
    struct chardev_context context = {.program = "test", .consoles = &screens, .label = "serial7"};
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct chardev *c = chardev_create(&context, "-serial", sizes[i].text, &err);
        if (!c != !sizes[i].width)
            fail_msg("%s", sizes[i].text);
        if (!c)
            continue;
        assert_string_equal(screens.first->name, "serial7");
        assert_int_equal(screens.first->width, sizes[i].width);
        assert_int_equal(screens.first->height, sizes[i].height);
        chardev_destroy(c);
    }
}

/* ---- layouts ----------------------------------------------------------------------------------
 */

static void test_layouts(void **state)
{
    static const struct {
        const char *layout;
        uint32_t keysym;
        enum key key;
        bool shift, altgr;
    } wanted[] = {
        {"en-us", 'a', KEY_CODE_A, false, false},
        {"en-us", 'A', KEY_CODE_A, true, false},
        {"en-us", '@', KEY_CODE_2, true, false},
        {"de", '@', KEY_CODE_Q, false, true},
        {"de", 'z', KEY_CODE_Y, false, false},
        {"de", 'y', KEY_CODE_Z, false, false},
        {"de", 0xe4, KEY_CODE_APOSTROPHE, false, false},
        {"de", '-', KEY_CODE_SLASH, false, false},
        {"fr", 'a', KEY_CODE_Q, false, false},
        {"fr", '1', KEY_CODE_1, true, false},
        {"it", 0xe8, KEY_CODE_BRACKET_LEFT, false, false},
        {"ru", 0x6c6, KEY_CODE_A, false, false},
        {"ru", 'f', KEY_CODE_F, false, false},
        {"sv", 0xff0d, KEY_CODE_RET, false, false},
        {"ja", 0xff51, KEY_CODE_LEFT, false, false},
    };
    struct keymap_key found;
    char text[8];

    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        const struct keymap *keymap = keymap_find(wanted[i].layout);
        assert_non_null(keymap);
        if (!keymap_lookup(keymap, wanted[i].keysym, &found) || found.key != wanted[i].key ||
            found.shift != wanted[i].shift || found.altgr != wanted[i].altgr)
            fail_msg("%s 0x%x: %s%s%s", wanted[i].layout, wanted[i].keysym,
                     key_name(found.key) ? key_name(found.key) : "none",
                     found.shift ? " shift" : "", found.altgr ? " altgr" : "");
    }
    assert_false(keymap_lookup(keymap_find("en-us"), 0x12345678, &found));
    assert_false(keymap_lookup(keymap_find("en-us"), 0, &found));
    assert_null(keymap_find("xx"));
    assert_string_equal(keymap_nearest("italian"), "it");
    assert_true(keymap_text(0xe4, text));
    assert_string_equal(text, "\xc3\xa4");
    assert_true(keymap_text(0x101f600, text));
    assert_string_equal(text, "\xf0\x9f\x98\x80");
    assert_false(keymap_text(0xff0d, text));
}

/* ---- pictures ---------------------------------------------------------------------------------
 */

static void draw_nothing(void *opaque, struct screen *screen)
{
}

static const struct screen_source still = {.refresh = draw_nothing};

/* However a picture is cut, the pieces make the whole. */
static void test_pictures(void **state)
{
    static uint32_t whole[300 * 200], pieces[300 * 200];
    static const unsigned areas[][2] = {{64, 48}, {128, 96}, {150, 77},
                                        {31, 40}, {1, 1},    {300, 200}};
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "x", &still, NULL);
    struct screen_cursor *cursor = screen_get_cursor(screen);
    struct screen_rect damaged_rects[2];

    assert_true(screen_resize(screen, 64, 48));
    for (unsigned i = 0; i < 64 * 48; i++)
        screen->pixels[i] = i * 2654435761u & 0xffffff;
    *cursor = (struct screen_cursor){
        .visible = true, .x = 60, .y = 2, .width = 16, .height = 16, .hot_x = 8, .hot_y = 8};
    memset(cursor->pixels, 0x80, sizeof(cursor->pixels));
    for (unsigned a = 0; a < ARRAY_SIZE(areas); a++) {
        struct picture picture = {0};
        struct screen_rect all = {0, 0, 64, 48};
        size_t stride = areas[a][0];
        memset(whole, 0, sizeof(whole));
        memset(pieces, 0, sizeof(pieces));
        assert_true(picture_arrange(&picture, screen, areas[a][0], areas[a][1]));
        picture_move_pointer(&picture, screen, damaged_rects);
        assert_int_equal(damaged_rects[1].width, 12);
        assert_int_equal(damaged_rects[1].height, 10);
        picture_draw(&picture, screen, &all, whole, stride);
        for (unsigned y = 0; y < 48; y += 5) {
            for (unsigned x = 0; x < 64; x += 7) {
                struct screen_rect part = {x, y, MIN(7u, 64 - x), MIN(5u, 48 - y)};
                picture_draw(&picture, screen, &part, pieces, stride);
            }
        }
        assert_memory_equal(whole, pieces, sizeof(whole));
        picture_clear(&picture);
    }
    screens_destroy(&screens);
}

static void test_absurd_pointers_and_areas(void **state)
{
    static uint32_t area[64 * 48];
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "x", &still, NULL);
    struct screen_cursor *cursor = screen_get_cursor(screen);
    struct screen_rect rects[2], beyond = {600, 400, 100, 100};
    struct picture picture = {0};
    unsigned x, y;

    assert_false(picture_arrange(&picture, screen, 0, 10));
    assert_false(picture_arrange(&picture, screen, 100000, 10));
    assert_true(picture_arrange(&picture, screen, 64, 48));
    *cursor = (struct screen_cursor){.visible = true,
                                     .x = INT32_MIN,
                                     .y = INT32_MAX,
                                     .width = 64,
                                     .height = 64,
                                     .hot_x = UINT32_MAX,
                                     .hot_y = UINT32_MAX};
    picture_move_pointer(&picture, screen, rects);
    assert_int_equal(rects[1].width, 0);
    cursor->width = 100000;
    picture_move_pointer(&picture, screen, rects);
    assert_int_equal(rects[1].width, 0);
    assert_int_equal(picture_draw(&picture, screen, &beyond, area, 64).width, 0);
    picture_find(&picture, -5, 1000, &x, &y);
    assert_int_equal(x, 0);
    assert_int_equal(y, 470);
    picture_clear(&picture);
    screens_destroy(&screens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_cursor),
        cmocka_unit_test(test_erasing_and_inserting),
        cmocka_unit_test(test_scroll_region_and_alternate_screen),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_only_changed_cells_are_drawn),
        cmocka_unit_test(test_scrolling_back),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_pictures),
        cmocka_unit_test(test_absurd_pointers_and_areas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
