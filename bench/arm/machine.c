/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's `-M virt`: the MMU, the PL011, the GIC, the generic timer. */
#include "machine.h"

enum { RAM = 0x400, RAM_END = 0x480, MIB_SHIFT = 20 };  /* in MiB */
enum { DEVICE_SECTION = 0xc16, RAM_SECTION = 0x21c0e }; /* write-back, not global, for all */
enum { SMALL_PAGE = 0x87e, SMALL_TABLE = 1, WALK_CACHED = 0x4a }; /* the same for RAM's pages */

struct table {
    uint32_t entries[4096];
} __attribute__((aligned(16384)));
struct small_table {
    uint32_t entries[256];
} __attribute__((aligned(1024)));

extern uint32_t probe_ring[4096];
static struct table first_table, space_tables[SPACES];
static struct small_table arena_tables[ARENA_BYTES >> MIB_SHIFT], window_tables[SPACES];

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

    READ_CP15(hz, "0, %0, c14, c0, 0");
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

/* ---- translation ----------------------------------------------------------------------------- */

static void fill_tables(void)
{
    uint32_t *top = first_table.entries, arena = (uint32_t)bench_arena >> MIB_SHIFT;

    for (uint32_t i = 0; i < 0x200; i++)
        top[i] = i << MIB_SHIFT | DEVICE_SECTION;
    for (uint32_t i = RAM; i < RAM_END; i++)
        top[i] = i << MIB_SHIFT | RAM_SECTION;
    for (uint32_t i = 0; i < ARENA_BYTES >> MIB_SHIFT; i++) {
        top[arena + i] = (uint32_t)&arena_tables[i] | SMALL_TABLE;
        for (uint32_t j = 0; j < 256; j++)
            arena_tables[i].entries[j] = (arena + i) << MIB_SHIFT | j * PAGE | SMALL_PAGE;
    }
    for (uint32_t i = 0; i < SPACES; i++) {
        space_tables[i] = first_table;
        space_tables[i].entries[(uint32_t)WINDOW >> MIB_SHIFT] =
            (uint32_t)&window_tables[i] | SMALL_TABLE;
    }
}

static void mmu_on(void)
{
    uint32_t control;

    __asm__ volatile("dsb" : : : "memory");
    WRITE_CP15("0, %0, c2, c0, 0", (uint32_t)&first_table | WALK_CACHED); /* TTBR0 */
    WRITE_CP15("0, %0, c2, c0, 2", 0);                                    /* TTBCR */
    WRITE_CP15("0, %0, c3, c0, 0", 1);                                    /* DACR */
    flush_all();
    READ_CP15(control, "0, %0, c1, c0, 0");
    control |= 1 << 0 | 1 << 2 | 1 << 11 | 1 << 12;
    control &= ~(1u << 1 | 1u << 28 | 1u << 29);
    WRITE_CP15("0, %0, c1, c0, 0", control);
    barrier();
}

/* B3.10.4: by way of ASID 0, as the table and the ASID cannot be changed at once */
static void set_space(const struct table *table, uint32_t asid)
{
    WRITE_CP15("0, %0, c13, c0, 1", 0);
    __asm__ volatile("isb");
    WRITE_CP15("0, %0, c2, c0, 0", (uint32_t)table | WALK_CACHED);
    __asm__ volatile("isb");
    WRITE_CP15("0, %0, c13, c0, 1", asid);
    __asm__ volatile("isb");
}

void make_space(uint32_t number, volatile uint32_t *page)
{
    window_tables[number].entries[0] = ((uint32_t)page & ~(PAGE - 1u)) | SMALL_PAGE;
    __asm__ volatile("dsb" : : : "memory");
    WRITE_CP15("0, %0, c8, c7, 2", number + 1); /* TLBIASID */
    barrier();
}

void enter_space(uint32_t number)
{
    set_space(&space_tables[number], number + 1);
}

void leave_spaces(void)
{
    set_space(&first_table, 0);
}

/* ---- the start ------------------------------------------------------------------------------- */

static void gic_on(void)
{
    GIC_DISTRIBUTOR[0] = 1;                         /* GICD_CTLR */
    GIC_DISTRIBUTOR[0x100 / 4] = 1u << 27 | 0xffff; /* GICD_ISENABLER0: the virtual timer, SGIs */
    GIC_CPU[1] = 0xff;                              /* GICC_PMR */
    GIC_CPU[0] = 1;                                 /* GICC_CTLR */
}

void machine_init(void)
{
    UART[0x30 / 4] = 0x301;
    for (uint32_t i = 0; i < 4096; i++)
        probe_ring[i] = (uint32_t)&probe_ring[(i + 1021) % 4096];
    fill_tables();
    mmu_on();
    gic_on();
}
