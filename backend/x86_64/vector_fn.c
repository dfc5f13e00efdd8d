/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFN and VFP: each row is one instruction, whose encoding tcg/vector_fn.def has. On a host with
 * AVX it takes the VEX form, which needs no moves; without it the destination is copied first. A
 * row the host lacks is done by its C function.
 */
#include "backend/x86_64/x86_64.h"

static const struct {
    uint8_t prefix, map, opcode, w;
} encodings[IR_N_VFN] = {
#define VFN(name, n_args, traits, prefix, map, opcode, w)                                          \
    [IR_VFN_##name] = {prefix, map, opcode, w},
#include "tcg/vector_fn.def"
#undef VFN
};

static unsigned opcode_of(unsigned row)
{
    static const uint16_t prefixes[] = {0, OP_66, OP_F2, OP_F3};
    unsigned prefix = encodings[row].prefix;
    unsigned which = prefix == 0x66 ? 1 : prefix == 0xf2 ? 2 : prefix == 0xf3 ? 3 : 0;
    return encodings[row].opcode | (unsigned)encodings[row].map << 8 | prefixes[which] |
           (encodings[row].w ? OP_W : 0);
}

static bool is_sha(unsigned row)
{
    return row >= IR_VFN_SHA1NEXTE && row <= IR_VFN_SHA1RNDS4;
}

/* What the host must have beyond what x86_available asks for (SSE4.2). */
static unsigned needs(const struct ir_insn *insn)
{
    unsigned row = insn->aux & 0xffff;
    if (row == IR_VFN_VCVTPH2PS || row == IR_VFN_VCVTPS2PH)
        return HOST_F16C;
    if (ir_vfn_info[row].traits & VFN_DEST)
        return HOST_FMA;
    if (row >= IR_VFN_AESIMC && row <= IR_VFN_AESKEYGENASSIST)
        return HOST_AES;
    if (row == IR_VFN_PCLMULQDQ)
        return HOST_PCLMUL;
    if (is_sha(row))
        return HOST_SHA;
    if (row >= IR_VFN_VPSRLVD)
        return HOST_AVX2;
    if (row >= IR_VFN_VPERMILPS)
        return HOST_AVX;
    /* Predicates from 8 on exist in the VEX form only. */
    if (row >= IR_VFN_CMPPS && row <= IR_VFN_CMPSD && insn->aux >> 16 >= 8)
        return HOST_AVX;
    return 0;
}

static bool is_lacking(const struct emit *e, const struct ir_insn *insn)
{
    return needs(insn) & ~e->features;
}

bool vector_fn_clobbers_flags(const struct emit *e, const struct ir_insn *insn)
{
    return (ir_vfn_info[insn->aux & 0xffff].traits & VFN_FLAGS) || is_lacking(e, insn);
}

static void use_operands(struct emit *e, const struct ir_insn *insn, uint8_t *regs)
{
    for (unsigned k = 0; k < 3; k++) {
        regs[k] = NO_REG;
        if (!insn->arg[k])
            continue;
        bool vector = e->u->insns[insn->arg[k]].type == IR_V128;
        regs[k] = (uint8_t)(vector ? use_xmm(e, insn->arg[k]) : use_gpr(e, insn->arg[k]));
    }
}

/* The row's C function. */
static void call_function(struct emit *e, const struct ir_insn *insn)
{
    uint8_t regs[3];
    unsigned row = insn->aux & 0xffff;
    bool flags = ir_vfn_info[row].traits & VFN_FLAGS;
    use_operands(e, insn, regs);
    bool wide = insn->type == IR_I64;
    for (unsigned k = 0; k < 3; k++)
        wide |= insn->arg[k] && e->u->insns[insn->arg[k]].type == IR_I64;
    if (flags)
        alloc_take(e, RAX);
    end_uses(e);
    unsigned dst = flags ? RAX : insn->type == IR_V128 ? alloc_xmm(e) : alloc_temp(e);
    struct slow_desc d = {.kind = SLOW_VECTOR_FN,
                          .type = insn->type,
                          .result = (uint8_t)dst,
                          .address = regs[0],
                          .value = regs[1],
                          .extra = regs[2],
                          .length = wide,
                          .imm = (int32_t)insn->aux};
    emit_call_to(&e->a, e->s->thunk.slow_xmm);
    uint8_t *over = emit_jmp(&e->a);
    memcpy(e->a.p, &d, sizeof(d));
    e->a.p += sizeof(d);
    bind_here(&e->a, over);
    if (flags) { /* as PACKFLAGS gives them: AH for SAHF, V in AL */
        put8(&e->a, 0x04);
        put8(&e->a, 0x7f); /* add al, 127 */
        put8(&e->a, 0x9e); /* sahf */
        emit_mov_imm(&e->a, RAX, 0);
        flags_produced(e);
    }
    def_in(e, dst);
}

static void put_immediate(struct emit *e, const struct ir_insn *insn)
{
    if (ir_vfn_info[insn->aux & 0xffff].traits & VFN_IMM)
        put8(&e->a, (uint8_t)(insn->aux >> 16));
}

/* COMISD, PTEST, ...: their value is 0 and hardly ever asked for. */
static void emit_compare(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]), b = use_xmm(e, insn->arg[1]);
    end_uses(e);
    emit_sse_rr(&e->a, op, a, b);
    flags_produced(e);
    if (e->value[e->here].last_use > e->here)
        emit_mov_imm(&e->a, def_reg(e, NO_REG, 0), 0);
}

static void emit_string_compare(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]), b = use_xmm(e, insn->arg[1]);
    bool mask = (insn->aux & 0xffff) == IR_VFN_PCMPISTRM;
    unsigned dst = mask ? XMM_BASE + 0 : RCX;
    /* Operands there stay readable until the instruction has written it. */
    alloc_take(e, dst);
    end_uses(e);
    emit_sse_rr(&e->a, op, a, b);
    put_immediate(e, insn);
    flags_produced(e);
    def_in(e, dst);
}

/* Into a general register. */
static void emit_to_general(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    emit_sse_rr(&e->a, op | op_w(insn->type), def_reg(e, NO_REG, 0), a);
}

static void emit_from_general(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]), b = use_gpr(e, insn->arg[1]);
    unsigned w = op_w(e->u->insns[insn->arg[1]].type);
    end_uses(e);
    emit_sse_rrr(&e->a, op | w, def_xmm(e, a, 0), a, b);
}

static void emit_one(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_xmm(e, NO_REG, 0);
    if ((insn->aux & 0xffff) == IR_VFN_VCVTPS2PH)
        emit_sse_rr(&e->a, op, a, dst);
    else
        emit_sse_rr(&e->a, op, dst, a);
    put_immediate(e, insn);
}

static void emit_two(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    unsigned a = use_xmm(e, insn->arg[0]), b = use_xmm(e, insn->arg[1]);
    bool vex = e->a.avx && !is_sha(insn->aux & 0xffff);
    end_uses(e);
    unsigned dst = def_xmm(e, a, vex || a == b ? 0 : 1u << b);
    if (vex) {
        emit_vex_rr(&e->a, op, dst, a, b);
    } else {
        emit_movaps(&e->a, dst, a);
        emit_rr(&e->a, op, dst, a == b ? dst : b);
    }
    put_immediate(e, insn);
}

/* Fused multiply-add changes its first operand. */
static void emit_fused(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    uint8_t regs[3];
    use_operands(e, insn, regs);
    end_uses(e);
    uint32_t avoid = (1u << regs[1] | 1u << regs[2]);
    unsigned dst = def_xmm(e, regs[0], avoid);
    emit_movaps(&e->a, dst, regs[0]);
    emit_vex_rr(&e->a, op, dst, regs[1], regs[2]);
}

/* PBLENDVB, BLENDVPS, BLENDVPD, SHA256RNDS2: the third operand is XMM0, or in the high half of an
 * immediate byte. */
static void emit_third_in_xmm0(struct emit *e, const struct ir_insn *insn, unsigned op)
{
    static const uint8_t vex_opcode[] = {0x4c, 0x4a, 0x4b};
    uint8_t regs[3];
    unsigned row = insn->aux & 0xffff, xmm0 = XMM_BASE;
    if (e->a.avx && !is_sha(row)) {
        use_operands(e, insn, regs);
        end_uses(e);
        emit_vex_rr(&e->a, vex_opcode[row - IR_VFN_PBLENDVB] | OP_0F3A | OP_66,
                    def_xmm(e, NO_REG, 0), regs[0], regs[1]);
        put8(&e->a, (regs[2] & 15) << 4);
        return;
    }
    alloc_take(e, xmm0);
    use_into(e, insn->arg[2], xmm0);
    regs[0] = (uint8_t)use_xmm(e, insn->arg[0]);
    regs[1] = (uint8_t)use_xmm(e, insn->arg[1]);
    end_uses(e);
    unsigned dst = def_xmm(e, regs[0], regs[0] == regs[1] ? 0 : 1u << regs[1]);
    emit_movaps(&e->a, dst, regs[0]);
    emit_rr(&e->a, op, dst, regs[0] == regs[1] ? dst : regs[1]);
}

void emit_vector_fn(struct emit *e, const struct ir_insn *insn)
{
    unsigned row = insn->aux & 0xffff, op = opcode_of(row);
    const struct ir_vfn_info *info = &ir_vfn_info[row];
    if (is_lacking(e, insn))
        call_function(e, insn);
    else if (row == IR_VFN_PCMPISTRI || row == IR_VFN_PCMPISTRM)
        emit_string_compare(e, insn, op);
    else if (info->traits & VFN_FLAGS)
        emit_compare(e, insn, op);
    else if (info->traits & VFN_GPR_OUT)
        emit_to_general(e, insn, op);
    else if (info->traits & VFN_GPR_IN)
        emit_from_general(e, insn, op);
    else if (info->traits & VFN_DEST)
        emit_fused(e, insn, op);
    else if (info->n_args == 1)
        emit_one(e, insn, op);
    else if (info->n_args == 2)
        emit_two(e, insn, op);
    else
        emit_third_in_xmm0(e, insn, op);
}
