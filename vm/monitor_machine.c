/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands for the machine as a whole: running, stopping, ending it, and what it lacks. */
#include <inttypes.h>
#include <string.h>

#include "util/log.h"
#include "vm/monitor_commands.h"

static void command_quit(struct monitor_call *call)
{
    vm_quit(call->vm);
}

static void command_stop(struct monitor_call *call)
{
    vm_stop(call->vm);
}

static void command_cont(struct monitor_call *call)
{
    vm_cont(call->vm);
}

static void command_reset(struct monitor_call *call)
{
    vm_reset(call->vm);
}

static void command_powerdown(struct monitor_call *call)
{
    if (!machine_press_power_key(vm_machine(call->vm)))
        fprintf(call->out, "this machine has no power key\n");
}

/* ---- the log -----------------------------------------------------------------------------------
 */

/* Whether accesses are counted is in the code. */
static void set_log(struct vm *vm, unsigned items)
{
    unsigned changed = log_mask ^ items;

    log_mask = items;
    if (changed & LOG_ACCESSES)
        vcpu_flush_code(vm_machine(vm)->cpu);
}

static void command_log(struct monitor_call *call)
{
    unsigned items = 0;
    struct error err;

    if (strcmp(call->words[1], "none") && !log_parse(call->words[1], &items, &err))
        fprintf(call->out, "%s\n", err.message);
    else
        set_log(call->vm, items);
}

static void complete_log(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    line_choices_add(out, prefix, "none");
    for (const struct log_item_name *item = log_item_names; item->name; item++)
        line_choices_add(out, prefix, item->name);
}

/* ---- what is not there -------------------------------------------------------------------------
 */

static void command_snapshot(struct monitor_call *call)
{
    fprintf(call->out,
            "%s: there are no snapshots of a running machine yet; -snapshot keeps disks as they "
            "are\n",
            call->words[0]);
}

static void command_balloon(struct monitor_call *call)
{
    fprintf(call->out, "the guest has no balloon device: it keeps its %" PRIu64 " MiB\n",
            vm_machine(call->vm)->ram_bytes >> 20);
}

static const struct monitor_command commands[] = {
    {"balloon", NULL, "MEGABYTES", "ask the guest for memory", command_balloon, 1, 1, NULL},
    {"cont", "c", "", "go on after stop", command_cont, 0, 0, NULL},
    {"delvm", NULL, "NAME", "delete a snapshot", command_snapshot, 1, 1, NULL},
    {"loadvm", NULL, "NAME", "go back to a snapshot", command_snapshot, 1, 1, NULL},
    {"log", NULL, "ITEM,...", "log these from now on, or none; -d help lists them", command_log, 1,
     1, complete_log},
    {"quit", "q", "", "end the emulator", command_quit, 0, 0, NULL},
    {"savevm", NULL, "[NAME]", "save a snapshot", command_snapshot, 0, 1, NULL},
    {"stop", "s", "", "hold the guest", command_stop, 0, 0, NULL},
    {"system_powerdown", NULL, "", "press the power key", command_powerdown, 0, 0, NULL},
    {"system_reset", NULL, "", "reset the machine", command_reset, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);
