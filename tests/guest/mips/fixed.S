/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A processor with fixed mapping (4Km): useg is 0x40000000 higher, or where it is with ERL set;
 * kseg2 and kseg3 are where they are; no TLB instructions. The image's own page is found through
 * useg only with ERL, as no RAM lies at 0x40000000.
 */
#include "bare.h"
    program
test:
    li t0, DATA
    li t1, 0x5555
    sw t1, 0(t0)
    li t0, KSEG0 + 0x20000000 + DATA_PHYSICAL /* KSEG1 */
    lw t2, 0(t0)
    CHECK(t2, 0x5555)
    li t0, STATUS_RUN | 4
    mtc0 t0, C0_STATUS
    ehb
    li t0, DATA_PHYSICAL
    lw t2, 0(t0)
    CHECK(t2, 0x5555)
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    ehb
    mfc0 t0, C0_CONFIG
    srl t0, t0, 7
    andi t0, t0, 7
    CHECK(t0, 3) /* Config.MT */
    RESUME(1f)
2:  .word 0x42000002 /* TLBWI */
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    /* an address error is one all the same */
    li t0, DATA + 2
    RESUME(1f)
2:  lw t2, 0(t0)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 4, 0, 2b)
    b passed
    nop
