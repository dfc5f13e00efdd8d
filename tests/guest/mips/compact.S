/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Release 6: compact branches have no delay slot; what follows a conditional one may not be a branch
 * if it was not taken.
 */
#include "bare.h"
    program

    .macro taken insn:vararg
    li t2, 0
    \insn, 1f
    li t2, 1
1:  CHECK(t2, 0)
    .endm
    .macro not_taken insn:vararg
    li t2, 0
    \insn, 1f
    li t2, 1
1:  CHECK(t2, 1)
    .endm

test:
    li t0, -3
    li t1, 5
    taken bltc t0, t1
    not_taken bltc t1, t0
    not_taken bltuc t0, t1
    taken bltuc t1, t0
    taken bgec t1, t0
    not_taken bgec t0, t1
    taken bgeuc t0, t1
    not_taken bgeuc t1, t0
    not_taken beqc t0, t1
    taken bnec t0, t1
    taken bltzc t0
    not_taken bltzc t1
    taken blezc t0
    not_taken blezc t1
    taken bgtzc t1
    not_taken bgtzc t0
    taken bgezc t1
    not_taken bgezc t0
    not_taken beqzc t0
    taken bnezc t0
    li t3, 0x7fffffff
    taken bovc t3, t3
    not_taken bovc t0, t1
    taken bnvc t0, t1
    not_taken bnvc t3, t3
    dli t3, 0x100000000 /* no sign-extended word */
    taken bovc t3, t1

    /* links are to what follows */
    balc 1f
2:  FAIL
1:  address t2, 2b
    CHECK_REG(ra, t2)
    bltzalc t0, 1f
2:  FAIL
1:  address t2, 2b
    CHECK_REG(ra, t2)
    move ra, $0
    bgtzalc t0, 1f
2:  nop /* a forbidden slot */
    b 3f
    nop
1:  FAIL
3:  address t2, 2b
    CHECK_REG(ra, t2)
    address t2, 1f
    jialc t2, 0
2:  FAIL
1:  address t2, 2b
    CHECK_REG(ra, t2)
    address t2, 1f - 8
    jic t2, 8
    FAIL
1:

    /* forbidden slots: a branch there is reserved, unless the compact branch is taken */
    RESUME(1f)
    beqzc t0, 9f
2:  b 9f
    nop
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    RESUME(1f)
    bltc t1, t0, 9f
2:  bc 9f
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    bnezc t0, 1f
    b 9f
    nop
1:  beqzc t0, 9f
    addiu t2, $0, 4
    CHECK(t2, 4)
    bc 1f /* without a condition it has none */
    b 9f
    nop
9:  FAIL
1:  b passed
    nop
