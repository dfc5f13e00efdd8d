/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all character streams share, and those that lead nowhere. */
#include "host/chardev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "host/text_console.h"

void chardev_connect(struct chardev *c, const struct chardev_client *client, void *opaque)
{
    if (!c)
        return;
    c->client = client;
    c->client_opaque = opaque;
    chardev_accept_input(c);
}

void chardev_write(struct chardev *c, const uint8_t *data, unsigned size)
{
    if (!c)
        return;
    if (c->log)
        chardev_write(c->log, data, size);
    if (c->ops->write)
        c->ops->write(c, data, size);
}

void chardev_accept_input(struct chardev *c)
{
    if (c && c->ops->accept_input)
        c->ops->accept_input(c);
}

void chardev_start(struct chardev *c)
{
    if (!c)
        return;
    chardev_start(c->log);
    if (c->ops->start)
        c->ops->start(c);
}

void chardev_describe(const struct chardev *c, char *text, size_t size)
{
    if (c->ops->describe)
        c->ops->describe(c, text, size);
    else
        snprintf(text, size, "%s", c->ops->name);
}

bool chardev_awaits_peer(const struct chardev *c)
{
    return c && c->ops->awaits_peer && c->ops->awaits_peer(c);
}

bool chardev_in_front(const struct chardev *c)
{
    return !c->ops->in_front || c->ops->in_front(c);
}

void chardev_destroy(struct chardev *c)
{
    struct chardev_spec *spec;
    struct chardev *log;

    if (!c)
        return;
    spec = c->spec;
    log = c->log;
    c->ops->destroy(c);
    chardev_destroy(log);
    chardev_spec_destroy(spec);
}

unsigned chardev_client_room(const struct chardev *c)
{
    return c->client && c->client->can_receive ? c->client->can_receive(c->client_opaque) : 0;
}

void chardev_client_receive(const struct chardev *c, const uint8_t *data, unsigned size)
{
    c->client->receive(c->client_opaque, data, size);
}

void chardev_client_deliver(const struct chardev *c, uint8_t *waiting, unsigned *n_waiting)
{
    while (*n_waiting) {
        uint8_t data[256];
        unsigned n = MIN(chardev_client_room(c), (unsigned)sizeof(data));
        n = MIN(n, *n_waiting);
        if (!n)
            return;
        /* Out of the way first: the client may have more delivered meanwhile. */
        memcpy(data, waiting, n);
        *n_waiting -= n;
        memmove(waiting, waiting + n, *n_waiting);
        chardev_client_receive(c, data, n);
    }
}

void chardev_client_event(const struct chardev *c, enum chardev_event event)
{
    if (c->client && c->client->event)
        c->client->event(c->client_opaque, event);
}

/* logfile=PATH: a file that gets a copy of what is written. */
static bool open_log(const struct chardev_context *context, struct chardev *c, struct error *err)
{
    const char *path = chardev_spec_string(c->spec, "logfile");
    struct chardev_spec *spec;
    char *text;

    if (!path)
        return true;
    text = malloc(strlen(path) + sizeof("file:"));
    if (!text)
        return error_set(err, "out of memory");
    sprintf(text, "file:%s", path);
    spec = chardev_spec_parse(c->spec->what, text, err);
    free(text);
    if (!spec)
        return false;
    chardev_spec_add(spec, "append", chardev_spec_string(c->spec, "logappend"));
    c->log = chardev_open(context, spec, err);
    return c->log != NULL;
}

struct chardev *chardev_open(const struct chardev_context *context, struct chardev_spec *spec,
                             struct error *err)
{
    struct chardev *c = spec->kind->create(context, spec, err);

    if (!c) {
        chardev_spec_destroy(spec);
        return NULL;
    }
    c->spec = spec;
    if (!open_log(context, c, err)) {
        chardev_destroy(c);
        return NULL;
    }
    return c;
}

struct chardev *chardev_create(const struct chardev_context *context, const char *option,
                               const char *what, struct error *err)
{
    struct chardev_spec *spec = chardev_spec_parse(option, what, err);

    return spec ? chardev_open(context, spec, err) : NULL;
}

/* ---- streams that lead nowhere -----------------------------------------------------------------
 */

static void null_destroy(struct chardev *c)
{
    free(c);
}

static const struct chardev_ops null_ops = {.name = "null", .destroy = null_destroy};

static struct chardev *null_create(const struct chardev_context *context,
                                   const struct chardev_spec *spec, struct error *err)
{
    struct chardev *c = calloc(1, sizeof(*c));

    if (!c) {
        error_set(err, "out of memory");
        return NULL;
    }
    c->ops = &null_ops;
    return c;
}

static const struct chardev_kind null_kind = {
    .name = "null", .help = "nothing: output vanishes", .create = null_create};
REGISTER(chardev_kind, null_kind);

/* ---- the window's consoles ---------------------------------------------------------------------
 */

static const struct chardev_key vc_keys[] = {
    {"width", CHARDEV_NUMBER}, {"height", CHARDEV_NUMBER}, {"cols", CHARDEV_NUMBER},
    {"rows", CHARDEV_NUMBER},  {NULL, CHARDEV_TEXT},
};

/* "800x600", "80Cx24C": pixels or characters. */
static bool vc_short_form(struct chardev_spec *spec, char *argument, struct error *err)
{
    static const char *const keys[2][2] = {{"width", "cols"}, {"height", "rows"}};
    char *at = argument;

    for (unsigned i = 0; i < 2; i++) {
        size_t digits = strspn(at, "0123456789");
        bool characters = digits && at[digits] == 'C';
        char *end = at + digits + characters;
        if (!digits || *end != "x"[i])
            return error_set(err, "%s: the size of a console is like 800x600 or 80Cx24C",
                             spec->what);
        chardev_spec_add(spec, keys[i][characters], at);
        at[digits] = 0;
        at = end + 1;
    }
    return true;
}

/* Where there is no window the guest does not notice that nobody looks. */
static struct chardev *vc_create(const struct chardev_context *context,
                                 const struct chardev_spec *spec, struct error *err)
{
    if (context->consoles)
        return text_console_open(context->consoles, context->label, spec, err);
    fprintf(stderr, "%s: note: %s: there is no window for it, so nobody sees it\n",
            context->program, spec->what);
    return null_create(context, spec, err);
}

static const struct chardev_kind vc_kind = {.name = "vc",
                                            .argument = "[WIDTHxHEIGHT]",
                                            .help = "a console in the window",
                                            .keys = vc_keys,
                                            .short_form = vc_short_form,
                                            .create = vc_create};
REGISTER(chardev_kind, vc_kind);
