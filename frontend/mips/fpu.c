/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPU: translation of frontend/mips/fpu.decode. MD00086 and MD00087, chapter 3.
 *
 * Arithmetic is the IR's, on the host's floating point; it goes to fpu.h's functions where the host
 * has no such instruction, in paired single, and while an exception is enabled to trap.
 */
#include "frontend/mips/fpu.h"

#define DECODE_IMPLEMENTATION
#include "build/gen/fpu.inc"

/* ---- registers ------------------------------------------------------------------------------- */

/* With Status.FR = 0 an odd register is the upper half of the one before it. */
static unsigned single_field(struct xlat *x, int n)
{
    if (mips_x_key(x, KEY_FR) || !(n & 1))
        return F_S0 + (unsigned)n;
    return F_ODD0 + (unsigned)n - 1;
}

static ir_ref bitcast(struct xlat *x, enum ir_type type, ir_ref value)
{
    return ir_emit(&x->b, IR_BITCAST, type, 0, 0, value, IR_NONE, IR_NONE, 0);
}

static ir_ref get_single(struct xlat *x, int n)
{
    return ir_get(&x->b, single_field(x, n));
}

static void set_single(struct xlat *x, int n, ir_ref value)
{
    ir_set(&x->b, single_field(x, n), value);
}

static ir_ref get_double(struct xlat *x, int n)
{
    return ir_get(&x->b, F_D0 + (unsigned)n);
}

static void set_double(struct xlat *x, int n, ir_ref value)
{
    ir_set(&x->b, F_D0 + (unsigned)n, value);
}

static ir_ref get(struct xlat *x, int fmt, int n)
{
    return fmt == FMT_SINGLE ? get_single(x, n) : get_double(x, n);
}

static void set(struct xlat *x, int fmt, int n, ir_ref value)
{
    if (fmt == FMT_SINGLE)
        set_single(x, n, value);
    else
        set_double(x, n, value);
}

/* As an integer: I32 of a single, else I64. */
static ir_ref get_bits(struct xlat *x, int fmt, int n)
{
    return bitcast(x, fmt == FMT_SINGLE ? IR_I32 : IR_I64, get(x, fmt, n));
}

static void set_bits(struct xlat *x, int fmt, int n, ir_ref value)
{
    set(x, fmt, n, bitcast(x, fmt == FMT_SINGLE ? IR_F32 : IR_F64, value));
}

/* As a function takes it, and gives it. */
static ir_ref get_argument(struct xlat *x, int fmt, int n)
{
    ir_ref bits = get_bits(x, fmt, n);

    return fmt == FMT_SINGLE ? ir_un(&x->b, IR_WIDEN_U, bits) : bits;
}

static void set_result(struct xlat *x, int fmt, int n, ir_ref value)
{
    set_bits(x, fmt, n, fmt == FMT_SINGLE ? ir_un(&x->b, IR_NARROW, value) : value);
}

/* Doubles are in even registers with Status.FR = 0; others are reserved. */
static bool exists(struct xlat *x, int fmt, int n)
{
    return fmt == FMT_SINGLE || !(n & 1) || mips_x_key(x, KEY_FR);
}

static bool exist(struct xlat *x, int fmt, int a, int b)
{
    return exists(x, fmt, a) && exists(x, fmt, b);
}

/* ---- computing ------------------------------------------------------------------------------- */

static unsigned flush(struct xlat *x)
{
    return mips_x_key(x, KEY_FP_FLUSH) ? IR_FP_FLUSH : 0;
}

/* FCSR.Cause is to be looked for among what has been raised: fp_rules.c. */
static void operated(struct xlat *x)
{
    ir_set(&x->b, F_FP_OPERATED, ir_i32(&x->b, 1));
}

/* By a function; the result as it gives it. */
static ir_ref call(struct xlat *x, uint32_t word, ir_ref a, ir_ref b, ir_ref c)
{
    struct ir_builder *builder = &x->b;
    ir_ref nothing = ir_i64(builder, 0);
    bool traps = mips_x_key(x, KEY_FP_TRAPS);
    ir_ref result = ir_call(builder, traps ? &helper_fpu_trapping : &helper_fpu_operate,
                            ir_i32(builder, word), a, b ? b : nothing, c ? c : nothing);

    if (!traps)
        operated(x);
    return result;
}

/* Are operations of this format functions? */
static bool by_function(struct xlat *x, int fmt)
{
    return fmt == FMT_PAIRED || mips_x_key(x, KEY_FP_TRAPS);
}

static bool binary(struct xlat *x, const struct arg_fp3 *a, enum ir_op op,
                   enum fpu_operation operation)
{
    if (!exist(x, a->fmt, a->ft, a->fs) || !exists(x, a->fmt, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (op == IR_NOP || by_function(x, a->fmt)) {
        set_result(x, a->fmt, a->fd,
                   call(x, FPU_WORD(operation, a->fmt, 0), get_argument(x, a->fmt, a->fs),
                        get_argument(x, a->fmt, a->ft), IR_NONE));
        return true;
    }
    ir_ref left = get(x, a->fmt, a->fs), right = get(x, a->fmt, a->ft);
    ir_ref result = ir_fp(&x->b, op, ir_type_of(x->b.unit, left), flush(x), left, right, IR_NONE);
    set(x, a->fmt, a->fd, result);
    operated(x);
    return true;
}

/* <op>.fmt fd, fs, ft; NOP: the host has no instruction that agrees about NaNs and zeros */
#define BINARY(name, op, operation)                                                                \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp3 *a)                                \
    {                                                                                              \
        return binary(x, a, op, operation);                                                        \
    }
BINARY(ADD_fmt, IR_FADD, FPU_ADD)
BINARY(SUB_fmt, IR_FSUB, FPU_SUB)
BINARY(MUL_fmt, IR_FMUL, FPU_MUL)
BINARY(DIV_fmt, IR_FDIV, FPU_DIV)
BINARY(MIN_fmt, IR_NOP, FPU_MIN)
BINARY(MAX_fmt, IR_NOP, FPU_MAX)
BINARY(MINA_fmt, IR_NOP, FPU_MINA)
BINARY(MAXA_fmt, IR_NOP, FPU_MAXA)

enum unary { BY_FUNCTION, SQUARE_ROOT, RECIPROCAL, RECIPROCAL_ROOT };

static ir_ref constant_one(struct xlat *x, int fmt)
{
    if (fmt == FMT_SINGLE)
        return bitcast(x, IR_F32, ir_i32(&x->b, 0x3f800000));
    return bitcast(x, IR_F64, ir_i64(&x->b, UINT64_C(0x3ff0000000000000)));
}

static bool unary(struct xlat *x, const struct arg_fp2 *a, enum unary how,
                  enum fpu_operation operation)
{
    struct ir_builder *b = &x->b;

    if (!exist(x, a->fmt, a->fs, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (how == BY_FUNCTION || by_function(x, a->fmt)) {
        set_result(x, a->fmt, a->fd,
                   call(x, FPU_WORD(operation, a->fmt, 0), get_argument(x, a->fmt, a->fs), IR_NONE,
                        IR_NONE));
        return true;
    }
    ir_ref value = get(x, a->fmt, a->fs);
    enum ir_type type = ir_type_of(b->unit, value);
    if (how != RECIPROCAL)
        value = ir_fp(b, IR_FSQRT, type, flush(x), value, IR_NONE, IR_NONE);
    if (how != SQUARE_ROOT)
        value = ir_fp(b, IR_FDIV, type, flush(x), constant_one(x, a->fmt), value, IR_NONE);
    set(x, a->fmt, a->fd, value);
    operated(x);
    return true;
}

/* <op>.fmt fd, fs */
#define UNARY(name, how, operation)                                                                \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp2 *a)                                \
    {                                                                                              \
        return unary(x, a, how, operation);                                                        \
    }
UNARY(SQRT_fmt, SQUARE_ROOT, FPU_SQRT)
UNARY(RECIP_fmt, RECIPROCAL, FPU_RECIP)
UNARY(RSQRT_fmt, RECIPROCAL_ROOT, FPU_RSQRT)
UNARY(RINT_fmt, BY_FUNCTION, FPU_RINT)

/* Two roundings: the product, then the sum; a negated result changes its sign whatever it is. */
static ir_ref multiply_add(struct xlat *x, const struct arg_fp4 *a, enum ir_op op, bool negate)
{
    struct ir_builder *b = &x->b;
    ir_ref left = get(x, a->fmt, a->fs), right = get(x, a->fmt, a->ft);
    enum ir_type type = ir_type_of(b->unit, left);
    ir_ref product = ir_fp(b, IR_FMUL, type, flush(x), left, right, IR_NONE);
    ir_ref sum = ir_fp(b, op, type, flush(x), product, get(x, a->fmt, a->fr), IR_NONE);

    return negate ? ir_un(b, IR_FNEG, sum) : sum;
}

static bool four_operands(struct xlat *x, const struct arg_fp4 *a, enum ir_op op, bool negate,
                          enum fpu_operation operation)
{
    if (!exist(x, a->fmt, a->fr, a->ft) || !exist(x, a->fmt, a->fs, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (by_function(x, a->fmt)) {
        set_result(x, a->fmt, a->fd,
                   call(x, FPU_WORD(operation, a->fmt, 0), get_argument(x, a->fmt, a->fs),
                        get_argument(x, a->fmt, a->ft), get_argument(x, a->fmt, a->fr)));
        return true;
    }
    set(x, a->fmt, a->fd, multiply_add(x, a, op, negate));
    operated(x);
    return true;
}

/* <op>.fmt fd, fr, fs, ft */
#define FOUR(name, op, negate, operation)                                                          \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp4 *a)                                \
    {                                                                                              \
        return four_operands(x, a, op, negate, operation);                                         \
    }
FOUR(MADD_fmt, IR_FADD, false, FPU_MADD)
FOUR(MSUB_fmt, IR_FSUB, false, FPU_MSUB)
FOUR(NMADD_fmt, IR_FADD, true, FPU_NMADD)
FOUR(NMSUB_fmt, IR_FSUB, true, FPU_NMSUB)

/* MADDF.fmt fd, fs, ft: fd += fs * ft with one rounding */
bool mips_trans_MADDF_fmt(struct xlat *x, const struct arg_fp3 *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_fpu(x))
        return true;
    if (by_function(x, a->fmt)) {
        set_result(x, a->fmt, a->fd,
                   call(x, FPU_WORD(FPU_MADDF, a->fmt, 0), get_argument(x, a->fmt, a->fs),
                        get_argument(x, a->fmt, a->ft), get_argument(x, a->fmt, a->fd)));
        return true;
    }
    ir_ref left = get(x, a->fmt, a->fs), right = get(x, a->fmt, a->ft);
    set(x, a->fmt, a->fd,
        ir_fp(b, IR_FMA, ir_type_of(b->unit, left), flush(x), left, right, get(x, a->fmt, a->fd)));
    operated(x);
    return true;
}

/* MSUBF.fmt fd, fs, ft: a NaN keeps its sign, so that no operand may be negated beforehand */
bool mips_trans_MSUBF_fmt(struct xlat *x, const struct arg_fp3 *a)
{
    if (!mips_check_fpu(x))
        return true;
    set_result(x, a->fmt, a->fd,
               call(x, FPU_WORD(FPU_MSUBF, a->fmt, 0), get_argument(x, a->fmt, a->fs),
                    get_argument(x, a->fmt, a->ft), get_argument(x, a->fmt, a->fd)));
    return true;
}

/* CLASS.fmt fd, fs */
bool mips_trans_CLASS_fmt(struct xlat *x, const struct arg_fp2 *a)
{
    struct ir_builder *b = &x->b;

    if (mips_check_fpu(x))
        set_result(x, a->fmt, a->fd,
                   ir_call(b, &helper_fpu_class, ir_i32(b, (uint32_t)a->fmt),
                           get_argument(x, a->fmt, a->fs), IR_NONE, IR_NONE));
    return true;
}

/* ---- sign, copies ---------------------------------------------------------------------------- */

/* The sign bits of a format. */
static ir_ref signs(struct xlat *x, int fmt)
{
    static const uint64_t bits[] = {0x80000000, UINT64_C(0x8000000000000000),
                                    UINT64_C(0x8000000080000000)};

    return fmt == FMT_SINGLE ? ir_i32(&x->b, (uint32_t)bits[fmt]) : ir_i64(&x->b, bits[fmt]);
}

/* How ABS and NEG treat NaNs: as any number with ABS2008, and as cores without do in practice. */
static bool change_sign(struct xlat *x, const struct arg_fp2 *a, enum ir_op paired, enum ir_op op)
{
    if (!exist(x, a->fmt, a->fs, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (a->fmt == FMT_PAIRED)
        set_bits(x, a->fmt, a->fd,
                 ir_bin(&x->b, paired, get_bits(x, a->fmt, a->fs), signs(x, a->fmt)));
    else
        set(x, a->fmt, a->fd, ir_un(&x->b, op, get(x, a->fmt, a->fs)));
    if (!mips_x_key(x, KEY_ABS2008))
        operated(x);
    return true;
}

/* ABS.fmt fd, fs */
bool mips_trans_ABS_fmt(struct xlat *x, const struct arg_fp2 *a)
{
    return change_sign(x, a, IR_ANDN, IR_FABS);
}

/* NEG.fmt fd, fs */
bool mips_trans_NEG_fmt(struct xlat *x, const struct arg_fp2 *a)
{
    return change_sign(x, a, IR_XOR, IR_FNEG);
}

/* MOV.fmt fd, fs */
bool mips_trans_MOV_fmt(struct xlat *x, const struct arg_fp2 *a)
{
    if (!exist(x, a->fmt, a->fs, a->fd))
        return false;
    if (mips_check_fpu(x))
        set(x, a->fmt, a->fd, get(x, a->fmt, a->fs));
    return true;
}

static bool select_bits(struct xlat *x, int fmt, int fd, enum ir_cond cond, ir_ref tested,
                        ir_ref yes, ir_ref no)
{
    set_bits(x, fmt, fd, ir_select(&x->b, cond, ir_test(&x->b, tested), yes, no));
    return true;
}

static bool move_if(struct xlat *x, int fmt, int fs, int fd, enum ir_cond cond, ir_ref tested)
{
    return select_bits(x, fmt, fd, cond, tested, get_bits(x, fmt, fs), get_bits(x, fmt, fd));
}

/* Paired single has a condition code for each half. */
static bool move_if_code(struct xlat *x, const struct arg_fpcc *a, enum ir_cond cond)
{
    struct ir_builder *b = &x->b;

    if (!exist(x, a->fmt, a->fs, a->fd) || (a->fmt == FMT_PAIRED && a->cc & 1))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (a->fmt != FMT_PAIRED)
        return move_if(x, a->fmt, a->fs, a->fd, cond, ir_get(b, F_FCC0 + (unsigned)a->cc));
    for (unsigned half = 0; half < 2; half++) {
        unsigned field = half ? F_ODD0 : F_S0;
        ir_ref code = ir_get(b, F_FCC0 + (unsigned)a->cc + half);
        ir_ref from = bitcast(x, IR_I32, ir_get(b, field + (unsigned)a->fs));
        ir_ref old = bitcast(x, IR_I32, ir_get(b, field + (unsigned)a->fd));

        ir_set(b, field + (unsigned)a->fd,
               bitcast(x, IR_F32, ir_select(b, cond, ir_test(b, code), from, old)));
    }
    return true;
}

/* MOVF.fmt fd, fs, cc; MOVT.fmt */
bool mips_trans_MOVF_fmt(struct xlat *x, const struct arg_fpcc *a)
{
    return move_if_code(x, a, IR_Z);
}

bool mips_trans_MOVT_fmt(struct xlat *x, const struct arg_fpcc *a)
{
    return move_if_code(x, a, IR_NZ);
}

static bool move_if_register(struct xlat *x, const struct arg_fpmove *a, enum ir_cond cond)
{
    if (!exist(x, a->fmt, a->fs, a->fd))
        return false;
    return !mips_check_fpu(x) || move_if(x, a->fmt, a->fs, a->fd, cond, mips_get(x, a->rt));
}

/* MOVZ.fmt fd, fs, rt; MOVN.fmt */
bool mips_trans_MOVZ_fmt(struct xlat *x, const struct arg_fpmove *a)
{
    return move_if_register(x, a, IR_Z);
}

bool mips_trans_MOVN_fmt(struct xlat *x, const struct arg_fpmove *a)
{
    return move_if_register(x, a, IR_NZ);
}

/* MOVF rd, rs, cc; MOVT */
static bool move_general(struct xlat *x, const struct arg_movci *a, enum ir_cond cond)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_fpu(x))
        return true;
    ir_ref flags = ir_test(b, ir_get(b, F_FCC0 + (unsigned)a->cc));
    mips_set(x, a->rd, ir_select(b, cond, flags, mips_get(x, a->rs), mips_get(x, a->rd)));
    return true;
}

bool mips_trans_MOVF(struct xlat *x, const struct arg_movci *a)
{
    return move_general(x, a, IR_Z);
}

bool mips_trans_MOVT(struct xlat *x, const struct arg_movci *a)
{
    return move_general(x, a, IR_NZ);
}

/* Release 6: bit 0 of a register decides. */
static ir_ref lowest_bit(struct xlat *x, int fmt, int n)
{
    return ir_bin_i(&x->b, IR_AND, get_bits(x, fmt, n), 1);
}

static ir_ref nothing(struct xlat *x, int fmt)
{
    return fmt == FMT_SINGLE ? ir_i32(&x->b, 0) : ir_i64(&x->b, 0);
}

/* SEL.fmt fd, fs, ft */
bool mips_trans_SEL_fmt(struct xlat *x, const struct arg_fp3 *a)
{
    return !mips_check_fpu(x) ||
           select_bits(x, a->fmt, a->fd, IR_NZ, lowest_bit(x, a->fmt, a->fd),
                       get_bits(x, a->fmt, a->ft), get_bits(x, a->fmt, a->fs));
}

/* SELEQZ.fmt fd, fs, ft */
bool mips_trans_SELEQZ_fmt(struct xlat *x, const struct arg_fp3 *a)
{
    return !mips_check_fpu(x) || select_bits(x, a->fmt, a->fd, IR_Z, lowest_bit(x, a->fmt, a->ft),
                                             get_bits(x, a->fmt, a->fs), nothing(x, a->fmt));
}

/* SELNEZ.fmt fd, fs, ft */
bool mips_trans_SELNEZ_fmt(struct xlat *x, const struct arg_fp3 *a)
{
    return !mips_check_fpu(x) || select_bits(x, a->fmt, a->fd, IR_NZ, lowest_bit(x, a->fmt, a->ft),
                                             get_bits(x, a->fmt, a->fs), nothing(x, a->fmt));
}

/* ---- conversions ----------------------------------------------------------------------------- */

/* To an integer; mode: NOP the FCSR's, TRUNC is the host's too, the others are functions'. */
enum rounding_kind {
    AS_FCSR = 0,
    NEAREST = 1 + FP_NEAREST,
    UP = 1 + FP_PLUS,
    DOWN = 1 + FP_MINUS,
    TOWARDS_ZERO = 1 + FP_ZERO
};

static bool to_integer(struct xlat *x, const struct arg_fp2 *a, bool is_long,
                       enum rounding_kind rounding)
{
    int to = is_long ? FMT_DOUBLE : FMT_SINGLE;
    bool host = rounding == AS_FCSR || rounding == TOWARDS_ZERO;

    if (!exist(x, a->fmt, a->fs, a->fs) || !exists(x, to, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (!host || by_function(x, a->fmt)) {
        uint32_t word = FPU_WORD(is_long ? FPU_TO_LONG : FPU_TO_WORD, a->fmt, rounding);

        set_result(x, to, a->fd, call(x, word, get_argument(x, a->fmt, a->fs), IR_NONE, IR_NONE));
        return true;
    }
    unsigned sub = (rounding ? IR_F2I_TRUNCATE : 0) | (flush(x) ? IR_F2I_FLUSH : 0);
    set_bits(x, to, a->fd,
             ir_fp(&x->b, IR_F2I, is_long ? IR_I64 : IR_I32, sub, get(x, a->fmt, a->fs), IR_NONE,
                   IR_NONE));
    operated(x);
    return true;
}

/* <rounding>.W.fmt fd, fs; <rounding>.L.fmt */
#define TO_INTEGER(name, rounding)                                                                 \
    bool mips_trans_##name##_W(struct xlat *x, const struct arg_fp2 *a)                            \
    {                                                                                              \
        return to_integer(x, a, false, rounding);                                                  \
    }                                                                                              \
    bool mips_trans_##name##_L(struct xlat *x, const struct arg_fp2 *a)                            \
    {                                                                                              \
        return to_integer(x, a, true, rounding);                                                   \
    }
TO_INTEGER(CVT, AS_FCSR)
TO_INTEGER(ROUND, NEAREST)
TO_INTEGER(CEIL, UP)
TO_INTEGER(FLOOR, DOWN)
TO_INTEGER(TRUNC, TOWARDS_ZERO)

static bool convert(struct xlat *x, const struct arg_fp2 *a, int to, enum ir_op op, int from,
                    enum fpu_operation operation)
{
    enum ir_type type = to == FMT_SINGLE ? IR_F32 : IR_F64;

    if (!exists(x, from, a->fs) || !exists(x, to, a->fd))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (by_function(x, from)) {
        uint32_t word = FPU_WORD(operation, op == IR_I2F ? to : from, 0);

        set_result(x, to, a->fd, call(x, word, get_argument(x, from, a->fs), IR_NONE, IR_NONE));
        return true;
    }
    ir_ref value = op == IR_I2F ? get_bits(x, from, a->fs) : get(x, from, a->fs);
    set(x, to, a->fd, ir_fp(&x->b, op, type, op == IR_I2F ? 0 : flush(x), value, IR_NONE, IR_NONE));
    operated(x);
    return true;
}

/* CVT.<to>.<from> fd, fs */
#define CONVERT(name, to, op, from, operation)                                                     \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp2 *a)                                \
    {                                                                                              \
        return convert(x, a, to, op, from, operation);                                             \
    }
CONVERT(CVT_S_D, FMT_SINGLE, IR_FCVT, FMT_DOUBLE, FPU_TO_SINGLE)
CONVERT(CVT_D_S, FMT_DOUBLE, IR_FCVT, FMT_SINGLE, FPU_TO_DOUBLE)
CONVERT(CVT_S_W, FMT_SINGLE, IR_I2F, FMT_SINGLE, FPU_FROM_WORD)
CONVERT(CVT_D_W, FMT_DOUBLE, IR_I2F, FMT_SINGLE, FPU_FROM_WORD)
CONVERT(CVT_S_L, FMT_SINGLE, IR_I2F, FMT_DOUBLE, FPU_FROM_LONG)
CONVERT(CVT_D_L, FMT_DOUBLE, IR_I2F, FMT_DOUBLE, FPU_FROM_LONG)

/* ---- comparisons ----------------------------------------------------------------------------- */

/* Relations for which the condition's low three bits (less, equal, unordered) hold. */
static uint32_t relations(int cond)
{
    return (cond & 1 ? FP_UNORDERED : 0) | (cond & 2 ? FP_EQUAL : 0) | (cond & 4 ? FP_LESS : 0);
}

/* 1 if the relation of two values, I32, is among those of the condition, else 0. */
static ir_ref compare(struct xlat *x, bool is_double, ir_ref left, ir_ref right, int cond)
{
    struct ir_builder *b = &x->b;
    bool signalling = cond & 8;
    ir_ref relation;

    if (mips_x_key(x, KEY_FP_TRAPS)) {
        enum fpu_operation operation = signalling ? FPU_COMPARE_SIGNALLING : FPU_COMPARE;
        ir_ref a = bitcast(x, is_double ? IR_I64 : IR_I32, left);
        ir_ref c = bitcast(x, is_double ? IR_I64 : IR_I32, right);

        if (!is_double) {
            a = ir_un(b, IR_WIDEN_U, a);
            c = ir_un(b, IR_WIDEN_U, c);
        }
        relation = ir_un(b, IR_NARROW, call(x, FPU_WORD(operation, is_double, 0), a, c, IR_NONE));
    } else {
        relation = ir_fp(b, IR_FCMP, IR_I32, flush(x) | (signalling ? IR_FP_SIGNAL_QNAN : 0), left,
                         right, IR_NONE);
        operated(x);
    }
    return ir_setcc(b, IR_NZ, ir_test(b, ir_bin_i(b, IR_AND, relation, relations(cond))));
}

/* C.cond.fmt cc, fs, ft; of paired singles two */
bool mips_trans_C_fmt(struct xlat *x, const struct arg_compare *a)
{
    struct ir_builder *b = &x->b;

    if (!exist(x, a->fmt, a->fs, a->ft) || (a->fmt == FMT_PAIRED && a->cc & 1))
        return false;
    if (!mips_check_fpu(x))
        return true;
    if (a->fmt != FMT_PAIRED) {
        ir_set(b, F_FCC0 + (unsigned)a->cc,
               compare(x, a->fmt == FMT_DOUBLE, get(x, a->fmt, a->fs), get(x, a->fmt, a->ft),
                       a->cond));
        return true;
    }
    ir_ref low = compare(x, false, ir_get(b, F_S0 + (unsigned)a->fs),
                         ir_get(b, F_S0 + (unsigned)a->ft), a->cond);
    ir_ref high = compare(x, false, ir_get(b, F_ODD0 + (unsigned)a->fs),
                          ir_get(b, F_ODD0 + (unsigned)a->ft), a->cond);
    ir_set(b, F_FCC0 + (unsigned)a->cc, low);
    ir_set(b, F_FCC0 + (unsigned)a->cc + 1, high);
    return true;
}

/* Release 6: all ones or none. Conditions 16 and up are the inverse of those 16 below; of the eight
 * only OR, UNE and NE are there. */
static bool compare_to_mask(struct xlat *x, const struct arg_compare6 *a)
{
    struct ir_builder *b = &x->b;
    bool inverse = a->cond & 16;
    int low = a->cond & 7;

    if (inverse && (low < 1 || low > 3))
        return false;
    if (!mips_check_fpu(x))
        return true;
    ir_ref bit = compare(x, a->fmt, get(x, a->fmt, a->fs), get(x, a->fmt, a->ft), a->cond & 15);
    if (inverse)
        bit = ir_bin_i(b, IR_XOR, bit, 1);
    ir_ref mask = ir_un(b, IR_NEG, bit);
    set_bits(x, a->fmt, a->fd, a->fmt ? ir_un(b, IR_WIDEN_S, mask) : mask);
    return true;
}

/* CMP.cond.S fd, fs, ft; CMP.cond.D */
bool mips_trans_CMP_S(struct xlat *x, const struct arg_compare6 *a)
{
    return compare_to_mask(x, a);
}

bool mips_trans_CMP_D(struct xlat *x, const struct arg_compare6 *a)
{
    return compare_to_mask(x, a);
}

static bool branch_on_code(struct xlat *x, const struct arg_bc1 *a, enum ir_cond cond, bool likely)
{
    return !mips_check_fpu(x) ||
           mips_branch_if(x, cond, ir_get(&x->b, F_FCC0 + (unsigned)a->cc), a->imm, likely);
}

/* BC1F cc, offset; BC1T; BC1FL; BC1TL */
#define BRANCH_ON_CODE(name, cond, likely)                                                         \
    bool mips_trans_##name(struct xlat *x, const struct arg_bc1 *a)                                \
    {                                                                                              \
        return branch_on_code(x, a, cond, likely);                                                 \
    }
BRANCH_ON_CODE(BC1F, IR_Z, false)
BRANCH_ON_CODE(BC1T, IR_NZ, false)
BRANCH_ON_CODE(BC1FL, IR_Z, true)
BRANCH_ON_CODE(BC1TL, IR_NZ, true)

/* BC1EQZ ft, offset; BC1NEZ */
bool mips_trans_BC1EQZ(struct xlat *x, const struct arg_ft_branch *a)
{
    return !mips_check_fpu(x) ||
           mips_branch_if(x, IR_Z, lowest_bit(x, FMT_SINGLE, a->ft), a->imm, false);
}

bool mips_trans_BC1NEZ(struct xlat *x, const struct arg_ft_branch *a)
{
    return !mips_check_fpu(x) ||
           mips_branch_if(x, IR_NZ, lowest_bit(x, FMT_SINGLE, a->ft), a->imm, false);
}

/* ---- paired single --------------------------------------------------------------------------- */

/* fd = one half of fs above one half of ft */
static bool pair(struct xlat *x, const struct arg_fp3 *a, unsigned upper, unsigned lower)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_fpu(x))
        return true;
    ir_ref high = ir_get(b, upper + (unsigned)a->fs), low = ir_get(b, lower + (unsigned)a->ft);
    ir_set(b, F_S0 + (unsigned)a->fd, low);
    ir_set(b, F_ODD0 + (unsigned)a->fd, high);
    return true;
}

/* PLL.PS fd, fs, ft; PLU.PS; PUL.PS; PUU.PS; CVT.PS.S */
bool mips_trans_PLL_PS(struct xlat *x, const struct arg_fp3 *a)
{
    return pair(x, a, F_S0, F_S0);
}

bool mips_trans_PLU_PS(struct xlat *x, const struct arg_fp3 *a)
{
    return pair(x, a, F_S0, F_ODD0);
}

bool mips_trans_PUL_PS(struct xlat *x, const struct arg_fp3 *a)
{
    return pair(x, a, F_ODD0, F_S0);
}

bool mips_trans_PUU_PS(struct xlat *x, const struct arg_fp3 *a)
{
    return pair(x, a, F_ODD0, F_ODD0);
}

bool mips_trans_CVT_PS_S(struct xlat *x, const struct arg_fp3 *a)
{
    return pair(x, a, F_S0, F_S0);
}

/* CVT.S.PL fd, fs; CVT.S.PU */
bool mips_trans_CVT_S_PL(struct xlat *x, const struct arg_fp2 *a)
{
    if (mips_check_fpu(x))
        set_single(x, a->fd, ir_get(&x->b, F_S0 + (unsigned)a->fs));
    return true;
}

bool mips_trans_CVT_S_PU(struct xlat *x, const struct arg_fp2 *a)
{
    if (mips_check_fpu(x))
        set_single(x, a->fd, ir_get(&x->b, F_ODD0 + (unsigned)a->fs));
    return true;
}

/* ALNV.PS fd, fs, ft, rs: by 0 or 4 bytes; by others UNPREDICTABLE */
bool mips_trans_ALNV_PS(struct xlat *x, const struct arg_fp4 *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_fpu(x))
        return true;
    ir_ref thirty_two = ir_i32(b, 32);
    ir_ref fs = get_bits(x, FMT_PAIRED, a->fs), ft = get_bits(x, FMT_PAIRED, a->ft);
    ir_ref first = mips_xlat(x)->big_endian ? fs : ft, second = mips_xlat(x)->big_endian ? ft : fs;
    ir_ref both = ir_bin(b, IR_OR, ir_bin(b, IR_SHL, first, thirty_two),
                         ir_bin(b, IR_SHR, second, thirty_two));
    ir_ref by = ir_bin_i(b, IR_AND, mips_get32(x, a->fr), 4);
    return select_bits(x, FMT_PAIRED, a->fd, IR_Z, by, fs, both);
}

/* ---- between the register files -------------------------------------------------------------- */

/* MFC1 rt, fs */
bool mips_trans_MFC1(struct xlat *x, const struct arg_gpr *a)
{
    if (mips_check_fpu(x))
        mips_set32(x, a->rt, get_bits(x, FMT_SINGLE, a->fs));
    return true;
}

/* MTC1 rt, fs */
bool mips_trans_MTC1(struct xlat *x, const struct arg_gpr *a)
{
    if (mips_check_fpu(x))
        set_bits(x, FMT_SINGLE, a->fs, mips_get32(x, a->rt));
    return true;
}

/* The high word is where it is whatever Status.FR says; odd registers have none with FR = 0. */
bool mips_trans_MFHC1(struct xlat *x, const struct arg_gpr *a)
{
    if (!exists(x, FMT_DOUBLE, a->fs))
        return false;
    if (mips_check_fpu(x))
        mips_set32(x, a->rt, bitcast(x, IR_I32, ir_get(&x->b, F_ODD0 + (unsigned)a->fs)));
    return true;
}

/* MTHC1 rt, fs */
bool mips_trans_MTHC1(struct xlat *x, const struct arg_gpr *a)
{
    if (!exists(x, FMT_DOUBLE, a->fs))
        return false;
    if (mips_check_fpu(x))
        ir_set(&x->b, F_ODD0 + (unsigned)a->fs, bitcast(x, IR_F32, mips_get32(x, a->rt)));
    return true;
}

/* DMFC1 rt, fs */
bool mips_trans_DMFC1(struct xlat *x, const struct arg_gpr *a)
{
    if (!exists(x, FMT_DOUBLE, a->fs))
        return false;
    if (mips_check_fpu(x))
        mips_set(x, a->rt, get_bits(x, FMT_DOUBLE, a->fs));
    return true;
}

/* DMTC1 rt, fs */
bool mips_trans_DMTC1(struct xlat *x, const struct arg_gpr *a)
{
    if (!exists(x, FMT_DOUBLE, a->fs))
        return false;
    if (mips_check_fpu(x))
        set_bits(x, FMT_DOUBLE, a->fs, mips_get(x, a->rt));
    return true;
}

/* Control registers: MD00083, chapter 5. */
enum { FIR = 0, FCCR = 25, FEXR = 26, FENR = 28, FCSR = 31 };
enum { FENR_FS = 1 << 2, FEXR_BITS = 0x0003f07c, FENR_ENABLES = 0xf80, FENR_RM = 3 };

static ir_ref read_fcsr(struct xlat *x)
{
    return ir_call(&x->b, &helper_fcsr_read, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}

/* CFC1 rt, fs: FCCR, FEXR and FENR are views of FCSR; others read as 0 */
bool mips_trans_CFC1(struct xlat *x, const struct arg_gpr *a)
{
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (!mips_check_fpu(x))
        return true;
    switch (a->fs) {
    case FIR:
        value = ir_i32(b, mips_cpu(x->cpu)->model->fir);
        break;
    case FCCR: {
        ir_ref fcsr = read_fcsr(x);
        ir_ref high = ir_bin_i(b, IR_AND, ir_bin_i(b, IR_SHR, fcsr, FCSR_FCC1_SHIFT - 1), 0xfe);
        value = ir_bin(b, IR_OR, high, ir_extract(b, fcsr, 23, 1));
        break;
    }
    case FEXR:
        value = ir_bin_i(b, IR_AND, read_fcsr(x), FEXR_BITS);
        break;
    case FENR: {
        ir_ref fcsr = ir_get(b, F_FCSR);
        ir_ref fs = ir_bin_i(b, IR_SHL, ir_extract(b, fcsr, 24, 1), 2);
        value = ir_bin(b, IR_OR, fs, ir_bin_i(b, IR_AND, fcsr, FENR_ENABLES | FENR_RM));
        break;
    }
    case FCSR:
        value = read_fcsr(x);
        break;
    default:
        value = ir_i32(b, 0);
        break;
    }
    mips_set32(x, a->rt, value);
    return true;
}

/* FCSR with the bits in mask replaced. */
static ir_ref merged_fcsr(struct xlat *x, uint32_t mask, ir_ref value)
{
    struct ir_builder *b = &x->b;
    ir_ref kept = ir_bin_i(b, IR_AND, read_fcsr(x), ~mask);

    return ir_bin(b, IR_OR, kept, ir_bin_i(b, IR_AND, value, mask));
}

static ir_ref new_fcsr(struct xlat *x, int fs, ir_ref value)
{
    struct ir_builder *b = &x->b;
    ir_ref moved;

    switch (fs) {
    case FCCR:
        moved = ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, value, 0xfe), FCSR_FCC1_SHIFT - 1);
        moved = ir_bin(b, IR_OR, moved, ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, value, 1), 23));
        return merged_fcsr(x, 0xfe800000u, moved);
    case FEXR:
        return merged_fcsr(x, FEXR_BITS, value);
    case FENR:
        moved = ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, value, FENR_FS), 22);
        moved = ir_bin(b, IR_OR, moved, ir_bin_i(b, IR_AND, value, FENR_ENABLES | FENR_RM));
        return merged_fcsr(x, FCSR_FS | FENR_ENABLES | FENR_RM, moved);
    default:
        return value;
    }
}

/* CTC1 rt, fs: a Cause bit that is enabled raises at once */
bool mips_trans_CTC1(struct xlat *x, const struct arg_gpr *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_fpu(x))
        return true;
    if (a->fs != FCCR && a->fs != FEXR && a->fs != FENR && a->fs != FCSR)
        return true;
    ir_ref value = new_fcsr(x, a->fs, mips_get32(x, a->rt));
    ir_call(b, &helper_fcsr_write, value, IR_NONE, IR_NONE, IR_NONE);
    mips_sync_pc(x);
    ir_call(b, &helper_fcsr_update, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    mips_end_lookup_next(x);
    return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static bool load(struct xlat *x, int fmt, int n, struct mips_ea ea, bool aligned)
{
    unsigned memop = mips_memop(x, fmt == FMT_SINGLE ? 2 : 3, false, !aligned);
    bool whole = !(memop & IR_MEM_SWAP); /* else by way of an integer */
    enum ir_type type = fmt == FMT_SINGLE ? (whole ? IR_F32 : IR_I32) : (whole ? IR_F64 : IR_I64);
    ir_ref value = ir_load(&x->b, type, ea.base, ea.displacement, memop);

    if (whole)
        set(x, fmt, n, value);
    else
        set_bits(x, fmt, n, value);
    return true;
}

static bool store(struct xlat *x, int fmt, int n, struct mips_ea ea, bool aligned)
{
    unsigned memop = mips_memop(x, fmt == FMT_SINGLE ? 2 : 3, false, !aligned);
    ir_ref value = memop & IR_MEM_SWAP ? get_bits(x, fmt, n) : get(x, fmt, n);

    ir_store(&x->b, ea.base, ea.displacement, value, memop);
    return true;
}

/* LWC1 ft, offset(base); LDC1; SWC1; SDC1 */
#define ACCESS(name, what, fmt)                                                                    \
    bool mips_trans_##name(struct xlat *x, const struct arg_fpaccess *a)                           \
    {                                                                                              \
        if (!exists(x, fmt, a->ft))                                                                \
            return false;                                                                          \
        return !mips_check_fpu(x) || what(x, fmt, a->ft, mips_ea(x, a->base, a->offset), true);    \
    }
ACCESS(LWC1, load, FMT_SINGLE)
ACCESS(LDC1, load, FMT_DOUBLE)
ACCESS(SWC1, store, FMT_SINGLE)
ACCESS(SDC1, store, FMT_DOUBLE)

/* LWXC1 fd, index(base); LDXC1; SWXC1 fs, index(base); SDXC1 */
#define INDEXED(name, what, fmt)                                                                   \
    bool mips_trans_##name(struct xlat *x, const struct arg_fpindexed *a)                          \
    {                                                                                              \
        if (!exists(x, fmt, a->fd))                                                                \
            return false;                                                                          \
        return !mips_check_fpu(x) ||                                                               \
               what(x, fmt, a->fd, mips_ea_indexed(x, a->base, a->index), true);                   \
    }
INDEXED(LWXC1, load, FMT_SINGLE)
INDEXED(LDXC1, load, FMT_DOUBLE)
INDEXED(SWXC1, store, FMT_SINGLE)
INDEXED(SDXC1, store, FMT_DOUBLE)

/* The address's low three bits are ignored. */
static struct mips_ea aligned_down(struct xlat *x, const struct arg_fpindexed *a)
{
    struct mips_ea ea = mips_ea_indexed(x, a->base, a->index);

    ea.base = ir_bin_i(&x->b, IR_AND, ea.base, ~UINT64_C(7));
    return ea;
}

/* LUXC1 fd, index(base) */
bool mips_trans_LUXC1(struct xlat *x, const struct arg_fpindexed *a)
{
    return !mips_check_fpu(x) || load(x, FMT_DOUBLE, a->fd, aligned_down(x, a), false);
}

/* SUXC1 fs, index(base) */
bool mips_trans_SUXC1(struct xlat *x, const struct arg_fpindexed *a)
{
    return !mips_check_fpu(x) || store(x, FMT_DOUBLE, a->fd, aligned_down(x, a), false);
}

/* PREFX hint, index(base): nothing to see */
bool mips_trans_PREFX(struct xlat *x, const struct arg_empty *a)
{
    mips_check_fpu(x);
    return true;
}
