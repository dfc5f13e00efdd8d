/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the bare-metal MIPS test programs share: where things are, exception vectors that record what
 * happened, and checks that end the program with the line that failed. RAM begins at physical 0 and
 * so does the image, seen through KSEG0 with EBase at its start. The test device is at DEVICE:
 *   write +0  ends the program, 0 for success, else the line that failed
 *   write +4  drives the CPU's external interrupt lines, bit n: IP n
 *   write +8  lets that many nanoseconds pass
 *
 * An exception leaves vector, Cause, EPC, BadVAddr, EntryHi and Status in `record` and goes on at
 * the address in s7, in kernel mode and with interrupts off; with s7 = 0 none is expected. k0 and k1
 * are the macros' and the handlers', CAUGHT uses t8, t9 and s6.
 */
#define DEVICE 0xb0000000 /* physical 0x10000000, uncached */
#ifdef __mips64
#define KSEG0 0xffffffff80000000
#else
#define KSEG0 0x80000000
#endif
#define DATA (KSEG0 + 0x40000)
#define DATA_PHYSICAL 0x00040000

#define t0 $8
#define t1 $9
#define t2 $10
#define t3 $11
#define t4 $12
#define t5 $13
#define t6 $14
#define t7 $15
#define s0 $16
#define s1 $17
#define s2 $18
#define s3 $19
#define s4 $20
#define s5 $21
#define s6 $22
#define s7 $23
#define t8 $24
#define t9 $25
#define k0 $26
#define k1 $27
#define sp $29
#define ra $31

#define CHECK(reg, value) check reg, (value), __LINE__
#define CHECK_REG(reg, other) check_reg reg, other, __LINE__
/* What the last exception must have been: EPC at label, Cause.BD and ExcCode. */
#define CAUGHT(vector, code, bd, label) caught vector, code, bd, label, __LINE__
#define CAUGHT_VALUE(vector, code, bd, epc) caught_value vector, code, bd, epc, __LINE__
#define CHECK_BADVADDR(value) check_recorded 16, (value), __LINE__
#define RESUME(label) address s7, label
#define FAIL fail_here __LINE__

#define VECTOR_REFILL 1
#define VECTOR_XTLB 2
#define VECTOR_GENERAL 3
#define VECTOR_INTERRUPT 4
#ifdef __mips64 /* KX, SX and UX are set */
#define REFILL_VECTOR VECTOR_XTLB
#else
#define REFILL_VECTOR VECTOR_REFILL
#endif

#define C0_INDEX $0
#define C0_ENTRYLO0 $2
#define C0_ENTRYLO1 $3
#define C0_CONTEXT $4
#define C0_PAGEMASK $5
#define C0_WIRED $6
#define C0_BADVADDR $8
#define C0_COUNT $9
#define C0_ENTRYHI $10
#define C0_COMPARE $11
#define C0_STATUS $12
#define C0_CAUSE $13
#define C0_EPC $14
#define C0_CONFIG $16
#define C0_ERROREPC $30

#ifdef __mips64
#define MFC0 dmfc0
#define MTC0 dmtc0
#define LREG ld
#define SREG sd
#define STATUS_64 0xe0 /* KX, SX, UX */
#else
#define MFC0 mfc0
#define MTC0 mtc0
#define LREG lw
#define SREG sw
#define STATUS_64 0
#endif
#define STATUS_RUN (0x10000000 | STATUS_64) /* CU0, kernel mode, interrupts off */

    .set noreorder
    .set noat

    .macro address reg, label
    lui \reg, %hi(\label)
    addiu \reg, \reg, %lo(\label)
    .endm

    .macro check reg, value, line
    li k1, \value
    li k0, \line
    bne \reg, k1, fail
    nop
    .endm

    .macro check_reg reg, other, line
    li k0, \line
    bne \reg, \other, fail
    nop
    .endm

    .macro fail_here line
    b fail
    li k0, \line
    .endm

    /* What programs call to have 0x00400000 mapped to DATA, and by map_both 0x00401000, too, to the
     * page behind it. They use the register given. */
    .macro mapping_routines reg
map_page:
    li \reg, 0x18 /* not valid */
    b map_first
    MTC0 \reg, C0_ENTRYLO1
map_both:
    li \reg, ((DATA_PHYSICAL + 0x1000) >> 6) | 0x1e /* cached, dirty, valid */
    MTC0 \reg, C0_ENTRYLO1
map_first:
    li \reg, 0x00400000
    MTC0 \reg, C0_ENTRYHI
    li \reg, (DATA_PHYSICAL >> 6) | 0x1e
    MTC0 \reg, C0_ENTRYLO0
    mtc0 $0, C0_PAGEMASK
    mtc0 $0, C0_INDEX
    ehb
    tlbwi
    jr.hb ra
    nop
    .endm

    .macro check_recorded offset, value, line
    address k0, record
    LREG t8, \offset(k0)
    check t8, \value, \line
    .endm

    .macro caught vector, code, bd, label, line
    address s6, \label
    caught_at \vector, \code, \bd, \line
    .endm

    .macro caught_value vector, code, bd, epc, line
    li s6, \epc
    caught_at \vector, \code, \bd, \line
    .endm

    /* s6: the EPC */
    .macro caught_at vector, code, bd, line
    address k0, record
    lw t8, 0(k0)
    check t8, \vector, \line
    address k0, record
    lw t8, 4(k0)
    andi t9, t8, 0x7c
    check t9, (\code << 2), \line
    srl t9, t8, 31
    check t9, \bd, \line
    address k0, record
    LREG t8, 8(k0)
    check_reg t8, s6, \line
    address k0, record
    sw $0, 0(k0)
    move s7, $0
    .endm

    .macro device offset, reg
    lui k1, %hi(DEVICE)
    sw \reg, \offset(k1)
    .endm

    /* The vectors, then the test at `test`, in kernel mode with BEV, ERL and EXL clear. */
    .macro program
    .text
    .globl __start
__vectors:
    b common
    li k0, VECTOR_REFILL
    .org 0x80
    b common
    li k0, VECTOR_XTLB
    .org 0x180
    b common
    li k0, VECTOR_GENERAL
    .org 0x200
    b common
    li k0, VECTOR_INTERRUPT
    .org 0x280
common:
    address k1, record
    sw k0, 0(k1)
    mfc0 k0, C0_CAUSE
    sw k0, 4(k1)
    MFC0 k0, C0_EPC
    SREG k0, 8(k1)
    MFC0 k0, C0_BADVADDR
    SREG k0, 16(k1)
    MFC0 k0, C0_ENTRYHI
    SREG k0, 24(k1)
    mfc0 k0, C0_STATUS
    sw k0, 32(k1)
    srl k0, k0, 5 /* goes on in kernel mode, without interrupts */
    sll k0, k0, 5
    ori k0, k0, 2
    mtc0 k0, C0_STATUS
    beq s7, $0, unexpected
    nop
    li k0, STATUS_RUN | 2 /* back in kernel mode, interrupts off */
    mtc0 k0, C0_STATUS
    MTC0 s7, C0_EPC
    ehb
    eret
unexpected: /* ExcCode says what it was */
    mfc0 k0, C0_CAUSE
    andi k0, k0, 0x7c
    ori k0, k0, 0x8000
fail:
    device 0, k0
1:  b 1b
    nop
    .org 0x400
__start:
    li t0, STATUS_RUN
    mtc0 t0, C0_STATUS
    ehb
    move s7, $0
    li sp, (KSEG0 + 0x30000)
    b test
    nop
passed:
    b fail
    move k0, $0
    .balign 8
record:
    .fill 48
    .endm
