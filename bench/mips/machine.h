/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MIPS' `-M malta`: what the shared sources need to know. PRA: MIPS Architecture, volume III. */
#ifndef CALQUE_BENCH_MIPS_MACHINE_H
#define CALQUE_BENCH_MIPS_MACHINE_H

#include "../bench.h"

enum { ARENA_ALIGNMENT = PAGE };
#define ARENA_ELSEWHERE /* link.ld places it where it is mapped, outside of the image */

#define READ_CP0(value, register) __asm__ volatile("mfc0 %0, " register : "=r"(value))
#define WRITE_CP0(register, value)                                                                 \
    __asm__ volatile("mtc0 %z0, " register : : "Jr"((int32_t)(value)) : "memory")

static inline void barrier(void)
{
    __asm__ volatile("ehb" : : : "memory");
}

/* ---- floating point -------------------------------------------------------------------------- */

#define HAVE_ROUNDING
enum { ROUND_NEAREST = 0, ROUND_UP = 2 };
static inline void set_rounding(uint32_t mode)
{
    __asm__ volatile("ctc1 %0, $31" : : "r"(mode) : "memory");
}

/* ---- code: $2 is what it changes and returns, $5 steers, $8 is spare ------------------------- */

enum { CODE_ADD_BYTES = 4 };

static inline uint8_t *code_word(uint8_t *at, uint32_t word)
{
    *(uint32_t *)at = word;
    return at + 4;
}

static inline uint8_t *code_enter(uint8_t *at)
{
    return code_word(at, 0x00801025); /* move $2, $4 */
}

static inline uint8_t *code_add(uint8_t *at, uint32_t value)
{
    return code_word(at, 0x24420000 | value); /* addiu $2, $2, value */
}

static inline uint8_t *code_xor(uint8_t *at, uint32_t value)
{
    return code_word(at, 0x38420000 | value); /* xori $2, $2, value */
}

static inline uint8_t *code_times_9(uint8_t *at)
{
    return code_word(code_word(at, 0x000240c0), 0x00481021); /* sll $8, $2, 3; addu $2, $2, $8 */
}

static inline uint8_t *code_skip(uint8_t *at, uint32_t bit, uint32_t bytes)
{
    at = code_word(at, 0x30a80000 | 1u << bit);       /* andi $8, $5, bit */
    at = code_word(at, 0x11000000 | (bytes / 4 + 1)); /* beqz $8 */
    return code_word(at, 0);
}

static inline uint8_t *code_jump(uint8_t *at, const uint8_t *to)
{
    uint32_t words = (uint32_t)((int32_t)(to - at - 4) >> 2) & 0xffff;

    return code_word(code_word(at, 0x10000000 | words), 0); /* b */
}

static inline uint8_t *code_leave(uint8_t *at)
{
    return code_word(code_word(at, 0x03e00008), 0); /* jr $31 */
}

/* Volume II, SYNCI: how a processor is told of code that was written */
static inline void sync_code(const void *code, uint32_t bytes)
{
    enum { LINE_BYTES = 32 };
    uintptr_t first = (uintptr_t)code & ~(uintptr_t)(LINE_BYTES - 1), end = (uintptr_t)code + bytes;

    for (uintptr_t at = first; at < end; at += LINE_BYTES)
        __asm__ volatile("synci 0(%0)" : : "r"(at) : "memory");
    __asm__ volatile("sync\n\tehb" : : : "memory");
}

static inline uint32_t code_call(const uint8_t *code, uint32_t x, uint32_t steer)
{
    return ((uint32_t(*)(uint32_t, uint32_t))(uintptr_t)code)(x, steer);
}

/* ---- exceptions: the handlers count in $24 --------------------------------------------------- */

static inline uint32_t fault_on_load(uint32_t taken)
{
    register uint32_t count __asm__("$24") = taken;
    uint32_t loaded;

    __asm__ volatile("lw %1, 0(%2)" : "+r"(count), "=&r"(loaded) : "r"(0x30000000) : "memory");
    return count;
}

static inline uint32_t do_undefined(uint32_t taken)
{
    register uint32_t count __asm__("$24") = taken;

    __asm__ volatile(".word 0x7c00003e" : "+r"(count) : : "memory"); /* SPECIAL3, no function */
    return count;
}

static inline void allow_interrupts(void)
{
    __asm__ volatile("ei\n\tehb" : : : "memory");
}

static inline void forbid_interrupts(void)
{
    __asm__ volatile("di\n\tehb" : : : "memory");
}

static inline void send_interrupt(void)
{
    WRITE_CP0("$13", 0x100); /* Cause.IP0 */
    barrier();
}

uint32_t sleep_until_timer(void);

/* EPC, ErrorEPC, EntryLo0, EntryLo1 */
static inline uint32_t read_privileged(void)
{
    uint32_t a, b, c, d;

    READ_CP0(a, "$14");
    READ_CP0(b, "$30");
    READ_CP0(c, "$2");
    READ_CP0(d, "$3");
    return (a + b + c + d) / 4;
}

static inline void write_privileged(uint32_t value)
{
    WRITE_CP0("$14", value);
    WRITE_CP0("$30", value);
    WRITE_CP0("$2", value);
    WRITE_CP0("$3", value);
    barrier();
}

/* COM1, through KSEG1 */
#define UART ((volatile uint8_t *)(intptr_t)(int32_t)0xb80003f8)

static inline uint32_t read_device(void)
{
    return UART[7]; /* the scratch register */
}

static inline void write_device(uint32_t value)
{
    UART[7] = (uint8_t)value;
}

/* ---- translations ---------------------------------------------------------------------------- */

void flush_page(const void *page);
void flush_space(void);
void flush_all(void);

enum { SPACES = 64, WINDOW = 0x60000000 };
void make_space(uint32_t number, volatile uint32_t *page);
void enter_space(uint32_t number);
void leave_spaces(void);

#endif
