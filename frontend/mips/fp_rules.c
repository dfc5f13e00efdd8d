/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FCSR, and the FPU's arithmetic in software: see fpu.h. While generated code runs, FCSR.RM is in
 * the host's control word, which collects the flags.
 */
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "frontend/mips/fpu.h"

/* ---- FCSR: MD00083, "Floating Point Control and Status Register" ------------------------------
 */

enum { MXCSR_FLAGS = 0x3f, MXCSR_MASKS = 0x1f80, MXCSR_ROUNDING_SHIFT = 13 };

static uint32_t exceptions_of_mxcsr(uint32_t mxcsr)
{
    return (mxcsr & 0x01 ? FPU_INVALID : 0) | (mxcsr & 0x04 ? FPU_DIVIDE_BY_ZERO : 0) |
           (mxcsr & 0x08 ? FPU_OVERFLOW : 0) | (mxcsr & 0x10 ? FPU_UNDERFLOW : 0) |
           (mxcsr & 0x20 ? FPU_INEXACT : 0);
}

static uint32_t exceptions_of(const struct fp_env *env)
{
    return (env->flags & FP_INVALID ? FPU_INVALID : 0) |
           (env->flags & FP_DIVIDE_BY_ZERO ? FPU_DIVIDE_BY_ZERO : 0) |
           (env->flags & FP_OVERFLOW ? FPU_OVERFLOW : 0) |
           (env->flags & FP_UNDERFLOW ? FPU_UNDERFLOW : 0) |
           (env->flags & FP_INEXACT ? FPU_INEXACT : 0);
}

/* FCSR.RM: nearest, zero, up, down. */
static enum fp_rounding rounding_of(const struct mips_cpu *cpu)
{
    static const uint8_t modes[] = {FP_NEAREST, FP_ZERO, FP_PLUS, FP_MINUS};

    return (enum fp_rounding)modes[cpu->fcsr & FCSR_RM];
}

static uint32_t host_control(const struct mips_cpu *cpu)
{
    static const uint8_t modes[] = {0, 3, 2, 1};

    return MXCSR_MASKS | (uint32_t)modes[cpu->fcsr & FCSR_RM] << MXCSR_ROUNDING_SHIFT;
}

/* What the control word of the thread that runs generated code has collected; it starts anew. */
static void collect_live(struct mips_cpu *cpu)
{
#ifdef __x86_64__
    cpu->fp_raised |= exceptions_of_mxcsr(_mm_getcsr());
    cpu->v.run.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
    _mm_setcsr(cpu->v.run.mxcsr);
#endif
}

static void set_live(const struct mips_cpu *cpu)
{
#ifdef __x86_64__
    _mm_setcsr(cpu->v.run.mxcsr);
#endif
}

/* Brings Flags and Cause up to date. */
static void settle(struct mips_cpu *cpu)
{
    cpu->fp_raised |= exceptions_of_mxcsr(cpu->v.run.mxcsr);
    cpu->v.run.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
    if (cpu->fp_operated)
        cpu->fcsr_cause = cpu->fp_raised;
    cpu->fcsr_flags |= cpu->fp_raised;
    cpu->fp_raised = cpu->fp_operated = 0;
}

uint32_t mips_fcsr_read(struct mips_cpu *cpu)
{
    uint32_t value;

    settle(cpu);
    value = cpu->fcsr | cpu->fcsr_flags << FCSR_FLAGS_SHIFT | cpu->fcsr_cause << FCSR_CAUSE_SHIFT;
    value |= cpu->fcc[0] ? FCSR_FCC0 : 0;
    for (unsigned n = 1; n < 8; n++)
        value |= (uint32_t)cpu->fcc[n] << (FCSR_FCC1_SHIFT + n - 1);
    return value;
}

void mips_fcsr_write(struct mips_cpu *cpu, uint32_t value)
{
    const struct mips_model *model = cpu->model;
    const uint32_t elsewhere = 0x1fu << FCSR_FLAGS_SHIFT | 0x3fu << FCSR_CAUSE_SHIFT | 0xfe800000u;

    settle(cpu);
    value = (model->fcsr & ~model->fcsr_writable) | (value & model->fcsr_writable);
    cpu->fcsr = value & ~elsewhere;
    cpu->fcsr_flags = extract32(value, FCSR_FLAGS_SHIFT, 5);
    cpu->fcsr_cause = extract32(value, FCSR_CAUSE_SHIFT, 6);
    cpu->fcc[0] = (value & FCSR_FCC0) != 0;
    for (unsigned n = 1; n < 8; n++)
        cpu->fcc[n] = value >> (FCSR_FCC1_SHIFT + n - 1) & 1;
    mips_fp_control_update(cpu);
}

void mips_fp_control_update(struct mips_cpu *cpu)
{
    cpu->v.run.mxcsr = host_control(cpu) | (cpu->v.run.mxcsr & MXCSR_FLAGS);
}

void mips_fpu_reset(struct mips_cpu *cpu)
{
    cpu->v.run.mxcsr = MXCSR_MASKS;
    cpu->fp_raised = cpu->fp_operated = 0;
    mips_fcsr_write(cpu, 0);
}

static uint32_t fcsr_read(void *state)
{
    collect_live(state);
    return mips_fcsr_read(state);
}

static void fcsr_write(void *state, uint32_t value)
{
    struct mips_cpu *cpu = mips_cpu(state);
    uint32_t enabled;

    collect_live(cpu);
    mips_fcsr_write(cpu, value);
    set_live(cpu);
    enabled = extract32(cpu->fcsr, FCSR_ENABLES_SHIFT, 5) | FPU_UNIMPLEMENTED;
    if (cpu->fcsr_cause & enabled) {
        mips_update_mode(cpu);
        mips_raise_exception(cpu, MIPS_EXC_FPE, 0);
    }
}

static void fcsr_update(void *state)
{
    mips_update_mode(mips_cpu(state));
}

const struct ir_helper helper_fcsr_read =
    IR_HELPER(fcsr_read, IR_I32, 0, 0, GROUP_FCSR, GROUP_FCSR);
const struct ir_helper helper_fcsr_write =
    IR_HELPER(fcsr_write, IR_VOID, 1, HELPER_MAY_FAULT, GROUP_FCSR, GROUP_FCSR);
const struct ir_helper helper_fcsr_update =
    IR_HELPER(fcsr_update, IR_VOID, 0, 0, GROUP_FCSR | GROUP_CP0 | GROUP_PC, GROUP_PC);

/* ---- arithmetic ------------------------------------------------------------------------------ */

static struct fp_env env_of(const struct mips_cpu *cpu)
{
    return (struct fp_env){.control = (uint32_t)rounding_of(cpu) << 22 | FP_TINY_AFTER |
                                      FP_KEEP_ADDEND_NAN |
                                      (cpu->fcsr & FCSR_NAN2008 ? 0 : FP_LEGACY_NAN) |
                                      (cpu->fcsr & FCSR_FS ? FP_FLUSH | FP_FLUSH_RESULTS_ONLY : 0)};
}

static uint64_t sign_of(enum fp_format format)
{
    return fp_zero(format, true);
}

static uint64_t one(enum fp_format format)
{
    return format == FP_DOUBLE ? UINT64_C(0x3ff0000000000000) : 0x3f800000;
}

/* MIN, MAX, MINA, MAXA: the number beside a quiet NaN; of two zeros the one of smaller sign. */
static uint64_t least_or_greatest(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                                  bool greatest, bool by_magnitude)
{
    const uint64_t bits[2] = {a, b};
    const struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
    uint64_t sign = sign_of(format), nan;
    unsigned relation = FP_EQUAL;

    if (fp_is_nan(&u[0]) || fp_is_nan(&u[1])) {
        bool signalling = u[0].kind == FP_KIND_SNAN || u[1].kind == FP_KIND_SNAN;

        if (!signalling && !fp_is_nan(&u[0]))
            return a;
        if (!signalling && !fp_is_nan(&u[1]))
            return b;
        fp_process_nans(env, format, 2, u, bits, &nan);
        return nan;
    }
    if (by_magnitude)
        relation = fp_compare(env, format, a & ~sign, b & ~sign, false);
    if (relation == FP_EQUAL)
        relation = fp_compare(env, format, a, b, false);
    if (relation == FP_EQUAL) /* zeros of two signs, or the same */
        return greatest ? a & b : a | b;
    return (relation == FP_LESS) != greatest ? a : b;
}

/* RINT: a number that has no fraction stands. */
static uint64_t round_to_integer(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct fp_unpacked u = fp_unpack(env, format, a);
    enum fp_rounding rounding = (enum fp_rounding)fp_rounding_of(env->control);
    uint64_t integer;

    if (fp_is_nan(&u))
        return fp_process_nan(env, format, u.kind, a);
    if (u.kind != FP_KIND_FINITE || u.exponent >= (format == FP_DOUBLE ? 52 : 23))
        return a;
    integer = fp_to_fixed(env, format, a, 64, 0, false, rounding);
    if (!integer)
        return a & sign_of(format);
    return fp_from_fixed(env, format, integer, 64, 0, false, rounding);
}

/* Two roundings, then the sign: MD00087, "MADD.fmt", "NMADD.fmt". */
static uint64_t multiply_add(struct fp_env *env, enum fp_format format, enum fpu_operation what,
                             uint64_t a, uint64_t b, uint64_t c)
{
    bool subtract = what == FPU_MSUB || what == FPU_NMSUB;
    bool negate = what == FPU_NMADD || what == FPU_NMSUB;
    uint64_t product = fp_mul(env, format, a, b);
    uint64_t sum = subtract ? fp_sub(env, format, product, c) : fp_add(env, format, product, c);

    return negate ? sum ^ sign_of(format) : sum;
}

/* c - a * b: a NaN keeps its sign. */
static uint64_t fused_subtract(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b,
                               uint64_t c)
{
    struct fp_unpacked u = fp_unpack(env, format, a);

    return fp_mul_add(env, format, c, fp_is_nan(&u) ? a : a ^ sign_of(format), b);
}

static uint64_t compute(struct fp_env *env, uint32_t word, enum fp_format format, uint64_t a,
                        uint64_t b, uint64_t c)
{
    enum fpu_operation operation = (enum fpu_operation)(word & 0xff);
    unsigned rounding = word >> 12 ? (word >> 12) - 1 : fp_rounding_of(env->control);
    enum fp_rounding mode = (enum fp_rounding)rounding;

    switch (operation) {
    case FPU_ADD:
        return fp_add(env, format, a, b);
    case FPU_SUB:
        return fp_sub(env, format, a, b);
    case FPU_MUL:
        return fp_mul(env, format, a, b);
    case FPU_DIV:
        return fp_div(env, format, a, b);
    case FPU_SQRT:
        return fp_sqrt(env, format, a);
    case FPU_RECIP:
        return fp_div(env, format, one(format), a);
    case FPU_RSQRT:
        return fp_div(env, format, one(format), fp_sqrt(env, format, a));
    case FPU_MADD:
    case FPU_MSUB:
    case FPU_NMADD:
    case FPU_NMSUB:
        return multiply_add(env, format, operation, a, b, c);
    case FPU_MADDF:
        return fp_mul_add(env, format, c, a, b);
    case FPU_MSUBF:
        return fused_subtract(env, format, a, b, c);
    case FPU_MIN:
    case FPU_MAX:
    case FPU_MINA:
    case FPU_MAXA:
        return least_or_greatest(env, format, a, b, operation == FPU_MAX || operation == FPU_MAXA,
                                 operation >= FPU_MINA);
    case FPU_RINT:
        return round_to_integer(env, format, a);
    case FPU_TO_SINGLE:
        return fp_convert(env, FP_SINGLE, format, a);
    case FPU_TO_DOUBLE:
        return fp_convert(env, FP_DOUBLE, format, a);
    case FPU_TO_WORD:
        return fp_to_fixed(env, format, a, 32, 0, false, mode);
    case FPU_TO_LONG:
        return fp_to_fixed(env, format, a, 64, 0, false, mode);
    case FPU_FROM_WORD:
        return fp_from_fixed(env, format, a, 32, 0, false, mode);
    case FPU_FROM_LONG:
        return fp_from_fixed(env, format, a, 64, 0, false, mode);
    case FPU_COMPARE:
        return fp_compare(env, format, a, b, false);
    case FPU_COMPARE_SIGNALLING:
        return fp_compare(env, format, a, b, true);
    }
    return 0;
}

static uint64_t evaluate(struct fp_env *env, uint32_t word, uint64_t a, uint64_t b, uint64_t c)
{
    enum fpu_format format = (enum fpu_format)(word >> 8 & 15);

    if (format != FMT_PAIRED)
        return compute(env, word, format == FMT_DOUBLE ? FP_DOUBLE : FP_SINGLE, a, b, c);
    return (uint32_t)compute(env, word, FP_SINGLE, (uint32_t)a, (uint32_t)b, (uint32_t)c) |
           compute(env, word, FP_SINGLE, a >> 32, b >> 32, c >> 32) << 32;
}

static uint64_t fpu_operate(void *state, uint32_t word, uint64_t a, uint64_t b, uint64_t c)
{
    struct mips_cpu *cpu = mips_cpu(state);
    struct fp_env env = env_of(cpu);
    uint64_t result = evaluate(&env, word, a, b, c);

    cpu->fp_raised |= exceptions_of(&env);
    return result;
}

/* An exception that is enabled leaves the destination and Flags alone. */
static uint64_t fpu_trapping(void *state, uint32_t word, uint64_t a, uint64_t b, uint64_t c)
{
    struct mips_cpu *cpu = mips_cpu(state);
    struct fp_env env = env_of(cpu);
    uint64_t result = evaluate(&env, word, a, b, c);

    collect_live(cpu);
    settle(cpu);
    cpu->fcsr_cause = exceptions_of(&env);
    if (cpu->fcsr_cause & extract32(cpu->fcsr, FCSR_ENABLES_SHIFT, 5))
        mips_raise_exception(cpu, MIPS_EXC_FPE, 0);
    cpu->fcsr_flags |= cpu->fcsr_cause;
    return result;
}

const struct ir_helper helper_fpu_operate =
    IR_HELPER(fpu_operate, IR_I64, 4, 0, GROUP_FCSR, GROUP_FCSR);
const struct ir_helper helper_fpu_trapping =
    IR_HELPER(fpu_trapping, IR_I64, 4, HELPER_MAY_FAULT, GROUP_FCSR, GROUP_FCSR);

/* CLASS.fmt: MD00087. */
static uint64_t fpu_class(void *state, uint32_t double_format, uint64_t a)
{
    enum fp_format format = double_format ? FP_DOUBLE : FP_SINGLE;
    struct fp_env env = env_of(mips_cpu(state));
    struct fp_unpacked u = fp_unpack(&env, format, a);
    enum { SNAN = 1, QNAN = 2, INFINITE = 4, NORMAL = 8, SUBNORMAL = 16, ZERO_CLASS = 32 };
    unsigned of = 0;

    switch (u.kind) {
    case FP_KIND_SNAN:
        return SNAN;
    case FP_KIND_QNAN:
        return QNAN;
    case FP_KIND_INFINITY:
        of = INFINITE;
        break;
    case FP_KIND_ZERO:
        of = ZERO_CLASS;
        break;
    case FP_KIND_FINITE:
        of = u.exponent < (format == FP_DOUBLE ? -1022 : -126) ? SUBNORMAL : NORMAL;
        break;
    }
    return u.sign ? of : of << 4;
}

const struct ir_helper helper_fpu_class = IR_HELPER(fpu_class, IR_I64, 2, 0, GROUP_FCSR, 0);

/* ---- what generated code calls (struct ir_fp_rules) ------------------------------------------ */

static bool is_float(unsigned type)
{
    return type == IR_F32 || type == IR_F64;
}

static uint32_t word_of(unsigned op, unsigned type, unsigned from, unsigned sub)
{
    enum fpu_format format = (is_float(from) ? from : type) == IR_F64 ? FMT_DOUBLE : FMT_SINGLE;

    switch (op) {
    case IR_FADD:
        return FPU_WORD(FPU_ADD, format, 0);
    case IR_FSUB:
        return FPU_WORD(FPU_SUB, format, 0);
    case IR_FMUL:
        return FPU_WORD(FPU_MUL, format, 0);
    case IR_FDIV:
        return FPU_WORD(FPU_DIV, format, 0);
    case IR_FSQRT:
        return FPU_WORD(FPU_SQRT, format, 0);
    case IR_FMA:
        return FPU_WORD(FPU_MADDF, format, 0);
    case IR_FCMP:
        return FPU_WORD(sub & IR_FP_SIGNAL_QNAN ? FPU_COMPARE_SIGNALLING : FPU_COMPARE, format, 0);
    case IR_FCVT:
        return FPU_WORD(type == IR_F64 ? FPU_TO_DOUBLE : FPU_TO_SINGLE, format, 0);
    case IR_F2I:
        return FPU_WORD(type == IR_I64 ? FPU_TO_LONG : FPU_TO_WORD, format,
                        sub & IR_F2I_TRUNCATE ? 1 + FP_ZERO : 0);
    default: /* IR_I2F */
        return FPU_WORD(from == IR_I64 ? FPU_FROM_LONG : FPU_FROM_WORD, format, 0);
    }
}

static uint64_t rules_scalar(void *state, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                             uint64_t b, uint64_t c)
{
    return fpu_operate(state, word_of(op, type_from & 0xff, type_from >> 8 & 0xff, sub), a, b, c);
}

const struct ir_fp_rules mips_fp_rules = {.scalar = rules_scalar, .groups = GROUP_FCSR};
