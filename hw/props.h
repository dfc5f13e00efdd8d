/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "key=value,key=value" lists of machine tables, -M, -device and -drive. Pure. */
#ifndef CALQUE_HW_PROPS_H
#define CALQUE_HW_PROPS_H

#include "util/compiler.h"

/* Copies up to the next comma that is not doubled, which is how values have commas; what does not
 * fit in is left out. Returns what follows. */
const char *props_next(const char *props, char *word, size_t size);
/* Copies the value of `key` (of a bare key: "on"). False: not there, or longer than out_size. */
bool props_get(const char *props, const char *key, char *out, size_t out_size);
/* on, yes, true; off, no, false; anything else is the default. */
bool props_on(const char *props, const char *key, bool default_value);

#endif
