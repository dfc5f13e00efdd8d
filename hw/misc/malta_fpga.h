/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Malta's FPGA as the board sees it. */
#ifndef CALQUE_HW_MISC_MALTA_FPGA_H
#define CALQUE_HW_MISC_MALTA_FPGA_H

#include "hw/device.h"

enum { MALTA_EEPROM_SIZE = 256 };

/* The MALTA_EEPROM_SIZE bytes of the memory on the two-wire bus; kept over resets. */
void malta_fpga_set_eeprom(struct device *d, const uint8_t *contents);

#endif
