/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor: lines typed on a character stream, answered there. Commands are rows of a table in
 * monitor.c. Keys arrive with the device lock held and are only collected; monitor_run, called
 * without the lock, acts on complete lines.
 *
 * Threading: the I/O thread.
 */
#ifndef CALQUE_VM_MONITOR_H
#define CALQUE_VM_MONITOR_H

#include "host/chardev.h"
#include "vm/vm.h"

struct monitor;

/* in_front: what is typed on the stream goes to the monitor from the start. */
struct monitor *monitor_create(struct vm *vm, struct chardev *chardev, bool in_front);
void monitor_destroy(struct monitor *monitor);
void monitor_start(struct monitor *monitor);
void monitor_run(struct monitor *monitor);

#endif
