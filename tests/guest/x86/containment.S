/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tries to get out of a PC's RAM: wild stores, jumps and port accesses, DMA through fw_cfg to where
 * no RAM is, a BAR over RAM, paging structures outside RAM; with LONG_MODE the same in 64-bit mode.
 * Exceptions are taken and skipped. In the end it writes 'P' to the console, or 'F' if a DMA was not
 * refused. The program that boots it (test_containment.c) looks at what changed, and defines
 * RAM_END.
 */
    .equ UART, 0x3f8
    .equ FW_CFG_DMA, 0x514
    .equ CODE32, 0x08
    .equ DATA, 0x10
    .equ CODE64, 0x18
    .equ MINE, 0x200000           /* what follows is this program's */
    .equ IDT, MINE
    .equ REQUEST, MINE + 0x1000
    .equ STACK, MINE + 0x4000
    .equ TABLES, MINE + 0x10000   /* PML4, PDPT, page directory; and of 32-bit paging */
    .equ OVERLAY, 0x1000000
    .equ MARK, 0x0badcafe

    .text
    .code32
    .globl _start
_start:
    jmp setup
    .balign 4
    .long 0x1badb002, 0, -0x1badb002
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_pointer:
    .word 31
    .long gdt
idt_pointer:
    .word 0x7ff
    .long IDT
far_gdt_pointer:
    .word 0xffff
    .long RAM_END - 32

setup:
    cli
    mov $STACK, %esp
    lgdt gdt_pointer
    ljmp $CODE32, $1f
1:  mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $IDT, %edi /* 32 gates of 8 bytes */
    mov $32, %ecx
1:  mov $skip, %eax
    mov %ax, (%edi)
    movw $CODE32, 2(%edi)
    movw $0x8e00, 4(%edi)
    shr $16, %eax
    mov %ax, 6(%edi)
    add $8, %edi
    loop 1b
    lidt idt_pointer
    fninit
    xor %ebp, %ebp /* DMAs that were not refused */
    call wild_stores
    call wild_edges
    call wild_jumps
    call wild_ports
    call wild_dma
    call wild_bar
    call wild_segments
    call wild_pages
#ifdef LONG_MODE
    call wild_long_mode
#endif
    mov $'P', %al
    test %ebp, %ebp
    jz 1f
    mov $'F', %al
1:  mov $UART, %dx
    out %al, %dx
1:  jmp 1b

/* Whatever was raised: on at ebx with the stack of edx. */
skip:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %edx, %esp
    jmp *%ebx

/* Each kind of store at edi, each skipped by itself. */
    .macro try insn:vararg
    mov $1f, %ebx
    mov %esp, %edx
    \insn
1:
    .endm

store_all:
    mov $MARK, %eax
    try movb %al, (%edi)
    try movw %ax, (%edi)
    try movl %eax, (%edi)
    try lock addl %eax, (%edi)
    try xchg %eax, -4(%edi)
    mov $MARK, %eax
    try cmpxchg8b (%edi)
    try fnstenv (%edi)
    try fnsave (%edi)
    try fldz
    try fstpt (%edi)
    push %edi
    mov $8, %ecx
    mov $1f, %ebx
    mov %esp, %edx
    rep stosl
1:  pop %edi
    push %edi
    mov $16, %ecx
    mov $1f, %ebx
    mov %esp, %edx
    std
    rep stosb
1:  cld
    pop %edi
    try movl %eax, 0xffe(%edi) /* over the end of the page */
    ret

/* Every MiB from the end of RAM to the local APIC. */
wild_stores:
    mov $RAM_END + 0x100000, %edi
1:  call store_all
    add $0x100000, %edi
    cmp $0xfec00000, %edi
    jb 1b
    mov $0xfef00000, %edi /* behind the APIC, and into the ROM */
1:  call store_all
    add $0x10000, %edi
    jnc 1b
    ret

/* Around the end of RAM and of the address space, at every alignment. */
wild_edges:
    mov $-72, %esi
1:  lea RAM_END(%esi), %edi
    call store_all
    lea 0(%esi), %edi
    call store_all
    inc %esi
    cmp $-1, %esi
    jne 1b
    ret

/* Nothing is there: bytes of ff, which no instruction starts with. */
wild_jumps:
    mov $RAM_END, %edi
    movw $0x9090, -2(%edi) /* nop; nop */
1:  mov $2f, %ebx
    mov %esp, %edx
    call *%edi
2:  mov $2f, %ebx
    lea -2(%edi), %eax /* across the edge */
    jmp *%eax
2:  add $0x1000000, %edi
    cmp $0xc0000000, %edi
    jne 2f
    mov $0xd0000000, %edi /* the display's memory between them may be executed */
2:  cmp $0xfc000000, %edi
    jb 1b
    ret

/* All ports but those that end or restart the machine, talk, or are tried below. */
wild_ports:
    xor %ecx, %ecx
1:  mov $forbidden, %esi
2:  movzwl (%esi), %eax
    movzwl 2(%esi), %edx
    add $4, %esi
    test %edx, %edx
    jz 3f
    cmp %eax, %ecx
    jb 2b
    cmp %edx, %ecx
    jbe 4f
    jmp 2b
3:  mov %ecx, %edx
    mov $MARK, %eax
    out %al, %dx
    out %ax, %dx
    out %eax, %dx
    in %dx, %al
    in %dx, %ax
    in %dx, %eax
4:  inc %ecx
    cmp $0x10000, %ecx
    jb 1b
    ret
forbidden: /* also accesses of four bytes that end there */
    .word 0x5d, 0x64, 0x8f, 0x92, 0xaf, 0xb3, 0x3f5, 0x3ff, 0x50d, 0x51b, 0x5fd, 0x67f
    .word 0xcf5, 0xcff, 0, 0

/* eax: destination, ecx: its high half, esi: length. Counts what was not refused. */
dma:
    movl $0x0a001900, REQUEST     /* select the directory and read, big-endian */
    bswap %esi
    mov %esi, REQUEST + 4
    bswap %ecx
    mov %ecx, REQUEST + 8
    bswap %eax
    mov %eax, REQUEST + 12
    mov $FW_CFG_DMA, %dx
    xor %eax, %eax
    out %eax, %dx
    add $4, %dx
    mov $REQUEST, %eax
    bswap %eax
    out %eax, %dx
    cmpl $0x01000000, REQUEST     /* the error bit */
    je 1f
    inc %ebp
1:  ret

wild_dma:
    mov $dma_targets, %edi
1:  mov (%edi), %eax
    mov 4(%edi), %ecx
    mov 8(%edi), %esi
    test %esi, %esi
    jz 2f
    call dma
    add $12, %edi
    jmp 1b
2:  mov $FW_CFG_DMA, %dx /* the request itself outside RAM */
    mov $-1, %eax
    out %eax, %dx
    add $4, %dx
    out %eax, %dx
    xor %eax, %eax
    sub $4, %dx
    out %eax, %dx
    add $4, %dx
    mov $RAM_END - 8, %eax
    bswap %eax
    out %eax, %dx
    ret
dma_targets: /* address, high half, length */
    .long RAM_END, 0, 4, RAM_END - 8, 0, 16, RAM_END - 1, 0, 0xffffffff, 0x80000000, 0, 4
    .long 0xfee00000, 0, 4, 0xfec00000, 0, 16, 0, 1, 4, 0xfffffff0, 0xffffffff, 32
    .long 0xfffffff0, 0, 32, 0xa0000, 0, 16, RAM_END, 0x80000000, 4096, 0, 0, 0

/* The display's memory over RAM, which counts more (what is below its top never reaches PCI): it
 * has what was stored once the display has gone. */
wild_bar:
    mov $0x80000810, %ecx /* Q35's, then the 440FX's */
    call try_bar
    mov $0x80001010, %ecx
try_bar:
    mov $0xcf8, %dx
    mov %ecx, %eax
    out %eax, %dx
    mov $0xcfc, %dx
    in %dx, %eax
    mov %eax, %esi
    test %eax, %eax
    jz 1f
    cmp $-1, %eax
    je 1f
    mov $OVERLAY, %eax
    out %eax, %dx
    movl $MARK, OVERLAY
    mov %esi, %eax
    out %eax, %dx
    cmpl $MARK, OVERLAY
    je 1f
    inc %ebp
1:  ret

/* Descriptors from outside RAM: all but the first four. */
wild_segments:
    mov $gdt, %esi
    mov $RAM_END - 32, %edi
    mov $8, %ecx
    rep movsl
    lgdt far_gdt_pointer
    mov $0x20, %eax
    try mov %eax, %ds
    mov $0xfff8, %eax
    try mov %eax, %es
    try ltr %ax
    try lldt %ax
    lgdt gdt_pointer
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    ret

/* 32-bit paging: 8 MiB one to one, the rest through a page table outside RAM or to nowhere. */
wild_pages:
    mov $TABLES, %edi
    movl $0x000083, (%edi)
    movl $0x400083, 4(%edi)
    mov $2, %ecx
1:  mov %ecx, %eax
    imul $0x10003000, %eax
    or $0x80000007, %eax
    mov %eax, (%edi, %ecx, 4)
    inc %ecx
    cmp $1024, %ecx
    jb 1b
    mov %cr4, %eax
    or $0x10, %eax
    mov %eax, %cr4
    mov %edi, %cr3
    mov %cr0, %eax
    or $0x80010000, %eax
    mov %eax, %cr0
    jmp 1f
1:  mov $0x800000, %edi
1:  call store_all
    add $0x400000, %edi
    jnc 1b
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    jmp 1f
1:  ret

#ifdef LONG_MODE
/* 1 GiB one to one but for what is RAM and not this program's; more from above RAM, far above it,
 * and through tables outside RAM. */
wild_long_mode:
    mov $TABLES, %edi
    mov $0x3000 / 4, %ecx
    xor %eax, %eax
    rep stosl
    movl $TABLES + 0x1007, TABLES
    movl $0x80000007, TABLES + 8            /* a table outside RAM */
    movl $TABLES + 0x1007, TABLES + 0x800   /* the upper half */
    movl $TABLES + 0x2007, TABLES + 0x1000
    movl $0x40000087, TABLES + 0x1008       /* 1 GiB pages */
    movl $0x80000087, TABLES + 0x1010
    movl $0x00000087, TABLES + 0x1018
    movl $0x00000100, TABLES + 0x101c       /* at 1 TiB */
    movl $0x80000007, TABLES + 0x1020
    movl $0x00000083, TABLES + 0x2000       /* 4 MiB of 2 MiB pages */
    movl $0x00200083, TABLES + 0x2008
    movl $RAM_END + 0x83, TABLES + 0x2010
    mov $IDT + 0x800, %edi /* 32 gates of 16 bytes */
    mov $32, %ecx
1:  mov $skip64, %eax
    mov %ax, (%edi)
    movw $CODE64, 2(%edi)
    movw $0x8e00, 4(%edi)
    shr $16, %eax
    mov %ax, 6(%edi)
    movl $0, 8(%edi)
    movl $0, 12(%edi)
    add $16, %edi
    loop 1b
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $TABLES, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000000, %eax
    mov %eax, %cr0
    ljmp $CODE64, $1f
    .code64
1:  lidt idt64_pointer(%rip)
    mov $targets64, %esi
1:  mov (%rsi), %rdi
    call store_all64
    add $8, %rsi
    lea targets64_end(%rip), %r9
    cmp %r9, %rsi
    jb 1b
    lea back32(%rip), %rax
    push $CODE32
    push %rax
    lretq
skip64:
    mov %rdx, %rsp
    jmp *%rbx
    .balign 8
idt64_pointer:
    .word 0x1ff
    .quad IDT + 0x800
targets64:
    .quad 0x400000, 0x5ffff0, 0x40000000, 0x7ffffff0, 0x80000000, 0xbffffff8, 0xc0000000
    .quad 0xffffffff, 0x100000000, 0x13ffffff8, 0x7ffffffffff8, 0x7fffffffffff, 0x800000000000
    .quad 0x8000000000, 0x8000001000, 0xdeadbeefdeadbeef, 0xffff7ffffffffffc
    .quad 0xffff800040000000, 0xffff8000c0000000, 0xfffffffffffffff8, 0xffffffffffffffff
    .quad 0xfffffffffffff000
targets64_end:

    .macro try64 insn:vararg
    lea 1f(%rip), %rbx
    mov %rsp, %rdx
    \insn
1:
    .endm
store_all64:
    mov $MARK, %eax
    try64 movb %al, (%rdi)
    try64 movl %eax, (%rdi)
    try64 movq %rax, (%rdi)
    try64 lock xaddq %rax, (%rdi)
    try64 cmpxchg8b (%rdi)
    try64 movq %rax, 0xffc(%rdi)
    try64 movq %rax, -8(%rdi)
    try64 fxsave64 (%rdi)
    try64 call *(%rdi)
    mov %rdi, %r8
    mov $8, %ecx
    lea 1f(%rip), %rbx
    rep stosq
1:  mov %r8, %rdi
    lea 1f(%rip), %rbx
    push %rdi
    call *%rdi
1:  mov %rdx, %rsp
    ret
    .code32
back32:
    mov %cr0, %eax
    and $0x7fffffff, %eax
    mov %eax, %cr0
    jmp 1f
1:  ret
#endif
