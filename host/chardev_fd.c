/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character streams over file descriptors: the terminal calque was started on, a file, a pty. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "host/chardev.h"
#include "host/chardev_kinds.h"
#include "host/terminal.h"
#include "util/log.h"

enum { READ_MAX = 512, OUTPUT_MAX = 1024 };

/* Guests write a character at a time. A line goes out at its end, or when nothing more has come for
 * this long: one system call for a line instead of one for each character. */
#define OUTPUT_DELAY_NS INT64_C(2000000)

struct fd_stream {
    struct chardev chardev;
    struct event_loop *loop;
    struct watch watch; /* of in_fd */
    int in_fd, out_fd;  /* -1: none */
    bool owns_fds;
    bool is_terminal;
    bool is_pty;
    bool keys_signal;
    bool write_failed; /* said once */
    uint8_t output[OUTPUT_MAX];
    unsigned n_output;
    const char *created; /* file: made by us, to be removed if the machine never starts */
};

/* ---- output ------------------------------------------------------------------------------------
 */

/* The other side of a pty may not be open: what is written then would fill the line and block. */
static bool pty_has_reader(struct fd_stream *stream)
{
    struct pollfd state = {.fd = stream->out_fd, .events = POLLOUT};

    return poll(&state, 1, 0) >= 0 && !(state.revents & POLLHUP);
}

static void write_out(struct fd_stream *stream, const uint8_t *data, unsigned size)
{
    if (stream->out_fd < 0 || (stream->is_pty && !pty_has_reader(stream)))
        return;
    while (size) {
        ssize_t written = write(stream->out_fd, data, size);
        if (written > 0) {
            data += written;
            size -= (unsigned)written;
        } else if (errno == EAGAIN) {
            /* Somebody made the descriptor non-blocking; output is not to be lost. A pty whose
             * reader sleeps is the exception: the guest must not hang on it. */
            struct pollfd wait = {.fd = stream->out_fd, .events = POLLOUT};
            if (poll(&wait, 1, stream->is_pty ? 100 : -1) <= 0)
                return;
        } else if (errno != EINTR) {
            if (!stream->write_failed)
                log_printf(LOG_UNIMP, "%s: output is lost: %s\n", stream->chardev.ops->name,
                           strerror(errno));
            stream->write_failed = true;
            return;
        }
    }
}

static void stream_flush(void *opaque)
{
    struct fd_stream *stream = opaque;

    write_out(stream, stream->output, stream->n_output);
    stream->n_output = 0;
}

static void stream_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct fd_stream *stream = c->state;

    if (!size)
        return;
    if (size > OUTPUT_MAX - stream->n_output)
        stream_flush(stream);
    if (size > OUTPUT_MAX) {
        write_out(stream, data, size);
        return;
    }
    memcpy(stream->output + stream->n_output, data, size);
    stream->n_output += size;
    if (data[size - 1] == '\n')
        stream_flush(stream);
    else
        watch_set_due(stream->loop, &stream->watch, OUTPUT_DELAY_NS);
}

/* ---- input -------------------------------------------------------------------------------------
 */

static unsigned client_room(struct chardev *c)
{
    return c->client && c->client->can_receive ? c->client->can_receive(c->client_opaque) : 0;
}

static void stream_accept_input(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    if (stream->in_fd >= 0)
        watch_set_enabled(stream->loop, &stream->watch, true);
}

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void stream_ended(struct fd_stream *stream)
{
    if (stream->is_pty) {
        /* Nobody has it open; somebody may again. Look once in a while. */
        stream->watch.paused_until_ns = monotonic_ns() + 200000000;
        return;
    }
    watch_set_enabled(stream->loop, &stream->watch, false);
    stream->watch.fd = stream->in_fd = -1;
    if (stream->chardev.client && stream->chardev.client->event)
        stream->chardev.client->event(stream->chardev.client_opaque, CHARDEV_CLOSED);
}

static void stream_readable(void *opaque)
{
    struct fd_stream *stream = opaque;
    struct chardev *c = &stream->chardev;
    uint8_t data[READ_MAX];
    unsigned room;
    ssize_t got;

    /* Stop first: if the client makes room meanwhile, its accept_input starts again. */
    watch_set_enabled(stream->loop, &stream->watch, false);
    room = MIN(client_room(c), (unsigned)READ_MAX);
    if (!room)
        return;
    watch_set_enabled(stream->loop, &stream->watch, true);
    got = read(stream->in_fd, data, room);
    if (got > 0)
        c->client->receive(c->client_opaque, data, (unsigned)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        stream_ended(stream);
}

static void stream_start(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    if (stream->is_terminal)
        terminal_make_raw(stream->keys_signal);
    /* Fails for a device or a pipe, which has nothing to empty. */
    else if (stream->owns_fds && !stream->is_pty && ftruncate(stream->out_fd, 0) != 0)
        stream->write_failed = false;
    stream->created = NULL;
}

static void stream_destroy(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    stream_flush(stream);
    if (stream->is_terminal)
        terminal_restore();
    if (stream->created)
        unlink(stream->created);
    event_loop_remove(stream->loop, &stream->watch);
    if (stream->owns_fds) {
        if (stream->out_fd >= 0 && stream->out_fd != stream->in_fd)
            close(stream->out_fd);
        if (stream->in_fd >= 0)
            close(stream->in_fd);
    }
    free(stream);
}

static struct chardev *stream_create(const struct chardev_context *context,
                                     const struct chardev_ops *ops, int in_fd, int out_fd,
                                     struct error *err)
{
    struct fd_stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        error_set(err, "out of memory");
        return NULL;
    }
    stream->chardev = (struct chardev){.ops = ops, .state = stream};
    stream->loop = context->loop;
    stream->in_fd = in_fd;
    stream->out_fd = out_fd;
    stream->watch = (struct watch){
        .fd = in_fd, .readable = stream_readable, .due = stream_flush, .opaque = stream};
    event_loop_add(context->loop, &stream->watch);
    return &stream->chardev;
}

/* ---- the kinds ---------------------------------------------------------------------------------
 */

static const struct chardev_ops stdio_ops = {"stdio", stream_write, stream_accept_input,
                                             stream_destroy, stream_start};
static const struct chardev_ops file_ops = {"file", stream_write, stream_accept_input,
                                            stream_destroy, stream_start};
static const struct chardev_ops pty_ops = {"pty", stream_write, stream_accept_input, stream_destroy,
                                           stream_start};

static struct chardev *stdio_create(const struct chardev_context *context, const char *argument,
                                    struct error *err)
{
    int in_fd = fcntl(STDIN_FILENO, F_GETFD) < 0 ? -1 : STDIN_FILENO;
    int out_fd = fcntl(STDOUT_FILENO, F_GETFD) < 0 ? -1 : STDOUT_FILENO;
    struct chardev *c = stream_create(context, &stdio_ops, in_fd, out_fd, err);

    if (c) {
        ((struct fd_stream *)c->state)->is_terminal = true;
        ((struct fd_stream *)c->state)->keys_signal = context->keys_signal;
    }
    return c;
}

static const struct chardev_kind stdio_kind = {
    .name = "stdio", .help = "the terminal calque was started on", .create = stdio_create};
REGISTER(chardev_kind, stdio_kind);

static struct chardev *file_create(const struct chardev_context *context, const char *argument,
                                   struct error *err)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
    int fd = open(argument, flags | O_CREAT | O_EXCL, 0666);
    bool created = fd >= 0;
    struct fd_stream *stream;
    struct chardev *c;

    if (fd < 0 && errno == EEXIST)
        fd = open(argument, flags);
    if (fd < 0) {
        error_set_errno(err, errno, "cannot write '%s'", argument);
        return NULL;
    }
    c = stream_create(context, &file_ops, -1, fd, err);
    if (!c) {
        close(fd);
        return NULL;
    }
    stream = c->state;
    stream->owns_fds = true;
    stream->created = created ? argument : NULL;
    return c;
}

static const struct chardev_kind file_kind = {
    .name = "file", .argument = "FILE", .help = "a file; no input", .create = file_create};
REGISTER(chardev_kind, file_kind);

static struct chardev *pty_create(const struct chardev_context *context, const char *argument,
                                  struct error *err)
{
    struct termios modes;
    char name[64];
    int fd, other;
    struct chardev *c;

    if (openpty(&fd, &other, NULL, NULL, NULL) < 0) {
        error_set_errno(err, errno, "cannot make a pty");
        return NULL;
    }
    if (tcgetattr(other, &modes) == 0) {
        cfmakeraw(&modes);
        tcsetattr(other, TCSAFLUSH, &modes);
    }
    if (ttyname_r(other, name, sizeof(name)) != 0)
        snprintf(name, sizeof(name), "(unknown)");
    close(other);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    c = stream_create(context, &pty_ops, fd, fd, err);
    if (!c) {
        close(fd);
        return NULL;
    }
    ((struct fd_stream *)c->state)->owns_fds = true;
    ((struct fd_stream *)c->state)->is_pty = true;
    fprintf(stderr, "%s: character stream redirected to %s\n", context->program, name);
    return c;
}

static const struct chardev_kind pty_kind = {
    .name = "pty", .help = "a new pseudo-terminal, whose name is printed", .create = pty_create};
REGISTER(chardev_kind, pty_kind);
