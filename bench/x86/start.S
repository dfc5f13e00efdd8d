/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bare metal: Multiboot entry, page tables, handlers, and the probes that need privilege. */
#include "asm.inc"

/* Selectors. SYSENTER and SYSCALL with their ways back want this order. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#ifdef __x86_64__
#define USER_CODE 0x2b
#else
#define USER_CODE 0x1b
#endif
#define USER_DATA 0x23

/* ---- Multiboot Specification 0.6.96, 3.1 ------------------------------------------------------ */

    .section .text.start, "ax"
    .globl _start
multiboot_header:
    .long 0x1badb002, 1 << 16, -(0x1badb002 + (1 << 16))
    .long multiboot_header, __load_start, __load_end, __bss_end, _start

    .code32
_start:
    cld
    mov $__stack_top, %esp
    lgdt gdt_register
    mov %cr4, %eax
    or $0x6b0, %eax             /* PSE, PAE, PGE, OSFXSR, OSXMMEXCPT */
#ifndef __x86_64__
    and $~0x20, %eax            /* no PAE */
#endif
    mov %eax, %cr4
    mov $1, %eax
    cpuid
    test $1 << 26, %ecx         /* XSAVE */
    jz 1f
    mov %cr4, %eax
    or $1 << 18, %eax           /* OSXSAVE */
    mov %eax, %cr4
    shr $26, %ecx
    and $4, %ecx                /* AVX, CPUID.1:ECX[28] */
    lea 3(%ecx), %eax           /* x87, SSE, AVX */
    xor %edx, %edx
    xor %ecx, %ecx
    xsetbv
1:
#ifdef __x86_64__
    mov $0xc0000080, %ecx       /* EFER: LME, SCE */
    rdmsr
    or $0x101, %eax
    wrmsr
#endif
    mov $page_table, %eax
    mov %eax, %cr3
    mov %cr0, %eax
    and $~0x6000000c, %eax      /* CD, NW, EM, TS */
    or $0x80010022, %eax        /* PG, WP, NE, MP */
    mov %eax, %cr0
    ljmp $KERNEL_CODE, $1f
#ifdef __x86_64__
    .code64
#endif
1:  mov $KERNEL_DATA, %eax
    mov %eax, %ss
    mov $USER_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    call bench_main
    call machine_off
1:  cli
    hlt
    jmp 1b

/* ---- handlers -------------------------------------------------------------------------------- */

    .text
    .globl trap_undefined, trap_page_fault, trap_unexpected, trap_int80, trap_fast
    .globl trap_interrupt

/* What rows provoke is counted in a register of theirs: ecx, for system calls ebx. */
trap_undefined:                 /* its ud2 is passed over */
    inc %ecx
#ifdef __x86_64__
    addq $2, (%rsp)
#else
    addl $2, (%esp)
#endif
    IRET

trap_page_fault:                /* the probe's load of two bytes is passed over */
    mov %cr2, %AX
    cmp $0x20000000, %AX
    jne trap_unexpected
    inc %ecx
    add $WORD, %SP
#ifdef __x86_64__
    addq $2, (%rsp)
#else
    addl $2, (%esp)
#endif
    IRET

trap_interrupt:
    push %AX
    incl machine_interrupts
    mov $0xfee000b0, %eax       /* the local APIC: end of interrupt */
    movl $0, (%AX)
    pop %AX
    IRET

trap_unexpected:
    mov (%SP), %AX
    mov WORD(%SP), %DX
    mov $__stack_top, %esp
#ifdef __x86_64__
    mov %rax, %rdi
    mov %rdx, %rsi
#else
    sub $8, %esp
    push %edx
    push %eax
#endif
    call bench_unexpected
    call machine_off
1:  hlt
    jmp 1b

/* A system call returns while there are turns left in ebp; then it stays, where its caller was. */
trap_int80:
    inc %ebx
    test %ebp, %ebp
    jz 1f
    IRET
1:  mov (%SP), %DX
    mov 3 * WORD(%SP), %SP
    jmp *%DX

#ifdef __x86_64__
trap_fast:
    inc %ebx
    test %ebp, %ebp
    jz 1f
    sysretq
1:  jmp *%rcx
#else
trap_fast:
    inc %ebx
    test %ebp, %ebp
    jz 1f
    sysexit
1:  mov %ecx, %esp
    jmp *%edx
#endif

/* To CPL 3, with the stack and the code as they are. */
    .macro enter_user
    mov %SP, %CX
    push $USER_DATA
    push %CX
    push $2
    push $USER_CODE
    push $1f
    IRET
    .endm

/* ---- probes ---------------------------------------------------------------------------------- */

probe syscall                   /* 1 from CPL 3 and back: SYSCALL or SYSENTER */
    enter_user
#ifdef __x86_64__
1:  syscall
    dec %ebp
    jns 1b
#else
1:  mov %esp, %ecx
    mov $2f, %edx
    sysenter
2:  dec %ebp
    jns 1b
#endif
    mov %ebx, %eax
    ret

probe int80                     /* 1 from CPL 3 and back through a gate */
    enter_user
1:  int $0x80
    dec %ebp
    jns 1b
    mov %ebx, %eax
    ret

probe interrupt_flag            /* 1 pushf, cli, popf with interrupts on */
    sti
1:  inc %eax
    pushf
    cli
    popf
    turn
    cli
    ret

probe port_read                 /* 4 reads of the speaker's port */
    mov $2, %eax                /* the speaker, its timer off */
    out %al, $0x61
1:
    .rept 4
    in $0x61, %al
    .endr
    turn
    and $0x0f, %eax             /* the others count */
    mov %eax, %ebx
    xor %eax, %eax
    out %al, $0x61
    mov %ebx, %eax
    ret

probe port_write                /* 4 writes to the port for diagnostics */
1:
    .rept 4
    out %al, $0x80
    .endr
    inc %ebx
    turn
    mov %ebx, %eax
    ret

probe msr                       /* 1 rdmsr and wrmsr: what FS is set with */
    mov $0xc0000100, %ecx
#ifndef __x86_64__
    mov $0x175, %ecx            /* SYSENTER_ESP */
#endif
    rdmsr
    mov %eax, %esi
    mov %edx, %edi
    xor %eax, %eax
    wrmsr
1:  rdmsr
    inc %eax
    wrmsr
    turn
    rdmsr
    mov %eax, %ebx
    mov %esi, %eax              /* as it was */
    mov %edi, %edx
    wrmsr
    mov %ebx, %eax
    ret

/* ---- tables ---------------------------------------------------------------------------------- */

    .data
    .balign 16
gdt:
    .quad 0
#ifdef __x86_64__
    .quad 0x00af9b000000ffff, 0x00cf93000000ffff, 0
    .quad 0x00cff3000000ffff, 0x00affb000000ffff
#else
    .quad 0x00cf9b000000ffff, 0x00cf93000000ffff
    .quad 0x00cffb000000ffff, 0x00cff3000000ffff, 0
#endif
    .globl gdt_task             /* machine_init puts the base in */
gdt_task:
    .quad 0x0000890000000067, 0
gdt_register:
    .word . - gdt - 1
    .long gdt, 0

/* 32 MiB as they are, in pages of 4 KiB, for user mode too; and HPET and APIC. */
#define MAPPED (32 << 20)
    .balign 4096
page_tables:
    .set page, 7
    .rept MAPPED >> 12
    POINTER page
    .set page, page + 4096
    .endr
    .globl page_table
#ifdef __x86_64__
directory:
    .set table, 0
    .rept MAPPED >> 21
    .quad page_tables + table + 7
    .set table, table + 4096
    .endr
    .balign 4096
device_directory:
    .fill 0x1f6, 8, 0
    .quad 0xfec0009b, 0xfee0009b
    .balign 4096
    .globl directory_pointers
directory_pointers:
    .quad directory + 7, 0, 0, device_directory + 7
    .balign 4096
page_table:
    .quad directory_pointers + 7
    .balign 4096
#else
page_table:
    .set table, 0
    .rept MAPPED >> 22
    .long page_tables + table + 7
    .set table, table + 4096
    .endr
    .fill 0x3fb - (MAPPED >> 22), 4, 0
    .long 0xfec0009b
    .balign 4096
#endif

    .section .note.GNU-stack, "", @progbits
