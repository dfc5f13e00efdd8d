/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See sink.h. */
#include "tcg/sink.h"

#include "tcg/alu.h"

enum { MAX_DEPTH = 4, MAX_COST = 12 };

/* The field that holds the value at the block's end, or none. */
static bool find_field(const struct ir_unit *unit, const struct block_end *end, ir_ref value,
                       unsigned *field)
{
    for (unsigned i = 0; i < end->n; i++) {
        unsigned type = unit->fields[end->field[i]].type;

        if (end->value[i] == value && (type == IR_I32 || type == IR_I64)) {
            *field = end->field[i];
            return true;
        }
    }
    return false;
}

/* A sum or difference in a field, of this value and a constant: x + c in a register gives x. */
static bool find_sum(const struct ir_unit *unit, const struct block_end *end, ir_ref value,
                     ir_ref *sum)
{
    for (unsigned i = 0; i < end->n; i++) {
        ir_ref held = end->value[i];
        const struct ir_insn *insn = &unit->insns[held];

        if (insn->op == IR_WIDEN_U) {
            held = insn->arg[0];
            insn = &unit->insns[held];
        }
        if ((insn->op == IR_ADD || insn->op == IR_SUB) && !insn->sub && insn->arg[0] == value &&
            unit->insns[insn->arg[1]].op == IR_CONST) {
            *sum = held;
            return true;
        }
    }
    return false;
}

/* A field of twice the width with the value in its lower half. */
static bool find_wide(const struct ir_unit *unit, const struct block_end *end, ir_ref value,
                      unsigned *field)
{
    for (unsigned i = 0; i < end->n; i++) {
        const struct ir_insn *insn = &unit->insns[end->value[i]];

        if (unit->fields[end->field[i]].type == IR_I64 && insn->op == IR_WIDEN_U &&
            insn->arg[0] == value) {
            *field = end->field[i];
            return true;
        }
    }
    return false;
}

static bool can_be_repeated(const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_ANDN:
    case IR_NARROW:
    case IR_WIDEN_U:
    case IR_ZEXT:
    case IR_SETCC:
    case IR_UNPACKFLAGS:
        return true;
    case IR_ALU:
        return !insn->arg[3];
    default:
        return false;
    }
}

struct maker {
    struct ir_unit *unit;
    const struct block_end *end;
    bool emit; /* else only see whether it can be done */
    bool failed;
    unsigned cost;
};

static ir_ref append(struct maker *m, const struct ir_insn *insn)
{
    struct ir_unit *unit = m->unit;

    m->cost++;
    if (!m->emit)
        return IR_NONE;
    unit->insns[unit->n_insns] = *insn;
    return (ir_ref)unit->n_insns++;
}

static ir_ref make(struct maker *m, ir_ref value, unsigned depth);

static ir_ref make_get(struct maker *m, unsigned field)
{
    return append(
        m, &(struct ir_insn){.op = IR_GET, .type = m->unit->fields[field].type, .aux = field});
}

static ir_ref repeat(struct maker *m, ir_ref value, unsigned depth)
{
    struct ir_insn insn = m->unit->insns[value];
    unsigned n_args = insn.op == IR_ALU ? ir_alu_info[insn.sub].n_args : IR_MAX_ARGS;

    insn.mark = 0;
    for (unsigned k = 0; k < IR_MAX_ARGS; k++)
        insn.arg[k] = k < n_args && insn.arg[k] ? make(m, insn.arg[k], depth + 1) : IR_NONE;
    return append(m, &insn);
}

/* The operation itself is wanted, not only its result; but a result tells the flags of logic. */
static ir_ref make_flags(struct maker *m, const struct ir_insn *flags, unsigned depth)
{
    ir_ref source = flags->arg[0];
    const struct ir_insn *insn = &m->unit->insns[source];
    bool logic = insn->op == IR_AND || insn->op == IR_OR || insn->op == IR_XOR;
    unsigned field;

    if (logic && (find_field(m->unit, m->end, source, &field) ||
                  find_wide(m->unit, m->end, source, &field))) {
        ir_ref result = make(m, source, depth + 1);

        source = append(
            m, &(struct ir_insn){
                   .op = IR_AND, .type = insn->type, .sub = insn->sub, .arg = {result, result}});
    } else if (can_be_repeated(insn)) {
        source = repeat(m, source, depth + 1);
    } else {
        m->failed = true;
    }
    return append(m, &(struct ir_insn){.op = IR_FLAGOF, .type = IR_FLAGS, .arg = {source}});
}

static ir_ref make(struct maker *m, ir_ref value, unsigned depth)
{
    const struct ir_insn *insn = &m->unit->insns[value];
    unsigned field;
    ir_ref sum;

    if (m->failed || depth > MAX_DEPTH || m->cost > MAX_COST) {
        m->failed = true;
        return IR_NONE;
    }
    if (insn->op == IR_CONST)
        return append(m, insn);
    if (insn->op == IR_FLAGOF)
        return make_flags(m, insn, depth);
    if (find_field(m->unit, m->end, value, &field))
        return make_get(m, field);
    if (find_wide(m->unit, m->end, value, &field)) {
        ir_ref wide = make_get(m, field);

        return append(m, &(struct ir_insn){.op = IR_NARROW, .type = IR_I32, .arg = {wide}});
    }
    if (find_sum(m->unit, m->end, value, &sum)) {
        struct ir_insn inverse = m->unit->insns[sum];

        inverse.mark = 0;
        inverse.op = inverse.op == IR_ADD ? IR_SUB : IR_ADD;
        inverse.arg[1] = make(m, inverse.arg[1], depth + 1);
        inverse.arg[0] = make(m, sum, depth + 1);
        return append(m, &inverse);
    }
    if (!can_be_repeated(insn)) {
        m->failed = true;
        return IR_NONE;
    }
    return repeat(m, value, depth);
}

bool sink_is_exit(const struct ir_unit *unit, unsigned block)
{
    for (unsigned i = unit->blocks[block].first; i < unit->blocks[block].last; i++)
        if (unit->insns[i].op != IR_INSN && unit->insns[i].op != IR_NOP)
            return false;
    const struct ir_insn *last = &unit->insns[unit->blocks[block].last];
    return last->op == IR_EXIT_JUMP && !(last->sub & IR_POLL);
}

static void copy_boundaries(const struct sink *sink, struct maker *m)
{
    const struct ir_block *block = &sink->unit->blocks[sink->block];

    for (unsigned i = block->first; i <= block->last; i++)
        if (sink->unit->insns[i].op == IR_INSN)
            append(m, &sink->unit->insns[i]);
}

bool sink_add(struct sink *sink, unsigned field, ir_ref value)
{
    struct maker m = {.unit = sink->unit, .end = sink->end};
    ir_ref made;

    make(&m, value, 0);
    if (sink->n == SINK_MAX || m.failed || m.cost > MAX_COST)
        return false;
    m = (struct maker){.unit = sink->unit, .end = sink->end, .emit = true};
    if (!sink->n++) {
        sink->first = (ir_ref)sink->unit->n_insns;
        copy_boundaries(sink, &m);
        m.cost = 0;
    }
    made = make(&m, value, 0);
    append(&m, &(struct ir_insn){.op = IR_SET, .aux = field, .arg = {made}});
    return true;
}

void sink_end(struct sink *sink)
{
    struct maker m = {.unit = sink->unit, .emit = true};
    struct ir_block *block = &sink->unit->blocks[sink->block];

    if (!sink->n)
        return;
    append(&m, &sink->unit->insns[block->last]);
    for (unsigned i = block->first; i <= block->last; i++)
        sink->unit->insns[i] = (struct ir_insn){.op = IR_NOP};
    *block = (struct ir_block){sink->first, (ir_ref)(sink->unit->n_insns - 1)};
}
