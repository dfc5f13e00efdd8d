/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rows of the ALU op compute. Pure; any thread. */
#ifndef CALQUE_TCG_ALU_H
#define CALQUE_TCG_ALU_H

#include "tcg/ir.h"

struct ir_alu_info {
    const char *name;
    uint8_t n_args;
    uint8_t gives; /* enum ir_flag_set */
    uint8_t needs;
};
extern const struct ir_alu_info ir_alu_info[IR_N_ALU];

/* Does the value, flags aside, depend on the flags before? */
static inline bool ir_alu_value_needs_flags(unsigned row)
{
    return row == IR_ALU_RCL || row == IR_ALU_RCR;
}

/* May this row have this width? */
bool ir_alu_has_width(unsigned row, unsigned width);

/* Has this host an instruction for it? If not, ir_alu_eval does it in C. */
bool ir_alu_on_host(unsigned row);

/* The value; *flags: those before it in the stored form (enum ir_flag_bit), then those after. */
uint64_t ir_alu_eval(unsigned row, unsigned width, uint64_t a, uint64_t b, uint64_t c,
                     uint16_t *flags);

#endif
