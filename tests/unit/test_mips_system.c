/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIPS guest's privileged side without translated code: segments, the TLB and its victims,
 * every kind of exception, interrupts, Count and Compare, CP0 registers, the key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frontend/mips/system.h"

enum { RAM_BYTES = 32 << 20 };

struct fixture {
    struct mips_cpu *cpu;
    pthread_mutex_t lock;
    struct irq irq;
    bool timer_level;
};

static void irq_changed(void *receiver, unsigned line, bool level)
{
    ((struct fixture *)receiver)->timer_level = level;
}

static struct fixture *fixture_with_clock(const char *guest_name, const char *model,
                                          struct clock *clock)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct mips_cpu *cpu;
    size_t size = align_up(sizeof(*cpu), 64);
    struct error err;

    memory_lock_init(&f->lock);
    cpu = f->cpu = aligned_alloc(64, size);
    memset(cpu, 0, size);
    cpu->v.guest = guest_find(guest_name);
    assert_non_null(cpu->v.guest);
    for (const struct cpu_model *m = cpu->v.guest->models; m->name; m++) {
        if (!strcmp(m->name, model))
            cpu->v.model = m;
    }
    assert_non_null(cpu->v.model);
    cpu->v.clock = clock;
    cpu->v.device_lock = &f->lock;
    cpu->v.memory = memory_create(&f->lock, &err);
    assert_non_null(memory_add_ram(cpu->v.memory, "ram", 0, RAM_BYTES, &err));
    cpu->v.mmu =
        mmu_create(cpu->v.memory, &cpu->v.run, &mips_mmu_client, cpu->v.guest->wide_address, &err);
    assert_non_null(cpu->v.mmu);
    f->irq = (struct irq){irq_changed, f, 0};
    cpu->v.irq_out = &f->irq;
    assert_true(mips_init(&cpu->v, &err));
    mips_reset(&cpu->v);
    return f;
}

static struct fixture *fixture_create(const char *guest_name, const char *model)
{
    return fixture_with_clock(guest_name, model, clock_create_manual());
}

static void fixture_destroy(struct fixture *f)
{
    mips_finish(&f->cpu->v);
    mmu_destroy(f->cpu->v.mmu);
    memory_destroy(f->cpu->v.memory);
    clock_destroy(f->cpu->v.clock);
    pthread_mutex_destroy(&f->lock);
    free(f->cpu);
    free(f);
}

enum { INDEX = 0, CONTEXT = 4, PAGEMASK = 5, WIRED = 6, HWRENA = 7, COUNT = 9, ENTRYHI = 10 };
enum { COMPARE = 11, STATUS = 12, CAUSE = 13, EPC = 14, EBASE = 15, CONFIG = 16, XCONTEXT = 20 };
enum { D = 4, V = 2, G = 1 };

static uint64_t get(struct fixture *f, unsigned number, unsigned select)
{
    return mips_cp0_get(f->cpu, number, select);
}

static void set(struct fixture *f, unsigned number, unsigned select, uint64_t value)
{
    mips_cp0_set(f->cpu, number, select, value);
}

static void load_entry(struct fixture *f, uint64_t hi, uint64_t physical0, unsigned flags0,
                       uint64_t physical1, unsigned flags1)
{
    set(f, ENTRYHI, 0, hi);
    set(f, 2, 0, physical0 >> 6 | flags0);
    set(f, 3, 0, physical1 >> 6 | flags1);
}

/* The address with 0 for success, else the exception. */
static unsigned walk(struct fixture *f, uint64_t va, enum mmu_access access, enum mips_mode mode,
                     uint64_t *physical)
{
    struct mips_walk w;
    unsigned kind = mips_translate_address(f->cpu, va, access, mode, &w);

    *physical = w.physical;
    return kind;
}

static void expect_physical(struct fixture *f, uint64_t va, enum mips_mode mode, uint64_t expected)
{
    uint64_t physical;

    assert_int_equal(walk(f, va, MMU_READ, mode, &physical), 0);
    assert_int_equal(physical, expected);
}

static void expect_fault(struct fixture *f, uint64_t va, enum mmu_access access,
                         enum mips_mode mode, unsigned kind)
{
    uint64_t physical;

    assert_int_equal(walk(f, va, access, mode, &physical), kind);
}

static bool in_table(struct fixture *f, uint64_t va)
{
    return tlb_host_address(f->cpu->wide, *tlb_read_entry(f->cpu->v.run.tlb, f->cpu->wide, va), va);
}

/* ---- segments -------------------------------------------------------------------------------- */

static void segments_of_32_bits(void **state)
{
    struct fixture *f = fixture_create("mipsel", "24Kc");

    /* after reset ERL is set: useg is unmapped for the kernel */
    expect_physical(f, 0x00123456, MODE_KERNEL, 0x00123456);
    expect_physical(f, 0x7fffffff, MODE_KERNEL, 0x7fffffff);
    expect_fault(f, 0x00123456, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    set(f, STATUS, 0, 0);
    expect_fault(f, 0x00123456, MMU_READ, MODE_KERNEL, MIPS_EXC_TLBL_REFILL);
    expect_physical(f, 0x80123456, MODE_KERNEL, 0x00123456);
    expect_physical(f, 0x9fffffff, MODE_KERNEL, 0x1fffffff);
    expect_physical(f, 0xa0123456, MODE_KERNEL, 0x00123456);
    expect_physical(f, 0xbfc00000, MODE_KERNEL, 0x1fc00000);
    expect_fault(f, 0xc0000000, MMU_WRITE, MODE_KERNEL, MIPS_EXC_TLBS_REFILL);
    expect_fault(f, 0xe0000000, MMU_EXEC, MODE_KERNEL, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, 0x80000000, MMU_READ, MODE_USER, MIPS_EXC_ADEL);
    expect_fault(f, 0xe0000000, MMU_WRITE, MODE_USER, MIPS_EXC_ADES);
    expect_fault(f, 0x80000000, MMU_READ, MODE_SUPERVISOR, MIPS_EXC_ADEL);
    expect_fault(f, 0xc0000000, MMU_READ, MODE_SUPERVISOR, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, 0xe0000000, MMU_READ, MODE_SUPERVISOR, MIPS_EXC_ADEL);
    fixture_destroy(f);
}

static void segments_under_control(void **state)
{
    struct fixture *f = fixture_create("mips", "P5600");

    set(f, STATUS, 0, 0);
    expect_physical(f, 0x80123456, MODE_KERNEL, 0x00123456);
    /* CFG3 (kseg0): mapped for all; CFG2 (kseg1): unmapped for all, at 0x60000000 */
    set(f, 5, 3, 0x00330072 | 3 << 9);
    expect_fault(f, 0x80123456, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    expect_physical(f, 0xa0123456, MODE_USER, 0x60123456);
    /* CFG5: unmapped for the kernel at 0x40000000, mapped for others, as EVA kernels have it */
    set(f, 5, 4, (2u << 9 | 0x43) << 16 | 0x33);
    expect_physical(f, 0x00123456, MODE_KERNEL, 0x40123456);
    expect_fault(f, 0x00123456, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    fixture_destroy(f);
}

static void segments_of_64_bits(void **state)
{
    struct fixture *f = fixture_create("mips64el", "MIPS64R2-generic");
    const uint64_t within = UINT64_C(1) << 42;

    set(f, STATUS, 0, STATUS_KX | STATUS_SX | STATUS_UX);
    expect_physical(f, UINT64_C(0xffffffff80123456), MODE_KERNEL, 0x123456);
    expect_physical(f, UINT64_C(0x9800000812345678), MODE_KERNEL, UINT64_C(0x812345678));
    expect_physical(f, UINT64_C(0x9000000000001000), MODE_KERNEL, 0x1000);
    expect_fault(f, UINT64_C(0x9800001000000000), MMU_READ, MODE_KERNEL, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0x9800000000000000), MMU_WRITE, MODE_USER, MIPS_EXC_ADES);
    expect_fault(f, within - 1, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, within, MMU_READ, MODE_USER, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0x4000000000000000), MMU_READ, MODE_SUPERVISOR, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, UINT64_C(0x4000000000000000), MMU_READ, MODE_USER, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0xc000000000000000), MMU_READ, MODE_KERNEL, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, UINT64_C(0xc000000000000000), MMU_READ, MODE_SUPERVISOR, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0xc000000000000000) + within, MMU_READ, MODE_KERNEL, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0xffffffffc0000000), MMU_READ, MODE_SUPERVISOR, MIPS_EXC_TLBL_REFILL);
    /* without 64-bit addresses there are the old segments */
    set(f, STATUS, 0, 0);
    expect_fault(f, UINT64_C(0x9800000000000000), MMU_READ, MODE_KERNEL, MIPS_EXC_ADEL);
    expect_fault(f, UINT64_C(0x100000000), MMU_READ, MODE_USER, MIPS_EXC_ADEL);
    expect_physical(f, UINT64_C(0xffffffffa0000000), MODE_KERNEL, 0);
    fixture_destroy(f);
    /* a 32-bit processor in a 64-bit guest */
    f = fixture_create("mips64", "24Kf");
    expect_physical(f, UINT64_C(0xffffffff80001000), MODE_KERNEL, 0x1000);
    expect_fault(f, UINT64_C(0x80001000), MMU_READ, MODE_KERNEL, MIPS_EXC_ADEL);
    assert_true(f->cpu->v.run.key & KEY_ADDRESS32);
    fixture_destroy(f);
}

static void fixed_mapping(void **state)
{
    struct fixture *f = fixture_create("mips", "4Km");

    expect_physical(f, 0x00001000, MODE_KERNEL, 0x00001000);
    set(f, STATUS, 0, 0);
    expect_physical(f, 0x00001000, MODE_KERNEL, 0x40001000);
    expect_physical(f, 0x7fffffff, MODE_USER, 0xbfffffff);
    expect_physical(f, 0x80001000, MODE_KERNEL, 0x00001000);
    expect_physical(f, 0xc0001000, MODE_KERNEL, 0xc0001000);
    expect_fault(f, 0xc0001000, MMU_READ, MODE_USER, MIPS_EXC_ADEL);
    assert_int_equal(get(f, CONFIG, 0) >> 7 & 7, 3);
    fixture_destroy(f);
}

/* ---- the TLB --------------------------------------------------------------------------------- */

static void tlb_permissions(void **state)
{
    struct fixture *f = fixture_create("mipsel", "P5600");

    set(f, STATUS, 0, 0);
    set(f, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE);
    load_entry(f, 0x400005, 0x10000, V | D, 0x11000, V);
    mips_tlb_write(f->cpu, 3, false);
    expect_physical(f, 0x400123, MODE_USER, 0x10123);
    expect_physical(f, 0x401123, MODE_USER, 0x11123);
    expect_fault(f, 0x400123, MMU_WRITE, MODE_USER, 0);
    expect_fault(f, 0x401123, MMU_WRITE, MODE_USER, MIPS_EXC_MOD);
    expect_fault(f, 0x402000, MMU_WRITE, MODE_USER, MIPS_EXC_TLBS_REFILL);
    /* RI, XI; with IEC codes of their own */
    set(f, 2, 0, 0x10000 >> 6 | V | 0x80000000u);
    set(f, 3, 0, 0x11000 >> 6 | V | 0x40000000u);
    mips_tlb_write(f->cpu, 3, false);
    expect_fault(f, 0x400000, MMU_READ, MODE_USER, MIPS_EXC_TLBL);
    expect_fault(f, 0x400000, MMU_EXEC, MODE_USER, 0);
    expect_fault(f, 0x401000, MMU_EXEC, MODE_USER, MIPS_EXC_TLBL);
    expect_fault(f, 0x401000, MMU_READ, MODE_USER, 0);
    set(f, 5, 1, PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC);
    expect_fault(f, 0x400000, MMU_READ, MODE_USER, MIPS_EXC_TLBRI);
    expect_fault(f, 0x401000, MMU_EXEC, MODE_USER, MIPS_EXC_TLBXI);
    /* not valid: before all others */
    set(f, 2, 0, 0x10000 >> 6 | 0x80000000u);
    mips_tlb_write(f->cpu, 3, false);
    expect_fault(f, 0x400000, MMU_READ, MODE_USER, MIPS_EXC_TLBL);
    expect_fault(f, 0x400000, MMU_WRITE, MODE_USER, MIPS_EXC_TLBS);
    fixture_destroy(f);
}

static void address_spaces(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    load_entry(f, 0x400000 | 5, 0x10000, V, 0x11000, V);
    mips_tlb_write(f->cpu, 0, false);
    expect_physical(f, 0x400000, MODE_USER, 0x10000);
    set(f, ENTRYHI, 0, 6);
    expect_fault(f, 0x400000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    load_entry(f, 0x600000 | 6, 0x20000, V | G, 0x21000, V | G);
    mips_tlb_write(f->cpu, 1, false);
    set(f, ENTRYHI, 0, 5);
    expect_physical(f, 0x600000, MODE_USER, 0x20000);
    expect_physical(f, 0x400000, MODE_USER, 0x10000);
    assert_int_equal(mips_mmu_tag(f->cpu) & 0xff, 5);
    fixture_destroy(f);
}

static void page_sizes(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    set(f, PAGEMASK, 0, 0x1fffe000); /* 256 MiB */
    load_entry(f, 0x40000000, 0x12345000, V, 0x80000000, V);
    mips_tlb_write(f->cpu, 0, false);
    expect_physical(f, 0x4fffffff, MODE_USER, 0x1fffffff);
    expect_physical(f, 0x50000004, MODE_USER, 0x80000004);
    /* a mask that is no run of pairs counts up to its first gap */
    set(f, PAGEMASK, 0, 0x1e000 | 0x80000);
    load_entry(f, 0x00100000, 0x00100000, V, 0x00200000, V);
    mips_tlb_write(f->cpu, 1, false);
    expect_physical(f, 0x00110000, MODE_USER, 0x00200000);
    expect_fault(f, 0x00120000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    fixture_destroy(f);
}

static void probe_read_and_invalidate(void **state)
{
    struct fixture *f = fixture_create("mipsel", "P5600");

    set(f, STATUS, 0, 0);
    set(f, PAGEMASK, 0, 0x6000);
    load_entry(f, 0x00408000 | 7, 0x10000, V | D | 3 << 3, 0x14000, V);
    mips_tlb_write(f->cpu, 9, false);
    set(f, ENTRYHI, 0, 0x0040a000 | 7);
    mips_tlb_probe(f->cpu);
    assert_int_equal(get(f, INDEX, 0), 9);
    set(f, ENTRYHI, 0, 0x00410000 | 7);
    mips_tlb_probe(f->cpu);
    assert_int_equal(get(f, INDEX, 0) >> 31, 1);
    set(f, PAGEMASK, 0, 0);
    set(f, INDEX, 0, 9);
    mips_tlb_read(f->cpu);
    assert_int_equal(get(f, ENTRYHI, 0), 0x00408000 | 7);
    assert_int_equal(get(f, 2, 0), 0x10000 >> 6 | V | D | 3 << 3);
    assert_int_equal(get(f, 3, 0), 0x14000 >> 6 | V);
    assert_int_equal(get(f, PAGEMASK, 0), 0x6000);
    /* EHINV: the entry matches nothing and says so */
    set(f, ENTRYHI, 0, 0x00408000 | 7 | ENTRYHI_EHINV);
    mips_tlb_write(f->cpu, 9, false);
    set(f, ENTRYHI, 0, 7);
    expect_fault(f, 0x00408000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    mips_tlb_read(f->cpu);
    assert_int_equal(get(f, ENTRYHI, 0), ENTRYHI_EHINV);
    /* TLBINV spares global entries and other ASIDs, TLBINVF nothing */
    set(f, PAGEMASK, 0, 0);
    load_entry(f, 0x400000 | 1, 0x10000, V, 0x11000, V);
    mips_tlb_write(f->cpu, 0, false);
    load_entry(f, 0x600000 | 1, 0x10000, V | G, 0x11000, V | G);
    mips_tlb_write(f->cpu, 1, false);
    load_entry(f, 0x800000 | 2, 0x10000, V, 0x11000, V);
    mips_tlb_write(f->cpu, 2, false);
    set(f, ENTRYHI, 0, 1);
    mips_tlb_invalidate(f->cpu, false);
    expect_fault(f, 0x400000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    expect_physical(f, 0x600000, MODE_USER, 0x10000);
    set(f, ENTRYHI, 0, 2);
    expect_physical(f, 0x800000, MODE_USER, 0x10000);
    mips_tlb_invalidate(f->cpu, true);
    expect_fault(f, 0x600000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    expect_fault(f, 0x800000, MMU_READ, MODE_USER, MIPS_EXC_TLBL_REFILL);
    fixture_destroy(f);
}

/* The entry for va, by TLBWR as a refill handler does it. */
static void refill(struct fixture *f, uint64_t va, uint64_t physical, unsigned flags)
{
    load_entry(f, (va & ~UINT64_C(0x1fff)) | (f->cpu->cp0.entryhi & 0xff), physical, flags,
               physical + 0x1000, flags);
    mips_tlb_write(f->cpu, mips_random(f->cpu), true);
}

/* How many of the n pairs from va on translate without a refill. */
static unsigned count_translated(struct fixture *f, uint64_t va, unsigned n)
{
    unsigned found = 0;
    uint64_t physical;

    for (unsigned i = 0; i < n; i++)
        found += walk(f, va + i * 0x2000, MMU_READ, MODE_KERNEL, &physical) == 0;
    return found;
}

static void victims(struct fixture *f, uint64_t base)
{
    enum { N = 200, ENTRIES = 16 };
    unsigned victim = 0;
    uint64_t physical;

    for (unsigned i = 0; i < N; i++) {
        refill(f, base + i * 0x2000, 0x100000 + i * 0x2000, V | D);
        assert_int_equal(mmu_load(f->cpu->v.mmu, base + i * 0x2000, 2), 0);
    }
    /* nothing has been flushed, and all that was replaced is still found */
    assert_int_equal(count_translated(f, base, N), N);
    for (unsigned i = 0; i < N; i++)
        assert_true(in_table(f, base + i * 0x2000));
    /* TLBP for one that was replaced: not there, and gone */
    for (unsigned i = 0; i < N; i++) {
        set(f, ENTRYHI, 0, base + i * 0x2000);
        mips_tlb_probe(f->cpu);
        if (f->cpu->cp0.index & INDEX_P) {
            victim = i;
            break;
        }
    }
    assert_int_equal(f->cpu->cp0.index, INDEX_P);
    assert_false(in_table(f, base + victim * 0x2000));
    expect_fault(f, base + victim * 0x2000, MMU_READ, MODE_KERNEL, MIPS_EXC_TLBL_REFILL);
    assert_int_equal(count_translated(f, base, N), N - 1);
    /* another entry for the page of a victim takes its place in every way */
    victim += victim + 1 < N - ENTRIES ? 1 : -1;
    set(f, ENTRYHI, 0, 0);
    refill(f, base + victim * 0x2000, 0x300000, V);
    expect_physical(f, base + victim * 0x2000, MODE_KERNEL, 0x300000);
    expect_fault(f, base + victim * 0x2000, MMU_WRITE, MODE_KERNEL, MIPS_EXC_MOD);
    /* a victim never refuses: that would be a fault that software cannot explain */
    refill(f, base + N * 0x2000, 0x100000, V);
    for (unsigned i = 0;
         i < 200 && walk(f, base + N * 0x2000, MMU_WRITE, MODE_KERNEL, &physical) == MIPS_EXC_MOD;
         i++)
        refill(f, base + (N + 1 + i) * 0x2000, 0x100000, V | D);
    expect_fault(f, base + N * 0x2000, MMU_WRITE, MODE_KERNEL, MIPS_EXC_TLBS_REFILL);
    expect_fault(f, base + N * 0x2000, MMU_READ, MODE_KERNEL, 0);
    /* TLBWI over all entries leaves nothing of them */
    for (unsigned i = 0; i < f->cpu->model->tlb_entries; i++) {
        load_entry(f, 0xffffffffc0000000 + i * 0x2000, 0, 0, 0, 0);
        mips_tlb_write(f->cpu, i, false);
    }
    assert_int_equal(count_translated(f, base, 2 * N), 0);
    for (unsigned i = 0; i < N; i++)
        assert_false(in_table(f, base + i * 0x2000));
    /* TLBR is a look at all */
    for (unsigned i = 0; i < N; i++)
        refill(f, base + i * 0x2000, 0x100000 + i * 0x2000, V | D);
    assert_int_equal(count_translated(f, base, N), N);
    mips_tlb_read(f->cpu);
    assert_true(count_translated(f, base, N) <= f->cpu->model->tlb_entries);
}

static void tlbwr_leaves_victims(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    victims(f, 0x00400000);
    fixture_destroy(f);
    f = fixture_create("mips64el", "MIPS64R2-generic");
    set(f, STATUS, 0, STATUS_KX | STATUS_SX | STATUS_UX);
    victims(f, UINT64_C(0xc000000000400000));
    fixture_destroy(f);
}

static void too_many_victims(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    for (unsigned i = 0; i < 3 * MIPS_MAX_VICTIMS; i++)
        refill(f, 0x00400000 + i * 0x2000, 0x100000, V);
    assert_true(count_translated(f, 0x00400000, 3 * MIPS_MAX_VICTIMS) <= MIPS_MAX_VICTIMS + 16);
    expect_physical(f, 0x00400000 + (3 * MIPS_MAX_VICTIMS - 1) * 0x2000, MODE_USER, 0x100000);
    fixture_destroy(f);
}

static void wired_entries_stay(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    set(f, WIRED, 0, 14);
    for (unsigned i = 0; i < 100; i++) {
        unsigned random = (unsigned)get(f, 1, 0);

        assert_true(random >= 14 && random < 16);
    }
    set(f, WIRED, 0, 15);
    assert_int_equal(get(f, 1, 0), 15);
    fixture_destroy(f);
}

/* What an entry has led to is gone from the software MMU with it, whatever its size and space. */
static void replaced_pages_are_flushed(void **state)
{
    struct fixture *f = fixture_create("mipsel", "24Kc");

    set(f, STATUS, 0, 0);
    set(f, PAGEMASK, 0, 0x7e000); /* 256 KiB */
    load_entry(f, 0x00400000 | 3, 0x100000, V | D | G, 0x140000, V | D | G);
    mips_tlb_write(f->cpu, 0, false);
    for (unsigned asid = 1; asid < 4; asid++) {
        set(f, ENTRYHI, 0, asid);
        for (unsigned i = 0; i < 0x80; i++)
            mmu_load(f->cpu->v.mmu, 0x00400000 + i * 0x1000, 2);
        assert_true(in_table(f, 0x0047f000));
    }
    load_entry(f, 0x00800000, 0, 0, 0, 0);
    mips_tlb_write(f->cpu, 0, false);
    for (unsigned asid = 1; asid < 4; asid++) {
        set(f, ENTRYHI, 0, asid);
        for (unsigned i = 0; i < 0x80; i++)
            assert_false(in_table(f, 0x00400000 + i * 0x1000));
    }
    fixture_destroy(f);
    /* addresses that are not canonical */
    f = fixture_create("mips64", "MIPS64R2-generic");
    set(f, STATUS, 0, STATUS_KX);
    load_entry(f, UINT64_C(0xc000000000400000), 0x100000, V | D, 0x101000, V | D);
    mips_tlb_write(f->cpu, 0, false);
    mmu_store(f->cpu->v.mmu, UINT64_C(0xc000000000401008), 0x1234, 2);
    assert_int_equal(mmu_load(f->cpu->v.mmu, UINT64_C(0xc000000000401008), 2), 0x1234);
    assert_int_equal(mmu_load(f->cpu->v.mmu, UINT64_C(0x9800000000101008), 2), 0x1234);
    assert_true(in_table(f, UINT64_C(0xc000000000401000)));
    assert_true(in_table(f, UINT64_C(0x9800000000101000)));
    load_entry(f, UINT64_C(0xc000000000400000), 0x100000, V | D, 0x102000, V | D);
    mips_tlb_write(f->cpu, 0, false);
    assert_false(in_table(f, UINT64_C(0xc000000000401000)));
    assert_int_equal(mmu_load(f->cpu->v.mmu, UINT64_C(0xc000000000401008), 2), 0);
    fixture_destroy(f);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static void raise_at(struct fixture *f, uint64_t pc, bool slot, unsigned kind, uint64_t address,
                     uint32_t syndrome)
{
    struct exception e = {.kind = kind, .address = address, .syndrome = syndrome};

    f->cpu->v.run.pc = pc;
    f->cpu->delay_slot = slot ? 4 : 0;
    mips_raise(&f->cpu->v, &e);
}

static void every_kind(void **state)
{
    static const struct {
        uint8_t kind, code;
        uint16_t vector;
        bool address, page;
    } kinds[] = {
        {MIPS_EXC_INT, 0, 0x180, false, false},       {MIPS_EXC_MOD, 1, 0x180, true, true},
        {MIPS_EXC_TLBL, 2, 0x180, true, true},        {MIPS_EXC_TLBS, 3, 0x180, true, true},
        {MIPS_EXC_ADEL, 4, 0x180, true, false},       {MIPS_EXC_ADES, 5, 0x180, true, false},
        {MIPS_EXC_IBE, 6, 0x180, false, false},       {MIPS_EXC_DBE, 7, 0x180, false, false},
        {MIPS_EXC_SYS, 8, 0x180, false, false},       {MIPS_EXC_BP, 9, 0x180, false, false},
        {MIPS_EXC_RI, 10, 0x180, false, false},       {MIPS_EXC_CPU, 11, 0x180, false, false},
        {MIPS_EXC_OV, 12, 0x180, false, false},       {MIPS_EXC_TR, 13, 0x180, false, false},
        {MIPS_EXC_MSAFPE, 14, 0x180, false, false},   {MIPS_EXC_FPE, 15, 0x180, false, false},
        {MIPS_EXC_TLBRI, 19, 0x180, true, true},      {MIPS_EXC_TLBXI, 20, 0x180, true, true},
        {MIPS_EXC_MSADIS, 21, 0x180, false, false},   {MIPS_EXC_WATCH, 23, 0x180, false, false},
        {MIPS_EXC_MCHECK, 24, 0x180, false, false},   {MIPS_EXC_DSPDIS, 26, 0x180, false, false},
        {MIPS_EXC_TLBL_REFILL, 2, 0x000, true, true}, {MIPS_EXC_TLBS_REFILL, 3, 0x000, true, true},
    };
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, EBASE, 1, 0x80200000);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (unsigned boot = 0; boot < 2; boot++) {
            uint32_t base = boot ? 0xbfc00200 : 0x80200000;
            bool slot = i & 1;

            set(f, STATUS, 0, 2 << 3 | (boot ? STATUS_BEV : 0)); /* user mode */
            f->cpu->cp0.context = 0xff800000;                    /* PTEBase alone can be written */
            set(f, ENTRYHI, 0, 0x42);
            f->cpu->cp0.badvaddr = 0x55555555;
            assert_true(f->cpu->v.run.key & KEY_USER);
            raise_at(f, 0x00401230, slot, kinds[i].kind, 0x12345678, 3);
            assert_int_equal(f->cpu->v.run.pc, base + kinds[i].vector);
            assert_int_equal(get(f, CAUSE, 0) >> 2 & 0x1f, kinds[i].code);
            assert_int_equal(get(f, CAUSE, 0) >> 31, slot);
            assert_int_equal(get(f, CAUSE, 0) >> 28 & 3, kinds[i].kind == MIPS_EXC_CPU ? 3 : 0);
            assert_int_equal(get(f, EPC, 0), 0x00401230);
            assert_int_equal(get(f, 8, 0), kinds[i].address ? 0x12345678 : 0x55555555);
            assert_int_equal(get(f, ENTRYHI, 0), kinds[i].page ? 0x12344042 : 0x42);
            assert_int_equal(get(f, CONTEXT, 0),
                             kinds[i].page ? 0xff800000 | 0x12344000 >> 9 : 0xff800000);
            assert_int_equal(get(f, STATUS, 0) & STATUS_EXL, STATUS_EXL);
            assert_false(f->cpu->v.run.key & KEY_USER);
            assert_true(f->cpu->v.run.key & KEY_CP0);
            assert_non_null(mips_exception_name(kinds[i].kind));
        }
    }
    fixture_destroy(f);
}

static void exception_within_exception(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    set(f, STATUS, 0, 0);
    raise_at(f, 0x80001000, true, MIPS_EXC_SYS, 0, 0);
    raise_at(f, 0x80002000, false, MIPS_EXC_TLBL_REFILL, 0xc0000000, 0);
    assert_int_equal(f->cpu->v.run.pc, 0x80000180);
    assert_int_equal(get(f, EPC, 0), 0x80001000);
    assert_int_equal(get(f, CAUSE, 0) >> 31, 1);
    assert_int_equal(get(f, CAUSE, 0) >> 2 & 0x1f, 2);
    assert_int_equal(get(f, 8, 0), 0xc0000000);
    fixture_destroy(f);
}

static void refills_of_64_bits(void **state)
{
    struct fixture *f = fixture_create("mips64", "MIPS64R2-generic");
    const uint64_t va = UINT64_C(0xc00000f012345678);

    set(f, STATUS, 0, STATUS_KX);
    set(f, XCONTEXT, 0, ~UINT64_C(0));
    raise_at(f, UINT64_C(0xffffffff80001000), false, MIPS_EXC_TLBL_REFILL, va, 0);
    assert_int_equal(f->cpu->v.run.pc, UINT64_C(0xffffffff80000080));
    assert_int_equal(get(f, 8, 0), va);
    assert_int_equal(get(f, ENTRYHI, 0), UINT64_C(0xc00000f012344000));
    assert_int_equal(get(f, XCONTEXT, 0), ~UINT64_C(0) << 35 | UINT64_C(3) << 33 |
                                              (va >> 13 & ((UINT64_C(1) << 29) - 1)) << 4);
    /* user addresses go by UX */
    set(f, STATUS, 0, STATUS_KX);
    raise_at(f, UINT64_C(0xffffffff80001000), false, MIPS_EXC_TLBS_REFILL, 0x1000, 0);
    assert_int_equal(f->cpu->v.run.pc, UINT64_C(0xffffffff80000000));
    set(f, STATUS, 0, STATUS_UX);
    raise_at(f, UINT64_C(0xffffffff80001000), false, MIPS_EXC_TLBS_REFILL, 0x1000, 0);
    assert_int_equal(f->cpu->v.run.pc, UINT64_C(0xffffffff80000080));
    fixture_destroy(f);
}

static void resets_and_debug(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    assert_int_equal(f->cpu->v.run.pc, 0xbfc00000);
    assert_int_equal(get(f, STATUS, 0), STATUS_BEV | STATUS_ERL);
    set(f, STATUS, 0, 2 << 3);
    raise_at(f, 0x00401000, false, MIPS_EXC_NMI, 0, 0);
    assert_int_equal(f->cpu->v.run.pc, 0xbfc00000);
    assert_int_equal(get(f, 30, 0), 0x00401000);
    assert_int_equal(get(f, STATUS, 0) & (STATUS_BEV | STATUS_ERL | STATUS_NMI | STATUS_SR),
                     STATUS_BEV | STATUS_ERL | STATUS_NMI);
    set(f, STATUS, 0, 2 << 3);
    raise_at(f, 0x00401000, false, MIPS_EXC_SOFT_RESET, 0, 0);
    assert_int_equal(get(f, STATUS, 0) & (STATUS_NMI | STATUS_SR), STATUS_SR);
    /* SDBBP: debug mode, and what happens there */
    set(f, STATUS, 0, 2 << 3);
    raise_at(f, 0x00401000, true, MIPS_EXC_DEBUG_BREAK, 0, 0);
    assert_int_equal(f->cpu->v.run.pc, 0xbfc00480);
    assert_int_equal(get(f, 24, 0), 0x00401000);
    assert_int_equal(get(f, 23, 0) & (DEBUG_DM | DEBUG_DBD | DEBUG_DBP | DEBUG_DSS),
                     DEBUG_DM | DEBUG_DBD | DEBUG_DBP);
    assert_true(f->cpu->v.run.key & KEY_DEBUG);
    assert_true(f->cpu->v.run.key & KEY_CP0);
    assert_int_equal(get(f, STATUS, 0) & STATUS_EXL, 0);
    raise_at(f, 0xbfc00490, false, MIPS_EXC_TLBL_REFILL, 0x1000, 0);
    assert_int_equal(f->cpu->v.run.pc, 0xbfc00480);
    assert_int_equal(get(f, 23, 0) >> 10 & 0x1f, 2);
    fixture_destroy(f);
}

static void bad_instructions(void **state)
{
    struct fixture *f = fixture_create("mips", "P5600");
    bool ok;

    set(f, STATUS, 0, 0);
    memory_store(f->cpu->v.memory, 0x1000, __builtin_bswap32(0x1000fffe), 4, &ok);
    memory_store(f->cpu->v.memory, 0x1004, __builtin_bswap32(0x0000000c), 4, &ok);
    raise_at(f, 0x80001000, true, MIPS_EXC_SYS, 0, 0);
    assert_int_equal(get(f, 8, 1), 0x0000000c);
    assert_int_equal(get(f, 8, 2), 0x1000fffe);
    fixture_destroy(f);
}

/* The slot's aux makes run.pc the branch. */
static void restoring_in_a_slot(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");

    mips_restore(&f->cpu->v, 0x80001004, 4);
    assert_int_equal(f->cpu->v.run.pc, 0x80001000);
    assert_int_equal(f->cpu->delay_slot, 4);
    mips_restore(&f->cpu->v, 0x80001004, 0);
    assert_int_equal(f->cpu->v.run.pc, 0x80001004);
    assert_false(f->cpu->delay_slot);
    fixture_destroy(f);
}

/* ---- interrupts, the timer ------------------------------------------------------------------- */

static void interrupts(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");
    struct vcpu *v = &f->cpu->v;

    set(f, STATUS, 0, STATUS_IE | 0x0400);
    assert_false(mips_take_interrupt(v));
    f->cpu->irq_lines = 1 << 3; /* IP3 is masked */
    assert_int_equal(get(f, CAUSE, 0) & 0xff00, 0x0800);
    assert_false(mips_take_interrupt(v));
    assert_false(mips_has_work(v));
    f->cpu->irq_lines = 1 << 2;
    assert_true(mips_has_work(v));
    set(f, STATUS, 0, STATUS_IE | STATUS_EXL | 0x0400);
    assert_false(mips_take_interrupt(v));
    set(f, STATUS, 0, STATUS_IE | STATUS_ERL | 0x0400);
    assert_false(mips_take_interrupt(v));
    set(f, STATUS, 0, 0x0400);
    assert_false(mips_take_interrupt(v));
    v->run.exit_request = 0;
    set(f, STATUS, 0, STATUS_IE | 0x0400);
    assert_int_equal(v->run.exit_request, 1); /* it is noticed at the next poll */
    v->run.pc = 0x80001000;
    assert_true(mips_take_interrupt(v));
    assert_int_equal(v->run.pc, 0x80000180);
    assert_int_equal(get(f, CAUSE, 0) & 0xff7c, 0x0400);
    /* software interrupts; the vector that IV asks for */
    f->cpu->irq_lines = 0;
    set(f, CAUSE, 0, CAUSE_IV | 0x200);
    set(f, STATUS, 0, STATUS_IE | 0x0200);
    assert_true(mips_take_interrupt(v));
    assert_int_equal(v->run.pc, 0x80000200);
    fixture_destroy(f);
    /* vectors of their own */
    f = fixture_create("mips", "P5600");
    v = &f->cpu->v;
    set(f, 12, 1, 1 << 5);
    set(f, CAUSE, 0, CAUSE_IV);
    set(f, STATUS, 0, STATUS_IE | 0xff00);
    f->cpu->irq_lines = 1 << 2 | 1 << 5;
    assert_true(mips_take_interrupt(v));
    assert_int_equal(v->run.pc, 0x80000200 + 5 * 0x20);
    fixture_destroy(f);
}

static void count_and_compare(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kc");
    struct clock *clock = f->cpu->v.clock;
    uint32_t count;

    set(f, STATUS, 0, STATUS_IE | 0x8000);
    set(f, COUNT, 0, 0xfffffff0); /* it wraps */
    set(f, COMPARE, 0, 0x10);
    clock_advance(clock, 199); /* 160 MHz: 32 steps take 200 ns */
    assert_int_equal(get(f, COUNT, 0), 0xf);
    assert_false(f->timer_level);
    clock_advance(clock, 1);
    assert_int_equal(get(f, COUNT, 0), 0x10);
    assert_true(f->timer_level);
    assert_int_equal(get(f, CAUSE, 0) & (CAUSE_TI | 0xff00), CAUSE_TI | 0x8000);
    assert_true(mips_interrupt_ready(f->cpu));
    set(f, COMPARE, 0, 0x10); /* acknowledged; equal now is not equal next */
    assert_false(f->timer_level);
    assert_int_equal(get(f, CAUSE, 0) & (CAUSE_TI | 0xff00), 0);
    clock_advance(clock, INT64_C(26843545600)); /* 2^32 steps */
    assert_true(f->timer_level);
    /* Cause.DC */
    set(f, CAUSE, 0, CAUSE_DC);
    count = (uint32_t)get(f, COUNT, 0);
    clock_advance(clock, 1000);
    assert_int_equal(get(f, COUNT, 0), count);
    set(f, CAUSE, 0, 0);
    clock_advance(clock, 1000);
    assert_int_equal(get(f, COUNT, 0), count + 160);
    fixture_destroy(f);
}

/* Sets Compare a little ahead and waits until Count has passed it. */
static uint32_t let_timer_come(struct fixture *f)
{
    uint32_t compare = (uint32_t)get(f, COUNT, 0) + 1600;

    set(f, COMPARE, 0, compare);
    while ((int32_t)((uint32_t)get(f, COUNT, 0) - compare) < 0)
        continue;
    return compare;
}

/* Cause shows a timer that has come, be the clock's thread ever so late: here there is none. */
static void timer_seen_in_cause(void **state)
{
    static const char *const models[] = {"24Kc", "4Kc"}; /* with Cause.TI and without */

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        struct fixture *f = fixture_with_clock("mips", models[i], clock_create());
        uint32_t shown = 0x8000 | (i ? 0 : CAUSE_TI), compare;

        set(f, STATUS, 0, STATUS_IE | 0x8000);
        compare = let_timer_come(f);
        assert_int_equal(get(f, CAUSE, 0) & (CAUSE_TI | 0xff00), shown);
        assert_true(f->timer_level);
        assert_true(mips_interrupt_ready(f->cpu));
        set(f, COMPARE, 0, compare);
        assert_int_equal(get(f, CAUSE, 0) & (CAUSE_TI | 0xff00), 0);
        assert_false(f->timer_level);
        let_timer_come(f);
        set(f, COUNT, 0, 0); /* what has come is not lost */
        assert_int_equal(get(f, CAUSE, 0) & (CAUSE_TI | 0xff00), shown);
        fixture_destroy(f);
    }
}

static void note_expiry(void *expired)
{
    *(bool *)expired = true;
}

/* A guest that watches the time does not see it pass what a device's timer is set to. */
static void reading_time_runs_timers(void **state)
{
    struct fixture *f = fixture_with_clock("mips", "24Kc", clock_create());
    struct clock *clock = f->cpu->v.clock;
    struct timer timer;
    bool expired = false;

    timer_init(&timer, clock, note_expiry, &expired);
    timer_set(&timer, clock_now_ns(clock) + 1000000);
    get(f, COUNT, 0);
    assert_false(expired);
    while (clock_now_ns(clock) < timer.deadline_ns) /* TIME_NEVER once it has expired */
        continue;
    pthread_mutex_lock(&f->lock); /* as whoever reads on behalf of a device */
    get(f, COUNT, 0);
    pthread_mutex_unlock(&f->lock);
    assert_false(expired);
    while (!expired && clock_now_ns(clock) < INT64_C(10000000000))
        get(f, COUNT, 0);
    assert_true(expired);
    timer_cancel(&timer);
    fixture_destroy(f);
}

/* ---- registers and the key ------------------------------------------------------------------- */

static void registers(void **state)
{
    struct fixture *f = fixture_create("mips", "24Kf");

    assert_int_equal(get(f, 15, 0), 0x00019300);
    assert_int_equal(get(f, CONFIG, 0), 0x80008482); /* big-endian, release 2, TLB */
    assert_int_equal(get(f, CONFIG, 1) >> 25 & 0x3f, 15);
    set(f, CONFIG, 0, 3);
    assert_int_equal(get(f, CONFIG, 0), 0x80008483);
    set(f, INDEX, 0, 0xff);
    assert_int_equal(get(f, INDEX, 0), 0xf);
    set(f, EBASE, 1, 0xffffffff);
    assert_int_equal(get(f, EBASE, 1), 0xbffff000);
    set(f, PAGEMASK, 0, 0xffffffff);
    assert_int_equal(get(f, PAGEMASK, 0), 0x1fffe000);
    set(f, ENTRYHI, 0, 0xffffffff);
    assert_int_equal(get(f, ENTRYHI, 0), 0xffffe0ff);
    set(f, 2, 0, 0xffffffff);
    assert_int_equal(get(f, 2, 0), 0x03ffffff); /* no RI, XI; 32 address bits */
    set(f, 12, 1, 0xffffffff);
    assert_int_equal(get(f, 12, 1), 0xfc0003e0);
    set(f, STATUS, 0, 3 << 3); /* a mode that is reserved */
    assert_int_equal(get(f, STATUS, 0) & STATUS_KSU, 0);
    /* none of these is here */
    set(f, 31, 2, 1);
    set(f, 4, 2, 1);
    set(f, 22, 3, 1);
    assert_int_equal(get(f, 31, 2) | get(f, 4, 2) | get(f, 22, 3), 0);
    fixture_destroy(f);
    f = fixture_create("mipsel", "P5600");
    assert_int_equal(get(f, CONFIG, 0) & CONFIG0_BE, 0);
    set(f, 31, 2, 0x1234);
    assert_int_equal(get(f, 31, 2), 0x1234);
    set(f, 4, 2, 0x5678);
    assert_int_equal(get(f, 4, 2), 0x5678);
    set(f, EBASE, 1, 0x12345800); /* WG */
    assert_int_equal(get(f, EBASE, 1), 0x12345800);
    set(f, 2, 0, 0xffffffff);
    assert_int_equal(get(f, 2, 0), 0xffffffff);
    set(f, 17, 2, 0x3f);
    assert_int_equal(get(f, 17, 2), 7);
    f->cpu->ll_valid = 1;
    assert_int_equal(get(f, 17, 0) & 1, 1);
    set(f, 17, 0, 0);
    assert_int_equal(f->cpu->ll_valid, 0);
    fixture_destroy(f);
}

static uint32_t key_with(struct fixture *f, uint32_t status)
{
    set(f, STATUS, 0, status);
    return f->cpu->v.run.key;
}

static void keys(void **state)
{
    enum { USER = 2 << 3, SUPERVISOR = 1 << 3 };
    struct fixture *f = fixture_create("mips", "34Kf");

    assert_true(key_with(f, 0) & KEY_CP0);
    assert_int_equal(key_with(f, USER) & (KEY_USER | KEY_SUPERVISOR | KEY_CP0), KEY_USER);
    assert_int_equal(key_with(f, USER | STATUS_EXL) & (KEY_USER | KEY_CP0), KEY_CP0);
    assert_int_equal(key_with(f, USER | STATUS_ERL) & (KEY_USER | KEY_CP0), KEY_CP0);
    assert_int_equal(key_with(f, USER | STATUS_CU0) & (KEY_USER | KEY_CP0), KEY_USER | KEY_CP0);
    assert_int_equal(key_with(f, SUPERVISOR) & (KEY_USER | KEY_SUPERVISOR | KEY_CP0),
                     KEY_SUPERVISOR);
    assert_int_equal(key_with(f, STATUS_CU1) & (KEY_FPU | KEY_FR | KEY_DSP), KEY_FPU);
    assert_int_equal(key_with(f, STATUS_CU1 | STATUS_FR | STATUS_MX) & (KEY_FPU | KEY_FR | KEY_DSP),
                     KEY_FPU | KEY_FR | KEY_DSP);
    assert_int_equal(key_with(f, 0) & (KEY_64BIT | KEY_ADDRESS32 | KEY_MSA), 0);
    fixture_destroy(f);
    f = fixture_create("mips64", "MIPS64R2-generic");
    assert_int_equal(key_with(f, 0) & (KEY_64BIT | KEY_ADDRESS32), KEY_64BIT);
    assert_int_equal(key_with(f, USER) & (KEY_64BIT | KEY_ADDRESS32), KEY_ADDRESS32);
    assert_int_equal(key_with(f, USER | STATUS_PX) & (KEY_64BIT | KEY_ADDRESS32),
                     KEY_64BIT | KEY_ADDRESS32);
    assert_int_equal(key_with(f, USER | STATUS_UX) & (KEY_64BIT | KEY_ADDRESS32), KEY_64BIT);
    fixture_destroy(f);
    f = fixture_create("mipsel", "P5600");
    assert_false(key_with(f, USER) & (KEY_USERLOCAL | KEY_MSA));
    set(f, HWRENA, 0, HWRENA_ULR);
    assert_true(f->cpu->v.run.key & KEY_USERLOCAL);
    set(f, CONFIG, 5, CONFIG5_MSAEN);
    assert_true(f->cpu->v.run.key & KEY_MSA);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_of_32_bits),
        cmocka_unit_test(segments_under_control),
        cmocka_unit_test(segments_of_64_bits),
        cmocka_unit_test(fixed_mapping),
        cmocka_unit_test(tlb_permissions),
        cmocka_unit_test(address_spaces),
        cmocka_unit_test(page_sizes),
        cmocka_unit_test(probe_read_and_invalidate),
        cmocka_unit_test(tlbwr_leaves_victims),
        cmocka_unit_test(too_many_victims),
        cmocka_unit_test(wired_entries_stay),
        cmocka_unit_test(replaced_pages_are_flushed),
        cmocka_unit_test(every_kind),
        cmocka_unit_test(exception_within_exception),
        cmocka_unit_test(refills_of_64_bits),
        cmocka_unit_test(resets_and_debug),
        cmocka_unit_test(bad_instructions),
        cmocka_unit_test(restoring_in_a_slot),
        cmocka_unit_test(interrupts),
        cmocka_unit_test(count_and_compare),
        cmocka_unit_test(timer_seen_in_cause),
        cmocka_unit_test(reading_time_runs_timers),
        cmocka_unit_test(registers),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
