/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ARM side of the instruction tests: built for armhf and run by qemu-arm. Reads struct arm_case
 * after struct arm_case from standard input, runs each page and writes a struct arm_result.
 */
#define _GNU_SOURCE
#include "../arm_page.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf after_fault;
static struct arm_result result;

/* Enters the page with every callee-saved register kept on the stack; page_done is where its END
 * literal leads. */
void run_page(uint32_t entry);
void page_done(void);
__asm__(".arm\n"
        ".globl run_page\n"
        "run_page:\n"
        "    push {r4-r11, lr}\n"
        "    vpush {d8-d15}\n"
        "    movw r1, #:lower16:saved_sp_address\n"
        "    movt r1, #:upper16:saved_sp_address\n"
        "    ldr r1, [r1]\n"
        "    str sp, [r1]\n"
        "    bx r0\n"
        ".globl page_done\n"
        "page_done:\n"
        "    movw r1, #:lower16:saved_sp_address\n"
        "    movt r1, #:upper16:saved_sp_address\n"
        "    ldr r1, [r1]\n"
        "    ldr sp, [r1]\n"
        "    mov r0, #0\n"
        "    vmsr fpscr, r0\n"
        "    vpop {d8-d15}\n"
        "    pop {r4-r11, pc}\n"
        ".data\n"
        "saved_sp_address: .word saved_sp_storage\n"
        ".bss\n"
        "saved_sp_storage: .space 4\n"
        ".text\n");

static void fault(int number, siginfo_t *info, void *context)
{
    const mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    uint32_t pc = m->arm_pc;

    /* A vector length left in it would make the C library's code undefined. */
    __asm__ volatile("vmsr fpscr, %0" ::"r"(0));
    memcpy(result.out.r, &m->arm_r0, sizeof(result.out.r));
    result.pc = pc;
    if (pc < CODE_BASE || pc >= CODE_BASE + CODE_BYTES)
        result.outcome = OUTCOME_LEFT;
    else if (number == SIGILL)
        result.outcome = OUTCOME_UNDEFINED;
    else if (number == SIGSEGV || number == SIGBUS)
        result.outcome = OUTCOME_DATA_FAULT;
    else
        result.outcome = OUTCOME_OTHER;
    (void)info;
    siglongjmp(after_fault, 1);
}

static int read_all(void *buffer, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(0, (char *)buffer + done, size - done);
        if (n <= 0)
            return 0;
        done += (size_t)n;
    }
    return 1;
}

int main(void)
{
    static struct arm_case c;
    static char signal_stack[65536];
    const int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE};
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof(signal_stack)};
    uint32_t *code = mmap((void *)CODE_BASE, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    uint32_t *data = mmap((void *)DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    if (code == MAP_FAILED || data == MAP_FAILED)
        return 1;
    sigaltstack(&stack, NULL);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
    while (read_all(&c, sizeof(c))) {
        memcpy(code, c.page, CODE_BYTES);
        code[END_OFFSET / 4] = (uint32_t)page_done;
        arm_data_fill(data, c.data_seed);
        __builtin___clear_cache((char *)code, (char *)code + CODE_BYTES);
        memset(&result, 0, sizeof(result));
        if (!sigsetjmp(after_fault, 1)) {
            run_page(CODE_BASE);
            result.outcome = OUTCOME_DONE;
            memcpy(&result.out, (char *)code + OUT_OFFSET, sizeof(result.out));
        }
        result.data_hash = arm_data_hash(data);
        if (write(1, &result, sizeof(result)) != sizeof(result))
            return 1;
    }
    return 0;
}
