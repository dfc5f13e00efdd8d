/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the bare-metal programs of tests/guest/arm in every engine mode. They check themselves and
 * report through a small device (arm/bare.h); the ARM cross-assembler builds them, and without it
 * the tests are skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec/vcpu.h"
#include "frontend/arm/cpu.h"

enum { RAM = 0x40000000, RAM_BYTES = 8 << 20, DEVICE = 0x10000000, IMAGE_MAX = 1 << 20 };

static const struct {
    const char *name;
    struct exec_options options;
} engines[] = {
    {"interpreter", {.interpret = true, .check = true}},
    {"host code", {.check = true}},
    {"host code, not optimised", {.no_optimise = true, .check = true}},
};

struct board {
    pthread_mutex_t lock;
    struct clock *clock;
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    uint8_t *ram;
    bool finished;
    uint32_t result;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    return 0;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct board *board = opaque;

    switch (offset) {
    case 0:
        board->result = (uint32_t)value;
        board->finished = true;
        vcpu_stop(board->cpu);
        break;
    case 4:
        board->cpu->guest->set_irq(board->cpu, ARM_IRQ, value != 0);
        break;
    case 8:
        board->cpu->guest->set_irq(board->cpu, ARM_FIQ, value != 0);
        break;
    case 12:
        clock_advance(board->clock, (int64_t)value);
        break;
    default:
        break;
    }
}

static const struct region_ops device_ops = {
    .read = device_read, .write = device_write, .min_access = 4, .max_access = 4};

static void timer_irq(void *receiver, unsigned line, bool level)
{
    struct vcpu *cpu = receiver;
    cpu->guest->set_irq(cpu, ARM_IRQ, level);
}

static bool firmware_call(void *opaque, struct vcpu *cpu, unsigned kind)
{
    if (kind != ARM_EXC_SMC)
        return false;
    arm_cpu(cpu)->r[0] = 0x600d;
    return true;
}

static const struct guest *find_guest(void)
{
    REGISTRY_FOREACH (guest, struct guest, guest) {
        if (!strcmp(guest->name, "arm"))
            return guest;
    }
    fail();
    return NULL;
}

static void board_init(struct board *board, const char *model, const struct exec_options *options)
{
    pthread_mutexattr_t attributes;
    struct error err;

    memset(board, 0, sizeof(*board));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&board->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    board->clock = clock_create_manual();
    board->memory = memory_create(&board->lock, &err);
    assert_non_null(board->memory);
    board->ram = memory_add_ram(board->memory, "ram", RAM, RAM_BYTES, &err);
    assert_non_null(board->ram);
    assert_true(memory_add_device(board->memory, "test", DEVICE, 0x1000, &device_ops, board, &err));
    board->exec = exec_create(find_guest(), board->memory, options, &err);
    assert_non_null(board->exec);
    board->cpu = vcpu_create(board->exec, model, board->clock, &board->lock, 0, &err);
    assert_non_null(board->cpu);
    board->cpu->irq_out[ARM_OUT_TIMER_VIRT] = (struct irq){timer_irq, board->cpu, 0};
    board->cpu->board.firmware_call = firmware_call;
    vcpu_reset(board->cpu);
}

static void board_finish(struct board *board)
{
    vcpu_destroy(board->cpu);
    exec_destroy(board->exec);
    memory_destroy(board->memory);
    clock_destroy(board->clock);
    pthread_mutex_destroy(&board->lock);
}

/* 0: the program passed; else the line that failed, or 1 if it never came to an end. */
static uint32_t board_run(struct board *board, const uint8_t *image, size_t size)
{
    memcpy(board->ram, image, size);
    board->cpu->run.pc = RAM;
    board->finished = false;
    for (unsigned i = 0; i < 10000 && !board->finished; i++) {
        vcpu_resume(board->cpu);
        if (vcpu_run_here(board->cpu, 1000000) == EXIT_HALT)
            clock_advance(board->clock, 1000);
    }
    return board->finished ? board->result : 1;
}

static size_t build(const char *name, uint8_t *image)
{
    char directory[] = "/tmp/calque-test-XXXXXX", command[1024];
    size_t size = 0;
    FILE *file;

    if (system("command -v arm-linux-gnueabihf-gcc >/dev/null") != 0)
        skip();
    assert_non_null(mkdtemp(directory));
    snprintf(command, sizeof(command),
             "arm-linux-gnueabihf-gcc -nostdlib -static -Wa,-mno-warn-deprecated "
             "-Wl,-Ttext=%#x,--build-id=none,-N,--no-warn-rwx-segments -o %s/a.elf "
             "tests/guest/arm/%s.S && arm-linux-gnueabihf-objcopy -O binary %s/a.elf %s/a.bin",
             RAM, directory, name, directory, directory);
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

static void run_program(const char *name, const char *const *models)
{
    uint8_t *image = malloc(IMAGE_MAX);
    size_t size = build(name, image);
    bool passed = true;

    for (; *models; models++) {
        for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
            struct board board;
            uint32_t result;

            alarm(30); /* a guest that hangs ends the test */
            board_init(&board, *models, &engines[i].options);
            result = board_run(&board, image, size);
            if (result != 0) {
                print_error("tests/guest/arm/%s.S:%u: failed on %s, %s\n", name, result, *models,
                            engines[i].name);
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

static const char *const all_models[] = {"cortex-a7", "cortex-a9", "cortex-a15", NULL};
static const char *const lpae_models[] = {"cortex-a7", "cortex-a15", NULL};

static void modes(void **state)
{
    run_program("modes", all_models);
}

static void exceptions(void **state)
{
    run_program("exceptions", all_models);
}

static void short_descriptors(void **state)
{
    run_program("mmu", all_models);
}

static void long_descriptors(void **state)
{
    run_program("lpae", lpae_models);
}

static void generic_timer(void **state)
{
    run_program("timer", lpae_models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes),
        cmocka_unit_test(exceptions),
        cmocka_unit_test(short_descriptors),
        cmocka_unit_test(long_descriptors),
        cmocka_unit_test(generic_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
