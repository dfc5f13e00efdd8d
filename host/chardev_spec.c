/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the command line describes character streams, taken apart and checked. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "util/sorted.h"
#include "util/suggest.h"

/* ---- kinds -------------------------------------------------------------------------------------
 */

/* QEMU's others: no typing errors. */
static const char *const lacking[] = {
    "udp",     "msmouse",  "wctablet", "braille",   "con",    "COM",         "serial",
    "tty",     "parallel", "parport",  "websocket", "tn3270", "spicevmc",    "spiceport",
    "ringbuf", "memory",   "testdev",  "hub",       "mux",    "qemu-vdagent"};

static const struct chardev_kind *kind_find(const char *name, size_t length, bool is_long)
{
    REGISTRY_FOREACH (chardev_kind, struct chardev_kind, kind) {
        if (strlen(kind->name) == length && !strncmp(kind->name, name, length) &&
            !(is_long ? kind->only_short : kind->only_long))
            return kind;
    }
    return NULL;
}

static const char *kind_nearest(const char *word, bool is_long)
{
    struct sorted kinds = {.n = 0};
    const char *nearest;

    REGISTRY_FOREACH (chardev_kind, struct chardev_kind, kind) {
        if (!(is_long ? kind->only_short : kind->only_long))
            sorted_add(&kinds, kind, kind->name);
    }
    nearest = suggest_nearest(word, kinds.names);
    return nearest ? nearest : "none";
}

static bool say_no_kind(const struct chardev_spec *spec, const char *name, size_t length,
                        bool is_long, struct error *err)
{
    char word[64];

    snprintf(word, sizeof(word), "%.*s", (int)MIN(length, sizeof(word) - 1), name);
    for (unsigned i = 0; i < ARRAY_SIZE(lacking); i++) {
        if (!strcmp(word, lacking[i]))
            return error_set(err, "%s: streams of the kind '%s' are not supported yet", spec->what,
                             word);
    }
    return error_set(err, "%s: there is no '%s'; did you mean '%s'?", spec->what, word,
                     kind_nearest(word, is_long));
}

/* ---- keys and values ---------------------------------------------------------------------------
 */

static const struct chardev_key common_keys[] = {
    {"id", CHARDEV_TEXT},          {"mux", CHARDEV_SWITCH}, {"logfile", CHARDEV_TEXT},
    {"logappend", CHARDEV_SWITCH}, {NULL, CHARDEV_TEXT},
};

static const struct chardev_key *key_find(const struct chardev_key *keys, const char *name)
{
    for (; keys && keys->name; keys++) {
        if (!strcmp(keys->name, name))
            return keys;
    }
    return NULL;
}

static const struct chardev_key *spec_key(const struct chardev_spec *spec, const char *name)
{
    const struct chardev_key *key = key_find(spec->kind->keys, name);

    return key ? key : key_find(common_keys, name);
}

static bool say_no_key(const struct chardev_spec *spec, const char *name, struct error *err)
{
    const struct chardev_key *tables[] = {spec->kind->keys, common_keys};
    const char *names[32];
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
        for (const struct chardev_key *key = tables[i]; key && key->name; key++) {
            if (n < ARRAY_SIZE(names) - 1)
                names[n++] = key->name;
        }
    }
    names[n] = NULL;
    return error_set(err, "%s: '%s' takes no '%s'; did you mean '%s'?", spec->what,
                     spec->kind->name, name, suggest_nearest(name, names));
}

/* 1, 0, or -1 for neither. */
static int parse_switch(const char *value)
{
    static const char *const yes[] = {"on", "yes", "true", "y"};
    static const char *const no[] = {"off", "no", "false", "n"};

    for (unsigned i = 0; i < ARRAY_SIZE(yes); i++) {
        if (!strcmp(value, yes[i]))
            return 1;
        if (!strcmp(value, no[i]))
            return 0;
    }
    return -1;
}

static bool parse_number(const char *value, uint64_t *number)
{
    char *end;

    if (!isdigit((unsigned char)*value))
        return false;
    errno = 0;
    *number = strtoull(value, &end, 0);
    return !errno && !*end;
}

/* "server" alone is server=on, "nowait" is wait=off: QEMU's older way. */
static bool add_word(struct chardev_spec *spec, const char *word, struct error *err)
{
    const struct chardev_key *key = spec_key(spec, word);
    const char *value = "on";

    if (!key && !strncmp(word, "no", 2)) {
        key = spec_key(spec, word + 2);
        value = "off";
    }
    if (!key)
        return say_no_key(spec, word, err);
    if (key->type != CHARDEV_SWITCH)
        return error_set(err, "%s: '%s' needs a value: %s=...", spec->what, word, word);
    return chardev_spec_add(spec, key->name, value) ||
           error_set(err, "%s: too many options", spec->what);
}

static bool add_value(struct chardev_spec *spec, const char *name, const char *value,
                      struct error *err)
{
    const struct chardev_key *key = spec_key(spec, name);
    uint64_t number;

    if (!key)
        return say_no_key(spec, name, err);
    if (key->type == CHARDEV_SWITCH && parse_switch(value) < 0)
        return error_set(err, "%s: %s is on or off, not '%s'", spec->what, name, value);
    if (key->type == CHARDEV_NUMBER && !parse_number(value, &number))
        return error_set(err, "%s: %s is a number, not '%s'", spec->what, name, value);
    if (key->type == CHARDEV_TEXT && !*value)
        return error_set(err, "%s: %s is empty", spec->what, name);
    return chardev_spec_add(spec, key->name, value) ||
           error_set(err, "%s: too many options", spec->what);
}

/* Cuts off what is before the next single comma, in place; NULL: there is nothing more. */
static char *next_item(char **rest)
{
    char *item = *rest, *to = item, *from = item;

    if (!item)
        return NULL;
    for (; *from && (*from != ',' || from[1] == ','); from++) {
        from += *from == ',';
        *to++ = *from;
    }
    *rest = *from ? from + 1 : NULL;
    *to = 0;
    return item;
}

static bool parse_keys(struct chardev_spec *spec, char *text, struct error *err)
{
    char *item;

    while ((item = next_item(&text))) {
        char *equals = strchr(item, '=');
        if (!*item)
            continue;
        if (equals)
            *equals++ = 0;
        if (!(equals ? add_value(spec, item, equals, err) : add_word(spec, item, err)))
            return false;
    }
    return true;
}

bool chardev_spec_add(struct chardev_spec *spec, const char *key, const char *value)
{
    if (!value)
        return true;
    if (spec->n_props == CHARDEV_PROPS)
        return false;
    spec->prop[spec->n_props++] = (struct chardev_prop){key, value};
    return true;
}

const char *chardev_spec_string(const struct chardev_spec *spec, const char *key)
{
    /* The last one counts. */
    for (unsigned i = spec->n_props; i-- > 0;) {
        if (!strcmp(spec->prop[i].key, key))
            return spec->prop[i].value;
    }
    return NULL;
}

bool chardev_spec_switch(const struct chardev_spec *spec, const char *key, bool otherwise)
{
    const char *value = chardev_spec_string(spec, key);

    return value ? parse_switch(value) == 1 : otherwise;
}

uint64_t chardev_spec_number(const struct chardev_spec *spec, const char *key, uint64_t otherwise)
{
    const char *value = chardev_spec_string(spec, key);
    uint64_t number;

    return value && parse_number(value, &number) ? number : otherwise;
}

/* ---- the two ways to say it --------------------------------------------------------------------
 */

static struct chardev_spec *spec_create(const char *option, const char *text, struct error *err)
{
    struct chardev_spec *spec = calloc(1, sizeof(*spec));
    size_t size = strlen(option) + strlen(text) + 2;

    if (spec) {
        spec->text = strdup(text);
        spec->what = malloc(size);
        if (spec->text && spec->what) {
            snprintf(spec->what, size, "%s %s", option, text);
            return spec;
        }
    }
    chardev_spec_destroy(spec);
    error_set(err, "out of memory");
    return NULL;
}

void chardev_spec_destroy(struct chardev_spec *spec)
{
    if (!spec)
        return;
    free(spec->text);
    free(spec->what);
    free(spec);
}

static bool needs_argument(const struct chardev_kind *kind)
{
    return kind->argument && *kind->argument != '[';
}

static bool parse_short(struct chardev_spec *spec, struct error *err)
{
    char *text = spec->text, *colon = strchr(text, ':');
    size_t length = strcspn(text, ":,");
    bool has_argument = colon && (size_t)(colon - text) == length;
    char *argument = has_argument ? colon + 1 : NULL, *rest;

    spec->kind = kind_find(text, length, false);
    if (!spec->kind)
        return say_no_kind(spec, text, length, false, err);
    if (needs_argument(spec->kind) && (!argument || !*argument))
        return error_set(err, "%s needs a %s: %s:%s", spec->what, spec->kind->argument,
                         spec->kind->name, spec->kind->argument);
    if (!has_argument)
        return !text[length] || parse_keys(spec, text + length + 1, err);
    if (!spec->kind->argument)
        return error_set(err, "%s: '%s' stands alone", spec->what, spec->kind->name);
    if (!*argument)
        return true;
    if (!spec->kind->short_form)
        return chardev_spec_add(spec, "path", argument);
    rest = argument;
    argument = next_item(&rest);
    return spec->kind->short_form(spec, argument, err) && (!rest || parse_keys(spec, rest, err));
}

struct chardev_spec *chardev_spec_parse(const char *option, const char *text, struct error *err)
{
    struct chardev_spec *spec = spec_create(option, text, err);

    if (spec && !parse_short(spec, err)) {
        chardev_spec_destroy(spec);
        return NULL;
    }
    return spec;
}

static bool is_id(const char *id)
{
    if (!isalpha((unsigned char)*id))
        return false;
    for (; *id; id++) {
        if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
            return false;
    }
    return true;
}

static bool parse_long(struct chardev_spec *spec, struct error *err)
{
    char *rest = spec->text, *name = next_item(&rest);
    const char *id;

    if (!strncmp(name, "backend=", 8))
        name += 8;
    spec->kind = kind_find(name, strlen(name), true);
    if (!spec->kind)
        return say_no_kind(spec, name, strlen(name), true, err);
    if (rest && !parse_keys(spec, rest, err))
        return false;
    id = chardev_spec_string(spec, "id");
    if (!id)
        return error_set(err, "%s needs an id: %s,id=NAME", spec->what, name);
    if (!is_id(id))
        return error_set(err,
                         "%s: an id starts with a letter and has letters, digits, '-', '.' and "
                         "'_', unlike '%s'",
                         spec->what, id);
    return true;
}

struct chardev_spec *chardev_spec_parse_long(const char *text, struct error *err)
{
    struct chardev_spec *spec = spec_create("-chardev", text, err);

    if (spec && !parse_long(spec, err)) {
        chardev_spec_destroy(spec);
        return NULL;
    }
    return spec;
}
