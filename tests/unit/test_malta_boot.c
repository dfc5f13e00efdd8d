/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a Malta board without its processor: a few of its instructions are interpreted here,
 * just those that the start code and the monitor's services are made of. Where kernel, RAM disk and
 * environment go, what the start code leaves behind, -bios, and each way the files can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "boot_files.h"
#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "host/chardev.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { MOST_DEVICES = 40, KERNEL_AT = 0x100000, ENTRY = 0x100400, KERNEL_BYTES = 0x800 };
enum { GT = 0x1be00000, BOOT_ROM = 0x1fc00000, FLASH = 0x1e000000 };

struct board {
    struct vcpu cpu;
    struct guest guest;
    struct machine m;
    struct device *devices[MOST_DEVICES];
    struct chardev chardev;
    uint8_t sent[64];
    unsigned n_sent;
    struct boot_files files;
    uint64_t r[32], pc; /* of the interpreter */
};

/* ---- the board -------------------------------------------------------------------------------
 */

static void stream_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct board *b = c->state;

    for (unsigned i = 0; i < size && b->n_sent < sizeof(b->sent); i++)
        b->sent[b->n_sent++] = data[i];
}

static void stream_nothing(struct chardev *c)
{
}

static const struct chardev_ops stream_ops = {.name = "test",
                                              .write = stream_write,
                                              .accept_input = stream_nothing,
                                              .destroy = stream_nothing};

static void add_device(struct board *b, const struct machine_device *entry)
{
    struct error err = {""};
    bool stream = !strcmp(entry->id, "serial0");
    struct device *d = device_create(device_class_find(entry->class), entry->id, &b->m,
                                     entry->props, stream ? &b->chardev : NULL, NULL, &err);

    if (!d)
        fail_msg("%s: %s", entry->id, err.message);
    assert_true(b->m.n_devices < MOST_DEVICES);
    b->devices[b->m.n_devices++] = d;
    assert_true(device_map_all(d, entry->base, &err));
}

static struct board *board_create(const char *guest, uint64_t ram_bytes)
{
    struct board *b = calloc(1, sizeof(*b));
    struct error err = {""};

    assert_non_null(b);
    boot_files_create(&b->files);
    memory_lock_init(&b->m.lock);
    b->guest = (struct guest){.name = guest, .big_endian = !strstr(guest, "el")};
    b->cpu.guest = &b->guest;
    b->chardev = (struct chardev){.ops = &stream_ops, .state = b};
    b->m.class = machine_class_find(guest, "malta");
    assert_non_null(b->m.class);
    b->m.cpu = &b->cpu;
    b->m.clock = clock_create_manual();
    b->m.memory = memory_create(&b->m.lock, &err);
    b->m.ports = memory_create(&b->m.lock, &err);
    memory_set_big_endian(b->m.memory, b->guest.big_endian);
    b->m.ram_bytes = ram_bytes;
    b->m.devices = b->devices;
    for (const struct machine_device *entry = b->m.class->devices; entry->class; entry++)
        add_device(b, entry);
    if (!b->m.class->init(&b->m, &err))
        fail_msg("%s", err.message);
    return b;
}

/* The machine forgets what it has read. */
static void forget(struct board *b)
{
    if (b->m.loader)
        b->m.loader_destroy(b->m.loader);
    b->m.loader = NULL;
    memset(&b->m.boot, 0, sizeof(b->m.boot));
}

static void board_destroy(struct board *b)
{
    forget(b);
    b->m.class->finish(&b->m);
    for (unsigned i = b->m.n_devices; i-- > 0;)
        device_destroy(b->devices[i]);
    memory_destroy(b->m.ports);
    memory_destroy(b->m.memory);
    clock_destroy(b->m.clock);
    pthread_mutex_destroy(&b->m.lock);
    boot_files_remove(&b->files);
    free(b);
}

static const char *put_file(struct board *b, const char *name, const void *data, size_t size)
{
    return boot_files_put(&b->files, name, data, size);
}

static bool boot(struct board *b, struct error *err)
{
    pthread_mutex_lock(&b->m.lock);
    for (unsigned i = 0; i < b->m.n_devices; i++)
        device_reset(b->devices[i]);
    bool ok = b->m.class->boot(&b->m, err);
    pthread_mutex_unlock(&b->m.lock);
    return ok;
}

static void must_boot(struct board *b)
{
    struct error err = {""};

    if (!boot(b, &err))
        fail_msg("%s", err.message);
}

static void must_fail(struct board *b, const char *part)
{
    struct error err = {""};

    assert_false(boot(b, &err));
    if (!strstr(err.message, part))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
    forget(b);
}

/* ---- the interpreter -------------------------------------------------------------------------
 */

static uint32_t order32(const struct board *b, uint64_t value)
{
    return b->guest.big_endian ? __builtin_bswap32((uint32_t)value) : (uint32_t)value;
}

/* KSEG0 and KSEG1 only. */
static gpa physical(uint64_t address)
{
    assert_int_equal(address >> 30, UINT64_C(0x3fffffffe));
    return address & 0x1fffffff;
}

static void store(struct board *b, uint64_t address, uint32_t value, unsigned size)
{
    bool ok;

    memory_store(b->m.memory, physical(address), value, size, &ok);
    assert_true(ok);
}

static uint32_t load(struct board *b, uint64_t address, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(b->m.memory, physical(address), size, &ok);

    assert_true(ok);
    return (uint32_t)value;
}

static void step(struct board *b, uint64_t *next)
{
    uint32_t insn = order32(b, load(b, b->pc, 4));
    unsigned rs = insn >> 21 & 31, rt = insn >> 16 & 31, rd = insn >> 11 & 31;
    uint64_t offset = (uint64_t)(int16_t)insn, after = *next + 4, address = b->r[rs] + offset;

    switch (insn >> 26) {
    case 0x00:
        if ((insn & 0x3f) == 0x09) /* JALR */
            after = b->r[rs];
        else if ((insn & 0x3f) == 0x38) /* DSLL */
            b->r[rd] = b->r[rt] << (insn >> 6 & 31);
        else
            assert_int_equal(insn, 0); /* NOP */
        assert_true(rd == 0 || (insn & 0x3f) != 0x09);
        break;
    case 0x04: /* BEQ */
        after = b->r[rs] == b->r[rt] ? b->pc + 4 + offset * 4 : after;
        break;
    case 0x09: /* ADDIU */
        b->r[rt] = (uint64_t)(int32_t)(b->r[rs] + offset);
        break;
    case 0x0c: /* ANDI */
        b->r[rt] = b->r[rs] & insn & 0xffff;
        break;
    case 0x0d: /* ORI */
        b->r[rt] = b->r[rs] | (insn & 0xffff);
        break;
    case 0x0f: /* LUI */
        b->r[rt] = (uint64_t)(int32_t)(insn << 16);
        break;
    case 0x24: /* LBU */
        b->r[rt] = load(b, address, 1);
        break;
    case 0x28: /* SB */
        store(b, address, (uint32_t)b->r[rt], 1);
        break;
    case 0x2b: /* SW */
        store(b, address, order32(b, b->r[rt]), 4);
        break;
    default:
        fail_msg("unexpected instruction 0x%08x at 0x%llx", insn, (unsigned long long)b->pc);
    }
    b->r[0] = 0;
    b->pc = *next;
    *next = after;
}

/* Until it is at `end`, its delay slots done. */
static void run(struct board *b, uint64_t start, uint64_t end)
{
    uint64_t next = start + 4;

    b->pc = start;
    for (unsigned i = 0; b->pc != end; i++) {
        assert_true(i < 2000);
        step(b, &next);
    }
}

#define KSEG0 UINT64_C(0xffffffff80000000)
#define KSEG1 UINT64_C(0xffffffffa0000000)
#define RESET UINT64_C(0xffffffffbfc00000)

static uint32_t word(struct board *b, uint64_t address)
{
    return order32(b, load(b, address, 4));
}

/* A string that a table of 32-bit pointers names. */
static const char *string_at(struct board *b, uint64_t table, unsigned index)
{
    uint64_t address = (uint64_t)(int32_t)word(b, table + 4 * index);

    return address ? (const char *)b->m.ram + physical(address) : NULL;
}

static const char *variable(struct board *b, const char *name)
{
    const char *found;

    for (unsigned i = 0; (found = string_at(b, b->r[6], i)); i += 2) {
        if (!strcmp(found, name))
            return string_at(b, b->r[6], i + 1);
    }
    return NULL;
}

/* ---- files -----------------------------------------------------------------------------------
 */

static void put16(uint8_t *at, uint16_t value, bool big)
{
    store_le16(at, big ? __builtin_bswap16(value) : value);
}

static void put32(uint8_t *at, uint32_t value, bool big)
{
    store_le32(at, big ? __builtin_bswap32(value) : value);
}

static void put64(uint8_t *at, uint64_t value, bool big)
{
    store_le64(at, big ? __builtin_bswap64(value) : value);
}

/* One segment of KERNEL_BYTES, the first half in the file. */
static size_t make_elf32(uint8_t *out, bool big, uint16_t machine)
{
    uint8_t *segment = out + sizeof(Elf32_Ehdr);
    const uint32_t fields[] = {PT_LOAD,
                               0x100,
                               0x80000000u + KERNEL_AT,
                               0x80000000u + KERNEL_AT,
                               KERNEL_BYTES / 2,
                               KERNEL_BYTES,
                               7,
                               0x1000};

    memset(out, 0, 0x100 + KERNEL_BYTES / 2);
    memcpy(out, "\177ELF\1\1\1", 7);
    out[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
    put16(out + 16, ET_EXEC, big);
    put16(out + 18, machine, big);
    put32(out + 20, 1, big);
    put32(out + 24, 0x80000000u + ENTRY, big);
    put32(out + 28, sizeof(Elf32_Ehdr), big);
    put16(out + 40, sizeof(Elf32_Ehdr), big);
    put16(out + 42, sizeof(Elf32_Phdr), big);
    put16(out + 44, 1, big);
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        put32(segment + 4 * i, fields[i], big);
    memset(out + 0x100, 0x5a, KERNEL_BYTES / 2);
    return 0x100 + KERNEL_BYTES / 2;
}

static size_t make_elf64(uint8_t *out, bool big, uint64_t address, uint64_t entry)
{
    uint8_t *segment = out + sizeof(Elf64_Ehdr);
    const uint64_t fields[] = {0x100, address, address, KERNEL_BYTES / 2, KERNEL_BYTES, 0x1000};

    memset(out, 0, 0x100 + KERNEL_BYTES / 2);
    memcpy(out, "\177ELF\2\1\1", 7);
    out[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
    put16(out + 16, ET_EXEC, big);
    put16(out + 18, EM_MIPS, big);
    put32(out + 20, 1, big);
    put64(out + 24, entry, big);
    put64(out + 32, sizeof(Elf64_Ehdr), big);
    put16(out + 52, sizeof(Elf64_Ehdr), big);
    put16(out + 54, sizeof(Elf64_Phdr), big);
    put16(out + 56, 1, big);
    put32(segment, PT_LOAD, big);
    put32(segment + 4, 7, big);
    for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
        put64(segment + 8 + 8 * i, fields[i], big);
    memset(out + 0x100, 0x5a, KERNEL_BYTES / 2);
    return 0x100 + KERNEL_BYTES / 2;
}

static uint8_t elf[0x1000];

/* ---- tests -----------------------------------------------------------------------------------
 */

static uint32_t config_get(struct board *b, unsigned where)
{
    store(b, KSEG1 + GT + 0xcf8, 0x80000000u | where, 4);
    return word(b, KSEG1 + GT + 0xcfc); /* the CPU's word is the value */
}

static void check_board(struct board *b)
{
    bool ok;

    assert_int_equal(load(b, KSEG1 + GT + 0x68, 4), 0xdf); /* registers are little-endian */
    assert_int_equal(load(b, KSEG1 + GT + 0x88, 4), 0x5e);
    assert_int_equal(config_get(b, 10 << 11), 0x71108086);
    assert_int_equal(config_get(b, 10 << 11 | 0x60), 0x0b0b0a0a);
    assert_int_equal(config_get(b, 10 << 11 | 3 << 8 | 0x90), 0x1101);
    assert_int_equal(memory_load(b->m.ports, 0x4d1, 1, &ok), 0x0c);
    assert_int_not_equal(memory_load(b->m.ports, 0x1f7, 1, &ok), 0xff); /* IDE is decoded */
    assert_int_equal(word(b, KSEG1 + BOOT_ROM + 0x10), 0x420);
    assert_int_equal(word(b, KSEG1 + 0x1f000208), b->guest.big_endian ? 0x12 : 0x10);
}

static void start_kernel(const char *guest)
{
    struct board *b = board_create(guest, 512 * MIB);
    static const uint8_t initrd[5] = {1, 2, 3, 4, 5};
    bool wide = strstr(guest, "64"), big = b->guest.big_endian;
    char expected[128];
    size_t size = wide ? make_elf64(elf, big, KSEG0 + KERNEL_AT, KSEG0 + ENTRY)
                       : make_elf32(elf, big, EM_MIPS);

    b->m.boot.kernel = put_file(b, "vmlinux", elf, size);
    b->m.boot.append = "console=ttyS0 quiet";
    must_boot(b);
    run(b, RESET, KSEG0 + ENTRY);
    check_board(b);
    assert_int_equal(b->m.ram[KERNEL_AT], 0x5a);
    assert_int_equal(b->m.ram[KERNEL_AT + KERNEL_BYTES / 2], 0);
    assert_int_equal(b->r[4], 2);
    assert_int_equal(b->r[7], 256 * MIB);
    assert_true(b->r[29] < b->r[5] && b->r[29] > KSEG0);
    assert_string_equal(string_at(b, b->r[5], 0), b->m.boot.kernel);
    assert_string_equal(string_at(b, b->r[5], 1), "console=ttyS0 quiet");
    assert_null(string_at(b, b->r[5], 2));
    assert_string_equal(variable(b, "memsize"), "268435456");
    assert_string_equal(variable(b, "ememsize"), "536870912");
    assert_string_equal(variable(b, "modetty0"), "38400,n,8,1,hw");
    assert_int_equal(strlen(variable(b, "rngseed")), 64);
    assert_null(variable(b, "nothing"));

    /* A restart finds the same, whatever the guest has done; then with a RAM disk. */
    memset(b->m.ram, 0xee, 4 * MIB);
    must_boot(b);
    run(b, RESET, KSEG0 + ENTRY);
    check_board(b);
    assert_int_equal(b->m.ram[KERNEL_AT], 0x5a);
    forget(b);
    b->m.boot.kernel = put_file(b, "vmlinux", elf, size);
    b->m.boot.initrd =
        put_file(b, "initrd", initrd, sizeof(initrd)); /* a format that is not known */
    must_boot(b);
    run(b, RESET, KSEG0 + ENTRY);
    snprintf(expected, sizeof(expected), "rd_start=0x%016llx rd_size=5",
             (unsigned long long)KSEG0 + 256 * MIB - 2 * 64 * KIB);
    assert_string_equal(string_at(b, b->r[5], 1), expected);
    assert_memory_equal(b->m.ram + 256 * MIB - 2 * 64 * KIB, initrd, 5);
    board_destroy(b);
}

static void every_guest_starts_a_kernel(void **state)
{
    start_kernel("mipsel");
    start_kernel("mips");
    start_kernel("mips64el");
    start_kernel("mips64");
}

static void entries_and_formats(void **state)
{
    struct board *b = board_create("mips64el", 64 * MIB);
    uint8_t raw[64] = {0x12, 0x34};
    uint64_t xkphys = UINT64_C(0x9800000000000000);

    b->m.boot.kernel =
        put_file(b, "vmlinux", elf, make_elf64(elf, false, xkphys + KERNEL_AT, xkphys + ENTRY));
    must_boot(b);
    run(b, RESET, xkphys + ENTRY);
    assert_int_equal(b->m.ram[KERNEL_AT], 0x5a);
    forget(b);
    /* programs for 32 bits run, too */
    b->m.boot.kernel = put_file(b, "vmlinux", elf, make_elf32(elf, false, EM_MIPS));
    must_boot(b);
    run(b, RESET, KSEG0 + ENTRY);
    forget(b);
    b->m.boot.kernel = put_file(b, "raw", raw, sizeof(raw));
    must_boot(b);
    run(b, RESET, KSEG0 + 0x100000);
    assert_memory_equal(b->m.ram + 0x100000, raw, sizeof(raw));
    assert_string_equal(string_at(b, b->r[5], 1), "");
    board_destroy(b);
}

static void monitor_services(void **state)
{
    static const char *const guests[] = {"mipsel", "mips"};

    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
        struct board *b = board_create(guests[i], 64 * MIB);
        b->m.boot.kernel =
            put_file(b, "vmlinux", elf, make_elf32(elf, b->guest.big_endian, EM_MIPS));
        must_boot(b);
        run(b, RESET, KSEG0 + ENTRY);
        strcpy((char *)b->m.ram + 0x8000, "Hello, world");
        b->r[5] = KSEG0 + 0x8000;
        b->r[31] = KSEG0 + 0x4000;
        run(b, (uint64_t)(int32_t)word(b, RESET + 0x534), b->r[31]);
        b->r[5] = KSEG0 + 0x8000;
        b->r[6] = 5;
        run(b, (uint64_t)(int32_t)word(b, RESET + 0x504), b->r[31]);
        assert_int_equal(b->n_sent, 17);
        assert_memory_equal(b->sent, "Hello, worldHello", 17);
        b->r[5] = KSEG0 + 0x8000;
        run(b, (uint64_t)(int32_t)word(b, RESET + 0x550), b->r[31]);
        assert_int_equal(b->r[2], 0); /* nothing was typed */
        b->r[2] = 1;
        run(b, (uint64_t)(int32_t)word(b, RESET + 0x52c), b->r[31]);
        assert_int_equal(b->r[2], 0);
        assert_int_equal(word(b, RESET + 0x380), 0x1000ffff); /* an exception goes no further */
        board_destroy(b);
    }
}

static void memory_map(void **state)
{
    struct board *b = board_create("mipsel", GIB);
    bool ok;

    b->m.ram[0x1000] = 0x11;
    b->m.ram[300 * MIB] = 0x22;
    b->m.ram[600 * MIB] = 0x33;
    assert_int_equal(memory_load(b->m.memory, 0x1000, 1, &ok), 0x11);
    assert_int_equal(memory_load(b->m.memory, 0x80001000, 1, &ok), 0x11);
    assert_int_equal(memory_load(b->m.memory, 0x80000000 + 300 * MIB, 1, &ok), 0x22);
    assert_int_equal(memory_load(b->m.memory, 600 * MIB, 1, &ok), 0x33);
    assert_int_equal(memory_load(b->m.memory, 0x80000000 + 600 * MIB, 1, &ok), 0x33);
    assert_null(memory_ram_pointer(b->m.memory, 256 * MIB, 1));
    assert_null(memory_ram_pointer(b->m.memory, GIB, 1));
    board_destroy(b);
}

static void firmware(void **state)
{
    static const char *const guests[] = {"mips", "mipsel"};

    for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
        struct board *b = board_create(guests[i], 64 * MIB);
        uint8_t image[0x20];
        for (unsigned k = 0; k < sizeof(image); k++)
            image[k] = (uint8_t)k;
        b->m.boot.bios = put_file(b, "bios", image, sizeof(image) - 1);
        must_boot(b);
        assert_int_equal(word(b, KSEG1 + BOOT_ROM + 4), 0x04050607);
        assert_int_equal(word(b, KSEG1 + FLASH + 4), 0x04050607);
        assert_int_equal(word(b, KSEG1 + FLASH + 0x10), 0x10111213);
        assert_int_equal(word(b, KSEG1 + BOOT_ROM + 0x10), 0x420);
        assert_int_equal(load(b, KSEG1 + FLASH + 0x20, 4), 0xffffffff);
        /* what is programmed shows in the flash at once, in the boot ROM from the next reset on */
        store(b, KSEG1 + FLASH, order32(b, 0x00400040), 4);
        store(b, KSEG1 + FLASH + 0x40, order32(b, 0x12345678), 4);
        store(b, KSEG1 + FLASH, order32(b, 0x00ff00ff), 4);
        assert_int_equal(word(b, KSEG1 + FLASH + 0x40), 0x12345678);
        assert_int_equal(word(b, KSEG1 + BOOT_ROM + 0x40), 0xffffffff);
        must_boot(b);
        assert_int_equal(word(b, KSEG1 + BOOT_ROM + 0x40), 0x12345678);
        board_destroy(b);
    }
}

static void firmware_of_little_endian(void **state)
{
    struct board *b = board_create("mipsel", 64 * MIB);
    uint8_t image[0x20] = {0x3f, 0x01, 0x00, 0x10}; /* a branch, as the processor sees it */

    image[0x18] = 0x77;
    b->m.boot.bios = put_file(b, "bios", image, sizeof(image));
    must_boot(b);
    assert_int_equal(word(b, KSEG1 + BOOT_ROM), 0x1000013f);
    assert_int_equal(word(b, KSEG1 + FLASH + 0x18), 0x77);
    board_destroy(b);
}

static void what_cannot_start(void **state)
{
    struct board *b = board_create("mipsel", 64 * MIB);
    struct boot_options *boot_options = &b->m.boot;
    char long_line[5000];
    size_t size;

    must_fail(b, "needs a -kernel, or firmware by -bios");
    boot_options->append = "x";
    must_fail(b, "-append needs a -kernel");
    boot_options->initrd = "x";
    must_fail(b, "-initrd 'x' needs a -kernel");
    boot_options->kernel = boot_options->bios = "x";
    must_fail(b, "exclude each other");
    boot_options->kernel = boot_options->dtb = "x";
    must_fail(b, "-dtb: machine 'malta' has no device tree");
    memset(long_line, 'x', sizeof(long_line));
    long_line[4096] = 0;
    boot_options->kernel = "x";
    boot_options->append = long_line;
    must_fail(b, "-append is longer than 4095 bytes");
    boot_options->kernel = "/nowhere";
    must_fail(b, "-kernel '/nowhere' cannot be opened");
    boot_options->kernel = put_file(b, "k", elf, make_elf32(elf, true, EM_MIPS));
    must_fail(b, "is a big-endian MIPS program; this machine is little-endian");
    boot_options->kernel = put_file(b, "k", elf, make_elf32(elf, false, EM_ARM));
    must_fail(b, "is an ELF program for ARM, not for MIPS");
    boot_options->kernel = put_file(b, "k", elf, make_elf64(elf, false, KSEG0, KSEG0));
    must_fail(b, "is a 64-bit MIPS program");
    size = make_elf32(elf, false, EM_MIPS);
    boot_options->kernel = put_file(b, "k", elf, size - 1);
    must_fail(b, "is truncated");
    boot_options->kernel = put_file(b, "k", elf, 40);
    must_fail(b, "is truncated");
    put32(elf + sizeof(Elf32_Ehdr) + 12, 0x84000000, false); /* behind the end of RAM */
    boot_options->kernel = put_file(b, "k", elf, size);
    must_fail(b, "does not fit");
    make_elf32(elf, false, EM_MIPS);
    put32(elf + 24, 0x90000000, false);
    boot_options->kernel = put_file(b, "k", elf, size);
    must_fail(b, "entry point 0xffffffff90000000 is outside");
    boot_options->kernel = put_file(b, "k", "#!/bin/sh\n", 10);
    must_fail(b, "is a script, not a kernel for MIPS");
    boot_options->kernel = put_file(b, "k", "hello\n", 6);
    must_fail(b, "is text, not a kernel for MIPS");
    make_elf32(elf, false, EM_MIPS);
    boot_options->kernel = put_file(b, "k", elf, size);
    uint8_t *disk = calloc(1, 63 * MIB);
    memset(disk, 1, 63 * MIB);
    boot_options->initrd = put_file(b, "initrd", disk, 63 * MIB);
    free(disk);
    must_fail(b, "do not go beside the kernel");
    board_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_guest_starts_a_kernel),
        cmocka_unit_test(entries_and_formats),
        cmocka_unit_test(monitor_services),
        cmocka_unit_test(memory_map),
        cmocka_unit_test(firmware),
        cmocka_unit_test(firmware_of_little_endian),
        cmocka_unit_test(what_cannot_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
