/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AVX, AVX2 and F16C: the handlers of avx.def that SSE has no use for. */
#include "frontend/x86/fpu.h"
#include "frontend/x86/vector.h"

static ir_ref vfn(struct xlat *x, enum ir_vfn row, unsigned immediate, ir_ref a, ir_ref c, ir_ref d)
{
    return ir_vfn(&x->b, row, IR_V128, immediate, a, c, d);
}

/* VZEROUPPER, VZEROALL (argument 1): the registers the mode has. */
bool trans_vzero(struct xlat *x, const struct x86_insn *insn)
{
    unsigned n = x86_xlat(x)->code64 ? 16 : 8;
    ir_ref zero = x86_vector_zero(x);

    for (unsigned i = 0; i < n; i++) {
        ir_set(&x->b, F_YMM_HIGH0 + i, zero);
        if (insn->row->argument)
            ir_set(&x->b, F_XMM0 + i, zero);
    }
    return true;
}

/* VPSLLW .. VPSRAD Vqq, Hqq, Wdq: one count for both halves. */
bool trans_vector_shift_by(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref count = x86_vector_get(&v, 2, 0), result[2];

    for (unsigned half = 0; half < 2; half++)
        result[half] = vfn(x, (enum ir_vfn)insn->row->argument, 0, x86_vector_get(&v, 1, half),
                           count, IR_NONE);
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* VPERMILPS, VPERMILPD (argument 1) Vx, Wx, imm8 */
bool trans_vpermil(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned n = x86_vector_is_256(insn) ? 2 : 1, immediate = (unsigned)insn->imm & 0xff;
    ir_ref result[2] = {IR_NONE, IR_NONE};

    for (unsigned half = 0; half < n; half++) {
        ir_ref a = x86_vector_get(&v, 1, half);
        result[half] = insn->row->argument
                           ? vfn(x, IR_VFN_SHUFPD, immediate >> 2 * half & 3, a, a, IR_NONE)
                           : vfn(x, IR_VFN_PSHUFD, immediate, a, IR_NONE, IR_NONE);
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* VBROADCASTSS, VPBROADCASTB .. Vx, W; argument: lane */
bool trans_broadcast(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    unsigned lane = insn->row->argument, size = 1u << lane;
    ir_ref value, result;

    if (insn->operand[1].kind == OPND_MEM)
        value = x86_load(x, x86_linear(x, insn, size, false), 0, size);
    else
        value = ir_emit(&x->b, IR_VGETLANE, x86_value_type(size), lane, 0, x86_vector_get(&v, 1, 0),
                        IR_NONE, IR_NONE, 0);
    result = ir_emit(&x->b, IR_VDUP, IR_V128, lane, 0, value, IR_NONE, IR_NONE, 0);
    x86_vector_set(&v, 0, result, insn->vex_l ? result : IR_NONE);
    return true;
}

/* VBROADCASTF128 Vqq, Mdq */
bool trans_broadcast128(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref value = x86_vector_get(&v, 1, 0);

    x86_vector_set(&v, 0, value, value);
    return true;
}

/* VINSERTF128 Vqq, Hqq, Wdq, imm8 */
bool trans_insert128(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref value = x86_vector_get(&v, 2, 0);

    if (insn->imm & 1)
        x86_vector_set(&v, 0, x86_vector_get(&v, 1, 0), value);
    else
        x86_vector_set(&v, 0, value, x86_vector_get(&v, 1, 1));
    return true;
}

static bool put_xmm(struct x86_vector *v, ir_ref value)
{
    if (v->insn->operand[0].kind == OPND_MEM)
        x86_store128(v->x, x86_vector_address(v, 16, true), 0, value, false);
    else
        x86_vector_set(v, 0, value, IR_NONE);
    return true;
}

/* VEXTRACTF128 Wdq, Vqq, imm8 */
bool trans_extract128(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);

    return put_xmm(&v, x86_vector_get(&v, 1, insn->imm & 1));
}

/* VPERM2F128 Vqq, Hqq, Wqq, imm8 */
bool trans_vperm2(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref source[4], result[2];

    for (unsigned i = 0; i < 4; i++)
        source[i] = x86_vector_get(&v, 1 + i / 2, i & 1);
    for (unsigned i = 0; i < 2; i++) {
        unsigned choice = (unsigned)insn->imm >> 4 * i & 15;
        result[i] = choice & 8 ? x86_vector_zero(x) : source[choice & 3];
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* VPERMQ, VPERMPD Vqq, Wqq, imm8 */
bool trans_vpermq(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref source[2] = {x86_vector_get(&v, 1, 0), x86_vector_get(&v, 1, 1)}, result[2];

    for (unsigned i = 0; i < 2; i++) {
        unsigned low = (unsigned)insn->imm >> 4 * i & 3,
                 high = (unsigned)insn->imm >> (4 * i + 2) & 3;
        result[i] = vfn(x, IR_VFN_SHUFPD, (low & 1) | (high & 1) << 1, source[low >> 1],
                        source[high >> 1], IR_NONE);
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* VPERMD, VPERMPS Vqq, Hqq, Wqq: from both halves by the index's low two bits, then one of the two
 * by its third, which is moved to where BLENDVPS looks. */
bool trans_vpermd(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    ir_ref source[2] = {x86_vector_get(&v, 2, 0), x86_vector_get(&v, 2, 1)}, result[2];

    for (unsigned i = 0; i < 2; i++) {
        ir_ref index = x86_vector_get(&v, 1, i);
        ir_ref low = vfn(x, IR_VFN_VPERMILPS, 0, source[0], index, IR_NONE);
        ir_ref high = vfn(x, IR_VFN_VPERMILPS, 0, source[1], index, IR_NONE);
        ir_ref mask = ir_vec_i(&x->b, IR_VSHL_I, IR_LANE32, index, 29);
        result[i] = vfn(x, IR_VFN_BLENDVPS, 0, low, high, mask);
    }
    x86_vector_set(&v, 0, result[0], result[1]);
    return true;
}

/* VCVTPS2PH W, V, imm8: memory is found writable before anything is flagged. */
bool trans_vcvtps2ph(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    struct ir_builder *b = &x->b;
    unsigned n = x86_vector_is_256(insn) ? 2 : 1, immediate = (unsigned)insn->imm & 7;
    unsigned memop = x86_memop(x, 8) | IR_MEM_WRITE;
    ir_ref source[2] = {IR_NONE, IR_NONE}, result[2] = {IR_NONE, IR_NONE}, pointer = IR_NONE;

    for (unsigned i = 0; i < n; i++)
        source[i] = x86_vector_get(&v, 1, i);
    if (insn->operand[0].kind == OPND_MEM)
        pointer = ir_probe(b, x86_vector_address(&v, 8 * n, true), 0, 8 * n, memop);
    x86_vector_fp_begin(x, IR_VFN_VCVTPS2PH);
    for (unsigned i = 0; i < n; i++)
        result[i] = vfn(x, IR_VFN_VCVTPS2PH, immediate, source[i], IR_NONE, IR_NONE);
    x86_vector_fp_end(x, IR_VFN_VCVTPS2PH);
    if (pointer) {
        for (unsigned i = 0; i < n; i++)
            ir_hstore(b, pointer, 8 * i, x86_vector_lane64(x, result[i], 0), 3);
        ir_commit(b, pointer, v.linear, 0, 8 * n, memop);
        return true;
    }
    if (n == 2)
        result[0] = ir_vec(b, IR_VCONCAT, IR_LANE8, result[0], result[1]);
    x86_vector_set(&v, 0, result[0], IR_NONE);
    return true;
}

/* ---- element by element: helpers, as only elements whose mask is set may fault -----------------
 */

static unsigned describe(const struct x86_insn *insn, unsigned size, unsigned lane)
{
    return insn->segment | (unsigned)insn->address_size << 4 | lane << 8 | size << 12;
}

static void set_temps(struct x86_vector *v, unsigned first, unsigned operand, unsigned n)
{
    ir_ref value[2];
    for (unsigned i = 0; i < n; i++)
        value[i] = x86_vector_get(v, operand, i);
    for (unsigned i = 0; i < n; i++)
        ir_set(&v->x->b, F_VTEMP0 + first + i, value[i]);
}

/* VMASKMOVPS, VPMASKMOVD Vx, Hx, Mx; argument: lane */
bool trans_masked_load(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    struct ir_builder *b = &x->b;
    unsigned n = insn->vex_l ? 2 : 1;
    ir_ref offset = x86_from_address(x, x86_effective_address(x, insn), 8);

    set_temps(&v, 2, 1, n);
    ir_call(b, &helper_masked_load, offset, ir_i32(b, describe(insn, 16 * n, insn->row->argument)),
            IR_NONE, IR_NONE);
    x86_vector_set(&v, 0, ir_get(b, F_VTEMP0), n == 2 ? ir_get(b, F_VTEMP0 + 1) : IR_NONE);
    return true;
}

/* VMASKMOVPS, VPMASKMOVD Mx, Hx, Vx */
bool trans_masked_store(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    struct ir_builder *b = &x->b;
    unsigned n = insn->vex_l ? 2 : 1;
    ir_ref offset = x86_from_address(x, x86_effective_address(x, insn), 8);

    set_temps(&v, 0, 2, n);
    set_temps(&v, 2, 1, n);
    ir_call(b, &helper_masked_store, offset, ir_i32(b, describe(insn, 16 * n, insn->row->argument)),
            IR_NONE, IR_NONE);
    return true;
}

/* MASKMOVDQU V, U: bytes to DS:rDI. */
bool trans_maskmovdqu(struct xlat *x, const struct x86_insn *insn)
{
    struct x86_vector v = x86_vector(x, insn);
    struct ir_builder *b = &x->b;
    ir_ref offset = x86_from_address(x, x86_address_register(x, RDI, insn->address_size), 8);

    set_temps(&v, 0, 0, 1);
    set_temps(&v, 2, 1, 1);
    ir_call(b, &helper_masked_store, offset, ir_i32(b, describe(insn, 16, IR_LANE8)), IR_NONE,
            IR_NONE);
    return true;
}

/* VPGATHERDD, VGATHERQPD, ... Vx, vm, Hx: an element that has been loaded has its mask cleared, so
 * that after a fault the rest is done. argument: index lane << 4 | lane */
bool trans_gather(struct xlat *x, const struct x86_insn *insn)
{
    struct ir_builder *b = &x->b;
    unsigned lane = insn->row->argument & 15, index_lane = insn->row->argument >> 4;
    unsigned dest = insn->operand[0].reg, mask = insn->operand[2].reg;
    unsigned n = (insn->vex_l ? 32u : 16u) >> MAX(lane, index_lane);
    ir_ref base = x86_address_constant(x, (uint64_t)insn->displacement);

    if (dest == mask || dest == insn->index || mask == insn->index)
        return false;
    if (insn->base != REG_NONE)
        base = ir_bin(b, IR_ADD, x86_address_register(x, insn->base, insn->address_size), base);
    ir_call(b, &helper_gather, x86_from_address(x, base, 8),
            ir_i32(b, insn->segment | (unsigned)insn->address_size << 4 | lane << 8 |
                          index_lane << 10 | n << 12 | (unsigned)__builtin_ctz(insn->scale) << 16),
            ir_i32(b, dest | mask << 8 | (unsigned)insn->index << 16), IR_NONE);
    return true;
}
