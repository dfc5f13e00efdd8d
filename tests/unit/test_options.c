/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command-line parser: QEMU's names, both dashes, sizes, lists, and sentences for mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/log.h"
#include "vm/options.h"

enum { MAX_ARGS = 32 };

/* Words separated by blanks; the strings must outlive the options. */
static bool parse(struct options *o, const char *command, struct error *err)
{
    static char text[1024];
    char *argv[MAX_ARGS], *rest = text;
    int argc = 0;

    snprintf(text, sizeof(text), "%s", command);
    while (argc < MAX_ARGS && rest)
        argv[argc++] = strsep(&rest, " ");
    return options_parse(o, argc, argv, err);
}

static void test_full_line(void **state)
{
    struct options o;
    struct error err;

    assert_true(parse(&o,
                      "/usr/bin/calque-system-arm -m 256M -nographic -M vexpress-a9 -kernel zImage "
                      "-append console=ttyAMA0 -dtb a.dtb -initrd i.gz -no-reboot -smp 1 "
                      "-accel tcg,thread=single -d int,unimp -D log -name it -cpu cortex-a9",
                      &err));
    assert_string_equal(o.program, "calque-system-arm");
    assert_int_equal(o.ram_bytes, 256 * MIB);
    assert_true(o.nographic && o.no_reboot);
    assert_string_equal(o.machine, "vexpress-a9");
    assert_string_equal(o.boot.kernel, "zImage");
    assert_string_equal(o.boot.append, "console=ttyAMA0");
    assert_string_equal(o.boot.dtb, "a.dtb");
    assert_string_equal(o.boot.initrd, "i.gz");
    assert_string_equal(o.cpu, "cortex-a9");
    assert_string_equal(o.name, "it");
    assert_string_equal(o.log_file, "log");
    assert_int_equal(o.log_items, LOG_INT | LOG_UNIMP);
    assert_int_equal(o.n_notes, 0);
    assert_int_equal(o.action, ACTION_RUN);
}

static void test_dashes_and_aliases(void **state)
{
    struct options o;
    struct error err;

    assert_true(parse(&o, "calque --machine virt --interp --nographic", &err));
    assert_string_equal(o.machine, "virt");
    assert_true(o.interpret && o.nographic);
    /* What follows -perfmap is a disk's image, as with QEMU. */
    assert_true(parse(&o, "calque -perfmap disk.img --jitdump=there", &err));
    assert_string_equal(o.perf_map, "");
    assert_string_equal(o.jit_dump, "there");
    assert_string_equal(o.drive[DRIVE_HDA], "disk.img");
    assert_true(parse(&o, "calque -M help", &err));
    assert_int_equal(o.action, ACTION_LIST_MACHINES);
    assert_true(parse(&o, "calque -cpu ?", &err));
    assert_int_equal(o.action, ACTION_LIST_CPUS);
    assert_true(parse(&o, "calque -d help", &err));
    assert_int_equal(o.action, ACTION_LIST_LOG_ITEMS);
    assert_true(parse(&o, "calque --version", &err));
    assert_int_equal(o.action, ACTION_VERSION);
    assert_true(parse(&o, "calque -h", &err));
    assert_int_equal(o.action, ACTION_HELP);
    assert_true(parse(&o, "calque -enable-kvm -accel kvm", &err));
    assert_int_equal(o.n_notes, 1);
}

static void test_machine_properties(void **state)
{
    struct options o;
    struct error err;

    assert_true(parse(&o, "c -M virt,gic-version=2,accel=tcg,dumpdtb=f.dtb,secure=off", &err));
    assert_string_equal(o.machine, "virt");
    assert_string_equal(o.machine_props, "gic-version=2,secure=off");
    assert_string_equal(o.boot.dumpdtb, "f.dtb");
    assert_true(parse(&o, "c -machine type=virt", &err));
    assert_string_equal(o.machine, "virt");
    assert_false(parse(&o, "c -M ,x=y", &err));
    assert_false(parse(&o, "c -M virt,accel=xen", &err));
    assert_false(parse(&o, "c -M virt,dumpdtb=", &err));
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"256", 256 * MIB},  {"256M", 256 * MIB}, {"1g", GIB},
        {"512k", 512 * KIB}, {"4096b", 4096},     {"size=1G", GIB},
        {"64MiB", 64 * MIB}, {"64MB", 64 * MIB},  {"256M,slots=2", 256 * MIB},
        {"0x40", 64 * MIB},
    };
    static const char *const bad[] = {
        "",          "M",    "-1", "12Q", "1.5G", "1GG", " 1", "lots", "99999999999999999999",
        "20000000T", "size="};
    uint64_t bytes;

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        assert_true(options_parse_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        if (options_parse_size(bad[i], &bytes))
            fail_msg("'%s' was taken for a size", bad[i]);
    }
}

static void test_name(void **state)
{
    static const struct {
        const char *command, *name;
    } rows[] = {
        {"c -name it", "it"},
        {"c -name guest=it", "it"},
        {"c -name guest=it,debug-threads=on", "it"},
        {"c -name it,process=p", "it"},
        {"c -name process=p,guest=a,,b", "a,b"},
        {"c -name a,,b", "a,b"},
        {"c -name guest=a -name debug-threads=off", "a"},
    };
    struct options o;
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_true(parse(&o, rows[i].command, &err));
        assert_string_equal(o.name, rows[i].name);
    }
    assert_true(parse(&o, "c -name debug-threads=on", &err));
    assert_null(o.name);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *command, *says;
    } mistakes[] = {
        {"c -kernal x", "'-kernel'"},
        {"c --nographics", "'-nographic'"},
        {"c -kernel", "FILE"},
        {"c -m 0", "-m 0"},
        {"c -smp 4", "-smp 4"},
        {"c -d in_sam", "in_asm"},
        {"c -hda x -hda y", "-hda"},
        {"c -hdc x -cdrom y", "-hdc"},
        {"c -boot q", "-boot"},
        {"c -boot order=c,menu=maybe", "menu"},
        {"c -rtc base=never", "-rtc"},
        {"c -vga none,x", "-vga"},
        {"c -", "-"},
        {"c -display", "NAME"},
        {"c -kernel ", "-kernel"},
        {"c -net user", "-net user"},
        {"c -jitdump=", "-jitdump"},
        {"c -kernel=x", "-kernel=x"},
        {"c -name a,b", "'b'"},
        {"c -name gast=a", "'gast=a'"},
        {"c -serial null -serial null -serial null -serial null -serial x", "more than 4"},
        {"c -pflash a -pflash b -pflash c", "-pflash c"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(mistakes); i++) {
        struct options o;
        struct error err = {""};
        if (parse(&o, mistakes[i].command, &err))
            fail_msg("'%s' was accepted", mistakes[i].command);
        if (!strstr(err.message, mistakes[i].says) || strchr(err.message, '\n'))
            fail_msg("'%s': %s", mistakes[i].command, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_line),
        cmocka_unit_test(test_dashes_and_aliases),
        cmocka_unit_test(test_machine_properties),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
