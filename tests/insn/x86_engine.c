/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bare x86 guest of the instruction tests; see x86_engine.h. */
#include "tests/insn/x86_engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "frontend/x86/system.h"
#include "frontend/x86/x87.h"
#include "softmmu/memory.h"

/* Where things lie in guest-physical memory. One page directory pointer entry (1 GiB) and one page
 * directory entry (2 MiB) reach both areas each. */
enum {
    TABLE_BASE = 0x10000,
    GDT_PHYSICAL = 0x30000,
    PDPT_SHIFT = 30,
    CODE_PHYSICAL = 0x100000,
    DATA_PHYSICAL = 0x200000,
    STOP_ADDRESS = 0x1000, /* where an exception "goes": a breakpoint, no memory */
    MAX_REPEATS = 100,     /* a repeated string instruction comes back now and then */
    MAX_UNITS = 20000,
    XSTATE_BV = 512, /* offset in the XSAVE area, SDM vol. 1, 13.4.2 */
};
enum { PTE_P = 1, PTE_W = 2, PTE_U = 4 };
#define PTE_NX (UINT64_C(1) << 63)
/* Where no program reaches. */
#define GDT_BASE UINT64_C(0xffff800000000000)

static struct x86_result *noted; /* of the case that runs */

static NORETURN void die(const struct error *err)
{
    fprintf(stderr, "cannot build the test machine: %s\n", err->message);
    exit(1);
}

/* In the guest's stead: takes the registers down as they are and has the run end. */
static void note_exception(struct vcpu *v, const struct exception *e)
{
    struct x86_cpu *cpu = x86_cpu(v);

    noted->outcome = (int)x86_exception_vector(cpu, e);
    noted->error_code = e->syndrome;
    noted->address = noted->outcome == EXC_PF ? e->address : 0;
    noted->after.rip = x86_ip(cpu);
    v->run.pc = STOP_ADDRESS;
}

static const struct guest *test_guest(bool wide)
{
    static struct guest guests[2];

    guests[wide] = *guest_find(wide ? "x86_64" : "i386");
    guests[wide].raise = note_exception;
    return &guests[wide];
}

struct page_tables {
    uint64_t *entries;
    unsigned top_shift, used;
};

/* Four levels, or PAE's three: SDM vol. 3, 4.4 and 4.5. */
static void map_pages(struct page_tables *t, uint64_t address, uint64_t physical, uint64_t bytes,
                      uint64_t bits)
{
    for (uint64_t at = 0; at < bytes; at += 4096) {
        uint64_t *table = t->entries;
        for (unsigned shift = t->top_shift; shift > 12; shift -= 9) {
            uint64_t *entry = &table[(address + at) >> shift & 511];
            if (!*entry)
                *entry = (TABLE_BASE + 4096u * ++t->used) | PTE_P |
                         (shift == PDPT_SHIFT && t->top_shift == shift ? 0 : PTE_W | PTE_U);
            table = t->entries + ((*entry & ~UINT64_C(0xfff)) - TABLE_BASE) / 8;
        }
        table[(address + at) >> 12 & 511] = (physical + at) | bits;
    }
}

/* What of Linux's GDT a program can load. */
static const uint64_t gdt[16] = {
    [SELECTOR_CODE32 / 8] = UINT64_C(0x00cffb000000ffff),
    [SELECTOR_DATA / 8] = UINT64_C(0x00cff3000000ffff),
    [SELECTOR_CODE64 / 8] = UINT64_C(0x00affb000000ffff),
};

/* 16-bit code; data with a 32-bit stack pointer. Behind the GDT. */
#define DESCRIPTOR(base, bytes, high)                                                              \
    ((uint64_t)((bytes)-1) | ((uint64_t)(base)&0xffffff) << 16 | ((uint64_t)(base) >> 24) << 56 |  \
     (uint64_t)(high) << 40)
static const uint64_t ldt[2] = {
    [SELECTOR_CODE16 / 8] = DESCRIPTOR(CODE_BASE, CODE_BYTES, 0x00fb),
    [SELECTOR_DATA16 / 8] = DESCRIPTOR(DATA_BASE, DATA_BYTES, 0x40f3),
};

static void make_memory(struct x86_engine *e)
{
    struct error err;
    struct page_tables tables = {.top_shift = e->wide ? PDPT_SHIFT + 9 : PDPT_SHIFT};
    uint8_t *code, *table;

    e->memory = memory_create(&e->lock, &err);
    e->ports = memory_create(&e->lock, &err);
    if (!e->memory || !e->ports)
        die(&err);
    tables.entries =
        (uint64_t *)(void *)memory_add_ram(e->memory, "tables", TABLE_BASE, 0x10000, &err);
    code = memory_add_ram(e->memory, "code", CODE_PHYSICAL, CODE_BYTES, &err);
    e->data = memory_add_ram(e->memory, "data", DATA_PHYSICAL, DATA_BYTES, &err);
    table = memory_add_ram(e->memory, "gdt", GDT_PHYSICAL, 4096, &err);
    if (!tables.entries || !code || !e->data || !table)
        die(&err);
    memcpy(table, gdt, sizeof(gdt));
    memcpy(table + sizeof(gdt), ldt, sizeof(ldt));
    memset(code, FILLER, CODE_BYTES);
    map_pages(&tables, CODE_BASE, CODE_PHYSICAL, CODE_BYTES, PTE_P | PTE_U);
    map_pages(&tables, DATA_BASE, DATA_PHYSICAL, DATA_BYTES, PTE_P | PTE_W | PTE_U | PTE_NX);
    map_pages(&tables, e->wide ? GDT_BASE : GDT_BASE32, GDT_PHYSICAL, 4096, PTE_P | PTE_W);
}

void x86_engine_drop_code32(struct x86_engine *e)
{
    const uint64_t absent = 0;

    memory_write(e->memory, GDT_PHYSICAL + (SELECTOR_CODE32 & ~7), &absent, sizeof(absent));
}

void x86_engine_drop_code16(struct x86_engine *e)
{
    const uint64_t absent[ARRAY_SIZE(ldt)] = {0};

    memory_write(e->memory, GDT_PHYSICAL + sizeof(gdt), absent, sizeof(absent));
}

void x86_engine_init(struct x86_engine *e, bool wide, const struct exec_options *options)
{
    const struct guest *guest = test_guest(wide);
    struct error err;

    memset(e, 0, sizeof(*e));
    e->wide = wide;
    memory_lock_init(&e->lock);
    e->clock = clock_create_manual();
    make_memory(e);
    e->exec = exec_create(guest, e->memory, options, &err);
    if (!e->exec)
        die(&err);
    e->cpu = vcpu_create(e->exec, "max", e->clock, &e->lock, 0, &err);
    if (!e->cpu)
        die(&err);
    e->cpu->ports = e->ports;
    vcpu_reset(e->cpu);
    vcpu_add_breakpoint(e->cpu, STOP_ADDRESS);
}

void x86_engine_finish(struct x86_engine *e)
{
    vcpu_destroy(e->cpu);
    exec_destroy(e->exec);
    memory_destroy(e->memory);
    memory_destroy(e->ports);
    clock_destroy(e->clock);
    pthread_mutex_destroy(&e->lock);
}

/* ---- one case -------------------------------------------------------------------------------- */

/* Like Linux, for a program; or the same at CPL 0. */
static void enter_segments16(struct x86_cpu *cpu, uint16_t common, bool stack16)
{
    const struct x86_segment data = {.selector = SELECTOR_DATA16,
                                     .attributes = common | ATTR_WRITABLE | ATTR_DB,
                                     .limit = DATA_BYTES - 1,
                                     .base = DATA_BASE};

    cpu->segment[SEG_ES] = cpu->segment[SEG_SS] = cpu->segment[SEG_DS] = data;
    if (stack16)
        cpu->segment[SEG_SS].attributes &= (uint16_t)~ATTR_DB;
    cpu->segment[SEG_CS] = (struct x86_segment){.selector = SELECTOR_CODE16,
                                                .attributes = common | ATTR_CODE | ATTR_READABLE,
                                                .limit = CODE_BYTES - 1,
                                                .base = CODE_BASE};
}

static void enter_mode(struct x86_cpu *cpu, bool wide, const struct x86_case *c)
{
    const bool code64 = c->code64;
    const unsigned cpl = c->supervisor ? 0 : 3;
    const uint16_t common = (uint16_t)(ATTR_P | ATTR_S | cpl << ATTR_DPL_SHIFT | ATTR_ACCESSED);
    const struct x86_segment data = {.selector = (uint16_t)(0x28 | cpl),
                                     .attributes = common | ATTR_WRITABLE | ATTR_DB | ATTR_G,
                                     .limit = UINT32_MAX};
    static const struct x86_segment null = {.attributes = ATTR_UNUSABLE};

    cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    cpu->cr3 = TABLE_BASE;
    cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;
    cpu->efer = EFER_NXE | (wide ? EFER_SCE | EFER_LME | EFER_LMA : 0);
    cpu->xcr0 = 7;
    cpu->tr.limit = 0; /* no port is permitted */
    cpu->ldt = (struct x86_segment){.attributes = ATTR_P | 2, .limit = sizeof(ldt) - 1};
    cpu->ldt.base = (wide ? GDT_BASE : GDT_BASE32) + sizeof(gdt);
    cpu->gdt = (struct x86_table){wide ? GDT_BASE : GDT_BASE32, sizeof(gdt) - 1};
    cpu->segment[SEG_ES] = cpu->segment[SEG_SS] = cpu->segment[SEG_DS] = data;
    cpu->segment[SEG_CS] = data;
    cpu->segment[SEG_CS].selector = (uint16_t)((code64 ? 0x30 : 0x20) | cpl);
    cpu->segment[SEG_CS].attributes =
        common | ATTR_CODE | ATTR_READABLE | ATTR_G | (code64 ? ATTR_L : ATTR_DB);
    cpu->segment[SEG_FS] = cpu->segment[SEG_GS] = null;
    if (code64)
        cpu->segment[SEG_GS].base = GS_BASE;
    if (c->code16)
        enter_segments16(cpu, common, c->stack16);
    if (!wide)
        x86_load_pdptes(cpu, TABLE_BASE);
}

static void set_registers(struct x86_cpu *cpu, const struct x86_case *c)
{
    const struct x86_registers *r = &c->before;
    uint64_t present = 1;
    uint16_t control;
    uint32_t mxcsr;

    memcpy(cpu->gpr, r->gpr, sizeof(cpu->gpr));
    cpu->eflags = r->eflags & (EFLAGS_IF | EFLAGS_AC | EFLAGS_ID | EFLAGS_NT);
    cpu->status = x86_eflags_to_status(r->eflags);
    cpu->df = (r->eflags & EFLAGS_DF) != 0;
    cpu->inhibit = cpu->pending_debug = 0;
    run_x87_sync(&cpu->v.run, true);
    memcpy(cpu->v.run.x87, r->legacy, LEGACY_XMM);
    memcpy(cpu->v.run.x87 + XSTATE_BV, &present, sizeof(present));
    memcpy(&control, r->legacy, sizeof(control));
    x87_set_control(cpu, control);
    cpu->fpu_opcode = cpu->fpu_cs = cpu->fpu_ds = 0;
    cpu->fpu_ip = cpu->fpu_dp = 0;
    memcpy(&mxcsr, r->legacy + LEGACY_MXCSR, sizeof(mxcsr));
    x86_mxcsr_write(cpu, mxcsr);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(cpu->ymm[i], r->legacy + LEGACY_XMM + 16 * i, 16);
        memcpy(&cpu->ymm[i][2], r->ymm_high[i], 16);
    }
    x86_update_mode(cpu);
    cpu->v.run.pc = r->rip;
    cpu->v.halted = false;
}

static void get_registers(struct x86_cpu *cpu, struct x86_registers *out)
{
    uint32_t mxcsr = x86_mxcsr_read(cpu);
    uint16_t status;

    static const uint8_t shown[] = {SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_GS};

    for (unsigned i = 0; i < ARRAY_SIZE(shown); i++)
        out->selector[i] = cpu->segment[shown[i]].selector;
    memcpy(out->gpr, cpu->gpr, sizeof(out->gpr));
    out->eflags = x86_eflags_read(cpu);
    run_x87_sync(&cpu->v.run, true);
    status = x87_status(cpu);
    memcpy(out->legacy, cpu->v.run.x87, LEGACY_XMM);
    memcpy(out->legacy, &cpu->fpu_control, 2);
    memcpy(out->legacy + 2, &status, sizeof(status));
    memcpy(out->legacy + LEGACY_MXCSR, &mxcsr, sizeof(mxcsr));
    for (unsigned i = 0; i < 16; i++) {
        memcpy(out->legacy + LEGACY_XMM + 16 * i, cpu->ymm[i], 16);
        memcpy(out->ymm_high[i], &cpu->ymm[i][2], 16);
    }
}

static void set_code(struct x86_engine *e, const struct x86_case *c, bool present)
{
    uint8_t bytes[MAX_CODE];

    memset(bytes, FILLER, sizeof(bytes));
    memcpy(bytes, c->code, present ? c->length : 0);
    memory_write(e->memory, CODE_PHYSICAL + (c->before.rip - CODE_BASE), bytes, c->length);
}

/* A repeated string instruction may go on in several steps. */
static void step(struct x86_engine *e, const struct x86_case *c)
{
    for (unsigned i = 0; i < MAX_REPEATS && noted->outcome == OUTCOME_DONE; i++) {
        vcpu_step(e->cpu, 1);
        if (e->cpu->run.pc != c->before.rip)
            break;
    }
}

void x86_engine_run(struct x86_engine *e, const struct x86_case *c, struct x86_result *out)
{
    struct x86_cpu *cpu = x86_cpu(e->cpu);
    uint64_t end = c->before.rip + c->length;

    set_code(e, c, true);
    x86_case_fill(c, e->data);
    if (c->supervisor) /* it may have changed anything */
        vcpu_reset(e->cpu);
    enter_mode(cpu, e->wide, c);
    set_registers(cpu, c);
    out->outcome = OUTCOME_DONE;
    out->error_code = 0;
    out->address = 0;
    noted = out;
    if (c->n_insns > 1) {
        vcpu_add_breakpoint(e->cpu, end);
        vcpu_run_here(e->cpu, MAX_UNITS);
        vcpu_remove_breakpoint(e->cpu, end);
    } else {
        step(e, c);
    }
    if (out->outcome == OUTCOME_DONE)
        out->after.rip = x86_ip(cpu);
    get_registers(cpu, &out->after);
    memcpy(out->data, e->data, DATA_BYTES);
    set_code(e, c, false);
}

const char *x86_engine_difference(const struct x86_engine *a, const struct x86_engine *b)
{
    const struct x86_cpu *x = x86_cpu(a->cpu), *y = x86_cpu(b->cpu);

#define SAME(member)                                                                               \
    if (memcmp(&x->member, &y->member, sizeof(x->member)))                                         \
    return #member
    SAME(v.run.pc);
    SAME(v.run.key);
    SAME(v.halted);
    SAME(gpr);
    SAME(df);
    SAME(eflags);
    SAME(inhibit);
    SAME(pending_debug);
    SAME(segment);
    SAME(ldt);
    SAME(tr);
    SAME(gdt.base);
    SAME(gdt.limit);
    SAME(idt.base);
    SAME(idt.limit);
    SAME(cpl);
    SAME(cr0);
    SAME(cr2);
    SAME(cr3);
    SAME(cr4);
    SAME(efer);
    SAME(xcr0);
    SAME(dr);
    SAME(star);
    SAME(lstar);
    SAME(cstar);
    SAME(sfmask);
    SAME(kernel_gs_base);
    SAME(tsc_aux);
    SAME(pat);
    SAME(sysenter_cs);
    SAME(sysenter_esp);
    SAME(sysenter_eip);
    SAME(ymm);
    SAME(mxcsr);
    SAME(fpu_control);
    SAME(fpu_opcode);
    SAME(fpu_cs);
    SAME(fpu_ds);
    SAME(fpu_ip);
    SAME(fpu_dp);
#undef SAME
    return NULL;
}
