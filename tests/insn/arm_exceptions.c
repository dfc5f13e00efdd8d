/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list; see arm_exceptions.h. */
#include "tests/insn/arm_exceptions.h"

#include <string.h>

#include "util/bits.h"

/* An instance is excepted if it is of the row and (insn & mask) == bits. */
static const struct known_difference {
    const char *row, *table;
    uint32_t mask, bits;
    const char *reason;
} known_differences[] = {
    {NULL, NULL, 0, 0, NULL},
};

bool arm_known_difference(const struct insn_desc *row, uint32_t insn)
{
    for (const struct known_difference *k = known_differences; k->row; k++)
        if (!strcmp(k->row, row->name) && !strcmp(k->table, row->table) &&
            (insn & k->mask) == k->bits)
            return true;
    return false;
}
