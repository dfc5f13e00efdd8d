/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probes that user mode may run too. A probe's loop body does the operations its comment counts;
 * rows.def repeats the number. machine_probe calls them with the turns in ebp and zero in the other
 * registers; it clears what they leave in the x87 stack. Their checksum is in eax. */
#include "asm.inc"

    .text
    .globl machine_probe
machine_probe:                  /* (function, turns) */
    push %BX
    push %BP
#ifdef __x86_64__
    push %r12
    mov %rdi, %r12
    mov %esi, %ebp
#else
    push %esi
    push %edi
    mov 24(%esp), %ebp
#endif
    .irp register, eax, ebx, ecx, edx, esi, edi
    xor %\register, %\register
    .endr
    .irp register, 0, 1, 2, 3, 4, 5, 6, 7
    pxor %xmm\register, %xmm\register
    .endr
#ifdef __x86_64__
    call *%r12
    pop %r12
#else
    call *20(%esp)
    pop %edi
    pop %esi
#endif
    pop %BP
    pop %BX
    fninit
    ret

/* Adds to the checksum in eax: registers; words of the buffer; what vector registers hold; as many
 * of the x87's registers, as doubles. */
    .macro sum registers:vararg
    .irp register, \registers
    rol $5, %eax
    xor %\register, %eax
    .endr
    .endm
    .macro sum_words from, offsets:vararg
    .irp offset, \offsets
    rol $5, %eax
    xor \from + \offset, %eax
    .endr
    .endm
    .macro sum_buffer offsets:vararg
    sum_words probe_buffer, \offsets
    .endm
    .macro sum_x registers:vararg
    .irp register, \registers
    movups %xmm\register, probe_scratch
    sum_words probe_scratch, 0, 4, 8, 12
    .endr
    .endm
    .macro sum_y registers:vararg
    .irp register, \registers
    vmovups %ymm\register, probe_scratch
    sum_words probe_scratch, 0, 4, 8, 12, 16, 20, 24, 28
    .endr
    .endm
    .macro sum_x87 count
    .rept \count
    fstpl probe_scratch
    sum_words probe_scratch, 0, 4
    .endr
    .endm

/* The buffer's first 16 KB begin as the numbers, whatever ran before. */
    .macro fill_buffer
    mov $probe_numbers, %esi
    mov $probe_buffer, %edi
    mov $4096, %ecx
    rep movsl
    .endm

/* ---- integer --------------------------------------------------------------------------------- */

probe empty                     /* 1: the loop itself */
1:
    turn
    mov $0x55, %eax
    ret

probe alu_dep                   /* 16 dependent operations */
    mov $1, %eax
    mov $3, %ebx
1:
    .rept 4
    add %BX, %AX
    xor $0x55, %AX
    sub $7, %AX
    or %BX, %AX
    .endr
    turn
    ret

probe alu_ind                   /* 16 operations in 4 chains */
    mov $1, %eax
    mov $2, %ebx
    mov $3, %ecx
    mov $4, %edx
1:
    .rept 4
    add $11, %AX
    xor $0x7f, %BX
    sub $5, %CX
    add $3, %DX
    .endr
    turn
    sum ebx, ecx, edx
    ret

probe lea                       /* 8 */
    mov $1, %eax
    mov $2, %ebx
    mov $3, %ecx
1:
    .rept 2
    lea 4(%AX,%BX), %CX
    lea (%AX,%AX,4), %AX
    lea 0x123(,%CX,2), %BX
    lea -1(%BX,%CX,8), %DX
    .endr
    turn
    sum ebx, ecx, edx
    ret

probe flags                     /* 16: compare, cmov, setcc, add with carry */
    mov $0, %eax
    mov $50, %ebx
    mov $0, %ecx
    mov $0x80000000, %esi
1:
    .rept 4
    cmp %BX, %AX
    cmovl %CX, %AX
    setge %dl
    adc %SI, %CX
    .endr
    turn
    sum ecx, edx
    ret

probe branch                    /* 8 comparisons with their jumps, half of them taken */
    mov $5, %eax
    mov $9, %ebx
1:
    .rept 2
    cmp %BX, %AX
    jg 2f
    inc %CX
2:  test $4, %al
    jnz 2f
    inc %DX
2:  cmp $5, %AX
    je 2f
    inc %SI
2:  bt $1, %AX
    jc 2f
    inc %DI
2:
    .endr
    turn
    sum ecx, edx, esi, edi
    ret

probe shift                     /* 8 by constants */
    mov $0x12345679, %eax
    mov $0x76543211, %ebx
1:
    .rept 2
    shl $3, %AX
    sar $1, %BX
    rol $5, %AX
    shrd $7, %AX, %BX
    .endr
    turn
    sum ebx
    ret

probe shift_cl                  /* 8 by CL */
    mov $0x12345679, %eax
    mov $0x76543211, %ebx
    mov $5, %ecx
1:
    .rept 2
    shl %cl, %AX
    sar %cl, %BX
    ror %cl, %AX
    shld %cl, %BX, %AX
    .endr
    turn
    sum ebx
    ret

probe bits                      /* 8 */
    mov $0x12345678, %eax
1:
    .rept 2
    bswap %AX
    bsr %AX, %BX
    bts $3, %AX
    bsf %AX, %CX
    .endr
    turn
    sum ebx, ecx
    ret

probe partial                   /* 16 on parts of registers */
    mov $0x1234, %eax
    mov $0x4321, %ebx
1:
    .rept 2
    add %al, %ah
    mov %ah, %bl
    inc %ax
    movzbl %bh, %ecx
    xor $3, %bh
    movsbl %al, %edx
    mov $7, %dh
    sub %dx, %bx
    .endr
    turn
    sum ebx, ecx, edx
    ret

probe multiply                  /* 8 */
    mov $7, %ebx
    mov $0x12345677, %eax
    mov $0x76543211, %ecx
1:
    .rept 2
    imul %CX, %BX
    imul $77, %BX, %BX
    mul %CX
    imul %ebx
    .endr
    turn
    sum ebx, edx
    ret

probe divide                    /* 4 */
    mov $13, %ecx
1:
    .rept 2
    mov $0x7fffff31, %eax
    xor %edx, %edx
    div %ecx
    cltd
    idiv %ecx
    .endr
    turn
    sum edx
    ret

probe load                      /* 16 independent loads, 16 KB set */
    mov $probe_numbers, %esi
    lea 16384(%SI), %DI
    mov %SI, %CX
1:
    .rept 4
    mov (%CX), %AX
    mov 64(%CX), %ebx
    movzwl 128(%CX), %edx
    movsbl 192(%CX), %eax
    add $256, %CX
    .endr
    cmp %DI, %CX
    cmovae %SI, %CX
    turn
    sum ebx, edx
    ret

probe load_dep                  /* 16 dependent loads */
    mov $probe_ring, %eax
1:
    .rept 16
    mov (%AX), %AX
    .endr
    turn
    sub $probe_ring, %eax
    ret

probe store                     /* 16 stores, 16 KB set */
    fill_buffer
    mov $probe_buffer, %esi
    lea 16384(%SI), %DI
    mov %SI, %CX
    mov $3, %eax
1:
    .rept 4
    mov %BP, (%CX)
    movl $5, 64(%CX)
    mov %bp, 128(%CX)
    movb %al, 192(%CX)
    add $256, %CX
    .endr
    cmp %DI, %CX
    cmovae %SI, %CX
    turn
    xor %eax, %eax
    sum_buffer 0, 64, 128, 192, 1024, 2048
    ret

probe memory_operand            /* 8 operations with a source in memory */
    mov $probe_numbers, %esi
1:
    .rept 2
    add (%SI), %AX
    cmp 8(%SI), %BX
    imul 16(%SI), %CX
    and 24(%SI), %DX
    .endr
    turn
    sum ecx, edx
    ret

probe read_modify_write         /* 8 */
    fill_buffer
    mov $probe_buffer, %esi
1:
    .rept 2
    add %AX, (%SI)
    incl 64(%SI)
    xorb $5, 128(%SI)
    shll $1, 192(%SI)
    .endr
    turn
    sum_buffer 0, 64, 128, 192
    ret

probe copy                      /* 8 loads, each stored elsewhere */
    mov $probe_numbers, %esi
    mov $probe_buffer, %edi
1:
    .set offset, 0
    .rept 8
    mov offset(%SI), %AX
    mov %AX, offset(%DI)
    .set offset, offset + WORD
    .endr
    turn
    sum_buffer 0, 8, 28
    ret

probe unaligned                 /* 8 loads off alignment */
    mov $probe_numbers + 1, %esi
1:
    .rept 4
    mov 4(%SI), %AX
    mov 20(%SI), %ebx
    .endr
    turn
    sum ebx
    ret

probe push_pop                  /* 8 of each */
    mov $3, %eax
    mov $5, %ebx
    mov $9, %edx
1:
    .rept 2
    push %AX
    push %BX
    push $77
    push %DX
    pop %CX
    pop %SI
    pop %BX
    pop %DI
    .endr
    turn
    sum ebx, ecx, edi, esi
    ret

probe locked                    /* 4 */
    fill_buffer
    mov $probe_buffer, %esi
1:  lock xadd %ebx, (%SI)
    lock incl 64(%SI)
    mov 128(%SI), %eax
    lock cmpxchg %ecx, 128(%SI)
    xchg %edx, 192(%SI)
    turn
    sum ebx, ecx, edx
    sum_buffer 0, 64, 128, 192
    ret

probe call                      /* 8: a leaf and one with a frame, four sites each */
1:
    .rept 4
    call leaf
    call frame
    .endr
    turn
    ret
leaf:
    inc %AX
    ret
frame:
    push %BP
    mov %SP, %BP
    push %BX
    inc %AX
    pop %BX
    leave
    ret

probe call_indirect             /* 8 through a table of 4 */
    xor %ebx, %ebx
1:
    .rept 8
    call *call_table(,%BX,WORD)
    inc %ebx
    and $3, %ebx
    .endr
    turn
    ret
    .balign 16
target_a:
    add $1, %AX
    ret
target_b:
    add $2, %AX
    ret
target_c:
    add $3, %AX
    ret
target_d:
    xor $4, %AX
    ret

probe switch                    /* 4 jumps through tables */
    xor %ebx, %ebx
1:
    .rept 4
    inc %ebx
    and $3, %ebx
    jmp *9f(,%BX,WORD)
    .pushsection .data
9:  POINTER 4f, 5f, 6f, 7f
    .popsection
4:  add $1, %AX
    jmp 8f
5:  add $2, %AX
    jmp 8f
6:  add $3, %AX
    jmp 8f
7:  add $4, %AX
8:
    .endr
    turn
    ret

probe branch_taken              /* 16 comparisons with a branch over an instruction */
1:
    .rept 16
    cmp $0, %ecx
    je 2f
    inc %eax
2:
    .endr
    inc %ebx
    turn
    sum ebx
    ret

probe branch_not_taken          /* 16 comparisons with a branch, and the instruction behind */
1:
    .rept 16
    cmp $1, %ecx
    je 2f
    inc %eax
2:
    .endr
    turn
    ret

probe loop_pages                /* 8 jumps, each to another page */
1:
    .rept 8
    inc %eax
    jmp 2f
    .balign 4096
2:
    .endr
    turn
    ret

/* ---- strings --------------------------------------------------------------------------------- */

    .macro copied bytes
    mov $probe_buffer, %esi
    mov $probe_buffer + 8192, %edi
    mov $\bytes, %ecx
    .endm

probe rep_movsb_small           /* 1 of 13 bytes */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 13
    rep movsb
    turn
    sum_buffer 8192, 8200, 8204
    ret

probe rep_movsb_4k              /* 1 */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 4096
    rep movsb
    turn
    sum_buffer 8192, 8200, 12284
    ret

probe rep_movsl_4k              /* 1 */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 1024
    rep movsl
    turn
    sum_buffer 8192, 8200, 12284
    ret

probe rep_stosl_small           /* 1 of 20 bytes */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 5
    rep stosl
    turn
    sum_buffer 8192, 8208, 8212
    ret

probe rep_stosl_4k              /* 1 */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 1024
    rep stosl
    turn
    sum_buffer 8192, 12284, 12288
    ret

probe rep_scasb                 /* 1 of 256 bytes, none found */
    mov $0x99, %al
1:  mov $probe_zeros, %edi
    mov $256, %ecx
    repne scasb
    turn
    sum ecx
    ret

probe rep_cmpsb                 /* 1 of 256 bytes, equal */
1:  mov $probe_zeros, %esi
    mov $probe_zeros + 512, %edi
    mov $256, %ecx
    repe cmpsb
    turn
    lea 1(%CX), %AX             /* 1 if all were equal */
    ret

probe lods_stos                 /* 8 pairs of single instructions */
    fill_buffer
    mov $0x5a5a77, %eax
1:  copied 0
    .rept 8
    lodsb
    stosb
    .endr
    turn
    sum_buffer 8192, 8196
    ret

/* ---- x87, MMX -------------------------------------------------------------------------------- */

probe x87_dep                   /* 8 dependent operations */
    fldl number_half
    fldl number_1_25
    fld1
1:
    .rept 4
    fmul %st(2), %st
    fadd %st(1), %st
    .endr
    turn
    sum_x87 1
    ret

probe x87_ind                   /* 8 operations on 4 registers */
    fldl number_half
    fldl number_1_25
    fldl number_half
    fldl number_1_25
    fld1
1:
    .rept 2
    fadd %st, %st(1)
    fmul %st, %st(2)
    fsub %st(4), %st
    fadd %st(4), %st
    .endr
    turn
    sum_x87 3
    ret

probe x87_stack                 /* 8: expressions as compilers leave them */
    mov $numbers, %esi
1:
    .rept 2
    fldl (%SI)
    faddl 8(%SI)
    fmull 16(%SI)
    fstpl probe_buffer
    .endr
    turn
    sum_buffer 0, 4
    ret

probe x87_divsqrt               /* 4 */
    fldl number_3
    fldl number_7
1:
    .rept 2
    fld %st(1)
    fdiv %st(1), %st
    fsqrt
    fstpl probe_buffer
    .endr
    turn
    sum_buffer 0, 4
    ret

probe x87_memory                /* 8 loads and stores of three widths */
    mov $probe_buffer, %esi
    fldl number_7
    fstpt 16(%SI)
1:  fldl number_3
    fstpl (%SI)
    fldl (%SI)
    fstps 8(%SI)
    flds 8(%SI)
    fstpl (%SI)
    fldt 16(%SI)
    fstpt 32(%SI)
    turn
    sum_buffer 0, 4, 8, 32, 36, 40
    ret

probe x87_convert               /* 8 between integers and floats */
    mov $probe_buffer, %esi
    movl $77, (%SI)
1:
    .rept 2
    fildl (%SI)
    fistpl 8(%SI)
    fildl 8(%SI)
    fistpll 16(%SI)
    .endr
    turn
    sum_buffer 8, 16, 20
    ret

probe x87_compare               /* 4 */
    fldl number_3
    fldl number_7
1:  fcomi %st(1), %st
    adc $1, %ebx
    fucom %st(1)
    fnstsw %ax
    fcomi %st(1), %st
    ftst
    turn
    sum ebx
    ret

probe x87_sine                  /* 1 */
    fldl number_half
1:  fld %st(0)
    fsin
    fstps probe_buffer          /* rounded: processors differ in the last bits */
    turn
    sum_buffer 0
    ret

probe mmx                       /* 8 */
    movq numbers, %mm0
    movq numbers + 8, %mm1
    pxor %mm2, %mm2
    movq numbers + 16, %mm3
1:
    .rept 2
    paddw %mm0, %mm1
    pxor %mm1, %mm2
    pmullw %mm1, %mm3
    packuswb %mm2, %mm3
    .endr
    turn
    movq %mm2, probe_scratch
    movq %mm3, probe_scratch + 8
    sum_words probe_scratch, 0, 4, 8, 12
    emms
    ret

probe mmx_saturate              /* 8 */
    movq numbers, %mm0
    movq numbers + 8, %mm1
    movq numbers + 16, %mm2
1:
    .rept 2
    paddsw %mm0, %mm1
    psubusb %mm1, %mm2
    packsswb %mm2, %mm1
    punpcklbw %mm0, %mm2
    .endr
    turn
    movq %mm1, probe_scratch
    movq %mm2, probe_scratch + 8
    sum_words probe_scratch, 0, 4, 8, 12
    emms
    ret

/* ---- SSE ------------------------------------------------------------------------------------- */

    .macro load_f32
    movaps f32_one, %xmm0
    movaps f32_half, %xmm1
    movaps f32_1_25, %xmm2
    movaps f32_one, %xmm3
    movaps f32_one, %xmm4
    .endm
    .macro load_f64
    movapd f64_one, %xmm0
    movapd f64_half, %xmm1
    movapd f64_1_25, %xmm2
    movapd f64_one, %xmm3
    movapd f64_one, %xmm4
    .endm

probe sse_f32_scalar            /* 8 operations in chains */
    load_f32
1:
    .rept 2
    mulss %xmm1, %xmm0
    addss %xmm2, %xmm0
    mulss %xmm1, %xmm3
    subss %xmm2, %xmm3
    .endr
    turn
    sum_x 0, 3
    ret

probe sse_f64_dep               /* 8 dependent operations */
    load_f64
1:
    .rept 4
    mulsd %xmm1, %xmm0
    addsd %xmm2, %xmm0
    .endr
    turn
    sum_x 0
    ret

probe sse_f32                   /* 8 packed */
    load_f32
1:
    .rept 2
    mulps %xmm1, %xmm0
    addps %xmm2, %xmm0
    mulps %xmm1, %xmm3
    maxps %xmm2, %xmm3
    .endr
    turn
    sum_x 0, 3
    ret

probe sse_f64                   /* 8 packed */
    load_f64
1:
    .rept 2
    mulpd %xmm1, %xmm0
    addpd %xmm2, %xmm0
    mulpd %xmm1, %xmm3
    minpd %xmm2, %xmm3
    .endr
    turn
    sum_x 0, 3
    ret

probe sse_divsqrt               /* 4 */
    load_f64
1:  movapd %xmm2, %xmm3
    divsd %xmm1, %xmm3
    sqrtsd %xmm2, %xmm4
    divss %xmm2, %xmm5
    sqrtps %xmm2, %xmm6
    turn
    sum_x 3, 4, 5, 6
    ret

probe sse_convert               /* 8: conversions and compares */
    load_f64
    mov $77, %eax
1:
    .rept 2
    cvtsi2sd %eax, %xmm3
    cvttsd2si %xmm3, %ecx
    cvtsd2ss %xmm2, %xmm4
    ucomisd %xmm1, %xmm2
    .endr
    turn
    sum ecx
    sum_x 3, 4
    ret

probe sse_int                   /* 16 */
    movdqa numbers, %xmm0
    movdqa numbers + 16, %xmm1
    pcmpeqd %xmm2, %xmm2
    pcmpeqd %xmm4, %xmm4
1:
    .rept 2
    paddd %xmm1, %xmm0
    pxor %xmm0, %xmm1
    pmullw %xmm0, %xmm2
    pmaxub %xmm1, %xmm3
    pslld $3, %xmm4
    pcmpgtw %xmm2, %xmm5
    psubb %xmm3, %xmm6
    pandn %xmm1, %xmm7
    .endr
    turn
    sum_x 0, 1, 2, 3, 4, 5, 6, 7
    ret

probe sse_shuffle               /* 8: SSE2, SSSE3, SSE4.1 */
    movdqa numbers, %xmm0
    movdqa shuffle_bytes, %xmm1
1:
    .rept 2
    pshufd $0x1b, %xmm0, %xmm2
    punpcklbw %xmm0, %xmm2
    pshufb %xmm1, %xmm2
    pblendw $0x55, %xmm2, %xmm0
    .endr
    turn
    sum_x 0, 2
    ret

probe sse_saturate              /* 8 */
    movdqa numbers, %xmm0
    movdqa numbers + 16, %xmm1
    pcmpeqd %xmm2, %xmm2
1:
    .rept 2
    paddsw %xmm1, %xmm0
    psubusb %xmm0, %xmm2
    packssdw %xmm2, %xmm1
    paddusw %xmm0, %xmm2
    .endr
    turn
    sum_x 0, 1, 2
    ret

probe sse_transpose             /* 16: four rows of four, loaded, turned, stored */
    mov $probe_numbers, %esi
1:  movaps (%SI), %xmm0
    movaps 16(%SI), %xmm1
    movaps 32(%SI), %xmm2
    movaps 48(%SI), %xmm3
    movaps %xmm0, %xmm4
    unpcklps %xmm1, %xmm0
    unpckhps %xmm1, %xmm4
    movaps %xmm2, %xmm5
    unpcklps %xmm3, %xmm2
    unpckhps %xmm3, %xmm5
    movlhps %xmm2, %xmm0
    movhlps %xmm4, %xmm5
    movaps %xmm0, probe_buffer
    movaps %xmm2, probe_buffer + 16
    movaps %xmm4, probe_buffer + 32
    movaps %xmm5, probe_buffer + 48
    turn
    sum_buffer 0, 4, 20, 36, 52, 60
    ret

probe sse_memory                /* 8 loads and stores, aligned and not */
    fill_buffer
    mov $probe_buffer, %esi
1:  movaps (%SI), %xmm0
    movups 17(%SI), %xmm1
    movaps %xmm0, 64(%SI)
    movups %xmm1, 97(%SI)
    paddd 32(%SI), %xmm2
    movlps 48(%SI), %xmm3
    movd %xmm3, 128(%SI)
    movsd 56(%SI), %xmm4
    turn
    sum_x 2, 3, 4
    sum_buffer 64, 100, 112, 128
    ret

probe sse_moves                 /* 8 between general and vector registers, masks */
    mov $0x1234f678, %eax
1:
    .rept 2
    movd %eax, %xmm0
    movd %xmm0, %ebx
    pmovmskb %xmm0, %ecx
    pextrw $3, %xmm0, %edx
    .endr
    turn
    sum ebx, ecx, edx
    ret

probe fxsave                    /* 1 save and restore */
    load_f32
    pcmpeqd %xmm7, %xmm7
    mov $probe_buffer, %esi
1:  fxsave (%SI)
    fxrstor (%SI)
    turn
    sum_x 1, 7
    ret

/* ---- AVX ------------------------------------------------------------------------------------- */

    .macro load_avx type
    vzeroall
    vmovaps \type\()_one, %ymm0
    vmovaps \type\()_half, %ymm1
    vmovaps \type\()_1_25, %ymm2
    vmovaps \type\()_one, %ymm3
    .endm

probe avx_f32                   /* 8 of 256 bits */
    load_avx f32
1:
    .rept 2
    vmulps %ymm1, %ymm0, %ymm0
    vaddps %ymm2, %ymm0, %ymm0
    vmulps %ymm1, %ymm3, %ymm3
    vsubps %ymm2, %ymm3, %ymm3
    .endr
    turn
    sum_y 0, 3
    vzeroupper
    ret

probe avx_f64                   /* 8 of 256 bits */
    load_avx f64
1:
    .rept 2
    vmulpd %ymm1, %ymm0, %ymm0
    vaddpd %ymm2, %ymm0, %ymm0
    vmulpd %ymm1, %ymm3, %ymm3
    vminpd %ymm2, %ymm3, %ymm3
    .endr
    turn
    sum_y 0, 3
    vzeroupper
    ret

probe avx_scalar                /* 8 with three operands */
    load_avx f64
1:
    .rept 2
    vmulsd %xmm1, %xmm0, %xmm0
    vaddsd %xmm2, %xmm0, %xmm0
    vmulsd %xmm1, %xmm3, %xmm4
    vsubsd %xmm2, %xmm4, %xmm3
    .endr
    turn
    sum_y 0, 3
    vzeroupper
    ret

probe avx_memory                /* 8 */
    fill_buffer
    mov $probe_buffer, %esi
1:
    .rept 2
    vmovaps (%SI), %ymm0
    vmovups 33(%SI), %ymm1
    vmovups %ymm1, 65(%SI)
    vbroadcastss 96(%SI), %ymm2
    .endr
    turn
    sum_y 0, 1, 2
    vzeroupper
    ret

probe avx2_int                  /* 8 of 256 bits */
    vzeroall
    vmovdqa numbers, %ymm0
    vmovdqa numbers, %ymm1
1:
    .rept 2
    vpaddd %ymm1, %ymm0, %ymm0
    vpxor %ymm0, %ymm1, %ymm1
    vpmullw %ymm0, %ymm1, %ymm2
    vpshufb %ymm1, %ymm2, %ymm3
    .endr
    turn
    sum_y 0, 1, 2, 3
    vzeroupper
    ret

probe avx2_shuffle              /* 8 of 256 bits: saturating, shuffles across halves */
    vzeroall
    vmovdqa numbers, %ymm0
    vmovdqa f32_1_25, %ymm1
1:
    .rept 2
    vpaddusw %ymm1, %ymm0, %ymm0
    vpackssdw %ymm0, %ymm1, %ymm2
    vpermq $0x1b, %ymm2, %ymm3
    vpunpcklbw %ymm3, %ymm0, %ymm1
    .endr
    turn
    sum_y 0, 1, 2, 3
    vzeroupper
    ret

probe fma                       /* 8 */
    load_avx f64
1:
    .rept 2
    vfmadd213pd %ymm2, %ymm1, %ymm0
    vfmadd213ps %ymm1, %ymm4, %ymm5
    vfmadd213sd %xmm2, %xmm1, %xmm3
    vfnmadd231pd %ymm1, %ymm6, %ymm7
    .endr
    turn
    sum_y 0, 3, 5, 7
    vzeroupper
    ret

/* ---- what systems do, and user mode may ------------------------------------------------------ */

probe segment_load              /* 4 */
    mov %es, %ax
    xor %ebx, %ebx
1:  inc %ebx
    .rept 4
    mov %eax, %es
    .endr
    turn
    mov %ebx, %eax
    ret

probe far_call                  /* 1 call and return */
    mov $far_pointer, %esi
    mov %cs, 4(%SI)
1:  lcall *(%SI)
    turn
    mov %ebx, %eax
    ret
far_target:
    inc %ebx
    lretl

probe time_stamp                /* 1 */
1:  rdtsc
    turn
    or %edx, %eax               /* it counts: that is all that can be known */
    setnz %al
    movzbl %al, %eax
    ret

probe smc_self                  /* 1: changes an instruction of its own loop */
    jmp self_modify_loop
    .balign 4096
self_modify_loop:
    mov $self_modified + 1, %esi
1:  mov %ebp, (%SI)
self_modified:
    mov $0x12345678, %eax
    add %eax, %ebx
    turn
    mov %ebx, %eax
    ret
    .balign 4096

/* ---- data ------------------------------------------------------------------------------------ */

    .data
    .balign 64
f32_one:    .float 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0
f32_half:   .float 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5
f32_1_25:   .float 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25
f64_one:    .double 1.0, 1.0, 1.0, 1.0
f64_half:
number_half: .double 0.5, 0.5, 0.5, 0.5
f64_1_25:
number_1_25: .double 1.25, 1.25, 1.25, 1.25
numbers:
number_3:   .double 3.0
number_7:   .double 7.0, 11.0, 13.0
shuffle_bytes: .byte 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3
call_table: POINTER target_a, target_b, target_c, target_d
far_pointer: .long far_target, 0

    .balign 64
probe_numbers:
    .set number, 1
    .rept 4096
    .long number
    .set number, (number * 0x9e3779b1 + 77) & 0xffffffff
    .endr

    .bss
    .balign 4096
    .globl probe_ring
probe_buffer: .space 32768
probe_ring: .space 32768
probe_zeros: .space 4096
probe_scratch: .space 64

    .section .note.GNU-stack, "", @progbits
