/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual time: order of timers, changing them from callbacks, stopping, the file descriptor. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "util/clock.h"
#include "util/host_time.h"

enum { N = 200 };

struct record {
    struct timer timer;
    struct log *log;
    int64_t again; /* periods still to run */
    int64_t period;
};

struct log {
    struct clock *clock;
    int64_t when[4096];
    unsigned n;
};

static void expired(void *opaque)
{
    struct record *r = opaque;

    r->log->when[r->log->n++] = clock_now_ns(r->log->clock);
    if (r->again && r->again--)
        timer_set(&r->timer, clock_now_ns(r->log->clock) + r->period);
}

static void timers_run_in_order(void **state)
{
    struct clock *clock = clock_create_manual();
    struct log log = {.clock = clock};
    struct record records[N] = {0};
    unsigned seed = 1, cancelled = 0;

    for (unsigned i = 0; i < N; i++) {
        records[i].log = &log;
        timer_init(&records[i].timer, clock, expired, &records[i]);
        assert_false(timer_pending(&records[i].timer));
        timer_set(&records[i].timer, 1 + rand_r(&seed) % 1000);
        assert_true(timer_pending(&records[i].timer));
    }
    for (unsigned i = 0; i < N; i += 3) {
        timer_cancel(&records[i].timer);
        cancelled++;
    }
    for (unsigned i = 1; i < N; i += 3)
        timer_set(&records[i].timer, 1 + rand_r(&seed) % 1000);
    clock_advance(clock, 500);
    assert_int_equal(clock_now_ns(clock), 500);
    assert_in_range(log.n, 1, N);
    for (unsigned i = 0; i < log.n; i++)
        assert_true(log.when[i] <= 500);
    clock_advance(clock, 500);
    assert_int_equal(log.n, N - cancelled);
    for (unsigned i = 1; i < log.n; i++)
        assert_true(log.when[i - 1] <= log.when[i]);
    assert_int_equal(clock_run(clock), TIME_NEVER);
    clock_destroy(clock);
}

static void callbacks_set_their_timer_again(void **state)
{
    struct clock *clock = clock_create_manual();
    struct log log = {.clock = clock};
    struct record r = {.log = &log, .again = 9, .period = 10};

    timer_init(&r.timer, clock, expired, &r);
    timer_set(&r.timer, 10);
    clock_advance(clock, 55);
    assert_int_equal(log.n, 5);
    clock_advance(clock, 1000);
    assert_int_equal(log.n, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(log.when[i], 10 * (i + 1));
    clock_destroy(clock);
}

static bool readable(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, timeout_ms) == 1;
}

static void descriptor_says_when(void **state)
{
    struct clock *clock = clock_create();
    struct log log = {.clock = clock};
    struct record r = {.log = &log};

    assert_non_null(clock);
    timer_init(&r.timer, clock, expired, &r);
    assert_false(readable(clock_fd(clock), 0));
    timer_set(&r.timer, clock_now_ns(clock) + 2000000);
    assert_false(readable(clock_fd(clock), 0));
    assert_true(readable(clock_fd(clock), 1000));
    assert_int_equal(clock_run(clock), TIME_NEVER);
    assert_int_equal(log.n, 1);
    assert_false(readable(clock_fd(clock), 0));
    /* In the past: at once. */
    timer_set(&r.timer, 0);
    assert_true(readable(clock_fd(clock), 1000));
    clock_run(clock);
    assert_int_equal(log.n, 2);
    clock_destroy(clock);
}

static void stopped_time_stands_still(void **state)
{
    struct clock *clock = clock_create();
    struct log log = {.clock = clock};
    struct record r = {.log = &log};
    struct timespec pause = {.tv_nsec = 5000000};
    int64_t then;

    timer_init(&r.timer, clock, expired, &r);
    clock_stop(clock);
    then = clock_now_ns(clock);
    timer_set(&r.timer, then + 1000000);
    nanosleep(&pause, NULL);
    assert_int_equal(clock_now_ns(clock), then);
    assert_false(readable(clock_fd(clock), 0));
    clock_run(clock);
    assert_int_equal(log.n, 0);
    clock_start(clock);
    assert_true(clock_now_ns(clock) - then < 1000000000);
    assert_true(readable(clock_fd(clock), 1000));
    clock_run(clock);
    assert_int_equal(log.n, 1);
    clock_destroy(clock);
}

/* A guest may set a timer that is always due: clock_run must come back nevertheless. */
static void due_forever_returns(void **state)
{
    struct clock *clock = clock_create();
    struct log log = {.clock = clock};
    struct record r = {.log = &log, .again = 2000, .period = -1000000};

    timer_init(&r.timer, clock, expired, &r);
    timer_set(&r.timer, 0);
    assert_true(clock_run(clock) <= clock_now_ns(clock));
    assert_in_range(log.n, 1, 1000);
    assert_true(readable(clock_fd(clock), 1000));
    timer_cancel(&r.timer);
    clock_destroy(clock);
}

static void count_soon(void *opaque)
{
    ++*(unsigned *)opaque;
}

/* What is near is left to who attends and wakes no reader, until it leaves; what is not is the
 * reader's. */
static void near_timers_are_attended(void **state)
{
    struct clock *clock = clock_create();
    struct log log = {.clock = clock};
    struct record r = {.log = &log};
    unsigned soon = 0;

    timer_init(&r.timer, clock, expired, &r);
    clock_attend(clock, count_soon, &soon);
    for (unsigned i = 1; i <= 100; i++) {
        int64_t due = clock_now_ns(clock) + 5000;

        timer_set(&r.timer, due);
        assert_int_equal(soon, i);
        assert_int_equal(clock_attended_ns(clock), due);
        while (clock_now_ns(clock) < due)
            continue;
        assert_false(readable(clock_fd(clock), 0));
        clock_run(clock);
        assert_int_equal(log.n, i);
        assert_int_equal(clock_attended_ns(clock), TIME_NEVER);
    }
    timer_set(&r.timer, clock_now_ns(clock) + 5000);
    clock_leave(clock);
    assert_int_equal(clock_attended_ns(clock), TIME_NEVER);
    assert_true(readable(clock_fd(clock), 1000));
    clock_run(clock);
    assert_int_equal(log.n, 101);
    timer_set(&r.timer, clock_now_ns(clock) + 1000000);
    assert_int_equal(soon, 101);
    assert_int_equal(clock_attended_ns(clock), TIME_NEVER);
    assert_true(readable(clock_fd(clock), 1000));
    clock_run(clock);
    assert_int_equal(log.n, 102);
    clock_destroy(clock);
}

/* While it is calibrated, on the line drawn then, and on the lines that follow; also as if the host
 * had slept, and as if the line had gone astray: then slowly back. */
static void host_time_follows_the_clock(void **state)
{
    struct host_time t;
    int64_t last = 0, end;

    host_time_init(&t);
    for (unsigned part = 0; part < 4; part++) {
        if (part == 2)
            t.line.ns -= 5000000000;
        if (part == 3)
            t.line.ns += 100000;
        end = monotonic_ns() + 400000000;
        while (monotonic_ns() < end) {
            int64_t before = monotonic_ns(), now = host_time_ns(&t), after = monotonic_ns();

            if (part != 2)
                assert_true(now >= last);
            last = now;
            if (part < 2) {
                assert_true(now > before - 10000);
                assert_true(now < after + 10000);
            }
        }
        assert_true(llabs(host_time_ns(&t) - monotonic_ns()) < 1000000);
    }
    host_time_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_in_order),
        cmocka_unit_test(callbacks_set_their_timer_again),
        cmocka_unit_test(descriptor_says_when),
        cmocka_unit_test(stopped_time_stands_still),
        cmocka_unit_test(due_forever_returns),
        cmocka_unit_test(near_timers_are_attended),
        cmocka_unit_test(host_time_follows_the_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
