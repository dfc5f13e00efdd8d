/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's `-M virt`: the MMU, the PL011, the generic timer. */
#include "bench.h"

#define UART ((volatile uint32_t *)0x09000000)

extern uint32_t page_table[4096], page_table_b[4096], probe_ring[4096];

void machine_put_char(char c)
{
    while (UART[0x18 / 4] & 0x20)
        continue;
    UART[0] = (uint8_t)c;
}

char machine_get_char(void)
{
    while (UART[0x18 / 4] & 0x10)
        continue;
    return (char)UART[0];
}

uint64_t machine_ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("isb\n\tmrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
    return (uint64_t)high << 32 | low;
}

uint64_t machine_ticks_second(void)
{
    uint32_t hz;

    __asm__ volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(hz));
    return hz ? hz : 62500000;
}

uint32_t machine_features(void)
{
    return 0;
}

uint32_t machine_probe(uint32_t (*probe)(uint32_t turns), uint32_t turns)
{
    return probe(turns);
}

static void mmu_on(void)
{
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t entry = 0;
        if (i < 0x200) /* devices: shareable device, no execute, read and write for all */
            entry = i << 20 | 0xc16;
        else if (i >= 0x400 && i < 0x480) /* RAM: write-back, not global, read and write for all */
            entry = i << 20 | 0x21c0e;
        page_table[i] = page_table_b[i] = entry;
    }
    __asm__ volatile("dsb\n\t"
                     "mcr p15, 0, %0, c2, c0, 0\n\t" /* TTBR0 */
                     "mcr p15, 0, %1, c2, c0, 2\n\t" /* TTBCR */
                     "mcr p15, 0, %2, c3, c0, 0\n\t" /* DACR */
                     "mcr p15, 0, %1, c8, c7, 0\n\t" /* TLBIALL */
                     "dsb\n\tisb\n\t"
                     :
                     : "r"((uint32_t)page_table | 0x4a), "r"(0), "r"(1)
                     : "memory");
    uint32_t control;
    __asm__ volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(control));
    control |= 1 << 0 | 1 << 2 | 1 << 11 | 1 << 12;
    control &= ~(1u << 1 | 1u << 28 | 1u << 29);
    __asm__ volatile("mcr p15, 0, %0, c1, c0, 0\n\tisb" : : "r"(control) : "memory");
}

void machine_init(void)
{
    UART[0x30 / 4] = 0x301;
    for (uint32_t i = 0; i < 4096; i++)
        probe_ring[i] = (uint32_t)&probe_ring[(i + 1021) % 4096];
    mmu_on();
}
