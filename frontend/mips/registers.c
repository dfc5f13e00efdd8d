/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers as debuggers see them: gdb's manual, "MIPS Features". */
#include "frontend/mips/system.h"
#include "frontend/register_tables.h"

enum { LO = 32, HI, PC };

/* ---- cpu ------------------------------------------------------------------------------------- */

static void cpu_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    const struct mips_cpu *cpu = mips_cpu(v);

    if (which == PC)
        *value = mips_pc(cpu);
    else
        *value = which == LO ? cpu->lo[0] : which == HI ? cpu->hi[0] : cpu->gpr[which];
}

static bool cpu_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct mips_cpu *cpu = mips_cpu(v);
    uint64_t word = cpu->wide ? *value : (uint32_t)*value;

    if (which == LO) {
        cpu->lo[0] = word;
    } else if (which == HI) {
        cpu->hi[0] = word;
    } else if (which == PC) {
        if (word != mips_pc(cpu)) /* the forbidden slot, of the place that is left */
            mips_set_pc(cpu, word);
    } else if (which) {
        cpu->gpr[which] = word;
    }
    return which || !word;
}

#define R32(n)                                                                                     \
    {                                                                                              \
        "r" #n, 32, n                                                                              \
    }
#define R64(n)                                                                                     \
    {                                                                                              \
        "r" #n, 64, n                                                                              \
    }
#define CPU(bits)                                                                                  \
    REGISTERS_0_31(R##bits), {"lo", bits, LO, .number = 33}, {"hi", bits, HI, .number = 34},       \
        {"pc", bits, PC, .number = 37},                                                            \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register cpu32[] = {CPU(32)};
static const struct guest_register cpu64[] = {CPU(64)};

/* ---- CP0: `which` is the register's number and select ------------------------------------------
 */

#define SELECT(number, select) ((number) << 3 | (select))

static void cp0_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    *value = mips_cp0_get(mips_cpu(v), which >> 3, which & 7);
}

static bool cp0_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    mips_cp0_set(mips_cpu(v), which >> 3, which & 7, *value);
    return true;
}

#define CP0_KNOWN(bits)                                                                            \
    {"status", bits, SELECT(12, 0), .number = 32}, {"badvaddr", bits, SELECT(8, 0), .number = 35}, \
        {"cause", bits, SELECT(13, 0), .number = 36},                                              \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register cp0_known32[] = {CP0_KNOWN(32)};
static const struct guest_register cp0_known64[] = {CP0_KNOWN(64)};

/* Numbers behind all that gdb knows itself. */
#define CP0(name, bits, number, select) SYSTEM_REGISTER(name, bits, SELECT(number, select))
#define CP0_OTHERS(bits)                                                                           \
    {"index", 32, SELECT(0, 0), NULL, "system", 100}, CP0("entrylo0", bits, 2, 0),                 \
        CP0("entrylo1", bits, 3, 0), CP0("context", bits, 4, 0), CP0("userlocal", bits, 4, 2),     \
        CP0("pagemask", bits, 5, 0), CP0("pagegrain", 32, 5, 1), CP0("wired", 32, 6, 0),           \
        CP0("hwrena", 32, 7, 0), CP0("count", 32, 9, 0), CP0("entryhi", bits, 10, 0),              \
        CP0("compare", 32, 11, 0), CP0("intctl", 32, 12, 1), CP0("srsctl", 32, 12, 2),             \
        CP0("epc", bits, 14, 0), CP0("prid", 32, 15, 0), CP0("ebase", bits, 15, 1),                \
        CP0("config", 32, 16, 0), CP0("config1", 32, 16, 1), CP0("config2", 32, 16, 2),            \
        CP0("config3", 32, 16, 3), CP0("config4", 32, 16, 4), CP0("config5", 32, 16, 5),           \
        CP0("lladdr", bits, 17, 0), CP0("debug", 32, 23, 0), CP0("depc", bits, 24, 0),             \
        CP0("errorepc", bits, 30, 0),                                                              \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register cp0_others32[] = {CP0_OTHERS(32)};
static const struct guest_register cp0_others64[] = {CP0_OTHERS(64)};

/* ---- FPU ------------------------------------------------------------------------------------- */

enum { FCSR = 32, FIR };

static bool has_fpu(struct vcpu *v)
{
    return mips_has(mips_cpu(v), MIPS_HAS_FPU);
}

/* With Status.FR = 0 an odd register is the high half of the even one before it. */
static bool is_half(const struct mips_cpu *cpu, unsigned which)
{
    return which & 1 && !(cpu->cp0.status & STATUS_FR);
}

static void fpu_read(struct vcpu *v, unsigned which, uint64_t *value)
{
    struct mips_cpu *cpu = mips_cpu(v);

    if (which == FCSR)
        *value = mips_fcsr_read(cpu);
    else if (which == FIR)
        *value = cpu->model->fir;
    else
        *value = is_half(cpu, which) ? cpu->fpr[which - 1][0] >> 32 : cpu->fpr[which][0];
}

static bool fpu_write(struct vcpu *v, unsigned which, const uint64_t *value)
{
    struct mips_cpu *cpu = mips_cpu(v);
    uint64_t *fpr;

    if (which == FCSR) {
        mips_fcsr_write(cpu, (uint32_t)*value);
        mips_update_mode(cpu);
        return true;
    }
    if (which == FIR)
        return *value == cpu->model->fir;
    fpr = &cpu->fpr[is_half(cpu, which) ? which - 1 : which][0];
    if (is_half(cpu, which))
        *fpr = deposit64(*fpr, 32, 32, *value);
    else
        *fpr = cpu->wide ? *value : deposit64(*fpr, 0, 32, *value);
    return true;
}

#define F32(n)                                                                                     \
    {                                                                                              \
        "f" #n, 32, n, "ieee_single", "float"                                                      \
    }
#define F64(n)                                                                                     \
    {                                                                                              \
        "f" #n, 64, n, "ieee_double", "float"                                                      \
    }
#define FPU(bits, type)                                                                            \
    {"f0", bits, 0, type, "float", 38}, REGISTERS_1_31(F##bits),                                   \
        {"fcsr", bits, FCSR, NULL, "float", 70}, {"fir", bits, FIR, NULL, "float", 71},            \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct guest_register fpu32[] = {FPU(32, "ieee_single")};
static const struct guest_register fpu64[] = {FPU(64, "ieee_double")};

#define SETS(width)                                                                                \
    {"org.gnu.gdb.mips.cpu", NULL, cpu##width, NULL, cpu_read, cpu_write},                         \
        {"org.gnu.gdb.mips.cp0", NULL, cp0_known##width, NULL, cp0_read, cp0_write},               \
        {"org.gnu.gdb.mips.fpu", NULL, fpu##width, has_fpu, fpu_read, fpu_write},                  \
        {"org.calque.mips.cp0", NULL, cp0_others##width, NULL, cp0_read, cp0_write},               \
    {                                                                                              \
        NULL                                                                                       \
    }
const struct guest_register_set mips_register_sets32[] = {SETS(32)};
const struct guest_register_set mips_register_sets64[] = {SETS(64)};
