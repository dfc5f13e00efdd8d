/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86 guests as the rest of calque sees them: state fields and registration. */
#include "frontend/x86/decode.h"
#include "frontend/x86/translate.h"

/* ---- state ----------------------------------------------------------------------------------- */

#define FIELD(index, field_name, member, field_type, field_flags, field_group)                     \
    [index] = {.name = (field_name),                                                               \
               .offset = offsetof(struct x86_cpu, member),                                         \
               .type = (field_type),                                                               \
               .flags = (field_flags),                                                             \
               .group = (field_group)}
#define SEGMENT(base_type, n, name)                                                                \
    FIELD(F_BASE0 + (n), name "_base", segment[n].base, base_type, 0, GROUP_SEGMENTS),             \
        FIELD(F_LIMIT0 + (n), name "_limit", segment[n].limit, IR_I32, 0, GROUP_SEGMENTS),         \
        FIELD(F_SELECTOR0 + (n), name, segment[n].selector, IR_I16, 0, GROUP_SEGMENTS),            \
        FIELD(F_ATTRIBUTES0 + (n), name "_attributes", segment[n].attributes, IR_I16, 0,           \
              GROUP_SEGMENTS)
#define XMM(n)                                                                                     \
    FIELD(F_XMM0 + (n), "xmm" #n, ymm[n][0], IR_V128, 0, GROUP_VECTOR),                            \
        FIELD(F_YMM_HIGH0 + (n), "ymm" #n "h", ymm[n][2], IR_V128, 0, GROUP_VECTOR),               \
        FIELD(F_XMM_S0 + (n), "xmm" #n "s", ymm[n][0], IR_I32, 0, GROUP_VECTOR),                   \
        FIELD(F_XMM_D0 + (n), "xmm" #n "d", ymm[n][0], IR_I64, 0, GROUP_VECTOR)
#define VTEMP(n) FIELD(F_VTEMP0 + (n), "vtemp" #n, vtemp[2 * (n)], IR_V128, 0, GROUP_VECTOR)
#define GPR(type, n, name, hot) FIELD(F_R0 + (n), name, gpr[n], type, hot, GROUP_R(n))

/* In the order of their use by compilers: the first get host registers. */
#define FIELDS(word)                                                                               \
    FIELD(F_PC, "pc", v.run.pc, IR_I64, 0, GROUP_PC),                                              \
        FIELD(F_KEY, "key", v.run.key, IR_I32, 0, GROUP_PC), GPR(word, RAX, "rax", STATE_HOT),     \
        GPR(word, RCX, "rcx", STATE_HOT), GPR(word, RDX, "rdx", STATE_HOT),                        \
        GPR(word, RBX, "rbx", STATE_HOT), GPR(word, RSP, "rsp", STATE_HOT),                        \
        GPR(word, RBP, "rbp", STATE_HOT), GPR(word, RSI, "rsi", STATE_HOT),                        \
        GPR(word, RDI, "rdi", STATE_HOT), GPR(word, R8, "r8", STATE_HOT), GPR(word, 9, "r9", 0),   \
        GPR(word, 10, "r10", 0), GPR(word, 11, "r11", 0), GPR(word, 12, "r12", 0),                 \
        GPR(word, 13, "r13", 0), GPR(word, 14, "r14", 0), GPR(word, 15, "r15", 0),                 \
        FIELD(F_STATUS, "status", status, IR_FLAGS, 0, GROUP_STATUS),                              \
        FIELD(F_DF, "df", df, IR_I32, 0, GROUP_EFLAGS),                                            \
        FIELD(F_EFLAGS, "eflags", eflags, IR_I32, 0, GROUP_EFLAGS),                                \
        FIELD(F_INHIBIT, "inhibit", inhibit, IR_I32, 0, GROUP_EFLAGS),                             \
        FIELD(F_CR0, "cr0", cr0, IR_I64, 0, GROUP_CONTROL),                                        \
        FIELD(F_CR2, "cr2", cr2, IR_I64, 0, GROUP_CONTROL),                                        \
        FIELD(F_CR3, "cr3", cr3, IR_I64, 0, GROUP_CONTROL),                                        \
        FIELD(F_CR4, "cr4", cr4, IR_I64, 0, GROUP_CONTROL), SEGMENT(word, 0, "es"),                \
        SEGMENT(word, 1, "cs"), SEGMENT(word, 2, "ss"), SEGMENT(word, 3, "ds"),                    \
        SEGMENT(word, 4, "fs"), SEGMENT(word, 5, "gs"), XMM(0), XMM(1), XMM(2), XMM(3), XMM(4),    \
        XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14),       \
        XMM(15), FIELD(F_MXCSR, "mxcsr", mxcsr, IR_I32, 0, GROUP_FPU),                             \
        FIELD(F_FPU_CONTROL, "fpu_control", fpu_control, IR_I32, 0, GROUP_FPU),                    \
        FIELD(F_FPU_OPCODE, "fpu_opcode", fpu_opcode, IR_I32, 0, GROUP_FPU),                       \
        FIELD(F_FPU_CS, "fpu_cs", fpu_cs, IR_I32, 0, GROUP_FPU),                                   \
        FIELD(F_FPU_IP, "fpu_ip", fpu_ip, IR_I64, 0, GROUP_FPU),                                   \
        FIELD(F_FPU_DS, "fpu_ds", fpu_ds, IR_I32, 0, GROUP_FPU),                                   \
        FIELD(F_FPU_DP, "fpu_dp", fpu_dp, IR_I64, 0, GROUP_FPU), VTEMP(0), VTEMP(1), VTEMP(2),     \
        VTEMP(3), VTEMP(4), VTEMP(5), VTEMP(6), VTEMP(7)

const struct state_field x86_fields32[F_N] = {FIELDS(IR_I32)};
const struct state_field x86_fields64[F_N] = {FIELDS(IR_I64)};

/* ---- registration ---------------------------------------------------------------------------- */

static const struct insn_desc *const no_tables[] = {NULL};

#define COMMON_GUEST                                                                               \
    .state_size = sizeof(struct x86_cpu), .n_fields = F_N, .fp = &x86_fp_rules,                    \
    .xlat_size = sizeof(struct x86_xlat), .insn_tables = no_tables, .n_irq_in = X86_N_IRQ_IN,      \
    .exact_code_writes = true, .traps_after_access = true, .init = x86_init,                       \
    .features = x86_features, .reset = x86_reset, .finish = x86_finish,                            \
    .translate = x86_translate, .mmu = &x86_mmu_client, .raise = x86_raise_exception,              \
    .restore = x86_restore_state, .take_interrupt = x86_take_interrupt, .has_work = x86_has_work,  \
    .set_irq = x86_set_irq, .print_state = x86_print_state, .nmi_line = 1 + X86_NMI,               \
    .mappings = x86_mappings, .disassemble = x86_disassemble_guest,                                \
    .exception_name = x86_exception_name, .mode_name = x86_mode_name

static const struct guest i386_guest = {
    COMMON_GUEST,
    .name = "i386",
    .description = "32-bit x86",
    .fields = x86_fields32,
    .models = x86_models32,
    .default_model = "qemu32",
    .gdb_architecture = "i386",
    .register_sets = x86_register_sets32,
};
REGISTER(guest, i386_guest);

static const struct guest x86_64_guest = {
    COMMON_GUEST,
    .name = "x86_64",
    .description = "64-bit x86",
    .fields = x86_fields64,
    .models = x86_models64,
    .default_model = "qemu64",
    .wide_address = true,
    .gdb_architecture = "i386:x86-64",
    .register_sets = x86_register_sets64,
};
REGISTER(guest, x86_64_guest);
