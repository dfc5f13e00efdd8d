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

#include "tcg/alu.h"
#include "tcg/rebuild.h"
#include "tcg/sink.h"
#include "tcg/uses.h"

enum {
    MAX_LOCALS = 64,
    NO_LOCAL = 0xff,
    MAX_ROUNDS = 8,
    MAX_PENDING_FAULTS = 4,
    SEEN_WORDS = 8,
    MAX_DEPTH = 3
};

struct state_pass {
    struct ir_unit *unit;
    unsigned n_locals;
    bool too_many; /* some fields have no number: they may alias anything */
    bool again;    /* a field was numbered after one it overlaps: the summaries lack it */
    uint64_t seen[SEEN_WORDS]; /* bytes of numbered fields, folded */
    uint8_t local_of[IR_MAX_FIELDS];
    uint32_t offset[MAX_LOCALS], end[MAX_LOCALS];
    uint64_t alias[MAX_LOCALS]; /* locals that share a byte with it, itself among them */
    uint64_t cover[MAX_LOCALS]; /* locals that lie within it */
    uint64_t group[MAX_LOCALS];
    uint16_t field[MAX_LOCALS];
    uint64_t touched_by_fp;
    uint64_t pendable;           /* integer fields that overlap nothing and live in memory */
    ir_ref value[MAX_LOCALS];    /* known in this block */
    ir_ref *map;                 /* what stands for a value that is gone */
    bool replaced, any_replaced; /* some value is gone: in this block, in any */
    uint64_t *observed, *overwritten, *dead_in; /* per block */
    ir_ref *faults;                             /* FAULT ops of the block, last first */
    unsigned n_faults, killed_at[MAX_LOCALS];
    unsigned pending_room;
    struct block_end **ends; /* per block: of those that may leave the unit on one way only */
    unsigned n_ends;
};

static bool is_integer_field(unsigned type)
{
    return type == IR_I8 || type == IR_I16 || type == IR_I32 || type == IR_I64;
}

/* What the walks tell apart. */
enum { PLAIN, NOTHING, READS, WRITES, EFFECT };
static const uint8_t class_of[IR_N_OPS] = {
#define PURE IR_PURE
#define FAULT IR_FAULT
#define END IR_END
#define SIDE IR_SIDE
#define OP(op, args, result, traits)                                                               \
    [IR_##op] = IR_##op == IR_NOP                            ? NOTHING                             \
                : IR_##op == IR_GET                          ? READS                               \
                : IR_##op == IR_SET                          ? WRITES                              \
                : ((traits) & (IR_FAULT | IR_END | IR_SIDE)) ? EFFECT                              \
                                                             : PLAIN,
#include "tcg/ops.def"
#undef OP
#undef PURE
#undef FAULT
#undef END
#undef SIDE
};

static bool is_fp_op(unsigned op)
{
    return (op >= IR_FADD && op <= IR_I2F && op != IR_FNEG && op != IR_FABS) ||
           (op >= IR_VFADD && op <= IR_VFFLUSH);
}

/* Might [offset, offset + bytes) overlap a numbered field? Quick; sometimes yes when it does not.
 */
static bool may_overlap(struct state_pass *p, uint32_t offset, unsigned bytes)
{
    uint64_t mask = ((UINT64_C(1) << bytes) - 1) << (offset % 64);
    uint64_t *seen = &p->seen[offset / 64 % SEEN_WORDS];
    if (offset % 64 + bytes > 64) {
        memset(p->seen, 0xff, sizeof(p->seen));
        return true;
    }
    bool overlap = *seen & mask;
    *seen |= mask;
    return overlap;
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
    uint32_t offset = f->offset, end = offset + ir_type_bytes(f->type);
    bool overlap = may_overlap(p, offset, end - offset);
    for (unsigned i = 0; i < n && overlap; i++) {
        if (offset >= p->end[i] || end <= p->offset[i])
            continue;
        p->again = true;
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
    if ((integer || f->type == IR_FLAGS) && !(f->flags & STATE_HOT))
        p->pendable |= bit;
}

/* The local number of a field, NO_LOCAL if it has none and gets none any more. */
static unsigned number_of(struct state_pass *p, unsigned field)
{
    if (UNLIKELY(p->local_of[field] == NO_LOCAL))
        add_local(p, field);
    return p->local_of[field];
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
        return 8 * ir_type_bytes(unit->fields[insn->aux].type) <= bits;
    case IR_ALU:
        return insn->aux <= bits && insn->sub != IR_ALU_CRC32;
    case IR_ADD:
    case IR_SUB:
    case IR_ADC:
    case IR_SBB:
    case IR_OR:
    case IR_XOR:
        return insn->sub && insn->sub <= bits;
    case IR_AND:
        return (insn->sub && insn->sub <= bits) ||
               (unit->insns[insn->arg[0]].op == IR_CONST &&
                unit->insns[insn->arg[0]].imm >> bits == 0) ||
               (unit->insns[insn->arg[1]].op == IR_CONST &&
                unit->insns[insn->arg[1]].imm >> bits == 0);
    default:
        return false;
    }
}

/* True if the high half of a V128 is known to be zero, as a V64 field's is. */
static bool is_low_half(const struct ir_unit *unit, ir_ref ref, unsigned depth)
{
    const struct ir_insn *insn = &unit->insns[ref];
    const ir_ref *arg = insn->arg;
    if (insn->op == IR_GET)
        return unit->fields[insn->aux].type == IR_V64;
    if (insn->op == IR_VCONST)
        return !unit->vconst_high[insn->aux];
    if (insn->op == IR_BITCAST || insn->op == IR_VNARROW || insn->op == IR_VHIGH)
        return true;
    if (!depth--)
        return false;
    switch (insn->op) {
    case IR_VAND:
        return is_low_half(unit, arg[0], depth) || is_low_half(unit, arg[1], depth);
    case IR_VANDN:
    case IR_VSHL_I:
    case IR_VSHR_I:
    case IR_VSAR_I:
    case IR_VNEG:
    case IR_VABS:
    case IR_VFFLUSH:
        return is_low_half(unit, arg[0], depth);
    case IR_VSELECT:
        return is_low_half(unit, arg[1], depth) && is_low_half(unit, arg[2], depth);
    case IR_VFMA: /* 0 * 0 + 0 is +0 in every rounding mode; 0 - 0 is not */
        return is_low_half(unit, arg[0], depth) && is_low_half(unit, arg[1], depth) &&
               is_low_half(unit, arg[2], depth);
    case IR_VOR:
    case IR_VXOR:
    case IR_VADD:
    case IR_VSUB:
    case IR_VMUL:
    case IR_VCMPGT_S:
    case IR_VCMPGT_U:
    case IR_VMIN_S:
    case IR_VMIN_U:
    case IR_VMAX_S:
    case IR_VMAX_U:
    case IR_VADDS_S:
    case IR_VADDS_U:
    case IR_VSUBS_S:
    case IR_VSUBS_U:
    case IR_VAVG_U:
    case IR_VFADD:
    case IR_VFMUL:
        return is_low_half(unit, arg[0], depth) && is_low_half(unit, arg[1], depth);
    default:
        return false;
    }
}

/* Where the forward walk stands in a block. */
struct flow {
    uint64_t known;       /* locals whose value is in state_pass.value */
    uint64_t observed;    /* seen before the block overwrote them */
    uint64_t overwritten; /* before anybody saw them */
};

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
        unsigned bits = 8 * ir_type_bytes(field_type);
        if (!is_narrow(p->unit, value, bits)) {
            *insn = (struct ir_insn){
                .op = IR_ZEXT, .type = IR_I32, .sub = (uint8_t)bits, .arg = {value}};
            return true;
        }
        break;
    }
    case IR_V64:
        if (!is_low_half(p->unit, value, MAX_DEPTH))
            return false;
        break;
    default:
        break;
    }
    replace(p, ref, value);
    return true;
}

static void forward_effect(struct state_pass *p, const struct ir_insn *insn, struct flow *flow)
{
    if (insn->op == IR_INSN)
        return;
    flow->observed |= observes(p, insn) & ~flow->overwritten;
    if (insn->op == IR_CALL)
        flow->known &= ~locals_in(p, helper_of(insn)->writes);
    else if (is_fp_op(insn->op))
        flow->known &= ~p->touched_by_fp;
}

static void forward_read(struct state_pass *p, ir_ref ref, struct flow *flow)
{
    unsigned local = number_of(p, p->unit->insns[ref].aux);
    uint64_t bit = UINT64_C(1) << (local & 63);
    if (local == NO_LOCAL) {
        flow->observed |= ~flow->overwritten;
        return;
    }
    if (flow->known & bit && forward_get(p, ref, p->value[local]))
        return;
    flow->observed |= p->alias[local] & ~flow->overwritten;
    flow->known |= bit;
    p->value[local] = ref;
}

static void forward_write(struct state_pass *p, struct ir_insn *insn, struct flow *flow)
{
    unsigned local = number_of(p, insn->aux);
    uint64_t bit = UINT64_C(1) << (local & 63);
    if (local == NO_LOCAL) {
        flow->known = 0;
    } else if (flow->known & bit && p->value[local] == insn->arg[0]) {
        *insn = (struct ir_insn){.op = IR_NOP};
    } else {
        flow->known = (flow->known & ~p->alias[local]) | bit;
        flow->overwritten |= p->cover[local] & ~flow->observed;
        p->value[local] = insn->arg[0];
    }
}

static void remember_end(const struct state_pass *p, struct block_end *end, uint64_t known)
{
    end->n = 0;
    for (; known; known &= known - 1) {
        unsigned local = (unsigned)__builtin_ctzll(known);

        end->field[end->n] = p->field[local];
        end->value[end->n++] = p->value[local];
    }
}

static void forward_block(struct state_pass *p, unsigned block)
{
    struct ir_unit *unit = p->unit;
    struct flow flow = {0, 0, 0};
    ir_ref *map = p->map;
    p->replaced = false;
    for (unsigned ref = unit->blocks[block].first; ref <= unit->blocks[block].last; ref++) {
        struct ir_insn *insn = &unit->insns[ref];
        map[ref] = (ir_ref)ref;
        if (p->replaced)
            rebuild_set_args(insn, rebuild_mapped_args(map, insn));
        switch (class_of[insn->op]) {
        case READS:
            forward_read(p, (ir_ref)ref, &flow);
            break;
        case WRITES:
            forward_write(p, insn, &flow);
            break;
        case EFFECT:
            forward_effect(p, insn, &flow);
            break;
        default:
            break;
        }
    }
    p->any_replaced |= p->replaced;
    if (p->ends[block])
        remember_end(p, p->ends[block], flow.known);
    p->observed[block] = flow.observed;
    p->overwritten[block] = flow.overwritten;
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

/* Does anything but its flags between an insn and the SET `at` look at the insn's value? */
static bool is_used_before(const struct ir_unit *unit, ir_ref ref, ir_ref at)
{
    for (unsigned i = at; i-- > ref + 1u;) {
        const struct ir_insn *insn = &unit->insns[i];
        for (unsigned k = 0; k < IR_MAX_ARGS && insn->op != IR_FLAGOF; k++)
            if (insn->arg[k] == ref)
                return true;
    }
    return false;
}

/* How a fault can still find the flags that the SET `at` stores: from values that are there. */
static bool pending_flags(const struct state_pass *p, ir_ref at, const struct ir_use *used,
                          struct ir_pending *pending)
{
    const struct ir_unit *unit = p->unit;
    const struct ir_insn *flags = &unit->insns[unit->insns[at].arg[0]];
    const struct ir_insn *insn = &unit->insns[flags->arg[0]];

    if (flags->op == IR_UNPACKFLAGS && insn->op == IR_CONST) {
        pending->value = flags->arg[0];
        return true;
    }
    if (flags->op != IR_FLAGOF)
        return false;
    bool sum = insn->op == IR_ADD || insn->op == IR_SUB;
    bool logic =
        insn->op == IR_AND || insn->op == IR_OR || insn->op == IR_XOR || insn->op == IR_ANDN;
    if (!sum && !logic)
        return false;
    pending->op = logic ? IR_AND : insn->op;
    pending->type = insn->type;
    pending->sub = insn->sub;
    pending->how = PENDING_RESULT;
    pending->value = flags->arg[0];
    if (used[flags->arg[0]].value || is_used_before(unit, flags->arg[0], at)) {
        pending->other = logic ? IR_NONE : insn->arg[1];
    } else if (insn->op == IR_AND && insn->arg[0] == insn->arg[1]) {
        pending->value = insn->arg[0];
    } else {
        pending->how = PENDING_OPERANDS;
        pending->value = insn->arg[0];
        pending->other = insn->arg[1];
        return sum || insn->op == IR_AND;
    }
    return true;
}

/*
 * Moves a SET that only the FAULT ops before the next SET of its field can see into their pending
 * records. Worth it for constants and for flags, which can be had again from values that mostly
 * live on; any other value would have to be computed and held in a host register up to the fault,
 * which costs more than the store.
 */
static bool move_to_pending(struct state_pass *p, unsigned local, ir_ref at, struct ir_use *used)
{
    struct ir_unit *unit = p->unit;
    const struct ir_insn *set = &unit->insns[at];
    struct ir_pending pending = {.field = p->field[local], .value = set->arg[0]};
    unsigned n = p->n_faults - p->killed_at[local];
    if (n > MAX_PENDING_FAULTS || n > p->pending_room || !(p->pendable >> local & 1))
        return false;
    if (unit->fields[set->aux].type == IR_FLAGS ? !pending_flags(p, at, used, &pending)
                                                : unit->insns[set->arg[0]].op != IR_CONST)
        return false;
    p->pending_room -= n;
    used[pending.value].value = true;
    used[pending.other].value = true;
    for (unsigned i = p->killed_at[local]; i < p->n_faults; i++) {
        struct ir_insn *fault = &unit->insns[p->faults[i]];
        pending.next = fault->pending;
        unit->pending[unit->n_pending] = pending;
        fault->pending = ++unit->n_pending;
    }
    return true;
}

/* Where the backward walk stands in a block. */
struct liveness {
    uint64_t dead;                /* overwritten before anybody looks */
    uint64_t dead_but_for_faults; /* the same, in this block, faults aside */
    uint64_t dead_but_for_exit;   /* the same, but for one way on, which leaves the unit */
    struct sink sink;
};

/* Moves a SET of flags into the exit that alone can see it. */
static bool move_to_exit(const struct state_pass *p, unsigned local, ir_ref at,
                         struct liveness *live)
{
    unsigned field = p->field[local], type = p->unit->fields[field].type;
    ir_ref value = p->unit->insns[at].arg[0];

    return p->pendable >> local & 1 && (type == IR_FLAGS || type == IR_I8) &&
           p->unit->insns[value].op != IR_CONST && sink_add(&live->sink, field, value);
}

static void backward_write(struct state_pass *p, ir_ref ref, struct liveness *live,
                           struct ir_use *used)
{
    struct ir_insn *insn = &p->unit->insns[ref];
    unsigned local = p->local_of[insn->aux];
    uint64_t bit = local == NO_LOCAL ? 0 : UINT64_C(1) << local;
    if (bit & live->dead) {
        *insn = (struct ir_insn){.op = IR_NOP};
        return;
    }
    if ((bit & live->dead_but_for_faults && move_to_pending(p, local, ref, used)) ||
        (bit & live->dead_but_for_exit && move_to_exit(p, local, ref, live)))
        *insn = (struct ir_insn){.op = IR_NOP};
    else
        used[insn->arg[0]].value = true;
    if (!bit)
        return;
    live->dead |= p->cover[local];
    live->dead_but_for_faults |= bit;
    live->dead_but_for_exit &= ~bit;
    p->killed_at[local] = p->n_faults;
}

static void backward_effect(struct state_pass *p, ir_ref ref, struct liveness *live,
                            struct ir_use *used)
{
    const struct ir_insn *insn = &p->unit->insns[ref];
    unsigned traits = ir_op_info[insn->op].traits;
    ir_use_arguments(used, insn);
    for (uint32_t i = insn->pending; i; i = p->unit->pending[i - 1].next) {
        used[p->unit->pending[i - 1].value].value = true;
        used[p->unit->pending[i - 1].other].value = true;
    }
    if (traits & IR_FAULT) {
        live->dead = live->dead_but_for_exit = 0;
        p->faults[p->n_faults++] = ref;
    } else if (insn->op != IR_INSN && !(traits & IR_END)) {
        uint64_t seen = observes(p, insn);
        live->dead &= ~seen;
        live->dead_but_for_faults &= ~seen;
        live->dead_but_for_exit &= ~seen;
    }
}

/* The way on that leaves the unit, if exactly one does, at a block of its own; else the block
 * itself. *on: the other way. */
static unsigned only_exit(const struct ir_unit *unit, unsigned block, unsigned *on)
{
    const struct ir_insn *last = &unit->insns[unit->blocks[block].last];
    unsigned yes = last->aux, no = (unsigned)last->imm;
    if (last->op != IR_BRCC || yes <= block || no <= block || yes == no)
        return block;
    bool yes_leaves = sink_is_exit(unit, yes), no_leaves = sink_is_exit(unit, no);
    *on = yes_leaves ? no : yes;
    return yes_leaves == no_leaves ? block : yes_leaves ? yes : no;
}

static void find_ends(struct state_pass *p)
{
    struct ir_unit *unit = p->unit;
    uint8_t *ways = arena_zalloc(unit->arena, unit->n_blocks);
    unsigned on;
    p->ends = arena_zalloc(unit->arena, unit->n_blocks * sizeof(*p->ends));
    for (unsigned b = 0; b < unit->n_blocks; b++) {
        const struct ir_insn *last = &unit->insns[unit->blocks[b].last];
        if (last->op == IR_BR || last->op == IR_BRCC)
            ways[last->aux] += ways[last->aux] < 2;
        if (last->op == IR_BRCC)
            ways[last->imm] += ways[last->imm] < 2;
    }
    for (unsigned b = 0; b < unit->n_blocks; b++) {
        unsigned exit = only_exit(unit, b, &on);
        if (exit != b && ways[exit] == 1) {
            p->ends[b] = arena_alloc(unit->arena, sizeof(*p->ends[b]));
            p->n_ends++;
        }
    }
}

static void backward_block(struct state_pass *p, unsigned block, struct ir_use *used)
{
    struct ir_unit *unit = p->unit;
    unsigned first = unit->blocks[block].first, last = unit->blocks[block].last, on = 0;
    unsigned exit = p->ends[block] ? only_exit(unit, block, &on) : block;
    struct liveness live = {.dead = dead_after(p, &unit->insns[last]),
                            .sink = {.unit = unit, .end = p->ends[block], .block = exit}};
    if (exit != block && unit->n_insns + SINK_INSNS < IR_MAX_INSNS)
        live.dead_but_for_exit = p->dead_in[on];
    p->n_faults = 0;
    for (unsigned ref = last; ref >= first; ref--) {
        struct ir_insn *insn = &unit->insns[ref];
        switch (class_of[insn->op]) {
        case WRITES:
            backward_write(p, (ir_ref)ref, &live, used);
            break;
        case EFFECT:
            backward_effect(p, (ir_ref)ref, &live, used);
            break;
        case NOTHING:
            break;
        default:
            if (!ir_is_used(&used[ref])) {
                *insn = (struct ir_insn){.op = IR_NOP};
                break;
            }
            /* The flags before an ALU are for the flags after it. */
            if (insn->op == IR_ALU && !used[ref].flags && !ir_alu_value_needs_flags(insn->sub))
                insn->arg[3] = IR_NONE;
            ir_use_arguments(used, insn);
            if (insn->op == IR_FLAGOF)
                used[insn->arg[0]].flags = true;
            if (insn->op == IR_GET) {
                unsigned local = p->local_of[insn->aux];
                uint64_t alias = local == NO_LOCAL ? ~UINT64_C(0) : p->alias[local];
                live.dead &= ~alias;
                live.dead_but_for_faults &= ~alias;
                live.dead_but_for_exit &= ~alias;
            }
            break;
        }
    }
    sink_end(&live.sink);
    p->dead_in[block] = live.dead; /* more than the summary knew: what was not used is gone */
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

/* Fields whose SETs may move to pending: those that overlap no other. */
static void find_pendable(struct state_pass *p)
{
    for (unsigned i = 0; i < p->n_locals; i++) {
        if (p->alias[i] != UINT64_C(1) << i)
            p->pendable &= ~(UINT64_C(1) << i);
    }
    if (p->too_many)
        p->pendable = 0;
}

void ir_pass_state(struct ir_unit *unit)
{
    struct state_pass p;
    p.unit = unit;
    p.n_locals = 0;
    p.too_many = p.again = p.any_replaced = false;
    p.n_ends = 0;
    p.touched_by_fp = p.pendable = 0;
    memset(p.seen, 0, sizeof(p.seen));
    memset(p.local_of, NO_LOCAL, unit->n_fields);
    allocate(&p);
    find_ends(&p);
    for (unsigned b = 0; b < unit->n_blocks; b++)
        forward_block(&p, b);
    for (unsigned i = 0; i < unit->n_pending && p.any_replaced; i++) {
        unit->pending[i].value = p.map[unit->pending[i].value];
        unit->pending[i].other = p.map[unit->pending[i].other];
    }
    for (unsigned b = 0; b < unit->n_blocks && p.again; b++)
        forward_block(&p, b);
    find_pendable(&p);
    find_dead(&p);
    struct ir_use *used = arena_zalloc(unit->arena, unit->n_insns * sizeof(*used));
    for (unsigned b = unit->n_blocks; b-- > 0;)
        backward_block(&p, b, used);
}
