/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation of frontend/mips/msa.decode: MD00866, chapter "The MIPS32 SIMD Architecture
 * Instruction Set". What the IR's vector operations have is in line; the rest are functions on the
 * registers in the state. Floating point is always a function: its rounding mode and flags are
 * MSACSR's, while the host's control word has FCSR's.
 */
#include "frontend/mips/msa.h"

#define DECODE_IMPLEMENTATION
#include "build/gen/msa.inc"

static ir_ref get(struct xlat *x, int w)
{
    return ir_get(&x->b, F_W0 + (unsigned)w);
}

static void set(struct xlat *x, int w, ir_ref value)
{
    ir_set(&x->b, F_W0 + (unsigned)w, value);
}

static ir_ref replicated(struct xlat *x, unsigned df, int value)
{
    uint64_t lane = (uint64_t)(int64_t)value, half = lane;

    for (unsigned bits = 8u << df; bits < 64; bits *= 2) {
        half &= (UINT64_C(1) << bits) - 1;
        half |= half << bits;
    }
    return ir_v128(&x->b, half, half);
}

static ir_ref v2(struct xlat *x, enum ir_op op, unsigned df, ir_ref a, ir_ref c)
{
    return ir_vec(&x->b, op, (enum ir_lane)df, a, c);
}

static ir_ref invert(struct xlat *x, ir_ref a)
{
    return v2(x, IR_VXOR, 0, a, ir_v128(&x->b, ~UINT64_C(0), ~UINT64_C(0)));
}

static ir_ref choose(struct xlat *x, ir_ref mask, ir_ref yes, ir_ref no)
{
    return ir_emit(&x->b, IR_VSELECT, IR_V128, 0, 0, mask, yes, no, 0);
}

/* ---- element by element ---------------------------------------------------------------------- */

/* What the IR has of them: IR_NONE if it has not. */
static ir_ref in_line(struct xlat *x, enum msa_operation op, unsigned df, ir_ref s, ir_ref t)
{
    if (op == MSA_OP_ADDV)
        return v2(x, IR_VADD, df, s, t);
    if (op == MSA_OP_SUBV)
        return v2(x, IR_VSUB, df, s, t);
    if (df > 2)
        return IR_NONE;
    switch (op) {
    case MSA_OP_MULV:
        return v2(x, IR_VMUL, df, s, t);
    case MSA_OP_MAX_S:
        return v2(x, IR_VMAX_S, df, s, t);
    case MSA_OP_MAX_U:
        return v2(x, IR_VMAX_U, df, s, t);
    case MSA_OP_MIN_S:
        return v2(x, IR_VMIN_S, df, s, t);
    case MSA_OP_MIN_U:
        return v2(x, IR_VMIN_U, df, s, t);
    case MSA_OP_CEQ:
        return v2(x, IR_VCMPEQ, df, s, t);
    case MSA_OP_CLT_S:
        return v2(x, IR_VCMPGT_S, df, t, s);
    case MSA_OP_CLT_U:
        return v2(x, IR_VCMPGT_U, df, t, s);
    case MSA_OP_CLE_S:
        return invert(x, v2(x, IR_VCMPGT_S, df, s, t));
    case MSA_OP_CLE_U:
        return invert(x, v2(x, IR_VCMPGT_U, df, s, t));
    default:
        break;
    }
    if (df > 1)
        return IR_NONE;
    switch (op) {
    case MSA_OP_ADDS_S:
        return v2(x, IR_VADDS_S, df, s, t);
    case MSA_OP_ADDS_U:
        return v2(x, IR_VADDS_U, df, s, t);
    case MSA_OP_SUBS_S:
        return v2(x, IR_VSUBS_S, df, s, t);
    case MSA_OP_SUBS_U:
        return v2(x, IR_VSUBS_U, df, s, t);
    case MSA_OP_AVER_U:
        return v2(x, IR_VAVG_U, df, s, t);
    default:
        return IR_NONE;
    }
}

static bool vector(struct xlat *x, enum msa_operation op, unsigned df, int wd, int ws, int wt)
{
    ir_ref value = in_line(x, op, df, get(x, ws), get(x, wt));

    if (value != IR_NONE)
        set(x, wd, value);
    else
        ir_call(&x->b, &helper_msa_vector, ir_i32(&x->b, MSA_WORD(op, df, wd, ws, wt)), IR_NONE,
                IR_NONE, IR_NONE);
    return true;
}

/* number: an I32 */
static bool with_number(struct xlat *x, enum msa_operation op, unsigned df, int wd, int ws,
                        ir_ref number)
{
    ir_call(&x->b, &helper_msa_number, ir_i32(&x->b, MSA_WORD(op, df, wd, ws, 0)), number, IR_NONE,
            IR_NONE);
    return true;
}

static bool with_immediate(struct xlat *x, enum msa_operation op, unsigned df, int wd, int ws,
                           int number)
{
    ir_ref value = in_line(x, op, df, get(x, ws), replicated(x, df, number));

    if (value == IR_NONE)
        return with_number(x, op, df, wd, ws, ir_i32(&x->b, (uint32_t)number));
    set(x, wd, value);
    return true;
}

#define VECTOR(name, reserved)                                                                     \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_3r *a)                         \
    {                                                                                              \
        if (reserved)                                                                              \
            return false;                                                                          \
        return !mips_check_msa(x) ||                                                               \
               vector(x, MSA_OP_##name, (unsigned)a->df, a->wd, a->ws, a->wt);                     \
    }
#define ALL(name) VECTOR(name, false)
#define WIDENING(name) VECTOR(name, a->df == 0)
#define IMMEDIATE(name, op)                                                                        \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_i *a)                          \
    {                                                                                              \
        return !mips_check_msa(x) ||                                                               \
               with_immediate(x, MSA_OP_##op, (unsigned)a->df, a->wd, a->ws, a->imm);              \
    }
ALL(SLL)
ALL(SRA)
ALL(SRL)
ALL(BCLR)
ALL(BSET)
ALL(BNEG)
ALL(BINSL)
ALL(BINSR)
ALL(ADDV)
ALL(SUBV)
ALL(MAX_S)
ALL(MAX_U)
ALL(MIN_S)
ALL(MIN_U)
ALL(MAX_A)
ALL(MIN_A)
ALL(CEQ)
ALL(CLT_S)
ALL(CLT_U)
ALL(CLE_S)
ALL(CLE_U)
ALL(ADD_A)
ALL(ADDS_A)
ALL(ADDS_S)
ALL(ADDS_U)
ALL(AVE_S)
ALL(AVE_U)
ALL(AVER_S)
ALL(AVER_U)
ALL(SUBS_S)
ALL(SUBS_U)
ALL(SUBSUS_U)
ALL(SUBSUU_S)
ALL(ASUB_S)
ALL(ASUB_U)
ALL(MULV)
ALL(MADDV)
ALL(MSUBV)
ALL(DIV_S)
ALL(DIV_U)
ALL(MOD_S)
ALL(MOD_U)
ALL(SRAR)
ALL(SRLR)
ALL(PCKEV)
ALL(PCKOD)
ALL(ILVEV)
ALL(ILVOD)
ALL(VSHF)
WIDENING(DOTP_S)
WIDENING(DOTP_U)
WIDENING(DPADD_S)
WIDENING(DPADD_U)
WIDENING(DPSUB_S)
WIDENING(DPSUB_U)
WIDENING(HADD_S)
WIDENING(HADD_U)
WIDENING(HSUB_S)
WIDENING(HSUB_U)
IMMEDIATE(ADDVI, ADDV)
IMMEDIATE(SUBVI, SUBV)
IMMEDIATE(MAXI_S, MAX_S)
IMMEDIATE(MAXI_U, MAX_U)
IMMEDIATE(MINI_S, MIN_S)
IMMEDIATE(MINI_U, MIN_U)
IMMEDIATE(CEQI, CEQ)
IMMEDIATE(CLTI_S, CLT_S)
IMMEDIATE(CLTI_U, CLT_U)
IMMEDIATE(CLEI_S, CLE_S)
IMMEDIATE(CLEI_U, CLE_U)

/* Q15 and Q31: their one format bit says halfwords or words. */
#define FRACTION(name)                                                                             \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_3r *a)                         \
    {                                                                                              \
        return !mips_check_msa(x) ||                                                               \
               vector(x, MSA_OP_##name, (unsigned)a->df + 1, a->wd, a->ws, a->wt);                 \
    }
FRACTION(MUL_Q)
FRACTION(MADD_Q)
FRACTION(MSUB_Q)
FRACTION(MULR_Q)
FRACTION(MADDR_Q)
FRACTION(MSUBR_Q)

/* The format and the number of a bit: table "df/m". False: reserved. */
static bool bit_format(int dfm, unsigned *df, int *m)
{
    *df = dfm < 0x40 ? 3 : dfm < 0x60 ? 2 : dfm < 0x70 ? 1 : 0;
    *m = dfm & ((8 << *df) - 1);
    return dfm < 0x78;
}

static bool shift_immediate(struct xlat *x, const struct arg_msa_bit *a, enum msa_operation op,
                            enum ir_op in_ir)
{
    unsigned df;
    int m;

    if (!bit_format(a->dfm, &df, &m))
        return false;
    if (!mips_check_msa(x))
        return true;
    if (in_ir == IR_NOP || df == 0 || (df == 3 && in_ir == IR_VSAR_I) || !m)
        return with_number(x, op, df, a->wd, a->ws, ir_i32(&x->b, (uint32_t)m));
    set(x, a->wd, ir_vec_i(&x->b, in_ir, (enum ir_lane)df, get(x, a->ws), (unsigned)m));
    return true;
}

#define BIT(name, op, in_ir)                                                                       \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_bit *a)                        \
    {                                                                                              \
        return shift_immediate(x, a, MSA_OP_##op, in_ir);                                          \
    }
BIT(SLLI, SLL, IR_VSHL_I)
BIT(SRAI, SRA, IR_VSAR_I)
BIT(SRLI, SRL, IR_VSHR_I)
BIT(BCLRI, BCLR, IR_NOP)
BIT(BSETI, BSET, IR_NOP)
BIT(BNEGI, BNEG, IR_NOP)
BIT(BINSLI, BINSL, IR_NOP)
BIT(BINSRI, BINSR, IR_NOP)
BIT(SAT_S, SAT_S, IR_NOP)
BIT(SAT_U, SAT_U, IR_NOP)
BIT(SRARI, SRAR, IR_NOP)
BIT(SRLRI, SRLR, IR_NOP)

#define COUNT(name)                                                                                \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_2r *a)                         \
    {                                                                                              \
        return !mips_check_msa(x) ||                                                               \
               with_number(x, MSA_OP_##name, (unsigned)a->df, a->wd, a->ws, ir_i32(&x->b, 0));     \
    }
COUNT(PCNT)
COUNT(NLOC)
COUNT(NLZC)

/* ---- all bits
   -------------------------------------------------------------------------------- */

enum bitwise { AND, OR, NOR, XOR, BMNZ, BMZ, BSEL };

static bool bits(struct xlat *x, enum bitwise op, int wd, int ws, ir_ref t)
{
    ir_ref s = get(x, ws), d = get(x, wd), value;

    switch (op) {
    case AND:
        value = v2(x, IR_VAND, 0, s, t);
        break;
    case OR:
        value = v2(x, IR_VOR, 0, s, t);
        break;
    case NOR:
        value = invert(x, v2(x, IR_VOR, 0, s, t));
        break;
    case XOR:
        value = v2(x, IR_VXOR, 0, s, t);
        break;
    case BMNZ:
        value = choose(x, t, s, d);
        break;
    case BMZ:
        value = choose(x, t, d, s);
        break;
    default:
        value = choose(x, d, t, s);
        break;
    }
    set(x, wd, value);
    return true;
}

#define BITS(name, immediate)                                                                      \
    bool mips_trans_MSA_##name##_V(struct xlat *x, const struct arg_msa_3r *a)                     \
    {                                                                                              \
        return !mips_check_msa(x) || bits(x, name, a->wd, a->ws, get(x, a->wt));                   \
    }                                                                                              \
    bool mips_trans_MSA_##immediate(struct xlat *x, const struct arg_msa_i *a)                     \
    {                                                                                              \
        return !mips_check_msa(x) || bits(x, name, a->wd, a->ws, replicated(x, 0, a->imm));        \
    }
BITS(AND, ANDI)
BITS(OR, ORI)
BITS(NOR, NORI)
BITS(BMNZ, BMNZI)
BITS(BMZ, BMZI)
BITS(BSEL, BSELI)
BITS(XOR, XORI)

/* ---- elements moved
   -------------------------------------------------------------------------- */

/* SHF.df wd, ws, i8 */
bool mips_trans_MSA_SHF(struct xlat *x, const struct arg_msa_i *a)
{
    return !mips_check_msa(x) || with_number(x, MSA_OP_SHF, (unsigned)a->df, a->wd, a->ws,
                                             ir_i32(&x->b, (uint32_t)a->imm));
}

/* SLD.df wd, ws[rt]; SPLAT.df wd, ws[rt] */
bool mips_trans_MSA_SLD(struct xlat *x, const struct arg_msa_3r *a)
{
    return !mips_check_msa(x) ||
           with_number(x, MSA_OP_SLD, (unsigned)a->df, a->wd, a->ws, mips_get32(x, a->wt));
}

bool mips_trans_MSA_SPLAT(struct xlat *x, const struct arg_msa_3r *a)
{
    return !mips_check_msa(x) ||
           with_number(x, MSA_OP_SPLAT, (unsigned)a->df, a->wd, a->ws, mips_get32(x, a->wt));
}

/* ILVL.df wd, ws, wt; ILVR */
static bool interleave(struct xlat *x, const struct arg_msa_3r *a, enum ir_op op)
{
    if (mips_check_msa(x))
        set(x, a->wd, v2(x, op, (unsigned)a->df, get(x, a->wt), get(x, a->ws)));
    return true;
}

bool mips_trans_MSA_ILVL(struct xlat *x, const struct arg_msa_3r *a)
{
    return interleave(x, a, IR_VZIP_HI);
}

bool mips_trans_MSA_ILVR(struct xlat *x, const struct arg_msa_3r *a)
{
    return interleave(x, a, IR_VZIP_LO);
}

/* LDI.df wd, s10 */
bool mips_trans_MSA_LDI(struct xlat *x, const struct arg_msa_i *a)
{
    if (mips_check_msa(x))
        set(x, a->wd, replicated(x, (unsigned)a->df, a->imm));
    return true;
}

/* The format and the number of an element: table "df/n". False: reserved. */
static bool element_format(int dfn, unsigned *df, int *n)
{
    *df = dfn < 0x20 ? 0 : dfn < 0x30 ? 1 : dfn < 0x38 ? 2 : 3;
    *n = dfn & ((16 >> *df) - 1);
    return dfn < 0x10 || (dfn >= 0x20 && dfn < 0x28) || (dfn >= 0x30 && dfn < 0x34) ||
           (dfn >= 0x38 && dfn < 0x3a);
}

static bool move_elements(struct xlat *x, const struct arg_msa_elm *a, enum msa_operation op)
{
    unsigned df;
    int n;

    if (!element_format(a->dfn, &df, &n))
        return false;
    return !mips_check_msa(x) || with_number(x, op, df, a->wd, a->ws, ir_i32(&x->b, (uint32_t)n));
}

/* SLDI.df wd, ws[n]; SPLATI.df wd, ws[n] */
bool mips_trans_MSA_SLDI(struct xlat *x, const struct arg_msa_elm *a)
{
    return move_elements(x, a, MSA_OP_SLD);
}

bool mips_trans_MSA_SPLATI(struct xlat *x, const struct arg_msa_elm *a)
{
    return move_elements(x, a, MSA_OP_SPLAT);
}

static ir_ref lane(struct xlat *x, ir_ref vector, unsigned df, int n)
{
    return ir_emit(&x->b, IR_VGETLANE, df == 3 ? IR_I64 : IR_I32, df, (uint32_t)n, vector, IR_NONE,
                   IR_NONE, 0);
}

static ir_ref with_lane(struct xlat *x, ir_ref vector, unsigned df, int n, ir_ref value)
{
    return ir_emit(&x->b, IR_VSETLANE, IR_V128, df, (uint32_t)n, vector, value, IR_NONE, 0);
}

/* COPY_S.df rd, ws[n]; COPY_U: the doubleword and the unsigned word are MIPS64's */
static bool copy(struct xlat *x, const struct arg_msa_elm *a, bool sign)
{
    unsigned df;
    int n;

    if (!element_format(a->dfn, &df, &n) || (df == 3 && !sign) ||
        (df + !sign > 2 && !mips_x_key(x, KEY_64BIT)))
        return false;
    if (!mips_check_msa(x))
        return true;
    ir_ref value = lane(x, get(x, a->ws), df, n);
    if (df < 2 && sign)
        value = ir_ext(&x->b, IR_SEXT, value, 8u << df);
    if (df == 3)
        mips_set64(x, a->wd, value);
    else if (df == 2 && !sign)
        mips_set64(x, a->wd, ir_un(&x->b, IR_WIDEN_U, value));
    else
        mips_set32(x, a->wd, value);
    return true;
}

bool mips_trans_MSA_COPY_S(struct xlat *x, const struct arg_msa_elm *a)
{
    return copy(x, a, true);
}

bool mips_trans_MSA_COPY_U(struct xlat *x, const struct arg_msa_elm *a)
{
    return copy(x, a, false);
}

/* INSERT.df wd[n], rs */
bool mips_trans_MSA_INSERT(struct xlat *x, const struct arg_msa_elm *a)
{
    unsigned df;
    int n;

    if (!element_format(a->dfn, &df, &n) || (df == 3 && !mips_x_key(x, KEY_64BIT)))
        return false;
    if (mips_check_msa(x))
        set(x, a->wd,
            with_lane(x, get(x, a->wd), df, n,
                      df == 3 ? mips_get64(x, a->ws) : mips_get32(x, a->ws)));
    return true;
}

/* INSVE.df wd[n], ws[0] */
bool mips_trans_MSA_INSVE(struct xlat *x, const struct arg_msa_elm *a)
{
    unsigned df;
    int n;

    if (!element_format(a->dfn, &df, &n))
        return false;
    if (mips_check_msa(x))
        set(x, a->wd, with_lane(x, get(x, a->wd), df, n, lane(x, get(x, a->ws), df, 0)));
    return true;
}

/* FILL.df wd, rs */
bool mips_trans_MSA_FILL(struct xlat *x, const struct arg_msa_2r *a)
{
    if (a->df == 3 && !mips_x_key(x, KEY_64BIT))
        return false;
    if (mips_check_msa(x))
        set(x, a->wd,
            ir_emit(&x->b, IR_VDUP, IR_V128, (unsigned)a->df, 0,
                    a->df == 3 ? mips_get64(x, a->ws) : mips_get32(x, a->ws), IR_NONE, IR_NONE, 0));
    return true;
}

/* ---- floating point -------------------------------------------------------------------------- */

static bool floating(struct xlat *x, enum msa_operation op, int df, int wd, int ws, int wt,
                     unsigned number)
{
    if (mips_check_msa(x))
        ir_call(&x->b, &helper_msa_float, ir_i32(&x->b, MSA_WORD(op, df, wd, ws, wt)),
                ir_i32(&x->b, number), IR_NONE, IR_NONE);
    return true;
}

#define ROW(name)                                                                                  \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_3r *a)                         \
    {                                                                                              \
        return floating(x, MSA_OP_##name, a->df, a->wd, a->ws, a->wt, 0);                          \
    }
MSA_FLOAT3(ROW)
#undef ROW
#define ROW(name)                                                                                  \
    bool mips_trans_MSA_##name(struct xlat *x, const struct arg_msa_2r *a)                         \
    {                                                                                              \
        return floating(x, MSA_OP_##name, a->df, a->wd, a->ws, 0, 0);                              \
    }
MSA_FLOAT2(ROW)
#undef ROW

enum { LT = 1, EQ = 2, GT = 4, UN = 8 };

/* FC<name>, and FS<name> that signals for quiet NaNs */
#define COMPARE(name, relations)                                                                   \
    bool mips_trans_MSA_FC##name(struct xlat *x, const struct arg_msa_3r *a)                       \
    {                                                                                              \
        return floating(x, MSA_OP_FCMP, a->df, a->wd, a->ws, a->wt, relations);                    \
    }                                                                                              \
    bool mips_trans_MSA_FS##name(struct xlat *x, const struct arg_msa_3r *a)                       \
    {                                                                                              \
        return floating(x, MSA_OP_FCMP, a->df, a->wd, a->ws, a->wt,                                \
                        (relations) | MSA_COMPARE_SIGNALLING);                                     \
    }
COMPARE(AF, 0)
COMPARE(UN, UN)
COMPARE(EQ, EQ)
COMPARE(UEQ, UN | EQ)
COMPARE(LT, LT)
COMPARE(ULT, UN | LT)
COMPARE(LE, LT | EQ)
COMPARE(ULE, UN | LT | EQ)
COMPARE(OR, LT | EQ | GT)
COMPARE(UNE, UN | LT | GT)
COMPARE(NE, LT | GT)

/* ---- control, memory, branches --------------------------------------------------------------- */

enum { MSAIR, MSACSR };

/* CTCMSA cd, rs: MSAIR, and registers there are not, ignore it */
bool mips_trans_MSA_CTCMSA(struct xlat *x, const struct arg_msa_control *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_msa(x) || a->d != MSACSR)
        return true;
    mips_sync_pc(x);
    ir_call(b, &helper_msa_write_control, mips_get32(x, a->s), IR_NONE, IR_NONE, IR_NONE);
    ir_call(b, &helper_msa_update_mode, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    mips_end_lookup_next(x);
    return true;
}

/* CFCMSA rd, cs */
bool mips_trans_MSA_CFCMSA(struct xlat *x, const struct arg_msa_control *a)
{
    struct ir_builder *b = &x->b;

    if (!mips_check_msa(x))
        return true;
    if (a->s == MSACSR)
        mips_set32(x, a->d, ir_get(b, F_MSACSR));
    else
        mips_set32(x, a->d, ir_i32(b, a->s == MSAIR ? mips_cpu(x->cpu)->model->msair : 0));
    return true;
}

/* MOVE.V wd, ws */
bool mips_trans_MSA_MOVE(struct xlat *x, const struct arg_msa_control *a)
{
    if (mips_check_msa(x))
        set(x, a->d, get(x, a->s));
    return true;
}

/* The bytes of each element the other way round. */
static ir_ref swapped(struct xlat *x, ir_ref value, unsigned df)
{
    uint64_t half[2] = {0, 0};

    for (unsigned i = 0; i < 16; i++)
        half[i / 8] |= (uint64_t)(i ^ ((1u << df) - 1)) << i % 8 * 8;
    return v2(x, IR_VSHUFFLE, 0, value, ir_v128(&x->b, half[0], half[1]));
}

static struct mips_ea vector_address(struct xlat *x, const struct arg_msa_memory *a)
{
    return mips_ea(x, a->rs, (int64_t)a->imm * (1 << a->df));
}

/* Elements are in order of their addresses, each in the byte order of data. Any alignment will
 * do. */
bool mips_trans_MSA_LD(struct xlat *x, const struct arg_msa_memory *a)
{
    if (!mips_check_msa(x))
        return true;
    struct mips_ea ea = vector_address(x, a);
    ir_ref value = ir_load(&x->b, IR_V128, ea.base, ea.displacement, 4);
    set(x, a->wd, mips_xlat(x)->swap && a->df ? swapped(x, value, (unsigned)a->df) : value);
    return true;
}

bool mips_trans_MSA_ST(struct xlat *x, const struct arg_msa_memory *a)
{
    if (!mips_check_msa(x))
        return true;
    struct mips_ea ea = vector_address(x, a);
    ir_ref value = get(x, a->wd);
    if (mips_xlat(x)->swap && a->df)
        value = swapped(x, value, (unsigned)a->df);
    ir_store(&x->b, ea.base, ea.displacement, value, 4);
    return true;
}

static bool branch(struct xlat *x, const struct arg_msa_branch *a, ir_ref zeros, enum ir_cond cond)
{
    struct ir_builder *b = &x->b;
    ir_ref low = ir_emit(b, IR_VGETLANE, IR_I64, IR_LANE64, 0, zeros, IR_NONE, IR_NONE, 0);
    ir_ref high = ir_emit(b, IR_VGETLANE, IR_I64, IR_LANE64, 1, zeros, IR_NONE, IR_NONE, 0);

    return mips_branch_if(x, cond, ir_bin(b, IR_OR, low, high), a->imm, false);
}

/* BZ.V wt, offset: all bits are zero; BNZ.V */
bool mips_trans_MSA_BZ_V(struct xlat *x, const struct arg_msa_branch *a)
{
    return !mips_check_msa(x) || branch(x, a, get(x, a->wt), IR_Z);
}

bool mips_trans_MSA_BNZ_V(struct xlat *x, const struct arg_msa_branch *a)
{
    return !mips_check_msa(x) || branch(x, a, get(x, a->wt), IR_NZ);
}

static ir_ref zero_elements(struct xlat *x, const struct arg_msa_branch *a)
{
    return v2(x, IR_VCMPEQ, (unsigned)a->df, get(x, a->wt), ir_v128(&x->b, 0, 0));
}

/* BZ.df wt, offset: some element is zero; BNZ.df: none is */
bool mips_trans_MSA_BZ(struct xlat *x, const struct arg_msa_branch *a)
{
    return !mips_check_msa(x) || branch(x, a, zero_elements(x, a), IR_NZ);
}

bool mips_trans_MSA_BNZ(struct xlat *x, const struct arg_msa_branch *a)
{
    return !mips_check_msa(x) || branch(x, a, zero_elements(x, a), IR_Z);
}
