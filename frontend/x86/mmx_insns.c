/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MMX instructions as IR: the very instruction (ir.h, X87) on the host's registers. What moves or
 * converts between MMX and XMM registers goes through a general one.
 */
#include "frontend/x86/vector.h"

enum {
    REGISTER_FORM = 0xc0,
    MOVD_TO = 0x0f6e,
    MOVQ_TO = 0x0f6f,
    MOVD_FROM = 0x0f7e,
    MOVQ_FROM = 0x0f7f
};

static ir_ref mmx_get(struct xlat *x, unsigned reg, enum ir_type type)
{
    return ir_x87(&x->b, type, MOVD_FROM, REGISTER_FORM | reg << 3, 0, IR_NONE, IR_NONE);
}

static void mmx_set(struct xlat *x, unsigned reg, ir_ref value)
{
    ir_x87(&x->b, IR_VOID, MOVD_TO, REGISTER_FORM | reg << 3, 0, IR_NONE, value);
}

static ir_ref source_pointer(struct xlat *x, const struct x86_insn *insn, unsigned size)
{
    return x86_probe(x, x86_linear(x, insn, size, false), size, false);
}

/* op Pq, Qq; op Pq, Qq, imm8. */
bool trans_mmx(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_operand *source = &insn->operand[1];
    unsigned opcode = insn->row->argument, immediate = (unsigned)insn->imm & 0xff;

    if (source->kind == OPND_MEM)
        ir_x87(&x->b, IR_VOID, opcode, insn->modrm & 0x38, immediate,
               source_pointer(x, insn, source->size), IR_NONE);
    else
        ir_x87(&x->b, IR_VOID, opcode, insn->modrm, immediate, IR_NONE, IR_NONE);
    return true;
}

/* PSLLW and its like Nq, imm8. */
bool trans_mmx_shift(struct xlat *x, const struct x86_insn *insn)
{
    ir_x87(&x->b, IR_VOID, insn->row->argument, insn->modrm, (unsigned)insn->imm & 0xff, IR_NONE,
           IR_NONE);
    return true;
}

/* EMMS. */
bool trans_emms(struct xlat *x, const struct x86_insn *insn)
{
    ir_x87(&x->b, IR_VOID, insn->row->argument, REGISTER_FORM, 0, IR_NONE, IR_NONE);
    return true;
}

/* MOVD Pq, Ed; MOVQ Pq, Eq. */
bool trans_mmx_from_gpr(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_operand *source = &insn->operand[1];

    if (source->kind == OPND_MEM)
        ir_x87(&x->b, IR_VOID, source->size == 8 ? MOVQ_TO : MOVD_TO, insn->modrm & 0x38, 0,
               source_pointer(x, insn, source->size), IR_NONE);
    else
        mmx_set(x, insn->operand[0].reg, x86_read(x, insn, 1));
    return true;
}

static void store(struct xlat *x, const struct x86_insn *insn, unsigned opcode, unsigned size)
{
    ir_ref linear = x86_linear(x, insn, size, true);
    ir_ref pointer = x86_probe(x, linear, size, true);

    ir_x87(&x->b, IR_VOID, opcode, insn->modrm & 0x38, 0, pointer, IR_NONE);
    x86_commit(x, pointer, linear, size);
}

/* MOVD Ed, Pq; MOVQ Eq, Pq. */
bool trans_mmx_to_gpr(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_operand *to = &insn->operand[0];

    if (to->kind == OPND_MEM)
        store(x, insn, to->size == 8 ? MOVQ_FROM : MOVD_FROM, to->size);
    else
        x86_write(x, insn, 0, mmx_get(x, insn->operand[1].reg, x86_value_type(to->size)));
    return true;
}

/* MOVQ Qq, Pq; MOVNTQ Mq, Pq. */
bool trans_mmx_store(struct xlat *x, const struct x86_insn *insn)
{
    unsigned opcode = insn->row->argument;

    if (insn->operand[0].kind == OPND_MEM)
        store(x, insn, opcode, 8);
    else
        ir_x87(&x->b, IR_VOID, opcode, insn->modrm, 0, IR_NONE, IR_NONE);
    return true;
}

/* PINSRW Pq, Rd, imm8; PINSRW Pq, Mw, imm8. */
bool trans_mmx_pinsrw(struct xlat *x, const struct x86_insn *insn)
{
    bool memory = insn->operand[1].kind == OPND_MEM;
    unsigned reg = insn->modrm & 0x38, form = memory ? reg : REGISTER_FORM | reg;

    ir_x87(&x->b, IR_VOID, insn->row->argument, form, (unsigned)insn->imm & 0xff,
           memory ? source_pointer(x, insn, 2) : IR_NONE, memory ? IR_NONE : x86_read(x, insn, 1));
    return true;
}

/* PEXTRW Gd, Nq, imm8; PMOVMSKB Gd, Nq. */
bool trans_mmx_extract(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref value = ir_x87(&x->b, IR_I32, insn->row->argument, REGISTER_FORM | (insn->modrm & 7),
                          (unsigned)insn->imm & 0xff, IR_NONE, IR_NONE);

    x86_write(x, insn, 0, value);
    return true;
}

/* MASKMOVQ Pq, Nq: bytes of the first whose mask byte has bit 7, to segment:[rDI]. */
bool trans_maskmovq(struct xlat *x, const struct x86_insn *insn)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);
    struct ir_builder *b = &x->b;
    unsigned segment = insn->segment_override ? insn->segment : SEG_DS;
    ir_ref offset = x86_address_register(x, RDI, insn->address_size);
    ir_ref linear = x86_linear_at(x, segment, offset, insn->address_size, 8, true);
    ir_ref pointer = x86_probe(x, linear, 8, true);
    ir_ref mask = ir_bin_i(b, IR_AND, mmx_get(x, insn->operand[1].reg, IR_I64), tops);
    ir_ref value = mmx_get(x, insn->operand[0].reg, IR_I64), old;

    /* 80 becomes ff, 00 stays. */
    mask = ir_bin(b, IR_SUB, ir_bin_i(b, IR_SHL, mask, 1), ir_bin_i(b, IR_SHR, mask, 7));
    old = ir_hload(b, IR_I64, pointer, 0, 3);
    value = ir_bin(b, IR_XOR, old, ir_bin(b, IR_AND, mask, ir_bin(b, IR_XOR, old, value)));
    ir_hstore(b, pointer, 0, value, 3);
    x86_commit(x, pointer, linear, 8);
    return true;
}

/* ---- with XMM registers ---------------------------------------------------------------------- */

/* MOVQ2DQ Vdq, Nq. */
bool trans_movq2dq(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref value = mmx_get(x, insn->operand[1].reg, IR_I64);

    ir_set(&x->b, F_XMM0 + insn->operand[0].reg, x86_vector_from64(x, value));
    return true;
}

/* MOVDQ2Q Pq, Udq. */
bool trans_movdq2q(struct xlat *x, const struct x86_insn *insn)
{
    mmx_set(x, insn->operand[0].reg, ir_get(&x->b, F_XMM_D0 + insn->operand[1].reg));
    return true;
}

static ir_ref convert(struct xlat *x, const struct x86_insn *insn, ir_ref value)
{
    unsigned function = insn->row->argument;

    x86_vector_fp_begin(x, function);
    value = x86_vector_apply(x, function, 0, (ir_ref[]){value, IR_NONE, IR_NONE});
    x86_vector_fp_end(x, function);
    return value;
}

/* The 64 bits of a source, from memory or an MMX register. */
static ir_ref packed_integers(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_operand *source = &insn->operand[1];

    if (source->kind == OPND_MEM)
        return x86_vector_from64(x, x86_load(x, x86_linear(x, insn, 8, false), 0, 8));
    return x86_vector_from64(x, mmx_get(x, source->reg, IR_I64));
}

/* CVTPI2PS Vdq, Qq: the high half stays. */
bool trans_cvtpi2ps(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref result = convert(x, insn, packed_integers(x, insn));

    ir_set(&x->b, F_XMM_D0 + insn->operand[0].reg, x86_vector_lane64(x, result, 0));
    return true;
}

/* CVTPI2PD Vdq, Qq. */
bool trans_cvtpi2pd(struct xlat *x, const struct x86_insn *insn)
{
    ir_set(&x->b, F_XMM0 + insn->operand[0].reg, convert(x, insn, packed_integers(x, insn)));
    return true;
}

/* CVTPS2PI, CVTTPS2PI Pq, Wq. */
bool trans_cvtps2pi(struct xlat *x, const struct x86_insn *insn)
{
    const struct x86_operand *source = &insn->operand[1];
    ir_ref value = source->kind == OPND_MEM ? x86_load(x, x86_linear(x, insn, 8, false), 0, 8)
                                            : ir_get(&x->b, F_XMM_D0 + source->reg);

    value = convert(x, insn, x86_vector_from64(x, value));
    mmx_set(x, insn->operand[0].reg, x86_vector_lane64(x, value, 0));
    return true;
}

/* CVTPD2PI, CVTTPD2PI Pq, Wdq. */
bool trans_cvtpd2pi(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref value = convert(x, insn, x86_vector_get(&v, 1, 0));

    mmx_set(x, insn->operand[0].reg, x86_vector_lane64(x, value, 0));
    return true;
}
