/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One explained failure. The function that notices the problem fills it once, with one clear
 * sentence that names the file or option; callers pass it up unchanged and decide what to do.
 * Ownership: the caller owns the struct (usually on its stack). Not shared between threads.
 */
#ifndef CALQUE_UTIL_ERROR_H
#define CALQUE_UTIL_ERROR_H

#include "util/compiler.h"

struct error {
    char message[512];
};

/* Records the sentence (no trailing newline, no program name). Always returns false, so that
 * `return error_set(err, ...)` reads well in a bool function. err may be NULL. */
bool error_set(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same, followed by ": " and the text of errno value `errnum`. */
bool error_set_errno(struct error *err, int errnum, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
