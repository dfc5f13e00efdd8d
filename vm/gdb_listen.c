/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where -gdb listens: TCP or a socket in the file system. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vm/gdb.h"

enum { SOCKET_FLAGS = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, BACKLOG = 8 };

/* What may follow the address. The guest does not wait for gdb: -S is for that. */
static bool check_options(const char *what, const char *options, struct error *err)
{
    static const char *const known[] = {"server", "server=on", "wait=off",
                                        "nowait", "nodelay",   "nodelay=on",
                                        "ipv4",   "ipv4=on",   "nodelay=off"};

    while (*options) {
        size_t length = strcspn(options, ",");
        bool ok = false;

        for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
            ok |= strlen(known[i]) == length && !strncmp(known[i], options, length);
        if (!ok && !strncmp(options, "wait", 4))
            return error_set(err, "-gdb %s: to have the guest wait for the debugger, use -S", what);
        if (!ok)
            return error_set(err, "-gdb %s: %.*s is not known; it takes: server=on, wait=off", what,
                             (int)length, options);
        options += length;
        options += *options == ',';
    }
    return true;
}

/* ---- TCP ------------------------------------------------------------------------------------- */

/* The host, "" for none, and the port's text. */
static bool split_address(const char *what, const char *address, char *host, size_t host_size,
                          char *port, size_t port_size, struct error *err)
{
    size_t length = strcspn(address, ",");
    const char *colon = memrchr(address, ':', length);
    size_t host_length = colon ? (size_t)(colon - address) : 0;
    size_t port_length = colon ? length - host_length - 1 : 0;
    char *end;
    unsigned long number;

    if (!colon || host_length >= host_size || !port_length || port_length >= port_size)
        return error_set(err, "-gdb %s: it takes tcp:HOST:PORT, tcp::PORT or unix:PATH", what);
    if (host_length > 1 && *address == '[' && address[host_length - 1] == ']')
        snprintf(host, host_size, "%.*s", (int)host_length - 2, address + 1);
    else
        snprintf(host, host_size, "%.*s", (int)host_length, address);
    snprintf(port, port_size, "%.*s", (int)port_length, colon + 1);
    number = strtoul(port, &end, 10);
    if (*end || *port < '0' || *port > '9' || !number || number > 65535)
        return error_set(err, "-gdb %s: %s is no port; 1234 is", what, port);
    return true;
}

static int listen_tcp(const char *what, const char *address, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    char host[256], port[8];
    int fd, one = 1, result;

    if (!split_address(what, address, host, sizeof(host), port, sizeof(port), err))
        return -1;
    result = getaddrinfo(*host ? host : "127.0.0.1", port, &hints, &found);
    if (result) {
        error_set(err, "-gdb %s: there is no host %s (%s)", what, host, gai_strerror(result));
        return -1;
    }
    fd = socket(found->ai_family, SOCKET_FLAGS, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) || listen(fd, BACKLOG)) {
        if (errno == EADDRINUSE)
            error_set(err, "-gdb %s: port %s is taken by another program", what, port);
        else
            error_set_errno(err, errno, "-gdb %s: cannot listen there", what);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* ---- sockets in the file system -------------------------------------------------------------- */

/* A socket that nobody listens to any more is an earlier run's. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    bool stale;
    int fd;

    if (lstat(address->sun_path, &status) || !S_ISSOCK(status.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    stale = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
            errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return stale && !unlink(address->sun_path);
}

static int listen_unix(const char *what, const char *given, char path[GDB_PATH_BYTES],
                       struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strcspn(given, ",");
    int fd, result;

    if (!length || length >= GDB_PATH_BYTES) {
        error_set(err, "-gdb %s: the path has 1 to %d characters", what, GDB_PATH_BYTES - 1);
        return -1;
    }
    memcpy(address.sun_path, given, length);
    fd = socket(AF_UNIX, SOCKET_FLAGS, 0);
    result = fd < 0 ? -1 : bind(fd, (const struct sockaddr *)&address, sizeof(address));
    if (result && fd >= 0 && errno == EADDRINUSE && remove_stale(&address))
        result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    if (!result && !listen(fd, BACKLOG)) {
        memcpy(path, address.sun_path, length + 1);
        return fd;
    }
    if (errno == EADDRINUSE)
        error_set(err, "-gdb %s: there is such a file, or another program listens there", what);
    else
        error_set_errno(err, errno, "-gdb %s: cannot listen there", what);
    if (fd >= 0)
        close(fd);
    return -1;
}

int gdb_listen(const char *what, char path[GDB_PATH_BYTES], struct error *err)
{
    const char *options = strchr(what, ',');

    *path = 0;
    if (options && !check_options(what, options + 1, err))
        return -1;
    if (!strncmp(what, "tcp:", 4))
        return listen_tcp(what, what + 4, err);
    if (!strncmp(what, "unix:", 5))
        return listen_unix(what, what + 5, path, err);
    error_set(err, "-gdb %s: it takes tcp:HOST:PORT, tcp::PORT, unix:PATH or none", what);
    return -1;
}
