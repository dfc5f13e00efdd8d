/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A unit as text: one insn a line, values named %number. */
#include <ctype.h>
#include <inttypes.h>

#include "tcg/alu.h"
#include "tcg/ir.h"

static const char *const cond_name[IR_N_CONDS] = {
    [IR_Z] = "z",
    [IR_NZ] = "nz",
    [IR_C] = "c",
    [IR_NC] = "nc",
    [IR_N] = "n",
    [IR_NN] = "nn",
    [IR_V] = "v",
    [IR_NV] = "nv",
    [IR_C_AND_NZ] = "c&nz",
    [IR_NC_OR_Z] = "nc|z",
    [IR_NC_AND_NZ] = "nc&nz",
    [IR_C_OR_Z] = "c|z",
    [IR_GE] = "ge",
    [IR_LT] = "lt",
    [IR_GT] = "gt",
    [IR_LE] = "le",
    [IR_P] = "p",
    [IR_NP] = "np",
};
static const char *const lane_name[] = {"8", "16", "32", "64"};
static const char *const rmw_name[] = {"xchg", "add", "and", "or", "xor"};

static const char *name_in(const char *const *names, size_t n, unsigned index)
{
    return index < n && names[index] ? names[index] : "?";
}

static const char *field_name(const struct ir_unit *unit, unsigned field)
{
    return field < unit->n_fields ? unit->fields[field].name : "?";
}

static void print_memop(FILE *out, unsigned memop)
{
    fprintf(out, " [%u%s%s%s%s%s", 8 * memop_size(memop), memop & IR_MEM_SIGN ? " signed" : "",
            memop & IR_MEM_SWAP ? " swap" : "", memop & IR_MEM_USER ? " user" : "",
            memop & IR_MEM_WRITE ? " write" : "", memop & IR_MEM_EXCLUSIVE ? " exclusive" : "");
    if (memop & IR_MEM_ALIGN)
        fprintf(out, " align %u", memop_align(memop));
    fputc(']', out);
}

static void print_displacement(FILE *out, uint64_t imm)
{
    int64_t displacement = (int64_t)imm;
    if (displacement)
        fprintf(out, " %c %" PRIu64, displacement < 0 ? '-' : '+', displacement < 0 ? -imm : imm);
}

static void print_flag_set(FILE *out, unsigned set)
{
    static const char names[] = "vcpazn";
    fputc('.', out);
    for (unsigned i = 0; names[i]; i++) {
        if (set >> i & 1)
            fputc(names[i], out);
    }
}

/* Which argument of a memory op the displacement belongs to; IR_MAX_ARGS: not a memory op. */
static unsigned address_argument(unsigned op)
{
    if (op < IR_LOAD || op > IR_RMW)
        return IR_MAX_ARGS;
    return op == IR_COMMIT ? 1 : 0;
}

/* What stands between the op's name and its arguments. */
static void print_suffix(FILE *out, const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_SETCC:
    case IR_SELECT:
    case IR_BRCC:
        fprintf(out, ".%s", name_in(cond_name, IR_N_CONDS, insn->sub));
        break;
    case IR_RMW:
        fprintf(out, ".%s", name_in(rmw_name, ARRAY_SIZE(rmw_name), insn->sub));
        break;
    case IR_ADD:
    case IR_SUB:
    case IR_ADC:
    case IR_SBB:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
        if (!insn->sub)
            break;
        /* fall through */
    case IR_SEXT:
    case IR_ZEXT:
        fprintf(out, ".%u", insn->sub);
        break;
    case IR_ALU:
        fprintf(out, ".%s.%u", insn->sub < IR_N_ALU ? ir_alu_info[insn->sub].name : "?", insn->aux);
        break;
    case IR_X87:
        fprintf(out, ".%x.%02x", insn->aux, insn->sub);
        if (insn->imm)
            fprintf(out, ".%" PRIu64, insn->imm);
        break;
    case IR_MERGEFLAGS:
        print_flag_set(out, insn->sub);
        break;
    case IR_BR:
    case IR_EXIT_JUMP:
        if (insn->sub & IR_POLL)
            fputs(".poll", out);
        break;
    case IR_VFADD:
    case IR_VFSUB:
    case IR_VFMUL:
    case IR_VFMA:
    case IR_VFFLUSH:
        fprintf(out, ".%s.%u", name_in(lane_name, ARRAY_SIZE(lane_name), insn->sub & 15),
                insn->sub >> 4);
        break;
    case IR_VFN:
    case IR_VFP:
        fprintf(out, ".%s",
                (insn->aux & 0xffff) < IR_N_VFN ? ir_vfn_info[insn->aux & 0xffff].name : "?");
        break;
    default:
        if (insn->op >= IR_VADD && insn->op <= IR_VZIP_HI)
            fprintf(out, ".%s", name_in(lane_name, ARRAY_SIZE(lane_name), insn->sub));
        else if (insn->op >= IR_FADD && insn->op <= IR_I2F && insn->sub)
            fprintf(out, ".%u", insn->sub);
        break;
    }
}

/* What follows the arguments. */
static void print_tail(FILE *out, const struct ir_unit *unit, const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_CONST:
        fprintf(out, " 0x%" PRIx64, insn->imm);
        break;
    case IR_VCONST:
        fprintf(out, " 0x%016" PRIx64 "%016" PRIx64,
                insn->aux < unit->n_vconst ? unit->vconst_high[insn->aux] : 0, insn->imm);
        break;
    case IR_EXTRACT:
    case IR_SEXTRACT:
    case IR_DEPOSIT:
        fprintf(out, ", %u, %u", insn->sub, insn->aux);
        break;
    case IR_LOAD:
    case IR_STORE:
    case IR_HLOAD:
    case IR_HSTORE:
    case IR_CAS:
    case IR_RMW:
        print_memop(out, insn->aux);
        break;
    case IR_PROBE:
    case IR_COMMIT:
        fprintf(out, ", %u bytes", insn->sub);
        print_memop(out, insn->aux);
        break;
    case IR_VSHL_I:
    case IR_VSHR_I:
    case IR_VSAR_I:
    case IR_VGETLANE:
    case IR_VSETLANE:
    case IR_VEXT:
        fprintf(out, ", %u", insn->aux);
        break;
    case IR_VFN:
    case IR_VFP:
        if ((insn->aux & 0xffff) < IR_N_VFN && ir_vfn_info[insn->aux & 0xffff].traits & VFN_IMM)
            fprintf(out, ", 0x%x", insn->aux >> 16);
        break;
    case IR_BR:
        fprintf(out, " block %u", insn->aux);
        if (insn->sub & IR_POLL)
            fprintf(out, ", pc 0x%" PRIx64, insn->imm);
        break;
    case IR_BRCC:
        fprintf(out, ", block %u, block %" PRIu64, insn->aux, insn->imm);
        break;
    case IR_EXIT_JUMP:
        fprintf(out, " pc 0x%" PRIx64 ", key 0x%x", insn->imm, insn->aux);
        break;
    case IR_EXIT_STOP:
        fprintf(out, " reason %u", insn->aux);
        break;
    default:
        break;
    }
    if (insn->pending) {
        static const char *const how[] = {"", "flags of ", "flags behind "};
        fputs(" pending", out);
        for (uint32_t i = insn->pending; i && i <= unit->n_pending; i = unit->pending[i - 1].next) {
            const struct ir_pending *p = &unit->pending[i - 1];
            fprintf(out, " %s=%s%%%u", field_name(unit, p->field), how[p->how], p->value);
            if (p->how)
                fprintf(out, " %s.%s%s %%%u", ir_op_info[p->op].name, ir_type_name[p->type],
                        p->sub == 8    ? ".8"
                        : p->sub == 16 ? ".16"
                                       : "",
                        p->other);
        }
    }
}

static void print_insn(FILE *out, const struct ir_unit *unit, unsigned ref)
{
    const struct ir_insn *insn = &unit->insns[ref];
    if (insn->op >= IR_N_OPS) {
        fprintf(out, "    ?%u\n", insn->op);
        return;
    }
    const struct ir_op_info *info = &ir_op_info[insn->op];
    if (insn->op == IR_INSN) {
        fprintf(out, "  ---- 0x%" PRIx64 " 0x%x\n", insn->imm, insn->aux);
        return;
    }
    fputs("    ", out);
    if (insn->type != IR_VOID)
        fprintf(out, "%%%u = ", ref);
    for (const char *c = info->name; *c; c++)
        fputc(tolower((unsigned char)*c), out);
    if (info->result == IR_N_TYPES && insn->type != IR_VOID)
        fprintf(out, ".%s", insn->type < IR_N_TYPES ? ir_type_name[insn->type] : "?");
    print_suffix(out, insn);
    const char *separator = " ";
    if (insn->op == IR_GET || insn->op == IR_SET) {
        fprintf(out, " %s", field_name(unit, insn->aux));
        separator = ", ";
    } else if (insn->op == IR_CALL) {
        fprintf(out, " %s", ((const struct ir_helper *)(uintptr_t)insn->imm)->name);
        separator = ", ";
    }
    for (unsigned i = 0; i < info->n_args; i++) {
        if (!insn->arg[i])
            continue;
        fprintf(out, "%s%%%u", separator, insn->arg[i]);
        separator = ", ";
        if (i == address_argument(insn->op))
            print_displacement(out, insn->imm);
    }
    print_tail(out, unit, insn);
    fputc('\n', out);
}

void ir_print(FILE *out, const struct ir_unit *unit)
{
    fprintf(out, "unit pc 0x%" PRIx64 " key 0x%x\n", unit->pc, unit->key);
    for (unsigned i = 0; i < unit->n_blocks; i++) {
        const struct ir_block *block = &unit->blocks[i];
        fprintf(out, "block %u:\n", i);
        if (!block->first || block->last >= unit->n_insns)
            continue;
        for (unsigned ref = block->first; ref <= block->last; ref++) {
            if (unit->insns[ref].op != IR_NOP)
                print_insn(out, unit, ref);
        }
    }
}
