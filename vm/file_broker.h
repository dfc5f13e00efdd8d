/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the monitor's user names while the guest runs (screendump, change). The sandbox lets
 * nothing be opened for writing any more, so a process that stays outside of it, and that knows
 * nothing of the guest, opens them. It trusts nobody: it makes new files, and empties only files
 * that it made, empty ones and pictures. What is there already it opens as it is only if it has the
 * size of a floppy disk. What programs read unasked (.bashrc, .config/autostart) is hidden: no
 * hidden file is opened, and none made in a hidden folder but those that the command line names.
 *
 * Threading: the I/O thread.
 */
#ifndef CALQUE_VM_FILE_BROKER_H
#define CALQUE_VM_FILE_BROKER_H

#include "util/compiler.h"
#include "util/error.h"

struct file_broker;

/* Before there are threads and before the sandbox. argv: the command line. */
struct file_broker *file_broker_start(int argc, char *const *argv, struct error *err);
/* The file, empty and open for writing; -1: it cannot be had. */
int file_broker_create(struct file_broker *broker, const char *path, struct error *err);
/* The image of a floppy disk, open for reading and writing; -1: it cannot be had. */
int file_broker_open_floppy(struct file_broker *broker, const char *path);
void file_broker_stop(struct file_broker *broker); /* NULL does nothing */

#endif
