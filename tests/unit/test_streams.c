/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character streams with somebody at the other end: sockets, Telnet, named pipes; peers that come
 * and go, do not read, or send nonsense. Loopback and Unix sockets only.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/chardev_kinds.h"
#include "host/telnet.h"
#include "util/monotonic.h"

static char folder[] = "/tmp/calque-streams-XXXXXX";
static struct event_loop *loop;
static struct chardev_context context = {.program = "calque"};

/* ---- a user, and the loop ----------------------------------------------------------------------
 */

struct user {
    char in[16384];
    unsigned n_in, room, breaks, opened, closed;
};

static unsigned user_room(void *opaque)
{
    return ((struct user *)opaque)->room;
}

static void user_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct user *user = opaque;

    assert_true(size <= user->room);
    for (unsigned i = 0; i < size && user->n_in < sizeof(user->in) - 1; i++)
        user->in[user->n_in++] = (char)data[i];
    user->in[user->n_in] = 0;
    user->room -= size;
}

static void user_event(void *opaque, enum chardev_event event)
{
    struct user *user = opaque;

    user->breaks += event == CHARDEV_BREAK;
    user->opened += event == CHARDEV_OPENED;
    user->closed += event == CHARDEV_CLOSED;
}

static const struct chardev_client user_client = {user_room, user_receive, user_event};

static void turn(int times)
{
    for (int i = 0; i < times; i++) {
        event_loop_wait(loop, 5);
        event_loop_dispatch(loop);
    }
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        for (int turns_ = 0; turns_ < 1000 && !(condition); turns_++)                              \
            turn(1);                                                                               \
        assert_true(condition);                                                                    \
    } while (0)

static double now(void)
{
    return (double)monotonic_ns() / NS_PER_SECOND;
}

static struct chardev *open_stream(const char *what, struct user *user)
{
    struct error err = {""};
    struct chardev *c = chardev_create(&context, "-serial", what, &err);

    if (!c)
        fail_msg("%s", err.message);
    chardev_connect(c, &user_client, user);
    chardev_start(c);
    return c;
}

static void refused(const char *what, const char *says)
{
    struct error err = {""};

    assert_null(chardev_create(&context, "-serial", what, &err));
    if (!strstr(err.message, says))
        fail_msg("%s: '%s' is not in '%s'", what, says, err.message);
}

static void say(struct chardev *c, const char *text)
{
    chardev_write(c, (const uint8_t *)text, (unsigned)strlen(text));
}

/* ---- peers -------------------------------------------------------------------------------------
 */

/* The port that a server got, from its description. */
static unsigned port_of(const struct chardev *c)
{
    char text[256];

    chardev_describe(c, text, sizeof(text));
    assert_non_null(strstr(text, "127.0.0.1:"));
    return (unsigned)atoi(strstr(text, "127.0.0.1:") + 10);
}

static int connect_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
    return fd;
}

static struct sockaddr_un unix_address(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);
    return address;
}

static int connect_unix(const char *name)
{
    struct sockaddr_un address = unix_address(name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
    return fd;
}

static int listen_unix(const char *name)
{
    struct sockaddr_un address = unix_address(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

/* What comes until it is `want`. */
static void hear(int fd, const char *want, size_t size)
{
    char text[512];
    size_t n = 0;

    for (int i = 0; i < 400 && n < size; i++) {
        ssize_t got;
        turn(1);
        got = recv(fd, text + n, sizeof(text) - n, MSG_DONTWAIT);
        if (got > 0)
            n += (size_t)got;
    }
    assert_int_equal(n, size);
    assert_memory_equal(text, want, size);
}

static void send_all(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

/* ---- servers and clients -----------------------------------------------------------------------
 */

static void test_tcp_server(void **state)
{
    struct user user = {.room = 100};
    struct chardev *c = open_stream("tcp::0,server=on,wait=off,nodelay=on", &user);
    int fd, second;

    assert_false(chardev_awaits_peer(c));
    say(c, "nobody hears this\n");
    fd = connect_port(port_of(c));
    UNTIL(user.opened);
    say(c, "hello\n");
    hear(fd, "hello\n", 6);
    send_all(fd, "abc", 3);
    UNTIL(user.n_in == 3);
    /* The next one waits for its turn. */
    second = connect_port(port_of(c));
    send_all(second, "xyz", 3);
    turn(10);
    assert_int_equal(user.n_in, 3);
    close(fd);
    UNTIL(user.closed && user.opened == 2);
    UNTIL(user.n_in == 6);
    assert_string_equal(user.in, "abcxyz");
    say(c, "two");
    hear(second, "two", 3);
    close(second);
    UNTIL(user.closed == 2);
    say(c, "lost");
    chardev_destroy(c);
}

static void test_wait(void **state)
{
    struct user user = {.room = 100};
    struct chardev *c = open_stream("tcp::0,server", &user);
    int fd;

    assert_true(chardev_awaits_peer(c));
    fd = connect_port(port_of(c));
    UNTIL(user.opened);
    assert_false(chardev_awaits_peer(c));
    close(fd);
    UNTIL(user.closed);
    assert_false(chardev_awaits_peer(c));
    chardev_destroy(c);
    c = open_stream("tcp::0,server,nowait", &user);
    assert_false(chardev_awaits_peer(c));
    chardev_destroy(c);
}

static void test_ports(void **state)
{
    struct user user = {.room = 1};
    struct chardev *c = open_stream("tcp::0,server=on,wait=off", &user), *next;
    unsigned port = port_of(c);
    char what[96];

    snprintf(what, sizeof(what), "tcp:127.0.0.1:%u,server=on,wait=off", port);
    refused(what, "in use");
    snprintf(what, sizeof(what), "tcp:127.0.0.1:%u,server=on,wait=off,to=%u", port, port + 20);
    next = open_stream(what, &user);
    assert_true(port_of(next) > port);
    chardev_destroy(next);
    chardev_destroy(c);
    snprintf(what, sizeof(what), "tcp:127.0.0.1:%u", port);
    refused(what, "refused");
    refused("tcp::70000,server=on", "70000");
    refused("tcp:no.such.host.invalid:1", "no.such.host.invalid");
}

static void test_unix_server(void **state)
{
    struct user user = {.room = 100};
    struct sockaddr_un address = unix_address("s");
    char what[160], file[160];
    struct chardev *c;
    int fd, left;

    snprintf(what, sizeof(what), "unix:%s,server=on,wait=off", address.sun_path);
    c = open_stream(what, &user);
    refused(what, "in use");
    UNTIL(user.closed); /* that was it looking whether anybody is there */
    fd = connect_unix("s");
    send_all(fd, "abc", 3);
    UNTIL(user.n_in == 3);
    say(c, "hello\n");
    hear(fd, "hello\n", 6);
    close(fd);
    chardev_destroy(c);
    assert_int_not_equal(access(address.sun_path, F_OK), 0);
    /* Left behind by somebody who was killed. */
    left = listen_unix("s");
    close(left);
    assert_int_equal(access(address.sun_path, F_OK), 0);
    c = open_stream(what, &user);
    close(connect_unix("s"));
    chardev_destroy(c);
    /* A file of another kind stays. */
    snprintf(file, sizeof(file), "%s", address.sun_path);
    fd = open(file, O_CREAT | O_WRONLY, 0600);
    close(fd);
    refused(what, "in use");
    assert_int_equal(unlink(file), 0);
}

static void test_client(void **state)
{
    struct user user = {.room = 100};
    struct sockaddr_un address = unix_address("c");
    char what[160];
    int listener, fd;
    struct chardev *c;

    snprintf(what, sizeof(what), "unix:%s", address.sun_path);
    refused(what, "cannot connect");
    listener = listen_unix("c");
    c = open_stream(what, &user);
    fd = accept(listener, NULL, NULL);
    assert_true(fd >= 0);
    say(c, "hello\n");
    hear(fd, "hello\n", 6);
    send_all(fd, "abc", 3);
    close(fd);
    UNTIL(user.closed);
    assert_string_equal(user.in, "abc");
    turn(20);
    assert_true(accept(listener, NULL, NULL) < 0);
    chardev_destroy(c);
    close(listener);
    unlink(address.sun_path);
}

static void test_reconnect(void **state)
{
    struct user user = {.room = 100};
    struct sockaddr_un address = unix_address("r");
    char what[160];
    int listener, fd = -1;
    struct chardev *c;

    snprintf(what, sizeof(what), "unix:%s,reconnect-ms=20", address.sun_path);
    c = open_stream(what, &user);
    turn(20);
    assert_int_equal(user.opened, 0);
    listener = listen_unix("r");
    for (unsigned times = 1; times < 4; times++) {
        fd = -1;
        UNTIL(fd >= 0 || (fd = accept(listener, NULL, NULL)) >= 0);
        UNTIL(user.opened == times);
        say(c, "hi\n");
        hear(fd, "hi\n", 3);
        close(fd);
        UNTIL(user.closed == times);
    }
    chardev_destroy(c);
    close(listener);
    unlink(address.sun_path);
}

/* Who sends and goes is heard to the end, even by a guest that is slow to take it. */
static void test_last_words(void **state)
{
    struct user user = {.room = 0};
    struct chardev *c = open_stream("tcp::0,server=on,wait=off", &user);
    int fd = connect_port(port_of(c));

    send_all(fd, "last words", 10);
    shutdown(fd, SHUT_WR);
    UNTIL(user.opened);
    turn(10);
    assert_int_equal(user.closed, 0);
    user.room = 100;
    chardev_accept_input(c);
    UNTIL(user.n_in == 10);
    say(c, "answer\n");
    hear(fd, "answer\n", 7);
    UNTIL(user.closed);
    close(fd);
    chardev_destroy(c);
}

/* ---- peers that do not read --------------------------------------------------------------------
 */

enum { MUCH = 4 << 20 };

static void test_no_reader(void **state)
{
    static uint8_t block[4096];
    struct user user = {.room = 1};
    struct chardev *c = open_stream("tcp::0,server=on,wait=off", &user);
    int fd = connect_port(port_of(c));
    double start = now();

    UNTIL(user.opened);
    /* It costs the guest a second, once. */
    for (unsigned i = 0; i < 4 * MUCH / sizeof(block); i++)
        chardev_write(c, block, sizeof(block));
    assert_true(now() - start < 4);
    start = now();
    for (unsigned i = 0; i < 100; i++)
        chardev_write(c, block, sizeof(block));
    assert_true(now() - start < 0.5);
    /* Others are served all the while, and so is it once it reads. */
    while (recv(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
        turn(1);
    memset(block, 0, sizeof(block));
    say(c, "again\n");
    for (bool found = false; !found;) {
        ssize_t got = recv(fd, block, sizeof(block), 0);
        turn(1);
        assert_true(got > 0);
        found = memmem(block, (size_t)got, "again", 5) != NULL;
    }
    close(fd);
    UNTIL(user.closed);
    chardev_destroy(c);
}

static void *read_slowly(void *opaque)
{
    uint8_t block[65536];
    size_t n = 0;
    ssize_t got;

    while (n < MUCH && (got = read(*(int *)opaque, block, sizeof(block))) > 0) {
        n += (size_t)got;
        usleep(2000);
    }
    return (void *)n;
}

/* A slow reader slows the guest down and loses nothing. */
static void test_slow_reader(void **state)
{
    static uint8_t block[4096];
    struct user user = {.room = 1};
    struct chardev *c = open_stream("tcp::0,server=on,wait=off", &user);
    int fd = connect_port(port_of(c));
    pthread_t thread;
    void *n;

    UNTIL(user.opened);
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &fd), 0);
    for (unsigned i = 0; i < MUCH / sizeof(block); i++) {
        chardev_write(c, block, sizeof(block));
        turn(0);
    }
    for (int i = 0; i < 400; i++)
        turn(1);
    pthread_join(thread, &n);
    assert_int_equal((size_t)n, MUCH);
    close(fd);
    chardev_destroy(c);
}

/* ---- Telnet ------------------------------------------------------------------------------------
 */

#define BYTES(text) text, sizeof(text) - 1
#define HELLO "\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00"

static void test_telnet(void **state)
{
    struct user user = {.room = 1000};
    struct chardev *c = open_stream("telnet::0,server=on,wait=off", &user);
    int fd = connect_port(port_of(c));

    hear(fd, BYTES(HELLO));
    /* Text until both agree on binary: a return comes with a line feed or a zero. */
    send_all(fd, BYTES("a\r\nb\r\0c"));
    UNTIL(user.n_in == 5);
    assert_string_equal(user.in, "a\rb\rc");
    say(c, "x\ry\r\nz\n");
    hear(fd, BYTES("x\r\0y\r\nz\n"));
    /* Agreeing is no question: no answer. What is not known is declined. */
    send_all(fd, BYTES("\xff\xfd\x01\xff\xfd\x03\xff\xfd\x00\xff\xfb\x00"
                       "\xff\xfd\x18\xff\xfb\x18\xff\xfe\x18\xff\xfc\x18\xff\xfb\x01"));
    hear(fd, BYTES("\xff\xfc\x18\xff\xfe\x18\xff\xfe\x01"));
    user.n_in = 0;
    send_all(fd, BYTES("\r\n\xff\xff\xff\xf3\xff\xfa\x18\x00xyz\xff\xff\xff\xf0!\xff"));
    send_all(fd, BYTES("\xf1?"));
    UNTIL(user.n_in == 5);
    assert_string_equal(user.in, "\r\n\xff!?");
    assert_int_equal(user.breaks, 1);
    say(c, "\r\xff\n");
    hear(fd, BYTES("\r\xff\xff\n"));
    send_all(fd, BYTES("\xff\xf6"));
    hear(fd, BYTES("\r\n[yes]\r\n"));
    /* No longer binary, once. */
    send_all(fd, BYTES("\xff\xfe\x00\xff\xfe\x00"));
    hear(fd, BYTES("\xff\xfc\x00"));
    close(fd);
    UNTIL(user.closed);
    /* The next one starts anew. */
    fd = connect_port(port_of(c));
    hear(fd, BYTES(HELLO));
    close(fd);
    chardev_destroy(c);
}

static void count_sent(void *opaque, const uint8_t *data, unsigned size)
{
    *(unsigned *)opaque += size;
}

static void no_break(void *opaque)
{
}

/* Two of them agree and fall silent; nonsense makes at most as much as it is. */
static void test_telnet_nonsense(void **state)
{
    unsigned sent = 0, seed = 1;
    struct telnet_output output = {count_sent, no_break, &sent};
    struct telnet telnet;

    telnet_start(&telnet, true, &output);
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t data[64];
        unsigned n = 0, got;
        for (; n < sizeof(data); n++) {
            seed = seed * 1103515245 + 12345;
            data[n] =
                (uint8_t)(seed >> 16) < 90 ? (uint8_t)(240 + seed % 16) : (uint8_t)(seed >> 20);
        }
        sent = 0;
        got = telnet_receive(&telnet, data, n, &output);
        assert_true(got <= n);
        assert_true(sent <= 5 * n);
    }
}

/* Bytes at random, half commands and floods through the socket: the guest gets data, nothing
 * grows, and the port serves the next peer. */
static void test_telnet_flood(void **state)
{
    struct user user = {.room = 0};
    struct chardev *c = open_stream("telnet::0,server=on,wait=off", &user);
    uint8_t junk[4096];
    unsigned seed = 7;
    int fd = connect_port(port_of(c));

    UNTIL(user.opened);
    for (unsigned i = 0; i < 500; i++) {
        for (unsigned k = 0; k < sizeof(junk); k++) {
            seed = seed * 1103515245 + 12345;
            junk[k] = (uint8_t)(seed >> 16);
        }
        (void)!send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL);
        user.room += i % 64;
        chardev_accept_input(c);
        turn(1);
    }
    close(fd);
    user.room = 1 << 20;
    chardev_accept_input(c);
    UNTIL(user.closed);
    fd = connect_port(port_of(c));
    hear(fd, BYTES(HELLO));
    close(fd);
    chardev_destroy(c);
}

/* ---- pipes, files ------------------------------------------------------------------------------
 */

static void test_pipe(void **state)
{
    struct user user = {.room = 100};
    char in[160], out[160], what[160], text[32] = "";
    int in_fd, out_fd;
    struct chardev *c;

    snprintf(in, sizeof(in), "%s/p.in", folder);
    snprintf(out, sizeof(out), "%s/p.out", folder);
    snprintf(what, sizeof(what), "pipe:%s/p", folder);
    refused(what, "p.in");
    assert_int_equal(mkfifo(in, 0600) | mkfifo(out, 0600), 0);
    c = open_stream(what, &user);
    in_fd = open(in, O_WRONLY | O_NONBLOCK);
    out_fd = open(out, O_RDONLY | O_NONBLOCK);
    assert_true(in_fd >= 0 && out_fd >= 0);
    assert_int_equal(write(in_fd, "abc", 3), 3);
    UNTIL(user.n_in == 3);
    say(c, "hello\n");
    assert_int_equal(read(out_fd, text, sizeof(text)), 6);
    close(in_fd);
    close(out_fd);
    /* Somebody comes again. */
    turn(5);
    in_fd = open(in, O_WRONLY | O_NONBLOCK);
    assert_int_equal(write(in_fd, "def", 3), 3);
    UNTIL(user.n_in == 6);
    close(in_fd);
    chardev_destroy(c);
    unlink(in);
    unlink(out);
}

static void test_log_and_append(void **state)
{
    struct user user = {.room = 100};
    char what[400], path[160], text[64] = "";
    struct error err;
    struct chardev_spec *spec;
    struct chardev *c;
    int fd;

    snprintf(path, sizeof(path), "%s/a,log", folder);
    snprintf(what, sizeof(what), "null,logfile=%s/a,,log,logappend=off", folder);
    for (unsigned i = 0; i < 2; i++) {
        c = open_stream(what, &user);
        say(c, "one\n");
        chardev_destroy(c);
        snprintf(what, sizeof(what), "null,logfile=%s/a,,log,logappend=on", folder);
    }
    snprintf(what, sizeof(what), "file,id=a,path=%s/a,,log,append=on", folder);
    spec = chardev_spec_parse_long(what, &err);
    assert_non_null(spec);
    c = chardev_open(&context, spec, &err);
    assert_non_null(c);
    chardev_start(c);
    say(c, "two\n");
    chardev_destroy(c);
    fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, text, sizeof(text) - 1), 12);
    assert_string_equal(text, "one\none\ntwo\n");
    close(fd);
    unlink(path);
    /* A guest that sends a file to itself. */
    snprintf(path, sizeof(path), "%s/in", folder);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "from a file", 11), 11);
    close(fd);
    snprintf(what, sizeof(what), "file,id=a,path=/dev/null,input-path=%s", path);
    fd = dup(0);
    close(fd);
    c = chardev_open(&context, chardev_spec_parse_long(what, &err), &err);
    chardev_connect(c, &user_client, &user);
    chardev_start(c);
    UNTIL(user.n_in == 11);
    UNTIL(user.closed);
    chardev_destroy(c);
    assert_int_equal(dup(0), fd); /* nothing is left open */
    close(fd);
    unlink(path);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *what, *says;
    } rows[] = {
        {"tcp:localhost", "HOST:PORT"},
        {"tcp:", "HOST:PORT"},
        {"tcp::1,sever=on", "'server'"},
        {"tcp::1,server=maybe", "on or off"},
        {"tcp::1,wait=on", "server"},
        {"tcp::1,server=on,reconnect=1", "reconnect"},
        {"tcp::1,reconnect=x", "number"},
        {"tcp:[::1:5", "HOST:PORT"},
        {"tcp::1,server=on,host", "'host'"},
        {"unix:", "FILE"},
        {"unix:/tmp/x,nodelay=on", "nodelay"},
        {"socket", "did you mean"},
        {"udp:1", "not supported"},
        {"null:x", "alone"},
        {"vc:10", "800x600"},
        {"null,logfile=", "empty"},
        {"null,logfile=/nonexistent/x", "/nonexistent/x"},
        {"", "did you mean"},
        {",", "did you mean"},
    };
    struct error err;
    char name[300];

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        refused(rows[i].what, rows[i].says);
    memset(name, 'a', sizeof(name));
    memcpy(name, "unix:/", 6);
    name[sizeof(name) - 1] = 0;
    refused(name, "too long");
    assert_null(chardev_spec_parse_long("null", &err));
    assert_null(chardev_spec_parse_long("tcp,id=a", &err));
    assert_null(chardev_spec_parse_long("", &err));
    assert_null(chardev_spec_parse_long("null,id=1x", &err));
    assert_null(chardev_spec_parse_long("null,id", &err));
}

static int set_up(void **state)
{
    struct error err;

    signal(SIGPIPE, SIG_IGN);
    loop = context.loop = event_loop_create(&err);
    return !loop || !mkdtemp(folder);
}

static int tear_down(void **state)
{
    event_loop_destroy(loop);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_server),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_unix_server),
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_last_words),
        cmocka_unit_test(test_no_reader),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_telnet),
        cmocka_unit_test(test_telnet_nonsense),
        cmocka_unit_test(test_telnet_flood),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_log_and_append),
        cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests_name("streams", tests, set_up, tear_down);
}
