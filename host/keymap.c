/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layouts. */
#include "host/keymap.h"

#include <string.h>

#include "util/suggest.h"

struct keymap {
    const char *name;
};

static const struct keymap keymaps[] = {
    {"ar"}, {"bepo"},  {"cz"}, {"da"}, {"de"},    {"de-ch"}, {"en-gb"}, {"en-us"}, {"es"},
    {"et"}, {"fi"},    {"fo"}, {"fr"}, {"fr-be"}, {"fr-ca"}, {"fr-ch"}, {"hr"},    {"hu"},
    {"is"}, {"it"},    {"ja"}, {"lt"}, {"lv"},    {"mk"},    {"nl"},    {"no"},    {"pl"},
    {"pt"}, {"pt-br"}, {"ru"}, {"sl"}, {"sv"},    {"th"},    {"tr"},
};

const struct keymap *keymap_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keymaps); i++) {
        if (!strcmp(keymaps[i].name, name))
            return &keymaps[i];
    }
    return NULL;
}

const char *keymap_nearest(const char *name)
{
    const char *names[ARRAY_SIZE(keymaps) + 1];

    for (unsigned i = 0; i < ARRAY_SIZE(keymaps); i++)
        names[i] = keymaps[i].name;
    names[ARRAY_SIZE(keymaps)] = NULL;
    return suggest_nearest(name, names);
}
