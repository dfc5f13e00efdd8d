/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stub's connection: bytes in and out, acknowledgements, and who connects and leaves.
 *
 * gdb waits for an answer before it asks again, so nothing is read while output waits to be taken:
 * a client that floods, or does not read, keeps only itself waiting.
 */
#define _GNU_SOURCE
#include "vm/gdb.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/gdb_internal.h"

enum { MAX_OUTPUT = 4 << 20 };

/* ---- out ------------------------------------------------------------------------------------- */

static void flush(struct gdb *gdb)
{
    size_t done = 0;

    if (!gdb->n_output)
        return;
    while (gdb->fd >= 0 && !gdb->closed && done < gdb->n_output) {
        ssize_t sent = send(gdb->fd, gdb->output + done, gdb->n_output - done, MSG_NOSIGNAL);

        if (sent > 0)
            done += (size_t)sent;
        else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        else if (sent >= 0 || errno != EINTR)
            gdb->closed = true;
    }
    if (gdb->fd < 0 || gdb->closed)
        done = gdb->n_output;
    gdb->n_output -= done;
    memmove(gdb->output, gdb->output + done, gdb->n_output);
}

static void put(struct gdb *gdb, const void *bytes, size_t size)
{
    if (gdb->output_size - gdb->n_output < size) {
        size_t wanted = MAX(2 * gdb->output_size, gdb->n_output + size);
        uint8_t *larger = wanted > MAX_OUTPUT ? NULL : realloc(gdb->output, wanted);

        if (!larger) {
            gdb->closed = true;
            return;
        }
        gdb->output = larger;
        gdb->output_size = wanted;
    }
    memcpy(gdb->output + gdb->n_output, bytes, size);
    gdb->n_output += size;
}

void gdb_send(struct gdb *gdb)
{
    gdb->frame_size = gdb_frame(&gdb->reply, gdb->frame);
    gdb_reply_clear(&gdb->reply);
    put(gdb, gdb->frame, gdb->frame_size);
}

/* ---- in -------------------------------------------------------------------------------------- */

static void acknowledge(struct gdb *gdb, const char *sign)
{
    if (!gdb->no_ack)
        put(gdb, sign, 1);
}

static void interrupt(struct gdb *gdb)
{
    if (gdb->awaiting)
        vm_stop(gdb->vm);
}

/* Whoever talks to a guest that runs wants it to stop. */
static void packet(struct gdb *gdb)
{
    acknowledge(gdb, "+");
    vm_stop(gdb->vm);
    if (gdb->awaiting)
        gdb_tell_stop(gdb);
    gdb_command(gdb);
}

static void take_byte(struct gdb *gdb, uint8_t byte)
{
    switch (gdb_receive(&gdb->receiver, byte)) {
    case GDB_PACKET:
        packet(gdb);
        break;
    case GDB_TOO_LONG:
        acknowledge(gdb, "+");
        gdb_reply_text(&gdb->reply, "E16");
        gdb_send(gdb);
        break;
    case GDB_BAD:
        acknowledge(gdb, "-");
        break;
    case GDB_NAK:
        if (!gdb->no_ack && gdb->frame_size) /* nothing was said yet: nothing to say again */
            put(gdb, gdb->frame, gdb->frame_size);
        break;
    case GDB_INTERRUPT:
        interrupt(gdb);
        break;
    case GDB_ACK:
    case GDB_NOTHING:
        break;
    }
}

static void take_input(struct gdb *gdb)
{
    unsigned done = 0;

    while (done < gdb->n_input && !gdb->n_output && !gdb->closed && !vm_is_ending(gdb->vm)) {
        take_byte(gdb, gdb->input[done++]);
        flush(gdb);
    }
    gdb->n_input -= done;
    memmove(gdb->input, gdb->input + done, gdb->n_input);
}

/* ---- who connects ---------------------------------------------------------------------------- */

/* Device lock held. */
static void readable(void *opaque)
{
    struct gdb *gdb = opaque;
    ssize_t got;

    if (gdb->n_input == sizeof(gdb->input))
        return;
    got = recv(gdb->fd, gdb->input + gdb->n_input, sizeof(gdb->input) - gdb->n_input, 0);
    if (got > 0)
        gdb->n_input += (unsigned)got;
    else if (!got || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        gdb->closed = true;
}

/* gdb_run, which follows, goes on sending. */
static void writable(void *opaque)
{
}

/* Device lock held. One debugger at a time: another one is told so by being hung up on. */
static void connecting(void *opaque)
{
    struct gdb *gdb = opaque;
    struct pollfd before = {.fd = gdb->fd, .events = POLLRDHUP};
    int one = 1, fd;

    if (gdb->fd >= 0 && poll(&before, 1, 0) > 0)
        return; /* has hung up, which is about to be noticed */
    fd = accept4(gdb->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    if (gdb->fd >= 0) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* fails for unix sockets */
    gdb->fd = fd;
    gdb->watch = (struct watch){
        .fd = fd, .readable = readable, .writable = writable, .opaque = gdb, .enabled = true};
    event_loop_add(gdb->loop, &gdb->watch);
    gdb->opened = true;
}

static void session_begin(struct gdb *gdb)
{
    gdb->opened = gdb->closed = false;
    memset(&gdb->receiver, 0, sizeof(gdb->receiver));
    gdb->n_output = gdb->frame_size = 0;
    gdb->no_ack = gdb->awaiting = false;
    gdb->tells_breakpoints = gdb->physical = false;
    vm_stop(gdb->vm);
}

static void remove_points(struct vm *vm, void *gdb)
{
    gdb_remove_points(gdb);
}

/* The guest stays as it is, but for points that nobody could act on. */
static void session_end(struct gdb *gdb)
{
    if (gdb->n_points)
        vm_look(gdb->vm, remove_points, gdb);
    event_loop_remove(gdb->loop, &gdb->watch);
    close(gdb->fd);
    gdb->fd = -1;
    gdb->n_input = 0;
    gdb->awaiting = gdb->closed = false;
}

void gdb_run(struct gdb *gdb)
{
    if (!gdb)
        return;
    if (gdb->opened)
        session_begin(gdb);
    flush(gdb);
    take_input(gdb);
    if (gdb->awaiting && !vm_is_running(gdb->vm) && !vm_is_ending(gdb->vm)) {
        gdb_tell_stop(gdb);
        flush(gdb);
    }
    if (gdb->closed)
        session_end(gdb);
    if (gdb->fd < 0)
        return;
    watch_set_enabled(gdb->loop, &gdb->watch, !gdb->n_output);
    watch_set_writing(gdb->loop, &gdb->watch, gdb->n_output);
}

/* ---- life ------------------------------------------------------------------------------------ */

struct gdb *gdb_create(struct vm *vm, struct event_loop *loop, const char *what, struct error *err)
{
    struct gdb *gdb = calloc(1, sizeof(*gdb));

    if (!gdb) {
        error_set(err, "out of memory");
        return NULL;
    }
    gdb->vm = vm;
    gdb->loop = loop;
    gdb->cpu = vm_machine(vm)->cpu;
    gdb->fd = gdb->listen_fd = -1;
    gdb->target = gdb_target_create(gdb->cpu);
    if (!gdb->target) {
        error_set(err, "out of memory");
        gdb_destroy(gdb);
        return NULL;
    }
    if (!what) /* fed by hand */
        return gdb;
    gdb->listen_fd = gdb_listen(what, gdb->path, err);
    if (gdb->listen_fd < 0) {
        gdb_destroy(gdb);
        return NULL;
    }
    vm_sandbox_needs(vm)->accept = true;
    if (*gdb->path)
        gdb->removed = sandbox_removable(vm_sandbox_needs(vm), gdb->path);
    gdb->listen_watch = (struct watch){
        .fd = gdb->listen_fd, .readable = connecting, .opaque = gdb, .enabled = true};
    event_loop_add(loop, &gdb->listen_watch);
    return gdb;
}

void gdb_feed(struct gdb *gdb, const uint8_t *bytes, size_t size)
{
    while (size) {
        unsigned here = (unsigned)MIN(size, sizeof(gdb->input) - gdb->n_input);

        memcpy(gdb->input + gdb->n_input, bytes, here);
        gdb->n_input += here;
        bytes += here;
        size -= here;
        gdb_run(gdb);
        gdb->closed = false;
        gdb->n_input = 0;
    }
}

void gdb_end(struct gdb *gdb, int status)
{
    if (!gdb || gdb->fd < 0)
        return;
    gdb_reply_clear(&gdb->reply);
    gdb_reply_text(&gdb->reply, "W%02x", (unsigned)status & 0xff);
    gdb_send(gdb);
    flush(gdb);
}

void gdb_destroy(struct gdb *gdb)
{
    if (!gdb)
        return;
    if (gdb->fd >= 0) {
        event_loop_remove(gdb->loop, &gdb->watch);
        close(gdb->fd);
    }
    if (gdb->listen_fd >= 0) {
        event_loop_remove(gdb->loop, &gdb->listen_watch);
        close(gdb->listen_fd);
    }
    if (gdb->removed)
        unlink(gdb->removed);
    gdb_target_destroy(gdb->target);
    free(gdb->output);
    free(gdb);
}
