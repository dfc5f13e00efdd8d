/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every kind of exception: vector, Cause, EPC, BadVAddr; user mode and its coprocessors; exception
 * within exception; interrupts from software, the timer and outside.
 */
#include "bare.h"
    program
/* Code below, copied to a page of user space. */
#define USER_SYSCALL 0x00400000
#define USER_CP0 0x00400004
#define USER_LOAD 0x00400008
#define USER_STORE 0x0040000c
#define USER_RDHWR 0x00400010

test:
    RESUME(1f)
2:  syscall
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 8, 0, 2b)
    mfc0 t0, C0_STATUS /* ERET has left the exception */
    andi t0, t0, 0x1f
    CHECK(t0, 0)
    RESUME(1f)
2:  break 5
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 9, 0, 2b)
    RESUME(1f)
2:  .word 0x7c00003f /* SPECIAL3, a function nobody has */
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    RESUME(1f)
2:  .word 0x48000000 /* MFC2 */
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 11, 0, 2b)
    address k0, record
    lw t0, 4(k0)
    srl t0, t0, 28
    andi t0, t0, 3
    CHECK(t0, 2) /* Cause.CE */
    RESUME(1f)
2:  mtc1 $0, $f0 /* Status.CU1 is clear */
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 11, 0, 2b)
    address k0, record
    lw t0, 4(k0)
    srl t0, t0, 28
    andi t0, t0, 3
    CHECK(t0, 1)

    /* arithmetic */
    li t0, 0x7fffffff
    RESUME(1f)
2:  add t1, t0, t0
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 12, 0, 2b)
    li t0, 0x80000000 - (1 << 32)
    li t1, 1
    RESUME(1f)
2:  sub t1, t0, t1
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 12, 0, 2b)
    CHECK(t1, 1)
    addu t1, t0, t0
    CHECK(t1, 0)
    li t0, -1
    li t1, 1
    add t1, t0, t1
    CHECK(t1, 0)

    /* traps: one that is taken, one that is not, of each */
    li t0, -2
    li t1, 3
    tge t0, t1
    tltu t0, t1
    teq t0, t1
    tne t0, t0
    tlt t1, t0
    tgeu t1, t0
    .macro trap insn, a, b
    RESUME(1f)
2:  \insn \a, \b
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 13, 0, 2b)
    .endm
    trap tge, t1, t0
    trap tgeu, t0, t1
    trap tlt, t0, t1
    trap tltu, t1, t0
    trap teq, t0, t0
    trap tne, t0, t1

    /* addresses that no access of the size may have */
    li t0, DATA + 1
    .macro unaligned insn, code
    RESUME(1f)
2:  \insn t2, 0(t0)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, \code, 0, 2b)
    CHECK_BADVADDR(DATA + 1)
    .endm
#if __mips_isa_rev < 6
    unaligned lh, 4
    unaligned lhu, 4
    unaligned lw, 4
    unaligned sh, 5
    unaligned sw, 5
#ifdef __mips64
    unaligned lwu, 4
    unaligned ld, 4
    unaligned sd, 5
#endif
#endif
    unaligned ll, 4
    unaligned sc, 5
    RESUME(1f)
    li t0, DATA + 2
    jr t0
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 4, 0, (DATA + 2))
    CHECK_BADVADDR(DATA + 2)

    /* within an exception: EPC and BD stay, a refill comes through the general vector */
    li t0, STATUS_RUN | 2
    mtc0 t0, C0_STATUS
    ehb
    li t0, 0x1234
    MTC0 t0, C0_EPC
    ehb
    RESUME(1f)
    li t0, 0x00400000
    lw t1, 0(t0)
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 2, 0, 0x1234)
    CHECK_BADVADDR(0x00400000)

    /* ERET goes to ErrorEPC while ERL is set */
    li t0, STATUS_RUN | 4
    mtc0 t0, C0_STATUS
    address t0, 1f
    MTC0 t0, C0_ERROREPC
    ehb
    eret
    FAIL
1:  mfc0 t0, C0_STATUS
    andi t0, t0, 0x1f
    CHECK(t0, 0)

    /* user mode: code at 0x00400000 */
    jal map_both
    nop
    jal copy_user
    nop
    RESUME(1f)
    li t0, USER_SYSCALL
    jal enter_user
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 8, 0, USER_SYSCALL)
    address k0, record
    lw t0, 32(k0)
    andi t0, t0, 0x1f
    CHECK(t0, 0x12) /* from user mode, EXL set */
    RESUME(1f)
    li t0, USER_CP0
    jal enter_user
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 11, 0, USER_CP0)
    address k0, record
    lw t0, 4(k0)
    srl t0, t0, 28
    andi t0, t0, 3
    CHECK(t0, 0)
    RESUME(1f)
    li t1, DATA
    li t0, USER_LOAD
    jal enter_user
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 4, 0, USER_LOAD)
    CHECK_BADVADDR(DATA)
    RESUME(1f)
    li t0, USER_STORE
    jal enter_user
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 5, 0, USER_STORE)

    /* interrupts: software, masked, pending, taken at the next chance */
    li t0, 0x100
    mtc0 t0, C0_CAUSE
    ehb
    mfc0 t0, C0_CAUSE
    andi t0, t0, 0xff00
    CHECK(t0, 0x100)
    RESUME(1f)
    li t0, STATUS_RUN | 0x201 /* another one enabled */
    mtc0 t0, C0_STATUS
    ehb
    nop
    li t0, STATUS_RUN | 0x101
    mtc0 t0, C0_STATUS
    ehb
2:  b 2b
    nop
1:  address k0, record
    lw t0, 0(k0)
    CHECK(t0, VECTOR_GENERAL)
    address k0, record
    lw t0, 4(k0)
    andi t0, t0, 0x7c
    CHECK(t0, 0)
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    ehb
    mtc0 $0, C0_CAUSE
    ehb

    /* from outside, through the vector of its own that Cause.IV asks for */
    li t0, 0x00800000
    mtc0 t0, C0_CAUSE
    ehb
    RESUME(1f)
    li t0, STATUS_RUN | 0x1001
    mtc0 t0, C0_STATUS
    ehb
    li t0, 0x10 /* IP4 */
    device 4, t0
2:  b 2b
    nop
1:  address k0, record
    lw t0, 0(k0)
    CHECK(t0, VECTOR_INTERRUPT)
    address k0, record
    lw t0, 4(k0)
    andi t0, t0, 0xfc7c
    CHECK(t0, 0x1000)
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    ehb
    device 4, $0
    mfc0 t0, C0_CAUSE
    andi t0, t0, 0xfc00
    CHECK(t0, 0)

    /* the timer: WAIT until Count reaches Compare */
    RESUME(1f)
    mfc0 t0, C0_COUNT
    addiu t0, t0, 2000
    mtc0 t0, C0_COMPARE
    li t1, STATUS_RUN | 0x8001
    mtc0 t1, C0_STATUS
    ehb
2:  wait
    b 2b
    nop
1:  mfc0 t1, C0_COUNT
    subu t1, t1, t0
    sltiu t1, t1, 10000
    CHECK(t1, 1)
    address k0, record
    lw t0, 4(k0)
    andi t0, t0, 0xfc7c
    CHECK(t0, 0x8000)
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    li t0, 0
    mtc0 t0, C0_COMPARE
    ehb
    mfc0 t0, C0_CAUSE
    andi t0, t0, 0x8000
    CHECK(t0, 0)

#if __mips_isa_rev >= 2
    /* EI, DI; RDHWR where HWREna does not let user mode; the refused one is reserved */
    ei t0
    ehb
    andi t0, t0, 1
    CHECK(t0, 0)
    di t0
    ehb
    andi t0, t0, 1
    CHECK(t0, 1)
    rdhwr t0, $1
    RESUME(1f)
    li t0, USER_RDHWR
    jal enter_user
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 10, 0, USER_RDHWR)
#endif
    b passed
    nop

enter_user:
    MTC0 t0, C0_EPC
    li t0, (STATUS_RUN & ~0x10000000) | 0x12 /* user, EXL */
    mtc0 t0, C0_STATUS
    ehb
    eret

    mapping_routines t0

copy_user:
    address t0, user_code
    address t1, user_end
    li t2, DATA
1:  lw t3, 0(t0)
    sw t3, 0(t2)
    addiu t0, t0, 4
    bne t0, t1, 1b
    addiu t2, t2, 4
    sync
    jr.hb ra
    nop

user_code:
    syscall
    mfc0 t0, C0_STATUS
    lw t0, 0(t1)
    sw t0, 0(t1)
#if __mips_isa_rev >= 2
    rdhwr t0, $2
#endif
    nop
user_end:
