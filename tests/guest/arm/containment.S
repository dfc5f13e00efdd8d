/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tries to get out of guest RAM: wild stores, jumps and loads, with the MMU off and on, then DMA
 * through fw_cfg and virtio to where no RAM is. Aborts are taken and skipped. In the end it writes
 * 'P' to the console, or 'F' if a DMA was not refused. The program that boots it (test_containment.c)
 * looks at what changed. It gives:
 *   UART, RAM_BASE, RAM_END; FW_CFG and VIRTIO where the board has them
 */
    .syntax unified
    .arch armv7-a
    .arch_extension virt
    .fpu neon-vfpv4
    .arm
    .text
    .globl _start

    .macro mov32 reg, value
    movw \reg, #:lower16:(\value)
    movt \reg, #:upper16:(\value)
    .endm

    .equ TABLE, RAM_BASE + 0x20000 /* 16 KiB of first-level descriptors */
    .equ STACK, RAM_BASE + 0x1f000
    .equ DESCRIPTOR, RAM_BASE + 0x1f800
    .equ TARGETS, RAM_BASE + 0x1f400

_start:
    b setup
    .balign 32
vectors:
    b .
    b .
    b .
    mov pc, r11 /* a jump went nowhere: back to who tried, in abort mode */
    subs pc, lr, #4 /* after the store that aborted */
    b .
    b .
    b .

setup:
    cpsid aif, #0x17
    mov32 sp, STACK - 0x400
    cpsid aif, #0x13
    mov32 sp, STACK
    adr r0, vectors
    mcr p15, 0, r0, c12, c0, 0
    mrc p15, 0, r0, c1, c0, 2
    orr r0, r0, #0xf << 20
    mcr p15, 0, r0, c1, c0, 2
    isb
    mov r0, #0x40000000
    vmsr fpexc, r0
    bl wild_stores
    bl wild_edges
    bl wild_jumps
    bl map_flat
    bl wild_stores
    bl wild_edges
    bl wild_jumps
    bl map_far
    bl unmap
    mov r10, #0
#ifdef FW_CFG
    bl wild_dma
#endif
#ifdef VIRTIO
    bl wild_queues
#endif
    cmp r10, #0
    movne r0, #'F'
    moveq r0, #'P'
    mov32 r1, UART
    str r0, [r1]
1:  b 1b

/* One store of each kind at r4. Devices that listen get 0x0badcafe, which starts nothing. */
store_all:
    mov32 r0, 0x0badcafe
    mov r1, r0
    mov r2, r0
    mov r3, r0
    strb r0, [r4]
    strh r0, [r4]
    str r0, [r4]
    strd r0, r1, [r4]
    stm r4, {r0-r3}
    stmdb r4, {r0-r3}
    str r0, [r4, #-4]
    vdup.32 q0, r0
    vdup.32 q1, r0
    vst1.8 {d0-d3}, [r4]
    vstm r4, {d0-d3}
    ldrex r0, [r4]
    strex r5, r1, [r4]
    clrex
    add r5, r4, #0xfe0 /* over the end of the page */
    str r1, [r5, #0x1e]
    strh r1, [r5, #0x1f]
    vst1.8 {d0-d3}, [r5]!
    bx lr

/* Every 64 KiB of the address space but RAM and the console. */
wild_stores:
    push {r4-r8, lr}
    mov r4, #0x1000
1:  mov32 r6, RAM_BASE - 0x1000
    cmp r4, r6
    blo 2f
    mov32 r6, RAM_END
    cmp r4, r6
    blo 3f
2:  mov32 r6, UART
    eor r6, r6, r4
    lsrs r6, r6, #16
    beq 3f
    bl store_all
3:  adds r4, r4, #0x10000
    bcc 1b
    pop {r4-r8, pc}

/* Around the first and the last byte of RAM, at every alignment; the C side allows the last and
 * the first page to change. */
wild_edges:
    push {r4-r8, lr}
    mov r7, #0
1:  mov32 r4, RAM_END - 36
    add r4, r4, r7
    bl store_all
    mov32 r4, RAM_BASE - 36
    add r4, r4, r7
    bl store_all
    mov32 r4, RAM_BASE - 0x1000
    add r4, r4, r7
    bl store_all
    mvn r4, #35
    add r4, r4, r7
    bl store_all
    add r7, r7, #1
    cmp r7, #72
    blo 1b
    pop {r4-r8, pc}

/* To each 16 MiB outside RAM. What may be there (flash, a device) does not run; a zero word is a
 * harmless instruction, so only what aborts is jumped to: above the devices. */
wild_jumps:
    push {r4-r8, lr}
    mov32 r4, RAM_END
1:  adr r11, 2f
    bx r4
2:  cps #0x13
    adds r4, r4, #0x1000000
    bcc 1b
    pop {r4-r8, pc}

/* Sections one to one, normal memory, so that unaligned accesses are made. */
map_flat:
    mov32 r0, TABLE
    mov32 r1, 0x00011c0e /* section, full access, normal write-back */
    mov r2, #0
1:  orr r3, r1, r2, lsl #20
    str r3, [r0, r2, lsl #2]
    add r2, r2, #1
    cmp r2, #4096
    blo 1b
turn_on:
    mov32 r0, TABLE
    mcr p15, 0, r0, c2, c0, 0
    mov r0, #0
    mcr p15, 0, r0, c2, c0, 2
    mov r0, #-1
    mcr p15, 0, r0, c3, c0, 0
    mcr p15, 0, r0, c8, c7, 0
    dsb
    isb
    mrc p15, 0, r0, c1, c0, 0
    orr r0, r0, #1
    bic r0, r0, #2
    mcr p15, 0, r0, c1, c0, 0
    isb
    bx lr

unmap:
    mrc p15, 0, r0, c1, c0, 0
    bic r0, r0, #1
    mcr p15, 0, r0, c1, c0, 0
    isb
    mcr p15, 0, r0, c8, c7, 0
    dsb
    isb
    bx lr

/* Supersections at 0xf0000000 to 40-bit addresses, each extended base in turn. */
map_far:
    push {r4-r8, lr}
    mov r8, #1
1:  mov32 r0, TABLE + 0xf00 * 4
    mov32 r1, 0xf0051c0e
    orr r1, r1, r8, lsl #20
    mov r2, #16
2:  str r1, [r0], #4
    subs r2, r2, #1
    bne 2b
    mcr p15, 0, r0, c8, c7, 0
    dsb
    isb
    mov32 r4, 0xf0001000
3:  bl store_all
    add r4, r4, #0x100000
    cmp r4, #0xf1000000
    blo 3b
    add r8, r8, #1
    cmp r8, #16
    blo 1b
    pop {r4-r8, pc}

#ifdef FW_CFG
/* Reads of an item to each address of the list must fail; then descriptors that are not in RAM. */
wild_dma:
    push {r4-r8, lr}
    adr r4, addresses
1:  ldm r4!, {r5-r7} /* high, low, length */
    cmp r7, #0
    beq 2f
    mov32 r8, DESCRIPTOR
    mov32 r0, 0x0a000000 /* select item 0 and read, big-endian as all of it */
    rev r1, r7
    rev r2, r5
    rev r3, r6
    stm r8, {r0-r3}
    mov32 r1, FW_CFG + 16
    mov r0, #0
    str r0, [r1]
    rev r0, r8
    str r0, [r1, #4]
    dsb
    ldr r0, [r8]
    rev r0, r0
    cmp r0, #1
    addne r10, r10, #1
    b 1b
2:  adr r4, addresses
3:  ldm r4!, {r5-r7}
    cmp r7, #0
    popeq {r4-r8, pc}
    mov32 r1, FW_CFG + 16
    rev r0, r5
    str r0, [r1]
    rev r0, r6
    str r0, [r1, #4]
    b 3b
    .balign 4
addresses:
    .word 0, 0x20000000, 4
    .word 0, RAM_END, 4
    .word 0, RAM_END - 2, 4
    .word 0, RAM_BASE - 2, 4
    .word 0, RAM_BASE - 4, 4
    .word 0, 0xfffffffe, 4
    .word 0, UART, 4
    .word 0, FW_CFG + 16, 8
    .word 1, RAM_BASE, 4
    .word 0xff, RAM_BASE, 4
    .word 0x80000000, RAM_BASE, 4
    .word 0xffffffff, 0xfffffffe, 4
    .word 0xffffffff, 0xffffffff, 0xffffffff
    .word 0, RAM_END - 0x1000, 0xffffffff
    .word 0, RAM_END - 0x100, 0x80000000
    .word 0, 0, 0
#endif

#ifdef VIRTIO
/* Every register of every slot, with addresses outside RAM, as versions 1 and 2 have them. */
wild_queues:
    push {r4-r8, lr}
    mov32 r4, VIRTIO
    mov r5, #32
1:  adr r6, queue_words
2:  ldm r6!, {r0, r1}
    cmp r0, #-1
    strne r1, [r4, r0]
    bne 2b
    add r4, r4, #0x200
    subs r5, r5, #1
    bne 1b
    pop {r4-r8, pc}
    .balign 4
queue_words:
    .word 0x70, 0, 0x70, 1, 0x70, 3, 0x24, 1, 0x20, 1, 0x70, 11, 0x30, 0, 0x38, 0x8000
    .word 0x80, RAM_END - 8, 0x84, 0, 0x90, 0xffffffff, 0x94, 0xffffffff, 0xa0, 0x20000000, 0xa4, 1
    .word 0x44, 1, 0x70, 15, 0x50, 0, 0x50, 0xffff
    .word 0x28, 4096, 0x3c, 0x80000000, 0x40, 0xffffffff, 0x50, 0
    .word -1, 0
#endif
