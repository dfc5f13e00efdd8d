/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programmable interval timer's pins that a PC reaches through port 0x61. */
#ifndef CALQUE_HW_TIMER_I8254_H
#define CALQUE_HW_TIMER_I8254_H

#include "util/compiler.h"

struct device;

void i8254_set_gate(struct device *d, unsigned channel, bool level);
bool i8254_gate(const struct device *d, unsigned channel);
bool i8254_out(struct device *d, unsigned channel);

#endif
