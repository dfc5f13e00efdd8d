/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's real-time clock as boards see it: bytes of its memory that firmware reads. */
#ifndef CALQUE_HW_TIMER_MC146818_H
#define CALQUE_HW_TIMER_MC146818_H

#include "hw/device.h"

/* A byte of the battery-backed memory (14..127); kept over resets. */
void mc146818_set(struct device *d, unsigned index, uint8_t value);

#endif
