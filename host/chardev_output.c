/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines gathered, and what waits for a slow reader. */
#define _GNU_SOURCE
#include "host/chardev_output.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/log.h"

#define LINE_DELAY_NS INT64_C(2000000)
#define PATIENCE_NS INT64_C(1000000000)
/* A pipe that polls as writable takes this much at once (PIPE_BUF). */
enum { PIECE_BYTES = 4096, LOOK_MS = 20 };

static void say_lost(struct chardev_output *output, const char *why)
{
    if (!output->said)
        log_printf(LOG_UNIMP, "%s: output is lost: %s\n", output->name, why);
    output->said = true;
}

/* The other side of a pty may not be open: what is written then would fill the line and block. */
static bool has_reader(const struct chardev_output *output)
{
    struct pollfd state = {.fd = output->fd, .events = POLLOUT};

    return !output->is_pty || (poll(&state, 1, 0) >= 0 && !(state.revents & POLLHUP));
}

/* Somebody wants calque to end, and the loop knows or is about to: the signals are blocked, as it
 * reads them. */
static bool is_ending(const struct chardev_output *output)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t pending;

    if (event_loop_is_ending(output->loop))
        return true;
    if (sigpending(&pending) != 0)
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
        if (sigismember(&pending, signals[i]))
            return true;
    }
    return false;
}

static bool wait_writable(const struct chardev_output *output, int timeout_ms)
{
    struct pollfd wait = {.fd = output->fd, .events = POLLOUT};

    return poll(&wait, 1, timeout_ms) > 0;
}

/* How much of it went out without waiting: less where it would block, and less with `failed` set.
 */
static unsigned write_some(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    unsigned done = 0;

    while (done < size) {
        unsigned part = size - done;
        if (output->lossless) {
            part = MIN(part, (unsigned)PIECE_BYTES);
            if (!wait_writable(output, 0))
                break;
        }
        ssize_t written = write(output->fd, data + done, part);
        if (written > 0) {
            done += (unsigned)written;
        } else if (written < 0 && errno == EAGAIN) {
            break;
        } else if (written == 0 || errno != EINTR) {
            say_lost(output, written ? strerror(errno) : "nothing is taken");
            output->failed = true;
            break;
        }
    }
    return done;
}

/* ---- what waits --------------------------------------------------------------------------------
 */

static void set_hold(struct chardev_output *output, bool hold)
{
    if (output->hold && output->holds != hold)
        output->hold(output->hold_opaque, hold);
    output->holds = hold;
}

static void forget_waiting(struct chardev_output *output)
{
    output->n_waiting = 0;
    watch_set_writing(output->loop, output->watch, false);
    set_hold(output, false);
}

void chardev_output_writable(struct chardev_output *output)
{
    unsigned done;

    if (output->fd < 0 || output->failed || !has_reader(output)) {
        forget_waiting(output);
        return;
    }
    done = write_some(output, output->waiting, output->n_waiting);
    output->n_waiting -= done;
    memmove(output->waiting, output->waiting + done, output->n_waiting);
    if (done && output->n_waiting <= CHARDEV_WAITING_BYTES / 2)
        output->patience_ns = PATIENCE_NS;
    if (output->failed || !output->n_waiting)
        forget_waiting(output);
}

/* As much of it as fits, for the loop to write. */
static unsigned keep(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    unsigned part = MIN(size, CHARDEV_WAITING_BYTES - output->n_waiting);

    if (!output->waiting)
        output->waiting = malloc(CHARDEV_WAITING_BYTES);
    if (!output->waiting)
        return 0;
    memcpy(output->waiting + output->n_waiting, data, part);
    output->n_waiting += part;
    watch_set_writing(output->loop, output->watch, true);
    set_hold(output, output->lossless);
    return part;
}

/* Holds the guest up until there is room; false: no patience is left. */
static bool wait_for_room(struct chardev_output *output)
{
    int64_t start_ns = monotonic_ns();

    if (output->patience_ns <= 0)
        return false;
    if (wait_writable(output, (int)(output->patience_ns / 1000000) + 1))
        chardev_output_writable(output);
    output->patience_ns -= monotonic_ns() - start_ns;
    return !output->failed;
}

static void write_patiently(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    unsigned done = output->n_waiting ? 0 : write_some(output, data, size);

    while (done < size && !output->failed) {
        done += keep(output, data + done, size - done);
        if (done < size && (!output->waiting || !wait_for_room(output))) {
            say_lost(output, "the other side does not read");
            return;
        }
    }
}

/* Nobody could end calque from within write(2): its signals wait for the loop, which waits for the
 * lock that is held here. False: it is to end, and the second that there was for the rest is over.
 */
static bool wait_lossless(struct chardev_output *output)
{
    if (wait_writable(output, LOOK_MS) || !is_ending(output))
        return true;
    output->patience_ns -= LOOK_MS * INT64_C(1000000);
    return output->patience_ns > 0;
}

/* All of it, however long that takes. What has to wait is the loop's to write, and the guest stands
 * still meanwhile: not here, where it would hold the lock, and so the monitor, up. */
static void write_lossless(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    while (size && !output->failed) {
        unsigned done;
        if (output->n_waiting)
            chardev_output_writable(output);
        done = output->n_waiting ? 0 : write_some(output, data, size);
        if (done < size && !output->failed && output->hold)
            done += keep(output, data + done, size - done);
        data += done;
        size -= done;
        if (size && !output->failed && !wait_lossless(output))
            return;
    }
    output->failed = false; /* a full disk may have room again */
}

static void write_out(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    if (output->fd < 0 || output->failed)
        return;
    if (output->lossless) {
        write_lossless(output, data, size);
    } else if (has_reader(output)) {
        write_patiently(output, data, size);
    } else {
        forget_waiting(output);
    }
}

/* ---- lines -------------------------------------------------------------------------------------
 */

void chardev_output_flush(struct chardev_output *output)
{
    unsigned size = output->n_line;

    output->n_line = 0;
    if (size)
        write_out(output, output->line, size);
}

void chardev_output_write(struct chardev_output *output, const uint8_t *data, unsigned size)
{
    if (!size)
        return;
    if (size > CHARDEV_LINE_BYTES - output->n_line)
        chardev_output_flush(output);
    if (size > CHARDEV_LINE_BYTES) {
        write_out(output, data, size);
        return;
    }
    memcpy(output->line + output->n_line, data, size);
    output->n_line += size;
    if (data[size - 1] == '\n')
        chardev_output_flush(output);
    else
        watch_set_due(output->loop, output->watch, LINE_DELAY_NS);
}

bool chardev_output_is_empty(const struct chardev_output *output)
{
    return !output->n_line && !output->n_waiting;
}

void chardev_output_init(struct chardev_output *output, const char *name, struct event_loop *loop,
                         struct watch *watch, int fd)
{
    *output = (struct chardev_output){
        .name = name, .loop = loop, .watch = watch, .fd = fd, .patience_ns = PATIENCE_NS};
}

void chardev_output_switch(struct chardev_output *output, int fd)
{
    output->fd = fd;
    output->n_line = 0;
    output->failed = output->said = false;
    output->patience_ns = PATIENCE_NS;
    forget_waiting(output);
}

void chardev_output_finish(struct chardev_output *output)
{
    output->hold = NULL; /* the guest is gone */
    chardev_output_flush(output);
    do {
        if (output->n_waiting)
            chardev_output_writable(output);
    } while (output->n_waiting && output->lossless && wait_lossless(output));
    free(output->waiting);
    output->waiting = NULL;
}
