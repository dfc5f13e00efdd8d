/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the backend's own code (thunks.c), for profilers. */
#include "backend/x86_64/x86_64.h"

#define THUNK(member)                                                                              \
    {                                                                                              \
        "stub " #member, offsetof(struct thunks, member)                                           \
    }
static const struct {
    const char *name;
    size_t offset;
} rows[] = {
    THUNK(enter), THUNK(leave),     THUNK(leave_raised), THUNK(lookup),        THUNK(link),
    THUNK(guard), THUNK(poll_exit), THUNK(poll_loop),    THUNK(poll_indirect), THUNK(indirect),
    THUNK(slow),  THUNK(slow_xmm),  THUNK(x87_load),     THUNK(stop),
};
_Static_assert(sizeof(rows) / sizeof(rows[0]) == sizeof(struct thunks) / sizeof(void *),
               "every stub has a name");

static const uint8_t *stub_start(const struct backend_state *s, unsigned index)
{
    const uint8_t *start;

    memcpy(&start, (const char *)&s->thunk + rows[index].offset, sizeof(start));
    return start;
}

/* A stub ends where the next begins, the last where their room does. */
bool x86_own_code(const struct backend_state *s, unsigned index, struct backend_code *out)
{
    const uint8_t *start, *end = s->env.thunks.exec + (s->env.thunks.end - s->env.thunks.write);

    if (index >= ARRAY_SIZE(rows))
        return false;
    start = stub_start(s, index);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const uint8_t *other = stub_start(s, i);

        if (other > start && other < end)
            end = other;
    }
    *out = (struct backend_code){rows[index].name, start, start ? (size_t)(end - start) : 0};
    return true;
}
