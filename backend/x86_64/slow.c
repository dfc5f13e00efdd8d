/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The C half of every cold stub: finds the stub's description after its jump
 * back, takes operands from the saved registers and puts the result there.
 */
#include "backend/vector_fn.h"
#include "backend/x86_64/x86_64.h"

#include "tcg/eval.h"

enum { JUMP_BYTES = 5 };

static uint8_t *saved_xmm(struct run_state *run, unsigned reg)
{
    return (uint8_t *)&run->fault_scratch[16] + (reg & 15) * 16;
}

static uint64_t get_saved(struct run_state *run, unsigned reg)
{
    if (reg >= XMM_BASE)
        return load_le64(saved_xmm(run, reg));
    return run->fault_scratch[reg];
}

static uint64_t truncate_to(unsigned type, uint64_t value)
{
    return type == IR_I32 || type == IR_F32 ? (uint32_t)value : value;
}

static void set_saved(struct run_state *run, unsigned reg, uint64_t value)
{
    if (reg < XMM_BASE) {
        run->fault_scratch[reg] = value;
        return;
    }
    store_le64(saved_xmm(run, reg), value);
    memset(saved_xmm(run, reg) + 8, 0, 8);
}

static void slow_load(struct run_state *run, const struct slow_desc *d, uint64_t va,
                      struct backend_state *s)
{
    if ((d->memop & IR_MEM_SIZE) == 4) {
        uint8_t bytes[16] __attribute__((aligned(16)));
        s->env.slow.load_bytes(run, va, bytes, d->memop);
        memcpy(saved_xmm(run, d->result), bytes, 16);
        return;
    }
    uint64_t value = s->env.slow.load(run, va, d->memop);
    set_saved(run, d->result, truncate_to(d->type, value));
}

static void slow_store(struct run_state *run, const struct slow_desc *d, uint64_t va,
                       struct backend_state *s)
{
    if ((d->memop & IR_MEM_SIZE) == 4) {
        uint8_t bytes[16] __attribute__((aligned(16)));
        memcpy(bytes, saved_xmm(run, d->value), 16);
        s->env.slow.store_bytes(run, va, bytes, d->memop);
        return;
    }
    uint64_t value = d->value == NO_REG ? (uint64_t)(int64_t)d->imm : get_saved(run, d->value);
    s->env.slow.store(run, va, value, d->memop);
}

static void slow_scalar(struct run_state *run, const struct slow_desc *d, struct backend_state *s)
{
    uint64_t v[3] = {0, 0, 0};
    const uint8_t regs[3] = {d->address, d->value, d->extra};
    unsigned from = d->memop >> 8;
    for (unsigned k = 0; k < 3; k++)
        if (regs[k] != NO_REG)
            v[k] = truncate_to(from, get_saved(run, regs[k]));
    uint64_t value = s->env.fp->scalar(run, d->length, d->memop, d->sub, v[0], v[1], v[2]);
    set_saved(run, d->result, truncate_to(d->type, value));
}

static void slow_vector(struct run_state *run, const struct slow_desc *d, struct backend_state *s)
{
    uint8_t v[4][16] __attribute__((aligned(16))) = {{0}};
    const uint8_t regs[3] = {d->address, d->value, d->extra};
    for (unsigned k = 0; k < 3; k++)
        if (regs[k] != NO_REG)
            memcpy(v[k + 1], saved_xmm(run, regs[k]), 16);
    s->env.fp->vector(run, d->length, d->sub, v[0], v[1], v[2], v[3]);
    memcpy(saved_xmm(run, d->result), v[0], 16);
}

/* A row the host has no instruction for. Flags go where their value would: the row's is 0. */
static void slow_vector_fn(struct run_state *run, const struct slow_desc *d)
{
    union ir_vector v[3] = {{.d = {0, 0}}, {.d = {0, 0}}, {.d = {0, 0}}};
    const uint8_t regs[3] = {d->address, d->value, d->extra};
    unsigned row = (unsigned)d->imm & 0xffff;
    for (unsigned k = 0; k < 3; k++) {
        if (regs[k] != NO_REG && regs[k] >= XMM_BASE)
            memcpy(&v[k], saved_xmm(run, regs[k]), 16);
        else if (regs[k] != NO_REG)
            v[k].d[0] = get_saved(run, regs[k]);
    }
    struct vector_fn_call call = {.a = &v[0],
                                  .b = &v[1],
                                  .c = &v[2],
                                  .immediate = (uint8_t)(d->imm >> 16),
                                  .wide = d->length};
    vector_fn_eval(row, &call);
    if (d->result >= XMM_BASE)
        memcpy(saved_xmm(run, d->result), &call.result, 16);
    else
        set_saved(run, d->result,
                  ir_vfn_info[row].traits & VFN_FLAGS ? call.flags : call.result.d[0]);
}

static void slow_divide(struct run_state *run, const struct slow_desc *d, struct backend_state *s)
{
    uint64_t quotient, remainder;
    if (!ir_eval_wide_divide(d->type, d->sub, truncate_to(d->type, get_saved(run, d->address)),
                             truncate_to(d->type, get_saved(run, d->value)),
                             truncate_to(d->type, get_saved(run, d->extra)), &quotient, &remainder))
        s->env.fp->divide_error(run);
    set_saved(run, RAX, quotient);
    set_saved(run, RDX, remainder);
}

static uint64_t address_in(const struct backend_state *s, uint64_t va)
{
    return s->env.wide_address ? va : (uint32_t)va;
}

static void set_pointer(struct run_state *run, const struct held_place *place, uint64_t pointer)
{
    if (place->reg != NO_REG)
        run->fault_scratch[place->reg] = pointer;
    if (place->slot != NO_SLOT)
        store_le64((uint8_t *)run->host_sp + FRAME_SPILL + place->slot * 8, pointer);
}

/* Where the lowest byte of a group is now; 0: not all of it is in memory that code may reach. */
static uint64_t find_group(const struct run_state *run, const struct slow_groups *groups,
                           const struct backend_state *s, uint64_t va)
{
    bool wide = s->env.wide_address;
    uint64_t low = address_in(s, va - groups->offset);

    if ((low & groups->align_mask) || (low & (TLB_PAGE_SIZE - 1)) + groups->length > TLB_PAGE_SIZE)
        return 0;
    return tlb_host_address(wide,
                            groups->write ? *tlb_write_entry(run->tlb, wide, low)
                                          : *tlb_read_entry(run->tlb, wide, low),
                            low);
}

/* Pointers to memory that may be elsewhere after a slow access. */
static void renew_pointers(struct run_state *run, const uint8_t *stub, struct backend_state *s,
                           uint64_t va)
{
    struct slow_groups groups;

    memcpy(&groups, stub, sizeof(groups));
    for (unsigned k = 0; k < MAX_GROUPS; k++)
        set_pointer(run, &groups.other[k], 0);
    if (groups.length)
        set_pointer(run, &groups.own, find_group(run, &groups, s, va));
}

void x86_slow_access(struct run_state *run, const uint8_t *back, struct backend_state *s)
{
    struct slow_desc d;
    memcpy(&d, back + JUMP_BYTES, sizeof(d));
    if (d.kind == SLOW_FP) {
        slow_scalar(run, &d, s);
        return;
    }
    if (d.kind == SLOW_VECTOR_FP) {
        slow_vector(run, &d, s);
        return;
    }
    if (d.kind == SLOW_DIVIDE) {
        slow_divide(run, &d, s);
        return;
    }
    if (d.kind == SLOW_VECTOR_FN) {
        slow_vector_fn(run, &d);
        return;
    }
    uint64_t va = d.constant;
    if (d.address != NO_REG)
        va = address_in(s, get_saved(run, d.address) + (uint64_t)(int32_t)d.constant);
    switch (d.kind) {
    case SLOW_LOAD:
        slow_load(run, &d, va, s);
        break;
    case SLOW_STORE:
        slow_store(run, &d, va, s);
        break;
    case SLOW_PROBE:
        set_saved(run, d.result, (uint64_t)s->env.slow.probe(run, va, d.length, d.memop));
        break;
    case SLOW_COMMIT:
        s->env.slow.commit(run, (void *)get_saved(run, d.value),
                           address_in(s, va + (uint64_t)d.imm), d.length, d.memop);
        break;
    case SLOW_CAS:
        set_saved(run, d.result,
                  truncate_to(d.type, s->env.slow.cas(run, va, get_saved(run, d.value),
                                                      get_saved(run, d.extra), d.memop)));
        break;
    default:
        set_saved(run, d.result,
                  truncate_to(d.type,
                              s->env.slow.rmw(run, va, d.extra, get_saved(run, d.value), d.memop)));
        break;
    }
    if (d.has_groups)
        renew_pointers(run, back + JUMP_BYTES + sizeof(d), s, va);
}
