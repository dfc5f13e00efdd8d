/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest-physical address space: RAM and ROM backed by one memfd, and device regions. Devices
 * see offsets within their region only.
 *
 * Threading: the map is built before the vCPUs start. Later it changes while they are stopped, or
 * from within a region callback of the vCPU's own access (a BAR moves). Region callbacks run with
 * the device lock held. RAM is accessed by anyone at any time.
 * Every address and length may come from a hostile guest: nothing here trusts them.
 */
#ifndef CALQUE_SOFTMMU_MEMORY_H
#define CALQUE_SOFTMMU_MEMORY_H

#include <pthread.h>
#include <stdio.h>

#include "util/compiler.h"
#include "util/error.h"

typedef uint64_t gva; /* guest-virtual address */
typedef uint64_t gpa; /* guest-physical address */

/* Callbacks of a device region. size is 1, 2, 4 or 8; offset + size <= the region's size and offset
 * is a multiple of size. Accesses outside min_access..max_access are split or widened by the map:
 * a narrower read takes bytes of a min_access read; a narrower write becomes a min_access write
 * with its bytes in their lanes and zeros beside them, as on a bus without byte strobes (a
 * read-modify would have the read's side effects). 0 stands for 1 and 4. */
struct region_ops {
    uint64_t (*read)(void *opaque, uint64_t offset, unsigned size);
    void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned size);
    uint8_t min_access, max_access;
    bool unaligned; /* takes any offset (16-bit ports at odd addresses) */
    /* Registers are little-endian: the byte at the lowest address is the value's lowest, whoever
     * reads. With cpu_order they are the CPU's: a word has the same value for a CPU of either
     * order (its bytes then have other addresses), as on a bus whose data lines go straight
     * through. */
    bool cpu_order;
};

enum memory_kind { MEMORY_RAM, MEMORY_ROM, MEMORY_DEVICE };

/* One stretch of the map, page-aligned at both ends for RAM and ROM. */
struct memory_section {
    gpa base;
    uint64_t size;
    enum memory_kind kind;
    uint8_t *host;                /* RAM, ROM */
    const struct region_ops *ops; /* device; also the write side of ROM (flash), may be NULL */
    void *opaque;
    const char *name;
    uint8_t *page_flags; /* RAM, ROM: per page, enum page_flag; owned by softmmu */
    uint64_t offset;     /* of base within the device region, RAM or ROM it shows */
};

enum page_flag { PAGE_HAS_CODE = 1, PAGE_DIRTY = 2 };

struct memory;

/* lock: the machine's device lock, taken around region callbacks (recursive). */
struct memory *memory_create(pthread_mutex_t *lock, struct error *err);
/* Makes a lock fit for that. */
void memory_lock_init(pthread_mutex_t *lock);
void memory_destroy(struct memory *memory);
/* Which order the CPU has, for regions that follow it; little-endian without this. */
void memory_set_big_endian(struct memory *memory, bool big_endian);
bool memory_is_big_endian(const struct memory *memory);

/* Allocate guest memory from the memfd; zeroed. Returns its host address or NULL. `size` is rounded
 * up to pages. All of it is mapped above 4 GB with an inaccessible guard on both sides. */
uint8_t *memory_add_ram(struct memory *memory, const char *name, gpa base, uint64_t size,
                        struct error *err);
/* rom: guest stores go to ops->write if given, else are logged and dropped. */
uint8_t *memory_add_rom(struct memory *memory, const char *name, gpa base, uint64_t size,
                        const struct region_ops *ops, void *opaque, struct error *err);
bool memory_add_device(struct memory *memory, const char *name, gpa base, uint64_t size,
                       const struct region_ops *ops, void *opaque, struct error *err);
/* A second window onto RAM/ROM/device already mapped at `target`. */
bool memory_add_alias(struct memory *memory, const char *name, gpa base, gpa target, uint64_t size,
                      struct error *err);
/* Later additions overlay earlier ones; remove takes away what was added last at this base. */
bool memory_remove(struct memory *memory, gpa base);
/* ROM that is a flash in command mode switches to device accesses. */
void memory_rom_set_readable(struct memory *memory, gpa base, bool readable);
/* RAM or ROM at `address` was changed through its host pointer: drops code made from it. */
void memory_changed(struct memory *memory, gpa address, uint64_t size);

/* ---- what moves while the machine runs: BARs, shadow RAM, banks ---- */

/* Memory or a device that shows nowhere yet. Owned by `memory` and never freed before it. */
struct memory_block;
struct memory_block *memory_create_ram(struct memory *memory, const char *name, uint64_t size,
                                       struct error *err);
struct memory_block *memory_create_rom(struct memory *memory, const char *name, uint64_t size,
                                       const struct region_ops *ops, void *opaque,
                                       struct error *err);
struct memory_block *memory_create_device(struct memory *memory, const char *name, uint64_t size,
                                          const struct region_ops *ops, void *opaque,
                                          struct error *err);
uint8_t *memory_block_host(struct memory_block *block); /* NULL: a device */

enum memory_window_access {
    MEMORY_READ_WRITE,
    MEMORY_READ_ONLY,  /* RAM; stores are dropped */
    MEMORY_WRITE_ONLY, /* RAM; loads see what lies beneath */
};
/* One place where part of a block shows, in a struct of the caller's that stays while it does. The
 * caller sets all fields but `shown`. Windows of higher layer cover lower ones, whatever their age;
 * memory_add_* is layer 0. */
struct memory_window {
    struct memory_block *block;
    uint64_t offset; /* within the block */
    gpa base;
    uint64_t size;
    int layer;
    enum memory_window_access access;
    bool shown;
};
/* False: the window wraps around, is not page-aligned, leaves its block or the map is full; nothing
 * shows then. Showing a window that is shown, and hiding one that is not, is harmless. */
bool memory_window_show(struct memory *memory, struct memory_window *window, struct error *err);
void memory_window_hide(struct memory *memory, struct memory_window *window);
/* What lies between costs one flush of the TLBs. They nest. */
void memory_begin(struct memory *memory);
void memory_commit(struct memory *memory);

const struct memory_section *memory_find(const struct memory *memory, gpa address);
void memory_print_map(const struct memory *memory, FILE *out);

/* Accesses by physical address, for devices (DMA), loaders and the slow path. Read of a hole: false
 * (value 0). Stores into pages with code invalidate that code. */
bool memory_read(struct memory *memory, gpa address, void *buffer, size_t size);
bool memory_write(struct memory *memory, gpa address, const void *buffer, size_t size);
/* For debuggers, who write ROM, too. False: somewhere is neither RAM nor ROM; what lies before it
 * has been written. */
bool memory_poke(struct memory *memory, gpa address, const void *buffer, size_t size);
/* One access of 1, 2, 4 or 8 bytes, host byte order value; ok says whether something was there. */
uint64_t memory_load(struct memory *memory, gpa address, unsigned size, bool *ok);
void memory_store(struct memory *memory, gpa address, uint64_t value, unsigned size, bool *ok);
/* Host pointer to [address, address + size) if all of it is one plain stretch of RAM, else NULL. */
void *memory_ram_pointer(struct memory *memory, gpa address, uint64_t size);

/* Called (by whatever thread stores, device lock held or vCPU thread) after a store hit a page that
 * holds code. The code cache registers itself here. */
void memory_on_code_write(struct memory *memory,
                          void (*changed)(void *opaque, gpa address, uint64_t size), void *opaque);
/* Is there (going to be) translated code in this page? Setting it makes every write entry for the
 * page disappear from all TLBs of all attached mmus. */
void memory_set_page_code(struct memory *memory, gpa page, bool has_code);

#endif
