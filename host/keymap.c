/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layouts, and the keys that all of them have. */
#include "host/keymap.h"

#include <string.h>

#include "util/suggest.h"

struct keymap {
    const char *name;
};

static const struct keymap keymaps[] = {
#define LAYOUT(name) {name},
#define CHARACTERS(...)
#include "host/keymaps.def"
#undef LAYOUT
#undef CHARACTERS
};

enum { EN_US = 0, LEVELS = 4, SHIFT = 1, ALTGR = 2 };

static const struct characters {
    uint8_t layout, key;
    uint32_t keysym[LEVELS];
} characters[] = {
#define LAYOUT(name)
#define CHARACTERS(layout, key, ...) {layout, key, {__VA_ARGS__}},
#include "host/keymaps.def"
#undef LAYOUT
#undef CHARACTERS
};

/* X11/keysymdef.h, X11/XF86keysym.h. */
static const struct {
    uint32_t keysym;
    enum key key;
} others[] = {
    {0xfe03, KEY_CODE_ALT_R},
    {0xfe20, KEY_CODE_TAB},
    {0xff08, KEY_CODE_BACKSPACE},
    {0xff09, KEY_CODE_TAB},
    {0xff0a, KEY_CODE_RET},
    {0xff0d, KEY_CODE_RET},
    {0xff13, KEY_CODE_PAUSE},
    {0xff14, KEY_CODE_SCROLL_LOCK},
    {0xff15, KEY_CODE_PRINT},
    {0xff1b, KEY_CODE_ESC},
    {0xff22, KEY_CODE_MUHENKAN},
    {0xff23, KEY_CODE_HENKAN},
    {0xff27, KEY_CODE_HIRAGANA},
    {0xff50, KEY_CODE_HOME},
    {0xff51, KEY_CODE_LEFT},
    {0xff52, KEY_CODE_UP},
    {0xff53, KEY_CODE_RIGHT},
    {0xff54, KEY_CODE_DOWN},
    {0xff55, KEY_CODE_PGUP},
    {0xff56, KEY_CODE_PGDN},
    {0xff57, KEY_CODE_END},
    {0xff61, KEY_CODE_PRINT},
    {0xff63, KEY_CODE_INSERT},
    {0xff67, KEY_CODE_COMPOSE},
    {0xff6b, KEY_CODE_PAUSE},
    {0xff7e, KEY_CODE_ALT_R},
    {0xff7f, KEY_CODE_NUM_LOCK},
    {0xff8d, KEY_CODE_KP_ENTER},
    {0xff95, KEY_CODE_KP_7},
    {0xff96, KEY_CODE_KP_4},
    {0xff97, KEY_CODE_KP_8},
    {0xff98, KEY_CODE_KP_6},
    {0xff99, KEY_CODE_KP_2},
    {0xff9a, KEY_CODE_KP_9},
    {0xff9b, KEY_CODE_KP_3},
    {0xff9c, KEY_CODE_KP_1},
    {0xff9d, KEY_CODE_KP_5},
    {0xff9e, KEY_CODE_KP_0},
    {0xff9f, KEY_CODE_KP_DECIMAL},
    {0xffaa, KEY_CODE_KP_MULTIPLY},
    {0xffab, KEY_CODE_KP_ADD},
    {0xffac, KEY_CODE_KP_COMMA},
    {0xffad, KEY_CODE_KP_SUBTRACT},
    {0xffae, KEY_CODE_KP_DECIMAL},
    {0xffaf, KEY_CODE_KP_DIVIDE},
    {0xffb0, KEY_CODE_KP_0},
    {0xffb1, KEY_CODE_KP_1},
    {0xffb2, KEY_CODE_KP_2},
    {0xffb3, KEY_CODE_KP_3},
    {0xffb4, KEY_CODE_KP_4},
    {0xffb5, KEY_CODE_KP_5},
    {0xffb6, KEY_CODE_KP_6},
    {0xffb7, KEY_CODE_KP_7},
    {0xffb8, KEY_CODE_KP_8},
    {0xffb9, KEY_CODE_KP_9},
    {0xffbe, KEY_CODE_F1},
    {0xffbf, KEY_CODE_F2},
    {0xffc0, KEY_CODE_F3},
    {0xffc1, KEY_CODE_F4},
    {0xffc2, KEY_CODE_F5},
    {0xffc3, KEY_CODE_F6},
    {0xffc4, KEY_CODE_F7},
    {0xffc5, KEY_CODE_F8},
    {0xffc6, KEY_CODE_F9},
    {0xffc7, KEY_CODE_F10},
    {0xffc8, KEY_CODE_F11},
    {0xffc9, KEY_CODE_F12},
    {0xffe1, KEY_CODE_SHIFT},
    {0xffe2, KEY_CODE_SHIFT_R},
    {0xffe3, KEY_CODE_CTRL},
    {0xffe4, KEY_CODE_CTRL_R},
    {0xffe5, KEY_CODE_CAPS_LOCK},
    {0xffe7, KEY_CODE_ALT},
    {0xffe8, KEY_CODE_ALT_R},
    {0xffe9, KEY_CODE_ALT},
    {0xffea, KEY_CODE_ALT_R},
    {0xffeb, KEY_CODE_META_L},
    {0xffec, KEY_CODE_META_R},
    {0xffff, KEY_CODE_DELETE},
    {0x1008ff11, KEY_CODE_VOLUMEDOWN},
    {0x1008ff12, KEY_CODE_AUDIOMUTE},
    {0x1008ff13, KEY_CODE_VOLUMEUP},
    {0x1008ff2a, KEY_CODE_POWER},
    {0x1008ff2b, KEY_CODE_WAKE},
    {0x1008ff2f, KEY_CODE_SLEEP},
};

const struct keymap *keymap_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(keymaps); i++) {
        if (!strcmp(keymaps[i].name, name))
            return &keymaps[i];
    }
    return NULL;
}

const char *keymap_nearest(const char *name)
{
    const char *names[ARRAY_SIZE(keymaps) + 1];

    for (unsigned i = 0; i < ARRAY_SIZE(keymaps); i++)
        names[i] = keymaps[i].name;
    names[ARRAY_SIZE(keymaps)] = NULL;
    return suggest_nearest(name, names);
}

/* Does the layout say itself what this key gives? */
static bool overrides(unsigned layout, uint8_t key)
{
    for (unsigned i = 0; i < ARRAY_SIZE(characters); i++) {
        if (characters[i].layout == layout && characters[i].key == key)
            return true;
    }
    return false;
}

/* The level with the fewest modifiers. is_own: of the keys that it has by itself. */
static bool find_character(unsigned layout, unsigned own, uint32_t keysym, struct keymap_key *found)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned i = 0; i < ARRAY_SIZE(characters); i++) {
            const struct characters *row = &characters[i];
            if (row->layout != layout || row->keysym[level] != keysym ||
                (own != layout && overrides(own, row->key)))
                continue;
            found->key = (enum key)row->key;
            found->shift = level & SHIFT;
            found->altgr = level & ALTGR;
            found->is_character = true;
            /* What differs in case alone is 0x20 apart, from a to z and in Latin 1. */
            found->is_letter = row->keysym[0] == row->keysym[1] + 0x20;
            return true;
        }
    }
    return false;
}

bool keymap_lookup(const struct keymap *keymap, uint32_t keysym, struct keymap_key *key)
{
    unsigned layout = keymap ? (unsigned)(keymap - keymaps) : EN_US;

    memset(key, 0, sizeof(*key));
    if (!keysym)
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
        if (others[i].keysym != keysym)
            continue;
        key->key = others[i].key;
        return true;
    }
    /* Keys where it is en-us; then, for layouts without Latin letters, where they would be. */
    return find_character(layout, layout, keysym, key) ||
           find_character(EN_US, layout, keysym, key) || find_character(EN_US, EN_US, keysym, key);
}

bool keymap_text(uint32_t keysym, char text[8])
{
    uint32_t code = 0;
    unsigned n = 0;

    if ((keysym >= 0x20 && keysym < 0x7f) || (keysym >= 0xa0 && keysym < 0x100))
        code = keysym;
    else if (keysym >= 0x1000100 && keysym <= 0x110ffff)
        code = keysym - 0x1000000;
    else if (keysym == 0x20ac)
        code = keysym;
    if (!code)
        return false;
    if (code < 0x80) {
        text[n++] = (char)code;
    } else if (code < 0x800) {
        text[n++] = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        text[n++] = (char)(0xe0 | code >> 12);
        text[n++] = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        text[n++] = (char)(0xf0 | code >> 18);
        text[n++] = (char)(0x80 | (code >> 12 & 0x3f));
        text[n++] = (char)(0x80 | (code >> 6 & 0x3f));
    }
    if (code >= 0x80)
        text[n++] = (char)(0x80 | (code & 0x3f));
    text[n] = 0;
    return true;
}
