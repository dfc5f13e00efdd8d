/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions and interrupts: delivery through IVT and IDT (SDM vol. 3, chapter 6; 20 for
 * virtual-8086 mode), double and triple faults, external interrupts.
 */
#include "frontend/x86/decode.h"
#include "frontend/x86/system.h"
#include "util/log.h"

struct delivery {
    unsigned vector;
    bool software; /* INT n, INT3, INTO: the gate's DPL counts */
    bool external; /* from a line: its vector says nothing */
    bool has_error;
    uint32_t error;
    uint32_t ext; /* EXT bit of error codes raised on the way */
    uint64_t ip;  /* to return to */
};

static uint32_t idt_error(const struct delivery *v)
{
    return v->vector << 3 | 2 | v->ext;
}

/* ---- real mode ------------------------------------------------------------------------------- */

static void deliver_real(struct x86_cpu *cpu, const struct delivery *v)
{
    struct x86_stack s = x86_current_stack(cpu);
    uint64_t entry = cpu->idt.base + v->vector * 4;

    if (v->vector * 4 + 3 > cpu->idt.limit)
        x86_raise_gp(cpu, idt_error(v));
    uint16_t offset = (uint16_t)x86_system_load(cpu, entry, 2);
    uint16_t selector = (uint16_t)x86_system_load(cpu, entry + 2, 2);
    x86_stack_push(cpu, &s, 2, x86_eflags_read(cpu) & 0xffff);
    x86_stack_push(cpu, &s, 2, cpu->segment[SEG_CS].selector);
    x86_stack_push(cpu, &s, 2, v->ip);
    x86_set_sp(cpu, s.pointer, s.mask);
    x86_load_real_segment(cpu, SEG_CS, selector);
    cpu->eflags &= ~(uint32_t)(EFLAGS_IF | EFLAGS_TF | EFLAGS_RF | EFLAGS_AC);
    x86_update_level(cpu);
    x86_set_ip(cpu, offset);
}

/* ---- protected mode -------------------------------------------------------------------------- */

struct gate {
    struct x86_descriptor d;
    unsigned type;
    uint64_t offset;
    uint16_t selector;
};

static void read_gate(struct x86_cpu *cpu, const struct delivery *v, struct gate *gate)
{
    bool lma = cpu->efer & EFER_LMA;
    unsigned bytes = lma ? 16 : 8;
    uint64_t at = cpu->idt.base + v->vector * bytes;

    if (v->vector * bytes + bytes - 1 > cpu->idt.limit)
        x86_raise_gp(cpu, idt_error(v));
    uint64_t value = x86_system_load(cpu, lma ? at : (uint32_t)at, 8);
    gate->d = (struct x86_descriptor){.low = (uint32_t)value, .high = (uint32_t)(value >> 32)};
    if (lma)
        gate->d.upper = (uint32_t)x86_system_load(cpu, at + 8, 4);
    gate->type = descriptor_is_segment(&gate->d) ? 0 : descriptor_type(&gate->d);
    bool known = gate->type == TYPE_INTERRUPT32 || gate->type == TYPE_TRAP32 ||
                 (!lma && (gate->type == TYPE_INTERRUPT16 || gate->type == TYPE_TRAP16 ||
                           gate->type == TYPE_TASK_GATE));
    if (!known || (v->software && descriptor_dpl(&gate->d) < cpu->cpl))
        x86_raise_gp(cpu, idt_error(v));
    if (!descriptor_present(&gate->d))
        x86_raise(cpu, EXC_NP, idt_error(v));
    gate->selector = (uint16_t)(gate->d.low >> 16);
    gate->offset = (gate->d.low & 0xffff) | (uint64_t)gate->d.upper << 32;
    if (gate->type & 8)
        gate->offset |= gate->d.high & 0xffff0000;
}

/* The handler's code segment and the level it runs at. */
static unsigned handler_code(struct x86_cpu *cpu, const struct delivery *v, const struct gate *gate,
                             struct x86_segment *cs)
{
    uint32_t error = selector_error(gate->selector) | v->ext;
    bool lma = cpu->efer & EFER_LMA;
    struct x86_descriptor d;

    if (!(gate->selector & 0xfffc))
        x86_raise_gp(cpu, v->ext);
    if (!x86_descriptor_read(cpu, gate->selector, &d) || !descriptor_is_segment(&d) ||
        !descriptor_is_code(&d) || descriptor_dpl(&d) > cpu->cpl)
        x86_raise_gp(cpu, error);
    if (lma && (!(d.high & 1 << 21) || (d.high & 1 << 22)))
        x86_raise_gp(cpu, error);
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_NP, error);
    unsigned level = d.high & 0x400 ? cpu->cpl : descriptor_dpl(&d);
    if ((cpu->v.run.key & KEY_VM86) && level != 0)
        x86_raise_gp(cpu, error);
    x86_descriptor_set_accessed(cpu, &d);
    *cs = x86_segment_of(gate->selector, &d);
    cs->selector = (uint16_t)((gate->selector & 0xfffc) | level);
    if (lma ? !x86_is_canonical(cpu, gate->offset) : gate->offset > cs->limit)
        x86_raise_gp(cpu, v->ext);
    return level;
}

static void enter_handler(struct x86_cpu *cpu, const struct gate *gate,
                          const struct x86_segment *cs)
{
    uint32_t clear = EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM;

    if (!(gate->type & 1)) /* an interrupt gate */
        clear |= EFLAGS_IF;
    cpu->eflags &= ~clear;
    cpu->segment[SEG_CS] = *cs;
    x86_update_level(cpu);
    x86_set_ip(cpu, gate->offset);
}

static struct x86_segment null_stack(unsigned level)
{
    return (struct x86_segment){
        .selector = (uint16_t)level,
        .attributes = (uint16_t)(ATTR_UNUSABLE | level << ATTR_DPL_SHIFT),
    };
}

/* SDM vol. 3, 6.14: the stack pointer is aligned, SS:RSP always pushed. */
static void deliver64(struct x86_cpu *cpu, const struct delivery *v, const struct gate *gate)
{
    struct x86_segment cs;
    unsigned level = handler_code(cpu, v, gate, &cs), ist = gate->d.high & 7;
    struct x86_stack s = {.mask = UINT64_MAX};

    if (ist)
        s.pointer = x86_tss_stack64(cpu, ist + 3);
    else if (level != cpu->cpl)
        s.pointer = x86_tss_stack64(cpu, level);
    else
        s.pointer = cpu->gpr[RSP];
    s.pointer &= ~UINT64_C(15);
    s.user = level == 3;
    const uint64_t frame[] = {cpu->segment[SEG_SS].selector, cpu->gpr[RSP], x86_eflags_read(cpu),
                              cpu->segment[SEG_CS].selector, v->ip,         v->error};
    x86_stack_push_frame(cpu, &s, 8, frame, v->has_error ? 6 : 5);
    if (level != cpu->cpl)
        cpu->segment[SEG_SS] = null_stack(level);
    cpu->gpr[RSP] = s.pointer;
    enter_handler(cpu, gate, &cs);
}

/* EFLAGS, CS, EIP, perhaps an error code. */
static unsigned add_return_frame(const struct x86_cpu *cpu, const struct delivery *v,
                                 uint64_t *frame)
{
    frame[0] = x86_eflags_read(cpu);
    frame[1] = cpu->segment[SEG_CS].selector;
    frame[2] = v->ip;
    frame[3] = v->error;
    return v->has_error ? 4 : 3;
}

static void deliver_inward(struct x86_cpu *cpu, const struct delivery *v, const struct gate *gate,
                           const struct x86_segment *cs, unsigned level, unsigned size)
{
    static const uint8_t vm86_order[] = {SEG_GS, SEG_FS, SEG_DS, SEG_ES};
    bool vm86 = cpu->v.run.key & KEY_VM86;
    struct x86_segment ss;
    uint16_t selector;
    uint64_t sp, frame[10];
    unsigned n = 0;

    x86_tss_stack(cpu, level, &selector, &sp);
    ss = x86_inner_stack(cpu, selector, level, v->ext);
    struct x86_stack s = {
        .base = ss.base,
        .pointer = sp,
        .mask = ss.attributes & ATTR_DB ? UINT32_MAX : UINT16_MAX,
        .ss = &ss,
    };
    for (unsigned i = 0; vm86 && i < 4; i++)
        frame[n++] = cpu->segment[vm86_order[i]].selector;
    frame[n++] = cpu->segment[SEG_SS].selector;
    frame[n++] = cpu->gpr[RSP];
    n += add_return_frame(cpu, v, frame + n);
    x86_stack_push_frame(cpu, &s, size, frame, n);
    for (unsigned i = 0; vm86 && i < 4; i++)
        cpu->segment[vm86_order[i]] = (struct x86_segment){.attributes = ATTR_UNUSABLE};
    cpu->segment[SEG_SS] = ss;
    x86_set_sp(cpu, s.pointer, s.mask);
    enter_handler(cpu, gate, cs);
}

static void deliver_protected(struct x86_cpu *cpu, const struct delivery *v)
{
    struct x86_segment cs;
    struct gate gate;

    read_gate(cpu, v, &gate);
    if (gate.type == TYPE_TASK_GATE) {
        x86_task_switch(cpu, gate.selector, TASK_GATE, v->ip, v->has_error, v->error);
        return;
    }
    if (cpu->efer & EFER_LMA) {
        deliver64(cpu, v, &gate);
        return;
    }
    unsigned level = handler_code(cpu, v, &gate, &cs), size = gate.type & 8 ? 4 : 2;
    if (level != cpu->cpl) {
        deliver_inward(cpu, v, &gate, &cs, level, size);
        return;
    }
    struct x86_stack s = x86_current_stack(cpu);
    uint64_t frame[4];
    x86_stack_push_frame(cpu, &s, size, frame, add_return_frame(cpu, v, frame));
    x86_set_sp(cpu, s.pointer, s.mask);
    enter_handler(cpu, &gate, &cs);
}

static void deliver(struct x86_cpu *cpu, const struct delivery *v)
{
    vcpu_count_exception(&cpu->v, v->vector);
    if (cpu->cr0 & CR0_PE)
        deliver_protected(cpu, v);
    else
        deliver_real(cpu, v);
}

/* ---- software interrupts --------------------------------------------------------------------- */

/* Virtual-8086 mode (SDM vol. 3, table 20-2): INT n needs IOPL 3, unless CR4.VME and the TSS's
 * bitmap send it to the program's own handler. */
static bool redirected(struct x86_cpu *cpu, unsigned vector)
{
    uint32_t map;

    if (!(cpu->cr4 & CR4_VME) || cpu->tr.limit < 103)
        return false;
    map = (uint32_t)x86_system_load(cpu, cpu->tr.base + 102, 2);
    if (map < 32 || map - 32 + vector / 8 > cpu->tr.limit)
        return false;
    return !(x86_system_load(cpu, cpu->tr.base + map - 32 + vector / 8, 1) >> (vector % 8) & 1);
}

/* IF on the stack and in EFLAGS is VIF where IOPL is below 3 (SDM vol. 3, 20.3.3.4). */
static void redirect(struct x86_cpu *cpu, const struct delivery *v)
{
    bool virtual = (cpu->eflags & EFLAGS_IOPL) != EFLAGS_IOPL;
    struct x86_stack s = x86_current_stack(cpu);
    uint32_t flags = x86_eflags_read(cpu);
    uint64_t entry = v->vector * 4;

    if (virtual)
        flags = (flags & ~(uint32_t)EFLAGS_IF) | EFLAGS_IOPL | (flags & EFLAGS_VIF ? EFLAGS_IF : 0);
    uint16_t offset = (uint16_t)mmu_load(cpu->v.mmu, entry, 1);
    uint16_t selector = (uint16_t)mmu_load(cpu->v.mmu, entry + 2, 1);
    x86_stack_push(cpu, &s, 2, flags & 0xffff);
    x86_stack_push(cpu, &s, 2, cpu->segment[SEG_CS].selector);
    x86_stack_push(cpu, &s, 2, v->ip);
    x86_set_sp(cpu, s.pointer, s.mask);
    x86_load_real_segment(cpu, SEG_CS, selector);
    cpu->eflags &= ~(uint32_t)(EFLAGS_TF | EFLAGS_NT | (virtual ? EFLAGS_VIF : EFLAGS_IF));
    x86_update_level(cpu);
    x86_set_ip(cpu, offset);
}

void x86_software_interrupt(struct x86_cpu *cpu, unsigned vector, uint64_t next_ip, bool int_n)
{
    struct delivery v = {.vector = vector, .software = true, .ip = next_ip};

    if (int_n && cpu->v.run.key & KEY_VM86) {
        if (redirected(cpu, vector)) {
            redirect(cpu, &v);
            return;
        }
        if ((cpu->eflags & EFLAGS_IOPL) != EFLAGS_IOPL)
            x86_raise_gp(cpu, 0);
    }
    deliver(cpu, &v);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static bool has_error_code(unsigned vector)
{
    return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
}

/* Debug exceptions other than instruction breakpoints, and software interrupts, are traps; faults
 * set RF in the pushed image so that they do not hit the same breakpoint again (SDM vol.
 * 3, 17.3.1.1). */
static bool sets_rf(unsigned vector)
{
    return vector != EXC_DB && vector != EXC_BP && vector != EXC_OF && vector != EXC_NMI;
}

enum fault_class { BENIGN, CONTRIBUTORY, PAGE_FAULT };

static enum fault_class fault_class(unsigned vector)
{
    if (vector == EXC_PF)
        return PAGE_FAULT;
    return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP) ? CONTRIBUTORY : BENIGN;
}

/* SDM vol. 3, table 6-5. */
static bool makes_double_fault(unsigned first, unsigned second)
{
    enum fault_class a = fault_class(first), b = fault_class(second);

    return (a == CONTRIBUTORY && b == CONTRIBUTORY) || (a == PAGE_FAULT && b != BENIGN);
}

static void shut_down(struct x86_cpu *cpu)
{
    log_printf(LOG_GUEST_ERROR, "x86: triple fault at %04x:%llx: the machine resets\n",
               cpu->segment[SEG_CS].selector, (unsigned long long)x86_ip(cpu));
    cpu->shutdown = true;
    cpu->v.halted = true;
    if (cpu->v.board.triple_fault)
        cpu->v.board.triple_fault(cpu->v.board.opaque, x86_ip(cpu));
}

/* What was raised on the way to the handler takes the place of what was delivered. */
static void next_delivery(struct x86_cpu *cpu, struct delivery *v, const struct exception *e)
{
    unsigned vector = e->kind & EXC_KIND;

    if (vector == EXC_PF)
        cpu->cr2 = e->address;
    if (!v->external && makes_double_fault(v->vector, vector)) {
        v->vector = EXC_DF;
        v->error = 0;
    } else {
        v->vector = vector;
        v->error = e->syndrome;
    }
    v->has_error = has_error_code(v->vector) && (cpu->cr0 & CR0_PE);
    v->software = v->external = false;
    v->ext = 1;
}

static void deliver_for_good(struct x86_cpu *cpu, struct delivery *v)
{
    struct x86_system *sys = cpu->sys;
    jmp_buf here;

    while (setjmp(here)) {
        sys->trap = NULL;
        if (v->vector == EXC_DF && !v->external) {
            shut_down(cpu);
            return;
        }
        next_delivery(cpu, v, &sys->trapped);
    }
    sys->trap = &here;
    deliver(cpu, v);
    sys->trap = NULL;
}

/* Does the instruction push or pop? */
static bool uses_stack(const struct x86_insn *insn)
{
    static const char *const names[] = {"PUSH", "POP", "CALL", "RET", "ENTER", "LEAVE", "IRET"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strncmp(insn->row->name, names[i], strlen(names[i])))
            return true;
    return false;
}

/* Did the access of the instruction at run.pc to this address go through SS? What translated code
 * does not tell, the instruction does: 64-bit mode only. */
static bool is_stack_access(struct x86_cpu *cpu, uint64_t address)
{
    enum { REACH = 1 << 17 }; /* ENTER's */
    unsigned page_left = 4096 - (unsigned)(cpu->v.run.pc & 4095), size = MIN(page_left, 15u);
    struct x86_insn insn;
    uint8_t code[15];

    if (!mmu_peek(cpu->v.mmu, cpu->v.run.pc, code, size, cpu->cpl == 3))
        return false;
    if (size < 15 &&
        mmu_peek(cpu->v.mmu, cpu->v.run.pc + size, code + size, 15 - size, cpu->cpl == 3))
        size = 15;
    if (x86_decode(code, size, cpu->v.run.key, cpu->features, &insn) != DECODE_OK)
        return false;
    if (uses_stack(&insn) && (address - cpu->gpr[RSP] + REACH < 2 * REACH ||
                              address - cpu->gpr[RBP] + REACH < 2 * REACH))
        return true;
    for (unsigned i = 0; i < insn.n_operands; i++)
        if (insn.operand[i].kind == OPND_MEM)
            return insn.segment == SEG_SS;
    return false;
}

/* SDM vol. 2, exceptions in 64-bit mode: #SS(0) if an address in the SS segment is not canonical.
 */
enum x86_exception x86_exception_vector(struct x86_cpu *cpu, const struct exception *e)
{
    if ((e->kind & EXC_NON_CANONICAL) && is_stack_access(cpu, e->address))
        return EXC_SS;
    return (enum x86_exception)(e->kind & EXC_KIND);
}

void x86_raise_exception(struct vcpu *vcpu, const struct exception *e)
{
    struct x86_cpu *cpu = x86_cpu(vcpu);
    unsigned vector = x86_exception_vector(cpu, e);
    struct delivery v = {
        .vector = vector,
        .has_error = has_error_code(vector) && (cpu->cr0 & CR0_PE),
        .error = e->syndrome,
        .ip = x86_ip(cpu),
        .ext = 1,
    };

    if (v.vector == EXC_PF)
        cpu->cr2 = e->address;
    if (log_on(LOG_INT))
        log_printf(LOG_INT, "exception %u error %x at %04x:%llx cr2 %llx\n", v.vector, v.error,
                   cpu->segment[SEG_CS].selector, (unsigned long long)v.ip,
                   (unsigned long long)cpu->cr2);
    if (sets_rf(v.vector))
        cpu->eflags |= EFLAGS_RF;
    cpu->pending_debug = 0; /* the instruction has not ended: it comes again */
    deliver_for_good(cpu, &v);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void interrupt(struct x86_cpu *cpu, unsigned vector)
{
    struct delivery v = {
        .vector = vector, .external = vector != EXC_NMI, .ip = x86_ip(cpu), .ext = 1};

    cpu->v.halted = false;
    if (log_on(LOG_INT))
        log_printf(LOG_INT, "interrupt %02x at %04x:%llx\n", vector, cpu->segment[SEG_CS].selector,
                   (unsigned long long)v.ip);
    deliver_for_good(cpu, &v);
}

void x86_set_irq(struct vcpu *v, unsigned line, bool level)
{
    struct x86_cpu *cpu = x86_cpu(v);
    uint32_t bit = 1u << line;

    if (level)
        atomic_fetch_or(&cpu->irq_lines, bit);
    else if (line != X86_NMI) /* an edge: it stays until it is taken */
        atomic_fetch_and(&cpu->irq_lines, ~bit);
    if (level || line == X86_A20)
        vcpu_kick(v);
}

static void update_a20(struct x86_cpu *cpu)
{
    uint64_t mask = x86_line(cpu, X86_A20) ? UINT64_MAX : ~(UINT64_C(1) << 20);

    if (mask == cpu->sys->a20_mask)
        return;
    cpu->sys->a20_mask = mask;
    mmu_flush_all(cpu->v.mmu);
}

bool x86_has_work(struct vcpu *v)
{
    const struct x86_cpu *cpu = x86_cpu(v);

    if (cpu->shutdown)
        return x86_line(cpu, X86_INIT);
    return (x86_line(cpu, X86_INTR) && (cpu->eflags & EFLAGS_IF)) ||
           (x86_line(cpu, X86_NMI) && !cpu->nmi_blocked) || x86_line(cpu, X86_INIT);
}

bool x86_take_interrupt(struct vcpu *v)
{
    struct x86_cpu *cpu = x86_cpu(v);
    int vector;

    update_a20(cpu);
    if (x86_line(cpu, X86_INIT)) {
        atomic_fetch_and(&cpu->irq_lines, ~(1u << X86_INIT));
        x86_reset(v);
        return true;
    }
    if (cpu->shutdown)
        return false;
    if (cpu->pending_debug) {
        x86_enter_debug_cause(cpu, cpu->pending_debug);
        x86_raise_exception(v, &(struct exception){.kind = EXC_DB});
        return true;
    }
    if (cpu->inhibit == (uint32_t)v->run.pc && cpu->inhibit) {
        vcpu_kick(v); /* behind the next instruction */
        return false;
    }
    cpu->inhibit = 0;
    if (v->single_step)
        return false;
    if (x86_line(cpu, X86_NMI) && !cpu->nmi_blocked) {
        atomic_fetch_and(&cpu->irq_lines, ~(1u << X86_NMI));
        cpu->nmi_blocked = true;
        interrupt(cpu, EXC_NMI);
        return true;
    }
    if (!x86_line(cpu, X86_INTR) || !(cpu->eflags & EFLAGS_IF) || !v->board.interrupt_vector)
        return false;
    vcpu_lock_devices(v);
    vector = v->board.interrupt_vector(v->board.opaque, v);
    vcpu_unlock_devices(v);
    if (vector < 0)
        return false;
    interrupt(cpu, (unsigned)vector);
    return true;
}
