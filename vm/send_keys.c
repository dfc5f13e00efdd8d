/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm/send_keys.h"

#include <stdio.h>
#include <string.h>

#include "util/suggest.h"

static void go_on(void *opaque)
{
    struct send_keys *s = opaque;

    s->busy = false;
    while (s->count && !s->busy) {
        struct send_keys_step step = s->steps[s->first];
        s->first = (s->first + 1) % SEND_KEYS_WAITING;
        s->count--;
        input_key(s->input, (enum key)step.key, step.down);
        if (!step.wait_ms)
            continue;
        s->busy = true;
        timer_set(&s->timer, clock_now_ns(s->timer.clock) + step.wait_ms * INT64_C(1000000));
    }
}

void send_keys_init(struct send_keys *s, struct input *input, struct clock *clock)
{
    s->input = input;
    timer_init(&s->timer, clock, go_on, s);
}

static void add(struct send_keys *s, enum key key, bool down, uint32_t wait_ms)
{
    s->steps[(s->first + s->count++) % SEND_KEYS_WAITING] =
        (struct send_keys_step){(uint16_t)key, down, wait_ms};
}

static bool unknown_key(const char *name, struct error *err)
{
    const char *names[KEY_CODES + 1];
    unsigned n = 0;

    for (int key = 1; key < KEY_CODES; key++) {
        if (key_name((enum key)key))
            names[n++] = key_name((enum key)key);
    }
    names[n] = NULL;
    return error_set(err, "there is no key '%s'; did you mean '%s'?", name,
                     suggest_nearest(name, names));
}

/* Returns their number; 0: a name is wrong, or there are too many. */
static unsigned parse(const char *keys, enum key out[SEND_KEYS_AT_ONCE], struct error *err)
{
    unsigned n = 0;

    for (const char *p = keys;; p++) {
        char name[32];
        size_t length = strcspn(p, "-");
        snprintf(name, sizeof(name), "%.*s", (int)MIN(length, sizeof(name)), p);
        if (!strcmp(name, "<"))
            snprintf(name, sizeof(name), "less");
        if (n == SEND_KEYS_AT_ONCE) {
            error_set(err, "no more than %d keys can be down at once", SEND_KEYS_AT_ONCE);
            return 0;
        }
        out[n] = key_by_name(name);
        if (out[n++] == KEY_NONE) {
            unknown_key(name, err);
            return 0;
        }
        p += length;
        if (!*p)
            return n;
    }
}

bool send_keys(struct send_keys *s, const char *keys, uint32_t hold_ms, struct error *err)
{
    enum key list[SEND_KEYS_AT_ONCE];
    unsigned n = parse(keys, list, err);

    if (!n)
        return false;
    if (s->count + 2 * n > SEND_KEYS_WAITING)
        return error_set(err, "too many keys are waiting to be pressed");
    for (unsigned i = 0; i < n; i++)
        add(s, list[i], true, i + 1 == n ? MAX(hold_ms, 1u) : 0);
    /* A pause after the last: a guest that polls sees that the key was up. */
    for (unsigned i = n; i-- > 0;)
        add(s, list[i], false, i ? 0 : 10);
    if (!s->busy)
        go_on(s);
    return true;
}
