/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bare-metal test programs share: where things are, vectors whose handlers a test sets, and
 * checks that end the program with the line that failed. RAM is at 0x40000000, the program at its
 * start; the test device is at DEVICE:
 *   write +0  ends the program, 0 for success, else the line that failed
 *   write +4  sets (1) or clears (0) the IRQ line;  +8 the FIQ line
 *   write +12 lets that many nanoseconds pass
 */
#define RAM 0x40000000
#define DEVICE 0x10000000
#define NOWHERE 0x20000000 /* nothing is there */
#define STACKS 0x40080000
#define TABLES 0x40100000
#define DATA 0x40200000

#define CHECK(reg, value) check reg, (value), __LINE__
#define CHECK_REG(reg, other) check_reg reg, other, __LINE__
#define FAIL fail_here __LINE__
#define HANDLER(n, label) set_handler n, label
#define UNDEF 1
#define SVC 2
#define PREFETCH 3
#define DABORT 4
#define IRQ 6
#define FIQ 7

    .syntax unified
    .arch armv7-a
    .arch_extension idiv
    .fpu neon-vfpv4

    .macro mov32 reg, value
    movw \reg, #:lower16:(\value)
    movt \reg, #:upper16:(\value)
    .endm

    /* The flags and r12 are lost. */
    .macro check reg, value, line
    mov32 r12, \value
    cmp \reg, r12
    movw r12, #\line
    bne fail
    .endm

    .macro check_reg reg, other, line
    cmp \reg, \other
    movw r12, #\line
    bne fail
    .endm

    .macro fail_here line
    movw r12, #\line
    b fail
    .endm

    .macro set_handler n, label
    ldr r12, =\label
    push {r11}
    ldr r11, =handlers + 4 * \n
    str r12, [r11]
    pop {r11}
    .endm

    .macro device offset, value
    push {r0, r1}
    mov32 r0, \value
    ldr r1, =DEVICE
    str r0, [r1, #\offset]
    pop {r0, r1}
    .endm

    /* From Thumb code to ARM code that follows. */
    .macro to_arm
    .balign 4
    bx pc
    nop
    .arm
    .endm

    /* Stacks of all modes, VBAR; then the test at `test`, in SVC mode with interrupts masked. */
    .macro program
    .text
    .arm
    .globl _start
_start:
vectors:
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
handlers:
    .word setup, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected, unexpected
unexpected: /* which mode says what it was */
    mrs r0, cpsr
    and r0, r0, #31
    movw r12, #0x8000
    orr r12, r12, r0
fail:
    ldr r0, =DEVICE
    str r12, [r0]
1:  b 1b
    .ltorg
setup:
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    ldr r1, =STACKS
    cps #0x11
    add sp, r1, #0x1000
    cps #0x12
    add sp, r1, #0x2000
    cps #0x17
    add sp, r1, #0x3000
    cps #0x1b
    add sp, r1, #0x4000
    cps #0x1f
    add sp, r1, #0x5000
    cps #0x13
    add sp, r1, #0x6000
    b test
    .ltorg
passed:
    mov r12, #0
    b fail
    .endm
