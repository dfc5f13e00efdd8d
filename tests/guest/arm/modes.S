/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Banked registers, CPSR and SPSR access, SRS and RFE, user registers by LDM and STM. */
#include "bare.h"
    program
test:
    /* each mode has its sp, lr, spsr; FIQ also r8-r12 */
    mov r8, #0x80
    mov r4, #0x13
    cps #0x11
    mov r8, #0x8f
    mov lr, #0x1e1
    mov32 r0, 0x600001d3
    msr spsr_fsxc, r0
    cps #0x12
    mov lr, #0x1e2
    mov32 r0, 0x900001d2
    msr spsr_fsxc, r0
    cps #0x13
    CHECK(r8, 0x80)
    cps #0x11
    CHECK(r8, 0x8f)
    CHECK(lr, 0x1e1)
    mrs r0, spsr
    CHECK(r0, 0x600001d3)
    msr spsr_f, #0x50000000     /* one byte only */
    mrs r0, spsr
    CHECK(r0, 0x500001d3)
    cps #0x12
    CHECK(lr, 0x1e2)
    mrs r0, spsr
    CHECK(r0, 0x900001d2)
    cps #0x1f
    mov32 lr, 0x1ef
    cps #0x13

    /* STM and LDM of user registers from SVC and FIQ mode */
    ldr r1, =DATA
    mov lr, #0x1e3
    stmia r1, {r13, r14}^
    ldr r0, [r1, #4]
    CHECK(r0, 0x1ef)
    CHECK(lr, 0x1e3)
    cps #0x11
    ldr r1, =DATA
    stmia r1, {r8, r14}^
    ldr r0, [r1]
    CHECK(r0, 0x80)
    mov32 r0, 0x88
    str r0, [r1]
    ldmia r1, {r8}^
    nop
    CHECK(r8, 0x8f)
    cps #0x13
    CHECK(r8, 0x88)

    /* MRS, MSR: condition flags, Q, GE, masks */
    mov32 r0, 0xf80f0000
    msr cpsr_fs, r0
    mrs r0, cpsr
    mov32 r1, 0xf80f03df
    and r0, r0, r1
    CHECK(r0, 0xf80f01d3)
    msr cpsr_f, #0x20000000
    mov r0, #0
    adc r0, r0, #0
    CHECK(r0, 1)
    cpsie if
    mrs r0, cpsr
    and r0, r0, #0xc0
    CHECK(r0, 0)
    cpsid if
    mrs r0, cpsr
    and r0, r0, #0xc0
    CHECK(r0, 0xc0)
    ldr r1, =DATA
    mov32 r0, 0x11223344
    setend be
    str r0, [r1]
    ldrb r2, [r1]
    setend le
    ldr r3, [r1]
    CHECK(r2, 0x11)
    CHECK(r3, 0x44332211)
    /* a mode that does not exist: nothing happens */
    mrs r0, cpsr
    bic r1, r0, #31
    orr r1, r1, #0x14
    msr cpsr_c, r1
    mrs r1, cpsr
    eor r0, r0, r1
    and r0, r0, #31
    CHECK(r0, 0)

    /* SRS to another mode's stack, RFE back from there */
    mov32 r0, 0x400001d3
    msr spsr_fsxc, r0
    ldr lr, =1f
    srsdb sp!, #0x12
    cps #0x12
    CHECK(sp, STACKS + 0x2000 - 8)
    ldr r0, [sp, #4]
    CHECK(r0, 0x400001d3)
    rfeia sp!
    FAIL
1:  movw r12, #__LINE__
    bne fail                    /* Z comes from the stacked CPSR */
    mrs r0, cpsr
    and r0, r0, #31
    CHECK(r0, 0x13)
    cps #0x12
    CHECK(sp, STACKS + 0x2000)
    cps #0x13

    /* LDM with pc and ^ returns from an exception, into Thumb inside an IT block */
    mov32 r0, 0x00000000 | 0x13 | 0xc0 | 0x20 | 0x0c00  /* T, IT = 00001100 (eq, then) */
    msr spsr_fsxc, r0
    ldr r1, =DATA
    ldr r0, =2f
    str r0, [r1]
    mov r0, #1
    mov r2, #2
    ldmia r1, {pc}^
    .ltorg
    .thumb
    .balign 4
2:  mov r0, r2                  /* skipped: eq, Z clear */
    mov r3, r2
    to_arm
    CHECK(r0, 1)
    CHECK(r3, 2)

    /* MSR does not change T; MRS does not show it */
    mrs r0, cpsr
    orr r0, r0, #0x20
    msr cpsr_c, r0
    mrs r0, cpsr
    and r0, r0, #0x20
    CHECK(r0, 0)

    /* from User mode only the flags change */
    cps #0x10
    mrs r0, cpsr
    mov32 r1, 0xf80f01df
    msr cpsr_fsxc, r1
    mrs r1, cpsr
    and r1, r1, #31
    CHECK(r1, 0x10)
    cpsid i
    HANDLER(SVC, passed)
    svc #0
    FAIL
    .ltorg
