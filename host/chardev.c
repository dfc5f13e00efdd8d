/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all character streams share, and the one that leads nowhere. */
#include "host/chardev.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "util/suggest.h"

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
    if (c && c->ops->write)
        c->ops->write(c, data, size);
}

void chardev_accept_input(struct chardev *c)
{
    if (c && c->ops->accept_input)
        c->ops->accept_input(c);
}

void chardev_start(struct chardev *c)
{
    if (c && c->ops->start)
        c->ops->start(c);
}

void chardev_destroy(struct chardev *c)
{
    if (c)
        c->ops->destroy(c);
}

enum { MAX_KINDS = 15 };

static const struct chardev_kind *kind_find(const char *what, size_t length)
{
    REGISTRY_FOREACH (chardev_kind, struct chardev_kind, kind) {
        if (strlen(kind->name) == length && !strncmp(kind->name, what, length))
            return kind;
    }
    return NULL;
}

static const char *kind_nearest(const char *word)
{
    const char *names[MAX_KINDS + 1];
    unsigned n = 0;

    REGISTRY_FOREACH (chardev_kind, struct chardev_kind, kind) {
        if (n < MAX_KINDS)
            names[n++] = kind->name;
    }
    names[n] = NULL;
    return suggest_nearest(word, names);
}

struct chardev *chardev_create(const struct chardev_context *context, const char *option,
                               const char *what, struct error *err)
{
    const char *colon = strchr(what, ':');
    size_t length = colon ? (size_t)(colon - what) : strlen(what);
    const struct chardev_kind *kind = kind_find(what, length);
    const char *argument = colon ? colon + 1 : NULL;
    char word[64];

    if (!kind) {
        snprintf(word, sizeof(word), "%.*s", (int)MIN(length, sizeof(word) - 1), what);
        const char *nearest = kind_nearest(word);
        error_set(err, "%s %s: there is no '%s'; did you mean '%s'?", option, what, word,
                  nearest ? nearest : "none");
        return NULL;
    }
    if (kind->argument && (!argument || !*argument)) {
        error_set(err, "%s %s needs a %s: %s %s:%s", option, kind->name, kind->argument, option,
                  kind->name, kind->argument);
        return NULL;
    }
    return kind->create(context, argument, err);
}

static void null_destroy(struct chardev *c)
{
    free(c);
}

static const struct chardev_ops null_ops = {.name = "null", .destroy = null_destroy};

static struct chardev *null_create(const struct chardev_context *context, const char *argument,
                                   struct error *err)
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
