/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character streams over file descriptors: calque's own terminal, files, named pipes, ptys. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host/chardev.h"
#include "host/chardev_kinds.h"
#include "host/chardev_output.h"
#include "host/terminal.h"

enum { READ_MAX = 512, PTY_LOOK_NS = 200000000 };

struct fd_stream {
    struct chardev chardev;
    struct event_loop *loop;
    struct watch watch;     /* of in_fd */
    struct watch out_watch; /* of out_fd, where that is another */
    struct chardev_output output;
    int in_fd, out_fd; /* -1: none */
    bool owns_fds;
    bool is_terminal;
    bool is_pty;
    bool is_file; /* emptied at the start */
    bool keys_signal;
    const char *created; /* made by us, to be removed if the machine never starts */
    const char *link;    /* pty: a name for it, to be removed in the end */
    char description[160];
};

static void close_fds(int in_fd, int out_fd)
{
    if (in_fd >= 0)
        close(in_fd);
    if (out_fd >= 0 && out_fd != in_fd)
        close(out_fd);
}

/* ---- output ------------------------------------------------------------------------------------
 */

static void stream_due(void *opaque)
{
    chardev_output_flush(&((struct fd_stream *)opaque)->output);
}

static void stream_writable(void *opaque)
{
    chardev_output_writable(&((struct fd_stream *)opaque)->output);
}

static void stream_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    chardev_output_write(&((struct fd_stream *)c->state)->output, data, size);
}

/* ---- input -------------------------------------------------------------------------------------
 */

static void stream_accept_input(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    if (stream->in_fd >= 0)
        watch_set_enabled(stream->loop, &stream->watch, true);
}

static void stream_ended(struct fd_stream *stream)
{
    if (stream->is_pty) {
        /* Nobody has it open; somebody may again. Look once in a while. */
        stream->watch.paused_until_ns = monotonic_ns() + PTY_LOOK_NS;
        return;
    }
    watch_set_enabled(stream->loop, &stream->watch, false);
    if (stream->owns_fds && stream->in_fd != stream->out_fd)
        close(stream->in_fd);
    stream->watch.fd = stream->in_fd = -1;
    chardev_client_event(&stream->chardev, CHARDEV_CLOSED);
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
    room = MIN(chardev_client_room(c), (unsigned)READ_MAX);
    if (!room)
        return;
    watch_set_enabled(stream->loop, &stream->watch, true);
    got = read(stream->in_fd, data, room);
    if (got > 0)
        chardev_client_receive(c, data, (unsigned)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        stream_ended(stream);
}

static void stream_start(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    if (stream->is_terminal)
        terminal_make_raw(stream->keys_signal);
    /* Fails for a device or a pipe, which has nothing to empty. */
    else if (stream->is_file && ftruncate(stream->out_fd, 0) != 0)
        stream->output.failed = false;
    stream->created = NULL;
}

static void stream_destroy(struct chardev *c)
{
    struct fd_stream *stream = c->state;

    chardev_output_finish(&stream->output);
    if (stream->is_terminal)
        terminal_restore();
    if (stream->created)
        unlink(stream->created);
    if (stream->link)
        unlink(stream->link);
    event_loop_remove(stream->loop, &stream->watch);
    event_loop_remove(stream->loop, &stream->out_watch);
    if (stream->owns_fds)
        close_fds(stream->in_fd, stream->out_fd);
    free(stream);
}

static void stream_describe(const struct chardev *c, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const struct fd_stream *)c->state)->description);
}

#define STREAM_OPS(kind)                                                                           \
    {                                                                                              \
        .name = (kind), .write = stream_write, .accept_input = stream_accept_input,                \
        .destroy = stream_destroy, .start = stream_start, .describe = stream_describe              \
    }

/* owns_fds: takes the descriptors over, also when it fails. */
static struct fd_stream *stream_create(const struct chardev_context *context,
                                       const struct chardev_ops *ops, int in_fd, int out_fd,
                                       bool owns_fds, struct error *err)
{
    struct fd_stream *stream = calloc(1, sizeof(*stream));
    struct watch *out_watch;

    if (!stream) {
        if (owns_fds)
            close_fds(in_fd, out_fd);
        error_set(err, "out of memory");
        return NULL;
    }
    stream->owns_fds = owns_fds;
    stream->chardev = (struct chardev){.ops = ops, .state = stream};
    stream->loop = context->loop;
    stream->in_fd = in_fd;
    stream->out_fd = out_fd;
    stream->watch = (struct watch){.fd = in_fd, .readable = stream_readable, .opaque = stream};
    stream->out_watch = (struct watch){.fd = out_fd, .opaque = stream};
    out_watch = in_fd == out_fd ? &stream->watch : &stream->out_watch;
    out_watch->due = stream_due;
    out_watch->writable = stream_writable;
    chardev_output_init(&stream->output, ops->name, context->loop, out_watch, out_fd);
    event_loop_add(context->loop, &stream->watch);
    event_loop_add(context->loop, &stream->out_watch);
    snprintf(stream->description, sizeof(stream->description), "%s", ops->name);
    return stream;
}

static void stream_is_lossless(struct fd_stream *stream, const struct chardev_context *context)
{
    stream->output.lossless = true;
    stream->output.hold = context->hold;
    stream->output.hold_opaque = context->opaque;
}

/* ---- the kinds ---------------------------------------------------------------------------------
 */

static const struct chardev_ops stdio_ops = STREAM_OPS("stdio");
static const struct chardev_ops file_ops = STREAM_OPS("file");
static const struct chardev_ops pipe_ops = STREAM_OPS("pipe");
static const struct chardev_ops pty_ops = STREAM_OPS("pty");

static struct chardev *stdio_create(const struct chardev_context *context,
                                    const struct chardev_spec *spec, struct error *err)
{
    int in_fd = fcntl(STDIN_FILENO, F_GETFD) < 0 ? -1 : STDIN_FILENO;
    int out_fd = fcntl(STDOUT_FILENO, F_GETFD) < 0 ? -1 : STDOUT_FILENO;
    struct fd_stream *stream = stream_create(context, &stdio_ops, in_fd, out_fd, false, err);

    if (!stream)
        return NULL;
    stream_is_lossless(stream, context);
    stream->is_terminal = true;
    stream->keys_signal = chardev_spec_switch(spec, "signal", context->keys_signal);
    return &stream->chardev;
}

static const struct chardev_key stdio_keys[] = {{"signal", CHARDEV_SWITCH}, {NULL, CHARDEV_TEXT}};
static const struct chardev_kind stdio_kind = {.name = "stdio",
                                               .help = "the terminal calque was started on",
                                               .keys = stdio_keys,
                                               .create = stdio_create};
REGISTER(chardev_kind, stdio_kind);

static bool say_no_path(const struct chardev_spec *spec, struct error *err)
{
    return error_set(err, "%s needs a path: path=FILE", spec->what);
}

/* *created: it was not there before. */
static int open_output_file(const char *path, bool append, bool *created, struct error *err)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (append ? O_APPEND : 0);
    int fd = open(path, flags | O_CREAT | O_EXCL, 0666);

    *created = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(path, flags);
    if (fd < 0)
        error_set_errno(err, errno, "cannot write '%s'", path);
    return fd;
}

static struct chardev *file_create(const struct chardev_context *context,
                                   const struct chardev_spec *spec, struct error *err)
{
    const char *path = chardev_spec_string(spec, "path");
    const char *input = chardev_spec_string(spec, "input-path");
    bool append = chardev_spec_switch(spec, "append", false), created;
    struct fd_stream *stream;
    int fd, in_fd = -1;

    if (!path) {
        say_no_path(spec, err);
        return NULL;
    }
    if (input) {
        in_fd = open(input, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (in_fd < 0) {
            error_set_errno(err, errno, "cannot read '%s'", input);
            return NULL;
        }
    }
    fd = open_output_file(path, append, &created, err);
    if (fd < 0) {
        close_fds(in_fd, -1);
        return NULL;
    }
    stream = stream_create(context, &file_ops, in_fd, fd, true, err);
    if (!stream)
        return NULL;
    stream_is_lossless(stream, context);
    stream->is_file = !append;
    stream->created = created ? path : NULL;
    return &stream->chardev;
}

static const struct chardev_key file_keys[] = {{"path", CHARDEV_TEXT},
                                               {"append", CHARDEV_SWITCH},
                                               {"input-path", CHARDEV_TEXT},
                                               {NULL, CHARDEV_TEXT}};
static const struct chardev_kind file_kind = {.name = "file",
                                              .argument = "FILE",
                                              .help = "a file; no input",
                                              .keys = file_keys,
                                              .create = file_create};
REGISTER(chardev_kind, file_kind);

/* Ours for reading and writing, so that neither opening nor the last peer's end matters. */
static int open_fifo(const char *path, const char *suffix)
{
    char name[PATH_MAX];
    int n = snprintf(name, sizeof(name), "%s%s", path, suffix);

    if (n < 0 || (size_t)n >= sizeof(name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* PATH.in is read and PATH.out written, or PATH is both. */
static struct chardev *pipe_create(const struct chardev_context *context,
                                   const struct chardev_spec *spec, struct error *err)
{
    const char *path = chardev_spec_string(spec, "path");
    struct fd_stream *stream;
    int in_fd, out_fd;

    if (!path) {
        say_no_path(spec, err);
        return NULL;
    }
    in_fd = open_fifo(path, ".in");
    out_fd = open_fifo(path, ".out");
    if (in_fd < 0 || out_fd < 0) {
        close_fds(in_fd, out_fd);
        in_fd = out_fd = open_fifo(path, "");
    }
    if (in_fd < 0) {
        error_set_errno(err, errno, "cannot open the pipes '%s.in' and '%s.out', nor '%s'", path,
                        path, path);
        return NULL;
    }
    stream = stream_create(context, &pipe_ops, in_fd, out_fd, true, err);
    if (!stream)
        return NULL;
    snprintf(stream->description, sizeof(stream->description), "pipe:%s", path);
    return &stream->chardev;
}

static const struct chardev_key path_keys[] = {{"path", CHARDEV_TEXT}, {NULL, CHARDEV_TEXT}};
static const struct chardev_kind pipe_kind = {
    .name = "pipe",
    .argument = "FILE",
    .help = "named pipes: FILE.in is read, FILE.out written; or FILE for both",
    .keys = path_keys,
    .create = pipe_create};
REGISTER(chardev_kind, pipe_kind);

/* The master's side of a new pty in raw mode; its name. */
static int open_pty(char *name, size_t size, struct error *err)
{
    struct termios modes;
    int fd, other;

    if (openpty(&fd, &other, NULL, NULL, NULL) < 0) {
        error_set_errno(err, errno, "cannot make a pty");
        return -1;
    }
    if (tcgetattr(other, &modes) == 0) {
        cfmakeraw(&modes);
        tcsetattr(other, TCSAFLUSH, &modes);
    }
    if (ttyname_r(other, name, size) != 0)
        snprintf(name, size, "(unknown)");
    close(other);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static struct chardev *pty_create(const struct chardev_context *context,
                                  const struct chardev_spec *spec, struct error *err)
{
    const char *link = chardev_spec_string(spec, "path");
    char name[64];
    int fd = open_pty(name, sizeof(name), err);
    struct fd_stream *stream;

    if (fd < 0)
        return NULL;
    if (link && symlink(name, link) != 0) {
        error_set_errno(err, errno, "cannot make the link '%s'", link);
        close(fd);
        return NULL;
    }
    stream = stream_create(context, &pty_ops, fd, fd, true, err);
    if (!stream)
        return NULL;
    stream->is_pty = stream->output.is_pty = true;
    stream->link =
        link && context->will_remove ? context->will_remove(context->opaque, link) : link;
    snprintf(stream->description, sizeof(stream->description), "pty:%s", name);
    fprintf(stderr, "%s: character stream redirected to %s\n", context->program, name);
    return &stream->chardev;
}

static const struct chardev_kind pty_kind = {
    .name = "pty",
    .argument = "[FILE]",
    .help = "a new pseudo-terminal, whose name is printed; FILE: a link to it",
    .keys = path_keys,
    .create = pty_create};
REGISTER(chardev_kind, pty_kind);
