/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tcg/ir.h"

void ir_pass_dce(struct ir_unit *unit)
{
}
