/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IR's builder. Insns are appended to one array that is large enough for any unit and is not
 * cleared: the arena hands out the same memory unit after unit, and only what is used is touched.
 */
#include "tcg/ir.h"

#include <string.h>

#include "util/log.h"

/* The names ops.def uses, as enum ir_trait and enum ir_type. */
enum { PURE = IR_PURE, FAULT = IR_FAULT, END = IR_END, SIDE = IR_SIDE, IR_TYPE = IR_N_TYPES };

const struct ir_op_info ir_op_info[IR_N_OPS] = {
#define OP(op, args, result_type, trait_set)                                                       \
    [IR_##op] = {.name = #op, .n_args = (args), .result = IR_##result_type, .traits = (trait_set)},
#include "tcg/ops.def"
#undef OP
};

const char *const ir_type_name[IR_N_TYPES] = {
    [IR_VOID] = "void", [IR_I8] = "i8",       [IR_I16] = "i16", [IR_I32] = "i32",
    [IR_I64] = "i64",   [IR_F32] = "f32",     [IR_F64] = "f64", [IR_V64] = "v64",
    [IR_V128] = "v128", [IR_FLAGS] = "flags",
};

/* What a builder may fill: the passes need room to expand into. */
enum { MAX_BUILT = IR_MAX_INSNS / 2 };

unsigned ir_type_bytes(unsigned type)
{
    switch (type) {
    case IR_I8:
        return 1;
    case IR_I16:
    case IR_FLAGS:
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

enum ir_type ir_field_value_type(enum ir_type field_type)
{
    switch (field_type) {
    case IR_I8:
    case IR_I16:
        return IR_I32;
    case IR_V64:
        return IR_V128;
    default:
        return field_type;
    }
}

struct ir_unit *ir_unit_create(struct arena *arena, const struct state_field *fields,
                               unsigned n_fields)
{
    struct ir_unit *unit = arena_new(arena, struct ir_unit);
    unit->arena = arena;
    unit->fields = fields;
    unit->n_fields = n_fields;
    unit->insns = arena_alloc(arena, sizeof(*unit->insns) * IR_MAX_INSNS);
    unit->blocks = arena_alloc(arena, sizeof(*unit->blocks) * IR_MAX_BLOCKS);
    unit->vconst_high = arena_alloc(arena, sizeof(*unit->vconst_high) * IR_MAX_VCONSTS);
    memset(&unit->insns[0], 0, sizeof(unit->insns[0]));
    unit->n_insns = 1;
    return unit;
}

void ir_builder_begin(struct ir_builder *b, struct ir_unit *unit)
{
    memset(b, 0, sizeof(*b));
    b->unit = unit;
    b->block = IR_NO_BLOCK;
    unit->n_blocks = 1;
    unit->blocks[0] = (struct ir_block){(ir_ref)unit->n_insns, 0};
    b->block = 0;
}

void ir_builder_end(struct ir_builder *b)
{
    if (b->overflow)
        return;
    if (b->block != IR_NO_BLOCK)
        BUG("block %u has no end", b->block);
    for (unsigned i = 0; i < b->unit->n_blocks; i++) {
        if (!b->unit->blocks[i].last)
            BUG("block %u was created and never filled", i);
    }
}

unsigned ir_block_create(struct ir_builder *b)
{
    struct ir_unit *unit = b->unit;
    if (unit->n_blocks == IR_MAX_BLOCKS) {
        b->overflow = true;
        return IR_MAX_BLOCKS - 1;
    }
    unit->blocks[unit->n_blocks] = (struct ir_block){0, 0};
    return unit->n_blocks++;
}

void ir_block_begin(struct ir_builder *b, unsigned block)
{
    if (b->block != IR_NO_BLOCK)
        ir_br(b, block);
    if (b->overflow)
        return;
    if (block >= b->unit->n_blocks || b->unit->blocks[block].first)
        BUG("block %u begun twice or never created", block);
    b->unit->blocks[block].first = (ir_ref)b->unit->n_insns;
    b->block = block;
    ir_insn(b, b->insn_pc, b->insn_aux);
}

struct ir_mark ir_mark(const struct ir_builder *b)
{
    return (struct ir_mark){
        .block = b->block,
        .n_insns = b->unit->n_insns,
        .n_blocks = b->unit->n_blocks,
        .n_vconst = b->unit->n_vconst,
        .insn_pc = b->insn_pc,
        .insn_aux = b->insn_aux,
    };
}

void ir_rewind(struct ir_builder *b, const struct ir_mark *mark)
{
    b->block = mark->block;
    b->unit->blocks[mark->block].last = 0;
    b->unit->n_insns = mark->n_insns;
    b->unit->n_blocks = mark->n_blocks;
    b->unit->n_vconst = mark->n_vconst;
    b->insn_pc = mark->insn_pc;
    b->insn_aux = mark->insn_aux;
}

static struct ir_insn *append(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned sub,
                              uint32_t aux, uint64_t imm)
{
    struct ir_unit *unit = b->unit;
    if (UNLIKELY(b->block == IR_NO_BLOCK))
        return NULL; /* unreachable: after the block's end */
    if (UNLIKELY(unit->n_insns == MAX_BUILT)) {
        b->overflow = true;
        return NULL;
    }
    struct ir_insn *insn = &unit->insns[unit->n_insns];
    const struct ir_op_info *info = &ir_op_info[op];
    *insn = (struct ir_insn){
        .op = (uint8_t)op,
        .type = info->result == IR_N_TYPES ? (uint8_t)type : info->result,
        .sub = (uint8_t)sub,
        .aux = aux,
        .imm = imm,
    };
    if (info->traits & IR_END) {
        unit->blocks[b->block].last = (ir_ref)unit->n_insns;
        b->block = IR_NO_BLOCK;
    }
    unit->n_insns++;
    return insn;
}

static ir_ref ref_of(const struct ir_builder *b, const struct ir_insn *insn)
{
    return insn ? (ir_ref)(insn - b->unit->insns) : IR_NONE;
}

ir_ref ir_emit(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned sub, uint32_t aux,
               ir_ref a0, ir_ref a1, ir_ref a2, uint64_t imm)
{
    struct ir_insn *insn = append(b, op, type, sub, aux, imm);
    if (insn) {
        insn->arg[0] = a0;
        insn->arg[1] = a1;
        insn->arg[2] = a2;
    }
    return ref_of(b, insn);
}

void ir_insn(struct ir_builder *b, uint64_t pc, uint32_t aux)
{
    b->insn_pc = pc;
    b->insn_aux = aux;
    append(b, IR_INSN, IR_VOID, 0, aux, pc);
}

ir_ref ir_i32(struct ir_builder *b, uint32_t value)
{
    return ref_of(b, append(b, IR_CONST, IR_I32, 0, 0, value));
}

ir_ref ir_i64(struct ir_builder *b, uint64_t value)
{
    return ref_of(b, append(b, IR_CONST, IR_I64, 0, 0, value));
}

ir_ref ir_v128(struct ir_builder *b, uint64_t low, uint64_t high)
{
    struct ir_unit *unit = b->unit;
    if (unit->n_vconst == IR_MAX_VCONSTS) {
        b->overflow = true;
        return IR_NONE;
    }
    struct ir_insn *insn = append(b, IR_VCONST, IR_V128, 0, unit->n_vconst, low);
    if (insn)
        unit->vconst_high[unit->n_vconst++] = high;
    return ref_of(b, insn);
}

ir_ref ir_get(struct ir_builder *b, unsigned field)
{
    enum ir_type type = ir_field_value_type((enum ir_type)b->unit->fields[field].type);
    return ref_of(b, append(b, IR_GET, type, 0, field, 0));
}

void ir_set(struct ir_builder *b, unsigned field, ir_ref value)
{
    ir_emit(b, IR_SET, IR_VOID, 0, field, value, IR_NONE, IR_NONE, 0);
}

ir_ref ir_un(struct ir_builder *b, enum ir_op op, ir_ref a)
{
    return ir_emit(b, op, ir_type_of(b->unit, a), 0, 0, a, IR_NONE, IR_NONE, 0);
}

ir_ref ir_bin(struct ir_builder *b, enum ir_op op, ir_ref a, ir_ref c)
{
    return ir_emit(b, op, ir_type_of(b->unit, a), 0, 0, a, c, IR_NONE, 0);
}

ir_ref ir_bin_i(struct ir_builder *b, enum ir_op op, ir_ref a, uint64_t constant)
{
    bool shift = op == IR_SHL || op == IR_SHR || op == IR_SAR || op == IR_ROR;
    ir_ref c = ir_type_of(b->unit, a) == IR_I64 && !shift ? ir_i64(b, constant)
                                                          : ir_i32(b, (uint32_t)constant);
    return ir_bin(b, op, a, c);
}

ir_ref ir_adc(struct ir_builder *b, enum ir_op op, ir_ref a, ir_ref c, ir_ref carry)
{
    return ir_emit(b, op, ir_type_of(b->unit, a), 0, 0, a, c, carry, 0);
}

ir_ref ir_ext(struct ir_builder *b, enum ir_op op, ir_ref a, unsigned source_bits)
{
    enum ir_type type = ir_type_of(b->unit, a);
    if (source_bits == 32) {
        if (type == IR_I32)
            return a;
        return ir_un(b, op == IR_SEXT ? IR_WIDEN_S : IR_WIDEN_U, ir_un(b, IR_NARROW, a));
    }
    return ir_emit(b, op, type, source_bits, 0, a, IR_NONE, IR_NONE, 0);
}

static unsigned type_bits(enum ir_type type)
{
    return type == IR_I64 ? 64 : 32;
}

ir_ref ir_extract(struct ir_builder *b, ir_ref a, unsigned start, unsigned length)
{
    enum ir_type type = ir_type_of(b->unit, a);
    if (!start && length == type_bits(type))
        return a;
    return ir_emit(b, IR_EXTRACT, type, start, length, a, IR_NONE, IR_NONE, 0);
}

ir_ref ir_sextract(struct ir_builder *b, ir_ref a, unsigned start, unsigned length)
{
    enum ir_type type = ir_type_of(b->unit, a);
    if (!start && length == type_bits(type))
        return a;
    return ir_emit(b, IR_SEXTRACT, type, start, length, a, IR_NONE, IR_NONE, 0);
}

ir_ref ir_deposit(struct ir_builder *b, ir_ref a, ir_ref field, unsigned start, unsigned length)
{
    enum ir_type type = ir_type_of(b->unit, a);
    if (!start && length == type_bits(type))
        return field;
    return ir_emit(b, IR_DEPOSIT, type, start, length, a, field, IR_NONE, 0);
}

ir_ref ir_vec(struct ir_builder *b, enum ir_op op, enum ir_lane lane, ir_ref a, ir_ref c)
{
    return ir_emit(b, op, IR_V128, lane, 0, a, c, IR_NONE, 0);
}

ir_ref ir_vec_i(struct ir_builder *b, enum ir_op op, enum ir_lane lane, ir_ref a, unsigned imm)
{
    enum ir_type type = op == IR_VGETLANE && lane == IR_LANE64 ? IR_I64 : IR_I32;
    return ir_emit(b, op, op == IR_VGETLANE ? type : IR_V128, lane, imm, a, IR_NONE, IR_NONE, 0);
}

ir_ref ir_alu(struct ir_builder *b, enum ir_alu what, unsigned width, ir_ref a0, ir_ref a1,
              ir_ref a2, ir_ref flags)
{
    ir_ref ref = ir_emit(b, IR_ALU, width == 64 ? IR_I64 : IR_I32, what, width, a0, a1, a2, 0);

    if (ref != IR_NONE)
        b->unit->insns[ref].arg[3] = flags;
    return ref;
}

static unsigned width_sub(unsigned width)
{
    return width < 32 ? width : 0;
}

ir_ref ir_bin_w(struct ir_builder *b, enum ir_op op, unsigned width, ir_ref a, ir_ref c)
{
    return ir_emit(b, op, width == 64 ? IR_I64 : IR_I32, width_sub(width), 0, a, c, IR_NONE, 0);
}

ir_ref ir_adc_w(struct ir_builder *b, enum ir_op op, unsigned width, ir_ref a, ir_ref c,
                ir_ref carry)
{
    return ir_emit(b, op, width == 64 ? IR_I64 : IR_I32, width_sub(width), 0, a, c, carry, 0);
}

ir_ref ir_merge_flags(struct ir_builder *b, ir_ref before, ir_ref after, unsigned set)
{
    return ir_emit(b, IR_MERGEFLAGS, IR_FLAGS, set, 0, before, after, IR_NONE, 0);
}

ir_ref ir_pack_flags(struct ir_builder *b, ir_ref flags)
{
    return ir_emit(b, IR_PACKFLAGS, IR_I32, 0, 0, flags, IR_NONE, IR_NONE, 0);
}

ir_ref ir_unpack_flags(struct ir_builder *b, ir_ref bits)
{
    return ir_emit(b, IR_UNPACKFLAGS, IR_FLAGS, 0, 0, bits, IR_NONE, IR_NONE, 0);
}

ir_ref ir_flagof(struct ir_builder *b, ir_ref arithmetic)
{
    return ir_emit(b, IR_FLAGOF, IR_FLAGS, 0, 0, arithmetic, IR_NONE, IR_NONE, 0);
}

ir_ref ir_mkflags(struct ir_builder *b, ir_ref n, ir_ref z, ir_ref c, ir_ref v)
{
    struct ir_insn *insn = append(b, IR_MKFLAGS, IR_FLAGS, 0, 0, 0);
    if (insn) {
        insn->arg[0] = n;
        insn->arg[1] = z;
        insn->arg[2] = c;
        insn->arg[3] = v;
    }
    return ref_of(b, insn);
}

ir_ref ir_setcc(struct ir_builder *b, enum ir_cond cond, ir_ref flags)
{
    return ir_emit(b, IR_SETCC, IR_I32, cond, 0, flags, IR_NONE, IR_NONE, 0);
}

ir_ref ir_select(struct ir_builder *b, enum ir_cond cond, ir_ref flags, ir_ref yes, ir_ref no)
{
    return ir_emit(b, IR_SELECT, ir_type_of(b->unit, yes), cond, 0, flags, yes, no, 0);
}

ir_ref ir_test(struct ir_builder *b, ir_ref a)
{
    return ir_flagof(b, ir_bin(b, IR_AND, a, a));
}

ir_ref ir_compare(struct ir_builder *b, ir_ref a, ir_ref c)
{
    return ir_flagof(b, ir_bin(b, IR_SUB, a, c));
}

ir_ref ir_divide(struct ir_builder *b, bool sign, ir_ref low, ir_ref high, ir_ref divisor,
                 ir_ref *remainder)
{
    enum ir_type type = ir_type_of(b->unit, divisor);
    ir_ref quotient = ir_emit(b, IR_DIVIDE, type, sign, 0, low, high, divisor, 0);

    *remainder = ir_emit(b, IR_REMAINDER, type, 0, 0, quotient, IR_NONE, IR_NONE, 0);
    return quotient;
}

ir_ref ir_load(struct ir_builder *b, enum ir_type type, ir_ref address, int64_t displacement,
               unsigned memop)
{
    return ir_emit(b, IR_LOAD, type, 0, memop, address, IR_NONE, IR_NONE, (uint64_t)displacement);
}

void ir_store(struct ir_builder *b, ir_ref address, int64_t displacement, ir_ref value,
              unsigned memop)
{
    ir_emit(b, IR_STORE, IR_VOID, 0, memop, address, value, IR_NONE, (uint64_t)displacement);
}

ir_ref ir_probe(struct ir_builder *b, ir_ref address, int64_t displacement, unsigned length,
                unsigned memop)
{
    return ir_emit(b, IR_PROBE, IR_I64, length, memop, address, IR_NONE, IR_NONE,
                   (uint64_t)displacement);
}

void ir_commit(struct ir_builder *b, ir_ref pointer, ir_ref address, int64_t displacement,
               unsigned length, unsigned memop)
{
    ir_emit(b, IR_COMMIT, IR_VOID, length, memop, pointer, address, IR_NONE,
            (uint64_t)displacement);
}

ir_ref ir_hload(struct ir_builder *b, enum ir_type type, ir_ref pointer, int64_t offset,
                unsigned memop)
{
    return ir_emit(b, IR_HLOAD, type, 0, memop, pointer, IR_NONE, IR_NONE, (uint64_t)offset);
}

void ir_hstore(struct ir_builder *b, ir_ref pointer, int64_t offset, ir_ref value, unsigned memop)
{
    ir_emit(b, IR_HSTORE, IR_VOID, 0, memop, pointer, value, IR_NONE, (uint64_t)offset);
}

ir_ref ir_cas(struct ir_builder *b, enum ir_type type, ir_ref address, ir_ref expected,
              ir_ref value, unsigned memop)
{
    const unsigned size = memop & IR_MEM_SIZE, whole = type == IR_I64 ? 3 : 2;

    /* Equal is equal in either byte order, and no host has a swapping one. */
    if ((memop & IR_MEM_SWAP) && size == whole) {
        ir_ref old = ir_cas(b, type, address, ir_un(b, IR_BSWAP, expected),
                            ir_un(b, IR_BSWAP, value), memop & ~(unsigned)IR_MEM_SWAP);
        return ir_un(b, IR_BSWAP, old);
    }
    return ir_emit(b, IR_CAS, type, 0, memop, address, expected, value, 0);
}

ir_ref ir_rmw(struct ir_builder *b, enum ir_type type, enum ir_rmw what, ir_ref address,
              ir_ref operand, unsigned memop)
{
    return ir_emit(b, IR_RMW, type, what, memop, address, operand, IR_NONE, 0);
}

ir_ref ir_call(struct ir_builder *b, const struct ir_helper *helper, ir_ref a0, ir_ref a1,
               ir_ref a2, ir_ref a3)
{
    struct ir_insn *insn =
        append(b, IR_CALL, (enum ir_type)helper->result, 0, 0, (uint64_t)(uintptr_t)helper);
    if (insn) {
        insn->arg[0] = a0;
        insn->arg[1] = a1;
        insn->arg[2] = a2;
        insn->arg[3] = a3;
    }
    return ref_of(b, insn);
}

const struct ir_vfn_info ir_vfn_info[IR_N_VFN] = {
#define VFN(name, n_args, traits, prefix, map, opcode, w) [IR_VFN_##name] = {#name, n_args, traits},
#include "tcg/vector_fn.def"
#undef VFN
};

ir_ref ir_vfn(struct ir_builder *b, enum ir_vfn what, enum ir_type type, unsigned immediate,
              ir_ref a0, ir_ref a1, ir_ref a2)
{
    return ir_emit(b, ir_vfn_info[what].traits & VFN_FP ? IR_VFP : IR_VFN, type, 0,
                   (uint32_t)what | immediate << 16, a0, a1, a2, 0);
}

ir_ref ir_x87(struct ir_builder *b, enum ir_type type, unsigned opcode, unsigned modrm,
              unsigned immediate, ir_ref memory, ir_ref value)
{
    return ir_emit(b, IR_X87, type, modrm, opcode, memory, value, IR_NONE, immediate);
}

ir_ref ir_fp(struct ir_builder *b, enum ir_op op, enum ir_type type, unsigned sub, ir_ref a,
             ir_ref c, ir_ref d)
{
    return ir_emit(b, op, type, sub, 0, a, c, d, 0);
}

void ir_br(struct ir_builder *b, unsigned block)
{
    append(b, IR_BR, IR_VOID, 0, block, 0);
}

void ir_brcc(struct ir_builder *b, enum ir_cond cond, ir_ref flags, unsigned yes, unsigned no)
{
    ir_emit(b, IR_BRCC, IR_VOID, cond, yes, flags, IR_NONE, IR_NONE, no);
}

void ir_exit_jump(struct ir_builder *b, uint64_t pc, uint32_t key, bool poll)
{
    append(b, IR_EXIT_JUMP, IR_VOID, poll ? IR_POLL : 0, key, pc);
}

void ir_exit_indirect(struct ir_builder *b, ir_ref pc, ir_ref key)
{
    ir_emit(b, IR_EXIT_INDIRECT, IR_VOID, 0, 0, pc, key, IR_NONE, 0);
}

void ir_exit_lookup(struct ir_builder *b)
{
    append(b, IR_EXIT_LOOKUP, IR_VOID, 0, 0, 0);
}

void ir_exit_stop(struct ir_builder *b, unsigned reason)
{
    append(b, IR_EXIT_STOP, IR_VOID, 0, reason, 0);
}
