/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identification registers at the end of every PrimeCell: 0xfe0..0xffc, one byte each. */
#ifndef CALQUE_HW_PRIMECELL_H
#define CALQUE_HW_PRIMECELL_H

#include "util/compiler.h"

enum { PRIMECELL_ID = 0xfe0, PRIMECELL_ID_END = 0x1000 };

/* peripheral: PeriphID0-3 as one word, ID0 lowest. */
static inline uint32_t primecell_id(uint32_t peripheral, uint64_t offset)
{
    unsigned index = (unsigned)(offset - PRIMECELL_ID) / 4;
    uint32_t value = index < 4 ? peripheral : 0xb105f00d;

    return value >> (index % 4 * 8) & 0xff;
}

#endif
