/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's `-M virt`: what the shared sources need to know. Sections are of the ARM ARM, DDI 0406C. */
#ifndef CALQUE_BENCH_ARM_MACHINE_H
#define CALQUE_BENCH_ARM_MACHINE_H

#include "../bench.h"

enum { ARENA_ALIGNMENT = 1 << 20 }; /* it is mapped by whole tables of small pages */

#define READ_CP15(value, register) __asm__ volatile("mrc p15, " register : "=r"(value))
#define WRITE_CP15(register, value)                                                                \
    __asm__ volatile("mcr p15, " register : : "r"((uintptr_t)(value)) : "memory")

static inline void barrier(void)
{
    __asm__ volatile("dsb\n\tisb" : : : "memory");
}

/* ---- floating point -------------------------------------------------------------------------- */

#define HAVE_ROUNDING
enum { ROUND_NEAREST = 0, ROUND_UP = 1 << 22 };
static inline void set_rounding(uint32_t mode)
{
    __asm__ volatile("vmsr fpscr, %0" : : "r"(mode) : "memory");
}

/* ---- code: r0 is what it changes and returns, r1 steers -------------------------------------- */

#ifdef __thumb__
enum { CODE_ADD_BYTES = 2, CODE_SET_BIT = 1 };
#define FOUR_BYTES(instruction) instruction ".w"

static inline uint8_t *code_half(uint8_t *at, uint32_t half)
{
    *(uint16_t *)at = (uint16_t)half;
    return at + 2;
}

static inline uint8_t *code_word(uint8_t *at, uint32_t high, uint32_t low)
{
    return code_half(code_half(at, high), low);
}

static inline uint8_t *code_add(uint8_t *at, uint32_t value)
{
    return code_half(at, 0x3000 | value); /* adds r0, #value */
}

static inline uint8_t *code_xor(uint8_t *at, uint32_t value)
{
    return code_word(at, 0xf080, value); /* eor.w r0, r0, #value */
}

static inline uint8_t *code_times_9(uint8_t *at)
{
    return code_word(at, 0xeb00, 0x00c0); /* add.w r0, r0, r0, lsl #3 */
}

static inline uint8_t *code_skip(uint8_t *at, uint32_t bit, uint32_t bytes)
{
    at = code_word(at, 0xf011, 0x0f00 | 1u << bit); /* tst.w r1, #bit */
    return code_half(at, 0xd000 | (bytes - 2) / 2); /* beq */
}

static inline uint8_t *code_jump(uint8_t *at, const uint8_t *to)
{
    uint32_t offset = (uint32_t)(to - at - 4), sign = offset >> 31;
    uint32_t j1 = (offset >> 23 & 1) ^ sign ^ 1, j2 = (offset >> 22 & 1) ^ sign ^ 1;

    return code_word(at, 0xf000 | sign << 10 | (offset >> 12 & 0x3ff), /* b.w */
                     0x9000 | j1 << 13 | j2 << 11 | (offset >> 1 & 0x7ff));
}

static inline uint8_t *code_leave(uint8_t *at)
{
    return code_half(at, 0x4770); /* bx lr */
}
#else
enum { CODE_ADD_BYTES = 4, CODE_SET_BIT = 0 };
#define FOUR_BYTES(instruction) instruction

static inline uint8_t *code_word(uint8_t *at, uint32_t word)
{
    *(uint32_t *)at = word;
    return at + 4;
}

static inline uint8_t *code_add(uint8_t *at, uint32_t value)
{
    return code_word(at, 0xe2800000 | value); /* add r0, r0, #value */
}

static inline uint8_t *code_xor(uint8_t *at, uint32_t value)
{
    return code_word(at, 0xe2200000 | value); /* eor r0, r0, #value */
}

static inline uint8_t *code_times_9(uint8_t *at)
{
    return code_word(at, 0xe0800180); /* add r0, r0, r0, lsl #3 */
}

static inline uint8_t *code_skip(uint8_t *at, uint32_t bit, uint32_t bytes)
{
    at = code_word(at, 0xe3110000 | 1u << bit);          /* tst r1, #bit */
    return code_word(at, 0x0a000000 | (bytes - 4) >> 2); /* beq */
}

static inline uint8_t *code_jump(uint8_t *at, const uint8_t *to)
{
    return code_word(at, 0xea000000 | ((uint32_t)(to - at - 8) >> 2 & 0xffffff)); /* b */
}

static inline uint8_t *code_leave(uint8_t *at)
{
    return code_word(at, 0xe12fff1e); /* bx lr */
}
#endif

static inline uint8_t *code_enter(uint8_t *at)
{
    return at;
}

/* A3.9.3: how a processor is told of code that was written */
static inline void sync_code(const void *code, uint32_t bytes)
{
    enum { LINE_BYTES = 64 };
    uintptr_t first = (uintptr_t)code & ~(uintptr_t)(LINE_BYTES - 1), end = (uintptr_t)code + bytes;

    for (uintptr_t at = first; at < end; at += LINE_BYTES)
        WRITE_CP15("0, %0, c7, c11, 1", at); /* DCCMVAU */
    __asm__ volatile("dsb" : : : "memory");
    for (uintptr_t at = first; at < end; at += LINE_BYTES)
        WRITE_CP15("0, %0, c7, c5, 1", at); /* ICIMVAU */
    WRITE_CP15("0, %0, c7, c5, 6", 0);      /* BPIALL */
    barrier();
}

static inline uint32_t code_call(const uint8_t *code, uint32_t x, uint32_t steer)
{
    return ((uint32_t(*)(uint32_t, uint32_t))((uintptr_t)code | CODE_SET_BIT))(x, steer);
}

/* ---- exceptions: the handlers count in r12 --------------------------------------------------- */

static inline uint32_t fault_on_load(uint32_t taken)
{
    register uint32_t count __asm__("r12") = taken;
    register uint32_t loaded __asm__("r3");

    __asm__ volatile(FOUR_BYTES("ldr") " %1, [%2]"
                     : "+r"(count), "=&r"(loaded)
                     : "r"(0x30000000)
                     : "memory");
    return count;
}

static inline uint32_t do_undefined(uint32_t taken)
{
    register uint32_t count __asm__("r12") = taken;

    __asm__ volatile("udf #0" : "+r"(count) : : "memory");
    return count;
}

static inline void allow_interrupts(void)
{
    __asm__ volatile("cpsie i" : : : "memory");
}

static inline void forbid_interrupts(void)
{
    __asm__ volatile("cpsid i" : : : "memory");
}

#define GIC_DISTRIBUTOR ((volatile uint32_t *)0x08000000)
#define GIC_CPU ((volatile uint32_t *)0x08010000)
#define UART ((volatile uint32_t *)0x09000000)

static inline void send_interrupt(void)
{
    GIC_DISTRIBUTOR[0xf00 / 4] = 2 << 24 | 1; /* GICD_SGIR: to itself */
}

/* B8.1: the virtual timer, whose signal wakes though interrupts are masked */
static inline uint32_t sleep_until_timer(void)
{
    uint32_t hz, control;

    READ_CP15(hz, "0, %0, c14, c0, 0");
    WRITE_CP15("0, %0, c14, c3, 0", hz / 100000);
    WRITE_CP15("0, %0, c14, c3, 1", 1);
    do {
        __asm__ volatile("isb\n\twfi" : : : "memory");
        READ_CP15(control, "0, %0, c14, c3, 1");
    } while (!(control & 4));
    WRITE_CP15("0, %0, c14, c3, 1", 0);
    return 1;
}

/* TPIDRPRW, TPIDRURO, DFAR, IFAR */
static inline uint32_t read_privileged(void)
{
    uint32_t a, b, c, d;

    READ_CP15(a, "0, %0, c13, c0, 4");
    READ_CP15(b, "0, %0, c13, c0, 3");
    READ_CP15(c, "0, %0, c6, c0, 0");
    READ_CP15(d, "0, %0, c6, c0, 2");
    return (a + b + c + d) / 4;
}

static inline void write_privileged(uint32_t value)
{
    WRITE_CP15("0, %0, c13, c0, 4", value);
    WRITE_CP15("0, %0, c13, c0, 3", value);
    WRITE_CP15("0, %0, c6, c0, 0", value);
    WRITE_CP15("0, %0, c6, c0, 2", value);
}

static inline uint32_t read_device(void)
{
    return UART[0x24 / 4]; /* UARTIBRD */
}

static inline void write_device(uint32_t value)
{
    UART[0x24 / 4] = value;
}

/* ---- translations ---------------------------------------------------------------------------- */

static inline void flush_page(const void *page)
{
    WRITE_CP15("0, %0, c8, c7, 1", page); /* TLBIMVA, ASID 0 */
    barrier();
}

static inline void flush_space(void)
{
    WRITE_CP15("0, %0, c8, c7, 2", 0); /* TLBIASID */
    barrier();
}

static inline void flush_all(void)
{
    WRITE_CP15("0, %0, c8, c7, 0", 0); /* TLBIALL */
    barrier();
}

enum { SPACES = 64, WINDOW = 0x60000000 };
void make_space(uint32_t number, volatile uint32_t *page);
void enter_space(uint32_t number);
void leave_spaces(void);

#endif
