/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segment registers and descriptors (SDM vol. 3, chapters 3 and 5), stacks, and the processor's own
 * accesses to memory.
 */
#include "frontend/x86/system.h"
#include "softmmu/memory_map.h"

NORETURN void x86_raise(struct x86_cpu *cpu, enum x86_exception kind, uint32_t error_code)
{
    struct exception e = {.kind = kind, .syndrome = error_code};

    if (cpu->sys->trap) {
        cpu->sys->trapped = e;
        longjmp(*cpu->sys->trap, 1);
    }
    vcpu_raise(&cpu->v, &e);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static unsigned size_memop(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

uint64_t x86_system_load(struct x86_cpu *cpu, uint64_t linear, unsigned size)
{
    return mmu_load_as(cpu->v.mmu, linear, size_memop(size), false);
}

void x86_system_store(struct x86_cpu *cpu, uint64_t linear, unsigned size, uint64_t value)
{
    mmu_store_as(cpu->v.mmu, linear, value, size_memop(size), false);
}

bool x86_is_canonical(const struct x86_cpu *cpu, uint64_t address)
{
    return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

/* Linear addresses outside long mode have 32 bits. */
static uint64_t table_address(const struct x86_cpu *cpu, uint64_t base, uint32_t offset)
{
    return cpu->efer & EFER_LMA ? base + offset : (uint32_t)(base + offset);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

bool x86_descriptor_read(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *out)
{
    bool local = selector & 4;
    uint64_t base = local ? cpu->ldt.base : cpu->gdt.base;
    uint32_t limit = local ? cpu->ldt.limit : cpu->gdt.limit;

    if (!(selector & 0xfffc) || (selector | 7u) > limit ||
        (local && (cpu->ldt.attributes & ATTR_UNUSABLE)))
        return false;
    out->address = table_address(cpu, base, selector & 0xfff8);
    uint64_t value = x86_system_load(cpu, out->address, 8);
    out->low = (uint32_t)value;
    out->high = (uint32_t)(value >> 32);
    out->upper = 0;
    return true;
}

bool x86_descriptor_read_upper(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d)
{
    uint32_t limit = selector & 4 ? cpu->ldt.limit : cpu->gdt.limit;

    if ((selector | 7u) + 8 > limit)
        return false;
    d->upper = (uint32_t)x86_system_load(cpu, d->address + 8, 4);
    return true;
}

void x86_descriptor_set_accessed(struct x86_cpu *cpu, struct x86_descriptor *d)
{
    if (d->high & 0x100)
        return;
    d->high |= 0x100;
    x86_system_store(cpu, d->address + 4, 4, d->high);
}

struct x86_segment x86_segment_of(uint16_t selector, const struct x86_descriptor *d)
{
    uint32_t limit = (d->low & 0xffff) | (d->high & 0xf0000);

    return (struct x86_segment){
        .selector = selector,
        .attributes = d->high >> 8 & 0xf0ff,
        .limit = d->high & 0x800000 ? limit << 12 | 0xfff : limit,
        .base = (d->low >> 16 | (d->high & 0xff) << 16 | (d->high & 0xff000000)) |
                (uint64_t)d->upper << 32,
    };
}

/* ---- loading --------------------------------------------------------------------------------- */

enum { ATTR_DATA = ATTR_P | ATTR_S | ATTR_WRITABLE | ATTR_ACCESSED };

/* Real mode leaves limit and rights as they are ("unreal" mode); virtual-8086 mode sets its own. */
void x86_load_real_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector)
{
    struct x86_segment *s = &cpu->segment[seg];

    s->selector = selector;
    s->base = (uint32_t)selector << 4;
    if (cpu->eflags & EFLAGS_VM) {
        s->limit = 0xffff;
        s->attributes = ATTR_DATA | 3 << ATTR_DPL_SHIFT;
    } else if (s->attributes & ATTR_UNUSABLE) {
        s->limit = 0xffff;
        s->attributes = ATTR_DATA;
    }
}

static void load_null(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector)
{
    bool code64 = cpu->v.run.key & KEY_CODE64;

    if (seg == SEG_SS && (!code64 || cpu->cpl == 3 || (selector & 3) != cpu->cpl))
        x86_raise_gp(cpu, 0);
    cpu->segment[seg] = (struct x86_segment){
        .selector = selector,
        .attributes = (uint16_t)(ATTR_UNUSABLE | (seg == SEG_SS ? cpu->cpl << ATTR_DPL_SHIFT : 0)),
    };
}

static void check_stack_segment(struct x86_cpu *cpu, uint16_t selector,
                                const struct x86_descriptor *d)
{
    unsigned rpl = selector & 3;

    if (!descriptor_is_segment(d) || descriptor_is_code(d) || !(d->high & 0x200) ||
        rpl != cpu->cpl || descriptor_dpl(d) != cpu->cpl)
        x86_raise_gp(cpu, selector_error(selector));
    if (!descriptor_present(d))
        x86_raise(cpu, EXC_SS, selector_error(selector));
}

static void check_data_segment(struct x86_cpu *cpu, uint16_t selector,
                               const struct x86_descriptor *d)
{
    bool code = descriptor_is_code(d), conforming = code && (d->high & 0x400);
    unsigned rpl = selector & 3;

    if (!descriptor_is_segment(d) || (code && !(d->high & 0x200)) ||
        (!conforming && (rpl > descriptor_dpl(d) || cpu->cpl > descriptor_dpl(d))))
        x86_raise_gp(cpu, selector_error(selector));
    if (!descriptor_present(d))
        x86_raise(cpu, EXC_NP, selector_error(selector));
}

void x86_load_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector)
{
    struct x86_descriptor d;

    if (!(cpu->v.run.key & KEY_PROTECTED)) {
        x86_load_real_segment(cpu, seg, selector);
    } else if (!(selector & 0xfffc)) {
        load_null(cpu, seg, selector);
    } else {
        if (!x86_descriptor_read(cpu, selector, &d))
            x86_raise_gp(cpu, selector_error(selector));
        if (seg == SEG_SS)
            check_stack_segment(cpu, selector, &d);
        else
            check_data_segment(cpu, selector, &d);
        x86_descriptor_set_accessed(cpu, &d);
        cpu->segment[seg] = x86_segment_of(selector, &d);
    }
    x86_update_level(cpu);
}

bool x86_drop_segments(struct x86_cpu *cpu)
{
    static const uint8_t data[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    bool dropped = false;

    for (unsigned i = 0; i < sizeof(data); i++) {
        struct x86_segment *s = &cpu->segment[data[i]];
        bool conforming =
            (s->attributes & (ATTR_CODE | ATTR_CONFORMING)) == (ATTR_CODE | ATTR_CONFORMING);
        unsigned dpl = s->attributes >> ATTR_DPL_SHIFT & 3;
        if ((s->attributes & ATTR_S) && !conforming && dpl < cpu->cpl) {
            *s = (struct x86_segment){.attributes = ATTR_UNUSABLE};
            dropped = true;
        }
    }
    return dropped;
}

/* ---- stacks of the TSS (SDM vol. 3, 8.2.1, 8.7) ---------------------------------------------- */

void x86_tss_stack(struct x86_cpu *cpu, unsigned level, uint16_t *ss, uint64_t *sp)
{
    bool wide = cpu->tr.attributes & 8; /* a 32-bit TSS */
    unsigned offset = wide ? 4 + level * 8 : 2 + level * 4;
    unsigned bytes = wide ? 4 : 2;

    if (offset + 2 * bytes - 1 > cpu->tr.limit)
        x86_raise(cpu, EXC_TS, selector_error(cpu->tr.selector) | (cpu->sys->trap ? 1 : 0));
    *sp = x86_system_load(cpu, table_address(cpu, cpu->tr.base, offset), bytes);
    *ss = (uint16_t)x86_system_load(cpu, table_address(cpu, cpu->tr.base, offset + bytes), 2);
}

/* index: 0..2 RSP0..RSP2, 4..10 IST1..IST7: where they stand, in eights behind offset 4. */
uint64_t x86_tss_stack64(struct x86_cpu *cpu, unsigned index)
{
    unsigned offset = 4 + index * 8;

    if (offset + 7 > cpu->tr.limit)
        x86_raise(cpu, EXC_TS, selector_error(cpu->tr.selector) | (cpu->sys->trap ? 1 : 0));
    uint64_t sp = x86_system_load(cpu, cpu->tr.base + offset, 8);
    if (!x86_is_canonical(cpu, sp))
        x86_raise(cpu, EXC_SS, 0);
    return sp;
}

struct x86_segment x86_inner_stack(struct x86_cpu *cpu, uint16_t ss, unsigned level, uint32_t ext)
{
    struct x86_descriptor d;
    uint32_t error = selector_error(ss) | ext;

    if (!(ss & 0xfffc))
        x86_raise(cpu, EXC_TS, ext);
    if (!x86_descriptor_read(cpu, ss, &d) || (ss & 3u) != level || descriptor_dpl(&d) != level ||
        !descriptor_is_segment(&d) || descriptor_is_code(&d) || !(d.high & 0x200))
        x86_raise(cpu, EXC_TS, error);
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_SS, error);
    x86_descriptor_set_accessed(cpu, &d);
    return x86_segment_of(ss, &d);
}

/* ---- pushing and popping --------------------------------------------------------------------- */

struct x86_stack x86_current_stack(struct x86_cpu *cpu)
{
    const struct x86_segment *ss = &cpu->segment[SEG_SS];
    struct x86_stack s = {.pointer = cpu->gpr[RSP], .user = cpu->cpl == 3};

    if (cpu->v.run.key & KEY_CODE64) {
        s.mask = UINT64_MAX;
    } else {
        s.mask = ss->attributes & ATTR_DB ? UINT32_MAX : UINT16_MAX;
        s.base = ss->base;
        s.ss = ss;
    }
    return s;
}

static bool stack_allows(const struct x86_segment *ss, uint64_t offset, unsigned size)
{
    uint64_t last = offset + size - 1;

    if ((ss->attributes & (ATTR_CODE | ATTR_EXPAND_DOWN)) == ATTR_EXPAND_DOWN)
        return offset > ss->limit && last <= (ss->attributes & ATTR_DB ? UINT32_MAX : UINT16_MAX);
    return last <= ss->limit && last >= offset;
}

static uint64_t stack_address(struct x86_cpu *cpu, const struct x86_stack *s, unsigned size)
{
    uint64_t offset = s->pointer & s->mask;

    if (!s->ss) {
        if (!x86_is_canonical(cpu, offset))
            x86_raise(cpu, EXC_SS, 0);
        return s->base + offset;
    }
    if (!stack_allows(s->ss, offset, size))
        x86_raise(cpu, EXC_SS,
                  s->ss == &cpu->segment[SEG_SS] ? 0 : selector_error(s->ss->selector));
    return (uint32_t)(s->base + offset);
}

/* The alignment of a program's stack is checked, too: SDM vol. 3, 6.15, #AC. */
static unsigned stack_memop(const struct x86_cpu *cpu, const struct x86_stack *s, unsigned size)
{
    unsigned log2 = size_memop(size);

    return log2 | (s->user && (cpu->v.run.key & KEY_ALIGN) ? IR_MEM_ALIGN_OF(log2) : 0);
}

void x86_stack_push(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t value)
{
    s->pointer -= size;
    mmu_store_as(cpu->v.mmu, stack_address(cpu, s, size), value, stack_memop(cpu, s, size),
                 s->user);
}

uint64_t x86_stack_pop(struct x86_cpu *cpu, struct x86_stack *s, unsigned size)
{
    uint64_t value =
        mmu_load_as(cpu->v.mmu, stack_address(cpu, s, size), stack_memop(cpu, s, size), s->user);

    s->pointer += size;
    return value;
}

/* Where a frame lies, if all of it may be accessed alike without a look at each value: within one
 * page of RAM, aligned. NULL: value by value, which also finds out what is wrong. */
static uint8_t *frame_memory(struct x86_cpu *cpu, const struct x86_stack *s, uint64_t pointer,
                             unsigned size, unsigned bytes, enum mmu_access access)
{
    uint64_t offset = pointer & s->mask, address = s->base + offset;

    if (!s->ss ? !x86_is_canonical(cpu, offset) : !stack_allows(s->ss, offset, bytes))
        return NULL;
    if (s->ss)
        address = (uint32_t)address;
    if (address & (size - 1))
        return NULL;
    return mmu_host_range(cpu->v.mmu, address, bytes, access, s->user);
}

void x86_stack_push_frame(struct x86_cpu *cpu, struct x86_stack *s, unsigned size,
                          const uint64_t *values, unsigned n)
{
    uint64_t lowest = s->pointer - n * size;
    uint8_t *memory = frame_memory(cpu, s, lowest, size, n * size, MMU_WRITE);

    if (UNLIKELY(!memory)) {
        for (unsigned i = 0; i < n; i++)
            x86_stack_push(cpu, s, size, values[i]);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        host_store(memory + (n - 1 - i) * size, values[i], size);
    s->pointer = lowest;
}

void x86_stack_pop_frame(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t *values,
                         unsigned n)
{
    const uint8_t *memory = frame_memory(cpu, s, s->pointer, size, n * size, MMU_READ);

    if (UNLIKELY(!memory)) {
        for (unsigned i = 0; i < n; i++)
            values[i] = x86_stack_pop(cpu, s, size);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        values[i] = host_load(memory + i * size, size);
    s->pointer += n * size;
}

void x86_set_sp(struct x86_cpu *cpu, uint64_t value, uint64_t mask)
{
    if (mask == UINT16_MAX)
        cpu->gpr[RSP] = (cpu->gpr[RSP] & ~mask) | (value & mask);
    else
        cpu->gpr[RSP] = value & mask;
}
