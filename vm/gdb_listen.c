/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where -gdb listens: TCP or a socket in the file system. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "host/listen.h"
#include "vm/gdb.h"

enum { BACKLOG = 8 };

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

static int at_port(const char *what, const char *address, struct error *err)
{
    char host[256], port[8];
    int fd, status;

    if (!split_address(what, address, host, sizeof(host), port, sizeof(port), err))
        return -1;
    fd = listen_tcp(host, port, BACKLOG, &status);
    if (fd >= 0)
        return fd;
    if (status)
        error_set(err, "-gdb %s: there is no host %s (%s)", what, host, gai_strerror(status));
    else if (errno == EADDRINUSE)
        error_set(err, "-gdb %s: port %s is taken by another program", what, port);
    else
        error_set_errno(err, errno, "-gdb %s: cannot listen there", what);
    return -1;
}

/* ---- sockets in the file system -------------------------------------------------------------- */

static int at_path(const char *what, const char *given, char path[GDB_PATH_BYTES],
                   struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strcspn(given, ",");
    int fd;

    if (!length || length >= GDB_PATH_BYTES) {
        error_set(err, "-gdb %s: the path has 1 to %d characters", what, GDB_PATH_BYTES - 1);
        return -1;
    }
    memcpy(address.sun_path, given, length);
    fd = listen_at((const struct sockaddr *)&address, sizeof(address), BACKLOG);
    if (fd >= 0)
        memcpy(path, address.sun_path, length + 1);
    else if (errno == EADDRINUSE)
        error_set(err, "-gdb %s: there is such a file, or another program listens there", what);
    else
        error_set_errno(err, errno, "-gdb %s: cannot listen there", what);
    return fd;
}

int gdb_listen(const char *what, char path[GDB_PATH_BYTES], struct error *err)
{
    const char *options = strchr(what, ',');

    *path = 0;
    if (options && !check_options(what, options + 1, err))
        return -1;
    if (!strncmp(what, "tcp:", 4))
        return at_port(what, what + 4, err);
    if (!strncmp(what, "unix:", 5))
        return at_path(what, what + 5, path, err);
    error_set(err, "-gdb %s: it takes tcp:HOST:PORT, tcp::PORT, unix:PATH or none", what);
    return -1;
}
