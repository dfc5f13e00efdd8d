/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry and exception vectors, which EBase points to. What rows provoke is counted in $24. */
#define k0 $26
#define k1 $27
#define C0_ENTRYLO0 $2
#define C0_ENTRYLO1 $3
#define C0_CONTEXT $4
#define C0_COUNT $9
#define C0_COMPARE $11
#define C0_STATUS $12
#define C0_CAUSE $13
#define C0_EPC $14
#define C0_EBASE $15, 1
#ifdef __mips64
#define MFC0 dmfc0
#define STATUS 0x34000100 /* CU1, CU0, FR, IM0 */
#else
#define MFC0 mfc0
#define STATUS 0x30000100 /* CU1, CU0, IM0 */
#endif
    .set noreorder
    .set noat

    .macro address register, label
    lui \register, %hi(\label)
    addiu \register, \register, %lo(\label)
    .endm

    .section .text.start, "ax"
    .globl _start
vectors: /* TLB refill: the pair of entries that Context points to, valid or not */
    MFC0 k0, C0_CONTEXT
    lw k1, 0(k0)
    lw k0, 4(k0)
    mtc0 k1, C0_ENTRYLO0
    mtc0 k0, C0_ENTRYLO1
    ehb
    tlbwr
    eret

    .org 0x180
    mfc0 k0, C0_CAUSE
    andi k0, k0, 0x7c
    lui k1, %hi(handlers)
    addu k1, k1, k0
    lw k1, %lo(handlers)(k1)
    jr k1
    nop

    .org 0x400
_start:
    li $8, STATUS | 0x400000 /* BEV, while EBase is set */
    mtc0 $8, C0_STATUS
    ehb
    address $8, vectors
    mtc0 $8, C0_EBASE
    mtc0 $0, C0_CAUSE
    li $8, STATUS
    mtc0 $8, C0_STATUS
    ehb
    ctc1 $0, $31
    address $29, __stack_top - 64
    address $8, __bss_start
    address $9, __bss_end
1:  sw $0, 0($8)
    addiu $8, $8, 4
    bne $8, $9, 1b
    nop
    jal bench_main
    nop
power_off: /* the board has none: software reset, after which -no-reboot ends */
    lui $8, 0xbf00
    li $9, 0x42
    sw $9, 0x500($8)
1:  b 1b
    nop

handle_invalid_load: /* the row's load is skipped */
    mfc0 k0, $8 /* BadVAddr */
    lui k1, 0x3000
    bne k0, k1, handle_unexpected
    nop
handle_skip:
    mfc0 k0, C0_EPC
    addiu k0, k0, 4
    mtc0 k0, C0_EPC
    addiu $24, $24, 1
    ehb
    eret

handle_interrupt: /* IP0, sent by software, else the timer */
    mfc0 k0, C0_CAUSE
    andi k1, k0, 0x100
    beqz k1, 1f
    xor k0, k0, k1
    mtc0 k0, C0_CAUSE
    b 2f
    nop
1:  mfc0 k0, C0_COUNT
    addiu k0, k0, -1
    mtc0 k0, C0_COMPARE
    address k0, sleep_end /* also if WAIT was not reached yet */
    mtc0 k0, C0_EPC
2:  lui k1, %hi(machine_interrupts)
    lw k0, %lo(machine_interrupts)(k1)
    addiu k0, k0, 1
    sw k0, %lo(machine_interrupts)(k1)
    ehb
    eret

handle_unexpected:
    mfc0 $4, C0_CAUSE
    mfc0 $5, C0_EPC
    li k0, STATUS
    mtc0 k0, C0_STATUS
    ehb
    address $29, __stack_top - 64
    jal bench_unexpected
    nop
    b power_off
    nop

/* Enables interrupts and waits for the timer's, which goes on at sleep_end. */
    .globl machine_sleep
machine_sleep:
    ei
    ehb
1:  wait
    b 1b
    nop
sleep_end:
    di
    jr.hb $31
    nop

    .section .rodata
    .balign 4
handlers: /* by Cause.ExcCode */
    .word handle_interrupt, handle_unexpected, handle_invalid_load, handle_unexpected
    .word handle_unexpected, handle_unexpected, handle_unexpected, handle_unexpected
    .word handle_skip, handle_unexpected, handle_skip, handle_unexpected
    .rept 20
    .word handle_unexpected
    .endr
    .section .note.GNU-stack, "", %progbits
