/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same rows as a Linux program, as far as user mode may run them. Without a C library, so that
 * the 32-bit one builds where only the 64-bit library is installed.
 *   i386.native [ROW]
 */
#include "x86.h"

#ifdef __x86_64__
enum { SYS_WRITE = 1, SYS_EXIT = 60, SYS_CLOCK_GETTIME = 228 };
#else
enum { SYS_WRITE = 4, SYS_EXIT = 1, SYS_CLOCK_GETTIME = 265 };
#endif
enum { MONOTONIC = 1, PAGES = 4096 };

extern uint8_t probe_far[PAGES * 4096];
static const char *filter;
void native_main(uintptr_t *stack);

static long call(long number, long a, long b, long c)
{
    long result;

#ifdef __x86_64__
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
#else
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
#endif
    return result;
}

void machine_put_char(char c)
{
    static char line[128];
    static int used;

    line[used++] = c;
    if (c == '\n' || used == sizeof(line)) {
        call(SYS_WRITE, 1, (long)line, used);
        used = 0;
    }
}

uint64_t machine_ticks(void)
{
    long now[2];

    call(SYS_CLOCK_GETTIME, MONOTONIC, (long)now, 0);
    return (uint64_t)now[0] * 1000000000 + (uint64_t)now[1];
}

uint64_t machine_ticks_second(void)
{
    return 1000000000;
}

const char *machine_filter(void)
{
    return filter;
}

void machine_init(void)
{
    x86_fill_ring();
    for (int i = 0; i < PAGES; i++)
        ((volatile uint8_t *)probe_far)[i * 4096] = 0;
}

void native_main(uintptr_t *stack)
{
    if (stack[0] > 1)
        filter = (const char *)stack[2];
    bench_main();
    call(SYS_EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\t"
#ifdef __x86_64__
        "mov %rsp, %rdi\n\t"
#else
        "mov %esp, %eax\n\t"
        "sub $12, %esp\n\t"
        "push %eax\n\t"
#endif
        "call native_main");
