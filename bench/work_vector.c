/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop over floats that the compiler vectorises. */
#include "bench.h"

static float wave_a[1024], wave_b[1024];

uint32_t work_vector32(uint32_t turns)
{
    for (int i = 0; i < 1024; i++) {
        wave_a[i] = (float)i * 0.5f;
        wave_b[i] = 1.0f;
    }
    for (uint32_t turn = 0; turn < turns; turn++)
        for (int i = 0; i < 1024; i++)
            wave_b[i] = wave_b[i] * 0.5f + wave_a[i];
    return (uint32_t)wave_b[77];
}
