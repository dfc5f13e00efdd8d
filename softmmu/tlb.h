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
 * write entry is absent while the page holds translated code or is watched; so stores to code take
 * the slow path. Alignment and page crossing are the accessor's business. Entries are written by
 * the vCPU's own thread only.
 *
 * (64-bit guests get a second layout, chosen by ir_unit.wide_address.)
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
#define TLB_EXEC_TAG(physical) ((uint32_t)((physical) >> TLB_PAGE_BITS) << 1 | 1)

#endif
