/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The code cache: units by physical address, virtual address and key; by the page they were made
 * from; by the host address of their code. Regions of code memory are filled one after the other
 * and emptied in turn when all are full.
 */
#define _GNU_SOURCE
#include "exec/exec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/bits.h"

/* ---- by host address ------------------------------------------------------------------------- */

bool cache_init(struct exec *exec, struct error *err)
{
    uint64_t bytes = exec->code_bytes - THUNK_BYTES;
    uint32_t region_bytes;

    exec->n_regions = bytes >= 8 * MIB ? MAX_REGIONS : MAX_REGIONS / 2;
    region_bytes = (uint32_t)align_down(bytes / exec->n_regions, TLB_PAGE_SIZE);
    exec->buckets = calloc((size_t)1 << UNIT_BUCKET_BITS, sizeof(struct unit *));
    exec->dropped_codes = calloc(DROPPED_CODES, sizeof(*exec->dropped_codes));
    exec->pages = calloc(PAGE_BUCKETS, sizeof(struct code_page *));
    exec->kept = calloc(KEPT_BUCKETS, sizeof(struct unit *));
    if (!exec->buckets || !exec->pages || !exec->dropped_codes || !exec->kept)
        return error_set(err, "not enough memory for the code cache");
    for (unsigned i = 0; i < exec->n_regions; i++) {
        struct region *region = &exec->region[i];

        region->offset = THUNK_BYTES + i * region_bytes;
        region->size = region_bytes;
        region->granules = calloc((region_bytes >> GRANULE_BITS) + 1, sizeof(uint32_t));
        if (!region->granules)
            return error_set(err, "not enough memory for the code cache");
    }
    return true;
}

static struct region *region_at(const struct exec *exec, const void *address)
{
    uint64_t offset = (uint64_t)((const uint8_t *)address - exec->exec_view);
    uint32_t index;

    if (offset < THUNK_BYTES || offset >= exec->code_bytes)
        return NULL;
    index = (uint32_t)(offset - THUNK_BYTES) / exec->region[0].size;
    return index < exec->n_regions ? (struct region *)&exec->region[index] : NULL;
}

static struct placement *placement_at(const struct exec *exec, const void *address)
{
    struct region *region = region_at(exec, address);
    uint32_t offset, index;

    if (!region)
        return NULL;
    offset = (uint32_t)((const uint8_t *)address - exec->exec_view) - region->offset;
    index = region->granules[offset >> GRANULE_BITS];
    if (!index)
        return NULL;
    for (index--; index < region->n_placements; index++) {
        struct placement *p = &region->placements[index];

        if (offset < p->start)
            return NULL;
        if (offset < p->end)
            return p;
    }
    return NULL;
}

struct unit *unit_at(const struct exec *exec, const void *address)
{
    const struct placement *placement = placement_at(exec, address);

    return placement ? placement->unit : NULL;
}

/* Has the host allocate the next stretch at once instead of by one fault per page. */
static void prefault(struct exec *exec, uint32_t from)
{
    uint32_t start = (uint32_t)align_down(from, PREFAULT_BYTES);
    uint32_t end = (uint32_t)MIN(start + 2 * PREFAULT_BYTES, exec->code_bytes);

    start = MAX(start, exec->prefaulted);
    if (start < end && from + PREFAULT_BYTES / 2 > exec->prefaulted) {
#ifdef MADV_POPULATE_WRITE
        madvise(exec->write_view + start, end - start, MADV_POPULATE_WRITE);
#endif
        exec->prefaulted = end;
    }
}

struct code_buf cache_room(struct exec *exec)
{
    const struct region *region = &exec->region[exec->current];
    uint32_t offset = region->offset + region->used;

    prefault(exec, offset);
    return (struct code_buf){.write = exec->write_view + offset,
                             .exec = exec->exec_view + offset,
                             .end = exec->write_view + region->offset + region->size};
}

/* The writable view is only looked at where code is being written. Its pages are the same memory as
 * the executable view's, but the host counts them for both: give back what is behind. */
static void release_written(struct exec *exec, const struct region *region)
{
    uint32_t end = (uint32_t)align_down(region->offset + region->used, MIB);

    if (end > exec->released) {
        madvise(exec->write_view, end, MADV_DONTNEED);
        exec->released = end;
    }
}

static void place_unit(struct exec *exec, struct unit *unit, uint32_t bytes)
{
    struct region *region = &exec->region[exec->current];
    uint32_t start = region->used, end = start + bytes;

    if (region->n_placements == region->capacity) {
        uint32_t capacity = region->capacity ? 2 * region->capacity : 256;
        struct placement *grown = realloc(region->placements, capacity * sizeof(*grown));

        if (!grown)
            BUG("out of memory");
        region->placements = grown;
        region->capacity = capacity;
    }
    region->placements[region->n_placements++] =
        (struct placement){.start = start, .end = end, .unit = unit};
    for (uint32_t g = start >> GRANULE_BITS; g <= (end - 1) >> GRANULE_BITS; g++) {
        if (!region->granules[g])
            region->granules[g] = region->n_placements;
    }
    region->used = (uint32_t)MIN(align_up(end, CODE_ALIGNMENT), region->size);
    release_written(exec, region);
}

static struct record_chunk *record_chunk_create(size_t size)
{
    struct record_chunk *chunk =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (chunk == MAP_FAILED)
        BUG("out of memory");
    chunk->size = size;
    return chunk;
}

/* Not cleared. Records live as long as the code around theirs, so that no list of free ones is
 * needed; and the host allocates many pages at once instead of by one fault each. */
static void *record_alloc(struct region *region, size_t size)
{
    struct record_chunk *chunk = region->record;
    uint8_t *record;

    size = align_up(size, sizeof(uint64_t));
    if (UNLIKELY(!chunk || chunk->size - chunk->used < size)) {
        struct record_chunk **next = chunk ? &chunk->next : &region->records;
        size_t need = align_up(sizeof(*chunk) + size, TLB_PAGE_SIZE);

        /* Those kept from before the region was emptied come first, where they are large enough. */
        if (!*next || (*next)->size < need) {
            struct record_chunk *made = record_chunk_create(MAX(need, (size_t)RECORD_CHUNK_BYTES));

            made->next = *next;
            *next = made;
        }
        chunk = region->record = *next;
        chunk->used = sizeof(*chunk);
    }
    record = (uint8_t *)chunk + chunk->used;
    chunk->used += size;
    return record;
}

/* The last one, never entered, is not wanted. */
static void record_take_back(struct region *region, const void *record)
{
    struct record_chunk *chunk = region->record;
    uint64_t offset = (uint64_t)((const uint8_t *)record - (const uint8_t *)chunk);

    if ((const uint8_t *)record > (const uint8_t *)chunk && offset < chunk->used)
        chunk->used = offset;
}

static void records_finish(struct region *region)
{
    while (region->records) {
        struct record_chunk *chunk = region->records;

        region->records = chunk->next;
        munmap(chunk, chunk->size);
    }
}

struct unit *unit_create(struct exec *exec, const struct unit_code *code,
                         const struct code_buf *end, const uint8_t *bytes, unsigned n_bytes)
{
    struct region *region = &exec->region[exec->current];
    uint32_t host_bytes = (uint32_t)(end->exec - (exec->exec_view + region->offset + region->used));
    size_t links_bytes = code->n_exits * sizeof(struct link);
    size_t exits_bytes = code->n_exits * sizeof(struct exit_site);
    size_t size = sizeof(struct unit) + links_bytes + exits_bytes + code->tables_bytes +
                  (bytes ? n_bytes : 0);
    struct unit *unit = record_alloc(region, size);
    uint8_t *behind = (uint8_t *)&unit->links[code->n_exits];

    memset(unit, 0, sizeof(*unit) + links_bytes);
    unit->code = *code;
    unit->second = NO_SECOND_PAGE;
    for (unsigned i = 0; i < code->n_exits; i++)
        unit->links[i].from = unit;
    unit->code.exits = (struct exit_site *)(void *)behind;
    unit->code.tables = behind + exits_bytes;
    if (exits_bytes)
        memcpy(behind, code->exits, exits_bytes);
    if (code->tables_bytes)
        memcpy(unit->code.tables, code->tables, code->tables_bytes);
    if (bytes)
        unit->bytes = memcpy(behind + exits_bytes + code->tables_bytes, bytes, n_bytes);
    place_unit(exec, unit, MAX(host_bytes, 1));
    count(&exec->counters, COUNT_UNITS);
    exec->counters.n[COUNT_HOST_BYTES] += host_bytes;
    exec->counters.n[COUNT_RECORD_BYTES] += size;
    return unit;
}

static void unit_free(struct exec *exec, struct unit *unit)
{
    struct placement *placement = placement_at(exec, unit->code.entry);

    if (placement && placement->unit == unit)
        placement->unit = NULL;
}

void unit_discard(struct exec *exec, struct unit *unit)
{
    struct region *region = &exec->region[exec->current];
    struct placement *last = &region->placements[region->n_placements - 1];

    exec->backend->forget(exec->state, unit->code.entry, true);
    if (last->unit == unit) {
        for (uint32_t g = last->start >> GRANULE_BITS; g <= (last->end - 1) >> GRANULE_BITS; g++) {
            if (region->granules[g] == region->n_placements)
                region->granules[g] = 0;
        }
        region->used = last->start;
        region->n_placements--;
        record_take_back(region, unit); /* what it holds is there until the next one is made */
    }
    unit_free(exec, unit);
}

/* ---- by guest address ------------------------------------------------------------------------ */

static uint64_t unit_hash(uint64_t pc, uint32_t key, gpa physical)
{
    return (physical ^ pc << 20 ^ (uint64_t)key << 40) * UINT64_C(0x9e3779b97f4a7c15);
}

static struct unit **unit_bucket(struct exec *exec, uint64_t pc, uint32_t key, gpa physical)
{
    return &exec->buckets[unit_hash(pc, key, physical) >> (64 - UNIT_BUCKET_BITS)];
}

static struct unit **kept_bucket(struct exec *exec, uint64_t pc, uint32_t key, gpa physical)
{
    return &exec->kept[unit_hash(pc, key, physical) >> 50];
}

/* For the statistics: where a sign of this unit is left when it is dropped, and the sign. */
static uint32_t *dropped_code(struct exec *exec, const struct unit *unit, uint32_t *sign)
{
    uint64_t hash = unit_hash(unit->pc, unit->key, unit->physical);

    *sign = (uint32_t)(hash >> 16) | 1;
    return &exec->dropped_codes[hash >> 48];
}

struct unit *cache_find(struct exec *exec, uint64_t pc, uint32_t key, gpa physical, gpa second)
{
    for (struct unit *unit = *unit_bucket(exec, pc, key, physical); unit; unit = unit->next) {
        if (unit->physical == physical && unit->pc == pc && unit->key == key &&
            (unit->second == NO_SECOND_PAGE || unit->second == second))
            return unit;
    }
    return NULL;
}

static struct code_page **page_bucket(struct exec *exec, gpa page)
{
    return &exec->pages[((page >> TLB_PAGE_BITS) * UINT64_C(0x9e3779b97f4a7c15)) >> 52];
}

static struct code_page *page_find(struct exec *exec, gpa page)
{
    struct code_page *p = *page_bucket(exec, page);

    while (p && p->page != page)
        p = p->next;
    return p;
}

uint64_t cache_page_prepare(struct exec *exec, gpa page)
{
    struct code_page *p;
    uint64_t generation;

    pthread_mutex_lock(&exec->lock);
    p = page_find(exec, page);
    if (!p) {
        struct code_page **bucket = page_bucket(exec, page);

        p = calloc(1, sizeof(*p));
        if (!p)
            BUG("out of memory");
        p->page = page;
        p->generation = ++exec->next_generation;
        p->next = *bucket;
        *bucket = p;
        memory_set_page_code(exec->memory, page, true);
    }
    generation = p->generation;
    pthread_mutex_unlock(&exec->lock);
    return generation;
}

bool cache_page_unchanged(struct exec *exec, gpa page, uint64_t generation)
{
    const struct code_page *p = page_find(exec, page);

    return p && p->generation == generation;
}

static void page_free_if_unused(struct exec *exec, struct code_page *page)
{
    if (page->members)
        return;
    for (struct code_page **p = page_bucket(exec, page->page); *p; p = &(*p)->next) {
        if (*p == page) {
            *p = page->next;
            break;
        }
    }
    memory_set_page_code(exec->memory, page->page, false);
    free(page);
}

/* The part of a page this unit was made from. */
static void member_range(const struct page_member *member, uint32_t *start, uint32_t *end)
{
    const struct unit *unit = member->unit;
    uint32_t offset = unit->physical & PAGE_MASK;

    if (member == unit->second_member) {
        *start = 0;
        *end = offset + unit->guest_bytes - TLB_PAGE_SIZE;
    } else {
        *start = offset;
        *end = MIN(offset + unit->guest_bytes, TLB_PAGE_SIZE);
    }
}

bool unit_made_from(const struct unit *unit, gpa address, uint32_t size)
{
    return address < unit->physical + unit->guest_bytes && address + size > unit->physical;
}

/* One bit per 64 bytes of [start, end). */
static uint64_t cover_bits(uint32_t start, uint32_t end)
{
    unsigned first = start / 64, last = (end - 1) / 64;

    return (~UINT64_C(0) >> (63 - (last - first))) << first;
}

static void member_add(struct exec *exec, struct page_member *member, struct unit *unit, gpa page)
{
    struct code_page *p = page_find(exec, page);
    uint32_t start, end;

    member->unit = unit;
    member->page = p;
    member->next = p->members;
    member->previous = &p->members;
    if (p->members)
        p->members->previous = &member->next;
    p->members = member;
    member_range(member, &start, &end);
    p->covered |= cover_bits(start, end);
    p->n_drops = 0;
}

/* stored: because of a store. Code is often wanted there again at once, and the next store then:
 * the page stays flagged until one comes before that. */
static void member_remove(struct exec *exec, struct page_member *member, bool stored)
{
    *member->previous = member->next;
    if (member->next)
        member->next->previous = member->previous;
    if (!stored)
        page_free_if_unused(exec, member->page);
}

void unit_enter(struct exec *exec, struct unit *unit)
{
    struct unit **bucket = unit_bucket(exec, unit->pc, unit->key, unit->physical);
    uint32_t sign, *dropped = dropped_code(exec, unit, &sign);

    if (*dropped == sign && !unit->kept)
        count(&exec->counters, COUNT_RETRANSLATIONS);
    unit->next = *bucket;
    *bucket = unit;
    if (unit->second != NO_SECOND_PAGE) {
        unit->second_member =
            record_alloc(&exec->region[exec->current], sizeof(*unit->second_member));
        member_add(exec, unit->second_member, unit, unit->second);
    }
    member_add(exec, &unit->member, unit, unit->physical & ~(gpa)PAGE_MASK);
}

/* ---- chaining and dropping ------------------------------------------------------------------- */

static void link_cut(struct exec *exec, struct link *link)
{
    const struct exit_site *exit = &link->from->code.exits[link - link->from->links];

    exec->backend->patch_jump(exec->state, exit->site, NULL, 0);
    *link->previous = link->next;
    if (link->next)
        link->next->previous = link->previous;
    link->target = NULL;
    count(&exec->counters, COUNT_LINKS_CUT);
}

void unit_link(struct exec *exec, void *site, struct unit *target)
{
    struct unit *from = unit_at(exec, site);

    if (!from || from->dropped_at || target->dropped_at)
        return;
    for (unsigned i = 0; i < from->code.n_exits; i++) {
        const struct exit_site *exit = &from->code.exits[i];
        struct link *link = &from->links[i];

        if (exit->site != site)
            continue;
        if (exit->pc != target->pc || exit->key != target->key)
            return;
        /* The jump's guard could not tell whether the page is still there. */
        if (exit->other_page && !tlb_in_exec(exec->guest->wide_address, target->pc))
            return;
        if (link->target)
            link_cut(exec, link);
        link->target = target;
        link->next = target->incoming;
        link->previous = &target->incoming;
        if (target->incoming)
            target->incoming->previous = &link->next;
        target->incoming = link;
        exec->backend->patch_jump(exec->state, site, target->code.entry,
                                  TLB_EXEC_TAG(target->physical));
        count(&exec->counters, COUNT_LINKS);
        return;
    }
}

static void links_cut_from(struct exec *exec, struct unit *unit)
{
    for (unsigned i = 0; i < unit->code.n_exits; i++) {
        if (unit->links[i].target)
            link_cut(exec, &unit->links[i]);
    }
}

/* A kept unit is dropped for good. */
static void unit_let_go(struct exec *exec, struct unit *unit)
{
    struct unit **u = kept_bucket(exec, unit->pc, unit->key, unit->physical);

    while (*u != unit)
        u = &(*u)->next;
    *u = unit->next;
    unit->kept = false;
    links_cut_from(exec, unit);
    exec->backend->forget(exec->state, unit->code.entry, true);
    unit_retire(exec, unit);
}

/* Nothing leads to it now. Its own links stay: they lead to units that are right. */
static void unit_keep(struct exec *exec, struct unit *unit)
{
    struct unit **bucket = kept_bucket(exec, unit->pc, unit->key, unit->physical);
    struct unit *oldest = *bucket;
    unsigned n = 0;

    for (const struct unit *u = *bucket; u; u = u->next, n++)
        oldest = (struct unit *)u;
    if (n >= MAX_KEPT)
        unit_let_go(exec, oldest);
    exec->backend->forget(exec->state, unit->code.entry, false);
    unit->dropped_at = ++exec->epoch;
    unit->doomed = NULL;
    unit->kept = true;
    unit->next = *bucket;
    *bucket = unit;
}

static bool is_made_from(const struct unit *unit, const struct run_state *run, gpa physical,
                         const uint8_t *bytes)
{
    return unit->pc == run->pc && unit->key == run->key && unit->physical == physical &&
           !memcmp(unit->bytes, bytes, unit->guest_bytes);
}

struct unit *unit_revive(struct exec *exec, const struct run_state *run, gpa physical,
                         const uint8_t *bytes, uint64_t generation)
{
    struct unit **u = kept_bucket(exec, run->pc, run->key, physical);
    struct unit *unit;

    if (LIKELY(!__atomic_load_n(u, __ATOMIC_RELAXED)))
        return NULL;
    pthread_mutex_lock(&exec->lock);
    for (unit = *u; unit && !is_made_from(unit, run, physical, bytes); unit = *u)
        u = &unit->next;
    if (unit && cache_page_unchanged(exec, physical & ~(gpa)PAGE_MASK, generation)) {
        *u = unit->next;
        unit->dropped_at = 0;
        unit_enter(exec, unit);
        unit->kept = false;
        count(&exec->counters, COUNT_REVIVED);
    } else {
        unit = NULL;
    }
    pthread_mutex_unlock(&exec->lock);
    return unit;
}

/* Cuts every way into it, and out of it if it is not to be kept: a vCPU that is in it leaves at its
 * next exit or poll. */
void unit_drop(struct exec *exec, struct unit *unit, enum counter reason)
{
    struct unit **u = unit_bucket(exec, unit->pc, unit->key, unit->physical);
    uint32_t sign, *dropped = dropped_code(exec, unit, &sign);

    *dropped = sign;
    count(&exec->counters, reason);
    while (*u != unit)
        u = &(*u)->next;
    *u = unit->next;
    while (unit->incoming)
        link_cut(exec, unit->incoming);
    for (struct engine *engine = exec->engines; engine; engine = engine->next) {
        struct jump_cache_entry *entry = jump_cache_slot(engine, unit->pc, unit->key);

        if (entry->code == unit->code.entry)
            entry->page = 0;
    }
    member_remove(exec, &unit->member, reason == COUNT_DROPPED_STORE);
    if (unit->second_member)
        member_remove(exec, unit->second_member, reason == COUNT_DROPPED_STORE);
    if (unit->bytes && (reason == COUNT_DROPPED_STORE || reason == COUNT_DROPPED_DMA)) {
        unit_keep(exec, unit);
        return;
    }
    links_cut_from(exec, unit);
    exec->backend->forget(exec->state, unit->code.entry, true);
    unit_retire(exec, unit);
}

/* Whatever state it is in. */
static void unit_drop_for_good(struct exec *exec, struct unit *unit, enum counter reason)
{
    if (!unit->kept && !unit->dropped_at)
        unit_drop(exec, unit, reason);
    if (unit->kept)
        unit_let_go(exec, unit);
}

void unit_retire(struct exec *exec, struct unit *unit)
{
    unit->dropped_at = ++exec->epoch;
    unit->next = exec->dropped;
    exec->dropped = unit;
}

void cache_reap(struct exec *exec)
{
    uint64_t oldest = ~UINT64_C(0);

    for (const struct engine *engine = exec->engines; engine; engine = engine->next)
        oldest = MIN(oldest, atomic_load(&engine->seen_epoch));
    for (struct unit **u = &exec->dropped; *u;) {
        struct unit *unit = *u;

        if (unit->dropped_at > oldest) {
            u = &unit->next;
            continue;
        }
        *u = unit->next;
        unit_free(exec, unit);
    }
}

static void region_drop_units(struct exec *exec, struct region *region, enum counter reason)
{
    for (uint32_t k = region->n_dropped; k < region->n_placements; k++) {
        struct unit *unit = region->placements[k].unit;

        if (unit)
            unit_drop_for_good(exec, unit, reason);
    }
    region->n_dropped = region->n_placements;
}

static void region_empty(struct exec *exec, struct region *region)
{
    region_drop_units(exec, region, COUNT_DROPPED_EVICTED);
    for (struct unit **u = &exec->dropped; *u;) {
        struct unit *unit = *u;

        if (region_at(exec, unit->code.entry) == region) {
            *u = unit->next;
            unit_free(exec, unit);
        } else {
            u = &unit->next;
        }
    }
    memset(region->granules, 0, ((region->size >> GRANULE_BITS) + 1) * sizeof(uint32_t));
    region->n_placements = region->n_dropped = 0;
    region->used = 0;
    region->record = NULL;
}

bool cache_next_region(struct exec *exec)
{
    struct region *region = &exec->region[exec->current];

    if (!region->used)
        return false;
    exec->current = (exec->current + 1) % exec->n_regions;
    region = &exec->region[exec->current];
    if (region->used) {
        region_empty(exec, region);
        count(&exec->counters, COUNT_EVICTIONS);
    }
    if (!exec->current)
        exec->released = exec->prefaulted = 0;
    return true;
}

/* Chains the units that overlap [from, to) before `first` through `doomed`, which ends with the
 * last pointing to itself, and takes stock of what the others cover. `except` stays. */
static struct unit *page_doom(struct code_page *page, uint32_t from, uint32_t to,
                              struct unit *first, const struct unit *except)
{
    uint64_t covered = 0;

    for (struct page_member *member = page->members; member; member = member->next) {
        struct unit *unit = member->unit;
        uint32_t start, end;

        member_range(member, &start, &end);
        if (start >= to || end <= from || unit == except) {
            covered |= cover_bits(start, end);
        } else if (!unit->doomed) {
            unit->doomed = first ? first : unit;
            first = unit;
        }
    }
    page->covered = covered;
    return first;
}

/*
 * Stores go on dropping units of a page and nothing of it runs in between: it is being filled anew.
 * Each of the stores to come would take the slow path. Without units the page is like any other,
 * and those whose bytes are as before come back when they are wanted. What runs stays: its stores
 * into itself must be seen.
 */
static struct unit *page_doom_rest(struct exec *exec, struct code_page *page, struct unit *first)
{
    const struct unit *running = engine_calling_unit(exec->engines);

    if (++page->n_drops < REWRITTEN || !running || exec->engines->next)
        return first;
    return page_doom(page, 0, TLB_PAGE_SIZE, first, running);
}

/* Units overlapping the changed bytes go; the others of the page stay, and so does its flag. */
static void invalidate(struct exec *exec, gpa address, uint32_t size, enum counter reason)
{
    struct code_page *page = page_find(exec, address & ~(gpa)PAGE_MASK);
    uint32_t from = address & PAGE_MASK, to = from + size;
    struct unit *unit = page && page->members ? page_doom(page, from, to, NULL, NULL) : NULL;

    if (unit && exec->engines)
        unit = page_doom_rest(exec, page, unit);
    /* Whoever runs one of them leaves it at its next exit or loop. */
    for (struct engine *engine = unit ? exec->engines : NULL; engine; engine = engine->next) {
        const struct unit *running = engine_calling_unit(engine);

        if (!running || running->doomed || running->dropped_at)
            vcpu_kick(engine->cpu);
    }
    while (unit) {
        struct unit *next = unit->doomed == unit ? NULL : unit->doomed;

        unit_drop(exec, unit, reason);
        unit = next;
    }
}

/* Not on a vCPU's thread: code that may be running is not touched. The vCPUs do it before they take
 * an interrupt or look up code again, which is before the guest can know of the change. */
static void invalidate_later(struct exec *exec, gpa address, uint32_t size)
{
    unsigned n = atomic_load(&exec->n_changes);

    if (n < MAX_CHANGES)
        exec->changes[n] = (struct code_change){.address = address, .size = size};
    atomic_store(&exec->n_changes, MIN(n + 1, MAX_CHANGES + 1));
    for (struct engine *engine = exec->engines; engine; engine = engine->next)
        vcpu_kick(engine->cpu);
}

static void drop_all(struct exec *exec, enum counter reason)
{
    for (unsigned i = 0; i < exec->n_regions; i++)
        region_drop_units(exec, &exec->region[i], reason);
}

void cache_apply_changes(struct exec *exec)
{
    unsigned n;

    pthread_mutex_lock(&exec->lock);
    n = atomic_exchange(&exec->n_changes, 0);
    if (n > MAX_CHANGES)
        drop_all(exec, COUNT_DROPPED_DMA);
    for (unsigned i = 0; n <= MAX_CHANGES && i < n; i++)
        invalidate(exec, exec->changes[i].address, exec->changes[i].size, COUNT_DROPPED_DMA);
    pthread_mutex_unlock(&exec->lock);
}

void cache_drop_all(struct exec *exec)
{
    pthread_mutex_lock(&exec->lock);
    drop_all(exec, COUNT_DROPPED_ALL);
    pthread_mutex_unlock(&exec->lock);
}

/* Every address space may have units there, in pages of its own, and kept ones are in no page: so
 * all are asked, in the order of their records, 20 ns a unit. To go through the pages takes longer.
 */
void cache_drop_at(struct exec *exec, gva address)
{
    pthread_mutex_lock(&exec->lock);
    for (unsigned i = 0; i < exec->n_regions; i++) {
        struct region *region = &exec->region[i];

        for (uint32_t k = region->n_dropped; k < region->n_placements; k++) {
            struct unit *unit = region->placements[k].unit;

            if (unit && address - unit->pc < unit->guest_bytes)
                unit_drop_for_good(exec, unit, COUNT_DROPPED_ALL);
        }
    }
    pthread_mutex_unlock(&exec->lock);
}

void cache_changed(void *opaque, gpa address, uint64_t size)
{
    struct exec *exec = opaque;
    gpa page_address = address & ~(gpa)PAGE_MASK;
    uint32_t from = address & PAGE_MASK, to = (uint32_t)MIN(from + size, TLB_PAGE_SIZE);
    struct code_page *page;

    pthread_mutex_lock(&exec->lock);
    page = page_find(exec, page_address);
    if (!page) {
        memory_set_page_code(exec->memory, page_address, false);
    } else {
        bool hit = page->members && page->covered & cover_bits(from, to);

        count(&exec->counters, COUNT_CODE_STORES);
        if (hit)
            count(&exec->counters, COUNT_CODE_STORES_HIT);
        page->generation = ++exec->next_generation;
        page_free_if_unused(exec, page);
        if (hit && engine_is_current(exec))
            invalidate(exec, address, to - from, COUNT_DROPPED_STORE);
        else if (hit)
            invalidate_later(exec, address, to - from);
    }
    pthread_mutex_unlock(&exec->lock);
}

void cache_finish(struct exec *exec)
{
    for (unsigned i = 0; i < exec->n_regions; i++) {
        struct region *region = &exec->region[i];

        records_finish(region);
        free(region->placements);
        free(region->granules);
    }
    for (unsigned i = 0; exec->pages && i < PAGE_BUCKETS; i++) {
        while (exec->pages[i]) {
            struct code_page *page = exec->pages[i];

            exec->pages[i] = page->next;
            free(page);
        }
    }
    free(exec->buckets);
    free(exec->kept);
    free(exec->dropped_codes);
    free(exec->pages);
}
