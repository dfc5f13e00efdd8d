/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transfers between code segments: far JMP, CALL and RET, call gates, IRET (SDM vol. 2 for each,
 * vol. 3, 5.8 and 6.12). Reads and checks come first; registers change only after the last fault.
 */
#include "frontend/x86/system.h"

static uint64_t size_mask(unsigned bytes)
{
    return bytes == 8 ? UINT64_MAX : bytes == 4 ? UINT32_MAX : UINT16_MAX;
}

/* ---- code segments --------------------------------------------------------------------------- */

/* Reads a code segment's descriptor; #GP where it is none. ext: EXT bit for the error code. */
static struct x86_descriptor read_code(struct x86_cpu *cpu, uint16_t selector)
{
    struct x86_descriptor d;

    if (!(selector & 0xfffc))
        x86_raise_gp(cpu, 0);
    if (!x86_descriptor_read(cpu, selector, &d))
        x86_raise_gp(cpu, selector_error(selector));
    return d;
}

static bool is_conforming(const struct x86_descriptor *d)
{
    return d->high & 0x400;
}

static bool is_code64(const struct x86_cpu *cpu, const struct x86_descriptor *d)
{
    return (cpu->efer & EFER_LMA) && (d->high & 1 << 21);
}

/* L and D both set is reserved in long mode. */
static void check_code_mode(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    if (is_code64(cpu, d) && (d->high & 1 << 22))
        x86_raise_gp(cpu, selector_error(selector));
    if (!descriptor_present(d))
        x86_raise(cpu, EXC_NP, selector_error(selector));
}

static void check_offset(struct x86_cpu *cpu, const struct x86_segment *cs, uint64_t offset)
{
    if ((cpu->efer & EFER_LMA) && (cs->attributes & ATTR_L)) {
        if (!x86_is_canonical(cpu, offset))
            x86_raise_gp(cpu, 0);
    } else if (offset > cs->limit) {
        x86_raise_gp(cpu, 0);
    }
}

static void enter_code(struct x86_cpu *cpu, const struct x86_segment *cs, unsigned level,
                       uint64_t offset)
{
    cpu->segment[SEG_CS] = *cs;
    cpu->segment[SEG_CS].selector = (uint16_t)((cs->selector & 0xfffc) | level);
    x86_update_level(cpu);
    x86_set_ip(cpu, offset);
}

static void real_far(struct x86_cpu *cpu, uint16_t selector, uint64_t offset)
{
    if (offset > cpu->segment[SEG_CS].limit)
        x86_raise_gp(cpu, 0);
    x86_load_real_segment(cpu, SEG_CS, selector);
    x86_update_level(cpu);
    x86_set_ip(cpu, offset);
}

/* A direct jump or call: to the same level (SDM vol. 3, 5.8.1). */
static struct x86_segment check_direct(struct x86_cpu *cpu, uint16_t selector,
                                       struct x86_descriptor *d, uint64_t offset)
{
    unsigned dpl = descriptor_dpl(d), rpl = selector & 3;

    if (is_conforming(d) ? dpl > cpu->cpl : rpl > cpu->cpl || dpl != cpu->cpl)
        x86_raise_gp(cpu, selector_error(selector));
    check_code_mode(cpu, selector, d);
    struct x86_segment cs = x86_segment_of(selector, d);
    check_offset(cpu, &cs, offset);
    return cs;
}

/* ---- gates ----------------------------------------------------------------------------------- */

struct call_gate {
    uint16_t selector;
    uint64_t offset;
    unsigned size, n_params;
};

/* Checks that hold for every gate and TSS a jump or call names. */
static void check_gate(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    unsigned dpl = descriptor_dpl(d);

    if (dpl < cpu->cpl || dpl < (selector & 3u))
        x86_raise_gp(cpu, selector_error(selector));
    if (!descriptor_present(d))
        x86_raise(cpu, EXC_NP, selector_error(selector));
}

static struct call_gate read_call_gate(struct x86_cpu *cpu, uint16_t selector,
                                       struct x86_descriptor *d)
{
    bool lma = cpu->efer & EFER_LMA, wide = descriptor_type(d) == TYPE_CALL32;
    struct call_gate gate = {
        .selector = (uint16_t)(d->low >> 16),
        .offset = (d->low & 0xffff) | (wide ? d->high & 0xffff0000 : 0),
        .size = lma    ? 8
                : wide ? 4
                       : 2,
        .n_params = lma ? 0 : d->high & 31,
    };

    check_gate(cpu, selector, d);
    if (lma) {
        if (!x86_descriptor_read_upper(cpu, selector, d))
            x86_raise_gp(cpu, selector_error(selector));
        gate.offset |= (uint64_t)d->upper << 32;
    }
    return gate;
}

/* What kind of system descriptor a far jump or call names; anything else is #GP. */
static unsigned gate_type(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d)
{
    unsigned type = descriptor_type(d);
    bool lma = cpu->efer & EFER_LMA;
    bool known = type == TYPE_CALL32 || (!lma && (type == TYPE_CALL16 || type == TYPE_TASK_GATE ||
                                                  type == TYPE_TSS16 || type == TYPE_TSS32));

    if (!known)
        x86_raise_gp(cpu, selector_error(selector));
    return type;
}

static void switch_task(struct x86_cpu *cpu, uint16_t selector, const struct x86_descriptor *d,
                        enum x86_task_source source)
{
    uint16_t tss = descriptor_type(d) == TYPE_TASK_GATE ? (uint16_t)(d->low >> 16) : selector;

    check_gate(cpu, selector, d);
    x86_task_switch(cpu, tss, source, x86_ip(cpu), false, 0);
}

static struct x86_descriptor gate_code(struct x86_cpu *cpu, const struct call_gate *gate)
{
    struct x86_descriptor d = read_code(cpu, gate->selector);

    if (!descriptor_is_segment(&d) || !descriptor_is_code(&d) || descriptor_dpl(&d) > cpu->cpl ||
        ((cpu->efer & EFER_LMA) && !is_code64(cpu, &d)))
        x86_raise_gp(cpu, selector_error(gate->selector));
    check_code_mode(cpu, gate->selector, &d);
    return d;
}

/* ---- JMP ------------------------------------------------------------------------------------- */

void x86_far_jump(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned operand_size)
{
    struct x86_descriptor d;
    struct x86_segment cs;

    offset &= size_mask(operand_size);
    if (!(cpu->v.run.key & KEY_PROTECTED)) {
        real_far(cpu, selector, offset);
        return;
    }
    d = read_code(cpu, selector);
    if (descriptor_is_segment(&d)) {
        if (!descriptor_is_code(&d))
            x86_raise_gp(cpu, selector_error(selector));
    } else {
        unsigned type = gate_type(cpu, selector, &d);
        if (type != TYPE_CALL16 && type != TYPE_CALL32) {
            switch_task(cpu, selector, &d, TASK_JUMP);
            return;
        }
        struct call_gate gate = read_call_gate(cpu, selector, &d);
        d = gate_code(cpu, &gate);
        if (!is_conforming(&d) && descriptor_dpl(&d) != cpu->cpl)
            x86_raise_gp(cpu, selector_error(gate.selector));
        selector = (uint16_t)((gate.selector & 0xfffc) | cpu->cpl);
        offset = gate.offset;
    }
    cs = check_direct(cpu, selector, &d, offset);
    x86_descriptor_set_accessed(cpu, &d);
    cs.attributes |= ATTR_ACCESSED;
    enter_code(cpu, &cs, cpu->cpl, offset);
}

/* ---- CALL ------------------------------------------------------------------------------------ */

/* To an inner level: a new stack with the old one's pointer and the parameters on it. */
static void call_inward(struct x86_cpu *cpu, const struct call_gate *gate, struct x86_descriptor *d)
{
    unsigned level = descriptor_dpl(d), size = gate->size;
    struct x86_stack old = x86_current_stack(cpu), s = {.user = false};
    struct x86_segment ss, cs = x86_segment_of(gate->selector, d);
    uint16_t ss_selector;
    uint64_t params[32], sp;

    check_offset(cpu, &cs, gate->offset);
    if (cpu->efer & EFER_LMA) {
        sp = x86_tss_stack64(cpu, level);
        ss = (struct x86_segment){
            .selector = (uint16_t)level,
            .attributes = (uint16_t)(ATTR_UNUSABLE | level << ATTR_DPL_SHIFT),
        };
        s = (struct x86_stack){.pointer = sp, .mask = UINT64_MAX};
    } else {
        x86_tss_stack(cpu, level, &ss_selector, &sp);
        ss = x86_inner_stack(cpu, ss_selector, level, 0);
        s = (struct x86_stack){
            .base = ss.base,
            .pointer = sp,
            .mask = ss.attributes & ATTR_DB ? UINT32_MAX : UINT16_MAX,
            .ss = &ss,
        };
    }
    for (unsigned i = 0; i < gate->n_params; i++)
        params[i] = x86_stack_pop(cpu, &old, size);
    x86_stack_push(cpu, &s, size, cpu->segment[SEG_SS].selector);
    x86_stack_push(cpu, &s, size, cpu->gpr[RSP]);
    for (unsigned i = gate->n_params; i-- > 0;)
        x86_stack_push(cpu, &s, size, params[i]);
    x86_stack_push(cpu, &s, size, cpu->segment[SEG_CS].selector);
    x86_stack_push(cpu, &s, size, x86_ip(cpu));
    x86_descriptor_set_accessed(cpu, d);
    cs.attributes |= ATTR_ACCESSED;
    cpu->segment[SEG_SS] = ss;
    x86_set_sp(cpu, s.pointer, s.mask);
    enter_code(cpu, &cs, level, gate->offset);
}

static void call_same_level(struct x86_cpu *cpu, const struct x86_segment *cs, uint64_t offset,
                            unsigned size)
{
    struct x86_stack s = x86_current_stack(cpu);

    x86_stack_push(cpu, &s, size, cpu->segment[SEG_CS].selector);
    x86_stack_push(cpu, &s, size, x86_ip(cpu));
    x86_set_sp(cpu, s.pointer, s.mask);
    enter_code(cpu, cs, cpu->cpl, offset);
}

static void call_real(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size)
{
    struct x86_stack s = x86_current_stack(cpu);

    if (offset > cpu->segment[SEG_CS].limit)
        x86_raise_gp(cpu, 0);
    x86_stack_push(cpu, &s, size, cpu->segment[SEG_CS].selector);
    x86_stack_push(cpu, &s, size, x86_ip(cpu));
    x86_set_sp(cpu, s.pointer, s.mask);
    real_far(cpu, selector, offset);
}

void x86_far_call(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned operand_size)
{
    struct x86_descriptor d;
    struct x86_segment cs;

    offset &= size_mask(operand_size);
    if (!(cpu->v.run.key & KEY_PROTECTED)) {
        call_real(cpu, selector, offset, operand_size);
        return;
    }
    d = read_code(cpu, selector);
    if (descriptor_is_segment(&d)) {
        if (!descriptor_is_code(&d))
            x86_raise_gp(cpu, selector_error(selector));
        cs = check_direct(cpu, selector, &d, offset);
    } else {
        unsigned type = gate_type(cpu, selector, &d);
        if (type != TYPE_CALL16 && type != TYPE_CALL32) {
            switch_task(cpu, selector, &d, TASK_CALL);
            return;
        }
        struct call_gate gate = read_call_gate(cpu, selector, &d);
        d = gate_code(cpu, &gate);
        if (!is_conforming(&d) && descriptor_dpl(&d) < cpu->cpl) {
            call_inward(cpu, &gate, &d);
            return;
        }
        selector = (uint16_t)((gate.selector & 0xfffc) | cpu->cpl);
        offset = gate.offset;
        operand_size = gate.size;
        cs = check_direct(cpu, selector, &d, offset);
    }
    x86_descriptor_set_accessed(cpu, &d);
    cs.attributes |= ATTR_ACCESSED;
    call_same_level(cpu, &cs, offset, operand_size);
}

/* ---- RET and IRET ---------------------------------------------------------------------------- */

/* The code segment that a return goes to, and checks (SDM vol. 2, RET). */
static struct x86_segment return_code(struct x86_cpu *cpu, uint16_t selector, uint64_t offset,
                                      struct x86_descriptor *d)
{
    unsigned rpl = selector & 3;

    *d = read_code(cpu, selector);
    if (!descriptor_is_segment(d) || !descriptor_is_code(d) || rpl < cpu->cpl ||
        (is_conforming(d) ? descriptor_dpl(d) > rpl : descriptor_dpl(d) != rpl))
        x86_raise_gp(cpu, selector_error(selector));
    check_code_mode(cpu, selector, d);
    struct x86_segment cs = x86_segment_of(selector, d);
    check_offset(cpu, &cs, offset);
    return cs;
}

/* The outer stack segment. to64: null is allowed below level 3. */
static struct x86_segment return_stack(struct x86_cpu *cpu, uint16_t selector, unsigned level,
                                       bool to64)
{
    struct x86_descriptor d;

    if (!(selector & 0xfffc)) {
        if (!to64 || level == 3)
            x86_raise_gp(cpu, 0);
        return (struct x86_segment){
            .selector = selector,
            .attributes = (uint16_t)(ATTR_UNUSABLE | level << ATTR_DPL_SHIFT),
        };
    }
    if (!x86_descriptor_read(cpu, selector, &d) || (selector & 3u) != level ||
        descriptor_dpl(&d) != level || !descriptor_is_segment(&d) || descriptor_is_code(&d) ||
        !(d.high & 0x200))
        x86_raise_gp(cpu, selector_error(selector));
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_SS, selector_error(selector));
    x86_descriptor_set_accessed(cpu, &d);
    return x86_segment_of(selector, &d);
}

static uint64_t stack_mask(const struct x86_segment *ss, bool to64)
{
    return to64 ? UINT64_MAX : ss->attributes & ATTR_DB ? UINT32_MAX : UINT16_MAX;
}

static void return_outward(struct x86_cpu *cpu, const struct x86_segment *cs,
                           const struct x86_segment *ss, uint64_t ip, uint64_t sp)
{
    bool to64 = (cpu->efer & EFER_LMA) && (cs->attributes & ATTR_L);

    cpu->segment[SEG_SS] = *ss;
    enter_code(cpu, cs, cs->selector & 3, ip);
    x86_set_sp(cpu, sp, stack_mask(ss, to64));
    if (x86_drop_segments(cpu))
        x86_update_level(cpu);
}

void x86_far_return(struct x86_cpu *cpu, unsigned operand_size, unsigned pop_bytes)
{
    struct x86_stack s = x86_current_stack(cpu);
    struct x86_segment cs, ss;
    struct x86_descriptor d;
    uint64_t ip = x86_stack_pop(cpu, &s, operand_size);
    uint16_t selector = (uint16_t)x86_stack_pop(cpu, &s, operand_size), ss_selector;

    if (!(cpu->v.run.key & KEY_PROTECTED)) {
        real_far(cpu, selector, ip);
        x86_set_sp(cpu, s.pointer + pop_bytes, s.mask);
        return;
    }
    cs = return_code(cpu, selector, ip, &d);
    s.pointer += pop_bytes;
    if ((selector & 3u) == cpu->cpl) {
        x86_descriptor_set_accessed(cpu, &d);
        x86_set_sp(cpu, s.pointer, s.mask);
        enter_code(cpu, &cs, cpu->cpl, ip);
        return;
    }
    uint64_t sp = x86_stack_pop(cpu, &s, operand_size);
    ss_selector = (uint16_t)x86_stack_pop(cpu, &s, operand_size);
    ss = return_stack(cpu, ss_selector, selector & 3, is_code64(cpu, &d));
    x86_descriptor_set_accessed(cpu, &d);
    return_outward(cpu, &cs, &ss, ip, sp + pop_bytes);
}

/* Which flags IRET may change, by the level it runs at. */
static uint32_t iret_flags_mask(const struct x86_cpu *cpu, unsigned operand_size)
{
    unsigned iopl = cpu->eflags >> 12 & 3;
    uint32_t mask = EFLAGS_STATUS | EFLAGS_DF | EFLAGS_TF | EFLAGS_NT;

    if (operand_size > 2)
        mask |= EFLAGS_RF | EFLAGS_AC | EFLAGS_ID;
    if (cpu->cpl <= iopl)
        mask |= EFLAGS_IF;
    if (cpu->cpl == 0)
        mask |= EFLAGS_IOPL | (operand_size > 2 ? EFLAGS_VIF | EFLAGS_VIP : 0);
    return mask;
}

/* CR4.VME and IOPL below 3: IF of the image goes to VIF (SDM vol. 3, 20.3.3.4). */
static uint32_t virtual_flags(struct x86_cpu *cpu, uint32_t flags, uint32_t *mask)
{
    if (flags & EFLAGS_TF || (flags & EFLAGS_IF && cpu->eflags & EFLAGS_VIP))
        x86_raise_gp(cpu, 0);
    *mask |= EFLAGS_VIF;
    return (flags & ~(uint32_t)EFLAGS_VIF) | (flags & EFLAGS_IF ? EFLAGS_VIF : 0);
}

static void iret_real(struct x86_cpu *cpu, unsigned size)
{
    struct x86_stack s = x86_current_stack(cpu);
    bool vm86 = cpu->v.run.key & KEY_VM86;
    uint64_t ip = x86_stack_pop(cpu, &s, size);
    uint16_t selector = (uint16_t)x86_stack_pop(cpu, &s, size);
    uint32_t flags = (uint32_t)x86_stack_pop(cpu, &s, size);
    uint32_t mask = iret_flags_mask(cpu, size) & ~(uint32_t)(EFLAGS_VIF | EFLAGS_VIP);

    if (!vm86)
        mask |= EFLAGS_IOPL | EFLAGS_IF;
    else if ((cpu->eflags & EFLAGS_IOPL) != EFLAGS_IOPL)
        flags = virtual_flags(cpu, flags, &mask);
    real_far(cpu, selector, ip);
    x86_set_sp(cpu, s.pointer, s.mask);
    x86_eflags_write(cpu, flags, mask);
    x86_set_ip(cpu, ip);
}

/* From level 0 with VM set in the image (SDM vol. 3, 20.2.3): nine values are popped. */
static void iret_to_vm86(struct x86_cpu *cpu, struct x86_stack *s, uint64_t ip, uint16_t cs,
                         uint32_t flags)
{
    static const uint8_t order[] = {SEG_ES, SEG_DS, SEG_FS, SEG_GS};
    uint64_t sp = x86_stack_pop(cpu, s, 4);
    uint16_t ss = (uint16_t)x86_stack_pop(cpu, s, 4), data[4];

    for (unsigned i = 0; i < 4; i++)
        data[i] = (uint16_t)x86_stack_pop(cpu, s, 4);
    x86_eflags_write(cpu, flags, UINT32_MAX);
    x86_load_real_segment(cpu, SEG_CS, cs);
    x86_load_real_segment(cpu, SEG_SS, ss);
    for (unsigned i = 0; i < 4; i++)
        x86_load_real_segment(cpu, order[i], data[i]);
    cpu->gpr[RSP] = sp;
    x86_update_level(cpu);
    x86_set_ip(cpu, ip & 0xffff);
}

static void iret_protected(struct x86_cpu *cpu, unsigned size)
{
    struct x86_stack s = x86_current_stack(cpu);
    bool from64 = cpu->v.run.key & KEY_CODE64;
    uint64_t frame[5];
    uint32_t mask = iret_flags_mask(cpu, size);
    struct x86_descriptor d;
    struct x86_segment cs, ss;

    x86_stack_pop_frame(cpu, &s, size, frame, 3);
    uint64_t ip = frame[0];
    uint16_t selector = (uint16_t)frame[1];
    uint32_t flags = (uint32_t)frame[2];
    if (size == 4 && (flags & EFLAGS_VM) && cpu->cpl == 0 && !(cpu->efer & EFER_LMA)) {
        iret_to_vm86(cpu, &s, ip, selector, flags);
        return;
    }
    cs = return_code(cpu, selector, ip, &d);
    unsigned level = selector & 3;
    if (level == cpu->cpl && !from64) {
        x86_descriptor_set_accessed(cpu, &d);
        x86_set_sp(cpu, s.pointer, s.mask);
        enter_code(cpu, &cs, level, ip);
    } else {
        x86_stack_pop_frame(cpu, &s, size, frame + 3, 2);
        ss = return_stack(cpu, (uint16_t)frame[4], level, is_code64(cpu, &d));
        x86_descriptor_set_accessed(cpu, &d);
        return_outward(cpu, &cs, &ss, ip, frame[3]);
    }
    x86_eflags_write(cpu, flags, mask);
    x86_set_ip(cpu, ip);
}

void x86_iret(struct x86_cpu *cpu, unsigned operand_size)
{
    if (cpu->v.run.key & KEY_VM86) {
        if ((cpu->eflags & EFLAGS_IOPL) != EFLAGS_IOPL &&
            (!(cpu->cr4 & CR4_VME) || operand_size != 2))
            x86_raise_gp(cpu, 0);
        iret_real(cpu, operand_size);
    } else if (!(cpu->v.run.key & KEY_PROTECTED)) {
        iret_real(cpu, operand_size);
    } else if (cpu->eflags & EFLAGS_NT) {
        if (cpu->efer & EFER_LMA)
            x86_raise_gp(cpu, 0);
        uint16_t link = (uint16_t)x86_system_load(cpu, cpu->tr.base, 2);
        x86_task_switch(cpu, link, TASK_IRET, x86_ip(cpu), false, 0);
    } else {
        iret_protected(cpu, operand_size);
    }
    cpu->nmi_blocked = false;
    if (x86_line(cpu, X86_NMI))
        vcpu_kick(&cpu->v);
    /* RF lasts for one instruction; where there are no instruction breakpoints it says nothing. */
    if (!(cpu->v.run.key & KEY_CODE_BREAK))
        cpu->eflags &= ~(uint32_t)EFLAGS_RF;
}
