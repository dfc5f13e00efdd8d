/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rectangle that moves to and fro at 1024x768, 60 times a second by the 8254, and sleeps between.
 * The frame's number is written to port 0xe9, one byte each. With STILL it moves no more after the
 * first frame.
 */
    .equ WIDTH, 1024
    .equ HEIGHT, 768
    .equ SIZE, 128
    .equ STEP, 4
    .equ CODE32, 0x08
    .equ DATA, 0x10
    .equ IDT, 0x200000
    .equ STACK, 0x204000
    .equ DIVISOR, 19886           /* 1193182 Hz / 60 */

    .text
    .code32
    .globl _start
_start:
    jmp setup
    .balign 4
    .long 0x1badb002, 0, -0x1badb002
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_pointer:
    .word 23
    .long gdt
idt_pointer:
    .word 0x7ff
    .long IDT

/* A VBE register of the Bochs interface. */
    .macro vbe index, value
    mov $0x1ce, %edx
    mov $\index, %eax
    out %ax, %dx
    inc %edx
    mov $\value, %eax
    out %ax, %dx
    .endm
    .macro port number, value
    mov $\value, %al
    out %al, $\number
    .endm

setup:
    cli
    cld
    mov $STACK, %esp
    lgdt gdt_pointer
    ljmp $CODE32, $1f
1:  mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss

    mov $tick, %eax               /* IRQ 0 is vector 0x20 */
    mov $IDT + 0x20 * 8, %edi
    mov %ax, (%edi)
    movw $CODE32, 2(%edi)
    movw $0x8e00, 4(%edi)
    shr $16, %eax
    mov %ax, 6(%edi)
    lidt idt_pointer
    port 0x20, 0x11
    port 0x21, 0x20
    port 0x21, 0x04
    port 0x21, 0x01
    port 0x21, 0xfe               /* the timer alone */
    port 0xa1, 0xff
    port 0x43, 0x34
    port 0x40, DIVISOR & 0xff
    port 0x40, DIVISOR >> 8

    mov $0x80000008, %ebx         /* the first display adapter of bus 0 */
1:  mov %ebx, %eax
    mov $0xcf8, %edx
    out %eax, %dx
    mov $0xcfc, %edx
    in %dx, %eax
    shr $16, %eax
    cmp $0x0300, %eax
    je 2f
    add $0x800, %ebx
    jmp 1b
2:  lea 8(%ebx), %eax             /* its BAR 0 */
    mov $0xcf8, %edx
    out %eax, %dx
    mov $0xcfc, %edx
    in %dx, %eax
    and $~15, %eax
    mov %eax, %ebp

    vbe 4, 0
    vbe 1, WIDTH
    vbe 2, HEIGHT
    vbe 3, 32
    vbe 4, 0x41
    xor %ebx, %ebx                /* x */
    mov $STEP, %esi               /* its change */

frame:
    mov $0x0080ff, %eax
    call fill
    sti
    hlt
    cli
#ifdef STILL
    jmp frame
#endif
    xor %eax, %eax
    call fill
    add %esi, %ebx
    cmp $WIDTH - SIZE, %ebx
    jae 1f
    test %ebx, %ebx
    jnz frame
1:  neg %esi
    jmp frame

/* eax: the colour of a square at x. */
fill:
    lea (%ebp, %ebx, 4), %edx
    add $(HEIGHT / 2 - SIZE / 2) * WIDTH * 4, %edx
    push %ebx
    mov $SIZE, %ebx
1:  mov %edx, %edi
    mov $SIZE, %ecx
    rep stosl
    add $WIDTH * 4, %edx
    dec %ebx
    jnz 1b
    pop %ebx
    ret

tick:
    push %eax
    mov $0x20, %al
    out %al, $0x20
    incl frames
    mov frames, %al
    out %al, $0xe9
    pop %eax
    iret

    .balign 4
frames:
    .long 0
