/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branches and their delay slots: that the slot runs once whether or not the branch is taken, what
 * links hold, what likely branches skip, and what an exception in a slot reports.
 */
#include "bare.h"
    program

    /* `branch reg, label` with t0 as operand: taken says whether it must go. */
    .macro try branch, value, taken, line
    li t0, \value
    li t1, 0
    li t2, 0
    \branch t0, 1f
    addiu t1, t1, 1 /* the slot */
    li t2, 1
1:  li k0, \line
    check_reg t1, t3, \line
    li t4, (1 - \taken)
    check_reg t2, t4, \line
    .endm
#define TRY(branch, value, taken) try branch, value, taken, __LINE__

test:
    li t3, 1 /* how often each slot runs */
    TRY(bltz, -1, 1)
    TRY(bltz, 0, 0)
    TRY(bltz, 1, 0)
    TRY(bgez, -1, 0)
    TRY(bgez, 0, 1)
    TRY(bgez, 1, 1)
    TRY(blez, -1, 1)
    TRY(blez, 0, 1)
    TRY(blez, 1, 0)
    TRY(bgtz, -1, 0)
    TRY(bgtz, 0, 0)
    TRY(bgtz, 1, 1)
    TRY(beqz, 0, 1)
    TRY(beqz, 5, 0)
    TRY(bnez, 0, 0)
    TRY(bnez, 5, 1)
#if __mips_isa_rev < 6
    TRY(bltzl, -1, 1)
    TRY(bgezl, 0, 1)
    TRY(blezl, 0, 1)
    TRY(bgtzl, 1, 1)
    TRY(beqzl, 0, 1)
    TRY(bnezl, 5, 1)
    li t3, 0 /* not taken, they skip it */
    TRY(bltzl, 0, 0)
    TRY(bgezl, -1, 0)
    TRY(blezl, 1, 0)
    TRY(bgtzl, 0, 0)
    TRY(beqzl, 5, 0)
    TRY(bnezl, 0, 0)
#endif

    /* the slot changes the operands after they were read */
    li t0, 1
    bnez t0, 1f
    li t0, 0
    FAIL
1:  beqz t0, 1f
    li t0, 7
    FAIL
1:  CHECK(t0, 7)
    address t0, 1f
    jr t0
    move t0, $0
    FAIL
1:  CHECK(t0, 0)

    /* links are set before the slot runs, to behind it */
    jal 1f
    move t0, ra
2:  b 3f
    nop
1:  address t1, 2b
    CHECK_REG(t0, t1)
    CHECK_REG(ra, t1)
    jr ra
    nop
3:  address t0, 1f
    jalr t2, t0
    move t1, t2
2:  FAIL
1:  address t0, 2b
    CHECK_REG(t1, t0)
#if __mips_isa_rev < 6
    /* ... whether or not the branch is taken */
    li t0, 1
    move ra, $0
    bltzal t0, 1f
    nop
2:  address t1, 2b
    CHECK_REG(ra, t1)
    bgezal t0, 1f
    nop
2:  FAIL
1:  address t1, 2b
    CHECK_REG(ra, t1)
    li t0, -1
    bgezall t0, 1f
    nop
2:  address t1, 2b
    CHECK_REG(ra, t1)
    b 2f
    nop
1:  FAIL
2:
#endif
    bal 1f
    nop
2:  FAIL
1:  address t1, 2b
    CHECK_REG(ra, t1)

    /* a slot with a decision of its own, after a conditional branch and a jump */
    li t0, 3
    li t1, 3
    beq t0, t1, 1f
    add t0, t0, t1 /* changes an operand, might overflow */
    FAIL
1:  CHECK(t0, 6)
    address t2, 1f
    jr t2
    tne t0, t0
    FAIL
1:  bne t0, t0, 1f
    teq t0, $0
    b 2f
    nop
1:  FAIL
2:

    /* a loop closed by a branch whose slot counts */
    li t0, 10
    li t1, 0
1:  addiu t0, t0, -1
    bnez t0, 1b
    addiu t1, t1, 3
    CHECK(t1, 30)

    /* exceptions in slots: EPC is the branch */
    RESUME(1f)
    li t0, 0
2:  beqz t0, 9f
    syscall
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 1, 2b)
    RESUME(1f)
2:  jal 9f
    break
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 9, 1, 2b)
    RESUME(1f)
    address t1, 9f
2:  jr t1
    teq $0, $0
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 13, 1, 2b)
    RESUME(1f)
    li t1, 0x7fffffff
2:  bnez t1, 9f
    add t1, t1, t1
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 12, 1, 2b)
    CHECK(t1, 0x7fffffff)
    RESUME(1f)
2:  bnez $0, 9f /* not taken: the slot is one all the same */
    syscall
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 1, 2b)
    RESUME(1f)
    li t1, DATA
2:  b 9f
    ll t2, 2(t1)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 4, 1, 2b)
    CHECK_BADVADDR(DATA + 2)
    /* a TLB refill there, then again with the page mapped */
    RESUME(1f)
    li t1, 0x00400000
    li t3, 0
2:  beqz $0, 3f
    lw t2, 0x234(t1)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 1, 2b)
    CHECK_BADVADDR(0x00400234)
    jal map_page
    nop
    li t4, 0x1234abcd
    li t5, DATA
    sw t4, 0x234(t5)
    b 2b
    nop
9:  FAIL
3:  CHECK_REG(t2, t4)
    /* the exception after the slot is not in one */
    RESUME(1f)
    b 2f
    nop
2:  syscall
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 0, 2b)
#if __mips_isa_rev < 6
    /* a slot that is skipped faults no more than it runs */
    li t0, 1
    beqzl t0, 9b
    syscall
    RESUME(1f)
2:  bnezl t0, 9b
    syscall
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 1, 2b)
#endif

    /* the branch ends a page, its slot begins the next, which is not mapped at first: code is
     * copied to DATA and runs at 0x00400000 */
    address t0, crossing
    li t1, DATA + 0xff8
    lw t2, 0(t0)
    sw t2, 0(t1)
    lw t2, 4(t0)
    sw t2, 4(t1)
    lw t2, 8(t0)
    sw t2, 8(t1)
    lw t2, 12(t0)
    sw t2, 12(t1)
    lw t2, 16(t0)
    sw t2, 16(t1)
    sync
    li t1, 0x00400ff8
    RESUME(1f)
    jalr ra, t1
    li t0, 5
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 2, 1, 0x00400ffc)
    CHECK_BADVADDR(0x00401000)
    CHECK(t0, 6)
    jal map_both
    nop
    address s6, 1f
    li t1, 0x00400ff8
    jalr ra, t1
    li t0, 5
    FAIL
1:  CHECK(t0, 16)
    b passed
    nop

crossing:
    addiu t0, t0, 1
    jr s6
    addiu t0, t0, 10
    nop
    nop

    mapping_routines t4
