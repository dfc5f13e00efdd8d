/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry, and what is to be stepped over instruction by instruction. */
    .section .text.start, "ax"
    .globl _start

#if defined(__arm__)
    .syntax unified
    .arm
_start:
    ldr sp, =__stack_top
    bl program_main

    .text
    .thumb
    .thumb_func
    .globl it_block
    .type it_block, %function
it_block:
    movs r0, #1
    cmp r0, #1
    ittee eq
    moveq r1, #2
    moveq r2, #3
    movne r1, #4
    movne r2, #5
    adds r0, r1, r2
    bx lr
    .size it_block, . - it_block
    .ltorg

#elif defined(__mips__)
    .set nomips16
    .set noreorder
    .set noat
_start:
    lui $29, %hi(__stack_top)
    addiu $29, $29, %lo(__stack_top)
    jal program_main
    nop

    .text
    .globl slots
    .type slots, @function
    .ent slots
slots:
    .frame $29, 0, $31
    li $8, 1
slots_branch:
    bnez $8, 1f
    li $9, 7
    li $9, 8
1:  li $10, 9
    jr $31
    nop
    .end slots
    .size slots, . - slots

#else
    /* Multiboot Specification 0.6.96, 3.1 */
multiboot_header:
    .long 0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16))
    .long multiboot_header, multiboot_header, __load_end, __bss_end, _start
    .code32
_start:
    mov $__stack_top, %esp
#ifdef __x86_64__
    /* 4 GiB of addresses are what 1 GiB of memory is, by pages of 2 MiB. */
    mov $directory, %edi
    mov $0x83, %eax
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 1b
    mov %cr4, %eax
    or $0x20, %eax              /* PAE */
    mov %eax, %cr4
    mov $tables, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx       /* EFER: LME */
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax        /* PG */
    mov %eax, %cr0
    lgdt descriptor
    ljmp $8, $1f
    .code64
1:  mov $__stack_top, %rsp
#endif
    call program_main

    .text
    .globl repeat
    .type repeat, @function
repeat:
#ifdef __x86_64__
    lea bytes(%rip), %rdi
#else
    push %edi
    mov $bytes, %edi
#endif
    mov $0x5a, %al
    mov $16, %ecx
repeat_store:
    rep stosb
repeat_done:
#ifndef __x86_64__
    pop %edi
#endif
    ret
    .size repeat, . - repeat

    .data
#ifdef __x86_64__
    .balign 8
descriptors:
    .quad 0, 0x00af9b000000ffff
descriptor:
    .word 15
    .long descriptors
    .balign 4096
tables:
    .quad pointers + 3
    .balign 4096
pointers:
    .quad directory + 3, directory + 3, directory + 3, directory + 3
    .balign 4096
directory:
    .skip 4096
#endif
#endif
    .section .note.GNU-stack, "", %progbits
