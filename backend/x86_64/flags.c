/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IR's FLAGS values on EFLAGS. At any point EFLAGS holds the flags of at
 * most one arithmetic op (emit.eflags). SETCCs of it stay lazy as long as it
 * does. Before an op that changes EFLAGS, lazy values still needed are made
 * real, and what later consumers want is either recreated later from operands
 * that are kept alive or saved as bytes now.
 */
#include "backend/x86_64/x86_64.h"

#include "tcg/eval.h"

static enum cc condition_code(unsigned cond)
{
    static const uint8_t codes[IR_N_CONDS] = {
        [IR_Z] = CC_E,        [IR_NZ] = CC_NE,       [IR_C] = CC_B,
        [IR_NC] = CC_AE,      [IR_N] = CC_S,         [IR_NN] = CC_NS,
        [IR_V] = CC_O,        [IR_NV] = CC_NO,       [IR_C_AND_NZ] = CC_A /* after cmc */,
        [IR_NC_OR_Z] = CC_BE, [IR_NC_AND_NZ] = CC_A, [IR_C_OR_Z] = CC_BE,
        [IR_GE] = CC_GE,      [IR_LT] = CC_L,        [IR_GT] = CC_G,
        [IR_LE] = CC_LE,      [IR_P] = CC_P,         [IR_NP] = CC_NP,
    };
    return (enum cc)codes[cond];
}

static bool wants_inverted_carry(unsigned cond)
{
    return cond == IR_C_AND_NZ || cond == IR_NC_OR_Z;
}

void flags_restore_carry(struct emit *e, bool inverted_carry)
{
    if (inverted_carry)
        put8(&e->a, 0xf5); /* cmc */
}

/* EFLAGS is the source's already. */
static enum cc use_current(struct emit *e, unsigned cond, bool *inverted_carry)
{
    *inverted_carry = wants_inverted_carry(cond);
    flags_restore_carry(e, *inverted_carry);
    return condition_code(cond);
}

void flags_lazy_value(struct emit *e, ir_ref ref)
{
    struct value *v = &e->value[ref];
    const struct ir_insn *insn = &e->u->insns[ref];
    v->flags &= (uint8_t)~VALUE_LAZY_CC;
    enum cc cc = condition_code(insn->sub);
    if (!v->next_use) { /* only pending records want it */
        v->slot = slot_alloc(e, false);
        v->flags |= VALUE_SLOT_BYTE;
        emit_setcc_m(&e->a, cc, slot_mem(v->slot));
        return;
    }
    uint32_t locked = e->locked;
    unsigned reg = alloc_temp(e);
    emit_setcc_r(&e->a, cc, reg);
    emit_movzx8(&e->a, reg, reg);
    ir_ref here = e->here;
    e->here = ref;
    def_in(e, reg);
    e->here = here;
    e->locked = locked;
}

bool flags_are_packed(const struct ir_unit *u, ir_ref source)
{
    unsigned op = u->insns[source].op;
    return op == IR_GET || op == IR_UNPACKFLAGS || op == IR_MERGEFLAGS;
}

/* Whoever is in rax waits in an idle register, else in the frame, while flags go through it. */
enum { RAX_IS_FREE = NO_REG, RAX_IN_FRAME = RSP };

static unsigned borrow_rax(struct emit *e)
{
    if (!e->reg_value[RAX] && !(e->locked >> RAX & 1))
        return RAX_IS_FREE;
    for (unsigned reg = 0; reg < XMM_BASE; reg++) {
        if ((TEMP_MASK & ~(1u << RAX)) >> reg & 1 && !e->reg_value[reg] &&
            !(e->locked >> reg & 1)) {
            emit_mov_rr(&e->a, OP_W, reg, RAX);
            return reg;
        }
    }
    emit_store(&e->a, OP_W, mem_at(RSP, FRAME_FLAGS), RAX);
    return RAX_IN_FRAME;
}

static void return_rax(struct emit *e, unsigned lent_to)
{
    if (lent_to == RAX_IN_FRAME)
        emit_load(&e->a, OP_W, RAX, mem_at(RSP, FRAME_FLAGS));
    else if (lent_to != RAX_IS_FREE)
        emit_mov_rr(&e->a, OP_W, RAX, lent_to);
}

static void put_lahf_seto(struct emit *e)
{
    put8(&e->a, 0x9f);
    emit_setcc_r(&e->a, CC_O, RAX);
}

/* The stored form in ax becomes EFLAGS. */
static void put_sahf(struct emit *e)
{
    put8(&e->a, 0x04); /* add al, 127 */
    put8(&e->a, 0x7f);
    put8(&e->a, 0x9e);
}

static int16_t find_saved_all(const struct emit *e, ir_ref source)
{
    for (unsigned k = 0; k < e->n_saved; k++)
        if (e->saved[k].source == source && e->saved[k].pair == PAIR_ALL)
            return e->saved[k].slot;
    return -1;
}

static void save_all(struct emit *e, ir_ref source)
{
    if (find_saved_all(e, source) >= 0)
        return;
    if (e->n_saved == MAX_SAVED_FLAGS) {
        e->failed = true;
        return;
    }
    int16_t slot = slot_alloc(e, false);
    unsigned lent_to = borrow_rax(e);
    put_lahf_seto(e);
    emit_store(&e->a, 0, slot_mem(slot), RAX);
    return_rax(e, lent_to);
    e->saved[e->n_saved++] = (struct saved_flag){source, PAIR_ALL, slot};
}

static void save_conditions(struct emit *e, ir_ref source)
{
    unsigned pairs = flags_wanted_after(e, source, e->here);
    if (pairs & WANT_ALL || find_saved_all(e, source) >= 0) {
        save_all(e, source);
        return;
    }
    while (pairs) {
        unsigned pair = (unsigned)__builtin_ctz(pairs);
        pairs &= pairs - 1;
        if (e->n_saved == MAX_SAVED_FLAGS) {
            e->failed = true;
            return;
        }
        bool inverted;
        int16_t slot = slot_alloc(e, false);
        enum cc cc = use_current(e, pair * 2, &inverted);
        emit_setcc_m(&e->a, cc, slot_mem(slot));
        flags_restore_carry(e, inverted);
        e->saved[e->n_saved++] = (struct saved_flag){source, (uint8_t)pair, slot};
    }
}

/* except: a lazy value the current op takes from EFLAGS itself. */
static void clobber(struct emit *e, ir_ref except)
{
    ir_ref source = e->eflags;
    if (!source)
        return;
    for (unsigned k = 0; k < e->n_lazy; k++) {
        struct value *v = &e->value[e->lazy[k]];
        if (!(v->flags & VALUE_LAZY_CC) || v->last_use < e->here)
            continue;
        if (e->lazy[k] == except && v->last_use == e->here)
            continue;
        flags_lazy_value(e, e->lazy[k]);
    }
    e->n_lazy = 0;
    if (e->value[source].flag_last > e->here && e->value[source].recreate == RECREATE_SAVE)
        save_conditions(e, source);
    e->eflags = 0;
}

void flags_clobber(struct emit *e)
{
    clobber(e, IR_NONE);
}

void flags_produced(struct emit *e)
{
    e->n_lazy = 0;
    e->eflags = e->value[e->here].flag_last ? e->here : 0;
}

/* From the stored form, in a register, a slot or the field. */
static void recreate_packed(struct emit *e, ir_ref source)
{
    int16_t slot = find_saved_all(e, source);
    unsigned lent_to = borrow_rax(e);
    uint32_t locked = e->locked;
    e->locked |= lent_to == RAX_IS_FREE ? 0 : 1u << lent_to;
    if (slot >= 0)
        emit_load(&e->a, 0, RAX, slot_mem(slot));
    else
        use_into(e, source, RAX);
    e->locked = locked;
    put_sahf(e);
    return_rax(e, lent_to);
}

static void recreate(struct emit *e, ir_ref source)
{
    const struct ir_insn *insn = &e->u->insns[source];
    unsigned w = op_w(insn->type);
    uint32_t locked = e->locked;
    flags_clobber(e);
    if (e->value[source].recreate == RECREATE_PACKED || find_saved_all(e, source) >= 0) {
        recreate_packed(e, source);
    } else if (e->value[source].recreate == RECREATE_RESULT) {
        unsigned reg = use_gpr(e, source);
        emit_test_rr(&e->a, w, reg, reg);
    } else {
        unsigned left = use_gpr(e, insn->arg[0]);
        struct operand right = use_operand(e, insn->arg[1]);
        if (right.kind != OPERAND_IMM)
            right.reg = (uint8_t)use_gpr(e, insn->arg[1]);
        if (insn->op == IR_SUB) {
            if (right.kind == OPERAND_IMM)
                emit_alu_ri(&e->a, w, ALU_CMP, left, right.imm);
            else
                emit_alu_rr(&e->a, w, ALU_CMP, left, right.reg);
        } else if (right.kind == OPERAND_IMM) {
            emit_test_ri(&e->a, w, left, right.imm, true);
        } else {
            emit_test_rr(&e->a, w, left, right.reg);
        }
    }
    e->locked = locked;
    e->eflags = source;
}

static const struct saved_flag *find_saved(struct emit *e, ir_ref source, unsigned cond)
{
    for (unsigned k = 0; k < e->n_saved; k++)
        if (e->saved[k].source == source && e->saved[k].pair == cond >> 1)
            return &e->saved[k];
    e->failed = true;
    return NULL;
}

/* A condition on one flag of a stored form: test. */
static bool test_packed(struct emit *e, ir_ref source, unsigned cond, enum cc *cc)
{
    const struct value *v = &e->value[source];
    unsigned bits = ir_cond_flags(cond);
    if (!is_power_of_two(bits))
        return false;
    flags_clobber(e);
    if (v->reg == NO_REG && v->slot < 0 && (v->flags & VALUE_FIELD)) {
        struct mem m = field_mem(e, e->u->insns[source].aux);
        m.disp += bits > 0xff;
        emit_rm_imm(&e->a, 0xf6, 0, m, 1);
        put8(&e->a, bits > 0xff ? bits >> 8 : bits);
    } else {
        emit_test_ri(&e->a, 0, use_gpr(e, source), (int32_t)bits, false);
    }
    *cc = cond & 1 ? CC_E : CC_NE;
    return true;
}

void flags_load(struct emit *e, ir_ref flags)
{
    if (flags == IR_NONE) { /* the flags of 1: none is set */
        flags_clobber(e);
        uint32_t locked = e->locked;
        unsigned one = alloc_temp(e);
        emit_mov_imm(&e->a, one, 1);
        emit_test_rr(&e->a, 0, one, one);
        e->locked = locked;
        return;
    }
    ir_ref source = flags_source(e->u, flags);
    if (e->eflags == source)
        return;
    if (e->value[source].recreate == RECREATE_SAVE && find_saved_all(e, source) < 0)
        e->failed = true; /* whoever takes them all is known before they are lost */
    recreate(e, source);
}

unsigned flags_pack(struct emit *e, ir_ref flags)
{
    ir_ref source = flags_source(e->u, flags);
    int16_t slot = find_saved_all(e, source);
    if (flags_are_packed(e->u, source))
        return use_gpr(e, source);
    if (e->eflags != source && slot >= 0) {
        unsigned reg = alloc_temp(e);
        emit_load(&e->a, 0, reg, slot_mem(slot));
        return reg;
    }
    flags_load(e, flags);
    alloc_take(e, RAX);
    put_lahf_seto(e);
    return RAX;
}

/* The flags of one argument in a temporary of its own, which is not rax. */
static unsigned take_part(struct emit *e, ir_ref flags)
{
    uint32_t locked = e->locked;
    unsigned from = flags_pack(e, flags);
    if (from != RAX && TEMP_MASK >> from & 1 && !e->reg_value[from])
        return from;
    unsigned reg = alloc_temp(e);
    emit_mov_rr(&e->a, 0, reg, from);
    e->locked = locked | 1u << reg;
    return reg;
}

void emit_mergeflags(struct emit *e, const struct ir_insn *insn)
{
    unsigned first = e->eflags == flags_source(e->u, insn->arg[0]) ? 0 : 1, reg[2];
    alloc_take(e, RAX); /* flags go through it */
    reg[first] = take_part(e, insn->arg[first]);
    reg[!first] = take_part(e, insn->arg[!first]);
    flags_clobber(e);
    unsigned bits = ir_flag_set_bits(insn->sub);
    emit_alu_ri(&e->a, 0, ALU_AND, reg[0], IR_FLAG_ALL & ~(int)bits);
    emit_alu_ri(&e->a, 0, ALU_AND, reg[1], (int)bits);
    emit_alu_rr(&e->a, 0, ALU_OR, reg[1], reg[0]);
    end_uses(e);
    def_in(e, reg[1]);
}

void emit_packflags(struct emit *e, const struct ir_insn *insn)
{
    unsigned from = flags_pack(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_reg(e, from, 0);
    if (dst != from)
        emit_mov_rr(&e->a, 0, dst, from);
    flags_clobber(e);
    emit_alu_ri(&e->a, 0, ALU_AND, dst, IR_FLAG_ALL);
}

void emit_unpackflags(struct emit *e, const struct ir_insn *insn)
{
    uint64_t constant;
    if (is_constant(e, insn->arg[0], &constant)) {
        e->value[e->here].flags = VALUE_LIVE | VALUE_CONST;
        return;
    }
    unsigned from = use_gpr(e, insn->arg[0]);
    end_uses(e);
    unsigned dst = def_reg(e, from, 0);
    if (dst != from)
        emit_mov_rr(&e->a, 0, dst, from);
    emit_alu_ri(&e->a, 0, ALU_AND, dst, IR_FLAG_ALL);
}

enum cc flags_use(struct emit *e, ir_ref flags, unsigned cond, bool *inverted_carry)
{
    ir_ref source = flags_source(e->u, flags);
    if (e->eflags != source) {
        enum cc cc;
        if (flags_are_packed(e->u, source) && test_packed(e, source, cond, &cc)) {
            *inverted_carry = false;
            return cc;
        }
        if (e->value[source].recreate == RECREATE_SAVE && find_saved_all(e, source) < 0) {
            const struct saved_flag *saved = find_saved(e, source, cond);
            *inverted_carry = false;
            if (!saved)
                return CC_E;
            flags_clobber(e);
            emit_cmp_byte_mem(&e->a, slot_mem(saved->slot), 0);
            return cond & 1 ? CC_E : CC_NE;
        }
        recreate(e, source);
    }
    return use_current(e, cond, inverted_carry);
}

void emit_setcc(struct emit *e, const struct ir_insn *insn)
{
    struct value *v = &e->value[e->here];
    ir_ref source = flags_source(e->u, insn->arg[0]);
    if (e->eflags != source && e->value[source].recreate == RECREATE_SAVE &&
        find_saved_all(e, source) < 0) {
        const struct saved_flag *saved = find_saved(e, source, insn->sub);
        if (!saved)
            return;
        if (insn->sub & 1)
            flags_clobber(e);
        unsigned reg = def_reg(e, NO_REG, 0);
        emit_rm(&e->a, 0xb6 | OP_0F, reg, slot_mem(saved->slot));
        if (insn->sub & 1)
            emit_alu_ri(&e->a, 0, ALU_XOR, reg, 1);
        return;
    }
    bool inverted;
    enum cc cc = flags_use(e, insn->arg[0], insn->sub, &inverted);
    end_uses(e);
    if (!inverted && e->eflags == source && e->n_lazy < MAX_LAZY) {
        v->flags = VALUE_LIVE | VALUE_LAZY_CC;
        e->lazy[e->n_lazy++] = e->here;
        return;
    }
    unsigned reg = alloc_temp(e);
    emit_setcc_r(&e->a, cc, reg);
    emit_movzx8(&e->a, reg, reg);
    flags_restore_carry(e, inverted);
    def_in(e, reg);
}

/* EFLAGS first, then the values (moves only), so that recreating flags needs no more registers
 * than there are. */
static enum cc select_condition(struct emit *e, const struct ir_insn *insn, bool *inverted)
{
    for (unsigned k = 1; k < 3; k++)
        if (e->value[insn->arg[k]].flags & VALUE_LAZY_CC)
            flags_lazy_value(e, insn->arg[k]);
    enum cc cc = flags_use(e, insn->arg[0], insn->sub, inverted);
    e->locked = e->mirrors;
    e->hold_flags = true;
    return cc;
}

static void select_vector(struct emit *e, const struct ir_insn *insn)
{
    bool inverted;
    enum cc cc = select_condition(e, insn, &inverted);
    unsigned yes = use_xmm(e, insn->arg[1]), no = use_xmm(e, insn->arg[2]);
    end_uses(e);
    unsigned dst = def_xmm(e, no, 1u << yes);
    emit_movaps(&e->a, dst, no);
    uint8_t *over = emit_jcc_short(&e->a, (enum cc)(cc ^ 1));
    emit_movaps(&e->a, dst, yes);
    bind_short(&e->a, over);
    flags_restore_carry(e, inverted);
    e->hold_flags = false;
}

void emit_select(struct emit *e, const struct ir_insn *insn)
{
    if (insn->type != IR_I32 && insn->type != IR_I64) {
        select_vector(e, insn);
        return;
    }
    unsigned w = op_w(insn->type);
    bool inverted;
    enum cc cc = select_condition(e, insn, &inverted);
    unsigned yes = use_gpr(e, insn->arg[1]), no = use_gpr(e, insn->arg[2]);
    end_uses(e);
    unsigned want = e->value[e->here].want;
    bool swap = want == yes || (want != no && e->reg_value[no] && !e->reg_value[yes]);
    if (swap) {
        unsigned other = yes;
        yes = no;
        no = other;
        cc = (enum cc)(cc ^ 1);
    }
    unsigned dst = def_reg(e, no, yes == no ? 0 : 1u << yes);
    if (dst != no)
        emit_mov_rr(&e->a, w, dst, no);
    emit_rr(&e->a, 0x40 | cc | OP_0F | w, dst, yes);
    flags_restore_carry(e, inverted);
    e->hold_flags = false;
}

/* CF = the carry (an I32 that is 0 or 1); lazily known conditions come from
 * EFLAGS directly. */
void flags_set_carry(struct emit *e, ir_ref carry)
{
    const struct ir_insn *insn = &e->u->insns[carry];
    uint64_t constant;
    if (is_constant(e, carry, &constant)) {
        clobber(e, IR_NONE);
        put8(&e->a, constant ? 0xf9 : 0xf8); /* stc, clc */
        return;
    }
    if ((e->value[carry].flags & VALUE_LAZY_CC) && insn->sub >> 1 == IR_C >> 1) {
        clobber(e, carry);
        if (insn->sub == IR_NC)
            put8(&e->a, 0xf5);
        return;
    }
    clobber(e, IR_NONE);
    unsigned reg = use_gpr(e, carry);
    emit_rr(&e->a, 0xba | OP_0F, 4, reg); /* bt reg, 0 */
    put8(&e->a, 0);
}

/* The argument of an ADD or SUB that is a carry still in CF, and in nobody's use afterwards. */
static ir_ref carry_added(struct emit *e, const struct ir_insn *insn)
{
    if ((insn->op != IR_ADD && insn->op != IR_SUB) || insn->sub || e->value[e->here].flag_last)
        return IR_NONE;
    for (unsigned k = insn->op == IR_ADD ? 0 : 1; k < 2; k++) {
        ir_ref carry = insn->arg[k];
        if ((e->value[carry].flags & VALUE_LAZY_CC) && e->u->insns[carry].sub >> 1 == IR_C >> 1 &&
            insn->arg[!k] != carry && is_dying(e, carry))
            return carry;
    }
    return IR_NONE;
}

bool takes_eflags(struct emit *e, const struct ir_insn *insn)
{
    unsigned op = insn->op;
    return op == IR_ADC || op == IR_SBB || op == IR_BRCC || op == IR_ALU || op == IR_MERGEFLAGS ||
           op == IR_PACKFLAGS || carry_added(e, insn);
}

bool emit_sum_with_carry(struct emit *e, const struct ir_insn *insn)
{
    ir_ref carry = carry_added(e, insn);
    if (!carry)
        return false;
    unsigned cond = e->u->insns[carry].sub;
    unsigned from = use_gpr(e, insn->arg[insn->arg[0] == carry]);
    clobber(e, carry);
    end_uses(e);
    unsigned dst = def_reg(e, from, 0);
    if (dst != from)
        emit_mov_rr(&e->a, 0, dst, from);
    bool adds = (insn->op == IR_ADD) == (cond == IR_C); /* x + !C is x - (-1) - C */
    emit_alu_ri(&e->a, 0, adds ? ALU_ADC : ALU_SBB, dst, cond == IR_C ? 0 : -1);
    return true;
}

void emit_adc(struct emit *e, const struct ir_insn *insn)
{
    enum alu op = insn->op == IR_ADC ? ALU_ADC : ALU_SBB;
    unsigned w = op_w(insn->type), width = insn->sub;
    unsigned left = use_gpr(e, insn->arg[0]);
    struct operand right = use_operand(e, insn->arg[1]);
    flags_set_carry(e, insn->arg[2]);
    end_uses(e);
    uint32_t avoid = right.kind == OPERAND_REG && right.reg != left ? 1u << right.reg : 0;
    unsigned dst = def_reg(e, left, avoid);
    if (dst != left)
        emit_mov_rr(&e->a, w, dst, left);
    if (right.kind == OPERAND_REG && right.reg == left)
        right.reg = (uint8_t)dst;
    if (width)
        emit_narrow_alu(e, width, op, dst, right);
    else if (right.kind == OPERAND_IMM)
        emit_alu_ri(&e->a, w, op, dst, right.imm);
    else if (right.kind == OPERAND_MEM)
        emit_alu_rm(&e->a, w, op, dst, right.mem);
    else
        emit_alu_rr(&e->a, w, op, dst, right.reg);
    if (width && e->value[e->here].last_use && e->value[e->here].seen > width)
        emit_zero_extend(e, width, dst);
    flags_produced(e);
}

/* MKFLAGS: four booleans. SF, ZF, CF through sahf, OF by adding 127 to V. */
void emit_mkflags(struct emit *e, const struct ir_insn *insn)
{
    flags_clobber(e);
    alloc_take(e, RAX);
    unsigned temp = alloc_temp(e);
    static const uint8_t position[4] = {15, 14, 8, 0}; /* in ax: n, z, c in ah, v in al */
    emit_alu_rr(&e->a, 0, ALU_XOR, RAX, RAX);
    for (unsigned k = 0; k < 4; k++) {
        use_into(e, insn->arg[k], temp);
        if (position[k])
            emit_shift_i(&e->a, 0, SHIFT_SHL, temp, position[k]);
        emit_alu_rr(&e->a, 0, ALU_OR, RAX, temp);
    }
    end_uses(e);
    put8(&e->a, 0x04); /* add al, 127 */
    put8(&e->a, 0x7f);
    put8(&e->a, 0x9e); /* sahf */
    flags_produced(e);
}
