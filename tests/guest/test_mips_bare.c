/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare-metal programs of tests/guest/mips, in both byte orders and widths; mips/bare.h says
 * what the device does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "frontend/mips/cpu.h"
#include "tests/guest/bare.h"

static void device_write(struct bare_board *board, uint64_t offset, uint32_t value)
{
    struct vcpu *cpu = board->cpu;

    switch (offset) {
    case 4:
        for (unsigned line = 2; line < MIPS_N_IRQ_IN; line++)
            cpu->guest->set_irq(cpu, line, value >> line & 1);
        break;
    case 8:
        clock_advance(board->clock, (int64_t)value);
        break;
    default:
        break;
    }
}

#define LAYOUT " -mno-abicalls -fno-pic -Wl,-Ttext=0xffffffff80000000"
#define KIND(guest_name, order, march, start)                                                      \
    {                                                                                              \
        .guest = guest_name, .directory = "mips", .compiler = "mips-linux-gnu",                    \
        .flags = order " -march=" march LAYOUT, .device = 0x10000000, .entry = (start),            \
        .device_write = device_write                                                               \
    }
#define KINDS32(march)                                                                             \
    KIND("mips", "-EB -mabi=32", march, 0x80000400),                                               \
        KIND("mipsel", "-EL -mabi=32", march, 0x80000400)
#define KINDS64(march)                                                                             \
    KIND("mips64", "-EB -mabi=64 -msym32", march, 0xffffffff80000400),                             \
        KIND("mips64el", "-EL -mabi=64 -msym32", march, 0xffffffff80000400)

static const struct bare_kind release1[] = {KINDS32("mips32")}, release2[] = {KINDS32("mips32r2")},
                              release1_wide[] = {KINDS64("mips64")},
                              release2_wide[] = {KINDS64("mips64r2")},
                              release6_wide[] = {KINDS64("mips64r6")},
                              compiled[] = {KINDS32(
                                  "mips32r2 -mips16 -msoft-float -ffreestanding -O2")},
                              compiled_small[] = {
                                  KINDS32("mips32r2 -mips16 -msoft-float -ffreestanding -Os")};

static const char *const release1_models[] = {"4Kc", NULL};
static const char *const release2_models[] = {"24Kc", "74Kf", "P5600", NULL};
static const char *const mips16_models[] = {"24Kc", "74Kf", "P5600", NULL};
static const char *const mips3d_models[] = {"20Kc", "MIPS64R2-generic", NULL};
static const char *const no_mips3d_models[] = {"74Kf", "P5600", NULL};
static const char *const compiled_models[] = {"4KEc", "24Kf", "34Kf", NULL};
static const char *const release1_wide_models[] = {"5Kc", NULL};
static const char *const release2_wide_models[] = {"MIPS64R2-generic", NULL};
static const char *const release6_wide_models[] = {"I6400", NULL};
static const char *const float_models[] = {"24Kf", "74Kf", NULL};
static const char *const fixed_models[] = {"4Km", NULL};

static void run_both(const struct bare_kind kinds[2], const char *name, const char *const *models)
{
    bare_run(&kinds[0], name, models);
    bare_run(&kinds[1], name, models);
}

static void run_everywhere(const char *name)
{
    run_both(release1, name, release1_models);
    run_both(release2, name, release2_models);
    run_both(release1_wide, name, release1_wide_models);
    run_both(release2_wide, name, release2_wide_models);
    run_both(release6_wide, name, release6_wide_models);
}

static void slots(void **state)
{
    run_everywhere("slots");
}

static void exceptions(void **state)
{
    run_everywhere("exceptions");
}

static void tlb(void **state)
{
    run_everywhere("tlb");
}

static void fixed_mapping(void **state)
{
    run_both(release1, "fixed", fixed_models);
}

static void halves_of_doubles(void **state)
{
    run_both(release2, "halves", float_models);
    run_both(release2_wide, "halves", release2_wide_models);
    run_both(release6_wide, "halves", release6_wide_models);
}

static void compact_branches(void **state)
{
    run_both(release6_wide, "compact", release6_wide_models);
}

static void mips16e(void **state)
{
    run_both(release2, "mips16", mips16_models);
}

static void mips3d(void **state)
{
    run_both(release2, "mips3d", no_mips3d_models);
    run_both(release1_wide, "mips3d", mips3d_models);
}

static void compiled_mips16e(void **state)
{
    run_both(compiled, "mips16_c", compiled_models);
    run_both(compiled_small, "mips16_c", compiled_models);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots),
        cmocka_unit_test(exceptions),
        cmocka_unit_test(tlb),
        cmocka_unit_test(fixed_mapping),
        cmocka_unit_test(compact_branches),
        cmocka_unit_test(halves_of_doubles),
        cmocka_unit_test(mips16e),
        cmocka_unit_test(mips3d),
        cmocka_unit_test(compiled_mips16e),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
