/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a vCPU: creation, its run loop, exceptions, its thread.
 *
 * The loop is the only place that looks at requests from outside (interrupts, stop, reset). They
 * all arrive as run.exit_request, which makes generated code come back at its next poll.
 */
#define _GNU_SOURCE
#include "exec/vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec/exec.h"
#include "util/bits.h"
#include "util/suggest.h"

static _Thread_local struct vcpu *current_vcpu; /* what bug_context prints */

bool engine_is_current(const struct exec *exec)
{
    return current_vcpu && current_vcpu->exec == exec;
}

const struct unit *engine_calling_unit(const struct engine *engine)
{
    const struct exec *exec = engine->exec;
    const uint8_t *site;

    if (engine->cpu != current_vcpu)
        return NULL;
    site = exec->backend->fault_site(exec->state, &engine->cpu->run);
    return site ? unit_at(exec, site - 1) : NULL;
}

const struct exec *engine_current(void)
{
    return current_vcpu ? current_vcpu->exec : NULL;
}

/* ---- creation -------------------------------------------------------------------------------- */

static const struct cpu_model *model_find(const struct guest *guest, const char *name,
                                          struct error *err)
{
    const char *names[65];
    const char *nearest;
    char wanted[64];
    unsigned n = 0;

    if (!name)
        name = guest->default_model;
    snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(name ? name : "", ","), name ? name : "");
    name = wanted;
    for (const struct cpu_model *model = guest->models; model && model->name; model++) {
        if (!strcmp(model->name, name))
            return model;
        if (n < ARRAY_SIZE(names) - 1)
            names[n++] = model->name;
    }
    names[n] = NULL;
    nearest = suggest_nearest(name, names);
    if (nearest)
        error_set(err, "-cpu %s: there is no such processor; did you mean %s?", name, nearest);
    else
        error_set(err, "-cpu %s: there is no such processor", name);
    return NULL;
}

/* Before a store into a page that holds code. One that changes the very unit it is in must be the
 * last instruction run of it: its instruction starts again, as a unit of its own. */
static void code_store(void *opaque, gpa address, unsigned size)
{
    struct vcpu *cpu = opaque;
    const struct exec *exec = cpu->exec;
    const uint8_t *site = exec->backend->fault_site(exec->state, &cpu->run);
    const struct unit *unit = site ? unit_at(exec, site - 1) : NULL;

    if (!unit || unit->n_insns < 2 || vcpu_engine(cpu)->raising ||
        !unit_made_from(unit, address, size))
        return;
    count(&vcpu_engine(cpu)->counters, COUNT_CODE_RESTARTS);
    vcpu_engine(cpu)->alone = true;
    vcpu_restart(cpu);
}

static struct engine *engine_allocate(struct exec *exec)
{
    size_t size = align_up(ENGINE_SPACE + exec->guest->state_size, 64);
    struct engine *engine = aligned_alloc(64, size);

    if (!engine)
        return NULL;
    memset(engine, 0, size);
    engine->exec = exec;
    engine->cpu = (struct vcpu *)((char *)engine + ENGINE_SPACE);
    engine->jump_cache = calloc(JUMP_CACHE_SIZE, sizeof(*engine->jump_cache));
    arena_init(&engine->arena);
    pthread_mutex_init(&engine->state_lock, NULL);
    pthread_cond_init(&engine->state_changed, NULL);
    return engine;
}

static void engine_free(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;

    mmu_destroy(cpu->mmu);
    free(cpu->irq_out);
    free(engine->jump_cache);
    arena_finish(&engine->arena);
    pthread_cond_destroy(&engine->state_changed);
    pthread_mutex_destroy(&engine->state_lock);
    free(engine);
}

/* The part of -cpu behind the model's name. */
static bool apply_features(struct vcpu *cpu, const char *model_name, struct error *err)
{
    const char *list = model_name ? strchr(model_name, ',') : NULL;

    if (!list || !list[1])
        return true;
    if (!cpu->guest->features)
        return error_set(err, "-cpu %s: processors of this kind take no features", model_name);
    return cpu->guest->features(cpu, list + 1, err);
}

struct vcpu *vcpu_create(struct exec *exec, const char *model_name, struct clock *clock,
                         pthread_mutex_t *device_lock, unsigned index, struct error *err)
{
    const struct guest *guest = exec->guest;
    const struct cpu_model *model = model_find(guest, model_name, err);
    struct engine *engine = model ? engine_allocate(exec) : NULL;
    struct vcpu *cpu;

    if (!engine) {
        if (model)
            error_set(err, "not enough memory for a processor");
        return NULL;
    }
    cpu = engine->cpu;
    cpu->guest = guest;
    cpu->model = model;
    cpu->memory = exec->memory;
    cpu->clock = clock;
    cpu->device_lock = device_lock;
    cpu->exec = exec;
    cpu->index = index;
    cpu->run.jump_cache = engine->jump_cache;
    cpu->exceptions = engine->exceptions;
    cpu->irq_out = calloc(guest->n_irq_out + 1, sizeof(*cpu->irq_out));
    if (!engine->jump_cache || !cpu->irq_out)
        error_set(err, "not enough memory for a processor");
    else
        cpu->mmu = mmu_create(exec->memory, &cpu->run, guest->mmu, guest->wide_address, err);
    if (!cpu->mmu || (guest->init && !guest->init(cpu, err))) {
        engine_free(engine);
        return NULL;
    }
    if (!apply_features(cpu, model_name, err)) {
        if (guest->finish)
            guest->finish(cpu);
        engine_free(engine);
        return NULL;
    }
    if (guest->exact_code_writes)
        mmu_on_code_store(cpu->mmu, code_store);
    pthread_mutex_lock(&exec->lock);
    engine->next = exec->engines;
    exec->engines = engine;
    pthread_mutex_unlock(&exec->lock);
    return cpu;
}

void vcpu_destroy(struct vcpu *cpu)
{
    struct engine *engine;

    if (!cpu)
        return;
    engine = vcpu_engine(cpu);
    if (engine->has_thread) {
        vcpu_request_exit(cpu);
        pthread_join(engine->thread, NULL);
    }
    if (cpu->guest->finish)
        cpu->guest->finish(cpu);
    pthread_mutex_lock(&engine->exec->lock);
    for (struct engine **e = &engine->exec->engines; *e; e = &(*e)->next) {
        if (*e == engine) {
            *e = engine->next;
            break;
        }
    }
    pthread_mutex_unlock(&engine->exec->lock);
    if (current_vcpu == cpu)
        current_vcpu = NULL;
    engine_free(engine);
}

void vcpu_reset(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    cpu->halted = false;
    engine->pending_link = NULL;
    engine->stopped_at = STOPPED_ELSEWHERE;
    engine->watch_hit = false;
    mmu_flush_all(cpu->mmu);
    /* Images are loaded anew through host pointers. */
    cache_drop_all(engine->exec);
    cpu->guest->reset(cpu);
}

/* ---- kicks and waits ------------------------------------------------------------------------- */

void vcpu_kick(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    atomic_store(&cpu->run.exit_request, 1);
    if (atomic_load(&engine->sleeping))
        syscall(SYS_futex, &cpu->run.exit_request, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* False: whoever holds the lock is at it already, or is this thread. */
static bool catch_up(struct vcpu *cpu)
{
    if (!cpu->device_lock || pthread_mutex_trylock(cpu->device_lock) != 0)
        return false;
    clock_run(cpu->clock);
    pthread_mutex_unlock(cpu->device_lock);
    return true;
}

int64_t vcpu_now_ns(struct vcpu *cpu)
{
    int64_t now_ns = clock_now_ns(cpu->clock);

    if (UNLIKELY(clock_is_late(cpu->clock, now_ns)))
        catch_up(cpu);
    return now_ns;
}

void vcpu_flush_code(struct vcpu *cpu)
{
    atomic_store(&vcpu_engine(cpu)->flush_requested, true);
    vcpu_kick(cpu);
}

void vcpu_hold(struct vcpu *cpu, bool hold)
{
    atomic_fetch_add(&vcpu_engine(cpu)->holds, hold ? 1 : -1u);
    vcpu_kick(cpu);
}

/* Is a timer left to this thread? A processor without a machine has no clock. */
static bool attends_timer(const struct vcpu *cpu)
{
    return cpu->clock && clock_attended_ns(cpu->clock) != TIME_NEVER;
}

static void leave_clock(struct vcpu *cpu)
{
    if (cpu->clock)
        clock_leave(cpu->clock);
}

static void timer_is_near(void *cpu)
{
    vcpu_kick(cpu);
}

/* The time is looked at again at every poll. */
static void attend_to_timer(struct vcpu *cpu)
{
    if (clock_attended_ns(cpu->clock) > clock_now_ns(cpu->clock))
        atomic_store(&cpu->run.exit_request, 1);
    else if (!catch_up(cpu))
        clock_leave(cpu->clock);
}

/* The same while the processor waits. Another thread that runs the queue may run the timer, too. */
static void wait_for_timer(struct vcpu *cpu)
{
    while (attends_timer(cpu) && clock_attended_ns(cpu->clock) > clock_now_ns(cpu->clock) &&
           !atomic_load(&cpu->run.exit_request))
        __builtin_ia32_pause();
    atomic_store(&cpu->run.exit_request, 1);
}

static void sleep_until_kicked(struct engine *engine)
{
    struct run_state *run = &engine->cpu->run;

    if (attends_timer(engine->cpu)) {
        wait_for_timer(engine->cpu);
        return;
    }
    atomic_store(&engine->sleeping, true);
    while (!atomic_load(&run->exit_request))
        syscall(SYS_futex, &run->exit_request, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    atomic_store(&engine->sleeping, false);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

/* Makes state precise if generated code is running. True if it is. */
static bool make_precise(struct vcpu *cpu)
{
    const struct exec *exec = cpu->exec;
    const uint8_t *site = exec->backend->fault_site(exec->state, &cpu->run);
    const struct unit *unit;
    uint64_t pc;
    uint32_t aux;

    if (!site)
        return false;
    /* A call may be a unit's last instruction: its return address is then the end. */
    unit = unit_at(exec, site - 1);
    if (UNLIKELY(!unit))
        BUG("host address %p, of a fault, is in no unit", (const void *)site);
    exec->backend->restore(exec->state, &cpu->run, &unit->code, site, &pc, &aux);
    cpu->run.pc = pc;
    cpu->run.key = unit->key;
    if (cpu->guest->restore)
        cpu->guest->restore(cpu, pc, aux);
    return true;
}

static NORETURN void leave_to_loop(struct vcpu *cpu, bool in_code, enum exit_reason reason)
{
    struct engine *engine = vcpu_engine(cpu);

    if (in_code)
        cpu->exec->backend->unwind(cpu->exec->state, &cpu->run, reason);
    if (!engine->restart_valid)
        BUG("exception raised while the guest is not running");
    _longjmp(engine->restart, 1);
}

void vcpu_raise(struct vcpu *cpu, const struct exception *e)
{
    bool in_code = make_precise(cpu);

    vcpu_engine(cpu)->raising = true;
    cpu->guest->raise(cpu, e);
    vcpu_engine(cpu)->raising = false;
    leave_to_loop(cpu, in_code, EXIT_RAISED);
}

void vcpu_restart(struct vcpu *cpu)
{
    leave_to_loop(cpu, make_precise(cpu), EXIT_RESTARTED);
}

void engine_restart_unit(struct vcpu *cpu)
{
    const struct exec *exec = cpu->exec;
    const uint8_t *site = exec->backend->fault_site(exec->state, &cpu->run);
    const struct unit *unit = unit_at(exec, site - 1);
    uint64_t pc;
    uint32_t aux;

    exec->backend->restore(exec->state, &cpu->run, &unit->code, site, &pc, &aux);
    cpu->run.pc = unit->pc;
    cpu->run.key = unit->key;
    leave_to_loop(cpu, true, EXIT_STALE);
}

/* ---- finding code ---------------------------------------------------------------------------- */

/* The physical page that code at va comes from. */
static bool code_page(struct vcpu *cpu, uint64_t va, gpa *physical)
{
    uint32_t tag = exec_tag(cpu, va);

    if (LIKELY(tag)) {
        *physical = TLB_EXEC_PHYSICAL(tag);
        return true;
    }
    if (!mmu_fetch(cpu->mmu, va, physical, true))
        return false;
    *physical &= ~(gpa)PAGE_MASK;
    return true;
}

static struct unit *find_unit(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;
    struct exec *exec = engine->exec;
    uint64_t pc = cpu->run.pc;
    gpa physical, second = NO_SECOND_PAGE;
    struct unit *unit;

    if (!code_page(cpu, pc, &physical))
        return NULL;
    physical |= pc & PAGE_MASK;
    if (UNLIKELY((pc & PAGE_MASK) > TLB_PAGE_SIZE - LONGEST_INSN)) {
        if (!code_page(cpu, (pc | PAGE_MASK) + 1, &second))
            second = NO_SECOND_PAGE;
    }
    pthread_mutex_lock(&exec->lock);
    unit = cache_find(exec, pc, cpu->run.key, physical, second);
    pthread_mutex_unlock(&exec->lock);
    return unit;
}

/* What generated code finds here it checks by the exec table, which has canonical addresses only.
 */
static void remember(struct engine *engine, const struct unit *unit)
{
    if (UNLIKELY(!tlb_in_exec(engine->cpu->guest->wide_address, unit->pc)))
        return;
    *jump_cache_slot(engine, unit->pc, unit->key) =
        (struct jump_cache_entry){.pc = unit->pc,
                                  .key = unit->key,
                                  .page = TLB_EXEC_TAG(unit->physical),
                                  .code = unit->code.entry};
}

static const void *find_remembered(struct engine *engine)
{
    const struct run_state *run = &engine->cpu->run;
    const struct jump_cache_entry *entry = jump_cache_slot(engine, run->pc, run->key);

    if (entry->pc == run->pc && entry->key == run->key && entry->page &&
        entry->page == exec_tag(engine->cpu, run->pc))
        return entry->code;
    return NULL;
}

const void *engine_lookup(void *opaque)
{
    struct vcpu *cpu = opaque;
    struct engine *engine = vcpu_engine(cpu);
    const void *code = find_remembered(engine);
    struct unit *unit;

    if (UNLIKELY(engine->stepping))
        return NULL;
    if (code) {
        count(&engine->counters, COUNT_LOOKUP_REMEMBERED);
        return code;
    }
    unit = find_unit(engine);
    count(&engine->counters, unit ? COUNT_LOOKUP_FOUND : COUNT_LOOKUP_MISSED);
    if (!unit)
        return NULL;
    remember(engine, unit);
    return unit->code.entry;
}

/* Code for run.pc, translated if need be, and chained to the exit that asked for it. May raise. */
static const void *code_for_pc(struct engine *engine)
{
    struct exec *exec = engine->exec;
    void *site = engine->pending_link;
    const void *code = find_remembered(engine);
    struct unit *unit;

    engine->pending_link = NULL;
    if (code)
        count(&engine->counters, COUNT_LOOP_REMEMBERED);
    if (code && !site)
        return code;
    unit = code ? unit_at(exec, code) : find_unit(engine);
    if (!code)
        count(&engine->counters, unit ? COUNT_LOOP_FOUND : COUNT_LOOP_MISSED);
    if (!unit)
        unit = unit_translate(engine, 0);
    if (UNLIKELY(unit->dropped_at))
        return unit->code.entry;
    remember(engine, unit);
    if (site) {
        pthread_mutex_lock(&exec->lock);
        unit_link(exec, site, unit);
        pthread_mutex_unlock(&exec->lock);
    }
    return unit->code.entry;
}

/* The next instruction as a unit that is forgotten already while it runs. May raise. */
static const void *code_alone(struct engine *engine)
{
    struct exec *exec = engine->exec;
    struct unit *unit;

    engine->alone = false;
    engine->pending_link = NULL;
    *self_store_slot(engine, engine->cpu->run.pc) = engine->cpu->run.pc;
    count(&engine->counters, COUNT_ALONE);
    unit = unit_translate(engine, 1);
    pthread_mutex_lock(&exec->lock);
    unit_retire(exec, unit);
    pthread_mutex_unlock(&exec->lock);
    return unit->code.entry;
}

/* ---- the run loop ---------------------------------------------------------------------------- */

/* What exit_request may stand for. False: the loop is to end. */
static bool handle_requests(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;

    for (;;) {
        atomic_store(&cpu->run.exit_request, 0);
        if (atomic_load(&engine->exec->n_changes))
            cache_apply_changes(engine->exec);
        if (atomic_exchange(&engine->flush_requested, false))
            cache_drop_all(engine->exec);
        if (atomic_load(&engine->stop_requested) || atomic_load(&engine->quit_requested))
            return false;
        if (!atomic_load(&engine->holds))
            break;
        leave_clock(cpu);
        sleep_until_kicked(engine);
    }
    if (UNLIKELY(attends_timer(cpu)))
        attend_to_timer(cpu);
    /* What wakes a processor that waits may be over once it is taken. */
    if (cpu->guest->take_interrupt && cpu->guest->take_interrupt(cpu)) {
        count(&engine->counters, COUNT_INTERRUPTS);
        cpu->halted = false;
    }
    return true;
}

static void reap(struct engine *engine)
{
    struct exec *exec = engine->exec;

    pthread_mutex_lock(&exec->lock);
    atomic_store(&engine->seen_epoch, exec->epoch);
    cache_reap(exec);
    pthread_mutex_unlock(&exec->lock);
}

/* The vCPU waits for an interrupt. True: it goes on. */
static bool wait_halted(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;

    if (!cpu->guest->has_work || cpu->guest->has_work(cpu)) {
        cpu->halted = false;
        if (cpu->guest->take_interrupt && cpu->guest->take_interrupt(cpu))
            count(&engine->counters, COUNT_INTERRUPTS);
        return true;
    }
    if (!engine->has_thread || engine->stepping)
        return false;
    count(&engine->counters, COUNT_SLEEPS);
    sleep_until_kicked(engine);
    return true;
}

static COLD void log_entry(struct engine *engine)
{
    log_write("exec: 0x%08" PRIx64 " key 0x%x\n", engine->cpu->run.pc, engine->cpu->run.key);
}

static enum exit_reason run_loop(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;
    struct exec *exec = engine->exec;
    enum exit_reason reason;

    /* Exceptions raised outside generated code (by a fetch) come back here. */
    if (_setjmp(engine->restart)) {
        engine->pending_link = NULL;
        if (UNLIKELY(engine->limit) && !--engine->limit)
            return EXIT_RAISED;
    }
    for (;;) {
        const void *code;

        if (UNLIKELY(atomic_load_explicit(&cpu->run.exit_request, memory_order_relaxed))) {
            if (!handle_requests(engine))
                return EXIT_REQUESTED;
        }
        if (UNLIKELY(__atomic_load_n(&exec->dropped, __ATOMIC_RELAXED) != NULL))
            reap(engine);
        if (UNLIKELY(cpu->halted)) {
            if (!wait_halted(engine))
                return EXIT_HALT;
            continue;
        }
        if (UNLIKELY(engine->n_breakpoints | engine->watch_hit) && debug_stops_here(engine))
            return EXIT_DEBUG;
        if (UNLIKELY(log_on(LOG_EXEC)))
            log_entry(engine);
        code = UNLIKELY(engine->alone) ? code_alone(engine) : code_for_pc(engine);
        reason = exec->backend->enter(exec->state, &cpu->run, code);
        count(&engine->counters, COUNT_EXIT_LOOKUP_MISS + reason);
        if (reason == EXIT_LINK)
            engine->pending_link = cpu->run.link_site;
        else if (UNLIKELY(reason == EXIT_STALE))
            jump_cache_slot(engine, cpu->run.pc, cpu->run.key)->page = 0;
        else if (UNLIKELY(reason == EXIT_DEBUG || reason == EXIT_YIELD))
            return reason;
        if (UNLIKELY(engine->limit) && !--engine->limit)
            return reason;
    }
}

static enum exit_reason run_guarded(struct engine *engine)
{
    struct vcpu *outer = current_vcpu;
    enum exit_reason reason;

    current_vcpu = engine->cpu;
    engine->restart_valid = true;
    host_faults_catch(engine->exec);
    /* An interrupt may have come, or gone unheeded, while the vCPU stood. */
    atomic_store(&engine->cpu->run.exit_request, 1);
    reason = run_loop(engine);
    run_x87_sync(&engine->cpu->run, true);
    engine->restart_valid = false;
    engine->pending_link = NULL;
    current_vcpu = outer;
    return reason;
}

/* ---- in the caller's thread ------------------------------------------------------------------ */

static void print_bug_context(FILE *out)
{
    struct vcpu *cpu = current_vcpu;
    const uint8_t *site;
    const struct unit *unit;

    if (!cpu)
        return;
    current_vcpu = NULL; /* a bug in what follows must not come back here */
    site = cpu->exec->backend->fault_site(cpu->exec->state, &cpu->run);
    unit = site ? unit_at(cpu->exec, site - 1) : NULL;
    if (unit) {
        fprintf(out, "in the unit at 0x%" PRIx64 " (key 0x%x, %u instructions):\n", unit->pc,
                unit->key, unit->n_insns);
        unit_log_guest_code(vcpu_engine(cpu), unit->pc, unit->key, unit->guest_bytes, out);
    } else {
        fprintf(out, "between units, next 0x%" PRIx64 " (key 0x%x)\n", cpu->run.pc, cpu->run.key);
    }
    if (cpu->guest->print_state)
        cpu->guest->print_state(cpu, out);
}

enum exit_reason vcpu_run_here(struct vcpu *cpu, uint64_t max_units)
{
    struct engine *engine = vcpu_engine(cpu);

    bug_context = print_bug_context;
    engine->limit = max_units;
    return run_guarded(engine);
}

/* One instruction as a unit that nothing is chained to. It leaves at its exit, because that polls,
 * is not chained, or looks up in vain. *ran: the instruction has been run, or has raised an
 * exception.
 */
static enum exit_reason step_once(struct engine *engine, bool *ran)
{
    struct vcpu *cpu = engine->cpu;
    struct exec *exec = engine->exec;
    struct unit *unit;
    enum exit_reason reason;

    *ran = false;
    if (_setjmp(engine->restart))
        return EXIT_LOOKUP_MISS;
    if (atomic_load(&cpu->run.exit_request) && !handle_requests(engine))
        return EXIT_REQUESTED;
    reap(engine);
    if (cpu->halted && (!wait_halted(engine) || cpu->halted))
        return EXIT_HALT;
    *ran = true;
    unit = unit_translate(engine, 1);
    atomic_store(&cpu->run.exit_request, 1);
    reason = exec->backend->enter(exec->state, &cpu->run, unit->code.entry);
    pthread_mutex_lock(&exec->lock);
    unit_discard(exec, unit);
    pthread_mutex_unlock(&exec->lock);
    return reason;
}

static void steps_begin(struct engine *engine)
{
    current_vcpu = engine->cpu;
    engine->restart_valid = true;
    host_faults_catch(engine->exec);
    engine->stepping = true;
}

static void steps_end(struct engine *engine)
{
    run_x87_sync(&engine->cpu->run, true);
    engine->stepping = false;
    engine->restart_valid = false;
    current_vcpu = NULL;
}

enum exit_reason vcpu_step(struct vcpu *cpu, unsigned n)
{
    struct engine *engine = vcpu_engine(cpu);
    enum exit_reason reason = EXIT_REQUESTED;
    bool ran;

    bug_context = print_bug_context;
    steps_begin(engine);
    for (unsigned i = 0; i < n; i++) {
        reason = step_once(engine, &ran);
        if (reason == EXIT_HALT || reason == EXIT_DEBUG || reason == EXIT_YIELD ||
            atomic_load(&engine->stop_requested))
            break;
        reason = EXIT_REQUESTED;
    }
    steps_end(engine);
    return reason;
}

bool engine_single_step(struct engine *engine)
{
    struct vcpu *cpu = engine->cpu;
    bool ran = false;

    steps_begin(engine);
    cpu->single_step = true;
    atomic_store(&cpu->run.exit_request, 1); /* what was asked for while it stood is looked at */
    while (!ran) {
        enum exit_reason reason = step_once(engine, &ran);

        if (!ran && reason == EXIT_REQUESTED)
            break;
        if (!ran && reason == EXIT_HALT)
            sleep_until_kicked(engine);
    }
    cpu->single_step = false;
    steps_end(engine);
    return ran;
}

/* ---- in a thread of its own ------------------------------------------------------------------ */

/* Waits until the vCPU is to run. False: it is to end. */
static bool thread_wait_resumed(struct engine *engine)
{
    bool resumed;

    pthread_mutex_lock(&engine->state_lock);
    while (atomic_load(&engine->stop_requested) && !atomic_load(&engine->quit_requested)) {
        engine->state = VCPU_STOPPED;
        pthread_cond_broadcast(&engine->state_changed);
        pthread_cond_wait(&engine->state_changed, &engine->state_lock);
    }
    resumed = !atomic_load(&engine->quit_requested);
    engine->state = resumed ? VCPU_RUNNING : VCPU_STOPPED;
    pthread_cond_broadcast(&engine->state_changed);
    pthread_mutex_unlock(&engine->state_lock);
    return resumed;
}

static void *thread_main(void *opaque)
{
    struct engine *engine = opaque;

    bug_context = print_bug_context;
    engine->limit = 0;
    if (engine->cpu->clock)
        clock_attend(engine->cpu->clock, timer_is_near, engine->cpu);
    while (thread_wait_resumed(engine)) {
        enum exit_reason reason;

        if (!debug_go_on(engine))
            continue;
        reason = run_guarded(engine);
        leave_clock(engine->cpu);
        if (reason == EXIT_DEBUG)
            debug_stopped(engine);
    }
    return NULL;
}

bool vcpu_start(struct vcpu *cpu, struct error *err)
{
    struct engine *engine = vcpu_engine(cpu);
    sigset_t all, old;
    int result;

    atomic_store(&engine->stop_requested, true);
    /* Signals are the main thread's, except those that report a fault of this one. */
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    engine->has_thread = true;
    result = pthread_create(&engine->thread, NULL, thread_main, engine);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (result) {
        engine->has_thread = false;
        return error_set_errno(err, result, "cannot create the processor's thread");
    }
    pthread_setname_np(engine->thread, "vcpu");
    return true;
}

void vcpu_resume(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    pthread_mutex_lock(&engine->state_lock);
    if (!atomic_load(&engine->stop_waits)) {
        atomic_store(&engine->stop_requested, false);
        engine->state = VCPU_RUNNING;
        pthread_cond_broadcast(&engine->state_changed);
    }
    pthread_mutex_unlock(&engine->state_lock);
}

void vcpu_stop(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    atomic_store(&engine->stop_requested, true);
    vcpu_kick(cpu);
    if (!engine->has_thread)
        return;
    pthread_mutex_lock(&engine->state_lock);
    while (engine->state != VCPU_STOPPED)
        pthread_cond_wait(&engine->state_changed, &engine->state_lock);
    pthread_mutex_unlock(&engine->state_lock);
}

void vcpu_request_exit(struct vcpu *cpu)
{
    struct engine *engine = vcpu_engine(cpu);

    pthread_mutex_lock(&engine->state_lock);
    atomic_store(&engine->quit_requested, true);
    pthread_cond_broadcast(&engine->state_changed);
    pthread_mutex_unlock(&engine->state_lock);
    vcpu_kick(cpu);
}
