/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening what -serial, -parallel, -debugcon and -monitor name, by QEMU's rules. */
#define _GNU_SOURCE
#include "vm/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "vm/monitor.h"

struct streams {
    struct vm *vm;
    struct event_loop *loop;
    const struct options *options;
    struct chardev *serial[OPTIONS_SERIALS]; /* what the boards' ports are connected to */
    struct chardev *parallel, *debugcon;
    struct chardev *owned[OPTIONS_SERIALS + 3];
    unsigned n_owned;
    struct mux *mux[OPTIONS_SERIALS];
    unsigned n_mux;
    struct monitor *monitors[OPTIONS_SERIALS + 1];
    unsigned n_monitors;
    bool stdio_used;
};

static void say(struct vm *vm, const char *text)
{
    fprintf(stderr, "%s: %s\n", vm_options(vm)->program, text);
}

static void mux_quit(void *opaque)
{
    struct vm *vm = opaque;

    say(vm, "Terminated");
    vm_quit(vm);
}

static void mux_save(void *opaque)
{
    say(opaque, "there are no changed disks to save");
}

static bool add_monitor(struct streams *streams, struct chardev *c, bool in_front,
                        struct error *err)
{
    struct monitor *monitor = monitor_create(streams->vm, c, in_front);

    if (!monitor)
        return error_set(err, "out of memory");
    streams->monitors[streams->n_monitors++] = monitor;
    return true;
}

static struct chardev *open_stream(struct streams *streams, const char *option, const char *what,
                                   bool muxed, struct error *err)
{
    struct chardev_context context = {
        .loop = streams->loop,
        .program = streams->options->program,
        .keys_signal = !muxed && !streams->options->nographic,
    };

    if (!strcmp(what, "stdio")) {
        if (streams->stdio_used) {
            error_set(err, "%s stdio: stdio is already taken; mon:stdio shares it", option);
            return NULL;
        }
        streams->stdio_used = true;
    }
    return chardev_create(&context, option, what, err);
}

/* what: "mon:KIND" shares the stream with a monitor. */
static bool open_serial(struct streams *streams, unsigned port, const char *what, struct error *err)
{
    bool muxed = !strncmp(what, "mon:", 4);
    struct chardev *c, *end;
    struct mux_actions actions = {mux_quit, mux_save, streams->vm, streams->options->program};

    if (!strcmp(what, "none"))
        return true;
    c = open_stream(streams, "-serial", muxed ? what + 4 : what, muxed, err);
    if (!c)
        return false;
    if (!muxed) {
        streams->owned[streams->n_owned++] = c;
        streams->serial[port] = c;
        return true;
    }
    struct mux *mux = mux_create(c, &actions);
    if (!mux) {
        chardev_destroy(c);
        return error_set(err, "out of memory");
    }
    streams->mux[streams->n_mux++] = mux;
    streams->serial[port] = mux_add(mux, "serial");
    end = mux_add(mux, "monitor");
    return add_monitor(streams, end, false, err);
}

/* QEMU's rules: what is not asked for goes to the terminal with -nographic, the console sharing it
 * with the monitor where neither was named. There is no window yet, so that without any word about
 * where things go the terminal is the only place to show them. */
static bool open_console(struct streams *streams, struct error *err)
{
    const struct options *o = streams->options;
    bool terminal = o->nographic || (!o->no_display && !o->no_defaults);
    bool share = terminal && !o->n_serial && !o->no_defaults &&
                 (!o->monitor || (o->nographic && !strcmp(o->monitor, "stdio")));

    for (unsigned i = 0; i < o->n_serial; i++) {
        if (!open_serial(streams, i, o->serial[i], err))
            return false;
    }
    if (share)
        return open_serial(streams, 0, "mon:stdio", err);
    if (terminal && !o->n_serial && !o->no_defaults && strcmp(o->monitor, "stdio") &&
        !open_serial(streams, 0, "stdio", err))
        return false;
    if (o->monitor && strcmp(o->monitor, "none")) {
        struct chardev *c = open_stream(streams, "-monitor", o->monitor, false, err);
        if (!c)
            return false;
        streams->owned[streams->n_owned++] = c;
        return add_monitor(streams, c, true, err);
    }
    return true;
}

/* -parallel and -debugcon. */
static bool open_other_stream(struct streams *streams, const char *option, const char *what,
                              struct chardev **out, struct error *err)
{
    if (!what || !strcmp(what, "none"))
        return true;
    *out = open_stream(streams, option, what, false, err);
    if (*out)
        streams->owned[streams->n_owned++] = *out;
    return *out != NULL;
}

struct streams *streams_open(struct vm *vm, struct event_loop *loop, struct error *err)
{
    const struct options *o = vm_options(vm);
    struct streams *streams = calloc(1, sizeof(*streams));

    if (!streams) {
        error_set(err, "out of memory");
        return NULL;
    }
    streams->vm = vm;
    streams->loop = loop;
    streams->options = o;
    if (open_console(streams, err) &&
        open_other_stream(streams, "-parallel", o->parallel, &streams->parallel, err) &&
        open_other_stream(streams, "-debugcon", o->debugcon, &streams->debugcon, err))
        return streams;
    streams_close(streams);
    return NULL;
}

void streams_close(struct streams *streams)
{
    if (!streams)
        return;
    for (unsigned i = 0; i < streams->n_monitors; i++)
        monitor_destroy(streams->monitors[i]);
    for (unsigned i = 0; i < streams->n_mux; i++)
        mux_destroy(streams->mux[i]);
    for (unsigned i = 0; i < streams->n_owned; i++)
        chardev_destroy(streams->owned[i]);
    free(streams);
}

struct chardev *streams_find(const struct streams *streams, const char *name)
{
    unsigned port;

    if (sscanf(name, "serial%u", &port) == 1 && port < OPTIONS_SERIALS)
        return streams->serial[port];
    if (!strcmp(name, "parallel0"))
        return streams->parallel;
    if (!strcmp(name, "debugcon"))
        return streams->debugcon;
    return NULL;
}

void streams_start(struct streams *streams)
{
    for (unsigned i = 0; i < streams->n_owned; i++)
        chardev_start(streams->owned[i]);
    for (unsigned i = 0; i < streams->n_mux; i++)
        mux_start(streams->mux[i]);
    for (unsigned i = 0; i < streams->n_monitors; i++)
        monitor_start(streams->monitors[i]);
}

void streams_run(struct streams *streams)
{
    for (unsigned i = 0; i < streams->n_monitors; i++)
        monitor_run(streams->monitors[i]);
}
