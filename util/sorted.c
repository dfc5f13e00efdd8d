/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sorted by insertion: lists are short and made when somebody asks. */
#include "util/sorted.h"

#include <string.h>

void sorted_add(struct sorted *list, const void *item, const char *name)
{
    unsigned at = list->n;

    if (list->n == SORTED_MAX)
        return;
    for (; at && strcmp(list->names[at - 1], name) > 0; at--) {
        list->items[at] = list->items[at - 1];
        list->names[at] = list->names[at - 1];
    }
    list->items[at] = item;
    list->names[at] = name;
    list->names[++list->n] = NULL;
}

const void *sorted_find(const struct sorted *list, const char *name)
{
    for (unsigned i = 0; i < list->n; i++) {
        if (!strcmp(list->names[i], name))
            return list->items[i];
    }
    return NULL;
}
