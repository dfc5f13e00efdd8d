/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal calque was started on: raw while the guest has it, restored on every way out. There
 * is one per process, so its state is process-wide.
 *
 * Threading: raw and restore from one thread; the emergency way out from any, in a signal handler.
 */
#ifndef CALQUE_HOST_TERMINAL_H
#define CALQUE_HOST_TERMINAL_H

#include "util/compiler.h"

/* Makes standard input's terminal raw (nothing happens when it is none). keys_signal: Ctrl-C,
 * Ctrl-Z and Ctrl-\ keep their meaning for calque instead of going to the guest. */
void terminal_make_raw(bool keys_signal);
/* Raw again after the process was stopped and continued. */
void terminal_resume(void);
void terminal_restore(void);

#endif
