/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gdb stub: lets a debugger hold, look into and change the guest, over one connection at a time
 * (-gdb, -s). What gdb sends arrives with the device lock held and is only collected; gdb_run,
 * called without the lock, acts on it.
 *
 * Threading: the I/O thread.
 */
#ifndef CALQUE_VM_GDB_H
#define CALQUE_VM_GDB_H

#include "host/event_loop.h"
#include "vm/vm.h"

struct gdb;

/* Listens: what is "tcp:HOST:PORT", "tcp::PORT" or "unix:PATH"; NULL: it does not (for tests). The
 * machine exists, and its guest has a gdb_architecture. */
struct gdb *gdb_create(struct vm *vm, struct event_loop *loop, const char *what, struct error *err);
/* Acts as if these bytes had come; answers are lost. For tests. */
void gdb_feed(struct gdb *gdb, const uint8_t *bytes, size_t size);
void gdb_run(struct gdb *gdb);
/* Says that the guest has ended. */
void gdb_end(struct gdb *gdb, int status);
void gdb_destroy(struct gdb *gdb);

/* gdb_listen.c. A listening socket, or -1; without a word about the host only this host's programs
 * reach it. path: that of a socket in the file system, which is to be removed in the end; else "".
 */
enum { GDB_PATH_BYTES = 108 };
int gdb_listen(const char *what, char path[GDB_PATH_BYTES], struct error *err);

#endif
