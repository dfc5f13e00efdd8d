/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw images and block devices, and the thread that reads and writes each. */
#define _GNU_SOURCE
#include "host/block.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/block_overlay.h"

struct block_queue {
    struct block_request *first, **last;
};

struct block {
    char *path;
    int fd; /* -1: no medium */
    bool cdrom, read_only, is_device, attached, locked;
    unsigned medium_changes;
    bool snapshot, base_read_only, write_through, no_flush, keep_discarded;
    struct block_overlay *overlay; /* with snapshot */
    uint64_t bytes, sectors;
    char note[700];
    pthread_mutex_t *device_lock; /* taken before `lock`, never while it is held */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work, progress;
    struct block_queue waiting, finished;
    struct block_request *running; /* the thread is in a system call for it */
    unsigned n_delivering;
    bool stopping;
};

/* ---- opening --------------------------------------------------------------------------------- */

/* Who holds the lock? POSIX locks know the process; flock, which also works within one process and
 * survives the closing of another descriptor, is the one that excludes. */
static bool lock_error(const char *path, int fd, struct error *err)
{
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK && holder.l_pid > 0)
        return error_set(err, "'%s' is in use by another calque (process %ld)", path,
                         (long)holder.l_pid);
    return error_set(err, "'%s' is already in use", path);
}

static bool lock_image(const char *path, int fd, bool read_only, struct error *err)
{
    struct flock mine = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    if (flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return lock_error(path, fd, err);
        return true; /* a filesystem without locks */
    }
    if (fcntl(fd, F_SETLK, &mine) < 0 && (errno == EAGAIN || errno == EACCES))
        return lock_error(path, fd, err);
    return true;
}

static void add_note(struct block *block, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_note(struct block *block, const char *format, ...)
{
    size_t used = strlen(block->note);
    va_list arguments;

    if (used)
        used += (size_t)snprintf(block->note + used, sizeof(block->note) - used, "; ");
    va_start(arguments, format);
    vsnprintf(block->note + used, sizeof(block->note) - used, format, arguments);
    va_end(arguments);
}

static bool measure(struct block *block, struct error *err)
{
    struct stat status;

    if (fstat(block->fd, &status) < 0)
        return error_set_errno(err, errno, "cannot look at '%s'", block->path);
    if (S_ISBLK(status.st_mode)) {
        block->is_device = true;
        if (ioctl(block->fd, BLKGETSIZE64, &block->bytes) < 0)
            return error_set_errno(err, errno, "cannot tell the size of '%s'", block->path);
    } else if (S_ISREG(status.st_mode)) {
        block->bytes = (uint64_t)status.st_size;
    } else {
        return error_set(err, "'%s' is neither a file nor a block device", block->path);
    }
    if (!block->bytes)
        return error_set(err, "'%s' is empty", block->path);
    block->sectors = (block->bytes + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    if (block->bytes % BLOCK_SECTOR)
        add_note(block, "'%.200s' is not a multiple of 512 bytes long; zeros fill its last sector",
                 block->path);
    return true;
}

/* What another image format's file starts with; its guest would see the container, not the disk. */
static const char *foreign_format(int fd)
{
    static const struct {
        const char *name, *magic;
        uint8_t offset, size;
    } formats[] = {
        {"qcow2", "QFI\xfb", 0, 4},
        {"qed", "QED", 0, 4},
        {"vmdk", "KDMV", 0, 4},
        {"vmdk", "COWD", 0, 4},
        {"vdi", "\x7f\x10\xda\xbe", 64, 4},
        {"vhdx", "vhdxfile", 0, 8},
        {"vpc", "conectix", 0, 8},
        {"parallels", "WithoutFreeSpace", 0, 16},
        {"luks", "LUKS\xba\xbe", 0, 6},
        {"vmdk", "# Disk DescriptorFile", 0, 21},
        {"parallels", "WithouFreSpacExt", 0, 16},
    };
    uint8_t start[80] = {0};

    if (block_file_read(fd, start, 0, sizeof(start)))
        return NULL;
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!memcmp(start + formats[i].offset, formats[i].magic, formats[i].size))
            return formats[i].name;
    }
    return NULL;
}

static void check_format(struct block *block, unsigned flags)
{
    const char *format = flags & BLOCK_FORMAT_GIVEN ? NULL : foreign_format(block->fd);

    if (format)
        add_note(block,
                 "'%.200s' looks like a %s image, but the guest gets its bytes as they are "
                 "(format=raw says so)",
                 block->path, format);
}

/* A snapshot's image is only read, until it is committed to: it is opened for that here, as nothing
 * is opened to be written once the guest runs. */
static bool make_snapshot(struct block *block, struct error *err)
{
    block->base_read_only = block->read_only;
    block->read_only = false;
    block->overlay = block_overlay_create(block->fd, block->bytes, err);
    return block->overlay != NULL;
}

static bool open_image(struct block *block, unsigned flags, struct error *err)
{
    int mode = O_CLOEXEC | O_NONBLOCK;

    block->read_only = (flags & (BLOCK_READ_ONLY | BLOCK_CDROM)) != 0;
    block->snapshot = (flags & BLOCK_SNAPSHOT) && !block->read_only;
    block->fd = open(block->path, mode | (block->read_only ? O_RDONLY : O_RDWR));
    if (block->fd < 0 && !block->read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        block->read_only = true;
        block->fd = open(block->path, mode | O_RDONLY);
        if (!block->snapshot)
            add_note(block, "'%.200s' cannot be written, so the guest may only read it",
                     block->path);
    }
    if (block->fd < 0)
        return error_set_errno(err, errno, "cannot open '%s'", block->path);
    if (!measure(block, err) ||
        !lock_image(block->path, block->fd, block->read_only || block->snapshot, err))
        return false;
    check_format(block, flags);
    return !block->snapshot || make_snapshot(block, err);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void queue_init(struct block_queue *queue)
{
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_append(struct block_queue *queue, struct block_request *request)
{
    request->next = NULL;
    *queue->last = request;
    queue->last = &request->next;
}

static struct block_request *queue_take(struct block_queue *queue)
{
    struct block_request *request = queue->first;

    if (request) {
        queue->first = request->next;
        if (!queue->first)
            queue->last = &queue->first;
    }
    return request;
}

static bool queue_remove(struct block_queue *queue, struct block_request *request)
{
    for (struct block_request **link = &queue->first; *link; link = &(*link)->next) {
        if (*link != request)
            continue;
        *link = request->next;
        if (queue->last == &request->next)
            queue->last = link;
        return true;
    }
    return false;
}

static int transfer(struct block *block, const struct block_request *request)
{
    bool writing = request->operation == BLOCK_WRITE;
    size_t size = (size_t)request->n_sectors * BLOCK_SECTOR;
    uint64_t at = request->sector * BLOCK_SECTOR;

    if (block->overlay)
        return writing ? block_overlay_write(block->overlay, request->buffer, at, size)
                       : block_overlay_read(block->overlay, request->buffer, at, size);
    return writing ? block_file_write(block->fd, request->buffer, at, size)
                   : block_file_read(block->fd, request->buffer, at, size);
}

static int discard(struct block *block, const struct block_request *request)
{
    uint64_t range[2] = {request->sector * BLOCK_SECTOR,
                         (uint64_t)request->n_sectors * BLOCK_SECTOR};

    /* A host that cannot give the space back keeps the data. */
    if (block->overlay || block->keep_discarded)
        return 0;
    if (block->is_device)
        ioctl(block->fd, BLKDISCARD, range);
    else
        fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range[0],
                  (off_t)range[1]);
    return 0;
}

static int write_zeros(struct block *block, const struct block_request *request)
{
    static const uint8_t zeros[256 * 1024];
    uint64_t range[2] = {request->sector * BLOCK_SECTOR,
                         (uint64_t)request->n_sectors * BLOCK_SECTOR};
    int how = FALLOC_FL_KEEP_SIZE | (request->unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);
    int error = 0;

    if (block->overlay)
        return block_overlay_write(block->overlay, NULL, range[0], range[1]);
    if (block->is_device ? ioctl(block->fd, BLKZEROOUT, range) == 0
                         : fallocate(block->fd, how, (off_t)range[0], (off_t)range[1]) == 0)
        return 0;
    while (range[1] && !error) {
        uint64_t n = MIN(range[1], sizeof(zeros));
        error = block_file_write(block->fd, zeros, range[0], (size_t)n);
        range[0] += n;
        range[1] -= n;
    }
    return error;
}

static int flush(struct block *block)
{
    /* What a snapshot holds is gone with calque anyway. */
    if (block->read_only || block->no_flush || block->overlay)
        return 0;
    return fdatasync(block->fd) == 0 ? 0 : errno;
}

/* The image is this calque's alone while it is written. */
static int commit(struct block *block)
{
    if (!block->overlay)
        return flush(block);
    if (!block_overlay_bytes(block->overlay))
        return 0;
    if (block->base_read_only)
        return EROFS;
    if (flock(block->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        flock(block->fd, LOCK_SH | LOCK_NB);
        return EBUSY;
    }
    int error = block_overlay_commit(block->overlay);
    flock(block->fd, LOCK_SH | LOCK_NB);
    return error;
}

static int carry_out(struct block *block, struct block_request *request)
{
    int error;

    if (block->fd < 0)
        return ENOMEDIUM;
    if (request->operation == BLOCK_FLUSH)
        return flush(block);
    if (request->operation == BLOCK_COMMIT)
        return commit(block);
    if (request->sector > block->sectors || request->n_sectors > block->sectors - request->sector)
        return ERANGE;
    if (request->operation == BLOCK_READ)
        return transfer(block, request);
    if (block->read_only)
        return EROFS;
    if (request->operation == BLOCK_DISCARD)
        return discard(block, request);
    error =
        request->operation == BLOCK_WRITE ? transfer(block, request) : write_zeros(block, request);
    if (!error && (request->through || block->write_through))
        error = flush(block);
    return error;
}

/* Calls `done` of what is finished. The requests stay in the queue until the device lock is held,
 * so that block_cancel finds them there. */
static void deliver(struct block *block)
{
    struct block_request *request;

    pthread_mutex_lock(block->device_lock);
    pthread_mutex_lock(&block->lock);
    while ((request = queue_take(&block->finished))) {
        pthread_mutex_unlock(&block->lock);
        request->active = false;
        request->done(request, request->error);
        pthread_mutex_lock(&block->lock);
    }
    pthread_mutex_unlock(&block->lock);
    pthread_mutex_unlock(block->device_lock);
}

static void *block_thread(void *opaque)
{
    struct block *block = opaque;

    pthread_mutex_lock(&block->lock);
    while (!block->stopping) {
        struct block_request *request = queue_take(&block->waiting);
        if (!request) {
            pthread_cond_wait(&block->work, &block->lock);
            continue;
        }
        block->running = request;
        block->n_delivering = 1;
        pthread_mutex_unlock(&block->lock);
        int error = carry_out(block, request);
        pthread_mutex_lock(&block->lock);
        request->error = error;
        block->running = NULL;
        queue_append(&block->finished, request);
        pthread_cond_broadcast(&block->progress);
        pthread_mutex_unlock(&block->lock);
        deliver(block);
        pthread_mutex_lock(&block->lock);
        block->n_delivering = 0;
        pthread_cond_broadcast(&block->progress);
    }
    pthread_mutex_unlock(&block->lock);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct block *block_open(const char *path, unsigned flags, struct error *err)
{
    struct block *block = calloc(1, sizeof(*block));

    if (!block || !(block->path = strdup(path ? path : ""))) {
        error_set(err, "out of memory for '%s'", path ? path : "a drive");
        free(block);
        return NULL;
    }
    block->fd = -1;
    block->cdrom = (flags & BLOCK_CDROM) != 0;
    block->write_through = (flags & BLOCK_WRITE_THROUGH) != 0;
    block->no_flush = (flags & BLOCK_NO_FLUSH) != 0;
    block->keep_discarded = (flags & BLOCK_KEEP_DISCARDED) != 0;
    queue_init(&block->waiting);
    queue_init(&block->finished);
    pthread_mutex_init(&block->lock, NULL);
    pthread_cond_init(&block->work, NULL);
    pthread_cond_init(&block->progress, NULL);
    if (path && !open_image(block, flags, err)) {
        block_close(block);
        return NULL;
    }
    block->has_thread = pthread_create(&block->thread, NULL, block_thread, block) == 0;
    if (!block->has_thread) {
        error_set(err, "cannot start a thread for '%s'", block->path);
        block_close(block);
        return NULL;
    }
    return block;
}

void block_stop(struct block *block)
{
    if (!block->has_thread)
        return;
    pthread_mutex_lock(&block->lock);
    block->stopping = true;
    pthread_cond_broadcast(&block->work);
    pthread_mutex_unlock(&block->lock);
    pthread_join(block->thread, NULL);
    block->has_thread = false;
}

void block_close(struct block *block)
{
    if (!block)
        return;
    block_stop(block);
    block_overlay_destroy(block->overlay);
    if (block->fd >= 0)
        close(block->fd);
    pthread_cond_destroy(&block->progress);
    pthread_cond_destroy(&block->work);
    pthread_mutex_destroy(&block->lock);
    free(block->path);
    free(block);
}

const char *block_note(const struct block *block)
{
    return block->note[0] ? block->note : NULL;
}

const char *block_path(const struct block *block)
{
    return block->path;
}

bool block_is_cdrom(const struct block *block)
{
    return block->cdrom;
}

bool block_is_read_only(const struct block *block)
{
    return block->read_only;
}

bool block_is_snapshot(const struct block *block)
{
    return block->snapshot;
}

bool block_is_write_through(const struct block *block)
{
    return block->write_through;
}

bool block_has_medium(const struct block *block)
{
    return block->sectors != 0;
}

uint64_t block_sectors(const struct block *block)
{
    return block->sectors;
}

void block_eject(struct block *block)
{
    pthread_mutex_lock(&block->lock);
    while (block->running)
        pthread_cond_wait(&block->progress, &block->lock);
    block_overlay_destroy(block->overlay);
    block->overlay = NULL;
    if (block->fd >= 0)
        close(block->fd);
    block->fd = -1;
    block->sectors = 0;
    block->medium_changes++;
    pthread_mutex_unlock(&block->lock);
}

/* Opens it aside, so that a mistake leaves everything as it was. */
bool block_insert(struct block *block, const char *path, unsigned flags, struct error *err)
{
    struct block fresh = {.fd = -1, .path = strdup(path)};
    bool ok = fresh.path || error_set(err, "out of memory");

    if (block->cdrom)
        flags |= BLOCK_CDROM | BLOCK_READ_ONLY;
    if (!ok || !open_image(&fresh, flags, err)) {
        block_overlay_destroy(fresh.overlay);
        if (fresh.fd >= 0)
            close(fresh.fd);
        free(fresh.path);
        return false;
    }
    block_eject(block);
    pthread_mutex_lock(&block->lock);
    free(block->path);
    block->path = fresh.path;
    block->fd = fresh.fd;
    block->bytes = fresh.bytes;
    block->sectors = fresh.sectors;
    block->is_device = fresh.is_device;
    block->read_only = fresh.read_only;
    block->base_read_only = fresh.base_read_only;
    block->snapshot = fresh.snapshot;
    block->overlay = fresh.overlay;
    memcpy(block->note, fresh.note, sizeof(block->note));
    pthread_mutex_unlock(&block->lock);
    return true;
}

unsigned block_medium_changes(const struct block *block)
{
    return block->medium_changes;
}

void block_set_locked(struct block *block, bool locked)
{
    block->locked = locked;
}

bool block_is_locked(const struct block *block)
{
    return block->locked;
}

bool block_attach(struct block *block, pthread_mutex_t *lock, struct error *err)
{
    if (block->attached)
        return error_set(err, "'%s' is in two drives", block->path);
    block->attached = true;
    block->device_lock = lock;
    return true;
}

void block_detach(struct block *block)
{
    block->attached = false;
}

/* ---- requests -------------------------------------------------------------------------------- */

void block_submit(struct block *block, struct block_request *request)
{
    request->active = true;
    request->error = 0;
    pthread_mutex_lock(&block->lock);
    queue_append(&block->waiting, request);
    pthread_cond_signal(&block->work);
    pthread_mutex_unlock(&block->lock);
}

void block_cancel(struct block *block, struct block_request *request)
{
    if (!request->active)
        return;
    pthread_mutex_lock(&block->lock);
    while (block->running == request)
        pthread_cond_wait(&block->progress, &block->lock);
    if (!queue_remove(&block->waiting, request))
        queue_remove(&block->finished, request);
    pthread_cond_broadcast(&block->progress);
    pthread_mutex_unlock(&block->lock);
    request->active = false;
}

int block_run(struct block *block, struct block_request *request)
{
    pthread_mutex_lock(&block->lock);
    while (block->running)
        pthread_cond_wait(&block->progress, &block->lock);
    int error = carry_out(block, request);
    pthread_mutex_unlock(&block->lock);
    return error;
}

void block_drain(struct block *block)
{
    if (!block->has_thread)
        return;
    pthread_mutex_lock(&block->lock);
    while (block->waiting.first || block->running || block->finished.first || block->n_delivering)
        pthread_cond_wait(&block->progress, &block->lock);
    pthread_mutex_unlock(&block->lock);
}
