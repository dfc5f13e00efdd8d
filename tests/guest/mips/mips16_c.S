/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs what the compiler has made of mips16_c.c. */
    .set nomips16
#include "bare.h"
    program
test:
    jal compute
    nop
    b fail
    move k0, $2
