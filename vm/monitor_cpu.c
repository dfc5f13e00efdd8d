/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info: the processors. */
#include <string.h>

#include "vm/monitor_commands.h"

static void print_registers(struct vm *vm, void *out)
{
    struct vcpu *cpu = vm_machine(vm)->cpu;

    cpu->guest->print_state(cpu, out);
}

/* -a: of all CPUs. */
static void info_registers(struct monitor_call *call)
{
    if (call->n_words > 1 && strcmp(call->words[1], "-a") != 0)
        monitor_usage(call);
    else
        vm_look(call->vm, print_registers, call->out);
}

static void info_cpus(struct monitor_call *call)
{
    struct vcpu *cpu = vm_machine(call->vm)->cpu;

    fprintf(call->out, "* CPU #%u: %s%s\n", cpu->index, cpu->model->name,
            cpu->halted ? " (halted)" : "");
}

static const struct monitor_command commands[] = {
    {"cpus", NULL, "", "the CPUs", info_cpus, 0, 0, NULL},
    {"registers", NULL, "[-a]", "the CPU's registers", info_registers, 0, 1, NULL},
    {NULL},
};
static const struct monitor_table table = {"info", commands};
REGISTER(monitor_table, table);
