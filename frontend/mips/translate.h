/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the MIPS translator share: the generated decoders call mips_trans_<ROW>(x,
 * args), each in the file that owns the table. All of them emit IR through x->b.
 *
 *   mips.decode   integer.c, memory.c, branch.c, system_insns.c   the base of every release
 *   fpu.decode    fpu.c                                            COP1, COP1X
 *   dsp.decode    dsp.c                                            DSP ASE, releases 1 and 2
 *   msa.decode    msa.c                                            MIPS SIMD Architecture
 *   mips16.decode, mips16_extended.decode    mips16.c              MIPS16e: of 16 and 32 bits
 *
 * Pattern of every handler: check what makes it reserved, read operands, do the accesses that may
 * fault, only then set registers. Return true; false means "not this row": a Reserved Instruction
 * if no other takes it. A handler never ends the path itself but through the functions below: it
 * may be in a delay slot, and then the branch follows.
 */
#ifndef CALQUE_FRONTEND_MIPS_TRANSLATE_H
#define CALQUE_FRONTEND_MIPS_TRANSLATE_H

#include "frontend/mips/cpu.h"

/* How the tables of this guest name their handlers; before any of their .inc files. */
#define DECODE_TRANS(name) mips_trans_##name

/* xlat.guest_data */
struct mips_xlat {
    bool started;
    bool wide;         /* general registers are I64 */
    bool swap;         /* data is in the other byte order than the host's */
    bool big_endian;   /* the code is */
    uint32_t key;      /* of the instruction being translated */
    uint32_t features; /* of the model */
    uint32_t insn;     /* its bits */
    uint8_t length;    /* its bytes */
    uint64_t insn_pc;  /* its address */
    uint64_t base_pc;  /* what MIPS16e's are relative to: in a delay slot, the jump's address */
    bool in_slot;      /* it is in a delay slot */
    bool lookup;       /* what follows must be looked up anew: run.key or the map has changed */
    bool stopped;      /* ... and the run loop entered for `stop_reason` */
    uint8_t stop_reason;
    bool forbidden_next; /* it is a compact branch: no branch may follow it */
    uint32_t slot_insn;  /* bits of its delay slot, if it has one */
    uint8_t slot_length;
    bool slot_done; /* ... which has been translated with it */
    /* What MTC1 and MTHC1 have put into the halves of FPRs in this block, I32, and the block: a
     * load of both at once would wait for the two stores (fpu_moves.c). */
    struct {
        ir_ref half[2];
        unsigned block; /* number + 1; 0: none */
    } moved[32];
};

static inline struct mips_xlat *mips_xlat(struct xlat *x)
{
    return (struct mips_xlat *)x->guest_data;
}

static inline void mips_forget_moved(struct xlat *x)
{
    memset(mips_xlat(x)->moved, 0, sizeof(mips_xlat(x)->moved));
}

static inline bool mips_x_has(struct xlat *x, uint32_t features)
{
    return (mips_xlat(x)->features & features) == features;
}

static inline bool mips_x_key(struct xlat *x, uint32_t bits)
{
    return (mips_xlat(x)->key & bits) == bits;
}

/* Config bits that decide whether rows exist: LSA, the kernel's accesses to user space, TLBINV. */
bool mips_has_lsa(struct xlat *x);
bool mips_has_eva(struct xlat *x);
bool mips_has_tlbinv(struct xlat *x);
/* And FIR: MIPS-3D. */
bool mips_has_3d(struct xlat *x);

/* General registers. $0 reads as 0 and is not written. The first two are as wide as the guest's
 * registers; the others are I32: the low half, and sign-extended into the register. */
ir_ref mips_get(struct xlat *x, int n);
void mips_set(struct xlat *x, int n, ir_ref value);
ir_ref mips_get32(struct xlat *x, int n);
void mips_set32(struct xlat *x, int n, ir_ref value);
/* As I64, in 32-bit guests sign-extended; mips_set64 truncates there. */
ir_ref mips_get64(struct xlat *x, int n);
void mips_set64(struct xlat *x, int n, ir_ref value);
/* A number as wide as the guest's registers, and the extension of an I32 to that. */
ir_ref mips_word(struct xlat *x, int64_t value);
ir_ref mips_extend(struct xlat *x, ir_ref value32);
ir_ref mips_truncate(struct xlat *x, ir_ref word);

/* Effective address GPR[base] + offset, I32 or I64 as the unit has it, with what the mode asks for
 * (KEY_ADDRESS32). Some of the offset may be left to the access's own displacement. */
struct mips_ea {
    ir_ref base;
    int64_t displacement;
};
struct mips_ea mips_ea(struct xlat *x, int base, int64_t offset);
struct mips_ea mips_ea_indexed(struct xlat *x, int base, int index);
/* The memop of a data access: byte order; aligned to its size unless `unaligned`. */
unsigned mips_memop(struct xlat *x, unsigned size_log2, bool sign, bool unaligned);

/* Raises at this instruction, and ends what is translated of it: nothing more is emitted. Always
 * true, for handlers to return. */
bool mips_raise_here(struct xlat *x, enum mips_exception kind, uint32_t syndrome);
/* The coprocessor is not usable: raises and returns false if so. Handlers return true then. */
bool mips_check_fpu(struct xlat *x);
bool mips_check_cp0(struct xlat *x);
bool mips_check_dsp(struct xlat *x);
bool mips_check_msa(struct xlat *x);
/* Before a helper that looks at run.pc or run.key, or changes the mode: run.pc is then the next
 * instruction (in a delay slot: the slot's own address; the branch sets it afterwards). */
void mips_sync_pc(struct xlat *x);
/* A helper changed the mode or the map (run.key, spaces): what follows is looked up. */
void mips_end_lookup_next(struct xlat *x);
/* Likewise, and the run loop is entered. */
void mips_end_stop_next(struct xlat *x, unsigned reason);

/* Generated decoders (tools/decode): true if a row took the instruction. */
bool decode_mips(struct xlat *x, uint32_t insn);
bool decode_fpu(struct xlat *x, uint32_t insn);
bool decode_dsp(struct xlat *x, uint32_t insn);
bool decode_msa(struct xlat *x, uint32_t insn);
bool decode_mips16(struct xlat *x, uint32_t insn);
bool decode_mips16_extended(struct xlat *x, uint32_t insn);
extern const struct insn_desc insns_mips[], insns_fpu[], insns_dsp[], insns_msa[], insns_mips16[],
    insns_mips16_extended[];

/* branch.c: a conditional branch with a delay slot, for other tables' branches (BC1F, BPOSGE32,
 * BZ.V). value is an I32 or I64 tested against zero before the slot runs. */
bool mips_branch_if(struct xlat *x, enum ir_cond cond, ir_ref value, int64_t offset, bool likely);

enum xlat_next mips_translate(struct xlat *x);

/* mips16_text.c: as guest.disassemble */
unsigned mips16_disassemble(const uint8_t *code, size_t size, uint64_t pc, uint32_t key,
                            bool big_endian, char *text, size_t text_size);

/* cp0.c: MFC0, MTC0, DMFC0, DMTC0, MFHC0, MTHC0, RDHWR. Emits everything. */
enum mips_cp0_width { MIPS_CP0_WORD, MIPS_CP0_DOUBLEWORD, MIPS_CP0_HIGH };
bool mips_translate_mfc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width width);
bool mips_translate_mtc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width width);
bool mips_translate_rdhwr(struct xlat *x, int rt, int rd, int sel);

/* Helpers of system.c and mmu.c. Those marked * change mode, key or map: the handler calls
 * mips_sync_pc first and mips_end_lookup_next after. */
extern const struct ir_helper helper_mips_raise; /* (kind, syndrome); MAY_FAULT */
extern const struct ir_helper helper_mips_eret; /* * sets run.pc and run.key: EXIT_LOOKUP follows */
extern const struct ir_helper helper_mips_eretnc; /* * likewise */
extern const struct ir_helper helper_mips_deret;  /* * likewise */
extern const struct ir_helper helper_mips_di;     /* * () -> I32: Status before */
extern const struct ir_helper helper_mips_ei;     /* * () -> I32 */
extern const struct ir_helper helper_mips_wait;   /* sets v.halted; mips_end_stop_next(EXIT_HALT) */
extern const struct ir_helper helper_mips_tlbp;
extern const struct ir_helper helper_mips_tlbr;
extern const struct ir_helper helper_mips_tlbwi;  /* * */
extern const struct ir_helper helper_mips_tlbwr;  /* * */
extern const struct ir_helper helper_mips_tlbinv; /* * (all: I32): TLBINV, TLBINVF */
extern const struct ir_helper
    helper_mips_cache; /* (op, address I64); MAY_FAULT: its address faults */

#endif
