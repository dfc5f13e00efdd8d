/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest-physical map: blocks of RAM and ROM in one memfd, device regions, and the flat list of
 * sections that results from adding them on top of each other.
 */
#define _GNU_SOURCE
#include "softmmu/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/memory_map.h"
#include "util/bits.h"
#include "util/log.h"

/* Host addresses of guest memory are multiples of this, and so wide are the guards around it. */
#define GUARD_BYTES (2 * MIB)

void memory_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct memory *memory_create(pthread_mutex_t *lock, struct error *err)
{
    struct memory *memory = calloc(1, sizeof(*memory));

    if (!memory) {
        error_set(err, "not enough memory for the physical map");
        return NULL;
    }
    memory->lock = lock;
    memory->fd = memfd_create("guest-memory", MFD_CLOEXEC);
    if (memory->fd < 0) {
        error_set_errno(err, errno, "cannot create a memory file for the guest's RAM");
        free(memory);
        return NULL;
    }
    return memory;
}

void memory_destroy(struct memory *memory)
{
    if (!memory)
        return;
    while (memory->blocks) {
        struct memory_block *block = memory->blocks;

        memory->blocks = block->next;
        if (block->mapping)
            munmap(block->mapping, block->mapping_bytes);
        free(block->page_flags);
        free(block->name);
        free(block);
    }
    close(memory->fd);
    free(memory->additions);
    free(memory->flats);
    free(memory);
}

void memory_set_big_endian(struct memory *memory, bool big_endian)
{
    memory->big_endian = big_endian;
}

bool memory_is_big_endian(const struct memory *memory)
{
    return memory->big_endian;
}

/* ---- the flat list --------------------------------------------------------------------------- */

static void granules_rebuild(struct memory *memory)
{
    memset(memory->granules, 0, sizeof(memory->granules));
    for (unsigned i = 0; i < memory->n_flats; i++) {
        const struct memory_section *s = &memory->flats[i].section;
        gpa last = s->base + (s->size - 1);

        for (uint64_t g = s->base >> MAP_GRANULE_BITS;
             g <= last >> MAP_GRANULE_BITS && g < MAP_GRANULES; g++) {
            gpa start = g << MAP_GRANULE_BITS;
            gpa end = start + ((UINT64_C(1) << MAP_GRANULE_BITS) - 1);

            memory->granules[g] = s->base <= start && last >= end ? i + 1 : GRANULE_MIXED;
        }
    }
}

static enum memory_kind shown_kind(const struct memory_block *block,
                                   const struct memory_window *window)
{
    if (block->kind == MEMORY_ROM && !block->readable)
        return MEMORY_DEVICE;
    if (block->kind == MEMORY_RAM && window && window->access != MEMORY_READ_WRITE)
        return window->access == MEMORY_READ_ONLY ? MEMORY_ROM : MEMORY_DEVICE;
    return block->kind;
}

static void flat_fill(struct flat_section *flat, const struct memory_addition *a)
{
    struct memory_block *block = a->block;

    flat->block = block;
    flat->write_to = NULL;
    flat->section = (struct memory_section){
        .base = a->base,
        .size = a->size,
        .kind = shown_kind(block, a->window),
        .host = block->host ? block->host + a->offset : NULL,
        .ops = block->ops,
        .opaque = block->opaque,
        .name = block->name,
        .page_flags = block->page_flags ? block_flags(block, a->offset) : NULL,
        .offset = a->offset,
    };
}

/* The part [from, to] of a section. */
static struct flat_section flat_cut(const struct flat_section *flat, gpa from, gpa to)
{
    struct flat_section part = *flat;
    uint64_t skip = from - flat->section.base;

    part.section.base = from;
    part.section.size = to - from + 1;
    part.section.offset += skip;
    if (part.section.host) {
        part.section.host += skip;
        part.section.page_flags = block_flags(part.block, part.section.offset);
    }
    return part;
}

static gpa section_last(const struct flat_section *flat)
{
    return flat->section.base + (flat->section.size - 1);
}

/* Stores to [base, last] go to the window; what is not there answers no loads. Each old section
 * comes with its gap before it, so 2n + 3 are enough. */
static unsigned cover_writes(struct flat_section *out, const struct flat_section *in, unsigned n_in,
                             const struct memory_addition *a)
{
    gpa last = a->base + (a->size - 1), next = a->base;
    unsigned n = 0;
    bool full = false; /* `next` has passed the end */
    struct flat_section hole;

    flat_fill(&hole, a);
    hole.section.host = NULL;
    hole.section.ops = NULL;
    hole.write_to = a->window;
    for (unsigned i = 0; i <= n_in; i++) {
        gpa from = i < n_in ? in[i].section.base : last,
            to = i < n_in ? section_last(&in[i]) : last;
        if (i < n_in && from < a->base)
            out[n++] = flat_cut(&in[i], from, MIN(to, a->base - 1));
        if (!full && to >= a->base && (i == n_in ? next <= last : from > next)) {
            gpa end = i == n_in || from > last ? last : from - 1;
            out[n] = hole;
            out[n].section.base = next;
            out[n].section.offset += next - a->base;
            out[n++].section.size = end - next + 1;
            full = end == last;
        }
        if (i == n_in)
            break;
        if (to >= a->base && from <= last) {
            out[n] = flat_cut(&in[i], MAX(from, a->base), MIN(to, last));
            if (out[n].section.kind == MEMORY_RAM) /* so that stores take the slow path */
                out[n].section.kind = MEMORY_ROM;
            out[n++].write_to = a->window;
            full = to >= last;
            next = to + 1;
        }
        if (to > last)
            out[n++] = flat_cut(&in[i], MAX(from, last + 1), to);
    }
    return n;
}

/* Puts one addition over a sorted list; returns the new length, at most n_in + 2. */
static unsigned cover(struct flat_section *out, const struct flat_section *in, unsigned n_in,
                      const struct memory_addition *a)
{
    gpa last = a->base + (a->size - 1);
    unsigned n = 0, i = 0;

    for (; i < n_in && in[i].section.base < a->base; i++)
        out[n++] = flat_cut(&in[i], in[i].section.base, MIN(section_last(&in[i]), a->base - 1));
    flat_fill(&out[n++], a);
    if (i && section_last(&in[i - 1]) > last)
        i--; /* it goes on behind the new one */
    for (; i < n_in; i++) {
        if (section_last(&in[i]) > last)
            out[n++] = flat_cut(&in[i], MAX(in[i].section.base, last + 1), section_last(&in[i]));
    }
    return n;
}

/* What shows in [base, last], worked out anew from all additions. Ownership: the caller's. */
static struct flat_section *flats_render(const struct memory *memory, gpa base, gpa last,
                                         unsigned *count)
{
    unsigned n = 0, room = 1;
    struct flat_section *list, *other;

    for (unsigned i = 0; i < memory->n_additions; i++) {
        const struct memory_addition *a = &memory->additions[i];
        if (a->base <= last && a->base + (a->size - 1) >= base)
            room = a->window && a->window->access == MEMORY_WRITE_ONLY ? 2 * room + 3 : room + 2;
        room = MIN(room, 2 * MEMORY_MAX_SECTIONS);
    }
    list = calloc(room, sizeof(*list));
    other = calloc(room, sizeof(*other));
    if (!list || !other)
        BUG("out of memory");
    for (unsigned i = 0; i < memory->n_additions; i++) {
        struct memory_addition a = memory->additions[i];
        struct flat_section *swap = list;
        gpa a_last = MIN(a.base + (a.size - 1), last), from = MAX(a.base, base);
        if (from > a_last)
            continue;
        a.offset += from - a.base;
        a.base = from;
        a.size = a_last - from + 1;
        n = a.window && a.window->access == MEMORY_WRITE_ONLY ? cover_writes(other, list, n, &a)
                                                              : cover(other, list, n, &a);
        list = other;
        other = swap;
    }
    free(other);
    *count = n;
    return list;
}

/* After additions that touch [base, last] came or went. */
static void flats_update(struct memory *memory, gpa base, gpa last)
{
    unsigned n_middle, n = 0;
    struct flat_section *middle = flats_render(memory, base, last, &n_middle);
    struct flat_section *old = memory->flats;
    struct flat_section *new = calloc(memory->n_flats + n_middle + 2, sizeof(*new));
    unsigned i = 0;

    if (!new)
        BUG("out of memory");
    for (; i < memory->n_flats && old[i].section.base < base; i++)
        new[n++] = flat_cut(&old[i], old[i].section.base, MIN(section_last(&old[i]), base - 1));
    memcpy(&new[n], middle, n_middle * sizeof(*new));
    n += n_middle;
    if (i && section_last(&old[i - 1]) > last)
        i--;
    for (; i < memory->n_flats; i++) {
        if (section_last(&old[i]) > last)
            new[n++] = flat_cut(&old[i], MAX(old[i].section.base, last + 1), section_last(&old[i]));
    }
    memory->flats = new;
    memory->n_flats = n;
    free(old);
    free(middle);
    granules_rebuild(memory);
}

/* Tells those who cache parts of the map, once the change is complete. */
static void map_changed(struct memory *memory)
{
    memory->changed = true;
    if (memory->batch)
        return;
    memory->changed = false;
    for (struct memory_listener *l = memory->listeners; l; l = l->next)
        l->map_changed(l->opaque);
}

const struct flat_section *memory_search(const struct memory *memory, gpa address)
{
    unsigned low = 0, high = memory->n_flats;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        const struct memory_section *s = &memory->flats[middle].section;

        if (address < s->base)
            high = middle;
        else if (address - s->base >= s->size)
            low = middle + 1;
        else
            return &memory->flats[middle];
    }
    return NULL;
}

const struct memory_section *memory_find(const struct memory *memory, gpa address)
{
    const struct flat_section *flat = memory_lookup(memory, address);

    return flat ? &flat->section : NULL;
}

/* ---- adding and removing --------------------------------------------------------------------- */

static int addition_layer(const struct memory_addition *a)
{
    return a->window ? a->window->layer : 0;
}

static bool addition_insert(struct memory *memory, const struct memory_addition *addition,
                            struct error *err)
{
    struct memory_addition *grown;
    unsigned at = memory->n_additions;

    if (memory->n_additions >= MEMORY_MAX_SECTIONS)
        return error_set(err, "too many regions in the physical map");
    grown = realloc(memory->additions, (memory->n_additions + 1) * sizeof(*grown));
    if (!grown)
        return error_set(err, "not enough memory for the physical map");
    memory->additions = grown;
    while (at && addition_layer(&grown[at - 1]) > addition_layer(addition))
        at--;
    memmove(&grown[at + 1], &grown[at], (memory->n_additions - at) * sizeof(*grown));
    grown[at] = *addition;
    memory->n_additions++;
    flats_update(memory, addition->base, addition->base + (addition->size - 1));
    return true;
}

static bool check_range(const char *name, gpa base, uint64_t size, struct error *err)
{
    if (!size || base + (size - 1) < base)
        return error_set(err, "region %s: bad range of 0x%" PRIx64 " bytes at 0x%" PRIx64, name,
                         size, base);
    return true;
}

static struct memory_block *block_create(enum memory_kind kind, const char *name, gpa base,
                                         uint64_t size, struct error *err)
{
    struct memory_block *block = calloc(1, sizeof(*block));

    if (!block || !(block->name = strdup(name))) {
        error_set(err, "not enough memory for region %s", name);
        free(block);
        return NULL;
    }
    block->kind = kind;
    block->canonical = base;
    block->size = size;
    block->readable = true;
    return block;
}

static void block_destroy(struct memory_block *block)
{
    if (block->mapping)
        munmap(block->mapping, block->mapping_bytes);
    free(block->page_flags);
    free(block->name);
    free(block);
}

static void block_link(struct memory *memory, struct memory_block *block)
{
    block->next = memory->blocks;
    memory->blocks = block;
}

static bool block_add(struct memory *memory, struct memory_block *block, struct error *err)
{
    struct memory_addition addition = {.base = block->canonical,
                                       .size = block->size,
                                       .block = block,
                                       .group = memory->next_group++};

    if (!addition_insert(memory, &addition, err))
        return false;
    block_link(memory, block);
    map_changed(memory);
    return true;
}

/* Extends the memfd and maps the new part between two inaccessible guards. */
static bool block_map(struct memory *memory, struct memory_block *block, struct error *err)
{
    uint64_t offset = memory->fd_bytes, reserve = block->size + 3 * GUARD_BYTES;
    uint8_t *place;

    if ((offset + block->size) >> TLB_PAGE_BITS > MEMORY_MAX_PAGES)
        return error_set(err, "%s: %" PRIu64 " MiB of guest memory is more than calque supports",
                         block->name, block->size / MIB);
    if (ftruncate(memory->fd, (off_t)(offset + block->size)) < 0)
        return error_set_errno(err, errno, "%s: cannot allocate %" PRIu64 " MiB of guest memory",
                               block->name, block->size / MIB);
    block->page_flags = calloc(block->size >> TLB_PAGE_BITS, 1);
    place = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!block->page_flags || place == MAP_FAILED)
        return error_set(err, "%s: no address space for %" PRIu64 " MiB of guest memory",
                         block->name, block->size / MIB);
    block->mapping = place;
    block->mapping_bytes = reserve;
    place = (uint8_t *)align_up((uintptr_t)place + GUARD_BYTES, GUARD_BYTES);
    if ((uintptr_t)place >> 32 == 0 ||
        mmap(place, block->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE,
             memory->fd, (off_t)offset) == MAP_FAILED)
        return error_set_errno(err, errno, "%s: cannot map %" PRIu64 " MiB of guest memory",
                               block->name, block->size / MIB);
    block->host = place;
    block->first_page = (uint32_t)(offset >> TLB_PAGE_BITS);
    memory->fd_bytes = offset + block->size;
    return true;
}

static uint8_t *add_host_block(struct memory *memory, enum memory_kind kind, const char *name,
                               gpa base, uint64_t size, const struct region_ops *ops, void *opaque,
                               struct error *err)
{
    struct memory_block *block;

    size = align_up(size, TLB_PAGE_SIZE);
    if (!check_range(name, base, size, err))
        return NULL;
    if (base & (TLB_PAGE_SIZE - 1)) {
        error_set(err, "region %s: 0x%" PRIx64 " is not a page boundary", name, base);
        return NULL;
    }
    block = block_create(kind, name, base, size, err);
    if (!block)
        return NULL;
    block->ops = ops;
    block->opaque = opaque;
    if (!block_map(memory, block, err) || !block_add(memory, block, err)) {
        block_destroy(block);
        return NULL;
    }
    return block->host;
}

uint8_t *memory_add_ram(struct memory *memory, const char *name, gpa base, uint64_t size,
                        struct error *err)
{
    return add_host_block(memory, MEMORY_RAM, name, base, size, NULL, NULL, err);
}

uint8_t *memory_add_rom(struct memory *memory, const char *name, gpa base, uint64_t size,
                        const struct region_ops *ops, void *opaque, struct error *err)
{
    return add_host_block(memory, MEMORY_ROM, name, base, size, ops, opaque, err);
}

bool memory_add_device(struct memory *memory, const char *name, gpa base, uint64_t size,
                       const struct region_ops *ops, void *opaque, struct error *err)
{
    struct memory_block *block;

    if (!check_range(name, base, size, err))
        return false;
    block = block_create(MEMORY_DEVICE, name, base, size, err);
    if (!block)
        return false;
    block->ops = ops;
    block->opaque = opaque;
    if (!block_add(memory, block, err)) {
        block_destroy(block);
        return false;
    }
    return true;
}

bool memory_add_alias(struct memory *memory, const char *name, gpa base, gpa target, uint64_t size,
                      struct error *err)
{
    unsigned group = memory->next_group++, n_pieces = 0;
    gpa last = target + (size - 1);
    struct memory_addition *pieces;
    bool ok = true;

    if (!check_range(name, base, size, err) || !check_range(name, target, size, err))
        return false;
    /* What shows at the target now; collected first, since adding changes the list. */
    pieces = calloc(memory->n_flats + 1, sizeof(*pieces));
    if (!pieces)
        return error_set(err, "not enough memory for region %s", name);
    for (unsigned i = 0; i < memory->n_flats; i++) {
        const struct memory_section *s = &memory->flats[i].section;
        gpa from = MAX(s->base, target), to = MIN(s->base + (s->size - 1), last);

        if (from > to)
            continue;
        pieces[n_pieces++] = (struct memory_addition){.base = base + (from - target),
                                                      .size = to - from + 1,
                                                      .block = memory->flats[i].block,
                                                      .offset = s->offset + (from - s->base),
                                                      .group = group};
    }
    if (!n_pieces)
        ok = error_set(err, "region %s: nothing is mapped at 0x%" PRIx64, name, target);
    for (unsigned i = 0; i < n_pieces && ok; i++) {
        if (pieces[i].block->host &&
            ((pieces[i].base | pieces[i].size | pieces[i].offset) & (TLB_PAGE_SIZE - 1)))
            ok = error_set(err, "region %s: an alias of memory must be page-aligned", name);
        ok = ok && addition_insert(memory, &pieces[i], err);
    }
    free(pieces);
    map_changed(memory);
    return ok;
}

static void group_remove(struct memory *memory, unsigned group)
{
    unsigned kept = 0;
    gpa first = UINT64_MAX, last = 0;

    for (unsigned i = 0; i < memory->n_additions; i++) {
        struct memory_addition a = memory->additions[i];
        if (a.group != group) {
            memory->additions[kept++] = a;
            continue;
        }
        first = MIN(first, a.base);
        last = MAX(last, a.base + (a.size - 1));
    }
    memory->n_additions = kept;
    flats_update(memory, first, last);
    map_changed(memory);
}

bool memory_remove(struct memory *memory, gpa base)
{
    for (unsigned i = memory->n_additions; i-- > 0;) {
        if (memory->additions[i].base == base && !memory->additions[i].window) {
            group_remove(memory, memory->additions[i].group);
            return true;
        }
    }
    return false;
}

/* ---- windows --------------------------------------------------------------------------------- */

static struct memory_block *create_floating(struct memory *memory, enum memory_kind kind,
                                            const char *name, uint64_t size,
                                            const struct region_ops *ops, void *opaque,
                                            struct error *err)
{
    struct memory_block *block;

    if (kind != MEMORY_DEVICE)
        size = align_up(size, TLB_PAGE_SIZE);
    if (!check_range(name, 0, size, err))
        return NULL;
    block = block_create(kind, name, MEMORY_FLOATING + memory->fd_bytes, size, err);
    if (!block)
        return NULL;
    block->ops = ops;
    block->opaque = opaque;
    if (kind != MEMORY_DEVICE && !block_map(memory, block, err)) {
        block_destroy(block);
        return NULL;
    }
    block_link(memory, block);
    return block;
}

struct memory_block *memory_create_ram(struct memory *memory, const char *name, uint64_t size,
                                       struct error *err)
{
    return create_floating(memory, MEMORY_RAM, name, size, NULL, NULL, err);
}

struct memory_block *memory_create_rom(struct memory *memory, const char *name, uint64_t size,
                                       const struct region_ops *ops, void *opaque,
                                       struct error *err)
{
    return create_floating(memory, MEMORY_ROM, name, size, ops, opaque, err);
}

struct memory_block *memory_create_device(struct memory *memory, const char *name, uint64_t size,
                                          const struct region_ops *ops, void *opaque,
                                          struct error *err)
{
    return create_floating(memory, MEMORY_DEVICE, name, size, ops, opaque, err);
}

uint8_t *memory_block_host(struct memory_block *block)
{
    return block->host;
}

bool memory_window_show(struct memory *memory, struct memory_window *window, struct error *err)
{
    const struct memory_block *block = window->block;
    struct memory_addition addition = {.base = window->base,
                                       .size = window->size,
                                       .block = window->block,
                                       .offset = window->offset,
                                       .group = memory->next_group,
                                       .window = window};

    if (window->shown)
        return true;
    if (!check_range(block->name, window->base, window->size, err))
        return false;
    if (window->offset > block->size || window->size > block->size - window->offset)
        return error_set(err, "region %s is shorter than its window", block->name);
    if (block->host && ((window->base | window->size | window->offset) & (TLB_PAGE_SIZE - 1)))
        return error_set(err, "region %s: 0x%" PRIx64 " is not a page boundary", block->name,
                         window->base);
    if (!addition_insert(memory, &addition, err))
        return false;
    memory->next_group++;
    window->shown = true;
    map_changed(memory);
    return true;
}

void memory_window_hide(struct memory *memory, struct memory_window *window)
{
    if (!window->shown)
        return;
    window->shown = false;
    for (unsigned i = 0; i < memory->n_additions; i++) {
        if (memory->additions[i].window == window) {
            group_remove(memory, memory->additions[i].group);
            return;
        }
    }
}

void memory_begin(struct memory *memory)
{
    memory->batch++;
}

void memory_commit(struct memory *memory)
{
    if (--memory->batch == 0 && memory->changed)
        map_changed(memory);
}

/* ---- the rest of the map --------------------------------------------------------------------- */

void memory_rom_set_readable(struct memory *memory, gpa base, bool readable)
{
    const struct flat_section *flat = memory_lookup(memory, base);
    struct memory_block *block = flat ? flat->block : NULL;

    if (!block || block->kind != MEMORY_ROM || block->readable == readable)
        return;
    block->readable = readable;
    for (unsigned i = 0; i < memory->n_flats; i++) {
        if (memory->flats[i].block == block)
            memory->flats[i].section.kind = readable ? MEMORY_ROM : MEMORY_DEVICE;
    }
    map_changed(memory);
}

void memory_print_map(const struct memory *memory, FILE *out)
{
    static const char *const kinds[] = {"ram", "rom", "device"};

    for (unsigned i = 0; i < memory->n_flats; i++) {
        const struct memory_section *s = &memory->flats[i].section;

        fprintf(out, "%016" PRIx64 "-%016" PRIx64 " %-6s %s", s->base, s->base + (s->size - 1),
                kinds[s->kind], s->name);
        if (s->offset)
            fprintf(out, " + 0x%" PRIx64, s->offset);
        fputc('\n', out);
    }
}

void memory_attach(struct memory *memory, struct memory_listener *listener)
{
    listener->next = memory->listeners;
    memory->listeners = listener;
}

void memory_detach(struct memory *memory, struct memory_listener *listener)
{
    for (struct memory_listener **l = &memory->listeners; *l; l = &(*l)->next) {
        if (*l == listener) {
            *l = listener->next;
            return;
        }
    }
}

/* ---- code pages ------------------------------------------------------------------------------ */

void memory_on_code_write(struct memory *memory,
                          void (*changed)(void *opaque, gpa address, uint64_t size), void *opaque)
{
    memory->code_changed = changed;
    memory->code_opaque = opaque;
}

/* `page` is a canonical address; something else may show there now, so blocks are asked. */
void memory_set_page_code(struct memory *memory, gpa page, bool has_code)
{
    for (struct memory_block *block = memory->blocks; block; block = block->next) {
        uint64_t offset = page - block->canonical;
        uint8_t *flags;

        if (!block->host || page < block->canonical || offset >= block->size)
            continue;
        flags = block_flags(block, offset);
        if (!has_code) {
            __atomic_and_fetch(flags, (uint8_t)~PAGE_HAS_CODE, __ATOMIC_SEQ_CST);
        } else if (!(__atomic_fetch_or(flags, PAGE_HAS_CODE, __ATOMIC_SEQ_CST) & PAGE_HAS_CODE)) {
            for (struct memory_listener *l = memory->listeners; l; l = l->next)
                l->forget_writes(l->opaque, block->first_page + (offset >> TLB_PAGE_BITS),
                                 block->host + align_down(offset, TLB_PAGE_SIZE));
        }
        return;
    }
}

/* A store into [offset, offset + size) of a block happened: page by page, tell about code. */
static void range_stored(struct memory *memory, const struct memory_block *block, uint64_t offset,
                         uint64_t size)
{
    while (size) {
        uint64_t here = MIN(size, TLB_PAGE_SIZE - (offset & (TLB_PAGE_SIZE - 1)));

        __atomic_or_fetch(block_flags(block, offset), PAGE_DIRTY, __ATOMIC_RELAXED);
        block_stored(memory, block, offset, here);
        offset += here;
        size -= here;
    }
}

void memory_changed(struct memory *memory, gpa address, uint64_t size)
{
    while (size) {
        const struct flat_section *flat = memory_lookup(memory, address);
        uint64_t here;

        if (!flat || !flat->block->host)
            return;
        here = MIN(size, flat->section.base + flat->section.size - address);
        range_stored(memory, flat->block, flat_offset(flat, address), here);
        address += here;
        size -= here;
        if (!address)
            return;
    }
}

/* ---- device accesses ------------------------------------------------------------------------- */

static uint64_t size_mask(unsigned size)
{
    return size >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << (size * 8)) - 1;
}

/* Values are little-endian up to here, like those of RAM: a region in the order of a big-endian CPU
 * has them the other way round. */
static uint64_t region_order(const struct memory *memory, const struct region_ops *ops,
                             uint64_t value, unsigned size)
{
    if (LIKELY(!ops->cpu_order || !memory->big_endian))
        return value;
    return __builtin_bswap64(value) >> (64 - size * 8);
}

/* One access that the region takes as it is. */
static uint64_t region_read(const struct memory *memory, const struct memory_block *block,
                            uint64_t offset, unsigned size)
{
    uint64_t value = block->ops->read(block->opaque, offset, size) & size_mask(size);

    return region_order(memory, block->ops, value, size);
}

static void region_write(const struct memory *memory, const struct memory_block *block,
                         uint64_t offset, uint64_t value, unsigned size)
{
    value = region_order(memory, block->ops, value & size_mask(size), size);
    block->ops->write(block->opaque, offset, value, size);
}

/* An access that the region does not take as it is: too wide, too narrow, or unaligned. */
static COLD uint64_t region_read_odd(const struct memory *memory, const struct memory_block *block,
                                     uint64_t offset, unsigned size)
{
    const struct region_ops *ops = block->ops;
    unsigned min = MAX(ops->min_access, 1), max = ops->max_access ? ops->max_access : 4;

    if (size > 1 && (size > max || (!ops->unaligned && (offset & (size - 1))))) {
        unsigned half = size / 2;
        uint64_t low = region_read_odd(memory, block, offset, half);

        return low | region_read_odd(memory, block, offset + half, half) << (half * 8);
    }
    if (size < min) {
        uint64_t start = align_down(offset, min);

        if (start + min > block->size)
            return 0;
        return region_read(memory, block, start, min) >> (offset - start) * 8 & size_mask(size);
    }
    return region_read(memory, block, offset, size);
}

static COLD void region_write_odd(const struct memory *memory, const struct memory_block *block,
                                  uint64_t offset, uint64_t value, unsigned size)
{
    const struct region_ops *ops = block->ops;
    unsigned min = MAX(ops->min_access, 1), max = ops->max_access ? ops->max_access : 4;

    if (size > 1 && (size > max || (!ops->unaligned && (offset & (size - 1))))) {
        unsigned half = size / 2;

        region_write_odd(memory, block, offset, value & size_mask(half), half);
        region_write_odd(memory, block, offset + half, (value >> (half * 8)) & size_mask(half),
                         half);
        return;
    }
    value &= size_mask(size);
    if (size < min) {
        uint64_t start = align_down(offset, min);

        if (start + min > block->size)
            return;
        region_write(memory, block, start, value << ((offset - start) * 8), min);
        return;
    }
    region_write(memory, block, offset, value, size);
}

static bool region_takes(const struct region_ops *ops, uint64_t offset, unsigned size)
{
    return (!(offset & (size - 1)) || ops->unaligned) && size >= ops->min_access &&
           size <= ops->max_access;
}

uint64_t memory_device_read(struct memory *memory, const struct flat_section *flat, uint64_t offset,
                            unsigned size)
{
    const struct memory_block *block = flat->block;
    const struct region_ops *ops = block->ops;
    uint64_t value;

    if (UNLIKELY(!ops || !ops->read)) {
        log_printf(LOG_GUEST_ERROR, "%s: read at offset 0x%" PRIx64 ": nothing to read\n",
                   block->name, offset);
        return 0;
    }
    pthread_mutex_lock(memory->lock);
    if (LIKELY(region_takes(ops, offset, size)))
        value = region_read(memory, block, offset, size);
    else
        value = region_read_odd(memory, block, offset, size);
    pthread_mutex_unlock(memory->lock);
    return value;
}

/* Reads come from what lies beneath the window, stores go into the window's memory. */
static COLD void write_through(struct memory *memory, const struct flat_section *flat,
                               uint64_t offset, uint64_t value, unsigned size)
{
    const struct memory_window *window = flat->write_to;
    uint64_t at = offset - flat->section.offset + flat->section.base - window->base;

    if (at + size > window->size)
        return;
    at += window->offset;
    host_store(window->block->host + at, value, size);
    range_stored(memory, window->block, at, size);
}

void memory_device_write(struct memory *memory, const struct flat_section *flat, uint64_t offset,
                         uint64_t value, unsigned size)
{
    const struct memory_block *block = flat->block;
    const struct region_ops *ops = block->ops;

    if (UNLIKELY(flat->write_to)) {
        write_through(memory, flat, offset, value, size);
        return;
    }
    if (UNLIKELY(!ops || !ops->write)) {
        log_printf(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx64 " at offset 0x%" PRIx64 " ignored\n",
                   block->name, value & size_mask(size), offset);
        return;
    }
    pthread_mutex_lock(memory->lock);
    if (LIKELY(region_takes(ops, offset, size)))
        region_write(memory, block, offset, value, size);
    else
        region_write_odd(memory, block, offset, value, size);
    pthread_mutex_unlock(memory->lock);
}

/* ---- accesses by physical address ------------------------------------------------------------ */

static void log_hole(const char *what, gpa address, uint64_t size)
{
    log_printf(LOG_GUEST_ERROR,
               "%s of unmapped physical address 0x%08" PRIx64 ", %" PRIu64 " bytes\n", what,
               address, size);
}

/* The largest naturally aligned access at `address` that is not longer than size. */
static unsigned piece_size(gpa address, uint64_t size)
{
    unsigned piece = 8;

    while (piece > size || (address & (piece - 1)))
        piece /= 2;
    return piece;
}

uint64_t memory_load(struct memory *memory, gpa address, unsigned size, bool *ok)
{
    const struct flat_section *flat = memory_lookup(memory, address);
    uint64_t value = 0;
    bool found = true;

    if (UNLIKELY(!flat)) {
        log_hole("read", address, size);
        found = false;
    } else if (UNLIKELY(address - flat->section.base + size > flat->section.size)) {
        found = memory_read(memory, address, &value, size);
    } else if (LIKELY(flat->section.kind != MEMORY_DEVICE)) {
        value = host_load(flat->section.host + (address - flat->section.base), size);
    } else {
        value = memory_device_read(memory, flat, flat_offset(flat, address), size);
    }
    if (ok)
        *ok = found;
    return value;
}

void memory_store(struct memory *memory, gpa address, uint64_t value, unsigned size, bool *ok)
{
    const struct flat_section *flat = memory_lookup(memory, address);
    bool found = true;

    if (flat && flat->section.kind != MEMORY_RAM &&
        address - flat->section.base + size <= flat->section.size)
        memory_device_write(memory, flat, flat_offset(flat, address), value, size);
    else
        found = memory_write(memory, address, &value, size);
    if (ok)
        *ok = found;
}

bool memory_read(struct memory *memory, gpa address, void *buffer, size_t size)
{
    uint8_t *out = buffer;
    bool ok = true;

    while (size) {
        const struct flat_section *flat = memory_lookup(memory, address);
        uint64_t here;

        if (!flat) {
            log_hole("read", address, size);
            memset(out, 0, size);
            return false;
        }
        here = MIN(size, flat->section.size - (address - flat->section.base));
        if (flat->section.kind != MEMORY_DEVICE) {
            memcpy(out, flat->section.host + (address - flat->section.base), here);
        } else {
            uint64_t value;

            here = piece_size(address, here);
            value = memory_device_read(memory, flat, flat_offset(flat, address), (unsigned)here);
            memcpy(out, &value, here);
        }
        out += here;
        address += here;
        size -= here;
        if (!address && size) {
            memset(out, 0, size);
            return false;
        }
    }
    return ok;
}

bool memory_write(struct memory *memory, gpa address, const void *buffer, size_t size)
{
    const uint8_t *in = buffer;

    while (size) {
        const struct flat_section *flat = memory_lookup(memory, address);
        uint64_t here;

        if (!flat) {
            log_hole("write", address, size);
            return false;
        }
        here = MIN(size, flat->section.size - (address - flat->section.base));
        if (flat->section.kind == MEMORY_RAM) {
            uint8_t *host = flat->section.host + (address - flat->section.base);

            /* A single access is one store, so that others never see half of it. */
            if (here <= 8 && is_power_of_two(here)) {
                uint64_t value = 0;

                memcpy(&value, in, here);
                host_store(host, value, (unsigned)here);
            } else {
                memcpy(host, in, here);
            }
            range_stored(memory, flat->block, flat_offset(flat, address), here);
        } else {
            uint64_t value = 0;

            here = piece_size(address, here);
            memcpy(&value, in, here);
            memory_device_write(memory, flat, flat_offset(flat, address), value, (unsigned)here);
        }
        in += here;
        address += here;
        size -= here;
        if (!address && size)
            return false;
    }
    return true;
}

bool memory_poke(struct memory *memory, gpa address, const void *buffer, size_t size)
{
    const uint8_t *in = buffer;

    while (size) {
        const struct flat_section *flat = memory_lookup(memory, address);
        uint64_t here;

        if (!flat || flat->section.kind == MEMORY_DEVICE)
            return false;
        here = MIN(size, flat->section.size - (address - flat->section.base));
        memcpy(flat->section.host + (address - flat->section.base), in, here);
        range_stored(memory, flat->block, flat_offset(flat, address), here);
        in += here;
        address += here;
        size -= here;
    }
    return true;
}

void *memory_ram_pointer(struct memory *memory, gpa address, uint64_t size)
{
    const struct flat_section *flat = memory_lookup(memory, address);

    if (!flat || flat->section.kind != MEMORY_RAM || !size ||
        size > flat->section.size - (address - flat->section.base))
        return NULL;
    return flat->section.host + (address - flat->section.base);
}
