/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of a screen in a file. */
#ifndef CALQUE_VM_SCREENSHOT_H
#define CALQUE_VM_SCREENSHOT_H

#include <stdio.h>

#include "host/screen.h"
#include "util/error.h"

enum picture_format { PICTURE_PPM, PICTURE_PNG };

struct screenshot {
    unsigned width, height;
    uint32_t *pixels;
};

/* What it shows now, drawn as needed, for `free` of its pixels. Device lock held. False: no memory.
 */
bool screenshot_take(struct screen *screen, struct screenshot *picture);
bool screenshot_write(const struct screenshot *picture, enum picture_format format, FILE *out,
                      struct error *err);

#endif
