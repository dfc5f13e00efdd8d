/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exception entry: link register, saved state, fault status and address for every kind, from ARM
 * and Thumb code, from User and privileged modes. The handler `catch` leaves lr in r8, the SPSR in
 * r9, FSR in r10, FAR in r11 and returns to lr - r7.
 */
#include "bare.h"
    program
catch:
    mov r8, lr
    mrs r9, spsr
    push {r0}
    mrs r0, cpsr
    and r0, r0, #31
    cmp r0, #0x17
    bne 1f
    mrc p15, 0, r10, c5, c0, 0
    mrc p15, 0, r11, c6, c0, 0
1:  pop {r0}
    sub lr, lr, r7
    movs pc, lr
catch_prefetch: /* goes on at r6 */
    mov r8, lr
    mrs r9, spsr
    mrc p15, 0, r10, c5, c0, 1
    mrc p15, 0, r11, c6, c0, 2
    mov lr, r6
    movs pc, lr
    .ltorg
test:
    HANDLER(UNDEF, catch)
    HANDLER(SVC, catch)
    HANDLER(PREFETCH, catch_prefetch)
    HANDLER(DABORT, catch)

    /* undefined instruction, ARM: lr is the next one */
    mov r7, #0
    msr cpsr_f, #0x60000000
1:  .inst 0xe7f000f0
    ldr r0, =1b + 4
    CHECK_REG(r8, r0)
    and r9, r9, #0xf0000000
    CHECK(r9, 0x60000000)

    /* Thumb: lr is two further; SPSR.T is set */
    adr r0, 2f + 1
    bx r0
    .thumb
    .balign 4
2:  .inst.n 0xde00
    to_arm
    ldr r0, =2b + 2
    CHECK_REG(r8, r0)
    tst r9, #0x20
    movw r12, #__LINE__
    beq fail

    /* a supervisor call, from System and from User mode */
    cps #0x1f
1:  svc #0x123456
    ldr r0, =1b + 4
    CHECK_REG(r8, r0)
    and r9, r9, #31
    CHECK(r9, 0x1f)
    cps #0x10
1:  svc #0
    and r9, r9, #31
    CHECK(r9, 0x10)
    /* in an IT block: the SPSR holds the state after it */
    adr r0, 2f + 1
    bx r0
    .thumb
    .balign 4
2:  movs r0, #0
    itte eq
    svceq #1
    moveq r1, #7
    movne r1, #8
    to_arm
    CHECK(r1, 7)
    mov32 r0, 0x0600fc00
    and r9, r9, r0
    CHECK(r9, 0x00000c00)       /* ITSTATE 00001100: eq, then ne */
    b 3f
    .ltorg
3:
    /* privileged things from User mode are undefined */
    mov r8, #0
1:  mrc p15, 0, r0, c1, c0, 0
    ldr r0, =1b + 4
    CHECK_REG(r8, r0)
    and r9, r9, #31
    CHECK(r9, 0x10)
    mov r8, #0
1:  .inst 0xee010f10            /* mcr p15, 0, r0, c1, c0, 0 */
    ldr r0, =1b + 4
    CHECK_REG(r8, r0)
    /* what User mode may have */
    mov32 r0, 0x12345678
    mcr p15, 0, r0, c13, c0, 2
    mrc p15, 0, r1, c13, c0, 2
    CHECK(r1, 0x12345678)
    mcr p15, 0, r0, c7, c10, 5
    mcr p15, 0, r0, c7, c10, 4
    mcr p15, 0, r0, c7, c5, 4
    /* back */
    HANDLER(SVC, 2f)
    svc #0
2:  HANDLER(SVC, catch)

    /* external abort on data: DFSR 0x008, WnR; base registers keep their value */
    mov r7, #4
    ldr r1, =NOWHERE
    mov r2, #5
1:  ldr r2, [r1, #4]!
    ldr r0, =1b + 8
    CHECK_REG(r8, r0)
    CHECK(r10, 0x008)
    CHECK(r11, NOWHERE + 4)
    CHECK(r1, NOWHERE)
    CHECK(r2, 5)
    str r2, [r1], #8
    CHECK(r10, 0x808)
    CHECK(r11, NOWHERE)
    CHECK(r1, NOWHERE)
    ldmia r1!, {r2, r3, r4}
    CHECK(r10, 0x008)
    CHECK(r1, NOWHERE)
    CHECK(r2, 5)
    mrc p15, 0, r3, c1, c0, 0
    orr r0, r3, #1 << 10        /* SCTLR.SW: SWP is there */
    mcr p15, 0, r0, c1, c0, 0
    mov r0, #3
    mov r10, #0
    swp r2, r0, [r1]
    mcr p15, 0, r3, c1, c0, 0
    CHECK(r11, NOWHERE)
    bic r10, r10, #1 << 11
    CHECK(r10, 0x008)
    CHECK(r1, NOWHERE)
    CHECK(r2, 5)
    /* an LDM that reaches over the end of RAM leaves the base */
    ldr r1, =RAM + 0x800000 - 8
    mov r3, #6
    mov r4, #7
    ldmia r1!, {r2, r3, r4}
    CHECK(r11, RAM + 0x800000)
    CHECK(r4, 7)
    CHECK(r1, RAM + 0x800000 - 8)

    /* alignment: MMU off, or SCTLR.A */
    ldr r1, =DATA + 1
    mov r2, #9
    ldr r2, [r1]
    CHECK(r10, 0x001)
    CHECK(r11, DATA + 1)
    CHECK(r2, 9)
    strh r2, [r1]
    CHECK(r10, 0x801)
    ldrd r2, r3, [r1, #1]
    CHECK(r11, DATA + 2)
    ldrex r2, [r1]
    CHECK(r10, 0x001)

    /* Thumb: the handler returns to the next halfword */
    mov r7, #6
    ldr r1, =NOWHERE
    adr r0, 2f + 1
    bx r0
    .thumb
    .balign 4
2:  ldr r2, [r1]
    to_arm
    ldr r0, =2b + 8
    CHECK_REG(r8, r0)
    /* in an IT block the state comes back: the second of two runs */
    mov r2, #1
    adr r0, 2f + 1
    bx r0
    .thumb
    .balign 4
2:  movs r0, #0
    itt eq
    ldreq r2, [r1]
    moveq r2, #2
    to_arm
    mov r7, #4
    /* SPSR.IT was that of the load: returning two bytes on without advancing it made the second
     * instruction run under IT state eq-eq, which is still eq */
    CHECK(r2, 2)
    mov32 r0, 0x0600fc00
    and r9, r9, r0
    CHECK(r9, 0x00000400)

    /* prefetch aborts: the address itself; IFAR; BKPT gives the debug status */
    ldr r6, =1f
    ldr r0, =NOWHERE + 0x10
    bx r0
1:  CHECK(r8, NOWHERE + 0x14)
    CHECK(r10, 0x008)
    CHECK(r11, NOWHERE + 0x10)
    ldr r6, =1f
2:  bkpt #1
1:  ldr r0, =2b + 4
    CHECK_REG(r8, r0)
    CHECK(r10, 0x002)

    /* interrupts: masked until cpsie; lr is the next instruction + 4 */
    HANDLER(IRQ, catch_irq)
    HANDLER(FIQ, catch_fiq)
    mov r8, #0
    device 4, 1
    CHECK(r8, 0)
    mrc p15, 0, r0, c12, c1, 0
    CHECK(r0, 0x80)
    wfi                         /* a masked interrupt ends it */
    cpsie i
    nop
    nop
    cpsid i
    and r9, r9, #0x1f
    CHECK(r9, 0x13)
    mov r5, #0
    device 8, 1
    cpsie f
    nop
    cpsid f
    CHECK(r5, 1)
    b 3f
    .ltorg
catch_irq:
    mov r8, lr
    mrs r9, spsr
    device 4, 0
    subs pc, lr, #4
catch_fiq:
    mov r5, #1
    device 8, 0
    subs pc, lr, #4
    .ltorg

    /* SCTLR.TE: handlers run in Thumb state; SCTLR.EE: big-endian */
3:  HANDLER(SVC, catch_thumb)
    ldr r0, =thumb_vectors
    mcr p15, 0, r0, c12, c0, 0
    mrc p15, 0, r0, c1, c0, 0
    orr r1, r0, #1 << 30
    mcr p15, 0, r1, c1, c0, 0
    isb
    svc #0
    mcr p15, 0, r0, c1, c0, 0
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    CHECK(r5, 2)
    HANDLER(SVC, catch)
    mov r7, #0

    /* SMC, HVC: the board answers in r0 to SMC here, HVC is undefined */
    .arch_extension sec
    .arch_extension virt
    mov r0, #1
    mov32 r8, 0
    smc #0
    CHECK(r0, 0x600d)
    CHECK(r8, 0)
1:  hvc #0
    ldr r0, =1b + 4
    CHECK_REG(r8, r0)
    b passed
    .ltorg
    .thumb
    .balign 32
thumb_vectors:
    b.w catch_thumb
    b.w catch_thumb
    b.w catch_thumb
catch_thumb:
    movs r5, #2
    movs pc, lr
    .arm
