/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that tries to get out of its RAM ({arm,x86}/containment.S), booted on whole machines in
 * this process. Its RAM beyond the program, and memory of this process around it, keep what they
 * had; no mapping is ever writable and executable at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec/vcpu.h"
#include "host/chardev.h"
#include "hw/machine.h"

enum {
    RAM_BYTES = 64 << 20,
    PAGE = 4096,
    TREE_AREA_BYTES = 32 << 20,
    GUARD_BYTES = 1 << 20,
    GUARDS = 16,
    STEPS = 4000,
    PATTERN = 0x5a,
};

static const struct board {
    const char *guest, *machine, *cpu;
    uint32_t ram_base, text; /* text: where the program goes, from ram_base */
    const char *compiler, *source, *defines;
} boards[] = {
    {"arm", "virt", "cortex-a15", 0x40000000, 0x10000, "arm-linux-gnueabihf-gcc", "arm",
     "-DUART=0x09000000 -DFW_CFG=0x09020000 -DVIRTIO=0x0a000000 "},
    {"arm", "vexpress-a9", "cortex-a9", 0x60000000, 0x10000, "arm-linux-gnueabihf-gcc", "arm",
     "-DUART=0x10009000 "},
    {"i386", "pc", NULL, 0, 0x100000, "gcc -m32", "x86", ""},
    {"x86_64", "pc", NULL, 0, 0x100000, "gcc -m32", "x86", "-DLONG_MODE "},
    {"x86_64", "q35", NULL, 0, 0x100000, "gcc -m32", "x86", "-DLONG_MODE "},
};

static const struct {
    const char *name;
    bool interpret;
} engines[] = {{"interpreter", true}, {"host code", false}};

/* ---- the console, where the guest says how it went --------------------------------------------
 */

static char said;
static struct vcpu *speaking; /* stops where it says something */

static void console_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    if (size && !said)
        said = (char)data[0];
    if (speaking)
        vcpu_stop(speaking);
}

static const struct chardev_ops console_ops = {.name = "console", .write = console_write};
static struct chardev console = {.ops = &console_ops};

static struct chardev *find_console(void *opaque, const char *name)
{
    return strcmp(name, "serial0") ? NULL : &console;
}

static void *find_backend(void *opaque, const char *name)
{
    return NULL;
}

static void machine_event(void *opaque, enum machine_event what)
{
    unsigned *events = opaque;

    *events |= 1u << what;
}

/* ---- what must stay as it is -------------------------------------------------------------------
 */

static uint8_t *guards[GUARDS];

static void make_guards(void)
{
    for (unsigned i = 0; i < GUARDS; i++) {
        guards[i] =
            mmap(NULL, GUARD_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(guards[i] != MAP_FAILED);
        memset(guards[i], PATTERN, GUARD_BYTES);
    }
}

/* The first byte that changed, or size. */
static size_t first_change(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != PATTERN)
            return i;
    }
    return size;
}

static bool guards_are_whole(void)
{
    bool whole = true;

    for (unsigned i = 0; i < GUARDS; i++) {
        whole &= first_change(guards[i], GUARD_BYTES) == GUARD_BYTES;
        munmap(guards[i], GUARD_BYTES);
    }
    return whole;
}

static bool no_mapping_is_writable_and_executable(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    bool fine = true;

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        const char *flags = strchr(line, ' ') + 1;
        fine &= !(flags[1] == 'w' && flags[2] == 'x');
    }
    fclose(maps);
    return fine;
}

/* ---- booting it --------------------------------------------------------------------------------
 */

static void assemble(const struct board *board, char *directory)
{
    char command[1024];

    snprintf(command, sizeof(command), "command -v %s >/dev/null", board->compiler);
    if (system(command) != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof(command),
             "%s -nostdlib -static %s -DRAM_BASE=%#x -DRAM_END=%#x "
             "-Wl,-Ttext=%#x,--build-id=none,-N,--no-warn-rwx-segments -o %s/kernel "
             "tests/guest/%s/containment.S",
             board->compiler, board->defines, board->ram_base, board->ram_base + RAM_BYTES,
             board->ram_base + board->text, directory, board->source);
    assert_int_equal(system(command), 0);
}

static void remove_directory(const char *directory)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/kernel", directory);
    unlink(path);
    rmdir(directory);
}

/* Until the guest says something. */
static bool run(struct machine *m)
{
    bool fine = true;

    speaking = m->cpu;
    for (unsigned i = 0; i < STEPS && !said; i++) {
        vcpu_resume(m->cpu);
        vcpu_run_here(m->cpu, 10000);
        if (i % 50 == 0)
            fine &= no_mapping_is_writable_and_executable();
    }
    return fine;
}

static const char *try_board(const struct board *board, bool interpret, const char *kernel)
{
    unsigned events = 0;
    struct machine_config config = {
        .class = machine_class_find(board->guest, board->machine),
        .cpu = board->cpu,
        .ram_bytes = RAM_BYTES,
        .boot = {.kernel = kernel},
        .interpret = interpret,
        .chardev = find_console,
        .backend = find_backend,
        .event = machine_event,
        .opaque = &events,
    };
    const size_t watched = RAM_BYTES - TREE_AREA_BYTES - PAGE;
    struct error err = {""};
    struct machine *m;
    uint8_t *keeps;
    const char *wrong = NULL;
    bool fine;
    size_t at;

    said = 0;
    make_guards();
    m = machine_create(&config, &err);
    if (!m || !machine_reset(m, &err))
        fail_msg("%s", err.message);
    keeps = m->ram + TREE_AREA_BYTES;
    memset(keeps, PATTERN, watched);
    fine = run(m);
    at = first_change(keeps, watched);
    if (!said)
        wrong = "it did not come to an end";
    else if (said != 'P')
        wrong = "a DMA outside RAM was not refused";
    else if (at != watched)
        wrong = "RAM that was not written to changed";
    else if (!fine)
        wrong = "a mapping was writable and executable";
    else if (events)
        wrong = "it reset or ended the machine";
    if (!said && getenv("CALQUE_TEST_VERBOSE"))
        m->cpu->guest->print_state(m->cpu, stderr);
    speaking = NULL;
    machine_destroy(m);
    if (!guards_are_whole() && !wrong)
        wrong = "memory of the process changed";
    return wrong;
}

static void test_board(void **state)
{
    const struct board *board = *state;
    char directory[] = "/tmp/calque-test-XXXXXX", kernel[64];
    unsigned failures = 0;

    assemble(board, directory);
    snprintf(kernel, sizeof(kernel), "%s/kernel", directory);
    for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
        const char *wrong;

        alarm(120); /* a guest that hangs ends the test */
        wrong = try_board(board, engines[i].interpret, kernel);
        alarm(0);
        if (wrong) {
            print_error("%s %s, %s: %s\n", board->guest, board->machine, engines[i].name, wrong);
            failures++;
        }
    }
    remove_directory(directory);
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {.name = "virt", .test_func = test_board, .initial_state = (void *)&boards[0]},
        {.name = "vexpress_a9", .test_func = test_board, .initial_state = (void *)&boards[1]},
        {.name = "i386_pc", .test_func = test_board, .initial_state = (void *)&boards[2]},
        {.name = "x86_64_pc", .test_func = test_board, .initial_state = (void *)&boards[3]},
        {.name = "x86_64_q35", .test_func = test_board, .initial_state = (void *)&boards[4]},
    };

    return cmocka_run_group_tests_name("containment", tests, NULL, NULL);
}
