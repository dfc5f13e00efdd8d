/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a display says of itself: VESA E-EDID release A, EDID 1.4, one block. */
#ifndef CALQUE_HW_DISPLAY_EDID_H
#define CALQUE_HW_DISPLAY_EDID_H

#include "util/compiler.h"

enum { EDID_BYTES = 128 };

/* The size is what the display likes best; it is cut to what a block can say (4095 each way). */
void edid_make(uint8_t out[EDID_BYTES], unsigned width, unsigned height);

#endif
