/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a debugger asks of a vCPU: to stop at instructions, at accesses, after one instruction.
 *
 * Units end before a breakpoint, so that the run loop sees every arrival there. A page with watched
 * bytes is not entered in the TLB for the accesses that are watched (softmmu/mmu.c): they come to
 * the slow path, which calls watch_hit. The instruction is then taken back as if it had faulted.
 * Where debuggers expect the stop behind it, it is run again, alone, with the watchpoints paused.
 */
#include "exec/exec.h"

static gva wrapped(const struct engine *engine, gva address)
{
    return engine->exec->guest->wide_address ? address : (uint32_t)address;
}

/* ---- stopping -------------------------------------------------------------------------------- */

bool debug_stops_here(struct engine *engine)
{
    return engine->watch_hit || engine_has_breakpoint(engine, engine->cpu->run.pc);
}

static void tell(struct engine *engine)
{
    atomic_store(&engine->stop_waits, true);
    atomic_store(&engine->stop_requested, true);
    if (engine->on_debug)
        engine->on_debug(engine->on_debug_opaque);
}

/* The instruction whose access was watched, if it is to be done first. */
static void finish_watched(struct engine *engine)
{
    engine->watch_hit = false;
    if (!engine->watch_left || !engine->exec->guest->traps_after_access)
        return;
    mmu_pause_watches(engine->cpu->mmu, true);
    engine_single_step(engine);
    mmu_pause_watches(engine->cpu->mmu, false);
}

void debug_stopped(struct engine *engine)
{
    const struct vcpu *cpu = engine->cpu;

    if (engine->watch_hit) {
        finish_watched(engine);
        engine->stopped_at = STOPPED_AT_WATCHPOINT;
    } else {
        engine->stop =
            (struct vcpu_debug_stop){.kind = VCPU_STOP_BREAKPOINT, .address = cpu->run.pc};
        engine->stopped_at = STOPPED_AT_BREAKPOINT;
    }
    engine->stopped_pc = cpu->run.pc;
    tell(engine);
}

static void debug_stepped(struct engine *engine)
{
    engine->step_wanted = false;
    if (engine->watch_hit) {
        debug_stopped(engine);
        return;
    }
    engine->stop =
        (struct vcpu_debug_stop){.kind = VCPU_STOP_STEPPED, .address = engine->cpu->run.pc};
    tell(engine);
}

bool debug_go_on(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;
    bool again = engine->stopped_at && engine->stopped_pc == cpu->run.pc;
    bool pass_watch = again && engine->stopped_at == STOPPED_AT_WATCHPOINT && engine->watch_left &&
                      !engine->exec->guest->traps_after_access;
    bool pass = pass_watch || (again && engine->stopped_at == STOPPED_AT_BREAKPOINT &&
                               engine_has_breakpoint(engine, cpu->run.pc));

    if (engine->step_wanted || pass) {
        bool ran;

        mmu_pause_watches(cpu->mmu, pass_watch);
        ran = engine_single_step(engine);
        mmu_pause_watches(cpu->mmu, false);
        if (!ran)
            return false;
    }
    engine->stopped_at = STOPPED_ELSEWHERE;
    if (engine->step_wanted)
        debug_stepped(engine);
    return !atomic_load(&engine->stop_waits);
}

/* While an exception is entered, nothing can be taken back: the vCPU stops once it is. */
static void watch_hit(void *opaque, gva address, unsigned accesses, bool must_return)
{
    struct vcpu *cpu = opaque;
    struct engine *engine = vcpu_engine(cpu);

    if (engine->watch_hit)
        return;
    engine->stop = (struct vcpu_debug_stop){
        .kind = VCPU_STOP_WATCHPOINT, .address = address, .accesses = accesses};
    engine->watch_hit = true;
    engine->watch_left = !must_return && !engine->raising &&
                         engine->exec->backend->fault_site(engine->exec->state, &cpu->run);
    if (engine->watch_left)
        vcpu_restart(cpu);
    vcpu_kick(cpu);
}

void vcpu_on_debug(struct vcpu *cpu, void (*stopped)(void *opaque), void *opaque)
{
    struct engine *engine = vcpu_engine(cpu);

    engine->on_debug = stopped;
    engine->on_debug_opaque = opaque;
}

bool vcpu_take_debug_stop(struct vcpu *cpu, struct vcpu_debug_stop *out)
{
    struct engine *engine = vcpu_engine(cpu);

    engine->step_wanted = false;
    if (!atomic_exchange(&engine->stop_waits, false))
        return false;
    *out = engine->stop;
    return true;
}

void vcpu_resume_step(struct vcpu *cpu)
{
    vcpu_engine(cpu)->step_wanted = true;
    vcpu_resume(cpu);
}

/* ---- points ---------------------------------------------------------------------------------- */

bool vcpu_add_breakpoint(struct vcpu *cpu, gva address)
{
    struct engine *engine = vcpu_engine(cpu);

    address = wrapped(engine, address);
    if (engine_has_breakpoint(engine, address))
        return true;
    if (engine->n_breakpoints == MAX_BREAKPOINTS)
        return false;
    engine->breakpoints[engine->n_breakpoints++] = address;
    cache_drop_at(engine->exec, address);
    return true;
}

/* Units that ended there stay: they are right, if short. */
bool vcpu_remove_breakpoint(struct vcpu *cpu, gva address)
{
    struct engine *engine = vcpu_engine(cpu);

    address = wrapped(engine, address);
    for (unsigned i = 0; i < engine->n_breakpoints; i++) {
        if (engine->breakpoints[i] == address) {
            engine->breakpoints[i] = engine->breakpoints[--engine->n_breakpoints];
            return true;
        }
    }
    return false;
}

bool vcpu_add_watchpoint(struct vcpu *cpu, gva address, uint64_t length, unsigned accesses)
{
    mmu_on_watch(cpu->mmu, watch_hit);
    return mmu_add_watch(cpu->mmu, address, length, accesses);
}

bool vcpu_remove_watchpoint(struct vcpu *cpu, gva address, uint64_t length, unsigned accesses)
{
    struct engine *engine = vcpu_engine(cpu);

    if (!mmu_remove_watch(cpu->mmu, address, length, accesses))
        return false;
    engine->watch_hit = false;
    return true;
}

void vcpu_remove_all_points(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    engine->n_breakpoints = 0;
    engine->watch_hit = false;
    engine->stopped_at = STOPPED_ELSEWHERE;
    mmu_remove_all_watches(cpu->mmu);
}
