/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers as debuggers see them: gdb's manual, "ARM Features". */
#include "frontend/arm/cpu.h"
#include "frontend/register_tables.h"

enum { PC = 15, CPSR = 16, D0 = 32, FPSCR = 64 };

/* ---- core ------------------------------------------------------------------------------------ */

static void core_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    const struct arm_cpu *cpu = arm_cpu(v);

    if (which == CPSR)
        *value = arm_cpsr_read(cpu);
    else
        *value = which == PC ? (uint32_t)v->run.pc : cpu->r[which];
}

static bool core_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct arm_cpu *cpu = arm_cpu(v);
    uint32_t pc = (uint32_t)*value & (v->run.key & KEY_T ? ~UINT32_C(1) : ~UINT32_C(3));

    if (which == CPSR) {
        arm_cpsr_write(cpu, (uint32_t)*value, UINT32_MAX);
    } else if (which != PC) {
        cpu->r[which] = (uint32_t)*value;
    } else if (pc != v->run.pc) {
        v->run.pc = pc;
        v->run.key &= ~(uint32_t)KEY_IT_MASK; /* of the place that is left */
    }
    return true;
}

#define R(n)                                                                                       \
    {                                                                                              \
        "r" #n, 32, n                                                                              \
    }
static const struct guest_register core[] = {
    REGISTERS_0_7(R),
    R(8),
    R(9),
    R(10),
    R(11),
    R(12),
    {"sp", 32, 13, "data_ptr"},
    {"lr", 32, 14},
    {"pc", 32, PC, "code_ptr"},
    {"cpsr", 32, CPSR, .number = 25},
    {NULL},
};

/* ---- VFP and Advanced SIMD ------------------------------------------------------------------- */

static void vfp_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    struct arm_cpu *cpu = arm_cpu(v);

    *value = which == FPSCR ? arm_fpscr_read(cpu) : cpu->d[which - D0];
}

static bool vfp_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct arm_cpu *cpu = arm_cpu(v);

    if (which == FPSCR)
        arm_fpscr_write(cpu, (uint32_t)*value);
    else
        cpu->d[which - D0] = *value;
    return true;
}

static void neon_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    memcpy(value, &arm_cpu(v)->d[2 * which], 16);
}

static bool neon_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    memcpy(&arm_cpu(v)->d[2 * which], value, 16);
    return true;
}

static bool has_vfp16(struct vcpu *v)
{
    uint32_t features = arm_cpu(v)->model->features;

    return features & ARM_HAS_VFP && !(features & ARM_HAS_D32);
}

static bool has_vfp32(struct vcpu *v)
{
    uint32_t features = arm_cpu(v)->model->features;

    return features & ARM_HAS_VFP && features & ARM_HAS_D32;
}

static bool has_neon(struct vcpu *v)
{
    return has_vfp32(v) && arm_cpu(v)->model->features & ARM_HAS_NEON;
}

#define D(n)                                                                                       \
    {                                                                                              \
        "d" #n, 64, D0 + (n), "ieee_double"                                                        \
    }
#define Q(n)                                                                                       \
    {                                                                                              \
        "q" #n, 128, n, "neon_q"                                                                   \
    }
#define STATUS                                                                                     \
    {                                                                                              \
        "fpscr", 32, FPSCR, "int", "float"                                                         \
    }
static const struct guest_register vfp16[] = {REGISTERS_0_15(D), STATUS, {NULL}};
static const struct guest_register vfp32[] = {REGISTERS_0_31(D), STATUS, {NULL}};
static const struct guest_register neon[] = {REGISTERS_0_15(Q), {NULL}};

static const char neon_types[] = TYPE_VECTOR("v16u8", "uint8", 16) TYPE_VECTOR("v8u16", "uint16", 8)
    TYPE_VECTOR("v4u32", "uint32", 4) TYPE_VECTOR("v2u64", "uint64", 2)
        TYPE_VECTOR("v4f32", "ieee_single", 4)
            TYPE_UNION("neon_q", TYPE_FIELD("u8", "v16u8") TYPE_FIELD("u16", "v8u16")
                                     TYPE_FIELD("u32", "v4u32") TYPE_FIELD("u64", "v2u64")
                                         TYPE_FIELD("f32", "v4f32"));

/* ---- what an operating system sets ----------------------------------------------------------- */

enum system_register {
    SPSR,
    SCTLR,
    TTBCR,
    TTBR0,
    TTBR1,
    DACR,
    DFSR,
    DFAR,
    IFSR,
    IFAR,
    VBAR,
    CONTEXTIDR,
    TPIDRURW,
    TPIDRURO,
    TPIDRPRW,
    CPACR,
    FPEXC,
};

static void system_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    const struct arm_cpu *cpu = arm_cpu(v);
    const uint64_t values[] = {
        [SPSR] = cpu->spsr,
        [SCTLR] = cpu->cp15.sctlr,
        [TTBCR] = cpu->cp15.ttbcr,
        [TTBR0] = cpu->cp15.ttbr0,
        [TTBR1] = cpu->cp15.ttbr1,
        [DACR] = cpu->cp15.dacr,
        [DFSR] = cpu->cp15.dfsr,
        [DFAR] = cpu->cp15.dfar,
        [IFSR] = cpu->cp15.ifsr,
        [IFAR] = cpu->cp15.ifar,
        [VBAR] = cpu->cp15.vbar,
        [CONTEXTIDR] = cpu->cp15.contextidr,
        [TPIDRURW] = cpu->cp15.tpidrurw,
        [TPIDRURO] = cpu->cp15.tpidruro,
        [TPIDRPRW] = cpu->cp15.tpidrprw,
        [CPACR] = cpu->cp15.cpacr,
        [FPEXC] = cpu->fpexc,
    };

    *value = values[which];
}

static const struct guest_register system_registers[] = {
    SYSTEM_REGISTER("spsr", 32, SPSR),         SYSTEM_REGISTER("sctlr", 32, SCTLR),
    SYSTEM_REGISTER("ttbcr", 32, TTBCR),       SYSTEM_REGISTER("ttbr0", 64, TTBR0),
    SYSTEM_REGISTER("ttbr1", 64, TTBR1),       SYSTEM_REGISTER("dacr", 32, DACR),
    SYSTEM_REGISTER("dfsr", 32, DFSR),         SYSTEM_REGISTER("dfar", 32, DFAR),
    SYSTEM_REGISTER("ifsr", 32, IFSR),         SYSTEM_REGISTER("ifar", 32, IFAR),
    SYSTEM_REGISTER("vbar", 32, VBAR),         SYSTEM_REGISTER("contextidr", 32, CONTEXTIDR),
    SYSTEM_REGISTER("tpidrurw", 32, TPIDRURW), SYSTEM_REGISTER("tpidruro", 32, TPIDRURO),
    SYSTEM_REGISTER("tpidrprw", 32, TPIDRPRW), SYSTEM_REGISTER("cpacr", 32, CPACR),
    SYSTEM_REGISTER("fpexc", 32, FPEXC),       {NULL},
};

const struct guest_register_set arm_register_sets[] = {
    {"org.gnu.gdb.arm.core", NULL, core, NULL, core_read, core_write},
    {"org.gnu.gdb.arm.vfp", NULL, vfp16, has_vfp16, vfp_read, vfp_write},
    {"org.gnu.gdb.arm.vfp", NULL, vfp32, has_vfp32, vfp_read, vfp_write},
    {"org.gnu.gdb.arm.neon", neon_types, neon, has_neon, neon_read, neon_write},
    {"org.calque.arm.system", NULL, system_registers, NULL, system_read, NULL},
    {NULL},
};
