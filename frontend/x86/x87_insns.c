/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 instructions as IR: nearly all are the very instruction (ir.h, X87) on the host's registers,
 * with a pointer to the memory operand. SDM vol. 1, 8 and vol. 2.
 *
 * In units with KEY_X87_UNMASKED a helper executes them instead, with the guest's exception masks,
 * and waiting instructions look for a pending exception first.
 */
#include "frontend/x86/translate.h"
#include "frontend/x86/x87.h"

static bool unmasked(struct xlat *x)
{
    return UNLIKELY(x86_xlat(x)->key & KEY_X87_UNMASKED);
}

static bool is_real(struct xlat *x)
{
    return !(x86_xlat(x)->key & KEY_PROTECTED);
}

/* ---- helpers --------------------------------------------------------------------------------- */

static void check_pending(struct x86_cpu *cpu)
{
    x86_fpu_check(cpu);
}

static uint32_t execute_unmasked(struct x86_cpu *cpu, uint32_t what, void *memory, uint64_t value)
{
    return (uint32_t)x87_execute(cpu, what >> 8, what & 0xff, memory, value);
}

static uint32_t status_word(struct x86_cpu *cpu)
{
    return x87_status(cpu);
}

static void set_control(struct x86_cpu *cpu, uint32_t value)
{
    x87_set_control(cpu, (uint16_t)value);
    x86_update_mode(cpu);
}

static void update_mode(struct x86_cpu *cpu)
{
    x86_update_mode(cpu);
}

static void initialise(struct x86_cpu *cpu)
{
    x87_init(cpu);
    x86_update_mode(cpu);
}

static void store_environment(struct x86_cpu *cpu, uint8_t *out, uint32_t size, uint32_t real)
{
    x87_store_environment(cpu, out, size, real);
    x86_update_mode(cpu);
}

static void load_environment(struct x86_cpu *cpu, const uint8_t *in, uint32_t size, uint32_t real)
{
    x87_load_environment(cpu, in, size, real);
    x86_update_mode(cpu);
}

#define HELPER(name, result, args, flags, writes)                                                  \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(name, result, args, flags, GROUP_FPU | GROUP_PC, writes)
HELPER(check_pending, IR_VOID, 0, HELPER_MAY_FAULT, 0);
HELPER(execute_unmasked, IR_I32, 3, 0, 0);
HELPER(status_word, IR_I32, 0, 0, 0);
HELPER(set_control, IR_VOID, 1, 0, GROUP_FPU | GROUP_PC);
HELPER(update_mode, IR_VOID, 0, 0, GROUP_PC);
HELPER(initialise, IR_VOID, 0, 0, GROUP_FPU | GROUP_PC);
HELPER(store_environment, IR_VOID, 3, 0, GROUP_FPU | GROUP_PC);
HELPER(load_environment, IR_VOID, 3, 0, GROUP_FPU | GROUP_PC);

static void call(struct xlat *x, const struct ir_helper *helper)
{
    ir_call(&x->b, helper, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* What waiting instructions begin with: SDM vol. 1, 8.6. */
static void wait(struct xlat *x)
{
    if (unmasked(x))
        call(x, &helper_check_pending);
}

static ir_ref execute(struct xlat *x, enum ir_type type, unsigned opcode, unsigned modrm,
                      ir_ref pointer, ir_ref value)
{
    struct ir_builder *b = &x->b;

    if (!unmasked(x))
        return ir_x87(b, type, opcode, modrm, 0, pointer, value);
    return ir_call(b, &helper_execute_unmasked, ir_i32(b, opcode << 8 | modrm),
                   pointer != IR_NONE ? pointer : ir_i64(b, 0),
                   value != IR_NONE ? ir_un(b, IR_WIDEN_U, value) : ir_i64(b, 0), IR_NONE);
}

/* The pointers to the last instruction that is not for control, and to its operand: SDM vol. 1,
 * 8.1.8. Behind the instruction itself: an instruction that faults leaves them. The operand's is
 * kept up only where exceptions are unmasked, as by newer processors (CPUID.7.0:EBX[6]). */
static void note(struct xlat *x, const struct x86_insn *insn, unsigned opcode, bool memory)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;
    unsigned size = xx->code64 ? 8 : 4;
    ir_ref ip = x86_relative_ip(x, -(int64_t)insn->length, size);

    ir_set(b, F_FPU_IP, x86_extend(x, ip, size, 8, false));
    ir_set(b, F_FPU_CS, ir_get(b, F_SELECTOR0 + SEG_CS));
    ir_set(b, F_FPU_OPCODE, ir_i32(b, (opcode & 7) << 8 | insn->modrm));
    if (memory && unmasked(x)) {
        ir_set(b, F_FPU_DP, x86_from_address(x, x86_effective_address(x, insn), 8));
        ir_set(b, F_FPU_DS, ir_get(b, F_SELECTOR0 + insn->segment));
    }
}

/* ---- arithmetic, loads, stores --------------------------------------------------------------- */

/* Forms without a memory operand. */
bool trans_x87(struct xlat *x, const struct x86_insn *insn)
{
    unsigned opcode = insn->row->argument;

    wait(x);
    execute(x, IR_VOID, opcode, insn->modrm, IR_NONE, IR_NONE);
    note(x, insn, opcode, false);
    return true;
}

/* FLD, FILD, FBLD, FADD m ... */
bool trans_x87_load(struct xlat *x, const struct x86_insn *insn)
{
    unsigned opcode = insn->row->argument, size = insn->operand[0].size;
    ir_ref pointer;

    wait(x);
    pointer = x86_probe(x, x86_linear(x, insn, size, false), size, false);
    execute(x, IR_VOID, opcode, insn->modrm & 0x38, pointer, IR_NONE);
    note(x, insn, opcode, true);
    return true;
}

/* FST, FSTP, FIST, FISTP, FISTTP, FBSTP m. An unmasked exception may leave the operand as it was.
 */
bool trans_x87_store(struct xlat *x, const struct x86_insn *insn)
{
    unsigned opcode = insn->row->argument, size = insn->operand[0].size;
    ir_ref linear, pointer;

    wait(x);
    linear = x86_linear(x, insn, size, true);
    pointer = x86_probe(x, linear, size, true);
    execute(x, IR_VOID, opcode, insn->modrm & 0x38, pointer, IR_NONE);
    x86_commit(x, pointer, linear, size);
    note(x, insn, opcode, true);
    return true;
}

/* FCOMI, FCOMIP, FUCOMI, FUCOMIP ST0, STi: ZF, PF, CF; the others are cleared. */
bool trans_fcomi(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned opcode = insn->row->argument;
    ir_ref result;

    wait(x);
    result = execute(x, IR_I32, opcode, insn->modrm, IR_NONE, IR_NONE);
    x86_set_flags(x, unmasked(x) ? ir_unpack_flags(b, result) : ir_flagof(b, result));
    note(x, insn, opcode, false);
    return true;
}

/* FCMOVcc ST0, STi. The condition is a value here: FCMOVNE moves if it is not zero. */
bool trans_fcmov(struct xlat *x, const struct x86_insn *insn)
{
    enum { FCMOVNE = 0xc8 };
    struct ir_builder *b = &x->b;
    unsigned condition = insn->row->argument;
    ir_ref holds;

    wait(x);
    holds = ir_setcc(b, x86_condition(condition), x86_flags(x));
    execute(x, IR_VOID, 0xdb, FCMOVNE | (insn->modrm & 7), IR_NONE, holds);
    note(x, insn, condition & 1 ? 0xdb : 0xda, false);
    return true;
}

/* ---- control --------------------------------------------------------------------------------- */

/* FNSTSW AX; FNSTSW m16. */
bool trans_fnstsw(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref status = unmasked(x)
                        ? ir_call(&x->b, &helper_status_word, IR_NONE, IR_NONE, IR_NONE, IR_NONE)
                        : ir_x87(&x->b, IR_I32, 0xdf, 0xe0, 0, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, status);
    return true;
}

/* FNSTCW m16. */
bool trans_fnstcw(struct xlat *x, const struct x86_insn *insn)
{
    x86_write(x, insn, 0, ir_get(&x->b, F_FPU_CONTROL));
    return true;
}

/* FLDCW m16. The host's exceptions stay masked; a guest that unmasks one gets other code. */
bool trans_fldcw(struct xlat *x, const struct x86_insn *insn)
{
    enum { FLDCW = 5 << 3 };
    struct ir_builder *b = &x->b;
    unsigned same, other;
    ir_ref value, masks;

    wait(x);
    value = x86_read(x, insn, 0);
    if (unmasked(x)) {
        ir_call(b, &helper_set_control, value, IR_NONE, IR_NONE, IR_NONE);
        x86_end_next(x);
        return true;
    }
    same = ir_block_create(b);
    other = ir_block_create(b);
    masks = ir_bin_i(b, IR_AND, value, X87_MASKS);
    ir_x87(b, IR_VOID, 0xd9, FLDCW, 0, IR_NONE, ir_bin_i(b, IR_OR, value, X87_MASKS));
    ir_set(b, F_FPU_CONTROL,
           ir_bin_i(b, IR_OR, ir_bin_i(b, IR_AND, value, X87_CONTROL), X87_CONTROL_ONE));
    ir_brcc(b, IR_Z, ir_compare(b, masks, ir_i32(b, X87_MASKS)), same, other);
    ir_block_begin(b, other);
    call(x, &helper_update_mode);
    x86_end_next(x);
    ir_block_begin(b, same);
    return true;
}

/* FNINIT. */
bool trans_fninit(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    static const uint8_t cleared32[] = {F_FPU_OPCODE, F_FPU_CS, F_FPU_DS};

    if (unmasked(x)) {
        call(x, &helper_initialise);
        x86_end_next(x);
        return true;
    }
    ir_x87(b, IR_VOID, 0xdb, insn->modrm, 0, IR_NONE, IR_NONE);
    ir_set(b, F_FPU_CONTROL, ir_i32(b, X87_INITIAL_CONTROL));
    for (unsigned i = 0; i < ARRAY_SIZE(cleared32); i++)
        ir_set(b, cleared32[i], ir_i32(b, 0));
    ir_set(b, F_FPU_IP, ir_i64(b, 0));
    ir_set(b, F_FPU_DP, ir_i64(b, 0));
    return true;
}

/* FNCLEX. */
bool trans_fnclex(struct xlat *x, const struct x86_insn *insn)
{
    execute(x, IR_VOID, 0xdb, insn->modrm, IR_NONE, IR_NONE);
    return true;
}

/* FNENI, FNDISI, FNSETPM. */
bool trans_fnop_control(struct xlat *x, const struct x86_insn *insn)
{
    return true;
}

/* FWAIT: #NM if CR0.MP and TS. */
bool trans_fwait(struct xlat *x, const struct x86_insn *insn)
{
    if (x86_xlat(x)->key & KEY_WAIT_TRAP)
        return x86_raise_here(x, EXC_NM, 0);
    wait(x);
    return true;
}

/* ---- the environment ------------------------------------------------------------------------- */

static bool store_state(struct xlat *x, const struct x86_insn *insn, unsigned size)
{
    struct ir_builder *b = &x->b;
    ir_ref linear = x86_linear(x, insn, size, true);
    ir_ref pointer = x86_probe(x, linear, size, true);

    ir_call(b, &helper_store_environment, pointer, ir_i32(b, size), ir_i32(b, is_real(x)), IR_NONE);
    x86_commit(x, pointer, linear, size);
    if (unmasked(x))
        x86_end_next(x);
    return true;
}

static bool load_state(struct xlat *x, const struct x86_insn *insn, unsigned size)
{
    struct ir_builder *b = &x->b;
    ir_ref pointer;

    wait(x);
    pointer = x86_probe(x, x86_linear(x, insn, size, false), size, false);
    ir_call(b, &helper_load_environment, pointer, ir_i32(b, size), ir_i32(b, is_real(x)), IR_NONE);
    x86_end_next(x);
    return true;
}

/* FNSTENV m14, m28: masks all exceptions. */
bool trans_fnstenv(struct xlat *x, const struct x86_insn *insn)
{
    return store_state(x, insn, insn->operand_size == 2 ? 14 : 28);
}

/* FNSAVE m94, m108: and initialises. */
bool trans_fnsave(struct xlat *x, const struct x86_insn *insn)
{
    return store_state(x, insn, insn->operand_size == 2 ? 94 : 108);
}

/* FLDENV m14, m28. */
bool trans_fldenv(struct xlat *x, const struct x86_insn *insn)
{
    return load_state(x, insn, insn->operand_size == 2 ? 14 : 28);
}

/* FRSTOR m94, m108. */
bool trans_frstor(struct xlat *x, const struct x86_insn *insn)
{
    return load_state(x, insn, insn->operand_size == 2 ? 94 : 108);
}
