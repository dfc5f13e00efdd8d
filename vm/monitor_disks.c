/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands for disks: info block, eject, change, commit. */
#include <string.h>

#include "vm/drives.h"
#include "vm/monitor_commands.h"

static const char *attached_to(struct vm *vm, const struct drive *drive)
{
    const struct machine *m = vm_machine(vm);

    for (unsigned i = 0; i < m->n_devices; i++) {
        if (m->devices[i]->backend == drive->block)
            return m->devices[i]->id;
    }
    return NULL;
}

static void print_drive(struct vm *vm, const struct drive *drive, FILE *out)
{
    const struct block *block = drive->block;
    const char *device = attached_to(vm, drive);

    if (block_has_medium(block))
        fprintf(out, "%s: %s (raw%s%s)\n", drive->id, block_path(block),
                block_is_read_only(block) ? ", read-only" : "",
                block_is_snapshot(block) ? ", snapshot" : "");
    else
        fprintf(out, "%s: [not inserted]\n", drive->id);
    if (device)
        fprintf(out, "    Attached to:      %s\n", device);
    if (drives_is_removable(drive))
        fprintf(out, "    Removable device: %slocked\n", block_is_locked(block) ? "" : "not ");
    if (block_has_medium(block))
        fprintf(out, "    Size:             %llu bytes\n    Cache mode:       %s\n",
                (unsigned long long)block_sectors(block) * BLOCK_SECTOR,
                block_is_write_through(block) ? "writethrough" : "writeback");
}

static void info_block(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    for (const struct drive *d = drives_first(vm_drives(call->vm)); d; d = d->next)
        print_drive(call->vm, d, call->out);
    pthread_mutex_unlock(&m->lock);
}

/* NULL: there is none; it has been said. */
static struct drive *find_removable(struct monitor_call *call, const char *name)
{
    struct drive *d = drives_first(vm_drives(call->vm));

    while (d && strcmp(d->id, name) != 0)
        d = d->next;
    if (!d)
        fprintf(call->out, "there is no drive '%s'; info block lists them\n", name);
    else if (!drives_is_removable(d))
        fprintf(call->out, "the medium of '%s' cannot be taken out\n", name);
    return d && drives_is_removable(d) ? d : NULL;
}

static void command_eject(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    bool force = !strcmp(call->words[1], "-f");
    struct drive *d;

    if (force != (call->n_words == 3)) {
        monitor_usage(call);
        return;
    }
    d = find_removable(call, call->words[call->n_words - 1]);
    if (!d)
        return;
    pthread_mutex_lock(&m->lock);
    if (block_is_locked(d->block) && !force)
        fprintf(call->out, "the guest has locked '%s'; eject -f takes its medium nevertheless\n",
                d->id);
    else
        block_eject(d->block);
    pthread_mutex_unlock(&m->lock);
}

/* What the sandbox would not let us open any more. -1: block_insert tries, and says what is wrong.
 */
static int open_writable(struct monitor_call *call, const struct drive *d, const char *path)
{
    return block_takes_writes(d->block) ? vm_open_floppy(call->vm, path) : -1;
}

static void command_change(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    struct drive *d = find_removable(call, call->words[1]);
    struct error err;
    unsigned flags = call->n_words > 3 ? BLOCK_FORMAT_GIVEN : 0;

    if (!d)
        return;
    if (call->n_words > 3 && strcmp(call->words[3], "raw") != 0) {
        fprintf(call->out, "the format '%s' is not supported yet; the image must be raw\n",
                call->words[3]);
        return;
    }
    pthread_mutex_lock(&m->lock);
    if (block_is_locked(d->block))
        fprintf(call->out, "the guest has locked '%s'; eject -f it first\n", d->id);
    else if (!block_insert(d->block, call->words[2], open_writable(call, d, call->words[2]), flags,
                           &err))
        fprintf(call->out, "%s\n", err.message);
    else if (block_note(d->block))
        fprintf(call->out, "note: %s\n", block_note(d->block));
    pthread_mutex_unlock(&m->lock);
}

static void command_commit(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    if (strcmp(call->words[1], "all") != 0) {
        fprintf(call->out, "commit all saves the changes of all disks\n");
        return;
    }
    pthread_mutex_lock(&m->lock);
    vm_save_disks(call->vm);
    pthread_mutex_unlock(&m->lock);
}

static void complete_drive(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    for (const struct drive *d = drives_first(vm_drives(vm)); d && n == 0; d = d->next) {
        if (drives_is_removable(d))
            line_choices_add(out, prefix, d->id);
    }
}

static void complete_all(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    line_choices_add(out, prefix, "all");
}

static const struct monitor_command info_commands[] = {
    {"block", NULL, "", "the drives and their images", info_block, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table info_table = {"info", info_commands};
REGISTER(monitor_table, info_table);

static const struct monitor_command commands[] = {
    {"change", NULL, "DRIVE FILE [raw]", "put another medium into a drive", command_change, 2, 3,
     complete_drive},
    {"commit", NULL, "all", "save what -snapshot kept from the images", command_commit, 1, 1,
     complete_all},
    {"eject", NULL, "[-f] DRIVE", "take the medium out of a drive", command_eject, 1, 2,
     complete_drive},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);
