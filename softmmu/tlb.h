/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB's layout, for code generators. Only this header of softmmu/ is known to backend/.
 *
 * 32-bit guest-virtual addresses: one flat table per address space and privilege, three parts in
 * one demand-zero mapping whose base is run_state.tlb:
 *
 *   read   at TLB_READ:  uint64_t[2^20], write at TLB_WRITE: uint64_t[2^20]
 *          0: not here, take the slow path. Else host address of the page minus guest-virtual
 *          address of the page (never 0: RAM is mapped above 4 GB), so that entry + va is the byte.
 *   exec   at TLB_EXEC:  uint32_t[2^20]
 *          0: unknown. Else TLB_EXEC_TAG(physical address) of the page.
 *
 * Rules: an entry is present only for plain RAM with that access permitted to that privilege. A
 * write entry is absent while the page holds translated code or is watched, or where reads are not
 * permitted, too: so stores to code take the slow path, and a write entry is as good for a load.
 * Alignment and page crossing are the accessor's business. Entries are written by the vCPU's own
 * thread only.
 *
 * 64-bit guest-virtual addresses ("wide"): the same three parts, indexed by bits 47:12 of the
 * address:
 *
 *   read   uint64_t[index] at run_state.tlb
 *   write  uint64_t[~index]: from the base downwards
 *   exec   uint32_t[index] at TLB_WIDE_EXEC
 *
 * Any 64-bit address may be entered, canonical or not: an entry is the host page minus the whole
 * address of its guest page. Another address with the same bits 47:12 finds that entry too; but
 * entry + va is then no canonical host address (RAM lies below 2^47), whose access faults. The
 * backend takes that fault for a miss. Whoever computes with entry + va before accessing it, or is
 * not ready for the fault, asks tlb_host_address.
 *
 * An exec entry says nothing of bits 63:48. So only pages at canonical addresses (bits 63:48 equal
 * to bit 47) are entered there, and only those are looked up: tlb_exec_tag.
 */
#ifndef CALQUE_SOFTMMU_TLB_H
#define CALQUE_SOFTMMU_TLB_H

#include "util/compiler.h"

enum { TLB_PAGE_BITS = 12, TLB_PAGE_SIZE = 1 << TLB_PAGE_BITS, TLB_PAGES = 1 << 20 };
enum {
    TLB_READ = 0,
    TLB_WRITE = TLB_PAGES * 8,
    TLB_EXEC = TLB_PAGES * 16,
    TLB_BYTES = TLB_PAGES * 20,
};
enum {
    TLB_WIDE_BITS = 48,
    TLB_WIDE_INDEX_BITS = TLB_WIDE_BITS - TLB_PAGE_BITS,
    TLB_WIDE_EXEC_BIT = TLB_WIDE_INDEX_BITS + 3, /* exec begins at this power of two */
};
#define TLB_WIDE_EXEC (UINT64_C(1) << TLB_WIDE_EXEC_BIT)
/* In front of the base, and in all. */
#define TLB_WIDE_BELOW TLB_WIDE_EXEC
#define TLB_WIDE_BYTES (TLB_WIDE_BELOW + TLB_WIDE_EXEC + TLB_WIDE_EXEC / 2)

#define TLB_EXEC_TAG(physical) ((uint32_t)((physical) >> TLB_PAGE_BITS) << 1 | 1)
#define TLB_EXEC_PHYSICAL(tag) ((uint64_t)((tag) >> 1) << TLB_PAGE_BITS)

static inline bool tlb_canonical(uint64_t va)
{
    return (uint64_t)((int64_t)(va << (64 - TLB_WIDE_BITS)) >> (64 - TLB_WIDE_BITS)) == va;
}

static inline uint64_t tlb_index(bool wide, uint64_t va)
{
    return va >> TLB_PAGE_BITS & ((UINT64_C(1) << (wide ? TLB_WIDE_INDEX_BITS : 20)) - 1);
}

static inline uint64_t *tlb_read_entry(uint8_t *base, bool wide, uint64_t va)
{
    return (uint64_t *)(void *)base + tlb_index(wide, va);
}

static inline uint64_t *tlb_write_entry(uint8_t *base, bool wide, uint64_t va)
{
    if (wide)
        return (uint64_t *)(void *)base - 1 - tlb_index(true, va);
    return (uint64_t *)(void *)(base + TLB_WRITE) + tlb_index(false, va);
}

static inline uint32_t *tlb_exec_entry(uint8_t *base, bool wide, uint64_t va)
{
    return (uint32_t *)(void *)(base + (wide ? TLB_WIDE_EXEC : TLB_EXEC)) + tlb_index(wide, va);
}

/* May the page be in the exec part? */
static inline bool tlb_in_exec(bool wide, uint64_t va)
{
    return !wide || tlb_canonical(va);
}

/* What the exec part says of va; 0: unknown. */
static inline uint32_t tlb_exec_tag(uint8_t *base, bool wide, uint64_t va)
{
    return LIKELY(tlb_in_exec(wide, va)) ? *tlb_exec_entry(base, wide, va) : 0;
}

/* Where a read or write entry says that the byte is; 0: it does not, or is another address's. */
static inline uint64_t tlb_host_address(bool wide, uint64_t entry, uint64_t va)
{
    if (!entry || (wide && UNLIKELY((entry + va) >> (TLB_WIDE_BITS - 1))))
        return 0;
    return entry + va;
}

#endif
