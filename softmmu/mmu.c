/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU of one vCPU: its spaces, the filling and flushing of their tables, and the slow
 * path of guest accesses.
 *
 * A space is one tag with two halves, user (0) and privileged (1), each a TLB_BYTES table. A table
 * is never cleared as a whole: a bitmap says which 4 KiB chunks of it hold entries, so that a flush
 * costs what was used. Beside the tables stands one small cache, `slow`, for pages that the tables
 * must not answer: devices, ROM being written, code being written, Device memory.
 */
#define _GNU_SOURCE
#include "softmmu/mmu.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "softmmu/memory_map.h"
#include "util/bits.h"
#include "util/log.h"

enum {
    N_SPACES = 32,
    SPACE_HASH = 64,
    CHUNK_BITS = 12,
    CHUNK_BYTES = 1 << CHUNK_BITS,
    N_CHUNKS = TLB_BYTES / CHUNK_BYTES,
    CHUNK_WORDS = N_CHUNKS / 64,
    /* Host memory that all tables together may hold: 16 MiB. */
    MAX_RESIDENT = 4096,
    /* A flush of more than this gives the memory back instead of clearing it. */
    MAX_CLEAR = 256,
    SLOW_SIZE = 64,
    MAX_WRITERS = 1 << 16,
    REGION_BITS = 21, /* what one chunk of read entries covers */
    N_REGIONS = 1 << (32 - REGION_BITS),
    PAGE_MASK = TLB_PAGE_SIZE - 1,
};

enum half { HALF_USER, HALF_PRIVILEGED, N_HALVES };

/* What a slow entry lets pass; the rest asks the guest's tables again. */
enum { SLOW_READ = 1, SLOW_WRITE = 2, SLOW_EXEC = 4 };

struct slow_entry {
    uint64_t epoch; /* of the half it was filled in; 0 never is */
    uint32_t page;  /* guest-virtual */
    uint8_t allowed;
    bool device; /* memory attributes */
    const struct flat_section *flat;
    gpa physical;  /* of the page */
    uint8_t *host; /* of the page; NULL: device accesses */
};

struct table {
    uint8_t *base;
    uint64_t epoch;
    uint32_t n_used;
    bool huge;                      /* holds pages of a mapping larger than a region */
    uint64_t used[CHUNK_WORDS];     /* may hold entries */
    uint64_t resident[CHUNK_WORDS]; /* touched since the memory was last given back */
    uint64_t large[N_REGIONS / 64]; /* regions that hold pages of a mapping larger than a page */
};

struct space {
    uint32_t tag;
    bool valid; /* false: to be emptied before it is used */
    uint64_t stamp;
    uint8_t *mapping;
    struct table table[N_HALVES];
};

/* Where a RAM page is entered for writing: an element of that page's list. */
struct writer {
    uint32_t place; /* space << 21 | half << 20 | page */
    uint32_t next;  /* 1 + index */
};

struct mmu {
    struct memory *memory;
    struct run_state *run;
    const struct mmu_client *client;
    struct memory_listener listener;
    struct space *current;
    bool privileged;
    uint64_t stamp, epoch;
    uint32_t n_resident;
    uint8_t hash[SPACE_HASH]; /* 1 + index of the space last found there */
    uint32_t *writers_of;     /* per RAM page: 1 + index of its first writer */
    struct writer *writers;
    uint32_t n_writers, free_writer;
    struct slow_entry slow[SLOW_SIZE];
    struct space space[N_SPACES];
};

/* Where an access goes, after translation. */
struct target {
    uint8_t *host; /* of the byte, or NULL: a device */
    const struct flat_section *flat;
    gpa physical;
    bool tracked; /* the page holds code: say so after a store */
};

/* ---- entries --------------------------------------------------------------------------------- */

static uint64_t *table_entry(const struct table *table, unsigned part, uint32_t va)
{
    return (uint64_t *)(table->base + part) + (va >> TLB_PAGE_BITS);
}

static uint32_t *table_exec(const struct table *table, uint32_t va)
{
    return (uint32_t *)(table->base + TLB_EXEC) + (va >> TLB_PAGE_BITS);
}

static struct slow_entry *slow_slot(struct mmu *mmu, uint32_t va)
{
    return &mmu->slow[(va >> TLB_PAGE_BITS) % SLOW_SIZE];
}

static void table_release(struct mmu *mmu, struct table *table)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < CHUNK_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(table->resident[i]);
    if (n)
        madvise(table->base, TLB_BYTES, MADV_DONTNEED);
    mmu->n_resident -= n;
    memset(table->resident, 0, sizeof(table->resident));
    memset(table->used, 0, sizeof(table->used));
    table->n_used = 0;
}

static void table_clear(struct mmu *mmu, struct table *table)
{
    table->epoch = ++mmu->epoch;
    if (table->huge || table->n_used) {
        memset(table->large, 0, sizeof(table->large));
        table->huge = false;
    }
    if (table->n_used > MAX_CLEAR) {
        table_release(mmu, table);
        return;
    }
    for (unsigned i = 0; table->n_used; i++) {
        for (uint64_t bits = table->used[i]; bits; bits &= bits - 1) {
            unsigned chunk = i * 64 + (unsigned)__builtin_ctzll(bits);

            memset(table->base + ((size_t)chunk << CHUNK_BITS), 0, CHUNK_BYTES);
            table->n_used--;
        }
        table->used[i] = 0;
    }
}

static void space_clear(struct mmu *mmu, struct space *space)
{
    table_clear(mmu, &space->table[HALF_USER]);
    table_clear(mmu, &space->table[HALF_PRIVILEGED]);
}

/* The tables hold too much of the host's memory: give back that of spaces not used for long. */
static COLD void tables_trim(struct mmu *mmu)
{
    while (mmu->n_resident > MAX_RESIDENT / 2) {
        struct space *oldest = NULL;

        for (unsigned i = 0; i < N_SPACES; i++) {
            struct space *space = &mmu->space[i];

            if (space->mapping && space != mmu->current && space->stamp != 0 &&
                (!oldest || space->stamp < oldest->stamp))
                oldest = space;
        }
        if (!oldest)
            oldest = mmu->current;
        for (unsigned half = 0; half < N_HALVES; half++) {
            table_clear(mmu, &oldest->table[half]);
            table_release(mmu, &oldest->table[half]);
        }
        if (oldest == mmu->current)
            break;
        oldest->valid = false;
        oldest->stamp = 0;
    }
}

/* Before an entry at this offset of the table is written. */
static void table_touch(struct mmu *mmu, struct table *table, uint32_t offset)
{
    unsigned chunk = offset >> CHUNK_BITS;
    uint64_t bit = UINT64_C(1) << (chunk % 64);

    if (LIKELY(table->used[chunk / 64] & bit))
        return;
    if (!(table->resident[chunk / 64] & bit)) {
        if (mmu->n_resident >= MAX_RESIDENT)
            tables_trim(mmu);
        table->resident[chunk / 64] |= bit;
        mmu->n_resident++;
    }
    table->used[chunk / 64] |= bit;
    table->n_used++;
}

static bool table_chunk_used(const struct table *table, uint32_t offset)
{
    unsigned chunk = offset >> CHUNK_BITS;

    return table->used[chunk / 64] >> (chunk % 64) & 1;
}

/* ---- who writes where ------------------------------------------------------------------------ */

static COLD void writers_reset(struct mmu *mmu)
{
    for (unsigned i = 0; i < N_SPACES; i++) {
        for (unsigned half = 0; half < N_HALVES; half++) {
            struct table *table = &mmu->space[i].table[half];

            for (uint32_t chunk = TLB_WRITE >> CHUNK_BITS; chunk < TLB_EXEC >> CHUNK_BITS;
                 chunk++) {
                if (mmu->space[i].mapping && table_chunk_used(table, chunk << CHUNK_BITS))
                    memset(table->base + ((size_t)chunk << CHUNK_BITS), 0, CHUNK_BYTES);
            }
        }
    }
    madvise(mmu->writers_of, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of), MADV_DONTNEED);
    mmu->n_writers = 0;
    mmu->free_writer = 0;
}

/* The write entry a writer record speaks of, if it (still) is for that host page, else NULL. */
static uint64_t *writer_entry(struct mmu *mmu, uint32_t place, const uint8_t *host_page)
{
    const struct space *space = &mmu->space[place >> 21];
    uint32_t va = place << TLB_PAGE_BITS;
    uint64_t *entry = table_entry(&space->table[place >> 20 & 1], TLB_WRITE, va);

    return *entry == (uintptr_t)host_page - va ? entry : NULL;
}

/* Records a place of the page; outdated records of the same page are reused. */
static void writer_add(struct mmu *mmu, uint32_t page, const uint8_t *host_page, uint32_t place)
{
    uint32_t index;

    for (index = mmu->writers_of[page]; index; index = mmu->writers[index - 1].next) {
        struct writer *writer = &mmu->writers[index - 1];

        if (writer->place == place)
            return;
        if (!writer_entry(mmu, writer->place, host_page)) {
            writer->place = place;
            return;
        }
    }
    if (!mmu->free_writer && mmu->n_writers == MAX_WRITERS)
        writers_reset(mmu);
    if (mmu->free_writer) {
        index = mmu->free_writer;
        mmu->free_writer = mmu->writers[index - 1].next;
    } else {
        index = ++mmu->n_writers;
    }
    mmu->writers[index - 1] = (struct writer){.place = place, .next = mmu->writers_of[page]};
    mmu->writers_of[page] = index;
}

static void forget_writes(void *opaque, uint32_t page, const uint8_t *host_page)
{
    struct mmu *mmu = opaque;
    uint32_t index = mmu->writers_of[page];

    mmu->writers_of[page] = 0;
    while (index) {
        struct writer *writer = &mmu->writers[index - 1];
        uint64_t *entry = writer_entry(mmu, writer->place, host_page);
        uint32_t next = writer->next;

        if (entry)
            *entry = 0;
        writer->next = mmu->free_writer;
        mmu->free_writer = index;
        index = next;
    }
}

static void map_changed(void *opaque)
{
    struct mmu *mmu = opaque;

    memset(mmu->slow, 0, sizeof(mmu->slow));
    mmu_flush_all(mmu);
}

/* ---- spaces ---------------------------------------------------------------------------------- */

static bool space_map(struct space *space)
{
    void *mapping = mmap(NULL, (size_t)TLB_BYTES * N_HALVES, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mapping == MAP_FAILED)
        return false;
    /* Entries lie far apart: a huge page under each would cost memory for nothing. */
    madvise(mapping, (size_t)TLB_BYTES * N_HALVES, MADV_NOHUGEPAGE);
    space->mapping = mapping;
    space->table[HALF_USER].base = space->mapping;
    space->table[HALF_PRIVILEGED].base = space->mapping + TLB_BYTES;
    return true;
}

struct mmu *mmu_create(struct memory *memory, struct run_state *run,
                       const struct mmu_client *client, struct error *err)
{
    struct mmu *mmu = calloc(1, sizeof(*mmu));
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

    if (!mmu) {
        error_set(err, "not enough memory for the software MMU");
        return NULL;
    }
    mmu->memory = memory;
    mmu->run = run;
    mmu->client = client;
    mmu->writers_of = mmap(NULL, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of),
                           PROT_READ | PROT_WRITE, flags, -1, 0);
    mmu->writers =
        mmap(NULL, MAX_WRITERS * sizeof(*mmu->writers), PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mmu->writers_of == MAP_FAILED || mmu->writers == MAP_FAILED || !space_map(mmu->space)) {
        error_set(err, "no address space for the software MMU");
        mmu_destroy(mmu);
        return NULL;
    }
    madvise(mmu->writers_of, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of), MADV_NOHUGEPAGE);
    mmu->listener = (struct memory_listener){
        .forget_writes = forget_writes, .map_changed = map_changed, .opaque = mmu};
    memory_attach(memory, &mmu->listener);
    mmu_select(mmu, 0, true);
    return mmu;
}

void mmu_destroy(struct mmu *mmu)
{
    if (!mmu)
        return;
    memory_detach(mmu->memory, &mmu->listener);
    for (unsigned i = 0; i < N_SPACES; i++) {
        if (mmu->space[i].mapping)
            munmap(mmu->space[i].mapping, (size_t)TLB_BYTES * N_HALVES);
    }
    if (mmu->writers_of != MAP_FAILED)
        munmap(mmu->writers_of, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of));
    if (mmu->writers != MAP_FAILED)
        munmap(mmu->writers, MAX_WRITERS * sizeof(*mmu->writers));
    free(mmu);
}

/* A space to give to a new tag: an emptied one, a new one, else the least recently used. */
static struct space *space_take(struct mmu *mmu)
{
    struct space *oldest = mmu->current;

    for (unsigned i = 0; i < N_SPACES; i++) {
        struct space *space = &mmu->space[i];

        if (!space->mapping || space == mmu->current)
            continue;
        if (!space->valid)
            return space;
        if (oldest == mmu->current || space->stamp < oldest->stamp)
            oldest = space;
    }
    for (unsigned i = 0; i < N_SPACES; i++) {
        if (!mmu->space[i].mapping && space_map(&mmu->space[i]))
            return &mmu->space[i];
    }
    return oldest;
}

static COLD struct space *space_find(struct mmu *mmu, uint32_t tag)
{
    for (unsigned i = 0; i < N_SPACES; i++) {
        if (mmu->space[i].valid && mmu->space[i].tag == tag)
            return &mmu->space[i];
    }
    return NULL;
}

static struct space *space_of_tag(struct mmu *mmu, uint32_t tag)
{
    uint8_t *hint = &mmu->hash[(tag ^ tag >> 6) % SPACE_HASH];
    struct space *space;

    if (*hint) {
        space = &mmu->space[*hint - 1];
        if (LIKELY(space->valid && space->tag == tag))
            return space;
    }
    space = space_find(mmu, tag);
    if (!space) {
        space = space_take(mmu);
        space_clear(mmu, space);
        space->tag = tag;
        space->valid = true;
    }
    *hint = (uint8_t)(space - mmu->space + 1);
    return space;
}

void mmu_select(struct mmu *mmu, uint32_t tag, bool privileged)
{
    struct space *space = mmu->current;

    mmu->privileged = privileged;
    if (!space || UNLIKELY(space->tag != tag || !space->valid)) {
        space = space_of_tag(mmu, tag);
        space->stamp = ++mmu->stamp;
        mmu->current = space;
        mmu->run->tlb_user = space->table[HALF_USER].base;
    }
    mmu->run->tlb = space->table[privileged].base;
}

void mmu_flush_all(struct mmu *mmu)
{
    /* The others are emptied when their tag, or another, is selected again. */
    for (unsigned i = 0; i < N_SPACES; i++) {
        if (&mmu->space[i] != mmu->current)
            mmu->space[i].valid = false;
    }
    space_clear(mmu, mmu->current);
}

void mmu_flush_tag(struct mmu *mmu, uint32_t tag)
{
    struct space *space = space_find(mmu, tag);

    if (!space)
        return;
    if (space == mmu->current)
        space_clear(mmu, space);
    else
        space->valid = false;
}

static void table_flush_page(struct mmu *mmu, struct table *table, uint32_t va)
{
    uint32_t region = va >> REGION_BITS;

    if (UNLIKELY(table->huge)) {
        table_clear(mmu, table);
    } else if (UNLIKELY(table->large[region / 64] >> (region % 64) & 1)) {
        /* The page may be one of a larger mapping, which goes as a whole. */
        uint32_t first = region << REGION_BITS, n = 1 << (REGION_BITS - TLB_PAGE_BITS);

        table->large[region / 64] &= ~(UINT64_C(1) << (region % 64));
        table->epoch = ++mmu->epoch;
        if (table_chunk_used(table, TLB_READ + region * CHUNK_BYTES))
            memset(table_entry(table, TLB_READ, first), 0, n * sizeof(uint64_t));
        if (table_chunk_used(table, TLB_WRITE + region * CHUNK_BYTES))
            memset(table_entry(table, TLB_WRITE, first), 0, n * sizeof(uint64_t));
        if (table_chunk_used(table, TLB_EXEC + region * (CHUNK_BYTES / 2)))
            memset(table_exec(table, first), 0, n * sizeof(uint32_t));
    } else {
        uint32_t index = va >> TLB_PAGE_BITS;

        if (table_chunk_used(table, TLB_READ + index * 8))
            *table_entry(table, TLB_READ, va) = 0;
        if (table_chunk_used(table, TLB_WRITE + index * 8))
            *table_entry(table, TLB_WRITE, va) = 0;
        if (table_chunk_used(table, TLB_EXEC + index * 4))
            *table_exec(table, va) = 0;
    }
}

static void space_flush_page(struct mmu *mmu, struct space *space, uint32_t va)
{
    table_flush_page(mmu, &space->table[HALF_USER], va);
    table_flush_page(mmu, &space->table[HALF_PRIVILEGED], va);
}

void mmu_flush_page(struct mmu *mmu, gva va)
{
    slow_slot(mmu, (uint32_t)va)->epoch = 0;
    for (unsigned i = 0; i < N_SPACES; i++) {
        if (mmu->space[i].valid)
            space_flush_page(mmu, &mmu->space[i], (uint32_t)va);
    }
}

void mmu_flush_page_tag(struct mmu *mmu, uint32_t tag, gva va)
{
    struct space *space = space_find(mmu, tag);

    slow_slot(mmu, (uint32_t)va)->epoch = 0;
    if (space)
        space_flush_page(mmu, space, (uint32_t)va);
}

/* ---- filling --------------------------------------------------------------------------------- */

static void enter_read(struct mmu *mmu, struct table *table, uint32_t va, const uint8_t *host_page)
{
    uint32_t page = va & ~(uint32_t)PAGE_MASK;

    table_touch(mmu, table, TLB_READ + (va >> TLB_PAGE_BITS) * 8);
    *table_entry(table, TLB_READ, va) = (uintptr_t)host_page - page;
}

/* The caller has seen that the page holds no code. */
static void enter_write(struct mmu *mmu, struct table *table, uint32_t va, uint8_t *host_page,
                        const struct memory_block *block, uint64_t offset)
{
    uint32_t page = va & ~(uint32_t)PAGE_MASK;
    uint32_t half = table == &mmu->current->table[HALF_PRIVILEGED];
    uint32_t place =
        (uint32_t)(mmu->current - mmu->space) << 21 | half << 20 | page >> TLB_PAGE_BITS;

    table_touch(mmu, table, TLB_WRITE + (va >> TLB_PAGE_BITS) * 8);
    writer_add(mmu, block->first_page + (uint32_t)(offset >> TLB_PAGE_BITS), host_page, place);
    *table_entry(table, TLB_WRITE, va) = (uintptr_t)host_page - page;
    __atomic_or_fetch(block_flags(block, offset), PAGE_DIRTY, __ATOMIC_RELAXED);
}

static void note_large(struct table *table, uint32_t va, uint64_t block_size)
{
    uint32_t region = va >> REGION_BITS;

    if (block_size > UINT64_C(1) << REGION_BITS)
        table->huge = true;
    else if (block_size > TLB_PAGE_SIZE)
        table->large[region / 64] |= UINT64_C(1) << (region % 64);
}

/* Enters what a successful walk found; the slow cache gets it in any case. Entries for writing are
 * made by the store that comes next. */
static struct slow_entry *page_enter(struct mmu *mmu, enum half half, uint32_t va,
                                     enum mmu_access access, const struct tlb_fill *fill,
                                     const struct flat_section *flat)
{
    struct table *table = &mmu->current->table[half];
    struct slow_entry *slow = slow_slot(mmu, va);
    gpa physical = fill->physical & ~(gpa)PAGE_MASK;
    uint32_t page = va >> TLB_PAGE_BITS;

    if (slow->epoch != table->epoch || slow->page != page || slow->physical != physical)
        slow->allowed = 0;
    slow->epoch = table->epoch;
    slow->page = page;
    slow->allowed |= (fill->readable ? SLOW_READ : 0) | (fill->executable ? SLOW_EXEC : 0) |
                     (access == MMU_WRITE ? SLOW_WRITE : 0);
    slow->device = fill->device;
    slow->flat = flat;
    slow->physical = physical;
    slow->host = flat->section.kind == MEMORY_DEVICE
                     ? NULL
                     : flat->section.host + (physical - flat->section.base);
    if (slow->host && access == MMU_EXEC) {
        table_touch(mmu, table, TLB_EXEC + page * 4);
        *table_exec(table, va) = TLB_EXEC_TAG(flat_canonical(flat, physical));
    }
    if (slow->host && fill->readable && !fill->device)
        enter_read(mmu, table, va, slow->host);
    /* Last, because entering may have made room by emptying this very table. */
    note_large(table, va, fill->block_size);
    return slow;
}

static NORETURN COLD void fault_raise(struct mmu *mmu, struct mmu_fault *fault)
{
    mmu->client->fault(mmu->run, fault);
}

static NORETURN COLD void fault_unaligned(struct mmu *mmu, uint32_t va, enum mmu_access access,
                                          unsigned memop)
{
    struct mmu_fault fault = {.address = va,
                              .access = access,
                              .user = (memop & IR_MEM_USER) || !mmu->privileged,
                              .exclusive = memop & IR_MEM_EXCLUSIVE,
                              .unaligned = true};

    fault_raise(mmu, &fault);
}

/* Walks for one page and enters it. Raises, or with `quiet` returns NULL. */
static struct slow_entry *page_fill(struct mmu *mmu, enum half half, uint32_t va,
                                    enum mmu_access access, bool exclusive, bool quiet,
                                    gpa *physical)
{
    struct mmu_fault fault = {
        .address = va, .access = access, .user = half == HALF_USER, .exclusive = exclusive};
    struct tlb_fill fill = {.block_size = TLB_PAGE_SIZE};
    const struct flat_section *flat;

    if (!mmu->client->walk(mmu->run, va, access, half == HALF_USER, &fill, &fault)) {
        if (quiet)
            return NULL;
        fault_raise(mmu, &fault);
    }
    if (physical)
        *physical = fill.physical;
    flat = memory_lookup(mmu->memory, fill.physical);
    if (UNLIKELY(!flat)) {
        if (quiet || access == MMU_EXEC)
            return NULL;
        log_printf(LOG_GUEST_ERROR,
                   "%s of unmapped physical address 0x%08" PRIx64 " (virtual 0x%08" PRIx32
                   "), code near 0x%08" PRIx64 "\n",
                   access == MMU_READ ? "read" : "write", fill.physical, va, mmu->run->pc);
        fault.external = true;
        fault_raise(mmu, &fault);
    }
    return page_enter(mmu, half, va, access, &fill, flat);
}

/* ---- the slow path of accesses --------------------------------------------------------------- */

static enum half half_of(const struct mmu *mmu, unsigned memop)
{
    return mmu->privileged && !(memop & IR_MEM_USER) ? HALF_PRIVILEGED : HALF_USER;
}

/* Where the byte at va is, for an access of the given alignment; raises what must be raised. */
static struct target resolve(struct mmu *mmu, uint32_t va, enum mmu_access access, unsigned memop,
                             bool unaligned)
{
    enum half half = half_of(mmu, memop);
    struct table *table = &mmu->current->table[half];
    struct slow_entry *slow = slow_slot(mmu, va);
    unsigned need = access == MMU_READ ? SLOW_READ : SLOW_WRITE;
    struct target target = {0};
    const struct memory_section *section;
    uint64_t offset;

    if (slow->epoch != table->epoch || slow->page != va >> TLB_PAGE_BITS ||
        !(slow->allowed & need)) {
        uint64_t entry = *table_entry(table, access == MMU_READ ? TLB_READ : TLB_WRITE, va);

        if (entry) {
            target.host = (uint8_t *)(uintptr_t)(entry + va);
            return target;
        }
        slow = page_fill(mmu, half, va, access, memop & IR_MEM_EXCLUSIVE, false, NULL);
    }
    if (UNLIKELY(slow->device && unaligned))
        fault_unaligned(mmu, va, access, memop);
    section = &slow->flat->section;
    target.flat = slow->flat;
    target.physical = slow->physical | (va & PAGE_MASK);
    /* A device may begin or end within the page. */
    if (UNLIKELY(target.physical < section->base ||
                 target.physical - section->base >= section->size)) {
        slow = page_fill(mmu, half, va, access, memop & IR_MEM_EXCLUSIVE, false, NULL);
        target.flat = slow->flat;
        section = &slow->flat->section;
    }
    if (section->kind == MEMORY_DEVICE || (access == MMU_WRITE && section->kind == MEMORY_ROM))
        return target;
    target.host = section->host + (target.physical - section->base);
    if (access != MMU_WRITE)
        return target;
    offset = flat_offset(target.flat, target.physical);
    target.tracked = block_has_code(target.flat->block, offset);
    if (!target.tracked && !slow->device)
        enter_write(mmu, table, va, target.host - (va & PAGE_MASK), target.flat->block, offset);
    return target;
}

static void target_stored(struct mmu *mmu, const struct target *target, unsigned size)
{
    if (UNLIKELY(target->tracked))
        block_stored(mmu->memory, target->flat->block, flat_offset(target->flat, target->physical),
                     size);
}

/* Device accesses that leave their section (it ends within the page) go on in what follows. */
static bool in_section(const struct target *target, unsigned size)
{
    const struct memory_section *section = &target->flat->section;

    return target->physical - section->base + size <= section->size;
}

static uint64_t target_load(struct mmu *mmu, const struct target *target, unsigned size)
{
    uint64_t value = 0;

    if (target->host)
        return host_load(target->host, size);
    if (LIKELY(in_section(target, size)))
        return memory_device_read(mmu->memory, target->flat,
                                  flat_offset(target->flat, target->physical), size);
    memory_read(mmu->memory, target->physical, &value, size);
    return value;
}

static void target_store(struct mmu *mmu, const struct target *target, uint64_t value,
                         unsigned size)
{
    if (target->host) {
        host_store(target->host, value, size);
        target_stored(mmu, target, size);
    } else if (LIKELY(in_section(target, size))) {
        memory_device_write(mmu->memory, target->flat, flat_offset(target->flat, target->physical),
                            value, size);
    } else {
        memory_write(mmu->memory, target->physical, &value, size);
    }
}

/* Any number of bytes within one page; devices see the largest aligned pieces. */
static void target_read(struct mmu *mmu, const struct target *target, uint8_t *out, unsigned size)
{
    if (target->host)
        memcpy(out, target->host, size);
    else
        memory_read(mmu->memory, target->physical, out, size);
}

static void target_write(struct mmu *mmu, const struct target *target, const uint8_t *in,
                         unsigned size)
{
    if (target->host) {
        memcpy(target->host, in, size);
        target_stored(mmu, target, size);
    } else {
        memory_write(mmu->memory, target->physical, in, size);
    }
}

static unsigned left_in_page(uint32_t va)
{
    return TLB_PAGE_SIZE - (va & PAGE_MASK);
}

/* Bytes in memory order, across at most one page boundary; both pages are checked first. */
static void read_bytes(struct mmu *mmu, uint32_t va, uint8_t *out, unsigned size, unsigned memop,
                       bool unaligned)
{
    unsigned first = MIN(size, left_in_page(va));
    struct target target = resolve(mmu, va, MMU_READ, memop, unaligned);

    if (first < size) {
        struct target second = resolve(mmu, va + first, MMU_READ, memop, unaligned);

        target_read(mmu, &target, out, first);
        target_read(mmu, &second, out + first, size - first);
    } else {
        target_read(mmu, &target, out, size);
    }
}

static void write_bytes(struct mmu *mmu, uint32_t va, const uint8_t *in, unsigned size,
                        unsigned memop, bool unaligned)
{
    unsigned first = MIN(size, left_in_page(va));
    struct target target = resolve(mmu, va, MMU_WRITE, memop, unaligned);

    if (first < size) {
        struct target second = resolve(mmu, va + first, MMU_WRITE, memop, unaligned);

        target_write(mmu, &target, in, first);
        target_write(mmu, &second, in + first, size - first);
    } else {
        target_write(mmu, &target, in, size);
    }
}

static void check_alignment(struct mmu *mmu, uint32_t va, enum mmu_access access, unsigned memop)
{
    if (UNLIKELY(va & (memop_align(memop) - 1)))
        fault_unaligned(mmu, va, access, memop);
}

static uint64_t swap_value(uint64_t value, unsigned size)
{
    return __builtin_bswap64(value) >> (64 - size * 8);
}

/* From memory order to what the memop promises. */
static uint64_t value_finish(uint64_t value, unsigned memop)
{
    unsigned size = memop_size(memop);

    if (memop & IR_MEM_SWAP)
        value = swap_value(value, size);
    if (memop & IR_MEM_SIGN)
        value = (uint64_t)sextract64(value, 0, size * 8);
    return value;
}

uint64_t mmu_load(struct mmu *mmu, gva address, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);
    uint64_t value = 0;

    check_alignment(mmu, va, MMU_READ, memop);
    if (UNLIKELY(left_in_page(va) < size)) {
        read_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
    } else {
        struct target target = resolve(mmu, va, MMU_READ, memop, va & (size - 1));

        value = target_load(mmu, &target, size);
    }
    return value_finish(value, memop);
}

void mmu_store(struct mmu *mmu, gva address, uint64_t value, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);

    check_alignment(mmu, va, MMU_WRITE, memop);
    if (memop & IR_MEM_SWAP)
        value = swap_value(value, size);
    if (UNLIKELY(left_in_page(va) < size)) {
        write_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
    } else {
        struct target target = resolve(mmu, va, MMU_WRITE, memop, va & (size - 1));

        target_store(mmu, &target, value, size);
    }
}

static void reverse_bytes(uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < size / 2; i++) {
        uint8_t byte = bytes[i];

        bytes[i] = bytes[size - 1 - i];
        bytes[size - 1 - i] = byte;
    }
}

void mmu_load_bytes(struct mmu *mmu, gva address, void *out, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);
    uint8_t bytes[16];

    check_alignment(mmu, va, MMU_READ, memop);
    read_bytes(mmu, va, bytes, size, memop, va & (MIN(size, 8) - 1));
    if (memop & IR_MEM_SWAP)
        reverse_bytes(bytes, size);
    memcpy(out, bytes, size);
}

void mmu_store_bytes(struct mmu *mmu, gva address, const void *in, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);
    uint8_t bytes[16];

    check_alignment(mmu, va, MMU_WRITE, memop);
    memcpy(bytes, in, size);
    if (memop & IR_MEM_SWAP)
        reverse_bytes(bytes, size);
    write_bytes(mmu, va, bytes, size, memop, va & (MIN(size, 8) - 1));
}

/* ---- PROBE and COMMIT ------------------------------------------------------------------------ */

/* Element by element between the bounce buffer and memory; a final odd piece is done in bytes. */
static void bounce_read(struct mmu *mmu, uint32_t va, unsigned length, unsigned memop)
{
    unsigned size = memop_size(memop);

    for (unsigned i = 0; i < length; i += size) {
        unsigned here = MIN(size, length - i);

        read_bytes(mmu, va + i, mmu->run->bounce + i, here, memop, (va + i) & (MIN(size, 8) - 1));
    }
}

void *mmu_probe(struct mmu *mmu, gva address, unsigned length, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    enum mmu_access access = memop & IR_MEM_WRITE ? MMU_WRITE : MMU_READ;
    bool unaligned = va & (MIN(memop_size(memop), 8) - 1);
    struct target target;

    if (UNLIKELY(!length || length > IR_PROBE_MAX))
        BUG("probe of %u bytes", length);
    check_alignment(mmu, va, access, memop);
    target = resolve(mmu, va, access, memop, unaligned);
    if (left_in_page(va) >= length) {
        if (target.host && !target.tracked)
            return target.host;
    } else {
        resolve(mmu, va + left_in_page(va), access, memop, unaligned);
    }
    mmu->run->bounce_address = va;
    if (access == MMU_READ)
        bounce_read(mmu, va, length, memop);
    return mmu->run->bounce;
}

void mmu_commit(struct mmu *mmu, void *pointer, gva address, unsigned length, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);

    if (pointer != mmu->run->bounce)
        return;
    for (unsigned i = 0; i < length; i += size) {
        unsigned here = MIN(size, length - i);

        write_bytes(mmu, va + i, mmu->run->bounce + i, here, memop, (va + i) & (MIN(size, 8) - 1));
    }
}

/* ---- atomics --------------------------------------------------------------------------------- */

/* The host's compare-and-swap on aligned RAM. *expected becomes what was there. */
static bool host_cas(uint8_t *host, uint64_t *expected, uint64_t value, unsigned size)
{
    bool done;

    switch (size) {
    case 1: {
        uint8_t old = (uint8_t)*expected;
        done = __atomic_compare_exchange_n(host, &old, (uint8_t)value, false, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
        *expected = old;
        return done;
    }
    case 2: {
        uint16_t old = (uint16_t)*expected;
        done = __atomic_compare_exchange_n((uint16_t *)host, &old, (uint16_t)value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        *expected = old;
        return done;
    }
    case 4: {
        uint32_t old = (uint32_t)*expected;
        done = __atomic_compare_exchange_n((uint32_t *)host, &old, (uint32_t)value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        *expected = old;
        return done;
    }
    default:
        return __atomic_compare_exchange_n((uint64_t *)host, expected, value, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
}

/* Both are given in memory order. */
static uint64_t cas_raw(struct mmu *mmu, uint32_t va, uint64_t expected, uint64_t value,
                        unsigned memop)
{
    unsigned size = memop_size(memop);
    uint64_t mask = size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << size * 8) - 1;
    uint64_t old = 0;
    struct target target;

    expected &= mask;
    value &= mask;
    if (va & (size - 1)) {
        /* No architecture promises that this is atomic; a store is what happens if it succeeds,
         * but the right to store is checked first. */
        struct target end = resolve(mmu, va + size - 1, MMU_WRITE, memop, true);

        target = resolve(mmu, va, MMU_WRITE, memop, true);
        (void)end;
        read_bytes(mmu, va, (uint8_t *)&old, size, memop, true);
        if (old == expected)
            write_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
        return old;
    }
    target = resolve(mmu, va, MMU_WRITE, memop, false);
    if (target.host) {
        old = expected;
        if (host_cas(target.host, &old, value, size))
            target_stored(mmu, &target, size);
        return old;
    }
    target = resolve(mmu, va, MMU_READ, memop, false);
    pthread_mutex_lock(mmu->memory->lock);
    old = target_load(mmu, &target, size);
    if (old == expected) {
        target.host = NULL;
        target_store(mmu, &target, value, size);
    }
    pthread_mutex_unlock(mmu->memory->lock);
    return old;
}

uint64_t mmu_cas(struct mmu *mmu, gva address, uint64_t expected, uint64_t value, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop);

    check_alignment(mmu, va, MMU_WRITE, memop);
    if (memop & IR_MEM_SWAP) {
        expected = swap_value(expected, size);
        value = swap_value(value, size);
    }
    return value_finish(cas_raw(mmu, va, expected, value, memop), memop);
}

static uint64_t rmw_apply(enum ir_rmw what, uint64_t old, uint64_t operand)
{
    switch (what) {
    case IR_RMW_XCHG:
        return operand;
    case IR_RMW_ADD:
        return old + operand;
    case IR_RMW_AND:
        return old & operand;
    case IR_RMW_OR:
        return old | operand;
    case IR_RMW_XOR:
        return old ^ operand;
    }
    return old;
}

uint64_t mmu_rmw(struct mmu *mmu, gva address, enum ir_rmw what, uint64_t operand, unsigned memop)
{
    uint32_t va = (uint32_t)address;
    unsigned size = memop_size(memop), plain = memop & ~(unsigned)IR_MEM_SIGN;
    uint64_t old = 0, seen;

    check_alignment(mmu, va, MMU_WRITE, memop);
    for (;;) {
        uint64_t raw = old, value = old;

        if (memop & IR_MEM_SWAP) {
            value = swap_value(rmw_apply(what, swap_value(raw, size), operand), size);
        } else {
            value = rmw_apply(what, raw, operand);
        }
        seen = cas_raw(mmu, va, raw, value, plain);
        if (seen == raw)
            return value_finish(seen, memop);
        old = seen;
    }
}

/* ---- code, and looks from outside ------------------------------------------------------------ */

const uint8_t *mmu_fetch(struct mmu *mmu, gva address, gpa *physical, bool quiet)
{
    uint32_t va = (uint32_t)address;
    enum half half = half_of(mmu, 0);
    struct table *table = &mmu->current->table[half];
    struct slow_entry *slow = slow_slot(mmu, va);

    *physical = 0;
    if (slow->epoch != table->epoch || slow->page != va >> TLB_PAGE_BITS ||
        !(slow->allowed & SLOW_EXEC) || !*table_exec(table, va)) {
        slow = page_fill(mmu, half, va, MMU_EXEC, false, quiet, physical);
        if (!slow)
            return NULL;
    }
    if (!slow->host) {
        *physical = slow->physical | (va & PAGE_MASK);
        return NULL;
    }
    *physical = flat_canonical(slow->flat, slow->physical) | (va & PAGE_MASK);
    return slow->host + (va & PAGE_MASK);
}

/* Without entering anything: a look must not change what the guest's accesses do. */
static bool peek_page(struct mmu *mmu, uint32_t va, bool user, gpa *physical)
{
    struct mmu_fault fault = {.address = va, .access = MMU_READ, .user = user};
    struct tlb_fill fill = {0};
    const struct flat_section *flat;

    if (!mmu->client->walk(mmu->run, va, MMU_READ, user, &fill, &fault))
        return false;
    flat = memory_lookup(mmu->memory, fill.physical);
    if (!flat || flat->section.kind == MEMORY_DEVICE)
        return false;
    *physical = fill.physical;
    return true;
}

bool mmu_peek(struct mmu *mmu, gva address, void *buffer, size_t size, bool user)
{
    uint8_t *out = buffer;

    while (size) {
        uint32_t va = (uint32_t)address;
        size_t here = MIN(size, left_in_page(va));
        gpa physical;

        if (!peek_page(mmu, va, user, &physical) || !memory_read(mmu->memory, physical, out, here))
            return false;
        out += here;
        address += here;
        size -= here;
    }
    return true;
}

bool mmu_poke(struct mmu *mmu, gva address, const void *buffer, size_t size, bool user)
{
    const uint8_t *in = buffer;

    while (size) {
        uint32_t va = (uint32_t)address;
        size_t here = MIN(size, left_in_page(va));
        gpa physical;

        if (!peek_page(mmu, va, user, &physical) || !memory_write(mmu->memory, physical, in, here))
            return false;
        in += here;
        address += here;
        size -= here;
    }
    return true;
}
