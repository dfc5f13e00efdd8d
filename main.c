/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options to machine to exit status. The only file that may end the process. */
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "vm/choose.h"
#include "vm/display.h"
#include "vm/options.h"
#include "vm/vm.h"

static int fail(const struct options *options, const struct error *err)
{
    fprintf(stderr, "%s: %s\n", options->program, err->message);
    return 1;
}

/* -M help and the like. A name that stands for a guest which is not there has no list to show. */
static int show(const struct options *options)
{
    struct error err = {""};
    const struct guest *guest = NULL;

    switch (options->action) {
    case ACTION_HELP:
        options_print_help(options, stdout);
        return 0;
    case ACTION_VERSION:
        printf("%s version " CALQUE_VERSION "\n", options->program);
        return 0;
    case ACTION_LIST_LOG_ITEMS:
        list_log_items(stdout);
        return 0;
    case ACTION_LIST_DISPLAYS:
        list_displays(stdout);
        return 0;
    case ACTION_LIST_DEVICES:
        list_devices(stdout);
        return 0;
    case ACTION_LIST_CHARDEVS:
        list_chardevs(stdout);
        return 0;
    default:
        break;
    }
    guest = choose_guest(options, &err);
    if (!guest && program_names_guest(options))
        return fail(options, &err);
    if (options->action == ACTION_LIST_MACHINES)
        list_machines(guest, stdout);
    else
        list_cpus(guest, stdout);
    return 0;
}

/* glibc gives each thread a heap that grows by a system call per page, one at every tenth unit that
 * a vCPU translates. The first thread's grows by larger steps, and threads hardly contend for it.
 */
static void choose_heap(void)
{
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 1);
#endif
}

int main(int argc, char **argv)
{
    struct options options;
    struct error err = {""};
    struct vm *vm;
    int status;

    choose_heap();
    if (!options_parse(&options, argc, argv, &err))
        return fail(&options, &err);
    if (options.action != ACTION_RUN)
        return show(&options);
    for (unsigned i = 0; i < options.n_notes; i++)
        fprintf(stderr, "%s: note: %s\n", options.program, options.notes[i]);
    vm = vm_create(&options, &err);
    if (!vm)
        return fail(&options, &err);
    status = vm_run(vm);
    vm_destroy(vm);
    return status;
}
