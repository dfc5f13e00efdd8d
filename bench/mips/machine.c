/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MIPS' `-M malta`: the TLB, which the handlers fill from a table, the 16550, the CP0 timer. */
#include "machine.h"

enum { ARENA_PHYSICAL = 0x01000000, TABLE_BYTES = 4 << 20 };
enum { FLAGS = 0x1e };                            /* EntryLo: cacheable, dirty, valid */
enum { PAIR = 0x2000, TICKS_SECOND = 160000000 }; /* Count's, near enough to choose turns */
enum { FIRST_ASID = SPACES + 1, LAST_ASID = 255 };

/* Context points into it: 16 bytes for two pages, of which the first 8 are used. It is where
 * nothing else is, as Context wants it aligned to 8 MiB.
 */
#define TABLE ((volatile uint32_t *)(intptr_t)(int32_t)0x83000000)

static uint32_t window_entries[SPACES], asid = FIRST_ASID, tlb_entries;

void machine_sleep(void);
extern volatile uint32_t machine_interrupts;

void machine_put_char(char c)
{
    while (!(UART[5] & 0x20))
        continue;
    UART[0] = (uint8_t)c;
}

char machine_get_char(void)
{
    while (!(UART[5] & 1))
        continue;
    return (char)UART[0];
}

static uint32_t read_count(void)
{
    uint32_t count;

    READ_CP0(count, "$9");
    return count;
}

/* This is called more often than Count wraps. */
uint64_t machine_ticks(void)
{
    static uint32_t last;
    static uint64_t total;
    uint32_t now = read_count();

    total += now - last;
    last = now;
    return total;
}

uint64_t machine_ticks_second(void)
{
    return TICKS_SECOND;
}

uint32_t machine_features(void)
{
    return 0;
}

uint32_t machine_probe(uint32_t (*probe)(uint32_t turns), uint32_t turns)
{
    return probe(turns);
}

/* With Status.IM7 set meanwhile; a Compare that Count has passed already is set again. */
uint32_t sleep_until_timer(void)
{
    uint32_t before = machine_interrupts, status, compare;

    READ_CP0(status, "$12");
    do {
        compare = read_count() + TICKS_SECOND / 100000;
        WRITE_CP0("$11", compare);
    } while ((int32_t)(read_count() - compare) >= 0);
    WRITE_CP0("$12", status | 0x8000);
    barrier();
    machine_sleep();
    WRITE_CP0("$12", status);
    barrier();
    return machine_interrupts - before;
}

/* ---- translation ----------------------------------------------------------------------------- */

static volatile uint32_t *entry_of(uintptr_t address)
{
    return TABLE + (address / PAIR * 4 + (address / PAGE & 1));
}

static uint32_t entry_for(uintptr_t physical)
{
    return (uint32_t)(physical / PAGE << 6) | FLAGS;
}

/* An address of KSEG0, a different one for each entry, matches nothing. */
static void make_invalid(uint32_t index)
{
    WRITE_CP0("$0", index);
    WRITE_CP0("$10", 0x80000000 + index * PAIR);
    WRITE_CP0("$2", 0);
    WRITE_CP0("$3", 0);
    __asm__ volatile("ehb\n\ttlbwi\n\tehb" : : : "memory");
}

static void set_asid(uint32_t number)
{
    WRITE_CP0("$10", number);
    barrier();
}

static void drop(uintptr_t address, uint32_t number)
{
    int32_t index;

    WRITE_CP0("$10", (address & ~(uintptr_t)(PAIR - 1)) | number);
    __asm__ volatile("ehb\n\ttlbp\n\tehb" : : : "memory");
    READ_CP0(index, "$0");
    if (index >= 0)
        make_invalid((uint32_t)index);
}

void flush_page(const void *page)
{
    drop((uintptr_t)page, asid);
    set_asid(asid);
}

void flush_all(void)
{
    for (uint32_t i = 0; i < tlb_entries; i++)
        make_invalid(i);
    set_asid(asid);
}

/* As systems do: another ASID, until there are no more. */
void flush_space(void)
{
    if (asid < LAST_ASID) {
        set_asid(++asid);
        return;
    }
    asid = FIRST_ASID;
    flush_all();
}

void make_space(uint32_t number, volatile uint32_t *page)
{
    uintptr_t offset = (uintptr_t)page - (uintptr_t)bench_arena;
    uint32_t current;

    window_entries[number] = entry_for(ARENA_PHYSICAL + offset);
    READ_CP0(current, "$10");
    drop(WINDOW, number + 1);
    set_asid(current & 0xff);
}

void enter_space(uint32_t number)
{
    *entry_of(WINDOW) = window_entries[number];
    set_asid(number + 1);
}

void leave_spaces(void)
{
    set_asid(asid);
}

/* ---- the start ------------------------------------------------------------------------------- */

void machine_init(void)
{
    uint32_t config;

    for (uint32_t i = 0; i < TABLE_BYTES / 4; i++)
        TABLE[i] = 0;
    for (uint32_t i = 0; i < ARENA_BYTES; i += PAGE)
        *entry_of((uintptr_t)bench_arena + i) = entry_for(ARENA_PHYSICAL + i);
    __asm__ volatile("mfc0 %0, $16, 1" : "=r"(config)); /* Config1.MMUSize */
    tlb_entries = (config >> 25 & 63) + 1;
    WRITE_CP0("$5", 0); /* PageMask */
    WRITE_CP0("$6", 0); /* Wired */
#ifdef __mips64
    __asm__ volatile("dmtc0 %0, $4" : : "r"(TABLE) : "memory"); /* Context */
#else
    WRITE_CP0("$4", (uintptr_t)TABLE);
#endif
    flush_all();
}
