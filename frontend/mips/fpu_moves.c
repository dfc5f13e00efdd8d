/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FPU's loads, stores, moves and branches. None of them changes FCSR. */
#include "frontend/mips/fpu.h"

/* ---- loads and stores ------------------------------------------------------------------------ */

/* In the other byte order a value goes through an integer. */
static enum ir_type access_type(bool wide, unsigned memop)
{
    if (memop & IR_MEM_SWAP)
        return wide ? IR_I64 : IR_I32;
    return wide ? IR_F64 : IR_F32;
}

static bool load(struct xlat *x, const struct mips_ea *ea, enum fp_fmt fmt, int fd)
{
    bool wide = fmt == FMT_D;
    unsigned memop = mips_memop(x, wide ? 3 : 2, false, false);
    ir_ref value = ir_load(&x->b, access_type(wide, memop), ea->base, ea->displacement, memop);

    if (memop & IR_MEM_SWAP)
        value = mips_fp_bitcast(x, wide ? IR_F64 : IR_F32, value);
    mips_fp_set(x, fmt, fd, value);
    return true;
}

static bool store(struct xlat *x, const struct mips_ea *ea, enum fp_fmt fmt, int fs)
{
    bool wide = fmt == FMT_D;
    unsigned memop = mips_memop(x, wide ? 3 : 2, false, false);
    ir_ref value = mips_fp_get(x, fmt, fs);

    if (memop & IR_MEM_SWAP)
        value = mips_fp_bitcast(x, access_type(wide, memop), value);
    ir_store(&x->b, ea->base, ea->displacement, value, memop);
    return true;
}

/* LDC1 and SDC1 of an odd register with FR = 0 are UNPREDICTABLE: the pair it belongs to. */
#define ACCESS(name, direction, fmt)                                                               \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp_load *a)                            \
    {                                                                                              \
        struct mips_ea ea;                                                                         \
                                                                                                   \
        if (!mips_fp_ready(x, fmt, 0))                                                             \
            return true;                                                                           \
        ea = mips_ea(x, a->base, a->offset);                                                       \
        return direction(x, &ea, fmt, a->ft);                                                      \
    }
ACCESS(LWC1, load, FMT_S)
ACCESS(LDC1, load, FMT_D)
ACCESS(SWC1, store, FMT_S)
ACCESS(SDC1, store, FMT_D)

#define INDEXED(name, direction, fmt)                                                              \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp_index *a)                           \
    {                                                                                              \
        struct mips_ea ea;                                                                         \
                                                                                                   \
        if (!mips_fp_ready(x, fmt, a->fd))                                                         \
            return true;                                                                           \
        ea = mips_ea_indexed(x, a->base, a->index);                                                \
        return direction(x, &ea, fmt, a->fd);                                                      \
    }
INDEXED(LWXC1, load, FMT_S)
INDEXED(LDXC1, load, FMT_D)
INDEXED(SWXC1, store, FMT_S)
INDEXED(SDXC1, store, FMT_D)

/* LUXC1, SUXC1: the address's low bits do not matter */
#define UNALIGNED(name, direction)                                                                 \
    bool mips_trans_##name(struct xlat *x, const struct arg_fp_index *a)                           \
    {                                                                                              \
        struct mips_ea ea;                                                                         \
                                                                                                   \
        if (!mips_fp_ready(x, FMT_L, a->fd))                                                       \
            return true;                                                                           \
        ea = mips_ea_indexed(x, a->base, a->index);                                                \
        ea.base = ir_bin_i(&x->b, IR_AND, ea.base, ~UINT64_C(7));                                  \
        return direction(x, &ea, FMT_D, a->fd);                                                    \
    }
UNALIGNED(LUXC1, load)
UNALIGNED(SUXC1, store)

/* PREFX hint, index(base): nothing to see */
bool mips_trans_PREFX(struct xlat *x, const struct arg_empty *a)
{
    mips_check_fpu(x);
    return true;
}

/* ---- moves between register files ------------------------------------------------------------ */

bool mips_trans_MFC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_fp_ready(x, FMT_S, 0))
        mips_set32(x, a->rt, mips_fp_bitcast(x, IR_I32, mips_fp_get(x, FMT_S, a->fs)));
    return true;
}

/* F_S0 or F_ODD0 + n = GPR[rt] */
static void move_half(struct xlat *x, unsigned field, int rt)
{
    unsigned high = field >= F_ODD0, n = (field - F_S0) & 31, block = x->b.block + 1;
    ir_ref value = mips_get32(x, rt);

    if (mips_xlat(x)->moved[n].block != block)
        mips_xlat(x)->moved[n].half[!high] = IR_NONE;
    mips_xlat(x)->moved[n].block = block;
    mips_xlat(x)->moved[n].half[high] = value;
    ir_set(&x->b, field, mips_fp_bitcast(x, IR_F32, value));
}

void mips_fp_join(struct xlat *x, unsigned n)
{
    ir_ref *half = mips_xlat(x)->moved[n].half;

    if (mips_xlat(x)->moved[n].block != x->b.block + 1 || !half[0] || !half[1])
        return;
    mips_xlat(x)->moved[n].block = 0;
    ir_set(&x->b, F_D0 + n, mips_fp_bitcast(x, IR_F64, ir_bin(&x->b, IR_CONCAT, half[0], half[1])));
}

bool mips_trans_MTC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_fp_ready(x, FMT_S, 0))
        move_half(x, mips_fp_field(x, FMT_S, a->fs), a->rt);
    return true;
}

bool mips_trans_MFHC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_check_fpu(x))
        mips_set32(x, a->rt,
                   mips_fp_bitcast(x, IR_I32, ir_get(&x->b, mips_fp_high_field(x, a->fs))));
    return true;
}

bool mips_trans_MTHC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_check_fpu(x))
        move_half(x, mips_fp_high_field(x, a->fs), a->rt);
    return true;
}

bool mips_trans_DMFC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_check_fpu(x))
        mips_set64(x, a->rt, mips_fp_bitcast(x, IR_I64, mips_fp_get(x, FMT_D, a->fs)));
    return true;
}

bool mips_trans_DMTC1(struct xlat *x, const struct arg_fp_core *a)
{
    if (mips_check_fpu(x))
        mips_fp_set(x, FMT_D, a->fs, mips_fp_bitcast(x, IR_F64, mips_get64(x, a->rt)));
    return true;
}

/* ---- conditional moves ----------------------------------------------------------------------- */

static ir_ref condition_code(struct xlat *x, int cc)
{
    return ir_get(&x->b, F_FCC0 + ((unsigned)cc & 7));
}

/* MOVF, MOVT rd, rs, cc */
bool mips_trans_MOVCI(struct xlat *x, const struct arg_fp_movci *a)
{
    if (mips_check_fpu(x) && a->rd)
        mips_set(x, a->rd,
                 ir_select(&x->b, a->tf ? IR_NZ : IR_Z, ir_test(&x->b, condition_code(x, a->cc)),
                           mips_get(x, a->rs), mips_get(x, a->rd)));
    return true;
}

/* A register's bits, or of FMT_S its low word's. */
static ir_ref get_bits(struct xlat *x, enum fp_fmt fmt, int n)
{
    return mips_fp_bitcast(x, fmt == FMT_D ? IR_I64 : IR_I32, mips_fp_get(x, fmt, n));
}

static void set_bits(struct xlat *x, enum fp_fmt fmt, int n, ir_ref bits)
{
    mips_fp_set(x, fmt, n, mips_fp_bitcast(x, fmt == FMT_D ? IR_F64 : IR_F32, bits));
}

/* fd = fs if cond holds of `value & value` */
static void move_if(struct xlat *x, enum fp_fmt fmt, enum ir_cond cond, ir_ref value, int fs,
                    int fd)
{
    set_bits(
        x, fmt, fd,
        ir_select(&x->b, cond, ir_test(&x->b, value), get_bits(x, fmt, fs), get_bits(x, fmt, fd)));
}

/* MOVF.fmt, MOVT.fmt fd, fs, cc; odd doubles with FR = 0 are UNPREDICTABLE: the pairs they are of
 */
bool mips_trans_MOVCF_fmt(struct xlat *x, const struct arg_fp_movcc *a)
{
    enum fp_fmt fmt = (enum fp_fmt)a->f;

    if (mips_fp_ready(x, fmt, 0))
        move_if(x, fmt, a->tf ? IR_NZ : IR_Z, condition_code(x, a->cc), a->fs, a->fd);
    return true;
}

/* MOVF.PS, MOVT.PS fd, fs, cc: the high half by the condition code after cc */
bool mips_trans_MOVCF_PS(struct xlat *x, const struct arg_ps_movcc *a)
{
    struct ir_builder *b = &x->b;
    enum ir_cond cond = a->tf ? IR_NZ : IR_Z;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    for (int half = 0; half < 2; half++) {
        unsigned first = half ? F_ODD0 : F_S0;
        ir_ref yes = mips_fp_bitcast(x, IR_I32, ir_get(b, first + (unsigned)a->fs));
        ir_ref no = mips_fp_bitcast(x, IR_I32, ir_get(b, first + (unsigned)a->fd));
        ir_ref value = ir_select(b, cond, ir_test(b, condition_code(x, a->cc + half)), yes, no);

        ir_set(b, first + (unsigned)a->fd, mips_fp_bitcast(x, IR_F32, value));
    }
    mips_forget_moved(x);
    return true;
}

/* MOVZ.fmt, MOVN.fmt fd, fs, rt */
bool mips_trans_MOVZ_fmt(struct xlat *x, const struct arg_fp_movg *a)
{
    if (mips_fp_ready(x, (enum fp_fmt)a->f, 0))
        move_if(x, (enum fp_fmt)a->f, IR_Z, mips_get(x, a->rt), a->fs, a->fd);
    return true;
}

bool mips_trans_MOVN_fmt(struct xlat *x, const struct arg_fp_movg *a)
{
    if (mips_fp_ready(x, (enum fp_fmt)a->f, 0))
        move_if(x, (enum fp_fmt)a->f, IR_NZ, mips_get(x, a->rt), a->fs, a->fd);
    return true;
}

bool mips_trans_MOVZ_PS(struct xlat *x, const struct arg_ps_movg *a)
{
    if (mips_fp_ready(x, FMT_PS, 0))
        move_if(x, FMT_D, IR_Z, mips_get(x, a->rt), a->fs, a->fd);
    return true;
}

bool mips_trans_MOVN_PS(struct xlat *x, const struct arg_ps_movg *a)
{
    if (mips_fp_ready(x, FMT_PS, 0))
        move_if(x, FMT_D, IR_NZ, mips_get(x, a->rt), a->fs, a->fd);
    return true;
}

static ir_ref bit_0(struct xlat *x, int n)
{
    return ir_bin_i(&x->b, IR_AND, mips_fp_bitcast(x, IR_I32, mips_fp_get(x, FMT_S, n)), 1);
}

/* fd = a register or 0, by bit 0 of another: SEL.fmt, SELEQZ.fmt, SELNEZ.fmt; -1 is 0 */
static bool select_by(struct xlat *x, enum fp_fmt fmt, const struct arg_fp_three *a, int by,
                      int set_, int clear)
{
    struct ir_builder *b = &x->b;
    ir_ref zero = fmt == FMT_D ? ir_i64(b, 0) : ir_i32(b, 0);

    if (!mips_fp_ready(x, fmt, a->fs | a->ft | a->fd))
        return true;
    set_bits(x, fmt, a->fd,
             ir_select(b, IR_NZ, ir_test(b, bit_0(x, by)), set_ < 0 ? zero : get_bits(x, fmt, set_),
                       clear < 0 ? zero : get_bits(x, fmt, clear)));
    return true;
}

bool mips_trans_SEL_fmt(struct xlat *x, const struct arg_fp_three *a)
{
    return select_by(x, (enum fp_fmt)a->f, a, a->fd, a->ft, a->fs);
}

bool mips_trans_SELEQZ_fmt(struct xlat *x, const struct arg_fp_three *a)
{
    return select_by(x, (enum fp_fmt)a->f, a, a->ft, -1, a->fs);
}

bool mips_trans_SELNEZ_fmt(struct xlat *x, const struct arg_fp_three *a)
{
    return select_by(x, (enum fp_fmt)a->f, a, a->ft, a->fs, -1);
}

/* ALNV.PS fd, fs, ft, rs: the pair at byte rs & 7 of fs:ft as memory would hold them. Other numbers
 * than 0 and 4 are UNPREDICTABLE: fd stays. */
bool mips_trans_ALNV_PS(struct xlat *x, const struct arg_fp_alnv *a)
{
    struct ir_builder *b = &x->b;
    bool big_endian = mips_xlat(x)->swap;
    ir_ref offset, s, t, joined, result;

    if (!mips_fp_ready(x, FMT_PS, 0))
        return true;
    offset = ir_bin_i(b, IR_AND, mips_get32(x, a->rs), 7);
    s = get_bits(x, FMT_D, a->fs);
    t = get_bits(x, FMT_D, a->ft);
    joined = big_endian ? ir_bin(b, IR_CONCAT, ir_un(b, IR_HIGH, t), ir_un(b, IR_NARROW, s))
                        : ir_bin(b, IR_CONCAT, ir_un(b, IR_HIGH, s), ir_un(b, IR_NARROW, t));
    result =
        ir_select(b, IR_Z, ir_compare(b, offset, ir_i32(b, 4)), joined, get_bits(x, FMT_D, a->fd));
    set_bits(x, FMT_D, a->fd, ir_select(b, IR_Z, ir_test(b, offset), s, result));
    return true;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* BC1F, BC1T, BC1FL, BC1TL cc, offset */
bool mips_trans_BC1(struct xlat *x, const struct arg_fp_bc *a)
{
    if (a->cc && !mips_x_has(x, MIPS_HAS_4))
        return false;
    if (!mips_check_fpu(x))
        return true;
    return mips_branch_if(x, a->tf ? IR_NZ : IR_Z, condition_code(x, a->cc), a->imm, a->nd);
}

/* BC1EQZ, BC1NEZ ft, offset: bit 0 */
bool mips_trans_BC1EQZ(struct xlat *x, const struct arg_fp_bcz *a)
{
    return !mips_check_fpu(x) || mips_branch_if(x, IR_Z, bit_0(x, a->ft), a->imm, false);
}

bool mips_trans_BC1NEZ(struct xlat *x, const struct arg_fp_bcz *a)
{
    return !mips_check_fpu(x) || mips_branch_if(x, IR_NZ, bit_0(x, a->ft), a->imm, false);
}
