/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which guest, which machine: by the name calque was called by, by -M, or by the kernel. And the
 * lists of what there is. Pure but for reading the kernel's first bytes.
 */
#ifndef CALQUE_VM_CHOOSE_H
#define CALQUE_VM_CHOOSE_H

#include <stdio.h>

#include "frontend/guest.h"
#include "vm/options.h"

/* NULL with one sentence in err; with err NULL just NULL (for lists: all guests). */
const struct guest *choose_guest(const struct options *options, struct error *err);
/* Called as calque-system-NAME or the like? */
bool program_names_guest(const struct options *options);
const struct machine_class *choose_machine(const struct options *options, const struct guest *guest,
                                           struct error *err);

/* guest NULL: of all guests. */
void list_machines(const struct guest *guest, FILE *out);
void list_cpus(const struct guest *guest, FILE *out);
void list_log_items(FILE *out);
void list_devices(FILE *out);
void list_chardevs(FILE *out);

#endif
