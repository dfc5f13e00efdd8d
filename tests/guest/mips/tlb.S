/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TLB: refill, invalid and modified exceptions, address spaces, global pages, page sizes,
 * probing and reading, random replacement, and that what software replaced is gone.
 */
#include "bare.h"
    program

    /* Writes entry t0 (index): a pair at t1 with t2, t3 as EntryLo. */
    .macro write_indexed
    mtc0 t0, C0_INDEX
    MTC0 t1, C0_ENTRYHI
    MTC0 t2, C0_ENTRYLO0
    MTC0 t3, C0_ENTRYLO1
    ehb
    tlbwi
    ehb
    .endm
#define LO(physical, flags) (((physical) >> 6) | 0x18 | (flags))
#define D 4
#define V 2
#define G 1

test:
    mtc0 $0, C0_PAGEMASK
    mtc0 $0, C0_WIRED
    /* all entries to pairs that nobody uses: page 2n of the second half of kseg0 */
    li t0, 0
    li t1, KSEG0
    li t2, 0
    li t3, 0
    mfc0 t4, C0_CONFIG, 1
    srl t4, t4, 25
    andi t4, t4, 0x3f /* last entry */
1:  write_indexed
    addiu t1, t1, 0x2000
    bne t0, t4, 1b
    addiu t0, t0, 1

    /* words that tell the pages of DATA apart */
    li t0, DATA
    li t1, 0x100
    li t2, 8
1:  sw t1, 0x10(t0)
    addiu t0, t0, 0x1000
    addiu t2, t2, -1
    bnez t2, 1b
    addiu t1, t1, 1

    /* nothing matches */
    RESUME(1f)
    li t5, 0x00400010
2:  lw t6, 0(t5)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    CHECK_BADVADDR(0x00400010)
    check_recorded 24, 0x00400000, __LINE__
#if __mips_isa_rev < 6
    RESUME(1f)
2:  lwl t6, 2(t5) /* the word's second half, or first */
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    CHECK_BADVADDR(0x00400012)
    RESUME(1f)
2:  b 9f
    lwr t6, 1(t5)
9:  FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 1, 2b)
    CHECK_BADVADDR(0x00400011)
    RESUME(1f)
2:  swl t6, 3(t5)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 3, 0, 2b)
    CHECK_BADVADDR(0x00400013)
#endif
    RESUME(1f)
2:  sw t6, 0(t5)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 3, 0, 2b)
    MFC0 t0, C0_CONTEXT
    CHECK(t0, (0x00400000 >> 9))
    RESUME(1f)
    jr t5
    nop
    FAIL
1:  CAUGHT_VALUE(REFILL_VECTOR, 2, 0, 0x00400010)

    /* a pair of which one page is valid, clean */
    li t0, 1
    li t1, 0x00400000
    li t2, LO(DATA_PHYSICAL, V)
    li t3, LO(DATA_PHYSICAL + 0x1000, 0)
    write_indexed
    lw t6, 0(t5)
    CHECK(t6, 0x100)
    RESUME(1f)
2:  sw t6, 0(t5)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 1, 0, 2b)
    CHECK_BADVADDR(0x00400010)
    RESUME(1f)
2:  lw t6, 0x1000(t5)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 2, 0, 2b)
    RESUME(1f)
2:  sw t6, 0x1000(t5)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 3, 0, 2b)
    CHECK_BADVADDR(0x00401010)
    /* now dirty: the store goes through */
    li t2, LO(DATA_PHYSICAL, V | D)
    li t3, LO(DATA_PHYSICAL + 0x1000, V | D)
    write_indexed
    li t6, 0x777
    sw t6, 4(t5)
    li t7, DATA
    lw t7, 0x14(t7)
    CHECK(t7, 0x777)
    /* the same page seen elsewhere: one replaced by another */
    li t2, LO(DATA_PHYSICAL + 0x2000, V | D)
    write_indexed
    lw t6, 0(t5)
    CHECK(t6, 0x102)
    lw t6, 0x1000(t5)
    CHECK(t6, 0x101)

    /* address spaces: ASID 1 has nothing, ASID 0 still has its page */
    li t1, 0x00400001
    MTC0 t1, C0_ENTRYHI
    ehb
    RESUME(1f)
2:  lw t6, 0(t5)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    check_recorded 24, 0x00400001, __LINE__
    li t0, 2
    li t2, LO(DATA_PHYSICAL + 0x3000, V | D)
    li t3, LO(DATA_PHYSICAL + 0x4000, V | D)
    write_indexed
    lw t6, 0(t5)
    CHECK(t6, 0x103)
    MTC0 $0, C0_ENTRYHI
    ehb
    lw t6, 0(t5)
    CHECK(t6, 0x102)
    li t1, 1
    MTC0 t1, C0_ENTRYHI
    ehb
    lw t6, 0(t5)
    CHECK(t6, 0x103)
    /* the other's entry goes */
    li t0, 2
    li t1, KSEG0 + 0x4000
    li t2, 0
    li t3, 0
    write_indexed
    li t1, 1
    MTC0 t1, C0_ENTRYHI
    ehb
    RESUME(1f)
2:  lw t6, 0(t5)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    /* a global pair is everybody's; one G is not enough */
    li t0, 3
    li t1, 0x00600000
    li t2, LO(DATA_PHYSICAL + 0x5000, V | D | G)
    li t3, LO(DATA_PHYSICAL + 0x6000, V | D | G)
    write_indexed
    li t4, 0x00600010
    lw t6, 0(t4)
    CHECK(t6, 0x105)
    li t1, 7
    MTC0 t1, C0_ENTRYHI
    ehb
    lw t6, 0x1000(t4)
    CHECK(t6, 0x106)
    li t1, 0x00600000
    li t3, LO(DATA_PHYSICAL + 0x6000, V | D)
    write_indexed
    li t1, 7
    MTC0 t1, C0_ENTRYHI
    ehb
    RESUME(1f)
2:  lw t6, 0x1000(t4)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)

    /* probing: found, not found; reading back */
    li t1, 0x00400000
    MTC0 t1, C0_ENTRYHI
    ehb
    tlbp
    ehb
    mfc0 t0, C0_INDEX
    CHECK(t0, 1)
    li t1, 0x00800000
    MTC0 t1, C0_ENTRYHI
    ehb
    tlbp
    ehb
    mfc0 t0, C0_INDEX
    srl t0, t0, 31
    CHECK(t0, 1)
    li t0, 1
    mtc0 t0, C0_INDEX
    ehb
    tlbr
    ehb
    MFC0 t0, C0_ENTRYHI
    CHECK(t0, 0x00400000)
    MFC0 t0, C0_ENTRYLO0
    CHECK(t0, LO(DATA_PHYSICAL + 0x2000, V | D))
    MFC0 t0, C0_ENTRYLO1
    CHECK(t0, LO(DATA_PHYSICAL + 0x1000, V | D))

    /* larger pages: 16 KiB each; the first at DATA, the second outside */
    li t0, 0x6000
    mtc0 t0, C0_PAGEMASK
    li t0, 4
    li t1, 0x00a00000
    li t2, LO(DATA_PHYSICAL, V)
    li t3, LO(0, 0)
    write_indexed
    mtc0 $0, C0_PAGEMASK
    li t4, 0x00a00010
    lw t6, 0(t4)
    CHECK(t6, 0x100)
    lw t6, 0x3000(t4)
    CHECK(t6, 0x103)
    RESUME(1f)
2:  lw t6, 0x4000(t4)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 2, 0, 2b)
    RESUME(1f)
    li t7, 0x00a08000
2:  lw t6, 0(t7)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    /* a store to its third page */
    RESUME(1f)
2:  sw t6, 0x2000(t4)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 1, 0, 2b)
    /* all of it goes with its entry */
    li t1, KSEG0 + 0x8000
    li t2, 0
    li t3, 0
    write_indexed
    MTC0 $0, C0_ENTRYHI
    ehb
    RESUME(1f)
2:  lw t6, 0x3000(t4)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)

    /* random replacement: above the wired ones; many more pairs than entries, each used */
    li t0, 6
    mtc0 t0, C0_WIRED
    li t4, 0x01000000
    li t5, 300
1:  MTC0 t4, C0_ENTRYHI
    li t2, LO(DATA_PHYSICAL + 0x3000, V | D)
    MTC0 t2, C0_ENTRYLO0
    MTC0 t2, C0_ENTRYLO1
    ehb
    tlbwr
    ehb
    lw t6, 0x10(t4)
    CHECK(t6, 0x103)
    addiu t5, t5, -1
    bnez t5, 1b
    addiu t4, t4, 0x2000
    /* the wired one is still there */
    MTC0 $0, C0_ENTRYHI
    ehb
    li t5, 0x00400010
    lw t6, 0(t5)
    CHECK(t6, 0x102)
    /* whichever pairs a probe does not find must not translate any more */
    li t4, 0x01000000
    li t5, 300
3:  MTC0 t4, C0_ENTRYHI
    ehb
    tlbp
    ehb
    mfc0 t0, C0_INDEX
    bgez t0, 4f
    nop
    RESUME(1f)
2:  lw t6, 0x10(t4)
    FAIL
1:  CAUGHT(REFILL_VECTOR, 2, 0, 2b)
    b 5f
    nop
4:  lw t6, 0x10(t4)
    CHECK(t6, 0x103)
5:  addiu t5, t5, -1
    bnez t5, 3b
    addiu t4, t4, 0x2000

    /* a page that is entered again with other contents */
    li t4, 0x00c00000
    MTC0 t4, C0_ENTRYHI
    li t2, LO(DATA_PHYSICAL, V | D)
    MTC0 t2, C0_ENTRYLO0
    MTC0 t2, C0_ENTRYLO1
    ehb
    tlbwr
    ehb
    lw t6, 0x10(t4)
    CHECK(t6, 0x100)
    tlbp
    ehb
    li t2, LO(DATA_PHYSICAL + 0x1000, V | D)
    MTC0 t2, C0_ENTRYLO0
    ehb
    tlbwi
    ehb
    lw t6, 0x10(t4)
    CHECK(t6, 0x101)

    /* code in a mapped page, remapped to other code */
    li t0, DATA + 0x2100
    address t1, return_one
    lw t2, 0(t1)
    lw t3, 4(t1)
    sw t2, 0(t0)
    sw t3, 4(t0)
    lw t3, 8(t1)
    li t0, DATA + 0x3100
    sw t2, 0(t0)
    sw t3, 4(t0)
    sync
    li t0, 5
    li t1, 0x00e00000
    li t2, LO(DATA_PHYSICAL + 0x2000, V)
    li t3, LO(DATA_PHYSICAL + 0x3000, V)
    write_indexed
    li t4, 0x00e00100
    jalr ra, t4
    nop
    CHECK(t6, 1)
    li t4, 0x00e01100
    jalr ra, t4
    nop
    CHECK(t6, 2)
    li t2, LO(DATA_PHYSICAL + 0x3000, V)
    write_indexed
    li t4, 0x00e00100
    jalr ra, t4
    nop
    CHECK(t6, 2)

#ifdef __mips64
    /* XKPHYS: RAM, cached and not */
    dli t4, 0x9800000000000000 + DATA_PHYSICAL
    lw t6, 0x10(t4)
    CHECK(t6, 0x100)
    li t6, 0x4321
    sw t6, 0x20(t4)
    dli t4, 0x9000000000000000 + DATA_PHYSICAL
    lw t7, 0x20(t4)
    CHECK(t7, 0x4321)
    /* code at addresses that differ in bits 63:62 alone: return_one's at DATA + 0x2100 in XKPHYS,
     * the other in xkseg and in xuseg */
    li t0, 0
    dli t1, 0xc000000000000000 + DATA_PHYSICAL + 0x2000
    li t2, LO(DATA_PHYSICAL + 0x3000, V)
    li t3, LO(DATA_PHYSICAL + 0x2000, V)
    write_indexed
    li t0, 2
    li t1, DATA_PHYSICAL + 0x2000
    write_indexed
    li t5, 3
1:  dli t4, 0x9800000000000000 + DATA_PHYSICAL + 0x2100
    jalr ra, t4
    nop
    CHECK(t6, 1)
    dli t4, 0xc000000000000000 + DATA_PHYSICAL + 0x2100
    jalr ra, t4
    nop
    CHECK(t6, 2)
    li t4, DATA_PHYSICAL + 0x2100
    jalr ra, t4
    nop
    CHECK(t6, 2)
    dli t4, 0xc000000000000000 + DATA_PHYSICAL + 0x3100
    jalr ra, t4
    nop
    CHECK(t6, 1)
    addiu t5, t5, -1
    bnez t5, 1b
    nop
    /* xkseg's is mapped to the other code */
    li t0, 0
    dli t1, 0xc000000000000000 + DATA_PHYSICAL + 0x2000
    li t2, LO(DATA_PHYSICAL + 0x2000, V)
    write_indexed
    dli t4, 0xc000000000000000 + DATA_PHYSICAL + 0x2100
    jalr ra, t4
    nop
    CHECK(t6, 1)

    /* no address: beyond SEGBITS, beyond PABITS */
    RESUME(1f)
    dli t4, 0x3f00000000000000
2:  lw t6, 0(t4)
    FAIL
1:  CAUGHT(VECTOR_GENERAL, 4, 0, 2b)
    /* xuseg above 4 GB */
    li t0, 0
    dli t1, 0x0000001234500000
    li t2, LO(DATA_PHYSICAL + 0x4000, V | D)
    li t3, LO(DATA_PHYSICAL + 0x5000, V | D)
    write_indexed
    dli t4, 0x0000001234501010
    lw t6, 0(t4)
    CHECK(t6, 0x105)
    RESUME(1f)
    dli t4, 0x0000002234501010
2:  lw t6, 0(t4)
    FAIL
1:  CAUGHT(VECTOR_XTLB, 2, 0, 2b)
#endif
    b passed
    nop

return_one:
    jr ra
    li t6, 1
    li t6, 2
