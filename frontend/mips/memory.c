/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores of the base instruction set: MD00086 and MD00087, chapter 3. */
#include "frontend/mips/translate_common.h"

/* ---- addresses ------------------------------------------------------------------------------- */

unsigned mips_memop(struct xlat *x, unsigned size_log2, bool sign, bool unaligned)
{
    /* Release 6 cores do unaligned accesses themselves. */
    bool any = unaligned || mips_x_has(x, MIPS_HAS_R6);

    return size_log2 | (sign ? IR_MEM_SIGN : 0) |
           (mips_xlat(x)->swap && size_log2 ? IR_MEM_SWAP : 0) |
           (any ? 0 : IR_MEM_ALIGN_OF(size_log2));
}

static struct mips_ea address_of(struct xlat *x, ir_ref base, int64_t displacement)
{
    struct ir_builder *b = &x->b;

    if (mips_x_key(x, KEY_ADDRESS32)) {
        base = ir_bin_i(b, IR_ADD, mips_truncate(x, base), (uint32_t)displacement);
        return (struct mips_ea){mips_extend(x, base), 0};
    }
    return (struct mips_ea){base, displacement};
}

struct mips_ea mips_ea(struct xlat *x, int base, int64_t offset)
{
    return address_of(x, mips_get(x, base), offset);
}

struct mips_ea mips_ea_indexed(struct xlat *x, int base, int index)
{
    return address_of(x, ir_bin(&x->b, IR_ADD, mips_get(x, base), mips_get(x, index)), 0);
}

/* The effective address as one value. */
static ir_ref whole_address(struct xlat *x, const struct mips_ea *ea)
{
    struct ir_builder *b = &x->b;

    return ea->displacement ? ir_bin_i(b, IR_ADD, ea->base, (uint64_t)ea->displacement) : ea->base;
}

/* ---- loads and stores of aligned data -------------------------------------------------------- */

/* sign: of a narrow load; a doubleword's does not matter. */
static bool load(struct xlat *x, const struct arg_access *a, unsigned size_log2, bool sign,
                 unsigned more)
{
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    enum ir_type type = mips_xlat(x)->wide ? IR_I64 : IR_I32;
    unsigned memop = mips_memop(x, size_log2, sign, false) | more;

    mips_set(x, a->rt, ir_load(&x->b, type, ea.base, ea.displacement, memop));
    return true;
}

static bool store(struct xlat *x, const struct arg_access *a, unsigned size_log2, unsigned more)
{
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref value = size_log2 == 3 ? mips_get(x, a->rt) : mips_get32(x, a->rt);

    ir_store(&x->b, ea.base, ea.displacement, value, mips_memop(x, size_log2, false, false) | more);
    return true;
}

/* L<size> rt, offset(base); the E forms as user mode would: MD00087, "Enhanced Virtual Addressing".
 */
#define LOAD(name, size_log2, sign)                                                                \
    bool mips_trans_##name(struct xlat *x, const struct arg_access *a)                             \
    {                                                                                              \
        return load(x, a, size_log2, sign, 0);                                                     \
    }
#define LOAD_EVA(name, size_log2, sign)                                                            \
    LOAD(name, size_log2, sign)                                                                    \
    bool mips_trans_##name##E(struct xlat *x, const struct arg_access *a)                          \
    {                                                                                              \
        return !mips_check_cp0(x) || load(x, a, size_log2, sign, IR_MEM_USER);                     \
    }
LOAD_EVA(LB, 0, true)
LOAD_EVA(LBU, 0, false)
LOAD_EVA(LH, 1, true)
LOAD_EVA(LHU, 1, false)
LOAD_EVA(LW, 2, true)
LOAD(LWU, 2, false)
LOAD(LD, 3, false)

#define STORE(name, size_log2)                                                                     \
    bool mips_trans_##name(struct xlat *x, const struct arg_access *a)                             \
    {                                                                                              \
        return store(x, a, size_log2, 0);                                                          \
    }
#define STORE_EVA(name, size_log2)                                                                 \
    STORE(name, size_log2)                                                                         \
    bool mips_trans_##name##E(struct xlat *x, const struct arg_access *a)                          \
    {                                                                                              \
        return !mips_check_cp0(x) || store(x, a, size_log2, IR_MEM_USER);                          \
    }
STORE_EVA(SB, 0)
STORE_EVA(SH, 1)
STORE_EVA(SW, 2)
STORE(SD, 3)

/* PC-relative loads of release 6. */
static bool load_relative(struct xlat *x, int rt, uint64_t address, unsigned size_log2, bool sign)
{
    enum ir_type type = mips_xlat(x)->wide ? IR_I64 : IR_I32;
    ir_ref base = mips_word(x, (int64_t)address);

    mips_set(x, rt, ir_load(&x->b, type, base, 0, mips_memop(x, size_log2, sign, false)));
    return true;
}

/* LWPC rs, offset */
bool mips_trans_LWPC(struct xlat *x, const struct arg_rt_imm *a)
{
    return load_relative(x, a->rt, mips_xlat(x)->insn_pc + (uint64_t)((int64_t)a->imm * 4), 2,
                         true);
}

/* LWUPC rs, offset */
bool mips_trans_LWUPC(struct xlat *x, const struct arg_rt_imm *a)
{
    return load_relative(x, a->rt, mips_xlat(x)->insn_pc + (uint64_t)((int64_t)a->imm * 4), 2,
                         false);
}

/* LDPC rs, offset */
bool mips_trans_LDPC(struct xlat *x, const struct arg_rt_imm *a)
{
    uint64_t pc = mips_xlat(x)->insn_pc & ~UINT64_C(7);

    return load_relative(x, a->rt, pc + (uint64_t)((int64_t)a->imm * 8), 3, false);
}

/* PREF hint, offset(base): nothing to see */
bool mips_trans_PREF(struct xlat *x, const struct arg_access *a)
{
    return true;
}

/* In release 6 hints 24 to 31 are reserved. */
bool mips_trans_PREF_r6(struct xlat *x, const struct arg_access *a)
{
    return a->rt < 24;
}

/* PREFE hint, offset(base) */
bool mips_trans_PREFE(struct xlat *x, const struct arg_access *a)
{
    mips_check_cp0(x);
    return true;
}

/* ---- LWL and its like ------------------------------------------------------------------------ */

/*
 * The four (eight) forms see memory as one aligned word (doubleword) and a byte number k in it,
 * counted from the low end. "Left" is about bytes k and down, which become the register's top;
 * "right" about bytes k and up, which become its bottom. A big-endian k is turned around.
 */
struct partial {
    ir_ref aligned; /* address of the word */
    ir_ref shift;   /* 8 * k, I32 */
    unsigned bits;
};

static struct partial partial_of(struct xlat *x, const struct arg_access *a, unsigned size_log2)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref address = whole_address(x, &ea);
    unsigned last = (1u << size_log2) - 1;
    ir_ref k = ir_bin_i(b, IR_AND, mips_truncate(x, address), last);

    if (mips_xlat(x)->swap)
        k = ir_bin_i(b, IR_XOR, k, last);
    return (struct partial){
        .aligned = ir_bin_i(b, IR_AND, address, ~(uint64_t)last),
        .shift = ir_bin_i(b, IR_SHL, k, 3),
        .bits = 8u << size_log2,
    };
}

static bool load_partial(struct xlat *x, const struct arg_access *a, unsigned size_log2, bool left,
                         unsigned more)
{
    struct ir_builder *b = &x->b;
    struct partial p = partial_of(x, a, size_log2);
    bool doubleword = size_log2 == 3;
    /* EXCLUSIVE tells the fault that its address is the instruction's, not the aligned one. */
    ir_ref word = ir_load(b, doubleword ? IR_I64 : IR_I32, p.aligned, 0,
                          mips_memop(x, size_log2, false, true) | IR_MEM_EXCLUSIVE | more);
    ir_ref old = doubleword ? mips_get(x, a->rt) : mips_get32(x, a->rt);
    ir_ref ones = doubleword ? ir_i64(b, UINT64_MAX) : ir_i32(b, UINT32_MAX);
    enum ir_op op = left ? IR_SHL : IR_SHR;
    ir_ref shift = left ? ir_bin_i(b, IR_XOR, p.shift, p.bits - 8) : p.shift;
    ir_ref kept = ir_bin(b, IR_ANDN, old, ir_bin(b, op, ones, shift));
    ir_ref result = ir_bin(b, IR_OR, ir_bin(b, op, word, shift), kept);

    if (doubleword)
        mips_set(x, a->rt, result);
    else
        mips_set32(x, a->rt, result);
    return true;
}

/* Where the TLB says that the word is, if it may be stored to without further ado; else NULL. */
static uint8_t *writable_word(const struct mips_cpu *cpu, uint64_t aligned, unsigned memop)
{
    const struct run_state *run = &cpu->v.run;
    uint8_t *tlb = memop & IR_MEM_USER ? run->tlb_user : run->tlb;
    uint64_t entry = *tlb_write_entry(tlb, cpu->wide, aligned);

    return (uint8_t *)tlb_host_address(cpu->wide, entry, aligned);
}

/* The bytes of an unaligned store one by one, as what lies beside them may change at any time. The
 * one that the address names is first: if any of them faults, it does, before anything is stored.
 */
static void store_partial_bytes(void *opaque, uint64_t address, uint64_t value, uint32_t how)
{
    struct mips_cpu *cpu = opaque;
    unsigned size = how & 15, mask = size - 1, memop = how & IR_MEM_USER;
    bool left = how >> 16 & 1;
    unsigned order = how >> 17 & 1 ? mask : 0;
    unsigned k = ((unsigned)address & mask) ^ order, n = left ? k + 1 : size - k;
    uint64_t aligned = address & ~(uint64_t)mask;
    uint8_t *host = writable_word(cpu, aligned, memop);

    for (unsigned i = 0; i < n; i++) {
        unsigned at = left ? k - i : k + i, byte = left ? mask - i : i;

        if (LIKELY(host != NULL))
            __atomic_store_n(host + (at ^ order), (uint8_t)(value >> 8 * byte), __ATOMIC_RELAXED);
        else
            mmu_store(cpu->v.mmu, aligned + (at ^ order), value >> 8 * byte & 0xff, memop);
    }
}

static const struct ir_helper helper_store_partial =
    IR_HELPER(store_partial_bytes, IR_VOID, 3, HELPER_MAY_FAULT, 0, 0);

static bool store_partial(struct xlat *x, const struct arg_access *a, unsigned size_log2, bool left,
                          unsigned more)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref address = whole_address(x, &ea);
    uint32_t how =
        1u << size_log2 | more | (uint32_t)left << 16 | (uint32_t)mips_xlat(x)->swap << 17;

    if (!mips_xlat(x)->wide)
        address = ir_un(b, IR_WIDEN_U, address);
    ir_call(b, &helper_store_partial, address, mips_get64(x, a->rt), ir_i32(b, how), IR_NONE);
    return true;
}

/* LWL rt, offset(base), LWR, LDL, LDR, SWL, SWR, SDL, SDR */
#define PARTIAL(name, what, size_log2, left)                                                       \
    bool mips_trans_##name(struct xlat *x, const struct arg_access *a)                             \
    {                                                                                              \
        return what##_partial(x, a, size_log2, left, 0);                                           \
    }
#define PARTIAL_EVA(name, what, size_log2, left)                                                   \
    PARTIAL(name, what, size_log2, left)                                                           \
    bool mips_trans_##name##E(struct xlat *x, const struct arg_access *a)                          \
    {                                                                                              \
        return !mips_check_cp0(x) || what##_partial(x, a, size_log2, left, IR_MEM_USER);           \
    }
PARTIAL_EVA(LWL, load, 2, true)
PARTIAL_EVA(LWR, load, 2, false)
PARTIAL(LDL, load, 3, true)
PARTIAL(LDR, load, 3, false)
PARTIAL_EVA(SWL, store, 2, true)
PARTIAL_EVA(SWR, store, 2, false)
PARTIAL(SDL, store, 3, true)
PARTIAL(SDR, store, 3, false)

/* ---- LL and SC: MD00087, "Load Linked", "Store Conditional" -----------------------------------
 */

static ir_ref address64(struct xlat *x, ir_ref address)
{
    return mips_xlat(x)->wide ? address : ir_un(&x->b, IR_WIDEN_U, address);
}

static bool load_linked(struct xlat *x, const struct arg_access *a, unsigned size_log2,
                        unsigned more)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref address = whole_address(x, &ea);
    unsigned memop = mips_memop(x, size_log2, true, false) | IR_MEM_ALIGN_OF(size_log2) | more;
    ir_ref value = ir_load(b, mips_xlat(x)->wide ? IR_I64 : IR_I32, address, 0, memop);

    ir_set(b, F_LL_VALID, ir_i32(b, 1u << size_log2));
    ir_set(b, F_LL_ADDRESS, address64(x, address));
    ir_set(b, F_LL_VALUE, mips_xlat(x)->wide ? value : ir_un(b, IR_WIDEN_U, value));
    mips_set(x, a->rt, value);
    return true;
}

static void store_conditional_try(struct xlat *x, const struct arg_access *a, unsigned size_log2,
                                  unsigned memop)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    bool doubleword = size_log2 == 3;
    ir_ref expected = ir_get(b, F_LL_VALUE);
    ir_ref value = doubleword ? mips_get(x, a->rt) : mips_get32(x, a->rt);

    if (!doubleword)
        expected = ir_un(b, IR_NARROW, expected);
    ir_ref old =
        ir_cas(b, doubleword ? IR_I64 : IR_I32, whole_address(x, &ea), expected, value, memop);
    ir_ref done = ir_setcc(b, IR_Z, ir_compare(b, old, expected));
    ir_set(b, F_LL_VALID, ir_i32(b, 0));
    mips_set32(x, a->rt, done);
}

static bool store_conditional(struct xlat *x, const struct arg_access *a, unsigned size_log2,
                              unsigned more)
{
    struct ir_builder *b = &x->b;
    unsigned attempt = ir_block_create(b), refuse = ir_block_create(b), done = ir_block_create(b);
    unsigned memop = mips_memop(x, size_log2, false, false) | IR_MEM_ALIGN_OF(size_log2) | more;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref address = whole_address(x, &ea);
    ir_ref differ = ir_bin(b, IR_XOR, address64(x, address), ir_get(b, F_LL_ADDRESS));
    ir_ref unset = ir_bin_i(b, IR_XOR, ir_get(b, F_LL_VALID), 1u << size_log2);

    differ = ir_bin(b, IR_OR, differ, ir_un(b, IR_WIDEN_U, unset));
    ir_brcc(b, IR_Z, ir_test(b, differ), attempt, refuse);
    ir_block_begin(b, attempt);
    store_conditional_try(x, a, size_log2, memop);
    ir_br(b, done);
    ir_block_begin(b, refuse);
    /* It does not store, but its address is looked at all the same. */
    ea = mips_ea(x, a->base, a->offset);
    ir_probe(b, ea.base, ea.displacement, 1u << size_log2, memop | IR_MEM_WRITE);
    ir_set(b, F_LL_VALID, ir_i32(b, 0));
    mips_set32(x, a->rt, ir_i32(b, 0));
    ir_block_begin(b, done);
    return true;
}

/* LL rt, offset(base); SC rt, offset(base); LLD, SCD */
#define LINKED(load_name, store_name, size_log2)                                                   \
    bool mips_trans_##load_name(struct xlat *x, const struct arg_access *a)                        \
    {                                                                                              \
        return load_linked(x, a, size_log2, 0);                                                    \
    }                                                                                              \
    bool mips_trans_##load_name##_r6(struct xlat *x, const struct arg_access *a)                   \
    {                                                                                              \
        return load_linked(x, a, size_log2, 0);                                                    \
    }                                                                                              \
    bool mips_trans_##store_name(struct xlat *x, const struct arg_access *a)                       \
    {                                                                                              \
        return store_conditional(x, a, size_log2, 0);                                              \
    }                                                                                              \
    bool mips_trans_##store_name##_r6(struct xlat *x, const struct arg_access *a)                  \
    {                                                                                              \
        return store_conditional(x, a, size_log2, 0);                                              \
    }
LINKED(LL, SC, 2)
LINKED(LLD, SCD, 3)

/* LLE rt, offset(base) */
bool mips_trans_LLE(struct xlat *x, const struct arg_access *a)
{
    return !mips_check_cp0(x) || load_linked(x, a, 2, IR_MEM_USER);
}

/* SCE rt, offset(base) */
bool mips_trans_SCE(struct xlat *x, const struct arg_access *a)
{
    return !mips_check_cp0(x) || store_conditional(x, a, 2, IR_MEM_USER);
}

/* ---- caches ---------------------------------------------------------------------------------- */

/* Code that was stored to is noticed by the store: only the address can do harm. */
static bool cache_op(struct xlat *x, const struct arg_access *a)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->base, a->offset);
    ir_ref address = address64(x, whole_address(x, &ea));

    if (!mips_check_cp0(x))
        return true;
    ir_call(b, &helper_mips_cache, ir_i32(b, (uint32_t)a->rt), address, IR_NONE, IR_NONE);
    return true;
}

/* CACHE op, offset(base) */
bool mips_trans_CACHE(struct xlat *x, const struct arg_access *a)
{
    return cache_op(x, a);
}

bool mips_trans_CACHE_r6(struct xlat *x, const struct arg_access *a)
{
    return cache_op(x, a);
}

/* CACHEE op, offset(base) */
bool mips_trans_CACHEE(struct xlat *x, const struct arg_access *a)
{
    return cache_op(x, a);
}

/* SYNCI offset(base): a hit operation, so that a page that is not mapped faults. What it makes
 * visible are stores to code, which are seen as they happen. */
bool mips_trans_SYNCI(struct xlat *x, const struct arg_rs_imm *a)
{
    struct ir_builder *b = &x->b;
    struct mips_ea ea = mips_ea(x, a->rs, a->imm);
    enum { HIT_INVALIDATE_I = 0x10 };

    ir_call(b, &helper_mips_cache, ir_i32(b, HIT_INVALIDATE_I), address64(x, whole_address(x, &ea)),
            IR_NONE, IR_NONE);
    return true;
}

/* SYNC stype */
bool mips_trans_SYNC(struct xlat *x, const struct arg_empty *a)
{
    ir_emit(&x->b, IR_FENCE, IR_VOID, 0, 0, IR_NONE, IR_NONE, IR_NONE, 0);
    return true;
}
