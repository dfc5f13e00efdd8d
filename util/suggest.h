/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Did you mean": the nearest of a list of names, for messages about unknown ones. Pure. */
#ifndef CALQUE_UTIL_SUGGEST_H
#define CALQUE_UTIL_SUGGEST_H

#include "util/compiler.h"

/* names ends with NULL. The name at the smallest edit distance (the first of equals), or NULL if
 * the list is empty. Case counts half a change, a transposition one. */
const char *suggest_nearest(const char *word, const char *const *names);

/* The distance it uses, in half changes. Only the first 63 characters of each count. */
unsigned suggest_distance(const char *a, const char *b);

#endif
