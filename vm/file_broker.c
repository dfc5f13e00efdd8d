/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that opens files for one that may not; see file_broker.h. */
#define _GNU_SOURCE
#include "vm/file_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/block/fdc.h"

enum { PATH_BYTES = 4096, MADE_MAX = 4096, SECTOR = 512 };
/* What it is asked for: the letter before the path. */
enum { CREATE = 'c', FLOPPY = 'f' };
/* What it answers, besides values of errno. */
enum { REFUSED_HIDDEN = 10000, REFUSED_EXISTS };

struct file_broker {
    int socket;
    pid_t child;
};

union fd_message {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

/* ---- the process that opens -------------------------------------------------------------------
 */

struct made {
    dev_t device;
    ino_t inode;
};

struct server {
    int argc;
    char *const *argv;
    struct made made[MADE_MAX];
    unsigned n_made;
};

static void note_made(struct server *server, int fd)
{
    struct stat s;

    if (fstat(fd, &s) == 0)
        server->made[server->n_made++ % MADE_MAX] = (struct made){s.st_dev, s.st_ino};
}

static bool was_made_here(const struct server *server, const struct stat *s)
{
    for (unsigned i = 0; i < MIN(server->n_made, (unsigned)MADE_MAX); i++) {
        if (server->made[i].device == s->st_dev && server->made[i].inode == s->st_ino)
            return true;
    }
    return false;
}

/* "/home/x/.bashrc", ".config/autostart/x" */
static bool is_hidden(const char *path)
{
    for (const char *p = path; p; p = strchr(p, '/')) {
        p += *p == '/';
        size_t length = strcspn(p, "/");
        bool dots = length <= 2 && strspn(p, ".") >= length;
        if (*p == '.' && !dots)
            return true;
    }
    return false;
}

/* Does a word of the command line, or what follows an =, : or comma in one, start with it? */
static bool is_named(const struct server *server, const char *folder, size_t length)
{
    for (int i = 0; i < server->argc; i++) {
        for (const char *at = server->argv[i]; at; at = at ? at + 1 : NULL) {
            if (!strncmp(at, folder, length))
                return true;
            at = strpbrk(at, "=:,");
        }
    }
    return false;
}

/* In a hidden folder other files may stand beside the user's images, and anything that has the size
 * of a floppy disk, which nobody reads unasked. */
static bool may_be_opened(const struct server *server, char what, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return !is_hidden(path) ||
           (!is_hidden(name) && (what == FLOPPY || is_named(server, path, (size_t)(name - path))));
}

static bool is_picture(int fd)
{
    char start[4] = "";

    return pread(fd, start, sizeof(start), 0) == sizeof(start) &&
           (!memcmp(start, "\x89PNG", 4) || !memcmp(start, "P6\n", 3));
}

static int open_existing(const struct server *server, const char *path, int *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat s, null;

    *error = errno;
    if (fd < 0)
        return -1;
    if (fstat(fd, &s) == 0) {
        bool nothing =
            S_ISCHR(s.st_mode) && stat("/dev/null", &null) == 0 && s.st_rdev == null.st_rdev;
        bool ours =
            S_ISREG(s.st_mode) && (s.st_size == 0 || was_made_here(server, &s) || is_picture(fd));
        if (nothing || (ours && ftruncate(fd, 0) == 0))
            return fd;
    }
    close(fd);
    *error = REFUSED_EXISTS;
    return -1;
}

static int open_floppy(const char *path, int *error)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat s;

    *error = errno;
    if (fd < 0 || (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_size % SECTOR == 0 &&
                   fdc_is_disk((uint64_t)s.st_size / SECTOR)))
        return fd;
    close(fd);
    *error = REFUSED_EXISTS;
    return -1;
}

static int open_path(struct server *server, char what, const char *path, int *error)
{
    int fd;

    *error = REFUSED_HIDDEN;
    if (!may_be_opened(server, what, path))
        return -1;
    if (what == FLOPPY)
        return open_floppy(path, error);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *error = errno;
    if (fd >= 0)
        note_made(server, fd);
    else if (errno == EEXIST)
        fd = open_existing(server, path, error);
    return fd;
}

static bool answer(int socket, int fd, int error)
{
    union fd_message control = {.room = ""};
    struct iovec data = {.iov_base = &error, .iov_len = sizeof(error)};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

    if (fd >= 0) {
        error = 0;
        message.msg_control = &control;
        message.msg_controllen = sizeof(control.room);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) == sizeof(error);
}

/* Forked without exec: as little as possible is done, until the other side is gone. */
static _Noreturn void serve(int argc, char *const *argv, int socket)
{
    static struct server server;
    char request[1 + PATH_BYTES];
    ssize_t n;
    bool ok = true;

    server.argc = argc;
    server.argv = argv;
    prctl(PR_SET_NAME, "calque-files");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    dup2(socket, 0);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    close_range(3, ~0u, 0);
    while (ok && (n = recv(0, request, sizeof(request), 0)) > 1) {
        int error, fd;
        if (request[n - 1])
            break;
        fd = open_path(&server, request[0], request + 1, &error);
        ok = answer(0, fd, error);
        if (fd >= 0)
            close(fd);
    }
    _exit(0);
}

/* ---- the one that asks ------------------------------------------------------------------------
 */

struct file_broker *file_broker_start(int argc, char *const *argv, struct error *err)
{
    struct file_broker *broker = calloc(1, sizeof(*broker));
    int ends[2];

    if (!broker) {
        error_set(err, "out of memory");
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        error_set_errno(err, errno, "cannot start the process that opens files");
        free(broker);
        return NULL;
    }
    broker->child = fork();
    if (broker->child == 0)
        serve(argc, argv, ends[1]);
    close(ends[1]);
    broker->socket = ends[0];
    if (broker->child > 0)
        return broker;
    error_set_errno(err, errno, "cannot start the process that opens files");
    close(broker->socket);
    free(broker);
    return NULL;
}

static int received_fd(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    int fd = -1;

    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

static int ask(struct file_broker *broker, char what, const char *path, struct error *err)
{
    union fd_message control = {.room = ""};
    int error = 0, fd;
    char request[1 + PATH_BYTES] = {what};
    struct iovec data = {.iov_base = &error, .iov_len = sizeof(error)};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.room)};
    size_t size = strlen(path) + 1;

    if (size == 1 || size > PATH_BYTES) {
        error_set(err, "'%.40s' is no name for a file", path);
        return -1;
    }
    memcpy(request + 1, path, size);
    if (send(broker->socket, request, 1 + size, MSG_NOSIGNAL) != (ssize_t)(1 + size) ||
        recvmsg(broker->socket, &message, MSG_CMSG_CLOEXEC) != sizeof(error)) {
        error_set(err, "the process that opens files is gone");
        return -1;
    }
    fd = received_fd(&message);
    if (fd < 0 && error == REFUSED_HIDDEN)
        error_set(
            err, "'%s' is hidden: such files are made only in folders that calque was started with",
            path);
    else if (fd < 0 && error == REFUSED_EXISTS)
        error_set(
            err,
            "'%s' is there already; only calque's own files, empty ones and pictures are replaced",
            path);
    else if (fd < 0)
        error_set_errno(err, error, "cannot write '%s'", path);
    return fd;
}

int file_broker_create(struct file_broker *broker, const char *path, struct error *err)
{
    return ask(broker, CREATE, path, err);
}

int file_broker_open_floppy(struct file_broker *broker, const char *path)
{
    struct error err;

    return ask(broker, FLOPPY, path, &err);
}

void file_broker_stop(struct file_broker *broker)
{
    if (!broker)
        return;
    close(broker->socket);
    while (waitpid(broker->child, NULL, 0) < 0 && errno == EINTR)
        ;
    free(broker);
}
