/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The assembly probes, the same source as A32 and as T32. Every probe is a function
 *   uint32_t probe_NAME(uint32_t turns)
 * whose loop body, from 1: to turn, does the operations its comment counts; rows.def repeats the
 * number. What it leaves in registers and memory is its checksum.
 */
    .syntax unified
    .arch armv7ve
    .fpu neon-vfpv4
    .macro guest_state
#ifdef __thumb__
    .thumb
#else
    .arm
#endif
    .endm
    guest_state
    .text

    .macro function name
    .type \name, %function
\name:
    .endm

    .macro probe name
    .ltorg
    .balign 64
    .globl probe_\name
    function probe_\name
    .endm

    .macro turn
    subs r0, r0, #1
    bne 1b
    .endm

/* Adds registers to the checksum in r0, which is 0 when the turns are done. */
    .macro sum registers:vararg
    .irp register, \registers
    eor r0, \register, r0, ror #27
    .endr
    .endm
    .macro sum_d registers:vararg
    .irp register, \registers
    vmov r1, r2, \register
    sum r1, r2
    .endr
    .endm
    .macro sum_memory base, offsets:vararg
    .irp offset, \offsets
    ldr r12, [\base, #\offset]
    sum r12
    .endr
    .endm

/* ---- integer ----------------------------------------------------------------------------------- */

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
    turn
    sum r1
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
    turn
    sum r1, r2, r3, r4
    pop {r4, r5, pc}

probe flags                     /* 16: 8 that set flags, 8 that look at them */
    mov r1, #0
    mov r2, #0
    mov r3, #100
1:
    .rept 4
    cmp r1, r3
    ite lt
    addlt r1, r1, #1
    movge r1, #0
    adds r2, r2, r1
    adc r3, r3, #0
    .endr
    mov r3, #100
    turn
    sum r1, r2, r3
    bx lr

probe shift                     /* 8 by constants and by registers */
    ldr r1, =0x12345679
    ldr r2, =0x76543211
    mov r3, #5
1:
    .rept 2
    lsl r1, r1, #3
    ror r2, r2, r3
    orr r1, r1, r2, lsr #7
    asr r2, r2, r3
    .endr
    eor r2, r2, r1
    turn
    sum r1, r2
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
    turn
    sum r1, r3, r4, r5
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
    turn
    sum r3, r4
    pop {r4, pc}

probe bits                      /* 8: bfi, ubfx, clz, rev */
    mov r1, #0x55
    ldr r2, =0x12345678
1:
    .rept 2
    bfi r2, r1, #7, #9
    ubfx r1, r2, #5, #11
    clz r3, r2
    rev r2, r2
    .endr
    turn
    sum r1, r2, r3
    bx lr

#ifndef __thumb__
probe thumb                     /* 16 flag-setting T32 operations */
    push {r4, lr}
    ldr r12, =thumb_body
    blx r12
    pop {r4, pc}
    .thumb
    function thumb_body
    movs r1, #0
    movs r2, #1
1:
    .rept 4
    adds r1, r1, r2
    lsls r3, r1, #2
    eors r2, r3
    subs r2, #9
    .endr
    turn
    sum r1, r2
    bx lr
    guest_state
#endif

/* ---- branches and calls ------------------------------------------------------------------------ */

probe empty                     /* 1: the loop itself */
1:  turn
    mov r0, #0x55
    bx lr

probe branch_taken              /* 16 comparisons with a branch over an instruction */
    mov r1, #0
    mov r2, #0
    mov r3, #0
1:
    .rept 16
    cmp r1, #0
    beq 2f
    add r2, r2, #1
2:
    .endr
    add r3, r3, #1
    turn
    sum r2, r3
    bx lr

probe branch_not_taken          /* 16 comparisons with a branch, and the instruction behind */
    mov r1, #0
    mov r2, #0
1:
    .rept 16
    cmp r1, #1
    beq 2f
    add r2, r2, #1
2:
    .endr
    turn
    sum r2
    bx lr

probe loop_pages                /* 8 jumps, each to another page */
    mov r1, #0
1:
    .rept 8
    add r1, r1, #1
    b 2f
    .balign 4096
2:
    .endr
    turn
    sum r1
    bx lr

probe call                      /* 8 calls, half with push and pop, four sites each */
    push {r4, lr}
    mov r1, #0
1:
    .rept 4
    bl leaf
    bl frame
    .endr
    turn
    sum r1
    pop {r4, pc}
function leaf
    add r1, r1, #1
    bx lr
function frame
    push {r4, r5, r6, lr}
    add r1, r1, #2
    pop {r4, r5, r6, pc}

probe call_indirect             /* 8 calls through a table of 4, one of them in the other state */
    push {r4, r5, r6, lr}
    ldr r4, =call_table
    mov r5, #0
    mov r1, #0
1:
    .rept 8
    ldr r12, [r4, r5, lsl #2]
    add r5, r5, #1
    and r5, r5, #3
    blx r12
    .endr
    turn
    sum r1
    pop {r4, r5, r6, pc}
    .balign 4
call_table:
    .word target_a, target_b, target_c, target_d
    .balign 16
function target_a
    add r1, r1, #1
    bx lr
function target_b
    add r1, r1, #2
    bx lr
    .balign 4
#ifdef __thumb__
    .arm
#else
    .thumb
#endif
function target_c
    adds r1, r1, #3
    bx lr
    .balign 4
    guest_state
function target_d
    eor r1, r1, #4
    bx lr

probe switch                    /* 4 computed jumps */
    push {r4, lr}
    mov r1, #0
    mov r3, #0
1:
    .rept 4
    add r1, r1, #1
    and r2, r1, #3
#ifdef __thumb__
    tbb [pc, r2]
3:  .byte (4f - 3b) / 2, (5f - 3b) / 2, (6f - 3b) / 2, (7f - 3b) / 2
#else
    add pc, pc, r2, lsl #3
    nop
#endif
4:  add r3, r3, #1
    b 2f
5:  add r3, r3, #2
    b 2f
6:  add r3, r3, #3
    b 2f
7:  add r3, r3, #4
    b 2f
2:
    .endr
    turn
    sum r3
    pop {r4, pc}

/* ---- memory ------------------------------------------------------------------------------------ */

probe load                      /* 16 independent loads, 16 KB set */
    push {r4, r5, r6, lr}
    ldr r1, =probe_numbers
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
    it hs
    movhs r2, r1
    turn
    sum r4, r5, r6, r12
    pop {r4, r5, r6, pc}

probe load_dep                  /* 16 dependent loads through probe_ring */
    ldr r1, =probe_ring
    mov r2, r1
1:
    .rept 16
    ldr r1, [r1]
    .endr
    turn
    sub r1, r1, r2
    sum r1
    bx lr

probe store                     /* 16 stores, 16 KB set */
    push {r4, lr}
    ldr r1, =probe_buffer
    mov r2, r1
    add r3, r1, #16384
1:
    .rept 4
    str r0, [r2]
    str r2, [r2, #64]
    strh r0, [r2, #128]
    strb r0, [r2, #192]
    add r2, r2, #256
    .endr
    cmp r2, r3
    it hs
    movhs r2, r1
    turn
    ldr r4, [r1, #64]
    sub r4, r4, r1
    ldrh r2, [r1, #128]
    ldrb r3, [r1, #192]
    sum r2, r3, r4
    sum_memory r1, 0, 1024, 2048
    pop {r4, pc}

probe copy                      /* 8 ldm/stm pairs of 4 words */
    push {r4, r5, r6, r7, lr}
    ldr r1, =probe_numbers
    ldr r2, =probe_buffer
1:  mov r3, r1
    mov r12, r2
    .rept 8
    ldmia r3!, {r4, r5, r6, r7}
    stmia r12!, {r4, r5, r6, r7}
    .endr
    turn
    sum_memory r2, 0, 4, 60, 124
    pop {r4, r5, r6, r7, pc}

probe push_pop                  /* 4 of each, of 6 registers */
    push {r4, r5, r6, r7, r8, lr}
    mov r1, #1
    mov r2, #2
    mov r3, #3
    mov r4, #4
    mov r5, #5
    mov r6, #6
1:
    .rept 4
    push {r1, r2, r3, r4, r5, r6}
    add r1, r1, r6
    pop {r2, r3, r4, r5, r6, r7}
    .endr
    turn
    sum r1, r2, r3, r4, r5, r6, r7
    pop {r4, r5, r6, r7, r8, pc}

probe load_pairs                /* 8: ldrd, strd, writeback, register offsets */
    push {r4, r5, r6, lr}
    ldr r1, =probe_numbers
    ldr r2, =probe_buffer
    mov r3, #16
1:  ldrd r4, r5, [r1, #8]
    strd r4, r5, [r2, #8]
    ldr r6, [r1, r3]
    str r6, [r2, r3]
    ldr r12, [r1, #4]!
    str r12, [r2, #4]!
    ldr r12, [r1], #-4
    str r12, [r2], #-4
    turn
    sum_memory r2, 4, 8, 12, 16
    pop {r4, r5, r6, pc}

probe exclusive                 /* 4 ldrex/strex pairs */
    push {r4, lr}
    ldr r1, =probe_buffer
    mov r2, #7
    str r2, [r1]
    mov r4, #0
1:
    .rept 4
    ldrex r2, [r1]
    add r2, r2, #1
    strex r3, r2, [r1]
    add r4, r4, r3
    .endr
    turn
    sum r2, r4
    pop {r4, pc}

/* ---- privileged -------------------------------------------------------------------------------- */

probe syscall                   /* 1 svc from User mode and back */
    push {lr}
    mov r1, #0
    cps #0x10
1:  svc #0
    turn
    svc #0                      /* r0 is 0: comes back in SVC mode */
    sum r1
    pop {pc}

probe smc_self                  /* 1: changes an instruction of its own loop */
    push {r4, lr}
    ldr r2, =smc_self_changed
    ldr r4, =0xe2811000         /* A32: add r1, r1, #0 */
    mov r1, #0
1:  and r3, r0, #0x7f
#ifdef __thumb__
    orr r3, r3, #0x100          /* the second half of add.w r1, r1, #0 */
    strh r3, [r2, #2]
#else
    orr r3, r3, r4
    str r3, [r2]
#endif
    mcr p15, 0, r2, c7, c11, 1  /* DCCMVAU */
    dsb
    mcr p15, 0, r2, c7, c5, 1   /* ICIMVAU */
    mcr p15, 0, r2, c7, c5, 7   /* BPIMVA */
    dsb
    isb
    .balign 16
smc_self_changed:
#ifdef __thumb__
    add.w r1, r1, #1
#else
    add r1, r1, #1
#endif
    turn
    sum r1
    pop {r4, pc}
    .ltorg

/* ---- VFP --------------------------------------------------------------------------------------- */

probe vfp_f64_dep               /* 8 dependent operations */
    vmov.f64 d0, #1.0
    vmov.f64 d1, #1.25
    vmov.f64 d2, #0.5
1:
    .rept 4
    vmul.f64 d0, d0, d2
    vadd.f64 d0, d0, d1
    .endr
    turn
    sum_d d0
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
    turn
    sum_d d0, d1
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
    turn
    sum_d d0, d3
    bx lr

probe vfp_divsqrt               /* 4: div and sqrt */
    vmov.f64 d0, #3.0
    vmov.f64 d1, #7.0
1:
    .rept 2
    vdiv.f64 d2, d0, d1
    vsqrt.f64 d3, d1
    .endr
    turn
    sum_d d2, d3
    bx lr

probe vfp_convert               /* 8: conversions and compares */
    mov r1, #77
    vmov.i32 d2, #0
    vmov s0, r1
1:
    .rept 2
    vcvt.f64.s32 d1, s0
    vcvt.s32.f64 s4, d1
    vcmp.f64 d1, d1
    vmrs APSR_nzcv, fpscr
    .endr
    turn
    sum_d d1, d2
    bx lr

/* ---- NEON -------------------------------------------------------------------------------------- */

    .macro push_vectors         /* d8 to d15 belong to the caller: AAPCS 5.1.2.1 */
    vpush {d8-d15}
    .endm
    .macro pop_vectors
    vpop {d8-d15}
    .endm

probe neon_int                  /* 16 operations on Q registers */
    vmov.i32 q0, #1
    vmov.i32 q1, #3
    vmov.i16 q2, #5
    vmov.i8 q3, #7
    vmov.i8 q9, #0
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
    turn
    sum_d d0, d3, d4, d7, d16, d18, d21
    bx lr

probe neon_saturate             /* 8: saturating, narrowing, widening */
    push_vectors
    vmov.i16 q0, #100
    vmov.i16 q1, #7
    vshl.i16 q0, q0, #8
1:
    .rept 2
    vqadd.s16 q0, q0, q1
    vmovn.i16 d6, q0
    vmovl.u8 q4, d6
    vqmovn.s16 d10, q0
    .endr
    turn
    sum_d d0, d6, d8, d10
    pop_vectors
    bx lr

probe neon_shuffle              /* 8 */
    ldr r1, =probe_numbers
    vld1.32 {d0-d3}, [r1]
    vmov.i8 d20, #3
1:
    .rept 2
    vzip.8 q0, q1
    vrev32.8 q2, q0
    vtbl.8 d16, {d0-d1}, d20
    vext.8 q1, q0, q2, #5
    .endr
    turn
    sum_d d0, d1, d2, d3, d16
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
    turn
    sum_d d0, d1, d6, d7
    bx lr

probe neon_memory               /* 8: vld1 and vst1, 16 and 32 bytes, one lane, all lanes */
    ldr r1, =probe_numbers
    ldr r3, =probe_buffer
    vmov.i8 q3, #0
1:  mov r2, r1
    mov r12, r3
    vld1.32 {d0-d3}, [r2]!
    vst1.32 {d0-d3}, [r12]!
    vld1.8 {d4-d5}, [r2]!
    vst1.8 {d4-d5}, [r12]!
    vld1.32 {d6[1]}, [r2]!
    vst1.32 {d6[1]}, [r12]!
    vld1.16 {d7[]}, [r2]!
    vst1.8 {d7}, [r12]
    turn
    sum_memory r3, 0, 28, 44, 48, 52, 56
    bx lr

probe neon_structured           /* 8: vld2, vld3, vld4 and their stores */
    ldr r1, =probe_numbers
    ldr r3, =probe_buffer
1:  mov r2, r1
    mov r12, r3
    vld2.16 {d0-d1}, [r2]!
    vst2.8 {d0-d1}, [r12]!
    vld3.8 {d2-d4}, [r2]!
    vst3.16 {d2-d4}, [r12]!
    vld4.8 {d16-d19}, [r2]!
    vst4.32 {d16, d18, d20, d22}, [r12]!
    vld4.16 {d16, d18, d20, d22}, [r2]!
    vst4.8 {d16-d19}, [r12]!
    turn
    sum_memory r3, 0, 12, 20, 36, 44, 68, 72, 100
    bx lr
    .ltorg

/* ---- data -------------------------------------------------------------------------------------- */

    .section .rodata
    .balign 64
probe_numbers:
    .set number, 1
    .rept 4096
    .word number
    .set number, (number * 0x9e3779b1 + 77) & 0xffffffff
    .endr

    .bss
    .balign 4096
    .globl probe_buffer
probe_buffer:
    .space 32768
    .globl probe_ring
probe_ring:
    .space 16384

    .section .note.GNU-stack, "", %progbits
