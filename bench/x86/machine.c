/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC: interrupt table, COM1, a clock that counts (HPET, else the ACPI timer), power off. */
#include "machine.h"

enum { COM1 = 0x3f8, PCI_ADDRESS = 0xcf8, PCI_DATA = 0xcfc };
enum { PIIX4_POWER = 1 << 11 | 3 << 8, PM_BASE = 0x40, PM_ENABLE = 0x80 };
enum { TIMER_HZ = 3579545 }; /* the ACPI timer's, at PM_BASE + 8 */

#define HPET ((volatile uint32_t *)0xfed00000)

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
#ifdef __x86_64__
    uint32_t offset_high, reserved;
#endif
};

/* Intel SDM volume 3, 8.2.1 and 8.7: only the stack of CPL 0 is used. */
struct task {
#ifdef __x86_64__
    uint32_t reserved;
    uint32_t stack0_low, stack0_high;
    uint32_t unused[23];
#else
    uint32_t back, stack0, segment0;
    uint32_t unused[23];
#endif
};

void trap_undefined(void);
void trap_page_fault(void);
void trap_unexpected(void);
void trap_int80(void);
void trap_fast(void);
void trap_interrupt(void);
void machine_off(void);

extern uint32_t gdt_task[4];

/* A table at any level. */
struct table {
    uintptr_t entries[PAGE / sizeof(uintptr_t)];
} __attribute__((aligned(PAGE)));

extern struct table page_table;
#ifdef __x86_64__
extern struct table directory_pointers;
static struct table space_pointers[SPACES], space_directories[SPACES];
#endif
static struct table space_tops[SPACES], space_windows[SPACES];

static struct gate gates[256] __attribute__((aligned(16)));
static struct task task;
static uint8_t trap_stack[4096] __attribute__((aligned(16)));
static uint16_t power_port;
static int has_hpet;

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static void write_msr(uint32_t msr, uint32_t low, uint32_t high)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high) : "memory");
}

void machine_put_char(char c)
{
    while (!(in8(COM1 + 5) & 0x20))
        continue;
    out8(COM1, (uint8_t)c);
}

char machine_get_char(void)
{
    while (!(in8(COM1 + 5) & 1))
        continue;
    return (char)in8(COM1);
}

/* Neither counter is wider than what is read of it; this is called more often than they wrap. */
uint64_t machine_ticks(void)
{
    static uint32_t last;
    static uint64_t total;
    uint32_t now = has_hpet ? HPET[0xf0 / 4] : in32(power_port + 8) & 0xffffff;

    total += has_hpet ? now - last : (now - last) & 0xffffff;
    last = now;
    return total;
}

uint64_t machine_ticks_second(void)
{
    return has_hpet ? bench_divide(1000000000000000, HPET[1]) : TIMER_HZ;
}

void machine_off(void)
{
    out16(power_port + 4, 1 << 13); /* SLP_EN, SLP_TYP 0: PIIX4's soft off */
}

static void set_gate(int vector, void (*handler)(void), int level)
{
    uintptr_t at = (uintptr_t)handler;

    gates[vector] = (struct gate){
        .offset_low = (uint16_t)at,
        .selector = 8,
        .attributes = (uint16_t)(0x8e00 | level << 13),
        .offset_middle = (uint16_t)(at >> 16),
    };
}

static void set_traps(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uintptr_t base;
    } table = {sizeof(gates) - 1, (uintptr_t)gates};

    for (int i = 0; i < 256; i++)
        set_gate(i, trap_unexpected, 0);
    set_gate(6, trap_undefined, 0);
    set_gate(14, trap_page_fault, 0);
    set_gate(0x80, trap_int80, 3);
    set_gate(INTERRUPT_VECTOR, trap_interrupt, 0);
    __asm__ volatile("lidt %0" : : "m"(table) : "memory");
}

static void set_task(void)
{
    uint32_t base = (uint32_t)(uintptr_t)&task;
    uint32_t stack = (uint32_t)(uintptr_t)(trap_stack + sizeof(trap_stack));

#ifdef __x86_64__
    task.stack0_low = stack;
    write_msr(0xc0000081, 0, 0x08 | 0x1b << 16); /* STAR */
    write_msr(0xc0000082, (uint32_t)(uintptr_t)trap_fast, 0);
    write_msr(0xc0000084, 0, 0);
#else
    task.stack0 = stack;
    task.segment0 = 0x10;
    write_msr(0x174, 8, 0); /* SYSENTER_CS, ESP, EIP */
    write_msr(0x175, stack, 0);
    write_msr(0x176, (uint32_t)(uintptr_t)trap_fast, 0);
#endif
    gdt_task[0] = base << 16 | 0x67;
    gdt_task[1] = base >> 24 << 24 | 0x8900 | (base >> 16 & 0xff);
    __asm__ volatile("ltr %w0" : : "r"(0x30) : "memory");
}

/* ---- address spaces: the common one, and a page of their own --------------------------------- */

enum { FOR_ALL = 7 }; /* present, writable, user */

static void make_spaces(void)
{
    for (int i = 0; i < SPACES; i++) {
        uintptr_t window = (uintptr_t)&space_windows[i] | FOR_ALL;
        space_tops[i] = page_table;
#ifdef __x86_64__
        space_directories[i].entries[0] = window;
        space_pointers[i] = directory_pointers;
        space_pointers[i].entries[WINDOW >> 30] = (uintptr_t)&space_directories[i] | FOR_ALL;
        space_tops[i].entries[0] = (uintptr_t)&space_pointers[i] | FOR_ALL;
#else
        space_tops[i].entries[WINDOW >> 22] = window;
#endif
    }
}

void make_space(uint32_t number, volatile uint32_t *page)
{
    space_windows[number].entries[0] = ((uintptr_t)page & ~(uintptr_t)(PAGE - 1)) | FOR_ALL;
}

void enter_space(uint32_t number)
{
    set_top((uintptr_t)&space_tops[number]);
}

void leave_spaces(void)
{
    set_top((uintptr_t)&page_table);
}

/* ---- the start ------------------------------------------------------------------------------- */

static void find_power(void)
{
    out32(PCI_ADDRESS, 0x80000000 | PIIX4_POWER | PM_BASE);
    power_port = (uint16_t)(in32(PCI_DATA) & 0xffc0);
    if (power_port)
        return;
    power_port = 0x600;
    out32(PCI_DATA, power_port | 1);
    out32(PCI_ADDRESS, 0x80000000 | PIIX4_POWER | PM_ENABLE);
    out8(PCI_DATA, 1);
}

static void find_hpet(void)
{
    uint32_t period = HPET[1];

    has_hpet = period && period <= 100000000; /* femtoseconds: 100 ns at most */
    if (has_hpet)
        HPET[0x10 / 4] |= 1;
}

void machine_init(void)
{
    out8(0x21, 0xff); /* no interrupts from the PIC */
    out8(0xa1, 0xff);
    set_traps();
    set_task();
    find_power();
    find_hpet();
    x86_fill_ring();
    make_spaces();
    APIC(APIC_SPURIOUS) = 0x1ff; /* on */
}
