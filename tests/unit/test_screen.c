/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screens: what viewers are told. Input: who gets a key, and what keys are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host/input.h"
#include "host/window.h"

static uint32_t picture[480][640];
static unsigned n_resized, n_changed;
static struct screen_rect last;

static void draw(void *opaque, struct screen *screen)
{
    for (unsigned y = 0; y < screen->height; y++)
        screen_put_row(screen, y, picture[y % 480]);
}

static void resized(void *opaque, struct screen *screen)
{
    n_resized++;
}

static void changed(void *opaque, struct screen *screen, const struct screen_rect *rect)
{
    assert_true(rect->x + rect->width <= screen->width);
    assert_true(rect->y + rect->height <= screen->height);
    n_changed++;
    last = *rect;
}

static const struct screen_source source = {.refresh = draw};
static const struct screen_viewer viewer = {.resized = resized, .changed = changed};

static void test_only_what_differs_is_shown(void **state)
{
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "vga", &source, NULL);

    memset(picture, 0, sizeof(picture));
    n_resized = n_changed = 0;
    assert_true(screen_add_viewer(screen, &viewer, NULL));
    assert_true(screen_refresh(screen));
    assert_int_equal(n_resized, 1);
    assert_int_equal(last.width * last.height, 640 * 480);

    assert_false(screen_refresh(screen));
    picture[10][20] = picture[11][25] = 0xffffff;
    n_changed = 0;
    assert_true(screen_refresh(screen));
    assert_int_equal(n_changed, 1);
    assert_int_equal(last.x, 20);
    assert_int_equal(last.y, 10);
    assert_int_equal(last.width, 6);
    assert_int_equal(last.height, 2);
    assert_int_equal(screen->pixels[11 * 640 + 25], 0xffffff);

    picture[100][0] = picture[400][639] = 1;
    n_changed = 0;
    screen_refresh(screen);
    assert_int_equal(n_changed, 2);
    screen_remove_viewer(screen, &viewer, NULL);
    picture[0][0] = 7;
    n_changed = 0;
    assert_true(screen_refresh(screen));
    assert_int_equal(n_changed, 0);
    screens_destroy(&screens);
}

static void test_absurd_sizes_and_rectangles(void **state)
{
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "vga", &source, NULL);

    assert_false(screen_resize(screen, 0, 10));
    assert_false(screen_resize(screen, SCREEN_MAX_WIDTH + 1, 10));
    assert_int_equal(screen->width, 640);
    n_changed = 0;
    screen_add_viewer(screen, &viewer, NULL);
    screen_refresh(screen);
    screen_damage(screen, (struct screen_rect){639, 479, ~0u, ~0u});
    screen_damage(screen, (struct screen_rect){640, 0, 1, 1});
    screen_damage(screen, (struct screen_rect){0, 0, 0, 5});
    for (unsigned i = 0; i < 4 * SCREEN_RECTS; i++)
        screen_damage(screen, (struct screen_rect){i * 7 % 640, i * 97 % 480, 3, 3});
    screen_refresh(screen);
    screens_destroy(&screens);
}

/* Another viewer comes: the first one is told of what differs, as before. */
static void test_another_viewer(void **state)
{
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "vga", &source, NULL);
    int first, second;

    memset(picture, 0, sizeof(picture));
    assert_true(screen_add_viewer(screen, &viewer, &first));
    assert_true(screen_refresh(screen));
    assert_true(screen_add_viewer(screen, &viewer, &second));
    n_resized = n_changed = 0;
    assert_true(screen_refresh(screen));
    assert_int_equal(n_resized, 1);
    assert_int_equal(n_changed, 1);
    assert_int_equal(last.width * last.height, 640 * 480);
    assert_false(screen_refresh(screen));
    screens_destroy(&screens);
}

/* ---- views ------------------------------------------------------------------------------------
 */

static uint32_t area[480 * 640];

static void see_drawn(void *opaque, const struct screen_rect *rect)
{
    n_changed++;
    last = *rect;
}

static void draw_view(struct window_view *view)
{
    n_changed = 0;
    window_view_draw(view, area, 640, see_drawn, NULL);
}

static void take_view(struct window_view *view)
{
    assert_true(window_view_refresh(view));
    assert_true(view->resized);
    view->resized = false;
    assert_true(window_view_arrange(view, 640, 480));
    draw_view(view);
    assert_int_equal(last.width * last.height, 640 * 480);
    assert_false(window_view_refresh(view));
}

/* Somebody else refreshes: what differs is drawn when the view's owner draws, not before. */
static void test_views(void **state)
{
    static struct screens screens, others;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct window_machine machine = {.lock = &lock, .screens = {&screens, NULL, &others}};
    struct screen *screen = screen_create(&screens, "vga", &source, NULL);
    struct window_view view = {0};

    screen_create(&others, "serial0", &source, NULL);
    memset(picture, 0, sizeof(picture));
    assert_false(window_view_show(&view, &machine, 2));
    assert_true(window_view_show(&view, &machine, 0));
    assert_false(window_view_show(&view, &machine, 0));
    take_view(&view);

    picture[10][20] = 0xffffff;
    screen_refresh(screen);
    picture[100][50] = 0xff;
    screen_refresh(screen);
    assert_false(screen_refresh(screen));
    assert_int_equal(area[10 * 640 + 20], 0);
    assert_true(window_view_refresh(&view));
    draw_view(&view);
    assert_int_equal(n_changed, 2);
    assert_int_equal(area[10 * 640 + 20], 0xffffff);
    assert_int_equal(area[100 * 640 + 50], 0xff);
    assert_false(window_view_refresh(&view));

    /* More than it can note: everything. */
    for (unsigned i = 0; i < 3 * SCREEN_RECTS; i++) {
        picture[i][i] = i + 1;
        screen_refresh(screen);
    }
    draw_view(&view);
    assert_in_range(n_changed, 1, SCREEN_RECTS);
    for (unsigned i = 0; i < 3 * SCREEN_RECTS; i++)
        assert_int_equal(area[i * 640 + i], i + 1);

    /* Another size: nothing is drawn where it would not belong. */
    picture[0][0] = 5;
    screen_refresh(screen);
    screen_resize(screen, 320, 200);
    screen_refresh(screen);
    assert_true(view.resized);
    draw_view(&view);
    assert_int_equal(n_changed, 0);
    screen_resize(screen, 640, 480);
    screen_refresh(screen);
    take_view(&view);

    assert_true(window_view_show(&view, &machine, 1));
    take_view(&view);
    window_view_end(&view, &machine);
    assert_null(view.front);
    screens_destroy(&screens);
    screens_destroy(&others);
}

struct seen {
    enum key key;
    bool down;
    unsigned x, n, buttons;
};

static void see_key(void *opaque, enum key key, bool down)
{
    struct seen *seen = opaque;

    *seen = (struct seen){key, down, .n = seen->n + 1};
}

static void see_place(void *opaque, unsigned x, unsigned y, int wheel, unsigned buttons)
{
    ((struct seen *)opaque)->x = x;
    ((struct seen *)opaque)->buttons = buttons;
}

static void see_move(void *opaque, int dx, int dy, int wheel, unsigned buttons)
{
    struct seen *seen = opaque;

    *seen = (struct seen){.n = seen->n + 1, .buttons = buttons};
}

static void test_the_last_keyboard_gets_the_keys(void **state)
{
    static const struct input_device_ops keyboard = {.key = see_key}, tablet = {.place = see_place};
    struct seen first = {0}, second = {0}, third = {0};
    struct input_device a = {&keyboard, &first, "a"}, b = {&keyboard, &second, "b"};
    struct input_device c = {&tablet, &third, "c"};
    struct input input = {0};

    input_key(&input, KEY_CODE_A, true);
    input_key(&input, KEY_CODE_A, false);
    assert_true(input_add(&input, &a));
    assert_true(input_add(&input, &b));
    assert_false(input_is_absolute(&input));
    assert_true(input_add(&input, &c));
    assert_true(input_is_absolute(&input));
    input_key(&input, KEY_CODE_CTRL, true);
    assert_int_equal(second.key, KEY_CODE_CTRL);
    input_release_all(&input);
    assert_false(second.down);
    assert_int_equal(second.n, 2);
    input_activate(&input, &a);
    input_key(&input, KEY_CODE_B, true);
    assert_int_equal(first.key, KEY_CODE_B);
    input_place(&input, 99999, 5, 0, BUTTON_LEFT);
    assert_int_equal(third.x, INPUT_ABSOLUTE_MAX);
    input_remove(&input, &c);
    assert_false(input_is_absolute(&input));
}

static void test_releasing(void **state)
{
    static const struct input_device_ops mouse = {.key = see_key, .move = see_move};
    static const struct input_device_ops tablet = {.place = see_place};
    struct seen first = {0}, second = {0};
    struct input_device a = {&mouse, &first, "a"}, b = {&tablet, &second, "b"};
    struct input input = {0};

    input_add(&input, &a);
    input_move(&input, 1, 1, 0, BUTTON_LEFT | BUTTON_SIDE);
    assert_int_equal(first.buttons, BUTTON_LEFT | BUTTON_SIDE);
    input_release_all(&input);
    assert_int_equal(first.buttons, 0);
    assert_int_equal(first.n, 2);
    input_release_all(&input);
    assert_int_equal(first.n, 2);
    input_add(&input, &b);
    input_place(&input, 77, 5, 0, BUTTON_RIGHT);
    input_release_all(&input);
    assert_int_equal(second.x, 77);
    assert_int_equal(second.buttons, 0);
    assert_int_equal(first.n, 2);
}

static void test_key_names(void **state)
{
    uint8_t bytes[8];

    assert_int_equal(key_by_name("altgr"), KEY_CODE_ALT_R);
    assert_int_equal(key_by_name("0x1e"), KEY_CODE_A);
    assert_int_equal(key_by_name("0xd3"), KEY_CODE_DELETE);
    assert_int_equal(key_by_name("nonsense"), KEY_NONE);
    assert_int_equal(key_by_name(""), KEY_NONE);
    assert_string_equal(key_name(KEY_CODE_CTRL_R), "ctrl_r");
    assert_int_equal(key_set2(KEY_CODE_CTRL_R, false, bytes), 3);
    assert_memory_equal(bytes, "\xe0\xf0\x14", 3);
    assert_int_equal(key_set2(KEY_CODE_PAUSE, true, bytes), 8);
    assert_int_equal(key_set2(KEY_CODE_PAUSE, false, bytes), 0);
    for (int key = 0; key < KEY_CODES; key++) {
        const char *name = key_name((enum key)key);
        assert_true(!name || key_by_name(name) == (enum key)key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_differs_is_shown),
        cmocka_unit_test(test_absurd_sizes_and_rectangles),
        cmocka_unit_test(test_another_viewer),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_the_last_keyboard_gets_the_keys),
        cmocka_unit_test(test_releasing),
        cmocka_unit_test(test_key_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
