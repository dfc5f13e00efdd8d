/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's expressions: numbers (decimal, 0x, 0 for octal, 'c'), registers as $name, ( ),
 * unary
 * + - ~, and in falling order of their binding  * / %,  & | ^,  + -  as in QEMU's monitor.
 * Unsigned, modulo 2^64.
 *
 * Pure: any text gives a value or one sentence.
 */
#ifndef CALQUE_VM_EXPRESSION_H
#define CALQUE_VM_EXPRESSION_H

#include "util/compiler.h"
#include "util/error.h"

struct expression_registers {
    /* False: there is no such register. */
    bool (*read)(void *opaque, const char *name, uint64_t *value);
    void *opaque;
};

/* The expression at *at, which is moved behind it and the blanks that follow. */
bool expression_evaluate(const char **at, const struct expression_registers *registers,
                         uint64_t *value, struct error *err);

/* "/4xw": how many, in which form, of which size. */
struct expression_format {
    unsigned count;
    char form;     /* x d u o c i s */
    unsigned size; /* bytes: 1, 2, 4, 8 */
};
/* What is not said stays as it is in *format. *at is moved behind it and blanks; without a slash
 * there it stays. */
bool expression_format(const char **at, struct expression_format *format, struct error *err);

#endif
