/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels and RAM disks: every format is recognised and placed, every truncation is noticed with
 * one sentence that names the file, and nothing crashes. The samples are made here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <unistd.h>
#include <zlib.h>

#include "hw/machines/initrd.h"
#include "hw/machines/kernel_image.h"
#include "util/bits.h"

enum { RAM = 0x40000000, RAM_SIZE = 64 << 20, MACHINE_ARM = 40 };

struct sample {
    uint8_t data[64 * 1024];
    size_t size;
};

struct fixture {
    pthread_mutex_t lock;
    struct memory *memory;
    uint8_t *ram;
    struct kernel_target target;
};

static void fixture_init(struct fixture *f)
{
    struct error err;

    pthread_mutex_init(&f->lock, NULL);
    f->memory = memory_create(&f->lock, &err);
    f->ram = memory_add_ram(f->memory, "ram", RAM, RAM_SIZE, &err);
    assert_non_null(f->ram);
    f->target = (struct kernel_target){f->memory, RAM, RAM_SIZE};
}

static void fixture_finish(struct fixture *f)
{
    memory_destroy(f->memory);
    pthread_mutex_destroy(&f->lock);
}

static struct loader_file file_of(const void *data, size_t size)
{
    struct loader_file file = {.what = "-kernel 'sample'", .data = malloc(size ? size : 1)};

    assert_non_null(file.data);
    memcpy(file.data, data, size);
    file.size = size;
    return file;
}

/* Loads and writes it to memory; *image and err as kernel_image_load leaves them. */
static bool try_kernel(struct fixture *f, const void *data, size_t size, struct kernel_image *image,
                       struct error *err)
{
    struct loader *l = loader_create();
    struct loader_file file = file_of(data, size);
    bool ok;

    err->message[0] = 0;
    ok = kernel_image_load(&file, &f->target, l, image, err);
    if (ok)
        loader_write(l, f->memory);
    loader_destroy(l);
    return ok;
}

static bool try_initrd(const void *data, size_t size, struct error *err)
{
    struct loader_file file = file_of(data, size);
    bool ok;

    err->message[0] = 0;
    ok = initrd_check(&file, MACHINE_ARM, err);
    loader_file_free(&file);
    return ok;
}

/* Every shorter file down to `least` bytes is refused with a sentence about the file. */
static void all_truncations(struct fixture *f, const struct sample *s, size_t least,
                            const char *word)
{
    for (size_t size = least; size < s->size; size++) {
        struct kernel_image image;
        struct error err;
        if (try_kernel(f, s->data, size, &image, &err))
            fail_msg("%zu of %zu bytes were taken for a kernel (%s)", size, s->size, image.format);
        assert_non_null(strstr(err.message, "-kernel 'sample'"));
        if (!strstr(err.message, word) && size >= 64)
            fail_msg("%zu of %zu bytes: %s", size, s->size, err.message);
        assert_null(strchr(err.message, '\n'));
    }
}

static void expect_error(struct fixture *f, const struct sample *s, const char *word)
{
    struct kernel_image image;
    struct error err;

    assert_false(try_kernel(f, s->data, s->size, &image, &err));
    if (!strstr(err.message, word))
        fail_msg("'%s' is not in: %s", word, err.message);
}

/* ---- samples --------------------------------------------------------------------------------- */

static void fill(uint8_t *data, size_t size)
{
    uint32_t x = 1;

    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
}

static void make_zimage(struct sample *s)
{
    s->size = 4096;
    fill(s->data, s->size);
    for (size_t i = 0; i < 0x24; i += 4)
        store_le32(s->data + i, 0xe1a00000);
    store_le32(s->data + 0x24, 0x016f2818);
    store_le32(s->data + 0x28, 0);
    store_le32(s->data + 0x2c, (uint32_t)s->size);
    store_le32(s->data + 0x30, 0x04030201);
    store_le32(s->data + 0x34, 0x45454545);
    store_le32(s->data + 0x38, 0x100);
    const uint32_t table[] = {5, 0x5a534c4b, 0x200, 0x1000, 0x8000, 0x10000};
    for (size_t i = 0; i < 6; i++)
        store_le32(s->data + 0x100 + i * 4, table[i]);
    store_le32(s->data + 0x200, 1 << 20); /* unpacks to 1 MiB */
}

static void make_elf(struct sample *s, uint16_t machine, uint32_t address)
{
    Elf32_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = machine,
        .e_version = EV_CURRENT,
        .e_entry = address + 0x11, /* Thumb */
        .e_phoff = sizeof(Elf32_Ehdr),
        .e_shoff = 0x300,
        .e_ehsize = sizeof(Elf32_Ehdr),
        .e_phentsize = sizeof(Elf32_Phdr),
        .e_phnum = 1,
        .e_shentsize = sizeof(Elf32_Shdr),
        .e_shnum = 1,
    };
    Elf32_Phdr segment = {
        .p_type = PT_LOAD,
        .p_offset = 0x100,
        .p_vaddr = address,
        .p_paddr = address,
        .p_filesz = 0x200,
        .p_memsz = 0x1000,
        .p_flags = PF_R | PF_X,
    };

    s->size = 0x300 + sizeof(Elf32_Shdr);
    fill(s->data, s->size);
    memset(s->data + 0x300, 0, sizeof(Elf32_Shdr));
    memcpy(s->data, &header, sizeof(header));
    memcpy(s->data + sizeof(header), &segment, sizeof(segment));
}

static void make_gzip(struct sample *s, const void *data, size_t size)
{
    z_stream stream = {0};

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (uint8_t *)data;
    stream.avail_in = (uInt)size;
    stream.next_out = s->data;
    stream.avail_out = sizeof(s->data);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    s->size = sizeof(s->data) - stream.avail_out;
    deflateEnd(&stream);
}

static void make_uimage(struct sample *s, const void *data, size_t size, uint8_t architecture,
                        uint8_t type, uint8_t compression)
{
    uint8_t *h = s->data;

    memset(h, 0, 64);
    memcpy(h + 64, data, size);
    s->size = size + 64;
    store_be32(h, 0x27051956);
    store_be32(h + 12, (uint32_t)size);
    store_be32(h + 16, RAM + 0x8000);
    store_be32(h + 20, RAM + 0x8010);
    store_be32(h + 24, (uint32_t)crc32(0, data, (uInt)size));
    h[28] = 5;
    h[29] = architecture;
    h[30] = type;
    h[31] = compression;
    memcpy(h + 32, "sample", 6);
    store_be32(h + 4, (uint32_t)crc32(0, h, 64));
}

static void cpio_entry(struct sample *s, const char *name, uint32_t mode, const void *data,
                       uint32_t size)
{
    char *at = (char *)s->data + s->size;

    at += sprintf(at, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, mode, 0, 0,
                  1, 0, size, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
    strcpy(at, name);
    at += strlen(name) + 1;
    s->size = align_up((size_t)((uint8_t *)at - s->data), 4);
    memcpy(s->data + s->size, data, size);
    s->size = align_up(s->size + size, 4);
}

static void make_cpio(struct sample *s, uint16_t machine)
{
    struct sample elf;

    memset(s, 0, sizeof(*s));
    make_elf(&elf, machine, 0x8000);
    cpio_entry(s, "bin", 040755, "", 0);
    cpio_entry(s, "hello.txt", 0100644, "hello", 5);
    cpio_entry(s, "./bin/busybox", 0100755, elf.data, (uint32_t)elf.size);
    cpio_entry(s, "init", 0120777, "bin/busybox", 11);
    cpio_entry(s, "TRAILER!!!", 0, "", 0);
}

/* ---- kernels --------------------------------------------------------------------------------- */

static void test_zimage(void **state)
{
    struct fixture f;
    struct sample s;
    struct kernel_image image;
    struct error err;

    fixture_init(&f);
    make_zimage(&s);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_string_equal(image.format, "zImage");
    assert_int_equal(image.entry, RAM + 0x10000);
    assert_memory_equal(f.ram + 0x10000, s.data, s.size);
    assert_true(image.end >= RAM + 0x8000 + (1 << 20) + 0x1000);
    all_truncations(&f, &s, 0, "truncated");
    s.size += 100; /* an appended device tree is no harm */
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    f.target.ram_bytes = 1 << 20; /* -m too small for what it unpacks to */
    expect_error(&f, &s, "does not fit");
    f.target.ram_bytes = RAM_SIZE;
    store_le32(s.data + 0x2c, 0);
    expect_error(&f, &s, "states no size");
    store_le32(s.data + 0x24, 0x18286f01);
    expect_error(&f, &s, "big-endian");
    fixture_finish(&f);
}

static void test_gzip(void **state)
{
    struct fixture f;
    struct sample inner, s, twice;
    struct kernel_image image;
    struct error err;

    fixture_init(&f);
    make_zimage(&inner);
    make_gzip(&s, inner.data, inner.size);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_string_equal(image.format, "zImage");
    assert_memory_equal(f.ram + 0x10000, inner.data, inner.size);
    all_truncations(&f, &s, 0, "truncated");
    s.data[s.size - 6] ^= 1; /* the checksum */
    expect_error(&f, &s, "damaged");
    s.data[s.size - 6] ^= 1;
    make_gzip(&twice, s.data, s.size);
    assert_true(try_kernel(&f, twice.data, twice.size, &image, &err));
    /* What unpacks to more than the memory is stopped on the way. */
    uint8_t *zeros = calloc(1, 8 << 20);
    assert_non_null(zeros);
    make_gzip(&s, zeros, 8 << 20);
    free(zeros);
    f.target.ram_bytes = 4 << 20;
    expect_error(&f, &s, "does not fit");
    fixture_finish(&f);
}

static void test_elf(void **state)
{
    struct fixture f;
    struct sample s;
    struct kernel_image image;
    struct error err;

    fixture_init(&f);
    make_elf(&s, MACHINE_ARM, RAM + 0x100000);
    memset(f.ram + 0x100000, 0xaa, 0x1000);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_int_equal(image.entry, RAM + 0x100011);
    assert_int_equal(image.end, RAM + 0x101000);
    assert_memory_equal(f.ram + 0x100000, s.data + 0x100, 0x200);
    for (unsigned i = 0x200; i < 0x1000; i++) /* its bss */
        assert_int_equal(f.ram[0x100000 + i], 0);
    all_truncations(&f, &s, 0, "truncated");
    make_elf(&s, EM_X86_64, RAM);
    expect_error(&f, &s, "x86-64");
    make_elf(&s, EM_386, RAM);
    expect_error(&f, &s, "x86");
    make_elf(&s, EM_AARCH64, RAM);
    s.data[EI_CLASS] = ELFCLASS64;
    expect_error(&f, &s, "AArch64");
    make_elf(&s, 0x1234, RAM);
    expect_error(&f, &s, "machine number 4660");
    make_elf(&s, MACHINE_ARM, 0x20000000); /* nowhere */
    expect_error(&f, &s, "outside the machine's memory");
    make_elf(&s, MACHINE_ARM, RAM + RAM_SIZE - 0x800); /* over the end */
    expect_error(&f, &s, "does not fit");
    make_elf(&s, MACHINE_ARM, 0xfffff800); /* wraps around */
    expect_error(&f, &s, "does not fit");
    fixture_finish(&f);
}

static void test_uimage(void **state)
{
    struct fixture f;
    struct sample inner, packed, s;
    struct kernel_image image;
    struct error err;

    fixture_init(&f);
    make_zimage(&inner);
    make_uimage(&s, inner.data, inner.size, 2, 2, 0);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_int_equal(image.entry, RAM + 0x8010);
    assert_memory_equal(f.ram + 0x8000, inner.data, inner.size);
    all_truncations(&f, &s, 0, "truncated");
    s.data[500] ^= 1;
    expect_error(&f, &s, "checksum");
    s.data[500] ^= 1;
    s.data[40] ^= 1;
    expect_error(&f, &s, "checksum");
    make_gzip(&packed, inner.data, inner.size);
    make_uimage(&s, packed.data, packed.size, 2, 2, 1);
    memset(f.ram, 0, 1 << 20);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_memory_equal(f.ram + 0x8000, inner.data, inner.size);
    make_uimage(&s, inner.data, inner.size, 24, 2, 0);
    expect_error(&f, &s, "x86-64");
    make_uimage(&s, inner.data, inner.size, 2, 3, 0);
    expect_error(&f, &s, "type 3");
    make_uimage(&s, inner.data, inner.size, 2, 2, 3);
    expect_error(&f, &s, "compression");
    make_uimage(&s, inner.data, inner.size / 2, 2, 2, 0);
    expect_error(&f, &s, "truncated"); /* the kernel inside */
    fixture_finish(&f);
}

static void test_raw(void **state)
{
    struct fixture f;
    struct sample s;
    struct kernel_image image;
    struct error err;

    fixture_init(&f);
    fill(s.data, s.size = 1000);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_int_equal(image.entry, RAM + 0x10000);
    /* An Image: found by its banner, placed by what its first instructions subtract. */
    memcpy(s.data + 700, "Linux version 6.1", 17);
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_string_equal(image.format, "Image");
    assert_int_equal(image.entry, RAM + 0x8000);
    store_le32(s.data + 32, 0xe2488982); /* sub r8, r8, #0x208000 */
    assert_true(try_kernel(&f, s.data, s.size, &image, &err));
    assert_int_equal(image.entry, RAM + 0x208000);
    fixture_finish(&f);
}

static void test_foreign(void **state)
{
    static const struct {
        size_t at;
        const char *magic, *word;
    } kinds[] = {
        {0x202, "HdrS", "x86 Linux"},
        {0x38, "ARM\x64", "AArch64"},
        {0x38, "RSC\x05", "RISC-V"},
        {0, "070701", "cpio"},
        {0, "\xd0\x0d\xfe\xed", "device tree"},
        {0, "BZh91", "bzip2"},
        {0,
         "\xfd"
         "7zXZ",
         "xz"},
        {0, "\x28\xb5\x2f\xfd", "zstd"},
        {0, "MZ", "EFI"},
        {0, "#!/bin/sh\n", "script"},
        {0, "!<arch>\n", "archive"},
    };
    struct fixture f;
    struct sample s;

    fixture_init(&f);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        memset(s.data, 0, s.size = 2048);
        memcpy(s.data + kinds[i].at, kinds[i].magic, strlen(kinds[i].magic));
        expect_error(&f, &s, kinds[i].word);
    }
    memset(s.data, 'x', s.size = 100);
    expect_error(&f, &s, "is text");
    s.size = 3;
    expect_error(&f, &s, "too short");
    fixture_finish(&f);
}

/* Random changes to good files: whatever comes out, nothing is touched outside. */
static void test_damage(void **state)
{
    struct fixture f;
    struct sample zimage, s, damaged;
    struct kernel_image image;
    struct error err;
    uint32_t x = 7;

    fixture_init(&f);
    make_zimage(&zimage);
    for (unsigned kind = 0; kind < 4; kind++) {
        if (kind == 0)
            s = zimage;
        else if (kind == 1)
            make_elf(&s, MACHINE_ARM, RAM + 0x100000);
        else if (kind == 2)
            make_gzip(&s, zimage.data, 2000);
        else
            make_uimage(&s, zimage.data, zimage.size, 2, 2, 0);
        for (unsigned i = 0; i < 1500; i++) {
            damaged = s;
            for (unsigned n = 0; n < 1 + i % 3; n++) {
                x = x * 1664525 + 1013904223;
                damaged.data[(x >> 8) % MIN(s.size, 256u)] = (uint8_t)(x >> 24);
            }
            try_kernel(&f, damaged.data, damaged.size, &image, &err);
        }
    }
    fixture_finish(&f);
}

/* ---- RAM disks ------------------------------------------------------------------------------- */

static void initrd_truncations(const struct sample *s)
{
    struct error err;

    assert_true(try_initrd(s->data, s->size, &err));
    for (size_t size = 6; size < s->size; size++) {
        if (try_initrd(s->data, size, &err))
            fail_msg("%zu of %zu bytes were taken for a RAM disk", size, s->size);
        if (!strstr(err.message, "truncated"))
            fail_msg("%zu of %zu bytes: %s", size, s->size, err.message);
    }
}

static void test_initrd_cpio(void **state)
{
    struct sample s, packed, both;
    struct error err;

    make_cpio(&s, MACHINE_ARM);
    initrd_truncations(&s);
    make_gzip(&packed, s.data, s.size);
    initrd_truncations(&packed);
    /* A plain archive, padding, then a compressed one. */
    both = s;
    memset(both.data + both.size, 0, 512);
    both.size += 512;
    memcpy(both.data + both.size, packed.data, packed.size);
    both.size += packed.size;
    assert_true(try_initrd(both.data, both.size, &err));
    assert_false(try_initrd(both.data, both.size - 1, &err));
    make_cpio(&s, EM_X86_64);
    assert_false(try_initrd(s.data, s.size, &err));
    assert_non_null(strstr(err.message, "x86-64"));
    assert_non_null(strstr(err.message, "bin/busybox"));
    make_gzip(&packed, s.data, s.size);
    assert_false(try_initrd(packed.data, packed.size, &err));
    /* The archive is whole, what holds it is not: gzip of a cut archive. */
    make_cpio(&s, MACHINE_ARM);
    make_gzip(&packed, s.data, s.size / 2);
    assert_false(try_initrd(packed.data, packed.size, &err));
}

static void test_initrd_others(void **state)
{
    static const uint8_t zstd[] = {/* one raw block and a checksum */
                                   0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x05, 0x29, 0x00, 0x00,
                                   'h',  'e',  'l',  'l',  'o',  0x11, 0x22, 0x33, 0x44};
    struct sample s, packed;
    struct error err;

    memcpy(s.data, zstd, s.size = sizeof(zstd));
    initrd_truncations(&s);
    memset(s.data, 0, s.size = 8192); /* ext2 */
    store_le32(s.data + 1024 + 4, 8);
    store_le16(s.data + 1024 + 56, 0xef53);
    assert_true(try_initrd(s.data, s.size, &err));
    assert_false(try_initrd(s.data, s.size - 1, &err));
    make_cpio(&packed, MACHINE_ARM);
    make_uimage(&s, packed.data, packed.size, 2, 3, 0);
    initrd_truncations(&s);
    make_uimage(&s, packed.data, packed.size, 2, 2, 0);
    assert_false(try_initrd(s.data, s.size, &err));
    make_zimage(&s);
    assert_false(try_initrd(s.data, s.size, &err));
    assert_non_null(strstr(err.message, "kernel"));
    make_elf(&s, MACHINE_ARM, RAM);
    assert_false(try_initrd(s.data, s.size, &err));
}

/* ---- files ----------------------------------------------------------------------------------- */

static void expect_file_error(const char *path, uint64_t max, const char *word)
{
    struct loader_file file;
    struct error err;

    assert_false(loader_read_file(&file, "-initrd", path, max, &err));
    assert_null(file.data);
    if (!strstr(err.message, word) || strncmp(err.message, "-initrd '", 9))
        fail_msg("%s: %s", path, err.message);
}

static void test_files(void **state)
{
    char path[] = "/tmp/calque-loader-XXXXXX";
    int fd = mkstemp(path);
    struct loader_file file;
    struct error err;

    assert_true(fd >= 0);
    expect_file_error("/nonexistent/file", 100, "No such file");
    expect_file_error("/", 100, "is a directory");
    expect_file_error("/dev/null", 100, "is empty");
    expect_file_error("/dev/zero", 1 << 20, "does not fit");
    expect_file_error(path, 100, "is empty");
    assert_int_equal(write(fd, "0123456789", 10), 10);
    expect_file_error(path, 9, "does not fit");
    assert_true(loader_read_file(&file, "-kernel", path, 10, &err));
    assert_int_equal(file.size, 10);
    assert_memory_equal(file.data, "0123456789", 10);
    loader_file_free(&file);
    close(fd);
    unlink(path);
}

/* A restart finds what the first start found, also in ROM and over its end. */
static void test_write_again(void **state)
{
    struct fixture f;
    struct error err;

    fixture_init(&f);
    uint8_t *rom = memory_add_rom(f.memory, "rom", 0, 0x10000, NULL, NULL, &err);
    struct loader *l = loader_create();
    assert_true(loader_add(l, RAM + 100, "text", 4, 8, &err));
    assert_true(loader_add(l, 0, "firmware", 8, 0x10000, &err));
    for (unsigned i = 0; i < 2; i++) {
        memset(f.ram, 0xaa, 4096);
        memset(rom, 0xaa, 0x10000);
        loader_write(l, f.memory);
        assert_memory_equal(f.ram + 100, "text\0\0\0\0\xaa", 9);
        assert_memory_equal(rom, "firmware\0", 9);
        assert_int_equal(rom[0xffff], 0);
    }
    assert_int_equal(loader_end(l, RAM), RAM + 108);
    assert_true(loader_fits(f.memory, RAM, RAM_SIZE));
    assert_false(loader_fits(f.memory, RAM, RAM_SIZE + 1));
    assert_false(loader_fits(f.memory, ~UINT64_C(0), 2));
    loader_destroy(l);
    fixture_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zimage),        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_elf),           cmocka_unit_test(test_uimage),
        cmocka_unit_test(test_raw),           cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_damage),        cmocka_unit_test(test_initrd_cpio),
        cmocka_unit_test(test_initrd_others), cmocka_unit_test(test_files),
        cmocka_unit_test(test_write_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
