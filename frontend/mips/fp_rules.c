/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FPU's arithmetic in software, on util/softfp.h: ISA volume I, chapter "FPU Instruction Set";
 * volume II for each instruction. What the manual leaves open is as QEMU has it. */
#include "frontend/mips/fpu.h"

/* ---- environment ----------------------------------------------------------------------------- */

/* A flushing FPU replaces results only, and detects tininess after rounding. Every NaN that legacy
 * arithmetic gives is the default one: the manual lets it be an operand's "when possible". */
struct fp_env mips_fp_env(uint32_t fcsr)
{
    uint32_t control = FP_TINY_AFTER | FP_KEEP_ADDEND_NAN | FP_FLUSH_RESULTS_ONLY |
                       (uint32_t)mips_fp_rounding(fcsr) << 22;

    control |= fcsr & FCSR_NAN2008_BIT ? 0 : FP_LEGACY_NAN | FP_DEFAULT_NAN;
    control |= fcsr & FCSR_FLUSH ? FP_FLUSH : 0;
    return (struct fp_env){.control = control};
}

uint32_t mips_fp_exceptions(uint32_t flags)
{
    return (flags & FP_INEXACT ? FPU_INEXACT : 0) | (flags & FP_UNDERFLOW ? FPU_UNDERFLOW : 0) |
           (flags & FP_OVERFLOW ? FPU_OVERFLOW : 0) |
           (flags & FP_DIVIDE_BY_ZERO ? FPU_DIVIDE_BY_ZERO : 0) |
           (flags & FP_INVALID ? FPU_INVALID : 0);
}

/* ---- operations of one number ---------------------------------------------------------------- */

static enum fp_format format_of(unsigned fmt)
{
    return fmt == FMT_D || fmt == FMT_L ? FP_DOUBLE : FP_SINGLE;
}

static uint64_t sign_of(enum fp_format format)
{
    return format == FP_DOUBLE ? UINT64_C(1) << 63 : UINT64_C(1) << 31;
}

static uint64_t one(enum fp_format format)
{
    return format == FP_DOUBLE ? UINT64_C(0x3ff0000000000000) : UINT64_C(0x3f800000);
}

/* MADD.fmt and its like: the product is rounded, then the sum. */
static uint64_t multiply_add(struct fp_env *env, unsigned operation, enum fp_format format,
                             uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t product = fp_mul(env, format, a, b), result;

    if (operation == OPERATION_MADD || operation == OPERATION_NMADD)
        result = fp_add(env, format, product, c);
    else
        result = fp_sub(env, format, product, c);
    if (operation == OPERATION_NMADD || operation == OPERATION_NMSUB)
        result ^= sign_of(format);
    return result;
}

/* A NaN operand keeps its sign where the product is subtracted. */
static uint64_t fused(struct fp_env *env, bool subtract, enum fp_format format, uint64_t a,
                      uint64_t b, uint64_t c)
{
    struct fp_unpacked u = fp_unpack(env, format, a);

    return fp_mul_add(env, format, c, subtract && !fp_is_nan(&u) ? a ^ sign_of(format) : a, b);
}

/* MAX.fmt, MIN.fmt, MAXA.fmt, MINA.fmt: IEEE 754-2008's maxNum and so on; -0 is below +0. */
static uint64_t extreme(struct fp_env *env, unsigned operation, enum fp_format format, uint64_t a,
                        uint64_t b)
{
    const uint64_t bits[2] = {a, b};
    const struct fp_unpacked u[2] = {fp_unpack(env, format, a), fp_unpack(env, format, b)};
    bool least = operation == OPERATION_MIN || operation == OPERATION_MINA;
    uint64_t result, sign = sign_of(format);
    unsigned relation = FP_EQUAL;

    if (fp_is_nan(&u[0]) || fp_is_nan(&u[1])) {
        if (u[0].kind == FP_KIND_QNAN && !fp_is_nan(&u[1]))
            return b;
        if (u[1].kind == FP_KIND_QNAN && !fp_is_nan(&u[0]))
            return a;
        fp_process_nans(env, format, 2, u, bits, &result);
        return result;
    }
    if (operation == OPERATION_MAXA || operation == OPERATION_MINA)
        relation = fp_compare(env, format, a & ~sign, b & ~sign, false);
    if (relation == FP_EQUAL)
        relation = fp_compare(env, format, a, b, false);
    if (relation == FP_EQUAL)
        relation = a & sign ? FP_LESS : FP_GREATER;
    return (relation == FP_LESS) == least ? a : b;
}

/* RINT.fmt */
static uint64_t round_to_integral(struct fp_env *env, enum fp_format format, uint64_t a)
{
    struct fp_unpacked u = fp_unpack(env, format, a);
    uint64_t integer, result;

    if (fp_is_nan(&u))
        return fp_process_nan(env, format, u.kind, a);
    if (u.kind == FP_KIND_ZERO) /* or a denormal that is flushed */
        return fp_zero(format, u.sign);
    if (u.kind != FP_KIND_FINITE || u.exponent >= (format == FP_DOUBLE ? 52 : 23))
        return a;
    integer =
        fp_to_fixed(env, format, a, 64, 0, false, (enum fp_rounding)fp_rounding_of(env->control));
    result = fp_from_fixed(env, format, integer, 64, 0, false, FP_ZERO); /* exact */
    return result | (a & sign_of(format));
}

static enum fp_rounding conversion_rounding(const struct fp_env *env, uint32_t what)
{
    static const uint8_t modes[] = {[ROUND_NEAREST] = FP_NEAREST,
                                    [ROUND_ZERO] = FP_ZERO,
                                    [ROUND_UP] = FP_PLUS,
                                    [ROUND_DOWN] = FP_MINUS};
    unsigned rounding = what >> WHAT_ROUNDING & 7;

    if (rounding == ROUND_CURRENT || rounding > ROUND_DOWN)
        return (enum fp_rounding)fp_rounding_of(env->control);
    return (enum fp_rounding)modes[rounding];
}

/* CVT.fmt.fmt, ROUND.fmt.fmt and so on */
static uint64_t convert(struct fp_env *env, uint32_t what, uint64_t a)
{
    unsigned from = what >> WHAT_FROM & 15, to = what >> WHAT_TO & 15;

    if (from == FMT_W || from == FMT_L || from == FMT_PW)
        return fp_from_fixed(env, format_of(to), a, from == FMT_L ? 64 : 32, 0, false,
                             (enum fp_rounding)fp_rounding_of(env->control));
    if (to == FMT_W || to == FMT_L)
        return fp_to_fixed(env, format_of(from), a, to == FMT_L ? 64 : 32, 0, false,
                           conversion_rounding(env, what));
    return fp_convert(env, format_of(to), format_of(from), a);
}

/* RECIP1.fmt, RSQRT1.fmt. MD00099: of 0 the largest finite number, not infinity. How precise the
 * others are is the implementation's; these are as precise as they can be. */
static uint64_t first_step(struct fp_env *env, enum fp_format format, uint64_t a)
{
    uint64_t largest = format == FP_DOUBLE ? UINT64_C(0x7fefffffffffffff) : UINT64_C(0x7f7fffff);
    uint64_t result = fp_div(env, format, one(format), a);

    return fp_unpack(env, format, a).kind == FP_KIND_ZERO ? (a & sign_of(format)) | largest
                                                          : result;
}

/* RSQRT2.fmt: -(a * b - 1) / 2 */
static uint64_t second_step(struct fp_env *env, enum fp_format format, uint64_t a, uint64_t b)
{
    uint64_t two = format == FP_DOUBLE ? UINT64_C(0x4000000000000000) : UINT64_C(0x40000000);
    uint64_t difference = multiply_add(env, OPERATION_MSUB, format, a, b, one(format));

    return fp_div(env, format, difference, two) ^ sign_of(format);
}

static uint64_t compute_one(struct fp_env *env, uint32_t what, enum fp_format format, uint64_t a,
                            uint64_t b, uint64_t c)
{
    unsigned operation = what & 0xff;

    switch (operation) {
    case OPERATION_ADD:
        return fp_add(env, format, a, b);
    case OPERATION_SUB:
        return fp_sub(env, format, a, b);
    case OPERATION_MUL:
        return fp_mul(env, format, a, b);
    case OPERATION_DIV:
        return fp_div(env, format, a, b);
    case OPERATION_SQRT:
        return fp_sqrt(env, format, a);
    case OPERATION_RECIP:
        return fp_div(env, format, one(format), a);
    case OPERATION_RSQRT:
        return fp_div(env, format, one(format), fp_sqrt(env, format, a));
    case OPERATION_MADD:
    case OPERATION_MSUB:
    case OPERATION_NMADD:
    case OPERATION_NMSUB:
        return multiply_add(env, operation, format, a, b, c);
    case OPERATION_MADDF:
    case OPERATION_MSUBF:
        return fused(env, operation == OPERATION_MSUBF, format, a, b, c);
    case OPERATION_MAX:
    case OPERATION_MIN:
    case OPERATION_MAXA:
    case OPERATION_MINA:
        return extreme(env, operation, format, a, b);
    case OPERATION_RINT:
        return round_to_integral(env, format, a);
    case OPERATION_COMPARE:
    case OPERATION_COMPARE_SIGNALING:
        return fp_compare(env, format, a, b, operation == OPERATION_COMPARE_SIGNALING);
    case OPERATION_CONVERT:
        return convert(env, what, a);
    case OPERATION_RECIP1:
        return first_step(env, format, a);
    case OPERATION_RSQRT1:
        return first_step(env, format, fp_sqrt(env, format, a));
    case OPERATION_RSQRT2:
        return second_step(env, format, a, b);
    default:
        return 0;
    }
}

uint64_t mips_fp_compute(struct fp_env *env, uint32_t what, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned operation = what & 0xff, from = what >> WHAT_FROM & 15;
    bool pair = from == FMT_PS || from == FMT_PW;
    bool compares = operation == OPERATION_COMPARE || operation == OPERATION_COMPARE_SIGNALING;
    uint64_t low, high;

    if (format_of(from) == FP_SINGLE && !pair) /* the notes have garbage above */
        return compute_one(env, what, FP_SINGLE, (uint32_t)a, (uint32_t)b, (uint32_t)c);
    if (!pair)
        return compute_one(env, what, FP_DOUBLE, a, b, c);
    low = compute_one(env, what, FP_SINGLE, (uint32_t)a, (uint32_t)b, (uint32_t)c);
    high = compute_one(env, what, FP_SINGLE, a >> 32, b >> 32, c >> 32);
    return low | high << (compares ? 4 : 32);
}

uint64_t mips_fp_class(bool is_double, uint64_t a)
{
    enum { POSITIVE = 4, INFINITE = 1 << 2, NORMAL = 1 << 3, SUBNORMAL = 1 << 4, ZERO_ = 1 << 5 };
    struct fp_env env = {0};
    enum fp_format format = is_double ? FP_DOUBLE : FP_SINGLE;
    struct fp_unpacked u = fp_unpack(&env, format, a);
    unsigned shift = u.sign ? 0 : POSITIVE;

    switch (u.kind) {
    case FP_KIND_SNAN:
        return 1;
    case FP_KIND_QNAN:
        return 2;
    case FP_KIND_INFINITY:
        return INFINITE << shift;
    case FP_KIND_ZERO:
        return ZERO_ << shift;
    default:
        return (u.exponent < (is_double ? -1022 : -126) ? SUBNORMAL : NORMAL) << shift;
    }
}

/* ---- what generated code calls --------------------------------------------------------------- */

static uint64_t fp_compute(void *opaque, uint32_t what, uint64_t a, uint64_t b, uint64_t c)
{
    struct mips_cpu *cpu = opaque;
    struct fp_env env = mips_fp_env(cpu->fcsr);
    uint64_t result = mips_fp_compute(&env, what, a, b, c);
    uint32_t exceptions = mips_fp_exceptions(env.flags);

    cpu->fp_last_op = OPERATION_NONE;
    cpu->fcsr_cause = exceptions << FCSR_CAUSE_SHIFT;
    if (exceptions & cpu->fcsr >> FCSR_ENABLES_SHIFT)
        mips_raise_exception(cpu, MIPS_EXC_FPE, 0);
    cpu->fcsr_flags |= exceptions << FCSR_FLAGS_SHIFT;
    return result;
}

static uint64_t fp_class(void *opaque, uint32_t is_double, uint64_t a)
{
    return mips_fp_class(is_double, a);
}

const struct ir_helper helper_mips_fp_compute =
    IR_HELPER(fp_compute, IR_I64, 4, HELPER_MAY_FAULT, GROUP_FCSR, GROUP_FCSR);
const struct ir_helper helper_mips_fp_class = IR_HELPER(fp_class, IR_I64, 2, HELPER_PURE, 0, 0);

static bool is_double_type(unsigned type)
{
    return type == IR_F64 || type == IR_I64;
}

static enum fp_fmt fmt_of(unsigned type)
{
    switch (type) {
    case IR_F32:
        return FMT_S;
    case IR_F64:
        return FMT_D;
    case IR_I64:
        return FMT_L;
    default:
        return FMT_W;
    }
}

/* An insn of the IR as what the FPU does. */
static uint32_t what_of(unsigned op, unsigned type, unsigned from, unsigned sub)
{
    static const uint8_t operations[] = {
        [IR_FADD - IR_FADD] = OPERATION_ADD,   [IR_FSUB - IR_FADD] = OPERATION_SUB,
        [IR_FMUL - IR_FADD] = OPERATION_MUL,   [IR_FDIV - IR_FADD] = OPERATION_DIV,
        [IR_FSQRT - IR_FADD] = OPERATION_SQRT, [IR_FMA - IR_FADD] = OPERATION_MADDF,
    };
    bool truncates = op == IR_F2I && (sub & IR_F2I_TRUNCATE);

    if (op == IR_FCMP)
        return fp_what(sub & IR_FP_SIGNAL_QNAN ? OPERATION_COMPARE_SIGNALING : OPERATION_COMPARE,
                       fmt_of(from));
    if (op == IR_FCVT || op == IR_F2I || op == IR_I2F)
        return fp_what(OPERATION_CONVERT, fmt_of(from)) | (uint32_t)fmt_of(type) << WHAT_TO |
               (truncates ? (uint32_t)ROUND_ZERO << WHAT_ROUNDING : 0);
    return fp_what((enum fp_operation)operations[op - IR_FADD], fmt_of(type));
}

static uint64_t rules_scalar(void *state, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                             uint64_t b, uint64_t c)
{
    struct mips_cpu *cpu = mips_cpu(state);
    struct fp_env env = mips_fp_env(cpu->fcsr);
    unsigned type = type_from & 0xff, from = type_from >> 8 & 0xff;
    uint32_t what = what_of(op, type, from, sub);
    uint64_t result;

    if (op == IR_FMA && (sub & IR_FP_NEGATED)) {
        a ^= sign_of(is_double_type(type) ? FP_DOUBLE : FP_SINGLE);
        what = fp_what(OPERATION_MSUBF, fmt_of(type));
    }
    result = mips_fp_compute(&env, what, a, b, c);
    cpu->fcsr_flags |= mips_fp_exceptions(env.flags) << FCSR_FLAGS_SHIFT;
    return result;
}

/* Only paired singles: lanes of 32 bits. (MSA has its own.) */
static void rules_vector(void *state, unsigned op, unsigned sub, void *d, const void *a,
                         const void *b, const void *c)
{
    static const uint8_t operations[] = {OPERATION_ADD, OPERATION_SUB, OPERATION_MUL};
    struct mips_cpu *cpu = mips_cpu(state);
    struct fp_env env = mips_fp_env(cpu->fcsr);
    uint64_t result[2], left[2], right[2];
    uint32_t what = op <= IR_VFMUL ? fp_what((enum fp_operation)operations[op - IR_VFADD], FMT_PS)
                                   : OPERATION_NONE;

    memcpy(left, a, sizeof(left));
    memcpy(right, b, sizeof(right));
    for (unsigned i = 0; i < 2; i++)
        result[i] = mips_fp_compute(&env, what, left[i], right[i], 0);
    memcpy(d, result, sizeof(result));
    cpu->fcsr_flags |= mips_fp_exceptions(env.flags) << FCSR_FLAGS_SHIFT;
}

const struct ir_fp_rules mips_fp_rules = {
    .scalar = rules_scalar, .vector = rules_vector, .groups = GROUP_FCSR};
