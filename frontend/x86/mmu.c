/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paging (SDM vol. 3, chapter 4): no paging, 32-bit with PSE, PAE, four levels; protection,
 * accessed and dirty bits, and the control registers that decide about them.
 */
#include "frontend/x86/system.h"
#include "util/log.h"

enum entry_bits {
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8,
    PTE_PAT_LARGE = 1 << 12,
};
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)

enum page_fault_error { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16 };
/* mmu_fault.level: what else than a page fault it is. */
enum { FAULT_PAGE, FAULT_NON_CANONICAL };

/* ---- page tables in memory ------------------------------------------------------------------- */

/* *where: in the host's memory, or NULL if it is not in RAM. */
static uint64_t entry_load(struct x86_cpu *cpu, gpa address, unsigned bytes, const uint8_t **where)
{
    const uint8_t *host = memory_ram_pointer(cpu->v.memory, address, bytes);
    bool ok;

    *where = host;
    if (LIKELY(host))
        return bytes == 8 ? __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED)
                          : __atomic_load_n((const uint32_t *)host, __ATOMIC_RELAXED);
    uint64_t value = memory_load(cpu->v.memory, address, bytes, &ok);
    return ok ? value : UINT64_MAX;
}

/* Sets bits of an entry that has not changed meanwhile; false: it has. */
static bool entry_set(struct x86_cpu *cpu, gpa address, unsigned bytes, uint64_t old, uint64_t bits)
{
    uint8_t *host = memory_ram_pointer(cpu->v.memory, address, bytes);
    bool ok;

    if (!host) {
        memory_store(cpu->v.memory, address, old | bits, bytes, &ok);
        return true;
    }
    if (bytes == 8)
        return __atomic_compare_exchange_n((uint64_t *)host, &old, old | bits, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    uint32_t old32 = (uint32_t)old;
    return __atomic_compare_exchange_n((uint32_t *)host, &old32, old32 | (uint32_t)bits, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* ---- the walk -------------------------------------------------------------------------------- */

enum { MAX_LEVELS = 4 };

struct walk {
    struct x86_cpu *cpu;
    gva va;
    enum mmu_access access;
    bool user;
    struct {
        gpa address;
        uint64_t value;
        const uint8_t *host;
        uint8_t span_bits;
    } entry[MAX_LEVELS];
    unsigned n;
    unsigned bytes;  /* of an entry */
    uint64_t rights; /* W, U of all levels ANDed; NX of all ORed */
    uint64_t base, page_bytes;
    uint32_t error;
};

static bool nx_enabled(const struct x86_cpu *cpu)
{
    return cpu->efer & EFER_NXE;
}

/* Bits that have to be 0 in an entry (SDM vol. 3, 4.4.2 and 4.5.4). */
static uint64_t reserved_bits(const struct x86_cpu *cpu, bool pae)
{
    uint64_t reserved = PTE_ADDRESS & ~cpu->sys->physical_mask;

    if (!nx_enabled(cpu))
        reserved |= PTE_NX;
    if (pae && !(cpu->efer & EFER_LMA))
        reserved |= UINT64_C(0x7ff0000000000000);
    return reserved;
}

/* The entry that translates 2 to span_bits addresses. */
static bool take(struct walk *w, gpa table, unsigned span_bits, uint64_t reserved)
{
    unsigned index = w->va >> span_bits & (w->bytes == 8 ? 0x1ff : 0x3ff);
    gpa address = (table + index * w->bytes) & w->cpu->sys->a20_mask;
    uint64_t value = entry_load(w->cpu, address, w->bytes, &w->entry[w->n].host);

    w->entry[w->n].address = address;
    w->entry[w->n].span_bits = (uint8_t)span_bits;
    w->entry[w->n++].value = value;
    if (!(value & PTE_P))
        return false;
    if (value & reserved) {
        w->error |= PF_P | PF_RSVD;
        return false;
    }
    w->rights = (w->rights & (value | ~(uint64_t)(PTE_W | PTE_U))) | (value & PTE_NX);
    return true;
}

static bool walk32(struct walk *w)
{
    struct x86_cpu *cpu = w->cpu;
    uint64_t value;

    w->bytes = 4;
    if (!take(w, cpu->cr3 & 0xfffff000, 22, 0))
        return false;
    value = w->entry[0].value;
    if ((value & PTE_PS) && (cpu->cr4 & CR4_PSE)) {
        /* PSE-36 (4.3): bits 20:13 are the address's bits 39:32. */
        uint64_t high = x86_has(cpu, HAS_PSE36) ? value >> 13 & 0xff : 0;
        if (value & 1 << 21 || high & ~(cpu->sys->physical_mask >> 32)) {
            w->error |= PF_P | PF_RSVD;
            return false;
        }
        w->page_bytes = 1 << 22;
        w->base = (value & 0xffc00000) | high << 32;
        return true;
    }
    if (!take(w, value & 0xfffff000, 12, 0))
        return false;
    w->base = w->entry[1].value & 0xfffff000;
    return true;
}

/* From the page directory on: PAE and four levels alike. */
static bool walk_directory(struct walk *w, uint64_t table, uint64_t reserved)
{
    uint64_t value;

    if (!take(w, table, 21, reserved))
        return false;
    value = w->entry[w->n - 1].value;
    if (value & PTE_PS) {
        if (value & 0x1fe000) {
            w->error |= PF_P | PF_RSVD;
            return false;
        }
        w->page_bytes = 1 << 21;
        w->base = value & PTE_ADDRESS & ~UINT64_C(0x1fffff);
        return true;
    }
    if (!take(w, value & PTE_ADDRESS, 12, reserved))
        return false;
    w->base = w->entry[w->n - 1].value & PTE_ADDRESS;
    return true;
}

static bool walk_pae(struct walk *w)
{
    uint64_t pointer = w->cpu->sys->pdpte[(uint32_t)w->va >> 30];

    w->bytes = 8;
    return (pointer & PTE_P) &&
           walk_directory(w, pointer & PTE_ADDRESS, reserved_bits(w->cpu, true));
}

static bool walk64(struct walk *w)
{
    struct x86_cpu *cpu = w->cpu;
    uint64_t reserved = reserved_bits(cpu, true), value;

    w->bytes = 8;
    if (!take(w, cpu->cr3 & PTE_ADDRESS, 39, reserved | PTE_PS) ||
        !take(w, w->entry[0].value & PTE_ADDRESS, 30, reserved))
        return false;
    value = w->entry[1].value;
    if (!(value & PTE_PS))
        return walk_directory(w, value & PTE_ADDRESS, reserved);
    if (!x86_has(cpu, HAS_PDPE1GB) || value & 0x3fffe000) {
        w->error |= PF_P | PF_RSVD;
        return false;
    }
    w->page_bytes = 1 << 30;
    w->base = value & PTE_ADDRESS & ~UINT64_C(0x3fffffff);
    return true;
}

/* ---- rights (4.6) ---------------------------------------------------------------------------- */

struct rights {
    bool read, write, execute;
};

static struct rights rights_of(const struct walk *w)
{
    const struct x86_cpu *cpu = w->cpu;
    bool user_page = w->rights & PTE_U, writable = w->rights & PTE_W;
    bool executable = !(w->rights & PTE_NX);

    if (w->user)
        return (struct rights){user_page, user_page && writable, user_page && executable};
    bool smap = user_page && (cpu->cr4 & CR4_SMAP) && !(cpu->eflags & EFLAGS_AC);
    bool smep = user_page && (cpu->cr4 & CR4_SMEP);
    return (struct rights){
        .read = !smap,
        .write = !smap && (writable || !(cpu->cr0 & CR0_WP)),
        .execute = executable && !smep,
    };
}

/* Accessed in every entry used, dirty in the last one of a store. False: an entry has changed. */
static bool set_used(struct walk *w, bool *dirty)
{
    for (unsigned i = 0; i < w->n; i++) {
        bool last = i == w->n - 1;
        uint64_t want = PTE_A | (last && w->access == MMU_WRITE ? PTE_D : 0);
        uint64_t value = w->entry[i].value;
        if ((value & want) != want &&
            !entry_set(w->cpu, w->entry[i].address, w->bytes, value, want))
            return false;
        w->entry[i].value |= want;
        if (last)
            *dirty = (value | want) & PTE_D;
    }
    return true;
}

static bool fail(const struct walk *w, uint32_t error, struct mmu_fault *fault)
{
    const struct x86_cpu *cpu = w->cpu;

    if (w->access == MMU_WRITE)
        error |= PF_W;
    if (w->user)
        error |= PF_U;
    if (w->access == MMU_EXEC &&
        ((nx_enabled(cpu) && (cpu->cr4 & CR4_PAE)) || (cpu->cr4 & CR4_SMEP)))
        error |= PF_I;
    fault->syndrome = error;
    fault->level = FAULT_PAGE;
    return false;
}

static bool walk_tables(struct walk *w)
{
    const struct x86_cpu *cpu = w->cpu;

    w->n = 0;
    w->rights = PTE_W | PTE_U;
    w->page_bytes = 1 << 12;
    w->error = 0;
    if (cpu->efer & EFER_LMA)
        return walk64(w);
    return cpu->cr4 & CR4_PAE ? walk_pae(w) : walk32(w);
}

/* Which entries the mapping comes from, as they are now. */
static void tell_sources(const struct walk *w, struct tlb_fill *out)
{
    const struct x86_system *sys = w->cpu->sys;
    bool pae = (w->cpu->cr4 & CR4_PAE) && !(w->cpu->efer & EFER_LMA);

    if (pae) {
        unsigned index = (uint32_t)w->va >> 30;

        out->source[out->n_sources++] = (struct tlb_source){.entry = index * sizeof(sys->pdpte[0]),
                                                            .value = sys->pdpte[index],
                                                            .va = w->va,
                                                            .span_bits = 30,
                                                            .bytes = 8,
                                                            .root = 1};
    }
    for (unsigned i = 0; i < w->n; i++) {
        bool in_root = !i && !pae;
        uintptr_t entry =
            in_root ? w->entry[i].address & (TLB_PAGE_SIZE - 1) : (uintptr_t)w->entry[i].host;

        out->untracked |= !w->entry[i].host;
        out->source[out->n_sources++] = (struct tlb_source){.entry = entry,
                                                            .value = w->entry[i].value,
                                                            .va = w->va,
                                                            .span_bits = w->entry[i].span_bits,
                                                            .bytes = (uint8_t)w->bytes,
                                                            .root = in_root};
    }
}

static void x86_sources(void *opaque, gva va, struct tlb_fill *out)
{
    struct walk w = {.cpu = x86_cpu(opaque), .va = va};

    walk_tables(&w);
    tell_sources(&w, out);
}

static void x86_roots(void *opaque, const uint8_t *roots[MAX_ROOTS])
{
    struct x86_cpu *cpu = x86_cpu(opaque);
    gpa mask = cpu->efer & EFER_LMA ? PTE_ADDRESS : 0xfffff000;

    if ((cpu->cr4 & CR4_PAE) && !(cpu->efer & EFER_LMA))
        roots[0] = (const uint8_t *)cpu->sys->pdpte;
    else
        roots[0] =
            memory_ram_pointer(cpu->v.memory, cpu->cr3 & mask & cpu->sys->a20_mask, TLB_PAGE_SIZE);
}

/* For debuggers: sets no accessed bit. */
static bool x86_look(void *opaque, gva va, gpa *physical)
{
    struct walk w = {.cpu = x86_cpu(opaque), .va = va};

    if (!(w.cpu->cr0 & CR0_PG)) {
        *physical = (uint32_t)va & w.cpu->sys->a20_mask;
        return true;
    }
    if (((w.cpu->efer & EFER_LMA) && !x86_is_canonical(w.cpu, va)) || !walk_tables(&w))
        return false;
    *physical = (w.base | (va & (w.page_bytes - 1))) & w.cpu->sys->a20_mask;
    return true;
}

static bool x86_walk(void *opaque, gva va, enum mmu_access access, bool user, struct tlb_fill *out,
                     struct mmu_fault *fault)
{
    struct x86_cpu *cpu = x86_cpu(opaque);
    struct walk w = {.cpu = cpu, .va = va, .access = access, .user = user};
    struct rights rights;
    bool dirty = true;

    if (!(cpu->cr0 & CR0_PG)) {
        *out = (struct tlb_fill){
            .physical = (uint32_t)va & cpu->sys->a20_mask,
            .block_size = TLB_PAGE_SIZE,
            .readable = true,
            .writable = true,
            .executable = true,
        };
        return true;
    }
    if ((cpu->efer & EFER_LMA) && !x86_is_canonical(cpu, va)) {
        fault->level = FAULT_NON_CANONICAL;
        return false;
    }
    do {
        if (!walk_tables(&w))
            return fail(&w, w.error, fault);
        rights = rights_of(&w);
        if (!(access == MMU_READ    ? rights.read
              : access == MMU_WRITE ? rights.write
                                    : rights.execute))
            return fail(&w, PF_P, fault);
    } while (!set_used(&w, &dirty));
    *out = (struct tlb_fill){
        .physical = (w.base | (va & (w.page_bytes - 1))) & cpu->sys->a20_mask,
        .block_size = w.page_bytes,
        .readable = rights.read,
        .writable = rights.write && dirty,
        .executable = rights.execute,
    };
    tell_sources(&w, out);
    return true;
}

NORETURN static void x86_mmu_fault(void *opaque, const struct mmu_fault *fault)
{
    struct x86_cpu *cpu = x86_cpu(opaque);
    struct exception e = {.kind = EXC_PF, .syndrome = fault->syndrome, .address = fault->address};

    if (fault->unaligned && fault->exclusive)
        x86_raise(cpu, EXC_GP, 0);
    /* What is wrong with the address comes before #AC. */
    if (fault->level == FAULT_NON_CANONICAL ||
        (fault->unaligned && (cpu->efer & EFER_LMA) && !x86_is_canonical(cpu, fault->address))) {
        e.kind = EXC_GP | (fault->access == MMU_EXEC ? 0 : EXC_NON_CANONICAL);
        e.syndrome = 0;
    } else if (fault->unaligned) {
        x86_raise(cpu, EXC_AC, 0);
    }
    if (fault->external) { /* code where nothing is: the bus gives ones, which is undefined */
        log_printf(LOG_GUEST_ERROR, "x86: execution at 0x%llx, where no memory is\n",
                   (unsigned long long)fault->address);
        x86_raise(cpu, EXC_UD, 0);
    }
    if (cpu->sys->trap) {
        cpu->sys->trapped = e;
        longjmp(*cpu->sys->trap, 1);
    }
    vcpu_raise(&cpu->v, &e);
}

const struct mmu_client x86_mmu_client = {
    .walk = x86_walk,
    .fault = x86_mmu_fault,
    .open_bus = true,
    .roots = x86_roots,
    .sources = x86_sources,
    .look = x86_look,
};

/* ---- control registers ----------------------------------------------------------------------- */

/* The tag of a TLB space: what a linear address means depends on it. Without process-context
 * identifiers each of the last values of CR3 has a number of its own instead. */
enum { TAG_PCID = 0xfff, TAG_UNPAGED = 1 << 12, TAG_AC = 1 << 13 };

static uint32_t context_tag(const struct x86_cpu *cpu)
{
    return cpu->cr4 & CR4_PCIDE ? cpu->cr3 & TAG_PCID : cpu->sys->context;
}

void x86_select_space(struct x86_cpu *cpu)
{
    uint32_t tag = cpu->cr0 & CR0_PG ? context_tag(cpu) : TAG_UNPAGED;

    if ((cpu->cr4 & CR4_SMAP) && (cpu->eflags & EFLAGS_AC))
        tag |= TAG_AC;
    mmu_select(cpu->v.mmu, tag, cpu->cpl != 3);
}

/* Invalidations are comparisons with the page tables: what they still say stays valid. */
void x86_flush_context(struct x86_cpu *cpu, uint32_t pcid)
{
    mmu_revalidate(cpu->v.mmu, pcid);
    if (cpu->cr4 & CR4_SMAP)
        mmu_revalidate(cpu->v.mmu, pcid | TAG_AC);
}

/* Without identifiers the spaces of other values of CR3 are compared when they are loaded; with
 * them, a global page goes from all. */
void x86_flush_page(struct x86_cpu *cpu, uint64_t linear)
{
    if (cpu->cr0 & CR0_PG)
        mmu_revalidate_page(cpu->v.mmu, context_tag(cpu), TAG_AC, linear, cpu->cr4 & CR4_PCIDE);
}

/* The number of a value of CR3: its own, or the one not used for longest. */
static unsigned context_of(struct x86_system *sys, uint64_t cr3)
{
    unsigned oldest = 0;

    for (unsigned i = 0; i < X86_CONTEXTS; i++) {
        if (sys->contexts[i].cr3 == cr3) {
            oldest = i;
            break;
        }
        if (sys->contexts[i].stamp < sys->contexts[oldest].stamp)
            oldest = i;
    }
    sys->contexts[oldest].cr3 = cr3;
    sys->contexts[oldest].stamp = ++sys->context_stamp;
    return oldest;
}

/* SDM vol. 3, 4.4.1. */
bool x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3)
{
    enum { RESERVED = 0x1e6 };
    uint64_t pdpte[4];

    for (unsigned i = 0; i < 4; i++) {
        gpa at = ((cr3 & 0xffffffe0) + i * 8) & cpu->sys->a20_mask;
        const uint8_t *where;
        pdpte[i] = entry_load(cpu, at, 8, &where);
        if ((pdpte[i] & PTE_P) && pdpte[i] & (RESERVED | ~cpu->sys->physical_mask))
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        cpu->sys->pdpte[i] = pdpte[i];
    return true;
}

static bool uses_pdptes(const struct x86_cpu *cpu, uint64_t cr0, uint64_t cr4)
{
    return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(cpu->efer & EFER_LME);
}

/* Entering and leaving long mode (SDM vol. 3, 9.8.5): LMA follows PG while LME is set. */
static void check_long_mode(struct x86_cpu *cpu, uint64_t cr0)
{
    if (!(cr0 & CR0_PG) || !(cpu->efer & EFER_LME) || (cpu->cr0 & CR0_PG))
        return;
    if (!(cpu->cr4 & CR4_PAE) || (cpu->segment[SEG_CS].attributes & ATTR_L))
        x86_raise_gp(cpu, 0);
}

void x86_set_cr0(struct x86_cpu *cpu, uint64_t value)
{
    enum {
        WRITABLE = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD
    };
    uint64_t changed;

    if (value >> 32 || ((value & CR0_PG) && !(value & CR0_PE)) ||
        ((value & CR0_NW) && !(value & CR0_CD)))
        x86_raise_gp(cpu, 0);
    value = (value & ((uint64_t)(uint32_t)WRITABLE | CR0_PG)) | CR0_ET;
    changed = value ^ cpu->cr0;
    check_long_mode(cpu, value);
    if ((changed & CR0_PG) && !(value & CR0_PG) &&
        ((cpu->cr4 & CR4_PCIDE) || (cpu->v.run.key & KEY_CODE64)))
        x86_raise_gp(cpu, 0);
    if ((changed & CR0_PG) && uses_pdptes(cpu, value, cpu->cr4) && !x86_load_pdptes(cpu, cpu->cr3))
        x86_raise_gp(cpu, 0);
    cpu->cr0 = value;
    if (value & CR0_PG && cpu->efer & EFER_LME)
        cpu->efer |= EFER_LMA;
    else
        cpu->efer &= ~(uint64_t)EFER_LMA;
    if (changed & (CR0_PG | CR0_WP))
        mmu_flush_all(cpu->v.mmu);
    x86_update_mode(cpu);
}

void x86_set_cr3(struct x86_cpu *cpu, uint64_t value)
{
    bool keep = (cpu->cr4 & CR4_PCIDE) && value >> 63;

    if (cpu->cr4 & CR4_PCIDE)
        value &= ~(UINT64_C(1) << 63);
    if (!(cpu->efer & EFER_LMA))
        value = (uint32_t)value;
    else if (value & ~(cpu->sys->physical_mask | 0xfff))
        x86_raise_gp(cpu, 0);
    if (uses_pdptes(cpu, cpu->cr0, cpu->cr4) && !x86_load_pdptes(cpu, value))
        x86_raise_gp(cpu, 0);
    cpu->cr3 = value;
    if (!(cpu->cr4 & CR4_PCIDE))
        cpu->sys->context = context_of(cpu->sys, value);
    if (!keep)
        x86_flush_context(cpu, context_tag(cpu));
    x86_select_space(cpu);
}

static uint64_t cr4_allowed(const struct x86_cpu *cpu)
{
    static const struct {
        uint8_t feature;
        uint32_t bits;
    } bits[] = {
        {HAS_VME, CR4_VME | CR4_PVI}, {HAS_TSC, CR4_TSD},       {HAS_DE, CR4_DE},
        {HAS_PSE, CR4_PSE},           {HAS_PAE, CR4_PAE},       {HAS_MCE, CR4_MCE},
        {HAS_PGE, CR4_PGE},           {HAS_CMOV, CR4_PCE},      {HAS_FXSR, CR4_OSFXSR},
        {HAS_SSE, CR4_OSXMMEXCPT},    {HAS_UMIP, CR4_UMIP},     {HAS_FSGSBASE, CR4_FSGSBASE},
        {HAS_PCID, CR4_PCIDE},        {HAS_XSAVE, CR4_OSXSAVE}, {HAS_SMEP, CR4_SMEP},
        {HAS_SMAP, CR4_SMAP},
    };
    uint64_t allowed = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
        if (x86_has(cpu, bits[i].feature))
            allowed |= bits[i].bits;
    }
    return allowed;
}

void x86_set_cr4(struct x86_cpu *cpu, uint64_t value)
{
    enum { PAGING = CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP };
    uint64_t changed = value ^ cpu->cr4;
    bool lma = cpu->efer & EFER_LMA;

    if (value & ~cr4_allowed(cpu) || (lma && !(value & CR4_PAE)) ||
        ((changed & value & CR4_PCIDE) && (!lma || cpu->cr3 & 0xfff)))
        x86_raise_gp(cpu, 0);
    if ((changed & (CR4_PAE | CR4_PSE | CR4_PGE)) && uses_pdptes(cpu, cpu->cr0, value) &&
        !x86_load_pdptes(cpu, cpu->cr3))
        x86_raise_gp(cpu, 0);
    cpu->cr4 = value;
    if (changed & PAGING & ~(uint64_t)CR4_PGE)
        mmu_flush_all(cpu->v.mmu);
    else if (changed & CR4_PGE)
        mmu_revalidate_all(cpu->v.mmu);
    x86_update_mode(cpu);
}

/* ---- for the monitor ---------------------------------------------------------------------------
 */

static uint8_t rights_shown(bool writable, bool executable)
{
    return (uint8_t)(1 << MMU_READ | writable << MMU_WRITE | executable << MMU_EXEC);
}

/* What the walk came to. */
static void describe(const struct walk *w, struct guest_mapping *out, char *text, size_t size)
{
    uint64_t entry = w->n ? w->entry[w->n - 1].value : 0;
    bool large = w->page_bytes > TLB_PAGE_SIZE, writable = w->rights & PTE_W;
    bool executable = !(w->rights & PTE_NX);

    snprintf(text, size, "%c%c%c%c", entry & PTE_G ? 'G' : '-', large ? 'P' : '-',
             entry & PTE_D ? 'D' : '-', entry & PTE_A ? 'A' : '-');
    *out = (struct guest_mapping){.address = w->va,
                                  .physical = w->base,
                                  .size = w->page_bytes,
                                  .privileged = rights_shown(writable, executable),
                                  .text = text};
    if (w->rights & PTE_U)
        out->user = rights_shown(writable, executable);
}

void x86_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque)
{
    struct x86_cpu *cpu = x86_cpu(v);
    bool is_long = cpu->efer & EFER_LMA;
    unsigned bits = is_long ? 48 : 32;
    uint64_t va = 0;
    char text[16];

    if (!(cpu->cr0 & CR0_PG)) {
        tell(opaque, &(struct guest_mapping){.size = UINT64_C(1) << 32,
                                             .privileged = rights_shown(true, true),
                                             .user = rights_shown(true, true),
                                             .text = "no paging"});
        return;
    }
    for (unsigned n = 0; va >> bits == 0 && n < GUEST_MAX_LOOKUPS; n++) {
        gva shown = is_long ? (gva)((int64_t)(va << 16) >> 16) : va;
        struct walk w = {.cpu = cpu, .va = shown};
        bool found = walk_tables(&w);
        uint64_t span =
            found ? w.page_bytes : UINT64_C(1) << (w.n ? w.entry[w.n - 1].span_bits : 30);
        struct guest_mapping mapping;
        if (found) {
            describe(&w, &mapping, text, sizeof(text));
            if (!tell(opaque, &mapping))
                return;
        }
        va = (va & ~(span - 1)) + span;
    }
}
