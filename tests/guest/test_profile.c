/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -perfmap, -jitdump and -d stats from outside: a small guest that does a known number of things
 * (x86/profile.S), and what is written about it.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/bits.h"

enum { MAX_ARGS = 24, SECONDS = 60, FILE_MAX = 1 << 20, HEADER_BYTES = 40, LOAD_BYTES = 56 };
enum { CALLS = 200, REWRITES = 20, UNDEFINED = 5, DEVICE_READS = 7, CROSSINGS = 3 };

static char build[PATH_MAX], folder[] = "/tmp/calque-profile-XXXXXX";
static const char *const programs[] = {"calque-system-i386", "calque-system-x86_64"};

/* ---- running it ------------------------------------------------------------------------------ */

static int set_up(void **state)
{
    const char *from = getenv("CALQUE_BUILD");
    char command[PATH_MAX + 512];

    if (!realpath(from ? from : "build", build) || !mkdtemp(folder))
        return -1;
    snprintf(command, sizeof(command),
             "gcc -m32 -nostdlib -static -DCALLS=%d -DREWRITES=%d -DUNDEFINED=%d -DDEVICE_READS=%d "
             "-DCROSSINGS=%d -Wl,-Ttext=0x100000,--build-id=none,-N,--no-warn-rwx-segments "
             "-o %s/guest tests/guest/x86/profile.S",
             CALLS, REWRITES, UNDEFINED, DEVICE_READS, CROSSINGS, folder);
    return system(command);
}

static int tear_down(void **state)
{
    char command[sizeof(folder) + 16];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* In the folder, with the options that every run has. Returns its process number. */
static pid_t run(const char *name, const char *options)
{
    char program[PATH_MAX + 64], text[512], *args[MAX_ARGS + 1], *rest = text, *word;
    int n = 0, status;
    pid_t child;

    snprintf(program, sizeof(program), "%s/%s", build, name);
    snprintf(text, sizeof(text), "%s -M pc -m 32 -display none -nodefaults -kernel guest %s", name,
             options);
    while (n < MAX_ARGS && (word = strsep(&rest, " ")))
        args[n++] = word;
    args[n] = NULL;
    child = fork();
    if (child == 0) {
        alarm(SECONDS);
        if (chdir(folder) == 0)
            execv(program, args);
        _exit(127);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return child;
}

/* The whole file, with a zero byte behind it. Absolute names are not in the folder. */
static uint8_t *read_file(const char *name, size_t *size)
{
    char path[PATH_MAX];
    uint8_t *data = malloc(FILE_MAX + 1);
    FILE *file;

    snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : folder, *name == '/' ? "" : "/",
             name);
    file = fopen(path, "rb");
    if (!file)
        fail_msg("%s was not written", path);
    *size = fread(data, 1, FILE_MAX, file);
    assert_true(*size < FILE_MAX);
    data[*size] = 0;
    fclose(file);
    unlink(path);
    return data;
}

/* ---- perf map -------------------------------------------------------------------------------- */

struct map_line {
    uint64_t address, bytes;
    char name[256];
};

/* Checks the form of every line; returns how many there are. */
static unsigned read_map(char *text, struct map_line *lines, unsigned max)
{
    unsigned n = 0;
    char *line;

    while ((line = strsep(&text, "\n")) && *line) {
        struct map_line *l = &lines[n++];

        assert_true(n <= max);
        assert_int_equal(
            sscanf(line, "%" SCNx64 " %" SCNx64 " %255[^\n]", &l->address, &l->bytes, l->name), 3);
        assert_true(l->address > 0 && l->bytes > 0 && l->bytes < 1 << 20);
    }
    assert_true(line && !text); /* the last line is complete */
    return n;
}

static unsigned count_names(const struct map_line *lines, unsigned n, const char *name)
{
    unsigned found = 0;

    for (unsigned i = 0; i < n; i++)
        found += !strncmp(lines[i].name, name, strlen(name));
    return found;
}

static void check_names(const struct map_line *lines, unsigned n)
{
    static const char *const names[] = {
        "setup+0x",
        "work [32-bit cpl0]",
        "calls [32-bit cpl0]",
        "calls+0x5 [32-bit cpl0]",
        "rewrites ",
        "skip_ud2 [32-bit cpl0]",
        "undefined+0x",
        "stub enter",
        "stub slow",
        "0x",
    };

    /* Nothing runs outside the program but firmware's stand-in. */
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!count_names(lines, n, names[i]))
            fail_msg("the map does not speak of '%s'", names[i]);
    }
    assert_in_range(count_names(lines, n, "patched "), REWRITES, REWRITES + 1);
}

/* ---- jitdump --------------------------------------------------------------------------------- */

/* Every record, and that the loads are those of the map. */
static void check_dump(const uint8_t *dump, size_t size, pid_t pid, const struct map_line *lines,
                       unsigned n)
{
    uint64_t time = load_le64(dump + 24);
    unsigned loads = 0;
    size_t at = HEADER_BYTES;
    bool closed = false;

    assert_true(size >= HEADER_BYTES);
    assert_int_equal(load_le32(dump), 0x4a695444);
    assert_int_equal(load_le32(dump + 4), 1);
    assert_int_equal(load_le32(dump + 8), HEADER_BYTES);
    assert_int_equal(load_le32(dump + 12), EM_X86_64);
    assert_int_equal(load_le32(dump + 20), pid);
    assert_int_equal(load_le64(dump + 32), 0);
    for (uint32_t bytes; at < size; at += bytes) {
        const uint8_t *r = dump + at;

        assert_false(closed);
        assert_true(size - at >= 16);
        bytes = load_le32(r + 4);
        assert_in_range(bytes, 16, size - at);
        assert_true(load_le64(r + 8) >= time);
        time = load_le64(r + 8);
        if (load_le32(r) == 3) {
            closed = true;
            continue;
        }
        assert_int_equal(load_le32(r), 0);
        assert_true(loads < n);
        assert_int_equal(load_le32(r + 16), pid);
        assert_true(load_le32(r + 20) >= (uint32_t)pid);
        assert_int_equal(load_le64(r + 24), lines[loads].address);
        assert_int_equal(load_le64(r + 32), lines[loads].address);
        assert_int_equal(load_le64(r + 40), lines[loads].bytes);
        assert_int_equal(load_le64(r + 48), loads);
        assert_string_equal((const char *)r + LOAD_BYTES, lines[loads].name);
        assert_int_equal(bytes, LOAD_BYTES + strlen(lines[loads].name) + 1 + lines[loads].bytes);
        loads++;
    }
    assert_true(closed);
    assert_int_equal(loads, n);
}

static void check_profile(const char *program, const char *options, bool standard_names)
{
    static struct map_line lines[1000];
    char map_name[64] = "map", dump_name[64] = "dump";
    size_t map_size, dump_size;
    pid_t pid = run(program, options);
    uint8_t *map, *dump;
    unsigned n;

    if (standard_names) {
        snprintf(map_name, sizeof(map_name), "/tmp/perf-%d.map", (int)pid);
        snprintf(dump_name, sizeof(dump_name), "jit-%d.dump", (int)pid);
    }
    map = read_file(map_name, &map_size);
    dump = read_file(dump_name, &dump_size);
    n = read_map((char *)map, lines, sizeof(lines) / sizeof(lines[0]));
    check_names(lines, n);
    check_dump(dump, dump_size, pid, lines, n);
    free(map);
    free(dump);
}

static void test_named_files(void **state)
{
    for (unsigned i = 0; i < 2; i++)
        check_profile(programs[i], "-perfmap=map -jitdump=dump", false);
}

static void test_usual_files(void **state)
{
    check_profile(programs[0], "-perfmap -jitdump", true);
    check_profile(programs[1], "--perfmap --jitdump=.", true);
}

static void test_interpreter_has_no_code(void **state)
{
    size_t size;

    run(programs[0], "-perfmap=map --interp");
    free(read_file("map", &size));
    assert_int_equal(size, 0);
}

/* ---- statistics ------------------------------------------------------------------------------ */

/* The value of a line "stats: NAME VALUE  text". */
static double figure(const char *text, const char *name)
{
    char start[80];
    const char *line;

    snprintf(start, sizeof(start), "stats: %s ", name);
    line = strstr(text, start);
    if (!line)
        fail_msg("there is no line '%s'", start);
    return strtod(line + strlen(start), NULL);
}

static const struct {
    const char *name;
    double least, most;
} figures[] = {
    {"units", REWRITES + 10, 500},
    {"guest_insns", REWRITES * 2 + 50, 5000},
    {"guest_bytes", 100, 50000},
    {"host_bytes", 1000, 500000},
    {"record_bytes", 1000, 500000},
    {"retranslations", REWRITES - 1, REWRITES + 20},
    {"translation_retries", 0, 0},
    {"decode_ns", 1, 1e10},
    {"passes_ns", 1, 1e10},
    {"emit_ns", 1, 1e10},
    {"evictions", 0, 0},
    {"dropped_evicted", 0, 0},
    {"dropped_store", REWRITES - 1, REWRITES + 1},
    {"code_stores_hit", REWRITES - 1, REWRITES + 1},
    {"links", 5, 500},
    {"lookup_remembered", 1, 1000},
    {"loop_missed", REWRITES + 10, 500},
    {"exit_link", 5, 500},
    {"exit_raised", UNDEFINED, UNDEFINED},
    {"tlb_miss_read", 2, 1000},
    {"tlb_miss_write", 2, 1000},
    {"tlb_miss_fetch", 2, 100},
    {"tlb_enter_write", 1, 1000},
    {"slow_mmio_read", DEVICE_READS, DEVICE_READS + 10},
    {"slow_code_page", REWRITES - 1, REWRITES + 20},
    {"slow_crossing", CROSSINGS, CROSSINGS + 10},
    {"exception_ud", UNDEFINED, UNDEFINED},
    {"translate_ns_per_insn", 10, 1e7},
    {"host_bytes_per_insn", 3, 500},
    {"insns_per_unit", 1, 50},
    {"memory_per_guest_kib", 1024, 1e6},
    {"cache_bytes", 1 << 20, 1 << 30},
    {"cache_bytes_used", 1000, 1 << 20},
    {"units_now", 10, 500},
    {"code_pages_now", 2, 20},
};

static void test_statistics(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t size;
        char *text;

        run(programs[i], "-d stats -D log");
        text = (char *)read_file("log", &size);
        for (unsigned k = 0; k < sizeof(figures) / sizeof(figures[0]); k++) {
            double value = figure(text, figures[k].name);

            if (value < figures[k].least || value > figures[k].most)
                fail_msg("%s: %s is %g, not %g to %g", programs[i], figures[k].name, value,
                         figures[k].least, figures[k].most);
        }
        assert_true(figure(text, "guest_insns") >= figure(text, "units"));
        assert_true(figure(text, "units") >= figure(text, "units_now"));
        free(text);
    }
}

/* Counted if that is asked for. */
static void test_accesses(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        size_t size;
        char *text;

        run(programs[i], "-d stats,accesses -D log");
        text = (char *)read_file("log", &size);
        assert_true(figure(text, "accesses") >= DEVICE_READS + CROSSINGS + REWRITES);
        assert_true(figure(text, "tlb_hits") > 50 && figure(text, "tlb_hits") <= 100);
        assert_true(figure(text, "accesses_per_miss") > 2);
        free(text);
        run(programs[i], "-d stats -D log");
        text = (char *)read_file("log", &size);
        assert_true(figure(text, "accesses") == 0);
        assert_null(strstr(text, "tlb_hits"));
        free(text);
    }
}

/* One line that is one object, with the same names. */
static void test_statistics_as_json(void **state)
{
    size_t size;
    char *text;

    run(programs[0], "-d stats_json -D log");
    text = (char *)read_file("log", &size);
    assert_int_equal(text[0], '{');
    assert_string_equal(strchr(text, '}'), "}\n");
    assert_non_null(strstr(text, "\"units\": "));
    assert_non_null(strstr(text, ", \"exception_ud\": 5"));
    assert_null(strchr(text, '\n') + 1 < text + size ? text : NULL);
    free(text);
}

static void test_statistics_of_the_interpreter(void **state)
{
    size_t size;
    char *text;

    run(programs[1], "--interp -d stats -D log");
    text = (char *)read_file("log", &size);
    assert_true(figure(text, "units") >= REWRITES);
    assert_true(figure(text, "exception_ud") == UNDEFINED);
    assert_true(figure(text, "slow_mmio_read") >= DEVICE_READS);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_files),
        cmocka_unit_test(test_usual_files),
        cmocka_unit_test(test_interpreter_has_no_code),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_accesses),
        cmocka_unit_test(test_statistics_as_json),
        cmocka_unit_test(test_statistics_of_the_interpreter),
    };

    return cmocka_run_group_tests_name("profile", tests, set_up, tear_down);
}
