/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character streams: the Ctrl-a keys, flow control, files, ptys and the event loop. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/chardev_kinds.h"

/* ---- a stream and a user that note what happens ------------------------------------------------
 */

struct notes {
    char out[1024];
    unsigned n_out, quits, saves;
};

static void note_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    struct notes *notes = c->state;

    for (unsigned i = 0; i < size && notes->n_out < sizeof(notes->out) - 1; i++)
        notes->out[notes->n_out++] = (char)data[i];
    notes->out[notes->n_out] = 0;
}

static void note_destroy(struct chardev *c)
{
}

static const struct chardev_ops note_ops = {
    .name = "notes", .write = note_write, .destroy = note_destroy};

static void note_quit(void *opaque)
{
    ((struct notes *)opaque)->quits++;
}

static void note_save(void *opaque)
{
    ((struct notes *)opaque)->saves++;
}

struct user {
    char in[8192];
    unsigned n_in, room, breaks, opened, closed, front, back;
};

static unsigned user_room(void *opaque)
{
    return ((struct user *)opaque)->room;
}

static void user_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct user *user = opaque;

    assert_true(size <= user->room);
    memcpy(user->in + user->n_in, data, size);
    user->n_in += size;
    user->in[user->n_in] = 0;
    user->room -= size;
}

static void user_event(void *opaque, enum chardev_event event)
{
    struct user *user = opaque;

    user->breaks += event == CHARDEV_BREAK;
    user->opened += event == CHARDEV_OPENED;
    user->closed += event == CHARDEV_CLOSED;
    user->front += event == CHARDEV_FRONT;
    user->back += event == CHARDEV_BACK;
}

static const struct chardev_client user_client = {user_room, user_receive, user_event};

static void keys(struct chardev *c, const char *text)
{
    for (; *text; text++) {
        if (c->client->can_receive(c->client_opaque))
            c->client->receive(c->client_opaque, (const uint8_t *)text, 1);
    }
}

/* ---- the multiplexer ---------------------------------------------------------------------------
 */

static void test_mux_keys(void **state)
{
    struct notes notes = {.n_out = 0};
    struct chardev under = {.ops = &note_ops, .state = &notes};
    struct mux_actions actions = {note_quit, note_save, &notes};
    struct mux *mux = mux_create(&under, &actions);
    struct user serial = {.room = 100}, monitor = {.room = 100};
    struct chardev *a = mux_add(mux), *b = mux_add(mux);

    chardev_connect(a, &user_client, &serial);
    chardev_connect(b, &user_client, &monitor);
    assert_true(chardev_in_front(&under) && chardev_in_front(a) && !chardev_in_front(b));
    keys(&under, "ab\x01\x01");
    assert_string_equal(serial.in, "ab\x01");
    keys(&under, "\x01"
                 "b");
    assert_int_equal(serial.breaks, 1);
    keys(&under, "\x01"
                 "c");
    assert_int_equal(serial.back, 1);
    assert_int_equal(monitor.front, 1);
    assert_true(!chardev_in_front(a) && chardev_in_front(b));
    keys(&under, "info\x01"
                 "cd");
    assert_string_equal(monitor.in, "info");
    assert_string_equal(serial.in, "ab\x01"
                                   "d");
    keys(&under, "\x01"
                 "s\x01"
                 "x");
    assert_int_equal(notes.saves, 1);
    assert_int_equal(notes.quits, 1);
    keys(&under, "\x01h");
    assert_non_null(strstr(notes.out, "Ctrl-a x"));
    notes.n_out = 0;
    keys(&under, "\x01?");
    assert_non_null(strstr(notes.out, "Ctrl-a c"));
    /* A key that means nothing is dropped with its Ctrl-a. */
    keys(&under, "\x01z!");
    assert_string_equal(serial.in, "ab\x01"
                                   "d!");
    mux_destroy(mux);
}

static void test_mux_timestamps(void **state)
{
    struct notes notes = {.n_out = 0};
    struct chardev under = {.ops = &note_ops, .state = &notes};
    struct mux_actions actions = {note_quit, note_save, &notes};
    struct mux *mux = mux_create(&under, &actions);
    struct chardev *a = mux_add(mux);

    chardev_write(a, (const uint8_t *)"one\n", 4);
    keys(&under, "\x01t");
    chardev_write(a, (const uint8_t *)"two\nthree", 9);
    assert_non_null(strstr(notes.out, "one\ntwo\n[00:00:0"));
    assert_non_null(strstr(notes.out, "] three"));
    keys(&under, "\x01t");
    notes.n_out = 0;
    chardev_write(a, (const uint8_t *)"\nfour", 5);
    assert_string_equal(notes.out, "\nfour");
    mux_destroy(mux);
}

/* -echr: another key, and Ctrl-a is one like others. Who comes and goes concerns all. */
static void test_mux_other_key(void **state)
{
    struct notes notes = {.n_out = 0};
    struct chardev under = {.ops = &note_ops, .state = &notes};
    struct mux_actions actions = {note_quit, note_save, &notes, 0x14};
    struct mux *mux = mux_create(&under, &actions);
    struct user serial = {.room = 100}, monitor = {.room = 100};
    struct chardev *a = mux_add(mux), *b = mux_add(mux);

    chardev_connect(a, &user_client, &serial);
    chardev_connect(b, &user_client, &monitor);
    keys(&under, "\x01x\x14x\x14\x14");
    assert_string_equal(serial.in, "\x01x\x14");
    assert_int_equal(notes.quits, 1);
    keys(&under, "\x14h");
    assert_non_null(strstr(notes.out, "Ctrl-t Ctrl-t  send a Ctrl-t"));
    under.client->event(under.client_opaque, CHARDEV_BREAK);
    under.client->event(under.client_opaque, CHARDEV_OPENED);
    assert_int_equal(serial.breaks, 1);
    assert_int_equal(monitor.breaks, 0);
    assert_int_equal(serial.opened + monitor.opened, 2);
    mux_destroy(mux);
}

/* A guest that reads nothing keeps what is typed for later, and does not disable the keys. */
static void test_mux_flow(void **state)
{
    struct notes notes = {.n_out = 0};
    struct chardev under = {.ops = &note_ops, .state = &notes};
    struct mux_actions actions = {note_quit, note_save, &notes};
    struct mux *mux = mux_create(&under, &actions);
    struct user serial = {.room = 0};
    struct chardev *a = mux_add(mux);

    chardev_connect(a, &user_client, &serial);
    keys(&under, "abcdef\x01x");
    assert_int_equal(notes.quits, 1);
    assert_int_equal(serial.n_in, 0);
    serial.room = 2;
    chardev_accept_input(a);
    assert_string_equal(serial.in, "ab");
    serial.room = 100;
    chardev_accept_input(a);
    assert_string_equal(serial.in, "abcdef");
    /* More than fits is refused, not overrun. */
    serial.room = 0;
    for (unsigned i = 0; i < 10000; i++)
        keys(&under, "y");
    assert_int_equal(under.client->can_receive(under.client_opaque), 0);
    serial.room = 8000;
    chardev_accept_input(a);
    assert_true(serial.n_in > 1000);
    mux_destroy(mux);
}

/* ---- streams over descriptors ------------------------------------------------------------------
 */

static void test_file(void **state)
{
    struct error err;
    struct event_loop *loop = event_loop_create(&err);
    struct chardev_context context = {.loop = loop, .program = "calque"};
    char path[] = "/tmp/calque-chardev-XXXXXX", what[64], text[16] = "";
    int fd = mkstemp(path);
    struct chardev *c;
    struct stat st;

    assert_int_equal(write(fd, "before", 6), 6);
    snprintf(what, sizeof(what), "file:%s", path);
    c = chardev_create(&context, "-serial", what, &err);
    assert_non_null(c);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 6);
    chardev_start(c);
    chardev_write(c, (const uint8_t *)"after", 5);
    chardev_destroy(c);
    assert_int_equal(pread(fd, text, sizeof(text) - 1, 0), 5);
    assert_string_equal(text, "after");
    close(fd);
    unlink(path);
    /* Never started: what was made goes away. */
    c = chardev_create(&context, "-serial", what, &err);
    assert_non_null(c);
    assert_int_equal(access(path, F_OK), 0);
    chardev_destroy(c);
    assert_int_not_equal(access(path, F_OK), 0);
    event_loop_destroy(loop);
}

static void test_kinds(void **state)
{
    struct error err;
    struct event_loop *loop = event_loop_create(&err);
    struct chardev_context context = {.loop = loop, .program = "calque"};
    struct chardev *c;

    assert_null(chardev_create(&context, "-serial", "stdoi", &err));
    assert_non_null(strstr(err.message, "'stdio'"));
    assert_null(chardev_create(&context, "-serial", "file", &err));
    assert_non_null(strstr(err.message, "-serial file"));
    assert_null(chardev_create(&context, "-serial", "file:/nonexistent/x", &err));
    assert_non_null(strstr(err.message, "/nonexistent/x"));
    c = chardev_create(&context, "-serial", "null", &err);
    assert_non_null(c);
    chardev_write(c, (const uint8_t *)"x", 1);
    chardev_accept_input(c);
    chardev_start(c);
    chardev_destroy(c);
    /* Nothing attached at all. */
    chardev_write(NULL, (const uint8_t *)"x", 1);
    chardev_accept_input(NULL);
    event_loop_destroy(loop);
}

/* What is typed on a pty arrives as far as there is room, and the rest when room is made. */
static void test_pty(void **state)
{
    struct error err;
    struct event_loop *loop = event_loop_create(&err);
    struct chardev_context context = {.loop = loop, .program = "calque"};
    struct user user = {.room = 3};
    char said[256] = "", text[16] = "", *name;
    int pipe_fds[2], old = dup(2), fd;
    struct chardev *c;

    assert_int_equal(pipe(pipe_fds), 0);
    dup2(pipe_fds[1], 2);
    c = chardev_create(&context, "-serial", "pty", &err);
    dup2(old, 2);
    assert_non_null(c);
    assert_true(read(pipe_fds[0], said, sizeof(said) - 1) > 0);
    name = strstr(said, "/dev/");
    assert_non_null(name);
    name[strcspn(name, "\n")] = 0;
    fd = open(name, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    chardev_connect(c, &user_client, &user);
    assert_int_equal(write(fd, "abcde", 5), 5);
    for (int i = 0; i < 50 && user.n_in < 3; i++) {
        event_loop_wait(loop, 20);
        event_loop_dispatch(loop);
    }
    assert_string_equal(user.in, "abc");
    event_loop_wait(loop, 10);
    event_loop_dispatch(loop);
    user.room = 10;
    chardev_accept_input(c);
    for (int i = 0; i < 50 && user.n_in < 5; i++) {
        event_loop_wait(loop, 20);
        event_loop_dispatch(loop);
    }
    assert_string_equal(user.in, "abcde");
    /* Without a newline it waits for more, but not long. */
    chardev_write(c, (const uint8_t *)"he", 2);
    chardev_write(c, (const uint8_t *)"llo", 3);
    for (int i = 0; i < 2; i++) {
        event_loop_wait(loop, 1000);
        usleep(3000);
        event_loop_dispatch(loop);
    }
    assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
    assert_string_equal(text, "hello");
    close(fd);
    /* Nobody there: not lost in blocking, not spinning. */
    for (int i = 0; i < 5000; i++)
        chardev_write(c, (const uint8_t *)"0123456789abcdef", 16);
    chardev_destroy(c);
    event_loop_destroy(loop);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    close(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mux_keys), cmocka_unit_test(test_mux_timestamps),
        cmocka_unit_test(test_mux_flow), cmocka_unit_test(test_mux_other_key),
        cmocka_unit_test(test_file),     cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_pty),
    };

    return cmocka_run_group_tests_name("chardev", tests, NULL, NULL);
}
