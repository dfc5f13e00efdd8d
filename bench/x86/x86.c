/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the bare-metal guest and the native program share. */
#include "machine.h"

#include <cpuid.h>

extern uintptr_t probe_ring[4096];

uint32_t machine_features(void)
{
    uint32_t a, b, c, d, features = 0, enabled = 0;

    __cpuid(1, a, b, c, d);
    if (c & bit_OSXSAVE)
        __asm__("xgetbv" : "=a"(enabled), "=d"(d) : "c"(0));
    features |= c & bit_SSSE3 ? SSSE3 : 0;
    features |= c & bit_SSE4_1 ? SSE41 : 0;
    if ((enabled & 6) != 6 || !(c & bit_AVX))
        return features;
    features |= AVX | (c & bit_FMA ? FMA : 0);
    __cpuid(0, a, b, c, d);
    if (a >= 7) {
        __cpuid_count(7, 0, a, b, c, d);
        features |= b & bit_AVX2 ? AVX2 : 0;
    }
    return features;
}

void x86_fill_ring(void)
{
    for (uint32_t i = 0; i < 4096; i++)
        probe_ring[i] = (uintptr_t)&probe_ring[(i + 1021) % 4096];
}
