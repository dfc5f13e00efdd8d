/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting an ARM board without running it: where kernel, RAM disk and device tree go, what the
 * registers and the tree say, -bios, dumpdtb, and each way the files can be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <libfdt.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot_files.h"
#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { RAM = 0x40000000, FLASH_SIZE = 0x100000 };

struct board {
    struct vcpu cpu; /* with the registers that follow */
    uint32_t r[16];
    struct machine m;
    struct device *devices[2];
    struct boot_files files;
};

static const struct state_field fields[] = {
    {.name = "r0", .offset = offsetof(struct board, r)},
    {.name = "r1", .offset = offsetof(struct board, r) + 4},
    {.name = "r2", .offset = offsetof(struct board, r) + 8},
};
static const struct guest guest = {.name = "test", .fields = fields, .n_fields = 3};
static const struct cpu_model model = {.name = "cortex-a7"};

static struct board *board_create(uint64_t ram_bytes)
{
    struct board *b = calloc(1, sizeof(*b));
    struct error err = {""};

    assert_non_null(b);
    boot_files_create(&b->files);
    memory_lock_init(&b->m.lock);
    b->cpu.guest = &guest;
    b->cpu.model = &model;
    b->m.class = machine_class_find("arm", "virt");
    assert_non_null(b->m.class);
    b->m.cpu = &b->cpu;
    b->m.clock = clock_create_manual();
    b->m.memory = memory_create(&b->m.lock, &err);
    b->m.ram_bytes = ram_bytes;
    b->m.ram = memory_add_ram(b->m.memory, "ram", RAM, ram_bytes, &err);
    b->devices[0] = device_create(device_class_find("cfi.pflash01"), "flash0", &b->m,
                                  "size=0x100000", NULL, NULL, &err);
    b->devices[1] =
        device_create(device_class_find("fw_cfg"), "fw_cfg", &b->m, NULL, NULL, NULL, &err);
    assert_non_null(b->devices[0]);
    assert_non_null(b->devices[1]);
    assert_true(device_map(b->devices[0], 0, 0, &err));
    b->m.devices = b->devices;
    b->m.n_devices = 2;
    return b;
}

/* The machine forgets what it has read. */
static void forget(struct board *b)
{
    if (b->m.loader)
        b->m.loader_destroy(b->m.loader);
    b->m.loader = NULL;
    memset(&b->m.boot, 0, sizeof(b->m.boot));
    memset(b->r, 0xff, sizeof(b->r));
}

static void board_destroy(struct board *b)
{
    forget(b);
    device_destroy(b->devices[0]);
    device_destroy(b->devices[1]);
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

static const char *put_zimage(struct board *b, size_t size)
{
    uint8_t *data = calloc(1, size);
    const char *path;

    assert_non_null(data);
    store_le32(data, 0xe1a00000);
    store_le32(data + 0x24, 0x016f2818);
    store_le32(data + 0x2c, (uint32_t)size);
    path = put_file(b, "zImage", data, size);
    free(data);
    return path;
}

static bool boot(struct board *b, struct error *err)
{
    err->message[0] = 0;
    return b->m.class->boot(&b->m, err);
}

static void expect_error(struct board *b, const char *option, const char *word)
{
    struct error err;

    assert_false(boot(b, &err));
    if (!strstr(err.message, option) || !strstr(err.message, word) || strchr(err.message, '\n'))
        fail_msg("'%s' and '%s' are not in: %s", option, word, err.message);
    assert_null(b->m.loader);
}

static const void *tree(struct board *b)
{
    const void *fdt = b->m.ram + (b->r[2] - RAM);

    assert_in_range(b->r[2], RAM, RAM + b->m.ram_bytes - 1);
    assert_int_equal(fdt_check_full(fdt, b->m.ram_bytes - (b->r[2] - RAM)), 0);
    return fdt;
}

static uint32_t cell(const void *fdt, const char *path, const char *name, int index)
{
    int length, node = fdt_path_offset(fdt, path);
    const fdt32_t *cells;

    if (node < 0)
        fail_msg("no node %s", path);
    cells = fdt_getprop(fdt, node, name, &length);
    if (!cells || length < (index + 1) * 4)
        fail_msg("no %s in %s", name, path);
    return fdt32_to_cpu(cells[index]);
}

static const char *text(const void *fdt, const char *path, const char *name)
{
    const char *value = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, NULL);

    return value ? value : "";
}

/* ---- kernels --------------------------------------------------------------------------------- */

static void test_kernel(void **state)
{
    struct board *b = board_create(256 * MIB);
    struct error err;

    forget(b);
    b->m.boot.kernel = put_zimage(b, 100000);
    b->m.boot.append = "console=ttyAMA0";
    if (!boot(b, &err))
        fail_msg("%s", err.message);
    assert_int_equal(b->cpu.run.pc, RAM + 0x10000);
    assert_int_equal(b->r[0], 0);
    assert_int_equal(b->r[1], 0xffffffff);
    const void *fdt = tree(b);
    assert_string_equal(text(fdt, "/chosen", "bootargs"), "console=ttyAMA0");
    assert_string_equal(text(fdt, "/chosen", "stdout-path"), "/pl011@9000000");
    assert_string_equal(text(fdt, "/cpus/cpu@0", "compatible"), "arm,cortex-a7");
    assert_string_equal(text(fdt, "/psci", "method"), "hvc");
    assert_int_equal(cell(fdt, "/memory@40000000", "reg", 1), RAM);
    assert_int_equal(cell(fdt, "/memory@40000000", "reg", 3), 256 * MIB);
    assert_int_equal(cell(fdt, "/virtio_mmio@a003e00", "interrupts", 1), 47);
    assert_int_equal(cell(fdt, "/timer", "interrupts", 7), 11);
    assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-start", NULL));
    /* A restart with memory in ruins, files gone: everything is there again. */
    uint32_t r2 = b->r[2];
    memset(b->m.ram, 0xaa, 192 * MIB);
    memset(b->r, 0xff, sizeof(b->r));
    b->cpu.run.pc = 0;
    unlink(b->m.boot.kernel);
    assert_true(boot(b, &err));
    assert_int_equal(b->cpu.run.pc, RAM + 0x10000);
    assert_int_equal(b->r[2], r2);
    assert_int_equal(load_le32(b->m.ram + 0x10024), 0x016f2818);
    assert_string_equal(text(tree(b), "/chosen", "bootargs"), "console=ttyAMA0");
    board_destroy(b);
}

static void test_initrd(void **state)
{
    struct board *b = board_create(256 * MIB);
    struct error err;

    forget(b);
    b->m.boot.kernel = put_zimage(b, 100000);
    b->m.boot.initrd = put_file(b, "initrd", "some file system or other", 25);
    assert_true(boot(b, &err));
    const void *fdt = tree(b);
    uint32_t start = cell(fdt, "/chosen", "linux,initrd-start", 0);
    assert_int_equal(start, RAM + 128 * MIB);
    assert_int_equal(cell(fdt, "/chosen", "linux,initrd-end", 0), start + 25);
    assert_memory_equal(b->m.ram + (start - RAM), "some file system", 16);
    assert_true(b->r[2] >= start + 25);
    board_destroy(b);
}

static void test_small_memory(void **state)
{
    struct board *b = board_create(8 * MIB);
    uint8_t *big = calloc(1, 5 * MIB);
    struct error err;

    big[0] = 'x';
    forget(b);
    b->m.boot.kernel = put_zimage(b, 100000);
    b->m.boot.initrd = put_file(b, "initrd", big, 5 * MIB); /* not in the upper half, but it fits */
    if (!boot(b, &err))
        fail_msg("%s", err.message);
    uint32_t start = cell(tree(b), "/chosen", "linux,initrd-start", 0);
    assert_true(start >= RAM + 500000 && start + 5 * MIB <= b->r[2]);
    forget(b);
    b->m.boot.kernel = put_zimage(b, 4 * MIB);
    b->m.boot.initrd = b->files.paths[1];
    expect_error(b, "-initrd", "does not fit");
    forget(b);
    b->m.boot.kernel = put_zimage(b, 9 * MIB);
    expect_error(b, "-kernel", "does not fit");
    free(big);
    board_destroy(b);
}

static void test_missing(void **state)
{
    struct board *b = board_create(64 * MIB);

    forget(b);
    b->m.boot.kernel = "/nonexistent/zImage";
    expect_error(b, "-kernel '/nonexistent/zImage'", "No such file");
    b->m.boot.kernel = put_file(b, "empty", "", 0);
    expect_error(b, "-kernel", "is empty");
    b->m.boot.kernel = put_zimage(b, 100000);
    b->m.boot.initrd = "/nonexistent/initrd";
    expect_error(b, "-initrd '/nonexistent/initrd'", "No such file");
    b->m.boot.initrd = b->files.paths[0];
    expect_error(b, "-initrd", "is empty");
    b->m.boot.initrd = NULL;
    b->m.boot.dtb = "/nonexistent/dtb";
    expect_error(b, "-dtb '/nonexistent/dtb'", "No such file");
    b->m.boot.dtb = NULL;
    b->m.boot.kernel = NULL;
    b->m.boot.initrd = b->files.paths[1];
    expect_error(b, "-initrd", "needs a -kernel");
    board_destroy(b);
}

/* ---- the user's device tree ------------------------------------------------------------------ */

static size_t make_dtb(uint8_t *out, size_t room, const char *cpu)
{
    fdt_create(out, (int)room);
    fdt_finish_reservemap(out);
    fdt_begin_node(out, "");
    fdt_property_u32(out, "#address-cells", 1);
    fdt_property_u32(out, "#size-cells", 1);
    fdt_begin_node(out, "memory@60000000");
    fdt_property_string(out, "device_type", "memory");
    fdt_property_u64(out, "reg", UINT64_C(0x6000000040000000));
    fdt_end_node(out);
    fdt_begin_node(out, "chosen");
    fdt_property_string(out, "bootargs", "of the tree");
    fdt_property_u32(out, "linux,initrd-start", 1);
    fdt_end_node(out);
    fdt_begin_node(out, "cpus");
    fdt_begin_node(out, "cpu@0");
    fdt_property_string(out, "compatible", cpu);
    fdt_end_node(out);
    fdt_end_node(out);
    fdt_end_node(out);
    assert_int_equal(fdt_finish(out), 0);
    return fdt_totalsize(out);
}

static void test_dtb(void **state)
{
    struct board *b = board_create(64 * MIB);
    uint8_t dtb[2048];
    size_t size = make_dtb(dtb, sizeof(dtb), "arm,cortex-a9");
    struct error err;

    forget(b);
    b->m.boot.kernel = put_zimage(b, 100000);
    b->m.boot.dtb = put_file(b, "dtb", dtb, size);
    if (!boot(b, &err))
        fail_msg("%s", err.message);
    const void *fdt = tree(b);
    assert_true(fdt_path_offset(fdt, "/memory@60000000") < 0);
    assert_int_equal(cell(fdt, "/memory@40000000", "reg", 0), RAM);
    assert_int_equal(cell(fdt, "/memory@40000000", "reg", 1), 64 * MIB);
    assert_string_equal(text(fdt, "/chosen", "bootargs"), "of the tree");
    assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-start", NULL));
    forget(b);
    b->m.boot.kernel = b->files.paths[0];
    b->m.boot.dtb = b->files.paths[1];
    b->m.boot.append = "of the command line";
    assert_true(boot(b, &err));
    assert_string_equal(text(tree(b), "/chosen", "bootargs"), "of the command line");
    forget(b);
    b->m.boot.kernel = b->files.paths[0];
    for (size_t n = 1; n < size; n++) {
        b->m.boot.dtb = put_file(b, "dtb", dtb, n);
        expect_error(b, "-dtb '", n < 4 ? "not a device tree" : "truncated");
    }
    for (size_t at = 4; at < size; at += 3) { /* damage: an error or a good tree, never a crash */
        uint8_t damaged[sizeof(dtb)];
        memcpy(damaged, dtb, size);
        damaged[at] ^= 0xff;
        forget(b);
        b->m.boot.kernel = b->files.paths[0];
        b->m.boot.dtb = put_file(b, "dtb", damaged, size);
        boot(b, &err);
    }
    forget(b);
    b->m.boot.kernel = b->files.paths[0];
    size = make_dtb(dtb, sizeof(dtb), "riscv");
    b->m.boot.dtb = put_file(b, "dtb", dtb, size);
    expect_error(b, "-dtb '", "RISC-V");
    board_destroy(b);
}

static void test_dump(void **state)
{
    struct board *b = board_create(64 * MIB);
    uint8_t raw[65536];
    struct error err;

    forget(b);
    b->m.boot.append = "dumped";
    b->m.boot.dumpdtb = put_file(b, "out.dtb", "", 0);
    if (!boot(b, &err))
        fail_msg("%s", err.message);
    int fd = open(b->m.boot.dumpdtb, O_RDONLY);
    ssize_t size = read(fd, raw, sizeof(raw));
    close(fd);
    assert_true(size > 1000);
    assert_int_equal(fdt_check_full(raw, (size_t)size), 0);
    assert_string_equal(text(raw, "/chosen", "bootargs"), "dumped");
    forget(b);
    b->m.boot.dumpdtb = "/nonexistent/out.dtb";
    expect_error(b, "/nonexistent/out.dtb", "cannot be written");
    board_destroy(b);
}

/* ---- firmware -------------------------------------------------------------------------------- */

static void test_bios(void **state)
{
    struct board *b = board_create(64 * MIB);
    uint8_t *big = calloc(1, FLASH_SIZE + 1);
    uint64_t size;
    uint8_t *flash = device_region_memory(b->devices[0], 0, &size);
    struct error err;

    assert_int_equal(size, FLASH_SIZE);
    memset(flash, 0xaa, size);
    forget(b);
    b->m.boot.bios = put_file(b, "bios", "firmware", 8);
    if (!boot(b, &err))
        fail_msg("%s", err.message);
    assert_int_equal(b->cpu.run.pc, 0);
    assert_int_equal(b->r[2], 0xffffffff); /* firmware starts as after a reset */
    assert_memory_equal(flash, "firmware\0", 9);
    assert_int_equal(flash[size - 1], 0);                 /* padded */
    assert_int_equal(fdt_check_full(b->m.ram, 65536), 0); /* the tree is at the start of RAM */
    forget(b);
    b->m.boot.bios = put_file(b, "bios", big, FLASH_SIZE + 1);
    expect_error(b, "-bios", "does not fit");
    b->m.boot.bios = put_file(b, "bios", "", 0);
    expect_error(b, "-bios", "is empty");
    free(big);
    board_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel),       cmocka_unit_test(test_initrd),
        cmocka_unit_test(test_small_memory), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_dtb),          cmocka_unit_test(test_dump),
        cmocka_unit_test(test_bios),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
