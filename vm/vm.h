/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a machine: built from the options, run by the I/O loop on the calling thread, ended
 * by the guest, the user or a signal.
 *
 * Threading: all functions on the main thread, except vm_machine_event. Those that stop the vCPU
 * must not be called with the device lock held.
 */
#ifndef CALQUE_VM_VM_H
#define CALQUE_VM_VM_H

#include <stdio.h>

#include "exec/vcpu.h"
#include "hw/machine.h"
#include "vm/options.h"
#include "vm/sandbox.h"

struct vm;

struct vm *vm_create(const struct options *options, struct error *err);
/* To add to while the machine is built. */
struct sandbox_needs *vm_sandbox_needs(struct vm *vm);
/* Returns calque's exit status. */
int vm_run(struct vm *vm);
void vm_destroy(struct vm *vm);

/* ---- for the monitor ------------------------------------------------------------------------- */

struct machine *vm_machine(struct vm *vm);
const struct options *vm_options(struct vm *vm);
struct streams *vm_streams(struct vm *vm);
const char *vm_status(struct vm *vm);
bool vm_is_running(const struct vm *vm);
void vm_stop(struct vm *vm); /* the guest and its clock stand still */
/* Goes on by one instruction; the machine then stops like at a breakpoint. */
void vm_step(struct vm *vm);
/* Why the vCPU had the machine stop: since it last ran, and once. */
bool vm_take_debug_stop(struct vm *vm, struct vcpu_debug_stop *out);
void vm_cont(struct vm *vm);
void vm_quit(struct vm *vm); /* the loop ends with status 0 */
bool vm_is_ending(const struct vm *vm);
void vm_reset(struct vm *vm);
struct drives;
struct drives *vm_drives(struct vm *vm);
void vm_save_disks(struct vm *vm); /* what -snapshot kept from the images; device lock held */
/* Runs look(opaque) with the vCPU standing still and its state precise. */
void vm_look(struct vm *vm, void (*look)(struct vm *vm, void *opaque), void *opaque);
/* A file that the user names while the guest runs, empty; NULL with err: it cannot be had. */
FILE *vm_create_file(struct vm *vm, const char *path, struct error *err);
/* The image of a floppy disk, to be read and written; -1: it cannot be had so. */
int vm_open_floppy(struct vm *vm, const char *path);
struct send_keys *vm_send_keys(struct vm *vm);

#endif
