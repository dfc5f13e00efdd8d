/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a PC without running it: what a kernel is told (memory map, command line, ACPI tables in
 * both forms), and each way in which its files can be wrong, which is one sentence that names the
 * file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "hw/machine.h"
#include "hw/machines/pc_acpi.h"
#include "hw/machines/x86_kernel.h"
#include "util/bits.h"

enum { KERNEL = 0x100000, BOOT_PARAMS = 0x10000, START_INFO = 0x11000, ROM = 0xe0000 };

/* ---- files ----------------------------------------------------------------------------------- */

static char directory[] = "/tmp/calque-x86-boot-XXXXXX";
static char paths[8][64];
static unsigned n_paths;

static int make_directory(void **state)
{
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    for (unsigned i = 0; i < n_paths; i++)
        unlink(paths[i]);
    return rmdir(directory);
}

static const char *put_file(const char *name, const void *data, size_t size)
{
    char path[64];
    unsigned i = 0;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    while (i < n_paths && strcmp(paths[i], path))
        i++;
    assert_true(i < ARRAY_SIZE(paths));
    strcpy(paths[i], path);
    n_paths = MAX(n_paths, i + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
    return paths[i];
}

/* A kernel image being made: 64 KiB at the most. */
struct image {
    uint8_t data[0x10000];
    size_t size;
};

enum { SETUP_SECTORS = 2, SETUP_BYTES = (SETUP_SECTORS + 1) * 512, BZIMAGE_BYTES = 0x4000 };

/* boot.rst: protocol 2.12, loads high, 64-bit entry, at least 2 MiB for itself. */
static void make_bzimage(struct image *i)
{
    memset(i, 0, sizeof(*i));
    i->size = BZIMAGE_BYTES;
    i->data[0x1f1] = SETUP_SECTORS;
    store_le32(i->data + 0x1f4, (BZIMAGE_BYTES - SETUP_BYTES) / 16);
    store_le16(i->data + 0x1fe, 0xaa55);
    i->data[0x200] = 0xeb;
    i->data[0x201] = 0x66;
    memcpy(i->data + 0x202, "HdrS", 4);
    store_le16(i->data + 0x206, 0x20c);
    i->data[0x211] = 1;
    store_le32(i->data + 0x22c, 0x7fffffff);
    i->data[0x236] = 1;
    store_le32(i->data + 0x238, 100);
    store_le64(i->data + 0x258, KERNEL);
    store_le32(i->data + 0x260, 2 * MIB);
    memcpy(i->data + SETUP_BYTES, "the kernel", 10);
}

/* One segment of 4 KiB at `address`, and a PVH note if `pvh` is not 0. */
static void make_elf(struct image *i, unsigned class, unsigned machine, uint32_t address,
                     uint32_t pvh)
{
    Elf64_Ehdr h = {.e_type = ET_EXEC,
                    .e_machine = (uint16_t)machine,
                    .e_version = 1,
                    .e_entry = address + 16,
                    .e_phoff = sizeof(h),
                    .e_ehsize = sizeof(h),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = pvh ? 2 : 1};
    Elf64_Phdr p[2] = {{.p_type = PT_LOAD,
                        .p_offset = 0x1000,
                        .p_vaddr = address,
                        .p_paddr = address,
                        .p_filesz = 0x1000,
                        .p_memsz = 0x2000},
                       {.p_type = PT_NOTE, .p_offset = 0x800, .p_filesz = 24, .p_memsz = 24}};

    memset(i, 0, sizeof(*i));
    i->size = 0x2000;
    memcpy(h.e_ident, ELFMAG, SELFMAG);
    h.e_ident[EI_CLASS] = (uint8_t) class;
    h.e_ident[EI_DATA] = ELFDATA2LSB;
    h.e_ident[EI_VERSION] = 1;
    memcpy(i->data, &h, sizeof(h));
    memcpy(i->data + sizeof(h), p, sizeof(p));
    store_le32(i->data + 0x800, 4); /* name, descriptor, type; name; descriptor */
    store_le32(i->data + 0x804, 4);
    store_le32(i->data + 0x808, 18);
    memcpy(i->data + 0x80c, "Xen", 4);
    store_le32(i->data + 0x810, pvh);
}

/* Multiboot 3.1: its addresses in the header itself. */
static void make_multiboot(struct image *i, uint32_t header, uint32_t load, uint32_t load_end,
                           uint32_t bss_end)
{
    enum { AT = 0x100 };
    const uint32_t words[] = {0x1badb002, 1 << 16,     -(0x1badb002u + (1 << 16)),
                              header,     load,        load_end,
                              bss_end,    load + 0x200};

    memset(i, 0, sizeof(*i));
    i->size = 0x1000;
    for (unsigned n = 0; n < ARRAY_SIZE(words); n++)
        store_le32(i->data + AT + n * 4, words[n]);
}

/* ---- machines -------------------------------------------------------------------------------- */

static const char *const both_machines[] = {"pc", "q35"};

static void event(void *opaque, enum machine_event what)
{
}

static struct chardev *no_chardev(void *opaque, const char *name)
{
    return NULL;
}

static void *no_backend(void *opaque, const char *name)
{
    return NULL;
}

static struct machine *start(const char *guest, const char *name, uint64_t ram_bytes,
                             const char *props, struct boot_options boot, struct error *err)
{
    struct machine_config config = {
        .class = machine_class_find(guest, name),
        .ram_bytes = ram_bytes,
        .props = props,
        .boot = boot,
        .chardev = no_chardev,
        .backend = no_backend,
        .event = event,
    };
    struct machine *m;

    assert_non_null(config.class);
    m = machine_create(&config, err);
    if (m && !machine_reset(m, err)) {
        machine_destroy(m);
        m = NULL;
    }
    return m;
}

static struct machine *must_start(const char *guest, const char *name, uint64_t ram_bytes,
                                  const char *props, struct boot_options boot)
{
    struct error err = {""};
    struct machine *m = start(guest, name, ram_bytes, props, boot, &err);

    if (!m)
        fail_msg("%s", err.message);
    return m;
}

static void expect_message(const struct error *err, const char *first, const char *second)
{
    if (!strstr(err->message, first) || !strstr(err->message, second) || strchr(err->message, '\n'))
        fail_msg("'%s' and '%s' are not in: %s", first, second, err->message);
}

static void expect_error(uint64_t ram_bytes, struct boot_options boot, const char *first,
                         const char *second)
{
    struct error err = {""};
    struct machine *m = start("x86_64", "pc", ram_bytes, NULL, boot, &err);

    assert_null(m);
    expect_message(&err, first, second);
}

static uint64_t peek(const struct machine *m, gpa address, unsigned size)
{
    uint8_t bytes[8] = {0};

    assert_true(memory_read(m->memory, address, bytes, size));
    return load_le64(bytes);
}

/* ---- what a kernel finds --------------------------------------------------------------------- */

struct range {
    uint64_t base, size;
    uint32_t type;
};

/* boot_params' map: entries do not overlap; RAM is all of -m but the firmware's part. */
static void check_e820(const struct machine *m, uint64_t low, uint64_t high)
{
    struct range map[16];
    unsigned n = (unsigned)peek(m, BOOT_PARAMS + 0x1e8, 1);
    uint64_t ram_low = 0, ram_high = 0;

    assert_in_range(n, 1, ARRAY_SIZE(map));
    for (unsigned i = 0; i < n; i++) {
        gpa at = BOOT_PARAMS + 0x2d0 + i * 20;
        map[i] = (struct range){peek(m, at, 8), peek(m, at + 8, 8), (uint32_t)peek(m, at + 16, 4)};
        for (unsigned j = 0; j < i; j++)
            assert_true(map[i].base >= map[j].base + map[j].size ||
                        map[j].base >= map[i].base + map[i].size);
        if (map[i].type != 1)
            continue;
        assert_non_null(memory_ram_pointer(m->memory, map[i].base, map[i].size));
        if (map[i].base < (UINT64_C(1) << 32))
            ram_low += map[i].size;
        else
            ram_high += map[i].size;
    }
    assert_int_equal(ram_low, low - MIB + 0x9fc00);
    assert_int_equal(ram_high, high);
}

static void test_bzimage(void **state)
{
    static const char command_line[] = "console=ttyS0 root=/dev/sda1";
    struct image image;

    make_bzimage(&image);
    const char *kernel = put_file("bzImage", image.data, image.size);
    const char *initrd = put_file("initrd", "some file system or other", 25);
    for (unsigned i = 0; i < ARRAY_SIZE(both_machines); i++) {
        struct machine *m = must_start(
            i ? "i386" : "x86_64", both_machines[i], 64 * MIB, NULL,
            (struct boot_options){.kernel = kernel, .initrd = initrd, .append = command_line});
        char text[64];
        for (unsigned reset = 0; reset < 2; reset++) { /* the second finds the same */
            struct error err;
            assert_int_equal(peek(m, BOOT_PARAMS + 0x202, 4), 0x53726448);
            assert_int_equal(peek(m, BOOT_PARAMS + 0x210, 1), 0xff);
            assert_int_equal(peek(m, BOOT_PARAMS + 0x211, 1), 0x81);
            assert_true(memory_read(m->memory, peek(m, BOOT_PARAMS + 0x228, 4), text,
                                    sizeof(command_line)));
            assert_string_equal(text, command_line);
            uint32_t at = (uint32_t)peek(m, BOOT_PARAMS + 0x218, 4);
            assert_int_equal(peek(m, BOOT_PARAMS + 0x21c, 4), 25);
            assert_int_equal(at % 4096, 0);
            assert_in_range(at, KERNEL + 2 * MIB, 64 * MIB - 25);
            assert_memory_equal(m->ram + at, "some file system", 16);
            assert_memory_equal(m->ram + KERNEL, "the kernel", 10);
            memset(m->ram, 0xaa, 64 * MIB);
            assert_true(machine_reset(m, &err));
        }
        check_e820(m, 64 * MIB, 0);
        assert_int_equal(peek(m, BOOT_PARAMS + 0x1e0, 4), 63 * 1024); /* KiB from 1 MiB */
        machine_destroy(m);
    }
}

static void test_memory_map(void **state)
{
    static const struct {
        const char *machine;
        uint64_t ram, low;
    } cases[] = {{"pc", 8 * MIB, 8 * MIB},
                 {"pc", 3 * GIB, 3 * GIB},
                 {"pc", 5 * GIB, 3 * GIB},
                 {"q35", 2 * GIB, 2 * GIB},
                 {"q35", 6 * GIB, 2 * GIB}};
    struct image image;

    make_bzimage(&image);
    const char *kernel = put_file("bzImage", image.data, image.size);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct machine *m = must_start("x86_64", cases[i].machine, cases[i].ram, NULL,
                                       (struct boot_options){.kernel = kernel});
        check_e820(m, cases[i].low, cases[i].ram - cases[i].low);
        machine_destroy(m);
    }
}

/* hvm_start_info, and multiboot_info for what has no PVH note. */
static void test_other_kernels(void **state)
{
    struct image image;
    struct machine *m;

    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 4 * MIB + 0x123);
    const char *kernel = put_file("kernel", image.data, image.size);
    const char *initrd = put_file("initrd", "some file system or other", 25);
    m = must_start("x86_64", "pc", 64 * MIB, NULL,
                   (struct boot_options){.kernel = kernel, .initrd = initrd, .append = "words"});
    assert_int_equal(peek(m, START_INFO, 4), 0x336ec578);
    assert_int_equal(peek(m, START_INFO + 12, 4), 1);
    assert_int_equal(peek(m, peek(m, START_INFO + 16, 8) + 8, 8), 25);
    assert_int_equal(peek(m, peek(m, START_INFO + 24, 8), 5), 0x7364726f77); /* "words" */
    assert_int_equal(peek(m, START_INFO + 32, 8), ROM);
    machine_destroy(m);
    make_multiboot(&image, 2 * MIB + 0x100, 2 * MIB, 0, 2 * MIB + 0x8000);
    kernel = put_file("kernel", image.data, image.size);
    m = must_start("i386", "pc", 64 * MIB, NULL,
                   (struct boot_options){.kernel = kernel, .append = "words"});
    assert_int_equal(peek(m, 2 * MIB + 0x100, 4), 0x1badb002);
    assert_int_equal(peek(m, START_INFO, 4) & 0x4d, 0x4d);
    assert_int_equal(peek(m, START_INFO + 8, 4), 63 * 1024);
    assert_int_equal(peek(m, peek(m, START_INFO + 16, 4), 5), 0x7364726f77);
    assert_int_equal(peek(m, START_INFO + 20, 4), 0);
    machine_destroy(m);
}

/* ---- kernels that are wrong ------------------------------------------------------------------ */

/* Loads it as `-kernel 'test'` into 16 MiB; err says why not. */
static bool load_size(const struct image *image, size_t size, struct x86_kernel *out,
                      struct error *err)
{
    struct loader_file file = {.what = "-kernel 'test'", .data = malloc(size), .size = size};
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct memory *memory = memory_create(&lock, err);
    struct loader *l = loader_create();

    memcpy(file.data, image->data, size);
    assert_non_null(memory_add_ram(memory, "ram", 0, 16 * MIB, err));
    err->message[0] = 0;
    bool ok = x86_kernel_load(&file, memory, 16 * MIB, true, l, out, err);
    free(out->setup);
    out->setup = NULL;
    loader_destroy(l);
    memory_destroy(memory);
    return ok;
}

static void expect_bad_size(const struct image *image, size_t size, const char *word)
{
    struct x86_kernel kernel;
    struct error err;

    if (load_size(image, size, &kernel, &err))
        fail_msg("%zu bytes were taken", size);
    expect_message(&err, "-kernel 'test'", word);
}

static void expect_bad(const struct image *image, const char *word)
{
    expect_bad_size(image, image->size, word);
}

static struct x86_kernel expect_good(const struct image *image)
{
    struct x86_kernel kernel;
    struct error err;

    if (!load_size(image, image->size, &kernel, &err))
        fail_msg("%s", err.message);
    return kernel;
}

static void test_bad_bzimage(void **state)
{
    struct image image;

    make_bzimage(&image);
    struct x86_kernel kernel = expect_good(&image);
    assert_int_equal(kernel.entry_kind, X86_ENTRY_LINUX64);
    assert_int_equal(kernel.entry, KERNEL + 0x200);
    assert_int_equal(kernel.end, KERNEL + 2 * MIB);
    for (size_t size = 1; size < image.size - 15; size += size < 0x300 ? 1 : 97)
        expect_bad_size(&image, size, size < 0x206 ? "too short" : "truncated");
    image.data[0x211] = 0;
    expect_bad(&image, "loads low");
    make_bzimage(&image);
    store_le32(image.data + 0x260, 16 * MIB); /* init_size */
    expect_bad(&image, "does not fit");
    make_bzimage(&image);
    store_le64(image.data + 0x258, UINT64_MAX - 0x1000); /* with it the sum wraps around */
    expect_bad(&image, "does not fit");
    make_bzimage(&image);
    memcpy(image.data + 0x202, "Hdr?", 4);
    expect_bad(&image, "no kernel");
    make_bzimage(&image);
    image.data[0x1f1] = 255;
    expect_bad(&image, "truncated");
}

static void test_bad_elf(void **state)
{
    struct image image;

    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 4 * MIB + 0x123);
    struct x86_kernel kernel = expect_good(&image);
    assert_int_equal(kernel.entry_kind, X86_ENTRY_PVH);
    assert_int_equal(kernel.entry, 4 * MIB + 0x123);
    assert_int_equal(kernel.end, 4 * MIB + 0x2000);
    for (size_t size = 4; size < image.size; size += size < 0x200 ? 1 : 97)
        expect_bad_size(&image, size, size < sizeof(Elf32_Ehdr) ? "truncated" : "");
    make_elf(&image, ELFCLASS64, EM_AARCH64, 4 * MIB, 0);
    expect_bad(&image, "AArch64");
    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 0);
    expect_bad(&image, "neither a PVH note nor a Multiboot header");
    make_elf(&image, ELFCLASS64, EM_X86_64, 16 * MIB - 0x1000, 1);
    expect_bad(&image, "does not fit");
    make_elf(&image, ELFCLASS64, EM_X86_64, 0xfffff000, 1);
    expect_bad(&image, "does not fit");
    make_elf(&image, ELFCLASS64, EM_X86_64, 0x10000, 1); /* over boot_params */
    expect_bad(&image, "does not fit");
    make_elf(&image, ELFCLASS64, EM_X86_64, 0xff000, 1); /* over the ROM */
    expect_bad(&image, "does not fit");
    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 1);
    store_le64(image.data + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), 0x3000);
    expect_bad(&image, "truncated");
    store_le64(image.data + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), UINT64_MAX);
    expect_bad(&image, "truncated");
    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 1);
    store_le64(image.data + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_memsz), 0x800);
    expect_bad(&image, "larger in the file");
    make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 1);
    store_le16(image.data + 16, ET_REL);
    expect_bad(&image, "object file");
}

/* A note whose lengths lie: nothing outside it is read, and there is no entry in it. */
static void test_bad_note(void **state)
{
    static const uint32_t lengths[][2] = {
        {4, 0xffffffff}, {0xffffffff, 4}, {0xfffffffd, 0xfffffffd}, {4, 9}, {4, 3},
        {13, 4},         {5, 4}};
    struct image image;

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        make_elf(&image, ELFCLASS64, EM_X86_64, 4 * MIB, 1);
        store_le32(image.data + 0x800, lengths[i][0]);
        store_le32(image.data + 0x804, lengths[i][1]);
        expect_bad(&image, "PVH note");
    }
}

static void test_bad_multiboot(void **state)
{
    struct image image;

    make_multiboot(&image, 2 * MIB + 0x100, 2 * MIB, 2 * MIB + 0xf00, 2 * MIB + 0x4000);
    struct x86_kernel kernel = expect_good(&image);
    assert_int_equal(kernel.entry_kind, X86_ENTRY_MULTIBOOT);
    assert_int_equal(kernel.entry, 2 * MIB + 0x200);
    assert_int_equal(kernel.end, 2 * MIB + 0x4000);
    expect_bad_size(&image, 0x118, "truncated"); /* within its header */
    expect_bad_size(&image, 0x800, "truncated");
    make_multiboot(&image, 2 * MIB, 2 * MIB + 0x100, 0, 0);
    expect_bad(&image, "contradict");
    make_multiboot(&image, 3 * MIB, 2 * MIB, 0, 0);
    expect_bad(&image, "contradict");
    make_multiboot(&image, 2 * MIB + 0x100, 2 * MIB, 1 * MIB, 0);
    expect_bad(&image, "contradict");
    make_multiboot(&image, 2 * MIB + 0x100, 2 * MIB, 0xffffffff, 0);
    expect_bad(&image, "truncated");
    make_multiboot(&image, 2 * MIB + 0x100, 2 * MIB, 0, 0xffffffff);
    expect_bad(&image, "does not fit");
    make_multiboot(&image, 0xfffff100, 0xfffff000, 0, 0);
    expect_bad(&image, "does not fit");
    make_multiboot(&image, 0x11100, 0x11000, 0, 0);
    expect_bad(&image, "does not fit");
}

static void test_other_formats(void **state)
{
    struct image image = {.size = 0x1000};

    expect_bad(&image, "no kernel for x86");
    store_le32(image.data + 0x24, 0x016f2818);
    expect_bad(&image, "ARM");
    memset(image.data, 0, 0x100);
    memcpy(image.data + 0x38, "ARM\x64", 4);
    expect_bad(&image, "AArch64");
    expect_bad_size(&image, 16, "too short");
}

/* ---- options that are wrong ------------------------------------------------------------------ */

static void test_bad_options(void **state)
{
    struct image image;
    uint8_t *big = calloc(1, 14 * MIB);
    char text[200];

    make_bzimage(&image);
    const char *kernel = put_file("bzImage", image.data, image.size);
    big[0] = 'x';
    const char *initrd = put_file("initrd", big, 14 * MIB);
    expect_error(64 * MIB, (struct boot_options){.kernel = "/nonexistent/bzImage"},
                 "-kernel '/nonexistent/bzImage'", "No such file");
    expect_error(64 * MIB, (struct boot_options){.kernel = kernel, .initrd = "/nonexistent/i"},
                 "-initrd '/nonexistent/i'", "No such file");
    expect_error(64 * MIB, (struct boot_options){.bios = "/nonexistent/bios"},
                 "'/nonexistent/bios'", "-bios");
    expect_error(2 * MIB, (struct boot_options){.kernel = kernel}, "bzImage", "does not fit");
    expect_error(16 * MIB, (struct boot_options){.kernel = kernel, .initrd = initrd}, "initrd",
                 "does not fit");
    memset(text, 'a', sizeof(text) - 1);
    text[101] = 0;
    expect_error(64 * MIB, (struct boot_options){.kernel = kernel, .append = text}, "-append",
                 "101 characters");
    text[100] = 0;
    machine_destroy(must_start("x86_64", "pc", 64 * MIB, NULL,
                               (struct boot_options){.kernel = kernel, .append = text}));
    expect_error(64 * MIB, (struct boot_options){.bios = put_file("bios", big, 4095)}, "bios",
                 "multiple of 4 KiB");
    expect_error(64 * MIB, (struct boot_options){.bios = put_file("bios", "", 0)}, "bios",
                 "is empty");
    const char *bios = put_file("bios", big, 65536);
    expect_error(64 * MIB, (struct boot_options){.bios = bios, .initrd = initrd}, "initrd",
                 "needs a -kernel");
    expect_error(64 * MIB, (struct boot_options){.bios = bios, .append = "x"}, "-append",
                 "needs a -kernel");
    expect_error(64 * MIB, (struct boot_options){.bios = bios, .kernel = "/nonexistent/k"},
                 "-kernel '/nonexistent/k'", "No such file");
    free(big);
}

/* ---- ACPI ------------------------------------------------------------------------------------ */

/* Tables as a guest finds them. */
struct tables {
    gpa base;
    uint8_t *data;
    size_t size;
};

static const uint8_t *at(const struct tables *t, gpa address, size_t size)
{
    assert_true(address >= t->base && address - t->base + size <= t->size);
    return t->data + (address - t->base);
}

static void expect_sum(const struct tables *t, gpa address, size_t size)
{
    const uint8_t *bytes = at(t, address, size);
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    assert_int_equal(sum, 0);
}

/* A table's header: 5.2.6. */
static uint32_t expect_table(const struct tables *t, gpa address, const char *signature)
{
    const uint8_t *table = at(t, address, 36);
    uint32_t size = load_le32(table + 4);

    if (signature)
        assert_memory_equal(table, signature, 4);
    assert_true(size >= 36);
    expect_sum(t, address, size);
    return size;
}

static void check_fadt(const struct tables *t, gpa address, uint32_t size)
{
    const uint8_t *fadt = at(t, address, size);
    uint32_t facs = load_le32(fadt + 36), dsdt = load_le32(fadt + 40);

    assert_int_equal(size, 244); /* revision 3 */
    assert_int_equal(load_le64(fadt + 140), dsdt);
    expect_table(t, dsdt, "DSDT");
    assert_int_equal(facs % 64, 0);
    assert_memory_equal(at(t, facs, 64), "FACS", 4);
    assert_int_equal(load_le32(at(t, facs, 64) + 4), 64);
    /* A block and its generic address say the same. */
    assert_int_equal(load_le64(fadt + 148 + 4), load_le32(fadt + 56));
    assert_int_equal(load_le64(fadt + 172 + 4), load_le32(fadt + 64));
    assert_int_equal(load_le64(fadt + 208 + 4), load_le32(fadt + 76));
    assert_int_equal(load_le64(fadt + 220 + 4), load_le32(fadt + 80));
}

static void check_madt(const struct tables *t, gpa address, uint32_t size)
{
    const uint8_t *madt = at(t, address, size);
    unsigned local = 0, io = 0;
    uint32_t i = 44;

    assert_int_equal(load_le32(madt + 36), 0xfee00000);
    for (; i + 2 <= size && madt[i + 1] >= 2; i += madt[i + 1]) {
        local += madt[i] == 0;
        io += madt[i] == 1 && load_le32(madt + i + 4) == 0xfec00000;
    }
    assert_int_equal(i, size);
    assert_int_equal(local, 1);
    assert_int_equal(io, 1);
}

/* Everything hangs together; tells which tables there are besides. */
static void check_tables(const struct tables *t, gpa rsdp, bool hpet, bool mcfg)
{
    const uint8_t *root = at(t, rsdp, 36);
    unsigned seen[4] = {0};

    assert_memory_equal(root, "RSD PTR ", 8);
    assert_int_equal(rsdp % 16, 0);
    expect_sum(t, rsdp, 20);
    expect_sum(t, rsdp, 36);
    gpa rsdt = load_le32(root + 16), xsdt = load_le64(root + 24);
    uint32_t n = (expect_table(t, rsdt, "RSDT") - 36) / 4;
    assert_int_equal(expect_table(t, xsdt, "XSDT"), 36 + n * 8);
    for (uint32_t i = 0; i < n; i++) {
        gpa address = load_le32(at(t, rsdt + 36 + i * 4, 4));
        assert_int_equal(load_le64(at(t, xsdt + 36 + i * 8, 8)), address);
        uint32_t size = expect_table(t, address, NULL);
        const char *signature = (const char *)at(t, address, 4);
        if (!memcmp(signature, "FACP", 4) && ++seen[0])
            check_fadt(t, address, size);
        if (!memcmp(signature, "APIC", 4) && ++seen[1])
            check_madt(t, address, size);
        seen[2] += !memcmp(signature, "HPET", 4);
        seen[3] += !memcmp(signature, "MCFG", 4);
    }
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], 1);
    assert_int_equal(seen[2], hpet);
    assert_int_equal(seen[3], mcfg);
}

static void test_acpi_in_memory(void **state)
{
    static const char *const props[] = {NULL, "hpet=off"};
    struct image image;

    make_bzimage(&image);
    const char *kernel = put_file("bzImage", image.data, image.size);
    for (unsigned i = 0; i < 4; i++) {
        struct machine *m = must_start("x86_64", both_machines[i & 1], 64 * MIB, props[i >> 1],
                                       (struct boot_options){.kernel = kernel});
        struct tables tables = {ROM, malloc(0x20000), 0x20000};
        assert_true(memory_read(m->memory, ROM, tables.data, tables.size));
        check_tables(&tables, ROM, !(i >> 1), i & 1);
        free(tables.data);
        machine_destroy(m);
    }
    struct machine *m =
        must_start("x86_64", "pc", 64 * MIB, "acpi=off", (struct boot_options){.kernel = kernel});
    assert_int_not_equal(peek(m, ROM, 8), UINT64_C(0x2052545020445352)); /* "RSD PTR " */
    machine_destroy(m);
}

static void select_item(struct machine *m, unsigned key)
{
    memory_store(m->ports, 0x510, key, 2, NULL);
}

static void read_data(struct machine *m, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)memory_load(m->ports, 0x511, 1, NULL);
}

/* A file of fw_cfg as the firmware reads it. */
static uint8_t *read_file(struct machine *m, const char *name, uint32_t *size)
{
    uint8_t count[4], entry[64];

    select_item(m, 0x19);
    read_data(m, count, 4);
    for (uint32_t i = 0; i < load_be32(count); i++) {
        read_data(m, entry, sizeof(entry));
        if (strcmp((char *)entry + 8, name))
            continue;
        *size = load_be32(entry);
        uint8_t *data = calloc(1, *size + 1);
        select_item(m, load_be16(entry + 4));
        read_data(m, data, *size);
        return data;
    }
    fail_msg("no file %s", name);
    return NULL;
}

struct placed {
    char name[56];
    uint32_t offset, size;
};

static struct placed *find_placed(struct placed files[2], const char *name)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!strcmp(files[i].name, name))
            return &files[i];
    }
    fail_msg("the script speaks of %s before it is placed", name);
    return NULL;
}

/* "etc/table-loader": allocate, add pointer, add checksum, 128 bytes each. */
static gpa run_script(struct machine *m, struct tables *t)
{
    struct placed files[2] = {{.size = 0}};
    uint32_t size, used = 0, n_files = 0;
    uint8_t *script = read_file(m, "etc/table-loader", &size);

    assert_int_equal(size % 128, 0);
    for (uint8_t *step = script; step < script + size; step += 128) {
        const char *name = (char *)step + 4;
        uint8_t *rest = step + 60;
        if (load_le32(step) == 1) {
            assert_true(n_files < 2);
            struct placed *file = &files[n_files++];
            snprintf(file->name, sizeof(file->name), "%s", name);
            uint8_t *data = read_file(m, name, &file->size);
            used = (uint32_t)align_up(used, load_le32(rest));
            file->offset = used;
            assert_true(used + file->size <= t->size);
            memcpy(t->data + used, data, file->size);
            used += file->size;
            free(data);
            continue;
        }
        struct placed *file = find_placed(files, name);
        uint8_t *to = t->data + file->offset;
        if (load_le32(step) == 2) {
            uint32_t where = load_le32(rest + 56), bytes = rest[60];
            gpa base = t->base + find_placed(files, (char *)rest)->offset;
            assert_true(where + bytes <= file->size);
            if (bytes == 8)
                store_le64(to + where, load_le64(to + where) + base);
            else
                store_le32(to + where, load_le32(to + where) + (uint32_t)base);
        } else {
            uint32_t where = load_le32(rest), first = load_le32(rest + 4), n = load_le32(rest + 8);
            assert_int_equal(load_le32(step), 3);
            assert_true(where < file->size && first + n <= file->size);
            uint8_t sum = 0;
            for (uint32_t i = 0; i < n; i++)
                sum = (uint8_t)(sum + to[first + i]);
            to[where] = (uint8_t)(to[where] - sum);
        }
    }
    free(script);
    return t->base + find_placed(files, "etc/acpi/rsdp")->offset;
}

static void test_acpi_for_firmware(void **state)
{
    uint8_t *rom = calloc(1, 65536);
    const char *bios = put_file("bios", rom, 65536);

    for (unsigned i = 0; i < 2; i++) {
        struct machine *m = must_start("x86_64", both_machines[i], 64 * MIB, NULL,
                                       (struct boot_options){.bios = bios});
        struct tables tables = {0x3000000, calloc(1, 0x20000), 0x20000};
        check_tables(&tables, run_script(m, &tables), true, i == 1);
        free(tables.data);
        machine_destroy(m);
    }
    free(rom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bzimage),           cmocka_unit_test(test_memory_map),
        cmocka_unit_test(test_other_kernels),     cmocka_unit_test(test_bad_bzimage),
        cmocka_unit_test(test_bad_elf),           cmocka_unit_test(test_bad_note),
        cmocka_unit_test(test_bad_multiboot),     cmocka_unit_test(test_other_formats),
        cmocka_unit_test(test_bad_options),       cmocka_unit_test(test_acpi_in_memory),
        cmocka_unit_test(test_acpi_for_firmware),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
