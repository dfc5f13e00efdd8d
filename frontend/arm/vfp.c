/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFPv3 and VFPv4: translation of frontend/arm/vfp.decode, and the FPSCR.
 *
 * Arithmetic is the IR's. In flush-to-zero or default-NaN mode (KEY_FP_SPECIAL) it is told to leave
 * denormals to the rules, which look at the FPSCR.
 * With a vector length set (KEY_FP_VECTOR), which the processors modelled here do not support, the
 * instructions that would obey it are UNDEFINED.
 */
#include "frontend/arm/fp.h"
#include "frontend/arm/simd.h"
#include "frontend/arm/system.h"
#include "util/host_fp.h"

#define DECODE_IMPLEMENTATION
#define DECODE_HANDLER static
#include "build/gen/vfp.inc"

/* ---- FPSCR ------------------------------------------------------------------------------------
 */

/* Callable from any thread: what the live control word of a running vCPU has collected is folded in
 * by the helpers below, which run on it. */
uint32_t arm_fpscr_read(struct arm_cpu *cpu)
{
    uint32_t saturated = cpu->fpscr_qc[0] | cpu->fpscr_qc[1] ? FPSCR_QC : 0;
    return cpu->fpscr_nzcv | cpu->fpscr_control | cpu->fpscr_sticky | saturated |
           host_fp_exceptions(cpu->v.run.mxcsr);
}

void arm_fpscr_write(struct arm_cpu *cpu, uint32_t value)
{
    cpu->fpscr_nzcv = value & CPSR_NZCV;
    cpu->fpscr_control = value & FPSCR_CONTROL;
    cpu->fpscr_sticky = value & (FPSCR_CUMULATIVE | FPSCR_QC);
    cpu->fpscr_qc[0] = cpu->fpscr_qc[1] = 0;
    /* Known to be set already, "inexact" costs generated code less; it is also in sticky. */
    cpu->v.run.mxcsr = host_fp_control((enum fp_rounding)fp_rounding_of(value)) |
                       (value & FPSCR_IXC ? HOST_FP_INEXACT : 0);
    arm_update_mode(cpu);
}

static uint32_t fpscr_read(void *state)
{
    struct arm_cpu *cpu = arm_cpu(state);
    cpu->fpscr_sticky |= host_fp_exceptions(host_fp_live());
    return arm_fpscr_read(cpu);
}

static void fpscr_write(void *state, uint32_t value)
{
    struct arm_cpu *cpu = arm_cpu(state);
    arm_fpscr_write(cpu, value);
    host_fp_set_live(cpu->v.run.mxcsr);
}

const struct ir_helper helper_fpscr_read =
    IR_HELPER(fpscr_read, IR_I32, 0, 0, GROUP_FPSCR | GROUP_QC, GROUP_FPSCR);
const struct ir_helper helper_fpscr_write =
    IR_HELPER(fpscr_write, IR_VOID, 1, 0, GROUP_FPSCR | GROUP_PC | GROUP_SYSTEM,
              GROUP_FPSCR | GROUP_QC | GROUP_PC);

static void fpexc_write(void *state, uint32_t value)
{
    struct arm_cpu *cpu = arm_cpu(state);
    cpu->fpexc = value & FPEXC_EN;
    arm_update_mode(cpu);
}

static const struct ir_helper helper_fpexc_write =
    IR_HELPER(fpexc_write, IR_VOID, 1, 0, GROUP_SYSTEM | GROUP_PC, GROUP_SYSTEM | GROUP_PC);

/* ---- helpers of arithmetic ----------------------------------------------------------------------
 */

/* what: destination | source << 4, both enum fp_format */
static uint64_t vfp_convert(void *state, uint32_t what, uint64_t a)
{
    struct fp_env env = fp_env_of(arm_cpu(state));
    uint64_t result =
        fp_convert(&env, (enum fp_format)(what & 15), (enum fp_format)(what >> 4 & 15), a);
    fp_env_done(arm_cpu(state), &env);
    return result;
}

enum fixed_control { FIXED_TO = 1 << 16, FIXED_UNSIGNED = 1 << 17, FIXED_DOUBLE = 1 << 18 };

/* what: fraction bits | size in bits << 8 | enum fixed_control */
static uint64_t vfp_fixed(void *state, uint32_t what, uint64_t a)
{
    struct fp_env env = fp_env_of(arm_cpu(state));
    enum fp_format format = what & FIXED_DOUBLE ? FP_DOUBLE : FP_SINGLE;
    unsigned fraction = what & 0xff, size = what >> 8 & 0xff;
    bool is_unsigned = what & FIXED_UNSIGNED;
    uint64_t result;
    if (what & FIXED_TO) {
        result = fp_to_fixed(&env, format, a, size, fraction, is_unsigned, FP_ZERO);
        if (!is_unsigned)
            result = (uint64_t)sextract64(result, 0, size);
    } else {
        result = fp_from_fixed(&env, format, a, size, fraction, is_unsigned, FP_NEAREST);
    }
    fp_env_done(arm_cpu(state), &env);
    return result;
}

static const struct ir_helper helper_vfp_convert =
    IR_HELPER(vfp_convert, IR_I64, 2, 0, GROUP_FPSCR, GROUP_FPSCR);
static const struct ir_helper helper_vfp_fixed =
    IR_HELPER(vfp_fixed, IR_I64, 2, 0, GROUP_FPSCR, GROUP_FPSCR);

/* ---- registers ----------------------------------------------------------------------------------
 */

/* The register number of an operand: S as encoded (Vd:D), D as D:Vd. */
static unsigned number(unsigned sz, unsigned raw)
{
    return sz ? raw >> 1 | (raw & 1) << 4 : raw;
}

static enum ir_type float_type(unsigned sz)
{
    return sz ? IR_F64 : IR_F32;
}

static ir_ref get(struct xlat *x, unsigned sz, unsigned raw)
{
    return ir_get(&x->b, (sz ? F_DF0 : F_S0) + number(sz, raw));
}

static void set(struct xlat *x, unsigned sz, unsigned raw, ir_ref value)
{
    ir_set(&x->b, (sz ? F_DF0 : F_S0) + number(sz, raw), value);
}

static bool special(struct xlat *x)
{
    return arm_xlat(x)->key & KEY_FP_SPECIAL;
}

static bool enabled(struct xlat *x)
{
    return (arm_xlat(x)->key & KEY_VFP) && arm_xlat(x)->insn >> 28 != 15;
}

/* May it be executed at all? raw: the operands' numbers ORed; d16..d31 may not be there. */
static bool ready(struct xlat *x, unsigned sz, unsigned raw)
{
    return enabled(x) && !(sz && (raw & 1) && !arm_has(x, ARM_HAS_D32));
}

/* The same for instructions that obey FPSCR.Len and Stride. */
static bool ready_arithmetic(struct xlat *x, unsigned sz, unsigned raw)
{
    return ready(x, sz, raw) && !(arm_xlat(x)->key & KEY_FP_VECTOR);
}

/* ---- arithmetic ---------------------------------------------------------------------------------
 */

/* Any value's bits as an I64. */
static ir_ref to_bits(struct xlat *x, ir_ref value)
{
    switch (ir_type_of(x->b.unit, value)) {
    case IR_F32:
        value = simd_bitcast(x, IR_I32, value);
        return ir_un(&x->b, IR_WIDEN_U, value);
    case IR_I32:
        return ir_un(&x->b, IR_WIDEN_U, value);
    case IR_F64:
        return simd_bitcast(x, IR_I64, value);
    default:
        return value;
    }
}

static ir_ref from_bits(struct xlat *x, enum ir_type type, ir_ref bits)
{
    switch (type) {
    case IR_F32:
        return simd_bitcast(x, IR_F32, ir_un(&x->b, IR_NARROW, bits));
    case IR_I32:
        return ir_un(&x->b, IR_NARROW, bits);
    case IR_F64:
        return simd_bitcast(x, IR_F64, bits);
    default:
        return bits;
    }
}

static ir_ref float_op(struct xlat *x, enum ir_op op, enum ir_type type, unsigned sub, ir_ref a,
                       ir_ref b, ir_ref c)
{
    return ir_fp(&x->b, op, type, sub | (special(x) ? IR_FP_FLUSH : 0), a, b, c);
}

static ir_ref to_integer(struct xlat *x, unsigned sub, ir_ref a)
{
    sub |= special(x) ? IR_F2I_FLUSH : 0;
    return ir_fp(&x->b, IR_F2I, IR_I32, sub, a, IR_NONE, IR_NONE);
}

static ir_ref binary(struct xlat *x, enum ir_op op, unsigned sz, ir_ref a, ir_ref b)
{
    return float_op(x, op, float_type(sz), 0, a, b, IR_NONE);
}

static ir_ref negate(struct xlat *x, ir_ref a)
{
    return ir_un(&x->b, IR_FNEG, a);
}

/* V<op> Vd, Vn, Vm: ARM ARM A8.8.283, .302, .351, .415 */
static bool three_operands(struct xlat *x, const struct arg_vfp_dnm *a, enum ir_op op, bool negated)
{
    if (!ready_arithmetic(x, a->sz, a->d | a->n | a->m))
        return arm_undefined(x);
    ir_ref result = binary(x, op, a->sz, get(x, a->sz, a->n), get(x, a->sz, a->m));
    set(x, a->sz, a->d, negated ? negate(x, result) : result);
    return true;
}

static bool trans_VADD(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return three_operands(x, a, IR_FADD, false);
}

static bool trans_VSUB(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return three_operands(x, a, IR_FSUB, false);
}

static bool trans_VMUL(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return three_operands(x, a, IR_FMUL, false);
}

static bool trans_VNMUL(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return three_operands(x, a, IR_FMUL, true);
}

static bool trans_VDIV(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return three_operands(x, a, IR_FDIV, false);
}

/* VMLA, VMLS, VNMLA, VNMLS: A8.8.337, A8.8.355; the product is rounded, then the sum. */
static bool multiply_add(struct xlat *x, const struct arg_vfp_dnm *a, bool negate_addend,
                         bool negate_product)
{
    if (!ready_arithmetic(x, a->sz, a->d | a->n | a->m))
        return arm_undefined(x);
    ir_ref product = binary(x, IR_FMUL, a->sz, get(x, a->sz, a->n), get(x, a->sz, a->m));
    ir_ref addend = get(x, a->sz, a->d);
    if (negate_product)
        product = negate(x, product);
    if (negate_addend)
        addend = negate(x, addend);
    set(x, a->sz, a->d, binary(x, IR_FADD, a->sz, addend, product));
    return true;
}

static bool trans_VMLA(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return multiply_add(x, a, false, false);
}

static bool trans_VMLS(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return multiply_add(x, a, false, true);
}

static bool trans_VNMLA(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return multiply_add(x, a, true, true);
}

static bool trans_VNMLS(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return multiply_add(x, a, true, false);
}

/* VFMA, VFMS, VFNMA, VFNMS: A8.8.317, A8.8.318; one rounding. */
static bool fused(struct xlat *x, const struct arg_vfp_dnm *a, bool negate_addend,
                  bool negate_product)
{
    if (!ready_arithmetic(x, a->sz, a->d | a->n | a->m))
        return arm_undefined(x);
    ir_ref n = get(x, a->sz, a->n), m = get(x, a->sz, a->m), d = get(x, a->sz, a->d);
    if (negate_product)
        n = negate(x, n);
    if (negate_addend)
        d = negate(x, d);
    set(x, a->sz, a->d, float_op(x, IR_FMA, float_type(a->sz), 0, n, m, d));
    return true;
}

static bool trans_VFMA(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return fused(x, a, false, false);
}

static bool trans_VFMS(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return fused(x, a, false, true);
}

static bool trans_VFNMA(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return fused(x, a, true, true);
}

static bool trans_VFNMS(struct xlat *x, const struct arg_vfp_dnm *a)
{
    return fused(x, a, true, false);
}

/* VMOV Vd, #imm: A8.8.339; VFPExpandImm of A7.5.1. */
static bool trans_VMOV_imm(struct xlat *x, const struct arg_vfp_imm *a)
{
    if (!ready_arithmetic(x, a->sz, a->d))
        return arm_undefined(x);
    unsigned imm = (unsigned)a->imm, exponent_high = imm & 0x40;
    uint64_t bits;
    if (a->sz)
        bits = (uint64_t)(imm >> 7) << 63 |
               (exponent_high ? UINT64_C(0x3fc) : UINT64_C(0x400)) << 52 |
               (uint64_t)(imm & 0x3f) << 48;
    else
        bits = (uint64_t)(imm >> 7) << 31 | (exponent_high ? 0x7cu : 0x80u) << 23 |
               (uint64_t)(imm & 0x3f) << 19;
    ir_ref value = ir_emit(&x->b, IR_CONST, float_type(a->sz), 0, 0, 0, 0, 0, bits);
    set(x, a->sz, a->d, value);
    return true;
}

/* VMOV, VABS, VNEG Vd, Vm: A8.8.340, A8.8.280, A8.8.355 */
static bool move(struct xlat *x, const struct arg_vfp_dm *a, enum ir_op op)
{
    if (!ready_arithmetic(x, a->sz, a->d | a->m))
        return arm_undefined(x);
    ir_ref value = get(x, a->sz, a->m);
    set(x, a->sz, a->d, op == IR_NOP ? value : ir_un(&x->b, op, value));
    return true;
}

static bool trans_VMOV_reg(struct xlat *x, const struct arg_vfp_dm *a)
{
    return move(x, a, IR_NOP);
}

static bool trans_VABS(struct xlat *x, const struct arg_vfp_dm *a)
{
    return move(x, a, IR_FABS);
}

static bool trans_VNEG(struct xlat *x, const struct arg_vfp_dm *a)
{
    return move(x, a, IR_FNEG);
}

/* VSQRT Vd, Vm: A8.8.401 */
static bool trans_VSQRT(struct xlat *x, const struct arg_vfp_dm *a)
{
    if (!ready_arithmetic(x, a->sz, a->d | a->m))
        return arm_undefined(x);
    ir_ref value = get(x, a->sz, a->m);
    set(x, a->sz, a->d, float_op(x, IR_FSQRT, float_type(a->sz), 0, value, IR_NONE, IR_NONE));
    return true;
}

/* ---- comparisons --------------------------------------------------------------------------------
 */

/* One of four bits (enum ir_fcmp) as FPSCR.NZCV: LT 1000, EQ 0110, GT 0010, unordered 0011. */
static void set_comparison(struct xlat *x, ir_ref one_hot)
{
    struct ir_builder *b = &x->b;
    ir_ref n = ir_bin_i(b, IR_SHL, one_hot, 31);
    ir_ref z = ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, one_hot, IR_FCMP_EQ), 29);
    ir_ref c = ir_bin_i(b, IR_XOR, ir_bin_i(b, IR_AND, one_hot, IR_FCMP_LT), 1);
    ir_ref v = ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, one_hot, IR_FCMP_UN), 25);
    c = ir_bin_i(b, IR_SHL, c, 29);
    ir_set(b, F_FPSCR_NZCV, ir_bin(b, IR_OR, ir_bin(b, IR_OR, n, z), ir_bin(b, IR_OR, c, v)));
}

/* VCMP, VCMPE Vd, Vm or #0.0: A8.8.303 */
static bool compare(struct xlat *x, const struct arg_vfp_cmp *a, bool with_zero)
{
    if (!ready(x, a->sz, a->d | (with_zero ? 0 : a->m)))
        return arm_undefined(x);
    ir_ref left = get(x, a->sz, a->d);
    ir_ref right = with_zero ? ir_emit(&x->b, IR_CONST, float_type(a->sz), 0, 0, 0, 0, 0, 0)
                             : get(x, a->sz, a->m);
    set_comparison(
        x, float_op(x, IR_FCMP, IR_I32, a->e ? IR_FP_SIGNAL_QNAN : 0, left, right, IR_NONE));
    return true;
}

static bool trans_VCMP(struct xlat *x, const struct arg_vfp_cmp *a)
{
    return compare(x, a, false);
}

static bool trans_VCMP_zero(struct xlat *x, const struct arg_vfp_cmp *a)
{
    return compare(x, a, true);
}

/* ---- conversions --------------------------------------------------------------------------------
 */

/* VCVTB, VCVTT: A8.8.315; between single precision and one half of a single register. */
static bool trans_VCVT_half(struct xlat *x, const struct arg_vfp_half *a)
{
    if (!ready(x, 0, 0))
        return arm_undefined(x);
    unsigned start = a->t ? 16 : 0;
    ir_ref source = simd_bitcast(x, IR_I32, get(x, 0, a->m));
    if (!a->op)
        source = ir_extract(&x->b, source, start, 16);
    uint32_t what = a->op ? FP_HALF | FP_SINGLE << 4 : FP_SINGLE | FP_HALF << 4;
    ir_ref result = ir_call(&x->b, &helper_vfp_convert, ir_i32(&x->b, what), to_bits(x, source),
                            IR_NONE, IR_NONE);
    result = ir_un(&x->b, IR_NARROW, result);
    if (a->op) {
        ir_ref old = simd_bitcast(x, IR_I32, get(x, 0, a->d));
        result = ir_deposit(&x->b, old, result, start, 16);
    }
    set(x, 0, a->d, simd_bitcast(x, IR_F32, result));
    return true;
}

/* VCVT between double and single precision: A8.8.314; sz says what the source is. */
static bool trans_VCVT_ff(struct xlat *x, const struct arg_vfp_dm *a)
{
    if (!ready(x, a->sz, a->m) || !ready(x, !a->sz, a->d))
        return arm_undefined(x);
    ir_ref value = get(x, a->sz, a->m);
    set(x, !a->sz, a->d, float_op(x, IR_FCVT, float_type(!a->sz), 0, value, IR_NONE, IR_NONE));
    return true;
}

/* VCVT.F<sz>.{S,U}32 Vd, Sm: A8.8.306 */
static bool trans_VCVT_from_int(struct xlat *x, const struct arg_vfp_cvt *a)
{
    if (!ready(x, a->sz, a->d))
        return arm_undefined(x);
    ir_ref value = simd_bitcast(x, IR_I32, get(x, 0, a->m));
    set(x, a->sz, a->d, ir_fp(&x->b, IR_I2F, float_type(a->sz), !a->op, value, IR_NONE, IR_NONE));
    return true;
}

/* VCVT, VCVTR.{S,U}32.F<sz> Sd, Vm: A8.8.306 */
static bool trans_VCVT_to_int(struct xlat *x, const struct arg_vfp_to_int *a)
{
    if (!ready(x, a->sz, a->m))
        return arm_undefined(x);
    unsigned sub = (a->s ? 0 : IR_F2I_UNSIGNED) | (a->z ? IR_F2I_TRUNCATE : 0);
    ir_ref value = to_integer(x, sub, get(x, a->sz, a->m));
    set(x, 0, a->d, simd_bitcast(x, IR_F32, value));
    return true;
}

/* 2^exponent */
static ir_ref power_of_2(struct xlat *x, unsigned sz, int exponent)
{
    uint64_t bits = sz ? (uint64_t)(exponent + 1023) << 52 : (uint64_t)(exponent + 127) << 23;
    return ir_emit(&x->b, IR_CONST, float_type(sz), 0, 0, 0, 0, 0, bits);
}

/* To single precision the host must round to nearest, which this instruction always does. The
 * integer's scale is exact. */
static ir_ref from_fixed(struct xlat *x, unsigned sz, unsigned size, unsigned fraction,
                         bool is_unsigned, ir_ref value)
{
    value = simd_bitcast(x, sz ? IR_I64 : IR_I32, value);
    if (sz)
        value = ir_un(&x->b, IR_NARROW, value);
    if (size == 16)
        value = ir_ext(&x->b, is_unsigned ? IR_ZEXT : IR_SEXT, value, 16);
    value = ir_fp(&x->b, IR_I2F, float_type(sz), is_unsigned, value, IR_NONE, IR_NONE);
    return fraction ? ir_fp(&x->b, IR_FMUL, float_type(sz), 0, value,
                            power_of_2(x, sz, -(int)fraction), IR_NONE)
                    : value;
}

/* Of single precision, to 32 bits: doubles hold every scaled operand exactly. */
static ir_ref to_fixed(struct xlat *x, unsigned fraction, bool is_unsigned, ir_ref value)
{
    value = ir_fp(&x->b, IR_FCVT, IR_F64, 0, value, IR_NONE, IR_NONE);
    value = ir_fp(&x->b, IR_FMUL, IR_F64, 0, value, power_of_2(x, 1, (int)fraction), IR_NONE);
    value = to_integer(x, IR_F2I_TRUNCATE | (is_unsigned ? IR_F2I_UNSIGNED : 0), value);
    return simd_bitcast(x, IR_F32, value);
}

/* The rest, which is rare: to 16 bits (they saturate), from doubles (their scaling may overflow),
 * from denormals that are to be flushed, and to nearest in another rounding mode. */
static ir_ref call_fixed(struct xlat *x, const struct arg_vfp_fixed *a, unsigned size,
                         unsigned fraction)
{
    uint32_t what = fraction | size << 8 | (a->op ? FIXED_TO : 0) | (a->u ? FIXED_UNSIGNED : 0) |
                    (a->sz ? FIXED_DOUBLE : 0);
    ir_ref result = ir_call(&x->b, &helper_vfp_fixed, ir_i32(&x->b, what),
                            to_bits(x, get(x, a->sz, a->d)), IR_NONE, IR_NONE);
    return from_bits(x, float_type(a->sz), result);
}

/* VCVT between floating and fixed point in Vd: A8.8.308 */
static bool trans_VCVT_fixed(struct xlat *x, const struct arg_vfp_fixed *a)
{
    unsigned size = a->sx ? 32 : 16;
    int fraction = (int)size - a->imm; /* imm4:i stands where Vm:M would */
    if (!ready(x, a->sz, a->d) || fraction < 0)
        return arm_undefined(x);
    bool nearest = arm_xlat(x)->key & KEY_FP_NEAREST;
    ir_ref result, value = get(x, a->sz, a->d);
    if (!a->op && (a->sz || nearest))
        result = from_fixed(x, a->sz, size, (unsigned)fraction, a->u, value);
    else if (a->op && size == 32 && !a->sz && !special(x))
        result = to_fixed(x, (unsigned)fraction, a->u, value);
    else
        result = call_fixed(x, a, size, (unsigned)fraction);
    set(x, a->sz, a->d, result);
    return true;
}

/* ---- transfers ----------------------------------------------------------------------------------
 */

/* VMOV Sn, Rt and back: A8.8.343 */
static bool trans_VMOV_core_single(struct xlat *x, const struct arg_vfp_core *a)
{
    if (!ready(x, 0, 0) || a->rt == 15)
        return arm_undefined(x);
    if (a->l)
        arm_set_reg(x, (unsigned)a->rt, simd_bitcast(x, IR_I32, get(x, 0, a->n)));
    else
        set(x, 0, a->n, simd_bitcast(x, IR_F32, arm_get_reg(x, (unsigned)a->rt)));
    return true;
}

static bool bad_core_pair(const struct arg_vfp_core2 *a)
{
    return a->rt == 15 || a->rt2 == 15;
}

/* VMOV Sm, Sm+1, Rt, Rt2 and back: A8.8.344 */
static bool trans_VMOV_core_2single(struct xlat *x, const struct arg_vfp_core2 *a)
{
    if (!ready(x, 0, 0) || a->m == 31 || bad_core_pair(a))
        return arm_undefined(x);
    unsigned m = (unsigned)a->m;
    if (a->l) {
        ir_ref low = get(x, 0, m), high = get(x, 0, m + 1);
        arm_set_reg(x, (unsigned)a->rt, simd_bitcast(x, IR_I32, low));
        arm_set_reg(x, (unsigned)a->rt2, simd_bitcast(x, IR_I32, high));
    } else {
        ir_ref low = arm_get_reg(x, (unsigned)a->rt), high = arm_get_reg(x, (unsigned)a->rt2);
        set(x, 0, m, simd_bitcast(x, IR_F32, low));
        set(x, 0, m + 1, simd_bitcast(x, IR_F32, high));
    }
    return true;
}

/* VMOV Dm, Rt, Rt2 and back: A8.8.345 */
static bool trans_VMOV_core_double(struct xlat *x, const struct arg_vfp_core2 *a)
{
    unsigned m = (unsigned)a->m;
    if (!ready(x, 1, m >> 4) || bad_core_pair(a))
        return arm_undefined(x);
    if (a->l) {
        ir_ref value = simd_bitcast(x, IR_I64, ir_get(&x->b, F_DF0 + m));
        arm_set_reg(x, (unsigned)a->rt, ir_un(&x->b, IR_NARROW, value));
        arm_set_reg(x, (unsigned)a->rt2, ir_un(&x->b, IR_HIGH, value));
    } else {
        ir_ref value = ir_bin(&x->b, IR_CONCAT, arm_get_reg(x, (unsigned)a->rt),
                              arm_get_reg(x, (unsigned)a->rt2));
        ir_set(&x->b, F_DF0 + m, simd_bitcast(x, IR_F64, value));
    }
    return true;
}

/* Which lane opc1:opc2 stands for; false: UNDEFINED. 32-bit lanes are VFP's, others Advanced
 * SIMD's. */
static bool decode_lane(struct xlat *x, const struct arg_vfp_lane *a, enum ir_lane *lane,
                        unsigned *index)
{
    unsigned opc1 = (unsigned)a->opc1, opc2 = (unsigned)a->opc2;
    if (!ready(x, 1, (unsigned)a->d >> 4) || a->rt == 15)
        return false;
    if (opc1 & 2) {
        *lane = IR_LANE8;
        *index = (opc1 & 1) << 2 | opc2;
    } else if (opc2 & 1) {
        *lane = IR_LANE16;
        *index = (opc1 & 1) << 1 | opc2 >> 1;
    } else {
        *lane = IR_LANE32;
        *index = opc1 & 1;
        return !(opc2 & 2) && !a->u;
    }
    return arm_xlat(x)->key & KEY_NEON;
}

/* VMOV.<size> Dd[x], Rt: A8.8.341 */
static bool trans_VMOV_to_lane(struct xlat *x, const struct arg_vfp_lane *a)
{
    enum ir_lane lane;
    unsigned index, d = (unsigned)a->d;
    if (!decode_lane(x, a, &lane, &index))
        return arm_undefined(x);
    ir_ref value = arm_get_reg(x, (unsigned)a->rt);
    if (lane == IR_LANE32 && d < 16)
        ir_set(&x->b, F_S0 + 2 * d + index, simd_bitcast(x, IR_F32, value));
    else
        simd_set_d(x, d, simd_set_lane(x, simd_get_d(x, d), lane, index, value));
    return true;
}

/* VMOV.<dt> Rt, Dn[x]: A8.8.342 */
static bool trans_VMOV_from_lane(struct xlat *x, const struct arg_vfp_lane *a)
{
    enum ir_lane lane;
    unsigned index, d = (unsigned)a->d;
    if (!decode_lane(x, a, &lane, &index))
        return arm_undefined(x);
    ir_ref value;
    if (lane == IR_LANE32 && d < 16)
        value = simd_bitcast(x, IR_I32, ir_get(&x->b, F_S0 + 2 * d + index));
    else
        value = simd_lane(x, simd_get_d(x, d), lane, index);
    if (lane != IR_LANE32 && !a->u)
        value = ir_ext(&x->b, IR_SEXT, value, 8u << lane);
    arm_set_reg(x, (unsigned)a->rt, value);
    return true;
}

/* VDUP.<size> Dd or Qd, Rt: A8.8.313 */
static bool trans_VDUP_core(struct xlat *x, const struct arg_vfp_dup *a)
{
    static const enum ir_lane lanes[] = {IR_LANE32, IR_LANE16, IR_LANE8};
    unsigned which = (unsigned)(a->b << 1 | a->e);
    if (!ready(x, 1, (unsigned)a->d >> 4) || !(arm_xlat(x)->key & KEY_NEON) || which == 3 ||
        (a->q && (a->d & 1)) || a->rt == 15)
        return arm_undefined(x);
    simd_set(x, (unsigned)a->q, (unsigned)a->d,
             simd_dup(x, lanes[which], arm_get_reg(x, (unsigned)a->rt)));
    return true;
}

/* ---- system registers ---------------------------------------------------------------------------
 */

enum vfp_system_register {
    REGISTER_FPSID = 0,
    REGISTER_MVFR1 = 6,
    REGISTER_MVFR0 = 7,
    REGISTER_FPEXC = 8,
};

/* B9.3.21: these are for PL1 and ignore FPEXC.EN. */
static bool system_register_ready(struct xlat *x)
{
    uint32_t key = arm_xlat(x)->key;
    return (key & KEY_PRIVILEGED) && (key & KEY_FP_ACCESS) && arm_xlat(x)->insn >> 28 != 15;
}

/* Calls a helper that changes the key, and ends the path. */
static void change_key(struct xlat *x, const struct ir_helper *helper, ir_ref value)
{
    ir_call(&x->b, helper, value, IR_NONE, IR_NONE, IR_NONE);
    arm_end_lookup_next(x);
}

/* VMSR FPSCR, Rt: A8.8.349 */
static bool trans_VMSR_fpscr(struct xlat *x, const struct arg_vfp_reg *a)
{
    if (!enabled(x) || a->rt == 15)
        return arm_undefined(x);
    change_key(x, &helper_fpscr_write, arm_get_reg(x, (unsigned)a->rt));
    return true;
}

/* VMSR <spec_reg>, Rt: B9.3.22. FPSID may be written, which does nothing but wait. */
static bool trans_VMSR(struct xlat *x, const struct arg_vfp_reg *a)
{
    if (!system_register_ready(x) || a->rt == 15 ||
        (a->reg != REGISTER_FPEXC && a->reg != REGISTER_FPSID))
        return arm_undefined(x);
    if (a->reg == REGISTER_FPEXC)
        change_key(x, &helper_fpexc_write, arm_get_reg(x, (unsigned)a->rt));
    return true;
}

/* VMRS APSR_nzcv, FPSCR: the one way floating-point comparisons reach conditions. */
static void move_flags(struct xlat *x)
{
    struct ir_builder *b = &x->b;
    ir_ref nzcv = ir_get(b, F_FPSCR_NZCV);
    ir_set(b, F_NF, ir_extract(b, nzcv, 31, 1));
    ir_set(b, F_ZF, ir_extract(b, nzcv, 30, 1));
    ir_set(b, F_CF, ir_extract(b, nzcv, 29, 1));
    ir_set(b, F_VF, ir_extract(b, nzcv, 28, 1));
}

/* VMRS Rt or APSR_nzcv, FPSCR: A8.8.348 */
static bool trans_VMRS_fpscr(struct xlat *x, const struct arg_vfp_reg *a)
{
    if (!enabled(x))
        return arm_undefined(x);
    if (a->rt == 15)
        move_flags(x);
    else
        arm_set_reg(x, (unsigned)a->rt,
                    ir_call(&x->b, &helper_fpscr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE));
    return true;
}

/* VMRS Rt, <spec_reg>: B9.3.21 */
static bool trans_VMRS(struct xlat *x, const struct arg_vfp_reg *a)
{
    const struct arm_cpu *cpu = arm_cpu(x->cpu);
    ir_ref value;
    if (!system_register_ready(x) || a->rt == 15)
        return arm_undefined(x);
    switch (a->reg) {
    case REGISTER_FPEXC:
        value = ir_get(&x->b, F_FPEXC);
        break;
    case REGISTER_FPSID:
        value = ir_i32(&x->b, cpu->fpsid);
        break;
    case REGISTER_MVFR0:
        value = ir_i32(&x->b, cpu->mvfr0);
        break;
    case REGISTER_MVFR1:
        value = ir_i32(&x->b, cpu->mvfr1);
        break;
    default:
        return arm_undefined(x);
    }
    arm_set_reg(x, (unsigned)a->rt, value);
    return true;
}

/* ---- loads and stores ---------------------------------------------------------------------------
 */

/* All are word-aligned, whatever SCTLR.A says (A3.2.1). */
static unsigned memop_of(struct xlat *x, unsigned size_log2)
{
    return simd_memop(x, size_log2, 2);
}

/* The base register; the PC is aligned (VLDR of a literal). */
static ir_ref base_of(struct xlat *x, unsigned rn)
{
    struct arm_xlat *arm = arm_xlat(x);
    if (rn == 15)
        return ir_i32(&x->b, ((uint32_t)arm->insn_pc + (arm->thumb ? 4 : 8)) & ~3u);
    return arm_get_reg(x, rn);
}

/* In the other byte order a value goes through an integer. */
static enum ir_type access_type(unsigned sz, unsigned memop)
{
    if (memop & IR_MEM_SWAP)
        return sz ? IR_I64 : IR_I32;
    return float_type(sz);
}

static ir_ref to_float(struct xlat *x, unsigned sz, ir_ref value)
{
    if (ir_type_of(x->b.unit, value) == float_type(sz))
        return value;
    return simd_bitcast(x, float_type(sz), value);
}

static ir_ref to_access(struct xlat *x, unsigned sz, unsigned memop, ir_ref value)
{
    enum ir_type type = access_type(sz, memop);
    return type == float_type(sz) ? value : simd_bitcast(x, type, value);
}

/* VLDR, VSTR Vd, [Rn, #imm]: A8.8.333, A8.8.413 */
static bool trans_VLDR_VSTR(struct xlat *x, const struct arg_vfp_mem *a)
{
    unsigned sz = (unsigned)a->sz;
    if (!ready(x, sz, (unsigned)a->d) || (!a->l && a->rn == 15 && arm_xlat(x)->thumb))
        return arm_undefined(x);
    unsigned memop = memop_of(x, 2 + sz);
    int64_t offset = a->u ? a->imm * 4 : -(a->imm * 4);
    ir_ref base = base_of(x, (unsigned)a->rn);
    if (a->l)
        set(x, sz, (unsigned)a->d,
            to_float(x, sz, ir_load(&x->b, access_type(sz, memop), base, offset, memop)));
    else
        ir_store(&x->b, base, offset, to_access(x, sz, memop, get(x, sz, (unsigned)a->d)), memop);
    return true;
}

static unsigned raw_number(unsigned sz, unsigned n)
{
    return sz ? (n & 15) << 1 | n >> 4 : n;
}

static void load_multiple(struct xlat *x, unsigned sz, unsigned first, unsigned n, ir_ref pointer,
                          unsigned memop)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t offset = (int64_t)i * (sz ? 8 : 4);
        if (sz && !(memop & IR_MEM_SWAP) && !((first + i) & 1) && i + 1 < n) {
            ir_set(&x->b, F_Q0 + (first + i) / 2,
                   ir_hload(&x->b, IR_V128, pointer, offset, simd_resize(memop, 4)));
            i++;
            continue;
        }
        ir_ref value = ir_hload(&x->b, access_type(sz, memop), pointer, offset, memop);
        set(x, sz, raw_number(sz, first + i), to_float(x, sz, value));
    }
}

static void store_multiple(struct xlat *x, unsigned sz, unsigned first, unsigned n, ir_ref pointer,
                           unsigned memop)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t offset = (int64_t)i * (sz ? 8 : 4);
        if (sz && !(memop & IR_MEM_SWAP) && !((first + i) & 1) && i + 1 < n) {
            ir_hstore(&x->b, pointer, offset, ir_get(&x->b, F_Q0 + (first + i) / 2),
                      simd_resize(memop, 4));
            i++;
            continue;
        }
        ir_ref value = get(x, sz, raw_number(sz, first + i));
        ir_hstore(&x->b, pointer, offset, to_access(x, sz, memop, value), memop);
    }
}

/* VLDM, VSTM, VPUSH, VPOP (and FLDMX, FSTMX): A8.8.332, A8.8.412 */
static bool multiple(struct xlat *x, const struct arg_vfp_mem *a)
{
    unsigned sz = (unsigned)a->sz, first = number(sz, (unsigned)a->d);
    unsigned n = (unsigned)a->imm >> sz, bytes = n << (2 + sz);
    unsigned limit = sz && !arm_has(x, ARM_HAS_D32) ? 16 : 32;
    if (!enabled(x) || n == 0 || first + n > limit || (sz && n > 16) ||
        (a->rn == 15 && (a->w || arm_xlat(x)->thumb)))
        return arm_undefined(x);
    unsigned memop = memop_of(x, 2 + sz);
    ir_ref base = base_of(x, (unsigned)a->rn);
    int32_t change = a->u ? a->imm * 4 : -(a->imm * 4), start = a->u ? 0 : change;
    if (a->l) {
        ir_ref pointer = ir_probe(&x->b, base, start, bytes, memop);
        load_multiple(x, sz, first, n, pointer, memop);
    } else {
        ir_ref pointer = ir_probe(&x->b, base, start, bytes, memop | IR_MEM_WRITE);
        store_multiple(x, sz, first, n, pointer, memop);
        ir_commit(&x->b, pointer, base, start, bytes, memop | IR_MEM_WRITE);
    }
    if (a->w)
        arm_set_reg(x, (unsigned)a->rn, ir_bin_i(&x->b, IR_ADD, base, (uint32_t)change));
    return true;
}

static bool trans_VLDM_ia(struct xlat *x, const struct arg_vfp_mem *a)
{
    return multiple(x, a);
}

static bool trans_VLDM_db(struct xlat *x, const struct arg_vfp_mem *a)
{
    return multiple(x, a);
}
