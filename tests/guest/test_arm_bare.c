/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bare-metal programs of tests/guest/arm; arm/bare.h says what the device does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frontend/arm/cpu.h"
#include "tests/guest/bare.h"

static void device_write(struct bare_board *board, uint64_t offset, uint32_t value)
{
    struct vcpu *cpu = board->cpu;

    switch (offset) {
    case 4:
        cpu->guest->set_irq(cpu, ARM_IRQ, value != 0);
        break;
    case 8:
        cpu->guest->set_irq(cpu, ARM_FIQ, value != 0);
        break;
    case 12:
        clock_advance(board->clock, (int64_t)value);
        break;
    default:
        break;
    }
}

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

static void connect(struct bare_board *board)
{
    board->cpu->irq_out[ARM_OUT_TIMER_VIRT] = (struct irq){timer_irq, board->cpu, 0};
    board->cpu->board.firmware_call = firmware_call;
}

static const struct bare_kind arm = {
    .guest = "arm",
    .directory = "arm",
    .compiler = "arm-linux-gnueabihf",
    .flags = "-Wa,-mno-warn-deprecated -Wl,-Ttext=0x40000000",
    .ram = 0x40000000,
    .device = 0x10000000,
    .entry = 0x40000000,
    .device_write = device_write,
    .connect = connect,
};

static const char *const all_models[] = {"cortex-a7", "cortex-a9", "cortex-a15", NULL};
static const char *const lpae_models[] = {"cortex-a7", "cortex-a15", NULL};

static void modes(void **state)
{
    bare_run(&arm, "modes", all_models);
}

static void exceptions(void **state)
{
    bare_run(&arm, "exceptions", all_models);
}

static void short_descriptors(void **state)
{
    bare_run(&arm, "mmu", all_models);
}

static void long_descriptors(void **state)
{
    bare_run(&arm, "lpae", lpae_models);
}

static void generic_timer(void **state)
{
    bare_run(&arm, "timer", lpae_models);
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
