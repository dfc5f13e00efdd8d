/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System instructions: the handlers of system.def. Section numbers are the SDM's. */
#include "frontend/x86/system.h"
#include "frontend/x86/translate.h"

/* Helpers may look at and change everything unless it says otherwise. */
#define HELPER(name, result, args)                                                                 \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(name, result, args, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL)

/* After which the next instruction is looked up anew. */
static bool call_and_end(struct xlat *x, const struct ir_helper *helper, ir_ref a, ir_ref c)
{
    x86_set_next_pc(x);
    ir_call(&x->b, helper, a, c, IR_NONE, IR_NONE);
    x86_end_lookup(x);
    return true;
}

static ir_ref widen(struct xlat *x, ir_ref value, unsigned size)
{
    return x86_extend(x, value, size, 8, false);
}

/* A general register operand's size: 4 or 8. */
static ir_ref narrow_to(struct xlat *x, ir_ref value64, unsigned size)
{
    return x86_truncate(x, value64, 8, size);
}

/* ---- descriptor tables ----------------------------------------------------------------------- */

static void check_umip(struct x86_cpu *cpu)
{
    if ((cpu->cr4 & CR4_UMIP) && cpu->cpl)
        x86_raise_gp(cpu, 0);
}

enum stored_register { STORE_LDT, STORE_TR, STORE_MSW };

static uint64_t stored_register(struct x86_cpu *cpu, uint32_t which)
{
    check_umip(cpu);
    switch (which) {
    case STORE_LDT:
        return cpu->ldt.selector;
    case STORE_TR:
        return cpu->tr.selector;
    default:
        return cpu->cr0;
    }
}
static const struct ir_helper helper_stored_register =
    IR_HELPER(stored_register, IR_I64, 1, HELPER_MAY_FAULT, GROUP_ALL, 0);

static bool store_register(struct xlat *x, const struct x86_insn *insn, enum stored_register which)
{
    ir_ref value =
        ir_call(&x->b, &helper_stored_register, ir_i32(&x->b, which), IR_NONE, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, x86_truncate(x, value, 8, insn->operand[0].size));
    return true;
}

bool trans_sldt(struct xlat *x, const struct x86_insn *insn)
{
    return store_register(x, insn, STORE_LDT);
}

bool trans_str(struct xlat *x, const struct x86_insn *insn)
{
    return store_register(x, insn, STORE_TR);
}

bool trans_smsw(struct xlat *x, const struct x86_insn *insn)
{
    return store_register(x, insn, STORE_MSW);
}

static void lldt(struct x86_cpu *cpu, uint32_t selector)
{
    struct x86_descriptor d;

    if (!(selector & 0xfffc)) {
        cpu->ldt =
            (struct x86_segment){.selector = (uint16_t)selector, .attributes = ATTR_UNUSABLE};
        return;
    }
    if (selector & 4 || !x86_descriptor_read(cpu, (uint16_t)selector, &d) ||
        descriptor_is_segment(&d) || descriptor_type(&d) != TYPE_LDT ||
        ((cpu->efer & EFER_LMA) && !x86_descriptor_read_upper(cpu, (uint16_t)selector, &d)))
        x86_raise_gp(cpu, selector_error((uint16_t)selector));
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_NP, selector_error((uint16_t)selector));
    cpu->ldt = x86_segment_of((uint16_t)selector, &d);
}
HELPER(lldt, IR_VOID, 1);

static void ltr(struct x86_cpu *cpu, uint32_t selector)
{
    struct x86_descriptor d;
    bool lma = cpu->efer & EFER_LMA;

    if (!(selector & 0xfffc))
        x86_raise_gp(cpu, 0);
    if (selector & 4 || !x86_descriptor_read(cpu, (uint16_t)selector, &d) ||
        descriptor_is_segment(&d) ||
        !(descriptor_type(&d) == TYPE_TSS32 || (!lma && descriptor_type(&d) == TYPE_TSS16)) ||
        (lma && !x86_descriptor_read_upper(cpu, (uint16_t)selector, &d)))
        x86_raise_gp(cpu, selector_error((uint16_t)selector));
    if (!descriptor_present(&d))
        x86_raise(cpu, EXC_NP, selector_error((uint16_t)selector));
    d.high |= 0x200; /* busy */
    x86_system_store(cpu, d.address + 4, 4, d.high);
    cpu->tr = x86_segment_of((uint16_t)selector, &d);
}
HELPER(ltr, IR_VOID, 1);

bool trans_lldt(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_lldt, x86_read(x, insn, 0), IR_NONE, IR_NONE, IR_NONE);
    return true;
}

bool trans_ltr(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_ltr, x86_read(x, insn, 0), IR_NONE, IR_NONE, IR_NONE);
    return true;
}

enum table { TABLE_GDT, TABLE_IDT };

static uint64_t table_base(struct x86_cpu *cpu, uint32_t which)
{
    check_umip(cpu);
    return which == TABLE_GDT ? cpu->gdt.base : cpu->idt.base;
}
static uint32_t table_limit(struct x86_cpu *cpu, uint32_t which)
{
    return which == TABLE_GDT ? cpu->gdt.limit : cpu->idt.limit;
}
static const struct ir_helper helper_table_base =
    IR_HELPER(table_base, IR_I64, 1, HELPER_MAY_FAULT, GROUP_ALL, 0);
static const struct ir_helper helper_table_limit = IR_HELPER(table_limit, IR_I32, 1, 0, 0, 0);

static bool store_table(struct xlat *x, const struct x86_insn *insn, enum table which)
{
    struct ir_builder *b = &x->b;
    unsigned bytes = x86_xlat(x)->code64 ? 8 : 4;
    ir_ref base = ir_call(b, &helper_table_base, ir_i32(b, which), IR_NONE, IR_NONE, IR_NONE);
    ir_ref limit = ir_call(b, &helper_table_limit, ir_i32(b, which), IR_NONE, IR_NONE, IR_NONE);
    ir_ref linear = x86_linear(x, insn, 2 + bytes, true);

    x86_store(x, linear, 0, 2, limit);
    x86_store(x, linear, 2, bytes, x86_truncate(x, base, 8, bytes));
    return true;
}

bool trans_sgdt(struct xlat *x, const struct x86_insn *insn)
{
    return store_table(x, insn, TABLE_GDT);
}

bool trans_sidt(struct xlat *x, const struct x86_insn *insn)
{
    return store_table(x, insn, TABLE_IDT);
}

static void set_table(struct x86_cpu *cpu, uint32_t which, uint64_t base, uint32_t limit)
{
    struct x86_table *table = which == TABLE_GDT ? &cpu->gdt : &cpu->idt;

    if ((cpu->v.run.key & KEY_CODE64) && !x86_is_canonical(cpu, base))
        x86_raise_gp(cpu, 0);
    table->base = base;
    table->limit = limit;
}
HELPER(set_table, IR_VOID, 3);

/* A 16-bit operand size takes 24 bits of the base. */
static bool load_table(struct xlat *x, const struct x86_insn *insn, enum table which)
{
    struct ir_builder *b = &x->b;
    unsigned bytes = x86_xlat(x)->code64 ? 8 : 4;
    ir_ref linear = x86_linear(x, insn, 2 + bytes, false);
    ir_ref limit = x86_load(x, linear, 0, 2);
    ir_ref base = widen(x, x86_load(x, linear, 2, bytes), bytes);

    if (insn->operand_size == 2)
        base = ir_bin_i(b, IR_AND, base, 0xffffff);
    ir_call(b, &helper_set_table, ir_i32(b, which), base, limit, IR_NONE);
    return true;
}

bool trans_lgdt(struct xlat *x, const struct x86_insn *insn)
{
    return load_table(x, insn, TABLE_GDT);
}

bool trans_lidt(struct xlat *x, const struct x86_insn *insn)
{
    return load_table(x, insn, TABLE_IDT);
}

/* ---- VERR, VERW, LAR, LSL, ARPL -------------------------------------------------------------- */

/* What a selector names, as far as the current level may see it (vol. 3, 5.10). */
static bool visible(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d)
{
    if (!x86_descriptor_read(cpu, selector, d))
        return false;
    if (descriptor_is_code(d) && (d->high & 0x400))
        return true;
    return descriptor_dpl(d) >= cpu->cpl && descriptor_dpl(d) >= (selector & 3u);
}

static void set_zf(struct x86_cpu *cpu, bool zf)
{
    cpu->status = (uint16_t)((cpu->status & ~IR_FLAG_Z) | (zf ? IR_FLAG_Z : 0));
}

static void verify_segment(struct x86_cpu *cpu, uint32_t selector, uint32_t write)
{
    struct x86_descriptor d;
    bool ok = visible(cpu, (uint16_t)selector, &d) && descriptor_is_segment(&d);
    bool rw = ok && (d.high & 0x200);

    if (ok)
        ok = descriptor_is_code(&d) ? !write && rw : !write || rw;
    set_zf(cpu, ok);
}
HELPER(verify_segment, IR_VOID, 2);

bool trans_verr(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_verify_segment, x86_read(x, insn, 0), ir_i32(&x->b, 0), IR_NONE,
            IR_NONE);
    return true;
}

bool trans_verw(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_verify_segment, x86_read(x, insn, 0), ir_i32(&x->b, 1), IR_NONE,
            IR_NONE);
    return true;
}

/* Types of system descriptors that LAR and LSL accept (tables 3-54 and 3-55 of volume 2). */
static bool type_allowed(const struct x86_cpu *cpu, const struct x86_descriptor *d, bool lar)
{
    bool lma = cpu->efer & EFER_LMA;
    unsigned type = descriptor_type(d);

    if (descriptor_is_segment(d) || type == TYPE_LDT || type == TYPE_TSS32 ||
        type == TYPE_TSS32_BUSY)
        return true;
    if (!lma && (type == TYPE_TSS16 || type == TYPE_TSS16_BUSY))
        return true;
    return lar &&
           (type == TYPE_CALL32 || (!lma && (type == TYPE_CALL16 || type == TYPE_TASK_GATE)));
}

/* The new value of the destination; ZF says whether it counts. */
static uint32_t load_rights(struct x86_cpu *cpu, uint32_t selector, uint32_t old)
{
    struct x86_descriptor d;
    bool ok = visible(cpu, (uint16_t)selector, &d) && type_allowed(cpu, &d, true);

    set_zf(cpu, ok);
    return ok ? d.high & 0x00ffff00 : old;
}
HELPER(load_rights, IR_I32, 2);

static uint32_t load_limit(struct x86_cpu *cpu, uint32_t selector, uint32_t old)
{
    struct x86_descriptor d;
    bool ok = visible(cpu, (uint16_t)selector, &d) && type_allowed(cpu, &d, false);

    set_zf(cpu, ok);
    return ok ? x86_segment_of((uint16_t)selector, &d).limit : old;
}
HELPER(load_limit, IR_I32, 2);

/* The whole destination is kept where ZF is cleared, its upper half too. */
static bool load_of_selector(struct xlat *x, const struct x86_insn *insn,
                             const struct ir_helper *helper)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand_size;
    ir_ref selector = x86_truncate(x, x86_read(x, insn, 1), insn->operand[1].size, 2);
    ir_ref old = x86_read(x, insn, 0);
    ir_ref value = ir_call(b, helper, selector, x86_truncate(x, old, size, 4), IR_NONE, IR_NONE);

    value = x86_extend(x, x86_truncate(x, value, 4, MIN(size, 4u)), MIN(size, 4u), size, false);
    x86_write(x, insn, 0, ir_select(b, IR_Z, x86_flags(x), value, old));
    return true;
}

bool trans_lar(struct xlat *x, const struct x86_insn *insn)
{
    return load_of_selector(x, insn, &helper_load_rights);
}

bool trans_lsl(struct xlat *x, const struct x86_insn *insn)
{
    return load_of_selector(x, insn, &helper_load_limit);
}

/* ZF alone: set if the comparison finds equality. */
static void set_zf_if_equal(struct xlat *x, unsigned a, unsigned c)
{
    struct ir_builder *b = &x->b;
    ir_ref compared = ir_compare(b, ir_i32(b, a), ir_i32(b, c));

    x86_set_flags(x, ir_merge_flags(b, x86_flags(x), compared, IR_SET_Z));
}

/* The destination is written only if its RPL is raised. */
bool trans_arpl(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned raise = ir_block_create(b), keep = ir_block_create(b), next = ir_block_create(b);
    ir_ref mine = ir_bin_i(b, IR_AND, x86_read(x, insn, 0), 3);

    ir_brcc(b, IR_C, ir_compare(b, mine, ir_bin_i(b, IR_AND, x86_read(x, insn, 1), 3)), raise,
            keep);
    ir_block_begin(b, raise);
    struct x86_place place = x86_place(x, insn, 0);
    ir_ref kept = ir_bin_i(b, IR_AND, x86_place_read(x, &place), 0xfffc);
    ir_ref rpl = ir_bin_i(b, IR_AND, x86_read(x, insn, 1), 3);
    x86_place_write(x, &place, ir_bin(b, IR_OR, kept, rpl));
    set_zf_if_equal(x, 0, 0);
    ir_br(b, next);
    ir_block_begin(b, keep);
    set_zf_if_equal(x, 0, 1);
    ir_block_begin(b, next);
    return true;
}

/* ---- segment registers ----------------------------------------------------------------------- */

static void load_segment(struct x86_cpu *cpu, uint32_t segment, uint32_t selector)
{
    x86_load_segment(cpu, (enum x86_segment_register)segment, (uint16_t)selector);
}
HELPER(load_segment, IR_VOID, 2);

/* After SS has been loaded no interrupt comes before the next instruction (vol. 3, 6.8.3). */
static void end_segment_load(struct xlat *x, unsigned segment)
{
    struct ir_builder *b = &x->b;

    if (segment == SEG_SS)
        ir_set(b, F_INHIBIT, ir_i32(b, (uint32_t)x86_xlat(x)->next_pc));
    x86_end_next(x);
}

bool trans_mov_to_segment(struct xlat *x, const struct x86_insn *insn)
{
    unsigned segment = insn->operand[0].reg;
    ir_ref selector;

    if (segment == SEG_CS || segment >= N_SEGMENTS)
        return false;
    selector = x86_truncate(x, x86_read(x, insn, 1), insn->operand[1].size, 2);
    ir_call(&x->b, &helper_load_segment, ir_i32(&x->b, segment), selector, IR_NONE, IR_NONE);
    end_segment_load(x, segment);
    return true;
}

bool trans_mov_from_segment(struct xlat *x, const struct x86_insn *insn)
{
    unsigned segment = insn->operand[1].reg;

    if (segment >= N_SEGMENTS)
        return false;
    x86_write(x, insn, 0,
              x86_extend(x, ir_get(&x->b, F_SELECTOR0 + segment), 2, insn->operand[0].size, false));
    return true;
}

/* A 32-bit push of a selector writes two bytes only; the slot's others stay (vol. 2, PUSH). */
bool trans_push_segment(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_stack_add(x, x86_stack_pointer(x), -(int64_t)size);
    ir_ref selector = ir_get(&x->b, F_SELECTOR0 + insn->row->argument);

    if (size == 8)
        x86_stack_store(x, pointer, 8, x86_extend(x, selector, 2, 8, false));
    else
        x86_stack_store(x, pointer, 2, selector);
    x86_set_stack_pointer(x, pointer);
    return true;
}

bool trans_pop_segment(struct xlat *x, const struct x86_insn *insn)
{
    unsigned segment = insn->row->argument, size = insn->operand_size;
    struct ir_builder *b = &x->b;
    ir_ref pointer = x86_stack_pointer(x), after = x86_stack_add(x, pointer, size);
    ir_ref selector = x86_stack_load(x, pointer, 2);

    /* With the size of the stack as it was: POP SS may change it. */
    ir_call(b, &helper_load_segment, ir_i32(b, segment), selector, IR_NONE, IR_NONE);
    x86_set_stack_pointer(x, after);
    end_segment_load(x, segment);
    return true;
}

static uint64_t read_base(struct x86_cpu *cpu, uint32_t segment)
{
    if (!(cpu->cr4 & CR4_FSGSBASE))
        x86_raise(cpu, EXC_UD, 0);
    return cpu->segment[segment].base;
}
HELPER(read_base, IR_I64, 1);

static void write_base(struct x86_cpu *cpu, uint32_t segment, uint64_t base)
{
    if (!(cpu->cr4 & CR4_FSGSBASE))
        x86_raise(cpu, EXC_UD, 0);
    if (!x86_is_canonical(cpu, base))
        x86_raise_gp(cpu, 0);
    cpu->segment[segment].base = base;
}
HELPER(write_base, IR_VOID, 2);

static bool read_segment_base(struct xlat *x, const struct x86_insn *insn, unsigned segment)
{
    ir_ref base =
        ir_call(&x->b, &helper_read_base, ir_i32(&x->b, segment), IR_NONE, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, narrow_to(x, base, insn->operand[0].size));
    return true;
}

static bool write_segment_base(struct xlat *x, const struct x86_insn *insn, unsigned segment)
{
    ir_call(&x->b, &helper_write_base, ir_i32(&x->b, segment),
            widen(x, x86_read(x, insn, 0), insn->operand[0].size), IR_NONE, IR_NONE);
    return true;
}

bool trans_rdfsbase(struct xlat *x, const struct x86_insn *insn)
{
    return read_segment_base(x, insn, SEG_FS);
}

bool trans_rdgsbase(struct xlat *x, const struct x86_insn *insn)
{
    return read_segment_base(x, insn, SEG_GS);
}

bool trans_wrfsbase(struct xlat *x, const struct x86_insn *insn)
{
    return write_segment_base(x, insn, SEG_FS);
}

bool trans_wrgsbase(struct xlat *x, const struct x86_insn *insn)
{
    return write_segment_base(x, insn, SEG_GS);
}

static void swapgs(struct x86_cpu *cpu)
{
    uint64_t base = cpu->segment[SEG_GS].base;

    cpu->segment[SEG_GS].base = cpu->kernel_gs_base;
    cpu->kernel_gs_base = base;
}
static const struct ir_helper helper_swapgs =
    IR_HELPER(swapgs, IR_VOID, 0, 0, GROUP_SEGMENTS, GROUP_SEGMENTS);

bool trans_swapgs(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_swapgs, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* ---- control and debug registers ------------------------------------------------------------- */

/* CR8, the task priority. */
static uint64_t read_cr8(struct x86_cpu *cpu)
{
    struct vcpu *v = &cpu->v;
    uint64_t value;

    if (!v->board.apic_read)
        return 0;
    vcpu_lock_devices(v);
    value = v->board.apic_read(v->board.opaque, v, APIC_TPR) >> 4;
    vcpu_unlock_devices(v);
    return value;
}
static const struct ir_helper helper_read_cr8 = IR_HELPER(read_cr8, IR_I64, 0, 0, 0, 0);

static void write_cr(struct x86_cpu *cpu, uint32_t number, uint64_t value)
{
    struct vcpu *v = &cpu->v;

    switch (number) {
    case 0:
        x86_set_cr0(cpu, value);
        break;
    case 2:
        cpu->cr2 = value;
        break;
    case 3:
        x86_set_cr3(cpu, value);
        break;
    case 4:
        x86_set_cr4(cpu, value);
        break;
    default:
        if (value >> 4)
            x86_raise_gp(cpu, 0);
        if (!v->board.apic_write)
            return;
        vcpu_lock_devices(v);
        v->board.apic_write(v->board.opaque, v, APIC_TPR, value << 4);
        vcpu_unlock_devices(v);
    }
}
HELPER(write_cr, IR_VOID, 2);

static bool is_control_register(struct xlat *x, unsigned number)
{
    return number == 0 || (number >= 2 && number <= 4) || (number == 8 && x86_xlat(x)->wide);
}

bool trans_mov_from_cr(struct xlat *x, const struct x86_insn *insn)
{
    static const uint8_t field_of[] = {[0] = F_CR0, [2] = F_CR2, [3] = F_CR3, [4] = F_CR4};
    unsigned number = insn->operand[1].reg;
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (!is_control_register(x, number))
        return false;
    value = number == 8 ? ir_call(b, &helper_read_cr8, IR_NONE, IR_NONE, IR_NONE, IR_NONE)
                        : ir_get(b, field_of[number]);
    x86_write(x, insn, 0, narrow_to(x, value, insn->operand[0].size));
    return true;
}

bool trans_mov_to_cr(struct xlat *x, const struct x86_insn *insn)
{
    unsigned number = insn->operand[0].reg;

    if (!is_control_register(x, number))
        return false;
    return call_and_end(x, &helper_write_cr, ir_i32(&x->b, number),
                        widen(x, x86_read(x, insn, 1), insn->operand[1].size));
}

/* DR4 and DR5 are DR6 and DR7, unless CR4.DE makes them undefined (vol. 3, 17.2.2). */
static unsigned debug_register(struct x86_cpu *cpu, unsigned number)
{
    enum { DR7_GD = 1 << 13, DR6_BD = 1 << 13 };

    if (number == 4 || number == 5) {
        if (cpu->cr4 & CR4_DE)
            x86_raise(cpu, EXC_UD, 0);
        number += 2;
    }
    if (cpu->dr[7] & DR7_GD) {
        cpu->dr[6] |= DR6_BD;
        cpu->dr[7] &= ~(uint64_t)DR7_GD;
        x86_raise(cpu, EXC_DB, 0);
    }
    return number;
}

static uint64_t read_dr(struct x86_cpu *cpu, uint32_t number)
{
    return cpu->dr[debug_register(cpu, number)];
}
HELPER(read_dr, IR_I64, 1);

static void write_dr(struct x86_cpu *cpu, uint32_t number, uint64_t value)
{
    number = debug_register(cpu, number);
    if (number >= 6 && value >> 32)
        x86_raise_gp(cpu, 0);
    if (number == 6)
        value = (value & 0xe00f) | 0xffff0ff0;
    else if (number == 7)
        value = (value & 0xffff2fff) | 0x400;
    cpu->dr[number] = value;
    x86_update_mode(cpu);
}
HELPER(write_dr, IR_VOID, 2);

bool trans_mov_from_dr(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref value;

    if (insn->operand[1].reg > 7)
        return false;
    value = ir_call(&x->b, &helper_read_dr, ir_i32(&x->b, insn->operand[1].reg), IR_NONE, IR_NONE,
                    IR_NONE);
    x86_write(x, insn, 0, narrow_to(x, value, insn->operand[0].size));
    return true;
}

bool trans_mov_to_dr(struct xlat *x, const struct x86_insn *insn)
{
    if (insn->operand[0].reg > 7)
        return false;
    return call_and_end(x, &helper_write_dr, ir_i32(&x->b, insn->operand[0].reg),
                        widen(x, x86_read(x, insn, 1), insn->operand[1].size));
}

/* PE can be set, not cleared. */
static void lmsw(struct x86_cpu *cpu, uint32_t value)
{
    x86_set_cr0(cpu, (cpu->cr0 & ~UINT64_C(14)) | (value & 15));
}
HELPER(lmsw, IR_VOID, 1);

bool trans_lmsw(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_lmsw,
                        x86_truncate(x, x86_read(x, insn, 0), insn->operand[0].size, 2), IR_NONE);
}

static void clts(struct x86_cpu *cpu)
{
    cpu->cr0 &= ~(uint64_t)CR0_TS;
    x86_update_mode(cpu);
}
HELPER(clts, IR_VOID, 0);

bool trans_clts(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_clts, IR_NONE, IR_NONE);
}

static uint64_t xgetbv(struct x86_cpu *cpu, uint32_t number)
{
    if (!(cpu->cr4 & CR4_OSXSAVE))
        x86_raise(cpu, EXC_UD, 0);
    if (number)
        x86_raise_gp(cpu, 0);
    return cpu->xcr0;
}
HELPER(xgetbv, IR_I64, 1);

static void xsetbv(struct x86_cpu *cpu, uint32_t number, uint64_t value)
{
    enum { XCR0_X87 = 1, XCR0_SSE = 2, XCR0_AVX = 4 };
    uint64_t allowed = XCR0_X87 | XCR0_SSE | (x86_has(cpu, HAS_AVX) ? XCR0_AVX : 0);

    if (!(cpu->cr4 & CR4_OSXSAVE))
        x86_raise(cpu, EXC_UD, 0);
    if (number || value & ~allowed || !(value & XCR0_X87) ||
        (value & (XCR0_SSE | XCR0_AVX)) == XCR0_AVX)
        x86_raise_gp(cpu, 0);
    cpu->xcr0 = value;
    x86_update_mode(cpu);
}
HELPER(xsetbv, IR_VOID, 2);

static ir_ref edx_eax(struct xlat *x)
{
    return ir_bin(&x->b, IR_CONCAT, x86_gpr(x, RAX, 4), x86_gpr(x, RDX, 4));
}

static void set_edx_eax(struct xlat *x, ir_ref value)
{
    x86_set_gpr(x, RAX, 4, ir_un(&x->b, IR_NARROW, value));
    x86_set_gpr(x, RDX, 4, ir_un(&x->b, IR_HIGH, value));
}

bool trans_xgetbv(struct xlat *x, const struct x86_insn *insn)
{
    set_edx_eax(x, ir_call(&x->b, &helper_xgetbv, x86_gpr(x, RCX, 4), IR_NONE, IR_NONE, IR_NONE));
    return true;
}

bool trans_xsetbv(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_xsetbv, x86_gpr(x, RCX, 4), edx_eax(x));
}

static void set_ac(struct x86_cpu *cpu, uint32_t value)
{
    if (cpu->cpl || (cpu->v.run.key & KEY_VM86))
        x86_raise(cpu, EXC_UD, 0);
    x86_eflags_write(cpu, value, EFLAGS_AC);
}
HELPER(set_ac, IR_VOID, 1);

bool trans_stac(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_set_ac, ir_i32(&x->b, EFLAGS_AC), IR_NONE);
}

bool trans_clac(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_set_ac, ir_i32(&x->b, 0), IR_NONE);
}

/* ---- caches, translations, waiting ----------------------------------------------------------- */

/* Caches hold nothing that memory does not. */
bool trans_invd(struct xlat *x, const struct x86_insn *insn)
{
    return true;
}

bool trans_wbinvd(struct xlat *x, const struct x86_insn *insn)
{
    return true;
}

static void invlpg(struct x86_cpu *cpu, uint64_t linear)
{
    if (cpu->v.run.key & KEY_CODE64 && !x86_is_canonical(cpu, linear))
        return;
    x86_flush_page(cpu, linear);
}
static const struct ir_helper helper_invlpg = IR_HELPER(invlpg, IR_VOID, 1, 0, 0, 0);

bool trans_invlpg(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    ir_ref offset = x86_effective_address(x, insn), base;
    bool wide = x86_xlat(x)->wide;

    if (!x86_xlat(x)->code64 || insn->segment >= SEG_FS) {
        base = ir_get(b, F_BASE0 + insn->segment);
        offset = ir_bin(b, IR_ADD, offset, base);
        if (wide && !x86_xlat(x)->code64)
            offset = ir_bin_i(b, IR_AND, offset, UINT32_MAX);
    }
    ir_call(b, &helper_invlpg, wide ? offset : ir_un(b, IR_WIDEN_U, offset), IR_NONE, IR_NONE,
            IR_NONE);
    return true;
}

static void invpcid(struct x86_cpu *cpu, uint64_t type, uint64_t pcid, uint64_t linear)
{
    enum { ONE_ADDRESS, ONE_CONTEXT, ALL_WITH_GLOBAL, ALL };

    if (type > ALL || (type <= ONE_CONTEXT && pcid >> 12) ||
        (type <= ONE_CONTEXT && pcid && !(cpu->cr4 & CR4_PCIDE)) ||
        (type == ONE_ADDRESS && !x86_is_canonical(cpu, linear)))
        x86_raise_gp(cpu, 0);
    if (type == ONE_ADDRESS && (!(cpu->cr4 & CR4_PCIDE) || pcid == (cpu->cr3 & 0xfff)))
        x86_flush_page(cpu, linear);
    else if (type == ONE_ADDRESS)
        mmu_flush_page(cpu->v.mmu, linear);
    else if (type == ONE_CONTEXT && cpu->cr4 & CR4_PCIDE)
        x86_flush_context(cpu, (uint32_t)pcid);
    else
        mmu_revalidate_all(cpu->v.mmu);
}
HELPER(invpcid, IR_VOID, 3);

bool trans_invpcid(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref type = widen(x, x86_read(x, insn, 0), insn->operand[0].size);
    ir_ref linear = x86_linear(x, insn, 16, false);
    ir_ref pcid = x86_load(x, linear, 0, 8), address = x86_load(x, linear, 8, 8);

    ir_call(&x->b, &helper_invpcid, type, pcid, address, IR_NONE);
    return true;
}

static void halt(struct x86_cpu *cpu)
{
    cpu->v.halted = true;
}
static const struct ir_helper helper_halt = IR_HELPER(halt, IR_VOID, 0, 0, 0, 0);

bool trans_hlt(struct xlat *x, const struct x86_insn *insn)
{
    x86_set_next_pc(x);
    ir_call(&x->b, &helper_halt, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_stop(&x->b, EXIT_HALT);
    return true;
}

static void check_monitor(struct x86_cpu *cpu)
{
    if (cpu->cpl)
        x86_raise(cpu, EXC_UD, 0);
}
HELPER(check_monitor, IR_VOID, 0);

bool trans_monitor(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_check_monitor, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* May end for any reason: goes on at once. */
bool trans_mwait(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_check_monitor, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_end_next(x);
    return true;
}

/* ---- model-specific registers, counters, identification -------------------------------------- */

static const struct ir_helper helper_rdmsr =
    IR_HELPER(x86_rdmsr, IR_I64, 1, HELPER_MAY_FAULT, GROUP_ALL, 0);
static const struct ir_helper helper_wrmsr =
    IR_HELPER(x86_wrmsr, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL);

bool trans_rdmsr(struct xlat *x, const struct x86_insn *insn)
{
    set_edx_eax(x, ir_call(&x->b, &helper_rdmsr, x86_gpr(x, RCX, 4), IR_NONE, IR_NONE, IR_NONE));
    return true;
}

bool trans_wrmsr(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_wrmsr, x86_gpr(x, RCX, 4), edx_eax(x));
}

static uint64_t rdtsc(struct x86_cpu *cpu)
{
    if (cpu->cr4 & CR4_TSD)
        x86_raise_gp(cpu, 0);
    return x86_tsc(cpu);
}
static const struct ir_helper helper_rdtsc = IR_HELPER(rdtsc, IR_I64, 0, HELPER_MAY_FAULT, 0, 0);
static const struct ir_helper helper_rdtsc_at_0 = IR_HELPER(x86_tsc, IR_I64, 0, 0, 0, 0);

/* CR4.TSD does not count at level 0. */
static ir_ref read_time_stamp(struct xlat *x)
{
    const struct ir_helper *helper = x->key & KEY_CPL ? &helper_rdtsc : &helper_rdtsc_at_0;

    return ir_call(&x->b, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

bool trans_rdtsc(struct xlat *x, const struct x86_insn *insn)
{
    set_edx_eax(x, read_time_stamp(x));
    return true;
}

static uint32_t tsc_aux(struct x86_cpu *cpu)
{
    return (uint32_t)cpu->tsc_aux;
}
static const struct ir_helper helper_tsc_aux = IR_HELPER(tsc_aux, IR_I32, 0, 0, 0, 0);

bool trans_rdtscp(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref tsc = read_time_stamp(x);

    x86_set_gpr(x, RCX, 4, ir_call(&x->b, &helper_tsc_aux, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    set_edx_eax(x, tsc);
    return true;
}

bool trans_rdpid(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref aux = ir_call(&x->b, &helper_tsc_aux, IR_NONE, IR_NONE, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, x86_extend(x, aux, 4, insn->operand[0].size, false));
    return true;
}

/* No counters are there: all of them read 0 for who may read them. */
static uint64_t rdpmc(struct x86_cpu *cpu, uint32_t number)
{
    enum { N_COUNTERS = 4 };

    if ((cpu->cpl && !(cpu->cr4 & CR4_PCE)) || number >= N_COUNTERS)
        x86_raise_gp(cpu, 0);
    return 0;
}
HELPER(rdpmc, IR_I64, 1);

bool trans_rdpmc(struct xlat *x, const struct x86_insn *insn)
{
    set_edx_eax(x, ir_call(&x->b, &helper_rdpmc, x86_gpr(x, RCX, 4), IR_NONE, IR_NONE, IR_NONE));
    return true;
}

static void cpuid(struct x86_cpu *cpu)
{
    uint32_t out[4];

    x86_cpuid(cpu, (uint32_t)cpu->gpr[RAX], (uint32_t)cpu->gpr[RCX], out);
    cpu->gpr[RAX] = out[0];
    cpu->gpr[RBX] = out[1];
    cpu->gpr[RCX] = out[2];
    cpu->gpr[RDX] = out[3];
}
static const struct ir_helper helper_cpuid =
    IR_HELPER(cpuid, IR_VOID, 0, 0, GROUP_GPRS, GROUP_GPRS);

bool trans_cpuid(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_cpuid, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* ---- flags ----------------------------------------------------------------------------------- */

static unsigned iopl(const struct x86_cpu *cpu)
{
    return cpu->eflags >> 12 & 3;
}

/* Vol. 2, CLI table 3-7: what it does to IF or, with VME and PVI, to VIF. */
static void cli(struct x86_cpu *cpu)
{
    bool vm86 = cpu->v.run.key & KEY_VM86;

    if (!(cpu->cr0 & CR0_PE) || iopl(cpu) >= cpu->cpl)
        cpu->eflags &= ~(uint32_t)EFLAGS_IF;
    else if ((vm86 && (cpu->cr4 & CR4_VME)) || (!vm86 && cpu->cpl == 3 && (cpu->cr4 & CR4_PVI)))
        cpu->eflags &= ~(uint32_t)EFLAGS_VIF;
    else
        x86_raise_gp(cpu, 0);
}
static const struct ir_helper helper_cli =
    IR_HELPER(cli, IR_VOID, 0, HELPER_MAY_FAULT, GROUP_EFLAGS, GROUP_EFLAGS);

bool trans_cli(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;

    if (x86_xlat(x)->cpl == 0)
        ir_set(b, F_EFLAGS, ir_bin_i(b, IR_AND, ir_get(b, F_EFLAGS), (uint32_t)~EFLAGS_IF));
    else
        ir_call(b, &helper_cli, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

/* next: the low half of the next instruction's address. */
static void sti(struct x86_cpu *cpu, uint32_t next)
{
    bool vm86 = cpu->v.run.key & KEY_VM86;

    if (!(cpu->cr0 & CR0_PE) || iopl(cpu) >= cpu->cpl) {
        if (!(cpu->eflags & EFLAGS_IF))
            cpu->inhibit = next;
        cpu->eflags |= EFLAGS_IF;
        if (x86_line(cpu, X86_INTR))
            vcpu_kick(&cpu->v);
    } else if (((vm86 && (cpu->cr4 & CR4_VME)) ||
                (!vm86 && cpu->cpl == 3 && (cpu->cr4 & CR4_PVI))) &&
               !(cpu->eflags & EFLAGS_VIP)) {
        cpu->eflags |= EFLAGS_VIF;
    } else {
        x86_raise_gp(cpu, 0);
    }
}
static const struct ir_helper helper_sti =
    IR_HELPER(sti, IR_VOID, 1, HELPER_MAY_FAULT, GROUP_EFLAGS, GROUP_EFLAGS);

bool trans_sti(struct xlat *x, const struct x86_insn *insn)
{
    ir_call(&x->b, &helper_sti, ir_i32(&x->b, (uint32_t)x86_xlat(x)->next_pc), IR_NONE, IR_NONE,
            IR_NONE);
    x86_xlat(x)->end_after_next = true;
    return true;
}

static bool vme_without_iopl(const struct x86_cpu *cpu)
{
    return (cpu->v.run.key & KEY_VM86) && iopl(cpu) < 3;
}

static uint32_t pushf(struct x86_cpu *cpu, uint32_t size)
{
    uint32_t flags = x86_eflags_read(cpu) & ~(uint32_t)(EFLAGS_RF | EFLAGS_VM);

    if (!vme_without_iopl(cpu))
        return flags;
    if (!(cpu->cr4 & CR4_VME) || size != 2)
        x86_raise_gp(cpu, 0);
    flags |= EFLAGS_IOPL;
    return (flags & ~(uint32_t)EFLAGS_IF) | (flags & EFLAGS_VIF ? EFLAGS_IF : 0);
}
static const struct ir_helper helper_pushf =
    IR_HELPER(pushf, IR_I32, 1, HELPER_MAY_FAULT, GROUP_STATUS | GROUP_EFLAGS, 0);

bool trans_pushf(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref flags = ir_call(&x->b, &helper_pushf, ir_i32(&x->b, size), IR_NONE, IR_NONE, IR_NONE);

    flags = size == 8 ? x86_extend(x, flags, 4, 8, false) : x86_truncate(x, flags, 4, size);
    x86_push(x, size, flags);
    return true;
}

static void popf(struct x86_cpu *cpu, uint32_t value, uint32_t size)
{
    uint32_t mask = EFLAGS_STATUS | EFLAGS_DF | EFLAGS_TF | EFLAGS_NT;

    if (size > 2) {
        mask |= EFLAGS_AC | EFLAGS_ID | EFLAGS_RF;
        value &= ~(uint32_t)EFLAGS_RF;
    }
    if (vme_without_iopl(cpu)) {
        if (!(cpu->cr4 & CR4_VME) || size != 2 || value & EFLAGS_TF ||
            ((value & EFLAGS_IF) && (cpu->eflags & EFLAGS_VIP)))
            x86_raise_gp(cpu, 0);
        x86_eflags_write(cpu,
                         (value & ~(uint32_t)EFLAGS_VIF) | (value & EFLAGS_IF ? EFLAGS_VIF : 0),
                         mask | EFLAGS_VIF);
        return;
    }
    if (!(cpu->cr0 & CR0_PE) || cpu->cpl == 0)
        mask |= EFLAGS_IOPL | EFLAGS_IF;
    else if (cpu->cpl <= iopl(cpu))
        mask |= EFLAGS_IF;
    x86_eflags_write(cpu, value, mask);
}
HELPER(popf, IR_VOID, 2);

bool trans_popf(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_stack_pointer(x);
    ir_ref value = x86_truncate(x, x86_stack_load(x, pointer, size), size, MIN(size, 4u));

    ir_call(b, &helper_popf, value, ir_i32(b, size), IR_NONE, IR_NONE);
    x86_set_stack_pointer(x, x86_stack_add(x, pointer, size));
    x86_end_next(x);
    return true;
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void software_interrupt(struct x86_cpu *cpu, uint32_t vector, uint32_t int_n)
{
    x86_software_interrupt(cpu, vector, x86_ip(cpu), int_n);
}
HELPER(software_interrupt, IR_VOID, 2);

/* TF is cleared on the way: no single-step trap follows (vol. 3, 17.3.1.4). */
static bool interrupt_and_end(struct xlat *x, unsigned vector, bool int_n)
{
    struct ir_builder *b = &x->b;

    x86_set_next_pc(x);
    ir_call(b, &helper_software_interrupt, ir_i32(b, vector), ir_i32(b, int_n), IR_NONE, IR_NONE);
    ir_exit_lookup(b);
    return true;
}

bool trans_int(struct xlat *x, const struct x86_insn *insn)
{
    return interrupt_and_end(x, insn->imm & 0xff, true);
}

bool trans_int3(struct xlat *x, const struct x86_insn *insn)
{
    return interrupt_and_end(x, EXC_BP, false);
}

/* A trap that no privilege check stops. */
static void trap_debug(struct x86_cpu *cpu)
{
    x86_raise_exception(&cpu->v, &(struct exception){.kind = EXC_DB});
}
static const struct ir_helper helper_trap_debug =
    IR_HELPER(trap_debug, IR_VOID, 0, 0, GROUP_ALL, GROUP_ALL);

bool trans_int1(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_trap_debug, IR_NONE, IR_NONE);
}

bool trans_into(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned overflow = ir_block_create(b), next = ir_block_create(b);

    ir_brcc(b, IR_V, x86_flags(x), overflow, next);
    ir_block_begin(b, overflow);
    interrupt_and_end(x, EXC_OF, false);
    ir_block_begin(b, next);
    return true;
}

static void iret(struct x86_cpu *cpu, uint32_t size)
{
    x86_iret(cpu, size);
}
HELPER(iret, IR_VOID, 1);

bool trans_iret(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_iret, ir_i32(&x->b, insn->operand_size), IR_NONE);
}

/* ---- fast system calls ----------------------------------------------------------------------- */

/* Flat code and stack segments that SYSENTER, SYSCALL and their returns load without a table. */
static struct x86_segment flat_code_segment(uint16_t selector, unsigned level, bool code64)
{
    enum { CODE = ATTR_P | ATTR_S | ATTR_CODE | ATTR_READABLE | ATTR_ACCESSED | ATTR_G };

    return (struct x86_segment){
        .selector = selector,
        .attributes = (uint16_t)(CODE | level << ATTR_DPL_SHIFT | (code64 ? ATTR_L : ATTR_DB)),
        .limit = UINT32_MAX,
    };
}

static struct x86_segment flat_stack_segment(uint16_t selector, unsigned level)
{
    enum { DATA = ATTR_P | ATTR_S | ATTR_WRITABLE | ATTR_ACCESSED | ATTR_G | ATTR_DB };

    return (struct x86_segment){
        .selector = selector,
        .attributes = (uint16_t)(DATA | level << ATTR_DPL_SHIFT),
        .limit = UINT32_MAX,
    };
}

static void enter_flat(struct x86_cpu *cpu, uint16_t cs, uint16_t ss, unsigned level, bool code64,
                       uint64_t ip)
{
    cpu->segment[SEG_CS] = flat_code_segment((uint16_t)((cs & 0xfffc) | level), level, code64);
    cpu->segment[SEG_SS] = flat_stack_segment((uint16_t)((ss & 0xfffc) | level), level);
    x86_update_level(cpu);
    x86_set_ip(cpu, ip);
}

static bool is_amd(const struct x86_cpu *cpu)
{
    return cpu->model->vendor[0] == 'A';
}

/* AMD's processors do not have SYSENTER and SYSEXIT in long mode (APM vol. 3). */
static void check_sysenter(struct x86_cpu *cpu)
{
    if (is_amd(cpu) && cpu->efer & EFER_LMA)
        x86_raise(cpu, EXC_UD, 0);
}

/* Intel's have SYSCALL and SYSRET in 64-bit mode only (SDM vol. 2). */
static void check_syscall(struct x86_cpu *cpu)
{
    if (!(cpu->efer & EFER_SCE) || !(cpu->cr0 & CR0_PE) ||
        (!is_amd(cpu) && !(cpu->v.run.key & KEY_CODE64)))
        x86_raise(cpu, EXC_UD, 0);
}

static void sysenter(struct x86_cpu *cpu)
{
    bool lma = cpu->efer & EFER_LMA;
    uint16_t cs = (uint16_t)cpu->sysenter_cs;

    check_sysenter(cpu);
    if (!(cpu->cr0 & CR0_PE) || !(cs & 0xfffc))
        x86_raise_gp(cpu, 0);
    cpu->eflags &= ~(uint32_t)(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
    cpu->gpr[RSP] = lma ? cpu->sysenter_esp : (uint32_t)cpu->sysenter_esp;
    enter_flat(cpu, cs, (uint16_t)(cs + 8), 0, lma,
               lma ? cpu->sysenter_eip : (uint32_t)cpu->sysenter_eip);
}
HELPER(sysenter, IR_VOID, 0);

static void sysexit(struct x86_cpu *cpu, uint32_t size)
{
    uint16_t cs = (uint16_t)cpu->sysenter_cs;
    bool to64 = size == 8;
    uint64_t ip = cpu->gpr[RDX], sp = cpu->gpr[RCX];

    check_sysenter(cpu);
    if (!(cs & 0xfffc) || (to64 && (!x86_is_canonical(cpu, ip) || !x86_is_canonical(cpu, sp))))
        x86_raise_gp(cpu, 0);
    cpu->gpr[RSP] = to64 ? sp : (uint32_t)sp;
    cs = (uint16_t)(cs + (to64 ? 32 : 16));
    enter_flat(cpu, cs, (uint16_t)(cs + 8), 3, to64, to64 ? ip : (uint32_t)ip);
}
HELPER(sysexit, IR_VOID, 1);

/* Vol. 2, SYSCALL; in compatibility and legacy mode as APM vol. 3 has it. */
static void syscall_entry(struct x86_cpu *cpu)
{
    uint16_t cs = (uint16_t)(cpu->star >> 32);
    bool lma = cpu->efer & EFER_LMA, from64 = cpu->v.run.key & KEY_CODE64;
    uint64_t next = x86_ip(cpu);

    check_syscall(cpu);
    cpu->gpr[RCX] = next;
    if (lma) {
        uint32_t flags = x86_eflags_read(cpu) & ~(uint32_t)EFLAGS_RF;
        cpu->gpr[11] = flags;
        x86_eflags_write(cpu, flags & ~(uint32_t)cpu->sfmask, UINT32_MAX);
        enter_flat(cpu, cs, (uint16_t)(cs + 8), 0, true, from64 ? cpu->lstar : cpu->cstar);
    } else {
        cpu->eflags &= ~(uint32_t)(EFLAGS_VM | EFLAGS_IF | EFLAGS_RF);
        enter_flat(cpu, cs, (uint16_t)(cs + 8), 0, false, (uint32_t)cpu->star);
    }
}
HELPER(syscall_entry, IR_VOID, 0);

static void sysret(struct x86_cpu *cpu, uint32_t size)
{
    enum { RESTORED = (int)~(unsigned)(EFLAGS_RF | EFLAGS_VM) };
    uint16_t base = (uint16_t)(cpu->star >> 48);
    uint64_t ip = cpu->gpr[RCX];
    bool lma = cpu->efer & EFER_LMA, to64 = lma && size == 8;

    check_syscall(cpu);
    /* AMD's take any address and fault on the fetch. */
    if (to64 && !is_amd(cpu) && !x86_is_canonical(cpu, ip))
        x86_raise_gp(cpu, 0);
    if (lma)
        x86_eflags_write(cpu, (uint32_t)cpu->gpr[11], (uint32_t)RESTORED);
    else
        x86_eflags_write(cpu, EFLAGS_IF, EFLAGS_IF);
    enter_flat(cpu, (uint16_t)(base + (to64 ? 16 : 0)), (uint16_t)(base + 8), 3, to64,
               to64 ? ip : (uint32_t)ip);
}
HELPER(sysret, IR_VOID, 1);

bool trans_sysenter(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_sysenter, IR_NONE, IR_NONE);
}

bool trans_sysexit(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_sysexit, ir_i32(&x->b, insn->rex_w ? 8 : 4), IR_NONE);
}

bool trans_syscall(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_syscall_entry, IR_NONE, IR_NONE);
}

bool trans_sysret(struct xlat *x, const struct x86_insn *insn)
{
    return call_and_end(x, &helper_sysret, ir_i32(&x->b, insn->rex_w ? 8 : 4), IR_NONE);
}

/* ---- far transfers, for branch.c ------------------------------------------------------------- */

static void far_jump(struct x86_cpu *cpu, uint32_t selector, uint64_t offset, uint32_t size)
{
    x86_far_jump(cpu, (uint16_t)selector, offset, size);
}

static void far_call(struct x86_cpu *cpu, uint32_t selector, uint64_t offset, uint32_t size)
{
    x86_far_call(cpu, (uint16_t)selector, offset, size);
}

static void far_return(struct x86_cpu *cpu, uint32_t size, uint32_t pop_bytes)
{
    x86_far_return(cpu, size, pop_bytes);
}

#define FAR_HELPER(name, args)                                                                     \
    const struct ir_helper helper_##name =                                                         \
        IR_HELPER(name, IR_VOID, args, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL)
FAR_HELPER(far_jump, 3);
FAR_HELPER(far_call, 3);
FAR_HELPER(far_return, 2);

/* ---- ports ----------------------------------------------------------------------------------- */

/* The I/O permission bitmap (vol. 1, 19.5.2). */
static void check_io_map(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
    uint32_t map, bits;

    if (!(cpu->cr0 & CR0_PE) || (!(cpu->v.run.key & KEY_VM86) && cpu->cpl <= iopl(cpu)))
        return;
    if (!(cpu->tr.attributes & 8) || cpu->tr.limit < 103)
        x86_raise_gp(cpu, 0);
    map = (uint32_t)x86_system_load(cpu, cpu->tr.base + 102, 2) + port / 8;
    if (map + 1 > cpu->tr.limit)
        x86_raise_gp(cpu, 0);
    bits = (uint32_t)x86_system_load(cpu, cpu->tr.base + map, 2);
    if (bits >> (port % 8) & ((1u << size) - 1))
        x86_raise_gp(cpu, 0);
}

void x86_check_io(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
    check_io_map(cpu, port, size);
    if (UNLIKELY(cpu->v.run.key & KEY_DATA_BREAK))
        x86_check_io_break(cpu, port, size);
}
