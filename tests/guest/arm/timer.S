/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic timer: counters, compare, interrupt out of WFI, access from User mode. */
#include "bare.h"
    program
tick:
    mov r5, #1
    push {r0}
    mov r0, #3                  /* masked */
    mcr p15, 0, r0, c14, c3, 1
    pop {r0}
    subs pc, lr, #4
skip:
    mov r8, #1
    movs pc, lr
to_svc:
    mov pc, lr
test:
    HANDLER(IRQ, tick)
    HANDLER(UNDEF, skip)
    HANDLER(SVC, to_svc)
    mrc p15, 0, r0, c14, c0, 0
    CHECK(r0, 62500000)
    mrrc p15, 1, r0, r1, c14
    device 12, 1600
    mrrc p15, 1, r2, r3, c14
    subs r2, r2, r0
    CHECK(r2, 100)
    mov r0, #1000
    mcr p15, 0, r0, c14, c3, 0
    mov r0, #1
    mcr p15, 0, r0, c14, c3, 1
    mov r5, #0
    device 12, 15984            /* 999 ticks */
    mrc p15, 0, r0, c14, c3, 1
    CHECK(r0, 1)
    mrc p15, 0, r0, c14, c3, 0
    CHECK(r0, 1)
    device 12, 16
    mrc p15, 0, r0, c14, c3, 1
    CHECK(r0, 5)
    CHECK(r5, 0)
    cpsie i
    nop
    cpsid i
    CHECK(r5, 1)
    mrc p15, 0, r0, c14, c3, 1
    CHECK(r0, 7)
    /* WFI until it fires, with the interrupt masked */
    mrrc p15, 1, r0, r1, c14
    adds r0, r0, #200
    adc r1, r1, #0
    mcrr p15, 3, r0, r1, c14
    mov r2, #1
    mcr p15, 0, r2, c14, c3, 1
    mov r5, #0
    wfi
    mrrc p15, 1, r2, r3, c14
    cmp r2, r0
    movw r12, #__LINE__
    blo fail
    CHECK(r5, 0)
    cpsie i
    nop
    cpsid i
    CHECK(r5, 1)
    /* User mode: as CNTKCTL says */
    mov r8, #0
    cps #0x10
    mrrc p15, 1, r0, r1, c14
    CHECK(r8, 1)
    svc #0
    mov r0, #2
    mcr p15, 0, r0, c14, c1, 0
    mov r8, #0
    cps #0x10
    mrrc p15, 1, r0, r1, c14
    mrc p15, 0, r0, c14, c0, 0
    CHECK(r8, 0)
    mrrc p15, 0, r0, r1, c14
    CHECK(r8, 1)
    /* WFE after SEV goes on at once */
    sev
    wfe
    b passed
    .ltorg
