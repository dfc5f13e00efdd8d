/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI's fixed hardware as PIIX4 has it. */
#include "pc.h"

enum { PM = 1 << 3 | 3, BASE = 0x600, SMB = 0x700 };

static struct test_pc *create(void)
{
    struct test_pc *pc = pc_create();

    pc_add(pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_watch(pc, pc_add(pc, "piix4-pm", "power-key", 0, "addr=1.3", NULL));
    pc_reset(pc);
    assert_int_equal(pc_in(pc, BASE + 8, 4), 0xffffffff);
    pc_config_set(pc, PM, 0x40, BASE | 1, 4);
    pc_config_set(pc, PM, 0x80, 1, 1);
    pc_config_set(pc, PM, 0x90, SMB | 1, 4);
    pc_config_set(pc, PM, 0xd2, 9, 1);
    return pc;
}

static void test_timer(void **state)
{
    struct test_pc *pc = create();

    assert_int_equal(pc_in(pc, BASE + 8, 4), 0);
    clock_advance(pc->machine.clock, 1000000000);
    assert_int_equal(pc_in(pc, BASE + 8, 4), 3579545);
    assert_int_equal(pc_in(pc, BASE, 2), 0);
    pc_out(pc, 0xb2, 0xf1, 1); /* ACPI on */
    assert_int_equal(pc_in(pc, BASE + 4, 2), 1);
    pc_out(pc, BASE + 2, 1, 2);
    clock_advance(pc->machine.clock, 1400000000); /* bit 23 changes after 2.343 s */
    assert_true(pc->line[0]);
    assert_int_equal(pc_in(pc, BASE, 2), 1);
    pc_out(pc, BASE, 1, 2);
    assert_false(pc->line[0]);
    clock_advance(pc->machine.clock, 2400000000);
    assert_int_equal(pc->rises[0], 2);
    assert_true(pc_in(pc, BASE + 8, 4) < 1 << 24);
    pc_destroy(pc);
}

static void test_power(void **state)
{
    struct test_pc *pc = create();

    pc_out(pc, BASE + 4, 1 << 13 | 1 << 10, 2);
    assert_int_equal(pc->n_events, 0);
    pc_out(pc, 0xb2, 2, 1);
    pc_out(pc, BASE + 2, 1 << 8, 2);
    assert_true(machine_press_power_key(&pc->machine));
    assert_true(pc->line[0]);
    assert_int_equal(pc_in(pc, BASE, 4), 1 << 8 | 1 << 24);
    pc_out(pc, BASE + 1, 1, 1);
    assert_false(pc->line[0]);
    pc_out(pc, BASE + 4, 1 << 13, 2);
    assert_int_equal(pc->n_events, 1);
    assert_int_equal(pc->event, MACHINE_POWER_OFF);
    pc_out(pc, 0xb2, 3, 1);
    assert_true(machine_press_power_key(&pc->machine));
    assert_int_equal(pc->n_events, 2);
    pc_out(pc, 0xb3, 0x5a, 1);
    assert_int_equal(pc_in(pc, 0xb2, 2), 0x5a03);
    pc_destroy(pc);
}

static void test_events_and_smbus(void **state)
{
    struct test_pc *pc = create();

    pc_out(pc, 0xafe2, 0x1234, 2);
    assert_int_equal(pc_in(pc, 0xafe0, 4), 0x12340000);
    pc_out(pc, SMB + 4, 0xa1, 1);
    pc_out(pc, SMB + 2, 0x48, 1);
    assert_int_equal(pc_in(pc, SMB, 1), 4); /* nobody answers */
    pc_out(pc, SMB, 4, 1);
    assert_int_equal(pc_in(pc, SMB, 1), 0);
    pc_hostile(pc, BASE, BASE + 64, 0, 0, PM, 3000);
    pc_hostile(pc, 0xafe0, 0xafe4, 0, 0, PM, 1000);
    pc_destroy(pc);
}

/* The generic event device: what happened is told once; control, status, reset follow 4.8.3.7. */
static void test_event_device(void **state)
{
    enum { GED = 0xfea00000, CONTROL = GED + 4, RESET = GED + 6, TIMER = GED + 7 };
    struct test_pc *pc = pc_create();

    pc_watch(pc, pc_add(pc, "acpi-ged", "power-key", GED, NULL, NULL));
    pc_reset(pc);
    assert_int_equal(pc_load(pc, GED, 4), 0);
    clock_advance(pc->machine.clock, 1000000000);
    assert_int_equal(pc_in(pc, TIMER, 4), 3579545);
    assert_true(machine_press_power_key(&pc->machine));
    assert_true(pc->line[0]);
    assert_int_equal(pc_load(pc, GED, 4), 2);
    assert_false(pc->line[0]);
    assert_int_equal(pc_load(pc, GED, 4), 0);
    pc_store(pc, CONTROL, 5 << 2, 1);          /* no SLP_EN */
    pc_store(pc, CONTROL, 3 << 2 | 1 << 5, 1); /* S3 is not there */
    pc_store(pc, RESET, 1, 1);
    assert_int_equal(pc->n_events, 0);
    pc_store(pc, CONTROL, 5 << 2 | 1 << 5, 1);
    assert_int_equal(pc->n_events, 1);
    assert_int_equal(pc->event, MACHINE_POWER_OFF);
    pc_store(pc, RESET, 0x42, 1);
    assert_int_equal(pc->n_events, 2);
    assert_int_equal(pc->event, MACHINE_RESET);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_event_device),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_events_and_smbus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
