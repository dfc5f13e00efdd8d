/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point of the MIPS SIMD Architecture in software: MD00866, chapters "Floating-Point
 * Exceptions" and "The MIPS32 SIMD Architecture Instruction Set". NaNs are those of IEEE 754-2008
 * whatever the FPU has. MSACSR is exact after every instruction.
 */
#include <string.h>

#include "frontend/mips/fpu.h"
#include "frontend/mips/msa.h"

enum {
    MSACSR_WRITABLE = 0x0107ffff,
    MSACSR_NX = 1 << 18,
    MSACSR_FS = 1 << 24,
    CAUSES = 0x3f,
};

union vector {
    uint8_t byte[16];
    uint64_t half[2];
};

static uint64_t get_lane(const union vector *v, unsigned log2, unsigned i)
{
    uint64_t value = 0;

    memcpy(&value, v->byte + (i << log2), 1u << log2);
    return value;
}

static void set_lane(union vector *v, unsigned log2, unsigned i, uint64_t value)
{
    memcpy(v->byte + (i << log2), &value, 1u << log2);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

static struct fp_env env_of(const struct mips_cpu *cpu)
{
    return (struct fp_env){.control = (uint32_t)mips_fp_rounding(cpu->msacsr) << 22 |
                                      FP_TINY_AFTER | FP_KEEP_ADDEND_NAN |
                                      (cpu->msacsr & MSACSR_FS ? FP_FLUSH : 0)};
}

static uint32_t enables_of(const struct mips_cpu *cpu)
{
    return extract32(cpu->msacsr, FCSR_ENABLES_SHIFT, 5) | FPU_UNIMPLEMENTED;
}

/* What one element's operation says in MSACSR.Cause. */
static uint32_t causes_of(const struct mips_cpu *cpu, const struct fp_env *env)
{
    uint32_t enables = enables_of(cpu);
    uint32_t c = mips_fp_exceptions(env->flags);

    if (env->flags & FP_INPUT_DENORMAL)
        c |= FPU_INEXACT;
    if (c & FPU_UNDERFLOW && cpu->msacsr & MSACSR_FS) /* flushed */
        c |= FPU_INEXACT;
    if (c & FPU_OVERFLOW && !(enables & FPU_OVERFLOW))
        c |= FPU_INEXACT;
    if (c & FPU_UNDERFLOW && !(enables & FPU_UNDERFLOW) && !(c & FPU_INEXACT))
        c &= ~(uint32_t)FPU_UNDERFLOW;
    return c;
}

/* An element whose operation has an enabled exception becomes a signalling NaN that says which. */
static uint64_t settle(struct mips_cpu *cpu, uint32_t c, unsigned log2, uint64_t result)
{
    static const uint64_t nans[] = {0, 0x7c00, 0x7f800000, UINT64_C(0x7ff0000000000000)};
    bool traps = c & enables_of(cpu);

    if (!traps || !(cpu->msacsr & MSACSR_NX))
        cpu->msacsr |= c << FCSR_CAUSE_SHIFT;
    return traps ? nans[log2] | c : result;
}

/* ---- one element ----------------------------------------------------------------------------- */

static uint64_t sign_of(enum fp_format format)
{
    return fp_zero(format, true);
}

static bool is_nan(enum fp_format format, uint64_t value)
{
    return (value & ~sign_of(format)) > fp_infinity(format, false);
}

static bool is_quiet(enum fp_format format, uint64_t value)
{
    return value >> (format == FP_DOUBLE ? 51 : 22) & 1;
}

/* The number beside a quiet NaN. */
static uint64_t least_or_greatest(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                                  bool greatest, bool by_magnitude)
{
    const uint64_t bits[2] = {a, b};
    uint64_t sign = sign_of(format), nan;
    unsigned relation = FP_EQUAL;

    if (is_nan(format, a) || is_nan(format, b)) {
        const struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};

        if (is_nan(format, a) && is_quiet(format, a) && !is_nan(format, b))
            return fp_add(env, format, b, fp_zero(format, b & sign));
        if (is_nan(format, b) && is_quiet(format, b) && !is_nan(format, a))
            return fp_add(env, format, a, fp_zero(format, a & sign));
        fp_process_nans(env, format, 2, u, bits, &nan);
        return nan;
    }
    if (by_magnitude)
        relation = fp_compare(env, format, a & ~sign, b & ~sign, false);
    if (relation == FP_EQUAL)
        relation = fp_compare(env, format, a, b, false);
    if (relation == FP_EQUAL)
        return greatest ? a & b : a | b;
    return (relation == FP_LESS) != greatest ? a : b;
}

static uint64_t logarithm(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct fp_unpacked u = fp_unpack(env, format, a);

    if (fp_is_nan(&u))
        return fp_process_nan(env, format, u.kind, a);
    if (u.kind == FP_KIND_ZERO) {
        env->flags |= FP_DIVIDE_BY_ZERO;
        return fp_infinity(format, true);
    }
    if (u.sign)
        return fp_invalid(env, format);
    if (u.kind == FP_KIND_INFINITY)
        return fp_infinity(format, false);
    return fp_from_fixed(env, format, (uint64_t)(int64_t)u.exponent, 64, 0, false, FP_NEAREST);
}

/* FEXP2's second operand; beyond these bounds nothing changes. */
static int64_t exponent_of(uint64_t t, unsigned bits)
{
    int64_t by = bits == 64 ? (int64_t)t : (int32_t)t;

    return by > 0x1000 ? 0x1000 : by < -0x1000 ? -0x1000 : by;
}

/* a times 2 to an integer: at most one rounding. */
static uint64_t scale(struct fp_env *env, enum fp_format format, uint64_t a, int64_t by)
{
    int64_t bias = format == FP_DOUBLE ? 1023 : 127, least = 1 - bias;
    unsigned fraction = format == FP_DOUBLE ? 52 : 23;
    struct fp_unpacked u = fp_unpack(env, format, a);
    int64_t target = u.exponent + by;
    uint64_t mantissa;

    if (fp_is_nan(&u))
        return fp_process_nan(env, format, u.kind, a);
    if (u.kind != FP_KIND_FINITE)
        return u.kind == FP_KIND_ZERO ? fp_zero(format, u.sign) : a;
    mantissa = fp_zero(format, u.sign) | u.mantissa << 1 >> (64 - fraction);
    if (target > bias)
        return fp_mul(env, format, mantissa | (uint64_t)(2 * bias) << fraction,
                      (uint64_t)(bias + 1) << fraction);
    if (target >= least)
        return mantissa | (uint64_t)(target + bias) << fraction;
    target = target - least < -64 ? -64 : target - least;
    return fp_mul(env, format, mantissa | UINT64_C(1) << fraction,
                  (uint64_t)(target + bias) << fraction);
}

/* FTQ: what is too great is an overflow, not invalid. */
static uint64_t to_fraction(struct fp_env *env, enum fp_format format, uint64_t a)
{
    unsigned bits = format == FP_DOUBLE ? 32 : 16;
    uint64_t result = fp_to_fixed(env, format, a, bits, bits - 1, false,
                                  (enum fp_rounding)fp_rounding_of(env->control));

    if (env->flags & FP_INVALID && !is_nan(format, a))
        env->flags = (env->flags & ~(uint32_t)FP_INVALID) | FP_OVERFLOW | FP_INEXACT;
    return result;
}

/* What an FPU instruction does, too, in the environment of MSA: OPERATION_NONE if it is not one. */
static enum fp_operation fpu_operation(enum msa_operation op)
{
    switch (op) {
    case MSA_OP_FADD:
        return OPERATION_ADD;
    case MSA_OP_FSUB:
        return OPERATION_SUB;
    case MSA_OP_FMUL:
        return OPERATION_MUL;
    case MSA_OP_FDIV:
        return OPERATION_DIV;
    case MSA_OP_FMADD:
        return OPERATION_MADDF;
    case MSA_OP_FMSUB:
        return OPERATION_MSUBF;
    case MSA_OP_FSQRT:
        return OPERATION_SQRT;
    case MSA_OP_FRSQRT:
        return OPERATION_RSQRT;
    case MSA_OP_FRCP:
        return OPERATION_RECIP;
    case MSA_OP_FRINT:
        return OPERATION_RINT;
    default:
        return OPERATION_NONE;
    }
}

/* The table of the operations on one element: s and t of the format, or narrower. */
static uint64_t compute(struct fp_env *env, enum msa_operation op, enum fp_format format,
                        uint64_t d, uint64_t s, uint64_t t)
{
    enum fp_rounding mode = (enum fp_rounding)fp_rounding_of(env->control);
    unsigned bits = format == FP_DOUBLE ? 64 : 32;
    enum fp_format narrow = format == FP_DOUBLE ? FP_SINGLE : FP_HALF;
    enum fp_operation shared = fpu_operation(op);

    if (shared != OPERATION_NONE)
        return mips_fp_compute(env, fp_what(shared, format == FP_DOUBLE ? FMT_D : FMT_S), s, t, d);
    switch (op) {
    case MSA_OP_FEXP2:
        return scale(env, format, s, exponent_of(t, bits));
    case MSA_OP_FMIN:
    case MSA_OP_FMAX:
    case MSA_OP_FMIN_A:
    case MSA_OP_FMAX_A:
        return least_or_greatest(env, format, s, t, op == MSA_OP_FMAX || op == MSA_OP_FMAX_A,
                                 op == MSA_OP_FMIN_A || op == MSA_OP_FMAX_A);
    case MSA_OP_FLOG2:
        return logarithm(env, format, s);
    case MSA_OP_FTRUNC_S:
    case MSA_OP_FTRUNC_U:
        return fp_to_fixed(env, format, s, bits, 0, op == MSA_OP_FTRUNC_U, FP_ZERO);
    case MSA_OP_FTINT_S:
    case MSA_OP_FTINT_U:
        return fp_to_fixed(env, format, s, bits, 0, op == MSA_OP_FTINT_U, mode);
    case MSA_OP_FFINT_S:
    case MSA_OP_FFINT_U:
        return fp_from_fixed(env, format, s, bits, 0, op == MSA_OP_FFINT_U, mode);
    case MSA_OP_FEXUPL:
    case MSA_OP_FEXUPR:
        return fp_convert(env, format, narrow, s);
    case MSA_OP_FFQL:
    case MSA_OP_FFQR:
        return fp_from_fixed(env, format, s, bits / 2, bits / 2 - 1, false, mode);
    case MSA_OP_FEXDO:
        return fp_convert(env, narrow, format, s);
    case MSA_OP_FTQ:
        return to_fraction(env, format, s);
    default:
        return 0;
    }
}

/* ---- vectors --------------------------------------------------------------------------------- */

static uint64_t element(struct mips_cpu *cpu, enum msa_operation op, unsigned log2_result,
                        enum fp_format format, uint64_t d, uint64_t s, uint64_t t, unsigned number)
{
    struct fp_env env = env_of(cpu);
    uint64_t result;
    uint32_t c;

    if (op == MSA_OP_FCMP) {
        unsigned relation = fp_compare(&env, format, s, t, number & MSA_COMPARE_SIGNALLING);
        result = relation & number ? ~UINT64_C(0) : 0;
    } else {
        result = compute(&env, op, format, d, s, t);
    }
    c = causes_of(cpu, &env);
    if ((op == MSA_OP_FRCP || op == MSA_OP_FRSQRT) && !(c & (FPU_INVALID | FPU_DIVIDE_BY_ZERO)) &&
        (s & ~sign_of(format)) < fp_infinity(format, false))
        c = FPU_INEXACT;
    return settle(cpu, c, log2_result, result);
}

static void msa_float(void *state, uint32_t word, uint32_t number)
{
    struct mips_cpu *cpu = mips_cpu(state);
    enum msa_operation op = (enum msa_operation)(word & 0xff);
    enum fp_format format = word >> 8 & 1 ? FP_DOUBLE : FP_SINGLE;
    unsigned log2 = format == FP_DOUBLE ? 3 : 2, n = 16u >> log2;
    union vector *wd = (union vector *)cpu->fpr[word >> 12 & 31];
    union vector d = *wd, s = *(const union vector *)cpu->fpr[word >> 17 & 31];
    union vector t = *(const union vector *)cpu->fpr[word >> 22 & 31], result;

    if (op == MSA_OP_FCLASS) {
        for (unsigned i = 0; i < n; i++)
            set_lane(wd, log2, i, mips_fp_class(format == FP_DOUBLE, get_lane(&s, log2, i)));
        return;
    }
    cpu->msacsr &= ~(uint32_t)(CAUSES << FCSR_CAUSE_SHIFT);
    for (unsigned i = 0; i < n; i++) {
        bool narrows = op == MSA_OP_FEXDO || op == MSA_OP_FTQ;
        bool left = op == MSA_OP_FEXUPL || op == MSA_OP_FFQL;
        bool widens = left || op == MSA_OP_FEXUPR || op == MSA_OP_FFQR;

        if (narrows) {
            set_lane(&result, log2 - 1, i + n,
                     element(cpu, op, log2 - 1, format, 0, get_lane(&s, log2, i), 0, 0));
            set_lane(&result, log2 - 1, i,
                     element(cpu, op, log2 - 1, format, 0, get_lane(&t, log2, i), 0, 0));
            continue;
        }
        set_lane(
            &result, log2, i,
            element(cpu, op, log2, format, get_lane(&d, log2, i),
                    widens ? get_lane(&s, log2 - 1, i + (left ? n : 0)) : get_lane(&s, log2, i),
                    get_lane(&t, log2, i), number));
    }
    uint32_t causes = extract32(cpu->msacsr, FCSR_CAUSE_SHIFT, 6);
    if (causes & enables_of(cpu))
        mips_raise_exception(cpu, MIPS_EXC_MSAFPE, 0);
    cpu->msacsr |= causes << FCSR_FLAGS_SHIFT & 0x7c;
    *wd = result;
}

/* CTCMSA: an exception that is enabled and in Cause is raised at once. */
static void msa_write_control(void *state, uint32_t value)
{
    struct mips_cpu *cpu = mips_cpu(state);

    cpu->msacsr = value & MSACSR_WRITABLE;
    if (extract32(cpu->msacsr, FCSR_CAUSE_SHIFT, 6) & enables_of(cpu)) {
        mips_update_mode(cpu);
        mips_raise_exception(cpu, MIPS_EXC_MSAFPE, 0);
    }
}

static void msa_update_mode(void *state)
{
    mips_update_mode(mips_cpu(state));
}

const struct ir_helper helper_msa_float = IR_HELPER(msa_float, IR_VOID, 2, HELPER_MAY_FAULT,
                                                    GROUP_FP | GROUP_FCSR, GROUP_FP | GROUP_FCSR);
const struct ir_helper helper_msa_write_control =
    IR_HELPER(msa_write_control, IR_VOID, 1, HELPER_MAY_FAULT, GROUP_FCSR, GROUP_FCSR);
const struct ir_helper helper_msa_update_mode =
    IR_HELPER(msa_update_mode, IR_VOID, 0, 0, GROUP_FCSR | GROUP_CP0 | GROUP_PC, GROUP_PC);
