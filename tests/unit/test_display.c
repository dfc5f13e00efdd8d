/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of screens, keys that are pressed for the user, and the process that opens files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/file_broker.h"
#include "vm/screenshot.h"
#include "vm/send_keys.h"

/* ---- pictures ---------------------------------------------------------------------------------
 */

static void draw(void *opaque, struct screen *screen)
{
    if (!screen_resize(screen, 3, 2))
        return;
    for (uint32_t y = 0; y < 2; y++)
        screen_put_row(screen, y, (uint32_t[]){0x123456 + y, 0xff0000, 0x0000ff});
}

static const struct screen_source source = {.refresh = draw};

static char *written(enum picture_format format, size_t *size)
{
    struct screens screens = {0};
    struct screen *screen = screen_create(&screens, "x", &source, NULL);
    struct screenshot picture;
    struct error err = {""};
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    assert_true(screenshot_take(screen, &picture));
    assert_true(screenshot_write(&picture, format, out, &err));
    fclose(out);
    free(picture.pixels);
    screens_destroy(&screens);
    return text;
}

static void test_ppm(void **state)
{
    static const uint8_t wanted[] =
        "P6\n3 2\n255\n\x12\x34\x56\xff\0\0\0\0\xff\x12\x34\x57\xff\0\0\0\0\xff";
    size_t size;
    char *text = written(PICTURE_PPM, &size);

    assert_int_equal(size, sizeof(wanted) - 1);
    assert_memory_equal(text, wanted, size);
    free(text);
}

#ifdef HAVE_LIBPNG
#include <png.h>

static void test_png(void **state)
{
    size_t size;
    char *text = written(PICTURE_PNG, &size);
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t pixels[18];

    assert_true(png_image_begin_read_from_memory(&image, text, size));
    assert_int_equal(image.width, 3);
    assert_int_equal(image.height, 2);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    assert_memory_equal(pixels, "\x12\x34\x56\xff\0\0\0\0\xff\x12\x34\x57\xff\0\0\0\0\xff", 18);
    free(text);
}
#else
static void test_png(void **state)
{
    skip();
}
#endif

/* ---- keys -------------------------------------------------------------------------------------
 */

static char typed[512];

static void note_key(void *opaque, enum key key, bool down)
{
    size_t used = strlen(typed);

    snprintf(typed + used, sizeof(typed) - used, "%c%s ", down ? '+' : '-', key_name(key));
}

static const struct input_device_ops keyboard_ops = {.key = note_key};

static void test_keys(void **state)
{
    struct input input = {0};
    struct input_device keyboard = {.ops = &keyboard_ops};
    struct clock *clock = clock_create_manual();
    static struct send_keys s;
    struct error err;

    input_add(&input, &keyboard);
    send_keys_init(&s, &input, clock);
    assert_true(send_keys(&s, "ctrl-alt-f1", 100, &err));
    assert_true(send_keys(&s, "<", 50, &err));
    assert_true(send_keys(&s, "0x1e", 50, &err));
    assert_string_equal(typed, "+ctrl +alt +f1 ");
    clock_advance(clock, 99 * 1000000);
    assert_string_equal(typed, "+ctrl +alt +f1 ");
    clock_advance(clock, 2 * 1000000);
    assert_string_equal(typed, "+ctrl +alt +f1 -f1 -alt -ctrl ");
    clock_advance(clock, INT64_C(1000000000));
    assert_string_equal(typed, "+ctrl +alt +f1 -f1 -alt -ctrl +less -less +a -a ");
    assert_false(send_keys(&s, "ctrl-alt-f99", 100, &err));
    assert_string_equal(err.message, "there is no key 'f99'; did you mean 'f9'?");
    assert_false(send_keys(&s, "", 100, &err));
    assert_false(send_keys(&s, "ctrl-", 100, &err));
    assert_false(send_keys(&s, "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a", 100, &err));
    unsigned n = 0;
    while (n < 2000 && send_keys(&s, "a-b", 60000, &err))
        n++;
    assert_true(n > 100 && n < 2000);
    clock_destroy(clock);
}

/* ---- files ------------------------------------------------------------------------------------
 */

static int create(struct file_broker *broker, const char *folder, const char *name,
                  const char *contents)
{
    struct error err;
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fd = file_broker_create(broker, path, &err);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, contents, strlen(contents));
    close(fd);
    return (int)n;
}

static void make(const char *folder, const char *name, const char *contents)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(contents, f);
    fclose(f);
}

static bool opens_floppy(struct file_broker *broker, const char *folder, const char *name,
                         long size)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_int_equal(ftruncate(fileno(f), size), 0);
    fclose(f);
    int fd = file_broker_open_floppy(broker, path);
    if (fd < 0)
        return false;
    assert_int_equal(lseek(fd, 0, SEEK_END), size); /* as it was */
    assert_int_equal(pwrite(fd, "x", 1, 0), 1);
    close(fd);
    return true;
}

static void test_floppies(void **state)
{
    char folder[] = "/tmp/calque-files-XXXXXX", command[64];
    struct error err;
    struct file_broker *broker = file_broker_start(0, NULL, &err);

    assert_non_null(broker);
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "%s/.vm", folder);
    assert_int_equal(mkdir(command, 0700), 0);
    assert_true(opens_floppy(broker, folder, ".vm/disk", 1440 * 1024));
    assert_false(opens_floppy(broker, folder, ".vm/.hidden", 1440 * 1024));
    assert_false(opens_floppy(broker, folder, ".vm/more", 1440 * 1024 + 1));
    assert_true(opens_floppy(broker, folder, "disk", 1440 * 1024));
    assert_true(opens_floppy(broker, folder, "old", 360 * 1024));
    assert_false(opens_floppy(broker, folder, ".hidden", 1440 * 1024));
    assert_false(opens_floppy(broker, folder, "more", 1440 * 1024 + 1));
    assert_false(opens_floppy(broker, folder, "empty", 0));
    assert_int_equal(file_broker_open_floppy(broker, folder), -1);
    assert_int_equal(file_broker_open_floppy(broker, "/dev/zero"), -1);
    assert_int_equal(file_broker_open_floppy(broker, "/nonexistent/disk"), -1);
    file_broker_stop(broker);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void test_files(void **state)
{
    char folder[] = "/tmp/calque-files-XXXXXX", command[96], long_path[5000];
    char *argv[] = {"calque", "-drive", command}, part[64];
    struct file_broker *broker;
    struct error err;

    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof(command), "format=raw,file=%s/.vm/disk", folder);
    broker = file_broker_start(ARRAY_SIZE(argv), argv, &err);
    assert_non_null(broker);
    assert_int_equal(create(broker, folder, "a", "hello"), 5);
    assert_int_equal(create(broker, folder, "a", "you"), 3); /* its own */
    make(folder, "precious", "do not touch");
    assert_int_equal(create(broker, folder, "precious", "x"), -1);
    make(folder, "old.ppm", "P6\n1 1\n255\nabc");
    assert_int_equal(create(broker, folder, "old.ppm", "x"), 1);
    make(folder, "empty", "");
    assert_int_equal(create(broker, folder, "empty", "x"), 1);
    assert_int_equal(create(broker, folder, ".hidden", "x"), -1);
    assert_int_equal(create(broker, folder, "./../../tmp/.x/y", "x"), -1);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(part, sizeof(part), "%s/%s", folder, ((char *[]){".vm", ".vm/deep", ".v"})[i]);
        assert_int_equal(mkdir(part, 0700), 0);
    }
    assert_int_equal(create(broker, folder, ".vm/a", "x"), 1);
    assert_int_equal(create(broker, folder, ".vm/.a", "x"), -1);
    assert_int_equal(create(broker, folder, ".vm/deep/a", "x"), -1);
    assert_int_equal(create(broker, folder, ".vm/../.x", "x"), -1);
    assert_int_equal(create(broker, folder, ".v/a", "x"), -1);
    assert_int_equal(create(broker, folder, "none/y", "x"), -1);
    assert_int_equal(create(broker, "/dev", "null", "x"), 1);
    assert_int_equal(create(broker, "/dev", "zero", "x"), -1);
    assert_int_equal(file_broker_create(broker, "", &err), -1);
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = 0;
    assert_int_equal(file_broker_create(broker, long_path, &err), -1);
    assert_int_equal(create(broker, folder, "b", "still there"), 11);
    file_broker_stop(broker);
    snprintf(command, sizeof(command), "cat %s/precious; rm -r %s", folder, folder);
    FILE *f = popen(command, "r");
    char text[64] = "";
    assert_non_null(fgets(text, sizeof(text), f));
    pclose(f);
    assert_string_equal(text, "do not touch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ppm),   cmocka_unit_test(test_png),      cmocka_unit_test(test_keys),
        cmocka_unit_test(test_files), cmocka_unit_test(test_floppies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
