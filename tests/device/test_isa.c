/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's small ISA devices: port 92, parallel port, debug ports, fw_cfg in the port space. */
#include "bus.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

static void out(struct test_bus *bus, unsigned offset, uint8_t value)
{
    test_port_write(bus, offset, value, 1);
}

static uint8_t in(struct test_bus *bus, unsigned offset)
{
    return (uint8_t)test_port_read(bus, offset, 1);
}

/* Intel 290562: bit 1 is A20, a rising bit 0 resets. */
static void test_port92(void **state)
{
    struct test_bus *bus = test_bus_create("port92", NULL, NULL, false);

    assert_int_equal(in(bus, 0), 2);
    assert_true(bus->line[0]);
    out(bus, 0, 0);
    assert_false(bus->line[0]);
    assert_int_equal(in(bus, 0) & 2, 0);
    out(bus, 0, 2);
    assert_true(bus->line[0]);
    assert_false(bus->has_event);
    out(bus, 0, 3);
    assert_true(bus->has_event);
    assert_int_equal(bus->event, MACHINE_RESET);
    bus->has_event = false;
    out(bus, 0, 3);
    assert_false(bus->has_event);
    out(bus, 0, 0);
    device_reset(bus->device);
    assert_true(bus->line[0]);
    assert_int_equal(in(bus, 0), 2);
    test_hostile(bus, 2000);
    test_bus_destroy(bus);
}

/* ---- parallel port --------------------------------------------------------------------------- */

enum { DATA, STATUS, CONTROL };
enum { STROBE = 1, NOT_INIT = 4, SELECT = 8, IRQ = 0x10, INPUT = 0x20 };
enum { NOT_ERROR = 8, SELECTED = 0x10, NOT_ACK = 0x40, NOT_BUSY = 0x80 };

static void print(struct test_bus *bus, char c, uint8_t control)
{
    out(bus, DATA, (uint8_t)c);
    out(bus, CONTROL, control | STROBE);
    out(bus, CONTROL, control);
}

static void test_parallel(void **state)
{
    struct test_bus *bus = test_bus_create("parallel", NULL, NULL, true);
    const uint8_t ready = NOT_ERROR | SELECTED | NOT_ACK | NOT_BUSY;

    assert_int_equal(in(bus, CONTROL), 0xcc);
    assert_int_equal(in(bus, STATUS) & 0xf8, ready);
    out(bus, DATA, 0xa5);
    assert_int_equal(in(bus, DATA), 0xa5);
    out(bus, CONTROL, NOT_INIT | SELECT | STROBE);
    assert_int_equal(in(bus, STATUS) & NOT_BUSY, 0);
    assert_int_equal(bus->n_sent, 0);
    out(bus, CONTROL, NOT_INIT | SELECT);
    assert_int_equal(bus->n_sent, 1);
    assert_int_equal(bus->sent[0], 0xa5);
    assert_int_equal(in(bus, STATUS) & NOT_ACK, 0); /* acknowledged */
    assert_int_equal(in(bus, STATUS) & 0xf8, ready);
    out(bus, CONTROL, SELECT); /* initialises: not ready */
    assert_int_equal(in(bus, STATUS) & NOT_BUSY, 0);
    print(bus, 'x', SELECT);
    assert_int_equal(bus->n_sent, 1);
    out(bus, CONTROL, NOT_INIT | INPUT);
    assert_int_equal(in(bus, DATA), 0xff);
    assert_int_equal(in(bus, STATUS) & SELECTED, 0);
    test_hostile(bus, 5000);
    test_bus_destroy(bus);
}

/* An edge for every byte, which stays until the status is read, the next byte, or it is disabled.
 */
static void test_parallel_interrupt(void **state)
{
    struct test_bus *bus = test_bus_create("parallel", NULL, NULL, true);
    const uint8_t control = NOT_INIT | SELECT | IRQ;

    print(bus, 'a', NOT_INIT | SELECT);
    assert_false(bus->line[0]);
    in(bus, STATUS);
    print(bus, 'b', control);
    assert_true(bus->line[0]);
    in(bus, STATUS);
    assert_false(bus->line[0]);
    print(bus, 'c', control);
    print(bus, 'd', control); /* by a driver that never reads the status */
    assert_int_equal(bus->rises[0], 3);
    assert_true(bus->line[0]);
    out(bus, CONTROL, NOT_INIT | SELECT);
    assert_false(bus->line[0]);
    assert_memory_equal(bus->sent, "abcd", 4);
    test_bus_destroy(bus);
}

/* ---- debug ports ----------------------------------------------------------------------------- */

static void test_debugcon(void **state)
{
    struct test_bus *bus = test_bus_create("isa-debugcon", NULL, NULL, true);

    assert_int_equal(in(bus, 0), 0xe9);
    out(bus, 0, 'h');
    out(bus, 0, 'i');
    assert_int_equal(bus->n_sent, 2);
    assert_memory_equal(bus->sent, "hi", 2);
    test_bus_destroy(bus);
    bus = test_bus_create("isa-debugcon", "readback=0x12", NULL, false);
    assert_int_equal(in(bus, 0), 0x12);
    out(bus, 0, 'x'); /* nobody listens */
    test_bus_destroy(bus);
}

static void test_debug_exit(void **state)
{
    struct test_bus *bus = test_bus_create("isa-debug-exit", "iosize=4", NULL, false);

    test_port_read(bus, 0, 1);
    assert_false(bus->has_event);
    test_port_write(bus, 0, 0, 1);
    assert_true(bus->has_event);
    assert_int_equal(bus->event, MACHINE_EXIT);
    assert_int_equal(bus->machine.exit_status, 1);
    test_port_write(bus, 0, 0x10, 4);
    assert_int_equal(bus->machine.exit_status, 0x21);
    test_port_write(bus, 0, 0xffffffff, 4);
    assert_int_equal(bus->machine.exit_status, 0xff);
    test_hostile(bus, 1000);
    test_bus_destroy(bus);
}

/* ---- fw_cfg ---------------------------------------------------------------------------------- */

enum { SELECTOR = 0, FW_DATA = 1, DMA = TEST_PORT_STRIDE };
enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
enum { REQUEST = 0x1000, BUFFER = 0x2000 };

static uint32_t dma(struct test_bus *bus, uint32_t control, uint32_t length, uint64_t address)
{
    store_be32(bus->ram + REQUEST, control);
    store_be32(bus->ram + REQUEST + 4, length);
    store_be64(bus->ram + REQUEST + 8, address);
    test_port_write(bus, DMA, 0, 4);
    test_port_write(bus, DMA + 4, __builtin_bswap32(TEST_RAM + REQUEST), 4);
    return load_be32(bus->ram + REQUEST);
}

static struct test_bus *create_fw_cfg(void)
{
    struct test_bus *bus = test_bus_create("fw_cfg-port", NULL, NULL, false);

    assert_true(fw_cfg_add_file(bus->device, "etc/test", "0123456789", 10));
    return bus;
}

static void test_fw_cfg_ports(void **state)
{
    struct test_bus *bus = create_fw_cfg();
    char text[16] = "";

    for (unsigned i = 0; i < 6; i++) /* the signature is item 0; zeros follow its end */
        text[i] = (char)in(bus, FW_DATA);
    assert_memory_equal(text, "QEMU\0\0", 6);
    test_port_write(bus, SELECTOR, FW_CFG_ID, 2);
    assert_int_equal(in(bus, FW_DATA), 3); /* with DMA */
    test_port_write(bus, SELECTOR, FW_CFG_FILE_FIRST, 2);
    for (unsigned i = 0; i < 12; i++)
        text[i] = (char)in(bus, FW_DATA);
    assert_memory_equal(text, "0123456789\0\0", 12);
    test_port_write(bus, SELECTOR, FW_CFG_FILE_FIRST, 2); /* selecting starts again */
    assert_int_equal(in(bus, FW_DATA), '0');
    test_port_write(bus, SELECTOR, 0x8000, 2); /* not there */
    assert_int_equal(in(bus, FW_DATA), 0);
    test_port_write(bus, SELECTOR, 0x3fff, 2);
    assert_int_equal(in(bus, FW_DATA), 0);
    test_bus_destroy(bus);
}

static void test_fw_cfg_dma(void **state)
{
    struct test_bus *bus = create_fw_cfg();
    uint32_t select = (uint32_t)FW_CFG_FILE_FIRST << 16 | DMA_SELECT;

    assert_int_equal(test_port_read(bus, DMA, 4), 0x554d4551); /* "QEMU CFG", big-endian */
    assert_int_equal(test_port_read(bus, DMA + 4, 4), 0x47464320);
    memset(bus->ram + BUFFER, 0xaa, 16);
    assert_int_equal(dma(bus, select | DMA_READ, 4, TEST_RAM + BUFFER), 0);
    assert_memory_equal(bus->ram + BUFFER, "0123\xaa", 5);
    assert_int_equal(dma(bus, DMA_SKIP, 2, 0), 0);
    assert_int_equal(dma(bus, DMA_READ, 8, TEST_RAM + BUFFER), 0);
    assert_memory_equal(bus->ram + BUFFER, "6789\0\0\0\0\xaa", 9);
    assert_int_equal(dma(bus, select | DMA_WRITE, 4, TEST_RAM + BUFFER), DMA_ERROR);
    assert_int_equal(dma(bus, DMA_READ, 4, TEST_RAM + BUFFER), 0);
    assert_memory_equal(bus->ram + BUFFER, "0123", 4); /* read-only: as it was */
    test_bus_destroy(bus);
}

/* What a hostile guest tries: outside RAM, around the end of the address space, device registers.
 */
static void test_fw_cfg_dma_abuse(void **state)
{
    struct test_bus *bus = create_fw_cfg();
    uint32_t read = (uint32_t)FW_CFG_FILE_FIRST << 16 | DMA_SELECT | DMA_READ;
    const uint64_t end = (uint64_t)TEST_RAM + TEST_RAM_SIZE;
    static const uint32_t lengths[] = {1, 10, 0x1000, 0x7fffffff, 0xffffffff};

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        assert_int_equal(dma(bus, read, lengths[i], 0), DMA_ERROR);
        assert_int_equal(dma(bus, read, lengths[i], end), DMA_ERROR);
        assert_int_equal(dma(bus, read, lengths[i], UINT64_MAX - 4), DMA_ERROR);
        assert_int_equal(dma(bus, DMA_SKIP, lengths[i], 0), 0);
    }
    assert_int_equal(dma(bus, read, 10, end - 9), DMA_ERROR);
    assert_int_equal(dma(bus, read, 0, UINT64_MAX), 0);
    assert_int_equal(dma(bus, read, TEST_RAM_SIZE - BUFFER, TEST_RAM + BUFFER), 0);
    assert_int_equal(bus->ram[BUFFER], '0');
    assert_int_equal(bus->ram[TEST_RAM_SIZE - 1], 0);
    struct error err = {""}; /* RAM in two pieces is RAM */
    uint8_t *more = memory_add_ram(bus->machine.memory, "more", end, 0x1000, &err);
    assert_non_null(more);
    assert_int_equal(dma(bus, read, 10, end - 4), 0);
    assert_memory_equal(bus->ram + TEST_RAM_SIZE - 4, "0123", 4);
    assert_memory_equal(more, "456789", 7);
    assert_int_equal(dma(bus, read, 0x1001, end), DMA_ERROR);
    /* The request itself: nowhere, over the end of RAM, and over itself. */
    test_port_write(bus, DMA + 4, 0, 4);
    test_port_write(bus, DMA + 4, __builtin_bswap32((uint32_t)end - 8), 4);
    test_port_write(bus, DMA, 0xffffffff, 4);
    test_port_write(bus, DMA + 4, 0xffffffff, 4);
    assert_int_equal(dma(bus, read, 16, TEST_RAM + REQUEST), 0);
    test_hostile(bus, 20000);
    test_bus_destroy(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port92),
        cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_parallel_interrupt),
        cmocka_unit_test(test_debugcon),
        cmocka_unit_test(test_debug_exit),
        cmocka_unit_test(test_fw_cfg_ports),
        cmocka_unit_test(test_fw_cfg_dma),
        cmocka_unit_test(test_fw_cfg_dma_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
