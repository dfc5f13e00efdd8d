/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include "host/listen.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/compiler.h"

enum { SOCKET_FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };

static bool remove_stale(const struct sockaddr *address, socklen_t length)
{
    const char *path = ((const struct sockaddr_un *)(const void *)address)->sun_path;
    struct stat status;
    bool stale;
    int fd;

    if (lstat(path, &status) || !S_ISSOCK(status.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    stale = fd >= 0 && connect(fd, address, length) && errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale && !unlink(path);
}

static bool bind_to(int fd, const struct sockaddr *address, socklen_t length)
{
    bool bound = bind(fd, address, length) == 0;

    if (bound || errno != EADDRINUSE || address->sa_family != AF_UNIX)
        return bound;
    if (remove_stale(address, length))
        return bind(fd, address, length) == 0;
    errno = EADDRINUSE;
    return false;
}

int listen_at(const struct sockaddr *address, socklen_t length, int backlog)
{
    int fd = socket(address->sa_family, SOCKET_FLAGS, 0), on = 1, error;

    if (fd < 0)
        return -1;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind_to(fd, address, length) && listen(fd, backlog) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

int listen_tcp(const char *host, const char *port, int backlog, int *status)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM, .ai_family = AF_INET, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int fd, error;

    if (!*host)
        host = "127.0.0.1";
    *status = getaddrinfo(host, port, &hints, &found);
    if (*status) {
        hints.ai_family = AF_UNSPEC;
        *status = getaddrinfo(host, port, &hints, &found);
    }
    if (*status)
        return -1;
    fd = listen_at(found->ai_addr, found->ai_addrlen, backlog);
    error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}
