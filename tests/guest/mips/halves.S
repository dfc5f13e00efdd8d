/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doubles that are put together of two words, and taken apart: with Status.FR = 0 from a pair of
 * registers, with FR = 1 by MTHC1; and that whatever changes a half between is seen.
 */
#include "bare.h"
    program
#ifdef __mips64
#define FR (1 << 26)
#define SET_HIGH(reg, n) mthc1 reg, $f##n
#define GET_HIGH(reg, n) mfhc1 reg, $f##n
#else
#define FR 0
    .set oddspreg
    .set fp=32
#define HIGH_2 $f3
#define HIGH_4 $f5
#define HIGH_6 $f7
#define SET_HIGH(reg, n) mtc1 reg, HIGH_##n
#define GET_HIGH(reg, n) mfc1 reg, HIGH_##n
#endif

    /* $f4 = $f2 + $f2 is the double with these words */
    .macro sum_is high, low, line
    add.d $f4, $f2, $f2
    mfc1 t4, $f4
    GET_HIGH(t5, 4)
    check t4, \low, \line
    check t5, \high, \line
    .endm
#define SUM_IS(high, low) sum_is high, low, __LINE__

test:
    mfc0 t0, $12
    li t1, 0x20000000 | FR /* CU1 */
    or t0, t0, t1
    mtc0 t0, $12
    nop
    nop
    nop
    ehb
    li t0, 0x3ff00000 /* 1 */
    li t1, 0x40080000 /* 3 */
    li t2, 5

    mtc1 t2, $f2 /* either half first */
    SET_HIGH(t0, 2)
    SUM_IS(0x40000000, 5)
    SET_HIGH(t1, 2)
    mtc1 $0, $f2
    SUM_IS(0x40180000, 0)

    mtc1 t2, $f2 /* a half twice */
    SET_HIGH(t0, 2)
    SET_HIGH(t1, 2)
    SUM_IS(0x40180000, 5)
    mtc1 $0, $f2
    mtc1 t2, $f2
    SUM_IS(0x40180000, 5)

    mtc1 $0, $f6 /* another writes the lower one, as a single */
    mtc1 t2, $f2
    SET_HIGH(t0, 2)
    mov.s $f2, $f6
    SET_HIGH(t0, 2)
    SUM_IS(0x40000000, 0)

    mtc1 $0, $f6 /* and both */
    SET_HIGH(t1, 6)
    mtc1 t2, $f2
    SET_HIGH(t0, 2)
    mov.d $f2, $f6
    SUM_IS(0x40180000, 0)
    SET_HIGH(t0, 2)
    SUM_IS(0x40000000, 0)

    li t3, 2 /* over turns of a loop, one half in a delay slot */
    mtc1 $0, $f2
    SET_HIGH(t0, 2)
1:  addiu t3, t3, -1
    bnez t3, 1b
    mtc1 t2, $f2
    SUM_IS(0x40000000, 5)

    mtc1 $0, $f2 /* its halves as singles, after it was read as one */
    SET_HIGH(t0, 2)
    SUM_IS(0x40000000, 0)
    mfc1 t4, $f2
    GET_HIGH(t5, 2)
    CHECK(t4, 0)
    CHECK(t5, 0x3ff00000)
    b passed
    nop
