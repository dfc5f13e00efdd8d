/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry and exception vectors: A32 in both guests. */
    .syntax unified
    .arch armv7ve
    .fpu neon-vfpv4
    .arm

    .section .text.start, "ax"
    .globl _start
_start:
    ldr sp, =__stack_top
    /* stacks of the exception modes lie below the main one */
    mov r0, sp
    cps #0x12
    sub sp, r0, #0x6000
    cps #0x13
    /* VFP and NEON on */
    mrc p15, 0, r1, c1, c0, 2
    orr r1, r1, #(0xf << 20)
    mcr p15, 0, r1, c1, c0, 2
    isb
    mov r1, #0x40000000
    vmsr fpexc, r1
    ldr r0, =__bss_start
    ldr r1, =__bss_end
    mov r2, #0
1:  cmp r0, r1
    strlo r2, [r0], #4
    blo 1b
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    bl bench_main
power_off:
    ldr r0, =0x84000008         /* PSCI SYSTEM_OFF */
    hvc #0
2:  b 2b

    .text
    .balign 32
vectors:
    b unexpected
    b vector_undefined
    b vector_svc
    b unexpected
    b vector_data_abort
    b unexpected
    b vector_irq
    b unexpected

/* What rows provoke is counted in a register of theirs. */
vector_undefined:               /* the probe's instruction is skipped */
    add r12, r12, #1
    movs pc, lr
vector_data_abort:              /* the probe's load to r3 is skipped: lr is 8 behind it */
    mrc p15, 0, r3, c6, c0, 0   /* DFAR */
    cmp r3, #0x30000000
    bne unexpected
    add r12, r12, #1
    subs pc, lr, #4
vector_svc:
    add r1, r1, #1
    cmp r0, #0
    movsne pc, lr               /* back to the caller's mode */
    mrs r2, spsr                /* turns used up: on in SVC mode */
    orr r2, r2, #0x13
    msr spsr_c, r2
    movs pc, lr
vector_irq:
    sub lr, lr, #4
    push {r0, r1, r2, r3, lr}
    ldr r0, =0x08010000         /* GICC */
    ldr r1, [r0, #0x0c]         /* IAR */
    str r1, [r0, #0x10]         /* EOIR */
    ldr r2, =machine_interrupts
    ldr r3, [r2]
    add r3, r3, #1
    str r3, [r2]
    ldmfd sp!, {r0, r1, r2, r3, pc}^
unexpected:
    mrs r1, cpsr
    mov r0, lr
    cpsid i, #0x13
    ldr sp, =__stack_top
    bl bench_unexpected
    b power_off
    .ltorg

    .section .note.GNU-stack, "", %progbits
