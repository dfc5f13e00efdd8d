/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the ARM guest's system side share: SCTLR and TTBCR bits, the table walk's full
 * result and the coprocessor register table's entry points. "ARM ARM" is ARM DDI 0406C.
 */
#ifndef CALQUE_FRONTEND_ARM_SYSTEM_H
#define CALQUE_FRONTEND_ARM_SYSTEM_H

#include "frontend/arm/cpu.h"

/* ARM ARM B4.1.130 */
enum arm_sctlr {
    SCTLR_M = 1 << 0,
    SCTLR_A = 1 << 1,
    SCTLR_C = 1 << 2,
    SCTLR_SW = 1 << 10,
    SCTLR_Z = 1 << 11,
    SCTLR_I = 1 << 12,
    SCTLR_V = 1 << 13,
    SCTLR_RR = 1 << 14,
    SCTLR_WXN = 1 << 19,
    SCTLR_UWXN = 1 << 20,
    SCTLR_EE = 1 << 25,
    SCTLR_NMFI = 1 << 27,
    SCTLR_TRE = 1 << 28,
    SCTLR_AFE = 1 << 29,
    SCTLR_TE = 1 << 30,
};

/* ARM ARM B4.1.153 */
enum arm_ttbcr {
    TTBCR_N = 7,
    TTBCR_PD0 = 1 << 4,
    TTBCR_PD1 = 1 << 5,
    TTBCR_EPD0 = 1 << 7,
    TTBCR_A1 = 1 << 22,
    TTBCR_EPD1 = 1 << 23,
};
#define TTBCR_EAE 0x80000000u

#define CPACR_ASEDIS 0x80000000u
#define FPEXC_EN 0x40000000u

/* Fault classes of a walk or an access; struct mmu_fault.syndrome. */
enum arm_fault {
    FAULT_NONE,
    FAULT_ALIGNMENT,
    FAULT_TRANSLATION,
    FAULT_ACCESS_FLAG,
    FAULT_DOMAIN,
    FAULT_PERMISSION,
    FAULT_WALK_EXTERNAL, /* nothing behind the table's address */
    FAULT_EXTERNAL,      /* nothing behind the access's address */
    FAULT_DEBUG,
};

enum arm_permission { PERM_R = 1, PERM_W = 2, PERM_X = 4 };

/* struct mmu_fault.extra: the domain, and whether it was a cache maintenance operation. */
enum { FAULT_EXTRA_DOMAIN = 0xf, FAULT_EXTRA_CM = 0x10 };

/* Everything a walk finds out. */
struct arm_walk {
    /* in */
    uint32_t va;
    bool user;
    /* out */
    gpa physical; /* of va itself */
    uint64_t block_size;
    uint8_t perm;   /* enum arm_permission, for the privilege asked for */
    uint8_t memory; /* MAIR encoding of the memory type: 0x00 SO, 0x04 Device, 0xff write-back */
    uint8_t share;  /* LPAE's SH encoding: 0 none, 2 outer, 3 inner */
    bool supersection, not_secure, global;
    /* out: the descriptors read */
    bool untracked;
    uint8_t n_sources;
    struct tlb_source source[3];
    /* out, when arm_walk_table returned false or the permission is missing */
    uint8_t fault; /* enum arm_fault */
    uint8_t level;
    uint8_t domain;
};

static inline bool arm_uses_long_format(const struct arm_cpu *cpu)
{
    return (cpu->cp15.ttbcr & TTBCR_EAE) != 0;
}

/* ARM ARM B3.11.2: is the whole page's access refused for being Device or Strongly-ordered? */
static inline bool arm_memory_is_device(uint8_t memory)
{
    return (memory & 0xf0) == 0;
}

/* mmu.c */
/* Translates without looking at what the access needs; false: w->fault says why. */
bool arm_walk_table(struct arm_cpu *cpu, struct arm_walk *w);
/* The fault's code as DFSR or IFSR has it in the current format, without WnR and CM. */
uint32_t arm_fault_status(const struct arm_cpu *cpu, unsigned fault, unsigned level,
                          unsigned domain);
/* The tag of the current address space, and its selection. */
uint32_t arm_mmu_tag(const struct arm_cpu *cpu);
void arm_mmu_set_dacr(struct arm_cpu *cpu, uint32_t value);
void arm_mmu_flush_all(struct arm_cpu *cpu);
/* TLB maintenance by the guest. */
void arm_mmu_invalidate_all(struct arm_cpu *cpu);
void arm_mmu_invalidate_asid(struct arm_cpu *cpu, unsigned asid);
void arm_mmu_invalidate_va(struct arm_cpu *cpu, uint32_t va);               /* in every ASID */
void arm_mmu_invalidate_va_asid(struct arm_cpu *cpu, uint32_t va_and_asid); /* as in TLBIMVA */
/* VA to PA operation; the result is for PAR. */
uint64_t arm_mmu_translate_for_par(struct arm_cpu *cpu, uint32_t va, enum mmu_access access,
                                   bool user);
/* A cache operation by address: raises the fault the address gives, if any. May fault. */
void arm_mmu_cache_operation(struct arm_cpu *cpu, uint32_t va);

/* timer.c */
enum arm_timer_kind { ARM_TIMER_PHYS, ARM_TIMER_VIRT };
uint64_t arm_counter(struct arm_cpu *cpu, enum arm_timer_kind kind);
uint32_t arm_timer_read_ctl(struct arm_cpu *cpu, enum arm_timer_kind kind);
void arm_timer_write_ctl(struct arm_cpu *cpu, enum arm_timer_kind kind, uint32_t value);
uint64_t arm_timer_read_cval(struct arm_cpu *cpu, enum arm_timer_kind kind);
void arm_timer_write_cval(struct arm_cpu *cpu, enum arm_timer_kind kind, uint64_t value);

/* pmu.c */
void arm_pmu_init(struct arm_cpu *cpu);
void arm_pmu_reset(struct arm_cpu *cpu);
uint64_t arm_pmu_read_cycles(struct arm_cpu *cpu);
void arm_pmu_write_cycles(struct arm_cpu *cpu, uint64_t value);
/* Call before and after changing what decides whether the counter runs: brings pmccntr up to date,
 * then sets the overflow timer and the interrupt line. */
void arm_pmu_sync(struct arm_cpu *cpu);
void arm_pmu_update(struct arm_cpu *cpu);

/* cp15.c */
void arm_cp15_reset(struct arm_cpu *cpu);
/* One register by its encoding, with a privilege, as an instruction would access it; for tests and
 * the debugger. false: UNDEFINED (read or write refused, or no such register). */
bool arm_coproc_access(struct arm_cpu *cpu, bool read, bool wide, unsigned cp, unsigned opc1,
                       unsigned crn, unsigned crm, unsigned opc2, bool privileged, uint64_t *value);

/* exceptions.c */
const char *arm_mode_name(unsigned mode);
bool arm_mode_valid(unsigned mode);

#endif
