/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small x86-64 assembler: one function per instruction form, opcodes as
 * numbers that carry their prefix and map ("Intel SDM" volume 2 is the source
 * of every encoding). Writes at `p` unchecked: the caller keeps a margin before
 * the buffer's end.
 */
#ifndef CALQUE_BACKEND_X86_64_EMIT_H
#define CALQUE_BACKEND_X86_64_EMIT_H

#include <string.h>

#include "util/compiler.h"

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
enum { XMM_BASE = 16, N_REGS = 32, NO_REG = 0xff };

/* Condition codes of jcc, setcc, cmovcc. */
enum cc {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G,
};

/* An opcode: bits 7:0 the byte, 9:8 the map (0 none, 1 0F, 2 0F38, 3 0F3A),
 * 11:10 the mandatory prefix as VEX.pp codes it (1 66, 2 F3, 3 F2), then
 * attributes. */
enum opcode_bits {
    OP_0F = 1 << 8,
    OP_0F38 = 2 << 8,
    OP_0F3A = 3 << 8,
    OP_66 = 1 << 10,
    OP_F3 = 2 << 10,
    OP_F2 = 3 << 10,
    OP_W = 1 << 12,    /* REX.W / VEX.W */
    OP_BYTE = 1 << 13, /* the register operand (reg field) is a byte register */
    OP_BYTE_RM = 1 << 14,
    OP_LOCK = 1 << 15,
    OP_16 = 1 << 16, /* operand-size prefix on an integer instruction */
};

enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum shift { SHIFT_ROL, SHIFT_ROR, SHIFT_RCL, SHIFT_RCR, SHIFT_SHL, SHIFT_SHR, SHIFT_SAR = 7 };

/* [base + index << scale + disp]; index NO_REG: none; base NO_REG: disp is
 * relative to rip, given as the distance from the executable address of the
 * instruction's end (see mem_rip). */
struct mem {
    uint8_t base, index, scale;
    int32_t disp;
};

static inline struct mem mem_at(unsigned base, int32_t disp)
{
    return (struct mem){(uint8_t)base, NO_REG, 0, disp};
}

static inline struct mem mem_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct mem){(uint8_t)base, (uint8_t)index, (uint8_t)scale, disp};
}

/* Where code goes. exec = p + exec_offset. */
struct assembler {
    uint8_t *p;
    ptrdiff_t exec_offset;
    bool avx;
};

static inline uint64_t asm_here(const struct assembler *a)
{
    return (uint64_t)(a->p + a->exec_offset);
}

static inline void put8(struct assembler *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}

static inline void put32(struct assembler *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}

static inline void put64(struct assembler *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}

/*
 * Bytes of an instruction are written through a pointer in a register: a byte may alias anything,
 * so that through a->p each would wait for the one before to pass through memory. What an
 * instruction may lack is written all the same, and the next byte over it: that is quicker than a
 * jump the processor cannot foresee. There is always room for some bytes more (INSN_MARGIN).
 */
static inline uint8_t *place_opcode(uint8_t *p, unsigned op, unsigned rex)
{
    static const uint8_t prefix[4] = {0, 0x66, 0xf3, 0xf2};
    unsigned mandatory = op >> 10 & 3, map = op >> 8 & 3;

    *p = 0xf0;
    p += (op & OP_LOCK) != 0;
    *p = 0x66;
    p += (op & OP_16) != 0;
    *p = prefix[mandatory];
    p += mandatory != 0;
    *p = (uint8_t)(rex | 0x40);
    p += rex != 0;
    *p = 0x0f;
    p += map != 0;
    *p = map == 2 ? 0x38 : 0x3a;
    p += map > 1;
    *p++ = (uint8_t)op;
    return p;
}

static inline void emit_opcode(struct assembler *a, unsigned op, unsigned rex)
{
    a->p = place_opcode(a->p, op, rex);
}

/* Register operand `reg`, register operand `rm` (numbers 0..15, of whatever
 * file). */
static inline void emit_rr(struct assembler *a, unsigned op, unsigned reg, unsigned rm)
{
    reg &= 15;
    rm &= 15;
    unsigned rex = (op & OP_W ? 8 : 0) | (reg >> 3) << 2 | rm >> 3;
    if (((op & OP_BYTE) && reg >= 4) || ((op & OP_BYTE_RM) && rm >= 4))
        rex |= 0x40;
    uint8_t *p = place_opcode(a->p, op, rex);
    *p++ = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = p;
}

static inline uint8_t *place_disp(uint8_t *p, int32_t disp, unsigned bytes)
{
    memcpy(p, &disp, 4);
    return p + bytes;
}

static inline uint8_t *place_modrm_mem(uint8_t *p, unsigned reg, struct mem m,
                                       unsigned trailing_bytes)
{
    reg = (reg & 7) << 3;
    if (m.base == NO_REG && m.index != NO_REG) {
        *p++ = (uint8_t)(0x04 | reg);
        *p++ = (uint8_t)((unsigned)m.scale << 6 | (m.index & 7) << 3 | 5);
        return place_disp(p, m.disp, 4);
    }
    if (m.base == NO_REG) {
        *p++ = (uint8_t)(0x05 | reg);
        return place_disp(p, (int32_t)((uint32_t)m.disp - 4 - trailing_bytes), 4);
    }
    unsigned base = m.base & 7;
    bool sib = m.index != NO_REG || base == RSP;
    unsigned mode = 0x80, bytes = 4;
    if (m.disp == 0 && base != RBP) {
        mode = 0;
        bytes = 0;
    } else if (m.disp >= -128 && m.disp <= 127) {
        mode = 0x40;
        bytes = 1;
    }
    *p++ = (uint8_t)(mode | reg | (sib ? 4 : base));
    *p = (uint8_t)(m.scale << 6 | (m.index == NO_REG ? 4 : m.index & 7) << 3 | base);
    p += sib;
    return place_disp(p, m.disp, bytes);
}

static inline unsigned mem_rex(struct mem m)
{
    return (m.base != NO_REG ? m.base >> 3 & 1 : 0) |
           (m.index != NO_REG ? (m.index >> 3 & 1) << 1 : 0);
}

/* A rip-relative operand is written as {NO_REG, .., disp} where disp counts
 * from the start of the disp32 field; mem_rip cannot know that place, so the
 * target is given as an absolute address. */
struct rip_target {
    uint64_t address;
};

static inline void emit_rm_imm(struct assembler *a, unsigned op, unsigned reg, struct mem m,
                               unsigned trailing_bytes)
{
    reg &= 15;
    unsigned rex = (op & OP_W ? 8 : 0) | (reg >> 3) << 2 | mem_rex(m);
    if ((op & OP_BYTE) && reg >= 4)
        rex |= 0x40;
    a->p = place_modrm_mem(place_opcode(a->p, op, rex), reg, m, trailing_bytes);
}

static inline void emit_rm(struct assembler *a, unsigned op, unsigned reg, struct mem m)
{
    emit_rm_imm(a, op, reg, m, 0);
}

/* The same with a rip-relative operand at an absolute executable address. */
static inline void emit_rip(struct assembler *a, unsigned op, unsigned reg, uint64_t address,
                            unsigned trailing_bytes)
{
    reg &= 15;
    unsigned rex = (op & OP_W ? 8 : 0) | (reg >> 3) << 2;
    if ((op & OP_BYTE) && reg >= 4)
        rex |= 0x40;
    uint8_t *p = place_opcode(a->p, op, rex);
    *p++ = (uint8_t)(0x05 | (reg & 7) << 3);
    uint64_t here = (uint64_t)(p + a->exec_offset);
    a->p = place_disp(p, (int32_t)(address - here - 4 - trailing_bytes), 4);
}

static inline void emit_vex(struct assembler *a, unsigned op, unsigned rxb, unsigned vvvv,
                            unsigned length)
{
    unsigned map = op >> 8 & 3, pp = op >> 10 & 3, w = op & OP_W ? 0x80 : 0;
    unsigned tail = (~vvvv & 15) << 3 | length << 2 | pp;
    if (map == 1 && !w && !(rxb & 3)) {
        put8(a, 0xc5);
        put8(a, (rxb & 4 ? 0 : 0x80) | tail);
    } else {
        put8(a, 0xc4);
        put8(a, (~rxb & 7) << 5 | map);
        put8(a, w | tail);
    }
    put8(a, op & 0xff);
}

static inline void emit_vex_rr(struct assembler *a, unsigned op, unsigned reg, unsigned vvvv,
                               unsigned rm)
{
    reg &= 15;
    rm &= 15;
    emit_vex(a, op, (reg >> 3) << 2 | rm >> 3, vvvv & 15, 0);
    put8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void emit_vex_rm(struct assembler *a, unsigned op, unsigned reg, unsigned vvvv,
                               struct mem m, unsigned trailing_bytes)
{
    reg &= 15;
    emit_vex(a, op, (reg >> 3) << 2 | mem_rex(m), vvvv & 15, 0);
    a->p = place_modrm_mem(a->p, reg, m, trailing_bytes);
}

/* ---- integer instructions; w: OP_W for 64 bits, 0 for 32 ------------------------------------- */

static inline void emit_mov_rr(struct assembler *a, unsigned w, unsigned dst, unsigned src)
{
    emit_rr(a, 0x8b | w, dst, src);
}

static inline void emit_mov_imm(struct assembler *a, unsigned dst, uint64_t value)
{
    if (value <= UINT32_MAX) {
        if (dst >= 8)
            put8(a, 0x41);
        put8(a, 0xb8 | (dst & 7));
        put32(a, (uint32_t)value);
    } else if ((int64_t)value == (int32_t)value) {
        emit_rr(a, 0xc7 | OP_W, 0, dst);
        put32(a, (uint32_t)value);
    } else {
        put8(a, dst >= 8 ? 0x49 : 0x48);
        put8(a, 0xb8 | (dst & 7));
        put64(a, value);
    }
}

static inline void emit_load(struct assembler *a, unsigned w, unsigned dst, struct mem m)
{
    emit_rm(a, 0x8b | w, dst, m);
}

static inline void emit_store(struct assembler *a, unsigned w, struct mem m, unsigned src)
{
    emit_rm(a, 0x89 | w, src, m);
}

static inline void emit_lea(struct assembler *a, unsigned w, unsigned dst, struct mem m)
{
    emit_rm(a, 0x8d | w, dst, m);
}

static inline void emit_alu_rr(struct assembler *a, unsigned w, enum alu op, unsigned dst,
                               unsigned src)
{
    emit_rr(a, (0x03 + op * 8) | w, dst, src);
}

static inline void emit_alu_rm(struct assembler *a, unsigned w, enum alu op, unsigned dst,
                               struct mem m)
{
    emit_rm(a, (0x03 + op * 8) | w, dst, m);
}

static inline void emit_alu_ri(struct assembler *a, unsigned w, enum alu op, unsigned dst,
                               int32_t value)
{
    if (value == (int8_t)value) {
        emit_rr(a, 0x83 | w, op, dst);
        put8(a, (uint8_t)value);
    } else if (dst == RAX) {
        emit_opcode(a, (0x05 + op * 8) | w, w ? 8 : 0);
        put32(a, (uint32_t)value);
    } else {
        emit_rr(a, 0x81 | w, op, dst);
        put32(a, (uint32_t)value);
    }
}

static inline void emit_alu_mi(struct assembler *a, unsigned w, enum alu op, struct mem m,
                               int32_t value)
{
    if (value == (int8_t)value) {
        emit_rm_imm(a, 0x83 | w, op, m, 1);
        put8(a, (uint8_t)value);
    } else {
        emit_rm_imm(a, 0x81 | w, op, m, 4);
        put32(a, (uint32_t)value);
    }
}

static inline void emit_test_rr(struct assembler *a, unsigned w, unsigned x, unsigned y)
{
    emit_rr(a, 0x85 | w, y, x);
}

/* test reg, imm with the shortest form that gives the same Z; exact: N must be
 * right too. */
static inline void emit_test_ri(struct assembler *a, unsigned w, unsigned reg, int32_t value,
                                bool exact)
{
    if (value >= 0 && value <= (exact ? 0x7f : 0xff)) {
        if (reg == RAX) {
            put8(a, 0xa8);
        } else {
            emit_rr(a, 0xf6 | OP_BYTE_RM, 0, reg);
        }
        put8(a, (uint8_t)value);
        return;
    }
    if (reg == RAX)
        emit_opcode(a, 0xa9 | w, w ? 8 : 0);
    else
        emit_rr(a, 0xf7 | w, 0, reg);
    put32(a, (uint32_t)value);
}

static inline void emit_cmp_byte_mem(struct assembler *a, struct mem m, unsigned value)
{
    emit_rm_imm(a, 0x80, 7, m, 1);
    put8(a, value);
}

static inline void emit_shift_i(struct assembler *a, unsigned w, enum shift op, unsigned reg,
                                unsigned amount)
{
    if (amount == 1) {
        emit_rr(a, 0xd1 | w, op, reg);
    } else {
        emit_rr(a, 0xc1 | w, op, reg);
        put8(a, amount);
    }
}

static inline void emit_setcc_r(struct assembler *a, enum cc cc, unsigned reg)
{
    emit_rr(a, 0x90 | cc | OP_0F | OP_BYTE_RM, 0, reg);
}

/* Into ah, ch or dh. */
static inline void emit_setcc_high(struct assembler *a, enum cc cc, unsigned reg)
{
    put8(a, 0x0f);
    put8(a, (uint8_t)(0x90 | cc));
    put8(a, (uint8_t)(0xc4 + reg));
}

static inline void emit_setcc_m(struct assembler *a, enum cc cc, struct mem m)
{
    emit_rm(a, 0x90 | cc | OP_0F, 0, m);
}

static inline void emit_movzx8(struct assembler *a, unsigned dst, unsigned src)
{
    emit_rr(a, 0xb6 | OP_0F | OP_BYTE_RM, dst, src);
}

/* ---- jumps: forward ones return the place of their displacement, patched by
 * asm_bind -------- */

static inline uint8_t *emit_jcc(struct assembler *a, enum cc cc)
{
    put8(a, 0x0f);
    put8(a, 0x80 | cc);
    put32(a, 0);
    return a->p - 4;
}

static inline uint8_t *emit_jcc_short(struct assembler *a, enum cc cc)
{
    put8(a, 0x70 | cc);
    put8(a, 0);
    return a->p - 1;
}

static inline uint8_t *emit_jmp(struct assembler *a)
{
    put8(a, 0xe9);
    put32(a, 0);
    return a->p - 4;
}

static inline uint8_t *emit_jmp_short(struct assembler *a)
{
    put8(a, 0xeb);
    put8(a, 0);
    return a->p - 1;
}

static inline void bind_to(uint8_t *field, const uint8_t *target)
{
    int32_t distance = (int32_t)(target - (field + 4));
    memcpy(field, &distance, 4);
}

static inline void bind_here(struct assembler *a, uint8_t *field)
{
    bind_to(field, a->p);
}

static inline void bind_short(struct assembler *a, uint8_t *field)
{
    *field = (uint8_t)(a->p - (field + 1));
}

/* To an absolute executable address within 2 GB. */
static inline void emit_jmp_to(struct assembler *a, const void *target)
{
    put8(a, 0xe9);
    put32(a, (uint32_t)((uint64_t)target - asm_here(a) - 4));
}

static inline void emit_jcc_to(struct assembler *a, enum cc cc, const void *target)
{
    put8(a, 0x0f);
    put8(a, 0x80 | cc);
    put32(a, (uint32_t)((uint64_t)target - asm_here(a) - 4));
}

static inline void emit_call_to(struct assembler *a, const void *target)
{
    put8(a, 0xe8);
    put32(a, (uint32_t)((uint64_t)target - asm_here(a) - 4));
}

/* Multi-byte NOPs of the length given (SDM, NOP). */
static inline void emit_nops(struct assembler *a, unsigned length)
{
    static const uint8_t forms[10][9] = {
        {0},
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    while (length) {
        unsigned n = MIN(length, 9u);
        memcpy(a->p, forms[n], n);
        a->p += n;
        length -= n;
    }
}

/* ---- SSE: dst op= src, or with VEX dst = first op src ---------------------------------------- */

static inline void emit_movaps(struct assembler *a, unsigned dst, unsigned src)
{
    if ((dst & 15) == (src & 15))
        return;
    if (a->avx)
        emit_vex_rr(a, 0x28 | OP_0F, dst, 0, src);
    else
        emit_rr(a, 0x28 | OP_0F, dst, src);
}

/* One-source forms (loads, moves, conversions that write all of dst): VEX.vvvv
 * unused. */
static inline void emit_sse_rr(struct assembler *a, unsigned op, unsigned dst, unsigned src)
{
    if (a->avx)
        emit_vex_rr(a, op, dst, 0, src);
    else
        emit_rr(a, op, dst, src);
}

static inline void emit_sse_rm(struct assembler *a, unsigned op, unsigned dst, struct mem m)
{
    if (a->avx)
        emit_vex_rm(a, op, dst, 0, m, 0);
    else
        emit_rm(a, op, dst, m);
}

/* dst = first op src. Without AVX dst must not be src unless it is also first.
 */
static inline void emit_sse_rrr(struct assembler *a, unsigned op, unsigned dst, unsigned first,
                                unsigned src)
{
    if (a->avx) {
        emit_vex_rr(a, op, dst, first, src);
        return;
    }
    emit_movaps(a, dst, first);
    emit_rr(a, op, dst, src);
}

static inline void emit_sse_rrm(struct assembler *a, unsigned op, unsigned dst, unsigned first,
                                struct mem m)
{
    if (a->avx) {
        emit_vex_rm(a, op, dst, first, m, 0);
        return;
    }
    emit_movaps(a, dst, first);
    emit_rm(a, op, dst, m);
}

#endif
