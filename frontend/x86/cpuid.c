/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID (SDM vol. 2, CPUID; APM vol. 3, appendix E): each leaf from the model's feature set. */
#include <string.h>

#include "frontend/x86/system.h"

enum { EAX, EBX, ECX, EDX };

struct bit {
    uint8_t feature, bit;
};

static uint32_t collect(const struct x86_cpu *cpu, const struct bit *bits, unsigned n)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < n; i++) {
        if (x86_has(cpu, bits[i].feature))
            value |= 1u << bits[i].bit;
    }
    return value;
}
#define COLLECT(cpu, ...)                                                                          \
    collect(cpu, (const struct bit[]){__VA_ARGS__},                                                \
            sizeof((const struct bit[]){__VA_ARGS__}) / sizeof(struct bit))

static bool is_amd(const struct x86_cpu *cpu)
{
    return !strcmp(cpu->model->vendor, "AuthenticAMD");
}

static void vendor(const struct x86_cpu *cpu, uint32_t out[4])
{
    memcpy(&out[EBX], cpu->model->vendor, 4);
    memcpy(&out[EDX], cpu->model->vendor + 4, 4);
    memcpy(&out[ECX], cpu->model->vendor + 8, 4);
}

uint32_t x86_signature(const struct x86_model *m)
{
    uint32_t family = MIN(m->family, 15), extended = m->family - family;

    return extended << 20 | (uint32_t)(m->model >> 4) << 16 | family << 8 |
           (uint32_t)(m->model & 15) << 4 | m->stepping;
}

/* CLFLUSH lines are of 64 bytes; one logical processor with APIC ID 0. */
static void features(struct x86_cpu *cpu, uint32_t out[4])
{
    out[EAX] = x86_signature(cpu->model);
    out[EBX] = (x86_has(cpu, HAS_CLFSH) ? 8u << 8 : 0) | 1u << 16;
    out[ECX] =
        COLLECT(cpu, {HAS_SSE3, 0}, {HAS_PCLMUL, 1}, {HAS_MONITOR, 3}, {HAS_SSSE3, 9},
                {HAS_FMA, 12}, {HAS_CX16, 13}, {HAS_PCID, 17}, {HAS_SSE41, 19}, {HAS_SSE42, 20},
                {HAS_X2APIC, 21}, {HAS_MOVBE, 22}, {HAS_POPCNT, 23}, {HAS_TSC_DEADLINE, 24},
                {HAS_AES, 25}, {HAS_XSAVE, 26}, {HAS_AVX, 28}, {HAS_F16C, 29}, {HAS_RDRAND, 30});
    out[ECX] |= 1u << 31; /* a hypervisor may be there: time is not the processor's own */
    if (x86_has(cpu, HAS_XSAVE) && (cpu->cr4 & CR4_OSXSAVE))
        out[ECX] |= 1u << 27;
    out[EDX] = COLLECT(cpu, {HAS_FPU, 0}, {HAS_VME, 1}, {HAS_DE, 2}, {HAS_PSE, 3}, {HAS_TSC, 4},
                       {HAS_MSR, 5}, {HAS_PAE, 6}, {HAS_MCE, 7}, {HAS_CX8, 8}, {HAS_APIC, 9},
                       {HAS_SEP, 11}, {HAS_MTRR, 12}, {HAS_PGE, 13}, {HAS_MCA, 14}, {HAS_CMOV, 15},
                       {HAS_PAT, 16}, {HAS_PSE36, 17}, {HAS_CLFSH, 19}, {HAS_MMX, 23},
                       {HAS_FXSR, 24}, {HAS_SSE, 25}, {HAS_SSE2, 26});
    /* APIC is shown while it is switched on (vol. 3, 10.4.3). */
    if (cpu->v.board.apic_read && x86_has(cpu, HAS_APIC)) {
        vcpu_lock_devices(&cpu->v);
        uint64_t base = cpu->v.board.apic_read(cpu->v.board.opaque, &cpu->v, APIC_BASE_MSR);
        vcpu_unlock_devices(&cpu->v);
        if (!(base >> 11 & 1))
            out[EDX] &= ~(1u << 9);
    }
}

/* Deterministic cache parameters: 32 KiB data and code, 256 KiB and 8 MiB unified. */
static void caches(uint32_t subleaf, uint32_t out[4])
{
    static const struct {
        uint8_t type, level, ways;
        uint16_t sets;
    } cache[] = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 8, 512}, {3, 3, 16, 8192}};

    if (subleaf >= ARRAY_SIZE(cache))
        return;
    out[EAX] = cache[subleaf].type | (uint32_t)cache[subleaf].level << 5 | 1 << 8;
    out[EBX] = 63 | (uint32_t)(cache[subleaf].ways - 1) << 22;
    out[ECX] = cache[subleaf].sets - 1u;
}

static void extended_features(const struct x86_cpu *cpu, uint32_t subleaf, uint32_t out[4])
{
    if (subleaf)
        return;
    out[EBX] = COLLECT(cpu, {HAS_FSGSBASE, 0}, {HAS_BMI1, 3}, {HAS_AVX2, 5}, {HAS_SMEP, 7},
                       {HAS_BMI2, 8}, {HAS_ERMS, 9}, {HAS_INVPCID, 10}, {HAS_RDSEED, 18},
                       {HAS_ADX, 19}, {HAS_SMAP, 20}, {HAS_CLFLUSHOPT, 23}, {HAS_SHA, 29});
    out[EBX] |= 1u << 6; /* the x87 operand pointer is kept up at unmasked exceptions only */
    out[ECX] = COLLECT(cpu, {HAS_UMIP, 2}, {HAS_RDPID, 22});
}

/* Vol. 1, 13.2: sizes of the standard form. */
static void xsave(const struct x86_cpu *cpu, uint32_t subleaf, uint32_t out[4])
{
    enum { LEGACY = 576, AVX_OFFSET = 576, AVX_BYTES = 256 };
    bool avx = x86_has(cpu, HAS_AVX);

    if (!x86_has(cpu, HAS_XSAVE))
        return;
    switch (subleaf) {
    case 0:
        out[EAX] = avx ? 7 : 3;
        out[EBX] = cpu->xcr0 & 4 ? AVX_OFFSET + AVX_BYTES : LEGACY;
        out[ECX] = avx ? AVX_OFFSET + AVX_BYTES : LEGACY;
        break;
    case 1:
        out[EAX] = x86_has(cpu, HAS_XSAVEOPT);
        break;
    case 2:
        if (avx) {
            out[EAX] = AVX_BYTES;
            out[EBX] = AVX_OFFSET;
        }
        break;
    default:
        break;
    }
}

static void extended_signature(const struct x86_cpu *cpu, uint32_t out[4])
{
    out[EAX] = x86_signature(cpu->model);
    out[ECX] = COLLECT(cpu, {HAS_LAHF64, 0}, {HAS_ABM, 5}, {HAS_SSE4A, 6}, {HAS_3DNOWPREFETCH, 8});
    out[EDX] = COLLECT(cpu, {HAS_SYSCALL, 11}, {HAS_NX, 20}, {HAS_PDPE1GB, 26}, {HAS_RDTSCP, 27},
                       {HAS_LM, 29});
    if (is_amd(cpu)) { /* AMD repeats leaf 1 */
        uint32_t basic[4] = {0};
        features((struct x86_cpu *)cpu, basic);
        out[EDX] |= basic[EDX] & 0x0183f3ff;
    }
}

static void brand(const struct x86_cpu *cpu, unsigned part, uint32_t out[4])
{
    char text[48] = "";

    strncpy(text, cpu->model->brand, sizeof(text) - 1);
    memcpy(out, text + part * 16, 16);
}

static void addresses(const struct x86_cpu *cpu, uint32_t out[4])
{
    out[EAX] = cpu->model->physical_bits | (x86_has(cpu, HAS_LM) ? 48u : 32u) << 8;
}

static void basic_leaf(struct x86_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    switch (leaf) {
    case 0:
        out[EAX] = cpu->model->max_basic;
        vendor(cpu, out);
        break;
    case 1:
        features(cpu, out);
        break;
    case 2: /* descriptors are in leaf 4 */
        out[EAX] = 0x00ffff01;
        break;
    case 4:
        caches(subleaf, out);
        break;
    case 6:
        out[EAX] = 1 << 2; /* the APIC timer never stops */
        break;
    case 7:
        extended_features(cpu, subleaf, out);
        break;
    case 0xb: /* one thread in one core */
        out[EBX] = subleaf < 2;
        out[ECX] = subleaf | (subleaf < 2 ? (subleaf + 1) << 8 : 0);
        break;
    case 0xd:
        xsave(cpu, subleaf, out);
        break;
    default:
        break;
    }
}

static void extended_leaf(struct x86_cpu *cpu, uint32_t leaf, uint32_t out[4])
{
    switch (leaf) {
    case 0x80000000:
        out[EAX] = cpu->model->max_extended;
        if (is_amd(cpu))
            vendor(cpu, out);
        break;
    case 0x80000001:
        extended_signature(cpu, out);
        break;
    case 0x80000002 ... 0x80000004:
        brand(cpu, leaf - 0x80000002, out);
        break;
    case 0x80000006:
        out[ECX] = 256 << 16 | 6 << 12 | 64; /* second-level cache: 256 KiB, 8 ways, 64 bytes */
        break;
    case 0x80000007:
        out[EDX] = 1 << 8; /* the time-stamp counter is invariant */
        break;
    case 0x80000008:
        addresses(cpu, out);
        break;
    default:
        break;
    }
}

void x86_cpuid(struct x86_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    if (leaf >= 0x80000000 && leaf <= cpu->model->max_extended)
        extended_leaf(cpu, leaf, out);
    else
        /* Beyond the highest leaf, its data is given (vol. 2, CPUID). */
        basic_leaf(cpu, MIN(leaf, cpu->model->max_basic), subleaf, out);
}
