/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/nan_lanes.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static bool is_nan(const uint8_t *lane, unsigned bytes)
{
    uint64_t value = 0, infinity = bytes == 8 ? UINT64_C(0x7ff) << 52 : UINT64_C(0xff) << 23;

    memcpy(&value, lane, bytes);
    return (value & (bytes == 8 ? INT64_MAX : INT32_MAX)) > infinity;
}

void level_nan_lanes(const void *a, void *b, unsigned lane_bytes)
{
    const uint8_t *from = a;
    uint8_t *to = b;

    for (unsigned at = 0; at < 16; at += lane_bytes)
        if (is_nan(from + at, lane_bytes) && is_nan(to + at, lane_bytes))
            memcpy(to + at, from + at, lane_bytes);
}
