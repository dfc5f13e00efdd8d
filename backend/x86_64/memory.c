/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory accesses: the TLB check inline (softmmu/tlb.h), everything else
 * in cold stubs. An access must not cross a page; a naturally aligned one
 * cannot, so alignment is what is tested, and the stub takes unaligned accesses
 * within one page too. Nothing is written back for a fault: the side table says
 * where values are.
 */
#include "backend/x86_64/x86_64.h"

struct access {
    unsigned address; /* register, or NO_REG when `constant` is a small constant
                         address */
    uint32_t constant;
    unsigned entry;
    unsigned w; /* OP_W: addresses are of 64 bits */
    bool write;
    bool user; /* with user privilege, whatever the mode */
    struct cold *cold;
    struct access_group *group; /* checked together with others, or NULL */
    bool begins;                /* the group does with this access */
};

static struct mem access_mem(const struct access *x)
{
    if (x->group)
        return mem_at(x->entry, x->group->member[x->group->at].offset);
    if (x->address == NO_REG)
        return mem_at(x->entry, (int32_t)x->constant);
    return mem_index(x->entry, x->address, 0, 0);
}

/* Bits 47:12 of the address in `entry`. */
static void wide_index(struct emit *e, const struct access *x)
{
    enum { ABOVE = 64 - TLB_WIDE_BITS };
    if (e->features & HOST_BMI2) { /* rorx: rotated out is as good as shifted out */
        emit_vex_rr(&e->a, 0xf0 | OP_0F3A | OP_F2 | OP_W, x->entry, 0, x->address);
        put8(&e->a, TLB_WIDE_BITS);
    } else {
        emit_mov_rr(&e->a, OP_W, x->entry, x->address);
        emit_shift_i(&e->a, OP_W, SHIFT_SHL, x->entry, ABOVE);
    }
    emit_shift_i(&e->a, OP_W, SHIFT_SHR, x->entry, ABOVE + TLB_PAGE_BITS);
}

static void load_wide_entry(struct emit *e, const struct access *x, bool write)
{
    wide_index(e, x);
    if (write)
        emit_rr(&e->a, 0xf7 | OP_W, 2, x->entry); /* not */
    if (!x->user) {
        emit_load(&e->a, OP_W, x->entry, mem_index(R15, x->entry, 3, 0));
        return;
    }
    emit_shift_i(&e->a, OP_W, SHIFT_SHL, x->entry, 3);
    emit_alu_rm(&e->a, OP_W, ALU_ADD, x->entry, run_mem(e, offsetof(struct run_state, tlb_user)));
    emit_load(&e->a, OP_W, x->entry, mem_at(x->entry, 0));
}

static void load_entry(struct emit *e, const struct access *x, bool write)
{
    if (x->w) {
        load_wide_entry(e, x, write);
        return;
    }
    emit_mov_rr(&e->a, 0, x->entry, x->address);
    emit_shift_i(&e->a, 0, SHIFT_SHR, x->entry, TLB_PAGE_BITS);
    if (x->user) { /* the table of the same space with user privilege */
        emit_shift_i(&e->a, 0, SHIFT_SHL, x->entry, 3);
        emit_alu_rm(&e->a, OP_W, ALU_ADD, x->entry,
                    run_mem(e, offsetof(struct run_state, tlb_user)));
        emit_load(&e->a, OP_W, x->entry, mem_at(x->entry, write ? TLB_WRITE : TLB_READ));
        return;
    }
    emit_load(&e->a, OP_W, x->entry, mem_index(R15, x->entry, 3, write ? TLB_WRITE : TLB_READ));
}

void cold_from(struct cold *cold, uint8_t *field)
{
    for (unsigned k = 0; k < ARRAY_SIZE(cold->from); k++) {
        if (!cold->from[k]) {
            cold->from[k] = field;
            return;
        }
    }
}

/* The register of a live value known to be base + disp (write-back leaves such), or NO_REG. */
static unsigned find_sum(struct emit *e, ir_ref base, int32_t disp)
{
    for (unsigned k = 0; k < ARRAY_SIZE(e->sum); k++) {
        ir_ref ref = e->sum[k];
        const struct ir_insn *sum = &e->u->insns[ref];
        uint64_t constant;
        unsigned type = e->u->wide_address ? IR_I64 : IR_I32;
        if (!ref || sum->arg[0] != base || sum->type != type || e->value[ref].reg == NO_REG ||
            !(e->value[ref].flags & VALUE_LIVE) || !is_constant(e, sum->arg[1], &constant))
            continue;
        uint64_t difference = (sum->op == IR_ADD ? constant : -constant) - (uint64_t)(int64_t)disp;
        if (type == IR_I64 ? !difference : !(uint32_t)difference)
            return e->value[ref].reg;
    }
    return NO_REG;
}

/* base + (index << n) + disp by one lea. */
static void fold_address(struct emit *e, const struct ir_insn *insn, struct access *x)
{
    struct sum_parts parts = parts_of_sum(e, insn->arg[0]);
    unsigned base_reg = NO_REG;
    uint32_t locked = e->locked;
    if (parts.base)
        base_reg = use_gpr(e, parts.base);
    unsigned index_reg = use_gpr(e, parts.index);
    x->address = alloc_temp(e);
    e->locked = locked | 1u << x->address;
    emit_lea(&e->a, x->w, x->address,
             mem_index(base_reg, index_reg, parts.shift, (int32_t)insn->imm));
}

/* The guest-virtual address in a register. A temporary that dies here may be
 * changed in place, unless a pending record wants its value. */
static void compute_address(struct emit *e, const struct ir_insn *insn, struct access *x, bool own)
{
    int32_t disp = (int32_t)insn->imm;
    uint64_t constant;
    if (e->value[insn->arg[0]].folded) {
        fold_address(e, insn, x);
        return;
    }
    if (is_constant(e, insn->arg[0], &constant)) {
        constant += insn->imm;
        if (!x->w)
            constant = (uint32_t)constant;
        if (constant <= INT32_MAX && !own) {
            x->constant = (uint32_t)constant;
            x->address = NO_REG;
            return;
        }
        x->address = alloc_temp(e);
        emit_mov_imm(&e->a, x->address, constant);
        return;
    }
    unsigned sum = disp && !own ? find_sum(e, insn->arg[0], disp) : NO_REG;
    if (sum != NO_REG) {
        e->locked |= 1u << sum;
        x->address = sum;
        return;
    }
    unsigned base = use_gpr(e, insn->arg[0]);
    bool temp = TEMP_MASK >> base & 1;
    bool reusable = temp && is_dying(e, insn->arg[0]) && !is_pending_value(e, insn, insn->arg[0]) &&
                    !(e->value[insn->arg[0]].flags & (VALUE_FIELD | VALUE_CONST));
    for (unsigned k = 1; k < ir_op_info[insn->op].n_args; k++)
        reusable &= insn->arg[k] != insn->arg[0];
    if (!disp && (!own || reusable)) {
        x->address = base;
        return;
    }
    x->address = reusable ? base : alloc_temp(e);
    if (disp)
        emit_lea(&e->a, x->w, x->address, mem_at(base, disp));
    else
        emit_mov_rr(&e->a, x->w, x->address, base);
    if (temp && x->address != base)
        e->locked &= ~(1u << base);
}

static void check_alignment(struct emit *e, const struct ir_insn *insn, struct access *x)
{
    unsigned size = memop_size(insn->aux), align = memop_align(insn->aux);
    unsigned mask = MAX(size, align) - 1;
    bool atomic = insn->op == IR_CAS || insn->op == IR_RMW;
    if (!mask)
        return;
    if (x->address == NO_REG) {
        bool crosses = (x->constant & (TLB_PAGE_SIZE - 1)) > TLB_PAGE_SIZE - size;
        if (x->constant & (align - 1) || crosses || (atomic && x->constant & mask))
            cold_from(x->cold, emit_jmp(&e->a));
        return;
    }
    if (size == 16 && align < 16) { /* crossing only */
        if (align > 1) {
            emit_test_ri(&e->a, 0, x->address, (int32_t)align - 1, false);
            cold_from(x->cold, emit_jcc(&e->a, CC_NE));
        }
        emit_mov_rr(&e->a, 0, x->entry, x->address);
        emit_alu_ri(&e->a, 0, ALU_AND, x->entry, TLB_PAGE_SIZE - 1);
        emit_alu_ri(&e->a, 0, ALU_CMP, x->entry, TLB_PAGE_SIZE - 16);
        cold_from(x->cold, emit_jcc(&e->a, CC_A));
        return;
    }
    emit_test_ri(&e->a, 0, x->address, (int32_t)mask, false);
    uint8_t *field = emit_jcc(&e->a, CC_NE);
    if (align < size && !atomic && !x->user) {
        x->cold->unaligned_from = field;
        x->cold->entry = (uint8_t)x->entry;
    } else {
        cold_from(x->cold, field);
    }
}

struct cold *add_memory_cold(struct emit *e, const struct ir_insn *insn, enum slow_kind kind)
{
    struct cold *cold = cold_add(e, COLD_MEMORY);
    cold->n_pending = snapshot_pending(e, e->here, &cold->pending_first);
    cold->desc = (struct slow_desc){.kind = kind,
                                    .type = insn->type,
                                    .result = NO_REG,
                                    .value = NO_REG,
                                    .extra = NO_REG,
                                    .memop = (uint16_t)insn->aux};
    return cold;
}

/* Operands, address and a register for the TLB entry. own: the address register
 * may be changed. */
static struct access prepare_access(struct emit *e, const struct ir_insn *insn, enum slow_kind kind,
                                    bool write, bool own)
{
    struct access x = {
        .write = write, .user = insn->aux & IR_MEM_USER, .w = e->u->wide_address ? OP_W : 0};
    compute_address(e, insn, &x, own || x.user);
    x.entry = alloc_temp(e);
    x.cold = add_memory_cold(e, insn, kind);
    x.cold->desc.address = (uint8_t)x.address;
    x.cold->desc.constant = x.constant;
    return x;
}

static void get_entry(struct emit *e, struct access *x)
{
    int32_t index = (int32_t)(x->constant >> TLB_PAGE_BITS);
    int32_t wide = x->write ? -1 - index : index;
    if (x->address != NO_REG)
        load_entry(e, x, x->write);
    else if (x->w)
        emit_load(&e->a, OP_W, x->entry, mem_at(R15, wide * 8));
    else
        emit_load(&e->a, OP_W, x->entry,
                  mem_at(R15, index * 8 + (x->write ? TLB_WRITE : TLB_READ)));
}

static void check_entry(struct emit *e, struct access *x)
{
    emit_test_rr(&e->a, OP_W, x->entry, x->entry);
    cold_from(x->cold, emit_jcc(&e->a, CC_E));
}

/* The checks. From here to end_access only the access itself may be emitted:
 * the cold stub goes on behind it. */
static void begin_access(struct emit *e, const struct ir_insn *insn, struct access *x)
{
    bool atomic = insn->op == IR_CAS || insn->op == IR_RMW;
    bool vector = (insn->aux & IR_MEM_SIZE) == 4; /* its check needs the entry's register */
    if (atomic && (insn->aux & IR_MEM_SWAP))
        cold_from(x->cold, emit_jmp(&e->a)); /* the other byte order: always in C */
    else if (vector)
        check_alignment(e, insn, x);
    get_entry(e, x);
    if (!vector)
        check_alignment(e, insn, x);
    x->cold->access = e->a.p;
    check_entry(e, x);
}

/* Jumps to the cold stub unless [address, address + length) is in one page and
 * aligned. */
static void check_range(struct emit *e, struct access *x, unsigned length, unsigned align_log2)
{
    unsigned align = 1u << align_log2;
    if (x->address == NO_REG) {
        if ((x->constant & (align - 1)) ||
            (x->constant & (TLB_PAGE_SIZE - 1)) > TLB_PAGE_SIZE - length)
            cold_from(x->cold, emit_jmp(&e->a));
        return;
    }
    int32_t limit = (int32_t)(TLB_PAGE_SIZE - length);
    if (align_log2 && (e->features & HOST_BMI2)) {
        /* Low bits rotated to the top make the comparison fail when they are not
         * zero. */
        emit_vex_rr(&e->a, 0xf0 | OP_0F3A | OP_F2, x->entry, 0, x->address);
        put8(&e->a, align_log2);
        uint32_t mask = ((TLB_PAGE_SIZE - 1) >> align_log2) | ~(~UINT32_C(0) >> align_log2);
        emit_alu_ri(&e->a, 0, ALU_AND, x->entry, (int32_t)mask);
        emit_alu_ri(&e->a, 0, ALU_CMP, x->entry, limit >> align_log2);
    } else {
        if (align_log2) {
            emit_test_ri(&e->a, 0, x->address, (int32_t)align - 1, false);
            cold_from(x->cold, emit_jcc(&e->a, CC_NE));
        }
        emit_mov_rr(&e->a, 0, x->entry, x->address);
        emit_alu_ri(&e->a, 0, ALU_AND, x->entry, TLB_PAGE_SIZE - 1);
        emit_alu_ri(&e->a, 0, ALU_CMP, x->entry, limit);
    }
    cold_from(x->cold, emit_jcc(&e->a, CC_A));
}

static void check_group(struct emit *e, struct access *x)
{
    check_range(e, x, x->group->length, x->group->align_log2);
    get_entry(e, x);
    x->cold->access = e->a.p;
    check_entry(e, x);
    emit_alu_rr(&e->a, OP_W, ALU_ADD, x->entry, x->address);
}

/* Like prepare_access; x.entry: of the access that begins a group the TLB's entry, and then the
 * pointer to the group's lowest byte, of the others that pointer. */
static struct access prepare_grouped(struct emit *e, const struct ir_insn *insn,
                                     enum slow_kind kind, bool write)
{
    struct access x = {.w = e->u->wide_address ? OP_W : 0};
    int32_t disp = (int32_t)insn->imm, own = 0;

    x.group = group_of(e, insn, &x.begins);
    if (!x.group)
        return prepare_access(e, insn, kind, write, false);
    x.write = x.group->write;
    x.address = use_gpr(e, insn->arg[0]);
    if (x.begins) {
        own = x.group->member[0].offset;
        if (disp - own) {
            unsigned base = x.address;
            x.address = alloc_temp(e);
            emit_lea(&e->a, x.w, x.address, mem_at(base, disp - own));
        }
        x.entry = alloc_temp(e);
    } else {
        own = disp;
        x.entry = use_gpr(e, x.group->holder);
    }
    x.cold = add_memory_cold(e, insn, kind);
    x.cold->desc.address = (uint8_t)x.address;
    x.cold->desc.constant = (uint32_t)own;
    if (x.begins)
        group_hold(e, x.group, x.entry);
    return x;
}

static void begin_grouped(struct emit *e, const struct ir_insn *insn, struct access *x)
{
    if (!x->group) {
        begin_access(e, insn, x);
    } else if (x->begins) {
        check_group(e, x);
    } else {
        x->cold->access = e->a.p;
        check_entry(e, x);
    }
}

static void note_member(struct emit *e, struct access *x);

static void end_access(struct emit *e, struct access *x)
{
    groups_note(e, x->cold, x->group);
    if (x->group) {
        note_member(e, x);
        group_advance(e, x->group);
    }
    x->cold->back = e->a.p;
    x->cold->xmm_live = e->vector_used != 0;
    if (x->w)
        x->cold->desc.access_bytes = (uint16_t)(e->a.p - x->cold->access);
}

/* ---- moving a value from and to host memory -------------------------------------------------- */

static void swap_register(struct emit *e, unsigned reg, unsigned log2)
{
    if (log2 == 1) { /* rol r16, 8: the upper half is zero and stays so */
        emit_rr(&e->a, 0xc1 | OP_16, SHIFT_ROL, reg);
        put8(&e->a, 8);
    } else if (log2 >= 2) {
        unsigned w = log2 == 3 ? 8 : 0;
        emit_opcode(&e->a, (0xc8 | (reg & 7)) | OP_0F, w | reg >> 3);
    }
}

static void load_integer(struct emit *e, const struct ir_insn *insn, unsigned dst, struct mem m)
{
    unsigned log2 = insn->aux & IR_MEM_SIZE, w = op_w(insn->type);
    bool sign = insn->aux & IR_MEM_SIGN, swap = (insn->aux & IR_MEM_SWAP) && log2;
    if (swap) {
        if (log2 == 1) {
            emit_rm(&e->a, 0xb7 | OP_0F, dst, m);
            swap_register(e, dst, 1);
        } else if (e->features & HOST_MOVBE) {
            emit_rm(&e->a, 0xf0 | OP_0F38 | (log2 == 3 ? OP_W : 0), dst, m);
        } else {
            emit_load(&e->a, log2 == 3 ? OP_W : 0, dst, m);
            swap_register(e, dst, log2);
        }
        if (sign && log2 == 1)
            emit_rr(&e->a, 0xbf | OP_0F | w, dst, dst);
        else if (sign && log2 == 2 && w)
            emit_rr(&e->a, 0x63 | OP_W, dst, dst);
        return;
    }
    switch (log2) {
    case 0:
        emit_rm(&e->a, sign ? 0xbe | OP_0F | w : 0xb6 | OP_0F, dst, m);
        break;
    case 1:
        emit_rm(&e->a, sign ? 0xbf | OP_0F | w : 0xb7 | OP_0F, dst, m);
        break;
    case 2:
        emit_rm(&e->a, sign && w ? 0x63 | OP_W : 0x8b, dst, m);
        break;
    default:
        emit_load(&e->a, w, dst, m);
        break;
    }
}

/* pinsrq or movd/movq between the files */
static void move_to_xmm(struct emit *e, unsigned w, unsigned xmm, unsigned reg)
{
    emit_sse_rr(&e->a, 0x6e | OP_0F | OP_66 | w, xmm, reg);
}

static void move_from_xmm(struct emit *e, unsigned w, unsigned reg, unsigned xmm)
{
    emit_sse_rr(&e->a, 0x7e | OP_0F | OP_66 | w, xmm, reg);
}

static unsigned swapped_load(struct emit *e, unsigned w, unsigned temp, struct mem m)
{
    emit_load(&e->a, w, temp, m);
    swap_register(e, temp, w ? 3 : 2);
    return temp;
}

/* All 16 bytes the other way round (pshufb). */
static void reverse_vector(struct emit *e, unsigned dst, unsigned src)
{
    pool_operand(e, UINT64_C(0x08090a0b0c0d0e0f), UINT64_C(0x0001020304050607),
                 0x00 | OP_0F38 | OP_66, dst, src);
}

/* temp: a general register that may be destroyed (may be the base of m) */
static void load_vector(struct emit *e, const struct ir_insn *insn, unsigned dst, struct mem m,
                        unsigned temp)
{
    unsigned log2 = insn->aux & IR_MEM_SIZE;
    bool swap = insn->aux & IR_MEM_SWAP;
    if (swap && log2 == 4) {
        emit_sse_rm(&e->a, 0x10 | OP_0F, dst, m);
        reverse_vector(e, dst, dst);
        return;
    }
    if (swap) {
        unsigned w = log2 == 3 ? OP_W : 0;
        move_to_xmm(e, w, dst, swapped_load(e, w, temp, m));
        return;
    }
    if (log2 == 2)
        emit_sse_rm(&e->a, 0x10 | OP_0F | OP_F3, dst, m);
    else if (log2 == 3)
        emit_sse_rm(&e->a, 0x7e | OP_0F | OP_F3, dst, m);
    else
        emit_sse_rm(&e->a, 0x10 | OP_0F, dst, m);
}

static bool is_integer_type(unsigned type)
{
    return type == IR_I32 || type == IR_I64;
}

void emit_memory_load(struct emit *e, const struct ir_insn *insn)
{
    bool general = is_integer_type(insn->type);
    struct access x = prepare_grouped(e, insn, SLOW_LOAD, false);
    unsigned temp = x.group && !general && (insn->aux & IR_MEM_SWAP) ? alloc_temp(e) : x.entry;
    end_uses(e);
    unsigned dst = general ? def_reg(e, x.group ? NO_REG : x.entry, 0) : def_xmm(e, NO_REG, 0);
    begin_grouped(e, insn, &x);
    if (general)
        load_integer(e, insn, dst, access_mem(&x));
    else
        load_vector(e, insn, dst, access_mem(&x), temp);
    x.cold->desc.result = (uint8_t)dst;
    end_access(e, &x);
}

static void store_integer(struct emit *e, unsigned memop, struct mem m, unsigned reg, unsigned temp)
{
    unsigned log2 = memop & IR_MEM_SIZE;
    bool swap = (memop & IR_MEM_SWAP) && log2;
    static const uint32_t opcode[4] = {0x88 | OP_BYTE, 0x89 | OP_16, 0x89, 0x89 | OP_W};
    if (swap && (e->features & HOST_MOVBE)) {
        static const uint32_t movbe[4] = {0, 0xf1 | OP_0F38 | OP_16, 0xf1 | OP_0F38,
                                          0xf1 | OP_0F38 | OP_W};
        emit_rm(&e->a, movbe[log2], reg, m);
        return;
    }
    if (swap) {
        emit_mov_rr(&e->a, OP_W, temp, reg);
        swap_register(e, temp, log2);
        reg = temp;
    }
    emit_rm(&e->a, opcode[log2], reg, m);
}

static void store_vector(struct emit *e, unsigned memop, struct mem m, unsigned reg, unsigned temp)
{
    unsigned log2 = memop & IR_MEM_SIZE;
    if ((memop & IR_MEM_SWAP) && log2 == 4) {
        reverse_vector(e, temp, reg);
        emit_sse_rm(&e->a, 0x11 | OP_0F, temp, m);
        return;
    }
    if (memop & IR_MEM_SWAP) {
        move_from_xmm(e, log2 == 3 ? OP_W : 0, temp, reg);
        swap_register(e, temp, log2);
        emit_store(&e->a, log2 == 3 ? OP_W : 0, m, temp);
        return;
    }
    if (log2 == 2)
        emit_sse_rm(&e->a, 0x11 | OP_0F | OP_F3, reg, m);
    else if (log2 == 3)
        emit_sse_rm(&e->a, 0xd6 | OP_0F | OP_66, reg, m);
    else
        emit_sse_rm(&e->a, 0x11 | OP_0F, reg, m);
}

static bool needs_swap_temp(struct emit *e, const struct ir_insn *insn, unsigned type)
{
    if (!(insn->aux & IR_MEM_SWAP) || !(insn->aux & IR_MEM_SIZE))
        return false;
    return !is_integer_type(type) || !(e->features & HOST_MOVBE);
}

static void store_constant(struct emit *e, unsigned log2, struct mem m, int32_t value)
{
    static const uint8_t bytes[4] = {1, 2, 4, 4};
    static const uint32_t opcode[4] = {0xc6, 0xc7 | OP_16, 0xc7, 0xc7 | OP_W};
    emit_rm_imm(&e->a, opcode[log2], 0, m, bytes[log2]);
    for (unsigned k = 0; k < bytes[log2]; k++)
        put8(&e->a, (uint8_t)((uint32_t)value >> k * 8));
}

/* Registers that a fault of the access takes values from, the last who want them perhaps. */
static uint32_t pending_registers(const struct emit *e, const struct cold *cold)
{
    uint32_t registers = 0;
    for (unsigned k = 0; k < cold->n_pending; k++) {
        const struct pending_place *place = &e->pending[cold->pending_first + k];
        if (place->value.kind == PLACE_REG)
            registers |= 1u << place->value.what;
        if (place->other.kind == PLACE_REG)
            registers |= 1u << place->other.what;
    }
    return registers;
}

/* What the cold stub needs to do a member's access alone, with a register for the address: best one
 * that holds nothing. */
static void note_member(struct emit *e, struct access *x)
{
    const struct ir_insn *insn = &e->u->insns[e->here];
    struct cold *cold = x->cold;
    unsigned type = insn->op == IR_STORE ? e->u->insns[insn->arg[1]].type : insn->type;
    uint32_t taken = 1u << x->entry | 1u << x->address;
    uint32_t held = pending_registers(e, cold);
    if ((insn->aux & IR_MEM_SWAP) && !is_integer_type(type))
        return;
    if (cold->desc.value < XMM_BASE)
        taken |= 1u << cold->desc.value;
    cold->temp = (uint8_t)__builtin_ctz(TEMP_MASK & ~taken);
    cold->temp_used = true;
    for (unsigned r = 0; r < 16; r++) {
        if ((TEMP_MASK & ~taken & ~held) >> r & 1 && (!e->reg_value[r] || r == cold->desc.result)) {
            cold->temp = (uint8_t)r;
            cold->temp_used = false;
        }
    }
    cold->op = e->here;
    cold->member = true;
    cold->entry = (uint8_t)x->entry;
}

/* Where the check of a group has failed, as on two pages: the one access, checked like any other.
 * Its pointer's register is free, and 0 again in the end. */
void cold_member(struct emit *e, const struct cold *cold)
{
    const struct ir_insn *insn = &e->u->insns[cold->op];
    const struct slow_desc *d = &cold->desc;
    struct access x = {.address = cold->temp,
                       .entry = cold->entry,
                       .write = insn->op == IR_STORE,
                       .w = e->u->wide_address ? OP_W : 0};
    unsigned mask = MAX(memop_size(insn->aux), memop_align(insn->aux)) - 1;
    struct mem saved = mem_at(RSP, FRAME_SCRATCH);
    uint8_t *slow[3] = {NULL};
    if (cold->temp_used)
        emit_store(&e->a, OP_W, saved, cold->temp);
    emit_lea(&e->a, x.w, x.address, mem_at(d->address, (int32_t)d->constant));
    load_entry(e, &x, x.write);
    if (mask) {
        emit_test_ri(&e->a, 0, x.address, (int32_t)mask, false);
        slow[0] = emit_jcc(&e->a, CC_NE);
    }
    emit_test_rr(&e->a, OP_W, x.entry, x.entry);
    slow[1] = emit_jcc(&e->a, CC_E);
    emit_alu_rr(&e->a, OP_W, ALU_ADD, x.entry, x.address);
    if (x.w) {
        emit_mov_rr(&e->a, OP_W, x.address, x.entry);
        emit_shift_i(&e->a, OP_W, SHIFT_SHR, x.address, TLB_WIDE_BITS - 1);
        slow[2] = emit_jcc(&e->a, CC_NE);
    }
    if (cold->temp_used)
        emit_load(&e->a, OP_W, cold->temp, saved);
    struct mem m = mem_at(x.entry, 0);
    if (insn->op == IR_LOAD && is_integer_type(insn->type))
        load_integer(e, insn, d->result, m);
    else if (insn->op == IR_LOAD)
        load_vector(e, insn, d->result, m, x.entry);
    else if (d->value == NO_REG)
        store_constant(e, insn->aux & IR_MEM_SIZE, m, d->imm);
    else if (d->value < XMM_BASE)
        store_integer(e, insn->aux, m, d->value, NO_REG);
    else
        store_vector(e, insn->aux, m, d->value, NO_REG);
    emit_mov_imm(&e->a, x.entry, 0);
    bind_to(emit_jmp(&e->a), cold->back);
    for (unsigned k = 0; k < ARRAY_SIZE(slow); k++)
        if (slow[k])
            bind_here(&e->a, slow[k]);
    if (cold->temp_used)
        emit_load(&e->a, OP_W, cold->temp, saved);
}

/* A constant an immediate can express, for the size stored. */
static bool storable_constant(struct emit *e, const struct ir_insn *insn, ir_ref ref,
                              int32_t *value)
{
    uint64_t constant;
    unsigned log2 = insn->aux & IR_MEM_SIZE;
    unsigned type = e->u->insns[ref].type;
    if ((insn->aux & IR_MEM_SWAP) || log2 > 3 || !is_integer_type(type) ||
        !is_constant(e, ref, &constant) || e->value[ref].reg != NO_REG)
        return false;
    if (log2 == 3 && (int64_t)constant != (int32_t)constant)
        return false;
    *value = (int32_t)constant;
    return true;
}

void emit_memory_store(struct emit *e, const struct ir_insn *insn)
{
    ir_ref value = insn->arg[1];
    unsigned type = e->u->insns[value].type, reg = NO_REG, temp = NO_REG;
    bool general = is_integer_type(type);
    int32_t constant = 0;
    if (!storable_constant(e, insn, value, &constant))
        reg = general ? use_gpr(e, value) : use_xmm(e, value);
    if (needs_swap_temp(e, insn, type))
        temp = (insn->aux & IR_MEM_SIZE) == 4 ? alloc_xmm(e) : alloc_temp(e);
    struct access x = prepare_grouped(e, insn, SLOW_STORE, true);
    begin_grouped(e, insn, &x);
    x.cold->desc.type = (uint8_t)type;
    x.cold->desc.value = (uint8_t)reg;
    x.cold->desc.imm = constant;
    if (reg == NO_REG)
        store_constant(e, insn->aux & IR_MEM_SIZE, access_mem(&x), constant);
    else if (general)
        store_integer(e, insn->aux, access_mem(&x), reg, temp);
    else
        store_vector(e, insn->aux, access_mem(&x), reg, temp);
    end_access(e, &x);
    end_uses(e);
}

/* ---- one check for several accesses ---------------------------------------------------------- */

/* One element of at most 8 bytes is checked like a load. */
static void check_probe(struct emit *e, const struct ir_insn *insn, struct access *x)
{
    bool element = insn->sub == memop_size(insn->aux) && insn->sub <= 8;
    if (!element)
        check_range(e, x, insn->sub, (insn->aux & IR_MEM_ALIGN) >> 6);
    get_entry(e, x);
    if (element)
        check_alignment(e, insn, x);
    x->cold->access = e->a.p;
    check_entry(e, x);
}

void emit_probe(struct emit *e, const struct ir_insn *insn)
{
    bool write = insn->aux & IR_MEM_WRITE, x87 = x87_begin_fused(e, insn);
    struct access x = prepare_access(e, insn, SLOW_PROBE, write, false);
    check_probe(e, insn, &x);
    if (x.address != NO_REG) {
        emit_alu_rr(&e->a, OP_W, ALU_ADD, x.entry, x.address);
        if (x.w && !x87) /* test byte [entry], al: what the address is worth shows now */
            emit_rm(&e->a, 0x84 | OP_BYTE, RAX, mem_at(x.entry, 0));
    } else
        emit_alu_ri(&e->a, OP_W, ALU_ADD, x.entry, (int32_t)x.constant);
    if (x87)
        x87_end_fused(e, x.cold, x.entry);
    end_uses(e);
    def_in(e, x.entry);
    x.cold->desc.result = (uint8_t)x.entry;
    x.cold->desc.length = insn->sub;
    end_access(e, &x);
}

void emit_commit(struct emit *e, const struct ir_insn *insn)
{
    /* The address is wanted in the cold stub only, with the displacement. */
    unsigned pointer = use_gpr(e, insn->arg[0]);
    struct cold *cold;
    uint64_t constant;
    unsigned address = NO_REG;
    bool fixed = is_constant(e, insn->arg[1], &constant) &&
                 (!e->u->wide_address || constant + insn->imm <= UINT32_MAX);
    if (!fixed)
        address = use_gpr(e, insn->arg[1]);
    unsigned temp = alloc_temp(e);
    cold = add_memory_cold(e, insn, SLOW_COMMIT);
    cold->desc.value = (uint8_t)pointer;
    cold->desc.length = insn->sub;
    cold->desc.address = (uint8_t)address;
    cold->desc.constant = fixed ? (uint32_t)(constant + insn->imm) : 0;
    cold->desc.imm = fixed ? 0 : (int32_t)insn->imm;
    emit_lea(&e->a, OP_W, temp, run_mem(e, offsetof(struct run_state, bounce)));
    emit_alu_rr(&e->a, OP_W, ALU_CMP, pointer, temp);
    cold_from(cold, emit_jcc(&e->a, CC_E));
    groups_note(e, cold, NULL);
    cold->back = e->a.p;
    cold->xmm_live = e->vector_used != 0;
    end_uses(e);
}

void emit_hload(struct emit *e, const struct ir_insn *insn)
{
    unsigned pointer = use_gpr(e, insn->arg[0]);
    struct mem m = mem_at(pointer, (int32_t)insn->imm);
    if (is_integer_type(insn->type)) {
        end_uses(e);
        load_integer(e, insn, def_reg(e, pointer, 0), m);
        return;
    }
    unsigned temp = NO_REG;
    if (insn->aux & IR_MEM_SWAP)
        temp = alloc_temp(e);
    end_uses(e);
    load_vector(e, insn, def_xmm(e, NO_REG, 0), m, temp);
}

void emit_hstore(struct emit *e, const struct ir_insn *insn)
{
    ir_ref value = insn->arg[1];
    unsigned type = e->u->insns[value].type, temp = NO_REG;
    unsigned pointer = use_gpr(e, insn->arg[0]);
    struct mem m = mem_at(pointer, (int32_t)insn->imm);
    int32_t constant;
    if (storable_constant(e, insn, value, &constant)) {
        store_constant(e, insn->aux & IR_MEM_SIZE, m, constant);
        end_uses(e);
        return;
    }
    unsigned reg = is_integer_type(type) ? use_gpr(e, value) : use_xmm(e, value);
    if (needs_swap_temp(e, insn, type))
        temp = (insn->aux & IR_MEM_SIZE) == 4 ? alloc_xmm(e) : alloc_temp(e);
    if (is_integer_type(type))
        store_integer(e, insn->aux, m, reg, temp);
    else
        store_vector(e, insn->aux, m, reg, temp);
    end_uses(e);
}

/* ---- atomics
 * --------------------------------------------------------------------------------------------
 */

/* The old value, in the size of the access, made a value of the insn's type. */
static void extend_result(struct emit *e, const struct ir_insn *insn, unsigned reg)
{
    unsigned log2 = insn->aux & IR_MEM_SIZE, w = op_w(insn->type);
    bool sign = insn->aux & IR_MEM_SIGN;
    if (log2 == 0)
        emit_rr(&e->a, (sign ? 0xbe | w : 0xb6) | OP_0F | OP_BYTE_RM, reg, reg);
    else if (log2 == 1)
        emit_rr(&e->a, (sign ? 0xbf | w : 0xb7) | OP_0F, reg, reg);
    else if (log2 == 2 && w)
        emit_rr(&e->a, sign ? 0x63 | OP_W : 0x8b, reg, reg);
}

static uint32_t sized(uint32_t byte_opcode, uint32_t opcode, unsigned log2)
{
    if (log2 == 0)
        return byte_opcode | OP_BYTE;
    return opcode | (log2 == 1 ? OP_16 : log2 == 3 ? OP_W : 0);
}

static void take_result_register(struct emit *e, ir_ref value)
{
    const struct value *v = &e->value[value];
    if (v->reg == RAX && is_dying(e, value) && !is_pending_value(e, &e->u->insns[e->here], value))
        e->locked |= 1u << RAX;
    else
        alloc_take(e, RAX);
}

/* With one vCPU an instruction is atomic for the guest as it is; a lock costs 15 times as much. */
static unsigned lock_prefix(const struct emit *e)
{
    return e->s->env.one_vcpu ? 0 : OP_LOCK;
}

void emit_cas(struct emit *e, const struct ir_insn *insn)
{
    unsigned log2 = insn->aux & IR_MEM_SIZE;
    take_result_register(e, insn->arg[1]);
    use_into(e, insn->arg[1], RAX);
    unsigned value = use_gpr(e, insn->arg[2]);
    struct access x = prepare_access(e, insn, SLOW_CAS, true, true);
    begin_access(e, insn, &x);
    /* rax is part of what the cold stub reads: it is loaded before any check
     * could leave. */
    x.cold->desc.value = RAX;
    x.cold->desc.extra = (uint8_t)value;
    x.cold->desc.result = RAX;
    emit_rm(&e->a, sized(0xb0, 0xb1, log2) | OP_0F | lock_prefix(e), value, access_mem(&x));
    extend_result(e, insn, RAX);
    end_uses(e);
    if (e->reg_value[RAX])
        e->failed = true;
    def_in(e, RAX);
    end_access(e, &x);
}

static void emit_rmw_loop(struct emit *e, const struct ir_insn *insn, const struct access *x,
                          unsigned operand)
{
    static const uint8_t alu[] = {0, 0, ALU_AND, ALU_OR, ALU_XOR};
    unsigned log2 = insn->aux & IR_MEM_SIZE, w = log2 == 3 ? OP_W : 0, next = x->address;
    emit_alu_rr(&e->a, OP_W, ALU_ADD, x->entry, x->address);
    emit_rm(&e->a, sized(0x8a, 0x8b, log2), RAX, mem_at(x->entry, 0));
    uint8_t *again = e->a.p;
    emit_mov_rr(&e->a, w, next, RAX);
    emit_alu_rr(&e->a, w, (enum alu)alu[insn->sub], next, operand);
    emit_rm(&e->a, sized(0xb0, 0xb1, log2) | OP_0F | OP_LOCK, next, mem_at(x->entry, 0));
    bind_to(emit_jcc(&e->a, CC_NE), again);
}

/* The old value, then the operation on memory. */
static void emit_rmw_plain(struct emit *e, const struct ir_insn *insn, const struct access *x,
                           unsigned operand)
{
    static const uint8_t opcodes[] = {[IR_RMW_XCHG] = 0x88,
                                      [IR_RMW_ADD] = ALU_ADD << 3,
                                      [IR_RMW_AND] = ALU_AND << 3,
                                      [IR_RMW_OR] = ALU_OR << 3,
                                      [IR_RMW_XOR] = ALU_XOR << 3};
    unsigned log2 = insn->aux & IR_MEM_SIZE, opcode = opcodes[insn->sub];

    emit_rm(&e->a, sized(0x8a, 0x8b, log2), RAX, access_mem(x));
    emit_rm(&e->a, sized(opcode, opcode + 1, log2), operand, access_mem(x));
}

void emit_rmw(struct emit *e, const struct ir_insn *insn)
{
    unsigned log2 = insn->aux & IR_MEM_SIZE;
    alloc_take(e, RAX);
    unsigned operand = use_gpr(e, insn->arg[1]);
    struct access x = prepare_access(e, insn, SLOW_RMW, true, true);
    begin_access(e, insn, &x);
    x.cold->desc.value = (uint8_t)operand;
    x.cold->desc.extra = insn->sub;
    x.cold->desc.result = RAX;
    if (e->s->env.one_vcpu) {
        emit_rmw_plain(e, insn, &x, operand);
    } else if (insn->sub == IR_RMW_XCHG || insn->sub == IR_RMW_ADD) {
        bool add = insn->sub == IR_RMW_ADD;
        emit_mov_rr(&e->a, OP_W, RAX, operand);
        uint32_t opcode = add ? sized(0xc0, 0xc1, log2) | OP_0F | OP_LOCK : sized(0x86, 0x87, log2);
        emit_rm(&e->a, opcode, RAX, access_mem(&x));
    } else {
        emit_rmw_loop(e, insn, &x, operand);
    }
    extend_result(e, insn, RAX);
    end_uses(e);
    def_in(e, RAX);
    end_access(e, &x);
}

void emit_fence(struct emit *e, const struct ir_insn *insn)
{
    static const uint8_t lock_or_stack[] = {0xf0, 0x83, 0x4c, 0x24, 0xf8, 0x00};
    memcpy(e->a.p, lock_or_stack, sizeof(lock_or_stack)); /* cheaper than mfence, same order */
    e->a.p += sizeof(lock_or_stack);
}
