/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers as debuggers see them: gdb's manual, "i386 Features". What the processor checks
 * when software loads it (segments, control registers) can be read only.
 */
#include "frontend/register_tables.h"
#include "frontend/x86/system.h"
#include "frontend/x86/x87.h"

/* ---- core ------------------------------------------------------------------------------------ */

enum { IP = 16, EFLAGS, SEGMENT0, ST0 = 24, X87_WORD0 = 32 };

/* In gdb's order: fctrl, fstat, ftag, fiseg, fioff, foseg, fooff, fop. */
enum x87_word { FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP };
enum { ENVIRONMENT_BYTES = 28 };

/* Where a word is in FNSTENV's 32-bit protected format: SDM vol. 1, figure 8-9. */
static const struct {
    uint8_t offset, start, length;
} x87_words[] = {
    [FCTRL] = {0, 0, 16},  [FSTAT] = {4, 0, 16},  [FTAG] = {8, 0, 16},   [FISEG] = {16, 0, 16},
    [FIOFF] = {12, 0, 32}, [FOSEG] = {24, 0, 16}, [FOOFF] = {20, 0, 32}, [FOP] = {16, 16, 11},
};

/* FNSTENV masks all exceptions afterwards: not here. */
static void environment_read(struct x86_cpu *cpu, uint8_t *environment)
{
    uint32_t control = cpu->fpu_control;

    x87_store_environment(cpu, environment, ENVIRONMENT_BYTES, false);
    cpu->fpu_control = control;
}

static uint32_t x87_read(struct x86_cpu *cpu, enum x87_word which)
{
    uint8_t environment[ENVIRONMENT_BYTES];

    environment_read(cpu, environment);
    return extract32(load_le32(environment + x87_words[which].offset), x87_words[which].start,
                     x87_words[which].length);
}

static void x87_write(struct x86_cpu *cpu, enum x87_word which, uint32_t value)
{
    uint8_t environment[ENVIRONMENT_BYTES], *at = environment + x87_words[which].offset;

    environment_read(cpu, environment);
    store_le32(at, (uint32_t)deposit64(load_le32(at), x87_words[which].start,
                                       x87_words[which].length, value));
    x87_load_environment(cpu, environment, ENVIRONMENT_BYTES, false);
    x86_update_mode(cpu);
}

static uint8_t *st(struct x86_cpu *cpu, unsigned n)
{
    run_x87_sync(&cpu->v.run, true);
    return cpu->v.run.x87 + X87_AT_REGISTERS + 16 * n;
}

/* In gdb's order. */
static const uint8_t segments[] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS};

static void core_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    struct x86_cpu *cpu = x86_cpu(v);

    if (which >= X87_WORD0) {
        *value = x87_read(cpu, (enum x87_word)(which - X87_WORD0));
    } else if (which >= ST0) {
        memcpy(value, st(cpu, which - ST0), 10);
    } else if (which >= SEGMENT0) {
        *value = cpu->segment[segments[which - SEGMENT0]].selector;
    } else {
        *value = which == EFLAGS ? x86_eflags_read(cpu)
                 : which == IP   ? x86_ip(cpu)
                                 : cpu->gpr[which];
    }
}

static bool core_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    enum { CHANGEABLE = 0x3f7fd5 & ~EFLAGS_VM };
    struct x86_cpu *cpu = x86_cpu(v);

    if (which >= X87_WORD0)
        x87_write(cpu, (enum x87_word)(which - X87_WORD0), (uint32_t)*value);
    else if (which >= ST0)
        memcpy(st(cpu, which - ST0), value, 10);
    else if (which >= SEGMENT0)
        return *value == cpu->segment[segments[which - SEGMENT0]].selector;
    else if (which == EFLAGS)
        x86_eflags_write(cpu, (uint32_t)*value, CHANGEABLE);
    else if (which == IP)
        x86_set_ip(cpu, *value);
    else
        cpu->gpr[which] = v->guest->wide_address ? *value : (uint32_t)*value;
    return true;
}

/* ---- SSE and AVX ----------------------------------------------------------------------------- */

enum { MXCSR = 16 };

static bool has_sse(struct vcpu *v)
{
    return x86_has(x86_cpu(v), HAS_SSE);
}

static bool has_avx(struct vcpu *v)
{
    return x86_has(x86_cpu(v), HAS_AVX);
}

static void sse_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    struct x86_cpu *cpu = x86_cpu(v);

    if (which == MXCSR)
        *value = x86_mxcsr_read(cpu);
    else
        memcpy(value, &cpu->ymm[which][0], 16);
}

static bool sse_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct x86_cpu *cpu = x86_cpu(v);

    if (which != MXCSR) {
        memcpy(&cpu->ymm[which][0], value, 16);
        return true;
    }
    if (*value & ~UINT64_C(0xffff))
        return false;
    x86_mxcsr_write(cpu, (uint32_t)*value);
    return true;
}

static void avx_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    memcpy(value, &x86_cpu(v)->ymm[which][2], 16);
}

static bool avx_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    memcpy(&x86_cpu(v)->ymm[which][2], value, 16);
    return true;
}

/* ---- bases, and what an operating system sets ------------------------------------------------ */

enum system_register { FS_BASE, GS_BASE, KERNEL_GS_BASE, CR0, CR2, CR3, CR4, EFER };

static uint64_t *system_place(struct x86_cpu *cpu, unsigned which)
{
    uint64_t *const places[] = {
        [FS_BASE] = &cpu->segment[SEG_FS].base,
        [GS_BASE] = &cpu->segment[SEG_GS].base,
        [KERNEL_GS_BASE] = &cpu->kernel_gs_base,
        [CR0] = &cpu->cr0,
        [CR2] = &cpu->cr2,
        [CR3] = &cpu->cr3,
        [CR4] = &cpu->cr4,
        [EFER] = &cpu->efer,
    };

    return places[which];
}

static void system_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    *value = *system_place(x86_cpu(v), which);
}

static bool system_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct x86_cpu *cpu = x86_cpu(v);
    uint64_t *place = system_place(cpu, which);

    if (*place == *value)
        return true;
    if (which >= CR0 || !(v->run.key & KEY_CODE64) || !x86_is_canonical(cpu, *value))
        return false;
    *place = *value;
    x86_update_level(cpu);
    return true;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const char core_types[] = TYPE_FLAGS(
    "i386_eflags",
    TYPE_FLAG("CF", 0) TYPE_FLAG("", 1) TYPE_FLAG("PF", 2) TYPE_FLAG("AF", 4) TYPE_FLAG("ZF", 6)
        TYPE_FLAG("SF", 7) TYPE_FLAG("TF", 8) TYPE_FLAG("IF", 9) TYPE_FLAG("DF", 10)
            TYPE_FLAG("OF", 11) TYPE_FLAG("NT", 14) TYPE_FLAG("RF", 16) TYPE_FLAG("VM", 17)
                TYPE_FLAG("AC", 18) TYPE_FLAG("VIF", 19) TYPE_FLAG("VIP", 20) TYPE_FLAG("ID", 21));
static const char sse_types[] = TYPE_VECTOR("v4f", "ieee_single", 4) TYPE_VECTOR(
    "v2d", "ieee_double", 2) TYPE_VECTOR("v16i8", "int8", 16) TYPE_VECTOR("v8i16", "int16", 8)
    TYPE_VECTOR("v4i32", "int32", 4) TYPE_VECTOR("v2i64", "int64", 2)
        TYPE_UNION("vec128", TYPE_FIELD("v4_float", "v4f") TYPE_FIELD("v2_double", "v2d")
                                 TYPE_FIELD("v16_int8", "v16i8") TYPE_FIELD("v8_int16", "v8i16")
                                     TYPE_FIELD("v4_int32", "v4i32") TYPE_FIELD("v2_int64", "v2i64")
                                         TYPE_FIELD("uint128", "uint128"))
            TYPE_FLAGS("i386_mxcsr",
                       TYPE_FLAG("IE", 0) TYPE_FLAG("DE", 1) TYPE_FLAG("ZE", 2) TYPE_FLAG("OE", 3)
                           TYPE_FLAG("UE", 4) TYPE_FLAG("PE", 5) TYPE_FLAG("DAZ", 6)
                               TYPE_FLAG("IM", 7) TYPE_FLAG("DM", 8) TYPE_FLAG("ZM", 9)
                                   TYPE_FLAG("OM", 10) TYPE_FLAG("UM", 11) TYPE_FLAG("PM", 12)
                                       TYPE_FLAG("FZ", 15));

#define GPR(name, bits, n)                                                                         \
    {                                                                                              \
        name, bits, n                                                                              \
    }
#define GPR_HIGH(n) GPR("r" #n, 64, n)
#define SEGMENT(name, n)                                                                           \
    {                                                                                              \
        name, 32, SEGMENT0 + (n), "int32"                                                          \
    }
#define ST(n)                                                                                      \
    {                                                                                              \
        "st" #n, 80, ST0 + (n), "i387_ext"                                                         \
    }
#define X87(name, which)                                                                           \
    {                                                                                              \
        name, 32, X87_WORD0 + (which), "int", "float"                                              \
    }
#define CORE_REST                                                                                  \
    {"eflags", 32, EFLAGS, "i386_eflags"}, SEGMENT("cs", 0), SEGMENT("ss", 1), SEGMENT("ds", 2),   \
        SEGMENT("es", 3), SEGMENT("fs", 4), SEGMENT("gs", 5), REGISTERS_0_7(ST),                   \
        X87("fctrl", FCTRL), X87("fstat", FSTAT), X87("ftag", FTAG), X87("fiseg", FISEG),          \
        X87("fioff", FIOFF), X87("foseg", FOSEG), X87("fooff", FOOFF), X87("fop", FOP),            \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register core32[] = {
    GPR("eax", 32, RAX), GPR("ecx", 32, RCX),          GPR("edx", 32, RDX),
    GPR("ebx", 32, RBX), {"esp", 32, RSP, "data_ptr"}, {"ebp", 32, RBP, "data_ptr"},
    GPR("esi", 32, RSI), GPR("edi", 32, RDI),          {"eip", 32, IP, "code_ptr"},
    CORE_REST,
};
static const struct guest_register core64[] = {
    GPR("rax", 64, RAX),
    GPR("rbx", 64, RBX),
    GPR("rcx", 64, RCX),
    GPR("rdx", 64, RDX),
    GPR("rsi", 64, RSI),
    GPR("rdi", 64, RDI),
    {"rbp", 64, RBP, "data_ptr"},
    {"rsp", 64, RSP, "data_ptr"},
    REGISTERS_8_15(GPR_HIGH),
    {"rip", 64, IP, "code_ptr"},
    CORE_REST,
};

#define XMM(n)                                                                                     \
    {                                                                                              \
        "xmm" #n, 128, n, "vec128"                                                                 \
    }
#define SSE_REST                                                                                   \
    {"mxcsr", 32, MXCSR, "i386_mxcsr", "vector"},                                                  \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register sse32[] = {REGISTERS_0_7(XMM), SSE_REST};
static const struct guest_register sse64[] = {REGISTERS_0_15(XMM), SSE_REST};

#define YMM(n)                                                                                     \
    {                                                                                              \
        "ymm" #n "h", 128, n, "uint128"                                                            \
    }
static const struct guest_register avx32[] = {REGISTERS_0_7(YMM), {NULL}};
static const struct guest_register avx64[] = {REGISTERS_0_15(YMM), {NULL}};

static const struct guest_register bases64[] = {
    {"fs_base", 64, FS_BASE, "int64"},
    {"gs_base", 64, GS_BASE, "int64"},
    {NULL},
};
#define CONTROL(bits)                                                                              \
    SYSTEM_REGISTER("cr0", bits, CR0), SYSTEM_REGISTER("cr2", bits, CR2),                          \
        SYSTEM_REGISTER("cr3", bits, CR3), SYSTEM_REGISTER("cr4", bits, CR4),                      \
        SYSTEM_REGISTER("efer", 64, EFER)
static const struct guest_register system32[] = {CONTROL(32), {NULL}};
static const struct guest_register system64[] = {
    SYSTEM_REGISTER("k_gs_base", 64, KERNEL_GS_BASE), CONTROL(64), {NULL}};

#define SETS(width)                                                                                \
    {"org.gnu.gdb.i386.core", core_types, core##width, NULL, core_read, core_write},               \
        {"org.gnu.gdb.i386.sse", sse_types, sse##width, has_sse, sse_read, sse_write},             \
    {                                                                                              \
        "org.gnu.gdb.i386.avx", NULL, avx##width, has_avx, avx_read, avx_write                     \
    }
#define SYSTEM_SET(width)                                                                          \
    {                                                                                              \
        "org.calque.x86.system", NULL, system##width, NULL, system_read, system_write              \
    }
const struct guest_register_set x86_register_sets32[] = {SETS(32), SYSTEM_SET(32), {NULL}};
const struct guest_register_set x86_register_sets64[] = {
    SETS(64),
    {"org.gnu.gdb.i386.segments", NULL, bases64, NULL, system_read, system_write},
    SYSTEM_SET(64),
    {NULL},
};
