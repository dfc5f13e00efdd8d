/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMSAv7: translation table walks in both formats, memory attributes, fault status codes, and the
 * mapping of ASIDs and domains to the software MMU's address spaces. ARM ARM chapter B3.
 */
#include "frontend/arm/system.h"

#include <inttypes.h>

#include "util/log.h"

enum { TAG_SLOT_SHIFT = 8, TAG_SLOTS = 0xff00, TAG_MMU_OFF = 1 << 16 };

/* ---- reading tables ---------------------------------------------------------------------------
 */

/* Where a table is, and which of TTBR0 and TTBR1 says so, if one does. */
struct arm_table {
    gpa base;
    uint8_t root;
};

/* A descriptor that translates 2^span_bits addresses, in the byte order of SCTLR.EE. false: nothing
 * behind the address. */
static bool load_descriptor(struct arm_cpu *cpu, struct arm_walk *w, struct arm_table table,
                            uint32_t offset, unsigned size, unsigned span_bits, uint64_t *value)
{
    bool swap = (cpu->cp15.sctlr & SCTLR_EE) != 0;
    const uint8_t *host = memory_ram_pointer(cpu->v.memory, table.base | offset, size);
    bool ok = true;

    if (LIKELY(host))
        *value = size == 8 ? __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED)
                           : __atomic_load_n((const uint32_t *)host, __ATOMIC_RELAXED);
    else
        *value = memory_load(cpu->v.memory, table.base | offset, size, &ok);
    w->untracked |= !host;
    w->source[w->n_sources++] = (struct tlb_source){.entry = table.root ? offset : (uintptr_t)host,
                                                    .value = *value,
                                                    .va = w->va,
                                                    .span_bits = (uint8_t)span_bits,
                                                    .bytes = (uint8_t)size,
                                                    .root = table.root};
    if (swap)
        *value = size == 8 ? __builtin_bswap64(*value) : __builtin_bswap32((uint32_t)*value);
    return ok;
}

static bool walk_fault(struct arm_walk *w, enum arm_fault fault, unsigned level)
{
    w->fault = (uint8_t)fault;
    w->level = (uint8_t)level;
    return false;
}

/* ---- memory attributes --------------------------------------------------------------------------
 */

/* A 2-bit cache policy of NMRR or TEX (ARM ARM table B3-11) as a MAIR nibble. */
static unsigned cache_policy(unsigned code)
{
    static const uint8_t nibbles[4] = {0x4, 0xf, 0xa, 0xe};
    return nibbles[code & 3];
}

/* With TEX remap: ARM ARM B3.8.3. */
static void attributes_remapped(const struct arm_cpu *cpu, struct arm_walk *w, unsigned index,
                                bool shareable)
{
    uint32_t prrr = cpu->cp15.prrr_mair0, nmrr = cpu->cp15.nmrr_mair1;
    unsigned type = extract32(prrr, index * 2, 2);

    switch (type) {
    case 0: /* Strongly-ordered */
        w->memory = 0x00;
        shareable = true;
        break;
    case 1: /* Device: DS1, DS0 */
        w->memory = 0x04;
        shareable = prrr >> (shareable ? 17 : 16) & 1;
        break;
    default: /* Normal: NS1, NS0 */
        w->memory = (uint8_t)(cache_policy(extract32(nmrr, 16 + index * 2, 2)) << 4 |
                              cache_policy(extract32(nmrr, index * 2, 2)));
        shareable = prrr >> (shareable ? 19 : 18) & 1;
        break;
    }
    w->share = !shareable ? 0 : prrr >> (24 + index) & 1 ? 3 : 2;
}

/* Without: ARM ARM table B3-10. */
static void attributes_plain(struct arm_walk *w, unsigned tex, unsigned cb, bool shareable)
{
    w->share = shareable ? 2 : 0;
    if (tex & 4) {
        w->memory = (uint8_t)(cache_policy(tex & 3) << 4 | cache_policy(cb));
        return;
    }
    switch (tex << 2 | cb) {
    case 0: /* Strongly-ordered */
        w->memory = 0x00;
        w->share = 2;
        break;
    case 1: /* shareable Device */
        w->memory = 0x04;
        w->share = 2;
        break;
    case 8: /* non-shareable Device */
        w->memory = 0x04;
        w->share = 0;
        break;
    case 2:
        w->memory = 0xaa;
        break;
    case 3:
        w->memory = 0xee;
        break;
    case 7:
        w->memory = 0xff;
        break;
    default:
        w->memory = 0x44;
        break;
    }
}

static void attributes_short(const struct arm_cpu *cpu, struct arm_walk *w, unsigned tex,
                             unsigned cb, bool shareable)
{
    if (cpu->cp15.sctlr & SCTLR_TRE)
        attributes_remapped(cpu, w, (tex & 1) << 2 | cb, shareable);
    else
        attributes_plain(w, tex, cb, shareable);
}

/* ---- permissions --------------------------------------------------------------------------------
 */

/* ARM ARM table B3-8: AP[2:0] for one privilege. */
static unsigned short_permission(const struct arm_cpu *cpu, unsigned ap, bool user)
{
    static const uint8_t privileged_rw[8] = {0, 3, 3, 3, 0, 1, 1, 1};
    static const uint8_t user_rw[8] = {0, 0, 1, 3, 0, 0, 1, 1};

    if (cpu->cp15.sctlr & SCTLR_AFE) /* AP[0] is the access flag; the model is AP[2:1] */
        ap |= 1;
    return user ? user_rw[ap] : privileged_rw[ap];
}

/* Adds PERM_X: ARM ARM B3.7.2. `perm` and `user_perm` are the RW rights of the privilege asked for
 * and of user mode. */
static unsigned add_execute(const struct arm_cpu *cpu, const struct arm_walk *w, unsigned perm,
                            unsigned user_perm, bool xn, bool pxn)
{
    bool lpae = (cpu->model->features & ARM_HAS_LPAE) != 0;

    if (xn || !(perm & PERM_R))
        return perm;
    if (!lpae)
        return perm | PERM_X;
    if (!w->user && pxn)
        return perm;
    if ((cpu->cp15.sctlr & SCTLR_WXN) && (perm & PERM_W))
        return perm;
    if (!w->user && (cpu->cp15.sctlr & SCTLR_UWXN) && (user_perm & PERM_W))
        return perm;
    return perm | PERM_X;
}

/* Domain, access flag and permission of a short-format leaf. */
static bool check_short(const struct arm_cpu *cpu, struct arm_walk *w, unsigned ap, bool xn,
                        bool pxn)
{
    unsigned rights = extract32(cpu->cp15.dacr, w->domain * 2, 2);

    if ((cpu->cp15.sctlr & SCTLR_AFE) && !(ap & 1))
        return walk_fault(w, FAULT_ACCESS_FLAG, w->level);
    switch (rights) {
    case 1: /* client */
        w->perm = (uint8_t)add_execute(cpu, w, short_permission(cpu, ap, w->user),
                                       short_permission(cpu, ap, true), xn, pxn);
        return true;
    case 3: /* manager: nothing is checked, not even XN */
        w->perm = PERM_R | PERM_W | PERM_X;
        return true;
    default:
        return walk_fault(w, FAULT_DOMAIN, w->level);
    }
}

/* ---- short format: ARM ARM B3.5 -----------------------------------------------------------------
 */

static bool walk_section(struct arm_cpu *cpu, struct arm_walk *w, uint32_t descriptor)
{
    unsigned ap = extract32(descriptor, 15, 1) << 2 | extract32(descriptor, 10, 2);
    bool lpae = (cpu->model->features & ARM_HAS_LPAE) != 0;

    w->level = 1;
    if (descriptor & 1u << 18) {
        w->supersection = true;
        w->domain = 0;
        w->block_size = 16 * MIB;
        w->physical = (descriptor & 0xff000000u) | (w->va & 0x00ffffffu);
        if (lpae) /* 40-bit physical addresses */
            w->physical |=
                (gpa)extract32(descriptor, 20, 4) << 32 | (gpa)extract32(descriptor, 5, 4) << 36;
    } else {
        w->domain = (uint8_t)extract32(descriptor, 5, 4);
        w->block_size = MIB;
        w->physical = (descriptor & 0xfff00000u) | (w->va & 0x000fffffu);
    }
    w->not_secure = descriptor >> 19 & 1;
    w->global = !(descriptor >> 17 & 1);
    attributes_short(cpu, w, extract32(descriptor, 12, 3), extract32(descriptor, 2, 2),
                     descriptor >> 16 & 1);
    return check_short(cpu, w, ap, descriptor >> 4 & 1, descriptor & 1);
}

static bool walk_second_level(struct arm_cpu *cpu, struct arm_walk *w, uint32_t first)
{
    struct arm_table table = {.base = first & 0xfffffc00u};
    uint64_t descriptor;
    unsigned ap, tex;
    bool xn;

    w->level = 2;
    w->domain = (uint8_t)extract32(first, 5, 4);
    w->not_secure = first >> 3 & 1;
    if (!load_descriptor(cpu, w, table, w->va >> 10 & 0x3fc, 4, 12, &descriptor))
        return walk_fault(w, FAULT_WALK_EXTERNAL, 2);
    switch (descriptor & 3) {
    case 0:
        return walk_fault(w, FAULT_TRANSLATION, 2);
    case 1:
        w->block_size = 64 * KIB;
        w->physical = (descriptor & 0xffff0000u) | (w->va & 0xffffu);
        tex = extract32((uint32_t)descriptor, 12, 3);
        xn = descriptor >> 15 & 1;
        break;
    default:
        w->block_size = 4 * KIB;
        w->physical = (descriptor & 0xfffff000u) | (w->va & 0xfffu);
        tex = extract32((uint32_t)descriptor, 6, 3);
        xn = descriptor & 1;
        break;
    }
    w->global = !(descriptor >> 11 & 1);
    ap = extract32((uint32_t)descriptor, 9, 1) << 2 | extract32((uint32_t)descriptor, 4, 2);
    attributes_short(cpu, w, tex, extract32((uint32_t)descriptor, 2, 2), descriptor >> 10 & 1);
    return check_short(cpu, w, ap, xn, first >> 2 & 1);
}

/* Where TTBR0 and TTBR1 point. */
static struct arm_table short_root(const struct arm_cpu *cpu, bool low)
{
    unsigned n = cpu->cp15.ttbcr & TTBCR_N;

    if (low)
        return (struct arm_table){(uint32_t)cpu->cp15.ttbr0 & (~UINT32_C(0) << (14 - n)), 1};
    return (struct arm_table){(uint32_t)cpu->cp15.ttbr1 & 0xffffc000u, 2};
}

static bool walk_short(struct arm_cpu *cpu, struct arm_walk *w)
{
    uint32_t ttbcr = cpu->cp15.ttbcr;
    unsigned n = ttbcr & TTBCR_N;
    bool low = n == 0 || w->va >> (32 - n) == 0;
    uint64_t descriptor;

    if (ttbcr & (low ? TTBCR_PD0 : TTBCR_PD1))
        return walk_fault(w, FAULT_TRANSLATION, 1);
    if (!load_descriptor(cpu, w, short_root(cpu, low), (w->va >> 20) << 2, 4, 20, &descriptor))
        return walk_fault(w, FAULT_WALK_EXTERNAL, 1);
    switch (descriptor & 3) {
    case 1:
        return walk_second_level(cpu, w, (uint32_t)descriptor);
    case 3: /* a section with PXN, where there is PXN */
        if (!(cpu->model->features & ARM_HAS_LPAE))
            return walk_fault(w, FAULT_TRANSLATION, 1);
        return walk_section(cpu, w, (uint32_t)descriptor);
    case 2:
        return walk_section(cpu, w, (uint32_t)descriptor);
    default:
        return walk_fault(w, FAULT_TRANSLATION, 1);
    }
}

/* ---- long format: ARM ARM B3.6 ------------------------------------------------------------------
 */

/* The first table of TTBR0 or TTBR1, for a region of 2^size_bits: it has 2^(size_bits - 30) or
 * 2^(size_bits - 21) entries of 8 bytes. */
static struct arm_table long_root(const struct arm_cpu *cpu, bool low, unsigned *size_bits)
{
    uint64_t ttbr = low ? cpu->cp15.ttbr0 : cpu->cp15.ttbr1;
    unsigned n;

    *size_bits = 32 - extract32(cpu->cp15.ttbcr, low ? 0 : 16, 3);
    n = *size_bits > 30 ? *size_bits - 27 : *size_bits - 18;
    return (struct arm_table){extract64(ttbr, 0, 40) & (~UINT64_C(0) << n), low ? 1 : 2};
}

/* Which table the address belongs to and where its walk begins. false: to neither. */
static bool long_start(const struct arm_cpu *cpu, const struct arm_walk *w, struct arm_table *table,
                       unsigned *size_bits)
{
    uint32_t ttbcr = cpu->cp15.ttbcr;
    unsigned t0sz = ttbcr & 7, t1sz = extract32(ttbcr, 16, 3);
    bool low = t0sz == 0 ? t1sz == 0 || ~w->va >> (32 - t1sz) != 0 : w->va >> (32 - t0sz) == 0;
    bool high = !low && (t1sz == 0 ? w->va >> (32 - t0sz) != 0 : ~w->va >> (32 - t1sz) == 0);

    if ((!low && !high) || ttbcr & (low ? TTBCR_EPD0 : TTBCR_EPD1))
        return false;
    *table = long_root(cpu, low, size_bits);
    return true;
}

static bool check_long(struct arm_cpu *cpu, struct arm_walk *w, uint64_t descriptor,
                       uint64_t table_attributes)
{
    uint32_t mair = descriptor & 1 << 4 ? cpu->cp15.nmrr_mair1 : cpu->cp15.prrr_mair0;
    bool read_only = (descriptor >> 7 & 1) || (table_attributes >> 62 & 1);
    bool user_access = (descriptor >> 6 & 1) && !(table_attributes >> 61 & 1);
    bool xn = (descriptor >> 54 & 1) || (table_attributes >> 60 & 1);
    bool pxn = (descriptor >> 53 & 1) || (table_attributes >> 59 & 1);
    unsigned any = read_only ? PERM_R : PERM_R | PERM_W;
    unsigned user_perm = user_access ? any : 0;

    w->memory = (uint8_t)extract32(mair, extract64(descriptor, 2, 2) * 8, 8);
    w->share = (uint8_t)extract64(descriptor, 8, 2);
    w->global = !(descriptor >> 11 & 1);
    w->not_secure = (descriptor >> 5 & 1) || (table_attributes >> 63 & 1);
    if (!(descriptor & 1 << 10))
        return walk_fault(w, FAULT_ACCESS_FLAG, w->level);
    w->perm = (uint8_t)add_execute(cpu, w, w->user ? user_perm : any, user_perm, xn, pxn);
    return true;
}

static bool walk_long(struct arm_cpu *cpu, struct arm_walk *w)
{
    uint64_t table_attributes = 0, descriptor;
    struct arm_table table;
    unsigned size_bits, level;

    if (!long_start(cpu, w, &table, &size_bits))
        return walk_fault(w, FAULT_TRANSLATION, 1);
    for (level = size_bits > 30 ? 1 : 2;; level++) {
        unsigned shift = 39 - 9 * level; /* 30, 21, 12 */
        /* The first table's index is cut to the region's size. */
        uint32_t in_region = size_bits == 32 ? w->va : extract32(w->va, 0, size_bits);
        uint32_t index = in_region >> shift & 0x1ff;

        w->level = (uint8_t)level;
        if (!load_descriptor(cpu, w, table, index << 3, 8, shift, &descriptor))
            return walk_fault(w, FAULT_WALK_EXTERNAL, level);
        if (!(descriptor & 1) || (level == 3 && !(descriptor & 2)))
            return walk_fault(w, FAULT_TRANSLATION, level);
        if (level == 3 || !(descriptor & 2)) {
            w->block_size = UINT64_C(1) << shift;
            w->physical = (extract64(descriptor, 0, 40) & ~(w->block_size - 1)) |
                          (w->va & (w->block_size - 1));
            return check_long(cpu, w, descriptor, table_attributes);
        }
        table_attributes |= descriptor & (UINT64_C(0x1f) << 59);
        table = (struct arm_table){.base = extract64(descriptor, 0, 40) & ~UINT64_C(0xfff)};
    }
}

bool arm_walk_table(struct arm_cpu *cpu, struct arm_walk *w)
{
    w->fault = FAULT_NONE;
    w->level = 0;
    w->domain = 0;
    w->perm = 0;
    w->supersection = w->not_secure = w->global = w->untracked = false;
    w->n_sources = 0;
    if (!(cpu->cp15.sctlr & SCTLR_M)) { /* ARM ARM B3.2.1: flat, Strongly-ordered */
        w->physical = w->va;
        w->block_size = 4 * KIB;
        w->perm = PERM_R | PERM_W | PERM_X;
        w->memory = 0x00;
        w->share = 2;
        return true;
    }
    return arm_uses_long_format(cpu) ? walk_long(cpu, w) : walk_short(cpu, w);
}

/* ---- faults -------------------------------------------------------------------------------------
 */

/* ARM ARM table B3-23; FS[4] is bit 10. */
static uint32_t short_status(unsigned fault, unsigned level, unsigned domain)
{
    bool second = level >= 2;

    switch (fault) {
    case FAULT_ALIGNMENT:
        return 0x001;
    case FAULT_TRANSLATION:
        return second ? 0x007 | domain << 4 : 0x005;
    case FAULT_ACCESS_FLAG:
        return (second ? 0x006 : 0x003) | domain << 4;
    case FAULT_DOMAIN:
        return (second ? 0x00b : 0x009) | domain << 4;
    case FAULT_PERMISSION:
        return (second ? 0x00f : 0x00d) | domain << 4;
    case FAULT_WALK_EXTERNAL:
        return second ? 0x00e | domain << 4 : 0x00c;
    case FAULT_DEBUG:
        return 0x002;
    default:
        return 0x008;
    }
}

/* ARM ARM table B3-24; bit 9 says that this is the format. */
static uint32_t long_status(unsigned fault, unsigned level)
{
    switch (fault) {
    case FAULT_ALIGNMENT:
        return 0x221;
    case FAULT_TRANSLATION:
        return 0x204 | level;
    case FAULT_ACCESS_FLAG:
        return 0x208 | level;
    case FAULT_DOMAIN:
        return 0x23c | level;
    case FAULT_PERMISSION:
        return 0x20c | level;
    case FAULT_WALK_EXTERNAL:
        return 0x214 | level;
    case FAULT_DEBUG:
        return 0x222;
    default:
        return 0x210;
    }
}

uint32_t arm_fault_status(const struct arm_cpu *cpu, unsigned fault, unsigned level,
                          unsigned domain)
{
    return arm_uses_long_format(cpu) ? long_status(fault, level)
                                     : short_status(fault, level, domain);
}

static NORETURN void client_fault(void *opaque, const struct mmu_fault *fault)
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    unsigned kind = fault->unaligned  ? FAULT_ALIGNMENT
                    : fault->external ? FAULT_EXTERNAL
                                      : fault->syndrome;
    unsigned domain = fault->unaligned ? 0 : fault->extra & FAULT_EXTRA_DOMAIN;
    uint32_t status = arm_fault_status(cpu, kind, fault->level, domain);
    struct exception e = {.address = (uint32_t)fault->address};

    if (fault->access == MMU_EXEC) {
        e.kind = ARM_EXC_PREFETCH_ABORT;
        e.syndrome = status & ~0xf0u; /* IFSR has no domain */
        if (arm_uses_long_format(cpu))
            e.syndrome = status;
    } else {
        e.kind = ARM_EXC_DATA_ABORT;
        e.syndrome = status | (fault->access == MMU_WRITE ? 1u << 11 : 0);
        if (fault->extra & FAULT_EXTRA_CM) /* a cache operation counts as a write */
            e.syndrome |= 1u << 11 | (cpu->model->features & ARM_HAS_LPAE ? 1u << 13 : 0);
    }
    vcpu_raise(&cpu->v, &e);
}

static const char *const fault_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_ALIGNMENT] = "alignment",
    [FAULT_TRANSLATION] = "translation",
    [FAULT_ACCESS_FLAG] = "access flag",
    [FAULT_DOMAIN] = "domain",
    [FAULT_PERMISSION] = "permission",
    [FAULT_WALK_EXTERNAL] = "external abort on walk",
    [FAULT_EXTERNAL] = "external abort",
    [FAULT_DEBUG] = "debug",
};

static COLD void log_walk_failure(const struct arm_cpu *cpu, const struct arm_walk *w,
                                  enum mmu_access access)
{
    static const char *const access_names[] = {"read", "write", "exec"};

    log_write("mmu: %s of %08x as %s: %s fault, level %u domain %u (ttbcr %08x ttbr0 %" PRIx64
              " ttbr1 %" PRIx64 " dacr %08x)\n",
              access_names[access], w->va, w->user ? "user" : "privileged", fault_names[w->fault],
              w->level, w->domain, cpu->cp15.ttbcr, cpu->cp15.ttbr0, cpu->cp15.ttbr1,
              cpu->cp15.dacr);
}

static void note_global(struct arm_cpu *cpu, uint32_t va, uint64_t block_size)
{
    uint32_t first = va >> 20, count = 1;

    if (cpu->sys.global_pages[first / 32] >> (first % 32) & 1)
        return;
    if (block_size > MIB) {
        first = (uint32_t)align_down(va, block_size) >> 20;
        count = (uint32_t)(block_size >> 20);
    }
    for (uint32_t i = first; i < first + count; i++)
        cpu->sys.global_pages[i / 32] |= 1u << (i % 32);
}

static void tell_sources(const struct arm_walk *w, struct tlb_fill *out)
{
    out->untracked = w->untracked;
    out->n_sources = w->n_sources;
    memcpy(out->source, w->source, w->n_sources * sizeof(w->source[0]));
}

static void client_sources(void *opaque, gva va, struct tlb_fill *out)
{
    struct arm_walk w = {.va = (uint32_t)va};

    arm_walk_table(arm_cpu(opaque), &w);
    tell_sources(&w, out);
}

static void client_roots(void *opaque, const uint8_t *roots[MAX_ROOTS])
{
    struct arm_cpu *cpu = arm_cpu(opaque);
    unsigned size_bits;

    for (unsigned i = 0; i < MAX_ROOTS; i++) {
        if (arm_uses_long_format(cpu))
            roots[i] = memory_ram_pointer(cpu->v.memory, long_root(cpu, !i, &size_bits).base, 8);
        else
            roots[i] = memory_ram_pointer(cpu->v.memory, short_root(cpu, !i).base, 4);
    }
}

static bool client_walk(void *opaque, gva va, enum mmu_access access, bool user,
                        struct tlb_fill *out, struct mmu_fault *fault)
{
    static const uint8_t need[] = {[MMU_READ] = PERM_R, [MMU_WRITE] = PERM_W, [MMU_EXEC] = PERM_X};
    struct arm_cpu *cpu = arm_cpu(opaque);
    struct arm_walk w = {.va = (uint32_t)va, .user = user};
    bool ok = arm_walk_table(cpu, &w);

    if (ok && !(w.perm & need[access]))
        ok = walk_fault(&w, FAULT_PERMISSION, w.level);
    if (!ok) {
        fault->syndrome = w.fault;
        fault->level = w.level;
        fault->extra = w.domain;
        if (log_on(LOG_MMU))
            log_walk_failure(cpu, &w, access);
        return false;
    }
    if (w.global)
        note_global(cpu, w.va, w.block_size);
    out->physical = w.physical;
    out->block_size = w.block_size;
    out->readable = w.perm & PERM_R;
    out->writable = w.perm & PERM_W;
    out->executable = w.perm & PERM_X;
    /* MMU off is Strongly-ordered too, but there KEY_ALIGN already asks for alignment. */
    out->device = (cpu->cp15.sctlr & SCTLR_M) && arm_memory_is_device(w.memory);
    tell_sources(&w, out);
    return true;
}

const struct mmu_client arm_mmu_client = {
    .walk = client_walk,
    .fault = client_fault,
    .roots = client_roots,
    .sources = client_sources,
};

/* ---- address spaces and TLB maintenance ---------------------------------------------------------
 */

uint32_t arm_mmu_tag(const struct arm_cpu *cpu)
{
    uint64_t ttbr;

    if (!(cpu->cp15.sctlr & SCTLR_M))
        return TAG_MMU_OFF;
    if (!arm_uses_long_format(cpu))
        return (cpu->cp15.contextidr & 0xff) | (uint32_t)cpu->sys.dacr_slot << TAG_SLOT_SHIFT;
    ttbr = cpu->cp15.ttbcr & TTBCR_A1 ? cpu->cp15.ttbr1 : cpu->cp15.ttbr0;
    return (uint32_t)extract64(ttbr, 48, 8);
}

/* Domain rights are checked when the TLB is filled, so each DACR value gets spaces of its own. */
void arm_mmu_set_dacr(struct arm_cpu *cpu, uint32_t value)
{
    unsigned slot;

    cpu->cp15.dacr = value;
    for (slot = 0; slot < cpu->sys.n_dacr; slot++)
        if (cpu->sys.dacr_values[slot] == value)
            break;
    if (slot == cpu->sys.n_dacr) {
        if (slot == ARM_DACR_SLOTS) {
            arm_mmu_flush_all(cpu);
            slot = cpu->sys.n_dacr = 0;
        }
        cpu->sys.dacr_values[slot] = value;
        cpu->sys.n_dacr++;
    }
    cpu->sys.dacr_slot = (uint8_t)slot;
}

void arm_mmu_flush_all(struct arm_cpu *cpu)
{
    memset(cpu->sys.global_pages, 0, sizeof(cpu->sys.global_pages));
    cpu->sys.tables_reshaped = false;
    if (cpu->v.mmu)
        mmu_flush_all(cpu->v.mmu);
}

/* TLBIALL and the others: what the tables still say stays valid, unless they are read in another
 * way than they were. */
void arm_mmu_invalidate_all(struct arm_cpu *cpu)
{
    if (cpu->sys.tables_reshaped)
        arm_mmu_flush_all(cpu);
    else
        mmu_revalidate_all(cpu->v.mmu);
}

static unsigned slots_in_use(const struct arm_cpu *cpu)
{
    return arm_uses_long_format(cpu) ? 1 : MAX(cpu->sys.n_dacr, 1);
}

/* TLBIASID leaves global entries alone; dropping them too is allowed. */
void arm_mmu_invalidate_asid(struct arm_cpu *cpu, unsigned asid)
{
    for (unsigned slot = 0; slot < slots_in_use(cpu); slot++) {
        uint32_t tag = (asid & 0xff) | slot << TAG_SLOT_SHIFT;

        if (cpu->sys.tables_reshaped)
            mmu_flush_tag(cpu->v.mmu, tag);
        else
            mmu_revalidate(cpu->v.mmu, tag);
    }
}

static bool can_compare(const struct arm_cpu *cpu)
{
    return (cpu->cp15.sctlr & SCTLR_M) && !cpu->sys.tables_reshaped;
}

/* Pages of larger mappings are the software MMU's business. */
void arm_mmu_invalidate_va(struct arm_cpu *cpu, uint32_t va)
{
    if (can_compare(cpu))
        mmu_revalidate_page(cpu->v.mmu, arm_mmu_tag(cpu), TAG_SLOTS, va & ~0xfffu, true);
    else
        mmu_flush_page(cpu->v.mmu, va & ~0xfffu);
}

/* A global entry goes whatever ASID the operation names. */
void arm_mmu_invalidate_va_asid(struct arm_cpu *cpu, uint32_t va_and_asid)
{
    uint32_t va = va_and_asid & ~0xfffu, asid = va_and_asid & 0xff, mb = va >> 20;

    if (cpu->sys.global_pages[mb / 32] >> (mb % 32) & 1) {
        arm_mmu_invalidate_va(cpu, va);
        return;
    }
    if (can_compare(cpu) && (arm_mmu_tag(cpu) & ~(uint32_t)TAG_SLOTS) == asid) {
        mmu_revalidate_page(cpu->v.mmu, asid, TAG_SLOTS, va, false);
        return;
    }
    for (unsigned slot = 0; slot < slots_in_use(cpu); slot++)
        mmu_flush_page_tag(cpu->v.mmu, asid | slot << TAG_SLOT_SHIFT, va);
}

/* ---- VA to PA, cache operations -------------------------------------------------------------- */

/* PAR's Inner field and Outer field (ARM ARM B4.1.112) of a MAIR-style type. */
static uint32_t par_attributes(uint8_t memory)
{
    static const uint8_t inner_of[4] = {0, 0, 6, 7}, outer_of[4] = {0, 0, 2, 3};
    unsigned outer = memory >> 4, inner = memory & 15;
    uint32_t bits;

    if (outer == 0)
        return (inner & 4 ? 3u : 1u) << 4;
    bits = (inner == 0xf ? 5u : inner_of[inner >> 2]) << 4;
    return bits | (outer == 0xf ? 1u : outer_of[outer >> 2]) << 2;
}

static uint64_t par_of_fault(const struct arm_cpu *cpu, const struct arm_walk *w)
{
    uint32_t status = arm_fault_status(cpu, w->fault, w->level, 0);

    if (arm_uses_long_format(cpu))
        return 1 | (status & 0x3f) << 1 | 1u << 11;
    return 1 | (status & 0xf) << 1 | (status >> 10 & 1) << 5 | (status >> 12 & 1) << 6;
}

uint64_t arm_mmu_translate_for_par(struct arm_cpu *cpu, uint32_t va, enum mmu_access access,
                                   bool user)
{
    struct arm_walk w = {.va = va, .user = user};
    bool ok = arm_walk_table(cpu, &w);

    if (ok && !(w.perm & (access == MMU_WRITE ? PERM_W : PERM_R)))
        ok = walk_fault(&w, FAULT_PERMISSION, w.level);
    if (!ok)
        return par_of_fault(cpu, &w);
    if (arm_uses_long_format(cpu))
        return (w.physical & UINT64_C(0xfffffff000)) | (uint64_t)w.memory << 56 | 1u << 11 |
               (uint32_t)w.not_secure << 9 | (uint32_t)w.share << 7;
    if (w.supersection) /* the address's bits 39:32 are in 23:16 */
        return (w.physical & 0xff000000u) | (w.physical >> 32 & 0xff) << 16 | 1u << 1 |
               (w.share ? 1u << 7 : 0) | (w.share == 3 ? 1u << 10 : 0) | par_attributes(w.memory);
    return (w.physical & 0xfffff000u) | (uint32_t)w.not_secure << 9 | (w.share ? 1u << 7 : 0) |
           (w.share == 3 ? 1u << 10 : 0) | par_attributes(w.memory);
}

/* ARM ARM B3.13.4: translation, access flag and domain faults, as of an access of the mode; no
 * permission is needed. What the TLB can read cannot fault. */
void arm_mmu_cache_operation(struct arm_cpu *cpu, uint32_t va)
{
    const uint64_t *read_table = (const uint64_t *)(const void *)(cpu->v.run.tlb + TLB_READ);
    struct arm_walk w = {.va = va};
    struct mmu_fault fault = {.address = va, .access = MMU_READ};

    if (cpu->v.run.tlb && read_table[va >> TLB_PAGE_BITS])
        return;
    if (arm_walk_table(cpu, &w))
        return;
    fault.syndrome = w.fault;
    fault.level = w.level;
    fault.extra = w.domain | FAULT_EXTRA_CM;
    if (log_on(LOG_MMU))
        log_walk_failure(cpu, &w, MMU_READ);
    client_fault(cpu, &fault);
}

/* ---- for the monitor ---------------------------------------------------------------------------
 */

static uint8_t rights_shown(unsigned perm)
{
    return (uint8_t)((perm & PERM_R ? 1 << MMU_READ : 0) | (perm & PERM_W ? 1 << MMU_WRITE : 0) |
                     (perm & PERM_X ? 1 << MMU_EXEC : 0));
}

/* The memory type in MAIR's encoding (ARM ARM B4.1.104). */
static const char *memory_name(uint8_t memory)
{
    if (memory == 0x00)
        return "strongly-ordered";
    if (memory == 0x04)
        return "device";
    return memory >> 4 == 4 ? "normal, not cached" : "normal";
}

/* Leaf entries are told of even where a domain or an access flag keeps everybody out. */
static bool is_leaf(const struct arm_walk *w, bool found)
{
    return found || w->fault == FAULT_DOMAIN || w->fault == FAULT_ACCESS_FLAG;
}

void arm_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(v);
    uint64_t va = 0;
    char text[64];

    if (!(cpu->cp15.sctlr & SCTLR_M)) {
        tell(opaque, &(struct guest_mapping){.size = UINT64_C(1) << 32,
                                             .privileged = rights_shown(PERM_R | PERM_W | PERM_X),
                                             .user = rights_shown(PERM_R | PERM_W | PERM_X),
                                             .text = "MMU off"});
        return;
    }
    for (unsigned n = 0; va >> 32 == 0 && n < GUEST_MAX_LOOKUPS; n++) {
        struct arm_walk w = {.va = (uint32_t)va}, user = {.va = (uint32_t)va, .user = true};
        bool found = is_leaf(&w, arm_walk_table(cpu, &w));
        uint64_t span = MIB;
        if (found) {
            span = w.block_size;
            arm_walk_table(cpu, &user);
            snprintf(text, sizeof(text), "%s%s%s", memory_name(w.memory), w.share ? ", shared" : "",
                     w.global ? "" : ", nG");
        } else if (w.n_sources) {
            span = UINT64_C(1) << w.source[w.n_sources - 1].span_bits;
        }
        struct guest_mapping mapping = {.address = va,
                                        .physical = w.physical,
                                        .size = span,
                                        .privileged = rights_shown(w.perm),
                                        .user = rights_shown(user.perm),
                                        .text = text};
        if (found && !tell(opaque, &mapping))
            return;
        va = (va & ~(span - 1)) + span;
    }
}
