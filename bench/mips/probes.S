/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The assembly probes of both widths and byte orders. Every probe is a function
 *   uint32_t probe_NAME(uint32_t turns)
 * whose loop body, from 1: to turn, does the operations its comment counts; rows.def repeats the
 * number. What it leaves in registers and memory is its checksum. $24 is the machine's.
 */
    .set noreorder
    .set noat
    .text

    .macro probe name
    .balign 64
    .globl probe_\name
probe_\name:
    move $2, $0
    li $8, 1
    li $9, 3
    li $10, 5
    li $11, 7
    .endm

    .macro turn
    addiu $4, $4, -1
    bnez $4, 1b
    nop
    .endm

/* Adds registers to the checksum in $2. */
    .macro sum registers:vararg
    .irp register, \registers
    rotr $2, $2, 27
    xor $2, $2, \register
    .endr
    .endm

    .macro done
    jr $31
    sll $2, $2, 0
    .endm

    .macro buffer register
    lui \register, %hi(probe_buffer)
    addiu \register, \register, %lo(probe_buffer)
    .endm

/* ---- integer ----------------------------------------------------------------------------------- */

probe hilo                      /* 8 dependent products through LO */
    li $9, 0x10003
1:
    .rept 8
    mult $8, $9
    mflo $8
    .endr
    turn
    mfhi $9
    sum $8, $9
    done

probe multiply_add              /* 8 dependent products summed in HI and LO */
    mthi $0
    mtlo $0
1:
    .rept 4
    madd $9, $10
    maddu $11, $9
    .endr
    turn
    mflo $8
    mfhi $9
    sum $8, $9
    done

probe conditional_move          /* 8 in 4 chains */
1:
    .rept 2
    movz $8, $9, $2
    movn $9, $10, $8
    movz $10, $11, $2
    movn $11, $8, $9
    .endr
    turn
    sum $8, $9, $10, $11
    done

probe insert_extract            /* 8 in 4 chains */
    li $8, 0x12345678
1:
    ext $9, $8, 5, 13
    ins $10, $8, 3, 17
    seb $11, $8
    seh $12, $8
    wsbh $13, $8
    rotr $8, $8, 7
    clz $14, $9
    clo $15, $8
    turn
    sum $8, $9, $10, $11, $12, $13, $14, $15
    done

/* ---- control ----------------------------------------------------------------------------------- */

probe branch_likely             /* 8: every other one is taken */
1:
    .rept 4
    bnel $8, $0, 2f
    addiu $9, $9, 1
2:  beql $8, $0, 3f
    addiu $10, $10, 1
3:
    .endr
    turn
    sum $9, $10
    done

/* ---- memory ------------------------------------------------------------------------------------ */

#ifdef __MIPSEB__
#define LEFT(offset) offset
#define RIGHT(offset) offset + 3
#else
#define LEFT(offset) offset + 3
#define RIGHT(offset) offset
#endif

probe load_left_right           /* 8 unaligned words of two instructions each */
    buffer $5
    li $8, 0x11223344
    li $9, 0x11223344
    li $10, 64
4:  sw $8, 0($5)
    addiu $10, $10, -4
    bnez $10, 4b
    addiu $5, $5, 4
    buffer $5
1:
    .irp offset, 1, 6, 11, 13, 18, 23, 25, 30
    lwl $12, LEFT(\offset)($5)
    lwr $12, RIGHT(\offset)($5)
    xor $9, $9, $12
    .endr
    turn
    sum $9
    done

probe store_left_right          /* 8 unaligned words of two instructions each */
    buffer $5
1:
    .irp offset, 1, 6, 11, 15, 21, 26, 31, 35
    swl $4, LEFT(\offset)($5)
    swr $4, RIGHT(\offset)($5)
    .endr
    turn
    lwl $8, LEFT(35)($5)
    lwr $8, RIGHT(35)($5)
    sum $8
    done

probe linked                    /* 4 atomic additions */
    buffer $5
    sw $0, 0($5)
1:
    .rept 4
    ll $8, 0($5)
    addiu $8, $8, 3
    sc $8, 0($5)
    addu $9, $9, $8
    .endr
    turn
    lw $8, 0($5)
    sum $8, $9
    done

/* ---- floating point ---------------------------------------------------------------------------- */

    .macro load_doubles
    li $8, 3
    mtc1 $8, $f0
    cvt.d.w $f2, $f0
    li $8, 7
    mtc1 $8, $f0
    cvt.d.w $f4, $f0
    li $8, 2
    mtc1 $8, $f0
    cvt.d.w $f6, $f0
    div.d $f4, $f2, $f4
    .endm

    .macro sum_double register
    mfc1 $8, \register
    mfhc1 $9, \register
    sum $8, $9
    .endm

probe multiply_add_f64          /* 8 in 2 chains: product and sum are rounded each */
    load_doubles
    mov.d $f8, $f2
    mov.d $f10, $f6
1:
    .rept 2
    madd.d $f8, $f2, $f8, $f4
    nmsub.d $f10, $f6, $f10, $f4
    msub.d $f8, $f2, $f8, $f4
    nmadd.d $f10, $f6, $f10, $f4
    .endr
    turn
    sum_double $f8
    sum_double $f10
    done

probe compare_move_f64          /* 4 comparisons, each with a move that depends on it */
    load_doubles
    mov.d $f8, $f2
1:
    c.lt.d $fcc0, $f4, $f8
    movt.d $f10, $f2, $fcc0
    c.eq.d $fcc1, $f6, $f10
    movf.d $f8, $f4, $fcc1
    c.le.d $fcc2, $f8, $f4
    movt.d $f8, $f6, $fcc2
    c.un.d $fcc3, $f8, $f6
    movf.d $f10, $f4, $fcc3
    turn
    sum_double $f8
    sum_double $f10
    done

/* ---- system ------------------------------------------------------------------------------------ */

probe hardware_register         /* 4 readings of the processor's number */
1:
    .rept 4
    rdhwr $8, $0
    .endr
    turn
    sum $8
    done

probe tlb_probe                 /* 2 searches of the TLB for what is not there */
    li $5, 0x7ff00000
    mtc0 $5, $10
    ehb
1:
    .rept 2
    tlbp
    ehb
    mfc0 $8, $0
    .endr
    turn
    srl $8, $8, 31
    sum $8
    done

    .bss
    .balign 64
probe_buffer:
    .space 128
