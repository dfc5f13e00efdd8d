/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic timer: a system counter on virtual time, and a physical and a virtual timer per
 * processor. ARM ARM chapter B8. State is shared with the clock's callbacks: the device lock guards
 * it.
 */
#include "frontend/arm/system.h"

enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

uint64_t arm_counter(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    uint64_t ticks;

    if (!cpu->model->counter_hz)
        return 0;
    ticks = muldiv64((uint64_t)vcpu_now_ns(&cpu->v), cpu->model->counter_hz, NS_PER_SECOND);
    return kind == ARM_TIMER_VIRT ? ticks - cpu->cp15.cntvoff : ticks;
}

static struct arm_generic_timer *timer_state(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    return kind == ARM_TIMER_PHYS ? &cpu->timer_phys : &cpu->timer_virt;
}

static bool timer_met(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    const struct arm_generic_timer *t = timer_state(cpu, kind);

    return (t->ctl & CTL_ENABLE) && arm_counter(cpu, kind) >= t->cval;
}

/* The first nanosecond at which the counter shows cval. */
static int64_t deadline_of(const struct arm_cpu *cpu, enum arm_timer_kind kind, uint64_t cval)
{
    unsigned __int128 ticks = cval, ns;

    if (kind == ARM_TIMER_VIRT)
        ticks += cpu->cp15.cntvoff;
    ns = (ticks * NS_PER_SECOND + cpu->model->counter_hz - 1) / cpu->model->counter_hz;
    return ns >= TIME_NEVER ? TIME_NEVER : (int64_t)ns;
}

/* Device lock held. */
static void timer_refresh(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    struct arm_generic_timer *t = timer_state(cpu, kind);
    unsigned line = kind == ARM_TIMER_PHYS ? ARM_OUT_TIMER_PHYS : ARM_OUT_TIMER_VIRT;
    bool met = timer_met(cpu, kind);
    int64_t deadline = TIME_NEVER;

    if (cpu->v.irq_out)
        irq_set(&cpu->v.irq_out[line], met && !(t->ctl & CTL_IMASK));
    if ((t->ctl & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE && !met)
        deadline = deadline_of(cpu, kind, t->cval);
    if (deadline == TIME_NEVER)
        timer_cancel(&t->timer);
    else
        timer_set(&t->timer, deadline);
}

static void phys_expired(void *opaque)
{
    timer_refresh(arm_cpu(opaque), ARM_TIMER_PHYS);
}

static void virt_expired(void *opaque)
{
    timer_refresh(arm_cpu(opaque), ARM_TIMER_VIRT);
}

void arm_timer_update(struct arm_cpu *cpu)
{
    if (!cpu->model->counter_hz)
        return;
    vcpu_lock_devices(&cpu->v);
    timer_refresh(cpu, ARM_TIMER_PHYS);
    timer_refresh(cpu, ARM_TIMER_VIRT);
    vcpu_unlock_devices(&cpu->v);
}

void arm_timer_init(struct arm_cpu *cpu)
{
    timer_init(&cpu->timer_phys.timer, cpu->v.clock, phys_expired, cpu);
    timer_init(&cpu->timer_virt.timer, cpu->v.clock, virt_expired, cpu);
}

void arm_timer_reset(struct arm_cpu *cpu)
{
    cpu->timer_phys.ctl = cpu->timer_virt.ctl = 0;
    cpu->timer_phys.cval = cpu->timer_virt.cval = 0;
    arm_timer_update(cpu);
}

uint32_t arm_timer_read_ctl(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    return timer_state(cpu, kind)->ctl | (timer_met(cpu, kind) ? CTL_ISTATUS : 0);
}

void arm_timer_write_ctl(struct arm_cpu *cpu, enum arm_timer_kind kind, uint32_t value)
{
    vcpu_lock_devices(&cpu->v);
    timer_state(cpu, kind)->ctl = value & (CTL_ENABLE | CTL_IMASK);
    timer_refresh(cpu, kind);
    vcpu_unlock_devices(&cpu->v);
}

uint64_t arm_timer_read_cval(struct arm_cpu *cpu, enum arm_timer_kind kind)
{
    return timer_state(cpu, kind)->cval;
}

void arm_timer_write_cval(struct arm_cpu *cpu, enum arm_timer_kind kind, uint64_t value)
{
    vcpu_lock_devices(&cpu->v);
    timer_state(cpu, kind)->cval = value;
    timer_refresh(cpu, kind);
    vcpu_unlock_devices(&cpu->v);
}
