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

/* What is in the drive. The disk's thread reads it while it carries a request out. */
struct medium {
    char *path; /* NULL: none */
    int fd;     /* -1: none */
    bool read_only, is_device, snapshot, base_read_only;
    struct block_overlay *overlay; /* with snapshot */
    uint64_t bytes, sectors;
    char note[700];
};

struct block {
    struct medium medium;
    unsigned flags; /* the drive's, for whatever is in it */
    char serial[BLOCK_SERIAL_BYTES];
    bool attached, locked;
    unsigned medium_changes;
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

static void add_note(struct medium *medium, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_note(struct medium *medium, const char *format, ...)
{
    size_t used = strlen(medium->note);
    va_list arguments;

    if (used)
        used += (size_t)snprintf(medium->note + used, sizeof(medium->note) - used, "; ");
    va_start(arguments, format);
    vsnprintf(medium->note + used, sizeof(medium->note) - used, format, arguments);
    va_end(arguments);
}

static bool measure(struct medium *medium, struct error *err)
{
    struct stat status;

    if (fstat(medium->fd, &status) < 0)
        return error_set_errno(err, errno, "cannot look at '%s'", medium->path);
    if (S_ISBLK(status.st_mode)) {
        medium->is_device = true;
        if (ioctl(medium->fd, BLKGETSIZE64, &medium->bytes) < 0)
            return error_set_errno(err, errno, "cannot tell the size of '%s'", medium->path);
    } else if (S_ISREG(status.st_mode)) {
        medium->bytes = (uint64_t)status.st_size;
    } else {
        return error_set(err, "'%s' is neither a file nor a block device", medium->path);
    }
    if (!medium->bytes)
        return error_set(err, "'%s' is empty", medium->path);
    medium->sectors = (medium->bytes + BLOCK_SECTOR - 1) / BLOCK_SECTOR;
    if (medium->bytes % BLOCK_SECTOR)
        add_note(medium, "'%.200s' is not a multiple of 512 bytes long; zeros fill its last sector",
                 medium->path);
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

static void check_format(struct medium *medium, unsigned flags)
{
    const char *format = flags & BLOCK_FORMAT_GIVEN ? NULL : foreign_format(medium->fd);

    if (format)
        add_note(medium,
                 "'%.200s' looks like a %s image, but the guest gets its bytes as they are "
                 "(format=raw says so)",
                 medium->path, format);
}

/* A snapshot's image is only read, until it is committed to: it is opened for that here, as nothing
 * is opened to be written once the guest runs. */
static bool make_snapshot(struct medium *medium, struct error *err)
{
    medium->base_read_only = medium->read_only;
    medium->read_only = false;
    medium->overlay = block_overlay_create(medium->fd, medium->bytes, err);
    return medium->overlay != NULL;
}

/* fd: it is open already; -1: it is not. */
static bool open_image(struct medium *medium, int fd, unsigned flags, struct error *err)
{
    int mode = O_CLOEXEC | O_NONBLOCK;

    medium->read_only = (flags & (BLOCK_READ_ONLY | BLOCK_CDROM)) != 0;
    medium->snapshot = (flags & BLOCK_SNAPSHOT) && !medium->read_only;
    medium->fd = fd >= 0 ? fd : open(medium->path, mode | (medium->read_only ? O_RDONLY : O_RDWR));
    if (medium->fd < 0 && !medium->read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        medium->read_only = true;
        medium->fd = open(medium->path, mode | O_RDONLY);
        if (!medium->snapshot)
            add_note(medium, "'%.200s' cannot be written, so the guest may only read it",
                     medium->path);
    }
    if (medium->fd < 0)
        return error_set_errno(err, errno, "cannot open '%s'", medium->path);
    if (!measure(medium, err) ||
        !lock_image(medium->path, medium->fd, medium->read_only || medium->snapshot, err))
        return false;
    check_format(medium, flags);
    return !medium->snapshot || make_snapshot(medium, err);
}

static void medium_close(struct medium *medium)
{
    block_overlay_destroy(medium->overlay);
    if (medium->fd >= 0)
        close(medium->fd);
    free(medium->path);
}

/* path NULL: none. False: there is nothing to close. */
static bool medium_open(struct medium *medium, const char *path, int fd, unsigned flags,
                        struct error *err)
{
    *medium = (struct medium){.fd = fd};
    if (!path)
        return true;
    medium->path = strdup(path);
    if (medium->path ? open_image(medium, fd, flags, err) : error_set(err, "out of memory"))
        return true;
    medium_close(medium);
    return false;
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

static int transfer(struct medium *medium, const struct block_request *request)
{
    bool writing = request->operation == BLOCK_WRITE;
    size_t size = (size_t)request->n_sectors * BLOCK_SECTOR;
    uint64_t at = request->sector * BLOCK_SECTOR;

    if (medium->overlay)
        return writing ? block_overlay_write(medium->overlay, request->buffer, at, size)
                       : block_overlay_read(medium->overlay, request->buffer, at, size);
    return writing ? block_file_write(medium->fd, request->buffer, at, size)
                   : block_file_read(medium->fd, request->buffer, at, size);
}

static int discard(struct medium *medium, const struct block_request *request)
{
    uint64_t range[2] = {request->sector * BLOCK_SECTOR,
                         (uint64_t)request->n_sectors * BLOCK_SECTOR};

    /* A host that cannot give the space back keeps the data. */
    if (medium->overlay)
        return 0;
    if (medium->is_device)
        ioctl(medium->fd, BLKDISCARD, range);
    else
        fallocate(medium->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range[0],
                  (off_t)range[1]);
    return 0;
}

static int write_zeros(struct medium *medium, const struct block_request *request, bool unmap)
{
    uint64_t range[2] = {request->sector * BLOCK_SECTOR,
                         (uint64_t)request->n_sectors * BLOCK_SECTOR};
    int how = FALLOC_FL_KEEP_SIZE | (unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE);

    if (medium->overlay)
        return block_overlay_write(medium->overlay, NULL, range[0], range[1]);
    if (medium->is_device ? ioctl(medium->fd, BLKZEROOUT, range) == 0
                          : fallocate(medium->fd, how, (off_t)range[0], (off_t)range[1]) == 0)
        return 0;
    return block_file_write(medium->fd, NULL, range[0], range[1]);
}

static int flush(struct block *block)
{
    const struct medium *medium = &block->medium;

    /* What a snapshot holds is gone with calque anyway. */
    if (medium->read_only || (block->flags & BLOCK_NO_FLUSH) || medium->overlay)
        return 0;
    return fdatasync(medium->fd) == 0 ? 0 : errno;
}

/* The image is this calque's alone while it is written. */
static int commit(struct block *block)
{
    struct medium *medium = &block->medium;

    if (!medium->overlay)
        return flush(block);
    if (!block_overlay_bytes(medium->overlay))
        return 0;
    if (medium->base_read_only)
        return EROFS;
    if (flock(medium->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        flock(medium->fd, LOCK_SH | LOCK_NB);
        return EBUSY;
    }
    int error = block_overlay_commit(medium->overlay);
    flock(medium->fd, LOCK_SH | LOCK_NB);
    return error;
}

static int carry_out(struct block *block, struct block_request *request)
{
    struct medium *medium = &block->medium;
    bool may_discard = !(block->flags & BLOCK_KEEP_DISCARDED);
    int error;

    if (medium->fd < 0)
        return ENOMEDIUM;
    if (request->operation == BLOCK_FLUSH)
        return flush(block);
    if (request->operation == BLOCK_COMMIT)
        return commit(block);
    if (request->sector > medium->sectors || request->n_sectors > medium->sectors - request->sector)
        return ERANGE;
    if (request->operation == BLOCK_READ)
        return transfer(medium, request);
    if (medium->read_only)
        return EROFS;
    if (request->operation == BLOCK_DISCARD)
        return may_discard ? discard(medium, request) : 0;
    error = request->operation == BLOCK_WRITE
                ? transfer(medium, request)
                : write_zeros(medium, request, request->unmap && may_discard);
    if (!error && (request->through || block_is_write_through(block)))
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
        request->active = false;
        pthread_mutex_unlock(&block->lock);
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

    if (!block) {
        error_set(err, "out of memory for '%s'", path ? path : "a drive");
        return NULL;
    }
    if (!medium_open(&block->medium, path, -1, flags, err)) {
        free(block);
        return NULL;
    }
    block->flags = flags & ~(unsigned)BLOCK_FORMAT_GIVEN;
    queue_init(&block->waiting);
    queue_init(&block->finished);
    pthread_mutex_init(&block->lock, NULL);
    pthread_cond_init(&block->work, NULL);
    pthread_cond_init(&block->progress, NULL);
    block->has_thread = pthread_create(&block->thread, NULL, block_thread, block) == 0;
    if (!block->has_thread) {
        error_set(err, "cannot start a thread for '%s'", block_path(block));
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
    medium_close(&block->medium);
    pthread_cond_destroy(&block->progress);
    pthread_cond_destroy(&block->work);
    pthread_mutex_destroy(&block->lock);
    free(block);
}

const char *block_note(const struct block *block)
{
    return block->medium.note[0] ? block->medium.note : NULL;
}

const char *block_path(const struct block *block)
{
    return block->medium.path ? block->medium.path : "";
}

bool block_is_cdrom(const struct block *block)
{
    return (block->flags & BLOCK_CDROM) != 0;
}

bool block_is_read_only(const struct block *block)
{
    return block->medium.read_only;
}

bool block_is_snapshot(const struct block *block)
{
    return block->medium.snapshot;
}

bool block_is_write_through(const struct block *block)
{
    return (block->flags & BLOCK_WRITE_THROUGH) != 0;
}

void block_set_serial(struct block *block, const char *serial)
{
    snprintf(block->serial, sizeof(block->serial), "%s", serial);
}

const char *block_serial(const struct block *block)
{
    return block->serial;
}

bool block_has_medium(const struct block *block)
{
    return block->medium.sectors != 0;
}

uint64_t block_sectors(const struct block *block)
{
    return block->medium.sectors;
}

bool block_takes_writes(const struct block *block)
{
    return !(block->flags & (BLOCK_READ_ONLY | BLOCK_CDROM));
}

/* All at once: no request finds the drive in between. */
static void set_medium(struct block *block, const struct medium *medium)
{
    pthread_mutex_lock(&block->lock);
    while (block->running)
        pthread_cond_wait(&block->progress, &block->lock);
    medium_close(&block->medium);
    block->medium = *medium;
    block->medium_changes++;
    pthread_mutex_unlock(&block->lock);
}

void block_eject(struct block *block)
{
    set_medium(block, &(struct medium){.fd = -1});
}

/* Opens it aside, so that a mistake leaves everything as it was. */
bool block_insert(struct block *block, const char *path, int fd, unsigned flags, struct error *err)
{
    struct medium fresh;
    bool ok = medium_open(&fresh, path, fd, block->flags | flags, err);

    if (ok)
        set_medium(block, &fresh);
    return ok;
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
        return error_set(err, "'%s' is in two drives", block_path(block));
    block->attached = true;
    block->device_lock = lock;
    return true;
}

void block_detach(struct block *block)
{
    block->attached = false;
}

bool block_is_attached(const struct block *block)
{
    return block->attached;
}

/* ---- requests -------------------------------------------------------------------------------- */

void block_submit(struct block *block, struct block_request *request)
{
    pthread_mutex_lock(&block->lock);
    request->active = true;
    request->error = 0;
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
    request->active = false;
    pthread_cond_broadcast(&block->progress);
    pthread_mutex_unlock(&block->lock);
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

void block_await(struct block *block, const struct block_request *request)
{
    pthread_mutex_lock(&block->lock);
    while (request->active)
        pthread_cond_wait(&block->progress, &block->lock);
    pthread_mutex_unlock(&block->lock);
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
