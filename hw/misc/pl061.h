/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wires of the PL061 for machine tables: inputs 0-7 are GPIO lines; output 0 is the interrupt. */
#ifndef CALQUE_HW_MISC_PL061_H
#define CALQUE_HW_MISC_PL061_H

enum { PL061_OUT_IRQ = 0 };
#define PL061_OUT_GPIO(n) (1 + (n))

#endif
