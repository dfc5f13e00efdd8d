/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening what the options name as streams, by QEMU's rules, and sharing it out. */
#define _GNU_SOURCE
#include "vm/streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "vm/monitor.h"

enum {
    MAX_STREAMS = OPTIONS_CHARDEVS + OPTIONS_SERIALS + OPTIONS_MONITORS + 2,
    MAX_MONITORS = OPTIONS_SERIALS + 2 * OPTIONS_MONITORS + 2,
    ID_BYTES = 64
};

struct stream {
    char id[ID_BYTES];       /* of -chardev, or QEMU's name for it */
    struct chardev *chardev; /* the mux's, if there is one */
    struct mux *mux;
    bool taken;
};

struct streams {
    struct vm *vm;
    struct event_loop *loop;
    const struct options *options;
    struct screens *consoles; /* NULL: there is no window */
    struct stream stream[MAX_STREAMS];
    unsigned n_streams;
    struct chardev *serial[OPTIONS_SERIALS]; /* what the boards' ports are connected to */
    bool serial_found[OPTIONS_SERIALS];      /* the board has that port */
    struct chardev *parallel, *debugcon;
    struct monitor *monitors[MAX_MONITORS];
    unsigned n_monitors;
    bool stdio_used;
    uint8_t escape_key;
};

/* ---- what streams ask for ----------------------------------------------------------------------
 */

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
    vm_save_disks(opaque);
}

static void will_accept(void *opaque)
{
    vm_sandbox_needs(opaque)->accept = true;
}

static void will_connect(void *opaque)
{
    vm_sandbox_needs(opaque)->connect = true;
}

static const char *will_remove(void *opaque, const char *path)
{
    return sandbox_removable(vm_sandbox_needs(opaque), path);
}

static void hold(void *opaque, bool hold)
{
    vcpu_hold(vm_machine(opaque)->cpu, hold);
}

/* ---- opening and sharing -----------------------------------------------------------------------
 */

static struct stream *stream_find(struct streams *streams, const char *id)
{
    for (unsigned i = 0; i < streams->n_streams; i++) {
        if (!strcmp(streams->stream[i].id, id))
            return &streams->stream[i];
    }
    return NULL;
}

static bool take_stdio(struct streams *streams, const struct chardev_spec *spec, struct error *err)
{
    if (strcmp(spec->kind->name, "stdio"))
        return true;
    if (streams->stdio_used)
        return error_set(err, "%s: stdio is already taken; mon:stdio shares it", spec->what);
    streams->stdio_used = true;
    return true;
}

/* Takes the spec over. */
static struct stream *open_stream(struct streams *streams, struct chardev_spec *spec,
                                  const char *id, bool muxed, struct error *err)
{
    struct stream *stream = &streams->stream[streams->n_streams];
    struct mux_actions actions = {mux_quit, mux_save, streams->vm, streams->escape_key};
    struct chardev_context context = {
        .loop = streams->loop,
        .program = streams->options->program,
        .keys_signal = !muxed && !streams->options->nographic,
        .will_accept = will_accept,
        .will_connect = will_connect,
        .will_remove = will_remove,
        .hold = hold,
        .opaque = streams->vm,
        .consoles = streams->consoles,
        .label = id,
    };

    if (!take_stdio(streams, spec, err)) {
        chardev_spec_destroy(spec);
        return NULL;
    }
    *stream = (struct stream){.chardev = chardev_open(&context, spec, err)};
    if (!stream->chardev)
        return NULL;
    snprintf(stream->id, sizeof(stream->id), "%s", id);
    if (muxed) {
        stream->mux = mux_create(stream->chardev, &actions);
        if (!stream->mux) {
            chardev_destroy(stream->chardev);
            error_set(err, "out of memory");
            return NULL;
        }
    }
    streams->n_streams++;
    return stream;
}

/* A user's end of the stream. */
static struct chardev *take_stream(struct stream *stream, const char *option, struct error *err)
{
    struct chardev *end;

    if (!stream->mux) {
        if (stream->taken) {
            error_set(err, "%s chardev:%s: it is used already; mux=on lets several share it",
                      option, stream->id);
            return NULL;
        }
        stream->taken = true;
        return stream->chardev;
    }
    end = mux_add(stream->mux);
    if (!end)
        error_set(err, "%s chardev:%s: too many share it", option, stream->id);
    return end;
}

static bool open_chardev(struct streams *streams, const char *text, struct error *err)
{
    struct chardev_spec *spec = chardev_spec_parse_long(text, err);
    const char *id = spec ? chardev_spec_string(spec, "id") : NULL;

    if (!spec)
        return false;
    if (stream_find(streams, id) || strlen(id) >= ID_BYTES) {
        error_set(err,
                  strlen(id) >= ID_BYTES ? "-chardev %s: the id is too long"
                                         : "-chardev %s: there is such an id already",
                  text);
        chardev_spec_destroy(spec);
        return false;
    }
    return open_stream(streams, spec, id, chardev_spec_switch(spec, "mux", false), err) != NULL;
}

/* ---- monitors ----------------------------------------------------------------------------------
 */

static bool add_monitor(struct streams *streams, struct chardev *c, struct error *err)
{
    struct monitor *monitor = monitor_create(streams->vm, c);

    if (!monitor)
        return error_set(err, "out of memory");
    streams->monitors[streams->n_monitors++] = monitor;
    return true;
}

/* What a port is connected to: "KIND:..", "chardev:ID", "none"; "mon:KIND" shares the stream with
 * a monitor. id: QEMU's name for it. */
static bool open_port(struct streams *streams, const char *option, const char *what, const char *id,
                      struct chardev **out, struct error *err)
{
    bool muxed = !strncmp(what, "mon:", 4);
    struct chardev_spec *spec;
    struct stream *stream;

    if (!strcmp(what, "none"))
        return true;
    if (!strncmp(what, "chardev:", 8)) {
        stream = stream_find(streams, what + 8);
        if (!stream)
            return error_set(err, "%s %s: there is no -chardev with the id '%s'", option, what,
                             what + 8);
        *out = take_stream(stream, option, err);
        return *out != NULL;
    }
    spec = chardev_spec_parse(option, muxed ? what + 4 : what, err);
    stream = spec ? open_stream(streams, spec, id, muxed, err) : NULL;
    *out = stream ? take_stream(stream, option, err) : NULL;
    if (!muxed || !*out)
        return *out != NULL;
    return add_monitor(streams, mux_add(stream->mux), err);
}

static bool open_serial(struct streams *streams, unsigned port, const char *what, struct error *err)
{
    char id[ID_BYTES];

    snprintf(id, sizeof(id), "serial%u", port);
    return open_port(streams, "-serial", what, id, &streams->serial[port], err);
}

static bool open_monitor(struct streams *streams, const char *option, const char *what,
                         struct error *err)
{
    bool muxed = !strncmp(what, "mon:", 4);
    struct chardev *c = NULL;
    char id[ID_BYTES];

    snprintf(id, sizeof(id), "compat_monitor%u", streams->n_monitors);
    /* A monitor needs no second one. */
    if (!open_port(streams, option, muxed ? strchr(what, ':') + 1 : what, id, &c, err))
        return false;
    return !c || add_monitor(streams, c, err);
}

/* "chardev=ID,mode=readline", "ID". */
static bool open_mon(struct streams *streams, const char *text, struct error *err)
{
    char what[ID_BYTES + 16] = "";

    for (const char *item = text; *item;) {
        size_t length = strcspn(item, ",");
        if (!strncmp(item, "chardev=", 8) || !memchr(item, '=', length)) {
            size_t skip = strncmp(item, "chardev=", 8) ? 0 : 8;
            snprintf(what, sizeof(what), "chardev:%.*s", (int)MIN(length - skip, ID_BYTES - 1u),
                     item + skip);
        } else if (!strncmp(item, "mode=", 5)) {
            if (length != 13 || strncmp(item, "mode=readline", 13))
                return error_set(err, "-mon %s: the only mode is readline; there is no QMP", text);
        } else if (strncmp(item, "pretty=", 7) && strncmp(item, "id=", 3)) {
            return error_set(err, "-mon %.*s is not known; it takes: chardev=, mode=readline",
                             (int)length, item);
        }
        item += length;
        item += *item == ',';
    }
    if (!*what)
        return error_set(err, "-mon %s: which stream? chardev=ID", text);
    return open_monitor(streams, "-mon", what, err);
}

/* ---- QEMU's defaults ---------------------------------------------------------------------------
 */

/* Some -serial brings a monitor along. */
static bool serial_has_monitor(const struct options *o)
{
    for (unsigned i = 0; i < o->n_serial; i++) {
        if (!strncmp(o->serial[i], "mon:", 4))
            return true;
    }
    return false;
}

static bool has_window(const struct streams *streams)
{
    return streams->consoles && !streams->options->nographic;
}

/* With a window what is not asked for is a console there. The monitor's is the first of them. */
static bool open_default_monitor(struct streams *streams, struct error *err)
{
    const struct options *o = streams->options;

    return !has_window(streams) || o->no_defaults || o->n_monitor || o->n_mon ||
           serial_has_monitor(o) || open_monitor(streams, "-monitor", "vc", err);
}

static const char *default_parallel(const struct streams *streams)
{
    return has_window(streams) && !streams->options->no_defaults ? "vc:80Cx24C" : "none";
}

/* What is not asked for goes to the terminal with -nographic, the console sharing it with the
 * monitor where neither was named. Where there is no window, and no word about where things go, the
 * terminal is the only place to show them. */
static bool open_defaults(struct streams *streams, struct error *err)
{
    const struct options *o = streams->options;
    bool terminal = (o->nographic || !o->no_display) && !o->no_defaults && !streams->stdio_used;
    bool has_monitor = o->n_monitor || o->n_mon || serial_has_monitor(o);

    if (has_window(streams))
        return o->n_serial || o->no_defaults || open_serial(streams, 0, "vc:80Cx24C", err);
    if (!terminal)
        return true;
    if (o->n_serial)
        return has_monitor || !o->nographic || open_monitor(streams, "-monitor", "stdio", err);
    if (!has_monitor)
        return open_serial(streams, 0, "mon:stdio", err);
    return open_serial(streams, 0, "stdio", err);
}

/* With -nographic, -monitor stdio is what there would be without it. */
static bool is_shared_stdio(const struct options *o, const char *monitor)
{
    return o->nographic && !o->n_serial && !o->no_defaults && !strcmp(monitor, "stdio");
}

static bool is_console(const char *what)
{
    return !strncmp(what, "vc", 2) && (!what[2] || what[2] == ':');
}

/* Those in the window, or those elsewhere. */
static bool open_monitors(struct streams *streams, bool consoles, struct error *err)
{
    const struct options *o = streams->options;

    for (unsigned i = 0; i < o->n_monitor; i++) {
        bool opened = is_console(o->monitor[i]) != consoles ||
                      (is_shared_stdio(o, o->monitor[i])
                           ? open_serial(streams, 0, "mon:stdio", err)
                           : open_monitor(streams, "-monitor", o->monitor[i], err));
        if (!opened)
            return false;
    }
    return true;
}

static bool open_all(struct streams *streams, struct error *err)
{
    const struct options *o = streams->options;

    for (unsigned i = 0; i < o->n_chardev; i++) {
        if (!open_chardev(streams, o->chardev[i], err))
            return false;
    }
    if (!open_default_monitor(streams, err) || !open_monitors(streams, true, err))
        return false;
    for (unsigned i = 0; i < o->n_serial; i++) {
        if (!open_serial(streams, i, o->serial[i], err))
            return false;
    }
    if (!open_monitors(streams, false, err))
        return false;
    for (unsigned i = 0; i < o->n_mon; i++) {
        if (!open_mon(streams, o->mon[i], err))
            return false;
    }
    if (!open_defaults(streams, err))
        return false;
    return open_port(streams, "-parallel", o->parallel ? o->parallel : default_parallel(streams),
                     "parallel0", &streams->parallel, err) &&
           open_port(streams, "-debugcon", o->debugcon ? o->debugcon : "none", "debugcon",
                     &streams->debugcon, err);
}

/* ---- life --------------------------------------------------------------------------------------
 */

static bool read_escape_key(struct streams *streams, struct error *err)
{
    const char *text = streams->options->escape_key;
    unsigned long key;
    char *end;

    if (!text)
        return true;
    errno = 0;
    key = strtoul(text, &end, 0);
    if (errno || end == text || *end || !key || key > 255)
        return error_set(err, "-echr %s: it is the number of a character, 1 to 255", text);
    streams->escape_key = (uint8_t)key;
    return true;
}

struct streams *streams_open(struct vm *vm, struct event_loop *loop, struct screens *consoles,
                             struct error *err)
{
    struct streams *streams = calloc(1, sizeof(*streams));

    if (!streams) {
        error_set(err, "out of memory");
        return NULL;
    }
    streams->vm = vm;
    streams->loop = loop;
    streams->options = vm_options(vm);
    streams->consoles = consoles;
    if (read_escape_key(streams, err) && open_all(streams, err))
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
    for (unsigned i = 0; i < streams->n_streams; i++) {
        if (streams->stream[i].mux)
            mux_destroy(streams->stream[i].mux);
        else
            chardev_destroy(streams->stream[i].chardev);
    }
    free(streams);
}

struct chardev *streams_find(struct streams *streams, const char *name)
{
    struct stream *stream;
    unsigned port;

    if (sscanf(name, "serial%u", &port) == 1 && port < OPTIONS_SERIALS) {
        streams->serial_found[port] = true;
        return streams->serial[port];
    }
    if (!strcmp(name, "parallel0"))
        return streams->parallel;
    if (!strcmp(name, "debugcon"))
        return streams->debugcon;
    stream = stream_find(streams, name);
    return stream ? take_stream(stream, "-device", NULL) : NULL;
}

/* Output that nobody makes: said, since the user looks for it. */
static void note_missing_ports(const struct streams *streams)
{
    const struct options *o = streams->options;

    for (unsigned i = 0; i < o->n_serial; i++) {
        if (streams->serial[i] && !streams->serial_found[i] && strcmp(o->serial[i], "null"))
            fprintf(stderr, "%s: note: -serial %s: machine '%s' has no serial port %u\n",
                    o->program, o->serial[i], vm_machine(streams->vm)->class->name, i + 1);
    }
}

void streams_start(struct streams *streams)
{
    note_missing_ports(streams);
    for (unsigned i = 0; i < streams->n_streams; i++)
        chardev_start(streams->stream[i].chardev);
    for (unsigned i = 0; i < streams->n_monitors; i++)
        monitor_start(streams->monitors[i]);
}

bool streams_await_peer(const struct streams *streams)
{
    for (unsigned i = 0; i < streams->n_streams; i++) {
        if (chardev_awaits_peer(streams->stream[i].chardev))
            return true;
    }
    return false;
}

void streams_run(struct streams *streams)
{
    for (unsigned i = 0; i < streams->n_monitors; i++)
        monitor_run(streams->monitors[i]);
}

void streams_print(const struct streams *streams, FILE *out)
{
    char text[256];

    for (unsigned i = 0; i < streams->n_streams; i++) {
        const struct stream *stream = &streams->stream[i];
        chardev_describe(stream->chardev, text, sizeof(text));
        fprintf(out, "%s: filename=%s%s\n", stream->id, stream->mux ? "mux <-> " : "", text);
    }
}
