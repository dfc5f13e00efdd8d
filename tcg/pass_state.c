/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest state inside a unit: a GET whose value is known becomes that value, a SET nobody can see
 * vanishes, and with it what only it used.
 *
 * The fields a unit touches get local numbers below 64, so that sets of fields are one word.
 * Forward over each block: known values, and a summary of what the block observes and overwrites.
 * Then the summaries flow backwards through the block graph, and a backward walk removes SETs and
 * unused values. A fault observes everything; but where a SET's value costs nothing to keep, the
 * SET moves off the path into the pending records of the FAULT ops that would have seen it.
 *
 * Helpers observe and change the fields of their groups, floating point those of ir_fp_rules.
 */
#include <string.h>

#include "tcg/ir.h"

enum { MAX_LOCALS = 64, NO_LOCAL = 0xff, MAX_ROUNDS = 8, MAX_PENDING_FAULTS = 4 };

struct state_pass {
    struct ir_unit *unit;
    unsigned n_locals;
    bool too_many; /* some fields have no number: they may alias anything */
    uint8_t local_of[IR_MAX_FIELDS];
    uint32_t offset[MAX_LOCALS], end[MAX_LOCALS];
    uint64_t alias[MAX_LOCALS]; /* locals that share a byte with it, itself among them */
    uint64_t cover[MAX_LOCALS]; /* locals that lie within it */
    uint64_t group[MAX_LOCALS];
    uint16_t field[MAX_LOCALS];
    uint64_t touched_by_fp;
    uint64_t pendable;        /* integer fields that overlap nothing and live in memory */
    ir_ref value[MAX_LOCALS]; /* known in this block */
    ir_ref *map;              /* what stands for a value that is gone */
    bool replaced;            /* some value is gone */
    uint64_t *observed, *overwritten, *dead_in; /* per block */
    ir_ref *faults;                             /* FAULT ops of the block, last first */
    unsigned n_faults, killed_at[MAX_LOCALS];
    unsigned pending_room;
};

static unsigned type_bytes(unsigned type)
{
    switch (type) {
    case IR_I8:
        return 1;
    case IR_I16:
        return 2;
    case IR_I32:
    case IR_F32:
        return 4;
    case IR_V128:
        return 16;
    default:
        return 8;
    }
}

static bool is_integer_field(unsigned type)
{
    return type == IR_I8 || type == IR_I16 || type == IR_I32 || type == IR_I64;
}

static bool is_fp_op(unsigned op)
{
    return (op >= IR_FADD && op <= IR_I2F && op != IR_FNEG && op != IR_FABS) ||
           (op >= IR_VFADD && op <= IR_VFMA);
}

static void add_local(struct state_pass *p, unsigned field)
{
    const struct state_field *f = &p->unit->fields[field];
    if (p->n_locals == MAX_LOCALS) {
        p->too_many = true;
        return;
    }
    unsigned n = p->n_locals++;
    uint64_t bit = UINT64_C(1) << n, alias = bit, cover = bit;
    uint32_t offset = f->offset, end = offset + type_bytes(f->type);
    for (unsigned i = 0; i < n; i++) {
        if (offset >= p->end[i] || end <= p->offset[i])
            continue;
        alias |= UINT64_C(1) << i;
        p->alias[i] |= bit;
        if (offset <= p->offset[i] && end >= p->end[i])
            cover |= UINT64_C(1) << i;
        if (p->offset[i] <= offset && p->end[i] >= end)
            p->cover[i] |= bit;
    }
    p->local_of[field] = (uint8_t)n;
    p->field[n] = (uint16_t)field;
    p->offset[n] = offset;
    p->end[n] = end;
    p->alias[n] = alias;
    p->cover[n] = cover;
    p->group[n] = f->group;
    const struct ir_fp_rules *fp = p->unit->fp;
    bool integer = is_integer_field(f->type);
    if (fp && fp->groups ? (fp->groups & f->group) != 0 : integer)
        p->touched_by_fp |= bit;
    if (integer && !(f->flags & STATE_HOT))
        p->pendable |= bit;
}

static void number_fields(struct state_pass *p)
{
    const struct ir_unit *unit = p->unit;
    memset(p->local_of, NO_LOCAL, unit->n_fields);
    for (unsigned i = 1; i < unit->n_insns; i++) {
        const struct ir_insn *insn = &unit->insns[i];
        if ((insn->op == IR_GET || insn->op == IR_SET) && p->local_of[insn->aux] == NO_LOCAL)
            add_local(p, insn->aux);
    }
    for (unsigned i = 0; i < p->n_locals; i++) {
        if (p->alias[i] != UINT64_C(1) << i)
            p->pendable &= ~(UINT64_C(1) << i);
    }
}

/* The locals that helpers with these groups touch. ~0 also means fields of no group. */
static uint64_t locals_in(const struct state_pass *p, uint64_t groups)
{
    uint64_t locals = 0;
    if (!groups || groups == ~UINT64_C(0))
        return groups;
    for (unsigned i = 0; i < p->n_locals; i++)
        locals |= p->group[i] & groups ? UINT64_C(1) << i : 0;
    return locals;
}

static const struct ir_helper *helper_of(const struct ir_insn *insn)
{
    return (const struct ir_helper *)(uintptr_t)insn->imm;
}

/* Fields an insn other than GET and SET may observe. */
static uint64_t observes(const struct state_pass *p, const struct ir_insn *insn)
{
    if (ir_op_info[insn->op].traits & IR_FAULT)
        return ~UINT64_C(0);
    if (insn->op == IR_CALL) {
        const struct ir_helper *helper = helper_of(insn);
        return helper->flags & HELPER_MAY_FAULT ? ~UINT64_C(0) : locals_in(p, helper->reads);
    }
    if (is_fp_op(insn->op))
        return p->touched_by_fp;
    if (!(ir_op_info[insn->op].traits & IR_END) || insn->op == IR_BRCC)
        return 0;
    return insn->op == IR_BR && !(insn->sub & IR_POLL) ? 0 : ~UINT64_C(0);
}

/* ---- forward ------------------------------------------------------------------------------- */

/* True if no bit of an I32 value at or above `bits` can be set. */
static bool is_narrow(const struct ir_unit *unit, ir_ref ref, unsigned bits)
{
    const struct ir_insn *insn = &unit->insns[ref];
    switch (insn->op) {
    case IR_SETCC:
        return true;
    case IR_CONST:
        return insn->imm >> bits == 0;
    case IR_ZEXT:
        return insn->sub <= bits;
    case IR_EXTRACT:
        return insn->aux <= bits;
    case IR_LOAD:
        return !(insn->aux & IR_MEM_SIGN) && 8 * memop_size(insn->aux) <= bits;
    case IR_GET:
        return 8 * type_bytes(unit->fields[insn->aux].type) <= bits;
    case IR_AND:
        return (unit->insns[insn->arg[0]].op == IR_CONST &&
                unit->insns[insn->arg[0]].imm >> bits == 0) ||
               (unit->insns[insn->arg[1]].op == IR_CONST &&
                unit->insns[insn->arg[1]].imm >> bits == 0);
    default:
        return false;
    }
}

/* True if the high half of a V128 is known to be zero, as a V64 field's is. */
static bool is_low_half(const struct ir_unit *unit, ir_ref ref)
{
    const struct ir_insn *insn = &unit->insns[ref];
    switch (insn->op) {
    case IR_GET:
        return unit->fields[insn->aux].type == IR_V64;
    case IR_VCONST:
        return !unit->vconst_high[insn->aux];
    case IR_BITCAST:
    case IR_VNARROW:
    case IR_VHIGH:
        return true;
    case IR_VAND:
        return is_low_half(unit, insn->arg[0]) || is_low_half(unit, insn->arg[1]);
    case IR_VADD:
    case IR_VSUB:
    case IR_VMUL:
    case IR_VOR:
    case IR_VXOR:
    case IR_VMIN_S:
    case IR_VMIN_U:
    case IR_VMAX_S:
    case IR_VMAX_U:
        return unit->insns[insn->arg[0]].op == IR_GET && unit->insns[insn->arg[1]].op == IR_GET &&
               is_low_half(unit, insn->arg[0]) && is_low_half(unit, insn->arg[1]);
    case IR_VSHL_I:
    case IR_VSHR_I:
    case IR_VSAR_I:
    case IR_VNEG:
    case IR_VABS:
        return unit->insns[insn->arg[0]].op == IR_GET && is_low_half(unit, insn->arg[0]);
    default:
        return false;
    }
}

static void replace(struct state_pass *p, ir_ref ref, ir_ref value)
{
    p->map[ref] = value;
    p->unit->insns[ref] = (struct ir_insn){.op = IR_NOP};
    p->replaced = true;
}

/* A GET of a field whose value is known. False: only the state itself gives it right. */
static bool forward_get(struct state_pass *p, ir_ref ref, ir_ref value)
{
    struct ir_insn *insn = &p->unit->insns[ref];
    unsigned field_type = p->unit->fields[insn->aux].type;
    switch (field_type) {
    case IR_I8:
    case IR_I16: {
        unsigned bits = 8 * type_bytes(field_type);
        if (!is_narrow(p->unit, value, bits)) {
            *insn = (struct ir_insn){
                .op = IR_ZEXT, .type = IR_I32, .sub = (uint8_t)bits, .arg = {value}};
            return true;
        }
        break;
    }
    case IR_V64:
        if (!is_low_half(p->unit, value))
            return false;
        break;
    default:
        break;
    }
    replace(p, ref, value);
    return true;
}

static void forward_block(struct state_pass *p, unsigned block)
{
    struct ir_unit *unit = p->unit;
    uint64_t known = 0, observed = 0, overwritten = 0;
    for (unsigned ref = unit->blocks[block].first; ref <= unit->blocks[block].last; ref++) {
        struct ir_insn *insn = &unit->insns[ref];
        p->map[ref] = (ir_ref)ref;
        if (p->replaced) {
            for (unsigned i = 0; i < ir_op_info[insn->op].n_args; i++)
                insn->arg[i] = p->map[insn->arg[i]];
        }
        if (insn->op != IR_GET && insn->op != IR_SET) {
            if (ir_op_info[insn->op].traits & ~IR_PURE) {
                observed |= observes(p, insn) & ~overwritten;
                if (insn->op == IR_CALL)
                    known &= ~locals_in(p, helper_of(insn)->writes);
                else if (is_fp_op(insn->op))
                    known &= ~p->touched_by_fp;
            }
            continue;
        }
        unsigned local = p->local_of[insn->aux];
        if (local == NO_LOCAL) {
            if (insn->op == IR_SET)
                known = 0;
            else
                observed |= ~overwritten;
            continue;
        }
        uint64_t bit = UINT64_C(1) << local;
        if (insn->op == IR_GET) {
            if (known & bit && forward_get(p, (ir_ref)ref, p->value[local]))
                continue;
            observed |= p->alias[local] & ~overwritten;
            known |= bit;
            p->value[local] = (ir_ref)ref;
        } else if (known & bit && p->value[local] == insn->arg[0]) {
            *insn = (struct ir_insn){.op = IR_NOP};
        } else {
            known = (known & ~p->alias[local]) | bit;
            p->value[local] = insn->arg[0];
            overwritten |= p->cover[local] & ~observed;
        }
    }
    p->observed[block] = observed;
    p->overwritten[block] = overwritten;
}

/* ---- liveness ------------------------------------------------------------------------------ */

/* Fields that are overwritten before anybody looks, on every way out of the block's end. */
static uint64_t dead_after(const struct state_pass *p, const struct ir_insn *end)
{
    switch (end->op) {
    case IR_BR: /* at a poll the run loop may look */
        return end->sub & IR_POLL ? 0 : p->dead_in[end->aux];
    case IR_BRCC:
        return p->dead_in[end->aux] & p->dead_in[end->imm];
    default:
        return 0;
    }
}

static void find_dead(struct state_pass *p)
{
    const struct ir_unit *unit = p->unit;
    memset(p->dead_in, 0xff, unit->n_blocks * sizeof(*p->dead_in));
    bool changed = true;
    for (unsigned round = 0; changed; round++) {
        if (round == MAX_ROUNDS) {
            /* A strange graph: take everything for live, which is always right. */
            memset(p->dead_in, 0, unit->n_blocks * sizeof(*p->dead_in));
            return;
        }
        changed = false;
        for (unsigned b = unit->n_blocks; b-- > 0;) {
            uint64_t dead = dead_after(p, &unit->insns[unit->blocks[b].last]);
            dead = p->overwritten[b] | (dead & ~p->observed[b]);
            changed |= dead != p->dead_in[b];
            p->dead_in[b] = dead;
        }
    }
}

/* ---- backward ------------------------------------------------------------------------------ */

static void use(uint8_t *used, ir_ref ref)
{
    used[ref / 8] |= (uint8_t)(1u << ref % 8);
}

static bool is_used(const uint8_t *used, unsigned ref)
{
    return used[ref / 8] & 1u << ref % 8;
}

/*
 * Moves a SET that only the FAULT ops before the next SET of its field can see into their pending
 * records. Worth it for constants only: any other value would have to be computed and held in a
 * host register up to the fault, which costs more than the store.
 */
static bool move_to_pending(struct state_pass *p, unsigned local, const struct ir_insn *set)
{
    struct ir_unit *unit = p->unit;
    unsigned n = p->n_faults - p->killed_at[local];
    if (n > MAX_PENDING_FAULTS || n > p->pending_room || !(p->pendable >> local & 1) ||
        unit->insns[set->arg[0]].op != IR_CONST)
        return false;
    p->pending_room -= n;
    for (unsigned i = p->killed_at[local]; i < p->n_faults; i++) {
        struct ir_insn *fault = &unit->insns[p->faults[i]];
        unit->pending[unit->n_pending] = (struct ir_pending){
            .field = p->field[local], .value = set->arg[0], .next = fault->pending};
        fault->pending = ++unit->n_pending;
    }
    return true;
}

static void use_arguments(const struct ir_unit *unit, uint8_t *used, const struct ir_insn *insn)
{
    for (unsigned i = 0; i < ir_op_info[insn->op].n_args; i++)
        use(used, insn->arg[i]);
    for (uint32_t i = insn->pending; i; i = unit->pending[i - 1].next)
        use(used, unit->pending[i - 1].value);
}

static void backward_block(struct state_pass *p, unsigned block, uint8_t *used)
{
    struct ir_unit *unit = p->unit;
    unsigned first = unit->blocks[block].first, last = unit->blocks[block].last;
    uint64_t dead = dead_after(p, &unit->insns[last]); /* overwritten before anybody looks */
    uint64_t dead_but_for_faults = 0;                  /* the same, in this block, faults aside */
    p->n_faults = 0;
    for (unsigned ref = last; ref >= first; ref--) {
        struct ir_insn *insn = &unit->insns[ref];
        unsigned traits = ir_op_info[insn->op].traits;
        if (insn->op == IR_NOP)
            continue;
        if (insn->op == IR_SET) {
            unsigned local = p->local_of[insn->aux];
            uint64_t bit = local == NO_LOCAL ? 0 : UINT64_C(1) << local;
            if (bit & dead) {
                *insn = (struct ir_insn){.op = IR_NOP};
                continue;
            }
            use(used, insn->arg[0]);
            bool moved = bit & dead_but_for_faults && move_to_pending(p, local, insn);
            if (moved)
                *insn = (struct ir_insn){.op = IR_NOP};
            if (bit) {
                dead |= p->cover[local];
                dead_but_for_faults |= bit;
                p->killed_at[local] = p->n_faults;
            }
            continue;
        }
        if (!(traits & IR_SIDE) && !is_used(used, ref)) {
            *insn = (struct ir_insn){.op = IR_NOP};
            continue;
        }
        use_arguments(unit, used, insn);
        if (insn->op == IR_GET) {
            unsigned local = p->local_of[insn->aux];
            uint64_t alias = local == NO_LOCAL ? ~UINT64_C(0) : p->alias[local];
            dead &= ~alias;
            dead_but_for_faults &= ~alias;
        } else if (traits & IR_FAULT) {
            dead = 0;
            p->faults[p->n_faults++] = (ir_ref)ref;
        } else if (!(traits & IR_PURE) && !(traits & IR_END)) {
            uint64_t seen = observes(p, insn);
            dead &= ~seen;
            dead_but_for_faults &= ~seen;
        }
    }
}

static void allocate(struct state_pass *p)
{
    struct ir_unit *unit = p->unit;
    struct arena *arena = unit->arena;
    p->map = arena_alloc(arena, unit->n_insns * sizeof(*p->map));
    p->faults = arena_alloc(arena, unit->n_insns * sizeof(*p->faults));
    p->observed = arena_alloc(arena, 3 * unit->n_blocks * sizeof(*p->observed));
    p->overwritten = p->observed + unit->n_blocks;
    p->dead_in = p->overwritten + unit->n_blocks;
    p->pending_room = unit->n_insns;
    if (unit->n_pending) { /* a second run: keep the records there are */
        p->pending_room = 0;
    } else {
        unit->pending = arena_alloc(arena, unit->n_insns * sizeof(*unit->pending));
    }
    p->map[0] = 0;
}

void ir_pass_state(struct ir_unit *unit)
{
    struct state_pass p;
    p.unit = unit;
    p.n_locals = 0;
    p.too_many = p.replaced = false;
    p.touched_by_fp = p.pendable = 0;
    number_fields(&p);
    if (p.too_many)
        p.pendable = 0;
    allocate(&p);
    for (unsigned b = 0; b < unit->n_blocks; b++)
        forward_block(&p, b);
    for (unsigned i = 0; i < unit->n_pending && p.replaced; i++)
        unit->pending[i].value = p.map[unit->pending[i].value];
    find_dead(&p);
    uint8_t *used = arena_zalloc(unit->arena, unit->n_insns / 8 + 1);
    for (unsigned b = 0; b < unit->n_blocks; b++)
        backward_block(&p, b, used);
}
