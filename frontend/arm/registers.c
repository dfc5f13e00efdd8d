/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers as debuggers see them: gdb's manual, "ARM Features". */
#include "frontend/arm/cpu.h"

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
    R(0),
    R(1),
    R(2),
    R(3),
    R(4),
    R(5),
    R(6),
    R(7),
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
#define D_LOW                                                                                      \
    D(0), D(1), D(2), D(3), D(4), D(5), D(6), D(7), D(8), D(9), D(10), D(11), D(12), D(13), D(14), \
        D(15)
#define D_HIGH                                                                                     \
    D(16), D(17), D(18), D(19), D(20), D(21), D(22), D(23), D(24), D(25), D(26), D(27), D(28),     \
        D(29), D(30), D(31)
#define Q(n)                                                                                       \
    {                                                                                              \
        "q" #n, 128, n, "neon_q"                                                                   \
    }
#define STATUS                                                                                     \
    {                                                                                              \
        "fpscr", 32, FPSCR, "int", "float"                                                         \
    }
static const struct guest_register vfp16[] = {D_LOW, STATUS, {NULL}};
static const struct guest_register vfp32[] = {D_LOW, D_HIGH, STATUS, {NULL}};
static const struct guest_register neon[] = {
    Q(0), Q(1),  Q(2),  Q(3),  Q(4),  Q(5),  Q(6),  Q(7),   Q(8),
    Q(9), Q(10), Q(11), Q(12), Q(13), Q(14), Q(15), {NULL},
};

#define VECTOR(id, type, count) "<vector id=\"" id "\" type=\"" type "\" count=\"" #count "\"/>"
#define MEMBER(name, type) "<field name=\"" name "\" type=\"" type "\"/>"
static const char neon_types[] = VECTOR("v16u8", "uint8", 16) VECTOR("v8u16", "uint16", 8)
    VECTOR("v4u32", "uint32", 4) VECTOR("v2u64", "uint64", 2)
        VECTOR("v4f32", "ieee_single", 4) "<union id=\"neon_q\">" MEMBER("u8", "v16u8")
            MEMBER("u16", "v8u16") MEMBER("u32", "v4u32") MEMBER("u64", "v2u64")
                MEMBER("f32", "v4f32") "</union>";

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

#define SYSTEM(name, bits, which)                                                                  \
    {                                                                                              \
        name, bits, which, NULL, "system"                                                          \
    }
static const struct guest_register system_registers[] = {
    SYSTEM("spsr", 32, SPSR),         SYSTEM("sctlr", 32, SCTLR),
    SYSTEM("ttbcr", 32, TTBCR),       SYSTEM("ttbr0", 64, TTBR0),
    SYSTEM("ttbr1", 64, TTBR1),       SYSTEM("dacr", 32, DACR),
    SYSTEM("dfsr", 32, DFSR),         SYSTEM("dfar", 32, DFAR),
    SYSTEM("ifsr", 32, IFSR),         SYSTEM("ifar", 32, IFAR),
    SYSTEM("vbar", 32, VBAR),         SYSTEM("contextidr", 32, CONTEXTIDR),
    SYSTEM("tpidrurw", 32, TPIDRURW), SYSTEM("tpidruro", 32, TPIDRURO),
    SYSTEM("tpidrprw", 32, TPIDRPRW), SYSTEM("cpacr", 32, CPACR),
    SYSTEM("fpexc", 32, FPEXC),       {NULL},
};

const struct guest_register_set arm_register_sets[] = {
    {"org.gnu.gdb.arm.core", NULL, core, NULL, core_read, core_write},
    {"org.gnu.gdb.arm.vfp", NULL, vfp16, has_vfp16, vfp_read, vfp_write},
    {"org.gnu.gdb.arm.vfp", NULL, vfp32, has_vfp32, vfp_read, vfp_write},
    {"org.gnu.gdb.arm.neon", neon_types, neon, has_neon, neon_read, neon_write},
    {"org.calque.arm.system", NULL, system_registers, NULL, system_read, NULL},
    {NULL},
};
