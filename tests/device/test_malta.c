/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is on the Malta board: GT-64120, PIIX4, FPGA, its UART and flash, PCnet. */
#include <stdio.h>

#include "hw/acpi/piix4_pm.h"
#include "hw/misc/malta_fpga.h"
#include "hw/pci/pci.h"
#include "pc.h"
#include "util/bits.h"

enum { GT_RESET = 0x14000000, GT = 0x1be00000, IO = 0x18000000 };
enum {
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
    CAUSE = 0xc18,
    MASK = 0xc1c,
    MASTER_ABORT = 1 << 18,
    CPU_OUT = 1 << 3,
};
enum { BRIDGE = 10 << 3, IDE, USB, PM, NETWORK = 11 << 3 };

/* ---- a board without processor ---------------------------------------------------------------
 */

static struct test_pc *create(const char *endian, struct device **gt)
{
    struct test_pc *pc = pc_create();
    char props[64];

    snprintf(props, sizeof(props), "pic=pic0,freq=1000000,endian=%s", endian);
    pc_add(pc, "i8259", "pic0", 0x20, "base1=0x4d0", NULL);
    *gt = pc_add(pc, "gt64120", "pci0", 0, props, NULL);
    pc_add(pc, "ns16550", "serial0", 0x3f8, NULL, NULL);
    pc_add(pc, "piix4-isa", "piix4", 0, "bus=pci.0,addr=a.0,pirq-shift=2", NULL);
    pc_add(pc, "piix4-ide", "ide", 0, "bus=pci.0,addr=a.1", NULL);
    pc_add(pc, "piix4-usb-uhci", "usb", 0, "bus=pci.0,addr=a.2", NULL);
    pc_add(pc, "piix4-pm", "power-key", 0, "bus=pci.0,addr=a.3", NULL);
    pc_add(pc, "pcnet", "net", 0, "bus=pci.0,addr=b.0", NULL);
    pc_reset(pc);
    return pc;
}

static struct device *find(struct test_pc *pc, const char *id)
{
    return machine_find_device(&pc->machine, id);
}

/* The map that YAMON makes: registers at 0x1be00000, PCI memory around the I/O at 0x18000000. */
static void map_as_yamon(struct test_pc *pc)
{
    static const uint16_t registers[][2] = {{0x48, 0xc0}, {0x50, 0x40}, {0xf0, 0},   {0x58, 0x80},
                                            {0x60, 0x3f}, {0x80, 0xc1}, {0x88, 0x5e}};

    pc_store(pc, GT_RESET + 0x68, 0xdf, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
        pc_store(pc, GT + registers[i][0], registers[i][1], 4);
}

static uint32_t config_get(struct test_pc *pc, unsigned where, unsigned offset)
{
    pc_store(pc, GT + CONFIG_ADDRESS, 0x80000000u | where << 8 | offset, 4);
    return pc_load(pc, GT + CONFIG_DATA, 4);
}

static void config_set(struct test_pc *pc, unsigned where, unsigned offset, uint32_t value)
{
    pc_store(pc, GT + CONFIG_ADDRESS, 0x80000000u | where << 8 | offset, 4);
    pc_store(pc, GT + CONFIG_DATA, value, 4);
}

/* ---- GT-64120 --------------------------------------------------------------------------------
 */

static void test_registers_move(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    assert_int_equal(pc_load(pc, GT_RESET, 4), 0x1000); /* little-endian */
    assert_int_equal(pc_load(pc, GT_RESET + 0x48, 4), 0x80);
    assert_int_equal(pc_load(pc, GT_RESET + 0x46c, 4), 0x146fffff);
    pc_store(pc, GT_RESET + 0x68, 0xdf, 4);
    assert_int_equal(pc_load(pc, GT + 0x48, 4), 0x80);
    assert_int_equal(pc_load(pc, GT + 0x68, 2), 0xdf);
    assert_int_not_equal(pc_load(pc, GT_RESET + 0x68, 4), 0xdf);
    pc_store(pc, GT + 0x50, 0xffff, 4); /* bits that are not there */
    assert_int_equal(pc_load(pc, GT + 0x50, 4), 0x7f);
    pc_store(pc, GT + 0x448, 0x4321, 2); /* registers are words */
    assert_int_equal(pc_load(pc, GT + 0x448, 4), 0x200);
    pc_reset(pc);
    assert_int_equal(pc_load(pc, GT_RESET + 0x68, 4), 0xa0);
    assert_int_equal(pc_load(pc, GT_RESET + 0x50, 4), 0x0f);
    pc_destroy(pc);
    pc = create("big", &gt);
    assert_int_equal(pc_load(pc, GT_RESET, 4), 0);
    assert_int_equal(pc_load(pc, GT_RESET + 0xc00, 4), 0);
    pc_destroy(pc);
}

static void test_io_window(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    pc_out(pc, 0x3ff, 0x5a, 1);
    assert_int_equal(pc_load(pc, 0x100003ff, 1), 0x5a); /* where it is after reset */
    map_as_yamon(pc);
    assert_int_equal(pc_load(pc, IO + 0x3ff, 1), 0x5a);
    pc_store(pc, IO + 0x3ff, 0xa5, 1);
    assert_int_equal(pc_in(pc, 0x3ff, 1), 0xa5);
    assert_int_equal(pc_load(pc, IO + 0x500, 4), 0xffffffff);
    assert_int_equal(pc_load(pc, 0x100003ff, 1), 0xff);
    assert_int_equal(pc_load(pc, GT + 0xf0, 4), 0); /* the remap register is on its own... */
    pc_store(pc, GT + 0x48, 0xc0, 4);
    assert_int_equal(pc_load(pc, GT + 0xf0, 4), 0xc0); /* ...until the low one is written */
    pc_store(pc, GT + 0x50, 0x3f, 4);                  /* high below low: closed */
    pc_load(pc, IO + 0x3ff, 1);
    assert_int_equal(pc_load(pc, GT + 0x70, 4), IO + 0x3ff); /* latched */
    assert_true(pc_load(pc, GT + CAUSE, 4) & CPU_OUT);
    pc_destroy(pc);
}

static void test_memory_windows(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    pc_store(pc, 0x100000, 0x11223344, 4);
    config_set(pc, NETWORK, 0x14, 0x10003000);
    config_set(pc, NETWORK, 4, 2);
    assert_int_equal(pc_load(pc, 0x10003000, 4), 0x12005452); /* 52:54:00:12 */
    config_set(pc, NETWORK, 0x14, 0x18203000);                /* in the other window */
    assert_int_equal(pc_load(pc, 0x10003000, 4), 0xffffffff);
    assert_int_equal(pc_load(pc, 0x18203000, 4), 0x12005452);
    assert_true(pc_load(pc, GT + CAUSE, 4) & MASTER_ABORT);
    config_set(pc, NETWORK, 0x14, 0x20003000); /* in none */
    assert_int_equal(pc_load(pc, 0x18203000, 4), 0xffffffff);
    assert_int_equal(pc_load(pc, 0x20003000, 4), 0xffffffff);
    config_set(pc, NETWORK, 0x14, 0x00100000); /* where the CPU has RAM */
    assert_int_equal(pc_load(pc, 0x100000, 4), 0x11223344);
    pc_store(pc, GT + 0xf8, 0, 4); /* PCI 0 is at 0x10000000 now */
    assert_int_equal(pc_load(pc, 0x10100000, 4), 0x12005452);
    assert_int_equal(pc_load(pc, 0x100000, 4), 0x11223344);
    pc_store(pc, GT + 0x60, 0, 4); /* a window of 2 MiB */
    assert_int_equal(pc_load(pc, 0x10100000, 4), 0x12005452);
    assert_int_equal(pc_load(pc, 0x10200000, 4), 0);
    pc_store(pc, GT + 0x58, 0x80, 4); /* sets the remap register, too */
    assert_int_equal(pc_load(pc, 0x10100000, 4), 0xffffffff);
    pc_destroy(pc);
}

static void test_configuration(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    assert_int_equal(config_get(pc, 0, 0), 0x462011ab);
    config_set(pc, 0, 0x20, 0xffffffff); /* its registers on the bus: 4 KiB */
    assert_int_equal(config_get(pc, 0, 0x20), 0xfffff000);
    config_set(pc, 0, 0x20, GT);
    assert_int_equal(config_get(pc, BRIDGE, 0), 0x71108086);
    assert_int_equal(config_get(pc, BRIDGE, 0x0c) >> 16, 0x80); /* several functions */
    assert_int_equal(config_get(pc, IDE, 0), 0x71118086);
    assert_int_equal(config_get(pc, USB, 0), 0x71128086);
    assert_int_equal(config_get(pc, PM, 0), 0x71138086);
    assert_int_equal(config_get(pc, NETWORK, 0), 0x20001022);
    assert_int_equal(pc_load(pc, GT + CONFIG_DATA + 2, 1), 0x00);
    assert_int_equal(pc_load(pc, GT + CONFIG_DATA + 3, 1), 0x20);
    assert_int_equal(pc_load(pc, GT + CAUSE, 4), 0);
    assert_int_equal(config_get(pc, 5 << 3, 0), 0xffffffff);
    assert_int_equal(pc_load(pc, GT + CAUSE, 4), MASTER_ABORT | 1);
    pc_watch(pc, gt);
    pc_store(pc, GT + MASK, MASTER_ABORT, 4);
    assert_true(pc->line[0]);
    pc_store(pc, GT + CAUSE, 0xffffffff, 4); /* ones change nothing */
    assert_true(pc->line[0]);
    pc_store(pc, GT + CAUSE, ~(uint32_t)MASTER_ABORT, 4);
    assert_false(pc->line[0]);
    assert_int_equal(pc_load(pc, GT + CAUSE, 4), 0);
    pc_destroy(pc);
}

/* With MByteSwap 0 a big-endian CPU finds configuration data the right way round, but those of the
 * GT-64120 itself like all its registers. */
static void test_configuration_of_big_endian(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("big", &gt);

    map_as_yamon(pc);
    assert_int_equal(config_get(pc, 0, 0), 0x462011ab);
    assert_int_equal(config_get(pc, BRIDGE, 0), 0x86801071);
    assert_int_equal(pc_load(pc, GT + CONFIG_DATA + 2, 2), 0x8680);
    config_set(pc, NETWORK, 0x14, 0x00300010);
    config_set(pc, NETWORK, 4, 0x02000000);
    assert_int_equal(pc_load(pc, 0x10003000, 4), 0x12005452); /* bytes keep their addresses */
    pc_store(pc, GT + 0xc00, 1, 4);
    assert_int_equal(config_get(pc, BRIDGE, 0), 0x71108086);
    pc_destroy(pc);
}

static void test_interrupt_acknowledge(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);
    struct irq wire = device_irq_in(find(pc, "pic0"), 3);

    pc_out(pc, 0x20, 0x13, 1);
    pc_out(pc, 0x21, 0x40, 1);
    pc_out(pc, 0x21, 0x01, 1);
    pc_out(pc, 0x21, 0x00, 1);
    irq_set(&wire, true);
    assert_int_equal(pc_load(pc, GT_RESET + 0xc34, 4), 0x43);
    assert_int_equal(pc_load(pc, GT_RESET + 0xc34, 4), 0x47); /* nothing more: spurious */
    pc_destroy(pc);
}

static void test_timers(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    pc_watch(pc, gt);
    pc_store(pc, GT + MASK, 3 << 8, 4);
    pc_store(pc, GT + 0x850, 100, 4);
    pc_store(pc, GT + 0x864, 1, 4); /* a counter: once */
    clock_advance(pc->machine.clock, 60000);
    assert_int_equal(pc_load(pc, GT + 0x850, 4), 40);
    assert_false(pc->line[0]);
    clock_advance(pc->machine.clock, 60000);
    assert_true(pc->line[0]);
    assert_int_equal(pc_load(pc, GT + 0x850, 4), 0);
    assert_true(pc_load(pc, GT + CAUSE, 4) & 1 << 8);
    pc_store(pc, GT + CAUSE, 0, 4);
    clock_advance(pc->machine.clock, 1000000);
    assert_false(pc->line[0]);
    pc_store(pc, GT + 0x854, 0xff000064, 4); /* 24 bits */
    assert_int_equal(pc_load(pc, GT + 0x854, 4), 0x64);
    pc_store(pc, GT + 0x864, 0xc, 4); /* a timer: again and again */
    for (unsigned i = 0; i < 3; i++) {
        clock_advance(pc->machine.clock, 102000);
        assert_true(pc_load(pc, GT + CAUSE, 4) & 1 << 9);
        pc_store(pc, GT + CAUSE, 0, 4);
    }
    pc_store(pc, GT + 0x864, 0, 4);
    clock_advance(pc->machine.clock, 1000000);
    assert_int_equal(pc_load(pc, GT + CAUSE, 4), 0);
    pc_destroy(pc);
}

static void test_hostile_controller(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    for (unsigned i = 0; i < 6; i++) {
        pc_hostile(pc, 0x3f8, 0x400, GT_RESET, 0x1000, 0, 3000);
        assert_int_equal(pc_load(pc, GT_RESET + 0x68, 4), 0xa0);
    }
    pc_destroy(pc);
}

/* ---- PIIX4 -----------------------------------------------------------------------------------
 */

static void test_interrupt_routing(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    pc_watch(pc, find(pc, "piix4"));
    assert_int_equal(config_get(pc, BRIDGE, 0x60), 0x80808080);
    config_set(pc, BRIDGE, 0x60, 0x0b0b0a0a);
    pci_irq(find(pc, "net"), true); /* slot 11, pin A: PIRQB */
    assert_true(pc->line[10]);
    config_set(pc, BRIDGE, 0x60, 0x0b0b050a);
    assert_false(pc->line[10]);
    assert_true(pc->line[5]);
    pci_irq(find(pc, "net"), false);
    pci_irq(find(pc, "usb"), true); /* slot 10, pin D: PIRQD */
    assert_true(pc->line[11]);
    assert_false(pc->line[5]);
    assert_int_equal(config_get(pc, BRIDGE, 0x68) >> 8 & 0xff, 0x02);
    pc_out(pc, 0xcf9, 2, 1);
    assert_int_equal(pc->n_events, 0);
    pc_out(pc, 0xcf9, 6, 1);
    assert_int_equal(pc->n_events, 1);
    assert_int_equal(pc->event, MACHINE_RESET);
    pc_destroy(pc);
}

static void test_ide_decode(void **state)
{
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    config_set(pc, IDE, 4, 5);
    assert_int_equal(pc_in(pc, 0x1f7, 1), 0xff);
    config_set(pc, IDE, 0x40, 0x80008000);
    pc_out(pc, 0x1f2, 0x55, 1);
    assert_int_not_equal(pc_in(pc, 0x1f7, 1), 0xff);
    config_set(pc, IDE, 0x48, 0xffffffff); /* Ultra DMA: PIIX3 has none */
    assert_int_equal(config_get(pc, IDE, 0x48), 0x3333000f);
    config_set(pc, IDE, 0x20, 0x1000);
    assert_int_equal(config_get(pc, IDE, 0x20), 0x1001);
    assert_int_equal(pc_load(pc, IO + 0x1002, 1), 0);
    pc_destroy(pc);
}

static void test_usb(void **state)
{
    enum { BASE = 0x1020 };
    struct device *gt;
    struct test_pc *pc = create("little", &gt);

    map_as_yamon(pc);
    assert_int_equal(config_get(pc, USB, 0x60) & 0xff, 0x10);
    assert_int_equal(config_get(pc, USB, 0x3c) >> 8, 4);
    config_set(pc, USB, 0x20, BASE);
    config_set(pc, USB, 4, 5);
    assert_int_equal(pc_in(pc, BASE + 2, 2), 0x20); /* halted */
    assert_int_equal(pc_in(pc, BASE + 0x10, 4), 0x00800080);
    assert_int_equal(pc_in(pc, BASE + 0x0c, 1), 0x40);
    pc_out(pc, BASE + 8, 0x12345678, 4);
    assert_int_equal(pc_in(pc, BASE + 8, 4), 0x12345000);
    pc_out(pc, BASE + 6, 0x7fe, 2);
    pc_out(pc, BASE, 1, 2);
    clock_advance(pc->machine.clock, 3500000);
    assert_int_equal(pc_in(pc, BASE + 6, 2), 1); /* three frames, 11 bits */
    assert_int_equal(pc_in(pc, BASE + 2, 2), 0);
    pc_out(pc, BASE + 0x10, 0x0204, 2); /* nothing to enable */
    assert_int_equal(pc_in(pc, BASE + 0x10, 2), 0x0280);
    pc_out(pc, BASE, 2, 2);
    assert_int_equal(pc_in(pc, BASE, 2), 0);
    assert_int_equal(pc_in(pc, BASE + 6, 2), 0);
    assert_int_equal(pc_in(pc, BASE + 8, 4), 0);
    pc_hostile(pc, BASE, BASE + 0x20, 0, 0, USB, 3000);
    pc_destroy(pc);
}

static void smbus_start(struct test_pc *pc, unsigned base, uint8_t address, uint8_t command,
                        unsigned protocol)
{
    pc_out(pc, base, 0x1e, 1);
    pc_out(pc, base + 4, address, 1);
    pc_out(pc, base + 3, command, 1);
    pc_out(pc, base + 2, 0x40 | protocol << 2, 1);
}

static void test_smbus_and_power(void **state)
{
    enum { BASE = 0x1100, POWER = 0x1000 };
    struct device *gt;
    struct test_pc *pc = create("little", &gt);
    uint8_t contents[SMBUS_EEPROM_SIZE];

    map_as_yamon(pc);
    for (unsigned i = 0; i < sizeof(contents); i++)
        contents[i] = (uint8_t)(i ^ 0x80);
    contents[0x20] = 3;
    piix4_pm_set_eeprom(find(pc, "power-key"), 0, contents);
    config_set(pc, PM, 0x90, BASE | 1);
    config_set(pc, PM, 0xd0, 0x00090000);
    smbus_start(pc, BASE, 0xa3, 5, 2); /* nothing at 0x51 */
    assert_int_equal(pc_in(pc, BASE, 1), 4);
    smbus_start(pc, BASE, 0xa1, 5, 2);
    assert_int_equal(pc_in(pc, BASE, 1), 2);
    assert_int_equal(pc_in(pc, BASE + 5, 1), 0x85);
    smbus_start(pc, BASE, 0xa1, 0, 1); /* the next one */
    assert_int_equal(pc_in(pc, BASE + 5, 1), 0x86);
    smbus_start(pc, BASE, 0xa1, 0xff, 3);
    assert_int_equal(pc_in(pc, BASE + 5, 1), 0x7f);
    assert_int_equal(pc_in(pc, BASE + 6, 1), 0x80); /* around the end */
    smbus_start(pc, BASE, 0xa1, 0x20, 5);
    assert_int_equal(pc_in(pc, BASE, 1), 2);
    assert_int_equal(pc_in(pc, BASE + 5, 1), 3);
    pc_in(pc, BASE + 2, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pc_in(pc, BASE + 7, 1), 0xa1 + i);
    smbus_start(pc, BASE, 0xa1, 0x21, 5); /* a count that is none */
    assert_int_equal(pc_in(pc, BASE, 1), 4);
    pc_out(pc, BASE + 5, 0x99, 1);
    smbus_start(pc, BASE, 0xa0, 9, 2);
    smbus_start(pc, BASE, 0xa1, 9, 2);
    assert_int_equal(pc_in(pc, BASE + 5, 1), 0x99);
    pc_hostile(pc, BASE, BASE + 0x10, 0, 0, PM, 3000);

    map_as_yamon(pc); /* and switch off as Linux does */
    config_set(pc, PM, 0x40, POWER);
    config_set(pc, PM, 0x80, 1);
    unsigned before = pc->n_events;
    pc_store(pc, IO + POWER + 4, 1 << 13, 2);
    assert_int_equal(pc->n_events, before + 1);
    assert_int_equal(pc->event, MACHINE_POWER_OFF);
    pc_destroy(pc);
}

/* ---- FPGA, UART, flash -----------------------------------------------------------------------
 */

static void test_fpga(void **state)
{
    struct test_bus *bus = test_bus_create("malta-fpga", "endian=big", NULL, false);
    char *text = NULL;
    size_t size;

    assert_int_equal(test_get(bus, 0x208), 0x12);
    assert_int_equal(test_get(bus, 0x508), 10);
    test_put(bus, 0x408, 0x1a5);
    assert_int_equal(test_get(bus, 0x408), 0xa5);
    test_put(bus, 0x410, 0xcafe1234);
    test_put(bus, 0x418, 'X');
    FILE *out = open_memstream(&text, &size);
    device_print(bus->device, out);
    fclose(out);
    assert_non_null(strstr(text, "LEDs [#.#..#.#], display [XAFE1234]"));
    free(text);
    test_put(bus, 0x500, 0x41);
    assert_false(bus->has_event);
    test_put(bus, 0x500, 0x42);
    assert_true(bus->has_event);
    assert_int_equal(bus->event, MACHINE_RESET);
    /* A big-endian CPU's word is the word; bus values are little-endian. */
    memory_set_big_endian(bus->machine.memory, true);
    assert_int_equal(test_get(bus, 0x208), 0x12000000);
    assert_int_equal(test_read(bus, 0x20b, 1), 0x12);
    test_put(bus, 0x408, 0x77000000);
    assert_int_equal(test_get(bus, 0x408), 0x77000000);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

/* The lines by hand: 0 drives low, 1 lets go. */
static void lines(struct test_bus *bus, unsigned scl, unsigned sda)
{
    test_put(bus, 0xb08, (scl ? 0 : 2) | (sda ? 0 : 1));
}

static unsigned clock_bit(struct test_bus *bus, unsigned sda)
{
    lines(bus, 0, sda);
    lines(bus, 1, sda);
    unsigned seen = test_get(bus, 0xb00) & 1;
    lines(bus, 0, sda);
    return seen;
}

/* True: acknowledged. */
static bool send_byte(struct test_bus *bus, uint8_t byte)
{
    for (unsigned i = 8; i-- > 0;)
        clock_bit(bus, byte >> i & 1);
    return !clock_bit(bus, 1);
}

static uint8_t receive_byte(struct test_bus *bus, bool more)
{
    unsigned byte = 0;

    for (unsigned i = 0; i < 8; i++)
        byte = byte << 1 | clock_bit(bus, 1);
    clock_bit(bus, !more);
    return (uint8_t)byte;
}

static void start(struct test_bus *bus)
{
    lines(bus, 0, 1);
    lines(bus, 1, 1);
    lines(bus, 1, 0);
}

static void test_two_wire_memory(void **state)
{
    struct test_bus *bus = test_bus_create("malta-fpga", NULL, NULL, false);
    uint8_t contents[MALTA_EEPROM_SIZE];

    for (unsigned i = 0; i < sizeof(contents); i++)
        contents[i] = (uint8_t)(i * 7 + 1);
    malta_fpga_set_eeprom(bus->device, contents);
    assert_int_equal(test_get(bus, 0xb00), 3);
    test_put(bus, 0xb10, 0);
    assert_int_equal(test_get(bus, 0xb00), 3); /* nothing is driven */
    start(bus);
    assert_false(send_byte(bus, 0xa2)); /* another's address */
    start(bus);
    assert_true(send_byte(bus, 0xa0));
    assert_true(send_byte(bus, 0x10));
    start(bus);
    assert_true(send_byte(bus, 0xa1));
    assert_int_equal(receive_byte(bus, true), contents[0x10]);
    assert_int_equal(receive_byte(bus, true), contents[0x11]);
    assert_int_equal(receive_byte(bus, false), contents[0x12]);
    assert_int_equal(receive_byte(bus, true), 0xff); /* it has let go */
    start(bus);
    assert_true(send_byte(bus, 0xa0));
    assert_true(send_byte(bus, 0x80));
    assert_true(send_byte(bus, 0xc3));
    lines(bus, 0, 0);
    lines(bus, 1, 0);
    lines(bus, 1, 1); /* stop */
    start(bus);
    assert_true(send_byte(bus, 0xa0));
    assert_true(send_byte(bus, 0x80));
    start(bus);
    assert_true(send_byte(bus, 0xa1));
    assert_int_equal(receive_byte(bus, false), 0xc3);
    test_bus_destroy(bus);
}

static void test_wide_uart(void **state)
{
    struct test_bus *bus = test_bus_create("serial-mm", NULL, NULL, true);

    test_put(bus, 0, 'a');
    assert_int_equal(bus->n_sent, 1);
    assert_int_equal(test_get(bus, 5 * 8), 0x60);
    assert_int_equal(test_get(bus, 5 * 8 + 4), 0);
    test_write(bus, 7 * 8, 0x5a, 1);
    assert_int_equal(test_read(bus, 7 * 8, 1), 0x5a);
    memory_set_big_endian(bus->machine.memory, true);
    assert_int_equal(test_get(bus, 7 * 8), 0x5a000000);
    test_write(bus, 7 * 8 + 3, 0xa5, 1);
    assert_int_equal(test_read(bus, 7 * 8 + 3, 1), 0xa5);
    test_put(bus, 0, 'b' << 24);
    assert_memory_equal(bus->sent, "ab", 2);
    test_hostile(bus, 3000);
    test_bus_destroy(bus);
}

/* Commands and status are the CPU's words; the array keeps bytes. */
static void test_flash_of_big_endian(void **state)
{
    struct test_bus *bus =
        test_bus_create("cfi.pflash01", "size=0x400000,sector=0x10000,big-endian=on", NULL, false);
    uint8_t *array = device_region_memory(bus->device, 0, NULL);

    memory_set_big_endian(bus->machine.memory, true);
    memset(array, 0xff, 0x100);
    test_put(bus, 0, __builtin_bswap32(0x00900090));
    assert_int_equal(test_get(bus, 0), __builtin_bswap32(0x00890089));
    test_put(bus, 0, __builtin_bswap32(0x00400040));
    test_put(bus, 0x10, __builtin_bswap32(0x12345678));
    assert_int_equal(test_get(bus, 0), __builtin_bswap32(0x00800080));
    test_put(bus, 0, __builtin_bswap32(0x00ff00ff));
    assert_memory_equal(array + 0x10, "\x12\x34\x56\x78", 4);
    assert_int_equal(test_get(bus, 0x10), __builtin_bswap32(0x12345678));
    test_bus_destroy(bus);
}

/* ---- PCnet -----------------------------------------------------------------------------------
 */

enum { NET = 0x1000, BLOCK = 0x10000, RX = 0x11000, TX = 0x12000, RX_BUFFER = 0x20000 };
enum { TX_BUFFER = 0x30000, RINGS_LOG2 = 2, BUFFER = 0x400 };

struct net {
    struct test_pc *pc;
    bool wide; /* double-word mode */
    unsigned style;
};

static void csr_set(struct net *n, unsigned csr, uint16_t value)
{
    unsigned size = n->wide ? 4 : 2;

    pc_out(n->pc, NET + 0x10 + size, csr, size);
    pc_out(n->pc, NET + 0x10, value, size);
}

static uint16_t csr_get(struct net *n, unsigned csr)
{
    unsigned size = n->wide ? 4 : 2;

    pc_out(n->pc, NET + 0x10 + size, csr, size);
    return (uint16_t)pc_in(n->pc, NET + 0x10, size);
}

static void bcr_set(struct net *n, unsigned bcr, uint16_t value)
{
    unsigned size = n->wide ? 4 : 2;

    pc_out(n->pc, NET + 0x10 + size, bcr, size);
    pc_out(n->pc, NET + 0x10 + 3 * size, value, size);
}

static uint16_t bcr_get(struct net *n, unsigned bcr)
{
    unsigned size = n->wide ? 4 : 2;

    pc_out(n->pc, NET + 0x10 + size, bcr, size);
    return (uint16_t)pc_in(n->pc, NET + 0x10 + 3 * size, size);
}

/* A descriptor in the words of style 2, wherever the style puts them. */
static void descriptor_set(struct net *n, uint32_t ring, unsigned i, uint32_t address,
                           uint32_t flags)
{
    uint8_t *d = n->pc->ram + ring + i * (n->style ? 16 : 8);

    if (n->style) {
        store_le32(d + (n->style == 3 ? 8 : 0), address);
        store_le32(d + (n->style == 3 ? 0 : 8), 0xffffffff);
        store_le32(d + 4, flags);
    } else {
        store_le32(d, address | (flags & 0xff000000));
        store_le32(d + 4, (flags & 0xffff) | 0xffff0000);
    }
}

static uint32_t descriptor_flags(struct net *n, uint32_t ring, unsigned i)
{
    const uint8_t *d = n->pc->ram + ring + i * (n->style ? 16 : 8);

    return n->style ? load_le32(d + 4) : (load_le32(d) & 0xff000000) | load_le16(d + 4);
}

static uint32_t descriptor_status(struct net *n, uint32_t ring, unsigned i)
{
    const uint8_t *d = n->pc->ram + ring + i * (n->style ? 16 : 8);

    return n->style ? load_le32(d + (n->style == 3 ? 0 : 8)) : load_le16(d + 6);
}

static void write_block(struct net *n, uint16_t mode)
{
    uint8_t *b = n->pc->ram + BLOCK;
    bool wide = n->style != 0;
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    memset(b, 0, 28);
    store_le16(b, mode);
    memcpy(b + (wide ? 4 : 2), mac, 6);
    b[(wide ? 12 : 8) + 7] = 0x80; /* one group of multicast addresses */
    store_le32(b + (wide ? 20 : 16), RX | (wide ? 0 : (uint32_t)RINGS_LOG2 << 29));
    store_le32(b + (wide ? 24 : 20), TX | (wide ? 0 : (uint32_t)RINGS_LOG2 << 29));
    if (wide)
        store_le16(b + 2, RINGS_LOG2 << 12 | RINGS_LOG2 << 4);
}

static void net_start(struct net *n, uint16_t mode)
{
    csr_set(n, 0, 4);
    write_block(n, mode);
    for (unsigned i = 0; i < 1 << RINGS_LOG2; i++) {
        descriptor_set(n, RX, i, RX_BUFFER + i * BUFFER, 0x80000000u | 0xf000 | (0x1000 - BUFFER));
        descriptor_set(n, TX, i, TX_BUFFER + i * BUFFER, 0xf000);
    }
    csr_set(n, 1, BLOCK & 0xffff);
    csr_set(n, 2, BLOCK >> 16);
    csr_set(n, 0, 1);
    assert_int_equal(csr_get(n, 0), 0x0181); /* IDON */
    csr_set(n, 0, 0x0142);
}

static struct net net_create(bool wide, unsigned style)
{
    struct net n = {.wide = wide, .style = style};
    struct device *gt;

    n.pc = create("little", &gt);
    map_as_yamon(n.pc);
    config_set(n.pc, NETWORK, 0x10, NET);
    config_set(n.pc, NETWORK, 4, 7);
    config_set(n.pc, BRIDGE, 0x60, 0x0b0b0a0a);
    pc_watch(n.pc, find(n.pc, "piix4"));
    if (wide)
        pc_out(n.pc, NET + 0x10, 0, 4);
    bcr_set(&n, 20, (uint16_t)style);
    return n;
}

static void test_net_registers(void **state)
{
    struct net n = net_create(false, 0);

    assert_int_equal(pc_in(n.pc, NET, 4), 0x12005452);
    assert_int_equal(pc_in(n.pc, NET + 14, 2), 0x5757);
    assert_int_equal(csr_get(&n, 0), 4);
    assert_int_equal(csr_get(&n, 88), 0x1003);
    assert_int_equal(csr_get(&n, 89), 0x0262);
    assert_int_equal(csr_get(&n, 12), 0x5452);
    assert_int_equal(bcr_get(&n, 18), 0x9001);
    assert_int_equal(bcr_get(&n, 4), 0x80c0); /* link */
    csr_set(&n, 88, 0);
    assert_int_equal(csr_get(&n, 88), 0x1003);
    csr_set(&n, 1, 0x1234);
    assert_int_equal(csr_get(&n, 16), 0x1234);
    bcr_set(&n, 20, 2);
    assert_int_equal(bcr_get(&n, 20), 0x0302);
    assert_int_equal(csr_get(&n, 58), 0x0302);
    pc_out(n.pc, NET, 0xff, 1); /* the address PROM is closed */
    assert_int_equal(pc_in(n.pc, NET, 1), 0x52);
    bcr_set(&n, 2, 0x102);
    pc_out(n.pc, NET, 0x50, 1);
    assert_int_equal(pc_in(n.pc, NET, 1), 0x50);
    csr_set(&n, 4, 0x80); /* the user's interrupt */
    csr_set(&n, 0, 0x40);
    assert_true(n.pc->line[10]);
    csr_set(&n, 4, 0x40);
    assert_false(n.pc->line[10]);
    pc_in(n.pc, NET + 0x14, 2); /* reset */
    assert_int_equal(csr_get(&n, 4), 0x0115);
    assert_int_equal(bcr_get(&n, 20), 0x0302);
    pc_out(n.pc, NET + 0x10, 0, 4);
    n.wide = true;
    assert_int_equal(csr_get(&n, 88), 0x1003);
    assert_int_equal(pc_in(n.pc, NET + 0x12, 2), 0xffff);
    pc_reset(n.pc);
    pc_destroy(n.pc);
}

static void test_transmit(void **state)
{
    static const unsigned styles[] = {0, 2, 3};

    for (unsigned i = 0; i < ARRAY_SIZE(styles); i++) {
        struct net n = net_create(i & 1, styles[i]);
        net_start(&n, 0);
        assert_int_equal(csr_get(&n, 0) & 0x77, 0x73);
        assert_int_equal(csr_get(&n, 76), 0xfffc);
        assert_int_equal(csr_get(&n, 24), RX & 0xffff);
        assert_int_equal(csr_get(&n, 15), 0);
        csr_set(&n, 15, 0xffff); /* not while it runs */
        assert_int_equal(csr_get(&n, 15), 0);
        /* two buffers, one frame */
        descriptor_set(&n, TX, 1, TX_BUFFER + BUFFER, 0x81000000u | 0xf000 | (0x1000 - 100));
        descriptor_set(&n, TX, 0, TX_BUFFER, 0x82000000u | 0xf000 | (0x1000 - 100));
        csr_set(&n, 0, 0x48);
        assert_int_equal(csr_get(&n, 0) & 0x7f00, 0x0200);
        assert_true(n.pc->line[10]);
        assert_int_equal(descriptor_flags(&n, TX, 0) >> 24, 0x02);
        assert_int_equal(descriptor_flags(&n, TX, 1) >> 24, 0x01);
        assert_int_equal(descriptor_status(&n, TX, 1) >> 16, 0);
        assert_int_equal(csr_get(&n, 74), 2); /* two are left of four */
        csr_set(&n, 0, 0x0240);
        assert_false(n.pc->line[10]);
        /* nobody says that there is more: the poll finds it */
        descriptor_set(&n, TX, 2, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - 60));
        assert_int_equal(csr_get(&n, 0) & 0x0200, 0);
        clock_advance(n.pc->machine.clock, 3000000);
        assert_int_equal(csr_get(&n, 0) & 0x0200, 0x0200);
        csr_set(&n, 0, 4); /* stop */
        assert_int_equal(csr_get(&n, 0), 4);
        assert_false(n.pc->line[10]);
        pc_destroy(n.pc);
    }
}

static void test_loopback(void **state)
{
    static const unsigned styles[] = {0, 2, 3};
    /* 64 bytes with their check sequence, worked out by zlib */
    enum { SIZE = 60 };

    for (unsigned i = 0; i < ARRAY_SIZE(styles); i++) {
        struct net n = net_create(i & 1, styles[i]);
        uint8_t *frame = n.pc->ram + TX_BUFFER, *got = n.pc->ram + RX_BUFFER;
        net_start(&n, 4);
        memcpy(frame, "\x52\x54\0\x12\x34\x56\1\2\3\4\5\6\x08\0", 14);
        for (unsigned k = 14; k < SIZE; k++)
            frame[k] = (uint8_t)k;
        descriptor_set(&n, TX, 0, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - SIZE));
        csr_set(&n, 0, 0x48);
        assert_int_equal(csr_get(&n, 0) & 0x7f00, 0x0600); /* sent and received */
        assert_memory_equal(got, frame, SIZE);
        assert_int_equal(load_le32(got + SIZE), 0x304edc75);
        assert_int_equal(descriptor_flags(&n, RX, 0) >> 24, 0x03);
        assert_int_equal(descriptor_status(&n, RX, 0) & 0xfff, SIZE + 4);
        csr_set(&n, 0, 0x0640);
        frame[5] = 0x57; /* another station's */
        descriptor_set(&n, TX, 1, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - SIZE));
        csr_set(&n, 0, 0x48);
        assert_int_equal(csr_get(&n, 0) & 0x7f00, 0x0200);
        memset(frame, 0xff, 6);
        descriptor_set(&n, TX, 2, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - SIZE));
        csr_set(&n, 0, 0x248);
        assert_int_equal(csr_get(&n, 0) & 0x7f00, 0x0600);
        if (styles[i])
            assert_int_equal(descriptor_flags(&n, RX, 1) >> 16, 0x0310);
        /* A frame of more than one buffer; then one that the ring has no room for. */
        csr_set(&n, 0, 0x640);
        descriptor_set(&n, TX, 3, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - 1500));
        csr_set(&n, 0, 0x48);
        assert_int_equal(descriptor_flags(&n, RX, 2) >> 24, 0x02);
        assert_int_equal(descriptor_flags(&n, RX, 3) >> 24, 0x01);
        assert_int_equal(descriptor_status(&n, RX, 3) & 0xfff, 1504);
        descriptor_set(&n, TX, 0, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - SIZE));
        csr_set(&n, 0, 0x648);
        assert_int_equal(csr_get(&n, 0) & 0xff00, 0x9200); /* missed */
        assert_int_equal(csr_get(&n, 112), 1);
        pc_destroy(n.pc);
    }
}

static void test_address_filter(void **state)
{
    /* groups 63, which the block lets in, and 62 */
    static const char *const groups[] = {"\x01\x00\x5e\x00\x00\x31", "\x01\x00\x5e\x00\x00\x35"};
    struct net n = net_create(true, 2);
    uint8_t *frame = n.pc->ram + TX_BUFFER;

    net_start(&n, 4);
    memset(frame, 0, 60);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(frame, groups[i], 6);
        descriptor_set(&n, TX, i, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - 60));
        csr_set(&n, 0, 0x648);
        assert_int_equal(csr_get(&n, 0) >> 10 & 1, !i);
    }
    assert_int_equal(descriptor_flags(&n, RX, 0) >> 16, 0x0320);
    net_start(&n, 0x8004); /* promiscuous */
    descriptor_set(&n, TX, 0, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - 60));
    csr_set(&n, 0, 0x48);
    assert_int_equal(csr_get(&n, 0) & 0x0400, 0x0400);
    net_start(&n, 4); /* pads short frames; strips pad and check sequence */
    csr_set(&n, 4, 0x0d15);
    memcpy(frame, "\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\4abcd", 18);
    descriptor_set(&n, TX, 0, TX_BUFFER, 0x83000000u | 0xf000 | (0x1000 - 18));
    csr_set(&n, 0, 0x48);
    assert_int_equal(descriptor_status(&n, RX, 0) & 0xfff, 18);
    assert_memory_equal(n.pc->ram + RX_BUFFER, frame, 18);
    pc_destroy(n.pc);
}

/* Rings and buffers where nothing is, and whatever else a driver may write. */
static void test_hostile_driver(void **state)
{
    struct net n = net_create(true, 2);

    net_start(&n, 4);
    descriptor_set(&n, TX, 0, 0xfffffff0, 0x83000000u | 0xf000);
    csr_set(&n, 0, 0x48);
    assert_true(csr_get(&n, 0) & 0x0800); /* MERR */
    csr_set(&n, 0, 4);
    csr_set(&n, 1, 0xfff0);
    csr_set(&n, 2, 0xffff);
    csr_set(&n, 0, 1);
    assert_true(csr_get(&n, 0) & 0x0800);
    net_start(&n, 4);
    for (unsigned i = 0; i < 4; i++) /* parts of a frame without end */
        descriptor_set(&n, TX, i, TX_BUFFER, 0x80000000u | (i ? 0 : 0x02000000) | 0xf000);
    csr_set(&n, 0, 0x48);
    assert_int_equal(descriptor_flags(&n, TX, 3) >> 24, 0);
    for (unsigned i = 0; i < 0x1000; i++)
        n.pc->ram[RX + i] = n.pc->ram[TX + i] = (uint8_t)(i * 193 + (i >> 3));
    for (unsigned i = 0; i < 8; i++) {
        pc_hostile(n.pc, NET, NET + 32, 0, 0, NETWORK, 2000);
        map_as_yamon(n.pc);
        config_set(n.pc, NETWORK, 0x10, NET);
        config_set(n.pc, NETWORK, 4, 7);
    }
    pc_destroy(n.pc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registers_move),
        cmocka_unit_test(test_io_window),
        cmocka_unit_test(test_memory_windows),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_configuration_of_big_endian),
        cmocka_unit_test(test_interrupt_acknowledge),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_hostile_controller),
        cmocka_unit_test(test_interrupt_routing),
        cmocka_unit_test(test_ide_decode),
        cmocka_unit_test(test_usb),
        cmocka_unit_test(test_smbus_and_power),
        cmocka_unit_test(test_fpga),
        cmocka_unit_test(test_two_wire_memory),
        cmocka_unit_test(test_wide_uart),
        cmocka_unit_test(test_flash_of_big_endian),
        cmocka_unit_test(test_net_registers),
        cmocka_unit_test(test_transmit),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_address_filter),
        cmocka_unit_test(test_hostile_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
