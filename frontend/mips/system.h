/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the MIPS guest's privileged side share: fields of CP0 registers, the address
 * map's result, the victims of the TLB. The names are those of PRA chapter 9.
 */
#ifndef CALQUE_FRONTEND_MIPS_SYSTEM_H
#define CALQUE_FRONTEND_MIPS_SYSTEM_H

#include "frontend/mips/cpu.h"

#define STATUS_IE (UINT32_C(1) << 0)
#define STATUS_EXL (UINT32_C(1) << 1)
#define STATUS_ERL (UINT32_C(1) << 2)
#define STATUS_KSU (UINT32_C(3) << 3)
#define STATUS_UX (UINT32_C(1) << 5)
#define STATUS_SX (UINT32_C(1) << 6)
#define STATUS_KX (UINT32_C(1) << 7)
#define STATUS_NMI (UINT32_C(1) << 19)
#define STATUS_SR (UINT32_C(1) << 20)
#define STATUS_TS (UINT32_C(1) << 21)
#define STATUS_BEV (UINT32_C(1) << 22)
#define STATUS_PX (UINT32_C(1) << 23)
#define STATUS_MX (UINT32_C(1) << 24)
#define STATUS_RE (UINT32_C(1) << 25)
#define STATUS_FR (UINT32_C(1) << 26)
#define STATUS_CU0 (UINT32_C(1) << 28)
#define STATUS_CU1 (UINT32_C(1) << 29)

#define CAUSE_EXCCODE (UINT32_C(0x1f) << 2)
#define CAUSE_IP_SOFTWARE (UINT32_C(3) << 8)
#define CAUSE_WP (UINT32_C(1) << 22)
#define CAUSE_IV (UINT32_C(1) << 23)
#define CAUSE_DC (UINT32_C(1) << 27)
#define CAUSE_CE (UINT32_C(3) << 28)
#define CAUSE_TI (UINT32_C(1) << 30)
#define CAUSE_BD (UINT32_C(1) << 31)

#define ENTRYLO_G (UINT64_C(1) << 0)
#define ENTRYLO_V (UINT64_C(1) << 1)
#define ENTRYLO_D (UINT64_C(1) << 2)
#define ENTRYLO_XI (UINT64_C(1) << 62) /* kept here in 32-bit guests too, that see it in bit 30 */
#define ENTRYLO_RI (UINT64_C(1) << 63)
#define ENTRYHI_EHINV (UINT64_C(1) << 10)
#define PAGEMASK_BITS UINT32_C(0x1fffe000)
#define PAGEGRAIN_IEC (UINT32_C(1) << 27)
#define PAGEGRAIN_ELPA (UINT32_C(1) << 29)
#define PAGEGRAIN_XIE (UINT32_C(1) << 30)
#define PAGEGRAIN_RIE (UINT32_C(1) << 31)
#define INDEX_P (UINT32_C(1) << 31)
#define EBASE_WG (UINT32_C(1) << 11)
#define EBASE_CPUNUM UINT32_C(0x3ff)

#define CONFIG_M (UINT32_C(1) << 31)
#define CONFIG0_K0 UINT32_C(7)
#define CONFIG0_BE (UINT32_C(1) << 15)
#define CONFIG1_EP (UINT32_C(1) << 1)
#define CONFIG1_CA (UINT32_C(1) << 2)
#define CONFIG1_WR (UINT32_C(1) << 3)
#define CONFIG1_PC (UINT32_C(1) << 4)
#define CONFIG3_VINT (UINT32_C(1) << 5)
#define CONFIG3_LPA (UINT32_C(1) << 7)
#define CONFIG3_RXI (UINT32_C(1) << 12)
#define CONFIG3_ULRI (UINT32_C(1) << 13)
#define CONFIG3_SC (UINT32_C(1) << 25)
#define CONFIG3_BI (UINT32_C(1) << 26)
#define CONFIG3_BP (UINT32_C(1) << 27)
#define CONFIG4_KSCREXIST_SHIFT 16
#define CONFIG4_AE (UINT32_C(1) << 28)
#define CONFIG4_IE (UINT32_C(3) << 29)
#define CONFIG5_MRP (UINT32_C(1) << 3)
#define CONFIG5_LLB (UINT32_C(1) << 4)
#define CONFIG5_MVH (UINT32_C(1) << 5)
#define CONFIG5_FRE (UINT32_C(1) << 8)
#define CONFIG5_XNP (UINT32_C(1) << 13)
#define CONFIG5_MSAEN (UINT32_C(1) << 27)
#define CONFIG5_EVA (UINT32_C(1) << 28)

#define HWRENA_CC (UINT32_C(1) << 2)
#define HWRENA_XNP (UINT32_C(1) << 5)
#define HWRENA_ULR (UINT32_C(1) << 29)

/* EJTAG, MD00047, "Debug Register" */
#define DEBUG_DSS (UINT32_C(1) << 0)
#define DEBUG_DBP (UINT32_C(1) << 1)
#define DEBUG_CAUSES UINT32_C(0x3f)
#define DEBUG_SST (UINT32_C(1) << 8)
#define DEBUG_DEXCCODE (UINT32_C(0x1f) << 10)
#define DEBUG_COUNTDM (UINT32_C(1) << 25)
#define DEBUG_LSNM (UINT32_C(1) << 28)
#define DEBUG_NODCR (UINT32_C(1) << 29)
#define DEBUG_DM (UINT32_C(1) << 30)
#define DEBUG_DBD (UINT32_C(1) << 31)

/* In mips_cpu.irq_lines beside those of the board: Count has met Compare. */
#define LINE_TIMER (UINT32_C(1) << 31)

enum mips_mode { MODE_KERNEL, MODE_SUPERVISOR, MODE_USER };

static inline enum mips_mode mips_mode(const struct mips_cpu *cpu)
{
    unsigned ksu = extract32(cpu->cp0.status, 3, 2);

    if ((cpu->cp0.status & (STATUS_EXL | STATUS_ERL)) || (cpu->cp0.debug & DEBUG_DM))
        return MODE_KERNEL;
    return ksu == 0 ? MODE_KERNEL : ksu == 1 ? MODE_SUPERVISOR : MODE_USER;
}

/* Instructions and registers of 64 bits: a MIPS64 model in a 64-bit guest. */
static inline bool mips_is_64(const struct mips_cpu *cpu)
{
    return cpu->wide && mips_has(cpu, MIPS_HAS_64);
}

/* What an address leads to. */
struct mips_walk {
    gpa physical;
    uint64_t page_size;
    bool readable, writable, executable;
};

/* exceptions.c */
/* Cause as software reads it. */
uint32_t mips_cause_read(const struct mips_cpu *cpu);
/* The refill handler for 64-bit addresses is the one for this address: PRA "TLB Refill, XTLB
 * Refill". */
bool mips_is_xtlb(const struct mips_cpu *cpu, uint64_t address);

/* cp0.c */
void mips_cp0_reset(struct mips_cpu *cpu);
/* One register by number and select, for tests and the monitor: as DMFC0 and DMTC0 of kernel mode,
 * or MFC0 and MTC0 in a 32-bit guest. */
uint64_t mips_cp0_get(struct mips_cpu *cpu, unsigned number, unsigned select);
void mips_cp0_set(struct mips_cpu *cpu, unsigned number, unsigned select, uint64_t value);
uint32_t mips_random(struct mips_cpu *cpu);

/* mmu.c */
uint32_t mips_asid_mask(const struct mips_cpu *cpu);
/* Bits of an address that EntryHi.R and VPN2 hold, for pages of 4 KiB. */
uint64_t mips_vpn_mask(const struct mips_cpu *cpu);
/* 0, or the exception that the access raises. */
unsigned mips_translate_address(const struct mips_cpu *cpu, uint64_t va, enum mmu_access access,
                                enum mips_mode mode, struct mips_walk *out);
void mips_tlb_flush_all(struct mips_cpu *cpu);
void mips_tlb_probe(struct mips_cpu *cpu);
void mips_tlb_read(struct mips_cpu *cpu);
void mips_tlb_write(struct mips_cpu *cpu, unsigned index, bool random);
void mips_tlb_invalidate(struct mips_cpu *cpu, bool all);

#endif
