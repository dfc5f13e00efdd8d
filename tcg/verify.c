/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks every invariant ir.h states. Table-driven: a signature per op says what its result and
 * arguments are, check_details says what its sub, aux and imm may be.
 */
#include <stdarg.h>
#include <string.h>

#include "tcg/alu.h"
#include "tcg/ir.h"
#include "tcg/run.h"

/*
 * The first letter is the result, the others the arguments:
 *   - none   i I32   l I64   n I32 or I64   f F32 or F64   v V128   F FLAGS
 *   x any but FLAGS   y any   T the result's type   s the first argument's type   a a guest address
 */
static const char *const signatures[IR_N_OPS] = {
    [IR_NOP] = "-",          [IR_CONST] = "c",        [IR_VCONST] = "v",
    [IR_INSN] = "-",         [IR_GET] = "y",          [IR_SET] = "-y",
    [IR_ADD] = "nTT",        [IR_SUB] = "nTT",        [IR_ADC] = "nTTi",
    [IR_SBB] = "nTTi",       [IR_MUL] = "nTT",        [IR_UDIV] = "nTT",
    [IR_DIVIDE] = "nTTT",    [IR_REMAINDER] = "nT",   [IR_SDIV] = "nTT",
    [IR_AND] = "nTT",        [IR_OR] = "nTT",         [IR_XOR] = "nTT",
    [IR_ANDN] = "nTT",       [IR_NOT] = "nT",         [IR_NEG] = "nT",
    [IR_SHL] = "nTi",        [IR_SHR] = "nTi",        [IR_SAR] = "nTi",
    [IR_ROR] = "nTi",        [IR_CLZ] = "nT",         [IR_CTZ] = "nT",
    [IR_POPCNT] = "nT",      [IR_BSWAP] = "nT",       [IR_BITREV] = "nT",
    [IR_SEXT] = "nT",        [IR_ZEXT] = "nT",        [IR_EXTRACT] = "nT",
    [IR_SEXTRACT] = "nT",    [IR_DEPOSIT] = "nTT",    [IR_WIDEN_S] = "li",
    [IR_WIDEN_U] = "li",     [IR_NARROW] = "il",      [IR_CONCAT] = "lii",
    [IR_HIGH] = "il",        [IR_FLAGOF] = "Fx",      [IR_MKFLAGS] = "Fiiii",
    [IR_ALU] = "*",          [IR_MERGEFLAGS] = "FFF", [IR_PACKFLAGS] = "iF",
    [IR_UNPACKFLAGS] = "Fi", [IR_SETCC] = "iF",       [IR_SELECT] = "xFTT",
    [IR_LOAD] = "xa",        [IR_STORE] = "-ax",      [IR_PROBE] = "la",
    [IR_COMMIT] = "-la",     [IR_HLOAD] = "xl",       [IR_HSTORE] = "-lx",
    [IR_CAS] = "naTT",       [IR_RMW] = "naT",        [IR_FENCE] = "-",
    [IR_CALL] = "*",         [IR_FADD] = "fTT",       [IR_FSUB] = "fTT",
    [IR_FMUL] = "fTT",       [IR_FDIV] = "fTT",       [IR_FSQRT] = "fT",
    [IR_FMA] = "fTTT",       [IR_FNEG] = "fT",        [IR_FABS] = "fT",
    [IR_FCMP] = "ifs",       [IR_FCVT] = "ff",        [IR_F2I] = "nf",
    [IR_I2F] = "fn",         [IR_BITCAST] = "xx",     [IR_VAND] = "vvv",
    [IR_VOR] = "vvv",        [IR_VXOR] = "vvv",       [IR_VANDN] = "vvv",
    [IR_VSELECT] = "vvvv",   [IR_VADD] = "vvv",       [IR_VSUB] = "vvv",
    [IR_VMUL] = "vvv",       [IR_VNEG] = "vv",        [IR_VABS] = "vv",
    [IR_VCMPEQ] = "vvv",     [IR_VCMPGT_S] = "vvv",   [IR_VCMPGT_U] = "vvv",
    [IR_VMIN_S] = "vvv",     [IR_VMIN_U] = "vvv",     [IR_VMAX_S] = "vvv",
    [IR_VMAX_U] = "vvv",     [IR_VADDS_S] = "vvv",    [IR_VADDS_U] = "vvv",
    [IR_VSUBS_S] = "vvv",    [IR_VSUBS_U] = "vvv",    [IR_VAVG_U] = "vvv",
    [IR_VSHL_I] = "vv",      [IR_VSHR_I] = "vv",      [IR_VSAR_I] = "vv",
    [IR_VDUP] = "vn",        [IR_VGETLANE] = "nv",    [IR_VSETLANE] = "vvn",
    [IR_VWIDEN_S] = "vv",    [IR_VWIDEN_U] = "vv",    [IR_VNARROW] = "vv",
    [IR_VZIP_LO] = "vvv",    [IR_VZIP_HI] = "vvv",    [IR_VCONCAT] = "vvv",
    [IR_VHIGH] = "vv",       [IR_VEXT] = "vvv",       [IR_VSHUFFLE] = "vvv",
    [IR_VFADD] = "vvv",      [IR_VFSUB] = "vvv",      [IR_VFMUL] = "vvv",
    [IR_VFMA] = "vvvv",      [IR_VFFLUSH] = "vv",     [IR_X87] = "*",
    [IR_VFN] = "*",          [IR_VFP] = "*",          [IR_BR] = "-",
    [IR_BRCC] = "-F",        [IR_EXIT_JUMP] = "-",    [IR_EXIT_INDIRECT] = "-ni",
    [IR_EXIT_LOOKUP] = "-",  [IR_EXIT_STOP] = "-",
};

struct checker {
    const struct ir_unit *unit;
    char *why;
    size_t why_size;
    unsigned block, ref, first;
    bool insn_seen; /* an INSN stands in this block */
    bool set_seen;  /* a SET stands in this guest instruction */
};

PRINTF_LIKE(2, 3) static bool fail(const struct checker *c, const char *format, ...)
{
    if (!c->why_size)
        return false;
    int length = snprintf(c->why, c->why_size, "block %u insn %%%u (%s): ", c->block, c->ref,
                          c->ref < c->unit->n_insns && c->unit->insns[c->ref].op < IR_N_OPS
                              ? ir_op_info[c->unit->insns[c->ref].op].name
                              : "?");
    if (length >= 0 && (size_t)length < c->why_size) {
        va_list args;
        va_start(args, format);
        vsnprintf(c->why + length, c->why_size - (size_t)length, format, args);
        va_end(args);
    }
    return false;
}

static bool type_fits(const struct checker *c, char letter, unsigned type, unsigned result,
                      unsigned first)
{
    switch (letter) {
    case '-':
        return type == IR_VOID;
    case 'i':
        return type == IR_I32;
    case 'l':
        return type == IR_I64;
    case 'n':
        return type == IR_I32 || type == IR_I64;
    case 'f':
        return type == IR_F32 || type == IR_F64;
    case 'c':
        return type >= IR_I32 && type <= IR_F64;
    case 'v':
        return type == IR_V128;
    case 'F':
        return type == IR_FLAGS;
    case 'y':
        if (type == IR_FLAGS)
            return true;
        /* fall through */
    case 'x':
        return (type >= IR_I32 && type <= IR_F64) || type == IR_V128;
    case 'T':
        return type == result;
    case 's':
        return type == first;
    case 'a':
        return type == (c->unit->wide_address ? IR_I64 : IR_I32);
    default:
        return false;
    }
}

static bool check_defined(const struct checker *c, ir_ref arg)
{
    if (arg < c->first || arg >= c->ref)
        return fail(c, "argument %%%u is not defined before it in its block", arg);
    if (c->unit->insns[arg].type == IR_VOID || c->unit->insns[arg].type >= IR_N_TYPES)
        return fail(c, "argument %%%u has no value", arg);
    return true;
}

static bool check_arguments(const struct checker *c, const struct ir_insn *insn)
{
    const char *signature = signatures[insn->op];
    unsigned first = c->unit->insns[insn->arg[0]].type;
    if (!type_fits(c, signature[0], insn->type, insn->type, first))
        return fail(c, "type %u is not what the op yields", insn->type);
    for (unsigned i = 0; i < IR_MAX_ARGS; i++) {
        if (i >= ir_op_info[insn->op].n_args) {
            if (insn->arg[i])
                return fail(c, "has an argument %u too many", i);
            continue;
        }
        if (!check_defined(c, insn->arg[i]))
            return false;
        unsigned type = c->unit->insns[insn->arg[i]].type;
        if (!type_fits(c, signature[1 + i], type, insn->type, first))
            return fail(c, "argument %u, %%%u, has type %s", i, insn->arg[i], ir_type_name[type]);
    }
    return true;
}

static bool check_call(const struct checker *c, const struct ir_insn *insn)
{
    const struct ir_helper *helper = (const struct ir_helper *)(uintptr_t)insn->imm;
    if (!helper || !helper->fn)
        return fail(c, "no helper");
    if (helper->n_args > IR_MAX_ARGS)
        return fail(c, "helper %s has too many arguments", helper->name);
    if (insn->type != helper->result ||
        (insn->type != IR_VOID && insn->type != IR_I32 && insn->type != IR_I64))
        return fail(c, "type %u is not the helper's result", insn->type);
    for (unsigned i = 0; i < IR_MAX_ARGS; i++) {
        if ((insn->arg[i] != IR_NONE) != (i < helper->n_args))
            return fail(c, "helper %s takes %u arguments", helper->name, helper->n_args);
        if (!insn->arg[i])
            continue;
        if (!check_defined(c, insn->arg[i]))
            return false;
        if (!type_fits(c, 'n', c->unit->insns[insn->arg[i]].type, 0, 0))
            return fail(c, "argument %u is no integer", i);
    }
    return true;
}

static bool check_alu(const struct checker *c, const struct ir_insn *insn)
{
    unsigned row = insn->sub, width = insn->aux;
    unsigned wide = width == 64 ? IR_I64 : IR_I32;
    if (row >= IR_N_ALU || !ir_alu_has_width(row, width))
        return fail(c, "no row %u of %u bits", row, width);
    if (insn->type != wide)
        return fail(c, "type %u for %u bits", insn->type, width);
    const struct ir_alu_info *info = &ir_alu_info[row];
    for (unsigned i = 0; i < 3; i++) {
        if ((insn->arg[i] != IR_NONE) != (i < info->n_args))
            return fail(c, "%s takes %u arguments", info->name, info->n_args);
        if (i >= info->n_args)
            continue;
        if (!check_defined(c, insn->arg[i]))
            return false;
        bool count =
            (row <= IR_ALU_RCR && i == 1) || ((row == IR_ALU_SHLD || row == IR_ALU_SHRD) && i == 2);
        if (c->unit->insns[insn->arg[i]].type != (count ? IR_I32 : wide))
            return fail(c, "argument %u, %%%u, has the wrong type", i, insn->arg[i]);
    }
    if (insn->arg[3] == IR_NONE)
        return !ir_alu_value_needs_flags(row) || fail(c, "no flags for %s", info->name);
    if (!check_defined(c, insn->arg[3]))
        return false;
    return c->unit->insns[insn->arg[3]].type == IR_FLAGS || fail(c, "its flags are none");
}

static bool check_vfn(const struct checker *c, const struct ir_insn *insn)
{
    unsigned row = insn->aux & 0xffff;
    if (row >= IR_N_VFN)
        return fail(c, "no row %u", row);
    const struct ir_vfn_info *info = &ir_vfn_info[row];
    bool integer = (info->traits & (VFN_GPR_OUT | VFN_FLAGS)) && row != IR_VFN_PCMPISTRM;
    if ((insn->op == IR_VFP) != !!(info->traits & VFN_FP))
        return fail(c, "%s is of the other kind", info->name);
    if (!type_fits(c, integer ? 'n' : 'v', insn->type, 0, 0))
        return fail(c, "type %u is not what %s yields", insn->type, info->name);
    for (unsigned i = 0; i < IR_MAX_ARGS; i++) {
        if ((insn->arg[i] != IR_NONE) != (i < info->n_args))
            return fail(c, "%s takes %u arguments", info->name, info->n_args);
        if (!insn->arg[i])
            continue;
        if (!check_defined(c, insn->arg[i]))
            return false;
        bool general = info->traits & VFN_GPR_IN && i == info->n_args - 1u;
        if (!type_fits(c, general ? 'n' : 'v', c->unit->insns[insn->arg[i]].type, 0, 0))
            return fail(c, "argument %u, %%%u, has the wrong type", i, insn->arg[i]);
    }
    return true;
}

static bool check_x87(const struct checker *c, const struct ir_insn *insn)
{
    static const char wanted[2] = {'l', 'n'};
    unsigned opcode = insn->aux;
    bool escape = opcode >= 0xd8 && opcode <= 0xdf, memory = insn->sub < 0xc0;
    if (!escape && opcode >> 8 != 0x0f && opcode >> 8 != 0x0f38 && opcode >> 8 != 0x0f3a)
        return fail(c, "no opcode 0x%x", opcode);
    if (insn->type != IR_VOID && insn->type != IR_I32 && insn->type != IR_I64)
        return fail(c, "type %u", insn->type);
    if (memory && (insn->sub & 0xc7))
        return fail(c, "ModRM 0x%x with a memory operand", insn->sub);
    if (!memory && insn->arg[0] != IR_NONE)
        return fail(c, "a pointer, but no memory operand");
    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (insn->arg[i] == IR_NONE)
            continue;
        if (!check_defined(c, insn->arg[i]))
            return false;
        if (!type_fits(c, wanted[i], c->unit->insns[insn->arg[i]].type, 0, 0))
            return fail(c, "argument %u, %%%u, has the wrong type", i, insn->arg[i]);
    }
    return true;
}

static bool check_memop(const struct checker *c, unsigned memop, unsigned type)
{
    unsigned size = memop & IR_MEM_SIZE;
    if (memop & ~(unsigned)(IR_MEM_SIZE | IR_MEM_SIGN | IR_MEM_SWAP | IR_MEM_USER | IR_MEM_ALIGN |
                            IR_MEM_WRITE | IR_MEM_EXCLUSIVE | IR_MEM_READ))
        return fail(c, "unknown bits in memop 0x%x", memop);
    static const struct {
        uint8_t least, most;
    } sizes[IR_N_TYPES] = {
        [IR_VOID] = {0, 4}, [IR_I32] = {0, 2}, [IR_I64] = {0, 3},
        [IR_F32] = {2, 2},  [IR_F64] = {3, 3}, [IR_V128] = {4, 4},
    };
    if (size < sizes[type].least || size > sizes[type].most)
        return fail(c, "an access of %u bytes with type %s", 1u << size, ir_type_name[type]);
    return true;
}

static bool check_memory(const struct checker *c, const struct ir_insn *insn)
{
    const struct ir_insn *insns = c->unit->insns;
    switch (insn->op) {
    case IR_STORE:
    case IR_HSTORE:
        return check_memop(c, insn->aux, insns[insn->arg[1]].type);
    case IR_PROBE:
    case IR_COMMIT:
        if (!insn->sub || insn->sub > IR_PROBE_MAX)
            return fail(c, "a length of %u bytes", insn->sub);
        return check_memop(c, insn->aux, IR_VOID);
    case IR_RMW:
        if (insn->sub > IR_RMW_XOR)
            return fail(c, "unknown operation %u", insn->sub);
        return check_memop(c, insn->aux, insn->type);
    default:
        return check_memop(c, insn->aux, insn->type);
    }
}

static bool check_bitcast(const struct checker *c, unsigned to, unsigned from)
{
    bool good = to == IR_V128                    ? from != IR_V128
                : to == IR_F32 || from == IR_F32 ? to + from == IR_I32 + IR_F32
                : to == IR_F64 || from == IR_F64 ? to + from == IR_I64 + IR_F64
                                                 : false;
    return good || fail(c, "from %s to %s", ir_type_name[from], ir_type_name[to]);
}

/* Lanes an op exists for: least and most, as log2 of bytes. */
static bool check_lane(const struct checker *c, const struct ir_insn *insn)
{
    unsigned least = IR_LANE8, most = IR_LANE64;
    switch (insn->op) {
    case IR_VMUL:
    case IR_VABS:
    case IR_VWIDEN_S:
    case IR_VWIDEN_U:
        most = IR_LANE32;
        break;
    case IR_VADDS_S:
    case IR_VADDS_U:
    case IR_VSUBS_S:
    case IR_VSUBS_U:
    case IR_VAVG_U:
        most = IR_LANE16;
        break;
    case IR_VNARROW:
        least = IR_LANE16;
        break;
    default:
        break;
    }
    if (insn->sub < least || insn->sub > most)
        return fail(c, "no such lanes: %u", insn->sub);
    unsigned bits = 8u << insn->sub;
    const struct ir_insn *insns = c->unit->insns;
    unsigned scalar = insn->sub == IR_LANE64 ? IR_I64 : IR_I32;
    switch (insn->op) {
    case IR_VSHL_I:
    case IR_VSHR_I:
    case IR_VSAR_I:
        return insn->aux < bits || fail(c, "amount %u", insn->aux);
    case IR_VDUP:
        return insns[insn->arg[0]].type == scalar || fail(c, "scalar of the wrong width");
    case IR_VGETLANE:
        if (insn->type != scalar)
            return fail(c, "scalar of the wrong width");
        return insn->aux < 128 / bits || fail(c, "lane %u", insn->aux);
    case IR_VSETLANE:
        if (insns[insn->arg[1]].type != scalar)
            return fail(c, "scalar of the wrong width");
        return insn->aux < 128 / bits || fail(c, "lane %u", insn->aux);
    default:
        return true;
    }
}

static bool flags_source(const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_ADC:
    case IR_SBB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_ANDN:
        return true;
    case IR_ALU:
        return ir_alu_info[insn->sub].gives;
    case IR_VFN:
    case IR_VFP:
        return ir_vfn_info[insn->aux & 0xffff].traits & VFN_FLAGS;
    case IR_X87: /* FCOMI and its like */
        return insn->type == IR_I32 && insn->sub >= 0xe8;
    default:
        return false;
    }
}

static bool check_field(const struct checker *c, const struct ir_insn *insn)
{
    if (insn->aux >= c->unit->n_fields)
        return fail(c, "no field %u", insn->aux);
    enum ir_type wanted = ir_field_value_type((enum ir_type)c->unit->fields[insn->aux].type);
    unsigned type = insn->op == IR_GET ? insn->type : c->unit->insns[insn->arg[0]].type;
    return type == wanted || fail(c, "field %s is %s, not %s", c->unit->fields[insn->aux].name,
                                  ir_type_name[wanted], ir_type_name[type]);
}

static bool check_block_number(const struct checker *c, uint64_t block)
{
    return block < c->unit->n_blocks || fail(c, "no block %llu", (unsigned long long)block);
}

/* sub, aux and imm of the ops that have something there. */
static bool check_details(const struct checker *c, const struct ir_insn *insn)
{
    const struct ir_insn *insns = c->unit->insns;
    unsigned bits = insn->type == IR_I64 ? 64 : 32;
    switch (insn->op) {
    case IR_CONST:
        return insn->type == IR_I64 || insn->type == IR_F64 || insn->imm <= UINT32_MAX ||
               fail(c, "constant wider than its type");
    case IR_VCONST:
        return insn->aux < c->unit->n_vconst || fail(c, "no high half");
    case IR_GET:
    case IR_SET:
        return check_field(c, insn);
    case IR_ADD:
    case IR_SUB:
    case IR_ADC:
    case IR_SBB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        return !insn->sub || (insn->type == IR_I32 && (insn->sub == 8 || insn->sub == 16)) ||
               fail(c, "width %u", insn->sub);
    case IR_MERGEFLAGS:
        return insn->sub <= IR_SET_ALL || fail(c, "flags 0x%x", insn->sub);
    case IR_SEXT:
    case IR_ZEXT:
        return insn->sub == 8 || insn->sub == 16 || fail(c, "width %u", insn->sub);
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
        return (insn->aux && insn->aux <= bits && insn->sub + insn->aux <= bits) ||
               fail(c, "bits %u, length %u", insn->sub, insn->aux);
    case IR_FLAGOF:
        return flags_source(&insns[insn->arg[0]]) || fail(c, "of an op that makes no flags");
    case IR_DIVIDE:
        return insn->sub <= 1 || fail(c, "sign %u", insn->sub);
    case IR_REMAINDER:
        return insns[insn->arg[0]].op == IR_DIVIDE || fail(c, "of an op that divides nothing");
    case IR_SETCC:
    case IR_SELECT:
        return insn->sub < IR_N_CONDS || fail(c, "no condition %u", insn->sub);
    case IR_FCVT:
        return insns[insn->arg[0]].type != insn->type || fail(c, "to the same type");
    case IR_BITCAST:
        return check_bitcast(c, insn->type, insns[insn->arg[0]].type);
    case IR_VEXT:
        return insn->aux < 16 || fail(c, "from byte %u", insn->aux);
    case IR_VFADD:
    case IR_VFSUB:
    case IR_VFMUL:
    case IR_VFMA:
    case IR_VFFLUSH:
        return ((insn->sub & 15) == IR_LANE32 || (insn->sub & 15) == IR_LANE64) ||
               fail(c, "no such lanes");
    case IR_BR:
        return check_block_number(c, insn->aux);
    case IR_BRCC:
        if (insn->sub >= IR_N_CONDS)
            return fail(c, "no condition %u", insn->sub);
        return check_block_number(c, insn->aux) && check_block_number(c, insn->imm);
    case IR_EXIT_STOP:
        return insn->aux <= EXIT_YIELD || fail(c, "no exit reason %u", insn->aux);
    default:
        if (insn->op >= IR_LOAD && insn->op <= IR_RMW)
            return check_memory(c, insn);
        if (insn->op >= IR_VADD && insn->op <= IR_VZIP_HI)
            return check_lane(c, insn);
        return true;
    }
}

static bool check_pending(const struct checker *c, const struct ir_insn *insn)
{
    unsigned steps = 0;
    for (uint32_t i = insn->pending; i; i = c->unit->pending[i - 1].next) {
        if (i > c->unit->n_pending || steps++ > c->unit->n_pending)
            return fail(c, "pending record %u does not exist or its chain is a ring", i);
        const struct ir_pending *pending = &c->unit->pending[i - 1];
        if (pending->field >= c->unit->n_fields)
            return fail(c, "pending record for no field");
        unsigned wanted = ir_field_value_type((enum ir_type)c->unit->fields[pending->field].type);
        if (!check_defined(c, pending->value) ||
            (pending->other && !check_defined(c, pending->other)))
            return false;
        if (wanted == IR_FLAGS && pending->how != PENDING_VALUE) {
            if (c->unit->insns[pending->value].type != pending->type ||
                (pending->other && c->unit->insns[pending->other].type != pending->type))
                return fail(c, "pending flags of values of other types");
            continue;
        }
        wanted = wanted == IR_FLAGS ? IR_I32 : wanted;
        if (c->unit->insns[pending->value].type != wanted || (wanted != IR_I32 && wanted != IR_I64))
            return fail(c, "pending record of field %s has the wrong type",
                        c->unit->fields[pending->field].name);
    }
    return true;
}

static bool check_fault(const struct checker *c, const struct ir_insn *insn)
{
    bool call_faults = false;
    if (insn->op == IR_CALL)
        call_faults = ((const struct ir_helper *)(uintptr_t)insn->imm)->flags & HELPER_MAY_FAULT;
    if (!(ir_op_info[insn->op].traits & IR_FAULT)) {
        if (insn->pending)
            return fail(c, "pending records on an op that cannot fault");
        return !call_faults || c->insn_seen || fail(c, "may fault before any INSN in its block");
    }
    if (!c->insn_seen)
        return fail(c, "may fault before any INSN in its block");
    /* A helper that raises may want what was set before it (the frontend knows), a memory access
     * that faults never does. */
    if (c->set_seen)
        return fail(c, "may fault after a SET of the same guest instruction");
    return check_pending(c, insn);
}

static bool check_insn(struct checker *c)
{
    const struct ir_insn *insn = &c->unit->insns[c->ref];
    if (insn->op >= IR_N_OPS)
        return fail(c, "no such op: %u", insn->op);
    if (insn->op == IR_NOP)
        return true;
    if (insn->op == IR_CALL                        ? !check_call(c, insn)
        : insn->op == IR_ALU                       ? !check_alu(c, insn)
        : insn->op == IR_X87                       ? !check_x87(c, insn)
        : insn->op == IR_VFN || insn->op == IR_VFP ? !check_vfn(c, insn)
                                                   : !check_arguments(c, insn))
        return false;
    if (!check_details(c, insn) || !check_fault(c, insn))
        return false;
    if (insn->op == IR_INSN) {
        c->insn_seen = true;
        c->set_seen = false;
    } else if (insn->op == IR_SET) {
        c->set_seen = true;
    }
    bool last = c->ref == c->unit->blocks[c->block].last;
    bool end = ir_op_info[insn->op].traits & IR_END;
    if (end && !last)
        return fail(c, "ends its block too early");
    return end || !last || fail(c, "is last of its block but does not end it");
}

bool ir_verify(const struct ir_unit *unit, char *why, size_t why_size)
{
    struct checker c = {.unit = unit, .why = why, .why_size = why_size};
    uint8_t owned[IR_MAX_INSNS / 8] = {0};
    if (!unit->n_insns || unit->n_insns > IR_MAX_INSNS || unit->insns[0].op != IR_NOP)
        return fail(&c, "insn 0 must be a NOP and there may be %u at most", IR_MAX_INSNS);
    if (!unit->n_blocks || unit->n_blocks > IR_MAX_BLOCKS)
        return fail(&c, "a unit of %u blocks", unit->n_blocks);
    for (c.block = 0; c.block < unit->n_blocks; c.block++) {
        const struct ir_block *block = &unit->blocks[c.block];
        c.ref = c.first = block->first;
        if (!block->first || block->first > block->last || block->last >= unit->n_insns)
            return fail(&c, "the block is not filled or has a wrong extent");
        c.insn_seen = c.set_seen = false;
        for (; c.ref <= block->last; c.ref++) {
            if (owned[c.ref / 8] & 1u << c.ref % 8)
                return fail(&c, "is in two blocks");
            owned[c.ref / 8] |= (uint8_t)(1u << c.ref % 8);
            if (!check_insn(&c))
                return false;
        }
    }
    return true;
}
