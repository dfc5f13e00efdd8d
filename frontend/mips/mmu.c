/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses: PRA chapter 4. The segments of each mode, programmable or not; the TLB, or the fixed
 * mapping; and how both come into the software MMU.
 *
 * A space of the software MMU is an ASID and the bits of Status that change what addresses lead to
 * (enum tag); its privileged half is kernel and supervisor mode, which have tags of their own. What
 * the software MMU has entered stays there while an entry of the TLB, or a victim (cpu.h), says the
 * same; whatever changes or takes away such an entry flushes its two pages. An entry that is not
 * valid there was never entered.
 */
#include "frontend/mips/system.h"
#include "frontend/mips/translate.h"

#include <inttypes.h>

#include "util/log.h"

enum tag {
    TAG_ASID = 0x3ff,
    TAG_SUPERVISOR = 1 << 10,
    TAG_ERL = 1 << 11,
    TAG_UX = 1 << 12,
    TAG_SX = 1 << 13,
    TAG_KX = 1 << 14,
};

#define MIB512 (UINT64_C(512) << 20)
#define GIB1 (UINT64_C(1) << 30)
#define XKSEG UINT64_C(0xc000000000000000)
#define COMPATIBILITY UINT64_C(0xffffffff80000000) /* sseg and above, sign-extended */

uint32_t mips_asid_mask(const struct mips_cpu *cpu)
{
    return cpu->cp0.config4 & CONFIG4_AE ? 0x3ff : 0xff;
}

uint64_t mips_vpn_mask(const struct mips_cpu *cpu)
{
    if (!mips_is_64(cpu))
        return cpu->wide ? ~UINT64_C(0x1fff) : UINT64_C(0xffffe000);
    return UINT64_C(3) << 62 | (((UINT64_C(1) << cpu->model->segbits) - 1) & ~UINT64_C(0x1fff));
}

uint32_t mips_mmu_tag(const struct mips_cpu *cpu)
{
    uint32_t status = cpu->cp0.status;
    uint32_t tag = (uint32_t)cpu->cp0.entryhi & mips_asid_mask(cpu);

    if (mips_mode(cpu) == MODE_SUPERVISOR)
        tag |= TAG_SUPERVISOR;
    if (status & STATUS_ERL)
        tag |= TAG_ERL;
    if (mips_is_64(cpu)) {
        tag |= status & STATUS_UX ? TAG_UX : 0;
        tag |= status & STATUS_SX ? TAG_SX : 0;
        tag |= status & STATUS_KX ? TAG_KX : 0;
    }
    return tag;
}

/* ---- segments -------------------------------------------------------------------------------- */

/* What a mode may do in a segment. */
enum segment_access { REFUSED, MAPPED, UNMAPPED };

/* PRA "Segmentation Control", table of access modes: by SegCtl's AM and by mode. */
static const uint8_t access_modes[8][3] = {
    /* kernel, supervisor, user */
    {UNMAPPED, REFUSED, REFUSED},   /* UK */
    {MAPPED, REFUSED, REFUSED},     /* MK */
    {MAPPED, MAPPED, REFUSED},      /* MSK */
    {MAPPED, MAPPED, MAPPED},       /* MUSK */
    {UNMAPPED, MAPPED, MAPPED},     /* MUSUK */
    {UNMAPPED, UNMAPPED, REFUSED},  /* USK */
    {REFUSED, REFUSED, REFUSED},    /* reserved */
    {UNMAPPED, UNMAPPED, UNMAPPED}, /* UUSK */
};

enum { SEGMENT_EU = 1 << 3 };

/* The segment's configuration, as SegCtl0..2 have it at reset without segmentation control. */
static uint32_t segment_config(const struct mips_cpu *cpu, uint32_t address)
{
    /* By bits 31:29: CFG5, CFG4 are 1 GiB, the others 512 MiB. */
    static const uint8_t config[8] = {5, 5, 4, 4, 3, 2, 1, 0};
    unsigned number = config[address >> 29];
    uint32_t pair = number < 2   ? cpu->cp0.segctl0
                    : number < 4 ? cpu->cp0.segctl1
                                 : cpu->cp0.segctl2;

    return number & 1 ? pair >> 16 : pair & 0xffff;
}

/* Addresses of 32 bits, and those of 64 bits that are the same sign-extended. */
static enum segment_access segment32(const struct mips_cpu *cpu, uint32_t address,
                                     enum mips_mode mode, struct mips_walk *out)
{
    uint32_t config = segment_config(cpu, address);
    enum segment_access access = (enum segment_access)access_modes[config >> 4 & 7][mode];
    uint64_t size = address < 0x80000000u ? GIB1 : MIB512;

    if (access == MAPPED && (config & SEGMENT_EU) && (cpu->cp0.status & STATUS_ERL) &&
        mode == MODE_KERNEL)
        access = UNMAPPED;
    if (access == UNMAPPED)
        out->physical = ((uint64_t)(config >> 9) << 29 & ~(size - 1)) | (address & (size - 1));
    return access;
}

/* PRA tables "Virtual Memory Address Spaces", 64 bits. */
static enum segment_access segment64(const struct mips_cpu *cpu, uint64_t va, enum mips_mode mode,
                                     struct mips_walk *out)
{
    uint32_t status = cpu->cp0.status;
    uint64_t within = (UINT64_C(1) << cpu->model->segbits) - 1;
    uint64_t offset = va & ~(UINT64_C(3) << 62);

    if ((uint64_t)(int64_t)(int32_t)va == va)
        return segment32(cpu, (uint32_t)va, mode, out);
    switch (va >> 62) {
    case 0: /* xuseg */
        if (!(status & STATUS_UX) || offset > within)
            return REFUSED;
        if ((status & STATUS_ERL) && mode == MODE_KERNEL) {
            out->physical = va;
            return UNMAPPED;
        }
        return MAPPED;
    case 1: /* xsseg */
        return mode != MODE_USER && (status & STATUS_SX) && offset <= within ? MAPPED : REFUSED;
    case 2: /* xkphys; bits 61:59 are the cacheability */
        out->physical = va & ((UINT64_C(1) << cpu->model->pabits) - 1);
        return mode == MODE_KERNEL && (status & STATUS_KX) &&
                       out->physical == (va & ((UINT64_C(1) << 59) - 1))
                   ? UNMAPPED
                   : REFUSED;
    default: /* xkseg, up to where the compatibility segments begin */
        return mode == MODE_KERNEL && (status & STATUS_KX) &&
                       va <= XKSEG + (within - (UINT64_C(1) << 31))
                   ? MAPPED
                   : REFUSED;
    }
}

static enum segment_access segment(const struct mips_cpu *cpu, uint64_t va, enum mips_mode mode,
                                   struct mips_walk *out)
{
    if (mips_is_64(cpu))
        return segment64(cpu, va, mode, out);
    /* A 32-bit processor of a 64-bit guest has no other addresses. */
    if (cpu->wide && (uint64_t)(int64_t)(int32_t)va != va)
        return REFUSED;
    return segment32(cpu, (uint32_t)va, mode, out);
}

/* ---- looking up ------------------------------------------------------------------------------ */

/* What a page number leaves free of a key: the ASID, and a bit that is never looked for. */
enum { KEY_ASID = 0x3ff, KEY_HIDDEN = 1 << 12 };

static struct mips_tlb_tag tag_of(const struct mips_tlb_entry *entry)
{
    return (struct mips_tlb_tag){.key = entry->vpn | entry->mmid | (entry->hidden ? KEY_HIDDEN : 0),
                                 .keep = ~(entry->mask | 0x1fff) | KEY_HIDDEN |
                                         (entry->global ? 0 : KEY_ASID)};
}

/* As if it were an entry: the page of the address, in the present space. */
static struct mips_tlb_tag tag_of_page(const struct mips_cpu *cpu, uint64_t va)
{
    return (struct mips_tlb_tag){.key = (va & mips_vpn_mask(cpu)) |
                                        (cpu->cp0.entryhi & mips_asid_mask(cpu)),
                                 .keep = ~UINT64_C(0x1fff) | KEY_HIDDEN | KEY_ASID};
}

/* Do they share an address and an ASID? */
static bool tags_meet(struct mips_tlb_tag a, struct mips_tlb_tag b)
{
    return ((a.key ^ b.key) & a.keep & b.keep) == 0;
}

enum { TAG_GROUP = 8 };

/* Does one of a group? Most do not: there is no branch for each. */
static bool group_meets(const struct mips_tlb_tag *tags, struct mips_tlb_tag tag)
{
    bool met = false;

    for (unsigned i = 0; i < TAG_GROUP; i++)
        met |= tags_meet(tags[i], tag);
    return met;
}

/* The first entry that meets it, from `index` on, or MIPS_MAX_TLB. Entries that the model does not
 * have are hidden. */
static unsigned tag_find(const struct mips_cpu *cpu, struct mips_tlb_tag tag, unsigned index)
{
    unsigned n = cpu->model->tlb_entries;

    while (index % TAG_GROUP == 0 && index < n && !group_meets(&cpu->tlb_tag[index], tag))
        index += TAG_GROUP;
    while (index < n && !tags_meet(cpu->tlb_tag[index], tag))
        index++;
    return index < n ? index : MIPS_MAX_TLB;
}

void mips_tlb_place(struct mips_cpu *cpu, unsigned index, const struct mips_tlb_entry *entry)
{
    cpu->tlb[index] = *entry;
    cpu->tlb_tag[index] = tag_of(entry);
}

static unsigned victim_bucket(uint64_t vpn)
{
    return (unsigned)(vpn >> 13) % MIPS_VICTIM_BUCKETS;
}

/* 1 + index of the next victim, from link on, that meets the tag; 0: none. */
static unsigned victim_next(const struct mips_cpu *cpu, unsigned link, struct mips_tlb_tag tag)
{
    while (link && !tags_meet(cpu->victim_link[link - 1].tag, tag))
        link = cpu->victim_link[link - 1].next;
    return link;
}

static const struct mips_tlb_entry *lookup(const struct mips_cpu *cpu, struct mips_tlb_tag page)
{
    unsigned index = tag_find(cpu, page, 0);

    return index == MIPS_MAX_TLB ? NULL : &cpu->tlb[index];
}

static const struct mips_tlb_entry *lookup_victim(const struct mips_cpu *cpu,
                                                  struct mips_tlb_tag page)
{
    unsigned link = victim_next(cpu, cpu->victim_bucket[victim_bucket(page.key)], page);

    if (!link)
        link = victim_next(cpu, cpu->victim_bucket[MIPS_VICTIM_BUCKETS], page);
    return link ? &cpu->victim[link - 1] : NULL;
}

/* 0, or the exception that the access gets from a matching entry. */
static unsigned entry_fault(const struct mips_cpu *cpu, const struct mips_tlb_entry *entry,
                            unsigned half, enum mmu_access access)
{
    bool own_codes = cpu->cp0.pagegrain & PAGEGRAIN_IEC;

    if (!entry->valid[half])
        return access == MMU_WRITE ? MIPS_EXC_TLBS : MIPS_EXC_TLBL;
    if (access == MMU_READ && entry->no_read[half])
        return own_codes ? MIPS_EXC_TLBRI : MIPS_EXC_TLBL;
    if (access == MMU_EXEC && entry->no_execute[half])
        return own_codes ? MIPS_EXC_TLBXI : MIPS_EXC_TLBL;
    if (access == MMU_WRITE && !entry->dirty[half])
        return MIPS_EXC_MOD;
    return 0;
}

static uint64_t entry_page_size(const struct mips_tlb_entry *entry)
{
    return (entry->mask + 1) >> 1;
}

static unsigned translate_mapped(const struct mips_cpu *cpu, uint64_t va, enum mmu_access access,
                                 struct mips_walk *out)
{
    struct mips_tlb_tag page = tag_of_page(cpu, va);
    const struct mips_tlb_entry *entry = lookup(cpu, page);
    uint64_t size;
    unsigned half, fault;

    /* A victim helps, but does not refuse: software would not find why. */
    if (!entry) {
        entry = lookup_victim(cpu, page);
        if (!entry || entry_fault(cpu, entry, (va & entry_page_size(entry)) != 0, access))
            return access == MMU_WRITE ? MIPS_EXC_TLBS_REFILL : MIPS_EXC_TLBL_REFILL;
    }
    size = entry_page_size(entry);
    half = (va & size) != 0;
    fault = entry_fault(cpu, entry, half, access);
    if (fault)
        return fault;
    out->physical = entry->page[half] | (va & (size - 1));
    out->page_size = size;
    out->readable = !entry->no_read[half];
    out->writable = entry->dirty[half];
    out->executable = !entry->no_execute[half];
    return 0;
}

/* PRA appendix "Fixed Mapping MMU" */
static gpa fixed_map(const struct mips_cpu *cpu, uint32_t address)
{
    return address < 0x80000000u && !(cpu->cp0.status & STATUS_ERL) ? address + GIB1 : address;
}

unsigned mips_translate_address(const struct mips_cpu *cpu, uint64_t va, enum mmu_access access,
                                enum mips_mode mode, struct mips_walk *out)
{
    *out = (struct mips_walk){
        .page_size = TLB_PAGE_SIZE, .readable = true, .writable = true, .executable = true};
    switch (segment(cpu, va, mode, out)) {
    case REFUSED:
        return access == MMU_WRITE ? MIPS_EXC_ADES : MIPS_EXC_ADEL;
    case UNMAPPED:
        return 0;
    case MAPPED:
        break;
    }
    if (!mips_has(cpu, MIPS_HAS_FIXED_MAP))
        return translate_mapped(cpu, va, access, out);
    out->physical = fixed_map(cpu, (uint32_t)va);
    return 0;
}

/* ---- the software MMU's side ----------------------------------------------------------------- */

static NORETURN void client_fault(void *opaque, const struct mmu_fault *fault)
{
    struct mips_cpu *cpu = mips_cpu(opaque);
    bool write = fault->access == MMU_WRITE;
    struct exception e = {
        .kind = fault->syndrome, .syndrome = fault->exclusive, .address = fault->address};
    struct mips_walk walk;
    unsigned refused;

    if (fault->external) {
        e.kind = fault->access == MMU_EXEC ? MIPS_EXC_IBE : MIPS_EXC_DBE;
    } else if (fault->unaligned) {
        e.kind = write ? MIPS_EXC_ADES : MIPS_EXC_ADEL;
    } else if (!e.kind) { /* an external one of a walk that was not asked why */
        refused = mips_translate_address(cpu, fault->address, fault->access, mips_mode(cpu), &walk);
        e.kind = refused ? refused : MIPS_EXC_DBE;
    }
    /* While it is translated, a branch stands for its delay slot in the next page. */
    if (fault->access == MMU_EXEC)
        cpu->delay_slot = cpu->fetched_slot;
    cpu->fetched_slot = 0;
    vcpu_raise(&cpu->v, &e);
}

static bool client_walk(void *opaque, gva va, enum mmu_access access, bool user,
                        struct tlb_fill *out, struct mmu_fault *fault)
{
    struct mips_cpu *cpu = mips_cpu(opaque);
    enum mips_mode mode = mips_mode(cpu);
    struct mips_walk walk;
    unsigned kind;

    if (mode == MODE_USER || user)
        mode = user ? MODE_USER : MODE_KERNEL;
    kind = mips_translate_address(cpu, va, access, mode, &walk);
    if (kind) {
        fault->syndrome = kind;
        if (log_on(LOG_MMU))
            log_write("mmu: %s of %016" PRIx64 " at pc %" PRIx64 ": %s (asid %02x)\n",
                      access == MMU_READ    ? "read"
                      : access == MMU_WRITE ? "write"
                                            : "fetch",
                      va, cpu->v.run.pc, mips_exception_name(kind),
                      (uint32_t)cpu->cp0.entryhi & mips_asid_mask(cpu));
        return false;
    }
    out->physical = walk.physical;
    out->block_size = walk.page_size;
    out->readable = walk.readable;
    out->writable = walk.writable;
    out->executable = walk.executable;
    return true;
}

const struct mmu_client mips_mmu_client = {.walk = client_walk, .fault = client_fault};

/* ---- flushing -------------------------------------------------------------------------------- */

/* One of the two pages. Whatever size it has, the software MMU drops all of it: it was told the
 * size when it entered parts of it. */
static void flush_half(struct mips_cpu *cpu, const struct mips_tlb_entry *entry, unsigned half)
{
    uint64_t va = entry->vpn | (half ? entry_page_size(entry) : 0);
    uint64_t extended = va | ~UINT64_C(0) << (cpu->model->segbits & 63);

    /* The bits between R and VPN2 are ones in the compatibility segments alone. */
    if (mips_is_64(cpu) && va >> 62 == 3 && extended >= COMPATIBILITY)
        va = extended;
    if (!cpu->v.mmu)
        return;
    if (entry->global)
        mmu_flush_page(cpu->v.mmu, va);
    else
        mmu_flush_page_tags(cpu->v.mmu, entry->mmid, ~(uint32_t)TAG_ASID, va);
}

static void flush_entry(struct mips_cpu *cpu, const struct mips_tlb_entry *entry)
{
    if (entry->hidden)
        return;
    for (unsigned half = 0; half < 2; half++) {
        if (entry->valid[half])
            flush_half(cpu, entry, half);
    }
}

/* `now` takes the place of `old`: what it does not allow any more goes. */
static void flush_changed(struct mips_cpu *cpu, const struct mips_tlb_entry *old,
                          const struct mips_tlb_entry *now)
{
    if (now->hidden || now->vpn != old->vpn || now->mask != old->mask || now->mmid != old->mmid ||
        now->global != old->global) {
        flush_entry(cpu, old);
        return;
    }
    for (unsigned half = 0; half < 2; half++) {
        if (!old->valid[half] || old->hidden)
            continue;
        if (!now->valid[half] || now->page[half] != old->page[half] ||
            (old->dirty[half] && !now->dirty[half]) ||
            (!old->no_read[half] && now->no_read[half]) ||
            (!old->no_execute[half] && now->no_execute[half]))
            flush_half(cpu, old, half);
    }
}

/* ---- victims --------------------------------------------------------------------------------- */

static uint16_t *bucket_of(struct mips_cpu *cpu, const struct mips_tlb_entry *entry)
{
    return &cpu->victim_bucket[entry->mask == 0x1fff ? victim_bucket(entry->vpn)
                                                     : MIPS_VICTIM_BUCKETS];
}

static void victims_forget(struct mips_cpu *cpu)
{
    memset(cpu->victim_bucket, 0, sizeof(cpu->victim_bucket));
    memset(cpu->victim_count_from, 0, sizeof(cpu->victim_count_from));
    cpu->n_victims = 0;
    cpu->free_victim = 0;
}

/* Takes the victim that *link leads to out of its bucket. */
static void victim_remove(struct mips_cpu *cpu, uint16_t *link)
{
    unsigned index = *link - 1u;

    flush_entry(cpu, &cpu->victim[index]);
    *link = cpu->victim_link[index].next;
    cpu->victim_count_from[cpu->victim_link[index].from]--;
    cpu->victim_link[index].next = cpu->free_victim;
    cpu->free_victim = (uint16_t)(index + 1);
}

static void bucket_remove(struct mips_cpu *cpu, unsigned bucket, struct mips_tlb_tag tag)
{
    uint16_t *link = &cpu->victim_bucket[bucket];

    while (*link) {
        if (tags_meet(cpu->victim_link[*link - 1].tag, tag))
            victim_remove(cpu, link);
        else
            link = &cpu->victim_link[*link - 1].next;
    }
}

/* Those that would be found where an entry with the tag is. */
static void victims_remove_meeting(struct mips_cpu *cpu, struct mips_tlb_tag tag)
{
    if (!cpu->n_victims)
        return;
    bucket_remove(cpu, MIPS_VICTIM_BUCKETS, tag);
    if (tag.keep & 0x2000) { /* 4 KiB pages */
        bucket_remove(cpu, victim_bucket(tag.key), tag);
        return;
    }
    for (unsigned i = 0; i < MIPS_VICTIM_BUCKETS; i++)
        bucket_remove(cpu, i, tag);
}

static void victims_remove_from(struct mips_cpu *cpu, unsigned from)
{
    for (unsigned i = 0; i <= MIPS_VICTIM_BUCKETS && cpu->victim_count_from[from]; i++) {
        uint16_t *link = &cpu->victim_bucket[i];

        while (*link) {
            if (cpu->victim_link[*link - 1].from == from)
                victim_remove(cpu, link);
            else
                link = &cpu->victim_link[*link - 1].next;
        }
    }
}

static void victims_discard(struct mips_cpu *cpu)
{
    for (unsigned i = 0; i <= MIPS_VICTIM_BUCKETS && cpu->n_victims; i++) {
        while (cpu->victim_bucket[i])
            victim_remove(cpu, &cpu->victim_bucket[i]);
    }
    victims_forget(cpu);
}

static void victim_add(struct mips_cpu *cpu, unsigned from)
{
    const struct mips_tlb_entry *entry = &cpu->tlb[from];
    uint16_t *bucket;
    unsigned index;

    if (entry->hidden || !(entry->valid[0] || entry->valid[1]))
        return;
    if (!cpu->free_victim && cpu->n_victims == MIPS_MAX_VICTIMS)
        victims_discard(cpu);
    if (cpu->free_victim) {
        index = cpu->free_victim - 1u;
        cpu->free_victim = cpu->victim_link[index].next;
    } else {
        index = cpu->n_victims++;
    }
    bucket = bucket_of(cpu, entry);
    cpu->victim[index] = *entry;
    cpu->victim_link[index].next = *bucket;
    cpu->victim_link[index].from = (uint8_t)from;
    cpu->victim_link[index].tag = cpu->tlb_tag[from];
    cpu->victim_count_from[from]++;
    *bucket = (uint16_t)(index + 1);
}

/* ---- TLB instructions ------------------------------------------------------------------------ */

void mips_tlb_flush_all(struct mips_cpu *cpu)
{
    victims_forget(cpu);
    if (cpu->v.mmu)
        mmu_flush_all(cpu->v.mmu);
}

void mips_tlb_reset(struct mips_cpu *cpu)
{
    static const struct mips_tlb_entry nothing = {.hidden = true, .mask = 0x1fff};

    for (unsigned i = 0; i < MIPS_MAX_TLB; i++)
        mips_tlb_place(cpu, i, &nothing);
    mips_tlb_flush_all(cpu);
}

/* PageMask's bits are pairs of ones from bit 13 up (PRA "PageMask Register"); others than the first
 * run of such pairs are ignored. */
static uint64_t page_mask(const struct mips_cpu *cpu)
{
    uint32_t bits = ((uint32_t)cpu->cp0.pagemask & PAGEMASK_BITS) >> 13;
    unsigned ones = (unsigned)__builtin_ctz(~bits) & ~1u;

    return (UINT64_C(0x2000) << ones) - 1;
}

static struct mips_tlb_entry entry_of_registers(const struct mips_cpu *cpu)
{
    const uint64_t lo[2] = {cpu->cp0.entrylo0, cpu->cp0.entrylo1};
    struct mips_tlb_entry entry = {.mask = page_mask(cpu)};
    uint64_t pages = (UINT64_C(1) << cpu->model->pabits) - 1;

    pages &= ~(entry_page_size(&entry) - 1);
    entry.vpn = cpu->cp0.entryhi & mips_vpn_mask(cpu) & ~entry.mask;
    entry.mmid = (uint32_t)cpu->cp0.entryhi & mips_asid_mask(cpu);
    entry.hidden = (cpu->cp0.config4 & CONFIG4_IE) && (cpu->cp0.entryhi & ENTRYHI_EHINV);
    entry.global = lo[0] & lo[1] & ENTRYLO_G;
    for (unsigned half = 0; half < 2; half++) {
        entry.page[half] = (lo[half] & ~(ENTRYLO_RI | ENTRYLO_XI)) >> 6 << 12 & pages;
        entry.cca[half] = lo[half] >> 3 & 7;
        entry.valid[half] = lo[half] & ENTRYLO_V;
        entry.dirty[half] = lo[half] & ENTRYLO_D;
        entry.no_read[half] = (cpu->cp0.pagegrain & PAGEGRAIN_RIE) && (lo[half] & ENTRYLO_RI);
        entry.no_execute[half] = (cpu->cp0.pagegrain & PAGEGRAIN_XIE) && (lo[half] & ENTRYLO_XI);
    }
    return entry;
}

static COLD void log_entry(const char *what, unsigned index, const struct mips_tlb_entry *entry)
{
    log_write("mmu: %s %u: vpn %016" PRIx64 " mask %" PRIx64 " asid %02x%s%s, %" PRIx64
              "%s%s, %" PRIx64 "%s%s\n",
              what, index, entry->vpn, entry->mask, entry->mmid, entry->global ? " global" : "",
              entry->hidden ? " hidden" : "", entry->page[0], entry->valid[0] ? " V" : "",
              entry->dirty[0] ? " D" : "", entry->page[1], entry->valid[1] ? " V" : "",
              entry->dirty[1] ? " D" : "");
}

/* Two entries for one page are an error of software; the first is found, and what the other has
 * led to is not to stay. */
static bool meets_another(const struct mips_cpu *cpu, unsigned index, struct mips_tlb_tag tag)
{
    unsigned first = tag_find(cpu, tag, 0);

    if (first == index)
        first = tag_find(cpu, tag, index + 1);
    return first != MIPS_MAX_TLB;
}

void mips_tlb_write(struct mips_cpu *cpu, unsigned index, bool random)
{
    struct mips_tlb_entry entry = entry_of_registers(cpu);
    const struct mips_tlb_entry *place = &cpu->tlb[index];
    struct mips_tlb_tag tag = tag_of(&entry);

    if (log_on(LOG_MMU))
        log_entry(random ? "TLBWR" : "TLBWI", index, &entry);
    if (random) {
        if (tags_meet(cpu->tlb_tag[index], tag))
            flush_changed(cpu, place, &entry);
        else
            victim_add(cpu, index);
    } else {
        flush_changed(cpu, place, &entry);
        if (UNLIKELY(cpu->victim_count_from[index]))
            victims_remove_from(cpu, index);
    }
    victims_remove_meeting(cpu, tag);
    if (UNLIKELY(!entry.hidden && meets_another(cpu, index, tag))) {
        log_printf(LOG_GUEST_ERROR, "mips: TLB entry %u doubles another (vpn %" PRIx64 ")\n", index,
                   entry.vpn);
        /* Larger pages than the new one's may have been entered: all of it goes. */
        mips_tlb_flush_all(cpu);
    }
    mips_tlb_place(cpu, index, &entry);
}

void mips_tlb_probe(struct mips_cpu *cpu)
{
    struct mips_tlb_tag page = tag_of_page(cpu, cpu->cp0.entryhi);
    unsigned index;

    victims_remove_meeting(cpu, page);
    index = tag_find(cpu, page, 0);
    cpu->cp0.index = index == MIPS_MAX_TLB ? INDEX_P : index;
}

static uint64_t entrylo_of(const struct mips_tlb_entry *entry, unsigned half)
{
    return entry->page[half] >> 12 << 6 | (uint64_t)entry->cca[half] << 3 |
           (entry->dirty[half] ? ENTRYLO_D : 0) | (entry->valid[half] ? ENTRYLO_V : 0) |
           (entry->global ? ENTRYLO_G : 0) | (entry->no_read[half] ? ENTRYLO_RI : 0) |
           (entry->no_execute[half] ? ENTRYLO_XI : 0);
}

static unsigned indexed(const struct mips_cpu *cpu)
{
    return (cpu->cp0.index & ~INDEX_P) % cpu->model->tlb_entries;
}

void mips_tlb_read(struct mips_cpu *cpu)
{
    const struct mips_tlb_entry *entry = &cpu->tlb[indexed(cpu)];

    victims_discard(cpu);
    if (entry->hidden && (cpu->cp0.config4 & CONFIG4_IE)) {
        cpu->cp0.entryhi = ENTRYHI_EHINV;
        cpu->cp0.pagemask = cpu->cp0.entrylo0 = cpu->cp0.entrylo1 = 0;
    } else {
        cpu->cp0.entryhi = entry->vpn | entry->mmid;
        cpu->cp0.pagemask = entry->mask & PAGEMASK_BITS;
        cpu->cp0.entrylo0 = entrylo_of(entry, 0);
        cpu->cp0.entrylo1 = entrylo_of(entry, 1);
    }
    mips_update_mode(cpu);
}

/* TLBINVF, and TLBINV: those of the current ASID. There is one array, so that where Config4.IE asks
 * for a loop over sets each step does all. */
void mips_tlb_invalidate(struct mips_cpu *cpu, bool all)
{
    uint32_t asid = (uint32_t)cpu->cp0.entryhi & mips_asid_mask(cpu);

    for (unsigned i = 0; i < cpu->model->tlb_entries; i++) {
        struct mips_tlb_entry entry = cpu->tlb[i];

        entry.hidden |= all || (!entry.global && entry.mmid == asid);
        mips_tlb_place(cpu, i, &entry);
    }
    mips_tlb_flush_all(cpu);
}

static void tlbp(void *opaque)
{
    mips_tlb_probe(mips_cpu(opaque));
}
const struct ir_helper helper_mips_tlbp = IR_HELPER(tlbp, IR_VOID, 0, 0, GROUP_CP0, GROUP_CP0);

static void tlbr(void *opaque)
{
    mips_tlb_read(mips_cpu(opaque));
}
const struct ir_helper helper_mips_tlbr =
    IR_HELPER(tlbr, IR_VOID, 0, 0, GROUP_CP0 | GROUP_FCSR | GROUP_PC, GROUP_CP0 | GROUP_PC);

static void tlbwi(void *opaque)
{
    struct mips_cpu *cpu = mips_cpu(opaque);

    mips_tlb_write(cpu, indexed(cpu), false);
}
const struct ir_helper helper_mips_tlbwi = IR_HELPER(tlbwi, IR_VOID, 0, 0, GROUP_CP0, 0);

static void tlbwr(void *opaque)
{
    struct mips_cpu *cpu = mips_cpu(opaque);

    mips_tlb_write(cpu, mips_random(cpu), true);
}
const struct ir_helper helper_mips_tlbwr = IR_HELPER(tlbwr, IR_VOID, 0, 0, GROUP_CP0, GROUP_CP0);

static void tlbinv(void *opaque, uint32_t all)
{
    mips_tlb_invalidate(mips_cpu(opaque), all);
}
const struct ir_helper helper_mips_tlbinv = IR_HELPER(tlbinv, IR_VOID, 1, 0, GROUP_CP0, 0);

/* ---- CACHE ----------------------------------------------------------------------------------- */

/* ISA, CACHE: bits 1:0 are the cache, 4:2 the operation. Nothing is cached, and stores to code are
 * seen by themselves. Hit operations translate their address as loads do. */
static void cache(void *opaque, uint32_t operation, uint64_t address)
{
    enum { INDEX_LOAD_TAG = 1, HIT_FIRST = 4 };
    struct mips_cpu *cpu = mips_cpu(opaque);
    uint64_t va = cpu->wide ? address : (uint32_t)address;
    unsigned what = operation >> 2 & 7;
    struct exception e = {.address = va};
    struct mips_walk walk;

    if (what == INDEX_LOAD_TAG) { /* the line is invalid */
        if (operation & 2)
            cpu->cp0.taglo2 = 0;
        else
            cpu->cp0.taglo0 = 0;
    }
    if (what < HIT_FIRST)
        return;
    if (cpu->v.run.tlb &&
        tlb_host_address(cpu->wide, *tlb_read_entry(cpu->v.run.tlb, cpu->wide, va), va))
        return;
    e.kind = mips_translate_address(cpu, va, MMU_READ, mips_mode(cpu), &walk);
    if (e.kind)
        vcpu_raise(&cpu->v, &e);
}
const struct ir_helper helper_mips_cache =
    IR_HELPER(cache, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_CP0, GROUP_CP0);

/* ---- for the monitor ---------------------------------------------------------------------------
 */

static bool tell_half(const struct mips_cpu *cpu, unsigned index, unsigned half,
                      guest_mapping_tell *tell, void *opaque)
{
    const struct mips_tlb_entry *entry = &cpu->tlb[index];
    uint64_t size = entry_page_size(entry);
    uint32_t asid = (uint32_t)cpu->cp0.entryhi & mips_asid_mask(cpu);
    char text[64];
    struct guest_mapping mapping = {.address = (entry->vpn & ~entry->mask) + half * size,
                                    .physical = entry->page[half],
                                    .size = size,
                                    .elsewhere = !entry->global && entry->mmid != asid,
                                    .text = text};

    if (!mips_is_64(cpu))
        mapping.address = (uint32_t)mapping.address;
    snprintf(text, sizeof(text), "[%02u] asid %03x %c C%u %c%c", index, entry->mmid,
             entry->global ? 'G' : '-', entry->cca[half], entry->dirty[half] ? 'D' : '-',
             entry->valid[half] ? 'V' : '-');
    if (entry->valid[half])
        mapping.privileged =
            (uint8_t)(!entry->no_read[half] << MMU_READ | entry->dirty[half] << MMU_WRITE |
                      !entry->no_execute[half] << MMU_EXEC);
    /* Addresses from 2^31 (and 2^63) on are not the user's, by their segments. */
    if (!(mapping.address >> (mips_is_64(cpu) ? 62 : 31)))
        mapping.user = mapping.privileged;
    return tell(opaque, &mapping);
}

void mips_mappings(struct vcpu *v, guest_mapping_tell *tell, void *opaque)
{
    const struct mips_cpu *cpu = mips_cpu(v);

    if (mips_has(cpu, MIPS_HAS_FIXED_MAP))
        return;
    for (unsigned i = 0; i < cpu->model->tlb_entries; i++) {
        if (!cpu->tlb[i].hidden &&
            (!tell_half(cpu, i, 0, tell, opaque) || !tell_half(cpu, i, 1, tell, opaque)))
            return;
    }
}
