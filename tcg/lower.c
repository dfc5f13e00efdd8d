/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tcg/ir.h"

void ir_lower(struct ir_unit *unit, bool (*supports)(unsigned op, unsigned type, unsigned sub))
{
}
