/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Overlays of disks with -snapshot. */
#define _GNU_SOURCE
#include "host/block_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bits.h"

enum { CLUSTER = 4096, PIECE = 64 * CLUSTER };

struct block_overlay {
    int base, fd;
    uint64_t bytes, n_clusters, n_written;
    uint8_t *written; /* a bit for each cluster */
};

/* ---- files ----------------------------------------------------------------------------------- */

int block_file_read(int fd, void *buffer, uint64_t at, size_t size)
{
    uint8_t *to = buffer;

    while (size) {
        ssize_t n = pread(fd, to, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0) { /* the odd end, or a file that was cut while in use */
            memset(to, 0, size);
            return 0;
        }
        to += n;
        at += (uint64_t)n;
        size -= (size_t)n;
    }
    return 0;
}

int block_file_write(int fd, const void *buffer, uint64_t at, uint64_t size)
{
    static const uint8_t zeros[PIECE];
    const uint8_t *from = buffer;

    while (size) {
        ssize_t n = from ? pwrite(fd, from, size, (off_t)at)
                         : pwrite(fd, zeros, MIN(size, sizeof(zeros)), (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : EIO;
        if (from)
            from += n;
        at += (uint64_t)n;
        size -= (uint64_t)n;
    }
    return 0;
}

/* In TMPDIR or, as disks are large, where temporary files survive a boot. */
static int open_temporary(struct error *err)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];

    if (!folder || !*folder)
        folder = "/var/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    snprintf(path, sizeof(path), "%s/calque-XXXXXX", folder); /* file systems without O_TMPFILE */
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    else if (errno == EPERM) /* the sandbox: a floppy disk of the monitor's is not large */
        fd = memfd_create("calque-snapshot", MFD_CLOEXEC);
    if (fd < 0)
        error_set_errno(err, errno, "-snapshot: cannot make a temporary file in '%s'", folder);
    return fd;
}

/* ---- life ------------------------------------------------------------------------------------ */

struct block_overlay *block_overlay_create(int base, uint64_t bytes, struct error *err)
{
    struct block_overlay *o = calloc(1, sizeof(*o));

    if (!o) {
        error_set(err, "out of memory");
        return NULL;
    }
    o->base = base;
    o->bytes = bytes;
    o->n_clusters = (bytes + CLUSTER - 1) / CLUSTER;
    o->fd = open_temporary(err);
    o->written = o->fd >= 0 ? calloc(1, o->n_clusters / 8 + 1) : NULL;
    if (o->fd >= 0 && !o->written)
        error_set(err, "out of memory");
    if (!o->written) {
        block_overlay_destroy(o);
        return NULL;
    }
    return o;
}

void block_overlay_destroy(struct block_overlay *o)
{
    if (!o)
        return;
    if (o->fd >= 0)
        close(o->fd);
    free(o->written);
    free(o);
}

uint64_t block_overlay_bytes(const struct block_overlay *o)
{
    return o->n_written * CLUSTER;
}

/* ---- clusters -------------------------------------------------------------------------------- */

static bool is_written(const struct block_overlay *o, uint64_t cluster)
{
    return o->written[cluster / 8] >> cluster % 8 & 1;
}

static void set_written(struct block_overlay *o, uint64_t cluster)
{
    if (!is_written(o, cluster))
        o->n_written++;
    o->written[cluster / 8] |= (uint8_t)(1 << cluster % 8);
}

/* How many bytes from `at` on are all in the overlay, or all not. */
static uint64_t stretch(const struct block_overlay *o, uint64_t at, uint64_t size)
{
    uint64_t cluster = at / CLUSTER, end = (cluster + 1) * CLUSTER;
    bool first = is_written(o, cluster);

    while (end < at + size && is_written(o, end / CLUSTER) == first)
        end += CLUSTER;
    return MIN(end - at, size);
}

int block_overlay_read(struct block_overlay *o, void *buffer, uint64_t at, size_t size)
{
    uint8_t *to = buffer;

    while (size) {
        size_t n = (size_t)stretch(o, at, size);
        int error = block_file_read(is_written(o, at / CLUSTER) ? o->fd : o->base, to, at, n);
        if (error)
            return error;
        to += n;
        at += n;
        size -= n;
    }
    return 0;
}

/* The rest of a cluster that is written in part comes along. */
static int write_part(struct block_overlay *o, const uint8_t *from, uint64_t at, size_t size)
{
    uint64_t start = align_down(at, CLUSTER);
    uint8_t cluster[CLUSTER];
    int error = block_overlay_read(o, cluster, start, CLUSTER);

    if (error)
        return error;
    if (from)
        memcpy(cluster + (at - start), from, size);
    else
        memset(cluster + (at - start), 0, size);
    error = block_file_write(o->fd, cluster, start, CLUSTER);
    if (!error)
        set_written(o, start / CLUSTER);
    return error;
}

static int write_whole(struct block_overlay *o, const uint8_t *from, uint64_t at, uint64_t size)
{
    int error = block_file_write(o->fd, from, at, size);

    for (uint64_t i = 0; i < size && !error; i += CLUSTER)
        set_written(o, (at + i) / CLUSTER);
    return error;
}

int block_overlay_write(struct block_overlay *o, const void *buffer, uint64_t at, uint64_t size)
{
    const uint8_t *from = buffer;

    while (size) {
        uint64_t in_cluster = at % CLUSTER;
        bool whole = !in_cluster && size >= CLUSTER;
        uint64_t n = whole ? align_down(size, CLUSTER) : MIN(CLUSTER - in_cluster, size);
        int error = whole ? write_whole(o, from, at, n) : write_part(o, from, at, (size_t)n);
        if (error)
            return error;
        if (from)
            from += n;
        at += n;
        size -= n;
    }
    return 0;
}

/* What is there, up to PIECE bytes in one go. */
static int copy_to_base(struct block_overlay *o, uint8_t *buffer)
{
    uint64_t n;
    int error = 0;

    for (uint64_t at = 0; at < o->bytes && !error; at += n) {
        n = stretch(o, at, MIN(o->bytes - at, (uint64_t)PIECE));
        if (!is_written(o, at / CLUSTER))
            continue;
        error = block_file_read(o->fd, buffer, at, (size_t)n);
        if (!error)
            error = block_file_write(o->base, buffer, at, n);
    }
    return error;
}

/* When an error stops it, everything stays in the overlay. */
int block_overlay_commit(struct block_overlay *o)
{
    uint8_t *buffer = malloc(PIECE);
    int error = buffer ? copy_to_base(o, buffer) : ENOMEM;

    free(buffer);
    if (error)
        return error;
    if (fdatasync(o->base) < 0)
        return errno;
    memset(o->written, 0, o->n_clusters / 8 + 1);
    o->n_written = 0;
    return ftruncate(o->fd, 0) < 0 ? errno : 0;
}
