/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fills struct error. */
#define _GNU_SOURCE
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *err, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
    }
    return false;
}

bool error_set_errno(struct error *err, int errnum, const char *format, ...)
{
    if (!err)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    size_t length = strlen(err->message);
    char text[128];
    snprintf(err->message + length, sizeof(err->message) - length, ": %s",
             strerror_r(errnum, text, sizeof(text)));
    return false;
}
