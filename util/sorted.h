/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sorted list of things from a registry, whose link order is nobody's business. Pure. */
#ifndef CALQUE_UTIL_SORTED_H
#define CALQUE_UTIL_SORTED_H

#include "util/compiler.h"

enum { SORTED_MAX = 160 };

struct sorted {
    const void *items[SORTED_MAX];
    const char *names[SORTED_MAX + 1]; /* ends with NULL */
    unsigned n;
};

/* More than SORTED_MAX are left out. The name is kept, not copied. */
void sorted_add(struct sorted *list, const void *item, const char *name);
/* NULL: there is none of that name. */
const void *sorted_find(const struct sorted *list, const char *name);

#endif
