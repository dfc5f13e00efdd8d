/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of coprocessor 0 as one table: PRA chapter 9. Rows that are no more than a value,
 * some bits of which are written, are read and written in line; the others by a helper. Registers
 * that no row describes read as zero and take no notice of writes.
 */
#include "frontend/mips/system.h"
#include "frontend/mips/translate.h"

#include <inttypes.h>

#include "util/log.h"

enum flags {
    MODE = 1,    /* a write changes key, space or map */
    ENTRYLO = 2, /* RI and XI are bits 31:30 of the low word */
};

struct cp0_register {
    uint8_t number, select;
    const char *name;
    uint16_t field; /* 0: none */
    uint8_t flags;
    uint32_t features;    /* of the model, that it needs */
    uint8_t config;       /* Config<config>'s bits ... */
    uint32_t config_bits; /* ... of which it needs one */
    uint64_t mask;        /* written */
    uint64_t (*read)(struct mips_cpu *cpu, const struct cp0_register *r);
    void (*write)(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value);
};

#define ALL64 (~UINT64_C(0))

static uint32_t config_value(const struct mips_cpu *cpu, unsigned n)
{
    const uint32_t values[8] = {cpu->cp0.config0, cpu->cp0.config1, cpu->cp0.config2,
                                cpu->cp0.config3, cpu->cp0.config4, cpu->cp0.config5,
                                cpu->cp0.config6, cpu->cp0.config7};
    return values[n & 7];
}

static void set_masked32(uint32_t *at, uint32_t mask, uint64_t value)
{
    *at = (*at & ~mask) | ((uint32_t)value & mask);
}

/* ---- functions of rows ----------------------------------------------------------------------- */

static uint32_t index_mask(const struct mips_cpu *cpu)
{
    unsigned n = MAX(cpu->model->tlb_entries, 1);

    return n > 1 ? (UINT32_C(2) << (31 - (unsigned)__builtin_clz(n - 1))) - 1 : 0;
}

static void write_index(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t mask = index_mask(cpu) | (mips_has(cpu, MIPS_HAS_R6) ? INDEX_P : 0);

    set_masked32(&cpu->cp0.index, mask, value);
}

/* PRA "Random Register": from Wired up. */
uint32_t mips_random(struct mips_cpu *cpu)
{
    uint32_t n = cpu->model->tlb_entries, wired = cpu->cp0.wired, x = cpu->cp0.random_state;

    if (!n)
        return 0;
    if (wired >= n - 1)
        return n - 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    cpu->cp0.random_state = x;
    return wired + x % (n - wired);
}

static uint64_t read_random(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return mips_random(cpu);
}

static void write_wired(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    cpu->cp0.wired = (uint32_t)value & index_mask(cpu);
}

static uint64_t entrylo_mask(const struct mips_cpu *cpu)
{
    uint64_t mask = ((UINT64_C(1) << (cpu->model->pabits - 6)) - 1);

    if (cpu->cp0.config3 & CONFIG3_RXI)
        mask |= ENTRYLO_RI | ENTRYLO_XI;
    return mask;
}

static void write_pagegrain(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    set_masked32(&cpu->cp0.pagegrain, cpu->model->pagegrain_writable, value);
}

static void write_xcontext(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint64_t mask = ~UINT64_C(0) << (cpu->model->segbits - 7);

    cpu->cp0.xcontext = (cpu->cp0.xcontext & ~mask) | (value & mask);
}

static void write_segctl(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t *at = r->select == 2   ? &cpu->cp0.segctl0
                   : r->select == 3 ? &cpu->cp0.segctl1
                                    : &cpu->cp0.segctl2;

    set_masked32(at, UINT32_C(0xfe7ffe7f), value);
    mips_tlb_flush_all(cpu);
    mips_update_mode(cpu);
}

static void write_hwrena(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t mask = 0xf;

    mask |= cpu->cp0.config3 & CONFIG3_ULRI ? HWRENA_ULR : 0;
    mask |= mips_has(cpu, MIPS_HAS_R6) ? HWRENA_XNP : 0;
    cpu->cp0.hwrena = (uint32_t)value & mask;
    mips_update_mode(cpu);
}

static uint64_t read_count(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return mips_count_read(cpu);
}

static void write_count(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    mips_count_write(cpu, (uint32_t)value);
}

static void write_compare(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    mips_compare_write(cpu, (uint32_t)value);
}

static void write_entryhi(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint64_t mask = mips_vpn_mask(cpu) | mips_asid_mask(cpu);

    if (cpu->cp0.config4 & CONFIG4_IE)
        mask |= ENTRYHI_EHINV;
    cpu->cp0.entryhi = value & mask;
    mips_update_mode(cpu);
}

/* KSU = 3 is reserved: the field stays. */
static void write_status(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t mask = cpu->model->status_writable;

    if (((uint32_t)value & STATUS_KSU) == STATUS_KSU)
        mask &= ~STATUS_KSU;
    set_masked32(&cpu->cp0.status, mask, value);
    mips_update_mode(cpu);
    mips_poll_interrupts(cpu);
}

static uint64_t read_cause(struct mips_cpu *cpu, const struct cp0_register *r)
{
    mips_timer_poll(cpu);
    return mips_cause_read(cpu);
}

static void write_cause(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t mask = CAUSE_IP_SOFTWARE | CAUSE_IV, old = cpu->cp0.cause;

    if (mips_has(cpu, MIPS_HAS_R2))
        mask |= CAUSE_DC;
    if (!(value & CAUSE_WP)) /* it is only cleared */
        mask |= CAUSE_WP;
    set_masked32(&cpu->cp0.cause, mask, value);
    if ((old ^ cpu->cp0.cause) & CAUSE_DC)
        mips_timer_update(cpu);
    mips_poll_interrupts(cpu);
}

static uint64_t read_prid(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return cpu->model->prid;
}

/* WG in the value written lets bits 63:30 be written, where it can be set. */
static void write_ebase(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint64_t mask = UINT64_C(0x3ffff000);

    if (!cpu->model->vector_base_fixed) {
        mask |= EBASE_WG;
        if (value & EBASE_WG)
            mask = ~UINT64_C(0x7ff);
    }
    cpu->cp0.ebase = (cpu->cp0.ebase & ~mask) | (value & mask);
    if (!cpu->wide)
        cpu->cp0.ebase = (uint32_t)cpu->cp0.ebase;
}

static void write_config(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    uint32_t *const at[8] = {&cpu->cp0.config0, &cpu->cp0.config1, &cpu->cp0.config2,
                             &cpu->cp0.config3, &cpu->cp0.config4, &cpu->cp0.config5,
                             &cpu->cp0.config6, &cpu->cp0.config7};

    set_masked32(at[r->select], cpu->model->config_writable[r->select], value);
    mips_update_mode(cpu);
}

/* With Config5.LLB bit 0 is the LLbit, which software may clear. */
static uint64_t read_lladdr(struct mips_cpu *cpu, const struct cp0_register *r)
{
    bool llb = cpu->cp0.config5 & CONFIG5_LLB;

    return (cpu->cp0.lladdr & ~UINT64_C(1)) | (llb && cpu->ll_valid);
}

static void write_lladdr(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    if ((cpu->cp0.config5 & CONFIG5_LLB) && !(value & 1))
        cpu->ll_valid = 0;
}

static uint64_t read_maar(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return cpu->cp0.maar[cpu->cp0.maari % ARRAY_SIZE(cpu->cp0.maar)];
}

static void write_maar(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    cpu->cp0.maar[cpu->cp0.maari % ARRAY_SIZE(cpu->cp0.maar)] = value;
}

/* Writing all ones tells how many there are. */
static void write_maari(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    enum { ALL = 0x3f };
    unsigned index = (unsigned)value & ALL;

    if (index == ALL)
        cpu->cp0.maari = ARRAY_SIZE(cpu->cp0.maar) - 1;
    else if (index < ARRAY_SIZE(cpu->cp0.maar))
        cpu->cp0.maari = index;
}

/* Watchpoints are kept, and not watched. */
static uint64_t read_watchlo(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return cpu->cp0.watchlo[r->select];
}

static void write_watchlo(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    if (value & 7)
        log_unimp_once("mips: watchpoint at %" PRIx64 "\n", value);
    cpu->cp0.watchlo[r->select] = value;
}

static uint64_t read_watchhi(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return cpu->cp0.watchhi[r->select] | (r->select < 7 ? CONFIG_M : 0);
}

static void write_watchhi(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    const uint32_t plain = 0x40ff0ff8, cleared = 7;

    cpu->cp0.watchhi[r->select] =
        ((uint32_t)value & plain) | (cpu->cp0.watchhi[r->select] & cleared & ~(uint32_t)value);
}

static uint64_t read_perf(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return r->select & 1 ? cpu->cp0.perfcnt[r->select / 2] : cpu->cp0.perfctl[r->select / 2];
}

/* Performance counters are kept, and count nothing. */
static void write_perf(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    if (r->select & 1) {
        cpu->cp0.perfcnt[r->select / 2] = (uint32_t)value;
        return;
    }
    if (value & 0xf)
        log_unimp_once("mips: performance counter control %08x\n", (uint32_t)value);
    cpu->cp0.perfctl[r->select / 2] = (uint32_t)value & ~CONFIG_M;
}

/* DM is changed by DERET and exceptions. SSt: single steps are not made. */
static void write_debug(struct mips_cpu *cpu, const struct cp0_register *r, uint64_t value)
{
    if (value & DEBUG_SST)
        log_unimp_once("mips: single step by EJTAG (Debug %08x)\n", (uint32_t)value);
    set_masked32(&cpu->cp0.debug, DEBUG_SST | DEBUG_LSNM | DEBUG_COUNTDM, value);
}

/* ---- the table ------------------------------------------------------------------------------- */

#define FIELD(n, s, register_name, cp0_name, written)                                              \
    .number = (n), .select = (s), .name = (register_name), .field = F_CP0_##cp0_name,              \
    .mask = (written)
#define CALL(n, s, register_name, read_function, write_function)                                   \
    .number = (n), .select = (s), .name = (register_name), .read = (read_function),                \
    .write = (write_function)
/* Read as a field, written by a function. */
#define WRITTEN(n, s, register_name, cp0_name, write_function)                                     \
    FIELD(n, s, register_name, cp0_name, 0), .write = (write_function)
#define CONFIG(n, bits) .config = (n), .config_bits = (bits)
#define KSCRATCH(n)                                                                                \
    {                                                                                              \
        FIELD(31, n, "KScratch" #n, KSCRATCH##n, ALL64),                                           \
            CONFIG(4, UINT32_C(1) << (CONFIG4_KSCREXIST_SHIFT + (n)))                              \
    }
#define WATCH(n)                                                                                   \
    {CALL(18, n, "WatchLo", read_watchlo, write_watchlo), CONFIG(1, CONFIG1_WR)},                  \
    {                                                                                              \
        CALL(19, n, "WatchHi", read_watchhi, write_watchhi), CONFIG(1, CONFIG1_WR)                 \
    }
#define PERF(n)                                                                                    \
    {                                                                                              \
        CALL(25, n, n & 1 ? "PerfCnt" : "PerfCtl", read_perf, write_perf), CONFIG(1, CONFIG1_PC)   \
    }

static const struct cp0_register registers[] = {
    {WRITTEN(0, 0, "Index", INDEX, write_index)},
    {CALL(1, 0, "Random", read_random, NULL)},
    {FIELD(2, 0, "EntryLo0", ENTRYLO0, 0), .flags = ENTRYLO},
    {FIELD(3, 0, "EntryLo1", ENTRYLO1, 0), .flags = ENTRYLO},
    {FIELD(4, 0, "Context", CONTEXT, ~UINT64_C(0x7fffff))},
    {FIELD(4, 2, "UserLocal", USERLOCAL, ALL64), CONFIG(3, CONFIG3_ULRI)},
    {FIELD(5, 0, "PageMask", PAGEMASK, PAGEMASK_BITS)},
    {WRITTEN(5, 1, "PageGrain", PAGEGRAIN, write_pagegrain), .features = MIPS_HAS_R2},
    {WRITTEN(5, 2, "SegCtl0", SEGCTL0, write_segctl), .flags = MODE, CONFIG(3, CONFIG3_SC)},
    {WRITTEN(5, 3, "SegCtl1", SEGCTL1, write_segctl), .flags = MODE, CONFIG(3, CONFIG3_SC)},
    {WRITTEN(5, 4, "SegCtl2", SEGCTL2, write_segctl), .flags = MODE, CONFIG(3, CONFIG3_SC)},
    {WRITTEN(6, 0, "Wired", WIRED, write_wired)},
    {WRITTEN(7, 0, "HWREna", HWRENA, write_hwrena), .flags = MODE, .features = MIPS_HAS_R2},
    {FIELD(8, 0, "BadVAddr", BADVADDR, 0)},
    {FIELD(8, 1, "BadInstr", BADINSTR, 0), CONFIG(3, CONFIG3_BI)},
    {FIELD(8, 2, "BadInstrP", BADINSTRP, 0), CONFIG(3, CONFIG3_BP)},
    {CALL(9, 0, "Count", read_count, write_count)},
    {WRITTEN(10, 0, "EntryHi", ENTRYHI, write_entryhi), .flags = MODE},
    {WRITTEN(11, 0, "Compare", COMPARE, write_compare)},
    {WRITTEN(12, 0, "Status", STATUS, write_status), .flags = MODE},
    {FIELD(12, 1, "IntCtl", INTCTL, UINT64_C(0x3e0)), .features = MIPS_HAS_R2},
    {FIELD(12, 2, "SRSCtl", SRSCTL, 0), .features = MIPS_HAS_R2},
    {FIELD(12, 3, "SRSMap", SRSMAP, 0), .features = MIPS_HAS_R2},
    {CALL(13, 0, "Cause", read_cause, write_cause)},
    {FIELD(14, 0, "EPC", EPC, ALL64)},
    {CALL(15, 0, "PRId", read_prid, NULL)},
    {WRITTEN(15, 1, "EBase", EBASE, write_ebase), .features = MIPS_HAS_R2},
    {WRITTEN(16, 0, "Config", CONFIG0, write_config), .flags = MODE},
    {WRITTEN(16, 1, "Config1", CONFIG1, write_config), .flags = MODE},
    {WRITTEN(16, 2, "Config2", CONFIG2, write_config), .flags = MODE, CONFIG(1, CONFIG_M)},
    {WRITTEN(16, 3, "Config3", CONFIG3, write_config), .flags = MODE, CONFIG(2, CONFIG_M)},
    {WRITTEN(16, 4, "Config4", CONFIG4, write_config), .flags = MODE, CONFIG(3, CONFIG_M)},
    {WRITTEN(16, 5, "Config5", CONFIG5, write_config), .flags = MODE, CONFIG(4, CONFIG_M)},
    {WRITTEN(16, 6, "Config6", CONFIG6, write_config), .flags = MODE},
    {WRITTEN(16, 7, "Config7", CONFIG7, write_config), .flags = MODE},
    {CALL(17, 0, "LLAddr", read_lladdr, write_lladdr)},
    {CALL(17, 1, "MAAR", read_maar, write_maar), CONFIG(5, CONFIG5_MRP)},
    {WRITTEN(17, 2, "MAARI", MAARI, write_maari), CONFIG(5, CONFIG5_MRP)},
    WATCH(0),
    WATCH(1),
    WATCH(2),
    WATCH(3),
    WATCH(4),
    WATCH(5),
    WATCH(6),
    WATCH(7),
    {WRITTEN(20, 0, "XContext", XCONTEXT, write_xcontext), .features = MIPS_HAS_64},
    {WRITTEN(23, 0, "Debug", DEBUG, write_debug), CONFIG(1, CONFIG1_EP)},
    {FIELD(24, 0, "DEPC", DEPC, ALL64), CONFIG(1, CONFIG1_EP)},
    PERF(0),
    PERF(1),
    PERF(2),
    PERF(3),
    {FIELD(26, 0, "ErrCtl", ERRCTL, ALL64)},
    {FIELD(27, 0, "CacheErr", CACHEERR, 0)},
    {FIELD(28, 0, "TagLo", TAGLO0, UINT64_C(0xffffffff))},
    {FIELD(28, 1, "DataLo", DATALO0, 0)},
    {FIELD(28, 2, "TagLo2", TAGLO2, UINT64_C(0xffffffff))},
    {FIELD(28, 3, "DataLo2", DATALO2, 0)},
    {FIELD(29, 0, "TagHi", TAGHI0, UINT64_C(0xffffffff))},
    {FIELD(29, 1, "DataHi", DATAHI0, 0)},
    {FIELD(29, 2, "TagHi2", TAGHI2, UINT64_C(0xffffffff))},
    {FIELD(29, 3, "DataHi2", DATAHI2, 0)},
    {FIELD(30, 0, "ErrorEPC", ERROREPC, ALL64)},
    {FIELD(31, 0, "DESAVE", DESAVE, ALL64), CONFIG(1, CONFIG1_EP)},
    KSCRATCH(2),
    KSCRATCH(3),
    KSCRATCH(4),
    KSCRATCH(5),
    KSCRATCH(6),
    KSCRATCH(7),
};

/* The row that this processor has; NULL: none. */
static const struct cp0_register *find(const struct mips_cpu *cpu, unsigned number, unsigned select)
{
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        const struct cp0_register *r = &registers[i];

        if (r->number == number && r->select == select)
            return mips_has(cpu, r->features) &&
                           (!r->config_bits || (config_value(cpu, r->config) & r->config_bits))
                       ? r
                       : NULL;
    }
    return NULL;
}

/* ---- access at run time ---------------------------------------------------------------------- */

static bool is_wide(const struct cp0_register *r)
{
    return mips_fields64[r->field].type == IR_I64;
}

static char *place(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return (char *)cpu + mips_fields64[r->field].offset;
}

static uint64_t field_read(struct mips_cpu *cpu, const struct cp0_register *r)
{
    return is_wide(r) ? load_le64(place(cpu, r))
                      : (uint64_t)(int64_t)(int32_t)load_le32(place(cpu, r));
}

static uint64_t cp0_read(void *opaque, uint32_t index)
{
    const struct cp0_register *r = &registers[index];

    return r->read(mips_cpu(opaque), r);
}
static const struct ir_helper helper_cp0_read =
    IR_HELPER(cp0_read, IR_I64, 1, 0, GROUP_CP0 | GROUP_LL, GROUP_CP0);

static void cp0_write(void *opaque, uint32_t index, uint64_t value)
{
    const struct cp0_register *r = &registers[index];

    r->write(mips_cpu(opaque), r, value);
}
static const struct ir_helper helper_cp0_write =
    IR_HELPER(cp0_write, IR_VOID, 2, 0, GROUP_CP0, GROUP_CP0 | GROUP_LL);
static const struct ir_helper helper_cp0_write_mode =
    IR_HELPER(cp0_write, IR_VOID, 2, 0, GROUP_CP0 | GROUP_FCSR | GROUP_PC, GROUP_CP0 | GROUP_PC);

/* RI and XI in bits 31:30 of a word. */
static uint64_t entrylo_of_word(uint64_t word)
{
    return (word & UINT64_C(0x3fffffff)) | (word & UINT64_C(0xc0000000)) << 32;
}

static uint64_t entrylo_to_word(uint64_t entrylo)
{
    return (entrylo & UINT64_C(0x3fffffff)) | (entrylo >> 32 & UINT64_C(0xc0000000));
}

uint64_t mips_cp0_get(struct mips_cpu *cpu, unsigned number, unsigned select)
{
    const struct cp0_register *r = find(cpu, number, select);
    uint64_t value;

    if (!r)
        return 0;
    value = r->read ? r->read(cpu, r) : field_read(cpu, r);
    if (!mips_is_64(cpu) && (r->flags & ENTRYLO))
        value = entrylo_to_word(value);
    return cpu->wide ? value : (uint32_t)value;
}

void mips_cp0_set(struct mips_cpu *cpu, unsigned number, unsigned select, uint64_t value)
{
    const struct cp0_register *r = find(cpu, number, select);
    uint64_t mask = r ? r->mask : 0;

    if (!r)
        return;
    if (!cpu->wide)
        value = (uint32_t)value;
    if (r->write) {
        r->write(cpu, r, value);
        return;
    }
    if (r->flags & ENTRYLO) {
        mask = entrylo_mask(cpu);
        value = mips_is_64(cpu) ? value : entrylo_of_word(value);
    }
    value = (field_read(cpu, r) & ~mask) | (value & mask);
    if (is_wide(r))
        store_le64(place(cpu, r), value);
    else
        store_le32(place(cpu, r), (uint32_t)value);
}

/* ---- translation ----------------------------------------------------------------------------- */

static const struct cp0_register *find_or_say(struct xlat *x, int rd, int sel, const char *what)
{
    const struct cp0_register *r = find(mips_cpu(x->cpu), (unsigned)rd, (unsigned)sel);

    if (!r)
        log_printf(LOG_UNIMP, "mips: %s of CP0 register %d, select %d at %" PRIx64 "\n", what, rd,
                   sel, mips_xlat(x)->insn_pc);
    return r;
}

/* A register as I64. */
static ir_ref emit_get(struct xlat *x, const struct cp0_register *r)
{
    struct ir_builder *b = &x->b;

    if (r->read)
        return ir_call(b, &helper_cp0_read, ir_i32(b, (uint32_t)(r - registers)), IR_NONE, IR_NONE,
                       IR_NONE);
    return is_wide(r) ? ir_get(b, r->field) : ir_un(b, IR_WIDEN_S, ir_get(b, r->field));
}

/* MFHC0, MTHC0: of the registers there are, EntryLo0 and EntryLo1 are wider than a word: PFNX. */
static bool mfhc0(struct xlat *x, int rt, const struct cp0_register *r)
{
    struct ir_builder *b = &x->b;
    ir_ref value = ir_i32(b, 0);

    if (r->flags & ENTRYLO)
        value =
            ir_bin_i(b, IR_AND, ir_un(b, IR_NARROW, ir_bin_i(b, IR_SHR, ir_get(b, r->field), 30)),
                     UINT32_C(0xffffff));
    mips_set32(x, rt, value);
    return true;
}

static bool mthc0(struct xlat *x, int rt, const struct cp0_register *r)
{
    struct ir_builder *b = &x->b;
    uint64_t mask = entrylo_mask(mips_cpu(x->cpu)) & ~(ENTRYLO_RI | ENTRYLO_XI | 0x3fffffff);
    ir_ref value;

    if (!(r->flags & ENTRYLO))
        return true;
    value = ir_bin_i(b, IR_SHL, ir_un(b, IR_WIDEN_U, mips_get32(x, rt)), 30);
    ir_set(b, r->field,
           ir_bin(b, IR_OR, ir_bin_i(b, IR_AND, ir_get(b, r->field), ~mask),
                  ir_bin_i(b, IR_AND, value, mask)));
    return true;
}

bool mips_translate_mfc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width width)
{
    const struct cp0_register *r;
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (width == MIPS_CP0_HIGH && !(mips_cpu(x->cpu)->cp0.config5 & CONFIG5_MVH))
        return false;
    r = find_or_say(x, rd, sel, "read");
    if (!r) {
        mips_set32(x, rt, ir_i32(b, 0));
        return true;
    }
    if (width == MIPS_CP0_HIGH)
        return mfhc0(x, rt, r);
    value = emit_get(x, r);
    if (width == MIPS_CP0_DOUBLEWORD) {
        mips_set64(x, rt, value);
        return true;
    }
    if (r->flags & ENTRYLO)
        value = ir_bin(b, IR_OR, ir_bin_i(b, IR_AND, value, 0x3fffffff),
                       ir_bin_i(b, IR_AND, ir_bin_i(b, IR_SHR, value, 32), UINT64_C(0xc0000000)));
    mips_set32(x, rt, ir_un(b, IR_NARROW, value));
    return true;
}

/* The value of GPR rt as the register gets it. */
static ir_ref emit_value(struct xlat *x, int rt, const struct cp0_register *r,
                         enum mips_cp0_width width)
{
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (width == MIPS_CP0_DOUBLEWORD)
        return mips_get64(x, rt);
    if (!(r->flags & ENTRYLO))
        return ir_un(b, mips_xlat(x)->wide ? IR_WIDEN_S : IR_WIDEN_U, mips_get32(x, rt));
    value = ir_un(b, IR_WIDEN_U, mips_get32(x, rt));
    if (!(entrylo_mask(mips_cpu(x->cpu)) & ENTRYLO_RI))
        return ir_bin_i(b, IR_AND, value, 0x3fffffff);
    return ir_bin(b, IR_OR, ir_bin_i(b, IR_AND, value, 0x3fffffff),
                  ir_bin_i(b, IR_SHL, ir_bin_i(b, IR_AND, value, UINT64_C(0xc0000000)), 32));
}

/* Bits of the mask get the value. */
static void emit_set(struct xlat *x, const struct cp0_register *r, ir_ref value)
{
    struct ir_builder *b = &x->b;
    bool wide = is_wide(r);
    uint64_t all = wide ? ALL64 : UINT32_MAX;
    uint64_t mask = (r->flags & ENTRYLO ? entrylo_mask(mips_cpu(x->cpu)) : r->mask) & all;

    if (!mask)
        return;
    if (!wide)
        value = ir_un(b, IR_NARROW, value);
    if (mask != all)
        value = ir_bin_i(b, IR_AND, value, mask);
    if (mask != all && !(r->flags & ENTRYLO)) /* EntryLo's other bits are zero */
        value = ir_bin(b, IR_OR, value, ir_bin_i(b, IR_AND, ir_get(b, r->field), ~mask & all));
    ir_set(b, r->field, value);
}

bool mips_translate_mtc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width width)
{
    const struct cp0_register *r;
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (width == MIPS_CP0_HIGH && !(mips_cpu(x->cpu)->cp0.config5 & CONFIG5_MVH))
        return false;
    r = find_or_say(x, rd, sel, "write");
    if (!r)
        return true;
    if (width == MIPS_CP0_HIGH)
        return mthc0(x, rt, r);
    if (r->read && !r->write)
        return true;
    value = emit_value(x, rt, r, width);
    if (!r->write) {
        emit_set(x, r, value);
        return true;
    }
    if (r->flags & MODE)
        mips_sync_pc(x);
    ir_call(b, r->flags & MODE ? &helper_cp0_write_mode : &helper_cp0_write,
            ir_i32(b, (uint32_t)(r - registers)), value, IR_NONE, IR_NONE);
    if (r->flags & MODE)
        mips_end_lookup_next(x);
    return true;
}

/* ---- RDHWR ----------------------------------------------------------------------------------- */

enum hardware_register {
    HWR_CPUNUM,
    HWR_SYNCI_STEP,
    HWR_CC,
    HWR_CCRES,
    HWR_PERFCTR,
    HWR_XNP,
    HWR_ULR = 29,
};

static bool hardware_register_exists(const struct mips_cpu *cpu, unsigned n)
{
    switch (n) {
    case HWR_CPUNUM:
    case HWR_SYNCI_STEP:
    case HWR_CC:
    case HWR_CCRES:
        return true;
    case HWR_PERFCTR:
        return mips_has(cpu, MIPS_HAS_R6) && (cpu->cp0.config1 & CONFIG1_PC);
    case HWR_XNP:
        return mips_has(cpu, MIPS_HAS_R6);
    case HWR_ULR:
        return cpu->cp0.config3 & CONFIG3_ULRI;
    default:
        return false;
    }
}

/* Those that never change. */
static uint32_t fixed_hardware_register(const struct mips_cpu *cpu, unsigned n)
{
    unsigned line = extract32(cpu->cp0.config1, 10, 3); /* DL */

    switch (n) {
    case HWR_CPUNUM:
        return cpu->v.index;
    case HWR_SYNCI_STEP:
        return line ? 2u << line : 0;
    case HWR_CCRES:
        return cpu->model->count_divider;
    default:
        return (cpu->cp0.config5 & CONFIG5_XNP) != 0;
    }
}

static uint64_t rdhwr(void *opaque, uint32_t n, uint32_t select)
{
    struct mips_cpu *cpu = mips_cpu(opaque);
    bool privileged = mips_mode(cpu) == MODE_KERNEL || (cpu->cp0.status & STATUS_CU0);

    if (!privileged && !(cpu->cp0.hwrena >> n & 1))
        mips_raise_exception(cpu, MIPS_EXC_RI, 0);
    switch (n) {
    case HWR_CC:
        return mips_count_read(cpu);
    case HWR_PERFCTR:
        return select & 1 ? cpu->cp0.perfcnt[select / 2 % 4] : cpu->cp0.perfctl[select / 2 % 4];
    default:
        return fixed_hardware_register(cpu, n);
    }
}
static const struct ir_helper helper_rdhwr =
    IR_HELPER(rdhwr, IR_I64, 2, HELPER_MAY_FAULT, GROUP_CP0, 0);

bool mips_translate_rdhwr(struct xlat *x, int rt, int rd, int sel)
{
    struct ir_builder *b = &x->b;
    ir_ref value;

    if (!hardware_register_exists(mips_cpu(x->cpu), (unsigned)rd))
        return mips_raise_here(x, MIPS_EXC_RI, 0);
    if (rd == HWR_ULR) {
        if (!mips_x_key(x, KEY_USERLOCAL))
            return mips_raise_here(x, MIPS_EXC_RI, 0);
        mips_set64(x, rt, ir_get(b, F_CP0_USERLOCAL));
        return true;
    }
    if (mips_x_key(x, KEY_CP0) && rd != HWR_CC && rd != HWR_PERFCTR) {
        mips_set32(x, rt, ir_i32(b, fixed_hardware_register(mips_cpu(x->cpu), (unsigned)rd)));
        return true;
    }
    value = ir_call(b, &helper_rdhwr, ir_i32(b, (uint32_t)rd), ir_i32(b, (uint32_t)sel), IR_NONE,
                    IR_NONE);
    mips_set32(x, rt, ir_un(b, IR_NARROW, value));
    return true;
}

/* ---- reset ----------------------------------------------------------------------------------- */

/* PRA "Segmentation Control": what the segments are without it. */
static void reset_segments(struct mips_cpu *cpu)
{
    enum { UK, MK, MSK, MUSK };
    enum { EU = 1 << 3, PA_SHIFT = 9, AM_SHIFT = 4, UNCACHED = 2, CACHED = 3 };

    cpu->cp0.segctl0 = MK << AM_SHIFT | CACHED | (MSK << AM_SHIFT | CACHED) << 16;
    cpu->cp0.segctl1 = UK << AM_SHIFT | UNCACHED | (UK << AM_SHIFT | CACHED) << 16;
    cpu->cp0.segctl2 =
        2 << PA_SHIFT | MUSK << AM_SHIFT | EU | UNCACHED | (MUSK << AM_SHIFT | EU | UNCACHED) << 16;
}

/* PRA "Reset Exception". What is UNDEFINED there is zero here. */
void mips_cp0_reset(struct mips_cpu *cpu)
{
    const struct mips_model *m = cpu->model;
    uint32_t base = m->vector_base_fixed ? m->vector_base_fixed : UINT32_C(0x80000000);
    unsigned ipti = 7;

    memset(&cpu->cp0, 0, sizeof(cpu->cp0));
    cpu->cp0.config0 = m->config[0] | (cpu->big_endian ? CONFIG0_BE : 0);
    cpu->cp0.config1 = m->config[1];
    cpu->cp0.config2 = m->config[2];
    cpu->cp0.config3 = m->config[3];
    cpu->cp0.config4 = m->config[4];
    cpu->cp0.config5 = m->config[5];
    cpu->cp0.config6 = m->config[6];
    cpu->cp0.config7 = m->config[7];
    cpu->cp0.status = STATUS_ERL | STATUS_BEV | (m->status_reset);
    cpu->cp0.intctl = ipti << 29 | ipti << 26; /* IPTI, IPPCI */
    cpu->cp0.srsctl = m->srsctl;
    cpu->cp0.pagegrain = m->pagegrain_reset;
    cpu->cp0.ebase = mips_address(cpu, base) | cpu->v.index;
    cpu->cp0.random_state = 0x12345678;
    cpu->cp0.debug = 1 << 15; /* EJTAGver 2.5 */
    reset_segments(cpu);
}
