/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk drives that the options ask for: -drive, -hda to -hdd, -cdrom, -fda, -fdb, -snapshot.
 * Their images are opened before the machine is built; the board's drives find theirs by the
 * board's names ("hda", "fda", "pflash0"), those of -device by their ids.
 *
 * Threading: the main thread.
 */
#ifndef CALQUE_VM_DRIVES_H
#define CALQUE_VM_DRIVES_H

#include "host/block.h"
#include "vm/options.h"

struct drives;

enum drive_interface { DRIVE_IDE, DRIVE_VIRTIO, DRIVE_FLOPPY, DRIVE_PFLASH, DRIVE_NONE };

struct drive {
    char id[64]; /* QEMU's name if none was given: "ide0-hd0", "virtio0" */
    enum drive_interface interface;
    unsigned index; /* among the drives of its interface */
    bool cdrom;
    struct block *block;
    bool taken;      /* by a device */
    char device[96]; /* what -device would have to say, as no board has it by itself; "": nothing */
    const char *option;
    struct block_request save; /* what drives_save began */
    struct drives *drives;
    struct drive *next;
};

struct drives *drives_open(const struct options *o, const struct machine_class *board,
                           struct error *err);
/* After the machine. NULL is none. */
void drives_close(struct drives *drives);
/* For machine_config.backend: a struct block, or NULL. */
void *drives_find(struct drives *drives, const char *name);
/* Has the board's flash an image to start from? */
bool drives_have_firmware(const struct drives *drives);
/* The n-th of the drives' devices; NULL: no more. */
const char *drives_device(const struct drives *drives, unsigned n);
/* The board is built: an image for which it has no drive is a mistake. */
bool drives_check(const struct drives *drives, struct error *err);
struct drive *drives_first(const struct drives *drives);
bool drives_is_removable(const struct drive *drive); /* its medium is */
/* Ctrl-a s: what was written since -snapshot goes into the images. Says on stderr what it did, now
 * or when the disks' threads are done. With the device lock held. */
void drives_save(struct drives *drives);
/* Before the machine goes, and without the device lock: ends what drives_save began, and the disks'
 * threads. NULL is none. */
void drives_stop(struct drives *drives);

#endif
