/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of the MIPS SIMD Architecture. An operation in one word: what it is, the data
 * format (as msa.decode has it) and the vector registers; the functions find those in the state.
 */
#ifndef CALQUE_FRONTEND_MIPS_MSA_H
#define CALQUE_FRONTEND_MIPS_MSA_H

#include "frontend/mips/translate.h"

/* Element by element: the result from those of wd, ws and wt (or a number instead of wt). */
#define MSA_LANE_OPERATIONS(ROW)                                                                   \
    ROW(SLL)                                                                                       \
    ROW(SRA)                                                                                       \
    ROW(SRL)                                                                                       \
    ROW(BCLR)                                                                                      \
    ROW(BSET)                                                                                      \
    ROW(BNEG)                                                                                      \
    ROW(BINSL)                                                                                     \
    ROW(BINSR)                                                                                     \
    ROW(ADDV)                                                                                      \
    ROW(SUBV)                                                                                      \
    ROW(MAX_S)                                                                                     \
    ROW(MAX_U)                                                                                     \
    ROW(MIN_S)                                                                                     \
    ROW(MIN_U)                                                                                     \
    ROW(MAX_A)                                                                                     \
    ROW(MIN_A)                                                                                     \
    ROW(CEQ)                                                                                       \
    ROW(CLT_S)                                                                                     \
    ROW(CLT_U)                                                                                     \
    ROW(CLE_S)                                                                                     \
    ROW(CLE_U)                                                                                     \
    ROW(ADD_A)                                                                                     \
    ROW(ADDS_A)                                                                                    \
    ROW(ADDS_S)                                                                                    \
    ROW(ADDS_U)                                                                                    \
    ROW(AVE_S)                                                                                     \
    ROW(AVE_U)                                                                                     \
    ROW(AVER_S)                                                                                    \
    ROW(AVER_U)                                                                                    \
    ROW(SUBS_S)                                                                                    \
    ROW(SUBS_U)                                                                                    \
    ROW(SUBSUS_U)                                                                                  \
    ROW(SUBSUU_S)                                                                                  \
    ROW(ASUB_S)                                                                                    \
    ROW(ASUB_U)                                                                                    \
    ROW(MULV)                                                                                      \
    ROW(MADDV)                                                                                     \
    ROW(MSUBV)                                                                                     \
    ROW(DIV_S)                                                                                     \
    ROW(DIV_U)                                                                                     \
    ROW(MOD_S)                                                                                     \
    ROW(MOD_U)                                                                                     \
    ROW(SRAR)                                                                                      \
    ROW(SRLR)                                                                                      \
    ROW(SAT_S)                                                                                     \
    ROW(SAT_U)                                                                                     \
    ROW(PCNT)                                                                                      \
    ROW(NLOC)                                                                                      \
    ROW(NLZC)                                                                                      \
    ROW(MUL_Q)                                                                                     \
    ROW(MADD_Q)                                                                                    \
    ROW(MSUB_Q)                                                                                    \
    ROW(MULR_Q)                                                                                    \
    ROW(MADDR_Q)                                                                                   \
    ROW(MSUBR_Q)                                                                                   \
    ROW(DOTP_S)                                                                                    \
    ROW(DOTP_U)                                                                                    \
    ROW(DPADD_S)                                                                                   \
    ROW(DPADD_U) ROW(DPSUB_S) ROW(DPSUB_U) ROW(HADD_S) ROW(HADD_U) ROW(HSUB_S) ROW(HSUB_U)
/* Elements moved about. */
#define MSA_PERMUTATIONS(ROW)                                                                      \
    ROW(SLD)                                                                                       \
    ROW(SPLAT) ROW(PCKEV) ROW(PCKOD) ROW(ILVL) ROW(ILVR) ROW(ILVEV) ROW(ILVOD) ROW(VSHF) ROW(SHF)
/* Floating point. */
#define MSA_FLOAT3(ROW)                                                                            \
    ROW(FADD)                                                                                      \
    ROW(FSUB)                                                                                      \
    ROW(FMUL)                                                                                      \
    ROW(FDIV)                                                                                      \
    ROW(FMADD) ROW(FMSUB) ROW(FEXP2) ROW(FEXDO) ROW(FTQ) ROW(FMIN) ROW(FMIN_A) ROW(FMAX) ROW(FMAX_A)
#define MSA_FLOAT2(ROW)                                                                            \
    ROW(FCLASS)                                                                                    \
    ROW(FTRUNC_S)                                                                                  \
    ROW(FTRUNC_U)                                                                                  \
    ROW(FSQRT)                                                                                     \
    ROW(FRSQRT)                                                                                    \
    ROW(FRCP)                                                                                      \
    ROW(FRINT)                                                                                     \
    ROW(FLOG2)                                                                                     \
    ROW(FEXUPL) ROW(FEXUPR) ROW(FFQL) ROW(FFQR) ROW(FTINT_S) ROW(FTINT_U) ROW(FFINT_S) ROW(FFINT_U)

enum msa_operation {
#define ROW(name) MSA_OP_##name,
    MSA_LANE_OPERATIONS(ROW) MSA_PERMUTATIONS(ROW) MSA_FLOAT3(ROW) MSA_FLOAT2(ROW)
#undef ROW
        MSA_OP_FCMP, /* with the relations that hold, enum fp_relation, and signalling, in `number`
                      */
};
enum { MSA_COMPARE_SIGNALLING = 16 };

#define MSA_WORD(operation, df, wd, ws, wt)                                                        \
    ((uint32_t)(operation) | (uint32_t)(df) << 8 | (uint32_t)(wd) << 12 | (uint32_t)(ws) << 17 |   \
     (uint32_t)(wt) << 22)

/* (word); (word, number in place of wt's elements, or what the operation says) */
extern const struct ir_helper helper_msa_vector, helper_msa_number;
/* (word, number); raises MSA Floating Point if an exception is enabled. */
extern const struct ir_helper helper_msa_float;
extern const struct ir_helper helper_msa_write_control; /* (value): MSACSR; MAY_FAULT */
extern const struct ir_helper helper_msa_update_mode;   /* * after that */

#endif
