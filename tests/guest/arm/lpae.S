/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long-descriptor translation: blocks and pages, status codes, ASIDs in TTBR0. */
#include "bare.h"
#define BLOCK (1 << 10 | 3 << 8 | 1)
#define NORMAL (1 << 2)         /* MAIR index 1 */
#define USER (1 << 6)
#define READ_ONLY (1 << 7)
    program
catch:
    mov r8, lr
    mrc p15, 0, r10, c5, c0, 0
    mrc p15, 0, r11, c6, c0, 0
    subs pc, lr, #4
catch_prefetch:
    mrc p15, 0, r10, c5, c0, 1
    mrc p15, 0, r11, c6, c0, 2
    mov lr, r6
    movs pc, lr
to_svc:
    mov pc, lr
    .ltorg
    .macro entry address, low, high=0
    ldr r12, =\address
    mov32 r10, \low
    mov32 r11, \high
    strd r10, r11, [r12]
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
    entry TABLES, BLOCK | NORMAL                        /* 0: 1 GB of nothing but the device */
    entry TABLES + 8, (TABLES + 0x1000) | 3             /* 0x40000000: second level */
    entry TABLES + 0x1000, RAM | BLOCK | NORMAL | USER
    entry TABLES + 0x1008, (RAM + 0x200000) | BLOCK | NORMAL
    entry TABLES + 0x1010, (TABLES + 0x2000) | 3        /* 0x40400000: third level */
    entry TABLES + 0x2000, DATA | BLOCK | NORMAL | 2
    entry TABLES + 0x2008, DATA | BLOCK | NORMAL | READ_ONLY | 2
    entry TABLES + 0x2010, DATA | NORMAL | 3            /* no access flag */
    entry TABLES + 0x2018, DATA | BLOCK | NORMAL | 2, 1 << 22   /* XN */
    mov32 r0, 0x0000ff00
    mcr p15, 0, r0, c10, c2, 0
    mov32 r0, 0x80000000
    mcr p15, 0, r0, c2, c0, 2
    ldr r0, =TABLES
    mov r1, #1 << 16            /* ASID 1 */
    mcrr p15, 0, r0, r1, c2
    mrc p15, 0, r0, c1, c0, 0
    orr r0, r0, #1
    mcr p15, 0, r0, c1, c0, 0
    isb
    ldr r1, =DATA
    mov32 r0, 0xfeed
    str r0, [r1, #4]
    ldr r2, =0x40400000
    ldr r3, [r2, #4]
    CHECK(r3, 0xfeed)
    add r2, r2, #0x1000
    ldr r3, [r2, #4]
    CHECK(r3, 0xfeed)
    str r3, [r2, #4]
    CHECK(r10, 0xa0f)           /* permission, level 3, write */
    CHECK(r11, 0x40401004)
    add r2, r2, #0x1000
    ldr r3, [r2]
    CHECK(r10, 0x20b)           /* access flag, level 3 */
    add r2, r2, #0x2000
    ldr r3, [r2]
    CHECK(r10, 0x207)           /* translation, level 3 */
    ldr r2, =0x50000000
    ldr r3, [r2]
    CHECK(r10, 0x206)           /* level 2 */
    ldr r2, =0x80000000
    ldr r3, [r2]
    CHECK(r10, 0x205)           /* level 1 */
    ldr r6, =1f
    ldr r0, =0x40403000
    bx r0
1:  CHECK(r10, 0x20f)
    CHECK(r11, 0x40403000)
    ldr r1, =DATA
    ldrt r3, [r1]
    CHECK(r10, 0x20e)
    ldrd r2, r3, [r1, #1]
    CHECK(r10, 0x221)
    /* another ASID sees a changed table, the old one does not until told */
    entry TABLES + 0x2000, (DATA + 0x1000) | BLOCK | NORMAL | 2, 0
    ldr r1, =DATA + 0x1000
    mov32 r0, 0xbeef
    str r0, [r1, #4]
    ldr r0, =TABLES
    mov r1, #2 << 16
    mcrr p15, 0, r0, r1, c2
    isb
    ldr r2, =0x40400000
    ldr r3, [r2, #4]
    CHECK(r3, 0xbeef)
    mov r1, #1
    mcr p15, 0, r1, c8, c7, 2
    mov r1, #1 << 16
    mcrr p15, 0, r0, r1, c2
    isb
    ldr r3, [r2, #4]
    CHECK(r3, 0xbeef)
    mrrc p15, 0, r0, r1, c2
    CHECK(r0, TABLES)
    CHECK(r1, 1 << 16)
    b passed
    .ltorg
