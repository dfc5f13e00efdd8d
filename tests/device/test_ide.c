/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA and ATAPI drives behind PIIX3's IDE function: PIO, DMA, errors, resets. */
#include <unistd.h>

#include "disk.h"
#include "hw/ide/ata.h"
#include "pc.h"
#include "util/bits.h"

enum {
    IDE = 1 << 3 | 1,
    DATA = 0x1f0,
    STATUS = 0x1f7,
    CONTROL = 0x3f6,
    CD = 0x170,
    MASTER = 0xc000
};
enum { N_SECTORS = 40000, N_CD = 4000 };

struct fixture {
    struct test_pc *pc;
    struct block *disk, *cd;
};

static void create(struct fixture *f)
{
    f->disk = disk_create(N_SECTORS, 0);
    f->cd = disk_create(N_CD, BLOCK_CDROM);
    f->pc = pc_create();
    pc_add(f->pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_watch(f->pc, pc_add(f->pc, "piix3-ide", "ide", 0, "addr=1.1", NULL));
    pc_add(f->pc, "ide-drive", "hda", 0, "bus=ide.0,unit=0", f->disk);
    pc_add(f->pc, "ide-drive", "hdb", 0, "bus=ide.0,unit=1", NULL);
    pc_add(f->pc, "ide-drive", "hdc", 0, "bus=ide.1,unit=0", f->cd);
    pc_reset(f->pc);
    pc_config_set(f->pc, IDE, 0x40, 0x80008000, 4);
    pc_config_set(f->pc, IDE, 0x20, MASTER, 4);
    pc_config_set(f->pc, IDE, 4, 5, 2);
}

static void destroy(struct fixture *f)
{
    pc_destroy(f->pc);
    block_close(f->disk);
    block_close(f->cd);
}

/* Until the drive has done what takes the host's disk. */
static uint8_t wait(struct fixture *f, unsigned base)
{
    uint8_t status;

    do {
        block_drain(base == DATA ? f->disk : f->cd);
        status = (uint8_t)pc_in(f->pc, base + 7, 1);
    } while (status & ATA_BSY);
    return status;
}

static void command(struct fixture *f, uint64_t sector, unsigned n, uint8_t code)
{
    bool wide = code == 0x24 || code == 0x34 || code == 0x25 || code == 0x35;

    pc_out(f->pc, DATA + 6, 0xe0 | (wide ? 0 : (unsigned)(sector >> 24 & 0xf)), 1);
    for (unsigned i = wide ? 0 : 1; i < 2; i++) {
        unsigned shift = i ? 0 : 24;
        pc_out(f->pc, DATA + 2, i ? n & 0xff : n >> 8, 1);
        for (unsigned b = 0; b < 3; b++)
            pc_out(f->pc, DATA + 3 + b, (uint8_t)(sector >> (shift + 8 * b)), 1);
    }
    pc_out(f->pc, STATUS, code, 1);
}

static void read_words(struct fixture *f, unsigned base, uint16_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        words[i] = (uint16_t)pc_in(f->pc, base, 2);
}

static void test_identify(void **state)
{
    struct fixture f;
    uint16_t w[256];

    create(&f);
    assert_int_equal(pc_in(f.pc, STATUS, 1), ATA_READY);
    assert_int_equal(pc_in(f.pc, DATA + 2, 1), 1); /* the signature of a disk */
    assert_int_equal(pc_in(f.pc, DATA + 4, 2), 0);
    assert_int_equal(pc_in(f.pc, CD + 4, 1) | pc_in(f.pc, CD + 5, 1) << 8, 0xeb14);
    command(&f, 0, 0, 0xec);
    assert_true(f.pc->line[0]);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    assert_false(f.pc->line[0]);
    read_words(&f, DATA, w, 256);
    assert_int_equal(pc_in(f.pc, STATUS, 1), ATA_READY);
    assert_int_equal(w[60] | w[61] << 16, N_SECTORS);
    assert_int_equal(w[100], N_SECTORS & 0xffff);
    assert_int_equal(w[1], N_SECTORS / 16 / 63);
    assert_memory_equal(&w[27], "EQUMH RADDSI K", 14);
    assert_memory_equal(&w[10], "MQ0000 1", 8);
    assert_int_equal(w[2], 0xc837);
    assert_int_equal(w[82], 0x4029);
    assert_int_equal(w[84] & w[87], 0x4040); /* FUA */
    assert_int_equal(w[93], 0x600b);
    command(&f, 0, 0, 0xa1); /* not a CD */
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
    assert_int_equal(pc_in(f.pc, DATA + 1, 1), ATA_ABRT);
    pc_out(f.pc, DATA + 6, 0xb0, 1); /* drive 1 is not there */
    assert_int_equal(pc_in(f.pc, STATUS, 1), 0);
    pc_out(f.pc, CD + 7, 0xa1, 1);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
    read_words(&f, CD, w, 256);
    assert_int_equal(w[0], 0x85c0);
    assert_int_equal(w[82], 0x4218); /* DEVICE RESET */
    assert_int_equal(w[83], 0x5000);
    destroy(&f);
}

/* Drive 1 says of itself what drive 0 does not, and drive 0 speaks for both. */
static void test_two_drives(void **state)
{
    struct fixture f;
    struct block *second = disk_create(N_SECTORS, 0);
    uint16_t w[256];

    create(&f);
    block_set_serial(second, "S,2");
    pc_add(f.pc, "ide-hd", "hdb2", 0, "bus=ide.0,unit=1", second);
    pc_reset(f.pc);
    pc_config_set(f.pc, IDE, 0x40, 0x80008000, 4);
    pc_config_set(f.pc, IDE, 4, 5, 2);
    pc_out(f.pc, DATA + 6, 0xb0, 1);
    pc_out(f.pc, STATUS, 0xec, 1);
    read_words(&f, DATA, w, 256);
    assert_int_equal(w[93], 0x6b00);
    assert_memory_equal(&w[10], ",S 2    ", 8);
    pc_in(f.pc, STATUS, 1);
    assert_false(f.pc->line[0]);
    pc_out(f.pc, STATUS, 0x90, 1); /* EXECUTE DEVICE DIAGNOSTIC */
    assert_true(f.pc->line[0]);
    assert_int_equal(pc_in(f.pc, STATUS, 1), ATA_READY);
    assert_false(f.pc->line[0]);
    assert_int_equal(pc_in(f.pc, DATA + 6, 1) & 0x10, 0);
    assert_int_equal(pc_in(f.pc, DATA + 1, 1), 1);
    pc_out(f.pc, DATA + 6, 0xb0, 1);
    assert_false(f.pc->line[0]);
    destroy(&f);
    block_close(second);
}

static void test_features(void **state)
{
    static const struct {
        uint8_t feature, count;
        bool taken;
    } cases[] = {
        {0x03, 0x00, true},  {0x03, 0x01, true},  {0x03, 0x02, false}, {0x03, 0x0c, true},
        {0x03, 0x0d, false}, {0x03, 0x10, false}, {0x03, 0x22, true},  {0x03, 0x23, false},
        {0x03, 0x45, true},  {0x03, 0x46, false}, {0x02, 0, true},     {0x82, 0, true},
        {0x33, 0, false},
    };
    struct fixture f;

    create(&f);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        pc_out(f.pc, DATA + 1, cases[i].feature, 1);
        command(&f, 0, cases[i].count, 0xef);
        assert_int_equal(wait(&f, DATA), ATA_READY | (cases[i].taken ? 0 : ATA_ERR));
    }
    destroy(&f);
}

static void test_pio(void **state)
{
    struct fixture f;
    uint16_t w[2048];

    create(&f);
    command(&f, 1000, 3, 0x20);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
        read_words(&f, DATA, w, 256);
        assert_int_equal(w[0], 1000 + i);
    }
    assert_int_equal(wait(&f, DATA), ATA_READY);
    assert_int_equal(f.pc->rises[0], 3);
    command(&f, 0, 8, 0xc6); /* blocks of 8 */
    command(&f, 20, 10, 0xc4);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    read_words(&f, DATA, w, 8 * 256);
    assert_int_equal(w[7 * 256], 27);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    read_words(&f, DATA, w, 2 * 256);
    assert_int_equal(wait(&f, DATA), ATA_READY);
    command(&f, 77, 2, 0x34);
    for (unsigned i = 0; i < 512; i++) {
        if (i == 256)
            assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
        pc_out(f.pc, DATA, 0xb000 + i, 2);
    }
    assert_int_equal(wait(&f, DATA), ATA_READY);
    command(&f, 0, 0, 0xe7);
    assert_int_equal(wait(&f, DATA), ATA_READY);
    command(&f, 78, 1, 0x24);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    assert_int_equal(pc_in(f.pc, DATA, 4), 0xb101b100);
    pc_out(f.pc, CONTROL, 4, 1); /* SRST ends it */
    assert_int_equal(pc_in(f.pc, CONTROL, 1), ATA_BSY);
    pc_out(f.pc, CONTROL, 0, 1);
    assert_int_equal(pc_in(f.pc, STATUS, 1), ATA_READY);
    /* cylinder 1, head 2, sector 3 */
    pc_out(f.pc, DATA + 6, 0xa2, 1);
    pc_out(f.pc, DATA + 2, 1, 1);
    pc_out(f.pc, DATA + 3, 3, 1);
    pc_out(f.pc, DATA + 4, 1, 1);
    pc_out(f.pc, DATA + 5, 0, 1);
    pc_out(f.pc, STATUS, 0x20, 1);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    assert_int_equal(pc_in(f.pc, DATA, 2), (1 * 16 + 2) * 63 + 2);
    pc_out(f.pc, CONTROL, 4, 1);
    pc_out(f.pc, CONTROL, 0, 1);
    pc_out(f.pc, DATA + 6, 0xa0, 1);
    for (unsigned sector = 0; sector < 65; sector += 64) { /* there is neither 0 nor 64 */
        pc_out(f.pc, DATA + 3, sector, 1);
        pc_out(f.pc, STATUS, 0x20, 1);
        assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
        assert_int_equal(pc_in(f.pc, DATA + 1, 1) & ATA_IDNF, ATA_IDNF);
    }
    destroy(&f);
}

static void test_errors(void **state)
{
    struct fixture f;

    create(&f);
    command(&f, N_SECTORS - 1, 2, 0x20);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
    assert_int_equal(pc_in(f.pc, DATA + 1, 1), ATA_IDNF | ATA_ABRT);
    command(&f, UINT64_C(0xffffffffffff), 0, 0x25);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
    command(&f, 0, 0, 0xfe);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
    assert_int_equal(pc_in(f.pc, DATA + 1, 1), ATA_ABRT);
    pc_hostile(f.pc, 0x1f0, 0x1f8, 0, 0, IDE, 2000);
    pc_hostile(f.pc, 0x170, 0x178, 0, 0, IDE, 2000);
    destroy(&f);
}

static void put_entry(struct fixture *f, unsigned i, uint32_t address, uint32_t size_and_end)
{
    store_le32(f->pc->ram + 0x1000 + 8 * i, address);
    store_le32(f->pc->ram + 0x1004 + 8 * i, size_and_end);
}

static void test_dma(void **state)
{
    struct fixture f;

    create(&f);
    put_entry(&f, 0, 0x10000, 1024);
    put_entry(&f, 1, 0x20000, 0x80000000u | 1024);
    pc_out(f.pc, MASTER + 4, 0x1000, 4);
    pc_out(f.pc, MASTER + 2, 6, 1);
    command(&f, 500, 4, 0xc8);
    block_drain(f.disk);
    assert_int_equal(pc_in(f.pc, CONTROL, 1), ATA_READY | ATA_DRQ); /* it waits for the master */
    assert_int_equal(f.pc->ram[0x10000], 0);
    pc_out(f.pc, MASTER, 9, 1);
    assert_int_equal(pc_in(f.pc, MASTER + 2, 1), 4);
    assert_true(f.pc->line[0]);
    assert_int_equal(wait(&f, DATA), ATA_READY);
    assert_int_equal(load_le32(f.pc->ram + 0x10200), 501);
    assert_int_equal(load_le32(f.pc->ram + 0x20200), 503);
    pc_out(f.pc, MASTER, 0, 1);
    f.pc->ram[0x20000] = 0x99;
    command(&f, 600, 4, 0x35);
    pc_out(f.pc, MASTER, 1, 1);
    assert_int_equal(wait(&f, DATA), ATA_READY);
    pc_out(f.pc, MASTER, 0, 1);
    command(&f, 602, 1, 0x20);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_DRQ);
    assert_int_equal(pc_in(f.pc, DATA, 1), 0x99);
    pc_out(f.pc, CONTROL, 4, 1);
    pc_out(f.pc, CONTROL, 0, 1);
    /* A table that is too short ends in an error instead of hanging. */
    put_entry(&f, 0, 0x10000, 0x80000000u | 512);
    pc_out(f.pc, MASTER, 9, 1);
    command(&f, 500, 4, 0xc8);
    assert_int_equal(wait(&f, DATA), ATA_READY | ATA_ERR);
    destroy(&f);
}

static void packet(struct fixture *f, const uint8_t bytes[12], unsigned limit, bool dma)
{
    pc_out(f->pc, CD + 6, 0xa0, 1);
    pc_out(f->pc, CD + 1, dma, 1);
    pc_out(f->pc, CD + 4, limit & 0xff, 1);
    pc_out(f->pc, CD + 5, limit >> 8, 1);
    pc_out(f->pc, CD + 7, 0xa0, 1);
    assert_int_equal(pc_in(f->pc, CD + 7, 1), ATA_READY | ATA_DRQ);
    assert_int_equal(pc_in(f->pc, CD + 2, 1), 1);
    for (unsigned i = 0; i < 12; i += 2)
        pc_out(f->pc, CD, load_le16(bytes + i), 2);
}

static void test_cd(void **state)
{
    struct fixture f;
    uint16_t w[4096];

    create(&f);
    packet(&f, (const uint8_t[12]){0x25}, 0xfffe, false); /* READ CAPACITY */
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
    assert_true(pc_in(f.pc, CD + 2, 1) == 2);
    assert_int_equal(pc_in(f.pc, CD + 4, 1), 8);
    read_words(&f, CD, w, 4);
    assert_int_equal(load_be32(w), N_CD / 4 - 1);
    assert_int_equal(load_be32(w + 2), 2048);
    assert_int_equal(wait(&f, CD), ATA_READY);
    assert_int_equal(pc_in(f.pc, CD + 2, 1), 3);
    /* READ 10 of two sectors from 16, at most 2048 bytes at a time */
    packet(&f, (const uint8_t[12]){0x28, 0, 0, 0, 0, 16, 0, 0, 2}, 2048, false);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
        assert_int_equal(pc_in(f.pc, CD + 5, 1), 8);
        read_words(&f, CD, w, 1024);
        assert_int_equal(w[0], 64 + 4 * i);
    }
    assert_int_equal(wait(&f, CD), ATA_READY);
    put_entry(&f, 0, 0x10000, 0x80000000u | 4096);
    pc_out(f.pc, MASTER + 12, 0x1000, 4);
    pc_out(f.pc, MASTER + 8, 9, 1);
    packet(&f, (const uint8_t[12]){0xa8, 0, 0, 0, 0, 100, 0, 0, 0, 2}, 0, true);
    assert_int_equal(wait(&f, CD), ATA_READY);
    assert_int_equal(load_le32(f.pc->ram + 0x10800), 404);
    /* beyond the end: ILLEGAL REQUEST, and REQUEST SENSE explains */
    packet(&f, (const uint8_t[12]){0x28, 0, 0xff, 0, 0, 16, 0, 0, 2}, 2048, false);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_ERR);
    assert_int_equal(pc_in(f.pc, CD + 1, 1), 0x54);
    packet(&f, (const uint8_t[12]){0x03, 0, 0, 0, 18}, 18, false);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
    read_words(&f, CD, w, 9);
    assert_int_equal(((uint8_t *)w)[2], 5);
    assert_int_equal(((uint8_t *)w)[12], 0x21);
    /* every command code with some arguments */
    for (unsigned code = 0; code < 256; code++) {
        packet(&f, (const uint8_t[12]){(uint8_t)code, 2, 0x2a, 0, 0x12, 0, 0, 0, 64, 0x10}, 64,
               false);
        while (wait(&f, CD) & ATA_DRQ)
            pc_in(f.pc, CD, 4);
    }
    packet(&f, (const uint8_t[12]){0x1e}, 0, false);
    packet(&f, (const uint8_t[12]){0x1b, 0, 0, 0, 2}, 0, false);
    packet(&f, (const uint8_t[12]){0}, 0, false);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_ERR); /* the tray is open */
    assert_int_equal(pc_in(f.pc, CD + 1, 1), 0x24);
    destroy(&f);
}

static uint8_t sense_of(struct fixture *f, uint8_t *code)
{
    uint16_t w[9];

    packet(f, (const uint8_t[12]){0x03, 0, 0, 0, 18}, 18, false);
    assert_int_equal(wait(f, CD), ATA_READY | ATA_DRQ);
    read_words(f, CD, w, 9);
    wait(f, CD);
    *code = ((uint8_t *)w)[12];
    return ((uint8_t *)w)[2];
}

/* What the user takes out and puts in: no medium, then a unit attention once, then the new one. */
static void test_cd_change(void **state)
{
    struct fixture f;
    struct error err = {""};
    char path[] = "/tmp/calque-cd-XXXXXX";
    int fd = mkstemp(path);
    uint16_t w[4];
    uint8_t code;

    assert_int_equal(ftruncate(fd, 10 * 2048), 0);
    close(fd);
    create(&f);
    packet(&f, (const uint8_t[12]){0x1e, 0, 0, 0, 1}, 0, false); /* PREVENT REMOVAL */
    assert_int_equal(wait(&f, CD), ATA_READY);
    assert_true(block_is_locked(f.cd));
    block_eject(f.cd);
    packet(&f, (const uint8_t[12]){0}, 0, false); /* TEST UNIT READY */
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_ERR);
    assert_int_equal(sense_of(&f, &code), 6);
    assert_int_equal(code, 0x28);
    packet(&f, (const uint8_t[12]){0}, 0, false);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_ERR);
    assert_int_equal(sense_of(&f, &code), 2);
    assert_int_equal(code, 0x3a);
    assert_false(block_insert(f.cd, "/nonexistent", -1, 0, &err));
    assert_non_null(strstr(err.message, "/nonexistent"));
    assert_true(block_insert(f.cd, path, -1, 0, &err));
    packet(&f, (const uint8_t[12]){0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8}, 8, false); /* GET EVENT */
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
    read_words(&f, CD, w, 4);
    assert_int_equal(((uint8_t *)w)[4], 2);
    assert_int_equal(((uint8_t *)w)[5], 2);
    wait(&f, CD);
    packet(&f, (const uint8_t[12]){0x25}, 8, false);
    assert_int_equal(wait(&f, CD), ATA_READY | ATA_DRQ);
    read_words(&f, CD, w, 4);
    assert_int_equal(load_be32(w), 9);
    unlink(path);
    destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identify), cmocka_unit_test(test_two_drives),
        cmocka_unit_test(test_features), cmocka_unit_test(test_pio),
        cmocka_unit_test(test_errors),   cmocka_unit_test(test_dma),
        cmocka_unit_test(test_cd),       cmocka_unit_test(test_cd_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
