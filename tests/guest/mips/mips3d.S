/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MIPS-3D: reductions, the sequences that the manual gives for full precision, what the first step
 * makes of 0, comparisons of absolute values, and branches on any of several conditions. On an FPU
 * without it (FIR.3D is 0): that its instructions are reserved.
 */
#include "bare.h"
    program
    .set mips64
    .set mips3d
    .set hardfloat
    .set fp=64
    .set gp=64

#define STATUS_FPU (STATUS_RUN | 0x24000000) /* CU1, FR */
#define FIR_3D_BIT 19

    /* An FPR from two words, and a check of one. */
    .macro pair reg, upper, lower
    li k0, \upper
    dsll32 k0, k0, 0
    li t8, \lower
    dsll32 t8, t8, 0
    dsrl32 t8, t8, 0
    or k0, k0, t8
    dmtc1 k0, \reg
    .endm
    .macro check_pair reg, upper, lower, line
    mfc1 t8, \reg
    check t8, \lower, \line
    dmfc1 t8, \reg
    dsra32 t8, t8, 0
    check t8, \upper, \line
    .endm
#define CHECK_PAIR(reg, upper, lower) check_pair reg, upper, lower, __LINE__
#define ONE 0x3f800000
#define TWO 0x40000000
#define THREE 0x40400000
#define FOUR 0x40800000
#define LARGEST 0x7f7fffff
#define WORD(x) (x) - (((x) >> 31) << 32) /* as a register has it */

    /* Is the branch, on condition codes as bits say, taken? */
    .macro any branch, cc, codes, taken, line
    li k0, \codes
    ctc1 k0, $25 /* FCCR */
    li t1, 0
    \branch $fcc\cc, 1f
    addiu t1, t1, 1 /* the slot */
    addiu t1, t1, 2
1:  check t1, (3 - 2 * \taken), \line
    .endm
#define ANY(branch, cc, codes, taken) any branch, cc, codes, taken, __LINE__

test:
    li t0, STATUS_FPU
    mtc0 t0, C0_STATUS
    ehb
    cfc1 t0, $0
    srl t0, t0, FIR_3D_BIT
    andi t0, t0, 1
    beqz t0, absent
    nop
    ctc1 $0, $31

    /* reductions */
    pair $f2, ONE, TWO
    pair $f4, THREE, FOUR
    addr.ps $f6, $f2, $f4
    CHECK_PAIR($f6, THREE, 0x40e00000) /* 7 */
    mulr.ps $f6, $f2, $f4
    CHECK_PAIR($f6, TWO, 0x41400000) /* 12 */

    /* pairs of words */
    pair $f2, 3, -4
    cvt.ps.pw $f6, $f2
    CHECK_PAIR($f6, THREE, WORD(0xc0800000))
    cvt.pw.ps $f6, $f6
    CHECK_PAIR($f6, 3, -4)

    /* 1/3 in steps, and 1/sqrt(4) */
    pair $f2, THREE, FOUR
    recip1.ps $f4, $f2
    recip2.ps $f6, $f4, $f2
    madd.ps $f8, $f4, $f4, $f6
    CHECK_PAIR($f8, 0x3eaaaaab, 0x3e800000)
    rsqrt1.ps $f4, $f2
    mul.ps $f6, $f4, $f2
    rsqrt2.ps $f6, $f6, $f4
    madd.ps $f8, $f4, $f4, $f6
    mfc1 t8, $f8
    CHECK(t8, 0x3f000000)
    /* of 0 the largest number, and the exception all the same */
    ctc1 $0, $31
    pair $f2, WORD(0x80000000), 0
    recip1.ps $f4, $f2
    CHECK_PAIR($f4, WORD(0xff7fffff), LARGEST)
    cfc1 t8, $31
    andi t8, t8, 0x7c
    CHECK(t8, 0x20) /* Flags.Z */
    rsqrt1.s $f4, $f2
    mfc1 t8, $f4
    CHECK(t8, LARGEST)
    ctc1 $0, $31

    /* |-3| < |4| but not -3 < -4; each half its condition */
    pair $f2, WORD(0xc0400000), WORD(0xc0400000)
    pair $f4, WORD(0xc0800000), TWO
    cabs.lt.ps $fcc2, $f2, $f4
    cfc1 t8, $25
    CHECK(t8, 8)
    c.lt.ps $fcc2, $f2, $f4
    cfc1 t8, $25
    CHECK(t8, 4)
    cabs.eq.s $fcc1, $f2, $f2
    cfc1 t8, $25
    CHECK(t8, 6)

    /* any of two, any of four */
    ANY(bc1any2t, 2, 0xf3, 0)
    ANY(bc1any2t, 2, 0x04, 1)
    ANY(bc1any2t, 2, 0x08, 1)
    ANY(bc1any2f, 2, 0x0c, 0)
    ANY(bc1any2f, 2, 0xfb, 1)
    ANY(bc1any2f, 2, 0xf7, 1)
    ANY(bc1any4t, 4, 0x0f, 0)
    ANY(bc1any4t, 4, 0x80, 1)
    ANY(bc1any4t, 4, 0x10, 1)
    ANY(bc1any4f, 4, 0xf0, 0)
    ANY(bc1any4f, 4, 0x7f, 1)
    ANY(bc1any4f, 4, 0xef, 1)

    /* an exception that is enabled leaves the destination alone */
    pair $f2, 0, ONE
    pair $f6, 5, 6
    li t0, 0x400 /* Enables.Z */
    ctc1 t0, $31
    RESUME(1f)
2:  recip1.ps $f6, $f2
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 15, 0, 2b)
    li t0, STATUS_FPU
    mtc0 t0, C0_STATUS
    ehb
    ctc1 $0, $31
    CHECK_PAIR($f6, 5, 6)
    /* and of a branch's slot the branch is told */
    RESUME(1f)
    li t0, 1
    ctc1 t0, $25
2:  bc1any2t $fcc0, 9f
    syscall
9:  FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 1, 2b)
    /* pairs need registers of 64 bits */
    li t0, STATUS_RUN | 0x20000000
    mtc0 t0, C0_STATUS
    ehb
    RESUME(1f)
2:  addr.ps $f6, $f2, $f4
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    b passed
    nop

    .macro reserved insn, operands:vararg
    RESUME(1f)
2:  \insn \operands
    nop
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    li t0, STATUS_FPU
    mtc0 t0, C0_STATUS
    ehb
    .endm
absent:
    reserved addr.ps, $f6, $f2, $f4
    reserved recip1.s, $f6, $f2
    reserved recip2.d, $f6, $f2, $f4
    reserved cabs.eq.s, $fcc0, $f2, $f4
    reserved bc1any2t, $fcc0, passed
    reserved bc1any4f, $fcc0, passed
    b passed
    nop
