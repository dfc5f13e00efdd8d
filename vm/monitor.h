/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: lines typed on a character stream, answered there. monitor_commands.h says how
 * commands are made. Keys arrive with the device lock held and only edit the line; monitor_run,
 * called without the lock, acts on complete ones.
 *
 * Threading: the I/O thread.
 */
#ifndef CALQUE_VM_MONITOR_H
#define CALQUE_VM_MONITOR_H

#include "host/chardev.h"
#include "vm/vm.h"

struct monitor;

struct monitor *monitor_create(struct vm *vm, struct chardev *chardev);
void monitor_destroy(struct monitor *monitor);
void monitor_start(struct monitor *monitor);
void monitor_run(struct monitor *monitor);
/* What the command says, to be freed; NULL: nothing. Without the device lock. */
char *monitor_run_text(struct vm *vm, const char *line);

#endif
