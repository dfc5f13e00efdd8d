/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same rows as a Linux program, as far as user mode may run them. Without a C library, so that
 * the 32-bit one builds where only the 64-bit library is installed.
 */
#include "machine.h"

#ifdef __x86_64__
enum { SYS_READ = 0, SYS_WRITE = 1, SYS_EXIT = 60, SYS_MPROTECT = 10, SYS_CLOCK_GETTIME = 228 };
#else
enum { SYS_READ = 3, SYS_WRITE = 4, SYS_EXIT = 1, SYS_MPROTECT = 125, SYS_CLOCK_GETTIME = 265 };
#endif
enum { MONOTONIC = 1, READ_WRITE_EXECUTE = 7 };

void native_main(void);

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

/* The end of input is the end of the program. */
char machine_get_char(void)
{
    static char text[128];
    static long used, there;

    if (used == there) {
        used = 0;
        there = call(SYS_READ, 0, (long)text, sizeof(text));
        if (there <= 0)
            call(SYS_EXIT, 0, 0, 0);
    }
    return text[used++];
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

void machine_init(void)
{
    x86_fill_ring();
    call(SYS_MPROTECT, (long)bench_arena, ARENA_BYTES, READ_WRITE_EXECUTE);
    for (uint32_t i = 0; i < ARENA_BYTES; i += PAGE)
        *(volatile uint8_t *)(bench_arena + i) = 0;
}

void native_main(void)
{
    bench_main();
    call(SYS_EXIT, 0, 0, 0);
}

__asm__(".globl _start\n_start: call native_main");
