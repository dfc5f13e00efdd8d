/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk, CD or floppy image of the host: raw files and block devices, in sectors of 512 bytes.
 * Each has a thread of its own that moves the bytes, so that a slow host disk never stops the vCPU.
 * A device finds it in struct device.backend; vm/drives.h says by which name.
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

enum { BLOCK_SECTOR = 512, BLOCK_SERIAL_BYTES = 64 };
enum block_flag {
    BLOCK_READ_ONLY = 1,
    BLOCK_CDROM = 2,
    BLOCK_SNAPSHOT = 4,        /* writes go to a temporary file; block_can_commit */
    BLOCK_WRITE_THROUGH = 8,   /* every write is on stable storage before its `done` */
    BLOCK_NO_FLUSH = 16,       /* nothing ever is, but by the host's own doing */
    BLOCK_FORMAT_GIVEN = 32,   /* no note if it looks like an image of another format */
    BLOCK_KEEP_DISCARDED = 64, /* BLOCK_DISCARD does nothing */
};

struct block;

/* A file or device that cannot be written is taken read-only, and block_note says so. A second
 * calque may share it only if both do not write. path NULL: no medium (an empty CD drive). */
struct block *block_open(const char *path, unsigned flags, struct error *err);
void block_close(struct block *block);
/* Before its device goes, and without the device lock: `done` will not be called any more, so that
 * what is left can be cancelled. */
void block_stop(struct block *block);

/* What the user should know (taken read-only; an odd size; another format), without newline; NULL:
 * nothing. */
const char *block_note(const struct block *block);
const char *block_path(const struct block *block); /* "" without medium */
bool block_is_cdrom(const struct block *block);
bool block_is_read_only(const struct block *block);
bool block_has_medium(const struct block *block);
/* A size that is no multiple of 512 counts as if zeros followed. */
uint64_t block_sectors(const struct block *block);
bool block_is_snapshot(const struct block *block);
bool block_is_write_through(const struct block *block);
/* What the guest is told as the drive's serial number; "": the drive's own. */
void block_set_serial(struct block *block, const char *serial);
const char *block_serial(const struct block *block);
/* Writes go to its media, as far as they can be written. */
bool block_takes_writes(const struct block *block);
/* Takes the medium out; the request in progress goes on, later ones fail with ENOMEDIUM. */
void block_eject(struct block *block);
/* Another medium instead, with the flags that the drive was opened with, and these. fd: the image,
 * if it is open already, which is closed in any case; -1: it is opened here. False: what was in it
 * still is. */
bool block_insert(struct block *block, const char *path, int fd, unsigned flags, struct error *err);
/* How often the medium has changed, for drives that tell their guests. */
unsigned block_medium_changes(const struct block *block);
/* The guest wants the medium to stay. */
void block_set_locked(struct block *block, bool locked);
bool block_is_locked(const struct block *block);

/* The drive that uses it says so first, with the lock under which `done` is to be called. False:
 * another drive has it already. Detaching cancels nothing: the drive does. */
bool block_attach(struct block *block, pthread_mutex_t *lock, struct error *err);
void block_detach(struct block *block);
bool block_is_attached(const struct block *block);

enum block_operation {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,   /* what is done is on stable storage */
    BLOCK_DISCARD, /* a hint: the bytes are of no use any more */
    BLOCK_WRITE_ZEROES,
    BLOCK_COMMIT, /* of a snapshot: what was written goes into the image */
};

/* Owned by the drive, which leaves it and the buffer alone until `done` or block_cancel. */
struct block_request {
    enum block_operation operation;
    uint64_t sector;
    uint32_t n_sectors;
    void *buffer; /* n_sectors * 512 bytes; of BLOCK_READ and BLOCK_WRITE only */
    bool through; /* of a write: on stable storage before `done` */
    bool unmap;   /* of BLOCK_WRITE_ZEROES: the host may give the space back */
    /* error: 0 or an errno value. May submit the next request. */
    void (*done)(struct block_request *request, int error);
    void *opaque;
    /* the block's */
    struct block_request *next;
    int error;
    bool active; /* between submit and done; changes with the device lock held */
};

/* Ranges beyond the end fail with ERANGE. */
void block_submit(struct block *block, struct block_request *request);
/* After this `done` will not be called and the buffer is free; what was being written may be
 * written. Harmless if the request is not active. */
void block_cancel(struct block *block, struct block_request *request);
/* At once, on this thread, without `done`: for the start and the end of a machine. 0 or an errno
 * value. */
int block_run(struct block *block, struct block_request *request);
/* Until this request is not active. Without the device lock. */
void block_await(struct block *block, const struct block_request *request);
/* Until no request is left. Without the device lock: for tests and the end of a machine. */
void block_drain(struct block *block);

#endif
