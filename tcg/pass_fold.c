/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Constants, identities, conditions, and equal values made one: one forward walk that writes the
 * unit anew.
 *
 * Flags. FLAGOF wants the arithmetic insn itself, so it is rebuilt "raw" for it even if its value
 * has been simplified. Every consumer (SETCC, SELECT, BRCC) goes through `resolve`, which ends in a
 * constant or in one condition on one FLAGOF. MKFLAGS is never emitted: a consumer looks at the
 * booleans it would have been made of. Where those are conditions on one flags value, what the
 * consumer asks is a truth table over that value's n, z, c, v, and the table says which condition
 * it is (ARM's HI after a compare is NC_AND_NZ). Else it becomes boolean arithmetic.
 */
#include <string.h>

#include "tcg/eval.h"
#include "tcg/rebuild.h"
#include "tcg/vector_ops.h"

enum {
    REACHABLE = 0x0fff, /* flag words that can be: never N and Z */
    REACHABLE_LOGIC = 1 << 0 | 1 << FLAG_Z | 1 << FLAG_N, /* C and V clear */
    MAX_DEPTH = 4,
};

/* A new insn's mark: it is 0 or 1 by MKFLAGS' contract; a SET has put it into guest state. */
enum { MARK_BOOLEAN = 1, MARK_IN_STATE = 2, MAX_MARKED = 256 };

struct fold {
    struct rebuild r;
    unsigned n_marked;
    ir_ref marked[MAX_MARKED];
};

/* A condition made simple: holds always, never, or as cond on flags. */
struct test {
    enum { TEST_FLAGS, TEST_FALSE, TEST_TRUE } kind;
    unsigned cond;
    ir_ref flags; /* new */
};

static ir_ref simplify(struct fold *f, struct ir_insn *insn);

static const struct ir_insn *at(const struct fold *f, ir_ref ref)
{
    return &f->r.insns[ref];
}

static bool is_const(const struct fold *f, ir_ref ref, uint64_t *value)
{
    return rebuild_is_const(&f->r, ref, value);
}

static bool equals_const(const struct fold *f, ir_ref ref, uint64_t value)
{
    return at(f, ref)->op == IR_CONST && at(f, ref)->imm == value;
}

static ir_ref make(struct fold *f, unsigned op, unsigned type, ir_ref a, ir_ref b)
{
    const uint64_t words[4] = {rebuild_head(op, type, 0, 0), rebuild_args(a, b, 0, 0), 0, 0};
    struct ir_insn insn;
    memcpy(&insn, words, sizeof(insn));
    return simplify(f, &insn);
}

static ir_ref make_with_const(struct fold *f, unsigned op, unsigned type, ir_ref a, uint64_t value)
{
    return make(f, op, type, a, rebuild_const(&f->r, type, value));
}

/* ---- booleans and conditions --------------------------------------------------------------- */

static bool is_boolean(const struct fold *f, ir_ref ref, unsigned depth)
{
    const struct ir_insn *insn = at(f, ref);
    if (insn->mark & MARK_BOOLEAN)
        return true;
    switch (insn->op) {
    case IR_SETCC:
        return true;
    case IR_CONST:
        return insn->imm <= 1;
    case IR_EXTRACT:
        return insn->aux == 1;
    case IR_OR:
    case IR_XOR:
        return depth && is_boolean(f, insn->arg[0], depth - 1) &&
               is_boolean(f, insn->arg[1], depth - 1);
    case IR_AND:
        return depth &&
               (is_boolean(f, insn->arg[0], depth - 1) || is_boolean(f, insn->arg[1], depth - 1));
    case IR_ANDN:
        return depth && is_boolean(f, insn->arg[0], depth - 1);
    default:
        return false;
    }
}

static bool is_logic(unsigned op)
{
    return op == IR_AND || op == IR_OR || op == IR_XOR || op == IR_ANDN;
}

static struct test test_constant(bool value)
{
    return (struct test){.kind = value ? TEST_TRUE : TEST_FALSE};
}

static struct test test_cond(unsigned cond, ir_ref flags)
{
    return (struct test){.kind = TEST_FLAGS, .cond = cond, .flags = flags};
}

/* `value != 0` for any integer, or its inverse. */
static struct test test_nonzero(struct fold *f, ir_ref value, bool inverted)
{
    const struct ir_insn *insn = at(f, value);
    if (insn->op == IR_CONST)
        return test_constant((insn->imm != 0) != inverted);
    if (insn->op == IR_SETCC)
        return test_cond(insn->sub ^ inverted, insn->arg[0]);
    if (insn->op == IR_XOR && equals_const(f, insn->arg[1], 1) &&
        is_boolean(f, insn->arg[0], MAX_DEPTH))
        return test_nonzero(f, insn->arg[0], !inverted);
    if (!is_logic(insn->op))
        value = rebuild_op(&f->r, IR_AND, insn->type, 0, 0, value, value);
    return test_cond(inverted ? IR_Z : IR_NZ,
                     rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, value, IR_NONE));
}

/* The condition that holds for just these of the flag words that can be, the simplest first. */
static bool match_condition(uint16_t set, uint16_t reachable, struct test *out)
{
    set &= reachable;
    if (!set || set == reachable) {
        *out = test_constant(set != 0);
        return true;
    }
    for (unsigned cond = 0; cond < IR_P; cond++) {
        if ((ir_cond_set(cond) & reachable) == set) {
            *out = test_cond(cond, IR_NONE);
            return true;
        }
    }
    return false;
}

/* The flag words that this flags value may be. */
static uint16_t reachable(const struct fold *f, ir_ref flags)
{
    if (flags == IR_NONE)
        return REACHABLE;
    const struct ir_insn *insn = at(f, flags), *source = at(f, insn->arg[0]);
    if (insn->op != IR_FLAGOF || source->op < IR_ADD || source->op > IR_ANDN)
        return 0xffff;
    return is_logic(source->op) ? REACHABLE_LOGIC : REACHABLE;
}

/* cond on a FLAGOF of the new unit. */
static struct test resolve_flagof(struct fold *f, unsigned cond, ir_ref flags)
{
    const struct ir_insn *source = at(f, at(f, flags)->arg[0]);
    if (!is_logic(source->op) || cond >= IR_P)
        return test_cond(cond, flags);
    struct test test;
    if (!match_condition(ir_cond_set(cond), REACHABLE_LOGIC, &test))
        return test_cond(cond, flags);
    if (test.kind != TEST_FLAGS)
        return test;
    test.flags = flags;
    bool plain = source->op == IR_AND && source->arg[0] == source->arg[1];
    if (plain && (test.cond == IR_Z || test.cond == IR_NZ) &&
        is_boolean(f, source->arg[0], MAX_DEPTH))
        return test_nonzero(f, source->arg[0], test.cond == IR_Z);
    return test;
}

/* cond on any flags value of the new unit. */
static struct test resolve_new(struct fold *f, unsigned cond, ir_ref flags)
{
    const struct ir_insn *insn = at(f, flags);
    unsigned wanted = ir_cond_flags(cond);
    uint64_t known;
    while (insn->op == IR_MERGEFLAGS) {
        unsigned after = ir_flag_set_bits(insn->sub);
        if (wanted & after && wanted & ~after)
            return test_cond(cond, flags);
        flags = insn->arg[wanted & after ? 1 : 0];
        insn = at(f, flags);
    }
    if (insn->op == IR_FLAGOF)
        return resolve_flagof(f, cond, flags);
    if (insn->op != IR_UNPACKFLAGS)
        return test_cond(cond, flags);
    ir_ref bits = insn->arg[0];
    if (is_const(f, bits, &known))
        return test_constant(ir_cond_holds(cond, (unsigned)known));
    if (!is_power_of_two(wanted))
        return test_cond(cond, flags);
    return test_nonzero(f, make_with_const(f, IR_AND, IR_I32, bits, wanted), cond & 1);
}

/* The truth table of a boolean over one flags value, which is *flags if that is set already. */
static bool truth_of(const struct fold *f, ir_ref boolean, ir_ref *flags, uint16_t *set)
{
    const struct ir_insn *insn = at(f, boolean);
    if (insn->op == IR_CONST) {
        *set = insn->imm ? 0xffff : 0;
        return true;
    }
    if (insn->op != IR_SETCC || insn->sub >= IR_P || (*flags && *flags != insn->arg[0]))
        return false;
    *flags = insn->arg[0];
    *set = ir_cond_set(insn->sub);
    return true;
}

/* Which of MKFLAGS' arguments a condition looks at: bits 0..3 for n, z, c, v. */
static unsigned parts_of(unsigned cond)
{
    enum { PART_N = 1, PART_Z = 2, PART_C = 4, PART_V = 8 };
    switch (cond & ~1u) {
    case IR_Z:
        return PART_Z;
    case IR_C:
        return PART_C;
    case IR_N:
        return PART_N;
    case IR_V:
        return PART_V;
    case IR_C_AND_NZ:
    case IR_NC_AND_NZ:
        return PART_C | PART_Z;
    case IR_GE:
        return PART_N | PART_V;
    default:
        return PART_N | PART_V | PART_Z;
    }
}

/* MKFLAGS whose parts come from one flags value: a condition on that. */
static bool resolve_by_truth(struct fold *f, unsigned cond, const ir_ref part[4], struct test *out)
{
    static const uint8_t flag_of_part[4] = {FLAG_N, FLAG_Z, FLAG_C, FLAG_V};
    unsigned parts = parts_of(cond);
    uint16_t sets[4] = {0, 0, 0, 0};
    ir_ref flags = IR_NONE;
    for (unsigned i = 0; i < 4; i++) {
        if (parts >> i & 1 && !truth_of(f, part[i], &flags, &sets[i]))
            return false;
    }
    uint16_t result = 0;
    for (unsigned word = 0; word < 16; word++) {
        unsigned made = 0;
        for (unsigned i = 0; i < 4; i++)
            made |= sets[i] >> word & 1 ? flag_of_part[i] : 0;
        result |= (uint16_t)((ir_cond_set(cond) >> made & 1) << word);
    }
    if (!match_condition(result, reachable(f, flags), out))
        return false;
    if (out->kind == TEST_FLAGS)
        *out = resolve_new(f, out->cond, flags);
    return true;
}

static struct test resolve_mkflags(struct fold *f, unsigned cond, const struct ir_insn *mkflags)
{
    ir_ref part[4];
    for (unsigned i = 0; i < 4; i++)
        part[i] = f->r.map[mkflags->arg[i]];
    ir_ref n = part[0], z = part[1], c = part[2], v = part[3];
    bool inverse = cond & 1;
    switch (cond & ~1u) {
    case IR_Z:
        return test_nonzero(f, z, inverse);
    case IR_C:
        return test_nonzero(f, c, inverse);
    case IR_N:
        return test_nonzero(f, n, inverse);
    case IR_V:
        return test_nonzero(f, v, inverse);
    case IR_P:
        return test_constant(inverse);
    default:
        break;
    }
    struct test test;
    if (resolve_by_truth(f, cond, part, &test))
        return test;
    switch (cond & ~1u) {
    case IR_C_AND_NZ:
        return test_nonzero(f, make(f, IR_ANDN, IR_I32, c, z), inverse);
    case IR_NC_AND_NZ:
        return test_nonzero(f, make(f, IR_OR, IR_I32, c, z), !inverse);
    case IR_GE:
        return test_nonzero(f, make(f, IR_XOR, IR_I32, n, v), !inverse);
    default:
        return test_nonzero(f, make(f, IR_OR, IR_I32, z, make(f, IR_XOR, IR_I32, n, v)), !inverse);
    }
}

/* cond on a flags value of the old unit. */
static struct test resolve(struct fold *f, unsigned cond, ir_ref old_flags)
{
    const struct ir_insn *insn = &f->r.old[old_flags];
    if (insn->op == IR_MKFLAGS)
        return resolve_mkflags(f, cond, insn);
    return resolve_new(f, cond, f->r.map[old_flags]);
}

/* The value 0 or 1 of a test. */
static ir_ref value_of_test(struct fold *f, const struct test *test)
{
    if (test->kind != TEST_FLAGS)
        return rebuild_const(&f->r, IR_I32, test->kind == TEST_TRUE);
    bool zero = test->cond == IR_Z || test->cond == IR_NZ;
    if (zero && at(f, test->flags)->op == IR_FLAGOF) {
        ir_ref value = at(f, test->flags)->arg[0];
        const struct ir_insn *source = at(f, value);
        if (source->op == IR_AND && source->arg[0] == source->arg[1])
            value = source->arg[0];
        if (is_logic(source->op) && source->type == IR_I32 && is_boolean(f, value, MAX_DEPTH))
            return test->cond == IR_NZ ? value : make_with_const(f, IR_XOR, IR_I32, value, 1);
    }
    return rebuild_op(&f->r, IR_SETCC, IR_I32, test->cond, 0, test->flags, IR_NONE);
}

/* ---- flags --------------------------------------------------------------------------------- */

static bool is_commutative(unsigned op)
{
    return op == IR_ADD || op == IR_ADC || op == IR_MUL || op == IR_AND || op == IR_OR ||
           op == IR_XOR;
}

/* A constant operand stands on the right; a carry known to be 0 is none. */
static void canonicalise(const struct fold *f, struct ir_insn *insn)
{
    if (is_commutative(insn->op) && at(f, insn->arg[0])->op == IR_CONST &&
        at(f, insn->arg[1])->op != IR_CONST) {
        ir_ref a = insn->arg[0];
        insn->arg[0] = insn->arg[1];
        insn->arg[1] = a;
    }
    if ((insn->op == IR_ADC || insn->op == IR_SBB) && equals_const(f, insn->arg[2], 0)) {
        insn->op = insn->op == IR_ADC ? IR_ADD : IR_SUB;
        insn->arg[2] = IR_NONE;
    }
}

static ir_ref known_flags(struct fold *f, unsigned flags)
{
    return rebuild_op(&f->r, IR_UNPACKFLAGS, IR_FLAGS, 0, 0,
                      rebuild_const(&f->r, IR_I32, flags & IR_FLAG_ALL), IR_NONE);
}

/* MKFLAGS for who wants it as a value. */
static ir_ref value_of_mkflags(struct fold *f, const struct ir_insn *mkflags)
{
    static const uint8_t bit[4] = {15, 14, 8, 0};
    ir_ref sum = IR_NONE;
    for (unsigned i = 0; i < 4; i++) {
        ir_ref part = make(f, IR_SHL, IR_I32, f->r.map[mkflags->arg[i]],
                           rebuild_const(&f->r, IR_I32, bit[i]));
        sum = sum ? make(f, IR_OR, IR_I32, sum, part) : part;
    }
    return rebuild_op(&f->r, IR_UNPACKFLAGS, IR_FLAGS, 0, 0, sum, IR_NONE);
}

static bool known_value(const struct fold *f, ir_ref flags, uint64_t *value)
{
    return at(f, flags)->op == IR_UNPACKFLAGS && is_const(f, at(f, flags)->arg[0], value);
}

/* MERGEFLAGS, PACKFLAGS, UNPACKFLAGS with new arguments. */
static ir_ref simplify_flags(struct fold *f, struct ir_insn *insn)
{
    const struct ir_insn *inner = at(f, insn->arg[0]);
    uint64_t before, after;
    switch (insn->op) {
    case IR_PACKFLAGS:
        if (inner->op == IR_UNPACKFLAGS)
            return make_with_const(f, IR_AND, IR_I32, inner->arg[0], IR_FLAG_ALL);
        return IR_NONE;
    case IR_UNPACKFLAGS:
        return inner->op == IR_PACKFLAGS ? inner->arg[0] : IR_NONE;
    default:
        break;
    }
    if (insn->sub == IR_SET_ALL)
        return insn->arg[1];
    if (!insn->sub || insn->arg[0] == insn->arg[1])
        return insn->arg[0];
    unsigned bits = ir_flag_set_bits(insn->sub);
    if (known_value(f, insn->arg[0], &before) && known_value(f, insn->arg[1], &after))
        return known_flags(f, (unsigned)((before & ~(uint64_t)bits) | (after & bits)));
    if (inner->op == IR_MERGEFLAGS && !(inner->sub & ~insn->sub))
        insn->arg[0] = inner->arg[0];
    return IR_NONE;
}

/* FLAGOF: what stands for it in the map. Mostly the insn is there as it was. */
static ir_ref fold_flagof(struct fold *f, ir_ref old_source)
{
    struct ir_insn raw = f->r.old[old_source];
    const struct ir_insn *made = at(f, f->r.map[old_source]);
    uint64_t args = rebuild_mapped_args(f->r.map, &raw);
    if (made->op == raw.op && made->type == raw.type && made->sub == raw.sub &&
        made->aux == raw.aux && rebuild_word(made, 1) == args &&
        (raw.op == IR_ALU || raw.op == IR_X87 || (args >> 32 == 0 && raw.arg[0] != raw.arg[1])))
        return rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, f->r.map[old_source], IR_NONE);
    rebuild_set_args(&raw, args);
    if (raw.op < IR_ADD || raw.op > IR_ANDN)
        return rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, rebuild_pure(&f->r, &raw), IR_NONE);
    uint64_t value[3] = {0, 0, 0};
    bool constant = true;
    for (unsigned i = 0; i < ir_op_info[raw.op].n_args; i++)
        constant &= is_const(f, raw.arg[i], &value[i]);
    if (constant)
        return known_flags(f,
                           ir_eval_flags(raw.op, raw.type, raw.sub, value[0], value[1], value[2]));
    canonicalise(f, &raw);
    ir_ref a = raw.arg[0], b = raw.arg[1];
    if (raw.sub) /* of a part of the operands: nothing here is made for it */
        return rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, rebuild_pure(&f->r, &raw), IR_NONE);
    bool zero = equals_const(f, b, 0), ones = equals_const(f, b, ir_type_mask(raw.type));
    switch (raw.op) {
    case IR_ADD:
        if (zero)
            goto of_a;
        break;
    case IR_SUB:
    case IR_XOR:
    case IR_ANDN:
        if (zero)
            goto of_a;
        if (a == b)
            return known_flags(f, IR_FLAG_Z | IR_FLAG_P);
        break;
    case IR_OR:
        if (zero || a == b)
            goto of_a;
        break;
    case IR_AND:
        if (zero)
            return known_flags(f, IR_FLAG_Z | IR_FLAG_P);
        if (ones || a == b)
            goto of_a;
        break;
    default:
        break;
    }
    return rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, rebuild_pure(&f->r, &raw), IR_NONE);
of_a: /* N, Z and P of a, no C, no V, no A */
    if (!is_logic(at(f, a)->op) || at(f, a)->sub)
        a = rebuild_op(&f->r, IR_AND, raw.type, 0, 0, a, a);
    return rebuild_op(&f->r, IR_FLAGOF, IR_FLAGS, 0, 0, a, IR_NONE);
}

/* ---- values -------------------------------------------------------------------------------- */

/* How many low bits of an integer may be nonzero. */
static unsigned width_of(const struct fold *f, ir_ref ref)
{
    const struct ir_insn *insn = at(f, ref);
    uint64_t value;
    switch (insn->op) {
    case IR_SETCC:
        return 1;
    case IR_CONST:
        return insn->imm ? 64 - (unsigned)__builtin_clzll(insn->imm) : 0;
    case IR_ZEXT:
        return insn->sub;
    case IR_EXTRACT:
        return insn->aux;
    case IR_LOAD:
    case IR_HLOAD:
        return insn->aux & IR_MEM_SIGN ? 64 : 8 * memop_size(insn->aux);
    case IR_GET:
        return f->r.unit->fields[insn->aux].type == IR_I8    ? 8
               : f->r.unit->fields[insn->aux].type == IR_I16 ? 16
                                                             : ir_type_bits(insn->type);
    case IR_ADD:
    case IR_SUB:
    case IR_ADC:
    case IR_SBB:
    case IR_OR:
    case IR_XOR:
        return ir_op_width(insn->type, insn->sub);
    case IR_ALU:
        return insn->sub == IR_ALU_CRC32 ? 32 : insn->aux;
    case IR_AND:
        if (insn->sub)
            return insn->sub;
        return is_const(f, insn->arg[1], &value) ? width_of(f, insn->arg[1]) : 64;
    case IR_SHR:
        if (!is_const(f, insn->arg[1], &value))
            return 64;
        return ir_type_bits(insn->type) - (value & (ir_type_bits(insn->type) - 1));
    case IR_WIDEN_U:
        return 32;
    default:
        return ir_type_bits(insn->type);
    }
}

static ir_ref constant_of(struct fold *f, const struct ir_insn *insn, uint64_t value)
{
    return rebuild_const(&f->r, insn->type, value);
}

/* x op x. */
static ir_ref simplify_same(struct fold *f, const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_AND:
    case IR_OR:
        return insn->arg[0];
    case IR_SUB:
    case IR_XOR:
    case IR_ANDN:
        return constant_of(f, insn, 0);
    default:
        return IR_NONE;
    }
}

/* x op constant; what comes back IR_NONE has no simpler form. */
static ir_ref simplify_by_constant(struct fold *f, struct ir_insn *insn, uint64_t c)
{
    ir_ref x = insn->arg[0];
    uint64_t ones = ir_type_mask(insn->type);
    switch (insn->op) {
    case IR_ADD:
    case IR_SUB:
        return c ? IR_NONE : x;
    case IR_SHR:
    case IR_SAR:
        if (insn->type == IR_I64 && c == 32 && at(f, x)->op == IR_CONCAT)
            return make(f, insn->op == IR_SAR ? IR_WIDEN_S : IR_WIDEN_U, IR_I64, at(f, x)->arg[1],
                        IR_NONE);
        /* fall through */
    case IR_SHL:
    case IR_ROR:
        return c & (ir_type_bits(insn->type) - 1) ? IR_NONE : x;
    case IR_OR:
        return !c ? x : c == ones ? insn->arg[1] : IR_NONE;
    case IR_XOR: {
        const struct ir_insn *inner = at(f, x);
        uint64_t d;
        if (!c)
            return x;
        if (c == ones)
            return make(f, IR_NOT, insn->type, x, IR_NONE);
        if (c == 1 && inner->op == IR_SETCC)
            return rebuild_op(&f->r, IR_SETCC, IR_I32, inner->sub ^ 1, 0, inner->arg[0], IR_NONE);
        if (inner->op == IR_XOR && !inner->sub && is_const(f, inner->arg[1], &d))
            return make_with_const(f, IR_XOR, insn->type, inner->arg[0], c ^ d);
        return IR_NONE;
    }
    case IR_AND:
        if (!c)
            return insn->arg[1];
        if (c == ones)
            return x;
        /* All bits x may have are kept. */
        return is_power_of_two(c + 1) && width_of(f, x) <= (unsigned)__builtin_ctzll(c + 1)
                   ? x
                   : IR_NONE;
    case IR_ANDN:
        return make_with_const(f, IR_AND, insn->type, x, ~c & ones);
    case IR_MUL:
        if (c <= 1)
            return c ? x : insn->arg[1];
        if (!is_power_of_two(c))
            return IR_NONE;
        return make(f, IR_SHL, insn->type, x,
                    rebuild_const(&f->r, IR_I32, (unsigned)__builtin_ctzll(c)));
    case IR_UDIV:
        if (!is_power_of_two(c))
            return c ? IR_NONE : insn->arg[1];
        return make(f, IR_SHR, insn->type, x,
                    rebuild_const(&f->r, IR_I32, (unsigned)__builtin_ctzll(c)));
    case IR_SDIV:
        return c == 1 ? x : c ? IR_NONE : insn->arg[1];
    case IR_DEPOSIT:
    case IR_CONCAT:
    default:
        return IR_NONE;
    }
}

/* Extensions and fields of bits. */
static ir_ref simplify_field(struct fold *f, struct ir_insn *insn)
{
    ir_ref x = insn->arg[0];
    unsigned bits = ir_type_bits(insn->type), start = insn->sub, length = insn->aux;
    switch (insn->op) {
    case IR_ZEXT:
        return width_of(f, x) <= insn->sub ? x : IR_NONE;
    case IR_SEXT: /* a value without the sign bit */
        return width_of(f, x) < insn->sub ? x : IR_NONE;
    case IR_EXTRACT:
        if (length == bits || (!start && width_of(f, x) <= length))
            return x;
        if (start && width_of(f, x) <= start)
            return constant_of(f, insn, 0);
        if (start + length == bits || width_of(f, x) <= start + length)
            return make(f, IR_SHR, insn->type, x, rebuild_const(&f->r, IR_I32, start));
        break;
    case IR_SEXTRACT:
        if (length == bits)
            return x;
        if (start + length == bits)
            return make(f, IR_SAR, insn->type, x, rebuild_const(&f->r, IR_I32, start));
        break;
    case IR_DEPOSIT:
        if (start != 32 || length != 32)
            return length == bits ? insn->arg[1] : IR_NONE;
        return make(f, IR_CONCAT, IR_I64, make(f, IR_NARROW, IR_I32, x, IR_NONE),
                    make(f, IR_NARROW, IR_I32, insn->arg[1], IR_NONE));
    default:
        return IR_NONE;
    }
    if (start || (length != 8 && length != 16))
        return IR_NONE;
    return rebuild_op(&f->r, insn->op == IR_EXTRACT ? IR_ZEXT : IR_SEXT, insn->type, length, 0, x,
                      IR_NONE);
}

/* Between 32 and 64 bits, and pairs that undo each other. */
static ir_ref simplify_convert(struct fold *f, struct ir_insn *insn)
{
    ir_ref x = insn->arg[0];
    const struct ir_insn *inner = at(f, x);
    switch (insn->op) {
    case IR_NOT:
    case IR_NEG:
    case IR_BSWAP:
    case IR_BITREV:
        return inner->op == insn->op ? inner->arg[0] : IR_NONE;
    case IR_NARROW:
        if (inner->op == IR_CONCAT || inner->op == IR_WIDEN_S || inner->op == IR_WIDEN_U)
            return inner->arg[0];
        return IR_NONE;
    case IR_HIGH:
        if (inner->op == IR_CONCAT)
            return inner->arg[1];
        if (inner->op == IR_WIDEN_U)
            return rebuild_const(&f->r, IR_I32, 0);
        if (inner->op == IR_WIDEN_S)
            return make_with_const(f, IR_SAR, IR_I32, inner->arg[0], 31);
        return IR_NONE;
    case IR_WIDEN_S:
        return width_of(f, x) < 32 ? rebuild_op(&f->r, IR_WIDEN_U, IR_I64, 0, 0, x, IR_NONE)
                                   : IR_NONE;
    case IR_CONCAT: {
        const struct ir_insn *high = at(f, insn->arg[1]);
        if (inner->op == IR_NARROW && high->op == IR_HIGH && inner->arg[0] == high->arg[0])
            return inner->arg[0];
        if (equals_const(f, insn->arg[1], 0))
            return rebuild_op(&f->r, IR_WIDEN_U, IR_I64, 0, 0, x, IR_NONE);
        return IR_NONE;
    }
    default:
        return IR_NONE;
    }
}

/* ADD SUB ADC SBB AND OR XOR of 8 or 16 bits: only what clears and copies registers. */
static ir_ref simplify_narrow(struct fold *f, const struct ir_insn *insn)
{
    bool same = insn->arg[0] == insn->arg[1];
    if (same && (insn->op == IR_SUB || insn->op == IR_XOR))
        return constant_of(f, insn, 0);
    if ((same && (insn->op == IR_AND || insn->op == IR_OR)) ||
        ((insn->op == IR_ADD || insn->op == IR_SUB || insn->op == IR_OR || insn->op == IR_XOR) &&
         equals_const(f, insn->arg[1], 0))) {
        struct ir_insn extend = {
            .op = IR_ZEXT, .type = IR_I32, .sub = insn->sub, .arg = {insn->arg[0]}};
        return simplify(f, &extend);
    }
    return rebuild_pure(&f->r, insn);
}

static ir_ref simplify_integer(struct fold *f, struct ir_insn *insn)
{
    unsigned n_args = ir_op_info[insn->op].n_args;
    uint64_t value[3] = {0, 0, 0};
    bool constant = true;
    for (unsigned i = 0; i < n_args; i++)
        constant &= is_const(f, insn->arg[i], &value[i]);
    if (constant)
        return constant_of(f, insn,
                           ir_eval_integer(insn->op, insn->type, insn->sub, insn->aux, value[0],
                                           value[1], value[2]));
    canonicalise(f, insn);
    if (insn->op <= IR_XOR && insn->sub)
        return simplify_narrow(f, insn);
    ir_ref result = IR_NONE;
    if (n_args >= 2) {
        uint64_t c;
        if (insn->arg[0] == insn->arg[1])
            result = simplify_same(f, insn);
        if (!result && insn->op != IR_ADC && insn->op != IR_SBB && insn->op != IR_DEPOSIT &&
            is_const(f, insn->arg[1], &c))
            result = simplify_by_constant(f, insn, c);
    }
    if (!result && insn->op >= IR_SEXT && insn->op <= IR_DEPOSIT)
        result = simplify_field(f, insn);
    else if (!result)
        result = simplify_convert(f, insn);
    return result ? result : rebuild_pure(&f->r, insn);
}

/* ---- floats and vectors -------------------------------------------------------------------- */

static ir_ref simplify_bitcast(struct fold *f, struct ir_insn *insn)
{
    const struct ir_insn *inner = at(f, insn->arg[0]);
    if (inner->op == IR_BITCAST && inner->type != IR_V128) {
        insn->arg[0] = inner->arg[0];
        inner = at(f, insn->arg[0]);
        if (inner->type == insn->type)
            return insn->arg[0];
    }
    if (inner->op == IR_CONST && insn->type != IR_V128)
        return constant_of(f, insn, inner->imm);
    if (inner->op == IR_CONST)
        return rebuild_vconst(&f->r, inner->imm, 0);
    return IR_NONE;
}

/* All operands constant. */
static bool vector_operands(const struct fold *f, const struct ir_insn *insn,
                            union ir_vector operands[3])
{
    for (unsigned i = 0; i < ir_op_info[insn->op].n_args; i++) {
        const struct ir_insn *arg = at(f, insn->arg[i]);
        if (arg->op != IR_CONST && arg->op != IR_VCONST)
            return false;
        operands[i].d[0] = arg->imm;
        operands[i].d[1] = arg->op == IR_VCONST ? f->r.unit->vconst_high[arg->aux] : 0;
    }
    return true;
}

static ir_ref simplify_vector(struct fold *f, struct ir_insn *insn)
{
    union ir_vector v[3] = {{.d = {0, 0}}, {.d = {0, 0}}, {.d = {0, 0}}};
    if (vector_operands(f, insn, v)) {
        ir_vector_eval(insn->op, insn->sub, insn->aux, &v[0], &v[0], &v[1], &v[2]);
        return insn->type == IR_V128 ? rebuild_vconst(&f->r, v[0].d[0], v[0].d[1])
                                     : constant_of(f, insn, v[0].d[0]);
    }
    bool same = insn->arg[0] == insn->arg[1];
    switch (insn->op) {
    case IR_VAND:
    case IR_VOR:
    case IR_VMIN_S:
    case IR_VMIN_U:
    case IR_VMAX_S:
    case IR_VMAX_U:
        return same ? insn->arg[0] : IR_NONE;
    case IR_VXOR:
    case IR_VANDN:
    case IR_VSUB:
        return same ? rebuild_vconst(&f->r, 0, 0) : IR_NONE;
    case IR_VSELECT:
        return insn->arg[1] == insn->arg[2] ? insn->arg[1] : IR_NONE;
    case IR_VSHL_I:
    case IR_VSHR_I:
    case IR_VSAR_I:
    case IR_VEXT:
        return insn->aux ? IR_NONE : insn->arg[0];
    case IR_VGETLANE: {
        const struct ir_insn *inner = at(f, insn->arg[0]);
        if (inner->op != IR_BITCAST || insn->aux || insn->sub < IR_LANE32)
            return IR_NONE;
        const struct ir_insn *from = at(f, inner->arg[0]);
        if (from->type == insn->type)
            return inner->arg[0];
        if (ir_type_bits(from->type) != ir_type_bits(insn->type))
            return IR_NONE;
        return rebuild_op(&f->r, IR_BITCAST, insn->type, 0, 0, inner->arg[0], IR_NONE);
    }
    default:
        return IR_NONE;
    }
}

/* A PURE insn with new arguments: the new value that stands for it. */
static ir_ref simplify(struct fold *f, struct ir_insn *insn)
{
    ir_ref result = IR_NONE;
    if (insn->op >= IR_ADD && insn->op <= IR_HIGH)
        return simplify_integer(f, insn);
    if (insn->op == IR_BITCAST)
        result = simplify_bitcast(f, insn);
    else if (insn->op >= IR_MERGEFLAGS && insn->op <= IR_UNPACKFLAGS)
        result = simplify_flags(f, insn);
    else if (insn->op >= IR_VAND && insn->op <= IR_VSHUFFLE)
        result = simplify_vector(f, insn);
    return result ? result : rebuild_pure(&f->r, insn);
}

/* ---- the walk ------------------------------------------------------------------------------ */

static ir_ref fold_select(struct fold *f, struct ir_insn *insn, ir_ref old_flags)
{
    struct test test = resolve(f, insn->sub, old_flags);
    ir_ref yes = insn->arg[1], no = insn->arg[2];
    if (test.kind == TEST_TRUE || yes == no)
        return yes;
    if (test.kind == TEST_FALSE)
        return no;
    bool one_zero = equals_const(f, yes, 1) && equals_const(f, no, 0);
    bool zero_one = equals_const(f, yes, 0) && equals_const(f, no, 1);
    if (insn->type == IR_I32 && (one_zero || zero_one)) {
        test.cond ^= zero_one;
        return value_of_test(f, &test);
    }
    insn->sub = (uint8_t)test.cond;
    insn->arg[0] = test.flags;
    return rebuild_pure(&f->r, insn);
}

static void fold_brcc(struct fold *f, struct ir_insn *insn, ir_ref old_flags)
{
    struct test test = resolve(f, insn->sub, old_flags);
    if (test.kind == TEST_FLAGS && insn->aux != insn->imm) {
        insn->sub = (uint8_t)test.cond;
        insn->arg[0] = test.flags;
    } else {
        uint32_t block = test.kind == TEST_FALSE ? (uint32_t)insn->imm : insn->aux;
        *insn = (struct ir_insn){.op = IR_BR, .aux = block};
    }
    rebuild_add(&f->r, insn);
}

/* Marks are taken off at the pass's end; one that finds no room is only not made use of. */
static void mark(struct fold *f, ir_ref ref, unsigned bit)
{
    struct ir_insn *insn = &f->r.insns[ref];
    if (!insn->mark) {
        if (f->n_marked == MAX_MARKED)
            return;
        f->marked[f->n_marked++] = ref;
    }
    insn->mark |= (uint8_t)bit;
}

/* base + constant becomes base and displacement. Not where the sum has become a guest register: it
 * is at hand then, and the base need not outlive it. */
static void fold_address(const struct fold *f, struct ir_insn *insn, unsigned arg)
{
    const struct ir_insn *address = at(f, insn->arg[arg]);
    uint64_t c;
    if (address->op != IR_ADD || address->sub || address->mark & MARK_IN_STATE ||
        !is_const(f, address->arg[1], &c))
        return;
    uint64_t displacement = insn->imm + (uint64_t)ir_as_signed(address->type, c);
    if (address->type == IR_I32)
        displacement = (uint64_t)(int64_t)(int32_t)displacement; /* addresses wrap at 32 bits */
    else if ((uint64_t)(int64_t)(int32_t)displacement != displacement)
        return;
    insn->arg[arg] = address->arg[0];
    insn->imm = displacement;
}

static void fold_effect(struct fold *f, struct ir_insn *insn)
{
    uint64_t pc, key;
    switch (insn->op) {
    case IR_SET:
        if (at(f, insn->arg[0])->op == IR_ADD)
            mark(f, insn->arg[0], MARK_IN_STATE);
        break;
    case IR_LOAD:
    case IR_STORE:
    case IR_PROBE:
    case IR_CAS:
    case IR_RMW:
        fold_address(f, insn, 0);
        break;
    case IR_COMMIT:
        fold_address(f, insn, 1);
        break;
    case IR_EXIT_INDIRECT:
        if (is_const(f, insn->arg[0], &pc) && is_const(f, insn->arg[1], &key))
            *insn = (struct ir_insn){
                .op = IR_EXIT_JUMP, .sub = IR_POLL, .aux = (uint32_t)key, .imm = pc};
        break;
    default:
        break;
    }
}

/* Who takes FLAGS as a value. */
static bool takes_flags(unsigned op)
{
    return op == IR_MERGEFLAGS || op == IR_PACKFLAGS || op == IR_SET || op == IR_ALU;
}

static void materialise_flags(struct fold *f, const struct ir_insn *insn)
{
    for (unsigned i = 0; i < IR_MAX_ARGS; i++) {
        const struct ir_insn *arg = &f->r.old[insn->arg[i]];
        if (arg->op == IR_MKFLAGS)
            f->r.map[insn->arg[i]] = value_of_mkflags(f, arg);
    }
}

static void mark_booleans(struct fold *f, const struct ir_insn *mkflags)
{
    for (unsigned i = 0; i < 4; i++)
        mark(f, f->r.map[mkflags->arg[i]], MARK_BOOLEAN);
}

static void fold_insn(struct fold *f, ir_ref ref)
{
    struct ir_insn insn = f->r.old[ref];
    ir_ref *map = f->r.map;
    if (insn.op == IR_NOP)
        return;
    const struct ir_op_info *info = &ir_op_info[insn.op];
    ir_ref old_flags = insn.arg[0];
    switch (insn.op) {
    case IR_FLAGOF:
        map[ref] = fold_flagof(f, insn.arg[0]);
        return;
    case IR_MKFLAGS:
        mark_booleans(f, &insn);
        map[ref] = IR_NONE; /* nobody but resolve looks at it, and that at its parts */
        return;
    case IR_SETCC: {
        struct test test = resolve(f, insn.sub, old_flags);
        map[ref] = value_of_test(f, &test);
        return;
    }
    case IR_BRCC:
        fold_brcc(f, &insn, old_flags);
        return;
    default:
        break;
    }
    if (takes_flags(insn.op))
        materialise_flags(f, &insn);
    rebuild_set_args(&insn, rebuild_mapped_args(map, &f->r.old[ref]));
    if (insn.op == IR_SELECT) {
        map[ref] = fold_select(f, &insn, old_flags);
    } else if (info->traits & IR_PURE) {
        map[ref] = simplify(f, &insn);
    } else {
        fold_effect(f, &insn);
        map[ref] = rebuild_add(&f->r, &insn);
    }
}

void ir_pass_fold(struct ir_unit *unit)
{
    struct fold f;
    rebuild_begin(&f.r, unit);
    f.n_marked = 0;
    for (unsigned b = 0; b < unit->n_blocks && !f.r.overflow; b++) {
        rebuild_begin_block(&f.r, b);
        for (unsigned ref = unit->blocks[b].first; ref <= unit->blocks[b].last; ref++)
            fold_insn(&f, (ir_ref)ref);
        rebuild_end_block(&f.r, b);
    }
    for (unsigned i = 0; i < f.n_marked; i++)
        f.r.insns[f.marked[i]].mark = 0;
    rebuild_end(&f.r);
}
