/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Load and store instructions of A32 and Thumb: single, dual, multiple, exclusive, swap. Section
 * numbers are those of ARM DDI 0406C. The access comes before every register change, so that a
 * fault leaves the state as it was (A8: "if the instruction aborts, Rn is unchanged").
 */
#include "frontend/arm/system.h"
#include "frontend/arm/translate_common.h"

static ir_ref reg(struct xlat *x, int n)
{
    return arm_get_reg(x, (unsigned)n);
}

static void set_reg(struct xlat *x, int n, ir_ref value)
{
    arm_set_reg(x, (unsigned)n, value);
}

/* ---- addressing ------------------------------------------------------------------------------ */

struct address {
    ir_ref base; /* the access is at base + displacement */
    int32_t displacement;
    int writeback_reg; /* -1 none */
    ir_ref writeback;  /* what it becomes */
};

/* Literals count from the word-aligned pc: A4.6.1, "Align(PC, 4)". */
static ir_ref base_register(struct xlat *x, int rn)
{
    return rn == 15 ? ir_i32(&x->b, read_pc(x) & ~3u) : reg(x, rn);
}

static bool address_immediate(struct xlat *x, int p, int u, int w, int rn, int imm,
                              struct address *out)
{
    bool writeback = !p || w;
    if (writeback && rn == 15)
        return false;
    int32_t offset = u ? imm : -imm;
    out->base = base_register(x, rn);
    out->displacement = p ? offset : 0;
    out->writeback_reg = writeback ? rn : -1;
    out->writeback = writeback ? ir_bin_i(&x->b, IR_ADD, out->base, (uint32_t)offset) : IR_NONE;
    return true;
}

static bool address_register(struct xlat *x, const struct arg_ldst_reg *a, struct address *out)
{
    struct ir_builder *b = &x->b;
    bool writeback = !a->p || a->w;
    if (a->rm == 15 || (writeback && a->rn == 15))
        return false;
    ir_ref base = base_register(x, a->rn);
    ir_ref offset =
        arm_shift_immediate(x, reg(x, a->rm), (unsigned)a->type, (unsigned)a->amount, false).value;
    ir_ref sum = ir_bin(b, a->u ? IR_ADD : IR_SUB, base, offset);
    out->base = a->p ? sum : base;
    out->displacement = 0;
    out->writeback_reg = writeback ? a->rn : -1;
    out->writeback = sum;
    return true;
}

static void write_back(struct xlat *x, const struct address *at)
{
    if (at->writeback_reg >= 0)
        set_reg(x, at->writeback_reg, at->writeback);
}

/* ---- single, A5.2.8, A5.2.9, A5.3, A6.3.7 to A6.3.10 ------------------------------------------
 */

enum access_flags {
    ACCESS_BYTE = 0,
    ACCESS_HALF = 1,
    ACCESS_WORD = 2,
    ACCESS_SIZE = 3,
    ACCESS_SIGNED = 4,
    ACCESS_USER = 8,
};

static unsigned access_memop(struct xlat *x, unsigned flags)
{
    return arm_memop(x, flags & ACCESS_SIZE, flags & ACCESS_SIGNED, false) |
           (flags & ACCESS_USER ? IR_MEM_USER : 0);
}

static bool load(struct xlat *x, int rt, const struct address *at, unsigned flags)
{
    if (rt == 15 && flags != ACCESS_WORD)
        return false;
    ir_ref value = ir_load(&x->b, IR_I32, at->base, at->displacement, access_memop(x, flags));
    write_back(x, at); /* Rt = Rn is UNPREDICTABLE: the loaded value stands */
    if (rt == 15)
        arm_write_pc(x, value, true); /* LoadWritePC */
    else
        set_reg(x, rt, value);
    return true;
}

static bool store(struct xlat *x, int rt, const struct address *at, unsigned flags)
{
    if (rt == 15 && (flags != ACCESS_WORD || is_t32(x)))
        return false;
    ir_store(&x->b, at->base, at->displacement, reg(x, rt), access_memop(x, flags));
    write_back(x, at);
    return true;
}

static bool access_immediate(struct xlat *x, const struct arg_ldst_imm *a, bool is_load,
                             unsigned flags)
{
    struct address at;
    /* T32: a store with Rn = 15 and an unprivileged access with it are UNDEFINED. */
    if (is_t32(x) && a->rn == 15 && !is_load)
        return false;
    if (!address_immediate(x, a->p, a->u, a->w, a->rn, a->imm, &at))
        return false;
    return is_load ? load(x, a->rt, &at, flags) : store(x, a->rt, &at, flags);
}

static bool access_register(struct xlat *x, const struct arg_ldst_reg *a, bool is_load,
                            unsigned flags)
{
    struct address at;
    if (is_t32(x) && a->rn == 15)
        return false;
    if (!address_register(x, a, &at))
        return false;
    return is_load ? load(x, a->rt, &at, flags) : store(x, a->rt, &at, flags);
}

/* LDR<size> Rt, [Rn {, offset}], with pre- and post-indexing; LDR<size>T: as if unprivileged */
#define ACCESS_FORMS(name, is_load, flags)                                                         \
    bool trans_##name##_imm(struct xlat *x, const struct arg_ldst_imm *a)                          \
    {                                                                                              \
        return access_immediate(x, a, is_load, flags);                                             \
    }                                                                                              \
    bool trans_##name##_reg(struct xlat *x, const struct arg_ldst_reg *a)                          \
    {                                                                                              \
        return access_register(x, a, is_load, flags);                                              \
    }
#define ACCESS(name, is_load, flags)                                                               \
    ACCESS_FORMS(name, is_load, flags)                                                             \
    ACCESS_FORMS(name##T, is_load, (flags) | ACCESS_USER)
ACCESS(STR, false, ACCESS_WORD)
ACCESS(STRB, false, ACCESS_BYTE)
ACCESS(STRH, false, ACCESS_HALF)
ACCESS(LDR, true, ACCESS_WORD)
ACCESS(LDRB, true, ACCESS_BYTE)
ACCESS(LDRH, true, ACCESS_HALF)
ACCESS(LDRSB, true, ACCESS_BYTE | ACCESS_SIGNED)
ACCESS(LDRSH, true, ACCESS_HALF | ACCESS_SIGNED)

/* PLD, PLDW, PLI and unallocated memory hints: nothing to see */
bool trans_PRELOAD(struct xlat *x, const struct arg_empty *a)
{
    return true;
}

/* ---- dual, A8.8.72 (LDRD), A8.8.210 (STRD): two words, word-aligned ----------------------------
 */

static bool bad_dual(struct xlat *x, int p, int w, int rt, int rt2)
{
    if (rt == 15 || rt2 == 15)
        return true;
    return arm_xlat(x)->thumb ? false : (rt & 1) || (!p && w);
}

static bool load_dual(struct xlat *x, int rt, int rt2, const struct address *at)
{
    struct ir_builder *b = &x->b;
    unsigned memop = arm_memop(x, 2, false, true);
    ir_ref pointer = ir_probe(b, at->base, at->displacement, 8, memop);
    ir_ref first = ir_hload(b, IR_I32, pointer, 0, memop);
    ir_ref second = ir_hload(b, IR_I32, pointer, 4, memop);
    set_reg(x, rt, first);
    set_reg(x, rt2, second);
    write_back(x, at); /* Rn = Rt or Rt2 is UNPREDICTABLE: the address stands */
    return true;
}

static bool store_dual(struct xlat *x, int rt, int rt2, const struct address *at)
{
    struct ir_builder *b = &x->b;
    unsigned memop = arm_memop(x, 2, false, true) | IR_MEM_WRITE;
    ir_ref first = reg(x, rt), second = reg(x, rt2);
    ir_ref pointer = ir_probe(b, at->base, at->displacement, 8, memop);
    ir_hstore(b, pointer, 0, first, memop);
    ir_hstore(b, pointer, 4, second, memop);
    ir_commit(b, pointer, at->base, at->displacement, 8, memop);
    write_back(x, at);
    return true;
}

static bool dual_immediate(struct xlat *x, const struct arg_ldrd_imm *a, struct address *at)
{
    return !bad_dual(x, a->p, a->w, a->rt, a->rt2) &&
           address_immediate(x, a->p, a->u, a->w, a->rn, a->imm, at);
}

static bool dual_register(struct xlat *x, const struct arg_ldrd_reg *a, struct address *at)
{
    const struct arg_ldst_reg single = {
        .p = a->p, .u = a->u, .w = a->w, .rn = a->rn, .rt = a->rt, .rm = a->rm};
    return !bad_dual(x, a->p, a->w, a->rt, a->rt2) && address_register(x, &single, at);
}

/* LDRD Rt, Rt2, [Rn {, #imm}] */
bool trans_LDRD_imm(struct xlat *x, const struct arg_ldrd_imm *a)
{
    struct address at;
    return dual_immediate(x, a, &at) && load_dual(x, a->rt, a->rt2, &at);
}

/* STRD Rt, Rt2, [Rn {, #imm}] */
bool trans_STRD_imm(struct xlat *x, const struct arg_ldrd_imm *a)
{
    struct address at;
    if (is_t32(x) && a->rn == 15)
        return false;
    return dual_immediate(x, a, &at) && store_dual(x, a->rt, a->rt2, &at);
}

/* LDRD Rt, Rt2, [Rn, Rm] */
bool trans_LDRD_reg(struct xlat *x, const struct arg_ldrd_reg *a)
{
    struct address at;
    return dual_register(x, a, &at) && load_dual(x, a->rt, a->rt2, &at);
}

/* STRD Rt, Rt2, [Rn, Rm] */
bool trans_STRD_reg(struct xlat *x, const struct arg_ldrd_reg *a)
{
    struct address at;
    return dual_register(x, a, &at) && store_dual(x, a->rt, a->rt2, &at);
}

/* ---- multiple, A8.8.57 (LDM), A8.8.199 (STM), B9.3.5, B9.3.17 (with ^) ----------------------- */

/* Where the lowest register goes, from Rn. */
static int32_t multiple_start(const struct arg_ldm *a, unsigned n)
{
    int32_t bytes = (int32_t)(4 * n);
    return a->u ? (a->p ? 4 : 0) : (a->p ? -bytes : 4 - bytes);
}

static ir_ref multiple_writeback(struct xlat *x, const struct arg_ldm *a, unsigned n)
{
    return ir_bin_i(&x->b, IR_ADD, reg(x, a->rn), a->u ? 4 * n : 0u - 4 * n);
}

static bool bad_multiple(struct xlat *x, const struct arg_ldm *a)
{
    if (!a->list || a->rn == 15)
        return true;
    if (is_t32(x) && (!(a->list & (a->list - 1)) || a->list & 0x2000))
        return true;
    /* The ^ forms exist at PL1 only; with writeback only the exception return does. */
    return a->user && (!is_privileged(x) || (a->w && !(a->list & 0x8000)));
}

/* Writeback of a register that is in the list: T16 does not write back (A8.8.57 T1), elsewhere it
 * is UNPREDICTABLE. */
static bool load_multiple_writeback(struct xlat *x, const struct arg_ldm *a, bool *bad)
{
    bool in_list = a->list >> a->rn & 1;
    *bad = a->w && in_list && arm_xlat(x)->length == 4;
    return a->w && !in_list;
}

/* LDM{IA,IB,DA,DB} Rn{!}, {list}{^}; POP */
bool trans_LDM(struct xlat *x, const struct arg_ldm *a)
{
    struct ir_builder *b = &x->b;
    unsigned n = (unsigned)__builtin_popcount((unsigned)a->list), i = 0;
    bool user_bank = a->user && !(a->list & 0x8000);
    ir_ref values[16];
    bool bad, writeback = load_multiple_writeback(x, a, &bad);
    if (bad || bad_multiple(x, a))
        return false;
    unsigned memop = arm_memop(x, 2, false, true);
    ir_ref base = reg(x, a->rn);
    ir_ref pointer = ir_probe(b, base, multiple_start(a, n), 4 * n, memop);
    for (int r = 0; r < 16; r++)
        if (a->list >> r & 1)
            values[r] = ir_hload(b, IR_I32, pointer, 4 * i++, memop);
    if (writeback)
        set_reg(x, a->rn, multiple_writeback(x, a, n));
    for (int r = 0; r < 15; r++) {
        if (!(a->list >> r & 1))
            continue;
        if (user_bank && r >= 8)
            ir_call(b, &helper_user_reg_write, ir_i32(b, (uint32_t)r), values[r], IR_NONE, IR_NONE);
        else
            set_reg(x, r, values[r]);
    }
    if (a->list & 0x8000 && a->user) {
        ir_call(b, &helper_exception_return, values[15], IR_NONE, IR_NONE, IR_NONE);
        ir_exit_lookup(b);
    } else if (a->list & 0x8000) {
        arm_write_pc(x, values[15], true);
    }
    return true;
}

/* STM{IA,IB,DA,DB} Rn{!}, {list}{^}; PUSH. Rn in the list is stored as it was. */
bool trans_STM(struct xlat *x, const struct arg_ldm *a)
{
    struct ir_builder *b = &x->b;
    unsigned n = (unsigned)__builtin_popcount((unsigned)a->list), i = 0;
    ir_ref values[16];
    if (bad_multiple(x, a) || (a->user && a->w) || (is_t32(x) && a->w && a->list >> a->rn & 1))
        return false;
    unsigned memop = arm_memop(x, 2, false, true) | IR_MEM_WRITE;
    for (int r = 0; r < 16; r++) {
        if (!(a->list >> r & 1))
            continue;
        if (a->user && r >= 8 && r < 15)
            values[r] = ir_call(b, &helper_user_reg_read, ir_i32(b, (uint32_t)r), IR_NONE, IR_NONE,
                                IR_NONE);
        else
            values[r] = reg(x, r);
    }
    ir_ref base = reg(x, a->rn);
    int32_t offset = multiple_start(a, n);
    ir_ref pointer = ir_probe(b, base, offset, 4 * n, memop);
    for (int r = 0; r < 16; r++)
        if (a->list >> r & 1)
            ir_hstore(b, pointer, 4 * i++, values[r], memop);
    ir_commit(b, pointer, base, offset, 4 * n, memop);
    if (a->w)
        set_reg(x, a->rn, multiple_writeback(x, a, n));
    return true;
}

/* ---- exclusives, A3.4, A8.8.75 (LDREX), A8.8.212 (STREX) ------------------------------------- */

/* Thumb has no r13 here either: BadReg, A6.1.1. */
static bool bad_register(struct xlat *x, int n)
{
    return n == 15 || (n == 13 && arm_xlat(x)->thumb);
}

static void set_monitor(struct xlat *x, ir_ref address, unsigned size, ir_ref value)
{
    struct ir_builder *b = &x->b;
    ir_set(b, F_EXCL_VALID, ir_i32(b, 1));
    ir_set(b, F_EXCL_ADDRESS, address);
    ir_set(b, F_EXCL_SIZE, ir_i32(b, size));
    ir_set(b, F_EXCL_VALUE, value);
}

static ir_ref exclusive_address(struct xlat *x, int rn, int imm)
{
    return imm ? ir_bin_i(&x->b, IR_ADD, reg(x, rn), (uint32_t)imm) : reg(x, rn);
}

static bool load_exclusive(struct xlat *x, const struct arg_ldrex *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    bool pair = size_log2 == 3;
    if (bad_register(x, a->rt) || a->rn == 15 || (pair && bad_register(x, a->rt2)))
        return false;
    if (pair && (arm_xlat(x)->thumb ? a->rt == a->rt2 : a->rt & 1))
        return false;
    ir_ref address = exclusive_address(x, a->rn, a->imm);
    ir_ref value = ir_load(b, pair ? IR_I64 : IR_I32, address, 0,
                           arm_memop(x, size_log2, false, true) | IR_MEM_EXCLUSIVE);
    ir_ref low = pair ? ir_un(b, IR_NARROW, value) : value;
    ir_ref high = pair ? ir_un(b, IR_HIGH, value) : IR_NONE;
    set_monitor(x, address, 1u << size_log2, pair ? value : ir_un(b, IR_WIDEN_U, value));
    /* Big-endian data: the 64-bit value was swapped whole, its high word is first in memory. */
    bool swapped = pair && arm_xlat(x)->key & KEY_E;
    set_reg(x, a->rt, swapped ? high : low);
    if (pair)
        set_reg(x, a->rt2, swapped ? low : high);
    return true;
}

/* The monitor holds this address and size: the store happens if memory still has what was loaded.
 */
static void store_exclusive_try(struct xlat *x, const struct arg_strex *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    bool pair = size_log2 == 3;
    ir_ref expected = ir_get(b, F_EXCL_VALUE), value = reg(x, a->rt);
    if (pair) {
        bool swapped = arm_xlat(x)->key & KEY_E;
        ir_ref other = reg(x, a->rt2);
        value = ir_emit(b, IR_CONCAT, IR_I64, 0, 0, swapped ? other : value,
                        swapped ? value : other, IR_NONE, 0);
    } else {
        expected = ir_un(b, IR_NARROW, expected);
        if (size_log2 < 2)
            value = ir_ext(b, IR_ZEXT, value, 8u << size_log2);
    }
    ir_ref old = ir_cas(b, pair ? IR_I64 : IR_I32, exclusive_address(x, a->rn, a->imm), expected,
                        value, arm_memop(x, size_log2, false, true) | IR_MEM_EXCLUSIVE);
    ir_ref failed = ir_setcc(b, IR_NZ, ir_compare(b, old, expected));
    ir_set(b, F_EXCL_VALID, ir_i32(b, 0));
    set_reg(x, a->rd, failed);
}

static bool bad_store_exclusive(struct xlat *x, const struct arg_strex *a, unsigned size_log2)
{
    if (bad_register(x, a->rd) || bad_register(x, a->rt) || a->rn == 15 || a->rd == a->rn ||
        a->rd == a->rt)
        return true;
    if (size_log2 != 3)
        return false;
    return a->rd == a->rt2 || bad_register(x, a->rt2) || (!arm_xlat(x)->thumb && a->rt & 1);
}

static bool store_exclusive(struct xlat *x, const struct arg_strex *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    if (bad_store_exclusive(x, a, size_log2))
        return false;
    unsigned attempt = ir_block_create(b), refuse = ir_block_create(b), done = ir_block_create(b);
    ir_ref address = exclusive_address(x, a->rn, a->imm);
    ir_ref differ = ir_bin(b, IR_XOR, address, ir_get(b, F_EXCL_ADDRESS));
    differ = ir_bin(b, IR_OR, differ, ir_bin_i(b, IR_XOR, ir_get(b, F_EXCL_VALID), 1));
    differ = ir_bin(b, IR_OR, differ, ir_bin_i(b, IR_XOR, ir_get(b, F_EXCL_SIZE), 1u << size_log2));
    ir_brcc(b, IR_Z, ir_test(b, differ), attempt, refuse);
    ir_block_begin(b, attempt);
    store_exclusive_try(x, a, size_log2);
    ir_br(b, done);
    ir_block_begin(b, refuse);
    /* Whether a refused store may abort is up to the implementation (A3.4.5): it does not. */
    ir_set(b, F_EXCL_VALID, ir_i32(b, 0));
    set_reg(x, a->rd, ir_i32(b, 1));
    ir_block_begin(b, done);
    return true;
}

/* LDREX<size> Rt, [Rn]; STREX<size> Rd, Rt, [Rn] */
#define EXCLUSIVE(suffix, size_log2)                                                               \
    bool trans_LDREX##suffix(struct xlat *x, const struct arg_ldrex *a)                            \
    {                                                                                              \
        return load_exclusive(x, a, size_log2);                                                    \
    }                                                                                              \
    bool trans_STREX##suffix(struct xlat *x, const struct arg_strex *a)                            \
    {                                                                                              \
        return store_exclusive(x, a, size_log2);                                                   \
    }
EXCLUSIVE(, 2)
EXCLUSIVE(B, 0)
EXCLUSIVE(H, 1)
EXCLUSIVE(D, 3)

/* CLREX */
bool trans_CLREX(struct xlat *x, const struct arg_empty *a)
{
    ir_set(&x->b, F_EXCL_VALID, ir_i32(&x->b, 0));
    return true;
}

/* SCTLR.SW (B4.1.130) decides whether SWP exists; it is looked at here and not in the key, as
 * nobody but old user programs swaps. */
static void swap_check(struct arm_cpu *cpu)
{
    if (!(cpu->cp15.sctlr & SCTLR_SW))
        arm_raise_undefined(cpu);
}

static const struct ir_helper helper_swap_check =
    IR_HELPER(swap_check, IR_VOID, 0, HELPER_MAY_FAULT, 0, 0);

static bool swap(struct xlat *x, const struct arg_swp *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    if (a->rn == 15 || a->rt == 15 || a->rt2 == 15)
        return false;
    ir_call(b, &helper_swap_check, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    ir_ref value = reg(x, a->rt2);
    if (size_log2 == 0)
        value = ir_ext(b, IR_ZEXT, value, 8);
    set_reg(
        x, a->rt,
        ir_rmw(b, IR_I32, IR_RMW_XCHG, reg(x, a->rn), value, arm_memop(x, size_log2, false, true)));
    return true;
}

/* SWP Rt, Rt2, [Rn] */
bool trans_SWP(struct xlat *x, const struct arg_swp *a)
{
    return swap(x, a, 2);
}

/* SWPB Rt, Rt2, [Rn] */
bool trans_SWPB(struct xlat *x, const struct arg_swp *a)
{
    return swap(x, a, 0);
}
