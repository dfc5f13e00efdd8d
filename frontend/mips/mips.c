/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MIPS guests as the rest of calque sees them: state fields, disassembler, registration. */
#include "frontend/mips/translate.h"

#include <stdio.h>

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

/* ---- state ----------------------------------------------------------------------------------- */

#define FIELD(index, field_name, member, field_type, field_flags, field_group)                     \
    [index] = {.name = (field_name),                                                               \
               .offset = offsetof(struct mips_cpu, member),                                        \
               .type = (field_type),                                                               \
               .flags = (field_flags),                                                             \
               .group = (field_group)}
#define GPR(type, n, name, hot) FIELD(F_R0 + (n), name, gpr[n], type, hot, GROUP_R(n))
#define ACCUMULATOR(type, n)                                                                       \
    FIELD(F_HI0 + (n), "hi" #n, hi[n], type, 0, GROUP_HILO),                                       \
        FIELD(F_LO0 + (n), "lo" #n, lo[n], type, 0, GROUP_HILO)
#define FCC(n) FIELD(F_FCC0 + (n), "fcc" #n, fcc[n], IR_I8, 0, GROUP_FCSR)
#define FCSR(index, member, type) FIELD(index, #member, member, type, 0, GROUP_FCSR)
#define LAST(n, name, member)                                                                      \
    FIELD(F_FP_LAST_DA + (n), "fp_last_d" name, member, IR_F64, 0, GROUP_FCSR),                    \
        FIELD(F_FP_LAST_SA + (n), "fp_last_s" name, member, IR_F32, 0, GROUP_FCSR)

/* Views of the FPU and vector registers. */
#define VIEW(index, field_name, n, byte, field_type)                                               \
    [(index) + (n)] = {.name = field_name #n,                                                      \
                       .offset = offsetof(struct mips_cpu, fpr[n]) + (byte),                       \
                       .type = (field_type),                                                       \
                       .group = GROUP_FP}
#define FPR(n)                                                                                     \
    VIEW(F_S0, "s", n, 0, IR_F32), VIEW(F_ODD0, "odd", n, 4, IR_F32),                              \
        VIEW(F_D0, "d", n, 0, IR_F64), VIEW(F_P0, "p", n, 0, IR_V64),                              \
        VIEW(F_W0, "w", n, 0, IR_V128)

/* CP0 members are I32 or I64 as their C type is. */
#define CP0(name, member, type)                                                                    \
    FIELD(F_CP0_##name, #member, cp0.member, sizeof(type) == 8 ? IR_I64 : IR_I32, 0, GROUP_CP0),

#define HOT STATE_HOT

/* Hot are what compilers use most for arguments, results and the stack. */
#define FIELDS(word)                                                                               \
    FIELD(F_PC, "pc", v.run.pc, IR_I64, 0, GROUP_PC),                                              \
        FIELD(F_KEY, "key", v.run.key, IR_I32, 0, GROUP_PC), GPR(word, 0, "zero", 0),              \
        GPR(word, 1, "at", 0), GPR(word, 2, "v0", HOT), GPR(word, 3, "v1", HOT),                   \
        GPR(word, 4, "a0", HOT), GPR(word, 5, "a1", HOT), GPR(word, 6, "a2", HOT),                 \
        GPR(word, 7, "a3", HOT), GPR(word, 8, "t0", 0), GPR(word, 9, "t1", 0),                     \
        GPR(word, 10, "t2", 0), GPR(word, 11, "t3", 0), GPR(word, 12, "t4", 0),                    \
        GPR(word, 13, "t5", 0), GPR(word, 14, "t6", 0), GPR(word, 15, "t7", 0),                    \
        GPR(word, 16, "s0", HOT), GPR(word, 17, "s1", 0), GPR(word, 18, "s2", 0),                  \
        GPR(word, 19, "s3", 0), GPR(word, 20, "s4", 0), GPR(word, 21, "s5", 0),                    \
        GPR(word, 22, "s6", 0), GPR(word, 23, "s7", 0), GPR(word, 24, "t8", 0),                    \
        GPR(word, 25, "t9", 0), GPR(word, 26, "k0", 0), GPR(word, 27, "k1", 0),                    \
        GPR(word, 28, "gp", 0), GPR(word, 29, "sp", HOT), GPR(word, 30, "fp", 0),                  \
        GPR(word, 31, "ra", HOT), ACCUMULATOR(word, 0), ACCUMULATOR(word, 1),                      \
        ACCUMULATOR(word, 2), ACCUMULATOR(word, 3),                                                \
        FIELD(F_DSPCONTROL, "dspcontrol", dspcontrol, IR_I32, 0, GROUP_DSP), FCC(0), FCC(1),       \
        FCC(2), FCC(3), FCC(4), FCC(5), FCC(6), FCC(7), FCSR(F_FCSR, fcsr, IR_I32),                \
        FCSR(F_FCSR_CAUSE, fcsr_cause, IR_I32), FCSR(F_FP_LAST_OP, fp_last_op, IR_I32),            \
        FCSR(F_FP_LAST_A, fp_last_a, IR_I64), FCSR(F_FP_LAST_B, fp_last_b, IR_I64),                \
        FCSR(F_FP_LAST_C, fp_last_c, IR_I64), LAST(0, "a", fp_last_a), LAST(1, "b", fp_last_b),    \
        LAST(2, "c", fp_last_c), FCSR(F_MSACSR, msacsr, IR_I32),                                   \
        FIELD(F_LL_VALID, "ll_valid", ll_valid, IR_I32, 0, GROUP_LL),                              \
        FIELD(F_LL_ADDRESS, "ll_address", ll_address, IR_I64, 0, GROUP_LL),                        \
        FIELD(F_LL_VALUE, "ll_value", ll_value, IR_I64, 0, GROUP_LL),                              \
        FIELD(F_BRANCH_TAKEN, "branch_taken", branch_taken, IR_I32, 0, GROUP_BRANCH),              \
        FIELD(F_BRANCH_TARGET, "branch_target", branch_target, IR_I64, 0, GROUP_BRANCH), FPR(0),   \
        FPR(1), FPR(2), FPR(3), FPR(4), FPR(5), FPR(6), FPR(7), FPR(8), FPR(9), FPR(10), FPR(11),  \
        FPR(12), FPR(13), FPR(14), FPR(15), FPR(16), FPR(17), FPR(18), FPR(19), FPR(20), FPR(21),  \
        FPR(22), FPR(23), FPR(24), FPR(25), FPR(26), FPR(27), FPR(28), FPR(29), FPR(30), FPR(31)

const struct state_field mips_fields32[F_N] = {
    FIELDS(IR_I32),
#include "frontend/mips/cp0_state.def"
};
const struct state_field mips_fields64[F_N] = {
    FIELDS(IR_I64),
#include "frontend/mips/cp0_state.def"
};
#undef CP0

/* ---- disassembly ----------------------------------------------------------------------------- */

static unsigned disassemble_order(const uint8_t *code, size_t size, uint64_t pc, bool wide,
                                  bool big_endian, char *text, size_t text_size)
{
    if (size < 4)
        return 0;
    snprintf(text, text_size, ".word 0x%08x", big_endian ? load_be32(code) : load_le32(code));
#ifdef HAVE_CAPSTONE
    csh handle;
    cs_insn *insn;
    int mode = (wide ? CS_MODE_MIPS64 : CS_MODE_MIPS32) |
               (int)(big_endian ? CS_MODE_BIG_ENDIAN : CS_MODE_LITTLE_ENDIAN);

    if (cs_open(CS_ARCH_MIPS, (cs_mode)mode, &handle) != CS_ERR_OK)
        return 4;
    if (cs_disasm(handle, code, 4, pc, 1, &insn) == 1) {
        snprintf(text, text_size, "%-8s %s", insn->mnemonic, insn->op_str);
        cs_free(insn, 1);
    }
    cs_close(&handle);
#endif
    return 4;
}

#define DISASSEMBLER(name, wide, big_endian)                                                       \
    static unsigned disassemble_##name(const uint8_t *code, size_t size, uint64_t pc,              \
                                       uint32_t key, char *text, size_t text_size)                 \
    {                                                                                              \
        if (key & KEY_ISA_MODE)                                                                    \
            return mips16_disassemble(code, size, pc, key, big_endian, text, text_size);           \
        return disassemble_order(code, size, pc, wide, big_endian, text, text_size);               \
    }
DISASSEMBLER(mips, false, true)
DISASSEMBLER(mipsel, false, false)
DISASSEMBLER(mips64, true, true)
DISASSEMBLER(mips64el, true, false)

static void mode_name(uint32_t key, char *text, size_t text_size)
{
    const char *mode = key & KEY_DEBUG        ? "debug"
                       : key & KEY_SUPERVISOR ? "supervisor"
                       : key & KEY_USER       ? "user"
                                              : "kernel";

    snprintf(text, text_size, "%s%s %s", key & KEY_64BIT ? "MIPS64" : "MIPS32",
             key & KEY_ISA_MODE ? "/MIPS16e" : "", mode);
}

/* ---- registration ---------------------------------------------------------------------------- */

static const struct insn_desc *const insn_tables[] = {
    insns_mips, insns_fpu, insns_dsp, insns_msa, insns_mips16, insns_mips16_extended, NULL,
};

#define GUEST(guest_name, text, is_wide, is_big_endian, width, model)                              \
    static const struct guest guest_name##_guest = {                                               \
        .name = #guest_name,                                                                       \
        .description = text,                                                                       \
        .state_size = sizeof(struct mips_cpu),                                                     \
        .fields = mips_fields##width,                                                              \
        .n_fields = F_N,                                                                           \
        .fp = &mips_fp_rules,                                                                      \
        .xlat_size = sizeof(struct mips_xlat),                                                     \
        .insn_tables = insn_tables,                                                                \
        .models = mips_models##width,                                                              \
        .default_model = model,                                                                    \
        .n_irq_in = MIPS_N_IRQ_IN,                                                                 \
        .n_irq_out = MIPS_N_IRQ_OUT,                                                               \
        .wide_address = is_wide,                                                                   \
        .big_endian = is_big_endian,                                                               \
        .pc_mode_bit = KEY_ISA_MODE,                                                               \
        .init = mips_init,                                                                         \
        .reset = mips_reset,                                                                       \
        .finish = mips_finish,                                                                     \
        .translate = mips_translate,                                                               \
        .mmu = &mips_mmu_client,                                                                   \
        .raise = mips_raise,                                                                       \
        .restore = mips_restore,                                                                   \
        .take_interrupt = mips_take_interrupt,                                                     \
        .has_work = mips_has_work,                                                                 \
        .set_irq = mips_set_irq,                                                                   \
        .print_state = mips_print_state,                                                           \
        .mappings = mips_mappings,                                                                 \
        .gdb_architecture = "mips:isa" #width "r2",                                                \
        .register_sets = mips_register_sets##width,                                                \
        .disassemble = disassemble_##guest_name,                                                   \
        .exception_name = mips_exception_name,                                                     \
        .mode_name = mode_name,                                                                    \
    };                                                                                             \
    REGISTER(guest, guest_name##_guest)

GUEST(mips, "MIPS32, big-endian", false, true, 32, "24Kf");
GUEST(mipsel, "MIPS32, little-endian", false, false, 32, "24Kf");
GUEST(mips64, "MIPS64, big-endian", true, true, 64, "MIPS64R2-generic");
GUEST(mips64el, "MIPS64, little-endian", true, false, 64, "MIPS64R2-generic");
