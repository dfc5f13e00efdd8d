/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard layouts by QEMU's names (-k): which key, with which modifiers, gives a character on a
 * keyboard like the guest's. For front ends that are told characters instead of keys (VNC). Pure.
 */
#ifndef CALQUE_HOST_KEYMAP_H
#define CALQUE_HOST_KEYMAP_H

#include "host/input.h"

struct keymap;

struct keymap_key {
    enum key key;
    bool shift, altgr; /* must be held for it */
    bool is_character; /* else the modifiers do not matter */
    bool is_letter;    /* caps lock acts on it */
};

/* keysym: as X and VNC count them. False: the layout has no such key. */
bool keymap_lookup(const struct keymap *keymap, uint32_t keysym, struct keymap_key *key);
/* The character in UTF-8; false: it is none. */
bool keymap_text(uint32_t keysym, char text[8]);
const struct keymap *keymap_find(const char *name); /* NULL: there is none */
const char *keymap_nearest(const char *name);

#endif
