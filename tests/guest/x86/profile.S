/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a known number of things that -d stats counts, then switches the PC off. test_profile.c runs
 * it and knows the numbers, which are defined there.
 */
    .equ CODE, 0x08
    .equ DATA, 0x10
    .equ IDT, 0x200000
    .equ STACK, 0x204000
    .equ PAGES, 0x210000
    .equ LAPIC_VERSION, 0xfee00030
    .equ PM1A_CONTROL, 0x604
    .equ SLEEP_ENABLE, 0x2000

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

    .type setup, @function
setup:
    cli
    mov $STACK, %esp
    lgdt gdt_pointer
    ljmp $CODE, $1f
1:  mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $IDT + 6 * 8, %edi /* #UD */
    mov $skip_ud2, %eax
    mov %ax, (%edi)
    movw $CODE, 2(%edi)
    movw $0x8e00, 4(%edi)
    shr $16, %eax
    mov %ax, 6(%edi)
    lidt idt_pointer
    call calls
    call rewrites
    call undefined
    call devices
    call crossings
    mov $PM1A_CONTROL, %dx
    mov $SLEEP_ENABLE, %ax
    out %ax, %dx
1:  hlt
    jmp 1b
    .size setup, . - setup

    .type work, @function
work:
    add $3, %eax
    ret
    .size work, . - work

    .type calls, @function
calls:
    mov $CALLS, %ecx
1:  call work
    mov $work, %edx
    call *%edx
    loop 1b
    ret
    .size calls, . - calls

    .balign 4096 /* a page that nothing else is in */
    .type patched, @function
patched:
    mov $0, %eax
    ret
    .size patched, . - patched
    .balign 4096

    .type rewrites, @function
rewrites:
    mov $REWRITES, %ecx
1:  mov %ecx, patched + 1
    call patched
    loop 1b
    ret
    .size rewrites, . - rewrites

skip_ud2:
    addl $2, (%esp)
    iret

    .type undefined, @function
undefined:
    mov $UNDEFINED, %ecx
1:  ud2
    loop 1b
    ret
    .size undefined, . - undefined

    .type devices, @function
devices:
    mov $DEVICE_READS, %ecx
1:  mov LAPIC_VERSION, %eax
    loop 1b
    ret
    .size devices, . - devices

    .type crossings, @function
crossings:
    mov $CROSSINGS, %ecx
1:  mov PAGES + 4094, %eax
    loop 1b
    ret
    .size crossings, . - crossings
