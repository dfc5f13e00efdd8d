/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of the host in generated code: an inline access of a 64-bit guest whose address is not
 * canonical finds a TLB entry and leads nowhere (tlb.h). It goes on in its slow path, which raises
 * the guest's fault.
 *
 * The handler is the process's, and is set whenever a vCPU begins to run, lest somebody has taken
 * its place. It touches nothing but the interrupted thread's own vCPU; a fault that is none of its
 * business goes to who was there before.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <ucontext.h>

#include "exec/exec.h"

#ifdef __x86_64__

static const void *slow_path_of(const struct exec *exec, const void *pc)
{
    const struct unit *unit = unit_at(exec, pc);

    return unit ? exec->backend->access_fault(exec->state, &unit->code, pc) : NULL;
}

static void on_fault(int signal, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    greg_t *pc = &context->uc_mcontext.gregs[REG_RIP];
    const struct exec *exec = engine_current();
    const void *slow_path = exec ? slow_path_of(exec, (const void *)(uintptr_t)*pc) : NULL;

    if (slow_path)
        *pc = (greg_t)(uintptr_t)slow_path;
    else if (exec) /* the access is tried again, in vain */
        sigaction(signal, &exec->previous_fault, NULL);
    else
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

void host_faults_catch(struct exec *exec)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, previous;

    if (!exec->guest->wide_address || !exec->backend->access_fault)
        return;
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&exec->lock);
    if (sigaction(SIGSEGV, &action, &previous))
        BUG("SIGSEGV cannot be caught");
    if (!(previous.sa_flags & SA_SIGINFO) || previous.sa_sigaction != on_fault)
        exec->previous_fault = previous;
    pthread_mutex_unlock(&exec->lock);
}

#else

void host_faults_catch(struct exec *exec)
{
}

#endif
