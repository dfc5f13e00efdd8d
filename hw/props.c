/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of properties, and what a class of devices makes of its own. */
#include "hw/props.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hw/pci/pci.h"
#include "hw/virtio/virtio.h"
#include "util/suggest.h"

enum { WORD_BYTES = PATH_MAX + 64 };

const char *props_next(const char *props, char *word, size_t size)
{
    size_t n = 0;

    while (*props && (*props != ',' || props[1] == ',')) {
        props += *props == ',';
        if (n < size - 1)
            word[n++] = *props;
        props++;
    }
    word[n] = '\0';
    return *props ? props + 1 : props;
}

/* Takes the next word of a list apart; NULL: it is empty. */
static const char *next_prop(const char **props, char word[WORD_BYTES])
{
    if (!*props || !**props)
        return NULL;
    *props = props_next(*props, word, WORD_BYTES);
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    return value ? value : "on";
}

bool props_get(const char *props, const char *key, char *out, size_t out_size)
{
    char word[WORD_BYTES];
    const char *value;

    while ((value = next_prop(&props, word))) {
        if (strcmp(word, key) != 0)
            continue;
        if (strlen(value) >= out_size)
            return false;
        strcpy(out, value);
        return true;
    }
    return false;
}

/* 1: on, 0: off, -1: neither. */
static int switch_value(const char *text)
{
    static const char *const words[][2] = {{"off", "on"}, {"no", "yes"}, {"false", "true"}};

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        for (int on = 0; on < 2; on++) {
            if (!strcmp(text, words[i][on]))
                return on;
        }
    }
    return -1;
}

bool props_on(const char *props, const char *key, bool default_value)
{
    char text[8];
    int value = props_get(props, key, text, sizeof(text)) ? switch_value(text) : -1;

    return value < 0 ? default_value : value;
}

/* ---- what a class takes ---------------------------------------------------------------------- */

enum { N_LISTS = 4 };

static void find_lists(const struct device_class *class, const struct device_prop *lists[N_LISTS])
{
    static const struct device_prop of_added[] = {{"id", DEVICE_PROP_TEXT, .most = 63}, {NULL}};

    lists[0] = class->props;
    lists[1] = class->virtio ? class->virtio->props : NULL;
    lists[2] = !class->pci ? NULL : class->pci->makes_bus ? pci_bridge_props : pci_props;
    lists[3] = class->addable ? of_added : NULL;
}

static const struct device_prop *find_region_prop(const struct device_class *class,
                                                  const char *name)
{
    static const struct device_prop number = {.kind = DEVICE_PROP_NUMBER};
    char base[16];

    for (unsigned i = 0; i < class->n_regions; i++) {
        const char *size = class->regions[i].size_prop;
        snprintf(base, sizeof(base), "base%u", i);
        if (!strcmp(name, base) || (size && !strcmp(name, size)))
            return &number;
    }
    return class->default_base && !strcmp(name, "iobase") ? &number : NULL;
}

static const struct device_prop *find_prop(const struct device_class *class, const char *name)
{
    const struct device_prop *lists[N_LISTS];

    find_lists(class, lists);
    for (unsigned i = 0; i < N_LISTS; i++) {
        for (const struct device_prop *prop = lists[i]; prop && prop->name; prop++) {
            if (!strcmp(prop->name, name))
                return prop;
        }
    }
    return find_region_prop(class, name);
}

static bool not_found(const struct device_class *class, const char *name, struct error *err)
{
    const struct device_prop *lists[N_LISTS];
    const char *names[64];
    unsigned n = 0;

    find_lists(class, lists);
    for (unsigned i = 0; i < N_LISTS; i++) {
        for (const struct device_prop *prop = lists[i]; prop && prop->name && n < 40; prop++)
            names[n++] = prop->name;
    }
    for (unsigned i = 0; i < class->n_regions && n < 60; i++) {
        if (class->regions[i].size_prop)
            names[n++] = class->regions[i].size_prop;
    }
    if (class->default_base)
        names[n++] = "iobase";
    names[n] = NULL;
    const char *nearest = suggest_nearest(name, names);
    bool near = nearest && suggest_distance(name, nearest) <= strlen(name);
    return error_set(err, "-device %s: Property '%s.%s' not found%s%s%s", class->name, class->name,
                     name, near ? "; did you mean '" : "", near ? nearest : "", near ? "'?" : "");
}

/* What QEMU's devices take besides, and scripts give them, of which nothing depends here. */
static bool has_no_effect(const char *name)
{
    static const char *const names[] = {"ats",     "bootindex", "iothread", "packed", "rerror",
                                        "romfile", "rombar",    "share-rw", "werror"};

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i]))
            return true;
    }
    return false;
}

static bool read_number(const char *text, uint64_t *value)
{
    static const struct {
        char suffix;
        uint64_t unit;
    } units[] = {{'\0', 1}, {'K', KIB}, {'M', MIB}, {'G', GIB}};
    char *end;

    *value = strtoull(text, &end, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
        if (*end == units[i].suffix && (!*end || !end[1])) {
            *value *= units[i].unit;
            return isdigit((unsigned char)*text) != 0;
        }
    }
    return false;
}

static bool check_number(const struct device_class *class, const struct device_prop *prop,
                         const char *name, const char *text, struct error *err)
{
    uint64_t value;
    bool ok = read_number(text, &value);

    if (ok && (!prop->most || (value >= prop->least && value <= prop->most)) &&
        (!prop->power_of_two || is_power_of_two(value)))
        return true;
    const char *what = prop->power_of_two ? "power of two" : "number";
    if (!prop->most)
        return error_set(err, "-device %s: %s=%s is no %s", class->name, name, text, what);
    return error_set(err, "-device %s: %s=%s is no %s from %" PRIu64 " to %" PRIu64, class->name,
                     name, text, what, prop->least, prop->most);
}

static bool check_value(const struct device_class *class, const struct device_prop *prop,
                        const char *name, const char *text, struct error *err)
{
    switch ((enum device_prop_kind)prop->kind) {
    case DEVICE_PROP_NUMBER:
        return check_number(class, prop, name, text, err);
    case DEVICE_PROP_SWITCH:
        return switch_value(text) >= 0 ||
               error_set(err, "-device %s: %s=%s is neither on nor off", class->name, name, text);
    case DEVICE_PROP_AUTO:
        return switch_value(text) >= 0 || !strcmp(text, "auto") ||
               error_set(err, "-device %s: %s=%s is not on, off or auto", class->name, name, text);
    case DEVICE_PROP_TEXT:
        break;
    }
    return !prop->most || strlen(text) <= prop->most ||
           error_set(err, "-device %s: %s= is longer than %" PRIu64 " bytes", class->name, name,
                     prop->most);
}

bool device_check_props(const struct device_class *class, const char *props, struct error *err)
{
    char word[WORD_BYTES];
    const char *rest = props, *value;

    while ((value = next_prop(&rest, word))) {
        const struct device_prop *prop = find_prop(class, word);
        if (prop ? !check_value(class, prop, word, value, err)
                 : !has_no_effect(word) && !not_found(class, word, err))
            return false;
    }
    for (rest = props; next_prop(&rest, word);) {
        if (!find_prop(class, word))
            fprintf(stderr, "note: -device %s: %s= has no effect\n", class->name, word);
    }
    return true;
}

/* ---- for devices ----------------------------------------------------------------------------- */

static void must_have(const struct device *d, const char *key)
{
    if (!find_prop(d->class, key))
        BUG("devices of class '%s' have no property '%s'", d->class->name, key);
}

bool device_prop_string(const struct device *d, const char *key, char *out, size_t out_size)
{
    must_have(d, key);
    return props_get(d->props, key, out, out_size);
}

bool device_prop_on(const struct device *d, const char *key, bool default_value)
{
    must_have(d, key);
    return props_on(d->props, key, default_value);
}

uint64_t device_prop_u64(const struct device *d, const char *key, uint64_t default_value)
{
    char text[32];
    uint64_t value;

    if (!device_prop_string(d, key, text, sizeof(text)) || !read_number(text, &value))
        return default_value;
    return value;
}
