/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The physical map: overlays, aliases, splitting of device accesses, bad ranges, code pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "softmmu/memory.h"
#include "util/monotonic.h"

struct access {
    bool write;
    uint64_t offset, value;
    unsigned size;
};

struct toy_device {
    struct access log[64];
    unsigned n;
    uint8_t bytes[0x1000];
};

static uint64_t toy_read(void *opaque, uint64_t offset, unsigned size)
{
    struct toy_device *d = opaque;
    uint64_t value = 0;

    assert_int_equal(offset % size, 0);
    assert_true(offset + size <= sizeof(d->bytes));
    memcpy(&value, d->bytes + offset, size);
    d->log[d->n++ % 64] = (struct access){.offset = offset, .size = size};
    return value;
}

static void toy_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct toy_device *d = opaque;

    assert_int_equal(offset % size, 0);
    assert_true(offset + size <= sizeof(d->bytes));
    memcpy(d->bytes + offset, &value, size);
    d->log[d->n++ % 64] =
        (struct access){.write = true, .offset = offset, .value = value, .size = size};
}

static const struct region_ops ops_4 = {
    .read = toy_read, .write = toy_write, .min_access = 4, .max_access = 4};
static const struct region_ops ops_any = {
    .read = toy_read, .write = toy_write, .min_access = 1, .max_access = 8};

struct fixture {
    pthread_mutex_t lock;
    struct memory *memory;
    struct toy_device *device;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    memory_lock_init(&f->lock);
    f->memory = memory_create(&f->lock, &f->err);
    f->device = calloc(1, sizeof(*f->device));
    *state = f;
    return f->memory ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    memory_destroy(f->memory);
    free(f->device);
    free(f);
    return 0;
}

static void ram_holds_what_is_written(void **state)
{
    struct fixture *f = *state;
    uint8_t *host = memory_add_ram(f->memory, "ram", 0x40000000, 5 * MIB, &f->err);
    uint8_t *high = memory_add_ram(f->memory, "high", UINT64_C(0x8800000000), 1 * MIB, &f->err);
    uint64_t value = 0;
    bool ok;

    assert_non_null(host);
    assert_non_null(high);
    assert_true((uintptr_t)host >> 32);
    memory_store(f->memory, 0x40001000, 0x1122334455667788, 8, &ok);
    assert_true(ok);
    assert_int_equal(memory_load(f->memory, 0x40001002, 2, &ok), 0x5566);
    assert_memory_equal(host + 0x1000, "\x88\x77", 2);
    assert_true(memory_write(f->memory, UINT64_C(0x88000ffffe), "ab", 2));
    assert_memory_equal(high + 0xffffe, "ab", 2);
    /* Past the end: what lies beyond is not touched, and it says so. */
    assert_false(memory_write(f->memory, UINT64_C(0x88000fffff), "xy", 2));
    assert_false(memory_read(f->memory, UINT64_C(0x8800100000), &value, 8));
    assert_int_equal(memory_load(f->memory, 0, 4, &ok), 0);
    assert_false(ok);
    assert_int_equal(memory_load(f->memory, 0x404fffff, 4, &ok), 0);
    assert_false(ok);
    assert_false(memory_read(f->memory, UINT64_MAX - 3, &value, 8));
    assert_ptr_equal(memory_ram_pointer(f->memory, 0x404ff000, 0x1000), host + 0x4ff000);
    assert_null(memory_ram_pointer(f->memory, 0x404ff000, 0x1001));
    assert_null(memory_ram_pointer(f->memory, 0x404ff000, UINT64_MAX));
}

static void bad_ranges_are_refused(void **state)
{
    struct fixture *f = *state;

    assert_null(memory_add_ram(f->memory, "odd", 0x123, 0x1000, &f->err));
    assert_null(memory_add_ram(f->memory, "none", 0x1000, 0, &f->err));
    assert_null(memory_add_ram(f->memory, "wraps", UINT64_MAX - 0xfff, 0x2000, &f->err));
    assert_null(memory_add_ram(f->memory, "huge", 0, UINT64_C(1) << 50, &f->err));
    assert_true(strlen(f->err.message) > 0);
    assert_false(memory_add_device(f->memory, "wraps", UINT64_MAX, 2, &ops_4, f->device, &f->err));
    assert_false(memory_add_alias(f->memory, "nothing", 0, 0x1000, 0x1000, &f->err));
}

/* A word is the CPU's word; where its bytes are follows from the CPU's order. */
static void words_can_be_in_the_cpus_order(void **state)
{
    static const struct region_ops cpu_order = {
        .read = toy_read, .write = toy_write, .min_access = 4, .max_access = 4, .cpu_order = true};
    struct fixture *f = *state;
    struct toy_device *d = f->device;
    bool ok;

    assert_true(memory_add_device(f->memory, "cpu", 0x1000, 0x100, &cpu_order, d, &f->err));
    assert_true(memory_add_device(f->memory, "little", 0x2000, 0x100, &ops_4, d, &f->err));
    memcpy(d->bytes, "\x78\x56\x34\x12", 4); /* the register is 0x12345678 */
    assert_int_equal(memory_load(f->memory, 0x1000, 4, &ok), 0x12345678);
    memory_set_big_endian(f->memory, true);
    assert_int_equal(memory_load(f->memory, 0x2000, 4, &ok), 0x12345678);
    assert_int_equal(memory_load(f->memory, 0x1000, 4, &ok), 0x78563412);
    assert_int_equal(memory_load(f->memory, 0x1000, 1, &ok), 0x12);
    assert_int_equal(memory_load(f->memory, 0x1003, 1, &ok), 0x78);
    assert_int_equal(memory_load(f->memory, 0x1000, 8, &ok), 0x78563412);
    memory_store(f->memory, 0x1000, 0x04030201, 4, &ok);
    assert_memory_equal(d->bytes, "\4\3\2\1", 4); /* 0x01020304 */
    memory_store(f->memory, 0x1003, 0xaa, 1, &ok);
    assert_memory_equal(d->bytes, "\xaa\0\0\0", 4);
    memory_store(f->memory, 0x2003, 0xbb, 1, &ok);
    assert_memory_equal(d->bytes, "\0\0\0\xbb", 4);
}

static void device_accesses_are_split(void **state)
{
    struct fixture *f = *state;
    struct toy_device *d = f->device;
    uint64_t value;
    bool ok;

    assert_true(memory_add_device(f->memory, "dev", 0x9000000, 0x1000, &ops_4, d, &f->err));
    for (unsigned i = 0; i < sizeof(d->bytes); i++)
        d->bytes[i] = (uint8_t)i;
    assert_int_equal(memory_load(f->memory, 0x9000004, 4, &ok), 0x07060504);
    assert_int_equal(memory_load(f->memory, 0x9000005, 1, &ok), 0x05);
    assert_int_equal(d->log[1].offset, 4);
    assert_int_equal(d->log[1].size, 4);
    assert_int_equal(memory_load(f->memory, 0x9000008, 8, &ok), 0x0f0e0d0c0b0a0908);
    assert_int_equal(d->n, 4);
    assert_int_equal(d->log[3].offset, 12);
    /* Unaligned: byte by byte of aligned reads. */
    assert_int_equal(memory_load(f->memory, 0x9000003, 4, &ok), 0x06050403);
    d->n = 0;
    memory_store(f->memory, 0x9000012, 0xabcd, 2, &ok);
    assert_true(ok);
    assert_int_equal(d->n, 1);
    assert_int_equal(d->log[0].offset, 0x10);
    assert_int_equal(d->log[0].size, 4);
    assert_int_equal(d->log[0].value, 0xabcd0000);
    d->n = 0;
    memory_store(f->memory, 0x9000020, 0x1122334455667788, 8, &ok);
    assert_int_equal(d->n, 2);
    assert_int_equal(d->log[0].value, 0x55667788);
    assert_int_equal(d->log[1].value, 0x11223344);
    /* Over the end: the part inside happens, the rest is a hole. */
    assert_false(memory_read(f->memory, 0x9000ffc, &value, 8));
}

static void wide_devices_get_wide_accesses(void **state)
{
    struct fixture *f = *state;
    struct toy_device *d = f->device;
    bool ok;

    assert_true(memory_add_device(f->memory, "dev", 0x9000100, 0x80, &ops_any, d, &f->err));
    memory_store(f->memory, 0x9000108, 0x1122334455667788, 8, &ok);
    assert_int_equal(d->n, 1);
    assert_int_equal(d->log[0].size, 8);
    assert_int_equal(memory_load(f->memory, 0x9000109, 1, &ok), 0x77);
    assert_int_equal(d->log[1].size, 1);
    /* Within the same page as the device, but outside it. */
    memory_load(f->memory, 0x9000080, 4, &ok);
    assert_false(ok);
    memory_load(f->memory, 0x9000180, 4, &ok);
    assert_false(ok);
}

static void later_additions_overlay(void **state)
{
    struct fixture *f = *state;
    uint8_t *ram = memory_add_ram(f->memory, "ram", 0, 4 * MIB, &f->err);
    uint8_t *rom = memory_add_rom(f->memory, "rom", 0x100000, 0x2000, NULL, NULL, &f->err);
    bool ok;

    assert_true(
        memory_add_device(f->memory, "dev", 0x101000, 0x1000, &ops_any, f->device, &f->err));
    memset(ram, 0x11, 4 * MIB);
    memset(rom, 0x22, 0x2000);
    memset(f->device->bytes, 0x33, 0x1000);
    assert_int_equal(memory_load(f->memory, 0xfffff, 1, &ok), 0x11);
    assert_int_equal(memory_load(f->memory, 0x100000, 1, &ok), 0x22);
    assert_int_equal(memory_load(f->memory, 0x101000, 1, &ok), 0x33);
    assert_int_equal(memory_load(f->memory, 0x102000, 1, &ok), 0x11);
    /* One access over the three kinds. */
    assert_int_equal(memory_load(f->memory, 0xffffe, 4, &ok), 0x22221111);
    assert_ptr_equal(memory_ram_pointer(f->memory, 0x102000, 4), ram + 0x102000);
    assert_null(memory_ram_pointer(f->memory, 0xff000, 0x2000));
    memory_store(f->memory, 0x100000, 0x99, 1, &ok);
    assert_true(ok);
    assert_int_equal(rom[0], 0x22);
    /* A debugger writes RAM and ROM, and nothing of a device. */
    assert_true(memory_poke(f->memory, 0xfffff, "\x44\x55", 2));
    assert_int_equal(ram[0xfffff], 0x44);
    assert_int_equal(rom[0], 0x55);
    rom[0] = 0x22;
    assert_false(memory_poke(f->memory, 0x101000, "\x44", 1));
    assert_int_equal(f->device->bytes[0], 0x33);
    assert_true(memory_remove(f->memory, 0x101000));
    assert_int_equal(memory_load(f->memory, 0x101000, 1, &ok), 0x22);
    assert_true(memory_remove(f->memory, 0x100000));
    assert_int_equal(memory_load(f->memory, 0x100000, 1, &ok), 0x11);
    assert_false(memory_remove(f->memory, 0x100000));
}

static void aliases_show_the_same(void **state)
{
    struct fixture *f = *state;
    uint8_t *ram = memory_add_ram(f->memory, "ram", 0x60000000, 2 * MIB, &f->err);
    bool ok;

    assert_true(
        memory_add_device(f->memory, "dev", 0x60200000, 0x1000, &ops_any, f->device, &f->err));
    assert_true(memory_add_alias(f->memory, "low", 0, 0x60100000, 0x101000, &f->err));
    memory_store(f->memory, 0x10, 0x1234, 2, &ok);
    assert_memory_equal(ram + 0x100010, "\x34\x12", 2);
    memory_store(f->memory, 0x100004, 0x55, 1, &ok);
    assert_int_equal(f->device->bytes[4], 0x55);
    assert_int_equal(memory_find(f->memory, 0)->offset, 0x100000);
}

static void flash_turns_into_a_device(void **state)
{
    struct fixture *f = *state;
    uint8_t *rom = memory_add_rom(f->memory, "flash", 0, 0x1000, &ops_any, f->device, &f->err);
    bool ok;

    memcpy(rom, "rom", 3);
    memcpy(f->device->bytes, "dev", 3);
    assert_int_equal(memory_load(f->memory, 0, 1, &ok), 'r');
    memory_store(f->memory, 8, 'x', 1, &ok);
    assert_int_equal(f->device->bytes[8], 'x');
    memory_rom_set_readable(f->memory, 0, false);
    assert_int_equal(memory_load(f->memory, 0, 1, &ok), 'd');
    memory_rom_set_readable(f->memory, 0, true);
    assert_int_equal(memory_load(f->memory, 0, 1, &ok), 'r');
}

struct change {
    unsigned n;
    gpa address;
    uint64_t size;
};

static void changed(void *opaque, gpa address, uint64_t size)
{
    struct change *c = opaque;

    c->n++;
    c->address = address;
    c->size = size;
}

static void stores_into_code_are_reported(void **state)
{
    struct fixture *f = *state;
    struct change c = {0};
    uint8_t block[0x3000] = {0};
    bool ok;

    memory_add_ram(f->memory, "ram", 0x60000000, 2 * MIB, &f->err);
    memory_add_alias(f->memory, "low", 0, 0x60000000, MIB, &f->err);
    memory_on_code_write(f->memory, changed, &c);
    memory_store(f->memory, 0x60001000, 1, 4, &ok);
    assert_int_equal(c.n, 0);
    memory_set_page_code(f->memory, 0x60001000, true);
    memory_store(f->memory, 0x60001004, 1, 4, &ok);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.address, 0x60001004);
    assert_int_equal(c.size, 4);
    /* Through an alias, the address is the canonical one. */
    memory_store(f->memory, 0x1008, 1, 2, &ok);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.address, 0x60001008);
    /* A large write reports the part in that page. */
    memory_write(f->memory, 0x60000800, block, sizeof(block));
    assert_int_equal(c.n, 3);
    assert_int_equal(c.address, 0x60001000);
    assert_int_equal(c.size, 0x1000);
    memory_changed(f->memory, 0x60001800, 0x10);
    assert_int_equal(c.n, 4);
    assert_true(memory_poke(f->memory, 0x1800, block, 1));
    assert_int_equal(c.n, 5);
    memory_set_page_code(f->memory, 0x60001000, false);
    memory_store(f->memory, 0x60001004, 1, 4, &ok);
    assert_int_equal(c.n, 5);
}

/* Random overlays against an array that says who owns each page. */
static void random_maps_agree(void **state)
{
    enum { PAGES = 64 };
    struct fixture *f = *state;
    unsigned seed = 7;
    int owner[PAGES];
    bool ok;

    for (unsigned i = 0; i < PAGES; i++)
        owner[i] = -1;
    for (int n = 0; n < 200; n++) {
        unsigned first = (unsigned)rand_r(&seed) % PAGES;
        unsigned pages = 1 + (unsigned)rand_r(&seed) % (PAGES - first);
        uint8_t *host =
            memory_add_ram(f->memory, "ram", (gpa)first << 12, (uint64_t)pages << 12, &f->err);

        assert_non_null(host);
        for (unsigned i = 0; i < pages; i++) {
            owner[first + i] = n;
            memcpy(host + (i << 12), &n, sizeof(n));
        }
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t value = memory_load(f->memory, (gpa)i << 12, 4, &ok);

            assert_int_equal(ok, owner[i] >= 0);
            if (ok)
                assert_int_equal(value, owner[i]);
        }
    }
}

static void windows_show_by_layer(void **state)
{
    struct fixture *f = *state;
    uint8_t *fixed = memory_add_ram(f->memory, "fixed", 0x4000, 0x2000, &f->err);
    struct memory_block *bar = memory_create_ram(f->memory, "bar", 0x4000, &f->err);
    struct memory_window low = {.block = bar, .base = 0x3000, .size = 0x4000, .layer = -1};
    struct memory_window high = {
        .block = bar, .offset = 0x3000, .base = 0x4000, .size = 0x1000, .layer = 1};
    bool ok;

    memset(memory_block_host(bar), 0xbb, 0x4000);
    memory_block_host(bar)[0x3000] = 0x77;
    fixed[0] = 0x11;
    assert_true(memory_window_show(f->memory, &low, &f->err));
    assert_int_equal(memory_load(f->memory, 0x3000, 1, &ok), 0xbb);
    assert_int_equal(memory_load(f->memory, 0x4000, 1, &ok), 0x11);
    assert_int_equal(memory_load(f->memory, 0x6000, 1, &ok), 0x77);
    assert_true(memory_window_show(f->memory, &high, &f->err));
    assert_int_equal(memory_load(f->memory, 0x4000, 1, &ok), 0x77);
    assert_int_equal(memory_load(f->memory, 0x5000, 1, &ok), 0);
    memory_window_hide(f->memory, &low);
    memory_load(f->memory, 0x3000, 1, &ok);
    assert_false(ok);
    memory_load(f->memory, 0x6000, 1, &ok);
    assert_false(ok);
    memory_window_hide(f->memory, &high);
    assert_int_equal(memory_load(f->memory, 0x4000, 1, &ok), 0x11);
    low.base = UINT64_MAX - 0xfff;
    assert_false(memory_window_show(f->memory, &low, &f->err));
    low.base = 0x800;
    assert_false(memory_window_show(f->memory, &low, &f->err));
    low.size = 0x5000;
    assert_false(memory_window_show(f->memory, &low, &f->err));
    assert_false(low.shown);
}

/* Shadow RAM: the four combinations of where loads and stores go. */
static void windows_are_read_or_written(void **state)
{
    struct fixture *f = *state;
    uint8_t *rom = memory_add_rom(f->memory, "rom", 0xf0000, 0x1000, NULL, NULL, &f->err);
    uint8_t *below = memory_add_ram(f->memory, "below", 0xf2000, 0x1000, &f->err);
    struct memory_block *ram = memory_create_ram(f->memory, "shadow", 0x4000, &f->err);
    uint8_t *shadow = memory_block_host(ram);
    struct memory_window w = {.block = ram, .base = 0xf0000, .size = 0x4000, .layer = 1};
    bool ok;

    rom[4] = 0x12;
    shadow[4] = 0x34;
    shadow[0x3fff] = 0x56;
    w.access = MEMORY_READ_ONLY;
    assert_true(memory_window_show(f->memory, &w, &f->err));
    memory_store(f->memory, 0xf0004, 0x99, 1, &ok);
    assert_int_equal(memory_load(f->memory, 0xf0004, 1, &ok), 0x34);
    memory_window_hide(f->memory, &w);
    w.access = MEMORY_WRITE_ONLY;
    assert_true(memory_window_show(f->memory, &w, &f->err));
    assert_int_equal(memory_load(f->memory, 0xf0004, 1, &ok), 0x12);
    memory_store(f->memory, 0xf0004, 0x99, 1, &ok);
    assert_int_equal(shadow[4], 0x99);
    memory_store(f->memory, 0xf1ffe, 0x1234, 2, &ok); /* over nothing */
    assert_int_equal(shadow[0x1ffe], 0x34);
    memory_store(f->memory, 0xf2008, 0x77, 1, &ok); /* over RAM */
    assert_int_equal(shadow[0x2008], 0x77);
    assert_int_equal(below[8], 0);
    memory_store(f->memory, 0xf3ffe, 0xabcd, 2, &ok);
    assert_int_equal(shadow[0x3fff], 0xab);
    memory_store(f->memory, 0xf4000, 1, 1, &ok);
    assert_false(ok);
    memory_window_hide(f->memory, &w);
    assert_int_equal(memory_load(f->memory, 0xf2008, 1, &ok), 0);
    memory_load(f->memory, 0xf3000, 1, &ok);
    assert_false(ok);
}

/* Windows come and go at random over fixed RAM; a model says what must show. And it is quick. */
static void random_windows_agree(void **state)
{
    enum { PAGES = 64, WINDOWS = 24, MOVES = 3000 };
    struct fixture *f = *state;
    struct memory_window w[WINDOWS] = {0};
    unsigned age[WINDOWS] = {0}, seed = 3;
    int64_t spent_ns = 0;
    bool ok;

    for (unsigned i = 0; i < WINDOWS; i++) {
        w[i].block = memory_create_ram(f->memory, "w", PAGES << 12, &f->err);
        w[i].layer = (int)(i % 3) - 1;
        memset(memory_block_host(w[i].block), (int)i + 1, PAGES << 12);
    }
    for (unsigned n = 1; n <= MOVES; n++) {
        unsigned i = (unsigned)rand_r(&seed) % WINDOWS;
        int64_t start_ns = monotonic_ns();
        memory_window_hide(f->memory, &w[i]);
        w[i].base = (gpa)((unsigned)rand_r(&seed) % PAGES) << 12;
        w[i].size = (uint64_t)(1 + (unsigned)rand_r(&seed) % (PAGES / 4)) << 12;
        if (rand_r(&seed) % 4)
            assert_true(memory_window_show(f->memory, &w[i], &f->err));
        spent_ns += monotonic_ns() - start_ns;
        age[i] = n;
        for (gpa at = (gpa)(n % 7) << 12; n % 8 == 0 && at < PAGES << 12; at += 7 << 12) {
            int top = -1;
            for (int k = 0; k < WINDOWS; k++) {
                bool covers = w[k].shown && at >= w[k].base && at - w[k].base < w[k].size;
                if (covers && (top < 0 || w[k].layer > w[top].layer ||
                               (w[k].layer == w[top].layer && age[k] > age[top])))
                    top = k;
            }
            assert_int_equal(memory_load(f->memory, at, 1, &ok), top + 1);
        }
    }
    print_message("one move takes %u ns\n", (unsigned)(spent_ns / MOVES));
    assert_true(spent_ns / MOVES < 1000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ram_holds_what_is_written),      TEST(bad_ranges_are_refused),
        TEST(words_can_be_in_the_cpus_order), TEST(device_accesses_are_split),
        TEST(wide_devices_get_wide_accesses), TEST(later_additions_overlay),
        TEST(aliases_show_the_same),          TEST(flash_turns_into_a_device),
        TEST(stores_into_code_are_reported),  TEST(random_maps_agree),
        TEST(windows_show_by_layer),          TEST(windows_are_read_or_written),
        TEST(random_windows_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
