/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branches and jumps: MD00086 and MD00087, chapter 3, and "Branch Delays and the Branch Delay
 * Slot". A branch with a delay slot reads its operands, sets its link, runs the slot, and then
 * goes; a branch likely whose condition fails skips the slot; the compact branches of release 6
 * have none.
 */
#include "frontend/mips/translate_common.h"

/* ---- leaving --------------------------------------------------------------------------------- */

static uint32_t exit_key(struct xlat *x)
{
    return mips_xlat(x)->key & ~(uint32_t)KEY_FORBIDDEN;
}

/* To the run loop, or to wherever run.key leads now in the ISA mode given, I32. */
static void leave(struct xlat *x, ir_ref target64, ir_ref isa_mode)
{
    struct ir_builder *b = &x->b;

    ir_set(b, F_PC, target64);
    /* run.key may be that of some other place on the way. */
    if (mips_x_has(x, MIPS_HAS_R6) || mips_x_has(x, MIPS_HAS_MIPS16)) {
        ir_ref key = ir_bin_i(b, IR_AND, ir_get(b, F_KEY), ~(uint32_t)KEY_OF_PLACE);

        ir_set(b, F_KEY, ir_bin(b, IR_OR, key, isa_mode));
    }
    if (mips_xlat(x)->stopped)
        ir_exit_stop(b, mips_xlat(x)->stop_reason);
    else
        ir_exit_lookup(b);
}

static void go(struct xlat *x, uint64_t target, uint32_t key)
{
    struct ir_builder *b = &x->b;

    target = mips_wrap(x, target);
    if (mips_xlat(x)->lookup)
        leave(x, ir_i64(b, target), ir_i32(b, key & KEY_ISA_MODE));
    else
        ir_exit_jump(b, target, key, target <= mips_xlat(x)->insn_pc);
}

void mips_go(struct xlat *x, uint64_t target)
{
    go(x, target, exit_key(x));
}

/* With MIPS16e, bit 0 of the target is the ISA mode: MD00076, "Control Transfer to and from". */
void mips_go_indirect(struct xlat *x, ir_ref target)
{
    struct ir_builder *b = &x->b;
    ir_ref isa_mode = ir_i32(b, 0), key = ir_i32(b, exit_key(x) & ~(uint32_t)KEY_ISA_MODE);

    if (mips_x_has(x, MIPS_HAS_MIPS16)) {
        isa_mode = ir_bin_i(b, IR_AND, mips_truncate(x, target), KEY_ISA_MODE);
        key = ir_bin(b, IR_OR, isa_mode, key);
        target = ir_bin_i(b, IR_AND, target, ~(uint64_t)KEY_ISA_MODE);
    }
    if (mips_xlat(x)->lookup)
        leave(x, mips_xlat(x)->wide ? target : ir_un(b, IR_WIDEN_U, target), isa_mode);
    else
        ir_exit_indirect(b, target, key);
}

/* ---- the frame of every branch --------------------------------------------------------------- */

enum branch_target { TARGET_KNOWN, TARGET_REGISTER };

/* What a handler says of its branch. */
struct mips_branch {
    enum branch_target kind;
    bool conditional, likely, compact;
    bool exchanges;     /* JALX: goes on in the other ISA mode */
    uint8_t cond;       /* enum ir_cond, on the comparison of left and right */
    ir_ref left, right; /* right IR_NONE: left is compared with 0 */
    ir_ref to;          /* TARGET_REGISTER */
    uint64_t target;    /* TARGET_KNOWN */
    int link;           /* register that gets the return address; 0: none */
};

static uint64_t after(struct xlat *x, bool compact)
{
    const struct mips_xlat *mx = mips_xlat(x);

    return mx->insn_pc + mx->length + (compact ? 0 : mx->slot_length);
}

static ir_ref branch_flags(struct xlat *x, const struct mips_branch *branch)
{
    struct ir_builder *b = &x->b;

    if (branch->right)
        return ir_compare(b, branch->left, branch->right);
    if (branch->cond == IR_Z || branch->cond == IR_NZ || branch->cond == IR_N ||
        branch->cond == IR_NN)
        return ir_test(b, branch->left);
    return ir_compare(b, branch->left,
                      ir_type_of(b->unit, branch->left) == IR_I64 ? ir_i64(b, 0) : ir_i32(b, 0));
}

static void go_to_target(struct xlat *x, const struct mips_branch *branch)
{
    if (branch->kind == TARGET_KNOWN)
        go(x, branch->target, exit_key(x) ^ (branch->exchanges ? KEY_ISA_MODE : 0));
    else
        mips_go_indirect(x, branch->to);
}

/* The condition, now that the slot is done; where it fails the path goes on after the slot. */
static void branch_away(struct xlat *x, const struct mips_branch *branch, ir_ref flags,
                        enum ir_cond cond)
{
    struct ir_builder *b = &x->b;
    unsigned taken = ir_block_create(b), next = ir_block_create(b);

    ir_brcc(b, cond, flags, taken, next);
    ir_block_begin(b, taken);
    go_to_target(x, branch);
    ir_block_begin(b, next);
    if (mips_xlat(x)->lookup)
        mips_go(x, after(x, branch->compact));
}

static void finish(struct xlat *x, const struct mips_branch *branch)
{
    if (branch->conditional)
        branch_away(x, branch, branch_flags(x, branch), (enum ir_cond)branch->cond);
    else
        go_to_target(x, branch);
}

/* The slot has blocks of its own, over which no value lives: they go through state. */
static void slot_between(struct xlat *x, struct mips_branch *branch)
{
    struct ir_builder *b = &x->b;
    bool wide = mips_xlat(x)->wide;

    if (branch->conditional)
        ir_set(b, F_BRANCH_TAKEN, ir_setcc(b, (enum ir_cond)branch->cond, branch_flags(x, branch)));
    if (branch->kind == TARGET_REGISTER)
        ir_set(b, F_BRANCH_TARGET, wide ? branch->to : ir_un(b, IR_WIDEN_U, branch->to));
    mips_translate_slot(x);
    if (branch->kind == TARGET_REGISTER) {
        branch->to = ir_get(b, F_BRANCH_TARGET);
        if (!wide)
            branch->to = ir_un(b, IR_NARROW, branch->to);
    }
    if (branch->conditional)
        branch_away(x, branch, ir_test(b, ir_get(b, F_BRANCH_TAKEN)), IR_NZ);
    else
        go_to_target(x, branch);
}

/* Not taken, a branch likely skips its slot. */
static void branch_likely(struct xlat *x, const struct mips_branch *branch)
{
    struct ir_builder *b = &x->b;
    unsigned taken = ir_block_create(b), next = ir_block_create(b);

    ir_brcc(b, (enum ir_cond)branch->cond, branch_flags(x, branch), taken, next);
    ir_block_begin(b, taken);
    mips_translate_slot(x);
    mips_go(x, branch->target);
    mips_xlat(x)->lookup = mips_xlat(x)->stopped = false;
    ir_block_begin(b, next);
    ir_insn(b, mips_xlat(x)->insn_pc, 0);
}

static bool do_branch(struct xlat *x, struct mips_branch *branch)
{
    struct mips_xlat *mx = mips_xlat(x);
    struct ir_builder *b = &x->b;

    /* In a delay slot UNPREDICTABLE, in a forbidden slot reserved. */
    if (mx->in_slot || mx->key & KEY_FORBIDDEN)
        return false;
    if (branch->link)
        mips_set(x, branch->link,
                 mips_word(x, (int64_t)(after(x, branch->compact) | (mx->key & KEY_ISA_MODE))));
    if (branch->compact) {
        mx->forbidden_next = branch->conditional && mips_x_has(x, MIPS_HAS_R6);
        finish(x, branch);
        return true;
    }
    mx->slot_done = true;
    if (branch->likely && branch->conditional) {
        branch_likely(x, branch);
        return true;
    }
    struct ir_mark mark = ir_mark(b);
    mips_translate_slot(x);
    if (b->block == mark.block || b->overflow) {
        finish(x, branch);
        return true;
    }
    ir_rewind(b, &mark);
    mips_forget_moved(x);
    mx->lookup = mx->stopped = false;
    slot_between(x, branch);
    return true;
}

/* ---- conditions ------------------------------------------------------------------------------ */

static uint64_t relative(struct xlat *x, int64_t offset)
{
    const struct mips_xlat *mx = mips_xlat(x);

    return mx->insn_pc + mx->length + (uint64_t)(offset * (mx->key & KEY_ISA_MODE ? 2 : 4));
}

enum { LIKELY_BRANCH = 1, COMPACT_BRANCH = 2, LINKING_BRANCH = 4 };

static bool branch_on(struct xlat *x, enum ir_cond cond, ir_ref left, ir_ref right, int64_t offset,
                      unsigned how)
{
    struct mips_branch branch = {
        .conditional = true,
        .likely = how & LIKELY_BRANCH,
        .compact = how & COMPACT_BRANCH,
        .cond = (uint8_t)cond,
        .left = left,
        .right = right,
        .target = relative(x, offset),
        .link = how & LINKING_BRANCH ? RA : 0,
    };

    return do_branch(x, &branch);
}

bool mips_branch_if(struct xlat *x, enum ir_cond cond, ir_ref value, int64_t offset, bool likely)
{
    return branch_on(x, cond, value, IR_NONE, offset, likely ? LIKELY_BRANCH : 0);
}

static bool branch_always(struct xlat *x, uint64_t target, int link, bool compact)
{
    struct mips_branch branch = {.target = target, .link = link, .compact = compact};

    return do_branch(x, &branch);
}

/* B<cond> rs, rt, offset: equal registers are always equal */
static bool branch_equal(struct xlat *x, const struct arg_rr_branch *a, enum ir_cond cond,
                         unsigned how)
{
    if (a->rs == a->rt && cond == IR_Z)
        return branch_always(x, relative(x, a->imm), 0, how & COMPACT_BRANCH);
    return branch_on(x, cond, mips_get(x, a->rs), a->rt ? mips_get(x, a->rt) : IR_NONE, a->imm,
                     how);
}

bool mips_trans_BEQ(struct xlat *x, const struct arg_rr_branch *a)
{
    return branch_equal(x, a, IR_Z, 0);
}

bool mips_trans_BNE(struct xlat *x, const struct arg_rr_branch *a)
{
    return branch_equal(x, a, IR_NZ, 0);
}

bool mips_trans_BEQL(struct xlat *x, const struct arg_rr_branch *a)
{
    return branch_equal(x, a, IR_Z, LIKELY_BRANCH);
}

bool mips_trans_BNEL(struct xlat *x, const struct arg_rr_branch *a)
{
    return branch_equal(x, a, IR_NZ, LIKELY_BRANCH);
}

/* B<cond>Z rs, offset */
#define BRANCH_ZERO(name, cond, how)                                                               \
    bool mips_trans_##name(struct xlat *x, const struct arg_rs_branch *a)                          \
    {                                                                                              \
        return branch_on(x, cond, mips_get(x, a->rs), IR_NONE, a->imm, how);                       \
    }
BRANCH_ZERO(BLTZ, IR_N, 0)
BRANCH_ZERO(BGEZ, IR_NN, 0)
BRANCH_ZERO(BLEZ, IR_LE, 0)
BRANCH_ZERO(BGTZ, IR_GT, 0)
BRANCH_ZERO(BLTZL, IR_N, LIKELY_BRANCH)
BRANCH_ZERO(BGEZL, IR_NN, LIKELY_BRANCH)
BRANCH_ZERO(BLEZL, IR_LE, LIKELY_BRANCH)
BRANCH_ZERO(BGTZL, IR_GT, LIKELY_BRANCH)
BRANCH_ZERO(BLTZAL, IR_N, LINKING_BRANCH)
BRANCH_ZERO(BGEZAL, IR_NN, LINKING_BRANCH)
BRANCH_ZERO(BLTZALL, IR_N, LINKING_BRANCH | LIKELY_BRANCH)
BRANCH_ZERO(BGEZALL, IR_NN, LINKING_BRANCH | LIKELY_BRANCH)
BRANCH_ZERO(BEQZC, IR_Z, COMPACT_BRANCH)
BRANCH_ZERO(BNEZC, IR_NZ, COMPACT_BRANCH)

/* NAL: links and does not branch; its slot follows as any instruction, but is one */
bool mips_trans_NAL(struct xlat *x, const struct arg_empty *a)
{
    return branch_always(x, after(x, false), RA, false);
}

/* BAL offset */
bool mips_trans_BAL(struct xlat *x, const struct arg_offset *a)
{
    return branch_always(x, relative(x, a->imm), RA, false);
}

/* ---- jumps ----------------------------------------------------------------------------------- */

static uint64_t region_target(struct xlat *x, int index)
{
    uint64_t slot = mips_xlat(x)->insn_pc + mips_xlat(x)->length;

    return (slot & ~UINT64_C(0x0fffffff)) | (uint64_t)(uint32_t)index << 2;
}

/* J target */
bool mips_trans_J(struct xlat *x, const struct arg_offset *a)
{
    return branch_always(x, region_target(x, a->imm), 0, false);
}

/* JAL target */
bool mips_trans_JAL(struct xlat *x, const struct arg_offset *a)
{
    return branch_always(x, region_target(x, a->imm), RA, false);
}

/* JALX target */
bool mips_trans_JALX(struct xlat *x, const struct arg_offset *a)
{
    struct mips_branch branch = {.target = region_target(x, a->imm), .link = RA, .exchanges = true};

    return do_branch(x, &branch);
}

static bool jump_register(struct xlat *x, ir_ref to, int link, bool compact)
{
    struct mips_branch branch = {
        .kind = TARGET_REGISTER, .to = to, .link = link, .compact = compact};

    return do_branch(x, &branch);
}

/* JR rs */
bool mips_trans_JR(struct xlat *x, const struct arg_rs *a)
{
    return jump_register(x, mips_get(x, a->rs), 0, false);
}

/* JALR rd, rs */
bool mips_trans_JALR(struct xlat *x, const struct arg_rs_rd *a)
{
    return jump_register(x, mips_get(x, a->rs), a->rd, false);
}

/* ---- compact branches: release 6 ------------------------------------------------------------- */

/* BC offset */
bool mips_trans_BC(struct xlat *x, const struct arg_offset *a)
{
    return branch_always(x, relative(x, a->imm), 0, true);
}

/* BALC offset */
bool mips_trans_BALC(struct xlat *x, const struct arg_offset *a)
{
    return branch_always(x, relative(x, a->imm), RA, true);
}

static ir_ref register_plus(struct xlat *x, int rt, int imm)
{
    ir_ref base = mips_get(x, rt);

    return imm ? ir_bin_i(&x->b, IR_ADD, base, (uint64_t)(int64_t)imm) : base;
}

/* JIC rt, offset */
bool mips_trans_JIC(struct xlat *x, const struct arg_rt_imm *a)
{
    return jump_register(x, register_plus(x, a->rt, a->imm), 0, true);
}

/* JIALC rt, offset */
bool mips_trans_JIALC(struct xlat *x, const struct arg_rt_imm *a)
{
    return jump_register(x, register_plus(x, a->rt, a->imm), RA, true);
}

/* B<cond>Z{AL}C rt, offset; with rt = 0 the encoding is another's */
static bool compact_zero(struct xlat *x, int rt, int imm, enum ir_cond cond, unsigned how)
{
    return rt && branch_on(x, cond, mips_get(x, rt), IR_NONE, imm, COMPACT_BRANCH | how);
}

#define COMPACT_ZERO(name, cond, how)                                                              \
    bool mips_trans_##name(struct xlat *x, const struct arg_rt_branch *a)                          \
    {                                                                                              \
        return compact_zero(x, a->rt, a->imm, cond, how);                                          \
    }
COMPACT_ZERO(BLEZALC, IR_LE, LINKING_BRANCH)
COMPACT_ZERO(BGTZALC, IR_GT, LINKING_BRANCH)
COMPACT_ZERO(BLEZC, IR_LE, 0)
COMPACT_ZERO(BGTZC, IR_GT, 0)

/* Two rows in one opcode: rs = rt compares rt with 0, another pair compares the two. */
static bool compact_pair(struct xlat *x, const struct arg_rr_branch *a, enum ir_cond zero,
                         unsigned zero_how, enum ir_cond pair)
{
    if (a->rs == a->rt)
        return compact_zero(x, a->rt, a->imm, zero, zero_how);
    return branch_on(x, pair, mips_get(x, a->rs), mips_get(x, a->rt), a->imm, COMPACT_BRANCH);
}

/* BGEZALC rt, offset; BGEUC rs, rt, offset */
bool mips_trans_POP06(struct xlat *x, const struct arg_rr_branch *a)
{
    return compact_pair(x, a, IR_NN, LINKING_BRANCH, IR_NC);
}

/* BLTZALC rt, offset; BLTUC rs, rt, offset */
bool mips_trans_POP07(struct xlat *x, const struct arg_rr_branch *a)
{
    return compact_pair(x, a, IR_N, LINKING_BRANCH, IR_C);
}

/* BGEZC rt, offset; BGEC rs, rt, offset */
bool mips_trans_POP26(struct xlat *x, const struct arg_rr_branch *a)
{
    return compact_pair(x, a, IR_NN, 0, IR_GE);
}

/* BLTZC rt, offset; BLTC rs, rt, offset */
bool mips_trans_POP27(struct xlat *x, const struct arg_rr_branch *a)
{
    return compact_pair(x, a, IR_N, 0, IR_LT);
}

/* Does rs + rt overflow 32 bits? In a 64-bit guest also if one of them is no sign-extended word. */
static bool branch_overflow(struct xlat *x, const struct arg_rr_branch *a, enum ir_cond cond)
{
    struct ir_builder *b = &x->b;
    ir_ref sum = ir_bin(b, IR_ADD, mips_get32(x, a->rs), mips_get32(x, a->rt));
    ir_ref overflow = ir_setcc(b, IR_V, ir_flagof(b, sum));

    if (mips_xlat(x)->wide) {
        for (unsigned i = 0; i < 2; i++) {
            int n = i ? a->rt : a->rs;
            ir_ref same = ir_compare(b, mips_get(x, n), mips_extend(x, mips_get32(x, n)));

            overflow = ir_bin(b, IR_OR, overflow, ir_setcc(b, IR_NZ, same));
        }
    }
    return branch_on(x, cond, overflow, IR_NONE, a->imm, COMPACT_BRANCH);
}

static bool overflow_or_equal(struct xlat *x, const struct arg_rr_branch *a, enum ir_cond equal,
                              enum ir_cond overflow)
{
    if (a->rs >= a->rt)
        return branch_overflow(x, a, overflow);
    if (!a->rs)
        return branch_on(x, equal, mips_get(x, a->rt), IR_NONE, a->imm,
                         COMPACT_BRANCH | LINKING_BRANCH);
    return branch_on(x, equal, mips_get(x, a->rs), mips_get(x, a->rt), a->imm, COMPACT_BRANCH);
}

/* BOVC rs, rt, offset; BEQZALC rt, offset; BEQC rs, rt, offset */
bool mips_trans_POP10(struct xlat *x, const struct arg_rr_branch *a)
{
    return overflow_or_equal(x, a, IR_Z, IR_NZ);
}

/* BNVC rs, rt, offset; BNEZALC rt, offset; BNEC rs, rt, offset */
bool mips_trans_POP30(struct xlat *x, const struct arg_rr_branch *a)
{
    return overflow_or_equal(x, a, IR_NZ, IR_Z);
}

/* ---- which instructions branch ----------------------------------------------------------------
 */

/* Bit n: main opcode n. J JAL BEQ BNE BLEZ BGTZ, and BEQL BNEL BLEZL BGTZL. */
#define DELAYED_OPCODES (UINT64_C(0xfc))
#define LIKELY_OPCODES (UINT64_C(0xf) << 20)
enum { OPCODE_JALX = 29 };

static bool regimm_branches(uint32_t insn)
{
    unsigned rt = extract32(insn, 16, 5);

    return rt <= 3 || (rt >= 16 && rt <= 19) || rt == 28 /* BPOSGE32 */ || rt == 29;
}

/* BC1F, BC1T and their likely forms, BC1ANY2, BC1ANY4, BC1EQZ, BC1NEZ; MSA's BZ and BNZ. */
static bool cop1_branches(uint32_t insn)
{
    unsigned rs = extract32(insn, 21, 5);

    return (rs >= 8 && rs <= 10) || rs == 13 || rs == 11 || rs == 15 || rs >= 24;
}

static bool has_delay_slot(struct xlat *x, uint32_t insn)
{
    unsigned opcode = insn >> 26, function = insn & 63;
    bool r6 = mips_x_has(x, MIPS_HAS_R6);

    if (opcode == 0)
        return function == 8 || function == 9;
    if (opcode == 1)
        return regimm_branches(insn);
    if (opcode == 17)
        return cop1_branches(insn);
    if ((opcode == 6 || opcode == 7) && extract32(insn, 16, 5))
        return false; /* release 6's compact branches */
    if (DELAYED_OPCODES >> opcode & 1)
        return true;
    if (opcode == OPCODE_JALX)
        return mips_x_has(x, MIPS_HAS_MIPS16);
    return !r6 && (LIKELY_OPCODES >> opcode & 1);
}

bool mips_has_delay_slot(struct xlat *x)
{
    const struct mips_xlat *mx = mips_xlat(x);

    return mx->key & KEY_ISA_MODE ? mips16_has_delay_slot(mx->insn, mx->length)
                                  : has_delay_slot(x, mx->insn);
}

bool mips_is_control_transfer(struct xlat *x, uint32_t insn)
{
    unsigned opcode = insn >> 26, function = insn & 63;

    if (has_delay_slot(x, insn))
        return true;
    if (!mips_x_has(x, MIPS_HAS_R6))
        return false;
    if (opcode == 16 && insn >> 25 & 1) /* ERET, DERET, WAIT are refused too */
        return function == 24 || function == 31 || function == 32;
    return opcode == 6 || opcode == 7 || opcode == 8 || opcode == 22 || opcode == 23 ||
           opcode == 24 || opcode == 50 || opcode == 54 || opcode == 58 || opcode == 62;
}
