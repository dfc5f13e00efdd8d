/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys that somebody presses for the user, for as long as a finger would: one combination after the
 * other, on the machine's clock.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_VM_SEND_KEYS_H
#define CALQUE_VM_SEND_KEYS_H

#include "host/input.h"
#include "util/clock.h"
#include "util/error.h"

enum { SEND_KEYS_AT_ONCE = 16, SEND_KEYS_WAITING = 1024, SEND_KEYS_HOLD_MS = 100 };

struct send_keys_step {
    uint16_t key;
    bool down;
    uint32_t wait_ms; /* before the next one */
};

struct send_keys {
    struct input *input;
    struct timer timer;
    bool busy; /* the timer runs */
    unsigned first, count;
    struct send_keys_step steps[SEND_KEYS_WAITING];
};

void send_keys_init(struct send_keys *s, struct input *input, struct clock *clock);
/* "ctrl-alt-delete": pressed in this order and released in the other after hold_ms. */
bool send_keys(struct send_keys *s, const char *keys, uint32_t hold_ms, struct error *err);

#endif
