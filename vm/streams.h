/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character streams of a machine: what -chardev, -serial, -parallel, -debugcon, -monitor and
 * -mon name, opened before the machine is built, and the monitors that sit on them.
 *
 * Threading: the main thread. streams_run without the device lock, as the monitor acts there.
 */
#ifndef CALQUE_VM_STREAMS_H
#define CALQUE_VM_STREAMS_H

#include "host/chardev.h"
#include "host/event_loop.h"
#include "vm/vm.h"

struct streams;

/* Opens everything that the options ask for. */
/* consoles: where kinds "vc" go, and what is not named does, too; NULL: there is no window. */
struct streams *streams_open(struct vm *vm, struct event_loop *loop, struct screens *consoles,
                             struct error *err);
/* After the machine, whose ports use them. NULL is none. */
void streams_close(struct streams *streams);
/* The stream of a port: "serial0".., "parallel0", "debugcon"; or by the id of -chardev, which
 * then belongs to the caller, or is shared if it has mux=on. NULL: nothing is attached. */
struct chardev *streams_find(struct streams *streams, const char *name);
/* The machine stands: terminals become raw, monitors greet. */
void streams_start(struct streams *streams);
/* Is the guest to wait for a peer (wait=on)? */
bool streams_await_peer(const struct streams *streams);
/* Carries out the lines that were typed into monitors. */
void streams_run(struct streams *streams);
/* info chardev */
void streams_print(const struct streams *streams, FILE *out);

#endif
