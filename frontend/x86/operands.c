/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operands of x86 instructions as IR: registers, addresses with their segments, memory, the stack.
 * Where the key does not say that a segment is flat, a helper checks it and adds its base.
 */
#include "frontend/x86/translate.h"
#include "util/log.h"

static bool is_wide(struct xlat *x)
{
    return x86_xlat(x)->wide;
}

static unsigned log2_of(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

/* ---- values ---------------------------------------------------------------------------------- */

ir_ref x86_constant(struct xlat *x, unsigned size, uint64_t value)
{
    if (size == 8)
        return ir_i64(&x->b, value);
    return ir_i32(&x->b, (uint32_t)extract64(value, 0, 8 * size));
}

ir_ref x86_address_constant(struct xlat *x, uint64_t value)
{
    return is_wide(x) ? ir_i64(&x->b, value) : ir_i32(&x->b, (uint32_t)value);
}

ir_ref x86_extend(struct xlat *x, ir_ref value, unsigned from, unsigned to, bool sign)
{
    struct ir_builder *b = &x->b;

    if (from >= to)
        return x86_truncate(x, value, from, to);
    if (sign && from < 4)
        value = ir_ext(b, IR_SEXT, value, 8 * from);
    if (to == 8)
        return ir_un(b, sign ? IR_WIDEN_S : IR_WIDEN_U, value);
    return sign && to == 2 ? ir_ext(b, IR_ZEXT, value, 16) : value;
}

ir_ref x86_truncate(struct xlat *x, ir_ref value, unsigned from, unsigned to)
{
    if (from <= to)
        return value;
    if (from == 8)
        value = ir_un(&x->b, IR_NARROW, value);
    return to < 4 ? ir_ext(&x->b, IR_ZEXT, value, 8 * to) : value;
}

ir_ref x86_from_address(struct xlat *x, ir_ref address, unsigned size)
{
    if (is_wide(x))
        return x86_truncate(x, address, 8, size);
    return size == 8 ? ir_un(&x->b, IR_WIDEN_U, address) : x86_truncate(x, address, 4, size);
}

ir_ref x86_to_address(struct xlat *x, ir_ref value, unsigned size)
{
    if (is_wide(x))
        return size == 8 ? value : ir_un(&x->b, IR_WIDEN_U, value);
    return size == 8 ? ir_un(&x->b, IR_NARROW, value) : value;
}

/* ---- registers ------------------------------------------------------------------------------- */

/* The low half of a register, whole. */
static ir_ref gpr32(struct xlat *x, unsigned reg)
{
    ir_ref whole = ir_get(&x->b, F_R0 + reg);

    return is_wide(x) ? ir_un(&x->b, IR_NARROW, whole) : whole;
}

ir_ref x86_gpr(struct xlat *x, unsigned reg, unsigned size)
{
    struct ir_builder *b = &x->b;

    if (size == 8)
        return is_wide(x) ? ir_get(b, F_R0 + reg) : ir_un(b, IR_WIDEN_U, gpr32(x, reg));
    return size == 4 ? gpr32(x, reg) : ir_ext(b, IR_ZEXT, gpr32(x, reg), 8 * size);
}

/* Bits start.. of a register, the others stay. */
static void deposit_gpr(struct xlat *x, unsigned reg, unsigned start, unsigned length, ir_ref value)
{
    struct ir_builder *b = &x->b;

    if (is_wide(x))
        value = ir_un(b, IR_WIDEN_U, value);
    ir_set(b, F_R0 + reg, ir_deposit(b, ir_get(b, F_R0 + reg), value, start, length));
}

void x86_set_gpr(struct xlat *x, unsigned reg, unsigned size, ir_ref value)
{
    struct ir_builder *b = &x->b;

    if (size < 4)
        deposit_gpr(x, reg, 0, 8 * size, value);
    else if (is_wide(x))
        ir_set(b, F_R0 + reg, size == 8 ? value : ir_un(b, IR_WIDEN_U, value));
    else
        ir_set(b, F_R0 + reg, size == 8 ? ir_un(b, IR_NARROW, value) : value);
}

ir_ref x86_wrap_address(struct xlat *x, ir_ref address, unsigned address_size)
{
    if (address_size == (is_wide(x) ? 8 : 4))
        return address;
    return ir_ext(&x->b, IR_ZEXT, address, 8 * address_size);
}

ir_ref x86_address_register(struct xlat *x, unsigned reg, unsigned address_size)
{
    return x86_wrap_address(x, ir_get(&x->b, F_R0 + reg), address_size);
}

void x86_set_address_register(struct xlat *x, unsigned reg, unsigned address_size, ir_ref value)
{
    struct ir_builder *b = &x->b;

    if (address_size == 2)
        ir_set(b, F_R0 + reg, ir_deposit(b, ir_get(b, F_R0 + reg), value, 0, 16));
    else
        ir_set(b, F_R0 + reg, x86_wrap_address(x, value, address_size));
}

/* ---- effective addresses --------------------------------------------------------------------- */

/* base + index * scale + displacement, as an I64 or an I32. */
static ir_ref address_sum(struct xlat *x, const struct x86_insn *insn, bool in64)
{
    struct ir_builder *b = &x->b;
    uint64_t displacement = (uint64_t)insn->displacement;
    ir_ref sum = IR_NONE, index;

    if (insn->base == REG_RIP)
        displacement += x86_xlat(x)->next_pc;
    else if (insn->base != REG_NONE)
        sum = in64 ? ir_get(b, F_R0 + insn->base) : gpr32(x, insn->base);
    if (insn->index != REG_NONE) {
        index = in64 ? ir_get(b, F_R0 + insn->index) : gpr32(x, insn->index);
        if (insn->scale > 1)
            index = ir_bin_i(b, IR_SHL, index, log2_of(insn->scale));
        sum = sum != IR_NONE ? ir_bin(b, IR_ADD, sum, index) : index;
    }
    if (sum == IR_NONE)
        return in64 ? ir_i64(b, displacement) : ir_i32(b, (uint32_t)displacement);
    return displacement ? ir_bin_i(b, IR_ADD, sum, displacement) : sum;
}

ir_ref x86_effective_address(struct xlat *x, const struct x86_insn *insn)
{
    ir_ref sum = address_sum(x, insn, insn->address_size == 8);

    if (insn->address_size == 8)
        return sum;
    if (insn->address_size == 2)
        sum = ir_ext(&x->b, IR_ZEXT, sum, 16);
    return is_wide(x) ? ir_un(&x->b, IR_WIDEN_U, sum) : sum;
}

/* ---- segments -------------------------------------------------------------------------------- */

/* SDM vol. 3, 5.3 and 5.5: limits, and the types that may be read and written. */
bool x86_segment_allows(const struct x86_cpu *cpu, unsigned segment, uint32_t offset, unsigned size,
                        bool write)
{
    const struct x86_segment *s = &cpu->segment[segment];
    uint64_t last = (uint64_t)offset + size - 1;
    bool code = s->attributes & ATTR_CODE;

    if (cpu->v.run.key & KEY_PROTECTED) {
        if (s->attributes & ATTR_UNUSABLE || !(s->attributes & ATTR_P))
            return false;
        if (write ? code || !(s->attributes & ATTR_WRITABLE)
                  : code && !(s->attributes & ATTR_READABLE))
            return false;
    }
    if (!code && s->attributes & ATTR_EXPAND_DOWN)
        return offset > s->limit && last <= (s->attributes & ATTR_DB ? UINT32_MAX : 0xffff);
    return last <= s->limit;
}

uint32_t x86_segment_linear(struct x86_cpu *cpu, unsigned segment, uint32_t offset, unsigned size,
                            bool write)
{
    if (UNLIKELY(!x86_segment_allows(cpu, segment, offset, size, write)))
        x86_raise(cpu, segment == SEG_SS ? EXC_SS : EXC_GP, 0);
    return (uint32_t)(cpu->segment[segment].base + offset);
}

/* what: segment, bit 3 write, size << 8 */
static uint32_t segment_linear(struct x86_cpu *cpu, uint32_t offset, uint32_t what)
{
    return x86_segment_linear(cpu, what & 7, offset, what >> 8, what & 8);
}

static const struct ir_helper helper_segment_linear =
    IR_HELPER(segment_linear, IR_I32, 2, HELPER_MAY_FAULT, GROUP_SEGMENTS, 0);

/* Base 0, no limit, and every access allowed? */
static bool is_flat(struct xlat *x, unsigned segment)
{
    const struct x86_xlat *xx = x86_xlat(x);

    if (segment == SEG_FS || segment == SEG_GS)
        return false;
    if (xx->code64)
        return true;
    return segment != SEG_CS && xx->key & KEY_DATA_FLAT; /* CS: it may not be readable */
}

ir_ref x86_linear_at(struct xlat *x, unsigned segment, ir_ref offset, unsigned address_size,
                     unsigned size, bool write)
{
    const struct x86_xlat *xx = x86_xlat(x);
    struct ir_builder *b = &x->b;
    ir_ref linear;

    if (is_flat(x, segment))
        return offset;
    if (segment >= SEG_FS && xx->key & (segment == SEG_FS ? KEY_FS_OPEN : KEY_GS_OPEN)) {
        linear = ir_bin(b, IR_ADD, ir_get(b, F_BASE0 + segment), offset);
        return xx->code64 ? linear : x86_wrap_address(x, linear, 4);
    }
    linear = ir_call(b, &helper_segment_linear, x86_from_address(x, offset, 4),
                     ir_i32(b, segment | (write ? 8 : 0) | size << 8), IR_NONE, IR_NONE);
    return x86_to_address(x, linear, 4);
}

ir_ref x86_linear(struct xlat *x, const struct x86_insn *insn, unsigned size, bool write)
{
    return x86_linear_at(x, insn->segment, x86_effective_address(x, insn), insn->address_size, size,
                         write);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void check_data_break(struct x86_cpu *cpu, uint64_t linear, uint32_t what)
{
    x86_check_data_break(cpu, linear, what >> 1, what & 1);
}

static const struct ir_helper helper_check_data_break =
    IR_HELPER(check_data_break, IR_VOID, 2, HELPER_MAY_FAULT, 0, 0);

/* After an access: is there a data breakpoint on it? */
static void watch(struct xlat *x, ir_ref linear, int64_t displacement, unsigned size, bool write)
{
    struct ir_builder *b = &x->b;

    if (LIKELY(!(x86_xlat(x)->key & KEY_DATA_BREAK)))
        return;
    if (displacement)
        linear = ir_bin_i(b, IR_ADD, linear, (uint64_t)displacement);
    if (!is_wide(x))
        linear = ir_un(b, IR_WIDEN_U, linear);
    ir_call(b, &helper_check_data_break, linear, ir_i32(b, size << 1 | write), IR_NONE, IR_NONE);
}

unsigned x86_memop(struct xlat *x, unsigned size)
{
    unsigned log2 = log2_of(size);

    return log2 | (UNLIKELY(x86_xlat(x)->key & KEY_ALIGN) ? IR_MEM_ALIGN_OF(log2) : 0);
}

ir_ref x86_load(struct xlat *x, ir_ref linear, int64_t displacement, unsigned size)
{
    ir_ref value = ir_load(&x->b, x86_value_type(size), linear, displacement, x86_memop(x, size));

    watch(x, linear, displacement, size, false);
    return value;
}

void x86_store(struct xlat *x, ir_ref linear, int64_t displacement, unsigned size, ir_ref value)
{
    ir_store(&x->b, linear, displacement, value, x86_memop(x, size));
    watch(x, linear, displacement, size, true);
}

static unsigned memop128(struct xlat *x, bool aligned)
{
    bool checked = x86_xlat(x)->key & KEY_ALIGN;

    return 4 | (aligned ? IR_MEM_ALIGN_OF(4) | IR_MEM_EXCLUSIVE : checked ? IR_MEM_ALIGN_OF(4) : 0);
}

ir_ref x86_load128(struct xlat *x, ir_ref linear, int64_t displacement, bool aligned)
{
    ir_ref value = ir_load(&x->b, IR_V128, linear, displacement, memop128(x, aligned));

    watch(x, linear, displacement, 16, false);
    return value;
}

void x86_store128(struct xlat *x, ir_ref linear, int64_t displacement, ir_ref value, bool aligned)
{
    ir_store(&x->b, linear, displacement, value, memop128(x, aligned));
    watch(x, linear, displacement, 16, true);
}

/* The largest element that divides the length, and the alignment it asks for: SDM vol. 3, table
 * 6-7 (an 80-bit number is aligned to 8). */
static unsigned probe_memop(struct xlat *x, unsigned length, bool write)
{
    unsigned element = log2_of(length), align = length == 10 ? 3 : element;

    return element | (write ? IR_MEM_WRITE | IR_MEM_READ : 0) |
           (UNLIKELY(x86_xlat(x)->key & KEY_ALIGN) ? IR_MEM_ALIGN_OF(align) : 0);
}

ir_ref x86_probe(struct xlat *x, ir_ref linear, unsigned length, bool write)
{
    ir_ref pointer = ir_probe(&x->b, linear, 0, length, probe_memop(x, length, write));

    if (!write)
        watch(x, linear, 0, length, false);
    return pointer;
}

void x86_commit(struct xlat *x, ir_ref pointer, ir_ref linear, unsigned length)
{
    ir_commit(&x->b, pointer, linear, 0, length, probe_memop(x, length, true));
    watch(x, linear, 0, length, true);
}

ir_ref x86_rmw(struct xlat *x, enum ir_rmw what, ir_ref linear, unsigned size, ir_ref operand)
{
    ir_ref old = ir_rmw(&x->b, x86_value_type(size), what, linear, operand, x86_memop(x, size));

    watch(x, linear, 0, size, true);
    return old;
}

ir_ref x86_cas(struct xlat *x, ir_ref linear, unsigned size, ir_ref expected, ir_ref value)
{
    ir_ref old = ir_cas(&x->b, x86_value_type(size), linear, expected, value, x86_memop(x, size));

    watch(x, linear, 0, size, true);
    return old;
}

/* ---- operands -------------------------------------------------------------------------------- */

static ir_ref read_register(struct xlat *x, const struct x86_operand *o, bool low)
{
    if (o->high)
        return ir_extract(&x->b, gpr32(x, o->reg), 8, 8);
    return x86_gpr(x, o->reg, low && o->size < 4 ? 4 : o->size);
}

static ir_ref read_operand(struct xlat *x, const struct x86_insn *insn, unsigned n, bool low)
{
    const struct x86_operand *o = &insn->operand[n];

    switch (o->kind) {
    case OPND_GPR:
        return read_register(x, o, low);
    case OPND_MEM:
        return x86_load(x, x86_linear(x, insn, o->size, false), 0, o->size);
    case OPND_IMM:
        return x86_constant(x, o->size, insn->imm);
    case OPND_IMM2:
        return x86_constant(x, o->size, insn->imm2);
    case OPND_SEGMENT:
        return ir_get(&x->b, F_SELECTOR0 + o->reg);
    default:
        BUG("operand %u of %s is no value", n, insn->row->name);
    }
}

ir_ref x86_read(struct xlat *x, const struct x86_insn *insn, unsigned n)
{
    return read_operand(x, insn, n, false);
}

ir_ref x86_read_low(struct xlat *x, const struct x86_insn *insn, unsigned n)
{
    return read_operand(x, insn, n, true);
}

void x86_write(struct xlat *x, const struct x86_insn *insn, unsigned n, ir_ref value)
{
    const struct x86_operand *o = &insn->operand[n];

    if (o->kind == OPND_MEM)
        x86_store(x, x86_linear(x, insn, o->size, true), 0, o->size, value);
    else if (o->kind != OPND_GPR)
        BUG("operand %u of %s cannot be written", n, insn->row->name);
    else if (o->high)
        deposit_gpr(x, o->reg, 8, 8, value);
    else
        x86_set_gpr(x, o->reg, o->size, value);
}

struct x86_place x86_place_at(struct xlat *x, ir_ref linear, unsigned size)
{
    unsigned memop = x86_memop(x, size) | IR_MEM_WRITE | IR_MEM_READ;

    return (struct x86_place){.size = (uint8_t)size,
                              .linear = linear,
                              .pointer = ir_probe(&x->b, linear, 0, size, memop)};
}

struct x86_place x86_place(struct xlat *x, const struct x86_insn *insn, unsigned n)
{
    const struct x86_operand *o = &insn->operand[n];
    struct x86_place place = {.size = o->size};

    if (o->kind == OPND_MEM)
        place = x86_place_at(x, x86_linear(x, insn, o->size, true), o->size);
    place.insn = insn;
    place.operand = (uint8_t)n;
    return place;
}

ir_ref x86_place_read(struct xlat *x, struct x86_place *place)
{
    if (place->pointer == IR_NONE)
        return x86_read_low(x, place->insn, place->operand);
    return ir_hload(&x->b, x86_value_type(place->size), place->pointer, 0, log2_of(place->size));
}

void x86_place_write(struct xlat *x, struct x86_place *place, ir_ref value)
{
    unsigned memop = x86_memop(x, place->size) | IR_MEM_WRITE | IR_MEM_READ;

    if (place->pointer == IR_NONE) {
        x86_write(x, place->insn, place->operand, value);
        return;
    }
    ir_hstore(&x->b, place->pointer, 0, value, log2_of(place->size));
    ir_commit(&x->b, place->pointer, place->linear, 0, place->size, memop);
    watch(x, place->linear, 0, place->size, true);
}

/* ---- the stack ------------------------------------------------------------------------------- */

unsigned x86_stack_size(struct xlat *x)
{
    const struct x86_xlat *xx = x86_xlat(x);

    return xx->code64 ? 8 : xx->key & KEY_STACK32 ? 4 : 2;
}

ir_ref x86_stack_pointer(struct xlat *x)
{
    return x86_address_register(x, RSP, x86_stack_size(x));
}

void x86_set_stack_pointer(struct xlat *x, ir_ref value)
{
    x86_set_address_register(x, RSP, x86_stack_size(x), value);
}

ir_ref x86_stack_add(struct xlat *x, ir_ref pointer, int64_t bytes)
{
    pointer = ir_bin_i(&x->b, IR_ADD, pointer, (uint64_t)bytes);
    return x86_wrap_address(x, pointer, x86_stack_size(x));
}

ir_ref x86_stack_load(struct xlat *x, ir_ref offset, unsigned size)
{
    return x86_load(x, x86_linear_at(x, SEG_SS, offset, x86_stack_size(x), size, false), 0, size);
}

void x86_stack_store(struct xlat *x, ir_ref offset, unsigned size, ir_ref value)
{
    x86_store(x, x86_linear_at(x, SEG_SS, offset, x86_stack_size(x), size, true), 0, size, value);
}

void x86_push(struct xlat *x, unsigned size, ir_ref value)
{
    ir_ref pointer = x86_stack_add(x, x86_stack_pointer(x), -(int64_t)size);

    x86_stack_store(x, pointer, size, value);
    x86_set_stack_pointer(x, pointer);
}

ir_ref x86_pop(struct xlat *x, unsigned size)
{
    ir_ref pointer = x86_stack_pointer(x);
    ir_ref value = x86_stack_load(x, pointer, size);

    x86_set_stack_pointer(x, x86_stack_add(x, pointer, size));
    return value;
}

/* ---- flags ----------------------------------------------------------------------------------- */

enum ir_cond x86_condition(unsigned tttn)
{
    static const uint8_t conditions[8] = {IR_V, IR_C, IR_Z, IR_C_OR_Z, IR_N, IR_P, IR_LT, IR_LE};

    return (enum ir_cond)(conditions[tttn >> 1] ^ (tttn & 1));
}
