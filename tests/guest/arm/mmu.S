/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Short-descriptor translation: sections and pages, domains, permissions, ASIDs, TLB maintenance,
 * Device memory, access flag, unprivileged accesses. `catch` as in exceptions.S.
 */
#include "bare.h"
#define SECTION(ap, other) (((ap) & 3) << 10 | ((ap) >> 2) << 15 | (other) | 2)
#define NORMAL 0x1000c          /* write-back, shareable */
#define VA 0x00100000
    program
catch:
    mov r8, lr
    mrs r9, spsr
    mrc p15, 0, r10, c5, c0, 0
    mrc p15, 0, r11, c6, c0, 0
    subs pc, lr, #4
catch_prefetch:
    mov r8, lr
    mrc p15, 0, r10, c5, c0, 1
    mrc p15, 0, r11, c6, c0, 2
    mov lr, r6
    movs pc, lr
catch_svc:
    mov r5, #1
    movs pc, lr
to_svc: /* stays in SVC mode */
    mov pc, lr
    .ltorg

    /* first-level entry for `va` */
    .macro entry va, value
    ldr r12, =TABLES + 4 * ((\va) >> 20)
    mov32 r11, \value
    str r11, [r12]
    .endm
    .macro flush
    mov r12, #0
    mcr p15, 0, r12, c8, c7, 0
    dsb
    isb
    .endm
test:
    HANDLER(DABORT, catch)
    HANDLER(PREFETCH, catch_prefetch)
    HANDLER(SVC, to_svc)
    entry RAM, RAM | SECTION(3, NORMAL)
    entry RAM + 0x100000, (RAM + 0x100000) | SECTION(1, NORMAL)
    entry RAM + 0x200000, (RAM + 0x200000) | SECTION(1, NORMAL)
    entry RAM + 0x300000, (RAM + 0x300000) | SECTION(1, NORMAL)
    entry DEVICE, DEVICE | SECTION(3, 1 << 2)
    entry VA, DATA | SECTION(1, NORMAL | 2 << 5)
    ldr r0, =TABLES
    mcr p15, 0, r0, c2, c0, 0
    mov32 r0, 0x55555555
    mcr p15, 0, r0, c3, c0, 0
    mrc p15, 0, r0, c1, c0, 0
    orr r0, r0, #1
    mcr p15, 0, r0, c1, c0, 0
    isb

    /* the mapping works, and both ways lead to the same place */
    ldr r1, =DATA
    ldr r2, =VA
    mov32 r0, 0xcafe0001
    str r0, [r1, #8]
    ldr r3, [r2, #8]
    CHECK(r3, 0xcafe0001)
    str r2, [r2, #12]
    ldr r3, [r1, #12]
    CHECK(r3, VA)
    /* unaligned is fine in Normal memory now, across pages too */
    mov32 r0, 0x11223344
    add r3, r2, #0x1000
    str r0, [r3, #-2]
    ldr r4, [r3, #-2]
    CHECK(r4, 0x11223344)
    ldrh r4, [r3]
    CHECK(r4, 0x1122)

    /* translation faults: first and second level */
    ldr r3, =0x00500000
    mov r4, #1
    ldr r4, [r3]
    CHECK(r10, 0x005)
    CHECK(r11, 0x00500000)
    CHECK(r4, 1)
    entry 0x00500000, (TABLES + 0x8000) | 3 << 5 | 1
    flush
    str r4, [r3, #4]
    CHECK(r10, 0x837)
    CHECK(r11, 0x00500004)
    /* a small page, read-only; a large page */
    ldr r12, =TABLES + 0x8000
    mov32 r0, (DATA + 0x3000) | 1 << 9 | 1 << 4 | 0xc | 2
    str r0, [r12]
    mov32 r0, (DATA + 0x10000) | 3 << 4 | 0xc | 1
    .set i, 16
    .rept 16
    str r0, [r12, #4 * i]
    .set i, i + 1
    .endr
    mcr p15, 0, r3, c8, c7, 1
    dsb
    ldr r1, =DATA + 0x3000
    mov32 r0, 0xabcd
    str r0, [r1]
    ldr r4, [r3]
    CHECK(r4, 0xabcd)
    str r4, [r3]
    CHECK(r10, 0x83f)
    ldr r3, =0x00510000
    ldr r1, =DATA + 0x10000
    str r0, [r1, #0x7f0]
    add r4, r3, #0x700
    ldr r4, [r4, #0xf0]
    CHECK(r4, 0xabcd)

    /* VA to PA */
    ldr r0, =0x00500123
    mcr p15, 0, r0, c7, c8, 0
    isb
    mrc p15, 0, r0, c7, c4, 0
    bfc r0, #0, #12
    CHECK(r0, DATA + 0x3000)
    ldr r0, =0x00500123
    mcr p15, 0, r0, c7, c8, 1
    mrc p15, 0, r0, c7, c4, 0
    CHECK(r0, 1 | 0xf << 1)

    /* domains: no access, then manager, without touching the TLB */
    mov32 r0, 0x55555555 & ~(3 << 4)
    mcr p15, 0, r0, c3, c0, 0
    isb
    mov r4, #1
    ldr r4, [r2, #8]
    CHECK(r10, 0x029)
    CHECK(r4, 1)
    mov32 r0, 0x55555555
    mcr p15, 0, r0, c3, c0, 0
    isb
    ldr r4, [r2, #8]
    CHECK(r4, 0xcafe0001)

    /* user accesses: LDRT, and User mode itself */
    mov r4, #1
    ldrt r4, [r2]
    CHECK(r10, 0x02d)
    CHECK(r4, 1)
    cps #0x10
    ldr r4, [r2]
    CHECK(r10, 0x02d)
    and r9, r9, #31
    CHECK(r9, 0x10)
    str r4, [r2]
    CHECK(r10, 0x82d)
    svc #0
    /* the manager does not look at permissions */
    mov32 r0, 0x55555555 | 3 << 4
    mcr p15, 0, r0, c3, c0, 0
    isb
    add r3, r2, #8
    ldrt r4, [r3]
    CHECK(r4, 0xcafe0001)
    mov32 r0, 0x55555555
    mcr p15, 0, r0, c3, c0, 0

    /* execute never; the fetch's address and status */
    entry VA, DATA | SECTION(1, NORMAL | 2 << 5 | 1 << 4)
    mcr p15, 0, r2, c8, c7, 1
    dsb
    isb
    ldr r6, =1f
    add r0, r2, #0x40
    bx r0
1:  bic r10, r10, #0xf0         /* UNKNOWN in IFSR */
    CHECK(r10, 0x00d)
    CHECK(r11, VA + 0x40)
    CHECK(r8, VA + 0x44)

    /* code written through one address runs at another, again after a change */
    entry VA, DATA | SECTION(1, NORMAL | 2 << 5)
    flush
    ldr r1, =DATA
    mov32 r0, 0xe3a00001        /* mov r0, #1 */
    str r0, [r1, #0x40]
    mov32 r0, 0xe12fff1e        /* bx lr */
    str r0, [r1, #0x44]
    add r4, r2, #0x40
    mcr p15, 0, r4, c7, c5, 1
    dsb
    isb
    blx r4
    CHECK(r0, 1)
    mov32 r0, 0xe3a00002
    str r0, [r1, #0x40]
    mcr p15, 0, r4, c7, c11, 1
    dsb
    mcr p15, 0, r4, c7, c5, 1
    dsb
    isb
    blx r4
    CHECK(r0, 2)

    /* cache operations by address fault where nothing is mapped */
    ldr r0, =0x00600000
    mov r10, #0
    mcr p15, 0, r0, c7, c10, 1
    bic r10, r10, #1 << 13      /* CM, where there is one */
    CHECK(r10, 0x805)
    CHECK(r11, 0x00600000)

    /* ASIDs: the same address, two tables */
    mov r0, #1
    mcr p15, 0, r0, c13, c0, 1
    isb
    entry VA, DATA | SECTION(1, NORMAL | 1 << 17)
    ldr r4, [r2, #8]
    CHECK(r4, 0xcafe0001)
    entry VA, (DATA + 0x100000) | SECTION(1, NORMAL | 1 << 17)
    ldr r1, =DATA + 0x100000
    mov r0, #77
    str r0, [r1, #8]
    mov r0, #2
    mcr p15, 0, r0, c13, c0, 1
    isb
    ldr r4, [r2, #8]
    CHECK(r4, 77)
    mov r0, #1
    mcr p15, 0, r0, c8, c7, 2   /* TLBIASID */
    mcr p15, 0, r0, c13, c0, 1
    isb
    ldr r4, [r2, #8]
    CHECK(r4, 77)
    /* TLBIMVAA: any address of a section takes all of it */
    entry VA, DATA | SECTION(1, NORMAL | 1 << 17)
    ldr r0, =VA + 0xff000
    mcr p15, 0, r0, c8, c7, 3
    dsb
    ldr r4, [r2, #8]
    CHECK(r4, 0xcafe0001)

    /* Device memory: unaligned accesses fault */
    entry 0x00600000, DATA | SECTION(1, 1 << 2)
    flush
    ldr r3, =0x00600000
    ldr r4, [r3, #8]
    CHECK(r4, 0xcafe0001)
    ldr r4, [r3, #9]
    CHECK(r10, 0x001)
    CHECK(r11, 0x00600009)
    /* SCTLR.A: everywhere */
    mrc p15, 0, r0, c1, c0, 0
    orr r1, r0, #2
    mcr p15, 0, r1, c1, c0, 0
    isb
    ldrh r4, [r2, #1]
    mcr p15, 0, r0, c1, c0, 0
    CHECK(r11, VA + 1)

    /* access flag */
    entry VA, DATA | SECTION(2, NORMAL | 2 << 5)
    flush
    mrc p15, 0, r0, c1, c0, 0
    orr r1, r0, #1 << 29
    mcr p15, 0, r1, c1, c0, 0
    isb
    ldr r4, [r2]
    mcr p15, 0, r0, c1, c0, 0
    CHECK(r10, 0x023)

    /* MMU off and on again: the same code goes on */
    mrc p15, 0, r0, c1, c0, 0
    bic r1, r0, #1
    mcr p15, 0, r1, c1, c0, 0
    isb
    ldr r1, =DATA
    ldr r4, [r1, #8]
    mcr p15, 0, r0, c1, c0, 0
    isb
    CHECK(r4, 0xcafe0001)
    b passed
    .ltorg
