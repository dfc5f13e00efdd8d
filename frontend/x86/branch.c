/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jumps, calls and returns: SDM vol. 2. Far ones do their work in helpers of the system part. */
#include "frontend/x86/system.h"
#include "frontend/x86/translate.h"

/* Ends the block on a condition: taken goes on to where the caller says, with the block it begins
 * here; the path goes on behind it in the block that is returned. */
static unsigned branch_if(struct xlat *x, enum ir_cond condition, ir_ref flags)
{
    struct ir_builder *b = &x->b;
    unsigned taken = ir_block_create(b), next = ir_block_create(b);

    ir_brcc(b, condition, flags, taken, next);
    ir_block_begin(b, taken);
    return next;
}

static int64_t displacement(const struct x86_insn *insn)
{
    return (int64_t)insn->imm;
}

/* Jcc rel */
bool trans_jcc(struct xlat *x, const struct x86_insn *insn)
{
    unsigned next = branch_if(x, x86_condition(insn->row->argument), x86_flags(x));

    x86_jump_relative(x, displacement(insn), insn->operand_size);
    ir_block_begin(&x->b, next);
    return true;
}

/* JCXZ, JECXZ, JRCXZ rel */
bool trans_jcxz(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref count = x86_address_register(x, RCX, insn->address_size);
    unsigned next = branch_if(x, IR_Z, ir_test(&x->b, count));

    x86_jump_relative(x, displacement(insn), insn->operand_size);
    ir_block_begin(&x->b, next);
    return true;
}

/* LOOP, LOOPE, LOOPNE rel. A target beyond the limit faults before rCX has changed: the count is
 * set on both ways. */
bool trans_loop(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned size = insn->address_size, next;
    ir_ref count = x86_address_register(x, RCX, size), go;
    ir_ref left = x86_wrap_address(x, ir_bin_i(b, IR_SUB, count, 1), size);

    go = ir_setcc(b, IR_NZ, ir_test(b, left));
    if (insn->row->argument != 0xe2) {
        enum ir_cond condition = insn->row->argument == 0xe1 ? IR_Z : IR_NZ;

        go = ir_bin(b, IR_AND, go, ir_setcc(b, condition, x86_flags(x)));
    }
    next = branch_if(x, IR_NZ, ir_test(b, go));
    if (x86_xlat(x)->code64 || x86_xlat(x)->key & KEY_CS_FLAT) {
        count = x86_address_register(x, RCX, size);
        x86_set_address_register(x, RCX, size, ir_bin_i(b, IR_SUB, count, 1));
        x86_jump_relative(x, displacement(insn), insn->operand_size);
    } else {
        ir_ref target = x86_relative_ip(x, displacement(insn), insn->operand_size);

        target = x86_code_address(x, target, insn->operand_size);
        count = x86_address_register(x, RCX, size);
        x86_set_address_register(x, RCX, size, ir_bin_i(b, IR_SUB, count, 1));
        x86_exit_to(x, target);
    }
    ir_block_begin(b, next);
    count = x86_address_register(x, RCX, size);
    x86_set_address_register(x, RCX, size, ir_bin_i(b, IR_SUB, count, 1));
    return true;
}

/* JMP rel */
bool trans_jmp(struct xlat *x, const struct x86_insn *insn)
{
    x86_jump_relative(x, displacement(insn), insn->operand_size);
    return true;
}

/* JMP r/m */
bool trans_jmp_indirect(struct xlat *x, const struct x86_insn *insn)
{
    x86_jump_to(x, x86_read(x, insn, 0), insn->operand[0].size);
    return true;
}

/* CALL rel */
bool trans_call(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_xlat *xx = x86_xlat(x);
    unsigned size = insn->operand_size;
    ir_ref target;

    if (xx->code64 || xx->key & KEY_CS_FLAT) {
        x86_push(x, size, x86_next_ip(x, size));
        x86_jump_relative(x, displacement(insn), size);
        return true;
    }
    target = x86_code_address(x, x86_relative_ip(x, displacement(insn), size), size);
    x86_push(x, size, x86_next_ip(x, size));
    x86_exit_to(x, target);
    return true;
}

/* CALL r/m */
bool trans_call_indirect(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref target = x86_code_address(x, x86_read(x, insn, 0), size);

    x86_push(x, size, x86_next_ip(x, size));
    x86_exit_to(x, target);
    return true;
}

/* RET; RET imm16 */
bool trans_ret(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand_size;
    ir_ref pointer = x86_stack_pointer(x);
    ir_ref target = x86_code_address(x, x86_stack_load(x, pointer, size), size);
    int64_t more = insn->n_operands ? (uint16_t)insn->imm : 0;

    x86_set_stack_pointer(x, x86_stack_add(x, pointer, size + more));
    x86_exit_to(x, target);
    return true;
}

/* ---- far ------------------------------------------------------------------------------------- */

static void load_segment(struct x86_cpu *cpu, uint32_t segment, uint32_t selector)
{
    x86_load_segment(cpu, (enum x86_segment_register)segment, (uint16_t)selector);
}

static const struct ir_helper helper_load_segment =
    IR_HELPER(load_segment, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_ALL, GROUP_ALL);

struct far_pointer {
    ir_ref offset; /* of the operand size */
    ir_ref selector;
};

/* ptr16:16, ptr16:32, m16:16, m16:32, m16:64: the selector is behind the offset. */
static struct far_pointer far_operand(struct xlat *x, const struct x86_insn *insn, unsigned n)
{
    unsigned size = insn->operand_size;
    ir_ref linear;

    if (insn->operand[n].kind == OPND_FAR)
        return (struct far_pointer){x86_constant(x, size, insn->imm),
                                    x86_constant(x, 2, insn->imm2)};
    linear = x86_linear(x, insn, size + 2, false);
    return (struct far_pointer){x86_load(x, linear, 0, size), x86_load(x, linear, size, 2)};
}

/* LDS, LES, LFS, LGS, LSS r, m16:v */
bool trans_load_far(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    struct far_pointer to = far_operand(x, insn, 1);

    ir_call(b, &helper_load_segment, ir_i32(b, insn->row->argument), to.selector, IR_NONE, IR_NONE);
    x86_write(x, insn, 0, to.offset);
    x86_end_next(x);
    return true;
}

/* A far transfer has set run.pc and run.key. */
static bool far_transfer(struct xlat *x, const struct ir_helper *helper, struct far_pointer to,
                         unsigned size)
{
    struct ir_builder *b = &x->b;

    x86_set_next_pc(x);
    ir_call(b, helper, to.selector, x86_extend(x, to.offset, size, 8, false), ir_i32(b, size),
            IR_NONE);
    x86_end_lookup(x);
    return true;
}

/* JMP ptr16:v; JMP m16:v */
bool trans_jmp_far(struct xlat *x, const struct x86_insn *insn)
{
    return far_transfer(x, &helper_far_jump, far_operand(x, insn, 0), insn->operand_size);
}

/* CALL ptr16:v; CALL m16:v */
bool trans_call_far(struct xlat *x, const struct x86_insn *insn)
{
    return far_transfer(x, &helper_far_call, far_operand(x, insn, 0), insn->operand_size);
}

/* RETF; RETF imm16 */
bool trans_ret_far(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    uint32_t more = insn->n_operands ? (uint16_t)insn->imm : 0;

    x86_set_next_pc(x);
    ir_call(b, &helper_far_return, ir_i32(b, insn->operand_size), ir_i32(b, more), IR_NONE,
            IR_NONE);
    x86_end_lookup(x);
    return true;
}
