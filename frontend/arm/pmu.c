/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The performance monitors' cycle counter, on virtual time at a nominal 1 GHz, with its overflow
 * interrupt. ARM ARM chapter C12. Events other than software increments are not counted.
 */
#include "frontend/arm/system.h"

enum { PMCR_E = 1, PMCR_D = 8 };
#define PM_CYCLE (1u << 31)

static bool counting(const struct arm_cpu *cpu)
{
    return (cpu->cp15.pmcr & PMCR_E) && (cpu->cp15.pmcnten & PM_CYCLE);
}

static int64_t ns_per_count(const struct arm_cpu *cpu)
{
    return cpu->cp15.pmcr & PMCR_D ? 64 : 1;
}

void arm_pmu_sync(struct arm_cpu *cpu)
{
    int64_t now = clock_now_ns(cpu->v.clock);
    int64_t step = ns_per_count(cpu);
    uint64_t counts;

    if (!counting(cpu)) {
        cpu->sys.pm_cycle_base_ns = now;
        return;
    }
    counts = (uint64_t)((now - cpu->sys.pm_cycle_base_ns) / step);
    cpu->sys.pm_cycle_base_ns += (int64_t)counts * step;
    cpu->cp15.pmccntr += counts;
    if (cpu->cp15.pmccntr >> 32) {
        cpu->cp15.pmovsr |= PM_CYCLE;
        cpu->cp15.pmccntr = (uint32_t)cpu->cp15.pmccntr;
    }
}

/* The line and the timer, device lock held. */
static void refresh(struct arm_cpu *cpu)
{
    bool level = (cpu->cp15.pmcr & PMCR_E) && (cpu->cp15.pmovsr & cpu->cp15.pminten);

    if (cpu->v.irq_out)
        irq_set(&cpu->v.irq_out[ARM_OUT_PMU], level);
    if (counting(cpu) && (cpu->cp15.pminten & PM_CYCLE) && !(cpu->cp15.pmovsr & PM_CYCLE))
        timer_set(&cpu->sys.pm_timer,
                  cpu->sys.pm_cycle_base_ns +
                      (int64_t)((UINT64_C(1) << 32) - cpu->cp15.pmccntr) * ns_per_count(cpu));
    else
        timer_cancel(&cpu->sys.pm_timer);
}

static void overflow(void *opaque)
{
    struct arm_cpu *cpu = arm_cpu(opaque);

    arm_pmu_sync(cpu);
    refresh(cpu);
}

void arm_pmu_update(struct arm_cpu *cpu)
{
    vcpu_lock_devices(&cpu->v);
    refresh(cpu);
    vcpu_unlock_devices(&cpu->v);
}

void arm_pmu_init(struct arm_cpu *cpu)
{
    timer_init(&cpu->sys.pm_timer, cpu->v.clock, overflow, cpu);
}

void arm_pmu_reset(struct arm_cpu *cpu)
{
    cpu->cp15.pmcr = cpu->model->pmcr_reset;
    memset(cpu->sys.pm_event_count, 0, sizeof(cpu->sys.pm_event_count));
    arm_pmu_sync(cpu);
    arm_pmu_update(cpu);
}

uint64_t arm_pmu_read_cycles(struct arm_cpu *cpu)
{
    return (uint32_t)cpu->cp15.pmccntr;
}

void arm_pmu_write_cycles(struct arm_cpu *cpu, uint64_t value)
{
    cpu->cp15.pmccntr = (uint32_t)value;
    cpu->sys.pm_cycle_base_ns = clock_now_ns(cpu->v.clock);
}
