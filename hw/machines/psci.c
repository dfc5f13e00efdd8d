/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PSCI: ARM DEN 0022D. One vCPU: it is always on. */
#include "hw/machines/psci.h"

#include "frontend/guest.h"
#include "hw/machine.h"
#include "hw/machines/arm_boot.h"

enum psci_function {
    PSCI_VERSION = 0x84000000,
    PSCI_CPU_SUSPEND = 0x84000001,
    PSCI_CPU_OFF = 0x84000002,
    PSCI_CPU_ON = 0x84000003,
    PSCI_AFFINITY_INFO = 0x84000004,
    PSCI_MIGRATE = 0x84000005,
    PSCI_MIGRATE_INFO_TYPE = 0x84000006,
    PSCI_SYSTEM_OFF = 0x84000008,
    PSCI_SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
};

enum psci_result {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
};

enum { VERSION_1_0 = 0x00010000, TRUSTED_OS_NOT_PRESENT = 2, AFFINITY_ON = 0 };

struct psci {
    struct machine *m;
    struct vcpu *cpu;
    uint32_t function, arguments[3];
    bool again; /* the call does not return */
};

/* MPIDR affinity of the one vCPU is 0.0.0; level n looks at the fields from n up. */
static bool names_this_cpu(uint32_t affinity, unsigned level)
{
    return level <= 3 && (affinity & 0x00ffffff) >> (level * 8) == 0;
}

static int32_t psci_version(struct psci *p)
{
    return VERSION_1_0;
}

/* Every power state is a standby: it ends with the next interrupt. */
static int32_t psci_cpu_suspend(struct psci *p)
{
    p->cpu->halted = true;
    vcpu_kick(p->cpu);
    return PSCI_SUCCESS;
}

/* The last processor that is on does not go off (5.5.2: DENIED); SYSTEM_OFF is for that. */
static int32_t psci_cpu_off(struct psci *p)
{
    return PSCI_DENIED;
}

static int32_t psci_cpu_on(struct psci *p)
{
    return names_this_cpu(p->arguments[0], 0) ? PSCI_ALREADY_ON : PSCI_INVALID_PARAMETERS;
}

static int32_t psci_affinity_info(struct psci *p)
{
    return names_this_cpu(p->arguments[0], p->arguments[1]) ? AFFINITY_ON : PSCI_INVALID_PARAMETERS;
}

static int32_t psci_migrate_info_type(struct psci *p)
{
    return TRUSTED_OS_NOT_PRESENT;
}

/* These do not return: until vm/ has acted on the request the vCPU waits, and should an interrupt
 * wake it, it makes the same call again. */
static int32_t psci_system_off(struct psci *p)
{
    p->again = true;
    machine_request(p->m, MACHINE_POWER_OFF);
    return PSCI_SUCCESS;
}

static int32_t psci_system_reset(struct psci *p)
{
    p->again = true;
    machine_request(p->m, MACHINE_RESET);
    return PSCI_SUCCESS;
}

static int32_t psci_features(struct psci *p);

static const struct {
    uint32_t function;
    int32_t (*call)(struct psci *p);
} functions[] = {
    {PSCI_VERSION, psci_version},
    {PSCI_CPU_SUSPEND, psci_cpu_suspend},
    {PSCI_CPU_OFF, psci_cpu_off},
    {PSCI_CPU_ON, psci_cpu_on},
    {PSCI_AFFINITY_INFO, psci_affinity_info},
    {PSCI_MIGRATE_INFO_TYPE, psci_migrate_info_type},
    {PSCI_SYSTEM_OFF, psci_system_off},
    {PSCI_SYSTEM_RESET, psci_system_reset},
    {PSCI_FEATURES, psci_features},
};

/* 0: there, without optional features. */
static int32_t psci_features(struct psci *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (functions[i].function == p->arguments[0])
            return PSCI_SUCCESS;
    }
    return PSCI_NOT_SUPPORTED;
}

bool psci_call(void *opaque, struct vcpu *cpu, unsigned kind)
{
    uint32_t *result = arm_boot_register(cpu, "r0");
    struct psci p = {
        .m = opaque,
        .cpu = cpu,
        .function = *result,
        .arguments = {*arm_boot_register(cpu, "r1"), *arm_boot_register(cpu, "r2"),
                      *arm_boot_register(cpu, "r3")},
    };

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (functions[i].function != p.function)
            continue;
        int32_t answer = functions[i].call(&p);
        if (!p.again) {
            *result = (uint32_t)answer;
        } else {
            cpu->run.pc -= 4; /* SMC and HVC have 4 bytes in both instruction sets */
            cpu->halted = true;
            vcpu_kick(cpu);
        }
        return true;
    }
    log_printf(LOG_UNIMP, "psci: unknown function 0x%08x\n", p.function);
    *result = (uint32_t)PSCI_NOT_SUPPORTED;
    return true;
}
