/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AHCI: commands by PIO, DMA and queues, packets, errors, resets. */
#include "disk.h"
#include "hw/ide/ata.h"
#include "pc.h"
#include "util/bits.h"

enum { AHCI = 0x1f << 3 | 2, BASE = 0xfebf0000, P0 = BASE + 0x100, P1 = P0 + 0x80 };
enum { LIST = 0x10000, FIS = 0x11000, TABLE = 0x12000, DATA = 0x20000, TABLE_SIZE = 0x400 };
enum { IS = 0x10, CMD = 0x18, TFD = 0x20, SACT = 0x34, CI = 0x38 };

struct fixture {
    struct test_pc *pc;
    struct block *disk, *cd;
    const struct ata_drive *drive;
};

static void create(struct fixture *f)
{
    f->disk = disk_create(5000, 0);
    f->cd = disk_create(4000, BLOCK_CDROM);
    f->pc = pc_create();
    pc_add(f->pc, "q35-mch", "pci0", 0xcf8, NULL, NULL);
    pc_watch(f->pc, pc_add(f->pc, "ich9-lpc", "lpc", 0, "addr=1f.0", NULL));
    pc_add(f->pc, "ich9-ahci", "ahci", 0, "addr=1f.2", NULL);
    f->drive = pc_add(f->pc, "ide-hd", "hda", 0, "bus=ide.0,serial=A,,1", f->disk)->state;
    pc_add(f->pc, "ide-cd", "hdc", 0, "bus=ide.1", f->cd);
    pc_reset(f->pc);
    pc_config_set(f->pc, AHCI, 0x24, BASE, 4);
    pc_config_set(f->pc, AHCI, 4, 6, 2);
    pc_store(f->pc, BASE + 4, 2, 4);
    for (unsigned i = 0; i < 2; i++) {
        unsigned port = P0 + i * 0x80;
        pc_store(f->pc, port, LIST, 4);
        pc_store(f->pc, port + 8, FIS, 4);
        pc_store(f->pc, port + 0x14, 0xffffffff, 4);
        pc_store(f->pc, port + CMD, 0x11, 4);
    }
}

static void destroy(struct fixture *f)
{
    pc_destroy(f->pc);
    block_close(f->disk);
    block_close(f->cd);
}

/* A command with one scatter entry of `size` bytes at DATA + slot * 64 KiB, split in two. */
static uint8_t *prepare(struct fixture *f, unsigned slot, uint8_t command, uint64_t sector,
                        unsigned count, uint32_t size)
{
    uint8_t *header = f->pc->ram + LIST + slot * 32, *fis = f->pc->ram + TABLE + slot * TABLE_SIZE;
    bool queued = command == 0x60 || command == 0x61;

    memset(header, 0, 32);
    memset(fis, 0, 0x100);
    store_le32(header, 5 | 2 << 16);
    store_le32(header + 8, TABLE + slot * TABLE_SIZE);
    fis[0] = 0x27;
    fis[1] = 0x80;
    fis[2] = command;
    fis[3] = queued ? (uint8_t)count : 0;
    fis[7] = 0x40;
    for (unsigned i = 0; i < 3; i++) {
        fis[4 + i] = (uint8_t)(sector >> 8 * i);
        fis[8 + i] = (uint8_t)(sector >> (24 + 8 * i));
    }
    fis[12] = queued ? (uint8_t)(slot << 3) : (uint8_t)count;
    store_le32(fis + 0x80, DATA + slot * 0x10000);
    store_le32(fis + 0x8c, size / 2 - 1);
    store_le32(fis + 0x90, DATA + slot * 0x10000 + size / 2);
    store_le32(fis + 0x9c, size / 2 - 1);
    return fis;
}

static void issue(struct fixture *f, unsigned port, uint32_t slots)
{
    pc_store(f->pc, port + CI, slots, 4);
    for (unsigned i = 0; i < 1000 && (pc_load(f->pc, port + CI, 4) & slots) &&
                         !(pc_load(f->pc, port + IS, 4) & 1 << 30);
         i++)
        block_drain(port == P0 ? f->disk : f->cd);
}

static void test_disk(void **state)
{
    struct fixture f;

    create(&f);
    assert_int_equal(pc_load(f.pc, P0 + 0x24, 4), 0x101);
    assert_int_equal(pc_load(f.pc, P1 + 0x24, 4), 0xeb140101);
    assert_int_equal(pc_load(f.pc, P0 + 0x28, 4), 0x113);
    assert_int_equal(pc_load(f.pc, P1 + 0x80 + 0x28, 4), 0);
    assert_int_equal(pc_load(f.pc, P0 + TFD, 1), 0x50);
    prepare(&f, 0, 0xec, 0, 0, 512);
    issue(&f, P0, 1);
    assert_int_equal(load_le16(f.pc->ram + DATA + 120), 5000);
    assert_memory_equal(f.pc->ram + DATA + 20, ",A 1", 4);
    assert_int_equal(load_le16(f.pc->ram + DATA + 76 * 2), 2); /* SATA */
    assert_int_equal(load_le16(f.pc->ram + DATA + 93 * 2), 0);
    assert_int_equal(load_le32(f.pc->ram + LIST + 4), 512);
    assert_int_equal(pc_load(f.pc, P0 + IS, 4), 3);
    assert_int_equal(f.pc->ram[FIS + 0x20], 0x5f);
    assert_int_equal(f.pc->ram[FIS + 0x20 + 15], 0x50);
    assert_int_equal(pc_load(f.pc, BASE + 8, 4), 1);
    assert_true(f.pc->line[16]);
    pc_store(f.pc, P0 + IS, 3, 4);
    pc_store(f.pc, BASE + 8, 1, 4);
    assert_false(f.pc->line[16]);
    prepare(&f, 3, 0x25, 1000, 8, 4096);
    issue(&f, P0, 1 << 3);
    assert_int_equal(load_le32(f.pc->ram + DATA + 0x30000 + 7 * 512), 1007);
    assert_int_equal(pc_load(f.pc, P0 + IS, 4), 1);
    assert_int_equal(f.pc->ram[FIS + 0x40], 0x34);
    prepare(&f, 4, 0x35, 2000, 8, 4096);
    f.pc->ram[DATA + 0x40000 + 512] = 0x5a;
    issue(&f, P0, 1 << 4);
    prepare(&f, 5, 0x20, 2001, 1, 512); /* by PIO */
    issue(&f, P0, 1 << 5);
    assert_int_equal(f.pc->ram[DATA + 0x50000], 0x5a);
    destroy(&f);
}

/* "Force unit access": such a write is on stable storage before its end. */
static void test_fua(void **state)
{
    static const struct {
        uint8_t command;
        uint8_t device; /* of a queued one */
        bool fua;
    } writes[] = {{0x35, 0, false}, {0x3d, 0, true},    {0xce, 0, true},
                  {0x39, 0, false}, {0x61, 0x80, true}, {0x61, 0, false}};
    struct fixture f;

    create(&f);
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        bool queued = writes[i].command == 0x61;
        uint8_t *fis = prepare(&f, i, writes[i].command, 20 + i, 1, 512);
        fis[7] |= writes[i].device;
        memset(f.pc->ram + DATA + i * 0x10000, (int)i + 1, 512);
        if (queued)
            pc_store(f.pc, P0 + SACT, 1 << i, 4);
        issue(&f, P0, 1 << i);
        assert_int_equal(f.drive->request.operation, BLOCK_WRITE);
        assert_int_equal(f.drive->request.through, writes[i].fua);
        assert_int_equal(pc_load(f.pc, P0 + TFD, 1), 0x50);
    }
    prepare(&f, 0, 0x20, 20, ARRAY_SIZE(writes), ARRAY_SIZE(writes) * 512);
    issue(&f, P0, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
        assert_int_equal(f.pc->ram[DATA + i * 512], i + 1);
    destroy(&f);
}

static void test_queue(void **state)
{
    struct fixture f;

    create(&f);
    for (unsigned slot = 0; slot < 3; slot++)
        prepare(&f, slot, 0x60, 100 * slot + 7, 4, 2048);
    pc_store(f.pc, P0 + SACT, 7, 4);
    issue(&f, P0, 7);
    assert_int_equal(pc_load(f.pc, P0 + SACT, 4), 0);
    assert_int_equal(pc_load(f.pc, P0 + IS, 4), 8);
    assert_int_equal(f.pc->ram[FIS + 0x58], 0xa1);
    for (unsigned slot = 0; slot < 3; slot++)
        assert_int_equal(load_le32(f.pc->ram + DATA + slot * 0x10000 + 3 * 512), 100 * slot + 10);
    destroy(&f);
}

static void test_packet(void **state)
{
    struct fixture f;

    create(&f);
    uint8_t *fis = prepare(&f, 0, 0xa0, 0, 0, 4096);
    fis[3] = 1;
    memcpy(fis + 0x40, (const uint8_t[12]){0x28, 0, 0, 0, 0, 50, 0, 0, 2}, 12);
    issue(&f, P1, 1);
    assert_int_equal(load_le32(f.pc->ram + DATA + 2048), 204);
    /* the same by PIO, two bytes at a time */
    memset(f.pc->ram + DATA, 0, 4096);
    fis = prepare(&f, 0, 0xa0, 2 << 8, 0, 4096);
    memcpy(fis + 0x40, (const uint8_t[12]){0x28, 0, 0, 0, 0, 50, 0, 0, 2}, 12);
    issue(&f, P1, 1);
    assert_int_equal(load_le32(f.pc->ram + DATA + 2048), 204);
    assert_int_equal(load_le32(f.pc->ram + LIST + 4), 4096);
    destroy(&f);
}

static void test_errors(void **state)
{
    struct fixture f;

    create(&f);
    prepare(&f, 1, 0x25, 4999, 2, 1024);
    issue(&f, P0, 2);
    assert_int_equal(pc_load(f.pc, P0 + IS, 4), 1 << 30 | 1);
    assert_int_equal(pc_load(f.pc, P0 + TFD, 2), 0x1451);
    assert_int_equal(pc_load(f.pc, P0 + CI, 4), 2);
    prepare(&f, 2, 0x25, 1, 1, 512); /* waits until the port is restarted */
    pc_store(f.pc, P0 + CI, 4, 4);
    block_drain(f.disk);
    assert_int_equal(pc_load(f.pc, P0 + CI, 4), 6);
    pc_store(f.pc, P0 + CMD, 0x10, 4);
    assert_int_equal(pc_load(f.pc, P0 + CI, 4), 0);
    pc_store(f.pc, P0 + IS, 0xffffffff, 4);
    pc_store(f.pc, P0 + CMD, 0x11, 4);
    issue(&f, P0, 4);
    assert_int_equal(load_le32(f.pc->ram + DATA + 0x20000), 1);
    pc_store(f.pc, P0 + 0x2c, 0x301, 4); /* COMRESET */
    pc_store(f.pc, P0 + 0x2c, 0x300, 4);
    assert_int_equal(pc_load(f.pc, P0 + TFD, 2), 0x150);
    for (unsigned i = 0; i < 6; i++) {
        for (unsigned slot = 0; slot < 32; slot++)
            prepare(&f, slot, (uint8_t)(slot * 8 + i), slot, 1, 512);
        pc_config_set(f.pc, AHCI, 4, 6, 2);
        pc_store(f.pc, P0, LIST, 4);
        pc_store(f.pc, P0 + CMD, 0x11, 4);
        pc_hostile(f.pc, 0, 0, BASE, 0x300, AHCI, 2000);
        pc_config_set(f.pc, AHCI, 0x24, BASE, 4);
    }
    pc_store(f.pc, BASE + 4, 1, 4);
    destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disk),   cmocka_unit_test(test_fua),    cmocka_unit_test(test_queue),
        cmocka_unit_test(test_packet), cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
