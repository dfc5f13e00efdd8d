/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -drive and its like: where each drive goes, by which names it is found, what is a mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "vm/drives.h"

static char folder[] = "/tmp/calque-drives-XXXXXX";

static int make_images(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d,e"};
    uint8_t zeros[1024] = {0};

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        FILE *f = fopen(names[i], "w");
        assert_int_equal(fwrite(zeros, 1, sizeof(zeros), f), sizeof(zeros));
        fclose(f);
    }
    return 0;
}

static int remove_images(void **state)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* Words are separated by single spaces. */
static struct drives *open_line(const char *guest, const char *machine, const char *line,
                                struct options *o, struct error *err)
{
    static char text[512];
    static char *argv[32];
    int argc = 0;

    snprintf(text, sizeof(text), "calque %s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    assert_true(options_parse(o, argc, argv, err));
    return drives_open(o, machine_class_find(guest, machine), err);
}

struct expectation {
    const char *guest, *machine, *line;
    const char *names[4]; /* name=file */
    const char *devices[3];
};

static const struct expectation expectations[] = {
    {"x86_64", "pc", "a", {"hda=a", "ide0-hd0=a"}},
    {"x86_64", "pc", "-hda a -hdd b -cdrom c", {"hda=a", "hdd=b", "hdc=c", "ide1-cd0=c"}},
    {"x86_64",
     "pc",
     "-drive file=a -drive file=b -drive file=c,media=cdrom",
     {"hda=a", "hdb=b", "hdc=c"}},
    {"x86_64", "pc", "-pflash a -drive file=b,if=pflash", {"pflash0=a", "pflash1=b"}},
    {"x86_64", "pc", "-hda a -drive file=d,,e", {"hda=a", "hdb=d,e"}},
    {"x86_64", "pc", "-drive file=a,bus=1,unit=1 -drive file=b,index=1", {"hdd=a", "hdb=b"}},
    {"x86_64", "q35", "-hda a -drive file=b,bus=3", {"hda=a", "hdd=b", "ide3-hd0=b"}},
    {"x86_64", "pc", "-drive file=a,if=floppy -fdb b", {"fda=a", "fdb=b", "floppy1=b"}},
    {"x86_64",
     "pc",
     "-drive file=a,if=none,id=x -drive file=b,if=pflash,unit=1",
     {"x=a", "pflash1=b"}},
    {"x86_64",
     "pc",
     "-drive file=a,if=virtio,serial=s -drive file=b,if=virtio,id=y",
     {"virtio0=a", "y=b"},
     {"virtio-blk,drive=virtio0", "virtio-blk,drive=y"}},
    {"mipsel",
     "malta",
     "-hda a -drive file=b,if=virtio",
     {"hda=a", "virtio0=b"},
     {"virtio-blk,drive=virtio0"}},
#ifndef WITHOUT_LIBFDT
    /* No IDE: virtio disks, in the order in which a kernel finds them. */
    {"arm",
     "virt",
     "a -hdb b -cdrom c",
     {"virtio0=a", "virtio1=b", "virtio2=c"},
     {"virtio-blk,drive=virtio2", "virtio-blk,drive=virtio1", "virtio-blk,drive=virtio0"}},
#endif
};

static void check(const struct expectation *e)
{
    struct error err = {""};
    struct options o;
    struct drives *drives = open_line(e->guest, e->machine, e->line, &o, &err);
    unsigned n;

    if (!drives)
        fail_msg("'%s': %s", e->line, err.message);
    for (n = 0; n < ARRAY_SIZE(e->names) && e->names[n]; n++) {
        char name[32];
        size_t length = strcspn(e->names[n], "=");
        snprintf(name, sizeof(name), "%.*s", (int)length, e->names[n]);
        struct block *block = drives_find(drives, name);
        if (!block || strcmp(block_path(block), e->names[n] + length + 1) != 0)
            fail_msg("'%s': %s is %s", e->line, name, block ? block_path(block) : "not there");
    }
    for (n = 0; n < ARRAY_SIZE(e->devices) && e->devices[n]; n++)
        assert_string_equal(drives_device(drives, n), e->devices[n]);
    assert_null(drives_device(drives, n));
    assert_true(drives_check(drives, &err));
    drives_close(drives);
}

static void test_places(void **state)
{
    for (unsigned i = 0; i < ARRAY_SIZE(expectations); i++)
        check(&expectations[i]);
}

static struct block *only(struct drives *drives)
{
    return drives_first(drives)->block;
}

static void test_flags(void **state)
{
    struct error err = {""};
    struct options o;
    struct drives *drives =
        open_line("x86_64", "pc", "-drive file=a,readonly=on,format=raw", &o, &err);

    assert_true(block_is_read_only(only(drives)));
    drives_close(drives);
    drives =
        open_line("x86_64", "pc", "-snapshot -drive file=a -drive file=b,snapshot=off", &o, &err);
    assert_true(block_is_snapshot(only(drives)));
    assert_false(block_is_snapshot(drives_first(drives)->next->block));
    drives_close(drives);
    drives = open_line("x86_64", "pc", "-drive file=a,cache=writethrough,discard=ignore", &o, &err);
    assert_true(block_is_write_through(only(drives)));
    drives_close(drives);
    drives = open_line("x86_64", "pc", "-drive file=a,media=cdrom", &o, &err);
    assert_true(block_is_cdrom(only(drives)) && block_is_read_only(only(drives)));
    assert_string_equal(block_serial(only(drives)), "");
    drives_close(drives);
    drives = open_line("x86_64", "pc", "-drive file=a,serial=1,,2", &o, &err);
    assert_string_equal(block_serial(only(drives)), "1,2");
    drives_close(drives);
    /* An empty CD drive, unless defaults are not wanted. */
    drives = open_line("x86_64", "pc", "-m 64", &o, &err);
    assert_false(block_has_medium(drives_find(drives, "hdc")));
    drives_close(drives);
    drives = open_line("x86_64", "pc", "-nodefaults", &o, &err);
    assert_null(drives_find(drives, "hdc"));
    drives_close(drives);
}

/* What no device took. */
static void test_left_over(void **state)
{
    struct error err = {""};
    struct options o;
    struct drives *drives = open_line("x86_64", "pc", "-drive file=a,if=none,id=x", &o, &err);

    assert_true(drives_check(drives, &err));
    drives_close(drives);
    drives = open_line("x86_64", "pc", "-drive file=a,index=9", &o, &err);
    assert_false(drives_check(drives, &err));
    assert_non_null(strstr(err.message, "'pc' has no such drive"));
    drives_close(drives);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_left_over),
    };

    return cmocka_run_group_tests_name("drives", tests, make_images, remove_images);
}
