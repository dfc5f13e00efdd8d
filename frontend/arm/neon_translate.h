/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What neon.c and neon_memory.c share. */
#ifndef CALQUE_FRONTEND_ARM_NEON_TRANSLATE_H
#define CALQUE_FRONTEND_ARM_NEON_TRANSLATE_H

#include "frontend/arm/simd.h"

static inline bool neon_enabled(struct xlat *x)
{
    return arm_xlat(x)->key & KEY_NEON;
}

enum { NEON_NO_BYTE = 0xff };

/* A vector of bytes picked from up to four others: byte i is byte map[i] & 15 of
 * sources[map[i] >> 4], or does not matter for NEON_NO_BYTE. */
ir_ref neon_gather(struct xlat *x, const ir_ref *sources, unsigned n_sources,
                   const uint8_t map[16]);

#endif
