/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The physical map's inside, shared by memory.c and mmu.c only.
 *
 * A block is what was allocated or registered once; a flat section is a stretch of the resulting
 * address space that shows part of one block. The same block may show in several places (aliases);
 * its canonical address is the one it was added at, and code is known by that address alone, so
 * that a store through an alias finds it.
 */
#ifndef CALQUE_SOFTMMU_MEMORY_MAP_H
#define CALQUE_SOFTMMU_MEMORY_MAP_H

#include "softmmu/memory.h"
#include "softmmu/tlb.h"

enum { MAP_GRANULE_BITS = 20, MAP_GRANULES = 1 << 12 };
enum { GRANULE_HOLE = 0, GRANULE_MIXED = 0xffff }; /* else 1 + index of the one flat section */
enum { MEMORY_MAX_SECTIONS = 4096, MEMORY_MAX_PAGES = 1 << 24 };
/* Where blocks without a place of their own have their canonical addresses: above all that a guest
 * can name, below what an entry for execution can hold. */
#define MEMORY_FLOATING (UINT64_C(1) << 42)

struct memory_block {
    enum memory_kind kind;
    char *name;
    gpa canonical;
    uint64_t size;
    uint8_t *host;
    uint8_t *page_flags;
    uint32_t first_page; /* of the numbering of all RAM and ROM pages */
    const struct region_ops *ops;
    void *opaque;
    void *mapping; /* with its guards */
    size_t mapping_bytes;
    bool readable; /* ROM: answers reads itself */
    struct memory_block *next;
};

/* Valid until the next change of the map, that is until the next region callback at the latest. */
struct flat_section {
    struct memory_section section;
    struct memory_block *block;
    const struct memory_window *write_to; /* MEMORY_WRITE_ONLY: where stores go instead */
};

/* Something that caches parts of the map: each vCPU's TLB. */
struct memory_listener {
    void (*forget_writes)(void *opaque, uint32_t page, const uint8_t *host);
    void (*map_changed)(void *opaque);
    void *opaque;
    struct memory_listener *next;
};

struct memory_addition {
    gpa base;
    uint64_t size;
    struct memory_block *block;
    uint64_t offset;
    unsigned group;                     /* additions made by one call */
    const struct memory_window *window; /* made by memory_window_show, NULL: by memory_add_* */
};

struct memory {
    pthread_mutex_t *lock;
    int fd;
    uint64_t fd_bytes;
    struct memory_block *blocks;
    struct memory_addition *additions; /* the later one covers the earlier one */
    unsigned n_additions, next_group;
    unsigned batch;             /* memory_begin without memory_commit */
    bool changed;               /* listeners have not been told yet */
    bool big_endian;            /* the CPU */
    struct flat_section *flats; /* sorted, disjoint */
    unsigned n_flats;
    struct memory_listener *listeners;
    void (*code_changed)(void *opaque, gpa address, uint64_t size);
    void *code_opaque;
    uint16_t granules[MAP_GRANULES]; /* one per MiB below 4 GiB */
};

const struct flat_section *memory_search(const struct memory *memory, gpa address);

/* The flat section that holds this address, or NULL. */
static inline const struct flat_section *memory_lookup(const struct memory *memory, gpa address)
{
    unsigned index = GRANULE_MIXED;

    if (LIKELY(address < UINT64_C(1) << 32))
        index = memory->granules[address >> MAP_GRANULE_BITS];
    if (LIKELY(index != GRANULE_MIXED))
        return index == GRANULE_HOLE ? NULL : &memory->flats[index - 1];
    return memory_search(memory, address);
}

static inline uint64_t flat_offset(const struct flat_section *flat, gpa address)
{
    return address - flat->section.base + flat->section.offset;
}

static inline gpa flat_canonical(const struct flat_section *flat, gpa address)
{
    return flat->block->canonical + flat_offset(flat, address);
}

static inline uint8_t *block_flags(const struct memory_block *block, uint64_t offset)
{
    return &block->page_flags[offset >> TLB_PAGE_BITS];
}

static inline bool block_has_code(const struct memory_block *block, uint64_t offset)
{
    return __atomic_load_n(block_flags(block, offset), __ATOMIC_SEQ_CST) & PAGE_HAS_CODE;
}

/* After a store of `size` bytes that stay within one page of RAM. */
static inline void block_stored(struct memory *memory, const struct memory_block *block,
                                uint64_t offset, uint64_t size)
{
    if (UNLIKELY(block_has_code(block, offset)) && memory->code_changed)
        memory->code_changed(memory->code_opaque, block->canonical + offset, size);
}

/* One access of 1, 2, 4 or 8 bytes to what the section's callbacks answer. Takes the lock. */
uint64_t memory_device_read(struct memory *memory, const struct flat_section *flat, uint64_t offset,
                            unsigned size);
void memory_device_write(struct memory *memory, const struct flat_section *flat, uint64_t offset,
                         uint64_t value, unsigned size);

void memory_attach(struct memory *memory, struct memory_listener *listener);
void memory_detach(struct memory *memory, struct memory_listener *listener);

static inline uint64_t host_load(const void *p, unsigned size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)p;
    case 2: {
        uint16_t v;
        __builtin_memcpy(&v, p, sizeof(v));
        return v;
    }
    case 4: {
        uint32_t v;
        __builtin_memcpy(&v, p, sizeof(v));
        return v;
    }
    default: {
        uint64_t v;
        __builtin_memcpy(&v, p, sizeof(v));
        return v;
    }
    }
}

static inline void host_store(void *p, uint64_t value, unsigned size)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)p = (uint8_t)value;
        break;
    case 2: {
        uint16_t v = (uint16_t)value;
        __builtin_memcpy(p, &v, sizeof(v));
        break;
    }
    case 4: {
        uint32_t v = (uint32_t)value;
        __builtin_memcpy(p, &v, sizeof(v));
        break;
    }
    default:
        __builtin_memcpy(p, &value, sizeof(value));
        break;
    }
}

#endif
