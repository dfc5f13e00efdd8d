/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 guest's system side: paging, segments, gates, task switches, virtual-8086 and long mode,
 * debug registers. What is expected is the SDM's; a few cases run code, most call the functions
 * that instructions call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exec/vcpu.h"
#include "frontend/x86/system.h"

enum {
    RAM_BYTES = 16 << 20,
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,   /* the current task's */
    OTHER = 0x3200, /* another task's */
    LDT = 0x3400,
    CODE = 0x5000,
    HANDLER = 0x6000,
    STACK0 = 0x8000,
    STACK3 = 0x9000,
    TABLES = 0x10000,
};

enum selector {
    CODE0 = 0x08,
    DATA0 = 0x10,
    CODE3 = 0x1b,
    DATA3 = 0x23,
    TSS_SEL = 0x28,
    OTHER_SEL = 0x30,
    CONFORMING = 0x38,
    ABSENT = 0x40,
    READ_ONLY = 0x48,
    EXECUTE_ONLY = 0x50,
    GATE = 0x5b,
    TASK_GATE_SEL = 0x60,
    LDT_SEL = 0x68,
    CODE64 = 0x70,
    STACK_ABSENT = 0x80,
    GDT_LAST = 0x8f,
};

struct fixture {
    struct x86_cpu *cpu;
    struct memory *memory;
    struct clock *clock;
    struct exec *exec;
    pthread_mutex_t lock;
    unsigned kind;
    uint32_t error;
    uint64_t address;
};

/* ---- the machine ----------------------------------------------------------------------------- */

static struct fixture *create(const char *guest, const char *model)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct exec_options options = {.interpret = true, .check = true};
    struct error err;

    memory_lock_init(&f->lock);
    f->clock = clock_create_manual();
    f->memory = memory_create(&f->lock, &err);
    assert_non_null(f->memory);
    assert_non_null(memory_add_ram(f->memory, "ram", 0, RAM_BYTES, &err));
    f->exec = exec_create(guest_find(guest), f->memory, &options, &err);
    assert_non_null(f->exec);
    f->cpu = x86_cpu(vcpu_create(f->exec, model, f->clock, &f->lock, 0, &err));
    assert_non_null(f->cpu);
    vcpu_reset(&f->cpu->v);
    return f;
}

static void destroy(struct fixture *f)
{
    vcpu_destroy(&f->cpu->v);
    exec_destroy(f->exec);
    memory_destroy(f->memory);
    clock_destroy(f->clock);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void poke(struct fixture *f, uint64_t address, uint64_t value, unsigned size)
{
    bool ok;
    memory_store(f->memory, address, value, size, &ok);
    assert_true(ok);
}

static uint64_t peek(struct fixture *f, uint64_t address, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(f->memory, address, size, &ok);
    assert_true(ok);
    return value;
}

/* Does the statement raise this? An exception comes back to the test instead of being delivered. */
#define RAISES(f, kind_, error_, statement)                                                        \
    do {                                                                                           \
        jmp_buf here;                                                                              \
        (f)->cpu->sys->trap = &here;                                                               \
        if (!setjmp(here)) {                                                                       \
            statement;                                                                             \
            (f)->cpu->sys->trap = NULL;                                                            \
            fail_msg("%s raises nothing", #statement);                                             \
        }                                                                                          \
        (f)->cpu->sys->trap = NULL;                                                                \
        assert_int_equal((f)->cpu->sys->trapped.kind &EXC_KIND, kind_);                            \
        assert_int_equal((f)->cpu->sys->trapped.syndrome, error_);                                 \
    } while (0)

static void describe(struct fixture *f, unsigned selector, uint32_t base, uint32_t limit,
                     unsigned attributes)
{
    uint64_t at = GDT + (selector & 0xfff8);

    poke(f, at, (limit & 0xffff) | base << 16, 4);
    poke(f, at + 4,
         (base >> 16 & 0xff) | (base & 0xff000000) | (limit & 0xf0000) |
             (uint32_t)(attributes & 0xf0ff) << 8,
         4);
}

static void describe_gate(struct fixture *f, uint64_t at, unsigned selector, uint32_t offset,
                          unsigned type, unsigned dpl, unsigned count)
{
    poke(f, at, (offset & 0xffff) | selector << 16, 4);
    poke(f, at + 4, (offset & 0xffff0000) | 0x8000 | dpl << 13 | type << 8 | count, 4);
}

static uint8_t descriptor_byte(struct fixture *f, unsigned selector)
{
    return (uint8_t)peek(f, GDT + (selector & 0xfff8) + 5, 1);
}

static void make_tables(struct fixture *f)
{
    describe(f, CODE0, 0, 0xfffff, 0xc09a);
    describe(f, DATA0, 0, 0xfffff, 0xc092);
    describe(f, CODE3, 0, 0xfffff, 0xc0fa);
    describe(f, DATA3, 0, 0xfffff, 0xc0f2);
    describe(f, TSS_SEL, TSS, 0x67, 0x89);
    describe(f, OTHER_SEL, OTHER, 0x67, 0x89);
    describe(f, CONFORMING, 0, 0xfffff, 0xc09e);
    describe(f, ABSENT, 0, 0xfffff, 0xc012);
    describe(f, READ_ONLY, 0, 0xfffff, 0xc090);
    describe(f, EXECUTE_ONLY, 0, 0xfffff, 0xc098);
    describe(f, LDT_SEL, LDT, 0x1f, 0x82);
    describe(f, CODE64, 0, 0xfffff, 0xa09a);
    describe(f, STACK_ABSENT, 0, 0xfffff, 0xc012);
    f->cpu->gdt = (struct x86_table){GDT, GDT_LAST};
    f->cpu->idt = (struct x86_table){IDT, 0x7ff};
    poke(f, TSS + 4, STACK0, 4);
    poke(f, TSS + 8, DATA0, 4);
}

static struct x86_segment flat(uint16_t selector, unsigned attributes)
{
    return (struct x86_segment){
        .selector = selector, .attributes = (uint16_t)attributes, .limit = UINT32_MAX};
}

/* Protected mode at a level, flat, with a TSS. */
static struct fixture *create_protected(unsigned level)
{
    struct fixture *f = create("x86_64", "max");
    struct x86_cpu *cpu = f->cpu;
    unsigned dpl = level << ATTR_DPL_SHIFT;

    make_tables(f);
    cpu->cr0 = CR0_PE | CR0_ET;
    for (unsigned i = 0; i < N_SEGMENTS; i++)
        cpu->segment[i] = flat(level ? DATA3 : DATA0, 0xc093 | dpl);
    cpu->segment[SEG_CS] = flat(level ? CODE3 : CODE0, 0xc09b | dpl);
    cpu->tr = (struct x86_segment){TSS_SEL, 0x8b, 0x67, TSS};
    describe(f, TSS_SEL, TSS, 0x67, 0x8b);
    cpu->ldt = (struct x86_segment){.attributes = ATTR_UNUSABLE};
    cpu->gpr[RSP] = level ? STACK3 : STACK0;
    cpu->eflags = EFLAGS_IF;
    x86_update_mode(cpu);
    x86_set_ip(cpu, CODE);
    assert_int_equal(cpu->cpl, level);
    return f;
}

static void enter_long_mode(struct fixture *f)
{
    struct x86_cpu *cpu = f->cpu;

    poke(f, TABLES, (TABLES + 0x1000) | 7, 8);
    poke(f, TABLES + 0x1000, (TABLES + 0x2000) | 7, 8);
    for (unsigned i = 0; i < 8; i++)
        poke(f, TABLES + 0x2000 + i * 8, i << 21 | 0x87, 8);
    x86_set_cr4(cpu, CR4_PAE);
    x86_set_cr3(cpu, TABLES);
    x86_set_efer(cpu, EFER_LME | EFER_NXE | EFER_SCE);
    x86_set_cr0(cpu, cpu->cr0 | CR0_PG);
    assert_true(cpu->efer & EFER_LMA);
    assert_true(cpu->v.run.key & KEY_LONG);
}

/* ---- paging ---------------------------------------------------------------------------------- */

static struct tlb_fill walk(struct fixture *f, uint64_t va, enum mmu_access access, bool user)
{
    struct tlb_fill out = {0};
    struct mmu_fault fault = {0};

    assert_true(x86_mmu_client.walk(f->cpu, va, access, user, &out, &fault));
    return out;
}

static void walk_fails(struct fixture *f, uint64_t va, enum mmu_access access, bool user,
                       uint32_t error)
{
    struct tlb_fill out = {0};
    struct mmu_fault fault = {0};

    assert_false(x86_mmu_client.walk(f->cpu, va, access, user, &out, &fault));
    assert_int_equal(fault.syndrome, error);
}

static void pages_of_32_bits(void **state)
{
    struct fixture *f = create_protected(0);
    const uint64_t pde = TABLES, pt = TABLES + 0x1000;

    x86_set_cr3(f->cpu, TABLES);
    poke(f, pde, pt | 7, 4);
    poke(f, pt + 4 * 5, 0x123000 | 7, 4);
    poke(f, pt + 4 * 6, 0x124000 | 1, 4); /* supervisor, read-only */
    poke(f, pde + 4 * 2, 0x00c00000 | 0x87, 4);
    x86_set_cr0(f->cpu, f->cpu->cr0 | CR0_PG);
    struct tlb_fill t = walk(f, 0x5678, MMU_READ, true);
    assert_int_equal(t.physical, 0x123678);
    assert_false(t.writable); /* until the dirty bit is set */
    assert_int_equal(peek(f, pt + 20, 4), 0x123000 | 0x27);
    assert_int_equal(peek(f, pde, 4), pt | 0x27);
    assert_true(walk(f, 0x5678, MMU_WRITE, true).writable);
    assert_int_equal(peek(f, pt + 20, 4), 0x123000 | 0x67);
    walk_fails(f, 0x6000, MMU_READ, true, 5);
    walk_fails(f, 0x6000, MMU_WRITE, true, 7);
    assert_true(walk(f, 0x6000, MMU_WRITE, false).writable); /* CR0.WP is clear */
    x86_set_cr0(f->cpu, f->cpu->cr0 | CR0_WP);
    walk_fails(f, 0x6000, MMU_WRITE, false, 3);
    walk_fails(f, 0x7000, MMU_READ, false, 0);
    walk_fails(f, 0x7000, MMU_WRITE, true, 6);
    walk_fails(f, 0x7000, MMU_EXEC, true, 4); /* I/D only with NX or SMEP */
    /* 4 MiB pages need CR4.PSE: without it the entry is a table that is not there (zeros). */
    walk_fails(f, 0x812345, MMU_READ, false, 0);
    x86_set_cr4(f->cpu, CR4_PSE);
    t = walk(f, 0x812345, MMU_READ, false);
    assert_int_equal(t.physical, 0xc12345);
    assert_int_equal(t.block_size, 4 << 20);
    poke(f, pde + 4 * 2, 0x00c00000 | 1 << 21 | 0x87, 4);
    walk_fails(f, 0x812345, MMU_READ, false, 9);
    poke(f, pde + 4 * 2, 0x00c00000 | 1 << 13 | 0x87, 4); /* PSE-36: bit 32 */
    assert_true(walk(f, 0x812345, MMU_READ, false).physical == 0x100c12345);
    destroy(f);
}

static void pages_of_pae(void **state)
{
    struct fixture *f = create_protected(0);
    const uint64_t pd = TABLES + 0x1000, pt = TABLES + 0x2000;

    poke(f, TABLES, pd | 1, 8);
    poke(f, TABLES + 8, 2, 8); /* not present: reserved bits do not count */
    poke(f, pd, pt | 7, 8);
    poke(f, pd + 8, 0x800000 | 0x87, 8);
    poke(f, pt + 8, 0x345000 | 7 | UINT64_C(1) << 63, 8);
    x86_set_cr4(f->cpu, CR4_PAE);
    x86_set_efer(f->cpu, EFER_NXE);
    x86_set_cr3(f->cpu, TABLES);
    x86_set_cr0(f->cpu, f->cpu->cr0 | CR0_PG);
    assert_int_equal(walk(f, 0x1234, MMU_READ, true).physical, 0x345234);
    walk_fails(f, 0x1234, MMU_EXEC, true, 0x15);
    walk_fails(f, 0x2000, MMU_EXEC, true, 0x14);
    assert_int_equal(walk(f, 0x234567, MMU_READ, true).physical, 0x834567);
    walk_fails(f, 0x40000000, MMU_READ, false, 0);
    x86_set_efer(f->cpu, 0);
    walk_fails(f, 0x1234, MMU_READ, true, 0xd); /* bit 63 is reserved now */
    poke(f, pd + 8, 0x800000 | 0x2087, 8);
    walk_fails(f, 0x234567, MMU_READ, false, 9);
    /* The four pointers are read by MOV CR3 and checked there. */
    poke(f, TABLES, pd | 3, 8);
    RAISES(f, EXC_GP, 0, x86_set_cr3(f->cpu, TABLES));
    destroy(f);
}

static void pages_of_four_levels(void **state)
{
    struct fixture *f = create_protected(0);
    struct tlb_fill out;
    struct mmu_fault fault;
    const uint64_t high = UINT64_C(0xffff800000000000);

    enter_long_mode(f);
    poke(f, TABLES + 256 * 8, (TABLES + 0x3000) | 7, 8);
    poke(f, TABLES + 0x3000, UINT64_C(0x40000000) | 0x83, 8);
    assert_int_equal(walk(f, 0x212345, MMU_READ, true).physical, 0x212345);
    assert_int_equal(walk(f, 0x212345, MMU_READ, true).block_size, 2 << 20);
    assert_int_equal(walk(f, high + 0x1234567, MMU_READ, false).physical, 0x41234567);
    assert_int_equal(walk(f, high, MMU_READ, false).block_size, 1 << 30);
    walk_fails(f, high, MMU_READ, true, 5);
    assert_false(
        x86_mmu_client.walk(f->cpu, UINT64_C(0x800000000000), MMU_READ, false, &out, &fault));
    RAISES(f, EXC_GP, 0, x86_system_load(f->cpu, UINT64_C(0x800000000000), 4));
    RAISES(f, EXC_PF, 0, x86_system_load(f->cpu, UINT64_C(0x7f0000000000), 4));
    assert_true(f->cpu->sys->trapped.address == UINT64_C(0x7f0000000000));
    poke(f, TABLES + 256 * 8, (TABLES + 0x3000) | 0x87, 8); /* PS in a PML4E is reserved */
    walk_fails(f, high, MMU_READ, false, 9);
    poke(f, TABLES + 256 * 8, (TABLES + 0x3000) | 7, 8);
    poke(f, TABLES + 0x3000, UINT64_C(0x40002000) | 0x83, 8);
    walk_fails(f, high, MMU_READ, false, 9);
    destroy(f);
}

static void supervisor_protection(void **state)
{
    struct fixture *f = create_protected(0);

    enter_long_mode(f);
    x86_set_cr4(f->cpu, CR4_PAE | CR4_SMEP);
    walk_fails(f, 0x1000, MMU_EXEC, false, 0x11);
    assert_true(walk(f, 0x1000, MMU_EXEC, true).executable);
    assert_true(walk(f, 0x1000, MMU_WRITE, false).writable);
    x86_set_cr4(f->cpu, CR4_PAE | CR4_SMAP);
    walk_fails(f, 0x1000, MMU_READ, false, 1);
    walk_fails(f, 0x1000, MMU_WRITE, false, 3);
    assert_true(walk(f, 0x1000, MMU_EXEC, false).executable);
    assert_true(walk(f, 0x1000, MMU_READ, true).readable);
    x86_eflags_write(f->cpu, EFLAGS_AC, EFLAGS_AC);
    assert_true(walk(f, 0x1000, MMU_WRITE, false).writable);
    destroy(f);
}

static void process_context_identifiers(void **state)
{
    struct fixture *f = create_protected(0);
    const uint64_t keep = UINT64_C(1) << 63, pd = TABLES + 0x2000;

    enter_long_mode(f);
    RAISES(f, EXC_GP, 0, x86_set_cr3(f->cpu, TABLES | keep)); /* reserved without PCIDE */
    f->cpu->segment[SEG_CS] = flat(CODE64, 0xa09b);
    x86_update_mode(f->cpu);
    x86_set_cr4(f->cpu, CR4_PAE | CR4_PCIDE);
    poke(f, 0x200000, 1, 4);
    poke(f, 0x400000, 2, 4);
    x86_set_cr3(f->cpu, TABLES | 5);
    assert_int_equal(x86_system_load(f->cpu, 0x200000, 4), 1);
    poke(f, pd + 8, 0x400087, 8);
    x86_set_cr3(f->cpu, TABLES | 6 | keep); /* another space: the new mapping */
    assert_int_equal(x86_system_load(f->cpu, 0x200000, 4), 2);
    assert_true(f->cpu->cr3 == (TABLES | 6));
    x86_set_cr3(f->cpu, TABLES | 5); /* its translations go */
    assert_int_equal(x86_system_load(f->cpu, 0x200000, 4), 2);
    RAISES(f, EXC_GP, 0, x86_set_cr0(f->cpu, f->cpu->cr0 & ~(uint64_t)CR0_PG));
    x86_set_cr4(f->cpu, CR4_PAE);
    RAISES(f, EXC_GP, 0, x86_set_cr4(f->cpu, CR4_PAE | CR4_PCIDE)); /* CR3[11:0] is not 0 */
    RAISES(f, EXC_GP, 0, x86_set_cr4(f->cpu, 0));                   /* PAE cannot go */
    destroy(f);
}

/* ---- what is kept of translations ------------------------------------------------------------ */

enum { PAGE_P = 1, PAGE_W = 2, PAGE_A = 0x20, PAGE_D = 0x40, PAGE_PS = 0x80, PAGE_G = 0x100 };

static bool is_entered(struct fixture *f, uint64_t va, bool write)
{
    uint8_t *tlb = f->cpu->v.run.tlb;

    return write ? *tlb_write_entry(tlb, true, va) : *tlb_read_entry(tlb, true, va);
}

/* Two roots whose pages at 2 MiB are those of a page table each. */
static void make_two_roots(struct fixture *f)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t root = TABLES + i * 0x8000;

        poke(f, root, (root + 0x1000) | 7, 8);
        poke(f, root + 0x1000, (root + 0x2000) | 7, 8);
        poke(f, root + 0x2000, 0x87, 8);
        poke(f, root + 0x2008, (root + 0x3000) | 7, 8);
        for (unsigned k = 0; k < 4; k++)
            poke(f, root + 0x3000 + k * 8, (0x400000 + (i * 4 + k) * 0x1000) | 7, 8);
    }
    for (unsigned k = 0; k < 16; k++)
        poke(f, 0x400000 + k * 0x1000, k, 4);
}

static void translations_follow_the_tables(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;
    const uint64_t one = TABLES, other = TABLES + 0x8000, pt = one + 0x3000;

    enter_long_mode(f);
    make_two_roots(f);
    x86_set_cr3(cpu, one);
    x86_system_store(cpu, 0x200004, 4, 1);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 1);
    x86_set_cr3(cpu, other);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 5);
    poke(f, pt + 8, 0x408007, 8);
    x86_set_cr3(cpu, one);
    assert_true(is_entered(f, 0x200000, false) && is_entered(f, 0x200000, true));
    assert_false(is_entered(f, 0x201000, false));
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 8);
    /* The same root once more. */
    poke(f, pt + 8, 0x409007, 8);
    x86_set_cr3(cpu, one);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 9);
    /* Accessed and dirty, taken away, are set again. */
    poke(f, pt, 0x400007, 8);
    x86_set_cr3(cpu, one);
    x86_system_load(cpu, 0x200000, 4);
    assert_int_equal(peek(f, pt, 8), 0x400027);
    x86_system_store(cpu, 0x200004, 4, 1);
    assert_int_equal(peek(f, pt, 8), 0x400067);
    /* An upper level leads elsewhere, while another root is in use. */
    x86_set_cr3(cpu, other);
    poke(f, one + 0x2008, (other + 0x3000) | 7, 8);
    x86_set_cr3(cpu, one);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 5);
    /* A walk sees the new entry before the guest says that it has changed. */
    poke(f, one + 0x2008, (one + 0x3000) | 7, 8);
    x86_system_load(cpu, 0x202000, 4);
    x86_set_cr3(cpu, one);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 9);
    poke(f, one + 0x2008, 0, 8);
    x86_set_cr3(cpu, one);
    RAISES(f, EXC_PF, 0, x86_system_load(cpu, 0x201000, 4));
    destroy(f);
}

static void translations_of_single_pages_go(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;
    const uint64_t pt = TABLES + 0x3000;

    enter_long_mode(f);
    make_two_roots(f);
    x86_set_cr4(cpu, CR4_PAE | CR4_PGE);
    poke(f, pt, 0x400107, 8);
    x86_set_cr3(cpu, TABLES);
    x86_system_load(cpu, 0x200000, 4);
    x86_system_load(cpu, 0x201000, 4);
    poke(f, pt, 0x402107, 8); /* a global page too */
    poke(f, pt + 8, 0x403007, 8);
    x86_flush_page(cpu, 0x200123);
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 2);
    assert_true(is_entered(f, 0x201000, false));
    x86_flush_page(cpu, 0x201000);
    assert_int_equal(x86_system_load(cpu, 0x201000, 4), 3);
    /* Switching global pages off or on drops all. */
    poke(f, pt, 0x400107, 8);
    x86_set_cr4(cpu, CR4_PAE);
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 0);
    /* 2 MiB, by any of its addresses. */
    x86_system_load(cpu, 0x3000, 4);
    poke(f, TABLES + 0x2000, 0x400087, 8);
    x86_flush_page(cpu, 0x5000);
    assert_int_equal(x86_system_load(cpu, 0x3000, 4), 3);
    /* What the tables still say stays. */
    x86_system_load(cpu, 0x201000, 4);
    x86_flush_page(cpu, 0x5000);
    x86_flush_page(cpu, 0x201000);
    assert_true(is_entered(f, 0x3000, false) && is_entered(f, 0x201000, false));
    /* An upper entry that leads nowhere now. */
    poke(f, TABLES + 0x2008, 0, 8);
    x86_flush_page(cpu, 0x202000);
    RAISES(f, EXC_PF, 0, x86_system_load(cpu, 0x201000, 4));
    destroy(f);
}

static void translations_with_identifiers(void **state)
{
    const uint64_t keep = UINT64_C(1) << 63, pt = TABLES + 0x3000;
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    enter_long_mode(f);
    make_two_roots(f);
    x86_set_cr3(cpu, TABLES);
    cpu->segment[SEG_CS] = flat(CODE64, 0xa09b);
    x86_update_mode(cpu);
    x86_set_cr4(cpu, CR4_PAE | CR4_PCIDE);
    for (unsigned pcid = 1; pcid < 4; pcid++) {
        x86_set_cr3(cpu, TABLES | pcid);
        x86_system_load(cpu, 0x200000, 4);
    }
    poke(f, pt, 0x402007, 8);
    x86_set_cr3(cpu, TABLES | 1 | keep); /* what was there may stay, and does */
    assert_true(is_entered(f, 0x200000, false));
    x86_set_cr3(cpu, TABLES | 2);
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 2);
    x86_flush_context(cpu, 3); /* INVPCID, one context: another one */
    x86_set_cr3(cpu, TABLES | 3 | keep);
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 2);
    poke(f, pt, 0x403007, 8);
    x86_flush_context(cpu, 3); /* the current one */
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 3);
    x86_set_cr3(cpu, TABLES | 2 | keep);
    x86_flush_page(cpu, 0x200000);
    assert_int_equal(x86_system_load(cpu, 0x200000, 4), 3);
    destroy(f);
}

/* Random tables, changed at random; all that is read and written is compared with a plain walk. */
struct paging {
    unsigned levels, entry_bytes;
    uint64_t cr4;
};

static bool plain_walk(struct fixture *f, const struct paging *p, uint64_t root, uint64_t va,
                       uint64_t *physical)
{
    unsigned index_bits = p->entry_bytes == 8 ? 9 : 10, shift = 12 + index_bits * p->levels;
    uint64_t table = root;

    for (unsigned level = p->levels; level; level--) {
        shift -= index_bits;
        uint64_t index = va >> shift & ((1u << index_bits) - 1);
        uint64_t entry = peek(f, table + index * p->entry_bytes, p->entry_bytes);
        if (!(entry & PAGE_P))
            return false;
        table = entry & 0xfffff000;
        if (level == 2 && (entry & PAGE_PS)) {
            *physical = (table & ~((UINT64_C(1) << shift) - 1)) | (va & ((1u << shift) - 1));
            return true;
        }
    }
    *physical = table | (va & 0xfff);
    return true;
}

enum { N_ROOTS = 20, N_NODES = 12, NODES = 0x100000, DATA = 0x800000, N_DATA = 1024 };

/* Roots lie first, then tables of each level below. */
static uint64_t node(unsigned level, unsigned index)
{
    return NODES + ((uint64_t)level * N_ROOTS + index) * 0x1000;
}

static uint64_t random_entry(uint64_t r, unsigned level)
{
    uint64_t flags = PAGE_P | PAGE_W | 4;

    if (!(r & 7))
        return 0;
    r >>= 3;
    if (level == 1)
        return (DATA + r % N_DATA * 0x1000) | flags;
    if (level == 2 && !(r & 15))
        return DATA | PAGE_PS | flags;
    return node(level - 1, (unsigned)(r >> 8) % N_NODES) | flags;
}

static uint64_t random_address(uint64_t r, const struct paging *p)
{
    unsigned index_bits = p->entry_bytes == 8 ? 9 : 10, bits = 0;
    uint64_t va = r & 0xff8;

    for (unsigned level = 1; level <= p->levels; level++, bits += 2)
        va |= (r >> (16 + bits) & 3) << (12 + index_bits * (level - 1));
    return va;
}

static void check_access(struct fixture *f, const struct paging *p, uint64_t root, uint64_t va,
                         bool write)
{
    static uint32_t next;
    uint64_t physical;

    if (!plain_walk(f, p, root, va, &physical)) {
        RAISES(f, EXC_PF, 0, x86_system_load(f->cpu, va, 4));
    } else if (write) {
        x86_system_store(f->cpu, va, 4, ++next);
        assert_int_equal(peek(f, physical, 4), next);
    } else {
        assert_int_equal(x86_system_load(f->cpu, va, 4), peek(f, physical, 4));
    }
}

static void change_tables(struct fixture *f, const struct paging *p, uint64_t r)
{
    unsigned pae = p->levels == 3, level = 1 + r % (p->levels - pae);
    unsigned index = (unsigned)(r >> 8) % (level == p->levels ? N_ROOTS : N_NODES);
    uint64_t at = node(level, index) + (r >> 16 & 3) * p->entry_bytes;

    if (r >> 18 & 1) /* the guest takes A and D away, or write-protects what nobody writes then */
        poke(f, at, peek(f, at, p->entry_bytes) & ~(uint64_t)(PAGE_A | PAGE_D), p->entry_bytes);
    else
        poke(f, at, random_entry(r >> 19, level), p->entry_bytes);
}

static void run_random_tables(struct fixture *f, const struct paging *p, uint64_t seed)
{
    uint64_t x = seed, root = node(p->levels, 0);
    jmp_buf *trap = f->cpu->sys->trap;

    for (unsigned i = 0; i < 60000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        uint64_t r = x >> 8, va = random_address(x * UINT64_C(0x9e3779b97f4a7c15), p);
        if (x % 8 == 0) {
            root = node(p->levels, (unsigned)(r % N_ROOTS));
            x86_set_cr3(f->cpu, root);
        } else if (x % 8 == 1) {
            change_tables(f, p, r);
            x86_set_cr3(f->cpu, root);
        } else if (x % 64 == 2 && p->levels != 3) {
            uint64_t pt_entry = node(1, (unsigned)r % N_NODES) + (va >> 12 & 3) * p->entry_bytes;
            poke(f, pt_entry, random_entry(r >> 8, 1), p->entry_bytes);
            x86_flush_page(f->cpu, va); /* only this page is known to be up to date */
            check_access(f, p, root, va, r >> 40 & 1);
            x86_set_cr3(f->cpu, root);
        } else {
            check_access(f, p, root, va, r >> 40 & 1);
        }
    }
    f->cpu->sys->trap = trap;
}

static void random_tables(void **state)
{
    static const struct paging kinds[] = {
        {.levels = 2, .entry_bytes = 4, .cr4 = CR4_PSE},
        {.levels = 3, .entry_bytes = 8, .cr4 = CR4_PAE},
        {.levels = 4, .entry_bytes = 8, .cr4 = CR4_PAE | CR4_PGE},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct paging *p = &kinds[i];
        struct fixture *f = create_protected(0);
        uint64_t x = 88172645463325252u + i;

        for (unsigned level = 1; level <= p->levels; level++) {
            for (unsigned k = 0; k < N_ROOTS * 4; k++) {
                x ^= x << 13, x ^= x >> 7, x ^= x << 17;
                poke(f, node(level, k / 4) + k % 4 * p->entry_bytes,
                     p->levels == 3 && level == 3 ? node(2, (x >> 8) % N_NODES) | PAGE_P
                                                  : random_entry(x >> 8, level),
                     p->entry_bytes);
            }
        }
        for (unsigned k = 0; k < N_DATA; k++)
            poke(f, DATA + k * 0x1000, k, 4);
        x86_set_cr4(f->cpu, p->cr4);
        x86_set_cr3(f->cpu, node(p->levels, 0));
        if (p->levels == 4)
            x86_set_efer(f->cpu, EFER_LME);
        x86_set_cr0(f->cpu, f->cpu->cr0 | CR0_PG);
        run_random_tables(f, p, x);
        destroy(f);
    }
}

/* SDM vol. 3, 9.1.2; leaf D of a processor without XSAVE is empty. */
static void identification(void **state)
{
    static const char *const models[] = {"486", "qemu64", "Broadwell"};
    static const uint32_t signatures[] = {0x480, 0x60fb1, 0x306d2};

    for (unsigned i = 0; i < ARRAY_SIZE(models); i++) {
        struct fixture *f = create("x86_64", models[i]);
        uint32_t out[4];

        assert_int_equal(f->cpu->gpr[RDX], signatures[i]);
        x86_cpuid(f->cpu, 1, 0, out);
        assert_int_equal(out[0], signatures[i]);
        x86_cpuid(f->cpu, 0xd, 0, out);
        if (f->cpu->model->max_basic >= 0xd)
            assert_int_equal(out[0] != 0, x86_has(f->cpu, HAS_XSAVE));
        destroy(f);
    }
}

static void address_line_20(void **state)
{
    struct fixture *f = create("i386", "486");

    poke(f, 0x100500, 0x11, 1);
    poke(f, 0x500, 0x22, 1);
    f->cpu->v.guest->set_irq(&f->cpu->v, X86_A20, false);
    f->cpu->v.guest->take_interrupt(&f->cpu->v);
    assert_int_equal(x86_system_load(f->cpu, 0x100500, 1), 0x22);
    f->cpu->v.guest->set_irq(&f->cpu->v, X86_A20, true);
    f->cpu->v.guest->take_interrupt(&f->cpu->v);
    assert_int_equal(x86_system_load(f->cpu, 0x100500, 1), 0x11);
    destroy(f);
}

/* ---- segments -------------------------------------------------------------------------------- */

static void segment_checks(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    x86_load_segment(cpu, SEG_DS, DATA3);
    assert_int_equal(descriptor_byte(f, DATA3), 0xf3); /* accessed */
    assert_int_equal(cpu->segment[SEG_DS].limit, UINT32_MAX);
    x86_load_segment(cpu, SEG_ES, CONFORMING | 3); /* conforming: privilege does not count */
    x86_load_segment(cpu, SEG_ES, 3);              /* null */
    assert_true(cpu->segment[SEG_ES].attributes & ATTR_UNUSABLE);
    RAISES(f, EXC_GP, 0, x86_load_segment(cpu, SEG_SS, 0));
    RAISES(f, EXC_NP, ABSENT, x86_load_segment(cpu, SEG_DS, ABSENT));
    RAISES(f, EXC_SS, STACK_ABSENT, x86_load_segment(cpu, SEG_SS, STACK_ABSENT));
    RAISES(f, EXC_GP, DATA0, x86_load_segment(cpu, SEG_DS, DATA0 | 3)); /* RPL 3, DPL 0 */
    RAISES(f, EXC_GP, EXECUTE_ONLY, x86_load_segment(cpu, SEG_DS, EXECUTE_ONLY));
    RAISES(f, EXC_GP, READ_ONLY, x86_load_segment(cpu, SEG_SS, READ_ONLY));
    RAISES(f, EXC_GP, DATA3 & 0xfffc, x86_load_segment(cpu, SEG_SS, DATA3));
    RAISES(f, EXC_GP, TSS_SEL, x86_load_segment(cpu, SEG_DS, TSS_SEL));
    RAISES(f, EXC_GP, 0x90, x86_load_segment(cpu, SEG_DS, 0x90)); /* beyond the table */
    RAISES(f, EXC_GP, 0x0c, x86_load_segment(cpu, SEG_DS, 0x0c)); /* no LDT */
    assert_int_equal(cpu->segment[SEG_SS].selector, DATA0);
    destroy(f);
    f = create_protected(3);
    RAISES(f, EXC_GP, DATA0, x86_load_segment(f->cpu, SEG_DS, DATA0));
    destroy(f);
}

/* Real mode keeps what protected mode has loaded. */
static void unreal_mode(void **state)
{
    struct fixture *f = create_protected(0);

    x86_set_cr0(f->cpu, f->cpu->cr0 & ~(uint64_t)CR0_PE);
    x86_load_segment(f->cpu, SEG_DS, 0x1234);
    assert_int_equal(f->cpu->segment[SEG_DS].base, 0x12340);
    assert_int_equal(f->cpu->segment[SEG_DS].limit, UINT32_MAX);
    destroy(f);
}

static void far_jumps(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    x86_far_jump(cpu, CODE0, 0x7000, 4);
    assert_int_equal(x86_ip(cpu), 0x7000);
    assert_int_equal(descriptor_byte(f, CODE0), 0x9b);
    RAISES(f, EXC_GP, 0, x86_far_jump(cpu, 0, 0, 4));
    RAISES(f, EXC_GP, DATA0, x86_far_jump(cpu, DATA0, 0, 4));
    RAISES(f, EXC_GP, CODE0, x86_far_jump(cpu, CODE0 | 3, 0, 4));
    RAISES(f, EXC_GP, CODE3 & 0xfffc, x86_far_jump(cpu, CODE3, 0, 4));
    describe(f, CODE0, 0, 0xfff, 0x409a);
    RAISES(f, EXC_GP, 0, x86_far_jump(cpu, CODE0, 0x1000, 4));
    describe(f, CODE0, 0, 0xfff, 0x401a);
    RAISES(f, EXC_NP, CODE0, x86_far_jump(cpu, CODE0, 0, 4));
    destroy(f);
}

/* ---- gates ----------------------------------------------------------------------------------- */

static void raise(struct fixture *f, enum x86_exception kind, uint32_t error)
{
    x86_raise_exception(&f->cpu->v, &(struct exception){.kind = kind, .syndrome = error});
}

static void interrupt_gate_inward(void **state)
{
    struct fixture *f = create_protected(3);
    struct x86_cpu *cpu = f->cpu;

    describe_gate(f, IDT + EXC_GP * 8, CODE0, HANDLER, TYPE_INTERRUPT32, 0, 0);
    raise(f, EXC_GP, 0x1234);
    assert_int_equal(cpu->cpl, 0);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 24);
    assert_int_equal(cpu->segment[SEG_SS].selector, DATA0);
    assert_int_equal(peek(f, STACK0 - 24, 4), 0x1234);
    assert_int_equal(peek(f, STACK0 - 20, 4), CODE);
    assert_int_equal(peek(f, STACK0 - 16, 4), CODE3);
    assert_int_equal(peek(f, STACK0 - 12, 4), EFLAGS_RF | EFLAGS_IF | EFLAGS_1);
    assert_int_equal(peek(f, STACK0 - 8, 4), STACK3);
    assert_int_equal(peek(f, STACK0 - 4, 4), DATA3);
    assert_false(cpu->eflags & EFLAGS_IF);
    cpu->gpr[RSP] += 4;
    x86_iret(cpu, 4);
    assert_int_equal(cpu->cpl, 3);
    assert_int_equal(x86_ip(cpu), CODE);
    assert_int_equal(cpu->gpr[RSP], STACK3);
    assert_true(cpu->eflags & EFLAGS_IF);
    destroy(f);
}

static void software_interrupts(void **state)
{
    struct fixture *f = create_protected(3);
    struct x86_cpu *cpu = f->cpu;

    describe_gate(f, IDT + 0x80 * 8, CODE0, HANDLER, TYPE_TRAP32, 0, 0);
    RAISES(f, EXC_GP, 0x80 << 3 | 2, x86_software_interrupt(cpu, 0x80, CODE + 2, true));
    describe_gate(f, IDT + 0x80 * 8, CODE0, HANDLER, TYPE_TRAP32, 3, 0);
    x86_software_interrupt(cpu, 0x80, CODE + 2, true);
    assert_int_equal(cpu->cpl, 0);
    assert_int_equal(peek(f, STACK0 - 20, 4), CODE + 2);
    assert_true(cpu->eflags & EFLAGS_IF); /* a trap gate leaves it */
    destroy(f);
}

/* SDM vol. 3, table 6-5. */
static void double_and_triple_faults(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    describe_gate(f, IDT + EXC_DF * 8, CODE0, HANDLER, TYPE_INTERRUPT32, 0, 0);
    raise(f, EXC_GP, 8); /* its gate is empty: #GP on #GP */
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(peek(f, STACK0 - 16, 4), 0);
    x86_set_ip(cpu, CODE);
    cpu->gpr[RSP] = STACK0;
    describe_gate(f, IDT + EXC_GP * 8, CODE0, HANDLER + 0x100, TYPE_INTERRUPT32, 0, 0);
    raise(f, EXC_UD, 0); /* benign, then #GP: that one, with the gate and EXT */
    assert_int_equal(x86_ip(cpu), HANDLER + 0x100);
    assert_int_equal(peek(f, STACK0 - 16, 4), EXC_UD << 3 | 3);
    cpu->idt.limit = 0;
    raise(f, EXC_UD, 0);
    assert_true(cpu->shutdown);
    destroy(f);
}

static void call_gates(void **state)
{
    struct fixture *f = create_protected(3);
    struct x86_cpu *cpu = f->cpu;

    describe_gate(f, GDT + (GATE & 0xfff8), CODE0, HANDLER, TYPE_CALL32, 3, 2);
    cpu->gpr[RSP] = STACK3 - 8;
    poke(f, STACK3 - 8, 0x11, 4);
    poke(f, STACK3 - 4, 0x22, 4);
    RAISES(f, EXC_GP, CODE0, x86_far_jump(cpu, GATE, 0, 4)); /* a jump stays at its level */
    x86_far_call(cpu, GATE, 0xdead, 4);
    assert_int_equal(cpu->cpl, 0);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 24);
    assert_int_equal(peek(f, STACK0 - 24, 4), CODE);
    assert_int_equal(peek(f, STACK0 - 20, 4), CODE3);
    assert_int_equal(peek(f, STACK0 - 16, 4), 0x11);
    assert_int_equal(peek(f, STACK0 - 12, 4), 0x22);
    assert_int_equal(peek(f, STACK0 - 8, 4), STACK3 - 8);
    assert_int_equal(peek(f, STACK0 - 4, 4), DATA3);
    x86_load_segment(cpu, SEG_ES, DATA0);
    x86_far_return(cpu, 4, 8);
    assert_int_equal(cpu->cpl, 3);
    assert_int_equal(cpu->gpr[RSP], STACK3); /* the parameters are gone there too */
    assert_true(cpu->segment[SEG_ES].attributes & ATTR_UNUSABLE);
    assert_int_equal(cpu->segment[SEG_DS].selector, DATA3);
    describe_gate(f, GDT + (GATE & 0xfff8), CODE0, HANDLER, TYPE_CALL32, 0, 0);
    RAISES(f, EXC_GP, GATE & 0xfffc, x86_far_call(cpu, GATE, 0, 4));
    destroy(f);
}

/* ---- tasks ----------------------------------------------------------------------------------- */

enum { TSS_IP = 0x20, TSS_FLAGS = 0x24, TSS_EAX = 0x28, TSS_ESP = 0x38, TSS_ES = 0x48 };

static void make_other_task(struct fixture *f)
{
    static const uint16_t segments[] = {DATA0, CODE0, DATA0, DATA0, 0, 0};

    poke(f, OTHER + TSS_IP, HANDLER, 4);
    poke(f, OTHER + TSS_FLAGS, EFLAGS_1, 4);
    poke(f, OTHER + TSS_EAX, 0xaaaa5555, 4);
    poke(f, OTHER + TSS_ESP, 0x7000, 4);
    for (unsigned i = 0; i < N_SEGMENTS; i++)
        poke(f, OTHER + TSS_ES + 4 * i, segments[i], 4);
    poke(f, OTHER + 0x60, LDT_SEL, 4);
}

static void task_jump(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    make_other_task(f);
    cpu->gpr[RBX] = 0x12345678;
    cpu->dr[7] |= 0x303;
    x86_far_jump(cpu, OTHER_SEL, 0, 4);
    assert_int_equal(cpu->tr.selector, OTHER_SEL);
    assert_int_equal(cpu->tr.base, OTHER);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->gpr[RAX], 0xaaaa5555);
    assert_int_equal(cpu->gpr[RSP], 0x7000);
    assert_int_equal(cpu->ldt.base, LDT);
    assert_true(cpu->segment[SEG_FS].attributes & ATTR_UNUSABLE);
    assert_int_equal(cpu->segment[SEG_DS].limit, UINT32_MAX);
    assert_true(cpu->cr0 & CR0_TS);
    assert_int_equal(cpu->dr[7] & 0x3ff, 0x202); /* local enables are gone */
    assert_false(cpu->eflags & (EFLAGS_NT | EFLAGS_IF));
    assert_int_equal(descriptor_byte(f, TSS_SEL), 0x89);
    assert_int_equal(descriptor_byte(f, OTHER_SEL), 0x8b);
    assert_int_equal(peek(f, TSS + TSS_IP, 4), CODE);
    assert_int_equal(peek(f, TSS + TSS_FLAGS, 4), EFLAGS_IF | EFLAGS_1);
    assert_int_equal(peek(f, TSS + TSS_EAX + 4 * RBX, 4), 0x12345678);
    assert_int_equal(peek(f, TSS + TSS_ES + 4 * SEG_CS, 2), CODE0);
    RAISES(f, EXC_GP, OTHER_SEL, x86_far_jump(cpu, OTHER_SEL, 0, 4)); /* busy */
    destroy(f);
}

static void task_call_and_return(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    make_other_task(f);
    describe_gate(f, GDT + TASK_GATE_SEL, OTHER_SEL, 0, TYPE_TASK_GATE, 0, 0);
    x86_far_call(cpu, TASK_GATE_SEL, 0, 4);
    assert_int_equal(cpu->tr.selector, OTHER_SEL);
    assert_true(cpu->eflags & EFLAGS_NT);
    assert_int_equal(peek(f, OTHER, 2), TSS_SEL);
    assert_int_equal(descriptor_byte(f, TSS_SEL), 0x8b);
    assert_int_equal(descriptor_byte(f, OTHER_SEL), 0x8b);
    x86_iret(cpu, 4);
    assert_int_equal(cpu->tr.selector, TSS_SEL);
    assert_int_equal(x86_ip(cpu), CODE);
    assert_int_equal(descriptor_byte(f, OTHER_SEL), 0x89);
    assert_int_equal(peek(f, OTHER + TSS_FLAGS, 4), EFLAGS_1); /* NT is clear in the image */
    assert_true(cpu->eflags & EFLAGS_IF);
    /* A task that is not busy cannot be returned to. */
    cpu->eflags |= EFLAGS_NT;
    poke(f, TSS, OTHER_SEL, 2);
    RAISES(f, EXC_TS, OTHER_SEL, x86_iret(cpu, 4));
    destroy(f);
}

static void task_gate_of_an_exception(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    make_other_task(f);
    describe_gate(f, IDT + EXC_GP * 8, OTHER_SEL, 0, TYPE_TASK_GATE, 0, 0);
    raise(f, EXC_GP, 0x1230);
    assert_int_equal(cpu->tr.selector, OTHER_SEL);
    assert_int_equal(cpu->gpr[RSP], 0x7000 - 4);
    assert_int_equal(peek(f, 0x7000 - 4, 4), 0x1230);
    assert_int_equal(peek(f, TSS + TSS_IP, 4), CODE);
    assert_true(peek(f, TSS + TSS_FLAGS, 4) & EFLAGS_RF);
    destroy(f);
}

static void task_switch_checks(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    make_other_task(f);
    describe(f, OTHER_SEL, OTHER, 0x66, 0x89);
    RAISES(f, EXC_TS, OTHER_SEL, x86_far_jump(cpu, OTHER_SEL, 0, 4));
    describe(f, OTHER_SEL, OTHER, 0x67, 0x09);
    RAISES(f, EXC_NP, OTHER_SEL, x86_far_jump(cpu, OTHER_SEL, 0, 4));
    assert_int_equal(cpu->tr.selector, TSS_SEL);
    /* Faults of the new task are taken in it. */
    describe(f, OTHER_SEL, OTHER, 0x67, 0x89);
    describe_gate(f, IDT + EXC_TS * 8, CODE0, HANDLER + 0x10, TYPE_INTERRUPT32, 0, 0);
    poke(f, OTHER + TSS_ES + 4 * SEG_DS, EXECUTE_ONLY, 2);
    x86_far_jump(cpu, OTHER_SEL, 0, 4);
    assert_int_equal(cpu->tr.selector, OTHER_SEL);
    assert_int_equal(x86_ip(cpu), HANDLER + 0x10);
    assert_int_equal(cpu->gpr[RSP], 0x7000 - 16);
    assert_int_equal(peek(f, 0x7000 - 16, 4), EXECUTE_ONLY);
    assert_int_equal(peek(f, 0x7000 - 12, 4), HANDLER);
    destroy(f);
}

static void task_of_16_bits(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    describe(f, OTHER_SEL, OTHER, 0x2b, 0x81);
    poke(f, OTHER + 0x0e, HANDLER, 2);
    poke(f, OTHER + 0x10, EFLAGS_1, 2);
    poke(f, OTHER + 0x12, 0x4321, 2);
    poke(f, OTHER + 0x1a, 0x7000, 2);
    poke(f, OTHER + 0x22, DATA0, 2);
    poke(f, OTHER + 0x24, CODE0, 2);
    poke(f, OTHER + 0x26, DATA0, 2);
    poke(f, OTHER + 0x28, DATA0, 2);
    x86_far_call(cpu, OTHER_SEL, 0, 4);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->gpr[RAX] & 0xffff, 0x4321);
    assert_int_equal(cpu->gpr[RSP] & 0xffff, 0x7000);
    assert_int_equal(descriptor_byte(f, OTHER_SEL), 0x83);
    x86_iret(cpu, 4);
    assert_int_equal(x86_ip(cpu), CODE);
    assert_int_equal(descriptor_byte(f, OTHER_SEL), 0x81);
    destroy(f);
}

/* ---- virtual-8086 mode ----------------------------------------------------------------------- */

static struct fixture *create_vm86(unsigned iopl)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;
    static const uint32_t frame[] = {0x100, 0x1000, 0, 0xff0, 0x2000, 0x300, 0x400, 0x500u, 0x600};

    for (unsigned i = 0; i < ARRAY_SIZE(frame); i++)
        poke(f, STACK0 - 36 + 4 * i, frame[i], 4);
    poke(f, STACK0 - 28, EFLAGS_1 | EFLAGS_VM | EFLAGS_IF | iopl << 12, 4);
    cpu->gpr[RSP] = STACK0 - 36;
    x86_iret(cpu, 4);
    return f;
}

static void vm86_entry_and_exit(void **state)
{
    struct fixture *f = create_vm86(3);
    struct x86_cpu *cpu = f->cpu;

    assert_true(cpu->v.run.key & KEY_VM86);
    assert_int_equal(cpu->cpl, 3);
    assert_int_equal(cpu->v.run.pc, 0x10100);
    assert_int_equal(cpu->gpr[RSP], 0xff0);
    assert_int_equal(cpu->segment[SEG_SS].base, 0x20000);
    assert_int_equal(cpu->segment[SEG_ES].selector, 0x300);
    assert_int_equal(cpu->segment[SEG_GS].base, 0x6000);
    assert_int_equal(cpu->segment[SEG_DS].limit, 0xffff);
    describe_gate(f, IDT + EXC_GP * 8, CODE0, HANDLER, TYPE_INTERRUPT32, 0, 0);
    raise(f, EXC_GP, 0);
    assert_int_equal(cpu->cpl, 0);
    assert_false(cpu->eflags & EFLAGS_VM);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 40);
    assert_int_equal(peek(f, STACK0 - 36, 4), 0x100);
    assert_true(peek(f, STACK0 - 28, 4) & EFLAGS_VM);
    assert_int_equal(peek(f, STACK0 - 20, 4), 0x2000);
    assert_int_equal(peek(f, STACK0 - 16, 4), 0x300);
    assert_int_equal(peek(f, STACK0 - 4, 4), 0x600);
    assert_int_equal(cpu->segment[SEG_DS].selector, 0);
    cpu->gpr[RSP] += 4;
    x86_iret(cpu, 4);
    assert_int_equal(cpu->v.run.pc, 0x10100);
    destroy(f);
}

static void vm86_privilege(void **state)
{
    struct fixture *f = create_vm86(0);
    struct x86_cpu *cpu = f->cpu;

    RAISES(f, EXC_GP, 0, x86_software_interrupt(cpu, 0x21, 0x102, true));
    RAISES(f, EXC_GP, 0, x86_iret(cpu, 2));
    /* INT3 and INTO are not sensitive to IOPL. */
    describe_gate(f, IDT + EXC_BP * 8, CODE0, HANDLER, TYPE_TRAP32, 3, 0);
    x86_software_interrupt(cpu, EXC_BP, 0x101, false);
    assert_int_equal(x86_ip(cpu), HANDLER);
    x86_iret(cpu, 4);
    assert_int_equal(cpu->v.run.pc, 0x10101);
    poke(f, TSS + 0x66, 0x68, 2);
    RAISES(f, EXC_GP, 0, x86_check_io(cpu, 0x60, 1)); /* the map is beyond the TSS */
    destroy(f);
}

enum { BITMAP = 0x90 };

/* CR4.VME: a clear bit of the map sends INT n to the program's own vector; IF is VIF. */
static void vm86_extensions(void **state)
{
    struct fixture *f = create_vm86(0);
    struct x86_cpu *cpu = f->cpu;

    x86_set_cr4(cpu, CR4_VME);
    cpu->tr.limit = 0x1ff;
    poke(f, TSS + 0x66, BITMAP, 2);
    poke(f, TSS + BITMAP - 32 + 0x22 / 8, 1 << (0x22 % 8), 1);
    poke(f, 0x21 * 4, 0x0abc | 0x3000 << 16, 4);
    cpu->eflags |= EFLAGS_VIF;
    x86_software_interrupt(cpu, 0x21, 0x102, true);
    assert_int_equal(cpu->v.run.pc, 0x30abc);
    assert_false(cpu->eflags & EFLAGS_VIF);
    assert_true(cpu->eflags & EFLAGS_IF);
    assert_int_equal(cpu->gpr[RSP], 0xff0 - 6);
    assert_int_equal(peek(f, 0x20ff0 - 6, 2), 0x102);
    assert_int_equal(peek(f, 0x20ff0 - 2, 2), EFLAGS_IOPL | EFLAGS_IF | EFLAGS_1);
    x86_iret(cpu, 2);
    assert_int_equal(cpu->v.run.pc, 0x10102);
    assert_true(cpu->eflags & EFLAGS_VIF);
    assert_int_equal(cpu->eflags & EFLAGS_IOPL, 0);
    RAISES(f, EXC_GP, 0, x86_software_interrupt(cpu, 0x22, 0x104, true));
    RAISES(f, EXC_GP, 0, x86_iret(cpu, 4)); /* only the 16-bit form */
    destroy(f);
}

static void port_permissions(void **state)
{
    struct fixture *f = create_protected(3);
    struct x86_cpu *cpu = f->cpu;

    cpu->tr.limit = BITMAP + 0x10;
    poke(f, TSS + 0x66, BITMAP, 2);
    x86_check_io(cpu, 0x60, 4);
    poke(f, TSS + BITMAP + 0x68 / 8, 1, 1); /* port 0x68 */
    x86_check_io(cpu, 0x64, 4);
    RAISES(f, EXC_GP, 0, x86_check_io(cpu, 0x65, 4));
    RAISES(f, EXC_GP, 0, x86_check_io(cpu, 0x68, 1));
    x86_check_io(cpu, 0x78, 1);
    RAISES(f, EXC_GP, 0, x86_check_io(cpu, 0x80, 1)); /* two bytes are read: one is beyond */
    cpu->eflags |= EFLAGS_IOPL;
    x86_check_io(cpu, 0x68, 1);
    destroy(f);
}

/* ---- long mode ------------------------------------------------------------------------------- */

static struct fixture *create_long(unsigned level)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    enter_long_mode(f);
    x86_far_jump(cpu, CODE64, CODE, 4);
    assert_true(cpu->v.run.key & KEY_CODE64);
    if (level) {
        cpu->segment[SEG_CS] = flat(CODE64 | 3, 0xa0fb);
        cpu->segment[SEG_SS] = flat(DATA3, 0xc0f3);
        x86_update_mode(cpu);
        cpu->gpr[RSP] = STACK3 + 8;
    }
    return f;
}

static void long_gate(struct fixture *f, unsigned vector, uint64_t offset, unsigned ist)
{
    uint64_t at = IDT + vector * 16;

    describe_gate(f, at, CODE64, (uint32_t)offset, TYPE_INTERRUPT32, 0, ist);
    poke(f, at + 8, offset >> 32, 8);
}

static void long_mode_interrupts(void **state)
{
    struct fixture *f = create_long(3);
    struct x86_cpu *cpu = f->cpu;
    const uint64_t high = UINT64_C(0xffff800000006000);

    long_gate(f, EXC_GP, high, 0);
    long_gate(f, EXC_UD, HANDLER, 1);
    poke(f, TSS + 4, STACK0 + 8, 8);        /* RSP0: is aligned to 16 */
    poke(f, TSS + 0x24, STACK0 - 0x100, 8); /* IST1 */
    raise(f, EXC_GP, 0x77);
    assert_int_equal(cpu->cpl, 0);
    assert_true(cpu->v.run.pc == high);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 48);
    assert_int_equal(peek(f, STACK0 - 48, 8), 0x77);
    assert_int_equal(peek(f, STACK0 - 40, 8), CODE);
    assert_int_equal(peek(f, STACK0 - 32, 8), CODE64 | 3);
    assert_int_equal(peek(f, STACK0 - 16, 8), STACK3 + 8);
    assert_int_equal(peek(f, STACK0 - 8, 8), DATA3);
    assert_int_equal(cpu->segment[SEG_SS].selector, 0); /* null, at the new level */
    raise(f, EXC_UD, 0);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 0x100 - 40);
    assert_int_equal(peek(f, STACK0 - 0x100 - 8, 8), 0);
    x86_iret(cpu, 8); /* to the same level: SS:RSP come back even so */
    assert_true(cpu->v.run.pc == high);
    assert_int_equal(cpu->gpr[RSP], STACK0 - 48);
    destroy(f);
}

/* SYSCALL and SYSRET run as instructions: F_PC, masks, levels. */
static void system_calls(void **state)
{
    struct fixture *f = create_long(3);
    struct x86_cpu *cpu = f->cpu;

    memory_write(f->memory, CODE, "\x0f\x05", 2);
    memory_write(f->memory, HANDLER, "\x48\x0f\x07", 3);
    x86_wrmsr(cpu, 0xc0000081, (uint64_t)(CODE64 - 16) << 48 | UINT64_C(8) << 32); /* STAR */
    x86_wrmsr(cpu, 0xc0000082, HANDLER);
    x86_wrmsr(cpu, 0xc0000084, EFLAGS_IF | EFLAGS_DF);
    cpu->df = 1;
    vcpu_step(&cpu->v, 1);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->cpl, 0);
    assert_int_equal(cpu->gpr[RCX], CODE + 2);
    assert_int_equal(cpu->gpr[11], EFLAGS_IF | EFLAGS_DF | EFLAGS_1);
    assert_int_equal(x86_eflags_read(cpu), EFLAGS_1);
    assert_int_equal(cpu->segment[SEG_CS].selector, 8);
    assert_int_equal(cpu->segment[SEG_SS].selector, 16);
    vcpu_step(&cpu->v, 1);
    assert_int_equal(x86_ip(cpu), CODE + 2);
    assert_int_equal(cpu->cpl, 3);
    assert_int_equal(x86_eflags_read(cpu), EFLAGS_IF | EFLAGS_DF | EFLAGS_1);
    assert_int_equal(cpu->segment[SEG_CS].selector, CODE64 | 3);
    destroy(f);
}

static void long_mode_checks(void **state)
{
    struct fixture *f = create_long(0);
    struct x86_cpu *cpu = f->cpu;
    const uint64_t hole = UINT64_C(0x0000800000000000);

    RAISES(f, EXC_GP, 0, x86_wrmsr(cpu, 0xc0000082, hole)); /* LSTAR */
    RAISES(f, EXC_GP, 0, x86_wrmsr(cpu, 0xc0000080, 0x100 | 1 << 20));
    RAISES(f, EXC_GP, 0, x86_wrmsr(cpu, 0xc0000080, 0));              /* LME with paging on */
    RAISES(f, EXC_GP, OTHER_SEL, x86_far_call(cpu, OTHER_SEL, 0, 4)); /* no tasks here */
    RAISES(f, EXC_GP, 0, x86_set_cr0(cpu, cpu->cr0 & ~(uint64_t)CR0_PG));
    cpu->eflags |= EFLAGS_NT;
    RAISES(f, EXC_GP, 0, x86_iret(cpu, 8));
    cpu->eflags &= ~(uint32_t)EFLAGS_NT;
    describe(f, CODE64, 0, 0xfffff, 0xe09a); /* L and D */
    RAISES(f, EXC_GP, CODE64, x86_far_jump(cpu, CODE64, 0, 4));
    /* IRET to an address that is not canonical. */
    describe(f, CODE64, 0, 0xfffff, 0xa09a);
    poke(f, STACK0 - 40, hole, 8);
    poke(f, STACK0 - 32, CODE64, 8);
    poke(f, STACK0 - 24, EFLAGS_1, 8);
    poke(f, STACK0 - 16, STACK0, 8);
    poke(f, STACK0 - 8, 0, 8);
    cpu->gpr[RSP] = STACK0 - 40;
    RAISES(f, EXC_GP, 0, x86_iret(cpu, 8));
    cpu->gpr[RSP] = hole + 8; /* stack addresses give #SS */
    RAISES(f, EXC_SS, 0, x86_iret(cpu, 8));
    x86_load_segment(cpu, SEG_SS, 0); /* null is allowed at level 0 */
    assert_int_equal(cpu->cpl, 0);
    destroy(f);
}

/* ---- debug registers ------------------------------------------------------------------------- */

static void data_breakpoints(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    cpu->dr[0] = 0x7002;
    cpu->dr[1] = 0x7100;
    cpu->dr[2] = 0x60;
    cpu->cr4 = CR4_DE;
    /* 0: write, 4 bytes; 1: read or write, 1 byte; 2: ports, 2 bytes; 3: not enabled */
    cpu->dr[7] = 0x400 | 1 | 4 | 16 | 1 << 16 | 3 << 18 | 3 << 20 | 2 << 24 | 1 << 26;
    x86_update_mode(cpu);
    assert_true(cpu->v.run.key & KEY_DATA_BREAK);
    assert_false(cpu->v.run.key & KEY_CODE_BREAK);
    x86_check_data_break(cpu, 0x7000, 4, false);
    x86_check_data_break(cpu, 0x6ffc, 4, true);
    x86_check_data_break(cpu, 0x7004, 1, true);
    assert_int_equal(cpu->pending_debug, 0);
    x86_check_data_break(cpu, 0x7003, 1, true); /* the address is aligned to the length */
    assert_int_equal(cpu->pending_debug, 1);
    x86_check_data_break(cpu, 0x70fe, 4, false);
    assert_int_equal(cpu->pending_debug, 3);
    cpu->pending_debug = 0;
    x86_check_io(cpu, 0x62, 1);
    x86_check_data_break(cpu, 0x60, 1, true);
    assert_int_equal(cpu->pending_debug, 0);
    x86_check_io(cpu, 0x61, 1);
    assert_int_equal(cpu->pending_debug, 4);
    destroy(f);
}

static void instruction_breakpoints(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    memory_write(f->memory, CODE, "\x90\x90\x90\x90", 4);
    describe_gate(f, IDT + EXC_DB * 8, CODE0, HANDLER, TYPE_INTERRUPT32, 0, 0);
    cpu->dr[0] = CODE + 1;
    cpu->dr[7] = 0x402;
    x86_update_mode(cpu);
    vcpu_step(&cpu->v, 1);
    assert_int_equal(x86_ip(cpu), CODE + 1);
    vcpu_step(&cpu->v, 1);
    assert_int_equal(x86_ip(cpu), HANDLER);
    assert_int_equal(cpu->dr[6], 0xffff0ff1);
    assert_int_equal(peek(f, STACK0 - 12, 4), CODE + 1); /* a fault */
    assert_false(peek(f, STACK0 - 4, 4) & EFLAGS_RF);
    poke(f, STACK0 - 4, EFLAGS_1 | EFLAGS_RF, 4);
    x86_iret(cpu, 4);
    vcpu_step(&cpu->v, 1); /* RF: not again */
    assert_int_equal(x86_ip(cpu), CODE + 2);
    assert_false(cpu->eflags & EFLAGS_RF);
    destroy(f);
}

static void single_steps(void **state)
{
    struct fixture *f = create_protected(0);
    struct x86_cpu *cpu = f->cpu;

    memory_write(f->memory, CODE, "\x90\x90", 2);
    memory_write(f->memory, HANDLER, "\x90", 1);
    describe_gate(f, IDT + EXC_DB * 8, CODE0, HANDLER, TYPE_INTERRUPT32, 0, 0);
    x86_eflags_write(cpu, EFLAGS_TF, EFLAGS_TF);
    vcpu_step(&cpu->v, 2); /* the NOP, then the handler's first */
    assert_int_equal(x86_ip(cpu), HANDLER + 1);
    assert_int_equal(cpu->dr[6], 0xffff4ff0);
    assert_int_equal(peek(f, STACK0 - 12, 4), CODE + 1);
    assert_true(peek(f, STACK0 - 4, 4) & EFLAGS_TF);
    destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_32_bits),
        cmocka_unit_test(pages_of_pae),
        cmocka_unit_test(pages_of_four_levels),
        cmocka_unit_test(supervisor_protection),
        cmocka_unit_test(process_context_identifiers),
        cmocka_unit_test(translations_follow_the_tables),
        cmocka_unit_test(translations_of_single_pages_go),
        cmocka_unit_test(translations_with_identifiers),
        cmocka_unit_test(random_tables),
        cmocka_unit_test(identification),
        cmocka_unit_test(address_line_20),
        cmocka_unit_test(segment_checks),
        cmocka_unit_test(unreal_mode),
        cmocka_unit_test(far_jumps),
        cmocka_unit_test(interrupt_gate_inward),
        cmocka_unit_test(software_interrupts),
        cmocka_unit_test(double_and_triple_faults),
        cmocka_unit_test(call_gates),
        cmocka_unit_test(task_jump),
        cmocka_unit_test(task_call_and_return),
        cmocka_unit_test(task_gate_of_an_exception),
        cmocka_unit_test(task_switch_checks),
        cmocka_unit_test(task_of_16_bits),
        cmocka_unit_test(vm86_entry_and_exit),
        cmocka_unit_test(vm86_privilege),
        cmocka_unit_test(vm86_extensions),
        cmocka_unit_test(port_permissions),
        cmocka_unit_test(long_mode_interrupts),
        cmocka_unit_test(system_calls),
        cmocka_unit_test(long_mode_checks),
        cmocka_unit_test(data_breakpoints),
        cmocka_unit_test(instruction_breakpoints),
        cmocka_unit_test(single_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
