/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command of the monitor is. A file of commands registers one table of them, whose rows need
 * nothing elsewhere:
 *
 *   static const struct monitor_command commands[] = {
 *       {"stop", "s", "", "hold the guest", command_stop, 0, 0, NULL},
 *       {NULL},
 *   };
 *   static const struct monitor_table table = {NULL, commands};
 *   REGISTER(monitor_table, table);
 *
 * Threading: commands run on the I/O thread without the device lock, which they take where they
 * look at devices; completions with it.
 */
#ifndef CALQUE_VM_MONITOR_COMMANDS_H
#define CALQUE_VM_MONITOR_COMMANDS_H

#include <stdio.h>

#include "frontend/guest.h"
#include "util/registry.h"
#include "vm/line_editor.h"
#include "vm/vm.h"

enum { MONITOR_WORDS = 16, MONITOR_ANY = 255 };

struct monitor;

struct monitor_call {
    struct monitor *monitor; /* NULL: from elsewhere, a debugger say */
    struct vm *vm;
    const struct monitor_command *command;
    const char *below; /* "info": it is a word of that; NULL */
    FILE *out;
    char *words[MONITOR_WORDS]; /* the command's own name first; without quotes */
    unsigned n_words;
    const char *rest; /* the line behind the name, as it was typed */
    const char *last; /* where the last word starts in it */
};

struct monitor_command {
    const char *name;
    const char *alias;     /* a shorter name, NULL: none */
    const char *arguments; /* for help; "" none */
    const char *help;
    void (*run)(struct monitor_call *call);
    uint8_t min_words, max_words; /* behind the name */
    /* What word n behind the name may be (0: the first); NULL: anything. */
    void (*complete)(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out);
};

struct monitor_table {
    const char *below;                      /* "info": a word of that; NULL: a command */
    const struct monitor_command *commands; /* ends with name NULL */
};
REGISTRY_DECLARE(monitor_table);

/* Runs the line, whose text it changes. */
void monitor_command_run(struct monitor_call *call, char *line);
/* Says how the command is written: a word is missing, or there is one too many. */
void monitor_usage(const struct monitor_call *call);
/* Completes the last word of the line. */
void monitor_command_complete(struct vm *vm, const char *line, struct line_choices *out);
/* Figures as they were when a command last showed them here, so that it can say what came since. */
enum monitor_mark_kind { MARK_JIT, MARK_TLB, MARK_TRAPS, N_MARKS };
struct monitor_mark {
    struct counters counters;
    uint64_t traps[MAX_EXCEPTION_KINDS];
    int64_t time_ns; /* of the machine's clock; 0: never yet */
};
/* NULL: none, for calls from elsewhere. */
struct monitor_mark *monitor_mark(struct monitor *monitor, enum monitor_mark_kind kind);
/* The line editor of the monitor that the call came from; NULL: none. */
const struct line_editor *monitor_editor(const struct monitor *monitor);

#endif
