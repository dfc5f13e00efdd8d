/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Task switches (SDM vol. 3, chapter 8).
 *
 * A switch has two halves. Until the new task's registers are loaded, faults belong to the old task
 * and nothing of the processor has changed; from then on they belong to the new one, at its EIP.
 */
#include "frontend/x86/system.h"

enum { N_GPRS = 8, DR6_BT = 1 << 15, DR7_LOCAL = 0x155, BUSY = 0x200 };

/* Offsets within a TSS, SDM vol. 3, figures 8-2 and 8-10. Selectors stand in the order of enum
 * x86_segment_register. */
struct layout {
    uint8_t bytes; /* of a field */
    uint8_t cr3;   /* 0: none */
    uint8_t ip, flags, gpr, segment, n_segments, ldt, trap;
    uint8_t last; /* byte that has to be within the limit */
};

static const struct layout layout16 = {
    .bytes = 2,
    .ip = 0x0e,
    .flags = 0x10,
    .gpr = 0x12,
    .segment = 0x22,
    .n_segments = 4,
    .ldt = 0x2a,
    .last = 0x2b,
};

static const struct layout layout32 = {
    .bytes = 4,
    .cr3 = 0x1c,
    .ip = 0x20,
    .flags = 0x24,
    .gpr = 0x28,
    .segment = 0x48,
    .n_segments = 6,
    .ldt = 0x60,
    .trap = 0x64,
    .last = 0x67,
};

struct task {
    const struct layout *layout;
    uint32_t base;
    uint32_t cr3, ip, flags, gpr[N_GPRS];
    uint16_t segment[N_SEGMENTS], ldt;
    bool trap;
};

/* ---- the two TSSs in memory ------------------------------------------------------------------ */

static uint32_t tss_load(struct x86_cpu *cpu, uint32_t base, unsigned offset, unsigned size)
{
    return (uint32_t)x86_system_load(cpu, (uint32_t)(base + offset), size);
}

static void tss_store(struct x86_cpu *cpu, uint32_t base, unsigned offset, unsigned size,
                      uint32_t value)
{
    x86_system_store(cpu, (uint32_t)(base + offset), size, value);
}

static const struct layout *layout_of(const struct x86_segment *tr)
{
    return tr->attributes & 8 ? &layout32 : &layout16;
}

/* Table 8-1: the new TSS is there, of the right kind, in the right state and long enough. */
static struct x86_descriptor read_tss(struct x86_cpu *cpu, uint16_t selector,
                                      enum x86_task_source source, uint32_t ext)
{
    bool iret = source == TASK_IRET;
    enum x86_exception kind = iret ? EXC_TS : EXC_GP;
    uint32_t error = selector_error(selector) | ext;
    struct x86_descriptor d;
    struct x86_segment tss;
    unsigned type;

    if (selector & 4 || !x86_descriptor_read(cpu, selector, &d) || descriptor_is_segment(&d))
        x86_raise(cpu, kind, error);
    type = descriptor_type(&d);
    if (type != (iret ? TYPE_TSS16_BUSY : TYPE_TSS16) &&
        type != (iret ? TYPE_TSS32_BUSY : TYPE_TSS32))
        x86_raise(cpu, kind, error);
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_NP, error);
    tss = x86_segment_of(selector, &d);
    if (tss.limit < layout_of(&tss)->last)
        x86_raise(cpu, EXC_TS, error);
    return d;
}

static struct task read_task(struct x86_cpu *cpu, const struct x86_segment *tss)
{
    const struct layout *l = layout_of(tss);
    struct task t = {.layout = l, .base = (uint32_t)tss->base};

    if (l->cr3)
        t.cr3 = tss_load(cpu, t.base, l->cr3, 4);
    t.ip = tss_load(cpu, t.base, l->ip, l->bytes);
    t.flags = tss_load(cpu, t.base, l->flags, l->bytes);
    for (unsigned i = 0; i < N_GPRS; i++)
        t.gpr[i] = tss_load(cpu, t.base, l->gpr + i * l->bytes, l->bytes);
    for (unsigned i = 0; i < l->n_segments; i++)
        t.segment[i] = (uint16_t)tss_load(cpu, t.base, l->segment + i * l->bytes, 2);
    t.ldt = (uint16_t)tss_load(cpu, t.base, l->ldt, 2);
    if (l->trap)
        t.trap = tss_load(cpu, t.base, l->trap, 2) & 1;
    return t;
}

/* Raises the page fault that a store to these bytes would. */
static void check_writable(struct x86_cpu *cpu, uint32_t linear, unsigned size)
{
    gpa physical;

    mmu_physical(cpu->v.mmu, linear, MMU_WRITE, false, &physical);
    mmu_physical(cpu->v.mmu, (uint32_t)(linear + size - 1), MMU_WRITE, false, &physical);
}

static void save_task(struct x86_cpu *cpu, uint64_t ip, uint32_t flags)
{
    const struct layout *l = layout_of(&cpu->tr);
    uint32_t base = (uint32_t)cpu->tr.base;

    check_writable(cpu, base + l->ip, l->ldt - l->ip);
    tss_store(cpu, base, l->ip, l->bytes, (uint32_t)ip);
    tss_store(cpu, base, l->flags, l->bytes, flags);
    for (unsigned i = 0; i < N_GPRS; i++)
        tss_store(cpu, base, l->gpr + i * l->bytes, l->bytes, (uint32_t)cpu->gpr[i]);
    for (unsigned i = 0; i < l->n_segments; i++)
        tss_store(cpu, base, l->segment + i * l->bytes, 2, cpu->segment[i].selector);
}

/* The old TSS's descriptor is available again. */
static void clear_busy(struct x86_cpu *cpu)
{
    struct x86_descriptor d;

    if (x86_descriptor_read(cpu, cpu->tr.selector & 0xfff8, &d))
        x86_system_store(cpu, d.address + 4, 4, d.high & ~(uint32_t)BUSY);
}

/* ---- the new task's segments ----------------------------------------------------------------- */

static void load_ldt(struct x86_cpu *cpu, uint16_t selector, uint32_t ext)
{
    struct x86_descriptor d;

    if (!(selector & 0xfffc))
        return;
    if (selector & 4 || !x86_descriptor_read(cpu, selector, &d) || descriptor_is_segment(&d) ||
        descriptor_type(&d) != TYPE_LDT || !descriptor_present(&d))
        x86_raise(cpu, EXC_TS, selector_error(selector) | ext);
    cpu->ldt = x86_segment_of(selector, &d);
}

/* Kind and privilege fit the register and the new task's level (table 8-1). */
static bool may_load(enum x86_segment_register seg, uint16_t selector,
                     const struct x86_descriptor *d, unsigned level)
{
    bool code = descriptor_is_code(d), conforming = code && d->high & 0x400;
    unsigned dpl = descriptor_dpl(d), rpl = selector & 3;

    if (!descriptor_is_segment(d))
        return false;
    if (seg == SEG_CS)
        return code && (conforming ? dpl <= level : dpl == level);
    if (seg == SEG_SS)
        return !code && d->high & 0x200 && dpl == level && rpl == level;
    return (!code || d->high & 0x200) && (conforming || (dpl >= level && dpl >= rpl));
}

static void load_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector,
                         unsigned level, uint32_t ext)
{
    bool data = seg != SEG_CS && seg != SEG_SS;
    uint32_t error = selector_error(selector) | ext;
    struct x86_descriptor d;

    if (data && !(selector & 0xfffc))
        return;
    if (!x86_descriptor_read(cpu, selector, &d) || !may_load(seg, selector, &d, level))
        x86_raise(cpu, EXC_TS, error);
    if (!descriptor_present(&d))
        x86_raise(cpu, seg == SEG_SS ? EXC_SS : EXC_NP, error);
    x86_descriptor_set_accessed(cpu, &d);
    cpu->segment[seg] = x86_segment_of(selector, &d);
    x86_update_mode(cpu);
}

static void load_segments(struct x86_cpu *cpu, const struct task *t, uint32_t ext)
{
    static const uint8_t order[] = {SEG_CS, SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS};

    load_ldt(cpu, t->ldt, ext);
    if (cpu->eflags & EFLAGS_VM)
        return;
    for (unsigned i = 0; i < N_SEGMENTS; i++) {
        load_segment(cpu, order[i], t->segment[order[i]], t->segment[SEG_CS] & 3, ext);
        x86_set_ip(cpu, t->ip); /* by the base of CS */
    }
}

/* ---- the switch ------------------------------------------------------------------------------ */

/* Registers as the TSS has them. Segments have their selectors, and fault until they are checked.
 */
static void load_registers(struct x86_cpu *cpu, const struct task *t, bool nested)
{
    unsigned level = t->segment[SEG_CS] & 3;

    cpu->cr0 |= CR0_TS;
    cpu->dr[7] &= ~(uint64_t)DR7_LOCAL;
    for (unsigned i = 0; i < N_GPRS; i++)
        cpu->gpr[i] = t->gpr[i];
    x86_eflags_write(cpu, t->flags | (nested ? EFLAGS_NT : 0), UINT32_MAX);
    cpu->ldt = (struct x86_segment){.selector = t->ldt, .attributes = ATTR_UNUSABLE};
    for (unsigned i = 0; i < N_SEGMENTS; i++) {
        if (cpu->eflags & EFLAGS_VM)
            x86_load_real_segment(cpu, i, t->segment[i]);
        else
            cpu->segment[i] = (struct x86_segment){
                .selector = t->segment[i],
                .attributes = (uint16_t)(ATTR_UNUSABLE | level << ATTR_DPL_SHIFT),
            };
    }
    x86_update_mode(cpu);
    x86_set_ip(cpu, t->ip);
}

/* What may fault in the new task. */
static void settle(struct x86_cpu *cpu, const struct task *t, uint32_t ext,
                   const uint32_t *error_code)
{
    if (t->layout->cr3 && cpu->cr0 & CR0_PG && t->cr3 != cpu->cr3)
        x86_set_cr3(cpu, t->cr3);
    load_segments(cpu, t, ext);
    if (error_code) {
        struct x86_stack s = x86_current_stack(cpu);
        x86_stack_push(cpu, &s, t->layout->bytes, *error_code);
        x86_set_sp(cpu, s.pointer, s.mask);
    }
    if (t->ip > cpu->segment[SEG_CS].limit)
        x86_raise_gp(cpu, ext);
    if (t->trap) {
        cpu->pending_debug |= DR6_BT;
        vcpu_kick(&cpu->v);
    }
}

/* An event's delivery catches faults of its own (exceptions.c). Those of an instruction must not
 * leave through vcpu_raise: it would go back to the old task's instruction. */
static void settle_guarded(struct x86_cpu *cpu, const struct task *t, const uint32_t *error_code)
{
    struct x86_system *sys = cpu->sys;
    jmp_buf here;

    if (sys->trap) {
        settle(cpu, t, 1, error_code);
        return;
    }
    if (setjmp(here)) {
        struct exception e = sys->trapped;
        sys->trap = NULL;
        x86_raise_exception(&cpu->v, &e);
        return;
    }
    sys->trap = &here;
    settle(cpu, t, 0, error_code);
    sys->trap = NULL;
}

/* SDM vol. 3, 8.3; privilege has been checked by the caller. */
void x86_task_switch(struct x86_cpu *cpu, uint16_t selector, enum x86_task_source source,
                     uint64_t next_ip, bool has_error_code, uint32_t error_code)
{
    uint32_t ext = source == TASK_GATE && cpu->sys->trap ? 1 : 0, flags = x86_eflags_read(cpu);
    struct x86_descriptor d = read_tss(cpu, selector, source, ext);
    struct x86_segment tss = x86_segment_of(selector, &d);
    struct task task = read_task(cpu, &tss);
    bool nested = source == TASK_CALL || source == TASK_GATE;

    if (nested)
        check_writable(cpu, task.base, 2);
    check_writable(cpu, (uint32_t)d.address + 4, 4);
    if (source == TASK_IRET)
        flags &= ~(uint32_t)EFLAGS_NT;
    save_task(cpu, next_ip, flags);
    if (!nested)
        clear_busy(cpu);
    else
        tss_store(cpu, task.base, 0, 2, cpu->tr.selector);
    if (source != TASK_IRET) {
        d.high |= BUSY;
        x86_system_store(cpu, d.address + 4, 4, d.high);
    }
    cpu->tr = x86_segment_of(selector, &d);
    load_registers(cpu, &task, nested);
    settle_guarded(cpu, &task, has_error_code ? &error_code : NULL);
}
