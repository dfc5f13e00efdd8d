/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X87 (ir.h): the instruction itself, on the host's x87 registers. The first one of a block makes
 * sure that these hold the vCPU's; helpers may have taken them to memory.
 */
#include "backend/x86_64/x86_64.h"

enum { STATUS_AX = 0xe0 };
enum { XSTATE_X87 = 1, XSTATE_BV = 512 }; /* SDM vol. 1, 13.4 */

void run_x87_sync(struct run_state *run, bool for_write)
{
    if (run->x87_live) {
        __asm__ volatile("xsave64 %0" : "+m"(run->x87) : "a"(XSTATE_X87), "d"(0));
        /* Opcode and pointers are not the guest's, but may tell where our code is. */
        memset(run->x87 + 6, 0, 18);
        if (for_write) {
            __asm__ volatile("fninit");
            run->x87_live = 0;
        }
    }
    run->x87[XSTATE_BV] = XSTATE_X87; /* not "as after FNINIT", whatever is in it */
}

void emit_x87_thunk(struct assembler *a, struct backend_state *s)
{
    struct mem area = mem_at(RBP, (int32_t)offsetof(struct run_state, x87) - s->bias);
    struct mem live = mem_at(RBP, (int32_t)offsetof(struct run_state, x87_live) - s->bias);

    emit_nops(a, -(uintptr_t)a->p & 15);
    s->thunk.x87_load = (const uint8_t *)asm_here(a);
    put8(a, 0x50 | RAX); /* push */
    put8(a, 0x50 | RDX);
    emit_mov_imm(a, RAX, XSTATE_X87);
    emit_alu_rr(a, 0, ALU_XOR, RDX, RDX);
    emit_rm(a, 0xae | OP_0F | OP_W, 5, area); /* xrstor64 */
    emit_store(a, 0, live, RAX);
    put8(a, 0x58 | RDX); /* pop */
    put8(a, 0x58 | RAX);
    put8(a, 0xc3);
}

void cold_x87(struct emit *e, const struct cold *cold)
{
    bind_here(&e->a, cold->from[0]);
    emit_call_to(&e->a, e->s->thunk.x87_load);
    bind_to(emit_jmp(&e->a), cold->back);
}

static void make_live(struct emit *e)
{
    struct cold *cold;

    if (e->x87_ready)
        return;
    flags_clobber(e);
    e->x87_ready = true;
    cold = cold_add(e, COLD_X87);
    emit_alu_mi(&e->a, 0, ALU_CMP, run_mem(e, offsetof(struct run_state, x87_live)), 0);
    cold->from[0] = emit_jcc(&e->a, CC_E);
    cold->back = e->a.p;
}

/* The opcode as the assembler takes it. */
static unsigned host_opcode(unsigned opcode)
{
    if (opcode >> 8 == 0x0f38)
        return (opcode & 0xff) | OP_0F38;
    if (opcode >> 8 == 0x0f3a)
        return (opcode & 0xff) | OP_0F3A;
    return (opcode & 0xff) | (opcode >> 8 ? OP_0F : 0);
}

static bool has_immediate(unsigned opcode)
{
    return (opcode >= 0x0f70 && opcode <= 0x0f73) || opcode == 0x0fc4 || opcode == 0x0fc5 ||
           opcode >> 8 == 0x0f3a;
}

static void memory_form(struct emit *e, const struct ir_insn *insn)
{
    struct mem m = mem_at(RSP, FRAME_SCRATCH);

    if (insn->arg[0] != IR_NONE)
        m = mem_at(use_gpr(e, insn->arg[0]), 0);
    else
        emit_store(&e->a, OP_W, m, use_gpr(e, insn->arg[1]));
    emit_rm_imm(&e->a, host_opcode(insn->aux), insn->sub >> 3 & 7, m, 0);
    end_uses(e);
}

/* FNSTSW AX; or FCOMI and its like, which leave ZF, PF and CF. */
static void escape_result(struct emit *e, const struct ir_insn *insn)
{
    bool status = insn->sub == STATUS_AX;

    if (status)
        alloc_take(e, RAX);
    put8(&e->a, insn->aux);
    put8(&e->a, insn->sub);
    if (status) {
        emit_rr(&e->a, 0xb7 | OP_0F, RAX, RAX); /* movzx */
        def_in(e, RAX);
        return;
    }
    flags_produced(e);
    if (e->value[e->here].last_use > e->here)
        emit_mov_imm(&e->a, def_reg(e, NO_REG, 0), 0);
}

static void escape_form(struct emit *e, const struct ir_insn *insn)
{
    if (insn->type != IR_VOID) {
        escape_result(e, insn);
        return;
    }
    if (insn->arg[1] != IR_NONE) { /* FCMOVNE */
        unsigned condition = use_gpr(e, insn->arg[1]);
        emit_test_rr(&e->a, 0, condition, condition);
    }
    put8(&e->a, insn->aux);
    put8(&e->a, insn->sub);
    end_uses(e);
}

/* One of reg and rm may be a general register: the result, or the value. */
static void mmx_form(struct emit *e, const struct ir_insn *insn)
{
    enum { MOVD_FROM = 0x0f7e };
    unsigned reg = insn->sub >> 3 & 7, rm = insn->sub & 7;
    unsigned opcode = host_opcode(insn->aux);

    if (insn->arg[1] != IR_NONE) {
        rm = use_gpr(e, insn->arg[1]);
        opcode |= op_w(e->u->insns[insn->arg[1]].type);
    }
    end_uses(e);
    if (insn->type != IR_VOID) {
        unsigned result = def_reg(e, NO_REG, 0);
        opcode |= op_w(insn->type);
        if (insn->aux == MOVD_FROM)
            rm = result;
        else
            reg = result;
    }
    emit_rr(&e->a, opcode, reg, rm);
}

/* A PROBE whose pointer goes into the X87 that follows does that instruction's access too: a host
 * fault there is the PROBE's miss. */
bool x87_begin_fused(struct emit *e, const struct ir_insn *probe)
{
    const struct ir_insn *next = probe + 1;

    if (next->op != IR_X87 || next->arg[0] != e->here)
        return false;
    make_live(e);
    return true;
}

void x87_end_fused(struct emit *e, struct cold *cold, unsigned pointer)
{
    const struct ir_insn *insn = &e->u->insns[e->here + 1];

    emit_rm_imm(&e->a, host_opcode(insn->aux), insn->sub >> 3 & 7, mem_at(pointer, 0), 0);
    if (has_immediate(insn->aux))
        put8(&e->a, (unsigned)insn->imm);
    cold->x87 = (ir_ref)(e->here + 1);
    e->x87_done = cold->x87;
}

/* The same behind the slow path, which has put the pointer into its register. */
void cold_x87_access(struct emit *e, const struct cold *cold)
{
    const struct ir_insn *insn = &e->u->insns[cold->x87];

    emit_rm_imm(&e->a, host_opcode(insn->aux), insn->sub >> 3 & 7, mem_at(cold->desc.result, 0), 0);
    if (has_immediate(insn->aux))
        put8(&e->a, (unsigned)insn->imm);
    bind_to(emit_jmp(&e->a), cold->back);
}

void emit_x87(struct emit *e, const struct ir_insn *insn)
{
    if (e->x87_done == e->here) {
        end_uses(e);
        return;
    }
    make_live(e);
    if (insn->aux == 0x0f77) { /* emms */
        put8(&e->a, 0x0f);
        put8(&e->a, 0x77);
    } else if (insn->sub < 0xc0) {
        memory_form(e, insn);
    } else if (insn->aux <= 0xff) {
        escape_form(e, insn);
    } else {
        mmx_form(e, insn);
    }
    if (has_immediate(insn->aux))
        put8(&e->a, (unsigned)insn->imm);
}
