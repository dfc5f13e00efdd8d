/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 instruction decoder: tables in the manual's notation, and a parser for prefixes, ModRM,
 * SIB, displacement and immediates.
 *
 * A row is ROW(name, encoding, operands, handler, argument, traits, feature):
 *
 *   encoding  as the SDM writes it, without immediates: "01 /r", "80 /7", "F3 0F 10 /r",
 *             "66 0F 38 17 /r", "NP 0F 58 /r", "VEX.256.66.0F38.W0 58 /r", "B8+r",
 *             "D8 C0+i", "0F 01 D0" (the whole ModRM byte).
 *             Mandatory prefix: NP (none of 66, F3, F2), 66, F3, F2; without one any may
 *             stand there (66 is then the operand size, F2/F3 REP). F3 and F2 beat 66.
 *             "/r" and "/0".."/7" may be followed by "m" (memory only) or "r" (register).
 *             VEX: .128 or .L0, .256 or .L1, .LIG (any); NP 66 F3 F2; 0F 0F38 0F3A;
 *             W0 W1 .WIG (any).
 *             In front: NOREX (no REX.B), REXW, O16 O32 O64 (operand size by prefixes,
 *             before ROW_DEFAULT64), A16 A32 A64 (address size), I64 (invalid in 64-bit
 *             mode), N64 (only in it).
 *
 *   operands  up to four, the manual's codes (SDM vol. 2, appendix A), "Ev Gv":
 *             G (ModRM.reg), E (ModRM.rm), M (memory), R (rm, register), B (VEX.vvvv),
 *             Z (low bits of the opcode): general registers;
 *             V (reg), W (rm), U (rm, register), H (vvvv), L (imm8[7:4]): XMM, YMM;
 *             P (reg), Q (rm), N (rm, register): MMX;
 *             S, C, D (reg): segment, control, debug registers;
 *             I, J (relative), A (far), O (offset), X (source), Y (destination);
 *             "1", "AL" "AX" "eAX" (z) "rAX" (v) "CL" "DX", "ES".."GS", "ST0" "STi";
 *             "vm32" "vm64": memory whose index is an XMM or YMM register.
 *             Sizes: b w d q t (10), v (operand size), z (v, at most 4), y (4 or 8),
 *             p (far pointer: 2 + v), s (6, in 64-bit mode 10), a (2 * v), dq (16), qq (32),
 *             x ps pd (16 or 32 by VEX.L), ss sd si pi; none: not the decoder's business.
 *             Immediates: Ib and Iw are zero-extended, Ibs (to the operand size) and Iz
 *             sign-extended, Iv is as it stands. A second I is imm2.
 *             A VEX row without H and B wants 1111 in VEX.vvvv.
 *
 *   handler   bool (*)(struct xlat *x, const struct x86_insn *insn)
 *   argument  a number for it
 *   traits    enum x86_row_trait
 *   feature   HAS_... or HAS_NONE
 *
 * Rows live in integer.def, system.def, x87.def, mmx_sse.def and avx.def. Of two rows that both
 * fit, the one that pins more bits wins (a mandatory prefix: 2, ModRM.reg: 3, W, L, ...); equal
 * ones are a BUG at start.
 */
#ifndef CALQUE_FRONTEND_X86_DECODE_H
#define CALQUE_FRONTEND_X86_DECODE_H

#include "frontend/x86/cpu.h"

struct x86_insn;
typedef bool x86_handler(struct xlat *x, const struct x86_insn *insn);

enum { HAS_NONE = 255 };
enum x86_row_trait {
    ROW_LOCK = 1, /* LOCK is allowed (with a memory destination) */
    ROW_REP = 2,  /* F2/F3 mean something to it */
    ROW_DEFAULT64 =
        4,           /* 64-bit operand size by default in 64-bit mode (push, pop, near branches) */
    ROW_FORCE64 = 8, /* and no other (near branches on Intel) */
    ROW_BRANCH = 16, /* for tests: changes the flow */
    ROW_SYSTEM = 32, /* for tests: privileged or changes the mode */
    ROW_NO_FLAGS = 64, /* for tests */
    ROW_PRIVILEGED =
        128, /* CPL 0 only: #GP(0) otherwise (not in real mode); checked by the driver */
    ROW_PROTECTED = 256, /* #UD in real and virtual-8086 mode */
    ROW_FPU = 512,       /* x87: #NM as KEY_FPU_TRAP says, checked by the driver */
    ROW_MMX = 1024,      /* #UD if EM, #NM if TS, pending #MF; checked by the driver */
    ROW_SSE = 2048,      /* #UD if EM or not OSFXSR, #NM if TS; checked by the driver */
    ROW_AVX = 4096,      /* #UD if not KEY_AVX or not protected; #NM if TS; checked by the driver */
    ROW_MEM_ALIGNED = 8192, /* a 16-byte memory operand must be aligned (#GP) */
};

/* Arguments of vector rows: an enum ir_vfn, or a vector op of the IR and its lane. */
enum { VOP_MARK = 1 << 16, VOP_SWAP = 1 << 17 };
#define VOP(op, lane) ((uint32_t)VOP_MARK | (uint32_t)IR_##op << 8 | (lane))

struct x86_row {
    const char *name, *encoding, *operands;
    x86_handler *handler;
    uint32_t argument;
    uint16_t traits;
    uint8_t feature;
};

enum x86_operand_kind {
    OPND_NONE,
    OPND_GPR,  /* reg 0..15; high: AH CH DH BH are reg 0..3 with high set */
    OPND_MEM,  /* the insn's memory operand */
    OPND_IMM,  /* insn->imm, sign- or zero-extended to 64 bits as the code says */
    OPND_IMM2, /* insn->imm2 (ENTER, far pointers: the selector) */
    OPND_REL,  /* insn->imm: signed displacement from the next instruction */
    OPND_FAR,  /* insn->imm offset, insn->imm2 selector */
    OPND_SEGMENT,
    OPND_CONTROL,
    OPND_DEBUG,
    OPND_MMX,
    OPND_XMM,
    OPND_YMM,
    OPND_ST,            /* ST(reg) */
    OPND_STRING_SOURCE, /* DS:rSI (or override) */
    OPND_STRING_DEST,   /* ES:rDI */
};

struct x86_operand {
    uint8_t kind;
    uint8_t reg;
    uint8_t size; /* bytes: 1, 2, 4, 8, 10, 16, 32; 6, 10 for far pointers in memory */
    bool high;
};

enum { REG_NONE = 0xff, REG_RIP = 0xfe };

struct x86_insn {
    const struct x86_row *row;
    uint8_t length;
    uint8_t operand_size; /* bytes: 2, 4, 8 */
    uint8_t address_size; /* bytes: 2, 4, 8 */
    uint8_t n_operands;
    struct x86_operand operand[4];

    bool lock;
    uint8_t rep;         /* 0, 0xf2, 0xf3 */
    bool operand_prefix; /* a 66 stood there */
    uint8_t rex;         /* 0 none */
    bool rex_w, vex, vex_l;
    uint8_t vex_v; /* VEX.vvvv as a register number */
    uint8_t modrm;
    bool has_modrm;

    /* The memory operand: segment:[base + index * scale + displacement] modulo the address size. */
    uint8_t segment; /* with override and default applied */
    bool segment_override;
    uint8_t base,
        index;     /* register, REG_RIP (displacement counts from the next instruction), NONE */
    uint8_t scale; /* 1, 2, 4, 8 */
    int64_t displacement;

    uint64_t imm, imm2;
};

enum x86_decode_result {
    DECODE_OK,
    DECODE_SHORT,     /* more bytes are needed than there are */
    DECODE_UNDEFINED, /* #UD; length is what was read */
    DECODE_TOO_LONG,  /* over 15 bytes: #GP(0) */
};

/* A row whose handler no object file defines has this one: undefined. */
bool x86_handler_missing(struct xlat *x, const struct x86_insn *insn);

/* code: `size` bytes are there. key: enum x86_key (the mode bits). features: FEATURE set; rows that
 * need one that is missing do not exist. LOCK where it is not allowed is undefined. */
enum x86_decode_result x86_decode(const uint8_t *code, size_t size, uint32_t key, uint64_t features,
                                  struct x86_insn *out);

/* One instruction as text, by capstone if it is there, else its bytes; its length, 0 if it does not
 * end within size (struct guest.disassemble). */
unsigned x86_disassemble_guest(const uint8_t *code, size_t size, uint64_t pc, uint32_t key,
                               char *text, size_t text_size);

/* All rows, for tests: n of them. */
const struct x86_row *x86_rows(unsigned *n);

#endif
