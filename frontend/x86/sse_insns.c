/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSE to SSE4.2, AES, PCLMULQDQ, SHA: the handlers of mmx_sse.def, most of them VEX's too. */
#include "frontend/x86/fpu.h"
#include "frontend/x86/vector.h"
#include "util/log.h"

/* ---- operands -------------------------------------------------------------------------------- */

ir_ref x86_vector_zero(struct xlat *x)
{
    return ir_v128(&x->b, 0, 0);
}

bool x86_vector_is_256(const struct x86_insn *insn)
{
    for (unsigned i = 0; i < insn->n_operands; i++)
        if (insn->operand[i].size == 32)
            return true;
    return false;
}

ir_ref x86_vector_address(struct x86_vector *v, unsigned size, bool write)
{
    if (!v->linear)
        v->linear = x86_linear(v->x, v->insn, size, write);
    return v->linear;
}

ir_ref x86_vector_from64(struct xlat *x, ir_ref value)
{
    return ir_emit(&x->b, IR_BITCAST, IR_V128, 0, 0, value, IR_NONE, IR_NONE, 0);
}

ir_ref x86_vector_lane64(struct xlat *x, ir_ref value, unsigned lane)
{
    return ir_emit(&x->b, IR_VGETLANE, IR_I64, IR_LANE64, lane, value, IR_NONE, IR_NONE, 0);
}

ir_ref x86_vector_get(struct x86_vector *v, unsigned n, unsigned half)
{
    const struct x86_operand *o = &v->insn->operand[n];
    struct xlat *x = v->x;

    if (o->kind != OPND_MEM)
        return ir_get(&x->b, (half ? F_YMM_HIGH0 : F_XMM0) + o->reg);
    ir_ref linear = x86_vector_address(v, o->size, false);
    bool watched = x86_xlat(x)->key & KEY_DATA_BREAK;
    if (o->size == 32 && v->insn->row->traits & ROW_MEM_ALIGNED && !watched)
        return ir_load(&x->b, IR_V128, linear, 16 * half,
                       4 | IR_MEM_ALIGN_OF(half ? 4 : 5) | IR_MEM_EXCLUSIVE);
    if (o->size >= 16)
        return x86_load128(x, linear, 16 * half, v->insn->row->traits & ROW_MEM_ALIGNED);
    if (o->size >= 4 && !watched) /* straight into a vector register */
        return x86_vector_from64(
            x, ir_load(&x->b, o->size == 8 ? IR_F64 : IR_F32, linear, 0, x86_memop(x, o->size)));
    return x86_vector_from64(x, x86_load(x, linear, 0, o->size));
}

void x86_vector_set(struct x86_vector *v, unsigned n, ir_ref low, ir_ref high)
{
    struct xlat *x = v->x;
    unsigned reg = v->insn->operand[n].reg;

    if (v->insn->vex)
        ir_set(&x->b, F_YMM_HIGH0 + reg, high ? high : x86_vector_zero(x));
    ir_set(&x->b, F_XMM0 + reg, low);
}

static ir_ref set_lane(struct xlat *x, unsigned lane, ir_ref vector, ir_ref value, unsigned index)
{
    return ir_emit(&x->b, IR_VSETLANE, IR_V128, lane, index, vector, value, IR_NONE, 0);
}

static ir_ref get_lane(struct xlat *x, unsigned lane, ir_ref vector, unsigned index)
{
    return ir_emit(&x->b, IR_VGETLANE, lane == IR_LANE64 ? IR_I64 : IR_I32, lane, index, vector,
                   IR_NONE, IR_NONE, 0);
}

/* ---- functions ------------------------------------------------------------------------------- */

ir_ref x86_vector_apply(struct xlat *x, unsigned argument, unsigned immediate, const ir_ref *args)
{
    if (argument & VOP_MARK) {
        enum ir_op op = (enum ir_op)(argument >> 8 & 0xff);
        bool swap = argument & VOP_SWAP;
        return ir_emit(&x->b, op, IR_V128, argument & 3, 0, args[swap], args[!swap], IR_NONE, 0);
    }
    return ir_vfn(&x->b, (enum ir_vfn)argument, IR_V128,
                  ir_vfn_info[argument].traits & VFN_IMM ? immediate : 0, args[0], args[1],
                  args[2]);
}

static unsigned n_args_of(unsigned argument)
{
    return argument & VOP_MARK ? ir_op_info[argument >> 8 & 0xff].n_args
                               : ir_vfn_info[argument].n_args;
}

static bool traps(struct xlat *x, unsigned argument)
{
    return x86_xlat(x)->key & KEY_SSE_UNMASKED && !(argument & VOP_MARK) &&
           ir_vfn_info[argument].traits & VFN_FP;
}

void x86_vector_fp_begin(struct xlat *x, unsigned argument)
{
    if (UNLIKELY(traps(x, argument)))
        ir_call(&x->b, &helper_sse_begin, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

void x86_vector_fp_end(struct xlat *x, unsigned argument)
{
    if (UNLIKELY(traps(x, argument)))
        ir_call(&x->b, &helper_sse_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

static bool is_immediate(const struct x86_operand *o)
{
    return o->kind == OPND_IMM || o->kind == OPND_IMM2;
}

/* Half `half` of the function's arguments: the sources, with the destination in front if the
 * instruction names one operand less than the function has. */
static void read_arguments(struct x86_vector *v, unsigned half, ir_ref *args)
{
    const struct x86_insn *insn = v->insn;
    unsigned n = n_args_of(insn->row->argument), last = insn->n_operands;
    while (last && is_immediate(&insn->operand[last - 1]))
        last--;
    for (unsigned k = 0; k < n; k++)
        args[k] = x86_vector_get(v, last - n + k, half);
}

static unsigned immediate_of(const struct x86_insn *insn)
{
    unsigned row = insn->row->argument;
    /* The SSE forms of CMPPS and its like know eight predicates. */
    bool compare = row >= IR_VFN_CMPPS && row <= IR_VFN_CMPSD;
    return (unsigned)insn->imm & (!compare ? 0xff : insn->vex ? 31 : 7);
}

/* op Vx, Wx; op Vx, Wx, imm8; op Vx, Hx, Wx: each half by itself. */
bool trans_vector(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref args[2][3] = {{IR_NONE}}, result[2] = {IR_NONE, IR_NONE};
    unsigned n = x86_vector_is_256(insn) ? 2 : 1, immediate = immediate_of(insn);

    for (unsigned half = 0; half < n; half++)
        read_arguments(&v, half, args[half]);
    x86_vector_fp_begin(x, insn->row->argument);
    for (unsigned half = 0; half < n; half++) {
        /* SHUFPD, BLENDPS and BLENDPD have immediate bits of their own for the upper half. */
        unsigned shift = 0;
        if (insn->row->argument == IR_VFN_SHUFPD || insn->row->argument == IR_VFN_BLENDPD)
            shift = 2 * half;
        else if (insn->row->argument == IR_VFN_BLENDPS)
            shift = 4 * half;
        else if (insn->row->argument == IR_VFN_MPSADBW)
            shift = 3 * half;
        result[half] = x86_vector_apply(x, insn->row->argument, immediate >> shift, args[half]);
    }
    x86_vector_fp_end(x, insn->row->argument);
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* PBLENDVB, BLENDVPS, BLENDVPD Vx, Wx, <XMM0>; SHA256RNDS2 likewise. */
bool trans_vector_xmm0(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref args[3] = {x86_vector_get(&v, 0, 0), x86_vector_get(&v, 1, 0), ir_get(&x->b, F_XMM0)};

    x86_vector_set(&v, 0, x86_vector_apply(x, insn->row->argument, 0, args), IR_NONE);
    return true;
}

/* INSERTPS: from memory the source is one lane. */
bool trans_insertps(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned source = insn->vex ? 2 : 1, immediate = (unsigned)insn->imm & 0xff;
    ir_ref args[3] = {x86_vector_get(&v, source - 1, 0), x86_vector_get(&v, source, 0), IR_NONE};

    if (insn->operand[source].kind == OPND_MEM)
        immediate &= 0x3f;
    x86_vector_set(&v, 0, x86_vector_apply(x, IR_VFN_INSERTPS, immediate, args), IR_NONE);
    return true;
}

/* Between general and vector registers: MOVMSKPS, PMOVMSKB, CVTSD2SI Gy, Wx. The masks of a YMM
 * register stand side by side. */
bool trans_vector_to_gpr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned row = insn->row->argument, bits = row == IR_VFN_PMOVMSKB   ? 16
                                               : row == IR_VFN_MOVMSKPS ? 4
                                                                        : 2;
    enum ir_type type = x86_value_type(insn->operand[0].size);
    ir_ref low = x86_vector_get(&v, 1, 0);
    ir_ref high = x86_vector_is_256(insn) ? x86_vector_get(&v, 1, 1) : IR_NONE;

    x86_vector_fp_begin(x, row);
    ir_ref value = ir_vfn(&x->b, (enum ir_vfn)row, type, 0, low, IR_NONE, IR_NONE);
    if (high)
        value = ir_deposit(&x->b, value,
                           ir_vfn(&x->b, (enum ir_vfn)row, type, 0, high, IR_NONE, IR_NONE), bits,
                           bits);
    x86_vector_fp_end(x, row);
    x86_write(x, insn, 0, value);
    return true;
}

/* CVTSI2SD Vx, Ey; Vx, Hx, Ey */
bool trans_vector_from_gpr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned last = insn->n_operands - 1u, row = insn->row->argument;
    ir_ref value = x86_read(x, insn, last), old = x86_vector_get(&v, last - 1, 0);

    x86_vector_fp_begin(x, row);
    ir_ref result = ir_vfn(&x->b, (enum ir_vfn)row, IR_V128, 0, old, value, IR_NONE);
    x86_vector_fp_end(x, row);
    x86_vector_set(&v, 0, result, IR_NONE);
    return true;
}

/* COMISD, UCOMISS, PTEST, VTESTPS Vx, Wx: into the flags. */
bool trans_vector_compare(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned row = insn->row->argument;
    struct ir_builder *b = &x->b;
    ir_ref p = x86_vector_get(&v, 0, 0), q = x86_vector_get(&v, 1, 0);

    if (!x86_vector_is_256(insn)) {
        x86_vector_fp_begin(x, row);
        ir_ref compared = ir_vfn(b, (enum ir_vfn)row, IR_I32, 0, p, q, IR_NONE);
        x86_vector_fp_end(x, row);
        x86_set_flags(x, ir_flagof(b, compared));
        return true;
    }
    /* Both halves of p & q and of ~p & q together, each tested with itself. */
    ir_ref r = x86_vector_get(&v, 0, 1), s = x86_vector_get(&v, 1, 1), bit[2];
    ir_ref joined[2] = {
        ir_vec(b, IR_VOR, IR_LANE8, ir_vec(b, IR_VAND, IR_LANE8, p, q),
               ir_vec(b, IR_VAND, IR_LANE8, r, s)),
        ir_vec(b, IR_VOR, IR_LANE8, ir_vec(b, IR_VANDN, IR_LANE8, q, p),
               ir_vec(b, IR_VANDN, IR_LANE8, s, r)),
    };
    for (unsigned i = 0; i < 2; i++) {
        ir_ref test = ir_vfn(b, (enum ir_vfn)row, IR_I32, 0, joined[i], joined[i], IR_NONE);
        bit[i] = ir_setcc(b, IR_Z, ir_flagof(b, test));
    }
    ir_ref stored = ir_bin(b, IR_OR, ir_bin_i(b, IR_SHL, bit[0], __builtin_ctz(IR_FLAG_Z)),
                           ir_bin_i(b, IR_SHL, bit[1], __builtin_ctz(IR_FLAG_C)));
    x86_set_flags(x, ir_unpack_flags(b, stored));
    return true;
}

/* PCMPISTRI Vdq, Wdq, imm8: index into ECX; PCMPISTRM: mask into XMM0; flags. */
bool trans_pcmpistr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    enum ir_vfn row = (enum ir_vfn)insn->row->argument;
    bool mask = row == IR_VFN_PCMPISTRM;
    ir_ref a = x86_vector_get(&v, 0, 0), c = x86_vector_get(&v, 1, 0);
    ir_ref result = ir_vfn(&x->b, row, mask ? IR_V128 : IR_I32, (unsigned)insn->imm, a, c, IR_NONE);
    ir_ref flags = ir_flagof(&x->b, result);

    x86_set_flags(x, flags);
    if (!mask) {
        x86_set_gpr(x, RCX, 4, result);
        return true;
    }
    ir_set(&x->b, F_XMM0, result);
    if (insn->vex)
        ir_set(&x->b, F_YMM_HIGH0, x86_vector_zero(x));
    return true;
}

/* PCMPESTRI, PCMPESTRM Vdq, Wdq, imm8: the lengths are in EAX and EDX (RAX and RDX with REX.W). A
 * helper: the function has four arguments and an op of the IR three. */
bool trans_pcmpestr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    struct ir_builder *b = &x->b;
    bool mask = insn->row->argument;
    unsigned size = insn->rex_w && x86_xlat(x)->code64 ? 8 : 4;
    ir_ref a = x86_vector_get(&v, 0, 0), c = x86_vector_get(&v, 1, 0), lengths[2];

    for (unsigned i = 0; i < 2; i++)
        lengths[i] = x86_extend(x, x86_gpr(x, i ? RDX : RAX, size), size, 8, true);
    ir_set(b, F_VTEMP0, a);
    ir_set(b, F_VTEMP0 + 1, c);
    ir_ref result = ir_call(b, &helper_pcmpestr, lengths[0], lengths[1],
                            ir_i32(b, (uint32_t)insn->imm | (uint32_t)mask << 8), IR_NONE);
    x86_set_flags(x, ir_unpack_flags(b, result));
    if (!mask) {
        x86_set_gpr(x, RCX, 4, ir_extract(b, result, 16, 8));
        return true;
    }
    ir_set(b, F_XMM0, ir_get(b, F_VTEMP0));
    if (insn->vex)
        ir_set(b, F_YMM_HIGH0, x86_vector_zero(x));
    return true;
}

/* ---- shifts ---------------------------------------------------------------------------------- */

/* PSLLW Ux, imm8 and its like: counts that are too large give zero, or the sign. argument: VOP */
bool trans_vector_shift(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned op = insn->row->argument >> 8 & 0xff, lane = insn->row->argument & 3;
    unsigned source = insn->n_operands - 2u, count = (unsigned)insn->imm & 0xff;
    unsigned bits = 8u << lane, n = x86_vector_is_256(insn) ? 2 : 1;
    ir_ref result[2] = {IR_NONE, IR_NONE};

    if (op == IR_VSAR_I && count >= bits)
        count = bits - 1;
    for (unsigned half = 0; half < n; half++) {
        ir_ref a = x86_vector_get(&v, source, half);
        result[half] = count >= bits ? x86_vector_zero(x)
                       : count       ? ir_vec_i(&x->b, (enum ir_op)op, (enum ir_lane)lane, a, count)
                                     : a;
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* Bytes from .. from + 15 of high:low with zeros above. */
static ir_ref bytes_of(struct xlat *x, ir_ref low, ir_ref high, unsigned from)
{
    if (from == 0)
        return low;
    if (from == 16)
        return high;
    if (from >= 32)
        return x86_vector_zero(x);
    if (from > 16)
        return bytes_of(x, high, x86_vector_zero(x), from - 16);
    return ir_emit(&x->b, IR_VEXT, IR_V128, 0, from, low, high, IR_NONE, 0);
}

/* PSLLDQ, PSRLDQ Ux, imm8. argument: 1 to the right */
bool trans_vector_byte_shift(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned source = insn->n_operands - 2u, n = x86_vector_is_256(insn) ? 2 : 1;
    unsigned count = MIN((unsigned)insn->imm & 0xff, 16u);
    ir_ref result[2] = {IR_NONE, IR_NONE}, zero = x86_vector_zero(x);

    for (unsigned half = 0; half < n; half++) {
        ir_ref a = x86_vector_get(&v, source, half);
        result[half] =
            insn->row->argument ? bytes_of(x, a, zero, count) : bytes_of(x, zero, a, 16 - count);
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* PALIGNR Vx, Wx, imm8; Vx, Hx, Wx, imm8 */
bool trans_palignr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned low = insn->n_operands - 2u, n = x86_vector_is_256(insn) ? 2 : 1;
    ir_ref result[2] = {IR_NONE, IR_NONE};

    for (unsigned half = 0; half < n; half++) {
        ir_ref a = x86_vector_get(&v, low - 1, half), c = x86_vector_get(&v, low, half);
        result[half] = bytes_of(x, c, a, (unsigned)insn->imm & 0xff);
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* ---- moves ----------------------------------------------------------------------------------- */

static void store_vector(struct x86_vector *v, unsigned source)
{
    struct xlat *x = v->x;
    struct ir_builder *b = &x->b;
    bool wide = v->insn->operand[0].size == 32;
    ir_ref linear = x86_vector_address(v, v->insn->operand[0].size, true);
    ir_ref low = x86_vector_get(v, source, 0);

    if (!wide) {
        x86_store128(x, linear, 0, low, v->insn->row->traits & ROW_MEM_ALIGNED);
        return;
    }
    bool aligned = v->insn->row->traits & ROW_MEM_ALIGNED;
    if (x86_xlat(x)->key & KEY_DATA_BREAK) {
        x86_store128(x, linear, 0, low, aligned);
        x86_store128(x, linear, 16, x86_vector_get(v, source, 1), aligned);
        return;
    }
    /* Both halves or none. */
    bool checked = x86_xlat(x)->key & KEY_ALIGN;
    unsigned memop = 4 | IR_MEM_WRITE |
                     (aligned   ? IR_MEM_ALIGN_OF(5) | IR_MEM_EXCLUSIVE
                      : checked ? IR_MEM_ALIGN_OF(4)
                                : 0);
    ir_ref pointer = ir_probe(b, linear, 0, 32, memop);
    ir_hstore(b, pointer, 0, low, 4);
    ir_hstore(b, pointer, 16, x86_vector_get(v, source, 1), 4);
    ir_commit(b, pointer, linear, 0, 32, memop);
}

/* MOVAPS, MOVDQU, MOVNTDQ, LDDQU, ...: all of it, either way. */
bool trans_vector_move(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);

    if (insn->operand[0].kind == OPND_MEM) {
        store_vector(&v, 1);
        return true;
    }
    bool wide = x86_vector_is_256(insn);
    ir_ref low = x86_vector_get(&v, 1, 0), high = wide ? x86_vector_get(&v, 1, 1) : IR_NONE;
    x86_vector_set(&v, 0, low, high);
    return true;
}

/* MOVSS, MOVSD: loads clear the rest, moves between registers keep it. argument: the blend */
bool trans_scalar_move(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned last = insn->n_operands - 1u;
    bool wide = insn->row->argument == IR_VFN_BLENDPD;

    if (insn->operand[0].kind == OPND_MEM) {
        unsigned size = insn->operand[0].size;
        x86_store(x, x86_linear(x, insn, size, true), 0, size,
                  get_lane(x, wide ? IR_LANE64 : IR_LANE32, x86_vector_get(&v, 1, 0), 0));
        return true;
    }
    ir_ref value = x86_vector_get(&v, last, 0);
    if (insn->operand[last].kind != OPND_MEM) {
        ir_ref args[3] = {x86_vector_get(&v, insn->vex ? 1 : 0, 0), value, IR_NONE};
        value = x86_vector_apply(x, insn->row->argument, 1, args);
    }
    x86_vector_set(&v, 0, value, IR_NONE);
    return true;
}

/* MOVLPS, MOVHPS, MOVLPD, MOVHPD V, M and M, V; argument: which half */
bool trans_half_move(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned half = insn->row->argument;

    if (insn->operand[0].kind == OPND_MEM) {
        x86_store(x, x86_linear(x, insn, 8, true), 0, 8,
                  x86_vector_lane64(x, x86_vector_get(&v, 1, 0), half));
        return true;
    }
    unsigned last = insn->n_operands - 1u;
    ir_ref value = x86_load(x, x86_linear(x, insn, 8, false), 0, 8);
    ir_ref old = x86_vector_get(&v, last - 1, 0);
    x86_vector_set(&v, 0, set_lane(x, IR_LANE64, old, value, half), IR_NONE);
    return true;
}

/* MOVHLPS, MOVLHPS Vq, Uq; Vq, Hq, Uq. argument: 1 MOVLHPS */
bool trans_cross_move(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned last = insn->n_operands - 1u;
    ir_ref source = x86_vector_get(&v, last, 0), old = x86_vector_get(&v, last - 1, 0);

    if (insn->row->argument)
        x86_vector_set(&v, 0, ir_vec(&x->b, IR_VZIP_LO, IR_LANE64, old, source), IR_NONE);
    else
        x86_vector_set(&v, 0, ir_vec(&x->b, IR_VZIP_HI, IR_LANE64, source, old), IR_NONE);
    return true;
}

/* MOVD, MOVQ V, Ey */
bool trans_movd_to_vector(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);

    x86_vector_set(&v, 0, x86_vector_from64(x, x86_read(x, insn, 1)), IR_NONE);
    return true;
}

/* MOVD, MOVQ Ey, V */
bool trans_movd_from_vector(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned lane = insn->operand[0].size == 8 ? IR_LANE64 : IR_LANE32;

    x86_write(x, insn, 0, get_lane(x, lane, x86_vector_get(&v, 1, 0), 0));
    return true;
}

/* MOVQ Vq, Wq and Wq, Vq: the upper half of a register becomes zero. */
bool trans_movq(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref value = x86_vector_get(&v, 1, 0);

    if (insn->operand[0].kind == OPND_MEM)
        x86_store(x, x86_linear(x, insn, 8, true), 0, 8, x86_vector_lane64(x, value, 0));
    else if (insn->operand[1].kind == OPND_MEM)
        x86_vector_set(&v, 0, value, IR_NONE);
    else
        x86_vector_set(&v, 0, ir_vec(&x->b, IR_VZIP_LO, IR_LANE64, value, x86_vector_zero(x)),
                       IR_NONE);
    return true;
}

/* MOVDDUP, MOVSLDUP, MOVSHDUP Vx, Wx: PSHUFD with this immediate */
bool trans_duplicate(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned n = x86_vector_is_256(insn) ? 2 : 1;
    ir_ref result[2] = {IR_NONE, IR_NONE};

    for (unsigned half = 0; half < n; half++)
        result[half] = x86_vector_get(&v, 1, half);
    for (unsigned half = 0; half < n; half++)
        result[half] = ir_vfn(&x->b, IR_VFN_PSHUFD, IR_V128, insn->row->argument, result[half],
                              IR_NONE, IR_NONE);
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* PINSRB, PINSRW, PINSRD, PINSRQ V, E, imm8; V, H, E, imm8. argument: lane */
bool trans_pinsr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned lane = insn->row->argument, source = insn->n_operands - 2u;
    const struct x86_operand *o = &insn->operand[source];
    unsigned size = 1u << lane;
    ir_ref value = o->kind == OPND_MEM ? x86_load(x, x86_linear(x, insn, size, false), 0, size)
                                       : x86_gpr(x, o->reg, MAX(size, 4u));
    ir_ref old = x86_vector_get(&v, source - 1, 0);

    x86_vector_set(&v, 0, set_lane(x, lane, old, value, (unsigned)insn->imm & (16 / size - 1)),
                   IR_NONE);
    return true;
}

/* PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS E, V, imm8: to a register zero-extended. */
bool trans_pextr(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned lane = insn->row->argument, size = 1u << lane;
    ir_ref value =
        get_lane(x, lane, x86_vector_get(&v, 1, 0), (unsigned)insn->imm & (16 / size - 1));

    if (insn->operand[0].kind == OPND_MEM)
        x86_store(x, x86_linear(x, insn, size, true), 0, size, value);
    else
        x86_set_gpr(x, insn->operand[0].reg, MAX(size, 4u), value);
    return true;
}

/* ---- widening and narrowing ------------------------------------------------------------------ */

/* PMOVSXBW .. PMOVZXDQ, CVTPS2PD, CVTDQ2PD V, W: for the upper half of a YMM register from the
 * upper half of what is read. */
bool trans_vector_widen(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned row = insn->row->argument, half = insn->operand[1].size / 2u;
    ir_ref args[2][3] = {{x86_vector_get(&v, 1, 0)}}, result[2] = {IR_NONE, IR_NONE};
    unsigned n = x86_vector_is_256(insn) ? 2 : 1;

    if (n == 2)
        args[1][0] = bytes_of(x, args[0][0], x86_vector_zero(x), half);
    x86_vector_fp_begin(x, row);
    for (unsigned i = 0; i < n; i++)
        result[i] = x86_vector_apply(x, row, 0, args[i]);
    x86_vector_fp_end(x, row);
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* CVTPD2PS, CVTPD2DQ, CVTTPD2DQ V, W: four doubles of a YMM register into one XMM register. */
bool trans_vector_narrow(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned row = insn->row->argument, n = x86_vector_is_256(insn) ? 2 : 1;
    ir_ref args[2][3] = {{IR_NONE}}, result[2] = {IR_NONE, IR_NONE};

    for (unsigned i = 0; i < n; i++)
        args[i][0] = x86_vector_get(&v, 1, i);
    x86_vector_fp_begin(x, row);
    for (unsigned i = 0; i < n; i++)
        result[i] = x86_vector_apply(x, row, 0, args[i]);
    x86_vector_fp_end(x, row);
    if (n == 2)
        result[0] = ir_vec(&x->b, IR_VCONCAT, IR_LANE8, result[0], result[1]);
    x86_vector_set(&v, 0, result[0], IR_NONE);
    return true;
}

/* ---- control --------------------------------------------------------------------------------- */

/* STMXCSR Md */
bool trans_stmxcsr(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref linear = x86_linear(x, insn, 4, true);

    x86_store(x, linear, 0, 4,
              ir_call(&x->b, &helper_mxcsr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    return true;
}

/* LDMXCSR Md: that all exceptions are masked is in the key, and mostly stays. */
bool trans_ldmxcsr(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    ir_ref value = x86_load(x, x86_linear(x, insn, 4, false), 0, 4);
    unsigned same = ir_block_create(b), other = ir_block_create(b);
    ir_ref done = ir_call(b, &helper_mxcsr_write_masked, value, IR_NONE, IR_NONE, IR_NONE);

    if (x->key & KEY_SSE_UNMASKED)
        done = ir_i32(b, 0); /* but the mode changes */
    ir_brcc(b, IR_NZ, ir_test(b, done), same, other);
    ir_block_begin(b, other);
    ir_call(b, &helper_mxcsr_write, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    x86_end_next(x);
    ir_block_begin(b, same);
    return true;
}

/* FXSAVE, FXRSTOR, XSAVE, XRSTOR, XSAVEOPT M; argument: enum x86_save */
bool trans_fpu_save(struct xlat *x, const struct x86_insn *insn)
{
    unsigned what = insn->row->argument;
    bool restores = what == SAVE_FXRSTOR || what == SAVE_XRSTOR;
    bool wide = insn->rex_w && x86_xlat(x)->code64;
    ir_ref linear = x86_linear(x, insn, 512, !restores);

    ir_call(&x->b, &helper_fpu_save, x86_from_address(x, linear, 8),
            ir_i32(&x->b, what | (wide ? SAVE_64 : 0)), IR_NONE, IR_NONE);
    if (restores)
        x86_end_next(x);
    return true;
}
