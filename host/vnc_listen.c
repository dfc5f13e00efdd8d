/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing -vnc, and listening. */
#define _GNU_SOURCE
#include "host/vnc_listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/window.h"

enum { FIRST_PORT = 5900, FIRST_WEBSOCKET_PORT = 5700, PORT_MAX = 65535, BACKLOG = 64 };

static bool parse_number(const char *text, unsigned long most, unsigned *number)
{
    char *end;
    unsigned long value;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *end || value > most)
        return false;
    *number = (unsigned)value;
    return true;
}

/* "127.0.0.1:1", "[::1]:1", ":1". */
static bool parse_place(struct vnc_address *address, const char *text, size_t length,
                        struct error *err)
{
    char place[VNC_TEXT], *colon;
    unsigned display;

    if (length >= sizeof(place))
        return error_set(err, "-vnc %.32s...: the address is too long", text);
    memcpy(place, text, length);
    place[length] = 0;
    if (!strncmp(place, "unix:", 5)) {
        if (!place[5] || strlen(place + 5) >= sizeof(address->path))
            return error_set(err, "-vnc %s: that is no name for a socket", place);
        memcpy(address->path, place + 5, strlen(place + 5) + 1);
        return true;
    }
    colon = strrchr(place, ':');
    if (!colon || !parse_number(colon + 1, PORT_MAX - FIRST_PORT, &display))
        return error_set(err,
                         "-vnc %s: it is HOST:N, :N for this machine only, or unix:PATH; N is "
                         "0 for port 5900",
                         place);
    *colon = 0;
    address->port = FIRST_PORT + display;
    if (place[0] == '[' && colon > place && colon[-1] == ']') {
        colon[-1] = 0;
        snprintf(address->host, sizeof(address->host), "%s", place + 1);
    } else {
        snprintf(address->host, sizeof(address->host), "%s", place);
    }
    return true;
}

static bool parse_key(struct vnc_address *address, const char *key, const char *value,
                      struct error *err)
{
    /* What other servers have and this one does without. */
    static const char *const ignored[] = {"lossy", "non-adaptive", "lock-key-sync", "key-delay-ms",
                                          "power-control"};

    if (!strcmp(key, "websocket")) {
        if (!strcmp(value, "off"))
            return true;
        if (address->path[0])
            return error_set(err, "-vnc websocket=%s goes with HOST:N, not with unix:PATH", value);
        address->websocket_port = address->port - FIRST_PORT + FIRST_WEBSOCKET_PORT;
        if (!strcmp(value, "on") || parse_number(value, PORT_MAX, &address->websocket_port))
            return true;
        return error_set(err, "-vnc websocket=%s: it is on or a port", value);
    }
    if (!strcmp(key, "share")) {
        address->shared = strcmp(value, "allow-exclusive") != 0;
        if (!strcmp(value, "force-shared") || !strcmp(value, "allow-exclusive") ||
            !strcmp(value, "ignore"))
            return true;
        return error_set(err, "-vnc share=%s: it is allow-exclusive, force-shared or ignore",
                         value);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++) {
        if (!strcmp(key, ignored[i]))
            return true;
    }
    return error_set(err, "-vnc %s is not supported; it takes: websocket=, share=", key);
}

bool vnc_address_parse(struct vnc_address *address, const char *text, struct error *err)
{
    char key[WINDOW_WORD], value[WINDOW_WORD];
    size_t length = strcspn(text, ",");

    memset(address, 0, sizeof(*address));
    address->shared = true;
    if (length == 4 && !memcmp(text, "none", 4)) {
        address->none = true;
        return true;
    }
    if (!parse_place(address, text, length, err))
        return false;
    text += length + (text[length] == ',');
    while (window_next_argument(&text, key, value)) {
        if (!parse_key(address, key, value, err))
            return false;
    }
    return true;
}

static bool listen_here(int fd, const void *name, socklen_t size)
{
    return fd >= 0 && bind(fd, name, size) == 0 && listen(fd, BACKLOG) == 0;
}

/* A socket that another process left behind is in the way; one that is used is not touched. */
static void remove_stale(const struct sockaddr_un *name)
{
    struct stat status;
    int fd;

    if (lstat(name->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) != 0 &&
        errno == ECONNREFUSED)
        unlink(name->sun_path);
    if (fd >= 0)
        close(fd);
}

static int listen_unix(const char *path, struct error *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(name.sun_path, path, strnlen(path, sizeof(name.sun_path) - 1));
    remove_stale(&name);
    if (listen_here(fd, &name, sizeof(name)))
        return fd;
    error_set_errno(err, errno, "-vnc: cannot listen at '%s'", path);
    if (fd >= 0)
        close(fd);
    return -1;
}

static int listen_tcp(const char *host, unsigned port, struct error *err)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    char service[8];
    int fd = -1, one = 1, status;

    snprintf(service, sizeof(service), "%u", port);
    status = getaddrinfo(*host ? host : "127.0.0.1", service, &wanted, &found);
    if (status != 0) {
        error_set(err, "-vnc: there is no host '%s': %s", host, gai_strerror(status));
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (!listen_here(fd, found->ai_addr, found->ai_addrlen)) {
        error_set_errno(err, errno, "-vnc: cannot listen at port %u", port);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

unsigned vnc_listen(const struct vnc_address *address, int fds[VNC_LISTENERS], struct error *err)
{
    fds[0] = *address->path ? listen_unix(address->path, err)
                            : listen_tcp(address->host, address->port, err);
    if (fds[0] < 0)
        return 0;
    if (!address->websocket_port)
        return 1;
    fds[1] = listen_tcp(address->host, address->websocket_port, err);
    if (fds[1] >= 0)
        return 2;
    close(fds[0]);
    return 0;
}
