/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-blk over both transports and both interfaces: VIRTIO 1.2, section 5.2. */
#include <unistd.h>

#include "disk.h"
#include "util/bits.h"
#include "virtio_driver.h"

enum {
    T_IN = 0,
    T_OUT = 1,
    T_FLUSH = 4,
    T_GET_ID = 8,
    T_DISCARD = 11,
    T_WRITE_ZEROES = 13,
    F_RO = 1 << 5,
    F_FLUSH = 1 << 9,
    F_CONFIG_WCE = 1 << 11,
    F_MQ = 1 << 12,
    F_DISCARD = 1 << 13,
    F_WRITE_ZEROES = 1 << 14,
    F_INDIRECT = 1 << 28,
    F_EVENT = 1 << 29,
    OK = 0,
    IOERR = 1,
    UNSUPP = 2,
    NEEDS_RESET = 64,
    SECTORS = 4096,
    /* In RAM: */
    HEADER = DRIVER_BUFFERS,
    STATUS = DRIVER_BUFFERS + 0x100,
    DATA = DRIVER_BUFFERS + 0x1000,
    TABLES = DRIVER_BUFFERS + 0x200000,
};

struct fixture {
    struct driver *drv;
    struct block *block;
};

static struct fixture create(enum driver_mode mode, unsigned flags, const char *props)
{
    struct fixture f = {.block = disk_create(SECTORS, flags)};

    f.drv = driver_create(mode, "blk", props, f.block);
    return f;
}

static void destroy(struct fixture *f)
{
    driver_destroy(f->drv);
    block_close(f->block);
}

static void set_header(struct fixture *f, gpa at, uint32_t type, uint64_t sector)
{
    store_le32(f->drv->pc->ram + at, type);
    store_le32(f->drv->pc->ram + at + 4, 0);
    store_le64(f->drv->pc->ram + at + 8, sector);
}

/* Header, data and status in descriptors 0 to 2. */
static void build(struct fixture *f, uint32_t type, uint64_t sector, uint32_t size)
{
    gpa table = driver_table(f->drv, 0);
    bool in = type == T_IN || type == T_GET_ID;

    set_header(f, HEADER, type, sector);
    f->drv->pc->ram[STATUS] = 0xee;
    driver_descriptor(f->drv, table, 0, HEADER, 16, DESC_NEXT, size ? 1 : 2);
    driver_descriptor(f->drv, table, 1, DATA, size, DESC_NEXT | (in ? DESC_WRITE : 0), 2);
    driver_descriptor(f->drv, table, 2, STATUS, 1, DESC_WRITE, 0);
}

static uint8_t run(struct fixture *f)
{
    uint16_t before = driver_used_index(f->drv, 0);

    driver_offer(f->drv, 0, 0);
    block_drain(f->block);
    assert_int_equal(driver_used_index(f->drv, 0), (uint16_t)(before + 1));
    return f->drv->pc->ram[STATUS];
}

static uint8_t request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t size)
{
    build(f, type, sector, size);
    return run(f);
}

static uint32_t last_length(struct fixture *f)
{
    return driver_used_length(f->drv, 0, (uint16_t)(driver_used_index(f->drv, 0) - 1));
}

/* ---- what a driver does ---------------------------------------------------------------------- */

static void test_configuration(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct fixture f = create(mode, 0, "physical_block_size=4096");
        uint64_t offered = driver_offered(f.drv);
        assert_int_equal(offered & F_FLUSH, F_FLUSH);
        assert_int_equal(offered & (F_RO | F_MQ), 0);
        assert_int_equal(driver_config(f.drv, 0, 4), SECTORS);
        assert_int_equal(driver_config(f.drv, 4, 4), 0);
        assert_int_equal(driver_config(f.drv, 12, 4), 254);
        assert_int_equal(driver_config(f.drv, 20, 4), 512);
        assert_int_equal(driver_config(f.drv, 24, 1), 3);
        assert_int_equal(driver_config(f.drv, 26, 2), 8);
        assert_int_equal(driver_config(f.drv, 32, 1), 1);
        driver_set_config(f.drv, 32, 0, 1); /* not before it is agreed on */
        assert_int_equal(driver_config(f.drv, 32, 1), 1);
        driver_start(f.drv, F_FLUSH | F_CONFIG_WCE, 1);
        driver_set_config(f.drv, 32, 0, 1);
        assert_int_equal(driver_config(f.drv, 32, 1), 0);
        assert_int_equal(request(&f, T_OUT, 1, 512), OK);
        driver_start(f.drv, F_CONFIG_WCE, 1); /* one that cannot flush */
        assert_int_equal(driver_config(f.drv, 32, 1), 0);
        driver_set_config(f.drv, 32, 1, 1);
        assert_int_equal(driver_config(f.drv, 32, 1), 0);
        assert_int_equal(request(&f, T_OUT, 1, 512), OK);
        destroy(&f);
    }
    struct fixture f = create(DRIVER_PCI, BLOCK_READ_ONLY, NULL);
    assert_int_equal(driver_offered(f.drv) & (F_RO | F_DISCARD | F_WRITE_ZEROES), F_RO);
    destroy(&f);
    f = create(DRIVER_MMIO, BLOCK_WRITE_THROUGH, NULL);
    assert_int_equal(driver_config(f.drv, 32, 1), 0);
    destroy(&f);
}

static void test_transfers(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct fixture f = create(mode, 0, "serial=ABCDEFGHIJKLMNOPQRSTUVW");
        uint8_t *data = f.drv->pc->ram + DATA;
        driver_start(f.drv, F_FLUSH, 1);
        assert_int_equal(request(&f, T_IN, 7, 1024), OK);
        assert_int_equal(load_le32(data), 7);
        assert_int_equal(load_le32(data + 512), 8);
        assert_int_equal(last_length(&f), 1025);
        assert_int_equal(driver_interrupts(f.drv), 1);
        memset(data, 0x5a, 1024);
        assert_int_equal(request(&f, T_OUT, SECTORS - 2, 1024), OK);
        assert_int_equal(last_length(&f), 1);
        assert_int_equal(request(&f, T_FLUSH, 0, 0), OK);
        memset(data, 0, 1024);
        assert_int_equal(request(&f, T_IN, SECTORS - 1, 512), OK);
        assert_int_equal(data[511], 0x5a);
        assert_int_equal(request(&f, T_GET_ID, 0, 20), OK);
        assert_memory_equal(data, "ABCDEFGHIJKLMNOPQRST", 20);
        assert_int_equal(last_length(&f), 21);
        assert_int_equal(request(&f, T_IN, 0, 0), OK);
        destroy(&f);
    }
}

/* More than one piece, from and to scattered buffers. */
static void test_large(void **state)
{
    enum { SIZE = 1024 * 1024, PART = SIZE / 8 };
    struct fixture f = create(DRIVER_PCI, 0, NULL);
    gpa table = driver_table(f.drv, 0);
    uint8_t *ram = f.drv->pc->ram;

    driver_start(f.drv, F_FLUSH, 1);
    for (unsigned write = 0; write < 2; write++) {
        set_header(&f, HEADER, write ? T_OUT : T_IN, write ? 2048 : 0);
        driver_descriptor(f.drv, table, 0, HEADER, 16, DESC_NEXT, 1);
        for (unsigned i = 0; i < 8; i++) /* the parts lie backwards */
            driver_descriptor(f.drv, table, i + 1, DATA + (7 - i) * PART, PART,
                              DESC_NEXT | (write ? 0 : DESC_WRITE), (uint16_t)(i + 2));
        driver_descriptor(f.drv, table, 9, STATUS, 1, DESC_WRITE, 0);
        ram[STATUS] = 0xee;
        assert_int_equal(run(&f), OK);
        assert_int_equal(last_length(&f), write ? 1 : SIZE + 1);
    }
    for (unsigned sector = 0; sector < 2048; sector += 255) {
        assert_int_equal(load_le32(ram + DATA + (7 - sector / 256) * PART + sector % 256 * 512),
                         sector);
    }
    assert_int_equal(request(&f, T_IN, 2048 + 1000, 512), OK);
    assert_int_equal(load_le32(ram + DATA), 1000);
    destroy(&f);
}

/* Any cut between the parts is right with VERSION_1 or ANY_LAYOUT. */
static void test_layouts(void **state)
{
    struct fixture f = create(DRIVER_MMIO, 0, NULL);
    gpa table = driver_table(f.drv, 0);
    uint8_t *ram = f.drv->pc->ram;

    driver_start(f.drv, F_FLUSH, 1);
    set_header(&f, HEADER, T_OUT, 5);
    memset(ram + HEADER + 16, 0x77, 512);
    driver_descriptor(f.drv, table, 0, HEADER, 3, DESC_NEXT, 1);
    driver_descriptor(f.drv, table, 1, HEADER + 3, 13 + 100, DESC_NEXT, 2);
    driver_descriptor(f.drv, table, 2, HEADER + 116, 412, DESC_NEXT, 3);
    driver_descriptor(f.drv, table, 3, STATUS + 0x400, 1, DESC_WRITE, 0);
    ram[STATUS] = OK;
    assert_int_equal(run(&f), OK);
    assert_int_equal(ram[STATUS + 0x400], OK);
    set_header(&f, HEADER, T_IN, 5);
    driver_descriptor(f.drv, table, 0, HEADER, 16, DESC_NEXT, 1);
    driver_descriptor(f.drv, table, 1, DATA, 1, DESC_NEXT | DESC_WRITE, 2);
    driver_descriptor(f.drv, table, 2, DATA + 0x1000, 512, DESC_WRITE, 0); /* status at its end */
    ram[DATA + 0x1000 + 511] = 0xee;
    assert_int_equal(run(&f), OK);
    assert_int_equal(ram[DATA], 0x77);
    assert_int_equal(ram[DATA + 0x1000 + 510], 0x77);
    assert_int_equal(ram[DATA + 0x1000 + 511], OK);
    destroy(&f);
}

static void range(struct fixture *f, uint64_t sector, uint32_t n, uint32_t flags)
{
    store_le64(f->drv->pc->ram + DATA, sector);
    store_le32(f->drv->pc->ram + DATA + 8, n);
    store_le32(f->drv->pc->ram + DATA + 12, flags);
}

static void test_ranges(void **state)
{
    struct fixture f = create(DRIVER_PCI, 0, NULL);
    uint8_t *data = f.drv->pc->ram + DATA;

    driver_start(f.drv, F_FLUSH | F_DISCARD | F_WRITE_ZEROES, 1);
    for (uint32_t flags = 0; flags < 2; flags++) {
        range(&f, 100 + flags, 1, flags);
        assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), OK);
        assert_int_equal(request(&f, T_IN, 100 + flags, 1024), OK);
        assert_int_equal(load_le32(data), 0);
        assert_int_equal(load_le32(data + 512), 101 + flags);
    }
    range(&f, 0, SECTORS, 0);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), OK);
    range(&f, 0, SECTORS + 1, 0);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), IOERR);
    range(&f, UINT64_MAX, 2, 0);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), IOERR);
    range(&f, 0, UINT32_MAX, 0);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), IOERR);
    range(&f, 0, 1, 1);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), UNSUPP);
    range(&f, 0, 1, 2);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), UNSUPP);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 15), UNSUPP);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 32), UNSUPP);
    driver_start(f.drv, F_FLUSH, 1);
    range(&f, 0, 1, 0);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), UNSUPP); /* not agreed on */
    destroy(&f);
    f = create(DRIVER_PCI, 0, "logical_block_size=4096");
    driver_start(f.drv, F_FLUSH | F_DISCARD | F_WRITE_ZEROES, 1);
    range(&f, 8, 16, 0);
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), OK);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), OK);
    range(&f, 8, 15, 0); /* no whole blocks */
    assert_int_equal(request(&f, T_WRITE_ZEROES, 0, 16), IOERR);
    range(&f, 9, 8, 0);
    assert_int_equal(request(&f, T_DISCARD, 0, 16), IOERR);
    destroy(&f);
}

static void test_errors(void **state)
{
    struct fixture f = create(DRIVER_PCI, BLOCK_READ_ONLY, "logical_block_size=1024");

    driver_start(f.drv, F_FLUSH | F_RO, 1);
    assert_int_equal(request(&f, T_IN, 2, 1024), OK);
    assert_int_equal(request(&f, T_IN, 1, 1024), IOERR); /* within a block */
    assert_int_equal(request(&f, T_IN, 0, 512), IOERR);
    assert_int_equal(request(&f, T_IN, SECTORS, 1024), IOERR);
    assert_int_equal(request(&f, T_IN, SECTORS - 2, 2048), IOERR);
    assert_int_equal(request(&f, T_IN, UINT64_MAX - 1, 1024), IOERR);
    assert_int_equal(request(&f, T_OUT, 0, 1024), IOERR);
    assert_int_equal(request(&f, T_FLUSH, 0, 0), OK);
    assert_int_equal(request(&f, 2, 0, 0), UNSUPP);
    assert_int_equal(request(&f, 0x80000001, 0, 1024), UNSUPP);
    assert_int_equal(driver_status(f.drv), 15);
    block_eject(f.block);
    assert_int_equal(request(&f, T_IN, 0, 1024), IOERR);
    assert_int_equal(request(&f, T_FLUSH, 0, 0), IOERR);
    destroy(&f);
}

/* ---- several at once ------------------------------------------------------------------------- */

/* Each in an indirect table of its own; all are offered before the first is looked at. */
static void offer_many(struct fixture *f, unsigned queue, unsigned n)
{
    uint8_t *ring = f->drv->pc->ram + driver_available(f->drv, queue);
    uint16_t index = load_le16(ring + 2);

    for (unsigned i = 0; i < n; i++) {
        gpa table = TABLES + (queue * 128 + i) * 0x200, header = table + 0x100;
        set_header(f, header, T_IN, i * 8 + queue);
        driver_descriptor(f->drv, table, 0, header, 16, DESC_NEXT, 1);
        driver_descriptor(f->drv, table, 1, DATA + (queue * 128 + i) * 0x1000, 512,
                          DESC_NEXT | DESC_WRITE, 2);
        driver_descriptor(f->drv, table, 2, header + 16, 1, DESC_WRITE, 0);
        f->drv->pc->ram[header + 16] = 0xee;
        driver_descriptor(f->drv, driver_table(f->drv, queue), i, table, 48, DESC_INDIRECT, 0);
        store_le16(ring + 4 + (uint16_t)(index + i) % f->drv->queue_size[queue] * 2, (uint16_t)i);
    }
    store_le16(ring + 2, (uint16_t)(index + n));
    driver_notify(f->drv, queue);
}

static void check_many(struct fixture *f, unsigned queue, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(f->drv->pc->ram[TABLES + (queue * 128 + i) * 0x200 + 0x110], OK);
        assert_int_equal(load_le32(f->drv->pc->ram + DATA + (queue * 128 + i) * 0x1000),
                         i * 8 + queue);
    }
}

static void test_many(void **state)
{
    struct fixture f = create(DRIVER_PCI_LEGACY, 0, NULL); /* its queue has 256 entries */

    driver_start(f.drv, F_FLUSH | F_INDIRECT | F_EVENT, 1);
    for (unsigned round = 1; round <= 5; round++) {
        offer_many(&f, 0, 100);
        while (driver_used_index(f.drv, 0) != round * 100)
            usleep(100);
        check_many(&f, 0, 100);
    }
    destroy(&f);
    f = create(DRIVER_PCI, 0, "num-queues=2");
    assert_int_equal(driver_offered(f.drv) & F_MQ, F_MQ);
    assert_int_equal(driver_config(f.drv, 34, 2), 2);
    driver_start(f.drv, F_FLUSH | F_INDIRECT | F_MQ, 2);
    offer_many(&f, 0, DRIVER_QUEUE);
    offer_many(&f, 1, DRIVER_QUEUE);
    while (driver_used_index(f.drv, 0) + driver_used_index(f.drv, 1) != 2 * DRIVER_QUEUE)
        usleep(100);
    check_many(&f, 0, DRIVER_QUEUE);
    check_many(&f, 1, DRIVER_QUEUE);
    destroy(&f);
}

/* After a reset nothing is written to memory or rings any more. */
static void test_reset_in_flight(void **state)
{
    for (unsigned i = 0; i < 60; i++) {
        struct fixture f = create(i % DRIVER_MODES, 0, NULL);
        driver_start(f.drv, F_FLUSH | F_INDIRECT, 1);
        offer_many(&f, 0, DRIVER_QUEUE);
        usleep(i * 7 % 300);
        driver_set_status(f.drv, 0);
        memset(f.drv->pc->ram, 0xa5, PC_RAM_SIZE);
        block_drain(f.block);
        for (unsigned at = 0; at < PC_RAM_SIZE; at += 4)
            assert_int_equal(load_le32(f.drv->pc->ram + at), 0xa5a5a5a5);
        driver_start(f.drv, F_FLUSH, 1);
        assert_int_equal(request(&f, T_IN, 9, 512), OK);
        if (i % 3 == 0)
            offer_many(&f, 0, 10); /* and the device goes away under them */
        block_stop(f.block);
        destroy(&f);
    }
}

/* ---- lies ------------------------------------------------------------------------------------ */

static void tell_lie(struct fixture *f, unsigned lie)
{
    gpa table = driver_table(f->drv, 0);

    build(f, T_OUT, 0, 512);
    switch (lie) {
    case 0: /* no status */
        driver_descriptor(f->drv, table, 1, DATA, 512, 0, 0);
        break;
    case 1: /* half a header */
        driver_descriptor(f->drv, table, 0, HEADER, 15, DESC_NEXT, 2);
        break;
    case 2: /* a status of no bytes */
        driver_descriptor(f->drv, table, 2, STATUS, 0, DESC_WRITE, 0);
        break;
    case 3: /* nothing to read */
        driver_descriptor(f->drv, table, 0, HEADER, 16, DESC_WRITE, 0);
        break;
    case 4: /* round and round */
        driver_descriptor(f->drv, table, 1, DATA, 512, DESC_NEXT, 0);
        break;
    case 5: /* lengths that overflow */
        driver_descriptor(f->drv, table, 1, DATA, UINT32_MAX, DESC_NEXT, 2);
        break;
    case 6:
        driver_descriptor(f->drv, table, 1, UINT64_MAX - 100, 512, DESC_NEXT, 2);
        break;
    case 7: /* the disk's own registers */
        driver_descriptor(f->drv, table, 1, DRIVER_MEMORY, 512, DESC_NEXT, 2);
        break;
    case 8: /* indirect in indirect */
        driver_descriptor(f->drv, table, 0, TABLES, 32, DESC_INDIRECT, 0);
        driver_descriptor(f->drv, TABLES, 0, HEADER, 16, DESC_NEXT, 1);
        driver_descriptor(f->drv, TABLES, 1, TABLES, 32, DESC_INDIRECT, 0);
        break;
    case 9: /* a table that leaves memory */
        driver_descriptor(f->drv, table, 0, PC_RAM_SIZE - 16, 48, DESC_INDIRECT, 0);
        driver_descriptor(f->drv, PC_RAM_SIZE - 16, 0, HEADER, 16, DESC_NEXT, 1);
        break;
    }
}

static void test_lies(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct fixture f = create(mode, 0, NULL);
        for (unsigned lie = 0; lie < 10; lie++) {
            driver_start(f.drv, F_FLUSH | F_INDIRECT, 1);
            tell_lie(&f, lie);
            driver_offer(f.drv, 0, 0);
            block_drain(f.block);
            assert_int_equal(driver_used_index(f.drv, 0), 0);
            assert_int_equal(driver_status(f.drv) & NEEDS_RESET, NEEDS_RESET);
        }
        driver_start(f.drv, F_FLUSH, 1);
        assert_int_equal(request(&f, T_IN, 3, 512), OK);
        destroy(&f);
    }
}

/* The same memory as header, data, status and rings, random descriptors, random notifications. */
static void test_random_rings(void **state)
{
    for (unsigned mode = 0; mode < DRIVER_MODES; mode++) {
        struct fixture f = create(mode, 0, NULL);
        uint64_t random = 0x9e3779b97f4a7c15 + mode;
        for (unsigned round = 0; round < 300; round++) {
            driver_start(f.drv, F_FLUSH | F_INDIRECT | (round & 1 ? F_EVENT : 0), 1);
            for (unsigned i = 0; i < DRIVER_QUEUE; i++) {
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
                uint32_t bits = (uint32_t)(random >> 32);
                gpa where = bits & 1 ? DATA : driver_table(f.drv, 0);
                set_header(&f, DATA + i * 16, bits >> 8 & 15, bits >> 12 & 4095);
                driver_descriptor(f.drv, driver_table(f.drv, 0), i, where + (bits >> 4 & 0xff0),
                                  bits & 2 ? 16 : bits >> 16 & 0x1fff, bits >> 29 & 7,
                                  bits >> 20 & 15);
                driver_offer(f.drv, 0, bits >> 24 & 15);
            }
            if (round % 3)
                block_drain(f.block);
        }
        destroy(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration), cmocka_unit_test(test_transfers),
        cmocka_unit_test(test_large),         cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_ranges),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_many),          cmocka_unit_test(test_reset_in_flight),
        cmocka_unit_test(test_lies),          cmocka_unit_test(test_random_rings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
