/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ARM guest as the rest of calque sees it: state fields, tables, disassembler, registration. */
#include "frontend/arm/translate.h"

#include <stdio.h>

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

extern const struct insn_desc insns_a32u[];

/* ---- state ------------------------------------------------------------------------------------
 */

#define FIELD(index, field_name, member, field_type, field_flags, field_group)                     \
    [index] = {.name = (field_name),                                                               \
               .offset = offsetof(struct arm_cpu, member),                                         \
               .type = (field_type),                                                               \
               .flags = (field_flags),                                                             \
               .group = (field_group)}
#define REG(n, hot) FIELD(F_R0 + (n), "r" #n, r[n], IR_I32, hot, GROUP_R(n))
#define FLAG(index, name) FIELD(index, #name, name, IR_I8, 0, GROUP_NZCV)
#define SYSTEM(index, name, member) FIELD(index, name, member, IR_I32, 0, GROUP_SYSTEM)
#define FPSCR(index, member) FIELD(index, #member, member, IR_I32, 0, GROUP_FPSCR)

/* Views of the vector registers: the offset of s[n], d[n], q[n] is that of bytes in d[]. */
#define VIEW(index, field_name, byte, field_type)                                                  \
    [index] = {.name = (field_name),                                                               \
               .offset = offsetof(struct arm_cpu, d) + (byte),                                     \
               .type = (field_type),                                                               \
               .group = GROUP_FP}
#define S(n) VIEW(F_S0 + (n), "s" #n, (n)*4, IR_F32)
#define D(n) VIEW(F_D0 + (n), "d" #n, (n)*8, IR_V64)
#define DF(n) VIEW(F_DF0 + (n), "df" #n, (n)*8, IR_F64)
#define Q(n) VIEW(F_Q0 + (n), "q" #n, (n)*16, IR_V128)
#define SIXTEEN(m)                                                                                 \
    m(0), m(1), m(2), m(3), m(4), m(5), m(6), m(7), m(8), m(9), m(10), m(11), m(12), m(13), m(14), \
        m(15)
#define THIRTY_TWO(m)                                                                              \
    SIXTEEN(m), m(16), m(17), m(18), m(19), m(20), m(21), m(22), m(23), m(24), m(25), m(26),       \
        m(27), m(28), m(29), m(30), m(31)

/* Hot are the registers Thumb can name and the stack pointer: compilers use them most. */
const struct state_field arm_fields[F_N] = {
    FIELD(F_PC, "pc", v.run.pc, IR_I64, 0, GROUP_PC),
    FIELD(F_KEY, "key", v.run.key, IR_I32, 0, GROUP_PC),
    REG(0, STATE_HOT),
    REG(1, STATE_HOT),
    REG(2, STATE_HOT),
    REG(3, STATE_HOT),
    REG(4, STATE_HOT),
    REG(5, STATE_HOT),
    REG(6, STATE_HOT),
    REG(7, STATE_HOT),
    REG(8, 0),
    REG(9, 0),
    REG(10, 0),
    REG(11, 0),
    REG(12, 0),
    REG(13, STATE_HOT),
    REG(14, STATE_HOT),
    REG(15, 0),
    FLAG(F_NF, nf),
    FLAG(F_ZF, zf),
    FLAG(F_CF, cf),
    FLAG(F_VF, vf),
    FIELD(F_QF, "qf", qf, IR_I8, 0, GROUP_Q_GE),
    FIELD(F_GE, "ge", ge, IR_I8, 0, GROUP_Q_GE),
    SYSTEM(F_CPSR, "cpsr", cpsr),
    SYSTEM(F_SPSR, "spsr", spsr),
    SYSTEM(F_EXCL_VALID, "excl_valid", excl_valid),
    SYSTEM(F_EXCL_ADDRESS, "excl_address", excl_address),
    SYSTEM(F_EXCL_SIZE, "excl_size", excl_size),
    FIELD(F_EXCL_VALUE, "excl_value", excl_value, IR_I64, 0, GROUP_SYSTEM),
    FPSCR(F_FPSCR_NZCV, fpscr_nzcv),
    FPSCR(F_FPSCR_CONTROL, fpscr_control),
    FIELD(F_FPSCR_QC, "fpscr_qc", fpscr_qc, IR_V128, 0, GROUP_QC),
    SYSTEM(F_FPEXC, "fpexc", fpexc),
    SYSTEM(F_TPIDRURW, "tpidrurw", cp15.tpidrurw),
    SYSTEM(F_TPIDRURO, "tpidruro", cp15.tpidruro),
    SYSTEM(F_TPIDRPRW, "tpidrprw", cp15.tpidrprw),
    THIRTY_TWO(S),
    THIRTY_TWO(D),
    THIRTY_TWO(DF),
    SIXTEEN(Q),
};

/* ---- disassembly ----------------------------------------------------------------------------- */

/* How long the instruction is, and its raw bits as text: what is shown without capstone. */
static unsigned show_bits(const uint8_t *code, size_t size, bool thumb, char *text,
                          size_t text_size)
{
    unsigned length = thumb ? 2 : 4;
    if (size < length)
        return 0;
    if (thumb && load_le16(code) >= 0xe800 && size >= 4)
        length = 4;
    if (length == 2)
        snprintf(text, text_size, ".short 0x%04x", load_le16(code));
    else if (thumb)
        snprintf(text, text_size, ".short 0x%04x, 0x%04x", load_le16(code), load_le16(code + 2));
    else
        snprintf(text, text_size, ".word 0x%08x", load_le32(code));
    return length;
}

static unsigned disassemble(const uint8_t *code, size_t size, uint64_t pc, uint32_t key, char *text,
                            size_t text_size)
{
    bool thumb = key & KEY_T;
    unsigned length = show_bits(code, size, thumb, text, text_size);
#ifdef HAVE_CAPSTONE
    csh handle;
    cs_insn *insn;
    if (!length || cs_open(CS_ARCH_ARM, thumb ? CS_MODE_THUMB : CS_MODE_ARM, &handle) != CS_ERR_OK)
        return length;
    if (cs_disasm(handle, code, length, pc, 1, &insn) == 1) {
        snprintf(text, text_size, "%-8s %s", insn->mnemonic, insn->op_str);
        cs_free(insn, 1);
    }
    cs_close(&handle);
#endif
    return length;
}

static void mode_name(uint32_t key, char *text, size_t text_size)
{
    snprintf(text, text_size, "%s %s", key & KEY_T ? "T32" : "A32",
             key & KEY_PRIVILEGED ? "PL1" : "PL0");
}

/* ---- registration ---------------------------------------------------------------------------- */

static const struct insn_desc *const insn_tables[] = {
    insns_a32, insns_a32u, insns_t32, insns_t16, insns_vfp, insns_neon, NULL,
};

static const struct guest arm_guest = {
    .name = "arm",
    .description = "ARMv7-A (A32 and Thumb)",
    .state_size = sizeof(struct arm_cpu),
    .fields = arm_fields,
    .n_fields = F_N,
    .fp = &arm_fp_rules,
    .xlat_size = sizeof(struct arm_xlat),
    .insn_tables = insn_tables,
    .models = arm_models,
    .default_model = "cortex-a15",
    .n_irq_in = ARM_N_IRQ_IN,
    .n_irq_out = ARM_N_IRQ_OUT,
    .init = arm_init,
    .reset = arm_reset,
    .finish = arm_finish,
    .translate = arm_translate,
    .mmu = &arm_mmu_client,
    .raise = arm_raise,
    .restore = arm_restore,
    .take_interrupt = arm_take_interrupt,
    .has_work = arm_has_work,
    .set_irq = arm_set_irq,
    .print_state = arm_print_state,
    .mappings = arm_mappings,
    .gdb_architecture = "arm",
    .register_sets = arm_register_sets,
    .disassemble = disassemble,
    .exception_name = arm_exception_name,
    .mode_name = mode_name,
};

REGISTER(guest, arm_guest);
