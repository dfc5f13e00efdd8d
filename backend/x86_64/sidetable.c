/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Precise state (D3): for every return address at which a guest exception can
 * be raised, the guest instruction and where pending fields are. A byte stream
 * in ascending order of offset, everything as differences, read from the start:
 * units are short and faults are rarer than code.
 *
 *   site: offset difference << 2 | registers saved << 1 | has pending, pc
 * difference (signed), aux ^ previous aux, [number of pending, then each: field,
 * how | kinds of the two places << 2 and 5, its op if it has one, the places]
 */
#include "backend/x86_64/x86_64.h"

#include "tcg/eval.h"

static void put_number(struct emit *e, uint64_t value)
{
    if (e->table_size + 10 > e->table_capacity) {
        e->failed = true;
        return;
    }
    uint8_t *p = e->table + e->table_size;
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    e->table_size = (size_t)(p - e->table);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

static uint64_t take_number(const uint8_t **p)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*p)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return value;
    }
}

static int64_t take_signed(const uint8_t **p)
{
    uint64_t value = take_number(p);
    return (int64_t)(value >> 1 ^ -(value & 1));
}

void sidetable_put_site(struct emit *e, uint32_t offset, ir_ref boundary, bool registers_saved,
                        unsigned pending_first, unsigned n_pending)
{
    const struct ir_insn *insn = &e->u->insns[boundary];
    put_number(e,
               (uint64_t)(offset - e->last_offset) << 2 | registers_saved << 1 | (n_pending > 0));
    put_number(e, zigzag((int64_t)(insn->imm - e->last_pc)));
    put_number(e, insn->aux ^ e->last_aux);
    e->last_offset = offset;
    e->last_pc = insn->imm;
    e->last_aux = insn->aux;
    if (!n_pending)
        return;
    put_number(e, n_pending);
    for (unsigned k = 0; k < n_pending; k++) {
        const struct pending_place *place = &e->pending[pending_first + k];
        const struct ir_pending *p = place->record;
        put_number(e, p->field);
        put_number(e, p->how | place->value.kind << 2 | place->other.kind << 5);
        put_number(e, place->value.what);
        if (p->how == PENDING_VALUE)
            continue;
        put_number(e, place->other.what);
        put_number(e, p->op | p->type << 8 | p->sub << 16);
    }
}

struct taken_pending {
    struct ir_pending record;
    struct value_place value, other;
};

static struct taken_pending take_pending(const uint8_t **p)
{
    struct taken_pending t = {.record.field = (uint16_t)take_number(p)};
    unsigned how = (unsigned)take_number(p), op;
    t.record.how = how & 3;
    t.value = (struct value_place){how >> 2 & 7, take_number(p)};
    t.other = (struct value_place){PLACE_CONST, 0};
    if (t.record.how == PENDING_VALUE)
        return t;
    t.other = (struct value_place){how >> 5 & 7, take_number(p)};
    op = (unsigned)take_number(p);
    t.record.op = (uint8_t)op;
    t.record.type = (uint8_t)(op >> 8);
    t.record.sub = (uint8_t)(op >> 16);
    return t;
}

static uint64_t place_value(const struct backend_state *s, const struct run_state *run,
                            struct value_place place)
{
    const char *stack = run->host_sp;
    const struct state_field *field;
    uint64_t what = place.what;
    switch (place.kind) {
    case PLACE_REG:
        return run->fault_scratch[what & 15];
    case PLACE_SLOT:
        return load_le64(stack + FRAME_SPILL + (what & (SPILL_SLOTS - 1)) * 8);
    case PLACE_SLOT_BYTE:
        return *(const uint8_t *)(stack + FRAME_SPILL + (what & (SPILL_SLOTS - 1)) * 8);
    case PLACE_FIELD:
        field = &s->env.fields[what];
        return field->type == IR_I8 ? *((const uint8_t *)run + field->offset)
               : field->type == IR_I16 || field->type == IR_FLAGS
                   ? load_le16((const char *)run + field->offset)
               : field->type == IR_I32 ? load_le32((const char *)run + field->offset)
                                       : load_le64((const char *)run + field->offset);
    default:
        return what;
    }
}

static void write_field(const struct backend_state *s, struct run_state *run, unsigned field,
                        uint64_t value)
{
    const struct state_field *f = &s->env.fields[field];
    char *to = (char *)run + f->offset;
    switch (f->type) {
    case IR_I8:
        *to = (char)value;
        break;
    case IR_I16:
    case IR_FLAGS:
        store_le16(to, (uint16_t)value);
        break;
    case IR_I32:
        store_le32(to, (uint32_t)value);
        break;
    default:
        store_le64(to, value);
        break;
    }
}

const void *x86_access_fault(struct backend_state *s, const struct unit_code *code, const void *pc)
{
    const uint8_t *p = code->tables;
    const uint8_t *end = p + code->tables_bytes;
    const uint8_t *site = code->entry;
    while (p < end) {
        uint64_t head = take_number(&p);
        site += head >> 2;
        take_number(&p);
        take_number(&p);
        for (uint64_t n = head & 1 ? take_number(&p) : 0; n; n--)
            take_pending(&p);
        if (!(head & 2))
            continue;
        /* call slow; site: jmp back; description */
        int32_t distance;
        struct slow_desc d;
        memcpy(&distance, site + 1, sizeof(distance));
        memcpy(&d, site + STUB_CALL_BYTES, sizeof(d));
        const uint8_t *back = site + STUB_CALL_BYTES + distance;
        if ((const uint8_t *)pc < back && (const uint8_t *)pc >= back - d.access_bytes)
            return site - STUB_CALL_BYTES;
    }
    return NULL;
}

void x86_restore(struct backend_state *s, struct run_state *run, const struct unit_code *code,
                 const void *site, uint64_t *pc, uint32_t *aux)
{
    enum { MAX_PENDING_FIELDS = 64 };
    const uint8_t *p = code->tables;
    const uint8_t *end = p + code->tables_bytes;
    uint32_t wanted = (uint32_t)((const uint8_t *)site - (const uint8_t *)code->entry);
    uint32_t offset = 0;
    *pc = 0;
    *aux = 0;
    while (p < end) {
        uint64_t head = take_number(&p);
        offset += (uint32_t)(head >> 2);
        *pc += (uint64_t)take_signed(&p);
        *aux ^= (uint32_t)take_number(&p);
        bool here = offset == wanted;
        if (here && (head & 2))
            for (unsigned i = 0; i < s->n_pinned; i++)
                write_field(s, run, s->pinned[i].field, run->fault_scratch[s->pinned[i].reg]);
        uint64_t n = head & 1 ? take_number(&p) : 0;
        for (uint64_t k = 0; k < n; k++) {
            struct taken_pending t = take_pending(&p);
            if (here)
                write_field(s, run, t.record.field,
                            ir_eval_pending(&t.record, place_value(s, run, t.value),
                                            place_value(s, run, t.other)));
        }
        if (here)
            return;
    }
    *pc = 0;
}
