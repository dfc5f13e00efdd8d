/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `-cpu NAME,+feature,-feature,feature=on`: changes to a model's features, by QEMU's names. */
#include <string.h>

#include "frontend/x86/cpu.h"
#include "util/suggest.h"

struct feature_name {
    const char *name;
    uint8_t feature; /* NOTHING: known, and without effect here */
};

enum { NOTHING = N_FEATURES };

static const struct feature_name names[] = {
    {"fpu", HAS_FPU},
    {"vme", HAS_VME},
    {"de", HAS_DE},
    {"pse", HAS_PSE},
    {"tsc", HAS_TSC},
    {"msr", HAS_MSR},
    {"pae", HAS_PAE},
    {"mce", HAS_MCE},
    {"cx8", HAS_CX8},
    {"apic", HAS_APIC},
    {"sep", HAS_SEP},
    {"mtrr", HAS_MTRR},
    {"pge", HAS_PGE},
    {"mca", HAS_MCA},
    {"cmov", HAS_CMOV},
    {"pat", HAS_PAT},
    {"pse36", HAS_PSE36},
    {"clflush", HAS_CLFSH},
    {"mmx", HAS_MMX},
    {"fxsr", HAS_FXSR},
    {"sse", HAS_SSE},
    {"sse2", HAS_SSE2},
    {"pni", HAS_SSE3},
    {"sse3", HAS_SSE3},
    {"pclmulqdq", HAS_PCLMUL},
    {"ssse3", HAS_SSSE3},
    {"fma", HAS_FMA},
    {"cx16", HAS_CX16},
    {"pcid", HAS_PCID},
    {"sse4.1", HAS_SSE41},
    {"sse4_1", HAS_SSE41},
    {"sse4.2", HAS_SSE42},
    {"sse4_2", HAS_SSE42},
    {"movbe", HAS_MOVBE},
    {"popcnt", HAS_POPCNT},
    {"tsc-deadline", HAS_TSC_DEADLINE},
    {"aes", HAS_AES},
    {"xsave", HAS_XSAVE},
    {"avx", HAS_AVX},
    {"f16c", HAS_F16C},
    {"rdrand", HAS_RDRAND},
    {"fsgsbase", HAS_FSGSBASE},
    {"bmi1", HAS_BMI1},
    {"avx2", HAS_AVX2},
    {"smep", HAS_SMEP},
    {"bmi2", HAS_BMI2},
    {"erms", HAS_ERMS},
    {"invpcid", HAS_INVPCID},
    {"rdseed", HAS_RDSEED},
    {"adx", HAS_ADX},
    {"smap", HAS_SMAP},
    {"clflushopt", HAS_CLFLUSHOPT},
    {"sha-ni", HAS_SHA},
    {"umip", HAS_UMIP},
    {"rdpid", HAS_RDPID},
    {"syscall", HAS_SYSCALL},
    {"nx", HAS_NX},
    {"pdpe1gb", HAS_PDPE1GB},
    {"rdtscp", HAS_RDTSCP},
    {"lm", HAS_LM},
    {"lahf-lm", HAS_LAHF64},
    {"abm", HAS_ABM},
    {"3dnowprefetch", HAS_3DNOWPREFETCH},
    {"xsaveopt", HAS_XSAVEOPT},
    /* What scripts say to QEMU about itself. */
    {"hypervisor", NOTHING},
    {"kvm", NOTHING},
    {"check", NOTHING},
    {"enforce", NOTHING},
    {"migratable", NOTHING},
    {"l3-cache", NOTHING},
    {"host-cache-info", NOTHING},
};

static const struct feature_name *find(const char *word, size_t length)
{
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (strlen(names[i].name) == length && !memcmp(names[i].name, word, length))
            return &names[i];
    }
    return NULL;
}

static bool unknown(const char *word, size_t length, struct error *err)
{
    const char *list[ARRAY_SIZE(names) + 1];
    char text[32];

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        list[i] = names[i].name;
    list[ARRAY_SIZE(names)] = NULL;
    snprintf(text, sizeof(text), "%.*s", (int)MIN(length, sizeof(text) - 1), word);
    return error_set(err, "-cpu: there is no feature '%s'; did you mean '%s'?", text,
                     suggest_nearest(text, list));
}

/* What any model of this guest has. */
static uint64_t implemented(const struct vcpu *v)
{
    uint64_t all = 0;

    for (const struct cpu_model *model = v->guest->models; model->name; model++)
        all |= ((const struct x86_model *)model->parameters)->features;
    return all;
}

/* One word of the list. */
static bool apply(struct vcpu *v, const char *word, size_t length, struct error *err)
{
    struct x86_cpu *cpu = x86_cpu(v);
    bool signed_word = *word == '+' || *word == '-', on = *word != '-';
    const char *name = word + signed_word;
    size_t name_length = MIN(strcspn(name, "="), length - signed_word);
    const char *value = name + name_length;
    size_t value_length = length - (size_t)(value - word);
    const struct feature_name *feature = find(name, name_length);

    if (!feature)
        return unknown(name, name_length, err);
    if (value_length) {
        on = value_length == 3 && !memcmp(value, "=on", 3);
        if (!on && (value_length != 4 || memcmp(value, "=off", 4)))
            return error_set(err, "-cpu: '%.*s' says neither on nor off", (int)length, word);
    }
    if (feature->feature == NOTHING)
        return true;
    uint64_t bit = UINT64_C(1) << feature->feature;
    if (on && !(implemented(v) & bit))
        return error_set(err, "-cpu: processors of this guest cannot have '%s'", feature->name);
    cpu->features = on ? cpu->features | bit : cpu->features & ~bit;
    return true;
}

bool x86_features(struct vcpu *v, const char *list, struct error *err)
{
    while (*list) {
        size_t length = strcspn(list, ",");
        if (length && !apply(v, list, length, err))
            return false;
        list += length;
        list += *list == ',';
    }
    return true;
}
