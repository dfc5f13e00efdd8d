/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identification registers at 0xfe0..0xffc of every PrimeCell peripheral. Pure. */
#ifndef CALQUE_HW_AMBA_ID_H
#define CALQUE_HW_AMBA_ID_H

#include "util/compiler.h"

enum { AMBA_ID_BASE = 0xfe0 };

/* peripheral_id: PeriphID3..0 as one word. The cell ID is the same for all: 0xb105f00d. */
static inline uint32_t amba_id_read(uint32_t peripheral_id, uint64_t offset)
{
    uint32_t word = offset < 0xff0 ? peripheral_id : 0xb105f00d;

    return word >> (offset & 0xc) * 2 & 0xff;
}

#endif
