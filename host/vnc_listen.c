/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing -vnc, and listening. */
#define _GNU_SOURCE
#include "host/vnc_listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/listen.h"
#include "host/window.h"

enum { FIRST_PORT = 5900, FIRST_WEBSOCKET_PORT = 5700, PORT_MAX = 65535, BACKLOG = 64 };
enum { KEY_DELAY_MS = 10, KEY_DELAY_MOST_MS = 1000 };

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
    static const char *const ignored[] = {"non-adaptive", "lock-key-sync", "power-control"};

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
    if (!strcmp(key, "lossy")) {
        address->lossy = !strcmp(value, "on");
        return address->lossy || !strcmp(value, "off") ||
               error_set(err, "-vnc lossy=%s: it is on or off", value);
    }
    if (!strcmp(key, "key-delay-ms"))
        return parse_number(value, KEY_DELAY_MOST_MS, &address->key_delay_ms) ||
               error_set(err, "-vnc key-delay-ms=%s: it is a number up to %d", value,
                         KEY_DELAY_MOST_MS);
    for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++) {
        if (!strcmp(key, ignored[i]))
            return true;
    }
    return error_set(err,
                     "-vnc %s is not supported; it takes: websocket=, share=, lossy=, "
                     "key-delay-ms=",
                     key);
}

bool vnc_address_parse(struct vnc_address *address, const char *text, struct error *err)
{
    char key[WINDOW_WORD], value[WINDOW_WORD];
    size_t length = strcspn(text, ",");

    memset(address, 0, sizeof(*address));
    address->shared = true;
    address->key_delay_ms = KEY_DELAY_MS;
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

static int at_path(const char *path, struct error *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd;

    memcpy(name.sun_path, path, strnlen(path, sizeof(name.sun_path) - 1));
    fd = listen_at((const struct sockaddr *)&name, sizeof(name), BACKLOG);
    if (fd < 0)
        error_set_errno(err, errno, "-vnc: cannot listen at '%s'", path);
    return fd;
}

static int at_port(const char *host, unsigned port, struct error *err)
{
    char service[8];
    int fd, status;

    snprintf(service, sizeof(service), "%u", port);
    fd = listen_tcp(host, service, BACKLOG, &status);
    if (fd < 0 && status)
        error_set(err, "-vnc: there is no host '%s': %s", host, gai_strerror(status));
    else if (fd < 0)
        error_set_errno(err, errno, "-vnc: cannot listen at port %u", port);
    return fd;
}

unsigned vnc_listen(const struct vnc_address *address, int fds[VNC_LISTENERS], struct error *err)
{
    fds[0] =
        *address->path ? at_path(address->path, err) : at_port(address->host, address->port, err);
    if (fds[0] < 0)
        return 0;
    if (!address->websocket_port)
        return 1;
    fds[1] = at_port(address->host, address->websocket_port, err);
    if (fds[1] >= 0)
        return 2;
    close(fds[0]);
    return 0;
}
