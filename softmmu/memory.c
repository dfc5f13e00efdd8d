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

/* ---- the flat list --------------------------------------------------------------------------- */

static void flat_fill(struct flat_section *flat, gpa base, uint64_t size,
                      struct memory_block *block, uint64_t offset)
{
    flat->block = block;
    flat->section = (struct memory_section){
        .base = base,
        .size = size,
        .kind = block->readable || block->kind != MEMORY_ROM ? block->kind : MEMORY_DEVICE,
        .host = block->host ? block->host + offset : NULL,
        .ops = block->ops,
        .opaque = block->opaque,
        .name = block->name,
        .page_flags = block->page_flags ? block_flags(block, offset) : NULL,
        .offset = offset,
    };
}

/* Puts one addition on top of the flat list. There is room: an addition adds at most two. */
static void flat_apply(struct memory *memory, const struct memory_addition *a)
{
    gpa last = a->base + (a->size - 1);
    unsigned n = 0, at = 0;
    struct flat_section *old = memory->flats;
    struct flat_section *new = calloc(memory->n_flats + 3, sizeof(*new));

    if (!new)
        BUG("out of memory");
    for (unsigned i = 0; i < memory->n_flats; i++) {
        const struct memory_section *s = &old[i].section;
        gpa s_last = s->base + (s->size - 1);

        if (s->base < a->base)
            flat_fill(&new[n++], s->base, MIN(s_last, a->base - 1) - s->base + 1, old[i].block,
                      s->offset);
        if (s->base <= last)
            at = n;
        if (s_last > last) {
            gpa from = MAX(s->base, last + 1);

            flat_fill(&new[n++], from, s_last - from + 1, old[i].block,
                      s->offset + (from - s->base));
        }
    }
    /* `at` counts those that start at or below the new one; pieces above it come after. */
    memmove(&new[at + 1], &new[at], (n - at) * sizeof(*new));
    flat_fill(&new[at], a->base, a->size, a->block, a->offset);
    memory->flats = new;
    memory->n_flats = n + 1;
    free(old);
}

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

static void map_changed(struct memory *memory)
{
    granules_rebuild(memory);
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

static bool addition_append(struct memory *memory, const struct memory_addition *addition,
                            struct error *err)
{
    struct memory_addition *grown;

    if (memory->n_additions >= MEMORY_MAX_SECTIONS)
        return error_set(err, "too many regions in the physical map");
    grown = realloc(memory->additions, (memory->n_additions + 1) * sizeof(*grown));
    if (!grown)
        return error_set(err, "not enough memory for the physical map");
    memory->additions = grown;
    grown[memory->n_additions++] = *addition;
    flat_apply(memory, addition);
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

static bool block_add(struct memory *memory, struct memory_block *block, struct error *err)
{
    struct memory_addition addition = {.base = block->canonical,
                                       .size = block->size,
                                       .block = block,
                                       .group = memory->next_group++};

    if (!addition_append(memory, &addition, err))
        return false;
    block->next = memory->blocks;
    memory->blocks = block;
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
        ok = ok && addition_append(memory, &pieces[i], err);
    }
    free(pieces);
    map_changed(memory);
    return ok;
}

bool memory_remove(struct memory *memory, gpa base)
{
    unsigned found = memory->n_additions, kept = 0, group;

    for (unsigned i = 0; i < memory->n_additions; i++) {
        if (memory->additions[i].base == base)
            found = i;
    }
    if (found == memory->n_additions)
        return false;
    group = memory->additions[found].group;
    memory->n_flats = 0;
    for (unsigned i = 0; i < memory->n_additions; i++) {
        if (memory->additions[i].group == group)
            continue;
        memory->additions[kept] = memory->additions[i];
        flat_apply(memory, &memory->additions[kept++]);
    }
    memory->n_additions = kept;
    map_changed(memory);
    return true;
}

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

/* An access that the region does not take as it is: too wide, too narrow, or unaligned. */
static COLD uint64_t region_read_odd(const struct memory_block *block, uint64_t offset,
                                     unsigned size)
{
    const struct region_ops *ops = block->ops;
    unsigned min = MAX(ops->min_access, 1), max = ops->max_access ? ops->max_access : 4;

    if (size > 1 && (size > max || (offset & (size - 1)))) {
        unsigned half = size / 2;
        uint64_t low = region_read_odd(block, offset, half);

        return low | region_read_odd(block, offset + half, half) << (half * 8);
    }
    if (size < min) {
        uint64_t start = align_down(offset, min);

        if (start + min > block->size)
            return 0;
        return (ops->read(block->opaque, start, min) >> (offset - start) * 8) & size_mask(size);
    }
    return ops->read(block->opaque, offset, size) & size_mask(size);
}

static COLD void region_write_odd(const struct memory_block *block, uint64_t offset, uint64_t value,
                                  unsigned size)
{
    const struct region_ops *ops = block->ops;
    unsigned min = MAX(ops->min_access, 1), max = ops->max_access ? ops->max_access : 4;

    if (size > 1 && (size > max || (offset & (size - 1)))) {
        unsigned half = size / 2;

        region_write_odd(block, offset, value & size_mask(half), half);
        region_write_odd(block, offset + half, (value >> (half * 8)) & size_mask(half), half);
        return;
    }
    value &= size_mask(size);
    if (size < min) {
        uint64_t start = align_down(offset, min);

        if (start + min > block->size)
            return;
        ops->write(block->opaque, start, value << ((offset - start) * 8), min);
        return;
    }
    ops->write(block->opaque, offset, value, size);
}

static bool region_takes(const struct region_ops *ops, uint64_t offset, unsigned size)
{
    return !(offset & (size - 1)) && size >= ops->min_access && size <= ops->max_access;
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
        value = ops->read(block->opaque, offset, size) & size_mask(size);
    else
        value = region_read_odd(block, offset, size);
    pthread_mutex_unlock(memory->lock);
    return value;
}

void memory_device_write(struct memory *memory, const struct flat_section *flat, uint64_t offset,
                         uint64_t value, unsigned size)
{
    const struct memory_block *block = flat->block;
    const struct region_ops *ops = block->ops;

    if (UNLIKELY(!ops || !ops->write)) {
        log_printf(LOG_GUEST_ERROR, "%s: write of 0x%" PRIx64 " at offset 0x%" PRIx64 " ignored\n",
                   block->name, value & size_mask(size), offset);
        return;
    }
    pthread_mutex_lock(memory->lock);
    if (LIKELY(region_takes(ops, offset, size)))
        ops->write(block->opaque, offset, value & size_mask(size), size);
    else
        region_write_odd(block, offset, value, size);
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
    bool found = memory_write(memory, address, &value, size);

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

void *memory_ram_pointer(struct memory *memory, gpa address, uint64_t size)
{
    const struct flat_section *flat = memory_lookup(memory, address);

    if (!flat || flat->section.kind != MEMORY_RAM || !size ||
        size > flat->section.size - (address - flat->section.base))
        return NULL;
    return flat->section.host + (address - flat->section.base);
}
