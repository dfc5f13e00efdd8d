/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Count and Compare: PRA chapter 9. Count runs on virtual time, one step per count_divider cycles,
 * unless Cause.DC stops it. Shared with the clock's callback, under the device lock: count_base and
 * count_base_ns, which the processor's thread alone writes, Compare, and when it is reached.
 */
#include "frontend/mips/system.h"

static uint32_t count_hz(const struct mips_cpu *cpu)
{
    return cpu->model->cpu_hz / cpu->model->count_divider;
}

static bool stopped(const struct mips_cpu *cpu)
{
    return cpu->cp0.cause & CAUSE_DC;
}

/* Steps since Count was count_base. */
static uint64_t steps(struct mips_cpu *cpu)
{
    return muldiv64((uint64_t)(vcpu_now_ns(&cpu->v) - cpu->count_base_ns), count_hz(cpu),
                    NS_PER_SECOND);
}

uint32_t mips_count_read(struct mips_cpu *cpu)
{
    return stopped(cpu) ? cpu->count_base : cpu->count_base + (uint32_t)steps(cpu);
}

static void set_line(struct mips_cpu *cpu, bool level)
{
    if (!level)
        atomic_fetch_and(&cpu->irq_lines, ~LINE_TIMER);
    else if (!(atomic_fetch_or(&cpu->irq_lines, LINE_TIMER) & LINE_TIMER))
        vcpu_kick(&cpu->v);
    if (cpu->v.irq_out)
        irq_set(&cpu->v.irq_out[0], level);
}

/* The next time that Count becomes Compare: at the first nanosecond at which it shows it. */
static void timer_arm(struct mips_cpu *cpu)
{
    uint64_t now, target;
    unsigned __int128 ns;

    if (stopped(cpu)) {
        timer_cancel(&cpu->timer);
        cpu->timer_due_ns = TIME_NEVER;
        return;
    }
    now = steps(cpu);
    target = now + (uint32_t)(cpu->cp0.compare - cpu->count_base - (uint32_t)now - 1) + 1;
    ns = ((unsigned __int128)target * NS_PER_SECOND + count_hz(cpu) - 1) / count_hz(cpu) +
         (uint64_t)cpu->count_base_ns;
    cpu->timer_due_ns = ns >= TIME_NEVER ? TIME_NEVER : (int64_t)ns;
    timer_set(&cpu->timer, cpu->timer_due_ns);
}

static void expired(void *opaque)
{
    struct mips_cpu *cpu = opaque;

    set_line(cpu, true);
    timer_arm(cpu);
}

/*
 * The clock's thread may be late. A guest that has seen Count pass Compare expects Cause.TI there
 * and then: Linux looks for 50 steps, and does without this timer if it does not show.
 */
void mips_timer_poll(struct mips_cpu *cpu)
{
    if (clock_now_ns(cpu->v.clock) < cpu->timer_due_ns)
        return;
    vcpu_lock_devices(&cpu->v);
    if (clock_now_ns(cpu->v.clock) >= cpu->timer_due_ns) /* unless the clock's thread came first */
        expired(cpu);
    vcpu_unlock_devices(&cpu->v);
}

void mips_timer_init(struct mips_cpu *cpu)
{
    timer_init(&cpu->timer, cpu->v.clock, expired, cpu);
}

void mips_timer_reset(struct mips_cpu *cpu)
{
    vcpu_lock_devices(&cpu->v);
    cpu->count_base = 0;
    cpu->count_base_ns = clock_now_ns(cpu->v.clock);
    set_line(cpu, false);
    timer_arm(cpu);
    vcpu_unlock_devices(&cpu->v);
}

void mips_count_write(struct mips_cpu *cpu, uint32_t value)
{
    mips_timer_poll(cpu);
    vcpu_lock_devices(&cpu->v);
    cpu->count_base = value;
    cpu->count_base_ns = clock_now_ns(cpu->v.clock);
    timer_arm(cpu);
    vcpu_unlock_devices(&cpu->v);
}

void mips_compare_write(struct mips_cpu *cpu, uint32_t value)
{
    vcpu_lock_devices(&cpu->v);
    cpu->cp0.compare = value;
    set_line(cpu, false);
    timer_arm(cpu);
    vcpu_unlock_devices(&cpu->v);
}

/* Cause.DC has just been inverted; what came before that still counts. */
void mips_timer_update(struct mips_cpu *cpu)
{
    mips_timer_poll(cpu);
    vcpu_lock_devices(&cpu->v);
    if (stopped(cpu))
        cpu->count_base += (uint32_t)steps(cpu);
    cpu->count_base_ns = clock_now_ns(cpu->v.clock);
    timer_arm(cpu);
    vcpu_unlock_devices(&cpu->v);
}
