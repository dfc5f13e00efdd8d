/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of a PL110 or PL111, for a board whose connector shows one of several. Device lock.
 */
#ifndef CALQUE_HW_DISPLAY_PL11X_H
#define CALQUE_HW_DISPLAY_PL11X_H

#include "host/screen.h"
#include "hw/device.h"

bool pl11x_is_on(const struct device *d);
void pl11x_draw(struct device *d, struct screen *screen);

#endif
