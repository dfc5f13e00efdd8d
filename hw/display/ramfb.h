/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALQUE_HW_DISPLAY_RAMFB_H
#define CALQUE_HW_DISPLAY_RAMFB_H

#include "hw/device.h"

/* As firmware sets it, for a kernel that is started without: 32 bits a pixel, rows without gaps.
 * After a reset. */
void ramfb_start(struct device *d, gpa base, unsigned width, unsigned height);

#endif
