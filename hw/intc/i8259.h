/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The programmable interrupt controller of the PC: what a board does with the pair of them. */
#ifndef CALQUE_HW_INTC_I8259_H
#define CALQUE_HW_INTC_I8259_H

struct device;

/* Output 0 of `slave` is wired to input `line` of `master`, and the cascade bus joins the two. */
void i8259_set_slave(struct device *master, struct device *slave, unsigned line);
/* The processor's two INTA cycles: the vector. Never fails: with nothing requested any more it is
 * that of input 7. */
int i8259_acknowledge(struct device *master);

#endif
