/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU under a toy walk: spaces, flushes, the slow path of every kind of access, code
 * pages; then random operations against a plain model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "softmmu/mmu.h"
#include "util/bits.h"

enum {
    N_PAGES = 64, /* virtual, per tag */
    N_TAGS = 80,
    RAM_PAGES = 256,
    DEVICE_PAGE = 0x9000,
    ROM_PAGE = 0x8000,
    HOLE_PAGE = 0xa000,
};

enum { P_READ = 1, P_WRITE = 2, P_USER = 4, P_DEVICE = 8, P_EXEC = 16 };

struct page {
    uint32_t physical; /* page number; 0: unmapped */
    unsigned flags;
};

struct fixture {
    struct run_state run; /* first: what the walk gets */
    pthread_mutex_t lock;
    struct memory *memory;
    struct mmu *mmu;
    uint8_t *ram;
    struct page page[N_TAGS][N_PAGES];
    uint32_t tag;
    uint64_t block_size;
    unsigned n_walks, n_faults;
    struct mmu_fault fault;
    jmp_buf escape;
    uint8_t registers[4096];
    unsigned n_reads, n_writes;
    unsigned n_changed;
    gpa changed;
};

static bool wide;
static bool everywhere; /* the walk knows addresses that are not canonical, too */
static gva base;        /* of the addresses the tests use */

static bool toy_walk(void *cpu, gva va, enum mmu_access access, bool user, struct tlb_fill *out,
                     struct mmu_fault *fault)
{
    struct fixture *f = cpu;
    const struct page *page = &f->page[f->tag][(va >> 12) % N_PAGES];
    static const unsigned need[] = {P_READ, P_WRITE, P_EXEC};

    f->n_walks++;
    assert_true(wide || va < UINT64_C(1) << 32);
    if (wide && !everywhere && !tlb_canonical(va)) {
        fault->syndrome = 99;
        return false;
    }
    if (!page->physical || (user && !(page->flags & P_USER)) || !(page->flags & need[access])) {
        fault->syndrome = page->physical ? 13 : 5;
        return false;
    }
    out->physical = (gpa)page->physical << 12 | (va & 0xfff);
    out->block_size = f->block_size;
    out->readable = page->flags & P_READ;
    out->writable = page->flags & P_WRITE;
    out->executable = page->flags & P_EXEC;
    out->device = page->flags & P_DEVICE;
    return true;
}

static NORETURN void toy_fault(void *cpu, const struct mmu_fault *fault)
{
    struct fixture *f = cpu;

    f->n_faults++;
    f->fault = *fault;
    longjmp(f->escape, 1);
}

static const struct mmu_client client = {.walk = toy_walk, .fault = toy_fault};
static const struct mmu_client open_bus_client = {
    .walk = toy_walk, .fault = toy_fault, .open_bus = true};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    struct fixture *f = opaque;
    uint64_t value = 0;

    memcpy(&value, f->registers + offset, size);
    f->n_reads++;
    return value;
}

static void device_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct fixture *f = opaque;

    memcpy(f->registers + offset, &value, size);
    f->n_writes++;
}

static const struct region_ops device_ops = {
    .read = device_read, .write = device_write, .min_access = 1, .max_access = 4};

static void code_changed(void *opaque, gpa address, uint64_t size)
{
    struct fixture *f = opaque;

    f->n_changed++;
    f->changed = address;
}

static int setup_client(void **state, const struct mmu_client *chosen)
{
    struct fixture *f = aligned_alloc(64, align_up(sizeof(*f), 64));
    struct error err;

    memset(f, 0, sizeof(*f));
    memory_lock_init(&f->lock);
    f->memory = memory_create(&f->lock, &err);
    f->ram = memory_add_ram(f->memory, "ram", 0, RAM_PAGES << 12, &err);
    memory_add_rom(f->memory, "rom", (gpa)ROM_PAGE << 12, 0x1000, NULL, NULL, &err);
    memory_add_device(f->memory, "device", (gpa)DEVICE_PAGE << 12, 0x1000, &device_ops, f, &err);
    memory_on_code_write(f->memory, code_changed, f);
    f->mmu = mmu_create(f->memory, &f->run, chosen, wide, &err);
    assert_non_null(f->mmu);
    f->block_size = 4096;
    for (unsigned tag = 0; tag < N_TAGS; tag++) {
        for (unsigned i = 1; i < 16; i++)
            f->page[tag][i] = (struct page){16 + (tag * 16 + i) % 128, P_READ | P_WRITE | P_EXEC};
    }
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_client(state, &client);
}

static int setup_open_bus(void **state)
{
    return setup_client(state, &open_bus_client);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    mmu_destroy(f->mmu);
    memory_destroy(f->memory);
    free(f);
    return 0;
}

static void select_tag(struct fixture *f, uint32_t tag, bool privileged)
{
    f->tag = tag;
    mmu_select(f->mmu, tag, privileged);
}

/* True if the statement raised. */
#define RAISES(f, statement) (setjmp((f)->escape) ? true : ((void)(statement), false))

static uint64_t entry(struct fixture *f, unsigned part, uint32_t va)
{
    return part == TLB_READ ? *tlb_read_entry(f->run.tlb, wide, base + va)
                            : *tlb_write_entry(f->run.tlb, wide, base + va);
}

static uint8_t *host_of(struct fixture *f, uint32_t tag, uint32_t va)
{
    return f->ram + ((size_t)f->page[tag][va >> 12].physical << 12) + (va & 0xfff);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void entries_are_made_as_stated(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(entry(f, TLB_READ, 0x3000), 0);
    mmu_store(f->mmu, base + 0x3004, 0x11223344, 2);
    assert_int_equal(entry(f, TLB_WRITE, 0x3000) + base + 0x3004, (uintptr_t)host_of(f, 0, 0x3004));
    assert_int_equal(mmu_load(f->mmu, base + 0x3004, 2), 0x11223344);
    assert_int_equal(entry(f, TLB_READ, 0x3000) + base + 0x3004, (uintptr_t)host_of(f, 0, 0x3004));
    /* A read alone enters no write. */
    mmu_load(f->mmu, base + 0x4000, 0);
    assert_int_equal(entry(f, TLB_WRITE, 0x4000), 0);
    assert_int_not_equal(entry(f, TLB_READ, 0x4000), 0);
}

static void values_are_swapped_and_extended(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[16], out[16];

    mmu_store(f->mmu, base + 0x2000, 0x8899aabbccddeeff, 3);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 0), 0xff);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 0 | IR_MEM_SIGN), -1);
    assert_int_equal(mmu_load(f->mmu, base + 0x2001, 1 | IR_MEM_SWAP), 0xeedd);
    assert_int_equal(mmu_load(f->mmu, base + 0x2001, 1 | IR_MEM_SWAP | IR_MEM_SIGN),
                     (uint64_t)(int16_t)0xeedd);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 2 | IR_MEM_SIGN),
                     (uint64_t)(int32_t)0xccddeeff);
    mmu_store(f->mmu, base + 0x2000, 0x01020304, 2 | IR_MEM_SWAP);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 2), 0x04030201);
    for (unsigned i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(i * 7);
    mmu_store_bytes(f->mmu, base + 0x2ff8, bytes, 4);
    mmu_load_bytes(f->mmu, base + 0x2ff8, out, 4);
    assert_memory_equal(bytes, out, 16);
    assert_memory_equal(host_of(f, 0, 0x3000), bytes + 8, 8);
}

static void crossings_store_all_or_nothing(void **state)
{
    struct fixture *f = *state;

    mmu_store(f->mmu, base + 0x2ffd, 0x1122334455667788, 3);
    assert_int_equal(mmu_load(f->mmu, base + 0x2ffd, 3), 0x1122334455667788);
    f->page[0][4].flags = P_READ;
    mmu_store(f->mmu, base + 0x3ff0, 0, 3);
    assert_true(RAISES(f, mmu_store(f->mmu, base + 0x3ffe, 0x99999999, 2)));
    assert_int_equal(f->fault.address, base + 0x4000);
    assert_int_equal(f->fault.access, MMU_WRITE);
    assert_int_equal(f->fault.syndrome, 13);
    assert_int_equal(*host_of(f, 0, 0x3ffe), 0);
    f->page[0][4].physical = 0;
    mmu_flush_page(f->mmu, base + 0x4000);
    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x3ffe, 2)));
    assert_int_equal(f->fault.address, base + 0x4000);
    assert_int_equal(f->fault.syndrome, 5);
    /* The top of the address space wraps. */
    f->page[0][0] = f->page[0][N_PAGES - 1] = (struct page){20, P_READ | P_WRITE};
    mmu_store(f->mmu, wide ? ~UINT64_C(1) : 0xfffffffe, 0xabcd1234, 2);
    assert_int_equal(mmu_load(f->mmu, 0, 1), 0xabcd);
}

static void alignment_is_checked(void **state)
{
    struct fixture *f = *state;

    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x2002, 2 | IR_MEM_ALIGN_OF(2))));
    assert_true(f->fault.unaligned);
    assert_false(RAISES(f, mmu_load(f->mmu, base + 0x2004, 3 | IR_MEM_ALIGN_OF(2))));
    /* Device memory: natural alignment whatever the memop says. */
    f->page[0][5] = (struct page){30, P_READ | P_WRITE | P_DEVICE};
    assert_false(RAISES(f, mmu_store(f->mmu, base + 0x5004, 1, 2)));
    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x5002, 2)));
    assert_true(f->fault.unaligned);
    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x5ffe, 2)));
    assert_int_equal(entry(f, TLB_READ, 0x5000), 0);
    assert_int_equal(entry(f, TLB_WRITE, 0x5000), 0);
}

static void devices_and_holes(void **state)
{
    struct fixture *f = *state;

    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_WRITE};
    f->page[0][6] = (struct page){HOLE_PAGE, P_READ | P_WRITE | P_EXEC};
    f->page[0][7] = (struct page){ROM_PAGE, P_READ | P_WRITE | P_EXEC};
    mmu_store(f->mmu, base + 0x5010, 0x12345678, 2);
    assert_int_equal(f->n_writes, 1);
    assert_int_equal(mmu_load(f->mmu, base + 0x5010, 2 | IR_MEM_SWAP), 0x78563412);
    assert_int_equal(f->n_reads, 1);
    assert_int_equal(mmu_load(f->mmu, base + 0x5012, 1), 0x1234);
    mmu_load(f->mmu, base + 0x5010, 3);
    assert_int_equal(f->n_reads, 4);
    f->n_walks = 0;
    for (unsigned i = 0; i < 100; i++)
        mmu_load(f->mmu, base + 0x5010, 2);
    assert_int_equal(f->n_walks, 0);
    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x6010, 2)));
    assert_true(f->fault.external);
    assert_true(RAISES(f, mmu_store(f->mmu, base + 0x6010, 0, 2)));
    assert_true(f->fault.external);
    /* ROM: reads go fast, writes go nowhere. */
    mmu_store(f->mmu, base + 0x7000, 1, 2);
    assert_int_equal(mmu_load(f->mmu, base + 0x7000, 2), 0);
    assert_int_equal(entry(f, TLB_WRITE, 0x7000), 0);
    assert_int_not_equal(entry(f, TLB_READ, 0x7000), 0);
    /* Flushed, the device goes away. */
    f->page[0][5].physical = 20;
    mmu_flush_page(f->mmu, base + 0x5000);
    f->n_reads = 0;
    mmu_load(f->mmu, base + 0x5010, 2);
    assert_int_equal(f->n_reads, 0);
}

static void probes(void **state)
{
    struct fixture *f = *state;
    uint8_t data[64];
    uint8_t *p;

    assert_ptr_equal(mmu_probe(f->mmu, base + 0x2010, 32, 2), host_of(f, 0, 0x2010));
    assert_ptr_equal(mmu_probe(f->mmu, base + 0x2fe0, 32, 2 | IR_MEM_WRITE), host_of(f, 0, 0x2fe0));
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i + 1);
    memcpy(host_of(f, 0, 0x2fe0), data, 32);
    memcpy(host_of(f, 0, 0x3000), data + 32, 32);
    p = mmu_probe(f->mmu, base + 0x2fe0, 64, 2);
    assert_ptr_equal(p, f->run.bounce);
    assert_memory_equal(p, data, 64);
    p = mmu_probe(f->mmu, base + 0x2fe8, 64, 2 | IR_MEM_WRITE);
    assert_ptr_equal(p, f->run.bounce);
    memcpy(p, data, 64);
    mmu_commit(f->mmu, p, base + 0x2fe8, 64, 2 | IR_MEM_WRITE);
    assert_memory_equal(host_of(f, 0, 0x2fe8), data, 24);
    assert_memory_equal(host_of(f, 0, 0x3000), data + 24, 40);
    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_WRITE};
    memcpy(f->registers, data, 64);
    p = mmu_probe(f->mmu, base + 0x5000, 16, 2);
    assert_memory_equal(p, data, 16);
    assert_int_equal(f->n_reads, 4);
    p = mmu_probe(f->mmu, base + 0x5000, 16, 2 | IR_MEM_WRITE);
    memset(p, 0x5a, 16);
    mmu_commit(f->mmu, p, base + 0x5000, 16, 2 | IR_MEM_WRITE);
    assert_int_equal(f->n_writes, 4);
    assert_int_equal(f->registers[15], 0x5a);
    assert_int_equal(f->registers[16], data[16]);
}

static void atomics(void **state)
{
    struct fixture *f = *state;

    mmu_store(f->mmu, base + 0x2000, 10, 2);
    assert_int_equal(mmu_cas(f->mmu, base + 0x2000, 9, 50, 2), 10);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 2), 10);
    assert_int_equal(mmu_cas(f->mmu, base + 0x2000, 10, 50, 2), 10);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 2), 50);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x2000, IR_RMW_ADD, 5, 2), 50);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x2000, IR_RMW_XCHG, 7, 2), 55);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x2000, IR_RMW_OR, 8, 0), 7);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x2000, IR_RMW_XOR, 0xff, 0 | IR_MEM_SIGN), 15);
    assert_int_equal(mmu_load(f->mmu, base + 0x2000, 2), 0xf0);
    mmu_store(f->mmu, base + 0x2008, 0x01000000, 2);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x2008, IR_RMW_ADD, 1, 2 | IR_MEM_SWAP), 1);
    assert_int_equal(mmu_load(f->mmu, base + 0x2008, 2 | IR_MEM_SWAP), 2);
    mmu_store(f->mmu, base + 0x2ffc, 0x1111111122222222, 3);
    assert_int_equal(mmu_cas(f->mmu, base + 0x2ffc, 0x1111111122222222, 5, 3), 0x1111111122222222);
    assert_int_equal(mmu_load(f->mmu, base + 0x2ffc, 3), 5);
    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_WRITE};
    assert_int_equal(mmu_rmw(f->mmu, base + 0x5000, IR_RMW_ADD, 3, 2), 0);
    assert_int_equal(mmu_load(f->mmu, base + 0x5000, 2), 3);
    f->page[0][4].flags = P_READ;
    assert_true(RAISES(f, mmu_cas(f->mmu, base + 0x4000, 1, 2, 2 | IR_MEM_EXCLUSIVE)));
    assert_int_equal(f->fault.access, MMU_WRITE);
    assert_true(f->fault.exclusive);
}

static void user_accesses_from_privileged_mode(void **state)
{
    struct fixture *f = *state;

    f->page[0][3].flags |= P_USER;
    assert_false(RAISES(f, mmu_store(f->mmu, base + 0x2000, 1, 2)));
    assert_true(RAISES(f, mmu_store(f->mmu, base + 0x2000, 1, 2 | IR_MEM_USER)));
    assert_true(f->fault.user);
    assert_false(RAISES(f, mmu_store(f->mmu, base + 0x3000, 1, 2 | IR_MEM_USER)));
    assert_int_not_equal(*tlb_write_entry(f->run.tlb_user, wide, base + 0x3000), 0);
    select_tag(f, 0, false);
    assert_ptr_equal(f->run.tlb, f->run.tlb_user);
    assert_true(RAISES(f, mmu_load(f->mmu, base + 0x2000, 2)));
    assert_int_equal(mmu_load(f->mmu, base + 0x3000, 2), 1);
}

static void tags_are_kept_apart(void **state)
{
    struct fixture *f = *state;

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned tag = 0; tag < N_TAGS; tag++) {
            select_tag(f, tag, true);
            assert_int_equal(entry(f, TLB_READ, 0x3000) && round == 0 && tag, 0);
            mmu_store(f->mmu, base + 0x3000, tag, 2);
            assert_int_equal(load_le32(host_of(f, tag, 0x3000)), tag);
            assert_int_equal(mmu_load(f->mmu, base + 0x3000, 2), tag);
        }
    }
    /* Going back to a recent one costs no walk. */
    f->n_walks = 0;
    for (unsigned i = 0; i < 10; i++) {
        select_tag(f, N_TAGS - 1 - i, true);
        mmu_load(f->mmu, base + 0x3000, 2);
    }
    assert_int_equal(f->n_walks, 0);
    mmu_flush_tag(f->mmu, N_TAGS - 3);
    select_tag(f, N_TAGS - 2, true);
    mmu_load(f->mmu, base + 0x3000, 2);
    assert_int_equal(f->n_walks, 0);
    select_tag(f, N_TAGS - 3, true);
    mmu_load(f->mmu, base + 0x3000, 2);
    assert_int_equal(f->n_walks, 1);
    mmu_flush_page_tag(f->mmu, N_TAGS - 2, base + 0x3000);
    assert_int_not_equal(entry(f, TLB_READ, 0x3000), 0);
    select_tag(f, N_TAGS - 2, true);
    assert_int_equal(entry(f, TLB_READ, 0x3000), 0);
}

static void flushing_one_page_of_a_large_mapping_flushes_it_all(void **state)
{
    struct fixture *f = *state;

    f->block_size = MIB;
    mmu_load(f->mmu, base + 0x2000, 2);
    mmu_load(f->mmu, base + 0x9000, 2);
    f->block_size = 4096;
    mmu_load(f->mmu, base + 0x10002000, 2);
    mmu_flush_page(f->mmu, base + 0x5000);
    assert_int_equal(entry(f, TLB_READ, 0x2000), 0);
    assert_int_equal(entry(f, TLB_READ, 0x9000), 0);
    assert_int_not_equal(entry(f, TLB_READ, 0x10002000), 0);
    f->block_size = 16 * MIB;
    mmu_load(f->mmu, base + 0x2000, 2);
    mmu_flush_page(f->mmu, base + 0x40000000);
    assert_int_not_equal(entry(f, TLB_READ, 0x2000), 0);
    mmu_flush_page(f->mmu, base + 0xfff000);
    assert_int_equal(entry(f, TLB_READ, 0x2000), 0);
}

static void code_pages_lose_their_write_entries(void **state)
{
    struct fixture *f = *state;
    gpa page = (gpa)f->page[0][3].physical << 12;
    unsigned n_places = 0, n_tags = wide ? 16 : 20;

    /* The page in many spaces, and in one twice. */
    for (unsigned tag = 0; tag < n_tags; tag++) {
        f->page[tag][9] = f->page[tag][3] = f->page[0][3];
        select_tag(f, tag, tag & 1);
        f->page[tag][3].flags |= P_USER;
        f->page[tag][9].flags |= P_USER;
        mmu_store(f->mmu, base + 0x3000, tag, 2);
        mmu_store(f->mmu, base + 0x9004, tag, 2);
    }
    memory_set_page_code(f->memory, page, true);
    for (unsigned tag = 0; tag < n_tags; tag++) {
        select_tag(f, tag, tag & 1);
        n_places += entry(f, TLB_WRITE, 0x3000) != 0;
        n_places += entry(f, TLB_WRITE, 0x9000) != 0;
        assert_int_not_equal(entry(f, TLB_READ, 0x3000), 0);
    }
    assert_int_equal(n_places, 0);
    /* Stores are told, by physical address, and make no entry. */
    mmu_store(f->mmu, base + 0x3010, 0x55, 2);
    assert_int_equal(f->n_changed, 1);
    assert_int_equal(f->changed, page + 0x10);
    assert_int_equal(load_le32(host_of(f, 0, 0x3010)), 0x55);
    mmu_store(f->mmu, base + 0x9020, 0x66, 0);
    mmu_cas(f->mmu, base + 0x9024, 0, 1, 2);
    assert_int_equal(f->n_changed, 3);
    mmu_cas(f->mmu, base + 0x9024, 0, 2, 2);
    assert_int_equal(f->n_changed, 3);
    assert_ptr_equal(mmu_probe(f->mmu, base + 0x3000, 8, 2 | IR_MEM_WRITE), f->run.bounce);
    mmu_store(f->mmu, base + 0x3ffe, 0, 2);
    assert_int_equal(f->n_changed, 4);
    assert_int_equal(entry(f, TLB_WRITE, 0x3000), 0);
    memory_set_page_code(f->memory, page, false);
    mmu_store(f->mmu, base + 0x3010, 0x55, 2);
    assert_int_equal(f->n_changed, 4);
    assert_int_not_equal(entry(f, TLB_WRITE, 0x3000), 0);
}

static void fetches(void **state)
{
    struct fixture *f = *state;
    gpa physical;

    assert_ptr_equal(mmu_fetch(f->mmu, base + 0x3004, &physical, false), host_of(f, 0, 0x3004));
    assert_int_equal(physical, ((gpa)f->page[0][3].physical << 12) + 4);
    assert_int_equal(tlb_exec_tag(f->run.tlb, wide, base + 0x3000),
                     everywhere ? 0 : TLB_EXEC_TAG(physical));
    f->page[0][4].flags = P_READ;
    assert_null(mmu_fetch(f->mmu, base + 0x4000, &physical, true));
    assert_int_equal(f->n_faults, 0);
    assert_true(RAISES(f, mmu_fetch(f->mmu, base + 0x4000, &physical, false)));
    assert_int_equal(f->fault.access, MMU_EXEC);
    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_EXEC};
    assert_null(mmu_fetch(f->mmu, base + 0x5008, &physical, false));
    assert_int_equal(physical, ((gpa)DEVICE_PAGE << 12) + 8);
    f->page[0][6] = (struct page){HOLE_PAGE, P_READ | P_EXEC};
    assert_null(mmu_fetch(f->mmu, base + 0x6008, &physical, false));
    assert_int_equal(physical, ((gpa)HOLE_PAGE << 12) + 8);
}

static void looks_change_nothing(void **state)
{
    struct fixture *f = *state;
    uint32_t value = 0x12345678, seen = 0;

    assert_true(mmu_poke(f->mmu, base + 0x2ffe, &value, 4, false));
    assert_true(mmu_peek(f->mmu, base + 0x2ffe, &seen, 4, false));
    assert_int_equal(seen, value);
    assert_int_equal(entry(f, TLB_READ, 0x2000), 0);
    assert_false(mmu_peek(f->mmu, base + 0x2000, &seen, 4, true));
    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_WRITE};
    assert_false(mmu_peek(f->mmu, base + 0x5000, &seen, 4, false));
    assert_int_equal(f->n_reads, 0);
}

static struct {
    unsigned n, accesses;
    gva address;
    bool must_return, leaves;
} hit;

static void watch_hit(void *cpu, gva address, unsigned accesses, bool must_return)
{
    struct fixture *f = cpu;

    hit.n++;
    hit.address = address;
    hit.accesses = accesses;
    hit.must_return = must_return;
    if (hit.leaves && !must_return)
        longjmp(f->escape, 1);
}

/* A hit of this byte, or none (0). */
#define HITS(f, statement, where)                                                                  \
    do {                                                                                           \
        memset(&hit, 0, sizeof(hit));                                                              \
        statement;                                                                                 \
        assert_int_equal(hit.n, (where) ? 1 : 0);                                                  \
        if (hit.n)                                                                                 \
            assert_int_equal(hit.address, base + (where));                                         \
    } while (0)

static void watched_bytes_are_told_of(void **state)
{
    enum { READ = 1 << MMU_READ, WRITE = 1 << MMU_WRITE, VECTOR = 4 };
    struct fixture *f = *state;
    struct mmu *m = f->mmu;
    uint8_t bytes[16] = {0};

    mmu_store(m, base + 0x3000, 1, 2); /* the tables know the page already */
    mmu_load(m, base + 0x3000, 2);
    mmu_on_watch(m, watch_hit);
    assert_true(mmu_add_watch(m, base + 0x3104, 4, WRITE));
    assert_int_equal(entry(f, TLB_WRITE, 0x3000), 0);
    HITS(f, mmu_store(m, base + 0x3104, 1, 2), 0x3104);
    HITS(f, mmu_store(m, base + 0x3100, 1, 3), 0x3104);
    HITS(f, mmu_store(m, base + 0x3107, 1, 0), 0x3107);
    HITS(f, mmu_store(m, base + 0x3103, 1, 1), 0x3104);
    HITS(f, mmu_store(m, base + 0x3108, 1, 2), 0);
    HITS(f, mmu_store(m, base + 0x3100, 1, 2), 0);
    HITS(f, mmu_load(m, base + 0x3104, 2), 0);
    HITS(f, mmu_store_bytes(m, base + 0x30f8, bytes, VECTOR), 0x3104);
    HITS(f, mmu_cas(m, base + 0x3104, 5, 6, 2), 0x3104);
    store_le32(host_of(f, 0, 0x3104), 0); /* it succeeds at once */
    HITS(f, mmu_rmw(m, base + 0x3104, IR_RMW_ADD, 1, 2), 0x3104);
    HITS(f, mmu_probe(m, base + 0x3100, 16, IR_MEM_WRITE), 0x3104);
    HITS(f, mmu_probe(m, base + 0x3108, 16, IR_MEM_WRITE), 0);
    HITS(f, mmu_probe(m, base + 0x3100, 16, IR_MEM_READ), 0);
    HITS(f, mmu_store_as(m, base + 0x3104, 1, 2, false), 0x3104);
    assert_true(hit.must_return);
    assert_null(mmu_host_range(m, base + 0x3000, 4, MMU_WRITE, false));
    assert_non_null(mmu_host_range(m, base + 0x3000, 4, MMU_READ, false));
    assert_int_equal(entry(f, TLB_WRITE, 0x3000), 0);
    /* In every space, whose tables may have been filled before. */
    select_tag(f, 3, true);
    HITS(f, mmu_store(m, base + 0x3104, 1, 2), 0x3104);
    select_tag(f, 0, true);
    /* Both kinds at once; over the end of a page; paused. */
    assert_true(mmu_add_watch(m, base + 0x4fff, 2, READ | WRITE));
    HITS(f, mmu_load(m, base + 0x4ffe, 2), 0x4fff);
    HITS(f, mmu_store(m, base + 0x5000, 1, 0), 0x5000);
    assert_int_equal(hit.accesses, READ | WRITE);
    HITS(f, mmu_load_bytes(m, base + 0x4ff0, bytes, VECTOR), 0x4fff);
    mmu_pause_watches(m, true);
    HITS(f, mmu_load(m, base + 0x4fff, 0), 0);
    mmu_pause_watches(m, false);
    /* A debugger's own looks are none. */
    HITS(f, mmu_peek(m, base + 0x4ff0, bytes, 16, false), 0);
    HITS(f, mmu_poke(m, base + 0x4ff0, bytes, 16, false), 0);
    assert_false(mmu_remove_watch(m, base + 0x3104, 4, READ));
    assert_true(mmu_remove_watch(m, base + 0x3104, 4, WRITE));
    HITS(f, mmu_store(m, base + 0x3104, 7, 2), 0);
    assert_int_not_equal(entry(f, TLB_WRITE, 0x3000), 0);
    mmu_remove_all_watches(m);
    HITS(f, mmu_load(m, base + 0x4fff, 0), 0);
}

/* What faults is no hit, and before a hit nothing is done. */
static void hits_come_after_faults_and_before_effects(void **state)
{
    enum { READ = 1 << MMU_READ, WRITE = 1 << MMU_WRITE };
    struct fixture *f = *state;
    struct mmu *m = f->mmu;

    mmu_on_watch(m, watch_hit);
    assert_true(mmu_add_watch(m, base + 0x3ffc, 4, WRITE));
    f->page[0][4].physical = 0;
    memset(&hit, 0, sizeof(hit));
    assert_true(RAISES(f, mmu_store(m, base + 0x3ffe, 1, 2)));
    assert_int_equal(f->n_faults, 1);
    assert_int_equal(hit.n, 0);
    f->page[0][3].flags = P_READ;
    mmu_flush_all(m);
    assert_true(RAISES(f, mmu_store(m, base + 0x3ffc, 1, 2)));
    assert_int_equal(f->n_faults, 2);
    assert_int_equal(hit.n, 0);
    /* Nor does one that reads and then stores begin with a hit. */
    assert_true(mmu_add_watch(m, base + 0x3ffc, 4, READ));
    assert_true(RAISES(f, mmu_cas(m, base + 0x3ffc, 5, 6, 2)));
    assert_int_equal(f->n_faults, 3);
    assert_int_equal(hit.n, 0);
    mmu_remove_watch(m, base + 0x3ffc, 4, READ);
    f->page[0][3].flags = P_READ | P_WRITE;
    hit.leaves = true;
    store_le32(host_of(f, 0, 0x3ffc), 5);
    assert_true(RAISES(f, mmu_store(m, base + 0x3ffc, 1, 2)));
    assert_true(RAISES(f, mmu_cas(m, base + 0x3ffc, 5, 6, 2)));
    assert_true(RAISES(f, mmu_store(m, base + 0x3ffb, 1, 2)));
    assert_int_equal(f->n_faults, 3);
    assert_int_equal(hit.n, 3);
    assert_int_equal(load_le32(host_of(f, 0, 0x3ffc)), 5);
    /* There are not any number of them, nor of any length. */
    for (unsigned i = 1; i < MAX_WATCHES; i++)
        assert_true(mmu_add_watch(m, base + 0x1000 + i, 1, READ));
    assert_false(mmu_add_watch(m, base + 0x1000, 1, READ));
    mmu_remove_all_watches(m);
    assert_false(mmu_add_watch(m, base + 0x1000, MAX_WATCH_BYTES + 1, READ));
    assert_false(mmu_add_watch(m, base + 0x1000, 0, READ));
    assert_false(mmu_add_watch(m, UINT64_MAX, 2, READ));
}

static void holes_of_an_open_bus(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[16], ones[16];
    uint8_t *p;

    memset(ones, 0xff, sizeof(ones));
    f->page[0][6] = (struct page){HOLE_PAGE, P_READ | P_WRITE | P_EXEC};
    assert_int_equal(mmu_load(f->mmu, base + 0x6010, 2), 0xffffffff);
    assert_int_equal(mmu_load(f->mmu, base + 0x6010, 3), ~UINT64_C(0));
    mmu_store(f->mmu, base + 0x6010, 0, 2);
    assert_int_equal(mmu_load(f->mmu, base + 0x6011, 1), 0xffff);
    mmu_load_bytes(f->mmu, base + 0x6003, bytes, 4);
    assert_memory_equal(bytes, ones, 16);
    mmu_store_bytes(f->mmu, base + 0x6003, bytes, 4);
    assert_int_equal(mmu_cas(f->mmu, base + 0x6000, 5, 6, 2), 0xffffffff);
    assert_int_equal(mmu_rmw(f->mmu, base + 0x6000, IR_RMW_ADD, 6, 0), 0xff);
    p = mmu_probe(f->mmu, base + 0x6000, 16, 2);
    assert_memory_equal(p, ones, 16);
    /* Half of it in RAM. */
    mmu_store(f->mmu, base + 0x6ffe, 0x12345678, 2);
    assert_int_equal(mmu_load(f->mmu, base + 0x6ffe, 2), 0x1234ffff);
    assert_null(mmu_host_range(f->mmu, base + 0x6000, 16, MMU_READ, false));
    /* Behind a device that ends within the page. */
    memory_add_device(f->memory, "short", ((gpa)HOLE_PAGE + 1) << 12, 0x10, &device_ops, f, NULL);
    f->page[0][7] = (struct page){HOLE_PAGE + 1, P_READ | P_WRITE};
    f->registers[8] = 0x77;
    assert_int_equal(mmu_load(f->mmu, base + 0x7020, 0), 0xff);
    assert_int_equal(mmu_load(f->mmu, base + 0x7008, 0), 0x77);
    assert_int_equal(mmu_load(f->mmu, base + 0x7010, 0), 0xff);
    assert_int_equal(mmu_load(f->mmu, base + 0x7008, 0), 0x77);
    assert_int_equal(f->n_faults, 0);
}

static void services_for_helpers(void **state)
{
    struct fixture *f = *state;
    gpa physical, page = (gpa)f->page[0][3].physical << 12;

    f->page[0][3].flags |= P_USER;
    f->page[0][4].flags &= ~(unsigned)P_WRITE;
    f->page[0][5] = (struct page){DEVICE_PAGE, P_READ | P_WRITE};
    f->page[0][6] = (struct page){ROM_PAGE, P_READ | P_WRITE};
    f->page[0][7].flags |= P_DEVICE;
    select_tag(f, 0, false);
    mmu_store_as(f->mmu, base + 0x2000, 0x55, 2, false);
    assert_int_equal(mmu_load_as(f->mmu, base + 0x2000, 2, false), 0x55);
    assert_true(RAISES(f, mmu_load_as(f->mmu, base + 0x2000, 2, true)));
    assert_true(f->fault.user);
    assert_true(RAISES(f, mmu_store_as(f->mmu, base + 0x4000, 1, 2, false)));
    assert_false(f->fault.user);
    assert_true(mmu_physical(f->mmu, base + 0x3123, MMU_WRITE, true, &physical));
    assert_int_equal(physical, page + 0x123);
    assert_true(RAISES(f, mmu_physical(f->mmu, base + 0x2000, MMU_READ, true, &physical)));
    /* Ranges: all of a page, not more. */
    for (unsigned round = 0; round < 2; round++) {
        assert_ptr_equal(mmu_host_range(f->mmu, base + 0x3000, 4096, MMU_WRITE, true),
                         host_of(f, 0, 0x3000));
        assert_ptr_equal(mmu_host_range(f->mmu, base + 0x4010, 16, MMU_READ, false),
                         host_of(f, 0, 0x4010));
    }
    assert_int_not_equal(entry(f, TLB_WRITE, 0x3000), 0);
    assert_null(mmu_host_range(f->mmu, base + 0x3001, 4096, MMU_READ, true));
    assert_null(mmu_host_range(f->mmu, base + 0x5000, 4, MMU_READ, false));
    assert_null(mmu_host_range(f->mmu, base + 0x6000, 4, MMU_WRITE, false));
    assert_non_null(mmu_host_range(f->mmu, base + 0x6000, 4, MMU_READ, false));
    assert_null(mmu_host_range(f->mmu, base + 0x7000, 4, MMU_READ, false));
    assert_true(RAISES(f, mmu_host_range(f->mmu, base + 0x4000, 4, MMU_WRITE, false)));
    memory_set_page_code(f->memory, page, true);
    assert_null(mmu_host_range(f->mmu, base + 0x3000, 4, MMU_WRITE, true));
    assert_non_null(mmu_host_range(f->mmu, base + 0x3000, 4, MMU_READ, true));
}

static struct fixture *storing;
static gpa stored_at;
static unsigned stored_size;

static void code_store(void *cpu, gpa address, unsigned size)
{
    stored_at = address;
    stored_size = size;
    longjmp(storing->escape, 1);
}

/* Whoever wants to know of a store into code does before any of it is done. */
static void stores_into_code_are_announced(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[16] = {1, 2, 3};
    gpa page;

    storing = f;
    f->page[0][3].physical = f->page[0][2].physical + 3;
    page = (gpa)f->page[0][3].physical << 12;
    mmu_on_code_store(f->mmu, code_store);
    memory_set_page_code(f->memory, page, true);
    assert_true(RAISES(f, mmu_store(f->mmu, base + 0x3010, ~UINT64_C(0), 3)));
    assert_int_equal(stored_at, page + 0x10);
    assert_int_equal(stored_size, 8);
    assert_true(RAISES(f, mmu_store(f->mmu, base + 0x2ffd, ~UINT64_C(0), 2)));
    assert_int_equal(stored_at, page);
    assert_int_equal(stored_size, 1);
    assert_true(RAISES(f, mmu_store_bytes(f->mmu, base + 0x2ff8, bytes, 4)));
    assert_true(RAISES(f, mmu_cas(f->mmu, base + 0x3010, 0, 1, 3)));
    assert_true(RAISES(f, mmu_rmw(f->mmu, base + 0x2fff, IR_RMW_OR, 0xffff, 1)));
    assert_true(RAISES(f, mmu_probe(f->mmu, base + 0x2ff0, 32, 2 | IR_MEM_WRITE)));
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(*host_of(f, 0, 0x2ff0 + i), 0);
        assert_int_equal(*host_of(f, 0, 0x3000 + i), 0);
    }
    assert_int_equal(f->n_changed, 0);
}

/* Everything at once: whatever the order of stores, remaps and flushes, a load sees what the page
 * tables say. */
static void random_operations_agree_with_the_tables(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 11;

    for (unsigned i = 0; i < 40000; i++) {
        uint32_t va = 0x1000 + (unsigned)rand_r(&seed) % 0xe000, value = (uint32_t)rand_r(&seed);
        unsigned op = (unsigned)rand_r(&seed) % 16, tag = (unsigned)rand_r(&seed) % N_TAGS;
        unsigned size_log2 = (unsigned)rand_r(&seed) % 3, page = va >> 12;
        uint64_t expected = 0;

        if (op == 0) {
            select_tag(f, tag, tag % 3);
        } else if (op == 1) {
            f->page[tag][page].physical = 16 + (unsigned)rand_r(&seed) % 200;
            mmu_flush_page_tag(f->mmu, tag, base + va);
        } else if (op == 2 && i % 10 == 0) {
            for (unsigned t = 0; t < N_TAGS; t++)
                f->page[t][page].physical = 16 + (unsigned)rand_r(&seed) % 200;
            mmu_flush_page(f->mmu, base + va);
        } else if (op == 3 && i % 50 == 0) {
            for (unsigned p = 1; p < 16; p++)
                f->page[tag][p].physical = 16 + (unsigned)rand_r(&seed) % 200;
            mmu_flush_tag(f->mmu, tag);
        } else if (op == 4) {
            memory_set_page_code(f->memory, (gpa)(16 + rand_r(&seed) % 200) << 12, i & 1);
        } else {
            for (unsigned p = page; p <= page + 1; p++)
                f->page[f->tag][p].flags |= P_USER;
            if (op < 10)
                mmu_store(f->mmu, base + va, value, size_log2);
            for (unsigned k = 0; k < 1u << size_log2; k++)
                expected |= (uint64_t)*host_of(f, f->tag, va + k) << (8 * k);
            if (op < 10 && f->page[f->tag][page].physical != f->page[f->tag][page + 1].physical)
                assert_int_equal(expected, value & ((UINT64_C(1) << (8 << size_log2)) - 1));
            assert_int_equal(mmu_load(f->mmu, base + va, size_log2), expected);
        }
    }
}

/* Tables are bounded: touching all of the address space in all spaces keeps to the allowance. */
static void tables_stay_small(void **state)
{
    struct fixture *f = *state;
    unsigned long resident = 0;
    FILE *file;

    for (unsigned i = 0; i < N_PAGES; i++)
        f->page[0][i] = f->page[1][i] = (struct page){20 + i, P_READ | P_WRITE | P_EXEC};
    for (unsigned tag = 0; tag < N_TAGS; tag++) {
        memcpy(f->page[tag], f->page[0], sizeof(f->page[0]));
        select_tag(f, tag, true);
        for (uint64_t va = tag * 64; va < UINT64_C(1) << 32; va += 0x200000)
            mmu_store(f->mmu, base + va, va, 2);
        assert_int_equal(mmu_load(f->mmu, base + 0xffe00000 + tag * 64, 2), 0xffe00000 + tag * 64);
    }
    file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &resident), 1);
    fclose(file);
#ifndef __SANITIZE_ADDRESS__
    assert_true(resident * 4096 < 48 * MIB);
#endif
}

/* ---- wide addresses -------------------------------------------------------------------------- */

static void the_ends_of_both_halves(void **state)
{
    struct fixture *f = *state;
    static const gva ends[] = {0, 0x00007ffffffff000, 0xffff800000000000, 0xfffffffffffff000};
    gpa physical;

    for (unsigned i = 0; i < N_PAGES; i++)
        f->page[0][i] = (struct page){20 + i, P_READ | P_WRITE | P_EXEC};
    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        uint8_t *host = host_of(f, 0, (uint32_t)(ends[i] >> 12) % N_PAGES << 12);

        mmu_store(f->mmu, ends[i] + 8 * i, i + 1, 3);
        assert_int_equal(load_le64(host + 8 * i), i + 1);
        assert_int_equal(mmu_load(f->mmu, ends[i] + 8 * i, 3), i + 1);
        assert_int_equal(*tlb_read_entry(f->run.tlb, true, ends[i]) + ends[i], (uintptr_t)host);
        assert_int_equal(*tlb_write_entry(f->run.tlb, true, ends[i]) + ends[i], (uintptr_t)host);
        assert_ptr_equal(mmu_fetch(f->mmu, ends[i], &physical, false), host);
        assert_int_equal(*tlb_exec_entry(f->run.tlb, true, ends[i]), TLB_EXEC_TAG(physical));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        mmu_flush_page(f->mmu, ends[i]);
        for (unsigned k = 0; k < ARRAY_SIZE(ends); k++) {
            assert_int_equal(*tlb_read_entry(f->run.tlb, true, ends[k]) != 0, k > i);
            assert_int_equal(*tlb_write_entry(f->run.tlb, true, ends[k]) != 0, k > i);
            assert_int_equal(*tlb_exec_entry(f->run.tlb, true, ends[k]) != 0, k > i);
        }
    }
}

static void addresses_that_are_not_canonical(void **state)
{
    struct fixture *f = *state;
    gva last = 0x7fffffffffff, wrong = base ^ UINT64_C(1) << 60;
    gpa physical;
    uint8_t bytes[16] = {0};

    f->page[0][N_PAGES - 1] = (struct page){40, P_READ | P_WRITE | P_EXEC};
    f->page[0][0] = (struct page){41, P_READ | P_WRITE | P_EXEC};
    mmu_store(f->mmu, last, 0x11, 0);
    assert_true(RAISES(f, mmu_load(f->mmu, last, 1)));
    assert_int_equal(f->fault.address, last + 1);
    assert_int_equal(f->fault.syndrome, 99);
    assert_true(RAISES(f, mmu_store(f->mmu, last, 0x2222, 1)));
    assert_true(RAISES(f, mmu_probe(f->mmu, last - 3, 8, 2)));
    assert_int_equal(mmu_load(f->mmu, last, 0), 0x11);
    mmu_store(f->mmu, base + 0x3000, 5, 3);
    assert_non_null(mmu_fetch(f->mmu, base + 0x3000, &physical, false));
    assert_true(RAISES(f, mmu_load(f->mmu, wrong + 0x3000, 3)));
    assert_int_equal(f->fault.address, wrong + 0x3000);
    assert_true(RAISES(f, mmu_store(f->mmu, wrong + 0x3000, 1, 3)));
    assert_true(RAISES(f, mmu_cas(f->mmu, wrong + 0x3000, 5, 1, 3)));
    assert_true(RAISES(f, mmu_rmw(f->mmu, wrong + 0x3000, IR_RMW_XCHG, 1, 3)));
    assert_true(RAISES(f, mmu_store_bytes(f->mmu, wrong + 0x3000, bytes, 4)));
    assert_true(RAISES(f, mmu_host_range(f->mmu, wrong + 0x3000, 4, MMU_READ, false)));
    assert_true(RAISES(f, mmu_fetch(f->mmu, wrong + 0x3000, &physical, false)));
    assert_null(mmu_fetch(f->mmu, wrong + 0x3000, &physical, true));
    assert_false(mmu_peek(f->mmu, wrong + 0x3000, bytes, 1, false));
    mmu_flush_page(f->mmu, wrong + 0x3000);
    assert_int_equal(load_le64(host_of(f, 0, 0x3000)), 5);
}

/* Pages that share their entries: each access finds its own, whoever came last. */
static void addresses_that_share_an_entry(void **state)
{
    static const gva places[] = {0x3000, 0x9800000000003000, 0x9000000000003000,
                                 0xc000000000003000};
    struct fixture *f = *state;
    gpa physical;

    everywhere = true;
    for (unsigned i = 0; i < N_PAGES; i++)
        f->page[0][i] = (struct page){20 + i, P_READ | P_WRITE | P_EXEC};
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
            /* the same page but for the last, which is another one */
            f->page[0][3].physical = i == 3 ? 60 : 23;
            mmu_store(f->mmu, places[i] + 8 * i, i + 1, 3);
            assert_int_equal(mmu_load(f->mmu, places[i] + 8 * i, 3), i + 1);
            assert_int_equal(load_le64(f->ram + (i == 3 ? 60 << 12 : 23 << 12) + 8 * i), i + 1);
            for (unsigned k = 0; k < ARRAY_SIZE(places); k++)
                assert_int_equal(tlb_host_address(true,
                                                  *tlb_write_entry(f->run.tlb, true, places[k]),
                                                  places[k]) != 0,
                                 k == i);
        }
    }
    /* code in the page: the entry that stands for another address loses its right to write */
    f->page[0][3].physical = 23;
    mmu_store(f->mmu, places[0], 1, 3);
    mmu_store(f->mmu, places[1], 1, 3);
    assert_non_null(mmu_fetch(f->mmu, places[0], &physical, false));
    memory_set_page_code(f->memory, physical, true);
    assert_int_equal(*tlb_write_entry(f->run.tlb, true, places[1]), 0);
    f->n_changed = 0;
    mmu_store(f->mmu, places[1], 2, 3);
    assert_int_equal(f->n_changed, 1);
    /* code: only canonical addresses are in the table, the others are translated each time */
    assert_int_equal(*tlb_exec_entry(f->run.tlb, true, places[0]), TLB_EXEC_TAG(physical));
    mmu_flush_page(f->mmu, places[1]);
    f->page[0][3].physical = 60;
    assert_non_null(mmu_fetch(f->mmu, places[1], &physical, false));
    assert_int_equal(physical >> 12, 60);
    assert_int_equal(*tlb_exec_entry(f->run.tlb, true, places[0]), 0);
    f->page[0][3].physical = 23;
    assert_non_null(mmu_fetch(f->mmu, places[0], &physical, false));
    assert_int_equal(tlb_exec_tag(f->run.tlb, true, places[1]), 0);
    assert_int_equal(tlb_exec_tag(f->run.tlb, true, places[0]), TLB_EXEC_TAG(23 << 12));
    /* a flush is for whoever is there */
    mmu_load(f->mmu, places[2], 3);
    mmu_flush_page(f->mmu, places[2]);
    assert_int_equal(*tlb_read_entry(f->run.tlb, true, places[2]), 0);
    everywhere = false;
}

/* Spaces whose tags differ in bits that do not matter. */
static void pages_of_several_tags_are_flushed(void **state)
{
    struct fixture *f = *state;

    for (unsigned tag = 0; tag < 4; tag++) {
        select_tag(f, tag, true);
        mmu_load(f->mmu, base + 0x3000, 2);
    }
    mmu_flush_page_tags(f->mmu, 1, 2, base + 0x3000);
    for (unsigned tag = 0; tag < 4; tag++) {
        select_tag(f, tag, true);
        assert_int_equal(entry(f, TLB_READ, 0x3000) != 0, !(tag & 1));
    }
}

static void a_large_page_goes_as_a_whole_in_the_upper_half(void **state)
{
    struct fixture *f = *state;
    gva first = 0xffffffff80000000;

    for (unsigned i = 0; i < N_PAGES; i++)
        f->page[0][i] = (struct page){20 + i, P_READ | P_WRITE | P_EXEC};
    for (uint64_t size = 2 * MIB; size <= GIB; size *= 512) {
        f->block_size = size;
        mmu_store(f->mmu, first + 0x2000, 1, 2);
        mmu_store(f->mmu, first + size - 8, 1, 2);
        f->block_size = 4096;
        mmu_store(f->mmu, first + size + 8, 1, 2);
        mmu_flush_page(f->mmu, first + 0x9000);
        assert_int_equal(*tlb_write_entry(f->run.tlb, true, first + 0x2000), 0);
        assert_int_equal(*tlb_write_entry(f->run.tlb, true, first + size - 8), 0);
        if (size < GIB)
            assert_int_not_equal(*tlb_write_entry(f->run.tlb, true, first + size), 0);
    }
}

#ifndef __SANITIZE_ADDRESS__
static unsigned long status_kib(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    unsigned long value = 0;
    char line[256];

    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (!strncmp(line, name, strlen(name)))
            value = strtoul(line + strlen(name), NULL, 10);
    }
    fclose(file);
    return value;
}
#endif

static void go_to(struct fixture *f, gva va)
{
    if (!RAISES(f, mmu_store(f->mmu, va, va, 3)))
        assert_int_equal(mmu_load(f->mmu, va, 3), va);
}

/* ulimit -v is answered with a sentence. */
static void limited_address_space_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct run_state run = {0};
    struct rlimit old, low;
    struct error err;
    struct mmu *mmu;

#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    low = (struct rlimit){.rlim_cur = UINT64_C(1) << 42, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &low), 0);
    mmu = mmu_create(f->memory, &run, &client, true, &err);
    setrlimit(RLIMIT_AS, &old);
    assert_null(mmu);
    assert_non_null(strstr(err.message, "ulimit -v"));
}

/* Not even a guest that goes everywhere, or only tries to, makes the host's page tables grow. */
static void wide_tables_stay_small(void **state)
{
    struct fixture *f = *state;
    uint64_t x = 1;

    for (unsigned tag = 0; tag < N_TAGS; tag++) {
        for (unsigned i = 0; i < N_PAGES; i += 2)
            f->page[tag][i] = (struct page){20 + i, P_READ | P_WRITE | P_EXEC};
        select_tag(f, tag, tag & 1);
        for (unsigned i = 0; i < 3000; i++) {
            x = x * UINT64_C(6364136223846793005) + 1;
            go_to(f, (uint64_t)((int64_t)x >> 16) & ~UINT64_C(7));
        }
    }
#ifndef __SANITIZE_ADDRESS__
    assert_true(status_kib("VmRSS:") < 48 * 1024);
    assert_true(status_kib("VmPTE:") < 48 * 1024);
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(entries_are_made_as_stated),
    TEST(values_are_swapped_and_extended),
    TEST(crossings_store_all_or_nothing),
    TEST(alignment_is_checked),
    TEST(devices_and_holes),
    TEST(probes),
    TEST(atomics),
    TEST(user_accesses_from_privileged_mode),
    TEST(tags_are_kept_apart),
    TEST(pages_of_several_tags_are_flushed),
    TEST(flushing_one_page_of_a_large_mapping_flushes_it_all),
    TEST(code_pages_lose_their_write_entries),
    TEST(fetches),
    TEST(looks_change_nothing),
    TEST(watched_bytes_are_told_of),
    TEST(hits_come_after_faults_and_before_effects),
    cmocka_unit_test_setup_teardown(holes_of_an_open_bus, setup_open_bus, teardown),
    TEST(services_for_helpers),
    TEST(stores_into_code_are_announced),
    TEST(random_operations_agree_with_the_tables),
};
static const struct CMUnitTest narrow_tests[] = {TEST(tables_stay_small)};
static const struct CMUnitTest wide_tests[] = {
    TEST(the_ends_of_both_halves),           TEST(addresses_that_are_not_canonical),
    TEST(addresses_that_share_an_entry),     TEST(a_large_page_goes_as_a_whole_in_the_upper_half),
    TEST(limited_address_space_is_an_error), TEST(wide_tables_stay_small),
};

int main(void)
{
    static const gva bases[] = {0, 0x00007fff00000000, 0xffff800000000000, 0xffffffff00000000};
    int failed = cmocka_run_group_tests_name("32 bits", tests, NULL, NULL) +
                 cmocka_run_group_tests(narrow_tests, NULL, NULL);

    wide = true;
    for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
        base = bases[i];
        failed += cmocka_run_group_tests_name("wide", tests, NULL, NULL);
    }
    everywhere = true;
    base = 0x9800000000000000;
    failed += cmocka_run_group_tests_name("not canonical", tests, NULL, NULL);
    everywhere = false;
    base = bases[ARRAY_SIZE(bases) - 1];
    return failed + cmocka_run_group_tests(wide_tests, NULL, NULL);
}
