/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw images and block devices, and the thread that reads and writes each. */
#define _GNU_SOURCE
#include "host/block.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct block_queue {
    struct block_request *first, **last;
};

struct block {
    char *path;
    int fd; /* -1: no medium */
    bool cdrom, read_only, is_device, attached;
    uint64_t bytes, sectors;
    char note[300];
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
    if (block->bytes % BLOCK_SECTOR && !block->note[0])
        snprintf(block->note, sizeof(block->note),
                 "'%.200s' is not a multiple of 512 bytes long; zeros fill its last sector",
                 block->path);
    return true;
}

static bool open_image(struct block *block, unsigned flags, struct error *err)
{
    int mode = O_CLOEXEC | O_NONBLOCK;

    block->read_only = (flags & (BLOCK_READ_ONLY | BLOCK_CDROM)) != 0;
    block->fd = open(block->path, mode | (block->read_only ? O_RDONLY : O_RDWR));
    if (block->fd < 0 && !block->read_only &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        block->read_only = true;
        block->fd = open(block->path, mode | O_RDONLY);
        snprintf(block->note, sizeof(block->note),
                 "'%.200s' cannot be written, so the guest may only read it", block->path);
    }
    if (block->fd < 0)
        return error_set_errno(err, errno, "cannot open '%s'", block->path);
    return measure(block, err) && lock_image(block->path, block->fd, block->read_only, err);
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

static int transfer(struct block *block, struct block_request *request)
{
    bool writing = request->operation == BLOCK_WRITE;
    size_t left = (size_t)request->n_sectors * BLOCK_SECTOR;
    off_t at = (off_t)(request->sector * BLOCK_SECTOR);
    uint8_t *buffer = request->buffer;

    while (left) {
        ssize_t n =
            writing ? pwrite(block->fd, buffer, left, at) : pread(block->fd, buffer, left, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0 && writing)
            return EIO;
        if (n == 0) { /* the odd end, or a file that was cut while in use */
            memset(buffer, 0, left);
            return 0;
        }
        buffer += n;
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

static int discard(struct block *block, const struct block_request *request)
{
    uint64_t range[2] = {request->sector * BLOCK_SECTOR,
                         (uint64_t)request->n_sectors * BLOCK_SECTOR};

    /* A hint: a host that cannot give the space back keeps the data. */
    if (block->is_device)
        ioctl(block->fd, BLKDISCARD, range);
    else
        fallocate(block->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)range[0],
                  (off_t)range[1]);
    return 0;
}

static int carry_out(struct block *block, struct block_request *request)
{
    if (block->fd < 0)
        return ENOMEDIUM;
    if (request->operation == BLOCK_FLUSH)
        return block->read_only || fdatasync(block->fd) == 0 ? 0 : errno;
    if (request->sector > block->sectors || request->n_sectors > block->sectors - request->sector)
        return ERANGE;
    if (request->operation != BLOCK_READ && block->read_only)
        return EROFS;
    if (request->operation == BLOCK_DISCARD)
        return discard(block, request);
    return transfer(block, request);
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

void block_close(struct block *block)
{
    if (!block)
        return;
    if (block->has_thread) {
        pthread_mutex_lock(&block->lock);
        block->stopping = true;
        pthread_cond_broadcast(&block->work);
        pthread_mutex_unlock(&block->lock);
        pthread_join(block->thread, NULL);
    }
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
    if (block->fd >= 0)
        close(block->fd);
    block->fd = -1;
    block->sectors = 0;
    pthread_mutex_unlock(&block->lock);
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

void block_drain(struct block *block)
{
    pthread_mutex_lock(&block->lock);
    while (block->waiting.first || block->running || block->finished.first || block->n_delivering)
        pthread_cond_wait(&block->progress, &block->lock);
    pthread_mutex_unlock(&block->lock);
}
