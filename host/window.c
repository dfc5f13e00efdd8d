/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the front ends share: finding a kind, a screen by its number, arguments. */
#include "host/window.h"

#include <string.h>

const struct window_kind *window_kind_find(const char *name, size_t length)
{
    REGISTRY_FOREACH (window_kind, struct window_kind, kind) {
        if (strlen(kind->name) == length && !memcmp(kind->name, name, length))
            return kind;
    }
    return NULL;
}

struct screen *window_screen(const struct window_machine *machine, unsigned n)
{
    for (unsigned i = 0; i < WINDOW_SCREEN_LISTS; i++) {
        struct screen *screen = machine->screens[i] ? machine->screens[i]->first : NULL;
        for (; screen; screen = screen->next) {
            if (!n--)
                return screen;
        }
    }
    return NULL;
}

int64_t window_pace(int64_t interval_ns, bool changed)
{
    interval_ns = changed ? interval_ns / 2 : interval_ns + interval_ns / 4;
    return MIN(MAX(interval_ns, WINDOW_FAST_NS), WINDOW_SLOW_NS);
}

static void copy_word(char word[WINDOW_WORD], const char *text, size_t length)
{
    length = MIN(length, (size_t)WINDOW_WORD - 1);
    memcpy(word, text, length);
    word[length] = 0;
}

bool window_next_argument(const char **text, char key[WINDOW_WORD], char value[WINDOW_WORD])
{
    size_t length, name;

    if (!*text || !**text)
        return false;
    length = strcspn(*text, ",");
    name = strcspn(*text, "=,");
    copy_word(key, *text, name);
    if (name < length)
        copy_word(value, *text + name + 1, length - name - 1);
    else
        copy_word(value, "on", 2);
    *text += length + ((*text)[length] == ',');
    return true;
}
