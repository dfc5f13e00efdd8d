/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk, CD or floppy image of the host (`-hda`, `-cdrom`, `-fda`): raw files and block devices,
 * in sectors of 512 bytes. Each has a thread of its own that moves the bytes, so that a slow host
 * disk never stops the vCPU.
 *
 * Where it goes: machine_config.backend("hda") returns the struct block that struct device.backend
 * of the drive gets. The names are "hda" to "hdd" (drives 0 and 1 of the first channel, then of the
 * second), "fda" and "fdb". A drive without medium (an empty CD drive) is block_open(NULL, ...);
 * no drive at all is NULL. "hdc" is the CD drive unless -hdc says otherwise.
 *
 * Threading: block_open and block_close on the main thread, around the machine's life. Everything
 * else with the device lock held, and there `done` is called too, from the disk's thread. Requests
 * are carried out one after the other, in the order of block_submit.
 */
#ifndef CALQUE_HOST_BLOCK_H
#define CALQUE_HOST_BLOCK_H

#include <pthread.h>

#include "util/compiler.h"
#include "util/error.h"

enum { BLOCK_SECTOR = 512 };
enum block_flag { BLOCK_READ_ONLY = 1, BLOCK_CDROM = 2 };

struct block;

/* A file or device that cannot be written is taken read-only, and block_note says so. A second
 * calque may share it only if both do not write. path NULL: no medium. */
struct block *block_open(const char *path, unsigned flags, struct error *err);
void block_close(struct block *block);

/* What the user should know (taken read-only; an odd size), without newline; NULL: nothing. */
const char *block_note(const struct block *block);
const char *block_path(const struct block *block); /* "" without medium */
bool block_is_cdrom(const struct block *block);
bool block_is_read_only(const struct block *block);
bool block_has_medium(const struct block *block);
/* A size that is no multiple of 512 counts as if zeros followed. */
uint64_t block_sectors(const struct block *block);
/* Takes the medium out; requests in progress go on, later ones fail with ENOMEDIUM. */
void block_eject(struct block *block);

/* The drive that uses it says so first, with the lock under which `done` is to be called. False:
 * another drive has it already. Detaching cancels nothing: the drive does. */
bool block_attach(struct block *block, pthread_mutex_t *lock, struct error *err);
void block_detach(struct block *block);

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH, BLOCK_DISCARD };

/* Owned by the drive, which leaves it and the buffer alone until `done` or block_cancel. */
struct block_request {
    enum block_operation operation;
    uint64_t sector;
    uint32_t n_sectors;
    void *buffer; /* n_sectors * 512 bytes */
    /* error: 0 or an errno value. May submit the next request. */
    void (*done)(struct block_request *request, int error);
    void *opaque;
    /* the block's */
    struct block_request *next;
    int error;
    bool active; /* between submit and done */
};

/* Ranges beyond the end fail with ERANGE. */
void block_submit(struct block *block, struct block_request *request);
/* After this `done` will not be called and the buffer is free; what was being written may be
 * written. Harmless if the request is not active. */
void block_cancel(struct block *block, struct block_request *request);
/* Until no request is left. Without the device lock: for tests and the end of a machine. */
void block_drain(struct block *block);

#endif
