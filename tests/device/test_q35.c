/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Q35: memory-mapped configuration space, shadow RAM; ICH9: routing, ACPI, SMBus. */
#include "hw/pci/pci.h"
#include "pc.h"

enum { LPC = 0x1f << 3, SMB = 0x1f << 3 | 3, ECAM = 0xb0000000, PM = 0x600, RCBA = 0xfed1c000 };

static struct test_pc *create(struct device **smb)
{
    struct test_pc *pc = pc_create();

    pc_add(pc, "q35-mch", "pci0", 0xcf8, NULL, NULL);
    pc_watch(pc, pc_add(pc, "ich9-lpc", "power-key", 0, "bus=pcie.0,addr=1f.0", NULL));
    *smb = pc_add(pc, "ich9-smb", "smb", 0, "bus=pcie.0,addr=1f.3", NULL);
    pc_reset(pc);
    return pc;
}

static void test_mmconfig(void **state)
{
    struct device *smb;
    struct test_pc *pc = create(&smb);

    assert_int_equal(pc_config_get(pc, 0, 0, 4), 0x29c08086);
    assert_int_equal(pc_load(pc, ECAM, 4), 0xffffffff);
    pc_config_set(pc, 0, 0x60, ECAM | 1, 4);
    assert_int_equal(pc_load(pc, ECAM, 4), 0x29c08086);
    assert_int_equal(pc_load(pc, ECAM + (LPC << 12), 4), 0x29188086);
    assert_int_equal(pc_load(pc, ECAM + (SMB << 12) + 2, 2), 0x2930);
    assert_int_equal(pc_load(pc, ECAM + (LPC << 12) + 0xe, 1), 0x80); /* multifunction */
    assert_int_equal(pc_load(pc, ECAM + 0x100, 4), 0xffffffff);
    assert_int_equal(pc_load(pc, ECAM + (1 << 20), 4), 0xffffffff);
    pc_store(pc, ECAM + 0x60, 0xa0000003, 4); /* moves itself, to 128 MiB */
    assert_int_equal(pc_load(pc, ECAM, 4), 0xffffffff);
    assert_int_equal(pc_load(pc, 0xa0000000, 4), 0x29c08086);
    assert_int_equal(pc_load(pc, 0xa8000000, 4), 0xffffffff);
    pc_config_set(pc, 0, 0x90, 0x30, 1);
    pc_store(pc, 0xf0000, 0x12, 1);
    assert_int_equal(pc->ram[0xf0000], 0x12);
    pc_hostile(pc, 0xcf0, 0xd00, 0xa0000000, 0x100000, 0, 3000);
    pc_destroy(pc);
}

static void test_routing(void **state)
{
    struct device *smb;
    struct test_pc *pc = create(&smb);

    pci_irq(smb, true); /* slot 31, INTA: PIRQA */
    assert_true(pc->line[16]);
    assert_false(pc->line[11]);
    pc_config_set(pc, LPC, 0x60, 11, 1);
    assert_true(pc->line[11]);
    pci_irq(smb, false);
    assert_false(pc->line[11] || pc->line[16]);
    pc_config_set(pc, LPC, 0xf0, RCBA | 1, 4);
    assert_int_equal(pc_load(pc, RCBA + 0x3140, 2), 0x3210);
    pc_store(pc, RCBA + 0x3140, 0x3215, 2); /* INTA to PIRQF */
    pci_irq(smb, true);
    assert_true(pc->line[21]);
    pci_irq(smb, false);
    pc_hostile(pc, 0, 0, RCBA, 0x4000, LPC, 2000);
    pc_destroy(pc);
}

static void test_acpi(void **state)
{
    struct device *smb;
    struct test_pc *pc = create(&smb);

    pc_config_set(pc, LPC, 0x40, PM | 1, 4);
    pc_config_set(pc, LPC, 0x44, 0x80, 1);
    clock_advance(pc->machine.clock, 1000000000);
    assert_int_equal(pc_in(pc, PM + 8, 4), 3579545);
    pc_out(pc, 0xb2, 2, 1);
    pc_out(pc, PM + 2, 1 << 8, 2);
    assert_true(machine_press_power_key(&pc->machine));
    assert_true(pc->line[24]);
    pc_out(pc, PM, 1 << 8, 2);
    assert_false(pc->line[24]);
    pc_out(pc, PM + 0x28, 0x55, 1);
    assert_int_equal(pc_in(pc, PM + 0x28, 1), 0x55);
    pc_out(pc, PM + 4, 1 << 13, 2);
    assert_int_equal(pc->event, MACHINE_POWER_OFF);
    pc_out(pc, 0xcf9, 0xe, 1);
    assert_int_equal(pc->event, MACHINE_RESET);
    pc_hostile(pc, PM, PM + 128, 0, 0, LPC, 3000);
    pc_destroy(pc);
}

static void test_smbus(void **state)
{
    struct device *smb;
    struct test_pc *pc = create(&smb);

    pc_config_set(pc, SMB, 0x20, 0x700, 4);
    pc_config_set(pc, SMB, 4, 1, 2);
    pc_config_set(pc, SMB, 0x40, 1, 1);
    pc_out(pc, 0x702, 0x41, 1);
    assert_int_equal(pc_in(pc, 0x700, 1), 4);
    assert_true(pc->line[16]);
    pc_out(pc, 0x700, 4, 1);
    assert_false(pc->line[16]);
    pc_hostile(pc, 0x700, 0x720, 0, 0, SMB, 1000);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mmconfig),
        cmocka_unit_test(test_routing),
        cmocka_unit_test(test_acpi),
        cmocka_unit_test(test_smbus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
