/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard layouts by QEMU's names (-k): which key, with which modifiers, gives a character on a
 * keyboard like the guest's. For front ends that are told characters instead of keys (VNC). Pure.
 */
#ifndef CALQUE_HOST_KEYMAP_H
#define CALQUE_HOST_KEYMAP_H

#include "host/input.h"

struct keymap;

const struct keymap *keymap_find(const char *name); /* NULL: there is none */
const char *keymap_nearest(const char *name);

#endif
