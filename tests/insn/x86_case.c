/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random cases of the x86 instruction tests, compared and printed; see x86_case.h. */
#include "tests/insn/x86_case.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint8_t pool[POOL_BYTES + DATA_BYTES] __attribute__((aligned(64)));

enum {
    CODE_AT = CODE_BASE + 0x400,
    COMPARED_EFLAGS = EFLAGS_STATUS | EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID,
};

static bool chance(struct rng *r, unsigned one_in)
{
    return !rng_below(r, one_in);
}

static bool is_in(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

/* ---- what the environment asks for ------------------------------------------------------------
 */

uint64_t x86_chosen_seed(void)
{
    const char *text = getenv("CALQUE_SEED");

    return text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL);
}

unsigned x86_chosen_cases(unsigned normal, unsigned all)
{
    const char *text = getenv("CALQUE_CASES"), *level = getenv("CALQUE_TEST_LEVEL");

    return text ? (unsigned)atoi(text) : level && !strcmp(level, "all") ? all : normal;
}

bool x86_row_is_chosen(const struct x86_row *row)
{
    const char *only = getenv("CALQUE_ROW");

    return !only || !strcmp(only, row->name);
}

/* ---- values ---------------------------------------------------------------------------------- */

static uint64_t edge_value(struct rng *r)
{
    unsigned bits = 8u << rng_below(r, 4);
    uint64_t sign = UINT64_C(1) << (bits - 1);

    switch (rng_below(r, 5)) {
    case 0:
        return rng_below(r, 3);
    case 1:
        return sign;
    case 2:
        return sign - 1;
    case 3:
        return sign | (sign - 1);
    default:
        return -(uint64_t)rng_below(r, 3);
    }
}

static uint64_t any_value(struct rng *r)
{
    switch (rng_below(r, 8)) {
    case 0:
        return edge_value(r);
    case 1:
        return rng_below(r, 70);
    case 2:
        return rng_u64(r) >> rng_below(r, 64);
    case 3:
        return (uint64_t)((int64_t)rng_u64(r) >> rng_below(r, 64));
    case 4:
        return rng_u64(r) & rng_u64(r) & rng_u64(r);
    case 5:
        return DATA_BASE + rng_below(r, DATA_BYTES);
    default:
        return rng_u64(r);
    }
}

static uint32_t any_float(struct rng *r)
{
    static const uint32_t special[] = {0,          0x3f800000, 0x7f800000, 0x7fc00000, 0x7f800001,
                                       0x00000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000,
                                       0x5f000000, 0x3f000000, 0x7fffffff};
    uint32_t sign = (uint32_t)rng_u64(r) & 0x80000000;

    switch (rng_below(r, 4)) {
    case 0:
        return sign | special[rng_below(r, ARRAY_SIZE(special))];
    case 1:
        return (uint32_t)rng_u64(r);
    default:
        return sign | (110 + rng_below(r, 40)) << 23 | ((uint32_t)rng_u64(r) & 0x7fffff);
    }
}

static uint64_t any_double(struct rng *r)
{
    static const uint64_t special[] = {0,
                                       UINT64_C(0x3ff0000000000000),
                                       UINT64_C(0x7ff0000000000000),
                                       UINT64_C(0x7ff8000000000000),
                                       UINT64_C(0x7ff0000000000001),
                                       1,
                                       UINT64_C(0x000fffffffffffff),
                                       UINT64_C(0x0010000000000000),
                                       UINT64_C(0x7fefffffffffffff),
                                       UINT64_C(0x41e0000000000000),
                                       UINT64_C(0x43e0000000000000),
                                       UINT64_C(0x3fe0000000000000)};
    uint64_t sign = rng_u64(r) & UINT64_C(1) << 63;

    switch (rng_below(r, 4)) {
    case 0:
        return sign | special[rng_below(r, ARRAY_SIZE(special))];
    case 1:
        return rng_u64(r);
    default:
        return sign | (uint64_t)(1000 + rng_below(r, 50)) << 52 | (rng_u64(r) >> 12);
    }
}

/* 16 bytes that mean something to some vector instruction. */
static void any_vector(struct rng *r, uint8_t out[16])
{
    uint64_t value[2];
    unsigned kind = rng_below(r, 8);

    for (unsigned i = 0; i < 2; i++) {
        switch (kind) {
        case 0:
        case 1:
            value[i] = any_float(r) | (uint64_t)any_float(r) << 32;
            break;
        case 2:
        case 3:
            value[i] = any_double(r);
            break;
        case 4: /* text, for the string instructions */
            value[i] = rng_u64(r) & UINT64_C(0x0303030303030303);
            break;
        case 5: /* masks and indices */
            value[i] = rng_u64(r) & UINT64_C(0x8000008f8000008f);
            break;
        default:
            value[i] = any_value(r);
        }
    }
    memcpy(out, value, 16);
}

static void any_extended(struct rng *r, uint8_t out[10])
{
    static const uint64_t mantissa[] = {0, UINT64_C(1) << 63, UINT64_C(3) << 62, ~UINT64_C(0), 1};
    static const uint16_t exponent[] = {0, 0x7fff, 0x3fff, 1, 0x7ffe, 0x403d, 0x403e, 0x3c00};
    uint64_t m = rng_u64(r) | UINT64_C(1) << 63;
    uint16_t e = (uint16_t)(0x3fff - 40 + rng_below(r, 80));

    if (chance(r, 4))
        m = mantissa[rng_below(r, ARRAY_SIZE(mantissa))];
    if (chance(r, 4))
        e = exponent[rng_below(r, ARRAY_SIZE(exponent))];
    else if (chance(r, 8))
        e = (uint16_t)rng_below(r, 0x8000);
    if (chance(r, 16))
        m &= ~UINT64_C(0) >> 1; /* an unnormal, if it is none of those */
    if (chance(r, 8))
        m &= ~UINT64_C(0) << rng_below(r, 64);
    e |= (uint16_t)(rng_below(r, 2) << 15);
    memcpy(out, &m, 8);
    memcpy(out + 8, &e, 2);
}

void x86_pool_init(uint64_t seed)
{
    struct rng r = {seed};

    for (unsigned i = 0; i < sizeof(pool); i += 16) {
        if (chance(&r, 8)) {
            any_extended(&r, pool + i);
            for (unsigned n = 10; n < 16; n++)
                pool[i + n] = (uint8_t)rng_u64(&r);
        } else {
            any_vector(&r, pool + i);
        }
    }
}

void x86_case_fill(const struct x86_case *c, uint8_t data[DATA_BYTES])
{
    memcpy(data, pool + c->pool_offset, DATA_BYTES);
    if (c->patch_offset)
        memcpy(data + c->patch_offset, c->patch, sizeof(c->patch));
}

/* What lies at an address of the data area; 0 where nothing does. */
static uint64_t data_at(const struct x86_case *c, uint64_t address)
{
    uint64_t value = 0;

    if (address - DATA_BASE <= DATA_BYTES - 8)
        memcpy(&value, pool + c->pool_offset + (address - DATA_BASE), sizeof(value));
    return value;
}

/* ---- registers ------------------------------------------------------------------------------- */

static void random_x87(struct rng *r, uint8_t *legacy)
{
    uint16_t control = 0x37f, status = (uint16_t)(rng_u64(r) & 0x7f00);
    uint8_t tags = (uint8_t)(chance(r, 2) ? 0xff : rng_u64(r));

    if (chance(r, 2))
        control = (uint16_t)((control & ~0xf00) | rng_below(r, 4) << 10 | rng_below(r, 4) << 8);
    if (chance(r, 8))
        control &= (uint16_t)(0xffc0 | rng_u64(r));
    if (chance(r, 4))
        status |= (uint16_t)((rng_u64(r) & control & 0x3f) | (rng_u64(r) & 0x40));
    if (chance(r, 16))
        status |= (uint16_t)(rng_u64(r) & 0x3f);
    if (status & ~control & 0x3f) /* ES and B go with it */
        status |= 0x8080;
    memcpy(legacy, &control, 2);
    memcpy(legacy + 2, &status, 2);
    legacy[4] = tags;
    for (unsigned i = 0; i < 8; i++)
        any_extended(r, legacy + LEGACY_ST + 16 * i);
}

static void random_vectors(struct rng *r, struct x86_registers *out)
{
    uint32_t mxcsr = 0x1f80;

    if (chance(r, 2))
        mxcsr |= rng_below(r, 4) << 13;
    if (chance(r, 4))
        mxcsr |= (uint32_t)rng_u64(r) & 0x3f;
    if (chance(r, 8))
        mxcsr |= (uint32_t)rng_u64(r) & 0x8040; /* FZ, DAZ */
    if (chance(r, 8))
        mxcsr &= ~((uint32_t)rng_u64(r) & 0x1f80);
    memcpy(out->legacy + LEGACY_MXCSR, &mxcsr, sizeof(mxcsr));
    for (unsigned i = 0; i < 16; i++) {
        any_vector(r, out->legacy + LEGACY_XMM + 16 * i);
        any_vector(r, out->ymm_high[i]);
    }
}

static uint64_t stack_address(struct rng *r)
{
    uint64_t sp = DATA_BASE + DATA_BYTES / 2 + 8 * rng_below(r, DATA_BYTES / 32);

    if (chance(r, 16))
        sp = DATA_BASE + rng_below(r, 2) * DATA_BYTES + rng_below(r, 20) - 10;
    else if (chance(r, 8))
        sp += rng_below(r, 8);
    return sp;
}

/* Offsets that linear addresses have in the case's segments. */
static uint64_t data_offset(const struct x86_case *c, uint64_t linear)
{
    return c->code16 ? linear - DATA_BASE : linear;
}

static uint64_t code_offset(const struct x86_case *c, uint64_t linear)
{
    return c->code16 ? linear - CODE_BASE : linear;
}

static uint64_t stack_top(const struct x86_case *c)
{
    return c->before.gpr[RSP] + (c->code16 ? DATA_BASE : 0);
}

static void set_register(struct x86_case *c, unsigned reg, uint64_t value)
{
    if (reg < 16)
        c->before.gpr[reg] = c->code64 ? value : (uint32_t)value;
}

static void random_registers(struct rng *r, struct x86_case *c)
{
    struct x86_registers *out = &c->before;
    bool code64 = c->code64;

    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < (code64 ? 16 : 8); i++)
        out->gpr[i] = any_value(r) & (code64 ? ~UINT64_C(0) : UINT32_MAX);
    set_register(c, RSP, data_offset(c, stack_address(r)));
    out->eflags = EFLAGS_1 | EFLAGS_IF | ((uint32_t)rng_u64(r) & EFLAGS_STATUS);
    if (chance(r, 4))
        out->eflags |= EFLAGS_DF;
    if (chance(r, 32))
        out->eflags |= EFLAGS_AC;
    random_x87(r, out->legacy);
    random_vectors(r, out);
    out->rip = CODE_AT;
}

/* ---- operands that make sense ---------------------------------------------------------------- */

static uint64_t code_address(struct rng *r)
{
    return CODE_BASE + 0x1000 + rng_below(r, 0x1000);
}

static uint64_t data_address(struct rng *r)
{
    switch (rng_below(r, 16)) {
    case 0:
    case 1: /* over the page's end */
        return DATA_BASE + 0x1000 - rng_below(r, 64);
    case 2: /* over the area's end */
        return DATA_BASE + DATA_BYTES - rng_below(r, 48);
    case 3:
        return DATA_BASE + rng_below(r, 64) - 32;
    default:
        return DATA_BASE + 0x400 + rng_below(r, DATA_BYTES - 0x800);
    }
}

/* Vector indices of gathers that stay near. */
static void set_vector_index(struct x86_case *c, const struct x86_insn *insn, struct rng *r)
{
    uint8_t *low = c->before.legacy + LEGACY_XMM + 16 * insn->index;
    bool wide = strstr(insn->row->operands, "vm64");

    for (unsigned i = 0; i < 16; i += wide ? 8 : 4) {
        int64_t a = (int)rng_below(r, 256) - 128, b = (int)rng_below(r, 256) - 128;
        memcpy(low + i, &a, wide ? 8 : 4);
        memcpy(c->before.ymm_high[insn->index] + i, &b, wide ? 8 : 4);
    }
}

/* The memory operand comes to lie in the data area, mostly. Where. */
static uint64_t set_memory(struct x86_case *c, const struct x86_insn *insn, struct rng *r)
{
    uint64_t where = data_address(r), base;
    bool vector_index = strstr(insn->row->operands, "vm");

    if (insn->row->traits & ROW_MEM_ALIGNED ? !chance(r, 12) : chance(r, 2))
        where &= ~UINT64_C(31);
    if (vector_index)
        set_vector_index(c, insn, r);
    else if (insn->index < 16 && insn->index != insn->base)
        set_register(c, insn->index, rng_below(r, 64));
    base = data_offset(c, where) - (uint64_t)insn->displacement;
    if (!vector_index && insn->index < 16)
        base -= c->before.gpr[insn->index] * insn->scale;
    if (insn->address_size == 4 && c->code64)
        base = (uint32_t)base | rng_u64(r) << 32;
    set_register(c, insn->base, base);
    return where;
}

static bool has_operand(const struct x86_insn *insn, unsigned kind)
{
    for (unsigned i = 0; i < insn->n_operands; i++)
        if (insn->operand[i].kind == kind)
            return true;
    return false;
}

static bool is_named(const struct x86_insn *insn, const char *prefix)
{
    return !strncmp(insn->row->name, prefix, strlen(prefix));
}

static void set_strings(struct x86_case *c, const struct x86_insn *insn, struct rng *r)
{
    set_register(c, RSI, data_offset(c, data_address(r)));
    set_register(c, RDI, data_offset(c, data_address(r)));
    if (chance(r, 3))
        set_register(c, RDI, c->before.gpr[RSI] + rng_below(r, 40) - 20);
    set_register(c, RCX, rng_below(r, 40));
    if (chance(r, 2))
        c->before.eflags ^= EFLAGS_DF;
    if (is_named(insn, "SCAS"))
        set_register(
            c, RAX,
            data_at(c, c->before.gpr[RDI] + (c->code16 ? DATA_BASE : 0) + rng_below(r, 32)));
}

static void set_bytes(struct x86_case *c, uint64_t address, const void *bytes, unsigned size)
{
    if (address - DATA_BASE - 1 < DATA_BYTES - sizeof(c->patch)) {
        c->patch_offset = (uint32_t)(address - DATA_BASE);
        memcpy(c->patch, pool + c->pool_offset + c->patch_offset, sizeof(c->patch));
        memcpy(c->patch, bytes, size);
    }
}

static void set_data(struct x86_case *c, uint64_t address, uint64_t low, uint64_t high)
{
    uint64_t words[2] = {low, high};

    set_bytes(c, address, words, sizeof(words));
}

/* A target for an indirect branch: code, mostly. */
static uint64_t branch_target(const struct x86_case *c, struct rng *r)
{
    return chance(r, 4) ? rng_u64(r) : code_offset(c, code_address(r));
}

static void set_branch(struct x86_case *c, const struct x86_insn *insn, uint64_t where,
                       struct rng *r)
{
    if (is_named(insn, "RET"))
        set_data(c, stack_top(c), branch_target(c, r), rng_u64(r));
    if (has_operand(insn, OPND_MEM))
        set_data(c, where, branch_target(c, r), rng_u64(r));
    if (has_operand(insn, OPND_GPR))
        set_register(c, insn->operand[0].reg, branch_target(c, r));
    if (is_named(insn, "LOOP") || strstr(insn->row->name, "CXZ"))
        c->before.gpr[RCX] = chance(r, 2) ? rng_below(r, 3) : c->before.gpr[RCX];
}

/* One that Linux's GDT has for programs, or that gives #GP. Index 15 is Linux's own: left out. */
static uint16_t any_selector(struct rng *r)
{
    static const uint16_t selectors[] = {0, 3, SELECTOR_CODE32, SELECTOR_DATA, SELECTOR_CODE64};
    uint16_t selector = selectors[rng_below(r, ARRAY_SIZE(selectors))];

    if (chance(r, 8))
        selector ^= (uint16_t)(1u << rng_below(r, 3));
    if (chance(r, 8))
        selector = (uint16_t)(rng_u64(r) & ~UINT64_C(0x40));
    return selector;
}

/* A far pointer in memory, or the same on the stack in pieces of `size` bytes. */
static void set_far_pointer(struct x86_case *c, uint64_t where, unsigned size, uint64_t offset,
                            struct rng *r)
{
    uint8_t bytes[16] = {0};
    uint16_t selector = any_selector(r);
    uint64_t words[2];

    memcpy(bytes, &offset, 8);
    memcpy(bytes + size, &selector, 2);
    memcpy(words, bytes, sizeof(words));
    set_data(c, where, words[0], words[1]);
}

static bool looks_at_selector(const struct x86_insn *insn)
{
    static const char *const names[] = {"LAR", "LSL", "VERR", "VERW", "ARPL", NULL};

    return is_in(insn->row->name, names);
}

/* What IRET takes from the stack: the last two in 64-bit mode only. */
static void set_return_frame(struct x86_case *c, unsigned size, struct rng *r)
{
    uint64_t frame[5] = {code_offset(c, code_address(r)), any_selector(r),
                         rng_u64(r) & ~(uint64_t)EFLAGS_TF, data_offset(c, stack_address(r)),
                         chance(r, 2) ? SELECTOR_DATA : any_selector(r)};
    uint8_t bytes[sizeof(frame)];

    for (unsigned i = 0; i < 5; i++)
        memcpy(bytes + i * size, &frame[i], size);
    set_bytes(c, stack_top(c), bytes, 5 * size);
}

static void set_segments(struct x86_case *c, struct x86_insn *insn, uint64_t where, struct rng *r)
{
    bool load = insn->n_operands == 2 && insn->operand[0].kind == OPND_SEGMENT;
    bool far = strchr(insn->row->operands, 'p');

    for (unsigned i = 0; i < insn->n_operands && (load || looks_at_selector(insn)); i++)
        if (insn->operand[i].kind == OPND_GPR)
            set_register(c, insn->operand[i].reg, any_selector(r));
    if ((load || looks_at_selector(insn)) && where)
        set_data(c, where, any_selector(r), 0);
    if (is_named(insn, "POP") && insn->row->traits & ROW_SYSTEM)
        set_data(c, stack_top(c), any_selector(r), 0);
    if (far && where)
        set_far_pointer(c, where, insn->operand_size, code_offset(c, code_address(r)), r);
    if (is_named(insn, "IRET"))
        set_return_frame(c, insn->operand_size, r);
    if (is_named(insn, "RETF"))
        set_far_pointer(c, stack_top(c), insn->operand_size, code_offset(c, code_address(r)), r);
    if (has_operand(insn, OPND_FAR)) {
        uint16_t selector = any_selector(r);
        uint64_t offset = code_offset(c, code_address(r));
        memcpy(c->code + insn->length - 2 - insn->operand_size, &offset, insn->operand_size);
        memcpy(c->code + insn->length - 2, &selector, 2);
    }
}

/* A dividend that does not overflow too often. */
static void set_dividend(struct x86_case *c, struct rng *r)
{
    switch (rng_below(r, 4)) {
    case 0:
        set_register(c, RDX, 0);
        break;
    case 1:
        set_register(c, RDX, (uint64_t)((int64_t)c->before.gpr[RAX] >> 63));
        break;
    case 2:
        set_register(c, RDX, rng_below(r, 8));
        set_register(c, RAX, rng_below(r, 0x1000));
        break;
    default:
        break;
    }
}

static void set_comparands(struct x86_case *c, const struct x86_insn *insn, uint64_t where,
                           struct rng *r)
{
    bool wide = insn->operand[0].size == 16;

    if (!chance(r, 2))
        return;
    if (insn->operand[0].kind == OPND_GPR) {
        set_register(c, RAX, c->before.gpr[insn->operand[0].reg]);
        return;
    }
    if (insn->base == RAX || insn->base == RDX)
        return;
    set_register(c, RAX, data_at(c, where));
    if (insn->row->name[7] != '\0') /* CMPXCHG8B, CMPXCHG16B */
        set_register(c, RDX, wide ? data_at(c, where + 8) : data_at(c, where) >> 32);
}

static void set_operands(struct x86_case *c, struct x86_insn *insn, struct rng *r)
{
    bool memory = has_operand(insn, OPND_MEM);
    uint64_t where = memory ? set_memory(c, insn, r) : 0;

    if (is_named(insn, "BT") && memory && insn->operand[1].kind == OPND_GPR &&
        insn->operand[1].reg != insn->base && !chance(r, 8))
        set_register(c, insn->operand[1].reg, (uint64_t)(int64_t)((int)rng_below(r, 8192) - 4096));
    if (has_operand(insn, OPND_STRING_SOURCE) || has_operand(insn, OPND_STRING_DEST))
        set_strings(c, insn, r);
    if (is_named(insn, "MASKMOV") || is_named(insn, "VMASKMOVDQU"))
        set_register(c, RDI, data_offset(c, data_address(r)));
    if (is_named(insn, "XLAT"))
        set_register(c, RBX, data_offset(c, data_address(r)));
    if (is_named(insn, "LEAVE") || is_named(insn, "ENTER"))
        set_register(c, RBP, data_offset(c, stack_address(r)));
    if (is_named(insn, "DIV") || is_named(insn, "IDIV"))
        set_dividend(c, r);
    if (is_named(insn, "CMPXCHG"))
        set_comparands(c, insn, where, r);
    if (is_named(insn, "POPF"))
        set_data(c, stack_top(c), rng_u64(r) & ~(uint64_t)EFLAGS_TF, 0);
    if (insn->row->traits & ROW_BRANCH)
        set_branch(c, insn, where, r);
    set_segments(c, insn, where, r);
    if (is_named(insn, "XSAVE") || is_named(insn, "XRSTOR")) {
        set_register(c, RAX, rng_below(r, 8)); /* the host may have more components */
        set_register(c, RDX, 0);
    }
}

/* ---- cases ----------------------------------------------------------------------------------- */

bool x86_row_is_testable(const struct x86_row *row)
{
    static const char *const random_numbers[] = {"RDRAND", "RDSEED", NULL};
    /* What depends on nothing but the part of Linux's GDT that the guest has, too. FS is the C
     * library's on the host. SWAPGS and others are no different from CLTS at CPL 3. */
    static const char *const system[] = {
        "PUSH",  "POP",  "PUSHF", "POPF",   "MOV",  "RDGSBASE", "LLDT",   "LTR",     "LGDT",
        "LIDT",  "LMSW", "CLTS",  "XSETBV", "INVD", "WBINVD",   "INVLPG", "HLT",     "RDMSR",
        "WRMSR", "CLI",  "STI",   "SWAPGS", "CLAC", "STAC",     "SYSRET", "SYSEXIT", "LAR",
        "LSL",   "VERR", "VERW",  "ARPL",   "IRET", "IRETD",    "IRETQ",  NULL,
    };

    if (strstr(row->operands, "FS") || !strcmp(row->name, "LFS"))
        return false;
    return row->traits & ROW_SYSTEM ? is_in(row->name, system) : !is_in(row->name, random_numbers);
}

/* No branches; none that may unmask exceptions or set EFLAGS.TF; none that always fault; no dot
 * products, whose NaNs are the processor's choice. */
bool x86_row_in_sequences(const struct x86_row *row)
{
    static const char *const excluded[] = {
        "LDMXCSR", "VLDMXCSR", "FLDCW", "FLDENV", "FRSTOR", "FXRSTOR", "XRSTOR", "IN",   "OUT",
        "INS",     "OUTS",     "UD0",   "UD1",    "UD2",    "BOUND",   "DIV",    "IDIV", "LES",
        "LDS",     "LSS",      "LGS",   "DPPS",   "DPPD",   "VDPPS",   "VDPPD",  NULL,
    };

    return x86_row_is_testable(row) && !(row->traits & (ROW_BRANCH | ROW_SYSTEM)) &&
           !is_in(row->name, excluded);
}

static uint32_t decoding_key(const struct x86_case *c)
{
    return KEY_PROTECTED | (c->code64 ? KEY_CODE64 : c->code16 ? 0 : KEY_CODE32);
}

bool x86_case_decode(const struct x86_case *c, struct x86_insn *out)
{
    return x86_decode(c->code, 15, decoding_key(c), ~UINT64_C(0), out) == DECODE_OK;
}

static bool row_is_64bit(const struct x86_row *row, struct rng *r)
{
    if (strstr(row->encoding, "I64"))
        return false;
    return strstr(row->encoding, "N64") || !chance(r, 4);
}

/* What must not be executed on the host's side: FS is the C library's there, and outside 64-bit
 * mode neither FS nor GS is loaded; jumps into the instruction itself. */
static bool is_acceptable(const struct x86_insn *insn, bool code64)
{
    bool implied = has_operand(insn, OPND_STRING_SOURCE) || is_named(insn, "XLAT") ||
                   strstr(insn->row->name, "MASKMOV");

    if ((implied || has_operand(insn, OPND_MEM)) &&
        (insn->segment == SEG_FS || (!code64 && insn->segment == SEG_GS)))
        return false;
    for (unsigned i = 0; i < insn->n_operands; i++)
        if (insn->operand[i].kind == OPND_SEGMENT && insn->operand[i].reg == SEG_FS)
            return false;
    if (has_operand(insn, OPND_REL)) {
        int64_t displacement = (int64_t)insn->imm;
        if (insn->operand_size == 2)
            displacement = (int16_t)displacement;
        return displacement >= 0 || displacement < -15;
    }
    return true;
}

/* MOV with an address in the code: mostly one of the data area. */
static void set_direct_address(struct x86_case *c, struct x86_insn *insn, struct rng *r)
{
    uint64_t where = data_offset(c, data_address(r));

    if (!strchr(insn->row->operands, 'O') || chance(r, 8))
        return;
    memcpy(c->code + insn->length - insn->address_size, &where, insn->address_size);
}

static bool random_instruction(const struct x86_row *row, const struct x86_case *c, struct rng *r,
                               unsigned base, uint8_t out[15], struct x86_insn *insn)
{
    unsigned length;

    return x86_random_insn(row, decoding_key(c), r, base, out, &length) &&
           x86_decode(out, 15, decoding_key(c), ~UINT64_C(0), insn) == DECODE_OK &&
           is_acceptable(insn, c->code64);
}

static unsigned random_base(bool code64, struct rng *r)
{
    switch (rng_below(r, 16)) {
    case 0:
        return X86_ANY_OPERANDS;
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        return X86_REGISTERS_ONLY;
    default:
        return rng_below(r, code64 ? 16 : 8);
    }
}

bool x86_case_random(const struct x86_row *row, enum x86_case_modes modes, struct rng *r,
                     struct x86_case *out)
{
    enum { ATTEMPTS = 24 };
    struct x86_insn insn;

    memset(out, 0, sizeof(*out));
    out->code16 = modes == CASES_16;
    for (unsigned attempt = 0;; attempt++) {
        if (attempt == ATTEMPTS)
            return false;
        out->code64 = modes == CASES_WIDE && row_is_64bit(row, r);
        if (random_instruction(row, out, r, random_base(out->code64, r), out->code, &insn))
            break;
    }
    out->row = row;
    out->n_insns = 1;
    out->length = out->insn_length[0] = insn.length;
    out->pool_offset = rng_below(r, POOL_BYTES / 16) * 16;
    random_registers(r, out);
    if (chance(r, 32))
        out->before.rip = CODE_BASE + 0x1000 - rng_below(r, insn.length + 1);
    set_direct_address(out, &insn, r);
    set_operands(out, &insn, r);
    return true;
}

static bool names_register(const struct x86_insn *insn, unsigned reg)
{
    for (unsigned i = 0; i < insn->n_operands; i++)
        if (insn->operand[i].kind == OPND_GPR && insn->operand[i].reg == reg)
            return true;
    return false;
}

static void mask_exceptions(struct x86_registers *r)
{
    r->legacy[0] |= 0x3f; /* x87 control */
    r->legacy[2] &= 0x7f; /* status: ES and B */
    r->legacy[3] &= 0x7f;
    r->legacy[LEGACY_MXCSR] |= 0x80;
    r->legacy[LEGACY_MXCSR + 1] |= 0x1f;
}

void x86_case_sequence(const struct x86_row *const *rows, unsigned n_rows, bool wide, struct rng *r,
                       struct x86_case *out)
{
    unsigned n = 2 + rng_below(r, MAX_SEQUENCE - 1), base;

    memset(out, 0, sizeof(*out));
    out->code64 = wide && !chance(r, 4);
    out->pool_offset = rng_below(r, POOL_BYTES / 16) * 16;
    random_registers(r, out);
    out->before.eflags &= ~(uint32_t)EFLAGS_AC;
    mask_exceptions(&out->before);
    base = out->code64 ? 8 + rng_below(r, 8) : RBP + rng_below(r, 3);
    set_register(out, RSI, DATA_BASE + 0x600);
    set_register(out, RDI, DATA_BASE + 0xa00);
    set_register(out, RCX, rng_below(r, 8));
    out->before.gpr[base] = DATA_BASE + 0x800 + 32 * rng_below(r, 64);
    while (out->n_insns < n) {
        const struct x86_row *row = rows[rng_below(r, n_rows)];
        struct x86_insn insn;
        if (!random_instruction(row, out, r, chance(r, 2) ? base : X86_REGISTERS_ONLY,
                                out->code + out->length, &insn) ||
            names_register(&insn, base))
            continue;
        out->insn_length[out->n_insns++] = insn.length;
        out->length += insn.length;
    }
}

/* ---- comparison ------------------------------------------------------------------------------ */

struct difference {
    char text[256];
    bool found;
    const char *a, *b;
};

static void __attribute__((format(printf, 2, 3)))
differ(struct difference *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(d->text, sizeof(d->text), format, args);
    va_end(args);
    d->found = true;
}

static void compare_word(struct difference *d, const char *name, unsigned n, uint64_t a, uint64_t b)
{
    if (a != b && !d->found)
        differ(d, "%s%.0u: %s 0x%" PRIx64 ", %s 0x%" PRIx64, name, n, d->a, a, d->b, b);
}

static void compare_bytes(struct difference *d, const char *name, unsigned n, const uint8_t *a,
                          const uint8_t *b, unsigned size)
{
    char text[2][80];

    if (!memcmp(a, b, size) || d->found)
        return;
    for (unsigned i = 0; i < size; i++) {
        snprintf(text[0] + 2 * i, 3, "%02x", a[size - 1 - i]);
        snprintf(text[1] + 2 * i, 3, "%02x", b[size - 1 - i]);
    }
    differ(d, "%s%u: %s %s, %s %s", name, n, d->a, text[0], d->b, text[1]);
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

/* The host's return from its kernel makes null selectors 0. */
static uint16_t shown_selector(uint16_t selector)
{
    return selector < 4 ? 0 : selector;
}

static void compare_registers(struct difference *d, const struct x86_case *c,
                              const struct x86_registers *a, const struct x86_registers *b)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char *const segments[] = {"es", "cs", "ss", "ds", "gs"};
    uint64_t mask = c->code64 ? ~UINT64_C(0) : UINT32_MAX;

    for (unsigned i = 0; i < (c->code64 ? 16 : 8); i++)
        compare_word(d, names[i], 0, a->gpr[i] & mask, b->gpr[i] & mask);
    compare_word(d, "rip", 0, a->rip & mask, b->rip & mask);
    compare_word(d, "eflags", 0, a->eflags & COMPARED_EFLAGS, b->eflags & COMPARED_EFLAGS);
    for (unsigned i = 0; i < ARRAY_SIZE(a->selector); i++)
        compare_word(d, segments[i], 0, shown_selector(a->selector[i]),
                     shown_selector(b->selector[i]));
    compare_word(d, "x87 control", 0, get32(a->legacy) & 0xffff, get32(b->legacy) & 0xffff);
    compare_word(d, "x87 status", 0, get32(a->legacy) >> 16, get32(b->legacy) >> 16);
    compare_word(d, "x87 tags", 0, a->legacy[4], b->legacy[4]);
    compare_word(d, "mxcsr", 0, get32(a->legacy + LEGACY_MXCSR), get32(b->legacy + LEGACY_MXCSR));
    for (unsigned i = 0; i < 8; i++)
        compare_bytes(d, "st", i, a->legacy + LEGACY_ST + 16 * i, b->legacy + LEGACY_ST + 16 * i,
                      10);
    for (unsigned i = 0; i < (c->code64 ? 16 : 8); i++) {
        compare_bytes(d, "xmm", i, a->legacy + LEGACY_XMM + 16 * i, b->legacy + LEGACY_XMM + 16 * i,
                      16);
        compare_bytes(d, "high ymm", i, a->ymm_high[i], b->ymm_high[i], 16);
    }
}

static void compare_data(struct difference *d, const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < DATA_BYTES && !d->found; i++)
        if (a[i] != b[i])
            differ(d, "byte 0x%x: %s 0x%02x, %s 0x%02x", DATA_BASE + i, d->a, a[i], d->b, b[i]);
}

const char *x86_difference(const struct x86_case *c, const struct x86_result *a, const char *a_name,
                           const struct x86_result *b, const char *b_name)
{
    static struct difference d;

    d = (struct difference){.a = a_name, .b = b_name};
    if (a->outcome != b->outcome)
        differ(&d, "exception: %s %d (rip 0x%" PRIx64 "), %s %d (rip 0x%" PRIx64 ")", a_name,
               a->outcome, a->after.rip, b_name, b->outcome, b->after.rip);
    if (a->outcome != OUTCOME_DONE) {
        compare_word(&d, "error code", 0, a->error_code, b->error_code);
        compare_word(&d, "fault address", 0, a->address, b->address);
    }
    compare_registers(&d, c, &a->after, &b->after);
    compare_data(&d, a->data, b->data);
    return d.found ? d.text : NULL;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_registers(const char *name, const struct x86_registers *r, bool code64)
{
    static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};

    printf("  %s: cs %x rip %" PRIx64 " eflags %x mxcsr %x x87 %04x %04x %02x", name,
           r->selector[1], r->rip, r->eflags, get32(r->legacy + LEGACY_MXCSR),
           get32(r->legacy) & 0xffff, get32(r->legacy) >> 16, r->legacy[4]);
    for (unsigned i = 0; i < (code64 ? 16 : 8); i++) {
        printf("%s", i % 4 ? "" : "\n   ");
        if (i < 8)
            printf(" %s=%" PRIx64, names[i], r->gpr[i]);
        else
            printf(" r%u=%" PRIx64, i, r->gpr[i]);
    }
    printf("\n");
}

static void print_hex(const char *name, unsigned n, const uint8_t *p, unsigned size)
{
    printf("    %s%u ", name, n);
    for (unsigned i = size; i-- > 0;)
        printf("%02x", p[i]);
    printf("\n");
}

static void print_changes(const struct x86_registers *r, const struct x86_registers *before)
{
    for (unsigned i = 0; i < 8; i++)
        if (memcmp(r->legacy + LEGACY_ST + 16 * i, before->legacy + LEGACY_ST + 16 * i, 10))
            print_hex("st", i, r->legacy + LEGACY_ST + 16 * i, 10);
    for (unsigned i = 0; i < 16; i++) {
        if (memcmp(r->legacy + LEGACY_XMM + 16 * i, before->legacy + LEGACY_XMM + 16 * i, 16))
            print_hex("xmm", i, r->legacy + LEGACY_XMM + 16 * i, 16);
        if (memcmp(r->ymm_high[i], before->ymm_high[i], 16))
            print_hex("high ymm", i, r->ymm_high[i], 16);
    }
}

/* Vector and x87 registers that the instruction names. */
static void print_operands(const struct x86_case *c)
{
    struct x86_insn insn;

    if (!c->row || !x86_case_decode(c, &insn))
        return;
    for (unsigned i = 0; i < insn.n_operands; i++) {
        const struct x86_operand *o = &insn.operand[i];
        if (o->kind == OPND_XMM || o->kind == OPND_YMM)
            print_hex("xmm", o->reg, c->before.legacy + LEGACY_XMM + 16 * o->reg, 16);
        if (o->kind == OPND_YMM)
            print_hex("high ymm", o->reg, c->before.ymm_high[o->reg], 16);
    }
    if (insn.row->traits & (ROW_FPU | ROW_MMX))
        for (unsigned i = 0; i < 8; i++)
            print_hex("st", i, c->before.legacy + LEGACY_ST + 16 * i, 10);
}

void x86_case_print(const struct x86_case *c)
{
    unsigned at = 0;

    for (unsigned i = 0; i < c->n_insns; i++) {
        char text[128];
        if (!x86_disassemble_guest(c->code + at, c->insn_length[i], c->before.rip + at,
                                   decoding_key(c), text, sizeof(text)))
            text[0] = '\0';
        printf("  %s-bit ", c->code64 ? "64" : c->code16 ? "16" : "32");
        for (unsigned n = 0; n < c->insn_length[i]; n++)
            printf("%02x", c->code[at + n]);
        printf("  %s\n", text);
        at += c->insn_length[i];
    }
    print_registers("before", &c->before, c->code64);
    print_operands(c);
}

void x86_result_print(const struct x86_case *c, const struct x86_result *result, const char *name)
{
    if (result->outcome != OUTCOME_DONE)
        printf("  %s: exception %d, error code 0x%x, address 0x%" PRIx64 "\n", name,
               result->outcome, result->error_code, result->address);
    print_registers(name, &result->after, c->code64);
    print_changes(&result->after, &c->before);
}
