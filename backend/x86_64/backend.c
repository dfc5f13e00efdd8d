/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 backend: one pass over a unit, table-driven; see x86_64.h for its
 * conventions. */
#include <cpuid.h>
#include <stdlib.h>

#include "backend/x86_64/x86_64.h"
#include "tcg/alu.h"

static emit_fn *const emitters[IR_N_OPS] = {
    [IR_GET] = emit_get,
    [IR_SET] = emit_set,
    [IR_ADD] = emit_integer,
    [IR_SUB] = emit_integer,
    [IR_ADC] = emit_adc,
    [IR_SBB] = emit_adc,
    [IR_MUL] = emit_integer,
    [IR_DIVIDE] = emit_wide_divide,
    [IR_REMAINDER] = emit_remainder,
    [IR_UDIV] = emit_divide,
    [IR_SDIV] = emit_divide,
    [IR_AND] = emit_integer,
    [IR_OR] = emit_integer,
    [IR_XOR] = emit_integer,
    [IR_ANDN] = emit_integer,
    [IR_NOT] = emit_integer,
    [IR_NEG] = emit_integer,
    [IR_SHL] = emit_shift,
    [IR_SHR] = emit_shift,
    [IR_SAR] = emit_shift,
    [IR_ROR] = emit_shift,
    [IR_CLZ] = emit_bits,
    [IR_CTZ] = emit_bits,
    [IR_POPCNT] = emit_bits,
    [IR_BSWAP] = emit_bits,
    [IR_BITREV] = emit_bits,
    [IR_SEXT] = emit_convert,
    [IR_ZEXT] = emit_convert,
    [IR_EXTRACT] = emit_convert,
    [IR_SEXTRACT] = emit_convert,
    [IR_DEPOSIT] = emit_convert,
    [IR_WIDEN_S] = emit_convert,
    [IR_WIDEN_U] = emit_convert,
    [IR_NARROW] = emit_convert,
    [IR_CONCAT] = emit_convert,
    [IR_HIGH] = emit_convert,
    [IR_ALU] = emit_alu_row,
    [IR_MERGEFLAGS] = emit_mergeflags,
    [IR_PACKFLAGS] = emit_packflags,
    [IR_UNPACKFLAGS] = emit_unpackflags,
    [IR_MKFLAGS] = emit_mkflags,
    [IR_SETCC] = emit_setcc,
    [IR_SELECT] = emit_select,
    [IR_LOAD] = emit_memory_load,
    [IR_STORE] = emit_memory_store,
    [IR_PROBE] = emit_probe,
    [IR_COMMIT] = emit_commit,
    [IR_HLOAD] = emit_hload,
    [IR_HSTORE] = emit_hstore,
    [IR_CAS] = emit_cas,
    [IR_RMW] = emit_rmw,
    [IR_FENCE] = emit_fence,
    [IR_CALL] = emit_call,
    [IR_FADD] = emit_fp,
    [IR_FSUB] = emit_fp,
    [IR_FMUL] = emit_fp,
    [IR_FDIV] = emit_fp,
    [IR_FSQRT] = emit_fp,
    [IR_FMA] = emit_fp,
    [IR_FNEG] = emit_fp_sign,
    [IR_FABS] = emit_fp_sign,
    [IR_FCMP] = emit_fcmp,
    [IR_FCVT] = emit_fcvt,
    [IR_F2I] = emit_f2i,
    [IR_I2F] = emit_i2f,
    [IR_BITCAST] = emit_bitcast,
    [IR_VAND] = emit_vector,
    [IR_VOR] = emit_vector,
    [IR_VXOR] = emit_vector,
    [IR_VANDN] = emit_vector,
    [IR_VSELECT] = emit_vector_misc,
    [IR_VADD] = emit_vector,
    [IR_VSUB] = emit_vector,
    [IR_VMUL] = emit_vector,
    [IR_VNEG] = emit_vector,
    [IR_VABS] = emit_vector,
    [IR_VCMPEQ] = emit_vector,
    [IR_VCMPGT_S] = emit_vector,
    [IR_VCMPGT_U] = emit_vector,
    [IR_VMIN_S] = emit_vector,
    [IR_VMIN_U] = emit_vector,
    [IR_VMAX_S] = emit_vector,
    [IR_VMAX_U] = emit_vector,
    [IR_VADDS_S] = emit_vector,
    [IR_VADDS_U] = emit_vector,
    [IR_VSUBS_S] = emit_vector,
    [IR_VSUBS_U] = emit_vector,
    [IR_VAVG_U] = emit_vector,
    [IR_VSHL_I] = emit_vector_shift,
    [IR_VSHR_I] = emit_vector_shift,
    [IR_VSAR_I] = emit_vector_shift,
    [IR_VDUP] = emit_vector_lane,
    [IR_VGETLANE] = emit_vector_lane,
    [IR_VSETLANE] = emit_vector_lane,
    [IR_VWIDEN_S] = emit_vector_misc,
    [IR_VWIDEN_U] = emit_vector_misc,
    [IR_VNARROW] = emit_vector_misc,
    [IR_VZIP_LO] = emit_vector,
    [IR_VZIP_HI] = emit_vector,
    [IR_VCONCAT] = emit_vector_misc,
    [IR_VHIGH] = emit_vector_misc,
    [IR_VEXT] = emit_vector_misc,
    [IR_VSHUFFLE] = emit_vector_misc,
    [IR_VFADD] = emit_vector_fp,
    [IR_VFSUB] = emit_vector_fp,
    [IR_VFMUL] = emit_vector_fp,
    [IR_VFMA] = emit_vector_fp,
    [IR_VFFLUSH] = emit_vector_flush,
    [IR_VFN] = emit_vector_fn,
    [IR_VFP] = emit_vector_fn,
    [IR_X87] = emit_x87,
    [IR_BR] = emit_branch,
    [IR_BRCC] = emit_branch_cc,
    [IR_EXIT_JUMP] = emit_exit_jump,
    [IR_EXIT_INDIRECT] = emit_exit_indirect,
    [IR_EXIT_LOOKUP] = emit_exit_lookup,
    [IR_EXIT_STOP] = emit_exit_stop,
};

static void emit_insn(struct emit *e, ir_ref i)
{
    const struct ir_insn *insn = &e->u->insns[i];
    unsigned traits = ir_op_info[insn->op].traits;
    struct value *v = &e->value[i];
    e->here = i;
    switch (insn->op) {
    case IR_NOP:
    case IR_FLAGOF:
        return;
    case IR_INSN:
        e->boundary = i;
        return;
    case IR_CONST:
    case IR_VCONST:
        if (v->last_use)
            v->flags = VALUE_LIVE | VALUE_CONST;
        return;
    default:
        break;
    }
    if ((traits & IR_PURE) && ((!v->last_use && !v->flag_last) || v->folded))
        return;
    if (e->eflags && insn_clobbers_flags(e, i) && !takes_eflags(e, insn))
        flags_clobber(e);
    if (!emitters[insn->op]) {
        e->failed = true;
        return;
    }
    e->locked = e->mirrors;
    emitters[insn->op](e, insn);
    end_insn(e);
}

/* Marks the blocks that something leads to. */
static void find_reached(struct emit *e)
{
    const struct ir_unit *u = e->u;
    memset(e->reached, 0, u->n_blocks + 1);
    e->reached[0] = e->reached[u->n_blocks] = true;
    for (unsigned b = 0; b < u->n_blocks; b++) {
        const struct ir_insn *end = &u->insns[u->blocks[b].last];
        if (end->op == IR_BR || end->op == IR_BRCC)
            e->reached[end->aux] = true;
        if (end->op == IR_BRCC)
            e->reached[end->imm] = true;
    }
}

static void emit_blocks(struct emit *e)
{
    const struct ir_unit *u = e->u;
    mirrors_begin(e);
    find_reached(e);
    for (unsigned b = 0; b < u->n_blocks; b = e->next_block) {
        e->block = b;
        for (e->next_block = b + 1; !e->reached[e->next_block];)
            e->next_block++;
        e->block_start[b] = e->a.p;
        e->x87_ready = false;
        e->x87_done = IR_NONE;
        alloc_analyse(e, &u->blocks[b]);
        alloc_begin_block(e);
        for (ir_ref i = u->blocks[b].first; i <= u->blocks[b].last; i++) {
            if (e->a.p + INSN_MARGIN > e->end)
                e->no_space = true;
            if (e->failed || e->no_space)
                return;
            emit_insn(e, i);
        }
    }
    for (unsigned k = 0; k < e->n_fixups; k++)
        bind_to(e->fixups[k].field, e->block_start[e->fixups[k].block]);
}

/* Constants of vectors, behind the code that reads them. */
static void emit_pool(struct emit *e)
{
    if (!e->n_pool)
        return;
    emit_nops(&e->a, -(uintptr_t)e->a.p & 15);
    for (unsigned k = 0; k < e->n_pool; k++) {
        for (unsigned j = 0; j < e->n_pool_uses; j++)
            if (e->pool_use[j].index == k)
                bind_to(e->pool_use[j].field, e->a.p + e->pool_use[j].adjust);
        put64(&e->a, e->pool[k][0]);
        put64(&e->a, e->pool[k][1]);
        if (e->a.p + INSN_MARGIN > e->end) {
            e->no_space = true;
            return;
        }
    }
}

static enum emit_result emit_finish(struct emit *e, struct code_buf *out, struct unit_code *code)
{
    code->exits = e->exits;
    for (unsigned k = 0; k < e->n_sites; k++)
        sidetable_put_site(e, e->sites[k].offset, e->sites[k].insn, false, 0, 0);
    cold_emit_all(e, code);
    if (!e->no_space)
        emit_pool(e);
    if (e->no_space || e->failed)
        return e->no_space ? EMIT_NO_SPACE : EMIT_TOO_LONG;
    *code = (struct unit_code){.entry = e->start + e->a.exec_offset,
                               .code_bytes = (size_t)(e->a.p - e->start),
                               .exits = e->exits,
                               .n_exits = e->n_exits,
                               .tables = e->table,
                               .tables_bytes = e->table_size};
    out->exec += e->a.p - out->write;
    out->write = e->a.p;
    return EMIT_OK;
}

static enum emit_result x86_emit_unit(struct backend_state *s, const struct ir_unit *unit,
                                      struct code_buf *out, struct unit_code *code)
{
    struct emit *e = s->emit;
    if (out->end - out->write < 2 * INSN_MARGIN)
        return EMIT_NO_SPACE;
    e->a = (struct assembler){
        .p = out->write, .exec_offset = out->exec - out->write, .avx = s->features & HOST_AVX};
    e->s = s;
    e->u = unit;
    e->end = out->end;
    e->features = s->features;
    e->failed = e->no_space = e->hold_flags = false;
    e->n_cold = e->n_pending = e->n_sites = e->n_fixups = e->n_exits = 0;
    e->n_pool = e->n_pool_uses = 0;
    e->table_size = 0;
    e->last_offset = 0;
    e->last_pc = 0;
    e->last_aux = 0;
    memset(e->block_start, 0, unit->n_blocks * sizeof(*e->block_start));
    memset(&e->value[0], 0, sizeof(e->value[0]));
    e->value[0].reg = NO_REG;
    e->value[0].slot = -1;
    emit_nops(&e->a, -(uintptr_t)(e->a.p + e->a.exec_offset) & 15);
    e->start = e->a.p;
    emit_blocks(e);
    enum emit_result result = EMIT_OK;
    if (e->no_space || e->failed)
        result = e->no_space ? EMIT_NO_SPACE : EMIT_TOO_LONG;
    else
        result = emit_finish(e, out, code);
    if (result != EMIT_OK) /* slots taken for it go back */
        x86_forget(s, e->start + e->a.exec_offset, true);
    return result;
}

/* ---- creation
 * -------------------------------------------------------------------------------------------
 */

static unsigned host_features(void)
{
    unsigned a, b, c, d, features = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return 0;
    bool ymm = (c & bit_OSXSAVE) && (c & bit_AVX);
    if (ymm) {
        unsigned low, high;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        ymm = (low & 6) == 6;
    }
    features |= (c & bit_POPCNT ? HOST_POPCNT : 0) | (c & bit_MOVBE ? HOST_MOVBE : 0);
    features |= ymm ? HOST_AVX : 0;
    features |= ymm && (c & bit_FMA) ? HOST_FMA : 0;
    features |= ymm && (c & bit_F16C) ? HOST_F16C : 0;
    features |= (c & bit_AES ? HOST_AES : 0) | (c & bit_PCLMUL ? HOST_PCLMUL : 0);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        features |= b & bit_SHA ? HOST_SHA : 0;
        if (ymm) /* VEX-coded: need the state enabled */
            features |= (b & bit_BMI ? HOST_BMI1 : 0) | (b & bit_BMI2 ? HOST_BMI2 : 0) |
                        (b & bit_AVX2 ? HOST_AVX2 : 0);
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        features |= c & bit_LZCNT ? HOST_LZCNT : 0;
    return features;
}

static bool x86_available(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) && (c & bit_SSSE3);
}

static bool x86_supports(unsigned op, unsigned type, unsigned sub)
{
    return op != IR_ALU || ir_alu_on_host(sub);
}

static void choose_pinned(struct backend_state *s)
{
    static const uint8_t registers[N_PINNED] = {RBX, R12, R13, R14, RDI, R8, R9, R10, R11};
    memset(s->pin_of_field, NO_REG, sizeof(s->pin_of_field));
    memset(s->pin_of_reg, NO_REG, sizeof(s->pin_of_reg));
    for (unsigned f = 0; f < s->env.n_fields && s->n_pinned < N_PINNED; f++) {
        const struct state_field *field = &s->env.fields[f];
        if (!(field->flags & STATE_HOT) || (field->type != IR_I32 && field->type != IR_I64))
            continue;
        unsigned p = s->n_pinned++;
        s->pinned[p] = (struct pinned_field){.reg = registers[p],
                                             .field = (uint16_t)f,
                                             .w = op_w(field->type),
                                             .group = field->group};
        s->pin_of_field[f] = (uint8_t)p;
        s->pin_of_reg[registers[p]] = (uint8_t)p;
    }
    for (unsigned f = 0; f < s->env.n_fields; f++) {
        const struct state_field *field = &s->env.fields[f];
        for (unsigned p = 0; p < s->n_pinned; p++) {
            const struct state_field *pinned = &s->env.fields[s->pinned[p].field];
            uint32_t at = pinned->offset;
            if (f != s->pinned[p].field && field->offset < at + ir_type_bytes(pinned->type) &&
                at < field->offset + ir_type_bytes(field->type))
                s->overlap[f] |= (uint16_t)(1u << p);
        }
    }
}

/* rbp so that one-byte displacements reach as many unpinned integer fields as
 * possible. */
static void choose_bias(struct backend_state *s)
{
    unsigned best = 0;
    s->bias = 128;
    for (unsigned f = 0; f < s->env.n_fields; f++) {
        uint32_t start = s->env.fields[f].offset;
        unsigned n = 0;
        for (unsigned g = 0; g < s->env.n_fields; g++) {
            const struct state_field *field = &s->env.fields[g];
            if (field->offset >= start && field->offset < start + 256)
                n += field->type > IR_I64 ? 1 : s->pin_of_field[g] == NO_REG ? 16 : 6;
        }
        if (n > best) {
            best = n;
            s->bias = (int32_t)start + 128;
        }
    }
    for (unsigned p = 0; p < s->n_pinned; p++)
        s->pinned[p].disp = (int32_t)s->env.fields[s->pinned[p].field].offset - s->bias;
}

static bool emit_create(struct backend_state *s)
{
    struct emit *e = s->emit = calloc(1, sizeof(*e));
    if (!e)
        return false;
    e->value = calloc(IR_MAX_INSNS, sizeof(*e->value));
    e->arg_next = calloc(IR_MAX_INSNS, sizeof(*e->arg_next));
    e->next_barrier = calloc(IR_MAX_INSNS, sizeof(*e->next_barrier));
    e->next_event = calloc(IR_MAX_INSNS, sizeof(*e->next_event));
    e->cold = calloc(MAX_COLD, sizeof(*e->cold));
    e->exits = calloc(MAX_COLD, sizeof(*e->exits));
    e->pending = calloc(MAX_PENDING, sizeof(*e->pending));
    e->sites = calloc(MAX_HOT_SITES, sizeof(*e->sites));
    e->block_start = calloc(IR_MAX_BLOCKS, sizeof(*e->block_start));
    e->fixups = calloc(2 * IR_MAX_BLOCKS, sizeof(*e->fixups));
    e->pool = calloc(MAX_POOL, sizeof(*e->pool));
    e->pool_use = calloc(MAX_POOL_USES, sizeof(*e->pool_use));
    e->table_capacity = 256 * KIB;
    e->table = malloc(e->table_capacity);
    return e->value && e->arg_next && e->next_barrier && e->next_event && e->cold && e->exits &&
           e->pending && e->sites && e->block_start && e->fixups && e->pool && e->pool_use &&
           e->table;
}

static void emit_destroy(struct emit *e)
{
    if (!e)
        return;
    free(e->value);
    free(e->arg_next);
    free(e->next_barrier);
    free(e->next_event);
    free(e->cold);
    free(e->exits);
    free(e->pending);
    free(e->sites);
    free(e->block_start);
    free(e->fixups);
    free(e->pool);
    free(e->pool_use);
    free(e->table);
    free(e);
}

static void x86_destroy(struct backend_state *s)
{
    if (!s)
        return;
    slots_destroy(s);
    emit_destroy(s->emit);
    free(s);
}

static struct backend_state *x86_create(const struct backend_env *env, struct error *err)
{
    struct backend_state *s = calloc(1, sizeof(*s));
    if (!s) {
        error_set(err, "out of memory");
        return NULL;
    }
    s->env = *env;
    s->features = host_features();
    const char *mask = getenv("CALQUE_HOST_FEATURES"); /* tests: a bit mask of enum host_feature */
    if (mask)
        s->features &= (unsigned)strtoul(mask, NULL, 0);
    choose_pinned(s);
    choose_bias(s);
    if (!emit_create(s)) {
        error_set(err, "out of memory");
    } else if (slots_create(s, err) && thunks_create(s, err)) {
        return s;
    }
    x86_destroy(s);
    return NULL;
}

static const void *x86_fault_site(struct backend_state *s, struct run_state *run)
{
    if (!run->host_sp)
        return NULL;
    const void *site;
    memcpy(&site, (const char *)run->host_sp - 8, sizeof(site));
    return site;
}

static const struct backend backend_x86_64 = {
    .name = "x86_64",
    .description = "translates to x86-64 machine code",
    .generates_code = true,
    .available = x86_available,
    .supports = x86_supports,
    .create = x86_create,
    .destroy = x86_destroy,
    .emit_unit = x86_emit_unit,
    .enter = x86_enter,
    .patch_jump = x86_patch_jump,
    .fault_site = x86_fault_site,
    .restore = x86_restore,
    .access_fault = x86_access_fault,
    .unwind = x86_unwind,
    .forget = x86_forget,
    .disassemble = x86_disassemble,
    .own_code = x86_own_code,
};
REGISTER(backend, backend_x86_64);
