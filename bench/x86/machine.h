/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC: what the shared sources need to know, in the guests and, as far as it may, natively. */
#ifndef CALQUE_BENCH_X86_MACHINE_H
#define CALQUE_BENCH_X86_MACHINE_H

#include "../bench.h"

enum { ARENA_ALIGNMENT = PAGE }; /* more would move the Multiboot header too far into the file */

/* What a row may need, as CPUID shows it. */
enum { SSSE3 = 1, SSE41 = 2, AVX = 4, AVX2 = 8, FMA = 16 };

#ifdef __x86_64__
#define BITS(on_32, on_64) on_64
#else
#define BITS(on_32, on_64) on_32
#endif

void x86_fill_ring(void); /* what the probe load_dep follows */

/* ---- floating point -------------------------------------------------------------------------- */

#define HAVE_ROUNDING
#ifdef __SSE_MATH__
enum { ROUND_NEAREST = 0x1f80, ROUND_UP = 0x5f80 };
static inline void set_rounding(uint32_t mode)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory");
}
#else
enum { ROUND_NEAREST = 0x037f, ROUND_UP = 0x0b7f };
static inline void set_rounding(uint32_t mode)
{
    __asm__ volatile("fldcw %0" : : "m"(mode) : "memory");
}
#endif

/* ---- code: eax is what it changes and returns, edx steers ------------------------------------ */

enum { CODE_ADD_BYTES = 3 };

static inline uint8_t *code_bytes(uint8_t *at, uint32_t bytes, int count)
{
    for (; count; count--, bytes >>= 8)
        *at++ = (uint8_t)bytes;
    return at;
}

static inline uint8_t *code_enter(uint8_t *at)
{
#ifdef __x86_64__
    return code_bytes(at, 0xf289f889, 4); /* mov %edi, %eax; mov %esi, %edx */
#else
    return code_bytes(code_bytes(at, 0x0424448b, 4), 0x0824548b, 4); /* from the stack */
#endif
}

static inline uint8_t *code_add(uint8_t *at, uint32_t value)
{
    return code_bytes(at, 0xc083 | value << 16, 3); /* add $value, %eax */
}

static inline uint8_t *code_xor(uint8_t *at, uint32_t value)
{
    return code_bytes(at, 0xf083 | value << 16, 3); /* xor $value, %eax */
}

static inline uint8_t *code_times_9(uint8_t *at)
{
    return code_bytes(at, 0xc0048d, 3); /* lea (%eax, %eax, 8), %eax */
}

static inline uint8_t *code_skip(uint8_t *at, uint32_t bit, uint32_t bytes)
{
    at = code_bytes(at, 0xc2f6 | 1u << bit << 16, 3); /* test $bit, %dl */
    return code_bytes(at, 0x74 | bytes << 8, 2);      /* jz */
}

static inline uint8_t *code_jump(uint8_t *at, const uint8_t *to)
{
    return code_bytes(code_bytes(at, 0xe9, 1), (uint32_t)(to - at - 5), 4); /* jmp */
}

static inline uint8_t *code_leave(uint8_t *at)
{
    return code_bytes(at, 0xc3, 1); /* ret */
}

/* SDM volume 3, 8.1.3: the call that follows is all a processor needs for its own code */
static inline void sync_code(const void *code, uint32_t bytes)
{
    (void)code;
    (void)bytes;
    __asm__ volatile("" : : : "memory");
}

static inline uint32_t code_call(const uint8_t *code, uint32_t x, uint32_t steer)
{
    return ((uint32_t(*)(uint32_t, uint32_t))(uintptr_t)code)(x, steer);
}

#ifndef BENCH_NATIVE
/* ---- exceptions: the handlers count in ecx and pass over two bytes --------------------------- */

static inline uint32_t fault_on_load(uint32_t taken)
{
    uint32_t loaded;

    __asm__ volatile("mov (%2), %1"
                     : "+c"(taken), "=&a"(loaded)
                     : "S"((uintptr_t)0x20000000)
                     : "memory");
    return taken;
}

static inline uint32_t do_undefined(uint32_t taken)
{
    __asm__ volatile("ud2" : "+c"(taken) : : "memory");
    return taken;
}

static inline void allow_interrupts(void)
{
    __asm__ volatile("sti" : : : "memory");
}

static inline void forbid_interrupts(void)
{
    __asm__ volatile("cli" : : : "memory");
}

/* ---- the local APIC: SDM volume 3, 11.4.1 ---------------------------------------------------- */

enum { INTERRUPT_VECTOR = 0x40 };
enum { APIC_SPURIOUS = 0xf0, APIC_COMMAND = 0x300, APIC_TIMER = 0x320 };
enum { APIC_TIMER_COUNT = 0x380, APIC_TIMER_DIVIDE = 0x3e0 };
#define APIC(offset) (*(volatile uint32_t *)(uintptr_t)(0xfee00000u + (offset)))

static inline void send_interrupt(void)
{
    APIC(APIC_COMMAND) = 1 << 18 | INTERRUPT_VECTOR; /* to itself */
}

extern volatile uint32_t machine_interrupts;

/* The timer runs at 1 GHz in the emulators this is for. */
static inline uint32_t sleep_until_timer(void)
{
    uint32_t before = machine_interrupts;

    APIC(APIC_TIMER_DIVIDE) = 0xb; /* by 1 */
    APIC(APIC_TIMER) = INTERRUPT_VECTOR;
    APIC(APIC_TIMER_COUNT) = 10000;
    __asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
    return machine_interrupts - before;
}

/* CR2, and bits of CR0, CR3 and CR4 */
static inline uint32_t read_privileged(void)
{
    uintptr_t a, b, c, d;

    __asm__ volatile("mov %%cr2, %0\n\tmov %%cr0, %1\n\tmov %%cr3, %2\n\tmov %%cr4, %3"
                     : "=r"(a), "=r"(b), "=r"(c), "=r"(d));
    return (uint32_t)(a + (~b & 1) + (c & 1) + (~d & 0x10));
}

/* CR2 and TS, twice */
static inline void write_privileged(uint32_t value)
{
    uintptr_t other = value ^ 5, last = value;

    __asm__ volatile("mov %0, %%cr2\n\tclts\n\tmov %1, %%cr2\n\tclts"
                     :
                     : "r"(other), "r"(last)
                     : "memory");
}

static inline uint32_t read_device(void)
{
    return APIC(APIC_TIMER_DIVIDE);
}

static inline void write_device(uint32_t value)
{
    APIC(APIC_TIMER_DIVIDE) = value;
}

/* ---- translations ---------------------------------------------------------------------------- */

static inline void flush_page(const void *page)
{
    __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
}

static inline void set_top(uintptr_t top)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(top) : "memory");
}

static inline void flush_space(void)
{
    uintptr_t top;

    __asm__ volatile("mov %%cr3, %0" : "=r"(top));
    set_top(top);
}

/* SDM volume 3, 4.10.4.1: changing CR4.PGE drops global translations too */
static inline void flush_all(void)
{
    uintptr_t control;

    __asm__ volatile("mov %%cr4, %0" : "=r"(control));
    __asm__ volatile("mov %0, %%cr4\n\tmov %1, %%cr4"
                     :
                     : "r"(control ^ 0x80), "r"(control)
                     : "memory");
}

enum { SPACES = 64, WINDOW = 0x40000000 };
void make_space(uint32_t number, volatile uint32_t *page);
void enter_space(uint32_t number);
void leave_spaces(void);
#endif

#endif
