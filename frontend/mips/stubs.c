/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the parts of the MIPS guest that are not there yet; weak, so that they replace it.
 */
#include "frontend/mips/translate.h"

#define WEAK __attribute__((weak))

WEAK const struct insn_desc insns_dsp[1], insns_msa[1];
WEAK bool decode_dsp(struct xlat *x, uint32_t insn)
{
    return false;
}
WEAK bool decode_msa(struct xlat *x, uint32_t insn)
{
    return false;
}
