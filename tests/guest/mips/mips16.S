/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MIPS16e: from and to the 32-bit instruction set, links and their ISA mode, what the PC is in a
 * delay slot, branches without one, and what exceptions report. On a processor without it (Config1.CA
 * is 0): that there is no way in.
 */
#include "bare.h"
    program

#define CONFIG1_CA 4
#define RESERVED16 .short 0xe815 /* RR, function 21 */
#define BREAK16 .short 0xe805
#define NOP16 .short 0x6500
#define LW_V0_8_PC .short 0xb202 /* lw v0, 8(pc): not as the assembler counts */

    /* Code of either kind between code of the other. */
    .macro code16
    .set mips16
    .set noreorder
    .set noautoextend
    .endm
    .macro code32
    .balign 4
    .set nomips16
    .set noreorder
    .endm
    /* The address with the ISA mode, whether or not the linker knows that it is of MIPS16e. */
    .macro address16 reg, label
    address \reg, \label
    ori \reg, \reg, 1
    .endm
    /* ... and without. */
    .macro place16 reg, label
    address16 \reg, \label
    xori \reg, \reg, 1
    .endm
    .macro call16 label
    address16 t0, \label
    jalr t0
    nop
    .endm
    /* As CAUGHT, in MIPS16e. */
    .macro caught16 code, bd, label, line
    address16 s6, \label
    caught_at VECTOR_GENERAL, \code, \bd, \line
    .endm
#define CAUGHT16(code, bd, label) caught16 code, bd, label, __LINE__
#define CHECK_ADDRESS16(reg, label) check_address16 reg, label, __LINE__
    .macro check_address16 reg, label, line
    address16 t9, \label
    check_reg \reg, t9, \line
    .endm

test:
    mfc0 t0, C0_CONFIG, 1
    andi t0, t0, CONFIG1_CA
    beqz t0, absent
    nop

    /* ---- there and back: JALX, JALR and JR ---- */
    move $2, $0
    jalx there
    li $3, 7 /* the slot */
1:  address t9, 1b
    check_reg ra, t9, __LINE__
    CHECK($2, 12)
    address16 t0, there
    jalr t1, t0
    move ra, t1 /* the slot */
1:  address t9, 1b
    check_reg t1, t9, __LINE__
    CHECK($2, 12)
    b 2f
    nop
    code16
    .balign 4
there: /* v0 = v1 + 5, and where it is */
    addiu $4, $pc, 0
    addiu $2, $3, 3
    jr $31
    addiu $2, 2 /* the slot */
    break 1
    code32
2:  CHECK($3, 7)
    place16 t9, there
    check_reg $4, t9, __LINE__
    CHECK($2, 12)
    b 2f
    nop

    /* slots after which code is looked up anew, and one with a decision of its own */
    li t1, STATUS_RUN
    li $2, 0
    jalx there
    mtc0 t1, C0_STATUS
    CHECK($2, 12)
    li $2, 0
    address16 t0, there
    jalr t0
    mtc0 t1, C0_STATUS
    CHECK($2, 12)
    li $2, 0
    jalr t0
    teq t0, $0
    CHECK($2, 12)
    li $2, 0
    jalx there
    teq t0, $0
    CHECK($2, 12)
    mtc0 t1, C0_STATUS
    ehb
    mfc0 t2, C0_STATUS
    CHECK_REG(t2, t1)
    b 2f
    nop

    /* ---- links in MIPS16e ---- */
    code16
    .balign 4
links:
    move $16, $31
    nop
links_jal:
    jal leaf
    li $2, 1
links_jal_after:
    jalx whole
    addiu $2, 1
links_jalx_after:
    move $5, $31
    move $31, $16
    jrc $31
    .balign 4
leaf:
    move $3, $31
    jrc $31
links_register: /* to the leaf in v1's place */
    move $16, $31
    jalr $31, $6
    li $2, 3
links_jalr_after:
    move $4, $3
    jalrc $31, $6
links_jalrc_after:
    move $31, $16
    jrc $31
    code32
whole: /* 32-bit: keeps its link */
    move $4, ra
    jr ra
    addiu $2, $2, 10
2:  call16 links
    CHECK($2, 12)
    CHECK_ADDRESS16($3, links_jal_after)
    CHECK_ADDRESS16($4, links_jalx_after)
    CHECK_ADDRESS16($5, links_jalx_after)
    address16 $6, leaf
    call16 links_register
    CHECK($2, 3)
    CHECK_ADDRESS16($4, links_jalr_after)
    CHECK_ADDRESS16($3, links_jalrc_after)
    /* the register jumps to 32-bit code, too */
    address $6, 1f
    address16 t0, links_register
    jr t0
    nop
1:  CHECK_ADDRESS16(ra, links_jalr_after)
    CHECK($2, 3)
    b 2f
    nop

    /* ---- what is relative to the PC, in a slot and elsewhere ---- */
    code16
    .balign 4
    NOP16
relative_jr: /* an odd halfword: the PC is that of the NOP before it */
    jr $31
    LW_V0_8_PC
    .short 0, 0x1111, 0x2222, 0x3333
    .balign 4
    NOP16
relative_jal:
    move $3, $31
    NOP16
1:  jal relative_leaf
    LW_V0_8_PC
    jr $3
    nop
    .short 0
    .balign 4
relative_leaf:
    jrc $31
    .balign 4
relative_plain:
    NOP16
    LW_V0_8_PC
    jrc $31
    NOP16
    .short 0x5555, 0x5555
    .balign 4
relative_extended:
    NOP16
    .short 0xf000, 0xb208 /* lw v0, 8(pc) */
    jrc $31
    .short 0x6666, 0x6666
    code32
    /* what is 8 bytes behind there */
#define CHECK_BEHIND(label, distance) check_behind label, distance, __LINE__
    .macro check_behind label, distance, line
    call16 \label
    place16 t1, \label
    lw t1, \distance(t1)
    check_reg $2, t1, \line
    .endm
2:  CHECK_BEHIND(relative_jr, 6)
    CHECK_BEHIND(relative_jal, 10)
    CHECK_BEHIND(relative_plain, 8)
    CHECK_BEHIND(relative_extended, 8)
    b 2f
    nop

    /* ---- branches have no slot ---- */
    code16
branches:
    li $2, 0
    li $3, 5
1:  addiu $2, 3
    addiu $3, -1
    bnez $3, 1b
    addiu $2, 100 /* once */
    beqz $3, 1f
    addiu $2, 1 /* not at all */
1:  cmpi $3, 0
    bteqz 1f
    addiu $2, 1
1:  slti $3, 1
    btnez 1f
    addiu $2, 1
1:  cmpi $3, 1
    bteqz 3f
    btnez 1f
3:  addiu $2, 1
1:  b 1f
    addiu $2, 1
1:  jrc $31
    addiu $2, 1
    code32
2:  call16 branches
    CHECK($2, 115)

    /* ---- SAVE and RESTORE ---- */
    b 2f
    nop
    code16
frames:
    save 32, $31, $16, $17
    li $16, 1
    li $17, 2
    move $31, $16
    move $2, $29
    restore 32, $31, $16, $17
    jrc $31
    code32
2:  li sp, (DATA + 0x100)
    li s0, 0x1234
    li s1, 0x5678
    call16 frames
1:  CHECK(s0, 0x1234)
    CHECK(s1, 0x5678)
    CHECK($2, (DATA + 0xe0))
    CHECK(sp, (DATA + 0x100))
    lw t1, -4(sp)
    address t9, 1b
    check_reg t1, t9, __LINE__
    lw t1, -8(sp)
    CHECK(t1, 0x5678)
    lw t1, -12(sp)
    CHECK(t1, 0x1234)
    /* where it may not store, the stack pointer stays */
    RESUME(1f)
    li sp, (DATA + 0x102)
    call16 frames
    FAIL
1:  CAUGHT16(5, 0, frames)
    CHECK_BADVADDR(DATA + 0xfe)
    CHECK(sp, (DATA + 0x102))

    /* ---- exceptions ---- */
    b 2f
    nop
    code16
    .balign 4
    NOP16
a_break:
    BREAK16
a_break_in_jr:
    jr $31
    BREAK16
a_break_in_jal:
    jal relative_leaf
    BREAK16
a_break_in_jalx:
    jalx whole
    BREAK16
a_reserved:
    RESERVED16
a_reserved_in_slot:
    jalr $31, $2
    RESERVED16
a_jump_in_slot: /* UNPREDICTABLE: reserved here */
    jr $31
    jr $31
    nop
an_extended_move:
    .short 0xf000, 0x6500
an_extended_register:
    .short 0xf000, 0xea6c /* and v0, v1 */
an_asmacro:
    .short 0xf123, 0xe345
a_restore:
    .short 0xf00f, 0x6441 /* aregs 15 */
a_load:
    .short 0xf000, 0x9b42 /* lw v0, 2(v1) */
a_load_in_slot:
    jr $31
    .short 0x9b40 /* lw v0, 0(v1) */
    code32
#define RAISES(label, code, bd) raises label, code, bd, __LINE__
    .macro raises label, code, bd, line
    RESUME(100f)
    call16 \label
    fail_here \line
100: caught16 \code, \bd, \label, \line
    .endm
2:  li sp, (KSEG0 + 0x30000)
    RAISES(a_break, 9, 0)
    RAISES(a_break_in_jr, 9, 1)
    RAISES(a_break_in_jal, 9, 1)
    RAISES(a_break_in_jalx, 9, 1)
    RAISES(a_reserved, 10, 0)
    RAISES(a_reserved_in_slot, 10, 1)
    RAISES(a_jump_in_slot, 10, 1)
    RAISES(an_extended_move, 10, 0)
    RAISES(an_extended_register, 10, 0)
    RAISES(an_asmacro, 10, 0)
    RAISES(a_restore, 10, 0)
    li $3, DATA
    RAISES(a_load, 4, 0)
    CHECK_BADVADDR(DATA + 2)
    li $3, (DATA + 1)
    RAISES(a_load_in_slot, 4, 1)
    CHECK_BADVADDR(DATA + 1)
    /* bit 0 of a jump's target is never in the address, bit 1 is */
    RESUME(1f)
    li t0, (DATA + 2)
    jr t0
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 4, 0, (DATA + 2))
    CHECK_BADVADDR(DATA + 2)

    /* ---- ERET goes on in MIPS16e ---- */
    b 2f
    nop
    code16
returned_to:
    li $2, 77
    jrc $31
    code32
2:  move $2, $0
    li t1, STATUS_RUN | 2
    mtc0 t1, C0_STATUS
    address16 t0, returned_to
    MTC0 t0, C0_EPC
    address ra, 1f
    ehb
    eret
1:  CHECK($2, 77)
    move $2, $0
    li t1, STATUS_RUN | 4
    mtc0 t1, C0_STATUS
    address16 t0, returned_to
    MTC0 t0, C0_ERROREPC
    address ra, 1f
    ehb
    eret
1:  CHECK($2, 77)

    /* ---- an interrupt, of the timer: the clock stands still until the device moves it ---- */
    b 2f
    nop
    code16
forever: /* lets time pass */
    sw $3, 8($2)
    b forever
    code32
2:  RESUME(1f)
    mfc0 t0, C0_COUNT
    addiu t0, t0, 2000
    mtc0 t0, C0_COMPARE
    li t1, STATUS_RUN | 0x8001
    mtc0 t1, C0_STATUS
    ehb
    li $2, DEVICE
    li $3, 1000
    address16 t1, forever
    jr t1
    nop
1:  address k0, record
    lw t0, 4(k0)
    andi t0, t0, 0xfc7c
    CHECK(t0, 0x8000)
    address k0, record
    lw t0, 8(k0) /* EPC */
    address16 t1, forever
    subu t0, t0, t1 /* at either of its two instructions */
    sltiu t0, t0, 3
    CHECK(t0, 1)
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    ehb

    /* ---- the next page is not mapped at first: a slot there, and the second half of an
     * instruction; code is copied to DATA and runs at 0x00400000 ---- */
    place16 t0, page_ends
    li t1, DATA + 0xff8
    lw t2, 0(t0)
    sw t2, 0(t1)
    lw t2, 4(t0)
    sw t2, 4(t1)
    lw t2, 8(t0)
    sw t2, 8(t1)
    sync
    b 2f
    nop
    code16
    .balign 4
page_ends:
    jr $31
    addiu $2, 1
    .short 0xf000 /* addiu v0, v1, 300: from 4 on */
    jr $31 /* at the end of the page: from 6 on */
    addiu $2, 44
    nop
    code32
2:  jal map_page
    nop
    move s5, $0
again:
    RESUME(1f)
    li $2, 1
    li t0, 0x00400fff /* the jump */
    jalr t0
    nop
2:  CHECK(s5, 1)
    CHECK($2, 45)
    b 2f
    nop
1:  CHECK(s5, 0)
    CAUGHT_VALUE(VECTOR_GENERAL, 2, 1, 0x00400fff)
    CHECK_BADVADDR(0x00401000)
    CHECK($2, 1)
    li s5, 1
    jal map_both
    nop
    b again
    nop
2:  /* the same halfword behind an EXTEND: the first page once more */
    jal map_page
    nop
    li t1, DATA + 0xffe
    li t2, 0xf120
    sh t2, 0(t1) /* EXTEND */
    li t2, 0x434c
    sh t2, 2(t1) /* addiu v0, v1, 300 */
    li t2, 0xe820
    sh t2, 4(t1) /* jr ra */
    li t2, 0x6500
    sh t2, 6(t1)
    sync
    move s5, $0
again_extended:
    RESUME(1f)
    li $3, 7
    li t0, 0x00400fff
    jalr t0
    nop
2:  CHECK(s5, 1)
    CHECK($2, 307)
    b passed
    nop
1:  CHECK(s5, 0)
    CAUGHT_VALUE(VECTOR_GENERAL, 2, 0, 0x00400fff)
    CHECK_BADVADDR(0x00401000)
    li s5, 1
    jal map_both
    nop
    b again_extended
    nop

    mapping_routines t4

absent:
    RESUME(1f)
2:  .word 0x74000000 /* JALX */
    nop
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 10, 0, 2b)
    RESUME(1f)
    li t0, (DATA + 1)
    jr t0
    nop
    FAIL
1:  CAUGHT_VALUE(VECTOR_GENERAL, 4, 0, (DATA + 1))
    CHECK_BADVADDR(DATA + 1)
    b passed
    nop
