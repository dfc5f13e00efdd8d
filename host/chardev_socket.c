/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character streams over sockets, TCP or Unix, plain or Telnet: one peer at a time. As a server it
 * takes the next peer when one has gone, as a client it connects again if it was told to. Who
 * listens without naming an address listens to this host alone.
 *
 * All that may be refused later (names looked up, addresses bound) is done when it is created.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/chardev_kinds.h"
#include "host/chardev_output.h"
#include "host/listen.h"
#include "host/telnet.h"

enum {
    INPUT_BYTES = 4096,
    MAX_ADDRESSES = 4,
    CONNECT_SECONDS = 10,   /* the first time; nothing runs meanwhile */
    LINGER_NS = 2000000000, /* for the guest to take what a peer left behind */
    ANSWER_NS = 50000000    /* and to answer */
};

struct address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

struct socket_stream {
    struct chardev chardev;
    struct event_loop *loop;
    struct watch peer, listener; /* the latter's due: connecting again */
    struct chardev_output output;
    struct address address[MAX_ADDRESSES];
    unsigned n_addresses, next_address;
    const char *name, *program; /* "tcp:localhost:4444"; of calque */
    bool server, wait, telnet, nodelay, connecting, open, ever_open, started;
    int64_t reconnect_ns; /* 0: not */
    int64_t again_ns;     /* when */
    const char *remove;   /* the Unix socket that we made */
    struct telnet options;
    bool ended;                /* the peer sends no more */
    int64_t ended_ns, done_ns; /* since when; that everything it sent was taken, or 0 */
    uint8_t input[INPUT_BYTES];
    unsigned n_input;
};

/* ---- addresses ---------------------------------------------------------------------------------
 */

static void print_address(const struct address *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN + 16] = "", port[8] = "";
    bool is_ipv6 = address->any.sa_family == AF_INET6;

    if (address->any.sa_family == AF_UNIX) {
        snprintf(text, size, "unix:%s", address->un.sun_path);
        return;
    }
    getnameinfo(&address->any, address->length, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, size, "tcp:%s%s%s:%s", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

static bool unix_address(struct socket_stream *s, const char *path, struct error *err)
{
    struct address *address = &s->address[0];

    if (strlen(path) >= sizeof(address->un.sun_path))
        return error_set(err, "%s: that is too long for a socket's name", s->name);
    address->un.sun_family = AF_UNIX;
    strcpy(address->un.sun_path, path);
    address->length = sizeof(address->un);
    s->n_addresses = 1;
    return true;
}

/* host NULL or "": this host alone. */
static bool tcp_addresses(struct socket_stream *s, const struct chardev_spec *spec,
                          struct error *err)
{
    const char *host = chardev_spec_string(spec, "host"), *port = chardev_spec_string(spec, "port");
    bool ipv4 = chardev_spec_switch(spec, "ipv4", false);
    bool ipv6 = chardev_spec_switch(spec, "ipv6", false);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_family = ipv4 == ipv6 ? AF_UNSPEC : (ipv4 ? AF_INET : AF_INET6)};
    struct addrinfo *found;
    int status;

    /* The C library would take it modulo 65536. */
    if (port[strspn(port, "0123456789")] == 0 && (strlen(port) > 5 || atoi(port) > 65535))
        return error_set(err, "%s: there is no port %s; the highest is 65535", s->name, port);
    if (!host || !*host)
        host = hints.ai_family == AF_INET6 ? "::1" : "127.0.0.1";
    /* Who listens to "localhost" is looked for at 127.0.0.1. */
    if (s->server && hints.ai_family == AF_UNSPEC)
        hints.ai_family = AF_INET;
    status = getaddrinfo(host, port, &hints, &found);
    if (status && ipv4 == ipv6) {
        hints.ai_family = AF_UNSPEC;
        status = getaddrinfo(host, port, &hints, &found);
    }
    if (status)
        return error_set(err, "%s: '%s', port '%s': %s", s->name, host, port, gai_strerror(status));
    for (struct addrinfo *one = found; one && s->n_addresses < MAX_ADDRESSES; one = one->ai_next) {
        struct address *address = &s->address[s->n_addresses];
        if (one->ai_addrlen > sizeof(*address) - offsetof(struct address, any))
            continue;
        memcpy(&address->any, one->ai_addr, one->ai_addrlen);
        address->length = one->ai_addrlen;
        s->n_addresses++;
    }
    freeaddrinfo(found);
    return s->n_addresses || error_set(err, "%s: '%s' has no address", s->name, host);
}

/* ---- the peer ----------------------------------------------------------------------------------
 */

static void raw_send(void *opaque, const uint8_t *data, unsigned size)
{
    struct socket_stream *s = opaque;

    chardev_output_write(&s->output, data, size);
}

static void peer_break(void *opaque)
{
    struct socket_stream *s = opaque;

    chardev_client_event(&s->chardev, CHARDEV_BREAK);
}

static struct telnet_output telnet_output(struct socket_stream *s)
{
    return (struct telnet_output){raw_send, peer_break, s};
}

static void peer_opened(struct socket_stream *s, int fd)
{
    int on = 1;

    s->connecting = false;
    s->open = s->ever_open = true;
    s->ended = false;
    s->done_ns = 0;
    s->n_input = 0;
    s->peer.fd = fd;
    if (s->nodelay)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    chardev_output_switch(&s->output, fd);
    watch_set_enabled(s->loop, &s->listener, false);
    watch_set_enabled(s->loop, &s->peer, true);
    if (s->telnet) {
        struct telnet_output output = telnet_output(s);
        telnet_start(&s->options, s->server, &output);
        chardev_output_flush(&s->output);
    }
    chardev_client_event(&s->chardev, CHARDEV_OPENED);
}

/* For the next try, or the next peer. */
static void be_ready_again(struct socket_stream *s)
{
    if (s->server)
        watch_set_enabled(s->loop, &s->listener, true);
    if (s->reconnect_ns) {
        s->again_ns = monotonic_ns() + s->reconnect_ns;
        watch_set_due(s->loop, &s->listener, s->reconnect_ns);
    }
}

static void drop_peer(struct socket_stream *s)
{
    int fd = s->peer.fd;

    watch_set_enabled(s->loop, &s->peer, false);
    watch_set_writing(s->loop, &s->peer, false);
    chardev_output_flush(&s->output);
    chardev_output_switch(&s->output, -1);
    s->peer.fd = -1;
    if (fd >= 0)
        close(fd);
    s->connecting = false;
}

static void peer_closed(struct socket_stream *s)
{
    drop_peer(s);
    s->open = false;
    s->n_input = 0;
    chardev_client_event(&s->chardev, CHARDEV_CLOSED);
    be_ready_again(s);
}

/* ---- input -------------------------------------------------------------------------------------
 */

static void deliver(struct socket_stream *s)
{
    chardev_client_deliver(&s->chardev, s->input, &s->n_input);
}

/* Who sends something and goes is served still: the last line is to be acted upon, and what is
 * answered to be taken. But not for ever. */
static void end_when_done(struct socket_stream *s)
{
    int64_t now = monotonic_ns();

    if (s->n_input || !chardev_client_room(&s->chardev) || !chardev_output_is_empty(&s->output))
        s->done_ns = 0;
    else if (!s->done_ns)
        s->done_ns = now;
    if (s->output.failed || now - s->ended_ns > LINGER_NS ||
        (s->done_ns && now - s->done_ns > ANSWER_NS))
        peer_closed(s);
    else
        watch_set_due(s->loop, &s->listener, ANSWER_NS);
}

static void peer_readable(void *opaque)
{
    struct socket_stream *s = opaque;
    struct telnet_output output = telnet_output(s);
    unsigned room = INPUT_BYTES - s->n_input;
    ssize_t got;

    /* Stop first: if the client makes room meanwhile, its accept_input starts again. */
    if (!room) {
        watch_set_enabled(s->loop, &s->peer, false);
        return;
    }
    got = recv(s->peer.fd, s->input + s->n_input, room, MSG_DONTWAIT);
    if (got > 0) {
        uint8_t *data = s->input + s->n_input;
        s->n_input +=
            s->telnet ? telnet_receive(&s->options, data, (unsigned)got, &output) : (unsigned)got;
        deliver(s);
        return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    watch_set_enabled(s->loop, &s->peer, false);
    s->ended = true;
    s->ended_ns = monotonic_ns();
    if (got < 0)
        peer_closed(s);
    else
        end_when_done(s);
}

static void socket_accept_input(struct chardev *c)
{
    struct socket_stream *s = c->state;

    /* What waits is delivered from the loop: the client may be in the middle of something. */
    if (s->open && s->n_input)
        watch_set_due(s->loop, &s->listener, 0);
    if (s->open && !s->ended)
        watch_set_enabled(s->loop, &s->peer, true);
}

static void socket_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct socket_stream *s = c->state;
    struct telnet_output output = telnet_output(s);

    if (!s->open)
        return;
    if (s->telnet)
        telnet_send(&s->options, data, size, &output);
    else
        chardev_output_write(&s->output, data, size);
    /* Any thread may be here; the loop's one closes. */
    if (s->output.failed)
        watch_set_due(s->loop, &s->listener, 0);
}

static void output_due(void *opaque)
{
    struct socket_stream *s = opaque;

    chardev_output_flush(&s->output);
    if (s->output.failed)
        watch_set_due(s->loop, &s->listener, 0);
}

/* ---- making connections ------------------------------------------------------------------------
 */

static void connection_failed(struct socket_stream *s)
{
    drop_peer(s);
    be_ready_again(s);
}

/* Starts connecting to the next address. Returns the descriptor or -1 with errno. */
static int begin_connect(struct socket_stream *s, bool *done)
{
    const struct address *address = &s->address[s->next_address];
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    s->next_address = (s->next_address + 1) % s->n_addresses;
    if (fd < 0)
        return -1;
    *done = connect(fd, &address->any, address->length) == 0;
    if (*done || errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void connect_again(struct socket_stream *s)
{
    bool done;
    int fd = begin_connect(s, &done);

    if (fd < 0) {
        be_ready_again(s);
        return;
    }
    if (done) {
        peer_opened(s, fd);
        return;
    }
    s->connecting = true;
    s->peer.fd = fd;
    watch_set_writing(s->loop, &s->peer, true);
}

static void peer_writable(void *opaque)
{
    struct socket_stream *s = opaque;
    int error = 0, fd = s->peer.fd;
    socklen_t size = sizeof(error);

    if (!s->connecting) {
        chardev_output_writable(&s->output);
        if (s->output.failed)
            watch_set_due(s->loop, &s->listener, 0);
        return;
    }
    watch_set_writing(s->loop, &s->peer, false);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error)
        connection_failed(s);
    else
        peer_opened(s, fd);
}

static void listener_readable(void *opaque)
{
    struct socket_stream *s = opaque;
    int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0) {
        /* No descriptors, say: not to be asked again at once. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            s->listener.paused_until_ns = monotonic_ns() + 1000000000;
        return;
    }
    peer_opened(s, fd);
}

/* What is to be done from the loop, and on time. */
static void listener_due(void *opaque)
{
    struct socket_stream *s = opaque;

    if (s->open) {
        if (s->output.failed) {
            peer_closed(s);
            return;
        }
        deliver(s);
        if (s->open && s->ended)
            end_when_done(s);
    } else if (s->reconnect_ns && !s->connecting && s->started) {
        int64_t left_ns = s->again_ns - monotonic_ns();
        if (left_ns > 0)
            watch_set_due(s->loop, &s->listener, left_ns);
        else
            connect_again(s);
    }
}

/* Connects while nothing runs yet: a peer that is not there is the user's mistake. */
static bool connect_now(struct socket_stream *s, struct error *err)
{
    int error = ETIMEDOUT;

    for (unsigned i = 0; i < s->n_addresses; i++) {
        struct pollfd poll_fd = {.events = POLLOUT};
        socklen_t size = sizeof(error);
        bool done;
        int fd = begin_connect(s, &done);
        if (fd < 0) {
            error = errno;
            continue;
        }
        poll_fd.fd = fd;
        error = ETIMEDOUT;
        if (done || (poll(&poll_fd, 1, CONNECT_SECONDS * 1000) > 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && !error)) {
            peer_opened(s, fd);
            return true;
        }
        close(fd);
    }
    return error_set_errno(err, error, "%s: cannot connect", s->name);
}

/* ---- listening ---------------------------------------------------------------------------------
 */

static int listen_on(struct address *address)
{
    int fd = listen_at(&address->any, address->length, 1);

    if (fd >= 0 && address->any.sa_family != AF_UNIX)
        getsockname(fd, &address->any, &address->length);
    return fd;
}

static void set_port(struct address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET)
        address->in.sin_port = htons(port);
    else if (address->any.sa_family == AF_INET6)
        address->in6.sin6_port = htons(port);
}

/* to=PORT: the first that is free, from port= on. */
static bool start_listening(struct socket_stream *s, const struct chardev_spec *spec,
                            struct error *err)
{
    struct address *address = &s->address[0];
    unsigned first =
        ntohs(address->any.sa_family == AF_INET6 ? address->in6.sin6_port : address->in.sin_port);
    uint64_t last = chardev_spec_number(spec, "to", first);
    char text[160];
    bool any_port = !first && address->any.sa_family != AF_UNIX;

    s->listener.fd = listen_on(address);
    if (address->any.sa_family != AF_UNIX) {
        for (unsigned port = first + 1; s->listener.fd < 0 && port <= last && port < 65536;
             port++) {
            set_port(address, (uint16_t)port);
            s->listener.fd = listen_on(address);
        }
    }
    print_address(address, text, sizeof(text));
    if (s->listener.fd < 0)
        return error_set_errno(err, errno, "%s: cannot listen on %s", s->name, text);
    if (any_port || last != first)
        fprintf(stderr, "%s: character stream listens on %s\n", s->program, text);
    return true;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static void socket_describe(const struct chardev *c, char *text, size_t size)
{
    const struct socket_stream *s = c->state;
    char address[160];

    print_address(&s->address[0], address, sizeof(address));
    if (s->telnet && !strncmp(address, "tcp:", 4))
        snprintf(text, size, "%stelnet:%s%s", s->open ? "" : "disconnected:", address + 4,
                 s->server ? ",server=on" : "");
    else
        snprintf(text, size, "%s%s%s", s->open ? "" : "disconnected:", address,
                 s->server ? ",server=on" : "");
}

static bool socket_awaits_peer(const struct chardev *c)
{
    const struct socket_stream *s = c->state;

    return s->server && s->wait && !s->ever_open;
}

static void socket_start(struct chardev *c)
{
    struct socket_stream *s = c->state;
    char text[160];

    s->started = true;
    if (s->server)
        watch_set_enabled(s->loop, &s->listener, true);
    else if (!s->open)
        watch_set_due(s->loop, &s->listener, 0);
    if (socket_awaits_peer(c)) {
        print_address(&s->address[0], text, sizeof(text));
        fprintf(stderr, "%s: the guest starts when somebody connects to %s (%s)\n", s->program,
                text, s->name);
    }
}

static void socket_destroy(struct chardev *c)
{
    struct socket_stream *s = c->state;

    chardev_output_finish(&s->output);
    event_loop_remove(s->loop, &s->peer);
    event_loop_remove(s->loop, &s->listener);
    if (s->peer.fd >= 0)
        close(s->peer.fd);
    if (s->listener.fd >= 0)
        close(s->listener.fd);
    if (s->remove)
        unlink(s->remove);
    free(s);
}

static const struct chardev_ops socket_ops = {.name = "socket",
                                              .write = socket_write,
                                              .accept_input = socket_accept_input,
                                              .destroy = socket_destroy,
                                              .start = socket_start,
                                              .describe = socket_describe,
                                              .awaits_peer = socket_awaits_peer};

static bool read_spec(struct socket_stream *s, const struct chardev_spec *spec, struct error *err)
{
    const char *path = chardev_spec_string(spec, "path");
    bool has_wait = chardev_spec_string(spec, "wait") != NULL;

    s->server = chardev_spec_switch(spec, "server", false);
    s->wait = chardev_spec_switch(spec, "wait", true);
    s->telnet = chardev_spec_switch(spec, "telnet", false);
    s->nodelay = chardev_spec_switch(spec, "nodelay", false);
    s->reconnect_ns =
        (int64_t)(MIN(chardev_spec_number(spec, "reconnect", 0), UINT64_C(1000000)) * 1000000000 +
                  MIN(chardev_spec_number(spec, "reconnect-ms", 0), UINT64_C(1000000000)) *
                      1000000);
    if (has_wait && !s->server)
        return error_set(err, "%s: wait is for a server: server=on", s->name);
    if (s->reconnect_ns && s->server)
        return error_set(err, "%s: a server does not reconnect; it takes the next peer by itself",
                         s->name);
    if (path && (chardev_spec_string(spec, "host") || chardev_spec_string(spec, "port")))
        return error_set(err, "%s: either a path or a host and port", s->name);
    if (path && s->nodelay)
        return error_set(err, "%s: nodelay is for TCP", s->name);
    if (!path && !chardev_spec_string(spec, "port"))
        return error_set(err, "%s needs a path, or a port", s->name);
    return path ? unix_address(s, path, err) : tcp_addresses(s, spec, err);
}

static bool set_up(struct socket_stream *s, const struct chardev_context *context,
                   const struct chardev_spec *spec, struct error *err)
{
    const char *path;

    if (!read_spec(s, spec, err))
        return false;
    if (!s->server) {
        if (!s->reconnect_ns)
            return connect_now(s, err);
        if (context->will_connect)
            context->will_connect(context->opaque);
        return true;
    }
    if (!start_listening(s, spec, err))
        return false;
    if (context->will_accept)
        context->will_accept(context->opaque);
    path = chardev_spec_string(spec, "path");
    s->remove = path && context->will_remove ? context->will_remove(context->opaque, path) : path;
    return true;
}

static struct chardev *socket_create(const struct chardev_context *context,
                                     const struct chardev_spec *spec, struct error *err)
{
    struct socket_stream *s = calloc(1, sizeof(*s));

    if (!s) {
        error_set(err, "out of memory");
        return NULL;
    }
    s->chardev = (struct chardev){.ops = &socket_ops, .state = s};
    s->loop = context->loop;
    s->name = spec->what;
    s->program = context->program;
    s->peer = (struct watch){.fd = -1,
                             .readable = peer_readable,
                             .writable = peer_writable,
                             .due = output_due,
                             .opaque = s};
    s->listener =
        (struct watch){.fd = -1, .readable = listener_readable, .due = listener_due, .opaque = s};
    event_loop_add(s->loop, &s->peer);
    event_loop_add(s->loop, &s->listener);
    chardev_output_init(&s->output, socket_ops.name, s->loop, &s->peer, -1);
    if (set_up(s, context, spec, err))
        return &s->chardev;
    socket_destroy(&s->chardev);
    return NULL;
}

/* ---- the kinds ---------------------------------------------------------------------------------
 */

/* "HOST:PORT", "[::1]:PORT", ":PORT". */
static bool host_and_port(struct chardev_spec *spec, char *argument, struct error *err)
{
    char *host = argument, *colon = strrchr(argument, ':'), *bracket = strchr(argument, ']');

    if (!colon || !colon[1] || (*host == '[') != (bracket != NULL) ||
        (bracket && colon != bracket + 1))
        return error_set(err, "%s: it is %s:HOST:PORT", spec->what, spec->kind->name);
    *colon = 0;
    if (bracket) {
        *bracket = 0;
        host++;
    }
    chardev_spec_add(spec, "host", host);
    chardev_spec_add(spec, "port", colon + 1);
    return true;
}

static bool telnet_host_and_port(struct chardev_spec *spec, char *argument, struct error *err)
{
    chardev_spec_add(spec, "telnet", "on");
    return host_and_port(spec, argument, err);
}

static bool socket_path(struct chardev_spec *spec, char *argument, struct error *err)
{
    chardev_spec_add(spec, "path", argument);
    return true;
}

#define COMMON_KEYS                                                                                \
    {"server", CHARDEV_SWITCH}, {"wait", CHARDEV_SWITCH}, {"reconnect", CHARDEV_NUMBER},           \
    {                                                                                              \
        "reconnect-ms", CHARDEV_NUMBER                                                             \
    }
#define TCP_KEYS                                                                                   \
    {"nodelay", CHARDEV_SWITCH}, {"telnet", CHARDEV_SWITCH}, {"ipv4", CHARDEV_SWITCH},             \
        {"ipv6", CHARDEV_SWITCH},                                                                  \
    {                                                                                              \
        "to", CHARDEV_NUMBER                                                                       \
    }

static const struct chardev_key tcp_keys[] = {COMMON_KEYS, TCP_KEYS, {NULL, CHARDEV_TEXT}};
static const struct chardev_key unix_keys[] = {
    COMMON_KEYS, {"telnet", CHARDEV_SWITCH}, {NULL, CHARDEV_TEXT}};
static const struct chardev_key socket_keys[] = {COMMON_KEYS,
                                                 TCP_KEYS,
                                                 {"host", CHARDEV_TEXT},
                                                 {"port", CHARDEV_TEXT},
                                                 {"path", CHARDEV_TEXT},
                                                 {NULL, CHARDEV_TEXT}};

static const struct chardev_kind tcp_kind = {.name = "tcp",
                                             .argument = "HOST:PORT",
                                             .help = "a TCP connection; server=on listens",
                                             .only_short = true,
                                             .keys = tcp_keys,
                                             .short_form = host_and_port,
                                             .create = socket_create};
REGISTER(chardev_kind, tcp_kind);
static const struct chardev_kind telnet_kind = {.name = "telnet",
                                                .argument = "HOST:PORT",
                                                .help = "the same with the Telnet protocol",
                                                .only_short = true,
                                                .keys = tcp_keys,
                                                .short_form = telnet_host_and_port,
                                                .create = socket_create};
REGISTER(chardev_kind, telnet_kind);
static const struct chardev_kind unix_kind = {.name = "unix",
                                              .argument = "FILE",
                                              .help = "a Unix socket; server=on listens",
                                              .only_short = true,
                                              .keys = unix_keys,
                                              .short_form = socket_path,
                                              .create = socket_create};
REGISTER(chardev_kind, unix_kind);
static const struct chardev_kind socket_kind = {.name = "socket",
                                                .help = "either: host=HOST,port=PORT or path=FILE",
                                                .only_long = true,
                                                .keys = socket_keys,
                                                .create = socket_create};
REGISTER(chardev_kind, socket_kind);
