/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's interrupt controllers: 8259A pair (Intel 231468), I/O APIC (290566), local APIC (SDM 3A,
 * chapter 11). */
#include "bus.h"
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"

enum { ELCR = TEST_PORT_STRIDE, READ_ISR = 0x0b, READ_IRR = 0x0a };

static void pic_init(struct test_bus *bus, uint8_t icw4)
{
    test_port_write(bus, 0, 0x11, 1);
    test_port_write(bus, 1, 0x20, 1);
    test_port_write(bus, 1, 0x04, 1);
    test_port_write(bus, 1, icw4, 1);
}

static uint8_t pic_register(struct test_bus *bus, uint8_t ocw3)
{
    test_port_write(bus, 0, ocw3, 1);
    return (uint8_t)test_port_read(bus, 0, 1);
}

static void test_pic_nesting(void **state)
{
    struct test_bus *bus = test_bus_create("i8259", NULL, NULL, false);

    pic_init(bus, 1);
    assert_int_equal(test_port_read(bus, 1, 1), 0);
    test_input(bus, 3, true);
    assert_true(bus->line[0]);
    assert_int_equal(pic_register(bus, READ_IRR), 8);
    assert_int_equal(i8259_acknowledge(bus->device), 0x23);
    assert_int_equal(pic_register(bus, READ_IRR), 0);
    assert_int_equal(pic_register(bus, READ_ISR), 8);
    assert_false(bus->line[0]);
    test_input(bus, 5, true); /* lower: waits */
    assert_false(bus->line[0]);
    test_input(bus, 1, true); /* higher: nests */
    assert_int_equal(i8259_acknowledge(bus->device), 0x21);
    test_port_write(bus, 0, 0x20, 1); /* unspecific EOI ends 1 */
    assert_int_equal(pic_register(bus, READ_ISR), 8);
    test_port_write(bus, 0, 0x63, 1); /* specific EOI of 3 */
    assert_true(bus->line[0]);
    test_port_write(bus, 1, 0x20, 1); /* masks 5 */
    assert_false(bus->line[0]);
    test_port_write(bus, 1, 0, 1);
    test_input(bus, 5, false); /* gone before it was acknowledged */
    assert_false(bus->line[0]);
    assert_int_equal(i8259_acknowledge(bus->device), 0x27);
    assert_int_equal(pic_register(bus, READ_ISR), 0);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_pic_modes(void **state)
{
    struct test_bus *bus = test_bus_create("i8259", NULL, NULL, false);

    pic_init(bus, 3); /* automatic EOI */
    test_input(bus, 4, true);
    i8259_acknowledge(bus->device);
    assert_int_equal(pic_register(bus, READ_ISR), 0);
    pic_init(bus, 1);
    test_input(bus, 4, false);
    test_input(bus, 4, true);
    test_input(bus, 6, true);
    test_port_write(bus, 0, 0xc4, 1); /* 4 lowest: 6 wins */
    assert_int_equal(i8259_acknowledge(bus->device), 0x26);
    test_port_write(bus, 0, 0xa0, 1); /* EOI, 6 becomes lowest */
    assert_int_equal(i8259_acknowledge(bus->device), 0x24);
    test_input(bus, 5, true);
    assert_false(bus->line[0]);
    test_port_write(bus, 1, 0x10, 1); /* special mask: 4 no longer holds others back */
    test_port_write(bus, 0, 0x68, 1);
    assert_true(bus->line[0]);
    test_port_write(bus, 0, 0x0c, 1); /* poll */
    assert_int_equal(test_port_read(bus, 0, 1), 0x85);
    assert_int_equal(pic_register(bus, READ_ISR), 0x30);
    test_port_write(bus, ELCR, 0xff, 1);
    assert_int_equal(test_port_read(bus, ELCR, 1), 0xf8);
    pic_init(bus, 1);
    assert_int_equal(i8259_acknowledge(bus->device), 0x24); /* levels are still there */
    test_port_write(bus, 0, 0x20, 1);
    assert_true(bus->line[0]); /* and again after the EOI */
    test_bus_destroy(bus);
}

static void test_pic_cascade(void **state)
{
    struct test_bus *bus = test_bus_create("i8259", NULL, NULL, false);
    struct device *slave = test_bus_add(bus, "i8259", "pic1", NULL);
    struct error err = {""};

    assert_true(device_map(slave, 0, TEST_PORT + 0x800, &err));
    slave->irq_out[0] = device_irq_in(bus->device, 2);
    i8259_set_slave(bus->device, slave, 2);
    pic_init(bus, 1);
    test_port_write(bus, 0x800, 0x11, 1);
    test_port_write(bus, 0x801, 0x70, 1);
    test_port_write(bus, 0x801, 2, 1);
    test_port_write(bus, 0x801, 1, 1);
    struct irq clock = device_irq_in(slave, 0), disk = device_irq_in(slave, 6);
    irq_set(&disk, true);
    assert_int_equal(i8259_acknowledge(bus->device), 0x76);
    irq_set(&clock, true); /* higher in the slave, but the master serves 2 */
    assert_false(bus->line[0]);
    test_port_write(bus, 0, 0x20, 1);
    assert_true(bus->line[0]);
    assert_int_equal(i8259_acknowledge(bus->device), 0x70);
    test_port_write(bus, 0x800, 0x20, 1);
    test_port_write(bus, 0x800, 0x20, 1);
    test_port_write(bus, 0, 0x20, 1);
    assert_false(bus->line[0]);
    test_bus_destroy(bus);
}

static void test_gsi(void **state)
{
    struct test_bus *bus = test_bus_create("gsi", NULL, NULL, false);

    test_input(bus, 0, true);
    assert_true(bus->line[0] && bus->line[18] && !bus->line[16]);
    test_input(bus, 9, true);
    assert_true(bus->line[9] && bus->line[25]);
    test_input(bus, 20, true);
    assert_true(bus->line[36]);
    test_input(bus, 0, false);
    assert_false(bus->line[0] || bus->line[18]);
    test_bus_destroy(bus);
}

/* ---- APICs ----------------------------------------------------------------------------------- */

enum {
    A_TPR = 0x80,
    A_PPR = 0xa0,
    A_EOI = 0xb0,
    A_SVR = 0xf0,
    A_ISR = 0x100,
    A_IRR = 0x200,
    A_ESR = 0x280,
    A_ICR = 0x300,
    A_TIMER = 0x320,
    A_LINT0 = 0x350,
    A_INITIAL = 0x380,
    A_CURRENT = 0x390,
    A_DIVIDE = 0x3e0,
};

static struct test_bus *apic_create(void)
{
    struct test_bus *bus = test_bus_create("apic", NULL, NULL, false);

    free((char *)bus->device->id);
    bus->device->id = strdup("apic0");
    test_put(bus, A_SVR, 0x1ff);
    return bus;
}

static void message(struct test_bus *bus, uint8_t vector, bool level)
{
    apic_deliver(&bus->machine,
                 &(struct apic_message){.destination = 0, .vector = vector, .level = level});
}

static void test_apic_priorities(void **state)
{
    struct test_bus *bus = apic_create();

    message(bus, 0x35, false);
    assert_true(bus->line[0]);
    assert_int_equal(test_get(bus, A_IRR + 0x10), 1u << 0x15);
    test_put(bus, A_TPR, 0x30);
    assert_false(bus->line[0]);
    assert_int_equal(apic_acknowledge(bus->device), -1);
    test_put(bus, A_TPR, 0x2f);
    assert_int_equal(apic_acknowledge(bus->device), 0x35);
    assert_int_equal(test_get(bus, A_PPR), 0x30);
    message(bus, 0x3f, false); /* same class: waits */
    assert_false(bus->line[0]);
    message(bus, 0x41, false);
    assert_int_equal(apic_acknowledge(bus->device), 0x41);
    test_put(bus, A_EOI, 0);
    test_put(bus, A_EOI, 0);
    assert_int_equal(apic_acknowledge(bus->device), 0x3f);
    assert_int_equal(test_get(bus, A_ISR + 0x10), 1u << 31);
    test_put(bus, A_EOI, 0);
    test_put(bus, A_ICR, 0x40000 | 0x99); /* self */
    assert_int_equal(apic_acknowledge(bus->device), 0x99);
    test_put(bus, A_EOI, 0);
    test_put(bus, A_ICR, 0x40003); /* illegal vector */
    test_put(bus, A_ESR, 0);
    assert_int_equal(test_get(bus, A_ESR), 0x20);
    apic_msi(&bus->machine, 0xfee00000, 0x4044);
    assert_int_equal(apic_acknowledge(bus->device), 0x44);
    test_write(bus, 0x1000, 0x55, 4); /* 0xfee01000: a message to APIC 1, which is not there */
    assert_int_equal(apic_acknowledge(bus->device), -1);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

static void test_apic_timer(void **state)
{
    struct test_bus *bus = apic_create();

    test_put(bus, A_DIVIDE, 0xb); /* by 1 */
    test_put(bus, A_TIMER, 0x31);
    test_put(bus, A_INITIAL, 100000);
    clock_advance(bus->machine.clock, 40000);
    assert_int_equal(test_get(bus, A_CURRENT), 60000);
    clock_advance(bus->machine.clock, 59999);
    assert_false(bus->line[0]);
    clock_advance(bus->machine.clock, 1);
    assert_int_equal(apic_acknowledge(bus->device), 0x31);
    assert_int_equal(test_get(bus, A_CURRENT), 0);
    test_put(bus, A_EOI, 0);
    test_put(bus, A_DIVIDE, 3); /* by 16 */
    test_put(bus, A_TIMER, 0x20031);
    test_put(bus, A_INITIAL, 10000);
    for (unsigned i = 0; i < 3; i++) {
        clock_advance(bus->machine.clock, 160000);
        assert_int_equal(apic_acknowledge(bus->device), 0x31);
        test_put(bus, A_EOI, 0);
    }
    test_put(bus, A_TIMER, 0x40032); /* TSC deadline */
    clock_advance(bus->machine.clock, 1000000);
    assert_false(bus->line[0]);
    apic_set_tsc_deadline(bus->device, 12345, clock_now_ns(bus->machine.clock) + 500);
    assert_int_equal(apic_get_tsc_deadline(bus->device), 12345);
    clock_advance(bus->machine.clock, 500);
    assert_int_equal(apic_get_tsc_deadline(bus->device), 0);
    assert_int_equal(apic_acknowledge(bus->device), 0x32);
    test_bus_destroy(bus);
}

static void write_divide(void *bus)
{
    test_put(bus, A_DIVIDE, 3);
}

/* What is written at the very moment when the shot is due does not lose it. */
static void test_apic_timer_due(void **state)
{
    struct test_bus *bus = apic_create();
    struct timer writer;

    timer_init(&writer, bus->machine.clock, write_divide, bus);
    timer_set(&writer, clock_now_ns(bus->machine.clock) + 1000);
    test_put(bus, A_DIVIDE, 0xb); /* by 1 */
    test_put(bus, A_TIMER, 0x31);
    test_put(bus, A_INITIAL, 1000);
    clock_advance(bus->machine.clock, 1000);
    assert_int_equal(apic_acknowledge(bus->device), 0x31);
    test_put(bus, A_EOI, 0);
    /* Once it has been fired, nothing fires it again. */
    test_put(bus, A_DIVIDE, 0xb);
    test_put(bus, A_TIMER, 0x20031);
    test_put(bus, A_TIMER, 0x31);
    clock_advance(bus->machine.clock, 100000);
    assert_int_equal(apic_acknowledge(bus->device), 0x31);
    test_put(bus, A_EOI, 0);
    test_put(bus, A_DIVIDE, 3);
    clock_advance(bus->machine.clock, 100000);
    assert_int_equal(apic_acknowledge(bus->device), -1);
    timer_cancel(&writer);
    test_bus_destroy(bus);
}

static void test_apic_modes(void **state)
{
    struct test_bus *bus = apic_create();
    struct device *apic = bus->device;
    uint64_t value;

    assert_int_equal(apic_get_base(apic), 0xfee00900);
    assert_true(apic_accepts_extint(apic)); /* virtual wire */
    test_input(bus, APIC_LINT0, true);
    assert_true(bus->line[APIC_OUT_INTR]);
    assert_int_equal(apic_acknowledge(apic), -1);
    test_put(bus, A_LINT0, 0x10700);
    assert_false(bus->line[APIC_OUT_INTR]);
    assert_false(apic_accepts_extint(apic));
    test_put(bus, A_LINT0 + 0x10, 0x400); /* NMI */
    test_input(bus, APIC_LINT1, true);
    assert_int_equal(bus->rises[APIC_OUT_NMI], 1);
    assert_false(apic_set_base(apic, 0xfee00500));
    assert_true(apic_set_base(apic, 0xfee00d00));
    assert_true(apic_msr_read(apic, 0x802, &value));
    assert_int_equal(value, 0);
    assert_true(apic_msr_read(apic, 0x80d, &value));
    assert_int_equal(value, 1);
    assert_false(apic_msr_read(apic, 0x80e, &value));
    assert_false(apic_msr_write(apic, 0x80b, 1));
    assert_true(apic_msr_write(apic, 0x83f, 0x66));
    assert_int_equal(apic_acknowledge(apic), 0x66);
    assert_true(apic_msr_write(apic, 0x80b, 0));
    assert_false(apic_set_base(apic, 0xfee00900)); /* only by way of off */
    assert_true(apic_set_base(apic, 0xfee00100));
    assert_true(bus->line[APIC_OUT_INTR]);        /* off: LINT0 is INTR */
    assert_true(apic_set_base(apic, 0xe0000900)); /* on, and elsewhere */
    memory_store(bus->machine.memory, 0xe0000000 + A_TPR, 0x40, 4, NULL);
    assert_int_equal(apic_get_tpr(apic), 0x40);
    test_bus_destroy(bus);
}

static void ioapic_put(struct test_bus *bus, unsigned index, uint32_t value)
{
    test_put(bus, 0, index);
    test_put(bus, 0x10, value);
}

static uint32_t ioapic_get(struct test_bus *bus, unsigned index)
{
    test_put(bus, 0, index);
    return test_get(bus, 0x10);
}

static void test_ioapic(void **state)
{
    struct test_bus *bus = test_bus_create("ioapic", NULL, NULL, false);
    struct device *apic = test_bus_add(bus, "apic", "apic0", NULL);

    device_reset(bus->device); /* finds the APIC */
    struct error err = {""};
    assert_true(device_map(apic, 0, 0xfee00000, &err));
    memory_store(bus->machine.memory, 0xfee00000 + A_SVR, 0x1ff, 4, NULL);
    assert_int_equal(ioapic_get(bus, 1), 0x170011);
    assert_int_equal(ioapic_get(bus, 0x10), 0x10000);
    ioapic_put(bus, 0x12, 0x51); /* pin 1: edge */
    test_input(bus, 1, true);
    assert_int_equal(apic_acknowledge(apic), 0x51);
    memory_store(bus->machine.memory, 0xfee00000 + A_EOI, 0, 4, NULL);
    assert_int_equal(apic_acknowledge(apic), -1);
    ioapic_put(bus, 0x30, 0xa061); /* pin 16: level, active low */
    test_input(bus, 16, true);
    assert_int_equal(ioapic_get(bus, 0x30), 0xe061);
    assert_int_equal(apic_acknowledge(apic), 0x61);
    memory_store(bus->machine.memory, 0xfee00000 + A_EOI, 0, 4, NULL);
    assert_int_equal(apic_acknowledge(apic), 0x61); /* still asks */
    test_input(bus, 16, false);
    memory_store(bus->machine.memory, 0xfee00000 + A_EOI, 0, 4, NULL);
    assert_int_equal(ioapic_get(bus, 0x30), 0xa061);
    assert_int_equal(apic_acknowledge(apic), -1);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pic_nesting),     cmocka_unit_test(test_pic_modes),
        cmocka_unit_test(test_pic_cascade),     cmocka_unit_test(test_gsi),
        cmocka_unit_test(test_apic_priorities), cmocka_unit_test(test_apic_timer),
        cmocka_unit_test(test_apic_timer_due),  cmocka_unit_test(test_apic_modes),
        cmocka_unit_test(test_ioapic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
