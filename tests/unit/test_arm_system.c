/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ARM guest's system side without translated code: table walks over hand-made tables, modes and
 * banks, exception entry and return, coprocessor access rights, address spaces, timers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frontend/arm/system.h"
#include "frontend/arm/translate.h"

enum { RAM = 0x40000000, RAM_BYTES = 32 << 20, L1 = RAM, L2 = RAM + 0x8000, LPAE = RAM + 0x10000 };

struct fixture {
    struct arm_cpu *cpu;
    pthread_mutex_t lock;
    struct irq irq[ARM_N_IRQ_OUT];
    bool level[ARM_N_IRQ_OUT];
};

static void irq_changed(void *receiver, unsigned line, bool level)
{
    ((struct fixture *)receiver)->level[line] = level;
}

static struct fixture *fixture_create(const char *model)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct arm_cpu *cpu;
    size_t size = align_up(sizeof(*cpu), 64);
    struct error err;

    memory_lock_init(&f->lock);
    cpu = f->cpu = aligned_alloc(64, size);
    memset(cpu, 0, size);
    for (const struct cpu_model *m = arm_models; m->name; m++)
        if (!strcmp(m->name, model))
            cpu->v.model = m;
    assert_non_null(cpu->v.model);
    cpu->v.clock = clock_create_manual();
    cpu->v.device_lock = &f->lock;
    cpu->v.memory = memory_create(&f->lock, &err);
    assert_non_null(cpu->v.memory);
    assert_non_null(memory_add_ram(cpu->v.memory, "ram", RAM, RAM_BYTES, &err));
    cpu->v.mmu = mmu_create(cpu->v.memory, &cpu->v.run, &arm_mmu_client, false, &err);
    assert_non_null(cpu->v.mmu);
    for (unsigned i = 0; i < ARM_N_IRQ_OUT; i++)
        f->irq[i] = (struct irq){irq_changed, f, i};
    cpu->v.irq_out = f->irq;
    assert_true(arm_init(&cpu->v, &err));
    arm_reset(&cpu->v);
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    arm_finish(&f->cpu->v);
    mmu_destroy(f->cpu->v.mmu);
    memory_destroy(f->cpu->v.memory);
    clock_destroy(f->cpu->v.clock);
    pthread_mutex_destroy(&f->lock);
    free(f->cpu);
    free(f);
}

static void poke32(struct fixture *f, uint32_t address, uint32_t value)
{
    bool ok;
    memory_store(f->cpu->v.memory, address, value, 4, &ok);
    assert_true(ok);
}

static void poke64(struct fixture *f, uint32_t address, uint64_t value)
{
    bool ok;
    memory_store(f->cpu->v.memory, address, value, 8, &ok);
    assert_true(ok);
}

static bool reg_write(struct fixture *f, unsigned opc1, unsigned crn, unsigned crm, unsigned opc2,
                      uint32_t value)
{
    uint64_t v = value;
    bool privileged = (f->cpu->cpsr & CPSR_M) != MODE_USR;
    return arm_coproc_access(f->cpu, false, false, 15, opc1, crn, crm, opc2, privileged, &v);
}

static uint32_t reg_read(struct fixture *f, unsigned opc1, unsigned crn, unsigned crm,
                         unsigned opc2)
{
    uint64_t v = 0;
    bool privileged = (f->cpu->cpsr & CPSR_M) != MODE_USR;
    assert_true(arm_coproc_access(f->cpu, true, false, 15, opc1, crn, crm, opc2, privileged, &v));
    return (uint32_t)v;
}

static void set_sctlr(struct fixture *f, uint32_t set, uint32_t clear)
{
    assert_true(reg_write(f, 0, 1, 0, 0, (f->cpu->cp15.sctlr | set) & ~clear));
}

static struct arm_walk walk(struct fixture *f, uint32_t va, bool user)
{
    struct arm_walk w = {.va = va, .user = user};
    arm_walk_table(f->cpu, &w);
    return w;
}

static void expect_fault(struct fixture *f, uint32_t va, unsigned fault, unsigned level)
{
    struct arm_walk w = walk(f, va, false);
    assert_int_equal(w.fault, fault);
    assert_int_equal(w.level, level);
}

/* ---- table walks --------------------------------------------------------------------------------
 */

static void mmu_off_is_flat(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct arm_walk w = walk(f, 0xdeadb123, true);

    assert_int_equal(w.physical, 0xdeadb123);
    assert_int_equal(w.perm, PERM_R | PERM_W | PERM_X);
    assert_true(f->cpu->v.run.key & KEY_ALIGN);
    fixture_destroy(f);
}

static void short_on(struct fixture *f)
{
    assert_true(reg_write(f, 0, 2, 0, 0, L1));
    assert_true(reg_write(f, 0, 3, 0, 0, 0x55555555));
    set_sctlr(f, SCTLR_M, 0);
}

static void short_sizes(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct arm_walk w;

    short_on(f);
    poke32(f, L1 + 4 * 0x001, 0x80100000 | 3 << 10 | 2); /* section */
    poke32(f, L1 + 4 * 0x105, 0x71000000 | 1 << 18 | 0x00500000 | 9 << 5 | 3 << 10 | 2);
    poke32(f, L1 + 4 * 0x002, L2 | 5 << 5 | 1);        /* table, domain 5 */
    poke32(f, L2 + 4 * 0x10, 0x12340000 | 3 << 4 | 1); /* large page */
    poke32(f, L2 + 4 * 0x20, 0x56789000 | 3 << 4 | 2); /* small page */
    w = walk(f, 0x00123456, true);
    assert_int_equal(w.fault, FAULT_NONE);
    assert_int_equal(w.physical, 0x80123456);
    assert_int_equal(w.block_size, 1 << 20);
    assert_int_equal(w.perm, 7);
    w = walk(f, 0x10512345, true);
    assert_true(w.supersection);
    assert_true(w.physical == UINT64_C(0x9571512345));
    assert_int_equal(w.block_size, 16 << 20);
    w = walk(f, 0x00210abc, true);
    assert_int_equal(w.physical, 0x12340abc);
    assert_int_equal(w.block_size, 64 << 10);
    assert_int_equal(w.domain, 5);
    w = walk(f, 0x00220abc, true);
    assert_int_equal(w.physical, 0x56789abc);
    assert_int_equal(w.block_size, 4 << 10);
    expect_fault(f, 0x00300000, FAULT_TRANSLATION, 1);
    expect_fault(f, 0x00230000, FAULT_TRANSLATION, 2);
    poke32(f, L1 + 4 * 0x003, 0x10000000 | 1);
    expect_fault(f, 0x00300000, FAULT_WALK_EXTERNAL, 2);
    assert_true(reg_write(f, 0, 2, 0, 0, 0x10000000));
    expect_fault(f, 0x00300000, FAULT_WALK_EXTERNAL, 1);
    fixture_destroy(f);
}

static void short_permissions(void **state)
{
    static const struct {
        uint8_t ap, privileged, user;
    } cases[] = {{0, 0, 0}, {1, 3, 0}, {2, 3, 1}, {3, 3, 3}, {5, 1, 0}, {6, 1, 1}, {7, 1, 1}};
    struct fixture *f = fixture_create("cortex-a9");

    short_on(f);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t ap = (uint32_t)(cases[i].ap & 3) << 10 | (uint32_t)(cases[i].ap >> 2) << 15;

        poke32(f, L1 + 4, ap | 2);
        assert_int_equal(walk(f, 0x100000, false).perm & 3, cases[i].privileged);
        assert_int_equal(walk(f, 0x100000, true).perm & 3, cases[i].user);
        assert_int_equal((walk(f, 0x100000, true).perm & PERM_X) != 0, cases[i].user & 1);
        poke32(f, L1 + 4, ap | 1 << 4 | 2);
        assert_int_equal(walk(f, 0x100000, false).perm, cases[i].privileged);
    }
    /* access flag: AP[0] */
    set_sctlr(f, SCTLR_AFE, 0);
    poke32(f, L1 + 4, 2 << 10 | 2);
    expect_fault(f, 0x100000, FAULT_ACCESS_FLAG, 1);
    poke32(f, L1 + 4, 3 << 10 | 2);
    assert_int_equal(walk(f, 0x100000, true).perm & 3, 3);
    poke32(f, L1 + 4, 1 << 10 | 2);
    assert_int_equal(walk(f, 0x100000, true).perm & 3, 0);
    assert_int_equal(walk(f, 0x100000, false).perm & 3, 3);
    set_sctlr(f, 0, SCTLR_AFE);
    /* domains: none, client, reserved, manager */
    poke32(f, L1 + 4, 2 << 5 | 1 << 4 | 2);
    assert_true(reg_write(f, 0, 3, 0, 0, 0));
    expect_fault(f, 0x100000, FAULT_DOMAIN, 1);
    assert_true(reg_write(f, 0, 3, 0, 0, 2 << 4));
    expect_fault(f, 0x100000, FAULT_DOMAIN, 1);
    assert_true(reg_write(f, 0, 3, 0, 0, 3 << 4));
    assert_int_equal(walk(f, 0x100000, true).perm, 7);
    /* no PXN on the A9: type 3 is reserved */
    poke32(f, L1 + 4, 3 << 10 | 3);
    expect_fault(f, 0x100000, FAULT_TRANSLATION, 1);
    fixture_destroy(f);
}

static void short_execute(void **state)
{
    struct fixture *f = fixture_create("cortex-a7");

    short_on(f);
    poke32(f, L1 + 4, 3 << 10 | 3); /* PXN */
    assert_int_equal(walk(f, 0x100000, true).perm, 7);
    assert_int_equal(walk(f, 0x100000, false).perm, 3);
    set_sctlr(f, SCTLR_UWXN, 0);
    poke32(f, L1 + 4, 3 << 10 | 2);
    assert_int_equal(walk(f, 0x100000, true).perm, 7);
    assert_int_equal(walk(f, 0x100000, false).perm, 3);
    set_sctlr(f, SCTLR_WXN, SCTLR_UWXN);
    assert_int_equal(walk(f, 0x100000, true).perm, 3);
    poke32(f, L1 + 4, 1 << 15 | 3 << 10 | 2);
    assert_int_equal(walk(f, 0x100000, true).perm, 5);
    fixture_destroy(f);
}

static void short_split(void **state)
{
    struct fixture *f = fixture_create("cortex-a9");

    short_on(f);
    assert_true(reg_write(f, 0, 2, 0, 1, RAM + 0x4000)); /* TTBR1 */
    poke32(f, L1 + 4 * 0x001, 0x00100000 | 3 << 10 | 2);
    poke32(f, RAM + 0x4000 + 4 * 0xc00, 0x40000000 | 3 << 10 | 2);
    assert_true(reg_write(f, 0, 2, 0, 2, 2)); /* N = 2: below 1 GB TTBR0 */
    assert_int_equal(walk(f, 0x00100000, false).fault, FAULT_NONE);
    assert_int_equal(walk(f, 0xc0000123, false).physical, 0x40000123);
    assert_true(reg_write(f, 0, 2, 0, 2, 2 | TTBCR_PD1));
    expect_fault(f, 0xc0000123, FAULT_TRANSLATION, 1);
    assert_true(reg_write(f, 0, 2, 0, 2, 2 | TTBCR_PD0));
    expect_fault(f, 0x00100000, FAULT_TRANSLATION, 1);
    /* the table's alignment shrinks with N */
    poke32(f, L1 + 0x1000 + 4, 0x00700000 | 3 << 10 | 2);
    assert_true(reg_write(f, 0, 2, 0, 2, 2));
    assert_true(reg_write(f, 0, 2, 0, 0, L1 + 0x1000));
    assert_int_equal(walk(f, 0x00100000, false).physical, 0x00700000);
    fixture_destroy(f);
}

static void short_attributes(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint32_t section = 3 << 10 | 2;

    short_on(f);
    poke32(f, L1 + 4, section);
    assert_true(arm_memory_is_device(walk(f, 0x100000, false).memory));
    poke32(f, L1 + 4, section | 1 << 2);
    assert_int_equal(walk(f, 0x100000, false).memory, 0x04);
    poke32(f, L1 + 4, section | 1 << 12);
    assert_int_equal(walk(f, 0x100000, false).memory, 0x44);
    poke32(f, L1 + 4, section | 1 << 12 | 3 << 2 | 1 << 16);
    assert_int_equal(walk(f, 0x100000, false).memory, 0xff);
    assert_int_equal(walk(f, 0x100000, false).share, 2);
    /* TEX remap with Linux's PRRR and NMRR: 0 SO, 1 bufferable Normal, 4 Device, 7 write-back */
    assert_true(reg_write(f, 0, 10, 2, 0, 0xff0a81a8));
    assert_true(reg_write(f, 0, 10, 2, 1, 0x40e040e0));
    set_sctlr(f, SCTLR_TRE, 0);
    poke32(f, L1 + 4, section);
    assert_int_equal(walk(f, 0x100000, false).memory, 0x00);
    poke32(f, L1 + 4, section | 1 << 2);
    assert_int_equal(walk(f, 0x100000, false).memory, 0x44);
    poke32(f, L1 + 4, section | 1 << 12);
    assert_int_equal(walk(f, 0x100000, false).memory, 0x04);
    poke32(f, L1 + 4, section | 1 << 12 | 3 << 2 | 1 << 16);
    assert_int_equal(walk(f, 0x100000, false).memory, 0xff);
    assert_int_equal(walk(f, 0x100000, false).share, 3);
    fixture_destroy(f);
}

static void short_big_endian(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");

    short_on(f);
    poke32(f, L1 + 4, __builtin_bswap32(0x80100000 | 3 << 10 | 2));
    set_sctlr(f, SCTLR_EE, 0);
    assert_int_equal(walk(f, 0x00123456, true).physical, 0x80123456);
    fixture_destroy(f);
}

static void long_on(struct fixture *f, uint32_t ttbcr)
{
    uint64_t ttbr0 = LPAE, ttbr1 = LPAE + 0x1000;

    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | ttbcr));
    assert_true(arm_coproc_access(f->cpu, false, true, 15, 0, 0, 2, 0, true, &ttbr0));
    assert_true(arm_coproc_access(f->cpu, false, true, 15, 1, 0, 2, 0, true, &ttbr1));
    assert_true(reg_write(f, 0, 10, 2, 0, 0x0000ff44 | 0x04u << 16)); /* MAIR0: NC WB Dev SO */
    set_sctlr(f, SCTLR_M, 0);
}

static void long_sizes(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint32_t second = LPAE + 0x2000, third = LPAE + 0x3000;
    struct arm_walk w;

    long_on(f, 0);
    poke64(f, LPAE + 0, UINT64_C(0x8140000000) | 1 << 10 | 1 << 6 | 1 << 2 | 1);
    poke64(f, LPAE + 8, second | 3);
    poke64(f, second + 8 * 3, 0x80600000 | 1 << 10 | 2 << 2 | 1);
    poke64(f, second + 8 * 4, third | 3);
    poke64(f, third + 8 * 5, 0x12345000 | 1 << 10 | 1 << 7 | 1 << 6 | 3 << 8 | 3 | 1ull << 52);
    poke64(f, third + 8 * 6, 0x12345000 | 1 << 10 | 1);
    w = walk(f, 0x12345678, true);
    assert_true(w.physical == UINT64_C(0x8152345678));
    assert_int_equal(w.block_size, 1 << 30);
    assert_int_equal(w.memory, 0xff);
    assert_int_equal(w.perm, 7);
    w = walk(f, 0x40612345, false);
    assert_int_equal(w.physical, 0x80612345);
    assert_int_equal(w.block_size, 2 << 20);
    assert_true(arm_memory_is_device(w.memory));
    assert_int_equal(walk(f, 0x40612345, true).perm, 0);
    w = walk(f, 0x40805abc, true);
    assert_int_equal(w.physical, 0x12345abc);
    assert_int_equal(w.perm, PERM_R | PERM_X);
    assert_int_equal(w.share, 3);
    expect_fault(f, 0x40806000, FAULT_TRANSLATION, 3); /* reserved encoding */
    expect_fault(f, 0x40807000, FAULT_TRANSLATION, 3);
    expect_fault(f, 0x40a00000, FAULT_TRANSLATION, 2);
    expect_fault(f, 0x80000000, FAULT_TRANSLATION, 1);
    poke64(f, third + 8 * 5, 0x12345000 | 3);
    expect_fault(f, 0x40805000, FAULT_ACCESS_FLAG, 3);
    fixture_destroy(f);
}

static void long_hierarchy(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint32_t second = LPAE + 0x2000;
    uint64_t block = 0x80000000u | 1 << 10 | 1 << 6 | 1 << 2 | 1;

    long_on(f, 0);
    poke64(f, second, block);
    poke64(f, LPAE, second | 3ull | 1ull << 62); /* APTable: read-only */
    assert_int_equal(walk(f, 0, true).perm, PERM_R | PERM_X);
    assert_int_equal(walk(f, 0, false).perm, PERM_R | PERM_X);
    poke64(f, LPAE, second | 3ull | 1ull << 61); /* no user access */
    assert_int_equal(walk(f, 0, true).perm, 0);
    assert_int_equal(walk(f, 0, false).perm, 7);
    poke64(f, LPAE, second | 3ull | 1ull << 60); /* XNTable */
    assert_int_equal(walk(f, 0, false).perm, 3);
    poke64(f, LPAE, second | 3ull | 1ull << 59); /* PXNTable */
    assert_int_equal(walk(f, 0, false).perm, 3);
    assert_int_equal(walk(f, 0, true).perm, 7);
    poke64(f, LPAE, second | 3ull);
    poke64(f, second, block | 1ull << 54);
    assert_int_equal(walk(f, 0, true).perm, 3);
    poke64(f, second, block | 1ull << 53);
    assert_int_equal(walk(f, 0, true).perm, 7);
    assert_int_equal(walk(f, 0, false).perm, 3);
    fixture_destroy(f);
}

static void long_split(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint64_t block = 1 << 10 | 1 << 6 | 1 << 2 | 1;

    /* T0SZ = 0, T1SZ = 1: TTBR1 from 2 GB, its table has two entries */
    long_on(f, 1 << 16);
    poke64(f, LPAE + 8, 0x40000000 | block);
    poke64(f, LPAE + 0x1000 + 0, 0x80000000 | block);
    assert_int_equal(walk(f, 0x40000010, false).physical, 0x40000010);
    assert_int_equal(walk(f, 0x80000010, false).physical, 0x80000010);
    /* T0SZ = 2, T1SZ = 2: second-level tables, a hole between */
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | 2 << 16 | 2));
    poke64(f, LPAE + 8 * 2, 0x00400000 | block);
    poke64(f, LPAE + 0x1000 + 8 * 511, 0x3fe00000 | block);
    assert_int_equal(walk(f, 0x00400020, false).physical, 0x00400020);
    assert_int_equal(walk(f, 0xffe00030, false).physical, 0x3fe00030);
    expect_fault(f, 0x40000000, FAULT_TRANSLATION, 1);
    expect_fault(f, 0xbfffffff, FAULT_TRANSLATION, 1);
    /* T0SZ = 1, T1SZ = 0: everything from 2 GB is TTBR1's */
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | 1));
    poke64(f, LPAE + 0x1000 + 8 * 3, 0xc0000000 | block);
    assert_int_equal(walk(f, 0xc0000040, false).physical, 0xc0000040);
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | 1 | TTBCR_EPD1));
    expect_fault(f, 0xc0000040, FAULT_TRANSLATION, 1);
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | 1 | TTBCR_EPD0));
    expect_fault(f, 0x40000000, FAULT_TRANSLATION, 1);
    fixture_destroy(f);
}

static void fault_codes(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");

    assert_int_equal(arm_fault_status(f->cpu, FAULT_ALIGNMENT, 0, 0), 0x001);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_TRANSLATION, 1, 0), 0x005);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_TRANSLATION, 2, 3), 0x037);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_ACCESS_FLAG, 1, 0), 0x003);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_DOMAIN, 2, 1), 0x01b);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_PERMISSION, 1, 0), 0x00d);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_WALK_EXTERNAL, 1, 0), 0x00c);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_EXTERNAL, 1, 0), 0x008);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_DEBUG, 0, 0), 0x002);
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE));
    assert_int_equal(arm_fault_status(f->cpu, FAULT_ALIGNMENT, 0, 0), 0x221);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_TRANSLATION, 3, 0), 0x207);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_ACCESS_FLAG, 2, 0), 0x20a);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_PERMISSION, 1, 0), 0x20d);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_WALK_EXTERNAL, 2, 0), 0x216);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_EXTERNAL, 0, 0), 0x210);
    assert_int_equal(arm_fault_status(f->cpu, FAULT_DEBUG, 0, 0), 0x222);
    fixture_destroy(f);
}

static void address_translation(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint64_t par;

    short_on(f);
    poke32(f, L1 + 4, 0x80100000 | 1 << 10 | 1 << 12 | 3 << 2 | 1 << 16 | 2);
    assert_true(reg_write(f, 0, 7, 8, 0, 0x00123456)); /* ATS1CPR */
    assert_int_equal(reg_read(f, 0, 7, 4, 0), 0x80123000 | 1 << 7 | 5 << 4 | 1 << 2);
    assert_true(reg_write(f, 0, 7, 8, 2, 0x00123456)); /* ATS1CUR: no user access */
    assert_int_equal(reg_read(f, 0, 7, 4, 0), 1 | 0xd << 1);
    assert_true(reg_write(f, 0, 7, 8, 1, 0x00323456));
    assert_int_equal(reg_read(f, 0, 7, 4, 0), 1 | 0x5 << 1);
    set_sctlr(f, 0, SCTLR_M);
    long_on(f, 0);
    poke64(f, LPAE, 0x40000000 | 1 << 10 | 1 << 7 | 1 << 2 | 3 << 8 | 1);
    assert_true(reg_write(f, 0, 7, 8, 0, 0x00123456));
    assert_true(arm_coproc_access(f->cpu, true, true, 15, 0, 0, 7, 0, true, &par));
    assert_true(par == (UINT64_C(0xff) << 56 | 0x40123000 | 1 << 11 | 3 << 7));
    assert_true(reg_write(f, 0, 7, 8, 1, 0x00123456)); /* read-only */
    assert_int_equal(reg_read(f, 0, 7, 4, 0), 1 | 0xd << 1 | 1 << 11);
    fixture_destroy(f);
}

/* ---- address spaces -------------------------------------------------------------------------- */

static bool can_read(struct fixture *f, uint32_t va, uint32_t *value)
{
    return mmu_peek(f->cpu->v.mmu, va, value, 4, false);
}

static bool in_tlb(struct fixture *f, uint32_t va)
{
    const uint64_t *table = (const uint64_t *)(const void *)(f->cpu->v.run.tlb + TLB_READ);
    return table[va >> TLB_PAGE_BITS] != 0;
}

static void spaces_follow_asid(void **state)
{
    struct fixture *f = fixture_create("cortex-a9");
    uint8_t *first;
    uint32_t value;

    poke32(f, RAM + 0x100000, 0x11111111);
    poke32(f, RAM + 0x200000, 0x22222222);
    poke32(f, L1 + 4, (RAM + 0x100000) | 3 << 10 | 0x1000c | 2);
    short_on(f);
    assert_true(reg_write(f, 0, 13, 0, 1, 1));
    first = f->cpu->v.run.tlb;
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x11111111);
    poke32(f, L1 + 4, (RAM + 0x200000) | 3 << 10 | 0x1000c | 2);
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x11111111); /* still cached */
    assert_true(reg_write(f, 0, 13, 0, 1, 2));
    assert_true(f->cpu->v.run.tlb != first);
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x22222222);
    assert_true(reg_write(f, 0, 13, 0, 1, 1));
    assert_true(f->cpu->v.run.tlb == first);
    assert_true(reg_write(f, 0, 8, 7, 1, 0x1ff000 | 1)); /* TLBIMVA, elsewhere in the section */
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x22222222);
    poke32(f, L1 + 4, 0);
    assert_true(in_tlb(f, 0x100000));
    assert_true(reg_write(f, 0, 8, 7, 2, 1)); /* TLBIASID */
    assert_false(in_tlb(f, 0x100000));
    assert_false(can_read(f, 0x100000, &value));
    fixture_destroy(f);
}

/* Invalidation by address and ASID: of that ASID only, but global pages in all. */
static void invalidation_by_asid(void **state)
{
    struct fixture *f = fixture_create("cortex-a9");
    uint32_t section = 3 << 10 | 0x1000c | 2;

    poke32(f, RAM + 0x100000, 0x11111111);
    short_on(f);
    for (unsigned global = 0; global < 2; global++) {
        poke32(f, L1 + 4, (RAM + 0x100000) | section | (global ? 0 : 1 << 17));
        for (unsigned asid = 1; asid <= 2; asid++) {
            assert_true(reg_write(f, 0, 13, 0, 1, asid));
            assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x11111111);
        }
        poke32(f, L1 + 4, 0);
        assert_true(reg_write(f, 0, 8, 7, 1, 0x100000 | 2));
        assert_false(in_tlb(f, 0x100000));
        assert_true(reg_write(f, 0, 13, 0, 1, 1));
        assert_int_equal(in_tlb(f, 0x100000), !global);
        assert_true(reg_write(f, 0, 8, 7, 0, 0));
    }
    fixture_destroy(f);
}

/* Invalidation keeps what the tables still say, and nothing else. */
static void invalidation_compares(void **state)
{
    struct fixture *f = fixture_create("cortex-a9");
    const uint32_t l2 = RAM + 0x300000, other = L1 + 0x4000, page = 3 << 4 | 0xe;

    for (unsigned i = 0; i < 4; i++)
        poke32(f, RAM + 0x100000 + i * 0x1000, i);
    poke32(f, L1 + 4, l2 | 1);
    poke32(f, other + 4, l2 | 1);
    poke32(f, l2, (RAM + 0x100000) | page);
    poke32(f, l2 + 4, (RAM + 0x101000) | page);
    short_on(f);
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0);
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x101000, 2), 1);
    poke32(f, l2 + 4, (RAM + 0x102000) | page);
    assert_true(reg_write(f, 0, 8, 7, 1, 0x100000)); /* TLBIMVA: the other page */
    assert_true(in_tlb(f, 0x100000) && in_tlb(f, 0x101000));
    assert_true(reg_write(f, 0, 8, 7, 0, 0)); /* TLBIALL */
    assert_true(in_tlb(f, 0x100000));
    assert_false(in_tlb(f, 0x101000));
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x101000, 2), 2);
    /* Another table that says the same; then one that does not. */
    assert_true(reg_write(f, 0, 2, 0, 0, other));
    assert_true(reg_write(f, 0, 8, 7, 0, 0));
    assert_true(in_tlb(f, 0x101000));
    poke32(f, other + 4, (l2 + 0x400) | 1);
    poke32(f, l2 + 0x404, (RAM + 0x103000) | page);
    assert_true(reg_write(f, 0, 8, 7, 3, 0x101000)); /* TLBIMVAA */
    assert_false(in_tlb(f, 0x100000) || in_tlb(f, 0x101000));
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x101000, 2), 3);
    /* The same entries, but another part of the table is in use. */
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_PD0));
    assert_true(reg_write(f, 0, 8, 7, 1, 0x101000));
    assert_false(in_tlb(f, 0x101000));
    fixture_destroy(f);
}

static void invalidation_compares_long(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    const uint32_t l2 = LPAE + 0x2000, l3 = LPAE + 0x3000;

    poke32(f, RAM + 0x200004, 7);
    poke32(f, RAM + 0x201004, 8);
    poke64(f, LPAE, l2 | 3);
    poke64(f, l2, l3 | 3);
    poke64(f, l3 + 8, (RAM + 0x200000) | 1 << 10 | 1 << 2 | 3);
    long_on(f, 0);
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x1004, 2), 7);
    assert_true(reg_write(f, 0, 8, 7, 2, 0)); /* TLBIASID */
    assert_true(in_tlb(f, 0x1000));
    poke64(f, l3 + 8, (RAM + 0x201000) | 1 << 10 | 1 << 2 | 3);
    assert_true(reg_write(f, 0, 8, 7, 1, 0x1000));
    assert_false(in_tlb(f, 0x1000));
    assert_int_equal(mmu_load(f->cpu->v.mmu, 0x1004, 2), 8);
    poke64(f, l2, 0);
    assert_true(reg_write(f, 0, 8, 7, 0, 0));
    assert_false(in_tlb(f, 0x1000));
    fixture_destroy(f);
}

static void spaces_follow_dacr(void **state)
{
    struct fixture *f = fixture_create("cortex-a9");
    uint32_t value;

    poke32(f, RAM + 0x100000, 0x11111111);
    poke32(f, L1 + 4, (RAM + 0x100000) | 3 << 10 | 2 << 5 | 0x1000c | 2);
    short_on(f);
    for (uint32_t i = 0; i < 40; i++) { /* more values than slots */
        assert_true(reg_write(f, 0, 3, 0, 0, i << 8 | 1 << 4));
        assert_true(can_read(f, 0x100000, &value));
        assert_int_equal(mmu_load(f->cpu->v.mmu, 0x100000, 2), 0x11111111);
        assert_true(reg_write(f, 0, 3, 0, 0, i << 8));
        assert_false(can_read(f, 0x100000, &value));
    }
    fixture_destroy(f);
}

static void spaces_follow_long_asid(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint64_t ttbr0 = LPAE | UINT64_C(5) << 48, ttbr1 = LPAE | UINT64_C(7) << 48;

    long_on(f, 0);
    assert_true(arm_coproc_access(f->cpu, false, true, 15, 0, 0, 2, 0, true, &ttbr0));
    assert_true(arm_coproc_access(f->cpu, false, true, 15, 1, 0, 2, 0, true, &ttbr1));
    assert_int_equal(arm_mmu_tag(f->cpu), 5);
    assert_true(reg_write(f, 0, 2, 0, 2, TTBCR_EAE | TTBCR_A1));
    assert_int_equal(arm_mmu_tag(f->cpu), 7);
    fixture_destroy(f);
}

/* ---- modes ----------------------------------------------------------------------------------- */

typedef void write2(void *cpu, uint32_t a, uint32_t b);
typedef void write1(void *cpu, uint32_t a);
typedef uint32_t read1(void *cpu, uint32_t a);

static void cpsr_by_instruction(struct fixture *f, uint32_t value, uint32_t mask)
{
    ((write2 *)helper_cpsr_write.fn)(f->cpu, value, mask);
}

static void banks(void **state)
{
    static const uint8_t modes[] = {MODE_USR, MODE_FIQ, MODE_IRQ, MODE_SVC,
                                    MODE_ABT, MODE_UND, MODE_SYS};
    struct fixture *f = fixture_create("cortex-a15");
    struct arm_cpu *cpu = f->cpu;

    for (unsigned i = 1; i < 6; i++) {
        cpsr_by_instruction(f, modes[i], CPSR_M);
        assert_int_equal(cpu->cpsr & CPSR_M, modes[i]);
        cpu->r[13] = 0x1300 + i;
        cpu->r[14] = 0x1400 + i;
        cpu->r[8] = modes[i] == MODE_FIQ ? 0x8f : 0x80;
        cpu->spsr = 0x5000 + i;
    }
    cpsr_by_instruction(f, MODE_SYS, CPSR_M);
    cpu->r[13] = 0x1306;
    for (unsigned i = 1; i < 6; i++) {
        cpsr_by_instruction(f, modes[i], CPSR_M);
        assert_int_equal(cpu->r[13], 0x1300 + i);
        assert_int_equal(cpu->r[14], 0x1400 + i);
        assert_int_equal(cpu->r[8], modes[i] == MODE_FIQ ? 0x8f : 0x80);
        assert_int_equal(cpu->spsr, 0x5000 + i);
        assert_int_equal(((read1 *)helper_user_reg_read.fn)(cpu, 13), 0x1306);
        assert_int_equal(((read1 *)helper_user_reg_read.fn)(cpu, 8), 0x80);
        /* every mode's registers by MRS (banked register) */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x08), 0x8f);   /* R8_fiq */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x0d), 0x1301); /* SP_fiq */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x10), 0x1402); /* LR_irq */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x13), 0x1303); /* SP_svc */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x17), 0x1305); /* SP_und */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x34), 0x5004); /* SPSR_abt */
        assert_int_equal(((read1 *)helper_banked_read.fn)(cpu, 0x2e), 0x5001); /* SPSR_fiq */
        assert_int_equal(((read1 *)helper_mode_sp_read.fn)(cpu, MODE_ABT), 0x1304);
    }
    /* a mode that is none changes nothing */
    cpsr_by_instruction(f, MODE_MON, CPSR_M);
    assert_int_equal(cpu->cpsr & CPSR_M, MODE_UND);
    cpsr_by_instruction(f, 0x03, CPSR_M);
    assert_int_equal(cpu->cpsr & CPSR_M, MODE_UND);
    fixture_destroy(f);
}

static void user_masks(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");

    cpsr_by_instruction(f, MODE_USR, ~0u);
    assert_int_equal(arm_cpsr_read(f->cpu), MODE_USR);
    assert_false(f->cpu->v.run.key & KEY_PRIVILEGED);
    cpsr_by_instruction(f, ~0u, ~0u);
    assert_int_equal(arm_cpsr_read(f->cpu), CPSR_NZCV | CPSR_Q | CPSR_GE | CPSR_E | MODE_USR);
    assert_true(f->cpu->v.run.key & KEY_E);
    assert_false(f->cpu->v.run.key & (KEY_T | KEY_IT_MASK));
    /* an exception return there gains nothing */
    f->cpu->spsr = MODE_SVC;
    ((write1 *)helper_exception_return.fn)(f->cpu, 0x1000);
    assert_int_equal(f->cpu->cpsr & CPSR_M, MODE_USR);
    ((write2 *)helper_rfe.fn)(f->cpu, 0x1000, MODE_SVC);
    assert_int_equal(f->cpu->cpsr & CPSR_M, MODE_USR);
    fixture_destroy(f);
}

static void fp_keys(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    uint32_t fp = KEY_FP_ACCESS | KEY_VFP | KEY_NEON;

    assert_int_equal(f->cpu->v.run.key & fp, 0);
    assert_true(reg_write(f, 0, 1, 0, 2, 5 << 20)); /* PL1 only */
    assert_int_equal(f->cpu->v.run.key & fp, KEY_FP_ACCESS);
    f->cpu->fpexc = FPEXC_EN;
    arm_update_mode(f->cpu);
    assert_int_equal(f->cpu->v.run.key & fp, fp);
    assert_true(reg_write(f, 0, 1, 0, 2, CPACR_ASEDIS | 5 << 20));
    assert_int_equal(f->cpu->v.run.key & fp, KEY_FP_ACCESS | KEY_VFP);
    cpsr_by_instruction(f, MODE_USR, CPSR_M);
    assert_int_equal(f->cpu->v.run.key & fp, 0);
    fixture_destroy(f);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static void exception_entry(void **state)
{
    static const struct {
        uint8_t kind, mode, vector, lr_arm, lr_thumb;
        uint32_t masked;
    } cases[] = {
        {ARM_EXC_UNDEF, MODE_UND, 0x04, 4, 2, CPSR_I},
        {ARM_EXC_SVC, MODE_SVC, 0x08, 0, 0, CPSR_I},
        {ARM_EXC_PREFETCH_ABORT, MODE_ABT, 0x0c, 4, 4, CPSR_I | CPSR_A},
        {ARM_EXC_BKPT, MODE_ABT, 0x0c, 4, 4, CPSR_I | CPSR_A},
        {ARM_EXC_DATA_ABORT, MODE_ABT, 0x10, 8, 8, CPSR_I | CPSR_A},
        {ARM_EXC_IRQ, MODE_IRQ, 0x18, 4, 4, CPSR_I | CPSR_A},
        {ARM_EXC_FIQ, MODE_FIQ, 0x1c, 4, 4, CPSR_I | CPSR_A | CPSR_F},
    };
    struct fixture *f = fixture_create("cortex-a15");
    struct arm_cpu *cpu = f->cpu;

    assert_true(reg_write(f, 0, 12, 0, 0, 0x40001234)); /* VBAR: low bits are zero */
    assert_int_equal(cpu->cp15.vbar, 0x40001220);
    for (unsigned i = 0; i < 4 * ARRAY_SIZE(cases); i++) {
        unsigned c = i / 4;
        bool thumb = i & 1, high = i & 2;
        uint32_t before =
            MODE_USR | CPSR_C | CPSR_Q | 5u << 16 | CPSR_E | (thumb ? CPSR_T | 0x02000400u : 0);
        struct exception e = {.kind = cases[c].kind, .syndrome = 0x805, .address = 0xbad0};

        arm_cpsr_write(cpu, MODE_SVC, ~0u);
        set_sctlr(f, high ? SCTLR_V | SCTLR_TE | SCTLR_EE : 0,
                  high ? 0 : SCTLR_V | SCTLR_TE | SCTLR_EE);
        cpu->cp15.dfsr = cpu->cp15.ifsr = 0;
        cpu->excl_valid = 1;
        arm_cpsr_write(cpu, before, ~0u);
        assert_int_equal(arm_cpsr_read(cpu), before);
        cpu->v.run.pc = 0x8000;
        arm_raise(&cpu->v, &e);
        assert_int_equal(cpu->spsr, before);
        assert_int_equal(cpu->r[14], 0x8000 + (thumb ? cases[c].lr_thumb : cases[c].lr_arm));
        assert_int_equal(cpu->v.run.pc, (high ? 0xffff0000u : 0x40001220u) + cases[c].vector);
        assert_int_equal(arm_cpsr_read(cpu), cases[c].mode | CPSR_C | CPSR_Q | 5u << 16 |
                                                 cases[c].masked | (high ? CPSR_T | CPSR_E : 0));
        assert_true(cpu->v.run.key & KEY_PRIVILEGED);
        assert_int_equal(cpu->excl_valid, 0);
        if (e.kind == ARM_EXC_DATA_ABORT) {
            assert_int_equal(cpu->cp15.dfsr, 0x805);
            assert_int_equal(cpu->cp15.dfar, 0xbad0);
        }
        if (e.kind == ARM_EXC_PREFETCH_ABORT)
            assert_int_equal(cpu->cp15.ifar, 0xbad0);
        if (e.kind == ARM_EXC_BKPT)
            assert_int_equal(cpu->cp15.ifsr, 2);
        /* and back */
        ((write1 *)helper_exception_return.fn)(cpu, 0x8003);
        assert_int_equal(arm_cpsr_read(cpu), before);
        assert_int_equal(cpu->v.run.pc, thumb ? 0x8002 : 0x8000);
    }
    fixture_destroy(f);
}

static void interrupts(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct arm_cpu *cpu = f->cpu;

    cpu->v.run.pc = 0x8000;
    assert_false(arm_take_interrupt(&cpu->v));
    atomic_store(&cpu->irq_lines, 1u << ARM_IRQ | 1u << ARM_FIQ);
    assert_int_equal(reg_read(f, 0, 12, 1, 0), CPSR_I | CPSR_F); /* ISR */
    assert_false(arm_take_interrupt(&cpu->v));
    assert_int_equal(atomic_load(&cpu->v.run.exit_request), 0);
    cpsr_by_instruction(f, 0, CPSR_I);
    assert_int_equal(atomic_load(&cpu->v.run.exit_request), 1);
    assert_true(arm_take_interrupt(&cpu->v));
    assert_int_equal(cpu->cpsr & CPSR_M, MODE_IRQ);
    assert_int_equal(cpu->r[14], 0x8004);
    assert_false(arm_take_interrupt(&cpu->v));
    cpsr_by_instruction(f, 0, CPSR_F | CPSR_I);
    assert_true(arm_take_interrupt(&cpu->v)); /* FIQ first */
    assert_int_equal(cpu->cpsr & CPSR_M, MODE_FIQ);
    /* WFI: halts without, does not halt with an interrupt, masked or not */
    ((void (*)(void *))helper_wfi.fn)(cpu);
    assert_false(cpu->v.halted);
    atomic_store(&cpu->irq_lines, 0);
    ((void (*)(void *))helper_sev.fn)(cpu);
    ((void (*)(void *))helper_wfi.fn)(cpu);
    assert_true(cpu->v.halted);
    assert_false(arm_has_work(&cpu->v));
    atomic_store(&cpu->irq_lines, 1u << ARM_IRQ);
    assert_true(arm_has_work(&cpu->v));
    assert_false(cpu->v.halted);
    /* WFE: the event of before is used up once */
    atomic_store(&cpu->irq_lines, 0);
    ((void (*)(void *))helper_wfe.fn)(cpu);
    assert_false(cpu->v.halted);
    ((void (*)(void *))helper_wfe.fn)(cpu);
    assert_true(cpu->v.halted);
    ((void (*)(void *))helper_sev.fn)(cpu);
    assert_true(arm_has_work(&cpu->v));
    fixture_destroy(f);
}

/* ---- coprocessors ---------------------------------------------------------------------------- */

static bool accessible(struct fixture *f, bool read, bool wide, unsigned cp, unsigned opc1,
                       unsigned crn, unsigned crm, unsigned opc2, bool privileged)
{
    uint64_t value = 0;
    return arm_coproc_access(f->cpu, read, wide, cp, opc1, crn, crm, opc2, privileged, &value);
}

static void coproc_rights(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct fixture *a9 = fixture_create("cortex-a9");

    assert_int_equal(reg_read(f, 0, 0, 0, 0), 0x412fc0f1);
    assert_int_equal(reg_read(a9, 0, 0, 0, 0), 0x410fc090);
    assert_int_equal(reg_read(f, 0, 0, 0, 7), 0x412fc0f1); /* alias */
    assert_false(accessible(f, true, false, 15, 0, 0, 0, 0, false));
    assert_false(accessible(f, false, false, 15, 0, 0, 0, 0, true));
    assert_int_equal(reg_read(f, 0, 0, 5, 3), 0); /* reserved ID space */
    /* cache identification */
    assert_true(reg_write(f, 2, 0, 0, 0, 0));
    assert_int_equal(reg_read(f, 1, 0, 0, 0), 0x701fe00a);
    assert_true(reg_write(f, 2, 0, 0, 0, 2));
    assert_int_equal(reg_read(f, 1, 0, 0, 0), 0x711fe07a);
    /* thread registers */
    assert_true(accessible(f, true, false, 15, 0, 13, 0, 2, false));
    assert_true(accessible(f, false, false, 15, 0, 13, 0, 2, false));
    assert_true(accessible(f, true, false, 15, 0, 13, 0, 3, false));
    assert_false(accessible(f, false, false, 15, 0, 13, 0, 3, false));
    assert_false(accessible(f, true, false, 15, 0, 13, 0, 4, false));
    /* barriers from user mode, cache maintenance not */
    assert_true(accessible(f, false, false, 15, 0, 7, 10, 5, false));
    assert_false(accessible(f, false, false, 15, 0, 7, 5, 0, false));
    /* the generic timer by CNTKCTL */
    assert_false(accessible(f, true, true, 15, 1, 0, 14, 0, false));
    assert_true(reg_write(f, 0, 14, 1, 0, 2));
    assert_true(accessible(f, true, true, 15, 1, 0, 14, 0, false));
    assert_false(accessible(f, true, true, 15, 0, 0, 14, 0, false));
    assert_true(accessible(f, true, false, 15, 0, 14, 0, 0, false));
    assert_false(accessible(f, false, false, 15, 0, 14, 0, 0, false));
    assert_false(accessible(f, true, false, 15, 0, 14, 3, 1, false));
    assert_true(reg_write(f, 0, 14, 1, 0, 1 << 8));
    assert_true(accessible(f, true, false, 15, 0, 14, 3, 1, false));
    assert_false(accessible(a9, true, false, 15, 0, 14, 0, 0, true));
    assert_false(accessible(a9, true, true, 15, 0, 0, 2, 0, true)); /* no LPAE */
    /* the PMU by PMUSERENR */
    assert_false(accessible(f, true, false, 15, 0, 9, 13, 0, false));
    assert_true(reg_write(f, 0, 9, 14, 0, 1));
    assert_true(accessible(f, true, false, 15, 0, 9, 13, 0, false));
    assert_true(accessible(f, true, false, 15, 0, 9, 14, 0, false));
    assert_false(accessible(f, false, false, 15, 0, 9, 14, 0, false));
    /* no Security Extensions: SCR, NSACR, MVBAR are not there */
    assert_false(accessible(f, true, false, 15, 0, 1, 1, 0, true));
    assert_false(accessible(f, true, false, 15, 0, 12, 0, 1, true));
    /* debug identification, Jazelle, ThumbEE */
    assert_true(accessible(f, true, false, 14, 0, 0, 0, 0, true));
    assert_true(accessible(f, true, false, 14, 7, 0, 0, 0, true));
    assert_true(accessible(f, true, false, 14, 6, 0, 0, 0, true));
    assert_int_equal(reg_read(a9, 4, 15, 0, 0), 0x1e000000); /* CBAR */
    fixture_destroy(f);
    fixture_destroy(a9);
}

static void sctlr_bits(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct fixture *a9 = fixture_create("cortex-a9");

    assert_true(reg_write(f, 0, 1, 0, 0, 0));
    assert_int_equal(reg_read(f, 0, 1, 0, 0), 0x00c50078);
    assert_true(reg_write(f, 0, 1, 0, 0, ~SCTLR_M));
    assert_int_equal(reg_read(f, 0, 1, 0, 0), 0x72dd3c7e);
    assert_true(reg_write(a9, 0, 1, 0, 0, ~SCTLR_M));
    assert_int_equal(reg_read(a9, 0, 1, 0, 0), 0x72c57c7e);
    fixture_destroy(f);
    fixture_destroy(a9);
}

/* ---- time
 * --------------------------------------------------------------------------------------------------
 */

static uint64_t wide_read(struct fixture *f, unsigned opc1)
{
    uint64_t value;
    assert_true(arm_coproc_access(f->cpu, true, true, 15, opc1, 0, 14, 0, true, &value));
    return value;
}

static void wide_write(struct fixture *f, unsigned opc1, uint64_t value)
{
    assert_true(arm_coproc_access(f->cpu, false, true, 15, opc1, 0, 14, 0, true, &value));
}

static void generic_timer(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct clock *clock = f->cpu->v.clock;

    assert_int_equal(reg_read(f, 0, 14, 0, 0), 62500000);
    clock_advance(clock, 16000);
    assert_int_equal(wide_read(f, 0), 1000);
    assert_int_equal(wide_read(f, 1), 1000);
    /* virtual timer by TVAL: 100 ticks */
    assert_true(reg_write(f, 0, 14, 3, 0, 100));
    assert_int_equal(wide_read(f, 3), 1100);
    assert_true(reg_write(f, 0, 14, 3, 1, 1));
    assert_int_equal(reg_read(f, 0, 14, 3, 1), 1);
    clock_advance(clock, 1599);
    assert_false(f->level[ARM_OUT_TIMER_VIRT]);
    assert_int_equal(reg_read(f, 0, 14, 3, 0), 1);
    clock_advance(clock, 1);
    assert_true(f->level[ARM_OUT_TIMER_VIRT]);
    assert_int_equal(reg_read(f, 0, 14, 3, 1), 5);
    assert_int_equal(reg_read(f, 0, 14, 3, 0), 0);
    clock_advance(clock, 160);
    assert_int_equal(reg_read(f, 0, 14, 3, 0), 0xfffffff6u);
    assert_true(reg_write(f, 0, 14, 3, 1, 3)); /* IMASK */
    assert_false(f->level[ARM_OUT_TIMER_VIRT]);
    assert_int_equal(reg_read(f, 0, 14, 3, 1), 7);
    assert_true(reg_write(f, 0, 14, 3, 1, 1));
    assert_true(f->level[ARM_OUT_TIMER_VIRT]);
    /* a compare value ahead lowers the line; the far future never comes and does no harm */
    wide_write(f, 3, UINT64_MAX);
    assert_false(f->level[ARM_OUT_TIMER_VIRT]);
    /* physical timer by CVAL, past already */
    wide_write(f, 2, 5);
    assert_false(f->level[ARM_OUT_TIMER_PHYS]);
    assert_true(reg_write(f, 0, 14, 2, 1, 1));
    assert_true(f->level[ARM_OUT_TIMER_PHYS]);
    arm_reset(&f->cpu->v);
    assert_false(f->level[ARM_OUT_TIMER_PHYS]);
    fixture_destroy(f);
}

static void cycle_counter(void **state)
{
    struct fixture *f = fixture_create("cortex-a15");
    struct clock *clock = f->cpu->v.clock;

    assert_int_equal(reg_read(f, 0, 9, 12, 0), 0x410f3000);
    clock_advance(clock, 1000);
    assert_int_equal(reg_read(f, 0, 9, 13, 0), 0);
    assert_true(reg_write(f, 0, 9, 12, 1, 1u << 31));
    assert_true(reg_write(f, 0, 9, 12, 0, 1));
    clock_advance(clock, 1000);
    assert_int_equal(reg_read(f, 0, 9, 13, 0), 1000);
    assert_true(reg_write(f, 0, 9, 12, 0, 9)); /* D: every 64th */
    clock_advance(clock, 6400);
    assert_int_equal(reg_read(f, 0, 9, 13, 0), 1100);
    assert_true(reg_write(f, 0, 9, 12, 0, 5)); /* C: reset */
    assert_int_equal(reg_read(f, 0, 9, 13, 0), 0);
    /* overflow interrupt */
    assert_true(reg_write(f, 0, 9, 14, 1, 1u << 31));
    assert_true(reg_write(f, 0, 9, 13, 0, 0xffffff00));
    clock_advance(clock, 255);
    assert_false(f->level[ARM_OUT_PMU]);
    clock_advance(clock, 1);
    assert_true(f->level[ARM_OUT_PMU]);
    assert_int_equal(reg_read(f, 0, 9, 12, 3), 1u << 31);
    assert_true(reg_write(f, 0, 9, 12, 3, 1u << 31));
    assert_false(f->level[ARM_OUT_PMU]);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mmu_off_is_flat),
        cmocka_unit_test(short_sizes),
        cmocka_unit_test(short_permissions),
        cmocka_unit_test(short_execute),
        cmocka_unit_test(short_split),
        cmocka_unit_test(short_attributes),
        cmocka_unit_test(short_big_endian),
        cmocka_unit_test(long_sizes),
        cmocka_unit_test(long_hierarchy),
        cmocka_unit_test(long_split),
        cmocka_unit_test(fault_codes),
        cmocka_unit_test(address_translation),
        cmocka_unit_test(spaces_follow_asid),
        cmocka_unit_test(invalidation_by_asid),
        cmocka_unit_test(invalidation_compares),
        cmocka_unit_test(invalidation_compares_long),
        cmocka_unit_test(spaces_follow_dacr),
        cmocka_unit_test(spaces_follow_long_asid),
        cmocka_unit_test(banks),
        cmocka_unit_test(user_masks),
        cmocka_unit_test(fp_keys),
        cmocka_unit_test(exception_entry),
        cmocka_unit_test(interrupts),
        cmocka_unit_test(coproc_rights),
        cmocka_unit_test(sctlr_bits),
        cmocka_unit_test(generic_timer),
        cmocka_unit_test(cycle_counter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
