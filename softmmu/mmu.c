/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The software MMU of one vCPU: its spaces, the filling and flushing of their tables, and the slow
 * path of guest accesses.
 *
 * A space is one tag with two halves, user (0) and privileged (1), each one table of tlb.h: 20 MiB
 * of address space, 1.25 TiB for wide guests. A table is never cleared as a whole: records say
 * which 4 KiB chunks of it hold entries, so that a flush costs what was used, and which are in the
 * host's memory, so that there are never many. Beside the tables stands one small cache, `slow`,
 * for pages that the tables must not answer: devices, ROM being written, code being written, Device
 * memory.
 *
 * Addresses in here are masked to 32 bits unless the guest is wide. Of a wide guest's addresses
 * those that agree in bits 47:12 share their entries (tlb.h); each takes the place of the other.
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
    N_WIDE_SPACES = 16, /* 40 TiB of the host's 128 */
    SPACE_HASH = 64,
    CHUNK_BITS = 12,
    CHUNK_BYTES = 1 << CHUNK_BITS,
    /* Chunks in the host's memory, of all tables: 16 MiB, and as much again at most twice for the
     * host's page tables. */
    N_CHUNKS = 4096,
    CHUNK_HASH = 4096,
    /* A flush of more than this gives the memory back instead of clearing it. */
    MAX_CLEAR = 256,
    SLOW_SIZE = 64,
    MAX_WRITERS = 1 << 16,
    REGION_BITS = 21, /* what one chunk of read entries covers */
    REGION_PAGES = 1 << (REGION_BITS - TLB_PAGE_BITS),
    PAGE_MASK = TLB_PAGE_SIZE - 1,
    PLACE_HALF_BIT = 36,
};
/* Address space that wide tables leave to the rest of the process. */
#define WIDE_HEADROOM (UINT64_C(8) << 40)
/* Beside the memop: with privilege, whatever the space. */
#define MEM_PRIVILEGED (1u << 30)

enum half { HALF_USER, HALF_PRIVILEGED, N_HALVES };

/* What a slow entry lets pass; the rest asks the guest's tables again. */
enum { SLOW_READ = 1, SLOW_WRITE = 2, SLOW_EXEC = 4 };

struct slow_entry {
    uint64_t epoch; /* of the half it was filled in; 0 never is */
    uint64_t page;  /* guest-virtual */
    uint8_t allowed;
    bool device; /* memory attributes */
    const struct flat_section *flat;
    gpa physical;  /* of the page */
    uint8_t *host; /* of the page; NULL: device accesses */
};

/* 4 KiB of a table that may be in the host's memory: touched since that was last given back. */
struct chunk {
    uint32_t number; /* counted from the table's mapping */
    uint16_t table;  /* space << 1 | half */
    bool used;       /* may hold entries */
    bool large;      /* of read entries: of pages of a mapping larger than a page */
    uint16_t next_in_hash, next_in_table, next_used; /* 1 + index; next_in_table: also if free */
};

struct table {
    uint8_t *base;    /* what tlb.h counts from */
    uint8_t *mapping; /* first byte */
    uint64_t epoch;
    uint16_t id;           /* space << 1 | half */
    uint16_t chunks, used; /* lists of struct chunk */
    uint32_t n_used;
    uint64_t huge_first, huge_last; /* addresses that mappings larger than a region reach */
};

struct space {
    uint32_t tag;
    bool valid; /* false: to be emptied before it is used */
    bool stale; /* to be compared with the guest's page tables before it is used */
    uint64_t stamp;
    uint8_t *mapping; /* of both tables */
    struct table table[N_HALVES];
    struct source_log *sources;
};

struct watch {
    uint64_t first, last;
    unsigned accesses;
};

/* Where a RAM page is entered for writing: an element of that page's list. */
struct writer {
    uint64_t place; /* (space << 1 | half) << PLACE_HALF_BIT | index of the page */
    uint32_t next;  /* 1 + index */
};

struct mmu {
    struct memory *memory;
    struct run_state *run;
    const struct mmu_client *client;
    struct memory_listener listener;
    struct space *current;
    bool privileged;
    bool wide;
    unsigned n_spaces;
    uint64_t stamp, epoch;
    void (*code_store)(void *cpu, gpa address, unsigned size);
    mmu_watch_hit *watch_hit;
    unsigned n_watches;
    bool watches_paused;
    struct watch watch[MAX_WATCHES];
    uint32_t n_chunks;
    uint16_t free_chunk; /* 1 + index */
    uint16_t chunk_hash[CHUNK_HASH];
    struct chunk chunk[N_CHUNKS];
    uint8_t hash[SPACE_HASH]; /* 1 + index of the space last found there */
    uint32_t *writers_of;     /* per RAM page: 1 + index of its first writer */
    struct writer *writers;
    uint32_t n_writers, free_writer;
    struct slow_entry slow[SLOW_SIZE];
    struct space space[N_SPACES];
    struct source_log sources[N_SPACES]; /* apart: spaces are looked through often */
    struct counters counters;
};

/* Where an access goes, after translation. */
struct target {
    uint8_t *host;                   /* of the byte, or NULL: a device */
    const struct flat_section *flat; /* NULL: the table answered, or, without host, a hole.
                                        Until a device access, which may change the map */
    gpa physical;
    bool tracked;                     /* the page holds code: say so before and after a store */
    const struct memory_block *block; /* tracked: where */
    uint64_t offset;
};

/* ---- entries --------------------------------------------------------------------------------- */

static uint64_t table_bytes(const struct mmu *mmu)
{
    return mmu->wide ? TLB_WIDE_BYTES : TLB_BYTES;
}

static void *map_reserve(void *place, uint64_t bytes)
{
    void *mapping =
        mmap(place, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (place ? MAP_FIXED : 0), -1, 0);

    if (mapping == MAP_FAILED)
        return NULL;
    /* Entries lie far apart: a huge page under each would cost memory for nothing. */
    madvise(mapping, bytes, MADV_NOHUGEPAGE);
    madvise(mapping, bytes,
            MADV_DONTDUMP); /* going through a terabyte for a core dump takes long */
    return mapping;
}

static uint64_t masked(const struct mmu *mmu, gva va)
{
    return mmu->wide ? va : (uint32_t)va;
}

static struct slow_entry *slow_slot(struct mmu *mmu, uint64_t va)
{
    return &mmu->slow[(va >> TLB_PAGE_BITS) % SLOW_SIZE];
}

static uint16_t *chunk_bucket(struct mmu *mmu, uint32_t number, unsigned table)
{
    return &mmu->chunk_hash[(number ^ number >> 12 ^ table << 5) % CHUNK_HASH];
}

static uint32_t chunk_number(const struct table *table, const void *entry)
{
    return (uint32_t)((uint64_t)((const uint8_t *)entry - table->mapping) >> CHUNK_BITS);
}

/* The record of the chunk an entry lies in, or NULL. */
static struct chunk *chunk_find(struct mmu *mmu, const struct table *table, const void *entry)
{
    uint32_t number = chunk_number(table, entry);
    unsigned index = *chunk_bucket(mmu, number, table->id);

    while (index) {
        struct chunk *chunk = &mmu->chunk[index - 1];

        if (LIKELY(chunk->number == number && chunk->table == table->id))
            return chunk;
        index = chunk->next_in_hash;
    }
    return NULL;
}

static bool is_used(struct mmu *mmu, const struct table *table, const void *entry)
{
    const struct chunk *chunk = chunk_find(mmu, table, entry);

    return chunk && chunk->used;
}

static void *chunk_memory(const struct table *table, const struct chunk *chunk)
{
    return table->mapping + ((uint64_t)chunk->number << CHUNK_BITS);
}

static bool is_write_chunk(const struct mmu *mmu, const struct chunk *chunk)
{
    uint64_t offset = (uint64_t)chunk->number << CHUNK_BITS;

    return mmu->wide ? offset < TLB_WIDE_BELOW : offset >= TLB_WRITE && offset < TLB_EXEC;
}

static void table_forget_used(struct mmu *mmu, struct table *table)
{
    for (unsigned k = table->used; k; k = mmu->chunk[k - 1].next_used)
        mmu->chunk[k - 1].used = mmu->chunk[k - 1].large = false;
    table->used = 0;
    table->n_used = 0;
}

/* Gives its memory back to the host. Mapping it anew takes the host's page tables away too, which
 * a wide guest could make many of. */
static void table_release(struct mmu *mmu, struct table *table)
{
    unsigned next;

    if (!table->chunks)
        return;
    table_forget_used(mmu, table);
    for (unsigned k = table->chunks; k; k = next) {
        struct chunk *chunk = &mmu->chunk[k - 1];
        uint16_t *at = chunk_bucket(mmu, chunk->number, chunk->table);

        while (*at != k)
            at = &mmu->chunk[*at - 1].next_in_hash;
        *at = chunk->next_in_hash;
        next = chunk->next_in_table;
        chunk->next_in_table = mmu->free_chunk;
        mmu->free_chunk = (uint16_t)k;
        mmu->n_chunks--;
    }
    table->chunks = 0;
    if (!mmu->wide || !map_reserve(table->mapping, table_bytes(mmu)))
        madvise(table->mapping, table_bytes(mmu), MADV_DONTNEED);
}

static void table_clear(struct mmu *mmu, struct table *table)
{
    table->epoch = ++mmu->epoch;
    table->huge_first = ~UINT64_C(0);
    table->huge_last = 0;
    if (table->n_used > MAX_CLEAR) {
        table_release(mmu, table);
        return;
    }
    for (unsigned k = table->used; k; k = mmu->chunk[k - 1].next_used)
        memset(chunk_memory(table, &mmu->chunk[k - 1]), 0, CHUNK_BYTES);
    table_forget_used(mmu, table);
}

static void space_clear(struct mmu *mmu, struct space *space)
{
    table_clear(mmu, &space->table[HALF_USER]);
    table_clear(mmu, &space->table[HALF_PRIVILEGED]);
    source_log_clear(space->sources);
    space->stale = false;
}

/* The tables hold too much of the host's memory: give back that of spaces not used for long. */
static COLD void tables_trim(struct mmu *mmu)
{
    while (mmu->n_chunks > N_CHUNKS / 2) {
        struct space *oldest = NULL;

        for (unsigned i = 0; i < mmu->n_spaces; i++) {
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

/* Generated code has looked there, or is going to: be it in vain, the host made memory for it. */
static struct chunk *table_touch(struct mmu *mmu, struct table *table, const void *entry)
{
    uint32_t number = chunk_number(table, entry);
    struct chunk *chunk = chunk_find(mmu, table, entry);
    uint16_t *bucket;
    unsigned index;

    if (LIKELY(chunk != NULL))
        return chunk;
    if (!mmu->free_chunk && mmu->n_chunks == N_CHUNKS)
        tables_trim(mmu);
    index = mmu->free_chunk;
    if (index)
        mmu->free_chunk = mmu->chunk[index - 1].next_in_table;
    else
        index = mmu->n_chunks + 1;
    mmu->n_chunks++;
    chunk = &mmu->chunk[index - 1];
    bucket = chunk_bucket(mmu, number, table->id);
    *chunk = (struct chunk){.number = number,
                            .table = table->id,
                            .next_in_hash = *bucket,
                            .next_in_table = table->chunks};
    *bucket = table->chunks = (uint16_t)index;
    return chunk;
}

/* Before an entry is written. */
static struct chunk *table_use(struct mmu *mmu, struct table *table, const void *entry)
{
    struct chunk *chunk = table_touch(mmu, table, entry);

    if (LIKELY(chunk->used))
        return chunk;
    chunk->used = true;
    chunk->next_used = table->used;
    table->used = (uint16_t)(chunk - mmu->chunk + 1);
    table->n_used++;
    return chunk;
}

/* ---- who writes where ------------------------------------------------------------------------ */

static COLD void writers_reset(struct mmu *mmu)
{
    for (unsigned i = 0; i < mmu->n_spaces * N_HALVES; i++) {
        struct table *table = &mmu->space[i / N_HALVES].table[i % N_HALVES];

        for (unsigned k = table->used; k; k = mmu->chunk[k - 1].next_used) {
            if (is_write_chunk(mmu, &mmu->chunk[k - 1]))
                memset(chunk_memory(table, &mmu->chunk[k - 1]), 0, CHUNK_BYTES);
        }
    }
    madvise(mmu->writers_of, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of), MADV_DONTNEED);
    mmu->n_writers = 0;
    mmu->free_writer = 0;
}

/* The write entry a writer record speaks of, if it (still) is for that host page, else NULL. The
 * page's address follows from the entry and is one of those with this index. (Of a wide guest's it
 * is enough that bits 47:12 are: two host pages never differ in the others alone.) */
static uint64_t *writer_entry(struct mmu *mmu, uint64_t place, const uint8_t *host_page)
{
    const struct space *space = &mmu->space[place >> (PLACE_HALF_BIT + 1)];
    const struct table *table = &space->table[place >> PLACE_HALF_BIT & 1];
    uint64_t index = place & ((UINT64_C(1) << PLACE_HALF_BIT) - 1), va;
    uint64_t *entry = tlb_write_entry(table->base, mmu->wide, index << TLB_PAGE_BITS);

    if (!is_used(mmu, table, entry) || !*entry)
        return NULL;
    va = (uintptr_t)host_page - *entry;
    return tlb_index(mmu->wide, va) == index && masked(mmu, va) == va ? entry : NULL;
}

/* Records a place of the page; outdated records of the same page are reused. */
static void writer_add(struct mmu *mmu, uint32_t page, const uint8_t *host_page, uint64_t place)
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

static bool space_map(struct mmu *mmu, struct space *space)
{
    uint64_t bytes = table_bytes(mmu), headroom = 0;
    uint8_t *mapping;

    if (mmu->wide && space != mmu->space)
        headroom = WIDE_HEADROOM;
    mapping = map_reserve(NULL, bytes * N_HALVES + headroom);
    if (!mapping)
        return false;
    if (headroom) /* from below: the host hands addresses out from above */
        munmap(mapping, headroom);
    mapping += headroom;
    space->mapping = mapping;
    space->sources = &mmu->sources[space - mmu->space];
    for (unsigned half = 0; half < N_HALVES; half++) {
        struct table *table = &space->table[half];

        table->mapping = mapping + bytes * half;
        table->base = table->mapping + (mmu->wide ? TLB_WIDE_BELOW : 0);
        table->id = (uint16_t)((unsigned)(space - mmu->space) << 1 | half);
        table->huge_first = ~UINT64_C(0);
    }
    return true;
}

static bool maps_create(struct mmu *mmu, struct error *err)
{
    mmu->writers_of = map_reserve(NULL, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of));
    mmu->writers = map_reserve(NULL, MAX_WRITERS * sizeof(*mmu->writers));
    if (mmu->writers_of && mmu->writers && space_map(mmu, mmu->space))
        return true;
    return error_set(err,
                     "cannot reserve %" PRIu64 " MiB of address space for guest-virtual addresses; "
                     "is it limited (ulimit -v, vm.overcommit_memory)?",
                     table_bytes(mmu) * N_HALVES / MIB);
}

struct mmu *mmu_create(struct memory *memory, struct run_state *run,
                       const struct mmu_client *client, bool wide, struct error *err)
{
    struct mmu *mmu = calloc(1, sizeof(*mmu));

    if (!mmu) {
        error_set(err, "not enough memory for the software MMU");
        return NULL;
    }
    mmu->memory = memory;
    mmu->run = run;
    mmu->client = client;
    mmu->wide = wide;
    mmu->n_spaces = wide ? N_WIDE_SPACES : N_SPACES;
    mmu->listener = (struct memory_listener){
        .forget_writes = forget_writes, .map_changed = map_changed, .opaque = mmu};
    memory_attach(memory, &mmu->listener);
    if (!maps_create(mmu, err)) {
        mmu_destroy(mmu);
        return NULL;
    }
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
            munmap(mmu->space[i].mapping, table_bytes(mmu) * N_HALVES);
    }
    if (mmu->writers_of)
        munmap(mmu->writers_of, MEMORY_MAX_PAGES * sizeof(*mmu->writers_of));
    if (mmu->writers)
        munmap(mmu->writers, MAX_WRITERS * sizeof(*mmu->writers));
    free(mmu);
}

static bool is_exec_chunk(const struct mmu *mmu, const struct chunk *chunk)
{
    uint64_t offset = (uint64_t)chunk->number << CHUNK_BITS;

    return offset >= (mmu->wide ? TLB_WIDE_BELOW + TLB_WIDE_EXEC : TLB_EXEC);
}

static void count_chunk(const struct mmu *mmu, const struct table *table, const struct chunk *chunk,
                        struct mmu_usage *out)
{
    const void *memory = chunk_memory(table, chunk);
    bool is_exec = is_exec_chunk(mmu, chunk);
    uint64_t n = 0;

    for (unsigned i = 0; i < CHUNK_BYTES / (is_exec ? 4 : 8); i++)
        n += is_exec ? ((const uint32_t *)memory)[i] != 0 : ((const uint64_t *)memory)[i] != 0;
    if (is_exec)
        out->exec += n;
    else if (is_write_chunk(mmu, chunk))
        out->write += n;
    else
        out->read += n;
}

void mmu_usage(const struct mmu *mmu, struct mmu_usage *out)
{
    *out =
        (struct mmu_usage){.spaces = mmu->n_spaces, .bytes = (uint64_t)mmu->n_chunks << CHUNK_BITS};
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        const struct space *space = &mmu->space[i];
        bool used = false;

        for (unsigned half = 0; half < N_HALVES; half++) {
            const struct table *table = &space->table[half];
            for (unsigned k = table->used; k; k = mmu->chunk[k - 1].next_used) {
                count_chunk(mmu, table, &mmu->chunk[k - 1], out);
                used = true;
            }
        }
        out->spaces_used += used;
    }
}

const struct counters *mmu_counters(const struct mmu *mmu)
{
    return &mmu->counters;
}

void mmu_on_code_store(struct mmu *mmu, void (*code_store)(void *cpu, gpa address, unsigned size))
{
    mmu->code_store = code_store;
}

/* A space to give to a new tag: an emptied one, a new one, else the least recently used. */
static struct space *space_take(struct mmu *mmu)
{
    struct space *oldest = mmu->current;

    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        struct space *space = &mmu->space[i];

        if (!space->mapping || space == mmu->current)
            continue;
        if (!space->valid)
            return space;
        if (oldest == mmu->current || space->stamp < oldest->stamp)
            oldest = space;
    }
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        if (!mmu->space[i].mapping && space_map(mmu, &mmu->space[i]))
            return &mmu->space[i];
    }
    return oldest;
}

static COLD struct space *space_find(struct mmu *mmu, uint32_t tag)
{
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
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
        count(&mmu->counters, COUNT_SPACES_EMPTIED);
        space = space_take(mmu);
        space_clear(mmu, space);
        space->tag = tag;
        space->valid = true;
    }
    *hint = (uint8_t)(space - mmu->space + 1);
    return space;
}

/* The page may be one of a larger mapping, which goes as a whole. */
static void table_flush_region(struct mmu *mmu, struct table *table, uint64_t va)
{
    uint64_t first = va & ~((UINT64_C(1) << REGION_BITS) - 1);
    uint64_t last = first + (REGION_PAGES - 1) * TLB_PAGE_SIZE;
    uint64_t *read = tlb_read_entry(table->base, mmu->wide, first);
    uint64_t *write = tlb_write_entry(table->base, mmu->wide, mmu->wide ? last : first);
    uint32_t *exec = tlb_exec_entry(table->base, mmu->wide, first);

    chunk_find(mmu, table, read)->large = false;
    table->epoch = ++mmu->epoch;
    memset(read, 0, REGION_PAGES * sizeof(*read));
    if (is_used(mmu, table, write))
        memset(write, 0, REGION_PAGES * sizeof(*write));
    if (is_used(mmu, table, exec))
        memset(exec, 0, REGION_PAGES * sizeof(*exec));
}

static void table_flush_page(struct mmu *mmu, struct table *table, uint64_t va)
{
    uint64_t *read = tlb_read_entry(table->base, mmu->wide, va);
    uint64_t *write = tlb_write_entry(table->base, mmu->wide, va);
    uint32_t *exec = tlb_exec_entry(table->base, mmu->wide, va);
    const struct chunk *chunk;

    if (UNLIKELY(va >= table->huge_first && va <= table->huge_last)) {
        table_clear(mmu, table);
        return;
    }
    if (!table->used)
        return;
    chunk = chunk_find(mmu, table, read);
    if (UNLIKELY(chunk && chunk->large)) {
        table_flush_region(mmu, table, va);
        return;
    }
    if (chunk && chunk->used)
        *read = 0;
    if (is_used(mmu, table, write))
        *write = 0;
    if (is_used(mmu, table, exec))
        *exec = 0;
}

static void space_flush_page(struct mmu *mmu, struct space *space, uint64_t va)
{
    table_flush_page(mmu, &space->table[HALF_USER], va);
    table_flush_page(mmu, &space->table[HALF_PRIVILEGED], va);
}

/* Pages whose entries lie in the chunk. */
static uint64_t chunk_first_index(const struct mmu *mmu, const struct chunk *chunk,
                                  uint64_t *n_pages)
{
    uint64_t offset = (uint64_t)chunk->number << CHUNK_BITS;
    uint64_t exec = mmu->wide ? TLB_WIDE_BELOW + TLB_WIDE_EXEC : (uint64_t)TLB_EXEC;

    *n_pages = offset < exec ? CHUNK_BYTES / sizeof(uint64_t) : CHUNK_BYTES / sizeof(uint32_t);
    if (offset >= exec)
        return (offset - exec) / sizeof(uint32_t);
    if (!mmu->wide)
        return (offset & (TLB_WRITE - 1)) / sizeof(uint64_t);
    if (offset < TLB_WIDE_BELOW)
        return (TLB_WIDE_BELOW - offset) / sizeof(uint64_t) - *n_pages;
    return (offset - TLB_WIDE_BELOW) / sizeof(uint64_t);
}

/* At least the 2 to `bits` addresses around va. */
static void table_flush_span(struct mmu *mmu, struct table *table, uint64_t va, unsigned bits)
{
    uint64_t span = UINT64_C(1) << (bits - TLB_PAGE_BITS);
    uint64_t first = tlb_index(mmu->wide, va) & ~(span - 1), n_pages;
    uint16_t *link = &table->used;

    table->epoch = ++mmu->epoch;
    while (*link) {
        struct chunk *chunk = &mmu->chunk[*link - 1];
        uint64_t index = chunk_first_index(mmu, chunk, &n_pages);

        if (index >= first + span || index + n_pages <= first) {
            link = &chunk->next_used;
            continue;
        }
        memset(chunk_memory(table, chunk), 0, CHUNK_BYTES);
        chunk->used = chunk->large = false;
        *link = chunk->next_used;
        table->n_used--;
    }
}

/* What this page-table entry translated goes. */
static void space_forget_source(struct mmu *mmu, struct space *space,
                                const struct tlb_source *source)
{
    if (source->span_bits <= TLB_PAGE_BITS) {
        slow_slot(mmu, source->va)->epoch = 0;
        space_flush_page(mmu, space, source->va);
        return;
    }
    for (unsigned half = 0; half < N_HALVES; half++)
        table_flush_span(mmu, &space->table[half], source->va, source->span_bits);
}

static void space_revalidate(struct mmu *mmu, struct space *space)
{
    const uint8_t *roots[MAX_ROOTS] = {NULL};
    struct tlb_source source;
    unsigned position = 0;

    if (UNLIKELY(!mmu->client->roots || space->sources->incomplete)) {
        space_clear(mmu, space);
        return;
    }
    mmu->client->roots(mmu->run, roots);
    space->stale = false;
    while (source_log_next_changed(space->sources, roots, &position, &source)) {
        count(&mmu->counters, COUNT_SOURCES_CHANGED);
        space_forget_source(mmu, space, &source);
    }
}

void mmu_select(struct mmu *mmu, uint32_t tag, bool privileged)
{
    struct space *space = mmu->current;

    mmu->privileged = privileged;
    if (!space || UNLIKELY(space->tag != tag || !space->valid)) {
        count(&mmu->counters, COUNT_SPACE_SWITCHES);
        space = space_of_tag(mmu, tag);
        space->stamp = ++mmu->stamp;
        mmu->current = space;
        mmu->run->tlb_user = space->table[HALF_USER].base;
        if (space->stale)
            space_revalidate(mmu, space);
    }
    mmu->run->tlb = space->table[privileged].base;
}

void mmu_flush_all(struct mmu *mmu)
{
    count(&mmu->counters, COUNT_FLUSH_ALL);
    /* The others are emptied when their tag, or another, is selected again. */
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        if (&mmu->space[i] != mmu->current)
            mmu->space[i].valid = false;
    }
    space_clear(mmu, mmu->current);
}

void mmu_revalidate(struct mmu *mmu, uint32_t tag)
{
    struct space *space = space_find(mmu, tag);

    count(&mmu->counters, COUNT_REVALIDATE);
    if (!space)
        return;
    if (space == mmu->current)
        space_revalidate(mmu, space);
    else
        space->stale = true;
}

void mmu_revalidate_all(struct mmu *mmu)
{
    count(&mmu->counters, COUNT_REVALIDATE);
    for (unsigned i = 0; i < mmu->n_spaces; i++)
        mmu->space[i].stale = true;
    space_revalidate(mmu, mmu->current);
}

void mmu_flush_tag(struct mmu *mmu, uint32_t tag)
{
    struct space *space = space_find(mmu, tag);

    count(&mmu->counters, COUNT_FLUSH_SPACE);
    if (!space)
        return;
    if (space == mmu->current)
        space_clear(mmu, space);
    else
        space->valid = false;
}

void mmu_flush_page(struct mmu *mmu, gva address)
{
    uint64_t va = masked(mmu, address);

    count(&mmu->counters, COUNT_FLUSH_PAGE);
    slow_slot(mmu, va)->epoch = 0;
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        if (mmu->space[i].valid)
            space_flush_page(mmu, &mmu->space[i], va);
    }
}

void mmu_flush_page_tag(struct mmu *mmu, uint32_t tag, gva address)
{
    struct space *space = space_find(mmu, tag);
    uint64_t va = masked(mmu, address);

    count(&mmu->counters, COUNT_FLUSH_PAGE);
    slow_slot(mmu, va)->epoch = 0;
    if (space)
        space_flush_page(mmu, space, va);
}

void mmu_flush_page_tags(struct mmu *mmu, uint32_t tag, uint32_t ignore, gva address)
{
    uint64_t va = masked(mmu, address);

    count(&mmu->counters, COUNT_FLUSH_PAGE);
    slow_slot(mmu, va)->epoch = 0;
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        if (mmu->space[i].valid && !((mmu->space[i].tag ^ tag) & ~ignore))
            space_flush_page(mmu, &mmu->space[i], va);
    }
}

static void space_revalidate_page(struct mmu *mmu, struct space *space, uint64_t va,
                                  const struct tlb_fill *now)
{
    if (UNLIKELY(now->untracked || space->sources->incomplete)) {
        space_flush_page(mmu, space, va);
        return;
    }
    for (unsigned i = 0; i < now->n_sources; i++) {
        if (source_log_take_changed(space->sources, &now->source[i])) {
            count(&mmu->counters, COUNT_SOURCES_CHANGED);
            space_forget_source(mmu, space, &now->source[i]);
            return;
        }
    }
}

void mmu_revalidate_page(struct mmu *mmu, uint32_t tag, uint32_t ignore, gva address,
                         bool elsewhere)
{
    uint64_t va = masked(mmu, address);
    struct tlb_fill now = {0};

    count(&mmu->counters, COUNT_REVALIDATE_PAGE);
    mmu->client->sources(mmu->run, va, &now);
    if (now.untracked || elsewhere)
        slow_slot(mmu, va)->epoch = 0;
    for (unsigned i = 0; i < mmu->n_spaces; i++) {
        struct space *space = &mmu->space[i];

        if (!space->valid)
            continue;
        if (!((space->tag ^ tag) & ~ignore))
            space_revalidate_page(mmu, space, va, &now);
        else if (elsewhere)
            space_flush_page(mmu, space, va);
    }
}

/* ---- filling --------------------------------------------------------------------------------- */

/* The table must not answer for a page with a watched byte. */
static COLD bool page_is_watched(const struct mmu *mmu, uint64_t va, unsigned accesses)
{
    uint64_t first = va & ~(uint64_t)PAGE_MASK;

    for (unsigned i = 0; i < mmu->n_watches; i++) {
        const struct watch *watch = &mmu->watch[i];

        if (watch->accesses & accesses && watch->first <= (first | PAGE_MASK) &&
            watch->last >= first)
            return true;
    }
    return false;
}

static void enter_read(struct mmu *mmu, struct table *table, uint64_t va, const uint8_t *host_page)
{
    uint64_t *entry = tlb_read_entry(table->base, mmu->wide, va);

    if (UNLIKELY(mmu->n_watches) && page_is_watched(mmu, va, 1 << MMU_READ))
        return;
    table_use(mmu, table, entry);
    *entry = (uintptr_t)host_page - (va & ~(uint64_t)PAGE_MASK);
}

/* The caller has seen that the page holds no code. */
static void enter_write(struct mmu *mmu, struct table *table, uint64_t va, uint8_t *host_page,
                        const struct memory_block *block, uint64_t offset)
{
    uint64_t *entry = tlb_write_entry(table->base, mmu->wide, va);
    uint64_t place = (uint64_t)table->id << PLACE_HALF_BIT | tlb_index(mmu->wide, va);

    __atomic_or_fetch(block_flags(block, offset), PAGE_DIRTY, __ATOMIC_RELAXED);
    /* A write entry is as good for a load: tlb.h. */
    if (UNLIKELY(mmu->n_watches) && page_is_watched(mmu, va, 1 << MMU_READ | 1 << MMU_WRITE))
        return;
    count(&mmu->counters, COUNT_TLB_ENTER_WRITE);
    table_use(mmu, table, entry);
    writer_add(mmu, block->first_page + (uint32_t)(offset >> TLB_PAGE_BITS), host_page, place);
    *entry = (uintptr_t)host_page - (va & ~(uint64_t)PAGE_MASK);
}

static void note_large(struct mmu *mmu, struct table *table, uint64_t va, uint64_t block_size)
{
    if (LIKELY(block_size <= TLB_PAGE_SIZE))
        return;
    if (block_size > UINT64_C(1) << REGION_BITS) {
        table->huge_first = MIN(table->huge_first, va & ~(block_size - 1));
        table->huge_last = MAX(table->huge_last, va | (block_size - 1));
    } else {
        table_use(mmu, table, tlb_read_entry(table->base, mmu->wide, va))->large = true;
    }
}

/* Enters what a successful walk found; the slow cache gets it in any case. Entries for writing are
 * made by the store that comes next. */
static struct slow_entry *page_enter(struct mmu *mmu, enum half half, uint64_t va,
                                     enum mmu_access access, const struct tlb_fill *fill,
                                     const struct flat_section *flat)
{
    struct table *table = &mmu->current->table[half];
    struct slow_entry *slow = slow_slot(mmu, va);
    gpa physical = fill->physical & ~(gpa)PAGE_MASK;
    uint64_t page = va >> TLB_PAGE_BITS;

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
    if (slow->host && access == MMU_EXEC && tlb_in_exec(mmu->wide, va)) {
        uint32_t *entry = tlb_exec_entry(table->base, mmu->wide, va);

        table_use(mmu, table, entry);
        *entry = TLB_EXEC_TAG(flat_canonical(flat, physical));
    }
    if (slow->host && fill->readable && !fill->device)
        enter_read(mmu, table, va, slow->host);
    /* Last, because entering may have made room by emptying this very table. */
    note_large(mmu, table, va, fill->block_size);
    return slow;
}

static enum half half_of(const struct mmu *mmu, unsigned memop)
{
    if (UNLIKELY(memop & MEM_PRIVILEGED))
        return HALF_PRIVILEGED;
    return mmu->privileged && !(memop & IR_MEM_USER) ? HALF_PRIVILEGED : HALF_USER;
}

static NORETURN COLD void fault_raise(struct mmu *mmu, struct mmu_fault *fault)
{
    mmu->client->fault(mmu->run, fault);
}

static NORETURN COLD void fault_unaligned(struct mmu *mmu, uint64_t va, enum mmu_access access,
                                          unsigned memop)
{
    struct mmu_fault fault = {.address = va,
                              .access = access,
                              .user = half_of(mmu, memop) == HALF_USER,
                              .exclusive = memop & IR_MEM_EXCLUSIVE,
                              .unaligned = true};

    fault_raise(mmu, &fault);
}

/* There is no memory at an address that the guest's tables allow. NULL: the bus answers all ones.
 */
static COLD struct slow_entry *hole_access(struct mmu *mmu, const struct tlb_fill *fill,
                                           struct mmu_fault *fault)
{
    log_printf(LOG_GUEST_ERROR,
               "%s of unmapped physical address 0x%08" PRIx64 " (virtual 0x%08" PRIx64
               "), code near 0x%08" PRIx64 "\n",
               fault->access == MMU_READ ? "read" : "write", fill->physical, fault->address,
               mmu->run->pc);
    if (mmu->client->open_bus)
        return NULL;
    fault->external = true;
    fault_raise(mmu, fault);
}

/* Remembers what a walk has read, before its result is entered. */
static void note_sources(struct mmu *mmu, const struct tlb_fill *fill)
{
    struct space *space = mmu->current;

    space->sources->incomplete |= fill->untracked;
    for (unsigned i = 0; i < fill->n_sources; i++) {
        if (UNLIKELY(!source_log_add(space->sources, &fill->source[i])))
            space_forget_source(mmu, space, &fill->source[i]);
    }
}

/* Walks for one page and enters it. Raises, or with `quiet` returns NULL. NULL is also a hole that
 * does not fault, or that was to be executed. */
static struct slow_entry *page_fill(struct mmu *mmu, enum half half, uint64_t va,
                                    enum mmu_access access, bool exclusive, bool quiet,
                                    gpa *physical)
{
    struct mmu_fault fault = {
        .address = va, .access = access, .user = half == HALF_USER, .exclusive = exclusive};
    struct tlb_fill fill = {.block_size = TLB_PAGE_SIZE};
    const struct flat_section *flat;

    count(&mmu->counters, COUNT_TLB_MISS_READ + access);
    if (!mmu->client->walk(mmu->run, va, access, half == HALF_USER, &fill, &fault)) {
        if (quiet)
            return NULL;
        fault_raise(mmu, &fault);
    }
    if (physical)
        *physical = fill.physical;
    note_sources(mmu, &fill);
    flat = memory_lookup(mmu->memory, fill.physical);
    if (LIKELY(flat != NULL))
        return page_enter(mmu, half, va, access, &fill, flat);
    if (quiet || access == MMU_EXEC)
        return NULL;
    return hole_access(mmu, &fill, &fault);
}

/* ---- the slow path of accesses --------------------------------------------------------------- */

/* Where the table says that the byte is, or NULL. */
static inline uint8_t *table_find(struct mmu *mmu, uint64_t va, enum mmu_access access,
                                  unsigned memop)
{
    struct table *table = &mmu->current->table[half_of(mmu, memop)];
    const uint64_t *entry = access == MMU_READ ? tlb_read_entry(table->base, mmu->wide, va)
                                               : tlb_write_entry(table->base, mmu->wide, va);
    uint64_t host = tlb_host_address(mmu->wide, *entry, va);

    if (LIKELY(host))
        return (uint8_t *)(uintptr_t)host;
    if (mmu->wide)
        table_touch(mmu, table, entry);
    return NULL;
}

/* The slow entry that allows this access, or NULL in holes. */
static struct slow_entry *slow_find(struct mmu *mmu, uint64_t va, enum mmu_access access,
                                    unsigned memop)
{
    enum half half = half_of(mmu, memop);
    struct slow_entry *slow = slow_slot(mmu, va);
    unsigned need = access == MMU_READ ? SLOW_READ : SLOW_WRITE;

    if (LIKELY(slow->epoch == mmu->current->table[half].epoch &&
               slow->page == va >> TLB_PAGE_BITS && (slow->allowed & need)))
        return slow;
    return page_fill(mmu, half, va, access, memop & IR_MEM_EXCLUSIVE, false, NULL);
}

/* resolve where the table does not answer. */
static struct target resolve_slowly(struct mmu *mmu, uint64_t va, enum mmu_access access,
                                    unsigned memop, bool unaligned)
{
    struct target target = {0};
    struct slow_entry *slow = slow_find(mmu, va, access, memop);
    const struct memory_section *section;
    uint64_t offset;

    if (!slow)
        return target;
    if (UNLIKELY(slow->device && unaligned))
        fault_unaligned(mmu, va, access, memop);
    section = &slow->flat->section;
    target.physical = slow->physical | (va & PAGE_MASK);
    /* A device may begin or end within the page. */
    if (UNLIKELY(target.physical < section->base ||
                 target.physical - section->base >= section->size)) {
        slow =
            page_fill(mmu, half_of(mmu, memop), va, access, memop & IR_MEM_EXCLUSIVE, false, NULL);
        if (!slow)
            return target;
        section = &slow->flat->section;
    }
    target.flat = slow->flat;
    if (section->kind == MEMORY_DEVICE || (access == MMU_WRITE && section->kind == MEMORY_ROM)) {
        count(&mmu->counters, COUNT_MMIO_READ + access);
        return target;
    }
    target.host = section->host + (target.physical - section->base);
    if (access != MMU_WRITE)
        return target;
    offset = flat_offset(target.flat, target.physical);
    target.tracked = block_has_code(target.flat->block, offset);
    if (target.tracked)
        count(&mmu->counters, COUNT_SLOW_CODE_PAGE);
    target.block = target.flat->block;
    target.offset = offset;
    /* Where something may be stored but not read there is no entry: tlb.h. */
    if (!target.tracked && !slow->device && (slow->allowed & SLOW_READ))
        enter_write(mmu, &mmu->current->table[half_of(mmu, memop)], va,
                    target.host - (va & PAGE_MASK), target.flat->block, offset);
    return target;
}

/* Where the byte at va is, for an access of the given alignment; raises what must be raised. */
static inline struct target resolve(struct mmu *mmu, gva address, enum mmu_access access,
                                    unsigned memop, bool unaligned)
{
    uint64_t va = masked(mmu, address);
    uint8_t *host = table_find(mmu, va, access, memop);

    if (LIKELY(host != NULL))
        return (struct target){.host = host};
    return resolve_slowly(mmu, va, access, memop, unaligned);
}

static unsigned left_in_page(uint64_t va)
{
    return TLB_PAGE_SIZE - (va & PAGE_MASK);
}

/* An access of a guest with watchpoints, before anything of it is done. What faults is no hit.
 * accesses: both bits if it reads and writes. */
static COLD void watch_access(struct mmu *mmu, uint64_t va, uint64_t size, unsigned accesses,
                              unsigned memop, bool unaligned)
{
    enum mmu_access access = accesses >> MMU_WRITE & 1 ? MMU_WRITE : MMU_READ;

    for (unsigned i = 0; i < mmu->n_watches && !mmu->watches_paused; i++) {
        const struct watch *watch = &mmu->watch[i];
        uint64_t first = MAX(va, watch->first);

        if (!(watch->accesses & accesses) || first > watch->last || va + (size - 1) < first)
            continue;
        resolve(mmu, va, access, memop, unaligned);
        if (left_in_page(va) < size)
            resolve(mmu, va + left_in_page(va), access, memop, unaligned);
        mmu->watch_hit(mmu->run, first, watch->accesses, memop & MEM_PRIVILEGED);
        return;
    }
}

static inline void check_watches(struct mmu *mmu, uint64_t va, uint64_t size, unsigned accesses,
                                 unsigned memop, bool unaligned)
{
    if (UNLIKELY(mmu->n_watches))
        watch_access(mmu, va, size, accesses, memop, unaligned);
}

/* Before anything of an access is stored there: guests that see their own stores at once. */
static void target_prepare(struct mmu *mmu, const struct target *target, unsigned size)
{
    if (UNLIKELY(target->tracked) && mmu->code_store)
        mmu->code_store(mmu->run, target->block->canonical + target->offset, size);
}

static void target_stored(struct mmu *mmu, const struct target *target, unsigned size)
{
    if (UNLIKELY(target->tracked))
        block_stored(mmu->memory, target->block, target->offset, size);
}

/* Device accesses that leave their section (it ends within the page) go on in what follows. */
static bool in_section(const struct target *target, unsigned size)
{
    const struct memory_section *section;

    if (UNLIKELY(!target->flat))
        return false;
    section = &target->flat->section;
    return target->physical - section->base + size <= section->size;
}

/* Bytes from devices. Where nothing is, the bus is left at ones; other guests have faulted. */
static void device_read(struct mmu *mmu, const struct target *target, void *out, unsigned size)
{
    if (!target->flat || !memory_read(mmu->memory, target->physical, out, size))
        memset(out, 0xff, size);
}

static uint64_t target_load(struct mmu *mmu, const struct target *target, unsigned size)
{
    uint64_t value = 0;

    if (target->host)
        return host_load(target->host, size);
    if (LIKELY(in_section(target, size)))
        return memory_device_read(mmu->memory, target->flat,
                                  flat_offset(target->flat, target->physical), size);
    device_read(mmu, target, &value, size);
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
    } else if (target->flat) {
        memory_write(mmu->memory, target->physical, &value, size);
    }
}

/* Any number of bytes within one page; devices see the largest aligned pieces. */
static void target_read(struct mmu *mmu, const struct target *target, uint8_t *out, unsigned size)
{
    if (target->host)
        memcpy(out, target->host, size);
    else
        device_read(mmu, target, out, size);
}

static void target_write(struct mmu *mmu, const struct target *target, const uint8_t *in,
                         unsigned size)
{
    if (target->host) {
        memcpy(target->host, in, size);
        target_stored(mmu, target, size);
    } else if (target->flat) {
        memory_write(mmu->memory, target->physical, in, size);
    }
}

/* Bytes in memory order, across at most one page boundary; both pages are checked first. */
static void read_bytes(struct mmu *mmu, uint64_t va, uint8_t *out, unsigned size, unsigned memop,
                       bool unaligned)
{
    unsigned first = MIN(size, left_in_page(va));
    struct target target = resolve(mmu, va, MMU_READ, memop, unaligned);

    if (first < size) {
        struct target second = resolve(mmu, va + first, MMU_READ, memop, unaligned);

        count(&mmu->counters, COUNT_SLOW_CROSSING);
        target_read(mmu, &target, out, first);
        target_read(mmu, &second, out + first, size - first);
    } else {
        target_read(mmu, &target, out, size);
    }
}

static void write_bytes(struct mmu *mmu, uint64_t va, const uint8_t *in, unsigned size,
                        unsigned memop, bool unaligned)
{
    unsigned first = MIN(size, left_in_page(va));
    struct target target = resolve(mmu, va, MMU_WRITE, memop, unaligned);

    target_prepare(mmu, &target, first);
    if (first < size) {
        struct target second = resolve(mmu, va + first, MMU_WRITE, memop, unaligned);

        count(&mmu->counters, COUNT_SLOW_CROSSING);
        target_prepare(mmu, &second, size - first);
        target_write(mmu, &target, in, first);
        target_write(mmu, &second, in + first, size - first);
    } else {
        target_write(mmu, &target, in, size);
    }
}

static void check_alignment(struct mmu *mmu, uint64_t va, enum mmu_access access, unsigned memop)
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

static NOINLINE uint64_t load_unaligned(struct mmu *mmu, uint64_t va, unsigned memop)
{
    unsigned size = memop_size(memop);
    uint64_t value = 0;

    check_alignment(mmu, va, MMU_READ, memop);
    check_watches(mmu, va, size, 1 << MMU_READ, memop, va & (size - 1));
    if (UNLIKELY(left_in_page(va) < size)) {
        read_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
    } else {
        struct target target = resolve(mmu, va, MMU_READ, memop, va & (size - 1));

        value = target_load(mmu, &target, size);
    }
    return value_finish(value, memop);
}

static NOINLINE void store_unaligned(struct mmu *mmu, uint64_t va, uint64_t value, unsigned memop)
{
    unsigned size = memop_size(memop);

    check_alignment(mmu, va, MMU_WRITE, memop);
    check_watches(mmu, va, size, 1 << MMU_WRITE, memop, va & (size - 1));
    if (memop & IR_MEM_SWAP)
        value = swap_value(value, size);
    if (UNLIKELY(left_in_page(va) < size)) {
        write_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
    } else {
        struct target target = resolve(mmu, va, MMU_WRITE, memop, va & (size - 1));

        target_prepare(mmu, &target, size);
        target_store(mmu, &target, value, size);
    }
}

static NOINLINE uint64_t load_missed(struct mmu *mmu, uint64_t va, unsigned memop)
{
    struct target target;

    check_watches(mmu, va, memop_size(memop), 1 << MMU_READ, memop, false);
    target = resolve_slowly(mmu, va, MMU_READ, memop, false);
    return value_finish(target_load(mmu, &target, memop_size(memop)), memop);
}

static NOINLINE void store_missed(struct mmu *mmu, uint64_t va, uint64_t value, unsigned memop)
{
    unsigned size = memop_size(memop);
    struct target target;

    check_watches(mmu, va, size, 1 << MMU_WRITE, memop, false);
    target = resolve_slowly(mmu, va, MMU_WRITE, memop, false);
    target_prepare(mmu, &target, size);
    target_store(mmu, &target, memop & IR_MEM_SWAP ? swap_value(value, size) : value, size);
}

/* An aligned access that the table answers needs nothing else. */
uint64_t mmu_load(struct mmu *mmu, gva address, unsigned memop)
{
    uint64_t va = masked(mmu, address);
    const uint8_t *host;

    if (UNLIKELY(va & (MAX(memop_size(memop), memop_align(memop)) - 1)))
        return load_unaligned(mmu, va, memop);
    host = table_find(mmu, va, MMU_READ, memop);
    if (UNLIKELY(!host))
        return load_missed(mmu, va, memop);
    return value_finish(host_load(host, memop_size(memop)), memop);
}

void mmu_store(struct mmu *mmu, gva address, uint64_t value, unsigned memop)
{
    uint64_t va = masked(mmu, address);
    unsigned size = memop_size(memop);
    uint8_t *host;

    if (UNLIKELY(va & (MAX(size, memop_align(memop)) - 1))) {
        store_unaligned(mmu, va, value, memop);
        return;
    }
    host = table_find(mmu, va, MMU_WRITE, memop);
    if (UNLIKELY(!host)) {
        store_missed(mmu, va, value, memop);
        return;
    }
    host_store(host, memop & IR_MEM_SWAP ? swap_value(value, size) : value, size);
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
    uint64_t va = masked(mmu, address);
    unsigned size = memop_size(memop);
    uint8_t bytes[16];

    check_alignment(mmu, va, MMU_READ, memop);
    check_watches(mmu, va, size, 1 << MMU_READ, memop, va & (MIN(size, 8) - 1));
    read_bytes(mmu, va, bytes, size, memop, va & (MIN(size, 8) - 1));
    if (memop & IR_MEM_SWAP)
        reverse_bytes(bytes, size);
    memcpy(out, bytes, size);
}

void mmu_store_bytes(struct mmu *mmu, gva address, const void *in, unsigned memop)
{
    uint64_t va = masked(mmu, address);
    unsigned size = memop_size(memop);
    uint8_t bytes[16];

    check_alignment(mmu, va, MMU_WRITE, memop);
    check_watches(mmu, va, size, 1 << MMU_WRITE, memop, va & (MIN(size, 8) - 1));
    memcpy(bytes, in, size);
    if (memop & IR_MEM_SWAP)
        reverse_bytes(bytes, size);
    write_bytes(mmu, va, bytes, size, memop, va & (MIN(size, 8) - 1));
}

/* ---- PROBE and COMMIT ------------------------------------------------------------------------ */

/* Element by element between the bounce buffer and memory; a final odd piece is done in bytes. */
static void bounce_read(struct mmu *mmu, uint64_t va, unsigned length, unsigned memop)
{
    unsigned size = memop_size(memop);

    for (unsigned i = 0; i < length; i += size) {
        unsigned here = MIN(size, length - i);

        read_bytes(mmu, va + i, mmu->run->bounce + i, here, memop, (va + i) & (MIN(size, 8) - 1));
    }
}

static void prepare_range(struct mmu *mmu, uint64_t va, unsigned length, unsigned memop)
{
    unsigned first = MIN(length, left_in_page(va));
    struct target target = resolve(mmu, va, MMU_WRITE, memop, false);

    target_prepare(mmu, &target, first);
    if (first < length) {
        target = resolve(mmu, va + first, MMU_WRITE, memop, false);
        target_prepare(mmu, &target, length - first);
    }
}

void *mmu_probe(struct mmu *mmu, gva address, unsigned length, unsigned memop)
{
    uint64_t va = masked(mmu, address);
    enum mmu_access access = memop & IR_MEM_WRITE ? MMU_WRITE : MMU_READ;
    bool unaligned = va & (MIN(memop_size(memop), 8) - 1);
    struct target target;

    if (UNLIKELY(!length || length > IR_PROBE_MAX))
        BUG("probe of %u bytes", length);
    check_alignment(mmu, va, access, memop);
    check_watches(mmu, va, length, 1u << access | (memop & IR_MEM_READ ? 1u << MMU_READ : 0), memop,
                  unaligned);
    target = resolve(mmu, va, access, memop, unaligned);
    if (left_in_page(va) >= length) {
        if (target.host && !target.tracked)
            return target.host;
    } else {
        resolve(mmu, va + left_in_page(va), access, memop, unaligned);
    }
    if (access == MMU_WRITE && mmu->code_store)
        prepare_range(mmu, va, length, memop);
    mmu->run->bounce_address = va;
    if (access == MMU_READ || memop & IR_MEM_READ)
        bounce_read(mmu, va, length, memop);
    return mmu->run->bounce;
}

void mmu_commit(struct mmu *mmu, void *pointer, gva address, unsigned length, unsigned memop)
{
    uint64_t va = masked(mmu, address);
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
static uint64_t cas_raw(struct mmu *mmu, uint64_t va, uint64_t expected, uint64_t value,
                        unsigned memop)
{
    unsigned size = memop_size(memop);
    uint64_t mask = size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << size * 8) - 1;
    uint64_t old = 0;
    struct target target;

    expected &= mask;
    value &= mask;
    check_watches(mmu, va, size, 1 << MMU_READ | 1 << MMU_WRITE, memop, va & (size - 1));
    if (va & (size - 1)) {
        /* No architecture promises that this is atomic; a store is what happens if it succeeds,
         * but the right to store is checked first. */
        resolve(mmu, va, MMU_WRITE, memop, true);
        if (left_in_page(va) < size)
            resolve(mmu, va + left_in_page(va), MMU_WRITE, memop, true);
        read_bytes(mmu, va, (uint8_t *)&old, size, memop, true);
        if (old == expected)
            write_bytes(mmu, va, (uint8_t *)&value, size, memop, true);
        return old;
    }
    target = resolve(mmu, va, MMU_WRITE, memop, false);
    target_prepare(mmu, &target, size);
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
    uint64_t va = masked(mmu, address);
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
    uint64_t va = masked(mmu, address);
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

/* ---- services for helpers ----------------------------------------------------------------------
 */

uint64_t mmu_load_as(struct mmu *mmu, gva va, unsigned memop, bool user)
{
    return mmu_load(mmu, va, memop | (user ? (unsigned)IR_MEM_USER : MEM_PRIVILEGED));
}

void mmu_store_as(struct mmu *mmu, gva va, uint64_t value, unsigned memop, bool user)
{
    mmu_store(mmu, va, value, memop | (user ? (unsigned)IR_MEM_USER : MEM_PRIVILEGED));
}

bool mmu_physical(struct mmu *mmu, gva address, enum mmu_access access, bool user, gpa *out)
{
    uint64_t va = masked(mmu, address);
    struct mmu_fault fault = {.address = va, .access = access, .user = user};
    struct tlb_fill fill = {.block_size = TLB_PAGE_SIZE};

    if (!mmu->client->walk(mmu->run, va, access, user, &fill, &fault))
        fault_raise(mmu, &fault);
    *out = fill.physical;
    return memory_lookup(mmu->memory, fill.physical) != NULL;
}

uint8_t *mmu_host_range(struct mmu *mmu, gva address, size_t length, enum mmu_access access,
                        bool user)
{
    uint64_t va = masked(mmu, address);
    unsigned memop = user ? (unsigned)IR_MEM_USER : MEM_PRIVILEGED;
    struct target target;

    if (!length || length > left_in_page(va))
        return NULL;
    target = resolve(mmu, va, access, memop, false);
    if (UNLIKELY(mmu->n_watches) && page_is_watched(mmu, va, 1u << access))
        return NULL;
    return target.tracked || (target.flat && slow_slot(mmu, va)->device) ? NULL : target.host;
}

/* ---- code, and looks from outside ------------------------------------------------------------ */

const uint8_t *mmu_fetch(struct mmu *mmu, gva address, gpa *physical, bool quiet)
{
    uint64_t va = masked(mmu, address);
    enum half half = half_of(mmu, 0);
    struct table *table = &mmu->current->table[half];
    struct slow_entry *slow = slow_slot(mmu, va);

    *physical = 0;
    if (slow->epoch != table->epoch || slow->page != va >> TLB_PAGE_BITS ||
        !(slow->allowed & SLOW_EXEC) ||
        (tlb_in_exec(mmu->wide, va) && !*tlb_exec_entry(table->base, mmu->wide, va))) {
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
bool mmu_look(struct mmu *mmu, gva address, bool user, gpa *physical)
{
    uint64_t va = masked(mmu, address);
    struct mmu_fault fault = {.address = va, .access = MMU_READ, .user = user};
    struct tlb_fill fill = {0};

    if (mmu->client->look)
        return mmu->client->look(mmu->run, va, physical);
    if (!mmu->client->walk(mmu->run, va, MMU_READ, user, &fill, &fault))
        return false;
    *physical = fill.physical;
    return true;
}

bool mmu_peek(struct mmu *mmu, gva address, void *buffer, size_t size, bool user)
{
    uint8_t *out = buffer;

    while (size) {
        uint64_t va = masked(mmu, address);
        size_t here = MIN(size, left_in_page(va));
        const struct memory_section *section;
        gpa physical;

        if (!mmu_look(mmu, va, user, &physical))
            return false;
        section = memory_find(mmu->memory, physical);
        if (!section || section->kind == MEMORY_DEVICE ||
            !memory_read(mmu->memory, physical, out, here))
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
        uint64_t va = masked(mmu, address);
        size_t here = MIN(size, left_in_page(va));
        gpa physical;

        if (!mmu_look(mmu, va, user, &physical) || !memory_poke(mmu->memory, physical, in, here))
            return false;
        in += here;
        address += here;
        size -= here;
    }
    return true;
}

/* ---- watchpoints ----------------------------------------------------------------------------- */

void mmu_on_watch(struct mmu *mmu, mmu_watch_hit *hit)
{
    mmu->watch_hit = hit;
}

bool mmu_add_watch(struct mmu *mmu, gva address, uint64_t length, unsigned accesses)
{
    uint64_t first = masked(mmu, address), last = first + (length - 1);

    if (mmu->n_watches == MAX_WATCHES || !length || length > MAX_WATCH_BYTES || last < first ||
        last != masked(mmu, last))
        return false;
    mmu->watch[mmu->n_watches++] =
        (struct watch){.first = first, .last = last, .accesses = accesses};
    for (uint64_t page = first >> TLB_PAGE_BITS; page <= last >> TLB_PAGE_BITS; page++)
        mmu_flush_page(mmu, page << TLB_PAGE_BITS);
    return true;
}

bool mmu_remove_watch(struct mmu *mmu, gva address, uint64_t length, unsigned accesses)
{
    uint64_t first = masked(mmu, address);

    for (unsigned i = 0; i < mmu->n_watches; i++) {
        struct watch *watch = &mmu->watch[i];

        if (watch->first == first && watch->last == first + (length - 1) &&
            watch->accesses == accesses) {
            *watch = mmu->watch[--mmu->n_watches];
            return true;
        }
    }
    return false;
}

void mmu_remove_all_watches(struct mmu *mmu)
{
    mmu->n_watches = 0;
}

void mmu_pause_watches(struct mmu *mmu, bool paused)
{
    mmu->watches_paused = paused;
}
