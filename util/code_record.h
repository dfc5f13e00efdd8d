/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells Linux perf what generated code is: a perf map (text: address, size, name) and a jitdump
 * file (binary: the code too, with the time it was made). perf report reads the map by itself, perf
 * inject --jit makes ELF files of the dump.
 *
 * Threading: code_record_add may be called by any thread. The files are opened at creation only, so
 * that the process may give up the right to open files afterwards.
 */
#ifndef CALQUE_UTIL_CODE_RECORD_H
#define CALQUE_UTIL_CODE_RECORD_H

#include "util/error.h"

struct code_record;

/* map, dump: NULL none; "" where perf looks for them: /tmp/perf-PID.map, and jit-PID.dump in the
 * current folder; else a file. A dump's folder may be named instead. */
struct code_record *code_record_create(const char *map, const char *dump, struct error *err);
/* That many bytes of code, to be run at `code`. */
void code_record_add(struct code_record *record, const char *name, const void *code, size_t bytes);
/* False: not everything could be written. record may be NULL. */
bool code_record_close(struct code_record *record, struct error *err);

#endif
