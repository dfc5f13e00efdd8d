/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 translator's driver: fetches and decodes one instruction, emits the checks that its row
 * and the mode ask for, calls its handler; and the ends of paths.
 *
 * Traps behind an instruction (EFLAGS.TF, data breakpoints) are noted in pending_debug; the path
 * then ends at a lookup, where the run loop sees them.
 */
#include "frontend/x86/translate.h"

enum { LONGEST_INSN = 15, PAGE = 4096, DR6_BS = 1 << 14 };

/* ---- helpers --------------------------------------------------------------------------------- */

static void raise_exception(struct x86_cpu *cpu, uint32_t kind, uint32_t error_code)
{
    x86_raise(cpu, (enum x86_exception)kind, error_code);
}

static void fpu_check(struct x86_cpu *cpu)
{
    x86_fpu_check(cpu);
}

static void code_break(struct x86_cpu *cpu, uint64_t linear)
{
    x86_check_code_break(cpu, linear);
}

/* TF was set when the instruction began: SDM vol. 3, 17.3.1.4. */
static void single_step(struct x86_cpu *cpu)
{
    cpu->pending_debug |= DR6_BS;
    vcpu_kick(&cpu->v);
}

/* Is the byte at this linear address within CS's limit? */
static void code_limit(struct x86_cpu *cpu, uint32_t linear)
{
    if (UNLIKELY((uint32_t)(linear - cpu->segment[SEG_CS].base) > cpu->segment[SEG_CS].limit))
        x86_raise(cpu, EXC_GP, 0);
}

/* Might a unit that starts at this linear address run over CS's limit? */
static bool near_limit(const struct x86_cpu *cpu, uint64_t linear)
{
    uint64_t ip = (uint32_t)(linear - cpu->segment[SEG_CS].base);

    return ip + PAGE + LONGEST_INSN > cpu->segment[SEG_CS].limit;
}

/*
 * The unit was translated for a CS that ends far behind it, and is entered with another one that
 * perhaps does not: it is made again, carefully.
 */
static void code_window(struct x86_cpu *cpu, uint32_t linear)
{
    if (LIKELY(!near_limit(cpu, linear)))
        return;
    vcpu_flush_code(&cpu->v);
    vcpu_restart(&cpu->v);
}

/* EIP to linear address, for jumps: SDM vol. 2, JMP: #GP(0) beyond the limit. */
static uint32_t code_linear(struct x86_cpu *cpu, uint32_t ip)
{
    if (UNLIKELY(ip > cpu->segment[SEG_CS].limit))
        x86_raise(cpu, EXC_GP, 0);
    return (uint32_t)(cpu->segment[SEG_CS].base + ip);
}

#define CHECK(name, args, reads, writes)                                                           \
    static const struct ir_helper helper_##name =                                                  \
        IR_HELPER(name, IR_VOID, args, HELPER_MAY_FAULT, reads, writes)
CHECK(raise_exception, 2, GROUP_ALL, 0);
CHECK(fpu_check, 0, GROUP_FPU, 0);
CHECK(code_break, 1, GROUP_EFLAGS, GROUP_EFLAGS);
CHECK(code_limit, 1, GROUP_SEGMENTS, 0);
CHECK(code_window, 1, GROUP_SEGMENTS, 0);
static const struct ir_helper helper_single_step = IR_HELPER(single_step, IR_VOID, 0, 0, 0, 0);
static const struct ir_helper helper_code_linear =
    IR_HELPER(code_linear, IR_I32, 1, HELPER_MAY_FAULT, GROUP_SEGMENTS, 0);

/* ---- ends of paths --------------------------------------------------------------------------- */

static bool flat_code(const struct x86_xlat *xx)
{
    return xx->code64 || xx->key & KEY_CS_FLAT;
}

static bool traps_after(const struct x86_xlat *xx)
{
    return xx->key & (KEY_TRACE | KEY_DATA_BREAK);
}

bool x86_raise_here(struct xlat *x, enum x86_exception kind, uint32_t error_code)
{
    struct ir_builder *b = &x->b;

    ir_call(b, &helper_raise_exception, ir_i32(b, kind), ir_i32(b, error_code), IR_NONE, IR_NONE);
    ir_exit_lookup(b);
    return true;
}

void x86_set_next_pc(struct xlat *x)
{
    ir_set(&x->b, F_PC, ir_i64(&x->b, x86_xlat(x)->next_pc));
}

void x86_end_lookup(struct xlat *x)
{
    struct ir_builder *b = &x->b;

    if (UNLIKELY(x86_xlat(x)->key & KEY_TRACE))
        ir_call(b, &helper_single_step, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_exit_lookup(b);
}

void x86_end_next(struct xlat *x)
{
    x86_set_next_pc(x);
    x86_end_lookup(x);
}

/* To a linear address that is known. */
static void exit_direct(struct xlat *x, uint64_t pc)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;

    if (UNLIKELY(traps_after(xx))) {
        ir_set(b, F_PC, ir_i64(b, pc));
        x86_end_lookup(x);
        return;
    }
    ir_exit_jump(b, pc, xx->key, pc <= xx->insn_pc || xx->shadowed);
}

void x86_exit_to(struct xlat *x, ir_ref linear)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;

    if (UNLIKELY(traps_after(xx))) {
        ir_set(b, F_PC, xx->wide ? linear : ir_un(b, IR_WIDEN_U, linear));
        x86_end_lookup(x);
        return;
    }
    ir_exit_indirect(b, linear, ir_i32(b, xx->key));
}

ir_ref x86_code_address(struct xlat *x, ir_ref ip, unsigned size)
{
    if (!flat_code(x86_xlat(x))) {
        ip = ir_call(&x->b, &helper_code_linear, x86_truncate(x, ip, size, 4), IR_NONE, IR_NONE,
                     IR_NONE);
        size = 4;
    }
    return x86_to_address(x, ip, size);
}

ir_ref x86_relative_ip(struct xlat *x, int64_t displacement, unsigned size)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;
    ir_ref ip, base;

    if (flat_code(xx))
        return x86_constant(x, size, xx->next_pc + (uint64_t)displacement);
    base = x86_from_address(x, ir_get(b, F_BASE0 + SEG_CS), 4);
    ip = ir_i32(b, (uint32_t)(xx->next_pc + (uint64_t)displacement));
    return x86_extend(x, ir_bin(b, IR_SUB, ip, base), 4, size, false);
}

ir_ref x86_next_ip(struct xlat *x, unsigned size)
{
    return x86_relative_ip(x, 0, size);
}

void x86_jump_to(struct xlat *x, ir_ref ip, unsigned operand_size)
{
    x86_exit_to(x, x86_code_address(x, ip, operand_size));
}

void x86_jump_relative(struct xlat *x, int64_t displacement, unsigned operand_size)
{
    const struct x86_xlat *xx = x86_xlat(x);
    uint64_t target = xx->next_pc + (uint64_t)displacement;

    if (!flat_code(xx)) {
        x86_jump_to(x, x86_relative_ip(x, displacement, operand_size), operand_size);
        return;
    }
    if (!xx->code64)
        target = operand_size == 2 ? (uint16_t)target : (uint32_t)target;
    exit_direct(x, target);
}

/* ---- one instruction ------------------------------------------------------------------------- */

/* What the row's traits and the mode say before anything happens: the exception, or -1. */
static int forbidden(const struct x86_xlat *xx, unsigned traits)
{
    uint32_t key = xx->key;

    if (traits & (ROW_PROTECTED | ROW_AVX) && !(key & KEY_PROTECTED))
        return EXC_UD;
    if (traits & ROW_AVX && !(key & KEY_AVX))
        return EXC_UD;
    if (traits & ROW_SSE && (key & KEY_EMULATE || !(key & KEY_SSE)))
        return EXC_UD;
    if (traits & ROW_MMX && key & KEY_EMULATE)
        return EXC_UD;
    if (traits & (ROW_SSE | ROW_MMX | ROW_AVX) && key & KEY_TASK_SWITCHED)
        return EXC_NM;
    if (traits & ROW_FPU && key & KEY_FPU_TRAP)
        return EXC_NM;
    if (traits & ROW_PRIVILEGED && xx->cpl)
        return EXC_GP;
    return -1;
}

/* Checks that run with the instruction: breakpoints, the end of CS, pending x87 exceptions. */
static void check_at_run_time(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;

    if (UNLIKELY(xx->key & KEY_CODE_BREAK))
        ir_call(b, &helper_code_break, ir_i64(b, xx->insn_pc), IR_NONE, IR_NONE, IR_NONE);
    if (!flat_code(xx)) {
        if (xx->careful)
            ir_call(b, &helper_code_limit, ir_i32(b, (uint32_t)xx->next_pc - 1), IR_NONE, IR_NONE,
                    IR_NONE);
        else if (!x->n_insns)
            ir_call(b, &helper_code_window, ir_i32(b, (uint32_t)xx->insn_pc), IR_NONE, IR_NONE,
                    IR_NONE);
    }
    if (insn->row && insn->row->traits & ROW_MMX && xx->key & KEY_X87_UNMASKED)
        ir_call(b, &helper_fpu_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* Bytes of the next page are asked for only if the instruction goes on there. False: the unit ends
 * before it. */
static bool fetch_and_decode(struct xlat *x, enum x86_decode_result *result, struct x86_insn *insn)
{
    const struct x86_cpu *cpu = x86_cpu(x->cpu);
    uint8_t code[LONGEST_INSN];
    unsigned here = MIN((unsigned)LONGEST_INSN, PAGE - (unsigned)(x->pc % PAGE));

    *result = x86_decode(xlat_bytes(x, x->pc, here), here, x->key, cpu->features, insn);
    if (*result != DECODE_SHORT)
        return true;
    if (here == LONGEST_INSN || !xlat_fetch(x, x->pc, LONGEST_INSN, code))
        return false;
    *result = x86_decode(code, LONGEST_INSN, x->key, cpu->features, insn);
    if (*result == DECODE_SHORT)
        *result = DECODE_TOO_LONG;
    return true;
}

static void start_insn(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_xlat *xx = x86_xlat(x);

    xx->key = x->key;
    xx->wide = x->b.unit->wide_address;
    xx->code64 = x->key & KEY_CODE64;
    xx->cpl = (x->key & KEY_CPL) >> KEY_CPL_SHIFT;
    xx->insn = insn;
    xx->insn_pc = x->pc;
    xx->next_pc = x->pc + insn->length;
    if (!xx->code64)
        xx->next_pc = (uint32_t)xx->next_pc;
    xx->ended = false;
    xx->shadowed = xx->end_after_next;
    xx->end_after_next = false;
    if (!x->n_insns)
        xx->careful = !flat_code(xx) && near_limit(x86_cpu(x->cpu), x->pc);
    if (xx->shadowed) /* it belongs to the instruction before: no interrupt came between */
        ir_set(&x->b, F_INHIBIT, ir_i32(&x->b, 0));
}

static void translate_insn(struct xlat *x, enum x86_decode_result result,
                           const struct x86_insn *insn)
{
    int exception;

    check_at_run_time(x, insn);
    if (result != DECODE_OK) {
        x86_raise_here(x, result == DECODE_TOO_LONG ? EXC_GP : EXC_UD, 0);
        return;
    }
    exception = forbidden(x86_xlat(x), insn->row->traits);
    if (exception >= 0)
        x86_raise_here(x, (enum x86_exception)exception, 0);
    else if (!insn->row->handler(x, insn))
        x86_raise_here(x, EXC_UD, 0);
}

enum xlat_next x86_translate(struct xlat *x)
{
    struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;
    enum x86_decode_result result;
    struct x86_insn insn;

    if (!fetch_and_decode(x, &result, &insn))
        return XLAT_TRUNCATE;
    if (result != DECODE_OK)
        insn.row = NULL;
    start_insn(x, &insn);
    ir_insn(b, x->pc, insn.length);
    translate_insn(x, result, &insn);
    x->pc = xx->next_pc;
    if (xx->ended || b->block == IR_NO_BLOCK)
        return XLAT_END;
    if (UNLIKELY(traps_after(xx)))
        x86_end_next(x);
    else if (xx->shadowed)
        ir_exit_jump(b, x->pc, xx->key, true);
    return b->block == IR_NO_BLOCK ? XLAT_END : XLAT_CONTINUE;
}
