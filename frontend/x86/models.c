/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processors that `-cpu` names. Each has the features of the real part that calque implements,
 * and no others.
 */
#include "frontend/x86/cpu.h"

#define F(name) FEATURE(name)

#define F_486 F(FPU)
#define F_PENTIUM (F_486 | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(MCE) | F(CX8) | F(MMX))
#define F_P6                                                                                       \
    (F_PENTIUM | F(PAE) | F(APIC) | F(SEP) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) | F(PAT) |        \
     F(PSE36) | F(FXSR))
#define F_P3 (F_P6 | F(SSE))
/* QEMU's qemu32 and qemu64: what a guest of any age runs on. */
#define F_QEMU32 (F_P3 | F(SSE2) | F(CLFSH) | F(SSE3) | F(POPCNT))
#define F_QEMU64 (F_QEMU32 | F(CX16) | F(SYSCALL) | F(NX) | F(LM) | F(LAHF64))
#define F_CORE2                                                                                    \
    (F_P3 | F(SSE2) | F(CLFSH) | F(SSE3) | F(SSSE3) | F(CX16) | F(SYSCALL) | F(NX) | F(LM) |       \
     F(LAHF64))
#define F_NEHALEM (F_CORE2 | F(SSE41) | F(SSE42) | F(POPCNT))
#define F_WESTMERE (F_NEHALEM | F(AES) | F(PCLMUL) | F(PCID) | F(PDPE1GB) | F(RDTSCP))
#define F_SANDY (F_WESTMERE | F(TSC_DEADLINE) | F(XSAVE) | F(XSAVEOPT) | F(AVX))
#define F_IVY (F_SANDY | F(F16C) | F(RDRAND) | F(FSGSBASE) | F(SMEP) | F(ERMS))
#define F_HASWELL (F_IVY | F(FMA) | F(MOVBE) | F(BMI1) | F(AVX2) | F(BMI2) | F(INVPCID) | F(ABM))
#define F_BROADWELL (F_HASWELL | F(RDSEED) | F(ADX) | F(SMAP) | F(3DNOWPREFETCH))
#define F_MAX (F_BROADWELL | F(CLFLUSHOPT) | F(SHA) | F(UMIP) | F(RDPID))

#define LONG_MODE (F(LM) | F(SYSCALL) | F(LAHF64) | F(CX16) | F(PDPE1GB) | F(FSGSBASE) | F(PCID))

#define INTEL "GenuineIntel"
#define AMD "AuthenticAMD"

/* name, description, vendor, family, model, stepping, features, brand, highest basic and extended
 * leaf, bits of physical addresses */
#define MODEL(id, vendor_, family_, model_, stepping_, features_, brand_, basic_, extended_,       \
              bits_)                                                                               \
    static const struct x86_model id##_64 = {.vendor = (vendor_),                                  \
                                             .family = (family_),                                  \
                                             .model = (model_),                                    \
                                             .stepping = (stepping_),                              \
                                             .features = (features_),                              \
                                             .brand = (brand_),                                    \
                                             .max_basic = (basic_),                                \
                                             .max_extended = (extended_),                          \
                                             .physical_bits = (bits_)};                            \
    static const struct x86_model id##_32 = {.vendor = (vendor_),                                  \
                                             .family = (family_),                                  \
                                             .model = (model_),                                    \
                                             .stepping = (stepping_),                              \
                                             .features = (features_) & ~LONG_MODE,                 \
                                             .brand = (brand_),                                    \
                                             .max_basic = (basic_),                                \
                                             .max_extended = (extended_),                          \
                                             .physical_bits = MIN(bits_, 36)}

MODEL(i486, INTEL, 4, 8, 0, F_486, "", 1, 0, 32);
MODEL(pentium, INTEL, 5, 4, 3, F_PENTIUM, "", 1, 0, 32);
MODEL(pentium2, INTEL, 6, 5, 2, F_P6 | F(MMX), "", 2, 0, 36);
MODEL(pentium3, INTEL, 6, 8, 3, F_P3, "", 3, 0, 36);
MODEL(qemu32, INTEL, 6, 6, 3, F_QEMU32, "QEMU Virtual CPU version 2.5+", 4, 0x80000004, 36);
MODEL(qemu64, AMD, 15, 107, 1, F_QEMU64, "QEMU Virtual CPU version 2.5+", 0xd, 0x8000000a, 40);
MODEL(core2duo, INTEL, 6, 15, 11, F_CORE2, "Intel(R) Core(TM)2 Duo CPU     T7700  @ 2.40GHz", 10,
      0x80000008, 40);
MODEL(nehalem, INTEL, 6, 26, 3, F_NEHALEM, "Intel Core i7 9xx (Nehalem Class Core i7)", 11,
      0x80000008, 40);
MODEL(westmere, INTEL, 6, 44, 1, F_WESTMERE, "Westmere E56xx/L56xx/X56xx (Nehalem-C)", 11,
      0x80000008, 40);
MODEL(sandybridge, INTEL, 6, 42, 1, F_SANDY, "Intel Xeon E312xx (Sandy Bridge)", 0xd, 0x80000008,
      40);
MODEL(ivybridge, INTEL, 6, 58, 9, F_IVY, "Intel Xeon E3-12xx v2 (Ivy Bridge)", 0xd, 0x80000008, 40);
MODEL(haswell, INTEL, 6, 60, 4, F_HASWELL, "Intel Core Processor (Haswell)", 0xd, 0x80000008, 40);
MODEL(broadwell, INTEL, 6, 61, 2, F_BROADWELL, "Intel Core Processor (Broadwell)", 0xd, 0x80000008,
      40);
MODEL(max, AMD, 15, 107, 1, F_MAX, "QEMU TCG CPU version 2.5+", 0xd, 0x8000000a, 40);

#define MODELS(bits)                                                                               \
    {"486", "Intel 486", &i486_##bits}, {"pentium", "Intel Pentium MMX", &pentium_##bits},         \
        {"pentium2", "Intel Pentium II", &pentium2_##bits},                                        \
        {"pentium3", "Intel Pentium III", &pentium3_##bits},                                       \
        {"qemu32", "32-bit, SSE3", &qemu32_##bits}, {"qemu64", "64-bit, SSE3", &qemu64_##bits},    \
        {"core2duo", "Intel Core 2 Duo", &core2duo_##bits},                                        \
        {"Nehalem", "Intel Core i7 9xx: SSE4.2", &nehalem_##bits},                                 \
        {"Westmere", "AES, PCLMULQDQ, PCID", &westmere_##bits},                                    \
        {"SandyBridge", "AVX", &sandybridge_##bits},                                               \
        {"IvyBridge", "F16C, SMEP", &ivybridge_##bits},                                            \
        {"Haswell", "AVX2, FMA, BMI", &haswell_##bits},                                            \
        {"Broadwell", "ADX, SMAP", &broadwell_##bits},                                             \
        {"max", "everything that calque emulates", &max_##bits},                                   \
        {"host", "the same as max", &max_##bits},                                                  \
    {                                                                                              \
        0                                                                                          \
    }

const struct cpu_model x86_models32[] = {MODELS(32)};
const struct cpu_model x86_models64[] = {MODELS(64)};
