/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generator: blocks of guest instructions, each some values, then some SETs. */
#include "random_unit.h"

#include <string.h>

#include "tcg/alu.h"
#include "util/log.h"

enum kind { KIND_I32, KIND_I64, KIND_F32, KIND_F64, KIND_V128, KIND_BOOL, N_KINDS };
enum { POOL = 16 };

struct pool {
    ir_ref ref[POOL];
    unsigned n, next;
};

struct generator {
    struct ir_builder b;
    struct random random;
    struct random_options options;
    struct pool values[N_KINDS], flags, sources; /* sources: what FLAGOF takes */
    unsigned n_insns;
    ir_ref structure; /* an address whose surroundings more accesses of this block go to */
    unsigned members; /* how many may still */
};

static const uint64_t group_sticky = UINT64_C(1) << 19;
static const uint64_t groups_read =
    UINT64_C(1) << 0 | UINT64_C(1) << 10 | UINT64_C(1) << 11 | UINT64_C(1) << 22;
static const uint64_t groups_written = UINT64_C(1) << 1 | UINT64_C(1) << 11;

static const struct ir_helper helpers[] = {
    {"mix", (void (*)(void))random_helper_mix, IR_I64, 2, HELPER_PURE, 0, 0},
    {"registers", (void (*)(void))random_helper_registers, IR_I32, 1, 0, groups_read,
     groups_written},
    {"may_fault", (void (*)(void))random_helper_may_fault, IR_VOID, 1, HELPER_MAY_FAULT,
     ~UINT64_C(0), ~UINT64_C(0)},
    {"four", (void (*)(void))random_helper_four, IR_I64, 4, 0, 0, 0},
    {"none", (void (*)(void))random_helper_none, IR_I32, 0, 0, group_sticky, group_sticky},
};

static unsigned below(struct generator *g, unsigned n)
{
    return random_below(&g->random, n);
}

static bool chance(struct generator *g, unsigned one_in)
{
    return below(g, one_in) == 0;
}

static bool allowed(const struct generator *g, unsigned op, unsigned type, unsigned sub)
{
    return !g->options.allow || g->options.allow(op, type, sub);
}

static void put(struct pool *pool, ir_ref ref)
{
    pool->ref[pool->next++ % POOL] = ref;
    if (pool->n < POOL)
        pool->n++;
}

static void add(struct generator *g, ir_ref ref)
{
    static const uint8_t kind[IR_N_TYPES] = {
        [IR_I32] = KIND_I32, [IR_I64] = KIND_I64,   [IR_F32] = KIND_F32,
        [IR_F64] = KIND_F64, [IR_V128] = KIND_V128,
    };
    if (ref && ir_type_of(g->b.unit, ref) != IR_VOID)
        put(&g->values[kind[ir_type_of(g->b.unit, ref)]], ref);
}

static uint64_t random_constant(struct generator *g)
{
    static const uint64_t values[] = {
        0, 1, 2, 3, 8, 0x1f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    uint64_t sign = chance(g, 4) ? UINT64_MAX : 0;
    return chance(g, 2) ? random_next(&g->random) : values[below(g, ARRAY_SIZE(values))] ^ sign;
}

static ir_ref leaf(struct generator *g, enum kind kind)
{
    struct ir_builder *b = &g->b;
    bool constant = chance(g, 3);
    switch (kind) {
    case KIND_I32:
        if (constant)
            return ir_i32(b, (uint32_t)random_constant(g));
        return ir_get(b, chance(g, 4) ? RF_N + below(g, RF_COUNTER - RF_N) : RF_R0 + below(g, 16));
    case KIND_I64:
        return constant ? ir_i64(b, random_constant(g)) : ir_get(b, RF_WIDE0 + below(g, 4));
    case KIND_F32:
        if (constant)
            return ir_emit(b, IR_CONST, IR_F32, 0, 0, 0, 0, 0, (uint32_t)random_next(&g->random));
        return ir_get(b, RF_S0 + below(g, 8));
    case KIND_F64:
        if (constant)
            return ir_emit(b, IR_CONST, IR_F64, 0, 0, 0, 0, 0, random_next(&g->random));
        return ir_get(b, RF_DF0 + below(g, 8));
    case KIND_V128:
        if (constant)
            return ir_v128(b, random_constant(g), random_constant(g));
        return ir_get(b, chance(g, 2) ? RF_D0 + below(g, 8) : RF_Q0 + below(g, 4));
    default:
        return constant ? ir_i32(b, below(g, 2)) : ir_get(b, RF_N + below(g, 4));
    }
}

static ir_ref pick(struct generator *g, enum kind kind)
{
    if (kind == KIND_I32 && chance(g, 8))
        kind = KIND_BOOL;
    struct pool *pool = &g->values[kind];
    if (pool->n && !chance(g, 4))
        return pool->ref[below(g, pool->n)];
    ir_ref ref = leaf(g, kind);
    put(pool, ref);
    return ref;
}

static ir_ref pick_flags(struct generator *g);

/* ---- values -------------------------------------------------------------------------------- */

static void integer_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    unsigned op = IR_ADD + below(g, IR_HIGH - IR_ADD + 1);
    enum kind kind = chance(g, 3) ? KIND_I64 : KIND_I32;
    enum ir_type type = kind == KIND_I64 ? IR_I64 : IR_I32;
    unsigned bits = type == IR_I64 ? 64 : 32, sub = 0, aux = 0;
    ir_ref a = 0, c = 0, d = 0;
    switch (op) {
    case IR_WIDEN_S:
    case IR_WIDEN_U:
        type = IR_I64;
        a = pick(g, KIND_I32);
        break;
    case IR_NARROW:
    case IR_HIGH:
        type = IR_I32;
        a = pick(g, KIND_I64);
        break;
    case IR_CONCAT:
        type = IR_I64;
        a = pick(g, KIND_I32);
        c = pick(g, KIND_I32);
        break;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROR:
        a = pick(g, kind);
        c = chance(g, 2) ? ir_i32(b, below(g, 32)) : pick(g, KIND_I32);
        break;
    case IR_SEXT:
    case IR_ZEXT:
        sub = chance(g, 2) ? 8 : 16;
        a = pick(g, kind);
        break;
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
        sub = below(g, bits);
        aux = 1 + below(g, bits - sub);
        a = pick(g, kind);
        c = op == IR_DEPOSIT ? pick(g, kind) : IR_NONE;
        break;
    default:
        if (op <= IR_XOR && (op <= IR_SBB || op >= IR_AND) && type == IR_I32 && chance(g, 2))
            sub = chance(g, 2) ? 8 : 16;
        a = pick(g, kind);
        c = ir_op_info[op].n_args > 1 ? (chance(g, 8) ? a : pick(g, kind)) : IR_NONE;
        d = ir_op_info[op].n_args > 2 ? pick(g, KIND_BOOL) : IR_NONE;
        break;
    }
    if (!allowed(g, op, type, sub))
        return;
    ir_ref ref = ir_emit(b, op, type, sub, aux, a, c, d, 0);
    add(g, ref);
    if (op == IR_ADD || op == IR_SUB || op == IR_ADC || op == IR_SBB || op == IR_AND ||
        op == IR_OR || op == IR_XOR || op == IR_ANDN)
        put(&g->sources, ref);
}

static void alu_op(struct generator *g)
{
    static const uint8_t widths[] = {8, 16, 32, 64};
    struct ir_builder *b = &g->b;
    unsigned row = below(g, IR_N_ALU), width = widths[below(g, 4)];
    const struct ir_alu_info *info = &ir_alu_info[row];
    enum kind kind = width == 64 ? KIND_I64 : KIND_I32;
    if (!ir_alu_has_width(row, width) || !allowed(g, IR_ALU, width == 64 ? IR_I64 : IR_I32, row))
        return;
    ir_ref arg[3] = {pick(g, kind), IR_NONE, IR_NONE};
    for (unsigned i = 1; i < info->n_args; i++) {
        bool count =
            (row <= IR_ALU_RCR && i == 1) || ((row == IR_ALU_SHLD || row == IR_ALU_SHRD) && i == 2);
        arg[i] = !count         ? chance(g, 8) ? arg[0] : pick(g, kind)
                         : chance(g, 2) ? ir_i32(b, below(g, 40))
                                : pick(g, KIND_I32);
    }
    ir_ref ref = ir_alu(b, (enum ir_alu)row, width, arg[0], arg[1], arg[2],
                        info->gives ? pick_flags(g) : IR_NONE);
    add(g, ref);
    if (info->gives)
        put(&g->sources, ref);
}

/* Flags as ARM's frontend keeps them: four booleans, most of the time of one comparison. */
static ir_ref make_flags(struct generator *g)
{
    struct ir_builder *b = &g->b;
    if (chance(g, 2))
        return ir_mkflags(b, pick(g, KIND_BOOL), pick(g, KIND_BOOL), pick(g, KIND_BOOL),
                          pick(g, KIND_BOOL));
    ir_ref flags = pick_flags(g);
    ir_ref n = ir_setcc(b, IR_N, flags), z = ir_setcc(b, IR_Z, flags);
    ir_ref c = ir_setcc(b, chance(g, 2) ? IR_C : IR_NC, flags), v = ir_setcc(b, IR_V, flags);
    if (chance(g, 4))
        c = pick(g, KIND_BOOL);
    return ir_mkflags(b, n, z, c, v);
}

/* Flags as an x86 frontend has them. */
static ir_ref stored_flags(struct generator *g)
{
    struct ir_builder *b = &g->b;
    switch (below(g, 4)) {
    case 0:
        return ir_unpack_flags(b, pick(g, KIND_I32));
    case 1: {
        ir_ref before = pick_flags(g), after = pick_flags(g);
        unsigned set = chance(g, 2) ? IR_SET_ALL ^ IR_SET_C : below(g, IR_SET_ALL + 1);
        return ir_merge_flags(b, before, after, set);
    }
    default:
        return ir_get(b, RF_STATUS0 + below(g, 2));
    }
}

static ir_ref pick_flags(struct generator *g)
{
    struct ir_builder *b = &g->b;
    if (g->flags.n && !chance(g, 3))
        return g->flags.ref[below(g, g->flags.n)];
    ir_ref flags;
    if (allowed(g, IR_MERGEFLAGS, IR_FLAGS, 0) && chance(g, 3))
        flags = stored_flags(g);
    else if (g->sources.n && chance(g, 2))
        flags = ir_flagof(b, g->sources.ref[below(g, g->sources.n)]);
    else if (chance(g, 3))
        flags = ir_test(b, pick(g, chance(g, 2) ? KIND_BOOL : KIND_I32));
    else if (chance(g, 2) && allowed(g, IR_MKFLAGS, IR_FLAGS, 0))
        flags = make_flags(g);
    else if (chance(g, 3))
        flags = ir_compare(b, pick(g, KIND_I64), pick(g, KIND_I64));
    else
        flags = ir_compare(b, pick(g, KIND_I32), pick(g, KIND_I32));
    put(&g->flags, flags);
    return flags;
}

static void flags_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    unsigned cond = below(g, IR_N_CONDS);
    switch (below(g, 5)) {
    case 4:
        if (allowed(g, IR_PACKFLAGS, IR_I32, 0))
            add(g, ir_pack_flags(b, pick_flags(g)));
        break;
    case 0:
    case 1:
        put(&g->values[KIND_BOOL], ir_setcc(b, cond, pick_flags(g)));
        break;
    case 2: {
        ir_ref x = pick(g, KIND_BOOL);
        put(&g->values[KIND_BOOL],
            chance(g, 2) ? ir_bin_i(b, IR_XOR, x, 1) : ir_bin(b, IR_AND, x, pick(g, KIND_BOOL)));
        break;
    }
    default: {
        enum kind kind = (enum kind)below(g, KIND_BOOL);
        ir_ref flags = pick_flags(g), yes = pick(g, kind), no = pick(g, kind);
        if (allowed(g, IR_SELECT, ir_type_of(b->unit, yes), cond))
            add(g, ir_select(b, cond, flags, yes, no));
        break;
    }
    }
}

static void bitcast(struct generator *g)
{
    static const struct {
        uint8_t from, to;
    } casts[] = {
        {KIND_I32, IR_F32},  {KIND_F32, IR_I32},  {KIND_I64, IR_F64},  {KIND_F64, IR_I64},
        {KIND_I32, IR_V128}, {KIND_I64, IR_V128}, {KIND_F32, IR_V128}, {KIND_F64, IR_V128},
    };
    unsigned i = below(g, g->options.no_vector ? 4 : ARRAY_SIZE(casts));
    add(g, ir_emit(&g->b, IR_BITCAST, casts[i].to, 0, 0, pick(g, casts[i].from), 0, 0, 0));
}

static void float_op(struct generator *g)
{
    unsigned op = IR_FADD + below(g, IR_BITCAST - IR_FADD + 1);
    bool wide = chance(g, 2);
    enum kind kind = wide ? KIND_F64 : KIND_F32;
    enum ir_type type = wide ? IR_F64 : IR_F32;
    unsigned sub = chance(g, 4) ? (chance(g, 2) ? IR_FP_FLUSH : IR_FP_STANDARD) : 0;
    ir_ref a = 0;
    switch (op) {
    case IR_BITCAST:
        bitcast(g);
        return;
    case IR_FCVT:
        a = pick(g, kind);
        type = wide ? IR_F32 : IR_F64;
        break;
    case IR_F2I:
        a = pick(g, kind);
        type = chance(g, 2) ? IR_I32 : IR_I64;
        sub = below(g, 8);
        break;
    case IR_I2F:
        a = pick(g, chance(g, 2) ? KIND_I32 : KIND_I64);
        sub = below(g, 2);
        break;
    case IR_FNEG:
    case IR_FABS:
        sub = 0;
        break;
    case IR_FCMP:
        sub |= chance(g, 2) ? IR_FP_SIGNAL_QNAN : 0;
        break;
    default:
        break;
    }
    unsigned n = ir_op_info[op].n_args;
    a = a ? a : pick(g, kind);
    ir_ref c = n > 1 ? pick(g, kind) : IR_NONE, d = n > 2 ? pick(g, kind) : IR_NONE;
    if (allowed(g, op, op == IR_FCMP ? IR_I32 : type, sub))
        add(g, ir_fp(&g->b, op, type, sub, a, c, d));
}

static void vector_op(struct generator *g)
{
    unsigned op = IR_VAND + below(g, IR_VFFLUSH - IR_VAND + 1);
    unsigned least = 0, most = 3, aux = 0, type = IR_V128;
    if (op <= IR_VSELECT || op == IR_VCONCAT || op == IR_VHIGH || op == IR_VEXT ||
        op == IR_VSHUFFLE)
        most = 0;
    else if (op == IR_VMUL || op == IR_VABS || op == IR_VWIDEN_S || op == IR_VWIDEN_U)
        most = 2;
    else if (op >= IR_VADDS_S && op <= IR_VAVG_U)
        most = 1;
    else if (op == IR_VNARROW)
        least = 1;
    else if (op >= IR_VFADD)
        least = 2;
    unsigned lane = least + below(g, most - least + 1), sub = lane;
    enum kind scalar = lane == IR_LANE64 ? KIND_I64 : KIND_I32;
    ir_ref a = 0, c = 0, d = 0;
    if (op >= IR_VFADD && chance(g, 3))
        sub |= (chance(g, 2) ? IR_FP_FLUSH : IR_FP_STANDARD) << 4;
    if (op >= IR_VSHL_I && op <= IR_VSAR_I)
        aux = below(g, 8u << lane);
    if (op == IR_VGETLANE || op == IR_VSETLANE)
        aux = below(g, 16u >> lane);
    if (op == IR_VGETLANE)
        type = lane == IR_LANE64 ? IR_I64 : IR_I32;
    if (op == IR_VEXT)
        aux = below(g, 16);
    if (!allowed(g, op, type, sub))
        return;
    unsigned n = ir_op_info[op].n_args;
    a = pick(g, op == IR_VDUP ? scalar : KIND_V128);
    if (n > 1)
        c = op == IR_VSETLANE ? pick(g, scalar) : chance(g, 8) ? a : pick(g, KIND_V128);
    if (n > 2)
        d = pick(g, KIND_V128);
    add(g, ir_emit(&g->b, op, type, sub, aux, a, c, d, 0));
}

/* Rows whose results are approximations are the host's own in every engine. */
static void vector_fn_op(struct generator *g)
{
    unsigned row = below(g, IR_N_VFN);
    const struct ir_vfn_info *info = &ir_vfn_info[row];
    unsigned op = info->traits & VFN_FP ? IR_VFP : IR_VFN;
    bool number = (info->traits & (VFN_GPR_OUT | VFN_FLAGS)) && row != IR_VFN_PCMPISTRM;
    bool wide = info->traits & VFN_GPR_OUT && chance(g, 2);
    unsigned immediate = info->traits & VFN_IMM ? below(g, 256) : 0;
    ir_ref arg[3] = {0, 0, 0};

    if (row >= IR_VFN_CMPPS && row <= IR_VFN_CMPSD)
        immediate &= 31;
    if (row == IR_VFN_VCVTPS2PH)
        immediate &= 7;
    if (!allowed(g, op, number ? IR_I32 : IR_V128, 0) || (op == IR_VFP && g->options.no_float))
        return;
    for (unsigned i = 0; i < info->n_args; i++) {
        bool general = info->traits & VFN_GPR_IN && i == info->n_args - 1u;
        arg[i] = pick(g, !general ? KIND_V128 : chance(g, 2) ? KIND_I32 : KIND_I64);
    }
    ir_ref result = ir_vfn(&g->b, (enum ir_vfn)row,
                           !number ? IR_V128
                           : wide  ? IR_I64
                                   : IR_I32,
                           immediate, arg[0], arg[1], arg[2]);
    if (info->traits & VFN_FLAGS)
        put(&g->sources, result);
    add(g, result);
}

static void call_op(struct generator *g)
{
    const struct ir_helper *helper = &helpers[below(g, ARRAY_SIZE(helpers))];
    struct ir_builder *b = &g->b;
    if (helper->flags & HELPER_MAY_FAULT && (g->options.no_faults || !chance(g, 3)))
        return;
    ir_ref arg[4] = {0, 0, 0, 0};
    bool wide_first = helper->fn == (void (*)(void))random_helper_mix;
    for (unsigned i = 0; i < helper->n_args; i++)
        arg[i] = pick(g, (i & 1) != wide_first ? KIND_I64 : KIND_I32);
    add(g, ir_call(b, helper, arg[0], arg[1], arg[2], arg[3]));
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Near the memory; sometimes nearly so, but for the bits that make it canonical. */
static ir_ref pick_wide_address(struct generator *g, uint32_t mask)
{
    struct ir_builder *b = &g->b;
    uint64_t base = RANDOM_WIDE_BASE;
    if (chance(g, 12) && !g->options.no_faults)
        base ^= UINT64_C(1) << (48 + below(g, 16));
    if (chance(g, 4))
        return ir_i64(b, base + (random_next(&g->random) & mask));
    ir_ref offset = ir_bin_i(b, IR_AND, pick(g, KIND_I64), mask);
    return ir_bin_i(b, IR_ADD, offset, base);
}

static ir_ref pick_member(struct generator *g, int64_t *displacement)
{
    *displacement = (int64_t)below(g, 24) * 4 + (chance(g, 6) ? below(g, 4) : 0);
    if (!g->options.no_faults && chance(g, 2))
        *displacement -= 32;
    g->members--;
    return chance(g, 3) ? ir_bin_i(&g->b, IR_ADD, g->structure, 4 * below(g, 8)) : g->structure;
}

static ir_ref pick_lone_address(struct generator *g, int64_t *displacement)
{
    struct ir_builder *b = &g->b;
    bool safe = g->options.no_faults;
    *displacement = chance(g, 2) ? 0 : (int64_t)below(g, 512) - 128;
    if (safe)
        *displacement = below(g, 512);
    if (chance(g, 16) && !safe)
        return pick(g, g->options.wide ? KIND_I64 : KIND_I32); /* nowhere, most likely */
    uint32_t mask = safe ? 0xbff8 : chance(g, 8) ? 0xffff : chance(g, 2) ? 0xdfff : 0xdff8;
    /* Amid accesses to what two pages change places for: what makes them do so. */
    if (!g->members && chance(g, 3))
        mask &= 0x1fff;
    else if (g->members && chance(g, 2))
        return g->options.wide
                   ? ir_i64(b, RANDOM_WIDE_BASE + 3 * TLB_PAGE_SIZE + 32 * below(g, 96))
                   : ir_i32(b, RANDOM_MEMORY_BASE + 3 * TLB_PAGE_SIZE + 32 * below(g, 96));
    if (g->options.wide)
        return pick_wide_address(g, mask);
    if (chance(g, 4))
        return ir_i32(b, RANDOM_MEMORY_BASE + ((uint32_t)random_next(&g->random) & mask));
    ir_ref offset = ir_bin_i(b, IR_AND, pick(g, KIND_I32), mask);
    return ir_bin_i(b, IR_ADD, offset, RANDOM_MEMORY_BASE);
}

static ir_ref pick_address(struct generator *g, int64_t *displacement)
{
    if (g->members && !chance(g, 4))
        return pick_member(g, displacement);
    ir_ref address = pick_lone_address(g, displacement);
    if (!g->members && chance(g, 3)) {
        g->structure = address;
        g->members = 2 + below(g, 8);
    }
    return address;
}

static unsigned memop_flags(struct generator *g, unsigned size)
{
    unsigned memop = size;
    if (chance(g, 4))
        memop |= IR_MEM_SWAP;
    if (chance(g, 8))
        memop |= IR_MEM_USER;
    if (chance(g, 12) && !g->options.no_faults)
        memop |= IR_MEM_ALIGN_OF(size);
    return memop;
}

/* A type and a memop that fit. */
static enum kind pick_access(struct generator *g, unsigned *memop)
{
    static const uint8_t most[] = {2, 3, 2, 3, 4};
    enum kind kind = chance(g, 2) ? KIND_I32 : (enum kind)below(g, KIND_BOOL);
    if (kind >= KIND_F32 && g->options.no_float)
        kind = KIND_I32;
    if (kind == KIND_V128 && g->options.no_vector)
        kind = KIND_I64;
    *memop = memop_flags(g, kind >= KIND_F32 ? most[kind] : below(g, most[kind] + 1u));
    return kind;
}

static const uint8_t type_of_kind[] = {IR_I32, IR_I64, IR_F32, IR_F64, IR_V128};

static void probe_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    unsigned size = 2 + below(g, 2), n = 1 + below(g, 8), bytes = 1u << size;
    unsigned memop = memop_flags(g, size);
    enum kind kind = size == 3 ? KIND_I64 : KIND_I32;
    int64_t displacement;
    bool write = chance(g, 2);
    ir_ref values[8];
    for (unsigned i = 0; i < n && write; i++)
        values[i] = pick(g, kind);
    ir_ref address = pick_address(g, &displacement);
    ir_ref pointer =
        ir_probe(b, address, displacement, n * bytes, memop | (write ? IR_MEM_WRITE : 0));
    for (unsigned i = 0; i < n; i++) {
        if (write)
            ir_hstore(b, pointer, i * bytes, values[i], memop);
        else
            add(g, ir_hload(b, type_of_kind[kind], pointer, i * bytes,
                            memop | (chance(g, 3) ? IR_MEM_SIGN : 0)));
    }
    if (write)
        ir_commit(b, pointer, address, displacement, n * bytes, memop | IR_MEM_WRITE);
}

/* Mostly such as have a result: of one number's sign, of an upper half of 0, of any. */
static void divide_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    enum kind kind = chance(g, 2) ? KIND_I32 : KIND_I64;
    ir_ref low = pick(g, kind), high = pick(g, kind), divisor = pick(g, kind), remainder;
    if (chance(g, 3))
        high = ir_bin(b, IR_SAR, low, ir_i32(b, kind == KIND_I64 ? 63 : 31));
    else if (chance(g, 2))
        high = kind == KIND_I64 ? ir_i64(b, 0) : ir_i32(b, 0);
    if (!chance(g, 4))
        divisor = ir_bin_i(b, IR_OR, divisor, 1);
    add(g, ir_divide(b, chance(g, 2), low, high, divisor, &remainder));
    add(g, remainder);
}

static void memory_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    unsigned memop, what = below(g, 13);
    int64_t displacement;
    enum kind kind = pick_access(g, &memop);
    ir_ref address;
    switch (what) {
    case 0:
        probe_op(g);
        break;
    case 1:
    case 2:
        kind = kind == KIND_I64 ? KIND_I64 : KIND_I32;
        address = pick_address(g, &displacement);
        memop = memop_flags(g, below(g, kind == KIND_I64 ? 4 : 3));
        if (what == 1)
            add(g, ir_cas(b, type_of_kind[kind], address, pick(g, kind), pick(g, kind), memop));
        else
            add(g, ir_rmw(b, type_of_kind[kind], (enum ir_rmw)below(g, 5), address, pick(g, kind),
                          memop));
        break;
    case 12:
        divide_op(g);
        break;
    case 3:
        ir_emit(b, IR_FENCE, IR_VOID, 0, 0, 0, 0, 0, 0);
        break;
    case 4:
    case 5:
    case 6:
    case 7: {
        ir_ref value = pick(g, kind);
        address = pick_address(g, &displacement);
        ir_store(b, address, displacement, value, memop);
        break;
    }
    default:
        address = pick_address(g, &displacement);
        add(g, ir_load(b, type_of_kind[kind], address, displacement,
                       memop | (kind <= KIND_I64 && chance(g, 2) ? IR_MEM_SIGN : 0)));
        break;
    }
}

/* ---- instructions and blocks --------------------------------------------------------------- */

static void value_op(struct generator *g, bool may_fault)
{
    unsigned what = below(g, 21);
    if (what < 3)
        alu_op(g);
    else if (what < 9)
        integer_op(g);
    else if (what < 13)
        flags_op(g);
    else if (what < 15 && !g->options.no_float)
        float_op(g);
    else if (what < 17 && !g->options.no_vector)
        vector_op(g);
    else if (what < 19 && may_fault && !g->options.no_memory)
        do
            memory_op(g);
        while (g->members && !chance(g, 3));
    else if (what == 19 && !g->options.no_calls && chance(g, 2))
        call_op(g);
    else if (what == 20 && !g->options.no_vector)
        vector_fn_op(g);
}

static void set_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    switch (below(g, 11)) {
    case 10:
        ir_set(b, RF_STATUS0 + below(g, 2), pick_flags(g));
        break;
    case 0:
        ir_set(b, RF_WIDE0 + below(g, 4), pick(g, KIND_I64));
        break;
    case 1:
        if (!g->options.no_float)
            ir_set(b, RF_S0 + below(g, 8), pick(g, KIND_F32));
        break;
    case 2:
        if (!g->options.no_float)
            ir_set(b, RF_DF0 + below(g, 8), pick(g, KIND_F64));
        break;
    case 3:
        if (!g->options.no_vector)
            ir_set(b, chance(g, 2) ? RF_D0 + below(g, 8) : RF_Q0 + below(g, 4), pick(g, KIND_V128));
        break;
    case 4:
        ir_set(b, RF_BYTE0 + below(g, RF_STICKY - RF_BYTE0 + 1), pick(g, KIND_I32));
        break;
    case 5:
        for (unsigned i = 0; i < 4; i++)
            ir_set(b, RF_N + i, pick(g, KIND_BOOL));
        break;
    default:
        ir_set(b, RF_R0 + below(g, 16), pick(g, KIND_I32));
        break;
    }
}

/* All four flags from one comparison, as a CMP would. */
static void set_flags(struct generator *g)
{
    struct ir_builder *b = &g->b;
    static const uint8_t conds[4] = {IR_N, IR_Z, IR_NC, IR_V};
    ir_ref flags = pick_flags(g);
    for (unsigned i = 0; i < 4; i++)
        ir_set(b, RF_N + i, ir_setcc(b, conds[i], flags));
}

static void guest_insn(struct generator *g)
{
    ir_insn(&g->b, 0x8000 + 4 * g->n_insns, below(g, 256));
    g->n_insns++;
    for (unsigned i = below(g, 6); i; i--)
        value_op(g, true);
    if (chance(g, 4))
        set_flags(g);
    for (unsigned i = below(g, 4); i; i--)
        set_op(g);
    for (unsigned i = below(g, 3); i; i--)
        value_op(g, false);
}

static void exit_op(struct generator *g)
{
    struct ir_builder *b = &g->b;
    static const uint8_t reasons[] = {EXIT_HALT, EXIT_DEBUG, EXIT_YIELD};
    ir_ref pc = pick(g, KIND_I64), key = pick(g, KIND_I32);
    switch (below(g, 5)) {
    case 0:
    case 1:
        ir_exit_jump(b, 0x8000 + 4 * below(g, 4096), below(g, 4), chance(g, 2));
        break;
    case 2:
        ir_exit_indirect(b, pick(g, KIND_I32), key);
        break;
    case 3:
        ir_set(b, RF_PC, pc);
        ir_set(b, RF_KEY, key);
        ir_exit_lookup(b);
        break;
    default:
        ir_set(b, RF_PC, pc);
        ir_set(b, RF_KEY, key);
        ir_exit_stop(b, reasons[below(g, ARRAY_SIZE(reasons))]);
        break;
    }
}

/* Goes back as often as the counter says; each time round takes one off. */
static void loop_op(struct generator *g, unsigned back, unsigned on)
{
    struct ir_builder *b = &g->b;
    ir_ref counter = ir_get(b, RF_COUNTER);
    ir_ref nonzero = ir_test(b, counter);
    ir_ref less = ir_bin_i(b, IR_SUB, counter, 1);
    ir_ref zero = ir_i32(b, 0);
    ir_ref mask = ir_un(b, IR_NEG, ir_setcc(b, IR_NZ, nonzero));
    ir_set(b, RF_COUNTER,
           allowed(g, IR_SELECT, IR_I32, IR_NZ) ? ir_select(b, IR_NZ, nonzero, less, zero)
                                                : ir_bin(b, IR_AND, less, mask));
    ir_brcc(b, IR_NZ, nonzero, back, on);
}

static void end_block(struct generator *g, unsigned block, unsigned n_blocks)
{
    struct ir_builder *b = &g->b;
    if (block == n_blocks - 1 || chance(g, 8)) {
        exit_op(g);
        return;
    }
    unsigned next = block + 1 + below(g, n_blocks - block - 1);
    unsigned other = block + 1 + below(g, n_blocks - block - 1);
    switch (below(g, 4)) {
    case 0:
        ir_emit(b, IR_BR, IR_VOID, chance(g, 2) ? IR_POLL : 0, next, 0, 0, 0, 0x8000 + 4 * next);
        break;
    case 1:
        loop_op(g, below(g, block + 1), next);
        break;
    default: {
        ir_ref flags = pick_flags(g);
        ir_brcc(b, below(g, IR_N_CONDS), flags, next, other);
        break;
    }
    }
}

struct ir_unit *random_unit(struct arena *arena, uint64_t seed,
                            const struct random_options *options)
{
    struct generator g;
    memset(&g, 0, sizeof(g));
    if (options)
        g.options = *options;
    random_seed(&g.random, seed);
    struct ir_unit *unit = ir_unit_create(arena, random_fields, RANDOM_N_FIELDS);
    unit->fp = &random_fp_rules;
    unit->pc = 0x8000;
    unit->wide_address = g.options.wide;
    unit->key = below(&g, 16);
    ir_builder_begin(&g.b, unit);
    unsigned n_blocks = 1 + below(&g, g.options.blocks ? g.options.blocks : 4);
    for (unsigned i = 1; i < n_blocks; i++)
        ir_block_create(&g.b);
    for (unsigned block = 0; block < n_blocks; block++) {
        memset(g.values, 0, sizeof(g.values));
        memset(&g.flags, 0, sizeof(g.flags));
        memset(&g.sources, 0, sizeof(g.sources));
        g.members = 0;
        if (block)
            ir_block_begin(&g.b, block);
        unsigned n = 1 + below(&g, g.options.guest_insns ? g.options.guest_insns : 6);
        for (unsigned i = 0; i < n; i++)
            guest_insn(&g);
        end_block(&g, block, n_blocks);
    }
    ir_builder_end(&g.b);
    unit->n_guest_insns = g.n_insns;
    unit->guest_bytes = 4 * g.n_insns;
    char why[256];
    if (g.b.overflow || !ir_verify(unit, why, sizeof(why))) {
        ir_print(stderr, unit);
        BUG("random unit %llu: %s", (unsigned long long)seed, g.b.overflow ? "overflow" : why);
    }
    return unit;
}

/* ---- pieces of hand-made units ---- */

void random_set_flags(struct ir_builder *b, ir_ref arithmetic)
{
    ir_ref flags = ir_flagof(b, arithmetic);
    ir_set(b, RF_N, ir_setcc(b, IR_N, flags));
    ir_set(b, RF_Z, ir_setcc(b, IR_Z, flags));
    ir_set(b, RF_C, ir_setcc(b, IR_NC, flags));
    ir_set(b, RF_V, ir_setcc(b, IR_V, flags));
}

ir_ref random_get_flags(struct ir_builder *b)
{
    ir_ref n = ir_get(b, RF_N), z = ir_get(b, RF_Z);
    ir_ref c = ir_get(b, RF_C), v = ir_get(b, RF_V);
    return ir_mkflags(b, n, z, c, v);
}
