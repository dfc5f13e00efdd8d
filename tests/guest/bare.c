/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/guest/bare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { RAM_BYTES = 8 << 20, IMAGE_MAX = 1 << 20 };

static const struct {
    const char *name;
    struct exec_options options;
} engines[] = {
    {"interpreter", {.interpret = true, .check = true}},
    {"host code", {.check = true}},
    {"host code, not optimised", {.no_optimise = true, .check = true}},
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    return 0;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct bare_board *board = opaque;

    if (offset) {
        board->kind->device_write(board, offset, (uint32_t)value);
        return;
    }
    board->result = (uint32_t)value;
    board->finished = true;
    vcpu_stop(board->cpu);
}

static void board_init(struct bare_board *board, const struct bare_kind *kind, const char *model,
                       const struct exec_options *options)
{
    static const struct region_ops device_ops = {.read = device_read,
                                                 .write = device_write,
                                                 .min_access = 4,
                                                 .max_access = 4,
                                                 .cpu_order = true};
    struct error err;

    memset(board, 0, sizeof(*board));
    board->kind = kind;
    memory_lock_init(&board->lock);
    board->clock = clock_create_manual();
    board->memory = memory_create(&board->lock, &err);
    assert_non_null(board->memory);
    board->ram = memory_add_ram(board->memory, "ram", kind->ram, RAM_BYTES, &err);
    assert_non_null(board->ram);
    assert_true(
        memory_add_device(board->memory, "test", kind->device, 0x1000, &device_ops, board, &err));
    memory_set_big_endian(board->memory, guest_find(kind->guest)->big_endian);
    board->exec = exec_create(guest_find(kind->guest), board->memory, options, &err);
    assert_non_null(board->exec);
    board->cpu = vcpu_create(board->exec, model, board->clock, &board->lock, 0, &err);
    assert_non_null(board->cpu);
    if (kind->connect)
        kind->connect(board);
    vcpu_reset(board->cpu);
}

static void board_finish(struct bare_board *board)
{
    vcpu_destroy(board->cpu);
    exec_destroy(board->exec);
    memory_destroy(board->memory);
    clock_destroy(board->clock);
    pthread_mutex_destroy(&board->lock);
}

/* 0: the program passed; else the line that failed, or 1 if it never came to an end. */
static uint32_t board_run(struct bare_board *board, const uint8_t *image, size_t size)
{
    memcpy(board->ram, image, size);
    board->cpu->run.pc = board->kind->entry;
    for (unsigned i = 0; i < 10000 && !board->finished; i++) {
        vcpu_resume(board->cpu);
        if (vcpu_run_here(board->cpu, 1000000) == EXIT_HALT)
            clock_advance(board->clock, 1000);
    }
    return board->finished ? board->result : 1;
}

static size_t build(const struct bare_kind *kind, const char *name, uint8_t *image)
{
    char directory[] = "/tmp/calque-test-XXXXXX", command[1024];
    size_t size = 0;
    FILE *file;

    snprintf(command, sizeof(command), "command -v %s-gcc >/dev/null", kind->compiler);
    if (system(command) != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof(command),
             "%s-gcc -nostdlib -static %s -Wl,--build-id=none,-N,--no-warn-rwx-segments "
             "-o %s/a.elf $(ls tests/guest/%s/%s.[Sc]) && "
             "%s-objcopy -O binary -R .reginfo -R .MIPS.\\* %s/a.elf %s/a.bin",
             kind->compiler, kind->flags, directory, kind->directory, name, kind->compiler,
             directory, directory);
    if (system(command) == 0) {
        snprintf(command, sizeof(command), "%s/a.bin", directory);
        file = fopen(command, "rb");
        if (file) {
            size = fread(image, 1, IMAGE_MAX, file);
            fclose(file);
        }
    }
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
    assert_true(size > 0);
    return size;
}

void bare_run(const struct bare_kind *kind, const char *name, const char *const *models)
{
    uint8_t *image = malloc(IMAGE_MAX);
    size_t size = build(kind, name, image);
    bool passed = true;

    for (; *models; models++) {
        for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
            struct bare_board board;
            uint32_t result;

            alarm(30); /* a guest that hangs ends the test */
            board_init(&board, kind, *models, &engines[i].options);
            result = board_run(&board, image, size);
            if (result != 0) {
                print_error("tests/guest/%s/%s.S:%u: failed on %s (%s), %s\n", kind->directory,
                            name, result, *models, kind->guest, engines[i].name);
                if (getenv("CALQUE_TEST_VERBOSE"))
                    board.cpu->guest->print_state(board.cpu, stderr);
                passed = false;
            }
            board_finish(&board);
            alarm(0);
        }
    }
    free(image);
    assert_true(passed);
}
