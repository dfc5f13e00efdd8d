/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI bus, its configuration mechanism and BARs; 440FX and PIIX3. */
#include "hw/pci/pci.h"
#include "pc.h"
#include "util/monotonic.h"

/* ---- a device of the test's own ---------------------------------------------------------------
 */

enum { TOY_SLOT = 4 << 3, RAM_BAR = 0x10, MMIO_BAR = 0x14, PORT_BAR = 0x1c };

struct toy {
    uint32_t value;
};

static uint64_t toy_read(struct device *d, uint64_t offset, unsigned size)
{
    return ((struct toy *)d->state)->value + offset;
}

/* Offset 8: moves its own BAR while it is being written. */
static void toy_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    ((struct toy *)d->state)->value = (uint32_t)value;
    if (offset == 8)
        pci_config_write(pci_bus_of(d), d->pci->devfn, MMIO_BAR, (uint32_t)value, 4);
}

static bool toy_init(struct device *d, struct error *err)
{
    memcpy(device_region_memory(d, 3, NULL), "\x55\xaa", 2);
    pci_add_msi(d, 0x50);
    return true;
}

static const struct device_region toy_regions[] = {
    {"toy-ram", 0x100000, .ram = true, .bar = DEVICE_BAR(0), .bar_prefetch = true},
    {"toy-mmio", 0x1000, 4, 4, toy_read, toy_write, .bar = DEVICE_BAR(1), .bar_64 = true},
    {"toy-ports", 0x20, 1, 4, toy_read, toy_write, .port = true, .bar = DEVICE_BAR(3)},
    {"toy-rom", 0x1000, .rom = true, .bar = DEVICE_BAR_ROM},
};
static const struct device_field toy_fields[] = {DEVICE_FIELD(struct toy, value, DEVICE_U32, 7)};
static const struct pci_class toy_pci = {
    .vendor = 0x1234, .device = 0x5678, .class_code = 0x0c0330, .revision = 9, .interrupt_pin = 1};
static const struct device_class toy_class = {
    .name = "toy-pci",
    .pci = &toy_pci,
    .state_size = sizeof(struct toy),
    .regions = toy_regions,
    .n_regions = ARRAY_SIZE(toy_regions),
    .fields = toy_fields,
    .n_fields = ARRAY_SIZE(toy_fields),
    .init = toy_init,
};
REGISTER(device_class, toy_class);

static struct test_pc *create(struct device **toy)
{
    struct test_pc *pc = pc_create();
    struct error err;
    uint8_t *rom = memory_add_rom(pc->machine.memory, "bios", 0xe0000, 0x20000, NULL, NULL, &err);

    rom[0] = 0xb1;
    rom[0x10000] = 0xb2;
    pc_add(pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_watch(pc, pc_add(pc, "piix3", "isa", 0, "bus=pci0,addr=1.0", NULL));
    *toy = pc_add(pc, "toy-pci", "toy", 0, "bus=pci.0,addr=0x4", NULL);
    pc_reset(pc);
    return pc;
}

static void test_configuration(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);

    assert_int_equal(pc_config_get(pc, 0, 0, 4), 0x12378086);
    assert_int_equal(pc_config_get(pc, 1 << 3, 0, 4), 0x70008086);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0, 4), 0x56781234);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 2, 2), 0x5678);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 8, 4), 0x0c033009);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0xb, 1), 0x0c);
    assert_int_equal(pc_config_get(pc, TOY_SLOT | 1, 0, 4), 0xffffffff);
    assert_int_equal(pc_config_get(pc, 31 << 3, 0, 2), 0xffff);
    pc_out(pc, 0xcf8, TOY_SLOT << 8, 4); /* not enabled */
    assert_int_equal(pc_in(pc, 0xcfc, 4), 0xffffffff);
    pc_config_set(pc, TOY_SLOT, 0, 0, 4); /* read-only */
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0, 4), 0x56781234);
    pc_config_set(pc, TOY_SLOT, 0x3c, 0xffff, 2);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0x3c, 2), 0x01ff);
    /* the list: status bit 4, pointer, MSI with 64-bit addresses */
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 6, 2), 0x10);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0x34, 1), 0x50);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, 0x50, 4), 0x00800005);
    pc_destroy(pc);
}

static void test_bars(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);

    pc_config_set(pc, TOY_SLOT, RAM_BAR, 0xffffffff, 4);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, RAM_BAR, 4), 0xfff00008);
    pc_config_set(pc, TOY_SLOT, MMIO_BAR, 0xffffffff, 4);
    pc_config_set(pc, TOY_SLOT, MMIO_BAR + 4, 0xffffffff, 4);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, MMIO_BAR, 4), 0xfffff004);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, MMIO_BAR + 4, 4), 0xffffffff);
    pc_config_set(pc, TOY_SLOT, PORT_BAR, 0xffffffff, 4);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, PORT_BAR, 4), 0xffffffe1);
    pc_config_set(pc, TOY_SLOT, PCI_ROM_BAR, 0xffffffff, 4);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, PCI_ROM_BAR, 4), 0xfffff001);

    pc_config_set(pc, TOY_SLOT, RAM_BAR, 0xe0000000, 4);
    pc_config_set(pc, TOY_SLOT, MMIO_BAR, 0xd0000000, 4);
    pc_config_set(pc, TOY_SLOT, MMIO_BAR + 4, 1, 4);
    pc_config_set(pc, TOY_SLOT, PORT_BAR, 0xc000, 4);
    pc_config_set(pc, TOY_SLOT, PCI_ROM_BAR, 0xe1000001, 4);
    assert_int_equal(pc_load(pc, 0xe1000000, 2), 0xffff); /* nothing is enabled */
    assert_int_equal(pc_in(pc, 0xc000, 4), 0xffffffff);
    pc_config_set(pc, TOY_SLOT, PCI_COMMAND, 3, 2);
    assert_int_equal(pc_load(pc, 0xe1000000, 2), 0xaa55);
    pc_store(pc, 0xe0000004, 0x1234, 4);
    assert_int_equal(device_region_memory(toy, 0, NULL)[4], 0x34);
    assert_int_equal(pc_load(pc, UINT64_C(0x1d0000000), 4), 7);
    assert_int_equal(pc_in(pc, 0xc004, 1), 11);
    pc_store(pc, UINT64_C(0x1d0000008), 0xd0010000, 4); /* moves under its own feet */
    assert_int_equal(pc_load(pc, UINT64_C(0x1d0000000), 4), 0xffffffff);
    assert_int_equal(pc_load(pc, UINT64_C(0x1d0010000), 4), 0xd0010000);
    pc_config_set(pc, TOY_SLOT, RAM_BAR, 0x100000, 4); /* RAM stays on top */
    pc_store(pc, 0x100004, 0x5a, 1);
    assert_int_equal(device_region_memory(toy, 0, NULL)[4], 0x34);
    pc_reset(pc);
    assert_int_equal(pc_in(pc, 0xc004, 1), 0xff);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, PORT_BAR, 4), 1);
    pc_destroy(pc);
}

static void test_bar_moves_quickly(void **state)
{
    enum { MOVES = 2000 };
    struct device *toy;
    struct test_pc *pc = create(&toy);
    int64_t start_ns, ns;

    pc_config_set(pc, TOY_SLOT, PCI_COMMAND, 3, 2);
    start_ns = monotonic_ns();
    for (unsigned i = 0; i < MOVES; i++)
        pc_config_set(pc, TOY_SLOT, RAM_BAR, 0xc0000000 + i * 0x100000, 4);
    ns = monotonic_ns() - start_ns;
    print_message("moving a BAR takes %u ns\n", (unsigned)(ns / MOVES));
    assert_true(ns / MOVES < 1000000);
    pc_destroy(pc);
}

static uint64_t message_address;
static uint32_t message_data;

static void record_message(struct machine *m, uint64_t address, uint32_t data)
{
    message_address = address;
    message_data = data;
}

static void test_interrupts(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);

    pc_config_set(pc, 1 << 3, 0x63, 11, 1); /* slot 4, INTA: PIRQD */
    pci_irq(toy, true);
    assert_true(pc->line[11]);
    assert_int_equal(pc_config_get(pc, TOY_SLOT, PCI_STATUS, 2), 0x18);
    pc_config_set(pc, 1 << 3, 0x63, 10, 1); /* routed elsewhere while it is high */
    assert_false(pc->line[11]);
    assert_true(pc->line[10]);
    pc_config_set(pc, TOY_SLOT, PCI_COMMAND, PCI_COMMAND_NO_INTX, 2);
    assert_false(pc->line[10]);
    pc_config_set(pc, TOY_SLOT, PCI_COMMAND, 0, 2);
    assert_true(pc->line[10]);
    pc_reset(pc);
    assert_false(pc->line[10]);

    pci_bus_of(toy)->msi = record_message;
    pc_config_set(pc, TOY_SLOT, 0x54, 0xfee01000, 4);
    pc_config_set(pc, TOY_SLOT, 0x5c, 0x4123, 2);
    pc_config_set(pc, TOY_SLOT, 0x52, 1, 2);
    pci_irq(toy, true);
    assert_int_equal(message_address, 0xfee01000);
    assert_int_equal(message_data, 0x4123);
    pc_destroy(pc);
}

static void test_bus_mastering(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);
    uint32_t value = 5;

    pc->ram[0x1000] = 9;
    assert_false(pci_dma_read(toy, 0x1000, &value, 4));
    assert_int_equal(value, 0);
    pc_config_set(pc, TOY_SLOT, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    assert_true(pci_dma_read(toy, 0x1000, &value, 4));
    assert_int_equal(value, 9);
    assert_true(pci_dma_write(toy, 0x2000, &value, 4));
    assert_int_equal(pc->ram[0x2000], 9);
    pc_destroy(pc);
}

static void test_shadow(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);

    assert_int_equal(pc_load(pc, 0xf0000, 1), 0xb2);
    assert_int_equal(pc_load(pc, 0xc0000, 1), 0xff);
    pc_config_set(pc, 0, 0x59, 0x20, 1); /* stores to RAM, loads from ROM */
    pc_store(pc, 0xf0000, 0x77, 1);
    assert_int_equal(pc_load(pc, 0xf0000, 1), 0xb2);
    pc_config_set(pc, 0, 0x59, 0x10, 1);
    assert_int_equal(pc_load(pc, 0xf0000, 1), 0x77);
    pc_store(pc, 0xf0000, 0x99, 1);
    assert_int_equal(pc_load(pc, 0xf0000, 1), 0x77);
    pc_config_set(pc, 0, 0x59, 0x30, 1);
    pc_store(pc, 0xf0000, 0x99, 1);
    assert_int_equal(pc->ram[0xf0000], 0x99);
    pc_config_set(pc, 0, 0x5d, 0x03, 1); /* 0xe0000-0xe3fff is 0x5e's lower half */
    pc_config_set(pc, 0, 0x5e, 0x30, 1); /* 0xe4000-0xe7fff */
    assert_int_equal(pc_load(pc, 0xe0000, 1), 0xb1);
    pc_store(pc, 0xe4000, 0x33, 1);
    assert_int_equal(pc->ram[0xe4000], 0x33);
    assert_int_equal(pc_load(pc, 0xa0000, 1), 0xff);
    pc_config_set(pc, 0, 0x72, 0x4a, 1);
    pc_store(pc, 0xa0000, 0x44, 1);
    assert_int_equal(pc->ram[0xa0000], 0x44);
    pc_config_set(pc, 0, 0x72, 0x1a, 1); /* locked */
    pc_config_set(pc, 0, 0x72, 0x4a, 1);
    assert_int_equal(pc_load(pc, 0xa0000, 1), 0xff);
    pc_reset(pc);
    assert_int_equal(pc_load(pc, 0xf0000, 1), 0xb2);
    pc_hostile(pc, 0xcf0, 0xd00, 0xa0000, 0x60000, 0, 3000);
    pc_destroy(pc);
}

static void test_reset_control(void **state)
{
    struct device *toy;
    struct test_pc *pc = create(&toy);

    pc_out(pc, 0xcf9, 2, 1);
    assert_int_equal(pc->n_events, 0);
    assert_int_equal(pc_in(pc, 0xcf9, 1), 2);
    pc_out(pc, 0xcf9, 6, 1);
    assert_int_equal(pc->n_events, 1);
    assert_int_equal(pc->event, MACHINE_RESET);
    pc_destroy(pc);
}

static void test_bad_addresses(void **state)
{
    static const struct {
        const char *props, *message;
    } bad[] = {
        {"addr=4", "toy2: PCI address 4 is taken by toy"},
        {"addr=20", "toy2: addr=20 is no PCI address like 1f.2"},
        {"addr=1.8", "toy2: addr=1.8 is no PCI address like 1f.2"},
        {"addr=", "toy2: addr= is no PCI address like 1f.2"},
        {"bus=pci.7", "toy2: there is no PCI bus 'pci.7'"},
    };
    struct device *toy;
    struct test_pc *pc = create(&toy);
    struct error err;

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_null(
            device_create(&toy_class, "toy2", &pc->machine, bad[i].props, NULL, NULL, &err));
        assert_string_equal(err.message, bad[i].message);
    }
    struct device *free_slot = pc_add(pc, "toy-pci", "toy2", 0, NULL, NULL);
    assert_int_equal(free_slot->pci->devfn, 2 << 3);
    pc_destroy(pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),     cmocka_unit_test(test_bars),
        cmocka_unit_test(test_bar_moves_quickly), cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_bus_mastering),     cmocka_unit_test(test_shadow),
        cmocka_unit_test(test_reset_control),     cmocka_unit_test(test_bad_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
