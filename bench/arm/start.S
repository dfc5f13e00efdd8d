/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entry, exception vectors and the assembly probes. Every probe is a function
 *   void probe_NAME(uint32_t turns)
 * whose loop body does the operations its comment counts; rows.def repeats the number. */
    .syntax unified
    .arch armv7ve
    .fpu neon-vfpv4
    .arm

    .section .text.start, "ax"
    .globl _start
_start:
    ldr sp, =__stack_top
    /* stacks of the exception modes lie below the main one */
    mov r0, sp
    cps #0x17
    sub sp, r0, #0x4000
    cps #0x1b
    sub sp, r0, #0x5000
    cps #0x12
    sub sp, r0, #0x6000
    cps #0x1f
    sub sp, r0, #0x7000
    cps #0x13
    /* VFP and NEON on */
    mrc p15, 0, r1, c1, c0, 2
    orr r1, r1, #(0xf << 20)
    mcr p15, 0, r1, c1, c0, 2
    isb
    mov r1, #0x40000000
    vmsr fpexc, r1
    ldr r0, =__bss_start
    ldr r1, =__bss_end
    mov r2, #0
1:  cmp r0, r1
    strlo r2, [r0], #4
    blo 1b
    ldr r0, =vectors
    mcr p15, 0, r0, c12, c0, 0
    bl bench_main
power_off:
    ldr r0, =0x84000008         /* PSCI SYSTEM_OFF */
    hvc #0
2:  b 2b

    .text
    .balign 32
vectors:
    b unexpected
    b unexpected
    b vector_svc
    b vector_prefetch_abort
    b vector_data_abort
    b unexpected
    b unexpected
    b unexpected

vector_svc:
    cmp r0, #0
    movsne pc, lr               /* back to the caller's mode */
    mov pc, lr                  /* turns used up: stay in SVC mode */
vector_data_abort:              /* the probe's load is skipped */
    subs pc, lr, #4
vector_prefetch_abort:
    b unexpected
unexpected:
    mrs r1, cpsr
    mov r0, lr
    cps #0x13
    ldr sp, =__stack_top
    bl bench_unexpected
    b power_off

    .macro probe name
    .balign 64
    .globl probe_\name
    .type probe_\name, %function
probe_\name:
    .endm

probe empty
1:  subs r0, r0, #1
    bne 1b
    bx lr

probe alu_dep                   /* 16 dependent operations */
    mov r1, #1
    mov r2, #3
1:
    .rept 4
    add r1, r1, r2
    eor r1, r1, r1, lsl #3
    sub r1, r1, #7
    orr r1, r1, r2
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe alu_ind                   /* 16 operations in 4 chains */
    push {r4, r5, lr}
    mov r1, #1
    mov r2, #2
    mov r3, #3
    mov r4, #4
1:
    .rept 4
    add r1, r1, #11
    eor r2, r2, #0xff
    sub r3, r3, #5
    add r4, r4, #3
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, pc}

probe flags                     /* 8 flag-setting operations, 8 conditional ones */
    mov r1, #0
    mov r2, #0
    mov r3, #100
1:
    .rept 4
    cmp r1, r3
    addlt r1, r1, #1
    movge r1, #0
    adds r2, r2, r1
    adc r3, r3, #0
    .endr
    mov r3, #100
    subs r0, r0, #1
    bne 1b
    bx lr

probe multiply                  /* 8: mul, mla, umull, smull */
    push {r4, r5, lr}
    mov r1, #7
    ldr r2, =0x12345677
    mov r3, #0
1:
    .rept 2
    mul r1, r1, r2
    mla r3, r1, r2, r3
    umull r4, r5, r1, r2
    smull r4, r5, r3, r2
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, pc}

probe divide                    /* 4: udiv, sdiv */
    push {r4, lr}
    ldr r1, =0x7fffff31
    mov r2, #13
1:
    .rept 2
    udiv r3, r1, r2
    sdiv r4, r1, r2
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}

probe load                      /* 16 independent loads, 16 KB set */
    push {r4, r5, r6, lr}
    ldr r1, =probe_buffer
    mov r2, r1
    add r3, r1, #16384
1:
    .rept 4
    ldr r4, [r2]
    ldr r5, [r2, #64]
    ldr r6, [r2, #128]
    ldrb r12, [r2, #192]
    add r2, r2, #256
    .endr
    cmp r2, r3
    movhs r2, r1
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, r6, pc}

probe load_dep                  /* 16 dependent loads through probe_ring */
    ldr r1, =probe_ring
1:
    .rept 16
    ldr r1, [r1]
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe store                     /* 16 stores, 16 KB set */
    ldr r1, =probe_buffer
    mov r2, r1
    add r3, r1, #16384
1:
    .rept 4
    str r0, [r2]
    str r0, [r2, #64]
    strh r0, [r2, #128]
    strb r0, [r2, #192]
    add r2, r2, #256
    .endr
    cmp r2, r3
    movhs r2, r1
    subs r0, r0, #1
    bne 1b
    bx lr

probe copy                      /* 8 ldm/stm pairs of 4 words */
    push {r4, r5, r6, r7, lr}
    ldr r1, =probe_buffer
    add r2, r1, #8192
1:  mov r3, r1
    mov r12, r2
    .rept 8
    ldmia r3!, {r4, r5, r6, r7}
    stmia r12!, {r4, r5, r6, r7}
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, r6, r7, pc}

probe unaligned                 /* 8 loads off alignment */
    ldr r1, =probe_buffer
    add r1, r1, #1
1:
    .rept 4
    ldr r2, [r1, #4]
    ldr r3, [r1, #12]
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe exclusive                 /* 4 ldrex/strex pairs */
    push {r4, lr}
    ldr r1, =probe_buffer
1:
    .rept 4
    ldrex r2, [r1]
    add r2, r2, #1
    strex r3, r2, [r1]
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}

probe call                      /* 8 calls with push and pop, two sites each */
    push {r4, lr}
1:
    .rept 4
    bl leaf
    bl frame
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}
leaf:
    add r1, r1, #1
    bx lr
frame:
    push {r4, r5, r6, lr}
    add r1, r1, #1
    pop {r4, r5, r6, pc}

probe call_indirect             /* 8 calls through a table of 4 */
    push {r4, r5, r6, lr}
    ldr r4, =call_table
    mov r5, #0
1:
    .rept 8
    ldr r12, [r4, r5, lsl #2]
    add r5, r5, #1
    and r5, r5, #3
    blx r12
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, r6, pc}
    .balign 4
call_table:
    .word target_a, target_b, target_c, target_d
    .balign 16
target_a:
    add r1, r1, #1
    bx lr
target_b:
    add r1, r1, #2
    bx lr
    .thumb
    .thumb_func
target_c:
    adds r1, #3
    bx lr
    .arm
    .balign 4
target_d:
    eor r1, r1, #4
    bx lr

probe switch                    /* 4 computed jumps */
    push {r4, lr}
    mov r1, #0
1:
    .rept 4
    add r1, r1, #1
    and r2, r1, #3
    add pc, pc, r2, lsl #3
    nop
    add r3, r3, #1
    b 2f
    add r3, r3, #2
    b 2f
    add r3, r3, #3
    b 2f
    add r3, r3, #4
    b 2f
2:
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}

probe thumb                     /* 16 flag-setting Thumb operations */
    push {r4, lr}
    ldr r12, =thumb_body + 1
    blx r12
    pop {r4, pc}
    .ltorg
    .thumb
    .thumb_func
thumb_body:
    movs r1, #0
    movs r2, #1
1:
    .rept 4
    adds r1, r1, r2
    lsls r3, r1, #2
    eors r2, r3
    subs r2, #9
    .endr
    subs r0, #1
    bne 1b
    bx lr
    .arm
    .balign 4

probe syscall                   /* 1 svc from User mode and back */
    push {lr}
    cps #0x10
1:  svc #0
    subs r0, r0, #1
    bne 1b
    svc #0                      /* r0 is 0: comes back in SVC mode */
    pop {pc}

probe abort                     /* 1 data abort and return */
    ldr r1, =0x20000000         /* not mapped */
1:  ldr r2, [r1]
    subs r0, r0, #1
    bne 1b
    bx lr

probe tlb_miss                  /* 1 TLBIMVA and a load through a walk */
    ldr r1, =probe_buffer
1:  mcr p15, 0, r1, c8, c7, 1
    ldr r2, [r1]
    subs r0, r0, #1
    bne 1b
    bx lr

probe tlb_flush                 /* 1 TLBIALL and 8 page touches */
    push {r4, lr}
    ldr r1, =__heap
1:  mcr p15, 0, r0, c8, c7, 0
    mov r2, r1
    .rept 8
    ldr r3, [r2]
    add r2, r2, #4096
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}

probe context_switch            /* 1 switch of TTBR0 and ASID, 8 page touches */
    push {r4, r5, r6, lr}
    ldr r4, =page_table
    ldr r5, =page_table_b
    orr r4, r4, #0x4a
    orr r5, r5, #0x4a
    mov r6, #1
    ldr r1, =__heap
1:  mov r2, #0
    mcr p15, 0, r2, c13, c0, 1
    isb
    mcr p15, 0, r4, c2, c0, 0
    isb
    mcr p15, 0, r6, c13, c0, 1
    isb
    eor r6, r6, #3              /* ASID 1, 2, 1, ... */
    mov r2, r4
    mov r4, r5
    mov r5, r2
    mov r2, r1
    .rept 8
    ldr r3, [r2]
    add r2, r2, #4096
    .endr
    subs r0, r0, #1
    bne 1b
    pop {r4, r5, r6, pc}

probe mmio                      /* 4 reads of the PL011's flag register */
    ldr r1, =0x09000000
1:
    .rept 4
    ldr r2, [r1, #0x18]
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe codegen                   /* 1 store of new code, maintenance, call */
    push {r4, lr}
    ldr r4, =code_buffer
    ldr r1, =0xe3a01000         /* mov r1, #0 */
    ldr r2, =0xe12fff1e         /* bx lr */
    str r2, [r4, #4]
1:  and r3, r0, #0xff
    orr r3, r3, r1
    str r3, [r4]
    mcr p15, 0, r4, c7, c11, 1  /* DCCMVAU */
    dsb
    mcr p15, 0, r4, c7, c5, 1   /* ICIMVAU */
    mcr p15, 0, r4, c7, c5, 7   /* BPIMVA */
    dsb
    isb
    push {r1, r2}
    blx r4
    pop {r1, r2}
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}

probe vfp_f64_dep               /* 8 dependent operations */
    vmov.f64 d0, #1.0
    vmov.f64 d1, #1.25
    vmov.f64 d2, #0.5
1:
    .rept 4
    vmul.f64 d0, d0, d2
    vadd.f64 d0, d0, d1
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe vfp_f32                   /* 8 operations in 4 chains */
    vmov.f32 s0, #1.0
    vmov.f32 s1, #1.5
    vmov.f32 s2, #2.0
    vmov.f32 s3, #0.5
    vmov.f32 s4, #1.25
1:
    .rept 2
    vmul.f32 s0, s0, s3
    vadd.f32 s1, s3, s4
    vsub.f32 s2, s4, s3
    vadd.f32 s0, s0, s4
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe vfp_fma                   /* 8: vfma and vmla */
    vmov.f64 d0, #1.0
    vmov.f64 d1, #0.5
    vmov.f64 d2, #0.25
    vmov.f64 d3, #1.0
1:
    .rept 4
    vfma.f64 d0, d1, d2
    vmla.f64 d3, d1, d2
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe vfp_divsqrt               /* 4: div and sqrt */
    vmov.f64 d0, #3.0
    vmov.f64 d1, #7.0
1:
    .rept 2
    vdiv.f64 d2, d0, d1
    vsqrt.f64 d3, d1
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe vfp_convert               /* 8: conversions and compares */
    mov r1, #77
    vmov s0, r1
1:
    .rept 2
    vcvt.f64.s32 d1, s0
    vcvt.s32.f64 s4, d1
    vcmp.f64 d1, d1
    vmrs APSR_nzcv, fpscr
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe neon_int                  /* 16 operations on Q registers */
    vmov.i32 q0, #1
    vmov.i32 q1, #3
    vmov.i16 q2, #5
    vmov.i8 q3, #7
1:
    .rept 2
    vadd.i32 q0, q0, q1
    veor q1, q1, q0
    vmul.i16 q2, q2, q3
    vmax.s8 q3, q3, q1
    vshl.i32 q8, q0, #3
    vcgt.u16 q9, q2, q3
    vsub.i8 q10, q8, q9
    vbsl q9, q10, q8
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe neon_saturate             /* 8: saturating, narrowing, widening */
    vmov.i16 q0, #100
    vmov.i16 q1, #7
1:
    .rept 2
    vqadd.s16 q2, q0, q1
    vmovn.i16 d6, q2
    vmovl.u8 q4, d6
    vqmovn.s16 d10, q2
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe neon_f32                  /* 8 operations on Q registers */
    vmov.f32 q0, #1.0
    vmov.f32 q1, #0.5
    vmov.f32 q2, #0.25
    vmov.f32 q3, #1.0
1:
    .rept 2
    vmul.f32 q0, q0, q1
    vadd.f32 q0, q0, q2
    vmla.f32 q3, q1, q2
    vsub.f32 q3, q3, q1
    .endr
    subs r0, r0, #1
    bne 1b
    bx lr

probe neon_memory               /* 8: vld1/vst1 of 32 bytes, vld4, permutes */
    push {r4, lr}
    ldr r1, =probe_buffer
1:  mov r2, r1
    vld1.32 {d0-d3}, [r2]!
    vld4.8 {d4-d7}, [r2]!
    vzip.8 q0, q1
    vrev32.8 q2, q2
    vtbl.8 d16, {d0-d1}, d4
    vext.8 q9, q0, q1, #5
    vst1.32 {d0-d3}, [r2]!
    vst1.8 {d16}, [r2]
    subs r0, r0, #1
    bne 1b
    pop {r4, pc}
    .ltorg

    .bss
    .balign 4096
    .globl probe_buffer
probe_buffer:
    .space 32768
    .globl probe_ring
probe_ring:
    .space 16384
    .balign 4096
    .globl code_buffer
code_buffer:
    .space 4096
    .balign 16384
    .globl page_table
page_table:
    .space 16384
    .globl page_table_b
page_table_b:
    .space 16384

    .section .note.GNU-stack, "", %progbits
