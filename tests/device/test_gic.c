/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2: distributor and CPU interface, against ARM IHI 0048B. */
#include "bus.h"
#include "hw/intc/gicv2.h"

enum {
    CPU = TEST_STRIDE, /* the CPU interface is region 1 */
    CTLR = 0,
    TYPER = 4,
    IGROUPR = 0x80,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ITARGETSR = 0x800,
    ICFGR = 0xc00,
    SGIR = 0xf00,
    CPENDSGIR = 0xf10,
    SPENDSGIR = 0xf20,
    PMR = CPU + 4,
    BPR = CPU + 8,
    IAR = CPU + 0xc,
    EOIR = CPU + 0x10,
    RPR = CPU + 0x14,
    HPPIR = CPU + 0x18,
    ABPR = CPU + 0x1c,
    AIAR = CPU + 0x20,
    AEOIR = CPU + 0x24,
    APR = CPU + 0xd0,
    DIR = CPU + 0x1000,
    SPURIOUS = 1023,
    SPI0 = 32,
    IRQ = 0,
    FIQ = 1,
};

static struct test_bus *gic_create(void)
{
    struct test_bus *bus = test_bus_create("gicv2", "num-irq=96", NULL, false);

    test_put(bus, CTLR, 3);
    test_put(bus, CPU, 1);
    test_put(bus, PMR, 0xff);
    return bus;
}

static void enable(struct test_bus *bus, unsigned id, unsigned priority)
{
    test_put(bus, ISENABLER + id / 32 * 4, 1u << id % 32);
    test_write(bus, IPRIORITYR + id, priority, 1);
}

static void test_identity(void **state)
{
    struct test_bus *bus = gic_create();

    assert_int_equal(test_get(bus, TYPER), 2); /* (2 + 1) * 32 interrupts, one CPU */
    assert_int_equal(test_get(bus, 0xfe8), 0x2b);
    assert_int_equal(test_get(bus, 0xffc), 0xb1);
    assert_int_equal(test_get(bus, CPU + 0xfc), 0x0002043b);
    assert_int_equal(test_get(bus, ISENABLER), 0xffff); /* SGIs */
    assert_int_equal(test_get(bus, ICFGR), 0xaaaaaaaa);
    assert_int_equal(test_get(bus, ITARGETSR + SPI0), 0); /* RAZ: one CPU */
    test_put(bus, ISENABLER + 3 * 4, ~0u);                /* beyond the last */
    assert_int_equal(test_get(bus, ISENABLER + 3 * 4), 0);
    assert_int_equal(test_get(bus, PMR), 0xf8);
    test_bus_destroy(bus);
}

static void test_level(void **state)
{
    struct test_bus *bus = gic_create();

    enable(bus, SPI0 + 5, 0xa0);
    test_input(bus, 5, true);
    assert_true(bus->line[IRQ]);
    assert_false(bus->line[FIQ]);
    assert_int_equal(test_get(bus, ISPENDR + 4), 1 << 5);
    assert_int_equal(test_get(bus, RPR), 0xff);
    assert_int_equal(test_get(bus, HPPIR), SPI0 + 5);
    assert_int_equal(test_get(bus, IAR), SPI0 + 5);
    assert_int_equal(test_get(bus, RPR), 0xa0);
    assert_int_equal(test_get(bus, APR), 1 << (0xa0 >> 3));
    assert_false(bus->line[IRQ]);
    assert_int_equal(test_get(bus, ISACTIVER + 4), 1 << 5);
    /* Active and pending: the line is still up. Nothing more until the end of the interrupt. */
    assert_int_equal(test_get(bus, ISPENDR + 4), 1 << 5);
    assert_int_equal(test_get(bus, IAR), SPURIOUS);
    test_put(bus, EOIR, SPI0 + 5);
    assert_true(bus->line[IRQ]);
    assert_int_equal(test_get(bus, IAR), SPI0 + 5);
    test_input(bus, 5, false);
    assert_int_equal(test_get(bus, ISPENDR + 4), 0);
    test_put(bus, EOIR, SPI0 + 5);
    assert_false(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_edge(void **state)
{
    struct test_bus *bus = gic_create();

    enable(bus, SPI0 + 1, 0x80);
    test_put(bus, ICFGR + 8, 2u << 2);
    assert_int_equal(test_get(bus, ICFGR + 8), 2u << 2);
    test_input(bus, 1, true);
    test_input(bus, 1, false);
    assert_true(bus->line[IRQ]);
    assert_int_equal(test_get(bus, IAR), SPI0 + 1);
    assert_int_equal(test_get(bus, ISPENDR + 4), 0);
    test_input(bus, 1, true); /* a second edge while active */
    assert_int_equal(test_get(bus, ISPENDR + 4), 2);
    assert_false(bus->line[IRQ]);
    test_put(bus, EOIR, SPI0 + 1);
    assert_true(bus->line[IRQ]);
    test_put(bus, ICPENDR + 4, 2);
    assert_false(bus->line[IRQ]);
    test_put(bus, ISPENDR + 4, 2); /* software sets it pending */
    assert_true(bus->line[IRQ]);
    test_put(bus, ICENABLER + 4, 2);
    assert_false(bus->line[IRQ]);
    assert_int_equal(test_get(bus, IAR), SPURIOUS);
    test_bus_destroy(bus);
}

static void test_priority(void **state)
{
    struct test_bus *bus = gic_create();

    enable(bus, SPI0 + 1, 0xa0);
    enable(bus, SPI0 + 2, 0x60);
    enable(bus, SPI0 + 3, 0x63); /* the low bits are not there: the same as 0x60 */
    assert_int_equal(test_read(bus, IPRIORITYR + SPI0 + 3, 1), 0x60);
    assert_int_equal(test_get(bus, IPRIORITYR + SPI0), 0x6060a000);
    test_input(bus, 1, true);
    assert_int_equal(test_get(bus, IAR), SPI0 + 1);
    test_input(bus, 3, true);
    test_input(bus, 2, true);
    assert_true(bus->line[IRQ]); /* preempts; of equals the lower number first */
    assert_int_equal(test_get(bus, IAR), SPI0 + 2);
    assert_int_equal(test_get(bus, RPR), 0x60);
    assert_false(bus->line[IRQ]); /* the same priority does not preempt */
    test_put(bus, EOIR, SPI0 + 2);
    assert_int_equal(test_get(bus, RPR), 0xa0);
    test_input(bus, 2, false);
    assert_int_equal(test_get(bus, IAR), SPI0 + 3);
    test_put(bus, EOIR, SPI0 + 3);
    test_put(bus, EOIR, SPI0 + 1);
    test_put(bus, PMR, 0x60); /* only what is higher than 0x60 */
    assert_false(bus->line[IRQ]);
    assert_int_equal(test_get(bus, HPPIR), SPI0 + 3);
    assert_int_equal(test_get(bus, IAR), SPURIOUS);
    test_put(bus, PMR, 0x68);
    assert_true(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_binary_point(void **state)
{
    struct test_bus *bus = gic_create();

    assert_int_equal(test_get(bus, BPR), 2);
    assert_int_equal(test_get(bus, ABPR), 3);
    test_put(bus, BPR, 0);
    assert_int_equal(test_get(bus, BPR), 2); /* the least there is */
    test_put(bus, BPR, 6);                   /* group priority is bit 7 only */
    enable(bus, SPI0 + 1, 0x60);
    enable(bus, SPI0 + 2, 0x20);
    enable(bus, SPI0 + 3, 0x90);
    test_input(bus, 3, true);
    assert_int_equal(test_get(bus, IAR), SPI0 + 3);
    assert_int_equal(test_get(bus, RPR), 0x80);
    test_input(bus, 1, true);
    assert_int_equal(test_get(bus, IAR), SPI0 + 1);
    test_input(bus, 2, true);
    assert_false(bus->line[IRQ]); /* the same group priority as the running one */
    test_put(bus, BPR, 2);
    test_put(bus, EOIR, SPI0 + 1);
    assert_true(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_sgi(void **state)
{
    struct test_bus *bus = test_bus_create("gicv2", "num-cpu=2", NULL, false);

    test_put(bus, CTLR, 1);
    test_put(bus, CPU, 1);
    test_put(bus, PMR, 0xff);
    assert_int_equal(test_get(bus, ITARGETSR), 0x01010101);
    test_put(bus, SGIR, 2u << 24 | 7); /* to itself */
    assert_true(bus->line[IRQ]);
    assert_int_equal(test_get(bus, SPENDSGIR + 4), 0x01000000);
    test_write(bus, SPENDSGIR + 7, 2, 1); /* from CPU 1 as well */
    assert_int_equal(test_get(bus, HPPIR), 7);
    assert_int_equal(test_get(bus, IAR), 7);
    test_put(bus, EOIR, 7);
    assert_int_equal(test_get(bus, IAR), 7 | 1 << 10);
    test_put(bus, EOIR, 7 | 1 << 10);
    assert_int_equal(test_get(bus, IAR), SPURIOUS);
    test_put(bus, SGIR, 1u << 24 | 3); /* all others: CPU 1's line, output 2 */
    assert_false(bus->line[IRQ]);
    test_put(bus, SGIR, 3u << 16 | 4); /* by list */
    assert_int_equal(test_get(bus, IAR), 4);
    test_put(bus, EOIR, 4);
    test_put(bus, SGIR, 2u << 24 | 9);
    test_write(bus, CPENDSGIR + 9, 1, 1);
    assert_false(bus->line[IRQ]);
    test_put(bus, ISPENDR, 0xffff); /* no effect on SGIs */
    test_put(bus, ICENABLER, 0xffff);
    assert_int_equal(test_get(bus, ISENABLER), 0xffff);
    assert_false(bus->line[IRQ]);
    /* A shared interrupt goes where its target register says. */
    enable(bus, SPI0 + 1, 0x80);
    test_input(bus, 1, true);
    assert_false(bus->line[IRQ]);
    test_write(bus, ITARGETSR + SPI0 + 1, 0xff, 1);
    assert_int_equal(test_read(bus, ITARGETSR + SPI0 + 1, 1), 3);
    assert_true(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_groups(void **state)
{
    struct test_bus *bus = gic_create();

    enable(bus, SPI0 + 1, 0x80);
    enable(bus, SPI0 + 2, 0x40);
    test_put(bus, IGROUPR + 4, 1 << 2); /* 2 is group 1 */
    test_put(bus, CPU, 1 | 2 | 8);      /* both groups, group 0 as FIQ */
    test_input(bus, 1, true);
    assert_true(bus->line[FIQ]);
    assert_false(bus->line[IRQ]);
    test_input(bus, 2, true); /* higher priority: the IRQ is signalled instead */
    assert_true(bus->line[IRQ]);
    assert_false(bus->line[FIQ]);
    assert_int_equal(test_get(bus, IAR), 1022); /* AckCtl is 0 */
    assert_int_equal(test_get(bus, HPPIR), 1022);
    assert_int_equal(test_get(bus, AIAR), SPI0 + 2);
    assert_int_equal(test_get(bus, CPU + 0xe0), 1 << (0x40 >> 3));
    assert_int_equal(test_get(bus, AIAR), SPURIOUS);
    test_input(bus, 2, false);
    test_put(bus, AEOIR, SPI0 + 2);
    assert_true(bus->line[FIQ]);
    assert_int_equal(test_get(bus, AIAR), SPURIOUS); /* group 0 */
    assert_int_equal(test_get(bus, IAR), SPI0 + 1);
    test_input(bus, 1, false);
    test_put(bus, EOIR, SPI0 + 1);
    test_input(bus, 2, true);
    test_put(bus, CPU, 1 | 2 | 4); /* AckCtl */
    assert_int_equal(test_get(bus, IAR), SPI0 + 2);
    test_put(bus, CTLR, 1); /* group 1 off at the distributor */
    test_put(bus, EOIR, SPI0 + 2);
    assert_false(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_eoi_mode(void **state)
{
    struct test_bus *bus = gic_create();

    test_put(bus, CPU, 1 | 1 << 9);
    enable(bus, SPI0 + 1, 0x80);
    test_input(bus, 1, true);
    assert_int_equal(test_get(bus, IAR), SPI0 + 1);
    test_put(bus, EOIR, SPI0 + 1); /* drops the priority only */
    assert_int_equal(test_get(bus, RPR), 0xff);
    assert_int_equal(test_get(bus, ISACTIVER + 4), 2);
    assert_false(bus->line[IRQ]);
    test_put(bus, DIR, SPI0 + 1);
    assert_int_equal(test_get(bus, ISACTIVER + 4), 0);
    assert_true(bus->line[IRQ]);
    test_put(bus, ISACTIVER + 4, 2);
    assert_false(bus->line[IRQ]);
    test_put(bus, ICACTIVER + 4, 2);
    assert_true(bus->line[IRQ]);
    test_put(bus, EOIR, SPURIOUS); /* no effect */
    test_put(bus, EOIR, SPI0 + 1); /* not active: no effect */
    assert_int_equal(test_get(bus, RPR), 0xff);
    test_bus_destroy(bus);
}

static void test_private(void **state)
{
    struct test_bus *bus = gic_create();

    enable(bus, 27, 0);
    test_input(bus, GIC_PPI_LINE(0, 27), true);
    assert_true(bus->line[IRQ]);
    assert_int_equal(test_get(bus, 0xd00), 1u << 27); /* levels of the private inputs */
    assert_int_equal(test_get(bus, IAR), 27);
    assert_int_equal(test_get(bus, RPR), 0);
    test_input(bus, GIC_PPI_LINE(0, 27), false);
    test_put(bus, EOIR, 27);
    assert_false(bus->line[IRQ]);
    device_reset(bus->device);
    assert_int_equal(test_get(bus, CTLR), 0);
    assert_int_equal(test_get(bus, ISENABLER), 0xffff);
    test_bus_destroy(bus);
}

static void test_a9(void **state)
{
    struct test_bus *bus = test_bus_create("gic-a9mp", NULL, NULL, false);

    assert_int_equal(test_get(bus, TYPER), 2);
    assert_int_equal(test_get(bus, ICFGR + 4), 0x7dc00000);
    test_put(bus, ICFGR + 4, 0);
    assert_int_equal(test_get(bus, ICFGR + 4), 0x7dc00000);
    assert_int_equal(test_get(bus, CPU + 0xfc), 0x3901243b);
    test_put(bus, CTLR, 1);
    test_put(bus, CPU, 1);
    test_put(bus, PMR, 0xf0);
    enable(bus, 29, 0x40); /* the private timer: an edge */
    test_input(bus, GIC_PPI_LINE(0, 29), true);
    assert_int_equal(test_get(bus, IAR), 29);
    test_put(bus, EOIR, 29);
    assert_false(bus->line[IRQ]);
    test_input(bus, GIC_PPI_LINE(0, 29), false);
    test_input(bus, GIC_PPI_LINE(0, 29), true);
    assert_true(bus->line[IRQ]);
    test_bus_destroy(bus);
}

static void test_wild(void **state)
{
    struct test_bus *bus = gic_create();

    test_hostile(bus, 20000);
    test_bus_destroy(bus);
    bus = test_bus_create("gicv2", "num-irq=1020,num-cpu=8", NULL, false);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
    bus = test_bus_create("gic-a9mp", NULL, NULL, false);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_v2m(void **state)
{
    struct test_bus *bus = test_bus_create("gicv2m", "base-spi=48,num-spi=64", NULL, false);

    assert_int_equal(test_get(bus, 8), 80 << 16 | 64);
    test_put(bus, 0x40, 80 + 3);
    assert_int_equal(bus->rises[3], 1);
    assert_false(bus->line[3]);
    test_put(bus, 0x40, 79); /* not one of them */
    test_put(bus, 0x40, 144);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity),     cmocka_unit_test(test_level),
        cmocka_unit_test(test_edge),         cmocka_unit_test(test_priority),
        cmocka_unit_test(test_binary_point), cmocka_unit_test(test_sgi),
        cmocka_unit_test(test_groups),       cmocka_unit_test(test_eoi_mode),
        cmocka_unit_test(test_private),      cmocka_unit_test(test_a9),
        cmocka_unit_test(test_wild),         cmocka_unit_test(test_v2m),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
